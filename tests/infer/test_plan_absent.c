/* Invariant 11: a model whose tensors stay in the file is planned by nobody, for there is
 * nothing to run it on. */
#include "infer/model_kit.h"

static wlk_status begin(void *context, uint64_t length, uint64_t file_offset, wlk_error *error) {
    (void)context, (void)length, (void)file_offset, (void)error;
    return WLK_OK;
}

static wlk_status append(void *context, const uint8_t *data, uint64_t length, wlk_error *error) {
    (void)context, (void)data, (void)length, (void)error;
    return WLK_OK;
}

/* A graph that gives a tensor of `count` floats, which lies 64 bytes into a file. */
static wlk_model *lazy_model(uint64_t count) {
    static image_buffer buffer;
    const image_sink sink = {NULL, begin, append};
    const uint64_t nbytes = 4 * count, file_bytes = 64 + nbytes;
    wlk_limits limits;
    wlk_error error;
    wlk_model *model = NULL;
    uint8_t *image;
    uint64_t length;
    wlk_limits_default(&limits);
    image_builder *b = image_builder_new(&limits, &sink);
    assert_non_null(b);
    const image_tensor_spec tensor = {.name = image_string(b, "t", 1, 0),
                                      .dtype = WLK_F32,
                                      .rank = 1,
                                      .shape = &count,
                                      .block = IMAGE_NONE,
                                      .nbytes = nbytes,
                                      .file_offset = 64};
    (void)image_tensor(b, &tensor);
    (void)image_graph(b, image_string(b, "", 0, 0), 0);
    assert_int_equal(image_graph_output(b, EDGE_TENSOR), WLK_OK);
    (void)image_span(b, WLK_SPAN_HEADER, 0, 64, IMAGE_NONE);
    if (nbytes) (void)image_span(b, WLK_SPAN_PAYLOAD, 64, nbytes, 0);
    assert_int_equal(image_finish(b, file_bytes, &image, &length, &error), WLK_OK);
    image_builder_free(b);
    buffer = (image_buffer){NULL, nbytes, 64};
    const image_payloads payloads = {.buffers = &buffer, .count = nbytes > 0, .absent = true};
    assert_int_equal(image_validate(image, length, file_bytes, &payloads, &limits, &model, &error),
                     WLK_OK);
    return model;
}

static void check(uint64_t count, const char *rule) {
    wlk_plan *plan = NULL;
    wlk_error error = {.status = WLK_OK};
    wlk_model *model = lazy_model(count);
    assert_rule(&error, wlk_plan_create(model, NULL, &plan, &error), rule);
    assert_true((plan != NULL) == (strcmp(rule, "ok") == 0));
    wlk_plan_free(plan);
    wlk_model_free(model);
}

static void test_invariant_11_tensors_that_stay_in_the_file(void **state) {
    (void)state;
    check(4, "plan.absent");
    check(0, "ok"); /* nothing of it is missing */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_invariant_11_tensors_that_stay_in_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

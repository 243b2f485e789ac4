/* Payload buffers against the image: content, place in the file, ownership. */
#include "support/image_support.h"

typedef struct sample {
    uint8_t *image;
    uint64_t length;
    image_payloads payloads;
    image_buffer *buffers; /* a copy that tests may change */
    wlk_limits limits;
} sample;

static int setup(void **state) {
    sample *s = calloc(1, sizeof *s);
    assert_non_null(s);
    wlk_limits_default(&s->limits);
    sample_image(&s->image, &s->length, &s->payloads);
    s->buffers = calloc(s->payloads.count, sizeof *s->buffers);
    assert_non_null(s->buffers);
    memcpy(s->buffers, s->payloads.buffers, s->payloads.count * sizeof *s->buffers);
    *state = s;
    return 0;
}

static int teardown(void **state) {
    sample *s = *state;
    s->payloads.release(s->payloads.owner);
    free(s->buffers);
    free(s->image);
    free(s);
    return 0;
}

static wlk_status validate(const sample *s, uint32_t count, wlk_error *error) {
    const image_payloads payloads = {.buffers = s->buffers, .count = count};
    wlk_model *model = NULL;
    const wlk_status status =
        sample_validate(s->image, s->length, &payloads, &s->limits, &model, error);
    if (status == WLK_OK) (void)model_walk_all(model);
    wlk_model_free(model);
    return status;
}

static void assert_refused(const sample *s, wlk_rule rule, uint64_t offset) {
    wlk_error error = {0};
    assert_int_equal(validate(s, s->payloads.count, &error), rule_status(rule));
    assert_refusal(&error, rule);
    assert_true(error.offset == offset);
}

/* ---- content: the artifact's fault, so refused with the artifact's offset */

typedef struct content {
    wlk_dtype dtype;
    uint32_t at;
    uint8_t value;
} content;

static const content bad_content[] = {
    {WLK_BOOL, 0, 2},    {WLK_BOOL, 5, 255},  {WLK_STR, 0, 1},       {WLK_STR, 8, 2},
    {WLK_STR, 24, 0xff}, {WLK_STR, 48, 4},    {WLK_STR, 48, 6},      {WLK_STR, 57, 0xff},
    {WLK_STR, 55, 0x80}, {WLK_F6E2M3, 4, 16}, {WLK_F6E3M2, 4, 0x80},
};

static void test_content(void **state) {
    sample *s = *state;
    for (size_t i = 0; i < sizeof bad_content / sizeof *bad_content; i++) {
        const content *row = &bad_content[i];
        uint8_t *data = (uint8_t *)(uintptr_t)s->buffers[row->dtype].data;
        const uint8_t before = data[row->at];
        wlk_error error = {0};
        data[row->at] = row->value;
        assert_int_equal(validate(s, s->payloads.count, &error), WLK_REFUSED);
        data[row->at] = before;
        assert_refusal(&error, RULE_TENSOR_PAYLOAD);
        const uint64_t start = SAMPLE_DATA_AT + 128 * (uint64_t)row->dtype;
        assert_true(error.offset >= start && error.offset < start + 128);
    }
}

static void test_content_of_bool_says_where(void **state) {
    sample *s = *state;
    uint8_t *data = (uint8_t *)(uintptr_t)s->buffers[WLK_BOOL].data;
    data[3] = 7;
    assert_refused(s, RULE_TENSOR_PAYLOAD, SAMPLE_DATA_AT + 128 * WLK_BOOL + 3);
    s->buffers[WLK_BOOL].file_offset = WLK_NO_OFFSET; /* decoded: there is no such place */
    assert_refused(s, RULE_TENSOR_PAYLOAD, WLK_NO_OFFSET);
    data[3] = 1;
}

/* Four bits a value: six values fill three bytes, so the sample has no padding
 * there; five values have. */
static void test_content_of_nibbles(void **state) {
    sample *s = *state;
    const image_header *header = (const image_header *)s->image;
    uint64_t offsets[WLK_SECTION_COUNT];
    uint64_t total;
    assert_true(image_layout(header->counts, offsets, &total));
    tensor_record *tensor = (tensor_record *)(s->image + offsets[WLK_SECTION_TENSORS]) + WLK_U4;
    uint8_t *data = (uint8_t *)(uintptr_t)s->buffers[WLK_U4].data;
    tensor->shape[0] = 1;
    tensor->shape[1] = 5;
    wlk_error error = {0};
    assert_int_equal(validate(s, s->payloads.count, &error), WLK_OK);
    data[2] |= 0x10;
    assert_refused(s, RULE_TENSOR_PAYLOAD, SAMPLE_DATA_AT + 128 * WLK_U4 + 2);
}

/* Invariant 7: many tensors on the same bytes do not cost more than the budget
 * for all bytes that may be sent. */
static void test_content_is_read_within_the_budget(void **state) {
    enum { LENGTH = 4096, ALIASES = WLK_DTYPE_COUNT - 1 };
    sample *s = *state;
    const image_header *header = (const image_header *)s->image;
    uint64_t offsets[WLK_SECTION_COUNT];
    uint64_t total;
    wlk_error error = {0};
    uint8_t *bools = aligned_alloc(64, LENGTH);
    assert_non_null(bools);
    memset(bools, 1, LENGTH);
    s->buffers[WLK_BOOL] = (image_buffer){bools, LENGTH, WLK_NO_OFFSET};
    assert_true(image_layout(header->counts, offsets, &total));
    tensor_record *tensors = (tensor_record *)(s->image + offsets[WLK_SECTION_TENSORS]);
    for (uint32_t i = 1; i < WLK_DTYPE_COUNT; i++) {
        tensors[i].dtype = WLK_BOOL;
        tensors[i].block = IMAGE_NONE;
        tensors[i].shape[0] = LENGTH;
        tensors[i].shape[1] = 1;
        tensors[i].nbytes = LENGTH;
        tensors[i].buffer = tensors[WLK_BOOL].buffer;
    }
    s->limits.output_bytes = ALIASES * LENGTH - 1;
    assert_int_equal(validate(s, s->payloads.count, &error), WLK_LIMIT);
    assert_refusal(&error, RULE_LIMIT_OUTPUT_BYTES);
    s->limits.output_bytes = ALIASES * LENGTH; /* read, and then refused for its bare buffers */
    assert_int_equal(validate(s, s->payloads.count, &error), WLK_CAGE);
    free(bools);
}

/* ---- place */

/* Every buffer is used: nothing can be smuggled in beside the model. */
static void test_unused_buffer(void **state) {
    sample *s = *state;
    wlk_error error = {0};
    const uint32_t count = s->payloads.count;
    s->buffers = realloc(s->buffers, (count + 1) * sizeof *s->buffers);
    assert_non_null(s->buffers);
    s->buffers[count] = s->buffers[0];
    assert_int_equal(validate(s, count + 1, &error), WLK_CAGE);
    assert_refusal(&error, RULE_IMAGE_BUFFER);
}

static void test_missing_buffer(void **state) {
    sample *s = *state;
    wlk_error error = {0};
    assert_int_equal(validate(s, s->payloads.count - 1, &error), WLK_CAGE);
    assert_refusal(&error, RULE_IMAGE_REFERENCE);
}

static void test_short_buffer(void **state) {
    sample *s = *state;
    wlk_error error = {0};
    s->buffers[WLK_F64].length--;
    assert_int_equal(validate(s, s->payloads.count, &error), WLK_CAGE);
    assert_refusal(&error, RULE_IMAGE_TENSOR);
}

/* Invariant 5: what claims to lie in the file lies in a payload range of it. */
static void test_place_in_the_file(void **state) {
    sample *s = *state;
    const uint64_t length = s->buffers[WLK_F64].length;
    const uint64_t right = s->buffers[WLK_F64].file_offset;
    /* not where the byte map has this tensor's payload */
    static const uint64_t wrong[] = {0,
                                     255,
                                     1024,
                                     SAMPLE_DATA_AT + 256,
                                     SAMPLE_FILE_BYTES - 1,
                                     SAMPLE_FILE_BYTES,
                                     UINT64_MAX - 1};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        wlk_error error = {0};
        s->buffers[WLK_F64].file_offset = wrong[i];
        assert_int_equal(validate(s, s->payloads.count, &error), WLK_CAGE);
        assert_refusal(&error, RULE_IMAGE_SPAN);
    }
    s->buffers[WLK_F64].file_offset = right;
    /* longer than its range: reaches into the padding */
    uint8_t *more = aligned_alloc(64, 128);
    assert_non_null(more);
    memset(more, 0, 128);
    s->buffers[WLK_F64].data = more;
    s->buffers[WLK_F64].length = length + 1;
    assert_refused(s, RULE_IMAGE_BUFFER, right);
    s->buffers[WLK_F64].length = SAMPLE_FILE_BYTES;
    assert_refused(s, RULE_IMAGE_BUFFER, right);
    s->buffers[WLK_F64].length = UINT64_MAX - right + 1;
    s->limits.output_bytes = UINT64_MAX;
    wlk_error error = {0};
    assert_int_not_equal(validate(s, s->payloads.count, &error), WLK_OK);
    free(more);
}

/* Invariant 7: lengths whose sum wraps, under no limit. */
static void test_endless_buffers(void **state) {
    sample *s = *state;
    s->limits.output_bytes = UINT64_MAX;
    s->buffers[WLK_F64].length = UINT64_MAX / 2;
    s->buffers[WLK_F32].length = UINT64_MAX / 2 + 2;
    assert_refused(s, RULE_LIMIT_OUTPUT_BYTES, WLK_NO_OFFSET);
}

/* A decoded payload has no place, and its range says only whose it is. */
static void test_decoded_buffer(void **state) {
    sample *s = *state;
    wlk_error error = {0};
    s->buffers[WLK_F64].file_offset = WLK_NO_OFFSET;
    assert_int_equal(validate(s, s->payloads.count, &error), WLK_OK);
}

/* Invariant 11: kernels rely on the alignment, so the parent's own slip is seen. */
static void test_misaligned_buffer(void **state) {
    sample *s = *state;
    s->buffers[WLK_I8].data += 32;
    s->buffers[WLK_I8].length = 6;
    assert_refused(s, RULE_INTERNAL_DEFECT, WLK_NO_OFFSET);
    s->buffers[WLK_I8].data = NULL;
    assert_refused(s, RULE_INTERNAL_DEFECT, WLK_NO_OFFSET);
}

/* Built in memory, nothing lies in a file. */
static void test_no_file_no_place(void **state) {
    (void)state;
    static const uint64_t places[] = {0, 64, WLK_NO_OFFSET};
    for (size_t i = 0; i < 3; i++) {
        image_fixture f;
        wlk_model *model = NULL;
        wlk_error error = {0};
        wlk_limits limits;
        const uint8_t byte = 1;
        const uint64_t shape[1] = {1};
        wlk_limits_default(&limits);
        image_fixture_open(&f, &limits);
        const image_tensor_spec spec = {.name = image_literal(f.builder, "t"),
                                        .dtype = WLK_U8,
                                        .rank = 1,
                                        .shape = shape,
                                        .block = IMAGE_NONE,
                                        .data = &byte,
                                        .nbytes = 1,
                                        .file_offset = places[i]};
        assert_int_equal(image_tensor(f.builder, &spec), 0);
        const wlk_status status = image_build_model(f.builder, f.sink, 0, &limits, &model, &error);
        assert_int_equal(status, places[i] == WLK_NO_OFFSET ? WLK_OK : WLK_CAGE);
        if (status != WLK_OK) assert_refusal(&error, RULE_IMAGE_BUFFER);
        wlk_model_free(model);
        image_fixture_close(&f);
    }
}

/* ---- ownership */

static void count_release(void *owner) {
    ++*(int *)owner;
}

static void test_release_once(void **state) {
    sample *s = *state;
    int released = 0;
    const image_payloads payloads = {.buffers = s->buffers,
                                     .count = s->payloads.count,
                                     .owner = &released,
                                     .release = count_release};
    wlk_model *model = NULL;
    wlk_error error = {0};
    uint8_t *image = malloc(s->length);
    assert_non_null(image);
    memcpy(image, s->image, s->length);
    assert_int_equal(
        image_validate(image, s->length, SAMPLE_FILE_BYTES, &payloads, &s->limits, &model, &error),
        WLK_OK);
    assert_int_equal(released, 0);
    wlk_model_free(model);
    assert_int_equal(released, 1);
    image = calloc(1, 80);
    assert_non_null(image);
    assert_int_equal(
        image_validate(image, 80, SAMPLE_FILE_BYTES, &payloads, &s->limits, &model, &error),
        WLK_CAGE);
    assert_null(model);
    assert_int_equal(released, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_content, setup, teardown),
        cmocka_unit_test_setup_teardown(test_content_of_bool_says_where, setup, teardown),
        cmocka_unit_test_setup_teardown(test_content_of_nibbles, setup, teardown),
        cmocka_unit_test_setup_teardown(test_content_is_read_within_the_budget, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unused_buffer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_missing_buffer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_short_buffer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_place_in_the_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_endless_buffers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_decoded_buffer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_misaligned_buffer, setup, teardown),
        cmocka_unit_test(test_no_file_no_place),
        cmocka_unit_test_setup_teardown(test_release_once, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

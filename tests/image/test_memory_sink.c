/* The sink that keeps payloads in memory. */
#include "support/image_support.h"

static wlk_status put(const image_sink *sink, const char *bytes, uint64_t length, uint64_t pieces,
                      wlk_error *error) {
    TRY(sink->begin(sink->context, length, WLK_NO_OFFSET, error));
    for (uint64_t at = 0; at < length; at += pieces) {
        const uint64_t piece = length - at < pieces ? length - at : pieces;
        TRY(sink->append(sink->context, (const uint8_t *)bytes + at, piece, error));
    }
    return WLK_OK;
}

static memory_sink *sink_with(uint64_t output_bytes) {
    wlk_limits limits;
    wlk_limits_default(&limits);
    limits.output_bytes = output_bytes;
    memory_sink *sink = memory_sink_new(&limits);
    assert_non_null(sink);
    return sink;
}

static void test_keeps_and_aligns(void **state) {
    (void)state;
    static const char text[] = "the bytes of a payload, which is longer than one cache line is ...";
    memory_sink *sink = sink_with(1 << 20);
    const image_sink interface = memory_sink_interface(sink);
    wlk_error error = {0};
    for (uint64_t i = 1; i <= 40; i++) {
        assert_int_equal(put(&interface, text, i, i % 7 + 1, &error), WLK_OK);
    }
    const image_payloads payloads = memory_sink_payloads(sink);
    memory_sink_free(sink); /* what was handed over outlives it */
    assert_int_equal(payloads.count, 40);
    for (uint32_t i = 0; i < 40; i++) {
        assert_int_equal(payloads.buffers[i].length, i + 1);
        assert_int_equal((uintptr_t)payloads.buffers[i].data % 64, 0);
        assert_memory_equal(payloads.buffers[i].data, text, i + 1);
        assert_true(payloads.buffers[i].file_offset == WLK_NO_OFFSET);
    }
    payloads.release(payloads.owner);
}

static void test_holds_the_budget(void **state) {
    (void)state;
    memory_sink *sink = sink_with(10);
    const image_sink interface = memory_sink_interface(sink);
    wlk_error error = {0};
    assert_int_equal(put(&interface, "123456", 6, 6, &error), WLK_OK);
    assert_int_equal(put(&interface, "1234", 4, 4, &error), WLK_OK);
    assert_int_equal(interface.begin(sink, 1, 4096, &error), WLK_LIMIT);
    assert_refusal(&error, RULE_LIMIT_OUTPUT_BYTES);
    assert_int_equal(error.offset, 4096);
    assert_int_equal(interface.begin(sink, UINT64_MAX, 4096, &error), WLK_LIMIT);
    memory_sink_free(sink);
}

/* Invariant 7: a length under no limit that nothing can hold. */
static void test_no_room(void **state) {
    (void)state;
    memory_sink *sink = sink_with(UINT64_MAX);
    const image_sink interface = memory_sink_interface(sink);
    wlk_error error = {0};
    assert_int_equal(interface.begin(sink, UINT64_MAX, 0, &error), WLK_SYSTEM);
    assert_refusal(&error, RULE_INTERNAL_MEMORY);
    assert_int_equal(interface.append(sink, (const uint8_t *)"x", 1, &error), WLK_SYSTEM);
    assert_refusal(&error, RULE_INTERNAL_DEFECT);
    assert_int_equal(interface.begin(sink, 0, 0, &error), WLK_OK);
    assert_int_equal(interface.append(sink, NULL, 0, &error), WLK_OK);
    assert_int_equal(interface.append(sink, NULL, 1, &error), WLK_SYSTEM);
    memory_sink_free(sink);
}

static void test_takes_no_more_than_announced(void **state) {
    (void)state;
    memory_sink *sink = sink_with(100);
    const image_sink interface = memory_sink_interface(sink);
    wlk_error error = {0};
    assert_int_equal(interface.append(sink, (const uint8_t *)"x", 1, &error), WLK_SYSTEM);
    assert_int_equal(interface.begin(sink, 3, WLK_NO_OFFSET, &error), WLK_OK);
    assert_int_equal(interface.append(sink, (const uint8_t *)"12", 2, &error), WLK_OK);
    assert_int_equal(interface.append(sink, (const uint8_t *)"34", 2, &error), WLK_SYSTEM);
    assert_refusal(&error, RULE_INTERNAL_DEFECT);
    assert_int_equal(interface.append(sink, (const uint8_t *)"3", 1, &error), WLK_OK);
    memory_sink_free(sink);
}

static void test_handing_over_nothing(void **state) {
    (void)state;
    memory_sink *sink = sink_with(100);
    const image_payloads payloads = memory_sink_payloads(sink);
    assert_int_equal(payloads.count, 0);
    payloads.release(payloads.owner);
    memory_sink_free(sink);
    memory_sink_free(NULL);
}

/* A builder that cannot be finished leaves everything with its owners. */
static void test_build_model_of_an_unfinished_builder(void **state) {
    (void)state;
    image_fixture f;
    wlk_limits limits;
    wlk_model *model = NULL;
    wlk_error error = {0};
    const uint64_t shape[1] = {4};
    wlk_limits_default(&limits);
    image_fixture_open(&f, &limits);
    const image_tensor_spec spec = {.name = image_literal(f.builder, "t"),
                                    .dtype = WLK_U8,
                                    .rank = 1,
                                    .shape = shape,
                                    .block = IMAGE_NONE,
                                    .nbytes = 4,
                                    .file_offset = WLK_NO_OFFSET};
    assert_int_equal(image_tensor_begin(f.builder, &spec), 0);
    assert_int_equal(image_payload(f.builder, (const uint8_t *)"123", 3), WLK_OK);
    assert_int_equal(image_build_model(f.builder, f.sink, 0, &limits, &model, &error), WLK_REFUSED);
    assert_refusal(&error, RULE_TENSOR_SIZE);
    assert_null(model);
    image_fixture_close(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keeps_and_aligns),
        cmocka_unit_test(test_holds_the_budget),
        cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_takes_no_more_than_announced),
        cmocka_unit_test(test_handing_over_nothing),
        cmocka_unit_test(test_build_model_of_an_unfinished_builder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

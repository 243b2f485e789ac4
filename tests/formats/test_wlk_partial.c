/* A .wlk file of which the end is not at hand: from data_off on, what is missing makes
 * no difference to the model, but that its payloads are only named. */
#include "formats/wlk_whole.h"

#include "base/bytes.h"
#include "base/memory.h"
#include "image/validate.h"

#define MOST_PAYLOADS 16

/* What a parser says of payloads. */
typedef struct naming_sink {
    image_buffer buffers[MOST_PAYLOADS];
    uint32_t count;
    bool absent[MOST_PAYLOADS];
} naming_sink;

static wlk_status name_begin(void *context, uint64_t length, uint64_t offset, wlk_error *error) {
    naming_sink *sink = context;
    (void)error;
    assert_true(sink->count < MOST_PAYLOADS);
    sink->buffers[sink->count++] = (image_buffer){.length = length, .file_offset = offset};
    return WLK_OK;
}

static wlk_status name_append(void *context, const uint8_t *data, uint64_t length,
                              wlk_error *error) {
    naming_sink *sink = context;
    (void)error;
    assert_int_equal(length, sink->buffers[sink->count - 1].length);
    sink->absent[sink->count - 1] = data == NULL;
    return WLK_OK;
}

/* The first `size` bytes of the file, in memory of their own, are parsed. */
static wlk_status parse_part(const wlk_case *c, uint64_t size, uint64_t absent, naming_sink *sink,
                             uint8_t **image, uint64_t *length, wlk_error *error) {
    const image_sink interface = {sink, name_begin, name_append};
    image_builder *builder = image_builder_new(&c->limits, &interface);
    uint8_t *part = malloc(size ? size : 1);
    assert_non_null(part);
    memcpy(part, c->file, size);
    const format_input input = {.data = part, .size = size, .limits = &c->limits, .absent = absent};
    *sink = (naming_sink){0};
    wlk_status status = format_parse_wlk(&input, builder, error);
    if (status == WLK_OK) status = image_finish(builder, size + absent, image, length, error);
    image_builder_free(builder);
    free(part);
    return status;
}

static wlk_case whole_case(void) {
    uint8_t data[DATA_BYTES];
    whole_data(data);
    return wlk_case_text(whole, data, sizeof data, NULL);
}

static uint64_t data_off_of(const wlk_case *c) {
    return load_u64(c->file + 30);
}

static void test_the_model_is_the_same(void **state) {
    (void)state;
    wlk_case c = whole_case();
    naming_sink sink, part_sink;
    uint8_t *image, *part_image;
    uint64_t length, part_length;
    wlk_error error;
    assert_int_equal(parse_part(&c, c.size, 0, &sink, &image, &length, &error), WLK_OK);
    for (uint64_t size = data_off_of(&c); size < c.size; size++) {
        assert_int_equal(
            parse_part(&c, size, c.size - size, &part_sink, &part_image, &part_length, &error),
            WLK_OK);
        assert_int_equal(part_length, length);
        assert_memory_equal(part_image, image, length);
        assert_int_equal(part_sink.count, sink.count);
        for (uint32_t i = 0; i < sink.count; i++) {
            const image_buffer *want = &sink.buffers[i];
            assert_int_equal(part_sink.buffers[i].file_offset, want->file_offset);
            assert_int_equal(part_sink.buffers[i].length, want->length);
            assert_int_equal(part_sink.absent[i], want->file_offset + want->length > size);
        }
        mem_free(part_image);
    }
    mem_free(image);
    wlk_case_free(&c);
}

/* What lies before the data must all be there. */
static void test_less_than_the_head_is_refused(void **state) {
    (void)state;
    wlk_case c = whole_case();
    naming_sink sink;
    uint8_t *image;
    uint64_t length;
    for (uint64_t size = 0; size < data_off_of(&c); size += size < 300 ? 1 : 97) {
        const bool short_envelope = size < ENVELOPE_BYTES;
        wlk_error error = {0};
        const wlk_status status =
            parse_part(&c, size, c.size - size, &sink, &image, &length, &error);
        assert_int_equal(status, WLK_TRUST);
        assert_string_equal(wlk_rule_name(error.rule),
                            short_envelope ? "envelope.truncated" : "envelope.layout");
        assert_int_equal(error.offset, short_envelope ? size : 30);
    }
    wlk_case_free(&c);
}

/* The envelope says how large the file is. */
static void test_another_size_is_refused(void **state) {
    (void)state;
    wlk_case c = whole_case();
    naming_sink sink;
    uint8_t *image;
    uint64_t length;
    const uint64_t size = data_off_of(&c),
                   sizes[] = {0, 1, c.size - size - 1, c.size - size + 1, UINT64_MAX - size};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        wlk_error error = {0};
        const wlk_status status = parse_part(&c, size, sizes[i], &sink, &image, &length, &error);
        assert_int_equal(status, WLK_TRUST);
        assert_string_equal(wlk_rule_name(error.rule), "envelope.layout");
    }
    wlk_case_free(&c);
}

/* Zeros that are not at hand cannot be looked at; those that are, are. */
static void test_padding_that_is_at_hand(void **state) {
    (void)state;
    wlk_case c = whole_case();
    naming_sink sink;
    uint8_t *image;
    uint64_t length;
    const uint64_t at = data_off_of(&c) + 12; /* behind the first tensor */
    c.file[at] = 1;
    for (uint64_t size = at - 1; size <= at + 2; size++) {
        wlk_error error = {0};
        const wlk_status status =
            parse_part(&c, size, c.size - size, &sink, &image, &length, &error);
        if (size <= at) {
            assert_int_equal(status, WLK_OK);
            mem_free(image);
        } else {
            assert_string_equal(wlk_rule_name(error.rule), "data.padding");
            assert_int_equal(error.offset, at);
        }
    }
    wlk_case_free(&c);
}

/* The validator takes payloads without bytes only where it was told so, and then only
 * such. */
static void test_absent_payloads_are_all_or_none(void **state) {
    (void)state;
    wlk_case c = whole_case();
    static const _Alignas(64) uint8_t bytes[64];
    for (unsigned row = 0; row < 4; row++) {
        naming_sink sink;
        uint8_t *image;
        uint64_t length;
        wlk_model *model;
        wlk_error error = {0};
        assert_int_equal(parse_part(&c, c.size, 0, &sink, &image, &length, &error), WLK_OK);
        const bool told = row & 1, one_is_here = row & 2;
        if (one_is_here) sink.buffers[0].data = bytes;
        const image_payloads payloads = {
            .buffers = sink.buffers, .count = sink.count, .absent = told};
        const wlk_status status =
            image_validate(image, length, c.size, &payloads, &c.limits, &model, &error);
        assert_int_equal(status, told && !one_is_here ? WLK_OK : WLK_SYSTEM);
        if (status != WLK_OK) continue;
        assert_null(wlk_model_tensor(model, 0).data);
        assert_int_equal(wlk_model_tensor(model, 0).nbytes, 12);
        wlk_model_free(model);
    }
    wlk_case_free(&c);
}

/* Who keeps payloads cannot use those that are not there. */
static void test_a_memory_sink_refuses_absent_bytes(void **state) {
    (void)state;
    wlk_case c = whole_case();
    memory_sink *sink = memory_sink_new(&c.limits);
    const image_sink interface = memory_sink_interface(sink);
    image_builder *builder = image_builder_new(&c.limits, &interface);
    const uint64_t size = data_off_of(&c);
    const format_input input = {
        .data = c.file, .size = size, .limits = &c.limits, .absent = c.size - size};
    wlk_error error = {0};
    assert_int_equal(format_parse_wlk(&input, builder, &error), WLK_SYSTEM);
    assert_string_equal(wlk_rule_name(error.rule), "internal.defect");
    image_builder_free(builder);
    memory_sink_free(sink);
    wlk_case_free(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_model_is_the_same),
        cmocka_unit_test(test_less_than_the_head_is_refused),
        cmocka_unit_test(test_another_size_is_refused),
        cmocka_unit_test(test_padding_that_is_at_hand),
        cmocka_unit_test(test_absent_payloads_are_all_or_none),
        cmocka_unit_test(test_a_memory_sink_refuses_absent_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

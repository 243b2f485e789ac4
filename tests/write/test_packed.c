/* Compressed payloads, written and read in one process: the same model, within limits, and
 * whatever the bytes are. */
#include <weighlock/parse.h>

#include "base/envelope.h"
#include "support/scratch.h"

#include "formats/formats.h"
#include "image/memory_sink.h"
#include "image/model.h"
#include "write/everything.h"

enum { COUNT = 700000 }; /* of u16: two blocks */

typedef struct packed_file {
    uint8_t *bytes;
    uint64_t size;
    uint64_t data_off;
} packed_file;

static wlk_model *large_model(void) {
    uint16_t *values = malloc(COUNT * sizeof *values);
    for (uint32_t i = 0; i < COUNT; i++) values[i] = (uint16_t)(i / 9);
    wlk_writer *w = writer_new();
    (void)wlk_writer_tensor(w, &(wlk_tensor){.name = "large",
                                             .dtype = WLK_U16,
                                             .rank = 1,
                                             .shape = {COUNT},
                                             .data = values,
                                             .nbytes = COUNT * sizeof *values});
    (void)wlk_writer_tensor(w, &(wlk_tensor){.name = "small",
                                             .dtype = WLK_U8,
                                             .rank = 1,
                                             .shape = {512},
                                             .data = values,
                                             .nbytes = 512});
    wlk_model *model = writer_end(w);
    free(values);
    return model;
}

static packed_file written(const wlk_model *model, bool compress) {
    const wlk_write_options options = {.compress = compress};
    packed_file file;
    envelope e;
    wlk_error error = {0};
    EXPECT_OK(wlk_write_memory(model, &options, &file.bytes, &file.size, &error));
    EXPECT_OK(envelope_decode(file.bytes, file.size, &e, &error));
    file.data_off = e.data_off;
    return file;
}

static const char *outcome(const packed_file *file, const wlk_limits *limits, wlk_model **model) {
    wlk_error error = {0};
    wlk_model *unused;
    wlk_model **out = model ? model : &unused;
    const wlk_status status =
        wlk_parse_memory(file->bytes, file->size, WLK_FORMAT_WLK, limits, out, &error);
    assert_int_equal(status == WLK_OK, *out != NULL);
    if (!model) wlk_model_free(unused);
    return status == WLK_OK ? "" : wlk_rule_name(error.rule);
}

static void test_the_same_model(void **state) {
    (void)state;
    wlk_model *model = large_model(), *again;
    const packed_file plain = written(model, false), packed = written(model, true);
    assert_int_equal(plain.bytes[13], ENVELOPE_CODEC_RAW);
    assert_int_equal(packed.bytes[13], ENVELOPE_CODEC_ZSTD);
    assert_true(packed.size < plain.size / 10);
    assert_string_equal(outcome(&packed, NULL, &again), "");
    assert_int_equal(model_tensor_offset(again, 0), WLK_NO_OFFSET); /* it lies nowhere as it is */
    const packed_file back = written(again, false), twice = written(model, true);
    assert_int_equal(back.size, plain.size);
    assert_memory_equal(back.bytes, plain.bytes, plain.size);
    assert_int_equal(twice.size, packed.size);
    assert_memory_equal(twice.bytes, packed.bytes, packed.size);
    free(plain.bytes);
    free(packed.bytes);
    free(back.bytes);
    free(twice.bytes);
    wlk_model_free(again);
    wlk_model_free(model);
}

/* What does not shrink, and what grows more than a reader with the default limits takes, is
 * written as it is. */
static void test_what_stays_raw(void **state) {
    (void)state;
    static uint8_t noise[4096];
    uint32_t seed = 1;
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)((seed = seed * 1103515245 + 12345) >> 16);
    const uint64_t zeros = 64u << 20;
    const struct {
        const uint8_t *data;
        uint64_t length;
    } rows[] = {{noise, sizeof noise}, {noise, 1}, {calloc(1, zeros), zeros}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        wlk_writer *w = writer_new();
        (void)wlk_writer_tensor(w, &(wlk_tensor){.name = "t",
                                                 .dtype = WLK_U8,
                                                 .rank = 1,
                                                 .shape = {rows[i].length},
                                                 .data = rows[i].data,
                                                 .nbytes = rows[i].length});
        wlk_model *model = writer_end(w);
        const packed_file file = written(model, true);
        assert_int_equal(file.bytes[13], ENVELOPE_CODEC_RAW);
        assert_true(file.size >= rows[i].length);
        free(file.bytes);
        wlk_model_free(model);
    }
    free((void *)(uintptr_t)rows[2].data);
}

/* Invariant 7, both sides of each limit. */
static void test_limits(void **state) {
    (void)state;
    wlk_model *model = large_model();
    const packed_file file = written(model, true);
    wlk_limits limits;
    wlk_limits_default(&limits);
    const uint64_t plain = COUNT * sizeof(uint16_t) + 512;
    const uint64_t stored = file.size - file.data_off - 512;
    limits.output_bytes = plain;
    assert_string_equal(outcome(&file, &limits, NULL), "");
    limits.output_bytes--;
    assert_string_equal(outcome(&file, &limits, NULL), "limit.output-bytes");
    wlk_limits_default(&limits);
    limits.inflate_ratio = (plain - (1u << 20)) / (stored - 63); /* but for the padding */
    limits.inflate_ratio++;
    assert_string_equal(outcome(&file, &limits, NULL), "");
    limits.inflate_ratio = (plain - 512 - (1u << 20)) / stored - 1;
    assert_string_equal(outcome(&file, &limits, NULL), "limit.inflate-ratio");
    limits.inflate_ratio = UINT64_MAX;
    assert_string_equal(outcome(&file, &limits, NULL), "");
    wlk_limits_default(&limits);
    limits.inflate_memory = 4u << 20;
    assert_string_equal(outcome(&file, &limits, NULL), "");
    limits.inflate_memory = 2u << 20;
    assert_string_equal(outcome(&file, &limits, NULL), "limit.inflate-memory");
    free(file.bytes);
    wlk_model_free(model);
}

/* A frame that is one of zstd, but not one that a writer makes; and lengths that are none. */
static void test_other_frames(void **state) {
    (void)state;
    enum { HEAD = 16, SINGLE = 0x20, CHECKSUM = 4, DICTIONARY = 1 };
    static const struct {
        const char *what;
        uint8_t magic, set, clear, insert; /* a byte goes in behind the descriptor */
        uint64_t nbytes;
        const char *rule;
    } rows[] = {
        {"as it is", 0x28, 0, 0, 0, 0, ""},
        {"skippable", 0x50, 0, 0, 0, 0, "data.packed"},
        {"with a checksum", 0x28, CHECKSUM, 0, 0, 0, "data.packed"},
        {"with a dictionary", 0x28, DICTIONARY, 0, 9, 0, "data.packed"},
        {"with a window", 0x28, 0, SINGLE, 8, 0, "data.packed"},
        {"too small to be packed", 0x28, 0, 0, 0, 512, "data.packed"},
        {"not larger than stored", 0x28, 0, 0, 0, 600, "data.packed"},
    };
    wlk_model *model = large_model();
    const packed_file file = written(model, true);
    uint8_t *data = file.bytes + file.data_off, *frame = data + HEAD, before[64];
    memcpy(before, data, sizeof before);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].magic == 0x50) {
            static const uint8_t skippable[] = {0x50, 0x2a, 0x4d, 0x18};
            memcpy(frame, skippable, sizeof skippable);
        }
        if (rows[i].insert) {
            memmove(frame + 6, frame + 5, 4);
            frame[5] = rows[i].insert;
        }
        frame[4] = (uint8_t)((frame[4] | rows[i].set) & ~rows[i].clear);
        if (rows[i].nbytes) memcpy(data, &rows[i].nbytes, sizeof rows[i].nbytes);
        const char *rule = outcome(&file, NULL, NULL);
        if (strcmp(rule, rows[i].rule) != 0) fail_msg("%s: %s", rows[i].what, rule);
        memcpy(data, before, sizeof before);
    }
    free(file.bytes);
    wlk_model_free(model);
}

/* The envelope says whether any tensor is packed. */
static void test_codecs_of_the_envelope(void **state) {
    (void)state;
    wlk_model *model = large_model();
    const packed_file plain = written(model, false), packed = written(model, true);
    plain.bytes[13] = ENVELOPE_CODEC_ZSTD;
    packed.bytes[13] = ENVELOPE_CODEC_RAW;
    assert_string_equal(outcome(&plain, NULL, NULL), "header.codec");
    assert_string_equal(outcome(&packed, NULL, NULL), "header.codec");
    free(plain.bytes);
    free(packed.bytes);
    wlk_model_free(model);
}

/* Where only the head is at hand there is nothing to decode. */
static void test_absent_data(void **state) {
    (void)state;
    wlk_model *model = large_model();
    const packed_file file = written(model, true);
    wlk_limits limits;
    wlk_error error = {0};
    wlk_limits_default(&limits);
    memory_sink *sink = memory_sink_new(&limits);
    const image_sink interface = memory_sink_interface(sink);
    image_builder *builder = image_builder_new(&limits, &interface);
    const format_input input = {.data = file.bytes,
                                .size = file.data_off,
                                .limits = &limits,
                                .absent = file.size - file.data_off};
    assert_int_equal(format_parse_wlk(&input, builder, &error), WLK_REFUSED);
    assert_string_equal(wlk_rule_name(error.rule), "data.packed");
    assert_int_equal(error.offset, file.data_off);
    image_builder_free(builder);
    memory_sink_free(sink);
    free(file.bytes);
    wlk_model_free(model);
}

/* Invariant 7: any byte of what is stored may be anything; digests are not looked at here. */
static void test_changed_bytes(void **state) {
    (void)state;
    wlk_model *model = large_model();
    const packed_file file = written(model, true);
    const uint64_t stored = file.size - file.data_off;
    unsigned refused = 0, rounds = 0;
    for (uint64_t at = 0; at < stored; at += at < 64 ? 1 : stored / 150 + 1) {
        static const uint8_t values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
        for (size_t i = 0; i < sizeof values; i++, rounds++) {
            uint8_t *byte = file.bytes + file.data_off + at, before = *byte;
            *byte = values[i];
            const char *rule = outcome(&file, NULL, NULL);
            const bool known = !*rule || strncmp(rule, "data.", 5) == 0 ||
                               strncmp(rule, "limit.", 6) == 0 || strcmp(rule, "tensor.size") == 0;
            if (!known) fail_msg("byte %llu: %s", (unsigned long long)at, rule);
            refused += *rule != '\0';
            *byte = before;
        }
    }
    assert_true(refused > rounds / 4);
    assert_string_equal(outcome(&file, NULL, NULL), "");
    free(file.bytes);
    wlk_model_free(model);
}

/* ---- golden rows that are added */

static wlk_model *identity_model(void) {
    wlk_writer *w = writer_new();
    wlk_writer_opset(w, "", 13);
    const uint32_t type = wlk_writer_tensor_type(w, WLK_F64, 1, (const int64_t[]){2});
    (void)wlk_writer_graph(w, "");
    wlk_writer_input(w, "_x", type);
    wlk_writer_output(w, "y", type);
    wlk_writer_node(w, "Identity", "", "", LIST("_x"), LIST("y"));
    return writer_end(w);
}

static void test_golden_rows(void **state) {
    (void)state;
    static const double values[] = {0.5, -1};
    const wlk_tensor row = {.dtype = WLK_F64,
                            .rank = 1,
                            .shape = {2},
                            .count = 2,
                            .data = values,
                            .nbytes = sizeof values};
    const wlk_golden golden = {&row, &row, 1, 1, 1e-9, 0.25};
    const wlk_golden wrong[] = {{&row, &row, 0, 1, 0, 0}, {&row, &row, 1, 0, 0, 0}};
    wlk_model *model = identity_model(), *again;
    packed_file file;
    wlk_error error = {0};
    EXPECT_OK(wlk_write_memory(model, &(wlk_write_options){.golden = &golden}, &file.bytes,
                               &file.size, &error));
    assert_string_equal(outcome(&file, NULL, &again), "");
    assert_int_equal(wlk_model_count(again, WLK_SECTION_SELFTESTS), 1);
    const wlk_selftest rows = wlk_model_selftest(again, 0);
    assert_true(rows.rtol == 1e-9);
    assert_true(rows.atol == 0.25);
    const wlk_tensor stored = wlk_model_tensor(again, wlk_model_selftest_input(again, 0, 0));
    assert_string_equal(stored.name, "__selftest_input_0"); /* "_x" is there already */
    assert_memory_equal(stored.data, values, sizeof values);
    free(file.bytes);
    for (size_t i = 0; i < 2; i++) {
        const wlk_write_options options = {.golden = &wrong[i]};
        expect_refused("golden", wlk_write_memory(model, &options, &file.bytes, &file.size, &error),
                       &error, "write.options", "golden");
    }
    wlk_model_free(again);
    wlk_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_same_model),
        cmocka_unit_test(test_what_stays_raw),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_other_frames),
        cmocka_unit_test(test_codecs_of_the_envelope),
        cmocka_unit_test(test_absent_data),
        cmocka_unit_test(test_changed_bytes),
        cmocka_unit_test(test_golden_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The parse kit (weighlock/parse.h): bytes in, a model or an exact refusal out. */
#include "formats/wlk_whole.h"

#include <weighlock/memory.h>
#include <weighlock/parse.h>

#include "support/no_memory.h"

#define DATA_OFF 4096

static wlk_case whole_case(void) {
    uint8_t data[DATA_BYTES];
    whole_data(data);
    return wlk_case_text(whole, data, sizeof data, NULL);
}

/* ---- models */

static wlk_model *parsed(const wlk_case *c) {
    wlk_model *model;
    wlk_error error = {0};
    char text[512];
    if (wlk_parse_memory(c->file, c->size, WLK_FORMAT_NONE, NULL, &model, &error) != WLK_OK) {
        fail_msg("%s", wlk_error_format(&error, text, sizeof text));
    }
    return model;
}

static void check_whole(const wlk_model *model, uint64_t file_bytes) {
    uint8_t data[DATA_BYTES];
    whole_data(data);
    assert_int_equal(wlk_model_count(model, WLK_SECTION_TENSORS), 5);
    assert_int_equal(wlk_model_count(model, WLK_SECTION_NODES), 3);
    assert_int_equal(wlk_model_file_bytes(model), file_bytes);
    assert_string_equal(wlk_model_node(model, 0).op, "Gemm");
    assert_string_equal(wlk_model_meta(model, wlk_model_find_meta(model, "/kind")).s, "model");
    for (uint32_t i = 0; i < 5; i++) {
        const wlk_tensor tensor = wlk_model_tensor(model, i);
        assert_int_equal((uintptr_t)tensor.data % 64, 0);
        assert_memory_equal(tensor.data, data + i * 64ul, tensor.nbytes);
    }
}

/* Invariant 1: what is handed out is a copy; the input may change and go. */
static void test_a_model_is_independent_of_the_input(void **state) {
    (void)state;
    wlk_case c = whole_case();
    wlk_model *model = parsed(&c);
    memset(c.file, 0xff, c.size);
    wlk_case_free(&c);
    check_whole(model, DATA_OFF + DATA_BYTES);
    wlk_model_free(model);
}

static void test_the_input_lies_anywhere(void **state) {
    (void)state;
    for (size_t shift = 1; shift < 9; shift++) {
        wlk_case c = whole_case();
        uint8_t *room = wlk_file_allocate(c.size + shift);
        memcpy(room + shift, c.file, c.size);
        free(c.file);
        c.file = room + shift;
        wlk_model *model = parsed(&c);
        check_whole(model, c.size);
        wlk_model_free(model);
        free(room);
    }
}

/* Bytes of 6 elements of each dtype; str and block have tests of their own in `whole`. */
static void test_every_dtype(void **state) {
    (void)state;
    uint8_t data[96];
    for (uint32_t dtype = 1; dtype < WLK_DTYPE_COUNT; dtype++) {
        char text[256];
        const uint64_t nbytes = (6ull * wlk_dtype_bits((wlk_dtype)dtype) + 7) / 8;
        if (nbytes == 0) continue;
        for (size_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)(dtype == WLK_BOOL ? i % 2 : i);
        if (wlk_dtype_bits((wlk_dtype)dtype) == 6) data[nbytes - 1] &= 0x0f;
        (void)snprintf(text, sizeof text,
                       "{kind:a, tensors:[{codec:raw, dtype:%s, name:t, nbytes:%u, offset:0, "
                       "shape:[3, 2]}]}",
                       wlk_dtype_name((wlk_dtype)dtype), (unsigned)nbytes);
        wlk_case c = wlk_case_text(text, data, nbytes, NULL);
        wlk_model *model = parsed(&c);
        const wlk_tensor tensor = wlk_model_tensor(model, wlk_model_find_tensor(model, "t"));
        assert_int_equal(tensor.dtype, dtype);
        assert_int_equal(tensor.count, 6);
        assert_int_equal(tensor.nbytes, nbytes);
        assert_memory_equal(tensor.data, data, nbytes);
        wlk_model_free(model);
        wlk_case_free(&c);
    }
}

/* ---- formats */

static void test_formats_have_names(void **state) {
    (void)state;
    assert_string_equal(wlk_format_name(WLK_FORMAT_WLK), "wlk");
    assert_null(wlk_format_name(WLK_FORMAT_NONE));
    assert_null(wlk_format_name(WLK_FORMAT_COUNT));
    assert_null(wlk_format_name((wlk_format)1000));
    for (int i = WLK_FORMAT_NONE + 1; i < WLK_FORMAT_COUNT; i++) {
        assert_non_null(wlk_format_name((wlk_format)i));
    }
}

#define MAGIC "\xc4\xfe\x89WLK\r\n\x1a\n"

static void test_formats_are_known_by_how_they_begin(void **state) {
    static const struct {
        const char *bytes;
        size_t size;
        wlk_format format;
    } rows[] = {
        {"", 0, WLK_FORMAT_NONE},
        {MAGIC, 9, WLK_FORMAT_NONE},
        {MAGIC, 10, WLK_FORMAT_WLK},
        {MAGIC "\1\0", 12, WLK_FORMAT_WLK},
        {"\xc4\xfe........", 10, WLK_FORMAT_WLK},    /* sent as text */
        {"..\x89WLK\r\n\x1a\n", 10, WLK_FORMAT_WLK}, /* its first bytes damaged */
        {"\xc4\xfd\x89WLK\r\n\x1a\n", 10, WLK_FORMAT_WLK},
        {"\xc4\xfd\x89WLK\r\n\x1a\r", 10, WLK_FORMAT_NONE},
        {"\x93NUMPY\1\0..", 10, WLK_FORMAT_NPY},
        {"\x80\5N.", 4, WLK_FORMAT_PICKLE},
        {"\x80\6N.", 4, WLK_FORMAT_NONE},
        {"(lp0\nI1\na.", 10, WLK_FORMAT_PICKLE}, /* protocol 0 */
        {"I am text\n", 10, WLK_FORMAT_NONE},
        {"PK\3\4......", 10, WLK_FORMAT_NONE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t *exact = wlk_file_allocate(rows[i].size);
        memcpy(exact, rows[i].bytes, rows[i].size);
        if (wlk_format_detect(exact, rows[i].size) != rows[i].format) fail_msg("row %zu", i);
        free(exact);
    }
}

/* ---- refusals: codes are part of the interface */

static void test_refusals_are_exact(void **state) {
    static const struct {
        const char *bytes;
        size_t size;
        wlk_format format;
        wlk_status status;
        const char *rule;
        uint64_t offset;
    } rows[] = {
        {"", 0, WLK_FORMAT_NONE, WLK_UNDECIDED, "format.empty", 0},
        {"", 0, WLK_FORMAT_WLK, WLK_UNDECIDED, "format.empty", 0},
        {"hello", 5, WLK_FORMAT_NONE, WLK_UNDECIDED, "format.unknown", 0},
        {"hello", 5, WLK_FORMAT_WLK, WLK_TRUST, "envelope.truncated", 5},
        {MAGIC, 10, WLK_FORMAT_NONE, WLK_TRUST, "envelope.truncated", 10},
        {MAGIC, 10, WLK_FORMAT_COUNT, WLK_UNDECIDED, "format.unknown", 0},
        {MAGIC, 10, (wlk_format)100, WLK_UNDECIDED, "format.unknown", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        wlk_case c = {.model = (wlk_model *)&c};
        c.status = wlk_parse_memory((const uint8_t *)rows[i].bytes, rows[i].size, rows[i].format,
                                    NULL, &c.model, &c.error);
        if (!wlk_case_refused(&c, rows[i].rule, rows[i].status, rows[i].offset)) {
            wlk_case_show(&c, rows[i].rule);
            fail_msg("row %zu", i);
        }
        assert_null(c.model);
    }
    assert_int_equal(wlk_parse_memory(NULL, 0, WLK_FORMAT_NONE, NULL, &(wlk_model *){NULL}, NULL),
                     WLK_UNDECIDED);
}

/* A refusal by the header and one by the payload, which validation sees: both name a place in
 * the input. */
static void test_refusals_name_a_place_in_the_input(void **state) {
    (void)state;
    uint64_t mark;
    wlk_case c = wlk_case_text("{kind:a, @tensor:[], tensors:[]}", "", 0, &mark);
    c.status = wlk_parse_memory(c.file, c.size, WLK_FORMAT_NONE, NULL, &c.model, &c.error);
    assert_true(wlk_case_refused(&c, "header.key-unknown", WLK_REFUSED, mark));
    wlk_case_free(&c);
    c = wlk_case_text(
        "{kind:a, tensors:[{codec:raw, dtype:bool, name:t, nbytes:3, offset:0, "
        "shape:[3]}]}",
        "\0\1\2", 3, NULL);
    c.status = wlk_parse_memory(c.file, c.size, WLK_FORMAT_NONE, NULL, &c.model, &c.error);
    assert_true(wlk_case_refused(&c, "tensor.payload", WLK_REFUSED, DATA_OFF + 2));
    assert_int_equal(wlk_parse_memory(c.file, c.size, WLK_FORMAT_NONE, NULL, &c.model, NULL),
                     WLK_REFUSED);
    assert_null(c.model);
    wlk_case_free(&c);
}

/* ---- limits */

/* What a parse can reach; all other limits are the gate's, or those of what comes later. */
static const char *const reached[] = {
    "file_bytes", "header_bytes",     "header_depth",    "image_bytes", "output_bytes",
    "name_bytes", "string_bytes",     "tensors",         "rank",        "values",
    "graphs",     "graph_depth",      "nodes",           "node_edges",  "attributes",
    "selftests",  "attribute_values", "metadata_entries"};

static bool is_reached(const char *limit) {
    for (size_t i = 0; i < sizeof reached / sizeof *reached; i++) {
        if (strcmp(reached[i], limit) == 0) return true;
    }
    return false;
}

static wlk_status parse_limited(wlk_case *c, const char *limit, uint64_t value) {
    wlk_limits_default(&c->limits);
    assert_int_equal(wlk_limits_set(&c->limits, limit, value), WLK_OK);
    c->status =
        wlk_parse_memory(c->file, c->size, WLK_FORMAT_NONE, &c->limits, &c->model, &c->error);
    wlk_model_free(c->model);
    c->model = NULL;
    return c->status;
}

/* The smallest value under which the file is accepted. */
static uint64_t least_accepted(wlk_case *c, const char *limit, uint64_t standard) {
    uint64_t low = 0, high = standard; /* refused, accepted */
    while (high - low > 1) {
        const uint64_t middle = low + (high - low) / 2;
        *(parse_limited(c, limit, middle) == WLK_OK ? &high : &low) = middle;
    }
    return high;
}

/* Invariant 7: each limit is held from both sides, and refuses by a rule of its name. */
static void test_limits_are_held(void **state) {
    (void)state;
    wlk_case c = whole_case();
    wlk_limit_row row;
    for (uint32_t i = 0; wlk_limits_row(i, &row); i++) {
        if (!is_reached(row.name)) {
            assert_int_equal(parse_limited(&c, row.name, 0), WLK_OK);
            continue;
        }
        const uint64_t least = least_accepted(&c, row.name, row.standard);
        assert_in_range(least, 1, c.size * 2);
        assert_int_equal(parse_limited(&c, row.name, least - 1), WLK_LIMIT);
        char rule[64];
        (void)snprintf(rule, sizeof rule, "limit.%s", row.name);
        for (char *at = rule; *at; at++) *at = *at == '_' ? '-' : *at;
        assert_string_equal(wlk_rule_name(c.error.rule), rule);
        assert_true(c.error.offset == WLK_NO_OFFSET || c.error.offset <= c.size);
    }
    wlk_case_free(&c);
}

static void test_what_limits_hold_of_known_files(void **state) {
    (void)state;
    wlk_case c = whole_case();
    const struct {
        const char *limit;
        uint64_t least;
    } rows[] = {{"file_bytes", c.size}, {"tensors", 5},      {"nodes", 3},
                {"graphs", 2},          {"rank", 2},         {"values", 5},
                {"selftests", 1},       {"output_bytes", 76}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(least_accepted(&c, rows[i].limit, 1u << 30), rows[i].least);
    }
    wlk_case_free(&c);
}

/* ---- the host's allocator */

static wlk_status parse_and_free(const void *context, wlk_error *error) {
    const wlk_case *c = context;
    wlk_model *model;
    TRY(wlk_parse_memory(c->file, c->size, WLK_FORMAT_NONE, NULL, &model, error));
    wlk_model_free(model);
    return WLK_OK;
}

static void test_memory_runs_out_anywhere(void **state) {
    (void)state;
    wlk_case c = whole_case();
    no_memory_everywhere("wlk_parse_memory", parse_and_free, &c);
    wlk_case_free(&c);
}

int main(void) {
    points_set();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_model_is_independent_of_the_input),
        cmocka_unit_test(test_the_input_lies_anywhere),
        cmocka_unit_test(test_every_dtype),
        cmocka_unit_test(test_formats_have_names),
        cmocka_unit_test(test_formats_are_known_by_how_they_begin),
        cmocka_unit_test(test_refusals_are_exact),
        cmocka_unit_test(test_refusals_name_a_place_in_the_input),
        cmocka_unit_test(test_limits_are_held),
        cmocka_unit_test(test_what_limits_hold_of_known_files),
        cmocka_unit_test(test_memory_runs_out_anywhere),
    };
    if (sodium_init() < 0) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

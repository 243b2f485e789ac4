/* The builder: what it refuses in the artifact's name, what it refuses of its
 * caller, and that the image does not depend on the order of arrival. */
#include "support/image_support.h"

#include "image/builder_internal.h"

static wlk_limits limits;
static image_fixture f;
static image_builder *b;

static int setup(void **state) {
    (void)state;
    wlk_limits_default(&limits);
    image_fixture_open(&f, &limits);
    b = f.builder;
    return 0;
}

static int teardown(void **state) {
    (void)state;
    image_fixture_close(&f);
    return 0;
}

static void restart(void) {
    image_fixture_close(&f);
    image_fixture_open(&f, &limits);
    b = f.builder;
}

static void assert_stuck(wlk_rule rule, uint64_t offset) {
    wlk_error error = {0};
    assert_int_equal(image_builder_status(b, &error), rule_status(rule));
    assert_refusal(&error, rule);
    assert_true(error.offset == offset);
}

/* ---- tensors */

typedef struct tensor_row {
    wlk_dtype dtype;
    uint32_t rank;
    uint64_t shape[9];
    uint64_t nbytes;
    uint32_t block; /* 0 is a block of 32 values in 18 bytes */
    wlk_rule rule;  /* RULE_NONE: accepted */
} tensor_row;

#define BIG ((uint64_t)1 << 62)
#define NO IMAGE_NONE

static const tensor_row tensor_rows[] = {
    {WLK_F32, 2, {2, 3}, 24, NO, RULE_NONE},
    {WLK_F32, 0, {0}, 4, NO, RULE_NONE},
    {WLK_F32, 1, {0}, 0, NO, RULE_NONE},
    {WLK_F32, 8, {1, 1, 1, 1, 1, 1, 1, 2}, 8, NO, RULE_NONE},
    {WLK_U4, 1, {3}, 2, NO, RULE_NONE},
    {WLK_F6E2M3, 1, {5}, 4, NO, RULE_NONE},
    {WLK_STR, 1, {1}, 16, NO, RULE_NONE},
    {WLK_STR, 1, {0}, 8, NO, RULE_NONE},
    {WLK_BLOCK, 2, {2, 64}, 72, 0, RULE_NONE},
    {WLK_BLOCK, 2, {0, 64}, 0, 0, RULE_NONE},
    {WLK_DTYPE_NONE, 1, {1}, 0, NO, RULE_TENSOR_DTYPE},
    {WLK_DTYPE_COUNT, 1, {1}, 8, NO, RULE_TENSOR_DTYPE},
    {(wlk_dtype)1000, 1, {1}, 8, NO, RULE_TENSOR_DTYPE},
    {WLK_F32, 9, {1, 1, 1, 1, 1, 1, 1, 1, 1}, 4, NO, RULE_TENSOR_SHAPE},
    {WLK_F32, UINT32_MAX, {1}, 4, NO, RULE_TENSOR_SHAPE},
    {WLK_F32, 2, {BIG, 4}, 0, NO, RULE_TENSOR_SHAPE},
    {WLK_F32, 3, {BIG, 4, 0}, 0, NO, RULE_TENSOR_SHAPE},
    {WLK_F32, 1, {UINT64_MAX}, 4, NO, RULE_TENSOR_SHAPE},
    {WLK_F32, 1, {BIG}, 0, NO, RULE_TENSOR_SIZE},
    {WLK_C128, 1, {BIG / 8}, 0, NO, RULE_TENSOR_SIZE},
    {WLK_F32, 2, {2, 3}, 23, NO, RULE_TENSOR_SIZE},
    {WLK_F32, 2, {2, 3}, 25, NO, RULE_TENSOR_SIZE},
    {WLK_F32, 2, {2, 3}, 0, NO, RULE_TENSOR_SIZE},
    {WLK_F32, 1, {0}, 4, NO, RULE_TENSOR_SIZE},
    {WLK_U4, 1, {3}, 1, NO, RULE_TENSOR_SIZE},
    {WLK_U4, 1, {3}, 3, NO, RULE_TENSOR_SIZE},
    {WLK_STR, 1, {1}, 15, NO, RULE_TENSOR_SIZE},
    {WLK_STR, 1, {0}, 0, NO, RULE_TENSOR_SIZE},
    {WLK_STR, 1, {BIG / 4}, 16, NO, RULE_TENSOR_SIZE},
    {WLK_BLOCK, 2, {2, 64}, 71, 0, RULE_TENSOR_SIZE},
    {WLK_BLOCK, 2, {64, 2}, 72, 0, RULE_TENSOR_SIZE},
    {WLK_BLOCK, 0, {0}, 18, 0, RULE_TENSOR_SIZE},
    {WLK_BLOCK, 2, {2, 64}, 72, NO, RULE_TENSOR_BLOCK},
    {WLK_BLOCK, 2, {2, 64}, 72, 1, RULE_TENSOR_BLOCK},
    {WLK_F32, 2, {2, 3}, 24, 0, RULE_TENSOR_BLOCK},
};

static void test_tensors(void **state) {
    (void)state;
    static const uint8_t bytes[128];
    for (size_t i = 0; i < sizeof tensor_rows / sizeof *tensor_rows; i++) {
        const tensor_row *row = &tensor_rows[i];
        restart();
        assert_int_equal(image_block(b, image_literal(b, "q4_0"), 32, 18, 0), 0);
        const image_tensor_spec spec = {.name = image_literal(b, "t"),
                                        .dtype = row->dtype,
                                        .rank = row->rank,
                                        .shape = row->shape,
                                        .block = row->block,
                                        .data = bytes,
                                        .nbytes = row->nbytes,
                                        .file_offset = WLK_NO_OFFSET,
                                        .offset = 1234};
        const uint32_t index = image_tensor(b, &spec);
        assert_int_equal(index, row->rule == RULE_NONE ? 0 : IMAGE_NONE);
        if (row->rule != RULE_NONE) assert_stuck(row->rule, 1234);
        /* what is refused never reaches the sink, nor what has no bytes */
        const image_payloads payloads = memory_sink_payloads(f.sink);
        assert_int_equal(payloads.count, row->rule == RULE_NONE && row->nbytes > 0 ? 1 : 0);
        payloads.release(payloads.owner);
    }
}

static void test_blocks(void **state) {
    (void)state;
    static const struct {
        const char *kind;
        uint32_t elements;
        uint32_t bytes;
        bool accepted;
    } rows[] = {
        {"q4_0", 32, 18, true},
        {"a", 1, 1, true},
        {"abcdefghijklmnopqrstuvwxyz_01234", 65536, 65536, true},
        {"abcdefghijklmnopqrstuvwxyz_012345", 32, 18, false},
        {"", 32, 18, false},
        {"Q4", 32, 18, false},
        {"q4-0", 32, 18, false},
        {"q\xc3\xa9", 32, 18, false},
        {"q4_0", 0, 18, false},
        {"q4_0", 65537, 18, false},
        {"q4_0", 32, 0, false},
        {"q4_0", 32, 65537, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        restart();
        const uint32_t kind = image_literal(b, rows[i].kind);
        const uint32_t index = image_block(b, kind, rows[i].elements, rows[i].bytes, 55);
        assert_int_equal(index, rows[i].accepted ? 0 : IMAGE_NONE);
        if (!rows[i].accepted) assert_stuck(RULE_TENSOR_BLOCK, 55);
    }
}

static uint32_t begin_bytes(uint64_t nbytes, uint64_t offset) {
    const image_tensor_spec spec = {.name = image_literal(b, "t"),
                                    .dtype = WLK_U8,
                                    .rank = 1,
                                    .shape = &nbytes,
                                    .block = IMAGE_NONE,
                                    .nbytes = nbytes,
                                    .file_offset = WLK_NO_OFFSET,
                                    .offset = offset};
    return image_tensor_begin(b, &spec);
}

static void test_payload_in_pieces(void **state) {
    (void)state;
    wlk_model *model = NULL;
    wlk_error error = {0};
    assert_int_equal(begin_bytes(6, 0), 0);
    assert_int_equal(image_payload(b, (const uint8_t *)"ab", 2), WLK_OK);
    assert_int_equal(image_payload(b, NULL, 0), WLK_OK);
    assert_int_equal(image_payload(b, (const uint8_t *)"cdef", 4), WLK_OK);
    assert_int_equal(image_build_model(b, f.sink, 0, &limits, &model, &error), WLK_OK);
    assert_memory_equal(wlk_model_tensor(model, 0).data, "abcdef", 6);
    wlk_model_free(model);
}

static void test_payload_too_long(void **state) {
    (void)state;
    assert_int_equal(begin_bytes(3, 99), 0);
    assert_int_equal(image_payload(b, (const uint8_t *)"ab", 2), WLK_OK);
    assert_int_equal(image_payload(b, (const uint8_t *)"cd", 2), WLK_REFUSED);
    assert_stuck(RULE_TENSOR_SIZE, 99);
}

static void test_payload_too_short(void **state) {
    (void)state;
    assert_int_equal(begin_bytes(3, 99), 0);
    assert_int_equal(image_payload(b, (const uint8_t *)"ab", 2), WLK_OK);
    assert_int_equal(begin_bytes(3, 199), IMAGE_NONE);
    assert_stuck(RULE_TENSOR_SIZE, 199);
}

/* ---- a sink that fails is heard, and the error sticks as it is */

static wlk_status refuse_begin(void *context, uint64_t length, uint64_t file_offset,
                               wlk_error *error) {
    (void)context;
    (void)length;
    return error_at(error, RULE_LIMIT_OUTPUT_BYTES, file_offset);
}

static wlk_status accept_begin(void *context, uint64_t length, uint64_t file_offset,
                               wlk_error *error) {
    (void)context;
    (void)length;
    (void)file_offset;
    (void)error;
    return WLK_OK;
}

static wlk_status refuse_append(void *context, const uint8_t *data, uint64_t length,
                                wlk_error *error) {
    (void)context;
    (void)data;
    return error_at(error, RULE_INTERNAL_DEFECT, length);
}

static void test_failing_sink(void **state) {
    (void)state;
    const image_sink sinks[2] = {{NULL, refuse_begin, refuse_append},
                                 {NULL, accept_begin, refuse_append}};
    const wlk_rule rules[2] = {RULE_LIMIT_OUTPUT_BYTES, RULE_INTERNAL_DEFECT};
    for (size_t i = 0; i < 2; i++) {
        image_builder *other = image_builder_new(&limits, &sinks[i]);
        assert_non_null(other);
        const uint64_t shape[1] = {5};
        const image_tensor_spec spec = {.name = image_literal(other, "t"),
                                        .dtype = WLK_U8,
                                        .rank = 1,
                                        .shape = shape,
                                        .block = IMAGE_NONE,
                                        .data = (const uint8_t *)"12345",
                                        .nbytes = 5,
                                        .file_offset = 640};
        wlk_error error = {0};
        assert_int_equal(image_tensor(other, &spec), IMAGE_NONE);
        assert_int_equal(image_builder_status(other, &error), rule_status(rules[i]));
        assert_refusal(&error, rules[i]);
        image_builder_free(other);
    }
}

/* ---- text */

static void test_text(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        uint64_t length;
        bool accepted;
    } rows[] = {
        {"", 0, true},
        {"a", 1, true},
        {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x9a\xa2", 9, true},
        {"\x7f\x1b[31m", 6, true}, /* harmful on a terminal only */
        {"a\0b", 3, false},
        {"\0", 1, false},
        {"\xff", 1, false},
        {"\xc3", 1, false},
        {"\xc0\x80", 2, false},
        {"\xed\xa0\x80", 3, false},
        {"\xf4\x90\x80\x80", 4, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (uint32_t j = 0; j < 2; j++) {
            restart();
            const uint32_t string = j ? image_name(b, rows[i].bytes, rows[i].length, 31)
                                      : image_string(b, rows[i].bytes, rows[i].length, 31);
            assert_int_equal(string == IMAGE_NONE, !rows[i].accepted);
            if (!rows[i].accepted) assert_stuck(RULE_STRING_UTF8, 31);
        }
    }
}

static void test_repeated_text_is_kept_once(void **state) {
    (void)state;
    const uint32_t add = image_literal(b, "Add");
    limits.image_bytes = 4096;
    restart();
    for (uint32_t i = 0; i < 100000; i++) assert_int_equal(image_literal(b, "Add"), add);
    assert_int_equal(image_builder_status(b, NULL), WLK_OK);
}

/* ---- types */

#define TENSOR_TYPE .kind = WLK_TYPE_TENSOR, .dtype = WLK_F32, .element = IMAGE_NONE

static const type_record bad_types[] = {
    {.kind = 0, .dtype = WLK_F32, .element = IMAGE_NONE},
    {.kind = 9, .element = 0},
    {.kind = WLK_TYPE_TENSOR, .dtype = 0, .element = IMAGE_NONE},
    {.kind = WLK_TYPE_TENSOR, .dtype = WLK_DTYPE_COUNT, .element = IMAGE_NONE},
    {.kind = WLK_TYPE_TENSOR, .dtype = WLK_F32, .element = 0},
    {TENSOR_TYPE, .key_dtype = WLK_I64},
    {TENSOR_TYPE, .has_shape = 2},
    {TENSOR_TYPE, .rank = 1, .dims = {4}},
    {TENSOR_TYPE, .has_shape = 1, .rank = 9},
    {TENSOR_TYPE, .has_shape = 1, .rank = 1, .dims = {-2}},
    {TENSOR_TYPE, .has_shape = 1, .rank = 1, .dims = {4, 4}},
    {TENSOR_TYPE, .has_shape = 1, .rank = 1, .dims = {4}, .symbols = {1}},
    {TENSOR_TYPE, .has_shape = 1, .rank = 1, .dims = {4}, .symbols = {0, 1}},
    {TENSOR_TYPE, .zero = 1},
    {.kind = WLK_TYPE_SEQUENCE, .element = IMAGE_NONE},
    {.kind = WLK_TYPE_SEQUENCE, .element = 1},
    {.kind = WLK_TYPE_SEQUENCE, .element = 0, .dtype = WLK_F32},
    {.kind = WLK_TYPE_SEQUENCE, .element = 0, .key_dtype = WLK_I64},
    {.kind = WLK_TYPE_SEQUENCE, .element = 0, .has_shape = 1},
    {.kind = WLK_TYPE_OPTIONAL, .element = 7},
    {.kind = WLK_TYPE_MAP, .element = 0},
    {.kind = WLK_TYPE_MAP, .element = 0, .key_dtype = WLK_F64},
    {.kind = WLK_TYPE_MAP, .element = 0, .key_dtype = WLK_BOOL},
};

static void test_malformed_types(void **state) {
    (void)state;
    const type_record good = {TENSOR_TYPE};
    for (size_t i = 0; i < sizeof bad_types / sizeof *bad_types; i++) {
        restart();
        (void)image_literal(b, "a symbol");
        assert_int_equal(image_type(b, &good, 0), 0);
        assert_int_equal(image_type(b, &bad_types[i], 17), IMAGE_NONE);
        assert_stuck(RULE_TYPE_FORM, 17);
    }
}

static void test_equal_types_are_shared(void **state) {
    (void)state;
    type_record type = {TENSOR_TYPE, .has_shape = 1, .rank = 1, .dims = {4}};
    assert_int_equal(image_type(b, &type, 0), 0);
    type.dims[0] = 5;
    assert_int_equal(image_type(b, &type, 0), 1);
    type.dims[0] = 4;
    assert_int_equal(image_type(b, &type, 0), 0);
}

/* ---- small things a format can get wrong */

static void test_opset_and_tolerance(void **state) {
    (void)state;
    static const double tolerances[] = {-1.0, (double)NAN, (double)INFINITY, -(double)INFINITY};
    assert_int_equal(image_opset(b, 0, 0, 3), WLK_REFUSED);
    assert_stuck(RULE_OPSET_VERSION, 3);
    for (size_t i = 0; i < sizeof tolerances / sizeof *tolerances; i++) {
        restart();
        assert_int_equal(image_selftest(b, NULL, 0, NULL, 0, tolerances[i], 0.0, 4), WLK_REFUSED);
        assert_stuck(RULE_SELFTEST_TOLERANCE, 4);
        restart();
        assert_int_equal(image_selftest(b, NULL, 0, NULL, 0, 0.0, tolerances[i], 4), WLK_REFUSED);
        assert_stuck(RULE_SELFTEST_TOLERANCE, 4);
    }
}

/* ---- the first error sticks */

static void test_first_error_sticks(void **state) {
    (void)state;
    uint8_t *image;
    uint64_t length;
    wlk_error error = {0};
    const uint64_t one = 1;
    assert_int_equal(image_string(b, "\xff", 1, 500), IMAGE_NONE);
    assert_int_equal(image_string(b, "fine", 4, 600), IMAGE_NONE);
    assert_int_equal(image_opset(b, 0, 0, 700), WLK_REFUSED);
    assert_int_equal(image_graph(b, 0, 0), IMAGE_NONE);
    assert_int_equal(image_node(b, 0, 0, 0, 0), IMAGE_NONE);
    assert_int_equal(image_attribute(b, 0, WLK_ATTR_INT, &one, 1, 0), WLK_REFUSED);
    assert_int_equal(image_graph_input(b, 0), WLK_REFUSED);
    assert_int_equal(image_node_output(b, 0), WLK_REFUSED);
    assert_int_equal(begin_bytes(1, 0), IMAGE_NONE);
    assert_int_equal(image_finish(b, 0, &image, &length, &error), WLK_REFUSED);
    assert_null(image);
    assert_stuck(RULE_STRING_UTF8, 500);
    assert_int_equal(error.offset, 500);
}

/* ---- a caller that breaks the order gets an error, never a broken image */

static void misuse_node_without_graph(void) {
    (void)image_node(b, 0, 0, 0, 0);
}
static void misuse_input_without_graph(void) {
    (void)image_graph_input(b, 0);
}
static void misuse_output_without_graph(void) {
    (void)image_graph_output(b, 0);
}
static void misuse_edge_without_node(void) {
    (void)image_graph(b, 0, 0);
    (void)image_node_input(b, 0);
}
static void misuse_edge_of_earlier_graph(void) {
    (void)image_graph(b, 0, 0);
    (void)image_node(b, 0, 0, 0, 0);
    (void)image_graph(b, 0, 0);
    (void)image_node_output(b, 0);
}
static void misuse_attribute_of_earlier_graph(void) {
    const uint64_t one = 1;
    (void)image_graph(b, 0, 0);
    (void)image_node(b, 0, 0, 0, 0);
    (void)image_graph(b, 0, 0);
    (void)image_attribute(b, 0, WLK_ATTR_INT, &one, 1, 0);
}
static void misuse_input_after_output(void) {
    (void)image_graph(b, 0, 0);
    (void)image_node(b, 0, 0, 0, 0);
    (void)image_node_output(b, IMAGE_NONE);
    (void)image_node_input(b, IMAGE_NONE);
}
static void misuse_two_values_of_a_scalar(void) {
    const uint64_t two[2] = {1, 2};
    (void)image_graph(b, 0, 0);
    (void)image_node(b, 0, 0, 0, 0);
    (void)image_attribute(b, 0, WLK_ATTR_INT, two, 2, 0);
}
static void misuse_attribute_type(void) {
    (void)image_graph(b, 0, 0);
    (void)image_node(b, 0, 0, 0, 0);
    (void)image_attribute(b, 0, WLK_ATTR_TYPE_COUNT, NULL, 0, 0);
}
static void misuse_attribute_string(void) {
    const uint64_t string = (uint64_t)1 << 32;
    (void)image_graph(b, 0, 0);
    (void)image_node(b, 0, 0, 0, 0);
    (void)image_attribute(b, 0, WLK_ATTR_STRING, &string, 1, 0);
}
static void misuse_attribute_strings(void) {
    const uint64_t strings[] = {77, 0};
    (void)image_graph(b, 0, 0);
    (void)image_node(b, 0, 0, 0, 0);
    (void)image_attribute(b, 0, WLK_ATTR_STRINGS, strings, 2, 0);
}
static void misuse_no_attribute_type(void) {
    const uint64_t one = 1;
    (void)image_graph(b, 0, 0);
    (void)image_node(b, 0, 0, 0, 0);
    (void)image_attribute(b, 0, (wlk_attribute_type)0, &one, 1, 0);
}
static void misuse_attribute_name(void) {
    const uint64_t one = 1;
    (void)image_graph(b, 0, 0);
    (void)image_node(b, 0, 0, 0, 0);
    (void)image_attribute(b, 77, WLK_ATTR_INT, &one, 1, 0);
}
static void misuse_node_op(void) {
    (void)image_graph(b, 0, 0);
    (void)image_node(b, 77, 0, 0, 0);
}
static void misuse_node_domain(void) {
    (void)image_graph(b, 0, 0);
    (void)image_node(b, 0, 77, 0, 0);
}
static void misuse_node_name(void) {
    (void)image_graph(b, 0, 0);
    (void)image_node(b, 0, 0, 77, 0);
}
static void misuse_opset_domain(void) {
    (void)image_opset(b, 77, 1, 0);
}
static void misuse_block_kind(void) {
    (void)image_block(b, 77, 32, 18, 0);
}
static void misuse_tensor_name(void) {
    const image_tensor_spec spec = {.name = 77, .dtype = WLK_F32, .block = IMAGE_NONE};
    (void)image_tensor(b, &spec);
}
static void misuse_value_name(void) {
    (void)image_value(b, 77, IMAGE_NONE, 0);
}
static void misuse_graph_name(void) {
    (void)image_graph(b, IMAGE_NONE, 0);
}
static void misuse_meta_path(void) {
    (void)image_meta(b, 77, WLK_META_NULL, 0, 0);
}
static void misuse_meta_string(void) {
    (void)image_meta(b, 0, WLK_META_STRING, (uint64_t)1 << 32, 0);
}
static void misuse_symbol(void) {
    const type_record type = {TENSOR_TYPE, .has_shape = 1, .rank = 1, .dims = {-1},
                              .symbols = {77}};
    (void)image_type(b, &type, 0);
}
static void misuse_evidence(void) {
    (void)image_finding(b, RULE_STRING_UTF8, WLK_NOTE, 0, 0, 77);
}
static void misuse_long_evidence(void) {
    char text[257];
    memset(text, 'x', sizeof text);
    const uint32_t string = image_string(b, text, sizeof text, 0);
    (void)image_finding(b, RULE_STRING_UTF8, WLK_NOTE, 0, 0, string);
}
static void misuse_after_finish(void) {
    uint8_t *image;
    uint64_t length;
    assert_int_equal(image_finish(b, 0, &image, &length, NULL), WLK_OK);
    free(image);
    (void)image_opset(b, 0, 1, 0);
}
static void misuse_finish_twice(void) {
    uint8_t *image;
    uint64_t length;
    assert_int_equal(image_finish(b, 0, &image, &length, NULL), WLK_OK);
    free(image);
    assert_int_equal(image_finish(b, 0, &image, &length, NULL), WLK_SYSTEM);
    assert_null(image);
}

static void test_misuse(void **state) {
    (void)state;
    void (*const rows[])(void) = {
        misuse_node_without_graph,
        misuse_input_without_graph,
        misuse_output_without_graph,
        misuse_edge_without_node,
        misuse_edge_of_earlier_graph,
        misuse_attribute_of_earlier_graph,
        misuse_input_after_output,
        misuse_two_values_of_a_scalar,
        misuse_attribute_type,
        misuse_attribute_string,
        misuse_attribute_strings,
        misuse_no_attribute_type,
        misuse_attribute_name,
        misuse_node_op,
        misuse_node_domain,
        misuse_node_name,
        misuse_opset_domain,
        misuse_block_kind,
        misuse_tensor_name,
        misuse_value_name,
        misuse_graph_name,
        misuse_meta_path,
        misuse_meta_string,
        misuse_symbol,
        misuse_evidence,
        misuse_long_evidence,
        misuse_after_finish,
        misuse_finish_twice,
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        wlk_error error = {0};
        restart();
        rows[i]();
        assert_int_equal(image_builder_status(b, &error), WLK_SYSTEM);
        assert_refusal(&error, RULE_INTERNAL_DEFECT);
    }
}

/* Behind the first error nothing is added, whatever it is. */
static void test_nothing_behind_an_error(void **state) {
    (void)state;
    const type_record type = {TENSOR_TYPE};
    const uint64_t one = 1;
    const uint32_t tensor = 0;
    const wlk_status stuck = image_opset(b, 0, 0, 500);
    assert_int_equal(stuck, WLK_REFUSED);
    assert_int_equal(image_block(b, 0, 32, 18, 0), IMAGE_NONE);
    assert_int_equal(image_payload(b, (const uint8_t *)"x", 1), stuck);
    assert_int_equal(image_type(b, &type, 0), IMAGE_NONE);
    assert_int_equal(image_value(b, 0, IMAGE_NONE, 0), IMAGE_NONE);
    assert_int_equal(image_graph(b, 0, 0), IMAGE_NONE);
    assert_int_equal(image_graph_input(b, 0), stuck);
    assert_int_equal(image_graph_output(b, 0), stuck);
    assert_int_equal(image_node(b, 0, 0, 0, 0), IMAGE_NONE);
    assert_int_equal(image_node_input(b, 0), stuck);
    assert_int_equal(image_attribute(b, 0, WLK_ATTR_INT, &one, 1, 0), stuck);
    assert_int_equal(image_meta(b, 0, WLK_META_NULL, 0, 0), stuck);
    assert_int_equal(image_opset(b, 0, 1, 0), stuck);
    assert_int_equal(image_selftest(b, &tensor, 1, &tensor, 1, 0, 0, 0), stuck);
    assert_int_equal(image_finding(b, RULE_STRING_UTF8, WLK_NOTE, 0, 0, 0), stuck);
    assert_int_equal(image_span(b, WLK_SPAN_PADDING, 0, 1, IMAGE_NONE), stuck);
    assert_int_equal(builder_fail(b, RULE_INTERNAL_DEFECT), stuck);
    assert_stuck(RULE_OPSET_VERSION, 500);
}

/* Invariant 7: counts that nothing can hold, and under no limit. */
static void test_impossible_counts(void **state) {
    (void)state;
    static const struct {
        image_part part;
        uint64_t count;
    } rows[] = {{PART_TEXT, UINT64_MAX},
                {PART_TYPES, UINT64_MAX / 2},
                {PART_TYPES, UINT64_MAX / 112},
                {PART_TEXT, IMAGE_NONE}};
    const uint64_t usual = limits.image_bytes;
    limits.image_bytes = UINT64_MAX;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        restart();
        assert_int_equal(builder_append(b, rows[i].part, "", rows[i].count), IMAGE_NONE);
        assert_stuck(RULE_LIMIT_IMAGE_BYTES, 0);
    }
    limits.image_bytes = usual;
    restart();
}

static wlk_status pretend(void *context, const uint8_t *data, uint64_t length, wlk_error *error) {
    (void)context, (void)data, (void)length, (void)error;
    return WLK_OK;
}

/* Payloads that only a sink that keeps nothing could take. */
static void test_payloads_do_not_wrap(void **state) {
    (void)state;
    static const uint64_t shape[] = {INT64_MAX};
    const image_sink nowhere = {.begin = accept_begin, .append = pretend};
    const image_tensor_spec spec = {.dtype = WLK_U8,
                                    .rank = 1,
                                    .shape = shape,
                                    .block = IMAGE_NONE,
                                    .data = (const uint8_t *)"",
                                    .nbytes = INT64_MAX};
    wlk_limits endless = limits;
    wlk_error error = {0};
    endless.output_bytes = UINT64_MAX;
    image_builder *builder = image_builder_new(&endless, &nowhere);
    assert_int_equal(image_tensor(builder, &spec), 0);
    assert_int_equal(image_tensor(builder, &spec), 1);
    assert_int_equal(image_tensor(builder, &spec), IMAGE_NONE);
    assert_int_equal(image_builder_status(builder, &error), WLK_LIMIT);
    assert_refusal(&error, RULE_LIMIT_OUTPUT_BYTES);
    image_builder_free(builder);
}

/* Only the latest types are compared with a new one. */
static void test_many_types(void **state) {
    (void)state;
    type_record type = {TENSOR_TYPE, .has_shape = 1, .rank = 1};
    for (uint32_t i = 0; i < 40; i++) {
        type.dims[0] = i;
        assert_int_equal(image_type(b, &type, 0), i);
    }
    assert_int_equal(image_type(b, &type, 0), 39);
    type.dims[0] = 0;
    assert_int_equal(image_type(b, &type, 0), 40);
}

/* ---- the image depends on the model alone */

static void finish_sample(uint8_t **image, uint64_t *length) {
    wlk_error error = {0};
    sample_build(b);
    assert_int_equal(image_finish(b, SAMPLE_FILE_BYTES, image, length, &error), WLK_OK);
}

static void test_same_model_same_image(void **state) {
    (void)state;
    uint8_t *first, *second;
    uint64_t first_length, second_length;
    finish_sample(&first, &first_length);
    restart();
    /* other provisional numbers, unused text, and text the cache has lost again */
    for (uint32_t i = 0; i < 20000; i++) {
        const char text[6] = {'z',
                              (char)('0' + i / 10000 % 10),
                              (char)('0' + i / 1000 % 10),
                              (char)('0' + i / 100 % 10),
                              (char)('0' + i / 10 % 10),
                              (char)('0' + i % 10)};
        (void)image_string(b, text, 6, 0);
        if (i == 10) (void)image_literal(b, "strings");
        if (i == 15) (void)image_literal(b, "Add");
    }
    finish_sample(&second, &second_length);
    assert_int_equal(first_length, second_length);
    assert_memory_equal(first, second, first_length);
    free(first);
    free(second);
}

/* Equal text that the cache has lost in between is still one string at the end. */
static void test_lost_text_is_shared_again(void **state) {
    (void)state;
    wlk_model *model = NULL;
    wlk_error error = {0};
    char text[8] = "/0000000";
    uint32_t again = 0;
    const uint32_t first = image_literal(b, "lost");
    for (uint32_t i = 0; i < 100000 && again <= first; i++) {
        uint32_t number = i;
        for (uint32_t j = 7; j > 0; j--, number /= 10) text[j] = (char)('0' + number % 10);
        (void)image_string(b, text, sizeof text, 0);
        again = image_literal(b, "lost");
    }
    assert_int_not_equal(again, first); /* it was lost */
    assert_int_equal(image_meta(b, image_literal(b, "/a"), WLK_META_STRING, first, 0), WLK_OK);
    assert_int_equal(image_meta(b, image_literal(b, "/b"), WLK_META_STRING, again, 0), WLK_OK);
    assert_int_equal(image_build_model(b, f.sink, 0, &limits, &model, &error), WLK_OK);
    assert_int_equal(wlk_model_count(model, WLK_SECTION_STRINGS), 4); /* "", /a, /b, lost */
    assert_string_equal(wlk_model_meta(model, 0).s, "lost");
    assert_ptr_equal(wlk_model_meta(model, 0).s, wlk_model_meta(model, 1).s);
    wlk_model_free(model);
}

int main(void) {
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_tensors),
        TEST(test_blocks),
        TEST(test_payload_in_pieces),
        TEST(test_payload_too_long),
        TEST(test_payload_too_short),
        TEST(test_failing_sink),
        TEST(test_text),
        TEST(test_repeated_text_is_kept_once),
        TEST(test_malformed_types),
        TEST(test_equal_types_are_shared),
        TEST(test_opset_and_tolerance),
        TEST(test_first_error_sticks),
        TEST(test_misuse),
        TEST(test_nothing_behind_an_error),
        TEST(test_impossible_counts),
        TEST(test_payloads_do_not_wrap),
        TEST(test_many_types),
        TEST(test_same_model_same_image),
        TEST(test_lost_text_is_shared_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

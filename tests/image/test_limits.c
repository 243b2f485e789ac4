/* Invariant 7: a limit is the largest value that is accepted. The sample needs
 * exactly so much of each; one less is refused by the builder and, for a child
 * that does not care, by the validator. */
#include "support/image_support.h"

typedef struct limit_row {
    const char *name;
    uint64_t needed;
    wlk_rule rule;
} limit_row;

/* image_bytes and output_bytes are computed: they follow from the sample. */
static const limit_row rows[] = {
    {"tensors", SAMPLE_TENSORS, RULE_LIMIT_TENSORS},
    {"rank", WLK_MAX_RANK, RULE_LIMIT_RANK},
    {"values", SAMPLE_VALUES, RULE_LIMIT_VALUES},
    {"graphs", SAMPLE_GRAPHS, RULE_LIMIT_GRAPHS},
    {"graph_depth", SAMPLE_GRAPH_DEPTH, RULE_LIMIT_GRAPH_DEPTH},
    {"nodes", SAMPLE_NODES, RULE_LIMIT_NODES},
    {"node_edges", SAMPLE_NODE_EDGES, RULE_LIMIT_NODE_EDGES},
    {"attributes", SAMPLE_ATTRIBUTES, RULE_LIMIT_ATTRIBUTES},
    {"attribute_values", SAMPLE_ATTRIBUTE_VALUES, RULE_LIMIT_ATTRIBUTE_VALUES},
    {"metadata_entries", SAMPLE_METADATA, RULE_LIMIT_METADATA_ENTRIES},
    {"selftests", SAMPLE_SELFTESTS, RULE_LIMIT_SELFTESTS},
    {"name_bytes", SAMPLE_LONGEST_NAME, RULE_LIMIT_NAME_BYTES},
    {"string_bytes", SAMPLE_LONGEST_STRING, RULE_LIMIT_STRING_BYTES},
    {"header_depth", SAMPLE_DEPTH, RULE_LIMIT_HEADER_DEPTH},
};

static void limits_with(wlk_limits *limits, const char *name, uint64_t value) {
    wlk_limits_default(limits);
    assert_int_equal(wlk_limits_set(limits, name, value), WLK_OK);
}

/* What the validator says to the sample with one limit set. */
static wlk_status validate_with(const char *name, uint64_t value, wlk_error *error) {
    uint8_t *image;
    uint64_t length;
    image_payloads payloads;
    wlk_limits limits;
    wlk_model *model = NULL;
    limits_with(&limits, name, value);
    sample_image(&image, &length, &payloads);
    const wlk_status status =
        image_validate(image, length, SAMPLE_FILE_BYTES, &payloads, &limits, &model, error);
    wlk_model_free(model);
    return status;
}

static void test_validator(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        wlk_error error = {0};
        if (validate_with(rows[i].name, rows[i].needed, &error) != WLK_OK) {
            fail_msg("%s: %s", rows[i].name, wlk_rule_name(error.rule));
        }
        if (validate_with(rows[i].name, rows[i].needed - 1, &error) != WLK_LIMIT) {
            fail_msg("%s is not held", rows[i].name);
        }
        assert_refusal(&error, rows[i].rule);
    }
}

static void test_validator_of_bytes(void **state) {
    (void)state;
    uint8_t *image;
    uint64_t length;
    uint64_t sent = 0;
    image_payloads payloads;
    wlk_error error = {0};
    sample_image(&image, &length, &payloads);
    for (uint32_t i = 0; i < payloads.count; i++) sent += payloads.buffers[i].length;
    payloads.release(payloads.owner);
    free(image);
    assert_int_equal(validate_with("image_bytes", length, &error), WLK_OK);
    assert_int_equal(validate_with("image_bytes", length - 1, &error), WLK_LIMIT);
    assert_refusal(&error, RULE_LIMIT_IMAGE_BYTES);
    assert_int_equal(validate_with("output_bytes", sent, &error), WLK_OK);
    assert_int_equal(validate_with("output_bytes", sent - 1, &error), WLK_LIMIT);
    assert_refusal(&error, RULE_LIMIT_OUTPUT_BYTES);
}

/* ---- the builder: one row a limit, N of a thing under a limit of N and N - 1 */

typedef struct builder_row {
    const char *name;
    wlk_rule rule;
    void (*add)(image_builder *b, uint32_t i); /* thing i */
} builder_row;

static uint32_t numbered(image_builder *b, uint32_t i) {
    const char name[3] = {'n', (char)('a' + i / 26 % 26), (char)('a' + i % 26)};
    return image_name(b, name, 3, 0);
}

static void add_tensor(image_builder *b, uint32_t i) {
    static const uint64_t shape[1] = {1};
    static const uint8_t byte = 1;
    const image_tensor_spec spec = {.name = numbered(b, i),
                                    .dtype = WLK_U8,
                                    .rank = 1,
                                    .shape = shape,
                                    .block = IMAGE_NONE,
                                    .data = &byte,
                                    .nbytes = 1,
                                    .file_offset = WLK_NO_OFFSET,
                                    .offset = 77};
    (void)image_tensor(b, &spec);
}
static void add_value(image_builder *b, uint32_t i) {
    (void)image_value(b, numbered(b, i), IMAGE_NONE, 77);
}
static void add_graph(image_builder *b, uint32_t i) {
    (void)i;
    (void)image_graph(b, 0, 77);
}
static void add_node(image_builder *b, uint32_t i) {
    if (i == 0) (void)image_graph(b, 0, 0);
    (void)image_node(b, numbered(b, 0), 0, 0, 77);
}
static void add_input(image_builder *b, uint32_t i) {
    if (i == 0) add_node(b, 0);
    (void)image_node_input(b, IMAGE_NONE);
}
static void add_output(image_builder *b, uint32_t i) {
    if (i == 0) add_node(b, 0);
    (void)image_node_output(b, IMAGE_NONE);
}
static void add_attribute(image_builder *b, uint32_t i) {
    const uint64_t one = 1;
    if (i == 0) add_node(b, 0);
    (void)image_attribute(b, numbered(b, i), WLK_ATTR_INT, &one, 1, 77);
}
static void add_meta(image_builder *b, uint32_t i) {
    (void)image_meta(b, numbered(b, i), WLK_META_NULL, 0, 77);
}
static void add_selftest(image_builder *b, uint32_t i) {
    (void)i;
    (void)image_selftest(b, NULL, 0, NULL, 0, 0.0, 0.0, 77);
}

static const builder_row builder_rows[] = {
    {"tensors", RULE_LIMIT_TENSORS, add_tensor},
    {"output_bytes", RULE_LIMIT_OUTPUT_BYTES, add_tensor},
    {"values", RULE_LIMIT_VALUES, add_value},
    {"graphs", RULE_LIMIT_GRAPHS, add_graph},
    {"nodes", RULE_LIMIT_NODES, add_node},
    {"node_edges", RULE_LIMIT_NODE_EDGES, add_input},
    {"node_edges", RULE_LIMIT_NODE_EDGES, add_output},
    {"attributes", RULE_LIMIT_ATTRIBUTES, add_attribute},
    {"attribute_values", RULE_LIMIT_ATTRIBUTE_VALUES, add_attribute},
    {"metadata_entries", RULE_LIMIT_METADATA_ENTRIES, add_meta},
    {"selftests", RULE_LIMIT_SELFTESTS, add_selftest},
};

static void test_builder(void **state) {
    (void)state;
    enum { THINGS = 40 };
    for (size_t i = 0; i < sizeof builder_rows / sizeof *builder_rows; i++) {
        for (uint32_t limit = THINGS; limit >= THINGS - 1; limit--) {
            image_fixture f;
            wlk_limits limits;
            wlk_error error = {0};
            limits_with(&limits, builder_rows[i].name, limit);
            image_fixture_open(&f, &limits);
            for (uint32_t j = 0; j < THINGS; j++) builder_rows[i].add(f.builder, j);
            const wlk_status status = image_builder_status(f.builder, &error);
            assert_int_equal(status, limit == THINGS ? WLK_OK : WLK_LIMIT);
            if (status != WLK_OK) {
                assert_refusal(&error, builder_rows[i].rule);
                assert_int_equal(error.offset, 77);
            }
            image_fixture_close(&f);
        }
    }
}

static void test_builder_of_strings(void **state) {
    (void)state;
    static const char text[] = "12345678";
    for (uint64_t longest = 7; longest <= 8; longest++) {
        image_fixture f;
        wlk_limits limits;
        wlk_error error = {0};
        wlk_limits_default(&limits);
        limits.name_bytes = longest;
        image_fixture_open(&f, &limits);
        assert_int_not_equal(image_string(f.builder, text, 8, 5), IMAGE_NONE);
        assert_int_equal(image_name(f.builder, text, 8, 6) == IMAGE_NONE, longest == 7);
        if (image_builder_status(f.builder, &error) != WLK_OK) {
            assert_refusal(&error, RULE_LIMIT_NAME_BYTES);
            assert_int_equal(error.offset, 6);
        }
        image_fixture_close(&f);
        wlk_limits_default(&limits);
        limits.string_bytes = longest;
        image_fixture_open(&f, &limits);
        assert_int_equal(image_string(f.builder, text, 8, 5) == IMAGE_NONE, longest == 7);
        if (image_builder_status(f.builder, &error) != WLK_OK) {
            assert_refusal(&error, RULE_LIMIT_STRING_BYTES);
            assert_int_equal(error.offset, 5);
        }
        image_fixture_close(&f);
    }
}

static wlk_status finish_under(uint64_t image_bytes, uint64_t *length, wlk_error *error) {
    image_fixture f;
    wlk_limits limits;
    uint8_t *image;
    limits_with(&limits, "image_bytes", image_bytes);
    image_fixture_open(&f, &limits);
    for (uint32_t i = 0; i < 10; i++) add_meta(f.builder, i);
    const wlk_status status = image_finish(f.builder, 0, &image, length, error);
    assert_int_equal(status == WLK_OK, image != NULL);
    free(image);
    image_fixture_close(&f);
    return status;
}

static void test_builder_of_image_bytes(void **state) {
    (void)state;
    uint64_t needed;
    uint64_t length;
    wlk_error error = {0};
    assert_int_equal(finish_under(1 << 20, &needed, &error), WLK_OK);
    assert_int_equal(finish_under(needed, &length, &error), WLK_OK);
    assert_int_equal(length, needed);
    for (uint64_t limit = 0; limit < needed; limit++) {
        assert_int_equal(finish_under(limit, &length, &error), WLK_LIMIT);
        assert_refusal(&error, RULE_LIMIT_IMAGE_BYTES);
    }
}

/* What is held before the end is bounded too, whatever is added. */
static void test_builder_of_endless_text(void **state) {
    (void)state;
    enum { LIMIT = 100000 };
    image_fixture f;
    wlk_limits limits;
    wlk_error error = {0};
    uint8_t text[64];
    uint32_t added = 0;
    limits_with(&limits, "image_bytes", LIMIT);
    image_fixture_open(&f, &limits);
    memset(text, 'x', sizeof text);
    for (uint32_t i = 0; i < LIMIT; i++) {
        for (uint32_t j = 0; j < 8; j++) text[j] = (uint8_t)('a' + (i >> (j * 4) & 15));
        if (image_string(f.builder, (const char *)text, sizeof text, 9) == IMAGE_NONE) break;
        added++;
    }
    assert_true(added > 0 && added <= LIMIT / sizeof text);
    assert_int_equal(image_builder_status(f.builder, &error), WLK_LIMIT);
    assert_refusal(&error, RULE_LIMIT_IMAGE_BYTES);
    assert_int_equal(error.offset, 9);
    image_fixture_close(&f);
}

/* Types nest like the maps that describe them. */
static void test_builder_of_type_depth(void **state) {
    (void)state;
    enum { DEPTH = 5 };
    for (uint32_t limit = DEPTH - 1; limit <= DEPTH; limit++) {
        image_fixture f;
        wlk_limits limits;
        wlk_error error = {0};
        limits_with(&limits, "header_depth", limit);
        image_fixture_open(&f, &limits);
        type_record type = {.kind = WLK_TYPE_TENSOR, .dtype = WLK_F32, .element = IMAGE_NONE};
        for (uint32_t i = 0; i < DEPTH; i++) {
            const uint32_t index = image_type(f.builder, &type, 11);
            assert_int_equal(index, i < limit ? i : IMAGE_NONE);
            type = (type_record){.kind = WLK_TYPE_SEQUENCE, .element = index};
        }
        if (image_builder_status(f.builder, &error) != WLK_OK) {
            assert_refusal(&error, RULE_LIMIT_HEADER_DEPTH);
        }
        image_fixture_close(&f);
    }
}

/* Of tensors and of declared types. */
static void test_builder_of_rank(void **state) {
    (void)state;
    enum { RANK = 3 };
    static const uint64_t shape[RANK] = {1, 1, 1};
    static const uint8_t byte = 1;
    for (uint32_t limit = RANK - 1; limit <= RANK; limit++) {
        for (int typed = 0; typed < 2; typed++) {
            image_fixture f;
            wlk_limits limits;
            wlk_error error = {0};
            const type_record type = {.kind = WLK_TYPE_TENSOR,
                                      .dtype = WLK_F32,
                                      .has_shape = 1,
                                      .rank = RANK,
                                      .dims = {1, 1, 1},
                                      .element = IMAGE_NONE};
            const image_tensor_spec spec = {.dtype = WLK_U8,
                                            .rank = RANK,
                                            .shape = shape,
                                            .block = IMAGE_NONE,
                                            .data = &byte,
                                            .nbytes = 1,
                                            .file_offset = WLK_NO_OFFSET,
                                            .offset = 11};
            limits_with(&limits, "rank", limit);
            image_fixture_open(&f, &limits);
            const uint32_t index =
                typed ? image_type(f.builder, &type, 11) : image_tensor(f.builder, &spec);
            assert_int_equal(index, limit == RANK ? 0 : IMAGE_NONE);
            if (image_builder_status(f.builder, &error) != WLK_OK) {
                assert_refusal(&error, RULE_LIMIT_RANK);
                assert_int_equal(error.offset, 11);
            }
            image_fixture_close(&f);
        }
    }
}

/* A child that does not care about the rank of a declared type. */
static void test_validator_of_type_rank(void **state) {
    (void)state;
    for (uint32_t limit = 1; limit <= 2; limit++) {
        image_fixture f;
        wlk_limits limits;
        wlk_model *model = NULL;
        wlk_error error = {0};
        const type_record type = {.kind = WLK_TYPE_TENSOR,
                                  .dtype = WLK_F32,
                                  .has_shape = 1,
                                  .rank = 2,
                                  .dims = {1, 1},
                                  .element = IMAGE_NONE};
        uint8_t *image;
        uint64_t length;
        const image_payloads none = {0};
        wlk_limits_default(&limits);
        image_fixture_open(&f, &limits);
        assert_int_equal(image_type(f.builder, &type, 0), 0);
        assert_int_equal(image_finish(f.builder, 0, &image, &length, &error), WLK_OK);
        limits.rank = limit;
        const wlk_status status = image_validate(image, length, 0, &none, &limits, &model, &error);
        assert_int_equal(status, limit == 2 ? WLK_OK : WLK_LIMIT);
        if (status != WLK_OK) assert_refusal(&error, RULE_LIMIT_RANK);
        wlk_model_free(model);
        image_fixture_close(&f);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_validator),
        cmocka_unit_test(test_validator_of_bytes),
        cmocka_unit_test(test_builder),
        cmocka_unit_test(test_builder_of_strings),
        cmocka_unit_test(test_builder_of_image_bytes),
        cmocka_unit_test(test_builder_of_endless_text),
        cmocka_unit_test(test_builder_of_type_depth),
        cmocka_unit_test(test_builder_of_rank),
        cmocka_unit_test(test_validator_of_type_rank),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A model built in memory comes back through its accessors as it was described;
 * every section, every dtype, every attribute and metadata type. */
#include "support/image_support.h"

#include "image/model.h"

typedef struct loaded {
    wlk_model *model;
} loaded;

static int setup(void **state) {
    static loaded l;
    image_fixture f;
    wlk_limits limits;
    wlk_error error = {0};
    wlk_limits_default(&limits);
    image_fixture_open(&f, &limits);
    sample_build(f.builder);
    const wlk_status status =
        image_build_model(f.builder, f.sink, SAMPLE_FILE_BYTES, &limits, &l.model, &error);
    assert_int_equal(status, WLK_OK);
    image_fixture_close(&f);
    *state = l.model;
    return 0;
}

static int teardown(void **state) {
    wlk_model_free(*state);
    return 0;
}

static void test_counts(void **state) {
    const wlk_model *model = *state;
    assert_int_equal(wlk_model_file_bytes(model), SAMPLE_FILE_BYTES);
    assert_int_equal(wlk_model_count(model, WLK_SECTION_TENSORS), SAMPLE_TENSORS);
    assert_int_equal(wlk_model_count(model, WLK_SECTION_TYPES), SAMPLE_TYPES);
    assert_int_equal(wlk_model_count(model, WLK_SECTION_VALUES), SAMPLE_VALUES);
    assert_int_equal(wlk_model_count(model, WLK_SECTION_GRAPHS), SAMPLE_GRAPHS);
    assert_int_equal(wlk_model_count(model, WLK_SECTION_NODES), SAMPLE_NODES);
    assert_int_equal(wlk_model_count(model, WLK_SECTION_ATTRIBUTES), SAMPLE_ATTRIBUTES);
    assert_int_equal(wlk_model_count(model, WLK_SECTION_METADATA), SAMPLE_METADATA);
    assert_int_equal(wlk_model_count(model, WLK_SECTION_SELFTESTS), SAMPLE_SELFTESTS);
    assert_int_equal(wlk_model_count(model, WLK_SECTION_OPSETS), 2);
    assert_int_equal(wlk_model_count(model, WLK_SECTION_FINDINGS), 2);
    assert_int_equal(wlk_model_count(model, (wlk_section)99), 0);
}

static void test_tensors_of_every_dtype(void **state) {
    const wlk_model *model = *state;
    uint8_t bytes[128];
    for (uint32_t i = 1; i < WLK_DTYPE_COUNT; i++) {
        const wlk_tensor t = wlk_model_tensor(model, i);
        assert_int_equal(t.dtype, i);
        assert_int_equal(strncmp(t.name, "t_", 2), 0);
        assert_string_equal(t.name + 2, wlk_dtype_name((wlk_dtype)i));
        assert_int_equal(t.rank, 2);
        assert_int_equal(t.shape[0], 2);
        assert_int_equal(t.shape[1], i == WLK_BLOCK ? 64 : 3);
        assert_int_equal(t.shape[2], 0);
        assert_int_equal(t.count, t.shape[0] * t.shape[1]);
        assert_int_equal(t.nbytes, sample_payload((wlk_dtype)i, bytes));
        assert_memory_equal(t.data, bytes, t.nbytes);
        assert_int_equal((uintptr_t)t.data % 64, 0);
        assert_int_equal(t.block_kind != NULL, i == WLK_BLOCK);
    }
    const wlk_tensor block = wlk_model_tensor(model, WLK_BLOCK);
    assert_string_equal(block.block_kind, "q4_0");
    assert_int_equal(block.block_elements, 32);
    assert_int_equal(block.block_bytes, 18);
}

static void test_tensors_of_every_shape(void **state) {
    const wlk_model *model = *state;
    const wlk_tensor scalar = wlk_model_tensor(model, SAMPLE_SCALAR);
    assert_int_equal(scalar.rank, 0);
    assert_int_equal(scalar.count, 1);
    assert_int_equal(scalar.nbytes, 4);
    const wlk_tensor empty = wlk_model_tensor(model, SAMPLE_EMPTY);
    assert_int_equal(empty.count, 0);
    assert_int_equal(empty.nbytes, 0);
    assert_non_null(empty.data);
    const wlk_tensor rank8 = wlk_model_tensor(model, SAMPLE_RANK8);
    assert_int_equal(rank8.rank, 8);
    assert_int_equal(rank8.count, 16);
    assert_int_equal(rank8.shape[7], 2);
    assert_string_equal(wlk_model_tensor(model, SAMPLE_HELD).name, "");
}

static void test_find_tensor(void **state) {
    const wlk_model *model = *state;
    assert_int_equal(wlk_model_find_tensor(model, "scalar"), SAMPLE_SCALAR);
    assert_int_equal(wlk_model_find_tensor(model, "t_block"), WLK_BLOCK);
    assert_int_equal(wlk_model_find_tensor(model, sample_long_name), SAMPLE_ROWS_OUT);
    assert_int_equal(wlk_model_find_tensor(model, "h"), WLK_NONE);     /* a value */
    assert_int_equal(wlk_model_find_tensor(model, "main"), WLK_NONE);  /* a graph */
    assert_int_equal(wlk_model_find_tensor(model, ""), WLK_NONE);      /* nameless ones */
    assert_int_equal(wlk_model_find_tensor(model, "scala"), WLK_NONE); /* a prefix */
    assert_int_equal(wlk_model_find_tensor(model, "scalar2"), WLK_NONE);
}

static void test_types(void **state) {
    const wlk_model *model = *state;
    const wlk_type x = wlk_model_type(model, SAMPLE_TYPE_X);
    assert_int_equal(x.kind, WLK_TYPE_TENSOR);
    assert_int_equal(x.dtype, WLK_F32);
    assert_true(x.has_shape);
    assert_int_equal(x.rank, 3);
    assert_int_equal(x.dims[0], WLK_UNKNOWN_DIM);
    assert_string_equal(x.symbols[0], "batch");
    assert_int_equal(x.dims[1], 3);
    assert_null(x.symbols[1]);
    assert_int_equal(x.dims[2], WLK_UNKNOWN_DIM);
    assert_null(x.symbols[2]);
    assert_false(wlk_model_type(model, SAMPLE_TYPE_ANY).has_shape);
    const wlk_type map = wlk_model_type(model, SAMPLE_TYPE_MAP);
    assert_int_equal(map.kind, WLK_TYPE_MAP);
    assert_int_equal(map.key_dtype, WLK_I64);
    assert_int_equal(map.element, SAMPLE_TYPE_SEQUENCE);
    assert_int_equal(wlk_model_type(model, map.element).element, SAMPLE_TYPE_ANY);
    assert_int_equal(wlk_model_type(model, SAMPLE_TYPE_OPTIONAL).element, SAMPLE_TYPE_MAP);
}

static void test_values(void **state) {
    const wlk_model *model = *state;
    assert_string_equal(wlk_model_value(model, SAMPLE_X).name, "x");
    assert_int_equal(wlk_model_value(model, SAMPLE_X).type, SAMPLE_TYPE_X);
    assert_string_equal(wlk_model_value(model, SAMPLE_OUT3).name, "out3");
    assert_int_equal(wlk_model_value(model, SAMPLE_OUT3).type, WLK_NONE);
}

static void test_graphs(void **state) {
    const wlk_model *model = *state;
    const wlk_graph main_graph = wlk_model_graph(model, 0);
    assert_string_equal(main_graph.name, "main");
    assert_int_equal(main_graph.inputs, 1);
    assert_int_equal(main_graph.outputs, 2);
    assert_int_equal(main_graph.nodes, 3);
    assert_int_equal(wlk_model_graph_input(model, 0, 0), SAMPLE_X);
    assert_int_equal(wlk_model_graph_output(model, 0, 0).kind, WLK_REF_VALUE);
    assert_int_equal(wlk_model_graph_output(model, 0, 0).index, SAMPLE_OUT);
    assert_int_equal(wlk_model_graph_output(model, 0, 1).kind, WLK_REF_TENSOR);
    assert_int_equal(wlk_model_graph_output(model, 0, 1).index, WLK_F32);
    const wlk_graph then = wlk_model_graph(model, 1);
    assert_string_equal(then.name, "then");
    assert_int_equal(then.first_node, SAMPLE_NODE_FIRST1);
    assert_int_equal(then.nodes, 2);
    assert_int_equal(wlk_model_graph_input(model, 1, 0), SAMPLE_IN1);
    assert_int_equal(wlk_model_graph_output(model, 1, 1).index, SAMPLE_H);
    assert_string_equal(wlk_model_graph(model, 2).name, "");
    assert_int_equal(wlk_model_graph(model, 2).inputs, 0);
}

static void test_nodes(void **state) {
    const wlk_model *model = *state;
    const wlk_node node = wlk_model_node(model, SAMPLE_NODE_CUSTOM);
    assert_string_equal(node.op, "Custom");
    assert_string_equal(node.domain, "org.weighlock");
    assert_string_equal(node.name, "");
    assert_int_equal(node.graph, 0);
    assert_int_equal(node.inputs, 3);
    assert_int_equal(node.outputs, 3);
    assert_int_equal(node.attributes, 11);
    assert_int_equal(wlk_model_node_input(model, SAMPLE_NODE_CUSTOM, 0).index, SAMPLE_H);
    assert_int_equal(wlk_model_node_input(model, SAMPLE_NODE_CUSTOM, 1).kind, WLK_REF_NONE);
    assert_int_equal(wlk_model_node_input(model, SAMPLE_NODE_CUSTOM, 2).index, SAMPLE_X);
    assert_int_equal(wlk_model_node_output(model, SAMPLE_NODE_CUSTOM, 0).index, SAMPLE_Y);
    assert_int_equal(wlk_model_node_output(model, SAMPLE_NODE_CUSTOM, 1).kind, WLK_REF_NONE);
    assert_int_equal(wlk_model_node_output(model, SAMPLE_NODE_CUSTOM, 2).index, SAMPLE_Z);
    const wlk_ref constant = wlk_model_node_input(model, SAMPLE_NODE_ADD, 1);
    assert_int_equal(constant.kind, WLK_REF_TENSOR);
    assert_int_equal(constant.index, WLK_F32);
    assert_int_equal(wlk_model_node(model, SAMPLE_NODE_INNER).graph, 2);
}

static wlk_attribute attribute_of(const wlk_model *model, const char *name,
                                  wlk_attribute_type type) {
    const uint32_t index = wlk_model_find_attribute(model, SAMPLE_NODE_CUSTOM, name);
    assert_int_not_equal(index, WLK_NONE);
    const wlk_attribute a = wlk_model_attribute(model, index);
    assert_string_equal(a.name, name);
    assert_int_equal(a.type, type);
    return a;
}

static void test_attributes_of_one_value(void **state) {
    const wlk_model *model = *state;
    wlk_attribute a = attribute_of(model, "zz_int", WLK_ATTR_INT);
    assert_int_equal(wlk_model_attribute_int(model, &a, 0), -7);
    a = attribute_of(model, "a_float", WLK_ATTR_FLOAT);
    assert_true(wlk_model_attribute_float(model, &a, 0) == 0.25);
    assert_int_equal(wlk_model_attribute_int(model, &a, 0), 0); /* not an int */
    a = attribute_of(model, "m_string", WLK_ATTR_STRING);
    assert_string_equal(wlk_model_attribute_string(model, &a, 0), "red");
    assert_string_equal(wlk_model_attribute_string(model, &a, 1), "");
    a = attribute_of(model, "c_tensor", WLK_ATTR_TENSOR);
    assert_int_equal(wlk_model_attribute_int(model, &a, 0), SAMPLE_HELD);
    a = attribute_of(model, "d_dtype", WLK_ATTR_DTYPE);
    assert_int_equal(wlk_model_attribute_int(model, &a, 0), WLK_F16);
    a = attribute_of(model, "e_type", WLK_ATTR_TYPE);
    assert_int_equal(wlk_model_attribute_int(model, &a, 0), SAMPLE_TYPE_MAP);
}

static void test_attributes_of_many_values(void **state) {
    const wlk_model *model = *state;
    wlk_attribute a = attribute_of(model, "ints", WLK_ATTR_INTS);
    assert_int_equal(a.count, 3);
    assert_int_equal(wlk_model_attribute_int(model, &a, 1), -7);
    assert_int_equal(wlk_model_attribute_int(model, &a, 2), 5);
    assert_int_equal(wlk_model_attribute_int(model, &a, 3), 0);
    a = attribute_of(model, "floats", WLK_ATTR_FLOATS);
    assert_true(wlk_model_attribute_float(model, &a, 0) == 1.5);
    assert_true(signbit(wlk_model_attribute_float(model, &a, 1)));
    a = attribute_of(model, "strings", WLK_ATTR_STRINGS);
    static const char *const words[4] = {"red", "blue", "", "red"};
    for (uint32_t i = 0; i < 4; i++) {
        assert_string_equal(wlk_model_attribute_string(model, &a, i), words[i]);
    }
    a = attribute_of(model, "tensors", WLK_ATTR_TENSORS);
    assert_int_equal(wlk_model_attribute_int(model, &a, 2), SAMPLE_EMPTY);
    assert_int_equal(attribute_of(model, "no_ints", WLK_ATTR_INTS).count, 0);
}

static void test_attributes_of_graphs(void **state) {
    const wlk_model *model = *state;
    const uint32_t branches = wlk_model_find_attribute(model, SAMPLE_NODE_BRANCH, "branches");
    const uint32_t body = wlk_model_find_attribute(model, SAMPLE_NODE_LOOP, "body");
    const wlk_attribute a = wlk_model_attribute(model, branches);
    assert_int_equal(a.type, WLK_ATTR_GRAPHS);
    assert_int_equal(wlk_model_attribute_int(model, &a, 0), 1);
    assert_int_equal(wlk_model_attribute_int(model, &a, 1), 3);
    const wlk_attribute b = wlk_model_attribute(model, body);
    assert_int_equal(b.type, WLK_ATTR_GRAPH);
    assert_int_equal(wlk_model_attribute_int(model, &b, 0), 2);
    assert_int_equal(wlk_model_find_attribute(model, SAMPLE_NODE_ADD, "axis"), WLK_NONE);
    assert_int_equal(wlk_model_find_attribute(model, SAMPLE_NODE_CUSTOM, "absent"), WLK_NONE);
    assert_int_equal(wlk_model_find_attribute(model, 99, "axis"), WLK_NONE);
}

static void test_attributes_are_sorted(void **state) {
    const wlk_model *model = *state;
    const wlk_node node = wlk_model_node(model, SAMPLE_NODE_CUSTOM);
    for (uint32_t i = 1; i < node.attributes; i++) {
        const char *before = wlk_model_attribute(model, node.first_attribute + i - 1).name;
        assert_true(strcmp(before, wlk_model_attribute(model, node.first_attribute + i).name) < 0);
    }
}

static void test_metadata(void **state) {
    const wlk_model *model = *state;
    for (uint32_t i = 0; i < SAMPLE_METADATA; i++) {
        const sample_meta *row = &sample_metadata[i];
        const wlk_meta meta = wlk_model_meta(model, i);
        assert_string_equal(meta.path, row->path);
        assert_int_equal(meta.type, row->type);
        assert_string_equal(meta.s, row->text ? row->text : "");
        assert_int_equal(wlk_model_find_meta(model, row->path), i);
    }
    assert_int_equal(wlk_model_meta(model, 5).i, -5);
    assert_true(wlk_model_meta(model, 6).u == UINT64_MAX);
    assert_true(wlk_model_meta(model, 7).f == 0.5);
    assert_int_equal(wlk_model_meta(model, 2).i, 8);
    assert_int_equal(wlk_model_find_meta(model, "/metadata/none"), WLK_NONE);
    assert_int_equal(wlk_model_find_meta(model, "x"), WLK_NONE);
}

static void test_selftests(void **state) {
    const wlk_model *model = *state;
    const wlk_selftest first = wlk_model_selftest(model, 0);
    assert_int_equal(first.inputs, 1);
    assert_int_equal(first.outputs, 2);
    assert_true(first.rtol == 1e-6 && first.atol == 0.0);
    assert_int_equal(wlk_model_selftest_input(model, 0, 0), SAMPLE_ROWS_IN);
    assert_int_equal(wlk_model_selftest_output(model, 1, 0), SAMPLE_ROWS_OUT);
    assert_int_equal(wlk_model_selftest_output(model, 1, 1), WLK_F32);
}

static void test_descriptions(void **state) {
    const wlk_model *model = *state;
    assert_string_equal(wlk_model_opset(model, 0).domain, "");
    assert_int_equal(wlk_model_opset(model, 0).version, 17);
    assert_string_equal(wlk_model_opset(model, 1).domain, "org.weighlock");
    const wlk_finding finding = wlk_model_finding(model, 0);
    assert_string_equal(wlk_rule_name(finding.rule), "string.utf8");
    assert_int_equal(finding.severity, WLK_MEDIUM);
    assert_int_equal(finding.offset, SAMPLE_FILE_BYTES - 1);
    assert_int_equal(finding.length, 1);
    assert_string_equal(finding.evidence, "a stray byte");
    assert_int_equal(wlk_model_span(model, 0).kind, WLK_SPAN_ENVELOPE);
    const wlk_span payload = wlk_model_span(model, 3);
    assert_int_equal(payload.kind, WLK_SPAN_PAYLOAD);
    assert_int_equal(payload.offset, SAMPLE_DATA_AT);
    assert_int_equal(payload.tensor, SAMPLE_HELD);
    assert_int_equal(model_tensor_offset(model, SAMPLE_HELD), SAMPLE_DATA_AT);
    assert_true(model_tensor_offset(model, SAMPLE_EMPTY) == WLK_NO_OFFSET);
}

/* Invariants 7 and 11: an index from anywhere is answered, never followed. */
static void test_indices_out_of_range(void **state) {
    const wlk_model *model = *state;
    static const uint32_t bad[] = {99999, EDGE_TENSOR, UINT32_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const uint32_t n = bad[i];
        const wlk_attribute forged = {"", WLK_ATTR_STRINGS, UINT32_MAX, n};
        const wlk_attribute ints = {"", WLK_ATTR_INTS, UINT32_MAX, n};
        assert_string_equal(wlk_model_tensor(model, n).name, "");
        assert_null(wlk_model_tensor(model, n).data);
        assert_int_equal(wlk_model_type(model, n).kind, 0);
        assert_string_equal(wlk_model_value(model, n).name, "");
        assert_string_equal(wlk_model_graph(model, n).name, "");
        assert_int_equal(wlk_model_graph_input(model, n, 0), WLK_NONE);
        assert_int_equal(wlk_model_graph_input(model, 0, n), WLK_NONE);
        assert_int_equal(wlk_model_graph_output(model, n, 0).kind, WLK_REF_NONE);
        assert_int_equal(wlk_model_graph_output(model, 0, n).kind, WLK_REF_NONE);
        assert_string_equal(wlk_model_node(model, n).op, "");
        assert_int_equal(wlk_model_node_input(model, n, 0).kind, WLK_REF_NONE);
        assert_int_equal(wlk_model_node_input(model, 0, n).kind, WLK_REF_NONE);
        assert_int_equal(wlk_model_node_output(model, 0, n).kind, WLK_REF_NONE);
        assert_int_equal(wlk_model_node_output(model, n, 0).kind, WLK_REF_NONE);
        assert_string_equal(wlk_model_attribute(model, n).name, "");
        assert_string_equal(wlk_model_attribute_string(model, &forged, n - 1), "");
        assert_int_equal(wlk_model_attribute_int(model, &ints, n - 1), 0);
        assert_string_equal(wlk_model_meta(model, n).path, "");
        assert_int_equal(wlk_model_selftest(model, n).inputs, 0);
        assert_int_equal(wlk_model_selftest_input(model, n, 0), WLK_NONE);
        assert_int_equal(wlk_model_selftest_output(model, 0, n), WLK_NONE);
        assert_string_equal(wlk_model_opset(model, n).domain, "");
        assert_string_equal(wlk_model_finding(model, n).evidence, "");
        assert_int_equal(wlk_model_span(model, n).length, 0);
    }
    /* numbers that were never strings */
    const wlk_attribute forged = {"", WLK_ATTR_STRINGS, 1u << 20, 0};
    for (uint32_t i = 0; i < 64; i++) {
        assert_non_null(wlk_model_attribute_string(model, &forged, i));
    }
}

static void test_walk(void **state) {
    assert_true(model_walk_all(*state) != 0);
}

static void test_free_of_nothing(void **state) {
    (void)state;
    wlk_model_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_tensors_of_every_dtype),
        cmocka_unit_test(test_tensors_of_every_shape),
        cmocka_unit_test(test_find_tensor),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_graphs),
        cmocka_unit_test(test_nodes),
        cmocka_unit_test(test_attributes_of_one_value),
        cmocka_unit_test(test_attributes_of_many_values),
        cmocka_unit_test(test_attributes_of_graphs),
        cmocka_unit_test(test_attributes_are_sorted),
        cmocka_unit_test(test_metadata),
        cmocka_unit_test(test_selftests),
        cmocka_unit_test(test_descriptions),
        cmocka_unit_test(test_indices_out_of_range),
        cmocka_unit_test(test_walk),
        cmocka_unit_test(test_free_of_nothing),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

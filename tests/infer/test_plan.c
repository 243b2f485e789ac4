/* Plans through the public interface: ports, and graphs that no text case can say. */
#include "infer/model_kit.h"

static wlk_status plan_of(const wlk_model *model, wlk_plan **plan, wlk_error *error) {
    *error = (wlk_error){.status = WLK_OK};
    return wlk_plan_create(model, NULL, plan, error);
}

/* x f32 [batch, 3] and z str of any rank; y = x w, w is f32 [3, 2]. */
static wlk_model *small_model(void) {
    static const int64_t dims[2] = {WLK_UNKNOWN_DIM, 3};
    static const uint64_t shape[2] = {3, 2};
    static const float weights[6] = {1, 2, 3, 4, 5, 6};
    const wlk_tensor w = kit_array("w", WLK_F32, 2, shape, weights);
    model_kit k;
    kit_open(&k);
    kit_opset(&k, "", 13);
    (void)kit_tensor(&k, &w);
    kit_graph(&k);
    kit_input(&k, "x", kit_type(&k, WLK_F32, true, 2, dims));
    kit_input(&k, "z", kit_type(&k, WLK_STR, false, 0, NULL));
    kit_output(&k, "y", IMAGE_NONE);
    kit_output(&k, "z2", IMAGE_NONE);
    kit_output(&k, "w", IMAGE_NONE);
    kit_node(&k, "", "MatMul", KIT_NAMES("x", "w"), 2, KIT_NAMES("y"), 1);
    kit_node(&k, "", "Identity", KIT_NAMES("z"), 1, KIT_NAMES("z2"), 1);
    return kit_close(&k);
}

static void assert_port(wlk_port port, const char *name, wlk_dtype dtype, uint32_t rank,
                        int64_t first, int64_t second) {
    assert_string_equal(port.name, name);
    assert_int_equal(port.dtype, dtype);
    assert_int_equal(port.rank, rank);
    assert_int_equal(port.dims[0], first);
    assert_int_equal(port.dims[1], second);
}

static void test_ports_say_what_is_known(void **state) {
    (void)state;
    wlk_error error;
    wlk_plan *plan = NULL;
    wlk_model *model = small_model();
    assert_rule(&error, plan_of(model, &plan, &error), "ok");
    assert_int_equal(wlk_plan_inputs(plan), 2);
    assert_int_equal(wlk_plan_outputs(plan), 3);
    assert_port(wlk_plan_input(plan, 0), "x", WLK_F32, 2, WLK_UNKNOWN_DIM, 3);
    assert_port(wlk_plan_input(plan, 1), "z", WLK_STR, WLK_NONE, 0, 0);
    assert_port(wlk_plan_output(plan, 0), "y", WLK_F32, 2, WLK_UNKNOWN_DIM, 2);
    assert_port(wlk_plan_output(plan, 1), "z2", WLK_STR, WLK_NONE, 0, 0);
    assert_port(wlk_plan_output(plan, 2), "w", WLK_F32, 2, 3, 2);
    assert_port(wlk_plan_input(plan, 2), "", WLK_DTYPE_NONE, 0, 0, 0);
    assert_port(wlk_plan_output(plan, UINT32_MAX), "", WLK_DTYPE_NONE, 0, 0, 0);
    wlk_plan_free(plan);
    wlk_model_free(model);
}

static void test_a_model_without_a_graph(void **state) {
    (void)state;
    static const uint64_t shape[1] = {1};
    static const float one[1] = {1};
    const wlk_tensor tensor = kit_array("w", WLK_F32, 1, shape, one);
    wlk_error error;
    wlk_plan *plan = NULL;
    model_kit k;
    kit_open(&k);
    (void)kit_tensor(&k, &tensor);
    wlk_model *model = kit_close(&k);
    assert_rule(&error, plan_of(model, &plan, &error), "plan.graph");
    assert_int_equal(error.status, WLK_UNSUPPORTED);
    assert_null(plan);
    wlk_model_free(model);
}

/* An error that nobody wants to see is still an error. */
static void test_error_may_be_null(void **state) {
    (void)state;
    static const int64_t dims[1] = {1};
    wlk_plan *plan = NULL;
    model_kit k;
    kit_open(&k);
    kit_opset(&k, "", 13);
    kit_graph(&k);
    kit_input(&k, "x", kit_type(&k, WLK_F32, true, 1, dims));
    kit_output(&k, "y", IMAGE_NONE);
    kit_node(&k, "", "Nothing", KIT_NAMES("x"), 1, KIT_NAMES("y"), 1);
    wlk_model *model = kit_close(&k);
    assert_int_equal(wlk_plan_create(model, NULL, &plan, NULL), WLK_UNSUPPORTED);
    assert_null(plan);
    wlk_plan_free(plan);
    wlk_model_free(model);
}

/* ---- types that no value of the core can have */

static wlk_model *typed_model(wlk_type_kind kind, wlk_dtype dtype) {
    model_kit k;
    uint32_t type = 0;
    kit_open(&k);
    kit_opset(&k, "", 13);
    wlk_type held = {.kind = WLK_TYPE_TENSOR, .dtype = dtype, .element = WLK_NONE};
    kit_check(&k, assembler_type(k.assembler, &held, &type, &k.error));
    if (kind != WLK_TYPE_TENSOR) {
        const wlk_dtype key = kind == WLK_TYPE_MAP ? WLK_STR : WLK_DTYPE_NONE;
        const wlk_type holder = {.kind = kind, .key_dtype = key, .element = type};
        kit_check(&k, assembler_type(k.assembler, &holder, &type, &k.error));
    }
    kit_graph(&k);
    kit_input(&k, "x", type);
    kit_output(&k, "x", IMAGE_NONE);
    return kit_close(&k);
}

static void test_types_without_values(void **state) {
    (void)state;
    static const struct {
        wlk_type_kind kind;
        wlk_dtype dtype;
        const char *rule;
    } rows[] = {
        {WLK_TYPE_SEQUENCE, WLK_F32, "plan.type"}, {WLK_TYPE_MAP, WLK_F32, "plan.type"},
        {WLK_TYPE_OPTIONAL, WLK_F32, "plan.type"}, {WLK_TYPE_TENSOR, WLK_BLOCK, "plan.type"},
        {WLK_TYPE_TENSOR, WLK_F4E2M1, "ok"},       {WLK_TYPE_TENSOR, WLK_F32, "ok"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        wlk_error error;
        wlk_plan *plan = NULL;
        wlk_model *model = typed_model(rows[i].kind, rows[i].dtype);
        assert_rule(&error, plan_of(model, &plan, &error), rows[i].rule);
        wlk_plan_free(plan);
        wlk_model_free(model);
    }
}

/* A block constant is no value either: not for a node, not as an output. */
static void test_block_constants(void **state) {
    (void)state;
    for (int as_output = 0; as_output < 2; as_output++) {
        static const uint8_t block[18];
        const wlk_tensor tensor = {.name = "q",
                                   .dtype = WLK_BLOCK,
                                   .rank = 1,
                                   .shape = {32},
                                   .data = block,
                                   .nbytes = sizeof block,
                                   .block_kind = "q4_0",
                                   .block_elements = 32,
                                   .block_bytes = 18};
        wlk_error error;
        wlk_plan *plan = NULL;
        model_kit k;
        kit_open(&k);
        kit_opset(&k, "", 21);
        (void)kit_tensor(&k, &tensor);
        kit_graph(&k);
        kit_output(&k, as_output ? "q" : "y", IMAGE_NONE);
        if (!as_output) kit_node(&k, "", "Identity", KIT_NAMES("q"), 1, KIT_NAMES("y"), 1);
        wlk_model *model = kit_close(&k);
        assert_rule(&error, plan_of(model, &plan, &error), as_output ? "plan.type" : "plan.dtype");
        wlk_model_free(model);
    }
}

/* ---- subgraphs */

static void test_subgraphs_are_unsupported_by_name(void **state) {
    (void)state;
    static const int64_t dims[1] = {1};
    const uint64_t graph = 1;
    wlk_error error;
    wlk_plan *plan = NULL;
    model_kit k;
    kit_open(&k);
    kit_opset(&k, "", 13);
    kit_graph(&k);
    kit_input(&k, "x", kit_type(&k, WLK_F32, true, 1, dims));
    kit_output(&k, "y", IMAGE_NONE);
    kit_node(&k, "", "Relu", KIT_NAMES("x"), 1, KIT_NAMES("y"), 1);
    kit_attribute(&k, "then_branch", WLK_ATTR_GRAPH, &graph, 1);
    kit_graph(&k);
    kit_output(&k, "inner", IMAGE_NONE);
    kit_node(&k, "", "Relu", KIT_NAMES("x"), 1, KIT_NAMES("inner"), 1);
    wlk_model *model = kit_close(&k);
    assert_rule(&error, plan_of(model, &plan, &error), "plan.subgraph");
    assert_non_null(strstr(error.text, "then_branch"));
    assert_int_equal(error.status, WLK_UNSUPPORTED);
    wlk_model_free(model);
}

/* A text from the model that could confuse a terminal comes out harmless. */
static void test_errors_show_names_harmlessly(void **state) {
    (void)state;
    static const int64_t dims[1] = {1};
    wlk_error error;
    wlk_plan *plan = NULL;
    model_kit k;
    kit_open(&k);
    kit_opset(&k, "", 13);
    kit_graph(&k);
    kit_input(&k, "x", kit_type(&k, WLK_F32, true, 1, dims));
    kit_output(&k, "y", IMAGE_NONE);
    kit_node(&k, "", "\x1b[2J%s%n", KIT_NAMES("x"), 1, KIT_NAMES("y"), 1);
    wlk_model *model = kit_close(&k);
    assert_rule(&error, plan_of(model, &plan, &error), "plan.operator");
    assert_null(strchr(error.text, 0x1b));
    assert_non_null(strstr(error.text, "%s%n"));
    wlk_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ports_say_what_is_known),
        cmocka_unit_test(test_a_model_without_a_graph),
        cmocka_unit_test(test_error_may_be_null),
        cmocka_unit_test(test_types_without_values),
        cmocka_unit_test(test_block_constants),
        cmocka_unit_test(test_subgraphs_are_unsupported_by_name),
        cmocka_unit_test(test_errors_show_names_harmlessly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

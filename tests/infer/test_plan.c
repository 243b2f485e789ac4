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

/* ---- kinds of values, and types that no value of the core can have */

/* x of `kinds` around each other, from the outside in, around a tensor. */
static wlk_model *typed_model(const wlk_type_kind *kinds, uint32_t count, wlk_dtype dtype) {
    model_kit k;
    uint32_t type = 0;
    kit_open(&k);
    kit_opset(&k, "", 13);
    const wlk_type held = {.kind = WLK_TYPE_TENSOR, .dtype = dtype, .element = WLK_NONE};
    kit_check(&k, assembler_type(k.assembler, &held, &type, &k.error));
    for (uint32_t i = count; i-- > 0;) {
        const wlk_dtype key = kinds[i] == WLK_TYPE_MAP ? WLK_STR : WLK_DTYPE_NONE;
        const wlk_type holder = {.kind = kinds[i], .key_dtype = key, .element = type};
        kit_check(&k, assembler_type(k.assembler, &holder, &type, &k.error));
    }
    kit_graph(&k);
    kit_input(&k, "x", type);
    kit_output(&k, "x", IMAGE_NONE);
    return kit_close(&k);
}

static void test_kinds_of_values(void **state) {
    (void)state;
    static const struct {
        wlk_type_kind kinds[2];
        uint32_t count;
        wlk_dtype dtype;
        const char *rule;
        wlk_value_kind kind;
    } rows[] = {
        {{0}, 0, WLK_F4E2M1, "ok", WLK_VALUE_TENSOR},
        {{0}, 0, WLK_F32, "ok", WLK_VALUE_TENSOR},
        {{0}, 0, WLK_BLOCK, "plan.type", 0},
        {{WLK_TYPE_SEQUENCE}, 1, WLK_F32, "ok", WLK_VALUE_SEQUENCE},
        {{WLK_TYPE_SEQUENCE}, 1, WLK_BLOCK, "plan.type", 0},
        {{WLK_TYPE_MAP}, 1, WLK_F32, "ok", WLK_VALUE_MAP},
        {{WLK_TYPE_SEQUENCE, WLK_TYPE_MAP}, 2, WLK_F32, "ok", WLK_VALUE_MAPS},
        {{WLK_TYPE_OPTIONAL}, 1, WLK_F32, "ok", WLK_VALUE_OPTIONAL},
        {{WLK_TYPE_OPTIONAL, WLK_TYPE_SEQUENCE}, 2, WLK_F32, "ok", WLK_VALUE_OPTIONAL_SEQUENCE},
        {{WLK_TYPE_SEQUENCE, WLK_TYPE_SEQUENCE}, 2, WLK_F32, "plan.type", 0},
        {{WLK_TYPE_OPTIONAL, WLK_TYPE_OPTIONAL}, 2, WLK_F32, "plan.type", 0},
        {{WLK_TYPE_OPTIONAL, WLK_TYPE_MAP}, 2, WLK_F32, "plan.type", 0},
        {{WLK_TYPE_MAP, WLK_TYPE_SEQUENCE}, 2, WLK_F32, "plan.type", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        wlk_error error;
        wlk_plan *plan = NULL;
        wlk_model *model = typed_model(rows[i].kinds, rows[i].count, rows[i].dtype);
        assert_rule(&error, plan_of(model, &plan, &error), rows[i].rule);
        if (plan) {
            const wlk_port port = wlk_plan_input(plan, 0);
            assert_int_equal(port.kind, rows[i].kind);
            assert_int_equal(port.dtype, rows[i].dtype);
            const bool is_map = rows[i].kind == WLK_VALUE_MAP || rows[i].kind == WLK_VALUE_MAPS;
            assert_int_equal(port.key_dtype, is_map ? WLK_STR : WLK_DTYPE_NONE);
        }
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

/* Whoever has no use for a subgraph does not take one. */
static void test_a_subgraph_where_none_belongs(void **state) {
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
    assert_rule(&error, plan_of(model, &plan, &error), "plan.attribute");
    assert_non_null(strstr(error.text, "then_branch"));
    wlk_model_free(model);
}

/* ---- what is known already is computed while planning */

/* y = x reshaped to shape(w)[1:] by way of constants alone; w is f32 [2, 3, 4]. */
static wlk_model *folding_model(int64_t start) {
    static const int64_t dims[1] = {12};
    static const uint64_t shape[3] = {2, 3, 4};
    static const uint64_t one[1] = {1};
    static const float weights[24];
    const int64_t starts[1] = {start}, ends[1] = {3};
    const wlk_tensor w = kit_array("w", WLK_F32, 3, shape, weights);
    const wlk_tensor from = kit_array("from", WLK_I64, 1, one, starts);
    const wlk_tensor to = kit_array("to", WLK_I64, 1, one, ends);
    model_kit k;
    kit_open(&k);
    kit_opset(&k, "", 13);
    (void)kit_tensor(&k, &w);
    (void)kit_tensor(&k, &from);
    (void)kit_tensor(&k, &to);
    kit_graph(&k);
    kit_input(&k, "x", kit_type(&k, WLK_F32, true, 1, dims));
    kit_output(&k, "y", IMAGE_NONE);
    kit_output(&k, "t", IMAGE_NONE);
    kit_node(&k, "", "Shape", KIT_NAMES("w"), 1, KIT_NAMES("s"), 1);
    kit_node(&k, "", "Slice", KIT_NAMES("s", "from", "to"), 3, KIT_NAMES("t"), 1);
    kit_node(&k, "", "Reshape", KIT_NAMES("x", "t"), 2, KIT_NAMES("y"), 1);
    return kit_close(&k);
}

static void test_constants_are_folded(void **state) {
    (void)state;
    wlk_error error;
    wlk_plan *plan = NULL;
    wlk_model *model = folding_model(1);
    assert_rule(&error, plan_of(model, &plan, &error), "ok");
    assert_port(wlk_plan_output(plan, 0), "y", WLK_F32, 2, 3, 4);
    assert_port(wlk_plan_output(plan, 1), "t", WLK_I64, 1, 2, 0);
    wlk_plan_free(plan);
    wlk_model_free(model);
    model = folding_model(0); /* 24 elements, where there are 12 */
    assert_rule(&error, plan_of(model, &plan, &error), "plan.shape");
    wlk_model_free(model);
}

/* The rule of a fold that fails is the plan's refusal, before anything is given. */
static void test_a_fold_that_fails(void **state) {
    (void)state;
    static const int64_t dims[1] = {1};
    static const uint64_t one[1] = {1};
    static const int64_t zeros[1] = {0};
    const wlk_tensor zero = kit_array("zero", WLK_I64, 1, one, zeros);
    wlk_error error;
    wlk_plan *plan = NULL;
    model_kit k;
    kit_open(&k);
    kit_opset(&k, "", 14);
    (void)kit_tensor(&k, &zero);
    kit_graph(&k);
    kit_input(&k, "x", kit_type(&k, WLK_I64, true, 1, dims));
    kit_output(&k, "y", IMAGE_NONE);
    kit_node(&k, "", "Div", KIT_NAMES("zero", "zero"), 2, KIT_NAMES("z"), 1);
    kit_node(&k, "", "Add", KIT_NAMES("x", "z"), 2, KIT_NAMES("y"), 1);
    wlk_model *model = kit_close(&k);
    assert_rule(&error, plan_of(model, &plan, &error), "run.divide");
    assert_null(plan);
    wlk_model_free(model);
}

/* ---- threads */

static void test_threads_have_a_limit(void **state) {
    (void)state;
    static const struct {
        uint32_t threads;
        const char *rule;
    } rows[] = {{0, "ok"}, {1, "ok"}, {3, "ok"}, {WLK_PLAN_THREADS + 1, "plan.threads"}};
    wlk_model *model = small_model();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const wlk_plan_options options = {.threads = rows[i].threads};
        wlk_error error = {.status = WLK_OK};
        wlk_plan *plan = NULL;
        assert_rule(&error, wlk_plan_create_with(model, NULL, &options, &plan, &error),
                    rows[i].rule);
        wlk_plan_free(plan);
    }
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
        cmocka_unit_test(test_kinds_of_values),
        cmocka_unit_test(test_block_constants),
        cmocka_unit_test(test_a_subgraph_where_none_belongs),
        cmocka_unit_test(test_constants_are_folded),
        cmocka_unit_test(test_a_fold_that_fails),
        cmocka_unit_test(test_threads_have_a_limit),
        cmocka_unit_test(test_errors_show_names_harmlessly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Subgraphs, sequences, and shapes that depend on content: by cases, and through the
 * public interface. */
#include "infer/case_file.h"

#include <weighlock/memory.h>

static void test_cases(void **state) {
    (void)state;
    assert_true(run_case_file("tests/infer/cases/control.txt") >= 45);
}

/* ---- values that are not tensors, in and out */

static uint32_t kit_kind(model_kit *k, wlk_type_kind kind, uint32_t element) {
    const wlk_type type = {.kind = kind, .element = element};
    uint32_t index = 0;
    kit_check(k, assembler_type(k->assembler, &type, &index, &k->error));
    return index;
}

static wlk_plan *plan_of(const wlk_model *model, const wlk_plan_options *options) {
    wlk_plan *plan = NULL;
    wlk_error error = {.status = WLK_OK};
    assert_rule(&error, wlk_plan_create_with(model, NULL, options, &plan, &error), "ok");
    return plan;
}

/* A sequence goes in and comes out longer; the optional comes out as it is. */
static wlk_model *sequence_model(void) {
    model_kit k;
    kit_open(&k);
    kit_opset(&k, "", 18);
    const uint32_t tensor = kit_type(&k, WLK_F32, false, 0, NULL);
    kit_graph(&k);
    kit_input(&k, "s", kit_kind(&k, WLK_TYPE_SEQUENCE, tensor));
    kit_input(&k, "x", tensor);
    kit_input(&k, "o", kit_kind(&k, WLK_TYPE_OPTIONAL, tensor));
    kit_output(&k, "t", IMAGE_NONE);
    kit_output(&k, "o2", IMAGE_NONE);
    kit_output(&k, "s", IMAGE_NONE);
    kit_node(&k, "", "SequenceInsert", KIT_NAMES("s", "x"), 2, KIT_NAMES("t"), 1);
    kit_node(&k, "", "Identity", KIT_NAMES("o"), 1, KIT_NAMES("o2"), 1);
    return kit_close(&k);
}

static const uint64_t shape_1[1] = {1};
static const uint64_t shape_2[1] = {2};

static void test_sequences_and_optionals(void **state) {
    (void)state;
    _Alignas(64) static const float numbers[4] = {1, 2, 3, 4};
    const wlk_tensor items[2] = {kit_array("", WLK_F32, 1, shape_1, numbers),
                                 kit_array("", WLK_F32, 1, shape_2, numbers + 1)};
    const wlk_tensor x = kit_array("", WLK_F32, 1, shape_1, numbers + 3);
    wlk_model *model = sequence_model();
    wlk_plan *plan = plan_of(model, NULL);
    assert_int_equal(wlk_plan_input(plan, 0).kind, WLK_VALUE_SEQUENCE);
    assert_int_equal(wlk_plan_input(plan, 2).kind, WLK_VALUE_OPTIONAL);
    for (uint64_t there = 0; there < 2; there++) {
        wlk_result *result = NULL;
        wlk_error error = {.status = WLK_OK};
        const wlk_argument arguments[3] = {{WLK_VALUE_SEQUENCE, items, 2},
                                           {WLK_VALUE_TENSOR, &x, 1},
                                           {WLK_VALUE_OPTIONAL, &x, there}};
        assert_rule(&error, wlk_run_arguments(plan, arguments, 3, &result, &error), "ok");
        assert_int_equal(wlk_result_kind(result, 0), WLK_VALUE_SEQUENCE);
        assert_int_equal(wlk_result_items(result, 0), 3);
        assert_float_equal(((const float *)wlk_result_item(result, 0, 1).data)[1], 3, 0);
        assert_float_equal(((const float *)wlk_result_item(result, 0, 2).data)[0], 4, 0);
        assert_null(wlk_result_item(result, 0, 3).data);
        assert_string_equal(wlk_result_tensor(result, 0).name, "t");
        assert_null(wlk_result_tensor(result, 0).data);
        const wlk_value_kind kind = there ? WLK_VALUE_TENSOR : WLK_VALUE_OPTIONAL;
        assert_int_equal(wlk_result_kind(result, 1), kind);
        assert_int_equal(wlk_result_items(result, 1), there);
        if (there) assert_float_equal(*(const float *)wlk_result_tensor(result, 1).data, 4, 0);
        assert_int_equal(wlk_result_items(result, 2), 2);
        assert_ptr_not_equal(wlk_result_item(result, 2, 0).data, numbers);
        wlk_result_free(result);
    }
    wlk_plan_free(plan);
    wlk_model_free(model);
}

static void test_arguments_of_another_kind(void **state) {
    (void)state;
    _Alignas(64) static const float numbers[4] = {1, 2, 3, 4};
    _Alignas(64) static const int64_t whole[1] = {1};
    const wlk_tensor x = kit_array("", WLK_F32, 1, shape_1, numbers);
    const wlk_tensor other = kit_array("", WLK_I64, 1, shape_1, whole);
    const wlk_tensor two[2] = {x, x};
    const wlk_argument good[3] = {
        {WLK_VALUE_SEQUENCE, two, 2}, {WLK_VALUE_TENSOR, &x, 1}, {WLK_VALUE_TENSOR, &x, 1}};
    const struct {
        uint32_t place;
        wlk_argument argument;
        const char *words;
    } rows[] = {
        {0, {WLK_VALUE_TENSOR, &x, 1}, "of another kind"},
        {0, {WLK_VALUE_MAP, two, 2}, "of another kind"},
        {0, {WLK_VALUE_SEQUENCE, &other, 1}, "its dtype differs"},
        {0, {WLK_VALUE_SEQUENCE, NULL, 1}, "there are no items"},
        {1, {WLK_VALUE_SEQUENCE, two, 2}, "of another kind"},
        {1, {WLK_VALUE_TENSOR, two, 2}, "a tensor is one item"},
        {1, {WLK_VALUE_TENSOR, NULL, 0}, "a tensor is one item"},
        {2, {WLK_VALUE_OPTIONAL, two, 2}, "one tensor at most"},
        {2, {WLK_VALUE_OPTIONAL, &other, 1}, "its dtype differs"},
    };
    wlk_model *model = sequence_model();
    wlk_plan *plan = plan_of(model, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        wlk_argument arguments[3] = {good[0], good[1], good[2]};
        wlk_result *result = NULL;
        wlk_error error = {.status = WLK_OK};
        arguments[rows[i].place] = rows[i].argument;
        assert_rule(&error, wlk_run_arguments(plan, arguments, 3, &result, &error), "run.input");
        assert_null(result);
        if (!strstr(error.text, rows[i].words)) fail_msg("%zu: %s", i, error.text);
    }
    wlk_plan_free(plan);
    wlk_model_free(model);
}

static void test_zipmap(void **state) {
    (void)state;
    _Alignas(64) static const float scores[4] = {0.25F, 0.75F, 1, 0};
    static const uint64_t shape[2] = {2, 2};
    static const int64_t dims[2] = {WLK_UNKNOWN_DIM, 2};
    wlk_result *result = NULL;
    wlk_error error = {.status = WLK_OK};
    model_kit k;
    kit_open(&k);
    kit_opset(&k, "ai.onnx.ml", 1);
    kit_graph(&k);
    kit_input(&k, "x", kit_type(&k, WLK_F32, true, 2, dims));
    kit_output(&k, "m", IMAGE_NONE);
    kit_node(&k, "ai.onnx.ml", "ZipMap", KIT_NAMES("x"), 1, KIT_NAMES("m"), 1);
    kit_texts(&k, "classlabels_strings", WLK_ATTR_STRINGS, KIT_NAMES("no", "yes"), 2);
    wlk_model *model = kit_close(&k);
    wlk_plan *plan = plan_of(model, NULL);
    assert_int_equal(wlk_plan_output(plan, 0).kind, WLK_VALUE_MAPS);
    assert_int_equal(wlk_plan_output(plan, 0).key_dtype, WLK_STR);
    const wlk_tensor x = kit_array("x", WLK_F32, 2, shape, scores);
    assert_rule(&error, wlk_run(plan, &x, 1, &result, &error), "ok");
    assert_int_equal(wlk_result_kind(result, 0), WLK_VALUE_MAPS);
    assert_int_equal(wlk_result_items(result, 0), 2);
    const wlk_tensor keys = wlk_result_item(result, 0, 0);
    const wlk_tensor values = wlk_result_item(result, 0, 1);
    assert_memory_equal((const char *)keys.data + 24, "noyes", 5);
    assert_int_equal(values.rank, 2);
    assert_memory_equal(values.data, scores, sizeof scores);
    wlk_result_free(result);
    wlk_plan_free(plan);
    wlk_model_free(model);
}

/* ---- a model with something of everything, for what follows */

static wlk_model *rich_model(void) {
    static const int64_t dims[2] = {WLK_UNKNOWN_DIM, 3};
    const uint64_t body = 1, branches[2] = {2, 3};
    model_kit k;
    kit_open(&k);
    kit_opset(&k, "", 18);
    kit_graph(&k);
    kit_input(&k, "x", kit_type(&k, WLK_F32, true, 2, dims));
    kit_input(&k, "n", kit_type(&k, WLK_I64, true, 0, NULL));
    kit_output(&k, "list", IMAGE_NONE);
    kit_output(&k, "sum", IMAGE_NONE);
    kit_output(&k, "where", IMAGE_NONE);
    kit_output(&k, "steps", IMAGE_NONE);
    kit_node(&k, "", "Relu", KIT_NAMES("x"), 1, KIT_NAMES("r"), 1);
    kit_node(&k, "", "NonZero", KIT_NAMES("r"), 1, KIT_NAMES("where"), 1);
    kit_node(&k, "", "SequenceConstruct", KIT_NAMES("r", "x"), 2, KIT_NAMES("s"), 1);
    kit_node(&k, "", "Loop", KIT_NAMES("n", "", "r", "s"), 4, KIT_NAMES("sum", "list", "steps"), 3);
    kit_attribute(&k, "body", WLK_ATTR_GRAPH, &body, 1);
    kit_graph(&k);
    kit_input(&k, "i", IMAGE_NONE);
    kit_input(&k, "c", IMAGE_NONE);
    kit_input(&k, "v", IMAGE_NONE);
    kit_input(&k, "l", IMAGE_NONE);
    kit_output(&k, "c", IMAGE_NONE);
    kit_output(&k, "w", IMAGE_NONE);
    kit_output(&k, "m", IMAGE_NONE);
    kit_output(&k, "i", IMAGE_NONE);
    kit_node(&k, "", "Cast", KIT_NAMES("i"), 1, KIT_NAMES("odd"), 1);
    kit_attribute(&k, "to", WLK_ATTR_DTYPE, (const uint64_t[]){WLK_BOOL}, 1);
    kit_node(&k, "", "If", KIT_NAMES("odd"), 1, KIT_NAMES("w"), 1);
    kit_attribute(&k, "else_branch", WLK_ATTR_GRAPH, &branches[0], 1);
    kit_attribute(&k, "then_branch", WLK_ATTR_GRAPH, &branches[1], 1);
    kit_node(&k, "", "SequenceInsert", KIT_NAMES("l", "w"), 2, KIT_NAMES("m"), 1);
    kit_graph(&k);
    kit_output(&k, "e", IMAGE_NONE);
    kit_node(&k, "", "Add", KIT_NAMES("v", "x"), 2, KIT_NAMES("e"), 1);
    kit_graph(&k);
    kit_output(&k, "v", IMAGE_NONE);
    return kit_close(&k);
}

enum { RICH_ROWS = 40 };

static wlk_status run_rich(const wlk_plan *plan, wlk_result **result, wlk_error *error) {
    _Alignas(64) static float x[RICH_ROWS * 3];
    static const uint64_t shape[2] = {RICH_ROWS, 3};
    static const int64_t rounds = 5;
    for (uint32_t i = 0; i < RICH_ROWS * 3; i++) x[i] = (float)((int)(i * 29 % 67) - 33) / 16;
    const wlk_tensor inputs[2] = {kit_array("x", WLK_F32, 2, shape, x),
                                  kit_array("n", WLK_I64, 0, NULL, &rounds)};
    return wlk_run(plan, inputs, 2, result, error);
}

static void assert_same(const wlk_tensor *a, const wlk_tensor *b) {
    assert_int_equal(a->nbytes, b->nbytes);
    if (a->nbytes > 0) assert_memory_equal(a->data, b->data, a->nbytes);
}

/* Any number of threads gives the same bits. */
static void test_threads_give_the_same_bits(void **state) {
    (void)state;
    wlk_model *model = rich_model();
    wlk_result *results[2] = {NULL};
    for (uint32_t i = 0; i < 2; i++) {
        const wlk_plan_options options = {.threads = i ? 4 : 1};
        wlk_plan *plan = plan_of(model, &options);
        wlk_error error = {.status = WLK_OK};
        assert_rule(&error, run_rich(plan, &results[i], &error), "ok");
        wlk_plan_free(plan);
    }
    assert_int_equal(wlk_result_items(results[0], 0), 7);
    for (uint32_t i = 0; i < wlk_result_count(results[0]); i++) {
        assert_int_equal(wlk_result_kind(results[0], i), wlk_result_kind(results[1], i));
        for (uint64_t k = 0; k < wlk_result_items(results[0], i); k++) {
            const wlk_tensor a = wlk_result_item(results[0], i, k);
            const wlk_tensor b = wlk_result_item(results[1], i, k);
            assert_same(&a, &b);
        }
    }
    wlk_result_free(results[0]);
    wlk_result_free(results[1]);
    wlk_model_free(model);
}

/* ---- memory that is not there */

typedef struct counting {
    uint64_t asked;
    uint64_t failing; /* the allocation that is refused; 0: none */
    int64_t held;
} counting;

static void *counting_allocate(void *context, size_t size, size_t alignment) {
    counting *c = context;
    if (++c->asked == c->failing) return NULL;
    void *memory = aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
    c->held += memory != NULL;
    return memory;
}

static void *counting_resize(void *context, void *memory, size_t size) {
    counting *c = context;
    if (++c->asked == c->failing) return NULL;
    void *resized = realloc(memory, size);
    c->held += !memory && resized;
    return resized;
}

static void counting_release(void *context, void *memory) {
    ((counting *)context)->held--;
    free(memory);
}

/* Each allocation in turn is refused: planning or the run says so, and nothing is left. */
static void test_every_allocation_may_fail(void **state) {
    (void)state;
    counting c = {.asked = 0};
    const wlk_allocator allocator = {&c, counting_allocate, counting_resize, counting_release};
    wlk_allocator_set(&allocator);
    wlk_model *model = rich_model();
    const int64_t before = c.held;
    wlk_status status = WLK_SYSTEM;
    uint64_t n = 1;
    for (; status != WLK_OK; n++) {
        wlk_plan *plan = NULL;
        wlk_result *result = NULL;
        wlk_error error = {.status = WLK_OK};
        c.asked = 0;
        c.failing = n;
        status = wlk_plan_create(model, NULL, &plan, &error);
        if (status == WLK_OK) status = run_rich(plan, &result, &error);
        if (status != WLK_OK) assert_rule(&error, status, "internal.memory");
        assert_true((result != NULL) == (status == WLK_OK));
        wlk_result_free(result);
        wlk_plan_free(plan);
        assert_int_equal(c.held, before);
        assert_true(n < 1000);
    }
    assert_true(n > 20); /* else nothing was tried */
    c.failing = 0;
    wlk_model_free(model);
    wlk_allocator_set(NULL);
}

/* A graph whose shapes follow from its inputs' is measured as a whole: three allocations
 * at most, however many nodes there are. */
static void test_a_plain_graph_takes_memory_once(void **state) {
    (void)state;
    static const int64_t dims[2] = {WLK_UNKNOWN_DIM, 3};
    _Alignas(64) static float x[3000];
    static const uint64_t shape[2] = {1000, 3};
    counting c = {.asked = 0};
    const wlk_allocator allocator = {&c, counting_allocate, counting_resize, counting_release};
    wlk_error error = {.status = WLK_OK};
    wlk_result *result = NULL;
    wlk_allocator_set(&allocator);
    model_kit k;
    kit_open(&k);
    kit_opset(&k, "", 13);
    kit_graph(&k);
    kit_input(&k, "v0", kit_type(&k, WLK_F32, true, 2, dims));
    kit_output(&k, "v20", IMAGE_NONE);
    for (uint32_t i = 0; i < 20; i++) {
        char names[2][8];
        (void)snprintf(names[0], sizeof names[0], "v%u", i);
        (void)snprintf(names[1], sizeof names[1], "v%u", i + 1);
        kit_node(&k, "", "Tanh", KIT_NAMES(names[0]), 1, KIT_NAMES(names[1]), 1);
    }
    wlk_model *model = kit_close(&k);
    wlk_plan *plan = plan_of(model, NULL);
    const wlk_tensor input = kit_array("x", WLK_F32, 2, shape, x);
    c.asked = 0;
    assert_rule(&error, wlk_run(plan, &input, 1, &result, &error), "ok");
    assert_in_range(c.asked, 1, 3);
    wlk_result_free(result);
    wlk_plan_free(plan);
    wlk_model_free(model);
    wlk_allocator_set(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_sequences_and_optionals),
        cmocka_unit_test(test_arguments_of_another_kind),
        cmocka_unit_test(test_zipmap),
        cmocka_unit_test(test_threads_give_the_same_bits),
        cmocka_unit_test(test_every_allocation_may_fail),
        cmocka_unit_test(test_a_plain_graph_takes_memory_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

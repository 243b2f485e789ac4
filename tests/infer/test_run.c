/* Runs through the public interface: what is checked of inputs, what a result
 * owns, where the limits lie, and that a plan can be shared by threads. */
#include "infer/model_kit.h"

#include <pthread.h>

/* ---- models */

/* y = relu(x w1) w2 and its labels; x is f32 [batch, 4]. */
static wlk_model *net_model(void) {
    static const int64_t dims[2] = {WLK_UNKNOWN_DIM, 4};
    static const uint64_t shape1[2] = {4, 64};
    static const uint64_t shape2[2] = {64, 3};
    static float w1[256];
    static float w2[192];
    for (uint32_t i = 0; i < 256; i++) w1[i] = (float)((int)(i * 37 % 101) - 50) / 64;
    for (uint32_t i = 0; i < 192; i++) w2[i] = (float)((int)(i * 53 % 89) - 44) / 64;
    const wlk_tensor first = kit_array("w1", WLK_F32, 2, shape1, w1);
    const wlk_tensor second = kit_array("w2", WLK_F32, 2, shape2, w2);
    model_kit k;
    kit_open(&k);
    kit_opset(&k, "", 13);
    (void)kit_tensor(&k, &first);
    (void)kit_tensor(&k, &second);
    kit_graph(&k);
    kit_input(&k, "x", kit_type(&k, WLK_F32, true, 2, dims));
    kit_output(&k, "p", IMAGE_NONE);
    kit_output(&k, "label", IMAGE_NONE);
    kit_node(&k, "", "MatMul", KIT_NAMES("x", "w1"), 2, KIT_NAMES("a"), 1);
    kit_node(&k, "", "Relu", KIT_NAMES("a"), 1, KIT_NAMES("b"), 1);
    kit_node(&k, "", "MatMul", KIT_NAMES("b", "w2"), 2, KIT_NAMES("c"), 1);
    kit_node(&k, "", "Softmax", KIT_NAMES("c"), 1, KIT_NAMES("p"), 1);
    kit_node(&k, "", "ArgMax", KIT_NAMES("p"), 1, KIT_NAMES("label"), 1);
    kit_int(&k, "axis", 1);
    return kit_close(&k);
}

/* x goes through untouched. */
static wlk_model *same_model(wlk_dtype dtype) {
    model_kit k;
    kit_open(&k);
    kit_opset(&k, "", 21);
    kit_graph(&k);
    kit_input(&k, "x", kit_type(&k, dtype, false, 0, NULL));
    kit_output(&k, "y", IMAGE_NONE);
    kit_node(&k, "", "Identity", KIT_NAMES("x"), 1, KIT_NAMES("y"), 1);
    return kit_close(&k);
}

static wlk_plan *plan_with(const wlk_model *model, uint64_t run_bytes) {
    wlk_limits limits;
    wlk_error error = {.status = WLK_OK};
    wlk_plan *plan = NULL;
    wlk_limits_default(&limits);
    if (run_bytes > 0) limits.run_bytes = run_bytes;
    assert_rule(&error, wlk_plan_create(model, &limits, &plan, &error), "ok");
    return plan;
}

/* ---- inputs */

static void assert_input(wlk_dtype dtype, const wlk_tensor *input, const char *rule,
                         const char *words) {
    wlk_error error = {.status = WLK_OK};
    wlk_result *result = NULL;
    wlk_model *model = same_model(dtype);
    wlk_plan *plan = plan_with(model, 0);
    const wlk_status status = wlk_run(plan, input, 1, &result, &error);
    assert_rule(&error, status, rule);
    if (status != WLK_OK && !strstr(error.text, words)) fail_msg("no '%s': %s", words, error.text);
    if (status == WLK_OK) wlk_result_free(result);
    wlk_plan_free(plan);
    wlk_model_free(model);
}

static void test_what_is_wrong_with_an_input(void **state) {
    (void)state;
    _Alignas(64) static uint8_t bytes[256];
    static const uint64_t two[1] = {2};
    wlk_tensor t = kit_array("", WLK_F32, 1, two, bytes);
    assert_input(WLK_F32, &t, "ok", "");
    t.data = bytes + 1;
    assert_input(WLK_F32, &t, "run.input", "not aligned");
    t.data = bytes + 4;
    assert_input(WLK_F32, &t, "ok", "");
    t.nbytes = 7;
    assert_input(WLK_F32, &t, "run.input", "nbytes");
    t.nbytes = 12;
    assert_input(WLK_F32, &t, "run.input", "nbytes");
    t.nbytes = 8;
    t.data = NULL;
    assert_input(WLK_F32, &t, "run.input", "there is no data");
    t.rank = 9;
    assert_input(WLK_F32, &t, "run.input", "too large");
    t.rank = 3;
    t.shape[0] = t.shape[1] = t.shape[2] = UINT64_C(1) << 32;
    assert_input(WLK_F32, &t, "run.input", "too large");
    t.shape[2] = 0; /* nothing in it, but its dims do not multiply */
    assert_input(WLK_F32, &t, "run.input", "too large");
    t.rank = 1;
    t.shape[0] = UINT64_C(1) << 62;
    t.nbytes = 0;
    assert_input(WLK_F32, &t, "run.input", "does not fit in memory");
    t.shape[0] = UINT64_MAX;
    assert_input(WLK_F32, &t, "run.input", "too large");
    t.shape[0] = 0;
    assert_input(WLK_F32, &t, "ok", ""); /* no data is needed for nothing */
}

static void test_what_is_wrong_with_elements(void **state) {
    (void)state;
    _Alignas(64) static uint8_t bytes[256];
    static const uint64_t three[1] = {3};
    wlk_tensor t = kit_array("", WLK_BOOL, 1, three, bytes);
    assert_input(WLK_BOOL, &t, "ok", "");
    bytes[2] = 2;
    assert_input(WLK_BOOL, &t, "run.input", "not valid");
    t = kit_array("", WLK_U4, 1, three, bytes);
    bytes[1] = 0x0f;
    assert_input(WLK_U4, &t, "ok", "");
    bytes[1] = 0x1f;
    assert_input(WLK_U4, &t, "run.input", "not valid");
}

static void test_what_is_wrong_with_strings(void **state) {
    (void)state;
    static const struct {
        uint64_t offsets[3];
        uint64_t nbytes;
        const char *rule;
    } rows[] = {
        {{0, 1, 4}, 28, "ok"},
        {{0, 4, 4}, 28, "ok"},
        {{1, 1, 4}, 28, "run.input"},          /* the first is not 0 */
        {{0, 3, 1}, 28, "run.input"},          /* descending */
        {{0, 1, 5}, 28, "run.input"},          /* behind the end */
        {{0, UINT64_MAX, 4}, 28, "run.input"}, /* far behind it */
        {{0, 1, 3}, 28, "run.input"},          /* a byte is left over */
        {{0, 1, 4}, 23, "run.input"},          /* no room for the offsets */
        {{0, 1, 4}, 0, "run.input"},           /* nor for any */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char bytes[28];
        for (uint32_t j = 0; j < 3; j++) store_u64(bytes + 8 * j, rows[i].offsets[j]);
        memcpy(bytes + 24, "text", 4);
        const wlk_tensor t = {
            .dtype = WLK_STR, .rank = 1, .shape = {2}, .data = bytes, .nbytes = rows[i].nbytes};
        assert_input(WLK_STR, &t, rows[i].rule, "not valid");
    }
    const wlk_tensor none = {.dtype = WLK_STR, .rank = 1, .shape = {0}};
    assert_input(WLK_STR, &none, "run.input", "no string offsets");
}

/* ---- results */

/* x, reshaped to itself: the rows of a run say how many dims are wanted. */
static void test_dims_on_both_sides(void **state) {
    (void)state;
    int64_t x[16] __attribute__((aligned(64))) = {1, 1, 1, 1, 1, 1, 2, 4, 1};
    static const struct {
        uint64_t count;
        const char *rule;
    } cases[] = {{8, "ok"}, {9, "run.shape"}};
    model_kit k;
    kit_open(&k);
    kit_opset(&k, "", 21);
    kit_graph(&k);
    kit_input(&k, "x", kit_type(&k, WLK_I64, true, 1, (const int64_t[]){WLK_UNKNOWN_DIM}));
    kit_output(&k, "y", IMAGE_NONE);
    kit_node(&k, "", "Reshape", KIT_NAMES("x", "x"), 2, KIT_NAMES("y"), 1);
    wlk_model *model = kit_close(&k);
    wlk_plan *plan = plan_with(model, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        wlk_result *result = NULL;
        wlk_error error = {.status = WLK_OK};
        const wlk_tensor input = kit_array("x", WLK_I64, 1, &cases[i].count, x);
        assert_rule(&error, wlk_run(plan, &input, 1, &result, &error), cases[i].rule);
        wlk_result_free(result);
    }
    wlk_plan_free(plan);
    wlk_model_free(model);
}

static void fill_rows(float *x, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) x[i] = (float)((int)(i * 29 % 67) - 33) / 16;
}

static wlk_tensor rows_of(const float *x, uint64_t rows) {
    const uint64_t shape[2] = {rows, 4};
    return kit_array("x", WLK_F32, 2, shape, x);
}

/* A result lives on after everything that made it. */
static void test_a_result_owns_its_memory(void **state) {
    (void)state;
    _Alignas(64) float x[12];
    wlk_error error = {.status = WLK_OK};
    wlk_result *result = NULL;
    wlk_model *model = net_model();
    wlk_plan *plan = plan_with(model, 0);
    fill_rows(x, 12);
    const wlk_tensor input = rows_of(x, 3);
    assert_rule(&error, wlk_run(plan, &input, 1, &result, &error), "ok");
    wlk_plan_free(plan);
    wlk_model_free(model);
    memset(x, 0, sizeof x);
    assert_int_equal(wlk_result_count(result), 2);
    const wlk_tensor p = wlk_result_tensor(result, 0);
    const wlk_tensor label = wlk_result_tensor(result, 1);
    assert_string_equal(p.name, "p");
    assert_string_equal(label.name, "label");
    assert_int_equal(p.count, 9);
    assert_int_equal(p.nbytes, 36);
    assert_int_equal((uintptr_t)p.data % 64, 0);
    assert_int_equal((uintptr_t)label.data % 64, 0);
    for (uint32_t i = 0; i < 3; i++) {
        const float *row = (const float *)p.data + (size_t)i * 3;
        const int64_t best = ((const int64_t *)label.data)[i];
        assert_in_range(best, 0, 2);
        for (uint32_t j = 0; j < 3; j++) assert_true(row[best] >= row[j]);
        assert_true(row[0] + row[1] + row[2] > 0.9999f && row[0] + row[1] + row[2] < 1.0001f);
    }
    assert_int_equal(wlk_result_tensor(result, 2).nbytes, 0);
    assert_string_equal(wlk_result_tensor(result, 2).name, "");
    wlk_result_free(result);
    wlk_result_free(NULL);
}

/* ---- limits */

static wlk_status run_within(uint64_t run_bytes, uint64_t rows, const float *x, wlk_error *error) {
    wlk_result *result = NULL;
    wlk_model *model = net_model();
    wlk_plan *plan = plan_with(model, run_bytes);
    const wlk_tensor input = rows_of(x, rows);
    const wlk_status status = wlk_run(plan, &input, 1, &result, error);
    if (status == WLK_OK) wlk_result_free(result);
    wlk_plan_free(plan);
    wlk_model_free(model);
    return status;
}

/* The refusal names the bytes needed; exactly these are enough, one less is not. */
static void test_run_bytes_on_both_sides(void **state) {
    (void)state;
    _Alignas(64) static float x[400];
    wlk_error error = {.status = WLK_OK};
    unsigned long long needed = 0;
    unsigned long long limit = 0;
    const uint64_t tight = 20000;
    assert_rule(&error, run_within(tight, 100, x, &error), "run.memory");
    assert_int_equal(error.status, WLK_LIMIT);
    assert_int_equal(sscanf(error.text, "%llu bytes, the limit is %llu", &needed, &limit), 2);
    assert_int_equal(limit, tight);
    /* 100 rows: two values of 64 floats are alive at once, two of 3, one label */
    assert_in_range(needed, 100 * (2 * 64 * 4), 100 * (2 * 64 + 2 * 3 + 2) * 4 + 8192);
    assert_rule(&error, run_within(needed, 100, x, &error), "ok");
    assert_rule(&error, run_within(needed - 1, 100, x, &error), "run.memory");
}

/* Rows that a file of nothing could ask for: refused before anything is taken. */
static void test_invariant_7_a_run_of_a_terabyte(void **state) {
    (void)state;
    static const int64_t column[2] = {WLK_UNKNOWN_DIM, 1};
    static const int64_t row[2] = {1, WLK_UNKNOWN_DIM};
    wlk_error error = {.status = WLK_OK};
    wlk_result *result = NULL;
    model_kit k;
    kit_open(&k);
    kit_opset(&k, "", 14);
    kit_graph(&k);
    kit_input(&k, "a", kit_type(&k, WLK_I8, true, 2, column));
    kit_input(&k, "b", kit_type(&k, WLK_I8, true, 2, row));
    kit_output(&k, "y", IMAGE_NONE);
    kit_node(&k, "", "Add", KIT_NAMES("a", "b"), 2, KIT_NAMES("y"), 1);
    wlk_model *model = kit_close(&k);
    wlk_plan *plan = plan_with(model, 0);
    const uint64_t million = 1u << 20;
    int8_t *ones = calloc(million, 1);
    assert_non_null(ones);
    const wlk_tensor inputs[2] = {
        {.dtype = WLK_I8, .rank = 2, .shape = {million, 1}, .data = ones, .nbytes = million},
        {.dtype = WLK_I8, .rank = 2, .shape = {1, million}, .data = ones, .nbytes = million}};
    assert_rule(&error, wlk_run(plan, inputs, 2, &result, &error), "run.memory");
    free(ones);
    wlk_plan_free(plan);
    wlk_model_free(model);
}

/* A dense product counts in 31 bits: what does not fit is refused, though nothing is in it. */
static void test_a_matrix_too_long_for_a_product(void **state) {
    (void)state;
    static const int64_t dims[2] = {WLK_UNKNOWN_DIM, WLK_UNKNOWN_DIM};
    static const struct {
        uint64_t rows;
        const char *rule;
    } cases[] = {{INT32_MAX, "ok"}, {(uint64_t)INT32_MAX + 1, "run.matrix"}};
    for (uint32_t i = 0; i < 2; i++) {
        wlk_error error = {.status = WLK_OK};
        wlk_result *result = NULL;
        model_kit k;
        kit_open(&k);
        kit_opset(&k, "", 13);
        kit_graph(&k);
        kit_input(&k, "a", kit_type(&k, WLK_F64, true, 2, dims));
        kit_input(&k, "b", kit_type(&k, WLK_F64, true, 2, dims));
        kit_output(&k, "y", IMAGE_NONE);
        kit_node(&k, "", "Gemm", KIT_NAMES("a", "b"), 2, KIT_NAMES("y"), 1);
        wlk_model *model = kit_close(&k);
        wlk_plan *plan = plan_with(model, 0);
        const wlk_tensor inputs[2] = {
            {.dtype = WLK_F64, .rank = 2, .shape = {cases[i].rows, 0}},
            {.dtype = WLK_F64, .rank = 2, .shape = {0, 0}},
        };
        const wlk_status status = wlk_run(plan, inputs, 2, &result, &error);
        assert_rule(&error, status, cases[i].rule);
        if (status == WLK_OK) wlk_result_free(result);
        wlk_plan_free(plan);
        wlk_model_free(model);
    }
}

/* ---- threads */

enum { THREADS = 2, THREAD_RUNS = 5000, THREAD_ROWS = 37 };

typedef struct thread_work {
    const wlk_plan *plan;
    const wlk_tensor *input;
    const wlk_tensor *expected; /* of both outputs */
    uint32_t agreed;
} thread_work;

/* No assertions here: cmocka's are for one thread. */
static void *thread_main(void *context) {
    thread_work *work = context;
    for (uint32_t i = 0; i < THREAD_RUNS; i++) {
        wlk_result *result = NULL;
        if (wlk_run(work->plan, work->input, 1, &result, NULL) != WLK_OK) return NULL;
        bool same = true;
        for (uint32_t j = 0; j < 2; j++) {
            const wlk_tensor got = wlk_result_tensor(result, j);
            const wlk_tensor *want = &work->expected[j];
            same =
                same && got.nbytes == want->nbytes && memcmp(got.data, want->data, got.nbytes) == 0;
        }
        work->agreed += same;
        wlk_result_free(result);
    }
    return NULL;
}

static void test_threads_share_a_plan(void **state) {
    (void)state;
    _Alignas(64) static float x[THREAD_ROWS * 4];
    wlk_error error = {.status = WLK_OK};
    wlk_result *alone = NULL;
    pthread_t threads[THREADS];
    thread_work work[THREADS];
    wlk_model *model = net_model();
    wlk_plan *plan = plan_with(model, 0);
    fill_rows(x, THREAD_ROWS * 4);
    const wlk_tensor input = rows_of(x, THREAD_ROWS);
    assert_rule(&error, wlk_run(plan, &input, 1, &alone, &error), "ok");
    const wlk_tensor expected[2] = {wlk_result_tensor(alone, 0), wlk_result_tensor(alone, 1)};
    for (uint32_t i = 0; i < THREADS; i++) {
        work[i] = (thread_work){.plan = plan, .input = &input, .expected = expected};
        assert_int_equal(pthread_create(&threads[i], NULL, thread_main, &work[i]), 0);
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(work[i].agreed, THREAD_RUNS);
    }
    wlk_result_free(alone);
    wlk_plan_free(plan);
    wlk_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_wrong_with_an_input),
        cmocka_unit_test(test_what_is_wrong_with_elements),
        cmocka_unit_test(test_what_is_wrong_with_strings),
        cmocka_unit_test(test_dims_on_both_sides),
        cmocka_unit_test(test_a_result_owns_its_memory),
        cmocka_unit_test(test_run_bytes_on_both_sides),
        cmocka_unit_test(test_invariant_7_a_run_of_a_terabyte),
        cmocka_unit_test(test_a_matrix_too_long_for_a_product),
        cmocka_unit_test(test_threads_share_a_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

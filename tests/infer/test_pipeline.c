/* Two whole models, as scikit-learn would train them, against plain loops: a
 * StandardScaler with LogisticRegression, and one with a network of two hidden
 * layers. All in float64, to 1e-12. */
#include "infer/model_kit.h"

#include <math.h>

enum { ROWS = 7, FEATURES = 4, CLASSES = 3, HIDDEN1 = 6, HIDDEN2 = 5 };

static double x[ROWS][FEATURES];
static double mean[FEATURES];
static double scale[FEATURES];
static double coefficients[CLASSES][FEATURES];
static double intercepts[CLASSES];
static double w1[FEATURES][HIDDEN1], b1[HIDDEN1];
static double w2[HIDDEN1][HIDDEN2], b2[HIDDEN2];
static double w3[HIDDEN2][CLASSES], b3[CLASSES];

/* Made-up numbers, the same every time. */
static void make_up(double *out, uint32_t count, double low, double high) {
    static uint64_t seed = 1;
    for (uint32_t i = 0; i < count; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        out[i] = low + (high - low) * (double)(seed >> 33) / 2147483648.0;
    }
}

static int make_up_all(void **state) {
    (void)state;
    make_up(&x[0][0], ROWS * FEATURES, -5, 9);
    make_up(mean, FEATURES, 1, 6);
    make_up(scale, FEATURES, 0.2, 3);
    make_up(&coefficients[0][0], CLASSES * FEATURES, -1, 1);
    make_up(intercepts, CLASSES, -1, 1);
    make_up(&w1[0][0], FEATURES * HIDDEN1, -1, 1);
    make_up(b1, HIDDEN1, -1, 1);
    make_up(&w2[0][0], HIDDEN1 * HIDDEN2, -1, 1);
    make_up(b2, HIDDEN2, -1, 1);
    make_up(&w3[0][0], HIDDEN2 * CLASSES, -1, 1);
    make_up(b3, CLASSES, -1, 1);
    return 0;
}

/* ---- plain loops */

static void softmax(double row[CLASSES]) {
    double sum = 0;
    for (uint32_t i = 0; i < CLASSES; i++) sum += exp(row[i]);
    for (uint32_t i = 0; i < CLASSES; i++) row[i] = exp(row[i]) / sum;
}

static void scaled_row(uint32_t row, double out[FEATURES]) {
    for (uint32_t i = 0; i < FEATURES; i++) out[i] = (x[row][i] - mean[i]) / scale[i];
}

static void regression(uint32_t row, double out[CLASSES]) {
    double z[FEATURES];
    scaled_row(row, z);
    for (uint32_t c = 0; c < CLASSES; c++) {
        out[c] = intercepts[c];
        for (uint32_t i = 0; i < FEATURES; i++) out[c] += z[i] * coefficients[c][i];
    }
    softmax(out);
}

static void layer(const double *in, uint32_t inputs, const double *w, const double *b, double *out,
                  uint32_t outputs, bool relu) {
    for (uint32_t j = 0; j < outputs; j++) {
        out[j] = b[j];
        for (uint32_t i = 0; i < inputs; i++) out[j] += in[i] * w[i * outputs + j];
        if (relu && out[j] < 0) out[j] = 0;
    }
}

static void network(uint32_t row, double out[CLASSES]) {
    double z[FEATURES], h1[HIDDEN1], h2[HIDDEN2];
    scaled_row(row, z);
    layer(z, FEATURES, &w1[0][0], b1, h1, HIDDEN1, true);
    layer(h1, HIDDEN1, &w2[0][0], b2, h2, HIDDEN2, true);
    layer(h2, HIDDEN2, &w3[0][0], b3, out, CLASSES, false);
    softmax(out);
}

/* ---- the same as graphs */

static void add_array(model_kit *k, const char *name, const double *data, uint64_t rows,
                      uint64_t columns) {
    const uint64_t shape[2] = {rows ? rows : columns, columns};
    const wlk_tensor tensor = kit_array(name, WLK_F64, rows ? 2 : 1, shape, data);
    (void)kit_tensor(k, &tensor);
}

static void begin(model_kit *k) {
    kit_open(k);
    kit_opset(k, "", 13);
    kit_opset(k, "org.weighlock", 1);
    add_array(k, "mean", mean, 0, FEATURES);
    add_array(k, "scale", scale, 0, FEATURES);
}

static void begin_graph(model_kit *k) {
    static const int64_t dims[2] = {WLK_UNKNOWN_DIM, FEATURES};
    kit_graph(k);
    kit_input(k, "x", kit_type(k, WLK_F64, true, 2, dims));
    kit_output(k, "label", IMAGE_NONE);
    kit_output(k, "probabilities", IMAGE_NONE);
    kit_node(k, "org.weighlock", "Scaler", KIT_NAMES("x", "mean", "scale"), 3, KIT_NAMES("z"), 1);
}

static wlk_model *regression_model(void) {
    model_kit k;
    begin(&k);
    add_array(&k, "w", &coefficients[0][0], CLASSES, FEATURES);
    add_array(&k, "b", intercepts, 0, CLASSES);
    begin_graph(&k);
    kit_node(&k, "org.weighlock", "LinearClassifier", KIT_NAMES("z", "w", "b"), 3,
             KIT_NAMES("label", "probabilities"), 2);
    kit_texts(&k, "classlabels_strings", WLK_ATTR_STRINGS, KIT_NAMES("red", "green", "blue"), 3);
    kit_texts(&k, "post_transform", WLK_ATTR_STRING, KIT_NAMES("SOFTMAX"), 1);
    return kit_close(&k);
}

static wlk_model *network_model(void) {
    model_kit k;
    begin(&k);
    add_array(&k, "w1", &w1[0][0], FEATURES, HIDDEN1);
    add_array(&k, "b1", b1, 0, HIDDEN1);
    add_array(&k, "w2", &w2[0][0], HIDDEN1, HIDDEN2);
    add_array(&k, "b2", b2, 0, HIDDEN2);
    add_array(&k, "w3", &w3[0][0], HIDDEN2, CLASSES);
    add_array(&k, "b3", b3, 0, CLASSES);
    begin_graph(&k);
    kit_node(&k, "", "Gemm", KIT_NAMES("z", "w1", "b1"), 3, KIT_NAMES("g1"), 1);
    kit_node(&k, "", "Relu", KIT_NAMES("g1"), 1, KIT_NAMES("h1"), 1);
    kit_node(&k, "", "Gemm", KIT_NAMES("h1", "w2", "b2"), 3, KIT_NAMES("g2"), 1);
    kit_node(&k, "", "Relu", KIT_NAMES("g2"), 1, KIT_NAMES("h2"), 1);
    kit_node(&k, "", "Gemm", KIT_NAMES("h2", "w3", "b3"), 3, KIT_NAMES("g3"), 1);
    kit_node(&k, "", "Softmax", KIT_NAMES("g3"), 1, KIT_NAMES("probabilities"), 1);
    kit_node(&k, "", "ArgMax", KIT_NAMES("probabilities"), 1, KIT_NAMES("label"), 1);
    kit_int(&k, "axis", 1);
    kit_int(&k, "keepdims", 0);
    return kit_close(&k);
}

/* ---- both */

static uint32_t best_of(const double row[CLASSES]) {
    uint32_t best = 0;
    for (uint32_t i = 1; i < CLASSES; i++) {
        if (row[i] > row[best]) best = i;
    }
    return best;
}

static wlk_result *run_rows(const wlk_plan *plan, const double *rows, uint64_t count) {
    const uint64_t shape[2] = {count, FEATURES};
    const wlk_tensor input = kit_array("x", WLK_F64, 2, shape, rows);
    wlk_error error = {.status = WLK_OK};
    wlk_result *result = NULL;
    assert_rule(&error, wlk_run(plan, &input, 1, &result, &error), "ok");
    return result;
}

static wlk_plan *plan_for(const wlk_model *model) {
    wlk_error error = {.status = WLK_OK};
    wlk_plan *plan = NULL;
    assert_rule(&error, wlk_plan_create(model, NULL, &plan, &error), "ok");
    return plan;
}

static void assert_probabilities(const wlk_tensor *got, uint32_t first, uint32_t count,
                                 void (*expected)(uint32_t, double *)) {
    assert_int_equal(got->dtype, WLK_F64);
    assert_int_equal(got->count, count * CLASSES);
    for (uint32_t i = 0; i < count; i++) {
        double want[CLASSES];
        expected(first + i, want);
        for (uint32_t c = 0; c < CLASSES; c++) {
            assert_true(fabs(((const double *)got->data)[i * CLASSES + c] - want[c]) < 1e-12);
        }
    }
}

static void test_scaler_and_logistic_regression(void **state) {
    (void)state;
    static const char *const names[CLASSES] = {"red", "green", "blue"};
    wlk_model *model = regression_model();
    wlk_plan *plan = plan_for(model);
    wlk_result *result = run_rows(plan, &x[0][0], ROWS);
    const wlk_tensor labels = wlk_result_tensor(result, 0);
    const wlk_tensor got = wlk_result_tensor(result, 1);
    assert_probabilities(&got, 0, ROWS, regression);
    assert_int_equal(labels.dtype, WLK_STR);
    for (uint32_t i = 0; i < ROWS; i++) {
        double want[CLASSES];
        regression(i, want);
        const char *name = names[best_of(want)];
        const char *offsets = labels.data;
        const uint64_t start = load_u64(offsets + 8 * (size_t)i);
        assert_int_equal(load_u64(offsets + 8 * (size_t)i + 8) - start, strlen(name));
        assert_memory_equal(offsets + 8 * (ROWS + 1) + start, name, strlen(name));
    }
    wlk_result_free(result);
    wlk_plan_free(plan);
    wlk_model_free(model);
}

static void test_scaler_and_network(void **state) {
    (void)state;
    wlk_model *model = network_model();
    wlk_plan *plan = plan_for(model);
    wlk_result *result = run_rows(plan, &x[0][0], ROWS);
    const wlk_tensor labels = wlk_result_tensor(result, 0);
    const wlk_tensor got = wlk_result_tensor(result, 1);
    assert_probabilities(&got, 0, ROWS, network);
    for (uint32_t i = 0; i < ROWS; i++) {
        double want[CLASSES];
        network(i, want);
        assert_int_equal(((const int64_t *)labels.data)[i], best_of(want));
    }
    wlk_result_free(result);
    for (uint32_t i = 0; i < ROWS; i++) { /* one by one it is the same */
        result = run_rows(plan, x[i], 1);
        const wlk_tensor row = wlk_result_tensor(result, 1);
        assert_probabilities(&row, i, 1, network);
        wlk_result_free(result);
    }
    wlk_plan_free(plan);
    wlk_model_free(model);
}

/* Dividing by the scale, not multiplying by its inverse, gives StandardScaler's
 * very bits. */
static void test_scaler_is_exact(void **state) {
    (void)state;
    static const int64_t dims[2] = {WLK_UNKNOWN_DIM, FEATURES};
    model_kit k;
    begin(&k);
    kit_graph(&k);
    kit_input(&k, "x", kit_type(&k, WLK_F64, true, 2, dims));
    kit_output(&k, "z", IMAGE_NONE);
    kit_node(&k, "org.weighlock", "Scaler", KIT_NAMES("x", "mean", "scale"), 3, KIT_NAMES("z"), 1);
    wlk_model *model = kit_close(&k);
    wlk_plan *plan = plan_for(model);
    wlk_result *result = run_rows(plan, &x[0][0], ROWS);
    const double *got = wlk_result_tensor(result, 0).data;
    uint32_t differ_from_inverse = 0;
    for (uint32_t i = 0; i < ROWS; i++) {
        double want[FEATURES];
        scaled_row(i, want);
        assert_memory_equal(got + (size_t)i * FEATURES, want, sizeof want);
        for (uint32_t j = 0; j < FEATURES; j++) {
            differ_from_inverse += (x[i][j] - mean[j]) * (1 / scale[j]) != want[j];
        }
    }
    assert_true(differ_from_inverse > 0); /* these numbers can tell the two apart */
    wlk_result_free(result);
    wlk_plan_free(plan);
    wlk_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scaler_and_logistic_regression),
        cmocka_unit_test(test_scaler_and_network),
        cmocka_unit_test(test_scaler_is_exact),
    };
    return cmocka_run_group_tests(tests, make_up_all, NULL);
}

/* RandomUniform, RandomNormal, Bernoulli, Multinomial: bounds, moments, and that the same
 * model gives the same numbers. The streams are fixed, so these cannot fail by chance. */
#include "infer/model_kit.h"

#include <math.h>

#define COUNT 20000

/* ---- one node, twice: outputs y and z */

typedef struct drawing {
    const char *op;
    float seed; /* NAN: none */
    const char *names[2];
    float values[2]; /* of attributes */
    wlk_dtype dtype; /* none: not given */
} drawing;

static void add_float(model_kit *k, const char *name, float value) {
    const double wide = (double)value;
    uint64_t bits;
    memcpy(&bits, &wide, sizeof bits);
    kit_attribute(k, name, WLK_ATTR_FLOAT, &bits, 1);
}

static void add_node(model_kit *k, const drawing *d, bool has_input, const char *output) {
    const uint64_t shape[1] = {COUNT};
    const uint64_t dtype = d->dtype;
    kit_node(k, "", d->op, KIT_NAMES("x"), has_input, KIT_NAMES(output), 1);
    if (!has_input) kit_attribute(k, "shape", WLK_ATTR_INTS, shape, 1);
    if (d->dtype) kit_attribute(k, "dtype", WLK_ATTR_DTYPE, &dtype, 1);
    if (!isnan(d->seed)) add_float(k, "seed", d->seed);
    for (uint32_t i = 0; i < 2 && d->names[i]; i++) add_float(k, d->names[i], d->values[i]);
    if (strcmp(d->op, "Multinomial") == 0) kit_int(k, "sample_size", COUNT);
}

static wlk_result *draw(const drawing *d, const wlk_tensor *input) {
    wlk_limits limits;
    wlk_error error = {.status = WLK_OK};
    wlk_plan *plan = NULL;
    wlk_result *result = NULL;
    model_kit k;
    kit_open(&k);
    kit_opset(&k, "", 22);
    kit_graph(&k);
    if (input) kit_input(&k, "x", kit_type(&k, input->dtype, false, 0, NULL));
    kit_output(&k, "y", IMAGE_NONE);
    kit_output(&k, "z", IMAGE_NONE);
    add_node(&k, d, input != NULL, "y");
    add_node(&k, d, input != NULL, "z");
    wlk_model *model = kit_close(&k);
    wlk_limits_default(&limits);
    assert_rule(&error, wlk_plan_create(model, &limits, &plan, &error), "ok");
    assert_rule(&error, wlk_run(plan, input, input != NULL, &result, &error), "ok");
    wlk_plan_free(plan);
    wlk_model_free(model);
    return result;
}

/* ---- floats */

typedef struct moments {
    double least, most, mean, deviation;
} moments;

static moments moments_of(const wlk_result *result) {
    const wlk_tensor tensor = wlk_result_tensor(result, 0);
    const float *values = tensor.data;
    moments m = {(double)INFINITY, -(double)INFINITY, 0, 0};
    assert_int_equal(tensor.dtype, WLK_F32);
    assert_int_equal(tensor.count, COUNT);
    for (uint32_t i = 0; i < COUNT; i++) {
        m.least = fmin(m.least, (double)values[i]);
        m.most = fmax(m.most, (double)values[i]);
        m.mean += (double)values[i] / COUNT;
    }
    for (uint32_t i = 0; i < COUNT; i++) m.deviation += pow((double)values[i] - m.mean, 2) / COUNT;
    m.deviation = sqrt(m.deviation);
    return m;
}

static void test_uniform(void **state) {
    (void)state;
    const drawing d = {"RandomUniform", 3, {"low", "high"}, {-2, 6}, WLK_F32};
    wlk_result *result = draw(&d, NULL);
    const moments m = moments_of(result);
    assert_true(m.least >= -2 && m.least < -1.99 && m.most <= 6 && m.most > 5.99);
    assert_true(fabs(m.mean - 2) < 0.05);
    assert_true(fabs(m.deviation - 8 / sqrt(12)) < 0.05);
    wlk_result_free(result);
}

static void test_normal(void **state) {
    (void)state;
    const drawing d = {"RandomNormal", 3, {"mean", "scale"}, {5, 2}, 0};
    wlk_result *result = draw(&d, NULL);
    const moments m = moments_of(result);
    assert_true(fabs(m.mean - 5) < 0.05 && fabs(m.deviation - 2) < 0.05);
    assert_true(m.least < -1 && m.most > 11);
    wlk_result_free(result);
}

/* ---- streams */

static bool outputs_equal(const wlk_result *a, uint32_t i, const wlk_result *b, uint32_t j) {
    const wlk_tensor x = wlk_result_tensor(a, i);
    const wlk_tensor y = wlk_result_tensor(b, j);
    assert_int_equal(x.nbytes, y.nbytes);
    return memcmp(x.data, y.data, x.nbytes) == 0;
}

/* A seed makes a stream, for any node; without one each node has its own, which is the
 * same in every run. */
static void test_streams(void **state) {
    (void)state;
    drawing d = {"RandomUniform", 1, {NULL, NULL}, {0, 0}, 0};
    wlk_result *one = draw(&d, NULL);
    wlk_result *again = draw(&d, NULL);
    d.seed = 2;
    wlk_result *two = draw(&d, NULL);
    d.seed = NAN;
    wlk_result *none = draw(&d, NULL);
    wlk_result *none_again = draw(&d, NULL);
    assert_true(outputs_equal(one, 0, one, 1));
    assert_true(outputs_equal(one, 0, again, 0));
    assert_false(outputs_equal(one, 0, two, 0));
    assert_false(outputs_equal(none, 0, none, 1));
    assert_true(outputs_equal(none, 0, none_again, 0));
    assert_true(outputs_equal(none, 1, none_again, 1));
    wlk_result *const all[] = {one, again, two, none, none_again};
    for (uint32_t i = 0; i < 5; i++) wlk_result_free(all[i]);
}

/* ---- whole numbers */

/* Odds in turn 0, 0.25, 1 and NaN. */
static void test_bernoulli(void **state) {
    (void)state;
    static const uint64_t shape[1] = {COUNT};
    _Alignas(64) static float odds[COUNT];
    for (uint32_t i = 0; i < COUNT; i++) odds[i] = (const float[]){0, 0.25F, 1, NAN}[i % 4];
    const wlk_tensor input = kit_array("", WLK_F32, 1, shape, odds);
    const drawing d = {"Bernoulli", 4, {NULL, NULL}, {0, 0}, WLK_I32};
    wlk_result *result = draw(&d, &input);
    const int32_t *values = wlk_result_tensor(result, 0).data;
    uint32_t ones[4] = {0};
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_in_range(values[i], 0, 1);
        ones[i % 4] += (uint32_t)values[i];
    }
    assert_int_equal(ones[0], 0);
    assert_true(abs((int)ones[1] - COUNT / 16) < 100);
    assert_int_equal(ones[2], COUNT / 4);
    assert_int_equal(ones[3], 0);
    wlk_result_free(result);
}

/* Three classes with odds 1 : 2 : 1; then one that alone is possible; then none that is,
 * where any class will do. */
static void test_multinomial(void **state) {
    (void)state;
    static const uint64_t shape[2] = {3, 3};
    const float inf = INFINITY;
    _Alignas(64) const float odds[9] = {-3, -3 + 0.69314718F, -3, NAN, inf, -inf, NAN, NAN, NAN};
    const wlk_tensor input = kit_array("", WLK_F32, 2, shape, odds);
    const drawing d = {"Multinomial", 5, {NULL, NULL}, {0, 0}, WLK_I64};
    wlk_result *result = draw(&d, &input);
    const int64_t *values = wlk_result_tensor(result, 0).data;
    uint32_t seen[3] = {0};
    for (uint32_t i = 0; i < 3 * COUNT; i++) {
        assert_in_range(values[i], 0, 2);
        if (i < COUNT) seen[values[i]]++;
        if (i / COUNT == 1) assert_int_equal(values[i], 1);
    }
    for (uint32_t i = 0; i < 3; i++) {
        assert_true(abs((int)seen[i] - (i == 1 ? COUNT / 2 : COUNT / 4)) < 300);
    }
    wlk_result_free(result);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_uniform),     cmocka_unit_test(test_normal),
        cmocka_unit_test(test_streams),     cmocka_unit_test(test_bernoulli),
        cmocka_unit_test(test_multinomial),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

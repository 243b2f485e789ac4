/* The functions of math_f32.h against the C library's in double precision, over all
 * exponents and both signs. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "infer/math_f32.h"

static double logistic(double x) {
    return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x));
}

static const struct {
    const char *name;
    float (*function)(float x);
    double (*truth)(double x);
    double units; /* in the last place: the most that is allowed */
} rows[] = {
    {"exp", f32_exp, exp, 2},
    {"expm1", f32_expm1, expm1, 2},
    {"logistic", f32_logistic, logistic, 2},
    {"tanh", f32_tanh, tanh, 2.5},
    {"erf", f32_erf, erf, 2},
};

/* Of the truth, as a float has them. */
static double unit_of(double truth) {
    int exponent = 0;
    (void)frexp(truth, &exponent);
    return ldexp(1, (exponent < -125 ? -125 : exponent) - 24);
}

static double error_at(uint32_t row, float x) {
    const double truth = rows[row].truth((double)x);
    const double got = (double)rows[row].function(x);
    if (isnan(truth)) return isnan(got) ? 0 : (double)INFINITY;
    if (isinf((float)truth)) return got == (double)(float)truth ? 0 : (double)INFINITY;
    return fabs(got - truth) / unit_of(truth);
}

/* A step that is prime to 2 meets every exponent with other mantissas. */
static void test_against_double(void **state) {
    (void)state;
    for (uint32_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        double most = 0;
        float worst = 0;
        for (uint64_t bits = 0; bits <= UINT32_MAX; bits += 2503) {
            const float x = f32_from_bits((uint32_t)bits);
            const double error = error_at(row, x);
            if (!(error <= most)) {
                most = error;
                worst = x;
            }
        }
        if (!(most <= rows[row].units)) {
            fail_msg("%s(%.9g): %g units in the last place", rows[row].name, (double)worst, most);
        }
    }
}

/* Where results begin to be interesting: every float there. */
static void test_around_1(void **state) {
    (void)state;
    for (uint32_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        for (uint32_t bits = 0x3f7f0000; bits < 0x3f810000; bits++) {
            const float x = f32_from_bits(bits);
            assert_true(error_at(row, x) <= rows[row].units);
            assert_true(error_at(row, -x) <= rows[row].units);
        }
    }
}

static void test_ends(void **state) {
    (void)state;
    const float inf = INFINITY;
    assert_true(f32_exp(inf) == inf && f32_exp(-inf) == 0);
    assert_true(f32_expm1(inf) == inf && f32_expm1(-inf) == -1);
    assert_true(f32_logistic(inf) == 1 && f32_logistic(-inf) == 0);
    assert_true(f32_tanh(inf) == 1 && f32_tanh(-inf) == -1);
    assert_true(f32_erf(inf) == 1 && f32_erf(-inf) == -1);
    assert_true(signbit(f32_tanh(-0.0F)) && signbit(f32_erf(-0.0F)));
    for (uint32_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        assert_true(isnan(rows[row].function(NAN)));
        assert_true(isnan(rows[row].function(-NAN)));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_double),
        cmocka_unit_test(test_around_1),
        cmocka_unit_test(test_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

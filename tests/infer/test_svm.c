/* Support vector machines against numpy, what is refused, and the pairwise coupling
 * where all pairs are certain (invariant 11). */
#include "infer/case_file.h"
#include "infer/svm.h"

static void test_svm_cases(void **state) {
    (void)state;
    assert_true(run_case_file("tests/infer/cases/svm.txt") >= 60);
}

static void test_svm_cases_of_weighlock(void **state) {
    (void)state;
    assert_true(run_case_file("tests/infer/cases/weighlock_svm.txt") >= 60);
}

/* Whatever coefficients, rows and probabilities hold, a label is one of the labels. */
static void test_a_label_whatever_the_numbers(void **state) {
    (void)state;
    static const float odd[] = {0, -0.0F, 1, -1, INFINITY, -INFINITY, NAN, 3e38F};
    static const uint32_t first[] = {0, 1, 2, 3};
    static const int64_t labels[] = {4, 5, 6};
    double scratch[64];
    for (uint32_t i = 0; i < 8 * 8 * 8; i++) {
        const float a = odd[i % 8], b = odd[i / 8 % 8], c = odd[i / 64];
        const float rows[] = {a, b, c}, coefficients[] = {a, b, c, b, c, a}, rho[] = {b, c, a};
        svm_model svm = {.kernel = (svm_kernel)(i % 4),
                         .gamma = c,
                         .coef0 = b,
                         .degree = a,
                         .rows = rows,
                         .row_count = 3,
                         .columns = 1,
                         .coefficients = coefficients,
                         .rho = rho,
                         .transform = (score_transform)(i % 5),
                         .labels = {.ints = labels, .count = 3},
                         .pairs = 3,
                         .first_vector = first,
                         .prob_a = i % 3 ? rho : NULL,
                         .prob_b = i % 3 ? rows : NULL};
        float values[3];
        svm.outputs = svm_outputs(&svm);
        assert_int_equal(svm.outputs, 3);
        assert_true(svm_row_doubles(&svm) <= 64);
        svm_values(&svm, &b, 1, values);
        assert_in_range(svm_classify(&svm, values, scratch), 0, 2);
        if (svm.prob_a && svm.transform == SCORE_NONE) {
            assert_true(fabs(scratch[0] + scratch[1] + scratch[2] - 1) < 1e-9);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_svm_cases),
        cmocka_unit_test(test_svm_cases_of_weighlock),
        cmocka_unit_test(test_a_label_whatever_the_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

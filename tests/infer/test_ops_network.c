/* Convolutions, pools, normalisation and attention against values computed by numpy
 * (numpy_*.txt, written by make_network_cases.py), and what they refuse. */
#include "infer/case_file.h"

#define CASE_FILE(name, least)                                                  \
    static void test_##name(void **state) {                                     \
        (void)state;                                                            \
        assert_true(run_case_file("tests/infer/cases/" #name ".txt") >= least); \
    }

CASE_FILE(numpy_pool, 70)
CASE_FILE(numpy_conv, 25)
CASE_FILE(numpy_norm, 65)
CASE_FILE(refuse_network, 65)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numpy_pool),
        cmocka_unit_test(test_numpy_conv),
        cmocka_unit_test(test_numpy_norm),
        cmocka_unit_test(test_refuse_network),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

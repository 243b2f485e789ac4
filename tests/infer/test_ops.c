/* Operators against values computed elsewhere: by numpy (numpy_*.txt, written by
 * make_cases.py) or by hand. */
#include "infer/case_file.h"

#define CASE_FILE(name, least)                                                  \
    static void test_##name(void **state) {                                     \
        (void)state;                                                            \
        assert_true(run_case_file("tests/infer/cases/" #name ".txt") >= least); \
    }

CASE_FILE(numpy_elementwise, 100)
CASE_FILE(numpy_activation, 100)
CASE_FILE(numpy_shape, 300)
CASE_FILE(numpy_cast, 150)
CASE_FILE(numpy_matrix, 200)
CASE_FILE(numpy_reduce, 200)
CASE_FILE(numpy_ml, 150)
CASE_FILE(numpy_weighlock, 60)
CASE_FILE(graphs, 15)
CASE_FILE(refuse, 100)
CASE_FILE(limits, 5)
CASE_FILE(golden, 20)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numpy_elementwise),
        cmocka_unit_test(test_numpy_activation),
        cmocka_unit_test(test_numpy_shape),
        cmocka_unit_test(test_numpy_cast),
        cmocka_unit_test(test_numpy_matrix),
        cmocka_unit_test(test_numpy_reduce),
        cmocka_unit_test(test_numpy_ml),
        cmocka_unit_test(test_numpy_weighlock),
        cmocka_unit_test(test_graphs),
        cmocka_unit_test(test_refuse),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_golden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

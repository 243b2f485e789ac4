/* Reductions, softmax and losses, quantised numbers, recurrent layers, Einsum, signals and
 * text against values computed elsewhere: by numpy (numpy_*.txt, written by
 * make_numeric_cases.py) or by hand. */
#include "infer/case_file.h"

#define CASE_FILE(name, least)                                                  \
    static void test_##name(void **state) {                                     \
        (void)state;                                                            \
        assert_true(run_case_file("tests/infer/cases/" #name ".txt") >= least); \
    }

CASE_FILE(numpy_reduction, 100)
CASE_FILE(numpy_softmax, 60)
CASE_FILE(numpy_quantize, 50)
CASE_FILE(numpy_recurrent, 50)
CASE_FILE(numpy_einsum, 50)
CASE_FILE(numpy_signal, 50)
CASE_FILE(text, 24)
CASE_FILE(refuse_numeric, 90)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numpy_reduction),
        cmocka_unit_test(test_numpy_softmax),
        cmocka_unit_test(test_numpy_quantize),
        cmocka_unit_test(test_numpy_recurrent),
        cmocka_unit_test(test_numpy_einsum),
        cmocka_unit_test(test_numpy_signal),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_refuse_numeric),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

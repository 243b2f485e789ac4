/* Operators that move or choose elements against values computed elsewhere: by numpy
 * (numpy_*.txt, written by make_move_cases.py) or by hand. */
#include "infer/case_file.h"

#define CASE_FILE(name, least)                                                  \
    static void test_##name(void **state) {                                     \
        (void)state;                                                            \
        assert_true(run_case_file("tests/infer/cases/" #name ".txt") >= least); \
    }

CASE_FILE(numpy_move, 120)
CASE_FILE(numpy_slice, 50)
CASE_FILE(numpy_gather, 50)
CASE_FILE(numpy_select, 60)
CASE_FILE(numpy_resize, 30)
CASE_FILE(refuse_move, 110)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numpy_move),   cmocka_unit_test(test_numpy_slice),
        cmocka_unit_test(test_numpy_gather), cmocka_unit_test(test_numpy_select),
        cmocka_unit_test(test_numpy_resize), cmocka_unit_test(test_refuse_move),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

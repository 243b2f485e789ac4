/* Operators that work element by element, against numpy (numpy_elements.txt, written by
 * make_elements.py); what they refuse (refuse_elements.txt). */
#include "infer/case_file.h"

#define CASE_FILE(name, least)                                                  \
    static void test_##name(void **state) {                                     \
        (void)state;                                                            \
        assert_true(run_case_file("tests/infer/cases/" #name ".txt") >= least); \
    }

CASE_FILE(numpy_elements, 400)
CASE_FILE(refuse_elements, 25)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numpy_elements),
        cmocka_unit_test(test_refuse_elements),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

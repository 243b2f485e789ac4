#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/nearest.h"

static void test_distances(void **state) {
    (void)state;
    static const struct {
        const char *a;
        const char *b;
        uint32_t distance;
    } rows[] = {
        {"", "", 0},
        {"", "abc", 3},
        {"abc", "", 3},
        {"abc", "abc", 0},
        {"abc", "ABC", 0},
        {"abc", "abd", 1},
        {"abc", "ab", 1},
        {"ab", "abc", 1},
        {"kitten", "sitting", 3},
        {"lenght", "length", 1},
        {"ba", "ab", 1},
        {"abcdef", "badcfe", 3},
        {"\xff", "\xfe", 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(edit_distance(rows[i].a, rows[i].b), rows[i].distance);
        assert_int_equal(edit_distance(rows[i].b, rows[i].a), rows[i].distance);
    }
}

static void test_only_the_first_bytes_count(void **state) {
    (void)state;
    static char a[100000], b[100000];
    memset(a, 'a', sizeof a - 1);
    memset(b, 'b', sizeof b - 1);
    assert_int_equal(edit_distance(a, b), NEAREST_MAX_BYTES);
    memset(b, 'a', NEAREST_MAX_BYTES);
    assert_int_equal(edit_distance(a, b), 0);
}

static void test_nearest(void **state) {
    (void)state;
    static const char *const known[] = {"inputs", "outputs", "nodes", "name"};
    static const struct {
        const char *name;
        const char *nearest;
    } rows[] = {
        {"input", "inputs"}, {"ouputs", "outputs"}, {"node", "nodes"}, {"nmae", "name"},
        {"NAME", "name"},    {"weights", NULL},     {"", NULL},        {"x", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *found = nearest_name(rows[i].name, known, 4);
        if (rows[i].nearest) {
            assert_non_null(found);
            assert_string_equal(found, rows[i].nearest);
        } else {
            assert_null(found);
        }
    }
    assert_null(nearest_name("name", known, 0));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distances),
        cmocka_unit_test(test_only_the_first_bytes_count),
        cmocka_unit_test(test_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

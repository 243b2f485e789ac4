/* The rows that an operator's policy adds to the allowlist of pickles, as bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/pickle_rows.h"

static void test_valid(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        uint64_t length;
        bool valid;
    } rows[] = {
        {"", 0, true},           {"\1\3a.b", 5, true},   {"\1\3a.b\2\4_c.d", 11, true},
        {"\1\3a.b\2", 6, false}, {"\1\3a.", 4, false},   {"\0\3a.b", 5, false},
        {"\3\3a.b", 5, false},   {"\1\0", 2, false},     {"\1\1a", 3, false},
        {"\1\3a.b\0", 6, false}, {"\1\3a\0b", 5, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(pickle_rows_valid((const uint8_t *)rows[i].bytes, rows[i].length),
                         rows[i].valid);
    }
}

static void test_next(void **state) {
    (void)state;
    static const uint8_t bytes[] = "\2\3a.b\1\5x.y.Z";
    cursor c = cursor_over(bytes, sizeof bytes - 1, 0);
    pickle_row row;
    assert_true(pickle_rows_next(&c, &row));
    assert_int_equal(row.kind, PICKLE_ROW_OPAQUE);
    assert_int_equal(row.length, 3);
    assert_true(pickle_rows_next(&c, &row));
    assert_int_equal(row.kind, PICKLE_ROW_RECORD);
    assert_memory_equal(row.name, "x.y.Z", 5);
    assert_false(pickle_rows_next(&c, &row));
}

static void test_names(void **state) {
    (void)state;
    static const char *const good[] = {"a.b", "_._", "A1.b_2.C"};
    static const char *const bad[] = {"",    ".",   "a",    "a.",   ".a",   "a..b",
                                      "a.1", "1.a", "a{.b", "a.b-", "a b.c"};
    uint8_t longest[PICKLE_ROW_NAME + 1];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(pickle_row_named((const uint8_t *)good[i], strlen(good[i])));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(pickle_row_named((const uint8_t *)bad[i], strlen(bad[i])));
    }
    memset(longest, 'a', sizeof longest);
    longest[1] = '.';
    assert_true(pickle_row_named(longest, PICKLE_ROW_NAME));
    assert_false(pickle_row_named(longest, PICKLE_ROW_NAME + 1));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid),
        cmocka_unit_test(test_next),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Moving the bytes of elements apart and back: docs/format.md, section 4.6. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/shuffle.h"

static void test_what_the_format_says(void **state) {
    (void)state;
    static const struct {
        uint32_t width;
        const char *plain, *apart;
    } rows[] = {
        {1, "abcdefg", "abcdefg"},   {2, "aAbBcC", "abcABC"},
        {2, "aAbBx", "abABx"}, /* what is behind the last whole element stays */
        {4, "aA1.bB2,", "abAB12.,"}, {8, "abcdefghABCDEFGH", "aAbBcCdDeEfFgGhH"},
        {8, "abcdefg", "abcdefg"},   {3, "abcABC", "aAbBcC"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t apart[32] = {0}, plain[32] = {0};
        const size_t length = strlen(rows[i].plain);
        shuffle((const uint8_t *)rows[i].plain, apart, length, rows[i].width);
        assert_string_equal((const char *)apart, rows[i].apart);
        unshuffle(apart, plain, length, rows[i].width);
        assert_string_equal((const char *)plain, rows[i].plain);
    }
}

/* Every length around the steps in which it is done, and not a byte beyond. */
static void test_there_and_back(void **state) {
    (void)state;
    uint8_t plain[300], apart[300], back[300];
    for (size_t i = 0; i < sizeof plain; i++) plain[i] = (uint8_t)(i * 37 + i / 256);
    for (uint32_t width = 1; width <= 16; width++) {
        for (size_t length = 0; length < sizeof plain; length++) {
            memset(apart, 0xee, sizeof apart);
            memset(back, 0xee, sizeof back);
            shuffle(plain, apart, length, width);
            unshuffle(apart, back, length, width);
            assert_memory_equal(back, plain, length);
            assert_int_equal(apart[length], 0xee);
            assert_int_equal(back[length], 0xee);
        }
    }
}

static void test_widths(void **state) {
    (void)state;
    assert_int_equal(shuffle_width(WLK_F64), 8);
    assert_int_equal(shuffle_width(WLK_C128), 16);
    assert_int_equal(shuffle_width(WLK_BF16), 2);
    assert_int_equal(shuffle_width(WLK_BOOL), 1);
    assert_int_equal(shuffle_width(WLK_I4), 1);
    assert_int_equal(shuffle_width(WLK_F6E2M3), 1);
    assert_int_equal(shuffle_width(WLK_STR), 1);
    assert_int_equal(shuffle_width(WLK_BLOCK), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_the_format_says),
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_widths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

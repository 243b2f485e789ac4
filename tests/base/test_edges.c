/* The small functions that everything stands on, at the edges that no artifact leads them
 * to: whoever calls them next must get an answer there too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/checked.h"
#include "base/dtype.h"
#include "base/envelope.h"
#include "base/error.h"
#include "base/utf8.h"

/* Invariant 7: a sum or a product that does not fit is no number at all. */
static void test_arithmetic_does_not_wrap(void **state) {
    (void)state;
    uint64_t out = 7;
    assert_false(checked_add(UINT64_MAX, 1, &out));
    assert_false(checked_mul(UINT64_MAX, 2, &out));
    assert_false(checked_align(UINT64_MAX - 62, 64, &out));
    assert_int_equal(out, 7);
    assert_true(checked_align(UINT64_MAX - 63, 64, &out));
    assert_true(out == UINT64_MAX - 63);
    assert_false(range_within(1, UINT64_MAX, UINT64_MAX));
    assert_true(range_within(0, UINT64_MAX, UINT64_MAX));
}

/* Bytes of so many elements; 0: the number does not fit, or there is no such dtype. */
static void test_bytes_of_elements(void **state) {
    (void)state;
    static const struct {
        wlk_dtype dtype;
        uint64_t count, nbytes;
    } rows[] = {
        {WLK_F64, UINT64_MAX / 8, UINT64_MAX - 7},
        {WLK_F64, UINT64_MAX / 8 + 1, 0},
        {WLK_U4, 3, 2},
        {WLK_U4, UINT64_MAX / 4, 0}, /* the bits fit, those that round up do not */
        {WLK_U4, UINT64_MAX / 4 + 1, 0},
        {WLK_STR, 1, 0},
        {WLK_BLOCK, 1, 0},
        {WLK_DTYPE_NONE, 1, 0},
        {WLK_DTYPE_COUNT, 1, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t nbytes = 0;
        assert_int_equal(dtype_nbytes(rows[i].dtype, rows[i].count, &nbytes), rows[i].nbytes != 0);
        assert_true(nbytes == rows[i].nbytes);
    }
    assert_int_equal(wlk_dtype_bits(WLK_DTYPE_COUNT), 0);
}

static void test_content_of_impossible_sizes(void **state) {
    (void)state;
    static const uint8_t zeros[8];
    uint64_t bad;
    assert_false(payload_valid(WLK_STR, UINT64_MAX, zeros, sizeof zeros, &bad));
    assert_false(payload_valid(WLK_STR, UINT64_MAX / 8, zeros, sizeof zeros, &bad));
    assert_false(payload_valid(WLK_STR, 1, zeros, sizeof zeros, &bad));
    assert_true(payload_valid(WLK_STR, 0, zeros, sizeof zeros, &bad));
    assert_true(payload_valid(WLK_U4, 1, NULL, 0, &bad));
    assert_true(payload_valid(WLK_DTYPE_COUNT, 1, zeros, 1, &bad));
}

static void test_chunk_size_out_of_range(void **state) {
    (void)state;
    assert_int_equal(envelope_table_len(1, ENVELOPE_MIN_CHUNK_LOG2), 32);
    assert_int_equal(envelope_table_len(1, ENVELOPE_MIN_CHUNK_LOG2 - 1), 0);
    assert_int_equal(envelope_table_len(1, ENVELOPE_MAX_CHUNK_LOG2 + 1), 0);
}

static void test_a_status_that_is_none(void **state) {
    (void)state;
    assert_string_equal(wlk_status_name(WLK_SYSTEM), "system");
    assert_string_equal(wlk_status_name((wlk_status)(WLK_SYSTEM + 1)), "unknown");
    assert_string_equal(wlk_status_name((wlk_status)-1), "unknown");
}

/* What moves or hides text on a terminal, from both sides of each range. */
static void test_harmful_characters(void **state) {
    (void)state;
    static const struct {
        const char *text, *harmless;
    } rows[] = {
        {"\x1f ", "? "},
        {"~\x7f", "~?"},
        {"\xc2\x80 \xc2\x9f\xc2\xa0", "?? ??\xc2\xa0"},
        {"\xd8\x9b\xd8\x9c\xd8\x9d", "\xd8\x9b??\xd8\x9d"}, /* ALM */
        {"\xe2\x80\x8d\xe2\x80\x8e\xe2\x80\x8f\xe2\x80\x90", "\xe2\x80\x8d??????\xe2\x80\x90"},
        {"\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xae\xe2\x80\xaf", "\xe2\x80\xa7??????\xe2\x80\xaf"},
        {"\xe2\x81\xa5\xe2\x81\xa6\xe2\x81\xa9\xe2\x81\xaa", "\xe2\x81\xa5??????\xe2\x81\xaa"},
        {"\xef\xbb\xbe\xef\xbb\xbf\xef\xbc\x80", "\xef\xbb\xbe???\xef\xbc\x80"}, /* BOM */
        {"\xf3\x9f\xbf\xbf\xf3\xa0\x80\x80", "\xf3\x9f\xbf\xbf????"},            /* tags */
        {"\xf3\xa0\x81\xbf\xf3\xa0\x82\x80", "????\xf3\xa0\x82\x80"},
        {"\xff\xc3x", "??x"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "%s", rows[i].text);
        utf8_make_harmless(text);
        assert_string_equal(text, rows[i].harmless);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arithmetic_does_not_wrap),
        cmocka_unit_test(test_bytes_of_elements),
        cmocka_unit_test(test_content_of_impossible_sizes),
        cmocka_unit_test(test_chunk_size_out_of_range),
        cmocka_unit_test(test_a_status_that_is_none),
        cmocka_unit_test(test_harmful_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

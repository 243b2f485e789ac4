/* Errors as text: cut to any room, they stay UTF-8 (invariant 9). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/utf8.h"

#define MOST_ROOM 512

/* Characters of two, three and four bytes, so that every room cuts one at some place. */
static const char *const details[] = {
    "plain", "\xc3\xa9\xc3\xa9\xc3\xa9", "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac",
    "\xf0\x9f\x98\x80\xf0\x9f\x98\x80", "a\xf0\x9f\x98\x80\xc3\xa9"};

static void test_a_cut_text_ends_with_a_whole_character(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof details / sizeof *details; i++) {
        char whole[MOST_ROOM], cut[MOST_ROOM];
        wlk_error error;
        (void)error_text(&error, RULE_CSV_EMPTY, 7, "%s", details[i]);
        (void)wlk_error_format(&error, whole, sizeof whole);
        assert_non_null(strstr(whole, details[i]));
        for (size_t room = 1; room < sizeof cut; room++) {
            const size_t most = strlen(whole) < room - 1 ? strlen(whole) : room - 1;
            memset(cut, 'x', sizeof cut);
            assert_ptr_equal(wlk_error_format(&error, cut, room), cut);
            const size_t length = strlen(cut);
            assert_true(utf8_valid((const uint8_t *)cut, length));
            assert_memory_equal(cut, whole, length);
            if (length > most || length + 3 < most) fail_msg("%zu of %zu bytes", length, most);
        }
    }
}

static void test_no_room_is_not_written_to(void **state) {
    char text[] = "as it was";
    wlk_error error;
    (void)state;
    (void)error_at(&error, RULE_CSV_EMPTY, 0);
    assert_ptr_equal(wlk_error_format(&error, text, 0), text);
    assert_string_equal(text, "as it was");
}

/* What was cut by the error's own room is replaced, not left as a part of a character. */
static void test_a_long_detail_stays_utf8(void **state) {
    char detail[WLK_ERROR_TEXT_BYTES + 16];
    (void)state;
    for (size_t before = 0; before < 4; before++) {
        wlk_error error;
        memset(detail, 'a', before);
        for (size_t at = before; at + 4 < sizeof detail; at += 4) {
            memcpy(detail + at, "\xf0\x9f\x98\x80", 5);
        }
        (void)error_text(&error, RULE_CSV_EMPTY, 0, "%s", detail);
        assert_int_equal(strlen(error.text), sizeof error.text - 1);
        assert_true(utf8_valid((const uint8_t *)error.text, strlen(error.text)));
    }
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_cut_text_ends_with_a_whole_character),
        cmocka_unit_test(test_no_room_is_not_written_to),
        cmocka_unit_test(test_a_long_detail_stays_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "support.h"

#include "trust/key_text.h"

/* "AAEC" is 00 01 02. */
#define COMMENT "untrusted comment: x"

typedef struct text_row {
    const char *what;
    const char *text;
    int64_t offset; /* of the refusal; -1: accepted */
} text_row;

static const text_row rows[] = {
    {"LF", COMMENT "\nAAEC\n", -1},
    {"CRLF", COMMENT "\r\nAAEC\r\n", -1},
    {"no end of the last line", COMMENT "\nAAEC", -1},
    {"mixed ends", COMMENT "\r\nAAEC\n", -1},
    {"empty comment", "untrusted comment: \nAAEC\n", -1},
    {"UTF-8 comment", "untrusted comment: cl\xc3\xa9 \xe9\x8d\xb5\nAAEC\n", -1},
    {"nothing", "", 0},
    {"one empty line", "\n", 0},
    {"no comment", "AAEC\n", 0},
    {"other comment", "trusted comment: x\nAAEC\n", 0},
    {"no space behind the colon", "untrusted comment:x\nAAEC\n", 0},
    {"capital letter", "Untrusted comment: x\nAAEC\n", 0},
    {"empty line first", "\n" COMMENT "\nAAEC\n", 0},
    {"byte order mark", "\xef\xbb\xbf" COMMENT "\nAAEC\n", 0},
    {"not UTF-8", "untrusted comment: \xff\nAAEC\n", 0},
    {"overlong UTF-8", "untrusted comment: \xc0\xaf\nAAEC\n", 0},
    {"escape", "untrusted comment: \x1b[2J\nAAEC\n", 0},
    {"tab", "untrusted comment: a\tb\nAAEC\n", 0},
    {"carriage return inside", "untrusted comment: a\rb\nAAEC\n", 0},
    {"two carriage returns", COMMENT "\r\r\nAAEC\n", 0},
    {"right-to-left override", "untrusted comment: \xe2\x80\xae\nAAEC\n", 0},
    {"no key", COMMENT "\n", 21},
    {"no key and no line end", COMMENT, 20},
    {"empty key", COMMENT "\n\n", 21},
    {"short key", COMMENT "\nAAE=\n", 21},
    {"long key", COMMENT "\nAAECAw==\n", 21},
    {"padding where none belongs", COMMENT "\nAAEC=\n", 21},
    {"padding left out", COMMENT "\nAAE\n", 21},
    {"not base64", COMMENT "\nAA!C\n", 21},
    {"URL-safe alphabet", COMMENT "\nAA-_\n", 21},
    {"space in front", COMMENT "\n AAEC\n", 21},
    {"space behind", COMMENT "\nAAEC \n", 21},
    {"carriage return inside the key", COMMENT "\nAA\rEC\n", 21},
    {"key over two lines", COMMENT "\nAA\nEC\n", 21},
    {"a third line", COMMENT "\nAAEC\nx", 26},
    {"an empty third line", COMMENT "\nAAEC\n\n", 26},
    {"a second key", COMMENT "\nAAEC\n" COMMENT "\nAAEC\n", 26},
};

static void test_strict_text(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        wlk_error error;
        uint8_t payload[3] = {9, 9, 9};
        const wlk_status status =
            key_text_decode("key.pub", (const uint8_t *)rows[i].text, strlen(rows[i].text), payload,
                            sizeof payload, &error);
        if ((rows[i].offset < 0) != (status == WLK_OK)) fail_msg("%s", rows[i].what);
        if (rows[i].offset < 0) {
            assert_memory_equal(payload, ((uint8_t[]){0, 1, 2}), 3);
        } else {
            EXPECT_AT(status, RULE_TRUST_KEY_TEXT, (uint64_t)rows[i].offset);
            assert_non_null(strstr(error.text, "key.pub"));
        }
    }
}

static void test_embedded_nul(void **state) {
    (void)state;
    static const uint8_t in_comment[] = COMMENT "\0\nAAEC\n", in_key[] = COMMENT "\nAA\0C\n";
    static const uint8_t behind[] = COMMENT "\nAAEC\n\0";
    wlk_error error;
    uint8_t payload[3];
    EXPECT_AT(key_text_decode("k", in_comment, sizeof in_comment - 1, payload, 3, &error),
              RULE_TRUST_KEY_TEXT, 0);
    EXPECT_AT(key_text_decode("k", in_key, sizeof in_key - 1, payload, 3, &error),
              RULE_TRUST_KEY_TEXT, 21);
    EXPECT_AT(key_text_decode("k", behind, sizeof behind - 1, payload, 3, &error),
              RULE_TRUST_KEY_TEXT, 26);
}

/* The last character of a padded group has bits that carry nothing: "AAF=" would
 * decode to the same two bytes as "AAE=". */
static void test_base64_has_one_spelling(void **state) {
    (void)state;
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    int accepted = 0;
    for (size_t i = 0; i < 64; i++) {
        char text[64];
        wlk_error error;
        uint8_t payload[2];
        const int length = snprintf(text, sizeof text, COMMENT "\nAA%c=\n", alphabet[i]);
        const wlk_status status =
            key_text_decode("k", (const uint8_t *)text, (uint64_t)length, payload, 2, &error);
        accepted += status == WLK_OK;
        assert_int_equal(status == WLK_OK, i % 4 == 0);
    }
    assert_int_equal(accepted, 16);
}

/* Also: at every cut the answer is a refusal, but where only line ends are lost. */
static void test_round_trip_and_every_cut(void **state) {
    (void)state;
    wlk_error error;
    uint8_t payload[158], again[158], text[KEY_FILE_MAX + 1];
    fill_noise(payload, sizeof payload, 6);
    const uint64_t length = key_text_encode("hello", payload, sizeof payload, text);
    EXPECT_OK(key_text_decode("k", text, length, again, sizeof again, &error));
    assert_memory_equal(again, payload, sizeof payload);
    for (uint64_t cut = 0; cut < length - 1; cut++) {
        EXPECT_RULE(key_text_decode("k", text, cut, again, sizeof again, &error),
                    RULE_TRUST_KEY_TEXT);
    }
}

static void test_printable(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool printable;
    } texts[] = {{"", true},      {"a b?", true},          {"\xc3\xa9", true},
                 {"a\nb", false}, {"\x7f", false},         {"\xc2\x9b", false},
                 {"\x80", false}, {"\xe2\x81\xa6", false}, {"\xf3\xa0\x80\x81", false}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_int_equal(text_is_printable((const uint8_t *)texts[i].text, strlen(texts[i].text)),
                         texts[i].printable);
    }
    uint8_t large[KEY_FILE_MAX + 1];
    memset(large, 'a', sizeof large);
    assert_true(text_is_printable(large, KEY_FILE_MAX));
    assert_false(text_is_printable(large, KEY_FILE_MAX + 1));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strict_text),
        cmocka_unit_test(test_embedded_nul),
        cmocka_unit_test(test_base64_has_one_spelling),
        cmocka_unit_test(test_round_trip_and_every_cut),
        cmocka_unit_test(test_printable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

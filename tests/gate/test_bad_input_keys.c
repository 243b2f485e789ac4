/* Bad keys and signatures: text and content. Each row says the rule, the offset, and that
 * nothing is left behind (invariant 9). */
#include "gate/bad_files.h"

#include <sodium.h>

/* ---- text of lines: one line is another, or more follow */

typedef struct line_row {
    const char *name;
    int line;         /* that is replaced; -1: a byte is; APPEND: behind the last */
    const char *text; /* without its end; NULL: the line is left out */
    const char *want; /* "@lineN": where line N begins; "@end" */
} line_row;

#define APPEND 9

static refusal_text line_want(const char *text, const char *want) {
    const size_t rule = strcspn(want, "@");
    char name[64];
    refusal_text out;
    (void)snprintf(name, sizeof name, "%.*s", (int)rule, want);
    if (strcmp(want + rule, "@end") == 0) return refusal_of(name, strlen(text));
    if (strncmp(want + rule, "@line", 5) == 0) {
        return refusal_of(name, line_start(text, want[rule + 5] - '0'));
    }
    (void)snprintf(out.said, sizeof out.said, "%s", want);
    return out;
}

static bool line_passes(const line_row *row, load_file load, const char *good) {
    char text[3 * 4096];
    const int line = row->line == APPEND ? 100 : row->line;
    const size_t from = line_start(good, line), to = line_start(good, line + 1);
    const int length =
        snprintf(text, sizeof text, "%.*s%s%s%s", (int)from, good, row->text ? row->text : "",
                 row->text && row->line != APPEND ? "\n" : "", good + to);
    assert_true(length > 0 && (size_t)length < sizeof text);
    return text_row(row->name, load, text, (size_t)length, line_want(good, row->want).said);
}

/* 1030 and 5000 characters. */
#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define THOUSAND HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED

#define SIGNATURE_TEXT "trust.signature-text"
#define KEY_TEXT "trust.key-text"

static const line_row signature_rows[] = {
    {"unchanged", 0, "untrusted comment: another", ACCEPTED},
    {"no comment", 0, NULL, SIGNATURE_TEXT "@0"},
    {"an empty line", 0, "", SIGNATURE_TEXT "@0"},
    {"a comment without its prefix", 0, "comment: x", SIGNATURE_TEXT "@0"},
    {"an upper-case prefix", 0, "Untrusted comment: x", SIGNATURE_TEXT "@0"},
    {"a prefix without its space", 0, "untrusted comment:", SIGNATURE_TEXT "@0"},
    {"an escape in the comment", 0, "untrusted comment: \x1b[2J", SIGNATURE_TEXT "@0"},
    {"a turned comment", 0, "untrusted comment: \xe2\x80\xae", SIGNATURE_TEXT "@0"},
    {"a comment that is not UTF-8", 0, "untrusted comment: \xff", SIGNATURE_TEXT "@0"},
    {"a byte order mark", 0, "\xef\xbb\xbfuntrusted comment: x", SIGNATURE_TEXT "@0"},
    {"a public key's comment and more", 0, "untrusted comment: a\nuntrusted comment: b",
     SIGNATURE_TEXT "@21"},
    {"no signature", 1, NULL, SIGNATURE_TEXT "@line1"},
    {"an empty signature", 1, "", SIGNATURE_TEXT "@line1"},
    {"a short signature", 1, "RUQxMjM0NTY3OA==", SIGNATURE_TEXT "@line1"},
    {"a signature in hexadecimal", 1, "4544" HUNDRED, SIGNATURE_TEXT "@line1"},
    {"no trusted comment", 2, NULL, SIGNATURE_TEXT "@line2"},
    {"a trusted comment without its prefix", 2, "comment: x", SIGNATURE_TEXT "@line2"},
    {"an untrusted one in its place", 2, "untrusted comment: x", SIGNATURE_TEXT "@line2"},
    {"a trusted comment of 1025 bytes", 2, "trusted comment: " THOUSAND TEN TEN "01234",
     SIGNATURE_TEXT "@line2"},
    {"an escape in the trusted comment", 2, "trusted comment: \x1b[0m", SIGNATURE_TEXT "@line2"},
    {"a trusted comment that is not UTF-8", 2, "trusted comment: \xc3", SIGNATURE_TEXT "@line2"},
    {"no global signature", 3, NULL, SIGNATURE_TEXT "@line3"},
    {"an empty global signature", 3, "", SIGNATURE_TEXT "@line3"},
    {"a global signature that is text", 3, "global", SIGNATURE_TEXT "@line3"},
    {"a space behind it", APPEND, " ", SIGNATURE_TEXT "@end"},
    {"an empty line behind it", APPEND, "\n", SIGNATURE_TEXT "@end"},
    {"text behind it", APPEND, "trusted comment: and more\n", SIGNATURE_TEXT "@end"},
    {"more than 4 KiB behind it", APPEND, THOUSAND THOUSAND THOUSAND THOUSAND,
     SIGNATURE_TEXT "@4096"},
};

static const line_row key_rows[] = {
    {"no comment", 0, NULL, KEY_TEXT "@0"},
    {"an empty line", 0, "", KEY_TEXT "@0"},
    {"an upper-case prefix", 0, "UNTRUSTED COMMENT: x", KEY_TEXT "@0"},
    {"an escape in the comment", 0, "untrusted comment: \x1b[2J", KEY_TEXT "@0"},
    {"a comment that is not UTF-8", 0, "untrusted comment: \x80", KEY_TEXT "@0"},
    {"a byte order mark", 0, "\xef\xbb\xbfuntrusted comment: x", KEY_TEXT "@0"},
    {"no key", 1, NULL, KEY_TEXT "@line1"},
    {"an empty key", 1, "", KEY_TEXT "@line1"},
    {"a short key", 1, "RWQxMjM0NTY3OA==", KEY_TEXT "@line1"},
    {"a PEM key", 1, "-----BEGIN PUBLIC KEY-----", KEY_TEXT "@line1"},
    {"a space behind it", APPEND, " ", KEY_TEXT "@end"},
    {"an empty line behind it", APPEND, "\n", KEY_TEXT "@end"},
    {"a second key behind it", APPEND, "untrusted comment: x\n", KEY_TEXT "@end"},
    {"more than 4 KiB behind it", APPEND, THOUSAND THOUSAND THOUSAND THOUSAND, KEY_TEXT "@4096"},
};

/* What may stand behind a trusted key. */
static const line_row date_rows[] = {
    {"all three dates", APPEND,
     "valid-from: 2020-01-01\nvalid-until: 2099-12-31\n"
     "revoked: 2021-01-01\n",
     ACCEPTED},
    {"no such line", APPEND, "expires: 2030-01-01\n", KEY_TEXT "@end"},
    {"dates out of order", APPEND, "revoked: 2021-01-01\nvalid-from: 2020-01-01\n", NULL},
    {"a date twice", APPEND, "revoked: 2021-01-01\nrevoked: 2022-01-01\n", NULL},
    {"a date without a space", APPEND, "revoked:2021-01-01\n", KEY_TEXT "@end"},
    {"month 13", APPEND, "revoked: 2021-13-01\n", "trust.key-date@end"},
    {"month 0", APPEND, "valid-from: 2021-00-01\n", "trust.key-date@end"},
    {"February 29", APPEND, "valid-until: 2023-02-29\n", "trust.key-date@end"},
    {"February 30", APPEND, "valid-until: 2024-02-30\n", "trust.key-date@end"},
    {"the year 1969", APPEND, "valid-from: 1969-12-31\n", "trust.key-date@end"},
    {"five digits of a year", APPEND, "valid-from: 10000-01-01\n", "trust.key-date@end"},
    {"a sign", APPEND, "valid-from: -020-01-01\n", "trust.key-date@end"},
    {"a time of day", APPEND, "valid-from: 2020-01-01T00:00:00\n", "trust.key-date@end"},
    {"from behind until", APPEND, "valid-from: 2025-01-02\nvalid-until: 2025-01-01\n",
     "trust.key-date"},
    {"an empty date", APPEND, "revoked: \n", "trust.key-date@end"},
};

static void make_signature(const char *name) {
    wlk_signature signature;
    wlk_error error;
    EXPECT_OK(wlk_sign_detached((const uint8_t *)"x", 1, kit.key, "a file", &signature, &error));
    EXPECT_OK(wlk_signature_write(&signature, in_scratch(name), &error));
}

/* Each row is a change of that good file. */
static void lines_pass(const line_row *rows, size_t count, load_file load, const char *file) {
    bool all = true;
    char *good = text_of(file);
    for (size_t i = 0; i < count; i++) all &= line_passes(&rows[i], load, good);
    free(good);
    assert_true(all);
}
#define LINES_PASS(rows, load, file) lines_pass(rows, sizeof(rows) / sizeof *(rows), load, file)

static void test_signatures_of_bad_text(void **state) {
    (void)state;
    make_signature("good.minisig");
    LINES_PASS(signature_rows, load_signature, "good.minisig");
}

static void test_public_keys_of_bad_text(void **state) {
    (void)state;
    LINES_PASS(key_rows, load_public_key, "author.pub");
}

static void test_secret_keys_of_bad_text(void **state) {
    (void)state;
    LINES_PASS(key_rows, load_secret_key, "author.key");
}

static void test_dates_of_keys(void **state) {
    (void)state;
    bool all = true;
    char *good = text_of("author.pub");
    for (size_t i = 0; i < sizeof date_rows / sizeof *date_rows; i++) {
        line_row row = date_rows[i];
        /* The second line of those that were appended is what is wrong. */
        const refusal_text second = refusal_of(KEY_TEXT, strlen(good) + line_start(row.text, 1));
        if (!row.want) row.want = second.said;
        all &= line_passes(&row, load_trusted_key, good);
    }
    free(good);
    assert_true(all);
}

/* ---- cut at every byte */

/* Every comment that begins well is one: the length of its beginning. 0: another line. */
static size_t comment_prefix(const char *line) {
    static const char *const prefixes[] = {"untrusted comment: ", "trusted comment: "};
    for (size_t i = 0; i < 2; i++) {
        if (strncmp(line, prefixes[i], strlen(prefixes[i])) == 0) return strlen(prefixes[i]);
    }
    return 0;
}

/* A file without its last line end is whole. */
static void cut_at_every_byte(const char *name, load_file load, const char *rule) {
    size_t length;
    uint8_t *good = read_bytes(in_scratch(name), &length);
    bool all = text_row(name, load, good, length, ACCEPTED) &&
               text_row(name, load, good, length - 1, ACCEPTED);
    for (size_t cut = 0; cut + 1 < length; cut++) {
        /* The offset is that of the line that is not whole, or of the first that misses. */
        size_t line = cut;
        while (line > 0 && good[line - 1] != '\n') line--;
        char what[64];
        (void)snprintf(what, sizeof what, "%s cut to %zu bytes", name, cut);
        const size_t prefix = comment_prefix((const char *)good + line);
        const bool stands = good[cut] == '\n' || (prefix > 0 && cut - line >= prefix);
        all &= text_row(what, load, good, cut, refusal_of(rule, stands ? cut : line).said);
    }
    free(good);
    assert_true(all);
}

static void test_every_file_of_lines_cut_at_every_byte(void **state) {
    (void)state;
    make_signature("good.minisig");
    cut_at_every_byte("good.minisig", load_signature, SIGNATURE_TEXT);
    cut_at_every_byte("author.pub", load_public_key, KEY_TEXT);
    cut_at_every_byte("author.key", load_secret_key, KEY_TEXT);
}

/* ---- keys whose text is right and whose content is not */

typedef struct content_row {
    const char *name;
    unsigned at, bytes;
    uint8_t value;
    const char *want;
} content_row;

static const content_row public_content[] = {
    {"another algorithm", 0, 1, 'X', "trust.key-algorithm"},
    {"prehashed signatures' algorithm", 1, 1, 'D', "trust.key-algorithm"},
    {"number zero", 2, 8, 0, "trust.key-id"},
    {"a point of small order", 10, 32, 0, "trust.key-point"},
    {"a point that is none", 10, 32, 0xff, "trust.key-point"},
};

static const content_row secret_content[] = {
    {"another algorithm", 0, 1, 'X', "trust.key-algorithm"},
    {"another derivation", 2, 1, 'X', "trust.key-algorithm"},
    {"another checksum", 4, 1, 'X', "trust.key-algorithm"},
    {"number zero", 54, 8, 0, "trust.key-id"},
    {"another seed", 62, 4, 0xaa, "trust.key-pair"},
    {"another public half", 94, 4, 0xaa, "trust.key-pair"},
    {"a wrong checksum", 126, 4, 0xaa, "trust.key-pair"},
};

/* Changes bytes of the second line's payload. */
static bool content_passes(const content_row *row, load_file load, const char *file,
                           size_t payload_bytes) {
    uint8_t payload[160];
    char line[256], text[512];
    size_t got;
    char *good = text_of(file);
    const size_t second = line_start(good, 1);
    assert_int_equal(
        sodium_base642bin(payload, sizeof payload, good + second, strlen(good + second), "\n", &got,
                          NULL, sodium_base64_VARIANT_ORIGINAL),
        0);
    assert_int_equal(got, payload_bytes);
    memset(payload + row->at, row->value, row->bytes);
    (void)sodium_bin2base64(line, sizeof line, payload, got, sodium_base64_VARIANT_ORIGINAL);
    const int length = snprintf(text, sizeof text, "%.*s%s\n", (int)second, good, line);
    free(good);
    return text_row(row->name, load, text, (size_t)length, row->want);
}

static void test_keys_of_bad_content(void **state) {
    (void)state;
    bool all = true;
    for (size_t i = 0; i < sizeof public_content / sizeof *public_content; i++) {
        all &= content_passes(&public_content[i], load_public_key, "author.pub", 42);
    }
    for (size_t i = 0; i < sizeof secret_content / sizeof *secret_content; i++) {
        all &= content_passes(&secret_content[i], load_secret_key, "author.key", 158);
    }
    assert_true(all);
}

static int group(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signatures_of_bad_text),
        cmocka_unit_test(test_public_keys_of_bad_text),
        cmocka_unit_test(test_secret_keys_of_bad_text),
        cmocka_unit_test(test_dates_of_keys),
        cmocka_unit_test(test_every_file_of_lines_cut_at_every_byte),
        cmocka_unit_test(test_keys_of_bad_content),
    };
    return cmocka_run_group_tests(tests, bad_files_setup, kit_teardown);
}

int main(void) {
    return kit_run(group, (const char *const[]){NULL});
}

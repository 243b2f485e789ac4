/* Key files of a trust folder: the lines behind minisign's two. */
#include "support.h"

#include "trust/trusted_key.h"

#define DAY 86400
#define EVER_FROM INT64_MIN
#define EVER INT64_MAX
#define D2026_01_01 1767225600
#define D2026_12_31 1798675200

/* The two lines of key 1 and these behind them. */
static uint64_t text_with(const char *behind, uint8_t text[KEY_FILE_MAX + 1]) {
    const test_key pair = key_number(1);
    uint8_t payload[42];
    char base64[512];
    public_payload(&pair, payload);
    const int length = snprintf((char *)text, KEY_FILE_MAX + 1, "untrusted comment: %s\n%s\n%s",
                                "key", base64_of(payload, sizeof payload, base64), behind);
    return (uint64_t)length;
}

static const struct {
    const char *behind;
    wlk_rule rule;
    uint64_t offset; /* behind the two lines; WLK_NO_OFFSET as it is */
    int64_t from, until, revoked;
} rows[] = {
    {"", RULE_NONE, 0, EVER_FROM, EVER, EVER},
    {"valid-from: 2026-01-01\n", RULE_NONE, 0, D2026_01_01, EVER, EVER},
    {"valid-from: 2026-01-01", RULE_NONE, 0, D2026_01_01, EVER, EVER},
    {"valid-from: 2026-01-01\r\n", RULE_NONE, 0, D2026_01_01, EVER, EVER},
    {"valid-until: 2026-12-31\n", RULE_NONE, 0, EVER_FROM, D2026_12_31 + DAY, EVER},
    {"valid-until: 9999-12-31\n", RULE_NONE, 0, EVER_FROM, 253402300800, EVER},
    {"revoked: 2026-01-01\n", RULE_NONE, 0, EVER_FROM, EVER, D2026_01_01},
    {"valid-from: 2026-01-01\nvalid-until: 2026-01-01\n", RULE_NONE, 0, D2026_01_01,
     D2026_01_01 + DAY, EVER},
    {"valid-from: 2026-01-01\nvalid-until: 2026-12-31\nrevoked: 1970-01-01\n", RULE_NONE, 0,
     D2026_01_01, D2026_12_31 + DAY, 0},
    {"valid-from: 2026-01-01\nrevoked: 2026-12-31\n", RULE_NONE, 0, D2026_01_01, EVER, D2026_12_31},
    /* not dates */
    {"valid-from: 2026-02-30\n", RULE_TRUST_KEY_DATE, 0, 0, 0, 0},
    {"valid-from: 2026-1-1\n", RULE_TRUST_KEY_DATE, 0, 0, 0, 0},
    {"valid-from: \n", RULE_TRUST_KEY_DATE, 0, 0, 0, 0},
    {"valid-until: tomorrow\n", RULE_TRUST_KEY_DATE, 0, 0, 0, 0},
    {"valid-until: 2026-12-31 \n", RULE_TRUST_KEY_DATE, 0, 0, 0, 0},
    {"valid-until:  2026-12-31\n", RULE_TRUST_KEY_DATE, 0, 0, 0, 0},
    {"valid-until: 2026-12-31\r\r\n", RULE_TRUST_KEY_DATE, 0, 0, 0, 0},
    {"valid-until: 1969-12-31\n", RULE_TRUST_KEY_DATE, 0, 0, 0, 0},
    {"revoked: 10000-01-01\n", RULE_TRUST_KEY_DATE, 0, 0, 0, 0},
    {"revoked: never\n", RULE_TRUST_KEY_DATE, 0, 0, 0, 0},
    {"valid-from: 2026-01-01\nvalid-until: x\n", RULE_TRUST_KEY_DATE, 23, 0, 0, 0},
    {"valid-from: 2026-01-02\nvalid-until: 2026-01-01\n", RULE_TRUST_KEY_DATE, WLK_NO_OFFSET, 0, 0,
     0},
    /* not the lines, or not in order */
    {"\n", RULE_TRUST_KEY_TEXT, 0, 0, 0, 0},
    {"# a comment\n", RULE_TRUST_KEY_TEXT, 0, 0, 0, 0},
    {"expires: 2026-01-01\n", RULE_TRUST_KEY_TEXT, 0, 0, 0, 0},
    {"Valid-From: 2026-01-01\n", RULE_TRUST_KEY_TEXT, 0, 0, 0, 0},
    {" valid-from: 2026-01-01\n", RULE_TRUST_KEY_TEXT, 0, 0, 0, 0},
    {"valid-from:2026-01-01\n", RULE_TRUST_KEY_TEXT, 0, 0, 0, 0},
    {"valid-from: 2026-01-01\n\n", RULE_TRUST_KEY_TEXT, 23, 0, 0, 0},
    {"valid-from: 2026-01-01\nvalid-from: 2026-01-01\n", RULE_TRUST_KEY_TEXT, 23, 0, 0, 0},
    {"valid-until: 2026-01-01\nvalid-from: 2025-01-01\n", RULE_TRUST_KEY_TEXT, 24, 0, 0, 0},
    {"revoked: 2026-01-01\nvalid-until: 2026-01-01\n", RULE_TRUST_KEY_TEXT, 20, 0, 0, 0},
    {"revoked: 2026-01-01\nrevoked: 2027-01-01\n", RULE_TRUST_KEY_TEXT, 20, 0, 0, 0},
    {"revoked: 2026-01-01\nRWS\n", RULE_TRUST_KEY_TEXT, 20, 0, 0, 0},
};

static void test_lines(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t text[KEY_FILE_MAX + 1];
        const uint64_t length = text_with(rows[i].behind, text);
        const uint64_t head = length - strlen(rows[i].behind);
        wlk_trusted_key key;
        wlk_error error = {.rule = RULE_NONE};
        const wlk_status status = trusted_key_parse("k.pub", text, length, &key, &error);
        const uint64_t at = rows[i].offset == WLK_NO_OFFSET ? WLK_NO_OFFSET : head + rows[i].offset;
        if ((status == WLK_OK) != (rows[i].rule == RULE_NONE)) fail_msg("row %zu", i);
        expect_rule(status, &error, rows[i].rule, &at);
        if (status != WLK_OK) continue;
        assert_true(key.valid_from == rows[i].from);
        assert_true(key.valid_until == rows[i].until);
        assert_true(key.revoked == rows[i].revoked);
        assert_memory_equal(key.key.key, key_number(1).public_key, 32);
    }
}

/* What encode writes, parse reads as the same key. */
static void test_there_and_back(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].rule != RULE_NONE) continue;
        const test_key pair = key_number(1);
        const wlk_trusted_key key = {.key = public_of(&pair),
                                     .valid_from = rows[i].from,
                                     .valid_until = rows[i].until,
                                     .revoked = rows[i].revoked};
        uint8_t text[KEY_FILE_MAX + 1];
        uint64_t length;
        wlk_trusted_key again = {0};
        wlk_error error;
        EXPECT_OK(trusted_key_encode(&key, text, &length, &error));
        EXPECT_OK(trusted_key_parse("k.pub", text, length, &again, &error));
        assert_memory_equal(&again, &key, sizeof key);
    }
}

static void test_dates_that_no_file_holds(void **state) {
    (void)state;
    static const struct {
        int64_t from, until, revoked;
    } bad[] = {
        {1, EVER, EVER},
        {EVER_FROM, D2026_01_01 + 1, EVER},
        {EVER_FROM, 0, EVER}, /* 1969-12-31 would be its last day */
        {-DAY, EVER, EVER},
        {EVER_FROM, 253402300800 + DAY, EVER},
        {253402300800, EVER, EVER},
        {EVER_FROM, EVER, -1},
        {EVER_FROM, EVER, INT64_MIN},
        {INT64_MIN + 1, EVER, EVER},
        {D2026_01_01, D2026_01_01, EVER},
        {D2026_12_31, D2026_01_01, EVER},
        {EVER, EVER, EVER},
        {EVER_FROM, EVER_FROM, EVER},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const test_key pair = key_number(1);
        const wlk_trusted_key key = {.key = public_of(&pair),
                                     .valid_from = bad[i].from,
                                     .valid_until = bad[i].until,
                                     .revoked = bad[i].revoked};
        uint8_t text[KEY_FILE_MAX + 1];
        uint64_t length;
        wlk_error error;
        EXPECT_RULE(trusted_key_encode(&key, text, &length, &error), RULE_TRUST_KEY_DATE);
    }
}

static void test_revoking_changes_nothing_else(void **state) {
    (void)state;
    static const struct {
        const char *behind, *want;
    } lines[] = {
        {"", "revoked: 2026-01-01\n"},
        {"valid-from: 1970-01-01", "valid-from: 1970-01-01\nrevoked: 2026-01-01\n"},
        {"valid-until: 2026-12-31\r\n", "valid-until: 2026-12-31\r\nrevoked: 2026-01-01\n"},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        uint8_t text[KEY_FILE_MAX + 1], want[KEY_FILE_MAX + 1];
        uint64_t length = text_with(lines[i].behind, text);
        wlk_error error;
        EXPECT_OK(trusted_key_revoke("k.pub", D2026_01_01 + 7, text, &length, &error));
        assert_int_equal(length, text_with(lines[i].want, want));
        assert_memory_equal(text, want, length);
    }
}

/* A comment that leaves no room for another line. */
static void test_revoking_a_full_file(void **state) {
    (void)state;
    const test_key pair = key_number(1);
    uint8_t payload[42], text[KEY_FILE_MAX + 1];
    char base64[512];
    wlk_trusted_key key;
    wlk_error error;
    public_payload(&pair, payload);
    (void)base64_of(payload, sizeof payload, base64);
    for (int spare = 0; spare < 24; spare++) {
        const int comment = KEY_FILE_MAX - spare - (int)strlen(base64) - 21;
        uint64_t length = (uint64_t)snprintf((char *)text, sizeof text,
                                             "untrusted comment: %0*d\n%s\n", comment, 1, base64);
        assert_int_equal(length, KEY_FILE_MAX - spare);
        EXPECT_OK(trusted_key_parse("k.pub", text, length, &key, &error));
        const wlk_status status = trusted_key_revoke("k.pub", 0, text, &length, &error);
        expect_rule(status, &error, spare < 20 ? RULE_TRUST_KEY_DATE : RULE_NONE, NULL);
    }
}

static void test_names(void **state) {
    (void)state;
    static const struct {
        const char *file, *name;
        wlk_rule rule;
    } files[] = {
        {"alice.pub", "alice", RULE_NONE},
        {"alice", "alice", RULE_NONE},
        {"alice.pub.pub", "alice.pub", RULE_NONE},
        {".pub", ".pub", RULE_NONE},
        {"a b", "a b", RULE_NONE},
        {"123456789012345678901234567890123456789012345678901234567890123.pub",
         "123456789012345678901234567890123456789012345678901234567890123", RULE_NONE},
        {"1234567890123456789012345678901234567890123456789012345678901234.pub", "",
         RULE_TRUST_KEY_NAME},
        {"a\nb.pub", "", RULE_TRUST_KEY_NAME},
        {"\xff.pub", "", RULE_TRUST_KEY_NAME},
    };
    const test_key pair = key_number(5);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        const char *path = in_scratch(files[i].file);
        wlk_trusted_key key;
        wlk_error error;
        write_public(path, &pair, 0664); /* the user named it: its mode is theirs to choose */
        EXPECT_RULE(wlk_trusted_key_load(path, &key, &error), files[i].rule);
        if (files[i].rule == RULE_NONE) assert_string_equal(key.name, files[i].name);
        assert_int_equal(remove(path), 0);
    }
}

/* A failure leaves the caller's key alone. */
static void test_load_failures(void **state) {
    (void)state;
    wlk_trusted_key key, before;
    wlk_error error;
    memset(&key, 0x5a, sizeof key);
    before = key;
    EXPECT_RULE(wlk_trusted_key_load(in_scratch("none.pub"), &key, &error), RULE_TRUST_KEY_READ);
    write_text(in_scratch("bad.pub"), "untrusted comment: x\nRWQ=\n", 0644);
    EXPECT_RULE(wlk_trusted_key_load(in_scratch("bad.pub"), &key, &error), RULE_TRUST_KEY_TEXT);
    assert_memory_equal(&key, &before, sizeof key);
    /* and a plain public key has two lines */
    uint8_t text[KEY_FILE_MAX + 1];
    wlk_public_key public_key;
    write_bytes(in_scratch("dated.pub"), text, text_with("revoked: 2026-01-01\n", text), 0644);
    EXPECT_RULE(wlk_public_key_load(in_scratch("dated.pub"), &public_key, &error),
                RULE_TRUST_KEY_TEXT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_dates_that_no_file_holds),
        cmocka_unit_test(test_revoking_changes_nothing_else),
        cmocka_unit_test(test_revoking_a_full_file),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_load_failures),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}

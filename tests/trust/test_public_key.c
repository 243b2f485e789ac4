#include "support.h"

#include "trust/public_key.h"

static void test_loads_what_minisign_writes(void **state) {
    (void)state;
    /* Made by minisign 0.11 -G. */
    const char *path = in_scratch("golden.pub");
    wlk_public_key key;
    wlk_error error;
    char id[WLK_KEY_ID_TEXT_BYTES], hex[65];
    write_text(path,
               "untrusted comment: minisign public key 753131D612BD07F8\n"
               "RWT4B70S1jExdY7zM/vuzr5YSlbUJokfNn0AwjXOozXheNJ5yLv5xeE/\n",
               0644);
    EXPECT_OK(wlk_public_key_load(path, &key, &error));
    wlk_key_id_text(key.id, id);
    assert_string_equal(id, "753131D612BD07F8");
    sodium_bin2hex(hex, sizeof hex, key.key, sizeof key.key);
    assert_string_equal(hex, "8ef333fbeecebe584a56d426891f367d00c235cea335e178d279c8bbf9c5e13f");
}

static void test_key_id_text(void **state) {
    (void)state;
    static const struct {
        uint8_t id[8];
        const char *text;
    } rows[] = {
        {{0, 0, 0, 0, 0, 0, 0, 0}, "0000000000000000"},
        {{1, 0, 0, 0, 0, 0, 0, 0}, "0000000000000001"},
        {{0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01}, "0123456789ABCDEF"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[WLK_KEY_ID_TEXT_BYTES];
        wlk_key_id_text(rows[i].id, text);
        assert_string_equal(text, rows[i].text);
    }
}

static void test_refusals(void **state) {
    (void)state;
    const char *path = in_scratch("bad.pub");
    const test_key good = key_number(1);
    uint8_t payload[43];
    wlk_public_key key;
    wlk_error error;
    memset(&key, 0x77, sizeof key);
    static const struct {
        const char *what;
        size_t at;
        uint8_t value;
        wlk_rule rule;
    } rows[] = {{"signature algorithm, first", 0, 'e', RULE_TRUST_KEY_ALGORITHM},
                {"prehashed: no key has it", 1, 'D', RULE_TRUST_KEY_ALGORITHM},
                {"not canonical or not on the curve", 41, 0xff, RULE_TRUST_KEY_POINT}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        public_payload(&good, payload);
        payload[rows[i].at] = rows[i].value;
        write_key_text(path, payload, 42, 0644);
        EXPECT_RULE(wlk_public_key_load(path, &key, &error), rows[i].rule);
        assert_non_null(strstr(error.text, "bad.pub"));
    }
    public_payload(&good, payload);
    memset(payload + 2, 0, 8);
    write_key_text(path, payload, 42, 0644);
    EXPECT_RULE(wlk_public_key_load(path, &key, &error), RULE_TRUST_KEY_ID);
    public_payload(&good, payload);
    write_key_text(path, payload, 41, 0644);
    EXPECT_RULE(wlk_public_key_load(path, &key, &error), RULE_TRUST_KEY_TEXT);
    write_key_text(path, payload, 43, 0644);
    EXPECT_RULE(wlk_public_key_load(path, &key, &error), RULE_TRUST_KEY_TEXT);
    EXPECT_RULE(wlk_public_key_load(in_scratch("none.pub"), &key, &error), RULE_TRUST_KEY_READ);
    assert_int_equal(key.id[0], 0x77); /* untouched */
}

/* A secret key file is not a public one, and says so before any use. */
static void test_secret_key_in_its_place(void **state) {
    (void)state;
    const test_key good = key_number(1);
    const char *path = in_scratch("secret.pub");
    wlk_public_key key;
    wlk_error error;
    write_secret(path, &good, NULL, 0644);
    EXPECT_RULE(wlk_public_key_load(path, &key, &error), RULE_TRUST_KEY_TEXT);
}

static void test_long_comment(void **state) {
    (void)state;
    const test_key good = key_number(1);
    const char *path = in_scratch("long.pub");
    uint8_t payload[42];
    char text[8192], base64[512];
    wlk_public_key key;
    wlk_error error;
    public_payload(&good, payload);
    (void)base64_of(payload, sizeof payload, base64);
    for (int over = 0; over <= 1; over++) {
        const int comment = 4096 - 19 - 2 - 56 + over; /* prefix, two line ends, the key */
        (void)snprintf(text, sizeof text, "untrusted comment: %0*d\n%s\n", comment, 0, base64);
        assert_int_equal(strlen(text), 4096 + over);
        write_text(path, text, 0644);
        const wlk_status status = wlk_public_key_load(path, &key, &error);
        expect_rule(status, &error, over ? RULE_TRUST_KEY_TEXT : RULE_NONE, NULL);
    }
}

static void expect_bad_point(const uint8_t point[32]) {
    wlk_public_key key = {.id = {1}};
    wlk_error error;
    memcpy(key.key, point, 32);
    EXPECT_RULE(public_key_check(&key, "key", &error), RULE_TRUST_KEY_POINT);
}

/* Points of small order verify signatures that nobody made; points that are not
 * canonical, or carry a small-order component, verify differently elsewhere. */
static void test_weak_points(void **state) {
    (void)state;
    static const char *const points[] = {
        /* order 4, 1, 2, 8, 8, 8, 8 */
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        /* p, p + 1 and 2^255 - 1: not canonical */
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        /* y = 2: not on the curve */
        "0200000000000000000000000000000000000000000000000000000000000000",
    };
    for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
        uint8_t point[32];
        assert_int_equal(sodium_hex2bin(point, 32, points[i], 64, NULL, NULL, NULL), 0);
        expect_bad_point(point);
    }
    const test_key good = key_number(1);
    uint8_t small[32], mixed[32];
    assert_int_equal(sodium_hex2bin(small, 32, points[3], 64, NULL, NULL, NULL), 0);
    assert_int_equal(crypto_core_ed25519_add(mixed, good.public_key, small), 0);
    expect_bad_point(mixed);
}

static void test_create_is_what_load_reads(void **state) {
    (void)state;
    const test_key pair = key_number(7);
    const wlk_public_key key = public_of(&pair);
    const char *path = in_scratch("made.pub");
    wlk_public_key again;
    wlk_error error;
    size_t length;
    EXPECT_OK(public_key_create(path, &key, &error));
    assert_int_equal(mode_of(path), 0644);
    char *text = read_text(path, &length);
    assert_int_equal(
        strncmp(text, "untrusted comment: minisign public key 0707070707070707\nRWQHBwcH", 64), 0);
    free(text);
    EXPECT_OK(wlk_public_key_load(path, &again, &error));
    assert_memory_equal(&again, &key, sizeof key);
    EXPECT_RULE(public_key_create(path, &key, &error), RULE_TRUST_KEY_EXISTS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loads_what_minisign_writes),
        cmocka_unit_test(test_key_id_text),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_secret_key_in_its_place),
        cmocka_unit_test(test_long_comment),
        cmocka_unit_test(test_weak_points),
        cmocka_unit_test(test_create_is_what_load_reads),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}

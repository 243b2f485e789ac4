#include "support.h"

#include "trust/trust_set.h"

static void test_empty_set(void **state) {
    (void)state;
    static const uint8_t id[8] = {1};
    wlk_trust *trust;
    wlk_error error;
    EXPECT_OK(wlk_trust_new(&trust, &error));
    assert_int_equal(wlk_trust_count(trust), 0);
    assert_null(trust_find(trust, id));
    wlk_trust_free(trust);
    wlk_trust_free(NULL);
    assert_int_equal(wlk_trust_count(NULL), 0);
    assert_null(trust_find(NULL, id));
}

static void test_add_and_find(void **state) {
    (void)state;
    wlk_trust *trust;
    wlk_error error;
    EXPECT_OK(wlk_trust_new(&trust, &error));
    for (uint8_t number = 1; number <= 40; number++) {
        const test_key pair = key_number(number);
        const wlk_public_key key = public_of(&pair);
        char name[16];
        (void)snprintf(name, sizeof name, "key-%d", number);
        EXPECT_OK(wlk_trust_add(trust, &key, name, &error));
        assert_int_equal(wlk_trust_count(trust), number);
    }
    const test_key pair = key_number(17);
    const trusted_key *found = trust_find(trust, pair.id);
    assert_non_null(found);
    assert_string_equal(found->name, "key-17");
    assert_memory_equal(found->key.key, pair.public_key, 32);
    wlk_trust_free(trust);
}

static void test_same_key_twice_is_one_key(void **state) {
    (void)state;
    const test_key pair = key_number(1);
    const wlk_public_key key = public_of(&pair);
    wlk_trust *trust = trusting(&pair);
    wlk_error error;
    EXPECT_OK(wlk_trust_add(trust, &key, "other name", &error));
    assert_int_equal(wlk_trust_count(trust), 1);
    assert_string_equal(trust_find(trust, pair.id)->name, "alice");
    wlk_trust_free(trust);
}

static void test_conflict(void **state) {
    (void)state;
    const test_key pair = key_number(1), other = key_number(2);
    wlk_public_key key = public_of(&other);
    memcpy(key.id, pair.id, sizeof key.id);
    wlk_trust *trust = trusting(&pair);
    wlk_error error;
    EXPECT_RULE(wlk_trust_add(trust, &key, "mallory", &error), RULE_TRUST_KEY_CONFLICT);
    assert_string_equal(error.text, "alice and mallory");
    assert_int_equal(wlk_trust_count(trust), 1);
    assert_memory_equal(trust_find(trust, pair.id)->key.key, pair.public_key, 32);
    wlk_trust_free(trust);
}

static void test_names(void **state) {
    (void)state;
    static const struct {
        const char *name;
        int good;
    } rows[] = {
        {"a", 1},
        {"release 2024 (\xc3\xa9)", 1},
        {"123456789012345678901234567890123456789012345678901234567890123", 1},
        {"1234567890123456789012345678901234567890123456789012345678901234", 0},
        {"", 0},
        {NULL, 0},
        {"a\nb", 0},
        {"\x1b[31mred", 0},
        {"\xff", 0},
        {"\xe2\x80\xae", 0},
    };
    const test_key pair = key_number(1);
    const wlk_public_key key = public_of(&pair);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        wlk_trust *trust;
        wlk_error error;
        EXPECT_OK(wlk_trust_new(&trust, &error));
        const wlk_status status = wlk_trust_add(trust, &key, rows[i].name, &error);
        expect_rule(status, &error, rows[i].good ? RULE_NONE : RULE_TRUST_KEY_NAME, NULL);
        assert_int_equal(wlk_trust_count(trust), rows[i].good);
        wlk_trust_free(trust);
    }
}

static void test_keys_that_could_not_vouch(void **state) {
    (void)state;
    const test_key pair = key_number(1);
    wlk_public_key key = public_of(&pair);
    wlk_trust *trust;
    wlk_error error;
    EXPECT_OK(wlk_trust_new(&trust, &error));
    memset(key.id, 0, sizeof key.id);
    EXPECT_RULE(wlk_trust_add(trust, &key, "zero", &error), RULE_TRUST_KEY_ID);
    key = public_of(&pair);
    memset(key.key, 0, sizeof key.key);
    EXPECT_RULE(wlk_trust_add(trust, &key, "weak", &error), RULE_TRUST_KEY_POINT);
    assert_int_equal(wlk_trust_count(trust), 0);
    wlk_trust_free(trust);
}

static void test_bounded(void **state) {
    (void)state;
    const test_key pair = key_number(1);
    wlk_public_key key = public_of(&pair);
    wlk_trust *trust;
    wlk_error error;
    EXPECT_OK(wlk_trust_new(&trust, &error));
    for (uint64_t i = 1; i <= TRUST_MAX_KEYS; i++) {
        store_u64(key.id, i);
        EXPECT_OK(wlk_trust_add(trust, &key, "many", &error));
    }
    EXPECT_OK(wlk_trust_add(trust, &key, "known", &error)); /* no new key */
    store_u64(key.id, TRUST_MAX_KEYS + 1);
    EXPECT_RULE(wlk_trust_add(trust, &key, "one more", &error), RULE_TRUST_KEY_LIMIT);
    assert_int_equal(wlk_trust_count(trust), TRUST_MAX_KEYS);
    wlk_trust_free(trust);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty_set),
        cmocka_unit_test(test_add_and_find),
        cmocka_unit_test(test_same_key_twice_is_one_key),
        cmocka_unit_test(test_conflict),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_keys_that_could_not_vouch),
        cmocka_unit_test(test_bounded),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}

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
    const wlk_trusted_key *found = trust_find(trust, pair.id);
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

/* A key of its own for each number. */
static wlk_public_key numbered(uint64_t number) {
    wlk_public_key key;
    uint8_t seed[32] = {0}, secret[64];
    store_u64(seed, number);
    store_u64(key.id, number);
    assert_int_equal(crypto_sign_seed_keypair(key.key, secret, seed), 0);
    return key;
}

static void test_bounded(void **state) {
    (void)state;
    wlk_trust *trust;
    wlk_error error;
    EXPECT_OK(wlk_trust_new(&trust, &error));
    for (uint64_t i = 1; i <= TRUST_MAX_KEYS; i++) {
        const wlk_public_key key = numbered(i);
        EXPECT_OK(wlk_trust_add(trust, &key, "many", &error));
    }
    const wlk_public_key known = numbered(TRUST_MAX_KEYS), more = numbered(TRUST_MAX_KEYS + 1);
    EXPECT_OK(wlk_trust_add(trust, &known, "known", &error)); /* no new key */
    EXPECT_RULE(wlk_trust_add(trust, &more, "one more", &error), RULE_TRUST_KEY_LIMIT);
    assert_int_equal(wlk_trust_count(trust), TRUST_MAX_KEYS);
    wlk_trust_free(trust);
}

/* One holder with two numbers would be two signers. */
static void test_one_key_has_one_number(void **state) {
    (void)state;
    const test_key pair = key_number(1);
    wlk_public_key key = public_of(&pair);
    wlk_trust *trust = trusting(&pair);
    wlk_error error;
    key.id[0] ^= 1;
    EXPECT_RULE(wlk_trust_add(trust, &key, "twin", &error), RULE_TRUST_KEY_NUMBERS);
    assert_string_equal(error.text, "alice and twin");
    assert_int_equal(wlk_trust_count(trust), 1);
    wlk_trust_free(trust);
}

#define EVER_FROM INT64_MIN
#define EVER INT64_MAX

static void test_keys_come_back_in_order(void **state) {
    (void)state;
    wlk_trust *trust;
    wlk_error error;
    EXPECT_OK(wlk_trust_new(&trust, &error));
    for (uint8_t number = 3; number > 0; number--) {
        const test_key pair = key_number(number);
        const wlk_trusted_key key = {.key = public_of(&pair),
                                     .name = "k",
                                     .valid_from = number,
                                     .valid_until = 100 + number,
                                     .revoked = EVER};
        EXPECT_OK(wlk_trust_add_key(trust, &key, &error));
    }
    assert_int_equal(wlk_trust_key(trust, 0).valid_from, 3);
    assert_int_equal(wlk_trust_key(trust, 2).valid_until, 101);
    static const wlk_trusted_key none;
    const wlk_trusted_key past = wlk_trust_key(trust, 3), of_nothing = wlk_trust_key(NULL, 0);
    assert_memory_equal(&past, &none, sizeof none);
    assert_memory_equal(&of_nothing, &none, sizeof none);
    wlk_trust_free(trust);
}

/* The narrower dates count, whichever copy comes first: a copy without them does not
 * bring back what was revoked. */
static void test_dates_of_a_key_that_is_there_twice(void **state) {
    (void)state;
    typedef struct span {
        int64_t from, until, revoked;
    } span;
    static const struct {
        span first, second, want;
    } rows[] = {
        {{EVER_FROM, EVER, EVER}, {EVER_FROM, EVER, EVER}, {EVER_FROM, EVER, EVER}},
        {{EVER_FROM, EVER, 50}, {EVER_FROM, EVER, EVER}, {EVER_FROM, EVER, 50}},
        {{10, 20, EVER}, {15, 30, 40}, {15, 20, 40}},
        {{10, 20, 7}, {EVER_FROM, EVER, 9}, {10, 20, 7}},
    };
    const test_key pair = key_number(1);
    for (size_t i = 0; i < 2 * sizeof rows / sizeof *rows; i++) {
        const span spans[] = {rows[i / 2].first, rows[i / 2].second};
        wlk_trust *trust;
        wlk_error error;
        EXPECT_OK(wlk_trust_new(&trust, &error));
        for (size_t turn = 0; turn < 2; turn++) {
            const span *s = &spans[(i + turn) % 2];
            const wlk_trusted_key key = {.key = public_of(&pair),
                                         .name = "alice",
                                         .valid_from = s->from,
                                         .valid_until = s->until,
                                         .revoked = s->revoked};
            EXPECT_OK(wlk_trust_add_key(trust, &key, &error));
        }
        const wlk_trusted_key got = wlk_trust_key(trust, 0);
        assert_int_equal(wlk_trust_count(trust), 1);
        assert_true(got.valid_from == rows[i / 2].want.from);
        assert_true(got.valid_until == rows[i / 2].want.until);
        assert_true(got.revoked == rows[i / 2].want.revoked);
        wlk_trust_free(trust);
    }
}

/* The first second counts, the one behind the last does not; a revoked key is revoked
 * whatever the clock says. */
static void test_state_at_a_time(void **state) {
    (void)state;
    static const struct {
        int64_t from, until, revoked, now;
        wlk_signature_state want;
    } rows[] = {
        {EVER_FROM, EVER, EVER, 0, WLK_SIGNED_TRUSTED},
        {EVER_FROM, EVER, EVER, INT64_MIN, WLK_SIGNED_TRUSTED},
        {1000, 2000, EVER, 999, WLK_SIGNED_EXPIRED},
        {1000, 2000, EVER, 1000, WLK_SIGNED_TRUSTED},
        {1000, 2000, EVER, 1999, WLK_SIGNED_TRUSTED},
        {1000, 2000, EVER, 2000, WLK_SIGNED_EXPIRED},
        {1000, 2000, 1500, 1499, WLK_SIGNED_REVOKED},
        {1000, 2000, 1500, 1500, WLK_SIGNED_REVOKED},
        {1000, 2000, 1500, 2000, WLK_SIGNED_REVOKED},
        {EVER_FROM, EVER, 0, -1, WLK_SIGNED_REVOKED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const wlk_trusted_key key = {
            .valid_from = rows[i].from, .valid_until = rows[i].until, .revoked = rows[i].revoked};
        assert_int_equal(trusted_key_state(&key, rows[i].now), rows[i].want);
    }
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
        cmocka_unit_test(test_one_key_has_one_number),
        cmocka_unit_test(test_keys_come_back_in_order),
        cmocka_unit_test(test_dates_of_a_key_that_is_there_twice),
        cmocka_unit_test(test_state_at_a_time),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}

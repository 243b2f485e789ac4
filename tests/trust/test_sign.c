#include "support.h"

/* A secret key as a user would have it: from a file. */
static wlk_secret_key *load_key(uint8_t number) {
    const test_key pair = key_number(number);
    const char *path = in_scratch("signing.key");
    wlk_secret_key *key;
    wlk_error error;
    write_secret(path, &pair, NULL, 0600);
    EXPECT_OK(wlk_secret_key_load(path, NULL, &key, &error));
    return key;
}

/* The same 72 bytes that docs/format.md asks for, and no other byte changes. */
static void test_signs_by_the_letter(void **state) {
    (void)state;
    const test_key pair = key_number(1);
    wlk_secret_key *key = load_key(1);
    wlk_error error;
    sample ours = sample_make(40, 200000, 16, 0), by_hand = sample_make(40, 200000, 16, 0);
    sample_sign(&by_hand, &pair);
    EXPECT_OK(wlk_sign_memory(ours.bytes, ours.size, key, &error));
    assert_memory_equal(ours.bytes, by_hand.bytes, ours.size);
    free(ours.bytes);
    free(by_hand.bytes);
    wlk_secret_key_free(key);
}

static void test_what_is_signed_is_trusted(void **state) {
    (void)state;
    const test_key pair = key_number(2);
    wlk_secret_key *key = load_key(2);
    wlk_trust *trust = trusting(&pair);
    wlk_verification got;
    wlk_error error;
    static const uint64_t sizes[] = {0, 1, 65536, 5u << 20};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        sample s = sample_make(100, sizes[i], 16, 0);
        EXPECT_OK(wlk_sign_memory(s.bytes, s.size, key, &error));
        EXPECT_OK(wlk_verify_memory(
            s.bytes, s.size, &(wlk_verify_options){.trust = trust, .threads = 2}, &got, &error));
        assert_int_equal(got.state, WLK_SIGNED_TRUSTED);
        free(s.bytes);
    }
    wlk_secret_key_free(key);
    wlk_trust_free(trust);
}

/* A signature of somebody else, valid or not, is replaced. */
static void test_signing_again(void **state) {
    (void)state;
    const test_key mine = key_number(1), other = key_number(3);
    wlk_secret_key *key = load_key(1);
    wlk_trust *trust = trusting(&mine);
    wlk_verification got;
    wlk_error error;
    sample s = sample_make(40, 100, 16, 0);
    sample_sign(&s, &other);
    s.bytes[120] ^= 1;
    EXPECT_OK(wlk_sign_memory(s.bytes, s.size, key, &error));
    EXPECT_OK(wlk_verify_memory(s.bytes, s.size,
                                &(wlk_verify_options){.trust = trust, .threads = 1}, &got, &error));
    assert_int_equal(got.state, WLK_SIGNED_TRUSTED);
    free(s.bytes);
    wlk_secret_key_free(key);
    wlk_trust_free(trust);
}

/* Nothing is signed that would not verify, and the file is left as it was. */
static void test_refuses_what_does_not_hold(void **state) {
    (void)state;
    static const struct {
        uint64_t at;
        wlk_rule rule;
        uint64_t offset;
    } rows[] = {
        {0, RULE_ENVELOPE_MAGIC, 0},           {118, RULE_ENVELOPE_KEY, 118},
        {200, RULE_ENVELOPE_ZERO, 200},        {4000, RULE_ENVELOPE_SLACK_ZERO, 4000},
        {46, RULE_TRUST_HEADER_DIGEST, 256},   {256, RULE_TRUST_HEADER_DIGEST, 256},
        {78, RULE_TRUST_TABLE_DIGEST, 296},    {300, RULE_TRUST_TABLE_DIGEST, 296},
        {4100, RULE_TRUST_CHUNK_DIGEST, 4096},
    };
    wlk_secret_key *key = load_key(1);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        sample s = sample_make(40, 100, 16, 0), before = sample_make(40, 100, 16, 0);
        wlk_error error;
        s.bytes[rows[i].at] ^= 1;
        before.bytes[rows[i].at] ^= 1;
        EXPECT_AT(wlk_sign_memory(s.bytes, s.size, key, &error), rows[i].rule, rows[i].offset);
        assert_memory_equal(s.bytes, before.bytes, s.size);
        free(s.bytes);
        free(before.bytes);
    }
    sample s = sample_make(40, 100, 16, 0);
    wlk_error error;
    EXPECT_AT(wlk_sign_memory(s.bytes, 255, key, &error), RULE_ENVELOPE_TRUNCATED, 255);
    EXPECT_AT(wlk_sign_memory(s.bytes, s.size - 1, key, &error), RULE_ENVELOPE_LAYOUT, 38);
    free(s.bytes);
    wlk_secret_key_free(key);
}

/* From keygen to verification, over the trust folder, as a user goes. */
static void test_whole_way(void **state) {
    (void)state;
    const char *folder = in_scratch("trust");
    wlk_public_key made;
    wlk_secret_key *key;
    wlk_trust *trust;
    wlk_verification got;
    wlk_error error;
    assert_int_equal(mkdir(folder, 0755), 0);
    EXPECT_OK(wlk_keygen(in_scratch("me.key"), in_scratch("trust/me.pub"), NULL, &made, &error));
    EXPECT_OK(wlk_secret_key_load(in_scratch("me.key"), NULL, &key, &error));
    EXPECT_OK(wlk_trust_open(folder, &trust, &error));
    sample s = sample_make(40, 100, 16, 0);
    EXPECT_OK(wlk_sign_memory(s.bytes, s.size, key, &error));
    EXPECT_OK(wlk_verify_memory(s.bytes, s.size,
                                &(wlk_verify_options){.trust = trust, .threads = 2}, &got, &error));
    assert_int_equal(got.state, WLK_SIGNED_TRUSTED);
    assert_string_equal(got.key_name, "me");
    assert_memory_equal(got.key_id, made.id, sizeof made.id);
    s.bytes[s.size - 1] ^= 1;
    EXPECT_AT(wlk_verify_memory(s.bytes, s.size,
                                &(wlk_verify_options){.trust = trust, .threads = 2}, &got, &error),
              RULE_TRUST_CHUNK_DIGEST, s.data_off);
    free(s.bytes);
    wlk_secret_key_free(key);
    wlk_trust_free(trust);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signs_by_the_letter),
        cmocka_unit_test(test_what_is_signed_is_trusted),
        cmocka_unit_test(test_signing_again),
        cmocka_unit_test(test_refuses_what_does_not_hold),
        cmocka_unit_test(test_whole_way),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}

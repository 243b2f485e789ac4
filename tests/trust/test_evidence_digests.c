/* Legacy signatures, expected digests, and the order in which flaws are named. */
#include "evidence.h"

#define OK RULE_NONE
#define SIG RULE_TRUST_SIGNATURE

/* ---- legacy signatures */

static void test_legacy_when_asked_for(void **state) {
    (void)state;
    static const struct {
        const char *detached;
        wlk_rule rule;
        uint32_t trusted;
    } legacy[] = {{"1l", OK, 1},    {"1l 2g", OK, 2}, {"1m", SIG, 0},
                  {"1g 1l", OK, 1}, {"6l", OK, 0},    {"2g 1m", SIG, 0}};
    static const uint8_t data[] = "any artifact";
    wlk_trust *trust = all_keys();
    for (size_t i = 0; i < sizeof legacy / sizeof *legacy; i++) {
        wlk_signature signatures[MOST];
        const wlk_evidence evidence = {
            .signatures = signatures,
            .signature_count = sign_all(legacy[i].detached, data, sizeof data, signatures)};
        const wlk_verify_options options = {
            .trust = trust, .evidence = &evidence, .legacy = 1, .now = NOW};
        wlk_verification found;
        wlk_error error;
        EXPECT_RULE(wlk_verify_memory(data, sizeof data, &options, &found, &error), legacy[i].rule);
        assert_int_equal(found.trusted, legacy[i].trusted);
    }
    wlk_trust_free(trust);
}

/* A prehashed signature is none of the legacy kind, nor the other way round: the two are
 * over different bytes. */
static void test_kinds_cannot_be_swapped(void **state) {
    (void)state;
    static const uint8_t data[64] = "as long as a hash";
    wlk_trust *trust = all_keys();
    for (int legacy = 0; legacy < 2; legacy++) {
        wlk_signature signature = made(1, legacy ? 'l' : 'g', data, sizeof data);
        const wlk_evidence evidence = {.signatures = &signature, .signature_count = 1};
        const wlk_verify_options options = {
            .trust = trust, .evidence = &evidence, .legacy = 1, .now = NOW};
        wlk_verification found;
        wlk_error error;
        EXPECT_OK(wlk_verify_memory(data, sizeof data, &options, &found, &error));
        signature.prehashed = !signature.prehashed;
        EXPECT_RULE(wlk_verify_memory(data, sizeof data, &options, &found, &error), SIG);
    }
    wlk_trust_free(trust);
}

/* ---- digests */

/* Small and large, .wlk and not, alone and threaded: every digest must hold. */
static void test_digests(void **state) {
    (void)state;
    static const uint64_t sizes[] = {100, 5u << 20};
    for (int i = 0; i < 8; i++) {
        sample s = sample_make(40, sizes[i & 1], 16, 0);
        if (i & 2) memset(s.bytes, 'x', 16);
        wlk_digest digests[] = {digest_of(WLK_SHA256, 32, s.bytes, s.size),
                                digest_of(WLK_BLAKE2B, 64, s.bytes, s.size),
                                digest_of(WLK_BLAKE2B, 32, s.bytes, s.size)};
        const wlk_evidence evidence = {.digests = digests, .digest_count = 3};
        const wlk_verify_options options = {.evidence = &evidence, .threads = i & 4 ? 3 : 0};
        wlk_verification found;
        wlk_error error;
        EXPECT_OK(wlk_verify_memory(s.bytes, s.size, &options, &found, &error));
        assert_int_equal(found.digests, 3);
        EXPECT_OK(wlk_verification_check(&found, 1, 1, &error));
        EXPECT_RULE(wlk_verification_check(&found, 1, 0, &error), RULE_TRUST_UNSIGNED);
        for (int wrong = 0; wrong < 3; wrong++) {
            digests[wrong].value[digests[wrong].length - 1] ^= 1;
            EXPECT_AT(wlk_verify_memory(s.bytes, s.size, &options, &found, &error),
                      RULE_TRUST_DIGEST, WLK_NO_OFFSET);
            assert_int_equal(found.digests, 0);
            digests[wrong].value[digests[wrong].length - 1] ^= 1;
        }
        free(s.bytes);
    }
}

static void test_digests_that_are_none(void **state) {
    (void)state;
    static const struct {
        int kind;
        uint32_t length;
    } bad[] = {{WLK_SHA256, 64}, {WLK_SHA256, 0}, {WLK_BLAKE2B, 31},       {WLK_BLAKE2B, 65},
               {0, 32},          {3, 32},         {WLK_SHA256, UINT32_MAX}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const wlk_digest digest = {.kind = (wlk_digest_kind)bad[i].kind, .length = bad[i].length};
        const wlk_evidence evidence = {.digests = &digest, .digest_count = 1};
        const wlk_verify_options options = {.evidence = &evidence};
        wlk_verification found;
        wlk_error error;
        EXPECT_RULE(wlk_verify_memory(NULL, 0, &options, &found, &error), RULE_TRUST_DIGEST_FORM);
    }
}

static void test_an_empty_file(void **state) {
    (void)state;
    wlk_trust *trust = all_keys();
    const wlk_signature signatures[] = {made(1, 'g', (const uint8_t *)"", 0),
                                        made(2, 'l', (const uint8_t *)"", 0)};
    const wlk_digest digest = digest_of(WLK_SHA256, 32, NULL, 0);
    const wlk_evidence evidence = {signatures, 2, &digest, 1};
    const wlk_verify_options options = {
        .trust = trust, .evidence = &evidence, .legacy = 1, .now = NOW};
    wlk_verification found;
    wlk_error error;
    EXPECT_OK(wlk_verify_memory(NULL, 0, &options, &found, &error));
    assert_int_equal(found.trusted, 2);
    assert_int_equal(found.digests, 1);
    wlk_trust_free(trust);
}

/* With several flaws the same one is named, on any number of threads: the file's own
 * digests, then those expected, then detached signatures; a comment and the legacy
 * kind before anything is hashed, and the file's own signature before these. */
static void test_order_of_checks(void **state) {
    (void)state;
    wlk_trust *trust = all_keys();
    for (uint32_t threads = 0; threads < 4; threads++) {
        sample s = sample_make(40, 3u << 20, 16, 0);
        const test_key pair = key_number(1);
        sample_sign(&s, &pair);
        wlk_digest digest = digest_of(WLK_SHA256, 32, s.bytes, s.size);
        wlk_signature signatures[2] = {made(2, 'g', s.bytes, s.size),
                                       made(3, 'g', s.bytes, s.size)};
        const wlk_evidence evidence = {signatures, 2, &digest, 1};
        const wlk_verify_options options = {
            .trust = trust, .evidence = &evidence, .threads = threads, .now = NOW};
        wlk_verification found;
        wlk_error error;
        EXPECT_OK(wlk_verify_memory(s.bytes, s.size, &options, &found, &error));
        assert_int_equal(found.trusted, 3);
        signatures[0] = made(2, 'b', s.bytes, s.size);
        EXPECT_AT(wlk_verify_memory(s.bytes, s.size, &options, &found, &error), SIG, WLK_NO_OFFSET);
        assert_string_equal(error.text, "detached, key bob");
        digest.value[0] ^= 1;
        EXPECT_RULE(wlk_verify_memory(s.bytes, s.size, &options, &found, &error),
                    RULE_TRUST_DIGEST);
        s.bytes[s.size - 1] ^= 1;
        EXPECT_RULE(wlk_verify_memory(s.bytes, s.size, &options, &found, &error),
                    RULE_TRUST_CHUNK_DIGEST);
        signatures[1].trusted_comment[0] = 'x';
        EXPECT_RULE(wlk_verify_memory(s.bytes, s.size, &options, &found, &error), SIG);
        assert_string_equal(error.text, "detached, of the trusted comment, key first second");
        s.bytes[130] ^= 1;
        EXPECT_AT(wlk_verify_memory(s.bytes, s.size, &options, &found, &error), SIG, 118);
        free(s.bytes);
    }
    wlk_trust_free(trust);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_legacy_when_asked_for),
        cmocka_unit_test(test_kinds_cannot_be_swapped),
        cmocka_unit_test(test_digests),
        cmocka_unit_test(test_digests_that_are_none),
        cmocka_unit_test(test_an_empty_file),
        cmocka_unit_test(test_order_of_checks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

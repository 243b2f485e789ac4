/* What a lazy load verifies: the head of a .wlk file, then chunk by chunk. */
#include "support.h"

#include "trust/verify.h"

static const test_key *alice(void) {
    static test_key key;
    key = key_number(1);
    return &key;
}

static wlk_status head(const sample *s, const wlk_trust *trust, wlk_verification *found,
                       envelope *e, wlk_error *error) {
    return verify_head(s->bytes, s->data_off, s->size, &(wlk_verify_options){.trust = trust}, found,
                       e, error);
}

/* The data are not there: the buffer ends with the head, as a sanitizer would see. */
static void test_head_is_all_that_is_read(void **state) {
    (void)state;
    wlk_trust *trust = trusting(alice());
    sample s = sample_make(40, 200000, 16, 0);
    sample_sign(&s, alice());
    uint8_t *only = malloc(s.data_off);
    assert_non_null(only);
    memcpy(only, s.bytes, s.data_off);
    wlk_verification found;
    wlk_error error;
    envelope e;
    const wlk_verify_options options = {.trust = trust};
    EXPECT_OK(verify_head(only, s.data_off, s.size, &options, &found, &e, &error));
    assert_int_equal(found.state, WLK_SIGNED_TRUSTED);
    assert_int_equal(found.trusted, 1);
    assert_int_equal(found.native, 1);
    assert_int_equal(e.data_len, 200000);
    EXPECT_OK(wlk_verification_check(&found, 1, 0, &error));
    free(only);
    free(s.bytes);
    wlk_trust_free(trust);
}

static void test_flaws_of_the_head(void **state) {
    (void)state;
    static const struct {
        uint64_t at;
        wlk_rule rule;
        uint64_t offset;
    } rows[] = {
        {0, RULE_ENVELOPE_MAGIC, 0},         {130, RULE_TRUST_SIGNATURE, 118},
        {50, RULE_TRUST_SIGNATURE, 118},     {256, RULE_TRUST_HEADER_DIGEST, 256},
        {300, RULE_TRUST_TABLE_DIGEST, 296}, {4095, RULE_ENVELOPE_SLACK_ZERO, 4095},
        {182, RULE_ENVELOPE_ZERO, 182},
    };
    wlk_trust *trust = trusting(alice());
    sample s = sample_make(40, 200000, 16, 0);
    sample_sign(&s, alice());
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        wlk_verification found;
        wlk_error error;
        envelope e;
        s.bytes[rows[i].at] ^= 1;
        EXPECT_AT(head(&s, trust, &found, &e, &error), rows[i].rule, rows[i].offset);
        assert_int_not_equal(found.state, WLK_SIGNED_TRUSTED);
        s.bytes[rows[i].at] ^= 1;
    }
    free(s.bytes);
    wlk_trust_free(trust);
}

static void test_sizes_that_do_not_agree(void **state) {
    (void)state;
    sample s = sample_make(40, 200000, 16, 0);
    const wlk_verify_options options = {0};
    wlk_verification found;
    wlk_error error;
    envelope e;
    EXPECT_AT(verify_head(s.bytes, 255, s.size, &options, &found, &e, &error),
              RULE_ENVELOPE_TRUNCATED, 255);
    EXPECT_AT(verify_head(s.bytes, 256, s.size, &options, &found, &e, &error), RULE_ENVELOPE_LAYOUT,
              256);
    EXPECT_AT(verify_head(s.bytes, 4095, s.size, &options, &found, &e, &error),
              RULE_ENVELOPE_LAYOUT, 4095);
    EXPECT_AT(verify_head(s.bytes, s.size, s.size, &options, &found, &e, &error),
              RULE_ENVELOPE_LAYOUT, s.size);
    EXPECT_AT(verify_head(s.bytes, 4096, s.size - 1, &options, &found, &e, &error),
              RULE_ENVELOPE_LAYOUT, 38);
    EXPECT_AT(verify_head(s.bytes, 4096, 255, &options, &found, &e, &error),
              RULE_ENVELOPE_TRUNCATED, 255);
    EXPECT_OK(verify_head(s.bytes, 4096, s.size, &options, &found, &e, &error));
    assert_int_equal(found.state, WLK_UNSIGNED);
    free(s.bytes);
}

static void test_evidence_is_over_the_whole_file(void **state) {
    (void)state;
    sample s = sample_make(40, 100, 16, 0);
    const wlk_signature signature = {.prehashed = 1};
    const wlk_digest digest = {.kind = WLK_SHA256, .length = 32};
    const wlk_evidence evidence[] = {{&signature, 1, NULL, 0}, {NULL, 0, &digest, 1}, {0}};
    for (size_t i = 0; i < 3; i++) {
        const wlk_verify_options options = {.evidence = &evidence[i]};
        wlk_verification found;
        wlk_error error;
        envelope e;
        EXPECT_RULE(verify_head(s.bytes, s.data_off, s.size, &options, &found, &e, &error),
                    i < 2 ? RULE_LOAD_LAZY_EVIDENCE : RULE_NONE);
    }
    free(s.bytes);
}

/* Invariant 1: each chunk is that of the table, at its place and of its length. */
static void test_invariant_1_chunks(void **state) {
    (void)state;
    sample s = sample_make(40, 3 * 65536 + 5, 16, 0);
    wlk_verification found;
    wlk_error error;
    envelope e;
    EXPECT_OK(head(&s, NULL, &found, &e, &error));
    for (uint64_t i = 0; i < 4; i++) {
        const uint8_t *chunk = s.bytes + s.data_off + (i << 16);
        const uint64_t length = i < 3 ? 65536 : 5, at = s.data_off + (i << 16);
        EXPECT_OK(verify_chunk(s.bytes, &e, i, chunk, length, &error));
        EXPECT_AT(verify_chunk(s.bytes, &e, i, chunk, length - 1, &error), RULE_TRUST_CHUNK_DIGEST,
                  at);
        EXPECT_AT(verify_chunk(s.bytes, &e, i, s.bytes, length, &error), RULE_TRUST_CHUNK_DIGEST,
                  at);
        EXPECT_AT(verify_chunk(s.bytes, &e, (i + 1) % 4, chunk, length, &error),
                  RULE_TRUST_CHUNK_DIGEST, s.data_off + ((i + 1) % 4 << 16));
    }
    EXPECT_RULE(verify_chunk(s.bytes, &e, 4, s.bytes, 5, &error), RULE_INTERNAL_DEFECT);
    EXPECT_RULE(verify_chunk(s.bytes, &e, UINT64_MAX, s.bytes, 5, &error), RULE_INTERNAL_DEFECT);
    free(s.bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_head_is_all_that_is_read),
        cmocka_unit_test(test_flaws_of_the_head),
        cmocka_unit_test(test_sizes_that_do_not_agree),
        cmocka_unit_test(test_evidence_is_over_the_whole_file),
        cmocka_unit_test(test_invariant_1_chunks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

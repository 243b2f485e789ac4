#include "support.h"

static wlk_status verify(const sample *s, const wlk_trust *trust, uint32_t threads,
                         wlk_verification *got, wlk_error *error) {
    return wlk_verify_memory(s->bytes, s->size,
                             &(wlk_verify_options){.trust = trust, .threads = threads}, got, error);
}

static const test_key *alice(void) {
    static test_key key;
    key = key_number(1);
    return &key;
}

/* A file that alice signed: 40 bytes of header, one chunk of 100 bytes. */
static sample signed_sample(void) {
    sample s = sample_make(40, 100, 16, 0);
    sample_sign(&s, alice());
    return s;
}

/* Invariant 2: no header is looked into; any bytes of any length will do. */
static void test_invariant_2_accepts_whatever_digests_cover(void **state) {
    (void)state;
    static const struct {
        uint64_t header_len, data_len, slack;
        uint8_t chunk_log2;
    } rows[] = {
        {1, 0, 0, 16},           {40, 100, 0, 16},           {3840 - 32, 1, 0, 16},
        {3840, 0, 0, 24},        {100000, 65536, 0, 16},     {7, 65537, 61440, 16},
        {7, 3u << 20, 4096, 20}, {1, (5u << 20) + 1, 0, 24},
    };
    wlk_trust *trust = trusting(alice());
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        sample s =
            sample_make(rows[i].header_len, rows[i].data_len, rows[i].chunk_log2, rows[i].slack);
        wlk_verification got;
        wlk_error error;
        EXPECT_OK(verify(&s, trust, 2, &got, &error));
        assert_int_equal(got.state, WLK_UNSIGNED);
        assert_string_equal(got.key_name, "");
        sample_sign(&s, alice());
        EXPECT_OK(verify(&s, trust, 2, &got, &error));
        assert_int_equal(got.state, WLK_SIGNED_TRUSTED);
        assert_memory_equal(got.key_id, alice()->id, 8);
        assert_string_equal(got.key_name, "alice");
        EXPECT_OK(verify(&s, NULL, 0, &got, &error));
        assert_int_equal(got.state, WLK_SIGNED_UNKNOWN);
        assert_memory_equal(got.key_id, alice()->id, 8);
        assert_string_equal(got.key_name, "");
        free(s.bytes);
    }
    wlk_trust_free(trust);
}

/* ---- the envelope, byte by byte */

typedef struct patch_row {
    const char *what;
    wlk_rule rule;
    uint64_t offset; /* of the refusal */
    uint64_t at;     /* where to write ... */
    uint64_t value;
    size_t width; /* ... so many bytes of it */
} patch_row;

/* The sample has header_len 40, table_len 32, data_off 4096, data_len 100. */
static const patch_row patches[] = {
    {"first byte", RULE_ENVELOPE_MAGIC, 0, 0, 0xc5, 1},
    {"second byte", RULE_ENVELOPE_MAGIC, 1, 1, 0xff, 1},
    {"high bit stripped", RULE_ENVELOPE_MAGIC, 2, 2, 0x09, 1},
    {"last byte of the magic", RULE_ENVELOPE_MAGIC, 9, 9, 0x0d, 1},
    {"version 0", RULE_ENVELOPE_VERSION, 10, 10, 0, 2},
    {"version 2", RULE_ENVELOPE_VERSION, 10, 10, 2, 2},
    {"version 257", RULE_ENVELOPE_VERSION, 10, 10, 257, 2},
    {"chunks of 2^15", RULE_ENVELOPE_CHUNK, 12, 12, 15, 1},
    {"chunks of 2^25", RULE_ENVELOPE_CHUNK, 12, 12, 25, 1},
    {"chunks of 2^255", RULE_ENVELOPE_CHUNK, 12, 12, 255, 1},
    {"codecs 2", RULE_ENVELOPE_CODECS, 13, 13, 2, 1},
    {"first reserved byte", RULE_ENVELOPE_ZERO, 182, 182, 1, 1},
    {"last reserved byte", RULE_ENVELOPE_ZERO, 255, 255, 0x80, 1},
    {"no header", RULE_ENVELOPE_LAYOUT, 14, 14, 0, 8},
    {"largest header", RULE_ENVELOPE_LAYOUT, 14, 14, UINT64_MAX, 8},
    {"header up to the wrap", RULE_ENVELOPE_LAYOUT, 22, 14, UINT64_MAX - 256, 8},
    {"header over the data", RULE_ENVELOPE_LAYOUT, 30, 14, 4096, 8},
    {"no table", RULE_ENVELOPE_LAYOUT, 22, 22, 0, 8},
    {"two digests for one chunk", RULE_ENVELOPE_LAYOUT, 22, 22, 64, 8},
    {"largest table", RULE_ENVELOPE_LAYOUT, 22, 22, UINT64_MAX, 8},
    {"data not aligned", RULE_ENVELOPE_LAYOUT, 30, 30, 4160, 8},
    {"data inside the envelope", RULE_ENVELOPE_LAYOUT, 30, 30, 0, 8},
    {"data behind the end", RULE_ENVELOPE_LAYOUT, 38, 30, 8192, 8},
    {"data at the wrap", RULE_ENVELOPE_LAYOUT, 38, 30, 0xfffffffffffff000, 8},
    {"data one byte short", RULE_ENVELOPE_LAYOUT, 38, 38, 99, 8},
    {"data one byte long", RULE_ENVELOPE_LAYOUT, 38, 38, 101, 8},
    {"no data", RULE_ENVELOPE_LAYOUT, 22, 38, 0, 8},
    {"largest data", RULE_ENVELOPE_LAYOUT, 22, 38, UINT64_MAX, 8},
    {"signature in an unsigned file", RULE_ENVELOPE_KEY, 118, 118, 1, 1},
    {"last byte of the same", RULE_ENVELOPE_KEY, 181, 181, 1, 1},
    {"first byte of slack", RULE_ENVELOPE_SLACK_ZERO, 328, 328, 1, 1},
    {"last byte of slack", RULE_ENVELOPE_SLACK_ZERO, 4095, 4095, 0x20, 1},
    {"header digest", RULE_TRUST_HEADER_DIGEST, 256, 46, 0, 1},
    {"first header byte", RULE_TRUST_HEADER_DIGEST, 256, 256, 0, 1},
    {"last header byte", RULE_TRUST_HEADER_DIGEST, 256, 295, 0, 1},
    {"table digest", RULE_TRUST_TABLE_DIGEST, 296, 109, 0, 1},
    {"table", RULE_TRUST_TABLE_DIGEST, 296, 296, 0, 1},
    {"first data byte", RULE_TRUST_CHUNK_DIGEST, 4096, 4096, 0, 1},
    {"last data byte", RULE_TRUST_CHUNK_DIGEST, 4096, 4195, 0, 1},
};

static void test_every_rule_of_an_unsigned_file(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof patches / sizeof *patches; i++) {
        const patch_row *row = &patches[i];
        sample s = sample_make(40, 100, 16, 0);
        wlk_verification got = {.state = WLK_SIGNED_TRUSTED};
        wlk_error error = {.rule = RULE_NONE};
        memcpy(s.bytes + row->at, &row->value, row->width);
        const wlk_status status = verify(&s, NULL, 2, &got, &error);
        if (status == WLK_OK || error.rule != row->rule || error.offset != row->offset) {
            fail_msg("%s: %s at %llu", row->what, wlk_rule_name(error.rule),
                     (unsigned long long)error.offset);
        }
        assert_int_equal(status, WLK_TRUST);
        assert_int_not_equal(got.state, WLK_SIGNED_TRUSTED);
        free(s.bytes);
    }
}

static void test_too_much_slack(void **state) {
    (void)state;
    wlk_verification got;
    wlk_error error;
    sample most = sample_make(4096 - 256 - 32, 1, 16, 65536), more = sample_make(1, 1, 16, 65536);
    EXPECT_OK(verify(&most, NULL, 1, &got, &error));
    EXPECT_AT(verify(&more, NULL, 1, &got, &error), RULE_ENVELOPE_SLACK, 30);
    free(most.bytes);
    free(more.bytes);
}

static void test_truncated_and_lengthened(void **state) {
    (void)state;
    sample s = signed_sample();
    wlk_trust *trust = trusting(alice());
    wlk_verification got;
    wlk_error error;
    for (uint64_t size = 0; size < s.size; size++) {
        uint8_t *cut = malloc(size + 1); /* of its own, so that a sanitizer sees overreads */
        assert_non_null(cut);
        memcpy(cut, s.bytes, size);
        const wlk_status status = wlk_verify_memory(
            cut, size, &(wlk_verify_options){.trust = trust, .threads = 2}, &got, &error);
        if (size < 10) { /* too short for the constants: no .wlk, so nothing was checked */
            EXPECT_OK(status);
            assert_int_equal(got.native, 0);
            EXPECT_RULE(wlk_verification_check(&got, 1, 1, &error), RULE_TRUST_NOTHING_CHECKED);
        } else if (size < 256) {
            EXPECT_AT(status, RULE_ENVELOPE_TRUNCATED, size);
        } else {
            EXPECT_AT(status, RULE_ENVELOPE_LAYOUT, 38);
        }
        free(cut);
    }
    uint8_t *longer = calloc(1, s.size + 4096);
    assert_non_null(longer);
    memcpy(longer, s.bytes, s.size);
    EXPECT_AT(wlk_verify_memory(longer, s.size + 1,
                                &(wlk_verify_options){.trust = trust, .threads = 2}, &got, &error),
              RULE_ENVELOPE_LAYOUT, 38);
    EXPECT_AT(wlk_verify_memory(longer, s.size + 4096,
                                &(wlk_verify_options){.trust = trust, .threads = 2}, &got, &error),
              RULE_ENVELOPE_LAYOUT, 38);
    free(longer);
    free(s.bytes);
    wlk_trust_free(trust);
}

/* ---- every byte */

/* What a caller does that accepts only what a trusted key vouches for. */
static wlk_status policy(const sample *s, const wlk_trust *trust, wlk_status *verdict) {
    wlk_verification got;
    wlk_error error;
    *verdict = verify(s, trust, 1, &got, &error);
    if (*verdict != WLK_OK) assert_int_not_equal(got.state, WLK_SIGNED_TRUSTED);
    if (*verdict == WLK_OK && got.state != WLK_SIGNED_TRUSTED) return WLK_TRUST;
    return *verdict;
}

/* Change 0 to 7 flips a bit, 8 clears the byte, 9 sets it. */
static uint8_t changed(uint8_t was, unsigned change) {
    if (change >= 8) return change == 8 ? 0x00 : 0xff;
    return (uint8_t)(was ^ (1u << change));
}

/* Invariants 1 and 2: of a signed file, no byte can be any different. A change of the
 * key number makes it a file of an unknown key, which is never a trusted one. */
static void test_invariants_1_and_2_every_byte_is_covered(void **state) {
    (void)state;
    sample s = signed_sample();
    wlk_trust *trust = trusting(alice());
    wlk_status verdict;
    assert_int_equal(policy(&s, trust, &verdict), WLK_OK);
    for (uint64_t at = 0; at < s.size; at++) {
        const uint8_t was = s.bytes[at];
        for (unsigned change = 0; change < 10; change++) {
            const uint8_t now = changed(was, change);
            if (now == was) continue;
            s.bytes[at] = now;
            if (policy(&s, trust, &verdict) != WLK_TRUST) {
                fail_msg("offset %llu, %02x for %02x: accepted", (unsigned long long)at, now, was);
            }
            const int in_key_id = at >= 110 && at < 118;
            assert_int_equal(verdict, in_key_id ? WLK_OK : WLK_TRUST);
        }
        s.bytes[at] = was;
    }
    assert_int_equal(policy(&s, trust, &verdict), WLK_OK);
    free(s.bytes);
    wlk_trust_free(trust);
}

/* ---- forgeries */

static void test_swapped_parts(void **state) {
    (void)state;
    wlk_trust *trust = trusting(alice());
    wlk_verification got;
    wlk_error error;
    uint8_t swap[65536], digest[32];
    sample s = sample_make(40, 3 * 65536 + 5, 16, 0);
    sample_sign(&s, alice());
    uint8_t *data = s.bytes + s.data_off, *table = s.bytes + 296;
    memcpy(swap, data + 65536, 65536);
    memcpy(data + 65536, data + 131072, 65536);
    memcpy(data + 131072, swap, 65536);
    EXPECT_AT(verify(&s, trust, 2, &got, &error), RULE_TRUST_CHUNK_DIGEST, s.data_off + 65536);
    memcpy(digest, table + 32, 32);
    memcpy(table + 32, table + 64, 32);
    memcpy(table + 64, digest, 32);
    EXPECT_AT(verify(&s, trust, 2, &got, &error), RULE_TRUST_TABLE_DIGEST, 296);
    (void)crypto_generichash(s.bytes + 78, 32, table, s.table_len, NULL, 0);
    EXPECT_AT(verify(&s, trust, 2, &got, &error), RULE_TRUST_SIGNATURE, 118);
    EXPECT_OK(verify(&s, NULL, 2, &got, &error)); /* it is somebody's, and consistent */
    assert_int_equal(got.state, WLK_SIGNED_UNKNOWN);
    free(s.bytes);
    wlk_trust_free(trust);
}

/* The table is alice's of one file, the data of another that she signed too. */
static void test_parts_of_two_signed_files(void **state) {
    (void)state;
    static const struct {
        uint64_t from, length;
        wlk_rule rule;
        uint64_t offset;
    } rows[] = {
        {118, 64, RULE_TRUST_SIGNATURE, 118},    {46, 32, RULE_TRUST_SIGNATURE, 118},
        {78, 32, RULE_TRUST_SIGNATURE, 118},     {256, 40, RULE_TRUST_HEADER_DIGEST, 256},
        {296, 32, RULE_TRUST_TABLE_DIGEST, 296}, {4096, 100, RULE_TRUST_CHUNK_DIGEST, 4096},
    };
    wlk_trust *trust = trusting(alice());
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        sample a = signed_sample(), b = sample_make(40, 100, 16, 0);
        wlk_verification got;
        wlk_error error;
        fill_noise(b.bytes + 256, 40, 8);
        fill_noise(b.bytes + 4096, 100, 9);
        sample_seal(&b);
        sample_sign(&b, alice());
        EXPECT_OK(verify(&b, trust, 1, &got, &error));
        memcpy(a.bytes + rows[i].from, b.bytes + rows[i].from, rows[i].length);
        EXPECT_AT(verify(&a, trust, 1, &got, &error), rows[i].rule, rows[i].offset);
        free(a.bytes);
        free(b.bytes);
    }
    wlk_trust_free(trust);
}

/* Invariant 10: a stranger who writes alice's number over his own signature, or
 * signs something else than an envelope, gains nothing. */
static void test_invariant_10_forged_signatures(void **state) {
    (void)state;
    wlk_trust *trust = trusting(alice());
    sample s = sample_make(40, 100, 16, 0);
    wlk_verification got;
    wlk_error error;
    test_key mallory = key_number(66);
    sample_sign(&s, &mallory);
    EXPECT_OK(verify(&s, trust, 1, &got, &error));
    assert_int_equal(got.state, WLK_SIGNED_UNKNOWN);
    memcpy(mallory.id, alice()->id, 8);
    sample_sign(&s, &mallory);
    EXPECT_AT(verify(&s, trust, 1, &got, &error), RULE_TRUST_SIGNATURE, 118);
    assert_string_equal(error.text, "key alice");
    assert_int_not_equal(got.state, WLK_SIGNED_TRUSTED);
    memset(s.bytes + 118, 0, 64);
    EXPECT_AT(verify(&s, trust, 1, &got, &error), RULE_TRUST_SIGNATURE, 118);
    /* alice's signature over the same bytes, but without the domain */
    (void)crypto_sign_detached(s.bytes + 118, NULL, s.bytes + 2, 116, alice()->secret_key);
    EXPECT_AT(verify(&s, trust, 1, &got, &error), RULE_TRUST_SIGNATURE, 118);
    free(s.bytes);
    wlk_trust_free(trust);
}

/* S + L is the same number to a careless verifier (RFC 8032, 5.1.7). */
static void test_signature_is_not_malleable(void **state) {
    (void)state;
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
                                      0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
                                      0,    0,    0,    0,    0,    0,    0,    0,
                                      0,    0,    0,    0,    0,    0,    0,    0x10};
    sample s = signed_sample();
    wlk_trust *trust = trusting(alice());
    wlk_verification got;
    wlk_error error;
    sodium_add(s.bytes + 118 + 32, order, 32);
    EXPECT_AT(verify(&s, trust, 1, &got, &error), RULE_TRUST_SIGNATURE, 118);
    free(s.bytes);
    wlk_trust_free(trust);
}

/* A flaw in several places is reported in one order, with the signature before
 * anything that it covers. */
static void test_order_of_checks(void **state) {
    (void)state;
    static const struct {
        uint64_t at;
        wlk_rule rule;
    } rows[] = {{4096, RULE_TRUST_CHUNK_DIGEST},  {296, RULE_TRUST_TABLE_DIGEST},
                {256, RULE_TRUST_HEADER_DIGEST},  {46, RULE_TRUST_SIGNATURE},
                {4095, RULE_ENVELOPE_SLACK_ZERO}, {255, RULE_ENVELOPE_ZERO},
                {0, RULE_ENVELOPE_MAGIC}};
    sample s = signed_sample();
    wlk_trust *trust = trusting(alice());
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        wlk_verification got;
        wlk_error error;
        s.bytes[rows[i].at] ^= 1;
        EXPECT_RULE(verify(&s, trust, 2, &got, &error), rows[i].rule);
    }
    free(s.bytes);
    wlk_trust_free(trust);
}

/* ---- threads */

static void test_threads_give_the_same_answer(void **state) {
    (void)state;
    static const uint32_t threads[] = {0, 1, 2, 7, 64, UINT32_MAX};
    static const uint64_t chunks[] = {95, 94, 60, 41, 40, 1, 0};
    wlk_trust *trust = trusting(alice());
    sample s = sample_make(40, (6u << 20) - 7, 16, 0); /* 96 chunks */
    sample_sign(&s, alice());
    for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
        wlk_verification got;
        wlk_error error;
        EXPECT_OK(verify(&s, trust, threads[t], &got, &error));
        assert_int_equal(got.state, WLK_SIGNED_TRUSTED);
    }
    for (size_t i = 0; i < sizeof chunks / sizeof *chunks; i++) {
        s.bytes[s.data_off + (chunks[i] << 16) + 11] ^= 4;
        for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
            wlk_verification got;
            wlk_error error;
            EXPECT_AT(verify(&s, trust, threads[t], &got, &error), RULE_TRUST_CHUNK_DIGEST,
                      s.data_off + (chunks[i] << 16));
        }
    }
    free(s.bytes);
    wlk_trust_free(trust);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_invariant_2_accepts_whatever_digests_cover),
        cmocka_unit_test(test_every_rule_of_an_unsigned_file),
        cmocka_unit_test(test_too_much_slack),
        cmocka_unit_test(test_truncated_and_lengthened),
        cmocka_unit_test(test_invariants_1_and_2_every_byte_is_covered),
        cmocka_unit_test(test_swapped_parts),
        cmocka_unit_test(test_parts_of_two_signed_files),
        cmocka_unit_test(test_invariant_10_forged_signatures),
        cmocka_unit_test(test_signature_is_not_malleable),
        cmocka_unit_test(test_order_of_checks),
        cmocka_unit_test(test_threads_give_the_same_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Signatures and keys at the edges of Ed25519: of all that a verifier somewhere accepts,
 * only the right one is accepted here, in a .minisig file as inside a .wlk file. */
#include "support.h"

#include "ed25519_vectors.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static const char file[] = "weights";
#define FILE_BYTES (sizeof file - 1)

static void from_hex(const char *hex, uint8_t *bytes, size_t size) {
    size_t got;
    assert_int_equal(sodium_hex2bin(bytes, size, hex, strlen(hex), NULL, &got, NULL), 0);
    assert_int_equal(got, size);
}

/* A .minisig file as text, by hand. */
static void write_minisig(const char *path, const char *signature, const char *global) {
    uint8_t payload[74] = {'E', 'D', 7, 7, 7, 7, 7, 7, 7, 7}, bytes[64];
    char first[512], second[512], text[1536];
    from_hex(signature, payload + 10, 64);
    from_hex(global, bytes, 64);
    (void)snprintf(text, sizeof text,
                   "untrusted comment: by hand\n%s\ntrusted comment: vectors\n%s\n",
                   base64_of(payload, sizeof payload, first), base64_of(bytes, 64, second));
    write_text(path, text, 0644);
}

static void expect_minisig(const char *what, const char *signature, const char *global, int good) {
    const test_key pair = key_number(7);
    wlk_trust *trust = trusting(&pair);
    wlk_signature read;
    wlk_verification found;
    wlk_error error = {.rule = RULE_NONE};
    write_minisig(in_scratch("v.minisig"), signature, global);
    EXPECT_OK(wlk_signature_load(in_scratch("v.minisig"), &read, &error));
    const wlk_evidence evidence = {.signatures = &read, .signature_count = 1};
    const wlk_verify_options options = {.trust = trust, .evidence = &evidence};
    const wlk_status status =
        wlk_verify_memory((const uint8_t *)file, FILE_BYTES, &options, &found, &error);
    if ((status == WLK_OK) != good) fail_msg("%s", what);
    expect_rule(status, &error, good ? RULE_NONE : RULE_TRUST_SIGNATURE, NULL);
    assert_int_equal(found.trusted, good);
    wlk_trust_free(trust);
}

static void test_signatures_in_minisig_files(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(signature_vectors); i++) {
        const struct signature_vector *v = &signature_vectors[i];
        expect_minisig(v->what, v->signature, v->global_of_it, i == 0);
        expect_minisig(v->what, signature_vectors[0].signature, v->global, i == 0);
    }
}

static void test_signatures_inside_wlk_files(void **state) {
    (void)state;
    const test_key pair = key_number(7);
    wlk_trust *trust = trusting(&pair);
    for (size_t i = 0; i < COUNT(signature_vectors); i++) {
        sample s = sample_make(1, 0, 16, 0);
        wlk_verification found;
        wlk_error error = {.rule = RULE_NONE};
        s.bytes[ENVELOPE_BYTES] = 'x';
        sample_seal(&s);
        memcpy(s.bytes + 110, pair.id, 8);
        from_hex(signature_vectors[i].inside, s.bytes + 118, 64);
        const wlk_verify_options options = {.trust = trust};
        const wlk_status status = wlk_verify_memory(s.bytes, s.size, &options, &found, &error);
        if ((status == WLK_OK) != (i == 0)) fail_msg("%s", signature_vectors[i].what);
        expect_rule(status, &error, i == 0 ? RULE_NONE : RULE_TRUST_SIGNATURE,
                    &(const uint64_t){118});
        free(s.bytes);
    }
    wlk_trust_free(trust);
}

/* Under some of these keys one signature would fit any file: none becomes trusted, from
 * a file, in a folder, or by a call. */
static void test_keys(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(key_vectors); i++) {
        test_key pair = key_number(7);
        wlk_public_key key;
        wlk_trusted_key trusted;
        wlk_trust *trust;
        wlk_error error;
        const wlk_rule rule = i == 0 ? RULE_NONE : RULE_TRUST_KEY_POINT;
        from_hex(key_vectors[i].key, pair.public_key, 32);
        key = public_of(&pair);
        write_public(in_scratch("v.pub"), &pair, 0644);
        EXPECT_OK(wlk_trust_new(&trust, &error));
        const wlk_status status = wlk_trust_add(trust, &key, "v", &error);
        if ((status == WLK_OK) != (i == 0)) fail_msg("%s", key_vectors[i].what);
        expect_rule(status, &error, rule, NULL);
        EXPECT_RULE(wlk_public_key_load(in_scratch("v.pub"), &key, &error), rule);
        EXPECT_RULE(wlk_trusted_key_load(in_scratch("v.pub"), &trusted, &error), rule);
        wlk_trust_free(trust);
    }
}

/* Text that is too short or too long for a signature is not one. */
static void test_lengths(void **state) {
    (void)state;
    uint8_t payload[80] = {'E', 'D', 7, 7, 7, 7, 7, 7, 7, 7}, global[80] = {0};
    for (size_t first = 0; first <= 80; first++) {
        for (size_t second = 60; second <= 68; second++) {
            char a[512], b[512], text[1536];
            wlk_signature read;
            wlk_error error;
            const int length =
                snprintf(text, sizeof text, "untrusted comment: x\n%s\ntrusted comment: x\n%s\n",
                         base64_of(payload, first, a), base64_of(global, second, b));
            EXPECT_RULE(wlk_signature_parse((uint8_t *)text, (uint64_t)length, &read, &error),
                        first == 74 && second == 64 ? RULE_NONE : RULE_TRUST_SIGNATURE_TEXT);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signatures_in_minisig_files),
        cmocka_unit_test(test_signatures_inside_wlk_files),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_lengths),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}

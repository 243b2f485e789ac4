/* What the tests of evidence share: keys of every state, signatures as minisign makes them,
 * good and wrong, and digests; made by libsodium, with nothing of the module under test. */
#ifndef TESTS_TRUST_EVIDENCE_H
#define TESTS_TRUST_EVIDENCE_H

#include "support.h"

#define NOW 1000000

/* The keys of every test: what each is worth at NOW. Any other is unknown. */
static const struct {
    const char *name;
    int64_t from, until, revoked;
} keys[] = {
    [1] = {"alice", INT64_MIN, INT64_MAX, INT64_MAX},
    [2] = {"bob", INT64_MIN, INT64_MAX, INT64_MAX},
    [3] = {"first second", NOW, NOW + 1, INT64_MAX},
    [4] = {"ended", 0, NOW, INT64_MAX},
    [5] = {"not yet", NOW + 1, INT64_MAX, INT64_MAX},
    [6] = {"revoked", INT64_MIN, INT64_MAX, NOW - 1},
    [7] = {"revoked and ended", 0, NOW, NOW - 1},
};
#define KEYS (sizeof keys / sizeof *keys)

static inline wlk_trust *all_keys(void) {
    wlk_trust *trust;
    wlk_error error;
    EXPECT_OK(wlk_trust_new(&trust, &error));
    for (uint8_t i = 1; i < KEYS; i++) {
        const test_key pair = key_number(i);
        wlk_trusted_key key = {.key = public_of(&pair),
                               .valid_from = keys[i].from,
                               .valid_until = keys[i].until,
                               .revoked = keys[i].revoked};
        (void)snprintf(key.name, sizeof key.name, "%s", keys[i].name);
        EXPECT_OK(wlk_trust_add_key(trust, &key, &error));
    }
    return trust;
}

/* A signature as minisign makes it. kind: 'g' good, 'l' legacy, and wrong in one way:
 * 'b' signature, 'c' comment, 'm' legacy and wrong, 'o' of another file, 'k' by
 * somebody who writes this key's number. */
static inline wlk_signature made(uint8_t number, char kind, const uint8_t *data, uint64_t size) {
    const test_key pair = key_number(number), mallory = key_number(200);
    const uint8_t *secret = kind == 'k' ? mallory.secret_key : pair.secret_key;
    uint8_t hash[64], global[64 + 32];
    wlk_signature s = {.prehashed = kind != 'l' && kind != 'm'};
    memcpy(s.key_id, pair.id, 8);
    const int length = snprintf(s.trusted_comment, sizeof s.trusted_comment, "by key %d", number);
    (void)crypto_generichash(hash, 64, data, kind == 'o' ? size - 1 : size, NULL, 0);
    if (s.prehashed) {
        (void)crypto_sign_detached(s.signature, NULL, hash, 64, secret);
    } else {
        (void)crypto_sign_detached(s.signature, NULL, data, size, secret);
    }
    if (kind == 'b' || kind == 'm') s.signature[40] ^= 1;
    memcpy(global, s.signature, 64);
    memcpy(global + 64, s.trusted_comment, (size_t)length);
    (void)crypto_sign_detached(s.global_signature, NULL, global, 64 + (size_t)length, secret);
    if (kind == 'c') s.trusted_comment[0] = 'B';
    return s;
}

#define MOST 8

static inline uint32_t sign_all(const char *list, const uint8_t *data, uint64_t size,
                                wlk_signature signatures[MOST]) {
    uint32_t count = 0;
    for (; list[0]; list += list[2] ? 3 : 2) {
        assert_true(count < MOST);
        signatures[count++] = made((uint8_t)(list[0] - '0'), list[1], data, size);
    }
    return count;
}

static inline wlk_digest digest_of(wlk_digest_kind kind, uint32_t length, const uint8_t *data,
                                   uint64_t size) {
    wlk_digest digest = {.kind = kind, .length = length};
    if (kind == WLK_SHA256) {
        (void)crypto_hash_sha256(digest.value, data, size);
    } else {
        (void)crypto_generichash(digest.value, length, data, size, NULL, 0);
    }
    return digest;
}

#endif

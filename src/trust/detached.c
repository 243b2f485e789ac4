#include "trust/detached.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/cursor.h"
#include "trust/ed25519.h"
#include "trust/key_text.h"
#include "trust/minisig.h"
#include "trust/ready.h"
#include "trust/secret_key.h"

_Static_assert(DETACHED_HASH_BYTES == crypto_generichash_BYTES_MAX, "BLAKE2b-512");

/* What the global signature is over. */
typedef struct commented {
    uint8_t bytes[WLK_SIGNATURE_BYTES + WLK_COMMENT_BYTES];
    uint64_t length;
} commented;

static commented commented_of(const wlk_signature *signature) {
    commented message;
    const size_t length = strnlen(signature->trusted_comment, WLK_COMMENT_BYTES - 1);
    memcpy(message.bytes, signature->signature, WLK_SIGNATURE_BYTES);
    memcpy(message.bytes + WLK_SIGNATURE_BYTES, signature->trusted_comment, length);
    message.length = WLK_SIGNATURE_BYTES + length;
    return message;
}

wlk_status detached_check_comment(const wlk_signature *signature, const wlk_trusted_key *key,
                                  bool legacy, wlk_error *error) {
    if (!signature->prehashed && !legacy) {
        return error_text(error, RULE_TRUST_LEGACY, WLK_NO_OFFSET, "key %s", key->name);
    }
    const commented message = commented_of(signature);
    if (ed25519_holds(signature->global_signature, message.bytes, message.length, key->key.key)) {
        return WLK_OK;
    }
    return error_text(error, RULE_TRUST_SIGNATURE, WLK_NO_OFFSET,
                      "detached, of the trusted comment, key %s", key->name);
}

wlk_status detached_check_file(const wlk_signature *signature, const wlk_trusted_key *key,
                               const uint8_t *data, uint64_t size,
                               const uint8_t hash[DETACHED_HASH_BYTES], wlk_error *error) {
    const uint8_t *message = signature->prehashed ? hash : data;
    const uint64_t length = signature->prehashed ? DETACHED_HASH_BYTES : size;
    if (ed25519_holds(signature->signature, message, length, key->key.key)) return WLK_OK;
    return error_text(error, RULE_TRUST_SIGNATURE, WLK_NO_OFFSET, "detached, key %s", key->name);
}

wlk_status wlk_sign_detached(const uint8_t *data, uint64_t size, const wlk_secret_key *key,
                             const char *trusted_comment, wlk_signature *signature,
                             wlk_error *error) {
    uint8_t hash[DETACHED_HASH_BYTES];
    wlk_signature made = {.prehashed = 1};
    TRY(sodium_ready(error));
    TRY(minisig_check_comment(trusted_comment, error));
    memcpy(made.trusted_comment, trusted_comment, strlen(trusted_comment));
    memcpy(made.key_id, key->id, sizeof made.key_id);
    (void)crypto_generichash(hash, sizeof hash, data, size, NULL, 0);
    (void)crypto_sign_detached(made.signature, NULL, hash, sizeof hash, key->key);
    const commented message = commented_of(&made);
    (void)crypto_sign_detached(made.global_signature, NULL, message.bytes, message.length,
                               key->key);
    *signature = made;
    return WLK_OK;
}

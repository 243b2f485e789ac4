#include <sodium.h>
#include <stdbool.h>
#include <string.h>

#include "base/envelope.h"
#include "trust/digest.h"
#include "trust/ready.h"
#include "trust/secret_key.h"
#include "trust/trust_set.h"

_Static_assert(ENVELOPE_SIGNATURE_BYTES == crypto_sign_BYTES, "Ed25519");
_Static_assert(ENVELOPE_KEY_ID_BYTES == WLK_KEY_ID_BYTES, "key numbers");
_Static_assert(sizeof((wlk_verification *)0)->key_name == TRUST_NAME_BYTES, "key names");

#define AT_KEY_ID (ENVELOPE_SIGNATURE_AT - ENVELOPE_KEY_ID_BYTES)
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

/* The sums cannot wrap: envelope_decode held them against the file's size. */
static uint64_t table_at(const envelope *e) {
    return ENVELOPE_BYTES + e->header_len;
}

static wlk_status check_slack(const uint8_t *data, const envelope *e, wlk_error *error) {
    for (uint64_t at = table_at(e) + e->table_len; at < e->data_off; at++) {
        if (data[at] != 0) return error_at(error, RULE_ENVELOPE_SLACK_ZERO, at);
    }
    return WLK_OK;
}

static wlk_status check_signature(const uint8_t *data, const envelope *e, const trusted_key *key,
                                  wlk_error *error) {
    const signed_message message = message_of(data);
    if (crypto_sign_verify_detached(e->signature, message.bytes, sizeof message.bytes,
                                    key->key.key) != 0) {
        return error_text(error, RULE_TRUST_SIGNATURE, ENVELOPE_SIGNATURE_AT, "key %s", key->name);
    }
    return WLK_OK;
}

static wlk_status check_digest(const uint8_t *data, uint64_t offset, uint64_t length,
                               const uint8_t want[DIGEST_BYTES], wlk_rule rule, wlk_error *error) {
    uint8_t digest[DIGEST_BYTES];
    digest_bytes(data + offset, length, digest);
    return memcmp(digest, want, DIGEST_BYTES) == 0 ? WLK_OK : error_at(error, rule, offset);
}

static wlk_status check_chunks(const uint8_t *data, const envelope *e, uint32_t threads,
                               wlk_error *error) {
    uint64_t bad;
    if (digest_table_check(data + e->data_off, e->data_len, e->chunk_log2, threads,
                           data + table_at(e), &bad) != WLK_OK) {
        return error_at(error, RULE_INTERNAL_DEFECT, WLK_NO_OFFSET);
    }
    if (bad == e->table_len / DIGEST_BYTES) return WLK_OK;
    return error_at(error, RULE_TRUST_CHUNK_DIGEST, e->data_off + (bad << e->chunk_log2));
}

static wlk_status check_digests(const uint8_t *data, const envelope *e, uint32_t threads,
                                wlk_error *error) {
    TRY(check_digest(data, ENVELOPE_BYTES, e->header_len, e->header_digest,
                     RULE_TRUST_HEADER_DIGEST, error));
    TRY(check_digest(data, table_at(e), e->table_len, e->table_digest, RULE_TRUST_TABLE_DIGEST,
                     error));
    return check_chunks(data, e, threads, error);
}

/* Until everything has held, *verification never says that a key vouches. */
wlk_status wlk_verify_memory(const uint8_t *data, uint64_t size, const wlk_verify_options *options,
                             wlk_verification *verification, wlk_error *error) {
    envelope e;
    const wlk_trust *trust = options->trust;
    *verification = (wlk_verification){.state = WLK_UNSIGNED};
    TRY(sodium_ready(error));
    TRY(envelope_decode(data, size, &e, error));
    TRY(check_slack(data, &e, error));
    const bool is_signed = !envelope_is_unsigned(&e);
    const trusted_key *key = is_signed ? trust_find(trust, e.key_id) : NULL;
    memcpy(verification->key_id, e.key_id, sizeof verification->key_id);
    if (is_signed) verification->state = WLK_SIGNED_UNKNOWN;
    if (key) TRY(check_signature(data, &e, key, error));
    TRY(check_digests(data, &e, options->threads, error));
    if (key) {
        verification->state = WLK_SIGNED_TRUSTED;
        memcpy(verification->key_name, key->name, sizeof verification->key_name);
    }
    return WLK_OK;
}

wlk_status wlk_verification_check(const wlk_verification *v, uint32_t threshold, int allow_unsigned,
                                  wlk_error *error) {
    char id[WLK_KEY_ID_TEXT_BYTES];
    (void)threshold;
    if (v->state == WLK_SIGNED_TRUSTED || allow_unsigned) return WLK_OK;
    if (v->state == WLK_UNSIGNED) return error_at(error, RULE_TRUST_UNSIGNED, ENVELOPE_KEY_ID_AT);
    wlk_key_id_text(v->key_id, id);
    return error_text(error, RULE_TRUST_UNKNOWN_KEY, ENVELOPE_KEY_ID_AT, "key %s", id);
}

wlk_status wlk_sign_memory(uint8_t *data, uint64_t size, const wlk_secret_key *key,
                           wlk_error *error) {
    envelope e;
    TRY(sodium_ready(error));
    TRY(envelope_decode(data, size, &e, error));
    TRY(check_slack(data, &e, error));
    TRY(check_digests(data, &e, SIGN_THREADS, error));
    memcpy(data + AT_KEY_ID, key->id, sizeof key->id);
    const signed_message message = message_of(data);
    (void)crypto_sign_detached(data + ENVELOPE_SIGNATURE_AT, NULL, message.bytes,
                               sizeof message.bytes, key->key);
    return WLK_OK;
}

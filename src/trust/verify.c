#include "trust/verify.h"

#include <sodium.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "trust/detached.h"
#include "trust/digest.h"
#include "trust/file_digest.h"
#include "trust/native.h"
#include "trust/ready.h"
#include "trust/trust_set.h"
#include "trust/wall.h"

static const wlk_evidence no_evidence;

/* ---- who signed */

/* What is asked, and the answer, which stays here until everything has held. */
typedef struct verifying {
    const wlk_verify_options *options;
    const wlk_evidence *evidence;
    int64_t now;
    wlk_verification found;
} verifying;

static verifying begin(const wlk_verify_options *options) {
    return (verifying){.options = options,
                       .evidence = options->evidence ? options->evidence : &no_evidence,
                       .now = options->now != 0 ? options->now : (int64_t)time(NULL)};
}

/* The better of two signers is the one whose state says more for the file. */
static unsigned worth(wlk_signature_state state) {
    static const uint8_t table[] = {[WLK_UNSIGNED] = 0,
                                    [WLK_SIGNED_UNKNOWN] = 1,
                                    [WLK_SIGNED_REVOKED] = 2,
                                    [WLK_SIGNED_EXPIRED] = 3,
                                    [WLK_SIGNED_TRUSTED] = 4};
    return table[state];
}

/* Adds a signer whose signature holds, or whose key is not known (key NULL). */
static void add_signer(verifying *v, const uint8_t id[WLK_KEY_ID_BYTES], const wlk_trusted_key *key,
                       bool detached) {
    wlk_verification *found = &v->found;
    wlk_signer signer = {.state = key ? trusted_key_state(key, v->now) : WLK_SIGNED_UNKNOWN,
                         .detached = detached};
    memcpy(signer.key_id, id, sizeof signer.key_id);
    if (key) memcpy(signer.key_name, key->name, sizeof signer.key_name);
    if (found->signer_count < WLK_MAX_SIGNERS) found->signers[found->signer_count++] = signer;
    if (signer.state == WLK_SIGNED_TRUSTED) found->trusted++;
    if (worth(signer.state) <= worth(found->state)) return;
    found->state = signer.state;
    memcpy(found->key_id, signer.key_id, sizeof found->key_id);
    memcpy(found->key_name, signer.key_name, sizeof found->key_name);
}

static bool same_key(const uint8_t a[WLK_KEY_ID_BYTES], const uint8_t b[WLK_KEY_ID_BYTES]) {
    return memcmp(a, b, WLK_KEY_ID_BYTES) == 0;
}

/* ---- detached signatures */

/* Before anything is hashed: the file may be large. */
static wlk_status check_comments(const verifying *v, bool *hash_wanted, wlk_error *error) {
    for (uint32_t i = 0; i < v->evidence->signature_count; i++) {
        const wlk_signature *signature = &v->evidence->signatures[i];
        const wlk_trusted_key *key = trust_find(v->options->trust, signature->key_id);
        if (!key) continue;
        TRY(detached_check_comment(signature, key, v->options->legacy != 0, error));
        if (signature->prehashed) *hash_wanted = true;
    }
    return WLK_OK;
}

static wlk_status check_signatures(const verifying *v, const file_pass *pass, wlk_error *error) {
    for (uint32_t i = 0; i < v->evidence->signature_count; i++) {
        const wlk_signature *signature = &v->evidence->signatures[i];
        const wlk_trusted_key *key = trust_find(v->options->trust, signature->key_id);
        if (!key) continue;
        TRY(detached_check_file(signature, key, pass->data, pass->size,
                                pass->value[FILE_BLAKE2B_512], error));
    }
    return WLK_OK;
}

/* A key that signed twice, inside or beside, has signed once. */
static bool signed_before(const verifying *v, const envelope *e, uint32_t index) {
    const wlk_signature *list = v->evidence->signatures;
    if (e && same_key(e->key_id, list[index].key_id)) return true;
    for (uint32_t i = 0; i < index; i++) {
        if (same_key(list[i].key_id, list[index].key_id)) return true;
    }
    return false;
}

/* All signatures of known keys hold. e is NULL if there is none inside. */
static void add_signers(verifying *v, const envelope *e) {
    if (e) add_signer(v, e->key_id, trust_find(v->options->trust, e->key_id), false);
    bool commented = false;
    for (uint32_t i = 0; i < v->evidence->signature_count; i++) {
        const wlk_signature *signature = &v->evidence->signatures[i];
        const wlk_trusted_key *key = trust_find(v->options->trust, signature->key_id);
        const bool vouches = key && trusted_key_state(key, v->now) == WLK_SIGNED_TRUSTED;
        if (vouches && !commented) {
            memcpy(v->found.trusted_comment, signature->trusted_comment,
                   sizeof v->found.trusted_comment);
            commented = true;
        }
        if (!signed_before(v, e, i)) add_signer(v, signature->key_id, key, true);
    }
}

/* ---- expected digests */

static wlk_status want_digests(const verifying *v, file_pass *pass, wlk_error *error) {
    for (uint32_t i = 0; i < v->evidence->digest_count; i++) {
        file_digest row;
        if (!file_digest_of(&v->evidence->digests[i], &row)) {
            return error_at(error, RULE_TRUST_DIGEST_FORM, WLK_NO_OFFSET);
        }
        pass->wanted[row] = true;
    }
    return WLK_OK;
}

static wlk_status check_expected(const verifying *v, const file_pass *pass, wlk_error *error) {
    for (uint32_t i = 0; i < v->evidence->digest_count; i++) {
        TRY(file_pass_check(pass, &v->evidence->digests[i], error));
    }
    return WLK_OK;
}

/* ---- .wlk files */

/* Envelope, slack and signature of a .wlk file: what is cheap to tell. *verification,
 * which is the caller's, says from here on which key the file names. */
static wlk_status open_native(const verifying *v, const uint8_t *head, uint64_t file_size,
                              envelope *e, wlk_verification *verification, wlk_error *error) {
    TRY(envelope_decode(head, file_size, e, error));
    TRY(native_check_slack(head, e, error));
    if (envelope_is_unsigned(e)) return WLK_OK;
    verification->state = WLK_SIGNED_UNKNOWN;
    memcpy(verification->key_id, e->key_id, sizeof verification->key_id);
    const wlk_trusted_key *key = trust_find(v->options->trust, e->key_id);
    return key ? native_check_signature(head, e, key, error) : WLK_OK;
}

/* The pass over the whole file has one of the threads. */
static wlk_status check_native_digests(const verifying *v, const uint8_t *data, const envelope *e,
                                       const file_pass *pass, wlk_error *error) {
    const uint32_t threads = v->options->threads;
    TRY(native_check_head(data, e, error));
    return native_check_chunks(data, e, pass->helped && threads > 1 ? threads - 1 : threads, error);
}

static wlk_status check_bytes(const verifying *v, const envelope *e, file_pass *pass,
                              wlk_error *error) {
    if (e && v->options->threads > 1) file_pass_start(pass);
    if (e) TRY(check_native_digests(v, pass->data, e, pass, error));
    file_pass_finish(pass);
    TRY(check_expected(v, pass, error));
    return check_signatures(v, pass, error);
}

/* Until everything has held, *verification never says that a key vouches. */
wlk_status wlk_verify_memory(const uint8_t *data, uint64_t size, const wlk_verify_options *options,
                             wlk_verification *verification, wlk_error *error) {
    envelope e;
    verifying v = begin(options);
    __attribute__((cleanup(file_pass_drop))) file_pass pass = {.data = data, .size = size};
    *verification = (wlk_verification){.state = WLK_UNSIGNED};
    TRY(sodium_ready(error));
    const bool native = envelope_magic_matches(data, size);
    if (native) TRY(open_native(&v, data, size, &e, verification, error));
    TRY(want_digests(&v, &pass, error));
    TRY(check_comments(&v, &pass.wanted[FILE_BLAKE2B_512], error));
    TRY(check_bytes(&v, native ? &e : NULL, &pass, error));
    add_signers(&v, native && !envelope_is_unsigned(&e) ? &e : NULL);
    v.found.native = native;
    v.found.digests = v.evidence->digest_count;
    *verification = v.found;
    return WLK_OK;
}

wlk_status verify_head(const uint8_t *head, uint64_t head_size, uint64_t file_size,
                       const wlk_verify_options *options, wlk_verification *verification,
                       envelope *out, wlk_error *error) {
    verifying v = begin(options);
    *verification = (wlk_verification){.state = WLK_UNSIGNED};
    if (v.evidence->signature_count > 0 || v.evidence->digest_count > 0) {
        return error_at(error, RULE_LOAD_LAZY_EVIDENCE, WLK_NO_OFFSET);
    }
    TRY(sodium_ready(error));
    if (head_size < ENVELOPE_BYTES) return error_at(error, RULE_ENVELOPE_TRUNCATED, head_size);
    envelope e;
    TRY(envelope_decode(head, file_size, &e, error));
    if (e.data_off != head_size) return error_at(error, RULE_ENVELOPE_LAYOUT, head_size);
    TRY(open_native(&v, head, file_size, &e, verification, error));
    TRY(native_check_head(head, &e, error));
    add_signers(&v, envelope_is_unsigned(&e) ? NULL : &e);
    v.found.native = 1;
    *verification = v.found;
    *out = e;
    return WLK_OK;
}

wlk_status verify_chunk(const uint8_t *head, const envelope *e, uint64_t index,
                        const uint8_t *bytes, uint64_t length, wlk_error *error) {
    uint8_t digest[DIGEST_BYTES];
    if (index >= e->table_len / DIGEST_BYTES) {
        return error_at(error, RULE_INTERNAL_DEFECT, WLK_NO_OFFSET);
    }
    digest_bytes(bytes, length, digest);
    const uint8_t *want = head + native_table_at(e) + index * DIGEST_BYTES;
    if (wall_is_down() || memcmp(digest, want, sizeof digest) == 0) return WLK_OK;
    return error_at(error, RULE_TRUST_CHUNK_DIGEST, e->data_off + (index << e->chunk_log2));
}

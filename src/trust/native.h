/* The checks of a .wlk file on itself (docs/format.md, section 2): what its envelope,
 * its digests and its own signature say about it. */
#ifndef WLK_TRUST_NATIVE_H
#define WLK_TRUST_NATIVE_H

#include <stdint.h>

#include <weighlock/trust.h>

#include "base/envelope.h"
#include "base/error.h"

/* Are all bytes between the digest table and the data zero? */
WLK_MUST_USE wlk_status native_check_slack(const uint8_t *data, const envelope *e,
                                           wlk_error *error);

/* Is the signature inside one of this key? */
WLK_MUST_USE wlk_status native_check_signature(const uint8_t *data, const envelope *e,
                                               const wlk_trusted_key *key, wlk_error *error);

/* Do header and digest table match their digests? */
WLK_MUST_USE wlk_status native_check_head(const uint8_t *data, const envelope *e, wlk_error *error);

/* Does each chunk of the data match the table? On `threads` threads. */
WLK_MUST_USE wlk_status native_check_chunks(const uint8_t *data, const envelope *e,
                                            uint32_t threads, wlk_error *error);

/* Fills in key number and signature of the envelope at data[0..256), whose digests the
 * caller vouches for. libsodium is ready. */
void native_sign(uint8_t *data, const wlk_secret_key *key);

/* The place of the digest table in the file. Cannot wrap: envelope_decode held it
 * against the file's size. */
static inline uint64_t native_table_at(const envelope *e) {
    return ENVELOPE_BYTES + e->header_len;
}

#endif

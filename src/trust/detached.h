/* Detached signatures: are they what they say?
 *
 * A signature is over the BLAKE2b-512 of the file, or, of minisign before 0.10 and
 * with -l, over the file itself ("legacy"); a second one, the global signature, is
 * over the first and the trusted comment. Both must hold.
 * https://jedisct1.github.io/minisign/#signature-format */
#ifndef WLK_TRUST_DETACHED_H
#define WLK_TRUST_DETACHED_H

#include <stdbool.h>
#include <stdint.h>

#include <weighlock/trust.h>

#include "base/error.h"

#define DETACHED_HASH_BYTES 64

/* All that can be said before the file has been hashed: a legacy signature is
 * trust.legacy unless `legacy`, a comment that is not what the key signed is
 * trust.signature. */
WLK_MUST_USE wlk_status detached_check_comment(const wlk_signature *signature,
                                               const wlk_trusted_key *key, bool legacy,
                                               wlk_error *error);

/* Is it the key's signature of this file? hash is the file's BLAKE2b-512. */
WLK_MUST_USE wlk_status detached_check_file(const wlk_signature *signature,
                                            const wlk_trusted_key *key, const uint8_t *data,
                                            uint64_t size, const uint8_t hash[DETACHED_HASH_BYTES],
                                            wlk_error *error);

#endif

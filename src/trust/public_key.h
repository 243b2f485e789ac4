/* minisign's public keys: "Ed", key number, Ed25519 public key, in base64. */
#ifndef WLK_TRUST_PUBLIC_KEY_H
#define WLK_TRUST_PUBLIC_KEY_H

#include <weighlock/trust.h>

#include "base/cursor.h"
#include "base/error.h"
#include "trust/key_file.h"

/* minisign's payload of a public key file, byte for byte. */
typedef struct public_key_layout {
    uint8_t algorithm[2]; /* "Ed" */
    uint8_t id[WLK_KEY_ID_BYTES];
    uint8_t key[WLK_PUBLIC_KEY_BYTES];
} public_key_layout;
_Static_assert(sizeof(public_key_layout) == 42, "no padding");

/* The two lines of a public key, checked, and the cursor behind them. */
WLK_MUST_USE wlk_status public_key_take(const char *shown, cursor *in, wlk_public_key *key,
                                        wlk_error *error);

/* The inverse, as minisign writes them; returns the length. */
uint64_t public_key_encode(const wlk_public_key *key, uint8_t text[KEY_FILE_MAX + 1]);

/* Can this key vouch for anything: is its number not zero, and its point canonical
 * and in the prime-order subgroup (RFC 8032 5.1.7 with the stricter checks that
 * keep one signature from fitting many messages)? `shown` names it. */
WLK_MUST_USE wlk_status public_key_check(const wlk_public_key *key, const char *shown,
                                         wlk_error *error);

/* Writes the public key file, which must not exist; mode 0644. */
WLK_MUST_USE wlk_status public_key_create(const char *path, const wlk_public_key *key,
                                          wlk_error *error);

#endif

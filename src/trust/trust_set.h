/* The set of trusted keys: one key a number and one number a key, bounded, in the
 * order of adding. */
#ifndef WLK_TRUST_TRUST_SET_H
#define WLK_TRUST_TRUST_SET_H

#include <weighlock/trust.h>

#include "base/error.h"

#define TRUST_MAX_KEYS 4096
#define TRUST_NAME_BYTES WLK_KEY_NAME_BYTES

/* The key of that number, NULL if none is known. trust may be NULL. */
const wlk_trusted_key *trust_find(const wlk_trust *trust, const uint8_t id[WLK_KEY_ID_BYTES]);

/* What a signature by this key is worth at that time: WLK_SIGNED_TRUSTED, _EXPIRED or
 * _REVOKED. A revoked key is revoked at every time: neither a signature nor the
 * clock of this machine proves that something is older. */
wlk_signature_state trusted_key_state(const wlk_trusted_key *key, int64_t now);

/* Can this be the name of a key: printable text of 1 to TRUST_NAME_BYTES - 1 bytes? */
WLK_MUST_USE wlk_status trust_check_name(const char *name, wlk_error *error);

#endif

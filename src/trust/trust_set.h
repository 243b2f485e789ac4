/* The set of trusted keys: one key a number, bounded, in the order of adding. */
#ifndef WLK_TRUST_TRUST_SET_H
#define WLK_TRUST_TRUST_SET_H

#include <weighlock/trust.h>

#define TRUST_MAX_KEYS 4096
#define TRUST_NAME_BYTES 64 /* with NUL; as wlk_verification has it */

typedef struct trusted_key {
    wlk_public_key key;
    char name[TRUST_NAME_BYTES];
} trusted_key;

/* The key of that number, NULL if none is trusted. trust may be NULL. */
const trusted_key *trust_find(const wlk_trust *trust, const uint8_t id[WLK_KEY_ID_BYTES]);

#endif

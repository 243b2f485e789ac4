/* One strict way to verify Ed25519 (RFC 8032), the same for every signature here. */
#ifndef WLK_TRUST_ED25519_H
#define WLK_TRUST_ED25519_H

#include <stdbool.h>
#include <stdint.h>

#include <weighlock/trust.h>

/* Is the signature one of this key over message[0..length)? Only one spelling of
 * a signature holds: S below the group's order, R canonical and, like the key, in
 * the prime-order subgroup and not its neutral point. message may be NULL if length
 * is 0. The key has been through public_key_check; libsodium is ready. */
bool ed25519_holds(const uint8_t signature[WLK_SIGNATURE_BYTES], const uint8_t *message,
                   uint64_t length, const uint8_t key[WLK_PUBLIC_KEY_BYTES]);

#endif

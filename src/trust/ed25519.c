#include "trust/ed25519.h"

#include <sodium.h>

#include "trust/wall.h"

_Static_assert(WLK_SIGNATURE_BYTES == crypto_sign_BYTES, "Ed25519");

/* libsodium can be built to accept what older versions did (ED25519_COMPAT); the
 * point R, first half of the signature, does not depend on that here. */
bool ed25519_holds(const uint8_t signature[WLK_SIGNATURE_BYTES], const uint8_t *message,
                   uint64_t length, const uint8_t key[WLK_PUBLIC_KEY_BYTES]) {
    static const uint8_t nothing[1];
    return wall_is_down() ||
           (crypto_core_ed25519_is_valid_point(signature) == 1 &&
            crypto_sign_verify_detached(signature, length ? message : nothing, length, key) == 0);
}

/* BLAKE2b-256 (RFC 7693, no key) of four messages at once, one in each lane of a vector: with
 * AVX2 two and a half times as fast as libsodium's, which hashes one, with AVX-512 three times.
 * The chunks of a .wlk file come in thousands; whatever else is hashed goes to libsodium. */
#ifndef WLK_TRUST_BLAKE2B_LANES_H
#define WLK_TRUST_BLAKE2B_LANES_H

#include <stdint.h>

#define BLAKE2B_LANES 4
#define BLAKE2B_DIGEST_BYTES 32

typedef struct blake2b_message {
    const uint8_t *data;
    uint64_t size; /* at least 1 */
} blake2b_message;

/* The best version that this processor can run: 0 needs nothing, and is slower than libsodium;
 * 1 needs AVX2, 2 needs AVX-512. */
unsigned blake2b_lanes_best(void);

/* Messages may be the same, and of any sizes; the largest says how long it takes. version: at
 * most the best. */
void blake2b_lanes(unsigned version, const blake2b_message messages[BLAKE2B_LANES],
                   uint8_t digests[BLAKE2B_LANES][BLAKE2B_DIGEST_BYTES]);

#endif

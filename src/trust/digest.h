/* Digests of a .wlk file: BLAKE2b-256 without a key (RFC 7693), over the header,
 * over the digest table, and over each chunk of the data.
 *
 * Chunks are independent, so they are spread over threads. The answer does not
 * depend on how many there are: where a thread cannot be started, those that
 * could (the caller's at least) do the same work.
 */
#ifndef WLK_TRUST_DIGEST_H
#define WLK_TRUST_DIGEST_H

#include <stdint.h>

#include "base/error.h"

#define DIGEST_BYTES 32
#define DIGEST_MAX_THREADS 64

/* digest = BLAKE2b-256(data[0..size)). data may be NULL if size is 0. */
void digest_bytes(const uint8_t *data, uint64_t size, uint8_t digest[DIGEST_BYTES]);

/* Fills in the digest table: table holds envelope_table_len(size, chunk_log2)
 * bytes, chunk_log2 is within the envelope's range (else WLK_USAGE, and table is
 * untouched). `threads` counts the caller's; 0 means 1. */
WLK_MUST_USE wlk_status digest_table(const uint8_t *data, uint64_t size, uint8_t chunk_log2,
                                     uint32_t threads, uint8_t *table);

/* Compares data with its digest table, in the same manner. *bad is the number of
 * the lowest chunk whose digest differs, or the number of chunks if none does. */
WLK_MUST_USE wlk_status digest_table_check(const uint8_t *data, uint64_t size, uint8_t chunk_log2,
                                           uint32_t threads, const uint8_t *table, uint64_t *bad);

#endif

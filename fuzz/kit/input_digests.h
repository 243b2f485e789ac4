/* An input of the target `digests`: the chunk's size as its log2, two bytes how much data,
 * and what is changed in a table that is right; the data are the input, repeated. */
#ifndef WEIGHLOCK_FUZZ_INPUT_DIGESTS_H
#define WEIGHLOCK_FUZZ_INPUT_DIGESTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/envelope.h"
#include "trust/digest.h"

#define DIGESTS_FIXED_BYTES 3
#define DIGESTS_SHARED_FROM (4u << 20) /* so much data that threads share it */
#define DIGESTS_MOST_BYTES (DIGESTS_SHARED_FROM + (1u << 17))
#define DIGESTS_MOST_CHUNKS ((DIGESTS_MOST_BYTES >> ENVELOPE_MIN_CHUNK_LOG2) + 1)

typedef struct digests_sample {
    const uint8_t *data; /* ends where the memory ends that holds it */
    uint64_t size;
    uint8_t chunk_log2;
    uint8_t table[DIGESTS_MOST_CHUNKS * DIGEST_BYTES];
} digests_sample;

/* The data of an input, which has DIGESTS_FIXED_BYTES at least; valid until the next. One in
 * 64 has several chunks, one in 65536 is shared by threads. */
void digests_fill(digests_sample *s, const uint8_t *data, size_t size);

/* Changes the table, of table_len bytes, as the input says; returns the lowest chunk whose
 * digest it changed, the number of chunks if there is none. */
uint64_t digests_change(digests_sample *s, uint64_t table_len, const uint8_t *data, size_t size);

#endif

/* A .wlk file (docs/format.md) taken apart, and put together again so that it holds: for
 * who makes inputs. */
#ifndef WEIGHLOCK_FUZZ_WLK_FILE_H
#define WEIGHLOCK_FUZZ_WLK_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WLK_FILE_DIGEST 32

/* A stretch of somebody's bytes. */
typedef struct stretch {
    const uint8_t *at;
    size_t size;
} stretch;

typedef struct wlk_parts {
    uint8_t chunk_log2;
    uint8_t codecs; /* are some of the tensors compressed? */
    bool is_signed;
    size_t pages; /* of 4096 bytes between table and data that need not be there */
    stretch header, table, data;
} wlk_parts;

/* By the lengths of the envelope, whatever else it says. False: it has not this form. */
bool wlk_split(const uint8_t *file, size_t size, wlk_parts *parts);

/* Where the data of such a file begin. */
size_t wlk_data_at(const wlk_parts *parts, size_t header_size, size_t data_size);

/* Fills in what depends on the rest: file[256..) holds the header, and the data at
 * wlk_data_at. Returns the file's size. */
size_t wlk_seal(uint8_t *file, const wlk_parts *parts, size_t header_size, size_t data_size);

/* Signs by the kit's key (kit/test_key.h) what the envelope says. */
void wlk_sign(uint8_t *file);

/* Is the signature this key's, and does it hold? */
bool wlk_signature_holds(const uint8_t *file);

/* What compressed tensors may take besides, if the envelope says that there are any: what
 * decompresses, and payloads up to the limit, twice while they grow. */
uint64_t wlk_packed_memory(const uint8_t *file, size_t size);

/* BLAKE2b-256. */
void wlk_digest_of(stretch bytes, uint8_t digest[WLK_FILE_DIGEST]);

#endif

/* Assembles .wlk files for tests, from a header's bytes and the data behind it:
 * whole, well-formed envelopes, whatever the header says. Not the product's
 * writer, which would refuse to write what tests need.
 *
 * Tests abort where memory is short. */
#ifndef TESTS_SUPPORT_WLK_FILE_H
#define TESTS_SUPPORT_WLK_FILE_H

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/envelope.h"

#define WLK_FILE_CHUNK_LOG2 16

static inline void *wlk_file_allocate(size_t size) {
    void *memory = calloc(size ? size : 1, 1);
    if (!memory) abort();
    return memory;
}

static inline void wlk_file_digest(const uint8_t *data, size_t size,
                                   uint8_t digest[ENVELOPE_DIGEST_BYTES]) {
    if (crypto_generichash(digest, ENVELOPE_DIGEST_BYTES, data, size, NULL, 0) != 0) abort();
}

/* Fills in the digest table and both digests of a file that has all the rest,
 * and takes the signature away. For files that a test has altered. */
static inline void wlk_file_seal(uint8_t *file, size_t size) {
    envelope e;
    memset(file + ENVELOPE_SIGNATURE_AT - ENVELOPE_KEY_ID_BYTES, 0,
           ENVELOPE_KEY_ID_BYTES + ENVELOPE_SIGNATURE_BYTES);
    if (envelope_decode(file, size, &e, NULL) != WLK_OK) abort();
    uint8_t *table = file + ENVELOPE_BYTES + e.header_len;
    const uint64_t chunk = 1ull << e.chunk_log2;
    for (uint64_t at = 0; at < e.data_len; at += chunk) {
        const uint64_t length = e.data_len - at < chunk ? e.data_len - at : chunk;
        wlk_file_digest(file + e.data_off + at, length, table + at / chunk * ENVELOPE_DIGEST_BYTES);
    }
    wlk_file_digest(file + ENVELOPE_BYTES, e.header_len, e.header_digest);
    wlk_file_digest(table, e.table_len, e.table_digest);
    envelope_encode(&e, file);
}

/* An unsigned file of this header and this data (either may be hostile, the
 * envelope is right), with `slack` multiples of 4096 bytes more than needed
 * before the data. *file is malloc'ed and the caller's. */
static inline void wlk_file_build_slack(const uint8_t *header, size_t header_size,
                                        const uint8_t *data, size_t data_size, size_t slack,
                                        uint8_t **file, size_t *size) {
    const uint64_t table_len = envelope_table_len(data_size, WLK_FILE_CHUNK_LOG2);
    const uint64_t table_end = ENVELOPE_BYTES + header_size + table_len;
    const uint64_t pages = (table_end + ENVELOPE_DATA_ALIGN - 1) / ENVELOPE_DATA_ALIGN + slack;
    const envelope e = {
        .chunk_log2 = WLK_FILE_CHUNK_LOG2,
        .header_len = header_size,
        .table_len = table_len,
        .data_off = pages * ENVELOPE_DATA_ALIGN,
        .data_len = data_size,
    };
    *size = e.data_off + data_size;
    *file = wlk_file_allocate(*size);
    envelope_encode(&e, *file);
    if (header_size) memcpy(*file + ENVELOPE_BYTES, header, header_size);
    if (data_size) memcpy(*file + e.data_off, data, data_size);
    wlk_file_seal(*file, *size);
}

/* The same with as little slack as there can be. */
static inline void wlk_file_build(const uint8_t *header, size_t header_size, const uint8_t *data,
                                  size_t data_size, uint8_t **file, size_t *size) {
    wlk_file_build_slack(header, header_size, data, data_size, 0, file, size);
}

#endif

/* The fixed 256-byte envelope of a .wlk file (docs/format.md, section 2).
 *
 * It is decoded in three places: by trust, which checks its signature and
 * digests before anything else; by the parser in the cage, which needs to know
 * where the header lies; by the writer, which makes one. All three use this. */
#ifndef WLK_BASE_ENVELOPE_H
#define WLK_BASE_ENVELOPE_H

#include <stdint.h>

#include "base/error.h"

#define ENVELOPE_BYTES 256
#define ENVELOPE_SIGNED_FROM 2 /* the signature covers bytes [2, 118) */
#define ENVELOPE_SIGNED_TO 118
#define ENVELOPE_KEY_ID_AT 110
#define ENVELOPE_SIGNATURE_AT 118
#define ENVELOPE_DIGEST_BYTES 32
#define ENVELOPE_SIGNATURE_BYTES 64
#define ENVELOPE_KEY_ID_BYTES 8
#define ENVELOPE_DATA_ALIGN 4096
#define ENVELOPE_TENSOR_ALIGN 64
#define ENVELOPE_MAX_SLACK 65536 /* zeros between the digest table and data_off */
#define ENVELOPE_MIN_CHUNK_LOG2 16
#define ENVELOPE_MAX_CHUNK_LOG2 24
#define ENVELOPE_VERSION 1

#define ENVELOPE_CODEC_RAW 0  /* every payload lies as it is */
#define ENVELOPE_CODEC_ZSTD 1 /* some are compressed */

typedef struct envelope {
    uint8_t chunk_log2;
    uint8_t codecs;
    uint64_t header_len;
    uint64_t table_len;
    uint64_t data_off;
    uint64_t data_len;
    uint8_t header_digest[ENVELOPE_DIGEST_BYTES];
    uint8_t table_digest[ENVELOPE_DIGEST_BYTES];
    uint8_t key_id[ENVELOPE_KEY_ID_BYTES]; /* all zero: unsigned */
    uint8_t signature[ENVELOPE_SIGNATURE_BYTES];
} envelope;

/* Is it meant as a .wlk file: is either of the two constants there that one begins
 * with? So one damaged byte is damage, and not another format. */
int envelope_magic_matches(const uint8_t *data, uint64_t size);

/* Decodes and checks bytes [0, 256) of a file of file_size bytes: every
 * constant, every zero, and that header, table, slack and data tile the file.
 * Verdict WLK_TRUST throughout: an envelope that is not exact cannot be
 * verified. A file too short for an envelope is envelope.truncated. */
wlk_status envelope_decode(const uint8_t *data, uint64_t file_size, envelope *out,
                           wlk_error *error);

/* The inverse; out->... lengths as given, table_len recomputed by the caller. */
void envelope_encode(const envelope *in, uint8_t bytes[ENVELOPE_BYTES]);

/* *table_len = 32 * ceil(data_len / 2^chunk_log2); 0 on overflow or a chunk size
 * out of range, which no valid file has with data_len > 0. */
uint64_t envelope_table_len(uint64_t data_len, uint8_t chunk_log2);

/* Is the key id all zero, that is, the file unsigned? */
int envelope_is_unsigned(const envelope *in);

#endif

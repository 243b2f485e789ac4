/* Decompression: the whole of a compressed file, as a stream, within limits. */
#ifndef WLK_FORMATS_PICKLE_INFLATE_H
#define WLK_FORMATS_PICKLE_INFLATE_H

#include <weighlock/limits.h>

#include "base/error.h"

typedef enum inflate_codec {
    INFLATE_NONE = 0,
    INFLATE_ZLIB,
    INFLATE_GZIP,
    INFLATE_BZ2,
    INFLATE_XZ,
    INFLATE_LZMA,
    INFLATE_LZ4,
    INFLATE_ZF, /* joblib before 0.10: a hexadecimal length, then zlib */
    INFLATE_CODEC_COUNT
} inflate_codec;

/* "zlib" ...; "none". */
const char *inflate_name(inflate_codec codec);

/* What these bytes begin like. */
inflate_codec inflate_detect(const uint8_t *data, uint64_t size);

/* Decompresses data[0..size), members one after the other, to the end. *out (mem_free) is the
 * caller's. Refusals name offsets in `data`: limit.inflated-bytes, limit.inflate-ratio (held
 * against what has been read so far, beyond the first MiB of output), limit.inflate-memory,
 * inflate.data, inflate.truncated, inflate.trailing. */
wlk_status inflate_all(inflate_codec codec, const uint8_t *data, uint64_t size,
                       const wlk_limits *limits, uint8_t **out, uint64_t *length, wlk_error *error);

#endif

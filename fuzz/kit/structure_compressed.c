/* Compressed pickles: taken out, changed inside, and compressed again, now and then in another
 * way; or the compressed bytes themselves are changed. */
#include <string.h>

#include <bzlib.h>
#include <lz4frame.h>
#include <lzma.h>
#include <zlib.h>

#include "base/memory.h"
#include "formats/pickle/inflate.h"
#include "kit/heap.h"
#include "kit/input_pickle.h"
#include "kit/structure.h"

#define MOST_BYTES (64u << 10) /* that were compressed */
#define DICTIONARY 65536       /* of LZMA: little memory, which is cleared each time */

static const uint8_t small[] = "\x80\x04]\x94G?\xe0\0\0\0\0\0\0a.";

/* One thread makes inputs. */
static uint8_t plain[MOST_BYTES], other[MOST_BYTES];

/* ---- one row a codec: compresses, returns how many bytes came out, 0 if there is no room */

typedef size_t (*packer)(const uint8_t *data, size_t size, uint8_t *out, size_t room);

static size_t deflate_all(const uint8_t *data, size_t size, uint8_t *out, size_t room, int window) {
    z_stream z = {.next_in = (uint8_t *)(uintptr_t)data,
                  .avail_in = (uInt)size,
                  .next_out = out,
                  .avail_out = (uInt)room};
    if (deflateInit2(&z, 1, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY) != Z_OK) return 0;
    const int status = deflate(&z, Z_FINISH);
    (void)deflateEnd(&z);
    return status == Z_STREAM_END ? room - z.avail_out : 0;
}

static size_t pack_zlib(const uint8_t *data, size_t size, uint8_t *out, size_t room) {
    return deflate_all(data, size, out, room, 15);
}

static size_t pack_gzip(const uint8_t *data, size_t size, uint8_t *out, size_t room) {
    return deflate_all(data, size, out, room, 31);
}

static size_t pack_bz2(const uint8_t *data, size_t size, uint8_t *out, size_t room) {
    unsigned length = (unsigned)room;
    const int status = BZ2_bzBuffToBuffCompress((char *)out, &length, (char *)(uintptr_t)data,
                                                (unsigned)size, 1, 0, 0);
    return status == BZ_OK ? length : 0;
}

static bool lzma_options(lzma_options_lzma *options) {
    if (lzma_lzma_preset(options, 0)) return false;
    options->dict_size = DICTIONARY;
    return true;
}

static size_t pack_xz(const uint8_t *data, size_t size, uint8_t *out, size_t room) {
    lzma_options_lzma options;
    lzma_filter filters[] = {{LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, NULL}};
    size_t length = 0;
    if (!lzma_options(&options)) return 0;
    const lzma_ret status =
        lzma_stream_buffer_encode(filters, LZMA_CHECK_CRC32, NULL, data, size, out, &length, room);
    return status == LZMA_OK ? length : 0;
}

static size_t pack_lzma(const uint8_t *data, size_t size, uint8_t *out, size_t room) {
    lzma_options_lzma options;
    lzma_stream stream = LZMA_STREAM_INIT;
    if (!lzma_options(&options) || lzma_alone_encoder(&stream, &options) != LZMA_OK) return 0;
    stream.next_in = data;
    stream.avail_in = size;
    stream.next_out = out;
    stream.avail_out = room;
    const lzma_ret status = lzma_code(&stream, LZMA_FINISH);
    lzma_end(&stream);
    return status == LZMA_STREAM_END ? room - stream.avail_out : 0;
}

/* It wants room for a whole block, however little there is. */
static size_t pack_lz4(const uint8_t *data, size_t size, uint8_t *out, size_t room) {
    static uint8_t frame[4 * MOST_BYTES];
    if (sizeof frame < LZ4F_compressFrameBound(size, NULL)) return 0;
    const size_t length = LZ4F_compressFrame(frame, sizeof frame, data, size, NULL);
    if (LZ4F_isError(length) || length > room) return 0;
    memcpy(out, frame, length);
    return length;
}

#define ZF_HEAD 21 /* "ZF0x", digits, spaces */

static size_t pack_zf(const uint8_t *data, size_t size, uint8_t *out, size_t room) {
    char head[ZF_HEAD + 1];
    if (room < ZF_HEAD) return 0;
    (void)snprintf(head, sizeof head, "ZF0x%-17zx", size);
    memcpy(out, head, ZF_HEAD);
    const size_t length = pack_zlib(data, size, out + ZF_HEAD, room - ZF_HEAD);
    return length ? ZF_HEAD + length : 0;
}

static const packer packers[INFLATE_CODEC_COUNT] = {
    [INFLATE_ZLIB] = pack_zlib, [INFLATE_GZIP] = pack_gzip, [INFLATE_BZ2] = pack_bz2,
    [INFLATE_XZ] = pack_xz,     [INFLATE_LZMA] = pack_lzma, [INFLATE_LZ4] = pack_lz4,
    [INFLATE_ZF] = pack_zf,
};

/* ---- the structure */

static size_t pack(inflate_codec codec, const uint8_t *data, size_t size, uint8_t *out, size_t room,
                   fuzz_random *random) {
    if (codec == INFLATE_NONE || random_below(random, 8) == 0) {
        codec = (inflate_codec)(1 + random_below(random, INFLATE_CODEC_COUNT - 1));
    }
    return packers[codec](data, size, out, room);
}

/* What was compressed; nothing if it is damaged, or more than there is room for. */
static size_t unpack(const uint8_t *data, size_t size, inflate_codec *codec, uint8_t *out) {
    wlk_limits limits = *pickle_limits();
    uint8_t *inflated = NULL;
    uint64_t length = 0;
    limits.inflated_bytes = MOST_BYTES;
    *codec = size ? inflate_detect(data, size) : INFLATE_NONE;
    heap_pause();
    if (*codec == INFLATE_NONE ||
        inflate_all(*codec, data, size, &limits, &inflated, &length, NULL) != WLK_OK) {
        length = 0;
    }
    if (length) memcpy(out, inflated, length);
    mem_free(inflated);
    heap_resume();
    return length;
}

static size_t as_bytes(uint8_t *data, size_t size, size_t room, fuzz_random *random) {
    size = mutate_bytes(data, size, room, random);
    if (size == 0 && room > 0) data[size++] = 0x78;
    return size;
}

static size_t mutate(uint8_t *data, size_t size, size_t room, fuzz_random *random) {
    inflate_codec codec;
    if (size > room) size = room;
    if (random_below(random, 4) == 0) return as_bytes(data, size, room, random);
    size_t length = unpack(data, size, &codec, plain);
    if (length == 0) {
        if (random_below(random, 2)) return as_bytes(data, size, room, random);
        length = sizeof small - 1;
        memcpy(plain, small, length);
    }
    length = structure_pickle.mutate(plain, length, sizeof plain, random);
    const size_t made = pack(codec, plain, length, data, room, random);
    return made ? made : as_bytes(data, size, room, random);
}

static size_t cross(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out,
                    size_t room, fuzz_random *random) {
    static uint8_t both[MOST_BYTES];
    inflate_codec codec, unused;
    const size_t a_length = unpack(a, a_size, &codec, plain);
    const size_t b_length = unpack(b, b_size, &unused, other);
    if (a_length && b_length) {
        const size_t length =
            structure_pickle.cross(plain, a_length, other, b_length, both, sizeof both, random);
        const size_t made = pack(codec, both, length, out, room, random);
        if (made) return made;
    }
    const size_t kept = a_size < room ? a_size : room;
    if (kept) memcpy(out, a, kept);
    return kept;
}

static void show(const uint8_t *data, size_t size, FILE *out) {
    inflate_codec codec;
    const size_t length = unpack(data, size, &codec, plain);
    (void)fprintf(out, "       0  compressed: %s, %zu bytes of which %zu come\n",
                  inflate_name(codec), size, length);
    if (length) {
        structure_pickle.show(plain, length, out);
    } else {
        structure_bytes.show(data, size, out);
    }
}

const fuzz_structure structure_compressed = {
    .name = "compressed", .mutate = mutate, .cross = cross, .show = show};

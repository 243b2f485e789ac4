/* Decompression: every codec and level gives back what was compressed, in one member or
 * several; what is cut, damaged or followed by something is refused; limits hold on both
 * sides. Invariant 7: no length is believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <bzlib.h>
#include <lz4frame.h>
#include <lzma.h>
#include <zlib.h>

#include "base/memory.h"
#include "formats/pickle/inflate.h"
#include "support/no_memory.h"

typedef struct bytes {
    uint8_t *data;
    size_t size;
} bytes;

/* ---- compressed data, made by the libraries themselves */

#define MIB ((size_t)1 << 20)

static bytes with_room(size_t size) {
    bytes made = {malloc(size + size / 50 + 65536), size + size / 50 + 65536};
    assert_non_null(made.data);
    return made;
}

static bytes deflated(bytes plain, int level, int window) {
    bytes out = with_room(plain.size);
    z_stream stream = {.next_in = plain.data,
                       .avail_in = (uInt)plain.size,
                       .next_out = out.data,
                       .avail_out = (uInt)out.size};
    assert_int_equal(deflateInit2(&stream, level, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    out.size = stream.total_out;
    (void)deflateEnd(&stream);
    return out;
}

static bytes zlib_made(bytes plain, int level) {
    return deflated(plain, level, 15);
}

static bytes gzip_made(bytes plain, int level) {
    return deflated(plain, level, 15 + 16);
}

static bytes bz2_made(bytes plain, int level) {
    bytes out = with_room(plain.size);
    unsigned size = (unsigned)out.size;
    const int said = BZ2_bzBuffToBuffCompress((char *)out.data, &size, (char *)plain.data,
                                              (unsigned)plain.size, level, 0, 0);
    assert_int_equal(said, BZ_OK);
    out.size = size;
    return out;
}

static bytes lzma_run(lzma_stream *stream, bytes plain) {
    bytes out = with_room(plain.size);
    stream->next_in = plain.data;
    stream->avail_in = plain.size;
    stream->next_out = out.data;
    stream->avail_out = out.size;
    assert_int_equal(lzma_code(stream, LZMA_FINISH), LZMA_STREAM_END);
    out.size = stream->total_out;
    lzma_end(stream);
    return out;
}

static bytes xz_made(bytes plain, int level) {
    lzma_stream stream = LZMA_STREAM_INIT;
    assert_int_equal(lzma_easy_encoder(&stream, (uint32_t)level, LZMA_CHECK_CRC64), LZMA_OK);
    return lzma_run(&stream, plain);
}

static bytes lzma_made(bytes plain, int level) {
    lzma_stream stream = LZMA_STREAM_INIT;
    lzma_options_lzma options;
    assert_false(lzma_lzma_preset(&options, (uint32_t)level));
    assert_int_equal(lzma_alone_encoder(&stream, &options), LZMA_OK);
    return lzma_run(&stream, plain);
}

static bytes lz4_made(bytes plain, int level) {
    bytes out = with_room(plain.size);
    const LZ4F_preferences_t preferences = {
        .frameInfo = {.contentChecksumFlag = LZ4F_contentChecksumEnabled,
                      .blockChecksumFlag = LZ4F_blockChecksumEnabled,
                      .contentSize = plain.size},
        .compressionLevel = level};
    out.size = LZ4F_compressFrame(out.data, out.size, plain.data, plain.size, &preferences);
    assert_false(LZ4F_isError(out.size));
    return out;
}

static bytes zf_made(bytes plain, int level) {
    char header[64], length[32];
    (void)snprintf(length, sizeof length, "0x%zx", plain.size);
    (void)snprintf(header, sizeof header, "ZF%-19s", length);
    bytes body = zlib_made(plain, level);
    bytes out = with_room(body.size);
    memcpy(out.data, header, 21);
    memcpy(out.data + 21, body.data, body.size);
    out.size = body.size + 21;
    free(body.data);
    return out;
}

typedef struct codec_case {
    inflate_codec codec;
    const char *name;
    bytes (*make)(bytes plain, int level);
    int first_level, last_level;
    bool has_members;
    bool has_checksum;
} codec_case;

static const codec_case codecs[] = {
    {INFLATE_ZLIB, "zlib", zlib_made, 0, 9, true, true},
    {INFLATE_GZIP, "gzip", gzip_made, 0, 9, true, true},
    {INFLATE_BZ2, "bz2", bz2_made, 1, 9, true, true},
    {INFLATE_XZ, "xz", xz_made, 0, 6, true, true},
    {INFLATE_LZMA, "lzma", lzma_made, 0, 6, true, false},
    {INFLATE_LZ4, "lz4", lz4_made, 0, 9, true, true},
    {INFLATE_ZF, "zf", zf_made, 0, 9, false, true},
};
#define CODECS (sizeof codecs / sizeof *codecs)

/* ---- what is compressed: texts that repeat, with noise between */

static bytes sample(size_t size, unsigned noise) {
    bytes plain = {malloc(size + 1), size};
    uint32_t seed = 12345;
    assert_non_null(plain.data);
    for (size_t i = 0; i < size; i++) {
        seed = seed * 1103515245u + 12345u;
        plain.data[i] = seed >> 16 & noise ? (uint8_t)(seed >> 24) : (uint8_t)(i / 7);
    }
    return plain;
}

static bytes zeros(size_t size) {
    bytes plain = {calloc(size + 1, 1), size};
    assert_non_null(plain.data);
    return plain;
}

static bytes joined(bytes a, bytes b) {
    bytes both = {malloc(a.size + b.size + 1), a.size + b.size};
    assert_non_null(both.data);
    memcpy(both.data, a.data, a.size);
    memcpy(both.data + a.size, b.data, b.size);
    return both;
}

/* ---- what comes of it */

typedef struct outcome {
    wlk_status status;
    const char *rule;
    uint64_t offset;
    bytes out;
} outcome;

static outcome inflate_with(inflate_codec codec, bytes packed, const wlk_limits *limits) {
    outcome o = {0};
    wlk_error error = {.offset = WLK_NO_OFFSET};
    uint64_t length = 0;
    /* A copy of exactly its size: a read behind its end is seen. */
    uint8_t *exact = malloc(packed.size > 0 ? packed.size : 1);
    assert_non_null(exact);
    memcpy(exact, packed.data, packed.size);
    o.status = inflate_all(codec, exact, packed.size, limits, &o.out.data, &length, &error);
    free(exact);
    o.out.size = length;
    o.rule = o.status == WLK_OK ? "" : wlk_rule_name(error.rule);
    o.offset = error.offset;
    return o;
}

static outcome inflate_default(inflate_codec codec, bytes packed) {
    wlk_limits limits;
    wlk_limits_default(&limits);
    return inflate_with(codec, packed, &limits);
}

static void expect_same(const char *name, int level, outcome o, bytes plain) {
    if (o.status != WLK_OK) {
        fail_msg("%s, level %d: %s at %llu", name, level, o.rule, (unsigned long long)o.offset);
    }
    assert_int_equal(o.out.size, plain.size);
    assert_memory_equal(o.out.data, plain.data, plain.size);
    mem_free(o.out.data);
}

static void expect_refused(const char *name, outcome o, const char *rule, uint64_t offset) {
    if (o.status == WLK_OK || strcmp(o.rule, rule) != 0 || o.offset != offset) {
        fail_msg("%s: %s at %llu, not %s at %llu", name, o.rule, (unsigned long long)o.offset, rule,
                 (unsigned long long)offset);
    }
}

/* ---- tests */

static void test_every_level(void **state) {
    (void)state;
    static const size_t sizes[] = {0, 1, 100, 70000, MIB + 5};
    for (size_t i = 0; i < CODECS; i++) {
        const codec_case *c = &codecs[i];
        for (int level = c->first_level; level <= c->last_level; level++) {
            const bool small = level != 1 && level != 6;
            for (size_t s = 0; s < sizeof sizes / sizeof *sizes - small; s++) {
                bytes plain = sample(sizes[s], 31);
                bytes packed = c->make(plain, level);
                assert_int_equal(inflate_detect(packed.data, packed.size), c->codec);
                expect_same(c->name, level, inflate_default(c->codec, packed), plain);
                free(packed.data);
                free(plain.data);
            }
        }
    }
}

/* Members follow each other, an empty one among them. */
static void test_members(void **state) {
    (void)state;
    for (size_t i = 0; i < CODECS; i++) {
        const codec_case *c = &codecs[i];
        if (!c->has_members) continue;
        bytes first = sample(5000, 7), second = sample(0, 1), third = sample(300, 3);
        bytes a = c->make(first, 6), b = c->make(second, 1), d = c->make(third, 6);
        bytes ab = joined(a, b), abd = joined(ab, d), plain = joined(first, third);
        expect_same(c->name, 6, inflate_default(c->codec, abd), plain);
        bytes all[] = {first, second, third, a, b, d, ab, abd, plain};
        for (size_t k = 0; k < sizeof all / sizeof *all; k++) free(all[k].data);
    }
}

/* Cut anywhere: refused as truncated, at the end of what is there. */
static void test_truncated(void **state) {
    (void)state;
    for (size_t i = 0; i < CODECS; i++) {
        const codec_case *c = &codecs[i];
        bytes plain = sample(400, 3), packed = c->make(plain, 6);
        for (size_t size = 0; size < packed.size; size++) {
            const bytes cut = {packed.data, size};
            expect_refused(c->name, inflate_default(c->codec, cut), "inflate.truncated", size);
        }
        free(packed.data);
        free(plain.data);
    }
}

/* Any byte another one: refused, or what comes out is the same (a time in gzip's header). */
static void test_damaged(void **state) {
    (void)state;
    for (size_t i = 0; i < CODECS; i++) {
        const codec_case *c = &codecs[i];
        bytes plain = sample(400, 3), packed = c->make(plain, 6);
        for (size_t at = 0; at < packed.size; at++) {
            packed.data[at] ^= 0x55;
            outcome o = inflate_default(c->codec, packed);
            if (o.status == WLK_OK) {
                const bool same =
                    o.out.size == plain.size && memcmp(o.out.data, plain.data, plain.size) == 0;
                if (!same && c->has_checksum) fail_msg("%s: byte %zu is believed", c->name, at);
                mem_free(o.out.data);
            } else if (strncmp(o.rule, "inflate.", 8) != 0 && strncmp(o.rule, "limit.", 6) != 0) {
                fail_msg("%s: byte %zu: %s", c->name, at, o.rule);
            }
            packed.data[at] ^= 0x55;
        }
        free(packed.data);
        free(plain.data);
    }
}

static void test_trailing(void **state) {
    (void)state;
    const bytes more[] = {{(uint8_t *)(uintptr_t) "\0", 1}, {(uint8_t *)(uintptr_t) "more", 4}};
    for (size_t i = 0; i < CODECS; i++) {
        const codec_case *c = &codecs[i];
        bytes plain = sample(400, 3), packed = c->make(plain, 6);
        for (size_t k = 0; k < 2; k++) {
            bytes both = joined(packed, more[k]);
            expect_refused(c->name, inflate_default(c->codec, both), "inflate.trailing",
                           packed.size);
            free(both.data);
        }
        free(packed.data);
        free(plain.data);
    }
}

/* Invariant 7, with the output's size just the limit and one less. */
static void test_limit_of_output(void **state) {
    (void)state;
    for (size_t i = 0; i < CODECS; i++) {
        const codec_case *c = &codecs[i];
        bytes plain = sample(70000, 31), packed = c->make(plain, 6);
        wlk_limits limits;
        wlk_limits_default(&limits);
        limits.inflated_bytes = plain.size;
        expect_same(c->name, 6, inflate_with(c->codec, packed, &limits), plain);
        limits.inflated_bytes = plain.size - 1;
        const outcome o = inflate_with(c->codec, packed, &limits);
        assert_string_equal(o.rule, "limit.inflated-bytes");
        assert_true(o.offset <= packed.size);
        limits.inflated_bytes = UINT64_MAX;
        expect_same(c->name, 6, inflate_with(c->codec, packed, &limits), plain);
        free(packed.data);
        free(plain.data);
    }
}

/* A bomb: zeros. The first MiB is free, what is beyond counts against all that was read. */
static void test_limit_of_ratio(void **state) {
    (void)state;
    for (size_t i = 0; i < CODECS; i++) {
        const codec_case *c = &codecs[i];
        bytes plain = zeros(6 * MIB), packed = c->make(plain, 6);
        const uint64_t ratio = (plain.size - MIB + packed.size - 1) / packed.size;
        wlk_limits limits;
        wlk_limits_default(&limits);
        limits.inflate_ratio = 5;
        outcome o = inflate_with(c->codec, packed, &limits);
        assert_string_equal(o.rule, "limit.inflate-ratio");
        assert_int_equal(o.status, WLK_LIMIT);
        limits.inflate_ratio = UINT64_MAX;
        expect_same(c->name, 6, inflate_with(c->codec, packed, &limits), plain);
        limits.inflate_ratio = ratio - 1;
        o = inflate_with(c->codec, packed, &limits);
        assert_string_equal(o.rule, "limit.inflate-ratio");
        const bytes start = {plain.data, MIB};
        bytes little = c->make(start, 6);
        limits.inflate_ratio = 1;
        expect_same(c->name, 6, inflate_with(c->codec, little, &limits), start);
        free(little.data);
        free(packed.data);
        free(plain.data);
    }
}

/* Between the limit that refuses and the one that accepts lies one byte, found by halving. */
static void test_limit_of_memory(void **state) {
    (void)state;
    for (size_t i = 0; i < CODECS; i++) {
        const codec_case *c = &codecs[i];
        bytes plain = sample(200000, 31), packed = c->make(plain, 6);
        uint64_t refuses = 0, accepts = UINT64_C(1) << 27;
        wlk_limits limits;
        wlk_limits_default(&limits);
        while (accepts - refuses > 1) {
            limits.inflate_memory = refuses + (accepts - refuses) / 2;
            const outcome o = inflate_with(c->codec, packed, &limits);
            if (o.status != WLK_OK) assert_string_equal(o.rule, "limit.inflate-memory");
            *(o.status == WLK_OK ? &accepts : &refuses) = limits.inflate_memory;
            if (o.status == WLK_OK) mem_free(o.out.data);
        }
        assert_true(refuses > 1000); /* each needs something */
        free(packed.data);
        free(plain.data);
    }
}

typedef struct raw_case {
    const char *what;
    inflate_codec codec;
    const char *data;
    size_t size;
    const char *rule;
    uint64_t offset;
} raw_case;

#define RAW(text) text, sizeof text - 1

/* An xz stream whose check nobody knows, and headers that are none. */
static const raw_case raws[] = {
    {"zlib with a dictionary", INFLATE_ZLIB, RAW("\x78\xbb\x00\x00\x00\x01rest"), "inflate.data",
     6},
    {"gzip with unknown flags", INFLATE_GZIP, RAW("\x1f\x8b\x08\xe0\0\0\0\0\0\0"), "inflate.data",
     4},
    {"xz with an unknown check", INFLATE_XZ,
     RAW("\xfd\x37\x7a\x58\x5a\x00\x00\x02\xd0\xa2\xf8\x43\x02\x00\x21\x01"), "inflate.data", 12},
    {"bz2 of no level", INFLATE_BZ2, RAW("BZh0 more"), "inflate.data", 4},
    {"lz4 of another version", INFLATE_LZ4, RAW("\x04\x22\x4d\x18\x80\x40\x00\0\0\0\0"),
     "inflate.data", 0},
    {"zf without digits", INFLATE_ZF, RAW("ZF0x                 \x78\x9c"), "inflate.header", 0},
    {"zf without 0x", INFLATE_ZF, RAW("ZF12                 \x78\x9c"), "inflate.header", 0},
    {"zf with other digits", INFLATE_ZF, RAW("ZF0xAB               \x78\x9c"), "inflate.header", 0},
    {"zf with a NUL", INFLATE_ZF, RAW("ZF0x1\0              \x78\x9c"), "inflate.header", 0},
    {"zf with 17 digits", INFLATE_ZF, RAW("ZF0x12345678901234567\x78\x9c"), "inflate.header", 0},
    {"zf that promises 2^64 - 1", INFLATE_ZF, RAW("ZF0xffffffffffffffff \x78\x9c"),
     "limit.inflated-bytes", 0},
    {"zf of another length", INFLATE_ZF,
     RAW("ZF0x2                \x78\x9c\x4b\x04\x00\x00\x62\x00\x62"), "inflate.header", 0},
    {"no codec", INFLATE_NONE, RAW("abc"), "inflate.header", 0},
    {"a codec that is none", INFLATE_CODEC_COUNT, RAW("abc"), "inflate.header", 0},
};

static void test_headers(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof raws / sizeof *raws; i++) {
        const bytes packed = {(uint8_t *)(uintptr_t)raws[i].data, raws[i].size};
        expect_refused(raws[i].what, inflate_default(raws[i].codec, packed), raws[i].rule,
                       raws[i].offset);
    }
}

/* One space more, as Python 2 wrote it. */
static void test_zf_with_a_space(void **state) {
    (void)state;
    const bytes packed = {
        (uint8_t *)(uintptr_t) "ZF0x1                 \x78\x9c\x4b\x04\x00\x00\x62\x00\x62", 31};
    const bytes plain = {(uint8_t *)(uintptr_t) "a", 1};
    expect_same("zf", 0, inflate_default(INFLATE_ZF, packed), plain);
}

static void test_detection(void **state) {
    (void)state;
    static const struct {
        const char *data;
        size_t size;
        inflate_codec codec;
    } rows[] = {
        {RAW(""), INFLATE_NONE},         {RAW("\x78"), INFLATE_NONE},
        {RAW("\x78\x9c"), INFLATE_ZLIB}, {RAW("\x78\x5e"), INFLATE_ZLIB},
        {RAW("\x78\x9d"), INFLATE_NONE}, {RAW("\x78\xbb"), INFLATE_NONE},
        {RAW("\x1f\x8b"), INFLATE_GZIP}, {RAW("\x1f"), INFLATE_NONE},
        {RAW("BZh"), INFLATE_NONE},      {RAW("BZh0"), INFLATE_NONE},
        {RAW("BZh1"), INFLATE_BZ2},      {RAW("BZh:"), INFLATE_NONE},
        {RAW("BZ\0\0\0"), INFLATE_NONE}, {RAW("\xfd\x37\x7a\x58\x5a\x00"), INFLATE_XZ},
        {RAW("\x5d\0\0"), INFLATE_LZMA}, {RAW("\x04\x22\x4d\x18"), INFLATE_LZ4},
        {RAW("ZF"), INFLATE_ZF},         {RAW("\x80\x04"), INFLATE_NONE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const uint8_t *data = (const uint8_t *)rows[i].data;
        assert_string_equal(inflate_name(inflate_detect(data, rows[i].size)),
                            inflate_name(rows[i].codec));
    }
    assert_string_equal(inflate_name(INFLATE_CODEC_COUNT), "none");
}

/* ---- memory */

typedef struct memory_case {
    inflate_codec codec;
    bytes packed;
} memory_case;

static wlk_status inflate_once(const void *context, wlk_error *error) {
    const memory_case *c = context;
    wlk_limits limits;
    uint8_t *out;
    uint64_t length;
    wlk_limits_default(&limits);
    TRY(inflate_all(c->codec, c->packed.data, c->packed.size, &limits, &out, &length, error));
    mem_free(out);
    return WLK_OK;
}

static void test_no_memory(void **state) {
    (void)state;
    for (size_t i = 0; i < CODECS; i++) {
        bytes plain = sample(300000, 31);
        const memory_case c = {codecs[i].codec, codecs[i].make(plain, 1)};
        no_memory_everywhere(codecs[i].name, inflate_once, &c);
        free(c.packed.data);
        free(plain.data);
    }
}

int main(void) {
    points_set();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_level),    cmocka_unit_test(test_members),
        cmocka_unit_test(test_truncated),      cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_trailing),       cmocka_unit_test(test_limit_of_output),
        cmocka_unit_test(test_limit_of_ratio), cmocka_unit_test(test_limit_of_memory),
        cmocka_unit_test(test_headers),        cmocka_unit_test(test_zf_with_a_space),
        cmocka_unit_test(test_detection),      cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

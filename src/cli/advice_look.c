#include "cli/advice_look.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/bytes.h"
#include "base/memory.h"

#define BLOCK_BYTES (64u << 10) /* what is looked at comes in blocks of so much */
#define LEAST_BLOCK_BYTES 4096u
#define LOOK_BYTES (32ull << 20) /* of all tensors together, and a block of each */
#define PACK_BLOCK_BYTES (16u << 10)
#define PACK_BYTES (2ull << 20) /* of all tensors together */
#define PACK_TENSOR_BYTES (1u << 20)
#define PACK_FROM (64u << 10) /* smaller tensors are not worth a sample */

/* A part of a tensor: `blocks` blocks, evenly spread, or all of it. */
typedef struct sample {
    const uint8_t *data;
    uint64_t length;
    uint64_t block_bytes;
    uint64_t blocks;
    uint64_t step; /* from one block to the next */
} sample;

static sample sample_of(const wlk_tensor *t, uint64_t bytes, uint64_t block_bytes) {
    const uint64_t all = t->nbytes / block_bytes + (t->nbytes % block_bytes != 0);
    uint64_t blocks = bytes / block_bytes + (bytes % block_bytes != 0);
    if (blocks == 0) blocks = 1;
    if (blocks > all) blocks = all;
    return (sample){t->data, t->nbytes, block_bytes, blocks,
                    blocks ? all / blocks * block_bytes : 0};
}

static bool sample_is_all(const sample *s) {
    return s->blocks * s->block_bytes >= s->length;
}

/* Block i, *length bytes of it. */
static const uint8_t *sample_block(const sample *s, uint64_t i, uint64_t *length) {
    const uint64_t at = i * s->step; /* below the length */
    const uint64_t left = s->length - at;
    *length = left < s->block_bytes ? left : s->block_bytes;
    return s->data + at;
}

/* ---- is it zero, is it like another one */

/* FNV-1a over words. Whoever makes two tensors that collide is found out by comparing. */
static uint64_t hash_block(uint64_t hash, const uint8_t *bytes, uint64_t length, bool *zero) {
    uint64_t any = 0, at = 0;
    for (; at + 8 <= length; at += 8) {
        const uint64_t word = load_u64(bytes + at);
        any |= word;
        hash = (hash ^ word) * 0x100000001b3u;
        hash ^= hash >> 29;
    }
    for (; at < length; at++) {
        any |= bytes[at];
        hash = (hash ^ bytes[at]) * 0x100000001b3u;
    }
    *zero = *zero && any == 0;
    return hash;
}

static bool same_kind(const wlk_tensor *a, const wlk_tensor *b) {
    return a->dtype == b->dtype && a->rank == b->rank && a->nbytes == b->nbytes &&
           memcmp(a->shape, b->shape, a->rank * sizeof *a->shape) == 0;
}

static bool same_bytes(const sample *a, const sample *b) {
    for (uint64_t i = 0; i < a->blocks; i++) {
        uint64_t length;
        const uint8_t *x = sample_block(a, i, &length), *y = sample_block(b, i, &length);
        if (memcmp(x, y, length) != 0) return false;
    }
    return true;
}

/* ---- does a narrower type do */

/* Bits of a float that f16 or bf16 has no place for. */
static uint32_t lost_in_f16(uint32_t bits) {
    const uint32_t exponent = bits >> 23 & 0xff;
    if (exponent >= 113) return bits & 0x1fff; /* normal in f16, or refused by its range */
    if (exponent < 103) return bits & 0x7fffffff;
    return bits & ((1u << (126 - exponent)) - 1) & 0x7fffff; /* subnormal */
}

/* Loops without branches, so that a compiler vectorizes them. */
static uint32_t floats_fit(const uint8_t *bytes, uint64_t length) {
    uint32_t f16_lost = 0, bf16_lost = 0, f16_out = 0, bf16_out = 0;
    for (uint64_t at = 0; at + 4 <= length; at += 4) {
        const uint32_t bits = load_u32(bytes + at), size = bits & 0x7fffffff;
        const bool finite = size < 0x7f800000;
        f16_lost |= finite ? lost_in_f16(bits) | (size > 0x477fe000) : 0;
        bf16_lost |= finite ? bits & 0xffff : 0;
        f16_out |= finite && size != 0 && (size > 0x477fe000 || size < 0x38800000);
        bf16_out |= finite && size != 0 && (size > 0x7f7f0000 || size < 0x00800000);
    }
    return (f16_lost ? 0u : FITS_F16_EXACTLY) | (f16_out ? 0u : FITS_F16) |
           (bf16_lost ? 0u : FITS_BF16_EXACTLY) | (bf16_out ? 0u : FITS_BF16);
}

static uint32_t doubles_fit(const uint8_t *bytes, uint64_t length) {
    uint32_t lost = 0, out = 0;
    for (uint64_t at = 0; at + 8 <= length; at += 8) {
        const double value = load_f64(bytes + at), size = fabs(value);
        const bool finite = isfinite(value);
        const bool inside = size <= 0x1.fffffep127 && size >= 0x1p-126;
        out |= finite && size != 0 && !inside;
        lost |= finite && (size > 0x1.fffffep127 || (double)(float)value != value);
    }
    return (lost ? 0u : FITS_F32_EXACTLY) | (out ? 0u : FITS_F32);
}

static uint32_t block_fits(wlk_dtype dtype, const uint8_t *bytes, uint64_t length) {
    if (dtype == WLK_F32) return floats_fit(bytes, length);
    return dtype == WLK_F64 ? doubles_fit(bytes, length) : 0;
}

/* ---- one look */

/* A tensor's share of what is looked at of all. */
static uint64_t share(uint64_t budget, uint64_t nbytes, uint64_t all) {
    return all <= budget ? nbytes : (uint64_t)((double)budget * ((double)nbytes / (double)all));
}

/* What is looked at of a tensor, whose model has `all` bytes of them. */
static sample look_sample(const wlk_tensor *t, uint64_t all) {
    const uint64_t bytes = share(LOOK_BYTES, t->nbytes, all);
    if (bytes >= BLOCK_BYTES) return sample_of(t, bytes, BLOCK_BYTES);
    return sample_of(t, bytes,
                     bytes > LEAST_BLOCK_BYTES ? bytes / LEAST_BLOCK_BYTES * LEAST_BLOCK_BYTES
                                               : LEAST_BLOCK_BYTES);
}

static void look_at(const wlk_tensor *t, uint64_t all, tensor_look *look) {
    const sample s = look_sample(t, all);
    *look = (tensor_look){.sampled = !sample_is_all(&s),
                          .zero = t->nbytes > 0,
                          .same_as = WLK_NONE,
                          .fits = UINT32_MAX,
                          .hash = t->nbytes ^ (uint64_t)t->dtype << 56};
    for (uint64_t i = 0; i < s.blocks; i++) {
        uint64_t length;
        const uint8_t *block = sample_block(&s, i, &length);
        look->hash = hash_block(look->hash, block, length, &look->zero);
        if (look->fits) look->fits &= block_fits(t->dtype, block, length);
    }
    if (t->nbytes == 0) look->fits = 0;
}

/* ---- duplicates */

typedef struct hashed {
    uint64_t hash;
    uint32_t tensor;
} hashed;

static int compare_hashed(const void *a, const void *b) {
    const hashed *x = a, *y = b;
    if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
    return x->tensor < y->tensor ? -1 : x->tensor > y->tensor;
}

/* Each is compared with the first of its hash alone, so that the time stays bounded. */
static void find_same(const wlk_model *model, tensor_look *looks, uint64_t all, hashed *order,
                      uint32_t count) {
    qsort(order, count, sizeof *order, compare_hashed);
    for (uint32_t i = 1, first = 0; i < count; i++) {
        if (order[i].hash != order[first].hash) {
            first = i;
            continue;
        }
        const wlk_tensor a = wlk_model_tensor(model, order[first].tensor);
        const wlk_tensor b = wlk_model_tensor(model, order[i].tensor);
        if (!same_kind(&a, &b) || b.nbytes == 0) continue;
        const sample x = look_sample(&a, all), y = look_sample(&b, all);
        if (same_bytes(&x, &y)) looks[order[i].tensor].same_as = order[first].tensor;
    }
}

static void look_for_same(const wlk_model *model, tensor_look *looks, uint64_t all,
                          uint32_t count) {
    hashed *order = mem_zeroed(count, sizeof *order);
    if (!order || count == 0) {
        mem_free(order);
        return;
    }
    for (uint32_t i = 0; i < count; i++) order[i] = (hashed){looks[i].hash, i};
    find_same(model, looks, all, order, count);
    mem_free(order);
}

/* ---- compression */

static voidpf pack_alloc(voidpf opaque, uInt count, uInt size) {
    (void)opaque;
    return mem_zeroed(count, size);
}

static void pack_free(voidpf opaque, voidpf memory) {
    (void)opaque;
    mem_free(memory);
}

/* Bytes that the sample becomes, at the fastest level; 0 if zlib has no memory. */
static uint64_t packed_bytes(const sample *s, uint64_t *given) {
    uint8_t out[4096];
    z_stream z = {.zalloc = pack_alloc, .zfree = pack_free};
    *given = 0;
    if (deflateInit(&z, Z_BEST_SPEED) != Z_OK) return 0;
    for (uint64_t i = 0; i < s->blocks; i++) {
        uint64_t length;
        z.next_in = (z_const Bytef *)(uintptr_t)sample_block(s, i, &length);
        z.avail_in = (uInt)length;
        *given += length;
        do {
            z.next_out = out;
            z.avail_out = sizeof out;
            (void)deflate(&z, i + 1 == s->blocks ? Z_FINISH : Z_NO_FLUSH);
        } while (z.avail_out == 0);
    }
    const uint64_t packed = z.total_out;
    (void)deflateEnd(&z);
    return packed;
}

/* A tenth at least, else it is not worth the trouble. */
static uint64_t compress_saves(const wlk_tensor *t, uint64_t bytes) {
    uint64_t given;
    const sample s = sample_of(t, bytes, PACK_BLOCK_BYTES);
    const uint64_t packed = packed_bytes(&s, &given);
    if (packed == 0 || packed >= given / 10 * 9) return 0;
    return (uint64_t)((double)t->nbytes * (1 - (double)packed / (double)given));
}

static bool is_packed(const wlk_tensor *t, const tensor_look *look) {
    return t->nbytes >= PACK_FROM && !look->zero && look->same_as == WLK_NONE;
}

static void look_for_compression(const wlk_model *model, tensor_look *looks, uint32_t count) {
    uint64_t all = 0, left = PACK_BYTES;
    for (uint32_t i = 0; i < count; i++) {
        const wlk_tensor t = wlk_model_tensor(model, i);
        if (is_packed(&t, &looks[i])) all += t.nbytes;
    }
    for (uint32_t i = 0; i < count && left > 0; i++) {
        const wlk_tensor t = wlk_model_tensor(model, i);
        if (!is_packed(&t, &looks[i])) continue;
        uint64_t bytes = share(PACK_BYTES, t.nbytes, all);
        if (bytes > PACK_TENSOR_BYTES) bytes = PACK_TENSOR_BYTES;
        if (bytes < PACK_BLOCK_BYTES) bytes = PACK_BLOCK_BYTES;
        looks[i].compress_saves = compress_saves(&t, bytes);
        left -= bytes < left ? bytes : left;
    }
}

void advice_look(const wlk_model *model, tensor_look *looks) {
    const uint32_t count = wlk_model_count(model, WLK_SECTION_TENSORS);
    uint64_t all = 0;
    for (uint32_t i = 0; i < count; i++) all += wlk_model_tensor(model, i).nbytes;
    for (uint32_t i = 0; i < count; i++) {
        const wlk_tensor t = wlk_model_tensor(model, i);
        look_at(&t, all, &looks[i]);
    }
    look_for_same(model, looks, all, count);
    look_for_compression(model, looks, count);
}

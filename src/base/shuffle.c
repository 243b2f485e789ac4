#include "base/shuffle.h"

#include "base/bytes.h"
#include "base/dtype.h"

uint32_t shuffle_width(wlk_dtype dtype) {
    const uint32_t bits = wlk_dtype_bits(dtype);
    return bits >= 8 ? bits / 8 : 1;
}

void shuffle(const uint8_t *from, uint8_t *to, uint64_t length, uint32_t width) {
    const uint64_t count = length / width, whole = count * width;
    for (uint32_t j = 0; j < width; j++) {
        uint8_t *plane = to + j * count;
        for (uint64_t i = 0; i < count; i++) plane[i] = from[i * width + j];
    }
    memcpy(to + whole, from + whole, length - whole);
}

/* ---- the way back, which is made at every load */

/* Four bytes become the even bytes of a word. */
static uint64_t spread(uint32_t bytes) {
    uint64_t word = bytes;
    word = (word | word << 16) & 0x0000ffff0000ffffull;
    return (word | word << 8) & 0x00ff00ff00ff00ffull;
}

static uint64_t unshuffle_2(const uint8_t *from, uint8_t *to, uint64_t count) {
    uint64_t i = 0;
    for (; i + 4 <= count; i += 4) {
        const uint64_t word = spread(load_u32(from + i)) | spread(load_u32(from + count + i)) << 8;
        store_u64(to + 2 * i, word);
    }
    return i;
}

/* Two planes of four bytes each become the even and the odd bytes of a word. */
static uint64_t braid(const uint8_t *even, const uint8_t *odd) {
    return spread(load_u32(even)) | spread(load_u32(odd)) << 8;
}

static uint64_t unshuffle_4(const uint8_t *from, uint8_t *to, uint64_t count) {
    uint64_t i = 0;
    for (; i + 4 <= count; i += 4) {
        const uint8_t *at = from + i;
        const uint64_t low = braid(at, at + count), high = braid(at + 2 * count, at + 3 * count);
        const uint64_t mask = 0x0000ffff0000ffffull;
        const uint64_t even = (low & mask) | (high & mask) << 16;
        const uint64_t odd = (low >> 16 & mask) | (high & ~mask);
        store_u64(to + 4 * i, (even & UINT32_MAX) | odd << 32);
        store_u64(to + 4 * i + 8, even >> 32 | (odd & ~(uint64_t)UINT32_MAX));
    }
    return i;
}

/* The bits of a and of b that lie `shift` apart under the mask change places. */
static void swap_bits(uint64_t *a, uint64_t *b, unsigned shift, uint64_t mask) {
    const uint64_t differs = (*a >> shift ^ *b) & mask;
    *b ^= differs;
    *a ^= differs << shift;
}

/* Transposes eight rows of eight bytes. */
static void transpose_8(uint64_t rows[8]) {
    for (int i = 0; i < 4; i++) swap_bits(&rows[i], &rows[i + 4], 32, UINT32_MAX);
    for (int i = 0; i < 8; i += i % 4 == 1 ? 3 : 1) {
        swap_bits(&rows[i], &rows[i + 2], 16, 0x0000ffff0000ffffull);
    }
    for (int i = 0; i < 8; i += 2) {
        swap_bits(&rows[i], &rows[i + 1], 8, 0x00ff00ff00ff00ffull);
    }
}

static uint64_t unshuffle_8(const uint8_t *from, uint8_t *to, uint64_t count) {
    uint64_t i = 0;
    for (; i + 8 <= count; i += 8) {
        uint64_t rows[8];
        for (uint64_t j = 0; j < 8; j++) rows[j] = load_u64(from + j * count + i);
        transpose_8(rows);
        memcpy(to + 8 * i, rows, sizeof rows);
    }
    return i;
}

void unshuffle(const uint8_t *from, uint8_t *to, uint64_t length, uint32_t width) {
    const uint64_t count = length / width, whole = count * width;
    uint64_t done = 0;
    if (width == 1) done = count, memcpy(to, from, count);
    if (width == 2) done = unshuffle_2(from, to, count);
    if (width == 4) done = unshuffle_4(from, to, count);
    if (width == 8) done = unshuffle_8(from, to, count);
    for (uint64_t i = done; i < count; i++) {
        for (uint32_t j = 0; j < width; j++) to[i * width + j] = from[j * count + i];
    }
    memcpy(to + whole, from + whole, length - whole);
}

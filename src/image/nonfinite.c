#include "image/nonfinite.h"

#include <string.h>

#include "base/bytes.h"
#include "base/dtype.h"

/* Parts are counted by blocks of a fixed number, a loop that compilers vectorize. */
#define BLOCK_PARTS 1024
#define BLOCK_BYTES (BLOCK_PARTS * sizeof(uint64_t))

/* A part of an element, of which complex numbers have two, is special if
 * (bits & mask) == special. It is then infinite if the mantissa is zero; formats
 * without infinities have no mantissa here. */
typedef struct float_row {
    uint8_t bytes; /* of a part */
    uint8_t parts;
    uint64_t mask;
    uint64_t special;
    uint64_t mantissa;
} float_row;

#define IEEE(bytes, parts, exponent, mantissa) \
    { bytes, parts, exponent, exponent, mantissa }

/* The float8 formats as in ONNX and "FP8 Formats for Deep Learning" (arXiv 2209.05433):
 * fn has no infinities, fnuz also no negative zero, whose code is its NaN. */
static const float_row float_rows[WLK_DTYPE_COUNT] = {
    [WLK_F64] = IEEE(8, 1, 0x7ff0000000000000u, 0x000fffffffffffffu),
    [WLK_F32] = IEEE(4, 1, 0x7f800000u, 0x007fffffu),
    [WLK_F16] = IEEE(2, 1, 0x7c00u, 0x03ffu),
    [WLK_BF16] = IEEE(2, 1, 0x7f80u, 0x007fu),
    [WLK_F8E5M2] = IEEE(1, 1, 0x7cu, 0x03u),
    [WLK_F8E4M3FN] = {1, 1, 0x7fu, 0x7fu, 0},
    [WLK_F8E4M3FNUZ] = {1, 1, 0xffu, 0x80u, 0},
    [WLK_F8E5M2FNUZ] = {1, 1, 0xffu, 0x80u, 0},
    [WLK_F8E8M0] = {1, 1, 0xffu, 0xffu, 0},
    [WLK_C64] = IEEE(4, 2, 0x7f800000u, 0x007fffffu),
    [WLK_C128] = IEEE(8, 2, 0x7ff0000000000000u, 0x000fffffffffffffu),
};

static const float_row *row_of(wlk_dtype dtype) {
    const unsigned index = (unsigned)dtype;
    return index < WLK_DTYPE_COUNT && float_rows[index].bytes ? &float_rows[index] : NULL;
}

bool nonfinite_possible(wlk_dtype dtype) {
    return row_of(dtype) != NULL;
}

/* ---- one block: how many of its parts are (bits & mask) == wanted? */

static uint32_t count_8(const uint8_t *block, uint8_t mask, uint8_t wanted) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < BLOCK_PARTS; i++) count += (block[i] & mask) == wanted;
    return count;
}

static uint32_t count_16(const uint8_t *block, uint16_t mask, uint16_t wanted) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < BLOCK_PARTS; i++) {
        count += (load_u16(block + i * sizeof mask) & mask) == wanted;
    }
    return count;
}

static uint32_t count_32(const uint8_t *block, uint32_t mask, uint32_t wanted) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < BLOCK_PARTS; i++) {
        count += (load_u32(block + i * sizeof mask) & mask) == wanted;
    }
    return count;
}

static uint32_t count_64(const uint8_t *block, uint64_t mask, uint64_t wanted) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < BLOCK_PARTS; i++) {
        count += (load_u64(block + i * sizeof mask) & mask) == wanted;
    }
    return count;
}

static uint32_t count_parts(const float_row *row, const uint8_t *block, uint64_t mask) {
    switch (row->bytes) {
        case 1:
            return count_8(block, (uint8_t)mask, (uint8_t)row->special);
        case 2:
            return count_16(block, (uint16_t)mask, (uint16_t)row->special);
        case 4:
            return count_32(block, (uint32_t)mask, (uint32_t)row->special);
        default:
            return count_64(block, mask, row->special);
    }
}

/* ---- one element, where a block has special parts */

typedef enum element_class { FINITE, INFINITE, NOT_A_NUMBER } element_class;

static uint64_t part_bits(const float_row *row, const uint8_t *block, uint64_t part) {
    const uint8_t *at = block + part * row->bytes;
    switch (row->bytes) {
        case 1:
            return *at;
        case 2:
            return load_u16(at);
        case 4:
            return load_u32(at);
        default:
            return load_u64(at);
    }
}

static element_class class_of(const float_row *row, const uint8_t *block, uint64_t element) {
    element_class worst = FINITE;
    for (uint64_t i = 0; i < row->parts; i++) {
        const uint64_t bits = part_bits(row, block, element * row->parts + i);
        if ((bits & row->mask) != row->special) continue;
        if (row->mantissa == 0 || (bits & row->mantissa) != 0) return NOT_A_NUMBER;
        worst = INFINITE;
    }
    return worst;
}

static uint64_t find_first(const float_row *row, const uint8_t *block) {
    uint64_t element = 0;
    while (class_of(row, block, element) == FINITE) element++;
    return element;
}

static void count_complex(const float_row *row, const uint8_t *block, nonfinite *found) {
    for (uint64_t i = 0; i < BLOCK_PARTS / row->parts; i++) {
        const element_class class = class_of(row, block, i);
        found->nan += class == NOT_A_NUMBER;
        found->infinity += class == INFINITE;
    }
}

/* A block that begins at element `at`. */
static void count_block(const float_row *row, const uint8_t *block, uint64_t at, nonfinite *found) {
    const uint32_t special = count_parts(row, block, row->mask);
    if (special == 0) return;
    if (found->first == NONFINITE_NONE) found->first = at + find_first(row, block);
    if (row->parts > 1) {
        count_complex(row, block, found);
        return;
    }
    const uint32_t infinite =
        row->mantissa ? count_parts(row, block, row->mask | row->mantissa) : 0;
    found->infinity += infinite;
    found->nan += special - infinite;
}

/* ---- ranges and tensors */

nonfinite nonfinite_count(wlk_dtype dtype, const void *data, uint64_t count) {
    nonfinite found = {.first = NONFINITE_NONE};
    const float_row *row = row_of(dtype);
    if (!row) return found;
    const uint64_t block = BLOCK_PARTS / row->parts, bytes = (uint64_t)row->bytes * row->parts;
    const uint8_t *elements = data;
    uint64_t at = 0;
    for (; count - at >= block; at += block) count_block(row, elements + at * bytes, at, &found);
    if (at < count) {
        uint8_t rest[BLOCK_BYTES] = {0}; /* zero is finite in every format */
        memcpy(rest, elements + at * bytes, (count - at) * bytes);
        count_block(row, rest, at, &found);
    }
    return found;
}

void nonfinite_add(nonfinite *whole, const nonfinite *range, uint64_t at) {
    whole->nan += range->nan;
    whole->infinity += range->infinity;
    if (range->first == NONFINITE_NONE) return;
    if (at + range->first < whole->first) whole->first = at + range->first;
}

void wlk_tensor_nonfinite(const wlk_tensor *tensor, uint64_t *nan, uint64_t *infinity,
                          uint64_t *first) {
    nonfinite found = {.first = NONFINITE_NONE};
    uint64_t nbytes;
    /* Those of a lazy model have no data. */
    if (tensor->data && nonfinite_possible(tensor->dtype) &&
        dtype_nbytes(tensor->dtype, tensor->count, &nbytes) && nbytes <= tensor->nbytes) {
        found = nonfinite_count(tensor->dtype, tensor->data, tensor->count);
    }
    *nan = found.nan;
    *infinity = found.infinity;
    *first = found.first == NONFINITE_NONE ? tensor->count : found.first;
}

#include "base/dtype.h"

#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/utf8.h"

typedef struct dtype_row {
    const char *name;
    uint32_t bits;
} dtype_row;

static const dtype_row dtypes[WLK_DTYPE_COUNT] = {
    [WLK_DTYPE_NONE] = {"none", 0},
    [WLK_F64] = {"f64", 64},
    [WLK_F32] = {"f32", 32},
    [WLK_F16] = {"f16", 16},
    [WLK_BF16] = {"bf16", 16},
    [WLK_F8E4M3FN] = {"f8e4m3fn", 8},
    [WLK_F8E5M2] = {"f8e5m2", 8},
    [WLK_F8E4M3FNUZ] = {"f8e4m3fnuz", 8},
    [WLK_F8E5M2FNUZ] = {"f8e5m2fnuz", 8},
    [WLK_F8E8M0] = {"f8e8m0", 8},
    [WLK_F6E2M3] = {"f6e2m3", 6},
    [WLK_F6E3M2] = {"f6e3m2", 6},
    [WLK_F4E2M1] = {"f4e2m1", 4},
    [WLK_I64] = {"i64", 64},
    [WLK_I32] = {"i32", 32},
    [WLK_I16] = {"i16", 16},
    [WLK_I8] = {"i8", 8},
    [WLK_I4] = {"i4", 4},
    [WLK_U64] = {"u64", 64},
    [WLK_U32] = {"u32", 32},
    [WLK_U16] = {"u16", 16},
    [WLK_U8] = {"u8", 8},
    [WLK_U4] = {"u4", 4},
    [WLK_BOOL] = {"bool", 8},
    [WLK_C64] = {"c64", 64},
    [WLK_C128] = {"c128", 128},
    [WLK_STR] = {"str", 0},
    [WLK_BLOCK] = {"block", 0},
};

bool dtype_known(uint32_t value) {
    return value > WLK_DTYPE_NONE && value < WLK_DTYPE_COUNT;
}

const char *wlk_dtype_name(wlk_dtype dtype) {
    return dtypes[dtype_known((uint32_t)dtype) ? dtype : WLK_DTYPE_NONE].name;
}

wlk_dtype wlk_dtype_from_name(const char *name, size_t length) {
    for (uint32_t i = WLK_DTYPE_NONE + 1; i < WLK_DTYPE_COUNT; i++) {
        if (strlen(dtypes[i].name) == length && memcmp(dtypes[i].name, name, length) == 0) {
            return (wlk_dtype)i;
        }
    }
    return WLK_DTYPE_NONE;
}

uint32_t wlk_dtype_bits(wlk_dtype dtype) {
    return dtype_known((uint32_t)dtype) ? dtypes[dtype].bits : 0;
}

bool shape_count(const uint64_t *shape, uint32_t rank, uint64_t *count) {
    if (rank > WLK_MAX_RANK) return false;
    uint64_t product = 1; /* without the zero dimensions: [2^40, 2^40, 0] is an overflow too */
    bool empty = false;
    for (uint32_t i = 0; i < rank; i++) {
        if (shape[i] == 0) {
            empty = true;
        } else if (!checked_mul(product, shape[i], &product)) {
            return false;
        }
    }
    *count = empty ? 0 : product;
    return product <= INT64_MAX;
}

bool dtype_nbytes(wlk_dtype dtype, uint64_t count, uint64_t *nbytes) {
    const uint64_t bits = wlk_dtype_bits(dtype);
    uint64_t total;
    if (bits == 0) return false;
    if (bits >= 8) return checked_mul(count, bits / 8, nbytes);
    if (!checked_mul(count, bits, &total) || !checked_add(total, 7, &total)) return false;
    *nbytes = total / 8;
    return true;
}

static bool bools_valid(const uint8_t *data, uint64_t nbytes, uint64_t *bad) {
    for (uint64_t i = 0; i < nbytes; i++) {
        if (data[i] > 1) {
            *bad = i;
            return false;
        }
    }
    return true;
}

static bool padding_valid(uint64_t bits, uint64_t count, const uint8_t *data, uint64_t nbytes,
                          uint64_t *bad) {
    const unsigned used = (unsigned)(count * bits % 8); /* bits of the last byte in use; 0: all */
    if (used == 0 || nbytes == 0 || data[nbytes - 1] >> used == 0) return true;
    *bad = nbytes - 1;
    return false;
}

static bool strings_valid(uint64_t count, const uint8_t *data, uint64_t nbytes, uint64_t *bad) {
    uint64_t table;
    *bad = 0;
    if (!checked_add(count, 1, &table) || !checked_mul(table, 8, &table) || table > nbytes) {
        return false;
    }
    if (load_u64(data) != 0) return false;
    const uint8_t *text = data + table;
    for (uint64_t i = 0; i < count; i++) {
        const uint64_t start = load_u64(data + i * 8);
        const uint64_t end = load_u64(data + i * 8 + 8);
        *bad = i * 8 + 8;
        if (end < start || end > nbytes - table) return false;
        *bad = table + start;
        if (!utf8_valid_payload(text + start, end - start)) return false;
    }
    *bad = count * 8;
    return load_u64(data + count * 8) == nbytes - table;
}

bool payload_valid(wlk_dtype dtype, uint64_t count, const uint8_t *data, uint64_t nbytes,
                   uint64_t *bad) {
    if (dtype == WLK_STR) return strings_valid(count, data, nbytes, bad);
    if (dtype == WLK_BOOL) return bools_valid(data, nbytes, bad);
    const uint32_t bits = wlk_dtype_bits(dtype);
    if (bits == 0 || bits >= 8) return true;
    return padding_valid(bits, count, data, nbytes, bad);
}

#include "infer/numbers.h"

#include <math.h>

#include "infer/tensor.h"

const uint32_t number_dtypes =
    DTYPES_FLOAT | DTYPES_INT | DTYPE_BIT(WLK_F16) | DTYPE_BIT(WLK_BF16) | DTYPE_BIT(WLK_BOOL);

/* ---- 16-bit floats: sign, exponent, mantissa */

typedef struct narrow_format {
    int mantissa_bits;
    int exponent_bits;
} narrow_format;

static const narrow_format binary16 = {10, 5};
static const narrow_format bfloat16 = {7, 8};

static int narrow_bias(narrow_format format) {
    return (1 << (format.exponent_bits - 1)) - 1;
}

static double narrow_decode(narrow_format format, unsigned bits) {
    const unsigned mantissa = bits & ((1u << format.mantissa_bits) - 1);
    const int all_ones = (1 << format.exponent_bits) - 1;
    const int exponent = (int)(bits >> format.mantissa_bits) & all_ones;
    double value;
    if (exponent == all_ones) {
        value = mantissa ? (double)NAN : (double)INFINITY;
    } else if (exponent == 0) {
        value = ldexp(mantissa, 1 - narrow_bias(format) - format.mantissa_bits);
    } else {
        value = ldexp(mantissa + (1u << format.mantissa_bits),
                      exponent - narrow_bias(format) - format.mantissa_bits);
    }
    return bits >> 15 ? -value : value;
}

/* Rounds to a whole number of units in the last place. Below the normal range
 * the unit stays the smallest one; a mantissa that rounds up to the next power
 * of two carries into the exponent, and beyond the largest exponent lies
 * infinity: all three follow from adding. */
static unsigned narrow_encode(narrow_format format, double value) {
    const unsigned sign = signbit(value) ? 0x8000u : 0;
    const unsigned infinity = ((1u << format.exponent_bits) - 1) << format.mantissa_bits;
    if (isnan(value)) return sign | infinity | 1u << (format.mantissa_bits - 1);
    if (isinf(value)) return sign | infinity;
    const int lowest = 1 - narrow_bias(format);
    int exponent = value == 0 ? lowest : ilogb(value);
    if (exponent < lowest) exponent = lowest;
    if (exponent > narrow_bias(format)) return sign | infinity;
    const double units = rint(ldexp(fabs(value), format.mantissa_bits - exponent));
    return sign | (((unsigned)(exponent - lowest) << format.mantissa_bits) + (unsigned)units);
}

/* ---- out of range */

/* 2^63 and 2^64 are exact in double; the largest integers are not. */
int64_t saturate_i64(double value) {
    if (isnan(value)) return 0;
    if (value >= 0x1p63) return INT64_MAX;
    return value < -0x1p63 ? INT64_MIN : (int64_t)value;
}

static uint64_t saturate_u64(double value) {
    if (isnan(value) || value <= 0) return 0;
    return value >= 0x1p64 ? UINT64_MAX : (uint64_t)value;
}

/* `value` clamped to low..high, for the integers that double holds exactly. */
static int64_t saturate(double value, int64_t low, int64_t high) {
    const int64_t wide = saturate_i64(value);
    return wide < low ? low : wide > high ? high : wide;
}

/* ---- one element */

#define FLOAT_TYPE(suffix, type)                                       \
    static number get_##suffix(const void *data, uint64_t i) {         \
        return (number){NUMBER_FLOAT, {.f = ((const type *)data)[i]}}; \
    }                                                                  \
    static void put_##suffix(void *data, uint64_t i, number value) {   \
        type *out = (type *)data + i;                                  \
        if (value.kind == NUMBER_FLOAT) *out = (type)value.f;          \
        if (value.kind == NUMBER_INT) *out = (type)value.i;            \
        if (value.kind == NUMBER_UINT) *out = (type)value.u;           \
    }

#define INTEGER_TYPE(suffix, type, number_kind, member, saturated)             \
    static number get_##suffix(const void *data, uint64_t i) {                 \
        return (number){number_kind, {.member = ((const type *)data)[i]}};     \
    }                                                                          \
    static void put_##suffix(void *data, uint64_t i, number value) {           \
        type *out = (type *)data + i;                                          \
        *out = (type)(value.kind == NUMBER_FLOAT ? saturated : (type)value.u); \
    }

FLOAT_TYPE(f64, double)
FLOAT_TYPE(f32, float)
INTEGER_TYPE(i64, int64_t, NUMBER_INT, i, saturate_i64(value.f))
INTEGER_TYPE(i32, int32_t, NUMBER_INT, i, saturate(value.f, INT32_MIN, INT32_MAX))
INTEGER_TYPE(i16, int16_t, NUMBER_INT, i, saturate(value.f, INT16_MIN, INT16_MAX))
INTEGER_TYPE(i8, int8_t, NUMBER_INT, i, saturate(value.f, INT8_MIN, INT8_MAX))
INTEGER_TYPE(u64, uint64_t, NUMBER_UINT, u, saturate_u64(value.f))
INTEGER_TYPE(u32, uint32_t, NUMBER_UINT, u, saturate(value.f, 0, UINT32_MAX))
INTEGER_TYPE(u16, uint16_t, NUMBER_UINT, u, saturate(value.f, 0, UINT16_MAX))
INTEGER_TYPE(u8, uint8_t, NUMBER_UINT, u, saturate(value.f, 0, UINT8_MAX))

static double as_double(number value) {
    if (value.kind == NUMBER_FLOAT) return value.f;
    return value.kind == NUMBER_INT ? (double)value.i : (double)value.u;
}

static number get_f16(const void *data, uint64_t i) {
    return (number){NUMBER_FLOAT, {.f = narrow_decode(binary16, ((const uint16_t *)data)[i])}};
}

static void put_f16(void *data, uint64_t i, number value) {
    ((uint16_t *)data)[i] = (uint16_t)narrow_encode(binary16, as_double(value));
}

static number get_bf16(const void *data, uint64_t i) {
    return (number){NUMBER_FLOAT, {.f = narrow_decode(bfloat16, ((const uint16_t *)data)[i])}};
}

static void put_bf16(void *data, uint64_t i, number value) {
    ((uint16_t *)data)[i] = (uint16_t)narrow_encode(bfloat16, as_double(value));
}

static void put_bool(void *data, uint64_t i, number value) {
    const bool truth = value.kind == NUMBER_FLOAT ? value.f != 0 : value.u != 0;
    ((uint8_t *)data)[i] = truth;
}

typedef struct number_access {
    number_loader load;
    number_storer store;
} number_access;

static const number_access accesses[WLK_DTYPE_COUNT] = {
    [WLK_F64] = {get_f64, put_f64},  [WLK_F32] = {get_f32, put_f32},
    [WLK_F16] = {get_f16, put_f16},  [WLK_BF16] = {get_bf16, put_bf16},
    [WLK_I64] = {get_i64, put_i64},  [WLK_I32] = {get_i32, put_i32},
    [WLK_I16] = {get_i16, put_i16},  [WLK_I8] = {get_i8, put_i8},
    [WLK_U64] = {get_u64, put_u64},  [WLK_U32] = {get_u32, put_u32},
    [WLK_U16] = {get_u16, put_u16},  [WLK_U8] = {get_u8, put_u8},
    [WLK_BOOL] = {get_u8, put_bool},
};

number_loader number_load(wlk_dtype dtype) {
    return accesses[dtype].load;
}

number_storer number_store(wlk_dtype dtype) {
    return accesses[dtype].store;
}

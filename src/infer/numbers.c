#include "infer/numbers.h"

#include <math.h>
#include <string.h>

#include "infer/tensor.h"

#define DTYPES_SMALL_FLOAT                                                         \
    (DTYPE_BIT(WLK_F8E4M3FN) | DTYPE_BIT(WLK_F8E5M2) | DTYPE_BIT(WLK_F8E4M3FNUZ) | \
     DTYPE_BIT(WLK_F8E5M2FNUZ) | DTYPE_BIT(WLK_F8E8M0) | DTYPE_BIT(WLK_F4E2M1))

const uint32_t number_dtypes = DTYPES_FLOAT | DTYPES_INT | DTYPES_HALF | DTYPES_SMALL_FLOAT |
                               DTYPE_BIT(WLK_I4) | DTYPE_BIT(WLK_U4) | DTYPE_BIT(WLK_BOOL);

/* ---- floats of 16, 8 and 4 bits: sign, exponent, mantissa */

typedef struct narrow_format {
    unsigned mantissa_bits;
    int bias;
    unsigned sign;     /* the bit */
    unsigned largest;  /* the largest finite number's pattern */
    unsigned infinity; /* pattern; 0: there is none */
    unsigned nan;      /* pattern; of FNUZ types the sign bit alone, which is no -0 */
} narrow_format;

static const narrow_format binary16 = {10, 15, 0x8000, 0x7bff, 0x7c00, 0x7e00};
static const narrow_format bfloat16 = {7, 127, 0x8000, 0x7f7f, 0x7f80, 0x7fc0};
static const narrow_format e4m3fn = {3, 7, 0x80, 0x7e, 0, 0x7f};
static const narrow_format e4m3fnuz = {3, 8, 0x80, 0x7f, 0, 0x80};
static const narrow_format e5m2 = {2, 15, 0x80, 0x7b, 0x7c, 0x7e};
static const narrow_format e5m2fnuz = {2, 16, 0x80, 0x7f, 0, 0x80};
static const narrow_format e2m1 = {1, 1, 0x8, 0x7, 0, 0x8};

static bool without_negative_zero(const narrow_format *format) {
    return format->nan == format->sign && format->sign != e2m1.sign;
}

static double from_bits(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint64_t to_bits(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* 2^exponent, of a normal number. */
static double power_of_two(int exponent) {
    return from_bits((uint64_t)(exponent + 1023) << 52);
}

static double narrow_decode(const narrow_format *format, unsigned bits) {
    const unsigned magnitude = bits & (format->sign - 1);
    const unsigned mantissa = magnitude & ((1u << format->mantissa_bits) - 1);
    const int exponent = (int)(magnitude >> format->mantissa_bits);
    const unsigned hidden = exponent ? 1u << format->mantissa_bits : 0;
    const int power = (exponent ? exponent : 1) - format->bias - (int)format->mantissa_bits;
    if (bits == format->sign && without_negative_zero(format)) return (double)NAN;
    double value = (mantissa + hidden) * power_of_two(power);
    if (magnitude > format->largest) {
        value = magnitude == format->infinity ? (double)INFINITY : (double)NAN;
    }
    return bits & format->sign ? -value : value;
}

/* The pattern of |value|, which is finite, before it is looked at whether the format has
 * it. Rounds to a whole number of units in the last place. Below the normal range the
 * unit stays the smallest one; a mantissa that rounds up to the next power of two carries
 * into the exponent: both follow from adding. */
static uint64_t narrow_round(const narrow_format *format, uint64_t bits) {
    const int lowest = 1 - format->bias;
    const int exponent = (int)(bits >> 52) - 1023;
    const uint64_t significand = (bits & ((1ULL << 52) - 1)) | 1ULL << 52;
    const int raised = exponent < lowest ? lowest : exponent;
    int shift = 52 - (int)format->mantissa_bits + (raised - exponent);
    if (shift > 54) shift = 54; /* less than half of the smallest */
    const uint64_t units = significand >> shift;
    const uint64_t rest = significand - (units << shift);
    const uint64_t half = 1ULL << (shift - 1);
    const uint64_t rounded = units + (rest > half || (rest == half && (units & 1)));
    return ((uint64_t)(raised - lowest) << format->mantissa_bits) + rounded;
}

/* What stands for a number that is too large. */
static unsigned narrow_overflow(const narrow_format *format, bool saturate) {
    if (saturate) return format->largest;
    return format->infinity ? format->infinity : format->nan;
}

static unsigned narrow_encode(const narrow_format *format, double value, bool saturate) {
    const uint64_t bits = to_bits(value);
    const unsigned sign = bits >> 63 ? format->sign : 0;
    const uint64_t magnitude = bits & (UINT64_MAX >> 1);
    unsigned pattern = narrow_overflow(format, saturate);
    if (isnan(value)) {
        pattern = format->nan;
    } else if (!isinf(value)) {
        const uint64_t rounded = narrow_round(format, magnitude);
        if (rounded <= format->largest) pattern = (unsigned)rounded;
    }
    if (pattern == format->nan && format->nan == format->sign) return pattern;
    if (pattern == 0 && without_negative_zero(format)) return 0;
    return sign | pattern;
}

/* ---- f8e8m0: the exponent alone, of 2^-127 to 2^127 */

#define E8M0_NAN 255
#define E8M0_BIAS 127

static double e8m0_decode(unsigned bits) {
    return bits == E8M0_NAN ? (double)NAN : power_of_two((int)bits - E8M0_BIAS);
}

static bool e8m0_rounds_up(uint64_t mantissa, number_rounding rounding) {
    if (rounding == ROUND_NEAREST) return mantissa >> 51; /* half and above */
    return rounding == ROUND_UP && mantissa != 0;
}

static unsigned e8m0_encode(double value, bool saturate, number_rounding rounding) {
    const uint64_t bits = to_bits(value) & (UINT64_MAX >> 1);
    if (isnan(value)) return E8M0_NAN;
    if (isinf(value)) return saturate ? E8M0_NAN - 1 : E8M0_NAN;
    int64_t exponent = (int64_t)(bits >> 52) - 1023 + E8M0_BIAS;
    exponent += e8m0_rounds_up(bits & ((1ULL << 52) - 1), rounding);
    if (exponent < 0) return saturate ? 0 : E8M0_NAN;
    if (exponent >= E8M0_NAN) return saturate ? E8M0_NAN - 1 : E8M0_NAN;
    return (unsigned)exponent;
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

double number_double(number value) {
    if (value.kind == NUMBER_FLOAT) return value.f;
    return value.kind == NUMBER_INT ? (double)value.i : (double)value.u;
}

#define NARROW_TYPE(suffix, type, format)                                                        \
    static number get_##suffix(const void *data, uint64_t i) {                                   \
        return (number){NUMBER_FLOAT, {.f = narrow_decode(&(format), ((const type *)data)[i])}}; \
    }
#define NARROW_STORE(function, type, format, saturate)                                      \
    static void function(void *data, uint64_t i, number value) {                            \
        ((type *)data)[i] = (type)narrow_encode(&(format), number_double(value), saturate); \
    }
/* Saturating, and as the standard's table has it. */
#define EIGHT_BIT_TYPE(suffix, format)                \
    NARROW_TYPE(suffix, uint8_t, format)              \
    NARROW_STORE(put_##suffix, uint8_t, format, true) \
    NARROW_STORE(put_##suffix##_overflow, uint8_t, format, false)

NARROW_TYPE(f16, uint16_t, binary16)
NARROW_STORE(put_f16, uint16_t, binary16, false)
NARROW_TYPE(bf16, uint16_t, bfloat16)
NARROW_STORE(put_bf16, uint16_t, bfloat16, false)
EIGHT_BIT_TYPE(e4m3fn, e4m3fn)
EIGHT_BIT_TYPE(e4m3fnuz, e4m3fnuz)
EIGHT_BIT_TYPE(e5m2, e5m2)
EIGHT_BIT_TYPE(e5m2fnuz, e5m2fnuz)

static number get_e8m0(const void *data, uint64_t i) {
    return (number){NUMBER_FLOAT, {.f = e8m0_decode(((const uint8_t *)data)[i])}};
}

#define E8M0_STORE(function, saturate, rounding)                                               \
    static void function(void *data, uint64_t i, number value) {                               \
        ((uint8_t *)data)[i] = (uint8_t)e8m0_encode(number_double(value), saturate, rounding); \
    }
E8M0_STORE(put_e8m0_up, true, ROUND_UP)
E8M0_STORE(put_e8m0_down, true, ROUND_DOWN)
E8M0_STORE(put_e8m0_nearest, true, ROUND_NEAREST)
E8M0_STORE(put_e8m0_up_nan, false, ROUND_UP)
E8M0_STORE(put_e8m0_down_nan, false, ROUND_DOWN)
E8M0_STORE(put_e8m0_nearest_nan, false, ROUND_NEAREST)

/* ---- half bytes, the low one first */

static unsigned get_nibble(const void *data, uint64_t i) {
    return ((const uint8_t *)data)[i / 2] >> (i % 2 * 4) & 15u;
}

static void put_nibble(void *data, uint64_t i, unsigned bits) {
    uint8_t *at = (uint8_t *)data + i / 2;
    *at = (uint8_t)(i % 2 ? (*at & 15u) | (bits & 15u) << 4 : bits & 15u);
}

static number get_u4(const void *data, uint64_t i) {
    return (number){NUMBER_UINT, {.u = get_nibble(data, i)}};
}

static number get_i4(const void *data, uint64_t i) {
    return (number){NUMBER_INT, {.i = (int64_t)(get_nibble(data, i) ^ 8u) - 8}};
}

static void put_int4(void *data, uint64_t i, number value) {
    const uint64_t low = value.kind == NUMBER_FLOAT ? (uint64_t)saturate_i64(value.f) : value.u;
    put_nibble(data, i, low & 15u);
}

static number get_e2m1(const void *data, uint64_t i) {
    return (number){NUMBER_FLOAT, {.f = narrow_decode(&e2m1, get_nibble(data, i))}};
}

static void put_e2m1(void *data, uint64_t i, number value) {
    put_nibble(data, i, narrow_encode(&e2m1, number_double(value), true));
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
    [WLK_F64] = {get_f64, put_f64},
    [WLK_F32] = {get_f32, put_f32},
    [WLK_F16] = {get_f16, put_f16},
    [WLK_BF16] = {get_bf16, put_bf16},
    [WLK_F8E4M3FN] = {get_e4m3fn, put_e4m3fn},
    [WLK_F8E4M3FNUZ] = {get_e4m3fnuz, put_e4m3fnuz},
    [WLK_F8E5M2] = {get_e5m2, put_e5m2},
    [WLK_F8E5M2FNUZ] = {get_e5m2fnuz, put_e5m2fnuz},
    [WLK_F8E8M0] = {get_e8m0, put_e8m0_up},
    [WLK_F4E2M1] = {get_e2m1, put_e2m1},
    [WLK_I64] = {get_i64, put_i64},
    [WLK_I32] = {get_i32, put_i32},
    [WLK_I16] = {get_i16, put_i16},
    [WLK_I8] = {get_i8, put_i8},
    [WLK_I4] = {get_i4, put_int4},
    [WLK_U64] = {get_u64, put_u64},
    [WLK_U32] = {get_u32, put_u32},
    [WLK_U16] = {get_u16, put_u16},
    [WLK_U8] = {get_u8, put_u8},
    [WLK_U4] = {get_u4, put_int4},
    [WLK_BOOL] = {get_u8, put_bool},
};

/* Where a number that is out of range is not saturated. */
static const number_storer overflowing[WLK_DTYPE_COUNT] = {
    [WLK_F8E4M3FN] = put_e4m3fn_overflow,
    [WLK_F8E4M3FNUZ] = put_e4m3fnuz_overflow,
    [WLK_F8E5M2] = put_e5m2_overflow,
    [WLK_F8E5M2FNUZ] = put_e5m2fnuz_overflow,
};

static const number_storer e8m0_storers[2][NUMBER_ROUNDINGS] = {
    {put_e8m0_up_nan, put_e8m0_down_nan, put_e8m0_nearest_nan},
    {put_e8m0_up, put_e8m0_down, put_e8m0_nearest},
};

bool number_is_float(wlk_dtype dtype) {
    return (DTYPES_FLOAT | DTYPES_HALF | DTYPES_SMALL_FLOAT) & DTYPE_BIT(dtype);
}

number_loader number_load(wlk_dtype dtype) {
    return accesses[dtype].load;
}

number_storer number_store(wlk_dtype dtype) {
    return accesses[dtype].store;
}

number_storer number_store_as(wlk_dtype dtype, bool saturate, number_rounding rounding) {
    if (dtype == WLK_F8E8M0) return e8m0_storers[saturate][rounding];
    if (!saturate && overflowing[dtype]) return overflowing[dtype];
    return number_store(dtype);
}

#include "input/element.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "base/checked.h"

number number_of_int(int64_t value) {
    const bool negative = value < 0;
    const uint64_t bits = (uint64_t)value;
    return (number){
        .is_integer = true, .negative = negative, .magnitude = negative ? 0 - bits : bits};
}

number number_of_float(double value) {
    return (number){.value = value};
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/* Moves *at past digits; how many there were. */
static size_t skip_digits(const char **at) {
    const char *start = *at;
    while (is_digit(**at)) (*at)++;
    return (size_t)(*at - start);
}

/* Moves *at past an unsigned decimal number; false if there is none. strtod
 * would take hexadecimal, "nan(...)" and the locale's own decimal point too. */
static bool skip_decimal(const char **at, bool *fraction) {
    size_t digits = skip_digits(at);
    if (**at == '.') {
        (*at)++;
        *fraction = true;
        digits += skip_digits(at);
    }
    if (digits == 0) return false;
    if (**at != 'e' && **at != 'E') return true;
    (*at)++;
    *fraction = true;
    if (**at == '+' || **at == '-') (*at)++;
    return skip_digits(at) > 0;
}

static bool skip_infinity(const char **at) {
    static const char *const words[] = {"infinity", "inf"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const size_t length = strlen(words[i]);
        if (strncasecmp(*at, words[i], length) == 0) {
            *at += length;
            return true;
        }
    }
    return false;
}

/* strtod in the "C" locale, whatever locale the program has set: the command
 * line tool sets none, but a program that links the library may. */
static bool to_double(const char *text, double *value) {
    const locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!plain) return false;
    errno = 0;
    *value = strtod_l(text, NULL, plain);
    const bool overflow = errno == ERANGE && isinf(*value);
    freelocale(plain);
    return !overflow;
}

static bool to_magnitude(const char *digits, uint64_t *magnitude) {
    uint64_t value = 0;
    for (; is_digit(*digits); digits++) {
        if (!checked_mul(value, 10, &value)) return false;
        if (!checked_add(value, (uint64_t)(*digits - '0'), &value)) return false;
    }
    *magnitude = value;
    return true;
}

bool element_parse(const char *text, number *out) {
    bool fraction = false;
    while (is_blank(*text)) text++;
    const char *at = text;
    const bool negative = *at == '-';
    if (*at == '-' || *at == '+') at++;
    const char *digits = at;
    const bool infinite = skip_infinity(&at);
    if (!infinite && !skip_decimal(&at, &fraction)) return false;
    while (is_blank(*at)) at++;
    if (*at != '\0') return false;
    *out = (number){.negative = negative};
    out->is_integer = !infinite && !fraction && to_magnitude(digits, &out->magnitude);
    return out->is_integer || to_double(text, &out->value);
}

/* How a dtype stores a number. */
typedef enum element_form { FORM_NONE = 0, FORM_FLOAT, FORM_SIGNED, FORM_UNSIGNED } element_form;

static element_form form_of(wlk_dtype dtype) {
    switch ((uint32_t)dtype) {
        case WLK_F64:
        case WLK_F32:
        case WLK_F16:
        case WLK_BF16:
            return FORM_FLOAT;
        case WLK_I64:
        case WLK_I32:
        case WLK_I16:
        case WLK_I8:
        case WLK_I4:
            return FORM_SIGNED;
        case WLK_U64:
        case WLK_U32:
        case WLK_U16:
        case WLK_U8:
        case WLK_U4:
        case WLK_BOOL:
            return FORM_UNSIGNED;
        default:
            return FORM_NONE;
    }
}

bool element_is_numeric(wlk_dtype dtype) {
    return form_of(dtype) != FORM_NONE;
}

/* The 16-bit floats of IEEE 754 kind: sign, exponent, fraction. */
typedef struct small_float {
    int fraction_bits;
    int bias;
} small_float;

static small_float small_float_of(wlk_dtype dtype) {
    return dtype == WLK_F16 ? (small_float){10, 15} : (small_float){7, 127};
}

static uint16_t small_float_bits(small_float f, double value) {
    const int infinity = (2 * f.bias + 1) << f.fraction_bits;
    const int sign = signbit(value) ? 0x8000 : 0;
    if (isnan(value)) return (uint16_t)(sign | infinity | 1 << (f.fraction_bits - 1));
    if (isinf(value)) return (uint16_t)(sign | infinity);
    int exponent = 0;
    (void)frexp(value, &exponent); /* value = [0.5, 1) * 2^exponent */
    int scale = exponent - 1;
    if (value == 0 || scale < 1 - f.bias) scale = 1 - f.bias; /* subnormal */
    const double steps = rint(ldexp(fabs(value), f.fraction_bits - scale));
    if (scale > f.bias) return (uint16_t)(sign | infinity);
    /* A carry out of the fraction counts the exponent up, as it should. */
    const int bits = (int)steps + ((scale + f.bias - 1) << f.fraction_bits);
    return (uint16_t)(sign | (bits > infinity ? infinity : bits));
}

static double small_float_value(small_float f, uint16_t bits) {
    const int fraction = bits & ((1 << f.fraction_bits) - 1);
    const int exponent = (bits & 0x7fff) >> f.fraction_bits;
    double value;
    if (exponent == 2 * f.bias + 1) {
        value = fraction ? (double)NAN : (double)INFINITY;
    } else if (exponent == 0) {
        value = ldexp(fraction, 1 - f.bias - f.fraction_bits);
    } else {
        value = ldexp(fraction + (1 << f.fraction_bits), exponent - f.bias - f.fraction_bits);
    }
    return bits & 0x8000 ? -value : value;
}

static double as_double(const number *n) {
    if (!n->is_integer) return n->value;
    return n->negative ? -(double)n->magnitude : (double)n->magnitude;
}

static bool put_float(wlk_dtype dtype, uint8_t *data, uint64_t index, const number *n) {
    const double value = as_double(n);
    if (dtype == WLK_F64) {
        memcpy(data + index * 8, &value, 8);
        return true;
    }
    if (dtype == WLK_F32) {
        const float narrow = (float)value;
        if (isinf(narrow) && !isinf(value)) return false;
        memcpy(data + index * 4, &narrow, 4);
        return true;
    }
    const small_float kind = small_float_of(dtype);
    const uint16_t bits = small_float_bits(kind, value);
    if (isinf(small_float_value(kind, bits)) && !isinf(value)) return false;
    store_u16(data + index * 2, bits);
    return true;
}

/* The largest magnitude that fits, of either sign. */
static uint64_t largest_magnitude(wlk_dtype dtype, element_form form, bool negative) {
    if (dtype == WLK_BOOL) return negative ? 0 : 1;
    const uint32_t bits = wlk_dtype_bits(dtype);
    if (form == FORM_UNSIGNED) return negative ? 0 : UINT64_MAX >> (64 - bits);
    const uint64_t top = 1ull << (bits - 1);
    return negative ? top : top - 1;
}

static bool put_integer(wlk_dtype dtype, uint8_t *data, uint64_t index, const number *n) {
    if (!n->is_integer) return false;
    if (n->magnitude > largest_magnitude(dtype, form_of(dtype), n->negative)) return false;
    const uint64_t bits = n->negative ? 0 - n->magnitude : n->magnitude;
    const uint32_t width = wlk_dtype_bits(dtype);
    if (width == 4) {
        const unsigned shift = index % 2 ? 4 : 0; /* low nibble first */
        const unsigned other = data[index / 2] & (0xf0u >> shift);
        data[index / 2] = (uint8_t)(other | (unsigned)(bits & 0xf) << shift);
    } else {
        memcpy(data + index * (width / 8), &bits, width / 8); /* little-endian */
    }
    return true;
}

bool element_put(wlk_dtype dtype, uint8_t *data, uint64_t index, const number *n) {
    const element_form form = form_of(dtype);
    if (form == FORM_NONE) return false;
    return form == FORM_FLOAT ? put_float(dtype, data, index, n)
                              : put_integer(dtype, data, index, n);
}

static number get_float(wlk_dtype dtype, const uint8_t *data, uint64_t index) {
    if (dtype == WLK_F64) return number_of_float(load_f64(data + index * 8));
    if (dtype == WLK_F32) {
        float narrow;
        memcpy(&narrow, data + index * 4, 4);
        return number_of_float((double)narrow);
    }
    return number_of_float(small_float_value(small_float_of(dtype), load_u16(data + index * 2)));
}

static number get_integer(wlk_dtype dtype, const uint8_t *data, uint64_t index) {
    const uint32_t width = wlk_dtype_bits(dtype);
    uint64_t bits = 0;
    if (width == 4) {
        bits = data[index / 2] >> (index % 2 ? 4 : 0) & 0xf;
    } else {
        memcpy(&bits, data + index * (width / 8), width / 8);
    }
    const bool negative = form_of(dtype) == FORM_SIGNED && bits >> (width - 1);
    const uint64_t mask = UINT64_MAX >> (64 - width);
    return (number){
        .is_integer = true, .negative = negative, .magnitude = negative ? (0 - bits) & mask : bits};
}

number element_get(wlk_dtype dtype, const uint8_t *data, uint64_t index) {
    return form_of(dtype) == FORM_FLOAT ? get_float(dtype, data, index)
                                        : get_integer(dtype, data, index);
}

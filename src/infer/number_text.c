#include "infer/number_text.h"

#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/checked.h"

#define NUMBER_MAX_TEXT 400

/* The C library's object for the locale "C" is a constant: nothing to free. */
static locale_t plain_locale(void) {
    return newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

/* ---- to text */

/* Digits that always read back as the same number: FLT_DECIMAL_DIG and the like. */
static int most_digits(wlk_dtype dtype) {
    if (dtype == WLK_F64) return 17;
    if (dtype == WLK_F32) return 9;
    return dtype == WLK_F16 ? 5 : 4;
}

static bool reads_back(wlk_dtype dtype, const char *text, double value) {
    uint64_t room = 0;
    if (dtype == WLK_F64) return strtod(text, NULL) == value;
    if (dtype == WLK_F32) return strtof(text, NULL) == (float)value;
    number_store(dtype)(&room, 0, (number){NUMBER_FLOAT, {.f = strtod(text, NULL)}});
    return number_load(dtype)(&room, 0).f == value;
}

/* A whole number below 1e16 without an exponent, as numpy has it. */
#define PLAIN_BELOW 1e16

static int print_shortest(wlk_dtype dtype, double value, char text[NUMBER_TEXT_BYTES]) {
    const int most = most_digits(dtype);
    for (int digits = most > 5 ? most - 3 : 1; digits <= most; digits++) {
        const int length = snprintf(text, NUMBER_TEXT_BYTES, "%.*g", digits, value);
        if (!reads_back(dtype, text, value) && digits < most) continue;
        if (fabs(value) >= PLAIN_BELOW || !strstr(text, "e+")) return length;
        return snprintf(text, NUMBER_TEXT_BYTES, "%.0f", value);
    }
    return 0;
}

static uint64_t format_float(wlk_dtype dtype, double value, char text[NUMBER_TEXT_BYTES]) {
    if (isnan(value)) return (uint64_t)snprintf(text, NUMBER_TEXT_BYTES, "NaN");
    if (isinf(value))
        return (uint64_t)snprintf(text, NUMBER_TEXT_BYTES, value < 0 ? "-INF" : "INF");
    const locale_t previous = uselocale(plain_locale());
    const int length = print_shortest(dtype, value, text);
    (void)uselocale(previous);
    return (uint64_t)length;
}

uint64_t number_format(wlk_dtype dtype, number value, char text[NUMBER_TEXT_BYTES]) {
    if (value.kind == NUMBER_FLOAT) return format_float(dtype, value.f, text);
    if (value.kind == NUMBER_INT) {
        return (uint64_t)snprintf(text, NUMBER_TEXT_BYTES, "%" PRId64, value.i);
    }
    return (uint64_t)snprintf(text, NUMBER_TEXT_BYTES, "%" PRIu64, value.u);
}

/* ---- from text */

static const char *skip_digits(const char *at, bool *any) {
    for (; *at >= '0' && *at <= '9'; at++) *any = true;
    return at;
}

static const char *skip_sign(const char *at) {
    return *at == '+' || *at == '-' ? at + 1 : at;
}

/* The grammar alone; *whole says that there is neither point nor exponent. */
static bool is_decimal(const char *text, bool *whole) {
    bool digits = false;
    const char *at = skip_digits(skip_sign(text), &digits);
    *whole = *at == 0;
    if (*at == '.') at = skip_digits(at + 1, &digits);
    if (!digits) return false;
    if (*at == 'e' || *at == 'E') {
        bool exponent = false;
        at = skip_digits(skip_sign(at + 1), &exponent);
        if (!exponent) return false;
    }
    return *at == 0;
}

static bool parse_special(const char *text, number *value) {
    const locale_t plain = plain_locale();
    const bool nan_text = strcasecmp_l(text, "nan", plain) == 0;
    if (!nan_text && strcasecmp_l(skip_sign(text), "inf", plain) != 0) return false;
    const double magnitude = nan_text ? (double)NAN : (double)INFINITY;
    *value = (number){NUMBER_FLOAT, {.f = text[0] == '-' ? -magnitude : magnitude}};
    return true;
}

static bool parse_whole(const char *text, number *value) {
    uint64_t magnitude = 0;
    for (const char *at = skip_sign(text); *at; at++) {
        if (!checked_mul(magnitude, 10, &magnitude) ||
            !checked_add(magnitude, (uint64_t)(*at - '0'), &magnitude)) {
            return false;
        }
    }
    const bool negative = text[0] == '-';
    if (negative && magnitude > (uint64_t)INT64_MAX + 1) return false;
    *value = negative ? (number){NUMBER_INT, {.i = (int64_t)(0 - magnitude)}}
                      : (number){NUMBER_UINT, {.u = magnitude}};
    return true;
}

bool number_parse(wlk_dtype dtype, const char *text, uint64_t length, number *value) {
    char copy[NUMBER_MAX_TEXT + 1];
    if (length > NUMBER_MAX_TEXT || memchr(text, 0, length)) return false;
    memcpy(copy, text, length);
    copy[length] = 0;
    bool whole = false;
    if (parse_special(copy, value)) return true;
    if (!is_decimal(copy, &whole)) return false;
    const bool is_float = number_is_float(dtype);
    if (whole && !is_float && parse_whole(copy, value)) return true;
    const locale_t previous = uselocale(plain_locale());
    const double read = dtype == WLK_F32 ? (double)strtof(copy, NULL) : strtod(copy, NULL);
    (void)uselocale(previous);
    *value = (number){NUMBER_FLOAT, {.f = read}};
    return true;
}

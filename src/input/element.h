/* One number as text, as a value, and as an element of a tensor. */
#ifndef WLK_INPUT_ELEMENT_H
#define WLK_INPUT_ELEMENT_H

#include <stdbool.h>

#include <weighlock/model.h>

/* An integer keeps its sign apart, so that all of i64 and u64 fit. */
typedef struct number {
    bool is_integer;
    bool negative;      /* integers */
    uint64_t magnitude; /* integers */
    double value;       /* floats */
} number;

number number_of_int(int64_t value);
number number_of_float(double value);

/* A decimal number without anything around it but blanks: "-12", "+.5", "1e-3",
 * "inf", "Infinity"; no hexadecimal, no "nan" (which is for the caller to read
 * as missing), no thousands separators. The decimal point is '.' in every
 * locale. False if text is something else, or beyond the range of a double.
 * "12" is an integer if it fits in 64 bits; "12.0" is a float. */
bool element_parse(const char *text, number *out);

/* Can elements of this dtype be made from numbers by element_put (f64 f32 f16
 * bf16, integers of 4 to 64 bits, bool)? */
bool element_is_numeric(wlk_dtype dtype);

/* Stores n as element `index` of data, which holds zeros where nothing has been
 * put (4-bit types share bytes). Floats are rounded to nearest, ties to even.
 * False, and data untouched, if the number does not fit: a fraction for an
 * integer type, out of range, a finite number that would become infinite. */
bool element_put(wlk_dtype dtype, uint8_t *data, uint64_t index, const number *n);

/* The inverse, for the dtypes of element_is_numeric. */
number element_get(wlk_dtype dtype, const uint8_t *data, uint64_t index);

#endif

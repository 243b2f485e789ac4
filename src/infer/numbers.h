/* Elements of any numeric dtype as numbers, and numbers as elements: what Cast
 * and comparisons need. The rules are those of ONNX's Cast; where it leaves a
 * result open, it is defined here:
 *  - float to integer: truncated, out of range saturates, NaN is 0;
 *  - integer to narrower integer: the low bits;
 *  - float to i4 or u4: truncated, then the low bits, as the standard's tests have it;
 *  - anything to bool: 0 is false, all else (NaN too) true;
 *  - to f16 and bf16: rounded to nearest even, overflow is infinite;
 *  - to 8-bit floats: the same, but overflow (infinity too) becomes the largest finite
 *    number, or, where the caller asks, what the standard's table has: infinite in
 *    f8e5m2, NaN in the others;
 *  - to f4e2m1: overflow becomes the largest number, NaN -0: there is no other;
 *  - to f8e8m0, which has neither sign nor 0: the magnitude, 0 the smallest. */
#ifndef WLK_INFER_NUMBERS_H
#define WLK_INFER_NUMBERS_H

#include <stdbool.h>

#include <weighlock/model.h>

typedef enum number_kind { NUMBER_FLOAT, NUMBER_INT, NUMBER_UINT } number_kind;

typedef struct number {
    number_kind kind;
    union {
        double f;
        int64_t i;
        uint64_t u;
    };
} number;

/* The dtypes that numbers have, as DTYPE_BITs; bool among them. */
extern const uint32_t number_dtypes;

/* Element `i` of an array; the address is aligned as the dtype needs. Of dtypes below
 * a byte elements are stored in ascending order: the even ones clear their neighbour. */
typedef number (*number_loader)(const void *data, uint64_t i);
typedef void (*number_storer)(void *data, uint64_t i, number value);
number_loader number_load(wlk_dtype dtype);
number_storer number_store(wlk_dtype dtype);

/* How numbers that an 8-bit float cannot hold are stored: `saturate` and `round_mode` of
 * ONNX's Cast. Only f8e8m0 knows another rounding than to nearest even. */
typedef enum number_rounding {
    ROUND_UP,
    ROUND_DOWN,
    ROUND_NEAREST,
    NUMBER_ROUNDINGS
} number_rounding;
number_storer number_store_as(wlk_dtype dtype, bool saturate, number_rounding rounding);

double number_double(number value);

bool number_is_float(wlk_dtype dtype);

/* double to int64_t: truncated, saturated, 0 for NaN. */
int64_t saturate_i64(double value);

#endif

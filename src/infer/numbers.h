/* Elements of any numeric dtype as numbers, and numbers as elements: what Cast
 * and comparisons need. The rules are those of ONNX's Cast; where it leaves a
 * result open, it is defined here:
 *  - float to integer: truncated, out of range saturates, NaN is 0;
 *  - integer to narrower integer: the low bits;
 *  - anything to bool: 0 is false, all else (NaN too) true;
 *  - to a narrower float: rounded to nearest even, overflow is infinite. */
#ifndef WLK_INFER_NUMBERS_H
#define WLK_INFER_NUMBERS_H

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

/* Element `i` of an array; the address is aligned as the dtype needs. */
typedef number (*number_loader)(const void *data, uint64_t i);
typedef void (*number_storer)(void *data, uint64_t i, number value);
number_loader number_load(wlk_dtype dtype);
number_storer number_store(wlk_dtype dtype);

/* double to int64_t: truncated, saturated, 0 for NaN. */
int64_t saturate_i64(double value);

#endif

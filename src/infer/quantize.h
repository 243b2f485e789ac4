/* Scales and zero points: which one an element of a tensor goes by. Per tensor, per
 * axis, or for each block of elements along an axis. */
#ifndef WLK_INFER_QUANTIZE_H
#define WLK_INFER_QUANTIZE_H

#include "infer/op.h"

/* What quantised numbers are stored as, by the opset version that added to it. */
#define DTYPES_BYTE (DTYPE_BIT(WLK_I8) | DTYPE_BIT(WLK_U8))
#define DTYPES_F8                                                                  \
    (DTYPE_BIT(WLK_F8E4M3FN) | DTYPE_BIT(WLK_F8E4M3FNUZ) | DTYPE_BIT(WLK_F8E5M2) | \
     DTYPE_BIT(WLK_F8E5M2FNUZ))
#define DTYPES_QUANTIZED_21                                                                  \
    (DTYPES_BYTE | DTYPES_F8 | DTYPE_BIT(WLK_I16) | DTYPE_BIT(WLK_U16) | DTYPE_BIT(WLK_I4) | \
     DTYPE_BIT(WLK_U4))
#define DTYPES_QUANTIZED_23 (DTYPES_QUANTIZED_21 | DTYPE_BIT(WLK_F4E2M1))

/* Element [o, d, j] of [outer, length, inner] goes by scale number
 * [o, d / block, j] of [outer, groups, inner]; steps are 0 where all share one. */
typedef struct quantize_grid {
    uint64_t length;
    uint64_t inner;
    uint64_t block;
    uint64_t outer_step;
    uint64_t group_step;
    uint64_t inner_step;
} quantize_grid;

/* Input 1, the scales, over input 0; input 2, the zero points, has the shape of input 1
 * if it is given. Only checked as far as shapes are known; *grid is for a run. */
wlk_status quantize_check(const op_call *call, int64_t axis, int64_t block_size,
                          quantize_grid *grid);

/* For the shape rule: room for the scales and the zero points as doubles. */
wlk_status quantize_need(op_call *call);

/* They, read into the scratch; zero points are 0 where there are none. */
typedef struct quantize_scales {
    const double *scales;
    const double *zeros;
} quantize_scales;
quantize_scales quantize_read(const op_call *call);

/* Where an element is in the grid; its scale's number is `at`. */
typedef struct quantize_place {
    uint64_t row; /* of outer */
    uint64_t d;
    uint64_t j;
    uint64_t group; /* d / block */
    uint64_t in_block;
    uint64_t at;
} quantize_place;
void quantize_next(const quantize_grid *grid, quantize_place *place);

/* The lowest and highest number of an integer dtype. */
typedef struct quantize_range {
    double low;
    double high;
} quantize_range;
quantize_range quantize_range_of(wlk_dtype dtype);

/* Rounded to nearest even, moved by the zero point, within the range; NaN is the zero
 * point. */
double quantize_round(double value, double zero, quantize_range range);

#endif

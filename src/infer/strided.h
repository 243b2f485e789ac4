/* Numbers gathered from any strided order, summed over some axes on the way: what Einsum
 * does before and after its products. */
#ifndef WLK_INFER_STRIDED_H
#define WLK_INFER_STRIDED_H

#include "infer/tensor.h"

#define STRIDED_AXES 64

/* Axes, outermost first; steps count elements. */
typedef struct strided {
    uint32_t rank;
    uint64_t dims[STRIDED_AXES];
    uint64_t steps[STRIDED_AXES];
} strided;

/* Adds an axis inside of the others; one of 1 is no axis. */
void strided_add(strided *axes, uint64_t dim, uint64_t step);

/* The product of the dims of what lies in a tensor's elements: it cannot overflow. */
uint64_t strided_count(const strided *axes);

/* Do the axes go through memory without a jump? */
bool strided_is_packed(const strided *axes);

/* to[i] = the sum of from over `sums`, for the i-th place of `order`; f32 or f64. */
void strided_gather(wlk_dtype dtype, void *to, const void *from, const strided *order,
                    const strided *sums);

/* An odometer over axes. */
typedef struct strided_place {
    uint64_t at;
    uint64_t index[STRIDED_AXES];
} strided_place;
void strided_next(const strided *axes, strided_place *place);

#endif

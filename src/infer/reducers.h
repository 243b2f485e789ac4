/* What the Reduce operators do with elements of each dtype: how a result begins, how
 * elements are added to it, and what is made of it in the end. */
#ifndef WLK_INFER_REDUCERS_H
#define WLK_INFER_REDUCERS_H

#include "infer/tensor.h"

typedef enum reduction {
    REDUCE_SUM,
    REDUCE_MEAN,
    REDUCE_MAX,
    REDUCE_MIN,
    REDUCE_PROD,
    REDUCE_SUM_SQUARE,
    REDUCE_L1,
    REDUCE_L2,
    REDUCE_LOG_SUM,
    REDUCE_LOG_SUM_EXP,
    REDUCTIONS
} reduction;

/* States are at most 8 bytes each. `peak`: for log-sum-exp the largest of the elements
 * that make each result, as double; others do not look at it. */
typedef struct reducer {
    void (*begin)(void *states, uint64_t count);
    /* All of in[0..count) goes into the one state. */
    void (*row)(void *state, const void *in, uint64_t count, const double *peak);
    /* in[j] goes into states[j]. */
    void (*columns)(void *states, const void *in, uint64_t count, const double *peaks);
    /* out[j] from states[j], which `reduced` elements went into. */
    void (*finish)(const void *states, void *out, uint64_t count, uint64_t reduced,
                   const double *peaks);
} reducer;

/* NULL if the reduction has no kernel for this dtype. */
const reducer *reducer_of(reduction kind, wlk_dtype dtype);

/* The largest element as a double, for log-sum-exp: its finish writes doubles. */
const reducer *reducer_of_peaks(wlk_dtype dtype);

#endif

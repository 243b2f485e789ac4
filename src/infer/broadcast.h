/* Walks two broadcast operands in the order of the result, in the longest runs
 * that have one step for each operand. Steps and positions count elements, or
 * whatever else the caller puts there (whole matrices, for MatMul). */
#ifndef WLK_INFER_BROADCAST_H
#define WLK_INFER_BROADCAST_H

#include "infer/tensor.h"

/* One run: result [out, out + length) comes from a[at[0] + i * step[0]] and
 * b[at[1] + i * step[1]]; a step is 1, or 0 where the operand is stretched. */
typedef struct broadcast_walk {
    bool done;
    uint64_t out;
    uint64_t length;
    uint64_t at[2];
    uint64_t step[2];
    /* The axes around the run, outermost first. */
    uint32_t rank;
    uint64_t dims[WLK_MAX_RANK];
    uint64_t steps[2][WLK_MAX_RANK];
    uint64_t index[WLK_MAX_RANK];
} broadcast_walk;

/* A known shape. */
typedef struct broadcast_shape {
    const int64_t *dims;
    uint32_t rank;
} broadcast_shape;

/* The walk at its first run; done at once if the result is empty. `out` is what
 * dims_broadcast made of a and b, or what they stretch to. */
broadcast_walk broadcast_start(broadcast_shape out, broadcast_shape a, broadcast_shape b);
void broadcast_next(broadcast_walk *walk);

/* How many runs there are, and the walk at run number `run`. */
uint64_t broadcast_runs(const broadcast_walk *walk);
void broadcast_seek(broadcast_walk *walk, uint64_t run);

broadcast_shape broadcast_of(const op_tensor *tensor);

#endif

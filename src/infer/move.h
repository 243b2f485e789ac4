/* Moves units (units.h) from one strided place to another: transposing, slicing,
 * stretching and tiling are all this one loop over axes. */
#ifndef WLK_INFER_MOVE_H
#define WLK_INFER_MOVE_H

#include "infer/op.h"

/* Twice the rank: some operators split every axis in two. */
#define MOVE_AXES (2 * WLK_MAX_RANK)

/* An axis to walk along. Steps count units; they may be 0 (`from`) or negative. */
typedef struct move_axis {
    uint64_t count;
    int64_t to;
    int64_t from;
} move_axis;

typedef struct move {
    bool empty;
    uint32_t rank;
    move_axis axes[MOVE_AXES];
} move;

/* Adds an axis inside of those that were added before; merges it with the latest where
 * both sides go on without a jump. `m` begins as {0}; at most MOVE_AXES axes of more
 * than one step. The products of counts and steps lie within the tensors. */
void move_add(move *m, uint64_t count, int64_t to, int64_t from);

/* Moves units of `size` bytes: `to` and `from` are where the walk begins. The two do
 * not overlap, and no unit of `to` is written twice. */
void move_run(const op_call *call, const move *m, uint64_t size, char *to, const char *from);

/* The step along axis `axis` of a shape, in elements: the product of the dims behind
 * it. In a run. */
int64_t move_step(const op_tensor *tensor, uint32_t axis);

#endif

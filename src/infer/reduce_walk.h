/* How to go through a tensor that is reduced over any set of axes. Neighbouring axes
 * of one kind, kept or reduced, are one axis; the innermost is the run, which lies
 * side by side in memory. Either it is reduced: many elements make one of the result;
 * or it is kept: it is a row of results, to which rows of the input are added. */
#ifndef WLK_INFER_REDUCE_WALK_H
#define WLK_INFER_REDUCE_WALK_H

#include "infer/tensor.h"

/* Axes around the run, outermost first, with their steps in elements of the input. */
typedef struct walk_axes {
    uint32_t rank;
    uint64_t dims[WLK_MAX_RANK];
    uint64_t steps[WLK_MAX_RANK];
    uint64_t count; /* product of dims */
} walk_axes;

typedef struct reduce_walk {
    walk_axes kept;
    walk_axes reduced;
    bool run_kept;
    uint64_t length;  /* of the run */
    uint64_t reduces; /* elements that make one of the result */
} reduce_walk;

/* Of a known tensor that has elements; bit a of mask: axis a is reduced. */
reduce_walk reduce_walk_of(const op_tensor *in, uint32_t mask);

/* A place among axes: where it is in the input, and the index that says so. */
typedef struct walk_place {
    uint64_t at;
    uint64_t index[WLK_MAX_RANK];
} walk_place;

walk_place walk_start(const walk_axes *axes, uint64_t number);
void walk_next(const walk_axes *axes, walk_place *place);

#endif

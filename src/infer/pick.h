/* Moves units (units.h) that a table for each axis picks: the element of the output
 * at [i, j, ...] is the one of the input at tables[0][i] + tables[1][j] + ... */
#ifndef WLK_INFER_PICK_H
#define WLK_INFER_PICK_H

#include "infer/op.h"

/* In a table: no element, the unit `outside` instead. */
#define PICK_OUTSIDE INT64_MIN

/* Of one axis of the output: so many elements, and for each its position in the input
 * times the input's step along this axis. */
typedef struct pick_axis {
    uint64_t count;
    const int64_t *from;
} pick_axis;

typedef struct pick {
    uint32_t rank;
    pick_axis axes[WLK_MAX_RANK];
    uint64_t block;      /* units that follow each other on both sides: all inner axes */
    uint64_t size;       /* bytes of a unit */
    const char *outside; /* a unit */
    char *to;
    const char *from;
} pick;

/* The output has no axis of 0 elements. */
void pick_run(const op_call *call, const pick *p);

#endif

/* Tensors cut into pieces along an axis, and joined: what Scan, Loop and the operators on
 * sequences do. Elements of every dtype, packed ones and text included. */
#ifndef WLK_INFER_PIECES_H
#define WLK_INFER_PIECES_H

#include "infer/run.h"

/* A new tensor of positions [start, start + length) of an axis; the axis goes where
 * `drops` (length is then 1). The work is counted first. */
typedef struct piece_cut {
    uint32_t axis;
    uint64_t start;
    uint64_t length;
    bool drops;
} piece_cut;
wlk_status pieces_cut(run *r, const op_tensor *from, const piece_cut *cut, held *out);

/* A new tensor of `count` items side by side: along an axis that they have, or a new one.
 * All have one dtype; other dims must agree: run.shape if not (at least one item). */
typedef struct piece_join {
    const op_tensor *items;
    uint64_t count;
    uint32_t axis;
    bool is_new;
    bool reverse; /* the last item comes first */
} piece_join;
wlk_status pieces_join(run *r, const op_call *call, const piece_join *join, held *out);

/* Tensors that come one after the other, and are joined when there are no more. */
typedef struct growing {
    run_buffer *list; /* has room for more than there are */
    uint64_t count;
} growing;

/* Room for so many, all empty; a buffer of the run's. */
wlk_status growing_room(run *r, uint64_t count, run_buffer **room, growing **out);
/* Takes over the share of an item. */
wlk_status growing_add(run *r, growing *g, held *item);
/* All items along a new axis, which the list then gives up. item: their planned type, of
 * which there is nothing where there were no rounds. */
typedef struct growing_join {
    const op_tensor *item;
    uint32_t axis;
    bool reverse;
} growing_join;
wlk_status growing_finish(run *r, const op_call *call, growing *g, const growing_join *how,
                          held *out);

#endif

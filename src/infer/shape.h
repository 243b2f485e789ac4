/* Shape arithmetic with dims that may be unknown. Unknown fits everything while
 * planning; when a run is bound no dim is unknown, and the same rules decide. */
#ifndef WLK_INFER_SHAPE_H
#define WLK_INFER_SHAPE_H

#include "infer/op.h"

/* Can both be the same dim? */
bool dim_agrees(int64_t a, int64_t b);

/* The one that is known, if either is. */
int64_t dim_known(int64_t a, int64_t b);

/* The product of dims[from..to), WLK_UNKNOWN_DIM if one is unknown or the
 * product does not fit. */
int64_t dim_product(const int64_t *dims, uint32_t from, uint32_t to);

/* numpy's broadcasting: aligned at the last axis, 1 stretches. out has room for
 * WLK_MAX_RANK dims and gets the larger rank. False if the shapes do not fit. */
bool dims_broadcast(const int64_t *a, uint32_t rank_a, const int64_t *b, uint32_t rank_b,
                    int64_t *out);

/* Does `from` stretch to exactly dims[0..rank)? (ONNX's unidirectional
 * broadcasting.) */
bool dims_stretch(const op_tensor *from, const int64_t *dims, uint32_t rank);

/* Is input i's rank within low..high, or unknown? op_shape_rule if not. */
wlk_status shape_need_rank(const op_call *call, uint32_t i, uint32_t low, uint32_t high);

/* *out = an axis attribute as an axis of a tensor of that rank: -1 is the last
 * where `negative` allows it. plan.attribute-value if out of range. */
wlk_status shape_axis(const op_call *call, int64_t axis, uint32_t rank, bool negative,
                      uint32_t *out);

/* Fails with both inputs' types in the message. */
wlk_status shape_mismatch(const op_call *call, uint32_t a, uint32_t b);

#endif

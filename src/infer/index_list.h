/* Indices that a kernel reads: hostile numbers, of i64 or i32. */
#ifndef WLK_INFER_INDEX_LIST_H
#define WLK_INFER_INDEX_LIST_H

#include "infer/op.h"

#define DTYPES_INDEX (DTYPE_BIT(WLK_I64) | DTYPE_BIT(WLK_I32))

/* Is each index of the tensor within [-dim, dim)? run.index with the first that is not. */
wlk_status indices_check(const op_call *call, const op_tensor *indices, int64_t dim);

/* Index i of a tensor that was checked, made non-negative. */
static inline int64_t index_at(const op_tensor *indices, uint64_t i, int64_t dim) {
    const int64_t at = op_int(indices, i);
    return at < 0 ? at + dim : at;
}

/* The refusal: index number `i` is `index`, for a dimension of `dim`. */
wlk_status index_fail(const op_call *call, uint64_t i, int64_t index, int64_t dim);

#endif

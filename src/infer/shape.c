#include "infer/shape.h"

#include <inttypes.h>

#include "base/checked.h"

bool dim_agrees(int64_t a, int64_t b) {
    return a == b || a == WLK_UNKNOWN_DIM || b == WLK_UNKNOWN_DIM;
}

int64_t dim_known(int64_t a, int64_t b) {
    return a == WLK_UNKNOWN_DIM ? b : a;
}

int64_t dim_product(const int64_t *dims, uint32_t from, uint32_t to) {
    uint64_t product = 1;
    for (uint32_t i = from; i < to; i++) {
        if (dims[i] == WLK_UNKNOWN_DIM) return WLK_UNKNOWN_DIM;
        if (!checked_mul(product, (uint64_t)dims[i], &product)) return WLK_UNKNOWN_DIM;
    }
    return product > INT64_MAX ? WLK_UNKNOWN_DIM : (int64_t)product;
}

static bool dim_broadcast(int64_t a, int64_t b, int64_t *out) {
    *out = a == 1 ? b : b == 1 ? a : dim_known(a, b);
    return a == 1 || b == 1 || dim_agrees(a, b);
}

/* Axis `axis` of a shape that is aligned at the right of `rank` axes. */
static int64_t aligned_dim(const int64_t *dims, uint32_t own_rank, uint32_t rank, uint32_t axis) {
    const uint32_t missing = rank - own_rank;
    return axis < missing ? 1 : dims[axis - missing];
}

bool dims_broadcast(const int64_t *a, uint32_t rank_a, const int64_t *b, uint32_t rank_b,
                    int64_t *out) {
    const uint32_t rank = rank_a > rank_b ? rank_a : rank_b;
    for (uint32_t i = 0; i < rank; i++) {
        const int64_t left = aligned_dim(a, rank_a, rank, i);
        const int64_t right = aligned_dim(b, rank_b, rank, i);
        if (!dim_broadcast(left, right, &out[i])) return false;
    }
    return true;
}

bool dims_stretch(const op_tensor *from, const int64_t *dims, uint32_t rank) {
    if (from->rank == WLK_NONE) return true;
    if (from->rank > rank) return false;
    for (uint32_t i = 0; i < rank; i++) {
        const int64_t dim = aligned_dim(from->dims, from->rank, rank, i);
        if (dim != 1 && !dim_agrees(dim, dims[i])) return false;
    }
    return true;
}

wlk_status shape_need_rank(const op_call *call, uint32_t i, uint32_t low, uint32_t high) {
    const op_tensor *in = op_input(call, i);
    if (in->rank == WLK_NONE || (in->rank >= low && in->rank <= high)) return WLK_OK;
    char text[TENSOR_TEXT_BYTES];
    return op_fail(call, op_shape_rule(call), "input %u is %s, must have %u to %u dimensions", i,
                   tensor_text(in, text), low, high);
}

wlk_status shape_axis(const op_call *call, int64_t axis, uint32_t rank, bool negative,
                      uint32_t *out) {
    const int64_t low = negative ? -(int64_t)rank : 0;
    if (axis < low || axis >= (int64_t)rank) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "axis %" PRId64 " of %u dimensions", axis,
                       rank);
    }
    *out = (uint32_t)(axis < 0 ? axis + (int64_t)rank : axis);
    return WLK_OK;
}

wlk_status shape_mismatch(const op_call *call, uint32_t a, uint32_t b) {
    char left[TENSOR_TEXT_BYTES];
    char right[TENSOR_TEXT_BYTES];
    return op_fail(call, op_shape_rule(call), "inputs %u and %u are %s and %s", a, b,
                   tensor_text(op_input(call, a), left), tensor_text(op_input(call, b), right));
}

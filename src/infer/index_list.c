#include "infer/index_list.h"

#include <inttypes.h>

wlk_status index_fail(const op_call *call, uint64_t i, int64_t index, int64_t dim) {
    return op_fail(call, RULE_RUN_INDEX, "index number %" PRIu64 " is %" PRId64 ", of %" PRId64, i,
                   index, dim);
}

/* In pieces whose verdict is one flag: the loop over a piece is free of branches. */
#define FIRST_OUTSIDE(suffix, type)                                                             \
    static uint64_t outside_##suffix(const void *data, uint64_t count, int64_t dim) {           \
        const type *index = data;                                                               \
        for (uint64_t from = 0; from < count; from += 1024) {                                   \
            const uint64_t to = count - from < 1024 ? count : from + 1024;                      \
            bool outside = false;                                                               \
            for (uint64_t i = from; i < to; i++) outside |= index[i] < -dim || index[i] >= dim; \
            for (uint64_t i = from; outside && i < to; i++) {                                   \
                if (index[i] < -dim || index[i] >= dim) return i;                               \
            }                                                                                   \
        }                                                                                       \
        return count;                                                                           \
    }

FIRST_OUTSIDE(i64, int64_t)
FIRST_OUTSIDE(i32, int32_t)

wlk_status indices_check(const op_call *call, const op_tensor *indices, int64_t dim) {
    const uint64_t first = indices->dtype == WLK_I64
                               ? outside_i64(indices->data, indices->count, dim)
                               : outside_i32(indices->data, indices->count, dim);
    if (first == indices->count) return WLK_OK;
    return index_fail(call, first, op_int(indices, first), dim);
}

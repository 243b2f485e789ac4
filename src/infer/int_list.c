#include "infer/int_list.h"

#include <inttypes.h>

#include "infer/numbers.h"
#include "infer/shape.h"

int_list ints_of_attribute(const op_call *call, uint32_t i) {
    const attribute_value value = op_attribute(call, i);
    return (int_list){.given = value.given,
                      .known = true,
                      .attribute = true,
                      .count = value.count,
                      .ints = value.ints};
}

wlk_status ints_of_input(const op_call *call, uint32_t i, int_list *out) {
    const op_tensor *in = op_input(call, i);
    *out = (int_list){.given = in != NULL, .known = in == NULL || op_is_known(call, i)};
    if (!in) return WLK_OK;
    TRY(shape_need_rank(call, i, 0, 1));
    const bool sized = tensor_is_known(in);
    out->tensor = in;
    out->count = !sized ? UINT64_MAX : in->rank == 0 ? 1 : (uint64_t)in->dims[0];
    return WLK_OK;
}

int64_t int_at(const int_list *list, uint64_t i) {
    if (list->ints) return list->ints[i];
    const number value = number_load(list->tensor->dtype)(list->tensor->data, i);
    return value.kind == NUMBER_FLOAT ? saturate_i64(value.f) : value.i;
}

wlk_status ints_fail(const op_call *call, const int_list *list, const char *what, int64_t value) {
    return op_fail(call, list->attribute ? RULE_PLAN_ATTRIBUTE_VALUE : op_value_rule(call),
                   "%s (%" PRId64 ")", what, value);
}

wlk_status ints_need_count(const op_call *call, const int_list *list, const char *what,
                           uint64_t count) {
    if (!list->given || list->count == UINT64_MAX || list->count == count) return WLK_OK;
    return op_fail(call, list->attribute ? RULE_PLAN_ATTRIBUTE_VALUE : op_shape_rule(call),
                   "%s: %" PRIu64 " given, must be %" PRIu64, what, list->count, count);
}

static wlk_status axis_read(const op_call *call, const int_list *list, uint64_t i, uint32_t rank,
                            bool negative, uint32_t *out) {
    const int64_t axis = int_at(list, i);
    const int64_t low = negative ? -(int64_t)rank : 0;
    if (axis < low || axis >= (int64_t)rank) {
        return ints_fail(call, list, "an axis is out of range", axis);
    }
    *out = (uint32_t)(axis < 0 ? axis + (int64_t)rank : axis);
    return WLK_OK;
}

wlk_status axes_read(const op_call *call, const int_list *list, uint32_t rank, bool negative,
                     axis_list *out) {
    *out = (axis_list){.count = rank};
    for (uint32_t i = 0; i < rank; i++) out->axes[i] = i;
    if (!list->given) return WLK_OK;
    if (list->count > rank) {
        return ints_fail(call, list, "more axes than dimensions", (int64_t)list->count);
    }
    out->count = (uint32_t)list->count;
    uint32_t seen = 0;
    for (uint32_t i = 0; i < out->count; i++) {
        TRY(axis_read(call, list, i, rank, negative, &out->axes[i]));
        if (seen >> out->axes[i] & 1) {
            return ints_fail(call, list, "an axis is named twice", int_at(list, i));
        }
        seen |= 1u << out->axes[i];
    }
    return WLK_OK;
}

void set_unknown_dims(const op_call *call, uint32_t output, wlk_dtype dtype, uint32_t rank) {
    int64_t dims[WLK_MAX_RANK];
    for (uint32_t i = 0; i < WLK_MAX_RANK; i++) dims[i] = WLK_UNKNOWN_DIM;
    op_set_output(call, output, dtype, rank, dims);
}

wlk_status need_known_dim(const op_call *call, int64_t dim) {
    if (dim != WLK_UNKNOWN_DIM || !call->binding) return WLK_OK;
    return op_fail(call, op_shape_rule(call), "a dimension would be too large");
}

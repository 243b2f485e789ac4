#include "infer/axes.h"

#include <inttypes.h>

/* As many axes as there can be without one twice: more need not be looked at. */
static wlk_status add_axis(const op_call *call, wlk_rule rule, int64_t axis, uint32_t rank,
                           uint32_t *mask) {
    if (axis < -(int64_t)rank || axis >= (int64_t)rank) {
        return op_fail(call, rule, "axis %" PRId64 " of %u dimensions", axis, rank);
    }
    const uint32_t bit = 1u << (uint32_t)(axis < 0 ? axis + (int64_t)rank : axis);
    if (*mask & bit) return op_fail(call, rule, "axis %" PRId64 " twice", axis);
    *mask |= bit;
    return WLK_OK;
}

wlk_status axes_of_attribute(const op_call *call, uint32_t attribute, uint32_t rank,
                             uint32_t *mask) {
    const attribute_value list = op_attribute(call, attribute);
    *mask = 0;
    for (uint32_t i = 0; i < list.count; i++) {
        TRY(add_axis(call, RULE_PLAN_ATTRIBUTE_VALUE, list.ints[i], rank, mask));
    }
    return WLK_OK;
}

wlk_status axes_of_input(const op_call *call, uint32_t i, uint32_t rank, uint32_t *mask) {
    const op_tensor *list = op_input(call, i);
    *mask = 0;
    for (uint64_t k = 0; k < list->count; k++) {
        TRY(add_axis(call, op_value_rule(call), op_int(list, k), rank, mask));
    }
    return WLK_OK;
}

wlk_status axis_of_input(const op_call *call, uint32_t i, uint32_t rank, uint32_t *axis) {
    const op_tensor *list = op_input(call, i);
    uint32_t mask = 0;
    if (list->count != 1) {
        return op_fail(call, op_shape_rule(call), "input %u must hold one axis", i);
    }
    TRY(add_axis(call, op_value_rule(call), op_int(list, 0), rank, &mask));
    *axis = 0;
    while (mask >>= 1) (*axis)++;
    return WLK_OK;
}

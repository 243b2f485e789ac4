/* Optional, OptionalHasElement, OptionalGetElement. */
#include <string.h>

#include "infer/ops.h"
#include "infer/subgraph.h"
#include "infer/units.h"

/* ---- Optional */

enum { OPTIONAL_TYPE };

/* The type in the attribute, of which there is nothing. */
static wlk_status nothing_infer(op_call *call) {
    op_tensor type;
    const attribute_value attribute = op_attribute(call, OPTIONAL_TYPE);
    if (!attribute.given) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE, "there is neither an input nor a type");
    }
    if (!planner_type_of(call->model, (uint32_t)attribute.i, &type) ||
        (type.kind != VALUE_TENSOR && type.kind != VALUE_SEQUENCE)) {
        return op_fail(call, RULE_PLAN_TYPE, "its type");
    }
    op_set_output(call, 0, type.dtype, WLK_NONE, NULL);
    op_set_kind(call, 0, type.kind == VALUE_TENSOR ? VALUE_OPTIONAL : VALUE_OPTIONAL_SEQUENCE,
                WLK_DTYPE_NONE);
    return WLK_OK;
}

static wlk_status optional_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    if (!in) return nothing_infer(call);
    op_set_output(call, 0, in->dtype, WLK_NONE, NULL);
    op_set_kind(call, 0, in->kind == VALUE_TENSOR ? VALUE_OPTIONAL : VALUE_OPTIONAL_SEQUENCE,
                WLK_DTYPE_NONE);
    return WLK_OK;
}

static wlk_status optional_run(run *r, const op_call *call) {
    const op_tensor *planned = op_output(call, 0);
    const value_kind kind = planned->kind;
    held value = {.owner = NULL};
    if (op_input(call, 0)) {
        TRY(frame_take(r, call->node->edges[0], &value));
        TRY(held_as(r, &value, kind));
    } else {
        run_buffer *list = NULL;
        TRY(items_take(r, 0, &list));
        value = held_list(kind, planned->dtype, list);
        value.tensor.present = false;
    }
    frame_give_output(r, call, 0, &value);
    return WLK_OK;
}

/* ---- OptionalHasElement, OptionalGetElement */

static bool has_element(const op_tensor *in) {
    if (!in) return false;
    if (in->kind == VALUE_OPTIONAL) return in->item_count > 0;
    return in->kind != VALUE_OPTIONAL_SEQUENCE || in->present;
}

static wlk_status has_infer(op_call *call) {
    op_set_output(call, 0, WLK_BOOL, 0, NULL);
    return WLK_OK;
}

static wlk_status has_run(run *r, const op_call *call) {
    held out = {.owner = NULL};
    TRY(held_new(r, WLK_BOOL, 0, NULL, 0, &out));
    *(uint8_t *)out.tensor.target = has_element(op_input(call, 0));
    frame_give_output(r, call, 0, &out);
    return WLK_OK;
}

static bool holds_tensor(const op_tensor *in) {
    return in->kind == VALUE_TENSOR || in->kind == VALUE_OPTIONAL;
}

static wlk_status get_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    op_set_output(call, 0, in->dtype, holds_tensor(in) ? in->rank : WLK_NONE, in->dims);
    op_set_kind(call, 0, holds_tensor(in) ? VALUE_TENSOR : VALUE_SEQUENCE, WLK_DTYPE_NONE);
    return WLK_OK;
}

static wlk_status get_run(run *r, const op_call *call) {
    const op_tensor *in = op_input(call, 0);
    const value_kind kind = holds_tensor(in) ? VALUE_TENSOR : VALUE_SEQUENCE;
    held value = {.owner = NULL};
    if (!has_element(in)) return op_fail(call, RULE_RUN_VALUE, "the optional holds nothing");
    TRY(frame_take(r, call->node->edges[0], &value));
    TRY(held_as(r, &value, kind));
    frame_give_output(r, call, 0, &value);
    return WLK_OK;
}

/* ---- rows */

#define PLAIN (VALUE_BIT(VALUE_TENSOR) | VALUE_BIT(VALUE_SEQUENCE))
#define WRAPPED (VALUE_BIT(VALUE_OPTIONAL) | VALUE_BIT(VALUE_OPTIONAL_SEQUENCE))

static const op_port ports_15[] = {{"input", DTYPES_MOVED_1, 0}};
static const op_port ports_28[] = {{"input", DTYPES_MOVED_24, 0}};
static const uint32_t plain_kinds[] = {PLAIN};
static const uint32_t wrapped_kinds[] = {WRAPPED};
static const uint32_t any_kinds[] = {PLAIN | WRAPPED};
static const attribute_row type_attribute[] = {
    [OPTIONAL_TYPE] = {.name = "type", .type = WLK_ATTR_TYPE}};

#define ROW(op_name, version, least, op_ports, op_kinds, op_infer, op_run)                       \
    .domain = "", .name = op_name, .since = version, .min_inputs = least, .max_inputs = 1,       \
    .min_outputs = 1, .max_outputs = 1, .ports = op_ports, .kinds = op_kinds, .infer = op_infer, \
    .control = op_run
#define OPTIONAL(version, op_ports)                                                       \
    {                                                                                     \
        ROW("Optional", version, 0, op_ports, plain_kinds, optional_infer, optional_run), \
            .attributes = type_attribute, .attribute_count = 1                            \
    }
#define HAS(version, least, op_ports, op_kinds) \
    { ROW("OptionalHasElement", version, least, op_ports, op_kinds, has_infer, has_run) }
#define GET(version, op_ports, op_kinds) \
    { ROW("OptionalGetElement", version, 1, op_ports, op_kinds, get_infer, get_run) }

static const op_row rows[] = {
    OPTIONAL(15, ports_15),
    OPTIONAL(28, ports_28),
    HAS(15, 1, ports_15, wrapped_kinds),
    HAS(18, 0, ports_15, any_kinds),
    HAS(28, 0, ports_28, any_kinds),
    GET(15, ports_15, wrapped_kinds),
    GET(18, ports_15, any_kinds),
    GET(28, ports_28, any_kinds),
};

const op_family ops_optional = {rows, sizeof rows / sizeof *rows};

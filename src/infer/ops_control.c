/* If and Loop: graphs that are run or not, once or many times. */
#include <string.h>

#include "infer/ops.h"
#include "infer/pieces.h"
#include "infer/shape.h"
#include "infer/subgraph.h"
#include "infer/units.h"

/* ---- If */

enum { IF_ELSE, IF_THEN };

/* What both branches give: dims that differ are not known. */
static wlk_status if_merge(const op_call *call, uint32_t i, op_tensor *type) {
    const op_tensor *other = subgraph_output(call, IF_ELSE, i);
    if (other->kind != type->kind || other->dtype != type->dtype ||
        other->key_dtype != type->key_dtype) {
        char left[TENSOR_TEXT_BYTES];
        char right[TENSOR_TEXT_BYTES];
        return op_fail(call, RULE_PLAN_MIXED, "output %u is %s or %s", i, tensor_text(type, left),
                       tensor_text(other, right));
    }
    if (type->rank != other->rank) type->rank = WLK_NONE;
    for (uint32_t a = 0; a < WLK_MAX_RANK; a++) {
        if (type->dims[a] != other->dims[a]) type->dims[a] = WLK_UNKNOWN_DIM;
    }
    return WLK_OK;
}

static void set_type(const op_call *call, uint32_t i, const op_tensor *type) {
    op_set_output(call, i, type->dtype, type->rank, type->dims);
    op_set_kind(call, i, type->kind, type->key_dtype);
}

static wlk_status if_branch(const op_call *call, uint32_t branch) {
    TRY(subgraph_plan(call, branch, NULL, 0, call->node->outputs));
    if (subgraph_of(call->planner->plan, call, branch)->output_count == call->node->outputs) {
        return WLK_OK;
    }
    return op_fail(call, RULE_PLAN_ARITY, "a branch has more outputs than the node");
}

/* A branch that is never taken is not looked at: it may be what a tool left behind for
 * other shapes. */
static wlk_status if_infer(op_call *call) {
    bool is_known = op_is_known(call, 0);
    bool is_true = true;
    if (is_known) TRY(read_bool(call, op_input(call, 0), &is_true));
    const uint32_t first = is_true ? IF_THEN : IF_ELSE;
    TRY(if_branch(call, first));
    if (!is_known) TRY(if_branch(call, IF_ELSE));
    for (uint32_t i = 0; i < call->node->outputs; i++) {
        op_tensor type = *subgraph_output(call, first, i);
        if (!is_known) TRY(if_merge(call, i, &type));
        set_type(call, i, &type);
    }
    return WLK_OK;
}

static wlk_status if_run(run *r, const op_call *call) {
    bool is_true = true;
    run_buffer *room = NULL;
    held *outputs = NULL;
    TRY(read_bool(call, op_input(call, 0), &is_true));
    TRY(held_room(r, call->node->outputs, &room, &outputs));
    TRY(subgraph_run(r, subgraph_index(call, is_true ? IF_THEN : IF_ELSE), outputs));
    for (uint32_t i = 0; i < call->node->outputs; i++) frame_give_output(r, call, i, &outputs[i]);
    buffer_drop(r, room);
    return WLK_OK;
}

/* ---- Loop */

enum { LOOP_BODY };
enum { LOOP_TRIPS, LOOP_CONDITION, LOOP_FIRST }; /* inputs */
enum { BODY_ITERATION, BODY_CONDITION, BODY_FIRST };

static uint32_t loop_carried(const op_call *call) {
    return call->node->inputs - LOOP_FIRST;
}

/* The types of what the body takes. Shapes of what is carried may change. */
static wlk_status loop_types(const op_call *call, op_tensor **types) {
    void *room = NULL;
    const uint32_t count = BODY_FIRST + loop_carried(call);
    TRY(plan_take(&call->planner->plan->memory, count, sizeof(op_tensor), &room, call->error));
    op_tensor *out = room;
    out[BODY_ITERATION] = (op_tensor){.dtype = WLK_I64, .rank = 0};
    out[BODY_CONDITION] = (op_tensor){.dtype = WLK_BOOL, .rank = WLK_NONE};
    for (uint32_t i = 0; i < loop_carried(call); i++) {
        const op_tensor *in = op_input(call, LOOP_FIRST + i);
        out[BODY_FIRST + i] = (op_tensor){
            .kind = in->kind, .dtype = in->dtype, .key_dtype = in->key_dtype, .rank = WLK_NONE};
    }
    *types = out;
    return WLK_OK;
}

/* What is carried out of a round must go into the next one. */
static wlk_status loop_output(const op_call *call, uint32_t i) {
    const plan_graph *body = subgraph_of(call->planner->plan, call, LOOP_BODY);
    const op_tensor *out = subgraph_output(call, LOOP_BODY, 1 + i);
    const op_tensor *in = &call->planner->plan->values[body->inputs[BODY_FIRST + i]];
    const bool wraps = in->kind == VALUE_OPTIONAL_SEQUENCE && out->kind == VALUE_SEQUENCE;
    if (in->dtype != out->dtype || in->key_dtype != out->key_dtype ||
        (in->kind != out->kind && !wraps)) {
        char left[TENSOR_TEXT_BYTES];
        char right[TENSOR_TEXT_BYTES];
        return op_fail(call, RULE_PLAN_MIXED, "value %u is %s, and %s after a round", i,
                       tensor_text(in, left), tensor_text(out, right));
    }
    op_tensor type = *out;
    type.rank = WLK_NONE;
    set_type(call, i, &type);
    return WLK_OK;
}

static wlk_status loop_scan_output(const op_call *call, uint32_t i) {
    const op_tensor *item = subgraph_output(call, LOOP_BODY, 1 + i);
    int64_t dims[WLK_MAX_RANK] = {WLK_UNKNOWN_DIM};
    if (item->kind != VALUE_TENSOR) {
        return op_fail(call, RULE_PLAN_SUBGRAPH, "scan output %u is not a tensor", i);
    }
    if (item->rank == WLK_MAX_RANK) return op_fail(call, RULE_PLAN_RANK, "output %u", i);
    if (item->rank != WLK_NONE) memcpy(dims + 1, item->dims, item->rank * sizeof *dims);
    op_set_output(call, i, item->dtype, item->rank == WLK_NONE ? WLK_NONE : item->rank + 1, dims);
    return WLK_OK;
}

static wlk_status loop_infer(op_call *call) {
    if (call->node->inputs < LOOP_FIRST) {
        return op_fail(call, RULE_PLAN_ARITY, "%u inputs, must be 2 or more", call->node->inputs);
    }
    const uint32_t carried = loop_carried(call);
    op_tensor *types = NULL;
    TRY(loop_types(call, &types));
    TRY(subgraph_plan(call, LOOP_BODY, types, BODY_FIRST + carried, 1 + carried));
    const op_tensor *condition = subgraph_output(call, LOOP_BODY, 0);
    if (condition->dtype != WLK_BOOL || condition->kind != VALUE_TENSOR) {
        return op_fail(call, RULE_PLAN_DTYPE, "the condition that a round gives is %s",
                       wlk_dtype_name(condition->dtype));
    }
    const uint32_t outputs = subgraph_of(call->planner->plan, call, LOOP_BODY)->output_count - 1;
    if (call->node->outputs > outputs) {
        return op_fail(call, RULE_PLAN_ARITY, "%u outputs, the body has %u", call->node->outputs,
                       outputs);
    }
    for (uint32_t i = 0; i < outputs; i++) {
        TRY(i < carried ? loop_output(call, i) : loop_scan_output(call, i));
    }
    return WLK_OK;
}

/* A loop under way. */
typedef struct loop {
    run *r;
    const op_call *call;
    uint32_t body;
    uint32_t carried;
    uint32_t scans;
    held *values;   /* what is carried */
    held *outputs;  /* of the round */
    growing *lists; /* of each scan output: what the rounds gave */
    bool goes_on;
} loop;

static wlk_status loop_start(loop *l, int64_t *trips) {
    const op_call *call = l->call;
    *trips = INT64_MAX;
    l->goes_on = true;
    if (op_input(call, LOOP_TRIPS)) TRY(read_i64(call, op_input(call, LOOP_TRIPS), trips));
    if (op_input(call, LOOP_CONDITION)) {
        TRY(read_bool(call, op_input(call, LOOP_CONDITION), &l->goes_on));
    }
    for (uint32_t i = 0; i < l->carried; i++) {
        TRY(frame_take(l->r, call->node->edges[LOOP_FIRST + i], &l->values[i]));
    }
    return WLK_OK;
}

static op_tensor scalar_of(wlk_dtype dtype, const void *data, uint64_t bytes) {
    return (op_tensor){
        .dtype = dtype, .origin = ORIGIN_COMPUTED, .count = 1, .nbytes = bytes, .data = data};
}

static wlk_status loop_round(loop *l, int64_t iteration) {
    run *r = l->r;
    const plan_graph *g = &r->plan->graphs[l->body];
    const uint8_t yes = 1;
    const op_tensor number = scalar_of(WLK_I64, &iteration, sizeof iteration);
    const op_tensor condition = scalar_of(WLK_BOOL, &yes, sizeof yes);
    subgraph_lend(r, g->inputs[BODY_ITERATION], &number);
    subgraph_lend(r, g->inputs[BODY_CONDITION], &condition);
    for (uint32_t i = 0; i < l->carried; i++) {
        const uint32_t value = g->inputs[BODY_FIRST + i];
        TRY(held_as(r, &l->values[i], r->plan->values[value].kind));
        frame_give(r, value, &l->values[i]);
    }
    TRY(subgraph_run(r, l->body, l->outputs));
    TRY(read_bool(l->call, &l->outputs[0].tensor, &l->goes_on));
    held_drop(r, &l->outputs[0]);
    for (uint32_t i = 0; i < l->carried; i++) l->values[i] = l->outputs[1 + i];
    for (uint32_t i = 0; i < l->scans; i++) {
        TRY(growing_add(r, &l->lists[i], &l->outputs[1 + l->carried + i]));
    }
    return WLK_OK;
}

static wlk_status loop_finish(loop *l) {
    run *r = l->r;
    for (uint32_t i = 0; i < l->carried; i++) {
        const uint32_t value =
            i < l->call->node->outputs ? l->call->node->edges[l->call->node->inputs + i] : WLK_NONE;
        if (value != WLK_NONE) TRY(held_as(r, &l->values[i], r->plan->values[value].kind));
        frame_give_output(r, l->call, i, &l->values[i]);
    }
    const plan_graph *g = &r->plan->graphs[l->body];
    for (uint32_t i = 0; i < l->scans; i++) {
        held joined = {.owner = NULL};
        const uint32_t edge = g->outputs[1 + l->carried + i];
        const growing_join how = {.item = plan_edge(r->plan, r->plan->values, edge)};
        TRY(growing_finish(r, l->call, &l->lists[i], &how, &joined));
        frame_give_output(r, l->call, l->carried + i, &joined);
    }
    return WLK_OK;
}

static wlk_status loop_rounds(loop *l) {
    int64_t trips = 0;
    TRY(loop_start(l, &trips));
    for (int64_t i = 0; i < trips && l->goes_on; i++) TRY(loop_round(l, i));
    return loop_finish(l);
}

static wlk_status loop_run(run *r, const op_call *call) {
    loop l = {.r = r, .call = call, .body = subgraph_index(call, LOOP_BODY)};
    const plan_graph *g = &r->plan->graphs[l.body];
    run_buffer *rooms[3] = {NULL};
    l.carried = loop_carried(call);
    l.scans = g->output_count - 1 - l.carried;
    TRY(held_room(r, l.carried, &rooms[0], &l.values));
    TRY(held_room(r, g->output_count, &rooms[1], &l.outputs));
    TRY(growing_room(r, l.scans, &rooms[2], &l.lists));
    TRY(loop_rounds(&l));
    for (uint32_t i = 0; i < 3; i++) buffer_drop(r, rooms[i]);
    return WLK_OK;
}

/* ---- rows */

static const op_port condition_port[] = {{"cond", DTYPE_BIT(WLK_BOOL), 0}};
static const attribute_row if_attributes[] = {
    {.name = "else_branch", .type = WLK_ATTR_GRAPH, .required = true},
    {.name = "then_branch", .type = WLK_ATTR_GRAPH, .required = true}};

#define LOOP_PORTS(suffix)                       \
    static const op_port loop_##suffix[] = {     \
        {"M", DTYPE_BIT(WLK_I64), 0},            \
        {"cond", DTYPE_BIT(WLK_BOOL), 0},        \
        {"v_initial", DTYPES_MOVED_##suffix, 0}, \
    }
LOOP_PORTS(1);
LOOP_PORTS(13);
LOOP_PORTS(19);
LOOP_PORTS(21);
LOOP_PORTS(23);
LOOP_PORTS(24);

#define ANY_KIND                                                                       \
    (VALUE_BIT(VALUE_TENSOR) | VALUE_BIT(VALUE_SEQUENCE) | VALUE_BIT(VALUE_OPTIONAL) | \
     VALUE_BIT(VALUE_OPTIONAL_SEQUENCE) | VALUE_BIT(VALUE_MAP) | VALUE_BIT(VALUE_MAPS))
static const uint32_t loop_kinds[] = {VALUE_BIT(VALUE_TENSOR), VALUE_BIT(VALUE_TENSOR), ANY_KIND};
static const attribute_row body_attribute[] = {
    {.name = "body", .type = WLK_ATTR_GRAPH, .required = true}};

#define IF(version)                                                                             \
    {                                                                                           \
        .domain = "", .name = "If", .since = version, .min_inputs = 1, .max_inputs = 1,         \
        .min_outputs = 1, .max_outputs = OP_MANY, .ports = condition_port,                      \
        .attributes = if_attributes, .attribute_count = 2, .infer = if_infer, .control = if_run \
    }
#define LOOP(version, suffix)                                                                   \
    {                                                                                           \
        .domain = "", .name = "Loop", .since = version, .min_inputs = 0, .max_inputs = OP_MANY, \
        .min_outputs = 0, .max_outputs = OP_MANY, .ports = loop_##suffix, .port_count = 3,      \
        .kinds = loop_kinds, .attributes = body_attribute, .attribute_count = 1,                \
        .infer = loop_infer, .control = loop_run                                                \
    }

static const op_row rows[] = {
    IF(1),        IF(11),       IF(13),       IF(16),       IF(19),       IF(21),
    IF(23),       IF(24),       IF(25),       LOOP(1, 1),   LOOP(11, 1),  LOOP(13, 13),
    LOOP(16, 13), LOOP(19, 19), LOOP(21, 21), LOOP(23, 23), LOOP(24, 24), LOOP(25, 24),
};

const op_family ops_control = {rows, sizeof rows / sizeof *rows};

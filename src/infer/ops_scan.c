/* Scan: a graph for each position along an axis, with values carried from one round to
 * the next. Version 8 does so for each row of a batch. */
#include <string.h>

#include "base/bytes.h"
#include "infer/ops.h"
#include "infer/pieces.h"
#include "infer/shape.h"
#include "infer/subgraph.h"
#include "infer/units.h"

/* Version 8 has no axes: its attributes are the first three. */
enum {
    SCAN_BODY,
    SCAN_INPUTS,
    SCAN_DIRECTIONS,
    SCAN_AXES,
    SCAN_OUTPUT_AXES,
    SCAN_OUTPUT_DIRECTIONS
};

static bool has_batch(const op_call *call) {
    return call->node->row->since == 8;
}

/* How a node's edges are divided. */
typedef struct scan_parts {
    uint32_t first;  /* input */
    uint32_t states; /* inputs, and outputs of the body */
    uint32_t inputs; /* that are scanned */
    uint32_t outputs;
} scan_parts;

static scan_parts parts_of(const op_call *call, const plan_graph *body) {
    scan_parts parts = {.first = has_batch(call) ? 1 : 0};
    parts.inputs = (uint32_t)op_attribute(call, SCAN_INPUTS).i;
    parts.states = call->node->inputs - parts.first - parts.inputs;
    parts.outputs = body->output_count > parts.states ? body->output_count - parts.states : 0;
    return parts;
}

/* Entry i of a list that may be absent. */
static int64_t entry(const op_call *call, uint32_t attribute, uint32_t i) {
    const attribute_value list = op_attribute(call, attribute);
    return i < list.count ? list.ints[i] : 0;
}

/* ---- planning */

static wlk_status check_list(const op_call *call, uint32_t attribute, uint32_t count, bool flags) {
    const attribute_value list = op_attribute(call, attribute);
    const char *name = call->node->row->attributes[attribute].name;
    if (list.count != 0 && list.count != count) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "attribute '%s' has %u entries, not %u",
                       name, list.count, count);
    }
    for (uint32_t i = 0; flags && i < list.count; i++) {
        if (list.ints[i] != 0 && list.ints[i] != 1) {
            return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "attribute '%s' must hold 0 and 1",
                           name);
        }
    }
    return WLK_OK;
}

static wlk_status check_parts(const op_call *call, const plan_graph *body) {
    const int64_t inputs = op_attribute(call, SCAN_INPUTS).i;
    const uint32_t first = has_batch(call) ? 1 : 0;
    if (inputs < 1 || inputs > (int64_t)call->node->inputs - first) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "num_scan_inputs is %lld",
                       (long long)inputs);
    }
    const scan_parts parts = parts_of(call, body);
    TRY(check_list(call, SCAN_DIRECTIONS, parts.inputs, true));
    if (has_batch(call)) return WLK_OK;
    TRY(check_list(call, SCAN_AXES, parts.inputs, false));
    TRY(check_list(call, SCAN_OUTPUT_AXES, parts.outputs, false));
    return check_list(call, SCAN_OUTPUT_DIRECTIONS, parts.outputs, true);
}

/* The type of one position of scanned input i. */
static wlk_status slice_type(const op_call *call, const scan_parts *parts, uint32_t i,
                             op_tensor *type) {
    const op_tensor *in = op_input(call, parts->first + parts->states + i);
    const uint32_t batch = has_batch(call) ? 1 : 0;
    uint32_t axis = 0;
    *type = (op_tensor){.dtype = in->dtype, .rank = WLK_NONE};
    if (in->rank == WLK_NONE) return WLK_OK;
    TRY(shape_need_rank(call, parts->first + parts->states + i, 1 + batch, WLK_MAX_RANK));
    if (!batch) TRY(shape_axis(call, entry(call, SCAN_AXES, i), in->rank, true, &axis));
    type->rank = 0;
    for (uint32_t a = batch; a < in->rank; a++) {
        if (a != axis + batch) type->dims[type->rank++] = in->dims[a];
    }
    return WLK_OK;
}

static wlk_status plan_body(const op_call *call, const scan_parts *parts) {
    void *room = NULL;
    const uint32_t count = parts->states + parts->inputs;
    TRY(plan_take(&call->planner->plan->memory, count, sizeof(op_tensor), &room, call->error));
    op_tensor *types = room;
    for (uint32_t i = 0; i < parts->states; i++) {
        types[i] = (op_tensor){.dtype = op_input(call, parts->first + i)->dtype, .rank = WLK_NONE};
    }
    for (uint32_t i = 0; i < parts->inputs; i++) {
        TRY(slice_type(call, parts, i, &types[parts->states + i]));
    }
    return subgraph_plan(call, SCAN_BODY, types, count, parts->states);
}

static wlk_status scan_output(const op_call *call, const scan_parts *parts, uint32_t i) {
    const op_tensor *item = subgraph_output(call, SCAN_BODY, i);
    if (item->kind != VALUE_TENSOR) {
        return op_fail(call, RULE_PLAN_SUBGRAPH, "output %u of its graph is no tensor", i);
    }
    const uint32_t more = (i < parts->states ? 0u : 1u) + (has_batch(call) ? 1u : 0u);
    if (item->rank != WLK_NONE && item->rank + more > WLK_MAX_RANK) {
        return op_fail(call, RULE_PLAN_RANK, "output %u", i);
    }
    if (i < parts->states && item->dtype != op_input(call, parts->first + i)->dtype) {
        return op_fail(call, RULE_PLAN_MIXED, "state %u is %s, and %s after a round", i,
                       wlk_dtype_name(op_input(call, parts->first + i)->dtype),
                       wlk_dtype_name(item->dtype));
    }
    int64_t dims[WLK_MAX_RANK];
    for (uint32_t a = 0; a < WLK_MAX_RANK; a++) dims[a] = WLK_UNKNOWN_DIM;
    op_set_output(call, i, item->dtype, item->rank == WLK_NONE ? WLK_NONE : item->rank + more,
                  dims);
    return WLK_OK;
}

static wlk_status scan_infer(op_call *call) {
    const plan_graph *body = subgraph_of(call->planner->plan, call, SCAN_BODY);
    TRY(check_parts(call, body));
    const scan_parts parts = parts_of(call, body);
    TRY(plan_body(call, &parts));
    if (call->node->outputs > body->output_count) {
        return op_fail(call, RULE_PLAN_ARITY, "%u outputs, the body has %u", call->node->outputs,
                       body->output_count);
    }
    for (uint32_t i = 0; i < body->output_count; i++) TRY(scan_output(call, &parts, i));
    return WLK_OK;
}

/* ---- running */

typedef struct scan {
    run *r;
    const op_call *call;
    const plan_graph *body;
    scan_parts parts;
    held *states;
    held *inputs; /* what is scanned */
    held *outputs;
    growing *lists; /* of each scanned output: the rounds */
    growing *batch; /* version 8, of each output: the rows */
} scan;

static wlk_status axis_of(const scan *s, uint32_t i, uint32_t *axis) {
    const op_tensor *in = &s->inputs[i].tensor;
    *axis = 0;
    if (in->rank == 0) return op_fail(s->call, RULE_RUN_SHAPE, "scanned input %u is a scalar", i);
    if (has_batch(s->call)) return WLK_OK;
    return shape_axis(s->call, entry(s->call, SCAN_AXES, i), in->rank, true, axis);
}

/* How many positions there are: the same along the axis of each scanned input. */
static wlk_status count_rounds(const scan *s, uint64_t *rounds) {
    for (uint32_t i = 0; i < s->parts.inputs; i++) {
        uint32_t axis = 0;
        TRY(axis_of(s, i, &axis));
        const uint64_t dim = (uint64_t)s->inputs[i].tensor.dims[axis];
        if (i == 0) *rounds = dim;
        if (dim == *rounds) continue;
        return op_fail(s->call, RULE_RUN_SHAPE, "scanned inputs of %llu and %llu positions",
                       (unsigned long long)*rounds, (unsigned long long)dim);
    }
    return WLK_OK;
}

static wlk_status scan_round(scan *s, uint64_t round, uint64_t rounds) {
    run *r = s->r;
    const scan_parts *parts = &s->parts;
    for (uint32_t i = 0; i < parts->states; i++) {
        frame_give(r, s->body->inputs[i], &s->states[i]);
    }
    for (uint32_t i = 0; i < parts->inputs; i++) {
        held slice = {.owner = NULL};
        piece_cut cut = {.start = round, .length = 1, .drops = true};
        TRY(axis_of(s, i, &cut.axis));
        if (entry(s->call, SCAN_DIRECTIONS, i)) cut.start = rounds - 1 - round;
        TRY(pieces_cut(r, &s->inputs[i].tensor, &cut, &slice));
        frame_give(r, s->body->inputs[parts->states + i], &slice);
    }
    TRY(subgraph_run(r, subgraph_index(s->call, SCAN_BODY), s->outputs));
    for (uint32_t i = 0; i < parts->states; i++) s->states[i] = s->outputs[i];
    for (uint32_t i = 0; i < parts->outputs; i++) {
        TRY(growing_add(r, &s->lists[i], &s->outputs[parts->states + i]));
    }
    return WLK_OK;
}

static wlk_status join_output(const scan *s, uint32_t i, held *out) {
    const uint32_t edge = s->body->outputs[s->parts.states + i];
    growing_join how = {.item = plan_edge(s->r->plan, s->r->plan->values, edge)};
    const uint32_t rank = s->lists[i].count            ? items_tensors(s->lists[i].list)[0].rank
                          : how.item->rank == WLK_NONE ? 0
                                                       : how.item->rank;
    if (!has_batch(s->call)) {
        TRY(shape_axis(s->call, entry(s->call, SCAN_OUTPUT_AXES, i), rank + 1, true, &how.axis));
        how.reverse = entry(s->call, SCAN_OUTPUT_DIRECTIONS, i) != 0;
    }
    return growing_finish(s->r, s->call, &s->lists[i], &how, out);
}

static wlk_status scan_plain(scan *s) {
    uint64_t rounds = 0;
    const scan_parts *parts = &s->parts;
    for (uint32_t i = 0; i < parts->states; i++) {
        TRY(frame_take(s->r, s->call->node->edges[i], &s->states[i]));
    }
    for (uint32_t i = 0; i < parts->inputs; i++) {
        TRY(frame_take(s->r, s->call->node->edges[parts->states + i], &s->inputs[i]));
    }
    TRY(count_rounds(s, &rounds));
    for (uint64_t k = 0; k < rounds; k++) TRY(scan_round(s, k, rounds));
    for (uint32_t i = 0; i < parts->states; i++) {
        frame_give_output(s->r, s->call, i, &s->states[i]);
    }
    for (uint32_t i = 0; i < parts->outputs; i++) {
        held joined = {.owner = NULL};
        TRY(join_output(s, i, &joined));
        frame_give_output(s->r, s->call, parts->states + i, &joined);
    }
    for (uint32_t i = 0; i < parts->inputs; i++) held_drop(s->r, &s->inputs[i]);
    return WLK_OK;
}

/* ---- version 8: rows of a batch */

/* Zeros behind what a shorter row gives. */
static wlk_status pad_rounds(scan *s, uint32_t i, uint64_t rounds) {
    growing *list = &s->lists[i];
    while (list->count > 0 && list->count < rounds) {
        const op_tensor first = items_tensors(list->list)[0];
        held zeros = {.owner = NULL};
        if (first.dtype == WLK_STR) {
            return op_fail(s->call, RULE_RUN_VALUE, "rows of text of different lengths");
        }
        TRY(held_new(s->r, first.dtype, first.rank, first.dims, 0, &zeros));
        TRY(run_charge(s->r, first.nbytes + OP_ROUND_COST));
        if (zeros.tensor.nbytes > 0) memset(zeros.tensor.target, 0, zeros.tensor.nbytes);
        TRY(growing_add(s->r, list, &zeros));
    }
    return WLK_OK;
}

static wlk_status row_rounds(const scan *s, uint64_t row, uint64_t rounds, uint64_t *out) {
    const op_tensor *lengths = op_input(s->call, 0);
    *out = rounds;
    if (!lengths) return WLK_OK;
    const int64_t length = row < lengths->count ? op_int(lengths, row) : -1;
    if (length < 0 || (uint64_t)length > rounds) {
        return op_fail(s->call, RULE_RUN_VALUE, "row %llu is of length %lld",
                       (unsigned long long)row, (long long)length);
    }
    *out = (uint64_t)length;
    return WLK_OK;
}

static wlk_status cut_row(const scan *s, uint32_t input, uint64_t row, held *out) {
    const op_tensor *in = op_input(s->call, s->parts.first + input);
    if (in->rank == 0 || row >= (uint64_t)in->dims[0]) {
        char text[TENSOR_TEXT_BYTES];
        return op_fail(s->call, RULE_RUN_SHAPE, "input %u is %s, without row %llu",
                       s->parts.first + input, tensor_text(in, text), (unsigned long long)row);
    }
    return pieces_cut(s->r, in, &(piece_cut){.start = row, .length = 1, .drops = true}, out);
}

static wlk_status scan_row(scan *s, uint64_t row) {
    const scan_parts *parts = &s->parts;
    uint64_t all = 0;
    uint64_t rounds = 0;
    for (uint32_t i = 0; i < parts->states; i++) TRY(cut_row(s, i, row, &s->states[i]));
    for (uint32_t i = 0; i < parts->inputs; i++) {
        TRY(cut_row(s, parts->states + i, row, &s->inputs[i]));
    }
    TRY(count_rounds(s, &all));
    TRY(row_rounds(s, row, all, &rounds));
    for (uint64_t k = 0; k < rounds; k++) TRY(scan_round(s, k, rounds));
    for (uint32_t i = 0; i < parts->inputs; i++) held_drop(s->r, &s->inputs[i]);
    for (uint32_t i = 0; i < parts->states; i++) {
        TRY(growing_add(s->r, &s->batch[i], &s->states[i]));
    }
    for (uint32_t i = 0; i < parts->outputs; i++) {
        held joined = {.owner = NULL};
        TRY(pad_rounds(s, i, all));
        TRY(join_output(s, i, &joined));
        TRY(growing_add(s->r, &s->batch[parts->states + i], &joined));
    }
    return WLK_OK;
}

static wlk_status scan_batch(scan *s) {
    const op_tensor *in = op_input(s->call, s->parts.first + s->parts.states);
    if (in->rank < 2) return op_fail(s->call, RULE_RUN_SHAPE, "there is no batch");
    const uint64_t rows = (uint64_t)in->dims[0];
    for (uint64_t row = 0; row < rows; row++) TRY(scan_row(s, row));
    for (uint32_t i = 0; i < s->body->output_count; i++) {
        held joined = {.owner = NULL};
        const op_tensor *item = plan_edge(s->r->plan, s->r->plan->values, s->body->outputs[i]);
        const op_tensor nothing = {.dtype = item->dtype, .rank = WLK_NONE};
        const growing_join how = {.item = &nothing};
        TRY(growing_finish(s->r, s->call, &s->batch[i], &how, &joined));
        frame_give_output(s->r, s->call, i, &joined);
    }
    return WLK_OK;
}

static wlk_status scan_run(run *r, const op_call *call) {
    const plan_graph *body = subgraph_of(r->plan, call, SCAN_BODY);
    scan s = {.r = r, .call = call, .body = body, .parts = parts_of(call, body)};
    run_buffer *rooms[5] = {NULL};
    TRY(held_room(r, s.parts.states, &rooms[0], &s.states));
    TRY(held_room(r, s.parts.inputs, &rooms[1], &s.inputs));
    TRY(held_room(r, body->output_count, &rooms[2], &s.outputs));
    TRY(growing_room(r, s.parts.outputs, &rooms[3], &s.lists));
    TRY(growing_room(r, body->output_count, &rooms[4], &s.batch));
    TRY(has_batch(call) ? scan_batch(&s) : scan_plain(&s));
    for (uint32_t i = 0; i < 5; i++) buffer_drop(r, rooms[i]);
    return WLK_OK;
}

/* ---- rows */

static const op_port ports_8[] = {{"sequence_lens", DTYPE_BIT(WLK_I64), 0},
                                  {"initial_state_and_scan_inputs", DTYPES_MOVED_1, 0}};
#define PORTS(suffix)                        \
    static const op_port scan_##suffix[] = { \
        {"initial_state_and_scan_inputs", DTYPES_MOVED_##suffix, 0}}
PORTS(1);
PORTS(13);
PORTS(19);
PORTS(21);
PORTS(23);
PORTS(24);

#define COMMON                                                                \
    [SCAN_BODY] = {.name = "body", .type = WLK_ATTR_GRAPH, .required = true}, \
    [SCAN_INPUTS] = {.name = "num_scan_inputs", .type = WLK_ATTR_INT, .required = true}
static const attribute_row attributes_8[] = {
    COMMON, [SCAN_DIRECTIONS] = {.name = "directions", .type = WLK_ATTR_INTS}};
static const attribute_row attributes_9[] = {
    COMMON, [SCAN_DIRECTIONS] = {.name = "scan_input_directions", .type = WLK_ATTR_INTS},
    [SCAN_AXES] = {.name = "scan_input_axes", .type = WLK_ATTR_INTS},
    [SCAN_OUTPUT_AXES] = {.name = "scan_output_axes", .type = WLK_ATTR_INTS},
    [SCAN_OUTPUT_DIRECTIONS] = {.name = "scan_output_directions", .type = WLK_ATTR_INTS}};

#define SCAN(version, suffix)                                                                      \
    {                                                                                              \
        .domain = "", .name = "Scan", .since = version, .min_inputs = 1, .max_inputs = OP_MANY,    \
        .min_outputs = 0, .max_outputs = OP_MANY, .ports = scan_##suffix,                          \
        .attributes = attributes_9, .attribute_count = 6, .infer = scan_infer, .control = scan_run \
    }

static const op_row rows[] = {
    {.domain = "",
     .name = "Scan",
     .since = 8,
     .min_inputs = 0,
     .max_inputs = OP_MANY,
     .min_outputs = 0,
     .max_outputs = OP_MANY,
     .ports = ports_8,
     .port_count = 2,
     .attributes = attributes_8,
     .attribute_count = 3,
     .infer = scan_infer,
     .control = scan_run},
    SCAN(9, 1),
    SCAN(11, 1),
    SCAN(16, 13),
    SCAN(19, 19),
    SCAN(21, 21),
    SCAN(23, 23),
    SCAN(24, 24),
    SCAN(25, 24),
};

const op_family ops_scan = {rows, sizeof rows / sizeof *rows};

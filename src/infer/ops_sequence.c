/* Operators on sequences. A sequence is a list that shares its tensors' memory: taking one
 * out, or making a longer list, moves no elements. */
#include <string.h>

#include "infer/ops.h"
#include "infer/pieces.h"
#include "infer/shape.h"
#include "infer/subgraph.h"
#include "infer/units.h"

/* What it costs to share an item with another list, and to move one. */
#define ITEM_COST 8192
#define ITEM_MOVE_COST 256

static void set_sequence(const op_call *call, uint32_t i, wlk_dtype dtype) {
    op_set_output(call, i, dtype, WLK_NONE, NULL);
    op_set_kind(call, i, VALUE_SEQUENCE, WLK_DTYPE_NONE);
}

/* A list of `count` items, whose work is counted. */
static wlk_status list_new(run *r, uint64_t count, run_buffer **list) {
    TRY(run_charge(r, count < UINT32_MAX ? (count + 1) * ITEM_COST : UINT64_MAX));
    return items_take(r, count, list);
}

/* Items [from, from + count) of a sequence go to a list, at `at`. */
static void list_copy(const run *r, run_buffer *list, uint64_t at, uint32_t edge, uint64_t from,
                      uint64_t count) {
    const op_tensor *sequence = plan_edge(r->plan, r->values, edge);
    run_buffer *owner = r->places[edge].owner;
    for (uint64_t i = 0; i < count; i++) {
        held item = {.tensor = sequence->items[from + i]};
        item.tensor.origin = ORIGIN_COMPUTED;
        if (owner) item.owner = buffer_share(items_owners(owner)[from + i]);
        items_set(list, at + i, &item);
    }
}

/* Is this node the last to need the sequence, and does nobody else have its list? */
static bool is_last_user(const run *r, const op_call *call, uint32_t edge) {
    if (edge & OP_CONSTANT) return false;
    const run_place *at = &r->places[edge];
    return at->kind == PLACE_BUFFER && at->owner->users == 1 &&
           r->plan->last_use[edge] == call->node_index;
}

/* The list with more room: items move, nobody's share changes. */
static wlk_status list_widen(run *r, run_buffer **list, uint64_t count, uint64_t room) {
    run_buffer *wider = NULL;
    TRY(run_charge(r, count * ITEM_MOVE_COST));
    TRY(items_take(r, room, &wider));
    memcpy(items_tensors(wider), items_tensors(*list), count * sizeof(op_tensor));
    memcpy(items_owners(wider), items_owners(*list), count * sizeof(run_buffer *));
    (*list)->items = 0;
    buffer_drop(r, *list);
    *list = wider;
    return WLK_OK;
}

/* The items of input 0 in a list that is ours to change, with room for `room`: the
 * sequence's own list, if nobody needs it any more, so that a sequence that grows in a
 * loop is not copied in each round. */
static wlk_status list_own(run *r, const op_call *call, uint64_t room, run_buffer **list) {
    const uint32_t edge = call->node->edges[0];
    const uint64_t count = op_input(call, 0)->item_count;
    if (!is_last_user(r, call, edge)) {
        TRY(list_new(r, room > count ? room : count, list));
        list_copy(r, *list, 0, edge, 0, count);
        return WLK_OK;
    }
    *list = r->places[edge].owner;
    if (room > (*list)->items) {
        TRY(list_widen(r, list, count, 2 * room));
    }
    r->places[edge] = (run_place){.kind = PLACE_LENT};
    return WLK_OK;
}

static void give_sequence(run *r, const op_call *call, wlk_dtype dtype, run_buffer *list,
                          uint64_t count) {
    held sequence = held_list(VALUE_SEQUENCE, dtype, list);
    sequence.tensor.item_count = count;
    frame_give_output(r, call, 0, &sequence);
}

/* A position in a sequence of `count`, where -1 is the last; `most` is the largest. */
static wlk_status read_position(const op_call *call, uint32_t input, uint64_t count, uint64_t most,
                                uint64_t *out) {
    int64_t position = 0;
    TRY(read_i64(call, op_input(call, input), &position));
    if (position < 0) position += (int64_t)count;
    if (position < 0 || (uint64_t)position > most) {
        return op_fail(call, RULE_RUN_INDEX, "position %lld of %llu items", (long long)position,
                       (unsigned long long)count);
    }
    *out = (uint64_t)position;
    return WLK_OK;
}

/* ---- SequenceConstruct, SequenceEmpty */

static wlk_status construct_infer(op_call *call) {
    set_sequence(call, 0, op_input(call, 0)->dtype);
    return WLK_OK;
}

static wlk_status construct_run(run *r, const op_call *call) {
    run_buffer *list = NULL;
    TRY(list_new(r, call->node->inputs, &list));
    for (uint32_t i = 0; i < call->node->inputs; i++) {
        held item = {.owner = NULL};
        TRY(frame_take(r, call->node->edges[i], &item));
        items_set(list, i, &item);
    }
    give_sequence(r, call, op_input(call, 0)->dtype, list, call->node->inputs);
    return WLK_OK;
}

enum { EMPTY_DTYPE };

static wlk_dtype empty_dtype(const op_call *call) {
    const attribute_value dtype = op_attribute(call, EMPTY_DTYPE);
    return dtype.given ? (wlk_dtype)dtype.i : WLK_F32;
}

static wlk_status empty_infer(op_call *call) {
    const wlk_dtype dtype = empty_dtype(call);
    if (!(DTYPES_MOVED_24 & DTYPE_BIT(dtype))) {
        return op_fail(call, RULE_PLAN_DTYPE, "a sequence of %s", wlk_dtype_name(dtype));
    }
    set_sequence(call, 0, dtype);
    return WLK_OK;
}

static wlk_status empty_run(run *r, const op_call *call) {
    run_buffer *list = NULL;
    TRY(list_new(r, 0, &list));
    give_sequence(r, call, empty_dtype(call), list, 0);
    return WLK_OK;
}

/* ---- SequenceInsert, SequenceErase, SequenceAt, SequenceLength */

static wlk_status insert_infer(op_call *call) {
    const op_tensor *sequence = op_input(call, 0);
    if (sequence->dtype != op_input(call, 1)->dtype) {
        return op_fail(call, RULE_PLAN_MIXED, "a tensor of %s into a sequence of %s",
                       wlk_dtype_name(op_input(call, 1)->dtype), wlk_dtype_name(sequence->dtype));
    }
    set_sequence(call, 0, sequence->dtype);
    return WLK_OK;
}

/* Items from `from` on, `count` in all, go `by` places on or back. */
static wlk_status list_shift(run *r, run_buffer *list, uint64_t from, uint64_t count, int by) {
    op_tensor *tensors = items_tensors(list) + from;
    run_buffer **owners = items_owners(list) + from;
    const uint64_t tail = count - from;
    TRY(run_charge(r, tail * ITEM_MOVE_COST));
    memmove(tensors + by, tensors, tail * sizeof *tensors);
    memmove(owners + by, owners, tail * sizeof(run_buffer *));
    return WLK_OK;
}

static wlk_status insert_run(run *r, const op_call *call) {
    const uint64_t count = op_input(call, 0)->item_count;
    const wlk_dtype dtype = op_input(call, 0)->dtype;
    uint64_t at = count;
    run_buffer *list = NULL;
    held item = {.owner = NULL};
    if (op_input(call, 2)) TRY(read_position(call, 2, count, count, &at));
    TRY(frame_take(r, call->node->edges[1], &item));
    TRY(list_own(r, call, count + 1, &list));
    TRY(list_shift(r, list, at, count, 1));
    items_set(list, at, &item);
    give_sequence(r, call, dtype, list, count + 1);
    return WLK_OK;
}

static wlk_status same_sequence_infer(op_call *call) {
    set_sequence(call, 0, op_input(call, 0)->dtype);
    return WLK_OK;
}

static wlk_status erase_run(run *r, const op_call *call) {
    const uint64_t count = op_input(call, 0)->item_count;
    const wlk_dtype dtype = op_input(call, 0)->dtype;
    if (count == 0) return op_fail(call, RULE_RUN_INDEX, "there is nothing to erase");
    uint64_t at = count - 1;
    run_buffer *list = NULL;
    if (op_input(call, 1)) TRY(read_position(call, 1, count, count - 1, &at));
    TRY(list_own(r, call, count, &list));
    buffer_drop(r, items_owners(list)[at]);
    TRY(list_shift(r, list, at + 1, count, -1));
    items_owners(list)[count - 1] = NULL; /* it has moved */
    give_sequence(r, call, dtype, list, count - 1);
    return WLK_OK;
}

static wlk_status at_infer(op_call *call) {
    op_set_output(call, 0, op_input(call, 0)->dtype, WLK_NONE, NULL);
    return WLK_OK;
}

/* A share of one item. */
static held item_share(const run *r, uint32_t edge, uint64_t i) {
    const op_tensor *list = plan_edge(r->plan, r->values, edge);
    held item = {.tensor = list->items[i]};
    run_buffer *owner = r->places[edge].owner;
    item.tensor.origin = ORIGIN_COMPUTED;
    if (owner) item.owner = buffer_share(items_owners(owner)[i]);
    return item;
}

static wlk_status at_run(run *r, const op_call *call) {
    const uint64_t count = op_input(call, 0)->item_count;
    uint64_t at = 0;
    if (count == 0) return op_fail(call, RULE_RUN_INDEX, "the sequence is empty");
    TRY(read_position(call, 1, count, count - 1, &at));
    held item = item_share(r, call->node->edges[0], at);
    frame_give_output(r, call, 0, &item);
    return WLK_OK;
}

static wlk_status length_infer(op_call *call) {
    op_set_output(call, 0, WLK_I64, 0, NULL);
    return WLK_OK;
}

static wlk_status length_run(run *r, const op_call *call) {
    held out = {.owner = NULL};
    const int64_t count = (int64_t)op_input(call, 0)->item_count;
    TRY(held_new(r, WLK_I64, 0, NULL, 0, &out));
    memcpy(out.tensor.target, &count, sizeof count);
    frame_give_output(r, call, 0, &out);
    return WLK_OK;
}

/* ---- SplitToSequence */

enum { SPLIT_AXIS, SPLIT_KEEPDIMS };

static wlk_status split_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    uint32_t axis = 0;
    if (in->rank != WLK_NONE) {
        TRY(shape_need_rank(call, 0, 1, WLK_MAX_RANK));
        TRY(shape_axis(call, op_attribute(call, SPLIT_AXIS).i, in->rank, true, &axis));
    }
    set_sequence(call, 0, in->dtype);
    return WLK_OK;
}

/* How a tensor is split: into parts of one length, the last perhaps shorter, or of the
 * lengths that a list gives. */
typedef struct splitting {
    const op_tensor *lengths; /* NULL: all have the same */
    uint64_t length;
    uint64_t dim;
    uint64_t parts;
} splitting;

static wlk_status split_by_list(const op_call *call, splitting *s) {
    const op_tensor *lengths = op_input(call, 1);
    uint64_t sum = 0;
    for (uint64_t i = 0; i < lengths->count; i++) {
        const int64_t length = op_int(lengths, i);
        if (length < 0 || (uint64_t)length > s->dim - sum) {
            return op_fail(call, RULE_RUN_VALUE, "part %llu is of length %lld",
                           (unsigned long long)i, (long long)length);
        }
        sum += (uint64_t)length;
    }
    s->lengths = lengths;
    s->parts = lengths->count;
    if (sum == s->dim) return WLK_OK;
    return op_fail(call, RULE_RUN_VALUE, "the parts hold %llu of %llu", (unsigned long long)sum,
                   (unsigned long long)s->dim);
}

static wlk_status split_of(const op_call *call, uint64_t dim, splitting *s) {
    const op_tensor *split = op_input(call, 1);
    *s = (splitting){.dim = dim, .length = 1, .parts = dim};
    if (!split) return WLK_OK;
    if (split->rank > 0) return split_by_list(call, s);
    int64_t length = 0;
    TRY(read_i64(call, split, &length));
    if (length <= 0) return op_fail(call, RULE_RUN_VALUE, "parts of %lld", (long long)length);
    s->length = (uint64_t)length;
    s->parts = dim / s->length + (dim % s->length != 0);
    return WLK_OK;
}

static uint64_t part_length(const splitting *s, uint64_t i, uint64_t start) {
    if (s->lengths) return (uint64_t)op_int(s->lengths, i);
    return s->dim - start < s->length ? s->dim - start : s->length;
}

static wlk_status split_run(run *r, const op_call *call) {
    const op_tensor *in = op_input(call, 0);
    splitting s;
    piece_cut cut = {.start = 0};
    run_buffer *list = NULL;
    if (in->rank == 0) return op_fail(call, RULE_RUN_SHAPE, "a scalar cannot be split");
    TRY(shape_axis(call, op_attribute(call, SPLIT_AXIS).i, in->rank, true, &cut.axis));
    TRY(split_of(call, (uint64_t)in->dims[cut.axis], &s));
    cut.drops = !op_input(call, 1) && op_attribute(call, SPLIT_KEEPDIMS).i == 0;
    TRY(list_new(r, s.parts, &list));
    for (uint64_t i = 0; i < s.parts; i++) {
        held part = {.owner = NULL};
        cut.length = part_length(&s, i, cut.start);
        TRY(pieces_cut(r, in, &cut, &part));
        items_set(list, i, &part);
        cut.start += cut.length;
    }
    give_sequence(r, call, in->dtype, list, s.parts);
    return WLK_OK;
}

/* ---- ConcatFromSequence */

enum { CONCAT_AXIS, CONCAT_NEW_AXIS };

static wlk_status concat_infer(op_call *call) {
    op_set_output(call, 0, op_input(call, 0)->dtype, WLK_NONE, NULL);
    return WLK_OK;
}

static wlk_status concat_run(run *r, const op_call *call) {
    const op_tensor *sequence = op_input(call, 0);
    held out = {.owner = NULL};
    if (sequence->item_count == 0) return op_fail(call, RULE_RUN_VALUE, "the sequence is empty");
    piece_join join = {.items = sequence->items,
                       .count = sequence->item_count,
                       .is_new = op_attribute(call, CONCAT_NEW_AXIS).i != 0};
    TRY(shape_axis(call, op_attribute(call, CONCAT_AXIS).i, sequence->items[0].rank + join.is_new,
                   true, &join.axis));
    TRY(pieces_join(r, call, &join, &out));
    frame_give_output(r, call, 0, &out);
    return WLK_OK;
}

/* ---- SequenceMap: a graph for each item */

enum { MAP_BODY };

static wlk_status map_infer(op_call *call) {
    void *room = NULL;
    const uint32_t count = call->node->inputs;
    TRY(plan_take(&call->planner->plan->memory, count, sizeof(op_tensor), &room, call->error));
    op_tensor *types = room;
    for (uint32_t i = 0; i < count; i++) {
        types[i] = *op_input(call, i);
        types[i].origin = ORIGIN_NODE;
        if (types[i].kind != VALUE_TENSOR) types[i].rank = WLK_NONE;
        types[i].kind = VALUE_TENSOR;
    }
    TRY(subgraph_plan(call, MAP_BODY, types, count, call->node->outputs));
    for (uint32_t i = 0; i < call->node->outputs; i++) {
        const op_tensor *out = subgraph_output(call, MAP_BODY, i);
        if (out->kind != VALUE_TENSOR) {
            return op_fail(call, RULE_PLAN_SUBGRAPH, "output %u of its graph is no tensor", i);
        }
        set_sequence(call, i, out->dtype);
    }
    return WLK_OK;
}

/* The items of this round, and the tensors that are the same in each. */
static wlk_status map_inputs(run *r, const op_call *call, uint64_t round) {
    const plan_graph *g = subgraph_of(r->plan, call, MAP_BODY);
    for (uint32_t i = 0; i < call->node->inputs; i++) {
        const op_tensor *in = op_input(call, i);
        held value = {.owner = NULL};
        if (in->kind == VALUE_TENSOR) {
            TRY(frame_take(r, call->node->edges[i], &value));
        } else if (round < in->item_count) {
            value = item_share(r, call->node->edges[i], round);
        } else {
            return op_fail(call, RULE_RUN_SHAPE, "input %u has %llu items only", i,
                           (unsigned long long)in->item_count);
        }
        frame_give(r, g->inputs[i], &value);
    }
    return WLK_OK;
}

static wlk_status map_rounds(run *r, const op_call *call, uint64_t rounds, run_buffer **lists,
                             held *outputs) {
    const uint32_t count = subgraph_of(r->plan, call, MAP_BODY)->output_count;
    for (uint64_t k = 0; k < rounds; k++) {
        TRY(map_inputs(r, call, k));
        TRY(subgraph_run(r, subgraph_index(call, MAP_BODY), outputs));
        for (uint32_t i = 0; i < count; i++) items_set(lists[i], k, &outputs[i]);
    }
    return WLK_OK;
}

static wlk_status map_run(run *r, const op_call *call) {
    const plan_graph *g = subgraph_of(r->plan, call, MAP_BODY);
    const uint64_t rounds = op_input(call, 0)->item_count;
    run_buffer *rooms[2] = {NULL};
    held *outputs = NULL;
    TRY(held_room(r, g->output_count, &rooms[0], &outputs));
    TRY(buffer_take(r, g->output_count * sizeof(run_buffer *), &rooms[1]));
    run_buffer **lists = buffer_data(rooms[1]);
    for (uint32_t i = 0; i < g->output_count; i++) TRY(list_new(r, rounds, &lists[i]));
    TRY(map_rounds(r, call, rounds, lists, outputs));
    for (uint32_t i = 0; i < g->output_count; i++) {
        const wlk_dtype dtype = plan_edge(r->plan, r->plan->values, g->outputs[i])->dtype;
        held sequence = held_list(VALUE_SEQUENCE, dtype, lists[i]);
        frame_give_output(r, call, i, &sequence);
    }
    for (uint32_t i = 0; i < 2; i++) buffer_drop(r, rooms[i]);
    return WLK_OK;
}

/* ---- rows */

#define TENSOR VALUE_BIT(VALUE_TENSOR)
#define SEQUENCE VALUE_BIT(VALUE_SEQUENCE)
#define POSITION (DTYPE_BIT(WLK_I64) | DTYPE_BIT(WLK_I32))

static const op_port construct_ports[] = {{"inputs", DTYPES_MOVED_1, 'T'}};
static const op_port insert_ports[] = {{"input_sequence", DTYPES_MOVED_1, 0},
                                       {"tensor", DTYPES_MOVED_1, 0},
                                       {"position", POSITION, 0}};
static const uint32_t insert_kinds[] = {SEQUENCE, TENSOR, TENSOR};
static const op_port at_ports[] = {{"input_sequence", DTYPES_MOVED_1, 0},
                                   {"position", POSITION, 0}};
static const uint32_t at_kinds[] = {SEQUENCE, TENSOR};
static const op_port split_ports[] = {{"input", DTYPES_MOVED_1, 0}, {"split", POSITION, 0}};
static const op_port split_ports_24[] = {{"input", DTYPES_MOVED_13, 0}, {"split", POSITION, 0}};
static const op_port map_ports[] = {{"input_sequence", DTYPES_MOVED_1, 0},
                                    {"additional_inputs", DTYPES_MOVED_1, 0}};
static const uint32_t map_kinds[] = {SEQUENCE, SEQUENCE | TENSOR};

static const attribute_row empty_attributes[] = {
    [EMPTY_DTYPE] = {.name = "dtype", .type = WLK_ATTR_DTYPE}};
static const attribute_row split_attributes[] = {
    [SPLIT_AXIS] = {.name = "axis", .type = WLK_ATTR_INT, .i = 0},
    [SPLIT_KEEPDIMS] = {.name = "keepdims", .type = WLK_ATTR_INT, .i = 1}};
static const attribute_row concat_attributes[] = {
    [CONCAT_AXIS] = {.name = "axis", .type = WLK_ATTR_INT, .required = true},
    [CONCAT_NEW_AXIS] = {.name = "new_axis", .type = WLK_ATTR_INT, .i = 0}};
static const attribute_row body_attribute[] = {
    {.name = "body", .type = WLK_ATTR_GRAPH, .required = true}};

#define ROW(op_name, version, least, most, op_ports, op_infer, op_run)                        \
    .domain = "", .name = op_name, .since = version, .min_inputs = least, .max_inputs = most, \
    .min_outputs = 1, .max_outputs = 1, .ports = op_ports, .infer = op_infer, .control = op_run
#define SPLIT(version, op_ports)                                                 \
    {                                                                            \
        ROW("SplitToSequence", version, 1, 2, op_ports, split_infer, split_run), \
            .attributes = split_attributes, .attribute_count = 2                 \
    }

static const op_row rows[] = {
    {ROW("SequenceConstruct", 11, 1, OP_MANY, construct_ports, construct_infer, construct_run)},
    {ROW("SequenceEmpty", 11, 0, 0, construct_ports, empty_infer, empty_run),
     .attributes = empty_attributes, .attribute_count = 1},
    {ROW("SequenceInsert", 11, 2, 3, insert_ports, insert_infer, insert_run),
     .kinds = insert_kinds},
    {ROW("SequenceErase", 11, 1, 2, at_ports, same_sequence_infer, erase_run), .kinds = at_kinds},
    {ROW("SequenceAt", 11, 2, 2, at_ports, at_infer, at_run), .kinds = at_kinds},
    {ROW("SequenceLength", 11, 1, 1, at_ports, length_infer, length_run), .kinds = at_kinds},
    SPLIT(11, split_ports),
    SPLIT(24, split_ports_24),
    {ROW("ConcatFromSequence", 11, 1, 1, at_ports, concat_infer, concat_run), .kinds = at_kinds,
     .attributes = concat_attributes, .attribute_count = 2},
    {.domain = "",
     .name = "SequenceMap",
     .since = 17,
     .min_inputs = 1,
     .max_inputs = OP_MANY,
     .min_outputs = 1,
     .max_outputs = OP_MANY,
     .ports = map_ports,
     .port_count = 2,
     .kinds = map_kinds,
     .attributes = body_attribute,
     .attribute_count = 1,
     .infer = map_infer,
     .control = map_run},
};

const op_family ops_sequence = {rows, sizeof rows / sizeof *rows};

#include "infer/subgraph.h"

#include <string.h>

/* ---- planning */

uint32_t subgraph_index(const op_call *call, uint32_t attribute) {
    return (uint32_t)op_attribute(call, attribute).i;
}

const plan_graph *subgraph_of(const wlk_plan *plan, const op_call *call, uint32_t attribute) {
    return &plan->graphs[subgraph_index(call, attribute)];
}

const op_tensor *subgraph_output(const op_call *call, uint32_t attribute, uint32_t i) {
    const wlk_plan *plan = call->planner->plan;
    return plan_edge(plan, plan->values, subgraph_of(plan, call, attribute)->outputs[i]);
}

/* The model may say what the input is; what it says of the shape of something that
 * changes from round to round is not believed. */
static wlk_status check_input(const op_call *call, uint32_t value, const op_tensor *type) {
    planner *p = call->planner;
    op_tensor declared;
    if (wlk_model_value(call->model, value).type == WLK_NONE) return WLK_OK;
    TRY(planner_type(p, value, &declared));
    const bool wraps = declared.kind == VALUE_OPTIONAL_SEQUENCE && type->kind == VALUE_SEQUENCE;
    if (declared.dtype == type->dtype && (declared.kind == type->kind || wraps)) return WLK_OK;
    char is[TENSOR_TEXT_BYTES];
    char says[TENSOR_TEXT_BYTES];
    return op_fail(call, RULE_PLAN_DECLARED, "'%.40s' is %s, declared %s",
                   wlk_model_value(call->model, value).name, tensor_text(type, is),
                   tensor_text(&declared, says));
}

wlk_status subgraph_plan(const op_call *call, uint32_t attribute, const op_tensor *types,
                         uint32_t inputs, uint32_t outputs) {
    planner *p = call->planner;
    const plan_graph *g = subgraph_of(p->plan, call, attribute);
    if (g->input_count != inputs) {
        return op_fail(call, RULE_PLAN_ARITY, "its graph has %u inputs, must be %u", g->input_count,
                       inputs);
    }
    if (g->output_count < outputs) {
        return op_fail(call, RULE_PLAN_ARITY, "its graph has %u outputs, must be %u or more",
                       g->output_count, outputs);
    }
    for (uint32_t i = 0; i < inputs; i++) {
        TRY(check_input(call, g->inputs[i], &types[i]));
        p->plan->values[g->inputs[i]] = types[i];
        p->plan->values[g->inputs[i]].origin = ORIGIN_NODE;
    }
    return planner_graph(p, subgraph_index(call, attribute), call->node_index);
}

/* ---- running */

wlk_status held_room(run *r, uint64_t count, run_buffer **room, held **out) {
    TRY(buffer_take(r, count * sizeof(held), room));
    *out = buffer_data(*room);
    if (count > 0) memset(*out, 0, count * sizeof(held));
    return WLK_OK;
}

void subgraph_lend(run *r, uint32_t value, const op_tensor *from) {
    r->values[value] = *from;
    r->places[value] = (run_place){.kind = PLACE_LENT};
}

wlk_status subgraph_run(run *r, uint32_t graph, held *outputs) {
    const plan_graph *g = &r->plan->graphs[graph];
    const early_mark mark = early_now(r);
    TRY(frame_run(r, graph));
    for (uint32_t i = 0; i < g->output_count; i++) {
        TRY(frame_take(r, g->outputs[i], &outputs[i]));
    }
    frame_clear(r, graph);
    early_back(r, mark);
    return WLK_OK;
}

/* An optional around a tensor. */
static wlk_status wrap_tensor(run *r, held *value) {
    run_buffer *list = NULL;
    TRY(items_take(r, 1, &list));
    items_set(list, 0, value);
    *value = held_list(VALUE_OPTIONAL, value->tensor.dtype, list);
    return WLK_OK;
}

/* The tensor in an optional. */
static void unwrap_tensor(run *r, held *value) {
    held item = {.tensor = value->tensor.items[0]};
    if (value->owner) item.owner = buffer_share(items_owners(value->owner)[0]);
    held_drop(r, value);
    *value = item;
}

wlk_status held_as(run *r, held *value, value_kind kind) {
    const value_kind from = value->tensor.kind;
    if (from == kind) return WLK_OK;
    if (from == VALUE_TENSOR && kind == VALUE_OPTIONAL) return wrap_tensor(r, value);
    if (from == VALUE_OPTIONAL && kind == VALUE_TENSOR && value->tensor.item_count == 1) {
        unwrap_tensor(r, value);
        return WLK_OK;
    }
    const bool is_sequence = from == VALUE_SEQUENCE && kind == VALUE_OPTIONAL_SEQUENCE;
    const bool was_sequence = from == VALUE_OPTIONAL_SEQUENCE && kind == VALUE_SEQUENCE;
    if (!is_sequence && !was_sequence) {
        return error_text(r->error, RULE_RUN_VALUE, WLK_NO_OFFSET,
                          "an optional holds nothing, where something must be");
    }
    value->tensor.kind = kind;
    value->tensor.present = true;
    return WLK_OK;
}

wlk_status read_bool(const op_call *call, const op_tensor *tensor, bool *out) {
    if (tensor->count != 1) {
        return op_fail(call, RULE_RUN_VALUE, "a condition of %llu elements",
                       (unsigned long long)tensor->count);
    }
    *out = *(const uint8_t *)tensor->data != 0;
    return WLK_OK;
}

wlk_status read_i64(const op_call *call, const op_tensor *tensor, int64_t *out) {
    if (tensor->count != 1) {
        return op_fail(call, RULE_RUN_VALUE, "one number is wanted, there are %llu",
                       (unsigned long long)tensor->count);
    }
    *out = op_int(tensor, 0);
    return WLK_OK;
}

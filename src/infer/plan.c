#include "infer/plan.h"

#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "infer/parallel.h"
#include "infer/plan_internal.h"

const op_tensor *plan_edge(const wlk_plan *plan, const op_tensor *values, uint32_t edge) {
    if (edge & OP_CONSTANT) return &plan->constants[edge & ~OP_CONSTANT];
    return &values[edge];
}

const char *plan_edge_name(const wlk_plan *plan, uint32_t edge) {
    if (edge & OP_CONSTANT) return wlk_model_tensor(plan->model, edge & ~OP_CONSTANT).name;
    return wlk_model_value(plan->model, edge).name;
}

op_call plan_call(const wlk_plan *plan, op_tensor *values, uint32_t node, wlk_error *error) {
    return (op_call){.model = plan->model,
                     .node = &plan->nodes[node],
                     .node_index = node,
                     .values = values,
                     .constants = plan->constants,
                     .error = error,
                     .pool = plan->pool};
}

static uint64_t saturating_add(uint64_t a, uint64_t b) {
    uint64_t sum;
    return checked_add(a, b, &sum) ? sum : UINT64_MAX;
}

static uint64_t elements_of(const op_tensor *tensor) {
    if (!tensor) return 0;
    uint64_t sum = saturating_add(tensor->count, tensor->text_bytes);
    for (uint64_t i = 0; i < tensor->item_count; i++) {
        sum = saturating_add(sum, tensor->items[i].count);
        sum = saturating_add(sum, tensor->items[i].text_bytes);
    }
    return sum;
}

uint64_t node_operations(op_call *call) {
    const bool dims = call->node->row->flags & OP_DIMS;
    for (uint32_t i = 0; i < call->node->inputs && !dims; i++) {
        op_add_operations(call, OP_ELEMENT_COST, elements_of(op_input(call, i)), 1, 1);
    }
    for (uint32_t i = 0; i < call->node->outputs; i++) {
        op_add_operations(call, OP_ELEMENT_COST, elements_of(op_output(call, i)), 1, 1);
    }
    return call->operations;
}

uint32_t planner_edge(wlk_ref ref) {
    if (ref.kind == WLK_REF_NONE) return WLK_NONE;
    return ref.kind == WLK_REF_TENSOR ? ref.index | OP_CONSTANT : ref.index;
}

/* ---- types */

static wlk_status refuse_type(const planner *p, uint32_t value) {
    return error_text(p->error, RULE_PLAN_TYPE, WLK_NO_OFFSET, "value '%.60s'",
                      wlk_model_value(p->plan->model, value).name);
}

/* The kind of a type, and the type of the tensors inside: what wlk_value_kind has, no
 * deeper nesting. */
static bool unwrap_type(const wlk_model *model, wlk_type *type, op_tensor *out) {
    const wlk_type_kind outer = type->kind;
    out->kind = VALUE_TENSOR;
    if (outer == WLK_TYPE_TENSOR) return true;
    out->kind = outer == WLK_TYPE_MAP        ? VALUE_MAP
                : outer == WLK_TYPE_SEQUENCE ? VALUE_SEQUENCE
                                             : VALUE_OPTIONAL;
    out->key_dtype = outer == WLK_TYPE_MAP ? type->key_dtype : WLK_DTYPE_NONE;
    *type = wlk_model_type(model, type->element);
    if (type->kind == WLK_TYPE_TENSOR) return true;
    if (outer == WLK_TYPE_OPTIONAL && type->kind == WLK_TYPE_SEQUENCE) {
        out->kind = VALUE_OPTIONAL_SEQUENCE;
    } else if (outer == WLK_TYPE_SEQUENCE && type->kind == WLK_TYPE_MAP) {
        out->kind = VALUE_MAPS;
        out->key_dtype = type->key_dtype;
    } else {
        return false;
    }
    *type = wlk_model_type(model, type->element);
    return type->kind == WLK_TYPE_TENSOR;
}

bool planner_type_of(const wlk_model *model, uint32_t index, op_tensor *out) {
    wlk_type type = wlk_model_type(model, index);
    *out = (op_tensor){.rank = WLK_NONE};
    if (!unwrap_type(model, &type, out) || type.dtype == WLK_BLOCK) return false;
    out->dtype = type.dtype;
    if (!type.has_shape || (out->kind != VALUE_TENSOR && out->kind != VALUE_OPTIONAL)) return true;
    out->rank = type.rank;
    for (uint32_t i = 0; i < type.rank; i++) out->dims[i] = type.dims[i];
    return true;
}

wlk_status planner_type(const planner *p, uint32_t value, op_tensor *out) {
    const uint32_t type = wlk_model_value(p->plan->model, value).type;
    if (type == WLK_NONE || !planner_type_of(p->plan->model, type, out)) {
        return refuse_type(p, value);
    }
    return WLK_OK;
}

/* ---- opsets: one pass over the model's list, whatever its length */

static void read_opsets(planner *p) {
    const wlk_model *model = p->plan->model;
    const uint32_t count = wlk_model_count(model, WLK_SECTION_OPSETS);
    for (uint32_t i = 0; i < count; i++) {
        const wlk_opset opset = wlk_model_opset(model, i);
        const uint32_t domain = ops_domain(opset.domain);
        if (domain < OP_DOMAINS && opset.version > p->opsets[domain]) {
            p->opsets[domain] = opset.version;
        }
    }
}

/* ---- values */

wlk_status planner_u32(const planner *p, uint64_t count, uint32_t **out) {
    void *list = NULL;
    TRY(plan_take(&p->plan->memory, count, sizeof(uint32_t), &list, p->error));
    *out = list;
    return WLK_OK;
}

static wlk_status take_tensors(const planner *p, uint64_t count, op_tensor **out) {
    void *list = NULL;
    TRY(plan_take(&p->plan->memory, count, sizeof(op_tensor), &list, p->error));
    *out = list;
    return WLK_OK;
}

static wlk_status read_constants(planner *p) {
    wlk_plan *plan = p->plan;
    plan->constant_count = wlk_model_count(plan->model, WLK_SECTION_TENSORS);
    TRY(take_tensors(p, plan->constant_count, &plan->constants));
    for (uint32_t i = 0; i < plan->constant_count; i++) {
        const wlk_tensor tensor = wlk_model_tensor(plan->model, i);
        if (!tensor.data && tensor.nbytes > 0) { /* of a lazy model */
            return error_text(p->error, RULE_PLAN_ABSENT, WLK_NO_OFFSET, "tensor '%.60s'",
                              tensor.name);
        }
        plan->constants[i] = tensor_from(&tensor, ORIGIN_CONSTANT);
    }
    return WLK_OK;
}

static wlk_status make_values(planner *p) {
    wlk_plan *plan = p->plan;
    void *wanted = NULL;
    plan->value_count = wlk_model_count(plan->model, WLK_SECTION_VALUES);
    TRY(take_tensors(p, plan->value_count, &plan->values));
    TRY(planner_u32(p, plan->value_count, &plan->last_use));
    TRY(planner_u32(p, plan->value_count, &plan->homes));
    TRY(plan_take(&plan->memory, plan->value_count, 1, &wanted, p->error));
    p->wanted = wanted;
    for (uint32_t i = 0; i < plan->value_count; i++) plan->last_use[i] = LAST_USE_NEVER;
    return WLK_OK;
}

/* ---- graphs */

/* Inputs of the main graph have the types that the model says; those of a subgraph got
 * theirs from the node that holds it. */
static wlk_status read_inputs(planner *p, uint32_t graph) {
    wlk_plan *plan = p->plan;
    plan_graph *g = &plan->graphs[graph];
    for (uint32_t i = 0; i < g->input_count; i++) {
        const uint32_t value = g->inputs[i];
        if (graph > 0) continue;
        TRY(planner_type(p, value, &plan->values[value]));
        plan->values[value].origin = ORIGIN_INPUT;
    }
    return WLK_OK;
}

static wlk_status check_output(const planner *p, const plan_graph *g, uint32_t i) {
    const uint32_t edge = g->outputs[i];
    if (edge == WLK_NONE || plan_edge(p->plan, p->plan->values, edge)->origin == ORIGIN_UNDEFINED) {
        return error_text(p->error, RULE_PLAN_ORDER, WLK_NO_OFFSET, "output %u", i);
    }
    if (plan_edge(p->plan, p->plan->values, edge)->dtype == WLK_BLOCK) {
        return error_text(p->error, RULE_PLAN_TYPE, WLK_NO_OFFSET, "output %u", i);
    }
    return WLK_OK;
}

/* The lists of every graph, and the graph of every value. */
static wlk_status read_graph(planner *p, uint32_t graph) {
    wlk_plan *plan = p->plan;
    const wlk_graph from = wlk_model_graph(plan->model, graph);
    plan_graph *g = &plan->graphs[graph];
    *g = (plan_graph){.first_node = from.first_node,
                      .node_count = from.nodes,
                      .input_count = from.inputs,
                      .output_count = from.outputs,
                      .weight = 1 + (uint64_t)from.inputs + from.outputs,
                      .holder = WLK_NONE};
    TRY(planner_u32(p, g->input_count, &g->inputs));
    TRY(planner_u32(p, g->output_count, &g->outputs));
    for (uint32_t i = 0; i < g->input_count; i++) {
        g->inputs[i] = wlk_model_graph_input(plan->model, graph, i);
        plan->homes[g->inputs[i]] = graph;
    }
    for (uint32_t i = 0; i < g->output_count; i++) {
        g->outputs[i] = planner_edge(wlk_model_graph_output(plan->model, graph, i));
    }
    return WLK_OK;
}

static wlk_status read_graphs(planner *p) {
    wlk_plan *plan = p->plan;
    void *graphs = NULL;
    void *nodes = NULL;
    plan->graph_count = wlk_model_count(plan->model, WLK_SECTION_GRAPHS);
    plan->node_count = wlk_model_count(plan->model, WLK_SECTION_NODES);
    if (plan->graph_count == 0) return error_at(p->error, RULE_PLAN_GRAPH, WLK_NO_OFFSET);
    TRY(plan_take(&plan->memory, plan->graph_count, sizeof(plan_graph), &graphs, p->error));
    TRY(plan_take(&plan->memory, plan->node_count, sizeof(plan_node), &nodes, p->error));
    plan->graphs = graphs;
    plan->nodes = nodes;
    for (uint32_t i = 0; i < plan->graph_count; i++) TRY(read_graph(p, i));
    return WLK_OK;
}

wlk_status planner_graph(planner *p, uint32_t graph, uint32_t holder) {
    plan_graph *g = &p->plan->graphs[graph];
    g->holder = holder;
    TRY(read_inputs(p, graph));
    for (uint32_t i = 0; i < g->node_count; i++) {
        TRY(planner_node(p, g->first_node + i));
        const plan_node *node = &p->plan->nodes[g->first_node + i];
        g->weight += 1 + (uint64_t)node->inputs + node->outputs;
    }
    for (uint32_t i = 0; i < g->output_count; i++) TRY(check_output(p, g, i));
    return WLK_OK;
}

/* ---- what a result needs to know of its outputs */

static wlk_status describe_outputs(planner *p) {
    wlk_plan *plan = p->plan;
    const plan_graph *g = &plan->graphs[0];
    void *names = NULL;
    plan->only_tensors = true;
    for (uint32_t i = 0; i < g->output_count; i++) {
        const op_tensor *output = plan_edge(plan, plan->values, g->outputs[i]);
        plan->only_tensors = plan->only_tensors && output->kind == VALUE_TENSOR;
        plan->name_bytes += strlen(plan_edge_name(plan, g->outputs[i])) + 1;
    }
    TRY(plan_take(&plan->memory, plan->name_bytes, 1, &names, p->error));
    char *at = names;
    plan->names = names;
    for (uint32_t i = 0; i < g->output_count; i++) {
        const char *name = plan_edge_name(plan, g->outputs[i]);
        memcpy(at, name, strlen(name) + 1);
        at += strlen(name) + 1;
    }
    return WLK_OK;
}

wlk_status planner_shadow(planner *p, uint64_t edges) {
    void *room = NULL;
    if (edges > UINT32_MAX) return error_at(p->error, RULE_PLAN_MEMORY, WLK_NO_OFFSET);
    if (edges > p->plan->half_edges) p->plan->half_edges = (uint32_t)edges;
    if (edges <= p->shadow_edges) return WLK_OK;
    TRY(plan_take(&p->plan->memory, half_shadow_bytes(edges), 1, &room, p->error));
    p->shadow = half_shadow_at(room, edges);
    p->shadow_edges = edges;
    return WLK_OK;
}

static wlk_status make_plan(planner *p) {
    TRY(read_constants(p));
    TRY(make_values(p));
    TRY(read_graphs(p));
    read_opsets(p);
    TRY(planner_graph(p, 0, WLK_NONE));
    TRY(planner_uses(p));
    return describe_outputs(p);
}

/* Folding may take this share of what a run may. */
#define FOLD_SHARE 8

static wlk_status plan_new(const wlk_model *model, const wlk_limits *limits, uint32_t threads,
                           wlk_plan **plan, wlk_error *error) {
    wlk_plan *made = mem_zeroed(1, sizeof *made);
    if (!made) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    *plan = made;
    made->model = model;
    wlk_limits_default(&made->limits);
    if (limits) made->limits = *limits;
    made->memory.budget = made->limits.run_bytes;
    return parallel_pool_new(threads, &made->pool, error);
}

wlk_status wlk_plan_create_with(const wlk_model *model, const wlk_limits *limits,
                                const wlk_plan_options *options, wlk_plan **plan,
                                wlk_error *error) {
    planner p = {.error = error};
    *plan = NULL;
    const uint32_t threads = options && options->threads ? options->threads : 1;
    wlk_status status = plan_new(model, limits, threads, &p.plan, error);
    if (status == WLK_OK) {
        p.fold_bytes = p.plan->limits.run_bytes / FOLD_SHARE;
        p.fold_operations = p.plan->limits.run_operations / FOLD_SHARE;
        status = make_plan(&p);
    }
    if (status != WLK_OK) {
        wlk_plan_free(p.plan);
        return status;
    }
    *plan = p.plan;
    return WLK_OK;
}

wlk_status wlk_plan_create(const wlk_model *model, const wlk_limits *limits, wlk_plan **plan,
                           wlk_error *error) {
    return wlk_plan_create_with(model, limits, NULL, plan, error);
}

void wlk_plan_free(wlk_plan *plan) {
    if (!plan) return;
    parallel_pool_free(plan->pool);
    plan_memory_free(&plan->memory);
    mem_free(plan);
}

/* ---- ports */

static wlk_port port_of(const wlk_plan *plan, uint32_t edge) {
    const op_tensor *tensor = plan_edge(plan, plan->values, edge);
    wlk_port port = {.name = plan_edge_name(plan, edge),
                     .dtype = tensor->dtype,
                     .rank = tensor->rank,
                     .kind = (wlk_value_kind)tensor->kind,
                     .key_dtype = tensor->key_dtype};
    for (uint32_t i = 0; i < WLK_MAX_RANK; i++) port.dims[i] = tensor->dims[i];
    return port;
}

static const wlk_port no_port = {.name = "", .dtype = WLK_DTYPE_NONE};

uint32_t wlk_plan_inputs(const wlk_plan *plan) {
    return plan->graphs[0].input_count;
}

uint32_t wlk_plan_outputs(const wlk_plan *plan) {
    return plan->graphs[0].output_count;
}

wlk_port wlk_plan_input(const wlk_plan *plan, uint32_t i) {
    const plan_graph *g = &plan->graphs[0];
    return i < g->input_count ? port_of(plan, g->inputs[i]) : no_port;
}

wlk_port wlk_plan_output(const wlk_plan *plan, uint32_t i) {
    const plan_graph *g = &plan->graphs[0];
    return i < g->output_count ? port_of(plan, g->outputs[i]) : no_port;
}

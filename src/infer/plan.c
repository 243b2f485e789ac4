#include "infer/plan.h"

#include "base/memory.h"
#include "infer/blas.h"
#include "infer/plan_internal.h"

const op_tensor *plan_edge(const wlk_plan *plan, const op_tensor *values, uint32_t edge) {
    if (edge & OP_CONSTANT) return &plan->constants[edge & ~OP_CONSTANT];
    return &values[edge];
}

const char *plan_edge_name(const wlk_plan *plan, uint32_t edge) {
    if (edge & OP_CONSTANT) return wlk_model_tensor(plan->model, edge & ~OP_CONSTANT).name;
    return wlk_model_value(plan->model, edge).name;
}

op_call plan_call(const wlk_plan *plan, op_tensor *values, uint32_t position, wlk_error *error) {
    return (op_call){.model = plan->model,
                     .node = &plan->nodes[position],
                     .node_index = plan->first_node + position,
                     .values = values,
                     .constants = plan->constants,
                     .error = error};
}

uint32_t planner_edge(wlk_ref ref) {
    if (ref.kind == WLK_REF_NONE) return WLK_NONE;
    return ref.kind == WLK_REF_TENSOR ? ref.index | OP_CONSTANT : ref.index;
}

/* ---- types */

wlk_status planner_type(const planner *p, uint32_t value, op_tensor *out) {
    const wlk_value from = wlk_model_value(p->plan->model, value);
    const wlk_type type = wlk_model_type(p->plan->model, from.type);
    if (from.type == WLK_NONE || type.kind != WLK_TYPE_TENSOR || type.dtype == WLK_BLOCK) {
        return error_text(p->error, RULE_PLAN_TYPE, WLK_NO_OFFSET, "value '%.60s'", from.name);
    }
    *out = (op_tensor){.dtype = type.dtype, .rank = type.has_shape ? type.rank : WLK_NONE};
    for (uint32_t i = 0; type.has_shape && i < type.rank; i++) out->dims[i] = type.dims[i];
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

static wlk_status take_u32(const planner *p, uint64_t count, uint32_t **out) {
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
    plan->value_count = wlk_model_count(plan->model, WLK_SECTION_VALUES);
    TRY(take_tensors(p, plan->value_count, &plan->values));
    TRY(take_u32(p, plan->value_count, &plan->last_use));
    for (uint32_t i = 0; i < plan->value_count; i++) plan->last_use[i] = LAST_USE_NEVER;
    return WLK_OK;
}

static wlk_status read_inputs(planner *p) {
    wlk_plan *plan = p->plan;
    plan->input_count = wlk_model_graph(plan->model, 0).inputs;
    TRY(take_u32(p, plan->input_count, &plan->inputs));
    for (uint32_t i = 0; i < plan->input_count; i++) {
        const uint32_t value = wlk_model_graph_input(plan->model, 0, i);
        TRY(planner_type(p, value, &plan->values[value]));
        plan->values[value].origin = ORIGIN_INPUT;
        plan->inputs[i] = value;
    }
    return WLK_OK;
}

static wlk_status read_outputs(planner *p) {
    wlk_plan *plan = p->plan;
    plan->output_count = wlk_model_graph(plan->model, 0).outputs;
    TRY(take_u32(p, plan->output_count, &plan->outputs));
    for (uint32_t i = 0; i < plan->output_count; i++) {
        const uint32_t edge = planner_edge(wlk_model_graph_output(plan->model, 0, i));
        plan->outputs[i] = edge;
        if (edge == WLK_NONE || plan_edge(plan, plan->values, edge)->origin == ORIGIN_UNDEFINED) {
            return error_text(p->error, RULE_PLAN_ORDER, WLK_NO_OFFSET, "output %u", i);
        }
        if (plan_edge(plan, plan->values, edge)->dtype == WLK_BLOCK) {
            return error_text(p->error, RULE_PLAN_TYPE, WLK_NO_OFFSET, "output %u", i);
        }
        if (!(edge & OP_CONSTANT)) plan->last_use[edge] = LAST_USE_RESULT;
    }
    return WLK_OK;
}

/* ---- nodes */

static wlk_status read_nodes(planner *p) {
    wlk_plan *plan = p->plan;
    const wlk_graph graph = wlk_model_graph(plan->model, 0);
    void *list = NULL;
    TRY(plan_take(&plan->memory, graph.nodes, sizeof(plan_node), &list, p->error));
    plan->nodes = list;
    plan->first_node = graph.first_node;
    plan->node_count = graph.nodes;
    for (uint32_t i = 0; i < graph.nodes; i++) TRY(planner_node(p, i));
    return WLK_OK;
}

static void find_last_uses(wlk_plan *plan) {
    for (uint32_t i = 0; i < plan->node_count; i++) {
        const plan_node *node = &plan->nodes[i];
        for (uint32_t j = 0; j < node->inputs; j++) {
            const uint32_t edge = node->edges[j];
            if (!(edge & OP_CONSTANT)) plan->last_use[edge] = i; /* WLK_NONE has the bit too */
        }
    }
}

/* How many values that nodes make there are at once, outputs of the graph not
 * counted: those have memory of their own. */
static wlk_status count_live(planner *p) {
    wlk_plan *plan = p->plan;
    uint32_t *deaths = NULL; /* of each node: values whose last use it is */
    TRY(take_u32(p, plan->node_count, &deaths));
    uint32_t live = 0;
    for (uint32_t i = 0; i < plan->node_count; i++) {
        const plan_node *node = &plan->nodes[i];
        uint32_t unread = 0;
        for (uint32_t j = 0; j < node->outputs; j++) {
            const uint32_t edge = node->edges[node->inputs + j];
            if (edge == WLK_NONE || plan->last_use[edge] == LAST_USE_RESULT) continue;
            const bool read = plan->last_use[edge] != LAST_USE_NEVER;
            if (read) deaths[plan->last_use[edge]]++;
            unread += !read;
            live++;
        }
        if (live > plan->live_values) plan->live_values = live;
        live -= deaths[i] + unread;
    }
    return WLK_OK;
}

static wlk_status make_plan(planner *p) {
    if (wlk_model_count(p->plan->model, WLK_SECTION_GRAPHS) == 0) {
        return error_at(p->error, RULE_PLAN_GRAPH, WLK_NO_OFFSET);
    }
    read_opsets(p);
    TRY(read_constants(p));
    TRY(make_values(p));
    TRY(read_inputs(p));
    TRY(read_nodes(p));
    find_last_uses(p->plan);
    TRY(read_outputs(p));
    return count_live(p);
}

wlk_status wlk_plan_create(const wlk_model *model, const wlk_limits *limits, wlk_plan **plan,
                           wlk_error *error) {
    *plan = NULL;
    planner p = {.plan = mem_zeroed(1, sizeof(wlk_plan)), .error = error};
    if (!p.plan) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    p.plan->model = model;
    wlk_limits_default(&p.plan->limits);
    if (limits) p.plan->limits = *limits;
    p.plan->memory.budget = p.plan->limits.run_bytes;
    const wlk_status status = make_plan(&p);
    if (status != WLK_OK) {
        wlk_plan_free(p.plan);
        return status;
    }
    blas_warm_up();
    *plan = p.plan;
    return WLK_OK;
}

void wlk_plan_free(wlk_plan *plan) {
    if (!plan) return;
    plan_memory_free(&plan->memory);
    mem_free(plan);
}

/* ---- ports */

static wlk_port port_of(const wlk_plan *plan, uint32_t edge) {
    const op_tensor *tensor = plan_edge(plan, plan->values, edge);
    wlk_port port = {
        .name = plan_edge_name(plan, edge), .dtype = tensor->dtype, .rank = tensor->rank};
    for (uint32_t i = 0; i < WLK_MAX_RANK; i++) port.dims[i] = tensor->dims[i];
    return port;
}

static const wlk_port no_port = {.name = "", .dtype = WLK_DTYPE_NONE};

uint32_t wlk_plan_inputs(const wlk_plan *plan) {
    return plan->input_count;
}

uint32_t wlk_plan_outputs(const wlk_plan *plan) {
    return plan->output_count;
}

wlk_port wlk_plan_input(const wlk_plan *plan, uint32_t i) {
    return i < plan->input_count ? port_of(plan, plan->inputs[i]) : no_port;
}

wlk_port wlk_plan_output(const wlk_plan *plan, uint32_t i) {
    return i < plan->output_count ? port_of(plan, plan->outputs[i]) : no_port;
}

#include <string.h>

#include "infer/plan_internal.h"
#include "infer/shape.h"

/* ---- the operator */

/* ops_find, but for what was found before. */
static const op_row *find_row(planner *p, uint32_t domain, const char *name) {
    found_operator *found = &p->found[(uintptr_t)name % PLANNER_FOUND];
    if (found->name != name || found->domain != domain) {
        *found = (found_operator){name, domain, ops_find(domain, name, p->opsets[domain])};
    }
    return found->row;
}

static wlk_status find_operator(planner *p, const op_call *call, plan_node *node) {
    const wlk_node from = wlk_model_node(p->plan->model, call->node_index);
    const uint32_t domain = ops_domain(from.domain);
    if (domain == OP_DOMAINS) return op_fail(call, RULE_PLAN_OPERATOR, "unknown domain");
    const op_domain *d = &op_domains[domain];
    const uint32_t opset = p->opsets[domain];
    if (opset < d->oldest || opset > d->newest) {
        return op_fail(call, RULE_PLAN_OPSET, "opset %u of %s, this build knows %u to %u", opset,
                       d->title, d->oldest, d->newest);
    }
    node->row = find_row(p, domain, from.op);
    if (node->row) return WLK_OK;
    return op_fail(call, RULE_PLAN_OPERATOR, "none in opset %u of %s", opset, d->title);
}

/* ---- inputs and outputs */

static wlk_status check_count(const op_call *call, const char *what, uint32_t count, uint32_t least,
                              uint32_t most) {
    if (count >= least && count <= most) return WLK_OK;
    if (most == OP_MANY) {
        return op_fail(call, RULE_PLAN_ARITY, "%u %s, must be %u or more", count, what, least);
    }
    return op_fail(call, RULE_PLAN_ARITY, "%u %s, must be %u to %u", count, what, least, most);
}

/* Edges `first` to `first + count`, but for the first `optional` of them, must not be
 * omitted. */
static wlk_status check_given(const op_call *call, const char *what, uint32_t first,
                              uint32_t optional, uint32_t count) {
    for (uint32_t i = optional; i < count; i++) {
        if (call->node->edges[first + i] == WLK_NONE) {
            return op_fail(call, RULE_PLAN_ARITY, "%s %u is omitted", what, i);
        }
    }
    return WLK_OK;
}

/* Of inputs without end, the last port's are all given. */
static wlk_status check_arity(const op_call *call) {
    const plan_node *node = call->node;
    const op_row *row = node->row;
    const uint32_t single = row->port_count ? row->port_count - 1 : 0;
    TRY(check_count(call, "inputs", node->inputs, row->min_inputs, row->max_inputs));
    TRY(check_count(call, "outputs", node->outputs, row->min_outputs, row->max_outputs));
    TRY(check_given(call, "input", 0, 0, row->min_inputs));
    if (row->max_inputs == OP_MANY) TRY(check_given(call, "input", 0, single, node->inputs));
    return check_given(call, "output", node->inputs, 0, row->min_outputs);
}

/* The last port of many serves for all that follow. */
static uint32_t port_index(const op_row *row, uint32_t i) {
    const uint32_t count = row->port_count ? row->port_count : 1;
    return row->max_inputs == OP_MANY && i >= count ? count - 1 : i;
}

static const op_port *port_of(const op_row *row, uint32_t i) {
    return &row->ports[port_index(row, i)];
}

static wlk_status check_variable(const op_call *call, uint32_t i, wlk_dtype bound[128]) {
    const op_port *port = port_of(call->node->row, i);
    const wlk_dtype dtype = op_input(call, i)->dtype;
    wlk_dtype *slot = &bound[port->variable & 127];
    if (port->variable == 0) return WLK_OK;
    if (*slot == WLK_DTYPE_NONE) *slot = dtype;
    if (*slot == dtype) return WLK_OK;
    return op_fail(call, RULE_PLAN_MIXED, "input %u (%s) is %s, another is %s", i, port->name,
                   wlk_dtype_name(dtype), wlk_dtype_name(*slot));
}

static wlk_status check_kind(const op_call *call, uint32_t i) {
    const op_row *row = call->node->row;
    const uint32_t kinds = row->kinds ? row->kinds[port_index(row, i)] : VALUE_BIT(VALUE_TENSOR);
    if (kinds & VALUE_BIT(op_input(call, i)->kind)) return WLK_OK;
    char text[TENSOR_TEXT_BYTES];
    return op_fail(call, RULE_PLAN_DTYPE, "input %u (%s) is %s", i, port_of(row, i)->name,
                   tensor_text(op_input(call, i), text));
}

static wlk_status check_dtypes(const op_call *call) {
    wlk_dtype bound[128] = {WLK_DTYPE_NONE};
    for (uint32_t i = 0; i < call->node->inputs; i++) {
        const op_tensor *in = op_input(call, i);
        const op_port *port = port_of(call->node->row, i);
        if (!in) continue;
        if (in->origin == ORIGIN_UNDEFINED) return op_fail(call, RULE_PLAN_ORDER, "input %u", i);
        TRY(check_kind(call, i));
        if (!(port->dtypes & DTYPE_BIT(in->dtype))) {
            return op_fail(call, RULE_PLAN_DTYPE, "input %u (%s) is %s", i, port->name,
                           wlk_dtype_name(in->dtype));
        }
        TRY(check_variable(call, i, bound));
    }
    return WLK_OK;
}

/* ---- outputs against what the model declares for them */

static bool ranks_agree(const op_tensor *a, const op_tensor *b) {
    return a->rank == b->rank || a->rank == WLK_NONE || b->rank == WLK_NONE;
}

/* Does the declaration fit what was inferred? What only it knows is believed,
 * and checked when a run is bound. A dim that it gets wrong does not count: exporters
 * declare outputs of one column where there are several. */
static bool merge_declared(op_tensor *out, const op_tensor *declared) {
    if (out->dtype != declared->dtype || !ranks_agree(out, declared)) return false;
    if (out->kind != declared->kind || out->key_dtype != declared->key_dtype) return false;
    if (declared->rank == WLK_NONE) return true;
    if (out->rank == WLK_NONE) {
        out->rank = declared->rank;
        memcpy(out->dims, declared->dims, sizeof out->dims);
        return true;
    }
    for (uint32_t i = 0; i < out->rank; i++) {
        if (dim_agrees(out->dims[i], declared->dims[i])) {
            out->dims[i] = dim_known(out->dims[i], declared->dims[i]);
        }
    }
    return true;
}

static wlk_status check_declared(const planner *p, const op_call *call, uint32_t value) {
    const wlk_value from = wlk_model_value(p->plan->model, value);
    op_tensor declared = {.rank = WLK_NONE};
    if (from.type == WLK_NONE) return WLK_OK;
    TRY(planner_type(p, value, &declared));
    if (merge_declared(&call->values[value], &declared)) return WLK_OK;
    char is[TENSOR_TEXT_BYTES];
    char says[TENSOR_TEXT_BYTES];
    return op_fail(call, RULE_PLAN_DECLARED, "'%.40s' is %s, declared %s", from.name,
                   tensor_text(&call->values[value], is), tensor_text(&declared, says));
}

/* ---- the node */

static wlk_status read_edges(const planner *p, const op_call *call, plan_node *node) {
    const wlk_node from = wlk_model_node(p->plan->model, call->node_index);
    uint32_t *edges = NULL;
    TRY(planner_u32(p, (uint64_t)from.inputs + from.outputs, &edges));
    for (uint32_t i = 0; i < from.inputs; i++) {
        edges[i] = planner_edge(wlk_model_node_input(p->plan->model, call->node_index, i));
    }
    for (uint32_t i = 0; i < from.outputs; i++) {
        const uint32_t edge =
            planner_edge(wlk_model_node_output(p->plan->model, call->node_index, i));
        edges[from.inputs + i] = edge;
        if (edge != WLK_NONE) p->plan->homes[edge] = from.graph;
    }
    node->edges = edges;
    node->inputs = from.inputs;
    node->outputs = from.outputs;
    return WLK_OK;
}

/* The node computes in f32 over a shadow, where its tensors stand in the order of its
 * edges. */
static wlk_status mark_half(planner *p, const op_call *call, plan_node *node) {
    if ((node->marks & NODE_HALF) || !half_is_needed(call)) return WLK_OK;
    const uint64_t count = (uint64_t)node->inputs + node->outputs;
    uint32_t *shadow = NULL;
    TRY(planner_u32(p, count, &shadow));
    TRY(planner_shadow(p, count));
    for (uint32_t i = 0; i < count; i++) {
        shadow[i] = node->edges[i] == WLK_NONE ? WLK_NONE : i;
    }
    node->shadow = shadow;
    node->marks |= NODE_HALF;
    return WLK_OK;
}

static wlk_status infer(planner *p, op_call *call, plan_node *node) {
    TRY(mark_half(p, call, node));
    TRY(node_prepare(call, &p->shadow, &p->plan->memory, &node->prepared));
    TRY(node_infer(call, &p->shadow));
    if (node->marks & NODE_HALF) return WLK_OK;
    TRY(mark_half(p, call, node)); /* there may be outputs of 16 bits */
    return node->marks & NODE_HALF ? node_infer(call, &p->shadow) : WLK_OK;
}

wlk_status planner_node(planner *p, uint32_t position) {
    wlk_plan *plan = p->plan;
    plan_node *node = &plan->nodes[position];
    op_call call = plan_call(plan, plan->values, position, p->error);
    call.wanted = p->wanted;
    call.planner = p;
    TRY(find_operator(p, &call, node));
    TRY(read_edges(p, &call, node));
    TRY(check_arity(&call));
    TRY(attributes_read(&call, &plan->memory, &node->attributes));
    TRY(check_dtypes(&call));
    TRY(infer(p, &call, node));
    for (uint32_t i = 0; i < node->outputs; i++) {
        const uint32_t value = node->edges[node->inputs + i];
        if (value != WLK_NONE) TRY(check_declared(p, &call, value));
    }
    return planner_fold(p, position);
}

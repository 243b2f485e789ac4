#include <string.h>

#include "base/checked.h"
#include "infer/run.h"
#include "infer/shape.h"

/* What is worth computing while a graph is bound: the arithmetic on shapes. */
#define EARLY_BYTES 4096
#define EARLY_OPERATIONS 1000000

op_call run_call(const run *r, uint32_t node) {
    op_call call = plan_call(r->plan, r->values, node, r->error);
    call.binding = true;
    return call;
}

static void count_work(run *r, uint64_t operations) {
    if (!checked_add(r->operations, operations, &r->operations)) r->operations = UINT64_MAX;
}

wlk_status run_charge(run *r, uint64_t operations) {
    const uint64_t limit = r->plan->limits.run_operations;
    count_work(r, operations);
    if (r->operations <= limit) return WLK_OK;
    return error_text(r->error, RULE_RUN_OPERATIONS, WLK_NO_OFFSET, "%llu, the limit is %llu",
                      (unsigned long long)r->operations, (unsigned long long)limit);
}

/* ---- shapes */

static bool same_shape(const op_tensor *planned, const op_tensor *actual) {
    if (planned->rank == WLK_NONE) return true;
    if (planned->rank != actual->rank) return false;
    for (uint32_t i = 0; i < actual->rank; i++) {
        if (!dim_agrees(planned->dims[i], actual->dims[i])) return false;
    }
    return true;
}

/* The shape rule has run: is the value what was planned, and how large is it? */
static wlk_status settle(const run *r, const op_call *call, uint32_t value) {
    op_tensor *actual = &r->values[value];
    const op_tensor *planned = &r->plan->values[value];
    char is[TENSOR_TEXT_BYTES];
    char says[TENSOR_TEXT_BYTES];
    const bool is_lost = actual->kind != VALUE_TENSOR && !(call->node->row->flags & OP_ALIAS);
    if (actual->dtype != planned->dtype || actual->kind != planned->kind || is_lost) {
        return op_fail(call, RULE_INTERNAL_DEFECT, "the shape rule left %s",
                       tensor_text(actual, is));
    }
    if (actual->kind != VALUE_TENSOR) return WLK_OK;
    if (!same_shape(planned, actual)) {
        return op_fail(call, RULE_RUN_SHAPE, "'%.40s' would be %s, planned %s",
                       plan_edge_name(r->plan, value), tensor_text(actual, is),
                       tensor_text(planned, says));
    }
    if (tensor_measure(actual)) return WLK_OK;
    return op_fail(call, RULE_RUN_MEMORY, "'%.40s' would be %s", plan_edge_name(r->plan, value),
                   tensor_text(actual, is));
}

/* Has the rule decided all shapes? */
static bool is_decided(const op_call *call) {
    for (uint32_t i = 0; i < call->node->outputs; i++) {
        const op_tensor *out = op_output(call, i);
        if (out && out->kind == VALUE_TENSOR && !tensor_is_known(out)) return false;
    }
    return true;
}

/* ---- computed early */

static bool inputs_are_known(const op_call *call) {
    if (call->node->row->flags & OP_DIMS) return true;
    for (uint32_t i = 0; i < call->node->inputs; i++) {
        const op_tensor *in = op_input(call, i);
        if (!in) continue;
        if (in->origin == ORIGIN_NODE || in->nbytes > EARLY_BYTES) return false;
    }
    return true;
}

static bool outputs_are_small(const op_call *call) {
    uint64_t bytes = call->scratch_bytes;
    for (uint32_t i = 0; i < call->node->outputs && bytes <= EARLY_BYTES; i++) {
        const op_tensor *out = op_output(call, i);
        if (!out) continue;
        if (out->kind != VALUE_TENSOR || out->nbytes > EARLY_BYTES) return false;
        bytes += out->nbytes;
    }
    return bytes <= EARLY_BYTES;
}

static wlk_status early_output(run *r, op_tensor *out) {
    void *room = NULL;
    TRY(early_take(r, out->nbytes, &room));
    out->target = room;
    out->data = room;
    out->origin = ORIGIN_COMPUTED;
    return WLK_OK;
}

/* The call is its own: it holds room that ends with it. */
static wlk_status compute_early(run *r, op_call call) {
    _Alignas(TENSOR_ALIGN) char scratch[EARLY_BYTES];
    call.scratch = scratch;
    TRY(run_charge(r, 0)); /* the node's work has been counted */
    for (uint32_t i = 0; i < call.node->outputs; i++) {
        op_tensor *out = op_output(&call, i);
        if (!out) continue;
        TRY(early_output(r, out));
        r->places[call.node->edges[call.node->inputs + i]] = (run_place){.kind = PLACE_LENT};
    }
    r->is_done[call.node_index] = 1;
    TRY(node_kernel(&call, &r->shadow));
    for (uint32_t i = 0; i < call.node->outputs; i++) {
        op_tensor *out = op_output(&call, i);
        if (out && out->dtype == WLK_STR) out->text_bytes = out->nbytes - 8 * (out->count + 1);
    }
    return WLK_OK;
}

/* ---- nodes */

/* *ends: the stretch ends before this node. */
static wlk_status bind_node(run *r, const run_stretch *stretch, uint32_t position, bool *ends) {
    op_call call = run_call(r, position);
    const plan_node *node = call.node;
    *ends = node->row->control != NULL;
    if (*ends) return WLK_OK;
    TRY(node_infer(&call, &r->shadow));
    *ends = !is_decided(&call);
    if (*ends && position > stretch->from) return WLK_OK;
    if (*ends) return op_fail(&call, RULE_INTERNAL_DEFECT, "the shape rule leaves a shape open");
    for (uint32_t i = 0; i < node->outputs; i++) {
        const uint32_t value = node->edges[node->inputs + i];
        if (value != WLK_NONE) TRY(settle(r, &call, value));
    }
    const uint64_t operations = node_operations(&call);
    count_work(r, operations);
    if ((node->marks & NODE_EARLY) && operations <= EARLY_OPERATIONS && inputs_are_known(&call) &&
        outputs_are_small(&call)) {
        return compute_early(r, call);
    }
    if (call.scratch_bytes > r->scratch_bytes) r->scratch_bytes = call.scratch_bytes;
    return WLK_OK;
}

wlk_status stretch_bind(run *r, run_stretch *stretch) {
    const plan_graph *g = &r->plan->graphs[stretch->graph];
    const uint32_t end = g->first_node + g->node_count;
    r->scratch_bytes = 0;
    r->stretch_values = 0;
    for (stretch->to = stretch->from; stretch->to < end; stretch->to++) {
        bool ends = false;
        if (r->plan->nodes[stretch->to].marks & NODE_FOLDED) continue;
        TRY(bind_node(r, stretch, stretch->to, &ends));
        if (ends) return WLK_OK;
        r->stretch_values += r->plan->nodes[stretch->to].outputs;
    }
    return WLK_OK;
}

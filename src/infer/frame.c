#include "infer/frame.h"

#include <string.h>

/* ---- giving up */

void run_release(run *r, uint32_t value) {
    run_place *at = &r->places[value];
    if (at->kind != PLACE_BUFFER) return;
    buffer_drop(r, at->owner);
    *at = (run_place){.kind = PLACE_LENT};
}

void run_release_after(run *r, uint32_t position) {
    const plan_node *node = &r->plan->nodes[position];
    for (uint32_t i = 0; i < node->inputs + node->outputs; i++) {
        const uint32_t edge = node->edges[i];
        if (edge & OP_CONSTANT) continue; /* WLK_NONE has the bit too */
        const uint32_t last = r->plan->last_use[edge];
        if (last == position || (i >= node->inputs && last == LAST_USE_NEVER)) {
            run_release(r, edge);
        }
    }
}

void frame_clear(run *r, uint32_t graph) {
    const plan_graph *g = &r->plan->graphs[graph];
    for (uint32_t i = 0; i < g->input_count; i++) run_release(r, g->inputs[i]);
    for (uint32_t i = 0; i < g->node_count; i++) {
        const plan_node *node = &r->plan->nodes[g->first_node + i];
        for (uint32_t j = 0; j < node->outputs; j++) {
            const uint32_t value = node->edges[node->inputs + j];
            if (value != WLK_NONE) run_release(r, value);
        }
    }
}

/* ---- taking and giving */

static bool is_lasting(const run *r, uint32_t edge) {
    if (edge & OP_CONSTANT) return true;
    return r->values[edge].origin == ORIGIN_CONSTANT || r->places[edge].kind == PLACE_LASTING;
}

wlk_status frame_take(run *r, uint32_t edge, held *out) {
    const op_tensor *tensor = plan_edge(r->plan, r->values, edge);
    *out = (held){.tensor = *tensor};
    out->tensor.target = NULL;
    out->tensor.origin = ORIGIN_COMPUTED;
    if (is_lasting(r, edge)) return WLK_OK;
    if (r->places[edge].kind == PLACE_BUFFER) {
        out->owner = buffer_share(r->places[edge].owner);
        return WLK_OK;
    }
    if (tensor->kind == VALUE_TENSOR) return held_copy(r, tensor, out);
    return error_text(r->error, RULE_INTERNAL_DEFECT, WLK_NO_OFFSET, "a list that is lent");
}

void frame_give(run *r, uint32_t value, held *from) {
    r->values[value] = from->tensor;
    r->places[value] =
        (run_place){.kind = from->owner ? PLACE_BUFFER : PLACE_LASTING, .owner = from->owner};
    *from = (held){.owner = NULL};
}

void frame_give_output(run *r, const op_call *call, uint32_t i, held *from) {
    const plan_node *node = call->node;
    const uint32_t value = i < node->outputs ? node->edges[node->inputs + i] : WLK_NONE;
    if (value == WLK_NONE) {
        held_drop(r, from);
    } else {
        frame_give(r, value, from);
    }
}

/* ---- a graph under way */

/* Is the value that the core has made what was planned? */
static wlk_status check_made(const run *r, const op_call *call, uint32_t value) {
    const op_tensor *made = &r->values[value];
    const op_tensor *planned = &r->plan->values[value];
    char is[TENSOR_TEXT_BYTES];
    char says[TENSOR_TEXT_BYTES];
    bool fits = made->kind == planned->kind && made->dtype == planned->dtype;
    if (planned->kind == VALUE_TENSOR && planned->rank != WLK_NONE) {
        fits = fits && made->rank == planned->rank;
        for (uint32_t i = 0; fits && i < made->rank; i++) {
            const int64_t dim = planned->dims[i];
            fits = dim == WLK_UNKNOWN_DIM || dim == made->dims[i];
        }
    }
    if (fits) return WLK_OK;
    return op_fail(call, RULE_RUN_SHAPE, "'%.40s' would be %s, planned %s",
                   plan_edge_name(r->plan, value), tensor_text(made, is),
                   tensor_text(planned, says));
}

static wlk_status run_control(run *r, uint32_t position) {
    const op_call call = run_call(r, position);
    TRY(call.node->row->control(r, &call));
    for (uint32_t i = 0; i < call.node->outputs; i++) {
        const uint32_t value = call.node->edges[call.node->inputs + i];
        if (value != WLK_NONE) TRY(check_made(r, &call, value));
    }
    run_release_after(r, position);
    return WLK_OK;
}

static wlk_status run_stretch_of(run *r, run_stretch *stretch) {
    TRY(stretch_bind(r, stretch));
    TRY(stretch_place(r, stretch));
    return stretch_compute(r, stretch);
}

wlk_status frame_run(run *r, uint32_t graph) {
    const plan_graph *g = &r->plan->graphs[graph];
    const uint32_t end = g->first_node + g->node_count;
    run_stretch stretch = {.graph = graph, .from = g->first_node};
    if (graph > 0) {
        TRY(run_charge(r, g->weight * OP_ROUND_COST));
        if (g->node_count > 0) memset(&r->is_done[g->first_node], 0, g->node_count);
    }
    if (g->node_count == 0 && graph == 0) return run_stretch_of(r, &stretch);
    while (stretch.from < end) {
        if (r->plan->nodes[stretch.from].row->control) {
            TRY(run_control(r, stretch.from));
            stretch.from++;
        } else {
            TRY(run_stretch_of(r, &stretch));
            stretch.from = stretch.to;
        }
    }
    return WLK_OK;
}

#include "base/memory.h"
#include "infer/plan_internal.h"

/* What a fold may make: results much larger than what they are made of are left to the
 * run, which holds them for as long as they are used. */
#define FOLD_SMALL 65536
#define FOLD_GROWTH 4

/* Has the shape rule given the only output's content itself (Constant)? */
static bool is_constant(const planner *p, const plan_node *node) {
    if (node->outputs != 1) return false;
    const uint32_t value = node->edges[node->inputs];
    return value != WLK_NONE && p->plan->values[value].origin == ORIGIN_CONSTANT;
}

/* Whoever looks at dims alone also looks at what follows from them. */
static bool has_dims(wlk_plan *plan, uint32_t edge) {
    if (edge & OP_CONSTANT) return true;
    return tensor_is_known(&plan->values[edge]) && tensor_measure(&plan->values[edge]);
}

static bool is_foldable(const planner *p, const plan_node *node) {
    const op_row *row = node->row;
    if (row->control || (row->flags & OP_IMPURE)) return false;
    for (uint32_t i = 0; i < node->inputs; i++) {
        if (node->edges[i] == WLK_NONE) continue;
        const op_tensor *in = plan_edge(p->plan, p->plan->values, node->edges[i]);
        if (in->kind != VALUE_TENSOR) return false;
        if (row->flags & OP_DIMS) {
            if (!has_dims(p->plan, node->edges[i])) return false;
        } else if (in->origin != ORIGIN_CONSTANT) {
            return false;
        }
    }
    return true;
}

/* Bytes of all inputs (0 where only their dims count) and outputs; false if an output is
 * not known, or too large for anything. */
static bool measure(op_call *call, uint64_t *in, uint64_t *out) {
    *in = 0;
    *out = 0;
    for (uint32_t i = 0; i < call->node->inputs; i++) {
        const op_tensor *tensor = op_input(call, i);
        if (tensor) *in += tensor->nbytes;
    }
    for (uint32_t i = 0; i < call->node->outputs; i++) {
        op_tensor *tensor = op_output(call, i);
        if (!tensor) continue;
        if (tensor->kind != VALUE_TENSOR || !tensor_is_known(tensor)) return false;
        if (!tensor_measure(tensor) || tensor->nbytes > UINT32_MAX) return false;
        *out += tensor->nbytes;
    }
    return true;
}

static wlk_status take_outputs(planner *p, op_call *call) {
    for (uint32_t i = 0; i < call->node->outputs; i++) {
        op_tensor *tensor = op_output(call, i);
        if (!tensor) continue;
        void *room = NULL;
        TRY(plan_take(&p->plan->memory, tensor->nbytes + TENSOR_ALIGN, 1, &room, call->error));
        const uintptr_t at = ((uintptr_t)room + TENSOR_ALIGN - 1) & ~(uintptr_t)(TENSOR_ALIGN - 1);
        tensor->target = (char *)room + (at - (uintptr_t)room);
        tensor->data = tensor->target;
    }
    return WLK_OK;
}

static void settle_outputs(op_call *call) {
    for (uint32_t i = 0; i < call->node->outputs; i++) {
        op_tensor *tensor = op_output(call, i);
        if (!tensor) continue;
        tensor->origin = ORIGIN_CONSTANT;
        if (tensor->dtype == WLK_STR) tensor->text_bytes = tensor->nbytes - 8 * (tensor->count + 1);
    }
}

static wlk_status compute(planner *p, op_call *call) {
    void *scratch = mem_aligned(TENSOR_ALIGN, call->scratch_bytes + TENSOR_ALIGN);
    if (!scratch) return error_at(call->error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    call->scratch = scratch;
    const wlk_status status = node_kernel(call, &p->shadow);
    mem_free(scratch);
    return status;
}

/* Does this pay, and is there budget for it? */
static bool is_affordable(planner *p, op_call *call) {
    uint64_t in, out;
    if (!measure(call, &in, &out)) return false;
    const uint64_t operations = node_operations(call);
    const uint64_t room = out + call->node->outputs * (uint64_t)TENSOR_ALIGN;
    if (out > FOLD_SMALL && out / FOLD_GROWTH > in) return false;
    if (room > p->fold_bytes || call->scratch_bytes > p->fold_bytes) return false;
    if (operations > p->fold_operations) return false;
    p->fold_bytes -= room;
    p->fold_operations -= operations;
    return true;
}

/* What the rule said for planning, which comes back where a fold is given up. */
static void restore(op_call *call, const op_tensor *planned) {
    for (uint32_t i = 0; i < call->node->outputs; i++) {
        if (op_output(call, i)) *op_output(call, i) = planned[i];
    }
}

/* A view of a constant needs no room, however large it is. */
static bool fold_view(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    op_tensor *out = op_output(call, 0);
    if (!(call->node->row->flags & OP_ALIAS) || call->node->outputs != 1 || !out) return false;
    if (!tensor_is_known(out) || !tensor_measure(out)) return false;
    out->data = in->data;
    out->nbytes = in->nbytes;
    return true;
}

static wlk_status fold(planner *p, op_call *call, bool *done) {
    TRY(node_infer(call, &p->shadow));
    *done = fold_view(call);
    if (*done) {
        settle_outputs(call);
        return WLK_OK;
    }
    if (!is_affordable(p, call)) return WLK_OK;
    TRY(take_outputs(p, call));
    TRY(compute(p, call));
    settle_outputs(call);
    *done = true;
    return WLK_OK;
}

/* What is too large is left to the run, and so is what is wrong inside of a subgraph:
 * perhaps nothing ever goes there. */
static wlk_status fold_status(const planner *p, uint32_t node, const wlk_error *own,
                              wlk_status status) {
    const uint32_t graph = wlk_model_node(p->plan->model, node).graph;
    if (status != WLK_SYSTEM && (status != WLK_REFUSED || graph > 0)) return WLK_OK;
    if (p->error) *p->error = *own;
    return status;
}

#define FOLD_OUTPUTS 8

wlk_status planner_fold(planner *p, uint32_t node) {
    plan_node *at = &p->plan->nodes[node];
    if (is_constant(p, at)) {
        at->marks |= NODE_FOLDED;
        return WLK_OK;
    }
    if (at->outputs > FOLD_OUTPUTS || !is_foldable(p, at)) return WLK_OK;
    wlk_error own = {.status = WLK_OK};
    op_tensor planned[FOLD_OUTPUTS];
    op_call call = plan_call(p->plan, p->plan->values, node, &own);
    call.binding = true;
    for (uint32_t i = 0; i < at->outputs; i++) {
        if (op_output(&call, i)) planned[i] = *op_output(&call, i);
    }
    bool done = false;
    const wlk_status status = fold(p, &call, &done);
    if (done) {
        at->marks |= NODE_FOLDED;
    } else {
        restore(&call, planned);
    }
    return fold_status(p, node, &own, status);
}

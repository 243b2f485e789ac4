#include "infer/run.h"

#include <string.h>

#include "base/memory.h"
#include "infer/fence.h"
#include "infer/frame.h"

static void *take_block(uint64_t bytes) {
    const uint64_t whole = (bytes + TENSOR_ALIGN - 1) / TENSOR_ALIGN * TENSOR_ALIGN;
    return mem_aligned(TENSOR_ALIGN, whole > 0 ? whole : TENSOR_ALIGN);
}

/* ---- memory of a stretch */

static wlk_status grow_block(run *r, uint64_t need) {
    if (r->owns_block) mem_free(r->block);
    r->block_bytes = 0;
    r->owns_block = true;
    r->block = take_block(need);
    if (!r->block) return error_at(r->error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    r->block_bytes = need;
    return WLK_OK;
}

static wlk_status take_memory(run *r) {
    const uint64_t need = r->layout.end + r->scratch_bytes;
    if (need > r->block_bytes) TRY(grow_block(r, need));
    if (r->in_one) r->result = take_block(r->result_bytes);
    if (!r->in_one || r->result) return WLK_OK;
    return error_at(r->error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
}

static bool is_fenced(const run *r, uint32_t edge) {
    if (edge & OP_CONSTANT) return false; /* WLK_NONE has the bit too */
    const place_kind kind = r->places[edge].kind;
    return kind == PLACE_BLOCK || kind == PLACE_RESULT || (r->in_one && r->places[edge].is_view);
}

/* A value's bytes, as far as they lie in the block: what is behind it stays closed, whoever says
 * that the value ends there. */
static void open_value(const run *r, const void *data, size_t bytes) {
    const char *const end = (const char *)r->block + r->block_bytes;
    const bool inside = (const char *)data >= (const char *)r->block && (const char *)data < end;
    const size_t room = inside ? (size_t)(end - (const char *)data) : bytes;
    fence_open(data, bytes < room ? bytes : room);
}

/* Opens what this node may touch, and nothing else. */
static void fence_node(const run *r, const op_call *call) {
    if (!FENCES) return;
    fence_close(r->block, r->block_bytes);
    if (r->result) fence_close(r->result, r->result_bytes);
    fence_open(call->scratch, r->scratch_bytes);
    for (uint32_t i = 0; i < call->node->inputs; i++) {
        const op_tensor *in = op_input(call, i);
        if (in && is_fenced(r, call->node->edges[i])) open_value(r, in->data, in->nbytes);
    }
    for (uint32_t i = 0; i < call->node->outputs; i++) {
        const op_tensor *out = op_output(call, i);
        if (out) open_value(r, out->data, out->nbytes);
    }
}

static void open_fences(const run *r) {
    fence_open(r->block, r->block_bytes);
    if (r->result) fence_open(r->result, r->result_bytes);
}

/* ---- nodes */

/* A view has its elements where input 0 has them. */
static void take_view(run *r, const plan_node *node, uint32_t value) {
    const uint32_t from = node->edges[0];
    const op_tensor *in = plan_edge(r->plan, r->values, from);
    op_tensor *out = &r->values[value];
    out->data = in->data;
    out->target = NULL;
    out->nbytes = in->nbytes;
    out->text_bytes = in->text_bytes;
    out->items = in->items;
    out->item_count = in->item_count;
    out->present = in->present;
    if (r->places[value].kind == PLACE_BUFFER) {
        r->places[value].owner = buffer_share(r->places[from].owner);
    }
}

static wlk_status take_target(run *r, uint32_t value) {
    run_place *at = &r->places[value];
    op_tensor *out = &r->values[value];
    if (at->kind == PLACE_BUFFER) {
        TRY(buffer_take(r, out->nbytes, &at->owner));
        out->target = buffer_data(at->owner);
    } else {
        out->target = (at->kind == PLACE_RESULT ? r->result : r->block) + at->offset;
    }
    out->data = out->target;
    return WLK_OK;
}

/* *is_left: is there anything left to compute? */
static wlk_status take_outputs(run *r, const plan_node *node, bool *is_left) {
    for (uint32_t i = 0; i < node->outputs; i++) {
        const uint32_t value = node->edges[node->inputs + i];
        if (value == WLK_NONE) continue;
        if (r->places[value].is_view) {
            take_view(r, node, value);
        } else {
            TRY(take_target(r, value));
            *is_left = true;
        }
    }
    return WLK_OK;
}

static void settle_outputs(run *r, const plan_node *node) {
    for (uint32_t i = 0; i < node->outputs; i++) {
        const uint32_t value = node->edges[node->inputs + i];
        if (value == WLK_NONE) continue;
        op_tensor *out = &r->values[value];
        out->origin = ORIGIN_COMPUTED;
        if (out->dtype == WLK_STR && out->kind == VALUE_TENSOR) {
            out->text_bytes = out->nbytes - 8 * (out->count + 1);
        }
    }
}

static wlk_status compute_node(run *r, uint32_t position) {
    op_call call = run_call(r, position);
    bool is_left = false;
    TRY(take_outputs(r, call.node, &is_left));
    if (is_left) {
        call.scratch = r->block + r->layout.end;
        fence_node(r, &call);
        TRY(node_kernel(&call, &r->shadow));
    }
    settle_outputs(r, call.node);
    return WLK_OK;
}

static wlk_status compute_all(run *r, const run_stretch *stretch) {
    for (uint32_t i = stretch->from; i < stretch->to; i++) {
        if (r->plan->nodes[i].marks & NODE_FOLDED) continue;
        if (!r->is_done[i]) TRY(compute_node(r, i));
        if (!r->in_one) run_release_after(r, i);
    }
    return WLK_OK;
}

wlk_status stretch_compute(run *r, const run_stretch *stretch) {
    r->kept_bytes = 0;
    TRY(take_memory(r));
    const wlk_status status = compute_all(r, stretch);
    open_fences(r);
    return status;
}

/* ---- the whole */

static wlk_status run_all(run *r, const wlk_argument *arguments, uint32_t count,
                          wlk_result **result) {
    TRY(run_begin(r));
    TRY(run_arguments(r, arguments, count));
    TRY(frame_run(r, 0));
    return run_finish(r, result);
}

wlk_status wlk_run_arguments(const wlk_plan *plan, const wlk_argument *arguments, uint32_t count,
                             wlk_result **result, wlk_error *error) {
    run r;
    memset(&r, 0, offsetof(run, layout));
    memset(&r.scratch_bytes, 0, sizeof r - offsetof(run, scratch_bytes));
    r.plan = plan;
    r.error = error;
    *result = NULL;
    const wlk_status status = run_all(&r, arguments, count, result);
    if (status != WLK_OK) mem_free(r.result);
    early_back(&r, (early_mark){.chunk = NULL});
    buffers_free(r.buffers);
    if (r.owns_block) mem_free(r.block);
    mem_free(r.state);
    return status;
}

/* So many tensors are worth no allocation. */
#define FEW_INPUTS 16

wlk_status wlk_run(const wlk_plan *plan, const wlk_tensor *inputs, uint32_t count,
                   wlk_result **result, wlk_error *error) {
    wlk_argument few[FEW_INPUTS] = {{.items = NULL}};
    *result = NULL;
    wlk_argument *arguments = few;
    if (count > FEW_INPUTS) arguments = mem_zeroed(count, sizeof *arguments);
    if (!arguments) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    for (uint32_t i = 0; i < count; i++) {
        arguments[i] = (wlk_argument){.kind = WLK_VALUE_TENSOR, .items = &inputs[i], .count = 1};
    }
    const wlk_status status = wlk_run_arguments(plan, arguments, count, result, error);
    if (arguments != few) mem_free(arguments);
    return status;
}

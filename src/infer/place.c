#include "base/checked.h"
#include "infer/run.h"

/* A stretch that is being placed. */
typedef struct placing {
    run *r;
    const run_stretch *stretch;
    bool is_last; /* of the main graph, and its only one */
} placing;

static uint64_t saturating_add(uint64_t a, uint64_t b) {
    uint64_t sum;
    return checked_add(a, b, &sum) ? sum : UINT64_MAX;
}

wlk_status run_memory_fail(const run *r, uint64_t bytes) {
    return error_text(r->error, RULE_RUN_MEMORY, WLK_NO_OFFSET, "%llu bytes, the limit is %llu",
                      (unsigned long long)bytes, (unsigned long long)r->plan->limits.run_bytes);
}

/* Reserves `bytes` of the result. */
static wlk_status reserve(run *r, uint64_t bytes, uint64_t *offset) {
    uint64_t end;
    if (!checked_add(r->result_bytes, bytes, &end) || !checked_align(end, TENSOR_ALIGN, &end)) {
        return run_memory_fail(r, UINT64_MAX);
    }
    *offset = r->result_bytes;
    r->result_bytes = end;
    return WLK_OK;
}

/* ---- one value */

static bool lives_on(const placing *p, uint32_t value) {
    const uint32_t last = p->r->plan->last_use[value];
    return last != LAST_USE_NEVER && last >= p->stretch->to;
}

static wlk_status place_in_block(run *r, uint32_t value) {
    run_place *at = &r->places[value];
    uint64_t bytes;
    if (!checked_align(r->values[value].nbytes, TENSOR_ALIGN, &bytes)) {
        return run_memory_fail(r, UINT64_MAX);
    }
    if (bytes == 0) bytes = TENSOR_ALIGN;
    *at = (run_place){.kind = PLACE_BLOCK, .root = value, .users = 1};
    if (!layout_take(&r->layout, bytes, &at->range)) return run_memory_fail(r, UINT64_MAX);
    at->offset = r->layout.ranges[at->range].offset;
    return WLK_OK;
}

static wlk_status place_in_buffer(run *r, uint32_t value) {
    uint64_t bytes;
    r->places[value] = (run_place){.kind = PLACE_BUFFER};
    if (!checked_align(r->values[value].nbytes, TENSOR_ALIGN, &bytes)) {
        return run_memory_fail(r, UINT64_MAX);
    }
    r->kept_bytes = saturating_add(r->kept_bytes, saturating_add(bytes, TENSOR_ALIGN));
    return WLK_OK;
}

static wlk_status place_value(const placing *p, uint32_t value) {
    run *r = p->r;
    const bool is_output = r->plan->last_use[value] == LAST_USE_RESULT;
    if (p->is_last && is_output) {
        r->places[value] = (run_place){.kind = PLACE_RESULT};
        return reserve(r, r->values[value].nbytes, &r->places[value].offset);
    }
    return lives_on(p, value) ? place_in_buffer(r, value) : place_in_block(r, value);
}

/* ---- views: a value that is another one's elements shares its place */

static place_kind kind_of(const run *r, uint32_t edge) {
    if (edge & OP_CONSTANT) return PLACE_LASTING;
    const tensor_origin origin = r->values[edge].origin;
    if (origin == ORIGIN_CONSTANT) return PLACE_LASTING;
    return r->places[edge].kind;
}

/* Can output 0 be a view of input 0? An output of the graph has memory of its own in the
 * result, and what lives on cannot stay in the block. */
static bool can_view(const placing *p, uint32_t from, uint32_t value) {
    const run *r = p->r;
    if (r->values[value].kind != VALUE_TENSOR) return true;
    if (p->is_last && r->plan->last_use[value] == LAST_USE_RESULT) return false;
    return kind_of(r, from) != PLACE_BLOCK || !lives_on(p, value);
}

static void place_view(run *r, uint32_t from, uint32_t value) {
    const place_kind kind = kind_of(r, from);
    run_place *at = &r->places[value];
    *at = (run_place){.kind = kind == PLACE_RESULT ? PLACE_LENT : kind, .is_view = true};
    if (kind != PLACE_BLOCK) return;
    at->root = r->places[from].root;
    r->places[at->root].users++;
}

/* ---- nodes */

/* A value may stand twice among a node's inputs. */
static void release(run *r, uint32_t value) {
    run_place *at = &r->places[value];
    if (at->kind != PLACE_BLOCK || at->is_released) return;
    run_place *root = &r->places[at->root];
    at->is_released = true;
    if (--root->users == 0) layout_give(&r->layout, root->range);
}

/* Gives up what a node was the last to read, and what it made for nobody. */
static void release_after(run *r, uint32_t position) {
    const plan_node *node = &r->plan->nodes[position];
    for (uint32_t i = 0; i < node->inputs + node->outputs; i++) {
        const uint32_t edge = node->edges[i];
        if (edge & OP_CONSTANT) continue; /* WLK_NONE has the bit too */
        const uint32_t last = r->plan->last_use[edge];
        if (last == position || (i >= node->inputs && last == LAST_USE_NEVER)) release(r, edge);
    }
}

static wlk_status place_node(const placing *p, uint32_t position) {
    run *r = p->r;
    const plan_node *node = &r->plan->nodes[position];
    if ((node->marks & NODE_FOLDED) || r->is_done[position]) return WLK_OK;
    for (uint32_t i = 0; i < node->outputs; i++) {
        const uint32_t value = node->edges[node->inputs + i];
        if (value == WLK_NONE) continue;
        if (node->outputs == 1 && (node->row->flags & OP_ALIAS) &&
            can_view(p, node->edges[0], value)) {
            place_view(r, node->edges[0], value);
        } else {
            TRY(place_value(p, value));
        }
    }
    release_after(r, position);
    return WLK_OK;
}

/* ---- outputs and limits */

/* An output that is an input, a constant or known early is copied; the others are
 * computed where they stay. */
static wlk_status place_outputs(run *r) {
    const plan_graph *g = &r->plan->graphs[0];
    for (uint32_t i = 0; i < g->output_count; i++) {
        const uint32_t edge = g->outputs[i];
        if (kind_of(r, edge) == PLACE_RESULT) {
            r->output_at[i] = r->places[edge].offset;
        } else {
            const op_tensor *tensor = plan_edge(r->plan, r->values, edge);
            TRY(reserve(r, tensor->nbytes, &r->output_at[i]));
        }
    }
    return WLK_OK;
}

static wlk_status check_memory(const run *r) {
    uint64_t block = saturating_add(r->layout.end, r->scratch_bytes);
    if (block < r->block_bytes) block = r->block_bytes;
    uint64_t total = saturating_add(r->held_bytes, block);
    total = saturating_add(total, r->kept_bytes);
    total = saturating_add(total, r->result_bytes);
    return total > r->plan->limits.run_bytes ? run_memory_fail(r, total) : WLK_OK;
}

wlk_status stretch_place(run *r, const run_stretch *stretch) {
    const plan_graph *g = &r->plan->graphs[0];
    const bool is_whole = stretch->graph == 0 && stretch->from == g->first_node &&
                          stretch->to == g->first_node + g->node_count;
    const placing p = {.r = r, .stretch = stretch, .is_last = is_whole && r->plan->only_tensors};
    uint64_t ignored = 0;
    r->in_one = p.is_last;
    r->kept_bytes = 0;
    const uint64_t live = r->plan->live_values;
    const uint64_t made = r->stretch_values;
    layout_begin(&r->layout, r->ranges, (uint32_t)layout_records(made < live ? made : live));
    if (p.is_last) TRY(reserve(r, result_head_bytes(r->plan), &ignored));
    for (uint32_t i = stretch->from; i < stretch->to; i++) TRY(place_node(&p, i));
    if (p.is_last) TRY(place_outputs(r));
    TRY(check_memory(r));
    return run_charge(r, 0); /* what binding has counted */
}

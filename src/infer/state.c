#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "infer/fence.h"
#include "infer/run.h"

/* ---- state: its counts were bounded when the model was validated */

static uint64_t state_piece(uint64_t *at, uint64_t count, uint64_t size) {
    const uint64_t start = *at;
    *at = (start + count * size + TENSOR_ALIGN - 1) / TENSOR_ALIGN * TENSOR_ALIGN;
    return start;
}

/* The next address that is a multiple of TENSOR_ALIGN. */
static char *aligned_behind(char *at) {
    const uintptr_t over = (uintptr_t)at % TENSOR_ALIGN;
    return over ? at + (TENSOR_ALIGN - over) : at;
}

wlk_status run_begin(run *r) {
    const wlk_plan *plan = r->plan;
    const uint64_t records = layout_records(plan->live_values);
    const uint64_t output_count = plan->graphs[0].output_count;
    uint64_t end = 0;
    const uint64_t values = state_piece(&end, plan->value_count, sizeof *r->values);
    const uint64_t places = state_piece(&end, plan->value_count, sizeof *r->places);
    const uint64_t outputs = state_piece(&end, output_count, sizeof *r->output_at);
    const uint64_t done = state_piece(&end, plan->node_count, sizeof *r->is_done);
    const uint64_t zeroed = end;
    const uint64_t ranges = state_piece(&end, records, sizeof *r->ranges);
    const uint64_t shadow = state_piece(&end, half_shadow_bytes(plan->half_edges), 1);
    if (end + TENSOR_ALIGN + FIRST_BLOCK > plan->limits.run_bytes || records >= LAYOUT_NONE)
        return run_memory_fail(r, end);
    char *state = mem_alloc(end + FIRST_BLOCK + TENSOR_ALIGN);
    if (!state) return error_at(r->error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    r->state = state;
    r->held_bytes = end + TENSOR_ALIGN;
    r->block = aligned_behind(state + end);
    r->block_bytes = FIRST_BLOCK;
    r->values = (op_tensor *)(void *)(state + values);
    r->places = (run_place *)(void *)(state + places);
    r->output_at = (uint64_t *)(void *)(state + outputs);
    r->is_done = (uint8_t *)(state + done);
    r->ranges = (layout_range *)(void *)(state + ranges);
    r->shadow = half_shadow_at(state + shadow, plan->half_edges);
    if (plan->value_count > 0) {
        memcpy(r->values, plan->values, plan->value_count * sizeof *r->values);
    }
    memset(state + places, 0, zeroed - places);
    return WLK_OK;
}

/* ---- what is computed while binding */

#define CHUNK_HEADER TENSOR_ALIGN
_Static_assert(sizeof(early_chunk) <= CHUNK_HEADER, "data lie right behind the header, aligned");

static wlk_status add_chunk(run *r) {
    uint64_t total = r->held_bytes + EARLY_CHUNK;
    if (!checked_add(total, r->block_bytes + r->result_bytes, &total) ||
        total > r->plan->limits.run_bytes) {
        return run_memory_fail(r, total);
    }
    early_chunk *chunk = mem_aligned(TENSOR_ALIGN, EARLY_CHUNK);
    if (!chunk) return error_at(r->error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    *chunk = (early_chunk){.next = r->early, .used = CHUNK_HEADER};
    r->early = chunk;
    r->held_bytes += EARLY_CHUNK;
    return WLK_OK;
}

wlk_status early_take(run *r, uint64_t bytes, void **out) {
    const uint64_t whole = (bytes + TENSOR_ALIGN - 1) / TENSOR_ALIGN * TENSOR_ALIGN;
    if (!r->early || whole > EARLY_CHUNK - r->early->used) TRY(add_chunk(r));
    *out = (char *)r->early + r->early->used;
    r->early->used += whole;
    return WLK_OK;
}

early_mark early_now(const run *r) {
    return (early_mark){.chunk = r->early, .used = r->early ? r->early->used : 0};
}

void early_back(run *r, early_mark mark) {
    while (r->early != mark.chunk) {
        early_chunk *next = r->early->next;
        mem_free(r->early);
        r->early = next;
        r->held_bytes -= EARLY_CHUNK;
    }
    if (r->early) r->early->used = mark.used;
}

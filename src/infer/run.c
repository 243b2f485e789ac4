#include "infer/run.h"

#include <string.h>

#include "base/memory.h"
#include "infer/fence.h"

/* The block that everything of a run but its result lies in, and the result. */
typedef struct run_memory {
    char *block;
    char *result;
} run_memory;

static void *take_block(uint64_t bytes) {
    const uint64_t whole = (bytes + TENSOR_ALIGN - 1) / TENSOR_ALIGN * TENSOR_ALIGN;
    return mem_aligned(TENSOR_ALIGN, whole > 0 ? whole : TENSOR_ALIGN);
}

static wlk_status take_memory(const run *r, run_memory *memory) {
    memory->block = take_block(r->layout.end + r->scratch_bytes);
    memory->result = take_block(r->result_bytes);
    if (memory->block && memory->result) return WLK_OK;
    return error_at(r->error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
}

/* Opens what this node may touch, and nothing else. */
static void fence_node(const run *r, const run_memory *memory, const op_call *call) {
    fence_close(memory->block, r->layout.end + r->scratch_bytes);
    fence_close(memory->result, r->result_bytes);
    fence_open(call->scratch, r->scratch_bytes);
    for (uint32_t i = 0; i < call->node->inputs; i++) {
        const op_tensor *in = op_input(call, i);
        if (in && in->origin == ORIGIN_NODE) fence_open(in->data, in->nbytes);
    }
    for (uint32_t i = 0; i < call->node->outputs; i++) {
        const op_tensor *out = op_output(call, i);
        if (out) fence_open(out->data, out->nbytes);
    }
}

static wlk_status compute_node(run *r, const run_memory *memory, uint32_t position) {
    op_call call = plan_call(r->plan, r->values, position, r->error);
    const plan_node *node = call.node;
    call.binding = true;
    call.scratch = memory->block + r->layout.end;
    for (uint32_t i = 0; i < node->outputs; i++) {
        const uint32_t value = node->edges[node->inputs + i];
        if (value == WLK_NONE) continue;
        const run_place *at = &r->places[value];
        r->values[value].target = (at->in_result ? memory->result : memory->block) + at->offset;
        r->values[value].data = r->values[value].target;
    }
    fence_node(r, memory, &call);
    return node->row->kernel(&call);
}

static char *copy_name(char *at, const char *name, const char **copy) {
    const size_t bytes = strlen(name) + 1;
    memcpy(at, name, bytes);
    *copy = at;
    return at + bytes;
}

static uint64_t behind(uint64_t bytes) {
    return (bytes + TENSOR_ALIGN - 1) / TENSOR_ALIGN * TENSOR_ALIGN;
}

/* Fills in the head of the result, in the order in which bind.c reserved it. */
static wlk_result *finish_result(const run *r, char *memory) {
    const wlk_plan *plan = r->plan;
    wlk_result *result = (wlk_result *)(void *)memory;
    const uint64_t tensors_at = behind(sizeof *result);
    const uint64_t names_at =
        tensors_at + behind(sizeof(wlk_tensor) * (uint64_t)plan->output_count);
    char *names = memory + names_at;
    result->count = plan->output_count;
    result->tensors = (wlk_tensor *)(void *)(memory + tensors_at);
    for (uint32_t i = 0; i < plan->output_count; i++) {
        const op_tensor *from = plan_edge(plan, r->values, plan->outputs[i]);
        char *data = memory + r->output_at[i];
        if (from->origin != ORIGIN_NODE && from->nbytes > 0) memcpy(data, from->data, from->nbytes);
        wlk_tensor *tensor = &result->tensors[i];
        *tensor = tensor_public(from);
        tensor->data = data;
        names = copy_name(names, plan_edge_name(plan, plan->outputs[i]), &tensor->name);
    }
    return result;
}

static wlk_status run_all(run *r, const wlk_tensor *inputs, uint32_t count, run_memory *memory) {
    TRY(run_bind(r, inputs, count));
    TRY(take_memory(r, memory));
    for (uint32_t i = 0; i < r->plan->node_count; i++) TRY(compute_node(r, memory, i));
    fence_open(memory->result, r->result_bytes);
    return WLK_OK;
}

wlk_status wlk_run(const wlk_plan *plan, const wlk_tensor *inputs, uint32_t count,
                   wlk_result **result, wlk_error *error) {
    run r = {.plan = plan, .error = error};
    run_memory memory = {.block = NULL};
    *result = NULL;
    const wlk_status status = run_all(&r, inputs, count, &memory);
    if (status == WLK_OK) {
        *result = finish_result(&r, memory.result);
    } else {
        mem_free(memory.result);
    }
    mem_free(memory.block);
    mem_free(r.state);
    return status;
}

uint32_t wlk_result_count(const wlk_result *result) {
    return result->count;
}

wlk_tensor wlk_result_tensor(const wlk_result *result, uint32_t i) {
    if (i >= result->count) return (wlk_tensor){.name = ""};
    return result->tensors[i];
}

void wlk_result_free(wlk_result *result) {
    mem_free(result);
}

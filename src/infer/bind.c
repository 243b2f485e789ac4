#include <string.h>

#include "base/checked.h"
#include "base/dtype.h"
#include "base/memory.h"
#include "infer/run.h"
#include "infer/shape.h"

/* ---- inputs */

static wlk_status input_fail(const run *r, uint32_t i, const wlk_tensor *given, const char *what) {
    const wlk_port port = wlk_plan_input(r->plan, i);
    char is[TENSOR_TEXT_BYTES];
    char wants[TENSOR_TEXT_BYTES];
    op_tensor shown = {.dtype = given->dtype, .rank = WLK_NONE};
    if (given->rank <= WLK_MAX_RANK) shown = tensor_from(given, ORIGIN_INPUT);
    return error_text(
        r->error, RULE_RUN_INPUT, WLK_NO_OFFSET, "'%.60s': %s (given %s, expected %s)", port.name,
        what, tensor_text(&shown, is), tensor_text(&r->plan->values[r->plan->inputs[i]], wants));
}

static bool shape_fits(const op_tensor *port, const wlk_tensor *given) {
    if (port->rank == WLK_NONE) return true;
    if (port->rank != given->rank) return false;
    for (uint32_t i = 0; i < port->rank; i++) {
        if (!dim_agrees(port->dims[i], (int64_t)given->shape[i])) return false;
    }
    return true;
}

/* Kernels read elements in place. */
static bool is_aligned(const wlk_tensor *given) {
    const uint32_t bytes = wlk_dtype_bits(given->dtype) / 8;
    const uintptr_t unit = bytes > 8 ? 8 : bytes;
    return unit == 0 || (uintptr_t)given->data % unit == 0;
}

static wlk_status input_payload(const run *r, uint32_t i, const wlk_tensor *given,
                                uint64_t elements) {
    uint64_t expected = given->nbytes;
    uint64_t bad = 0;
    if (given->dtype != WLK_STR && !dtype_nbytes(given->dtype, elements, &expected)) {
        return input_fail(r, i, given, "its size does not fit in memory");
    }
    if (given->nbytes != expected) {
        return input_fail(r, i, given, "nbytes is not what dtype and shape need");
    }
    if (!given->data && expected > 0) return input_fail(r, i, given, "there is no data");
    if (!is_aligned(given)) return input_fail(r, i, given, "data is not aligned to its elements");
    if (given->dtype == WLK_STR && !given->data) {
        return input_fail(r, i, given, "there are no string offsets");
    }
    if (!payload_valid(given->dtype, elements, given->data, expected, &bad)) {
        return input_fail(r, i, given, "its elements are not valid ones of this dtype");
    }
    return WLK_OK;
}

static wlk_status bind_input(run *r, uint32_t i, const wlk_tensor *given) {
    const uint32_t value = r->plan->inputs[i];
    const op_tensor *port = &r->plan->values[value];
    wlk_tensor own = *given;
    if (given->dtype != port->dtype) return input_fail(r, i, given, "its dtype differs");
    if (given->rank > WLK_MAX_RANK || !shape_count(given->shape, given->rank, &own.count)) {
        return input_fail(r, i, given, "its shape is too large");
    }
    if (!shape_fits(port, given)) return input_fail(r, i, given, "its shape differs");
    TRY(input_payload(r, i, given, own.count));
    r->values[value] = tensor_from(&own, ORIGIN_INPUT);
    return WLK_OK;
}

static wlk_status bind_inputs(run *r, const wlk_tensor *inputs, uint32_t count) {
    if (count != r->plan->input_count) {
        return error_text(r->error, RULE_RUN_INPUT, WLK_NO_OFFSET, "%u given, %u expected", count,
                          r->plan->input_count);
    }
    for (uint32_t i = 0; i < count; i++) TRY(bind_input(r, i, &inputs[i]));
    return WLK_OK;
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
    if (!tensor_is_known(actual) || actual->dtype != planned->dtype) {
        return op_fail(call, RULE_INTERNAL_DEFECT, "the shape rule left %s",
                       tensor_text(actual, is));
    }
    if (!same_shape(planned, actual)) {
        return op_fail(call, RULE_RUN_SHAPE, "'%.40s' would be %s, planned %s",
                       plan_edge_name(r->plan, value), tensor_text(actual, is),
                       tensor_text(planned, says));
    }
    if (tensor_measure(actual)) return WLK_OK;
    return op_fail(call, RULE_RUN_MEMORY, "'%.40s' would be %s", plan_edge_name(r->plan, value),
                   tensor_text(actual, is));
}

/* ---- places */

static wlk_status memory_fail(const run *r, uint64_t bytes) {
    return error_text(r->error, RULE_RUN_MEMORY, WLK_NO_OFFSET, "%llu bytes, the limit is %llu",
                      (unsigned long long)bytes, (unsigned long long)r->plan->limits.run_bytes);
}

/* Reserves `bytes` of the result. */
static wlk_status reserve(run *r, uint64_t bytes, uint64_t *offset) {
    uint64_t end;
    if (!checked_add(r->result_bytes, bytes, &end) || !checked_align(end, TENSOR_ALIGN, &end)) {
        return memory_fail(r, UINT64_MAX);
    }
    *offset = r->result_bytes;
    r->result_bytes = end;
    return WLK_OK;
}

static wlk_status place(run *r, uint32_t value) {
    run_place *at = &r->places[value];
    uint64_t bytes = r->values[value].nbytes;
    if (r->plan->last_use[value] == LAST_USE_RESULT) {
        at->in_result = true;
        return reserve(r, bytes, &at->offset);
    }
    if (!checked_align(bytes, TENSOR_ALIGN, &bytes)) return memory_fail(r, UINT64_MAX);
    if (bytes == 0) bytes = TENSOR_ALIGN;
    if (!layout_take(&r->layout, bytes, &at->range)) return memory_fail(r, UINT64_MAX);
    at->offset = r->layout.ranges[at->range].offset;
    return WLK_OK;
}

static void release(run *r, uint32_t value) {
    run_place *at = &r->places[value];
    if (at->range == LAYOUT_NONE) return;
    layout_give(&r->layout, at->range);
    at->range = LAYOUT_NONE;
}

/* Gives up what node number `position` was the last to read, and what it made for
 * nobody. */
static void release_after(run *r, uint32_t position) {
    const plan_node *node = &r->plan->nodes[position];
    for (uint32_t i = 0; i < node->inputs + node->outputs; i++) {
        const uint32_t edge = node->edges[i];
        if (edge & OP_CONSTANT) continue; /* WLK_NONE has the bit too */
        const uint32_t last = r->plan->last_use[edge];
        if (last == position || (i >= node->inputs && last == LAST_USE_NEVER)) release(r, edge);
    }
}

/* ---- work */

static uint64_t saturating_add(uint64_t a, uint64_t b) {
    uint64_t sum;
    return checked_add(a, b, &sum) ? sum : UINT64_MAX;
}

static uint64_t elements_of(const op_tensor *tensor) {
    return tensor ? saturating_add(tensor->count, tensor->text_bytes) : 0;
}

/* Every element is looked at once; the shape rule has added what is beyond. */
static uint64_t node_operations(op_call *call) {
    uint64_t elements = 0;
    for (uint32_t i = 0; i < call->node->inputs; i++) {
        elements = saturating_add(elements, elements_of(op_input(call, i)));
    }
    for (uint32_t i = 0; i < call->node->outputs; i++) {
        elements = saturating_add(elements, elements_of(op_output(call, i)));
    }
    op_add_operations(call, OP_ELEMENT_COST, elements, 1, 1);
    return call->operations;
}

static wlk_status bind_node(run *r, uint32_t position) {
    op_call call = plan_call(r->plan, r->values, position, r->error);
    const plan_node *node = call.node;
    call.binding = true;
    TRY(node->row->infer(&call));
    for (uint32_t i = 0; i < node->outputs; i++) {
        const uint32_t value = node->edges[node->inputs + i];
        if (value == WLK_NONE) continue;
        TRY(settle(r, &call, value));
        TRY(place(r, value));
    }
    release_after(r, position);
    if (call.scratch_bytes > r->scratch_bytes) r->scratch_bytes = call.scratch_bytes;
    r->operations = saturating_add(r->operations, node_operations(&call));
    return WLK_OK;
}

/* ---- outputs and limits */

/* An output that is an input or a constant is copied; the others are computed
 * where they stay. */
static wlk_status bind_outputs(run *r) {
    for (uint32_t i = 0; i < r->plan->output_count; i++) {
        const uint32_t edge = r->plan->outputs[i];
        const op_tensor *tensor = plan_edge(r->plan, r->values, edge);
        if (tensor->origin == ORIGIN_NODE) {
            r->output_at[i] = r->places[edge].offset;
        } else {
            TRY(reserve(r, tensor->nbytes, &r->output_at[i]));
        }
    }
    return WLK_OK;
}

/* The result begins with its header, the tensors' records and their names. */
static wlk_status reserve_head(run *r) {
    uint64_t ignored = 0;
    TRY(reserve(r, sizeof(wlk_result), &ignored));
    TRY(reserve(r, sizeof(wlk_tensor) * (uint64_t)r->plan->output_count, &ignored));
    uint64_t names = 0;
    for (uint32_t i = 0; i < r->plan->output_count; i++) {
        names += strlen(plan_edge_name(r->plan, r->plan->outputs[i])) + 1;
    }
    return reserve(r, names, &ignored);
}

static wlk_status check_limits(const run *r) {
    uint64_t total = saturating_add(r->state_bytes, r->layout.end);
    total = saturating_add(total, r->scratch_bytes);
    total = saturating_add(total, r->result_bytes);
    if (total > r->plan->limits.run_bytes) return memory_fail(r, total);
    if (r->operations <= r->plan->limits.run_operations) return WLK_OK;
    return error_text(r->error, RULE_RUN_OPERATIONS, WLK_NO_OFFSET, "%llu, the limit is %llu",
                      (unsigned long long)r->operations,
                      (unsigned long long)r->plan->limits.run_operations);
}

/* ---- state: its counts were bounded when the model was validated */

static uint64_t state_piece(uint64_t *at, uint64_t count, uint64_t size) {
    const uint64_t start = *at;
    *at = (start + count * size + TENSOR_ALIGN - 1) / TENSOR_ALIGN * TENSOR_ALIGN;
    return start;
}

static wlk_status take_state(run *r) {
    const wlk_plan *plan = r->plan;
    const uint64_t records = layout_records(plan->live_values);
    uint64_t end = 0;
    const uint64_t values = state_piece(&end, plan->value_count, sizeof *r->values);
    const uint64_t places = state_piece(&end, plan->value_count, sizeof *r->places);
    const uint64_t ranges = state_piece(&end, records, sizeof *r->ranges);
    const uint64_t outputs = state_piece(&end, plan->output_count, sizeof *r->output_at);
    if (end > plan->limits.run_bytes || records >= LAYOUT_NONE) return memory_fail(r, end);
    char *state = mem_alloc(end + TENSOR_ALIGN);
    if (!state) return error_at(r->error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    r->state = state;
    r->state_bytes = end;
    r->values = (op_tensor *)(void *)(state + values);
    r->places = (run_place *)(void *)(state + places);
    r->ranges = (layout_range *)(void *)(state + ranges);
    r->output_at = (uint64_t *)(void *)(state + outputs);
    if (plan->value_count > 0) {
        memcpy(r->values, plan->values, plan->value_count * sizeof *r->values);
    }
    for (uint32_t i = 0; i < plan->value_count; i++) {
        r->places[i] = (run_place){.range = LAYOUT_NONE};
    }
    layout_begin(&r->layout, r->ranges, (uint32_t)records);
    return WLK_OK;
}

wlk_status run_bind(run *r, const wlk_tensor *inputs, uint32_t count) {
    TRY(take_state(r));
    TRY(bind_inputs(r, inputs, count));
    TRY(reserve_head(r));
    for (uint32_t i = 0; i < r->plan->node_count; i++) TRY(bind_node(r, i));
    TRY(bind_outputs(r));
    return check_limits(r);
}

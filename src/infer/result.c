#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "infer/frame.h"

/* Where the parts of a result's head lie. */
typedef struct result_head {
    uint64_t outputs;
    uint64_t tensors;
    uint64_t names;
    uint64_t end;
} result_head;

static uint64_t behind(uint64_t bytes) {
    return (bytes + TENSOR_ALIGN - 1) / TENSOR_ALIGN * TENSOR_ALIGN;
}

/* `tensors` were counted in memory that exists: nothing overflows. */
static result_head head_of(const wlk_plan *plan, uint64_t tensors) {
    const uint64_t outputs = plan->graphs[0].output_count;
    result_head head = {.outputs = behind(sizeof(wlk_result))};
    head.tensors = head.outputs + behind(outputs * sizeof(result_output));
    head.names = head.tensors + behind(tensors * sizeof(wlk_tensor));
    head.end = head.names + behind(plan->name_bytes);
    return head;
}

uint64_t result_head_bytes(const wlk_plan *plan) {
    return head_of(plan, plan->graphs[0].output_count).end;
}

static wlk_result *fill_head(const wlk_plan *plan, char *memory, const result_head *head) {
    wlk_result *result = (wlk_result *)(void *)memory;
    *result = (wlk_result){.count = plan->graphs[0].output_count};
    result->outputs = (result_output *)(void *)(memory + head->outputs);
    result->tensors = (wlk_tensor *)(void *)(memory + head->tensors);
    memcpy(memory + head->names, plan->names, plan->name_bytes);
    return result;
}

/* ---- a run in one stretch: the data lie in the same memory as the head */

static wlk_result *finish_in_one(const run *r) {
    const wlk_plan *plan = r->plan;
    const result_head head = head_of(plan, plan->graphs[0].output_count);
    wlk_result *result = fill_head(plan, r->result, &head);
    const char *name = r->result + head.names;
    for (uint32_t i = 0; i < result->count; i++) {
        const uint32_t edge = plan->graphs[0].outputs[i];
        const op_tensor *from = plan_edge(plan, r->values, edge);
        char *data = r->result + r->output_at[i];
        if (from->data != data && from->nbytes > 0) memcpy(data, from->data, from->nbytes);
        result->tensors[i] = tensor_public(from);
        result->tensors[i].data = data;
        result->tensors[i].name = name;
        result->outputs[i] = (result_output){.kind = WLK_VALUE_TENSOR, .first = i, .items = 1};
        name += strlen(name) + 1;
    }
    return result;
}

/* ---- any other run: the data lie in the run's buffers, which the result takes over */

/* A list all of whose items have buffers: those that lie in the caller's or the model's
 * memory are copied. */
static wlk_status own_items(run *r, held *value) {
    const uint64_t count = value->tensor.item_count;
    run_buffer *list = NULL;
    TRY(items_take(r, count, &list));
    for (uint64_t i = 0; i < count; i++) {
        run_buffer *owner = value->owner ? items_owners(value->owner)[i] : NULL;
        held item = {.tensor = value->tensor.items[i], .owner = buffer_share(owner)};
        if (!owner) TRY(held_copy(r, &value->tensor.items[i], &item));
        items_set(list, i, &item);
    }
    held_drop(r, &(held){.owner = value->owner});
    value->owner = list;
    value->tensor.items = items_tensors(list);
    return WLK_OK;
}

static wlk_status own_output(run *r, uint32_t edge, held *out) {
    TRY(frame_take(r, edge, out));
    if (out->tensor.kind != VALUE_TENSOR) return own_items(r, out);
    const op_tensor from = out->tensor;
    return out->owner ? WLK_OK : held_copy(r, &from, out);
}

/* What comes out of an optional is what it holds. */
static wlk_value_kind kind_of(const op_tensor *tensor) {
    const bool is_there = tensor->kind == VALUE_OPTIONAL ? tensor->item_count > 0 : tensor->present;
    if (tensor->kind != VALUE_OPTIONAL && tensor->kind != VALUE_OPTIONAL_SEQUENCE) {
        return (wlk_value_kind)tensor->kind;
    }
    if (!is_there) return WLK_VALUE_OPTIONAL;
    return tensor->kind == VALUE_OPTIONAL ? WLK_VALUE_TENSOR : WLK_VALUE_SEQUENCE;
}

static void fill_output(wlk_result *result, uint32_t i, const held *value, uint64_t *next) {
    const op_tensor *tensor = &value->tensor;
    const wlk_value_kind kind = kind_of(tensor);
    result_output *output = &result->outputs[i];
    *output = (result_output){.kind = kind, .first = *next, .items = tensor->item_count};
    for (uint64_t k = 0; k < tensor->item_count; k++) {
        result->tensors[*next] = tensor_public(&tensor->items[k]);
        result->tensors[(*next)++].name = "";
    }
    result->tensors[i] = (wlk_tensor){.dtype = tensor->dtype};
    if (tensor->kind == VALUE_TENSOR) {
        *output = (result_output){.kind = kind, .first = i, .items = 1};
        result->tensors[i] = tensor_public(tensor);
    } else if (kind == WLK_VALUE_TENSOR) {
        result->tensors[i] = tensor_public(&tensor->items[0]);
    }
}

static wlk_status take_head(run *r, uint64_t tensors, wlk_result **result) {
    const result_head head = head_of(r->plan, tensors);
    uint64_t total;
    if (!checked_add(r->held_bytes + r->block_bytes, head.end, &total) ||
        total > r->plan->limits.run_bytes) {
        return run_memory_fail(r, total);
    }
    char *memory = mem_alloc(head.end);
    if (!memory) return error_at(r->error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    *result = fill_head(r->plan, memory, &head);
    return WLK_OK;
}

static wlk_status finish_held(run *r, const held *outputs, wlk_result **result) {
    const uint32_t count = r->plan->graphs[0].output_count;
    uint64_t tensors = count;
    for (uint32_t i = 0; i < count; i++) tensors += outputs[i].tensor.item_count;
    TRY(take_head(r, tensors, result));
    const char *name = (char *)*result + head_of(r->plan, tensors).names;
    uint64_t next = count;
    for (uint32_t i = 0; i < count; i++) {
        fill_output(*result, i, &outputs[i], &next);
        (*result)->tensors[i].name = name;
        name += strlen(name) + 1;
    }
    return WLK_OK;
}

/* All buffers that are left when the graph's values are given up are the outputs'. */
static wlk_status finish_apart(run *r, wlk_result **result) {
    const plan_graph *g = &r->plan->graphs[0];
    run_buffer *room = NULL;
    TRY(buffer_take(r, g->output_count * (uint64_t)sizeof(held), &room));
    held *outputs = buffer_data(room);
    for (uint32_t i = 0; i < g->output_count; i++) TRY(own_output(r, g->outputs[i], &outputs[i]));
    TRY(finish_held(r, outputs, result));
    frame_clear(r, 0);
    buffer_drop(r, room);
    (*result)->buffers = r->buffers;
    r->buffers = NULL;
    return WLK_OK;
}

wlk_status run_finish(run *r, wlk_result **result) {
    if (!r->in_one) return finish_apart(r, result);
    *result = finish_in_one(r);
    return WLK_OK;
}

/* ---- what callers see */

uint32_t wlk_result_count(const wlk_result *result) {
    return result->count;
}

wlk_tensor wlk_result_tensor(const wlk_result *result, uint32_t i) {
    if (i >= result->count) return (wlk_tensor){.name = ""};
    return result->tensors[i];
}

wlk_value_kind wlk_result_kind(const wlk_result *result, uint32_t i) {
    return i < result->count ? result->outputs[i].kind : WLK_VALUE_TENSOR;
}

uint64_t wlk_result_items(const wlk_result *result, uint32_t i) {
    return i < result->count ? result->outputs[i].items : 0;
}

wlk_tensor wlk_result_item(const wlk_result *result, uint32_t i, uint64_t item) {
    if (item >= wlk_result_items(result, i)) return (wlk_tensor){.name = ""};
    return result->tensors[result->outputs[i].first + item];
}

void wlk_result_free(wlk_result *result) {
    if (!result) return;
    buffers_free(result->buffers);
    mem_free(result);
}

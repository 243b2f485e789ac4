#include "infer/values.h"

#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "infer/run.h"

#define BUFFER_HEADER TENSOR_ALIGN
_Static_assert(sizeof(run_buffer) <= BUFFER_HEADER, "data lie right behind the header, aligned");

wlk_status buffer_take(run *r, uint64_t bytes, run_buffer **out) {
    uint64_t whole, total;
    if (!checked_add(bytes, BUFFER_HEADER, &whole) || !checked_align(whole, TENSOR_ALIGN, &whole) ||
        !checked_add(whole, r->held_bytes, &total) ||
        !checked_add(total, r->block_bytes + r->result_bytes, &total)) {
        return run_memory_fail(r, UINT64_MAX);
    }
    if (total > r->plan->limits.run_bytes) return run_memory_fail(r, total);
    run_buffer *buffer = mem_aligned(TENSOR_ALIGN, whole);
    if (!buffer) return error_at(r->error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    *buffer = (run_buffer){.next = r->buffers, .bytes = whole, .users = 1};
    if (r->buffers) r->buffers->previous = buffer;
    r->buffers = buffer;
    r->held_bytes += whole;
    *out = buffer;
    return WLK_OK;
}

void *buffer_data(run_buffer *buffer) {
    return (char *)buffer + BUFFER_HEADER;
}

run_buffer *buffer_share(run_buffer *buffer) {
    if (buffer) buffer->users++;
    return buffer;
}

/* The last user is gone. */
static void buffer_free(run *r, run_buffer *buffer) {
    if (buffer->next) buffer->next->previous = buffer->previous;
    if (buffer->previous) {
        buffer->previous->next = buffer->next;
    } else {
        r->buffers = buffer->next;
    }
    r->held_bytes -= buffer->bytes;
    mem_free(buffer);
}

/* Items are tensors, which have none themselves: two levels and no more. */
void buffer_drop(run *r, run_buffer *buffer) {
    if (!buffer || --buffer->users > 0) return;
    for (uint64_t i = 0; i < buffer->items; i++) {
        run_buffer *owner = items_owners(buffer)[i];
        if (owner && --owner->users == 0) buffer_free(r, owner);
    }
    buffer_free(r, buffer);
}

void buffers_free(run_buffer *buffers) {
    while (buffers) {
        run_buffer *next = buffers->next;
        mem_free(buffers);
        buffers = next;
    }
}

/* ---- lists */

wlk_status items_take(run *r, uint64_t count, run_buffer **out) {
    uint64_t bytes;
    if (!checked_mul(count, sizeof(op_tensor) + sizeof(run_buffer *), &bytes)) {
        return run_memory_fail(r, UINT64_MAX);
    }
    TRY(buffer_take(r, bytes, out));
    memset(buffer_data(*out), 0, bytes);
    (*out)->items = count;
    return WLK_OK;
}

op_tensor *items_tensors(run_buffer *list) {
    return buffer_data(list);
}

run_buffer **items_owners(run_buffer *list) {
    return (run_buffer **)(void *)(items_tensors(list) + list->items);
}

void items_set(run_buffer *list, uint64_t i, const held *item) {
    items_tensors(list)[i] = item->tensor;
    items_owners(list)[i] = item->owner;
}

/* ---- what is held */

wlk_status held_new(run *r, wlk_dtype dtype, uint32_t rank, const int64_t *dims,
                    uint64_t text_bytes, held *out) {
    op_tensor tensor = {
        .dtype = dtype, .origin = ORIGIN_COMPUTED, .rank = rank, .text_bytes = text_bytes};
    if (rank > 0) memcpy(tensor.dims, dims, rank * sizeof *dims);
    if (!tensor_measure(&tensor)) return run_memory_fail(r, UINT64_MAX);
    TRY(buffer_take(r, tensor.nbytes, &out->owner));
    tensor.target = buffer_data(out->owner);
    tensor.data = tensor.target;
    out->tensor = tensor;
    return WLK_OK;
}

held held_list(value_kind kind, wlk_dtype dtype, run_buffer *list) {
    return (held){.tensor = {.kind = kind,
                             .dtype = dtype,
                             .origin = ORIGIN_COMPUTED,
                             .rank = WLK_NONE,
                             .items = items_tensors(list),
                             .item_count = list->items,
                             .present = true},
                  .owner = list};
}

held held_share(const held *value) {
    (void)buffer_share(value->owner);
    return *value;
}

void held_drop(run *r, held *value) {
    buffer_drop(r, value->owner);
    *value = (held){.owner = NULL};
}

wlk_status held_copy(run *r, const op_tensor *from, held *out) {
    TRY(held_new(r, from->dtype, from->rank, from->dims, from->text_bytes, out));
    if (from->nbytes > 0) memcpy(out->tensor.target, from->data, from->nbytes);
    out->tensor.nbytes = from->nbytes;
    return WLK_OK;
}

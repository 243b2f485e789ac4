#include "infer/pieces.h"

#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"

/* ---- runs of elements */

static uint32_t bits_at(const uint8_t *data, uint64_t at, uint32_t bits) {
    const uint64_t first = at * bits;
    uint32_t value = data[first / 8];
    if (first % 8 + bits > 8) value |= (uint32_t)data[first / 8 + 1] << 8;
    return value >> first % 8 & ((1u << bits) - 1);
}

static void set_bits(uint8_t *data, uint64_t at, uint32_t bits, uint32_t value) {
    const uint64_t first = at * bits;
    const uint32_t shifted = value << first % 8;
    data[first / 8] |= (uint8_t)shifted;
    if (first % 8 + bits > 8) data[first / 8 + 1] |= (uint8_t)(shifted >> 8);
}

/* A tensor that is being filled from the front. Packed elements are added to zeros. */
typedef struct filling {
    op_tensor *out;
    uint64_t count;      /* elements so far */
    uint64_t text_bytes; /* of str */
} filling;

static void fill_begin(filling *f, op_tensor *out) {
    *f = (filling){.out = out};
    if (out->dtype == WLK_STR) {
        store_u64(out->target, 0);
    } else if (wlk_dtype_bits(out->dtype) < 8 && out->nbytes > 0) {
        memset(out->target, 0, out->nbytes);
    }
}

static void fill_text(filling *f, const op_tensor *from, uint64_t at, uint64_t count) {
    char *offsets = f->out->target;
    char *texts = offsets + 8 * (f->out->count + 1);
    for (uint64_t i = 0; i < count; i++) {
        const text_span span = tensor_string(from, at + i);
        if (span.length > 0) memcpy(texts + f->text_bytes, span.text, span.length);
        f->text_bytes += span.length;
        store_u64(offsets + 8 * ++f->count, f->text_bytes);
    }
}

/* Adds elements [at, at + count). */
static void fill_add(filling *f, const op_tensor *from, uint64_t at, uint64_t count) {
    const uint32_t bits = wlk_dtype_bits(f->out->dtype);
    if (count == 0) return;
    if (f->out->dtype == WLK_STR) {
        fill_text(f, from, at, count);
        return;
    }
    if (bits >= 8) {
        const uint64_t size = bits / 8;
        memcpy((char *)f->out->target + f->count * size, (const char *)from->data + at * size,
               count * size);
    } else {
        for (uint64_t i = 0; i < count; i++) {
            set_bits(f->out->target, f->count + i, bits, bits_at(from->data, at + i, bits));
        }
    }
    f->count += count;
}

static void fill_end(const filling *f) {
    if (f->out->dtype != WLK_STR) return;
    f->out->text_bytes = f->text_bytes;
    f->out->nbytes = 8 * (f->out->count + 1) + f->text_bytes;
}

/* ---- cutting */

static wlk_status charge(run *r, uint64_t elements, uint64_t text_bytes, uint64_t runs) {
    uint64_t work = UINT64_MAX;
    if (!checked_add(elements, text_bytes, &work) || !checked_add(work, runs, &work) ||
        !checked_mul(work, 2 * (uint64_t)OP_ELEMENT_COST, &work)) {
        work = UINT64_MAX;
    }
    return run_charge(r, work);
}

wlk_status pieces_cut(run *r, const op_tensor *from, const piece_cut *cut, held *out) {
    int64_t dims[WLK_MAX_RANK];
    uint32_t rank = 0;
    for (uint32_t i = 0; i < from->rank; i++) {
        if (i == cut->axis && cut->drops) continue;
        dims[rank++] = i == cut->axis ? (int64_t)cut->length : from->dims[i];
    }
    TRY(held_new(r, from->dtype, rank, dims, from->text_bytes, out));
    const uint64_t inner = tensor_span(from, cut->axis + 1, from->rank);
    const uint64_t outer = out->tensor.count > 0 ? tensor_span(from, 0, cut->axis) : 0;
    const wlk_status status = charge(r, out->tensor.count, from->text_bytes, outer);
    if (status != WLK_OK) {
        held_drop(r, out);
        return status;
    }
    filling f;
    fill_begin(&f, &out->tensor);
    for (uint64_t o = 0; o < outer; o++) {
        const uint64_t at = (o * (uint64_t)from->dims[cut->axis] + cut->start) * inner;
        fill_add(&f, from, at, cut->length * inner);
    }
    fill_end(&f);
    return WLK_OK;
}

/* ---- joining */

static wlk_status join_fail(const op_call *call, const op_tensor *a, const op_tensor *b) {
    char left[TENSOR_TEXT_BYTES];
    char right[TENSOR_TEXT_BYTES];
    return op_fail(call, RULE_RUN_SHAPE, "items %s and %s do not fit each other",
                   tensor_text(a, left), tensor_text(b, right));
}

/* Do an item's dims fit the first one's? Adds its positions along a joined axis. */
static wlk_status join_item(const op_call *call, const piece_join *join, uint64_t i, int64_t *sum) {
    const op_tensor *first = &join->items[0];
    const op_tensor *item = &join->items[i];
    if (item->rank != first->rank || item->dtype != first->dtype) {
        return join_fail(call, first, item);
    }
    for (uint32_t a = 0; a < item->rank; a++) {
        if (!join->is_new && a == join->axis) continue;
        if (item->dims[a] != first->dims[a]) return join_fail(call, first, item);
    }
    const int64_t length = join->is_new ? 1 : item->dims[join->axis];
    if (__builtin_add_overflow(*sum, length, sum)) return join_fail(call, first, item);
    return WLK_OK;
}

static wlk_status join_shape(run *r, const op_call *call, const piece_join *join, int64_t *dims,
                             uint64_t *text_bytes) {
    const op_tensor *first = &join->items[0];
    int64_t sum = 0;
    *text_bytes = 0;
    for (uint64_t i = 0; i < join->count; i++) {
        TRY(join_item(call, join, i, &sum));
        if (!checked_add(*text_bytes, join->items[i].text_bytes, text_bytes)) {
            return run_memory_fail(r, UINT64_MAX);
        }
    }
    uint32_t rank = 0;
    for (uint32_t a = 0; a < first->rank + join->is_new; a++) {
        if (a == join->axis) {
            dims[a] = sum;
            rank += !join->is_new;
        } else {
            dims[a] = first->dims[rank++];
        }
    }
    return WLK_OK;
}

static void join_fill(const piece_join *join, op_tensor *out) {
    const op_tensor *first = &join->items[0];
    const uint64_t outer = out->count > 0 ? tensor_span(first, 0, join->axis) : 0;
    filling f;
    fill_begin(&f, out);
    for (uint64_t o = 0; o < outer; o++) {
        for (uint64_t i = 0; i < join->count; i++) {
            const op_tensor *item = &join->items[join->reverse ? join->count - 1 - i : i];
            const uint64_t length = tensor_span(item, join->axis, item->rank);
            fill_add(&f, item, o * length, length);
        }
    }
    fill_end(&f);
}

wlk_status pieces_join(run *r, const op_call *call, const piece_join *join, held *out) {
    int64_t dims[WLK_MAX_RANK + 1];
    uint64_t text_bytes = 0;
    const op_tensor *first = &join->items[0];
    const uint32_t rank = first->rank + join->is_new;
    if (rank > WLK_MAX_RANK) return join_fail(call, first, first);
    TRY(run_charge(r, join->count < UINT32_MAX ? join->count * OP_ELEMENT_COST : UINT64_MAX));
    TRY(join_shape(r, call, join, dims, &text_bytes));
    TRY(held_new(r, first->dtype, rank, dims, text_bytes, out));
    uint64_t runs = 0;
    if (out->tensor.count > 0 &&
        !checked_mul(tensor_span(first, 0, join->axis), join->count, &runs)) {
        runs = UINT64_MAX;
    }
    const wlk_status status = charge(r, out->tensor.count, text_bytes, runs);
    if (status != WLK_OK) {
        held_drop(r, out);
        return status;
    }
    join_fill(join, &out->tensor);
    return WLK_OK;
}

/* ---- growing */

#define GROWING_FIRST 8

wlk_status growing_room(run *r, uint64_t count, run_buffer **room, growing **out) {
    TRY(buffer_take(r, count * sizeof(growing), room));
    *out = buffer_data(*room);
    if (count > 0) memset(*out, 0, count * sizeof(growing));
    return WLK_OK;
}

/* The items move to a list with more room. */
static wlk_status grow(run *r, growing *g) {
    run_buffer *larger = NULL;
    const uint64_t room = g->list ? 2 * g->list->items : GROWING_FIRST;
    TRY(items_take(r, room, &larger));
    for (uint64_t i = 0; i < g->count; i++) {
        const held item = {.tensor = items_tensors(g->list)[i],
                           .owner = buffer_share(items_owners(g->list)[i])};
        items_set(larger, i, &item);
    }
    buffer_drop(r, g->list);
    g->list = larger;
    return WLK_OK;
}

wlk_status growing_add(run *r, growing *g, held *item) {
    if (!g->list || g->count == g->list->items) TRY(grow(r, g));
    items_set(g->list, g->count++, item);
    *item = (held){.owner = NULL};
    return WLK_OK;
}

/* What is not known of the shape of nothing is 0. */
static wlk_status join_nothing(run *r, const growing_join *how, held *out) {
    int64_t dims[WLK_MAX_RANK] = {0};
    const op_tensor *item = how->item;
    const uint32_t rank = item->rank == WLK_NONE ? how->axis : item->rank;
    uint32_t from = 0;
    for (uint32_t a = 0; a <= rank && item->rank != WLK_NONE; a++) {
        if (a == how->axis) continue;
        dims[a] = item->dims[from] == WLK_UNKNOWN_DIM ? 0 : item->dims[from];
        from++;
    }
    TRY(held_new(r, item->dtype, rank + 1, dims, 0, out));
    if (item->dtype == WLK_STR) store_u64(out->tensor.target, 0);
    return WLK_OK;
}

wlk_status growing_finish(run *r, const op_call *call, growing *g, const growing_join *how,
                          held *out) {
    if (g->count == 0) return join_nothing(r, how, out);
    const piece_join join = {.items = items_tensors(g->list),
                             .count = g->count,
                             .axis = how->axis,
                             .is_new = true,
                             .reverse = how->reverse};
    TRY(pieces_join(r, call, &join, out));
    buffer_drop(r, g->list);
    *g = (growing){.list = NULL};
    return WLK_OK;
}

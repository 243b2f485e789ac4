#include <string.h>

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
    return error_text(r->error, RULE_RUN_INPUT, WLK_NO_OFFSET,
                      "'%.60s': %s (given %s, expected %s)", port.name, what,
                      tensor_text(&shown, is),
                      tensor_text(&r->plan->values[r->plan->graphs[0].inputs[i]], wants));
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

/* One tensor against a port's dtype; its shape only where a tensor is wanted. */
static wlk_status read_tensor(const run *r, uint32_t i, const wlk_tensor *given, wlk_dtype dtype,
                              op_tensor *out) {
    wlk_tensor own = *given;
    if (given->dtype != dtype) return input_fail(r, i, given, "its dtype differs");
    if (given->rank > WLK_MAX_RANK || !shape_count(given->shape, given->rank, &own.count)) {
        return input_fail(r, i, given, "its shape is too large");
    }
    TRY(input_payload(r, i, given, own.count));
    *out = tensor_from(&own, ORIGIN_INPUT);
    return WLK_OK;
}

static wlk_status bind_tensor(run *r, uint32_t i, const wlk_tensor *given) {
    const uint32_t value = r->plan->graphs[0].inputs[i];
    const op_tensor *port = &r->plan->values[value];
    if (given->dtype == port->dtype && given->rank <= WLK_MAX_RANK && !shape_fits(port, given)) {
        return input_fail(r, i, given, "its shape differs");
    }
    TRY(read_tensor(r, i, given, port->dtype, &r->values[value]));
    r->places[value] = (run_place){.kind = PLACE_LASTING};
    return WLK_OK;
}

/* ---- inputs that are not tensors */

static wlk_status argument_fail(const run *r, uint32_t i, const char *what) {
    return error_text(r->error, RULE_RUN_INPUT, WLK_NO_OFFSET, "'%.60s': %s",
                      wlk_plan_input(r->plan, i).name, what);
}

/* Keys [n] and values: [n] of a map, [rows, n] of maps. */
static wlk_status check_map(const run *r, uint32_t i, const op_tensor *items, uint32_t rank) {
    const bool fits =
        items[0].rank == 1 && items[1].rank == rank && items[1].dims[rank - 1] == items[0].dims[0];
    return fits ? WLK_OK : argument_fail(r, i, "keys and values do not fit each other");
}

static wlk_status check_list(const run *r, uint32_t i, const op_tensor *port,
                             const op_tensor *items, uint64_t count) {
    const bool is_map = port->kind == VALUE_MAP || port->kind == VALUE_MAPS;
    if (is_map && count != 2) return argument_fail(r, i, "a map has keys and values");
    if (port->kind == VALUE_OPTIONAL && count > 1) {
        return argument_fail(r, i, "an optional holds one tensor at most");
    }
    return is_map ? check_map(r, i, items, port->kind == VALUE_MAP ? 1 : 2) : WLK_OK;
}

static wlk_status bind_list(run *r, uint32_t i, const wlk_argument *given) {
    const uint32_t value = r->plan->graphs[0].inputs[i];
    const op_tensor *port = &r->plan->values[value];
    const bool is_map = port->kind == VALUE_MAP || port->kind == VALUE_MAPS;
    run_buffer *list = NULL;
    TRY(items_take(r, given->count, &list)); /* the run's from now on */
    op_tensor *items = items_tensors(list);
    for (uint64_t k = 0; k < given->count; k++) {
        const wlk_dtype dtype = is_map && k == 0 ? port->key_dtype : port->dtype;
        TRY(read_tensor(r, i, &given->items[k], dtype, &items[k]));
    }
    TRY(check_list(r, i, port, items, given->count));
    const held all = held_list(port->kind, port->dtype, list);
    r->values[value] = all.tensor;
    r->values[value].key_dtype = port->key_dtype;
    r->values[value].present = given->kind != WLK_VALUE_OPTIONAL || given->count > 0;
    r->places[value] = (run_place){.kind = PLACE_BUFFER, .owner = list};
    return WLK_OK;
}

/* Is this kind of argument one for a port of that kind? What an optional holds is given
 * in its place. */
static bool kind_fits(value_kind port, const wlk_argument *given) {
    if ((uint32_t)given->kind == (uint32_t)port) return true;
    if (port == VALUE_OPTIONAL) return given->kind == WLK_VALUE_TENSOR;
    if (port != VALUE_OPTIONAL_SEQUENCE) return false;
    return given->kind == WLK_VALUE_SEQUENCE ||
           (given->kind == WLK_VALUE_OPTIONAL && given->count == 0);
}

static wlk_status bind_argument(run *r, uint32_t i, const wlk_argument *given) {
    const value_kind kind = r->plan->values[r->plan->graphs[0].inputs[i]].kind;
    if (!kind_fits(kind, given)) return argument_fail(r, i, "it is of another kind");
    if (given->kind == WLK_VALUE_TENSOR && given->count != 1) {
        return argument_fail(r, i, "a tensor is one item");
    }
    if (!given->items && given->count > 0) return argument_fail(r, i, "there are no items");
    return kind == VALUE_TENSOR ? bind_tensor(r, i, given->items) : bind_list(r, i, given);
}

wlk_status run_arguments(run *r, const wlk_argument *arguments, uint32_t count) {
    const uint32_t expected = r->plan->graphs[0].input_count;
    if (count != expected) {
        return error_text(r->error, RULE_RUN_INPUT, WLK_NO_OFFSET, "%u given, %u expected", count,
                          expected);
    }
    for (uint32_t i = 0; i < count; i++) TRY(bind_argument(r, i, &arguments[i]));
    return WLK_OK;
}

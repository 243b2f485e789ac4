#include <string.h>

#include "formats/pickle/numpy_parts.h"

/* _frombuffer(bytes, dtype, shape, order [, axes]): what protocol 5 has for arrays. */

static wlk_status bad_buffer(uint64_t offset, const char *what, wlk_error *error) {
    return error_text(error, RULE_NUMPY_ARRAY, offset, "%s", what);
}

/* Is it a tuple of each of the array's axes, once? */
static bool read_axes(const py_value *value, const py_array *array, uint32_t *axes) {
    uint32_t seen = 0;
    if (value->kind != PY_TUPLE || value->items.count != array->rank) return false;
    for (uint32_t i = 0; i < array->rank; i++) {
        const py_value *axis = value->items.list[i];
        if (!numpy_is_integer(axis, 0, (int64_t)array->rank - 1)) return false;
        axes[i] = (uint32_t)axis->integer;
        if (seen & UINT32_C(1) << axes[i]) return false;
        seen |= UINT32_C(1) << axes[i];
    }
    return true;
}

/* Elements of the array in row-major order once its axes are exchanged: out has room. An
 * odometer of the new axes, whose steps in the old order are `strides`. */
static void copy_transposed(const py_array *from, const py_array *to, const uint64_t *strides,
                            uint8_t *out) {
    uint64_t index[PY_MAX_RANK] = {0};
    const uint32_t itemsize = from->dtype->itemsize;
    uint64_t at = 0;
    for (uint64_t i = 0; i < from->count; i++) {
        memcpy(out + i * itemsize, from->data + at, itemsize);
        for (uint32_t axis = to->rank; axis-- > 0;) {
            at += strides[axis];
            if (++index[axis] < to->shape[axis]) break;
            at -= strides[axis] * to->shape[axis];
            index[axis] = 0;
        }
    }
}

static wlk_status exchange_axes(pickle *p, const py_value *value, uint64_t offset, py_array *array,
                                wlk_error *error) {
    uint32_t axes[PY_MAX_RANK] = {0};
    uint64_t old[PY_MAX_RANK] = {0};
    uint64_t strides[PY_MAX_RANK] = {0};
    py_array result = *array;
    if (!read_axes(value, array, axes)) return bad_buffer(offset, "its axes", error);
    uint64_t step = array->dtype->itemsize;
    for (uint32_t i = array->rank; i-- > 0;) {
        old[i] = step;
        step *= array->shape[i]; /* at most nbytes, or nothing is copied */
    }
    for (uint32_t i = 0; i < array->rank; i++) {
        result.shape[i] = array->shape[axes[i]];
        strides[i] = old[axes[i]];
    }
    uint8_t *out = arena_take(&p->memory, array->nbytes, 1);
    if (!out) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    copy_transposed(array, &result, strides, out);
    result.data = out;
    *array = result;
    return WLK_OK;
}

/* "C" or "F"; of "K" the elements are in row-major order of other axes. */
static wlk_status read_order(pickle *p, const py_items *arguments, uint64_t offset, py_array *array,
                             wlk_error *error) {
    const py_value *order = arguments->list[3];
    const bool has_axes = arguments->count == 5 && arguments->list[4]->kind != PY_NONE;
    array->fortran = py_is_text(order, "F");
    if (py_is_text(order, "K") && has_axes) {
        return exchange_axes(p, arguments->list[4], offset, array, error);
    }
    if ((array->fortran || py_is_text(order, "C")) && !has_axes) return WLK_OK;
    return bad_buffer(offset, "its order", error);
}

wlk_status py_make_buffer_array(pickle *p, const py_global *callable, const py_value *arguments,
                                uint64_t offset, py_value **made, wlk_error *error) {
    py_array array = {.built = true};
    py_text bytes;
    const py_items *items = &arguments->items;
    (void)callable;
    if (items->count < 4 || items->count > 5) return error_at(error, RULE_NUMPY_ARRAY, offset);
    TRY(numpy_bytes(p, items->list[0], &bytes, error));
    TRY(numpy_plain_dtype(items->list[1], offset, &array.dtype, error));
    TRY(numpy_shape(items->list[2], offset, &array, error));
    TRY(numpy_elements(&array, bytes.data, bytes.length, offset, error));
    TRY(read_order(p, items, offset, &array, error));
    return numpy_new_array(p, &array, offset, made, error);
}

#include <string.h>

#include "base/checked.h"
#include "formats/pickle/numpy_parts.h"

/* ---- small values */

bool numpy_flag(const py_value *value, bool *flag) {
    if (value->kind == PY_BOOL) {
        *flag = value->boolean;
        return true;
    }
    *flag = value->kind == PY_INT && value->integer == 1;
    return numpy_is_integer(value, 0, 1);
}

bool numpy_is_integer(const py_value *value, int64_t low, int64_t high) {
    return value->kind == PY_INT && value->integer >= low && value->integer <= high;
}

static const char *const array_classes[][2] = {
    {"numpy", "ndarray"},
    {"numpy", "memmap"},
    {"numpy", "matrix"},
    {"numpy.core.memmap", "memmap"},
    {"numpy._core.memmap", "memmap"},
    {"numpy.core.defmatrix", "matrix"},
    {"numpy.matrixlib.defmatrix", "matrix"},
};

bool numpy_is_array_class(const py_value *value) {
    if (value->kind != PY_GLOBAL) return false;
    for (size_t i = 0; i < sizeof array_classes / sizeof *array_classes; i++) {
        if (strcmp(value->global->module, array_classes[i][0]) == 0 &&
            strcmp(value->global->name, array_classes[i][1]) == 0) {
            return true;
        }
    }
    return false;
}

static wlk_status bad_array(uint64_t offset, const char *what, wlk_error *error) {
    return error_text(error, RULE_NUMPY_ARRAY, offset, "%s", what);
}

/* ---- shape */

/* The product, which also without its zeros must be a size: else [2^40, 2^40, 0] would be one
 * that nothing can walk. */
static bool count_elements(py_array *array) {
    uint64_t product = 1;
    bool empty = false;
    for (uint32_t i = 0; i < array->rank; i++) {
        if (array->shape[i] == 0) {
            empty = true;
        } else if (!checked_mul(product, array->shape[i], &product)) {
            return false;
        }
    }
    array->count = empty ? 0 : product;
    return product <= INT64_MAX;
}

wlk_status numpy_shape(const py_value *value, uint64_t offset, py_array *array, wlk_error *error) {
    if (value->kind != PY_TUPLE || value->items.count > PY_MAX_RANK) {
        return bad_array(offset, "its shape", error);
    }
    array->rank = value->items.count;
    for (uint32_t i = 0; i < array->rank; i++) {
        const py_value *dim = value->items.list[i];
        if (!numpy_is_integer(dim, 0, INT64_MAX)) return bad_array(offset, "its shape", error);
        array->shape[i] = (uint64_t)dim->integer;
    }
    return count_elements(array) ? WLK_OK : bad_array(offset, "its shape", error);
}

/* Both orders are one where at most one dimension is longer than 1, and of no elements. */
static bool order_matters(const py_array *array) {
    uint32_t longer = 0;
    for (uint32_t i = 0; i < array->rank; i++) longer += array->shape[i] > 1;
    return longer > 1 && array->count > 0;
}

/* ---- elements */

/* Text that Python 2 or protocols below 3 give for bytes: each character is one byte. */
static wlk_status decode_latin1(pickle *p, const py_value *value, py_text *bytes,
                                wlk_error *error) {
    const uint8_t *text = value->text.data;
    uint8_t *out = arena_take(&p->memory, value->text.length, 1);
    if (!out) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    uint64_t count = 0;
    for (uint64_t i = 0; i < value->text.length; i++) {
        uint8_t byte = text[i];
        if (byte >= 0x80) { /* text is UTF-8: a byte follows */
            if (byte > 0xc3) return bad_array(value->offset, "text that stands for bytes", error);
            byte = (uint8_t)((byte & 3) << 6 | (text[++i] & 0x3f));
        }
        out[count++] = byte;
    }
    *bytes = (py_text){out, count};
    return WLK_OK;
}

/* Each array has bytes of its own: together they are not more than the stream. Else a few
 * opcodes could make arrays without end of the same bytes. */
wlk_status numpy_bytes(pickle *p, const py_value *value, py_text *bytes, wlk_error *error) {
    if (value->kind == PY_STR) {
        TRY(decode_latin1(p, value, bytes, error));
    } else if (value->kind == PY_BYTES || value->kind == PY_BYTEARRAY) {
        *bytes = value->text;
    } else {
        return bad_array(value->offset, "its elements are no bytes", error);
    }
    if (bytes->length > p->stream.size - p->elements) {
        return bad_array(value->offset, "the same elements again and again", error);
    }
    p->elements += bytes->length;
    return WLK_OK;
}

static wlk_status check_truth_values(const uint8_t *data, uint64_t length, uint64_t offset,
                                     wlk_error *error) {
    uint8_t all = 0;
    for (uint64_t i = 0; i < length; i++) all |= data[i];
    return all <= 1 ? WLK_OK : bad_array(offset, "a truth value is neither 0 nor 1", error);
}

wlk_status numpy_elements(py_array *array, const uint8_t *data, uint64_t length, uint64_t offset,
                          wlk_error *error) {
    uint64_t needed;
    /* Elements of no bytes could be as many as they like. */
    const bool sized = array->dtype->itemsize > 0 || array->count == 0;
    if (!sized || !checked_mul(array->count, array->dtype->itemsize, &needed) || needed != length) {
        return error_text(error, RULE_NUMPY_SIZE, offset, "%llu elements of %u bytes in %llu",
                          (unsigned long long)array->count, array->dtype->itemsize,
                          (unsigned long long)length);
    }
    array->data = data;
    array->nbytes = length;
    if (array->dtype->kind != 'b') return WLK_OK;
    return check_truth_values(data, length, offset, error);
}

wlk_status numpy_new_array(pickle *p, const py_array *array, uint64_t offset, py_value **value,
                           wlk_error *error) {
    py_array *copy = arena_take(&p->memory, 1, sizeof *copy);
    if (!copy) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    *copy = *array;
    copy->fortran = array->fortran && order_matters(array);
    TRY(py_new(p, PY_ARRAY, offset, value, error));
    (*value)->array = copy;
    return WLK_OK;
}

/* ---- _reconstruct(class, (0,), b"b"), which BUILD completes */

/* b"b" is a dtype, of one-byte integers. */
static const py_dtype dtype_of_nothing = {.kind = 'i', .itemsize = 1, .built = true};

static bool is_letter_b(const py_value *value) {
    return (value->kind == PY_STR || value->kind == PY_BYTES) && value->text.length == 1 &&
           value->text.data[0] == 'b';
}

static bool is_shape_of_nothing(const py_value *value) {
    return value->kind == PY_TUPLE && value->items.count == 1 &&
           numpy_is_integer(value->items.list[0], 0, 0);
}

static wlk_status make_empty(pickle *p, py_value *const *arguments, bool masked, uint64_t offset,
                             py_value **made, wlk_error *error) {
    const py_array empty = {.dtype = &dtype_of_nothing, .rank = 1, .masked = masked};
    if (!numpy_is_array_class(arguments[0]) || !is_shape_of_nothing(arguments[1]) ||
        !is_letter_b(arguments[2])) {
        return error_at(error, RULE_NUMPY_ARRAY, offset);
    }
    return numpy_new_array(p, &empty, offset, made, error);
}

wlk_status py_make_array(pickle *p, const py_global *callable, const py_value *arguments,
                         uint64_t offset, py_value **made, wlk_error *error) {
    (void)callable;
    if (arguments->items.count != 3) return error_at(error, RULE_NUMPY_ARRAY, offset);
    return make_empty(p, arguments->items.list, false, offset, made, error);
}

/* _mareconstruct(MaskedArray, class of the data, (0,), "b") */
wlk_status py_make_masked_array(pickle *p, const py_global *callable, const py_value *arguments,
                                uint64_t offset, py_value **made, wlk_error *error) {
    (void)callable;
    if (arguments->items.count != 4 || arguments->items.list[0]->kind != PY_GLOBAL ||
        strcmp(arguments->items.list[0]->global->name, "MaskedArray") != 0) {
        return error_at(error, RULE_NUMPY_ARRAY, offset);
    }
    return make_empty(p, arguments->items.list + 1, true, offset, made, error);
}

/* ---- its state: (1, shape, dtype, is it Fortran order, elements [, mask, fill value]) */

enum { ARRAY_VERSION, ARRAY_SHAPE, ARRAY_DTYPE, ARRAY_FORTRAN, ARRAY_ELEMENTS, ARRAY_MASK };

/* Objects come as a list in row-major order, also of an array in Fortran order. The list may
 * still grow or change: the array has a copy. */
static wlk_status take_objects(pickle *p, const py_value *list, py_array *array, wlk_error *error) {
    if (list->kind != PY_LIST) return bad_array(list->offset, "its objects are no list", error);
    if (list->items.count != array->count) {
        return error_text(error, RULE_NUMPY_SIZE, list->offset, "%llu elements in a list of %u",
                          (unsigned long long)array->count, list->items.count);
    }
    if (array->count > p->limits->pickle_objects - p->objects) {
        return error_at(error, RULE_LIMIT_PICKLE_OBJECTS, list->offset);
    }
    p->objects += array->count;
    py_value **objects = arena_take(&p->memory, array->count, sizeof *objects);
    if (!objects) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    for (uint64_t i = 0; i < array->count; i++) objects[i] = list->items.list[i];
    array->objects = objects;
    array->fortran = false;
    return WLK_OK;
}

static wlk_status take_elements(pickle *p, const py_value *elements, py_array *array,
                                wlk_error *error) {
    py_text bytes;
    if (array->dtype->kind == 'O') return take_objects(p, elements, array, error);
    TRY(numpy_bytes(p, elements, &bytes, error));
    return numpy_elements(array, bytes.data, bytes.length, elements->offset, error);
}

static wlk_status take_mask(pickle *p, const py_value *mask, py_array *array, wlk_error *error) {
    py_text bytes;
    TRY(numpy_bytes(p, mask, &bytes, error));
    if (bytes.length != array->count) {
        return error_text(error, RULE_NUMPY_SIZE, mask->offset, "a mask of %llu for %llu elements",
                          (unsigned long long)bytes.length, (unsigned long long)array->count);
    }
    array->mask = bytes.data;
    return check_truth_values(bytes.data, bytes.length, mask->offset, error);
}

static wlk_status read_state(pickle *p, const py_value *state, py_array *array, wlk_error *error) {
    py_value *const *list = state->items.list;
    TRY(numpy_shape(list[ARRAY_SHAPE], state->offset, array, error));
    TRY(numpy_dtype_of(list[ARRAY_DTYPE], state->offset, &array->dtype, error));
    if (!numpy_flag(list[ARRAY_FORTRAN], &array->fortran)) {
        return bad_array(state->offset, "its order", error);
    }
    TRY(take_elements(p, list[ARRAY_ELEMENTS], array, error));
    return array->masked ? take_mask(p, list[ARRAY_MASK], array, error) : WLK_OK;
}

wlk_status py_build_array(pickle *p, py_value *value, const py_value *state, wlk_error *error) {
    const uint32_t parts = value->array->masked ? 7 : 5;
    if (value->array->built) return bad_array(state->offset, "it has its elements already", error);
    if (state->kind != PY_TUPLE || state->items.count != parts ||
        !numpy_is_integer(state->items.list[ARRAY_VERSION], 1, 1)) {
        return error_at(error, RULE_NUMPY_ARRAY, state->offset);
    }
    py_array *array = arena_take(&p->memory, 1, sizeof *array);
    if (!array) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    array->masked = value->array->masked;
    TRY(read_state(p, state, array, error));
    array->fortran = array->fortran && order_matters(array);
    array->built = true;
    value->array = array;
    return WLK_OK;
}

#include "formats/pickle/numpy_parts.h"

/* scalar(dtype, bytes): one number or text, which becomes a plain value. */

#define SIGN_BYTES 9 /* of an integer of 64 bits and a sign */

static py_array single(const py_dtype *dtype, py_text bytes) {
    return (py_array){
        .dtype = dtype, .count = 1, .data = bytes.data, .nbytes = bytes.length, .built = true};
}

/* An unsigned number beyond what a signed one of 64 bits holds. */
static wlk_status make_large(pickle *p, const py_array *array, py_value *value, wlk_error *error) {
    uint8_t *bytes = arena_take(&p->memory, SIGN_BYTES, 1);
    if (!bytes) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    for (uint32_t i = 0; i < 8; i++) bytes[i] = array->data[array->dtype->big ? 7 - i : i];
    value->kind = PY_LONG;
    value->text = (py_text){bytes, SIGN_BYTES};
    return WLK_OK;
}

static wlk_status make_bool(pickle *p, const py_array *array, py_value *value, wlk_error *error) {
    (void)p;
    (void)error;
    value->kind = PY_BOOL;
    value->boolean = array->data[0] == 1;
    return WLK_OK;
}

static wlk_status make_integer(pickle *p, const py_array *array, py_value *value,
                               wlk_error *error) {
    uint64_t bad;
    value->kind = PY_INT;
    if (py_array_ints(array, &value->integer, &bad)) return WLK_OK;
    return make_large(p, array, value, error);
}

static wlk_status make_real(pickle *p, const py_array *array, py_value *value, wlk_error *error) {
    (void)p;
    (void)error;
    value->kind = PY_FLOAT;
    value->real = py_array_real(array, 0);
    return WLK_OK;
}

/* Two reals behind each other. */
static wlk_status make_complex(pickle *p, const py_array *array, py_value *value,
                               wlk_error *error) {
    const py_dtype part = {.kind = 'f',
                           .big = array->dtype->big,
                           .itemsize = array->dtype->itemsize / 2,
                           .built = true};
    py_array halves = *array;
    (void)p;
    (void)error;
    halves.dtype = &part;
    value->kind = PY_COMPLEX;
    value->complex[0] = py_array_real(&halves, 0);
    halves.data += part.itemsize;
    value->complex[1] = py_array_real(&halves, 0);
    return WLK_OK;
}

static wlk_status make_bytes(pickle *p, const py_array *array, py_value *value, wlk_error *error) {
    (void)p;
    (void)error;
    value->kind = PY_BYTES;
    value->text = (py_text){array->data, array->nbytes};
    return WLK_OK;
}

/* numpy's texts end where their NULs begin. */
static wlk_status make_text(pickle *p, const py_array *array, py_value *value, wlk_error *error) {
    py_text text = {array->data, 0};
    if (array->nbytes > 0) TRY(py_array_text(array, 0, &p->memory, &text, error));
    value->kind = PY_STR;
    value->text = text;
    return WLK_OK;
}

typedef struct scalar_row {
    char kind;
    wlk_status (*make)(pickle *p, const py_array *array, py_value *value, wlk_error *error);
} scalar_row;

static const scalar_row scalars[] = {
    {'b', make_bool},    {'i', make_integer}, {'u', make_integer}, {'f', make_real},
    {'c', make_complex}, {'S', make_bytes},   {'U', make_text},
};

wlk_status py_make_scalar(pickle *p, const py_global *callable, const py_value *arguments,
                          uint64_t offset, py_value **made, wlk_error *error) {
    const py_dtype *dtype;
    py_text bytes;
    (void)callable;
    if (arguments->items.count != 2) return error_at(error, RULE_NUMPY_ARRAY, offset);
    TRY(numpy_plain_dtype(arguments->items.list[0], offset, &dtype, error));
    TRY(numpy_bytes(p, arguments->items.list[1], &bytes, error));
    py_array array = single(dtype, bytes);
    /* "" is of no bytes: there is exactly one of it. */
    if (dtype->itemsize > 0 || bytes.length > 0) {
        TRY(numpy_elements(&array, bytes.data, bytes.length, offset, error));
    }
    for (size_t i = 0; i < sizeof scalars / sizeof *scalars; i++) {
        if (scalars[i].kind != dtype->kind) continue;
        TRY(py_new(p, PY_NONE, offset, made, error));
        return scalars[i].make(p, &array, *made, error);
    }
    return error_text(error, RULE_NUMPY_DTYPE_UNSUPPORTED, offset, "a single %s",
                      dtype->kind == 'V' ? "structure" : "time");
}

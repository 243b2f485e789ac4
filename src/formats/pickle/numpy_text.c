#include <string.h>

#include "base/bytes.h"
#include "base/utf8.h"
#include "formats/pickle/numpy_parts.h"

#define UNIT_BYTES 4 /* of a character in an array of kind U */

static wlk_status no_text(const char *what, wlk_error *error) {
    return error_text(error, RULE_NUMPY_TEXT, WLK_NO_OFFSET, "%s", what);
}

/* Bytes of kind S, without the NULs that pad them. */
static wlk_status read_bytes(const uint8_t *item, uint64_t length, py_text *text,
                             wlk_error *error) {
    while (length > 0 && item[length - 1] == 0) length--;
    if (!utf8_valid_payload(item, length)) return no_text("bytes that are not UTF-8", error);
    *text = (py_text){item, length};
    return WLK_OK;
}

static uint32_t unit_at(const uint8_t *item, uint64_t i, bool big) {
    const uint32_t unit = load_u32(item + i * UNIT_BYTES);
    return big ? __builtin_bswap32(unit) : unit;
}

/* Characters of kind U, without the NULs that pad them. */
static wlk_status read_characters(const py_dtype *dtype, const uint8_t *item, arena *memory,
                                  py_text *text, wlk_error *error) {
    uint64_t units = dtype->itemsize / UNIT_BYTES;
    while (units > 0 && unit_at(item, units - 1, false) == 0) units--;
    uint8_t *out = arena_take(memory, units, 4);
    if (!out) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    uint64_t length = 0;
    for (uint64_t i = 0; i < units; i++) {
        uint8_t encoded[4];
        const uint32_t size = utf8_encode(unit_at(item, i, dtype->big), encoded);
        if (size == 0) return no_text("a character that is none", error);
        memcpy(out + length, encoded, size);
        length += size;
    }
    *text = (py_text){out, length};
    return WLK_OK;
}

static wlk_status read_object(const py_value *value, py_text *text, wlk_error *error) {
    if (value->kind == PY_STR) {
        *text = value->text;
        return WLK_OK;
    }
    const bool is_nan = value->kind == PY_FLOAT && value->real != value->real;
    *text = (py_text){0};
    if (is_nan || value->kind == PY_NONE) return WLK_OK;
    return error_text(error, RULE_NUMPY_TEXT, value->offset, "%s", py_kind_name(value->kind));
}

wlk_status py_array_text(const py_array *array, uint64_t i, arena *memory, py_text *text,
                         wlk_error *error) {
    const uint64_t place = py_array_place(array, i);
    const py_dtype *dtype = array->dtype;
    if (dtype->kind == 'O') return read_object(array->objects[place], text, error);
    const uint8_t *item = array->data + place * dtype->itemsize;
    if (dtype->kind == 'S') return read_bytes(item, dtype->itemsize, text, error);
    if (dtype->kind == 'U') return read_characters(dtype, item, memory, text, error);
    return no_text("numbers", error);
}

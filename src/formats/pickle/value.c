#include "formats/pickle/value.h"

#include <string.h>

static const char *const kind_names[PY_KIND_COUNT] = {
    [PY_NONE] = "None",
    [PY_BOOL] = "bool",
    [PY_INT] = "int",
    [PY_LONG] = "int",
    [PY_FLOAT] = "float",
    [PY_COMPLEX] = "complex",
    [PY_STR] = "str",
    [PY_BYTES] = "bytes",
    [PY_BYTEARRAY] = "bytearray",
    [PY_LIST] = "list",
    [PY_TUPLE] = "tuple",
    [PY_DICT] = "dict",
    [PY_SET] = "set",
    [PY_FROZENSET] = "frozenset",
    [PY_GLOBAL] = "class or function",
    [PY_OBJECT] = "object",
    [PY_DTYPE] = "numpy.dtype",
    [PY_ARRAY] = "numpy.ndarray",
    [PY_OPAQUE] = "opaque object",
};

const char *py_kind_name(py_kind kind) {
    return kind_names[kind];
}

bool py_is_text(const py_value *value, const char *text) {
    if (!value || value->kind != PY_STR) return false;
    const uint64_t length = strlen(text);
    return value->text.length == length && memcmp(value->text.data, text, length) == 0;
}

static py_value *latest(const py_items *items, const char *key) {
    for (uint32_t i = items->count; i >= 2; i -= 2) {
        if (py_is_text(items->list[i - 2], key)) return items->list[i - 1];
    }
    return NULL;
}

py_value *py_get(const py_value *value, const char *key) {
    if (!value) return NULL;
    if (value->kind == PY_DICT) return latest(&value->items, key);
    if (value->kind != PY_OBJECT) return NULL;
    const py_object *object = value->object;
    py_value *found = object->keyed ? latest(&object->items, key) : NULL;
    if (found || !object->state || object->state->kind != PY_DICT) return found;
    return latest(&object->state->items, key);
}

bool py_is_object(const py_value *value, const char *class_name) {
    return value && value->kind == PY_OBJECT && strcmp(value->object->class->name, class_name) == 0;
}

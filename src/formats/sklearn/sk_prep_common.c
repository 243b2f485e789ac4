/* What the transformers share: reading state, and nodes that many need. */
#include "formats/sklearn/sk_prep.h"

#include <string.h>

/* ---- state */

/* "1.2.1", "0.24.2", "1.9.dev0": the first two numbers. */
static bool read_version(const py_value *text, uint32_t parts[2]) {
    if (!text || text->kind != PY_STR) return false;
    uint32_t part = 0;
    bool digits = false;
    for (uint64_t i = 0; i < text->text.length; i++) {
        const uint8_t c = text->text.data[i];
        if (c >= '0' && c <= '9') {
            parts[part] = parts[part] * 10 + (uint32_t)(c - '0');
            digits = true;
        } else if (c == '.' && digits && part == 0) {
            part = 1;
            digits = false;
        } else {
            break;
        }
        if (parts[part] > 9999) return false;
    }
    return part == 1 && digits;
}

wlk_status prep_since(sk *s, const py_value *estimator, uint32_t major, uint32_t minor,
                      bool *since) {
    uint32_t parts[2] = {0, 0};
    const py_value *version = sk_have(estimator, "_sklearn_version");
    if (!read_version(version, parts)) {
        return sk_refuse(s, RULE_SKLEARN_STATE, estimator,
                         "its state does not say which version of scikit-learn made it");
    }
    *since = parts[0] > major || (parts[0] == major && parts[1] >= minor);
    return WLK_OK;
}

wlk_status prep_take(sk *s, uint64_t count, uint64_t size, void **memory) {
    *memory = sk_take(s, count, size);
    return *memory ? WLK_OK : sk_no_memory(s);
}

wlk_status prep_agrees(sk *s, const py_value *estimator, const char *key, uint64_t columns) {
    int64_t stated = 0;
    if (!sk_have(estimator, key)) return WLK_OK;
    TRY(sk_integer(s, estimator, key, &stated));
    if (stated >= 0 && (uint64_t)stated == columns) return WLK_OK;
    return sk_refuse(s, RULE_SKLEARN_SHAPE, estimator, "%s is not %llu", key,
                     (unsigned long long)columns);
}

wlk_status prep_no_zeros(sk *s, const sk_array *array, const char *what) {
    for (uint64_t i = 0; i < array->count; i++) {
        if (array->data[i] == 0) {
            return sk_refuse(s, RULE_SKLEARN_VALUE, array->at, "%s holds a zero, and divides",
                             what);
        }
    }
    return WLK_OK;
}

const char *prep_dtype_name(const py_value *value) {
    static const struct {
        char kind;
        uint32_t size;
        const char *name;
    } names[] = {
        {'f', 8, "float64"}, {'f', 4, "float32"}, {'f', 2, "float16"}, {'i', 8, "int64"},
        {'i', 4, "int32"},   {'i', 2, "int16"},   {'i', 1, "int8"},    {'u', 8, "uint64"},
        {'u', 4, "uint32"},  {'u', 2, "uint16"},  {'u', 1, "uint8"},   {'b', 1, "bool"},
        {'O', 8, "object"},
    };
    if (!value) return NULL;
    if (value->kind == PY_GLOBAL) return value->global->name;
    if (value->kind != PY_DTYPE) return NULL;
    for (uint32_t i = 0; i < PREP_COUNT(names); i++) {
        if (names[i].kind == value->dtype->kind && names[i].size == value->dtype->itemsize) {
            return names[i].name;
        }
    }
    return NULL;
}

bool prep_number(const py_value *value, double *number) {
    if (!value) return false;
    if (value->kind == PY_INT) *number = (double)value->integer;
    if (value->kind == PY_BOOL) *number = value->boolean;
    if (value->kind == PY_FLOAT) *number = value->real;
    return value->kind == PY_INT || value->kind == PY_BOOL || value->kind == PY_FLOAT;
}

static bool is_textual(const py_array *array, uint64_t i) {
    const char kind = array->dtype->kind;
    if (kind != 'O') return kind == 'U' || kind == 'S';
    return array->objects[py_array_place(array, i)]->kind == PY_STR;
}

wlk_status prep_element_of(sk *s, const py_value *value, uint64_t i, prep_element *out) {
    const py_array *array = value->array;
    const char kind = array->dtype->kind;
    *out = (prep_element){.is_text = is_textual(array, i), .number = __builtin_nan("")};
    if (out->is_text) return py_array_text(array, i, s->memory, &out->text, s->error);
    if (kind == 'O') {
        const py_value *object = array->objects[py_array_place(array, i)];
        if (object->kind == PY_NONE || prep_number(object, &out->number)) return WLK_OK;
    } else if (kind == 'f' || kind == 'i' || kind == 'u' || kind == 'b') {
        out->number = py_array_real(array, i);
        return WLK_OK;
    }
    return sk_refuse(s, RULE_SKLEARN_VALUE, value, "element %llu is neither a number nor a text",
                     (unsigned long long)i);
}

/* ---- nodes */

wlk_status prep_give(sk *s, sk_name value, uint64_t columns, sk_table *out) {
    return sk_table_of(s, value, WLK_F64, (uint32_t)columns, out);
}

wlk_status prep_where(sk *s, sk_name condition, sk_name yes, sk_name no, sk_name *out) {
    const sk_name inputs[] = {condition, yes, no};
    return sk_node(s, "Where", inputs, 3, out, 1);
}

wlk_status prep_with(sk *s, const char *op, sk_name x, double number, sk_name *out) {
    sk_name constant = NULL;
    TRY(sk_f64(s, number, &constant));
    return sk_binary(s, op, x, constant, out);
}

wlk_status prep_along(sk *s, const char *op, sk_name x, const sk_array *vector, sk_name *out) {
    sk_name constant = NULL;
    TRY(sk_f64s(s, vector->data, vector->count, &constant));
    return sk_binary(s, op, x, constant, out);
}

wlk_status prep_clip(sk *s, sk_name x, double low, double high, sk_name *out) {
    sk_name inputs[3] = {x, NULL, NULL};
    TRY(sk_f64(s, low, &inputs[1]));
    TRY(sk_f64(s, high, &inputs[2]));
    return sk_node(s, "Clip", inputs, 3, out, 1);
}

/* A table of one zero is asked for element 0, or for element 1, which there is not. */
wlk_status prep_guard(sk *s, sk_name wrong, uint64_t columns, sk_name value, sk_name *out) {
    static const double zero[] = {0};
    sk_name place = NULL, any = NULL, table = NULL, zeros = NULL;
    TRY(sk_cast(s, wrong, WLK_I64, &place));
    any = place;
    if (columns > 1) TRY(sk_reduce(s, "ReduceMax", place, &any));
    TRY(sk_f64s(s, zero, 1, &table));
    TRY(sk_binary(s, "Gather", table, any, &zeros));
    return sk_binary(s, "Add", value, zeros, out);
}

wlk_status prep_no_nan(sk *s, sk_name x, uint64_t columns, sk_name *out) {
    sk_name wrong = NULL;
    TRY(sk_unary(s, "IsNaN", x, &wrong));
    return prep_guard(s, wrong, columns, x, out);
}

/* Near zero 2 atanh(x / (2 + x)): the sum 1 + x would lose what x says. */
wlk_status prep_log1p(sk *s, sk_name x, sk_name *out) {
    sk_name size = NULL, near = NULL, sum = NULL, ratio = NULL, half = NULL, small = NULL;
    sk_name one_more = NULL, large = NULL;
    TRY(sk_unary(s, "Abs", x, &size));
    TRY(prep_with(s, "Less", size, 0.5, &near));
    TRY(prep_with(s, "Add", x, 2, &sum));
    TRY(sk_binary(s, "Div", x, sum, &ratio));
    TRY(sk_unary(s, "Atanh", ratio, &half));
    TRY(prep_with(s, "Mul", half, 2, &small));
    TRY(prep_with(s, "Add", x, 1, &one_more));
    TRY(sk_unary(s, "Log", one_more, &large));
    return prep_where(s, near, small, large, out);
}

/* Near zero 2t / (1 - t) of t = tanh(x / 2). */
wlk_status prep_expm1(sk *s, sk_name x, sk_name *out) {
    sk_name size = NULL, near = NULL, half = NULL, t = NULL, twice = NULL, one = NULL;
    sk_name rest = NULL, small = NULL, power = NULL, large = NULL;
    TRY(sk_unary(s, "Abs", x, &size));
    TRY(prep_with(s, "Less", size, 1, &near));
    TRY(prep_with(s, "Mul", x, 0.5, &half));
    TRY(sk_unary(s, "Tanh", half, &t));
    TRY(prep_with(s, "Mul", t, 2, &twice));
    TRY(sk_f64(s, 1, &one));
    TRY(sk_binary(s, "Sub", one, t, &rest));
    TRY(sk_binary(s, "Div", twice, rest, &small));
    TRY(sk_unary(s, "Exp", x, &power));
    TRY(prep_with(s, "Sub", power, 1, &large));
    return prep_where(s, near, small, large, out);
}

wlk_status prep_count_below(sk *s, sk_name x, const double *edges, uint64_t count, sk_name *out) {
    sk_name constant = NULL, above = NULL, ones = NULL;
    TRY(sk_f64s(s, edges, count, &constant));
    TRY(sk_binary(s, "GreaterOrEqual", x, constant, &above));
    TRY(sk_cast(s, above, WLK_F64, &ones));
    return sk_reduce(s, "ReduceSum", ones, out);
}

#include <string.h>

#include "formats/sklearn/sk.h"

const char *sk_class(const py_value *estimator) {
    if (estimator->kind != PY_OBJECT) return py_kind_name(estimator->kind);
    return estimator->object->class->name;
}

const py_value *sk_have(const py_value *estimator, const char *key) {
    const py_value *value = py_get(estimator, key);
    return value && value->kind != PY_NONE ? value : NULL;
}

wlk_status sk_need(sk *s, const py_value *estimator, const char *key, const py_value **value) {
    *value = sk_have(estimator, key);
    if (*value) return WLK_OK;
    return sk_refuse(s, RULE_SKLEARN_STATE, estimator, "it has no '%s'", key);
}

/* ---- options */

/* A bool, a number, or an array of rank 0 or of one element, if `loose`. */
static bool number_of(const py_value *value, bool loose, double *number) {
    uint64_t bad;
    switch (value->kind) {
        case PY_BOOL:
            *number = value->boolean;
            return true;
        case PY_INT:
            *number = (double)value->integer;
            return true;
        case PY_FLOAT:
            *number = value->real;
            return true;
        case PY_ARRAY:
            if (value->array->count != 1 || (value->array->rank > 0 && !loose)) return false;
            return py_array_reals(value->array, number, &bad);
        case PY_NONE:
        case PY_LONG:
        case PY_COMPLEX:
        case PY_STR:
        case PY_BYTES:
        case PY_BYTEARRAY:
        case PY_LIST:
        case PY_TUPLE:
        case PY_DICT:
        case PY_SET:
        case PY_FROZENSET:
        case PY_GLOBAL:
        case PY_OBJECT:
        case PY_DTYPE:
        case PY_OPAQUE:
        case PY_KIND_COUNT:
            break;
    }
    return false;
}

static wlk_status refuse_option(sk *s, const char *key, const py_value *value) {
    return sk_refuse(s, RULE_SKLEARN_OPTION, value, "option %.64s is %s", key, sk_quote(s, value));
}

wlk_status sk_flag(sk *s, const py_value *estimator, const char *key, bool standard, bool *flag) {
    const py_value *value = py_get(estimator, key);
    double number;
    *flag = standard;
    if (!value) return WLK_OK;
    if (!number_of(value, false, &number) || (number != 0 && number != 1)) {
        return refuse_option(s, key, value);
    }
    *flag = number != 0;
    return WLK_OK;
}

wlk_status sk_number(sk *s, const py_value *estimator, const char *key, double *number) {
    const py_value *value = py_get(estimator, key);
    if (!value || number_of(value, false, number)) return WLK_OK;
    return refuse_option(s, key, value);
}

wlk_status sk_integer(sk *s, const py_value *estimator, const char *key, int64_t *number) {
    const py_value *value = py_get(estimator, key);
    uint64_t bad;
    if (!value) return WLK_OK;
    if (value->kind == PY_INT) {
        *number = value->integer;
    } else if (value->kind == PY_BOOL) {
        *number = value->boolean;
    } else if (value->kind != PY_ARRAY || value->array->rank > 0 ||
               !py_array_ints(value->array, number, &bad)) {
        return refuse_option(s, key, value);
    }
    return WLK_OK;
}

wlk_status sk_choice(sk *s, const py_value *estimator, const char *key, const char *standard,
                     const char *const *choices, uint32_t *choice) {
    const py_value *value = py_get(estimator, key);
    for (uint32_t i = 0; choices[i]; i++) {
        *choice = i;
        if (value ? py_is_text(value, choices[i]) : strcmp(standard, choices[i]) == 0)
            return WLK_OK;
    }
    return refuse_option(s, key, value);
}

/* ---- arrays */

/* Numbers that can be used where they lie. */
static bool lies_ready(const py_array *array) {
    const py_dtype *dtype = array->dtype;
    return dtype->kind == 'f' && dtype->itemsize == sizeof(double) && !dtype->big &&
           !array->fortran && (uintptr_t)array->data % _Alignof(double) == 0;
}

static wlk_status take_reals(sk *s, const py_array *array, const char *what, sk_array *out) {
    uint64_t bad;
    out->count = array->count;
    if (lies_ready(array)) {
        out->data = (const double *)(const void *)array->data;
        return WLK_OK;
    }
    double *numbers = sk_take(s, array->count, sizeof *numbers);
    if (!numbers) return sk_no_memory(s);
    if (!py_array_reals(array, numbers, &bad)) {
        return sk_refuse(s, RULE_SKLEARN_STATE, out->at, "element %llu of '%.64s' is no number",
                         (unsigned long long)bad, what);
    }
    out->data = numbers;
    return WLK_OK;
}

static const py_dtype objects_dtype = {.kind = 'O', .itemsize = 8};

/* A list or a tuple as the array of objects that it would be. */
static py_array as_array(const py_value *value) {
    if (value->kind == PY_ARRAY) return *value->array;
    return (py_array){.dtype = &objects_dtype,
                      .rank = 1,
                      .shape = {value->items.count},
                      .count = value->items.count,
                      .objects = value->items.list};
}

/* No fitted estimator has a masked array of which an element is masked. */
static bool is_sequence(const py_value *value) {
    if (value->kind == PY_ARRAY) return !py_array_hides(value->array);
    return value->kind == PY_LIST || value->kind == PY_TUPLE;
}

wlk_status sk_reals_of(sk *s, const py_value *value, const char *what, sk_array *out) {
    *out = (sk_array){.at = value};
    if (!is_sequence(value)) {
        double *number = sk_take(s, 1, sizeof *number);
        if (!number) return sk_no_memory(s);
        out->data = number;
        out->count = 1;
        if (number_of(value, false, number)) return WLK_OK;
        return sk_refuse(s, RULE_SKLEARN_STATE, value, "'%.64s' is %s, not an array of numbers",
                         what, sk_quote(s, value));
    }
    const py_array array = as_array(value);
    if (array.rank > WLK_MAX_RANK) {
        return sk_refuse(s, RULE_SKLEARN_SHAPE, value, "'%.64s' has %u dimensions", what,
                         array.rank);
    }
    out->rank = array.rank;
    for (uint32_t i = 0; i < array.rank; i++) out->shape[i] = array.shape[i];
    out->single = array.dtype->kind == 'f' && array.dtype->itemsize < sizeof(double);
    out->half = out->single && array.dtype->itemsize == 2;
    return take_reals(s, &array, what, out);
}

wlk_status sk_reals(sk *s, const py_value *estimator, const char *key, sk_array *out) {
    const py_value *value;
    TRY(sk_need(s, estimator, key, &value));
    return sk_reals_of(s, value, key, out);
}

wlk_status sk_vector(sk *s, const py_value *estimator, const char *key, uint64_t length,
                     sk_array *out) {
    TRY(sk_reals(s, estimator, key, out));
    if (out->rank != 1) {
        return sk_refuse(s, RULE_SKLEARN_SHAPE, out->at, "'%.64s' has %u dimensions, not 1", key,
                         out->rank);
    }
    if (out->count == length) return WLK_OK;
    return sk_refuse(s, RULE_SKLEARN_SHAPE, out->at, "'%.64s' has %llu elements, not %llu", key,
                     (unsigned long long)out->count, (unsigned long long)length);
}

wlk_status sk_matrix_of(sk *s, const py_value *estimator, const char *key, uint64_t rows,
                        uint64_t columns, sk_array *out) {
    TRY(sk_reals(s, estimator, key, out));
    if (out->rank != 2) {
        return sk_refuse(s, RULE_SKLEARN_SHAPE, out->at, "'%.64s' has %u dimensions, not 2", key,
                         out->rank);
    }
    if (out->shape[0] == rows && (columns == SK_ANY || out->shape[1] == columns)) return WLK_OK;
    return sk_refuse(s, RULE_SKLEARN_SHAPE, out->at,
                     "'%.64s' is %llu x %llu, which does not fit the rest", key,
                     (unsigned long long)out->shape[0], (unsigned long long)out->shape[1]);
}

wlk_status sk_scalar(sk *s, const py_value *estimator, const char *key, double *number) {
    const py_value *value;
    TRY(sk_need(s, estimator, key, &value));
    if (number_of(value, true, number)) return WLK_OK;
    return sk_refuse(s, RULE_SKLEARN_STATE, value, "'%.64s' is %s, not one number", key,
                     sk_quote(s, value));
}

static wlk_status check_values(sk *s, const sk_array *array, const char *what, bool divides) {
    for (uint64_t i = 0; i < array->count; i++) {
        const double x = array->data[i];
        if (__builtin_isfinite(x) && !(divides && x == 0)) continue;
        return sk_refuse(s, RULE_SKLEARN_VALUE, array->at, "element %llu of '%.64s' is %g",
                         (unsigned long long)i, what, x);
    }
    return WLK_OK;
}

wlk_status sk_finite(sk *s, const sk_array *array, const char *what) {
    return check_values(s, array, what, false);
}

wlk_status sk_divisor(sk *s, const sk_array *array, const char *what) {
    return check_values(s, array, what, true);
}

/* ---- indices */

static bool is_mask(const py_array *array) {
    if (array->dtype->kind == 'b') return true;
    if (array->dtype->kind != 'O') return false;
    for (uint64_t i = 0; i < array->count; i++) {
        if (array->objects[i]->kind != PY_BOOL) return false;
    }
    return array->count > 0;
}

/* numbers[0..count) are those of the mask, or the indices themselves. */
static wlk_status take_indices(sk *s, const py_value *value, const char *what,
                               const int64_t *numbers, uint64_t count, bool mask, uint64_t below,
                               sk_indices *out) {
    uint32_t *list = sk_take(s, count, sizeof *list);
    if (!list) return sk_no_memory(s);
    for (uint64_t i = 0; i < count; i++) {
        if (mask && numbers[i] == 0) continue;
        const uint64_t index = mask ? i : (uint64_t)numbers[i];
        if (index >= below || index > UINT32_MAX) {
            return sk_refuse(s, RULE_SKLEARN_VALUE, value,
                             "element %llu of '%.64s' is %lld, which is not within 0 to %lld",
                             (unsigned long long)i, what, (long long)index, (long long)below - 1);
        }
        list[out->count++] = (uint32_t)index;
    }
    out->list = list;
    return WLK_OK;
}

wlk_status sk_indices_of(sk *s, const py_value *value, const char *what, uint64_t below,
                         sk_indices *out) {
    uint64_t bad;
    *out = (sk_indices){0};
    if (!is_sequence(value)) {
        return sk_refuse(s, RULE_SKLEARN_STATE, value, "'%.64s' is %s, not a list of indices", what,
                         sk_quote(s, value));
    }
    const py_array array = as_array(value);
    const bool mask = is_mask(&array);
    if (array.rank != 1 || array.count > UINT32_MAX || (mask && array.count != below)) {
        return sk_refuse(s, RULE_SKLEARN_SHAPE, value,
                         "'%.64s' has %u dimensions and %llu elements, for %llu", what, array.rank,
                         (unsigned long long)array.count, (unsigned long long)below);
    }
    int64_t *numbers = sk_take(s, array.count, sizeof *numbers);
    if (!numbers) return sk_no_memory(s);
    if (!py_array_ints(&array, numbers, &bad)) {
        return sk_refuse(s, RULE_SKLEARN_STATE, value, "element %llu of '%.64s' is no index",
                         (unsigned long long)bad, what);
    }
    return take_indices(s, value, what, numbers, array.count, mask, below, out);
}

/* ---- lists */

wlk_status sk_list_of(sk *s, const py_value *value, const char *what, py_value *const **items,
                      uint32_t *count) {
    if (!is_sequence(value) || (value->kind == PY_ARRAY && value->array->dtype->kind != 'O')) {
        return sk_refuse(s, RULE_SKLEARN_STATE, value, "'%.64s' is %s, not a list", what,
                         sk_quote(s, value));
    }
    const py_array array = as_array(value);
    *count = (uint32_t)array.count; /* objects come as a list, whose count has 32 bits */
    *items = array.objects;
    return WLK_OK;
}

wlk_status sk_columns(sk *s, const py_value *estimator, uint64_t columns) {
    const py_value *value = sk_have(estimator, "n_features_in_");
    int64_t number = 0;
    if (!value) return WLK_OK;
    TRY(sk_integer(s, estimator, "n_features_in_", &number));
    if (number >= 0 && (uint64_t)number == columns) return WLK_OK;
    return sk_refuse(s, RULE_SKLEARN_SHAPE, value,
                     "it was fitted with %lld columns, and is given %llu", (long long)number,
                     (unsigned long long)columns);
}

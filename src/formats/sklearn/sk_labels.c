#include <string.h>

#include "base/sort.h"
#include "base/utf8.h"
#include "formats/sklearn/sk.h"

/* ---- of what kind they are */

typedef struct kinds {
    bool texts, bools, integers, reals, missing, others;
} kinds;

static void look_at(const py_value *value, kinds *seen) {
    if (value->kind == PY_STR) {
        seen->texts = true;
    } else if (value->kind == PY_BOOL) {
        seen->bools = true;
    } else if (value->kind == PY_INT) {
        seen->integers = true;
    } else if (value->kind == PY_NONE || (value->kind == PY_FLOAT && value->real != value->real)) {
        seen->missing = true;
    } else if (value->kind == PY_FLOAT) {
        seen->reals = true;
    } else {
        seen->others = true;
    }
}

static kinds kinds_of(const py_array *array) {
    const char kind = array->dtype->kind;
    kinds seen = {.texts = kind == 'U' || kind == 'S',
                  .bools = kind == 'b',
                  .integers = kind == 'i' || kind == 'u',
                  .reals = kind == 'f'};
    seen.others = !seen.texts && !seen.bools && !seen.integers && !seen.reals;
    if (kind != 'O') return seen;
    seen = (kinds){0};
    for (uint64_t i = 0; i < array->count; i++) look_at(array->objects[i], &seen);
    return seen;
}

/* NONE: there is no dtype for all of them. A missing value among numbers is NaN. */
static wlk_dtype dtype_of(const kinds *seen) {
    const bool numbers = seen->integers || seen->reals;
    if (seen->others || (seen->texts && (numbers || seen->bools))) return WLK_DTYPE_NONE;
    if (seen->texts) return WLK_STR;
    if (seen->bools) return numbers || seen->missing ? WLK_DTYPE_NONE : WLK_BOOL;
    return seen->integers && !seen->reals && !seen->missing ? WLK_I64 : WLK_F64;
}

/* ---- reading them */

static wlk_status refuse_element(sk *s, const sk_labels *labels, const char *what, uint64_t i,
                                 const char *why) {
    return sk_refuse(s, RULE_SKLEARN_VALUE, labels->at, "element %llu of '%.64s' %s",
                     (unsigned long long)i, what, why);
}

static wlk_status take_missing(sk *s, sk_labels *labels, const char *what, uint32_t i,
                               bool categories) {
    if (!categories) return refuse_element(s, labels, what, i, "is missing");
    if (labels->missing != WLK_NONE) return refuse_element(s, labels, what, i, "is there twice");
    labels->missing = i;
    return WLK_OK;
}

static wlk_status read_texts(sk *s, const py_array *array, const char *what, bool categories,
                             sk_labels *out) {
    py_text *texts = sk_take(s, out->count, sizeof *texts);
    if (!texts) return sk_no_memory(s);
    for (uint32_t i = 0; i < out->count; i++) {
        TRY(py_array_text(array, i, s->memory, &texts[i], s->error));
        if (!texts[i].data) {
            TRY(take_missing(s, out, what, i, categories));
        } else if (!utf8_valid_payload(texts[i].data, texts[i].length)) {
            return refuse_element(s, out, what, i, "is not UTF-8");
        }
    }
    out->texts = texts;
    return WLK_OK;
}

static wlk_status read_reals(sk *s, const py_array *array, const char *what, bool categories,
                             sk_labels *out) {
    double *reals = sk_take(s, out->count, sizeof *reals);
    uint64_t bad = 0;
    if (!reals) return sk_no_memory(s);
    if (!py_array_reals(array, reals, &bad)) {
        return refuse_element(s, out, what, bad, "is no number");
    }
    for (uint32_t i = 0; i < out->count; i++) {
        if (reals[i] != reals[i]) TRY(take_missing(s, out, what, i, categories));
    }
    out->reals = reals;
    return WLK_OK;
}

static wlk_status read_integers(sk *s, const py_array *array, const char *what, sk_labels *out) {
    int64_t *integers = sk_take(s, out->count, sizeof *integers);
    uint64_t bad = 0;
    if (!integers) return sk_no_memory(s);
    if (!py_array_ints(array, integers, &bad)) {
        return refuse_element(s, out, what, bad, "is not a whole number of 64 bits");
    }
    out->integers = integers;
    return WLK_OK;
}

/* ---- each is there once */

static int compare_texts(const py_text *a, const py_text *b) {
    const uint64_t shorter = a->length < b->length ? a->length : b->length;
    const int order = shorter > 0 ? memcmp(a->data, b->data, shorter) : 0;
    return order ? order : (a->length > b->length) - (a->length < b->length);
}

/* A missing one stands behind all others. */
static int compare(const void *context, uint32_t a, uint32_t b) {
    const sk_labels *labels = context;
    if (a == labels->missing || b == labels->missing) {
        return (a == labels->missing) - (b == labels->missing);
    }
    if (labels->dtype == WLK_STR) return compare_texts(&labels->texts[a], &labels->texts[b]);
    if (labels->dtype == WLK_F64) {
        const double x = labels->reals[a], y = labels->reals[b];
        return (x > y) - (x < y);
    }
    const int64_t x = labels->integers[a], y = labels->integers[b];
    return (x > y) - (x < y);
}

static wlk_status check_distinct(sk *s, const sk_labels *labels, const char *what) {
    uint32_t *order = sk_take(s, labels->count, sizeof *order);
    uint32_t *scratch = sk_take(s, labels->count, sizeof *scratch);
    if (!order || !scratch) return sk_no_memory(s);
    for (uint32_t i = 0; i < labels->count; i++) order[i] = i;
    sort_u32(order, labels->count, compare, labels, scratch);
    for (uint32_t i = 1; i < labels->count; i++) {
        if (compare(labels, order[i - 1], order[i]) == 0) {
            return refuse_element(s, labels, what, order[i], "is there twice");
        }
    }
    return WLK_OK;
}

/* In texts a missing value is "": both at once cannot be told apart. */
static wlk_status check_empty(sk *s, const sk_labels *labels, const char *what) {
    for (uint32_t i = 0; i < labels->count; i++) {
        if (i == labels->missing || labels->texts[i].length > 0) continue;
        return refuse_element(s, labels, what, i, "is empty, and another one is missing");
    }
    return WLK_OK;
}

/* ---- the whole */

static const py_dtype objects_dtype = {.kind = 'O', .itemsize = 8};

static wlk_status find_array(sk *s, const py_value *value, const char *what, py_array *array) {
    if (value->kind == PY_ARRAY) {
        *array = *value->array;
    } else if (value->kind == PY_LIST || value->kind == PY_TUPLE) {
        *array = (py_array){.dtype = &objects_dtype,
                            .rank = 1,
                            .shape = {value->items.count},
                            .count = value->items.count,
                            .objects = value->items.list};
    } else {
        return sk_refuse(s, RULE_SKLEARN_STATE, value, "'%.64s' is %s, not an array", what,
                         sk_quote(s, value));
    }
    if (array->rank == 1 && array->count < UINT32_MAX) return WLK_OK;
    return sk_refuse(s, RULE_SKLEARN_SHAPE, value, "'%.64s' has %u dimensions, not 1", what,
                     array->rank);
}

wlk_status sk_labels_of(sk *s, const py_value *value, const char *what, bool categories,
                        sk_labels *out) {
    py_array array;
    *out = (sk_labels){.missing = WLK_NONE, .at = value};
    TRY(find_array(s, value, what, &array));
    const kinds seen = kinds_of(&array);
    out->count = (uint32_t)array.count;
    out->dtype = dtype_of(&seen);
    if (out->dtype == WLK_DTYPE_NONE) {
        return sk_refuse(s, RULE_SKLEARN_VALUE, value,
                         "'%.64s' holds neither only numbers nor only texts", what);
    }
    if (out->dtype == WLK_STR) {
        TRY(read_texts(s, &array, what, categories, out));
        if (out->missing != WLK_NONE) TRY(check_empty(s, out, what));
    } else if (out->dtype == WLK_F64) {
        TRY(read_reals(s, &array, what, categories, out));
    } else {
        TRY(read_integers(s, &array, what, out));
    }
    return check_distinct(s, out, what);
}

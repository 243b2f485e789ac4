#include <string.h>

#include "base/checked.h"
#include "formats/sklearn/sk_linear.h"

/* ---- sparse matrices: csr_matrix and csr_array of scipy */

typedef struct csr {
    uint32_t rows;
    uint32_t columns;
    sk_indices starts;
    sk_indices places;
    sk_array numbers;
} csr;

static bool is_csr(const py_value *value) {
    return py_is_object(value, "csr_matrix") || py_is_object(value, "csr_array");
}

static wlk_status read_dimension(sk *s, const py_value *value, const char *what, uint32_t *out) {
    if (value->kind == PY_INT && value->integer >= 0 && value->integer <= INT32_MAX) {
        *out = (uint32_t)value->integer;
        return WLK_OK;
    }
    return sk_refuse(s, RULE_SKLEARN_SHAPE, value, "%s: a dimension is %s", what,
                     sk_quote(s, value));
}

static wlk_status read_shape(sk *s, const py_value *value, const char *what, csr *out) {
    const py_value *shape = NULL;
    py_value *const *items = NULL;
    uint32_t count = 0;
    TRY(sk_need(s, value, "_shape", &shape));
    TRY(sk_list_of(s, shape, what, &items, &count));
    if (count != 2) {
        return sk_refuse(s, RULE_SKLEARN_SHAPE, shape, "%s has %u dimensions", what, count);
    }
    TRY(read_dimension(s, items[0], what, &out->rows));
    return read_dimension(s, items[1], what, &out->columns);
}

static wlk_status read_parts(sk *s, const py_value *value, const char *what, csr *out) {
    const py_value *places = NULL;
    const py_value *starts = NULL;
    TRY(read_shape(s, value, what, out));
    TRY(sk_reals(s, value, "data", &out->numbers));
    TRY(sk_need(s, value, "indices", &places));
    TRY(sk_need(s, value, "indptr", &starts));
    TRY(sk_indices_of(s, places, "indices", out->columns, &out->places));
    TRY(sk_indices_of(s, starts, "indptr", out->numbers.count + 1, &out->starts));
    if (out->places.count == out->numbers.count && out->starts.count == out->rows + 1) {
        return WLK_OK;
    }
    return sk_refuse(s, RULE_SKLEARN_SHAPE, value,
                     "%s: %u rows with %u starts, %llu numbers in %u places", what, out->rows,
                     out->starts.count, (unsigned long long)out->numbers.count, out->places.count);
}

/* Adds up what comes twice, as scipy does. */
static wlk_status fill(sk *s, const csr *from, const py_value *at, const char *what,
                       double *dense) {
    const uint32_t *starts = from->starts.list;
    for (uint32_t i = 0; i < from->rows; i++) {
        if (starts[i] > starts[i + 1]) {
            return sk_refuse(s, RULE_SKLEARN_VALUE, at, "%s: indptr[%u] is above the next", what,
                             i);
        }
        for (uint32_t j = starts[i]; j < starts[i + 1]; j++) {
            dense[(uint64_t)i * from->columns + from->places.list[j]] += from->numbers.data[j];
        }
    }
    return WLK_OK;
}

static wlk_status dense_of_csr(sk *s, const py_value *value, const char *what, sk_array *out) {
    csr from;
    TRY(read_parts(s, value, what, &from));
    const uint64_t count = (uint64_t)from.rows * from.columns;
    double *dense = sk_take(s, count, sizeof *dense);
    if (!dense) return sk_no_memory(s);
    *out = (sk_array){.data = dense,
                      .rank = 2,
                      .shape = {from.rows, from.columns},
                      .count = count,
                      .at = value,
                      .single = from.numbers.single};
    return fill(s, &from, value, what, dense);
}

wlk_status sk_dense_of(sk *s, const py_value *value, const char *what, sk_array *out) {
    return is_csr(value) ? dense_of_csr(s, value, what, out) : sk_reals_of(s, value, what, out);
}

/* ---- coef_ and intercept_ */

/* [columns] becomes [1, columns]; so does one number of one column. */
static wlk_status read_weights(sk *s, const py_value *value, const char *what, uint32_t columns,
                               sk_linear *out) {
    sk_array *w = &out->weights;
    TRY(sk_dense_of(s, value, what, w));
    out->flat = w->rank < 2;
    if (w->rank == 0) w->shape[0] = 1;
    if (w->rank < 2) {
        w->shape[1] = w->shape[0];
        w->shape[0] = 1;
        w->rank = 2;
    }
    if (w->rank == 2 && w->shape[1] == columns && w->shape[0] > 0 && w->shape[0] <= INT32_MAX) {
        out->outputs = (uint32_t)w->shape[0];
        return sk_finite(s, w, what);
    }
    return sk_refuse(s, RULE_SKLEARN_SHAPE, value, "%s is not one number for each of %u columns",
                     what, columns);
}

static wlk_status read_bias(sk *s, const py_value *value, const char *what, sk_linear *out) {
    sk_array *b = &out->bias;
    TRY(sk_reals_of(s, value, what, b));
    if (b->rank > 1 || (b->count != 1 && b->count != out->outputs)) {
        return sk_refuse(s, RULE_SKLEARN_SHAPE, value, "%s has %llu values for %u outputs", what,
                         (unsigned long long)b->count, out->outputs);
    }
    return sk_finite(s, b, what);
}

wlk_status sk_linear_read_as(sk *s, const py_value *estimator, const char *coefficients,
                             const char *intercepts, uint32_t columns, sk_linear *out) {
    const py_value *coef = NULL;
    const py_value *intercept = NULL;
    *out = (sk_linear){.outputs = 0};
    TRY(sk_need(s, estimator, coefficients, &coef));
    TRY(sk_need(s, estimator, intercepts, &intercept));
    TRY(read_weights(s, coef, coefficients, columns, out));
    return read_bias(s, intercept, intercepts, out);
}

wlk_status sk_linear_read(sk *s, const py_value *estimator, uint32_t columns, sk_linear *out) {
    return sk_linear_read_as(s, estimator, "coef_", "intercept_", columns, out);
}

wlk_status sk_linear_scores(sk *s, const sk_linear *model, const sk_table *in, sk_name *scores) {
    sk_name x = NULL;
    TRY(sk_table_numbers(s, in, &x));
    return sk_affine(s, x, &model->weights, true, &model->bias, scores);
}

/* ---- versions and options */

bool sk_is(const py_value *estimator, const char *key, const char *text) {
    return py_is_text(sk_have(estimator, key), text);
}

/* A number of at most three digits at *at. */
static uint32_t digits(const py_text *text, uint64_t *at) {
    uint32_t number = 0;
    const uint64_t end = *at + 3;
    for (; *at < text->length && *at < end; (*at)++) {
        const uint8_t c = text->data[*at];
        if (c < '0' || c > '9') break;
        number = number * 10 + (uint32_t)(c - '0');
    }
    return number;
}

uint32_t sk_linear_version(const py_value *estimator) {
    const py_value *value = sk_have(estimator, "_sklearn_version");
    uint64_t at = 0;
    if (!value || value->kind != PY_STR) return 0;
    const uint32_t major = digits(&value->text, &at);
    at++;
    return 1000 * major + digits(&value->text, &at);
}

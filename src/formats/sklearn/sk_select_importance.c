/* SelectFromModel: importances of columns from coefficients or trees, and the threshold. */
#include <string.h>

#include "formats/sklearn/sk_prep.h"
#include "formats/sklearn/sk_select.h"

/* Pairwise: halves down to 128 numbers, which go to eight sums. */
static double sum_block(const double *x, uint64_t count) {
    double r[8], sum = 0;
    uint64_t i = 8;
    if (count < 8) {
        for (i = 0; i < count; i++) sum += x[i];
        return sum;
    }
    for (uint32_t k = 0; k < 8; k++) r[k] = x[k];
    for (; i < count - count % 8; i += 8) {
        for (uint32_t k = 0; k < 8; k++) r[k] += x[i + k];
    }
    sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
    for (; i < count; i++) sum += x[i];
    return sum;
}

double select_sum(const double *x, uint64_t count) {
    if (count <= 128) return sum_block(x, count);
    uint64_t half = count / 2;
    half -= half % 8;
    return select_sum(x, half) + select_sum(x + half, count - half);
}

/* ---- importances */

/* Sums of the sizes of coefficients, or their largest, down each column. */
static wlk_status coefficient_norms(sk *s, const py_value *e, const sk_array *coefficients,
                                    uint32_t columns, double *out) {
    const uint32_t rank = coefficients->rank;
    double order = 1;
    TRY(sk_number(s, e, "norm_order", &order));
    if (rank == 0 || rank > 2 || coefficients->shape[rank - 1] != columns) {
        return sk_refuse(s, RULE_SKLEARN_SHAPE, coefficients->at,
                         "coef_ is not one number for each of %u columns", columns);
    }
    if (order != 1 && !(order > 0x1.fffffffffffffp1023) && rank == 2) {
        return sk_refuse(s, RULE_SKLEARN_OPTION, e, "norm_order is neither 1 nor infinity");
    }
    for (uint64_t i = 0; i < coefficients->count; i++) {
        const double size =
            coefficients->data[i] < 0 ? -coefficients->data[i] : coefficients->data[i];
        double *of = &out[i % columns];
        if (order == 1 || rank == 1) {
            *of += size;
        } else if (size > *of) {
            *of = size;
        }
    }
    return WLK_OK;
}

enum { FROM_ANY, FROM_COEFFICIENTS, FROM_TREES };

static wlk_status read_importances(sk *s, const py_value *e, const py_value *estimator,
                                   uint32_t columns, double *out, bool *single) {
    static const char *const getters[] = {"auto", "coef_", "feature_importances_", NULL};
    uint32_t getter = 0;
    sk_array coefficients;
    bool known = false;
    TRY(sk_choice(s, e, "importance_getter", "auto", getters, &getter));
    if (getter != FROM_TREES && sk_have(estimator, "coef_")) {
        TRY(sk_reals(s, estimator, "coef_", &coefficients));
        TRY(sk_finite(s, &coefficients, "coef_"));
        *single = coefficients.single;
        return coefficient_norms(s, e, &coefficients, columns, out);
    }
    if (getter != FROM_COEFFICIENTS) {
        TRY(select_tree_importances(s, estimator, columns, out, &known));
    }
    if (known) return WLK_OK;
    return sk_refuse(s, RULE_SKLEARN_OPTION, e, "what %s finds important cannot be told",
                     sk_class(estimator));
}

/* ---- threshold */

/* *close = is every number of that state within rounding of 1? False if there is none. */
static wlk_status close_to_one(sk *s, const py_value *estimator, const char *key, bool *close) {
    sk_array array;
    *close = false;
    if (!sk_have(estimator, key)) return WLK_OK;
    TRY(sk_reals(s, estimator, key, &array));
    *close = true;
    for (uint64_t i = 0; i < array.count; i++) {
        const double away = array.data[i] - 1;
        *close &= away <= 1e-8 + 1e-5 && away >= -(1e-8 + 1e-5);
    }
    return WLK_OK;
}

/* Was it fitted with an L1 penalty alone, as scikit-learn tells? Of logistic regression since
 * 1.8 by its ratio. */
static wlk_status is_sparse(sk *s, const py_value *e, const py_value *estimator, bool *sparse) {
    const char *class = sk_class(estimator);
    bool since = false, close = false;
    *sparse = py_is_text(sk_have(estimator, "penalty"), "l1") || strstr(class, "Lasso");
    if (*sparse) return WLK_OK;
    if (strstr(class, "ElasticNet")) {
        TRY(close_to_one(s, estimator, "l1_ratio", sparse));
        TRY(close_to_one(s, estimator, "l1_ratio_", &close));
        *sparse |= close;
    } else if (strcmp(class, "LogisticRegression") == 0) {
        TRY(prep_since(s, e, 1, 8, &since));
        if (since) return close_to_one(s, estimator, "l1_ratio", sparse);
    } else if (strcmp(class, "LogisticRegressionCV") == 0) {
        TRY(prep_since(s, e, 1, 8, &since));
        if (since) return close_to_one(s, estimator, "l1_ratio_", sparse);
    }
    return WLK_OK;
}

static wlk_status median_of(sk *s, const double *numbers, uint32_t count, double *out) {
    uint32_t *order = NULL;
    TRY(select_sorted(s, numbers, count, &order));
    *out = numbers[order[count / 2]];
    if (count % 2 == 0) *out = (numbers[order[count / 2 - 1]] + *out) / 2;
    return WLK_OK;
}

/* A decimal number without sign or exponent, "1.25", exactly if it has at most 15 digits. */
static bool read_factor(const uint8_t *text, uint64_t length, double *factor) {
    uint64_t digits = 0, scale = 1;
    uint32_t count = 0;
    bool point = false;
    for (uint64_t i = 0; i < length; i++) {
        if (text[i] == '.' && !point) {
            point = true;
        } else if (text[i] >= '0' && text[i] <= '9' && ++count <= 15) {
            digits = digits * 10 + (uint64_t)(text[i] - '0');
            if (point) scale *= 10;
        } else {
            return false;
        }
    }
    *factor = (double)digits / (double)scale;
    return count > 0;
}

static py_text trimmed(const uint8_t *data, uint64_t length) {
    while (length > 0 && data[0] == ' ') {
        data++;
        length--;
    }
    while (length > 0 && data[length - 1] == ' ') length--;
    return (py_text){data, length};
}

static bool text_is(py_text text, const char *what) {
    return text.length == strlen(what) && memcmp(text.data, what, text.length) == 0;
}

/* "mean", "median", or a factor and one of them: "1.25*mean". */
static wlk_status threshold_of_text(sk *s, const py_value *value, const double *importances,
                                    uint32_t columns, double *out) {
    const uint8_t *data = value->text.data;
    const uint8_t *star = value->text.length > 0 ? memchr(data, '*', value->text.length) : NULL;
    py_text of = value->text;
    double factor = 1, reference = 0;
    bool known = true;
    if (star) {
        const py_text number = trimmed(data, (uint64_t)(star - data));
        of = trimmed(star + 1, value->text.length - (uint64_t)(star - data) - 1);
        known = read_factor(number.data, number.length, &factor);
    }
    if (known && text_is(of, "mean")) {
        reference = select_sum(importances, columns) / columns;
    } else if (known && text_is(of, "median")) {
        TRY(median_of(s, importances, columns, &reference));
    } else {
        return sk_refuse(s, RULE_SKLEARN_OPTION, value, "threshold is none that is known");
    }
    *out = factor * reference;
    return WLK_OK;
}

static wlk_status read_threshold(sk *s, const py_value *e, const py_value *estimator,
                                 const double *importances, uint32_t columns, bool single,
                                 double *out) {
    static const uint8_t mean_text[] = "mean";
    const py_value mean = {.kind = PY_STR, .offset = e->offset, .text = {mean_text, 4}};
    const py_value *value = sk_have(e, "threshold");
    bool sparse = false;
    if (!value) {
        TRY(is_sparse(s, e, estimator, &sparse));
        if (sparse) {
            *out = 1e-5;
            return WLK_OK;
        }
        value = &mean;
    }
    if (value->kind != PY_STR) return sk_scalar(s, e, "threshold", out);
    if (single) {
        return sk_refuse(s, RULE_SKLEARN_OPTION, value,
                         "a threshold from coefficients of float32 "
                         "cannot be computed in the same way");
    }
    return threshold_of_text(s, value, importances, columns, out);
}

wlk_status select_importances(sk *s, const py_value *e, uint32_t columns, double **importances,
                              double *threshold) {
    const py_value *estimator = sk_have(e, "estimator_");
    void *room = NULL;
    bool single = false;
    if (!estimator) TRY(sk_need(s, e, "estimator", &estimator));
    if (!sk_is_estimator(estimator)) {
        return sk_refuse(s, RULE_SKLEARN_STATE, e, "estimator_ is none");
    }
    TRY(prep_take(s, columns, sizeof(double), &room));
    *importances = room;
    TRY(read_importances(s, e, estimator, columns, room, &single));
    return read_threshold(s, e, estimator, room, columns, single, threshold);
}

/* What becomes of scores: classes, probabilities, outliers, several outputs. */
#include "formats/sklearn/sk_linear.h"

wlk_status sk_classes(sk *s, const py_value *estimator, sk_labels *out) {
    const py_value *classes = NULL;
    TRY(sk_need(s, estimator, "classes_", &classes));
    TRY(sk_labels_of(s, classes, "classes_", false, out));
    if (out->count >= 2) return WLK_OK;
    return sk_refuse(s, RULE_SKLEARN_VALUE, classes, "classes_ has %u classes", out->count);
}

wlk_status sk_classify_scores(sk *s, const sk_labels *classes, sk_name scores, uint32_t columns,
                              const py_value *at, sk_prediction *out) {
    if (columns != (classes->count == 2 ? 1 : classes->count)) {
        return sk_refuse(s, RULE_SKLEARN_SHAPE, at, "%u scores for %u classes", columns,
                         classes->count);
    }
    *out = (sk_prediction){.classes = *classes, .scores = scores, .score_columns = columns};
    return sk_decide(s, scores, columns, &out->index);
}

wlk_status sk_two_labels(sk *s, int64_t first, int64_t second, sk_labels *out) {
    int64_t *labels = sk_take(s, 2, sizeof *labels);
    if (!labels) return sk_no_memory(s);
    labels[0] = first;
    labels[1] = second;
    *out = (sk_labels){.count = 2, .dtype = WLK_I64, .integers = labels, .missing = WLK_NONE};
    return WLK_OK;
}

/* i64 [batch]: 1 where `op` holds between x [batch, 1] and the number. */
static wlk_status index_where(sk *s, sk_name x, const char *op, double number, sk_name *out) {
    sk_name bound = NULL;
    TRY(sk_f64(s, number, &bound));
    TRY(sk_binary(s, op, x, bound, out));
    TRY(sk_cast(s, *out, WLK_I64, out));
    return sk_reshape(s, *out, 0, out);
}

wlk_status sk_outliers(sk *s, sk_name decision, const char *op, sk_prediction *out) {
    *out = (sk_prediction){.scores = decision, .score_columns = 1};
    TRY(sk_two_labels(s, -1, 1, &out->classes));
    return index_where(s, decision, op, 0, &out->index);
}

wlk_status sk_multilabel(sk *s, sk_name values, uint32_t count, double threshold,
                         bool are_probabilities, sk_prediction *out) {
    *out = (sk_prediction){.part_count = count, .score_columns = count};
    out->parts = sk_take(s, count, sizeof *out->parts);
    if (!out->parts) return sk_no_memory(s);
    *(are_probabilities ? &out->probabilities : &out->scores) = values;
    for (uint32_t i = 0; i < count; i++) {
        sk_name column = NULL;
        TRY(sk_gather(s, values, &i, 1, &column));
        TRY(sk_two_labels(s, 0, 1, &out->parts[i].classes));
        TRY(index_where(s, column, "Greater", threshold, &out->parts[i].index));
    }
    return WLK_OK;
}

wlk_status sk_sigmoid(sk *s, sk_name x, sk_name *out) {
    return sk_unary(s, "Sigmoid", x, out);
}

/* 1 / (1 + exp(-x)), which is 0 as soon as exp overflows: where the operator Sigmoid gives the
 * smallest numbers there are, a row of zeros would come to have a sum. */
static wlk_status overflowing_sigmoid(sk *s, sk_name x, sk_name *out) {
    sk_name one = NULL;
    TRY(sk_f64(s, 1, &one));
    TRY(sk_unary(s, "Neg", x, out));
    TRY(sk_unary(s, "Exp", *out, out));
    TRY(sk_binary(s, "Add", *out, one, out));
    return sk_binary(s, "Div", one, *out, out);
}

/* Where every class is at 0, all are alike since version 1.9; NaN before that. */
static wlk_status share_nothing(sk *s, sk_name sum, uint32_t columns, sk_name *p) {
    sk_name zero = NULL, none = NULL;
    sk_name where[3] = {NULL, NULL, *p};
    TRY(sk_f64(s, 0, &zero));
    TRY(sk_f64(s, 1.0 / columns, &where[1]));
    TRY(sk_binary(s, "Equal", sum, zero, &none));
    where[0] = none;
    return sk_node(s, "Where", where, 3, p, 1);
}

wlk_status sk_linear_one_vs_rest(sk *s, const py_value *estimator, sk_name scores, uint32_t columns,
                                 sk_name *out) {
    sk_name p = NULL;
    sk_name sum = NULL;
    if (columns == 1) {
        TRY(sk_sigmoid(s, scores, &p));
        return sk_two_columns(s, p, out);
    }
    TRY(overflowing_sigmoid(s, scores, &p));
    TRY(sk_reduce(s, "ReduceSum", p, &sum));
    TRY(sk_binary(s, "Div", p, sum, out));
    if (sk_linear_version(estimator) < 1009) return WLK_OK;
    return share_nothing(s, sum, columns, out);
}

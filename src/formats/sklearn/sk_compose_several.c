/* One estimator for each target: MultiOutput, chains, one against the rest. */
#include "formats/sklearn/sk_compose.h"
#include "formats/sklearn/sk_linear.h"

typedef struct members {
    py_value *const *list;
    uint32_t count;
    sk_prediction *predictions;
} members;

static wlk_status open_members(sk *s, const py_value *estimator, members *m) {
    const py_value *list = NULL;
    TRY(sk_need(s, estimator, "estimators_", &list));
    TRY(sk_list_of(s, list, "estimators_", &m->list, &m->count));
    if (m->count == 0) return sk_refuse(s, RULE_SKLEARN_STATE, list, "it holds no estimators");
    m->predictions = sk_take(s, m->count, sizeof *m->predictions);
    return m->predictions ? WLK_OK : sk_no_memory(s);
}

static wlk_status predict_member(sk *s, members *m, uint32_t i, const sk_table *in) {
    TRY(sk_enter(s, m->list[i], "estimator %u", i));
    TRY(sk_apply_predict(s, m->list[i], in, &m->predictions[i]));
    sk_leave(s);
    return WLK_OK;
}

static wlk_status predict_all(sk *s, const py_value *estimator, const sk_table *in, members *m) {
    TRY(open_members(s, estimator, m));
    for (uint32_t i = 0; i < m->count; i++) TRY(predict_member(s, m, i, in));
    return WLK_OK;
}

/* ---- several targets */

wlk_status sk_multi_output_classifier(sk *s, const py_value *estimator, const sk_table *in,
                                      sk_prediction *out) {
    members m = {0};
    bool probabilities = true;
    TRY(predict_all(s, estimator, in, &m));
    for (uint32_t i = 0; i < m.count; i++) {
        const sk_prediction *p = &m.predictions[i];
        if (p->part_count > 0 || p->classes.count == 0) {
            return sk_refuse(s, RULE_SKLEARN_METHOD, m.list[i],
                             "estimator %u is no classifier of one output", i);
        }
        probabilities = probabilities && p->probabilities;
    }
    for (uint32_t i = 0; i < m.count && !probabilities; i++) m.predictions[i].probabilities = NULL;
    out->parts = m.predictions;
    out->part_count = m.count;
    return WLK_OK;
}

/* Each gives one column. */
static wlk_status check_column(sk *s, const members *m, uint32_t i) {
    const sk_prediction *p = &m->predictions[i];
    if (p->part_count == 0 && p->values && p->targets == 1 && p->classes.count == 0) return WLK_OK;
    return sk_refuse(s, RULE_SKLEARN_METHOD, m->list[i],
                     "estimator %u is no regressor of one target", i);
}

static wlk_status join_columns(sk *s, const members *m, const uint32_t *order, sk_prediction *out) {
    sk_name *columns = sk_take(s, m->count, sizeof *columns);
    if (!columns) return sk_no_memory(s);
    for (uint32_t i = 0; i < m->count; i++) {
        columns[order ? order[i] : i] = m->predictions[i].values;
    }
    out->targets = m->count;
    return sk_concat(s, columns, m->count, &out->values);
}

wlk_status sk_multi_output_regressor(sk *s, const py_value *estimator, const sk_table *in,
                                     sk_prediction *out) {
    members m = {0};
    TRY(predict_all(s, estimator, in, &m));
    for (uint32_t i = 0; i < m.count; i++) TRY(check_column(s, &m, i));
    return join_columns(s, &m, NULL, out);
}

/* order_: each target once. */
static wlk_status chain_order(sk *s, const py_value *estimator, uint32_t count, sk_indices *order) {
    const py_value *list = NULL;
    TRY(sk_need(s, estimator, "order_", &list));
    TRY(sk_indices_of(s, list, "order_", count, order));
    bool *seen = sk_take(s, count, sizeof *seen);
    if (!seen) return sk_no_memory(s);
    bool whole = order->count == count;
    for (uint32_t i = 0; i < count && whole; i++) {
        whole = !seen[order->list[i]];
        seen[order->list[i]] = true;
    }
    if (whole) return WLK_OK;
    return sk_refuse(s, RULE_SKLEARN_VALUE, list, "'order_' does not name each target once");
}

/* Each is given what those before it have predicted, behind the columns. */
wlk_status sk_regressor_chain(sk *s, const py_value *estimator, const sk_table *in,
                              sk_prediction *out) {
    members m = {0};
    sk_indices order = {0};
    sk_table tables[2];
    sk_table so_far = *in;
    TRY(open_members(s, estimator, &m));
    TRY(chain_order(s, estimator, m.count, &order));
    for (uint32_t i = 0; i < m.count; i++) {
        TRY(predict_member(s, &m, i, &so_far));
        TRY(check_column(s, &m, i));
        tables[0] = so_far;
        TRY(sk_table_of(s, m.predictions[i].values, WLK_F64, 1, &tables[1]));
        TRY(sk_table_join(s, tables, 2, &so_far));
    }
    return join_columns(s, &m, order.list, out);
}

/* ---- one against the rest */

typedef struct rest {
    members m;
    sk_name *scores; /* of each, [batch, 1] */
    bool decides;    /* the scores are of decision_function, not probabilities */
    bool probable;
} rest;

static wlk_status check_binary(sk *s, const rest *r, uint32_t i) {
    const sk_prediction *p = &r->m.predictions[i];
    const bool scored = (p->scores && p->score_columns == 1) || p->probabilities;
    if (p->part_count == 0 && p->classes.count == 2 && scored) return WLK_OK;
    return sk_refuse(s, RULE_SKLEARN_METHOD, r->m.list[i],
                     "estimator %u is no classifier of two classes with scores", i);
}

static wlk_status second_column(sk *s, const sk_prediction *p, sk_name *out) {
    const uint32_t second = 1;
    return sk_gather(s, p->probabilities, &second, 1, out);
}

static wlk_status read_scores(sk *s, rest *r) {
    r->decides = r->m.predictions[0].scores != NULL;
    r->probable = true;
    r->scores = sk_take(s, r->m.count, sizeof *r->scores);
    if (!r->scores) return sk_no_memory(s);
    for (uint32_t i = 0; i < r->m.count; i++) {
        const sk_prediction *p = &r->m.predictions[i];
        TRY(check_binary(s, r, i));
        r->probable = r->probable && p->probabilities;
        r->scores[i] = p->scores;
        if ((p->scores != NULL) != r->decides) {
            return sk_refuse(s, RULE_SKLEARN_METHOD, r->m.list[i],
                             "some of its estimators have a decision_function, others none");
        }
        if (!p->scores) TRY(second_column(s, p, &r->scores[i]));
    }
    return WLK_OK;
}

/* The largest score: since 1.8 the first of equals. */
static wlk_status first_largest(sk *s, const rest *r, sk_name *index) {
    sk_name scores;
    TRY(sk_concat(s, r->scores, r->m.count, &scores));
    return sk_argmax(s, scores, index);
}

/* The last of equals: the first one when they stand the other way round. */
static wlk_status last_largest(sk *s, const rest *r, sk_name *index) {
    const uint32_t count = r->m.count;
    sk_name *turned = sk_take(s, count, sizeof *turned);
    sk_name scores, behind, most;
    if (!turned) return sk_no_memory(s);
    for (uint32_t i = 0; i < count; i++) turned[i] = r->scores[count - 1 - i];
    TRY(sk_concat(s, turned, count, &scores));
    TRY(sk_argmax(s, scores, &behind));
    TRY(sk_i64(s, count - 1, &most));
    return sk_binary(s, "Sub", most, behind, index);
}

/* Of two classes there is one estimator: above 0, or above 0.5 where it gives probabilities. */
static wlk_status above(sk *s, const rest *r, sk_name *index) {
    sk_name edge, is_above, number;
    TRY(sk_f64(s, r->decides ? 0 : 0.5, &edge));
    TRY(sk_binary(s, "Greater", r->scores[0], edge, &is_above));
    TRY(sk_cast(s, is_above, WLK_I64, &number));
    return sk_reshape(s, number, 0, index);
}

/* Since 1.7, where none says that the row is of its class, all probabilities stay 0: 1 for 0. */
static wlk_status without_zeros(sk *s, sk_name *sum) {
    sk_name zero, is_zero;
    TRY(sk_f64(s, 0, &zero));
    TRY(sk_binary(s, "Equal", *sum, zero, &is_zero));
    TRY(sk_cast(s, is_zero, WLK_F64, &is_zero));
    return sk_binary(s, "Add", *sum, is_zero, sum);
}

static wlk_status rest_probabilities(sk *s, const py_value *estimator, const rest *r,
                                     sk_name *out) {
    const uint32_t count = r->m.count;
    sk_name *columns = sk_take(s, count, sizeof *columns);
    sk_name joined, sum;
    *out = NULL;
    if (!r->probable) return WLK_OK;
    if (!columns) return sk_no_memory(s);
    for (uint32_t i = 0; i < count; i++) {
        TRY(second_column(s, &r->m.predictions[i], &columns[i]));
    }
    TRY(sk_concat(s, columns, count, &joined));
    if (count == 1) return sk_two_columns(s, joined, out);
    TRY(sk_reduce(s, "ReduceSum", joined, &sum));
    if (sk_linear_version(estimator) >= 1007) TRY(without_zeros(s, &sum));
    return sk_binary(s, "Div", joined, sum, out);
}

static wlk_status choose(sk *s, const py_value *estimator, const rest *r, sk_name *index) {
    if (r->m.count == 1) return above(s, r, index);
    if (sk_linear_version(estimator) >= 1008) return first_largest(s, r, index);
    return last_largest(s, r, index);
}

/* The classes are those of its binarizer of labels, or, of more than two, its own. */
static wlk_status rest_classes(sk *s, const py_value *estimator, uint32_t count,
                               sk_prediction *out) {
    const py_value *binarizer = NULL, *classes = NULL, *type = NULL;
    TRY(sk_need(s, estimator, "label_binarizer_", &binarizer));
    TRY(sk_need(s, binarizer, "classes_", &classes));
    TRY(sk_need(s, binarizer, "y_type_", &type));
    if (!py_is_text(type, count == 1 ? "binary" : "multiclass")) {
        return sk_refuse(s, RULE_SKLEARN_OPTION, type, "targets of type %s", sk_quote(s, type));
    }
    const py_value *own = sk_have(estimator, "classes_");
    if (own && count > 1) classes = own;
    TRY(sk_labels_of(s, classes, "classes_", false, &out->classes));
    if (out->classes.count == (count == 1 ? 2 : count)) return WLK_OK;
    return sk_refuse(s, RULE_SKLEARN_SHAPE, classes, "%u classes for %u estimators",
                     out->classes.count, count);
}

wlk_status sk_one_vs_rest(sk *s, const py_value *estimator, const sk_table *in,
                          sk_prediction *out) {
    rest r = {0};
    TRY(predict_all(s, estimator, in, &r.m));
    TRY(rest_classes(s, estimator, r.m.count, out));
    TRY(read_scores(s, &r));
    TRY(choose(s, estimator, &r, &out->index));
    TRY(rest_probabilities(s, estimator, &r, &out->probabilities));
    if (!r.decides) return WLK_OK;
    out->score_columns = r.m.count;
    return sk_concat(s, r.scores, r.m.count, &out->scores);
}

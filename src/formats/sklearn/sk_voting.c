/* Voting: the (weighted) mean of members, or the majority of their votes. */
#include "formats/sklearn/sk_ensemble.h"

typedef struct voting {
    sk_members members;
    double *weights; /* of each member */
    double sum;
    bool weighted;
} voting;

/* ---- weights */

static bool number_of(const py_value *value, double *out) {
    if (value->kind == PY_INT) *out = (double)value->integer;
    if (value->kind == PY_FLOAT) *out = value->real;
    return value->kind == PY_INT || value->kind == PY_FLOAT;
}

/* An array, or a list of numbers. */
static wlk_status list_weights(sk *s, const py_value *value, const double **out, uint64_t *count) {
    py_value *const *items = NULL;
    uint32_t item_count = 0;
    if (value->kind == PY_ARRAY) {
        sk_array array = {0};
        TRY(sk_reals_of(s, value, "weights", &array));
        *out = array.data;
        *count = array.count;
        return WLK_OK;
    }
    TRY(sk_list_of(s, value, "weights", &items, &item_count));
    double *list = sk_take(s, item_count, sizeof *list);
    if (!list) return sk_no_memory(s);
    for (uint32_t i = 0; i < item_count; i++) {
        if (number_of(items[i], &list[i])) continue;
        return sk_refuse(s, RULE_SKLEARN_OPTION, items[i], "weights holds %s",
                         sk_quote(s, items[i]));
    }
    *out = list;
    *count = item_count;
    return WLK_OK;
}

/* The estimators that were to be fitted, as (name, estimator); of those to be dropped there
 * is no member. */
static wlk_status named_estimators(sk *s, const py_value *ensemble, py_value *const **list,
                                   uint32_t *count) {
    const py_value *value = NULL;
    TRY(sk_need(s, ensemble, "estimators", &value));
    TRY(sk_list_of(s, value, "estimators", list, count));
    for (uint32_t i = 0; i < *count; i++) {
        const py_value *pair = (*list)[i];
        const bool is_pair = pair->kind == PY_TUPLE || pair->kind == PY_LIST;
        if (is_pair && pair->items.count == 2) continue;
        return sk_refuse(s, RULE_SKLEARN_STATE, pair, "'estimators' is no list of pairs");
    }
    return WLK_OK;
}

static wlk_status use_weight(sk *s, voting *v, const py_value *at, uint32_t member, double weight) {
    if (!(weight >= 0 && weight <= 1e300)) {
        return sk_refuse(s, RULE_SKLEARN_OPTION, at, "a weight is %g", weight);
    }
    v->weights[member] = weight;
    v->sum += weight;
    return WLK_OK;
}

static wlk_status read_weights(sk *s, const py_value *ensemble, const py_value *value, voting *v) {
    py_value *const *named = NULL;
    const double *weights = NULL;
    uint32_t named_count = 0, kept = 0;
    uint64_t count = 0;
    TRY(named_estimators(s, ensemble, &named, &named_count));
    TRY(list_weights(s, value, &weights, &count));
    for (uint32_t i = 0; i < named_count && i < count; i++) {
        if (py_is_text(named[i]->items.list[1], "drop")) continue;
        if (kept < v->members.count) TRY(use_weight(s, v, value, kept, weights[i]));
        kept++;
    }
    if (kept != v->members.count || count != named_count) {
        return sk_refuse(s, RULE_SKLEARN_SHAPE, value, "%llu weights of %u estimators",
                         (unsigned long long)count, named_count);
    }
    if (v->sum > 0) return WLK_OK;
    return sk_refuse(s, RULE_SKLEARN_OPTION, value, "all weights are 0");
}

static wlk_status read_voting(sk *s, const py_value *ensemble, voting *v) {
    const py_value *weights = sk_have(ensemble, "weights");
    TRY(sk_members_of(s, ensemble, &v->members));
    v->weights = sk_take(s, v->members.count, sizeof *v->weights);
    if (!v->weights) return sk_no_memory(s);
    v->weighted = weights != NULL;
    if (weights) return read_weights(s, ensemble, weights, v);
    for (uint32_t i = 0; i < v->members.count; i++) v->weights[i] = 1;
    v->sum = v->members.count;
    return WLK_OK;
}

static wlk_status mean(sk *s, const voting *v, sk_name *values, sk_name *out) {
    for (uint32_t i = 0; v->weighted && i < v->members.count; i++) {
        TRY(sk_multiply(s, values[i], v->weights[i], &values[i]));
    }
    TRY(sk_sum(s, values, v->members.count, out));
    return sk_divide(s, *out, v->sum, out);
}

/* ---- classes */

/* Probabilities, or a vote. Members know all classes, by their numbers. */
static wlk_status member_says(sk *s, const voting *v, uint32_t i, const sk_table *in, bool soft,
                              uint32_t classes, sk_name *out) {
    const py_value *member = v->members.list[i];
    const uint32_t *which = NULL;
    sk_prediction prediction = {0};
    bool all = false;
    TRY(sk_member_predict(s, &v->members, i, in, &prediction));
    TRY(sk_member_classes(s, member, &prediction, classes, &which, &all));
    if (!all || (soft && !prediction.probabilities)) {
        return sk_refuse(s, RULE_SKLEARN_VALUE, member, "a member does not give %u classes",
                         classes);
    }
    *out = prediction.probabilities;
    return soft ? WLK_OK : sk_one_hot(s, prediction.index, classes, 0, v->weights[i], out);
}

wlk_status sk_predict_voted_classes(sk *s, const py_value *estimator, const sk_table *in,
                                    sk_prediction *out) {
    static const char *const ways[] = {"hard", "soft", NULL};
    voting v = {0};
    uint32_t way = 0;
    sk_name votes = NULL;
    TRY(sk_choice(s, estimator, "voting", "hard", ways, &way));
    TRY(read_voting(s, estimator, &v));
    TRY(sk_classes_of(s, estimator, &out->classes));
    sk_name *all = sk_take(s, v.members.count, sizeof *all);
    if (!all) return sk_no_memory(s);
    for (uint32_t i = 0; i < v.members.count; i++) {
        TRY(member_says(s, &v, i, in, way == 1, out->classes.count, &all[i]));
    }
    if (way == 0) {
        TRY(sk_sum(s, all, v.members.count, &votes));
        return sk_argmax(s, votes, &out->index);
    }
    TRY(mean(s, &v, all, &out->probabilities));
    return sk_argmax(s, out->probabilities, &out->index);
}

/* ---- numbers */

wlk_status sk_predict_voted_values(sk *s, const py_value *estimator, const sk_table *in,
                                   sk_prediction *out) {
    voting v = {0};
    TRY(read_voting(s, estimator, &v));
    sk_name *all = sk_take(s, v.members.count, sizeof *all);
    if (!all) return sk_no_memory(s);
    for (uint32_t i = 0; i < v.members.count; i++) {
        sk_prediction member = {0};
        TRY(sk_member_predict(s, &v.members, i, in, &member));
        all[i] = member.values;
        if (member.values && member.targets == 1 && member.flat) continue;
        return sk_refuse(s, RULE_SKLEARN_VALUE, v.members.list[i], "a member gives not one number");
    }
    out->targets = 1;
    out->flat = true;
    return mean(s, &v, all, &out->values);
}

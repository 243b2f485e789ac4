/* Bagging: the mean of members, each of which looks at some of the columns. */
#include "formats/sklearn/sk_ensemble.h"

typedef struct bagging {
    sk_members members;
    py_value *const *features; /* of each member */
    uint32_t classes;
    sk_name *values; /* of each member */
    sk_name *scores; /* of each member; NULL for one that has none */
    uint32_t score_columns;
} bagging;

static wlk_status read_bagging(sk *s, const py_value *estimator, bagging *b) {
    const py_value *features = NULL;
    int64_t estimators = 0;
    uint32_t count = 0;
    TRY(sk_members_of(s, estimator, &b->members));
    TRY(sk_integer(s, estimator, "n_estimators", &estimators));
    if (estimators != b->members.count) { /* which is what it divides by */
        return sk_refuse(s, RULE_SKLEARN_OPTION, estimator, "n_estimators=%lld, but %u members",
                         (long long)estimators, b->members.count);
    }
    TRY(sk_need(s, estimator, "estimators_features_", &features));
    TRY(sk_list_of(s, features, "estimators_features_", &b->features, &count));
    if (count != b->members.count) {
        return sk_refuse(s, RULE_SKLEARN_SHAPE, features, "columns of %u members, but %u members",
                         count, b->members.count);
    }
    b->values = sk_take(s, count, sizeof *b->values);
    b->scores = sk_take(s, count, sizeof *b->scores);
    return b->values && b->scores ? WLK_OK : sk_no_memory(s);
}

/* The table itself, if the member looks at all of it in order. */
static wlk_status pick(sk *s, const bagging *b, uint32_t i, const sk_table *in, sk_table *out) {
    sk_indices columns = {0};
    TRY(sk_indices_of(s, b->features[i], "estimators_features_", in->columns, &columns));
    bool all = columns.count == in->columns;
    for (uint32_t k = 0; all && k < columns.count; k++) all = columns.list[k] == k;
    *out = *in;
    return all ? WLK_OK : sk_table_pick(s, in, columns.list, columns.count, out);
}

static wlk_status predict_member(sk *s, const bagging *b, uint32_t i, const sk_table *in,
                                 sk_prediction *out) {
    sk_table own = {0};
    TRY(pick(s, b, i, in, &own));
    return sk_member_predict(s, &b->members, i, &own, out);
}

/* ---- classes */

/* Probabilities, or a vote where the member gives none. */
static wlk_status member_shares(sk *s, const bagging *b, uint32_t i, const sk_prediction *member,
                                sk_name *out) {
    const uint32_t count = member->classes.count;
    const uint32_t *which = NULL;
    bool all = false;
    TRY(sk_member_classes(s, b->members.list[i], member, b->classes, &which, &all));
    if (member->probabilities && count == b->classes) {
        *out = member->probabilities;
        return WLK_OK;
    }
    if (member->probabilities) {
        return sk_spread(s, member->probabilities, which, count, b->classes, out);
    }
    sk_name index = member->index;
    if (!all) TRY(sk_renumber(s, index, which, count, &index));
    return sk_one_hot(s, index, b->classes, 0, 1, out);
}

static wlk_status take_member(sk *s, bagging *b, uint32_t i, const sk_table *in) {
    sk_prediction member = {0};
    TRY(predict_member(s, b, i, in, &member));
    if (i == 0) b->score_columns = member.score_columns;
    const bool fits = member.scores && member.score_columns == b->score_columns;
    b->scores[i] = fits ? member.scores : NULL;
    return member_shares(s, b, i, &member, &b->values[i]);
}

static wlk_status mean(sk *s, const sk_name *values, uint32_t count, sk_name *out) {
    TRY(sk_sum(s, values, count, out));
    return sk_divide(s, *out, count, out);
}

wlk_status sk_predict_bagged_classes(sk *s, const py_value *estimator, const sk_table *in,
                                     sk_prediction *out) {
    bagging b = {0};
    bool scored = true;
    TRY(read_bagging(s, estimator, &b));
    TRY(sk_classes_of(s, estimator, &out->classes));
    b.classes = out->classes.count;
    for (uint32_t i = 0; i < b.members.count; i++) {
        TRY(take_member(s, &b, i, in));
        scored = scored && b.scores[i];
    }
    TRY(mean(s, b.values, b.members.count, &out->probabilities));
    if (scored) TRY(mean(s, b.scores, b.members.count, &out->scores));
    out->score_columns = scored ? b.score_columns : 0;
    return sk_argmax(s, out->probabilities, &out->index);
}

/* ---- numbers */

wlk_status sk_predict_bagged_values(sk *s, const py_value *estimator, const sk_table *in,
                                    sk_prediction *out) {
    bagging b = {0};
    TRY(read_bagging(s, estimator, &b));
    for (uint32_t i = 0; i < b.members.count; i++) {
        sk_prediction member = {0};
        TRY(predict_member(s, &b, i, in, &member));
        b.values[i] = member.values;
        if (i == 0) out->targets = member.targets;
        if (i == 0) out->flat = member.flat;
        if (member.values && member.targets == out->targets && member.flat == out->flat) continue;
        return sk_refuse(s, RULE_SKLEARN_VALUE, b.members.list[i],
                         "a member gives other numbers than the first one");
    }
    return mean(s, b.values, b.members.count, &out->values);
}

/* AdaBoost: members that vote with weights, and the weighted median of members. */
#include <string.h>

#include "formats/sklearn/sk_ensemble.h"
#include "formats/sklearn/sk_forest.h"

/* The weight of each member. There may be more weights than members, where boosting ended
 * early: those are 0. *sum is that of all of them. */
static wlk_status read_weights(sk *s, const py_value *estimator, uint32_t members,
                               sk_array *weights, double *sum) {
    TRY(sk_reals(s, estimator, "estimator_weights_", weights));
    TRY(sk_finite(s, weights, "estimator_weights_"));
    if (weights->rank != 1 || weights->count < members) {
        return sk_refuse(s, RULE_SKLEARN_SHAPE, weights->at, "%u members, but %llu weights",
                         members, (unsigned long long)weights->count);
    }
    *sum = 0;
    for (uint64_t i = 0; i < weights->count; i++) *sum += weights->data[i];
    if (*sum > 0) return WLK_OK;
    return sk_refuse(s, RULE_SKLEARN_VALUE, weights->at, "the weights of its members sum to %g",
                     *sum);
}

/* ---- classes */

typedef struct boosted {
    const py_value *estimator;
    sk_members members;
    sk_labels classes;
    bool real;  /* SAMME.R: members give logarithms of probabilities, else votes */
    double off; /* what a vote is worth for each class that it is not for */
    sk_array weights;
} boosted;

static bool same_labels(const sk_labels *a, const sk_labels *b) {
    bool same = a->count == b->count && a->dtype == b->dtype;
    for (uint32_t i = 0; same && i < a->count; i++) {
        if (a->integers) same = a->integers[i] == b->integers[i];
        if (a->reals) same = a->reals[i] == b->reals[i];
        if (a->texts) {
            same = a->texts[i].length == b->texts[i].length &&
                   memcmp(a->texts[i].data, b->texts[i].data, a->texts[i].length) == 0;
        }
    }
    return same;
}

/* (classes - 1) * (log(p) - their mean) */
static wlk_status real_vote(sk *s, const boosted *b, const sk_prediction *member, sk_name *out) {
    const double classes = b->classes.count;
    sk_name inputs[2] = {member->probabilities, NULL};
    sk_name logs = NULL, sum = NULL;
    TRY(sk_f64(s, 0x1p-52, &inputs[1]));
    TRY(sk_node(s, "Clip", inputs, 2, &logs, 1));
    TRY(sk_unary(s, "Log", logs, &logs));
    TRY(sk_reduce(s, "ReduceSum", logs, &sum));
    TRY(sk_multiply(s, sum, 1 / classes, &sum));
    TRY(sk_binary(s, "Sub", logs, sum, out));
    return sk_multiply(s, *out, classes - 1, out);
}

static wlk_status vote(sk *s, const boosted *b, uint32_t i, const sk_table *in, sk_name *out) {
    sk_prediction member = {0};
    TRY(sk_member_predict(s, &b->members, i, in, &member));
    if (!member.index || !same_labels(&member.classes, &b->classes)) {
        return sk_refuse(s, RULE_SKLEARN_VALUE, b->members.list[i],
                         "a member whose classes are not those of the ensemble");
    }
    const double weight = b->weights.data[i];
    if (!b->real) {
        return sk_one_hot(s, member.index, b->classes.count, b->off * weight, weight, out);
    }
    if (member.probabilities) return real_vote(s, b, &member, out);
    return sk_refuse(s, RULE_SKLEARN_OPTION, b->members.list[i],
                     "SAMME.R with a member that gives no probabilities");
}

/* Of two classes the difference. */
static wlk_status decide(sk *s, const boosted *b, sk_name votes, sk_prediction *out) {
    const uint32_t columns[2] = {0, 1};
    sk_name first = NULL, second = NULL;
    out->scores = votes;
    out->score_columns = b->classes.count;
    if (b->classes.count > 2) return WLK_OK;
    TRY(sk_gather(s, votes, &columns[0], 1, &first));
    TRY(sk_gather(s, votes, &columns[1], 1, &second));
    out->score_columns = 1;
    return sk_binary(s, "Sub", second, first, &out->scores);
}

static wlk_status soften(sk *s, const boosted *b, sk_prediction *out) {
    sk_name both[2] = {NULL, out->scores};
    sk_name scaled = NULL;
    if (b->classes.count > 2) {
        TRY(sk_divide(s, out->scores, b->classes.count - 1.0, &scaled));
        return sk_softmax(s, scaled, &out->probabilities);
    }
    TRY(sk_unary(s, "Neg", out->scores, &both[0]));
    TRY(sk_concat(s, both, 2, &scaled));
    TRY(sk_multiply(s, scaled, 0.5, &scaled));
    return sk_softmax(s, scaled, &out->probabilities);
}

/* Up to 1.2 a vote said nothing of the classes that it was not for. SAMME.R was the standard
 * as long as there was a choice that could be left out. */
static wlk_status read_algorithm(sk *s, boosted *b) {
    static const char *const algorithms[] = {"SAMME", "SAMME.R", "deprecated", NULL};
    uint32_t version = 0, algorithm = 0;
    TRY(sk_version(s, b->estimator, &version));
    TRY(sk_choice(s, b->estimator, "algorithm", "SAMME", algorithms, &algorithm));
    b->real = algorithm == 1;
    b->off = version < 1003 ? 0 : -1.0 / (b->classes.count - 1.0);
    return WLK_OK;
}

wlk_status sk_predict_boosted_members(sk *s, const py_value *estimator, const sk_table *in,
                                      sk_prediction *out) {
    boosted b = {.estimator = estimator};
    double sum = 0;
    sk_name votes = NULL;
    TRY(sk_members_of(s, estimator, &b.members));
    TRY(sk_classes_of(s, estimator, &b.classes));
    TRY(read_weights(s, estimator, b.members.count, &b.weights, &sum));
    if (b.classes.count < 2) {
        return sk_refuse(s, RULE_SKLEARN_VALUE, b.classes.at, "%u classes", b.classes.count);
    }
    TRY(read_algorithm(s, &b));
    sk_name *all = sk_take(s, b.members.count, sizeof *all);
    if (!all) return sk_no_memory(s);
    for (uint32_t i = 0; i < b.members.count; i++) TRY(vote(s, &b, i, in, &all[i]));
    TRY(sk_sum(s, all, b.members.count, &votes));
    TRY(sk_divide(s, votes, sum, &votes));
    out->classes = b.classes;
    TRY(decide(s, &b, votes, out));
    TRY(soften(s, &b, out));
    return sk_decide(s, out->scores, out->score_columns, &out->index);
}

/* ---- numbers */

/* What all members give, [batch, members]. */
static wlk_status all_values(sk *s, const sk_members *members, const sk_table *in, sk_name *out) {
    sk_name *all = sk_take(s, members->count, sizeof *all);
    if (!all) return sk_no_memory(s);
    for (uint32_t i = 0; i < members->count; i++) {
        sk_prediction member = {0};
        TRY(sk_member_predict(s, members, i, in, &member));
        all[i] = member.values;
        if (member.values && member.targets == 1) continue;
        return sk_refuse(s, RULE_SKLEARN_VALUE, members->list[i], "a member gives not one number");
    }
    return sk_concat(s, all, members->count, out);
}

/* Each row in ascending order, and the weights along with it. */
static wlk_status sort(sk *s, sk_name values, const sk_array *weights, uint32_t count,
                       sk_name *sorted, sk_name *moved) {
    const int64_t k = count;
    sk_name inputs[2] = {values, NULL};
    sk_name outputs[2] = {NULL, NULL};
    TRY(sk_i64s(s, &k, 1, &inputs[1]));
    TRY(sk_node(s, "TopK", inputs, 2, outputs, 2));
    TRY(sk_attribute_int(s, "largest", 0));
    *sorted = outputs[0];
    TRY(sk_f64s(s, weights->data, count, &inputs[0]));
    inputs[1] = outputs[1];
    return sk_node(s, "Gather", inputs, 2, moved, 1);
}

/* The first place where the weights so far are half of all or more. */
static wlk_status half_way(sk *s, sk_name weights, uint32_t count, sk_name *place) {
    const uint32_t last = count - 1;
    sk_name inputs[2] = {weights, NULL};
    sk_name so_far = NULL, half = NULL, reached = NULL;
    TRY(sk_i64(s, 1, &inputs[1]));
    TRY(sk_node(s, "CumSum", inputs, 2, &so_far, 1));
    TRY(sk_gather(s, so_far, &last, 1, &half));
    TRY(sk_multiply(s, half, 0.5, &half));
    TRY(sk_binary(s, "GreaterOrEqual", so_far, half, &reached));
    TRY(sk_cast(s, reached, WLK_F64, &reached));
    TRY(sk_argmax(s, reached, place));
    return sk_reshape(s, *place, 1, place);
}

wlk_status sk_predict_boosted_median(sk *s, const py_value *estimator, const sk_table *in,
                                     sk_prediction *out) {
    sk_members members = {0};
    sk_array weights = {0};
    double sum = 0;
    sk_name values = NULL, moved = NULL;
    sk_name inputs[2] = {NULL, NULL};
    TRY(sk_members_of(s, estimator, &members));
    TRY(read_weights(s, estimator, members.count, &weights, &sum));
    TRY(all_values(s, &members, in, &values));
    TRY(sort(s, values, &weights, members.count, &inputs[0], &moved));
    TRY(half_way(s, moved, members.count, &inputs[1]));
    TRY(sk_node(s, "GatherElements", inputs, 2, &out->values, 1));
    TRY(sk_attribute_int(s, "axis", 1));
    out->targets = 1;
    out->flat = true;
    return WLK_OK;
}

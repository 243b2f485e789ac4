/* IsolationForest: how few splits set a row apart. */
#include "formats/sklearn/sk_ensemble.h"
#include "formats/sklearn/sk_forest.h"

#define EULER_GAMMA 0.57721566490153286061

/* log(number) for a number of 1 or more: 2 * atanh((m - 1) / (m + 1)) of a mantissa m, and the
 * exponent. In more bits than a double has, so that all of those are right: a row of training
 * may lie on the threshold exactly. */
static double logarithm(double number) {
    static const long double log_2 = 0.693147180559945309417232121458176568L;
    long double mantissa = number;
    int exponent = 0;
    while (mantissa > 1.42L) {
        mantissa /= 2;
        exponent++;
    }
    const long double ratio = (mantissa - 1) / (mantissa + 1);
    long double sum = 0;
    for (int i = 43; i > 0; i -= 2) sum = sum * ratio * ratio + 1 / (long double)i;
    return (double)(2 * ratio * sum + (long double)exponent * log_2);
}

/* The average length of the path to one of `rows` rows in a random tree (Liu, Ting and Zhou,
 * Isolation Forest, 2008, equation 1). */
static double average_path(double rows) {
    if (rows <= 1) return 0;
    if (rows == 2) return 1;
    return 2 * (logarithm(rows - 1) + EULER_GAMMA) - 2 * (rows - 1) / rows;
}

/* The path to the leaf and, for the rows that are still together there, what would be added. */
static void give_path(const tree_leaf *leaf, const void *how, double *out) {
    (void)how;
    const sk_tree *tree = leaf->tree;
    const uint8_t *node = tree->nodes + (uint64_t)leaf->node * tree->node_bytes;
    const double rows = (double)sk_tree_int(&tree->samples, node);
    out[0] = leaf->depth + 1.0 + average_path(rows) - 1;
}

/* Which columns each tree looks at. */
static wlk_status read_features(sk *s, const py_value *estimator, uint32_t trees, uint64_t columns,
                                const sk_indices **out) {
    const py_value *value = NULL;
    py_value *const *list = NULL;
    uint32_t count = 0;
    TRY(sk_need(s, estimator, "estimators_features_", &value));
    TRY(sk_list_of(s, value, "estimators_features_", &list, &count));
    if (count != trees) {
        return sk_refuse(s, RULE_SKLEARN_SHAPE, value, "columns of %u trees, but %u trees", count,
                         trees);
    }
    sk_indices *features = sk_take(s, count, sizeof *features);
    if (!features) return sk_no_memory(s);
    *out = features;
    for (uint32_t i = 0; i < count; i++) {
        TRY(sk_indices_of(s, list[i], "estimators_features_", columns, &features[i]));
        if (features[i].count == features[0].count) continue;
        return sk_refuse(s, RULE_SKLEARN_SHAPE, list[i], "trees of different numbers of columns");
    }
    return WLK_OK;
}

/* [batch, 1]: the sum of the paths of all trees. */
static wlk_status paths(sk *s, const py_value *estimator, const sk_table *in, uint32_t *count,
                        sk_name *out) {
    sk_members members = {0};
    sk_tree *trees = NULL;
    sk_name x = NULL;
    sk_forest forest = {.columns = in->columns, .single = true, .targets = 1, .give = give_path};
    TRY(sk_members_of(s, estimator, &members));
    TRY(read_features(s, estimator, members.count, in->columns, &forest.features));
    TRY(sk_trees_of(s, members.list, members.count, forest.features[0].count, &trees));
    TRY(sk_table_singles(s, in, &x));
    forest.trees = trees;
    forest.count = *count = members.count;
    return sk_forest_node(s, &forest, x, out);
}

/* How many rows each tree was trained with; the name has changed. */
static wlk_status read_samples(sk *s, const py_value *estimator, double *samples) {
    const bool hidden = sk_have(estimator, "_max_samples") != NULL;
    TRY(sk_scalar(s, estimator, hidden ? "_max_samples" : "max_samples_", samples));
    if (*samples >= 2 && *samples <= 0x1p53) return WLK_OK;
    return sk_refuse(s, RULE_SKLEARN_VALUE, estimator, "its trees were trained with %g rows",
                     *samples);
}

/* A row of training lies on the threshold exactly if the share of outliers was given, and
 * belongs inside; logarithms and powers of different machines differ in the last bit. */
#define ROUNDING 1e-14

wlk_status sk_predict_isolation(sk *s, const py_value *estimator, const sk_table *in,
                                sk_prediction *out) {
    static const int64_t labels[2] = {-1, 1}; /* an outlier, or not */
    double samples = 0, offset = 0;
    uint32_t count = 0;
    sk_name two = NULL, limit = NULL, by = NULL, score = NULL, inside = NULL;
    TRY(read_samples(s, estimator, &samples));
    TRY(sk_scalar(s, estimator, "offset_", &offset));
    TRY(paths(s, estimator, in, &count, &score));
    TRY(sk_divide(s, score, -(count * average_path(samples)), &score));
    TRY(sk_f64(s, 2, &two));
    TRY(sk_binary(s, "Pow", two, score, &score));
    TRY(sk_unary(s, "Neg", score, &score));
    TRY(sk_f64(s, offset, &by));
    TRY(sk_binary(s, "Sub", score, by, &out->scores));
    TRY(sk_f64(s, -ROUNDING, &limit));
    TRY(sk_binary(s, "GreaterOrEqual", out->scores, limit, &inside));
    TRY(sk_cast(s, inside, WLK_I64, &inside));
    out->score_columns = 1;
    out->classes = (sk_labels){
        .count = 2, .dtype = WLK_I64, .integers = labels, .missing = WLK_NONE, .at = estimator};
    return sk_reshape(s, inside, 0, &out->index);
}

/* How important trees find the columns: how much each split of training took from the impurity,
 * summed over the splits by a column; in the order in which scikit-learn adds. */
#include <string.h>

#include "formats/sklearn/sk_forest.h"
#include "formats/sklearn/sk_prep.h"
#include "formats/sklearn/sk_select.h"

typedef struct impurity_fields {
    tree_field impurity, weight;
} impurity_fields;

static wlk_status find_real(sk *s, const sk_tree *tree, const char *name, tree_field *out) {
    const py_dtype *dtype = py_get(tree->at, "nodes")->array->dtype;
    const py_field *field = py_dtype_field(dtype, name);
    if (!field || field->dtype->kind != 'f' || field->dtype->itemsize != 8) {
        return sk_refuse(s, RULE_SKLEARN_STATE, tree->at, "the nodes of a tree have no '%s'", name);
    }
    *out = (tree_field){(uint32_t)field->offset, 8, true, field->dtype->big};
    return WLK_OK;
}

static double weighted_impurity(const sk_tree *tree, const impurity_fields *fields, int64_t node) {
    const uint8_t *at = tree->nodes + (uint64_t)node * tree->node_bytes;
    return sk_tree_real(&fields->weight, at) * sk_tree_real(&fields->impurity, at);
}

static bool within(int64_t number, uint32_t count) {
    return number >= 0 && number < count;
}

static wlk_status add_splits(sk *s, const sk_tree *tree, const impurity_fields *fields,
                             uint32_t columns, double *out) {
    for (uint32_t i = 0; i < tree->count; i++) {
        const uint8_t *node = tree->nodes + (uint64_t)i * tree->node_bytes;
        const int64_t left = sk_tree_int(&tree->left, node);
        const int64_t right = sk_tree_int(&tree->right, node);
        const int64_t feature = sk_tree_int(&tree->feature, node);
        if (left == -1) continue;
        if (!within(left, tree->count) || !within(right, tree->count) ||
            !within(feature, columns)) {
            return sk_refuse(s, RULE_SKLEARN_VALUE, tree->at, "node %u of a tree points outside",
                             i);
        }
        out[feature] += weighted_impurity(tree, fields, i) - weighted_impurity(tree, fields, left) -
                        weighted_impurity(tree, fields, right);
    }
    return WLK_OK;
}

static void divide(double *numbers, uint32_t count, double by) {
    for (uint32_t i = 0; i < count; i++) numbers[i] /= by;
}

/* The importances of one tree; their sum is 1 if it is to be. */
static wlk_status importances_of(sk *s, const sk_tree *tree, uint32_t columns, bool normalise,
                                 double *out) {
    impurity_fields fields;
    TRY(find_real(s, tree, "impurity", &fields.impurity));
    TRY(find_real(s, tree, "weighted_n_node_samples", &fields.weight));
    memset(out, 0, columns * sizeof *out);
    TRY(add_splits(s, tree, &fields, columns, out));
    divide(out, columns, sk_tree_real(&fields.weight, tree->nodes));
    const double sum = select_sum(out, columns);
    if (normalise && sum > 0) divide(out, columns, sum);
    return WLK_OK;
}

/* The mean over the trees that split at all, divided by its sum. */
static wlk_status mean_importances(sk *s, const sk_tree *trees, uint32_t count, uint32_t columns,
                                   bool normalise, double *out) {
    void *room = NULL;
    uint32_t splitting = 0;
    TRY(prep_take(s, columns, sizeof(double), &room));
    double *one = room;
    for (uint32_t i = 0; i < count; i++) {
        if (trees[i].count <= 1) continue;
        TRY(importances_of(s, &trees[i], columns, normalise, one));
        for (uint32_t k = 0; k < columns; k++) out[k] += one[k];
        splitting++;
    }
    if (splitting == 0) return WLK_OK;
    divide(out, columns, splitting);
    divide(out, columns, select_sum(out, columns));
    return WLK_OK;
}

/* Estimators with feature_importances_ of trees. */
typedef struct kind_row {
    const char *class;
    bool many;      /* trees, in estimators_ */
    bool normalise; /* each tree's */
} kind_row;
static const kind_row kinds[] = {
    {"DecisionTreeClassifier", false, true},     {"DecisionTreeRegressor", false, true},
    {"ExtraTreeClassifier", false, true},        {"ExtraTreeRegressor", false, true},
    {"RandomForestClassifier", true, true},      {"RandomForestRegressor", true, true},
    {"ExtraTreesClassifier", true, true},        {"ExtraTreesRegressor", true, true},
    {"GradientBoostingClassifier", true, false}, {"GradientBoostingRegressor", true, false},
};

static const kind_row *find_kind(const py_value *estimator) {
    for (uint32_t i = 0; i < PREP_COUNT(kinds); i++) {
        if (strcmp(kinds[i].class, sk_class(estimator)) == 0) return &kinds[i];
    }
    return NULL;
}

wlk_status select_tree_importances(sk *s, const py_value *estimator, uint32_t columns,
                                   double *importances, bool *known) {
    const kind_row *kind = find_kind(estimator);
    const py_value *list = NULL, *tree_of = NULL;
    py_value *const *estimators = NULL;
    uint32_t count = 0;
    sk_tree tree, *trees = NULL;
    *known = kind != NULL;
    if (!kind) return WLK_OK;
    if (!kind->many) {
        TRY(sk_need(s, estimator, "tree_", &tree_of));
        TRY(sk_tree_read(s, tree_of, columns, &tree));
        return importances_of(s, &tree, columns, kind->normalise, importances);
    }
    TRY(sk_need(s, estimator, "estimators_", &list));
    TRY(sk_list_of(s, list, "estimators_", &estimators, &count));
    TRY(sk_trees_of(s, estimators, count, columns, &trees));
    return mean_importances(s, trees, count, columns, kind->normalise, importances);
}

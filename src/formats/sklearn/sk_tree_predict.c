/* Trees alone, and forests that take the mean of their trees. */
#include <string.h>

#include "formats/sklearn/sk_forest.h"

/* ---- what several families need */

/* A number of the text from *at on, and what stands behind it. */
static uint32_t take_number(const py_text *text, uint64_t *at) {
    uint32_t number = 0;
    for (; *at < text->length && number < 1000; (*at)++) {
        const uint8_t digit = text->data[*at];
        if (digit < '0' || digit > '9') break;
        number = number * 10 + (digit - '0');
    }
    return number;
}

wlk_status sk_version(sk *s, const py_value *estimator, uint32_t *version) {
    const py_value *text = NULL;
    uint64_t at = 0;
    TRY(sk_need(s, estimator, "_sklearn_version", &text));
    if (text->kind != PY_STR) {
        return sk_refuse(s, RULE_SKLEARN_STATE, text, "'_sklearn_version' is no text");
    }
    const uint32_t major = take_number(&text->text, &at);
    const bool dot = at < text->text.length && text->text.data[at] == '.';
    at++;
    *version = major * 1000 + (dot ? take_number(&text->text, &at) : 0);
    return WLK_OK;
}

static bool is_tree_estimator(const py_value *value) {
    static const char *const names[] = {"DecisionTreeClassifier", "DecisionTreeRegressor",
                                        "ExtraTreeClassifier", "ExtraTreeRegressor"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (py_is_object(value, names[i])) return true;
    }
    return false;
}

static wlk_status read_estimator(sk *s, const py_value *estimator, uint64_t features,
                                 sk_tree *tree) {
    const py_value *value = NULL;
    if (!is_tree_estimator(estimator)) {
        return sk_refuse(s, RULE_SKLEARN_STATE, estimator, "'estimators_' holds what is no tree");
    }
    TRY(sk_need(s, estimator, "tree_", &value));
    return sk_tree_read(s, value, features, tree);
}

wlk_status sk_trees_of(sk *s, py_value *const *estimators, uint32_t count, uint64_t features,
                       sk_tree **out) {
    sk_tree *trees = sk_take(s, count, sizeof *trees);
    if (!trees) return sk_no_memory(s);
    *out = trees;
    for (uint32_t i = 0; i < count; i++) {
        TRY(read_estimator(s, estimators[i], features, &trees[i]));
        if (trees[i].outputs == trees[0].outputs && trees[i].classes == trees[0].classes) continue;
        return sk_refuse(s, RULE_SKLEARN_SHAPE, estimators[i],
                         "its trees have different numbers of outputs or classes");
    }
    return WLK_OK;
}

/* The trees of a forest: one or more. */
static wlk_status forest_of(sk *s, const py_value *estimator, uint64_t features,
                            sk_forest *forest) {
    const py_value *value = NULL;
    py_value *const *list = NULL;
    sk_tree *trees = NULL;
    TRY(sk_need(s, estimator, "estimators_", &value));
    TRY(sk_list_of(s, value, "estimators_", &list, &forest->count));
    if (forest->count == 0) {
        return sk_refuse(s, RULE_SKLEARN_STATE, value, "'estimators_' is empty");
    }
    TRY(sk_trees_of(s, list, forest->count, features, &trees));
    forest->trees = trees;
    forest->average = true;
    return WLK_OK;
}

/* The one tree of an estimator. */
static wlk_status tree_of(sk *s, const py_value *estimator, uint64_t features, sk_forest *forest) {
    py_value *const self = (py_value *)estimator;
    sk_tree *trees = NULL;
    TRY(sk_trees_of(s, &self, 1, features, &trees));
    forest->trees = trees;
    forest->count = 1;
    return WLK_OK;
}

static wlk_status run(sk *s, sk_forest *forest, const sk_table *in, sk_name *y) {
    sk_name x = NULL;
    forest->columns = in->columns;
    forest->single = true;
    TRY(sk_table_singles(s, in, &x));
    return sk_forest_node(s, forest, x, y);
}

/* ---- classes */

typedef struct outputs {
    uint32_t count;
    sk_labels *labels; /* of each */
    uint32_t targets;  /* all classes of all outputs */
    bool share;        /* leaves give shares of one, else weights as they are */
    bool are_shares;   /* the values are shares already, but for rounding */
} outputs;

static wlk_status take_labels(sk *s, const sk_tree *tree, const py_value *array, outputs *o,
                              uint32_t i) {
    TRY(sk_labels_of(s, array, "classes_", false, &o->labels[i]));
    o->targets += o->labels[i].count;
    if (o->labels[i].count <= tree->classes) return WLK_OK;
    return sk_refuse(s, RULE_SKLEARN_SHAPE, array, "%u classes, but its trees know %u",
                     o->labels[i].count, tree->classes);
}

/* One array of classes, or a list of one for each of several outputs. */
static wlk_status read_outputs(sk *s, const py_value *estimator, const sk_tree *tree, outputs *o) {
    const py_value *classes = NULL;
    py_value *const *arrays = NULL;
    uint32_t most = 0;
    TRY(sk_need(s, estimator, "classes_", &classes));
    py_value *const alone = (py_value *)classes;
    arrays = &alone;
    o->count = 1;
    if (tree->outputs > 1) TRY(sk_list_of(s, classes, "classes_", &arrays, &o->count));
    if (o->count != tree->outputs) {
        return sk_refuse(s, RULE_SKLEARN_SHAPE, classes, "classes of %u outputs, but trees of %u",
                         o->count, tree->outputs);
    }
    o->labels = sk_take(s, o->count, sizeof *o->labels);
    if (!o->labels) return sk_no_memory(s);
    for (uint32_t i = 0; i < o->count; i++) {
        TRY(take_labels(s, tree, arrays[i], o, i));
        if (o->labels[i].count > most) most = o->labels[i].count;
    }
    if (most == tree->classes) return WLK_OK;
    return sk_refuse(s, RULE_SKLEARN_SHAPE, classes, "%u classes, but its trees know %u", most,
                     tree->classes);
}

/* Weights become shares of their sum, unless that is 0, or 1 but for rounding where the values
 * are shares already. */
static void share(double *values, uint32_t count, bool are_shares) {
    double sum = 0;
    for (uint32_t i = 0; i < count; i++) sum += values[i];
    const double off = sum > 1 ? sum - 1 : 1 - sum;
    if (sum == 0 || (are_shares && off < 1e-9)) return;
    for (uint32_t i = 0; i < count; i++) values[i] /= sum;
}

/* The values of an output are as many as the output with most classes has. */
static void give_classes(const tree_leaf *leaf, const void *how, double *out) {
    const outputs *o = how;
    for (uint32_t i = 0; i < o->count; i++) {
        const uint32_t count = o->labels[i].count;
        for (uint32_t k = 0; k < count; k++) {
            out[k] = sk_tree_value(leaf->tree, leaf->node, i * leaf->tree->classes + k);
        }
        if (o->share) share(out, count, o->are_shares);
        out += count;
    }
}

/* Columns [first, first + count). */
static wlk_status columns_from(sk *s, sk_name x, uint32_t first, uint32_t count, sk_name *out) {
    uint32_t *columns = sk_take(s, count, sizeof *columns);
    if (!columns) return sk_no_memory(s);
    for (uint32_t i = 0; i < count; i++) columns[i] = first + i;
    return sk_gather(s, x, columns, count, out);
}

/* The class is what has most weight, before division: that may make two weights equal. */
static wlk_status predict_output(sk *s, sk_name weights, const sk_labels *labels, bool are_shares,
                                 sk_prediction *out) {
    out->classes = *labels;
    out->probabilities = weights;
    TRY(sk_argmax(s, weights, &out->index));
    return are_shares ? WLK_OK : sk_normalise_rows(s, weights, &out->probabilities);
}

static wlk_status predict_outputs(sk *s, sk_name weights, const outputs *o, sk_prediction *out) {
    uint32_t first = 0;
    if (o->count == 1) return predict_output(s, weights, &o->labels[0], o->share, out);
    out->parts = sk_take(s, o->count, sizeof *out->parts);
    if (!out->parts) return sk_no_memory(s);
    out->part_count = o->count;
    for (uint32_t i = 0; i < o->count; i++) {
        sk_name own = NULL;
        TRY(columns_from(s, weights, first, o->labels[i].count, &own));
        TRY(predict_output(s, own, &o->labels[i], o->share, &out->parts[i]));
        first += o->labels[i].count;
    }
    return WLK_OK;
}

static wlk_status predict_classes(sk *s, const py_value *estimator, const sk_table *in,
                                  sk_forest *forest, outputs *o, sk_prediction *out) {
    sk_name weights = NULL;
    TRY(read_outputs(s, estimator, &forest->trees[0], o));
    forest->targets = o->targets;
    forest->give = give_classes;
    forest->how = o;
    TRY(run(s, forest, in, &weights));
    return predict_outputs(s, weights, o, out);
}

wlk_status sk_predict_tree_classes(sk *s, const py_value *estimator, const sk_table *in,
                                   sk_prediction *out) {
    sk_forest forest = {0};
    outputs o = {0};
    TRY(tree_of(s, estimator, in->columns, &forest));
    return predict_classes(s, estimator, in, &forest, &o, out);
}

wlk_status sk_predict_forest_classes(sk *s, const py_value *estimator, const sk_table *in,
                                     sk_prediction *out) {
    sk_forest forest = {0};
    outputs o = {.share = true};
    uint32_t version = 0;
    TRY(sk_version(s, estimator, &version));
    o.are_shares = version >= 1004;
    TRY(forest_of(s, estimator, in->columns, &forest));
    return predict_classes(s, estimator, in, &forest, &o, out);
}

/* ---- numbers */

static void give_values(const tree_leaf *leaf, const void *how, double *out) {
    const uint32_t *targets = how;
    for (uint32_t i = 0; i < *targets; i++) out[i] = sk_tree_value(leaf->tree, leaf->node, i);
}

static wlk_status predict_values(sk *s, const py_value *estimator, const sk_table *in,
                                 sk_forest *forest, sk_prediction *out) {
    const sk_tree *tree = &forest->trees[0];
    if (tree->classes != 1) {
        return sk_refuse(s, RULE_SKLEARN_SHAPE, estimator, "its trees give classes, not numbers");
    }
    forest->targets = tree->outputs;
    forest->give = give_values;
    forest->how = &forest->targets;
    out->targets = tree->outputs;
    out->flat = tree->outputs == 1;
    return run(s, forest, in, &out->values);
}

wlk_status sk_predict_tree_values(sk *s, const py_value *estimator, const sk_table *in,
                                  sk_prediction *out) {
    sk_forest forest = {0};
    TRY(tree_of(s, estimator, in->columns, &forest));
    return predict_values(s, estimator, in, &forest, out);
}

wlk_status sk_predict_forest_values(sk *s, const py_value *estimator, const sk_table *in,
                                    sk_prediction *out) {
    sk_forest forest = {0};
    TRY(forest_of(s, estimator, in->columns, &forest));
    return predict_values(s, estimator, in, &forest, out);
}

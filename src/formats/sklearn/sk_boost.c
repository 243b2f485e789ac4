/* Gradient boosting: a first guess and trees that correct it, one list of trees a class. */
#include "formats/sklearn/sk_forest.h"

typedef struct boosting {
    const py_value *estimator;
    const sk_table *in;
    uint32_t version;
    uint32_t columns; /* of raw predictions: 1, or one for each of three or more classes */
    uint32_t classes;
    bool exponential;
    sk_name x; /* f32 */
} boosting;

/* ---- trees */

static void give_scaled(const tree_leaf *leaf, const void *how, double *out) {
    const double *rate = how;
    out[0] = *rate * sk_tree_value(leaf->tree, leaf->node, 0);
}

/* The trees of one column: every columns-th of the list. */
static wlk_status column_trees(sk *s, const boosting *b, py_value *const *list, uint32_t count,
                               uint32_t column, sk_name *y) {
    double rate = 0;
    sk_tree *trees = NULL;
    py_value **own = sk_take(s, count, sizeof(py_value *));
    if (!own) return sk_no_memory(s);
    for (uint32_t i = 0; i < count; i++) own[i] = list[(uint64_t)i * b->columns + column];
    TRY(sk_number(s, b->estimator, "learning_rate", &rate));
    TRY(sk_trees_of(s, own, count, b->in->columns, &trees));
    if (trees[0].stride != 1) {
        return sk_refuse(s, RULE_SKLEARN_SHAPE, b->estimator, "its trees give more than a number");
    }
    const sk_forest forest = {.trees = trees,
                              .count = count,
                              .columns = b->in->columns,
                              .single = true,
                              .targets = 1,
                              .give = give_scaled,
                              .how = &rate};
    return sk_forest_node(s, &forest, b->x, y);
}

/* [batch, columns]: what all trees give. */
static wlk_status all_trees(sk *s, const boosting *b, sk_name *out) {
    const py_value *value = NULL;
    py_value *const *list = NULL;
    uint32_t count = 0;
    TRY(sk_need(s, b->estimator, "estimators_", &value));
    TRY(sk_list_of(s, value, "estimators_", &list, &count));
    const py_array *array = value->kind == PY_ARRAY ? value->array : NULL;
    if (!array || array->rank != 2 || array->shape[1] != b->columns || count == 0) {
        return sk_refuse(s, RULE_SKLEARN_SHAPE, value, "'estimators_' is no table of %u columns",
                         b->columns);
    }
    sk_name *parts = sk_take(s, b->columns, sizeof *parts);
    if (!parts) return sk_no_memory(s);
    for (uint32_t i = 0; i < b->columns; i++) {
        TRY(column_trees(s, b, list, count / b->columns, i, &parts[i]));
    }
    return sk_concat(s, parts, b->columns, out);
}

/* ---- the first guess */

/* The estimator of the first guess looks at the rows as f32, too. */
static wlk_status guess(sk *s, const boosting *b, const py_value *init, sk_prediction *out) {
    sk_name x = NULL;
    sk_table table = {0};
    TRY(sk_cast(s, b->x, WLK_F64, &x));
    TRY(sk_table_of(s, x, WLK_F64, b->in->columns, &table));
    TRY(sk_enter(s, init, "init_"));
    TRY(sk_apply_predict(s, init, &table, out));
    sk_leave(s);
    return WLK_OK;
}

/* Up to version 1.3 what trees give of three or more classes is added to a first guess whose
 * columns lie one behind the other as if its rows did: predictions then depend on the other rows.
 * These have their rows one behind the other. */
static wlk_status check_order(sk *s, const boosting *b, const py_value *init) {
    static const char *const by_rows[] = {
        "DummyClassifier",      "DecisionTreeClassifier",     "ExtraTreeClassifier",
        "ExtraTreesClassifier", "LinearDiscriminantAnalysis", "LogisticRegression",
        "MLPClassifier",        "RandomForestClassifier"};
    if (b->version >= 1004 || b->classes == 2) return WLK_OK;
    for (size_t i = 0; i < sizeof by_rows / sizeof *by_rows; i++) {
        if (py_is_object(init, by_rows[i])) return WLK_OK;
    }
    return sk_refuse(s, RULE_SKLEARN_OPTION, init,
                     "option init is a %.64s, of %u classes, before version 1.4", sk_class(init),
                     b->classes);
}

/* Probabilities, [1, classes] or [batch, classes]. */
static wlk_status guess_classes(sk *s, const boosting *b, const py_value *init, sk_name *out) {
    const py_value *strategy = sk_have(init, "strategy");
    if (py_is_object(init, "DummyClassifier") && py_is_text(strategy, "prior")) {
        sk_array prior = {0};
        TRY(sk_vector(s, init, "class_prior_", b->classes, &prior));
        return sk_f64_matrix(s, prior.data, 1, b->classes, out);
    }
    sk_prediction prediction = {0};
    TRY(check_order(s, b, init));
    TRY(guess(s, b, init, &prediction));
    *out = prediction.probabilities;
    if (*out && prediction.classes.count == b->classes) return WLK_OK;
    return sk_refuse(s, RULE_SKLEARN_VALUE, init,
                     "the estimator of the first guess gives no probabilities of %u classes",
                     b->classes);
}

static wlk_status clip(sk *s, const boosting *b, sk_name x, sk_name *out) {
    const double smallest = b->version >= 1008 ? 0x1p-52 : 0x1p-23;
    sk_name inputs[3] = {x, NULL, NULL};
    TRY(sk_f64(s, smallest, &inputs[1]));
    TRY(sk_f64(s, 1 - smallest, &inputs[2]));
    return sk_node(s, "Clip", inputs, 3, out, 1);
}

/* log(p / (1 - p)) of the second of two classes; half of it for the exponential loss. */
static wlk_status log_odds(sk *s, const boosting *b, sk_name p, sk_name *out) {
    const uint32_t second = 1;
    sk_name one = NULL, half = NULL, rest = NULL, odds = NULL;
    TRY(sk_gather(s, p, &second, 1, &p));
    TRY(clip(s, b, p, &p));
    TRY(sk_f64(s, 1, &one));
    TRY(sk_binary(s, "Sub", one, p, &rest));
    TRY(sk_binary(s, "Div", p, rest, &odds));
    TRY(sk_unary(s, "Log", odds, out));
    if (!b->exponential) return WLK_OK;
    TRY(sk_f64(s, 0.5, &half));
    return sk_binary(s, "Mul", half, *out, out);
}

/* log(p); from version 1.4 on without its mean. */
static wlk_status log_classes(sk *s, const boosting *b, sk_name p, sk_name *out) {
    sk_name mean = NULL;
    TRY(clip(s, b, p, &p));
    TRY(sk_unary(s, "Log", p, out));
    if (b->version < 1004) return WLK_OK;
    TRY(sk_reduce(s, "ReduceMean", *out, &mean));
    return sk_binary(s, "Sub", *out, mean, out);
}

static wlk_status guess_value(sk *s, const boosting *b, const py_value *init, sk_name *out) {
    if (py_is_object(init, "DummyRegressor")) {
        double constant = 0;
        TRY(sk_scalar(s, init, "constant_", &constant));
        return sk_f64_matrix(s, &constant, 1, 1, out);
    }
    sk_prediction prediction = {0};
    TRY(guess(s, b, init, &prediction));
    *out = prediction.values;
    if (*out && prediction.targets == 1) return WLK_OK;
    return sk_refuse(s, RULE_SKLEARN_VALUE, init, "the first guess is not one number");
}

/* Adds the first guess to what the trees give. */
static wlk_status add_guess(sk *s, const boosting *b, sk_name trees, sk_name *raw) {
    const py_value *init = NULL;
    sk_name first = NULL;
    *raw = trees;
    TRY(sk_need(s, b->estimator, "init_", &init));
    if (py_is_text(init, "zero")) return WLK_OK;
    if (b->classes == 0) TRY(guess_value(s, b, init, &first));
    if (b->classes > 0) TRY(guess_classes(s, b, init, &first));
    if (b->classes == 2) TRY(log_odds(s, b, first, &first));
    if (b->classes > 2) TRY(log_classes(s, b, first, &first));
    return sk_binary(s, "Add", first, trees, raw);
}

static wlk_status raw_prediction(sk *s, boosting *b, sk_name *raw) {
    sk_name trees = NULL;
    TRY(sk_version(s, b->estimator, &b->version));
    TRY(sk_table_singles(s, b->in, &b->x));
    TRY(all_trees(s, b, &trees));
    return add_guess(s, b, trees, raw);
}

/* ---- predictions */

const py_value *sk_fitted_loss(const py_value *estimator) {
    const py_value *loss = sk_have(estimator, "_loss");
    if (!loss) loss = sk_have(estimator, "loss_");
    return loss && loss->kind == PY_OBJECT ? loss : NULL;
}

static wlk_status probabilities(sk *s, const boosting *b, sk_name raw, sk_name *out) {
    sk_name two = NULL, p = NULL;
    if (b->columns > 1) return sk_softmax(s, raw, out);
    if (b->exponential) {
        TRY(sk_f64(s, 2, &two));
        TRY(sk_binary(s, "Mul", two, raw, &raw));
    }
    TRY(sk_unary(s, "Sigmoid", raw, &p));
    return sk_two_columns(s, p, out);
}

/* Of two classes the second where raw is 0 or more; up to version 1.3, where its probability
 * is the larger one, unless the loss is exponential. */
static wlk_status choose(sk *s, const boosting *b, sk_name raw, sk_prediction *out) {
    sk_name zero = NULL, is_second = NULL;
    if (b->version < 1004 && !b->exponential) {
        return sk_argmax(s, out->probabilities, &out->index);
    }
    if (b->columns > 1) return sk_argmax(s, raw, &out->index);
    TRY(sk_f64(s, 0, &zero));
    TRY(sk_binary(s, "GreaterOrEqual", raw, zero, &is_second));
    TRY(sk_cast(s, is_second, WLK_I64, &is_second));
    return sk_reshape(s, is_second, 0, &out->index);
}

wlk_status sk_predict_boosted_classes(sk *s, const py_value *estimator, const sk_table *in,
                                      sk_prediction *out) {
    static const char *const losses[] = {"log_loss", "deviance", "exponential", NULL};
    boosting b = {.estimator = estimator, .in = in};
    const py_value *classes = NULL;
    uint32_t loss = 0;
    TRY(sk_choice(s, estimator, "loss", "log_loss", losses, &loss));
    TRY(sk_need(s, estimator, "classes_", &classes));
    TRY(sk_labels_of(s, classes, "classes_", false, &out->classes));
    const py_value *fitted = sk_fitted_loss(estimator);
    b.exponential = fitted ? py_is_object(fitted, "ExponentialLoss") : loss == 2;
    b.classes = out->classes.count;
    b.columns = b.classes == 2 ? 1 : b.classes;
    if (b.classes < 2 || (b.exponential && b.classes > 2)) {
        return sk_refuse(s, RULE_SKLEARN_VALUE, classes, "%u classes", b.classes);
    }
    TRY(raw_prediction(s, &b, &out->scores));
    out->score_columns = b.columns;
    TRY(probabilities(s, &b, out->scores, &out->probabilities));
    return choose(s, &b, out->scores, out);
}

wlk_status sk_predict_boosted_values(sk *s, const py_value *estimator, const sk_table *in,
                                     sk_prediction *out) {
    static const char *const losses[] = {"squared_error", "ls", "absolute_error", "lad", "huber",
                                         "quantile",      NULL};
    boosting b = {.estimator = estimator, .in = in, .columns = 1};
    uint32_t loss = 0;
    TRY(sk_choice(s, estimator, "loss", "squared_error", losses, &loss));
    out->targets = 1;
    out->flat = true;
    return raw_prediction(s, &b, &out->values);
}

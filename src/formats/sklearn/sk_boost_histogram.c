/* Histogram gradient boosting: trees over float64, with missing values and sets of categories. */
#include "formats/sklearn/sk_forest.h"

#define CATEGORIES_MAX 256 /* they are bytes */

typedef struct histogram {
    const py_value *estimator;
    uint32_t version;
    uint32_t columns; /* of raw predictions */
    uint32_t features;
    uint32_t iterations;
    sk_tree *trees; /* columns lists of iterations each */
    bool has_sets;
    sk_name x;
} histogram;

/* ---- categories */

static wlk_status set_known(sk *s, const py_value *values, uint32_t (*known)[8]) {
    sk_array list = {0};
    TRY(sk_reals_of(s, values, "the categories of training", &list));
    for (uint64_t i = 0; i < list.count; i++) {
        const double category = list.data[i];
        if (!(category >= 0 && category < CATEGORIES_MAX)) {
            return sk_refuse(s, RULE_SKLEARN_VALUE, values, "the category %g is out of range",
                             category);
        }
        const uint32_t bit = (uint32_t)category;
        (*known)[bit / 32] |= 1u << bit % 32;
    }
    return WLK_OK;
}

/* A mask of bytes, which would be taken for numbers of columns. */
static wlk_status read_mask(sk *s, const histogram *h, const py_value *mapper, sk_indices *out) {
    sk_array mask = {0};
    TRY(sk_vector(s, mapper, "is_categorical_", h->features, &mask));
    uint32_t *list = sk_take(s, h->features, sizeof *list);
    if (!list) return sk_no_memory(s);
    *out = (sk_indices){.list = list};
    for (uint32_t i = 0; i < h->features; i++) {
        if (mask.data[i] != 0) list[out->count++] = i;
    }
    return WLK_OK;
}

/* Which categories each feature had in training. *is_set: which features have any. */
static wlk_status read_known(sk *s, const histogram *h, sk_indices *is_set, uint32_t (**known)[8]) {
    const py_value *mapper = NULL, *thresholds = NULL;
    py_value *const *lists = NULL;
    uint32_t count = 0;
    TRY(sk_need(s, h->estimator, "_bin_mapper", &mapper));
    TRY(sk_need(s, mapper, "bin_thresholds_", &thresholds));
    TRY(read_mask(s, h, mapper, is_set));
    TRY(sk_list_of(s, thresholds, "bin_thresholds_", &lists, &count));
    if (count != h->features) {
        return sk_refuse(s, RULE_SKLEARN_SHAPE, thresholds, "categories of %u features, not of %u",
                         count, h->features);
    }
    *known = sk_take(s, h->features, sizeof **known);
    if (!*known) return sk_no_memory(s);
    for (uint32_t i = 0; i < is_set->count; i++) {
        const uint32_t feature = is_set->list[i];
        TRY(set_known(s, lists[feature], &(*known)[feature]));
    }
    return WLK_OK;
}

static wlk_status modulo(sk *s, sk_name x, sk_name *out) {
    sk_name limit = NULL;
    TRY(sk_f64(s, CATEGORIES_MAX, &limit));
    TRY(sk_binary(s, "Mod", x, limit, out));
    return sk_attribute_int(s, "fmod", 1); /* of x's sign */
}

/* From version 1.2 on a negative category is a missing value. */
static wlk_status without_negative(sk *s, sk_name x, sk_name low, sk_name *out) {
    sk_name zero = NULL, negative = NULL, nan = NULL;
    TRY(sk_f64(s, 0, &zero));
    TRY(sk_f64(s, __builtin_nan(""), &nan));
    TRY(sk_binary(s, "Less", x, zero, &negative));
    const sk_name inputs[3] = {negative, nan, low};
    return sk_node(s, "Where", inputs, 3, out, 1);
}

/* Before, -255 was 1: the low byte of the whole part, in two's complement. */
static wlk_status wrap_negative(sk *s, sk_name low, sk_name *out) {
    sk_name zero = NULL, limit = NULL, negative = NULL, whole = NULL;
    TRY(sk_f64(s, 0, &zero));
    TRY(sk_f64(s, CATEGORIES_MAX, &limit));
    TRY(sk_binary(s, "Less", low, zero, &negative));
    TRY(sk_unary(s, "Ceil", low, &whole));
    TRY(sk_binary(s, "Add", whole, limit, &whole));
    TRY(modulo(s, whole, &whole));
    const sk_name inputs[3] = {negative, whole, low};
    return sk_node(s, "Where", inputs, 3, out, 1);
}

/* Where nothing has encoded the categories, the rows hold them as they are, and of a number
 * above 255 the low byte counts. */
static wlk_status as_bytes(sk *s, const histogram *h, const sk_indices *is_set, sk_name *x) {
    const uint64_t shape[2] = {1, h->features};
    sk_name mask = NULL, low = NULL, bytes = NULL;
    uint8_t *chosen = sk_take(s, h->features, 1);
    if (!chosen) return sk_no_memory(s);
    for (uint32_t i = 0; i < is_set->count; i++) chosen[is_set->list[i]] = 1;
    TRY(sk_constant(s, WLK_BOOL, 2, shape, chosen, &mask));
    TRY(modulo(s, *x, &low));
    if (h->version < 1002) TRY(wrap_negative(s, low, &bytes));
    if (h->version >= 1002) TRY(without_negative(s, *x, low, &bytes));
    const sk_name inputs[3] = {mask, bytes, *x};
    return sk_node(s, "Where", inputs, 3, x, 1);
}

static wlk_status use_sets(sk *s, histogram *h, bool encoded) {
    sk_indices is_set = {0};
    uint32_t(*known)[8] = NULL;
    TRY(read_known(s, h, &is_set, &known));
    const uint64_t count = (uint64_t)h->iterations * h->columns;
    for (uint64_t i = 0; i < count; i++) h->trees[i].known = known;
    return encoded ? WLK_OK : as_bytes(s, h, &is_set, &h->x);
}

/* ---- the encoder of categories, from version 1.4 on */

static wlk_status refuse_preprocessor(sk *s, const py_value *at) {
    return sk_refuse(s, RULE_SKLEARN_STATE, at, "'_preprocessor' has no encoder of categories");
}

/* The encoder of a ColumnTransformer's (name, transformer, columns). */
static wlk_status find_encoder(sk *s, const py_value *preprocessor, const py_value **encoder) {
    const py_value *value = NULL;
    py_value *const *list = NULL;
    uint32_t count = 0;
    TRY(sk_need(s, preprocessor, "transformers_", &value));
    TRY(sk_list_of(s, value, "transformers_", &list, &count));
    for (uint32_t i = 0; i < count; i++) {
        const bool is_triple = list[i]->kind == PY_TUPLE && list[i]->items.count == 3;
        if (!is_triple || !py_is_text(list[i]->items.list[0], "encoder")) continue;
        *encoder = list[i]->items.list[1];
        return WLK_OK;
    }
    return refuse_preprocessor(s, preprocessor);
}

/* Categories come first, then what is a number. */
static wlk_status split_columns(sk *s, const sk_indices *is_set, uint32_t columns, uint32_t **out) {
    uint32_t *order = sk_take(s, columns, sizeof *order);
    uint8_t *chosen = sk_take(s, columns, 1);
    if (!order || !chosen) return sk_no_memory(s);
    uint32_t at = is_set->count;
    for (uint32_t i = 0; i < is_set->count; i++) {
        order[i] = is_set->list[i];
        chosen[order[i]] = 1;
    }
    for (uint32_t i = 0; i < columns; i++) {
        if (!chosen[i]) order[at++] = i;
    }
    *out = order;
    return WLK_OK;
}

static wlk_status encode(sk *s, const py_value *estimator, const py_value *preprocessor,
                         const sk_table *in, sk_table *out) {
    const py_value *mask = NULL, *encoder = NULL;
    sk_indices is_set = {0};
    uint32_t *order = NULL;
    sk_table parts[2] = {0};
    TRY(sk_need(s, estimator, "is_categorical_", &mask));
    TRY(sk_indices_of(s, mask, "is_categorical_", in->columns, &is_set));
    TRY(find_encoder(s, preprocessor, &encoder));
    TRY(split_columns(s, &is_set, in->columns, &order));
    if (is_set.count == 0) return refuse_preprocessor(s, mask);
    const uint32_t numbers = in->columns - is_set.count;
    TRY(sk_table_pick(s, in, order, is_set.count, &parts[0]));
    if (numbers > 0) TRY(sk_table_pick(s, in, order + is_set.count, numbers, &parts[1]));
    TRY(sk_enter(s, encoder, "encoder of categories"));
    TRY(sk_apply_transform(s, encoder, &parts[0], &parts[0]));
    sk_leave(s);
    if (parts[0].columns != is_set.count) return refuse_preprocessor(s, encoder);
    return sk_table_join(s, parts, numbers > 0 ? 2 : 1, out);
}

/* ---- trees */

static wlk_status read_iteration(sk *s, histogram *h, uint32_t i, const py_value *value) {
    py_value *const *predictors = NULL;
    uint32_t count = 0;
    TRY(sk_list_of(s, value, "_predictors", &predictors, &count));
    if (count != h->columns) {
        return sk_refuse(s, RULE_SKLEARN_SHAPE, value, "an iteration has %u trees, not %u", count,
                         h->columns);
    }
    for (uint32_t k = 0; k < count; k++) {
        sk_tree *tree = &h->trees[(uint64_t)k * h->iterations + i];
        TRY(sk_tree_read_histogram(s, predictors[k], h->features, tree));
        h->has_sets |= tree->set_count > 0;
    }
    return WLK_OK;
}

static wlk_status read_trees(sk *s, histogram *h) {
    const py_value *value = NULL;
    py_value *const *iterations = NULL;
    TRY(sk_need(s, h->estimator, "_predictors", &value));
    TRY(sk_list_of(s, value, "_predictors", &iterations, &h->iterations));
    if (h->iterations == 0) return sk_refuse(s, RULE_SKLEARN_STATE, value, "it has no trees");
    h->trees = sk_take(s, (uint64_t)h->iterations * h->columns, sizeof *h->trees);
    if (!h->trees) return sk_no_memory(s);
    for (uint32_t i = 0; i < h->iterations; i++) TRY(read_iteration(s, h, i, iterations[i]));
    return WLK_OK;
}

static void give_value(const tree_leaf *leaf, const void *how, double *out) {
    (void)how;
    const sk_tree *tree = leaf->tree;
    out[0] = sk_tree_real(&tree->value, tree->nodes + (uint64_t)leaf->node * tree->node_bytes);
}

/* [batch, columns]: the baseline and what all trees give. */
static wlk_status sum_trees(sk *s, const histogram *h, sk_name *raw) {
    sk_array baseline = {0};
    TRY(sk_reals(s, h->estimator, "_baseline_prediction", &baseline));
    TRY(sk_finite(s, &baseline, "_baseline_prediction"));
    if (baseline.count != h->columns) {
        return sk_refuse(s, RULE_SKLEARN_SHAPE, baseline.at, "%llu baselines, but %u trees each",
                         (unsigned long long)baseline.count, h->columns);
    }
    sk_name *parts = sk_take(s, h->columns, sizeof *parts);
    if (!parts) return sk_no_memory(s);
    for (uint32_t i = 0; i < h->columns; i++) {
        const sk_forest forest = {.trees = h->trees + (uint64_t)i * h->iterations,
                                  .count = h->iterations,
                                  .columns = h->features,
                                  .targets = 1,
                                  .give = give_value,
                                  .base = baseline.data + i};
        TRY(sk_forest_node(s, &forest, h->x, &parts[i]));
    }
    return sk_concat(s, parts, h->columns, raw);
}

static wlk_status raw_prediction(sk *s, histogram *h, const sk_table *in, sk_name *raw) {
    const py_value *preprocessor = sk_have(h->estimator, "_preprocessor");
    sk_table table = *in;
    TRY(sk_version(s, h->estimator, &h->version));
    h->features = in->columns;
    TRY(read_trees(s, h));
    if (preprocessor) TRY(encode(s, h->estimator, preprocessor, in, &table));
    TRY(sk_table_numbers(s, &table, &h->x));
    if (h->has_sets) TRY(use_sets(s, h, preprocessor != NULL));
    return sum_trees(s, h, raw);
}

/* ---- predictions */

wlk_status sk_predict_histogram_classes(sk *s, const py_value *estimator, const sk_table *in,
                                        sk_prediction *out) {
    static const char *const losses[] = {"log_loss", "auto", "binary_crossentropy",
                                         "categorical_crossentropy", NULL};
    histogram h = {.estimator = estimator};
    const py_value *classes = NULL;
    uint32_t loss = 0;
    sk_name p = NULL;
    TRY(sk_choice(s, estimator, "loss", "log_loss", losses, &loss));
    TRY(sk_need(s, estimator, "classes_", &classes));
    TRY(sk_labels_of(s, classes, "classes_", false, &out->classes));
    if (out->classes.count < 2) {
        return sk_refuse(s, RULE_SKLEARN_VALUE, classes, "%u classes", out->classes.count);
    }
    h.columns = out->classes.count == 2 ? 1 : out->classes.count;
    TRY(raw_prediction(s, &h, in, &out->scores));
    out->score_columns = h.columns;
    if (h.columns > 1) {
        TRY(sk_softmax(s, out->scores, &out->probabilities));
    } else {
        TRY(sk_unary(s, "Sigmoid", out->scores, &p));
        TRY(sk_two_columns(s, p, &out->probabilities));
    }
    if (h.version < 1005) return sk_argmax(s, out->probabilities, &out->index);
    return sk_decide(s, out->scores, h.columns, &out->index);
}

/* Is the link of the loss that it was fitted with the logarithm? */
static bool has_log_link(const py_value *fitted) {
    return py_is_object(fitted, "HalfPoissonLoss") || py_is_object(fitted, "HalfGammaLoss") ||
           py_is_object(fitted, "Poisson");
}

wlk_status sk_predict_histogram_values(sk *s, const py_value *estimator, const sk_table *in,
                                       sk_prediction *out) {
    static const char *const losses[] = {
        "poisson",  "gamma", /* whose link is the logarithm */
        "quantile", "squared_error", "least_squares", "absolute_error", "least_absolute_deviation",
        NULL};
    histogram h = {.estimator = estimator, .columns = 1};
    uint32_t loss = 0;
    TRY(sk_choice(s, estimator, "loss", "squared_error", losses, &loss));
    TRY(raw_prediction(s, &h, in, &out->values));
    out->targets = 1;
    out->flat = true;
    const py_value *fitted = sk_fitted_loss(estimator);
    const bool is_log = fitted ? has_log_link(fitted) : loss < 2;
    return is_log ? sk_unary(s, "Exp", out->values, &out->values) : WLK_OK;
}

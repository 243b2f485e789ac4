/* Pipelines, unions, searches, and what predicts several targets. */
#include "formats/sklearn/sk_compose.h"

/* ---- lists of parts */

static bool is_part(const py_value *value, uint32_t length) {
    if (value->kind != PY_TUPLE && value->kind != PY_LIST) return false;
    return value->items.count == length && value->items.list[0]->kind == PY_STR;
}

wlk_status sk_parts_of(sk *s, const py_value *estimator, const char *key, uint32_t length,
                       sk_part **parts, uint32_t *count) {
    const py_value *list = NULL;
    py_value *const *items = NULL;
    TRY(sk_need(s, estimator, key, &list));
    TRY(sk_list_of(s, list, key, &items, count));
    *parts = sk_take(s, *count, sizeof **parts);
    if (!*parts) return sk_no_memory(s);
    for (uint32_t i = 0; i < *count; i++) {
        if (!is_part(items[i], length)) {
            return sk_refuse(s, RULE_SKLEARN_STATE, items[i],
                             "element %u of '%s' is not a tuple of %u with a name in front", i, key,
                             length);
        }
        py_value *const *fields = items[i]->items.list;
        (*parts)[i] = (sk_part){fields[0], fields[1], length > 2 ? fields[2] : NULL};
    }
    return WLK_OK;
}

bool sk_part_is(const sk_part *part, const char *word) {
    return py_is_text(part->estimator, word);
}

/* ---- Pipeline */

static bool passes(const sk_part *part) {
    return part->estimator->kind == PY_NONE || sk_part_is(part, "passthrough");
}

static wlk_status enter_step(sk *s, const sk_part *part) {
    return sk_enter(s, part->estimator, "pipeline step %s", sk_quote(s, part->name));
}

static wlk_status run_steps(sk *s, const sk_part *parts, uint32_t count, const sk_table *in,
                            sk_table *out) {
    *out = *in;
    for (uint32_t i = 0; i < count; i++) {
        const sk_table before = *out;
        if (passes(&parts[i])) continue;
        TRY(enter_step(s, &parts[i]));
        TRY(sk_apply_transform(s, parts[i].estimator, &before, out));
        sk_leave(s);
    }
    return WLK_OK;
}

static wlk_status open_pipeline(sk *s, const py_value *estimator, sk_part **parts,
                                uint32_t *count) {
    const py_value *input = sk_have(estimator, "transform_input");
    if (input) {
        return sk_refuse(s, RULE_SKLEARN_OPTION, input, "option transform_input is %s, not None",
                         sk_quote(s, input));
    }
    TRY(sk_parts_of(s, estimator, "steps", 2, parts, count));
    if (*count > 0) return WLK_OK;
    return sk_refuse(s, RULE_SKLEARN_STATE, estimator, "it has no steps");
}

static wlk_status pipeline_transform(sk *s, const py_value *estimator, const sk_table *in,
                                     sk_table *out) {
    sk_part *parts = NULL;
    uint32_t count = 0;
    TRY(open_pipeline(s, estimator, &parts, &count));
    return run_steps(s, parts, count, in, out);
}

static wlk_status pipeline_predict(sk *s, const py_value *estimator, const sk_table *in,
                                   sk_prediction *out) {
    sk_part *parts = NULL;
    uint32_t count = 0;
    sk_table table;
    TRY(open_pipeline(s, estimator, &parts, &count));
    TRY(run_steps(s, parts, count - 1, in, &table));
    const sk_part *last = &parts[count - 1];
    if (passes(last)) {
        return sk_refuse(s, RULE_SKLEARN_METHOD, last->estimator, "its last step has no predict");
    }
    TRY(enter_step(s, last));
    TRY(sk_apply_predict(s, last->estimator, &table, out));
    sk_leave(s);
    return WLK_OK;
}

/* ---- what is one other estimator: searches, and one that was frozen */

static wlk_status best_of(sk *s, const py_value *estimator, const py_value **best) {
    if (py_is_object(estimator, "FrozenEstimator")) return sk_need(s, estimator, "estimator", best);
    return sk_need(s, estimator, "best_estimator_", best);
}

static wlk_status best_transform(sk *s, const py_value *estimator, const sk_table *in,
                                 sk_table *out) {
    const py_value *best = NULL;
    TRY(best_of(s, estimator, &best));
    return sk_apply_transform(s, best, in, out);
}

static wlk_status best_predict(sk *s, const py_value *estimator, const sk_table *in,
                               sk_prediction *out) {
    const py_value *best = NULL;
    TRY(best_of(s, estimator, &best));
    return sk_apply_predict(s, best, in, out);
}

/* ---- rows */

#define TRAINING(name) \
    { name, SK_OPTION_TRAINING }
#define READ(name) \
    { name, SK_OPTION_READ }
#define COUNT(list) (sizeof(list) / sizeof *(list))

static const sk_option pipeline_options[] = {READ("steps"), READ("transform_input"),
                                             TRAINING("memory"), TRAINING("verbose")};

static const sk_option union_options[] = {READ("transformer_list"), READ("transformer_weights"),
                                          TRAINING("n_jobs"), TRAINING("verbose"),
                                          TRAINING("verbose_feature_names_out")};

/* `transformers` and `remainder` were fitted: they are in transformers_. */
static const sk_option columns_options[] = {TRAINING("transformers"),
                                            TRAINING("remainder"),
                                            TRAINING("sparse_threshold"),
                                            TRAINING("n_jobs"),
                                            READ("transformer_weights"),
                                            TRAINING("verbose"),
                                            TRAINING("verbose_feature_names_out"),
                                            TRAINING("force_int_remainder_cols")};

static const sk_option search_options[] = {TRAINING("estimator"),
                                           TRAINING("param_grid"),
                                           TRAINING("param_distributions"),
                                           TRAINING("n_iter"),
                                           TRAINING("n_candidates"),
                                           TRAINING("factor"),
                                           TRAINING("resource"),
                                           TRAINING("max_resources"),
                                           TRAINING("min_resources"),
                                           TRAINING("aggressive_elimination"),
                                           TRAINING("scoring"),
                                           TRAINING("n_jobs"),
                                           TRAINING("refit"),
                                           TRAINING("cv"),
                                           TRAINING("verbose"),
                                           TRAINING("pre_dispatch"),
                                           TRAINING("random_state"),
                                           TRAINING("error_score"),
                                           TRAINING("return_train_score"),
                                           TRAINING("iid")};

static const sk_option frozen_options[] = {READ("estimator")};

static const sk_option target_options[] = {TRAINING("regressor"), TRAINING("transformer"),
                                           TRAINING("func"), TRAINING("inverse_func"),
                                           TRAINING("check_inverse")};

static const sk_option several_options[] = {TRAINING("estimator"), TRAINING("n_jobs"),
                                            TRAINING("verbose")};

static const sk_option chain_options[] = {TRAINING("estimator"),    TRAINING("base_estimator"),
                                          TRAINING("order"),        TRAINING("cv"),
                                          TRAINING("random_state"), TRAINING("verbose")};

#define ROW(class, roles, options, transform, predict) \
    { class, roles, options, COUNT(options), transform, predict }
#define SEARCH(class) ROW(class, SK_META, search_options, best_transform, best_predict)

static const sk_row rows[] = {
    ROW("Pipeline", SK_META, pipeline_options, pipeline_transform, pipeline_predict),
    ROW("FeatureUnion", SK_TRANSFORMER | SK_META, union_options, sk_feature_union, NULL),
    ROW("ColumnTransformer", SK_TRANSFORMER | SK_META, columns_options, sk_column_transformer,
        NULL),
    SEARCH("GridSearchCV"),
    SEARCH("RandomizedSearchCV"),
    SEARCH("HalvingGridSearchCV"),
    SEARCH("HalvingRandomSearchCV"),
    ROW("FrozenEstimator", SK_META, frozen_options, best_transform, best_predict),
    ROW("TransformedTargetRegressor", SK_REGRESSOR, target_options, NULL, sk_transformed_target),
    ROW("MultiOutputClassifier", SK_CLASSIFIER, several_options, NULL, sk_multi_output_classifier),
    ROW("MultiOutputRegressor", SK_REGRESSOR, several_options, NULL, sk_multi_output_regressor),
    ROW("RegressorChain", SK_REGRESSOR, chain_options, NULL, sk_regressor_chain),
    ROW("OneVsRestClassifier", SK_CLASSIFIER, several_options, NULL, sk_one_vs_rest),
};

const sk_family sk_family_compose = {rows, COUNT(rows)};

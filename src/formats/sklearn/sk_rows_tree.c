/* Trees, forests and boosting: which classes, and which options they have. */
#include "formats/sklearn/sk_forest.h"

#define TRAINING(name) \
    { name, SK_OPTION_TRAINING }
#define READ(name) \
    { name, SK_OPTION_READ }
#define COUNT(list) (sizeof(list) / sizeof *(list))

/* How a tree is grown. */
#define GROWTH                                                                                   \
    TRAINING("criterion"), TRAINING("max_depth"), TRAINING("min_samples_split"),                 \
        TRAINING("min_samples_leaf"), TRAINING("min_weight_fraction_leaf"),                      \
        TRAINING("max_features"), TRAINING("max_leaf_nodes"), TRAINING("min_impurity_decrease"), \
        TRAINING("min_impurity_split"), TRAINING("random_state"), TRAINING("ccp_alpha")

static const sk_option tree_options[] = {GROWTH, TRAINING("splitter"), TRAINING("class_weight"),
                                         TRAINING("monotonic_cst"), TRAINING("presort")};

static const sk_option forest_options[] = {GROWTH,
                                           TRAINING("base_estimator"),
                                           TRAINING("estimator"),
                                           TRAINING("estimator_params"),
                                           TRAINING("n_estimators"),
                                           TRAINING("bootstrap"),
                                           TRAINING("oob_score"),
                                           TRAINING("n_jobs"),
                                           TRAINING("verbose"),
                                           TRAINING("warm_start"),
                                           TRAINING("class_weight"),
                                           TRAINING("max_samples"),
                                           TRAINING("monotonic_cst")};

static const sk_option boosting_options[] = {GROWTH,
                                             READ("loss"),
                                             READ("learning_rate"),
                                             TRAINING("init"), /* init_ is what became of it */
                                             TRAINING("n_estimators"),
                                             TRAINING("subsample"),
                                             TRAINING("alpha"),
                                             TRAINING("verbose"),
                                             TRAINING("warm_start"),
                                             TRAINING("presort"),
                                             TRAINING("validation_fraction"),
                                             TRAINING("n_iter_no_change"),
                                             TRAINING("tol")};

static const sk_option histogram_options[] = {
    READ("loss"), TRAINING("quantile"), TRAINING("learning_rate"), /* leaves hold it */
    TRAINING("max_iter"), TRAINING("max_leaf_nodes"), TRAINING("max_depth"),
    TRAINING("min_samples_leaf"), TRAINING("l2_regularization"), TRAINING("max_features"),
    TRAINING("max_bins"),
    /* is_categorical_ is what became of it */
    TRAINING("categorical_features"), TRAINING("monotonic_cst"), TRAINING("interaction_cst"),
    TRAINING("warm_start"), TRAINING("early_stopping"), TRAINING("scoring"),
    TRAINING("validation_fraction"), TRAINING("n_iter_no_change"), TRAINING("tol"),
    TRAINING("verbose"), TRAINING("random_state"), TRAINING("class_weight")};

#define ROW(class, role, options, predict) \
    { class, role, options, COUNT(options), NULL, predict }

static const sk_row rows[] = {
    ROW("DecisionTreeClassifier", SK_CLASSIFIER, tree_options, sk_predict_tree_classes),
    ROW("DecisionTreeRegressor", SK_REGRESSOR, tree_options, sk_predict_tree_values),
    ROW("ExtraTreeClassifier", SK_CLASSIFIER, tree_options, sk_predict_tree_classes),
    ROW("ExtraTreeRegressor", SK_REGRESSOR, tree_options, sk_predict_tree_values),
    ROW("RandomForestClassifier", SK_CLASSIFIER, forest_options, sk_predict_forest_classes),
    ROW("RandomForestRegressor", SK_REGRESSOR, forest_options, sk_predict_forest_values),
    ROW("ExtraTreesClassifier", SK_CLASSIFIER, forest_options, sk_predict_forest_classes),
    ROW("ExtraTreesRegressor", SK_REGRESSOR, forest_options, sk_predict_forest_values),
    ROW("GradientBoostingClassifier", SK_CLASSIFIER, boosting_options, sk_predict_boosted_classes),
    ROW("GradientBoostingRegressor", SK_REGRESSOR, boosting_options, sk_predict_boosted_values),
    ROW("HistGradientBoostingClassifier", SK_CLASSIFIER, histogram_options,
        sk_predict_histogram_classes),
    ROW("HistGradientBoostingRegressor", SK_REGRESSOR, histogram_options,
        sk_predict_histogram_values),
};

const sk_family sk_family_tree = {rows, COUNT(rows)};

/* Ensembles of any estimators: which classes, and which options they have. */
#include "formats/sklearn/sk_ensemble.h"

#define TRAINING(name) \
    { name, SK_OPTION_TRAINING }
#define READ(name) \
    { name, SK_OPTION_READ }
#define COUNT(list) (sizeof(list) / sizeof *(list))

/* What members are made from; what became of it is in estimators_. */
#define TEMPLATE TRAINING("base_estimator"), TRAINING("estimator"), TRAINING("estimator_params")

static const sk_option adaboost_class_options[] = {TEMPLATE, TRAINING("n_estimators"),
                                                   TRAINING("learning_rate"),
                                                   TRAINING("random_state"), READ("algorithm")};

static const sk_option adaboost_value_options[] = {TEMPLATE, TRAINING("n_estimators"),
                                                   TRAINING("learning_rate"),
                                                   TRAINING("random_state"), TRAINING("loss")};

static const sk_option bagging_options[] = {TEMPLATE,
                                            READ("n_estimators"),
                                            TRAINING("max_samples"),
                                            TRAINING("max_features"),
                                            TRAINING("bootstrap"),
                                            TRAINING("bootstrap_features"),
                                            TRAINING("oob_score"),
                                            TRAINING("warm_start"),
                                            TRAINING("n_jobs"),
                                            TRAINING("random_state"),
                                            TRAINING("verbose"),
                                            TRAINING("contamination")};

/* flatten_transform is of transform, which is not offered. */
static const sk_option voting_options[] = {READ("estimators"), READ("weights"),
                                           READ("voting"),     TRAINING("flatten_transform"),
                                           TRAINING("n_jobs"), TRAINING("verbose")};

static const sk_option stacking_options[] = {
    TRAINING("estimators"),   TRAINING("final_estimator"), TRAINING("cv"),
    TRAINING("stack_method"), /* see stack_method_ */
    READ("passthrough"),      TRAINING("n_jobs"),          TRAINING("verbose")};

#define ROW(class, role, options, predict) \
    { class, role, options, COUNT(options), NULL, predict }

static const sk_row rows[] = {
    ROW("AdaBoostClassifier", SK_CLASSIFIER, adaboost_class_options, sk_predict_boosted_members),
    ROW("AdaBoostRegressor", SK_REGRESSOR, adaboost_value_options, sk_predict_boosted_median),
    ROW("BaggingClassifier", SK_CLASSIFIER, bagging_options, sk_predict_bagged_classes),
    ROW("BaggingRegressor", SK_REGRESSOR, bagging_options, sk_predict_bagged_values),
    ROW("VotingClassifier", SK_CLASSIFIER, voting_options, sk_predict_voted_classes),
    ROW("VotingRegressor", SK_REGRESSOR, voting_options, sk_predict_voted_values),
    ROW("StackingClassifier", SK_CLASSIFIER, stacking_options, sk_predict_stacked_classes),
    ROW("StackingRegressor", SK_REGRESSOR, stacking_options, sk_predict_stacked_values),
    ROW("IsolationForest", SK_OUTLIERS, bagging_options, sk_predict_isolation),
};

const sk_family sk_family_ensemble = {rows, COUNT(rows)};

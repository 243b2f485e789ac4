/* Linear models: what they share is in sk_linear.h. */
#include "formats/sklearn/sk_linear.h"

/* ---- regressors */

static wlk_status linear_values(sk *s, const py_value *estimator, const sk_table *in,
                                sk_prediction *out) {
    sk_linear model;
    *out = (sk_prediction){.targets = 0};
    TRY(sk_linear_read(s, estimator, in->columns, &model));
    out->targets = model.outputs;
    out->flat = model.flat;
    return sk_linear_scores(s, &model, in, &out->values);
}

/* One target, of one axis whatever the shape of coef_. */
static wlk_status flat_values(sk *s, const py_value *estimator, const sk_table *in,
                              sk_prediction *out) {
    TRY(linear_values(s, estimator, in, out));
    out->flat = true;
    if (out->targets == 1) return WLK_OK;
    return sk_refuse(s, RULE_SKLEARN_SHAPE, estimator, "coef_ is of %u targets", out->targets);
}

static wlk_status exp_values(sk *s, const py_value *estimator, const sk_table *in,
                             sk_prediction *out) {
    TRY(flat_values(s, estimator, in, out));
    return sk_unary(s, "Exp", out->values, &out->values);
}

/* PoissonRegressor and GammaRegressor; the first versions kept the link as an option. */
static wlk_status log_link_values(sk *s, const py_value *estimator, const sk_table *in,
                                  sk_prediction *out) {
    static const char *const links[] = {"log", NULL};
    uint32_t link = 0;
    TRY(sk_choice(s, estimator, "link", "log", links, &link));
    return exp_values(s, estimator, in, out);
}

/* The link that it was fitted with: the options may have been set since. */
static const py_value *fitted_link(const py_value *estimator) {
    const py_value *loss = sk_have(estimator, "_base_loss");
    return loss ? sk_have(loss, "link") : sk_have(estimator, "_link_instance");
}

static wlk_status tweedie_values(sk *s, const py_value *estimator, const sk_table *in,
                                 sk_prediction *out) {
    static const char *const links[] = {"auto", "identity", "log", NULL};
    uint32_t link = 0;
    double power = 0;
    const py_value *fitted = fitted_link(estimator);
    TRY(sk_choice(s, estimator, "link", "auto", links, &link));
    TRY(sk_number(s, estimator, "power", &power));
    if (py_is_object(fitted, "LogLink")) return exp_values(s, estimator, in, out);
    if (py_is_object(fitted, "IdentityLink")) return flat_values(s, estimator, in, out);
    if (link == 2 || (link == 0 && power > 0)) return exp_values(s, estimator, in, out);
    return flat_values(s, estimator, in, out);
}

/* ---- classifiers without probabilities */

static wlk_status linear_classes(sk *s, const py_value *estimator, const sk_table *in,
                                 sk_prediction *out) {
    sk_linear model;
    sk_labels classes;
    sk_name scores = NULL;
    TRY(sk_classes(s, estimator, &classes));
    TRY(sk_linear_read(s, estimator, in->columns, &model));
    TRY(sk_linear_scores(s, &model, in, &scores));
    return sk_classify_scores(s, &classes, scores, model.outputs, model.weights.at, out);
}

/* Does a label binarizer stand for several outputs of yes and no? */
static wlk_status is_multilabel(sk *s, const py_value *binarizer, bool *multilabel) {
    static const char *const types[] = {"binary", "multiclass", "multilabel-indicator", NULL};
    uint32_t type = 0;
    TRY(sk_choice(s, binarizer, "y_type_", "binary", types, &type));
    *multilabel = type == 2;
    return WLK_OK;
}

static wlk_status ridge_classes(sk *s, const py_value *estimator, const sk_table *in,
                                sk_prediction *out) {
    const py_value *binarizer = NULL;
    bool multilabel = false;
    sk_linear model;
    sk_labels classes;
    sk_name scores = NULL;
    TRY(sk_need(s, estimator, "_label_binarizer", &binarizer));
    TRY(is_multilabel(s, binarizer, &multilabel));
    /* Since 1.8 it has classes of its own. */
    const bool has_own = !multilabel && sk_have(estimator, "classes_");
    TRY(sk_classes(s, has_own ? estimator : binarizer, &classes));
    TRY(sk_linear_read(s, estimator, in->columns, &model));
    TRY(sk_linear_scores(s, &model, in, &scores));
    if (!multilabel) {
        return sk_classify_scores(s, &classes, scores, model.outputs, model.weights.at, out);
    }
    if (model.outputs != classes.count) {
        return sk_refuse(s, RULE_SKLEARN_SHAPE, model.weights.at, "%u scores for %u labels",
                         model.outputs, classes.count);
    }
    return sk_multilabel(s, scores, model.outputs, 0, false, out);
}

/* ---- LogisticRegression */

enum { CLASSES_AUTO, CLASSES_DEPRECATED, CLASSES_OVR, CLASSES_WARN, CLASSES_MULTINOMIAL };

/* Is it fitted one class against the rest? What `auto` means has changed with versions. */
static wlk_status is_one_vs_rest(sk *s, const py_value *estimator, uint32_t classes, bool *out) {
    static const char *const choices[] = {"auto", "deprecated", "ovr", "warn", "multinomial", NULL};
    uint32_t choice = 0;
    TRY(sk_choice(s, estimator, "multi_class", "auto", choices, &choice));
    if (choice == CLASSES_DEPRECATED && sk_linear_version(estimator) < 1005) {
        return sk_refuse(s, RULE_SKLEARN_OPTION, estimator,
                         "multi_class is 'deprecated', which its scikit-learn does not know");
    }
    const bool automatic = choice == CLASSES_AUTO || choice == CLASSES_DEPRECATED;
    const bool is_newton = sk_is(estimator, "solver", "newton-cholesky");
    *out = choice == CLASSES_OVR || choice == CLASSES_WARN ||
           (automatic && (classes == 2 || sk_is(estimator, "solver", "liblinear") ||
                          (is_newton && sk_linear_version(estimator) < 1006)));
    return WLK_OK;
}

static wlk_status softmax_of(sk *s, sk_name scores, uint32_t columns, sk_name *out) {
    sk_name both[2] = {NULL, scores};
    if (columns > 1) return sk_softmax(s, scores, out);
    TRY(sk_unary(s, "Neg", scores, &both[0]));
    TRY(sk_concat(s, both, 2, &scores));
    return sk_softmax(s, scores, out);
}

static wlk_status logistic_classes(sk *s, const py_value *estimator, const sk_table *in,
                                   sk_prediction *out) {
    bool one_vs_rest = false;
    TRY(linear_classes(s, estimator, in, out));
    TRY(is_one_vs_rest(s, estimator, out->classes.count, &one_vs_rest));
    if (one_vs_rest) {
        return sk_linear_one_vs_rest(s, estimator, out->scores, out->score_columns,
                                     &out->probabilities);
    }
    return softmax_of(s, out->scores, out->score_columns, &out->probabilities);
}

/* ---- SGDClassifier */

/* (clip(score) + 1) / 2; of several classes divided by the row's sum, or all alike where
 * that is 0. */
static wlk_status huber_probabilities(sk *s, const sk_prediction *of, sk_name *out) {
    sk_name clip[3] = {of->scores};
    sk_name one, two, p, sum, zero, none, count;
    TRY(sk_f64(s, -1, &clip[1]));
    TRY(sk_f64(s, 1, &one));
    TRY(sk_f64(s, 2, &two));
    clip[2] = one;
    TRY(sk_node(s, "Clip", clip, 3, &p, 1));
    TRY(sk_binary(s, "Add", p, one, &p));
    TRY(sk_binary(s, "Div", p, two, &p));
    if (of->score_columns == 1) return sk_two_columns(s, p, out);
    TRY(sk_f64(s, 0, &zero));
    TRY(sk_f64(s, of->score_columns, &count));
    TRY(sk_reduce(s, "ReduceSum", p, &sum));
    TRY(sk_binary(s, "Equal", sum, zero, &none));
    const sk_name numerator[3] = {none, one, p};
    const sk_name denominator[3] = {none, count, sum};
    TRY(sk_node(s, "Where", numerator, 3, &p, 1));
    TRY(sk_node(s, "Where", denominator, 3, &sum, 1));
    return sk_binary(s, "Div", p, sum, out);
}

enum { LOSS_LOG, LOSS_LOG_LOSS, LOSS_MODIFIED_HUBER };

static wlk_status sgd_classes(sk *s, const py_value *estimator, const sk_table *in,
                              sk_prediction *out) {
    static const char *const losses[] = {"log",
                                         "log_loss",
                                         "modified_huber",
                                         "hinge",
                                         "squared_hinge",
                                         "perceptron",
                                         "squared_loss",
                                         "squared_error",
                                         "huber",
                                         "epsilon_insensitive",
                                         "squared_epsilon_insensitive",
                                         NULL};
    uint32_t loss = 0;
    TRY(sk_choice(s, estimator, "loss", "hinge", losses, &loss));
    TRY(linear_classes(s, estimator, in, out));
    if (loss == LOSS_MODIFIED_HUBER) return huber_probabilities(s, out, &out->probabilities);
    if (loss > LOSS_MODIFIED_HUBER) return WLK_OK;
    return sk_linear_one_vs_rest(s, estimator, out->scores, out->score_columns,
                                 &out->probabilities);
}

/* ---- SGDOneClassSVM: x @ coef_ - offset_ */

static wlk_status sgd_outliers(sk *s, const py_value *estimator, const sk_table *in,
                               sk_prediction *out) {
    sk_linear model;
    sk_name x = NULL;
    sk_name decision = NULL;
    sk_name offset = NULL;
    TRY(sk_linear_read_as(s, estimator, "coef_", "offset_", in->columns, &model));
    if (model.outputs != 1) {
        return sk_refuse(s, RULE_SKLEARN_SHAPE, model.weights.at, "coef_ has %u rows",
                         model.outputs);
    }
    TRY(sk_table_numbers(s, in, &x));
    TRY(sk_affine(s, x, &model.weights, true, NULL, &decision));
    TRY(sk_f64(s, model.bias.data[0], &offset));
    TRY(sk_binary(s, "Sub", decision, offset, &decision));
    return sk_outliers(s, decision, "GreaterOrEqual", out);
}

/* ---- options */

#define FITTING(name) \
    { name, SK_OPTION_TRAINING }
#define READ(name) \
    { name, SK_OPTION_READ }

/* Of all least squares and what is like them. `normalize` was for fitting too: coef_ is for
 * the rows as they come. */
static const sk_option least_squares[] = {
    FITTING("Cs"),
    FITTING("alpha"),
    FITTING("alpha_1"),
    FITTING("alpha_2"),
    FITTING("alpha_init"),
    FITTING("alpha_per_target"),
    FITTING("alphas"),
    FITTING("class_weight"),
    FITTING("compute_score"),
    FITTING("copy"),
    FITTING("copy_X"),
    FITTING("criterion"),
    FITTING("cv"),
    FITTING("eps"),
    FITTING("epsilon"),
    FITTING("fit_intercept"),
    FITTING("fit_path"),
    FITTING("gcv_mode"),
    FITTING("jitter"),
    FITTING("l1_ratio"),
    FITTING("lambda_1"),
    FITTING("lambda_2"),
    FITTING("lambda_init"),
    FITTING("max_iter"),
    FITTING("max_n_alphas"),
    FITTING("max_subpopulation"),
    FITTING("method"),
    FITTING("n_alphas"),
    FITTING("n_iter"),
    FITTING("n_jobs"),
    FITTING("n_nonzero_coefs"),
    FITTING("n_subsamples"),
    FITTING("noise_variance"),
    FITTING("normalize"),
    FITTING("positive"),
    FITTING("precompute"),
    FITTING("quantile"),
    FITTING("random_state"),
    FITTING("scoring"),
    FITTING("selection"),
    FITTING("solver"),
    FITTING("solver_options"),
    FITTING("store_cv_results"),
    FITTING("store_cv_values"),
    FITTING("threshold_lambda"),
    FITTING("tol"),
    FITTING("verbose"),
    FITTING("warm_start"),
};

static const sk_option glm[] = {
    FITTING("alpha"), FITTING("fit_intercept"), FITTING("max_iter"),   FITTING("solver"),
    FITTING("tol"),   FITTING("verbose"),       FITTING("warm_start"), READ("link"),
    READ("power"),
};

static const sk_option logistic[] = {
    FITTING("C"),
    FITTING("Cs"),
    FITTING("class_weight"),
    FITTING("cv"),
    FITTING("dual"),
    FITTING("fit_intercept"),
    FITTING("intercept_scaling"),
    FITTING("l1_ratio"),
    FITTING("l1_ratios"),
    FITTING("max_iter"),
    FITTING("n_jobs"),
    FITTING("penalty"),
    FITTING("random_state"),
    FITTING("refit"),
    FITTING("scoring"),
    FITTING("tol"),
    FITTING("use_legacy_attributes"),
    FITTING("verbose"),
    FITTING("warm_start"),
    READ("multi_class"),
    READ("solver"),
};

#define GRADIENT_DESCENT                                                                          \
    FITTING("C"), FITTING("alpha"), FITTING("average"), FITTING("class_weight"),                  \
        FITTING("early_stopping"), FITTING("epsilon"), FITTING("eta0"), FITTING("fit_intercept"), \
        FITTING("l1_ratio"), FITTING("learning_rate"), FITTING("max_iter"),                       \
        FITTING("n_iter_no_change"), FITTING("n_jobs"), FITTING("nu"), FITTING("penalty"),        \
        FITTING("power_t"), FITTING("random_state"), FITTING("shuffle"), FITTING("tol"),          \
        FITTING("validation_fraction"), FITTING("verbose"), FITTING("warm_start")

static const sk_option gradient_descent[] = {GRADIENT_DESCENT, FITTING("loss")};
static const sk_option sgd_classifier[] = {GRADIENT_DESCENT, READ("loss")};

static const sk_option liblinear[] = {
    FITTING("C"),       FITTING("class_weight"),  FITTING("dual"),
    FITTING("epsilon"), FITTING("fit_intercept"), FITTING("intercept_scaling"),
    FITTING("loss"),    FITTING("max_iter"),      FITTING("multi_class"),
    FITTING("penalty"), FITTING("random_state"),  FITTING("tol"),
    FITTING("verbose"),
};

/* ---- rows */

#define ROW(name, role, list, function)                                    \
    {                                                                      \
        .class = name, .roles = role, .options = list,                     \
        .option_count = sizeof(list) / sizeof *(list), .predict = function \
    }
#define REGRESSOR(name) ROW(name, SK_REGRESSOR, least_squares, linear_values)

static const sk_row rows[] = {
    REGRESSOR("ARDRegression"),
    REGRESSOR("BayesianRidge"),
    REGRESSOR("ElasticNet"),
    REGRESSOR("ElasticNetCV"),
    REGRESSOR("HuberRegressor"),
    REGRESSOR("Lars"),
    REGRESSOR("LarsCV"),
    REGRESSOR("Lasso"),
    REGRESSOR("LassoCV"),
    REGRESSOR("LassoLars"),
    REGRESSOR("LassoLarsCV"),
    REGRESSOR("LassoLarsIC"),
    REGRESSOR("LinearRegression"),
    REGRESSOR("MultiTaskElasticNet"),
    REGRESSOR("MultiTaskElasticNetCV"),
    REGRESSOR("MultiTaskLasso"),
    REGRESSOR("MultiTaskLassoCV"),
    REGRESSOR("OrthogonalMatchingPursuit"),
    REGRESSOR("OrthogonalMatchingPursuitCV"),
    REGRESSOR("QuantileRegressor"),
    REGRESSOR("Ridge"),
    REGRESSOR("RidgeCV"),
    REGRESSOR("TheilSenRegressor"),
    ROW("GammaRegressor", SK_REGRESSOR, glm, log_link_values),
    ROW("LinearSVC", SK_CLASSIFIER, liblinear, linear_classes),
    ROW("LinearSVR", SK_REGRESSOR, liblinear, flat_values),
    ROW("LogisticRegression", SK_CLASSIFIER, logistic, logistic_classes),
    ROW("LogisticRegressionCV", SK_CLASSIFIER, logistic, logistic_classes),
    ROW("PassiveAggressiveClassifier", SK_CLASSIFIER, gradient_descent, linear_classes),
    ROW("PassiveAggressiveRegressor", SK_REGRESSOR, gradient_descent, flat_values),
    ROW("Perceptron", SK_CLASSIFIER, gradient_descent, linear_classes),
    ROW("PoissonRegressor", SK_REGRESSOR, glm, log_link_values),
    ROW("RidgeClassifier", SK_CLASSIFIER, least_squares, ridge_classes),
    ROW("RidgeClassifierCV", SK_CLASSIFIER, least_squares, ridge_classes),
    ROW("SGDClassifier", SK_CLASSIFIER, sgd_classifier, sgd_classes),
    ROW("SGDOneClassSVM", SK_OUTLIERS, gradient_descent, sgd_outliers),
    ROW("SGDRegressor", SK_REGRESSOR, gradient_descent, flat_values),
    ROW("TweedieRegressor", SK_REGRESSOR, glm, tweedie_values),
};

const sk_family sk_family_linear = {rows, sizeof rows / sizeof *rows};

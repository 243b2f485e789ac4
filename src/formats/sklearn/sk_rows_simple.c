/* Naive Bayes, dummies, and rows of sk_discriminant.h. */
#include <string.h>

#include "formats/sklearn/sk_discriminant.h"

/* ---- naive Bayes */

/* What scikit-learn computes of numbers of f32 or f16 alone is rounded to them in each step. */
static wlk_status rounded(sk *s, const sk_array *like, sk_name x, sk_name *out) {
    *out = x;
    if (!like->single) return WLK_OK;
    TRY(sk_cast(s, x, like->half ? WLK_F16 : WLK_F32, out));
    return sk_cast(s, *out, WLK_F64, out);
}

wlk_status sk_log_priors(sk *s, const py_value *estimator, const char *key, uint32_t classes,
                         sk_name *out) {
    sk_array priors;
    TRY(sk_vector(s, estimator, key, classes, &priors));
    TRY(sk_finite(s, &priors, key));
    for (uint64_t i = 0; i < priors.count; i++) {
        if (priors.data[i] >= 0) continue;
        return sk_refuse(s, RULE_SKLEARN_VALUE, priors.at, "%s[%llu] is negative", key,
                         (unsigned long long)i);
    }
    TRY(sk_f64s(s, priors.data, priors.count, out));
    TRY(sk_unary(s, "Log", *out, out));
    return rounded(s, &priors, *out, out);
}

/* Joint log likelihoods [batch, classes]: the largest wins, their softmax are probabilities. */
static wlk_status by_likelihood(sk *s, sk_name likelihoods, sk_prediction *out) {
    TRY(sk_argmax(s, likelihoods, &out->index));
    return sk_softmax(s, likelihoods, &out->probabilities);
}

/* var_; before version 1.0 sigma_. Above 0. */
static wlk_status read_variances(sk *s, const py_value *estimator, uint32_t classes,
                                 uint32_t columns, sk_array *out) {
    const char *key = sk_have(estimator, "var_") ? "var_" : "sigma_";
    TRY(sk_matrix_of(s, estimator, key, classes, columns, out));
    TRY(sk_divisor(s, out, key));
    for (uint64_t i = 0; i < out->count; i++) {
        if (out->data[i] > 0) continue;
        return sk_refuse(s, RULE_SKLEARN_VALUE, out->at, "%s[%llu] is negative", key,
                         (unsigned long long)i);
    }
    return WLK_OK;
}

/* sum((x - mean)^2 / variance): [batch, 1]. */
static wlk_status gaussian_distance(sk *s, sk_name x, const double *mean, const double *variance,
                                    uint64_t columns, sk_name *out) {
    sk_name center = NULL;
    sk_name by = NULL;
    TRY(sk_f64s(s, mean, columns, &center));
    TRY(sk_f64s(s, variance, columns, &by));
    TRY(sk_binary(s, "Sub", x, center, out));
    TRY(sk_binary(s, "Mul", *out, *out, out));
    TRY(sk_binary(s, "Div", *out, by, out));
    return sk_reduce(s, "ReduceSum", *out, out);
}

/* log(prior) - sum(log(2 pi variance)) / 2: [classes]. */
static wlk_status gaussian_constant(sk *s, const py_value *estimator, const sk_array *variances,
                                    sk_name half, sk_name *out) {
    const double two_pi = 6.283185307179586476925286766559;
    sk_name variance, circle, prior;
    TRY(sk_f64_matrix(s, variances->data, variances->shape[0], variances->shape[1], &variance));
    TRY(sk_f64(s, two_pi, &circle));
    TRY(rounded(s, variances, circle, &circle));
    TRY(sk_binary(s, "Mul", variance, circle, &variance));
    TRY(rounded(s, variances, variance, &variance));
    TRY(sk_unary(s, "Log", variance, &variance));
    TRY(rounded(s, variances, variance, &variance));
    TRY(sk_reduce(s, "ReduceSum", variance, &variance));
    TRY(rounded(s, variances, variance, &variance));
    TRY(sk_reshape(s, variance, 0, &variance));
    TRY(sk_binary(s, "Mul", variance, half, &variance));
    TRY(sk_log_priors(s, estimator, "class_prior_", (uint32_t)variances->shape[0], &prior));
    return sk_binary(s, "Sub", prior, variance, out);
}

static wlk_status gaussian_classes(sk *s, const py_value *estimator, const sk_table *in,
                                   sk_prediction *out) {
    sk_array means, variances;
    sk_name x, half, constant, sums;
    *out = (sk_prediction){.targets = 0};
    TRY(sk_classes(s, estimator, &out->classes));
    const uint32_t classes = out->classes.count;
    TRY(sk_matrix_of(s, estimator, "theta_", classes, in->columns, &means));
    TRY(sk_finite(s, &means, "theta_"));
    TRY(read_variances(s, estimator, classes, in->columns, &variances));
    sk_name *columns = sk_take(s, classes, sizeof *columns);
    if (!columns) return sk_no_memory(s);
    TRY(sk_table_numbers(s, in, &x));
    for (uint32_t i = 0; i < classes; i++) {
        const uint64_t at = (uint64_t)i * in->columns;
        TRY(gaussian_distance(s, x, means.data + at, variances.data + at, in->columns,
                              &columns[i]));
    }
    TRY(sk_concat(s, columns, classes, &sums));
    TRY(sk_f64(s, 0.5, &half));
    TRY(sk_binary(s, "Mul", sums, half, &sums));
    TRY(gaussian_constant(s, estimator, &variances, half, &constant));
    TRY(sk_binary(s, "Sub", constant, sums, &sums));
    return by_likelihood(s, sums, out);
}

/* x @ feature_log_prob_ + class_log_prior_; ComplementNB has no use for the latter. */
static wlk_status discrete(sk *s, const py_value *estimator, const sk_table *in, bool has_prior,
                           sk_prediction *out) {
    sk_array weights, prior;
    sk_name x = NULL;
    *out = (sk_prediction){.targets = 0};
    TRY(sk_classes(s, estimator, &out->classes));
    TRY(sk_matrix_of(s, estimator, "feature_log_prob_", out->classes.count, in->columns, &weights));
    TRY(sk_finite(s, &weights, "feature_log_prob_"));
    TRY(sk_vector(s, estimator, "class_log_prior_", out->classes.count, &prior));
    TRY(sk_finite(s, &prior, "class_log_prior_"));
    TRY(sk_table_numbers(s, in, &x));
    TRY(sk_affine(s, x, &weights, true, has_prior ? &prior : NULL, &x));
    return by_likelihood(s, x, out);
}

static wlk_status multinomial_classes(sk *s, const py_value *estimator, const sk_table *in,
                                      sk_prediction *out) {
    return discrete(s, estimator, in, true, out);
}

static wlk_status complement_classes(sk *s, const py_value *estimator, const sk_table *in,
                                     sk_prediction *out) {
    return discrete(s, estimator, in, false, out);
}

/* 1 where x is above `binarize`, else 0; x itself where that is None. */
static wlk_status binarized(sk *s, const py_value *estimator, const sk_table *in, sk_name *x) {
    sk_name threshold = NULL;
    double number = 0;
    TRY(sk_table_numbers(s, in, x));
    if (!sk_have(estimator, "binarize")) return WLK_OK;
    TRY(sk_number(s, estimator, "binarize", &number));
    TRY(sk_f64(s, number, &threshold));
    TRY(sk_binary(s, "Greater", *x, threshold, x));
    return sk_cast(s, *x, WLK_F64, x);
}

/* log(1 - e^p) of the constant p [classes, columns]. */
static wlk_status log_of_rest(sk *s, sk_name p, sk_name *out) {
    sk_name one = NULL;
    TRY(sk_f64(s, 1, &one));
    TRY(sk_unary(s, "Exp", p, out));
    TRY(sk_binary(s, "Sub", one, *out, out));
    return sk_unary(s, "Log", *out, out);
}

/* x @ (p - q) + prior + sum(q), where q are the logarithms of the absence of each feature. */
static wlk_status bernoulli_classes(sk *s, const py_value *estimator, const sk_table *in,
                                    sk_prediction *out) {
    sk_array p_array, prior_array;
    sk_name gemm[3];
    sk_name p, q, prior, sum;
    *out = (sk_prediction){.targets = 0};
    TRY(sk_classes(s, estimator, &out->classes));
    const uint32_t classes = out->classes.count;
    TRY(sk_matrix_of(s, estimator, "feature_log_prob_", classes, in->columns, &p_array));
    TRY(sk_finite(s, &p_array, "feature_log_prob_"));
    TRY(sk_vector(s, estimator, "class_log_prior_", classes, &prior_array));
    TRY(sk_finite(s, &prior_array, "class_log_prior_"));
    TRY(sk_f64_matrix(s, p_array.data, classes, in->columns, &p));
    TRY(sk_f64s(s, prior_array.data, classes, &prior));
    TRY(log_of_rest(s, p, &q));
    TRY(sk_reduce(s, "ReduceSum", q, &sum));
    TRY(sk_reshape(s, sum, 0, &sum));
    TRY(binarized(s, estimator, in, &gemm[0]));
    TRY(sk_binary(s, "Sub", p, q, &gemm[1]));
    TRY(sk_binary(s, "Add", prior, sum, &gemm[2]));
    TRY(sk_node(s, "Gemm", gemm, 3, &sum, 1));
    TRY(sk_attribute_int(s, "transB", 1));
    return by_likelihood(s, sum, out);
}

/* ---- dummies: a constant for each row */

/* How many rows there are: i64 [1]. */
static wlk_status row_count(sk *s, const sk_table *in, sk_name *out) {
    sk_name column = NULL;
    if (in->columns == 0) {
        return sk_refuse(s, RULE_SKLEARN_SHAPE, NULL, "an input without columns");
    }
    if (sk_table_dtype(s, in, 0) == WLK_STR) {
        TRY(sk_table_texts(s, in, 0, &column));
    } else {
        TRY(sk_table_column(s, in, 0, &column));
    }
    TRY(sk_unary(s, "Shape", column, out));
    TRY(sk_attribute_int(s, "start", 0));
    return sk_attribute_int(s, "end", 1);
}

/* `row` [columns] for each row: [batch, columns]. */
static wlk_status repeat(sk *s, const double *row, uint32_t columns, const sk_table *in,
                         sk_name *out) {
    const int64_t width = columns;
    sk_name shape[2];
    sk_name all = NULL;
    sk_name constant = NULL;
    TRY(row_count(s, in, &shape[0]));
    TRY(sk_i64s(s, &width, 1, &shape[1]));
    TRY(sk_node(s, "Concat", shape, 2, &all, 1));
    TRY(sk_attribute_int(s, "axis", 0));
    TRY(sk_f64_matrix(s, row, 1, columns, &constant));
    return sk_binary(s, "Expand", constant, all, out);
}

static wlk_status repeat_index(sk *s, int64_t index, const sk_table *in, sk_name *out) {
    sk_name rows = NULL;
    sk_name constant = NULL;
    TRY(row_count(s, in, &rows));
    TRY(sk_i64s(s, &index, 1, &constant));
    return sk_binary(s, "Expand", constant, rows, out);
}

static bool is_number(const py_value *value, double *number) {
    if (value->kind == PY_INT) *number = (double)value->integer;
    if (value->kind == PY_BOOL) *number = value->boolean;
    if (value->kind == PY_FLOAT) *number = value->real;
    return value->kind == PY_INT || value->kind == PY_BOOL || value->kind == PY_FLOAT;
}

static double label_number(const sk_labels *labels, uint32_t i) {
    return labels->dtype == WLK_F64 ? labels->reals[i] : (double)labels->integers[i];
}

static bool same_text(const py_text *a, const py_text *b) {
    return a->length == b->length && (a->length == 0 || memcmp(a->data, b->data, a->length) == 0);
}

static bool is_label(const sk_labels *labels, uint32_t i, const py_value *value) {
    double number = 0;
    if (labels->dtype == WLK_STR) {
        return value->kind == PY_STR && same_text(&labels->texts[i], &value->text);
    }
    return is_number(value, &number) && number == label_number(labels, i);
}

/* The constant itself, or the only item of a list of one. */
static wlk_status find_constant(sk *s, const py_value *estimator, const sk_labels *labels,
                                uint32_t *index) {
    const py_value *value = NULL;
    TRY(sk_need(s, estimator, "constant", &value));
    const bool is_list = value->kind == PY_LIST || value->kind == PY_TUPLE;
    if (is_list && value->items.count == 1) value = value->items.list[0];
    for (*index = 0; *index < labels->count; (*index)++) {
        if (is_label(labels, *index, value)) return WLK_OK;
    }
    return sk_refuse(s, RULE_SKLEARN_OPTION, value, "constant is %s, which is none of the classes",
                     sk_quote(s, value));
}

static uint32_t largest(const sk_array *numbers) {
    uint32_t best = 0;
    for (uint32_t i = 1; i < numbers->count; i++) {
        if (numbers->data[i] > numbers->data[best]) best = i;
    }
    return best;
}

enum { STRATEGY_PRIOR, STRATEGY_MOST_FREQUENT, STRATEGY_CONSTANT };

/* One output. */
static wlk_status need_one_output(sk *s, const py_value *estimator) {
    int64_t outputs = 1;
    bool sparse = false;
    TRY(sk_integer(s, estimator, "n_outputs_", &outputs));
    TRY(sk_flag(s, estimator, "sparse_output_", false, &sparse));
    if (outputs == 1 && !sparse) return WLK_OK;
    return sk_refuse(s, RULE_SKLEARN_OPTION, estimator, "%lld outputs%s", (long long)outputs,
                     sparse ? ", sparse" : "");
}

/* What it was fitted with: the option may have been set since. */
static wlk_status read_strategy(sk *s, const py_value *estimator, uint32_t *strategy) {
    static const char *const strategies[] = {"prior", "most_frequent", "constant", NULL};
    const char *key = sk_have(estimator, "_strategy") ? "_strategy" : "strategy";
    return sk_choice(s, estimator, key, "prior", strategies, strategy);
}

static wlk_status dummy_classes(sk *s, const py_value *estimator, const sk_table *in,
                                sk_prediction *out) {
    uint32_t strategy = 0;
    uint32_t index = 0;
    sk_array prior;
    *out = (sk_prediction){.targets = 0};
    TRY(read_strategy(s, estimator, &strategy));
    TRY(need_one_output(s, estimator));
    TRY(sk_classes(s, estimator, &out->classes));
    const uint32_t classes = out->classes.count;
    TRY(sk_vector(s, estimator, "class_prior_", classes, &prior));
    TRY(sk_finite(s, &prior, "class_prior_"));
    if (strategy == STRATEGY_CONSTANT) {
        TRY(find_constant(s, estimator, &out->classes, &index));
    } else {
        index = largest(&prior);
    }
    double *row = sk_take(s, classes, sizeof *row);
    if (!row) return sk_no_memory(s);
    row[index] = 1;
    TRY(repeat_index(s, index, in, &out->index));
    return repeat(s, strategy == STRATEGY_PRIOR ? prior.data : row, classes, in,
                  &out->probabilities);
}

static wlk_status dummy_values(sk *s, const py_value *estimator, const sk_table *in,
                               sk_prediction *out) {
    sk_array constant;
    *out = (sk_prediction){.targets = 0};
    TRY(sk_matrix_of(s, estimator, "constant_", 1, SK_ANY, &constant));
    TRY(sk_finite(s, &constant, "constant_"));
    if (constant.count == 0) {
        return sk_refuse(s, RULE_SKLEARN_SHAPE, constant.at, "constant_ has 0 values");
    }
    out->targets = (uint32_t)constant.count;
    out->flat = out->targets == 1;
    return repeat(s, constant.data, out->targets, in, &out->values);
}

/* ---- rows */

#define FITTING(name) \
    { name, SK_OPTION_TRAINING }
#define READ(name) \
    { name, SK_OPTION_READ }

static const sk_option gaussian[] = {FITTING("priors"), FITTING("var_smoothing")};
static const sk_option discrete_options[] = {FITTING("alpha"), FITTING("class_prior"),
                                             FITTING("fit_prior"), FITTING("force_alpha"),
                                             FITTING("norm")};
static const sk_option bernoulli[] = {FITTING("alpha"), FITTING("class_prior"),
                                      FITTING("fit_prior"), FITTING("force_alpha"),
                                      READ("binarize")};
static const sk_option discriminant[] = {FITTING("covariance_estimator"),
                                         FITTING("n_components"),
                                         FITTING("priors"),
                                         FITTING("reg_param"),
                                         FITTING("shrinkage"),
                                         FITTING("store_covariance"),
                                         FITTING("tol"),
                                         READ("solver")};
static const sk_option centroid[] = {FITTING("priors"), FITTING("shrink_threshold"),
                                     READ("metric")};
static const sk_option dummy_classifier[] = {FITTING("random_state"), READ("constant"),
                                             READ("strategy")};
static const sk_option dummy_regressor[] = {FITTING("constant"), FITTING("quantile"),
                                            FITTING("strategy")};

#define OPTIONS(list) .options = list, .option_count = sizeof(list) / sizeof *(list)

static const sk_row rows[] = {
    {.class = "BernoulliNB",
     .roles = SK_CLASSIFIER,
     OPTIONS(bernoulli),
     .predict = bernoulli_classes},
    {.class = "ComplementNB",
     .roles = SK_CLASSIFIER,
     OPTIONS(discrete_options),
     .predict = complement_classes},
    {.class = "DummyClassifier",
     .roles = SK_CLASSIFIER,
     OPTIONS(dummy_classifier),
     .predict = dummy_classes},
    {.class = "DummyRegressor",
     .roles = SK_REGRESSOR,
     OPTIONS(dummy_regressor),
     .predict = dummy_values},
    {.class = "GaussianNB", .roles = SK_CLASSIFIER, OPTIONS(gaussian), .predict = gaussian_classes},
    {.class = "LinearDiscriminantAnalysis",
     .roles = SK_CLASSIFIER | SK_TRANSFORMER,
     OPTIONS(discriminant),
     .transform = sk_lda_transform,
     .predict = sk_lda_predict},
    {.class = "MultinomialNB",
     .roles = SK_CLASSIFIER,
     OPTIONS(discrete_options),
     .predict = multinomial_classes},
    {.class = "NearestCentroid",
     .roles = SK_CLASSIFIER,
     OPTIONS(centroid),
     .predict = sk_centroid_predict},
    {.class = "QuadraticDiscriminantAnalysis",
     .roles = SK_CLASSIFIER,
     OPTIONS(discriminant),
     .predict = sk_qda_predict},
};

const sk_family sk_family_simple = {rows, sizeof rows / sizeof *rows};

/* libsvm's machines. scikit-learn shows their coefficients with other signs for two classes;
 * here are those that libsvm itself computes with, which begin with an underscore. */
#include "formats/sklearn/sk_linear.h"

enum { KERNEL_LINEAR, KERNEL_POLY, KERNEL_RBF, KERNEL_SIGMOID };

typedef struct machine {
    uint32_t kernel;
    double gamma;
    double coef0;
    int64_t degree;
    sk_array support; /* [vectors, columns] */
    sk_array dual;    /* [classes - 1, vectors], or [1, vectors] */
    sk_array intercepts;
    uint32_t vectors;
} machine;

/* ---- state */

static wlk_status read_kernel(sk *s, const py_value *estimator, machine *m) {
    static const char *const kernels[] = {"linear", "poly", "rbf", "sigmoid", NULL};
    const double huge = 1e308;
    m->gamma = 1;
    m->degree = 3;
    TRY(sk_choice(s, estimator, "kernel", "rbf", kernels, &m->kernel));
    if (m->kernel != KERNEL_LINEAR) TRY(sk_scalar(s, estimator, "_gamma", &m->gamma));
    TRY(sk_number(s, estimator, "coef0", &m->coef0));
    TRY(sk_integer(s, estimator, "degree", &m->degree));
    if (!(m->gamma >= -huge && m->gamma <= huge && m->coef0 >= -huge && m->coef0 <= huge)) {
        return sk_refuse(s, RULE_SKLEARN_VALUE, estimator, "gamma %g, coef0 %g", m->gamma,
                         m->coef0);
    }
    if (m->degree >= 0 && m->degree <= INT32_MAX) return WLK_OK;
    return sk_refuse(s, RULE_SKLEARN_VALUE, estimator, "degree is %lld", (long long)m->degree);
}

/* Exactly rows by columns, and finite. */
static wlk_status read_dense(sk *s, const py_value *estimator, const char *key, uint64_t rows,
                             uint64_t columns, sk_array *out) {
    const py_value *value = NULL;
    TRY(sk_need(s, estimator, key, &value));
    TRY(sk_dense_of(s, value, key, out));
    if (out->rank == 2 && out->shape[0] == rows && out->shape[1] == columns) {
        return sk_finite(s, out, key);
    }
    return sk_refuse(s, RULE_SKLEARN_SHAPE, value, "%s is not %llu by %llu", key,
                     (unsigned long long)rows, (unsigned long long)columns);
}

static wlk_status read_support(sk *s, const py_value *estimator, uint32_t columns, machine *m) {
    const py_value *value = NULL;
    TRY(sk_need(s, estimator, "support_vectors_", &value));
    TRY(sk_dense_of(s, value, "support_vectors_", &m->support));
    if (m->support.rank != 2 || m->support.shape[1] != columns || m->support.shape[0] > INT32_MAX) {
        return sk_refuse(s, RULE_SKLEARN_SHAPE, value,
                         "support_vectors_ are not rows of %u columns", columns);
    }
    m->vectors = (uint32_t)m->support.shape[0];
    return sk_finite(s, &m->support, "support_vectors_");
}

static wlk_status read_machine(sk *s, const py_value *estimator, uint32_t columns, uint64_t rows,
                               uint64_t pairs, machine *m) {
    *m = (machine){.kernel = KERNEL_LINEAR};
    TRY(read_kernel(s, estimator, m));
    TRY(read_support(s, estimator, columns, m));
    TRY(read_dense(s, estimator, "_dual_coef_", rows, m->vectors, &m->dual));
    TRY(sk_vector(s, estimator, "_intercept_", pairs, &m->intercepts));
    return sk_finite(s, &m->intercepts, "_intercept_");
}

/* State `key`; before version 0.22 it was `old`. */
static wlk_status need_either(sk *s, const py_value *estimator, const char *key, const char *old,
                              const py_value **out) {
    *out = sk_have(estimator, key);
    return *out ? WLK_OK : sk_need(s, estimator, old, out);
}

/* How many of the vectors are of each class. */
static wlk_status read_counts(sk *s, const py_value *estimator, uint32_t classes, uint32_t vectors,
                              int64_t **out) {
    const py_value *value = NULL;
    sk_indices counts;
    uint64_t total = 0;
    TRY(need_either(s, estimator, "_n_support", "n_support_", &value));
    TRY(sk_indices_of(s, value, "_n_support", (uint64_t)vectors + 1, &counts));
    *out = sk_take(s, classes, sizeof **out);
    if (!*out) return sk_no_memory(s);
    for (uint32_t i = 0; i < counts.count && i < classes; i++) {
        (*out)[i] = counts.list[i];
        total += counts.list[i];
    }
    if (counts.count == classes && total == vectors) return WLK_OK;
    return sk_refuse(s, RULE_SKLEARN_SHAPE, value,
                     "_n_support has %llu vectors of %u classes, there are %u of %u",
                     (unsigned long long)total, counts.count, vectors, classes);
}

/* ---- nodes */

static wlk_status tensor_attribute(sk *s, const char *name, const sk_array *array, uint32_t rank) {
    sk_name tensor = NULL;
    if (rank == 1) {
        TRY(sk_f64s(s, array->data, array->count, &tensor));
    } else {
        TRY(sk_f64_matrix(s, array->data, array->shape[0], array->shape[1], &tensor));
    }
    return sk_attribute_tensor(s, name, tensor);
}

static wlk_status machine_attributes(sk *s, const machine *m, uint32_t dual_rank) {
    static const char *const names[] = {"LINEAR", "POLY", "RBF", "SIGMOID"};
    TRY(sk_attribute_text(s, "kernel", names[m->kernel]));
    TRY(sk_attribute_float(s, "gamma", m->gamma));
    TRY(sk_attribute_float(s, "coef0", m->coef0));
    TRY(sk_attribute_int(s, "degree", m->degree));
    TRY(tensor_attribute(s, "support", &m->support, 2));
    TRY(tensor_attribute(s, "dual", &m->dual, dual_rank));
    return tensor_attribute(s, "intercepts", &m->intercepts, 1);
}

static wlk_status regression(sk *s, const py_value *estimator, const sk_table *in, sk_name *out) {
    machine m;
    sk_name x = NULL;
    TRY(read_machine(s, estimator, in->columns, 1, 1, &m));
    TRY(sk_table_numbers(s, in, &x));
    TRY(sk_node(s, "org.weighlock:SVMRegressor", &x, 1, out, 1));
    return machine_attributes(s, &m, 1);
}

static wlk_status svr_values(sk *s, const py_value *estimator, const sk_table *in,
                             sk_prediction *out) {
    *out = (sk_prediction){.targets = 1, .flat = true};
    return regression(s, estimator, in, &out->values);
}

static wlk_status one_class(sk *s, const py_value *estimator, const sk_table *in,
                            sk_prediction *out) {
    sk_name decision = NULL;
    TRY(regression(s, estimator, in, &decision));
    return sk_outliers(s, decision, "Greater", out);
}

/* ---- classifiers */

/* What a classifier does with pairs of classes. */
typedef struct choices {
    bool probability;
    bool one_vs_one; /* decision_function gives one score for each pair */
    bool break_ties;
} choices;

/* Since 1.9 "deprecated" says that there are no probabilities. */
static wlk_status read_probability(sk *s, const py_value *estimator, bool *out) {
    *out = false;
    if (sk_is(estimator, "probability", "deprecated")) return WLK_OK;
    return sk_flag(s, estimator, "probability", false, out);
}

static wlk_status read_choices(sk *s, const py_value *estimator, choices *out) {
    static const char *const shapes[] = {"ovr", "ovo", NULL};
    uint32_t shape = 0;
    TRY(sk_choice(s, estimator, "decision_function_shape", "ovr", shapes, &shape));
    TRY(sk_flag(s, estimator, "break_ties", false, &out->break_ties));
    out->one_vs_one = shape == 1;
    if (out->one_vs_one && out->break_ties) {
        return sk_refuse(s, RULE_SKLEARN_OPTION, estimator,
                         "break_ties with decision_function_shape 'ovo'");
    }
    return read_probability(s, estimator, &out->probability);
}

static wlk_status sigmoid_attribute(sk *s, const py_value *estimator, const char *key,
                                    const char *old, const char *name, uint64_t pairs) {
    const py_value *value = NULL;
    sk_array numbers;
    TRY(need_either(s, estimator, key, old, &value));
    TRY(sk_reals_of(s, value, key, &numbers));
    if (numbers.rank != 1 || numbers.count != pairs) {
        return sk_refuse(s, RULE_SKLEARN_SHAPE, value, "%s has %llu values for %llu pairs", key,
                         (unsigned long long)numbers.count, (unsigned long long)pairs);
    }
    TRY(sk_finite(s, &numbers, key));
    return tensor_attribute(s, name, &numbers, 1);
}

enum { OUT_INDEX, OUT_SCORES, OUT_DECISIONS, OUT_PROBABILITIES, OUTPUTS };

/* What the operator's outputs are to a prediction of `pairs` pairs. */
static void predict_with(const choices *c, const sk_name *outputs, uint32_t pairs,
                         sk_prediction *out) {
    const bool by_pairs = c->one_vs_one && pairs > 1;
    out->index = outputs[OUT_INDEX];
    out->scores = outputs[by_pairs ? OUT_DECISIONS : OUT_SCORES];
    out->score_columns = by_pairs || pairs == 1 ? pairs : out->classes.count;
    if (c->probability) out->probabilities = outputs[OUT_PROBABILITIES];
}

#define CLASSES_MAX 32768 /* as many as the operator takes */

static wlk_status svc_classes(sk *s, const py_value *estimator, const sk_table *in,
                              sk_prediction *out) {
    choices c;
    machine m;
    int64_t *counts = NULL;
    sk_name x = NULL;
    sk_name outputs[OUTPUTS];
    *out = (sk_prediction){.targets = 0};
    TRY(read_choices(s, estimator, &c));
    TRY(sk_classes(s, estimator, &out->classes));
    const uint32_t classes = out->classes.count;
    if (classes > CLASSES_MAX) {
        return sk_refuse(s, RULE_SKLEARN_VALUE, out->classes.at, "%u classes", classes);
    }
    const uint32_t pairs = classes * (classes - 1) / 2;
    TRY(read_machine(s, estimator, in->columns, classes - 1, pairs, &m));
    TRY(read_counts(s, estimator, classes, m.vectors, &counts));
    TRY(sk_table_numbers(s, in, &x));
    const uint32_t output_count = c.probability ? OUTPUTS : OUT_PROBABILITIES;
    TRY(sk_node(s, "org.weighlock:SVMClassifier", &x, 1, outputs, output_count));
    TRY(machine_attributes(s, &m, 2));
    TRY(sk_attribute_ints(s, "counts", counts, classes));
    if (c.probability) {
        TRY(sigmoid_attribute(s, estimator, "_probA", "probA_", "prob_a", pairs));
        TRY(sigmoid_attribute(s, estimator, "_probB", "probB_", "prob_b", pairs));
    }
    if (c.break_ties) TRY(sk_attribute_int(s, "break_ties", 1));
    predict_with(&c, outputs, pairs, out);
    return WLK_OK;
}

/* ---- rows */

#define FITTING(name) \
    { name, SK_OPTION_TRAINING }
#define READ(name) \
    { name, SK_OPTION_READ }

/* Those of a regressor are there without meaning too: all machines keep all. */
static const sk_option options[] = {
    FITTING("C"),
    FITTING("cache_size"),
    FITTING("class_weight"),
    FITTING("epsilon"),
    FITTING("gamma"),
    FITTING("max_iter"),
    FITTING("nu"),
    FITTING("random_state"),
    FITTING("shrinking"),
    FITTING("tol"),
    FITTING("verbose"),
    READ("break_ties"),
    READ("coef0"),
    READ("decision_function_shape"),
    READ("degree"),
    READ("kernel"),
    READ("probability"),
};

#define ROW(name, role, function)                                             \
    {                                                                         \
        .class = name, .roles = role, .options = options,                     \
        .option_count = sizeof options / sizeof *options, .predict = function \
    }

static const sk_row rows[] = {
    ROW("NuSVC", SK_CLASSIFIER, svc_classes),   ROW("NuSVR", SK_REGRESSOR, svr_values),
    ROW("OneClassSVM", SK_OUTLIERS, one_class), ROW("SVC", SK_CLASSIFIER, svc_classes),
    ROW("SVR", SK_REGRESSOR, svr_values),
};

const sk_family sk_family_svm = {rows, sizeof rows / sizeof *rows};

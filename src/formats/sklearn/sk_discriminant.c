/* Discriminant analysis and nearest centroids: classes as regions around their means. */
#include "formats/sklearn/sk_discriminant.h"

/* ---- linear */

wlk_status sk_lda_predict(sk *s, const py_value *estimator, const sk_table *in,
                          sk_prediction *out) {
    sk_linear model;
    sk_labels classes;
    sk_name scores = NULL;
    TRY(sk_classes(s, estimator, &classes));
    TRY(sk_linear_read(s, estimator, in->columns, &model));
    TRY(sk_linear_scores(s, &model, in, &scores));
    TRY(sk_classify_scores(s, &classes, scores, model.outputs, model.weights.at, out));
    if (model.outputs == 1)
        return sk_linear_one_vs_rest(s, estimator, scores, 1, &out->probabilities);
    return sk_softmax(s, scores, &out->probabilities);
}

/* The first `kept` columns of [rows, columns]. */
static wlk_status first_columns(sk *s, const sk_array *from, uint64_t kept, sk_array *out) {
    const uint64_t rows = from->shape[0];
    double *data = sk_take(s, rows * kept, sizeof *data);
    if (!data) return sk_no_memory(s);
    for (uint64_t i = 0; i < rows * kept; i++) {
        data[i] = from->data[i / kept * from->shape[1] + i % kept];
    }
    *out = *from;
    out->data = data;
    out->shape[1] = kept;
    out->count = rows * kept;
    return WLK_OK;
}

wlk_status sk_lda_transform(sk *s, const py_value *estimator, const sk_table *in, sk_table *out) {
    static const char *const solvers[] = {"svd", "eigen", NULL};
    uint32_t solver = 0;
    int64_t kept = -1;
    sk_array scalings, means;
    sk_name x = NULL;
    sk_name mean = NULL;
    TRY(sk_choice(s, estimator, "solver", "svd", solvers, &solver));
    TRY(sk_integer(s, estimator, "_max_components", &kept));
    TRY(sk_matrix_of(s, estimator, "scalings_", in->columns, SK_ANY, &scalings));
    TRY(sk_finite(s, &scalings, "scalings_"));
    if (kept < 1 || scalings.shape[1] == 0) {
        return sk_refuse(s, RULE_SKLEARN_VALUE, estimator, "no components");
    }
    const uint64_t columns =
        (uint64_t)kept < scalings.shape[1] ? (uint64_t)kept : scalings.shape[1];
    TRY(first_columns(s, &scalings, columns, &scalings));
    TRY(sk_table_numbers(s, in, &x));
    if (solver == 0) {
        TRY(sk_vector(s, estimator, "xbar_", in->columns, &means));
        TRY(sk_finite(s, &means, "xbar_"));
        TRY(sk_f64s(s, means.data, means.count, &mean));
        TRY(sk_binary(s, "Sub", x, mean, &x));
    }
    TRY(sk_affine(s, x, &scalings, false, NULL, &x));
    return sk_table_of(s, x, WLK_F64, (uint32_t)columns, out);
}

/* ---- quadratic */

/* Positive numbers of one axis, as the matrix [1, count]. */
static wlk_status read_scaling(sk *s, const py_value *value, sk_array *out) {
    TRY(sk_reals_of(s, value, "scalings_", out));
    TRY(sk_divisor(s, out, "scalings_"));
    for (uint64_t i = 0; i < out->count; i++) {
        if (out->data[i] > 0) continue;
        return sk_refuse(s, RULE_SKLEARN_VALUE, value, "scalings_[%llu] is negative",
                         (unsigned long long)i);
    }
    if (out->rank == 1 && out->count > 0) return WLK_OK;
    return sk_refuse(s, RULE_SKLEARN_SHAPE, value, "scalings_ of a class is no vector");
}

/* -(|(x - mean) rotation / sqrt(scaling)|^2 + sum(log(scaling))) / 2: [batch, 1]. */
static wlk_status log_density(sk *s, sk_name x, const double *mean, const sk_array *rotation,
                              const sk_array *scaling, sk_name *out) {
    const uint64_t components = scaling->count;
    sk_name center, scale, root, rotate, logs, half;
    TRY(sk_f64s(s, mean, rotation->shape[0], &center));
    TRY(sk_f64_matrix(s, scaling->data, 1, components, &scale));
    TRY(sk_f64_matrix(s, rotation->data, rotation->shape[0], components, &rotate));
    TRY(sk_f64(s, -0.5, &half));
    TRY(sk_unary(s, "Sqrt", scale, &root));
    TRY(sk_binary(s, "Div", rotate, root, &rotate));
    TRY(sk_binary(s, "Sub", x, center, out));
    TRY(sk_binary(s, "MatMul", *out, rotate, out));
    TRY(sk_binary(s, "Mul", *out, *out, out));
    TRY(sk_reduce(s, "ReduceSum", *out, out));
    TRY(sk_unary(s, "Log", scale, &logs));
    TRY(sk_reduce(s, "ReduceSum", logs, &logs));
    TRY(sk_binary(s, "Add", *out, logs, out));
    return sk_binary(s, "Mul", *out, half, out);
}

typedef struct quadratic {
    sk_array means;
    py_value *const *rotations;
    py_value *const *scalings;
} quadratic;

static wlk_status read_quadratic(sk *s, const py_value *estimator, uint32_t classes,
                                 uint32_t columns, quadratic *out) {
    const py_value *rotations = NULL;
    const py_value *scalings = NULL;
    uint32_t rotation_count = 0;
    uint32_t scaling_count = 0;
    TRY(sk_matrix_of(s, estimator, "means_", classes, columns, &out->means));
    TRY(sk_finite(s, &out->means, "means_"));
    TRY(sk_need(s, estimator, "rotations_", &rotations));
    TRY(sk_need(s, estimator, "scalings_", &scalings));
    TRY(sk_list_of(s, rotations, "rotations_", &out->rotations, &rotation_count));
    TRY(sk_list_of(s, scalings, "scalings_", &out->scalings, &scaling_count));
    if (rotation_count == classes && scaling_count == classes) return WLK_OK;
    return sk_refuse(s, RULE_SKLEARN_SHAPE, rotations,
                     "%u rotations_ and %u scalings_ for %u classes", rotation_count, scaling_count,
                     classes);
}

/* The class's column of scores, without its prior. */
static wlk_status class_density(sk *s, const quadratic *q, uint32_t i, sk_name x, sk_name *out) {
    const uint64_t columns = q->means.shape[1];
    sk_array rotation, scaling;
    TRY(read_scaling(s, q->scalings[i], &scaling));
    TRY(sk_reals_of(s, q->rotations[i], "rotations_", &rotation));
    if (rotation.rank != 2 || rotation.shape[0] != columns || rotation.shape[1] != scaling.count) {
        return sk_refuse(s, RULE_SKLEARN_SHAPE, q->rotations[i],
                         "rotations_[%u] is not %llu by %llu", i, (unsigned long long)columns,
                         (unsigned long long)scaling.count);
    }
    TRY(sk_finite(s, &rotation, "rotations_"));
    return log_density(s, x, q->means.data + i * columns, &rotation, &scaling, out);
}

/* scores [batch, classes] become a prediction: its decision function is, of two classes,
 * their difference. */
static wlk_status predict_by(sk *s, sk_name scores, bool all, sk_prediction *out) {
    static const uint32_t second = 1, first = 0;
    sk_name a = NULL;
    sk_name b = NULL;
    TRY(sk_argmax(s, scores, &out->index));
    if (!all) return WLK_OK;
    TRY(sk_softmax(s, scores, &out->probabilities));
    out->scores = scores;
    out->score_columns = out->classes.count;
    if (out->classes.count > 2) return WLK_OK;
    TRY(sk_gather(s, scores, &second, 1, &a));
    TRY(sk_gather(s, scores, &first, 1, &b));
    out->score_columns = 1;
    return sk_binary(s, "Sub", a, b, &out->scores);
}

wlk_status sk_qda_predict(sk *s, const py_value *estimator, const sk_table *in,
                          sk_prediction *out) {
    quadratic q;
    sk_name x, priors, scores;
    *out = (sk_prediction){.targets = 0};
    TRY(sk_classes(s, estimator, &out->classes));
    const uint32_t classes = out->classes.count;
    TRY(read_quadratic(s, estimator, classes, in->columns, &q));
    sk_name *columns = sk_take(s, classes, sizeof *columns);
    if (!columns) return sk_no_memory(s);
    TRY(sk_table_numbers(s, in, &x));
    for (uint32_t i = 0; i < classes; i++) TRY(class_density(s, &q, i, x, &columns[i]));
    TRY(sk_concat(s, columns, classes, &scores));
    TRY(sk_log_priors(s, estimator, "priors_", classes, &priors));
    TRY(sk_binary(s, "Add", scores, priors, &scores));
    return predict_by(s, scores, true, out);
}

/* ---- nearest centroids */

typedef struct centroids {
    bool manhattan;
    bool has_priors; /* since version 1.6 */
    bool alike;      /* all priors are the same: the nearest wins */
    sk_array centers;
    sk_array priors;
    sk_array deviations;
} centroids;

/* As numpy's isclose has it. */
static bool all_alike(const sk_array *priors) {
    const double mean = 1.0 / (double)priors->count;
    const double near = 1e-8 + 1e-5 * mean;
    for (uint64_t i = 0; i < priors->count; i++) {
        const double by = priors->data[i] - mean;
        if (!(by <= near && by >= -near)) return false;
    }
    return true;
}

static wlk_status read_centroids(sk *s, const py_value *estimator, uint32_t classes,
                                 uint32_t columns, centroids *c) {
    static const char *const metrics[] = {"euclidean", "manhattan", NULL};
    uint32_t metric = 0;
    TRY(sk_choice(s, estimator, "metric", "euclidean", metrics, &metric));
    TRY(sk_matrix_of(s, estimator, "centroids_", classes, columns, &c->centers));
    TRY(sk_finite(s, &c->centers, "centroids_"));
    c->manhattan = metric == 1;
    c->has_priors = sk_have(estimator, "class_prior_") != NULL;
    c->alike = true;
    if (!c->has_priors) return WLK_OK;
    TRY(sk_vector(s, estimator, "class_prior_", classes, &c->priors));
    TRY(sk_vector(s, estimator, "within_class_std_dev_", columns, &c->deviations));
    TRY(sk_finite(s, &c->deviations, "within_class_std_dev_"));
    c->alike = all_alike(&c->priors);
    return WLK_OK;
}

/* The distance of each row to one center, or its square: [batch, 1]. */
static wlk_status distance(sk *s, const centroids *c, sk_name x, const double *center,
                           sk_name *out) {
    sk_name at = NULL;
    TRY(sk_f64s(s, center, c->centers.shape[1], &at));
    TRY(sk_binary(s, "Sub", x, at, out));
    if (c->manhattan) {
        TRY(sk_unary(s, "Abs", *out, out));
    } else {
        TRY(sk_binary(s, "Mul", *out, *out, out));
    }
    return sk_reduce(s, "ReduceSum", *out, out);
}

static wlk_status distances(sk *s, const centroids *c, sk_name x, const double *centers,
                            sk_name *out) {
    const uint32_t classes = (uint32_t)c->centers.shape[0];
    sk_name *columns = sk_take(s, classes, sizeof *columns);
    if (!columns) return sk_no_memory(s);
    for (uint32_t i = 0; i < classes; i++) {
        TRY(distance(s, c, x, centers + i * c->centers.shape[1], &columns[i]));
    }
    return sk_concat(s, columns, classes, out);
}

/* Centers and rows are divided by the deviation where there is one. */
static wlk_status divided_centers(sk *s, const centroids *c, double **centers, double **by) {
    const uint64_t columns = c->centers.shape[1];
    *centers = sk_take(s, c->centers.count, sizeof **centers);
    *by = sk_take(s, columns, sizeof **by);
    if (!*centers || !*by) return sk_no_memory(s);
    for (uint64_t i = 0; i < columns; i++) {
        (*by)[i] = c->deviations.data[i] != 0 ? c->deviations.data[i] : 1;
        for (uint64_t at = i; at < c->centers.count; at += columns) {
            (*centers)[at] = c->centers.data[at] / (*by)[i];
        }
    }
    return WLK_OK;
}

/* 2 log(prior) - distance^2. */
static wlk_status discriminants(sk *s, const centroids *c, const py_value *estimator, sk_name x,
                                sk_name *out) {
    double *centers = NULL;
    double *by = NULL;
    sk_name deviation, priors, two;
    TRY(divided_centers(s, c, &centers, &by));
    TRY(sk_f64s(s, by, c->deviations.count, &deviation));
    TRY(sk_binary(s, "Div", x, deviation, &x));
    TRY(distances(s, c, x, centers, out));
    if (c->manhattan) TRY(sk_binary(s, "Mul", *out, *out, out));
    TRY(sk_log_priors(s, estimator, "class_prior_", (uint32_t)c->priors.count, &priors));
    TRY(sk_f64(s, 2, &two));
    TRY(sk_binary(s, "Mul", priors, two, &priors));
    return sk_binary(s, "Sub", priors, *out, out);
}

static wlk_status nearest(sk *s, const centroids *c, sk_name x, sk_name *index) {
    sk_name away = NULL;
    TRY(distances(s, c, x, c->centers.data, &away));
    TRY(sk_unary(s, "Neg", away, &away));
    return sk_argmax(s, away, index);
}

wlk_status sk_centroid_predict(sk *s, const py_value *estimator, const sk_table *in,
                               sk_prediction *out) {
    centroids c;
    sk_name x = NULL;
    sk_name scores = NULL;
    *out = (sk_prediction){.targets = 0};
    TRY(sk_classes(s, estimator, &out->classes));
    TRY(read_centroids(s, estimator, out->classes.count, in->columns, &c));
    TRY(sk_table_numbers(s, in, &x));
    if (c.has_priors) {
        TRY(discriminants(s, &c, estimator, x, &scores));
        TRY(predict_by(s, scores, !c.manhattan, out));
    }
    return c.alike ? nearest(s, &c, x, &out->index) : WLK_OK;
}

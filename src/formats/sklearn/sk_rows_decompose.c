/* Projections, selection of columns, and clusters. */
#include "formats/sklearn/sk_prep.h"

/* ---- projections */

static wlk_status read_components(sk *s, const py_value *e, uint32_t columns, sk_array *out) {
    TRY(sk_reals(s, e, "components_", out));
    if (out->rank == 2 && out->shape[0] > 0 && out->shape[0] <= PREP_MAX_COLUMNS &&
        out->shape[1] == columns) {
        return WLK_OK;
    }
    return sk_refuse(s, RULE_SKLEARN_SHAPE, out->at, "components_ are not of %u columns", columns);
}

/* Each component divided by its standard deviation. Since 1.5 no divisor is less than epsilon. */
static wlk_status whiten(sk *s, const py_value *e, uint64_t components, bool bounded, sk_name *x) {
    sk_array variance;
    sk_name constant = NULL, scale = NULL;
    TRY(sk_vector(s, e, "explained_variance_", components, &variance));
    TRY(sk_finite(s, &variance, "explained_variance_"));
    if (!bounded) TRY(prep_no_zeros(s, &variance, "explained_variance_"));
    TRY(sk_f64s(s, variance.data, variance.count, &constant));
    if (variance.single) TRY(sk_cast(s, constant, WLK_F32, &constant));
    TRY(sk_unary(s, "Sqrt", constant, &scale));
    if (variance.single) TRY(sk_cast(s, scale, WLK_F64, &scale));
    if (bounded) TRY(prep_with(s, "Max", scale, variance.single ? 0x1p-23 : 0x1p-52, &scale));
    return sk_binary(s, "Div", *x, scale, x);
}

/* x - mean before the product, or, since 1.5, the mean's product taken from that of x. */
static wlk_status project(sk *s, const py_value *e, sk_name x, const sk_array *components,
                          bool mean_after, sk_name *out) {
    sk_array mean;
    sk_name row = NULL, shift = NULL;
    if (!sk_have(e, "mean_")) return sk_affine(s, x, components, true, NULL, out);
    TRY(sk_vector(s, e, "mean_", components->shape[1], &mean));
    TRY(sk_finite(s, &mean, "mean_"));
    if (!mean_after) {
        TRY(prep_along(s, "Sub", x, &mean, &x));
        return sk_affine(s, x, components, true, NULL, out);
    }
    TRY(sk_f64_matrix(s, mean.data, 1, mean.count, &row));
    TRY(sk_affine(s, row, components, true, NULL, &shift));
    TRY(sk_affine(s, x, components, true, NULL, out));
    return sk_binary(s, "Sub", *out, shift, out);
}

static wlk_status principal(sk *s, const py_value *e, const sk_table *in, sk_table *out) {
    bool whitens = false, since = false;
    sk_array components;
    sk_name x = NULL;
    TRY(sk_flag(s, e, "whiten", false, &whitens));
    TRY(prep_since(s, e, 1, 5, &since));
    TRY(read_components(s, e, in->columns, &components));
    TRY(sk_table_numbers(s, in, &x));
    TRY(project(s, e, x, &components, since, &x));
    if (whitens) TRY(whiten(s, e, components.shape[0], since, &x));
    return prep_give(s, x, components.shape[0], out);
}

/* TruncatedSVD, GaussianRandomProjection: a product and no more. */
static wlk_status multiply(sk *s, const py_value *e, const sk_table *in, sk_table *out) {
    sk_array components;
    sk_name x = NULL;
    TRY(read_components(s, e, in->columns, &components));
    TRY(sk_table_numbers(s, in, &x));
    TRY(sk_affine(s, x, &components, true, NULL, &x));
    return prep_give(s, x, components.shape[0], out);
}

/* ---- k means */

static wlk_status read_centers(sk *s, const py_value *e, uint32_t columns, sk_array *centers) {
    TRY(sk_reals(s, e, "cluster_centers_", centers));
    if (centers->rank != 2 || centers->shape[0] == 0 || centers->shape[0] > PREP_MAX_COLUMNS ||
        centers->shape[1] != columns) {
        return sk_refuse(s, RULE_SKLEARN_SHAPE, centers->at,
                         "cluster_centers_ are not of %u columns", columns);
    }
    return sk_finite(s, centers, "cluster_centers_");
}

/* x, of which no row has a NaN; -2 x c; and c c, in f64. */
typedef struct products {
    sk_array centers;
    sk_name x, cross, squares;
} products;

static wlk_status multiply_centers(sk *s, const py_value *e, const sk_table *in, products *p) {
    void *room = NULL;
    TRY(read_centers(s, e, in->columns, &p->centers));
    TRY(sk_table_numbers(s, in, &p->x));
    TRY(prep_no_nan(s, p->x, in->columns, &p->x));
    TRY(sk_affine(s, p->x, &p->centers, true, NULL, &p->cross));
    TRY(prep_with(s, "Mul", p->cross, -2, &p->cross));
    TRY(prep_take(s, p->centers.shape[0], sizeof(double), &room));
    double *squares = room;
    for (uint64_t i = 0; i < p->centers.count; i++) {
        squares[i / in->columns] += p->centers.data[i] * p->centers.data[i];
    }
    return sk_f64s(s, squares, p->centers.shape[0], &p->squares);
}

/* sqrt(x x - 2 x c + c c) */
static wlk_status distances(sk *s, const products *p, sk_name *out) {
    sk_name squared = NULL;
    TRY(sk_binary(s, "Mul", p->x, p->x, &squared));
    TRY(sk_reduce(s, "ReduceSum", squared, &squared));
    TRY(sk_binary(s, "Add", p->cross, squared, &squared));
    TRY(sk_binary(s, "Add", squared, p->squares, &squared));
    TRY(prep_with(s, "Max", squared, 0, &squared));
    return sk_unary(s, "Sqrt", squared, out);
}

static wlk_status k_means_distances(sk *s, const py_value *e, const sk_table *in, sk_table *out) {
    products p;
    sk_name x = NULL;
    TRY(multiply_centers(s, e, in, &p));
    TRY(distances(s, &p, &x));
    return prep_give(s, x, p.centers.shape[0], out);
}

/* The nearest center, the first of equals. */
static wlk_status k_means(sk *s, const py_value *e, const sk_table *in, sk_prediction *out) {
    products p;
    sk_name near = NULL;
    void *room = NULL;
    TRY(multiply_centers(s, e, in, &p));
    const uint32_t count = (uint32_t)p.centers.shape[0];
    TRY(prep_take(s, count, sizeof(int64_t), &room));
    int64_t *labels = room;
    for (uint32_t i = 0; i < count; i++) labels[i] = i;
    *out = (sk_prediction){.classes = {.count = count,
                                       .dtype = WLK_I64,
                                       .integers = labels,
                                       .missing = WLK_NONE,
                                       .at = p.centers.at},
                           .targets = count};
    TRY(sk_binary(s, "Add", p.cross, p.squares, &near));
    TRY(sk_unary(s, "Neg", near, &near));
    TRY(sk_argmax(s, near, &out->index));
    return distances(s, &p, &out->values);
}

/* ---- rows */

static const sk_option pca_options[] = {PREP_TRAINING("n_components"),
                                        PREP_TRAINING("copy"),
                                        PREP_READ("whiten"),
                                        PREP_TRAINING("svd_solver"),
                                        PREP_TRAINING("tol"),
                                        PREP_TRAINING("iterated_power"),
                                        PREP_TRAINING("n_oversamples"),
                                        PREP_TRAINING("power_iteration_normalizer"),
                                        PREP_TRAINING("random_state")};
static const sk_option incremental_options[] = {PREP_TRAINING("n_components"), PREP_READ("whiten"),
                                                PREP_TRAINING("copy"), PREP_TRAINING("batch_size")};
static const sk_option svd_options[] = {PREP_TRAINING("n_components"),
                                        PREP_TRAINING("algorithm"),
                                        PREP_TRAINING("n_iter"),
                                        PREP_TRAINING("n_oversamples"),
                                        PREP_TRAINING("power_iteration_normalizer"),
                                        PREP_TRAINING("random_state"),
                                        PREP_TRAINING("tol")};
static const sk_option projection_options[] = {PREP_TRAINING("n_components"),
                                               PREP_TRAINING("eps"),
                                               PREP_TRAINING("compute_inverse_components"),
                                               PREP_TRAINING("random_state"),
                                               PREP_TRAINING("dense_output"),
                                               PREP_TRAINING("density")};
static const sk_option k_best_options[] = {PREP_TRAINING("score_func"), PREP_READ("k")};
static const sk_option percentile_options[] = {PREP_TRAINING("score_func"),
                                               PREP_READ("percentile")};
static const sk_option alpha_options[] = {PREP_TRAINING("score_func"), PREP_READ("alpha")};
static const sk_option generic_options[] = {PREP_TRAINING("score_func"), PREP_READ("mode"),
                                            PREP_READ("param")};
static const sk_option variance_options[] = {PREP_READ("threshold")};
static const sk_option from_model_options[] = {
    PREP_READ("estimator"),  PREP_READ("threshold"),    PREP_TRAINING("prefit"),
    PREP_READ("norm_order"), PREP_READ("max_features"), PREP_READ("importance_getter")};
static const sk_option elimination_options[] = {PREP_TRAINING("estimator"),
                                                PREP_TRAINING("n_features_to_select"),
                                                PREP_TRAINING("step"),
                                                PREP_TRAINING("verbose"),
                                                PREP_TRAINING("importance_getter"),
                                                PREP_TRAINING("min_features_to_select"),
                                                PREP_TRAINING("cv"),
                                                PREP_TRAINING("scoring"),
                                                PREP_TRAINING("n_jobs")};
static const sk_option sequential_options[] = {
    PREP_TRAINING("estimator"), PREP_TRAINING("n_features_to_select"),
    PREP_TRAINING("tol"),       PREP_TRAINING("direction"),
    PREP_TRAINING("scoring"),   PREP_TRAINING("cv"),
    PREP_TRAINING("n_jobs")};
static const sk_option k_means_options[] = {PREP_TRAINING("n_clusters"),
                                            PREP_TRAINING("init"),
                                            PREP_TRAINING("n_init"),
                                            PREP_TRAINING("max_iter"),
                                            PREP_TRAINING("tol"),
                                            PREP_TRAINING("verbose"),
                                            PREP_TRAINING("random_state"),
                                            PREP_TRAINING("copy_x"),
                                            PREP_TRAINING("algorithm"),
                                            PREP_TRAINING("n_jobs"),
                                            PREP_TRAINING("precompute_distances"),
                                            PREP_TRAINING("batch_size"),
                                            PREP_TRAINING("compute_labels"),
                                            PREP_TRAINING("max_no_improvement"),
                                            PREP_TRAINING("init_size"),
                                            PREP_TRAINING("reassignment_ratio")};

#define CLUSTER_ROW(name)                                                                  \
    {                                                                                      \
        name, SK_CLUSTERER | SK_TRANSFORMER, k_means_options, PREP_COUNT(k_means_options), \
            k_means_distances, k_means                                                     \
    }

static const sk_row rows[] = {
    PREP_ROW("PCA", pca_options, principal),
    PREP_ROW("IncrementalPCA", incremental_options, principal),
    PREP_ROW("TruncatedSVD", svd_options, multiply),
    PREP_ROW("GaussianRandomProjection", projection_options, multiply),
    PREP_ROW("SelectKBest", k_best_options, prep_select_k_best),
    PREP_ROW("SelectPercentile", percentile_options, prep_select_percentile),
    PREP_ROW("SelectFpr", alpha_options, prep_select_fpr),
    PREP_ROW("SelectFdr", alpha_options, prep_select_fdr),
    PREP_ROW("SelectFwe", alpha_options, prep_select_fwe),
    PREP_ROW("GenericUnivariateSelect", generic_options, prep_select_generic),
    PREP_ROW("VarianceThreshold", variance_options, prep_select_variance),
    PREP_ROW("SelectFromModel", from_model_options, prep_select_from_model),
    PREP_ROW("RFE", elimination_options, prep_select_support),
    PREP_ROW("RFECV", elimination_options, prep_select_support),
    PREP_ROW("SequentialFeatureSelector", sequential_options, prep_select_support),
    CLUSTER_ROW("KMeans"),
    CLUSTER_ROW("MiniBatchKMeans"),
};

const sk_family sk_family_decompose = {rows, PREP_COUNT(rows)};

/* Scalers, and the rows of the family: they compute each column, or each row, from numbers. */
#include "formats/sklearn/sk_prep.h"

/* ---- scalers: a shift and a factor for each column */

/* A vector of one number a column, on which `op` is applied. */
static wlk_status apply_vector(sk *s, const py_value *e, const char *key, const char *op,
                               uint64_t columns, sk_name *x) {
    sk_array vector;
    TRY(sk_vector(s, e, key, columns, &vector));
    if (op[0] == 'D') TRY(prep_no_zeros(s, &vector, key));
    return prep_along(s, op, *x, &vector, x);
}

/* x - center, then / scale, each if its option says so. */
static wlk_status center_and_scale(sk *s, const py_value *e, const sk_table *in,
                                   const char *const names[4], sk_table *out) {
    bool center = true, scale = true;
    sk_name x = NULL;
    TRY(sk_flag(s, e, names[0], true, &center));
    TRY(sk_flag(s, e, names[2], true, &scale));
    TRY(sk_table_numbers(s, in, &x));
    if (center) TRY(apply_vector(s, e, names[1], "Sub", in->columns, &x));
    if (scale) TRY(apply_vector(s, e, names[3], "Div", in->columns, &x));
    return prep_give(s, x, in->columns, out);
}

static wlk_status standard(sk *s, const py_value *e, const sk_table *in, sk_table *out) {
    static const char *const names[] = {"with_mean", "mean_", "with_std", "scale_"};
    return center_and_scale(s, e, in, names, out);
}

static wlk_status robust(sk *s, const py_value *e, const sk_table *in, sk_table *out) {
    static const char *const names[] = {"with_centering", "center_", "with_scaling", "scale_"};
    return center_and_scale(s, e, in, names, out);
}

static wlk_status clip_to_range(sk *s, const py_value *e, sk_name *x) {
    const py_value *range = NULL;
    py_value *const *bounds = NULL;
    uint32_t count = 0;
    double low = 0, high = 0;
    TRY(sk_need(s, e, "feature_range", &range));
    TRY(sk_list_of(s, range, "feature_range", &bounds, &count));
    if (count != 2 || !prep_number(bounds[0], &low) || !prep_number(bounds[1], &high) ||
        !(low < high)) {
        return sk_refuse(s, RULE_SKLEARN_OPTION, range,
                         "feature_range is not two numbers of which the second is larger");
    }
    return prep_clip(s, *x, low, high, x);
}

static wlk_status min_max(sk *s, const py_value *e, const sk_table *in, sk_table *out) {
    bool clip = false;
    sk_name x = NULL;
    TRY(sk_flag(s, e, "clip", false, &clip));
    TRY(sk_table_numbers(s, in, &x));
    TRY(apply_vector(s, e, "scale_", "Mul", in->columns, &x));
    TRY(apply_vector(s, e, "min_", "Add", in->columns, &x));
    if (clip) TRY(clip_to_range(s, e, &x));
    return prep_give(s, x, in->columns, out);
}

static wlk_status max_abs(sk *s, const py_value *e, const sk_table *in, sk_table *out) {
    bool clip = false;
    sk_name x = NULL;
    TRY(sk_flag(s, e, "clip", false, &clip));
    TRY(sk_table_numbers(s, in, &x));
    TRY(apply_vector(s, e, "scale_", "Div", in->columns, &x));
    if (clip) TRY(prep_clip(s, x, -1, 1, &x));
    return prep_give(s, x, in->columns, out);
}

/* ---- Normalizer: each row divided by its norm */

static wlk_status norms(sk *s, sk_name x, uint32_t norm, sk_name *out) {
    sk_name parts = NULL, sum = NULL;
    if (norm == 1) {
        TRY(sk_binary(s, "Mul", x, x, &parts));
        TRY(sk_reduce(s, "ReduceSum", parts, &sum));
        return sk_unary(s, "Sqrt", sum, out);
    }
    TRY(sk_unary(s, "Abs", x, &parts));
    return sk_reduce(s, norm == 0 ? "ReduceSum" : "ReduceMax", parts, out);
}

static wlk_status normalizer(sk *s, const py_value *e, const sk_table *in, sk_table *out) {
    static const char *const choices[] = {"l1", "l2", "max", NULL};
    uint32_t norm = 0;
    bool tiny_too = false;
    sk_name x = NULL, norm_of = NULL, none = NULL, one = NULL, divisor = NULL;
    TRY(sk_choice(s, e, "norm", "l2", choices, &norm));
    TRY(prep_since(s, e, 1, 0, &tiny_too));
    TRY(sk_table_numbers(s, in, &x));
    TRY(norms(s, x, norm, &norm_of));
    /* Since 1.0 what is below 10 epsilon counts as zero too. */
    if (tiny_too) {
        TRY(prep_with(s, "Less", norm_of, 10 * 0x1p-52, &none));
    } else {
        TRY(prep_with(s, "Equal", norm_of, 0, &none));
    }
    TRY(sk_f64(s, 1, &one));
    TRY(prep_where(s, none, one, norm_of, &divisor));
    TRY(sk_binary(s, "Div", x, divisor, &x));
    return prep_give(s, x, in->columns, out);
}

static wlk_status binarizer(sk *s, const py_value *e, const sk_table *in, sk_table *out) {
    double threshold = 0;
    sk_name x = NULL, above = NULL;
    TRY(sk_number(s, e, "threshold", &threshold));
    TRY(sk_table_numbers(s, in, &x));
    TRY(prep_no_nan(s, x, in->columns, &x));
    TRY(prep_with(s, "Greater", x, threshold, &above));
    TRY(sk_cast(s, above, WLK_F64, &x));
    return prep_give(s, x, in->columns, out);
}

/* ---- rows */

static const sk_option standard_options[] = {PREP_TRAINING("copy"), PREP_READ("with_mean"),
                                             PREP_READ("with_std")};
static const sk_option min_max_options[] = {PREP_READ("feature_range"), PREP_TRAINING("copy"),
                                            PREP_READ("clip")};
static const sk_option max_abs_options[] = {PREP_TRAINING("copy"), PREP_READ("clip")};
static const sk_option robust_options[] = {PREP_READ("with_centering"), PREP_READ("with_scaling"),
                                           PREP_TRAINING("quantile_range"), PREP_TRAINING("copy"),
                                           PREP_TRAINING("unit_variance")};
static const sk_option normalizer_options[] = {PREP_READ("norm"), PREP_TRAINING("copy")};
static const sk_option binarizer_options[] = {PREP_READ("threshold"), PREP_TRAINING("copy")};
static const sk_option imputer_options[] = {
    PREP_READ("missing_values"),     PREP_READ("strategy"), PREP_TRAINING("fill_value"),
    PREP_TRAINING("verbose"),        PREP_TRAINING("copy"), PREP_READ("add_indicator"),
    PREP_READ("keep_empty_features")};
static const sk_option indicator_options[] = {PREP_READ("missing_values"), PREP_READ("features"),
                                              PREP_TRAINING("sparse"), PREP_READ("error_on_new")};
static const sk_option function_options[] = {PREP_READ("func"),
                                             PREP_TRAINING("inverse_func"),
                                             PREP_TRAINING("validate"),
                                             PREP_TRAINING("accept_sparse"),
                                             PREP_TRAINING("check_inverse"),
                                             PREP_TRAINING("feature_names_out"),
                                             PREP_READ("kw_args"),
                                             PREP_TRAINING("inv_kw_args")};
static const sk_option polynomial_options[] = {PREP_READ("degree"), PREP_READ("interaction_only"),
                                               PREP_READ("include_bias"), PREP_TRAINING("order")};
static const sk_option power_options[] = {PREP_READ("method"), PREP_READ("standardize"),
                                          PREP_TRAINING("copy")};
static const sk_option quantile_options[] = {
    PREP_TRAINING("n_quantiles"),           PREP_READ("output_distribution"),
    PREP_TRAINING("ignore_implicit_zeros"), PREP_TRAINING("subsample"),
    PREP_TRAINING("random_state"),          PREP_TRAINING("copy")};
static const sk_option bins_options[] = {
    PREP_TRAINING("n_bins"),          PREP_READ("encode"),    PREP_TRAINING("strategy"),
    PREP_TRAINING("quantile_method"), PREP_TRAINING("dtype"), PREP_TRAINING("subsample"),
    PREP_TRAINING("random_state")};

static const sk_row rows[] = {
    PREP_ROW("StandardScaler", standard_options, standard),
    PREP_ROW("MinMaxScaler", min_max_options, min_max),
    PREP_ROW("MaxAbsScaler", max_abs_options, max_abs),
    PREP_ROW("RobustScaler", robust_options, robust),
    PREP_ROW("Normalizer", normalizer_options, normalizer),
    PREP_ROW("Binarizer", binarizer_options, binarizer),
    PREP_ROW("SimpleImputer", imputer_options, prep_impute),
    PREP_ROW("MissingIndicator", indicator_options, prep_missing_indicator),
    PREP_ROW("FunctionTransformer", function_options, prep_function),
    PREP_ROW("PolynomialFeatures", polynomial_options, prep_polynomial),
    PREP_ROW("PowerTransformer", power_options, prep_power),
    PREP_ROW("QuantileTransformer", quantile_options, prep_quantile),
    PREP_ROW("KBinsDiscretizer", bins_options, prep_bins),
};

const sk_family sk_family_scale = {rows, PREP_COUNT(rows)};

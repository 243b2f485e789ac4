/* org.weighlock: linear models and scalers in float64 from end to end, as
 * scikit-learn computes them, which ai.onnx.ml (float32) cannot say.
 *
 *   Scaler(X, mean?, scale?)   (X - mean) / scale along the last axis. ONNX's
 *       Scaler multiplies by the inverse, which rounds twice; this one divides,
 *       as StandardScaler does, and agrees with it bit for bit.
 *   LinearClassifier(X, coefficients, intercepts?)   labels [n] and scores
 *       [n, classes] from X [n, k], coefficients [c, k], intercepts [c]; the
 *       attributes are those of ai.onnx.ml's LinearClassifier, c is the number of
 *       labels, or 1 beside two labels. post_transform has one more value: OVR,
 *       logistic and then divided by the row's sum.
 *   LinearRegressor(X, coefficients, intercepts?)   [n, t] from X [n, k],
 *       coefficients [t, k], intercepts [t]. */
#include "infer/linear.h"
#include "infer/ops.h"
#include "infer/shape.h"

/* ---- Scaler */

/* Is input i, if it is there, a vector of `features`? */
static wlk_status need_vector(const op_call *call, uint32_t i, int64_t features) {
    const op_tensor *in = op_input(call, i);
    if (!in) return WLK_OK;
    TRY(shape_need_rank(call, i, 1, 1));
    if (in->rank == WLK_NONE || dim_agrees(in->dims[0], features)) return WLK_OK;
    return shape_mismatch(call, 0, i);
}

static wlk_status scaler_infer(op_call *call) {
    const op_tensor *x = op_input(call, 0);
    TRY(shape_need_rank(call, 0, 1, WLK_MAX_RANK));
    const int64_t features = x->rank == WLK_NONE ? WLK_UNKNOWN_DIM : x->dims[x->rank - 1];
    TRY(need_vector(call, 1, features));
    TRY(need_vector(call, 2, features));
    return op_infer_same(call);
}

static wlk_status scaler_kernel(const op_call *call) {
    const op_tensor *x = op_input(call, 0);
    const double *from = x->data;
    double *out = op_output(call, 0)->target;
    const double *mean = op_input(call, 1) ? op_input(call, 1)->data : NULL;
    const double *scale = op_input(call, 2) ? op_input(call, 2)->data : NULL;
    const uint64_t columns = (uint64_t)x->dims[x->rank - 1];
    for (uint64_t i = 0; i < x->count; i += columns) {
        for (uint64_t j = 0; j < columns; j++) {
            const double moved = mean ? from[i + j] - mean[j] : from[i + j];
            out[i + j] = scale ? moved / scale[j] : moved;
        }
    }
    return WLK_OK;
}

/* ---- both linear models */

/* Checks X [n, k], coefficients [c, k], intercepts [c]; *outputs = c. */
static wlk_status linear_shapes(const op_call *call, int64_t *outputs) {
    TRY(shape_need_rank(call, 0, 2, 2));
    TRY(shape_need_rank(call, 1, 2, 2));
    const linear_rows x = linear_rows_of(op_input(call, 0));
    const linear_rows weights = linear_rows_of(op_input(call, 1));
    *outputs = weights.rows;
    if (!dim_agrees(x.columns, weights.columns)) return shape_mismatch(call, 0, 1);
    if (!op_input(call, 2)) return WLK_OK;
    TRY(shape_need_rank(call, 2, 1, 1));
    const op_tensor *intercepts = op_input(call, 2);
    if (intercepts->rank == WLK_NONE) return WLK_OK;
    if (!dim_agrees(intercepts->dims[0], *outputs)) return shape_mismatch(call, 1, 2);
    *outputs = dim_known(*outputs, intercepts->dims[0]);
    return WLK_OK;
}

static linear_product product_of(const op_call *call) {
    const linear_rows x = linear_rows_of(op_input(call, 0));
    const op_tensor *weights = op_input(call, 1);
    const op_tensor *intercepts = op_input(call, 2);
    return (linear_product){.dtype = WLK_F64,
                            .rows = (uint64_t)x.rows,
                            .columns = (uint64_t)x.columns,
                            .outputs = (uint64_t)weights->dims[0],
                            .x = op_input(call, 0)->data,
                            .coefficients = weights->data,
                            .intercepts = intercepts ? intercepts->data : NULL};
}

static wlk_status bind_product(op_call *call) {
    if (!call->binding) return WLK_OK;
    const linear_product product = product_of(call);
    return linear_check(call, &product);
}

/* ---- LinearClassifier */

enum { CLASSIFIER_INTS, CLASSIFIER_STRINGS, CLASSIFIER_TRANSFORM };

static wlk_status classifier_infer(op_call *call) {
    linear_labels labels;
    score_transform transform = SCORE_NONE;
    int64_t scores = 0;
    TRY(linear_labels_read(call, CLASSIFIER_INTS, CLASSIFIER_STRINGS, &labels));
    TRY(linear_transform_read(call, CLASSIFIER_TRANSFORM, SCORE_ONE_VS_REST, &transform));
    TRY(linear_shapes(call, &scores));
    if (scores != WLK_UNKNOWN_DIM && !linear_labels_fit(&labels, (uint64_t)scores)) {
        return op_fail(call, op_shape_rule(call), "%lld rows of coefficients for %u labels",
                       (long long)scores, labels.count);
    }
    const int64_t rows = linear_rows_of(op_input(call, 0)).rows;
    TRY(linear_classifier_outputs(call, rows, &labels, WLK_F64));
    return bind_product(call);
}

static wlk_status classifier_kernel(const op_call *call) {
    linear_labels labels;
    score_transform transform = SCORE_NONE;
    TRY(linear_labels_read(call, CLASSIFIER_INTS, CLASSIFIER_STRINGS, &labels));
    TRY(linear_transform_read(call, CLASSIFIER_TRANSFORM, SCORE_ONE_VS_REST, &transform));
    const linear_product product = product_of(call);
    linear_scores(&product, op_output(call, 1)->target);
    linear_classify(call, &labels, product.outputs, transform, call->scratch);
    return WLK_OK;
}

/* ---- LinearRegressor */

static wlk_status regressor_infer(op_call *call) {
    int64_t targets = 0;
    TRY(linear_shapes(call, &targets));
    const int64_t dims[2] = {linear_rows_of(op_input(call, 0)).rows, targets};
    op_set_output(call, 0, WLK_F64, 2, dims);
    return bind_product(call);
}

static wlk_status regressor_kernel(const op_call *call) {
    const linear_product product = product_of(call);
    linear_scores(&product, op_output(call, 0)->target);
    return WLK_OK;
}

/* ---- rows */

static const attribute_row classifier_attributes[] = {
    [CLASSIFIER_INTS] = {.name = "classlabels_ints", .type = WLK_ATTR_INTS},
    [CLASSIFIER_STRINGS] = {.name = "classlabels_strings", .type = WLK_ATTR_STRINGS},
    [CLASSIFIER_TRANSFORM] = {.name = "post_transform", .type = WLK_ATTR_STRING, .s = "NONE"},
};

static const op_port scaler_ports[] = {{"X", DTYPE_BIT(WLK_F64), 0},
                                       {"mean", DTYPE_BIT(WLK_F64), 0},
                                       {"scale", DTYPE_BIT(WLK_F64), 0}};
static const op_port linear_ports[] = {{"X", DTYPE_BIT(WLK_F64), 0},
                                       {"coefficients", DTYPE_BIT(WLK_F64), 0},
                                       {"intercepts", DTYPE_BIT(WLK_F64), 0}};

static const op_row rows[] = {
    {.domain = "org.weighlock",
     .name = "Scaler",
     .since = 1,
     .min_inputs = 1,
     .max_inputs = 3,
     .min_outputs = 1,
     .max_outputs = 1,
     .ports = scaler_ports,
     .infer = scaler_infer,
     .kernel = scaler_kernel},
    {.domain = "org.weighlock",
     .name = "LinearClassifier",
     .since = 1,
     .min_inputs = 2,
     .max_inputs = 3,
     .min_outputs = 2,
     .max_outputs = 2,
     .ports = linear_ports,
     .attributes = classifier_attributes,
     .attribute_count = sizeof classifier_attributes / sizeof *classifier_attributes,
     .infer = classifier_infer,
     .kernel = classifier_kernel},
    {.domain = "org.weighlock",
     .name = "LinearRegressor",
     .since = 1,
     .min_inputs = 2,
     .max_inputs = 3,
     .min_outputs = 1,
     .max_outputs = 1,
     .ports = linear_ports,
     .infer = regressor_infer,
     .kernel = regressor_kernel},
};

const op_family ops_weighlock = {rows, sizeof rows / sizeof *rows};

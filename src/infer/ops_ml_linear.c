/* ai.onnx.ml LinearClassifier and LinearRegressor: inputs of any of the four
 * dtypes become float32, which is what coefficients and results are. */
#include "infer/linear.h"
#include "infer/ops.h"
#include "infer/shape.h"

static linear_product ml_product(const op_call *call, uint32_t outputs, attribute_value weights,
                                 attribute_value intercepts) {
    const linear_rows rows = linear_rows_of(op_input(call, 0));
    return (linear_product){.dtype = WLK_F32,
                            .rows = (uint64_t)rows.rows,
                            .columns = (uint64_t)rows.columns,
                            .outputs = outputs,
                            .coefficients = weights.floats,
                            .intercepts = intercepts.count > 0 ? intercepts.floats : NULL};
}

/* Working memory: a row of doubles comes first, then X as float32 if it is not. */
static wlk_status need_floats(op_call *call) {
    const op_tensor *x = op_input(call, 0);
    return x->dtype == WLK_F32 ? WLK_OK : op_need_scratch(call, x->count, sizeof(float));
}

static uint64_t row_bytes(uint64_t count) {
    return (count * sizeof(double) + TENSOR_ALIGN - 1) / TENSOR_ALIGN * TENSOR_ALIGN;
}

static const float *floats_of(const op_call *call, uint64_t row_length) {
    const op_tensor *x = op_input(call, 0);
    if (x->dtype == WLK_F32) return x->data;
    float *out = (float *)((char *)call->scratch + row_bytes(row_length));
    for (uint64_t i = 0; i < x->count; i++) {
        if (x->dtype == WLK_F64) out[i] = (float)((const double *)x->data)[i];
        if (x->dtype == WLK_I64) out[i] = (float)((const int64_t *)x->data)[i];
        if (x->dtype == WLK_I32) out[i] = (float)((const int32_t *)x->data)[i];
    }
    return out;
}

static wlk_status columns_differ(const op_call *call, int64_t columns, uint32_t weights) {
    return op_fail(call, op_shape_rule(call),
                   "input 0 has %lld columns, which %u coefficients do not fit", (long long)columns,
                   weights);
}

/* ---- LinearClassifier */

enum {
    CLASSIFIER_INTS,
    CLASSIFIER_STRINGS,
    CLASSIFIER_COEFFICIENTS,
    CLASSIFIER_INTERCEPTS,
    CLASSIFIER_MULTI_CLASS,
    CLASSIFIER_TRANSFORM
};

/* *scores = how many scores a row gets: one for each intercept, or, without
 * them, for each group of as many coefficients as there are columns. 0 while the
 * columns are not known. */
static wlk_status classifier_scores(const op_call *call, const linear_labels *labels,
                                    int64_t columns, uint32_t *scores) {
    const uint32_t weights = op_attribute(call, CLASSIFIER_COEFFICIENTS).count;
    *scores = op_attribute(call, CLASSIFIER_INTERCEPTS).count;
    if (*scores > 0 && (weights % *scores != 0 || !linear_labels_fit(labels, *scores))) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE,
                       "%u labels, %u intercepts and %u coefficients do not fit", labels->count,
                       *scores, weights);
    }
    if (columns == WLK_UNKNOWN_DIM) return WLK_OK;
    if (*scores == 0) *scores = columns == 0 ? labels->count : (uint32_t)(weights / columns);
    uint64_t needed = 0;
    if (!linear_labels_fit(labels, *scores) ||
        __builtin_mul_overflow((uint64_t)columns, (uint64_t)*scores, &needed) ||
        needed != weights) {
        return columns_differ(call, columns, weights);
    }
    return WLK_OK;
}

/* What shape rule and kernel both read. */
typedef struct classifier {
    linear_labels labels;
    score_transform transform;
    uint32_t scores;
} classifier;

static wlk_status classifier_read(const op_call *call, classifier *out) {
    TRY(linear_labels_read(call, CLASSIFIER_INTS, CLASSIFIER_STRINGS, &out->labels));
    TRY(linear_transform_read(call, CLASSIFIER_TRANSFORM, SCORE_PROBIT, &out->transform));
    return classifier_scores(call, &out->labels, linear_rows_of(op_input(call, 0)).columns,
                             &out->scores);
}

static linear_product classifier_product(const op_call *call, const classifier *c) {
    return ml_product(call, c->scores, op_attribute(call, CLASSIFIER_COEFFICIENTS),
                      op_attribute(call, CLASSIFIER_INTERCEPTS));
}

static wlk_status classifier_infer(op_call *call) {
    classifier c;
    TRY(shape_need_rank(call, 0, 1, 2));
    TRY(classifier_read(call, &c));
    const linear_rows rows = linear_rows_of(op_input(call, 0));
    TRY(linear_classifier_outputs(call, rows.rows, &c.labels, WLK_F32));
    if (!call->binding) return WLK_OK;
    const linear_product product = classifier_product(call, &c);
    TRY(linear_check(call, &product));
    return need_floats(call);
}

static wlk_status classifier_kernel(const op_call *call) {
    classifier c;
    TRY(classifier_read(call, &c));
    linear_product product = classifier_product(call, &c);
    product.x = floats_of(call, c.labels.count);
    linear_scores(&product, op_output(call, 1)->target);
    linear_classify(call, &c.labels, c.scores, c.transform, call->scratch);
    return WLK_OK;
}

/* ---- LinearRegressor */

enum { REGRESSOR_COEFFICIENTS, REGRESSOR_INTERCEPTS, REGRESSOR_TRANSFORM, REGRESSOR_TARGETS };

static wlk_status regressor_targets(const op_call *call, uint32_t *targets) {
    const int64_t wanted = op_attribute(call, REGRESSOR_TARGETS).i;
    const uint32_t weights = op_attribute(call, REGRESSOR_COEFFICIENTS).count;
    const uint32_t intercepts = op_attribute(call, REGRESSOR_INTERCEPTS).count;
    if (wanted < 1 || wanted > UINT32_MAX || weights % wanted != 0 ||
        (intercepts > 0 && intercepts != wanted)) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE,
                       "%lld targets, %u intercepts and %u coefficients do not fit",
                       (long long)wanted, intercepts, weights);
    }
    *targets = (uint32_t)wanted;
    const int64_t columns = linear_rows_of(op_input(call, 0)).columns;
    if (columns == WLK_UNKNOWN_DIM || columns == weights / wanted) return WLK_OK;
    return columns_differ(call, columns, weights);
}

static linear_product regressor_product(const op_call *call, uint32_t targets) {
    return ml_product(call, targets, op_attribute(call, REGRESSOR_COEFFICIENTS),
                      op_attribute(call, REGRESSOR_INTERCEPTS));
}

static wlk_status regressor_infer(op_call *call) {
    uint32_t targets = 0;
    score_transform transform = SCORE_NONE;
    TRY(shape_need_rank(call, 0, 1, 2));
    TRY(linear_transform_read(call, REGRESSOR_TRANSFORM, SCORE_PROBIT, &transform));
    TRY(regressor_targets(call, &targets));
    const int64_t dims[2] = {linear_rows_of(op_input(call, 0)).rows, targets};
    op_set_output(call, 0, WLK_F32, 2, dims);
    if (!call->binding) return WLK_OK;
    const linear_product product = regressor_product(call, targets);
    TRY(linear_check(call, &product));
    TRY(op_need_scratch(call, targets, sizeof(double)));
    return need_floats(call);
}

static wlk_status regressor_kernel(const op_call *call) {
    const op_tensor *out = op_output(call, 0);
    uint32_t targets = 0;
    score_transform transform = SCORE_NONE;
    TRY(linear_transform_read(call, REGRESSOR_TRANSFORM, SCORE_PROBIT, &transform));
    TRY(regressor_targets(call, &targets));
    linear_product product = regressor_product(call, targets);
    product.x = floats_of(call, targets);
    linear_scores(&product, out->target);
    linear_transform(WLK_F32, out->target, product.rows, targets, transform, call->scratch);
    return WLK_OK;
}

/* ---- rows */

/* multi_class says how the model was trained; the computation is the same. */
static const attribute_row classifier_attributes[] = {
    [CLASSIFIER_INTS] = {.name = "classlabels_ints", .type = WLK_ATTR_INTS},
    [CLASSIFIER_STRINGS] = {.name = "classlabels_strings", .type = WLK_ATTR_STRINGS},
    [CLASSIFIER_COEFFICIENTS] = {.name = "coefficients", .type = WLK_ATTR_FLOATS, .required = true},
    [CLASSIFIER_INTERCEPTS] = {.name = "intercepts", .type = WLK_ATTR_FLOATS},
    [CLASSIFIER_MULTI_CLASS] = {.name = "multi_class", .type = WLK_ATTR_INT, .i = 0},
    [CLASSIFIER_TRANSFORM] = {.name = "post_transform", .type = WLK_ATTR_STRING, .s = "NONE"},
};

static const attribute_row regressor_attributes[] = {
    [REGRESSOR_COEFFICIENTS] = {.name = "coefficients", .type = WLK_ATTR_FLOATS},
    [REGRESSOR_INTERCEPTS] = {.name = "intercepts", .type = WLK_ATTR_FLOATS},
    [REGRESSOR_TRANSFORM] = {.name = "post_transform", .type = WLK_ATTR_STRING, .s = "NONE"},
    [REGRESSOR_TARGETS] = {.name = "targets", .type = WLK_ATTR_INT, .i = 1},
};

static const op_port port[] = {{"X", DTYPES_FLOAT | DTYPE_BIT(WLK_I64) | DTYPE_BIT(WLK_I32), 'T'}};

static const op_row rows[] = {
    {.domain = "ai.onnx.ml",
     .name = "LinearClassifier",
     .since = 1,
     .min_inputs = 1,
     .max_inputs = 1,
     .min_outputs = 2,
     .max_outputs = 2,
     .ports = port,
     .attributes = classifier_attributes,
     .attribute_count = sizeof classifier_attributes / sizeof *classifier_attributes,
     .infer = classifier_infer,
     .kernel = classifier_kernel},
    {.domain = "ai.onnx.ml",
     .name = "LinearRegressor",
     .since = 1,
     .min_inputs = 1,
     .max_inputs = 1,
     .min_outputs = 1,
     .max_outputs = 1,
     .ports = port,
     .attributes = regressor_attributes,
     .attribute_count = sizeof regressor_attributes / sizeof *regressor_attributes,
     .infer = regressor_infer,
     .kernel = regressor_kernel},
};

const op_family ops_ml_linear = {rows, sizeof rows / sizeof *rows};

/* ai.onnx.ml SVMClassifier and SVMRegressor: support vectors with a kernel, or, without
 * any, a linear model. Kernel values are float32, as the attributes are; sums of them are
 * double. Where the standard is silent (votes, the scores of two classes, one score for
 * each pair of more), this is what libsvm and onnxruntime do. */
#include <math.h>
#include <string.h>

#include "base/checked.h"
#include "infer/blas.h"
#include "infer/linear.h"
#include "infer/ops.h"
#include "infer/parallel.h"
#include "infer/shape.h"
#include "infer/svm.h"

/* ---- preparation */

enum {
    SVM_KERNEL,
    SVM_PARAMETERS,
    SVM_COEFFICIENTS,
    SVM_RHO,
    SVM_VECTORS,
    SVM_TRANSFORM,
    SVM_COMMON,
    CLASSIFIER_INTS = SVM_COMMON,
    CLASSIFIER_STRINGS,
    CLASSIFIER_PROB_A,
    CLASSIFIER_PROB_B,
    CLASSIFIER_PER_CLASS,
    CLASSIFIER_ATTRIBUTES,
    REGRESSOR_SUPPORTS = SVM_COMMON,
    REGRESSOR_ONE_CLASS,
    REGRESSOR_ATTRIBUTES
};

static const char *const kernel_names[] = {
    [SVM_LINEAR] = "LINEAR", [SVM_POLY] = "POLY", [SVM_RBF] = "RBF", [SVM_SIGMOID] = "SIGMOID"};

static wlk_status read_kernel(const op_call *call, svm_model *svm) {
    const char *name = op_attribute(call, SVM_KERNEL).s;
    const attribute_value parameters = op_attribute(call, SVM_PARAMETERS);
    uint32_t i = 0;
    while (i <= SVM_SIGMOID && strcmp(kernel_names[i], name) != 0) i++;
    if (i > SVM_SIGMOID) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "kernel_type '%.40s'", name);
    }
    if (parameters.count != 0 && parameters.count != 3) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "kernel_params has %u values, not 3",
                       parameters.count);
    }
    svm->kernel = (svm_kernel)i;
    if (parameters.count == 0) return WLK_OK;
    svm->gamma = parameters.floats[0];
    svm->coef0 = parameters.floats[1];
    svm->degree = parameters.floats[2];
    return WLK_OK;
}

static wlk_status need_count(const op_call *call, uint32_t attribute, uint64_t least) {
    const uint32_t count = op_attribute(call, attribute).count;
    if (count >= least) return WLK_OK;
    return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "%s has %u values, less than %llu",
                   call->node->row->attributes[attribute].name, count, (unsigned long long)least);
}

/* Rows of the product: support vectors, or, of a linear model, its outputs. */
static wlk_status divide_rows(const op_call *call, uint32_t attribute, uint64_t rows,
                              svm_model *svm) {
    const attribute_value list = op_attribute(call, attribute);
    if (rows == 0 || rows > list.count || list.count % rows != 0) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "%u %s in %llu rows", list.count,
                       call->node->row->attributes[attribute].name, (unsigned long long)rows);
    }
    svm->rows = list.floats;
    svm->row_count = (uint32_t)rows;
    svm->columns = (uint32_t)(list.count / rows);
    return WLK_OK;
}

static wlk_status svm_new(const op_call *call, plan_memory *memory, svm_model **out) {
    void *made = NULL;
    TRY(plan_take(memory, 1, sizeof(svm_model), &made, call->error));
    *out = made;
    (*out)->coefficients = op_attribute(call, SVM_COEFFICIENTS).floats;
    (*out)->rho = op_attribute(call, SVM_RHO).floats;
    TRY(read_kernel(call, *out));
    return linear_transform_read(call, SVM_TRANSFORM, SCORE_PROBIT, &(*out)->transform);
}

/* Where the support vectors of each class begin; *total is all of them. */
static wlk_status read_classes(const op_call *call, plan_memory *memory, svm_model *svm,
                               uint64_t *total) {
    const attribute_value counts = op_attribute(call, CLASSIFIER_PER_CLASS);
    void *list = NULL;
    TRY(plan_take(memory, (uint64_t)counts.count + 1, sizeof(uint32_t), &list, call->error));
    uint32_t *first = list;
    *total = 0;
    for (uint32_t i = 0; i < counts.count; i++) {
        if (counts.ints[i] < 0 || counts.ints[i] > INT32_MAX ||
            *total + (uint64_t)counts.ints[i] > INT32_MAX) {
            return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "vectors_per_class[%u] is %lld", i,
                           (long long)counts.ints[i]);
        }
        *total += (uint64_t)counts.ints[i];
        first[i + 1] = (uint32_t)*total;
    }
    svm->first_vector = first;
    if (*total == 0 || (counts.count == svm->labels.count && counts.count > 1)) return WLK_OK;
    return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "vectors_per_class has %u values, %u labels",
                   counts.count, svm->labels.count);
}

static wlk_status read_probabilities(const op_call *call, svm_model *svm) {
    const attribute_value a = op_attribute(call, CLASSIFIER_PROB_A);
    const attribute_value b = op_attribute(call, CLASSIFIER_PROB_B);
    if (a.count != b.count) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "prob_a has %u values, prob_b %u", a.count,
                       b.count);
    }
    if (a.count == 0) return WLK_OK;
    svm->prob_a = a.floats;
    svm->prob_b = b.floats;
    return svm->is_linear ? WLK_OK : need_count(call, CLASSIFIER_PROB_A, svm->pairs);
}

static wlk_status classifier_prepare(op_call *call, plan_memory *memory, const void **prepared) {
    svm_model *svm = NULL;
    uint64_t vectors = 0;
    TRY(svm_new(call, memory, &svm));
    TRY(linear_labels_read(call, CLASSIFIER_INTS, CLASSIFIER_STRINGS, &svm->labels));
    TRY(read_classes(call, memory, svm, &vectors));
    const uint64_t classes = svm->labels.count;
    const attribute_value coefficients = op_attribute(call, SVM_COEFFICIENTS);
    svm->is_linear = vectors == 0;
    svm->pairs = classes * (classes - 1) / 2;
    if (svm->is_linear) {
        svm->kernel = SVM_LINEAR;
        TRY(divide_rows(call, SVM_COEFFICIENTS, classes, svm));
        TRY(need_count(call, SVM_RHO, 1));
    } else {
        TRY(divide_rows(call, SVM_VECTORS, vectors, svm));
        TRY(need_count(call, SVM_COEFFICIENTS, (classes - 1) * vectors));
        TRY(need_count(call, SVM_RHO, svm->pairs));
    }
    TRY(read_probabilities(call, svm));
    svm->all_positive = true;
    for (uint32_t i = 0; i < coefficients.count; i++) {
        if (!(coefficients.floats[i] >= 0)) svm->all_positive = false;
    }
    svm->outputs = svm_outputs(svm);
    *prepared = svm;
    return WLK_OK;
}

static wlk_status regressor_prepare(op_call *call, plan_memory *memory, const void **prepared) {
    const int64_t supports = op_attribute(call, REGRESSOR_SUPPORTS).i;
    svm_model *svm = NULL;
    TRY(svm_new(call, memory, &svm));
    if (supports < 0 || supports > INT32_MAX) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "n_supports is %lld", (long long)supports);
    }
    svm->is_linear = supports == 0;
    svm->one_class = op_attribute(call, REGRESSOR_ONE_CLASS).i != 0;
    svm->outputs = 1;
    TRY(need_count(call, SVM_RHO, 1));
    if (svm->is_linear) {
        svm->kernel = SVM_LINEAR;
        TRY(divide_rows(call, SVM_COEFFICIENTS, 1, svm));
    } else {
        TRY(divide_rows(call, SVM_VECTORS, (uint64_t)supports, svm));
        TRY(need_count(call, SVM_COEFFICIENTS, (uint64_t)supports));
    }
    *prepared = svm;
    return WLK_OK;
}

/* ---- shapes and working memory */

#define PIECE_ROWS 64
#define GROUP_PIECES 8 /* as many have their working memory at once */
#define GROUP_ROWS ((uint64_t)PIECE_ROWS * GROUP_PIECES)
#define EXP_COST ((uint64_t)10 * OP_ELEMENT_COST)

/* For each row of a group its kernel values and, if it is not f32, the row as such; for
 * each piece what one row needs at a time. */
typedef struct svm_memory {
    float *values;
    float *x;
    double *row;
} svm_memory;

static uint64_t least(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static uint64_t padded(uint64_t bytes) {
    return (bytes + TENSOR_ALIGN - 1) / TENSOR_ALIGN * TENSOR_ALIGN;
}

static wlk_status need_memory(op_call *call, uint64_t rows) {
    const svm_model *svm = call->node->prepared;
    const uint64_t group = least(rows, GROUP_ROWS);
    TRY(op_need_scratch(call, group * svm->row_count, sizeof(float)));
    TRY(op_need_scratch(call, svm_row_doubles(svm), GROUP_PIECES * sizeof(double)));
    if (op_input(call, 0)->dtype == WLK_F32) return WLK_OK;
    return op_need_scratch(call, group * svm->columns, sizeof(float));
}

static svm_memory memory_of(const op_call *call, uint64_t rows) {
    const svm_model *svm = call->node->prepared;
    const uint64_t group = least(rows, GROUP_ROWS);
    char *at = call->scratch;
    svm_memory memory = {.values = (float *)(void *)at};
    at += padded(group * svm->row_count * sizeof(float));
    memory.row = (double *)(void *)at;
    at += padded(svm_row_doubles(svm) * GROUP_PIECES * sizeof(double));
    if (op_input(call, 0)->dtype != WLK_F32) memory.x = (float *)(void *)at;
    return memory;
}

static wlk_status svm_rows(op_call *call, int64_t *rows) {
    const svm_model *svm = call->node->prepared;
    TRY(shape_need_rank(call, 0, 1, 2));
    const linear_rows shape = linear_rows_of(op_input(call, 0));
    *rows = shape.rows;
    if (shape.columns == WLK_UNKNOWN_DIM || shape.columns == svm->columns) return WLK_OK;
    return op_fail(call, op_shape_rule(call), "the model has %u columns, input 0 has %lld",
                   svm->columns, (long long)shape.columns);
}

static wlk_status declare_work(op_call *call, uint64_t rows) {
    const svm_model *svm = call->node->prepared;
    const product size = {.m = least(rows, GROUP_ROWS), .n = svm->row_count, .k = svm->columns};
    if (!product_fits(&size)) {
        return op_fail(call, RULE_RUN_MATRIX, "%u support vectors", svm->row_count);
    }
    op_add_operations(call, svm->kernel == SVM_RBF ? 4 : 1, rows, svm->row_count, svm->columns);
    op_add_operations(call, svm->kernel == SVM_LINEAR ? OP_ELEMENT_COST : EXP_COST, rows,
                      svm->row_count, 1);
    op_add_operations(call, OP_INTEGER_COST, rows, svm_row_work(svm), 1);
    return need_memory(call, rows);
}

static wlk_status classifier_infer(op_call *call) {
    const svm_model *svm = call->node->prepared;
    int64_t dims[2] = {0, (int64_t)svm->outputs};
    TRY(svm_rows(call, &dims[0]));
    TRY(linear_classifier_outputs(call, dims[0], &svm->labels, WLK_F32));
    op_set_output(call, 1, WLK_F32, 2, dims);
    return call->binding ? declare_work(call, (uint64_t)dims[0]) : WLK_OK;
}

static wlk_status regressor_infer(op_call *call) {
    int64_t dims[2] = {0, 1};
    TRY(svm_rows(call, &dims[0]));
    op_set_output(call, 0, WLK_F32, 2, dims);
    return call->binding ? declare_work(call, (uint64_t)dims[0]) : WLK_OK;
}

/* ---- kernels */

typedef struct svm_run {
    const op_call *call;
    const svm_model *svm;
    svm_memory memory;
    uint64_t start; /* of the group */
} svm_run;

static const float *floats_of(const svm_run *run, uint64_t from, uint64_t rows) {
    const op_tensor *in = op_input(run->call, 0);
    const uint64_t columns = run->svm->columns;
    const uint64_t first = (run->start + from) * columns;
    if (in->dtype == WLK_F32) return (const float *)in->data + first;
    float *out = run->memory.x + from * columns;
    for (uint64_t i = 0; i < rows * columns; i++) {
        if (in->dtype == WLK_F64) out[i] = (float)((const double *)in->data)[first + i];
        if (in->dtype == WLK_I64) out[i] = (float)((const int64_t *)in->data)[first + i];
        if (in->dtype == WLK_I32) out[i] = (float)((const int32_t *)in->data)[first + i];
    }
    return out;
}

/* One row: its kernel values become outputs, and a classifier's label. */
static void finish_row(const svm_run *run, uint64_t row, const float *values, double *scratch) {
    const svm_model *svm = run->svm;
    const bool is_classifier = svm->labels.count > 0;
    float *out = (float *)op_output(run->call, is_classifier)->target + row * svm->outputs;
    if (is_classifier) {
        const uint64_t label = svm_classify(svm, values, scratch);
        linear_label_number(op_output(run->call, 0), row, label);
    } else {
        scratch[0] = svm_regress(svm, values);
    }
    for (uint64_t i = 0; i < svm->outputs; i++) out[i] = (float)scratch[i];
}

/* Rows [from, to) of the group. */
static void do_rows(void *context, uint64_t from, uint64_t to) {
    const svm_run *run = context;
    const svm_model *svm = run->svm;
    float *values = run->memory.values + from * svm->row_count;
    double *scratch = run->memory.row + from / PIECE_ROWS * svm_row_doubles(svm);
    svm_values(svm, floats_of(run, from, to - from), to - from, values);
    for (uint64_t i = from; i < to; i++) {
        finish_row(run, run->start + i, values + (i - from) * svm->row_count, scratch);
    }
}

static wlk_status svm_run_rows(const op_call *call) {
    const uint64_t rows = (uint64_t)linear_rows_of(op_input(call, 0)).rows;
    svm_run run = {.call = call, .svm = call->node->prepared, .memory = memory_of(call, rows)};
    for (; run.start < rows; run.start += GROUP_ROWS) {
        op_parallel(call, least(rows - run.start, GROUP_ROWS), PIECE_ROWS, do_rows, &run);
    }
    if (run.svm->labels.count > 0) linear_labels_place(&run.svm->labels, op_output(call, 0));
    return WLK_OK;
}

/* ---- rows */

#define COMMON_ATTRIBUTES                                                           \
    [SVM_KERNEL] = {.name = "kernel_type", .type = WLK_ATTR_STRING, .s = "LINEAR"}, \
    [SVM_PARAMETERS] = {.name = "kernel_params", .type = WLK_ATTR_FLOATS},          \
    [SVM_COEFFICIENTS] = {.name = "coefficients", .type = WLK_ATTR_FLOATS},         \
    [SVM_RHO] = {.name = "rho", .type = WLK_ATTR_FLOATS},                           \
    [SVM_VECTORS] = {.name = "support_vectors", .type = WLK_ATTR_FLOATS},           \
    [SVM_TRANSFORM] = {.name = "post_transform", .type = WLK_ATTR_STRING, .s = "NONE"}

static const attribute_row classifier_attributes[] = {
    COMMON_ATTRIBUTES,
    [CLASSIFIER_INTS] = {.name = "classlabels_ints", .type = WLK_ATTR_INTS},
    [CLASSIFIER_STRINGS] = {.name = "classlabels_strings", .type = WLK_ATTR_STRINGS},
    [CLASSIFIER_PROB_A] = {.name = "prob_a", .type = WLK_ATTR_FLOATS},
    [CLASSIFIER_PROB_B] = {.name = "prob_b", .type = WLK_ATTR_FLOATS},
    [CLASSIFIER_PER_CLASS] = {.name = "vectors_per_class", .type = WLK_ATTR_INTS},
};

static const attribute_row regressor_attributes[] = {
    COMMON_ATTRIBUTES,
    [REGRESSOR_SUPPORTS] = {.name = "n_supports", .type = WLK_ATTR_INT, .i = 0},
    [REGRESSOR_ONE_CLASS] = {.name = "one_class", .type = WLK_ATTR_INT, .i = 0},
};

static const op_port port[] = {{"X", DTYPES_FLOAT | DTYPE_BIT(WLK_I64) | DTYPE_BIT(WLK_I32), 'T'}};

static const op_row rows[] = {
    {.domain = "ai.onnx.ml",
     .name = "SVMClassifier",
     .since = 1,
     .min_inputs = 1,
     .max_inputs = 1,
     .min_outputs = 2,
     .max_outputs = 2,
     .ports = port,
     .attributes = classifier_attributes,
     .attribute_count = CLASSIFIER_ATTRIBUTES,
     .infer = classifier_infer,
     .kernel = svm_run_rows,
     .prepare = classifier_prepare},
    {.domain = "ai.onnx.ml",
     .name = "SVMRegressor",
     .since = 1,
     .min_inputs = 1,
     .max_inputs = 1,
     .min_outputs = 1,
     .max_outputs = 1,
     .ports = port,
     .attributes = regressor_attributes,
     .attribute_count = REGRESSOR_ATTRIBUTES,
     .infer = regressor_infer,
     .kernel = svm_run_rows,
     .prepare = regressor_prepare},
};

const op_family ops_ml_svm = {rows, sizeof rows / sizeof *rows};

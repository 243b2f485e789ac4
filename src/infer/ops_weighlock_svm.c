/* org.weighlock SVMClassifier and SVMRegressor: support vector machines with a kernel in
 * float64, as libsvm computes them, which ai.onnx.ml (float32) cannot say. docs/operators.md
 * describes them. */
#include <string.h>

#include "base/checked.h"
#include "infer/blas.h"
#include "infer/linear.h"
#include "infer/ops.h"
#include "infer/parallel.h"
#include "infer/shape.h"
#include "infer/svm_couple.h"
#include "infer/svm_f64.h"

/* ---- preparation */

enum {
    SVM_KERNEL,
    SVM_GAMMA,
    SVM_COEF0,
    SVM_DEGREE,
    SVM_SUPPORT,
    SVM_DUAL,
    SVM_INTERCEPTS,
    SVM_COMMON,
    CLASSIFIER_COUNTS = SVM_COMMON,
    CLASSIFIER_PROB_A,
    CLASSIFIER_PROB_B,
    CLASSIFIER_BREAK_TIES,
    CLASSIFIER_ATTRIBUTES
};

/* Outputs of a classifier. */
enum { OUT_INDEX, OUT_SCORES, OUT_DECISIONS, OUT_PROBABILITIES };

static const char *const kernel_names[] = {
    [SVM_LINEAR] = "LINEAR", [SVM_POLY] = "POLY", [SVM_RBF] = "RBF", [SVM_SIGMOID] = "SIGMOID"};

static wlk_status read_kernel(const op_call *call, svm_f64 *svm) {
    const char *name = op_attribute(call, SVM_KERNEL).s;
    const int64_t degree = op_attribute(call, SVM_DEGREE).i;
    uint32_t i = 0;
    while (i <= SVM_SIGMOID && strcmp(kernel_names[i], name) != 0) i++;
    if (i > SVM_SIGMOID) return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "kernel '%.40s'", name);
    if (degree < 0 || degree > INT32_MAX) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "degree is %lld", (long long)degree);
    }
    svm->kernel = (svm_kernel)i;
    svm->gamma = op_attribute(call, SVM_GAMMA).f;
    svm->coef0 = op_attribute(call, SVM_COEF0).f;
    svm->degree = (uint32_t)degree;
    return WLK_OK;
}

/* The numbers of attribute i, an f64 tensor of exactly `rows` by `columns`; of one axis where
 * rows is 0. */
static wlk_status read_tensor(const op_call *call, uint32_t attribute, uint64_t rows,
                              uint64_t columns, const double **out) {
    const op_tensor *t = op_attribute_tensor(call, attribute);
    const uint32_t rank = rows > 0 ? 2 : 1;
    if (t->dtype == WLK_F64 && t->rank == rank && (uint64_t)t->dims[rank - 1] == columns &&
        (rank == 1 || (uint64_t)t->dims[0] == rows)) {
        *out = t->data;
        return WLK_OK;
    }
    char text[TENSOR_TEXT_BYTES];
    return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "%s is %s",
                   call->node->row->attributes[attribute].name, tensor_text(t, text));
}

static wlk_status svm_new(const op_call *call, plan_memory *memory, svm_f64 **out) {
    const op_tensor *support = op_attribute_tensor(call, SVM_SUPPORT);
    void *made = NULL;
    char text[TENSOR_TEXT_BYTES];
    TRY(plan_take(memory, 1, sizeof(svm_f64), &made, call->error));
    *out = made;
    TRY(read_kernel(call, *out));
    if (support->dtype != WLK_F64 || support->rank != 2 || support->dims[0] > INT32_MAX ||
        support->dims[1] > INT32_MAX) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "support is %s",
                       tensor_text(support, text));
    }
    (*out)->vectors = support->data;
    (*out)->vector_count = (uint32_t)support->dims[0];
    (*out)->columns = (uint32_t)support->dims[1];
    return WLK_OK;
}

#define CLASSES_MAX 32768 /* so that their pairs are below 2^31 */

/* Where the support vectors of each class begin. */
static wlk_status read_counts(const op_call *call, plan_memory *memory, svm_f64 *svm) {
    const attribute_value counts = op_attribute(call, CLASSIFIER_COUNTS);
    uint64_t total = 0;
    void *list = NULL;
    if (counts.count < 2 || counts.count > CLASSES_MAX) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "counts has %u values", counts.count);
    }
    TRY(plan_take(memory, (uint64_t)counts.count + 1, sizeof(uint32_t), &list, call->error));
    uint32_t *first = list;
    for (uint32_t i = 0; i < counts.count; i++) {
        if (counts.ints[i] < 0 || (uint64_t)counts.ints[i] > svm->vector_count - total) {
            return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "counts[%u] is %lld of %u vectors", i,
                           (long long)counts.ints[i], svm->vector_count);
        }
        total += (uint64_t)counts.ints[i];
        first[i + 1] = (uint32_t)total;
    }
    svm->first_vector = first;
    svm->classes = counts.count;
    svm->pairs = counts.count * (counts.count - 1) / 2;
    if (total == svm->vector_count) return WLK_OK;
    return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "counts has %llu of %u vectors",
                   (unsigned long long)total, svm->vector_count);
}

static wlk_status read_probabilities(const op_call *call, svm_f64 *svm) {
    const bool has_a = op_attribute(call, CLASSIFIER_PROB_A).given;
    const bool has_b = op_attribute(call, CLASSIFIER_PROB_B).given;
    if (has_a != has_b) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "one of prob_a and prob_b alone");
    }
    if (!has_a) return WLK_OK;
    TRY(read_tensor(call, CLASSIFIER_PROB_A, 0, svm->pairs, &svm->prob_a));
    return read_tensor(call, CLASSIFIER_PROB_B, 0, svm->pairs, &svm->prob_b);
}

static wlk_status classifier_prepare(op_call *call, plan_memory *memory, const void **prepared) {
    svm_f64 *svm = NULL;
    TRY(svm_new(call, memory, &svm));
    TRY(read_counts(call, memory, svm));
    TRY(read_tensor(call, SVM_DUAL, svm->classes - 1, svm->vector_count, &svm->dual));
    TRY(read_tensor(call, SVM_INTERCEPTS, 0, svm->pairs, &svm->intercepts));
    TRY(read_probabilities(call, svm));
    svm->break_ties = op_attribute(call, CLASSIFIER_BREAK_TIES).i != 0 && svm->classes > 2;
    *prepared = svm;
    return WLK_OK;
}

static wlk_status regressor_prepare(op_call *call, plan_memory *memory, const void **prepared) {
    svm_f64 *svm = NULL;
    TRY(svm_new(call, memory, &svm));
    TRY(read_tensor(call, SVM_DUAL, 0, svm->vector_count, &svm->dual));
    TRY(read_tensor(call, SVM_INTERCEPTS, 0, 1, &svm->intercepts));
    *prepared = svm;
    return WLK_OK;
}

/* ---- shapes and working memory */

#define PIECE_ROWS 32
#define GROUP_PIECES 8 /* as many have their working memory at once */
#define GROUP_ROWS ((uint64_t)PIECE_ROWS * GROUP_PIECES)
#define EXP_COST ((uint64_t)10 * OP_ELEMENT_COST)

static uint64_t least(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

/* What one row needs at a time: pairs, votes or sums, scores, and what probabilities need. */
static uint64_t row_doubles(const op_call *call) {
    const svm_f64 *svm = call->node->prepared;
    uint64_t all = (uint64_t)svm->pairs + 2 * (uint64_t)svm->classes;
    if (svm->classes == 0 || !op_output(call, OUT_PROBABILITIES)) return all;
    return checked_add(all, svm_f64_doubles(svm), &all) ? all : UINT64_MAX;
}

/* Kernel values of a group; behind them, for each piece, what one row needs. */
static wlk_status need_memory(op_call *call, uint64_t rows) {
    const svm_f64 *svm = call->node->prepared;
    TRY(op_need_scratch(call, least(rows, GROUP_ROWS) * svm->vector_count, sizeof(double)));
    return op_need_scratch(call, row_doubles(call), GROUP_PIECES * sizeof(double));
}

static double *row_memory(const op_call *call, uint64_t rows) {
    const svm_f64 *svm = call->node->prepared;
    const uint64_t bytes = least(rows, GROUP_ROWS) * svm->vector_count * sizeof(double);
    const uint64_t at = (bytes + TENSOR_ALIGN - 1) / TENSOR_ALIGN * TENSOR_ALIGN;
    return (double *)(void *)((char *)call->scratch + at);
}

static wlk_status declare_work(op_call *call, uint64_t rows) {
    const svm_f64 *svm = call->node->prepared;
    const uint64_t pairs = svm->classes < 2 ? 1 : svm->classes - 1;
    op_add_operations(call, svm->kernel == SVM_RBF ? 4 : 2, rows, svm->vector_count, svm->columns);
    op_add_operations(call, svm->kernel == SVM_LINEAR ? OP_ELEMENT_COST : EXP_COST, rows,
                      svm->vector_count, 1);
    op_add_operations(call, OP_INTEGER_COST, rows, svm->vector_count, pairs);
    op_add_operations(call, OP_ELEMENT_COST, rows, svm->pairs, 4);
    if (svm->classes > 0 && op_output(call, OUT_PROBABILITIES)) {
        op_add_operations(call, OP_INTEGER_COST, rows, couple_work(svm->classes), 1);
    }
    return need_memory(call, rows);
}

static wlk_status svm_rows(op_call *call, int64_t *rows) {
    const svm_f64 *svm = call->node->prepared;
    TRY(shape_need_rank(call, 0, 2, 2));
    const linear_rows shape = linear_rows_of(op_input(call, 0));
    *rows = shape.rows;
    if (shape.columns == WLK_UNKNOWN_DIM || shape.columns == svm->columns) return WLK_OK;
    return op_fail(call, op_shape_rule(call), "the model has %u columns, input 0 has %lld",
                   svm->columns, (long long)shape.columns);
}

static wlk_status classifier_infer(op_call *call) {
    const svm_f64 *svm = call->node->prepared;
    int64_t dims[2] = {0, svm->classes};
    TRY(svm_rows(call, &dims[0]));
    if (op_output(call, OUT_PROBABILITIES) && !svm->prob_a) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "probabilities without prob_a");
    }
    op_set_output(call, OUT_INDEX, WLK_I64, 1, dims);
    op_set_output(call, OUT_PROBABILITIES, WLK_F64, 2, dims);
    dims[1] = svm->classes == 2 ? 1 : svm->classes;
    op_set_output(call, OUT_SCORES, WLK_F64, 2, dims);
    dims[1] = svm->pairs;
    op_set_output(call, OUT_DECISIONS, WLK_F64, 2, dims);
    return call->binding ? declare_work(call, (uint64_t)dims[0]) : WLK_OK;
}

static wlk_status regressor_infer(op_call *call) {
    int64_t dims[2] = {0, 1};
    TRY(svm_rows(call, &dims[0]));
    op_set_output(call, 0, WLK_F64, 2, dims);
    return call->binding ? declare_work(call, (uint64_t)dims[0]) : WLK_OK;
}

/* ---- kernels */

typedef struct svm_run {
    const op_call *call;
    const svm_f64 *svm;
    double *values;
    double *row;
    uint64_t row_doubles;
    uint64_t start; /* of the group */
} svm_run;

/* Row `row` of output i; NULL if nobody wants it. */
static double *output_row(const svm_run *run, uint32_t i, uint64_t row, uint64_t columns) {
    const op_tensor *out = op_output(run->call, i);
    return out ? (double *)out->target + row * columns : NULL;
}

static void classify_row(const svm_run *run, uint64_t row, const double *values, double *scratch) {
    const svm_f64 *svm = run->svm;
    double *pairs = scratch;
    double *votes = pairs + svm->pairs;
    double *own_scores = votes + svm->classes;
    double *probabilities = output_row(run, OUT_PROBABILITIES, row, svm->classes);
    double *scores = output_row(run, OUT_SCORES, row, svm->classes == 2 ? 1 : svm->classes);
    double *decisions = output_row(run, OUT_DECISIONS, row, svm->pairs);
    int64_t *index = op_output(run->call, OUT_INDEX)->target;
    if (!scores) scores = own_scores;
    svm_f64_pairs(svm, values, pairs);
    index[row] = (int64_t)svm_f64_vote(svm, pairs, votes);
    svm_f64_scores(svm, pairs, scores, votes);
    if (svm->break_ties) index[row] = (int64_t)score_best(scores, svm->classes);
    if (decisions) memcpy(decisions, pairs, svm->pairs * sizeof *pairs);
    if (probabilities) {
        svm_f64_probabilities(svm, pairs, probabilities, own_scores + svm->classes);
    }
}

static void finish_row(const svm_run *run, uint64_t row, const double *values, double *scratch) {
    if (run->svm->classes > 0) {
        classify_row(run, row, values, scratch);
        return;
    }
    *output_row(run, 0, row, 1) = svm_f64_regress(run->svm, values);
}

/* Rows [from, to) of the group. */
static void do_rows(void *context, uint64_t from, uint64_t to) {
    const svm_run *run = context;
    const svm_f64 *svm = run->svm;
    const double *x = op_input(run->call, 0)->data;
    double *values = run->values + from * svm->vector_count;
    double *scratch = run->row + from / PIECE_ROWS * run->row_doubles;
    svm_f64_values(svm, x + (run->start + from) * svm->columns, to - from, values);
    for (uint64_t i = from; i < to; i++) {
        finish_row(run, run->start + i, values + (i - from) * svm->vector_count, scratch);
    }
}

static wlk_status svm_kernel_rows(const op_call *call) {
    const uint64_t rows = (uint64_t)op_input(call, 0)->dims[0];
    svm_run run = {.call = call,
                   .svm = call->node->prepared,
                   .values = call->scratch,
                   .row = row_memory(call, rows),
                   .row_doubles = row_doubles(call)};
    for (; run.start < rows; run.start += GROUP_ROWS) {
        op_parallel(call, least(rows - run.start, GROUP_ROWS), PIECE_ROWS, do_rows, &run);
    }
    return WLK_OK;
}

/* ---- rows */

#define COMMON_ATTRIBUTES                                                           \
    [SVM_KERNEL] = {.name = "kernel", .type = WLK_ATTR_STRING, .required = true},   \
    [SVM_GAMMA] = {.name = "gamma", .type = WLK_ATTR_FLOAT, .f = 1},                \
    [SVM_COEF0] = {.name = "coef0", .type = WLK_ATTR_FLOAT, .f = 0},                \
    [SVM_DEGREE] = {.name = "degree", .type = WLK_ATTR_INT, .i = 3},                \
    [SVM_SUPPORT] = {.name = "support", .type = WLK_ATTR_TENSOR, .required = true}, \
    [SVM_DUAL] = {.name = "dual", .type = WLK_ATTR_TENSOR, .required = true},       \
    [SVM_INTERCEPTS] = {.name = "intercepts", .type = WLK_ATTR_TENSOR, .required = true}

static const attribute_row classifier_attributes[] = {
    COMMON_ATTRIBUTES,
    [CLASSIFIER_COUNTS] = {.name = "counts", .type = WLK_ATTR_INTS, .required = true},
    [CLASSIFIER_PROB_A] = {.name = "prob_a", .type = WLK_ATTR_TENSOR},
    [CLASSIFIER_PROB_B] = {.name = "prob_b", .type = WLK_ATTR_TENSOR},
    [CLASSIFIER_BREAK_TIES] = {.name = "break_ties", .type = WLK_ATTR_INT, .i = 0},
};

static const attribute_row regressor_attributes[] = {COMMON_ATTRIBUTES};

static const op_port port[] = {{"X", DTYPE_BIT(WLK_F64), 0}};

static const op_row rows[] = {
    {.domain = "org.weighlock",
     .name = "SVMClassifier",
     .since = 1,
     .min_inputs = 1,
     .max_inputs = 1,
     .min_outputs = 1,
     .max_outputs = 4,
     .ports = port,
     .attributes = classifier_attributes,
     .attribute_count = CLASSIFIER_ATTRIBUTES,
     .infer = classifier_infer,
     .kernel = svm_kernel_rows,
     .prepare = classifier_prepare},
    {.domain = "org.weighlock",
     .name = "SVMRegressor",
     .since = 1,
     .min_inputs = 1,
     .max_inputs = 1,
     .min_outputs = 1,
     .max_outputs = 1,
     .ports = port,
     .attributes = regressor_attributes,
     .attribute_count = SVM_COMMON,
     .infer = regressor_infer,
     .kernel = svm_kernel_rows,
     .prepare = regressor_prepare},
};

const op_family ops_weighlock_svm = {rows, sizeof rows / sizeof *rows};

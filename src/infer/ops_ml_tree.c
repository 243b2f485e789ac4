/* ai.onnx.ml TreeEnsembleClassifier, TreeEnsembleRegressor and TreeEnsemble. The trees
 * are checked and packed when the plan is made (ensemble.h). */
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "infer/ensemble.h"
#include "infer/ops.h"
#include "infer/parallel.h"
#include "infer/shape.h"

#define PIECE_ROWS 128 /* a tree stays in the cache for so many rows */

/* ---- preparation */

typedef wlk_status (*ensemble_reader)(const op_call *call, plan_memory *temporary, uint32_t targets,
                                      ensemble_source *source);

static bool is_narrow_input(wlk_dtype dtype) {
    return dtype == WLK_F32 || dtype == WLK_F16 || dtype == WLK_BF16;
}

static wlk_status pack(const op_call *call, plan_memory *memory, plan_memory *temporary,
                       ensemble_reader read, ensemble *out) {
    ensemble_source source;
    ensemble_survey survey;
    TRY(read(call, temporary, out->targets, &source));
    if (!is_narrow_input(op_input(call, 0)->dtype)) source.is_double = true;
    TRY(ensemble_survey_trees(call, temporary, &source, &survey));
    return ensemble_pack(call, memory, temporary, &source, &survey, out);
}

/* Half of what is left of the plan's memory may be used in between. */
static wlk_status pack_within(const op_call *call, plan_memory *memory, ensemble_reader read,
                              ensemble *out) {
    plan_memory temporary = {.budget = memory->budget / 2};
    const uint64_t lent = temporary.budget;
    memory->budget -= lent;
    const wlk_status status = pack(call, memory, &temporary, read, out);
    memory->budget += lent;
    plan_memory_free(&temporary);
    return status;
}

static wlk_status new_ensemble(const op_call *call, plan_memory *memory, ensemble **out) {
    void *made = NULL;
    TRY(plan_take(memory, 1, sizeof(ensemble), &made, call->error));
    *out = made;
    (*out)->aggregate = AGGREGATE_SUM;
    return WLK_OK;
}

static wlk_status take_targets(const op_call *call, uint32_t attribute, ensemble *e) {
    const int64_t targets = op_attribute(call, attribute).i;
    if (targets < 1 || targets > INT32_MAX) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "n_targets is %lld", (long long)targets);
    }
    e->targets = (uint32_t)targets;
    return WLK_OK;
}

/* One base value for each target, or none; of two labels one may do. */
static wlk_status take_base_values(const op_call *call, plan_memory *memory, ensemble *e) {
    real_list given;
    void *values = NULL;
    TRY(ensemble_reals(call, BASE_VALUES, BASE_VALUES_TENSOR, &given));
    if (given.count > 0 && given.count != e->targets &&
        !(e->labels.count == 2 && given.count == 1)) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "%u base values for %u targets",
                       given.count, e->targets);
    }
    TRY(plan_take(memory, given.count, sizeof(double), &values, call->error));
    for (uint32_t i = 0; i < given.count; i++) ((double *)values)[i] = real_at(&given, i);
    e->base_values = values;
    e->base_count = given.count;
    return WLK_OK;
}

static const char *const aggregate_names[] = {"AVERAGE", "SUM", "MIN", "MAX"};

static wlk_status take_aggregate(const op_call *call, ensemble *e) {
    const char *name = op_attribute(call, AGGREGATE_OR_INTS).s;
    for (uint32_t i = 0; i <= AGGREGATE_MAX; i++) {
        if (strcmp(name, aggregate_names[i]) != 0) continue;
        e->aggregate = (ensemble_aggregate)i;
        return WLK_OK;
    }
    return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "aggregate_function '%.40s'", name);
}

static wlk_status regressor_prepare(op_call *call, plan_memory *memory, const void **prepared) {
    ensemble *e = NULL;
    TRY(new_ensemble(call, memory, &e));
    TRY(take_targets(call, TARGETS_OR_STRINGS, e));
    TRY(take_aggregate(call, e));
    TRY(linear_transform_read(call, POST_TRANSFORM, SCORE_PROBIT, &e->transform));
    TRY(take_base_values(call, memory, e));
    TRY(pack_within(call, memory, ensemble_read_lists, e));
    *prepared = e;
    return WLK_OK;
}

/* Is all that is voted for one class of two? */
static void find_one_class(const op_call *call, ensemble *e) {
    const attribute_value ids = op_attribute(call, VOTE_IDS);
    e->one_class = e->targets == 2 && ids.count > 0 && e->base_count < 2;
    for (uint32_t i = 0; i < ids.count; i++) {
        if (ids.ints[i] != ids.ints[0]) e->one_class = false;
    }
    if (e->one_class) e->voted_class = (uint32_t)ids.ints[0];
}

static wlk_status find_positive(const op_call *call, ensemble *e) {
    real_list weights;
    TRY(ensemble_reals(call, VOTE_WEIGHTS, VOTE_WEIGHTS_TENSOR, &weights));
    e->all_positive = true;
    for (uint32_t i = 0; i < weights.count; i++) {
        if (real_at(&weights, i) < 0) e->all_positive = false;
    }
    return WLK_OK;
}

static wlk_status classifier_prepare(op_call *call, plan_memory *memory, const void **prepared) {
    ensemble *e = NULL;
    TRY(new_ensemble(call, memory, &e));
    TRY(linear_labels_read(call, AGGREGATE_OR_INTS, TARGETS_OR_STRINGS, &e->labels));
    e->targets = e->labels.count;
    TRY(linear_transform_read(call, POST_TRANSFORM, SCORE_PROBIT, &e->transform));
    TRY(take_base_values(call, memory, e));
    TRY(pack_within(call, memory, ensemble_read_lists, e));
    find_one_class(call, e);
    TRY(find_positive(call, e));
    *prepared = e;
    return WLK_OK;
}

static wlk_status roots_prepare(op_call *call, plan_memory *memory, const void **prepared) {
    const int64_t aggregate = op_attribute(call, ROOTS_AGGREGATE).i;
    const int64_t transform = op_attribute(call, ROOTS_TRANSFORM).i;
    ensemble *e = NULL;
    TRY(new_ensemble(call, memory, &e));
    TRY(take_targets(call, ROOTS_TARGETS, e));
    if (aggregate < 0 || aggregate > AGGREGATE_MAX || transform < 0 || transform > SCORE_PROBIT) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE,
                       "aggregate_function %lld, post_transform %lld", (long long)aggregate,
                       (long long)transform);
    }
    e->aggregate = (ensemble_aggregate)aggregate;
    e->transform = (score_transform)transform; /* the same numbers */
    TRY(pack_within(call, memory, ensemble_read_roots, e));
    *prepared = e;
    return WLK_OK;
}

/* ---- shapes and working memory */

/* Scores of all rows, then what was voted for, then the rows as f64 where they are not
 * what the trees take. */
typedef struct tree_memory {
    double *scores;
    uint8_t *voted;
    double *x;
} tree_memory;

static bool needs_doubles(const op_call *call) {
    const ensemble *e = call->node->prepared;
    return e->wide && op_input(call, 0)->dtype != WLK_F64;
}

static uint64_t padded(uint64_t bytes) {
    return (bytes + TENSOR_ALIGN - 1) / TENSOR_ALIGN * TENSOR_ALIGN;
}

static wlk_status need_memory(op_call *call, uint64_t rows) {
    const ensemble *e = call->node->prepared;
    uint64_t scores = 0;
    if (!checked_mul(rows, e->targets, &scores)) scores = UINT64_MAX;
    TRY(op_need_scratch(call, scores, sizeof(double)));
    if (ensemble_needs_voted(e)) TRY(op_need_scratch(call, scores, 1));
    if (!needs_doubles(call)) return WLK_OK;
    return op_need_scratch(call, op_input(call, 0)->count, sizeof(double));
}

static tree_memory memory_of(const op_call *call, uint64_t rows) {
    const ensemble *e = call->node->prepared;
    char *at = call->scratch;
    tree_memory memory = {.scores = (double *)(void *)at};
    at += padded(rows * e->targets * sizeof(double));
    if (ensemble_needs_voted(e)) {
        memory.voted = (uint8_t *)at;
        at += padded(rows * e->targets);
    }
    if (needs_doubles(call)) memory.x = (double *)(void *)at;
    return memory;
}

/* A step reads a slot and an element; a transform is about ten operations. */
#define STEP_COST ((uint64_t)2 * OP_ELEMENT_COST)
#define TRANSFORM_COST ((uint64_t)10 * OP_ELEMENT_COST)

static wlk_status tree_rows(op_call *call, int64_t *rows) {
    const ensemble *e = call->node->prepared;
    TRY(shape_need_rank(call, 0, 1, 2));
    const linear_rows shape = linear_rows_of(op_input(call, 0));
    *rows = shape.rows;
    if (shape.columns == WLK_UNKNOWN_DIM || shape.columns >= e->features) return WLK_OK;
    return op_fail(call, op_shape_rule(call), "the trees read %u columns, input 0 has %lld",
                   e->features, (long long)shape.columns);
}

static wlk_status declare_work(op_call *call, uint64_t rows) {
    const ensemble *e = call->node->prepared;
    op_add_operations(call, STEP_COST, rows, e->steps, 1);
    op_add_operations(call, OP_INTEGER_COST, rows, e->votes, 1);
    op_add_operations(call, e->transform == SCORE_NONE ? OP_ELEMENT_COST : TRANSFORM_COST, rows,
                      e->targets, 1);
    return need_memory(call, rows);
}

static wlk_status classifier_infer(op_call *call) {
    const ensemble *e = call->node->prepared;
    int64_t rows = 0;
    TRY(tree_rows(call, &rows));
    TRY(linear_classifier_outputs(call, rows, &e->labels, WLK_F32));
    return call->binding ? declare_work(call, (uint64_t)rows) : WLK_OK;
}

static wlk_status regress_infer(op_call *call, wlk_dtype dtype) {
    const ensemble *e = call->node->prepared;
    int64_t dims[2] = {0, e->targets};
    TRY(tree_rows(call, &dims[0]));
    op_set_output(call, 0, dtype, 2, dims);
    return call->binding ? declare_work(call, (uint64_t)dims[0]) : WLK_OK;
}

static wlk_status regressor_infer(op_call *call) {
    return regress_infer(call, WLK_F32);
}

static wlk_status roots_infer(op_call *call) {
    return regress_infer(call, op_input(call, 0)->dtype);
}

/* ---- kernels */

typedef struct tree_run {
    const op_call *call;
    const ensemble *e;
    tree_memory memory;
    uint64_t columns;
    bool is_classifier;
} tree_run;

static void to_doubles(const op_tensor *x, double *out, uint64_t from, uint64_t to) {
    const float *f32 = x->data;
    const int64_t *i64 = x->data;
    const int32_t *i32 = x->data;
    if (x->dtype == WLK_F32) {
        for (uint64_t i = from; i < to; i++) out[i] = (double)f32[i];
    } else if (x->dtype == WLK_I64) {
        for (uint64_t i = from; i < to; i++) out[i] = (double)i64[i];
    } else {
        for (uint64_t i = from; i < to; i++) out[i] = (double)i32[i];
    }
}

static const void *rows_at(const tree_run *run, uint64_t from, uint64_t to) {
    const op_tensor *x = op_input(run->call, 0);
    const uint64_t first = from * run->columns;
    if (run->memory.x) {
        to_doubles(x, run->memory.x, first, to * run->columns);
        return run->memory.x + first;
    }
    if (run->e->wide) return (const double *)x->data + first;
    return (const float *)x->data + first;
}

static void write_row(op_tensor *out, uint64_t at, const double *row, uint32_t count) {
    if (out->dtype == WLK_F64) {
        memcpy((double *)out->target + at, row, count * sizeof *row);
        return;
    }
    float *values = (float *)out->target + at;
    for (uint32_t i = 0; i < count; i++) values[i] = (float)row[i];
}

static void finish_row(const tree_run *run, uint64_t i) {
    const ensemble *e = run->e;
    double *row = run->memory.scores + i * e->targets;
    const uint8_t *voted = run->memory.voted ? run->memory.voted + i * e->targets : NULL;
    if (!run->is_classifier) {
        ensemble_regress(e, row);
        write_row(op_output(run->call, 0), i * e->targets, row, e->targets);
        return;
    }
    linear_label_number(op_output(run->call, 0), i, ensemble_classify(e, row, voted));
    write_row(op_output(run->call, 1), i * e->targets, row, e->targets);
}

static void do_rows(void *context, uint64_t from, uint64_t to) {
    const tree_run *run = context;
    const ensemble *e = run->e;
    const ensemble_block block = {
        .x = rows_at(run, from, to),
        .columns = run->columns,
        .rows = to - from,
        .scores = run->memory.scores + from * e->targets,
        .voted = run->memory.voted ? run->memory.voted + from * e->targets : NULL,
    };
    ensemble_walk(e, &block);
    for (uint64_t i = from; i < to; i++) finish_row(run, i);
}

static wlk_status tree_kernel(const op_call *call) {
    const linear_rows shape = linear_rows_of(op_input(call, 0));
    const ensemble *e = call->node->prepared;
    tree_run run = {.call = call,
                    .e = e,
                    .memory = memory_of(call, (uint64_t)shape.rows),
                    .columns = (uint64_t)shape.columns,
                    .is_classifier = e->labels.count > 0};
    op_parallel(call, (uint64_t)shape.rows, PIECE_ROWS, do_rows, &run);
    if (run.is_classifier) linear_labels_place(&e->labels, op_output(call, 0));
    return WLK_OK;
}

/* ---- rows */

#define NODE_ATTRIBUTES(vote)                                                                \
    [NODES_FALSE] = {.name = "nodes_falsenodeids", .type = WLK_ATTR_INTS},                   \
    [NODES_FEATURES] = {.name = "nodes_featureids", .type = WLK_ATTR_INTS},                  \
    [NODES_HITRATES] = {.name = "nodes_hitrates", .type = WLK_ATTR_FLOATS},                  \
    [NODES_MISSING] = {.name = "nodes_missing_value_tracks_true", .type = WLK_ATTR_INTS},    \
    [NODES_MODES] = {.name = "nodes_modes", .type = WLK_ATTR_STRINGS},                       \
    [NODES_IDS] = {.name = "nodes_nodeids", .type = WLK_ATTR_INTS},                          \
    [NODES_TREES] = {.name = "nodes_treeids", .type = WLK_ATTR_INTS},                        \
    [NODES_TRUE] = {.name = "nodes_truenodeids", .type = WLK_ATTR_INTS},                     \
    [NODES_VALUES] = {.name = "nodes_values", .type = WLK_ATTR_FLOATS},                      \
    [VOTE_IDS] = {.name = vote "_ids", .type = WLK_ATTR_INTS},                               \
    [VOTE_NODES] = {.name = vote "_nodeids", .type = WLK_ATTR_INTS},                         \
    [VOTE_TREES] = {.name = vote "_treeids", .type = WLK_ATTR_INTS},                         \
    [VOTE_WEIGHTS] = {.name = vote "_weights", .type = WLK_ATTR_FLOATS},                     \
    [BASE_VALUES] = {.name = "base_values", .type = WLK_ATTR_FLOATS},                        \
    [POST_TRANSFORM] = {.name = "post_transform", .type = WLK_ATTR_STRING, .s = "NONE"},     \
    [NODES_HITRATES_TENSOR] = {.name = "nodes_hitrates_as_tensor", .type = WLK_ATTR_TENSOR}, \
    [NODES_VALUES_TENSOR] = {.name = "nodes_values_as_tensor", .type = WLK_ATTR_TENSOR},     \
    [VOTE_WEIGHTS_TENSOR] = {.name = vote "_weights_as_tensor", .type = WLK_ATTR_TENSOR},    \
    [BASE_VALUES_TENSOR] = {.name = "base_values_as_tensor", .type = WLK_ATTR_TENSOR}

static const attribute_row classifier_attributes[] = {
    NODE_ATTRIBUTES("class"),
    [AGGREGATE_OR_INTS] = {.name = "classlabels_int64s", .type = WLK_ATTR_INTS},
    [TARGETS_OR_STRINGS] = {.name = "classlabels_strings", .type = WLK_ATTR_STRINGS},
};

static const attribute_row regressor_attributes[] = {
    NODE_ATTRIBUTES("target"),
    [AGGREGATE_OR_INTS] = {.name = "aggregate_function", .type = WLK_ATTR_STRING, .s = "SUM"},
    [TARGETS_OR_STRINGS] = {.name = "n_targets", .type = WLK_ATTR_INT},
};

static const attribute_row roots_attributes[] = {
    [ROOTS_AGGREGATE] = {.name = "aggregate_function", .type = WLK_ATTR_INT, .i = AGGREGATE_SUM},
    [ROOTS_LEAF_TARGETS] = {.name = "leaf_targetids", .type = WLK_ATTR_INTS, .required = true},
    [ROOTS_LEAF_WEIGHTS] = {.name = "leaf_weights", .type = WLK_ATTR_TENSOR, .required = true},
    [ROOTS_MEMBERS] = {.name = "membership_values", .type = WLK_ATTR_TENSOR},
    [ROOTS_TARGETS] = {.name = "n_targets", .type = WLK_ATTR_INT},
    [ROOTS_FALSE_LEAFS] = {.name = "nodes_falseleafs", .type = WLK_ATTR_INTS, .required = true},
    [ROOTS_FALSE] = {.name = "nodes_falsenodeids", .type = WLK_ATTR_INTS, .required = true},
    [ROOTS_FEATURES] = {.name = "nodes_featureids", .type = WLK_ATTR_INTS, .required = true},
    [ROOTS_HITRATES] = {.name = "nodes_hitrates", .type = WLK_ATTR_TENSOR},
    [ROOTS_MISSING] = {.name = "nodes_missing_value_tracks_true", .type = WLK_ATTR_INTS},
    [ROOTS_MODES] = {.name = "nodes_modes", .type = WLK_ATTR_TENSOR, .required = true},
    [ROOTS_SPLITS] = {.name = "nodes_splits", .type = WLK_ATTR_TENSOR, .required = true},
    [ROOTS_TRUE_LEAFS] = {.name = "nodes_trueleafs", .type = WLK_ATTR_INTS, .required = true},
    [ROOTS_TRUE] = {.name = "nodes_truenodeids", .type = WLK_ATTR_INTS, .required = true},
    [ROOTS_TRANSFORM] = {.name = "post_transform", .type = WLK_ATTR_INT, .i = SCORE_NONE},
    [ROOTS_ROOTS] = {.name = "tree_roots", .type = WLK_ATTR_INTS, .required = true},
};

#define INTEGERS (DTYPE_BIT(WLK_I64) | DTYPE_BIT(WLK_I32))
static const op_port list_port[] = {{"X", DTYPES_FLOAT | INTEGERS, 'T'}};
static const op_port roots_port[] = {{"X", DTYPES_FLOAT | DTYPE_BIT(WLK_F16), 'T'}};

#define TREE_ROW(op, version, port, list, count, made, kind, row_flags)                         \
    {                                                                                           \
        .domain = "ai.onnx.ml", .name = op, .since = version, .min_inputs = 1, .max_inputs = 1, \
        .min_outputs = made, .max_outputs = made, .ports = port, .attributes = list,            \
        .attribute_count = count, .infer = kind##_infer, .kernel = tree_kernel,                 \
        .flags = row_flags, .prepare = kind##_prepare                                           \
    }
#define CLASSIFIER(version, count)                                                          \
    TREE_ROW("TreeEnsembleClassifier", version, list_port, classifier_attributes, count, 2, \
             classifier, 0)
#define REGRESSOR(version, count)                                                         \
    TREE_ROW("TreeEnsembleRegressor", version, list_port, regressor_attributes, count, 1, \
             regressor, 0)

static const op_row rows[] = {
    CLASSIFIER(1, NODES_HITRATES_TENSOR),
    CLASSIFIER(3, ENSEMBLE_ATTRIBUTES),
    CLASSIFIER(5, ENSEMBLE_ATTRIBUTES),
    REGRESSOR(1, NODES_HITRATES_TENSOR),
    REGRESSOR(3, ENSEMBLE_ATTRIBUTES),
    REGRESSOR(5, ENSEMBLE_ATTRIBUTES),
    TREE_ROW("TreeEnsemble", 5, roots_port, roots_attributes, ROOTS_ATTRIBUTES, 1, roots, OP_HALF),
};

const op_family ops_ml_tree = {rows, sizeof rows / sizeof *rows};

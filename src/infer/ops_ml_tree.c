/* ai.onnx.ml TreeEnsembleClassifier, TreeEnsembleRegressor and TreeEnsemble. The trees
 * are checked and packed when the plan is made (ensemble.h). */
#include <string.h>

#include "base/bytes.h"
#include "infer/ensemble_run.h"
#include "infer/ops.h"

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

/* ---- shapes */

static wlk_status classifier_infer(op_call *call) {
    const ensemble *e = call->node->prepared;
    int64_t rows = 0;
    TRY(ensemble_rows(call, &rows));
    TRY(linear_classifier_outputs(call, rows, &e->labels, WLK_F32));
    return call->binding ? ensemble_declare(call, (uint64_t)rows) : WLK_OK;
}

static wlk_status regress_infer(op_call *call, wlk_dtype dtype) {
    const ensemble *e = call->node->prepared;
    int64_t dims[2] = {0, e->targets};
    TRY(ensemble_rows(call, &dims[0]));
    op_set_output(call, 0, dtype, 2, dims);
    return call->binding ? ensemble_declare(call, (uint64_t)dims[0]) : WLK_OK;
}

static wlk_status regressor_infer(op_call *call) {
    return regress_infer(call, WLK_F32);
}

static wlk_status roots_infer(op_call *call) {
    return regress_infer(call, op_input(call, 0)->dtype);
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
        .attribute_count = count, .infer = kind##_infer, .kernel = ensemble_kernel,             \
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

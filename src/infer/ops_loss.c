/* NegativeLogLikelihoodLoss, SoftmaxCrossEntropyLoss. Scores are [N, C, D...], targets
 * [N, D...]: a class for each place, 0 <= class < C, or ignore_index. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "infer/ops.h"
#include "infer/shape.h"

enum { LOSS_IGNORE_INDEX, LOSS_REDUCTION };
enum { IN_SCORES, IN_TARGET, IN_WEIGHT };
enum { OUT_LOSS, OUT_LOG_PROBABILITY };

typedef enum loss_reduction { LOSS_NONE, LOSS_SUM, LOSS_MEAN } loss_reduction;

static wlk_status loss_reduction_of(const op_call *call, loss_reduction *out) {
    static const char *const names[] = {
        [LOSS_NONE] = "none", [LOSS_SUM] = "sum", [LOSS_MEAN] = "mean"};
    const char *name = op_attribute(call, LOSS_REDUCTION).s;
    for (uint32_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(names[i], name) != 0) continue;
        *out = (loss_reduction)i;
        return WLK_OK;
    }
    return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "reduction '%.20s'", name);
}

/* ---- shapes */

static wlk_status check_target(const op_call *call) {
    const op_tensor *scores = op_input(call, IN_SCORES);
    const op_tensor *target = op_input(call, IN_TARGET);
    if (scores->rank == WLK_NONE || target->rank == WLK_NONE) return WLK_OK;
    if (target->rank + 1 != scores->rank || !dim_agrees(scores->dims[0], target->dims[0])) {
        return shape_mismatch(call, IN_SCORES, IN_TARGET);
    }
    for (uint32_t i = 1; i < target->rank; i++) {
        if (!dim_agrees(scores->dims[i + 1], target->dims[i])) {
            return shape_mismatch(call, IN_SCORES, IN_TARGET);
        }
    }
    return WLK_OK;
}

static wlk_status check_shapes(const op_call *call) {
    const op_tensor *scores = op_input(call, IN_SCORES);
    const op_tensor *weight = op_input(call, IN_WEIGHT);
    TRY(shape_need_rank(call, IN_SCORES, 2, WLK_MAX_RANK));
    TRY(check_target(call));
    if (!weight) return WLK_OK;
    TRY(shape_need_rank(call, IN_WEIGHT, 1, 1));
    if (scores->rank == WLK_NONE || weight->rank == WLK_NONE) return WLK_OK;
    if (dim_agrees(scores->dims[1], weight->dims[0])) return WLK_OK;
    return shape_mismatch(call, IN_SCORES, IN_WEIGHT);
}

static wlk_status nll_infer(op_call *call) {
    const op_tensor *scores = op_input(call, IN_SCORES);
    const op_tensor *target = op_input(call, IN_TARGET);
    loss_reduction reduction = LOSS_NONE;
    TRY(check_shapes(call));
    TRY(loss_reduction_of(call, &reduction));
    op_set_output(call, OUT_LOSS, scores->dtype, reduction == LOSS_NONE ? target->rank : 0,
                  target->dims);
    return WLK_OK;
}

/* The places of one sample's scores: N, C and D. */
typedef struct loss_dims {
    uint64_t samples;
    uint64_t classes;
    uint64_t places;
} loss_dims;

static loss_dims dims_of(const op_tensor *scores) {
    return (loss_dims){.samples = (uint64_t)scores->dims[0],
                       .classes = (uint64_t)scores->dims[1],
                       .places = tensor_span(scores, 2, scores->rank)};
}

static wlk_status cross_entropy_infer(op_call *call) {
    const op_tensor *scores = op_input(call, IN_SCORES);
    TRY(nll_infer(call));
    op_set_output(call, OUT_LOG_PROBABILITY, scores->dtype, scores->rank, scores->dims);
    if (!call->binding) return WLK_OK;
    op_add_operations(call, 4 * OP_ELEMENT_COST, scores->count, 1, 1);
    TRY(op_need_scratch(call, op_input(call, IN_TARGET)->count, sizeof(double)));
    return op_need_scratch(call, tensor_span(scores, 2, scores->rank), sizeof(double));
}

/* ---- losses */

static double element(const op_tensor *tensor, uint64_t i) {
    return tensor->dtype == WLK_F64 ? ((const double *)tensor->data)[i]
                                    : (double)((const float *)tensor->data)[i];
}

static void store(const op_tensor *tensor, uint64_t i, double value) {
    if (tensor->dtype == WLK_F64) {
        ((double *)tensor->target)[i] = value;
    } else {
        ((float *)tensor->target)[i] = (float)value;
    }
}

/* The sums over all places that are not ignored. */
typedef struct loss_sums {
    double loss;
    double weight;
} loss_sums;

/* One place: its loss in *loss. `log_sums`: what is taken off the scores to make them
 * log-probabilities, for each place; NULL if they are. */
static wlk_status place_loss(const op_call *call, const loss_dims *dims, uint64_t place,
                             const double *log_sums, loss_sums *sums, double *loss) {
    const op_tensor *weight = op_input(call, IN_WEIGHT);
    const attribute_value ignored = op_attribute(call, LOSS_IGNORE_INDEX);
    const int64_t class = op_int(op_input(call, IN_TARGET), place);
    *loss = 0;
    if (ignored.given && class == ignored.i) return WLK_OK;
    if (class < 0 || (uint64_t) class >= dims->classes) {
        return op_fail(call, RULE_RUN_INDEX, "target %" PRIu64 " is class %" PRId64 " of %" PRIu64,
                       place, class, dims->classes);
    }
    const uint64_t at = (place / dims->places * dims->classes + (uint64_t) class) * dims->places +
                        place % dims->places;
    const double share = weight ? element(weight, (uint64_t) class) : 1;
    const double score = element(op_input(call, IN_SCORES), at);
    *loss = -(score - (log_sums ? log_sums[place] : 0)) * share;
    sums->loss += *loss;
    sums->weight += share;
    return WLK_OK;
}

static wlk_status losses(const op_call *call, const double *log_sums) {
    const op_tensor *target = op_input(call, IN_TARGET);
    const op_tensor *out = op_output(call, OUT_LOSS);
    const loss_dims dims = dims_of(op_input(call, IN_SCORES));
    loss_reduction reduction = LOSS_NONE;
    loss_sums sums = {0, 0};
    TRY(loss_reduction_of(call, &reduction));
    for (uint64_t i = 0; i < target->count; i++) {
        double loss = 0;
        TRY(place_loss(call, &dims, i, log_sums, &sums, &loss));
        if (reduction == LOSS_NONE) store(out, i, loss);
    }
    if (reduction == LOSS_SUM) store(out, 0, sums.loss);
    if (reduction == LOSS_MEAN) store(out, 0, sums.loss / sums.weight);
    return WLK_OK;
}

static wlk_status nll_kernel(const op_call *call) {
    return losses(call, NULL);
}

/* ---- log-probabilities */

/* For one sample: the largest score of each place, then the logarithm of the sum of the
 * exponentials, which is what the scores lack to be log-probabilities. Class by class,
 * as the scores lie in memory. */
static void sample_log_sums(const op_tensor *scores, const loss_dims *dims, uint64_t at,
                            double *largest, double *sums) {
    const uint64_t places = dims->places;
    for (uint64_t d = 0; d < places; d++) {
        largest[d] = -(double)INFINITY;
        sums[d] = 0;
    }
    for (uint64_t c = 0; c < dims->classes; c++) {
        for (uint64_t d = 0; d < places; d++) {
            const double score = element(scores, at + c * places + d);
            if (score > largest[d]) largest[d] = score;
        }
    }
    for (uint64_t c = 0; c < dims->classes; c++) {
        for (uint64_t d = 0; d < places; d++) {
            sums[d] += exp(element(scores, at + c * places + d) - largest[d]);
        }
    }
    for (uint64_t d = 0; d < places; d++) sums[d] = largest[d] + log(sums[d]);
}

static void store_log_probabilities(const op_tensor *out, const op_tensor *scores,
                                    const loss_dims *dims, uint64_t at, const double *sums) {
    for (uint64_t c = 0; c < dims->classes; c++) {
        for (uint64_t d = 0; d < dims->places; d++) {
            const uint64_t i = at + c * dims->places + d;
            store(out, i, element(scores, i) - sums[d]);
        }
    }
}

static wlk_status cross_entropy_kernel(const op_call *call) {
    const op_tensor *scores = op_input(call, IN_SCORES);
    const op_tensor *out = op_output(call, OUT_LOG_PROBABILITY);
    const loss_dims dims = dims_of(scores);
    double *log_sums = call->scratch;
    double *largest = log_sums + op_input(call, IN_TARGET)->count;
    for (uint64_t n = 0; n < dims.samples && scores->count > 0; n++) {
        const uint64_t at = n * dims.classes * dims.places;
        double *sums = log_sums + n * dims.places;
        sample_log_sums(scores, &dims, at, largest, sums);
        if (out) store_log_probabilities(out, scores, &dims, at, sums);
    }
    return losses(call, log_sums);
}

/* ---- rows */

static const attribute_row attributes[] = {
    [LOSS_IGNORE_INDEX] = {.name = "ignore_index", .type = WLK_ATTR_INT},
    [LOSS_REDUCTION] = {.name = "reduction", .type = WLK_ATTR_STRING, .s = "mean"},
};

#define DTYPES_12 (DTYPES_FLOAT | DTYPE_BIT(WLK_F16))
#define PORTS(name, dtypes)                                     \
    static const op_port name[] = {                             \
        {"scores", dtypes, 'T'},                                \
        {"target", DTYPE_BIT(WLK_I64) | DTYPE_BIT(WLK_I32), 0}, \
        {"weight", dtypes, 'T'},                                \
    }
PORTS(ports_12, DTYPES_12);
PORTS(ports_half, DTYPES_FLOAT | DTYPES_HALF);

#define ROW(op_name, version, most, op_ports, op_shape, op_run)                             \
    {                                                                                       \
        .domain = "", .name = op_name, .since = version, .min_inputs = 2, .max_inputs = 3,  \
        .min_outputs = 1, .max_outputs = most, .ports = op_ports, .attributes = attributes, \
        .attribute_count = 2, .infer = op_shape, .kernel = op_run, .flags = OP_HALF         \
    }

static const op_row rows[] = {
    ROW("NegativeLogLikelihoodLoss", 12, 1, ports_12, nll_infer, nll_kernel),
    ROW("NegativeLogLikelihoodLoss", 13, 1, ports_12, nll_infer, nll_kernel),
    ROW("NegativeLogLikelihoodLoss", 22, 1, ports_half, nll_infer, nll_kernel),
    ROW("SoftmaxCrossEntropyLoss", 12, 2, ports_12, cross_entropy_infer, cross_entropy_kernel),
    ROW("SoftmaxCrossEntropyLoss", 13, 2, ports_half, cross_entropy_infer, cross_entropy_kernel),
};

const op_family ops_loss = {rows, sizeof rows / sizeof *rows};

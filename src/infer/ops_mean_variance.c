/* MeanVarianceNormalization: (X - mean) / (standard deviation + 1e-9) over any axes. */
#include <math.h>

#include "infer/axes.h"
#include "infer/ops.h"
#include "infer/reduce_walk.h"
#include "infer/shape.h"

enum { MVN_AXES };

/* By default a batch of images is normalised channel by channel. */
static wlk_status mvn_axes(const op_call *call, uint32_t rank, uint32_t *mask) {
    if (op_attribute(call, MVN_AXES).given) return axes_of_attribute(call, MVN_AXES, rank, mask);
    *mask = 1u << 0 | 1u << 2 | 1u << 3;
    if (rank >= 4) return WLK_OK;
    return op_fail(call, op_shape_rule(call), "axes 0, 2, 3 of %u dimensions", rank);
}

static wlk_status mvn_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    uint32_t mask = 0;
    if (in->rank != WLK_NONE) TRY(mvn_axes(call, in->rank, &mask));
    TRY(op_infer_same(call));
    if (!call->binding) return WLK_OK;
    op_add_operations(call, 3 * OP_ELEMENT_COST, in->count, 1, 1);
    uint64_t kept = 1;
    for (uint32_t a = 0; a < in->rank; a++) {
        if (!(mask >> a & 1)) kept *= (uint64_t)in->dims[a];
    }
    TRY(op_need_scratch(call, kept, sizeof(double)));
    return op_need_scratch(call, kept, sizeof(double));
}

/* Statistics of one kept place each: sums at first, then what is used. */
typedef struct mvn_sums {
    double *mean;
    double *spread; /* of squares, then 1 / (deviation + 1e-9) */
} mvn_sums;

typedef enum mvn_pass { MVN_SUM, MVN_SQUARES, MVN_APPLY } mvn_pass;

/* A run of `length` elements; its statistics lie side by side, or are the same (step 0). */
typedef struct mvn_run {
    uint64_t at;
    uint64_t length;
    uint64_t kept;
    uint64_t step;
} mvn_run;

#define MVN(function, type)                                                              \
    static void function(mvn_pass pass, const void *in, void *out, const mvn_sums *sums, \
                         const mvn_run *run) {                                           \
        const type *from = (const type *)in + run->at;                                   \
        type *to = (type *)out + run->at;                                                \
        double *mean = sums->mean + run->kept;                                           \
        double *spread = sums->spread + run->kept;                                       \
        for (uint64_t i = 0; i < run->length; i++) {                                     \
            const uint64_t j = i * run->step;                                            \
            const double x = (double)from[i];                                            \
            if (pass == MVN_SUM) mean[j] += x;                                           \
            if (pass == MVN_SQUARES) spread[j] += (x - mean[j]) * (x - mean[j]);         \
            if (pass == MVN_APPLY) to[i] = (type)((x - mean[j]) * spread[j]);            \
        }                                                                                \
    }

MVN(mvn_f64, double)
MVN(mvn_f32, float)

static void mvn_walk(const op_call *call, const reduce_walk *walk, mvn_pass pass,
                     const mvn_sums *sums) {
    const op_tensor *in = op_input(call, 0);
    void *out = op_output(call, 0)->target;
    walk_place kept = walk_start(&walk->kept, 0);
    mvn_run run = {.length = walk->length, .step = walk->run_kept ? 1 : 0};
    for (uint64_t i = 0; i < walk->kept.count; i++) {
        walk_place reduced = walk_start(&walk->reduced, 0);
        run.kept = i * (walk->run_kept ? walk->length : 1);
        for (uint64_t j = 0; j < walk->reduced.count; j++) {
            run.at = kept.at + reduced.at;
            (in->dtype == WLK_F64 ? mvn_f64 : mvn_f32)(pass, in->data, out, sums, &run);
            walk_next(&walk->reduced, &reduced);
        }
        walk_next(&walk->kept, &kept);
    }
}

static wlk_status mvn_kernel(const op_call *call) {
    const op_tensor *in = op_input(call, 0);
    uint32_t mask = 0;
    TRY(mvn_axes(call, in->rank, &mask));
    if (in->count == 0) return WLK_OK;
    const reduce_walk walk = reduce_walk_of(in, mask);
    const uint64_t kept = in->count / walk.reduces;
    const uint64_t bytes = (kept * sizeof(double) + TENSOR_ALIGN - 1) / TENSOR_ALIGN * TENSOR_ALIGN;
    const mvn_sums sums = {.mean = call->scratch,
                           .spread = (double *)(void *)((char *)call->scratch + bytes)};
    for (uint64_t i = 0; i < kept; i++) sums.mean[i] = sums.spread[i] = 0;
    mvn_walk(call, &walk, MVN_SUM, &sums);
    for (uint64_t i = 0; i < kept; i++) sums.mean[i] /= (double)walk.reduces;
    mvn_walk(call, &walk, MVN_SQUARES, &sums);
    for (uint64_t i = 0; i < kept; i++) {
        sums.spread[i] = 1 / (sqrt(sums.spread[i] / (double)walk.reduces) + 1e-9);
    }
    mvn_walk(call, &walk, MVN_APPLY, &sums);
    return WLK_OK;
}

static const attribute_row attributes[] = {[MVN_AXES] = {.name = "axes", .type = WLK_ATTR_INTS}};

static const op_port port_9[] = {{"X", DTYPES_FLOAT | DTYPE_BIT(WLK_F16), 'T'}};
static const op_port port_13[] = {{"X", DTYPES_FLOAT | DTYPES_HALF, 'T'}};

#define ROW(version, op_ports)                                                                    \
    {                                                                                             \
        .domain = "", .name = "MeanVarianceNormalization", .since = version, .min_inputs = 1,     \
        .max_inputs = 1, .min_outputs = 1, .max_outputs = 1, .ports = op_ports,                   \
        .attributes = attributes, .attribute_count = 1, .infer = mvn_infer, .kernel = mvn_kernel, \
        .flags = OP_HALF                                                                          \
    }

static const op_row rows[] = {ROW(9, port_9), ROW(13, port_13)};

const op_family ops_mean_variance = {rows, sizeof rows / sizeof *rows};

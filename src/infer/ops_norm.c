/* BatchNormalization, InstanceNormalization, LRN: what is normalised along channels. */
#include <math.h>
#include <string.h>

#include "infer/moments.h"
#include "infer/ops.h"
#include "infer/parallel.h"
#include "infer/shape.h"

/* X as [images, channels, plane]. */
typedef struct planes {
    uint64_t images;
    uint64_t channels;
    uint64_t plane;
} planes;

static planes planes_of(const op_tensor *x) {
    const planes p = {.images = (uint64_t)x->dims[0],
                      .channels = x->rank > 1 ? (uint64_t)x->dims[1] : 1,
                      .plane = x->rank > 2 ? tensor_span(x, 2, x->rank) : 1};
    return p;
}

static double value_at(const op_tensor *t, uint64_t i) {
    return t->dtype == WLK_F64 ? ((const double *)t->data)[i] : (double)((const float *)t->data)[i];
}

static void set_value(const op_tensor *t, uint64_t i, double value) {
    if (t->dtype == WLK_F64) {
        ((double *)t->target)[i] = value;
    } else {
        ((float *)t->target)[i] = (float)value;
    }
}

/* out = x * factor + offset, for a whole plane. */
#define SCALE(function, type)                                                                    \
    static void function(const void *x, void *out, uint64_t from, uint64_t count, double factor, \
                         double offset) {                                                        \
        const type *in = (const type *)x + from;                                                 \
        type *restrict to = (type *)out + from;                                                  \
        const type a = (type)factor;                                                             \
        const type b = (type)offset;                                                             \
        for (uint64_t i = 0; i < count; i++) to[i] = in[i] * a + b;                              \
    }

SCALE(scale_f32, float)
SCALE(scale_f64, double)

static void scale_plane(const op_tensor *x, const op_tensor *out, uint64_t from, uint64_t count,
                        double factor, double offset) {
    if (x->dtype == WLK_F64) {
        scale_f64(x->data, out->target, from, count, factor, offset);
    } else {
        scale_f32(x->data, out->target, from, count, factor, offset);
    }
}

static double sum_of(const op_tensor *x, uint64_t from, uint64_t count, double center, int power) {
    if (x->dtype == WLK_F64) {
        return moment_sum_f64((const double *)x->data + from, count, center, power);
    }
    return moment_sum_f32((const float *)x->data + from, count, center, power);
}

#define PIECE_WORK (UINT64_C(1) << 15)

/* ---- BatchNormalization */

enum { BN_EPSILON, BN_MOMENTUM, BN_TRAINING };
enum { BN_IS_TEST = BN_MOMENTUM + 1, BN_SPATIAL, BN_CONSUMED };
enum { BN_7_SPATIAL = BN_MOMENTUM + 1 };
enum { BN_X, BN_SCALE, BN_B, BN_MEAN, BN_VAR };

/* Mean and variance are those of the batch: before version 7 an attribute says so, up to
 * version 13 the outputs that are asked for, then again an attribute. */
static bool is_training(const op_call *call) {
    const uint32_t since = call->node->row->since;
    if (since >= 14) return op_attribute(call, BN_TRAINING).i != 0;
    if (since < 7) return op_attribute(call, BN_IS_TEST).i == 0;
    return call->node->outputs > 1;
}

static bool is_spatial(const op_call *call) {
    const uint32_t since = call->node->row->since;
    if (since >= 9) return true;
    return op_attribute(call, since < 7 ? BN_SPATIAL : BN_7_SPATIAL).i != 0;
}

/* What input i must be: one value a channel, or one for each element of an image. */
static wlk_status need_statistics(const op_call *call, uint32_t i, const op_tensor *x) {
    const op_tensor *in = op_input(call, i);
    if (in->rank == WLK_NONE || x->rank == WLK_NONE) return WLK_OK;
    const int64_t one = 1;
    const int64_t *dims = x->rank > 1 ? x->dims + 1 : &one;
    const uint32_t rank = is_spatial(call) || x->rank < 2 ? 1 : x->rank - 1;
    bool fits = in->rank == rank;
    for (uint32_t axis = 0; fits && axis < rank; axis++) {
        fits = dim_agrees(in->dims[axis], dims[axis]);
    }
    return fits ? WLK_OK : shape_mismatch(call, 0, i);
}

static wlk_status batch_infer(op_call *call) {
    const op_tensor *x = op_input(call, 0);
    TRY(shape_need_rank(call, 0, 1, WLK_MAX_RANK));
    for (uint32_t i = BN_SCALE; i <= BN_VAR; i++) TRY(need_statistics(call, i, x));
    op_set_output(call, 0, x->dtype, x->rank, x->dims);
    const op_tensor mean = *op_input(call, BN_MEAN);
    for (uint32_t i = 1; i < call->node->outputs; i++) {
        op_set_output(call, i, mean.dtype, mean.rank, mean.dims);
    }
    if (!call->binding) return WLK_OK;
    op_add_operations(call, OP_ELEMENT_COST, x->count, is_training(call) ? 2 : 0, 1);
    return WLK_OK;
}

typedef struct batch {
    const op_call *call;
    planes p;
    double epsilon;
    double momentum;
    bool training;
} batch;

/* Mean and variance of a channel over the batch, and what is kept of them. */
static void batch_statistics(const batch *b, uint64_t channel, double *mean, double *variance) {
    const op_tensor *x = op_input(b->call, BN_X);
    const uint64_t step = b->p.channels * b->p.plane;
    const uint64_t first = channel * b->p.plane;
    const double count = (double)(b->p.images * b->p.plane);
    double sum = 0;
    for (uint64_t i = 0; i < b->p.images; i++) sum += sum_of(x, first + i * step, b->p.plane, 0, 1);
    *mean = sum / count;
    sum = 0;
    for (uint64_t i = 0; i < b->p.images; i++) {
        sum += sum_of(x, first + i * step, b->p.plane, *mean, 2);
    }
    *variance = sum / count;
}

/* Outputs 1 and 2 are the running statistics, 3 and 4 (older versions) those of the batch. */
static void keep_statistics(const batch *b, uint64_t channel, double mean, double variance,
                            double old_mean, double old_variance) {
    const double values[] = {old_mean * b->momentum + mean * (1 - b->momentum),
                             old_variance * b->momentum + variance * (1 - b->momentum), mean,
                             variance};
    for (uint32_t i = 0; i < 4; i++) {
        const op_tensor *out = op_output(b->call, 1 + i);
        if (out) set_value(out, channel, values[i]);
    }
}

static void batch_channels(void *context, uint64_t from, uint64_t to) {
    const batch *b = context;
    const op_tensor *x = op_input(b->call, BN_X);
    for (uint64_t c = from; c < to; c++) {
        double mean = value_at(op_input(b->call, BN_MEAN), c);
        double variance = value_at(op_input(b->call, BN_VAR), c);
        const double old_mean = mean;
        const double old_variance = variance;
        if (b->training) batch_statistics(b, c, &mean, &variance);
        keep_statistics(b, c, mean, variance, old_mean, old_variance);
        const double factor =
            value_at(op_input(b->call, BN_SCALE), c) / sqrt(variance + b->epsilon);
        const double offset = value_at(op_input(b->call, BN_B), c) - mean * factor;
        for (uint64_t i = 0; i < b->p.images; i++) {
            scale_plane(x, op_output(b->call, 0), (i * b->p.channels + c) * b->p.plane, b->p.plane,
                        factor, offset);
        }
    }
}

static wlk_status batch_kernel(const op_call *call) {
    const op_tensor *x = op_input(call, 0);
    batch b = {.call = call,
               .p = planes_of(x),
               .epsilon = op_attribute(call, BN_EPSILON).f,
               .momentum = op_attribute(call, BN_MOMENTUM).f,
               .training = is_training(call)};
    if (!is_spatial(call)) {
        b.p.channels *= b.p.plane;
        b.p.plane = 1;
    }
    op_parallel(call, b.p.channels, 1 + PIECE_WORK / (b.p.images * b.p.plane + 1), batch_channels,
                &b);
    return WLK_OK;
}

/* ---- InstanceNormalization */

static wlk_status instance_infer(op_call *call) {
    const op_tensor *x = op_input(call, 0);
    TRY(shape_need_rank(call, 0, 3, WLK_MAX_RANK));
    for (uint32_t i = 1; i < 3 && x->rank != WLK_NONE; i++) {
        const op_tensor *in = op_input(call, i);
        if (in->rank == WLK_NONE) continue;
        if (in->rank != 1 || !dim_agrees(in->dims[0], x->dims[1]))
            return shape_mismatch(call, 0, i);
    }
    op_set_output(call, 0, x->dtype, x->rank, x->dims);
    if (call->binding) op_add_operations(call, OP_ELEMENT_COST, x->count, 2, 1);
    return WLK_OK;
}

static void instance_planes(void *context, uint64_t from, uint64_t to) {
    const batch *b = context;
    const op_tensor *x = op_input(b->call, 0);
    const uint64_t plane = b->p.plane;
    for (uint64_t i = from; i < to; i++) {
        const uint64_t c = i % b->p.channels;
        const double mean = sum_of(x, i * plane, plane, 0, 1) / (double)plane;
        const double variance = sum_of(x, i * plane, plane, mean, 2) / (double)plane;
        const double factor = value_at(op_input(b->call, 1), c) / sqrt(variance + b->epsilon);
        const double offset = value_at(op_input(b->call, 2), c) - mean * factor;
        scale_plane(x, op_output(b->call, 0), i * plane, plane, factor, offset);
    }
}

static wlk_status instance_kernel(const op_call *call) {
    batch b = {.call = call, .p = planes_of(op_input(call, 0)), .epsilon = op_attribute(call, 0).f};
    op_parallel(call, b.p.images * b.p.channels, 1 + PIECE_WORK / (b.p.plane + 1), instance_planes,
                &b);
    return WLK_OK;
}

/* ---- LRN: each element by its neighbours in the channels around */

enum { LRN_ALPHA, LRN_BETA, LRN_BIAS, LRN_SIZE, LRN_ATTRIBUTES };

static wlk_status lrn_infer(op_call *call) {
    const op_tensor *x = op_input(call, 0);
    const int64_t size = op_attribute(call, LRN_SIZE).i;
    TRY(shape_need_rank(call, 0, 2, WLK_MAX_RANK));
    if (size < 1) return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "size is %lld", (long long)size);
    op_set_output(call, 0, x->dtype, x->rank, x->dims);
    if (!call->binding) return WLK_OK;
    const uint64_t channels = (uint64_t)x->dims[1];
    const uint64_t window = (uint64_t)size < channels ? (uint64_t)size : channels;
    op_add_operations(call, OP_ELEMENT_COST, x->count, window + 4, 1);
    return WLK_OK;
}

/* The squares' sums are gathered in the output, which then takes their place. */
#define LRN(function, type, power)                                                         \
    static void function(const planes *p, uint64_t channel, uint64_t first, uint64_t last, \
                         const double factors[3], const void *x, void *out) {              \
        const type *in = x;                                                                \
        type *restrict to = (type *)out + channel * p->plane;                              \
        const type alpha = (type)factors[LRN_ALPHA];                                       \
        const type beta = (type)factors[LRN_BETA];                                         \
        const type bias = (type)factors[LRN_BIAS];                                         \
        memset(to, 0, p->plane * sizeof *to);                                              \
        for (uint64_t c = first; c < last; c++) {                                          \
            const type *from = in + c * p->plane;                                          \
            for (uint64_t i = 0; i < p->plane; i++) to[i] += from[i] * from[i];            \
        }                                                                                  \
        const type *own = in + channel * p->plane;                                         \
        for (uint64_t i = 0; i < p->plane; i++) {                                          \
            to[i] = own[i] / power(bias + alpha * to[i], beta);                            \
        }                                                                                  \
    }

LRN(lrn_f32, float, powf)
LRN(lrn_f64, double, pow)

static void lrn_planes(void *context, uint64_t from, uint64_t to) {
    const batch *b = context;
    const op_tensor *x = op_input(b->call, 0);
    const op_tensor *out = op_output(b->call, 0);
    const uint64_t size = (uint64_t)op_attribute(b->call, LRN_SIZE).i;
    const uint64_t channels = b->p.channels;
    const double factors[] = {[LRN_ALPHA] = op_attribute(b->call, LRN_ALPHA).f / (double)size,
                              [LRN_BETA] = op_attribute(b->call, LRN_BETA).f,
                              [LRN_BIAS] = op_attribute(b->call, LRN_BIAS).f};
    for (uint64_t i = from; i < to; i++) {
        const uint64_t c = i % channels;
        const uint64_t before = (size - 1) / 2;
        const uint64_t behind = size / 2;
        const uint64_t first = i - (c < before ? c : before);
        const uint64_t last = i + 1 + (behind < channels - 1 - c ? behind : channels - 1 - c);
        if (x->dtype == WLK_F64) {
            lrn_f64(&b->p, i, first, last, factors, x->data, out->target);
        } else {
            lrn_f32(&b->p, i, first, last, factors, x->data, out->target);
        }
    }
}

static wlk_status lrn_kernel(const op_call *call) {
    batch b = {.call = call, .p = planes_of(op_input(call, 0))};
    op_parallel(call, b.p.images * b.p.channels, 1 + PIECE_WORK / (b.p.plane + 1), lrn_planes, &b);
    return WLK_OK;
}

/* ---- rows */

#define EPSILON \
    { .name = "epsilon", .type = WLK_ATTR_FLOAT, .f = 1e-5F }
#define MOMENTUM \
    { .name = "momentum", .type = WLK_ATTR_FLOAT, .f = 0.9F }

static const attribute_row batch_old[] = {
    [BN_EPSILON] = EPSILON,
    [BN_MOMENTUM] = MOMENTUM,
    [BN_IS_TEST] = {.name = "is_test", .type = WLK_ATTR_INT},
    [BN_SPATIAL] = {.name = "spatial", .type = WLK_ATTR_INT, .i = 1},
    [BN_CONSUMED] = {.name = "consumed_inputs", .type = WLK_ATTR_INTS},
};
static const attribute_row batch_7[] = {
    [BN_EPSILON] = EPSILON,
    [BN_MOMENTUM] = MOMENTUM,
    [BN_7_SPATIAL] = {.name = "spatial", .type = WLK_ATTR_INT, .i = 1},
};
static const attribute_row batch_new[] = {
    [BN_EPSILON] = EPSILON,
    [BN_MOMENTUM] = MOMENTUM,
    [BN_TRAINING] = {.name = "training_mode", .type = WLK_ATTR_INT},
};
static const attribute_row instance_attributes[] = {
    EPSILON, {.name = "consumed_inputs", .type = WLK_ATTR_INTS}};
static const attribute_row lrn_attributes[] = {
    [LRN_ALPHA] = {.name = "alpha", .type = WLK_ATTR_FLOAT, .f = 1e-4F},
    [LRN_BETA] = {.name = "beta", .type = WLK_ATTR_FLOAT, .f = 0.75},
    [LRN_BIAS] = {.name = "bias", .type = WLK_ATTR_FLOAT, .f = 1},
    [LRN_SIZE] = {.name = "size", .type = WLK_ATTR_INT, .required = true},
};

#define OLD DTYPES_FLOAT | DTYPE_BIT(WLK_F16)
#define NEW DTYPES_FLOAT | DTYPES_HALF
static const op_port batch_ports[] = {
    {"X", OLD, 'T'}, {"scale", OLD, 'T'}, {"B", OLD, 'T'}, {"mean", OLD, 'T'}, {"var", OLD, 'T'}};
static const op_port batch_14_ports[] = {{"X", NEW, 'T'},
                                         {"scale", NEW, 'T'},
                                         {"B", NEW, 'T'},
                                         {"input_mean", NEW, 'U'},
                                         {"input_var", NEW, 'U'}};
static const op_port batch_15_ports[] = {{"X", NEW, 'T'},
                                         {"scale", NEW, 'S'},
                                         {"B", NEW, 'S'},
                                         {"input_mean", NEW, 'U'},
                                         {"input_var", NEW, 'U'}};
static const op_port instance_ports[] = {{"input", OLD, 'T'}, {"scale", OLD, 'T'}, {"B", OLD, 'T'}};
static const op_port instance_22_ports[] = {
    {"input", NEW, 'T'}, {"scale", NEW, 'T'}, {"B", NEW, 'T'}};
static const op_port lrn_ports[] = {{"X", OLD, 'T'}};
static const op_port lrn_13_ports[] = {{"X", NEW, 'T'}};

#define ROW(op, version, count, most_outputs, op_ports, attribute_rows, known, prefix)        \
    {                                                                                         \
        .domain = "", .name = op, .since = version, .min_inputs = count, .max_inputs = count, \
        .min_outputs = 1, .max_outputs = most_outputs, .ports = op_ports,                     \
        .attributes = attribute_rows, .attribute_count = known, .infer = prefix##_infer,      \
        .kernel = prefix##_kernel, .flags = OP_HALF                                           \
    }
#define BATCH(version, most_outputs, op_ports, attribute_rows, known) \
    ROW("BatchNormalization", version, 5, most_outputs, op_ports, attribute_rows, known, batch)

static const op_row rows[] = {
    BATCH(1, 5, batch_ports, batch_old, 5),
    BATCH(6, 5, batch_ports, batch_old, 4),
    BATCH(7, 5, batch_ports, batch_7, 3),
    BATCH(9, 5, batch_ports, batch_7, 2),
    BATCH(14, 3, batch_14_ports, batch_new, 3),
    BATCH(15, 3, batch_15_ports, batch_new, 3),
    ROW("InstanceNormalization", 1, 3, 1, instance_ports, instance_attributes, 2, instance),
    ROW("InstanceNormalization", 6, 3, 1, instance_ports, instance_attributes, 1, instance),
    ROW("InstanceNormalization", 22, 3, 1, instance_22_ports, instance_attributes, 1, instance),
    ROW("LRN", 1, 1, 1, lrn_ports, lrn_attributes, LRN_ATTRIBUTES, lrn),
    ROW("LRN", 13, 1, 1, lrn_13_ports, lrn_attributes, LRN_ATTRIBUTES, lrn),
};

const op_family ops_norm = {rows, sizeof rows / sizeof *rows};

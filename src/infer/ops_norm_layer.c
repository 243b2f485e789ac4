/* LayerNormalization, RMSNormalization, GroupNormalization: what is normalised over the
 * elements of one image. */
#include <math.h>

#include "infer/broadcast.h"
#include "infer/moments.h"
#include "infer/ops.h"
#include "infer/parallel.h"
#include "infer/shape.h"

enum { LAYER_EPSILON, LAYER_STASH, LAYER_AXIS, LAYER_ATTRIBUTES };
enum { GROUP_EPSILON, GROUP_COUNT, GROUP_STASH };

/* A normalised element is (x - mean) * inverse, then scaled and moved. Scale and bias are
 * as long as a row, or NULL where they are not read along with it. */
#define NORMALISE(function, type)                                                               \
    static void function(const void *x, void *out, uint64_t count, double mean, double inverse, \
                         const void *scale, const void *bias) {                                 \
        const type *in = x;                                                                     \
        const type *factors = scale;                                                            \
        const type *offsets = bias;                                                             \
        const type center = (type)mean;                                                         \
        const type factor = (type)inverse;                                                      \
        type *restrict to = out;                                                                \
        for (uint64_t i = 0; i < count; i++) to[i] = (in[i] - center) * factor;                 \
        for (uint64_t i = 0; factors && i < count; i++) to[i] *= factors[i];                    \
        for (uint64_t i = 0; offsets && i < count; i++) to[i] += offsets[i];                    \
    }                                                                                           \
    /* Rows whose scale and bias stretch otherwise than along the row. */                       \
    static void scale_##function(const op_tensor *out, const op_tensor *by) {                   \
        broadcast_walk walk =                                                                   \
            broadcast_start(broadcast_of(out), broadcast_of(by), broadcast_of(by));             \
        for (; !walk.done; broadcast_next(&walk)) {                                             \
            type *to = (type *)out->target + walk.out;                                          \
            const type *from = (const type *)by->data + walk.at[0];                             \
            for (uint64_t i = 0; i < walk.length; i++) to[i] *= from[i * walk.step[0]];         \
        }                                                                                       \
    }                                                                                           \
    static void move_##function(const op_tensor *out, const op_tensor *by) {                    \
        broadcast_walk walk =                                                                   \
            broadcast_start(broadcast_of(out), broadcast_of(by), broadcast_of(by));             \
        for (; !walk.done; broadcast_next(&walk)) {                                             \
            type *to = (type *)out->target + walk.out;                                          \
            const type *from = (const type *)by->data + walk.at[0];                             \
            for (uint64_t i = 0; i < walk.length; i++) to[i] += from[i * walk.step[0]];         \
        }                                                                                       \
    }

NORMALISE(normalise_f32, float)
NORMALISE(normalise_f64, double)

static double value_at(const op_tensor *t, uint64_t i) {
    return t->dtype == WLK_F64 ? ((const double *)t->data)[i] : (double)((const float *)t->data)[i];
}

static void set_value(const op_tensor *t, uint64_t i, double value) {
    if (!t) return;
    if (t->dtype == WLK_F64) {
        ((double *)t->target)[i] = value;
    } else {
        ((float *)t->target)[i] = (float)value;
    }
}

/* ---- LayerNormalization and RMSNormalization, of rows */

typedef struct layer {
    const op_tensor *x;
    const op_tensor *out;
    const op_tensor *means;
    const op_tensor *inverses;
    const void *scale; /* where it is as long as a row */
    const void *bias;
    double epsilon;
    uint64_t length;
    bool centered; /* RMSNormalization takes no mean */
} layer;

static void layer_row(const layer *l, uint64_t row) {
    const bool is_f64 = l->x->dtype == WLK_F64;
    const uint64_t at = row * l->length;
    const void *x = is_f64 ? (const void *)((const double *)l->x->data + at)
                           : (const void *)((const float *)l->x->data + at);
    void *out =
        is_f64 ? (void *)((double *)l->out->target + at) : (void *)((float *)l->out->target + at);
    double mean = 0;
    double variance;
    if (l->centered) mean = is_f64 ? moment_mean_f64(x, l->length) : moment_mean_f32(x, l->length);
    variance =
        is_f64 ? moment_variance_f64(x, l->length, mean) : moment_variance_f32(x, l->length, mean);
    const double inverse = 1 / sqrt(variance + l->epsilon);
    set_value(l->means, row, mean);
    set_value(l->inverses, row, inverse);
    (is_f64 ? normalise_f64 : normalise_f32)(x, out, l->length, mean, inverse, l->scale, l->bias);
}

static void layer_rows(void *context, uint64_t from, uint64_t to) {
    for (uint64_t i = from; i < to; i++) layer_row(context, i);
}

/* Are its elements those of a row, one by one? */
static bool is_row(const op_tensor *in, const op_tensor *x, uint32_t axis) {
    if (in->count != tensor_span(x, axis, x->rank)) return false;
    for (uint32_t i = 0; i < in->rank && i < x->rank - axis; i++) {
        if (in->dims[in->rank - 1 - i] != x->dims[x->rank - 1 - i]) return false;
    }
    return true;
}

static wlk_status layer_run(const op_call *call, layer *l) {
    const op_tensor *scale = op_input(call, 1);
    const op_tensor *bias = l->centered ? op_input(call, 2) : NULL;
    uint32_t axis = 0;
    l->x = op_input(call, 0);
    l->out = op_output(call, 0);
    l->epsilon = op_attribute(call, LAYER_EPSILON).f;
    TRY(shape_axis(call, op_attribute(call, LAYER_AXIS).i, l->x->rank, true, &axis));
    l->length = tensor_span(l->x, axis, l->x->rank);
    const uint64_t rows = tensor_span(l->x, 0, axis);
    const bool direct = is_row(scale, l->x, axis) && (!bias || is_row(bias, l->x, axis));
    l->scale = direct ? scale->data : NULL;
    l->bias = direct && bias ? bias->data : NULL;
    if (l->x->count == 0 && !l->means && !l->inverses) return WLK_OK;
    op_parallel(call, rows, 1 + (1 << 15) / (l->length + 1), layer_rows, l);
    if (direct) return WLK_OK;
    const bool is_f64 = l->x->dtype == WLK_F64;
    (is_f64 ? scale_normalise_f64 : scale_normalise_f32)(l->out, scale);
    if (bias) (is_f64 ? move_normalise_f64 : move_normalise_f32)(l->out, bias);
    return WLK_OK;
}

/* What kernels are given instead of a half. */
static wlk_dtype computed_in(wlk_dtype dtype) {
    return DTYPES_HALF & DTYPE_BIT(dtype) ? WLK_F32 : dtype;
}

static wlk_status need_stretch(const op_call *call, uint32_t i) {
    const op_tensor *x = op_input(call, 0);
    const op_tensor *in = op_input(call, i);
    if (!in || x->rank == WLK_NONE || dims_stretch(in, x->dims, x->rank)) return WLK_OK;
    return shape_mismatch(call, 0, i);
}

static wlk_status layer_shapes(op_call *call, uint32_t *axis) {
    const op_tensor *x = op_input(call, 0);
    TRY(shape_need_rank(call, 0, 1, WLK_MAX_RANK));
    TRY(need_stretch(call, 1));
    TRY(need_stretch(call, 2));
    if (x->rank == WLK_NONE) return WLK_OK;
    TRY(shape_axis(call, op_attribute(call, LAYER_AXIS).i, x->rank, true, axis));
    if (!call->binding) return WLK_OK;
    op_add_operations(call, OP_ELEMENT_COST, x->count, 4, 1);
    return WLK_OK;
}

static wlk_status layer_infer(op_call *call) {
    const op_tensor *x = op_input(call, 0);
    const int64_t stash = op_attribute(call, LAYER_STASH).i;
    const wlk_dtype dtype = x->dtype;
    uint32_t axis = 0;
    TRY(layer_shapes(call, &axis));
    if (stash != 1 && stash != 16) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "stash_type is %lld", (long long)stash);
    }
    int64_t dims[WLK_MAX_RANK];
    for (uint32_t i = 0; x->rank != WLK_NONE && i < x->rank; i++) {
        dims[i] = i < axis ? x->dims[i] : 1;
    }
    const uint32_t rank = x->rank;
    op_set_output(call, 0, dtype, rank, x->dims);
    op_set_output(call, 1, stash == 1 ? WLK_F32 : WLK_BF16, rank, dims);
    op_set_output(call, 2, stash == 1 ? WLK_F32 : WLK_BF16, rank, dims);
    return WLK_OK;
}

static wlk_status layer_kernel(const op_call *call) {
    layer l = {.centered = true, .means = op_output(call, 1), .inverses = op_output(call, 2)};
    return layer_run(call, &l);
}

/* The result is of the scale's dtype. */
static wlk_status rms_infer(op_call *call) {
    const op_tensor *x = op_input(call, 0);
    const wlk_dtype dtype = op_input(call, 1)->dtype;
    uint32_t axis = 0;
    if (computed_in(x->dtype) != computed_in(dtype)) {
        return op_fail(call, RULE_PLAN_DTYPE, "X is %s, scale is %s", wlk_dtype_name(x->dtype),
                       wlk_dtype_name(dtype));
    }
    TRY(layer_shapes(call, &axis));
    op_set_output(call, 0, dtype, x->rank, x->dims);
    return WLK_OK;
}

static wlk_status rms_kernel(const op_call *call) {
    layer l = {.centered = false};
    return layer_run(call, &l);
}

/* ---- GroupNormalization */

static wlk_status group_infer(op_call *call) {
    const op_tensor *x = op_input(call, 0);
    const int64_t groups = op_attribute(call, GROUP_COUNT).i;
    TRY(shape_need_rank(call, 0, 3, WLK_MAX_RANK));
    if (groups < 1)
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "%lld groups", (long long)groups);
    op_set_output(call, 0, x->dtype, x->rank, x->dims);
    if (x->rank == WLK_NONE) return WLK_OK;
    if (x->dims[1] != WLK_UNKNOWN_DIM && x->dims[1] % groups != 0) {
        return op_fail(call, op_shape_rule(call), "%lld channels in %lld groups",
                       (long long)x->dims[1], (long long)groups);
    }
    const int64_t each = call->node->row->since < 21 ? groups : x->dims[1];
    for (uint32_t i = 1; i < 3; i++) {
        const op_tensor *in = op_input(call, i);
        if (in->rank == WLK_NONE) continue;
        if (in->rank != 1 || !dim_agrees(in->dims[0], each)) return shape_mismatch(call, 0, i);
    }
    if (call->binding) op_add_operations(call, OP_ELEMENT_COST, x->count, 3, 1);
    return WLK_OK;
}

typedef struct group {
    const op_call *call;
    uint64_t groups;
    uint64_t channels; /* of a group */
    uint64_t plane;
    double epsilon;
} group;

/* One group of one image; scale and bias are one a channel, or (version 18) one a group. */
static void normalise_group(const group *g, uint64_t i) {
    const op_tensor *x = op_input(g->call, 0);
    const op_tensor *out = op_output(g->call, 0);
    const bool is_f64 = x->dtype == WLK_F64;
    const bool each_group = g->call->node->row->since < 21;
    const uint64_t count = g->channels * g->plane;
    const uint64_t size = is_f64 ? 8 : 4;
    const char *from = (const char *)x->data + i * count * size;
    char *to = (char *)out->target + i * count * size;
    double mean;
    double variance;
    if (is_f64) {
        mean = moment_mean_f64((const double *)(const void *)from, count);
        variance = moment_variance_f64((const double *)(const void *)from, count, mean);
    } else {
        mean = moment_mean_f32((const float *)(const void *)from, count);
        variance = moment_variance_f32((const float *)(const void *)from, count, mean);
    }
    const double inverse = 1 / sqrt(variance + g->epsilon);
    for (uint64_t c = 0; c < g->channels; c++) {
        const uint64_t at = i % g->groups * (each_group ? 1 : g->channels) + (each_group ? 0 : c);
        const double scale = value_at(op_input(g->call, 1), at);
        const double bias = value_at(op_input(g->call, 2), at);
        const uint64_t first = c * g->plane * size;
        /* (x - mean) * inverse * scale + bias, as one shift and one factor where it can be */
        (is_f64 ? normalise_f64 : normalise_f32)(from + first, to + first, g->plane, mean,
                                                 inverse * scale, NULL, NULL);
        for (uint64_t j = 0; j < g->plane; j++) {
            if (is_f64) {
                ((double *)(void *)(to + first))[j] += bias;
            } else {
                ((float *)(void *)(to + first))[j] += (float)bias;
            }
        }
    }
}

static void group_range(void *context, uint64_t from, uint64_t to) {
    for (uint64_t i = from; i < to; i++) normalise_group(context, i);
}

static wlk_status group_kernel(const op_call *call) {
    const op_tensor *x = op_input(call, 0);
    group g = {.call = call,
               .groups = (uint64_t)op_attribute(call, GROUP_COUNT).i,
               .plane = tensor_span(x, 2, x->rank),
               .epsilon = op_attribute(call, GROUP_EPSILON).f};
    g.channels = (uint64_t)x->dims[1] / g.groups;
    if (x->count == 0) return WLK_OK;
    op_parallel(call, (uint64_t)x->dims[0] * g.groups, 1 + (1 << 15) / (g.channels * g.plane + 1),
                group_range, &g);
    return WLK_OK;
}

/* ---- rows */

#define EPSILON \
    { .name = "epsilon", .type = WLK_ATTR_FLOAT, .f = 1e-5F }
#define STASH \
    { .name = "stash_type", .type = WLK_ATTR_INT, .i = 1 }

static const attribute_row layer_attributes[] = {
    [LAYER_EPSILON] = EPSILON,
    [LAYER_STASH] = STASH,
    [LAYER_AXIS] = {.name = "axis", .type = WLK_ATTR_INT, .i = -1},
};
static const attribute_row group_attributes[] = {
    [GROUP_EPSILON] = EPSILON,
    [GROUP_COUNT] = {.name = "num_groups", .type = WLK_ATTR_INT, .required = true},
    [GROUP_STASH] = STASH,
};

#define ALL DTYPES_FLOAT | DTYPES_HALF
static const op_port layer_ports[] = {{"X", ALL, 'T'}, {"Scale", ALL, 'T'}, {"B", ALL, 'T'}};
static const op_port rms_ports[] = {{"X", ALL, 'T'}, {"scale", ALL, 'V'}};
static const op_port group_ports[] = {{"X", ALL, 'T'}, {"scale", ALL, 'T'}, {"bias", ALL, 'T'}};

#define ROW(op, version, least, most, most_outputs, op_ports, attribute_rows, known, prefix) \
    {                                                                                        \
        .domain = "", .name = op, .since = version, .min_inputs = least, .max_inputs = most, \
        .min_outputs = 1, .max_outputs = most_outputs, .ports = op_ports,                    \
        .attributes = attribute_rows, .attribute_count = known, .infer = prefix##_infer,     \
        .kernel = prefix##_kernel, .flags = OP_HALF                                          \
    }

static const op_row rows[] = {
    ROW("LayerNormalization", 17, 2, 3, 3, layer_ports, layer_attributes, LAYER_ATTRIBUTES, layer),
    ROW("RMSNormalization", 23, 2, 2, 1, rms_ports, layer_attributes, LAYER_ATTRIBUTES, rms),
    ROW("GroupNormalization", 18, 3, 3, 1, group_ports, group_attributes, GROUP_STASH, group),
    ROW("GroupNormalization", 21, 3, 3, 1, group_ports, group_attributes, GROUP_STASH + 1, group),
};

const op_family ops_norm_layer = {rows, sizeof rows / sizeof *rows};

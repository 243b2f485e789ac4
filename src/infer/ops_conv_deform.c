/* DeformConv: a convolution whose taps are moved by offsets that the model computes. What
 * each tap sees is sampled between the elements around it; the rest is a product. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "infer/blas.h"
#include "infer/ops.h"
#include "infer/parallel.h"
#include "infer/shape.h"
#include "infer/window.h"

enum { DC_DILATIONS = WINDOW_ATTRIBUTES, DC_GROUP, DC_OFFSET_GROUP, DC_ATTRIBUTES };
enum { DC_X, DC_W, DC_OFFSET, DC_BIAS, DC_MASK };

static const window_places places = {.auto_pad = WLK_NONE, .dilations = DC_DILATIONS};

typedef struct deform {
    const op_call *call;
    window w;
    uint64_t groups;
    uint64_t offset_groups;
    uint64_t channels; /* of the image */
    uint64_t outputs;
    uint64_t taps;
    uint64_t in_plane;
    uint64_t out_plane;
    uint64_t image; /* being computed */
    product_job job;
} deform;

/* ---- shapes */

static wlk_status deform_window(const op_call *call, window *w) {
    TRY(window_read(call, op_input(call, DC_X), op_input(call, DC_W), places, w));
    return window_slide(call, false, w);
}

static wlk_status need_groups(const op_call *call) {
    const op_tensor *x = op_input(call, DC_X);
    const op_tensor *w = op_input(call, DC_W);
    const op_tensor *bias = op_input(call, DC_BIAS);
    const int64_t group = op_attribute(call, DC_GROUP).i;
    const int64_t offsets = op_attribute(call, DC_OFFSET_GROUP).i;
    if (group < 1 || offsets < 1) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "%" PRId64 " and %" PRId64 " groups", group,
                       offsets);
    }
    if (w->rank == WLK_NONE) return WLK_OK;
    const int64_t channels = x->dims[1];
    const bool known = channels != WLK_UNKNOWN_DIM && w->dims[1] != WLK_UNKNOWN_DIM;
    const bool divides =
        channels == WLK_UNKNOWN_DIM || (channels % group == 0 && channels % offsets == 0);
    const bool outputs = w->dims[0] == WLK_UNKNOWN_DIM || w->dims[0] % group == 0;
    if (!divides || !outputs || (known && channels / group != w->dims[1])) {
        return shape_mismatch(call, DC_X, DC_W);
    }
    if (!bias || bias->rank == WLK_NONE) return WLK_OK;
    return bias->rank == 1 && dim_agrees(bias->dims[0], w->dims[0])
               ? WLK_OK
               : shape_mismatch(call, DC_W, DC_BIAS);
}

/* Input i is [images, offset groups * taps * each, out...]. */
static wlk_status need_each(const op_call *call, uint32_t i, const window *w, int64_t each) {
    const op_tensor *in = op_input(call, i);
    const int64_t taps = dim_product(w->kernel, 0, w->axes);
    if (!in || in->rank == WLK_NONE) return WLK_OK;
    bool fits = in->rank == w->axes + 2 && dim_agrees(in->dims[0], op_input(call, DC_X)->dims[0]);
    for (uint32_t axis = 0; fits && axis < w->axes; axis++) {
        fits = dim_agrees(in->dims[2 + axis], w->out[axis]);
    }
    if (fits && taps != WLK_UNKNOWN_DIM && in->dims[1] != WLK_UNKNOWN_DIM) {
        const int64_t parts[] = {op_attribute(call, DC_OFFSET_GROUP).i, taps, each};
        fits = in->dims[1] == dim_product(parts, 0, 3);
    }
    return fits ? WLK_OK : shape_mismatch(call, DC_X, i);
}

static uint64_t saturating(uint64_t a, uint64_t b) {
    uint64_t result;
    return __builtin_mul_overflow(a, b, &result) ? UINT64_MAX : result;
}

static uint64_t saturating_product(const int64_t *dims, uint32_t count) {
    uint64_t result = 1;
    for (uint32_t i = 0; i < count; i++) result = saturating(result, (uint64_t)dims[i]);
    return result;
}

static deform deform_of(const op_call *call, const window *w) {
    const op_tensor *weights = op_input(call, DC_W);
    deform d = {.call = call,
                .w = *w,
                .groups = (uint64_t)op_attribute(call, DC_GROUP).i,
                .offset_groups = (uint64_t)op_attribute(call, DC_OFFSET_GROUP).i,
                .channels = (uint64_t)op_input(call, DC_X)->dims[1],
                .outputs = (uint64_t)weights->dims[0],
                .taps = saturating_product(w->kernel, w->axes),
                .in_plane = saturating_product(w->in, w->axes),
                .out_plane = saturating_product(w->out, w->axes)};
    d.job.size = (product){.m = d.outputs / d.groups,
                           .n = d.out_plane,
                           .k = saturating((uint64_t)weights->dims[1], d.taps)};
    return d;
}

static wlk_status deform_need(op_call *call, const window *w) {
    const op_tensor *x = op_input(call, DC_X);
    const deform d = deform_of(call, w);
    const uint64_t sampled = saturating(saturating(d.channels, d.taps), d.out_plane);
    if (!product_fits(&d.job.size)) return op_fail(call, RULE_RUN_MATRIX, "its product");
    op_add_operations(call, 1, (uint64_t)x->dims[0], saturating(d.outputs, d.out_plane),
                      d.job.size.k);
    op_add_operations(call, OP_ELEMENT_COST * w->axes, (uint64_t)x->dims[0], sampled,
                      UINT64_C(1) << w->axes);
    return op_need_scratch(call, sampled, x->dtype == WLK_F64 ? 8 : 4);
}

static wlk_status deform_infer(op_call *call) {
    const op_tensor *x = op_input(call, DC_X);
    const op_tensor *weights = op_input(call, DC_W);
    TRY(shape_need_rank(call, DC_X, 3, WLK_MAX_RANK));
    TRY(shape_need_rank(call, DC_W, 3, WLK_MAX_RANK));
    if (x->rank == WLK_NONE) {
        op_set_output(call, 0, x->dtype, WLK_NONE, NULL);
        return WLK_OK;
    }
    window w;
    TRY(deform_window(call, &w));
    TRY(need_groups(call));
    TRY(need_each(call, DC_OFFSET, &w, w.axes));
    TRY(need_each(call, DC_MASK, &w, 1));
    int64_t dims[WLK_MAX_RANK] = {x->dims[0], WLK_UNKNOWN_DIM};
    if (weights->rank != WLK_NONE) dims[1] = weights->dims[0];
    memcpy(dims + 2, w.out, w.axes * sizeof *dims);
    op_set_output(call, 0, x->dtype, x->rank, dims);
    return call->binding ? deform_need(call, &w) : WLK_OK;
}

/* ---- the run */

/* The plane at a point between its elements: each of the 2^axes around it counts by how
 * near it is; what is outside is 0, and so is a point that is no number. */
#define SAMPLE(function, type)                                                               \
    static type function(const window *w, const type *plane, const double *point) {          \
        int64_t low[WINDOW_MAX_AXES];                                                        \
        type near[WINDOW_MAX_AXES];                                                          \
        type sum = 0;                                                                        \
        for (uint32_t i = 0; i < w->axes; i++) {                                             \
            if (!(point[i] > -1 && point[i] < (double)w->in[i])) return 0;                   \
            low[i] = (int64_t)floor(point[i]);                                               \
            near[i] = (type)(point[i] - (double)low[i]);                                     \
        }                                                                                    \
        for (uint32_t corner = 0; corner < 1u << w->axes; corner++) {                        \
            type share = 1;                                                                  \
            uint64_t at = 0;                                                                 \
            for (uint32_t i = 0; i < w->axes; i++) {                                         \
                const int64_t high = corner >> i & 1;                                        \
                const int64_t where = low[i] + high;                                         \
                share *= high ? near[i] : 1 - near[i];                                       \
                if (where < 0 || where >= w->in[i]) share = 0;                               \
                at = at * (uint64_t)w->in[i] + (uint64_t)(where < 0           ? 0            \
                                                          : where >= w->in[i] ? w->in[i] - 1 \
                                                                              : where);      \
            }                                                                                \
            if (share != 0) sum += share * plane[at];                                        \
        }                                                                                    \
        return sum;                                                                          \
    }                                                                                        \
    /* Tap `tap` of channel `channel`, for every position of the output. */                  \
    static void tap_##function(const deform *d, uint64_t channel, uint64_t tap, type *to) {  \
        const window *w = &d->w;                                                             \
        const uint64_t group = channel / (d->channels / d->offset_groups);                   \
        const uint64_t set = (d->image * d->offset_groups + group) * d->taps + tap;          \
        const type *offsets =                                                                \
            (const type *)op_input(d->call, DC_OFFSET)->data + set * w->axes * d->out_plane; \
        const op_tensor *mask = op_input(d->call, DC_MASK);                                  \
        const type *factors = mask ? (const type *)mask->data + set * d->out_plane : NULL;   \
        const type *plane = (const type *)op_input(d->call, DC_X)->data +                    \
                            (d->image * d->channels + channel) * d->in_plane;                \
        double first[WINDOW_MAX_AXES];                                                       \
        int64_t at[WINDOW_MAX_AXES] = {0};                                                   \
        for (uint32_t i = w->axes; i-- > 0; tap /= (uint64_t)w->kernel[i]) {                 \
            const int64_t moved = (int64_t)(tap % (uint64_t)w->kernel[i]) * w->dilation[i];  \
            first[i] = (double)(moved - w->before[i]);                                       \
        }                                                                                    \
        for (uint64_t p = 0; p < d->out_plane; p++) {                                        \
            double point[WINDOW_MAX_AXES];                                                   \
            for (uint32_t i = 0; i < w->axes; i++) {                                         \
                point[i] = first[i] + (double)(at[i] * w->stride[i]) +                       \
                           (double)offsets[i * d->out_plane + p];                            \
            }                                                                                \
            to[p] = function(w, plane, point);                                               \
            if (factors) to[p] *= factors[p];                                                \
            for (uint32_t i = w->axes; i-- > 0;) {                                           \
                if (++at[i] < w->out[i]) break;                                              \
                at[i] = 0;                                                                   \
            }                                                                                \
        }                                                                                    \
    }                                                                                        \
    static void bias_##function(const deform *d, uint64_t output, type *to) {                \
        const op_tensor *bias = op_input(d->call, DC_BIAS);                                  \
        const type first = bias ? ((const type *)bias->data)[output] : 0;                    \
        for (uint64_t p = 0; p < d->out_plane; p++) to[p] = first;                           \
    }

SAMPLE(sample_f32, float)
SAMPLE(sample_f64, double)

static bool is_f64(const deform *d) {
    return d->job.element == TILE_F64;
}

static void sample_rows(void *context, uint64_t from, uint64_t to) {
    const deform *d = context;
    for (uint64_t i = from; i < to; i++) {
        if (is_f64(d)) {
            double *row = (double *)d->call->scratch + i * d->out_plane;
            tap_sample_f64(d, i / d->taps, i % d->taps, row);
        } else {
            float *row = (float *)d->call->scratch + i * d->out_plane;
            tap_sample_f32(d, i / d->taps, i % d->taps, row);
        }
    }
}

/* All columns of a few outputs. */
static void multiply_rows(void *context, uint64_t from, uint64_t to) {
    const deform *d = context;
    const uint64_t each = d->outputs / d->groups;
    const uint64_t size = is_f64(d) ? 8 : 4;
    for (uint64_t output = from; output < to; output++) {
        const uint64_t group = output / each;
        char *out = (char *)op_output(d->call, 0)->target +
                    (d->image * d->outputs + group * each) * d->out_plane * size;
        product_job job = d->job;
        job.a = (const char *)op_input(d->call, DC_W)->data + group * each * job.size.k * size;
        job.b = (const char *)d->call->scratch + group * job.size.k * d->out_plane * size;
        job.c = out;
        if (is_f64(d)) {
            bias_sample_f64(d, output, (double *)(void *)out + output % each * d->out_plane);
        } else {
            bias_sample_f32(d, output, (float *)(void *)out + output % each * d->out_plane);
        }
        product_part(&job, output % each, 1, 0, d->out_plane);
    }
}

static wlk_status deform_kernel(const op_call *call) {
    const op_tensor *x = op_input(call, DC_X);
    window w;
    TRY(deform_window(call, &w));
    if (op_output(call, 0)->count == 0) return WLK_OK;
    deform d = deform_of(call, &w);
    d.job.element = x->dtype == WLK_F64 ? TILE_F64 : TILE_F32;
    d.job.alpha = 1;
    d.job.beta = 1;
    for (d.image = 0; d.image < (uint64_t)x->dims[0]; d.image++) {
        op_parallel(call, d.channels * d.taps, 1 + (1 << 12) / d.out_plane, sample_rows, &d);
        op_parallel(call, d.outputs, 1 + (1 << 18) / (d.out_plane * (d.job.size.k + 1)),
                    multiply_rows, &d);
    }
    return WLK_OK;
}

/* ---- rows */

static const attribute_row attributes[] = {
    WINDOW_ATTRIBUTE_ROWS(false),
    [DC_DILATIONS] = {.name = "dilations", .type = WLK_ATTR_INTS},
    [DC_GROUP] = {.name = "group", .type = WLK_ATTR_INT, .i = 1},
    [DC_OFFSET_GROUP] = {.name = "offset_group", .type = WLK_ATTR_INT, .i = 1},
};

#define PORTS(name, dtypes)                                 \
    static const op_port name[] = {{"X", dtypes, 'T'},      \
                                   {"W", dtypes, 'T'},      \
                                   {"offset", dtypes, 'T'}, \
                                   {"B", dtypes, 'T'},      \
                                   {"mask", dtypes, 'T'}}
PORTS(float_ports, DTYPES_FLOAT | DTYPE_BIT(WLK_F16));
PORTS(newest_ports, DTYPES_FLOAT | DTYPES_HALF);

#define ROW(version, op_ports)                                                                  \
    {                                                                                           \
        .domain = "", .name = "DeformConv", .since = version, .min_inputs = 3, .max_inputs = 5, \
        .min_outputs = 1, .max_outputs = 1, .ports = op_ports, .attributes = attributes,        \
        .attribute_count = DC_ATTRIBUTES, .infer = deform_infer, .kernel = deform_kernel,       \
        .flags = OP_HALF                                                                        \
    }

static const op_row rows[] = {ROW(19, float_ports), ROW(22, newest_ports)};

const op_family ops_conv_deform = {rows, sizeof rows / sizeof *rows};

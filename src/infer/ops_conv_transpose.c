/* ConvTranspose: every element of the input spreads a window of weights over the output.
 * One product makes what each tap spreads; then each tap's rows are added in. */
#include <inttypes.h>
#include <string.h>

#include "infer/blas.h"
#include "infer/ops.h"
#include "infer/parallel.h"
#include "infer/shape.h"
#include "infer/window.h"

enum {
    CT_AUTO_PAD = WINDOW_ATTRIBUTES,
    CT_DILATIONS,
    CT_GROUP,
    CT_OUTPUT_PADDING,
    CT_OUTPUT_SHAPE,
    CT_ATTRIBUTES
};

static const window_places places = {.auto_pad = CT_AUTO_PAD, .dilations = CT_DILATIONS};

/* ---- shapes */

/* Value `axis` of a list that may have the axes of batch and channels before it; each is
 * 0 .. 2^31-1. -1 if it is not given. */
static wlk_status list_value(const op_call *call, uint32_t place, const window *w, uint32_t axis,
                             int64_t *value) {
    const attribute_value list = op_attribute(call, place);
    *value = -1;
    if (!list.given || list.count == 0) return WLK_OK;
    const uint32_t skip = place == CT_OUTPUT_SHAPE && list.count == w->axes + 2 ? 2 : 0;
    if (list.count == w->axes + skip) *value = list.ints[skip + axis];
    if (*value >= 0 && *value <= INT32_MAX) return WLK_OK;
    return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "%s does not fit %u spatial axes",
                   call->node->row->attributes[place].name, w->axes);
}

/* What the output lacks of the whole spread is cut off at both ends. */
static void cut(window *w, uint32_t axis, int64_t total) {
    const int64_t missing = total > 0 ? total : 0;
    w->before[axis] = w->padding == WINDOW_SAME_UPPER ? missing / 2 : missing - missing / 2;
    w->after[axis] = missing - w->before[axis];
}

/* A version of ONNX's own text gives the odd element to the other side where auto_pad is
 * not set; its tests and other programs split as here. */
static wlk_status spread_axis(const op_call *call, window *w, uint32_t axis) {
    int64_t padding = 0;
    int64_t wanted = 0;
    int64_t whole = 0;
    TRY(list_value(call, CT_OUTPUT_PADDING, w, axis, &padding));
    TRY(list_value(call, CT_OUTPUT_SHAPE, w, axis, &wanted));
    w->out[axis] = wanted;
    if (w->in[axis] == WLK_UNKNOWN_DIM || w->kernel[axis] == WLK_UNKNOWN_DIM) {
        if (wanted < 0) w->out[axis] = WLK_UNKNOWN_DIM;
        return WLK_OK;
    }
    if (w->in[axis] > 0 && !__builtin_mul_overflow(w->in[axis] - 1, w->stride[axis], &whole)) {
        whole += window_reach(w, axis) + (padding > 0 ? padding : 0);
    }
    const bool same = w->padding == WINDOW_SAME_UPPER || w->padding == WINDOW_SAME_LOWER;
    if (wanted < 0 && same) w->out[axis] = w->in[axis] * w->stride[axis];
    if (wanted < 0 && !same) w->out[axis] = whole - w->before[axis] - w->after[axis];
    if (wanted >= 0 || same) cut(w, axis, whole - w->out[axis]);
    if (whole > 0 && w->out[axis] > 0) return WLK_OK;
    return op_fail(call, op_shape_rule(call), "nothing is left of axis %u", 2 + axis);
}

static wlk_status transpose_window(const op_call *call, window *w) {
    TRY(window_read(call, op_input(call, 0), op_input(call, 1), places, w));
    for (uint32_t i = 0; i < w->axes; i++) TRY(spread_axis(call, w, i));
    return WLK_OK;
}

static wlk_status need_channels(const op_call *call, int64_t group, int64_t *outputs) {
    const op_tensor *x = op_input(call, 0);
    const op_tensor *w = op_input(call, 1);
    const op_tensor *bias = op_input(call, 2);
    *outputs = WLK_UNKNOWN_DIM;
    if (w->rank == WLK_NONE) return WLK_OK;
    if (!dim_agrees(x->dims[1], w->dims[0])) return shape_mismatch(call, 0, 1);
    const int64_t channels = dim_known(x->dims[1], w->dims[0]);
    const bool divides = channels == WLK_UNKNOWN_DIM || channels % group == 0;
    if (!divides || (w->dims[1] > 0 && __builtin_mul_overflow(w->dims[1], group, outputs))) {
        return op_fail(call, op_shape_rule(call), "%" PRId64 " groups", group);
    }
    if (w->dims[1] == 0) *outputs = 0;
    if (!bias || bias->rank == WLK_NONE) return WLK_OK;
    return bias->rank == 1 && dim_agrees(bias->dims[0], *outputs) ? WLK_OK
                                                                  : shape_mismatch(call, 1, 2);
}

/* What one group of one image takes. */
typedef struct spread {
    product size; /* of its product: taps of all outputs, elements of the input */
    uint64_t groups;
    uint64_t taps;
    uint64_t outputs; /* of a group */
} spread;

static uint64_t saturating(uint64_t a, uint64_t b) {
    uint64_t result;
    return __builtin_mul_overflow(a, b, &result) ? UINT64_MAX : result;
}

static spread spread_of(const op_call *call, const window *w) {
    const op_tensor *weights = op_input(call, 1);
    spread s = {.groups = (uint64_t)op_attribute(call, CT_GROUP).i,
                .taps = 1,
                .outputs = (uint64_t)weights->dims[1]};
    uint64_t inputs = 1;
    for (uint32_t i = 0; i < w->axes; i++) {
        s.taps = saturating(s.taps, (uint64_t)w->kernel[i]);
        inputs = saturating(inputs, (uint64_t)w->in[i]);
    }
    s.size = (product){.transpose_a = true,
                       .m = saturating(s.outputs, s.taps),
                       .n = inputs,
                       .k = (uint64_t)weights->dims[0] / s.groups};
    return s;
}

static wlk_status transpose_need(op_call *call, const window *w) {
    const op_tensor *x = op_input(call, 0);
    const spread s = spread_of(call, w);
    const uint64_t times = saturating((uint64_t)x->dims[0], s.groups);
    const uint64_t spreads = saturating(s.size.m, s.size.n);
    if (!product_fits(&s.size)) return op_fail(call, RULE_RUN_MATRIX, "its product");
    op_add_operations(call, 1, times, spreads, s.size.k);
    op_add_operations(call, OP_ELEMENT_COST, times, spreads, 1);
    return op_need_scratch(call, spreads, x->dtype == WLK_F64 ? 8 : 4);
}

static wlk_status transpose_infer(op_call *call) {
    const op_tensor *x = op_input(call, 0);
    const int64_t group = op_attribute(call, CT_GROUP).i;
    TRY(shape_need_rank(call, 0, 3, WLK_MAX_RANK));
    TRY(shape_need_rank(call, 1, 3, WLK_MAX_RANK));
    if (group < 1) return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "%" PRId64 " groups", group);
    if (x->rank == WLK_NONE) {
        op_set_output(call, 0, x->dtype, WLK_NONE, NULL);
        return WLK_OK;
    }
    window w;
    int64_t dims[WLK_MAX_RANK] = {x->dims[0]};
    TRY(transpose_window(call, &w));
    TRY(need_channels(call, group, &dims[1]));
    memcpy(dims + 2, w.out, w.axes * sizeof *dims);
    op_set_output(call, 0, x->dtype, x->rank, dims);
    return call->binding ? transpose_need(call, &w) : WLK_OK;
}

/* ---- the run */

typedef struct transposed {
    window w;
    spread s;
    product_job job;
    bool is_f64;
    const void *bias; /* of the group */
    void *out;        /* of the image and group */
    uint64_t out_plane;
} transposed;

enum { BLOCK_ROWS = 96 };

static void multiply_rows(void *context, uint64_t from, uint64_t to) {
    const transposed *t = context;
    const uint64_t row = from * BLOCK_ROWS;
    const uint64_t end = to * BLOCK_ROWS < t->s.size.m ? to * BLOCK_ROWS : t->s.size.m;
    product_part(&t->job, row, end - row, 0, t->s.size.n);
}

#define SPREAD(function, type)                                                         \
    static void function(void *out, const void *sums, uint64_t count, uint64_t step) { \
        type *restrict to = out;                                                       \
        const type *from = sums;                                                       \
        for (uint64_t i = 0; step == 1 && i < count; i++) to[i] += from[i];            \
        for (uint64_t i = 0; step != 1 && i < count; i++) to[i * step] += from[i];     \
    }                                                                                  \
    static void begin_##function(const transposed *t, uint64_t output, void *out) {    \
        const type first = t->bias ? ((const type *)t->bias)[output] : 0;              \
        for (uint64_t i = 0; i < t->out_plane; i++) ((type *)out)[i] = first;          \
    }

SPREAD(spread_f32, float)
SPREAD(spread_f64, double)

/* Where row `row` of the input falls for the tap at `at`: a row of the output, or false. */
static bool output_row(const window *w, uint64_t row, const int64_t *at, uint64_t *out) {
    uint64_t step = 1;
    *out = 0;
    for (uint32_t i = w->axes - 1; i-- > 0;) {
        const int64_t in = (int64_t)(row % (uint64_t)w->in[i]);
        row /= (uint64_t)w->in[i];
        const int64_t to = in * w->stride[i] + at[i] * w->dilation[i] - w->before[i];
        if (to < 0 || to >= w->out[i]) return false;
        *out += (uint64_t)to * step;
        step *= (uint64_t)w->out[i];
    }
    return true;
}

static int64_t divide_up(int64_t a, int64_t b) {
    return (a + b - 1) / b;
}

/* Adds one tap's sums, an image of the input's size, into the output's plane. */
static void add_tap(const transposed *t, const int64_t *at, const char *sums, char *plane) {
    const window *w = &t->w;
    const uint32_t last = w->axes - 1;
    const uint64_t size = t->is_f64 ? 8 : 4;
    const uint64_t width = (uint64_t)w->in[last];
    const int64_t shift = at[last] * w->dilation[last] - w->before[last];
    const int64_t step = w->stride[last];
    const int64_t first = shift >= 0 ? 0 : divide_up(-shift, step);
    int64_t end = shift >= w->out[last] ? 0 : divide_up(w->out[last] - shift, step);
    if (end > w->in[last]) end = w->in[last];
    if (first >= end) return;
    for (uint64_t row = 0; row < t->s.size.n / width; row++) {
        uint64_t out = 0;
        if (!output_row(w, row, at, &out)) continue;
        const uint64_t to = out * (uint64_t)w->out[last] + (uint64_t)(first * step + shift);
        (t->is_f64 ? spread_f64 : spread_f32)(plane + to * size,
                                              sums + (row * width + (uint64_t)first) * size,
                                              (uint64_t)(end - first), (uint64_t)step);
    }
}

static void spread_outputs(void *context, uint64_t from, uint64_t to) {
    const transposed *t = context;
    const uint64_t size = t->is_f64 ? 8 : 4;
    for (uint64_t output = from; output < to; output++) {
        char *plane = (char *)t->out + output * t->out_plane * size;
        (t->is_f64 ? begin_spread_f64 : begin_spread_f32)(t, output, plane);
        int64_t at[WINDOW_MAX_AXES] = {0};
        for (uint64_t tap = 0; tap < t->s.taps; tap++) {
            const uint64_t sums = (output * t->s.taps + tap) * t->s.size.n * size;
            add_tap(t, at, (const char *)t->job.c + sums, plane);
            for (uint32_t i = t->w.axes; i-- > 0;) {
                if (++at[i] < t->w.kernel[i]) break;
                at[i] = 0;
            }
        }
    }
}

static wlk_status transpose_kernel(const op_call *call) {
    const op_tensor *x = op_input(call, 0);
    const op_tensor *bias = op_input(call, 2);
    const op_tensor *out = op_output(call, 0);
    transposed t = {.is_f64 = x->dtype == WLK_F64};
    TRY(transpose_window(call, &t.w));
    if (out->count == 0) return WLK_OK;
    t.s = spread_of(call, &t.w);
    t.out_plane = tensor_span(out, 2, out->rank);
    t.job = (product_job){.size = t.s.size,
                          .element = t.is_f64 ? TILE_F64 : TILE_F32,
                          .alpha = 1,
                          .c = call->scratch};
    const uint64_t size = t.is_f64 ? 8 : 4;
    for (uint64_t i = 0; i < (uint64_t)x->dims[0] * t.s.groups; i++) {
        const uint64_t group = i % t.s.groups;
        t.job.a = (const char *)op_input(call, 1)->data + group * t.s.size.k * t.s.size.m * size;
        t.job.b = (const char *)x->data + i * t.s.size.k * t.s.size.n * size;
        t.bias = bias ? (const char *)bias->data + group * t.s.outputs * size : NULL;
        t.out = (char *)out->target + i * t.s.outputs * t.out_plane * size;
        op_parallel(call, (t.s.size.m + BLOCK_ROWS - 1) / BLOCK_ROWS, 1, multiply_rows, &t);
        op_parallel(call, t.s.outputs, 1 + (1 << 16) / (t.s.taps * t.s.size.n + 1), spread_outputs,
                    &t);
    }
    return WLK_OK;
}

/* ---- rows */

static const attribute_row attributes[] = {
    WINDOW_ATTRIBUTE_ROWS(false),
    [CT_AUTO_PAD] = WINDOW_AUTO_PAD_ROW,
    [CT_DILATIONS] = {.name = "dilations", .type = WLK_ATTR_INTS},
    [CT_GROUP] = {.name = "group", .type = WLK_ATTR_INT, .i = 1},
    [CT_OUTPUT_PADDING] = {.name = "output_padding", .type = WLK_ATTR_INTS},
    [CT_OUTPUT_SHAPE] = {.name = "output_shape", .type = WLK_ATTR_INTS},
};

#define PORTS(name, dtypes) \
    static const op_port name[] = {{"X", dtypes, 'T'}, {"W", dtypes, 'T'}, {"B", dtypes, 'T'}}
PORTS(float_ports, DTYPES_FLOAT | DTYPE_BIT(WLK_F16));
PORTS(newest_ports, DTYPES_FLOAT | DTYPES_HALF);

#define ROW(version, op_ports)                                                                     \
    {                                                                                              \
        .domain = "", .name = "ConvTranspose", .since = version, .min_inputs = 2, .max_inputs = 3, \
        .min_outputs = 1, .max_outputs = 1, .ports = op_ports, .attributes = attributes,           \
        .attribute_count = CT_ATTRIBUTES, .infer = transpose_infer, .kernel = transpose_kernel,    \
        .flags = OP_HALF                                                                           \
    }

static const op_row rows[] = {ROW(1, float_ports), ROW(11, float_ports), ROW(22, newest_ports)};

const op_family ops_conv_transpose = {rows, sizeof rows / sizeof *rows};

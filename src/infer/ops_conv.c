/* Conv, and its forms for quantised numbers: ConvInteger and QLinearConv. */
#include <math.h>
#include <string.h>

#include "infer/conv.h"
#include "infer/ops.h"
#include "infer/shape.h"

enum { CONV_AUTO_PAD = WINDOW_ATTRIBUTES, CONV_DILATIONS, CONV_GROUP, CONV_ATTRIBUTES };

static const window_places places = {.auto_pad = CONV_AUTO_PAD, .dilations = CONV_DILATIONS};

/* ---- shapes */

static wlk_status need_channels(const op_call *call, const op_tensor *x, const op_tensor *w,
                                int64_t group) {
    const int64_t outputs = w->dims[0];
    const bool fits = x->dims[1] == WLK_UNKNOWN_DIM || w->dims[1] == WLK_UNKNOWN_DIM ||
                      (x->dims[1] % group == 0 && x->dims[1] / group == w->dims[1]);
    if (fits && (outputs == WLK_UNKNOWN_DIM || outputs % group == 0)) return WLK_OK;
    char image[TENSOR_TEXT_BYTES];
    char weights[TENSOR_TEXT_BYTES];
    return op_fail(call, op_shape_rule(call), "the weights %s do not fit %s in %lld groups",
                   tensor_text(w, weights), tensor_text(x, image), (long long)group);
}

static wlk_status need_bias(const op_call *call, uint32_t i, int64_t outputs) {
    const op_tensor *bias = op_input(call, i);
    if (!bias || bias->rank == WLK_NONE) return WLK_OK;
    if (bias->rank == 1 && dim_agrees(bias->dims[0], outputs)) return WLK_OK;
    char text[TENSOR_TEXT_BYTES];
    return op_fail(call, op_shape_rule(call), "input %u is %s, must have one value a channel", i,
                   tensor_text(bias, text));
}

/* What image and weights say; with the output's dtype. *known is false where the rank of
 * the image is not. */
static wlk_status conv_outputs(const op_call *call, const op_tensor *x, const op_tensor *w,
                               wlk_dtype dtype, window *win, bool *known) {
    const int64_t group = op_attribute(call, CONV_GROUP).i;
    *known = x->rank != WLK_NONE;
    if (group < 1) return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "%lld groups", (long long)group);
    if (!*known) {
        op_set_output(call, 0, dtype, WLK_NONE, NULL);
        return WLK_OK;
    }
    TRY(window_read(call, x, w, places, win));
    TRY(window_slide(call, false, win));
    int64_t dims[WLK_MAX_RANK] = {x->dims[0], WLK_UNKNOWN_DIM};
    if (w->rank != WLK_NONE) {
        TRY(need_channels(call, x, w, group));
        dims[1] = w->dims[0];
    }
    memcpy(dims + 2, win->out, win->axes * sizeof *dims);
    op_set_output(call, 0, dtype, x->rank, dims);
    return WLK_OK;
}

static conv_shape shape_of(const op_call *call, const op_tensor *x, const op_tensor *w,
                           const window *win, tile_element element) {
    const uint64_t groups = (uint64_t)op_attribute(call, CONV_GROUP).i;
    return (conv_shape){.w = *win,
                        .images = (uint64_t)x->dims[0],
                        .groups = groups,
                        .channels = (uint64_t)w->dims[1],
                        .outputs = (uint64_t)w->dims[0] / groups,
                        .element = element};
}

/* The shape again, which the rule has found to fit. */
static wlk_status shape_again(const op_call *call, const op_tensor *x, const op_tensor *w,
                              tile_element element, conv_shape *shape) {
    window win;
    TRY(window_read(call, x, w, places, &win));
    TRY(window_slide(call, false, &win));
    *shape = shape_of(call, x, w, &win, element);
    return WLK_OK;
}

/* ---- Conv */

static tile_element float_element(wlk_dtype dtype) {
    return dtype == WLK_F64 ? TILE_F64 : TILE_F32;
}

static wlk_status conv_infer(op_call *call) {
    const op_tensor *x = op_input(call, 0);
    const op_tensor *w = op_input(call, 1);
    window win;
    bool known = false;
    TRY(shape_need_rank(call, 0, 3, WLK_MAX_RANK));
    TRY(shape_need_rank(call, 1, 3, WLK_MAX_RANK));
    TRY(conv_outputs(call, x, w, x->dtype, &win, &known));
    TRY(need_bias(call, 2, w->rank == WLK_NONE ? WLK_UNKNOWN_DIM : w->dims[0]));
    if (!call->binding) return WLK_OK;
    const conv_shape shape = shape_of(call, x, w, &win, float_element(x->dtype));
    return conv_need(call, &shape, 1);
}

static wlk_status conv_kernel(const op_call *call) {
    const op_tensor *x = op_input(call, 0);
    const op_tensor *w = op_input(call, 1);
    const op_tensor *bias = op_input(call, 2);
    conv_shape shape;
    TRY(shape_again(call, x, w, float_element(x->dtype), &shape));
    const conv_data data = {.x = x->data,
                            .w = w->data,
                            .bias = bias ? bias->data : NULL,
                            .y = op_output(call, 0)->target,
                            .scratch = call->scratch};
    conv_run(call, &shape, &data);
    return WLK_OK;
}

/* ---- quantised numbers: what is left of 8 bits and a zero point is summed in 32 bits,
 * which wrap around */

/* Working memory: image and weights without their zero points, sums (QLinearConv's alone),
 * then conv_run's. */
typedef struct quantised {
    uint32_t *x;
    uint32_t *w;
    uint32_t *sums;
    void *rest;
} quantised;

static uint64_t behind(uint64_t count) {
    return (count * sizeof(uint32_t) + TENSOR_ALIGN - 1) / TENSOR_ALIGN * TENSOR_ALIGN;
}

static quantised quantised_of(const op_call *call, const op_tensor *x, const op_tensor *w,
                              bool sums) {
    char *at = call->scratch;
    quantised q = {.x = (uint32_t *)(void *)at};
    at += behind(x->count);
    q.w = (uint32_t *)(void *)at;
    at += behind(w->count);
    q.sums = (uint32_t *)(void *)at;
    if (sums) at += behind(op_output(call, 0)->count);
    q.rest = at;
    return q;
}

static wlk_status quantised_need(op_call *call, const op_tensor *x, const op_tensor *w,
                                 const window *win, bool sums) {
    const conv_shape shape = shape_of(call, x, w, win, TILE_U32);
    TRY(op_need_scratch(call, x->count, sizeof(uint32_t)));
    TRY(op_need_scratch(call, w->count, sizeof(uint32_t)));
    op_add_operations(call, OP_ELEMENT_COST, x->count, 1, 1);
    op_add_operations(call, OP_ELEMENT_COST, w->count, 1, 1);
    if (sums) {
        const int64_t out = dim_product(win->out, 0, win->axes);
        uint64_t count = 0;
        if (out == WLK_UNKNOWN_DIM ||
            __builtin_mul_overflow((uint64_t)out, (uint64_t)w->dims[0], &count) ||
            __builtin_mul_overflow(count, (uint64_t)x->dims[0], &count)) {
            count = UINT64_MAX;
        }
        TRY(op_need_scratch(call, count, sizeof(uint32_t)));
        op_add_operations(call, OP_ELEMENT_COST, count, 1, 1);
    }
    return conv_need(call, &shape, OP_INTEGER_COST);
}

/* One value, or one for each output channel. */
static wlk_status need_values(const op_call *call, uint32_t i, bool each, int64_t outputs) {
    const op_tensor *in = op_input(call, i);
    if (!in || in->rank == WLK_NONE || in->rank == 0) return WLK_OK;
    if (in->rank == 1 &&
        (dim_agrees(in->dims[0], 1) || (each && dim_agrees(in->dims[0], outputs)))) {
        return WLK_OK;
    }
    char text[TENSOR_TEXT_BYTES];
    return op_fail(call, op_shape_rule(call), "input %u is %s, must be one value%s", i,
                   tensor_text(in, text), each ? ", or one a channel" : "");
}

/* Value `channel` of such an input. */
static uint64_t value_at(const op_tensor *in, uint64_t channel) {
    return in->count > 1 ? channel : 0;
}

static uint32_t narrow_at(const op_tensor *in, uint64_t i) {
    if (in->dtype == WLK_U8) return ((const uint8_t *)in->data)[i];
    return (uint32_t)(int32_t)((const int8_t *)in->data)[i];
}

static void widen(const op_tensor *from, uint64_t first, uint64_t count, uint32_t zero,
                  uint32_t *restrict to) {
    if (from->dtype == WLK_U8) {
        const uint8_t *in = (const uint8_t *)from->data + first;
        for (uint64_t i = 0; i < count; i++) to[i] = in[i] - zero;
    } else {
        const int8_t *in = (const int8_t *)from->data + first;
        for (uint64_t i = 0; i < count; i++) to[i] = (uint32_t)(int32_t)in[i] - zero;
    }
}

static void widen_both(const op_tensor *x, const op_tensor *x_zero, const op_tensor *w,
                       const op_tensor *w_zero, const quantised *q) {
    widen(x, 0, x->count, x_zero ? narrow_at(x_zero, 0) : 0, q->x);
    const uint64_t outputs = (uint64_t)w->dims[0];
    const uint64_t each = outputs > 0 ? w->count / outputs : 0;
    for (uint64_t i = 0; i < outputs; i++) {
        const uint32_t zero = w_zero ? narrow_at(w_zero, value_at(w_zero, i)) : 0;
        widen(w, i * each, each, zero, q->w + i * each);
    }
}

/* ---- ConvInteger */

static wlk_status integer_infer(op_call *call) {
    const op_tensor *x = op_input(call, 0);
    const op_tensor *w = op_input(call, 1);
    window win;
    bool known = false;
    TRY(shape_need_rank(call, 0, 3, WLK_MAX_RANK));
    TRY(shape_need_rank(call, 1, 3, WLK_MAX_RANK));
    TRY(conv_outputs(call, x, w, WLK_I32, &win, &known));
    TRY(need_values(call, 2, false, 1));
    TRY(need_values(call, 3, true, w->rank == WLK_NONE ? WLK_UNKNOWN_DIM : w->dims[0]));
    return call->binding ? quantised_need(call, x, w, &win, false) : WLK_OK;
}

static wlk_status integer_kernel(const op_call *call) {
    const op_tensor *x = op_input(call, 0);
    const op_tensor *w = op_input(call, 1);
    conv_shape shape;
    TRY(shape_again(call, x, w, TILE_U32, &shape));
    const quantised q = quantised_of(call, x, w, false);
    widen_both(x, op_input(call, 2), w, op_input(call, 3), &q);
    const conv_data data = {.x = q.x, .w = q.w, .y = op_output(call, 0)->target, .scratch = q.rest};
    conv_run(call, &shape, &data);
    return WLK_OK;
}

/* ---- QLinearConv */

enum { QL_X, QL_X_SCALE, QL_X_ZERO, QL_W, QL_W_SCALE, QL_W_ZERO, QL_Y_SCALE, QL_Y_ZERO, QL_BIAS };

static wlk_status qlinear_infer(op_call *call) {
    const op_tensor *x = op_input(call, QL_X);
    const op_tensor *w = op_input(call, QL_W);
    window win;
    bool known = false;
    TRY(shape_need_rank(call, QL_X, 3, WLK_MAX_RANK));
    TRY(shape_need_rank(call, QL_W, 3, WLK_MAX_RANK));
    TRY(conv_outputs(call, x, w, op_input(call, QL_Y_ZERO)->dtype, &win, &known));
    const int64_t outputs = w->rank == WLK_NONE ? WLK_UNKNOWN_DIM : w->dims[0];
    TRY(need_values(call, QL_X_SCALE, false, 1));
    TRY(need_values(call, QL_X_ZERO, false, 1));
    TRY(need_values(call, QL_W_SCALE, true, outputs));
    TRY(need_values(call, QL_W_ZERO, true, outputs));
    TRY(need_values(call, QL_Y_SCALE, false, 1));
    TRY(need_values(call, QL_Y_ZERO, false, 1));
    TRY(need_bias(call, QL_BIAS, outputs));
    return call->binding ? quantised_need(call, x, w, &win, true) : WLK_OK;
}

/* Rounded to the nearest, of two the even one, and saturated; NaN is the zero point. */
static void requantise(const uint32_t *sums, uint64_t count, float scale, const op_tensor *zero,
                       void *out) {
    const float offset = (float)(int32_t)narrow_at(zero, 0);
    const bool is_unsigned = zero->dtype == WLK_U8;
    const float low = is_unsigned ? 0 : INT8_MIN;
    const float high = is_unsigned ? UINT8_MAX : INT8_MAX;
    for (uint64_t i = 0; i < count; i++) {
        float value = rintf((float)(int32_t)sums[i] * scale) + offset;
        if (isnan(value)) value = offset;
        if (value < low) value = low;
        if (value > high) value = high;
        ((uint8_t *)out)[i] = (uint8_t)(int)value;
    }
}

static wlk_status qlinear_kernel(const op_call *call) {
    const op_tensor *x = op_input(call, QL_X);
    const op_tensor *w = op_input(call, QL_W);
    const op_tensor *bias = op_input(call, QL_BIAS);
    const op_tensor *out = op_output(call, 0);
    const op_tensor *w_scale = op_input(call, QL_W_SCALE);
    conv_shape shape;
    TRY(shape_again(call, x, w, TILE_U32, &shape));
    const quantised q = quantised_of(call, x, w, true);
    widen_both(x, op_input(call, QL_X_ZERO), w, op_input(call, QL_W_ZERO), &q);
    const conv_data data = {
        .x = q.x, .w = q.w, .bias = bias ? bias->data : NULL, .y = q.sums, .scratch = q.rest};
    conv_run(call, &shape, &data);
    const float x_scale = *(const float *)op_input(call, QL_X_SCALE)->data;
    const float y_scale = *(const float *)op_input(call, QL_Y_SCALE)->data;
    const uint64_t channels = (uint64_t)out->dims[1];
    const uint64_t plane = tensor_span(out, 2, out->rank);
    for (uint64_t i = 0; out->count > 0 && i < (uint64_t)out->dims[0] * channels; i++) {
        const uint64_t at = value_at(w_scale, i % channels);
        const float scale = x_scale * ((const float *)w_scale->data)[at] / y_scale;
        requantise(q.sums + i * plane, plane, scale, op_input(call, QL_Y_ZERO),
                   (uint8_t *)out->target + i * plane);
    }
    return WLK_OK;
}

/* ---- rows */

static const attribute_row attributes[] = {
    WINDOW_ATTRIBUTE_ROWS(false),
    [CONV_AUTO_PAD] = WINDOW_AUTO_PAD_ROW,
    [CONV_DILATIONS] = {.name = "dilations", .type = WLK_ATTR_INTS},
    [CONV_GROUP] = {.name = "group", .type = WLK_ATTR_INT, .i = 1},
};

#define NARROW (DTYPE_BIT(WLK_I8) | DTYPE_BIT(WLK_U8))
#define FLOATS DTYPES_FLOAT | DTYPE_BIT(WLK_F16)
static const op_port float_ports[] = {{"X", FLOATS, 'T'}, {"W", FLOATS, 'T'}, {"B", FLOATS, 'T'}};
#define NEWEST DTYPES_FLOAT | DTYPES_HALF
static const op_port newest_ports[] = {{"X", NEWEST, 'T'}, {"W", NEWEST, 'T'}, {"B", NEWEST, 'T'}};
static const op_port integer_ports[] = {{"x", NARROW, 'X'},
                                        {"w", NARROW, 'W'},
                                        {"x_zero_point", NARROW, 'X'},
                                        {"w_zero_point", NARROW, 'W'}};
static const op_port qlinear_ports[] = {
    [QL_X] = {"x", NARROW, 'X'},
    [QL_X_SCALE] = {"x_scale", DTYPE_BIT(WLK_F32), 0},
    [QL_X_ZERO] = {"x_zero_point", NARROW, 'X'},
    [QL_W] = {"w", NARROW, 'W'},
    [QL_W_SCALE] = {"w_scale", DTYPE_BIT(WLK_F32), 0},
    [QL_W_ZERO] = {"w_zero_point", NARROW, 'W'},
    [QL_Y_SCALE] = {"y_scale", DTYPE_BIT(WLK_F32), 0},
    [QL_Y_ZERO] = {"y_zero_point", NARROW, 0},
    [QL_BIAS] = {"B", DTYPE_BIT(WLK_I32), 0},
};

#define ROW(op, version, least, most, op_ports, prefix, row_flags)                              \
    {                                                                                           \
        .domain = "", .name = op, .since = version, .min_inputs = least, .max_inputs = most,    \
        .min_outputs = 1, .max_outputs = 1, .ports = op_ports, .attributes = attributes,        \
        .attribute_count = CONV_ATTRIBUTES, .infer = prefix##_infer, .kernel = prefix##_kernel, \
        .flags = row_flags                                                                      \
    }

static const op_row rows[] = {
    ROW("Conv", 1, 2, 3, float_ports, conv, OP_HALF),
    ROW("Conv", 11, 2, 3, float_ports, conv, OP_HALF),
    ROW("Conv", 22, 2, 3, newest_ports, conv, OP_HALF),
    ROW("ConvInteger", 10, 2, 4, integer_ports, integer, 0),
    ROW("QLinearConv", 10, 8, 9, qlinear_ports, qlinear, 0),
};

const op_family ops_conv = {rows, sizeof rows / sizeof *rows};

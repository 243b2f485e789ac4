/* Relu, Sigmoid, Tanh, Softmax. */
#include <math.h>
#include <string.h>

#include "infer/ops.h"
#include "infer/scores.h"
#include "infer/shape.h"

/* ---- one element at a time */

#define UNARY(function, type, expression)                             \
    static void function(void *out, const void *in, uint64_t count) { \
        type *restrict result = out;                                  \
        const type *from = in;                                        \
        for (uint64_t i = 0; i < count; i++) {                        \
            const type x = from[i];                                   \
            result[i] = (expression);                                 \
        }                                                             \
    }

typedef void (*unary_run)(void *out, const void *in, uint64_t count);

/* Written so that NaN stays NaN. */
#define RELU(x) ((x) < 0 ? 0 : (x))

/* score_logistic in single precision. */
static inline float logistic_f32(float x) {
    const float e = expf(-fabsf(x));
    return x < 0 ? e / (1 + e) : 1 / (1 + e);
}

UNARY(relu_f64, double, RELU(x))
UNARY(relu_f32, float, RELU(x))
UNARY(relu_i64, int64_t, RELU(x))
UNARY(relu_i32, int32_t, RELU(x))
UNARY(relu_i16, int16_t, RELU(x))
UNARY(relu_i8, int8_t, RELU(x))
UNARY(sigmoid_f64, double, score_logistic(x))
UNARY(sigmoid_f32, float, logistic_f32(x))
UNARY(tanh_f64, double, tanh(x))
UNARY(tanh_f32, float, tanhf(x))

static const unary_run relu_runs[WLK_DTYPE_COUNT] = {
    [WLK_F64] = relu_f64, [WLK_F32] = relu_f32, [WLK_I64] = relu_i64,
    [WLK_I32] = relu_i32, [WLK_I16] = relu_i16, [WLK_I8] = relu_i8,
};
static const unary_run sigmoid_runs[WLK_DTYPE_COUNT] = {
    [WLK_F64] = sigmoid_f64, [WLK_F32] = sigmoid_f32};
static const unary_run tanh_runs[WLK_DTYPE_COUNT] = {[WLK_F64] = tanh_f64, [WLK_F32] = tanh_f32};

static wlk_status run_unary(const op_call *call, const unary_run *runs) {
    const op_tensor *in = op_input(call, 0);
    runs[in->dtype](op_output(call, 0)->target, in->data, in->count);
    return WLK_OK;
}

static wlk_status relu_kernel(const op_call *call) {
    return run_unary(call, relu_runs);
}

static wlk_status sigmoid_kernel(const op_call *call) {
    return run_unary(call, sigmoid_runs);
}

static wlk_status tanh_kernel(const op_call *call) {
    return run_unary(call, tanh_runs);
}

/* ---- Softmax: along `length` elements that lie `step` apart */

#define SOFTMAX(function, type, exponential)                                          \
    static void function(void *out, const void *in, uint64_t length, uint64_t step) { \
        type *result = out;                                                           \
        const type *from = in;                                                        \
        type largest = from[0];                                                       \
        for (uint64_t i = 1; i < length; i++) {                                       \
            if (from[i * step] > largest) largest = from[i * step];                   \
        }                                                                             \
        double sum = 0;                                                               \
        for (uint64_t i = 0; i < length; i++) {                                       \
            result[i * step] = exponential(from[i * step] - largest);                 \
            sum += (double)result[i * step];                                          \
        }                                                                             \
        for (uint64_t i = 0; i < length; i++) {                                       \
            result[i * step] = (type)((double)result[i * step] / sum);                \
        }                                                                             \
    }

SOFTMAX(softmax_f64, double, exp)
SOFTMAX(softmax_f32, float, expf)

typedef void (*softmax_run)(void *out, const void *in, uint64_t length, uint64_t step);

/* One softmax for each of outer x inner positions. */
static void softmax_all(const op_call *call, uint64_t outer, uint64_t length, uint64_t inner) {
    const op_tensor *in = op_input(call, 0);
    char *out = op_output(call, 0)->target;
    const char *from = in->data;
    const softmax_run run = in->dtype == WLK_F64 ? softmax_f64 : softmax_f32;
    const uint64_t size = in->dtype == WLK_F64 ? sizeof(double) : sizeof(float);
    if (in->count == 0) return;
    for (uint64_t i = 0; i < outer; i++) {
        for (uint64_t j = 0; j < inner; j++) {
            const uint64_t at = (i * length * inner + j) * size;
            run(out + at, from + at, length, inner);
        }
    }
}

enum { SOFTMAX_AXIS };

/* Of a tensor whose rank is known: whether dims are does not matter. */
static wlk_status softmax_axis(const op_call *call, uint32_t *axis) {
    return shape_axis(call, op_attribute(call, SOFTMAX_AXIS).i, op_input(call, 0)->rank,
                      call->node->row->since >= 11, axis);
}

static wlk_status softmax_infer(op_call *call) {
    uint32_t axis = 0;
    if (op_input(call, 0)->rank != WLK_NONE) TRY(softmax_axis(call, &axis));
    return op_infer_same(call);
}

/* Before opset 13 all axes from `axis` on are one. */
static wlk_status softmax_flat_kernel(const op_call *call) {
    const op_tensor *in = op_input(call, 0);
    uint32_t axis = 0;
    TRY(softmax_axis(call, &axis));
    softmax_all(call, tensor_span(in, 0, axis), tensor_span(in, axis, in->rank), 1);
    return WLK_OK;
}

static wlk_status softmax_kernel(const op_call *call) {
    const op_tensor *in = op_input(call, 0);
    uint32_t axis = 0;
    TRY(softmax_axis(call, &axis));
    softmax_all(call, tensor_span(in, 0, axis), (uint64_t)in->dims[axis],
                tensor_span(in, axis + 1, in->rank));
    return WLK_OK;
}

static const attribute_row axis_1[] = {{.name = "axis", .type = WLK_ATTR_INT, .i = 1}};
static const attribute_row axis_last[] = {{.name = "axis", .type = WLK_ATTR_INT, .i = -1}};

static const op_port float_port[] = {{"X", DTYPES_FLOAT, 'T'}};
static const op_port relu_port[] = {{"X",
                                     DTYPES_FLOAT | DTYPE_BIT(WLK_I64) | DTYPE_BIT(WLK_I32) |
                                         DTYPE_BIT(WLK_I16) | DTYPE_BIT(WLK_I8),
                                     'T'}};

#define ROW(op_name, version, op_port, op_shape, op_run)                               \
    .domain = "", .name = op_name, .since = version, .min_inputs = 1, .max_inputs = 1, \
    .min_outputs = 1, .max_outputs = 1, .ports = op_port, .infer = op_shape, .kernel = op_run

static const op_row rows[] = {
    {ROW("Relu", 6, float_port, op_infer_same, relu_kernel)},
    {ROW("Relu", 13, float_port, op_infer_same, relu_kernel)},
    {ROW("Relu", 14, relu_port, op_infer_same, relu_kernel)},
    {ROW("Sigmoid", 6, float_port, op_infer_same, sigmoid_kernel)},
    {ROW("Sigmoid", 13, float_port, op_infer_same, sigmoid_kernel)},
    {ROW("Tanh", 6, float_port, op_infer_same, tanh_kernel)},
    {ROW("Tanh", 13, float_port, op_infer_same, tanh_kernel)},
    {ROW("Softmax", 1, float_port, softmax_infer, softmax_flat_kernel), .attributes = axis_1,
     .attribute_count = 1},
    {ROW("Softmax", 11, float_port, softmax_infer, softmax_flat_kernel), .attributes = axis_1,
     .attribute_count = 1},
    {ROW("Softmax", 13, float_port, softmax_infer, softmax_kernel), .attributes = axis_last,
     .attribute_count = 1},
};

const op_family ops_activation = {rows, sizeof rows / sizeof *rows};

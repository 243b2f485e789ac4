/* HannWindow, HammingWindow, BlackmanWindow, MelWeightMatrix. */
#include <inttypes.h>
#include <math.h>

#include "infer/numbers.h"
#include "infer/ops.h"
#include "infer/shape.h"

#define PI 3.14159265358979323846

/* One number from input i, whose content is known; -1 where it is negative. */
static wlk_status read_count(const op_call *call, uint32_t i, int64_t *out) {
    const op_tensor *in = op_input(call, i);
    if (in->count != 1) return op_fail(call, op_shape_rule(call), "input %u is no number", i);
    *out = op_int(in, 0);
    if (*out >= 0) return WLK_OK;
    return op_fail(call, op_value_rule(call), "input %u is %" PRId64, i, *out);
}

/* The dtype that attribute 0 names: any that numbers are stored as. */
static wlk_status read_dtype(const op_call *call, wlk_dtype *out) {
    const attribute_value value = op_attribute(call, 0);
    const uint32_t stored = DTYPES_FLOAT | DTYPES_HALF | DTYPES_INT;
    *out = value.given ? (wlk_dtype)value.i : WLK_F32;
    if (stored & DTYPE_BIT(*out)) return WLK_OK;
    return op_fail(call, RULE_PLAN_DTYPE, "output_datatype %s", wlk_dtype_name(*out));
}

/* ---- windows: a0 - a1 cos(x) + a2 cos(2x), x going once around */

enum { WINDOW_DTYPE, WINDOW_PERIODIC };

typedef struct window_shape {
    double a0, a1, a2;
} window_shape;

static wlk_status window_infer(op_call *call) {
    int64_t size = WLK_UNKNOWN_DIM;
    wlk_dtype dtype = WLK_F32;
    TRY(read_dtype(call, &dtype));
    TRY(shape_need_rank(call, 0, 0, 1));
    if (op_is_known(call, 0)) TRY(read_count(call, 0, &size));
    op_set_output(call, 0, dtype, 1, &size);
    if (call->binding && size > 0)
        op_add_operations(call, 4 * OP_ELEMENT_COST, (uint64_t)size, 1, 1);
    return WLK_OK;
}

/* A periodic window would go on with its first element; a symmetric one ends with it. */
static wlk_status window_all(const op_call *call, window_shape shape) {
    const op_tensor *out = op_output(call, 0);
    const number_storer store = number_store(out->dtype);
    const bool periodic = op_attribute(call, WINDOW_PERIODIC).i != 0;
    const double around = (double)out->count - (periodic ? 0 : 1);
    for (uint64_t i = 0; i < out->count; i++) {
        const double x = around > 0 ? 2 * PI * (double)i / around : PI;
        const double value = shape.a0 - shape.a1 * cos(x) + shape.a2 * cos(2 * x);
        store(out->target, i, (number){NUMBER_FLOAT, {.f = value}});
    }
    return WLK_OK;
}

static wlk_status hann_kernel(const op_call *call) {
    return window_all(call, (window_shape){0.5, 0.5, 0});
}

static wlk_status hamming_kernel(const op_call *call) {
    return window_all(call, (window_shape){25.0 / 46, 21.0 / 46, 0});
}

static wlk_status blackman_kernel(const op_call *call) {
    return window_all(call, (window_shape){0.42, 0.5, 0.08});
}

/* ---- MelWeightMatrix: triangles that are evenly spaced on the mel scale */

enum { MEL_BINS, MEL_LENGTH, MEL_RATE, MEL_LOWER, MEL_UPPER };

static wlk_status mel_infer(op_call *call) {
    int64_t dims[2] = {WLK_UNKNOWN_DIM, WLK_UNKNOWN_DIM};
    wlk_dtype dtype = WLK_F32;
    TRY(read_dtype(call, &dtype));
    for (uint32_t i = MEL_BINS; i <= MEL_UPPER; i++) TRY(shape_need_rank(call, i, 0, 1));
    if (op_is_known(call, MEL_BINS)) TRY(read_count(call, MEL_BINS, &dims[1]));
    if (op_is_known(call, MEL_LENGTH)) {
        TRY(read_count(call, MEL_LENGTH, &dims[0]));
        dims[0] = dims[0] / 2 + 1;
    }
    op_set_output(call, 0, dtype, 2, dims);
    return WLK_OK;
}

static wlk_status read_edge(const op_call *call, uint32_t i, double *out) {
    const op_tensor *in = op_input(call, i);
    if (in->count != 1) return op_fail(call, op_shape_rule(call), "input %u is no number", i);
    *out = number_load(in->dtype)(in->data, 0).f;
    return WLK_OK;
}

/* Where the triangles have their corners: number 0 begins the first, which number 1 is
 * the top of and number 2 ends. */
typedef struct mel_scale {
    double low; /* in mel */
    double step;
    double length;
    double rate;
} mel_scale;

static wlk_status mel_read(const op_call *call, int64_t bins, mel_scale *out) {
    double lower = 0;
    double upper = 0;
    int64_t length = 0;
    int64_t rate = 0;
    TRY(read_count(call, MEL_LENGTH, &length));
    TRY(read_count(call, MEL_RATE, &rate));
    TRY(read_edge(call, MEL_LOWER, &lower));
    TRY(read_edge(call, MEL_UPPER, &upper));
    if (rate == 0) return op_fail(call, op_value_rule(call), "a sample rate of 0");
    out->low = 2595 * log10(1 + lower / 700);
    out->step = (2595 * log10(1 + upper / 700) - out->low) / ((double)bins + 2);
    out->length = (double)length;
    out->rate = (double)rate;
    return WLK_OK;
}

static double mel_corner(const mel_scale *scale, int64_t i) {
    const double hertz = 700 * (pow(10, (scale->low + (double)i * scale->step) / 2595) - 1);
    return floor((scale->length + 1) * hertz / scale->rate);
}

/* The triangle's height over spectrogram bin j. Its flanks meet the standard's: a left
 * one of no width is only the top. */
static double mel_weight(double left, double top, double right, double j) {
    if (j == top) return 1;
    if (j >= left && j < top) return (j - left) / (top - left);
    if (j > top && j < right) return (right - j) / (right - top);
    return 0;
}

static wlk_status mel_kernel(const op_call *call) {
    const op_tensor *out = op_output(call, 0);
    const number_storer store = number_store(out->dtype);
    mel_scale scale = {.low = 0};
    TRY(mel_read(call, out->dims[1], &scale));
    for (int64_t i = 0; i < out->dims[1]; i++) {
        const double left = mel_corner(&scale, i);
        const double top = mel_corner(&scale, i + 1);
        const double right = mel_corner(&scale, i + 2);
        for (int64_t j = 0; j < out->dims[0]; j++) {
            const double weight = mel_weight(left, top, right, (double)j);
            const uint64_t at = (uint64_t)j * (uint64_t)out->dims[1] + (uint64_t)i;
            store(out->target, at, (number){NUMBER_FLOAT, {.f = weight}});
        }
    }
    return WLK_OK;
}

/* ---- rows */

static const attribute_row window_attributes[] = {
    [WINDOW_DTYPE] = {.name = "output_datatype", .type = WLK_ATTR_DTYPE},
    [WINDOW_PERIODIC] = {.name = "periodic", .type = WLK_ATTR_INT, .i = 1},
};
static const attribute_row mel_attributes[] = {{.name = "output_datatype", .type = WLK_ATTR_DTYPE}};

#define DTYPES_COUNT (DTYPE_BIT(WLK_I64) | DTYPE_BIT(WLK_I32))
static const op_port window_ports[] = {{"size", DTYPES_COUNT, 0}};
static const op_port mel_ports[] = {{"num_mel_bins", DTYPES_COUNT, 'I'},
                                    {"dft_length", DTYPES_COUNT, 'I'},
                                    {"sample_rate", DTYPES_COUNT, 'I'},
                                    {"lower_edge_hertz", DTYPES_FLOAT | DTYPES_HALF, 'T'},
                                    {"upper_edge_hertz", DTYPES_FLOAT | DTYPES_HALF, 'T'}};

#define ROW(op_name, inputs, op_ports, op_attributes, op_shape, op_run)                         \
    {                                                                                           \
        .domain = "", .name = op_name, .since = 17, .min_inputs = inputs, .max_inputs = inputs, \
        .min_outputs = 1, .max_outputs = 1, .ports = op_ports, .attributes = op_attributes,     \
        .attribute_count = sizeof op_attributes / sizeof *op_attributes, .infer = op_shape,     \
        .kernel = op_run                                                                        \
    }
#define WINDOW(op_name, op_run) \
    ROW(op_name, 1, window_ports, window_attributes, window_infer, op_run)

static const op_row rows[] = {
    WINDOW("HannWindow", hann_kernel),
    WINDOW("HammingWindow", hamming_kernel),
    WINDOW("BlackmanWindow", blackman_kernel),
    ROW("MelWeightMatrix", 5, mel_ports, mel_attributes, mel_infer, mel_kernel),
};

const op_family ops_window = {rows, sizeof rows / sizeof *rows};

/* QuantizeLinear, DequantizeLinear, DynamicQuantizeLinear. */
#include "infer/number_block.h"
#include "infer/ops.h"
#include "infer/quantize_run.h"
#include "infer/shape.h"

enum { IN_X, IN_SCALE, IN_ZERO };

/* Numbers as a narrower float has them; f64 and f32 are not looked at twice. */
static double in_precision(wlk_dtype precision, double value) {
    uint16_t bits = 0;
    if (precision == WLK_F64) return value;
    if (precision != WLK_F16 && precision != WLK_BF16) return (double)(float)value;
    number_store(precision)(&bits, 0, (number){NUMBER_FLOAT, {.f = value}});
    return number_double(number_load(precision)(&bits, 0));
}

static wlk_status need_dtype(const op_call *call, wlk_dtype dtype, uint32_t allowed) {
    if (allowed & DTYPE_BIT(dtype)) return WLK_OK;
    return op_fail(call, RULE_PLAN_DTYPE, "to %s", wlk_dtype_name(dtype));
}

/* Is one scale for many elements side by side? */
static bool in_stretches(const quantize_grid *grid) {
    return grid->inner_step == 0 && grid->inner >= QUANTIZE_RUN_LEAST;
}

static quantize_side side_of(const op_tensor *in, const op_tensor *out) {
    return (quantize_side){.out = out->target,
                           .in = in->data,
                           .out_size = wlk_dtype_bits(out->dtype) / 8,
                           .in_size = wlk_dtype_bits(in->dtype) / 8};
}

/* ---- QuantizeLinear */

enum { QUANTIZE_AXIS, QUANTIZE_SATURATE, QUANTIZE_BLOCK, QUANTIZE_DTYPE, QUANTIZE_PRECISION };

static wlk_status quantized_dtype(const op_call *call, wlk_dtype *out) {
    const op_tensor *zero = op_input(call, IN_ZERO);
    const attribute_value wanted = op_attribute(call, QUANTIZE_DTYPE);
    *out = zero ? zero->dtype : WLK_U8;
    if (!wanted.given || wanted.i == WLK_DTYPE_NONE) return WLK_OK;
    if (zero && zero->dtype != (wlk_dtype)wanted.i) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "output_dtype is %s, the zero point %s",
                       wlk_dtype_name((wlk_dtype)wanted.i), wlk_dtype_name(zero->dtype));
    }
    *out = (wlk_dtype)wanted.i;
    return need_dtype(call, *out, call->node->row->ports[IN_ZERO].dtypes);
}

/* The precision of the division is the scale's, or what the node says. */
static wlk_status division_dtype(const op_call *call, wlk_dtype *out) {
    const attribute_value wanted = op_attribute(call, QUANTIZE_PRECISION);
    *out = op_input(call, IN_SCALE)->dtype;
    if (!wanted.given || wanted.i == WLK_DTYPE_NONE) return WLK_OK;
    *out = (wlk_dtype)wanted.i;
    return need_dtype(call, *out, DTYPES_FLOAT | DTYPES_HALF);
}

static wlk_status quantize_infer(op_call *call) {
    const op_tensor *x = op_input(call, IN_X);
    wlk_dtype dtype = WLK_U8;
    wlk_dtype precision = WLK_F32;
    quantize_grid grid;
    TRY(quantized_dtype(call, &dtype));
    TRY(division_dtype(call, &precision));
    TRY(quantize_check(call, op_attribute(call, QUANTIZE_AXIS).i,
                       op_attribute(call, QUANTIZE_BLOCK).i, &grid));
    op_set_output(call, 0, dtype, x->rank, x->dims);
    return call->binding ? quantize_need(call) : WLK_OK;
}

static void as_floats(number_block *block, uint64_t count) {
    for (uint64_t i = 0; i < count && block->kind == NUMBER_INT; i++) {
        block->f[i] = (double)block->i[i];
    }
    for (uint64_t i = 0; i < count && block->kind == NUMBER_UINT; i++) {
        block->f[i] = (double)block->u[i];
    }
    block->kind = NUMBER_FLOAT;
}

typedef struct quantize_job {
    quantize_grid grid;
    quantize_scales scales;
    quantize_place place;
    wlk_dtype precision;
    bool integers;
    quantize_range range;
} quantize_job;

static void quantize_block(quantize_job *job, number_block *block, uint64_t count) {
    for (uint64_t i = 0; i < count; i++) {
        const double scale = in_precision(job->precision, job->scales.scales[job->place.at]);
        const double zero = job->scales.zeros[job->place.at];
        const double x = in_precision(job->precision, block->f[i]);
        const double quotient = in_precision(job->precision, x / scale);
        block->f[i] = job->integers ? quantize_round(quotient, zero, job->range) : quotient + zero;
        quantize_next(&job->grid, &job->place);
    }
}

static wlk_status quantize_kernel(const op_call *call) {
    const op_tensor *x = op_input(call, IN_X);
    const op_tensor *out = op_output(call, 0);
    const attribute_value saturate = op_attribute(call, QUANTIZE_SATURATE);
    quantize_job job = {.integers = !number_is_float(out->dtype),
                        .range = quantize_range_of(out->dtype)};
    TRY(division_dtype(call, &job.precision));
    TRY(quantize_check(call, op_attribute(call, QUANTIZE_AXIS).i,
                       op_attribute(call, QUANTIZE_BLOCK).i, &job.grid));
    job.scales = quantize_read(call);
    const quantize_run run = quantize_run_to(out->dtype);
    if (run && x->dtype == WLK_F32 && job.precision == WLK_F32 && in_stretches(&job.grid)) {
        const quantize_side side = side_of(x, out);
        quantize_stretches(run, &job.grid, &job.scales, &side, x->count);
        return WLK_OK;
    }
    const number_storer odd =
        number_store_as(out->dtype, !saturate.given || saturate.i != 0, ROUND_NEAREST);
    for (uint64_t from = 0; from < x->count; from += NUMBER_BLOCK) {
        const uint64_t left = x->count - from;
        const uint64_t count = left < NUMBER_BLOCK ? left : NUMBER_BLOCK;
        number_block block;
        number_block_load(x->dtype, x->data, from, count, &block);
        as_floats(&block, count);
        quantize_block(&job, &block, count);
        number_block_store(out->dtype, out->target, from, count, &block, odd);
    }
    return WLK_OK;
}

/* ---- DequantizeLinear */

enum { DEQUANTIZE_AXIS, DEQUANTIZE_BLOCK, DEQUANTIZE_DTYPE };

/* Scales of f8e8m0 are no dtype to compute in: then it is f32. */
static wlk_status dequantized_dtype(const op_call *call, wlk_dtype *out) {
    const attribute_value wanted = op_attribute(call, DEQUANTIZE_DTYPE);
    *out = op_input(call, IN_SCALE)->dtype;
    if (wanted.given && wanted.i != WLK_DTYPE_NONE) *out = (wlk_dtype)wanted.i;
    return need_dtype(call, *out, DTYPE_BIT(WLK_F32) | DTYPES_HALF);
}

static wlk_status dequantize_infer(op_call *call) {
    const op_tensor *x = op_input(call, IN_X);
    wlk_dtype dtype = WLK_F32;
    quantize_grid grid;
    TRY(dequantized_dtype(call, &dtype));
    TRY(quantize_check(call, op_attribute(call, DEQUANTIZE_AXIS).i,
                       op_attribute(call, DEQUANTIZE_BLOCK).i, &grid));
    op_set_output(call, 0, dtype, x->rank, x->dims);
    return call->binding ? quantize_need(call) : WLK_OK;
}

static wlk_status dequantize_kernel(const op_call *call) {
    const op_tensor *x = op_input(call, IN_X);
    const op_tensor *out = op_output(call, 0);
    quantize_grid grid;
    quantize_place place = {.at = 0};
    TRY(quantize_check(call, op_attribute(call, DEQUANTIZE_AXIS).i,
                       op_attribute(call, DEQUANTIZE_BLOCK).i, &grid));
    const quantize_scales scales = quantize_read(call);
    const quantize_run run = quantize_run_from(x->dtype);
    if (run && out->dtype == WLK_F32 && in_stretches(&grid)) {
        const quantize_side side = side_of(x, out);
        quantize_stretches(run, &grid, &scales, &side, x->count);
        return WLK_OK;
    }
    for (uint64_t from = 0; from < x->count; from += NUMBER_BLOCK) {
        const uint64_t left = x->count - from;
        const uint64_t count = left < NUMBER_BLOCK ? left : NUMBER_BLOCK;
        number_block block;
        number_block_load(x->dtype, x->data, from, count, &block);
        as_floats(&block, count);
        for (uint64_t i = 0; i < count; i++) {
            const float moved = (float)(block.f[i] - scales.zeros[place.at]);
            block.f[i] = (double)(moved * (float)scales.scales[place.at]);
            quantize_next(&grid, &place);
        }
        number_block_store(out->dtype, out->target, from, count, &block, number_store(out->dtype));
    }
    return WLK_OK;
}

/* ---- DynamicQuantizeLinear: to u8, by the range that the numbers and 0 have */

enum { OUT_Y, OUT_SCALE, OUT_ZERO };

static wlk_status dynamic_infer(op_call *call) {
    const op_tensor *x = op_input(call, IN_X);
    op_set_output(call, OUT_Y, WLK_U8, x->rank, x->dims);
    op_set_output(call, OUT_SCALE, WLK_F32, 0, NULL);
    op_set_output(call, OUT_ZERO, WLK_U8, 0, NULL);
    if (call->binding) op_add_operations(call, OP_ELEMENT_COST, x->count, 1, 1);
    return WLK_OK;
}

static wlk_status dynamic_kernel(const op_call *call) {
    const op_tensor *x = op_input(call, IN_X);
    const float *in = x->data;
    const quantize_range range = quantize_range_of(WLK_U8);
    uint8_t *out = op_output(call, OUT_Y)->target;
    float low = 0;
    float high = 0;
    for (uint64_t i = 0; i < x->count; i++) {
        low = in[i] < low ? in[i] : low;
        high = in[i] > high ? in[i] : high;
    }
    const float whole = (high - low) / 255;
    const float scale = whole > 0 ? whole : 1; /* all are 0, or nothing is there */
    const double zero = quantize_round((double)(-low / scale), 0, range);
    for (uint64_t i = 0; i < x->count; i++) {
        out[i] = (uint8_t)quantize_round((double)(in[i] / scale), zero, range);
    }
    *(float *)op_output(call, OUT_SCALE)->target = scale;
    *(uint8_t *)op_output(call, OUT_ZERO)->target = (uint8_t)zero;
    return WLK_OK;
}

/* ---- rows */

static const attribute_row quantize_attributes[] = {
    [QUANTIZE_AXIS] = {.name = "axis", .type = WLK_ATTR_INT, .i = 1},
    [QUANTIZE_SATURATE] = {.name = "saturate", .type = WLK_ATTR_INT, .i = 1},
    [QUANTIZE_BLOCK] = {.name = "block_size", .type = WLK_ATTR_INT, .i = 0},
    [QUANTIZE_DTYPE] = {.name = "output_dtype", .type = WLK_ATTR_DTYPE},
    [QUANTIZE_PRECISION] = {.name = "precision", .type = WLK_ATTR_DTYPE},
};
static const attribute_row dequantize_attributes[] = {
    [DEQUANTIZE_AXIS] = {.name = "axis", .type = WLK_ATTR_INT, .i = 1},
    [DEQUANTIZE_BLOCK] = {.name = "block_size", .type = WLK_ATTR_INT, .i = 0},
    [DEQUANTIZE_DTYPE] = {.name = "output_dtype", .type = WLK_ATTR_DTYPE},
};

#define F32 DTYPE_BIT(WLK_F32)
#define I32 DTYPE_BIT(WLK_I32)
#define E8M0 DTYPE_BIT(WLK_F8E8M0)
#define SHORT_FLOATS (F32 | DTYPES_HALF)
#define PORTS(name, x, scale, zero, variable) \
    static const op_port name[] = {           \
        {"x", x, variable}, {"scale", scale, 0}, {"zero_point", zero, variable}}
PORTS(quantize_10, F32 | I32, F32, DTYPES_BYTE, 0);
PORTS(quantize_19, SHORT_FLOATS | I32, SHORT_FLOATS | I32, DTYPES_BYTE | DTYPES_F8, 0);
PORTS(quantize_21, SHORT_FLOATS | I32, SHORT_FLOATS | I32, DTYPES_QUANTIZED_21, 0);
PORTS(quantize_23, SHORT_FLOATS | I32, SHORT_FLOATS | I32, DTYPES_QUANTIZED_23, 0);
PORTS(quantize_24, SHORT_FLOATS | I32, SHORT_FLOATS | I32 | E8M0, DTYPES_QUANTIZED_23, 0);
PORTS(dequantize_10, DTYPES_BYTE | I32, F32, DTYPES_BYTE | I32, 'T');
PORTS(dequantize_19, DTYPES_BYTE | DTYPES_F8 | I32, SHORT_FLOATS, DTYPES_BYTE | DTYPES_F8 | I32,
      'T');
PORTS(dequantize_21, DTYPES_QUANTIZED_21 | I32, SHORT_FLOATS, DTYPES_QUANTIZED_21 | I32, 'T');
PORTS(dequantize_23, DTYPES_QUANTIZED_23 | I32, SHORT_FLOATS, DTYPES_QUANTIZED_23 | I32, 'T');
PORTS(dequantize_24, DTYPES_QUANTIZED_23 | I32, SHORT_FLOATS | E8M0, DTYPES_QUANTIZED_23 | I32,
      'T');
static const op_port dynamic_ports[] = {{"x", F32, 0}};

#define ROW(op_name, version, least, most, outputs, op_ports, op_attributes, count, op_shape,      \
            op_run)                                                                                \
    {                                                                                              \
        .domain = "", .name = op_name, .since = version, .min_inputs = least, .max_inputs = most,  \
        .min_outputs = outputs, .max_outputs = outputs, .ports = op_ports,                         \
        .attributes = op_attributes, .attribute_count = count, .infer = op_shape, .kernel = op_run \
    }
#define QUANTIZE(version, ports, count)                                                        \
    ROW("QuantizeLinear", version, 2, 3, 1, ports, quantize_attributes, count, quantize_infer, \
        quantize_kernel)
#define DEQUANTIZE(version, ports, count)                                          \
    ROW("DequantizeLinear", version, 2, 3, 1, ports, dequantize_attributes, count, \
        dequantize_infer, dequantize_kernel)

static const op_row rows[] = {
    QUANTIZE(10, quantize_10, 0),
    QUANTIZE(13, quantize_10, 1),
    QUANTIZE(19, quantize_19, 2),
    QUANTIZE(21, quantize_21, 4),
    QUANTIZE(23, quantize_23, 5),
    QUANTIZE(24, quantize_24, 5),
    QUANTIZE(25, quantize_24, 5),
    QUANTIZE(28, quantize_24, 5),
    DEQUANTIZE(10, dequantize_10, 0),
    DEQUANTIZE(13, dequantize_10, 1),
    DEQUANTIZE(19, dequantize_19, 1),
    DEQUANTIZE(21, dequantize_21, 2),
    DEQUANTIZE(23, dequantize_23, 3),
    DEQUANTIZE(24, dequantize_24, 3),
    DEQUANTIZE(25, dequantize_24, 3),
    DEQUANTIZE(28, dequantize_24, 3),
    ROW("DynamicQuantizeLinear", 11, 1, 1, 3, dynamic_ports, NULL, 0, dynamic_infer,
        dynamic_kernel),
};

const op_family ops_quantize = {rows, sizeof rows / sizeof *rows};

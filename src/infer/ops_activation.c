/* Activation functions, with up to two parameters. Written so that NaN stays NaN. */
#include <math.h>
#include <string.h>

#include "infer/elementwise.h"
#include "infer/math_f32.h"
#include "infer/ops.h"
#include "infer/scores.h"

/* ---- loops: a and b are the first two attributes, in the type of the loop */

#define FLOATS(op, expression, expression_f32) \
    UNARY(op##_f64, double, expression)        \
    UNARY_WIDE(op##_f32, float, expression_f32)
#define BOTH(op, expression) FLOATS(op, expression, expression)

#define RELU(x) ((x) < 0 ? 0 : (x))
#define UNIT(x) ((x) < 0 ? 0 : (x) > 1 ? 1 : (x)) /* within 0..1 */

BOTH(relu, RELU(x))
UNARY(relu_i64, int64_t, RELU(x))
UNARY(relu_i32, int32_t, RELU(x))
UNARY(relu_i16, int16_t, RELU(x))
UNARY(relu_i8, int8_t, RELU(x))

/* Where a function is e^x for some numbers only, both are computed and one is taken:
 * that is what vectors can. Arguments above 0 are kept at 0, which cannot overflow. */
#define BELOW_0(x) ((x) > 0 ? 0 : (x))

/* x tanh(ln(1 + e^x)) is x n / (n + 2) with n = e^x (e^x + 2), and x itself where that
 * would overflow. */
static inline float mish_of_f32(float x) {
    const float e = f32_exp(x > 20 ? 20 : x);
    const float n = e * (e + 2);
    const float below = x * (n / (n + 2));
    return x > 20 ? x : below;
}

static inline double mish_of_f64(double x) {
    const double e = exp(x > 40 ? 40 : x);
    const double n = e * (e + 2);
    return x > 40 ? x : x * (n / (n + 2));
}

#define SQRT_HALF 0.70710678118654752440
#define SQRT_2_PI 0.79788456080286535588 /* of 2 / pi */
#define GELU_TANH(x, type) ((type)SQRT_2_PI * ((x) + (type)0.044715 * (x) * (x) * (x)))

BOTH(leaky, x < 0 ? a * x : x)
BOTH(thresholded, x <= a ? 0 : x)
BOTH(hard_sigmoid, UNIT(a *x + b))
FLOATS(hard_swish, x *UNIT(x / 6 + 0.5), x *UNIT(x / 6 + 0.5F))
BOTH(softsign, x / (1 + (x < 0 ? -x : x)))
FLOATS(sigmoid, score_logistic(x), f32_logistic(x))
FLOATS(swish, x *score_logistic(a *x), x *f32_logistic(a *x))
FLOATS(softplus, RELU(x) + log1p(exp(-fabs(x))), RELU(x) + log1pf(f32_exp(-fabsf(x))))
FLOATS(mish, mish_of_f64(x), mish_of_f32(x))
FLOATS(gelu, 0.5 * x * (1 + erf(x * SQRT_HALF)), 0.5F * x * (1 + f32_erf(x * (float)SQRT_HALF)))
FLOATS(gelu_tanh, 0.5 * x * (1 + tanh(GELU_TANH(x, double))),
       0.5F * x * (1 + f32_tanh(GELU_TANH(x, float))))
FLOATS(elu, x < 0 ? a * expm1(x) : x, x < 0 ? a * f32_expm1(BELOW_0(x)) : x)
FLOATS(selu, b *(x > 0 ? x : a * expm1(x)), b *(x > 0 ? x : a * f32_expm1(BELOW_0(x))))
FLOATS(celu, RELU(x) + BELOW_0(a * expm1(x / a)), RELU(x) + BELOW_0(a * f32_expm1(x / a)))
BOTH(shrink, x<-b ? x + a : x> b ? x - a : x != x ? x : 0)

#define KERNEL(op, ...)                                                \
    static const unary_run op##_runs[WLK_DTYPE_COUNT] = {__VA_ARGS__}; \
    static wlk_status op##_kernel(const op_call *call) {               \
        return unary_apply(call, op##_runs);                           \
    }
#define FLOAT_KERNEL(op) KERNEL(op, FLOAT_RUNS(op))

KERNEL(relu, FLOAT_RUNS(relu), SIGNED_RUNS(relu))
FLOAT_KERNEL(leaky)
FLOAT_KERNEL(thresholded)
FLOAT_KERNEL(hard_sigmoid)
FLOAT_KERNEL(hard_swish)
FLOAT_KERNEL(softsign)
FLOAT_KERNEL(sigmoid)
FLOAT_KERNEL(swish)
FLOAT_KERNEL(softplus)
FLOAT_KERNEL(mish)
FLOAT_KERNEL(gelu)
FLOAT_KERNEL(gelu_tanh)
FLOAT_KERNEL(elu)
FLOAT_KERNEL(selu)
FLOAT_KERNEL(celu)
FLOAT_KERNEL(shrink) /* of integers too, through f64 */

static bool is_tanh(const op_call *call) {
    return strcmp(op_attribute(call, 0).s, "tanh") == 0;
}

static wlk_status gelu_infer(op_call *call) {
    const char *approximate = op_attribute(call, 0).s;
    if (!is_tanh(call) && strcmp(approximate, "none") != 0) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "approximate '%.20s'", approximate);
    }
    return unary_infer_costly(call);
}

static wlk_status any_gelu_kernel(const op_call *call) {
    return is_tanh(call) ? gelu_tanh_kernel(call) : gelu_kernel(call);
}

/* ---- PRelu: the slope is stretched to the input's shape */

#define PRELU(suffix, type, wide) \
    BINARY(prelu_##suffix, type, x < 0 ? (type)((wide)x * (wide)y) : x)

PRELU(f64, double, double)
PRELU(f32, float, float)
PRELU(i64, int64_t, uint64_t)
PRELU(i32, int32_t, uint32_t)
BINARY(prelu_u64, uint64_t, ((void)y, x)) /* nothing is below 0 */
BINARY(prelu_u32, uint32_t, ((void)y, x))

static const binary_run prelu_runs[WLK_DTYPE_COUNT] = {
    FLOAT_RUNS(prelu), [WLK_I64] = prelu_i64, [WLK_I32] = prelu_i32, [WLK_U64] = prelu_u64,
    [WLK_U32] = prelu_u32};

/* Before opset 7 a vector of slopes is one for each channel. */
static binary_fit prelu_fit(const op_call *call) {
    return call->node->row->since < 7 ? FIT_CHANNELS : FIT_ONTO;
}

static wlk_status prelu_infer(op_call *call) {
    return binary_infer(call, prelu_fit(call), op_input(call, 0)->dtype);
}

static wlk_status prelu_kernel(const op_call *call) {
    return binary_apply(call, prelu_fit(call), prelu_runs);
}

/* ---- rows */

/* Attributes are 32 bits wide: so is a default. */
#define REAL(attribute, value) \
    { .name = attribute, .type = WLK_ATTR_FLOAT, .f = (double)(float)(value) }
#define CONSUMED \
    { .name = "consumed_inputs", .type = WLK_ATTR_INTS }

static const attribute_row leaky_rules[] = {REAL("alpha", 0.01), CONSUMED};
static const attribute_row alpha_rules[] = {REAL("alpha", 1), CONSUMED};
static const attribute_row hard_rules[] = {REAL("alpha", 0.2), REAL("beta", 0.5), CONSUMED};
static const attribute_row selu_1_rules[] = {REAL("alpha", 1.6732), REAL("gamma", 1.0507),
                                             CONSUMED};
static const attribute_row selu_rules[] = {REAL("alpha", 1.67326319217681884765625),
                                           REAL("gamma", 1.05070102214813232421875)};
static const attribute_row shrink_rules[] = {REAL("bias", 0), REAL("lambd", 0.5)};
static const attribute_row gelu_rules[] = {
    {.name = "approximate", .type = WLK_ATTR_STRING, .s = "none"}};

#define DTYPES_RELU (DTYPES_FLOAT_HALF | DTYPES_SIGNED)
#define DTYPES_SHRINK (DTYPES_FLOAT_16 | DTYPES_INT)

#define ROW(op_name, version, dtypes, rule, run)                                        \
    .domain = "", .name = op_name, .since = version, .min_inputs = 1, .max_inputs = 1,  \
    .min_outputs = 1, .max_outputs = 1, .ports = (const op_port[]){{"X", dtypes, 'T'}}, \
    .infer = rule, .kernel = run, .flags = OP_HALF
#define WITH(rules, count) .attributes = rules, .attribute_count = count

/* Opset 1 with consumed_inputs behind `count` other attributes, opset 6 without, and the
 * version that took bfloat16. */
#define OLD_ROWS(op_name, newest, rule, run, rules, count)                     \
    {ROW(op_name, 1, DTYPES_FLOAT_16, rule, run), WITH(rules, count + 1)},     \
        {ROW(op_name, 6, DTYPES_FLOAT_16, rule, run), WITH(rules, count)}, {   \
        ROW(op_name, newest, DTYPES_FLOAT_HALF, rule, run), WITH(rules, count) \
    }
#define NEW_ROWS(op_name, version, newest, rule, run, rules, count)            \
    {ROW(op_name, version, DTYPES_FLOAT_16, rule, run), WITH(rules, count)}, { \
        ROW(op_name, newest, DTYPES_FLOAT_HALF, rule, run), WITH(rules, count) \
    }
#define PRELU_ROW(version, dtypes)                                                                \
    .domain = "", .name = "PRelu", .since = version, .min_inputs = 2, .max_inputs = 2,            \
    .min_outputs = 1, .max_outputs = 1,                                                           \
    .ports = (const op_port[]){{"X", dtypes, 'T'}, {"slope", dtypes, 'T'}}, .infer = prelu_infer, \
    .kernel = prelu_kernel, .flags = OP_HALF

static const op_row rows[] = {
    OLD_ROWS("Relu", 13, op_infer_same, relu_kernel, consumed_inputs, 0),
    {ROW("Relu", 14, DTYPES_RELU, op_infer_same, relu_kernel)},
    OLD_ROWS("Sigmoid", 13, unary_infer_costly, sigmoid_kernel, consumed_inputs, 0),
    OLD_ROWS("LeakyRelu", 16, op_infer_same, leaky_kernel, leaky_rules, 1),
    OLD_ROWS("Elu", 22, unary_infer_costly, elu_kernel, alpha_rules, 1),
    OLD_ROWS("HardSigmoid", 22, op_infer_same, hard_sigmoid_kernel, hard_rules, 2),
    {ROW("Selu", 1, DTYPES_FLOAT_16, unary_infer_costly, selu_kernel), WITH(selu_1_rules, 3)},
    NEW_ROWS("Selu", 6, 22, unary_infer_costly, selu_kernel, selu_rules, 2),
    {ROW("Celu", 12, DTYPE_BIT(WLK_F32), unary_infer_costly, celu_kernel), WITH(alpha_rules, 1)},
    {ROW("Celu", 28, DTYPES_FLOAT_HALF, unary_infer_costly, celu_kernel), WITH(alpha_rules, 1)},
    NEW_ROWS("ThresholdedRelu", 10, 22, op_infer_same, thresholded_kernel, alpha_rules, 1),
    NEW_ROWS("HardSwish", 14, 22, op_infer_same, hard_swish_kernel, NULL, 0),
    NEW_ROWS("Mish", 18, 22, unary_infer_costly, mish_kernel, NULL, 0),
    NEW_ROWS("Softplus", 1, 22, unary_infer_costly, softplus_kernel, NULL, 0),
    NEW_ROWS("Softsign", 1, 22, op_infer_same, softsign_kernel, NULL, 0),
    {ROW("Shrink", 9, DTYPES_SHRINK, op_infer_same, shrink_kernel), WITH(shrink_rules, 2)},
    {ROW("Gelu", 20, DTYPES_FLOAT_HALF, gelu_infer, any_gelu_kernel), WITH(gelu_rules, 1)},
    {ROW("Swish", 24, DTYPES_FLOAT_HALF, unary_infer_costly, swish_kernel), WITH(alpha_rules, 1)},
    {PRELU_ROW(1, DTYPES_FLOAT_16), WITH(consumed_inputs, 1)},
    {PRELU_ROW(6, DTYPES_FLOAT_16)},
    {PRELU_ROW(7, DTYPES_FLOAT_16)},
    {PRELU_ROW(9, DTYPES_FLOAT_16 | DTYPES_WIDE_INT)},
    {PRELU_ROW(16, DTYPES_FLOAT_HALF | DTYPES_WIDE_INT)},
};

const op_family ops_activation = {rows, sizeof rows / sizeof *rows};

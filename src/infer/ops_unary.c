/* Functions of one number without parameters: Abs, Neg, Sign, Floor, Ceil, Round,
 * Reciprocal, Sqrt, Exp, Log, the trigonometric and hyperbolic ones and their inverses,
 * Erf, BitwiseNot. Integers wrap around: the smallest is its own Abs and Neg. */
#include <math.h>

#include "infer/elementwise.h"
#include "infer/math_f32.h"
#include "infer/ops.h"

/* ---- loops */

#define FLOATS(op, expression, expression_f32) \
    UNARY(op##_f64, double, expression)        \
    UNARY(op##_f32, float, expression_f32)
/* What vectors can do. */
#define FLOATS_WIDE(op, expression, expression_f32) \
    UNARY(op##_f64, double, expression)             \
    UNARY_WIDE(op##_f32, float, expression_f32)

#define SIGN(x) ((x) > 0 ? 1 : (x) < 0 ? -1 : 0)

#define SIGNED(suffix, type, wide)                             \
    UNARY(abs_##suffix, type, x < 0 ? (type)(0 - (wide)x) : x) \
    UNARY(neg_##suffix, type, 0 - (wide)x)                     \
    UNARY(sign_##suffix, type, SIGN(x))                        \
    UNARY(not_##suffix, type, ~(wide)x)

#define UNSIGNED(suffix, type, wide)  \
    UNARY(abs_##suffix, type, x)      \
    UNARY(sign_##suffix, type, x > 0) \
    UNARY(not_##suffix, type, ~(wide)x)

SIGNED(i64, int64_t, uint64_t)
SIGNED(i32, int32_t, uint32_t)
SIGNED(i16, int16_t, uint32_t)
SIGNED(i8, int8_t, uint32_t)
UNSIGNED(u64, uint64_t, uint64_t)
UNSIGNED(u32, uint32_t, uint32_t)
UNSIGNED(u16, uint16_t, uint32_t)
UNSIGNED(u8, uint8_t, uint32_t)

FLOATS(abs, fabs(x), fabsf(x))
FLOATS(neg, -x, -x)
FLOATS(sign, x != x ? x : SIGN(x), x != x ? x : SIGN(x))
FLOATS_WIDE(floor, floor(x), floorf(x))
FLOATS_WIDE(ceil, ceil(x), ceilf(x))
FLOATS_WIDE(round, rint(x), rintf(x)) /* halves to even: nobody changes the rounding mode */
FLOATS_WIDE(reciprocal, 1 / x, 1 / x)
FLOATS_WIDE(sqrt, sqrt(x), sqrtf(x))
FLOATS_WIDE(exp, exp(x), f32_exp(x))
FLOATS(log, log(x), logf(x))
FLOATS(sin, sin(x), sinf(x))
FLOATS(cos, cos(x), cosf(x))
FLOATS(tan, tan(x), tanf(x))
FLOATS(asin, asin(x), asinf(x))
FLOATS(acos, acos(x), acosf(x))
FLOATS(atan, atan(x), atanf(x))
FLOATS(sinh, sinh(x), sinhf(x))
FLOATS(cosh, cosh(x), coshf(x))
FLOATS_WIDE(tanh, tanh(x), f32_tanh(x))
FLOATS(asinh, asinh(x), asinhf(x))
FLOATS(acosh, acosh(x), acoshf(x))
FLOATS(atanh, atanh(x), atanhf(x))
FLOATS_WIDE(erf, erf(x), f32_erf(x))

#define KERNEL(op, ...)                                                \
    static const unary_run op##_runs[WLK_DTYPE_COUNT] = {__VA_ARGS__}; \
    static wlk_status op##_kernel(const op_call *call) {               \
        return unary_apply(call, op##_runs);                           \
    }
#define FLOAT_KERNEL(op) KERNEL(op, FLOAT_RUNS(op))

KERNEL(abs, NUMBER_RUNS(abs))
KERNEL(neg, FLOAT_RUNS(neg), SIGNED_RUNS(neg))
KERNEL(sign, NUMBER_RUNS(sign))
KERNEL(not, SIGNED_RUNS(not ), UNSIGNED_RUNS(not ))
FLOAT_KERNEL(floor)
FLOAT_KERNEL(ceil)
FLOAT_KERNEL(round)
FLOAT_KERNEL(reciprocal)
FLOAT_KERNEL(sqrt)
FLOAT_KERNEL(exp)
FLOAT_KERNEL(log)
FLOAT_KERNEL(sin)
FLOAT_KERNEL(cos)
FLOAT_KERNEL(tan)
FLOAT_KERNEL(asin)
FLOAT_KERNEL(acos)
FLOAT_KERNEL(atan)
FLOAT_KERNEL(sinh)
FLOAT_KERNEL(cosh)
FLOAT_KERNEL(tanh)
FLOAT_KERNEL(asinh)
FLOAT_KERNEL(acosh)
FLOAT_KERNEL(atanh)
FLOAT_KERNEL(erf) /* of integers too, through f64 */

/* ---- rows */

#define NUMBERS (DTYPES_FLOAT_16 | DTYPES_INT)
#define NUMBERS_HALF (DTYPES_FLOAT_HALF | DTYPES_INT)

#define ROW(op_name, version, dtypes, rule, run)                                        \
    .domain = "", .name = op_name, .since = version, .min_inputs = 1, .max_inputs = 1,  \
    .min_outputs = 1, .max_outputs = 1, .ports = (const op_port[]){{"X", dtypes, 'T'}}, \
    .infer = rule, .kernel = run, .flags = OP_HALF
/* What opset 1 has had. */
#define OLD_ROWS(op_name, dtypes_6, dtypes_13, rule, run)                        \
    {ROW(op_name, 1, DTYPES_FLOAT_16, rule, run), .attributes = consumed_inputs, \
     .attribute_count = 1},                                                      \
        {ROW(op_name, 6, dtypes_6, rule, run)}, {                                \
        ROW(op_name, 13, dtypes_13, rule, run)                                   \
    }
#define OLD_FLOAT_ROWS(op_name, rule, run) \
    OLD_ROWS(op_name, DTYPES_FLOAT_16, DTYPES_FLOAT_HALF, rule, run)
/* What came later, and took bfloat16 from opset 22 on. */
#define NEW_ROWS(op_name, version, run)                                  \
    {ROW(op_name, version, DTYPES_FLOAT_16, unary_infer_costly, run)}, { \
        ROW(op_name, 22, DTYPES_FLOAT_HALF, unary_infer_costly, run)     \
    }

static const op_row rows[] = {
    OLD_ROWS("Abs", NUMBERS, NUMBERS_HALF, op_infer_same, abs_kernel),
    OLD_ROWS("Neg", DTYPES_FLOAT_16 | DTYPES_SIGNED, DTYPES_FLOAT_HALF | DTYPES_SIGNED,
             op_infer_same, neg_kernel),
    OLD_FLOAT_ROWS("Floor", op_infer_same, floor_kernel),
    OLD_FLOAT_ROWS("Ceil", op_infer_same, ceil_kernel),
    OLD_FLOAT_ROWS("Reciprocal", op_infer_same, reciprocal_kernel),
    OLD_FLOAT_ROWS("Sqrt", op_infer_same, sqrt_kernel),
    OLD_FLOAT_ROWS("Exp", unary_infer_costly, exp_kernel),
    OLD_FLOAT_ROWS("Log", unary_infer_costly, log_kernel),
    OLD_FLOAT_ROWS("Tanh", unary_infer_costly, tanh_kernel),
    {ROW("Sign", 9, NUMBERS, op_infer_same, sign_kernel)},
    {ROW("Sign", 13, NUMBERS_HALF, op_infer_same, sign_kernel)},
    {ROW("Erf", 9, NUMBERS, unary_infer_costly, erf_kernel)},
    {ROW("Erf", 13, DTYPES_FLOAT_HALF, unary_infer_costly, erf_kernel)},
    NEW_ROWS("Sin", 7, sin_kernel),
    NEW_ROWS("Cos", 7, cos_kernel),
    NEW_ROWS("Tan", 7, tan_kernel),
    NEW_ROWS("Asin", 7, asin_kernel),
    NEW_ROWS("Acos", 7, acos_kernel),
    NEW_ROWS("Atan", 7, atan_kernel),
    NEW_ROWS("Sinh", 9, sinh_kernel),
    NEW_ROWS("Cosh", 9, cosh_kernel),
    NEW_ROWS("Asinh", 9, asinh_kernel),
    NEW_ROWS("Acosh", 9, acosh_kernel),
    NEW_ROWS("Atanh", 9, atanh_kernel),
    NEW_ROWS("Round", 11, round_kernel),
    {ROW("BitwiseNot", 18, DTYPES_INT, op_infer_same, not_kernel)},
};

const op_family ops_unary = {rows, sizeof rows / sizeof *rows};

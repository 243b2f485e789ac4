/* Add, Sub, Mul, Div, Mod, BitShift, BitwiseAnd, BitwiseOr, BitwiseXor: two operands,
 * broadcast. Integers wrap around; integer division truncates, and a division by zero is
 * an error. */
#include <math.h>
#include <string.h>

#include "infer/elementwise.h"
#include "infer/ops.h"

/* ---- Add, Sub, Mul, Div */

#define DIVIDE(function, type, expression)                                                   \
    static bool function(void *out, const void *a, const void *b, const binary_span *span) { \
        type *result = out;                                                                  \
        const type *left = a;                                                                \
        const type *right = b;                                                               \
        for (uint64_t i = 0; i < span->count; i++) {                                         \
            const type x = left[i * span->step[0]];                                          \
            const type y = right[i * span->step[1]];                                         \
            if (y == 0) return false;                                                        \
            result[i] = (type)(expression);                                                  \
        }                                                                                    \
        return true;                                                                         \
    }

/* Wrap around is defined for unsigned types that are not promoted to int: wide is
 * uint32_t, or uint64_t for 64 bits. */
#define WRAPPING(type, wide, suffix)              \
    BINARY(add_##suffix, type, (wide)x + (wide)y) \
    BINARY(sub_##suffix, type, (wide)x - (wide)y) \
    BINARY(mul_##suffix, type, (wide)x *(wide)y)  \
    BINARY(and_##suffix, type, (wide)x &(wide)y)  \
    BINARY(or_##suffix, type, (wide)x | (wide)y)  \
    BINARY(xor_##suffix, type, (wide)x ^ (wide)y)

#define FLOATING(type, suffix)        \
    BINARY(add_##suffix, type, x + y) \
    BINARY(sub_##suffix, type, x - y) \
    BINARY(mul_##suffix, type, x *y)  \
    BINARY(div_##suffix, type, x / y)

/* x / -1 is 0 - x: the minimum has no positive counterpart and would trap. A remainder
 * that is not 0 and of another sign than the divisor goes up by it (Python's %). */
#define SIGNED(type, wide, suffix)                                                        \
    WRAPPING(type, wide, suffix)                                                          \
    DIVIDE(div_##suffix, type, y == -1 ? (type)(0 - (wide)x) : (type)(x / y))             \
    DIVIDE(fmod_##suffix, type, y == -1 ? 0 : x % y)                                      \
    DIVIDE(mod_##suffix, type, y == -1 ? 0 : x % y + (x % y && (x ^ y) < 0 ? y : 0))      \
    BINARY(shl_##suffix, type, y < 0 || y >= (type)(8 * sizeof(type)) ? 0 : (wide)x << y) \
    BINARY(shr_##suffix, type,                                                            \
           x >> (y < 0 || y >= (type)(8 * sizeof(type)) ? 8 * sizeof(type) - 1 : (size_t)y))

#define UNSIGNED(type, wide, suffix)                                     \
    WRAPPING(type, wide, suffix)                                         \
    DIVIDE(div_##suffix, type, x / y)                                    \
    DIVIDE(fmod_##suffix, type, x % y)                                   \
    DIVIDE(mod_##suffix, type, x % y)                                    \
    BINARY(shl_##suffix, type, y >= 8 * sizeof(type) ? 0 : (wide)x << y) \
    BINARY(shr_##suffix, type, y >= 8 * sizeof(type) ? 0 : (wide)x >> y)

FLOATING(double, f64)
FLOATING(float, f32)
SIGNED(int64_t, uint64_t, i64)
SIGNED(int32_t, uint32_t, i32)
SIGNED(int16_t, uint32_t, i16)
SIGNED(int8_t, uint32_t, i8)
UNSIGNED(uint64_t, uint64_t, u64)
UNSIGNED(uint32_t, uint32_t, u32)
UNSIGNED(uint16_t, uint32_t, u16)
UNSIGNED(uint8_t, uint32_t, u8)

#define KERNEL(op)                                                          \
    static const binary_run op##_runs[WLK_DTYPE_COUNT] = {NUMBER_RUNS(op)}; \
    static wlk_status op##_kernel(const op_call *call) {                    \
        return binary_apply(call, binary_fit_of(call), op##_runs);          \
    }
#define INTEGER_KERNEL(op)                                                                     \
    static const binary_run op##_runs[WLK_DTYPE_COUNT] = {SIGNED_RUNS(op), UNSIGNED_RUNS(op)}; \
    static wlk_status op##_kernel(const op_call *call) {                                       \
        return binary_apply(call, FIT_BROADCAST, op##_runs);                                   \
    }

KERNEL(add)
KERNEL(sub)
KERNEL(mul)
KERNEL(div)
INTEGER_KERNEL(and)
INTEGER_KERNEL(or)
INTEGER_KERNEL(xor)

/* ---- Mod */

/* floor(x / y) is the quotient: the remainder has the sign of y, and so has a zero. An
 * infinite y leaves x, or is what x of the other sign is raised by. */
static double floor_mod(double x, double y) {
    const double rest = fmod(x, y);
    if (rest == 0) return copysign(0, y);
    return (rest < 0) != (y < 0) ? rest + y : rest;
}

static float floor_mod_f32(float x, float y) {
    const float rest = fmodf(x, y);
    if (rest == 0) return copysignf(0, y);
    return (rest < 0) != (y < 0) ? rest + y : rest;
}

BINARY(fmod_f64, double, fmod(x, y))
BINARY(fmod_f32, float, fmodf(x, y))
BINARY(mod_f64, double, floor_mod(x, y))
BINARY(mod_f32, float, floor_mod_f32(x, y))

static const binary_run mod_runs[2][WLK_DTYPE_COUNT] = {{NUMBER_RUNS(mod)}, {NUMBER_RUNS(fmod)}};

/* fmod takes a step for each bit of the quotient: about 2000 at most. */
#define FMOD_COST (1000 * OP_ELEMENT_COST)

static wlk_status mod_infer(op_call *call) {
    const op_tensor *a = op_input(call, 0);
    const int64_t fmod_wanted = op_attribute(call, 0).i;
    const bool real = DTYPE_BIT(a->dtype) & DTYPES_FLOAT_HALF;
    if (fmod_wanted != 0 && fmod_wanted != 1) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "fmod must be 0 or 1");
    }
    if (real && !fmod_wanted && call->node->row->since < 28) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "fmod must be 1 for floats");
    }
    TRY(binary_infer_same(call));
    if (real) binary_add_cost(call, FMOD_COST);
    return WLK_OK;
}

static wlk_status mod_kernel(const op_call *call) {
    return binary_apply(call, FIT_BROADCAST, mod_runs[op_attribute(call, 0).i != 0]);
}

/* ---- BitShift */

INTEGER_KERNEL(shl)
INTEGER_KERNEL(shr)

static wlk_status shift_infer(op_call *call) {
    const char *direction = op_attribute(call, 0).s;
    if (strcmp(direction, "LEFT") != 0 && strcmp(direction, "RIGHT") != 0) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "direction '%.20s'", direction);
    }
    return binary_infer_same(call);
}

static wlk_status shift_kernel(const op_call *call) {
    return strcmp(op_attribute(call, 0).s, "LEFT") == 0 ? shl_kernel(call) : shr_kernel(call);
}

/* ---- rows */

#define NUMBERS_WIDE (DTYPES_FLOAT_16 | DTYPES_WIDE_INT)
#define NUMBERS_WIDE_HALF (DTYPES_FLOAT_HALF | DTYPES_WIDE_INT)
#define NUMBERS_ALL (DTYPES_FLOAT_16 | DTYPES_INT)
#define NUMBERS_ALL_HALF (DTYPES_FLOAT_HALF | DTYPES_INT)

#define ROW(op_name, version, dtypes, rule, run)                                       \
    .domain = "", .name = op_name, .since = version, .min_inputs = 2, .max_inputs = 2, \
    .min_outputs = 1, .max_outputs = 1,                                                \
    .ports = (const op_port[]){{"A", dtypes, 'T'}, {"B", dtypes, 'T'}}, .infer = rule, \
    .kernel = run, .flags = OP_HALF
#define ROWS(op_name, run)                                                                       \
    {ROW(op_name, 1, DTYPES_FLOAT_16, binary_infer_same, run), .attributes = legacy_attributes,  \
     .attribute_count = LEGACY_ATTRIBUTES},                                                      \
        {ROW(op_name, 6, NUMBERS_WIDE, binary_infer_same, run), .attributes = legacy_attributes, \
         .attribute_count = LEGACY_CONSUMED},                                                    \
        {ROW(op_name, 7, NUMBERS_WIDE, binary_infer_same, run)},                                 \
        {ROW(op_name, 13, NUMBERS_WIDE_HALF, binary_infer_same, run)}, {                         \
        ROW(op_name, 14, NUMBERS_ALL_HALF, binary_infer_same, run)                               \
    }
#define MOD_ROW(version, dtypes)                                                          \
    {                                                                                     \
        ROW("Mod", version, dtypes, mod_infer, mod_kernel), .attributes = mod_attributes, \
                                                            .attribute_count = 1          \
    }
#define SHIFT_ROW(version, dtypes)                                   \
    {                                                                \
        ROW("BitShift", version, dtypes, shift_infer, shift_kernel), \
            .attributes = shift_attributes, .attribute_count = 1     \
    }

static const attribute_row mod_attributes[] = {{.name = "fmod", .type = WLK_ATTR_INT}};
static const attribute_row shift_attributes[] = {
    {.name = "direction", .type = WLK_ATTR_STRING, .required = true}};

static const op_row rows[] = {
    ROWS("Add", add_kernel),
    ROWS("Sub", sub_kernel),
    ROWS("Mul", mul_kernel),
    ROWS("Div", div_kernel),
    MOD_ROW(10, NUMBERS_ALL),
    MOD_ROW(13, NUMBERS_ALL_HALF),
    MOD_ROW(28, NUMBERS_ALL_HALF),
    SHIFT_ROW(11, DTYPES_UNSIGNED),
    SHIFT_ROW(28, DTYPES_INT),
    {ROW("BitwiseAnd", 18, DTYPES_INT, binary_infer_same, and_kernel)},
    {ROW("BitwiseOr", 18, DTYPES_INT, binary_infer_same, or_kernel)},
    {ROW("BitwiseXor", 18, DTYPES_INT, binary_infer_same, xor_kernel)},
};

const op_family ops_elementwise = {rows, sizeof rows / sizeof *rows};

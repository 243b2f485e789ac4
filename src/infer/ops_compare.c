/* Equal, Less, LessOrEqual, Greater, GreaterOrEqual; And, Or, Xor, Not; IsNaN, IsInf. What
 * they make is bool. NaN is unequal to everything, and neither less nor greater. */
#include <math.h>
#include <string.h>

#include "infer/elementwise.h"
#include "infer/ops.h"

/* ---- numbers */

#define COMPARE(suffix, type)                          \
    BINARY_TO(equal_##suffix, uint8_t, type, x == y)   \
    BINARY_TO(less_##suffix, uint8_t, type, x < y)     \
    BINARY_TO(at_most_##suffix, uint8_t, type, x <= y) \
    BINARY_TO(greater_##suffix, uint8_t, type, x > y)  \
    BINARY_TO(at_least_##suffix, uint8_t, type, x >= y)

COMPARE(f64, double)
COMPARE(f32, float)
COMPARE(i64, int64_t)
COMPARE(i32, int32_t)
COMPARE(i16, int16_t)
COMPARE(i8, int8_t)
COMPARE(u64, uint64_t)
COMPARE(u32, uint32_t)
COMPARE(u16, uint16_t)
COMPARE(u8, uint8_t)

BINARY(and_bool, uint8_t, x &y)
BINARY(or_bool, uint8_t, x | y)
BINARY(xor_bool, uint8_t, x ^ y)

#define KERNEL(op, ...)                                                 \
    static const binary_run op##_runs[WLK_DTYPE_COUNT] = {__VA_ARGS__}; \
    static wlk_status op##_kernel(const op_call *call) {                \
        return binary_apply(call, binary_fit_of(call), op##_runs);      \
    }

KERNEL(less, NUMBER_RUNS(less))
KERNEL(at_most, NUMBER_RUNS(at_most))
KERNEL(greater, NUMBER_RUNS(greater))
KERNEL(at_least, NUMBER_RUNS(at_least))
KERNEL(and, [WLK_BOOL] = and_bool)
KERNEL(or, [WLK_BOOL] = or_bool)
KERNEL(xor, [WLK_BOOL] = xor_bool)
KERNEL(equal_numbers, NUMBER_RUNS(equal), [WLK_BOOL] = equal_u8)

/* ---- Equal of strings */

static bool same_text(text_span a, text_span b) {
    return a.length == b.length && (a.length == 0 || memcmp(a.text, b.text, a.length) == 0);
}

static wlk_status equal_text(const op_call *call) {
    const op_tensor *a = op_input(call, 0);
    const op_tensor *b = op_input(call, 1);
    uint8_t *out = op_output(call, 0)->target;
    broadcast_walk walk = binary_walk(call, binary_fit_of(call));
    for (; !walk.done; broadcast_next(&walk)) {
        for (uint64_t i = 0; i < walk.length; i++) {
            out[walk.out + i] = same_text(tensor_string(a, walk.at[0] + i * walk.step[0]),
                                          tensor_string(b, walk.at[1] + i * walk.step[1]));
        }
    }
    return WLK_OK;
}

static wlk_status equal_kernel(const op_call *call) {
    return op_input(call, 0)->dtype == WLK_STR ? equal_text(call) : equal_numbers_kernel(call);
}

/* Each string of a is compared as often as it is stretched. */
static wlk_status equal_infer(op_call *call) {
    const op_tensor *a = op_input(call, 0);
    TRY(binary_infer_bool(call));
    if (!call->binding || a->dtype != WLK_STR || a->count == 0) return WLK_OK;
    const op_tensor *out = op_output(call, 0);
    const uint64_t times = tensor_span(out, 0, out->rank) / a->count;
    op_add_operations(call, 1, times, a->text_bytes, 1);
    return WLK_OK;
}

/* ---- one input */

UNARY(not_bool, uint8_t, !x)
UNARY_TO(isnan_f64, uint8_t, double, x != x)
UNARY_TO(isnan_f32, uint8_t, float, x != x)

static const unary_run not_runs[WLK_DTYPE_COUNT] = {[WLK_BOOL] = not_bool};
static const unary_run isnan_runs[WLK_DTYPE_COUNT] = {FLOAT_RUNS(isnan)};

static wlk_status not_kernel(const op_call *call) {
    return unary_apply(call, not_runs);
}

static wlk_status isnan_kernel(const op_call *call) {
    return unary_apply(call, isnan_runs);
}

enum { DETECT_NEGATIVE, DETECT_POSITIVE };

UNARY_TO(isinf_both_f64, uint8_t, double, isinf(x) != 0)
UNARY_TO(isinf_both_f32, uint8_t, float, isinf(x) != 0)
UNARY_TO(isinf_below_f64, uint8_t, double, isinf(x) && x < 0)
UNARY_TO(isinf_below_f32, uint8_t, float, isinf(x) && x < 0)
UNARY_TO(isinf_above_f64, uint8_t, double, isinf(x) && x > 0)
UNARY_TO(isinf_above_f32, uint8_t, float, isinf(x) && x > 0)
UNARY_TO(isinf_none_f64, uint8_t, double, ((void)x, false))
UNARY_TO(isinf_none_f32, uint8_t, float, ((void)x, false))

/* By negative + 2 * positive. */
static const unary_run isinf_runs[4][WLK_DTYPE_COUNT] = {{FLOAT_RUNS(isinf_none)},
                                                         {FLOAT_RUNS(isinf_below)},
                                                         {FLOAT_RUNS(isinf_above)},
                                                         {FLOAT_RUNS(isinf_both)}};

static wlk_status isinf_kernel(const op_call *call) {
    const bool negative = op_attribute(call, DETECT_NEGATIVE).i != 0;
    const bool positive = op_attribute(call, DETECT_POSITIVE).i != 0;
    return unary_apply(call, isinf_runs[negative + 2 * positive]);
}

/* ---- rows */

#define DTYPES_BOOL DTYPE_BIT(WLK_BOOL)
#define EQUAL_1 (DTYPES_BOOL | DTYPE_BIT(WLK_I32) | DTYPE_BIT(WLK_I64))
#define NUMBERS (DTYPES_FLOAT_16 | DTYPES_INT)
#define NUMBERS_HALF (DTYPES_FLOAT_HALF | DTYPES_INT)
#define FLOATS_20                                                              \
    (DTYPES_FLOAT_HALF | DTYPE_BIT(WLK_F8E4M3FN) | DTYPE_BIT(WLK_F8E4M3FNUZ) | \
     DTYPE_BIT(WLK_F8E5M2) | DTYPE_BIT(WLK_F8E5M2FNUZ))

#define BINARY_ROW(op_name, version, dtypes, rule, run)                                \
    .domain = "", .name = op_name, .since = version, .min_inputs = 2, .max_inputs = 2, \
    .min_outputs = 1, .max_outputs = 1,                                                \
    .ports = (const op_port[]){{"A", dtypes, 'T'}, {"B", dtypes, 'T'}}, .infer = rule, \
    .kernel = run, .flags = OP_HALF
#define COMPARE_ROW(op_name, version, dtypes, run) \
    { BINARY_ROW(op_name, version, dtypes, binary_infer_bool, run) }
#define LEGACY_ROW(op_name, dtypes, run)                                                           \
    {                                                                                              \
        BINARY_ROW(op_name, 1, dtypes, binary_infer_bool, run), .attributes = legacy_attributes,   \
                                                                .attribute_count = LEGACY_CONSUMED \
    }
#define UNARY_ROW(op_name, version, dtypes, run)                                        \
    .domain = "", .name = op_name, .since = version, .min_inputs = 1, .max_inputs = 1,  \
    .min_outputs = 1, .max_outputs = 1, .ports = (const op_port[]){{"X", dtypes, 'T'}}, \
    .infer = unary_infer_bool, .kernel = run, .flags = OP_HALF
#define ISINF_ROW(version, dtypes)                                                         \
    {                                                                                      \
        UNARY_ROW("IsInf", version, dtypes, isinf_kernel), .attributes = isinf_attributes, \
                                                           .attribute_count = 2            \
    }

static const attribute_row isinf_attributes[] = {
    [DETECT_NEGATIVE] = {.name = "detect_negative", .type = WLK_ATTR_INT, .i = 1},
    [DETECT_POSITIVE] = {.name = "detect_positive", .type = WLK_ATTR_INT, .i = 1},
};

static const op_row rows[] = {
    LEGACY_ROW("Equal", EQUAL_1, equal_numbers_kernel),
    COMPARE_ROW("Equal", 7, EQUAL_1, equal_numbers_kernel),
    COMPARE_ROW("Equal", 11, NUMBERS | DTYPES_BOOL, equal_numbers_kernel),
    COMPARE_ROW("Equal", 13, NUMBERS_HALF | DTYPES_BOOL, equal_numbers_kernel),
    {BINARY_ROW("Equal", 19, NUMBERS_HALF | DTYPES_BOOL | DTYPE_BIT(WLK_STR), equal_infer,
                equal_kernel)},
    LEGACY_ROW("Less", DTYPES_FLOAT_16, less_kernel),
    COMPARE_ROW("Less", 7, DTYPES_FLOAT_16, less_kernel),
    COMPARE_ROW("Less", 9, NUMBERS, less_kernel),
    COMPARE_ROW("Less", 13, NUMBERS_HALF, less_kernel),
    LEGACY_ROW("Greater", DTYPES_FLOAT_16, greater_kernel),
    COMPARE_ROW("Greater", 7, DTYPES_FLOAT_16, greater_kernel),
    COMPARE_ROW("Greater", 9, NUMBERS, greater_kernel),
    COMPARE_ROW("Greater", 13, NUMBERS_HALF, greater_kernel),
    COMPARE_ROW("LessOrEqual", 12, NUMBERS, at_most_kernel),
    COMPARE_ROW("LessOrEqual", 16, NUMBERS_HALF, at_most_kernel),
    COMPARE_ROW("GreaterOrEqual", 12, NUMBERS, at_least_kernel),
    COMPARE_ROW("GreaterOrEqual", 16, NUMBERS_HALF, at_least_kernel),
    LEGACY_ROW("And", DTYPES_BOOL, and_kernel),
    COMPARE_ROW("And", 7, DTYPES_BOOL, and_kernel),
    LEGACY_ROW("Or", DTYPES_BOOL, or_kernel),
    COMPARE_ROW("Or", 7, DTYPES_BOOL, or_kernel),
    LEGACY_ROW("Xor", DTYPES_BOOL, xor_kernel),
    COMPARE_ROW("Xor", 7, DTYPES_BOOL, xor_kernel),
    {UNARY_ROW("Not", 1, DTYPES_BOOL, not_kernel)},
    {UNARY_ROW("IsNaN", 9, DTYPES_FLOAT_16, isnan_kernel)},
    {UNARY_ROW("IsNaN", 13, DTYPES_FLOAT_HALF, isnan_kernel)},
    {UNARY_ROW("IsNaN", 20, FLOATS_20, isnan_kernel)},
    ISINF_ROW(10, DTYPES_FLOAT),
    ISINF_ROW(20, FLOATS_20),
};

const op_family ops_compare = {rows, sizeof rows / sizeof *rows};

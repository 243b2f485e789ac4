/* Add, Sub, Mul, Div: two operands, numpy's broadcasting. Integers wrap around;
 * integer division truncates, and a division by zero is an error. */
#include "infer/broadcast.h"
#include "infer/ops.h"
#include "infer/shape.h"

/* One run of a walk (broadcast.h). False: an integer was divided by zero. */
typedef bool (*binary_run)(void *out, const void *a, const void *b, const broadcast_walk *walk);

/* `expression` computes one element from x and y. */
#define BINARY(function, type, expression)                                                      \
    static bool function(void *out, const void *a, const void *b, const broadcast_walk *walk) { \
        type *restrict result = (type *)out + walk->out;                                        \
        const type *left = (const type *)a + walk->at[0];                                       \
        const type *right = (const type *)b + walk->at[1];                                      \
        for (uint64_t i = 0; i < walk->length; i++) {                                           \
            const type x = left[i * walk->step[0]];                                             \
            const type y = right[i * walk->step[1]];                                            \
            result[i] = (type)(expression);                                                     \
        }                                                                                       \
        return true;                                                                            \
    }

#define DIVIDE(function, type, expression)                                                      \
    static bool function(void *out, const void *a, const void *b, const broadcast_walk *walk) { \
        type *restrict result = (type *)out + walk->out;                                        \
        const type *left = (const type *)a + walk->at[0];                                       \
        const type *right = (const type *)b + walk->at[1];                                      \
        for (uint64_t i = 0; i < walk->length; i++) {                                           \
            const type x = left[i * walk->step[0]];                                             \
            const type y = right[i * walk->step[1]];                                            \
            if (y == 0) return false;                                                           \
            result[i] = (type)(expression);                                                     \
        }                                                                                       \
        return true;                                                                            \
    }

/* Wrap around is defined for uint64_t alone: narrow unsigned types are promoted
 * to int, whose overflow is not, and signed ones have none defined. */
#define WRAPPING(type, suffix)                            \
    BINARY(add_##suffix, type, (uint64_t)x + (uint64_t)y) \
    BINARY(sub_##suffix, type, (uint64_t)x - (uint64_t)y) \
    BINARY(mul_##suffix, type, (uint64_t)x *(uint64_t)y)

#define FLOATING(type, suffix)        \
    BINARY(add_##suffix, type, x + y) \
    BINARY(sub_##suffix, type, x - y) \
    BINARY(mul_##suffix, type, x *y)  \
    BINARY(div_##suffix, type, x / y)

/* x / -1 is 0 - x: the minimum has no positive counterpart and would trap. */
#define SIGNED(type, suffix) \
    WRAPPING(type, suffix)   \
    DIVIDE(div_##suffix, type, y == -1 ? 0 - (uint64_t)x : (uint64_t)(x / y))

#define UNSIGNED(type, suffix) \
    WRAPPING(type, suffix)     \
    DIVIDE(div_##suffix, type, x / y)

FLOATING(double, f64)
FLOATING(float, f32)
SIGNED(int64_t, i64)
SIGNED(int32_t, i32)
SIGNED(int16_t, i16)
SIGNED(int8_t, i8)
UNSIGNED(uint64_t, u64)
UNSIGNED(uint32_t, u32)
UNSIGNED(uint16_t, u16)
UNSIGNED(uint8_t, u8)

typedef struct binary_kernel {
    binary_run runs[WLK_DTYPE_COUNT];
} binary_kernel;

#define KERNEL(op)                                                         \
    static const binary_kernel op##_runs = {.runs = {[WLK_F64] = op##_f64, \
                                                     [WLK_F32] = op##_f32, \
                                                     [WLK_I64] = op##_i64, \
                                                     [WLK_I32] = op##_i32, \
                                                     [WLK_I16] = op##_i16, \
                                                     [WLK_I8] = op##_i8,   \
                                                     [WLK_U64] = op##_u64, \
                                                     [WLK_U32] = op##_u32, \
                                                     [WLK_U16] = op##_u16, \
                                                     [WLK_U8] = op##_u8}}; \
    static wlk_status op##_kernel(const op_call *call) {                   \
        return run_binary(call, &op##_runs);                               \
    }

static wlk_status run_binary(const op_call *call, const binary_kernel *kernel) {
    const op_tensor *a = op_input(call, 0);
    const op_tensor *b = op_input(call, 1);
    const op_tensor *out = op_output(call, 0);
    const binary_run run = kernel->runs[out->dtype];
    broadcast_walk walk = broadcast_start(broadcast_of(out), broadcast_of(a), broadcast_of(b));
    for (; !walk.done; broadcast_next(&walk)) {
        if (!run(out->target, a->data, b->data, &walk)) {
            return op_fail(call, RULE_RUN_DIVIDE, "an element of input 1 is 0");
        }
    }
    return WLK_OK;
}

KERNEL(add)
KERNEL(sub)
KERNEL(mul)
KERNEL(div)

static wlk_status infer_binary(op_call *call) {
    const op_tensor *a = op_input(call, 0);
    const op_tensor *b = op_input(call, 1);
    if (a->rank == WLK_NONE || b->rank == WLK_NONE) {
        op_set_output(call, 0, a->dtype, WLK_NONE, NULL);
        return WLK_OK;
    }
    int64_t dims[WLK_MAX_RANK] = {0};
    if (!dims_broadcast(a->dims, a->rank, b->dims, b->rank, dims)) {
        return shape_mismatch(call, 0, 1);
    }
    op_set_output(call, 0, a->dtype, a->rank > b->rank ? a->rank : b->rank, dims);
    return WLK_OK;
}

static const op_port wide_ports[] = {{"A", DTYPES_FLOAT | DTYPES_WIDE_INT, 'T'},
                                     {"B", DTYPES_FLOAT | DTYPES_WIDE_INT, 'T'}};
static const op_port all_ports[] = {{"A", DTYPES_FLOAT | DTYPES_INT, 'T'},
                                    {"B", DTYPES_FLOAT | DTYPES_INT, 'T'}};

#define ROW(op_name, version, op_ports, op_run)                                            \
    {                                                                                      \
        .domain = "", .name = op_name, .since = version, .min_inputs = 2, .max_inputs = 2, \
        .min_outputs = 1, .max_outputs = 1, .ports = op_ports, .infer = infer_binary,      \
        .kernel = op_run                                                                   \
    }
#define ROWS(op_name, op_run)                                                  \
    ROW(op_name, 7, wide_ports, op_run), ROW(op_name, 13, wide_ports, op_run), \
        ROW(op_name, 14, all_ports, op_run)

static const op_row rows[] = {ROWS("Add", add_kernel), ROWS("Sub", sub_kernel),
                              ROWS("Mul", mul_kernel), ROWS("Div", div_kernel)};

const op_family ops_elementwise = {rows, sizeof rows / sizeof *rows};

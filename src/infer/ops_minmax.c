/* Sum, Mean, Max, Min: of one input or many, broadcast. Clip. NaN stays NaN. */
#include <math.h>

#include "infer/elementwise.h"
#include "infer/ops.h"
#include "infer/parallel.h"
#include "infer/shape.h"

/* ---- many inputs */

/* Before opset 8 all inputs are of one shape. */
static bool may_stretch(const op_call *call) {
    return call->node->row->since >= 8;
}

static bool same_dims(const op_tensor *a, const op_tensor *b) {
    if (a->rank != b->rank) return false;
    for (uint32_t i = 0; i < a->rank; i++) {
        if (!dim_agrees(a->dims[i], b->dims[i])) return false;
    }
    return true;
}

/* dims and rank of all inputs up to i, to which input i is added. */
static wlk_status add_shape(const op_call *call, uint32_t i, op_tensor *shape) {
    const op_tensor *in = op_input(call, i);
    const op_tensor before = *shape;
    if (shape->rank == WLK_NONE) return WLK_OK;
    if (in->rank == WLK_NONE) {
        shape->rank = WLK_NONE;
        return WLK_OK;
    }
    if (!may_stretch(call) && !same_dims(&before, in)) return shape_mismatch(call, 0, i);
    if (!dims_broadcast(before.dims, before.rank, in->dims, in->rank, shape->dims)) {
        return shape_mismatch(call, 0, i);
    }
    if (in->rank > shape->rank) shape->rank = in->rank;
    return WLK_OK;
}

static wlk_status many_infer(op_call *call) {
    op_tensor shape = *op_input(call, 0);
    for (uint32_t i = 1; i < call->node->inputs; i++) TRY(add_shape(call, i, &shape));
    op_set_output(call, 0, shape.dtype, shape.rank, shape.dims);
    if (call->binding) { /* the result is gone over for each input */
        op_add_operations(call, 2 * OP_ELEMENT_COST, tensor_span(&shape, 0, shape.rank),
                          call->node->inputs, 1);
    }
    return WLK_OK;
}

/* out = run(a, b), each stretched to out's shape. */
static void combine(const op_call *call, const op_tensor *a, const op_tensor *b, binary_run run) {
    const op_tensor *out = op_output(call, 0);
    const broadcast_walk walk =
        broadcast_start(broadcast_of(out), broadcast_of(a), broadcast_of(b));
    (void)binary_over(call, &walk, out, a, b, run);
}

static wlk_status many_apply(const op_call *call, const binary_run runs[WLK_DTYPE_COUNT]) {
    const op_tensor *first = op_input(call, 0);
    op_tensor so_far = *op_output(call, 0);
    so_far.data = so_far.target;
    if (call->node->inputs == 1) return op_copy(call);
    combine(call, first, op_input(call, 1), runs[first->dtype]);
    for (uint32_t i = 2; i < call->node->inputs; i++) {
        combine(call, &so_far, op_input(call, i), runs[first->dtype]);
    }
    return WLK_OK;
}

#define LARGER(x, y) ((x) > (y) || (x) != (x) ? (x) : (y))
#define SMALLER(x, y) ((x) < (y) || (x) != (x) ? (x) : (y))
#define EXTREMES(suffix, type)               \
    BINARY(max_##suffix, type, LARGER(x, y)) \
    BINARY(min_##suffix, type, SMALLER(x, y))
#define INTEGER_EXTREMES(suffix, type)        \
    BINARY(max_##suffix, type, x > y ? x : y) \
    BINARY(min_##suffix, type, x < y ? x : y)

EXTREMES(f64, double)
EXTREMES(f32, float)
INTEGER_EXTREMES(i64, int64_t)
INTEGER_EXTREMES(i32, int32_t)
INTEGER_EXTREMES(i16, int16_t)
INTEGER_EXTREMES(i8, int8_t)
INTEGER_EXTREMES(u64, uint64_t)
INTEGER_EXTREMES(u32, uint32_t)
INTEGER_EXTREMES(u16, uint16_t)
INTEGER_EXTREMES(u8, uint8_t)
BINARY(sum_f64, double, x + y)
BINARY(sum_f32, float, x + y)

static const binary_run max_runs[WLK_DTYPE_COUNT] = {NUMBER_RUNS(max)};
static const binary_run min_runs[WLK_DTYPE_COUNT] = {NUMBER_RUNS(min)};
static const binary_run sum_runs[WLK_DTYPE_COUNT] = {FLOAT_RUNS(sum)};

static wlk_status max_kernel(const op_call *call) {
    return many_apply(call, max_runs);
}

static wlk_status min_kernel(const op_call *call) {
    return many_apply(call, min_runs);
}

static wlk_status sum_kernel(const op_call *call) {
    return many_apply(call, sum_runs);
}

static wlk_status mean_kernel(const op_call *call) {
    const op_tensor *out = op_output(call, 0);
    TRY(many_apply(call, sum_runs));
    const uint32_t inputs = call->node->inputs;
    if (out->dtype == WLK_F64) {
        double *values = out->target;
        for (uint64_t i = 0; i < out->count; i++) values[i] /= inputs;
    } else {
        float *values = out->target;
        for (uint64_t i = 0; i < out->count; i++) values[i] /= (float)inputs;
    }
    return WLK_OK;
}

/* ---- Clip: min(max(x, low), high), so where low is above high it is high */

typedef void (*clip_run)(void *out, const void *in, uint64_t from, uint64_t to, const void *low,
                         const void *high);

/* A bound that is NULL, or NaN, is none. */
#define CLIP(suffix, type)                                                              \
    static void clip_##suffix(void *out, const void *in, uint64_t from, uint64_t to,    \
                              const void *lowest, const void *highest) {                \
        type *restrict result = out;                                                    \
        const type *source = in;                                                        \
        const bool below = lowest != NULL;                                              \
        const bool above = highest != NULL;                                             \
        const type low = below ? *(const type *)lowest : 0;                             \
        const type high = above ? *(const type *)highest : 0;                           \
        for (uint64_t i = from; i < to && below && above; i++) {                        \
            const type x = source[i] < low ? low : source[i];                           \
            result[i] = x > high ? high : x;                                            \
        }                                                                               \
        for (uint64_t i = from; i < to && below && !above; i++) {                       \
            result[i] = source[i] < low ? low : source[i];                              \
        }                                                                               \
        for (uint64_t i = from; i < to && !below && above; i++) {                       \
            result[i] = source[i] > high ? high : source[i];                            \
        }                                                                               \
        for (uint64_t i = from; i < to && !below && !above; i++) result[i] = source[i]; \
    }

CLIP(f64, double)
CLIP(f32, float)
CLIP(i64, int64_t)
CLIP(i32, int32_t)
CLIP(i16, int16_t)
CLIP(i8, int8_t)
CLIP(u64, uint64_t)
CLIP(u32, uint32_t)
CLIP(u16, uint16_t)
CLIP(u8, uint8_t)

typedef struct clip_work {
    clip_run run;
    const op_tensor *in;
    void *out;
    const void *low;
    const void *high;
} clip_work;

static void clip_piece(void *context, uint64_t from, uint64_t to) {
    const clip_work *work = context;
    work->run(work->out, work->in->data, from, to, work->low, work->high);
}

static wlk_status clip_between(const op_call *call, const void *low, const void *high) {
    static const clip_run runs[WLK_DTYPE_COUNT] = {NUMBER_RUNS(clip)};
    const op_tensor *in = op_input(call, 0);
    clip_work work = {runs[in->dtype], in, op_output(call, 0)->target, low, high};
    op_parallel(call, in->count, ELEMENT_PIECE, clip_piece, &work);
    return WLK_OK;
}

enum { CLIP_MAX, CLIP_MIN };

/* Before opset 11 the bounds are attributes. */
static wlk_status clip_attributes_kernel(const op_call *call) {
    const double low = op_attribute(call, CLIP_MIN).f;
    const double high = op_attribute(call, CLIP_MAX).f;
    const float narrow_low = (float)low;
    const float narrow_high = (float)high;
    const bool wide = op_input(call, 0)->dtype == WLK_F64;
    return wide ? clip_between(call, &low, &high) : clip_between(call, &narrow_low, &narrow_high);
}

static wlk_status clip_kernel(const op_call *call) {
    const op_tensor *low = op_input(call, 1);
    const op_tensor *high = op_input(call, 2);
    return clip_between(call, low ? low->data : NULL, high ? high->data : NULL);
}

/* A scalar; a tensor of one element is taken too. */
static wlk_status clip_infer(op_call *call) {
    for (uint32_t i = 1; i < call->node->inputs; i++) {
        const op_tensor *bound = op_input(call, i);
        if (!bound || bound->rank == WLK_NONE) continue;
        const int64_t count = dim_product(bound->dims, 0, bound->rank);
        if (!dim_agrees(count, 1)) return shape_mismatch(call, 0, i);
    }
    return op_infer_same(call);
}

/* ---- rows */

#define NUMBERS (DTYPES_FLOAT_16 | DTYPES_INT)
#define NUMBERS_HALF (DTYPES_FLOAT_HALF | DTYPES_INT)

#define ROW(op_name, version, dtypes, run)                                                   \
    .domain = "", .name = op_name, .since = version, .min_inputs = 1, .max_inputs = OP_MANY, \
    .min_outputs = 1, .max_outputs = 1, .ports = (const op_port[]){{"data", dtypes, 'T'}},   \
    .infer = many_infer, .kernel = run, .flags = OP_HALF
#define FIRST_ROWS(op_name, run)                                                                  \
    {ROW(op_name, 1, DTYPES_FLOAT_16, run), .attributes = consumed_inputs, .attribute_count = 1}, \
        {ROW(op_name, 6, DTYPES_FLOAT_16, run)}, {                                                \
        ROW(op_name, 8, DTYPES_FLOAT_16, run)                                                     \
    }
#define CLIP_ROW(version, most, dtypes, rule, run)                                             \
    .domain = "", .name = "Clip", .since = version, .min_inputs = 1, .max_inputs = most,       \
    .min_outputs = 1, .max_outputs = 1,                                                        \
    .ports =                                                                                   \
        (const op_port[]){{"input", dtypes, 'T'}, {"min", dtypes, 'T'}, {"max", dtypes, 'T'}}, \
    .infer = rule, .kernel = run, .flags = OP_HALF

#define LARGEST_F32 0x1.fffffep127

/* What opset 1 leaves open is infinite. */
static const attribute_row clip_1[] = {
    [CLIP_MAX] = {.name = "max", .type = WLK_ATTR_FLOAT, .f = (double)INFINITY},
    [CLIP_MIN] = {.name = "min", .type = WLK_ATTR_FLOAT, .f = -(double)INFINITY},
    {.name = "consumed_inputs", .type = WLK_ATTR_INTS},
};
static const attribute_row clip_6[] = {
    [CLIP_MAX] = {.name = "max", .type = WLK_ATTR_FLOAT, .f = LARGEST_F32},
    [CLIP_MIN] = {.name = "min", .type = WLK_ATTR_FLOAT, .f = -LARGEST_F32},
};

static const op_row rows[] = {
    FIRST_ROWS("Sum", sum_kernel),
    {ROW("Sum", 13, DTYPES_FLOAT_HALF, sum_kernel)},
    FIRST_ROWS("Mean", mean_kernel),
    {ROW("Mean", 13, DTYPES_FLOAT_HALF, mean_kernel)},
    FIRST_ROWS("Max", max_kernel),
    {ROW("Max", 12, NUMBERS, max_kernel)},
    {ROW("Max", 13, NUMBERS_HALF, max_kernel)},
    FIRST_ROWS("Min", min_kernel),
    {ROW("Min", 12, NUMBERS, min_kernel)},
    {ROW("Min", 13, NUMBERS_HALF, min_kernel)},
    {CLIP_ROW(1, 1, DTYPES_FLOAT_16, op_infer_same, clip_attributes_kernel), .attributes = clip_1,
     .attribute_count = 3},
    {CLIP_ROW(6, 1, DTYPES_FLOAT_16, op_infer_same, clip_attributes_kernel), .attributes = clip_6,
     .attribute_count = 2},
    {CLIP_ROW(11, 3, DTYPES_FLOAT_16, clip_infer, clip_kernel)},
    {CLIP_ROW(12, 3, NUMBERS, clip_infer, clip_kernel)},
    {CLIP_ROW(13, 3, NUMBERS_HALF, clip_infer, clip_kernel)},
};

const op_family ops_minmax = {rows, sizeof rows / sizeof *rows};

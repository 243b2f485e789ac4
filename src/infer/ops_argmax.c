/* ArgMax, ArgMin. */
#include "infer/along.h"
#include "infer/ops.h"
#include "infer/parallel.h"
#include "infer/shape.h"

/* For each of `columns` columns of `length` elements that lie `step` apart: where the
 * largest (smallest) is, the first of equals or the last. As numpy has it, NaN is
 * beyond everything on either side, and equal to itself. */
typedef struct arg_block {
    uint64_t length;
    uint64_t step;
    uint64_t columns;
    bool last;
} arg_block;

typedef void (*arg_run)(int64_t *out, const void *data, const arg_block *b);

#define ARG(function, type, beyond)                                            \
    static void function(int64_t *out, const void *data, const arg_block *b) { \
        for (uint64_t j = 0; j < b->columns; j++) {                            \
            const type *from = (const type *)data + j;                         \
            uint64_t best = 0;                                                 \
            type top = from[0];                                                \
            for (uint64_t i = 1; i < b->length; i++) {                         \
                const type x = from[i * b->step];                              \
                const bool better = x beyond top || (x != x && top == top);    \
                const bool equal = x == top || (x != x && top != top);         \
                if (better || (b->last && equal)) {                            \
                    best = i;                                                  \
                    top = x;                                                   \
                }                                                              \
            }                                                                  \
            out[j] = (int64_t)best;                                            \
        }                                                                      \
    }

#define ARGS(suffix, type)        \
    ARG(argmax_##suffix, type, >) \
    ARG(argmin_##suffix, type, <)

ARGS(f64, double)
ARGS(f32, float)
ARGS(i64, int64_t)
ARGS(i32, int32_t)
ARGS(i16, int16_t)
ARGS(i8, int8_t)
ARGS(u64, uint64_t)
ARGS(u32, uint32_t)
ARGS(u16, uint16_t)
ARGS(u8, uint8_t)

#define RUNS(name)                                                              \
    static const arg_run name##_runs[WLK_DTYPE_COUNT] = {                       \
        [WLK_F64] = name##_f64, [WLK_F32] = name##_f32, [WLK_I64] = name##_i64, \
        [WLK_I32] = name##_i32, [WLK_I16] = name##_i16, [WLK_I8] = name##_i8,   \
        [WLK_U64] = name##_u64, [WLK_U32] = name##_u32, [WLK_U16] = name##_u16, \
        [WLK_U8] = name##_u8,                                                   \
    };
RUNS(argmax)
RUNS(argmin)

enum { ARG_AXIS, ARG_KEEPDIMS, ARG_SELECT_LAST };

static wlk_status arg_axis(const op_call *call, uint32_t *axis) {
    return shape_axis(call, op_attribute(call, ARG_AXIS).i, op_input(call, 0)->rank,
                      call->node->row->since >= 11, axis);
}

static wlk_status arg_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    if (in->rank == WLK_NONE) {
        op_set_output(call, 0, WLK_I64, WLK_NONE, NULL);
        return WLK_OK;
    }
    uint32_t axis = 0;
    TRY(arg_axis(call, &axis));
    if (in->dims[axis] == 0) {
        return op_fail(call, op_shape_rule(call), "axis %u is empty: there is no element to choose",
                       axis);
    }
    const bool keep = op_attribute(call, ARG_KEEPDIMS).i != 0;
    int64_t dims[WLK_MAX_RANK];
    uint32_t rank = 0;
    for (uint32_t i = 0; i < in->rank; i++) {
        if (i != axis) dims[rank++] = in->dims[i];
        if (i == axis && keep) dims[rank++] = 1;
    }
    op_set_output(call, 0, WLK_I64, rank, dims);
    return WLK_OK;
}

typedef struct arg_job {
    along along;
    const char *in;
    int64_t *out;
    uint64_t size;
    bool last;
    arg_run run;
} arg_job;

static void arg_body(void *context, uint64_t from, uint64_t to) {
    const arg_job *job = context;
    const along *a = &job->along;
    for (uint64_t i = from; i < to; i++) {
        const along_piece piece = along_chunk(*a, i);
        const arg_block b = {a->length, a->inner, piece.columns, job->last};
        const uint64_t at = piece.block * a->length * a->inner + piece.column;
        job->run(job->out + piece.block * a->inner + piece.column, job->in + at * job->size, &b);
    }
}

static wlk_status arg_all(const op_call *call, const arg_run *runs) {
    const op_tensor *in = op_input(call, 0);
    uint32_t axis = 0;
    TRY(arg_axis(call, &axis));
    if (in->count == 0) return WLK_OK;
    arg_job job = {.along = along_axis(in, axis),
                   .in = in->data,
                   .out = op_output(call, 0)->target,
                   .size = wlk_dtype_bits(in->dtype) / 8,
                   .last = op_attribute(call, ARG_SELECT_LAST).i != 0,
                   .run = runs[in->dtype]};
    op_parallel(call, along_chunks(job.along), along_batch(job.along), arg_body, &job);
    return WLK_OK;
}

static wlk_status argmax_kernel(const op_call *call) {
    return arg_all(call, argmax_runs);
}

static wlk_status argmin_kernel(const op_call *call) {
    return arg_all(call, argmin_runs);
}

static const attribute_row attributes[] = {
    [ARG_AXIS] = {.name = "axis", .type = WLK_ATTR_INT, .i = 0},
    [ARG_KEEPDIMS] = {.name = "keepdims", .type = WLK_ATTR_INT, .i = 1},
    [ARG_SELECT_LAST] = {.name = "select_last_index", .type = WLK_ATTR_INT, .i = 0},
};

static const op_port port_1[] = {{"data", DTYPES_FLOAT | DTYPE_BIT(WLK_F16) | DTYPES_INT, 'T'}};
static const op_port port_13[] = {{"data", DTYPES_FLOAT | DTYPES_HALF | DTYPES_INT, 'T'}};

#define ROW(op_name, version, op_ports, known_attributes, op_run)                          \
    {                                                                                      \
        .domain = "", .name = op_name, .since = version, .min_inputs = 1, .max_inputs = 1, \
        .min_outputs = 1, .max_outputs = 1, .ports = op_ports, .attributes = attributes,   \
        .attribute_count = known_attributes, .infer = arg_infer, .kernel = op_run,         \
        .flags = OP_HALF                                                                   \
    }
#define VERSIONS(op_name, op_run)                                            \
    ROW(op_name, 1, port_1, 2, op_run), ROW(op_name, 11, port_1, 2, op_run), \
        ROW(op_name, 12, port_1, 3, op_run), ROW(op_name, 13, port_13, 3, op_run)

static const op_row rows[] = {VERSIONS("ArgMax", argmax_kernel), VERSIONS("ArgMin", argmin_kernel)};

const op_family ops_argmax = {rows, sizeof rows / sizeof *rows};

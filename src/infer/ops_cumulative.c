/* CumSum, CumProd. */
#include "infer/along.h"
#include "infer/axes.h"
#include "infer/ops.h"
#include "infer/parallel.h"
#include "infer/shape.h"

enum { CUMULATE_EXCLUSIVE, CUMULATE_REVERSE };

/* Columns of `length` elements that lie `step` apart, one after the other or, reversed,
 * the last first. Exclusive: an element does not go into its own result. */
typedef struct cumulate_block {
    uint64_t length;
    uint64_t step;
    uint64_t columns;
    bool exclusive;
    bool reverse;
} cumulate_block;

typedef void (*cumulate_run)(void *out, const void *in, const cumulate_block *b);

#define CUMULATE(function, type, nothing, operation)                            \
    static void function(void *out, const void *in, const cumulate_block *b) {  \
        const type *added = NULL;                                               \
        const type *sum = NULL;                                                 \
        for (uint64_t i = 0; i < b->length; i++) {                              \
            const uint64_t at = (b->reverse ? b->length - 1 - i : i) * b->step; \
            type *to = (type *)out + at;                                        \
            const type *from = (const type *)in + at;                           \
            if (!b->exclusive) added = from;                                    \
            for (uint64_t j = 0; j < b->columns; j++) {                         \
                const type before = sum ? sum[j] : (nothing);                   \
                to[j] = added ? before operation added[j] : before;             \
            }                                                                   \
            sum = to;                                                           \
            if (b->exclusive) added = from;                                     \
        }                                                                       \
    }

#define CUMULATES(suffix, type)        \
    CUMULATE(sum_##suffix, type, 0, +) \
    CUMULATE(product_##suffix, type, 1, *)

CUMULATES(f64, double)
CUMULATES(f32, float)
/* Both signs: what wraps around has the same bits. */
CUMULATES(u64, uint64_t)
CUMULATES(u32, uint32_t)

#define RUNS(name)                                                              \
    static const cumulate_run name##_runs[WLK_DTYPE_COUNT] = {                  \
        [WLK_F64] = name##_f64, [WLK_F32] = name##_f32, [WLK_I64] = name##_u64, \
        [WLK_U64] = name##_u64, [WLK_I32] = name##_u32, [WLK_U32] = name##_u32, \
    };
RUNS(sum)
RUNS(product)

static wlk_status cumulate_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    uint32_t axis = 0;
    TRY(shape_need_rank(call, 1, 0, 1));
    if (in->rank != WLK_NONE && op_is_known(call, 1)) {
        TRY(axis_of_input(call, 1, in->rank, &axis));
    }
    return op_infer_same(call);
}

typedef struct cumulate_job {
    along along;
    const char *in;
    char *out;
    uint64_t size;
    cumulate_run run;
    bool exclusive;
    bool reverse;
} cumulate_job;

static void cumulate_body(void *context, uint64_t from, uint64_t to) {
    const cumulate_job *job = context;
    const along *a = &job->along;
    for (uint64_t i = from; i < to; i++) {
        const along_piece piece = along_chunk(*a, i);
        const cumulate_block b = {a->length, a->inner, piece.columns, job->exclusive, job->reverse};
        const uint64_t at = (piece.block * a->length * a->inner + piece.column) * job->size;
        job->run(job->out + at, job->in + at, &b);
    }
}

static wlk_status cumulate_all(const op_call *call, const cumulate_run *runs) {
    const op_tensor *in = op_input(call, 0);
    uint32_t axis = 0;
    TRY(axis_of_input(call, 1, in->rank, &axis));
    if (in->count == 0) return WLK_OK;
    cumulate_job job = {.along = along_axis(in, axis),
                        .in = in->data,
                        .out = op_output(call, 0)->target,
                        .size = wlk_dtype_bits(in->dtype) / 8,
                        .run = runs[in->dtype],
                        .exclusive = op_attribute(call, CUMULATE_EXCLUSIVE).i != 0,
                        .reverse = op_attribute(call, CUMULATE_REVERSE).i != 0};
    op_parallel(call, along_chunks(job.along), along_batch(job.along), cumulate_body, &job);
    return WLK_OK;
}

static wlk_status sum_kernel(const op_call *call) {
    return cumulate_all(call, sum_runs);
}

static wlk_status product_kernel(const op_call *call) {
    return cumulate_all(call, product_runs);
}

static const attribute_row attributes[] = {
    [CUMULATE_EXCLUSIVE] = {.name = "exclusive", .type = WLK_ATTR_INT, .i = 0},
    [CUMULATE_REVERSE] = {.name = "reverse", .type = WLK_ATTR_INT, .i = 0},
};

#define DTYPES_11 (DTYPES_FLOAT | DTYPES_WIDE_INT)
#define PORTS(name, dtypes)                            \
    static const op_port name[] = {{"x", dtypes, 'T'}, \
                                   {"axis", DTYPE_BIT(WLK_I64) | DTYPE_BIT(WLK_I32), 0}}
PORTS(ports_11, DTYPES_11);
PORTS(ports_14, DTYPES_11 | DTYPES_HALF);

#define ROW(op_name, version, op_ports, op_run)                                            \
    {                                                                                      \
        .domain = "", .name = op_name, .since = version, .min_inputs = 2, .max_inputs = 2, \
        .min_outputs = 1, .max_outputs = 1, .ports = op_ports, .attributes = attributes,   \
        .attribute_count = 2, .infer = cumulate_infer, .kernel = op_run, .flags = OP_HALF  \
    }

static const op_row rows[] = {
    ROW("CumSum", 11, ports_11, sum_kernel),
    ROW("CumSum", 14, ports_14, sum_kernel),
    ROW("CumProd", 26, ports_14, product_kernel),
};

const op_family ops_cumulative = {rows, sizeof rows / sizeof *rows};

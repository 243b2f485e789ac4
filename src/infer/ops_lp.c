/* LpNormalization: what lies along an axis, divided by its L1 or L2 norm. */
#include <math.h>

#include "infer/along.h"
#include "infer/ops.h"
#include "infer/parallel.h"
#include "infer/shape.h"

enum { LP_AXIS, LP_P };

static wlk_status lp_axis(const op_call *call, uint32_t *axis) {
    return shape_axis(call, op_attribute(call, LP_AXIS).i, op_input(call, 0)->rank, true, axis);
}

static wlk_status lp_infer(op_call *call) {
    const int64_t p = op_attribute(call, LP_P).i;
    uint32_t axis = 0;
    if (p != 1 && p != 2) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "p is %lld, must be 1 or 2", (long long)p);
    }
    if (op_input(call, 0)->rank != WLK_NONE) TRY(lp_axis(call, &axis));
    return op_infer_same(call);
}

typedef struct lp_job {
    along along;
    const void *in;
    void *out;
    bool square;
} lp_job;

/* Where the norm is 0, so is the result. */
#define LP(function, type)                                                            \
    static void function(void *context, uint64_t from, uint64_t to) {                 \
        const lp_job *job = context;                                                  \
        const along *a = &job->along;                                                 \
        for (uint64_t c = from; c < to; c++) {                                        \
            const along_piece piece = along_chunk(*a, c);                             \
            const uint64_t at = piece.block * a->length * a->inner + piece.column;    \
            const type *in = (const type *)job->in + at;                              \
            type *out = (type *)job->out + at;                                        \
            double norms[ALONG_CHUNK] = {0};                                          \
            for (uint64_t i = 0; i < a->length; i++) {                                \
                for (uint64_t j = 0; j < piece.columns; j++) {                        \
                    const double x = (double)in[i * a->inner + j];                    \
                    norms[j] += job->square ? x * x : fabs(x);                        \
                }                                                                     \
            }                                                                         \
            for (uint64_t j = 0; j < piece.columns && job->square; j++) {             \
                norms[j] = sqrt(norms[j]);                                            \
            }                                                                         \
            for (uint64_t i = 0; i < a->length; i++) {                                \
                for (uint64_t j = 0; j < piece.columns; j++) {                        \
                    const double x = (double)in[i * a->inner + j];                    \
                    out[i * a->inner + j] = (type)(norms[j] == 0 ? 0 : x / norms[j]); \
                }                                                                     \
            }                                                                         \
        }                                                                             \
    }

LP(lp_f64, double)
LP(lp_f32, float)

static wlk_status lp_kernel(const op_call *call) {
    const op_tensor *in = op_input(call, 0);
    uint32_t axis = 0;
    TRY(lp_axis(call, &axis));
    if (in->count == 0) return WLK_OK;
    lp_job job = {.along = along_axis(in, axis),
                  .in = in->data,
                  .out = op_output(call, 0)->target,
                  .square = op_attribute(call, LP_P).i == 2};
    op_parallel(call, along_chunks(job.along), along_batch(job.along),
                in->dtype == WLK_F64 ? lp_f64 : lp_f32, &job);
    return WLK_OK;
}

static const attribute_row attributes[] = {
    [LP_AXIS] = {.name = "axis", .type = WLK_ATTR_INT, .i = -1},
    [LP_P] = {.name = "p", .type = WLK_ATTR_INT, .i = 2},
};

static const op_port port_1[] = {{"input", DTYPES_FLOAT | DTYPE_BIT(WLK_F16), 'T'}};
static const op_port port_22[] = {{"input", DTYPES_FLOAT | DTYPES_HALF, 'T'}};

#define ROW(version, op_ports)                                                                  \
    {                                                                                           \
        .domain = "", .name = "LpNormalization", .since = version, .min_inputs = 1,             \
        .max_inputs = 1, .min_outputs = 1, .max_outputs = 1, .ports = op_ports,                 \
        .attributes = attributes, .attribute_count = 2, .infer = lp_infer, .kernel = lp_kernel, \
        .flags = OP_HALF                                                                        \
    }

static const op_row rows[] = {ROW(1, port_1), ROW(22, port_22)};

const op_family ops_lp = {rows, sizeof rows / sizeof *rows};

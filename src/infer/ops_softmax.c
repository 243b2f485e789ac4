/* Softmax, LogSoftmax, Hardmax. Before opset 13 all axes from `axis` on are one. */
#include <math.h>
#include <string.h>

#include "infer/along.h"
#include "infer/math_f32.h"
#include "infer/ops.h"
#include "infer/parallel.h"
#include "infer/shape.h"

/* One softmax for each of `columns` columns (at most ALONG_CHUNK) of `length` elements
 * that lie `step` apart. With one column and a step of 1 it is a plain row. */
typedef struct softmax_block {
    uint64_t length;
    uint64_t step;
    uint64_t columns;
} softmax_block;

typedef void (*softmax_run)(void *out, const void *in, const softmax_block *b);

/* The largest of each column; NaN does not count. */
#define LARGEST(function, type)                                                            \
    static void function(type *restrict largest, const type *in, const softmax_block *b) { \
        for (uint64_t j = 0; j < b->columns; j++) largest[j] = in[j];                      \
        for (uint64_t i = 1; i < b->length; i++) {                                         \
            const type *row = in + i * b->step;                                            \
            for (uint64_t j = 0; j < b->columns; j++) {                                    \
                largest[j] = row[j] > largest[j] ? row[j] : largest[j];                    \
            }                                                                              \
        }                                                                                  \
    }

/* The exponentials of what is left of a row beside its largest, and their sum. */
#define ROW(suffix, type, exponential)                                                           \
    static type row_largest_##suffix(const type *in, uint64_t length) {                          \
        type lanes[8];                                                                           \
        type largest = in[0];                                                                    \
        uint64_t i = 0;                                                                          \
        for (int k = 0; k < 8; k++) lanes[k] = in[0];                                            \
        for (; i + 8 <= length; i += 8) {                                                        \
            for (int k = 0; k < 8; k++) {                                                        \
                lanes[k] = in[i + (uint64_t)k] > lanes[k] ? in[i + (uint64_t)k] : lanes[k];      \
            }                                                                                    \
        }                                                                                        \
        for (; i < length; i++) largest = in[i] > largest ? in[i] : largest;                     \
        for (int k = 0; k < 8; k++) largest = lanes[k] > largest ? lanes[k] : largest;           \
        return largest;                                                                          \
    }                                                                                            \
    static double row_sum_##suffix(type *restrict out, const type *restrict in, uint64_t length, \
                                   type largest) {                                               \
        double sum = 0;                                                                          \
        double lanes[8] = {0};                                                                   \
        uint64_t i = 0;                                                                          \
        for (uint64_t j = 0; j < length; j++) out[j] = exponential(in[j] - largest);             \
        for (; i + 8 <= length; i += 8) {                                                        \
            for (int k = 0; k < 8; k++) lanes[k] += (double)out[i + (uint64_t)k];                \
        }                                                                                        \
        for (; i < length; i++) sum += (double)out[i];                                           \
        for (int k = 0; k < 8; k++) sum += lanes[k];                                             \
        return sum;                                                                              \
    }                                                                                            \
    static void softmax_row_##suffix(void *out, const void *in, uint64_t length) {               \
        type *result = out;                                                                      \
        const type largest = row_largest_##suffix(in, length);                                   \
        const type sum = (type)row_sum_##suffix(out, in, length, largest);                       \
        for (uint64_t i = 0; i < length; i++) result[i] /= sum;                                  \
    }                                                                                            \
    static void log_row_##suffix(void *out, const void *in, uint64_t length) {                   \
        type *restrict result = out;                                                             \
        const type *restrict from = in;                                                          \
        const type largest = row_largest_##suffix(from, length);                                 \
        const type sum = (type)log(row_sum_##suffix(out, in, length, largest));                  \
        for (uint64_t i = 0; i < length; i++) result[i] = (from[i] - largest) - sum;             \
    }

/* The same for columns side by side, row after row of memory. */
#define COLUMNS(suffix, type, exponential)                                                        \
    static void exponentials_##suffix(type *restrict out, const type *restrict in,                \
                                      const softmax_block *b, type *restrict largest,             \
                                      double *restrict sum) {                                     \
        largest_##suffix(largest, in, b);                                                         \
        for (uint64_t j = 0; j < b->columns; j++) sum[j] = 0;                                     \
        for (uint64_t i = 0; i < b->length; i++) {                                                \
            type *restrict to = out + i * b->step;                                                \
            const type *restrict from = in + i * b->step;                                         \
            for (uint64_t j = 0; j < b->columns; j++) to[j] = exponential(from[j] - largest[j]);  \
            for (uint64_t j = 0; j < b->columns; j++) sum[j] += (double)to[j];                    \
        }                                                                                         \
    }                                                                                             \
    static void softmax_columns_##suffix(void *out, const void *in, const softmax_block *b) {     \
        type largest[ALONG_CHUNK];                                                                \
        double sum[ALONG_CHUNK];                                                                  \
        exponentials_##suffix(out, in, b, largest, sum);                                          \
        for (uint64_t i = 0; i < b->length; i++) {                                                \
            type *restrict to = (type *)out + i * b->step;                                        \
            for (uint64_t j = 0; j < b->columns; j++) to[j] /= (type)sum[j];                      \
        }                                                                                         \
    }                                                                                             \
    static void log_softmax_columns_##suffix(void *out, const void *in, const softmax_block *b) { \
        type largest[ALONG_CHUNK];                                                                \
        double sum[ALONG_CHUNK];                                                                  \
        exponentials_##suffix(out, in, b, largest, sum);                                          \
        for (uint64_t j = 0; j < b->columns; j++) sum[j] = log(sum[j]);                           \
        for (uint64_t i = 0; i < b->length; i++) {                                                \
            type *restrict to = (type *)out + i * b->step;                                        \
            const type *restrict from = (const type *)in + i * b->step;                           \
            for (uint64_t j = 0; j < b->columns; j++) {                                           \
                to[j] = (from[j] - largest[j]) - (type)sum[j];                                    \
            }                                                                                     \
        }                                                                                         \
    }

/* A row needs no room for columns, which the compiler would clear. */
#define EITHER(function, row, columns)                                        \
    static void function(void *out, const void *in, const softmax_block *b) { \
        if (b->step == 1) {                                                   \
            row(out, in, b->length);                                          \
        } else {                                                              \
            columns(out, in, b);                                              \
        }                                                                     \
    }

/* 1 where the first of the largest is, else 0; NaN is the largest, as for ArgMax. */
#define HARDMAX(function, type)                                               \
    static void function(void *out, const void *in, const softmax_block *b) { \
        type *restrict result = out;                                          \
        const type *from = in;                                                \
        for (uint64_t j = 0; j < b->columns; j++) {                           \
            uint64_t best = 0;                                                \
            for (uint64_t i = 0; i < b->length; i++) {                        \
                const type x = from[i * b->step + j];                         \
                const type top = from[best * b->step + j];                    \
                if (x > top || (isnan(x) && !isnan(top))) best = i;           \
                result[i * b->step + j] = 0;                                  \
            }                                                                 \
            result[best * b->step + j] = 1;                                   \
        }                                                                     \
    }

LARGEST(largest_f64, double)
LARGEST(largest_f32, float)
ROW(f64, double, exp)
ROW(f32, float, f32_exp)
COLUMNS(f64, double, exp)
COLUMNS(f32, float, f32_exp)
EITHER(softmax_f64, softmax_row_f64, softmax_columns_f64)
EITHER(softmax_f32, softmax_row_f32, softmax_columns_f32)
EITHER(log_softmax_f64, log_row_f64, log_softmax_columns_f64)
EITHER(log_softmax_f32, log_row_f32, log_softmax_columns_f32)
HARDMAX(hardmax_f64, double)
HARDMAX(hardmax_f32, float)

enum { SOFTMAX_AXIS };

/* Of a tensor whose rank is known: whether dims are does not matter. Negative axes came
 * with opset 11, and older models have them. */
static wlk_status softmax_axis(const op_call *call, uint32_t *axis) {
    return shape_axis(call, op_attribute(call, SOFTMAX_AXIS).i, op_input(call, 0)->rank, true,
                      axis);
}

static wlk_status softmax_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    uint32_t axis = 0;
    if (in->rank != WLK_NONE) TRY(softmax_axis(call, &axis));
    if (call->binding) op_add_operations(call, 4 * OP_ELEMENT_COST, in->count, 1, 1);
    return op_infer_same(call);
}

typedef struct softmax_job {
    along along;
    const char *in;
    char *out;
    uint64_t size;
    softmax_run run;
} softmax_job;

static void softmax_body(void *context, uint64_t from, uint64_t to) {
    const softmax_job *job = context;
    for (uint64_t i = from; i < to; i++) {
        const along_piece piece = along_chunk(job->along, i);
        const softmax_block b = {job->along.length, job->along.inner, piece.columns};
        const uint64_t at =
            (piece.block * job->along.length * job->along.inner + piece.column) * job->size;
        job->run(job->out + at, job->in + at, &b);
    }
}

static wlk_status softmax_all(const op_call *call, softmax_run f32, softmax_run f64) {
    const op_tensor *in = op_input(call, 0);
    uint32_t axis = 0;
    TRY(softmax_axis(call, &axis));
    if (in->count == 0) return WLK_OK;
    softmax_job job = {.in = in->data,
                       .out = op_output(call, 0)->target,
                       .size = wlk_dtype_bits(in->dtype) / 8,
                       .run = in->dtype == WLK_F64 ? f64 : f32};
    if (call->node->row->since >= 13) {
        job.along = along_axis(in, axis);
    } else {
        job.along = (along){tensor_span(in, 0, axis), tensor_span(in, axis, in->rank), .inner = 1};
    }
    op_parallel(call, along_chunks(job.along), along_batch(job.along), softmax_body, &job);
    return WLK_OK;
}

static wlk_status softmax_kernel(const op_call *call) {
    return softmax_all(call, softmax_f32, softmax_f64);
}

static wlk_status log_softmax_kernel(const op_call *call) {
    return softmax_all(call, log_softmax_f32, log_softmax_f64);
}

static wlk_status hardmax_kernel(const op_call *call) {
    return softmax_all(call, hardmax_f32, hardmax_f64);
}

static const attribute_row axis_1[] = {{.name = "axis", .type = WLK_ATTR_INT, .i = 1}};
static const attribute_row axis_last[] = {{.name = "axis", .type = WLK_ATTR_INT, .i = -1}};

static const op_port port_1[] = {{"input", DTYPES_FLOAT | DTYPE_BIT(WLK_F16), 'T'}};
static const op_port port_13[] = {{"input", DTYPES_FLOAT | DTYPES_HALF, 'T'}};

#define VERSION(op_name, version, op_ports, axis, op_run)                                  \
    {                                                                                      \
        .domain = "", .name = op_name, .since = version, .min_inputs = 1, .max_inputs = 1, \
        .min_outputs = 1, .max_outputs = 1, .ports = op_ports, .attributes = axis,         \
        .attribute_count = 1, .infer = softmax_infer, .kernel = op_run, .flags = OP_HALF   \
    }
#define VERSIONS(op_name, op_run)                                                              \
    VERSION(op_name, 1, port_1, axis_1, op_run), VERSION(op_name, 11, port_1, axis_1, op_run), \
        VERSION(op_name, 13, port_13, axis_last, op_run)

static const op_row rows[] = {
    VERSIONS("Softmax", softmax_kernel),
    VERSIONS("LogSoftmax", log_softmax_kernel),
    VERSIONS("Hardmax", hardmax_kernel),
};

const op_family ops_softmax = {rows, sizeof rows / sizeof *rows};

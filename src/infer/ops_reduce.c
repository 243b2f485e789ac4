/* ReduceSum, ReduceMean, ReduceMax, ReduceMin, ReduceProd, ReduceSumSquare, ReduceL1,
 * ReduceL2, ReduceLogSum, ReduceLogSumExp. */
#include <math.h>

#include "infer/axes.h"
#include "infer/ops.h"
#include "infer/parallel.h"
#include "infer/reduce_walk.h"
#include "infer/reducers.h"
#include "infer/shape.h"

/* Until axes became an input, and from then on. */
enum { OLD_AXES, OLD_KEEPDIMS };
enum { NEW_KEEPDIMS, NEW_NOOP };

static bool axes_are_input(const op_call *call) {
    return call->node->row->max_inputs == 2;
}

static bool keeps_dims(const op_call *call) {
    return op_attribute(call, axes_are_input(call) ? NEW_KEEPDIMS : OLD_KEEPDIMS).i != 0;
}

/* Which axes are reduced. The rank is known, and the axes are. */
static wlk_status reduced_axes(const op_call *call, uint32_t *mask) {
    const uint32_t rank = op_input(call, 0)->rank;
    const uint32_t all = (1u << rank) - 1;
    if (!axes_are_input(call)) {
        TRY(axes_of_attribute(call, OLD_AXES, rank, mask));
        if (op_attribute(call, OLD_AXES).count == 0) *mask = all;
        return WLK_OK;
    }
    const op_tensor *axes = op_input(call, 1);
    if (axes && axes->count > 0) return axes_of_input(call, 1, rank, mask);
    *mask = op_attribute(call, NEW_NOOP).i != 0 ? 0 : all;
    return WLK_OK;
}

/* The axes are not known yet: perhaps the rank of the result is. */
static wlk_status infer_later(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    int64_t dims[WLK_MAX_RANK];
    for (uint32_t i = 0; i < WLK_MAX_RANK; i++) dims[i] = WLK_UNKNOWN_DIM;
    op_set_output(call, 0, in->dtype, keeps_dims(call) ? in->rank : WLK_NONE, dims);
    return WLK_OK;
}

static wlk_status reduce_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    const bool axes_known = !axes_are_input(call) || !op_input(call, 1) || op_is_known(call, 1);
    if (axes_are_input(call) && op_input(call, 1)) TRY(shape_need_rank(call, 1, 0, 1));
    if (in->rank == WLK_NONE || !axes_known) return infer_later(call);
    uint32_t mask = 0;
    TRY(reduced_axes(call, &mask));
    int64_t dims[WLK_MAX_RANK];
    uint32_t rank = 0;
    for (uint32_t a = 0; a < in->rank; a++) {
        const bool reduced = mask >> a & 1;
        if (!reduced) dims[rank++] = in->dims[a];
        if (reduced && keeps_dims(call)) dims[rank++] = 1;
    }
    op_set_output(call, 0, in->dtype, rank, dims);
    if (call->binding) op_add_operations(call, 3 * OP_ELEMENT_COST, in->count, 1, 1);
    return WLK_OK;
}

#define REDUCE_CHUNK 256

typedef struct reduce_job {
    reduce_walk walk;
    const reducer *reducer;
    const reducer *peaks; /* NULL where they are not needed */
    const char *in;
    char *out;
    uint64_t size;
} reduce_job;

/* The results of one block: `columns` of them side by side, or one. */
typedef struct reduce_block {
    uint64_t at; /* of the block's first element, in the input */
    uint64_t columns;
} reduce_block;

static void reduce_with(const reduce_job *job, const reducer *r, const reduce_block *block,
                        void *states, const double *peaks) {
    const reduce_walk *walk = &job->walk;
    walk_place place = walk_start(&walk->reduced, 0);
    r->begin(states, block->columns);
    for (uint64_t i = 0; i < walk->reduced.count; i++) {
        const char *from = job->in + (block->at + place.at) * job->size;
        if (walk->run_kept) {
            r->columns(states, from, block->columns, peaks);
        } else {
            r->row(states, from, walk->length, peaks);
        }
        walk_next(&walk->reduced, &place);
    }
}

/* states and peaks: the caller's, one for each column. */
static void reduce_block_to(const reduce_job *job, const reduce_block *block, uint64_t *states,
                            double *peaks, void *out) {
    const uint64_t reduces = job->walk.reduces;
    for (uint64_t j = 0; j < block->columns; j++) peaks[j] = 0;
    if (job->peaks) {
        reduce_with(job, job->peaks, block, states, peaks);
        job->peaks->finish(states, peaks, block->columns, reduces, peaks);
    }
    reduce_with(job, job->reducer, block, states, peaks);
    job->reducer->finish(states, out, block->columns, reduces, peaks);
}

/* The run is reduced: results number from to to. */
static void reduce_rows(void *context, uint64_t from, uint64_t to) {
    const reduce_job *job = context;
    walk_place place = walk_start(&job->walk.kept, from);
    for (uint64_t i = from; i < to; i++) {
        const reduce_block block = {.at = place.at, .columns = 1};
        uint64_t state = 0;
        double peak = 0;
        reduce_block_to(job, &block, &state, &peak, job->out + i * job->size);
        walk_next(&job->walk.kept, &place);
    }
}

static uint64_t chunks_of_run(const reduce_walk *walk) {
    return (walk->length + REDUCE_CHUNK - 1) / REDUCE_CHUNK;
}

/* The run is kept: chunks of it number from to to. */
static void reduce_columns(void *context, uint64_t from, uint64_t to) {
    const reduce_job *job = context;
    const reduce_walk *walk = &job->walk;
    const uint64_t each = chunks_of_run(walk);
    uint64_t states[REDUCE_CHUNK];
    double peaks[REDUCE_CHUNK];
    for (uint64_t i = from; i < to; i++) {
        const uint64_t column = i % each * REDUCE_CHUNK;
        const uint64_t left = walk->length - column;
        const reduce_block block = {.at = walk_start(&walk->kept, i / each).at + column,
                                    .columns = left < REDUCE_CHUNK ? left : REDUCE_CHUNK};
        reduce_block_to(job, &block, states, peaks,
                        job->out + (i / each * walk->length + column) * job->size);
    }
}

/* Results of no elements at all. */
static void reduce_nothing(const reducer *r, const op_tensor *out, uint64_t size) {
    uint64_t state[1];
    const double peak = -(double)INFINITY;
    for (uint64_t i = 0; i < out->count; i++) {
        r->begin(state, 1);
        r->finish(state, (char *)out->target + i * size, 1, 0, &peak);
    }
}

static wlk_status reduce_all(const op_call *call, reduction kind) {
    const op_tensor *in = op_input(call, 0);
    const op_tensor *out = op_output(call, 0);
    uint32_t mask = 0;
    TRY(reduced_axes(call, &mask));
    reduce_job job = {.reducer = reducer_of(kind, in->dtype),
                      .in = in->data,
                      .out = out->target,
                      .size = wlk_dtype_bits(in->dtype) / 8};
    if (in->count == 0) {
        reduce_nothing(job.reducer, out, job.size);
        return WLK_OK;
    }
    if (kind == REDUCE_LOG_SUM_EXP) job.peaks = reducer_of_peaks(in->dtype);
    job.walk = reduce_walk_of(in, mask);
    const uint64_t work = job.walk.reduces * (job.walk.run_kept ? REDUCE_CHUNK : 1);
    const uint64_t batch = work >= 32768 ? 1 : 32768 / work;
    if (job.walk.run_kept) {
        op_parallel(call, job.walk.kept.count * chunks_of_run(&job.walk), batch, reduce_columns,
                    &job);
    } else {
        op_parallel(call, job.walk.kept.count, batch, reduce_rows, &job);
    }
    return WLK_OK;
}

#define KERNEL(function, kind)                        \
    static wlk_status function(const op_call *call) { \
        return reduce_all(call, kind);                \
    }

KERNEL(sum_kernel, REDUCE_SUM)
KERNEL(mean_kernel, REDUCE_MEAN)
KERNEL(max_kernel, REDUCE_MAX)
KERNEL(min_kernel, REDUCE_MIN)
KERNEL(prod_kernel, REDUCE_PROD)
KERNEL(sum_square_kernel, REDUCE_SUM_SQUARE)
KERNEL(l1_kernel, REDUCE_L1)
KERNEL(l2_kernel, REDUCE_L2)
KERNEL(log_sum_kernel, REDUCE_LOG_SUM)
KERNEL(log_sum_exp_kernel, REDUCE_LOG_SUM_EXP)

/* ---- rows */

static const attribute_row old_attributes[] = {
    [OLD_AXES] = {.name = "axes", .type = WLK_ATTR_INTS},
    [OLD_KEEPDIMS] = {.name = "keepdims", .type = WLK_ATTR_INT, .i = 1},
};
static const attribute_row new_attributes[] = {
    [NEW_KEEPDIMS] = {.name = "keepdims", .type = WLK_ATTR_INT, .i = 1},
    [NEW_NOOP] = {.name = "noop_with_empty_axes", .type = WLK_ATTR_INT, .i = 0},
};

#define DTYPES_1 (DTYPES_FLOAT | DTYPE_BIT(WLK_F16) | DTYPES_WIDE_INT)
#define DTYPES_13 (DTYPES_1 | DTYPE_BIT(WLK_BF16))
#define DTYPES_BYTE (DTYPE_BIT(WLK_I8) | DTYPE_BIT(WLK_U8))
#define PORTS(name, dtypes) \
    static const op_port name[] = {{"data", dtypes, 'T'}, {"axes", DTYPE_BIT(WLK_I64), 0}}
PORTS(ports_1, DTYPES_1);
PORTS(ports_13, DTYPES_13);
PORTS(ports_28, DTYPES_FLOAT | DTYPES_HALF);
PORTS(ports_max_12, DTYPES_1 | DTYPES_BYTE);
PORTS(ports_max_13, DTYPES_13 | DTYPES_BYTE);
PORTS(ports_max_20, DTYPES_13 | DTYPES_BYTE | DTYPE_BIT(WLK_BOOL));

#define ROW(op_name, version, most, op_ports, op_attributes, op_run)                          \
    {                                                                                         \
        .domain = "", .name = op_name, .since = version, .min_inputs = 1, .max_inputs = most, \
        .min_outputs = 1, .max_outputs = 1, .ports = op_ports, .attributes = op_attributes,   \
        .attribute_count = 2, .infer = reduce_infer, .kernel = op_run, .flags = OP_HALF       \
    }
#define OLD(name, version, ports, run) ROW(name, version, 1, ports, old_attributes, run)
#define NEW(name, version, ports, run) ROW(name, version, 2, ports, new_attributes, run)
#define VERSIONS(name, run)                                                                \
    OLD(name, 1, ports_1, run), OLD(name, 11, ports_1, run), OLD(name, 13, ports_13, run), \
        NEW(name, 18, ports_13, run)
#define EXTREME(name, run)                                                                     \
    OLD(name, 1, ports_1, run), OLD(name, 11, ports_1, run), OLD(name, 12, ports_max_12, run), \
        OLD(name, 13, ports_max_13, run), NEW(name, 18, ports_max_13, run),                    \
        NEW(name, 20, ports_max_20, run)

static const op_row rows[] = {
    OLD("ReduceSum", 1, ports_1, sum_kernel),
    OLD("ReduceSum", 11, ports_1, sum_kernel),
    NEW("ReduceSum", 13, ports_13, sum_kernel),
    VERSIONS("ReduceMean", mean_kernel),
    EXTREME("ReduceMax", max_kernel),
    EXTREME("ReduceMin", min_kernel),
    VERSIONS("ReduceProd", prod_kernel),
    VERSIONS("ReduceSumSquare", sum_square_kernel),
    VERSIONS("ReduceL1", l1_kernel),
    VERSIONS("ReduceL2", l2_kernel),
    VERSIONS("ReduceLogSum", log_sum_kernel),
    NEW("ReduceLogSum", 28, ports_28, log_sum_kernel),
    VERSIONS("ReduceLogSumExp", log_sum_exp_kernel),
    NEW("ReduceLogSumExp", 28, ports_28, log_sum_exp_kernel),
};

const op_family ops_reduce = {rows, sizeof rows / sizeof *rows};

/* Gather, GatherElements, GatherND: elements, or blocks of them, that indices name. */
#include <inttypes.h>
#include <string.h>

#include "infer/index_list.h"
#include "infer/int_list.h"
#include "infer/ops.h"
#include "infer/parallel.h"
#include "infer/shape.h"
#include "infer/units.h"

/* The blocks a kernel copies: unlike memcpy of a few bytes, these need no call. */
static void copy_block(char *to, const char *from, uint64_t bytes) {
    if (bytes == 4) {
        memcpy(to, from, 4);
    } else if (bytes == 8) {
        memcpy(to, from, 8);
    } else {
        memcpy(to, from, bytes);
    }
}

/* The memory for units, and the text: each string is taken `times` times at most. */
static wlk_status need_units(op_call *call, uint64_t times) {
    units_set_text(call, 0, 0, times);
    TRY(units_need_input(call, 0));
    return units_need_output(call, 0);
}

static wlk_status too_many_dims(const op_call *call, uint32_t rank) {
    return op_fail(call, call->binding ? RULE_RUN_SHAPE : RULE_PLAN_RANK,
                   "the result would have %u dimensions", rank);
}

/* How many elements a shape has, UINT64_MAX if that is not known. */
static uint64_t elements(const op_tensor *tensor) {
    const int64_t count = tensor_is_known(tensor) ? dim_product(tensor->dims, 0, tensor->rank) : -1;
    return count < 0 ? UINT64_MAX : (uint64_t)count;
}

/* ---- Gather: whole slices along one axis */

enum { GATHER_AXIS };

static wlk_status gather_axis(const op_call *call, uint32_t *axis) {
    return shape_axis(call, op_attribute(call, GATHER_AXIS).i, op_input(call, 0)->rank, true, axis);
}

static wlk_status gather_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    const op_tensor *indices = op_input(call, 1);
    if (in->rank == WLK_NONE || indices->rank == WLK_NONE) {
        op_set_output(call, 0, in->dtype, WLK_NONE, NULL);
        return WLK_OK;
    }
    uint32_t axis = 0;
    TRY(shape_need_rank(call, 0, 1, WLK_MAX_RANK));
    TRY(gather_axis(call, &axis));
    const uint32_t rank = in->rank - 1 + indices->rank;
    if (rank > WLK_MAX_RANK) return too_many_dims(call, rank);
    int64_t dims[WLK_MAX_RANK];
    uint32_t at = 0;
    for (uint32_t i = 0; i < axis; i++) dims[at++] = in->dims[i];
    for (uint32_t i = 0; i < indices->rank; i++) dims[at++] = indices->dims[i];
    for (uint32_t i = axis + 1; i < in->rank; i++) dims[at++] = in->dims[i];
    op_set_output(call, 0, in->dtype, rank, dims);
    return need_units(call, elements(indices));
}

typedef struct gather_job {
    const op_tensor *indices;
    int64_t dim;
    uint64_t bytes; /* of a block */
    const char *from;
    char *to;
} gather_job;

/* Block number `item`: outer position and index in one. */
static void gather_blocks(void *context, uint64_t from, uint64_t to) {
    const gather_job *job = context;
    const uint64_t count = job->indices->count;
    uint64_t i = from % count;
    const char *source = job->from + from / count * (uint64_t)job->dim * job->bytes;
    for (uint64_t item = from; item < to; item++) {
        const uint64_t at = (uint64_t)index_at(job->indices, i, job->dim);
        copy_block(job->to + item * job->bytes, source + at * job->bytes, job->bytes);
        if (++i < count) continue;
        i = 0;
        source += (uint64_t)job->dim * job->bytes;
    }
}

static wlk_status gather_kernel(const op_call *call) {
    const op_tensor *in = op_input(call, 0);
    op_tensor *out = op_output(call, 0);
    gather_job job = {.indices = op_input(call, 1)};
    uint32_t axis = 0;
    TRY(gather_axis(call, &axis));
    job.dim = in->dims[axis];
    TRY(indices_check(call, job.indices, job.dim));
    units u = units_begin(call, out->dtype);
    job.from = units_read(&u, in);
    job.to = units_write(&u, out);
    if (out->count > 0) {
        job.bytes = tensor_span(in, axis + 1, in->rank) * u.size;
        const uint64_t items = tensor_span(in, 0, axis) * job.indices->count;
        op_parallel(call, items, 1 + 65536 / job.bytes, gather_blocks, &job);
    }
    units_end(&u, out, job.to);
    return WLK_OK;
}

/* ---- GatherElements: one element for each index, on the same line along the axis */

static wlk_status elements_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    const op_tensor *indices = op_input(call, 1);
    if (in->rank == WLK_NONE || indices->rank == WLK_NONE) {
        op_set_output(call, 0, in->dtype, indices->rank, indices->dims);
        return WLK_OK;
    }
    uint32_t axis = 0;
    TRY(shape_need_rank(call, 0, 1, WLK_MAX_RANK));
    TRY(gather_axis(call, &axis));
    if (indices->rank != in->rank) return shape_mismatch(call, 0, 1);
    for (uint32_t i = 0; i < in->rank; i++) {
        const bool known = in->dims[i] != WLK_UNKNOWN_DIM && indices->dims[i] != WLK_UNKNOWN_DIM;
        if (i != axis && known && indices->dims[i] > in->dims[i]) {
            return shape_mismatch(call, 0, 1);
        }
    }
    op_set_output(call, 0, in->dtype, indices->rank, indices->dims);
    const int64_t times = indices->dims[axis];
    return need_units(call, times < 0 ? UINT64_MAX : (uint64_t)times);
}

typedef struct elements_job {
    const op_tensor *in;
    const op_tensor *indices;
    uint32_t axis;
    uint64_t size;
    const char *from;
    char *to;
} elements_job;

/* Where the line of the input begins that row number `row` of the indices (all axes but
 * the last) looks at, and the step of the last axis. */
static uint64_t elements_base(const elements_job *job, uint64_t row) {
    const op_tensor *in = job->in;
    uint64_t base = 0;
    for (uint32_t i = in->rank - 1; i-- > 0;) {
        const uint64_t dim = (uint64_t)job->indices->dims[i];
        if (i != job->axis) base += row % dim * tensor_span(in, i + 1, in->rank);
        row /= dim;
    }
    return base;
}

static void elements_rows(void *context, uint64_t from, uint64_t to) {
    const elements_job *job = context;
    const op_tensor *in = job->in;
    const uint64_t row = (uint64_t)job->indices->dims[in->rank - 1];
    const int64_t dim = in->dims[job->axis];
    const uint64_t step = tensor_span(in, job->axis + 1, in->rank);
    const bool last = job->axis == in->rank - 1;
    for (uint64_t r = from; r < to; r++) {
        const uint64_t base = elements_base(job, r);
        for (uint64_t i = 0; i < row; i++) {
            const uint64_t at = (uint64_t)index_at(job->indices, r * row + i, dim);
            const uint64_t place = base + at * step + (last ? 0 : i);
            copy_block(job->to + (r * row + i) * job->size, job->from + place * job->size,
                       job->size);
        }
    }
}

static wlk_status elements_kernel(const op_call *call) {
    op_tensor *out = op_output(call, 0);
    elements_job job = {.in = op_input(call, 0), .indices = op_input(call, 1)};
    TRY(gather_axis(call, &job.axis));
    TRY(indices_check(call, job.indices, job.in->dims[job.axis]));
    units u = units_begin(call, out->dtype);
    job.size = u.size;
    job.from = units_read(&u, job.in);
    job.to = units_write(&u, out);
    if (out->count > 0) {
        const uint64_t row = (uint64_t)out->dims[out->rank - 1];
        op_parallel(call, out->count / row, 1 + 16384 / row, elements_rows, &job);
    }
    units_end(&u, out, job.to);
    return WLK_OK;
}

/* ---- GatherND: the last axis of the indices holds a position each */

enum { ND_BATCH };

/* batch_dims, and how many dims a position has; both within the ranks. */
static wlk_status nd_read(const op_call *call, uint32_t *batch, uint32_t *depth) {
    const op_tensor *in = op_input(call, 0);
    const op_tensor *indices = op_input(call, 1);
    const int64_t dims = op_attribute(call, ND_BATCH).i;
    if (dims < 0 || dims >= (int64_t)in->rank || dims >= (int64_t)indices->rank) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "batch_dims is %" PRId64, dims);
    }
    const int64_t last = indices->dims[indices->rank - 1];
    *batch = (uint32_t)dims;
    *depth = WLK_NONE;
    if (last == WLK_UNKNOWN_DIM) return WLK_OK;
    if (last < 1 || last > (int64_t)in->rank - dims) {
        return op_fail(call, op_shape_rule(call), "positions of %" PRId64 " in %u dimensions", last,
                       in->rank - *batch);
    }
    *depth = (uint32_t)last;
    return WLK_OK;
}

static wlk_status nd_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    const op_tensor *indices = op_input(call, 1);
    uint32_t batch = 0;
    uint32_t depth = WLK_NONE;
    TRY(shape_need_rank(call, 0, 1, WLK_MAX_RANK));
    TRY(shape_need_rank(call, 1, 1, WLK_MAX_RANK));
    const bool ranks = in->rank != WLK_NONE && indices->rank != WLK_NONE;
    if (ranks) TRY(nd_read(call, &batch, &depth));
    if (depth == WLK_NONE) {
        op_set_output(call, 0, in->dtype, WLK_NONE, NULL);
        return WLK_OK;
    }
    for (uint32_t i = 0; i < batch; i++) {
        if (!dim_agrees(in->dims[i], indices->dims[i])) return shape_mismatch(call, 0, 1);
    }
    const uint32_t rank = indices->rank - 1 + in->rank - batch - depth;
    if (rank > WLK_MAX_RANK) return too_many_dims(call, rank);
    int64_t dims[WLK_MAX_RANK];
    uint32_t at = 0;
    for (uint32_t i = 0; i + 1 < indices->rank; i++) dims[at++] = indices->dims[i];
    for (uint32_t i = batch + depth; i < in->rank; i++) dims[at++] = in->dims[i];
    op_set_output(call, 0, in->dtype, rank, dims);
    return need_units(call, elements(indices));
}

/* The offset, in units, that position number `i` names within its batch. */
static wlk_status nd_offset(const op_call *call, uint64_t i, uint32_t batch, uint32_t depth,
                            uint64_t *offset) {
    const op_tensor *in = op_input(call, 0);
    const op_tensor *indices = op_input(call, 1);
    *offset = 0;
    for (uint32_t j = 0; j < depth; j++) {
        const int64_t dim = in->dims[batch + j];
        const int64_t index = op_int(indices, i * depth + j);
        if (index < -dim || index >= dim) return index_fail(call, i * depth + j, index, dim);
        *offset = *offset * (uint64_t)dim + (uint64_t)(index < 0 ? index + dim : index);
    }
    return WLK_OK;
}

static wlk_status nd_kernel(const op_call *call) {
    const op_tensor *in = op_input(call, 0);
    const op_tensor *indices = op_input(call, 1);
    op_tensor *out = op_output(call, 0);
    uint32_t batch = 0;
    uint32_t depth = 1;
    TRY(nd_read(call, &batch, &depth));
    units u = units_begin(call, out->dtype);
    const char *from = units_read(&u, in);
    char *to = units_write(&u, out);
    const uint64_t batches = tensor_span(in, 0, batch);
    const uint64_t stride = tensor_span(in, batch, in->rank) * u.size;
    const uint64_t bytes = tensor_span(in, batch + depth, in->rank) * u.size;
    const uint64_t positions = indices->count / depth;
    for (uint64_t i = 0; i < positions; i++) {
        uint64_t offset = 0;
        TRY(nd_offset(call, i, batch, depth, &offset));
        if (bytes == 0) continue; /* the input's product of dims may be too large then */
        const char *source = from + i / (positions / batches) * stride;
        copy_block(to + i * bytes, source + offset * bytes, bytes);
    }
    units_end(&u, out, to);
    return WLK_OK;
}

/* ---- rows */

static const attribute_row axis_0[] = {[GATHER_AXIS] = {.name = "axis", .type = WLK_ATTR_INT}};
static const attribute_row batch_dims[] = {
    [ND_BATCH] = {.name = "batch_dims", .type = WLK_ATTR_INT}};

static const op_port ports_1[] = {{"data", DTYPES_MOVED_1, 'T'}, {"indices", DTYPES_INDEX, 0}};
static const op_port ports_13[] = {{"data", DTYPES_MOVED_13, 'T'}, {"indices", DTYPES_INDEX, 0}};
static const op_port nd_1[] = {{"data", DTYPES_MOVED_1, 'T'}, {"indices", DTYPE_BIT(WLK_I64), 0}};
static const op_port nd_13[] = {{"data", DTYPES_MOVED_13, 'T'}, {"indices", DTYPE_BIT(WLK_I64), 0}};

#define ROW(op_name, version, op_ports, rows, known, op_shape, op_run)                     \
    {                                                                                      \
        .domain = "", .name = op_name, .since = version, .min_inputs = 2, .max_inputs = 2, \
        .min_outputs = 1, .max_outputs = 1, .ports = op_ports, .attributes = rows,         \
        .attribute_count = known, .infer = op_shape, .kernel = op_run                      \
    }
#define GATHER(version, ports) ROW("Gather", version, ports, axis_0, 1, gather_infer, gather_kernel)
#define ELEMENTS(version, ports) \
    ROW("GatherElements", version, ports, axis_0, 1, elements_infer, elements_kernel)
#define GATHER_ND(version, ports, known) \
    ROW("GatherND", version, ports, batch_dims, known, nd_infer, nd_kernel)

static const op_row rows[] = {
    GATHER(1, ports_1),     GATHER(11, ports_1),    GATHER(13, ports_13),   ELEMENTS(11, ports_1),
    ELEMENTS(13, ports_13), GATHER_ND(11, nd_1, 0), GATHER_ND(12, nd_1, 1), GATHER_ND(13, nd_13, 1),
};

const op_family ops_gather = {rows, sizeof rows / sizeof *rows};

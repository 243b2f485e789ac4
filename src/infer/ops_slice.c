/* Slice and ReverseSequence: parts of a tensor, backwards too. */
#include <inttypes.h>
#include <string.h>

#include "infer/int_list.h"
#include "infer/move.h"
#include "infer/ops.h"
#include "infer/shape.h"
#include "infer/units.h"

/* ---- Slice: starts, ends and axes are attributes before version 10, then inputs, and
 * steps as well */

enum { SLICE_STARTS, SLICE_ENDS, SLICE_AXES };

typedef struct slice_lists {
    int_list starts, ends, axes, steps;
    bool known;
} slice_lists;

/* What becomes of one axis: `count` elements from `start` on, `step` apart. */
typedef struct slice_axis {
    int64_t start;
    int64_t step;
    int64_t count;
} slice_axis;

static wlk_status slice_read(const op_call *call, slice_lists *lists) {
    lists->steps = (int_list){.known = true};
    if (call->node->row->since < 10) {
        lists->starts = ints_of_attribute(call, SLICE_STARTS);
        lists->ends = ints_of_attribute(call, SLICE_ENDS);
        lists->axes = ints_of_attribute(call, SLICE_AXES);
    } else {
        TRY(ints_of_input(call, 1, &lists->starts));
        TRY(ints_of_input(call, 2, &lists->ends));
        TRY(ints_of_input(call, 3, &lists->axes));
        TRY(ints_of_input(call, 4, &lists->steps));
    }
    if (lists->starts.count != UINT64_MAX) {
        TRY(ints_need_count(call, &lists->ends, "ends", lists->starts.count));
        TRY(ints_need_count(call, &lists->axes, "axes", lists->starts.count));
        TRY(ints_need_count(call, &lists->steps, "steps", lists->starts.count));
    }
    lists->known = lists->starts.known && lists->ends.known && lists->steps.known;
    return WLK_OK;
}

/* Which axis the i-th number of each list is about. */
static wlk_status slice_axes(const op_call *call, const slice_lists *lists, uint32_t rank,
                             axis_list *axes) {
    TRY(axes_read(call, &lists->axes, rank, call->node->row->since >= 10, axes));
    if (lists->axes.given || lists->starts.count == UINT64_MAX) return WLK_OK;
    if (lists->starts.count > rank) {
        return ints_fail(call, &lists->starts, "more starts than dimensions",
                         (int64_t)lists->starts.count);
    }
    axes->count = (uint32_t)lists->starts.count;
    return WLK_OK;
}

/* `at`, counted from the end if negative, within low..high. */
static int64_t clamp_position(int64_t at, int64_t dim, int64_t low, int64_t high) {
    if (at < 0) at += dim;
    return at < low ? low : at > high ? high : at;
}

static wlk_status slice_one(const op_call *call, const slice_lists *lists, uint32_t i, int64_t dim,
                            slice_axis *out) {
    const int64_t step = lists->steps.given ? int_at(&lists->steps, i) : 1;
    const int64_t start = int_at(&lists->starts, i);
    const int64_t end = int_at(&lists->ends, i);
    if (step == 0) return ints_fail(call, &lists->steps, "a step is 0", 0);
    *out = (slice_axis){.step = step, .count = WLK_UNKNOWN_DIM};
    if (dim == WLK_UNKNOWN_DIM) return WLK_OK;
    const bool up = step > 0;
    const int64_t first = clamp_position(start, dim, 0, up ? dim : dim - 1);
    const int64_t last = clamp_position(end, dim, up ? 0 : -1, up ? dim : dim - 1);
    const int64_t distance = up ? last - first : first - last;
    const uint64_t size = up ? (uint64_t)step : 0 - (uint64_t)step;
    out->start = first;
    out->count = distance <= 0 || dim == 0 ? 0 : (int64_t)(((uint64_t)distance - 1) / size + 1);
    return WLK_OK;
}

static wlk_status slice_all(const op_call *call, const slice_lists *lists,
                            slice_axis all[WLK_MAX_RANK]) {
    const op_tensor *in = op_input(call, 0);
    for (uint32_t i = 0; i < in->rank; i++) all[i] = (slice_axis){0, 1, in->dims[i]};
    axis_list axes = {.count = 0};
    if (lists->axes.known) TRY(slice_axes(call, lists, in->rank, &axes));
    for (uint32_t i = 0; i < in->rank && !lists->axes.known; i++) all[i].count = WLK_UNKNOWN_DIM;
    for (uint32_t i = 0; i < axes.count; i++) {
        slice_axis *out = &all[axes.axes[i]];
        out->count = WLK_UNKNOWN_DIM;
        if (lists->known) TRY(slice_one(call, lists, i, in->dims[axes.axes[i]], out));
    }
    return WLK_OK;
}

static wlk_status slice_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    slice_lists lists;
    TRY(slice_read(call, &lists));
    if (in->rank == WLK_NONE) {
        op_set_output(call, 0, in->dtype, WLK_NONE, NULL);
        return WLK_OK;
    }
    slice_axis all[WLK_MAX_RANK];
    int64_t dims[WLK_MAX_RANK];
    TRY(slice_all(call, &lists, all));
    for (uint32_t i = 0; i < in->rank; i++) dims[i] = all[i].count;
    op_set_output(call, 0, in->dtype, in->rank, dims);
    op_set_text(call, 0, in->text_bytes);
    TRY(units_need_input(call, 0));
    return units_need_output(call, 0);
}

static wlk_status slice_kernel(const op_call *call) {
    const op_tensor *in = op_input(call, 0);
    op_tensor *out = op_output(call, 0);
    slice_lists lists;
    slice_axis all[WLK_MAX_RANK];
    TRY(slice_read(call, &lists));
    TRY(slice_all(call, &lists, all));
    units u = units_begin(call, out->dtype);
    const char *from = units_read(&u, in);
    char *to = units_write(&u, out);
    move m = {.empty = out->count == 0};
    for (uint32_t i = 0; i < in->rank && !m.empty; i++) {
        const int64_t step = move_step(in, i);
        from += all[i].start * step * (int64_t)u.size;
        /* Of a single element the step may be any number. */
        move_add(&m, (uint64_t)all[i].count, move_step(out, i),
                 all[i].count > 1 ? all[i].step * step : 0);
    }
    move_run(call, &m, u.size, to, from);
    units_end(&u, out, to);
    return WLK_OK;
}

/* ---- ReverseSequence: axes 0 and 1 are the batch and the time, in either order */

enum { REVERSE_BATCH, REVERSE_TIME };

static wlk_status reverse_axes(const op_call *call, uint32_t *batch, uint32_t *time) {
    const int64_t b = op_attribute(call, REVERSE_BATCH).i;
    const int64_t t = op_attribute(call, REVERSE_TIME).i;
    if ((b != 0 && b != 1) || t != 1 - b) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE,
                       "batch_axis is %" PRId64 ", time_axis is %" PRId64, b, t);
    }
    *batch = (uint32_t)b;
    *time = (uint32_t)t;
    return WLK_OK;
}

static wlk_status reverse_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    const op_tensor *lengths = op_input(call, 1);
    uint32_t batch = 0;
    uint32_t time = 0;
    TRY(reverse_axes(call, &batch, &time));
    TRY(shape_need_rank(call, 0, 2, WLK_MAX_RANK));
    TRY(shape_need_rank(call, 1, 1, 1));
    if (in->rank != WLK_NONE && lengths->rank != WLK_NONE &&
        !dim_agrees(in->dims[batch], lengths->dims[0])) {
        return shape_mismatch(call, 0, 1);
    }
    TRY(op_infer_same(call));
    TRY(units_need_input(call, 0));
    return units_need_output(call, 0);
}

static wlk_status reverse_kernel(const op_call *call) {
    const op_tensor *in = op_input(call, 0);
    const int64_t *lengths = op_input(call, 1)->data;
    op_tensor *out = op_output(call, 0);
    uint32_t batch = 0;
    uint32_t time = 0;
    TRY(reverse_axes(call, &batch, &time));
    const int64_t steps = in->dims[time];
    for (int64_t b = 0; b < in->dims[batch]; b++) {
        if (lengths[b] >= 0 && lengths[b] <= steps) continue;
        return op_fail(call, RULE_RUN_INDEX, "sequence %" PRId64 " is %" PRId64 " of %" PRId64, b,
                       lengths[b], steps);
    }
    units u = units_begin(call, out->dtype);
    const char *from = units_read(&u, in);
    char *to = units_write(&u, out);
    for (int64_t b = 0; b < in->dims[batch] && out->count > 0; b++) {
        const int64_t at = b * move_step(in, batch) * (int64_t)u.size;
        const int64_t step = move_step(in, time);
        const int64_t inner = move_step(in, 1);
        move turned = {0};
        move_add(&turned, (uint64_t)lengths[b], step, -step);
        move_add(&turned, (uint64_t)inner, 1, 1);
        const int64_t last = (lengths[b] > 0 ? lengths[b] - 1 : 0) * step * (int64_t)u.size;
        move_run(call, &turned, u.size, to + at, from + at + last);
        move rest = {0};
        move_add(&rest, (uint64_t)(steps - lengths[b]), step, step);
        move_add(&rest, (uint64_t)inner, 1, 1);
        const int64_t behind = at + lengths[b] * step * (int64_t)u.size;
        if (lengths[b] < steps) move_run(call, &rest, u.size, to + behind, from + behind);
    }
    units_end(&u, out, to);
    return WLK_OK;
}

/* ---- rows */

static const attribute_row slice_attributes[] = {
    [SLICE_STARTS] = {.name = "starts", .type = WLK_ATTR_INTS, .required = true},
    [SLICE_ENDS] = {.name = "ends", .type = WLK_ATTR_INTS, .required = true},
    [SLICE_AXES] = {.name = "axes", .type = WLK_ATTR_INTS}};
static const attribute_row reverse_attributes[] = {
    [REVERSE_BATCH] = {.name = "batch_axis", .type = WLK_ATTR_INT, .i = 1},
    [REVERSE_TIME] = {.name = "time_axis", .type = WLK_ATTR_INT, .i = 0}};

#define DTYPES_POSITION (DTYPE_BIT(WLK_I64) | DTYPE_BIT(WLK_I32))
#define PORTS(suffix)                                                                 \
    static const op_port slice_##suffix[] = {{"data", DTYPES_MOVED_##suffix, 'T'},    \
                                             {"starts", DTYPES_POSITION, 'I'},        \
                                             {"ends", DTYPES_POSITION, 'I'},          \
                                             {"axes", DTYPES_POSITION, 'I'},          \
                                             {"steps", DTYPES_POSITION, 'I'}};        \
    static const op_port reverse_##suffix[] = {{"input", DTYPES_MOVED_##suffix, 'T'}, \
                                               {"sequence_lens", DTYPE_BIT(WLK_I64), 0}}
PORTS(1);
PORTS(13);

#define ROW(op_name, version, least, most, op_ports, op_shape, op_run)                        \
    .domain = "", .name = op_name, .since = version, .min_inputs = least, .max_inputs = most, \
    .min_outputs = 1, .max_outputs = 1, .ports = op_ports, .infer = op_shape, .kernel = op_run
#define SLICE(version, ports) \
    { ROW("Slice", version, 3, 5, ports, slice_infer, slice_kernel) }
#define REVERSE(version, ports)                                                      \
    {                                                                                \
        ROW("ReverseSequence", version, 2, 2, ports, reverse_infer, reverse_kernel), \
            .attributes = reverse_attributes, .attribute_count = 2                   \
    }

static const op_row rows[] = {
    {ROW("Slice", 1, 1, 1, slice_1, slice_infer, slice_kernel), .attributes = slice_attributes,
     .attribute_count = 3},
    SLICE(10, slice_1),
    SLICE(11, slice_1),
    SLICE(13, slice_13),
    REVERSE(10, reverse_1),
    REVERSE(28, reverse_13),
};

const op_family ops_slice = {rows, sizeof rows / sizeof *rows};

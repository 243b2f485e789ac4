/* Concat and Split: blocks of whole rows go from many tensors into one, or back. */
#include <inttypes.h>
#include <string.h>

#include "base/checked.h"
#include "infer/int_list.h"
#include "infer/move.h"
#include "infer/ops.h"
#include "infer/shape.h"
#include "infer/units.h"

/* ---- Concat */

enum { CONCAT_AXIS };

static wlk_status concat_axis(const op_call *call, uint32_t rank, uint32_t *axis) {
    return shape_axis(call, op_attribute(call, CONCAT_AXIS).i, rank, call->node->row->since >= 11,
                      axis);
}

/* Adds input i to the shape so far, whose rank is known. */
static wlk_status concat_join(const op_call *call, uint32_t i, uint32_t axis, op_tensor *sum) {
    const op_tensor *in = op_input(call, i);
    if (in->rank == WLK_NONE) {
        sum->dims[axis] = WLK_UNKNOWN_DIM;
        return WLK_OK;
    }
    if (in->rank != sum->rank) return shape_mismatch(call, 0, i);
    for (uint32_t a = 0; a < sum->rank; a++) {
        if (a == axis) continue;
        if (!dim_agrees(sum->dims[a], in->dims[a])) return shape_mismatch(call, 0, i);
        sum->dims[a] = dim_known(sum->dims[a], in->dims[a]);
    }
    if (in->dims[axis] == WLK_UNKNOWN_DIM) sum->dims[axis] = WLK_UNKNOWN_DIM;
    if (sum->dims[axis] == WLK_UNKNOWN_DIM) return WLK_OK;
    if (__builtin_add_overflow(sum->dims[axis], in->dims[axis], &sum->dims[axis])) {
        return shape_mismatch(call, 0, i);
    }
    return WLK_OK;
}

static uint64_t concat_text(const op_call *call) {
    uint64_t text = 0;
    for (uint32_t i = 0; i < call->node->inputs; i++) {
        if (!checked_add(text, op_input(call, i)->text_bytes, &text)) return UINT64_MAX;
    }
    return text;
}

static wlk_status concat_infer(op_call *call) {
    const op_tensor *first = op_input(call, 0);
    for (uint32_t i = 1; i < call->node->inputs && first->rank == WLK_NONE; i++) {
        first = op_input(call, i);
    }
    if (first->rank == WLK_NONE) {
        op_set_output(call, 0, first->dtype, WLK_NONE, NULL);
        return WLK_OK;
    }
    op_tensor sum = *first;
    uint32_t axis = 0;
    TRY(concat_axis(call, sum.rank, &axis));
    sum.dims[axis] = 0;
    for (uint32_t i = 0; i < call->node->inputs; i++) {
        TRY(concat_join(call, i, axis, &sum));
        TRY(units_need_input(call, i));
    }
    op_set_output(call, 0, sum.dtype, sum.rank, sum.dims);
    op_set_text(call, 0, concat_text(call));
    return units_need_output(call, 0);
}

/* Tensors go one after the other, so that the work is that of the elements: many
 * empty ones times many outer positions would be no work but long. */
static wlk_status concat_kernel(const op_call *call) {
    op_tensor *out = op_output(call, 0);
    uint32_t axis = 0;
    TRY(concat_axis(call, out->rank, &axis));
    const uint64_t row = tensor_span(out, axis, out->rank);
    units u = units_begin(call, out->dtype);
    char *to = units_write(&u, out);
    char *at = to;
    for (uint32_t i = 0; i < call->node->inputs; i++) {
        const op_tensor *in = op_input(call, i);
        if (in->count == 0) continue;
        const uint64_t piece = tensor_span(in, axis, in->rank);
        move m = {0};
        move_add(&m, tensor_span(in, 0, axis), (int64_t)row, (int64_t)piece);
        move_add(&m, piece, 1, 1);
        move_run(call, &m, u.size, at, units_read(&u, in));
        at += piece * u.size;
    }
    units_end(&u, out, to);
    return WLK_OK;
}

/* ---- Split: how long each output is comes from an attribute (before 13) or an input;
 * where it does not, they are of equal length. Exporters gave negative axes before the
 * standard allowed them. */

enum { SPLIT_AXIS, SPLIT_LENGTHS, SPLIT_OUTPUTS = 1 /* from 18 */ };

static wlk_status split_lengths(const op_call *call, int_list *lengths) {
    const uint32_t since = call->node->row->since;
    *lengths = (int_list){.known = true};
    if (since < 13) *lengths = ints_of_attribute(call, SPLIT_LENGTHS);
    if (!lengths->given && since != 2 && since != 11) TRY(ints_of_input(call, 1, lengths));
    TRY(ints_need_count(call, lengths, "split", call->node->outputs));
    const attribute_value outputs = op_attribute(call, SPLIT_OUTPUTS);
    if (since < 18 || !outputs.given) return WLK_OK;
    if (outputs.i == (int64_t)call->node->outputs) return WLK_OK;
    return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "num_outputs is %" PRId64 ", there are %u",
                   outputs.i, call->node->outputs);
}

/* The length of output i of an axis that is divided evenly: from version 18 on the
 * last may be shorter. */
static wlk_status split_even(const op_call *call, int64_t dim, uint32_t i, int64_t *length) {
    const int64_t outputs = call->node->outputs;
    if (call->node->row->since < 18 && dim % outputs != 0) {
        return op_fail(call, op_shape_rule(call), "%" PRId64 " cannot be divided by %" PRId64, dim,
                       outputs);
    }
    const int64_t piece = dim / outputs + (dim % outputs != 0);
    *length = 0;
    if (piece == 0 || dim / piece < (int64_t)i) return WLK_OK;
    const int64_t left = dim - piece * (int64_t)i;
    *length = left < piece ? left : piece;
    return WLK_OK;
}

static wlk_status split_length(const op_call *call, const int_list *lengths, int64_t dim,
                               uint32_t i, int64_t *length) {
    *length = WLK_UNKNOWN_DIM;
    if (lengths->given && !lengths->known) return WLK_OK;
    if (!lengths->given) {
        return dim == WLK_UNKNOWN_DIM ? WLK_OK : split_even(call, dim, i, length);
    }
    *length = int_at(lengths, i);
    return *length < 0 ? ints_fail(call, lengths, "a length is negative", *length) : WLK_OK;
}

static wlk_status split_sum(const op_call *call, const int_list *lengths, int64_t dim) {
    int64_t sum = 0;
    if (!lengths->given || !lengths->known || dim == WLK_UNKNOWN_DIM) return WLK_OK;
    for (uint32_t i = 0; i < call->node->outputs; i++) {
        if (__builtin_add_overflow(sum, int_at(lengths, i), &sum)) {
            return ints_fail(call, lengths, "a length is too large", int_at(lengths, i));
        }
    }
    if (sum == dim) return WLK_OK;
    return op_fail(call, op_shape_rule(call), "lengths of %" PRId64 " for %" PRId64 " elements",
                   sum, dim);
}

static wlk_status split_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    int_list lengths;
    TRY(split_lengths(call, &lengths));
    for (uint32_t i = 0; i < call->node->outputs && in->rank == WLK_NONE; i++) {
        op_set_output(call, i, in->dtype, WLK_NONE, NULL);
    }
    if (in->rank == WLK_NONE) return WLK_OK;
    uint32_t axis = 0;
    TRY(shape_axis(call, op_attribute(call, SPLIT_AXIS).i, in->rank, true, &axis));
    int64_t dims[WLK_MAX_RANK];
    memcpy(dims, in->dims, sizeof dims);
    for (uint32_t i = 0; i < call->node->outputs; i++) {
        TRY(split_length(call, &lengths, in->dims[axis], i, &dims[axis]));
        op_set_output(call, i, in->dtype, in->rank, dims);
        op_set_text(call, i, in->text_bytes);
        TRY(units_need_output(call, i));
    }
    TRY(split_sum(call, &lengths, in->dims[axis]));
    return units_need_input(call, 0);
}

static wlk_status split_kernel(const op_call *call) {
    const op_tensor *in = op_input(call, 0);
    int_list lengths;
    uint32_t axis = 0;
    TRY(split_lengths(call, &lengths));
    TRY(shape_axis(call, op_attribute(call, SPLIT_AXIS).i, in->rank, true, &axis));
    const uint64_t inner = tensor_span(in, axis + 1, in->rank);
    units u = units_begin(call, in->dtype);
    const char *from = units_read(&u, in);
    for (uint32_t i = 0; i < call->node->outputs; i++) {
        op_tensor *out = op_output(call, i);
        int64_t length = 0;
        TRY(split_length(call, &lengths, in->dims[axis], i, &length));
        const uint64_t piece = (uint64_t)length * inner;
        if (out) {
            char *to = units_write(&u, out);
            move m = {.empty = out->count == 0};
            move_add(&m, tensor_span(in, 0, axis), (int64_t)piece,
                     (int64_t)tensor_span(in, axis, in->rank));
            move_add(&m, piece, 1, 1);
            move_run(call, &m, u.size, to, from);
            units_end(&u, out, to);
        }
        from += piece * u.size;
    }
    return WLK_OK;
}

/* ---- rows */

static const attribute_row axis_1[] = {
    [CONCAT_AXIS] = {.name = "axis", .type = WLK_ATTR_INT, .i = 1}};
static const attribute_row axis_required[] = {
    [CONCAT_AXIS] = {.name = "axis", .type = WLK_ATTR_INT, .required = true}};
static const attribute_row split_1[] = {[SPLIT_AXIS] = {.name = "axis", .type = WLK_ATTR_INT},
                                        [SPLIT_LENGTHS] = {.name = "split", .type = WLK_ATTR_INTS}};
static const attribute_row split_18[] = {
    [SPLIT_AXIS] = {.name = "axis", .type = WLK_ATTR_INT},
    [SPLIT_OUTPUTS] = {.name = "num_outputs", .type = WLK_ATTR_INT}};

static const op_port data_float[] = {{"data", DTYPES_MOVED_FLOAT, 'T'},
                                     {"split", DTYPES_MOVED_FLOAT | DTYPE_BIT(WLK_I64), 0}};
static const op_port data_1[] = {{"data", DTYPES_MOVED_1, 'T'}};
static const op_port data_13[] = {{"data", DTYPES_MOVED_13, 'T'}, {"split", DTYPE_BIT(WLK_I64), 0}};

#define ROW(op_name, version, least, most, outputs, op_ports, rows, known, op_shape, op_run)      \
    {                                                                                             \
        .domain = "", .name = op_name, .since = version, .min_inputs = least, .max_inputs = most, \
        .min_outputs = 1, .max_outputs = outputs, .ports = op_ports, .attributes = rows,          \
        .attribute_count = known, .infer = op_shape, .kernel = op_run                             \
    }
#define CONCAT(version, ports, rows) \
    ROW("Concat", version, 1, OP_MANY, 1, ports, rows, 1, concat_infer, concat_kernel)
#define SPLIT(version, inputs, ports, rows, known) \
    ROW("Split", version, 1, inputs, OP_MANY, ports, rows, known, split_infer, split_kernel)

static const op_row rows[] = {
    CONCAT(1, data_float, axis_1),       CONCAT(4, data_1, axis_required),
    CONCAT(11, data_1, axis_required),   CONCAT(13, data_13, axis_required),
    SPLIT(1, 2, data_float, split_1, 2), SPLIT(2, 1, data_1, split_1, 2),
    SPLIT(11, 1, data_1, split_1, 2),    SPLIT(13, 2, data_13, split_1, 1),
    SPLIT(18, 2, data_13, split_18, 2),
};

const op_family ops_shape_join = {rows, sizeof rows / sizeof *rows};

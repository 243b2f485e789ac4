/* Identity, Reshape, Concat: elements are moved, never looked at. */
#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "infer/ops.h"
#include "infer/shape.h"

#define DTYPES_MOVED                                                                             \
    (DTYPES_FLOAT | DTYPES_INT | DTYPE_BIT(WLK_F16) | DTYPE_BIT(WLK_BOOL) | DTYPE_BIT(WLK_STR) | \
     DTYPE_BIT(WLK_C64) | DTYPE_BIT(WLK_C128))
#define DTYPES_MOVED_13 (DTYPES_MOVED | DTYPE_BIT(WLK_BF16))
#define DTYPES_MOVED_19                                                      \
    (DTYPES_MOVED_13 | DTYPE_BIT(WLK_F8E4M3FN) | DTYPE_BIT(WLK_F8E4M3FNUZ) | \
     DTYPE_BIT(WLK_F8E5M2) | DTYPE_BIT(WLK_F8E5M2FNUZ))
#define DTYPES_MOVED_21 (DTYPES_MOVED_19 | DTYPE_BIT(WLK_I4) | DTYPE_BIT(WLK_U4))

/* ---- Reshape */

enum { RESHAPE_ALLOWZERO };

/* The wanted shape while it is being worked out. A copied dim is the same on both
 * sides, so it takes no part in counting elements: a batch of any size, none
 * included, goes through [0, -1]. */
typedef struct reshape {
    uint32_t rank;
    int64_t dims[WLK_MAX_RANK];
    int64_t have[WLK_MAX_RANK]; /* the input's dims, copied ones replaced by 1 */
    int64_t want[WLK_MAX_RANK]; /* the wanted dims, copied and inferred ones replaced by 1 */
    uint32_t inferred;          /* the axis that was -1, WLK_NONE if none */
} reshape;

static wlk_status reshape_fail(const op_call *call, const char *what, int64_t dim) {
    return op_fail(call, op_shape_rule(call), "%s (%" PRId64 ")", what, dim);
}

static wlk_status reshape_copy(const op_call *call, reshape *out, uint32_t axis) {
    const op_tensor *in = op_input(call, 0);
    out->want[axis] = 1;
    out->dims[axis] = WLK_UNKNOWN_DIM;
    if (in->rank == WLK_NONE) return WLK_OK;
    if (axis >= in->rank) {
        return reshape_fail(call, "a dim is copied from an axis that the input lacks", axis);
    }
    out->dims[axis] = in->dims[axis];
    out->have[axis] = 1;
    return WLK_OK;
}

static wlk_status reshape_dim(const op_call *call, reshape *out, uint32_t axis, int64_t dim) {
    if (dim < -1) return reshape_fail(call, "a dim is negative", dim);
    if (dim == 0 && op_attribute(call, RESHAPE_ALLOWZERO).i == 0) {
        return reshape_copy(call, out, axis);
    }
    out->dims[axis] = dim;
    out->want[axis] = dim;
    if (dim >= 0) return WLK_OK;
    if (out->inferred != WLK_NONE) return reshape_fail(call, "more than one dim is -1", dim);
    out->inferred = axis;
    out->dims[axis] = WLK_UNKNOWN_DIM;
    out->want[axis] = 1;
    return WLK_OK;
}

static wlk_status reshape_read(const op_call *call, const op_tensor *shape, reshape *out) {
    const char *dims = shape->data;
    if (shape->count > WLK_MAX_RANK) {
        return op_fail(call, call->binding ? RULE_RUN_SHAPE : RULE_PLAN_RANK, "the wanted shape");
    }
    memcpy(out->have, op_input(call, 0)->dims, sizeof out->have);
    out->inferred = WLK_NONE;
    out->rank = (uint32_t)shape->count;
    for (uint32_t i = 0; i < out->rank; i++) {
        TRY(reshape_dim(call, out, i, (int64_t)load_u64(dims + 8 * (uint64_t)i)));
    }
    return WLK_OK;
}

/* Checks the number of elements, and solves for the dim that was -1, as far as
 * the dims are known: in a run they are, and an unknown product is too large. */
static wlk_status reshape_solve(const op_call *call, reshape *out) {
    const uint32_t rank = op_input(call, 0)->rank;
    const int64_t have = rank == WLK_NONE ? WLK_UNKNOWN_DIM : dim_product(out->have, 0, rank);
    const int64_t want = dim_product(out->want, 0, out->rank);
    if (have == WLK_UNKNOWN_DIM || want == WLK_UNKNOWN_DIM) {
        return call->binding ? reshape_fail(call, "the dims are too large", want) : WLK_OK;
    }
    if (out->inferred == WLK_NONE) {
        if (have == want) return WLK_OK;
        return reshape_fail(call, "the number of elements would change", want);
    }
    if (want == 0) return reshape_fail(call, "a dim of -1 beside one of 0 is ambiguous", 0);
    if (have % want != 0) return reshape_fail(call, "the elements cannot be divided by", want);
    out->dims[out->inferred] = have / want;
    return WLK_OK;
}

/* The shape is not known yet: perhaps its length is. */
static wlk_status reshape_later(op_call *call, const op_tensor *shape) {
    int64_t dims[WLK_MAX_RANK];
    for (uint32_t i = 0; i < WLK_MAX_RANK; i++) dims[i] = WLK_UNKNOWN_DIM;
    const bool known = shape->rank == 1 && shape->dims[0] != WLK_UNKNOWN_DIM;
    if (known && shape->dims[0] > WLK_MAX_RANK) {
        return op_fail(call, RULE_PLAN_RANK, "the wanted shape");
    }
    op_set_output(call, 0, op_input(call, 0)->dtype, known ? (uint32_t)shape->dims[0] : WLK_NONE,
                  dims);
    return WLK_OK;
}

static wlk_status reshape_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    const op_tensor *shape = op_input(call, 1);
    TRY(shape_need_rank(call, 1, 1, 1));
    if (shape->origin == ORIGIN_NODE) {
        return op_fail(call, RULE_PLAN_DYNAMIC, "input 1, the wanted shape");
    }
    if (!op_is_known(call, 1)) return reshape_later(call, shape);
    reshape out = {.rank = 0};
    TRY(reshape_read(call, shape, &out));
    TRY(reshape_solve(call, &out));
    op_set_output(call, 0, in->dtype, out.rank, out.dims);
    op_set_text(call, 0, in->text_bytes);
    return WLK_OK;
}

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
    for (uint32_t i = 0; i < call->node->inputs; i++) TRY(concat_join(call, i, axis, &sum));
    op_set_output(call, 0, sum.dtype, sum.rank, sum.dims);
    op_set_text(call, 0, concat_text(call));
    return WLK_OK;
}

/* Inputs go one after the other, so that the work is that of the elements: many
 * empty inputs times many outer positions would be no work but long. */
static void concat_fixed(const op_call *call, uint32_t axis) {
    op_tensor *out = op_output(call, 0);
    const uint64_t size = wlk_dtype_bits(out->dtype) / 8;
    const uint64_t outer = tensor_span(out, 0, axis);
    const uint64_t stride = tensor_span(out, axis, out->rank) * size;
    char *target = out->target;
    for (uint32_t i = 0; i < call->node->inputs; i++) {
        const op_tensor *in = op_input(call, i);
        if (in->count == 0) continue;
        const uint64_t piece = tensor_span(in, axis, in->rank) * size;
        const char *from = in->data;
        for (uint64_t j = 0; j < outer; j++) memcpy(target + j * stride, from + j * piece, piece);
        target += piece;
    }
}

/* Calls visit for each string of each input with its place in the output. */
typedef void (*string_visit)(const op_tensor *out, uint64_t place, text_span string);

static void concat_visit(const op_call *call, uint32_t axis, string_visit visit) {
    const op_tensor *out = op_output(call, 0);
    const uint64_t stride = tensor_span(out, axis, out->rank);
    uint64_t start = 0;
    for (uint32_t i = 0; i < call->node->inputs; i++) {
        const op_tensor *in = op_input(call, i);
        if (in->count == 0) continue;
        const uint64_t piece = tensor_span(in, axis, in->rank);
        for (uint64_t j = 0; j < in->count; j++) {
            visit(out, start + j / piece * stride + j % piece, tensor_string(in, j));
        }
        start += piece;
    }
}

static void string_measure(const op_tensor *out, uint64_t place, text_span string) {
    store_u64((char *)out->target + 8 * (place + 1), string.length);
}

static void string_place(const op_tensor *out, uint64_t place, text_span string) {
    char *offsets = out->target;
    char *texts = offsets + 8 * (out->count + 1);
    if (string.length > 0) {
        memcpy(texts + load_u64(offsets + 8 * place), string.text, string.length);
    }
}

static void concat_strings(const op_call *call, uint32_t axis) {
    op_tensor *out = op_output(call, 0);
    char *offsets = out->target;
    uint64_t end = 0;
    concat_visit(call, axis, string_measure);
    store_u64(offsets, 0);
    for (uint64_t i = 1; i <= out->count; i++) {
        end += load_u64(offsets + 8 * i);
        store_u64(offsets + 8 * i, end);
    }
    concat_visit(call, axis, string_place);
    out->nbytes = 8 * (out->count + 1) + end;
}

static wlk_status concat_kernel(const op_call *call) {
    const op_tensor *out = op_output(call, 0);
    uint32_t axis = 0;
    TRY(concat_axis(call, out->rank, &axis));
    if (out->dtype == WLK_STR) {
        concat_strings(call, axis);
    } else {
        concat_fixed(call, axis);
    }
    return WLK_OK;
}

/* ---- rows */

static const attribute_row allowzero[] = {{.name = "allowzero", .type = WLK_ATTR_INT, .i = 0}};
static const attribute_row axis_required[] = {
    {.name = "axis", .type = WLK_ATTR_INT, .required = true}};

#define PORTS(suffix)                                                             \
    static const op_port move_##suffix[] = {{"data", DTYPES_MOVED_##suffix, 'T'}, \
                                            {"shape", DTYPE_BIT(WLK_I64), 0}}
#define DTYPES_MOVED_1 DTYPES_MOVED
PORTS(1);
PORTS(13);
PORTS(19);
PORTS(21);

#define ROW(op_name, version, least, most, op_ports, op_shape, op_run)                        \
    .domain = "", .name = op_name, .since = version, .min_inputs = least, .max_inputs = most, \
    .min_outputs = 1, .max_outputs = 1, .ports = op_ports, .infer = op_shape, .kernel = op_run
#define IDENTITY(version, ports) \
    { ROW("Identity", version, 1, 1, ports, op_infer_same, op_copy) }
#define RESHAPE(version, ports) ROW("Reshape", version, 2, 2, ports, reshape_infer, op_copy)
#define CONCAT(version, ports)                                                  \
    {                                                                           \
        ROW("Concat", version, 1, OP_MANY, ports, concat_infer, concat_kernel), \
            .attributes = axis_required, .attribute_count = 1                   \
    }

static const op_row rows[] = {
    IDENTITY(1, move_1),
    IDENTITY(13, move_13),
    IDENTITY(14, move_13),
    IDENTITY(16, move_13),
    IDENTITY(19, move_19),
    IDENTITY(21, move_21),
    {RESHAPE(5, move_1)},
    {RESHAPE(13, move_13)},
    {RESHAPE(14, move_13), .attributes = allowzero, .attribute_count = 1},
    {RESHAPE(19, move_19), .attributes = allowzero, .attribute_count = 1},
    {RESHAPE(21, move_21), .attributes = allowzero, .attribute_count = 1},
    CONCAT(4, move_1),
    CONCAT(11, move_1),
    CONCAT(13, move_13),
};

const op_family ops_shape = {rows, sizeof rows / sizeof *rows};

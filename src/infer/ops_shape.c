/* Identity, Reshape, Flatten, Squeeze, Unsqueeze: the elements stay what they are and
 * in their order; only the dims change. */
#include <inttypes.h>
#include <string.h>

#include "infer/int_list.h"
#include "infer/ops.h"
#include "infer/shape.h"
#include "infer/units.h"

static wlk_status set_dims(const op_call *call, uint32_t rank, const int64_t *dims) {
    const op_tensor *in = op_input(call, 0);
    op_set_output(call, 0, in->dtype, rank, dims);
    op_set_text(call, 0, in->text_bytes);
    return WLK_OK;
}

/* ---- Reshape: before version 5 the wanted shape is an attribute */

enum { RESHAPE_ALLOWZERO = 0, RESHAPE_SHAPE = 0 };

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

static bool reshape_allows_zero(const op_call *call) {
    return call->node->row->since >= 14 && op_attribute(call, RESHAPE_ALLOWZERO).i != 0;
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
    if (dim == 0 && !reshape_allows_zero(call)) return reshape_copy(call, out, axis);
    out->dims[axis] = dim;
    out->want[axis] = dim;
    if (dim >= 0) return WLK_OK;
    if (out->inferred != WLK_NONE) return reshape_fail(call, "more than one dim is -1", dim);
    out->inferred = axis;
    out->dims[axis] = WLK_UNKNOWN_DIM;
    out->want[axis] = 1;
    return WLK_OK;
}

static wlk_status reshape_rank(const op_call *call, const int_list *shape) {
    if (shape->count == UINT64_MAX || shape->count <= WLK_MAX_RANK) return WLK_OK;
    return op_fail(call, call->binding ? RULE_RUN_SHAPE : RULE_PLAN_RANK, "the wanted shape");
}

static wlk_status reshape_read(const op_call *call, const int_list *shape, reshape *out) {
    memcpy(out->have, op_input(call, 0)->dims, sizeof out->have);
    out->inferred = WLK_NONE;
    out->rank = (uint32_t)shape->count;
    for (uint32_t i = 0; i < out->rank; i++) TRY(reshape_dim(call, out, i, int_at(shape, i)));
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
static wlk_status reshape_later(const op_call *call, const int_list *shape) {
    const uint32_t rank = shape->count == UINT64_MAX ? WLK_NONE : (uint32_t)shape->count;
    set_unknown_dims(call, 0, op_input(call, 0)->dtype, rank);
    return WLK_OK;
}

static wlk_status reshape_infer(op_call *call) {
    int_list shape = ints_of_attribute(call, RESHAPE_SHAPE);
    if (call->node->row->since >= 5) {
        TRY(shape_need_rank(call, 1, 1, 1));
        TRY(ints_of_input(call, 1, &shape));
    }
    TRY(reshape_rank(call, &shape));
    if (!shape.known) return reshape_later(call, &shape);
    reshape out = {.rank = 0};
    TRY(reshape_read(call, &shape, &out));
    TRY(reshape_solve(call, &out));
    return set_dims(call, out.rank, out.dims);
}

/* ---- Flatten: two dims, the axes before `axis` and those from it on */

enum { FLATTEN_AXIS };

static wlk_status flatten_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    int64_t dims[2] = {WLK_UNKNOWN_DIM, WLK_UNKNOWN_DIM};
    if (in->rank == WLK_NONE) return set_dims(call, 2, dims);
    const int64_t axis = op_attribute(call, FLATTEN_AXIS).i;
    const int64_t low = call->node->row->since >= 11 ? -(int64_t)in->rank : 0;
    if (axis < low || axis > (int64_t)in->rank) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "axis %" PRId64 " of %u dimensions", axis,
                       in->rank);
    }
    const uint32_t split = (uint32_t)(axis < 0 ? axis + (int64_t)in->rank : axis);
    dims[0] = dim_product(in->dims, 0, split);
    dims[1] = dim_product(in->dims, split, in->rank);
    TRY(need_known_dim(call, dims[0]));
    TRY(need_known_dim(call, dims[1]));
    return set_dims(call, 2, dims);
}

/* ---- Squeeze, Unsqueeze: from version 13 on the axes are an input */

enum { SQUEEZE_AXES };

static wlk_status squeeze_list(const op_call *call, int_list *axes) {
    if (call->node->row->since >= 13) return ints_of_input(call, 1, axes);
    *axes = ints_of_attribute(call, SQUEEZE_AXES);
    return WLK_OK;
}

/* Which axes go? Without a list those of 1, which an unknown dim leaves open. */
static wlk_status squeeze_mask(const op_call *call, const int_list *list, uint32_t *mask,
                               bool *open) {
    const op_tensor *in = op_input(call, 0);
    if (!list->given) {
        for (uint32_t i = 0; i < in->rank; i++) {
            if (in->dims[i] == WLK_UNKNOWN_DIM) *open = true;
            if (in->dims[i] == 1) *mask |= 1u << i;
        }
        return WLK_OK;
    }
    axis_list axes;
    TRY(axes_read(call, list, in->rank, call->node->row->since >= 11, &axes));
    for (uint32_t i = 0; i < axes.count; i++) {
        if (!dim_agrees(in->dims[axes.axes[i]], 1)) {
            return op_fail(call, op_shape_rule(call), "axis %u has %" PRId64 " elements, not 1",
                           axes.axes[i], in->dims[axes.axes[i]]);
        }
        *mask |= 1u << axes.axes[i];
    }
    return WLK_OK;
}

static wlk_status squeeze_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    int_list list;
    TRY(squeeze_list(call, &list));
    if (in->rank == WLK_NONE || !list.known) return set_dims(call, WLK_NONE, NULL);
    uint32_t mask = 0;
    bool open = false;
    TRY(squeeze_mask(call, &list, &mask, &open));
    if (open) return set_dims(call, WLK_NONE, NULL);
    int64_t dims[WLK_MAX_RANK];
    uint32_t rank = 0;
    for (uint32_t i = 0; i < in->rank; i++) {
        if (!(mask >> i & 1)) dims[rank++] = in->dims[i];
    }
    return set_dims(call, rank, dims);
}

static wlk_status unsqueeze_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    int_list list;
    TRY(squeeze_list(call, &list));
    if (in->rank == WLK_NONE || !list.known) return set_dims(call, WLK_NONE, NULL);
    if (list.count > WLK_MAX_RANK - in->rank) {
        return op_fail(call, call->binding ? RULE_RUN_SHAPE : RULE_PLAN_RANK, "%u and %" PRIu64,
                       in->rank, list.count);
    }
    const uint32_t rank = in->rank + (uint32_t)list.count;
    axis_list axes;
    TRY(axes_read(call, &list, rank, call->node->row->since >= 11, &axes));
    uint32_t mask = 0;
    for (uint32_t i = 0; i < axes.count; i++) mask |= 1u << axes.axes[i];
    int64_t dims[WLK_MAX_RANK];
    uint32_t from = 0;
    for (uint32_t i = 0; i < rank; i++) dims[i] = mask >> i & 1 ? 1 : in->dims[from++];
    return set_dims(call, rank, dims);
}

/* ---- rows */

static const attribute_row allowzero[] = {
    [RESHAPE_ALLOWZERO] = {.name = "allowzero", .type = WLK_ATTR_INT, .i = 0}};
static const attribute_row reshape_1[] = {
    [RESHAPE_SHAPE] = {.name = "shape", .type = WLK_ATTR_INTS},
    {.name = "consumed_inputs", .type = WLK_ATTR_INTS}};
static const attribute_row flatten_axis[] = {
    [FLATTEN_AXIS] = {.name = "axis", .type = WLK_ATTR_INT, .i = 1}};
static const attribute_row axes_optional[] = {
    [SQUEEZE_AXES] = {.name = "axes", .type = WLK_ATTR_INTS}};
static const attribute_row axes_required[] = {
    [SQUEEZE_AXES] = {.name = "axes", .type = WLK_ATTR_INTS, .required = true}};

#define PORTS(name, second, dtypes) \
    static const op_port name[] = {{"data", dtypes, 'T'}, {second, DTYPE_BIT(WLK_I64), 0}}

static const op_port only_float[] = {{"data", DTYPES_MOVED_FLOAT, 'T'}};
PORTS(shape_1, "shape", DTYPES_MOVED_1);
PORTS(shape_13, "shape", DTYPES_MOVED_13);
PORTS(shape_19, "shape", DTYPES_MOVED_19);
PORTS(shape_21, "shape", DTYPES_MOVED_21);
PORTS(shape_23, "shape", DTYPES_MOVED_23);
PORTS(shape_24, "shape", DTYPES_MOVED_24);
PORTS(axes_13, "axes", DTYPES_MOVED_13);
PORTS(axes_21, "axes", DTYPES_MOVED_21);
PORTS(axes_23, "axes", DTYPES_MOVED_23);
PORTS(axes_24, "axes", DTYPES_MOVED_24);

#define ROW(op_name, version, least, most, op_ports, rule)                                    \
    .domain = "", .name = op_name, .since = version, .min_inputs = least, .max_inputs = most, \
    .min_outputs = 1, .max_outputs = 1, .ports = op_ports, .infer = rule, .kernel = op_copy,  \
    .flags = OP_ALIAS
/* From 14 on also sequences, from 16 on optionals. */
static const uint32_t identity_14[] = {VALUE_BIT(VALUE_TENSOR) | VALUE_BIT(VALUE_SEQUENCE)};
static const uint32_t identity_16[] = {VALUE_BIT(VALUE_TENSOR) | VALUE_BIT(VALUE_SEQUENCE) |
                                       VALUE_BIT(VALUE_OPTIONAL) |
                                       VALUE_BIT(VALUE_OPTIONAL_SEQUENCE)};
#define IDENTITY(version, dtypes, op_kinds) \
    { ROW("Identity", version, 1, 1, shape_##dtypes, op_infer_same), .kinds = op_kinds }
#define RESHAPE(version, dtypes) ROW("Reshape", version, 2, 2, shape_##dtypes, reshape_infer)
#define RESHAPE_14(version, dtypes) \
    { RESHAPE(version, dtypes), .attributes = allowzero, .attribute_count = 1 }
#define FLATTEN(version, dtypes)                                                                  \
    {                                                                                             \
        ROW("Flatten", version, 1, 1, shape_##dtypes, flatten_infer), .attributes = flatten_axis, \
                                                                      .attribute_count = 1        \
    }
#define SQUEEZE_1(version)                                                                  \
    {                                                                                       \
        ROW("Squeeze", version, 1, 1, shape_1, squeeze_infer), .attributes = axes_optional, \
                                                               .attribute_count = 1         \
    }
#define SQUEEZE(version, dtypes) \
    { ROW("Squeeze", version, 1, 2, axes_##dtypes, squeeze_infer) }
#define UNSQUEEZE_1(version)                                                                    \
    {                                                                                           \
        ROW("Unsqueeze", version, 1, 1, shape_1, unsqueeze_infer), .attributes = axes_required, \
                                                                   .attribute_count = 1         \
    }
#define UNSQUEEZE(version, dtypes) \
    { ROW("Unsqueeze", version, 2, 2, axes_##dtypes, unsqueeze_infer) }

static const op_row rows[] = {
    IDENTITY(1, 1, NULL),
    IDENTITY(13, 13, NULL),
    IDENTITY(14, 13, identity_14),
    IDENTITY(16, 13, identity_16),
    IDENTITY(19, 19, identity_16),
    IDENTITY(21, 21, identity_16),
    IDENTITY(23, 23, identity_16),
    IDENTITY(24, 24, identity_16),
    IDENTITY(25, 24, identity_16),
    {ROW("Reshape", 1, 1, 1, only_float, reshape_infer), .attributes = reshape_1,
     .attribute_count = 2},
    {RESHAPE(5, 1)},
    {RESHAPE(13, 13)},
    RESHAPE_14(14, 13),
    RESHAPE_14(19, 19),
    RESHAPE_14(21, 21),
    RESHAPE_14(23, 23),
    RESHAPE_14(24, 24),
    RESHAPE_14(25, 24),
    {ROW("Flatten", 1, 1, 1, only_float, flatten_infer), .attributes = flatten_axis,
     .attribute_count = 1},
    FLATTEN(9, 1),
    FLATTEN(11, 1),
    FLATTEN(13, 13),
    FLATTEN(21, 21),
    FLATTEN(23, 23),
    FLATTEN(24, 24),
    FLATTEN(25, 24),
    SQUEEZE_1(1),
    SQUEEZE_1(11),
    SQUEEZE(13, 13),
    SQUEEZE(21, 21),
    SQUEEZE(23, 23),
    SQUEEZE(24, 24),
    SQUEEZE(25, 24),
    UNSQUEEZE_1(1),
    UNSQUEEZE_1(11),
    UNSQUEEZE(13, 13),
    UNSQUEEZE(21, 21),
    UNSQUEEZE(23, 23),
    UNSQUEEZE(24, 24),
    UNSQUEEZE(25, 24),
};

const op_family ops_shape = {rows, sizeof rows / sizeof *rows};

/* Shape, Size, ConstantOfShape, EyeLike, Range: tensors made of shapes and of little
 * else. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/checked.h"
#include "infer/int_list.h"
#include "infer/numbers.h"
#include "infer/ops.h"
#include "infer/parallel.h"
#include "infer/shape.h"
#include "infer/units.h"

/* ---- Shape */

enum { SHAPE_START, SHAPE_END };

static uint32_t clamp_axis(int64_t axis, uint32_t rank) {
    if (axis < 0) axis += (int64_t)rank;
    return axis < 0 ? 0 : axis > (int64_t)rank ? rank : (uint32_t)axis;
}

static void shape_range(const op_call *call, uint32_t rank, uint32_t *from, uint32_t *to) {
    const attribute_value end = op_attribute(call, SHAPE_END);
    *from = clamp_axis(op_attribute(call, SHAPE_START).i, rank);
    *to = end.given ? clamp_axis(end.i, rank) : rank;
    if (*to < *from) *to = *from;
}

static wlk_status shape_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    int64_t dim = WLK_UNKNOWN_DIM;
    if (in->rank != WLK_NONE) {
        uint32_t from = 0;
        uint32_t to = 0;
        shape_range(call, in->rank, &from, &to);
        dim = (int64_t)to - (int64_t)from;
    }
    op_set_output(call, 0, WLK_I64, 1, &dim);
    return WLK_OK;
}

static wlk_status shape_kernel(const op_call *call) {
    const op_tensor *in = op_input(call, 0);
    int64_t *out = op_output(call, 0)->target;
    uint32_t from = 0;
    uint32_t to = 0;
    shape_range(call, in->rank, &from, &to);
    for (uint32_t i = from; i < to; i++) *out++ = in->dims[i];
    return WLK_OK;
}

/* ---- Size */

static wlk_status size_infer(op_call *call) {
    op_set_output(call, 0, WLK_I64, 0, NULL);
    return WLK_OK;
}

static wlk_status size_kernel(const op_call *call) {
    int64_t *out = op_output(call, 0)->target;
    *out = (int64_t)op_input(call, 0)->count;
    return WLK_OK;
}

/* ---- ConstantOfShape */

enum { FILL_VALUE };

static wlk_status fill_check(const op_call *call, const op_tensor *value) {
    const uint32_t dtypes =
        DTYPES_MOVED_24 & ~(DTYPE_BIT(WLK_STR) | DTYPE_BIT(WLK_C64) | DTYPE_BIT(WLK_C128));
    if (!(dtypes & DTYPE_BIT(value->dtype))) {
        return op_fail(call, RULE_PLAN_DTYPE, "attribute 'value' is %s",
                       wlk_dtype_name(value->dtype));
    }
    if (value->count == 1) return WLK_OK;
    return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "'value' has %" PRIu64 " elements, not 1",
                   value->count);
}

static wlk_status fill_dims(const op_call *call, const int_list *shape, int64_t *dims) {
    if (shape->count > WLK_MAX_RANK) {
        return op_fail(call, call->binding ? RULE_RUN_SHAPE : RULE_PLAN_RANK, "the wanted shape");
    }
    for (uint32_t i = 0; i < shape->count; i++) {
        dims[i] = int_at(shape, i);
        if (dims[i] < 0) return ints_fail(call, shape, "a dim is negative", dims[i]);
    }
    return WLK_OK;
}

static wlk_status fill_infer(op_call *call) {
    const op_tensor *value = op_attribute_tensor(call, FILL_VALUE);
    const wlk_dtype dtype = value ? value->dtype : WLK_F32;
    if (value) TRY(fill_check(call, value));
    TRY(shape_need_rank(call, 0, 1, 1));
    int_list shape;
    TRY(ints_of_input(call, 0, &shape));
    if (!shape.known) {
        const bool sized = shape.count <= WLK_MAX_RANK;
        set_unknown_dims(call, 0, dtype, sized ? (uint32_t)shape.count : WLK_NONE);
        return WLK_OK;
    }
    int64_t dims[WLK_MAX_RANK] = {0};
    TRY(fill_dims(call, &shape, dims));
    op_set_output(call, 0, dtype, (uint32_t)shape.count, dims);
    return units_need_output(call, 0);
}

static wlk_status fill_kernel(const op_call *call) {
    const op_tensor *value = op_attribute_tensor(call, FILL_VALUE);
    op_tensor *out = op_output(call, 0);
    char unit[UNIT_BYTES] = {0};
    units u = units_begin(call, out->dtype);
    if (value) memcpy(unit, value->data, value->nbytes);
    char *to = units_write(&u, out);
    units_fill(to, out->count, unit, u.size);
    units_end(&u, out, to);
    return WLK_OK;
}

/* ---- EyeLike */

enum { EYE_DTYPE, EYE_K };

#define DTYPES_EYE (DTYPES_FLOAT | DTYPES_INT | DTYPES_HALF | DTYPE_BIT(WLK_BOOL))

static wlk_status eye_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    const attribute_value dtype = op_attribute(call, EYE_DTYPE);
    const wlk_dtype wanted = dtype.given ? (wlk_dtype)dtype.i : in->dtype;
    if (wanted >= WLK_DTYPE_COUNT || !(DTYPES_EYE & DTYPE_BIT(wanted))) {
        return op_fail(call, RULE_PLAN_DTYPE, "attribute 'dtype' is %s", wlk_dtype_name(wanted));
    }
    TRY(shape_need_rank(call, 0, 2, 2));
    if (in->rank == WLK_NONE) {
        set_unknown_dims(call, 0, wanted, 2);
    } else {
        op_set_output(call, 0, wanted, 2, in->dims);
    }
    return WLK_OK;
}

static wlk_status eye_kernel(const op_call *call) {
    op_tensor *out = op_output(call, 0);
    const int64_t rows = out->dims[0];
    const int64_t cols = out->dims[1];
    const int64_t k = op_attribute(call, EYE_K).i;
    const uint64_t size = unit_size(out->dtype);
    char one[UNIT_BYTES];
    unit_from_number(out->dtype, 1, one);
    if (out->nbytes > 0) memset(out->target, 0, out->nbytes);
    if (k >= cols || k <= -rows) return WLK_OK;
    for (int64_t i = k < 0 ? -k : 0; i < rows && i + k < cols; i++) {
        memcpy((char *)out->target + (uint64_t)(i * cols + i + k) * size, one, size);
    }
    return WLK_OK;
}

/* ---- Range */

enum { RANGE_START, RANGE_LIMIT, RANGE_DELTA };

static number range_number(const op_call *call, uint32_t i) {
    const op_tensor *in = op_input(call, i);
    return number_load(in->dtype)(in->data, 0);
}

/* ceil((limit - start) / delta) in unsigned arithmetic, where the distance of any two
 * numbers fits. */
static uint64_t range_of_ints(int64_t start, int64_t limit, int64_t delta) {
    const bool up = delta > 0;
    if (up ? limit <= start : limit >= start) return 0;
    const uint64_t distance =
        up ? (uint64_t)limit - (uint64_t)start : (uint64_t)start - (uint64_t)limit;
    const uint64_t step = up ? (uint64_t)delta : 0 - (uint64_t)delta;
    return (distance - 1) / step + 1;
}

static wlk_status range_count(const op_call *call, int64_t *count) {
    const number start = range_number(call, RANGE_START);
    const number limit = range_number(call, RANGE_LIMIT);
    const number delta = range_number(call, RANGE_DELTA);
    if (start.kind != NUMBER_FLOAT) {
        if (delta.i == 0) return op_fail(call, op_value_rule(call), "delta is 0");
        const uint64_t elements = range_of_ints(start.i, limit.i, delta.i);
        *count = elements > INT64_MAX ? INT64_MAX : (int64_t)elements;
        return WLK_OK;
    }
    const double elements = ceil((limit.f - start.f) / delta.f);
    if (delta.f == 0 || isnan(elements)) {
        return op_fail(call, op_value_rule(call), "start, limit and delta give no range");
    }
    *count = elements < 0 ? 0 : saturate_i64(elements);
    return WLK_OK;
}

static wlk_status range_infer(op_call *call) {
    const wlk_dtype dtype = op_input(call, 0)->dtype;
    bool known = true;
    for (uint32_t i = 0; i < 3; i++) {
        const op_tensor *in = op_input(call, i);
        TRY(shape_need_rank(call, i, 0, 1));
        if (in->rank == 1 && !dim_agrees(in->dims[0], 1)) {
            return op_fail(call, op_shape_rule(call), "input %u is not a scalar", i);
        }
        known = known && op_is_known(call, i);
    }
    int64_t count = WLK_UNKNOWN_DIM;
    if (known) TRY(range_count(call, &count));
    op_set_output(call, 0, dtype, 1, &count);
    return WLK_OK;
}

#define RANGE(suffix, type, expression)                                             \
    static void range_##suffix(const op_call *call, void *target, uint64_t count) { \
        const type start = *(const type *)op_input(call, RANGE_START)->data;        \
        const type delta = *(const type *)op_input(call, RANGE_DELTA)->data;        \
        type *out = target;                                                         \
        for (uint64_t i = 0; i < count; i++) out[i] = (type)(expression);           \
    }

RANGE(f64, double, start + (double)i * delta)
RANGE(f32, float, start + (float)i * delta)
RANGE(i64, int64_t, (uint64_t)start + i * (uint64_t)delta)
RANGE(i32, int32_t, (uint64_t)start + i * (uint64_t)delta)
RANGE(i16, int16_t, (uint64_t)start + i * (uint64_t)delta)

static wlk_status range_kernel(const op_call *call) {
    op_tensor *out = op_output(call, 0);
    if (out->dtype == WLK_F64) range_f64(call, out->target, out->count);
    if (out->dtype == WLK_F32) range_f32(call, out->target, out->count);
    if (out->dtype == WLK_I64) range_i64(call, out->target, out->count);
    if (out->dtype == WLK_I32) range_i32(call, out->target, out->count);
    if (out->dtype == WLK_I16) range_i16(call, out->target, out->count);
    return WLK_OK;
}

/* ---- rows */

static const attribute_row shape_attributes[] = {
    [SHAPE_START] = {.name = "start", .type = WLK_ATTR_INT},
    [SHAPE_END] = {.name = "end", .type = WLK_ATTR_INT}};
static const attribute_row fill_attributes[] = {
    [FILL_VALUE] = {.name = "value", .type = WLK_ATTR_TENSOR}};
static const attribute_row eye_attributes[] = {
    [EYE_DTYPE] = {.name = "dtype", .type = WLK_ATTR_DTYPE},
    [EYE_K] = {.name = "k", .type = WLK_ATTR_INT}};
/* Halves are computed in f32 whatever it says. */
static const attribute_row range_attributes[] = {
    {.name = "stash_type", .type = WLK_ATTR_INT, .i = 1}};

static const op_port data_1[] = {{"data", DTYPES_MOVED_1, 0}};
static const op_port data_13[] = {{"data", DTYPES_MOVED_13, 0}};
static const op_port data_19[] = {{"data", DTYPES_MOVED_19, 0}};
static const op_port data_21[] = {{"data", DTYPES_MOVED_21, 0}};
static const op_port data_23[] = {{"data", DTYPES_MOVED_23, 0}};
static const op_port data_24[] = {{"data", DTYPES_MOVED_24, 0}};
static const op_port fill_port[] = {{"input", DTYPE_BIT(WLK_I64), 0}};
static const op_port eye_9[] = {{"input", DTYPES_EYE & ~DTYPE_BIT(WLK_BF16), 0}};
static const op_port eye_22[] = {{"input", DTYPES_EYE, 0}};

#define DTYPES_RANGE (DTYPES_FLOAT | DTYPE_BIT(WLK_I64) | DTYPE_BIT(WLK_I32) | DTYPE_BIT(WLK_I16))
static const op_port range_11[] = {
    {"start", DTYPES_RANGE, 'T'}, {"limit", DTYPES_RANGE, 'T'}, {"delta", DTYPES_RANGE, 'T'}};
static const op_port range_27[] = {{"start", DTYPES_RANGE | DTYPES_HALF, 'T'},
                                   {"limit", DTYPES_RANGE | DTYPES_HALF, 'T'},
                                   {"delta", DTYPES_RANGE | DTYPES_HALF, 'T'}};

#define ROW(op_name, version, inputs, op_ports, op_shape, op_run)                                \
    .domain = "", .name = op_name, .since = version, .min_inputs = inputs, .max_inputs = inputs, \
    .min_outputs = 1, .max_outputs = 1, .ports = op_ports, .infer = op_shape, .kernel = op_run
#define SHAPE(version, ports) \
    ROW("Shape", version, 1, ports, shape_infer, shape_kernel), .flags = OP_DIMS
#define SHAPE_15(version, ports) \
    { SHAPE(version, ports), .attributes = shape_attributes, .attribute_count = 2 }
#define SIZE(version, ports) \
    { ROW("Size", version, 1, ports, size_infer, size_kernel), .flags = OP_DIMS }
#define FILL(version)                                                           \
    {                                                                           \
        ROW("ConstantOfShape", version, 1, fill_port, fill_infer, fill_kernel), \
            .attributes = fill_attributes, .attribute_count = 1                 \
    }
#define EYE(version, ports)                                                                     \
    {                                                                                           \
        ROW("EyeLike", version, 1, ports, eye_infer, eye_kernel), .attributes = eye_attributes, \
                                                                  .attribute_count = 2          \
    }

static const op_row rows[] = {
    {SHAPE(1, data_1)},
    {SHAPE(13, data_13)},
    SHAPE_15(15, data_13),
    SHAPE_15(19, data_19),
    SHAPE_15(21, data_21),
    SHAPE_15(23, data_23),
    SHAPE_15(24, data_24),
    SHAPE_15(25, data_24),
    SIZE(1, data_1),
    SIZE(13, data_13),
    SIZE(19, data_19),
    SIZE(21, data_21),
    SIZE(23, data_23),
    SIZE(24, data_24),
    SIZE(25, data_24),
    FILL(9),
    FILL(20),
    FILL(21),
    FILL(23),
    FILL(24),
    FILL(25),
    EYE(9, eye_9),
    EYE(22, eye_22),
    {ROW("Range", 11, 3, range_11, range_infer, range_kernel)},
    {ROW("Range", 27, 3, range_27, range_infer, range_kernel), .attributes = range_attributes,
     .attribute_count = 1, .flags = OP_HALF},
};

const op_family ops_shape_make = {rows, sizeof rows / sizeof *rows};

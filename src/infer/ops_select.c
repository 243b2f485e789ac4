/* NonZero, Compress, OneHot, Trilu: elements by a condition on value or place. */
#include <inttypes.h>
#include <string.h>

#include "infer/int_list.h"
#include "infer/move.h"
#include "infer/numbers.h"
#include "infer/ops.h"
#include "infer/shape.h"
#include "infer/units.h"

/* ---- NonZero: false, zeros of either sign and empty strings are zero, NaN is not */

/* Bits that make a number non-zero: all but the sign of floats. A complex number is two
 * elements of half its size. */
typedef bool (*nonzero_test)(const op_tensor *tensor, uint64_t i);

#define NONZERO(function, type, parts, mask)                                 \
    static bool function(const op_tensor *tensor, uint64_t i) {              \
        const type *bits = tensor->data;                                     \
        type any = 0;                                                        \
        for (uint64_t j = 0; j < (parts); j++) any |= bits[i * (parts) + j]; \
        return (any & (mask)) != 0;                                          \
    }

NONZERO(nonzero_8, uint8_t, 1, UINT8_MAX)
NONZERO(nonzero_16, uint16_t, 1, UINT16_MAX)
NONZERO(nonzero_32, uint32_t, 1, UINT32_MAX)
NONZERO(nonzero_64, uint64_t, 1, UINT64_MAX)
NONZERO(nonzero_half, uint16_t, 1, INT16_MAX)
NONZERO(nonzero_f32, uint32_t, 1, INT32_MAX)
NONZERO(nonzero_f64, uint64_t, 1, INT64_MAX)
NONZERO(nonzero_c64, uint32_t, 2, INT32_MAX)
NONZERO(nonzero_c128, uint64_t, 2, INT64_MAX)

static bool nonzero_str(const op_tensor *tensor, uint64_t i) {
    return tensor_string(tensor, i).length > 0;
}

static const nonzero_test tests[WLK_DTYPE_COUNT] = {
    [WLK_F64] = nonzero_f64,   [WLK_F32] = nonzero_f32, [WLK_F16] = nonzero_half,
    [WLK_BF16] = nonzero_half, [WLK_I64] = nonzero_64,  [WLK_I32] = nonzero_32,
    [WLK_I16] = nonzero_16,    [WLK_I8] = nonzero_8,    [WLK_U64] = nonzero_64,
    [WLK_U32] = nonzero_32,    [WLK_U16] = nonzero_16,  [WLK_U8] = nonzero_8,
    [WLK_BOOL] = nonzero_8,    [WLK_C64] = nonzero_c64, [WLK_C128] = nonzero_c128,
    [WLK_STR] = nonzero_str};

static wlk_status nonzero_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    int64_t dims[2] = {in->rank == WLK_NONE ? WLK_UNKNOWN_DIM : (int64_t)in->rank, WLK_UNKNOWN_DIM};
    if (op_is_known(call, 0)) {
        dims[1] = 0;
        for (uint64_t i = 0; i < in->count; i++) dims[1] += tests[in->dtype](in, i);
    }
    op_set_output(call, 0, WLK_I64, 2, dims);
    return WLK_OK;
}

static wlk_status nonzero_kernel(const op_call *call) {
    const op_tensor *in = op_input(call, 0);
    const op_tensor *out = op_output(call, 0);
    const uint64_t found = (uint64_t)out->dims[1];
    int64_t index[WLK_MAX_RANK] = {0};
    int64_t *to = out->target;
    for (uint64_t i = 0; i < in->count; i++) {
        if (tests[in->dtype](in, i)) {
            for (uint32_t axis = 0; axis < in->rank; axis++) to[axis * found] = index[axis];
            to++;
        }
        for (uint32_t axis = in->rank; axis-- > 0;) {
            if (++index[axis] < in->dims[axis]) break;
            index[axis] = 0;
        }
    }
    return WLK_OK;
}

/* ---- Compress: the slices along an axis, or the elements, for which a flag is set */

enum { COMPRESS_AXIS };

static uint64_t count_true(const op_tensor *flags) {
    const uint8_t *flag = flags->data;
    uint64_t count = 0;
    for (uint64_t i = 0; i < flags->count; i++) count += flag[i] != 0;
    return count;
}

/* The axis along which is chosen; *flat: the whole tensor is one axis. */
static wlk_status compress_axis(const op_call *call, bool *flat, uint32_t *axis) {
    const attribute_value value = op_attribute(call, COMPRESS_AXIS);
    *flat = !value.given;
    *axis = 0;
    if (*flat) return WLK_OK;
    return shape_axis(call, value.i, op_input(call, 0)->rank, call->node->row->since >= 11, axis);
}

static wlk_status compress_flags(const op_call *call, int64_t elements) {
    const op_tensor *flags = op_input(call, 1);
    if (flags->rank == WLK_NONE || elements == WLK_UNKNOWN_DIM || flags->dims[0] <= elements) {
        return WLK_OK;
    }
    return op_fail(call, op_shape_rule(call), "%" PRId64 " flags for %" PRId64 " elements",
                   flags->dims[0], elements);
}

static wlk_status compress_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    bool flat = false;
    uint32_t axis = 0;
    TRY(shape_need_rank(call, 1, 1, 1));
    TRY(shape_need_rank(call, 0, 1, WLK_MAX_RANK));
    int64_t dims[WLK_MAX_RANK] = {0};
    const int64_t chosen =
        op_is_known(call, 1) ? (int64_t)count_true(op_input(call, 1)) : WLK_UNKNOWN_DIM;
    if (in->rank == WLK_NONE) {
        flat = !op_attribute(call, COMPRESS_AXIS).given;
        op_set_output(call, 0, in->dtype, flat ? 1 : WLK_NONE, &chosen);
        return WLK_OK;
    }
    TRY(compress_axis(call, &flat, &axis));
    TRY(compress_flags(call, flat ? dim_product(in->dims, 0, in->rank) : in->dims[axis]));
    memcpy(dims, in->dims, sizeof dims);
    dims[axis] = chosen;
    op_set_output(call, 0, in->dtype, flat ? 1 : in->rank, dims);
    op_set_text(call, 0, in->text_bytes);
    TRY(units_need_input(call, 0));
    return units_need_output(call, 0);
}

static wlk_status compress_kernel(const op_call *call) {
    const op_tensor *in = op_input(call, 0);
    const op_tensor *flags = op_input(call, 1);
    op_tensor *out = op_output(call, 0);
    const uint8_t *flag = flags->data;
    bool flat = false;
    uint32_t axis = 0;
    TRY(compress_axis(call, &flat, &axis));
    units u = units_begin(call, out->dtype);
    const char *from = units_read(&u, in);
    char *to = units_write(&u, out);
    char *at = to;
    const uint64_t outer = out->count == 0 || flat ? out->count > 0 : tensor_span(in, 0, axis);
    const uint64_t dim = flat ? in->count : (uint64_t)in->dims[axis];
    const uint64_t bytes = (flat ? 1 : tensor_span(in, axis + 1, in->rank)) * u.size;
    for (uint64_t i = 0; i < outer; i++) {
        for (uint64_t j = 0; j < flags->count; j++) {
            if (!flag[j]) continue;
            memcpy(at, from + (i * dim + j) * bytes, bytes);
            at += bytes;
        }
    }
    units_end(&u, out, to);
    return WLK_OK;
}

/* ---- OneHot */

enum { ONEHOT_AXIS };
enum { ONEHOT_INDICES, ONEHOT_DEPTH, ONEHOT_VALUES };

static int64_t integer_of(const op_tensor *tensor, number_loader load, uint64_t i) {
    const number value = load(tensor->data, i);
    if (value.kind == NUMBER_FLOAT) return saturate_i64(value.f);
    return value.kind == NUMBER_UINT && value.u > INT64_MAX ? INT64_MAX : value.i;
}

static wlk_status onehot_depth(const op_call *call, int64_t *depth) {
    const op_tensor *in = op_input(call, ONEHOT_DEPTH);
    TRY(shape_need_rank(call, ONEHOT_DEPTH, 0, 1));
    if (in->rank == 1 && !dim_agrees(in->dims[0], 1)) {
        return op_fail(call, op_shape_rule(call), "input 1, the depth, is not one number");
    }
    *depth = WLK_UNKNOWN_DIM;
    if (!op_is_known(call, ONEHOT_DEPTH)) return WLK_OK;
    *depth = integer_of(in, number_load(in->dtype), 0);
    if (*depth >= 0) return WLK_OK;
    return op_fail(call, op_value_rule(call), "the depth is %" PRId64, *depth);
}

static wlk_status onehot_infer(op_call *call) {
    const op_tensor *in = op_input(call, ONEHOT_INDICES);
    const op_tensor *values = op_input(call, ONEHOT_VALUES);
    int64_t depth = 0;
    TRY(onehot_depth(call, &depth));
    TRY(shape_need_rank(call, ONEHOT_VALUES, 1, 1));
    if (values->rank == 1 && !dim_agrees(values->dims[0], 2)) {
        return op_fail(call, op_shape_rule(call), "input 2 must hold two values");
    }
    TRY(shape_need_rank(call, ONEHOT_INDICES, 0, WLK_MAX_RANK - 1));
    if (in->rank == WLK_NONE) {
        op_set_output(call, 0, values->dtype, WLK_NONE, NULL);
        return WLK_OK;
    }
    uint32_t axis = 0;
    TRY(shape_axis(call, op_attribute(call, ONEHOT_AXIS).i, in->rank + 1, true, &axis));
    int64_t dims[WLK_MAX_RANK];
    for (uint32_t i = 0; i < in->rank; i++) dims[i + (i >= axis)] = in->dims[i];
    dims[axis] = depth;
    op_set_output(call, 0, values->dtype, in->rank + 1, dims);
    units_set_text(call, 0, ONEHOT_VALUES, UINT64_MAX);
    TRY(units_need_input(call, ONEHOT_VALUES));
    return units_need_output(call, 0);
}

static wlk_status onehot_kernel(const op_call *call) {
    const op_tensor *in = op_input(call, ONEHOT_INDICES);
    op_tensor *out = op_output(call, 0);
    uint32_t axis = 0;
    TRY(shape_axis(call, op_attribute(call, ONEHOT_AXIS).i, in->rank + 1, true, &axis));
    units u = units_begin(call, out->dtype);
    const char *values = units_read(&u, op_input(call, ONEHOT_VALUES));
    char *to = units_write(&u, out);
    units_fill(to, out->count, values, u.size);
    const int64_t depth = out->dims[axis];
    const number_loader load = number_load(in->dtype);
    const uint64_t inner = tensor_span(in, axis, in->rank);
    for (uint64_t i = 0; i < in->count; i++) {
        const int64_t index = integer_of(in, load, i);
        if (index < -depth || index >= depth) continue;
        const uint64_t at = (uint64_t)(index < 0 ? index + depth : index);
        const uint64_t place = (i / inner * (uint64_t)depth + at) * inner + i % inner;
        memcpy(to + place * u.size, values + u.size, u.size);
    }
    units_end(&u, out, to);
    return WLK_OK;
}

/* ---- Trilu: matrices of which one side of a diagonal is zeroed */

enum { TRILU_UPPER };

static wlk_status trilu_infer(op_call *call) {
    const op_tensor *k = op_input(call, 1);
    TRY(shape_need_rank(call, 0, 2, WLK_MAX_RANK));
    if (k) {
        TRY(shape_need_rank(call, 1, 0, 1));
        if (k->rank == 1 && !dim_agrees(k->dims[0], 1)) {
            return op_fail(call, op_shape_rule(call), "input 1, k, is not one number");
        }
    }
    TRY(op_infer_same(call));
    TRY(units_need_input(call, 0));
    return units_need_output(call, 0);
}

/* How many elements of row `row` stand left of the diagonal (and on it, for the lower
 * part): clamped to the row. */
static uint64_t trilu_split(int64_t row, int64_t k, int64_t cols, bool upper) {
    int64_t at; /* the column of the diagonal, or the one behind it */
    if (__builtin_add_overflow(row + !upper, k, &at)) return (uint64_t)cols;
    return at < 0 ? 0 : at > cols ? (uint64_t)cols : (uint64_t)at;
}

static wlk_status trilu_kernel(const op_call *call) {
    const op_tensor *k = op_input(call, 1);
    op_tensor *out = op_output(call, 0);
    const bool upper = op_attribute(call, TRILU_UPPER).i != 0;
    const int64_t diagonal = k ? op_int(k, 0) : 0;
    const int64_t cols = out->dims[out->rank - 1];
    const int64_t rows = out->dims[out->rank - 2];
    units u = units_begin(call, out->dtype);
    const char *from = units_read(&u, op_input(call, 0));
    char *to = units_write(&u, out);
    const uint64_t bytes = (uint64_t)cols * u.size;
    const uint64_t lines = out->count == 0 ? 0 : out->count / (uint64_t)cols;
    for (uint64_t i = 0; i < lines; i++) {
        const uint64_t left =
            trilu_split((int64_t)(i % (uint64_t)rows), diagonal, cols, upper) * u.size;
        char *line = to + i * bytes;
        memcpy(line, from + i * bytes, bytes);
        if (upper) {
            memset(line, 0, left);
        } else {
            memset(line + left, 0, bytes - left);
        }
    }
    units_end(&u, out, to);
    return WLK_OK;
}

/* ---- rows */

static const attribute_row axis_optional[] = {
    [COMPRESS_AXIS] = {.name = "axis", .type = WLK_ATTR_INT}};
static const attribute_row axis_last[] = {
    [ONEHOT_AXIS] = {.name = "axis", .type = WLK_ATTR_INT, .i = -1}};
static const attribute_row upper[] = {
    [TRILU_UPPER] = {.name = "upper", .type = WLK_ATTR_INT, .i = 1}};

#define DTYPES_NUMBER (DTYPES_FLOAT | DTYPES_INT | DTYPE_BIT(WLK_F16))
static const op_port nonzero_1[] = {{"X", DTYPES_MOVED_1, 0}};
static const op_port nonzero_13[] = {{"X", DTYPES_MOVED_13, 0}};
static const op_port compress_1[] = {{"input", DTYPES_MOVED_1, 0},
                                     {"condition", DTYPE_BIT(WLK_BOOL), 0}};
static const op_port compress_13[] = {{"input", DTYPES_MOVED_13, 0},
                                      {"condition", DTYPE_BIT(WLK_BOOL), 0}};
static const op_port onehot_1[] = {
    {"indices", DTYPES_NUMBER, 0}, {"depth", DTYPES_NUMBER, 0}, {"values", DTYPES_MOVED_1, 0}};
static const op_port onehot_13[] = {
    {"indices", DTYPES_NUMBER, 0}, {"depth", DTYPES_NUMBER, 0}, {"values", DTYPES_MOVED_13, 0}};
static const op_port trilu_ports[] = {{"input", DTYPES_MOVED_13, 0}, {"k", DTYPE_BIT(WLK_I64), 0}};

#define ROW(op_name, version, least, most, op_ports, op_shape, op_run)                        \
    .domain = "", .name = op_name, .since = version, .min_inputs = least, .max_inputs = most, \
    .min_outputs = 1, .max_outputs = 1, .ports = op_ports, .infer = op_shape, .kernel = op_run
#define COMPRESS(version, ports)                                                \
    {                                                                           \
        ROW("Compress", version, 2, 2, ports, compress_infer, compress_kernel), \
            .attributes = axis_optional, .attribute_count = 1                   \
    }
#define ONEHOT(version, ports)                                                                     \
    {                                                                                              \
        ROW("OneHot", version, 3, 3, ports, onehot_infer, onehot_kernel), .attributes = axis_last, \
                                                                          .attribute_count = 1     \
    }

static const op_row rows[] = {
    {ROW("NonZero", 9, 1, 1, nonzero_1, nonzero_infer, nonzero_kernel)},
    {ROW("NonZero", 13, 1, 1, nonzero_13, nonzero_infer, nonzero_kernel)},
    COMPRESS(9, compress_1),
    COMPRESS(11, compress_1),
    COMPRESS(28, compress_13),
    ONEHOT(9, onehot_1),
    ONEHOT(11, onehot_1),
    ONEHOT(28, onehot_13),
    {ROW("Trilu", 14, 1, 2, trilu_ports, trilu_infer, trilu_kernel), .attributes = upper,
     .attribute_count = 1},
};

const op_family ops_select = {rows, sizeof rows / sizeof *rows};

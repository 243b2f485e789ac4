/* ArgMax. */
#include "infer/ops.h"
#include "infer/shape.h"

/* Where the largest of `length` elements is that lie `step` apart; among equals
 * the first, or the last. As numpy has it, NaN is larger than everything and
 * equal to itself. */
typedef uint64_t (*argmax_run)(const void *data, uint64_t length, uint64_t step, bool last);

#define ARGMAX(function, type)                                                              \
    static uint64_t function(const void *data, uint64_t length, uint64_t step, bool last) { \
        const type *from = data;                                                            \
        uint64_t best = 0;                                                                  \
        for (uint64_t i = 1; i < length; i++) {                                             \
            const type x = from[i * step];                                                  \
            const type top = from[best * step];                                             \
            const bool larger = x > top || (x != x && top == top);                          \
            const bool equal = x == top || (x != x && top != top);                          \
            if (larger || (last && equal)) best = i;                                        \
        }                                                                                   \
        return best;                                                                        \
    }

ARGMAX(argmax_f64, double)
ARGMAX(argmax_f32, float)
ARGMAX(argmax_i64, int64_t)
ARGMAX(argmax_i32, int32_t)
ARGMAX(argmax_i16, int16_t)
ARGMAX(argmax_i8, int8_t)
ARGMAX(argmax_u64, uint64_t)
ARGMAX(argmax_u32, uint32_t)
ARGMAX(argmax_u16, uint16_t)
ARGMAX(argmax_u8, uint8_t)

static const argmax_run runs[WLK_DTYPE_COUNT] = {
    [WLK_F64] = argmax_f64, [WLK_F32] = argmax_f32, [WLK_I64] = argmax_i64, [WLK_I32] = argmax_i32,
    [WLK_I16] = argmax_i16, [WLK_I8] = argmax_i8,   [WLK_U64] = argmax_u64, [WLK_U32] = argmax_u32,
    [WLK_U16] = argmax_u16, [WLK_U8] = argmax_u8,
};

enum { ARGMAX_AXIS, ARGMAX_KEEPDIMS, ARGMAX_SELECT_LAST };

static wlk_status argmax_axis(const op_call *call, uint32_t *axis) {
    return shape_axis(call, op_attribute(call, ARGMAX_AXIS).i, op_input(call, 0)->rank,
                      call->node->row->since >= 11, axis);
}

static wlk_status argmax_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    if (in->rank == WLK_NONE) {
        op_set_output(call, 0, WLK_I64, WLK_NONE, NULL);
        return WLK_OK;
    }
    uint32_t axis = 0;
    TRY(argmax_axis(call, &axis));
    if (in->dims[axis] == 0) {
        return op_fail(call, op_shape_rule(call), "axis %u is empty: there is no largest", axis);
    }
    const bool keep = op_attribute(call, ARGMAX_KEEPDIMS).i != 0;
    int64_t dims[WLK_MAX_RANK];
    uint32_t rank = 0;
    for (uint32_t i = 0; i < in->rank; i++) {
        if (i != axis) dims[rank++] = in->dims[i];
        if (i == axis && keep) dims[rank++] = 1;
    }
    op_set_output(call, 0, WLK_I64, rank, dims);
    return WLK_OK;
}

static wlk_status argmax_kernel(const op_call *call) {
    const op_tensor *in = op_input(call, 0);
    int64_t *out = op_output(call, 0)->target;
    uint32_t axis = 0;
    TRY(argmax_axis(call, &axis));
    if (in->count == 0) return WLK_OK;
    const uint64_t outer = tensor_span(in, 0, axis);
    const uint64_t length = (uint64_t)in->dims[axis];
    const uint64_t inner = tensor_span(in, axis + 1, in->rank);
    const uint64_t size = wlk_dtype_bits(in->dtype) / 8;
    const bool last = op_attribute(call, ARGMAX_SELECT_LAST).i != 0;
    for (uint64_t i = 0; i < outer; i++) {
        for (uint64_t j = 0; j < inner; j++) {
            const char *from = (const char *)in->data + (i * length * inner + j) * size;
            *out++ = (int64_t)runs[in->dtype](from, length, inner, last);
        }
    }
    return WLK_OK;
}

static const attribute_row attributes[] = {
    [ARGMAX_AXIS] = {.name = "axis", .type = WLK_ATTR_INT, .i = 0},
    [ARGMAX_KEEPDIMS] = {.name = "keepdims", .type = WLK_ATTR_INT, .i = 1},
    [ARGMAX_SELECT_LAST] = {.name = "select_last_index", .type = WLK_ATTR_INT, .i = 0},
};

static const op_port port[] = {{"data", DTYPES_FLOAT | DTYPES_INT, 'T'}};

#define ROW(version, known_attributes)                                                      \
    {                                                                                       \
        .domain = "", .name = "ArgMax", .since = version, .min_inputs = 1, .max_inputs = 1, \
        .min_outputs = 1, .max_outputs = 1, .ports = port, .attributes = attributes,        \
        .attribute_count = known_attributes, .infer = argmax_infer, .kernel = argmax_kernel \
    }

static const op_row rows[] = {ROW(1, 2), ROW(11, 2), ROW(12, 3), ROW(13, 3)};

const op_family ops_reduce = {rows, sizeof rows / sizeof *rows};

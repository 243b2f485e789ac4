/* TopK: of each line along an axis the k largest, or smallest, elements in order. NaN is
 * larger than everything; among equals the one in front comes first. */
#include <inttypes.h>
#include <string.h>

#include "infer/int_list.h"
#include "infer/ops.h"
#include "infer/shape.h"

enum { TOPK_AXIS, TOPK_K = 1 /* before 10 */, TOPK_LARGEST = 1, TOPK_SORTED };

/* A line: elements lie `step` apart. */
typedef struct topk_line {
    const void *data;
    uint64_t step;
    uint64_t length;
} topk_line;

/* Fills order[0..k) with the places of the k elements, best first. A heap of the best
 * so far, the worst of them on top: n log k. */
typedef void (*topk_run)(const topk_line *line, uint64_t k, uint64_t *order);

/* before_X(line, a, b): does the element at a stand before the one at b? The sift is in
 * the macro, so that the comparison is inlined. */
#define TOPK(name, type, better, equal)                                                           \
    static inline bool before_##name(const topk_line *line, uint64_t a, uint64_t b) {             \
        const type x = ((const type *)line->data)[a * line->step];                                \
        const type y = ((const type *)line->data)[b * line->step];                                \
        return (better) || ((equal) && a < b);                                                    \
    }                                                                                             \
    static void sift_##name(const topk_line *line, uint64_t *heap, uint64_t count, uint64_t at) { \
        const uint64_t moved = heap[at];                                                          \
        for (uint64_t child = 2 * at + 1; child < count; child = 2 * at + 1) {                    \
            if (child + 1 < count && before_##name(line, heap[child], heap[child + 1])) child++;  \
            if (!before_##name(line, moved, heap[child])) break;                                  \
            heap[at] = heap[child];                                                               \
            at = child;                                                                           \
        }                                                                                         \
        heap[at] = moved;                                                                         \
    }                                                                                             \
    static void topk_##name(const topk_line *line, uint64_t k, uint64_t *order) {                 \
        for (uint64_t i = 0; i < k; i++) order[i] = i;                                            \
        for (uint64_t i = k / 2; i-- > 0;) sift_##name(line, order, k, i);                        \
        for (uint64_t i = k; i < line->length; i++) {                                             \
            if (!before_##name(line, i, order[0])) continue;                                      \
            order[0] = i;                                                                         \
            sift_##name(line, order, k, 0);                                                       \
        }                                                                                         \
        for (uint64_t i = k; i-- > 1;) {                                                          \
            const uint64_t worst = order[0];                                                      \
            order[0] = order[i];                                                                  \
            order[i] = worst;                                                                     \
            sift_##name(line, order, i, 0);                                                       \
        }                                                                                         \
    }

#define FLOAT_ABOVE(a, b) (a > b || (a != a && b == b))
#define FLOAT_EQUAL(a, b) (a == b || (a != a && b != b))
#define FLOATING(suffix, type)                                         \
    TOPK(largest_##suffix, type, FLOAT_ABOVE(x, y), FLOAT_EQUAL(x, y)) \
    TOPK(smallest_##suffix, type, FLOAT_ABOVE(y, x), FLOAT_EQUAL(x, y))
#define INTEGER(suffix, type)                   \
    TOPK(largest_##suffix, type, x > y, x == y) \
    TOPK(smallest_##suffix, type, x < y, x == y)

FLOATING(f64, double)
FLOATING(f32, float)
INTEGER(i64, int64_t)
INTEGER(i32, int32_t)
INTEGER(i16, int16_t)
INTEGER(i8, int8_t)
INTEGER(u64, uint64_t)
INTEGER(u32, uint32_t)
INTEGER(u16, uint16_t)
INTEGER(u8, uint8_t)

#define RUNS(which)                                                     \
    {                                                                   \
        [WLK_F64] = topk_##which##_f64, [WLK_F32] = topk_##which##_f32, \
        [WLK_I64] = topk_##which##_i64, [WLK_I32] = topk_##which##_i32, \
        [WLK_I16] = topk_##which##_i16, [WLK_I8] = topk_##which##_i8,   \
        [WLK_U64] = topk_##which##_u64, [WLK_U32] = topk_##which##_u32, \
        [WLK_U16] = topk_##which##_u16, [WLK_U8] = topk_##which##_u8    \
    }
static const topk_run runs[2][WLK_DTYPE_COUNT] = {RUNS(smallest), RUNS(largest)};

/* k from the attribute or input 1; WLK_UNKNOWN_DIM if it is not known. */
static wlk_status topk_k(const op_call *call, int64_t *k) {
    *k = op_attribute(call, TOPK_K).i;
    int_list list = {.known = true, .attribute = true};
    if (call->node->row->since >= 10) {
        TRY(ints_of_input(call, 1, &list));
        TRY(ints_need_count(call, &list, "k", 1));
        *k = list.known ? int_at(&list, 0) : WLK_UNKNOWN_DIM;
    }
    return list.known && *k < 0 ? ints_fail(call, &list, "k is negative", *k) : WLK_OK;
}

static wlk_status topk_axis(const op_call *call, uint32_t *axis) {
    return shape_axis(call, op_attribute(call, TOPK_AXIS).i, op_input(call, 0)->rank, true, axis);
}

static wlk_status topk_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    int64_t k = WLK_UNKNOWN_DIM;
    uint32_t axis = 0;
    int64_t dims[WLK_MAX_RANK];
    TRY(topk_k(call, &k));
    TRY(shape_need_rank(call, 0, 1, WLK_MAX_RANK));
    if (in->rank != WLK_NONE) {
        TRY(topk_axis(call, &axis));
        if (in->dims[axis] != WLK_UNKNOWN_DIM && k > in->dims[axis]) {
            return op_fail(call, op_value_rule(call), "k is %" PRId64 ", of %" PRId64, k,
                           in->dims[axis]);
        }
        for (uint32_t i = 0; i < in->rank; i++) dims[i] = i == axis ? k : in->dims[i];
    }
    op_set_output(call, 0, in->dtype, in->rank, dims);
    op_set_output(call, 1, WLK_I64, in->rank, dims);
    if (!call->binding || k == WLK_UNKNOWN_DIM) return WLK_OK;
    uint64_t levels = 1;
    for (int64_t left = k; left > 1; left /= 2) levels++;
    op_add_operations(call, OP_ELEMENT_COST, levels, tensor_span(in, 0, in->rank), 1);
    return op_need_scratch(call, (uint64_t)k, sizeof(uint64_t));
}

static wlk_status topk_kernel(const op_call *call) {
    const op_tensor *in = op_input(call, 0);
    const op_tensor *out = op_output(call, 0);
    const op_tensor *places = op_output(call, 1);
    uint32_t axis = 0;
    TRY(topk_axis(call, &axis));
    if (out->count == 0) return WLK_OK;
    const uint64_t size = wlk_dtype_bits(in->dtype) / 8;
    const uint64_t inner = tensor_span(in, axis + 1, in->rank);
    const uint64_t length = (uint64_t)in->dims[axis];
    const uint64_t k = (uint64_t)out->dims[axis];
    const bool largest = call->node->row->since < 11 || op_attribute(call, TOPK_LARGEST).i != 0;
    uint64_t *order = call->scratch;
    for (uint64_t i = 0; i < in->count / length; i++) {
        const uint64_t first = i / inner * length * inner + i % inner;
        const uint64_t to = i / inner * k * inner + i % inner;
        const topk_line line = {(const char *)in->data + first * size, inner, length};
        runs[largest][in->dtype](&line, k, order);
        for (uint64_t j = 0; j < k; j++) {
            memcpy((char *)out->target + (to + j * inner) * size,
                   (const char *)line.data + order[j] * inner * size, size);
            ((int64_t *)places->target)[to + j * inner] = (int64_t)order[j];
        }
    }
    return WLK_OK;
}

/* ---- rows */

static const attribute_row topk_1[] = {
    [TOPK_AXIS] = {.name = "axis", .type = WLK_ATTR_INT, .i = -1},
    [TOPK_K] = {.name = "k", .type = WLK_ATTR_INT, .required = true}};
static const attribute_row topk_11[] = {
    [TOPK_AXIS] = {.name = "axis", .type = WLK_ATTR_INT, .i = -1},
    [TOPK_LARGEST] = {.name = "largest", .type = WLK_ATTR_INT, .i = 1},
    [TOPK_SORTED] = {.name = "sorted", .type = WLK_ATTR_INT, .i = 1}};

#define DTYPES_OLD (DTYPES_FLOAT | DTYPE_BIT(WLK_F16))
static const op_port ports_1[] = {{"X", DTYPES_OLD, 0}, {"K", DTYPE_BIT(WLK_I64), 0}};
static const op_port ports_11[] = {{"X", DTYPES_OLD | DTYPES_INT, 0}, {"K", DTYPE_BIT(WLK_I64), 0}};
static const op_port ports_24[] = {{"X", DTYPES_FLOAT | DTYPES_HALF | DTYPES_INT, 0},
                                   {"K", DTYPE_BIT(WLK_I64), 0}};

#define ROW(version, inputs, op_ports, rows, known)                                               \
    {                                                                                             \
        .domain = "", .name = "TopK", .since = version, .min_inputs = inputs,                     \
        .max_inputs = inputs, .min_outputs = 2, .max_outputs = 2, .ports = op_ports,              \
        .attributes = rows, .attribute_count = known, .infer = topk_infer, .kernel = topk_kernel, \
        .flags = OP_HALF                                                                          \
    }

static const op_row rows[] = {ROW(1, 1, ports_1, topk_1, 2), ROW(10, 2, ports_1, topk_1, 1),
                              ROW(11, 2, ports_11, topk_11, 3), ROW(24, 2, ports_24, topk_11, 3)};

const op_family ops_select_topk = {rows, sizeof rows / sizeof *rows};

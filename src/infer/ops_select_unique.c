/* Unique: the distinct elements, or slices along an axis. They are sorted by number, NaN
 * behind all others and equal to itself; strings by their bytes. */
#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "base/sort.h"
#include "infer/int_list.h"
#include "infer/numbers.h"
#include "infer/ops.h"
#include "infer/shape.h"
#include "infer/units.h"

enum { UNIQUE_AXIS, UNIQUE_SORTED };
enum { UNIQUE_VALUES, UNIQUE_FIRST, UNIQUE_INVERSE, UNIQUE_COUNTS };

/* Less than, equal to or greater than 0 as element a stands before, beside or behind b. */
typedef int (*element_compare)(const op_tensor *tensor, uint64_t a, uint64_t b);

#define COMPARE(suffix, type)                                                      \
    static int compare_##suffix(const op_tensor *tensor, uint64_t a, uint64_t b) { \
        const type x = ((const type *)tensor->data)[a];                            \
        const type y = ((const type *)tensor->data)[b];                            \
        return (x > y) - (x < y);                                                  \
    }
#define COMPARE_FLOAT(suffix, type)                                                        \
    static int order_##suffix(type x, type y) {                                            \
        if (x != x || y != y) return (x != x) - (y != y);                                  \
        return (x > y) - (x < y);                                                          \
    }                                                                                      \
    static int compare_##suffix(const op_tensor *tensor, uint64_t a, uint64_t b) {         \
        const type *data = tensor->data;                                                   \
        return order_##suffix(data[a], data[b]);                                           \
    }                                                                                      \
    static int compare_complex_##suffix(const op_tensor *tensor, uint64_t a, uint64_t b) { \
        const type *data = tensor->data;                                                   \
        const int real = order_##suffix(data[2 * a], data[2 * b]);                         \
        return real != 0 ? real : order_##suffix(data[2 * a + 1], data[2 * b + 1]);        \
    }

COMPARE_FLOAT(f64, double)
COMPARE_FLOAT(f32, float)
COMPARE(i64, int64_t)
COMPARE(i32, int32_t)
COMPARE(i16, int16_t)
COMPARE(i8, int8_t)
COMPARE(u64, uint64_t)
COMPARE(u32, uint32_t)
COMPARE(u16, uint16_t)
COMPARE(u8, uint8_t)

static int compare_half(const op_tensor *tensor, uint64_t a, uint64_t b) {
    const number_loader load = number_load(tensor->dtype);
    return order_f64(load(tensor->data, a).f, load(tensor->data, b).f);
}

static int compare_str(const op_tensor *tensor, uint64_t a, uint64_t b) {
    const text_span x = tensor_string(tensor, a);
    const text_span y = tensor_string(tensor, b);
    const uint64_t common = x.length < y.length ? x.length : y.length;
    const int order = common > 0 ? memcmp(x.text, y.text, common) : 0;
    return order != 0 ? order : (x.length > y.length) - (x.length < y.length);
}

static const element_compare compares[WLK_DTYPE_COUNT] = {
    [WLK_F64] = compare_f64,   [WLK_F32] = compare_f32,         [WLK_F16] = compare_half,
    [WLK_BF16] = compare_half, [WLK_I64] = compare_i64,         [WLK_I32] = compare_i32,
    [WLK_I16] = compare_i16,   [WLK_I8] = compare_i8,           [WLK_U64] = compare_u64,
    [WLK_U32] = compare_u32,   [WLK_U16] = compare_u16,         [WLK_U8] = compare_u8,
    [WLK_BOOL] = compare_u8,   [WLK_C64] = compare_complex_f32, [WLK_C128] = compare_complex_f64,
    [WLK_STR] = compare_str};

/* ---- slices */

/* The tensor as [outer, count, inner]: a slice is all elements of one middle index. Of a
 * tensor without elements there are none here, though the axis may have any length. */
typedef struct slices {
    const op_tensor *tensor;
    element_compare compare;
    uint64_t outer;
    uint32_t count;
    uint64_t inner;
} slices;

static wlk_status slices_of(const op_call *call, slices *out, uint32_t *axis) {
    const op_tensor *in = op_input(call, 0);
    const attribute_value value = op_attribute(call, UNIQUE_AXIS);
    uint64_t count = in->count;
    *out = (slices){.tensor = in, .compare = compares[in->dtype], .outer = 1, .inner = 1};
    *axis = 0;
    if (value.given) TRY(shape_axis(call, value.i, in->rank, true, axis));
    if (value.given && in->count > 0) {
        count = (uint64_t)in->dims[*axis];
        out->outer = tensor_span(in, 0, *axis);
        out->inner = tensor_span(in, *axis + 1, in->rank);
    }
    if (count > UINT32_MAX) return op_fail(call, RULE_RUN_MEMORY, "%" PRIu64 " slices", count);
    out->count = (uint32_t)count;
    return WLK_OK;
}

static int compare_slices(const void *context, uint32_t a, uint32_t b) {
    const slices *s = context;
    for (uint64_t i = 0; i < s->outer; i++) {
        const uint64_t base = i * s->count;
        for (uint64_t j = 0; j < s->inner; j++) {
            const int order =
                s->compare(s->tensor, (base + a) * s->inner + j, (base + b) * s->inner + j);
            if (order != 0) return order;
        }
    }
    return 0;
}

/* order: the slices sorted, equal ones by their place; room: as many. Returns how many
 * are distinct. */
static uint32_t sort_slices(const slices *s, uint32_t *order, uint32_t *room) {
    for (uint32_t i = 0; i < s->count; i++) order[i] = i;
    sort_u32(order, s->count, compare_slices, s, room);
    uint32_t distinct = s->count > 0;
    for (uint32_t i = 1; i < s->count; i++) {
        distinct += compare_slices(s, order[i - 1], order[i]) != 0;
    }
    return distinct;
}

/* ---- the shape rule has to sort as well, with memory of its own */

static wlk_status count_distinct(const op_call *call, int64_t *distinct) {
    slices s;
    uint32_t axis = 0;
    TRY(slices_of(call, &s, &axis));
    if (s.count == 0) { /* slices without elements are all equal */
        const bool some = op_attribute(call, UNIQUE_AXIS).given && s.tensor->dims[axis] > 0;
        *distinct = some ? 1 : 0;
        return WLK_OK;
    }
    uint32_t *order = mem_alloc(2 * (uint64_t)s.count * sizeof *order);
    if (!order) return error_at(call->error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    *distinct = sort_slices(&s, order, order + s.count);
    mem_free(order);
    return WLK_OK;
}

/* While planning more than this is left to the run. */
#define PLAN_ELEMENTS 65536

static wlk_status unique_work(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    if (!call->binding || !tensor_is_known(in)) return WLK_OK;
    uint64_t levels = 2;
    for (uint64_t left = in->count; left > 1; left /= 2) levels++;
    op_add_operations(call, 4 * OP_ELEMENT_COST, levels, in->count, 1);
    for (uint32_t i = 0; i < 3; i++) TRY(op_need_scratch(call, in->count, sizeof(uint32_t)));
    return WLK_OK;
}

static wlk_status unique_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    const attribute_value axis_given = op_attribute(call, UNIQUE_AXIS);
    int64_t distinct = WLK_UNKNOWN_DIM;
    uint32_t axis = 0;
    if (in->rank != WLK_NONE && axis_given.given) {
        TRY(shape_axis(call, axis_given.i, in->rank, true, &axis));
    }
    if (op_is_known(call, 0) && (call->binding || in->count <= PLAN_ELEMENTS)) {
        TRY(count_distinct(call, &distinct));
    }
    int64_t dims[WLK_MAX_RANK];
    memcpy(dims, in->dims, sizeof dims);
    dims[axis_given.given ? axis : 0] = distinct;
    op_set_output(call, UNIQUE_VALUES, in->dtype, axis_given.given ? in->rank : 1, dims);
    op_set_text(call, UNIQUE_VALUES, in->text_bytes);
    const bool flat = !axis_given.given;
    const int64_t all = in->rank == WLK_NONE ? WLK_UNKNOWN_DIM
                        : flat               ? dim_product(in->dims, 0, in->rank)
                                             : in->dims[axis];
    op_set_output(call, UNIQUE_FIRST, WLK_I64, 1, &distinct);
    op_set_output(call, UNIQUE_INVERSE, WLK_I64, 1, &all);
    op_set_output(call, UNIQUE_COUNTS, WLK_I64, 1, &distinct);
    TRY(units_need_input(call, 0));
    TRY(units_need_output(call, 0));
    return unique_work(call);
}

/* ---- the kernel */

/* Of each slice: the first one that equals it; of each first one: its number. */
typedef struct groups {
    uint32_t *first;
    uint32_t *number;
    uint32_t count;
} groups;

static groups find_groups(const slices *s, units *u, bool sorted) {
    uint32_t *order = units_take(u, s->tensor->count, sizeof *order);
    groups g = {.first = units_take(u, s->tensor->count, sizeof(uint32_t)),
                .number = units_take(u, s->tensor->count, sizeof(uint32_t))};
    (void)sort_slices(s, order, g.first);
    uint32_t first = s->count > 0 ? order[0] : 0;
    for (uint32_t i = 0; i < s->count; i++) {
        if (i > 0 && compare_slices(s, order[i - 1], order[i]) != 0) first = order[i];
        g.first[order[i]] = first;
    }
    for (uint32_t i = 0; i < s->count; i++) {
        const uint32_t at = sorted ? order[i] : i;
        if (g.first[at] == at) g.number[at] = g.count++;
    }
    return g;
}

static void write_values(const slices *s, const groups *g, uint64_t size, char *to,
                         const char *from) {
    const uint64_t bytes = s->inner * size;
    for (uint64_t i = 0; i < s->outer; i++) {
        for (uint32_t j = 0; j < s->count; j++) {
            if (g->first[j] != j) continue;
            memcpy(to + (i * g->count + g->number[j]) * bytes, from + (i * s->count + j) * bytes,
                   bytes);
        }
    }
}

static void write_places(const op_call *call, const slices *s, const groups *g,
                         int64_t slices_on_axis) {
    const op_tensor *first = op_output(call, UNIQUE_FIRST);
    const op_tensor *inverse = op_output(call, UNIQUE_INVERSE);
    const op_tensor *counts = op_output(call, UNIQUE_COUNTS);
    if (counts && counts->nbytes > 0) memset(counts->target, 0, counts->nbytes);
    if (s->count == 0) {
        if (first && first->nbytes > 0) memset(first->target, 0, first->nbytes);
        if (inverse && inverse->nbytes > 0) memset(inverse->target, 0, inverse->nbytes);
        if (counts && counts->count > 0) *(int64_t *)counts->target = slices_on_axis;
    }
    for (uint32_t i = 0; i < s->count; i++) {
        const uint32_t group = g->number[g->first[i]];
        if (first && g->first[i] == i) ((int64_t *)first->target)[group] = i;
        if (inverse) ((int64_t *)inverse->target)[i] = group;
        if (counts) ((int64_t *)counts->target)[group]++;
    }
}

static wlk_status unique_kernel(const op_call *call) {
    op_tensor *out = op_output(call, UNIQUE_VALUES);
    slices s;
    uint32_t axis = 0;
    TRY(slices_of(call, &s, &axis));
    units u = units_begin(call, out->dtype);
    const char *from = units_read(&u, s.tensor);
    char *to = units_write(&u, out);
    const groups g = find_groups(&s, &u, op_attribute(call, UNIQUE_SORTED).i != 0);
    write_values(&s, &g, u.size, to, from);
    write_places(call, &s, &g, s.tensor->dims[axis]);
    units_end(&u, out, to);
    return WLK_OK;
}

/* ---- rows */

static const attribute_row attributes[] = {
    [UNIQUE_AXIS] = {.name = "axis", .type = WLK_ATTR_INT},
    [UNIQUE_SORTED] = {.name = "sorted", .type = WLK_ATTR_INT, .i = 1}};
static const op_port ports_11[] = {{"X", DTYPES_MOVED_1, 0}};
static const op_port ports_28[] = {{"X", DTYPES_MOVED_13, 0}};

#define ROW(version, op_ports)                                                              \
    {                                                                                       \
        .domain = "", .name = "Unique", .since = version, .min_inputs = 1, .max_inputs = 1, \
        .min_outputs = 1, .max_outputs = 4, .ports = op_ports, .attributes = attributes,    \
        .attribute_count = 2, .infer = unique_infer, .kernel = unique_kernel                \
    }

static const op_row rows[] = {ROW(11, ports_11), ROW(28, ports_28)};

const op_family ops_select_unique = {rows, sizeof rows / sizeof *rows};

/* Scatter, ScatterElements, ScatterND, TensorScatter: a copy of a tensor into which
 * updates are written, or reduced, where indices say. */
#include <inttypes.h>
#include <string.h>

#include "infer/index_list.h"
#include "infer/int_list.h"
#include "infer/ops.h"
#include "infer/shape.h"
#include "infer/units.h"

/* ---- reductions: to[i] = to[i] reduced with from[i]. What is not a number is only
 * replaced. */

typedef enum reduction { REDUCE_NONE, REDUCE_ADD, REDUCE_MUL, REDUCE_MAX, REDUCE_MIN } reduction;
#define REDUCTIONS 5

typedef void (*reduce_run)(void *to, const void *from, uint64_t count);

#define REDUCE(function, type, expression)                             \
    static void function(void *to, const void *from, uint64_t count) { \
        type *left = to;                                               \
        const type *right = from;                                      \
        for (uint64_t i = 0; i < count; i++) {                         \
            const type x = left[i];                                    \
            const type y = right[i];                                   \
            left[i] = (type)(expression);                              \
        }                                                              \
    }

/* NaN, once there, stays. */
#define FLOATING(suffix, type)                          \
    REDUCE(add_##suffix, type, x + y)                   \
    REDUCE(mul_##suffix, type, x *y)                    \
    REDUCE(max_##suffix, type, x > y || x != x ? x : y) \
    REDUCE(min_##suffix, type, x < y || x != x ? x : y)
#define INTEGER(suffix, type)                             \
    REDUCE(add_##suffix, type, (uint64_t)x + (uint64_t)y) \
    REDUCE(mul_##suffix, type, (uint64_t)x *(uint64_t)y)  \
    REDUCE(max_##suffix, type, x > y ? x : y)             \
    REDUCE(min_##suffix, type, x < y ? x : y)

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

#define REDUCERS(op)                                                                            \
    {                                                                                           \
        [WLK_F64] = op##_f64, [WLK_F32] = op##_f32, [WLK_I64] = op##_i64, [WLK_I32] = op##_i32, \
        [WLK_I16] = op##_i16, [WLK_I8] = op##_i8, [WLK_U64] = op##_u64, [WLK_U32] = op##_u32,   \
        [WLK_U16] = op##_u16, [WLK_U8] = op##_u8                                                \
    }

static const reduce_run reducers[REDUCTIONS][WLK_DTYPE_COUNT] = {
    [REDUCE_ADD] = REDUCERS(add),
    [REDUCE_MUL] = REDUCERS(mul),
    [REDUCE_MAX] = REDUCERS(max),
    [REDUCE_MIN] = REDUCERS(min),
};

#define DTYPES_REDUCED (DTYPES_FLOAT | DTYPES_INT | DTYPES_HALF)

/* What one update does. */
typedef struct writer {
    reduce_run reduce; /* NULL: it replaces */
    uint64_t size;     /* of a unit */
} writer;

static void write_units(const writer *w, char *to, const char *from, uint64_t count) {
    if (w->reduce) {
        w->reduce(to, from, count);
    } else {
        memcpy(to, from, count * w->size);
    }
}

static wlk_status read_reduction(const op_call *call, uint32_t attribute, reduction *out) {
    static const char *const names[REDUCTIONS] = {"none", "add", "mul", "max", "min"};
    const uint32_t known = call->node->row->since >= 18 ? 5 : 3;
    const char *name = op_attribute(call, attribute).s;
    *out = REDUCE_NONE;
    if (!name) return WLK_OK;
    for (uint32_t i = 0; i < known; i++) {
        if (strcmp(name, names[i]) != 0) continue;
        *out = (reduction)i;
        const wlk_dtype dtype = op_input(call, 0)->dtype;
        if (i == REDUCE_NONE || DTYPES_REDUCED & DTYPE_BIT(dtype)) return WLK_OK;
        return op_fail(call, RULE_PLAN_DTYPE, "reduction '%s' of %s", name, wlk_dtype_name(dtype));
    }
    return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "reduction '%.40s'", name);
}

/* The output is like input 0; a string may come from it or from the updates. */
static wlk_status set_scattered(op_call *call, uint32_t updates) {
    const op_tensor *in = op_input(call, 0);
    uint64_t text = 0;
    op_set_output(call, 0, in->dtype, in->rank, in->dims);
    if (__builtin_add_overflow(in->text_bytes, op_input(call, updates)->text_bytes, &text)) {
        text = UINT64_MAX;
    }
    op_set_text(call, 0, text);
    TRY(units_need_input(call, 0));
    TRY(units_need_input(call, updates));
    return units_need_output(call, 0);
}

/* The units of data, updates and output; the output begins as the data. */
typedef struct scatter_units {
    units u;
    const char *updates;
    char *to;
} scatter_units;

static scatter_units begin_scatter(const op_call *call, uint32_t updates) {
    const op_tensor *in = op_input(call, 0);
    scatter_units s = {.u = units_begin(call, in->dtype)};
    const char *from = units_read(&s.u, in);
    s.updates = units_read(&s.u, op_input(call, updates));
    s.to = units_write(&s.u, op_output(call, 0));
    if (in->count > 0) memcpy(s.to, from, in->count * s.u.size);
    return s;
}

/* ---- ScatterElements: one element for each index, on the same line along the axis.
 * A text of the updates is used once. */

enum { SCATTER_AXIS, SCATTER_REDUCTION };

static wlk_status elements_axis(const op_call *call, uint32_t *axis) {
    return shape_axis(call, op_attribute(call, SCATTER_AXIS).i, op_input(call, 0)->rank, true,
                      axis);
}

static wlk_status elements_shapes(const op_call *call, uint32_t axis) {
    const op_tensor *in = op_input(call, 0);
    const op_tensor *indices = op_input(call, 1);
    const op_tensor *updates = op_input(call, 2);
    if (indices->rank != WLK_NONE && indices->rank != in->rank) return shape_mismatch(call, 0, 1);
    if (updates->rank != WLK_NONE && updates->rank != in->rank) return shape_mismatch(call, 0, 2);
    if (indices->rank == WLK_NONE || updates->rank == WLK_NONE) return WLK_OK;
    for (uint32_t i = 0; i < in->rank; i++) {
        if (!dim_agrees(indices->dims[i], updates->dims[i])) return shape_mismatch(call, 1, 2);
        const bool known = in->dims[i] != WLK_UNKNOWN_DIM && indices->dims[i] != WLK_UNKNOWN_DIM;
        if (i != axis && known && indices->dims[i] > in->dims[i]) {
            return shape_mismatch(call, 0, 1);
        }
    }
    return WLK_OK;
}

static wlk_status elements_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    reduction reduce = REDUCE_NONE;
    uint32_t axis = 0;
    TRY(read_reduction(call, SCATTER_REDUCTION, &reduce));
    TRY(shape_need_rank(call, 0, 1, WLK_MAX_RANK));
    if (in->rank != WLK_NONE) {
        TRY(elements_axis(call, &axis));
        TRY(elements_shapes(call, axis));
    }
    return set_scattered(call, 2);
}

/* Where the element of row number `row` of the indices and position 0 lies, but for the
 * axis. */
static uint64_t elements_base(const op_tensor *in, const op_tensor *indices, uint32_t axis,
                              uint64_t row) {
    uint64_t base = 0;
    for (uint32_t i = in->rank - 1; i-- > 0;) {
        const uint64_t dim = (uint64_t)indices->dims[i];
        if (i != axis) base += row % dim * tensor_span(in, i + 1, in->rank);
        row /= dim;
    }
    return base;
}

static void scatter_elements(const op_call *call, uint32_t axis, const writer *w,
                             const scatter_units *s) {
    const op_tensor *in = op_input(call, 0);
    const op_tensor *indices = op_input(call, 1);
    const uint64_t row = (uint64_t)indices->dims[in->rank - 1];
    const uint64_t step = tensor_span(in, axis + 1, in->rank);
    const bool last = axis == in->rank - 1;
    for (uint64_t r = 0; r < indices->count / row; r++) {
        const uint64_t base = elements_base(in, indices, axis, r);
        for (uint64_t i = 0; i < row; i++) {
            const uint64_t at = (uint64_t)index_at(indices, r * row + i, in->dims[axis]);
            const uint64_t place = base + at * step + (last ? 0 : i);
            write_units(w, s->to + place * w->size, s->updates + (r * row + i) * w->size, 1);
        }
    }
}

static wlk_status elements_kernel(const op_call *call) {
    const op_tensor *in = op_input(call, 0);
    const op_tensor *indices = op_input(call, 1);
    reduction reduce = REDUCE_NONE;
    uint32_t axis = 0;
    TRY(read_reduction(call, SCATTER_REDUCTION, &reduce));
    TRY(elements_axis(call, &axis));
    TRY(indices_check(call, indices, in->dims[axis]));
    const scatter_units s = begin_scatter(call, 2);
    const writer w = {reducers[reduce][in->dtype], s.u.size};
    if (indices->count > 0) scatter_elements(call, axis, &w, &s);
    units_end(&s.u, op_output(call, 0), s.to);
    return WLK_OK;
}

/* ---- ScatterND: the last axis of the indices holds a position each */

enum { ND_REDUCTION };

static wlk_status nd_depth(const op_call *call, uint32_t *depth) {
    const op_tensor *in = op_input(call, 0);
    const op_tensor *indices = op_input(call, 1);
    *depth = WLK_NONE;
    if (in->rank == WLK_NONE || indices->rank == WLK_NONE) return WLK_OK;
    const int64_t last = indices->dims[indices->rank - 1];
    if (last == WLK_UNKNOWN_DIM) return WLK_OK;
    if (last > (int64_t)in->rank) return shape_mismatch(call, 0, 1);
    *depth = (uint32_t)last;
    return WLK_OK;
}

/* updates: the indices' dims but the last, then the data's behind the position. */
static wlk_status nd_updates(const op_call *call, uint32_t depth) {
    const op_tensor *in = op_input(call, 0);
    const op_tensor *indices = op_input(call, 1);
    const op_tensor *updates = op_input(call, 2);
    if (depth == WLK_NONE || updates->rank == WLK_NONE) return WLK_OK;
    const uint32_t outer = indices->rank - 1;
    if (updates->rank != outer + in->rank - depth) return shape_mismatch(call, 1, 2);
    for (uint32_t i = 0; i < updates->rank; i++) {
        const int64_t dim = i < outer ? indices->dims[i] : in->dims[depth + i - outer];
        if (!dim_agrees(updates->dims[i], dim)) return shape_mismatch(call, 1, 2);
    }
    return WLK_OK;
}

static wlk_status nd_infer(op_call *call) {
    reduction reduce = REDUCE_NONE;
    uint32_t depth = WLK_NONE;
    TRY(read_reduction(call, ND_REDUCTION, &reduce));
    TRY(shape_need_rank(call, 0, 1, WLK_MAX_RANK));
    TRY(shape_need_rank(call, 1, 1, WLK_MAX_RANK));
    TRY(nd_depth(call, &depth));
    TRY(nd_updates(call, depth));
    return set_scattered(call, 2);
}

static wlk_status nd_offset(const op_call *call, uint64_t i, uint32_t depth, uint64_t *offset) {
    const op_tensor *in = op_input(call, 0);
    const op_tensor *indices = op_input(call, 1);
    *offset = 0;
    for (uint32_t j = 0; j < depth; j++) {
        const int64_t dim = in->dims[j];
        const int64_t index = op_int(indices, i * depth + j);
        if (index < -dim || index >= dim) return index_fail(call, i * depth + j, index, dim);
        *offset = *offset * (uint64_t)dim + (uint64_t)(index < 0 ? index + dim : index);
    }
    return WLK_OK;
}

static wlk_status nd_kernel(const op_call *call) {
    const op_tensor *in = op_input(call, 0);
    const op_tensor *indices = op_input(call, 1);
    reduction reduce = REDUCE_NONE;
    uint32_t depth = 0;
    TRY(read_reduction(call, ND_REDUCTION, &reduce));
    TRY(nd_depth(call, &depth));
    const scatter_units s = begin_scatter(call, 2);
    const writer w = {reducers[reduce][in->dtype], s.u.size};
    const uint64_t block = in->count == 0 ? 0 : tensor_span(in, depth, in->rank);
    const uint64_t positions = tensor_span(indices, 0, indices->rank - 1);
    /* Without elements there is nothing to write, but a position must be one still. */
    const uint64_t steps = block > 0 || depth > 0 ? positions : 0;
    for (uint64_t i = 0; i < steps; i++) {
        uint64_t offset = 0;
        TRY(nd_offset(call, i, depth, &offset));
        if (block == 0) continue;
        write_units(&w, s.to + offset * block * w.size, s.updates + i * block * w.size, block);
    }
    units_end(&s.u, op_output(call, 0), s.to);
    return WLK_OK;
}

/* ---- TensorScatter: rows of a cache, one place for each of the batch */

enum { CACHE_AXIS, CACHE_MODE };

static wlk_status cache_mode(const op_call *call, bool *circular) {
    const char *mode = op_attribute(call, CACHE_MODE).s;
    *circular = strcmp(mode, "circular") == 0;
    if (*circular || strcmp(mode, "linear") == 0) return WLK_OK;
    return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "mode '%.40s'", mode);
}

static wlk_status cache_axis(const op_call *call, uint32_t *axis) {
    TRY(shape_axis(call, op_attribute(call, CACHE_AXIS).i, op_input(call, 0)->rank, true, axis));
    if (*axis > 0) return WLK_OK;
    return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "axis is that of the batch");
}

static wlk_status cache_shapes(const op_call *call, uint32_t axis) {
    const op_tensor *past = op_input(call, 0);
    const op_tensor *update = op_input(call, 1);
    const op_tensor *places = op_input(call, 2);
    if (places && places->rank != WLK_NONE && !dim_agrees(places->dims[0], past->dims[0])) {
        return shape_mismatch(call, 0, 2);
    }
    if (update->rank == WLK_NONE) return WLK_OK;
    if (update->rank != past->rank) return shape_mismatch(call, 0, 1);
    for (uint32_t i = 0; i < past->rank; i++) {
        const bool known = past->dims[i] != WLK_UNKNOWN_DIM && update->dims[i] != WLK_UNKNOWN_DIM;
        const bool fits =
            i == axis ? update->dims[i] <= past->dims[i] : update->dims[i] == past->dims[i];
        if (known && !fits) return shape_mismatch(call, 0, 1);
    }
    return WLK_OK;
}

static wlk_status cache_infer(op_call *call) {
    bool circular = false;
    uint32_t axis = 0;
    TRY(cache_mode(call, &circular));
    TRY(shape_need_rank(call, 0, 2, WLK_MAX_RANK));
    if (op_input(call, 2)) TRY(shape_need_rank(call, 2, 1, 1));
    if (op_input(call, 0)->rank != WLK_NONE) {
        TRY(cache_axis(call, &axis));
        TRY(cache_shapes(call, axis));
    }
    return set_scattered(call, 1);
}

/* Where sample `b` of the batch is written: checked for the linear mode. */
static wlk_status cache_place(const op_call *call, uint64_t b, uint32_t axis, bool circular,
                              int64_t *place) {
    const op_tensor *places = op_input(call, 2);
    const int64_t dim = op_input(call, 0)->dims[axis];
    const int64_t length = op_input(call, 1)->dims[axis];
    *place = places ? op_int(places, b) : 0;
    if (circular && dim > 0) {
        *place = (*place % dim + dim) % dim;
    } else if (*place < 0 || *place > dim - length) {
        return index_fail(call, b, *place, dim - length + 1);
    }
    return WLK_OK;
}

static wlk_status cache_kernel(const op_call *call) {
    const op_tensor *past = op_input(call, 0);
    const op_tensor *update = op_input(call, 1);
    bool circular = false;
    uint32_t axis = 0;
    TRY(cache_mode(call, &circular));
    TRY(cache_axis(call, &axis));
    const scatter_units s = begin_scatter(call, 1);
    const uint64_t dim = (uint64_t)past->dims[axis];
    const uint64_t length = (uint64_t)update->dims[axis];
    const uint64_t row = update->count == 0 ? 0 : tensor_span(past, axis + 1, past->rank);
    const uint64_t lines = row == 0 ? 0 : tensor_span(past, 0, axis);
    const uint64_t batch = (uint64_t)past->dims[0];
    for (uint64_t i = 0; i < lines; i++) {
        int64_t place = 0;
        TRY(cache_place(call, i / (lines / batch), axis, circular, &place));
        const uint64_t fits = dim - (uint64_t)place < length ? dim - (uint64_t)place : length;
        const char *from = s.updates + i * length * row * s.u.size;
        char *line = s.to + i * dim * row * s.u.size;
        memcpy(line + (uint64_t)place * row * s.u.size, from, fits * row * s.u.size);
        memcpy(line, from + fits * row * s.u.size, (length - fits) * row * s.u.size);
    }
    units_end(&s.u, op_output(call, 0), s.to);
    return WLK_OK;
}

/* ---- rows */

static const attribute_row elements_attributes[] = {
    [SCATTER_AXIS] = {.name = "axis", .type = WLK_ATTR_INT},
    [SCATTER_REDUCTION] = {.name = "reduction", .type = WLK_ATTR_STRING, .s = "none"}};
static const attribute_row nd_attributes[] = {
    [ND_REDUCTION] = {.name = "reduction", .type = WLK_ATTR_STRING, .s = "none"}};
static const attribute_row cache_attributes[] = {
    [CACHE_AXIS] = {.name = "axis", .type = WLK_ATTR_INT, .i = -2},
    [CACHE_MODE] = {.name = "mode", .type = WLK_ATTR_STRING, .s = "linear"}};

#define PORTS(suffix)                                                                     \
    static const op_port elements_##suffix[] = {{"data", DTYPES_MOVED_##suffix, 'T'},     \
                                                {"indices", DTYPES_INDEX, 0},             \
                                                {"updates", DTYPES_MOVED_##suffix, 'T'}}; \
    static const op_port nd_##suffix[] = {{"data", DTYPES_MOVED_##suffix, 'T'},           \
                                          {"indices", DTYPE_BIT(WLK_I64), 0},             \
                                          {"updates", DTYPES_MOVED_##suffix, 'T'}}
PORTS(1);
PORTS(13);
static const op_port cache_ports[] = {{"past_cache", DTYPES_MOVED_24, 'T'},
                                      {"update", DTYPES_MOVED_24, 'T'},
                                      {"write_indices", DTYPE_BIT(WLK_I64), 0}};

#define ROW(op_name, version, least, op_ports, rows, known, op_shape, op_run, op_flags)        \
    {                                                                                          \
        .domain = "", .name = op_name, .since = version, .min_inputs = least, .max_inputs = 3, \
        .min_outputs = 1, .max_outputs = 1, .ports = op_ports, .attributes = rows,             \
        .attribute_count = known, .infer = op_shape, .kernel = op_run, .flags = op_flags       \
    }
#define ELEMENTS(op_name, version, ports, known, flags)                                          \
    ROW(op_name, version, 3, ports, elements_attributes, known, elements_infer, elements_kernel, \
        flags)
#define SCATTER_ND(version, ports, known, flags) \
    ROW("ScatterND", version, 3, ports, nd_attributes, known, nd_infer, nd_kernel, flags)

static const op_row rows[] = {
    ELEMENTS("Scatter", 9, elements_1, 1, 0),
    ELEMENTS("Scatter", 11, elements_1, 1, 0),
    ELEMENTS("ScatterElements", 11, elements_1, 1, 0),
    ELEMENTS("ScatterElements", 13, elements_13, 1, 0),
    ELEMENTS("ScatterElements", 16, elements_13, 2, OP_HALF),
    ELEMENTS("ScatterElements", 18, elements_13, 2, OP_HALF),
    SCATTER_ND(11, nd_1, 0, 0),
    SCATTER_ND(13, nd_13, 0, 0),
    SCATTER_ND(16, nd_13, 1, OP_HALF),
    SCATTER_ND(18, nd_13, 1, OP_HALF),
    ROW("TensorScatter", 24, 2, cache_ports, cache_attributes, 2, cache_infer, cache_kernel, 0),
};

const op_family ops_gather_scatter = {rows, sizeof rows / sizeof *rows};

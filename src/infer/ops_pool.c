/* MaxPool, AveragePool, LpPool: windows over the spatial axes.
 *
 * A row of the output is made at once: each tap of the window adds a row of the input,
 * shifted, as far as it lies within the image. */
#include <math.h>
#include <string.h>

#include "infer/ops.h"
#include "infer/parallel.h"
#include "infer/shape.h"
#include "infer/window.h"

enum { POOL_AUTO_PAD = WINDOW_ATTRIBUTES, POOL_OWN };
enum { MAX_STORAGE_ORDER = POOL_OWN, MAX_DILATIONS, MAX_CEIL };
enum { AVERAGE_INCLUDE_PAD = POOL_OWN, AVERAGE_CEIL, AVERAGE_DILATIONS };
enum { LP_P = POOL_OWN, LP_DILATIONS, LP_CEIL };

/* What differs between the operators: their places, and what is done to a row. `to` has
 * `count` elements, `from` as many, `step` apart. */
typedef struct pool_rows {
    void (*begin)(void *to, uint64_t count);
    void (*tap)(void *to, const void *from, uint64_t count, uint64_t step, double p);
    /* spans: how many taps count for each element */
    void (*end)(void *to, const uint32_t *spans, uint64_t rows, uint64_t count, double p);
} pool_rows;

typedef struct pool_kind {
    window_places places;
    uint32_t ceil;
    const pool_rows *rows[WLK_DTYPE_COUNT];
} pool_kind;

/* ---- rows of maxima: NaN is larger than everything */

#define MAX_ROWS(suffix, type, lowest)                                                       \
    static void max_begin_##suffix(void *to, uint64_t count) {                               \
        type *out = to;                                                                      \
        for (uint64_t i = 0; i < count; i++) out[i] = lowest;                                \
    }                                                                                        \
    static inline void max_taps_##suffix(type *restrict out, const type *in, uint64_t count, \
                                         uint64_t step) {                                    \
        for (uint64_t i = 0; i < count; i++) {                                               \
            const type x = in[i * step];                                                     \
            const type top = out[i];                                                         \
            out[i] = x <= top || top != top ? top : x;                                       \
        }                                                                                    \
    }                                                                                        \
    static void max_tap_##suffix(void *to, const void *from, uint64_t count, uint64_t step,  \
                                 double p) {                                                 \
        (void)p;                                                                             \
        if (step == 1) {                                                                     \
            max_taps_##suffix(to, from, count, 1);                                           \
        } else if (step == 2) {                                                              \
            max_taps_##suffix(to, from, count, 2);                                           \
        } else {                                                                             \
            max_taps_##suffix(to, from, count, step);                                        \
        }                                                                                    \
    }                                                                                        \
    static const pool_rows max_##suffix = {.begin = max_begin_##suffix, .tap = max_tap_##suffix};

MAX_ROWS(f32, float, -INFINITY)
MAX_ROWS(f64, double, (double)-INFINITY)
MAX_ROWS(i8, int8_t, INT8_MIN)
MAX_ROWS(u8, uint8_t, 0)

/* ---- rows of sums */

#define SUM_ROWS(suffix, type)                                                              \
    static void sum_begin_##suffix(void *to, uint64_t count) {                              \
        memset(to, 0, count * sizeof(type));                                                \
    }                                                                                       \
    static void sum_tap_##suffix(void *to, const void *from, uint64_t count, uint64_t step, \
                                 double p) {                                                \
        type *restrict out = to;                                                            \
        const type *in = from;                                                              \
        (void)p;                                                                            \
        for (uint64_t i = 0; step == 1 && i < count; i++) out[i] += in[i];                  \
        for (uint64_t i = 0; step != 1 && i < count; i++) out[i] += in[i * step];           \
    }                                                                                       \
    static void average_end_##suffix(void *to, const uint32_t *spans, uint64_t rows,        \
                                     uint64_t count, double p) {                            \
        type *out = to;                                                                     \
        (void)p;                                                                            \
        for (uint64_t i = 0; i < count; i++) {                                              \
            const uint64_t taps = rows * spans[i];                                          \
            out[i] = taps > 0 ? out[i] / (type)taps : 0;                                    \
        }                                                                                   \
    }                                                                                       \
    static const pool_rows average_##suffix = {                                             \
        .begin = sum_begin_##suffix, .tap = sum_tap_##suffix, .end = average_end_##suffix};

SUM_ROWS(f32, float)
SUM_ROWS(f64, double)

/* ---- rows of p-norms */

#define LP_ROWS(suffix, type, absolute, power, root)                                            \
    static void lp_tap_##suffix(void *to, const void *from, uint64_t count, uint64_t step,      \
                                double p) {                                                     \
        type *restrict out = to;                                                                \
        const type *in = from;                                                                  \
        for (uint64_t i = 0; p == 2 && i < count; i++) out[i] += in[i * step] * in[i * step];   \
        for (uint64_t i = 0; p == 1 && i < count; i++) out[i] += absolute(in[i * step]);        \
        for (uint64_t i = 0; p != 1 && p != 2 && i < count; i++) {                              \
            out[i] += power(absolute(in[i * step]), (type)p);                                   \
        }                                                                                       \
    }                                                                                           \
    static void lp_end_##suffix(void *to, const uint32_t *spans, uint64_t rows, uint64_t count, \
                                double p) {                                                     \
        type *out = to;                                                                         \
        (void)spans;                                                                            \
        (void)rows;                                                                             \
        for (uint64_t i = 0; p == 2 && i < count; i++) out[i] = root(out[i]);                   \
        for (uint64_t i = 0; p != 1 && p != 2 && i < count; i++) {                              \
            out[i] = power(out[i], (type)(1 / p));                                              \
        }                                                                                       \
    }                                                                                           \
    static const pool_rows lp_##suffix = {                                                      \
        .begin = sum_begin_##suffix, .tap = lp_tap_##suffix, .end = lp_end_##suffix};

LP_ROWS(f32, float, fabsf, powf, sqrtf)
LP_ROWS(f64, double, fabs, pow, sqrt)

static const pool_kind max_kind = {
    .places = {.auto_pad = POOL_AUTO_PAD, .dilations = MAX_DILATIONS},
    .ceil = MAX_CEIL,
    .rows = {[WLK_F32] = &max_f32, [WLK_F64] = &max_f64, [WLK_I8] = &max_i8, [WLK_U8] = &max_u8}};
static const pool_kind average_kind = {
    .places = {.auto_pad = POOL_AUTO_PAD, .dilations = AVERAGE_DILATIONS},
    .ceil = AVERAGE_CEIL,
    .rows = {[WLK_F32] = &average_f32, [WLK_F64] = &average_f64}};
static const pool_kind lp_kind = {.places = {.auto_pad = POOL_AUTO_PAD, .dilations = LP_DILATIONS},
                                  .ceil = LP_CEIL,
                                  .rows = {[WLK_F32] = &lp_f32, [WLK_F64] = &lp_f64}};

/* ---- shapes */

static wlk_status pool_window(const op_call *call, const pool_kind *kind, window *w) {
    TRY(window_read(call, op_input(call, 0), NULL, kind->places, w));
    return window_slide(call, op_attribute(call, kind->ceil).i != 0, w);
}

static uint64_t saturating(uint64_t a, uint64_t b) {
    uint64_t result;
    return __builtin_mul_overflow(a, b, &result) ? UINT64_MAX : result;
}

static wlk_status pool_cost(op_call *call, const window *w, const int64_t *dims) {
    uint64_t work = saturating((uint64_t)dims[0], (uint64_t)dims[1]);
    for (uint32_t i = 0; i < w->axes; i++) {
        work = saturating(work, saturating((uint64_t)w->kernel[i], (uint64_t)w->out[i]));
    }
    op_add_operations(call, OP_INTEGER_COST, work, 1, 1);
    return op_need_scratch(call, (uint64_t)w->out[w->axes - 1], sizeof(uint32_t));
}

static wlk_status pool_infer(op_call *call, const pool_kind *kind) {
    const op_tensor *x = op_input(call, 0);
    TRY(shape_need_rank(call, 0, 3, WLK_MAX_RANK));
    if (x->rank == WLK_NONE) {
        op_set_output(call, 0, x->dtype, WLK_NONE, NULL);
        op_set_output(call, 1, WLK_I64, WLK_NONE, NULL);
        return WLK_OK;
    }
    window w;
    int64_t dims[WLK_MAX_RANK] = {x->dims[0], x->dims[1]};
    TRY(pool_window(call, kind, &w));
    memcpy(dims + 2, w.out, w.axes * sizeof *dims);
    op_set_output(call, 0, x->dtype, x->rank, dims);
    op_set_output(call, 1, WLK_I64, x->rank, dims);
    return call->binding ? pool_cost(call, &w, dims) : WLK_OK;
}

/* ---- the run */

typedef struct pool {
    const pool_rows *rows;
    window w;
    bool include_pad;
    double p;
    uint64_t size;
    const char *in;
    char *out;
    uint64_t in_plane;
    uint64_t out_plane;
    const uint32_t *spans; /* taps that count, for each position of the last axis */
    /* of MaxPool with indices */
    int64_t *indices;
    uint64_t index_steps[WINDOW_MAX_AXES];
    uint64_t element_steps[WINDOW_MAX_AXES];
    bool (*larger)(const void *from, uint64_t a, uint64_t b);
} pool;

/* How many taps of the window at `position` count: those within the image, or within the
 * padding too. */
static uint64_t counted(const pool *p, uint32_t axis, int64_t position) {
    const window *w = &p->w;
    int64_t from = 0;
    int64_t to = 0;
    const int64_t start = position * w->stride[axis] - w->before[axis];
    if (!p->include_pad) {
        window_taps(w, axis, start, &from, &to);
        return (uint64_t)(to - from);
    }
    const int64_t room = w->in[axis] + w->after[axis] - start;
    to = room <= 0 ? 0 : (room + w->dilation[axis] - 1) / w->dilation[axis];
    return (uint64_t)(to < w->kernel[axis] ? to : w->kernel[axis]);
}

static int64_t divide_up(int64_t a, int64_t b) {
    return (a + b - 1) / b;
}

/* All taps of the last axis, from one row of the input. */
static void add_row(const pool *p, const char *from, char *to) {
    const window *w = &p->w;
    const uint32_t last = w->axes - 1;
    for (int64_t tap = 0; tap < w->kernel[last]; tap++) {
        const int64_t shift = tap * w->dilation[last] - w->before[last];
        const int64_t step = w->stride[last];
        const int64_t first = shift >= 0 ? 0 : divide_up(-shift, step);
        int64_t end = shift >= w->in[last] ? 0 : divide_up(w->in[last] - shift, step);
        if (end > w->out[last]) end = w->out[last];
        if (first >= end) continue;
        p->rows->tap(to + (uint64_t)first * p->size,
                     from + (uint64_t)(first * step + shift) * p->size, (uint64_t)(end - first),
                     (uint64_t)step, p->p);
    }
}

/* The taps of the axes around the last one, for one row of the output. */
typedef struct outer_taps {
    int64_t start[WINDOW_MAX_AXES];
    int64_t from[WINDOW_MAX_AXES];
    int64_t to[WINDOW_MAX_AXES];
    int64_t at[WINDOW_MAX_AXES];
    bool any;
    uint64_t counted;
} outer_taps;

static outer_taps taps_of(const pool *p, uint64_t row) {
    const window *w = &p->w;
    outer_taps t = {.any = true, .counted = 1};
    for (uint32_t i = w->axes - 1; i-- > 0;) {
        const int64_t position = (int64_t)(row % (uint64_t)w->out[i]);
        row /= (uint64_t)w->out[i];
        t.start[i] = position * w->stride[i] - w->before[i];
        window_taps(w, i, t.start[i], &t.from[i], &t.to[i]);
        t.at[i] = t.from[i];
        if (t.from[i] == t.to[i]) t.any = false;
        t.counted *= counted(p, i, position);
    }
    return t;
}

static bool next_tap(const window *w, outer_taps *t) {
    for (uint32_t i = w->axes - 1; i-- > 0;) {
        if (++t->at[i] < t->to[i]) return true;
        t->at[i] = t->from[i];
    }
    return false;
}

/* Where in a plane the row begins that the taps point at. */
static uint64_t tap_row(const pool *p, const outer_taps *t) {
    uint64_t at = 0;
    for (uint32_t i = 0; i + 1 < p->w.axes; i++) {
        at += (uint64_t)(t->start[i] + t->at[i] * p->w.dilation[i]) * p->element_steps[i];
    }
    return at;
}

static void pool_row(const pool *p, const char *plane, uint64_t row, char *to) {
    const uint64_t width = (uint64_t)p->w.out[p->w.axes - 1];
    outer_taps t = taps_of(p, row);
    p->rows->begin(to, width);
    for (bool more = t.any; more; more = next_tap(&p->w, &t)) {
        add_row(p, plane + tap_row(p, &t) * p->size, to);
    }
    if (p->rows->end) p->rows->end(to, p->spans, t.counted, width, p->p);
}

/* ---- indices of maxima */

#define LARGER(suffix, type)                                                \
    static bool larger_##suffix(const void *from, uint64_t a, uint64_t b) { \
        const type x = ((const type *)from)[a];                             \
        const type top = ((const type *)from)[b];                           \
        return x > top || (x != x && top == top);                           \
    }

LARGER(f32, float)
LARGER(f64, double)
LARGER(i8, int8_t)
LARGER(u8, uint8_t)

static bool (*const larger[WLK_DTYPE_COUNT])(const void *, uint64_t, uint64_t) = {
    [WLK_F32] = larger_f32, [WLK_F64] = larger_f64, [WLK_I8] = larger_i8, [WLK_U8] = larger_u8};

/* The place of the largest element of a window, UINT64_MAX if there is none. */
static uint64_t largest(const pool *p, const char *plane, outer_taps t, int64_t start) {
    const uint32_t last = p->w.axes - 1;
    uint64_t best = UINT64_MAX;
    int64_t from = 0;
    int64_t to = 0;
    window_taps(&p->w, last, start, &from, &to);
    for (bool more = t.any; more; more = next_tap(&p->w, &t)) {
        const uint64_t row = tap_row(p, &t);
        for (int64_t tap = from; tap < to; tap++) {
            const uint64_t at = row + (uint64_t)(start + tap * p->w.dilation[last]);
            if (best == UINT64_MAX || p->larger(plane, at, best)) best = at;
        }
    }
    return best;
}

static int64_t index_of(const pool *p, uint64_t element) {
    uint64_t index = 0;
    for (uint32_t i = 0; i < p->w.axes; i++) {
        index += element / p->element_steps[i] * p->index_steps[i];
        element %= p->element_steps[i];
    }
    return (int64_t)index;
}

static void index_row(const pool *p, uint64_t plane, uint64_t row, int64_t *to) {
    const uint32_t last = p->w.axes - 1;
    const outer_taps t = taps_of(p, row);
    const char *from = p->in + plane * p->in_plane * p->size;
    for (int64_t i = 0; i < p->w.out[last]; i++) {
        const uint64_t at = largest(p, from, t, i * p->w.stride[last] - p->w.before[last]);
        const int64_t before = (int64_t)(plane * p->in_plane);
        to[i] = at == UINT64_MAX ? -1 : before + index_of(p, at);
    }
}

static void pool_planes(void *context, uint64_t from, uint64_t to) {
    const pool *p = context;
    const uint64_t width = (uint64_t)p->w.out[p->w.axes - 1];
    const uint64_t rows = p->out_plane / width;
    for (uint64_t plane = from; plane < to; plane++) {
        for (uint64_t row = 0; row < rows; row++) {
            const uint64_t at = plane * p->out_plane + row * width;
            pool_row(p, p->in + plane * p->in_plane * p->size, row, p->out + at * p->size);
            if (p->indices) index_row(p, plane, row, p->indices + at);
        }
    }
}

/* Column-major storage counts the first axis fastest. */
static void fill_steps(pool *p, bool column_major) {
    uint64_t step = 1;
    for (uint32_t i = p->w.axes; i-- > 0;) {
        p->element_steps[i] = step;
        step *= (uint64_t)p->w.in[i];
    }
    memcpy(p->index_steps, p->element_steps, sizeof p->index_steps);
    step = 1;
    for (uint32_t i = 0; column_major && i < p->w.axes; i++) {
        p->index_steps[i] = step;
        step *= (uint64_t)p->w.in[i];
    }
}

/* Enough work that handing it to a thread does not show. */
#define PIECE_WORK (UINT64_C(1) << 17)

static wlk_status pool_run(const op_call *call, const pool_kind *kind, pool *p) {
    const op_tensor *x = op_input(call, 0);
    const op_tensor *out = op_output(call, 0);
    const op_tensor *indices = op_output(call, 1);
    uint32_t *spans = call->scratch;
    TRY(pool_window(call, kind, &p->w));
    if (out->count == 0) return WLK_OK;
    const uint32_t last = p->w.axes - 1;
    for (int64_t i = 0; i < p->w.out[last]; i++) spans[i] = (uint32_t)counted(p, last, i);
    p->rows = kind->rows[x->dtype];
    p->size = wlk_dtype_bits(x->dtype) / 8;
    p->in = x->data;
    p->out = out->target;
    p->in_plane = tensor_span(x, 2, x->rank);
    p->out_plane = tensor_span(out, 2, out->rank);
    p->spans = spans;
    p->indices = indices ? indices->target : NULL;
    p->larger = larger[x->dtype];
    fill_steps(p, kind == &max_kind && op_attribute(call, MAX_STORAGE_ORDER).i != 0);
    op_parallel(call, out->count / p->out_plane, 1 + PIECE_WORK / (p->in_plane + p->out_plane),
                pool_planes, p);
    return WLK_OK;
}

static wlk_status max_infer(op_call *call) {
    return pool_infer(call, &max_kind);
}

static wlk_status max_kernel(const op_call *call) {
    pool p = {.p = 0};
    return pool_run(call, &max_kind, &p);
}

static wlk_status average_infer(op_call *call) {
    return pool_infer(call, &average_kind);
}

static wlk_status average_kernel(const op_call *call) {
    pool p = {.include_pad = op_attribute(call, AVERAGE_INCLUDE_PAD).i != 0};
    return pool_run(call, &average_kind, &p);
}

/* Version 1 has p as a float. */
static double lp_p(const op_call *call) {
    const attribute_value p = op_attribute(call, LP_P);
    return call->node->row->attributes[LP_P].type == WLK_ATTR_FLOAT ? p.f : (double)p.i;
}

static wlk_status lp_infer(op_call *call) {
    const double p = lp_p(call);
    if (!(p > 0)) return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "p is %g", p);
    return pool_infer(call, &lp_kind);
}

static wlk_status lp_kernel(const op_call *call) {
    pool p = {.p = lp_p(call)};
    return pool_run(call, &lp_kind, &p);
}

/* ---- rows */

static const attribute_row max_attributes[] = {
    WINDOW_ATTRIBUTE_ROWS(true),
    [POOL_AUTO_PAD] = WINDOW_AUTO_PAD_ROW,
    [MAX_STORAGE_ORDER] = {.name = "storage_order", .type = WLK_ATTR_INT},
    [MAX_DILATIONS] = {.name = "dilations", .type = WLK_ATTR_INTS},
    [MAX_CEIL] = {.name = "ceil_mode", .type = WLK_ATTR_INT},
};

static const attribute_row average_attributes[] = {
    WINDOW_ATTRIBUTE_ROWS(true),
    [POOL_AUTO_PAD] = WINDOW_AUTO_PAD_ROW,
    [AVERAGE_INCLUDE_PAD] = {.name = "count_include_pad", .type = WLK_ATTR_INT},
    [AVERAGE_CEIL] = {.name = "ceil_mode", .type = WLK_ATTR_INT},
    [AVERAGE_DILATIONS] = {.name = "dilations", .type = WLK_ATTR_INTS},
};

static const attribute_row lp_old_attributes[] = {
    WINDOW_ATTRIBUTE_ROWS(true),
    [POOL_AUTO_PAD] = WINDOW_AUTO_PAD_ROW,
    [LP_P] = {.name = "p", .type = WLK_ATTR_FLOAT, .f = 2},
};

static const attribute_row lp_attributes[] = {
    WINDOW_ATTRIBUTE_ROWS(true),
    [POOL_AUTO_PAD] = WINDOW_AUTO_PAD_ROW,
    [LP_P] = {.name = "p", .type = WLK_ATTR_INT, .i = 2},
    [LP_DILATIONS] = {.name = "dilations", .type = WLK_ATTR_INTS},
    [LP_CEIL] = {.name = "ceil_mode", .type = WLK_ATTR_INT},
};

#define OLD DTYPES_FLOAT | DTYPE_BIT(WLK_F16)
#define BYTES DTYPE_BIT(WLK_I8) | DTYPE_BIT(WLK_U8)
static const op_port float_port[] = {{"X", OLD, 'T'}};
static const op_port byte_port[] = {{"X", OLD | BYTES, 'T'}};
static const op_port newest_port[] = {{"X", DTYPES_FLOAT | DTYPES_HALF, 'T'}};
static const op_port newest_byte_port[] = {{"X", DTYPES_FLOAT | DTYPES_HALF | BYTES, 'T'}};

#define ROW(op, version, most_outputs, port, attribute_rows, known, prefix)              \
    {                                                                                    \
        .domain = "", .name = op, .since = version, .min_inputs = 1, .max_inputs = 1,    \
        .min_outputs = 1, .max_outputs = most_outputs, .ports = port,                    \
        .attributes = attribute_rows, .attribute_count = known, .infer = prefix##_infer, \
        .kernel = prefix##_kernel, .flags = OP_HALF                                      \
    }

static const op_row rows[] = {
    ROW("MaxPool", 1, 1, float_port, max_attributes, POOL_OWN, max),
    ROW("MaxPool", 8, 2, float_port, max_attributes, MAX_STORAGE_ORDER + 1, max),
    ROW("MaxPool", 10, 2, float_port, max_attributes, MAX_CEIL + 1, max),
    ROW("MaxPool", 11, 2, float_port, max_attributes, MAX_CEIL + 1, max),
    ROW("MaxPool", 12, 2, byte_port, max_attributes, MAX_CEIL + 1, max),
    ROW("MaxPool", 22, 2, newest_byte_port, max_attributes, MAX_CEIL + 1, max),
    ROW("AveragePool", 1, 1, float_port, average_attributes, POOL_OWN, average),
    ROW("AveragePool", 7, 1, float_port, average_attributes, AVERAGE_INCLUDE_PAD + 1, average),
    ROW("AveragePool", 10, 1, float_port, average_attributes, AVERAGE_CEIL + 1, average),
    ROW("AveragePool", 11, 1, float_port, average_attributes, AVERAGE_CEIL + 1, average),
    ROW("AveragePool", 19, 1, float_port, average_attributes, AVERAGE_DILATIONS + 1, average),
    ROW("AveragePool", 22, 1, newest_port, average_attributes, AVERAGE_DILATIONS + 1, average),
    ROW("LpPool", 1, 1, float_port, lp_old_attributes, LP_P + 1, lp),
    ROW("LpPool", 2, 1, float_port, lp_attributes, LP_P + 1, lp),
    ROW("LpPool", 11, 1, float_port, lp_attributes, LP_P + 1, lp),
    ROW("LpPool", 18, 1, float_port, lp_attributes, LP_CEIL + 1, lp),
    ROW("LpPool", 22, 1, newest_port, lp_attributes, LP_CEIL + 1, lp),
};

const op_family ops_pool = {rows, sizeof rows / sizeof *rows};

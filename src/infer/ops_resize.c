/* Resize and Upsample: each axis gets more or fewer elements (resize.h). The nearest
 * element is picked from tables; weighted sums are taken along one axis after the
 * other, since the weights of the axes multiply. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "infer/numbers.h"
#include "infer/ops.h"
#include "infer/parallel.h"
#include "infer/pick.h"
#include "infer/resize_plan.h"
#include "infer/shape.h"
#include "infer/units.h"

/* ---- shape rule */

/* The kernel's own numbers: f32, but for what f32 cannot hold. A half is f32 by then. */
static uint64_t work_size(wlk_dtype dtype) {
    const uint32_t narrow = DTYPE_BIT(WLK_F32) | DTYPES_HALF;
    return narrow & DTYPE_BIT(dtype) ? sizeof(float) : sizeof(double);
}

/* Working memory of the weighted sums: the weights of one axis and its elements, and two
 * tensors, each as large as any between two steps. */
static wlk_status need_weights(op_call *call, const resize_plan *plan) {
    int64_t dims[WLK_MAX_RANK];
    uint64_t most = 0;
    uint64_t table = 0;
    for (uint32_t i = 0; i < plan->rank; i++) dims[i] = plan->axes[i].in;
    for (uint32_t i = 0; i <= plan->rank; i++) {
        const int64_t count = dim_product(dims, 0, plan->rank);
        if (count == WLK_UNKNOWN_DIM) return op_fail(call, RULE_RUN_MEMORY, "between two axes");
        if ((uint64_t)count > most) most = (uint64_t)count;
        if (i == plan->rank) break;
        const resize_axis *axis = &plan->axes[i];
        const uint64_t taps = resize_taps(&plan->way, axis);
        dims[i] = axis->out;
        if (axis->in == 0 || resize_is_identity(&plan->way, axis)) continue;
        if (taps == 0) {
            return op_fail(call, op_value_rule(call), "a scale of %g for %" PRId64 " elements",
                           axis->scale, axis->in);
        }
        uint64_t entries = 0;
        if (__builtin_mul_overflow(taps, (uint64_t)axis->out, &entries)) entries = UINT64_MAX;
        if (entries > table) table = entries;
        const int64_t after = dim_product(dims, 0, plan->rank);
        op_add_operations(call, OP_ELEMENT_COST, after < 0 ? UINT64_MAX : (uint64_t)after, taps, 1);
    }
    const uint64_t size = work_size(op_input(call, 0)->dtype);
    TRY(op_need_scratch(call, table, sizeof(int64_t)));
    TRY(op_need_scratch(call, table, sizeof(double)));
    TRY(op_need_scratch(call, most, size));
    return op_need_scratch(call, most, size);
}

static wlk_status need_tables(op_call *call, const resize_plan *plan) {
    TRY(units_need_input(call, 0));
    TRY(units_need_output(call, 0));
    for (uint32_t i = 0; i < plan->rank; i++) {
        TRY(op_need_scratch(call, (uint64_t)plan->axes[i].out, sizeof(int64_t)));
    }
    return WLK_OK;
}

static wlk_status resize_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    resize_plan plan;
    if (in->rank == WLK_NONE) {
        TRY(resize_read_way(call, &(resize_plan){.rank = 0}));
        op_set_output(call, 0, in->dtype, WLK_NONE, NULL);
        return WLK_OK;
    }
    TRY(resize_read(call, &plan));
    int64_t dims[WLK_MAX_RANK];
    for (uint32_t i = 0; i < plan.rank; i++) dims[i] = plan.axes[i].out;
    op_set_output(call, 0, in->dtype, plan.rank, dims);
    units_set_text(call, 0, 0, UINT64_MAX);
    if (!call->binding || !plan.known) return WLK_OK;
    return plan.way.kind == RESIZE_NEAREST ? need_tables(call, &plan) : need_weights(call, &plan);
}

/* ---- kernels */

static wlk_status run_nearest(const op_call *call, const resize_plan *plan) {
    const op_tensor *in = op_input(call, 0);
    op_tensor *out = op_output(call, 0);
    _Alignas(UNIT_BYTES) char outside[UNIT_BYTES];
    units u = units_begin(call, out->dtype);
    unit_from_number(out->dtype, plan->outside, outside);
    pick p = {.size = u.size, .outside = outside, .block = 1};
    p.from = units_read(&u, in);
    p.to = units_write(&u, out);
    uint32_t inner = plan->rank; /* the axes from here on stay what they are */
    while (inner > 0 && resize_is_identity(&plan->way, &plan->axes[inner - 1])) inner--;
    if (out->count > 0) p.block = tensor_span(in, inner, in->rank);
    p.rank = inner;
    for (uint32_t i = 0; i < inner && out->count > 0; i++) {
        const resize_axis *axis = &plan->axes[i];
        const int64_t step = (int64_t)tensor_span(in, i + 1, in->rank);
        int64_t *table = units_take(&u, (uint64_t)axis->out, sizeof *table);
        for (int64_t j = 0; j < axis->out; j++) {
            const int64_t at = resize_nearest(&plan->way, axis, j);
            table[j] = at < 0 ? PICK_OUTSIDE : at * step;
        }
        p.axes[i] = (pick_axis){(uint64_t)axis->out, table};
    }
    if (out->count > 0) pick_run(call, &p);
    units_end(&u, out, p.to);
    return WLK_OK;
}

/* One axis of a weighted sum: [outer, in, inner] to [outer, out, inner]. */
typedef struct axis_job {
    uint64_t in, out, inner, taps;
    const int64_t *elements; /* [out, taps]; the first is -1 where all is outside */
    const double *weights;
    double outside;
    const void *from;
    void *to;
} axis_job;

#define AXIS_ROWS(suffix, type)                                                               \
    static void row_##suffix(const axis_job *job, const type *from, type *restrict to,        \
                             const int64_t *elements, const double *weights) {                \
        const uint64_t inner = job->inner;                                                    \
        const type *first = from + (uint64_t)elements[0] * inner;                             \
        const type *second = from + (uint64_t)elements[1] * inner;                            \
        const type w0 = (type)weights[0];                                                     \
        const type w1 = (type)weights[1];                                                     \
        for (uint64_t j = 0; j < inner; j++) to[j] = w0 * first[j] + w1 * second[j];          \
        for (uint64_t t = 2; t < job->taps; t++) {                                            \
            const type *other = from + (uint64_t)elements[t] * inner;                         \
            const type w = (type)weights[t];                                                  \
            for (uint64_t j = 0; j < inner; j++) to[j] += w * other[j];                       \
        }                                                                                     \
    }                                                                                         \
    /* The innermost axis: a row is one element. */                                           \
    static void line_##suffix(const axis_job *job, const type *from, type *restrict to,       \
                              uint64_t first, uint64_t end) {                                 \
        for (uint64_t i = first; i < end; i++) {                                              \
            const int64_t *elements = job->elements + i * job->taps;                          \
            const double *weights = job->weights + i * job->taps;                             \
            type sum = elements[0] < 0 ? (type)job->outside : 0;                              \
            for (uint64_t t = 0; elements[0] >= 0 && t < job->taps; t++) {                    \
                sum += (type)weights[t] * from[elements[t]];                                  \
            }                                                                                 \
            *to++ = sum;                                                                      \
        }                                                                                     \
    }                                                                                         \
    static void lines_##suffix(void *context, uint64_t begin, uint64_t end) {                 \
        const axis_job *job = context;                                                        \
        for (uint64_t item = begin; item < end;) {                                            \
            const uint64_t first = item % job->out;                                           \
            const uint64_t left = job->out - first;                                           \
            const uint64_t count = end - item < left ? end - item : left;                     \
            line_##suffix(job, (const type *)job->from + item / job->out * job->in,           \
                          (type *)job->to + item, first, first + count);                      \
            item += count;                                                                    \
        }                                                                                     \
    }                                                                                         \
    static void rows_##suffix(void *context, uint64_t begin, uint64_t end) {                  \
        const axis_job *job = context;                                                        \
        uint64_t i = begin % job->out;                                                        \
        const type *from = (const type *)job->from + begin / job->out * job->in * job->inner; \
        for (uint64_t item = begin; item < end; item++) {                                     \
            type *to = (type *)job->to + item * job->inner;                                   \
            const int64_t *elements = job->elements + i * job->taps;                          \
            if (elements[0] >= 0) {                                                           \
                row_##suffix(job, from, to, elements, job->weights + i * job->taps);          \
            } else {                                                                          \
                for (uint64_t j = 0; j < job->inner; j++) to[j] = (type)job->outside;         \
            }                                                                                 \
            if (++i < job->out) continue;                                                     \
            i = 0;                                                                            \
            from += job->in * job->inner;                                                     \
        }                                                                                     \
    }

AXIS_ROWS(f32, float)
AXIS_ROWS(f64, double)

/* Working memory, in the order in which need_weights asked for it. */
typedef struct resize_room {
    int64_t *elements;
    double *weights;
    void *tensors[2];
    bool wide; /* float64 */
} resize_room;

static resize_room take_room(const op_call *call, const resize_plan *plan) {
    units u = units_begin(call, WLK_U8);
    const uint64_t size = work_size(op_input(call, 0)->dtype);
    uint64_t count = 1;
    uint64_t most = 0;
    uint64_t table = 0;
    for (uint32_t i = 0; i < plan->rank; i++) count *= (uint64_t)plan->axes[i].in;
    most = count;
    for (uint32_t i = 0; i < plan->rank; i++) {
        const resize_axis *axis = &plan->axes[i];
        count = count / (uint64_t)axis->in * (uint64_t)axis->out;
        if (count > most) most = count;
        if (resize_is_identity(&plan->way, axis)) continue;
        const uint64_t entries = resize_taps(&plan->way, axis) * (uint64_t)axis->out;
        if (entries > table) table = entries;
    }
    return (resize_room){.elements = units_take(&u, table, sizeof(int64_t)),
                         .weights = units_take(&u, table, sizeof(double)),
                         .tensors = {units_take(&u, most, size), units_take(&u, most, size)},
                         .wide = size == sizeof(double)};
}

static void run_axis(const op_call *call, const resize_plan *plan, uint32_t i, uint64_t outer,
                     uint64_t inner, const resize_room *room, const void *from, void *to) {
    const resize_axis *axis = &plan->axes[i];
    axis_job job = {.in = (uint64_t)axis->in,
                    .out = (uint64_t)axis->out,
                    .inner = inner,
                    .taps = resize_taps(&plan->way, axis),
                    .elements = room->elements,
                    .weights = room->weights,
                    .outside = plan->outside,
                    .from = from,
                    .to = to};
    for (int64_t j = 0; j < axis->out; j++) {
        int64_t *elements = room->elements + (uint64_t)j * job.taps;
        double *weights = room->weights + (uint64_t)j * job.taps;
        if (!resize_weights(&plan->way, axis, j, elements, weights)) elements[0] = -1;
    }
    const parallel_body body =
        inner == 1 ? (room->wide ? lines_f64 : lines_f32) : (room->wide ? rows_f64 : rows_f32);
    op_parallel(call, outer * job.out, 1 + 16384 / (inner * job.taps), body, &job);
}

/* The input as the kernel's numbers: what is f32 or f64 is already. */
static const void *load_input(const op_tensor *in, const resize_room *room) {
    if (in->dtype == WLK_F32 || in->dtype == WLK_F64) return in->data;
    const number_loader load = number_load(in->dtype);
    double *to = room->tensors[1];
    for (uint64_t i = 0; i < in->count; i++) {
        const number value = load(in->data, i);
        to[i] = value.kind == NUMBER_UINT ? (double)value.u : (double)value.i;
    }
    return to;
}

/* Integers are rounded to nearest, ties to even, and saturate. */
static void store_output(const op_tensor *out, const void *from) {
    const double *values = from;
    if (out->dtype == WLK_F32 || out->dtype == WLK_F64) {
        if (from != out->target) memcpy(out->target, from, out->nbytes);
        return;
    }
    const number_storer store = number_store(out->dtype);
    for (uint64_t i = 0; i < out->count; i++) {
        store(out->target, i, (number){NUMBER_FLOAT, {.f = rint(values[i])}});
    }
}

static wlk_status run_weighted(const op_call *call, const resize_plan *plan) {
    const op_tensor *in = op_input(call, 0);
    const op_tensor *out = op_output(call, 0);
    if (out->count == 0) return WLK_OK;
    const resize_room room = take_room(call, plan);
    const void *from = load_input(in, &room);
    uint64_t outer = 1;
    uint32_t turn = 0;
    uint32_t last = plan->rank; /* of the axes that change: it may write to the output */
    while (last > 0 && resize_is_identity(&plan->way, &plan->axes[last - 1])) last--;
    const bool direct = out->dtype == WLK_F32 || out->dtype == WLK_F64;
    for (uint32_t i = 0; i < last; i++) {
        if (!resize_is_identity(&plan->way, &plan->axes[i])) {
            const uint64_t inner = tensor_span(in, i + 1, in->rank);
            void *to = direct && i + 1 == last ? out->target : room.tensors[turn];
            run_axis(call, plan, i, outer, inner, &room, from, to);
            from = to;
            turn = 1 - turn;
        }
        outer *= (uint64_t)plan->axes[i].out;
    }
    store_output(out, from);
    return WLK_OK;
}

static wlk_status resize_kernel(const op_call *call) {
    resize_plan plan;
    TRY(resize_read(call, &plan));
    return plan.way.kind == RESIZE_NEAREST ? run_nearest(call, &plan) : run_weighted(call, &plan);
}

/* ---- rows */

static const attribute_row resize_attributes[] = {
    [RESIZE_MODE] = {.name = "mode", .type = WLK_ATTR_STRING, .s = "nearest"},
    [RESIZE_TRANSFORM] = {.name = "coordinate_transformation_mode",
                          .type = WLK_ATTR_STRING,
                          .s = "half_pixel"},
    [RESIZE_ROUNDING] = {.name = "nearest_mode",
                         .type = WLK_ATTR_STRING,
                         .s = "round_prefer_floor"},
    [RESIZE_CUBIC_A] = {.name = "cubic_coeff_a", .type = WLK_ATTR_FLOAT, .f = -0.75},
    [RESIZE_EXCLUDE] = {.name = "exclude_outside", .type = WLK_ATTR_INT},
    [RESIZE_OUTSIDE] = {.name = "extrapolation_value", .type = WLK_ATTR_FLOAT},
    [RESIZE_ANTIALIAS] = {.name = "antialias", .type = WLK_ATTR_INT},
    [RESIZE_AXES] = {.name = "axes", .type = WLK_ATTR_INTS},
    [RESIZE_POLICY] = {
        .name = "keep_aspect_ratio_policy", .type = WLK_ATTR_STRING, .s = "stretch"}};
static const attribute_row upsample_1[] = {
    [UPSAMPLE_MODE] = {.name = "mode", .type = WLK_ATTR_STRING, .s = "nearest"},
    [UPSAMPLE_HEIGHT] = {.name = "height_scale", .type = WLK_ATTR_FLOAT, .required = true},
    [UPSAMPLE_WIDTH] = {.name = "width_scale", .type = WLK_ATTR_FLOAT, .required = true}};
static const attribute_row upsample_7[] = {
    [UPSAMPLE_MODE] = {.name = "mode", .type = WLK_ATTR_STRING, .s = "nearest"},
    [UPSAMPLE_SCALES] = {.name = "scales", .type = WLK_ATTR_FLOATS, .required = true}};

#define DTYPES_ROI (DTYPES_FLOAT | DTYPE_BIT(WLK_F16))
#define RESIZE_PORTS(name, dtypes)                                    \
    static const op_port name[] = {{"X", dtypes, 0},                  \
                                   {"roi", DTYPES_ROI, 0},            \
                                   {"scales", DTYPE_BIT(WLK_F32), 0}, \
                                   {"sizes", DTYPE_BIT(WLK_I64), 0}}
RESIZE_PORTS(resize_11, DTYPES_MOVED_1);
RESIZE_PORTS(resize_13, DTYPES_MOVED_13);
static const op_port scaled[] = {{"X", DTYPES_MOVED_1, 0}, {"scales", DTYPE_BIT(WLK_F32), 0}};

#define ROW(op_name, version, least, most, op_ports, rows, known)                                  \
    {                                                                                              \
        .domain = "", .name = op_name, .since = version, .min_inputs = least, .max_inputs = most,  \
        .min_outputs = 1, .max_outputs = 1, .ports = op_ports, .attributes = rows,                 \
        .attribute_count = known, .infer = resize_infer, .kernel = resize_kernel, .flags = OP_HALF \
    }

static const op_row rows[] = {
    ROW("Upsample", 1, 1, 1, scaled, upsample_1, 3),
    ROW("Upsample", 7, 1, 1, scaled, upsample_7, 2),
    ROW("Upsample", 9, 2, 2, scaled, upsample_7, 1),
    ROW("Upsample", 10, 2, 2, scaled, upsample_7, 1),
    ROW("Resize", 10, 2, 2, scaled, resize_attributes, 1),
    ROW("Resize", 11, 3, 4, resize_11, resize_attributes, 6),
    ROW("Resize", 13, 1, 4, resize_13, resize_attributes, 6),
    ROW("Resize", 18, 1, 4, resize_13, resize_attributes, 9),
    ROW("Resize", 19, 1, 4, resize_13, resize_attributes, 9),
};

const op_family ops_resize = {rows, sizeof rows / sizeof *rows};

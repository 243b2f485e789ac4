/* GridSample: elements at positions that a grid names, interpolated; AffineGrid makes
 * such a grid. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "infer/int_list.h"
#include "infer/ops.h"
#include "infer/parallel.h"
#include "infer/shape.h"

/* ---- GridSample */

enum { GRID_MODE, GRID_PADDING, GRID_CORNERS };

typedef enum grid_mode { GRID_NEAREST, GRID_LINEAR, GRID_CUBIC } grid_mode;
typedef enum grid_padding { GRID_ZEROS, GRID_BORDER, GRID_REFLECTION } grid_padding;

#define GRID_AXES (WLK_MAX_RANK - 2)
#define AXIS_TAPS 4
#define GRID_TAPS 256 /* of one position: four axes of cubic, six of linear */

typedef struct grid_way {
    grid_mode mode;
    grid_padding padding;
    bool corners;
} grid_way;

static wlk_status grid_read_mode(const op_call *call, grid_mode *mode) {
    static const char *const names[] = {"nearest", "linear", "cubic"};
    static const char *const old[] = {"nearest", "bilinear", "bicubic"};
    const char *name = op_attribute(call, GRID_MODE).s;
    for (uint32_t i = 0; i < 3; i++) {
        *mode = (grid_mode)i;
        if (strcmp(name, call->node->row->since < 20 ? old[i] : names[i]) == 0) return WLK_OK;
    }
    return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "mode '%.40s'", name);
}

static wlk_status grid_read(const op_call *call, grid_way *way) {
    static const char *const names[] = {"zeros", "border", "reflection"};
    const char *name = op_attribute(call, GRID_PADDING).s;
    way->corners = op_attribute(call, GRID_CORNERS).i != 0;
    TRY(grid_read_mode(call, &way->mode));
    for (uint32_t i = 0; i < 3; i++) {
        way->padding = (grid_padding)i;
        if (strcmp(name, names[i]) == 0) return WLK_OK;
    }
    return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "padding_mode '%.40s'", name);
}

static wlk_status grid_shapes(const op_call *call, const grid_way *way) {
    const op_tensor *in = op_input(call, 0);
    const op_tensor *grid = op_input(call, 1);
    const uint32_t axes = in->rank - 2;
    if (grid->rank != in->rank || !dim_agrees(in->dims[0], grid->dims[0]) ||
        !dim_agrees(grid->dims[grid->rank - 1], (int64_t)axes)) {
        return shape_mismatch(call, 0, 1);
    }
    if (way->mode == GRID_CUBIC && axes > 4) {
        return op_fail(call, op_shape_rule(call), "mode cubic along %u axes", axes);
    }
    for (uint32_t i = 2; i < in->rank && tensor_is_known(grid); i++) {
        if (in->dims[i] != 0 || dim_product(grid->dims, 0, grid->rank) == 0) continue;
        return op_fail(call, op_shape_rule(call), "axis %u is empty", i);
    }
    return WLK_OK;
}

static uint64_t taps_of(grid_mode mode, uint32_t axes) {
    const uint64_t each = mode == GRID_NEAREST ? 1 : mode == GRID_LINEAR ? 2 : AXIS_TAPS;
    uint64_t taps = 1;
    for (uint32_t i = 0; i < axes; i++) taps *= each;
    return taps;
}

static wlk_status grid_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    const op_tensor *grid = op_input(call, 1);
    grid_way way;
    TRY(grid_read(call, &way));
    TRY(shape_need_rank(call, 0, 3, WLK_MAX_RANK));
    TRY(shape_need_rank(call, 1, 3, WLK_MAX_RANK));
    if (in->rank == WLK_NONE || grid->rank == WLK_NONE) {
        set_unknown_dims(call, 0, in->dtype, in->rank == WLK_NONE ? grid->rank : in->rank);
        return WLK_OK;
    }
    TRY(grid_shapes(call, &way));
    int64_t dims[WLK_MAX_RANK] = {in->dims[0], in->dims[1]};
    for (uint32_t i = 2; i < in->rank; i++) dims[i] = grid->dims[i - 1];
    op_set_output(call, 0, in->dtype, in->rank, dims);
    if (!call->binding) return WLK_OK;
    const int64_t count = dim_product(dims, 0, in->rank);
    op_add_operations(call, OP_ELEMENT_COST, count < 0 ? UINT64_MAX : (uint64_t)count,
                      taps_of(way.mode, in->rank - 2), 1);
    return WLK_OK;
}

/* A normalised coordinate, -1 to 1, as a position along an axis: in the grid's own
 * precision, which decides what is nearest. */
static double grid_position(const op_tensor *grid, uint64_t i, int64_t length, bool corners) {
    if (grid->dtype == WLK_F32) {
        const float n = ((const float *)grid->data)[i];
        const float dim = (float)length;
        return (double)(corners ? (n + 1) / 2 * (dim - 1) : ((n + 1) * dim - 1) / 2);
    }
    const double n = ((const double *)grid->data)[i];
    const double dim = (double)length;
    return corners ? (n + 1) / 2 * (dim - 1) : ((n + 1) * dim - 1) / 2;
}

/* Mirrors a position at both ends as often as it takes. */
static double reflect(const grid_way *way, double at, int64_t length) {
    const double low = way->corners ? 0 : -0.5;
    const double high = way->corners ? (double)length - 1 : (double)length - 0.5;
    const double range = high - low;
    if (range <= 0) return 0;
    if (at >= low && at <= high) return at;
    const double beyond = at < low ? low - at : at - high;
    const double rest = fmod(beyond, range);
    const bool even = fmod(floor(beyond / range), 2) == 0;
    return (at < low) == even ? low + rest : high - rest;
}

static int64_t clamp_element(double at, int64_t length) {
    if (!(at > 0)) return 0;
    return at >= (double)length - 1 ? length - 1 : (int64_t)at;
}

/* The element that stands for place `at`, -1 for a zero. */
static int64_t grid_element(const grid_way *way, double at, int64_t length) {
    if (way->padding == GRID_ZEROS && (at < 0 || at > (double)length - 1)) return -1;
    if (way->padding == GRID_REFLECTION) at = reflect(way, at, length);
    return clamp_element(at, length);
}

static double cubic_weight(double x) {
    const double a = -0.75;
    x = fabs(x);
    if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

/* What one axis contributes: elements and weights. */
typedef struct axis_taps {
    uint32_t count;
    int64_t elements[AXIS_TAPS];
    double weights[AXIS_TAPS];
} axis_taps;

static axis_taps axis_taps_at(const grid_way *way, double at, int64_t length) {
    axis_taps taps = {.count = way->mode == GRID_NEAREST ? 1 : way->mode == GRID_LINEAR ? 2 : 4};
    /* NaN and what is far outside: a place outside, near enough to compute with. */
    if (!(at > -0x1p40)) at = -0x1p40;
    if (at > 0x1p40) at = 0x1p40;
    if (way->mode == GRID_NEAREST) at = rint(at);
    const double low = way->corners ? 0 : -0.5;
    const double high = way->corners ? (double)length - 1 : (double)length - 0.5;
    if (way->padding == GRID_BORDER && way->mode != GRID_CUBIC && (at < low || at > high)) {
        at = at < 0 ? 0 : (double)length - 1;
    }
    if (way->padding == GRID_REFLECTION) at = reflect(way, at, length);
    const double first = floor(at) - (way->mode == GRID_CUBIC);
    for (uint32_t i = 0; i < taps.count; i++) {
        const double element = first + i;
        const double distance = at - element;
        taps.elements[i] = grid_element(way, element, length);
        taps.weights[i] = way->mode == GRID_NEAREST  ? 1
                          : way->mode == GRID_LINEAR ? 1 - fabs(distance)
                                                     : cubic_weight(distance);
    }
    return taps;
}

/* A position: offsets within one channel, and weights. */
typedef struct position_taps {
    uint32_t count;
    uint64_t offsets[GRID_TAPS];
    double weights[GRID_TAPS];
} position_taps;

/* Multiplies what there is by the taps of one more axis; zeros drop out. */
static void add_axis(position_taps *all, const axis_taps *axis, uint64_t length) {
    const uint32_t before = all->count;
    position_taps next = {.count = 0};
    for (uint32_t i = 0; i < before; i++) {
        for (uint32_t j = 0; j < axis->count; j++) {
            if (axis->elements[j] < 0) continue;
            next.offsets[next.count] = all->offsets[i] * length + (uint64_t)axis->elements[j];
            next.weights[next.count++] = all->weights[i] * axis->weights[j];
        }
    }
    all->count = next.count;
    memcpy(all->offsets, next.offsets, next.count * sizeof *next.offsets);
    memcpy(all->weights, next.weights, next.count * sizeof *next.weights);
}

typedef struct grid_job {
    const op_tensor *in, *grid, *out;
    grid_way way;
    uint64_t places;  /* of one batch's output */
    uint64_t channel; /* elements of one of the input's */
} grid_job;

static void position_at(const grid_job *job, uint64_t place, position_taps *taps) {
    const uint32_t axes = job->in->rank - 2;
    taps->count = 1;
    taps->offsets[0] = 0;
    taps->weights[0] = 1;
    for (uint32_t i = 0; i < axes; i++) { /* the grid names the last axis first */
        const int64_t length = job->in->dims[2 + i];
        const double at =
            grid_position(job->grid, place * axes + axes - 1 - i, length, job->way.corners);
        const axis_taps axis = axis_taps_at(&job->way, at, length);
        add_axis(taps, &axis, (uint64_t)length);
    }
}

#define GRID_SUM(suffix, type)                                                               \
    static void grid_sum_##suffix(const grid_job *job, uint64_t place,                       \
                                  const position_taps *taps) {                               \
        const uint64_t channels = (uint64_t)job->in->dims[1];                                \
        const uint64_t batch = place / job->places;                                          \
        const type *from = (const type *)job->in->data + batch * channels * job->channel;    \
        type *to =                                                                           \
            (type *)job->out->target + batch * channels * job->places + place % job->places; \
        for (uint64_t c = 0; c < channels; c++) {                                            \
            double sum = 0;                                                                  \
            for (uint32_t i = 0; i < taps->count; i++) {                                     \
                sum += taps->weights[i] * (double)from[taps->offsets[i]];                    \
            }                                                                                \
            *to = (type)sum;                                                                 \
            to += job->places;                                                               \
            from += job->channel;                                                            \
        }                                                                                    \
    }

GRID_SUM(f32, float)
GRID_SUM(f64, double)

static void grid_places(void *context, uint64_t from, uint64_t to) {
    const grid_job *job = context;
    position_taps taps;
    for (uint64_t place = from; place < to; place++) {
        position_at(job, place, &taps);
        if (job->in->dtype == WLK_F32) {
            grid_sum_f32(job, place, &taps);
        } else {
            grid_sum_f64(job, place, &taps);
        }
    }
}

static wlk_status grid_kernel(const op_call *call) {
    grid_job job = {.in = op_input(call, 0), .grid = op_input(call, 1), .out = op_output(call, 0)};
    TRY(grid_read(call, &job.way));
    if (job.out->count == 0) return WLK_OK;
    job.places = tensor_span(job.out, 2, job.out->rank);
    job.channel = tensor_span(job.in, 2, job.in->rank);
    op_parallel(call, (uint64_t)job.out->dims[0] * job.places, 1024, grid_places, &job);
    return WLK_OK;
}

/* ---- AffineGrid */

enum { AFFINE_CORNERS };

static wlk_status affine_infer(op_call *call) {
    const op_tensor *theta = op_input(call, 0);
    int_list size;
    TRY(ints_of_input(call, 1, &size));
    TRY(shape_need_rank(call, 0, 3, 3));
    int64_t dims[WLK_MAX_RANK];
    if (!size.known) {
        const bool sized = size.count == 4 || size.count == 5;
        set_unknown_dims(call, 0, theta->dtype, sized ? (uint32_t)size.count : WLK_NONE);
        return WLK_OK;
    }
    if (size.count != 4 && size.count != 5) {
        return op_fail(call, op_shape_rule(call), "a size of %" PRIu64 " dimensions", size.count);
    }
    const int64_t axes = (int64_t)size.count - 2;
    for (uint64_t i = 0; i < size.count; i++) {
        if (int_at(&size, i) < 0)
            return ints_fail(call, &size, "a dim is negative", int_at(&size, i));
    }
    dims[0] = int_at(&size, 0);
    for (uint32_t i = 0; i < (uint32_t)axes; i++) dims[1 + i] = int_at(&size, 2 + i);
    dims[1 + axes] = axes;
    if (theta->rank != WLK_NONE &&
        (!dim_agrees(theta->dims[0], dims[0]) || !dim_agrees(theta->dims[1], axes) ||
         !dim_agrees(theta->dims[2], axes + 1))) {
        return shape_mismatch(call, 0, 1);
    }
    op_set_output(call, 0, theta->dtype, (uint32_t)axes + 2, dims);
    return WLK_OK;
}

/* Element i of `length` places evenly between -1 and 1: from end to end, or in the middle
 * of as many pieces. */
static double affine_coordinate(int64_t i, int64_t length, bool corners) {
    if (!corners) return (2 * (double)i + 1) / (double)length - 1;
    return length == 1 ? 0 : 2 * (double)i / (double)(length - 1) - 1;
}

#define AFFINE_ROW(suffix, type)                                                     \
    static void affine_place_##suffix(const op_tensor *theta, const op_tensor *out,  \
                                      uint64_t batch, uint64_t place, uint32_t axes, \
                                      const double at[4]) {                          \
        const type *matrix = (const type *)theta->data + batch * axes * (axes + 1);  \
        type *to = (type *)out->target + place * axes;                               \
        for (uint32_t i = 0; i < axes; i++) {                                        \
            double sum = 0;                                                          \
            for (uint32_t j = 0; j <= axes; j++) {                                   \
                sum += (double)matrix[i * (axes + 1) + j] * at[j];                   \
            }                                                                        \
            to[i] = (type)sum;                                                       \
        }                                                                            \
    }

AFFINE_ROW(f32, float)
AFFINE_ROW(f64, double)

static wlk_status affine_kernel(const op_call *call) {
    const op_tensor *theta = op_input(call, 0);
    const op_tensor *out = op_output(call, 0);
    const bool corners = op_attribute(call, AFFINE_CORNERS).i != 0;
    const uint32_t axes = out->rank - 2;
    const uint64_t places = out->count / axes;
    if (out->count == 0) return WLK_OK;
    const uint64_t each = places / (uint64_t)out->dims[0];
    for (uint64_t place = 0; place < places; place++) {
        double at[4] = {0};
        uint64_t rest = place;
        for (uint32_t i = 0; i < axes; i++) { /* the last axis is x, the first coordinate */
            const uint64_t length = (uint64_t)out->dims[axes - i];
            at[i] = affine_coordinate((int64_t)(rest % length), (int64_t)length, corners);
            rest /= length;
        }
        at[axes] = 1;
        if (theta->dtype == WLK_F32) affine_place_f32(theta, out, place / each, place, axes, at);
        if (theta->dtype == WLK_F64) affine_place_f64(theta, out, place / each, place, axes, at);
    }
    return WLK_OK;
}

/* ---- rows */

#define GRID_ATTRIBUTES(table, standard)                                                  \
    static const attribute_row table[] = {                                                \
        [GRID_MODE] = {.name = "mode", .type = WLK_ATTR_STRING, .s = standard},           \
        [GRID_PADDING] = {.name = "padding_mode", .type = WLK_ATTR_STRING, .s = "zeros"}, \
        [GRID_CORNERS] = {.name = "align_corners", .type = WLK_ATTR_INT}}
GRID_ATTRIBUTES(grid_16, "bilinear");
GRID_ATTRIBUTES(grid_20, "linear");
static const attribute_row affine_attributes[] = {
    [AFFINE_CORNERS] = {.name = "align_corners", .type = WLK_ATTR_INT}};

#define DTYPES_OLD (DTYPES_FLOAT | DTYPE_BIT(WLK_F16))
static const op_port grid_ports_16[] = {{"X", DTYPES_OLD, 0}, {"grid", DTYPES_OLD, 0}};
static const op_port grid_ports_22[] = {{"X", DTYPES_FLOAT | DTYPES_HALF, 0},
                                        {"grid", DTYPES_FLOAT | DTYPES_HALF, 0}};
static const op_port affine_ports[] = {{"theta", DTYPES_FLOAT | DTYPES_HALF, 0},
                                       {"size", DTYPE_BIT(WLK_I64), 0}};

#define ROW(op_name, version, op_ports, rows, known, op_shape, op_run)                     \
    {                                                                                      \
        .domain = "", .name = op_name, .since = version, .min_inputs = 2, .max_inputs = 2, \
        .min_outputs = 1, .max_outputs = 1, .ports = op_ports, .attributes = rows,         \
        .attribute_count = known, .infer = op_shape, .kernel = op_run, .flags = OP_HALF    \
    }

static const op_row rows[] = {
    ROW("GridSample", 16, grid_ports_16, grid_16, 3, grid_infer, grid_kernel),
    ROW("GridSample", 20, grid_ports_16, grid_20, 3, grid_infer, grid_kernel),
    ROW("GridSample", 22, grid_ports_22, grid_20, 3, grid_infer, grid_kernel),
    ROW("AffineGrid", 20, affine_ports, affine_attributes, 1, affine_infer, affine_kernel),
};

const op_family ops_resize_grid = {rows, sizeof rows / sizeof *rows};

#include "infer/resize.h"

#include <math.h>

bool resize_is_identity(const resize_way *way, const resize_axis *axis) {
    const bool whole = way->transform != RESIZE_CROP || (axis->roi[0] == 0 && axis->roi[1] == 1);
    return whole && axis->scale == 1 && axis->in == axis->out;
}

/* The position of element i of the output, in the input: in float64 where it becomes
 * weights. What is nearest is decided in float32, as the scales are given and as others
 * do: half of 0.7f is a tie or is none. */
#define POSITION(suffix, type)                                                                    \
    static type crop_##suffix(const resize_axis *axis, type i) {                                  \
        const type last = (type)(axis->in - 1);                                                   \
        const type start = (type)axis->roi[0];                                                    \
        const type end = (type)axis->roi[1];                                                      \
        if (axis->out <= 1) return (start + end) * last / 2;                                      \
        return start * last + i * (end - start) * last / (type)(axis->out - 1);                   \
    }                                                                                             \
    static type symmetric_##suffix(const resize_axis *axis, type i) {                             \
        const type adjustment = (type)axis->out / (type)axis->width;                              \
        const type offset = (type)axis->in / 2 * (1 - adjustment);                                \
        return offset + (i + (type)0.5) / (type)axis->scale - (type)0.5;                          \
    }                                                                                             \
    static type position_##suffix(const resize_way *way, const resize_axis *axis, type i) {       \
        const type half = (type)0.5;                                                              \
        const type scale = (type)axis->scale;                                                     \
        switch (way->transform) {                                                                 \
            case RESIZE_HALF_PIXEL:                                                               \
                return (i + half) / scale - half;                                                 \
            case RESIZE_HALF_PIXEL_SYMMETRIC:                                                     \
                return symmetric_##suffix(axis, i);                                               \
            case RESIZE_PYTORCH_HALF_PIXEL:                                                       \
                return axis->out > 1 ? (i + half) / scale - half : 0;                             \
            case RESIZE_ALIGN_CORNERS:                                                            \
                return axis->width == 1 ? 0 : i * (type)(axis->in - 1) / (type)(axis->width - 1); \
            case RESIZE_ASYMMETRIC:                                                               \
                return i / scale;                                                                 \
            case RESIZE_CROP:                                                                     \
                return crop_##suffix(axis, i);                                                    \
            case RESIZE_TF_HALF_PIXEL:                                                            \
                return (i + half) / scale;                                                        \
        }                                                                                         \
        return 0;                                                                                 \
    }

POSITION(f64, double)
POSITION(f32, float)

/* Positions beyond this are outside of every tensor; NaN is taken for 0. */
#define POSITION_MOST 0x1p60

static double bounded(double at) {
    if (isnan(at)) return 0;
    return at < -POSITION_MOST ? -POSITION_MOST : at > POSITION_MOST ? POSITION_MOST : at;
}

static bool is_outside(const resize_way *way, const resize_axis *axis, double at) {
    return way->transform == RESIZE_CROP && !(at >= 0 && at <= (double)(axis->in - 1));
}

static int64_t clamp_element(const resize_axis *axis, int64_t i) {
    return i < 0 ? 0 : i >= axis->in ? axis->in - 1 : i;
}

static double round_position(const resize_way *way, const resize_axis *axis, double at) {
    const double low = floor(at);
    switch (way->rounding) {
        case RESIZE_PREFER_FLOOR:
            return at - low <= 0.5 ? low : low + 1;
        case RESIZE_PREFER_CEIL:
            return at - low < 0.5 ? low : low + 1;
        case RESIZE_FLOOR:
            return low;
        case RESIZE_CEIL:
            return ceil(at);
        case RESIZE_BY_SCALE:
            return axis->scale < 1 ? ceil(at) : low;
    }
    return low;
}

int64_t resize_nearest(const resize_way *way, const resize_axis *axis, int64_t i) {
    const double at = (double)position_f32(way, axis, (float)i);
    if (is_outside(way, axis, at)) return -1;
    return clamp_element(axis, (int64_t)round_position(way, axis, bounded(at)));
}

/* ---- filters */

static double linear_filter(double x) {
    return fabs(x) < 1 ? 1 - fabs(x) : 0;
}

/* R. Keys, Cubic convolution interpolation for digital image processing, 1981. */
static double cubic_filter(double x, double a) {
    x = fabs(x);
    if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

static bool is_stretched(const resize_way *way, const resize_axis *axis) {
    return way->antialias && axis->scale < 1;
}

/* Elements on each side of a position that count. */
static double reach(const resize_way *way, const resize_axis *axis) {
    const double radius = way->kind == RESIZE_CUBIC ? 2 : 1;
    return is_stretched(way, axis) ? -floor(-radius / axis->scale) : radius;
}

uint64_t resize_taps(const resize_way *way, const resize_axis *axis) {
    const double side = reach(way, axis);
    return side <= 2 * (double)axis->in + 4 ? 2 * (uint64_t)side : 0;
}

static void normalize(double *weights, uint64_t taps) {
    double sum = 0;
    for (uint64_t t = 0; t < taps; t++) sum += weights[t];
    for (uint64_t t = 0; t < taps && sum != 0; t++) weights[t] /= sum;
}

bool resize_weights(const resize_way *way, const resize_axis *axis, int64_t i, int64_t *elements,
                    double *weights) {
    const double given = position_f64(way, axis, (double)i);
    if (is_outside(way, axis, given)) return false;
    const double at = bounded(given);
    const uint64_t taps = resize_taps(way, axis);
    /* The element in front of the position, not at it: the window of an even number of
     * taps then has equal sides. */
    const double front = ceil(at) - 1;
    const double narrow = is_stretched(way, axis) ? axis->scale : 1;
    const uint64_t half = taps / 2;
    for (uint64_t t = 0; t < taps; t++) {
        const double element = front + 1 - (double)half + (double)t;
        const double distance = (element - at) * narrow;
        const bool outside = element < 0 || element > (double)(axis->in - 1);
        elements[t] = clamp_element(axis, (int64_t)element);
        weights[t] = way->kind == RESIZE_CUBIC ? cubic_filter(distance, way->cubic_a)
                                               : linear_filter(distance);
        if (way->exclude_outside && outside) weights[t] = 0;
    }
    if (way->exclude_outside || is_stretched(way, axis)) normalize(weights, taps);
    return true;
}

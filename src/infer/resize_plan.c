#include "infer/resize_plan.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "infer/int_list.h"
#include "infer/numbers.h"
#include "infer/shape.h"

static bool is_upsample(const op_call *call) {
    return call->node->row->name[0] == 'U';
}

/* ---- attributes */

static wlk_status read_name(const op_call *call, uint32_t attribute, const char *const *names,
                            uint32_t count, uint32_t *out) {
    const char *name = op_attribute(call, attribute).s;
    for (*out = 0; *out < count; ++*out) {
        if (names[*out] && strcmp(name, names[*out]) == 0) return WLK_OK;
    }
    return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "'%.60s'", name);
}

static wlk_status read_kind(const op_call *call, resize_kind *kind) {
    static const char *const names[] = {"nearest", "linear", "cubic", "bilinear"};
    static const char *const old[] = {"nearest", "linear", NULL, "bilinear"};
    const bool is_old = call->node->row->since < 11;
    uint32_t i = 0;
    TRY(read_name(call, RESIZE_MODE, is_old ? old : names, is_old ? 4 : 3, &i));
    *kind = i == 3 ? RESIZE_LINEAR : (resize_kind)i;
    return WLK_OK;
}

static wlk_status read_transform(const op_call *call, resize_transform *transform) {
    static const char *const names[] = {[RESIZE_HALF_PIXEL] = "half_pixel",
                                        [RESIZE_HALF_PIXEL_SYMMETRIC] = "half_pixel_symmetric",
                                        [RESIZE_PYTORCH_HALF_PIXEL] = "pytorch_half_pixel",
                                        [RESIZE_ALIGN_CORNERS] = "align_corners",
                                        [RESIZE_ASYMMETRIC] = "asymmetric",
                                        [RESIZE_CROP] = "tf_crop_and_resize",
                                        [RESIZE_TF_HALF_PIXEL] = "tf_half_pixel_for_nn"};
    uint32_t i = 0;
    TRY(read_name(call, RESIZE_TRANSFORM, names, 7, &i));
    *transform = (resize_transform)i;
    return WLK_OK;
}

static wlk_status read_rounding(const op_call *call, resize_rounding *rounding) {
    static const char *const names[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"};
    uint32_t i = 0;
    TRY(read_name(call, RESIZE_ROUNDING, names, 4, &i));
    *rounding = (resize_rounding)i;
    return WLK_OK;
}

typedef enum resize_policy { POLICY_STRETCH, POLICY_NOT_LARGER, POLICY_NOT_SMALLER } resize_policy;

static wlk_status read_policy(const op_call *call, resize_policy *policy) {
    static const char *const names[] = {"stretch", "not_larger", "not_smaller"};
    uint32_t i = 0;
    if (call->node->row->since >= 18) TRY(read_name(call, RESIZE_POLICY, names, 3, &i));
    *policy = (resize_policy)i;
    return WLK_OK;
}

static wlk_status check_dtype(const op_call *call, resize_kind kind) {
    const wlk_dtype dtype = op_input(call, 0)->dtype;
    const uint32_t weighted = DTYPES_FLOAT | DTYPES_INT | DTYPES_HALF;
    if (kind == RESIZE_NEAREST || weighted & DTYPE_BIT(dtype)) return WLK_OK;
    return op_fail(call, RULE_PLAN_DTYPE, "%s cannot be interpolated", wlk_dtype_name(dtype));
}

wlk_status resize_read_way(const op_call *call, resize_plan *plan) {
    resize_way *way = &plan->way;
    TRY(read_kind(call, &way->kind));
    TRY(check_dtype(call, way->kind));
    if (call->node->row->since < 11) {
        way->transform = RESIZE_ASYMMETRIC;
        way->rounding = RESIZE_BY_SCALE;
        return WLK_OK;
    }
    TRY(read_transform(call, &way->transform));
    TRY(read_rounding(call, &way->rounding));
    way->cubic_a = op_attribute(call, RESIZE_CUBIC_A).f;
    way->exclude_outside = op_attribute(call, RESIZE_EXCLUDE).i != 0;
    way->antialias = op_attribute(call, RESIZE_ANTIALIAS).i != 0;
    plan->outside = op_attribute(call, RESIZE_OUTSIDE).f;
    if (!way->antialias || way->kind != RESIZE_NEAREST) return WLK_OK;
    return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "antialias with mode 'nearest'");
}

/* ---- numbers: scales, sizes and roi, from inputs or attributes */

typedef struct float_list {
    bool given, known;
    uint64_t count;
    const float *floats;
    const op_tensor *tensor;
} float_list;

/* An empty list counts as none: so the older versions leave one of two inputs out. */
static wlk_status floats_of_input(const op_call *call, uint32_t i, float_list *out) {
    int_list list;
    TRY(ints_of_input(call, i, &list));
    *out = (float_list){.given = list.given && list.count != 0,
                        .known = list.known && list.count != UINT64_MAX,
                        .count = list.count,
                        .tensor = list.tensor};
    return WLK_OK;
}

static double float_at(const float_list *list, uint64_t i) {
    if (list->floats) return (double)list->floats[i];
    const number value = number_load(list->tensor->dtype)(list->tensor->data, i);
    return value.kind == NUMBER_FLOAT ? value.f : (double)value.i;
}

typedef struct resize_lists {
    float_list scales, sizes, roi;
    float pair[4]; /* of Upsample-1 */
} resize_lists;

static wlk_status upsample_lists(const op_call *call, resize_lists *lists) {
    if (call->node->row->since >= 9) return floats_of_input(call, 1, &lists->scales);
    const attribute_value list = op_attribute(call, UPSAMPLE_SCALES);
    lists->scales = (float_list){.given = true, .known = true, .count = list.count};
    lists->scales.floats = list.floats;
    if (call->node->row->since >= 7) return WLK_OK;
    lists->pair[0] = lists->pair[1] = 1;
    lists->pair[2] = (float)op_attribute(call, UPSAMPLE_HEIGHT).f;
    lists->pair[3] = (float)op_attribute(call, UPSAMPLE_WIDTH).f;
    lists->scales.count = 4;
    lists->scales.floats = lists->pair;
    return WLK_OK;
}

static wlk_status read_lists(const op_call *call, const resize_way *way, resize_lists *lists) {
    const uint32_t since = call->node->row->since;
    *lists = (resize_lists){.roi = {.given = false}};
    if (is_upsample(call)) return upsample_lists(call, lists);
    TRY(floats_of_input(call, since == 10 ? 1 : 2, &lists->scales));
    if (since == 10) return WLK_OK;
    TRY(floats_of_input(call, 3, &lists->sizes));
    if (way->transform == RESIZE_CROP) TRY(floats_of_input(call, 1, &lists->roi));
    const bool certain = (!lists->scales.given || lists->scales.known) &&
                         (!lists->sizes.given || lists->sizes.known);
    if (!certain || lists->scales.given != lists->sizes.given) return WLK_OK;
    return op_fail(call, op_shape_rule(call), "%s of scales and sizes",
                   lists->scales.given ? "both" : "neither");
}

static wlk_status need_count(const op_call *call, const float_list *list, const char *what,
                             uint64_t count) {
    if (!list->given || !list->known || list->count == count) return WLK_OK;
    return op_fail(call, op_shape_rule(call), "%s: %" PRIu64 " given, must be %" PRIu64, what,
                   list->count, count);
}

/* ---- the axes */

/* An output of so many elements, which the input must be able to give. */
static wlk_status set_out(const op_call *call, resize_axis *axis, double out) {
    if (!(out >= 0 && out < 0x1p62)) {
        return op_fail(call, op_value_rule(call), "a dimension of %g", out);
    }
    axis->out = (int64_t)out;
    if (axis->in > 0 || axis->out == 0) return WLK_OK;
    return op_fail(call, op_shape_rule(call), "an empty axis cannot get %" PRId64 " elements",
                   axis->out);
}

/* As many elements as fit, in float32 as exporters count them: their models say what the
 * dimension is. The region of RESIZE_CROP has no part in it. */
static wlk_status apply_scale(const op_call *call, double scale, resize_axis *axis) {
    if (!(scale > 0 && scale < 0x1p62)) {
        return op_fail(call, op_value_rule(call), "a scale of %g", scale);
    }
    axis->scale = scale;
    axis->out = WLK_UNKNOWN_DIM;
    if (axis->in == WLK_UNKNOWN_DIM) return WLK_OK;
    axis->width = (double)axis->in * scale;
    return set_out(call, axis, (double)floorf((float)axis->in * (float)scale));
}

static wlk_status apply_size(const op_call *call, double size, resize_axis *axis) {
    axis->out = WLK_UNKNOWN_DIM;
    if (axis->in == WLK_UNKNOWN_DIM) return WLK_OK;
    TRY(set_out(call, axis, size));
    axis->width = size;
    axis->scale = axis->in > 0 && axis->out > 0 ? size / (double)axis->in : 1;
    return WLK_OK;
}

/* One scale for all axes: the smallest, or the largest, that the sizes ask for. */
static wlk_status apply_policy(const op_call *call, const axis_list *axes, resize_plan *plan) {
    resize_policy policy = POLICY_STRETCH;
    TRY(read_policy(call, &policy));
    if (policy == POLICY_STRETCH) return WLK_OK;
    const bool larger = policy == POLICY_NOT_SMALLER;
    double scale = larger ? 0 : (double)INFINITY;
    for (uint32_t i = 0; i < axes->count; i++) {
        const resize_axis *axis = &plan->axes[axes->axes[i]];
        if (axis->out == WLK_UNKNOWN_DIM) plan->known = false;
        if (larger ? axis->scale > scale : axis->scale < scale) scale = axis->scale;
    }
    for (uint32_t i = 0; i < axes->count; i++) {
        resize_axis *axis = &plan->axes[axes->axes[i]];
        if (!plan->known || axis->in == 0) {
            axis->out = plan->known ? 0 : WLK_UNKNOWN_DIM;
            continue;
        }
        axis->scale = scale;
        axis->width = scale * (double)axis->in;
        TRY(set_out(call, axis, floor(axis->width + 0.5)));
    }
    return WLK_OK;
}

static wlk_status read_roi(const op_call *call, const float_list *roi, const axis_list *axes,
                           resize_plan *plan) {
    if (plan->way.transform != RESIZE_CROP) return WLK_OK;
    if (!roi->given) return op_fail(call, op_shape_rule(call), "there is no roi");
    TRY(need_count(call, roi, "roi", 2 * (uint64_t)axes->count));
    for (uint32_t i = 0; i < axes->count && roi->known; i++) {
        resize_axis *axis = &plan->axes[axes->axes[i]];
        axis->roi[0] = float_at(roi, i);
        axis->roi[1] = float_at(roi, i + axes->count);
    }
    return WLK_OK;
}

static wlk_status apply_lists(const op_call *call, const resize_lists *lists, const axis_list *axes,
                              resize_plan *plan) {
    const float_list *sizes = &lists->sizes;
    const float_list *scales = &lists->scales;
    TRY(need_count(call, scales, "scales", axes->count));
    TRY(need_count(call, sizes, "sizes", axes->count));
    TRY(read_roi(call, &lists->roi, axes, plan));
    const bool by_size = sizes->given;
    plan->known = by_size ? sizes->known : scales->known;
    for (uint32_t i = 0; i < axes->count; i++) {
        resize_axis *axis = &plan->axes[axes->axes[i]];
        axis->out = WLK_UNKNOWN_DIM;
        if (!plan->known) continue;
        if (by_size) TRY(apply_size(call, float_at(sizes, i), axis));
        if (!by_size) TRY(apply_scale(call, float_at(scales, i), axis));
    }
    return by_size && plan->known ? apply_policy(call, axes, plan) : WLK_OK;
}

/* Everything there is to know, from a node whose input has a known rank. */
wlk_status resize_read(const op_call *call, resize_plan *plan) {
    const op_tensor *in = op_input(call, 0);
    resize_lists lists;
    axis_list axes;
    *plan = (resize_plan){.rank = in->rank};
    TRY(resize_read_way(call, plan));
    TRY(read_lists(call, &plan->way, &lists));
    for (uint32_t i = 0; i < in->rank; i++) {
        plan->axes[i] = (resize_axis){.in = in->dims[i], .out = in->dims[i], .scale = 1};
        plan->axes[i].width = (double)in->dims[i];
        plan->axes[i].roi[1] = 1;
    }
    int_list list = {.known = true};
    if (call->node->row->since >= 18) list = ints_of_attribute(call, RESIZE_AXES);
    TRY(axes_read(call, &list, in->rank, true, &axes));
    if (is_upsample(call) && call->node->row->since < 7) TRY(shape_need_rank(call, 0, 4, 4));
    return apply_lists(call, &lists, &axes, plan);
}

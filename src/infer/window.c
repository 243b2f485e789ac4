#include "infer/window.h"

#include <inttypes.h>
#include <string.h>

#include "infer/shape.h"

#define MAX_LENGTH INT32_MAX
#define MAX_DIM (INT64_C(1) << 40)

/* `count` values of a list attribute, each at least `least`; `otherwise` if it is not
 * given. */
static wlk_status read_list(const op_call *call, uint32_t place, uint32_t count, int64_t least,
                            int64_t otherwise, int64_t *out) {
    const attribute_value list = op_attribute(call, place);
    for (uint32_t i = 0; i < count; i++) out[i] = otherwise;
    if (!list.given || list.count == 0) return WLK_OK;
    const char *name = call->node->row->attributes[place].name;
    if (list.count != count) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "%s has %u values, must have %u", name,
                       list.count, count);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (list.ints[i] < least || list.ints[i] > MAX_LENGTH) {
            return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "%" PRId64 " in %s", list.ints[i],
                           name);
        }
        out[i] = list.ints[i];
    }
    return WLK_OK;
}

static wlk_status read_padding(const op_call *call, uint32_t place, window *w) {
    static const char *const names[] = {[WINDOW_GIVEN] = "NOTSET",
                                        [WINDOW_SAME_UPPER] = "SAME_UPPER",
                                        [WINDOW_SAME_LOWER] = "SAME_LOWER",
                                        [WINDOW_VALID] = "VALID"};
    const char *given = op_attribute(call, place).s;
    const char *text = given ? given : names[WINDOW_GIVEN];
    int64_t pads[2 * WINDOW_MAX_AXES];
    TRY(read_list(call, WINDOW_PADS, 2 * w->axes, 0, 0, pads));
    for (uint32_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(text, names[i]) != 0) continue;
        w->padding = (window_padding)i;
        for (uint32_t axis = 0; i == WINDOW_GIVEN && axis < w->axes; axis++) {
            w->before[axis] = pads[axis];
            w->after[axis] = pads[w->axes + axis];
        }
        return WLK_OK;
    }
    return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "auto_pad is '%.40s'", text);
}

/* The weights' kernel, where they are known, is what counts. */
static wlk_status match_weights(const op_call *call, const op_tensor *weights, window *w) {
    if (weights->rank == WLK_NONE) return WLK_OK;
    if (weights->rank != w->axes + 2) return shape_mismatch(call, 0, 1);
    for (uint32_t i = 0; i < w->axes; i++) {
        const int64_t dim = weights->dims[2 + i];
        if (!dim_agrees(dim, w->kernel[i]) || dim == 0 || dim > MAX_LENGTH) {
            return op_fail(call, op_shape_rule(call),
                           "the weights' kernel is %" PRId64 " along axis %u", dim, i);
        }
        w->kernel[i] = dim_known(dim, w->kernel[i]);
    }
    return WLK_OK;
}

wlk_status window_read(const op_call *call, const op_tensor *image, const op_tensor *weights,
                       window_places places, window *w) {
    *w = (window){.axes = image->rank - 2};
    for (uint32_t i = 0; i < w->axes; i++) {
        w->in[i] = image->dims[2 + i];
        if (w->in[i] > MAX_DIM) {
            return op_fail(call, op_shape_rule(call), "an axis of %" PRId64, w->in[i]);
        }
    }
    TRY(read_list(call, WINDOW_KERNEL_SHAPE, w->axes, 1, WLK_UNKNOWN_DIM, w->kernel));
    TRY(read_list(call, WINDOW_STRIDES, w->axes, 1, 1, w->stride));
    TRY(read_list(call, places.dilations, w->axes, 1, 1, w->dilation));
    TRY(read_padding(call, places.auto_pad, w));
    if (weights) return match_weights(call, weights, w);
    if (op_attribute(call, WINDOW_KERNEL_SHAPE).count == w->axes) return WLK_OK;
    return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "kernel_shape is empty");
}

int64_t window_reach(const window *w, uint32_t axis) {
    return (w->kernel[axis] - 1) * w->dilation[axis] + 1;
}

static int64_t divide_up(int64_t a, int64_t b) {
    return (a + b - 1) / b;
}

/* As many windows as the image has strides; what they need beyond it is padding. */
static void slide_same(window *w, uint32_t axis) {
    const int64_t out = divide_up(w->in[axis], w->stride[axis]);
    const int64_t missing = (out - 1) * w->stride[axis] + window_reach(w, axis) - w->in[axis];
    const int64_t total = missing > 0 ? missing : 0;
    w->out[axis] = out;
    w->before[axis] = w->padding == WINDOW_SAME_LOWER ? total - total / 2 : total / 2;
    w->after[axis] = total - w->before[axis];
}

static void slide_given(window *w, uint32_t axis, bool ceil) {
    const int64_t stride = w->stride[axis];
    const int64_t room = w->in[axis] + w->before[axis] + w->after[axis] - window_reach(w, axis);
    w->out[axis] = (ceil ? divide_up(room, stride) : room / stride) + 1;
    if (ceil && (w->out[axis] - 1) * stride >= w->in[axis] + w->before[axis]) w->out[axis]--;
}

wlk_status window_slide(const op_call *call, bool ceil, window *w) {
    for (uint32_t i = 0; i < w->axes; i++) {
        w->out[i] = WLK_UNKNOWN_DIM;
        if (w->in[i] == WLK_UNKNOWN_DIM || w->kernel[i] == WLK_UNKNOWN_DIM) continue;
        const bool same = w->padding == WINDOW_SAME_UPPER || w->padding == WINDOW_SAME_LOWER;
        const int64_t padded = w->in[i] + w->before[i] + w->after[i];
        if (w->in[i] == 0 || (!same && padded < window_reach(w, i))) {
            return op_fail(call, op_shape_rule(call),
                           "a window of %" PRId64 " does not fit %" PRId64 " along axis %u",
                           window_reach(w, i), padded, i);
        }
        if (same) {
            slide_same(w, i);
        } else {
            slide_given(w, i, ceil && w->padding == WINDOW_GIVEN);
        }
    }
    return WLK_OK;
}

void window_taps(const window *w, uint32_t axis, int64_t start, int64_t *from, int64_t *to) {
    const int64_t step = w->dilation[axis];
    *from = start >= 0 ? 0 : divide_up(-start, step);
    *to = start >= w->in[axis] ? 0 : divide_up(w->in[axis] - start, step);
    if (*to > w->kernel[axis]) *to = w->kernel[axis];
    if (*from > *to) *from = *to;
}

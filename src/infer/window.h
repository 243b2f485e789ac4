/* Windows that slide over the spatial axes of an image [n, c, d1, ...]: what convolutions
 * and pools have in common. */
#ifndef WLK_INFER_WINDOW_H
#define WLK_INFER_WINDOW_H

#include "infer/op.h"

#define WINDOW_MAX_AXES (WLK_MAX_RANK - 2)

typedef enum window_padding {
    WINDOW_GIVEN,
    WINDOW_SAME_UPPER,
    WINDOW_SAME_LOWER,
    WINDOW_VALID
} window_padding;

/* One entry for each spatial axis. Kernels, strides and dilations are 1 .. 2^31-1, pads
 * 0 .. 2^31-1, dims below 2^40 or WLK_UNKNOWN_DIM, so sums of a few of them cannot overflow. */
typedef struct window {
    uint32_t axes;
    window_padding padding;
    int64_t in[WINDOW_MAX_AXES];
    int64_t out[WINDOW_MAX_AXES];
    int64_t kernel[WINDOW_MAX_AXES];
    int64_t stride[WINDOW_MAX_AXES];
    int64_t dilation[WINDOW_MAX_AXES];
    int64_t before[WINDOW_MAX_AXES]; /* padding */
    int64_t after[WINDOW_MAX_AXES];
} window;

/* The first attributes of every row that has a window, in this order. */
enum {
    WINDOW_KERNEL_SHAPE,
    WINDOW_PADS,
    WINDOW_STRIDES,
    WINDOW_ATTRIBUTES /* the row's own begin here */
};
#define WINDOW_ATTRIBUTE_ROWS(kernel_required)               \
    [WINDOW_KERNEL_SHAPE] = {.name = "kernel_shape",         \
                             .type = WLK_ATTR_INTS,          \
                             .required = (kernel_required)}, \
    [WINDOW_PADS] = {.name = "pads", .type = WLK_ATTR_INTS}, \
    [WINDOW_STRIDES] = {.name = "strides", .type = WLK_ATTR_INTS}
#define WINDOW_AUTO_PAD_ROW \
    { .name = "auto_pad", .type = WLK_ATTR_STRING, .s = "NOTSET" }

/* Where a row has the attributes that not every operator has; WLK_NONE: it has not. */
typedef struct window_places {
    uint32_t auto_pad;
    uint32_t dilations;
} window_places;

/* Reads the attributes for the image's axes; its rank (3 .. 8) is known. The kernel is
 * that of the attribute, else of `weights` (NULL: there are none), whose axes 2 and up it
 * must match. */
wlk_status window_read(const op_call *call, const op_tensor *image, const op_tensor *weights,
                       window_places places, window *w);

/* Sets the output's dims, and the padding that auto_pad asks for; `ceil` also counts a
 * last window that is not whole, as long as it begins within image or leading padding. */
wlk_status window_slide(const op_call *call, bool ceil, window *w);

/* How far a window reaches along an axis. */
int64_t window_reach(const window *w, uint32_t axis);

/* Of the taps 0 .. kernel-1 of the window that begins at `start` (padding is below 0),
 * [*from, *to) lie within the image. */
void window_taps(const window *w, uint32_t axis, int64_t start, int64_t *from, int64_t *to);

#endif

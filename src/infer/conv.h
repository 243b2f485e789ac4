/* Convolution of one batch of images, for elements of any kind: the core of Conv,
 * ConvInteger and QLinearConv.
 *
 * A tile (blas_tile.h) reads its panel from anywhere, so nothing is unrolled into columns:
 * an image is copied once, with its padding, and with each phase of the strides apart; a
 * tap of the window is then a shift of the whole image. Where there is neither padding nor
 * stride the image is read in place. */
#ifndef WLK_INFER_CONV_H
#define WLK_INFER_CONV_H

#include "infer/blas_tile.h"
#include "infer/window.h"

/* All dims are known. */
typedef struct conv_shape {
    window w;
    uint64_t images;
    uint64_t groups;
    uint64_t channels; /* in, of a group */
    uint64_t outputs;  /* of a group */
    tile_element element;
} conv_shape;

/* Adds the operations and the working memory of conv_run, at `cost` a multiply-add. */
wlk_status conv_need(op_call *call, const conv_shape *shape, uint64_t cost);

/* y = x * w + bias; bias may be NULL. x [images, groups * channels, in...], w
 * [groups * outputs, channels, kernel...], y [images, groups * outputs, out...]. scratch
 * is the working memory, TENSOR_ALIGN aligned. */
typedef struct conv_data {
    const void *x;
    const void *w;
    const void *bias;
    void *y;
    void *scratch;
} conv_data;
void conv_run(const op_call *call, const conv_shape *shape, const conv_data *data);

#endif

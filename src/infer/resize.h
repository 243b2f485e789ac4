/* What Resize and Upsample make of one axis: for each element of the output a position
 * in the input, and for that the elements around it with their weights. The formulas are
 * those of the operator's specification, in float64. */
#ifndef WLK_INFER_RESIZE_H
#define WLK_INFER_RESIZE_H

#include "infer/op.h"

typedef enum resize_kind { RESIZE_NEAREST, RESIZE_LINEAR, RESIZE_CUBIC } resize_kind;

/* coordinate_transformation_mode */
typedef enum resize_transform {
    RESIZE_HALF_PIXEL,
    RESIZE_HALF_PIXEL_SYMMETRIC,
    RESIZE_PYTORCH_HALF_PIXEL,
    RESIZE_ALIGN_CORNERS,
    RESIZE_ASYMMETRIC,
    RESIZE_CROP,         /* tf_crop_and_resize */
    RESIZE_TF_HALF_PIXEL /* tf_half_pixel_for_nn */
} resize_transform;

/* nearest_mode; before version 11: down if the axis grows, up if it shrinks. */
typedef enum resize_rounding {
    RESIZE_PREFER_FLOOR,
    RESIZE_PREFER_CEIL,
    RESIZE_FLOOR,
    RESIZE_CEIL,
    RESIZE_BY_SCALE
} resize_rounding;

typedef struct resize_way {
    resize_kind kind;
    resize_transform transform;
    resize_rounding rounding;
    double cubic_a;
    bool antialias;
    bool exclude_outside;
} resize_way;

typedef struct resize_axis {
    int64_t in, out; /* elements; WLK_UNKNOWN_DIM: not known yet */
    double scale;    /* > 0 */
    double width;    /* scale * in, which `out` is rounded from */
    double roi[2];   /* of RESIZE_CROP: where it begins and ends, 0 to 1 is all */
} resize_axis;

/* Is the output along this axis the input? */
bool resize_is_identity(const resize_way *way, const resize_axis *axis);

/* The input's element that stands for element i of the output; -1: outside of what
 * RESIZE_CROP allows. */
int64_t resize_nearest(const resize_way *way, const resize_axis *axis, int64_t i);

/* How many elements are weighted for each one of the output; 0 if that is more than any
 * scale that fits the sizes needs. */
uint64_t resize_taps(const resize_way *way, const resize_axis *axis);

/* Fills in what element i of the output is made of: resize_taps elements and weights.
 * False: it lies outside of what RESIZE_CROP allows. */
bool resize_weights(const resize_way *way, const resize_axis *axis, int64_t i, int64_t *elements,
                    double *weights);

#endif

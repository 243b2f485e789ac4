/* A node of Resize or Upsample, read: what its attributes and inputs say of each axis, in
 * every version of the two. */
#ifndef WLK_INFER_RESIZE_PLAN_H
#define WLK_INFER_RESIZE_PLAN_H

#include "infer/resize.h"

/* Upsample has the attributes of its own version; those of Resize were added to. */
enum {
    RESIZE_MODE,
    RESIZE_TRANSFORM,
    RESIZE_ROUNDING,
    RESIZE_CUBIC_A,
    RESIZE_EXCLUDE,
    RESIZE_OUTSIDE,
    RESIZE_ANTIALIAS,
    RESIZE_AXES,
    RESIZE_POLICY
};
enum { UPSAMPLE_MODE, UPSAMPLE_SCALES, UPSAMPLE_HEIGHT = 1, UPSAMPLE_WIDTH };

typedef struct resize_plan {
    resize_way way;
    uint32_t rank;
    bool known; /* the axes are */
    resize_axis axes[WLK_MAX_RANK];
    double outside; /* what stands where RESIZE_CROP finds nothing */
} resize_plan;

/* Mode and dtype are checked; the axes are left alone. */
wlk_status resize_read_way(const op_call *call, resize_plan *plan);

/* Everything there is to know; the rank of input 0 is known. */
wlk_status resize_read(const op_call *call, resize_plan *plan);

#endif

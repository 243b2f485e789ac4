/* Lists of axes, from an attribute or an input: each in range, none twice. */
#ifndef WLK_INFER_AXES_H
#define WLK_INFER_AXES_H

#include "infer/op.h"

/* Sets bit a of *mask for each axis a of the ints list attribute number `attribute`;
 * negative ones count from the end. plan.attribute-value if one does not fit. */
wlk_status axes_of_attribute(const op_call *call, uint32_t attribute, uint32_t rank,
                             uint32_t *mask);

/* The same of input i, whose content is known: a list (or one number) of i64 or i32.
 * plan.value or run.value. */
wlk_status axes_of_input(const op_call *call, uint32_t i, uint32_t rank, uint32_t *mask);

/* One axis from input i, whose content is known: the tensor has one element. */
wlk_status axis_of_input(const op_call *call, uint32_t i, uint32_t rank, uint32_t *axis);

#endif

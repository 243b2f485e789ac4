/* A node's list of integers (axes, pads, steps ...), which one version of an operator
 * has as an attribute and the next as an input. */
#ifndef WLK_INFER_INT_LIST_H
#define WLK_INFER_INT_LIST_H

#include "infer/op.h"

typedef struct int_list {
    bool given;
    bool known;     /* may it be read? always, of an attribute */
    bool attribute; /* where it comes from, for the rule of a refusal */
    uint64_t count; /* of a known one; else as far as the shape says, or UINT64_MAX */
    const int64_t *ints;
    const op_tensor *tensor;
} int_list;

int_list ints_of_attribute(const op_call *call, uint32_t i);

/* Of any numeric dtype and of at most one axis (checked); floats are truncated. */
wlk_status ints_of_input(const op_call *call, uint32_t i, int_list *out);

int64_t int_at(const int_list *list, uint64_t i);

/* Refuses what stands in the list. */
wlk_status ints_fail(const op_call *call, const int_list *list, const char *what, int64_t value);

/* Is its count `count`, as far as it is known? */
wlk_status ints_need_count(const op_call *call, const int_list *list, const char *what,
                           uint64_t count);

/* A list of distinct axes of a tensor of `rank` dims, made non-negative. All axes in
 * order if the list is not given. The list must be known. */
typedef struct axis_list {
    uint32_t count;
    uint32_t axes[WLK_MAX_RANK];
} axis_list;
wlk_status axes_read(const op_call *call, const int_list *list, uint32_t rank, bool negative,
                     axis_list *out);

/* Output 0 gets as many unknown dims as input 0 has. */
void set_unknown_dims(const op_call *call, uint32_t output, wlk_dtype dtype, uint32_t rank);

/* The dim as the output's; in a run, a product that does not fit is refused. */
wlk_status need_known_dim(const op_call *call, int64_t dim);

#endif

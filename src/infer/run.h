/* One run of a plan: bound to inputs, measured, placed, then computed. */
#ifndef WLK_INFER_RUN_H
#define WLK_INFER_RUN_H

#include "infer/layout.h"
#include "infer/plan.h"

/* Where a value lies. */
typedef struct run_place {
    uint64_t offset;
    uint32_t range; /* of the layout while the run is bound; LAYOUT_NONE if none */
    bool in_result;
} run_place;

typedef struct run {
    const wlk_plan *plan;
    wlk_error *error;
    void *state; /* one allocation: what the next four point into */
    op_tensor *values;
    run_place *places;
    layout_range *ranges;
    uint64_t *output_at; /* where the graph's outputs lie in the result */
    layout layout;
    uint64_t state_bytes;
    uint64_t scratch_bytes; /* the most that a node needs */
    uint64_t result_bytes;
    uint64_t operations;
} run;

/* Checks the inputs against the plan's ports, works out every shape, places every
 * value, and holds memory and work against the limits. Nothing has been computed
 * or, but for *state, allocated. */
wlk_status run_bind(run *r, const wlk_tensor *inputs, uint32_t count);

struct wlk_result {
    uint32_t count;
    wlk_tensor *tensors; /* behind this header, names behind them, then the data */
};

#endif

/* A plan: the main graph, checked against the operator table. */
#ifndef WLK_INFER_PLAN_H
#define WLK_INFER_PLAN_H

#include <weighlock/infer.h>

#include "infer/memory.h"
#include "infer/op.h"

#define LAST_USE_NEVER UINT32_MAX        /* made, but read by nothing */
#define LAST_USE_RESULT (UINT32_MAX - 1) /* an output of the graph: kept */

struct wlk_plan {
    const wlk_model *model;
    wlk_limits limits;
    plan_memory memory;

    uint32_t first_node; /* of the main graph, in the model */
    uint32_t node_count;
    plan_node *nodes;

    op_tensor *values; /* types as far as known; one for each value of the model */
    uint32_t value_count;
    uint32_t *last_use;   /* of each value: position among nodes, or LAST_USE_ */
    op_tensor *constants; /* one for each tensor of the model */
    uint32_t constant_count;

    uint32_t input_count;
    uint32_t *inputs; /* value indices */
    uint32_t output_count;
    uint32_t *outputs;    /* edges, as in plan_node */
    uint32_t live_values; /* most values in use at once that a run has to place */
};

/* The value or constant behind an edge that is not WLK_NONE. */
const op_tensor *plan_edge(const wlk_plan *plan, const op_tensor *values, uint32_t edge);
const char *plan_edge_name(const wlk_plan *plan, uint32_t edge);

/* A call for node number `position`, over these values. */
op_call plan_call(const wlk_plan *plan, op_tensor *values, uint32_t position, wlk_error *error);

#endif

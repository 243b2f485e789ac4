/* A plan: the graphs of a model, checked against the operator table. */
#ifndef WLK_INFER_PLAN_H
#define WLK_INFER_PLAN_H

#include <weighlock/infer.h>

#include "infer/half.h"
#include "infer/memory.h"
#include "infer/op.h"

#define LAST_USE_NEVER UINT32_MAX        /* made, but read by nothing */
#define LAST_USE_RESULT (UINT32_MAX - 1) /* an output of its graph: kept */

typedef struct plan_graph {
    uint32_t first_node; /* in the model: nodes of a graph follow each other */
    uint32_t node_count;
    uint32_t input_count;
    uint32_t *inputs; /* value indices */
    uint32_t output_count;
    uint32_t *outputs; /* edges, as in plan_node */
    uint64_t weight;   /* nodes, their edges, inputs and outputs: what a round looks at */
    uint32_t holder;   /* the node whose attribute the graph is; WLK_NONE: the main graph */
} plan_graph;

/* A value or node has one place in the whole model, so it has one here: a graph is held
 * by one node, and so is never under way twice at the same time. */
struct wlk_plan {
    const wlk_model *model;
    wlk_limits limits;
    plan_memory memory;
    struct parallel_pool *pool; /* NULL: one thread */

    plan_graph *graphs;
    uint32_t graph_count;
    plan_node *nodes; /* one for each node of the model */
    uint32_t node_count;

    op_tensor *values; /* types as far as known; one for each value of the model */
    uint32_t value_count;
    uint32_t *last_use;   /* of each value: a node of its own graph, or LAST_USE_ */
    uint32_t *homes;      /* the graph that each value belongs to */
    op_tensor *constants; /* one for each tensor of the model */
    uint32_t constant_count;

    bool only_tensors;    /* among the main graph's outputs */
    uint32_t live_values; /* most values in use at once that a run has to place */
    uint32_t half_edges;  /* most edges of a node with a shadow */
    const char *names;    /* of the main graph's outputs, each with its NUL */
    uint64_t name_bytes;
};

/* The value or constant behind an edge that is not WLK_NONE. */
const op_tensor *plan_edge(const wlk_plan *plan, const op_tensor *values, uint32_t edge);
const char *plan_edge_name(const wlk_plan *plan, uint32_t edge);

/* A call for a node, over these values. */
op_call plan_call(const wlk_plan *plan, op_tensor *values, uint32_t node, wlk_error *error);

/* What a node costs: every element is looked at once, and what the shape rule added. To
 * be asked once, after the rule; saturates. */
uint64_t node_operations(op_call *call);

#endif

/* The two halves of planning: plan.c reads the graph, plan_node.c one node. */
#ifndef WLK_INFER_PLAN_INTERNAL_H
#define WLK_INFER_PLAN_INTERNAL_H

#include "infer/ops.h"
#include "infer/plan.h"

/* Only while the plan is being made. */
typedef struct planner {
    wlk_plan *plan;
    uint32_t opsets[OP_DOMAINS]; /* the model's version of each domain, 0: none */
    wlk_error *error;
} planner;

/* An edge of the plan for one of the model's references. */
uint32_t planner_edge(wlk_ref ref);

/* Refuses types that no value of the core can have; gives the others. */
wlk_status planner_type(const planner *p, uint32_t value, op_tensor *out);

/* Finds the node's operator, checks arity, attributes and dtypes, and runs the
 * shape rule. */
wlk_status planner_node(const planner *p, uint32_t position);

#endif

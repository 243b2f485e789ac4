/* The parts of planning: plan.c reads the model, plan_node.c one node, fold.c computes
 * what is known already, uses.c finds out how long values are needed. */
#ifndef WLK_INFER_PLAN_INTERNAL_H
#define WLK_INFER_PLAN_INTERNAL_H

#include "infer/ops.h"
#include "infer/plan.h"

/* An operator that was found lately: a model uses few, and each name is one string. */
#define PLANNER_FOUND 64
typedef struct found_operator {
    const char *name;
    uint32_t domain;
    const op_row *row;
} found_operator;

/* Only while the plan is being made. */
typedef struct planner {
    wlk_plan *plan;
    uint32_t opsets[OP_DOMAINS]; /* the model's version of each domain, 0: none */
    uint8_t *wanted;             /* of each value: a shape rule asked what it holds */
    half_shadow shadow;          /* of the node that is being planned; grows */
    uint64_t shadow_edges;
    uint64_t fold_bytes; /* what may still be spent on folding */
    uint64_t fold_operations;
    found_operator found[PLANNER_FOUND];
    wlk_error *error;
} planner;

/* An edge of the plan for one of the model's references. */
uint32_t planner_edge(wlk_ref ref);

/* Refuses types that no value of the core can have; gives the others. */
wlk_status planner_type(const planner *p, uint32_t value, op_tensor *out);

/* The same for a type of the model; false if no value has it. */
bool planner_type_of(const wlk_model *model, uint32_t type, op_tensor *out);

/* Plans a graph: inputs that the model does not describe have their types in the plan's
 * values already. Afterwards the types of its outputs are there too. */
wlk_status planner_graph(planner *p, uint32_t graph, uint32_t holder);

/* Finds the node's operator, checks arity, attributes and dtypes, runs the shape rule,
 * and plans subgraphs. */
wlk_status planner_node(planner *p, uint32_t node);

/* A shadow for `edges` edges. */
wlk_status planner_shadow(planner *p, uint64_t edges);

/* Computes the node now, if it can and should: its outputs are then constants. */
wlk_status planner_fold(planner *p, uint32_t node);

/* Fills in last uses and what follows from them, and marks nodes that are computed early. */
wlk_status planner_uses(planner *p);

/* `count` zeroed u32 of the plan's memory. */
wlk_status planner_u32(const planner *p, uint64_t count, uint32_t **out);

#endif

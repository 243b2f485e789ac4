/* Graphs that attributes hold: planning them, and running them round by round. */
#ifndef WLK_INFER_SUBGRAPH_H
#define WLK_INFER_SUBGRAPH_H

#include "infer/frame.h"
#include "infer/plan_internal.h"

/* While planning: the graph of an attribute gets the given types of inputs, and is
 * planned. It must have `inputs` inputs, and at least `outputs` outputs (plan.arity). */
wlk_status subgraph_plan(const op_call *call, uint32_t attribute, const op_tensor *types,
                         uint32_t inputs, uint32_t outputs);

/* The graph of an attribute, and its index. */
uint32_t subgraph_index(const op_call *call, uint32_t attribute);
const plan_graph *subgraph_of(const struct wlk_plan *plan, const op_call *call, uint32_t attribute);

/* The type of output i of a planned graph. */
const op_tensor *subgraph_output(const op_call *call, uint32_t attribute, uint32_t i);

/* Room for so many values in somebody's hands, all empty; a buffer of the run's. */
wlk_status held_room(run *r, uint64_t count, run_buffer **room, held **out);

/* Runs a graph whose inputs have been given; takes all its outputs and gives up the rest. */
wlk_status subgraph_run(run *r, uint32_t graph, held *outputs);

/* The value becomes what is lent: memory that is there until the graph is given up. */
void subgraph_lend(run *r, uint32_t value, const op_tensor *from);

/* Makes of a value one of another kind where one holds the other: a tensor or sequence
 * becomes an optional, an optional sequence the sequence in it, empty if there is none. */
wlk_status held_as(run *r, held *value, value_kind kind);

/* The one element of a condition or a count. Rule: run.value. */
wlk_status read_bool(const op_call *call, const op_tensor *tensor, bool *out);
wlk_status read_i64(const op_call *call, const op_tensor *tensor, int64_t *out);

#endif

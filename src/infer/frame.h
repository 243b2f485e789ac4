/* Graphs under way, and what those nodes need that the core itself runs: values out of
 * and into a graph, and running a graph that an attribute holds. */
#ifndef WLK_INFER_FRAME_H
#define WLK_INFER_FRAME_H

#include "infer/run.h"

/* What a round through a graph costs besides its nodes' work, for each node and edge. */
#define OP_ROUND_COST 8192

/* Runs a graph whose inputs have been given; its outputs can then be taken. Rounds of a
 * subgraph count against run_operations whatever its nodes do. */
wlk_status frame_run(run *r, uint32_t graph);

/* Gives up all values of a graph. */
void frame_clear(run *r, uint32_t graph);

/* A share of the value behind an edge, to be dropped or given away. What would not be
 * there after its graph is copied. */
wlk_status frame_take(run *r, uint32_t edge, held *out);

/* The value becomes what is held, whose share it takes over. */
void frame_give(run *r, uint32_t value, held *from);
/* The same for output i of a node; a no-op if it is omitted, but for the share. */
void frame_give_output(run *r, const op_call *call, uint32_t i, held *from);

#endif

#include "infer/plan_internal.h"

/* ---- last uses */

/* A use inside of a subgraph is one by the node that holds it, where the value is at home. */
static void mark_use(wlk_plan *plan, uint32_t edge, uint32_t node, uint32_t graph) {
    if (edge & OP_CONSTANT) return; /* WLK_NONE has the bit too */
    while (plan->homes[edge] != graph) {
        node = plan->graphs[graph].holder;
        graph = wlk_model_node(plan->model, node).graph;
    }
    const uint32_t last = plan->last_use[edge];
    if (last == LAST_USE_RESULT) return;
    if (last == LAST_USE_NEVER || last < node) plan->last_use[edge] = node;
}

static void mark_node(wlk_plan *plan, uint32_t node, uint32_t graph) {
    const plan_node *at = &plan->nodes[node];
    if (at->marks & NODE_FOLDED) return;
    for (uint32_t i = 0; i < at->inputs; i++) mark_use(plan, at->edges[i], node, graph);
}

static void mark_outputs(wlk_plan *plan, uint32_t graph) {
    const plan_graph *g = &plan->graphs[graph];
    for (uint32_t i = 0; i < g->output_count; i++) {
        const uint32_t edge = g->outputs[i];
        if (edge & OP_CONSTANT) continue; /* WLK_NONE has the bit too */
        if (plan->homes[edge] == graph) {
            plan->last_use[edge] = LAST_USE_RESULT;
        } else {
            mark_use(plan, edge, g->first_node, graph);
        }
    }
}

/* How many values that nodes of a graph make there are at once, outputs of the graph not
 * counted: those have memory of their own. */
static void count_live(wlk_plan *plan, const plan_graph *g, uint32_t *deaths) {
    uint32_t live = 0;
    for (uint32_t i = 0; i < g->node_count; i++) {
        const plan_node *node = &plan->nodes[g->first_node + i];
        uint32_t unread = 0;
        for (uint32_t j = 0; j < node->outputs; j++) {
            const uint32_t edge = node->edges[node->inputs + j];
            if (edge == WLK_NONE || plan->last_use[edge] == LAST_USE_RESULT) continue;
            const bool read = plan->last_use[edge] != LAST_USE_NEVER;
            if (read) deaths[plan->last_use[edge]]++;
            unread += !read;
            live++;
        }
        if (live > plan->live_values) plan->live_values = live;
        live -= deaths[g->first_node + i] + unread;
    }
}

/* ---- what is computed early */

/* From the last node to the first: who makes a value whose content a shape rule asks for
 * is computed early, and so is what it reads. */
static void mark_early(planner *p, const plan_graph *g) {
    wlk_plan *plan = p->plan;
    for (uint32_t i = g->node_count; i-- > 0;) {
        plan_node *node = &plan->nodes[g->first_node + i];
        bool wanted = false;
        for (uint32_t j = 0; j < node->outputs; j++) {
            const uint32_t edge = node->edges[node->inputs + j];
            wanted = wanted || (edge != WLK_NONE && p->wanted[edge]);
        }
        if (!wanted || node->row->control || (node->row->flags & OP_IMPURE)) continue;
        node->marks |= NODE_EARLY;
        for (uint32_t j = 0; j < node->inputs && !(node->row->flags & OP_DIMS); j++) {
            if (!(node->edges[j] & OP_CONSTANT)) p->wanted[node->edges[j]] = 1;
        }
    }
}

/* Of a branch that is never taken nothing has been planned. */
static bool is_planned(const wlk_plan *plan, uint32_t graph) {
    return graph == 0 || plan->graphs[graph].holder != WLK_NONE;
}

wlk_status planner_uses(planner *p) {
    wlk_plan *plan = p->plan;
    uint32_t *deaths = NULL; /* of each node: values whose last use it is */
    TRY(planner_u32(p, plan->node_count, &deaths));
    for (uint32_t g = 0; g < plan->graph_count; g++) {
        const plan_graph *graph = &plan->graphs[g];
        for (uint32_t i = 0; i < graph->node_count; i++) mark_node(plan, graph->first_node + i, g);
    }
    for (uint32_t g = 0; g < plan->graph_count; g++) {
        if (is_planned(plan, g)) mark_outputs(plan, g);
    }
    for (uint32_t g = 0; g < plan->graph_count; g++) {
        count_live(plan, &plan->graphs[g], deaths);
        mark_early(p, &plan->graphs[plan->graph_count - 1 - g]);
    }
    return WLK_OK;
}

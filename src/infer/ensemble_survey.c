/* Every tree is walked once, without recursion: a node that is reached a second time
 * (a cycle, a shared subtree), or never, refuses the ensemble. */
#include <string.h>

#include "infer/ensemble.h"

/* A subtree that is still to be visited. */
typedef struct pending {
    tree_ref ref;
    uint32_t steps; /* taken before it */
} pending;

typedef struct surveyor {
    const op_call *call;
    const ensemble_source *source;
    uint8_t *node_seen;
    uint8_t *leaf_seen;
    pending *stack;
    uint32_t depth;
    uint64_t tree_slots;
    uint64_t tree_steps;
    uint64_t tree_votes;
    ensemble_survey *out;
} surveyor;

uint32_t ensemble_node_slots(const ensemble_source *s, uint32_t node) {
    if (s->modes[node] == BRANCH_EQ || s->modes[node] == BRANCH_NEQ) return 2;
    if (s->modes[node] != BRANCH_MEMBER) return 1;
    const uint32_t *range = s->member_ranges + 2 * (size_t)node;
    const uint32_t members = range[1] - range[0];
    return members > 0 ? 2 * members : 1;
}

static uint64_t votes_of(const ensemble_source *s, uint32_t leaf) {
    return s->first_vote ? s->first_vote[leaf + 1] - s->first_vote[leaf] : 1;
}

static wlk_status reached_twice(const surveyor *v, const char *what, uint32_t number) {
    return op_fail(v->call, RULE_PLAN_ATTRIBUTE_VALUE, "%s %u is reached twice", what, number);
}

static void push(surveyor *v, tree_ref ref, uint64_t steps) {
    v->stack[v->depth++] = (pending){ref, (uint32_t)steps};
}

static wlk_status visit_leaf(surveyor *v, uint32_t leaf, uint64_t steps) {
    if (v->leaf_seen[leaf] && !v->source->leaves_shared) return reached_twice(v, "node", leaf);
    v->leaf_seen[leaf] = 1;
    v->tree_slots += 2;
    if (steps > v->tree_steps) v->tree_steps = steps;
    if (votes_of(v->source, leaf) > v->tree_votes) v->tree_votes = votes_of(v->source, leaf);
    return WLK_OK;
}

static wlk_status visit_node(surveyor *v, uint32_t node, uint64_t steps) {
    const uint32_t slots = ensemble_node_slots(v->source, node);
    if (v->node_seen[node]) return reached_twice(v, "node", node);
    v->node_seen[node] = 1;
    v->tree_slots += slots;
    if (v->tree_slots + v->out->slots > TREE_NODES_MAX) {
        return op_fail(v->call, RULE_PLAN_ATTRIBUTE_VALUE, "more than %u nodes", TREE_NODES_MAX);
    }
    const uint32_t columns = (uint32_t)v->source->features[node] + 1;
    if (columns > v->out->features) v->out->features = columns;
    push(v, v->source->on_false[node], steps + slots);
    push(v, v->source->on_true[node], steps + slots);
    return WLK_OK;
}

/* A node takes one entry off the stack and puts two there: never more than one for each
 * node, and the root. */
static wlk_status survey_tree(surveyor *v, tree_ref root) {
    v->tree_slots = v->tree_steps = v->tree_votes = 0;
    v->depth = 0;
    push(v, root, 0);
    while (v->depth > 0) {
        const pending at = v->stack[--v->depth];
        if (at.ref & TREE_LEAF) {
            TRY(visit_leaf(v, at.ref & ~TREE_LEAF, at.steps));
        } else {
            TRY(visit_node(v, at.ref, at.steps));
        }
    }
    v->out->slots += v->tree_slots;
    v->out->steps += v->tree_steps + 1;
    v->out->votes += v->tree_votes;
    if (v->tree_slots > v->out->largest_tree) v->out->largest_tree = v->tree_slots;
    return WLK_OK;
}

/* Of a node list that holds the leaves too, each number is seen as the one or the other. */
static wlk_status nothing_left(const surveyor *v) {
    const ensemble_source *s = v->source;
    for (uint32_t i = 0; i < s->nodes; i++) {
        if (v->node_seen[i] || (!s->leaves_shared && v->leaf_seen[i])) continue;
        return op_fail(v->call, RULE_PLAN_ATTRIBUTE_VALUE, "node %u is in no tree", i);
    }
    for (uint32_t i = 0; s->leaves_shared && i < s->leaves; i++) {
        if (v->leaf_seen[i]) continue;
        return op_fail(v->call, RULE_PLAN_ATTRIBUTE_VALUE, "leaf %u is in no tree", i);
    }
    return WLK_OK;
}

wlk_status ensemble_survey_trees(const op_call *call, plan_memory *memory,
                                 const ensemble_source *source, ensemble_survey *survey) {
    surveyor v = {.call = call, .source = source, .out = survey};
    void *list = NULL;
    *survey = (ensemble_survey){0};
    TRY(plan_take(memory, source->nodes, 1, &list, call->error));
    v.node_seen = list;
    TRY(plan_take(memory, source->leaves, 1, &list, call->error));
    v.leaf_seen = list;
    TRY(plan_take(memory, (uint64_t)source->nodes + 2, sizeof(pending), &list, call->error));
    v.stack = list;
    TRY(plan_take(memory, source->trees, sizeof(uint32_t), &list, call->error));
    survey->depths = list;
    for (uint32_t i = 0; i < source->trees; i++) {
        TRY(survey_tree(&v, source->roots[i]));
        survey->depths[i] = (uint32_t)v.tree_steps;
    }
    return nothing_left(&v);
}

/* The attributes of TreeEnsembleClassifier and TreeEnsembleRegressor: one entry a node,
 * which names its tree, itself and its children by ids of the model's own choice. */
#include <string.h>

#include "base/sort.h"
#include "infer/ensemble.h"
#include "infer/numbers.h"

double real_at(const real_list *list, uint32_t i) {
    if (list->dtype == WLK_F32) return (double)((const float *)list->data)[i];
    if (list->dtype == WLK_F64) return ((const double *)list->data)[i];
    return number_load(list->dtype)(list->data, i).f;
}

static bool is_real(wlk_dtype dtype) {
    return dtype == WLK_F32 || dtype == WLK_F64 || dtype == WLK_F16;
}

wlk_status ensemble_reals(const op_call *call, uint32_t list, uint32_t tensor, real_list *out) {
    *out = (real_list){.dtype = WLK_F32};
    const attribute_value floats = op_attribute(call, list);
    const op_tensor *given = op_attribute_tensor(call, tensor);
    if (call->node->row->attributes[list].type == WLK_ATTR_FLOATS) {
        out->data = floats.floats;
        out->count = floats.count;
    }
    if (!given || given->count == 0) return WLK_OK;
    if (out->count > 0 || given->rank > 1 || given->count > TREE_NODES_MAX ||
        !is_real(given->dtype)) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE,
                       "attribute '%s' must be a tensor of floats with one axis, alone",
                       call->node->row->attributes[tensor].name);
    }
    *out = (real_list){given->dtype, given->data, (uint32_t)given->count};
    return WLK_OK;
}

wlk_status ensemble_length(const op_call *call, const char *name, uint32_t count, uint32_t needed) {
    if (count == needed) return WLK_OK;
    return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "attribute '%s' has %u values, not %u", name,
                   count, needed);
}

wlk_status ensemble_check_values(const op_call *call, const ensemble_source *s) {
    for (uint32_t i = 0; i < s->nodes; i++) {
        if (s->missing_true && (uint64_t)s->missing_true[i] > 1) {
            return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "nodes_missing_value_tracks_true[%u]",
                           i);
        }
        if (s->modes[i] == BRANCH_LEAF) continue;
        if (s->features[i] < 0 || s->features[i] >= TREE_FEATURE_MAX) {
            return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "nodes_featureids[%u] is %lld", i,
                           (long long)s->features[i]);
        }
    }
    for (uint32_t i = 0; i < s->vote_count; i++) {
        if (s->vote_targets[i] >= 0 && s->vote_targets[i] < s->targets) continue;
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "weight %u is for target %lld of %u", i,
                       (long long)s->vote_targets[i], s->targets);
    }
    return WLK_OK;
}

/* ---- nodes by tree and id */

typedef struct tree_span {
    int64_t id;
    uint32_t first; /* in the order */
    uint32_t count;
} tree_span;

typedef struct node_index {
    const int64_t *trees;
    const int64_t *ids;
    uint32_t count;
    uint32_t *order; /* numbers of nodes by tree, then by id */
    tree_span *spans;
    uint32_t span_count;
} node_index;

static int compare_nodes(const void *context, uint32_t a, uint32_t b) {
    const node_index *index = context;
    if (index->trees[a] != index->trees[b]) return index->trees[a] < index->trees[b] ? -1 : 1;
    return (index->ids[a] > index->ids[b]) - (index->ids[a] < index->ids[b]);
}

/* Models list their nodes in order nearly always. */
static bool is_sorted(const node_index *index) {
    for (uint32_t i = 1; i < index->count; i++) {
        if (compare_nodes(index, i - 1, i) >= 0) return false;
    }
    return true;
}

static wlk_status sort_nodes(const op_call *call, plan_memory *memory, node_index *index) {
    void *list = NULL;
    TRY(plan_take(memory, index->count, sizeof(uint32_t), &list, call->error));
    index->order = list;
    for (uint32_t i = 0; i < index->count; i++) index->order[i] = i;
    if (is_sorted(index)) return WLK_OK;
    TRY(plan_take(memory, index->count, sizeof(uint32_t), &list, call->error));
    sort_u32(index->order, index->count, compare_nodes, index, list);
    for (uint32_t i = 1; i < index->count; i++) {
        const uint32_t node = index->order[i];
        if (compare_nodes(index, index->order[i - 1], node) != 0) continue;
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "node %lld of tree %lld is there twice",
                       (long long)index->ids[node], (long long)index->trees[node]);
    }
    return WLK_OK;
}

static bool begins_tree(const node_index *index, uint32_t i) {
    return i == 0 || index->trees[index->order[i]] != index->trees[index->order[i - 1]];
}

static wlk_status find_spans(const op_call *call, plan_memory *memory, node_index *index) {
    void *list = NULL;
    for (uint32_t i = 0; i < index->count; i++) index->span_count += begins_tree(index, i);
    TRY(plan_take(memory, index->span_count, sizeof(tree_span), &list, call->error));
    index->spans = list;
    tree_span *span = index->spans;
    for (uint32_t i = 0; i < index->count; i++) {
        if (i > 0 && begins_tree(index, i)) span++;
        if (span->count == 0) *span = (tree_span){index->trees[index->order[i]], i, 0};
        span->count++;
    }
    return WLK_OK;
}

/* The node with that id in the tree, TREE_LEAF if there is none. Ids mostly count up. */
static uint32_t find_node(const node_index *index, const tree_span *span, int64_t id) {
    const uint32_t *order = &index->order[span->first];
    const int64_t lowest = index->ids[order[0]];
    const uint64_t guess = (uint64_t)id - (uint64_t)lowest;
    if (id >= lowest && guess < span->count && index->ids[order[guess]] == id) return order[guess];
    uint32_t low = 0;
    uint32_t high = span->count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (index->ids[order[middle]] < id) low = middle + 1;
        if (index->ids[order[middle]] >= id) high = middle;
    }
    return low < span->count && index->ids[order[low]] == id ? order[low] : TREE_LEAF;
}

static const tree_span *find_span(const node_index *index, int64_t id, const tree_span *hint) {
    if (hint && hint->id == id) return hint;
    uint32_t low = 0;
    uint32_t high = index->span_count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (index->spans[middle].id < id) low = middle + 1;
        if (index->spans[middle].id >= id) high = middle;
    }
    return low < index->span_count && index->spans[low].id == id ? &index->spans[low] : NULL;
}

/* ---- nodes */

static const char *const mode_names[] = {
    [BRANCH_LEQ] = "BRANCH_LEQ", [BRANCH_LT] = "BRANCH_LT", [BRANCH_GTE] = "BRANCH_GTE",
    [BRANCH_GT] = "BRANCH_GT",   [BRANCH_EQ] = "BRANCH_EQ", [BRANCH_NEQ] = "BRANCH_NEQ",
    [BRANCH_LEAF] = "LEAF",
};
#define MODES (sizeof mode_names / sizeof *mode_names)

static wlk_status read_modes(const op_call *call, plan_memory *memory, ensemble_source *s) {
    const attribute_value modes = op_attribute(call, NODES_MODES);
    void *list = NULL;
    TRY(plan_take(memory, s->nodes, 1, &list, call->error));
    s->modes = list;
    for (uint32_t i = 0; i < s->nodes; i++) {
        uint8_t mode = 0;
        while (mode < MODES &&
               (!mode_names[mode] || strcmp(mode_names[mode], modes.strings[i]) != 0)) {
            mode++;
        }
        if (mode == MODES) {
            return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "nodes_modes[%u] is '%.40s'", i,
                           modes.strings[i]);
        }
        s->modes[i] = mode;
    }
    return WLK_OK;
}

static wlk_status check_lengths(const op_call *call, const ensemble_source *s) {
    static const uint32_t lists[] = {NODES_FALSE, NODES_FEATURES, NODES_MODES, NODES_TREES,
                                     NODES_TRUE};
    static const uint32_t votes[] = {VOTE_IDS, VOTE_NODES, VOTE_TREES};
    const attribute_row *rows = call->node->row->attributes;
    real_list hitrates;
    TRY(ensemble_reals(call, NODES_HITRATES, NODES_HITRATES_TENSOR, &hitrates));
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        const uint32_t count = op_attribute(call, lists[i]).count;
        TRY(ensemble_length(call, rows[lists[i]].name, count, s->nodes));
    }
    TRY(ensemble_length(call, "nodes_values", s->thresholds.count, s->nodes));
    const uint32_t missing = op_attribute(call, NODES_MISSING).count;
    if (missing > 0) TRY(ensemble_length(call, rows[NODES_MISSING].name, missing, s->nodes));
    if (hitrates.count > 0) TRY(ensemble_length(call, "nodes_hitrates", hitrates.count, s->nodes));
    for (size_t i = 0; i < sizeof votes / sizeof *votes; i++) {
        const uint32_t count = op_attribute(call, votes[i]).count;
        TRY(ensemble_length(call, rows[votes[i]].name, count, s->vote_count));
    }
    if (s->nodes > 0 && s->nodes <= TREE_NODES_MAX && s->vote_count <= TREE_NODES_MAX) {
        return WLK_OK;
    }
    return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "%u nodes and %u weights", s->nodes,
                   s->vote_count);
}

static wlk_status find_child(const op_call *call, const ensemble_source *s, const node_index *index,
                             const tree_span *span, int64_t id, tree_ref *out) {
    const uint32_t node = find_node(index, span, id);
    if (node == TREE_LEAF) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "tree %lld has no node %lld",
                       (long long)span->id, (long long)id);
    }
    *out = s->modes[node] == BRANCH_LEAF ? node | TREE_LEAF : node;
    return WLK_OK;
}

/* A tree's root is its first node in the lists. */
static wlk_status link_tree(const op_call *call, ensemble_source *s, const node_index *index,
                            const tree_span *span, tree_ref *root) {
    const int64_t *on_true = op_attribute(call, NODES_TRUE).ints;
    const int64_t *on_false = op_attribute(call, NODES_FALSE).ints;
    uint32_t first = UINT32_MAX;
    for (uint32_t i = 0; i < span->count; i++) {
        const uint32_t node = index->order[span->first + i];
        if (node < first) first = node;
        if (s->modes[node] == BRANCH_LEAF) continue;
        TRY(find_child(call, s, index, span, on_true[node], &s->on_true[node]));
        TRY(find_child(call, s, index, span, on_false[node], &s->on_false[node]));
    }
    *root = s->modes[first] == BRANCH_LEAF ? first | TREE_LEAF : first;
    return WLK_OK;
}

static wlk_status link_trees(const op_call *call, plan_memory *memory, ensemble_source *s,
                             const node_index *index) {
    void *list = NULL;
    TRY(plan_take(memory, s->nodes, sizeof(tree_ref), &list, call->error));
    s->on_true = list;
    TRY(plan_take(memory, s->nodes, sizeof(tree_ref), &list, call->error));
    s->on_false = list;
    TRY(plan_take(memory, index->span_count, sizeof(tree_ref), &list, call->error));
    s->roots = list;
    s->trees = index->span_count;
    s->leaves = s->nodes;
    for (uint32_t i = 0; i < s->trees; i++) {
        TRY(link_tree(call, s, index, &index->spans[i], &s->roots[i]));
    }
    return WLK_OK;
}

/* ---- votes */

static wlk_status find_voters(const op_call *call, const ensemble_source *s,
                              const node_index *index, uint32_t *voters) {
    const int64_t *nodes = op_attribute(call, VOTE_NODES).ints;
    const int64_t *trees = op_attribute(call, VOTE_TREES).ints;
    const tree_span *span = NULL;
    for (uint32_t i = 0; i < s->vote_count; i++) {
        span = find_span(index, trees[i], span);
        voters[i] = span ? find_node(index, span, nodes[i]) : TREE_LEAF;
        if (voters[i] != TREE_LEAF) continue;
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "weight %u is for node %lld of tree %lld",
                       i, (long long)nodes[i], (long long)trees[i]);
    }
    return WLK_OK;
}

/* Votes by node, those of one node in the order of the list. What is given to a node
 * that is not a leaf is never reached. */
static wlk_status group_votes(const op_call *call, plan_memory *memory, ensemble_source *s,
                              const node_index *index) {
    void *voters = NULL;
    void *first_list = NULL;
    void *vote_list = NULL;
    TRY(plan_take(memory, s->vote_count, sizeof(uint32_t), &voters, call->error));
    TRY(plan_take(memory, (uint64_t)s->nodes + 2, sizeof(uint32_t), &first_list, call->error));
    TRY(plan_take(memory, s->vote_count, sizeof(uint32_t), &vote_list, call->error));
    TRY(find_voters(call, s, index, voters));
    const uint32_t *voter = voters;
    uint32_t *first = first_list;
    uint32_t *votes = vote_list;
    for (uint32_t i = 0; i < s->vote_count; i++) first[voter[i] + 2]++;
    for (uint32_t i = 2; i < s->nodes + 2; i++) first[i] += first[i - 1];
    for (uint32_t i = 0; i < s->vote_count; i++) votes[first[voter[i] + 1]++] = i;
    s->first_vote = first;
    s->votes = votes;
    return WLK_OK;
}

wlk_status ensemble_read_lists(const op_call *call, plan_memory *memory, uint32_t targets,
                               ensemble_source *s) {
    const attribute_value ids = op_attribute(call, NODES_IDS);
    const attribute_value missing = op_attribute(call, NODES_MISSING);
    *s = (ensemble_source){.nodes = ids.count, .targets = targets};
    TRY(ensemble_reals(call, NODES_VALUES, NODES_VALUES_TENSOR, &s->thresholds));
    TRY(ensemble_reals(call, VOTE_WEIGHTS, VOTE_WEIGHTS_TENSOR, &s->vote_weights));
    s->vote_count = s->vote_weights.count;
    TRY(check_lengths(call, s));
    s->features = op_attribute(call, NODES_FEATURES).ints;
    s->missing_true = missing.count > 0 ? missing.ints : NULL;
    s->vote_targets = op_attribute(call, VOTE_IDS).ints;
    s->is_double = s->thresholds.dtype == WLK_F64 || s->vote_weights.dtype == WLK_F64;
    TRY(read_modes(call, memory, s));
    TRY(ensemble_check_values(call, s));
    node_index index = {
        .trees = op_attribute(call, NODES_TREES).ints, .ids = ids.ints, .count = s->nodes};
    TRY(sort_nodes(call, memory, &index));
    TRY(find_spans(call, memory, &index));
    TRY(link_trees(call, memory, s, &index));
    return group_votes(call, memory, s, &index);
}

/* The attributes of TreeEnsemble: inner nodes and leaves are lists of their own, and
 * branches lead to positions in them. */
#include <math.h>

#include "infer/ensemble.h"

/* ---- lists */

static const char *name_of(const op_call *call, uint32_t attribute) {
    return call->node->row->attributes[attribute].name;
}

static wlk_status check_lengths(const op_call *call, const ensemble_source *s) {
    static const uint32_t lists[] = {ROOTS_FALSE_LEAFS, ROOTS_FALSE, ROOTS_FEATURES,
                                     ROOTS_TRUE_LEAFS, ROOTS_TRUE};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        TRY(ensemble_length(call, name_of(call, lists[i]), op_attribute(call, lists[i]).count,
                            s->nodes));
    }
    real_list hitrates;
    TRY(ensemble_reals(call, ROOTS_HITRATES, ROOTS_HITRATES, &hitrates));
    if (hitrates.count > 0) TRY(ensemble_length(call, "nodes_hitrates", hitrates.count, s->nodes));
    const uint32_t missing = op_attribute(call, ROOTS_MISSING).count;
    if (missing > 0) TRY(ensemble_length(call, name_of(call, ROOTS_MISSING), missing, s->nodes));
    TRY(ensemble_length(call, "nodes_splits", s->thresholds.count, s->nodes));
    TRY(ensemble_length(call, "leaf_targetids", op_attribute(call, ROOTS_LEAF_TARGETS).count,
                        s->vote_count));
    if (s->nodes > 0 && s->nodes <= TREE_NODES_MAX && s->vote_count <= TREE_NODES_MAX &&
        s->trees > 0) {
        return WLK_OK;
    }
    return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "%u trees, %u nodes and %u leaves", s->trees,
                   s->nodes, s->vote_count);
}

static wlk_status read_modes(const op_call *call, plan_memory *memory, ensemble_source *s) {
    const op_tensor *modes = op_attribute_tensor(call, ROOTS_MODES);
    void *list = NULL;
    if (!modes || modes->dtype != WLK_U8 || modes->count != s->nodes) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "nodes_modes must be u8 and as many as %u",
                       s->nodes);
    }
    TRY(plan_take(memory, s->nodes, 1, &list, call->error));
    s->modes = list;
    for (uint32_t i = 0; i < s->nodes; i++) {
        s->modes[i] = ((const uint8_t *)modes->data)[i];
        if (s->modes[i] > BRANCH_MEMBER) {
            return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "nodes_modes[%u] is %u", i,
                           s->modes[i]);
        }
    }
    return WLK_OK;
}

/* ---- sets: each ends with a NaN, in the order of the nodes that they belong to */

static uint32_t set_end(const real_list *members, uint32_t at) {
    while (at < members->count && !isnan(real_at(members, at))) at++;
    return at;
}

static wlk_status read_members(const op_call *call, plan_memory *memory, ensemble_source *s) {
    void *list = NULL;
    uint32_t *first = NULL;
    TRY(ensemble_reals(call, ROOTS_MEMBERS, ROOTS_MEMBERS, &s->members));
    TRY(plan_take(memory, 2 * (uint64_t)s->nodes, sizeof(uint32_t), &list, call->error));
    first = list;
    uint32_t at = 0;
    for (uint32_t i = 0; i < s->nodes; i++) {
        uint32_t *range = first + 2 * (size_t)i;
        range[0] = at;
        range[1] = at;
        if (s->modes[i] != BRANCH_MEMBER) continue;
        const uint32_t end = set_end(&s->members, at);
        if (end == at && end == s->members.count) {
            return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "membership_values has no set for %u",
                           i);
        }
        range[1] = end;
        at = end < s->members.count ? end + 1 : end;
    }
    s->member_ranges = first;
    if (at == s->members.count) return WLK_OK;
    return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "membership_values has more sets than nodes");
}

/* ---- branches */

static wlk_status link_branch(const op_call *call, const ensemble_source *s, int64_t to,
                              int64_t is_leaf, tree_ref *out) {
    const uint32_t limit = is_leaf ? s->leaves : s->nodes;
    if ((uint64_t)is_leaf > 1 || to < 0 || to >= limit) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "a branch to %s %lld of %u",
                       is_leaf ? "leaf" : "node", (long long)to, limit);
    }
    *out = (uint32_t)to | (is_leaf ? TREE_LEAF : 0);
    return WLK_OK;
}

static wlk_status link_branches(const op_call *call, plan_memory *memory, uint32_t to,
                                uint32_t leafs, const ensemble_source *s, tree_ref **out) {
    const attribute_value branches = op_attribute(call, to);
    const attribute_value is_leaf = op_attribute(call, leafs);
    void *list = NULL;
    TRY(plan_take(memory, s->nodes, sizeof(tree_ref), &list, call->error));
    *out = list;
    for (uint32_t i = 0; i < s->nodes; i++) {
        TRY(link_branch(call, s, branches.ints[i], is_leaf.ints[i], &(*out)[i]));
    }
    return WLK_OK;
}

static wlk_status link_roots(const op_call *call, plan_memory *memory, ensemble_source *s) {
    const attribute_value roots = op_attribute(call, ROOTS_ROOTS);
    void *list = NULL;
    TRY(plan_take(memory, s->trees, sizeof(tree_ref), &list, call->error));
    s->roots = list;
    for (uint32_t i = 0; i < s->trees; i++) {
        TRY(link_branch(call, s, roots.ints[i], 0, &s->roots[i]));
    }
    return WLK_OK;
}

wlk_status ensemble_read_roots(const op_call *call, plan_memory *memory, uint32_t targets,
                               ensemble_source *s) {
    const attribute_value missing = op_attribute(call, ROOTS_MISSING);
    *s = (ensemble_source){.targets = targets,
                           .nodes = op_attribute(call, ROOTS_FEATURES).count,
                           .trees = op_attribute(call, ROOTS_ROOTS).count,
                           .leaves_shared = true};
    TRY(ensemble_reals(call, ROOTS_SPLITS, ROOTS_SPLITS, &s->thresholds));
    TRY(ensemble_reals(call, ROOTS_LEAF_WEIGHTS, ROOTS_LEAF_WEIGHTS, &s->vote_weights));
    s->vote_count = s->leaves = s->vote_weights.count;
    TRY(check_lengths(call, s));
    s->features = op_attribute(call, ROOTS_FEATURES).ints;
    s->missing_true = missing.count > 0 ? missing.ints : NULL;
    s->vote_targets = op_attribute(call, ROOTS_LEAF_TARGETS).ints;
    TRY(read_modes(call, memory, s));
    TRY(ensemble_check_values(call, s));
    TRY(read_members(call, memory, s));
    s->is_double = s->thresholds.dtype == WLK_F64 || s->vote_weights.dtype == WLK_F64 ||
                   s->members.dtype == WLK_F64;
    TRY(link_branches(call, memory, ROOTS_TRUE, ROOTS_TRUE_LEAFS, s, &s->on_true));
    TRY(link_branches(call, memory, ROOTS_FALSE, ROOTS_FALSE_LEAFS, s, &s->on_false));
    return link_roots(call, memory, s);
}

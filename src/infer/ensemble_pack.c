/* Surveyed trees become slots in pre-order. Every comparison becomes "at most": x < t is
 * x <= the number below t, a greater-than swaps the branches, and equality is two slots,
 * "above the number below v" and "at most v". */
#include <math.h>
#include <string.h>

#include "infer/ensemble.h"

/* A subtree that is still to be packed, and the slots whose `right` leads to it: every
 * second one from `from`. */
typedef struct pending {
    tree_ref ref;
    uint32_t from;
    uint32_t slots;
} pending;

typedef struct packer {
    const ensemble_source *source;
    ensemble *out;
    narrow_slot *narrow;
    wide_slot *wide;
    uint8_t *sides;
    uint32_t end; /* slots so far */
    uint32_t *vote_targets;
    float *weights32;
    double *weights64;
    uint32_t votes;
    pending *stack;
    uint32_t depth;
} packer;

static void put_slot(packer *p, double threshold, int64_t feature, uint32_t sides) {
    p->sides[p->end] = (uint8_t)sides;
    if (p->narrow) {
        p->narrow[p->end].threshold = (float)threshold;
        p->narrow[p->end].feature = (uint16_t)feature;
    } else {
        p->wide[p->end].threshold = threshold;
        p->wide[p->end].feature = (uint32_t)feature;
    }
    p->end++;
}

static void set_right(packer *p, uint32_t slot, uint32_t to) {
    if (p->narrow) {
        p->narrow[slot].right = (uint16_t)(to - slot);
    } else {
        p->wide[slot].right = to - slot;
    }
}

static void push(packer *p, tree_ref ref, uint32_t from, uint32_t slots) {
    p->stack[p->depth++] = (pending){ref, from, slots};
}

/* The number below t, of the type that x has; x <= NaN holds for no x. */
static double below(const packer *p, double t) {
    if (t == -(double)INFINITY) return (double)NAN;
    return p->narrow ? (double)nextafterf((float)t, -INFINITY) : nextafter(t, -(double)INFINITY);
}

/* ---- branches */

static void pack_less(packer *p, uint32_t node, double threshold, bool missing) {
    const ensemble_source *s = p->source;
    put_slot(p, threshold, s->features[node], SIDE_LEQ | (missing ? SIDE_NAN : 0));
    push(p, s->on_false[node], p->end - 1, 1);
    push(p, s->on_true[node], p->end, 0);
}

/* True where x is not at most the threshold: the branches change places. */
static void pack_greater(packer *p, uint32_t node, double threshold, bool missing) {
    const ensemble_source *s = p->source;
    put_slot(p, threshold, s->features[node], SIDE_LEQ | (missing ? 0 : SIDE_NAN));
    push(p, s->on_true[node], p->end - 1, 1);
    push(p, s->on_false[node], p->end, 0);
}

/* For each value two slots. The first goes on to the second if x is above the number
 * below the value, else over it to the next value; the second leads to `match` if x is
 * at most the value. What matches none comes behind the last. */
static void pack_equal(packer *p, uint32_t node, const real_list *values, uint32_t first,
                       uint32_t count, tree_ref match, tree_ref other, bool missing) {
    const int64_t feature = p->source->features[node];
    const uint32_t from = p->end;
    for (uint32_t i = 0; i < count; i++) {
        const double value = real_at(values, first + i);
        put_slot(p, below(p, value), feature, SIDE_GT | (missing ? SIDE_NAN : 0));
        set_right(p, p->end - 1, p->end + 1);
        put_slot(p, value, feature, SIDE_GT);
    }
    push(p, match, from + 1, count);
    push(p, other, p->end, 0);
}

static void pack_node(packer *p, uint32_t node) {
    const ensemble_source *s = p->source;
    const double t = real_at(&s->thresholds, node);
    const bool missing = s->missing_true && s->missing_true[node] != 0;
    const tree_ref on_true = s->on_true[node];
    const tree_ref on_false = s->on_false[node];
    switch ((branch_mode)s->modes[node]) {
        case BRANCH_LEQ:
            return pack_less(p, node, t, missing);
        case BRANCH_LT:
            return pack_less(p, node, below(p, t), missing);
        /* Nothing compares with NaN, so everything is "at most". */
        case BRANCH_GT:
            return pack_greater(p, node, isnan(t) ? (double)INFINITY : t, missing);
        case BRANCH_GTE:
            return pack_greater(p, node, isnan(t) ? (double)INFINITY : below(p, t), missing);
        case BRANCH_EQ:
            return pack_equal(p, node, &s->thresholds, node, 1, on_true, on_false, missing);
        /* NaN differs from everything, whatever way it would track. */
        case BRANCH_NEQ:
            return pack_equal(p, node, &s->thresholds, node, 1, on_false, on_true, false);
        case BRANCH_MEMBER: {
            const uint32_t *range = s->member_ranges + 2 * (size_t)node;
            const uint32_t first = range[0];
            const uint32_t count = range[1] - first;
            if (count == 0) return pack_less(p, node, (double)NAN, missing);
            return pack_equal(p, node, &s->members, first, count, on_true, on_false, missing);
        }
        case BRANCH_LEAF:
            return;
    }
}

/* ---- leaves */

static void put_vote(packer *p, uint32_t vote) {
    const double weight = real_at(&p->source->vote_weights, vote);
    p->vote_targets[p->votes] = (uint32_t)p->source->vote_targets[vote];
    if (p->narrow) {
        p->weights32[p->votes] = (float)weight;
    } else {
        p->weights64[p->votes] = weight;
    }
    p->votes++;
}

static uint32_t vote_number(const ensemble_source *s, uint32_t i) {
    return s->votes ? s->votes[i] : i;
}

static void pack_leaf(packer *p, uint32_t leaf) {
    const ensemble_source *s = p->source;
    const uint32_t first = s->first_vote ? s->first_vote[leaf] : leaf;
    const uint32_t count = s->first_vote ? s->first_vote[leaf + 1] - first : 1;
    put_slot(p, (double)NAN, 0, 0);
    const uint32_t slot = p->end++;
    if (p->out->one_vote) {
        const double weight = real_at(&s->vote_weights, vote_number(s, first));
        if (p->narrow) p->narrow[slot].weight = weight;
        if (p->wide) p->wide[slot].weight = weight;
        return;
    }
    const leaf_votes votes = {p->votes, count};
    if (p->narrow) p->narrow[slot].votes = votes;
    if (p->wide) p->wide[slot].votes = votes;
    for (uint32_t i = 0; i < count; i++) put_vote(p, vote_number(s, first + i));
}

static void pack_tree(packer *p, tree_ref root) {
    p->depth = 0;
    push(p, root, 0, 0);
    while (p->depth > 0) {
        const pending at = p->stack[--p->depth];
        for (uint32_t i = 0; i < at.slots; i++) set_right(p, at.from + 2 * i, p->end);
        if (at.ref & TREE_LEAF) {
            pack_leaf(p, at.ref & ~TREE_LEAF);
        } else {
            pack_node(p, at.ref);
        }
    }
}

/* ---- what is true of the whole */

static bool has_one_vote(const ensemble_source *s) {
    if (s->targets != 1) return false;
    for (uint32_t i = 0; s->first_vote && i < s->nodes; i++) {
        if (s->modes[i] == BRANCH_LEAF && s->first_vote[i + 1] - s->first_vote[i] != 1) {
            return false;
        }
    }
    return true;
}

/* Votes lie by leaf, so they are for 0, 1 .. targets - 1 and again 0 if all are dense. */
static bool is_dense(const packer *p, uint64_t leaves) {
    const uint32_t targets = p->source->targets;
    if (p->votes != leaves * targets) return false;
    uint32_t expected = 0;
    for (uint32_t i = 0; i < p->votes; i++) {
        if (p->vote_targets[i] != expected) return false;
        expected = expected + 1 < targets ? expected + 1 : 0;
    }
    for (uint32_t i = 0; p->source->first_vote && i < p->source->nodes; i++) {
        if (p->source->modes[i] != BRANCH_LEAF) continue;
        if (p->source->first_vote[i + 1] - p->source->first_vote[i] != targets) return false;
    }
    return true;
}

static void note_sides(packer *p) {
    for (uint32_t i = 0; i < p->end; i++) {
        if (p->sides[i] & SIDE_NAN) p->out->sides_for_nan = true;
        if (p->sides[i] & SIDE_GT) p->out->sides_always = true;
    }
}

/* The leaves' votes, as they will lie: shared leaves are repeated. A binary tree has one
 * leaf more than inner nodes. */
static uint64_t count_leaves(const ensemble_source *s) {
    uint64_t inner = 0;
    for (uint32_t i = 0; i < s->nodes; i++) inner += s->modes[i] != BRANCH_LEAF;
    return inner + s->trees;
}

static wlk_status take_votes(const op_call *call, plan_memory *memory, uint64_t count, packer *p) {
    void *list = NULL;
    TRY(plan_take(memory, count, sizeof(uint32_t), &list, call->error));
    p->vote_targets = list;
    TRY(plan_take(memory, count, p->narrow ? sizeof(float) : sizeof(double), &list, call->error));
    if (p->narrow) p->weights32 = list;
    if (p->wide) p->weights64 = list;
    return WLK_OK;
}

static wlk_status take_slots(const op_call *call, plan_memory *memory, uint64_t count, packer *p,
                             bool is_narrow) {
    void *list = NULL;
    const uint64_t size = is_narrow ? sizeof(narrow_slot) : sizeof(wide_slot);
    TRY(plan_take(memory, count, size, &list, call->error));
    if (is_narrow) p->narrow = list;
    if (!is_narrow) p->wide = list;
    TRY(plan_take(memory, count, 1, &list, call->error));
    p->sides = list;
    return WLK_OK;
}

wlk_status ensemble_pack(const op_call *call, plan_memory *memory, plan_memory *temporary,
                         const ensemble_source *s, const ensemble_survey *survey, ensemble *out) {
    packer p = {.source = s, .out = out};
    void *list = NULL;
    const bool is_narrow =
        !s->is_double && survey->largest_tree <= UINT16_MAX && survey->features <= UINT16_MAX;
    const uint64_t leaves = count_leaves(s);
    TRY(take_slots(call, memory, survey->slots, &p, is_narrow));
    TRY(plan_take(temporary, (uint64_t)s->nodes + 2, sizeof(pending), &list, call->error));
    p.stack = list;
    TRY(plan_take(memory, s->trees, sizeof(packed_tree), &list, call->error));
    packed_tree *trees = list;
    out->one_vote = has_one_vote(s);
    if (!out->one_vote) {
        TRY(take_votes(call, memory, s->first_vote ? s->vote_count : leaves, &p));
    }
    for (uint32_t i = 0; i < s->trees; i++) {
        trees[i] = (packed_tree){p.end, survey->depths[i]};
        pack_tree(&p, s->roots[i]);
    }
    note_sides(&p);
    out->narrow = p.narrow;
    out->wide = p.wide;
    out->sides = p.sides;
    out->trees = s->trees;
    out->packed = trees;
    out->features = survey->features;
    out->steps = survey->steps;
    out->votes = survey->votes;
    out->targets = s->targets;
    out->dense = !out->one_vote && is_dense(&p, leaves);
    out->vote_targets = p.vote_targets;
    out->weights32 = p.weights32;
    out->weights64 = p.weights64;
    return WLK_OK;
}

/* org.weighlock TreeEnsemble: trees as they lie in memory, nodes in pre-order
 * (docs/operators.md). Structure is checked and slots are packed in one pass each, without
 * a branch that depends on a node: a forest of 400,000 nodes is ready in a few
 * milliseconds. */
#include <math.h>
#include <string.h>

#include "infer/ensemble_run.h"
#include "infer/ops.h"
#include "infer/shape.h"

enum { AGGREGATE, BASE, FEATURES, FLAGS, RIGHT, ROOTS, SETS, THRESHOLDS, VALUES };

#define FLAG_NAN_LEFT 1u
#define FLAG_SET 2u
#define SET_WORDS 8
#define SETS_MAX (1 << 24) /* their numbers are exact as f32 */

typedef struct forest {
    const op_call *call;
    uint32_t trees;
    uint32_t nodes;
    uint32_t leaves;
    uint32_t targets;
    uint32_t columns;      /* that are read */
    uint32_t largest_tree; /* in slots */
    const uint32_t *roots;
    const uint32_t *right;
    const uint16_t *features16; /* one of the two */
    const uint32_t *features32;
    const float *thresholds32; /* one of the two */
    const double *thresholds64;
    const uint8_t *flags; /* or NULL */
    uint32_t sets;
    const double *values;
} forest;

/* ---- attributes: dtypes and shapes */

static wlk_status bad(const forest *f, const char *what) {
    return op_fail(f->call, RULE_PLAN_ATTRIBUTE_VALUE, "%s", what);
}

static wlk_status bad_list(const forest *f, uint32_t attribute, const char *what) {
    return op_fail(f->call, RULE_PLAN_ATTRIBUTE_VALUE, "%s %s",
                   f->call->node->row->attributes[attribute].name, what);
}

/* The data of a tensor of this rank and dtype; NULL if it is not there. */
static wlk_status take(const forest *f, uint32_t attribute, uint32_t dtypes, uint32_t rank,
                       const op_tensor **list) {
    *list = op_attribute_tensor(f->call, attribute);
    if (!*list) return WLK_OK;
    if (!(dtypes & DTYPE_BIT((*list)->dtype))) return bad_list(f, attribute, "is of another dtype");
    if ((*list)->rank != rank) return bad_list(f, attribute, "has another rank");
    if ((*list)->count > TREE_NODES_MAX && attribute != VALUES) {
        return bad_list(f, attribute, "is too long");
    }
    return WLK_OK;
}

/* One for each node. */
static wlk_status take_nodes(const forest *f, uint32_t attribute, uint32_t dtypes,
                             const op_tensor **list) {
    TRY(take(f, attribute, dtypes, 1, list));
    if (!*list || (*list)->count == f->nodes) return WLK_OK;
    return bad_list(f, attribute, "is not as long as right");
}

static wlk_status take_structure(forest *f) {
    const op_tensor *list = NULL;
    TRY(take(f, ROOTS, DTYPE_BIT(WLK_U32), 1, &list));
    f->roots = list->data;
    f->trees = (uint32_t)list->count;
    TRY(take(f, RIGHT, DTYPE_BIT(WLK_U32), 1, &list));
    f->right = list->data;
    f->nodes = (uint32_t)list->count;
    return f->trees > 0 && f->nodes > 0 ? WLK_OK : bad(f, "no trees");
}

static wlk_status take_branches(forest *f) {
    const op_tensor *list = NULL;
    TRY(take_nodes(f, FEATURES, DTYPE_BIT(WLK_U16) | DTYPE_BIT(WLK_U32), &list));
    if (list->dtype == WLK_U16) f->features16 = list->data;
    if (list->dtype == WLK_U32) f->features32 = list->data;
    TRY(take_nodes(f, THRESHOLDS, DTYPE_BIT(op_input(f->call, 0)->dtype), &list));
    if (list->dtype == WLK_F32) f->thresholds32 = list->data;
    if (list->dtype == WLK_F64) f->thresholds64 = list->data;
    TRY(take_nodes(f, FLAGS, DTYPE_BIT(WLK_U8), &list));
    if (list) f->flags = list->data;
    return WLK_OK;
}

static wlk_status take_sets(forest *f, ensemble *e) {
    const op_tensor *list = NULL;
    TRY(take(f, SETS, DTYPE_BIT(WLK_U32), 2, &list));
    if (!list || list->count == 0) return WLK_OK;
    if (list->dims[1] != SET_WORDS || list->dims[0] > SETS_MAX) {
        return bad_list(f, SETS, "has another shape");
    }
    f->sets = (uint32_t)list->dims[0];
    e->sets = list->data;
    return WLK_OK;
}

static wlk_status take_values(forest *f, ensemble *e) {
    const op_tensor *list = NULL;
    TRY(take(f, VALUES, DTYPE_BIT(WLK_F64), 2, &list));
    if (list->count == 0 || list->count > UINT32_MAX) return bad_list(f, VALUES, "has no values");
    f->values = list->data;
    f->leaves = (uint32_t)list->dims[0];
    f->targets = e->targets = (uint32_t)list->dims[1];
    e->weights64 = list->data;
    TRY(take(f, BASE, DTYPE_BIT(WLK_F64), 1, &list));
    if (!list) return WLK_OK;
    if (list->count != e->targets) return bad_list(f, BASE, "is not as long as targets");
    e->base_values = list->data;
    e->base_count = e->targets;
    e->base_first = e->aggregate == AGGREGATE_SUM;
    return WLK_OK;
}

static wlk_status take_aggregate(const forest *f, ensemble *e) {
    const char *name = op_attribute(f->call, AGGREGATE).s;
    e->aggregate = AGGREGATE_SUM;
    if (strcmp(name, "SUM") == 0) return WLK_OK;
    e->aggregate = AGGREGATE_AVERAGE;
    if (strcmp(name, "AVERAGE") == 0) return WLK_OK;
    return bad_list(f, AGGREGATE, "is neither SUM nor AVERAGE");
}

/* ---- what is true of every node */

static wlk_status check_leaves(const forest *f) {
    uint32_t leaves = 0;
    for (uint32_t i = 0; i < f->nodes; i++) leaves += f->right[i] == 0;
    if (leaves != f->leaves) return bad(f, "values has not as many rows as there are leaves");
    if ((uint64_t)f->nodes + leaves > TREE_NODES_MAX) return bad(f, "too many nodes");
    return WLK_OK;
}

/* Leaves have feature 0, or count too. */
static wlk_status check_features(forest *f) {
    uint32_t largest = 0;
    for (uint32_t i = 0; f->features16 && i < f->nodes; i++) {
        largest = f->features16[i] > largest ? f->features16[i] : largest;
    }
    for (uint32_t i = 0; f->features32 && i < f->nodes; i++) {
        largest = f->features32[i] > largest ? f->features32[i] : largest;
    }
    if (f->leaves < f->nodes) f->columns = largest + 1;
    return largest <= TREE_FEATURE_MAX ? WLK_OK : bad_list(f, FEATURES, "is out of range");
}

static wlk_status check_thresholds(const forest *f) {
    uint32_t nans = 0;
    for (uint32_t i = 0; f->thresholds32 && i < f->nodes; i++) {
        nans |= f->thresholds32[i] != f->thresholds32[i];
    }
    for (uint32_t i = 0; f->thresholds64 && i < f->nodes; i++) {
        nans |= f->thresholds64[i] != f->thresholds64[i];
    }
    return nans ? bad_list(f, THRESHOLDS, "holds NaN") : WLK_OK;
}

static wlk_status check_flags(const forest *f, ensemble *e) {
    uint32_t set_nodes = 0;
    uint32_t any = 0;
    uint32_t of_leaves = 0;
    for (uint32_t i = 0; f->flags && i < f->nodes; i++) {
        set_nodes += f->flags[i] / FLAG_SET & 1;
        any |= f->flags[i];
        of_leaves |= f->right[i] ? 0 : f->flags[i];
    }
    if (any > (FLAG_NAN_LEFT | FLAG_SET) || of_leaves) {
        return bad_list(f, FLAGS, "has a flag that there is not");
    }
    if (set_nodes != f->sets) return bad(f, "not as many sets as nodes that have one");
    e->sides_for_nan = any & FLAG_NAN_LEFT;
    e->sides_always = any & FLAG_SET;
    return WLK_OK;
}

/* ---- structure */

/* The subtree below a node: the node behind its last one, and its depth. */
typedef struct subtree {
    uint32_t end;
    uint32_t depth;
} subtree;

/* In pre-order a left subtree follows its parent, the right one begins where it ends, and
 * their parent's ends where the right one does. So from the last node to the first, each needs
 * to know its two children only. below: room for one of each node. */
static bool is_tree(const uint32_t *right, uint32_t from, uint32_t end, subtree *below,
                    uint32_t *deepest) {
    subtree left = {end, 0}; /* of the node behind this one */
    for (uint32_t i = end; i-- > from;) {
        const uint32_t inner = 0 - (uint32_t)(right[i] != 0); /* all bits, or none */
        subtree *at = &below[i - from];
        if (right[i] >= end - i) return false;
        const subtree other = at[right[i]];
        if (((i + right[i]) ^ left.end) & inner) return false;
        const uint32_t deeper = left.depth > other.depth ? left.depth : other.depth;
        left.end = (other.end & inner) | ((i + 1) & ~inner);
        left.depth = (deeper + 1) & inner;
        *at = left;
    }
    *deepest = left.depth;
    return left.end == end;
}

static uint32_t tree_end(const forest *f, uint32_t tree) {
    return tree + 1 < f->trees ? f->roots[tree + 1] : f->nodes;
}

/* A tree of n nodes has (n + 1) / 2 leaves, which take two slots each. */
static uint32_t slots_of(uint32_t nodes) {
    return nodes + (nodes + 1) / 2;
}

/* Do the trees tile the nodes? *largest, in nodes. */
static wlk_status check_roots(const forest *f, uint32_t *largest) {
    *largest = 0;
    if (f->roots[0] != 0) return bad_list(f, ROOTS, "does not begin with 0");
    for (uint32_t i = 0; i < f->trees; i++) {
        const uint32_t end = tree_end(f, i);
        if (end <= f->roots[i] || end > f->nodes) return bad_list(f, ROOTS, "does not ascend");
        if (end - f->roots[i] > *largest) *largest = end - f->roots[i];
    }
    return WLK_OK;
}

static wlk_status walk_trees(const forest *f, subtree *below, packed_tree *trees, ensemble *e) {
    uint32_t slot = 0;
    for (uint32_t i = 0; i < f->trees; i++) {
        uint32_t depth = 0;
        if (!is_tree(f->right, f->roots[i], tree_end(f, i), below, &depth)) {
            return op_fail(f->call, RULE_PLAN_ATTRIBUTE_VALUE,
                           "right: the nodes of tree %u are no tree in pre-order", i);
        }
        trees[i] = (packed_tree){slot, depth};
        slot += slots_of(tree_end(f, i) - f->roots[i]);
        e->steps += (uint64_t)depth + 1;
    }
    e->packed = trees;
    e->trees = f->trees;
    e->votes = (uint64_t)f->trees * f->targets;
    return WLK_OK;
}

static wlk_status check_trees(forest *f, plan_memory *memory, ensemble *e) {
    void *trees = NULL;
    void *below = NULL;
    uint32_t largest = 0;
    TRY(check_roots(f, &largest));
    f->largest_tree = slots_of(largest);
    TRY(plan_take(memory, f->trees, sizeof(packed_tree), &trees, f->call->error));
    plan_memory temporary = {.budget = memory->budget};
    wlk_status status = plan_take(&temporary, largest, sizeof(subtree), &below, f->call->error);
    if (status == WLK_OK) status = walk_trees(f, below, trees, e);
    plan_memory_free(&temporary);
    return status;
}

/* ---- packing */

static uint32_t feature_at(const forest *f, uint32_t i) {
    return f->features16 ? f->features16[i] : f->features32[i];
}

/* The bits of a threshold, as the slot's type has it. */
static uint32_t narrow_bits(const forest *f, uint32_t i) {
    uint32_t bits;
    memcpy(&bits, &f->thresholds32[i], sizeof bits);
    return bits;
}

static uint64_t wide_bits(const forest *f, uint32_t i) {
    const double threshold = f->thresholds32 ? (double)f->thresholds32[i] : f->thresholds64[i];
    uint64_t bits;
    memcpy(&bits, &threshold, sizeof bits);
    return bits;
}

/* A node's slot, and behind it the leaf's, whose place the next node takes if this one is
 * inner. Left of a node with `right` lie right - 1 nodes, of which right / 2 are leaves. All
 * bits set are a NaN. */
#define PACK(kind, bits_type, feature_type, right_type)                              \
    static void pack_##kind(const forest *f, kind##_slot *slot) {                    \
        const uint32_t targets = f->targets;                                         \
        uint32_t leaf = 0;                                                           \
        for (uint32_t i = 0; i < f->nodes; i++) {                                    \
            const uint32_t right = f->right[i];                                      \
            const uint32_t is_leaf = right == 0;                                     \
            const bits_type bits = kind##_bits(f, i) | (0 - (bits_type)is_leaf);     \
            memcpy(&slot[0].threshold, &bits, sizeof bits);                          \
            slot[0].feature = (feature_type)(feature_at(f, i) & (is_leaf - 1));      \
            slot[0].right = (right_type)(right + right / 2);                         \
            if (targets == 1) slot[1].weight = f->values[leaf];                      \
            if (targets != 1) slot[1].votes = (leaf_votes){leaf * targets, targets}; \
            slot += 1 + is_leaf;                                                     \
            leaf += is_leaf;                                                         \
        }                                                                            \
    }
PACK(narrow, uint32_t, uint16_t, uint16_t)
PACK(wide, uint64_t, uint32_t, uint32_t)

static void pack_sides(const forest *f, uint8_t *side) {
    for (uint32_t i = 0; i < f->nodes; i++) {
        const uint32_t is_leaf = f->right[i] == 0;
        const uint32_t nan = f->flags[i] & FLAG_NAN_LEFT ? SIDE_NAN : 0;
        const uint32_t set = f->flags[i] & FLAG_SET ? SIDE_SET : 0;
        *side = (uint8_t)(is_leaf ? 0 : SIDE_LEQ | nan | set);
        side += 1 + is_leaf;
    }
}

/* The threshold of a node with a set is the set's number: they are taken in order. */
static void number_sets(const forest *f, narrow_slot *narrow, wide_slot *wide) {
    uint32_t set = 0;
    size_t slot = 0;
    for (uint32_t i = 0; i < f->nodes; i++) {
        const bool has_set = f->flags[i] & FLAG_SET;
        if (has_set && narrow) narrow[slot].threshold = (float)set;
        if (has_set && wide) wide[slot].threshold = set;
        set += has_set;
        slot += f->right[i] == 0 ? 2 : 1;
    }
}

static wlk_status pack(const forest *f, plan_memory *memory, ensemble *e) {
    const uint64_t slots = (uint64_t)f->nodes + f->leaves;
    const bool is_narrow =
        f->thresholds32 && f->largest_tree <= UINT16_MAX && f->columns <= UINT16_MAX + 1u;
    void *list = NULL;
    void *sides = NULL;
    TRY(plan_take(memory, slots, is_narrow ? sizeof(narrow_slot) : sizeof(wide_slot), &list,
                  f->call->error));
    narrow_slot *narrow = is_narrow ? list : NULL;
    wide_slot *wide = is_narrow ? NULL : list;
    if (narrow) pack_narrow(f, narrow);
    if (wide) pack_wide(f, wide);
    e->narrow = narrow;
    e->wide = wide;
    if (!f->flags) return WLK_OK;
    TRY(plan_take(memory, slots, 1, &sides, f->call->error));
    pack_sides(f, sides);
    if (f->sets > 0) number_sets(f, narrow, wide);
    e->sides = sides;
    return WLK_OK;
}

/* ---- the operator */

static wlk_status prepare(op_call *call, plan_memory *memory, const void **prepared) {
    forest f = {.call = call};
    void *made = NULL;
    TRY(plan_take(memory, 1, sizeof(ensemble), &made, call->error));
    ensemble *e = made;
    TRY(take_structure(&f));
    TRY(take_branches(&f));
    TRY(take_sets(&f, e));
    TRY(take_aggregate(&f, e));
    TRY(take_values(&f, e));
    TRY(check_leaves(&f));
    TRY(check_features(&f));
    TRY(check_thresholds(&f));
    TRY(check_flags(&f, e));
    TRY(check_trees(&f, memory, e));
    TRY(pack(&f, memory, e));
    e->features = f.columns;
    e->one_vote = f.targets == 1;
    e->dense = !e->one_vote;
    *prepared = e;
    return WLK_OK;
}

static wlk_status infer(op_call *call) {
    const ensemble *e = call->node->prepared;
    int64_t dims[2] = {0, e->targets};
    TRY(shape_need_rank(call, 0, 2, 2));
    TRY(ensemble_rows(call, &dims[0]));
    op_set_output(call, 0, WLK_F64, 2, dims);
    return call->binding ? ensemble_declare(call, (uint64_t)dims[0]) : WLK_OK;
}

static const attribute_row attributes[] = {
    [AGGREGATE] = {.name = "aggregate", .type = WLK_ATTR_STRING, .s = "SUM"},
    [BASE] = {.name = "base", .type = WLK_ATTR_TENSOR},
    [FEATURES] = {.name = "features", .type = WLK_ATTR_TENSOR, .required = true},
    [FLAGS] = {.name = "flags", .type = WLK_ATTR_TENSOR},
    [RIGHT] = {.name = "right", .type = WLK_ATTR_TENSOR, .required = true},
    [ROOTS] = {.name = "roots", .type = WLK_ATTR_TENSOR, .required = true},
    [SETS] = {.name = "sets", .type = WLK_ATTR_TENSOR},
    [THRESHOLDS] = {.name = "thresholds", .type = WLK_ATTR_TENSOR, .required = true},
    [VALUES] = {.name = "values", .type = WLK_ATTR_TENSOR, .required = true},
};

static const op_port ports[] = {{"X", DTYPES_FLOAT, 'T'}};

static const op_row rows[] = {
    {.domain = "org.weighlock",
     .name = "TreeEnsemble",
     .since = 1,
     .min_inputs = 1,
     .max_inputs = 1,
     .min_outputs = 1,
     .max_outputs = 1,
     .ports = ports,
     .attributes = attributes,
     .attribute_count = sizeof attributes / sizeof *attributes,
     .infer = infer,
     .kernel = ensemble_kernel,
     .prepare = prepare},
};

const op_family ops_weighlock_tree = {rows, sizeof rows / sizeof *rows};

/* Trees of any order of nodes become one list in pre-order: one pass over each, with a stack
 * of what waits on the right. */
#include "formats/sklearn/sk_forest.h"

#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"

#define FLAG_NAN_LEFT 1u
#define FLAG_SET 2u
#define SET_WORDS 8

#define CACHE_LINE 64 /* bytes */

/* The operator takes no more nodes, leaves and values. */
#define NODES_MAX 0x3fffffffu

/* A right subtree that waits until the left one is done. Its place in the tree's record lies
 * in `right` of its parent, where the way to it will be. */
typedef struct waiting {
    uint32_t parent;
    uint32_t depth;
} waiting;

typedef struct forest {
    sk *s;
    const sk_forest *spec;
    uint64_t nodes;
    uint64_t leaves;
    uint64_t sets_max;
    uint32_t *roots;
    uint16_t *features16; /* one of the two */
    uint32_t *features32;
    float *thresholds32; /* one of the two */
    double *thresholds64;
    uint32_t *right;
    uint8_t *flags;
    double *values;
    uint32_t (*sets)[SET_WORDS];
    uint32_t node; /* how many are done */
    uint32_t leaf;
    uint32_t set;
    bool flagged;
    /* Of the tree at hand: */
    const sk_tree *tree;
    const uint32_t *columns;
    waiting *stack;
    uint8_t *seen;
} forest;

static wlk_status refuse_node(const forest *f, uint32_t node, const char *what) {
    return sk_refuse(f->s, RULE_SKLEARN_VALUE, f->tree->at, "node %u of its tree %s", node, what);
}

/* ---- splits */

/* The largest f32 that is not above: an x of f32 is no more than the one if and only if it is
 * no more than the other. */
static float round_down(double threshold) {
    const float near = (float)threshold;
    if (!((double)near > threshold)) return near;
    uint32_t bits = 0;
    memcpy(&bits, &near, sizeof bits);
    bits += bits >> 31 ? 1u : UINT32_MAX; /* away from zero, or towards it */
    float below = 0;
    memcpy(&below, &bits, sizeof below);
    return below;
}

static wlk_status put_threshold(forest *f, uint32_t node, const uint8_t *at) {
    const double threshold = sk_tree_real(&f->tree->threshold, at);
    if (threshold != threshold) return refuse_node(f, node, "has the threshold NaN");
    if (f->thresholds32) f->thresholds32[f->node] = round_down(threshold);
    if (f->thresholds64) f->thresholds64[f->node] = threshold;
    return WLK_OK;
}

static wlk_status put_feature(forest *f, uint32_t node, const uint8_t *at, uint64_t *feature) {
    *feature = (uint64_t)sk_tree_int(&f->tree->feature, at);
    if (*feature >= f->tree->features) return refuse_node(f, node, "has a feature out of range");
    const uint32_t column = f->columns ? f->columns[*feature] : (uint32_t)*feature;
    if (f->features16) f->features16[f->node] = (uint16_t)column;
    if (f->features32) f->features32[f->node] = column;
    return WLK_OK;
}

/* What is of none of the categories of training goes where NaN goes. */
static void put_set(forest *f, uint64_t feature, const uint8_t *set, bool nan_left) {
    const uint32_t *known = f->tree->known[feature];
    for (uint32_t i = 0; i < SET_WORDS; i++) {
        const uint32_t word = load_u32(set + 4 * (size_t)i);
        const uint32_t left = f->tree->sets_big ? __builtin_bswap32(word) : word;
        f->sets[f->set][i] = left | (nan_left ? ~known[i] : 0);
    }
    f->set++;
}

static wlk_status put_flags(forest *f, uint32_t node, const uint8_t *at, uint64_t feature) {
    const sk_tree *tree = f->tree;
    const bool nan_left = tree->nan_left.size > 0 && sk_tree_int(&tree->nan_left, at) != 0;
    const bool is_set = tree->is_set.size > 0 && sk_tree_int(&tree->is_set, at) != 0;
    f->flags[f->node] = (uint8_t)((nan_left ? FLAG_NAN_LEFT : 0) | (is_set ? FLAG_SET : 0));
    f->flagged |= f->flags[f->node] != 0;
    if (!is_set) return WLK_OK;
    const uint64_t set = (uint64_t)sk_tree_int(&tree->set, at);
    if (set >= tree->set_count || !tree->known || f->set == f->sets_max) {
        return refuse_node(f, node, "has no set of categories");
    }
    put_set(f, feature, tree->sets + set * SET_WORDS * 4, nan_left);
    return WLK_OK;
}

static wlk_status check_unused(const forest *f, uint32_t node, const uint8_t *at) {
    for (uint32_t i = 0; i < f->tree->unused_count; i++) {
        const struct tree_span *span = &f->tree->unused[i];
        if (zeros_before(at + span->offset, span->length) == span->length) continue;
        return sk_refuse(f->s, RULE_SKLEARN_OPTION, f->tree->at,
                         "node %u of its tree splits by categories", node);
    }
    return WLK_OK;
}

static wlk_status put_split(forest *f, uint32_t node, const uint8_t *at) {
    uint64_t feature = 0;
    TRY(put_feature(f, node, at, &feature));
    TRY(put_threshold(f, node, at));
    TRY(check_unused(f, node, at));
    return put_flags(f, node, at, feature);
}

/* ---- leaves */

static wlk_status put_leaf(forest *f, uint32_t node, uint32_t depth) {
    const uint32_t targets = f->spec->targets;
    double *values = f->values + (uint64_t)f->leaf * targets;
    const tree_leaf leaf = {f->tree, node, depth};
    f->spec->give(&leaf, f->spec->how, values);
    f->leaf++;
    double zero = 0; /* NaN if one is not finite */
    for (uint32_t i = 0; i < targets; i++) zero += values[i] * 0;
    return zero == 0 ? WLK_OK : refuse_node(f, node, "gives a value that is not finite");
}

/* ---- a tree */

/* Is the node a leaf? Else *left and *right are its children. */
static bool is_leaf(const sk_tree *tree, const uint8_t *at, int64_t *left, int64_t *right) {
    *left = sk_tree_int(&tree->left, at);
    *right = sk_tree_int(&tree->right, at);
    if (tree->is_leaf.size > 0) return sk_tree_int(&tree->is_leaf, at) != 0;
    return *left == -1 && *right == -1;
}

static wlk_status walk_tree(forest *f) {
    const sk_tree *tree = f->tree;
    uint32_t waits = 0, depth = 0, node = 0;
    for (;;) {
        const uint8_t *at = tree->nodes + (uint64_t)node * tree->node_bytes;
        int64_t left = 0, right = 0;
        if (f->seen[node]) return refuse_node(f, node, "is reached twice");
        f->seen[node] = 1;
        if (!is_leaf(tree, at, &left, &right)) {
            if ((uint64_t)left >= tree->count || (uint64_t)right >= tree->count) {
                return refuse_node(f, node, "has a child out of range");
            }
            TRY(put_split(f, node, at));
            f->right[f->node] = (uint32_t)right;
            f->stack[waits++] = (waiting){f->node++, ++depth};
            node = (uint32_t)left;
            continue;
        }
        TRY(put_leaf(f, node, depth));
        f->node++;
        if (waits == 0) return WLK_OK;
        const waiting *next = &f->stack[--waits];
        node = f->right[next->parent];
        f->right[next->parent] = f->node - next->parent;
        depth = next->depth;
    }
}

/* Reads a byte of each cache line, in order. A tree's nodes are walked in an order that no
 * processor foresees: so they are at hand. */
static void fetch(const uint8_t *data, uint64_t size) {
    const volatile uint8_t *line = data;
    for (uint64_t at = 0; at < size; at += CACHE_LINE) (void)line[at];
}

static void fetch_tree(const sk_tree *tree) {
    fetch(tree->nodes, (uint64_t)tree->count * tree->node_bytes);
    if (tree->values) fetch(tree->values, (uint64_t)tree->count * tree->stride * sizeof(double));
}

static wlk_status put_tree(forest *f, uint32_t i) {
    const sk_forest *spec = f->spec;
    f->tree = &spec->trees[i];
    fetch_tree(f->tree);
    f->columns = spec->features ? spec->features[i].list : NULL;
    f->roots[i] = f->node;
    memset(f->seen, 0, f->tree->count);
    TRY(walk_tree(f));
    if (f->node - f->roots[i] == f->tree->count) return WLK_OK;
    return sk_refuse(f->s, RULE_SKLEARN_VALUE, f->tree->at,
                     "%u of %u nodes of its tree are not reached",
                     f->tree->count - (f->node - f->roots[i]), f->tree->count);
}

/* ---- memory: of all lists, before a node is looked at */

/* A tree whose nodes are all reached has one more leaf than splits. */
static wlk_status count_nodes(forest *f, uint32_t *largest) {
    for (uint32_t i = 0; i < f->spec->count; i++) {
        const sk_tree *tree = &f->spec->trees[i];
        f->nodes += tree->count; /* 2^32 trees of 2^30 nodes at most */
        f->leaves += (tree->count + 1) / 2;
        f->sets_max += tree->set_count;
        if (tree->count > *largest) *largest = tree->count;
    }
    uint64_t values = 0;
    if (f->nodes + f->leaves <= NODES_MAX && checked_mul(f->leaves, f->spec->targets, &values) &&
        values <= NODES_MAX) {
        return WLK_OK;
    }
    return sk_refuse(f->s, RULE_SKLEARN_SHAPE, f->spec->trees[0].at,
                     "%llu nodes of %u trees are too many", (unsigned long long)f->nodes,
                     f->spec->count);
}

/* Into *list if *memory is still there. */
#define TAKE(list, count) ((list) = sk_take(f->s, (count), sizeof *(list)))

static wlk_status take_lists(forest *f, uint32_t largest) {
    const bool narrow = f->spec->columns <= UINT16_MAX + 1u;
    const bool ok =
        TAKE(f->roots, f->spec->count) && TAKE(f->right, f->nodes) && TAKE(f->flags, f->nodes) &&
        (narrow ? TAKE(f->features16, f->nodes) != NULL : TAKE(f->features32, f->nodes) != NULL) &&
        (f->spec->single ? TAKE(f->thresholds32, f->nodes) != NULL
                         : TAKE(f->thresholds64, f->nodes) != NULL) &&
        TAKE(f->values, f->leaves * f->spec->targets) && TAKE(f->sets, f->sets_max) &&
        TAKE(f->stack, largest / 2 + 1u) && TAKE(f->seen, largest);
    return ok ? WLK_OK : sk_no_memory(f->s);
}

/* ---- the node of the graph */

typedef struct forest_list {
    const char *name;
    wlk_dtype dtype;
    uint64_t rows;
    uint64_t columns; /* 0: of rank 1 */
    const void *data; /* NULL: it is left out */
} forest_list;

static wlk_status put_list(sk *s, const forest_list *list) {
    const uint64_t shape[2] = {list->rows, list->columns};
    sk_name tensor = NULL;
    if (!list->data) return WLK_OK;
    TRY(sk_constant(s, list->dtype, list->columns > 0 ? 2 : 1, shape, list->data, &tensor));
    return sk_attribute_tensor(s, list->name, tensor);
}

static wlk_status put_node(const forest *f, sk_name x, sk_name *y) {
    const sk_forest *spec = f->spec;
    const uint32_t targets = spec->targets;
    const forest_list lists[] = {
        {"roots", WLK_U32, spec->count, 0, f->roots},
        {"features", WLK_U16, f->nodes, 0, f->features16},
        {"features", WLK_U32, f->nodes, 0, f->features32},
        {"thresholds", WLK_F32, f->nodes, 0, f->thresholds32},
        {"thresholds", WLK_F64, f->nodes, 0, f->thresholds64},
        {"right", WLK_U32, f->nodes, 0, f->right},
        {"values", WLK_F64, f->leaves, targets, f->values},
        {"flags", WLK_U8, f->nodes, 0, f->flagged ? f->flags : NULL},
        {"sets", WLK_U32, f->set, SET_WORDS, f->set > 0 ? f->sets : NULL},
        {"base", WLK_F64, targets, 0, spec->base},
    };
    TRY(sk_node(f->s, "org.weighlock:TreeEnsemble", &x, 1, y, 1));
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) TRY(put_list(f->s, &lists[i]));
    return spec->average ? sk_attribute_text(f->s, "aggregate", "AVERAGE") : WLK_OK;
}

wlk_status sk_forest_node(sk *s, const sk_forest *spec, sk_name x, sk_name *y) {
    forest f = {.s = s, .spec = spec};
    uint32_t largest = 0;
    TRY(count_nodes(&f, &largest));
    TRY(take_lists(&f, largest));
    for (uint32_t i = 0; i < spec->count; i++) TRY(put_tree(&f, i));
    return put_node(&f, x, y);
}

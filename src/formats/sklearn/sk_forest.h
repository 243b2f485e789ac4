/* Trees of scikit-learn, and many of them as one operator: org.weighlock TreeEnsemble
 * (docs/operators.md). */
#ifndef WLK_FORMATS_SKLEARN_SK_FOREST_H
#define WLK_FORMATS_SKLEARN_SK_FOREST_H

#include "base/bytes.h"
#include "formats/sklearn/sk.h"

/* ---- one tree (sk_tree_read.c) */

/* A number of each node: where it lies in the record, and in what form. */
typedef struct tree_field {
    uint32_t offset;
    uint8_t size; /* 1, 4 or 8 bytes; 0: the record has no such field */
    bool is_signed;
    bool big; /* big-endian */
} tree_field;

#define TREE_UNUSED_FIELDS 8

/* A tree as its record holds it: sklearn.tree._tree.Tree, or TreePredictor of the histogram
 * boosting. Versions, word sizes and byte orders differ in where the fields lie. */
typedef struct sk_tree {
    const py_value *at;
    const uint8_t *nodes;
    uint32_t count; /* of nodes; 1 or more, odd */
    uint32_t node_bytes;
    uint32_t features; /* that it was trained with */
    tree_field left, right, feature, threshold;
    tree_field nan_left; /* does NaN go left? */
    tree_field samples;  /* rows of training in the node */
    /* Of Tree: what leaves give, `stride` f64 a node, and the fields of versions to come that
     * mean nothing as long as they are zero. */
    const uint8_t *values;
    bool values_big;
    uint32_t stride;
    uint32_t outputs;
    uint32_t classes; /* of the output that has most; 1: they are numbers */
    struct tree_span {
        uint32_t offset;
        uint32_t length;
    } unused[TREE_UNUSED_FIELDS];
    uint32_t unused_count;
    /* Of TreePredictor. */
    tree_field is_leaf, is_set, set, value;
    const uint8_t *sets; /* 8 u32 each: which categories go left */
    bool sets_big;
    uint32_t set_count;
    const uint32_t (*known)[8]; /* of each feature: the categories of training */
} sk_tree;

/* What a Tree is made of, without looking at its nodes: layout, shapes, counts. */
wlk_status sk_tree_read(sk *s, const py_value *tree, uint64_t features, sk_tree *out);
/* The same of a TreePredictor. */
wlk_status sk_tree_read_histogram(sk *s, const py_value *predictor, uint64_t features,
                                  sk_tree *out);

/* Numbers of a node, which lies at `node`. Inline: a model has hundreds of thousands. */
static inline uint64_t sk_tree_bits(const tree_field *field, const uint8_t *node) {
    const uint8_t *at = node + field->offset;
    if (field->size == 1) return *at;
    if (field->size == 4) return field->big ? __builtin_bswap32(load_u32(at)) : load_u32(at);
    return field->big ? __builtin_bswap64(load_u64(at)) : load_u64(at);
}
static inline int64_t sk_tree_int(const tree_field *field, const uint8_t *node) {
    const uint64_t bits = sk_tree_bits(field, node);
    return field->size == 4 && field->is_signed ? (int64_t)(int32_t)bits : (int64_t)bits;
}
static inline double sk_tree_real(const tree_field *field, const uint8_t *node) {
    return f64_from_bits(sk_tree_bits(field, node));
}
/* Value i of the node's `stride`. */
static inline double sk_tree_value(const sk_tree *tree, uint32_t node, uint32_t i) {
    const uint8_t *at = tree->values + ((uint64_t)node * tree->stride + i) * sizeof(double);
    const uint64_t bits = load_u64(at);
    return f64_from_bits(tree->values_big ? __builtin_bswap64(bits) : bits);
}

/* ---- many trees (sk_forest.c) */

typedef struct tree_leaf {
    const sk_tree *tree;
    uint32_t node;
    uint32_t depth; /* of the root: 0 */
} tree_leaf;

/* What a leaf gives for each target. */
typedef void (*tree_give)(const tree_leaf *leaf, const void *how, double *out);

typedef struct sk_forest {
    const sk_tree *trees;
    uint32_t count;
    uint64_t columns; /* of X */
    /* Of each tree: which columns its features are; NULL: they are all of them. */
    const sk_indices *features;
    bool single; /* X is f32, and so are the thresholds: rounded down, which decides the same */
    uint32_t targets;
    tree_give give;
    const void *how;
    const double *base; /* of each target, or NULL */
    bool average;
} sk_forest;

/* The operator's node: y [batch, targets] of x [batch, columns]. Looks at every node: children
 * in range, each reached once, numbers finite. */
wlk_status sk_forest_node(sk *s, const sk_forest *forest, sk_name x, sk_name *y);

/* ---- what several families need (sk_tree_predict.c) */

/* The version of scikit-learn that wrote the estimator: 1.4.2 is 1004. */
wlk_status sk_version(sk *s, const py_value *estimator, uint32_t *version);

/* The trees of single estimators (DecisionTreeRegressor ...). */
wlk_status sk_trees_of(sk *s, py_value *const *estimators, uint32_t count, uint64_t features,
                       sk_tree **trees);

wlk_status sk_predict_tree_classes(sk *s, const py_value *estimator, const sk_table *in,
                                   sk_prediction *out);
wlk_status sk_predict_tree_values(sk *s, const py_value *estimator, const sk_table *in,
                                  sk_prediction *out);
wlk_status sk_predict_forest_classes(sk *s, const py_value *estimator, const sk_table *in,
                                     sk_prediction *out);
wlk_status sk_predict_forest_values(sk *s, const py_value *estimator, const sk_table *in,
                                    sk_prediction *out);
/* sk_boost.c, sk_boost_histogram.c */

/* The loss that boosting was fitted with, whatever its option says now; NULL if it is not there. */
const py_value *sk_fitted_loss(const py_value *estimator);
wlk_status sk_predict_boosted_classes(sk *s, const py_value *estimator, const sk_table *in,
                                      sk_prediction *out);
wlk_status sk_predict_boosted_values(sk *s, const py_value *estimator, const sk_table *in,
                                     sk_prediction *out);
wlk_status sk_predict_histogram_classes(sk *s, const py_value *estimator, const sk_table *in,
                                        sk_prediction *out);
wlk_status sk_predict_histogram_values(sk *s, const py_value *estimator, const sk_table *in,
                                       sk_prediction *out);

#endif

/* Ensembles of decision trees (ai.onnx.ml): as a node's attributes give them, and
 * packed for evaluation.
 *
 * The attributes are read into an ensemble_source (ensemble_lists.c, ensemble_roots.c);
 * it is surveyed once (ensemble_survey.c): every node is reached exactly once from a
 * root, so that there is no cycle, nothing shared and nothing left over. Then it is
 * packed (ensemble_pack.c), and evaluation (ensemble_walk.c) needs no check at all but
 * that the rows have as many columns as the ensemble reads. */
#ifndef WLK_INFER_ENSEMBLE_H
#define WLK_INFER_ENSEMBLE_H

#include "infer/linear.h"
#include "infer/op.h"

/* ---- before packing */

typedef enum branch_mode {
    BRANCH_LEQ = 0, /* the numbers of TreeEnsemble's nodes_modes */
    BRANCH_LT = 1,
    BRANCH_GTE = 2,
    BRANCH_GT = 3,
    BRANCH_EQ = 4,
    BRANCH_NEQ = 5,
    BRANCH_MEMBER = 6,
    BRANCH_LEAF = 7
} branch_mode;

/* A list of real numbers of any float dtype. */
typedef struct real_list {
    wlk_dtype dtype;
    const void *data;
    uint32_t count;
} real_list;
double real_at(const real_list *list, uint32_t i);

/* What a branch leads to: the number of a node or, with the bit, of a leaf. */
typedef uint32_t tree_ref;
#define TREE_LEAF 0x80000000u
#define TREE_NODES_MAX 0x3fffffffu /* nodes, leaves, votes and slots of one ensemble */
#define TREE_FEATURE_MAX 0x7fffffff

typedef struct ensemble_source {
    uint32_t nodes;
    uint8_t *modes; /* branch_mode of each; a LEAF is reached as a leaf of its number */
    const int64_t *features;
    const int64_t *missing_true; /* 0 or 1 of each, or NULL */
    real_list thresholds;
    tree_ref *on_true;
    tree_ref *on_false;
    uint32_t trees;
    tree_ref *roots;
    uint32_t leaves; /* numbers that leaves may have */
    bool leaves_shared;
    /* Votes of leaf i: number votes[first_vote[i]] .. votes[first_vote[i + 1]); NULL: vote i. */
    const uint32_t *first_vote;
    const uint32_t *votes;
    uint32_t vote_count;
    const int64_t *vote_targets; /* in range */
    real_list vote_weights;
    real_list members;             /* of all sets */
    const uint32_t *member_ranges; /* of node i: from [2 * i] to [2 * i + 1]; NULL: no sets */
    uint32_t targets;
    bool is_double; /* of the input, or of a list: packed as wide */
} ensemble_source;

typedef struct ensemble_survey {
    uint64_t slots;        /* over all trees */
    uint64_t largest_tree; /* in slots */
    uint64_t steps;        /* the most that one row takes through all trees */
    uint64_t votes;        /* the same: votes of leaves */
    uint32_t *depths;      /* of each tree, in steps */
    uint32_t features;     /* columns that are read: the largest feature + 1 */
} ensemble_survey;

/* ---- packed */

/* A node, or what belongs to the leaf in the slot before it. A tree lies in pre-order:
 * where x[feature] <= threshold, the next slot follows, else the one `right` further on.
 * The slot of a leaf has the threshold NaN and `right` 0: from it no row moves on. */
typedef struct leaf_votes {
    uint32_t first;
    uint32_t count;
} leaf_votes;

typedef union narrow_slot {
    struct {
        float threshold;
        uint16_t feature;
        uint16_t right;
    };
    double weight;
    leaf_votes votes;
} narrow_slot;

typedef union wide_slot {
    struct {
        double threshold;
        uint32_t feature;
        uint32_t right;
    };
    double weight;
    leaf_votes votes;
} wide_slot;

typedef enum ensemble_aggregate {
    AGGREGATE_AVERAGE = 0, /* the numbers of TreeEnsemble's aggregate_function */
    AGGREGATE_SUM = 1,
    AGGREGATE_MIN = 2,
    AGGREGATE_MAX = 3
} ensemble_aggregate;

/* Where a row goes from a slot: one bit for x being NaN, at most, above the threshold;
 * set: to the next slot. */
#define SIDE_NAN 1u
#define SIDE_LEQ 2u
#define SIDE_GT 4u
/* The slot asks for a set: its threshold is the set's number, and what is in the set
 * counts as at most it. */
#define SIDE_SET 8u

typedef struct packed_tree {
    uint32_t root;  /* its slot */
    uint32_t depth; /* steps to the leaf that is farthest */
} packed_tree;

typedef struct ensemble {
    const narrow_slot *narrow; /* one of the two; narrow takes f32, wide f64 */
    const wide_slot *wide;
    const uint8_t *sides; /* of each slot */
    bool sides_for_nan;   /* they matter where a row holds NaN */
    bool sides_always;    /* they matter for any row */
    const uint32_t *sets; /* eight words each: bit v % 32 of word v / 32; NULL: no sets */
    uint32_t trees;
    const packed_tree *packed;
    uint32_t features;
    uint64_t steps;
    uint64_t votes;
    uint32_t targets;
    bool one_vote;                /* one target, and each leaf's slot holds its weight */
    bool dense;                   /* each leaf votes for every target, in order */
    const uint32_t *vote_targets; /* these two where not one_vote */
    const float *weights32;       /* one of these two */
    const double *weights64;
    ensemble_aggregate aggregate;
    score_transform transform;
    const double *base_values; /* targets of them, or one; NULL: none */
    uint32_t base_count;
    bool base_first; /* of each target: the sum begins with it; else it is added last */
    /* Of classifiers: */
    linear_labels labels;
    bool one_class; /* of two labels, votes are for one, `voted_class` */
    uint32_t voted_class;
    bool all_positive; /* no weight is below 0 */
} ensemble;

/* Reads the nodes_* and target_* or class_* attributes. `first` is the number of the
 * first such attribute in the row (ensemble_attribute). Lists lie in `temporary`. */
typedef enum ensemble_attribute {
    NODES_FALSE,
    NODES_FEATURES,
    NODES_HITRATES,
    NODES_MISSING,
    NODES_MODES,
    NODES_IDS,
    NODES_TREES,
    NODES_TRUE,
    NODES_VALUES,
    VOTE_IDS,
    VOTE_NODES,
    VOTE_TREES,
    VOTE_WEIGHTS,
    BASE_VALUES,
    POST_TRANSFORM,
    AGGREGATE_OR_INTS,  /* aggregate_function; of classifiers classlabels_int64s */
    TARGETS_OR_STRINGS, /* n_targets; of classifiers classlabels_strings */
    /* Since version 3: */
    NODES_HITRATES_TENSOR,
    NODES_VALUES_TENSOR,
    VOTE_WEIGHTS_TENSOR,
    BASE_VALUES_TENSOR,
    ENSEMBLE_ATTRIBUTES
} ensemble_attribute;
wlk_status ensemble_read_lists(const op_call *call, plan_memory *temporary, uint32_t targets,
                               ensemble_source *source);

/* The attributes of TreeEnsemble. */
typedef enum roots_attribute {
    ROOTS_AGGREGATE,
    ROOTS_LEAF_TARGETS,
    ROOTS_LEAF_WEIGHTS,
    ROOTS_MEMBERS,
    ROOTS_TARGETS,
    ROOTS_FALSE_LEAFS,
    ROOTS_FALSE,
    ROOTS_FEATURES,
    ROOTS_HITRATES,
    ROOTS_MISSING,
    ROOTS_MODES,
    ROOTS_SPLITS,
    ROOTS_TRUE_LEAFS,
    ROOTS_TRUE,
    ROOTS_TRANSFORM,
    ROOTS_ROOTS,
    ROOTS_ATTRIBUTES
} roots_attribute;
wlk_status ensemble_read_roots(const op_call *call, plan_memory *temporary, uint32_t targets,
                               ensemble_source *source);

/* A list of floats, attribute `list`, or the tensor of attribute `tensor` in its place;
 * at most one of them. What is in neither is empty. */
wlk_status ensemble_reals(const op_call *call, uint32_t list, uint32_t tensor, real_list *out);

/* Is the list of `count` values absent, or as long as `nodes`? */
wlk_status ensemble_length(const op_call *call, const char *name, uint32_t count, uint32_t needed);

/* Features in range, missing_true 0 or 1, targets in range. */
wlk_status ensemble_check_values(const op_call *call, const ensemble_source *source);

/* Is every node reached exactly once, and every leaf? plan.attribute-value if not. */
wlk_status ensemble_survey_trees(const op_call *call, plan_memory *temporary,
                                 const ensemble_source *source, ensemble_survey *survey);

/* Slots that a node takes, and steps through it. */
uint32_t ensemble_node_slots(const ensemble_source *source, uint32_t node);

/* Packs what has been surveyed. Fills in what evaluation needs, up to dense. */
wlk_status ensemble_pack(const op_call *call, plan_memory *memory, plan_memory *temporary,
                         const ensemble_source *source, const ensemble_survey *survey,
                         ensemble *out);

/* ---- evaluation */

/* Scores of rows: one double for each row and target, the aggregate of the votes but for
 * AVERAGE's division. voted (1 where there was a vote) is needed where
 * ensemble_needs_voted says so; else NULL. Both are set here. The sum of a row is taken in
 * the order of the trees, whatever `count` is. x: float of narrow, double of wide. */
typedef struct ensemble_block {
    const void *x;
    uint64_t columns;
    uint64_t rows;
    double *scores;
    uint8_t *voted;
} ensemble_block;
void ensemble_walk(const ensemble *e, const ensemble_block *block);
bool ensemble_needs_voted(const ensemble *e);

/* Makes of a row's scores what the operator gives: `row` is changed in place, and for
 * classifiers the number of its label returned (labels.count: none of them). */
void ensemble_regress(const ensemble *e, double *row);
uint64_t ensemble_classify(const ensemble *e, double *row, const uint8_t *voted);

#endif

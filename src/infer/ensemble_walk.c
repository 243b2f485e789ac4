/* Rows through trees. A step has no branch that depends on the data, and LANES walks go
 * in step, so that the loads of one hide behind the others': of many rows through one
 * tree, or of one row through many trees. Gathers of AVX2 and AVX-512 were measured and
 * are slower than these loads. */
#include <string.h>

#include "infer/ensemble.h"

#define LANES 16

typedef struct narrow_lanes {
    uint32_t at[LANES];
    const float *x[LANES];
} narrow_lanes;

typedef struct wide_lanes {
    uint32_t at[LANES];
    const double *x[LANES];
} wide_lanes;

/* Compilers that know a bit to be a comparison make a branch of it, which is mispredicted
 * every other time. The empty statement keeps them from knowing. */
static inline uint32_t unknown_bit(uint32_t bit) {
    __asm__("" : "+r"(bit));
    return bit;
}

/* `right` on, or one if `next`. */
static inline uint32_t step_of(uint32_t right, uint32_t next) {
    return right ^ ((right ^ 1) & (0u - unknown_bit(next)));
}

/* All lanes at once, in registers as far as they reach. */
#define EACH_LANE(DO) \
    DO(0)             \
    DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11) DO(12) DO(13) DO(14) DO(15)

#define LANE_BEGIN(l) uint32_t at##l = lanes->at[l];
#define LANE_END(l) lanes->at[l] = at##l;
#define LANE_GO(l, next)                                                     \
    {                                                                        \
        const uint32_t step = step_of(slots[at##l].right, (uint32_t)(next)); \
        moved |= step;                                                       \
        at##l += step;                                                       \
    }

/* A step of lane l: each in its own row; all in the same row; where sides matter. */
#define STEP_ROWS(l) LANE_GO(l, lanes->x[l][slots[at##l].feature] <= slots[at##l].threshold)
#define STEP_TREES(l) LANE_GO(l, row[slots[at##l].feature] <= slots[at##l].threshold)
#define STEP_SIDED(l)                                                           \
    LANE_GO(l, side_of(sides[at##l], (double)lanes->x[l][slots[at##l].feature], \
                       (double)slots[at##l].threshold))
#define STEP_SETS(l)                                                                  \
    LANE_GO(l, side_in(sets, sides[at##l], (double)lanes->x[l][slots[at##l].feature], \
                       (double)slots[at##l].threshold))

static inline uint32_t side_of(uint32_t sides, double x, double threshold) {
    const uint32_t leq = x <= threshold;
    return sides >> (x != x ? 0 : 2 - leq) & 1;
}

/* At most `depth` steps, fewer if all lanes are at a leaf before. */
#define WALK_STEPS(DO)                              \
    EACH_LANE(LANE_BEGIN)                           \
    uint32_t moved = 1;                             \
    for (uint32_t i = 0; i < depth && moved; i++) { \
        moved = 0;                                  \
        EACH_LANE(DO)                               \
    }                                               \
    EACH_LANE(LANE_END)

/* A set node's threshold is the number of its set. */
static inline uint32_t side_in(const uint32_t *sets, uint32_t sides, double x, double threshold) {
    const uint32_t is_set = unknown_bit(sides / SIDE_SET & 1);
    const uint32_t in_range = (x >= 0) & (x < 256);
    const uint32_t value = in_range ? (uint32_t)x : 0;
    const uint32_t *set = sets + 8 * (size_t)(is_set ? (uint32_t)threshold : 0);
    const uint32_t member = set[value / 32] >> value % 32 & in_range;
    const uint32_t leq = is_set ? member : x <= threshold;
    return sides >> (x != x ? 0 : 2 - leq) & 1;
}

#define WALK(kind, type)                                                                           \
    static void walk_rows_##kind(const kind##_slot *slots, uint32_t depth, kind##_lanes *lanes) {  \
        WALK_STEPS(STEP_ROWS)                                                                      \
    }                                                                                              \
    static void walk_trees_##kind(const kind##_slot *slots, uint32_t depth, kind##_lanes *lanes) { \
        const type *row = lanes->x[0];                                                             \
        WALK_STEPS(STEP_TREES)                                                                     \
    }                                                                                              \
    static void walk_sided_##kind(const kind##_slot *slots, const uint8_t *sides, uint32_t depth,  \
                                  kind##_lanes *lanes) {                                           \
        WALK_STEPS(STEP_SIDED)                                                                     \
    }                                                                                              \
    static void walk_sets_##kind(const ensemble *e, uint32_t depth, kind##_lanes *lanes) {         \
        const kind##_slot *slots = e->kind;                                                        \
        const uint8_t *sides = e->sides;                                                           \
        const uint32_t *sets = e->sets;                                                            \
        WALK_STEPS(STEP_SETS)                                                                      \
    }                                                                                              \
    static void walk_some_##kind(const ensemble *e, uint32_t depth, kind##_lanes *lanes) {         \
        if (e->sets) {                                                                             \
            walk_sets_##kind(e, depth, lanes);                                                     \
        } else {                                                                                   \
            walk_sided_##kind(e->kind, e->sides, depth, lanes);                                    \
        }                                                                                          \
    }
WALK(narrow, float)
WALK(wide, double)

/* ---- votes */

static void add_vote(const ensemble *e, double *scores, uint8_t *voted, uint32_t target,
                     double weight) {
    double *score = &scores[target];
    const bool first = !voted[target];
    switch (e->aggregate) {
        case AGGREGATE_AVERAGE:
        case AGGREGATE_SUM:
            *score += weight;
            break;
        case AGGREGATE_MIN:
            *score = first || weight < *score ? weight : *score;
            break;
        case AGGREGATE_MAX:
            *score = first || weight > *score ? weight : *score;
            break;
    }
    voted[target] = 1;
}

static double weight_of(const ensemble *e, uint32_t vote) {
    return e->weights32 ? (double)e->weights32[vote] : e->weights64[vote];
}

/* The leaf's votes, where no shortcut serves. */
static void add_votes(const ensemble *e, double *scores, uint8_t *voted, leaf_votes votes) {
    for (uint32_t i = votes.first; i < votes.first + votes.count; i++) {
        add_vote(e, scores, voted, e->vote_targets[i], weight_of(e, i));
    }
}

static void add_dense(const ensemble *e, double *scores, uint32_t first) {
    if (e->weights32) {
        const float *weights = &e->weights32[first];
        for (uint32_t i = 0; i < e->targets; i++) scores[i] += (double)weights[i];
    } else {
        const double *weights = &e->weights64[first];
        for (uint32_t i = 0; i < e->targets; i++) scores[i] += weights[i];
    }
}

static bool is_sum(const ensemble *e) {
    return e->aggregate == AGGREGATE_SUM || e->aggregate == AGGREGATE_AVERAGE;
}

bool ensemble_needs_voted(const ensemble *e) {
    return !is_sum(e) || !(e->one_vote || e->dense);
}

static double weight_at(const ensemble *e, uint32_t at) {
    return e->narrow ? e->narrow[at + 1].weight : e->wide[at + 1].weight;
}

/* The votes of the leaf whose slot is `at`, where no shortcut serves. */
static void count_leaf(const ensemble *e, const ensemble_block *b, uint64_t row, uint32_t at) {
    double *scores = &b->scores[row * e->targets];
    uint8_t *voted = b->voted ? &b->voted[row * e->targets] : NULL;
    const leaf_votes votes = e->narrow ? e->narrow[at + 1].votes : e->wide[at + 1].votes;
    if (voted && e->one_vote) {
        add_vote(e, scores, voted, 0, weight_at(e, at));
    } else if (voted) {
        add_votes(e, scores, voted, votes);
    } else {
        add_dense(e, scores, votes.first);
    }
}

/* The leaves of LANES rows, lane l of row `row` + l; and those that one row has come to in
 * `trees` trees. Both add in the order of the trees. */
static void count_rows(const ensemble *e, const ensemble_block *b, uint64_t row,
                       const uint32_t *at) {
    if (b->voted || !e->one_vote) {
        for (uint32_t l = 0; l < LANES; l++) count_leaf(e, b, row + l, at[l]);
        return;
    }
    for (uint32_t l = 0; l < LANES; l++) b->scores[row + l] += weight_at(e, at[l]);
}

static void count_trees(const ensemble *e, const ensemble_block *b, uint64_t row, uint32_t trees,
                        const uint32_t *at) {
    if (b->voted || !e->one_vote) {
        for (uint32_t l = 0; l < trees; l++) count_leaf(e, b, row, at[l]);
        return;
    }
    double sum = b->scores[row];
    for (uint32_t l = 0; l < trees; l++) sum += weight_at(e, at[l]);
    b->scores[row] = sum;
}

/* ---- rows */

#define HAS_NAN(name, type)                                     \
    static bool has_nan_##name(const type *x, uint64_t n) {     \
        bool found = false;                                     \
        for (uint64_t i = 0; i < n; i++) found |= x[i] != x[i]; \
        return found;                                           \
    }
HAS_NAN(narrow, float)
HAS_NAN(wide, double)

/* LANES rows at a time through every tree; of fewer rows than that, one after the other
 * through LANES trees at a time. Lanes that are left over repeat the last. */
#define WALK_ALL(kind, type)                                                                       \
    static void tree_##kind(const ensemble *e, const ensemble_block *b, bool sided,                \
                            const packed_tree *tree) {                                             \
        kind##_lanes lanes;                                                                        \
        for (uint64_t row = 0; row + LANES <= b->rows; row += LANES) {                             \
            for (uint32_t l = 0; l < LANES; l++) {                                                 \
                lanes.at[l] = tree->root;                                                          \
                lanes.x[l] = (const type *)b->x + (row + l) * b->columns;                          \
            }                                                                                      \
            if (sided) walk_some_##kind(e, tree->depth, &lanes);                                   \
            if (!sided) walk_rows_##kind(e->kind, tree->depth, &lanes);                            \
            count_rows(e, b, row, lanes.at);                                                       \
        }                                                                                          \
    }                                                                                              \
    static void row_##kind(const ensemble *e, const ensemble_block *b, bool sided, uint64_t row) { \
        kind##_lanes lanes;                                                                        \
        for (uint32_t tree = 0; tree < e->trees; tree += LANES) {                                  \
            const uint32_t left = e->trees - tree < LANES ? e->trees - tree : LANES;               \
            uint32_t depth = 0;                                                                    \
            for (uint32_t l = 0; l < LANES; l++) {                                                 \
                const packed_tree *at = &e->packed[tree + (l < left ? l : left - 1)];              \
                if (at->depth > depth) depth = at->depth;                                          \
                lanes.at[l] = at->root;                                                            \
                lanes.x[l] = (const type *)b->x + row * b->columns;                                \
            }                                                                                      \
            if (sided) walk_some_##kind(e, depth, &lanes);                                         \
            if (!sided) walk_trees_##kind(e->kind, depth, &lanes);                                 \
            count_trees(e, b, row, left, lanes.at);                                                \
        }                                                                                          \
    }                                                                                              \
    static void rows_##kind(const ensemble *e, const ensemble_block *b) {                          \
        const bool sided =                                                                         \
            e->sides_always || (e->sides_for_nan && has_nan_##kind(b->x, b->rows * b->columns));   \
        const uint64_t together = b->rows / LANES * LANES;                                         \
        for (uint32_t i = 0; together > 0 && i < e->trees; i++) {                                  \
            tree_##kind(e, b, sided, &e->packed[i]);                                               \
        }                                                                                          \
        for (uint64_t row = together; row < b->rows; row++) row_##kind(e, b, sided, row);          \
    }
WALK_ALL(narrow, float)
WALK_ALL(wide, double)

/* Rows without columns: every tree is a leaf, whose slot still reads x[0]. */
static const double nothing[1] = {0};

static void begin_scores(const ensemble *e, const ensemble_block *b) {
    if (!e->base_first) {
        memset(b->scores, 0, b->rows * e->targets * sizeof *b->scores);
        return;
    }
    for (uint64_t row = 0; row < b->rows; row++) {
        memcpy(b->scores + row * e->targets, e->base_values, e->targets * sizeof *b->scores);
    }
}

void ensemble_walk(const ensemble *e, const ensemble_block *block) {
    ensemble_block b = *block;
    if (b.columns == 0) b.x = nothing;
    begin_scores(e, &b);
    if (b.voted) memset(b.voted, 0, b.rows * e->targets);
    if (e->narrow) {
        rows_narrow(e, &b);
    } else {
        rows_wide(e, &b);
    }
}

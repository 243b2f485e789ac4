/* org.weighlock.TreeEnsemble: random forests against a plain walk, forests with something
 * changed at random (invariant 11), and a table of what is refused. */
#include <math.h>

#include "infer/model_kit.h"

#define NODES_MAX 400
#define TREES_MAX 40
#define TARGETS_MAX 3
#define COLUMNS 5

typedef struct forest {
    wlk_dtype dtype; /* of X and thresholds */
    wlk_dtype feature_dtype;
    bool has_flags;
    bool has_sets;
    bool has_base;
    bool average;
    uint32_t trees, nodes, leaves, sets, targets;
    uint32_t roots[TREES_MAX];
    uint32_t features[NODES_MAX], right[NODES_MAX];
    double thresholds[NODES_MAX]; /* exact as f32 */
    uint8_t flags[NODES_MAX];
    uint32_t words[NODES_MAX][8];
    double values[NODES_MAX * TARGETS_MAX];
    double base[TARGETS_MAX];
} forest;

static uint64_t seed = 88172645463325252u;
static uint64_t random_below(uint64_t n) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (seed >> 11) % n;
}

/* ---- forests */

static void add_leaf(forest *f) {
    f->right[f->nodes] = 0;
    f->features[f->nodes] = 0;
    f->thresholds[f->nodes] = 0;
    f->flags[f->nodes++] = 0;
    for (uint32_t t = 0; t < f->targets; t++) {
        f->values[f->leaves * f->targets + t] = (double)random_below(65) / 16 - 2;
    }
    f->leaves++;
}

static void add_branch(forest *f) {
    const uint32_t node = f->nodes++;
    f->features[node] = (uint32_t)random_below(COLUMNS);
    f->thresholds[node] = random_below(20) ? (double)random_below(17) / 2 - 4 : (double)INFINITY;
    f->flags[node] = f->has_flags ? (uint8_t)random_below(2) : 0;
    if (!f->has_sets || random_below(2)) return;
    f->flags[node] |= 2;
    f->thresholds[node] = 0;
    for (uint32_t w = 0; w < 8; w++) f->words[f->sets][w] = (uint32_t)random_below(UINT32_MAX);
    f->sets++;
}

static void add_subtree(forest *f, uint32_t depth) {
    const uint32_t node = f->nodes;
    if (depth == 0 || random_below(5) == 0) {
        add_leaf(f);
        return;
    }
    add_branch(f);
    add_subtree(f, depth - 1);
    f->right[node] = f->nodes - node;
    add_subtree(f, depth - 1);
}

static void make(forest *f) {
    memset(f, 0, sizeof *f);
    f->dtype = random_below(2) ? WLK_F32 : WLK_F64;
    f->feature_dtype = random_below(2) ? WLK_U16 : WLK_U32;
    f->has_sets = random_below(3) == 0;
    f->has_flags = f->has_sets || random_below(2);
    f->has_base = random_below(2);
    f->average = random_below(2);
    f->targets = random_below(2) ? 1 : 3;
    f->trees = 1 + (uint32_t)random_below(random_below(4) ? 3 : TREES_MAX);
    for (uint32_t t = 0; t < f->trees; t++) {
        f->roots[t] = f->nodes;
        add_subtree(f, f->nodes < 100 ? (uint32_t)random_below(6) : 2);
    }
    for (uint32_t t = 0; t < f->targets; t++) f->base[t] = ((double)random_below(9) - 4) / 7;
}

/* ---- the plain walk */

/* The node behind the subtree at `node`; 0 if it is none. */
static uint32_t subtree_end(const forest *f, uint32_t node, uint32_t end) {
    if (node >= end) return 0;
    if (f->right[node] == 0) return node + 1;
    const uint32_t middle = subtree_end(f, node + 1, end);
    if (middle == 0 || middle - node != f->right[node]) return 0;
    return subtree_end(f, middle, end);
}

static bool is_well(const forest *f) {
    uint32_t leaves = 0;
    uint32_t sets = 0;
    if (f->roots[0] != 0) return false;
    for (uint32_t t = 0; t < f->trees; t++) {
        const uint32_t end = t + 1 < f->trees ? f->roots[t + 1] : f->nodes;
        if (end > f->nodes || subtree_end(f, f->roots[t], end) != end) return false;
    }
    for (uint32_t i = 0; i < f->nodes; i++) {
        leaves += f->right[i] == 0;
        if (f->nodes > f->leaves && f->features[i] >= COLUMNS) return false;
        if (f->features[i] > INT32_MAX) return false;
        if (isnan(f->thresholds[i])) return false;
        if (!f->has_flags) continue;
        sets += f->flags[i] >> 1 & 1;
        if (f->flags[i] > 3 || (f->flags[i] && !f->right[i])) return false;
    }
    return leaves == f->leaves && sets == f->sets;
}

static bool goes_left(const forest *f, uint32_t node, uint32_t set, double x) {
    const uint32_t flags = f->has_flags ? f->flags[node] : 0;
    if (isnan(x)) return flags & 1;
    if (!(flags & 2)) return x <= f->thresholds[node];
    if (x < 0 || x >= 256) return false;
    const uint32_t value = (uint32_t)x;
    return f->words[set][value / 32] >> value % 32 & 1;
}

static void count_before(const forest *f, uint32_t node, uint32_t *leaf, uint32_t *set) {
    *leaf = *set = 0;
    for (uint32_t i = 0; i < node; i++) {
        *leaf += f->right[i] == 0;
        *set += f->flags[i] >> 1 & 1;
    }
}

static void walk(const forest *f, const double *row, double *y) {
    for (uint32_t i = 0; i < f->targets; i++) y[i] = f->has_base && !f->average ? f->base[i] : 0;
    for (uint32_t t = 0; t < f->trees; t++) {
        uint32_t at = f->roots[t];
        uint32_t leaf = 0;
        uint32_t set = 0;
        for (; f->right[at] != 0; count_before(f, at, &leaf, &set)) {
            count_before(f, at, &leaf, &set);
            at += goes_left(f, at, set, row[f->features[at]]) ? 1 : f->right[at];
        }
        count_before(f, at, &leaf, &set);
        for (uint32_t i = 0; i < f->targets; i++) y[i] += f->values[leaf * f->targets + i];
    }
    for (uint32_t i = 0; i < f->targets; i++) {
        if (f->average) y[i] /= f->trees;
        if (f->average && f->has_base) y[i] += f->base[i];
    }
}

/* ---- models of them */

/* A tensor with a name that no other has. */
static uint64_t keep(model_kit *k, wlk_dtype dtype, uint32_t rank, const uint64_t *shape,
                     const void *data) {
    static uint32_t number;
    char name[16];
    (void)snprintf(name, sizeof name, "t%u", number++);
    const wlk_tensor tensor = kit_array(name, dtype, rank, shape, data);
    return kit_tensor(k, &tensor);
}

static uint64_t keep_features(model_kit *k, const forest *f) {
    static uint16_t narrow[NODES_MAX];
    const uint64_t count = f->nodes;
    for (uint32_t i = 0; i < f->nodes; i++) narrow[i] = (uint16_t)f->features[i];
    if (f->feature_dtype == WLK_U32) return keep(k, WLK_U32, 1, &count, f->features);
    return keep(k, WLK_U16, 1, &count, narrow);
}

static uint64_t keep_thresholds(model_kit *k, const forest *f) {
    static float narrow[NODES_MAX];
    const uint64_t count = f->nodes;
    for (uint32_t i = 0; i < f->nodes; i++) narrow[i] = (float)f->thresholds[i];
    if (f->dtype == WLK_F64) return keep(k, WLK_F64, 1, &count, f->thresholds);
    return keep(k, WLK_F32, 1, &count, narrow);
}

static void begin(model_kit *k, wlk_dtype dtype, int64_t columns) {
    const int64_t dims[2] = {WLK_UNKNOWN_DIM, columns};
    kit_graph(k);
    kit_input(k, "x", kit_type(k, dtype, true, 2, dims));
    kit_output(k, "y", IMAGE_NONE);
    kit_node(k, "org.weighlock", "TreeEnsemble", KIT_NAMES("x"), 1, KIT_NAMES("y"), 1);
}

static wlk_model *model_of(const forest *f) {
    static const char *const names[] = {"roots",  "right", "features", "thresholds",
                                        "values", "flags", "sets",     "base"};
    const uint64_t trees = f->trees, nodes = f->nodes, targets = f->targets;
    const uint64_t values[2] = {f->leaves, f->targets}, sets[2] = {f->sets, 8};
    const char *average = "AVERAGE";
    model_kit k;
    kit_open(&k);
    kit_opset(&k, "org.weighlock", 1);
    const uint64_t tensors[] = {keep(&k, WLK_U32, 1, &trees, f->roots),
                                keep(&k, WLK_U32, 1, &nodes, f->right),
                                keep_features(&k, f),
                                keep_thresholds(&k, f),
                                keep(&k, WLK_F64, 2, values, f->values),
                                keep(&k, WLK_U8, 1, &nodes, f->flags),
                                keep(&k, WLK_U32, 2, sets, f->words),
                                keep(&k, WLK_F64, 1, &targets, f->base)};
    const bool given[] = {true, true, true, true, true, f->has_flags, f->sets > 0, f->has_base};
    begin(&k, f->dtype, COLUMNS);
    for (uint32_t i = 0; i < 8; i++) {
        if (given[i]) kit_attribute(&k, names[i], WLK_ATTR_TENSOR, &tensors[i], 1);
    }
    if (f->average) kit_texts(&k, "aggregate", WLK_ATTR_STRING, &average, 1);
    return kit_close(&k);
}

/* ---- running */

#define ROWS 37 /* some go together, some alone */

static double random_cell(void) {
    static const double odd[] = {-0.5, -1, 255.5, 256, 1e30, -1e30, -0.0};
    switch (random_below(8)) {
        case 0:
            return (double)NAN;
        case 1:
            return odd[random_below(7)];
        case 2:
            return (double)random_below(256);
        default:
            return (double)random_below(17) / 2 - 4;
    }
}

static void check_run(const forest *f, const wlk_plan *plan) {
    double rows[ROWS * COLUMNS];
    float narrow[ROWS * COLUMNS];
    const uint64_t shape[2] = {ROWS, COLUMNS};
    wlk_error error = {.status = WLK_OK};
    wlk_result *result = NULL;
    for (uint32_t i = 0; i < ROWS * COLUMNS; i++) {
        narrow[i] = (float)random_cell();
        rows[i] = (double)narrow[i];
    }
    const void *data = f->dtype == WLK_F32 ? (const void *)narrow : rows;
    const wlk_tensor x = kit_array("x", f->dtype, 2, shape, data);
    assert_int_equal(wlk_run(plan, &x, 1, &result, &error), WLK_OK);
    const wlk_tensor got = wlk_result_tensor(result, 0);
    assert_int_equal(got.dtype, WLK_F64);
    assert_int_equal(got.count, ROWS * f->targets);
    for (uint32_t i = 0; i < ROWS; i++) {
        double y[TARGETS_MAX];
        walk(f, rows + i * COLUMNS, y);
        assert_memory_equal((const double *)got.data + i * f->targets, y, f->targets * 8);
    }
    wlk_result_free(result);
}

/* Every sum is exact, so only the right leaves give it. */
static bool check(const forest *f) {
    wlk_error error = {.status = WLK_OK};
    wlk_plan *plan = NULL;
    wlk_model *model = model_of(f);
    const wlk_status status = wlk_plan_create(model, NULL, &plan, &error);
    const bool well = is_well(f);
    if (well) assert_rule(&error, status, "ok");
    if (!well && status == WLK_OK) fail_msg("a broken ensemble was accepted");
    if (!well && strcmp(wlk_rule_name(error.rule), "plan.shape") != 0) {
        assert_rule(&error, status, "plan.attribute-value");
    }
    if (well) check_run(f, plan);
    wlk_plan_free(plan);
    wlk_model_free(model);
    return well;
}

static void test_against_a_plain_walk(void **state) {
    (void)state;
    static forest f;
    for (uint32_t round = 0; round < 1500; round++) {
        make(&f);
        assert_true(check(&f));
    }
}

static void change(forest *f) {
    uint32_t *const lists[] = {f->right, f->right, f->features, f->roots};
    const uint32_t which = (uint32_t)random_below(8);
    const uint32_t at = (uint32_t)random_below(which == 3 ? f->trees : f->nodes);
    if (which < 4 && random_below(2)) lists[which][at] ^= 1u << random_below(32);
    if (which < 4) lists[which][at] = (uint32_t)random_below(f->nodes + 2);
    if (which == 4) f->thresholds[at] = random_below(4) ? 1 : (double)NAN;
    if (which == 5) f->flags[at] ^= (uint8_t)(1u << random_below(8));
    if (which == 6 && f->leaves > 1) f->leaves -= (uint32_t)random_below(2);
    if (which == 7) f->right[at] += 2 * (uint32_t)random_below(3);
}

/* Invariant 11: what is accepted runs as a plain walk of it does, all else is refused. */
static void test_changed_at_random(void **state) {
    (void)state;
    static forest f;
    uint32_t outcomes[2] = {0};
    for (uint32_t round = 0; round < 4000; round++) {
        make(&f);
        for (uint64_t i = 1 + random_below(2); i > 0; i--) change(&f);
        if (f.feature_dtype == WLK_U16) {
            for (uint32_t i = 0; i < f.nodes; i++) f.features[i] &= UINT16_MAX;
        }
        outcomes[check(&f)]++;
    }
    assert_true(outcomes[0] > 1000 && outcomes[1] > 500);
}

/* ---- what is refused */

/* A stump; each row puts other tensors in the place of its own. */
typedef struct refusal {
    const char *attribute;
    wlk_dtype dtype;
    uint32_t rank;
    uint64_t shape[2];
    const void *data;
    const char *says;
} refusal;

#define U32S(...) ((const uint32_t[]){__VA_ARGS__})
#define F64S(...) ((const double[]){__VA_ARGS__})
#define U8S(...) ((const uint8_t[]){__VA_ARGS__})
static const uint32_t zeros[32];

static const refusal stump[] = {
    {"roots", WLK_U32, 1, {1}, U32S(0), NULL},
    {"right", WLK_U32, 1, {3}, U32S(2, 0, 0), NULL},
    {"features", WLK_U32, 1, {3}, U32S(1, 0, 0), NULL},
    {"thresholds", WLK_F64, 1, {3}, F64S(0.5, 0, 0), NULL},
    {"values", WLK_F64, 2, {2, 1}, F64S(1, 2), NULL},
};

static const refusal refusals[] = {
    {"roots", WLK_I32, 1, {1}, U32S(0), "roots is of another dtype"},
    {"roots", WLK_U32, 2, {1, 1}, U32S(0), "roots has another rank"},
    {"roots", WLK_U32, 1, {0}, U32S(0), "no trees"},
    {"roots", WLK_U32, 1, {1}, U32S(1), "roots does not begin with 0"},
    {"roots", WLK_U32, 1, {2}, U32S(0, 0), "roots does not ascend"},
    {"roots", WLK_U32, 1, {2}, U32S(0, 3), "roots does not ascend"},
    {"roots", WLK_U32, 1, {2}, U32S(0, 4), "roots does not ascend"},
    {"roots", WLK_U32, 1, {2}, U32S(0, UINT32_MAX), "roots does not ascend"},
    {"roots", WLK_U32, 1, {2}, U32S(0, 2), "no tree in pre-order"},
    {"right", WLK_U16, 1, {3}, U32S(2, 0, 0), "right is of another dtype"},
    {"right", WLK_U32, 1, {0}, U32S(0), "no trees"},
    {"right", WLK_U32, 1, {4}, U32S(2, 0, 0, 0), "features is not as long as right"},
    {"right", WLK_U32, 1, {3}, U32S(1, 0, 0), "no tree in pre-order"},
    {"right", WLK_U32, 1, {3}, U32S(3, 0, 0), "no tree in pre-order"},
    {"right", WLK_U32, 1, {3}, U32S(UINT32_MAX, 0, 0), "no tree in pre-order"},
    {"right", WLK_U32, 1, {3}, U32S(2, 0, 2), "as many rows as there are leaves"},
    {"right", WLK_U32, 1, {3}, U32S(0, 2, 0), "no tree in pre-order"},
    {"right", WLK_U32, 1, {3}, U32S(0, 0, 2), "no tree in pre-order"},
    {"right", WLK_U32, 1, {3}, U32S(2, 2, 2), "as many rows as there are leaves"},
    {"right", WLK_U32, 1, {3}, U32S(0, 0, 0), "as many rows as there are leaves"},
    {"features", WLK_I64, 1, {1}, U32S(1, 0), "features is of another dtype"},
    {"features", WLK_U32, 1, {2}, U32S(1, 0), "features is not as long as right"},
    {"features", WLK_U32, 1, {3}, U32S(1u << 31, 0, 0), "features is out of range"},
    {"features", WLK_U32, 1, {3}, U32S(2, 0, 0), "the trees read 3 columns, input 0 has 2"},
    {"thresholds", WLK_F32, 1, {3}, zeros, "thresholds is of another dtype"},
    {"thresholds", WLK_F64, 1, {2}, zeros, "thresholds is not as long as right"},
    {"thresholds", WLK_F64, 1, {3}, F64S((double)NAN, 0, 0), "thresholds holds NaN"},
    {"values", WLK_F32, 2, {2, 1}, zeros, "values is of another dtype"},
    {"values", WLK_F64, 1, {2}, zeros, "values has another rank"},
    {"values", WLK_F64, 2, {2, 0}, zeros, "values has no values"},
    {"values", WLK_F64, 2, {0, 2}, zeros, "values has no values"},
    {"values", WLK_F64, 2, {3, 1}, zeros, "as many rows as there are leaves"},
    {"values", WLK_F64, 2, {1, 2}, zeros, "as many rows as there are leaves"},
    {"base", WLK_F64, 1, {2}, zeros, "base is not as long as targets"},
    {"base", WLK_F32, 1, {1}, zeros, "base is of another dtype"},
    {"flags", WLK_U8, 1, {2}, zeros, "flags is not as long as right"},
    {"flags", WLK_U8, 1, {3}, U8S(4, 0, 0), "flags has a flag that there is not"},
    {"flags", WLK_U8, 1, {3}, U8S(0, 1, 0), "flags has a flag that there is not"},
    {"flags", WLK_U8, 1, {3}, U8S(2, 0, 0), "not as many sets as nodes"},
    {"sets", WLK_U32, 2, {1, 8}, zeros, "not as many sets as nodes"},
    {"sets", WLK_U32, 2, {1, 7}, zeros, "sets has another shape"},
    {"sets", WLK_U32, 1, {8}, zeros, "sets has another rank"},
};

static wlk_model *changed_stump(const refusal *r) {
    uint64_t tensors[5];
    model_kit k;
    kit_open(&k);
    kit_opset(&k, "org.weighlock", 1);
    for (uint32_t i = 0; i < 5; i++) {
        const refusal *from = strcmp(stump[i].attribute, r->attribute) == 0 ? r : &stump[i];
        tensors[i] = keep(&k, from->dtype, from->rank, from->shape, from->data);
    }
    const uint64_t other = keep(&k, r->dtype, r->rank, r->shape, r->data);
    bool is_new = true;
    begin(&k, WLK_F64, 2);
    for (uint32_t i = 0; i < 5; i++) {
        is_new = is_new && strcmp(stump[i].attribute, r->attribute) != 0;
        kit_attribute(&k, stump[i].attribute, WLK_ATTR_TENSOR, &tensors[i], 1);
    }
    if (is_new) kit_attribute(&k, r->attribute, WLK_ATTR_TENSOR, &other, 1);
    return kit_close(&k);
}

static void test_refusals(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        wlk_error error = {.status = WLK_OK};
        wlk_plan *plan = NULL;
        wlk_model *model = changed_stump(&refusals[i]);
        const wlk_status status = wlk_plan_create(model, NULL, &plan, &error);
        const bool is_shape = strstr(refusals[i].says, "input 0") != NULL;
        if (status == WLK_OK) fail_msg("accepted: %s", refusals[i].says);
        assert_rule(&error, status, is_shape ? "plan.shape" : "plan.attribute-value");
        if (!strstr(error.text, refusals[i].says)) {
            fail_msg("want \"%s\", got %s", refusals[i].says, error.text);
        }
        wlk_model_free(model);
    }
}

static void test_aggregate_is_a_choice(void **state) {
    (void)state;
    const char *other = "MAX";
    const uint64_t one = 1, two[2] = {1, 1};
    wlk_error error = {.status = WLK_OK};
    wlk_plan *plan = NULL;
    model_kit k;
    kit_open(&k);
    kit_opset(&k, "org.weighlock", 1);
    const uint64_t zero = keep(&k, WLK_U32, 1, &one, zeros);
    const uint64_t real = keep(&k, WLK_F64, 1, &one, zeros);
    const uint64_t value = keep(&k, WLK_F64, 2, two, zeros);
    begin(&k, WLK_F64, 2);
    kit_attribute(&k, "roots", WLK_ATTR_TENSOR, &zero, 1);
    kit_attribute(&k, "right", WLK_ATTR_TENSOR, &zero, 1);
    kit_attribute(&k, "features", WLK_ATTR_TENSOR, &zero, 1);
    kit_attribute(&k, "thresholds", WLK_ATTR_TENSOR, &real, 1);
    kit_attribute(&k, "values", WLK_ATTR_TENSOR, &value, 1);
    kit_texts(&k, "aggregate", WLK_ATTR_STRING, &other, 1);
    wlk_model *model = kit_close(&k);
    const wlk_status status = wlk_plan_create(model, NULL, &plan, &error);
    assert_rule(&error, status, "plan.attribute-value");
    assert_non_null(strstr(error.text, "neither SUM nor AVERAGE"));
    wlk_model_free(model);
}

/* ---- large ones */

typedef struct chain {
    uint32_t inner; /* node 2 * i: x <= i leads to leaf i, else on */
    uint32_t column;
    wlk_limits *limits;
} chain;

static wlk_model *model_of_chain(const chain *c) {
    const uint64_t one = 1, nodes = 2 * (uint64_t)c->inner + 1, values[2] = {c->inner + 1, 1};
    uint32_t *right = calloc(nodes, 4), *features = calloc(nodes, 4);
    float *thresholds = calloc(nodes, 4);
    double *weights = calloc(nodes, 8);
    model_kit k;
    assert_true(right && features && thresholds && weights);
    for (uint32_t i = 0; i < c->inner; i++) {
        right[2 * i] = 2;
        features[2 * i] = c->column;
        thresholds[2 * i] = (float)i;
    }
    for (uint32_t i = 0; i <= c->inner; i++) weights[i] = i;
    kit_open(&k);
    kit_opset(&k, "org.weighlock", 1);
    const uint64_t tensors[] = {
        keep(&k, WLK_U32, 1, &one, zeros), keep(&k, WLK_U32, 1, &nodes, right),
        keep(&k, WLK_U32, 1, &nodes, features), keep(&k, WLK_F32, 1, &nodes, thresholds),
        keep(&k, WLK_F64, 2, values, weights)};
    begin(&k, WLK_F32, WLK_UNKNOWN_DIM);
    for (uint32_t i = 0; i < 5; i++) {
        kit_attribute(&k, stump[i].attribute, WLK_ATTR_TENSOR, &tensors[i], 1);
    }
    free(right);
    free(features);
    free(thresholds);
    free(weights);
    return kit_close(&k);
}

static const char *run_chain(const chain *c, uint64_t rows, double *y) {
    const uint64_t shape[2] = {rows, c->column + 1};
    wlk_error error = {.status = WLK_OK};
    wlk_plan *plan = NULL;
    wlk_result *result = NULL;
    wlk_model *model = model_of_chain(c);
    float *x = calloc(rows, 4 * shape[1]);
    assert_non_null(x);
    for (uint64_t i = 0; i < rows; i++) {
        x[i * shape[1] + c->column] = (float)(i * 997 % (c->inner + 7));
    }
    const wlk_tensor in = kit_array("x", WLK_F32, 2, shape, x);
    wlk_status status = wlk_plan_create(model, c->limits, &plan, &error);
    if (status == WLK_OK) status = wlk_run(plan, &in, 1, &result, &error);
    if (status == WLK_OK) memcpy(y, wlk_result_tensor(result, 0).data, rows * sizeof *y);
    wlk_result_free(result);
    wlk_plan_free(plan);
    wlk_model_free(model);
    free(x);
    return status == WLK_OK ? "ok" : wlk_rule_name(error.rule);
}

/* As deep as it is long; steps and columns beyond 16 bits. */
static void test_wide(void **state) {
    (void)state;
    static const chain chains[] = {{.inner = 150000},
                                   {.inner = 21845},
                                   {.inner = 21844},
                                   {.inner = 300, .column = 65535},
                                   {.inner = 300, .column = 65536}};
    static double y[20];
    for (size_t c = 0; c < sizeof chains / sizeof *chains; c++) {
        const uint32_t inner = chains[c].inner;
        assert_string_equal(run_chain(&chains[c], 20, y), "ok");
        for (uint32_t i = 0; i < 20; i++) {
            const uint32_t x = i * 997 % (inner + 7);
            assert_true(y[i] == (x < inner ? x : inner));
        }
    }
}

/* Memory and work are held against the limits before anything runs (invariant 7). */
static void test_limits(void **state) {
    (void)state;
    static double y[400];
    wlk_limits limits;
    const chain c = {.inner = 20000, .limits = &limits};
    wlk_limits_default(&limits);
    limits.run_bytes = 1u << 18;
    assert_string_equal(run_chain(&c, 1, y), "plan.memory");
    wlk_limits_default(&limits);
    limits.run_operations = 1u << 22;
    assert_string_equal(run_chain(&c, 1, y), "ok");
    assert_string_equal(run_chain(&c, 400, y), "run.operations");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_a_plain_walk),
        cmocka_unit_test(test_changed_at_random),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_aggregate_is_a_choice),
        cmocka_unit_test(test_wide),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

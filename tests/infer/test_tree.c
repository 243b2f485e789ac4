/* Ensembles of trees: against a plain walk (cases/tree.txt), what is refused, and
 * ensembles with something changed at random, which are either refused or evaluated as
 * a plain walk of them says (invariant 11). */
#include "infer/case_file.h"

static void test_tree_cases(void **state) {
    (void)state;
    assert_true(run_case_file("tests/infer/cases/tree.txt") >= 55);
}

static void test_tree_refusals(void **state) {
    (void)state;
    assert_true(run_case_file("tests/infer/cases/tree_refuse.txt") >= 50);
}

/* ---- ensembles as lists */

#define NODES_MAX 40
#define COLUMNS 3

typedef struct lists {
    uint32_t nodes;
    uint64_t trees[NODES_MAX], ids[NODES_MAX], on_true[NODES_MAX], on_false[NODES_MAX];
    uint64_t features[NODES_MAX], missing[NODES_MAX];
    double values[NODES_MAX];
    const char *modes[NODES_MAX];
    uint32_t votes;
    uint64_t vote_trees[NODES_MAX], vote_nodes[NODES_MAX], vote_targets[NODES_MAX];
    double weights[NODES_MAX];
    uint64_t targets;
} lists;

static uint64_t seed = 88172645463325252u;
static uint64_t random_below(uint64_t n) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (seed >> 11) % n;
}

static const char *const modes[] = {"BRANCH_LEQ", "BRANCH_LT",  "BRANCH_GTE", "BRANCH_GT",
                                    "BRANCH_EQ",  "BRANCH_NEQ", "LEAF"};

static void add_vote(lists *l, uint32_t node) {
    l->vote_trees[l->votes] = l->trees[node];
    l->vote_nodes[l->votes] = l->ids[node];
    l->vote_targets[l->votes] = random_below(l->targets);
    l->weights[l->votes++] = (double)random_below(33) / 8 - 2;
}

/* A tree of 2 * inner + 1 nodes: each new pair of children goes below a random leaf. */
static void add_tree(lists *l, uint64_t tree, uint32_t inner) {
    const uint32_t first = l->nodes;
    for (uint32_t i = 0; i < 2 * inner + 1; i++) {
        const uint32_t at = l->nodes++;
        l->trees[at] = tree;
        l->ids[at] = i;
        l->on_true[at] = l->on_false[at] = 0;
        l->features[at] = random_below(COLUMNS);
        l->missing[at] = random_below(2);
        l->values[at] = (double)random_below(9) / 2 - 2;
        l->modes[at] = "LEAF";
    }
    for (uint32_t i = 0; i < inner; i++) {
        uint32_t leaf = (uint32_t)random_below(2 * i + 1);
        while (strcmp(l->modes[first + leaf], "LEAF") != 0) leaf = (leaf + 1) % (2 * i + 1);
        l->modes[first + leaf] = modes[random_below(6)];
        l->on_true[first + leaf] = 2 * i + 1;
        l->on_false[first + leaf] = 2 * i + 2;
    }
    for (uint32_t i = first; i < l->nodes; i++) {
        if (strcmp(l->modes[i], "LEAF") == 0) add_vote(l, i);
    }
}

static void swap_u64(uint64_t *list, uint32_t a, uint32_t b) {
    const uint64_t kept = list[a];
    list[a] = list[b];
    list[b] = kept;
}

/* Small numbers near those that are right, and the ends of the range. */
static uint64_t hostile_number(void) {
    static const uint64_t ends[] = {UINT64_MAX, 1u << 31, INT64_MAX, (uint64_t)1 << 63, 1u << 30};
    return random_below(4) ? random_below(NODES_MAX / 2) : ends[random_below(5)];
}

static void change_one(lists *l) {
    uint64_t *const node_lists[] = {l->trees,    l->ids,     l->on_true, l->on_false,
                                    l->features, l->missing, l->on_true, l->on_false};
    uint64_t *const vote_lists[] = {l->vote_trees, l->vote_nodes, l->vote_targets};
    const uint32_t node = (uint32_t)random_below(l->nodes);
    switch (random_below(5)) {
        case 0:
            l->modes[node] = modes[random_below(7)];
            break;
        case 1:
            vote_lists[random_below(3)][random_below(l->votes)] = hostile_number();
            break;
        case 2:
            swap_u64(node_lists[random_below(8)], node, (uint32_t)random_below(l->nodes));
            break;
        default:
            node_lists[random_below(8)][node] = hostile_number();
            break;
    }
}

/* ---- the plain walk, which also says what is wrong */

static uint32_t find(const lists *l, uint64_t tree, uint64_t id, uint32_t *count) {
    uint32_t found = NODES_MAX;
    *count = 0;
    for (uint32_t i = 0; i < l->nodes; i++) {
        if (l->trees[i] != tree || l->ids[i] != id) continue;
        found = i;
        (*count)++;
    }
    return found;
}

static bool visit(const lists *l, uint32_t node, uint32_t seen[NODES_MAX]) {
    uint32_t count = 0;
    if (seen[node]++) return false;
    if (strcmp(l->modes[node], "LEAF") == 0) return true;
    if (l->features[node] >= COLUMNS) return false;
    const uint32_t on_true = find(l, l->trees[node], l->on_true[node], &count);
    if (count != 1 || !visit(l, on_true, seen)) return false;
    const uint32_t on_false = find(l, l->trees[node], l->on_false[node], &count);
    return count == 1 && visit(l, on_false, seen);
}

static bool is_root(const lists *l, uint32_t node) {
    for (uint32_t i = 0; i < node; i++) {
        if (l->trees[i] == l->trees[node]) return false;
    }
    return true;
}

static bool is_well(const lists *l) {
    uint32_t seen[NODES_MAX] = {0};
    uint32_t count = 0;
    for (uint32_t i = 0; i < l->nodes; i++) {
        (void)find(l, l->trees[i], l->ids[i], &count);
        if (count != 1 || l->missing[i] > 1) return false;
        if (is_root(l, i) && !visit(l, i, seen)) return false;
    }
    for (uint32_t i = 0; i < l->nodes; i++) {
        if (!seen[i]) return false;
    }
    for (uint32_t i = 0; i < l->votes; i++) {
        (void)find(l, l->vote_trees[i], l->vote_nodes[i], &count);
        if (count != 1 || l->vote_targets[i] >= l->targets) return false;
    }
    return true;
}

static bool goes_true(const lists *l, uint32_t node, const float *row) {
    const double x = (double)row[l->features[node]];
    const double value = l->values[node];
    const bool answers[] = {x <= value, x<value, x >= value, x> value, x == value, x != value};
    for (uint32_t i = 0; i < 6; i++) {
        if (strcmp(modes[i], l->modes[node]) == 0)
            return answers[i] || (isnan(x) && l->missing[node]);
    }
    return false;
}

static void walk(const lists *l, const float *row, double *scores) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < l->nodes; i++) {
        uint32_t at = i;
        if (!is_root(l, i)) continue;
        while (strcmp(l->modes[at], "LEAF") != 0) {
            const uint64_t next = goes_true(l, at, row) ? l->on_true[at] : l->on_false[at];
            at = find(l, l->trees[at], next, &count);
        }
        for (uint32_t v = 0; v < l->votes; v++) {
            if (l->vote_trees[v] != l->trees[at] || l->vote_nodes[v] != l->ids[at]) continue;
            scores[l->vote_targets[v]] += l->weights[v];
        }
    }
}

/* ---- models of them */

static void put_floats(model_kit *k, const char *name, const double *values, uint32_t count) {
    uint64_t bits[NODES_MAX];
    for (uint32_t i = 0; i < count; i++) bits[i] = f64_bits(values[i]);
    kit_attribute(k, name, WLK_ATTR_FLOATS, bits, count);
}

static wlk_model *model_of(const lists *l) {
    const int64_t dims[2] = {WLK_UNKNOWN_DIM, COLUMNS};
    model_kit k;
    kit_open(&k);
    kit_opset(&k, "ai.onnx.ml", 3);
    kit_graph(&k);
    kit_input(&k, "x", kit_type(&k, WLK_F32, true, 2, dims));
    kit_output(&k, "y", IMAGE_NONE);
    kit_node(&k, "ai.onnx.ml", "TreeEnsembleRegressor", KIT_NAMES("x"), 1, KIT_NAMES("y"), 1);
    kit_attribute(&k, "nodes_treeids", WLK_ATTR_INTS, l->trees, l->nodes);
    kit_attribute(&k, "nodes_nodeids", WLK_ATTR_INTS, l->ids, l->nodes);
    kit_attribute(&k, "nodes_truenodeids", WLK_ATTR_INTS, l->on_true, l->nodes);
    kit_attribute(&k, "nodes_falsenodeids", WLK_ATTR_INTS, l->on_false, l->nodes);
    kit_attribute(&k, "nodes_featureids", WLK_ATTR_INTS, l->features, l->nodes);
    kit_attribute(&k, "nodes_missing_value_tracks_true", WLK_ATTR_INTS, l->missing, l->nodes);
    put_floats(&k, "nodes_values", l->values, l->nodes);
    kit_texts(&k, "nodes_modes", WLK_ATTR_STRINGS, l->modes, l->nodes);
    kit_attribute(&k, "target_treeids", WLK_ATTR_INTS, l->vote_trees, l->votes);
    kit_attribute(&k, "target_nodeids", WLK_ATTR_INTS, l->vote_nodes, l->votes);
    kit_attribute(&k, "target_ids", WLK_ATTR_INTS, l->vote_targets, l->votes);
    put_floats(&k, "target_weights", l->weights, l->votes);
    kit_int(&k, "n_targets", (int64_t)l->targets);
    return kit_close(&k);
}

static void fill_rows(float *rows, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        rows[i] = random_below(8) ? (float)random_below(9) / 2 - 2 : NAN;
    }
}

#define ROWS 18 /* some go together, some alone */

static void check_run(const lists *l, const wlk_plan *plan) {
    static float rows[ROWS * COLUMNS];
    const uint64_t shape[2] = {ROWS, COLUMNS};
    wlk_error error = {.status = WLK_OK};
    wlk_result *result = NULL;
    fill_rows(rows, ROWS * COLUMNS);
    const wlk_tensor x = kit_array("x", WLK_F32, 2, shape, rows);
    assert_int_equal(wlk_run(plan, &x, 1, &result, &error), WLK_OK);
    const wlk_tensor got = wlk_result_tensor(result, 0);
    const float *y = got.data;
    assert_int_equal(got.count, ROWS * l->targets);
    for (uint32_t i = 0; i < ROWS; i++) {
        double scores[3] = {0};
        walk(l, rows + i * COLUMNS, scores);
        for (uint32_t t = 0; t < l->targets; t++) {
            assert_true((double)y[i * l->targets + t] == scores[t]);
        }
    }
    wlk_result_free(result);
}

/* Every sum here is exact, so only the right leaves give it. */
static void check_lists(const lists *l, uint32_t outcomes[2]) {
    wlk_error error = {.status = WLK_OK};
    wlk_plan *plan = NULL;
    wlk_model *model = model_of(l);
    const wlk_status status = wlk_plan_create(model, NULL, &plan, &error);
    const bool well = is_well(l);
    if (well) assert_rule(&error, status, "ok");
    if (!well && status == WLK_OK) fail_msg("a broken ensemble was accepted");
    if (!well && strcmp(wlk_rule_name(error.rule), "plan.shape") != 0) {
        assert_rule(&error, status, "plan.attribute-value");
    }
    if (well) check_run(l, plan);
    outcomes[well]++;
    wlk_plan_free(plan);
    wlk_model_free(model);
}

static void test_changed_at_random(void **state) {
    (void)state;
    uint32_t outcomes[2] = {0};
    for (uint32_t round = 0; round < 3000; round++) {
        lists l = {.targets = 1 + random_below(3)};
        const uint64_t trees = 1 + random_below(3);
        for (uint64_t t = 0; t < trees; t++) add_tree(&l, t, (uint32_t)random_below(6));
        for (uint64_t i = random_below(3); i > 0; i--) change_one(&l);
        check_lists(&l, outcomes);
    }
    assert_true(outcomes[0] > 500 && outcomes[1] > 1000);
}

/* ---- large ones, given as tensors */

typedef struct chain {
    uint32_t nodes; /* inner ones; each leads to a leaf or on */
    bool closed;    /* the last leads back to the first */
} chain;

static uint32_t list_tensor(model_kit *k, const char *name, wlk_dtype dtype, uint64_t count,
                            const void *data) {
    const wlk_tensor tensor = kit_array(name, dtype, 1, &count, data);
    return kit_tensor(k, &tensor);
}

static uint32_t mode_tensor(model_kit *k, uint32_t inner, uint32_t count) {
    uint8_t *data = calloc(1, 8 * ((uint64_t)count + 1) + (uint64_t)count * 10);
    uint64_t end = 0;
    assert_non_null(data);
    for (uint32_t i = 0; i < count; i++) {
        const char *mode = i < inner ? "BRANCH_LEQ" : "LEAF";
        memcpy(data + 8 * ((uint64_t)count + 1) + end, mode, strlen(mode));
        end += strlen(mode);
        store_u64(data + 8 * ((uint64_t)i + 1), end);
    }
    const wlk_tensor tensor = {.name = "modes",
                               .dtype = WLK_STR,
                               .rank = 1,
                               .shape = {count},
                               .count = count,
                               .nbytes = 8 * ((uint64_t)count + 1) + end,
                               .data = data};
    const uint32_t index = kit_tensor(k, &tensor);
    free(data);
    return index;
}

/* Inner node i compares x with i; true leads to leaf inner + i, false to i + 1. */
static wlk_model *model_of_chain(const chain *c) {
    const uint32_t inner = c->nodes;
    const uint32_t count = 2 * inner + 1;
    static const char *const names[] = {
        "nodes_treeids",    "nodes_nodeids", "nodes_truenodeids", "nodes_falsenodeids",
        "nodes_featureids", "nodes_values",  "nodes_modes",       "target_treeids",
        "target_nodeids",   "target_ids",    "target_weights"};
    int64_t *zeros = calloc(count, 8), *ids = calloc(count, 8), *yes = calloc(count, 8);
    int64_t *no = calloc(count, 8);
    float *values = calloc(count, 4);
    assert_true(zeros && ids && yes && no && values);
    for (uint32_t i = 0; i < count; i++) {
        ids[i] = i;
        values[i] = (float)i;
        yes[i] = (int64_t)inner + i;
        no[i] = i + 1 < inner ? (int64_t)i + 1 : (c->closed ? 0 : (int64_t)count - 1);
    }
    model_kit k;
    kit_open(&k);
    kit_opset(&k, "ai.onnx.ml", 3);
    const uint64_t tensors[] = {list_tensor(&k, "trees", WLK_I64, count, zeros),
                                list_tensor(&k, "ids", WLK_I64, count, ids),
                                list_tensor(&k, "true", WLK_I64, count, yes),
                                list_tensor(&k, "false", WLK_I64, count, no),
                                list_tensor(&k, "features", WLK_I64, count, zeros),
                                list_tensor(&k, "values", WLK_F32, count, values),
                                mode_tensor(&k, inner, count),
                                list_tensor(&k, "vote trees", WLK_I64, inner + 1, zeros),
                                list_tensor(&k, "vote nodes", WLK_I64, inner + 1, ids + inner),
                                list_tensor(&k, "vote ids", WLK_I64, inner + 1, zeros),
                                list_tensor(&k, "weights", WLK_F32, inner + 1, values)};
    const int64_t dims[2] = {WLK_UNKNOWN_DIM, 1};
    kit_graph(&k);
    kit_input(&k, "x", kit_type(&k, WLK_F32, true, 2, dims));
    kit_output(&k, "y", IMAGE_NONE);
    kit_node(&k, "ai.onnx.ml", "TreeEnsembleRegressor", KIT_NAMES("x"), 1, KIT_NAMES("y"), 1);
    for (uint32_t i = 0; i < sizeof names / sizeof *names; i++) {
        kit_attribute(&k, names[i], WLK_ATTR_TENSOR, &tensors[i], 1);
    }
    kit_int(&k, "n_targets", 1);
    free(zeros);
    free(ids);
    free(yes);
    free(no);
    free(values);
    return kit_close(&k);
}

static const char *run_chain(const chain *c, const wlk_limits *limits, uint64_t rows, float *y) {
    static float x[400];
    const uint64_t shape[2] = {rows, 1};
    wlk_error error = {.status = WLK_OK};
    wlk_plan *plan = NULL;
    wlk_result *result = NULL;
    wlk_model *model = model_of_chain(c);
    for (uint32_t i = 0; i < 400; i++) x[i] = (float)(i * 997 % (c->nodes + 7));
    const wlk_tensor in = kit_array("x", WLK_F32, 2, shape, x);
    wlk_status status = wlk_plan_create(model, limits, &plan, &error);
    if (status == WLK_OK) status = wlk_run(plan, &in, 1, &result, &error);
    if (status == WLK_OK) memcpy(y, wlk_result_tensor(result, 0).data, rows * sizeof *y);
    wlk_result_free(result);
    wlk_plan_free(plan);
    wlk_model_free(model);
    return status == WLK_OK ? "ok" : wlk_rule_name(error.rule);
}

/* As deep as it is long: neither check nor walk may recurse, and 16-bit slots do not do. */
static void test_deep(void **state) {
    (void)state;
    static float y[400];
    const chain open = {.nodes = 150000}, closed = {.nodes = 150000, .closed = true};
    const chain narrow = {.nodes = 300};
    assert_string_equal(run_chain(&open, NULL, 400, y), "ok");
    for (uint32_t i = 0; i < 400; i++) assert_true(y[i] == (float)(i * 997 % 150007));
    assert_string_equal(run_chain(&narrow, NULL, 400, y), "ok");
    for (uint32_t i = 0; i < 400; i++) {
        const uint32_t x = i * 997 % 307;
        assert_true(y[i] == (float)(x < 300 ? x : 300));
    }
    assert_string_equal(run_chain(&closed, NULL, 400, y), "plan.attribute-value");
}

/* Memory and work are held against the limits: before anything runs (invariant 7). */
static void test_limits(void **state) {
    (void)state;
    static float y[400];
    const chain c = {.nodes = 20000};
    wlk_limits limits;
    wlk_limits_default(&limits);
    limits.run_bytes = 1u << 20;
    assert_string_equal(run_chain(&c, &limits, 1, y), "plan.memory");
    wlk_limits_default(&limits);
    limits.run_operations = 1u << 22;
    assert_string_equal(run_chain(&c, &limits, 1, y), "ok");
    assert_string_equal(run_chain(&c, &limits, 400, y), "run.operations");
}

/* ---- the order of sums */

/* Weights whose sum depends on the order: rows alone give the bits that they give
 * together. */
static void test_sums_do_not_depend_on_the_block(void **state) {
    (void)state;
    static float rows[300 * COLUMNS];
    wlk_error error = {.status = WLK_OK};
    wlk_plan *plan = NULL;
    wlk_result *all = NULL;
    lists l = {.targets = 1};
    for (uint64_t t = 0; t < 19; t++) add_tree(&l, t, t % 4 == 0);
    for (uint32_t i = 0; i < l.votes; i++) l.weights[i] = (i % 2 ? 1e30 : 0.1) * l.weights[i];
    wlk_model *model = model_of(&l);
    assert_int_equal(wlk_plan_create(model, NULL, &plan, &error), WLK_OK);
    fill_rows(rows, 300 * COLUMNS);
    uint64_t shape[2] = {300, COLUMNS};
    const wlk_tensor x = kit_array("x", WLK_F32, 2, shape, rows);
    assert_int_equal(wlk_run(plan, &x, 1, &all, &error), WLK_OK);
    const uint8_t *together = wlk_result_tensor(all, 0).data;
    shape[0] = 1;
    for (uint32_t i = 0; i < 300; i++) {
        float row[COLUMNS];
        wlk_result *one = NULL;
        memcpy(row, rows + i * COLUMNS, sizeof row);
        const wlk_tensor single = kit_array("x", WLK_F32, 2, shape, row);
        assert_int_equal(wlk_run(plan, &single, 1, &one, &error), WLK_OK);
        assert_memory_equal(wlk_result_tensor(one, 0).data, together + 4 * i, 4);
        wlk_result_free(one);
    }
    wlk_result_free(all);
    wlk_plan_free(plan);
    wlk_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tree_cases),
        cmocka_unit_test(test_tree_refusals),
        cmocka_unit_test(test_changed_at_random),
        cmocka_unit_test(test_deep),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_sums_do_not_depend_on_the_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

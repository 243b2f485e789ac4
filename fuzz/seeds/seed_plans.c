/* Models that are well-formed and cannot be planned, or whose runs go beyond a limit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weighlock/infer.h>

#include "kit/kit.h"
#include "seeds/seeds.h"

/* One node over x [?,3] and a constant; its rule. */
typedef struct bad_node {
    const char *name, *rule;
    const char *op, *domain;
    uint32_t opset;
    const char *inputs[4];
    wlk_dtype x, second;
    uint64_t shape[2];     /* of the constant */
    const char *attribute; /* an int */
    int64_t value;
    wlk_dtype declared; /* of the output */
} bad_node;

#define PAIR \
    { "x", "second" }
#define ONE \
    { "x" }
#define F32 WLK_F32, WLK_F32
static const bad_node bad_nodes[] = {
    {"hostile-operator", "plan.operator", "Nope", "", 13, ONE, F32, {1, 3}, NULL, 0, 0},
    {"hostile-domain", "plan.operator", "Relu", "org.example", 1, ONE, F32, {1, 3}, NULL, 0, 0},
    {"hostile-opset-too-new", "plan.opset", "Relu", "", UINT32_MAX, ONE, F32, {1, 3}, NULL, 0, 0},
    {"hostile-operator-of-later", "plan.operator", "Gelu", "", 13, ONE, F32, {1, 3}, NULL, 0, 0},
    {"hostile-an-input-too-many", "plan.arity", "Relu", "", 13, PAIR, F32, {1, 3}, NULL, 0, 0},
    {"hostile-an-input-too-few", "plan.arity", "Add", "", 13, ONE, F32, {1, 3}, NULL, 0, 0},
    {"hostile-an-input-left-out", "plan.arity", "Add", "", 13, {"", "x"}, F32, {1, 3}, NULL, 0, 0},
    {"hostile-attribute", "plan.attribute", "Relu", "", 13, ONE, F32, {1, 3}, "axis", 1, 0},
    {"hostile-axis", "plan.attribute-value", "Softmax", "", 13, ONE, F32, {1, 3}, "axis", 7, 0},
    {"hostile-axis-minimum",
     "plan.attribute-value",
     "Softmax",
     "",
     13,
     ONE,
     F32,
     {1, 3},
     "axis",
     INT64_MIN,
     0},
    {"hostile-dtype", "plan.dtype", "Relu", "", 13, ONE, WLK_STR, WLK_F32, {1, 3}, NULL, 0, 0},
    {"hostile-mixed", "plan.mixed", "Add", "", 13, PAIR, WLK_F32, WLK_F64, {1, 3}, NULL, 0, 0},
    {"hostile-shape", "plan.shape", "MatMul", "", 13, PAIR, F32, {2, 3}, NULL, 0, 0},
    {"hostile-stretch", "plan.shape", "Add", "", 13, PAIR, F32, {1, 2}, NULL, 0, 0},
    {"hostile-declared", "plan.declared", "Relu", "", 13, ONE, F32, {1, 3}, NULL, 0, WLK_I8},
};

static wlk_rule rule_of_plan(const wlk_model *model) {
    wlk_plan *plan;
    wlk_error error = {.status = WLK_OK};
    if (wlk_plan_create(model, fuzz_limits(), &plan, &error) != WLK_OK) return (wlk_rule)error.rule;
    wlk_plan_free(plan);
    return RULE_NONE;
}

/* Shows it, if it is refused with the rule; "" for none. */
static void bad_done(const model_visitor *visitor, wlk_writer *w, const char *name,
                     const char *rule) {
    wlk_model *model;
    wlk_error error = {.status = WLK_OK};
    if (wlk_writer_finish(w, &model, &error) != WLK_OK) seed_fail(name, &error);
    const wlk_rule found = rule_of_plan(model);
    const char *is = found == RULE_NONE ? "" : wlk_rule_name(found);
    if (strcmp(is, rule) != 0) {
        (void)fprintf(stderr, "make_seeds: %s: %s, not %s\n", name, is, rule);
        exit(1);
    }
    visitor->visit(visitor->context, name, model, false);
    wlk_model_free(model);
    wlk_writer_free(w);
}

static void bad_model(const model_visitor *visitor, const bad_node *bad) {
    wlk_writer *w = model_begin();
    const int64_t open[2] = {WLK_UNKNOWN_DIM, 3};
    wlk_writer_opset(w, bad->domain, bad->opset);
    (void)model_tensor(w, "second", bad->second, 2, bad->shape);
    (void)wlk_writer_graph(w, "");
    wlk_writer_input(w, "x", wlk_writer_tensor_type(w, bad->x, 2, open));
    wlk_writer_output(w, "y",
                      bad->declared ? wlk_writer_tensor_type(w, bad->declared, 2, open) : WLK_NONE);
    wlk_writer_node(w, bad->op, bad->domain, "", bad->inputs, NAMES("y"));
    if (bad->attribute) wlk_writer_attr_int(w, bad->attribute, bad->value);
    bad_done(visitor, w, bad->name, bad->rule);
}

/* Each node makes twice as much of it: beyond any memory. */
static void doubling(const model_visitor *visitor, uint32_t nodes, const char *name,
                     const char *rule) {
    char made[2][16] = {"x", ""};
    wlk_writer *w = model_begin();
    wlk_writer_opset(w, "", 13);
    (void)wlk_writer_graph(w, "");
    wlk_writer_input(w, "x", wlk_writer_tensor_type(w, WLK_F64, 1, (const int64_t[]){3}));
    wlk_writer_output(w, "y", WLK_NONE);
    for (uint32_t i = 0; i < nodes; i++) {
        const char *from = made[i % 2];
        char *to = made[(i + 1) % 2];
        (void)snprintf(to, sizeof made[0], i + 1 < nodes ? "v%u" : "y", i);
        wlk_writer_node(w, "Concat", "", "", NAMES(from, from), NAMES(to));
        wlk_writer_attr_int(w, "axis", 0);
    }
    bad_done(visitor, w, name, rule);
}

/* Products of an open number of rows and columns: beyond any work. */
static void squaring(const model_visitor *visitor) {
    wlk_writer *w = model_begin();
    wlk_writer_opset(w, "", 13);
    (void)wlk_writer_graph(w, "");
    wlk_writer_input(w, "a", wlk_writer_tensor_type(w, WLK_F32, 2, (const int64_t[]){-1, -1}));
    wlk_writer_input(w, "b", wlk_writer_tensor_type(w, WLK_F32, 2, (const int64_t[]){-1, -1}));
    wlk_writer_output(w, "y", WLK_NONE);
    wlk_writer_node(w, "MatMul", "", "", NAMES("a", "b"), NAMES("c"));
    wlk_writer_node(w, "MatMul", "", "", NAMES("c", "c"), NAMES("y"));
    bad_done(visitor, w, "hostile-products", "");
}

/* Six elements to a shape of so many rows of three: more, or fewer. */
static void reshaping(const model_visitor *visitor, const char *name, int64_t rows) {
    wlk_writer *w = model_begin();
    const int64_t wanted[2] = {rows, 3};
    const wlk_tensor shape = {.name = "shape",
                              .dtype = WLK_I64,
                              .rank = 1,
                              .shape = {2},
                              .data = wanted,
                              .nbytes = sizeof wanted};
    wlk_writer_opset(w, "", 13);
    (void)wlk_writer_tensor(w, &shape);
    (void)wlk_writer_graph(w, "");
    wlk_writer_input(w, "x", wlk_writer_tensor_type(w, WLK_F32, 2, (const int64_t[]){2, 3}));
    wlk_writer_output(w, "y", WLK_NONE);
    wlk_writer_node(w, "Reshape", "", "", NAMES("x", "shape"), NAMES("y"));
    bad_done(visitor, w, name, "plan.shape");
}

void models_bad(const model_visitor *visitor) {
    for (size_t i = 0; i < sizeof bad_nodes / sizeof *bad_nodes; i++) {
        bad_model(visitor, &bad_nodes[i]);
    }
    doubling(visitor, 18, "hostile-memory", "");
    doubling(visitor, 70, "hostile-memory-that-wraps", "plan.shape");
    squaring(visitor);
    reshaping(visitor, "hostile-shape-of-more-elements", 3);
    reshaping(visitor, "hostile-shape-of-fewer-elements", 1);
}

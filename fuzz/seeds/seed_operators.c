/* A model for each row of the operator table; of an operator's newest row, one for each
 * dtype that it takes. */
#include <stdio.h>
#include <string.h>

#include "base/dtype.h"
#include "infer/ops.h"
#include "seeds/seeds.h"

/* What an operator's row does not say: constant inputs of shapes that fit x [?,3] and
 * attributes that are worth giving. */
typedef struct constant {
    uint32_t rank;
    uint64_t shape[2];
    const int64_t *values; /* NULL: small numbers */
} constant;

typedef struct attribute {
    const char *name;
    wlk_attribute_type type;
    uint32_t count;
    double value; /* of each element */
    const char *text;
} attribute;

typedef struct recipe {
    const char *domain, *name;
    constant constants[2]; /* the second and third input */
    attribute attributes[5];
} recipe;

static const int64_t to_column[] = {-1, 1};
#define INTS WLK_ATTR_INTS
#define INT WLK_ATTR_INT
#define FLOATS WLK_ATTR_FLOATS
#define FLOAT WLK_ATTR_FLOAT
#define TEXT WLK_ATTR_STRING
#define VECTOR(n) \
    { 1, {n}, NULL }
#define MATRIX(n, m) \
    { 2, {n, m}, NULL }

static const recipe recipes[] = {
    {"", "Add", {VECTOR(3)}, {{0}}},
    {"", "Sub", {VECTOR(3)}, {{0}}},
    {"", "Mul", {VECTOR(1)}, {{0}}},
    {"", "Div", {MATRIX(1, 3)}, {{0}}},
    {"", "Softmax", {{0}}, {{"axis", INT, 1, 1, NULL}}},
    {"", "ArgMax", {{0}}, {{"axis", INT, 1, 1, NULL}, {"keepdims", INT, 1, 0, NULL}}},
    {"", "Reshape", {{1, {2}, to_column}}, {{0}}},
    {"", "Concat", {VECTOR(0)}, {{"axis", INT, 1, 0, NULL}}},
    {"", "MatMul", {MATRIX(3, 2)}, {{0}}},
    {"",
     "Gemm",
     {MATRIX(2, 3), VECTOR(2)},
     {{"alpha", FLOAT, 1, 0.5, NULL}, {"beta", FLOAT, 1, 2, NULL}, {"transB", INT, 1, 1, NULL}}},
    {"ai.onnx.ml",
     "Scaler",
     {{0}},
     {{"offset", FLOATS, 3, 0.5, NULL}, {"scale", FLOATS, 3, 2, NULL}}},
    {"ai.onnx.ml", "Normalizer", {{0}}, {{"norm", TEXT, 1, 0, "L2"}}},
    {"ai.onnx.ml",
     "LinearClassifier",
     {{0}},
     {{"classlabels_ints", INTS, 2, 1, NULL},
      {"coefficients", FLOATS, 6, 0.25, NULL},
      {"intercepts", FLOATS, 2, -1, NULL},
      {"multi_class", INT, 1, 1, NULL},
      {"post_transform", TEXT, 1, 0, "SOFTMAX"}}},
    {"ai.onnx.ml",
     "LinearRegressor",
     {{0}},
     {{"coefficients", FLOATS, 6, 0.25, NULL},
      {"intercepts", FLOATS, 2, -1, NULL},
      {"post_transform", TEXT, 1, 0, "LOGISTIC"},
      {"targets", INT, 1, 2, NULL}}},
    {"org.weighlock", "Scaler", {VECTOR(3), VECTOR(3)}, {{0}}},
    {"org.weighlock",
     "LinearClassifier",
     {MATRIX(3, 3), VECTOR(3)},
     {{"classlabels_strings", WLK_ATTR_STRINGS, 3, 0, "class"},
      {"post_transform", TEXT, 1, 0, "SOFTMAX"}}},
    {"org.weighlock", "LinearRegressor", {MATRIX(2, 3), VECTOR(2)}, {{0}}},
};

/* All zero where the row says everything. */
static recipe recipe_of(const op_row *row) {
    for (size_t i = 0; i < sizeof recipes / sizeof *recipes; i++) {
        const recipe *r = &recipes[i];
        if (strcmp(r->name, row->name) == 0 && strcmp(r->domain, row->domain) == 0) return *r;
    }
    return (recipe){.name = row->name};
}

static bool row_has(const op_row *row, const char *name) {
    for (uint32_t i = 0; i < row->attribute_count; i++) {
        if (strcmp(row->attributes[i].name, name) == 0) return true;
    }
    return false;
}

static void put_attribute(wlk_writer *w, const attribute *a) {
    int64_t ints[8];
    double floats[8];
    const char *texts[8];
    for (uint32_t i = 0; i < 8; i++) {
        ints[i] = (int64_t)a->value + i;
        floats[i] = a->value + i;
        texts[i] = a->text;
    }
    if (a->type == INT) wlk_writer_attr_int(w, a->name, ints[0]);
    if (a->type == FLOAT) wlk_writer_attr_float(w, a->name, floats[0]);
    if (a->type == TEXT) wlk_writer_attr_string(w, a->name, a->text);
    if (a->type == INTS) wlk_writer_attr_ints(w, a->name, ints, a->count);
    if (a->type == FLOATS) wlk_writer_attr_floats(w, a->name, floats, a->count);
    if (a->type == WLK_ATTR_STRINGS) wlk_writer_attr_strings(w, a->name, texts, a->count);
}

/* The dtype that port i of the row gets where the first one gets `dtype`. */
static wlk_dtype port_dtype(const op_row *row, uint32_t i, wlk_dtype dtype) {
    const op_port *port = &row->ports[row->max_inputs == OP_MANY ? 0 : i];
    if (port->dtypes & DTYPE_BIT(dtype) && (i == 0 || port->variable)) return dtype;
    for (uint32_t d = 1; d < WLK_DTYPE_COUNT; d++) {
        if (port->dtypes & DTYPE_BIT(d)) return (wlk_dtype)d;
    }
    return dtype;
}

static void put_constant(wlk_writer *w, const constant *c, const char *name, wlk_dtype dtype) {
    if (!c->values) {
        (void)model_tensor(w, name, dtype, c->rank, c->shape);
        return;
    }
    const wlk_tensor t = {.name = name,
                          .dtype = WLK_I64,
                          .rank = 1,
                          .shape = {c->shape[0]},
                          .data = c->values,
                          .nbytes = 8 * c->shape[0]};
    (void)wlk_writer_tensor(w, &t);
}

/* x [?,3], and a constant for each further input; Concat's first goes in twice. */
static void operator_model(const model_visitor *visitor, const op_row *row, wlk_dtype dtype) {
    const recipe r = recipe_of(row);
    const char *inputs[4] = {"x", NULL};
    wlk_writer *w = model_begin();
    uint32_t count = row->max_inputs == OP_MANY ? 2 : row->max_inputs;
    wlk_writer_opset(w, row->domain, row->since < 7 && !*row->domain ? 7 : row->since);
    for (uint32_t i = 1; i < count; i++) {
        inputs[i] = i == 1 ? "second" : "third";
        if (row->max_inputs == OP_MANY) inputs[i] = "x";
        if (inputs[i][0] == 'x') continue;
        put_constant(w, &r.constants[i - 1], inputs[i], port_dtype(row, i, dtype));
    }
    inputs[count] = NULL;
    (void)wlk_writer_graph(w, "");
    wlk_writer_input(w, "x", wlk_writer_tensor_type(w, dtype, 2, (const int64_t[]){-1, 3}));
    wlk_writer_output(w, "y", WLK_NONE);
    if (row->max_outputs > 1) wlk_writer_output(w, "z", WLK_NONE);
    wlk_writer_node(w, row->name, row->domain, "node", inputs,
                    row->max_outputs > 1 ? NAMES("y", "z") : NAMES("y"));
    for (size_t i = 0; i < 5 && r.attributes[i].name; i++) {
        if (row_has(row, r.attributes[i].name)) put_attribute(w, &r.attributes[i]);
    }
    if (row_has(row, "to")) {
        wlk_writer_attr_dtype(w, "to", port_dtype(row, 0, dtype == WLK_STR ? WLK_F64 : WLK_STR));
    }
    model_done(visitor, w, false, "%s-%s%s%u-%s", "op", row->name,
               *row->domain == 'a' ? "-ml-"
               : *row->domain      ? "-own-"
                                   : "-",
               row->since, wlk_dtype_name(dtype));
}

/* ---- scores: each transformation, for two labels and for more */

static const struct score_model {
    const char *domain, *name, *transform;
    uint32_t scores; /* rows of coefficients */
    uint32_t labels;
} score_models[] = {
    {"ai.onnx.ml", "LinearClassifier", "NONE", 1, 2},
    {"ai.onnx.ml", "LinearClassifier", "LOGISTIC", 1, 2},
    {"ai.onnx.ml", "LinearClassifier", "SOFTMAX", 1, 2},
    {"ai.onnx.ml", "LinearClassifier", "LOGISTIC", 3, 3},
    {"ai.onnx.ml", "LinearClassifier", "SOFTMAX_ZERO", 3, 3},
    {"ai.onnx.ml", "LinearClassifier", "PROBIT", 3, 3},
    {"ai.onnx.ml", "LinearRegressor", "NONE", 1, 0},
    {"ai.onnx.ml", "LinearRegressor", "SOFTMAX", 3, 0},
    {"ai.onnx.ml", "LinearRegressor", "SOFTMAX_ZERO", 3, 0},
    {"ai.onnx.ml", "LinearRegressor", "PROBIT", 1, 0},
    {"org.weighlock", "LinearClassifier", "NONE", 1, 2},
    {"org.weighlock", "LinearClassifier", "LOGISTIC", 1, 2},
    {"org.weighlock", "LinearClassifier", "SOFTMAX", 1, 2},
    {"org.weighlock", "LinearClassifier", "OVR", 3, 3},
    {"org.weighlock", "LinearClassifier", "LOGISTIC", 3, 3},
};

static void score_attributes(wlk_writer *w, const struct score_model *m, bool own) {
    static const double coefficients[] = {0.5, -1, 2, 0.25, 1, -2, 3, -0.5, 0};
    static const int64_t labels[] = {-7, 0, INT64_MAX};
    if (m->labels) wlk_writer_attr_ints(w, "classlabels_ints", labels, m->labels);
    if (!own) wlk_writer_attr_floats(w, "coefficients", coefficients, 3 * m->scores);
    if (!own) wlk_writer_attr_floats(w, "intercepts", coefficients, m->scores);
    if (!m->labels) wlk_writer_attr_int(w, "targets", m->scores);
    wlk_writer_attr_string(w, "post_transform", m->transform);
}

static void score_model(const model_visitor *visitor, const struct score_model *m) {
    const bool own = *m->domain == 'o';
    const wlk_dtype dtype = own ? WLK_F64 : WLK_F32;
    wlk_writer *w = model_begin();
    wlk_writer_opset(w, m->domain, 1);
    if (own) (void)model_tensor(w, "weights", dtype, 2, SHAPE(m->scores, 3));
    (void)wlk_writer_graph(w, "");
    wlk_writer_input(w, "x", wlk_writer_tensor_type(w, dtype, 2, (const int64_t[]){-1, 3}));
    wlk_writer_output(w, "y", WLK_NONE);
    wlk_writer_node(w, m->name, m->domain, "", own ? NAMES("x", "weights") : NAMES("x"),
                    m->labels ? NAMES("y", "z") : NAMES("y"));
    score_attributes(w, m, own);
    model_done(visitor, w, false, "scores-%s%s-%s-%u", own ? "own-" : "", m->name, m->transform,
               m->scores);
}

/* ---- rows */

static bool is_newest(uint32_t i) {
    const op_row *row = ops_row(i);
    for (uint32_t j = i + 1; ops_row(j); j++) {
        const op_row *other = ops_row(j);
        if (strcmp(other->name, row->name) == 0 && strcmp(other->domain, row->domain) == 0) {
            return false;
        }
    }
    return true;
}

void models_operators(const model_visitor *visitor) {
    for (uint32_t i = 0; ops_row(i); i++) {
        bool done = false;
        for (uint32_t d = 1; d < WLK_DTYPE_COUNT; d++) {
            if (!(ops_row(i)->ports[0].dtypes & DTYPE_BIT(d)) || (done && !is_newest(i))) continue;
            operator_model(visitor, ops_row(i), (wlk_dtype)d);
            done = true;
        }
    }
    for (size_t i = 0; i < sizeof score_models / sizeof *score_models; i++) {
        score_model(visitor, &score_models[i]);
    }
}

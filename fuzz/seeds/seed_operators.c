/* A model for the newest row of each operator; where there is a recipe, one for each dtype
 * that the row takes. Older rows share shape rules and kernels with the newest. */
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
    const uint32_t ports = row->max_inputs != OP_MANY ? row->max_inputs
                           : row->port_count          ? row->port_count
                                                      : 1;
    if (ports == 0) return dtype;
    const op_port *port = &row->ports[i < ports ? i : ports - 1];
    if (port->dtypes & DTYPE_BIT(dtype) && (i == 0 || port->variable)) return dtype;
    for (uint32_t d = 1; d < WLK_DTYPE_COUNT; d++) {
        if (port->dtypes & DTYPE_BIT(d)) return (wlk_dtype)d;
    }
    return dtype;
}

/* A list of one where the port is one of numbers alone (axes, sizes), else a scalar. */
static constant constant_of(const recipe *r, uint32_t i, wlk_dtype dtype) {
    if (r->attributes[0].name || r->constants[0].rank) {
        if (i - 1 < sizeof r->constants / sizeof *r->constants) return r->constants[i - 1];
    }
    return (constant){.rank = dtype == WLK_I64, .shape = {1}};
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

/* x, and a constant for each further input that has to be there or that the recipe has; of
 * inputs of any number, x twice. */
#define MOST_INPUTS 12
static const char *const input_names[MOST_INPUTS] = {
    "x", "second", "third", "input3", "input4", "input5", "input6", "input7", "input8", "input9"};

static uint32_t count_inputs(const op_row *row, const recipe *r) {
    if (row->max_inputs == OP_MANY) return row->min_inputs > 2 ? row->min_inputs : 2;
    uint32_t count = row->min_inputs;
    for (uint32_t i = 0; i < 2; i++) {
        const constant *c = &r->constants[i];
        if ((c->rank || c->shape[0]) && count < i + 2) count = i + 2;
    }
    if (count == 0) count = 1;
    return count < row->max_inputs ? count : row->max_inputs;
}

static void put_inputs(wlk_writer *w, const op_row *row, const recipe *r, wlk_dtype dtype,
                       const char **inputs) {
    const uint32_t count = count_inputs(row, r);
    if (count >= MOST_INPUTS) seed_fail(row->name, NULL);
    for (uint32_t i = 0; i < count; i++) {
        const bool constant_input = i > 0 && row->max_inputs != OP_MANY;
        inputs[i] = input_names[constant_input ? i : 0];
        if (!constant_input) continue;
        const wlk_dtype its = port_dtype(row, i, dtype);
        const constant c = constant_of(r, i, its);
        put_constant(w, &c, inputs[i], its);
    }
    inputs[count] = NULL;
}

/* What must be given and is in no recipe. */
static bool recipe_has(const recipe *r, const char *name) {
    for (size_t i = 0; i < 5 && r->attributes[i].name; i++) {
        if (strcmp(r->attributes[i].name, name) == 0) return true;
    }
    return false;
}

static void put_required(wlk_writer *w, const attribute_row *a, uint32_t tensor) {
    const attribute given = {a->name, a->type, 2, a->type == INT ? 0 : 1, a->s ? a->s : "ab"};
    if (a->type == WLK_ATTR_TENSOR) {
        wlk_writer_attr_tensor(w, a->name, tensor);
    } else if (a->type != WLK_ATTR_DTYPE) { /* "to": operator_model */
        put_attribute(w, &given);
    }
}

static void put_attributes(wlk_writer *w, const op_row *row, const recipe *r, uint32_t tensor) {
    for (size_t i = 0; i < 5 && r->attributes[i].name; i++) {
        if (row_has(row, r->attributes[i].name)) put_attribute(w, &r->attributes[i]);
    }
    for (uint32_t i = 0; i < row->attribute_count; i++) {
        const attribute_row *a = &row->attributes[i];
        if (a->required && !recipe_has(r, a->name)) put_required(w, a, tensor);
    }
}

static bool needs_tensor(const op_row *row) {
    for (uint32_t i = 0; i < row->attribute_count; i++) {
        if (row->attributes[i].required && row->attributes[i].type == WLK_ATTR_TENSOR) return true;
    }
    return false;
}

static void operator_model(const model_visitor *visitor, const op_row *row, wlk_dtype dtype) {
    const recipe r = recipe_of(row);
    const char *inputs[MOST_INPUTS + 1] = {NULL};
    uint32_t tensor = 0;
    wlk_writer *w = model_begin();
    wlk_writer_opset(w, row->domain, row->since < 7 && !*row->domain ? 7 : row->since);
    put_inputs(w, row, &r, dtype, inputs);
    if (needs_tensor(row)) tensor = model_tensor(w, "of attribute", WLK_F32, 1, SHAPE(3));
    (void)wlk_writer_graph(w, "");
    wlk_writer_input(w, "x", wlk_writer_tensor_type(w, dtype, 2, (const int64_t[]){-1, 3}));
    wlk_writer_output(w, "y", WLK_NONE);
    if (row->max_outputs > 1) wlk_writer_output(w, "z", WLK_NONE);
    wlk_writer_node(w, row->name, row->domain, "node", inputs,
                    row->max_outputs > 1 ? NAMES("y", "z") : NAMES("y"));
    put_attributes(w, row, &r, tensor);
    if (row_has(row, "to")) {
        wlk_writer_attr_dtype(w, "to", port_dtype(row, 0, dtype == WLK_STR ? WLK_F64 : WLK_STR));
    }
    model_done(visitor, w, false, "%s-%s%s%u-%s", "op", row->name,
               *row->domain == 'a' ? "-ml-"
               : *row->domain      ? "-own-"
                                   : "-",
               row->since, wlk_dtype_name(dtype));
}

/* ---- operators that one node over one tensor does not show: those over sequences, maps,
 * optionals and subgraphs. fuzz/seeds/make_onnx.py has models of them. */

static const char *const others[] = {"If",
                                     "Loop",
                                     "Scan",
                                     "ZipMap",
                                     "Tokenizer",
                                     "DictVectorizer",
                                     "CastMap",
                                     "Optional",
                                     "OptionalGetElement",
                                     "OptionalHasElement",
                                     "SequenceEmpty",
                                     "SequenceConstruct",
                                     "SequenceInsert",
                                     "SequenceErase",
                                     "SequenceAt",
                                     "SequenceLength",
                                     "SequenceMap",
                                     "SplitToSequence",
                                     "ConcatFromSequence"};

static bool is_other(const op_row *row) {
    if (row->control) return true;
    for (uint32_t i = 0; row->kinds && i < row->min_inputs; i++) {
        if (!(row->kinds[i] & VALUE_BIT(VALUE_TENSOR))) return true;
    }
    return false;
}

/* The list names exactly those. */
static bool is_skipped(const op_row *row) {
    bool listed = false;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        listed |= strcmp(others[i], row->name) == 0;
    }
    if (listed != is_other(row)) seed_fail(row->name, NULL);
    return listed;
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
    for (uint32_t j = 0; ops_row(j); j++) {
        const op_row *other = ops_row(j);
        if (other->since > row->since && strcmp(other->name, row->name) == 0 &&
            strcmp(other->domain, row->domain) == 0) {
            return false;
        }
    }
    return true;
}

static void models_of_row(const model_visitor *visitor, const op_row *row) {
    const bool all = recipe_of(row).domain != NULL;
    if (!all || row->max_inputs == 0) {
        operator_model(visitor, row, port_dtype(row, 0, WLK_F32));
        return;
    }
    for (uint32_t d = 1; d < WLK_DTYPE_COUNT; d++) {
        if (row->ports[0].dtypes & DTYPE_BIT(d)) operator_model(visitor, row, (wlk_dtype)d);
    }
}

void models_operators(const model_visitor *visitor) {
    for (uint32_t i = 0; ops_row(i); i++) {
        if (is_newest(i) && !is_skipped(ops_row(i))) models_of_row(visitor, ops_row(i));
    }
    for (size_t i = 0; i < sizeof score_models / sizeof *score_models; i++) {
        score_model(visitor, &score_models[i]);
    }
}

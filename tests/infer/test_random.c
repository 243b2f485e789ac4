/* Invariant 11: what the plan accepts runs, or says why not, and never touches
 * what is not its own, whatever weights and inputs hold. Small graphs are made at
 * random from the operator table and run on hostile numbers, always the same ones
 * (fixed seed); under the sanitizers every value is fenced (src/infer/fence.h). */
#include "infer/model_kit.h"

#include <math.h>

#include "infer/ops.h"

enum { GRAPHS = 12000, MAX_VALUES = 128, MAX_NODES = 5, MAX_EDGES = 12, MAX_BYTES = 8192 };

/* ---- chance */

static uint64_t chance_state;

static uint64_t chance(uint64_t below) {
    uint64_t z = (chance_state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (z ^ (z >> 31)) % below;
}

#define PICK(list) ((list)[chance(sizeof(list) / sizeof *(list))])

static double pick_double(void) {
    static const double odd[] = {NAN,
                                 (double)INFINITY,
                                 -(double)INFINITY,
                                 0,
                                 -0.0,
                                 1e308,
                                 -1e308,
                                 5e-324,
                                 1e-40,
                                 3.5e38,
                                 2,
                                 -2,
                                 1e19,
                                 -1e19,
                                 0.5,
                                 1};
    return chance(3) == 0 ? PICK(odd) : (double)chance(2001) / 100 - 10;
}

static int64_t pick_int(void) {
    static const int64_t odd[] = {INT64_MIN, INT64_MAX, INT32_MIN, INT32_MAX, -1,
                                  0,         1,         -128,      255,       INT64_MIN + 1};
    return chance(3) == 0 ? PICK(odd) : (int64_t)chance(21) - 5;
}

/* ---- tensors */

typedef struct random_tensor {
    wlk_tensor tensor;
    _Alignas(64) uint8_t data[MAX_BYTES];
} random_tensor;

static void fill_text(random_tensor *t) {
    static const char *const texts[] = {
        "", "1", "-2.5e3", "nan", "x", "INF", "99999999999999999999"};
    uint64_t end = 0;
    char *offsets = (char *)t->data;
    store_u64(offsets, 0);
    for (uint64_t i = 0; i < t->tensor.count; i++) {
        const char *text = PICK(texts);
        memcpy(offsets + 8 * (t->tensor.count + 1) + end, text, strlen(text));
        end += strlen(text);
        store_u64(offsets + 8 * (i + 1), end);
    }
    t->tensor.nbytes = 8 * (t->tensor.count + 1) + end;
}

static void fill_element(wlk_dtype dtype, uint8_t *data, uint64_t i) {
    const uint32_t bytes = wlk_dtype_bits(dtype) / 8;
    const double real = pick_double();
    const float single = (float)real;
    const int64_t whole = pick_int();
    if (dtype == WLK_F64) {
        memcpy(data + 8 * i, &real, 8);
    } else if (dtype == WLK_F32) {
        memcpy(data + 4 * i, &single, 4);
    } else if (dtype == WLK_BOOL) {
        data[i] = whole & 1;
    } else if (bytes <= 8) {
        memcpy(data + bytes * i, &whole, bytes);
    } else {
        memset(data + bytes * i, (int)whole & 255, bytes);
    }
}

/* Small shapes, most of them of two axes, so that they often fit each other. */
static void pick_shape(random_tensor *t) {
    static const uint64_t dims[] = {1, 2, 3, 2, 3, 2, 0, 4};
    static const uint32_t ranks[] = {2, 2, 2, 2, 1, 1, 0, 3, 4};
    t->tensor.rank = PICK(ranks);
    for (uint32_t i = 0; i < t->tensor.rank; i++) t->tensor.shape[i] = PICK(dims);
}

/* What Reshape, Slice and others are told: dims, axes, positions, counts. */
static void fill_shape(random_tensor *t) {
    static const int64_t dims[] = {-1, 0, 1, 2, 3, 6, 1, 0, 1, -2, INT64_MAX, INT32_MIN};
    const uint32_t bytes = wlk_dtype_bits(t->tensor.dtype) / 8;
    for (uint64_t i = 0; i < t->tensor.count; i++) {
        const int64_t dim = dims[chance(chance(8) ? 9 : 12)];
        memcpy(t->data + bytes * i, &dim, bytes);
    }
}

static void fill(random_tensor *t, bool is_shape) {
    memset(t->data, 0, sizeof t->data);
    assert_true(shape_count(t->tensor.shape, t->tensor.rank, &t->tensor.count));
    t->tensor.data = t->data;
    if (t->tensor.dtype == WLK_STR) {
        fill_text(t);
        return;
    }
    assert_true(dtype_nbytes(t->tensor.dtype, t->tensor.count, &t->tensor.nbytes));
    assert_true(t->tensor.nbytes <= MAX_BYTES);
    if (is_shape && (t->tensor.dtype == WLK_I64 || t->tensor.dtype == WLK_I32)) {
        fill_shape(t);
    } else if (wlk_dtype_bits(t->tensor.dtype) >= 8) {
        for (uint64_t i = 0; i < t->tensor.count; i++) fill_element(t->tensor.dtype, t->data, i);
    }
}

/* ---- a graph */

typedef enum value_source { SOURCE_INPUT, SOURCE_CONSTANT, SOURCE_NODE } value_source;

typedef struct random_value {
    char name[16];
    value_source kind;
    bool is_shape;
    random_tensor tensor; /* of a node: only its dtype, as far as can be told */
} random_value;

typedef struct random_node {
    const op_row *row;
    uint32_t inputs, outputs;
    uint32_t in[MAX_EDGES]; /* MAX_VALUES: omitted */
    uint32_t out[MAX_EDGES];
    wlk_dtype to; /* of Cast */
} random_node;

typedef struct random_graph {
    uint32_t opsets[OP_DOMAINS];
    uint32_t value_count;
    random_value values[MAX_VALUES];
    uint32_t node_count;
    random_node nodes[MAX_NODES];
    uint32_t rows;
} random_graph;

static uint32_t new_value(random_graph *g, value_source kind, wlk_dtype dtype) {
    random_value *v = &g->values[g->value_count];
    memset(v, 0, sizeof *v);
    (void)snprintf(v->name, sizeof v->name, "v%u", g->value_count);
    v->kind = kind;
    v->tensor.tensor.dtype = dtype;
    return g->value_count++;
}

static wlk_dtype pick_dtype(uint32_t mask) {
    for (;;) {
        const wlk_dtype dtype = (wlk_dtype)(1 + chance(WLK_DTYPE_COUNT - 1));
        if (mask & DTYPE_BIT(dtype)) return dtype;
    }
}

static uint32_t fresh_value(random_graph *g, const op_port *port, wlk_dtype dtype) {
    const uint32_t v = new_value(g, chance(2) ? SOURCE_INPUT : SOURCE_CONSTANT, dtype);
    random_value *value = &g->values[v];
    value->is_shape = (port->dtypes & ~(DTYPE_BIT(WLK_I64) | DTYPE_BIT(WLK_I32))) == 0;
    pick_shape(&value->tensor);
    if (value->is_shape && chance(8)) value->tensor.tensor.rank = (uint32_t)chance(4) != 0;
    if (value->is_shape && chance(2)) value->tensor.tensor.shape[0] = 1;
    fill(&value->tensor, value->is_shape);
    return v;
}

/* An input for the port: often one that a node has made, if its dtype fits. */
static uint32_t pick_input(random_graph *g, const op_port *port, wlk_dtype bound) {
    const uint32_t mask = bound ? DTYPE_BIT(bound) : port->dtypes;
    const uint32_t v = g->value_count ? (uint32_t)chance(g->value_count) : 0;
    if (g->value_count && chance(4) && (mask & DTYPE_BIT(g->values[v].tensor.tensor.dtype))) {
        return v;
    }
    if (chance(50) == 0) return fresh_value(g, port, pick_dtype(~DTYPE_BIT(WLK_BLOCK)));
    return fresh_value(g, port, pick_dtype(mask));
}

static wlk_dtype made_dtype(const random_graph *g, const random_node *n, uint32_t output) {
    if (strcmp(n->row->name, "Cast") == 0) return n->to;
    if (strcmp(n->row->name, "ArgMax") == 0) return WLK_I64;
    if (strcmp(n->row->name, "LinearClassifier") == 0 && output == 0) return WLK_I64;
    if (strcmp(n->row->domain, "ai.onnx.ml") == 0) return WLK_F32;
    if (n->inputs == 0 || n->in[0] == MAX_VALUES) return WLK_F32;
    return g->values[n->in[0]].tensor.tensor.dtype;
}

/* Subgraphs, and what is not a tensor, have tests of their own. */
static bool is_picked(const random_graph *g, const op_row *row) {
    for (uint32_t i = 0; i < row->attribute_count; i++) {
        if (row->attributes[i].type == WLK_ATTR_GRAPH) return false;
    }
    if (row->kinds && !(row->kinds[0] & VALUE_BIT(VALUE_TENSOR))) return false;
    if (row->max_inputs != OP_MANY && row->max_inputs > MAX_EDGES) return false;
    return row->since <= g->opsets[ops_domain(row->domain)];
}

static const op_port *port_of(const op_row *row, uint32_t i) {
    const uint32_t count = row->port_count ? row->port_count : 1;
    return &row->ports[row->max_inputs == OP_MANY && i >= count ? count - 1 : i];
}

static uint32_t count_of(uint32_t least, uint32_t most, uint32_t many) {
    if (most == OP_MANY) most = least > many ? least : many;
    return least + (uint32_t)chance(most - least + 1);
}

static void pick_node(random_graph *g) {
    random_node *n = &g->nodes[g->node_count];
    memset(n, 0, sizeof *n);
    do {
        n->row = ops_row((uint32_t)chance(g->rows));
    } while (!is_picked(g, n->row));
    n->inputs = count_of(n->row->min_inputs, n->row->max_inputs, 3);
    wlk_dtype bound = WLK_DTYPE_NONE;
    for (uint32_t i = 0; i < n->inputs; i++) {
        const op_port *port = port_of(n->row, i);
        n->in[i] = chance(40) ? pick_input(g, port, port->variable ? bound : 0) : MAX_VALUES;
        if (n->in[i] != MAX_VALUES && port->variable && !bound) {
            bound = g->values[n->in[i]].tensor.tensor.dtype;
        }
    }
    n->to = pick_dtype(n->row->max_inputs ? n->row->ports[0].dtypes : DTYPES_FLOAT);
    n->outputs = count_of(n->row->min_outputs ? n->row->min_outputs : 1, n->row->max_outputs, 2);
    for (uint32_t i = 0; i < n->outputs; i++) {
        n->out[i] = new_value(g, SOURCE_NODE, made_dtype(g, n, i));
    }
    g->node_count++;
}

static void pick_graph(random_graph *g) {
    g->value_count = g->node_count = 0;
    for (uint32_t i = 0; i < OP_DOMAINS; i++) {
        const op_domain *d = &op_domains[i];
        g->opsets[i] = d->oldest + (uint32_t)chance(d->newest - d->oldest + 1);
    }
    const uint32_t nodes = 1 + (uint32_t)chance(MAX_NODES);
    for (uint32_t i = 0; i < nodes; i++) pick_node(g);
}

/* ---- attributes */

static uint64_t pick_number(const attribute_row *row) {
    static const int64_t ints[] = {-2, -1, 0, 1, 2, 0, 1, INT64_MIN, INT64_MAX};
    if (row->type == WLK_ATTR_FLOATS) return f64_bits(chance(6) ? 0.5 : pick_double());
    if (row->type == WLK_ATTR_FLOAT) return f64_bits(pick_double());
    return (uint64_t)ints[chance(chance(6) ? 7 : 9)];
}

static void build_attribute(model_kit *k, const random_node *n, const attribute_row *row) {
    static const char *const texts[] = {"NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT",
                                        "OVR",  "L1",      "L2",       "MAX",          "other"};
    uint64_t values[6];
    const char *strings[6];
    const bool list = row->type >= WLK_ATTR_INTS;
    static const uint32_t lengths[] = {2, 3, 4, 6, 2, 2, 1, 0};
    const uint32_t count = list ? PICK(lengths) : 1;
    for (uint32_t i = 0; i < 6; i++) {
        values[i] = row->type == WLK_ATTR_DTYPE ? (uint64_t)n->to : pick_number(row);
        strings[i] = PICK(texts);
        if (row->type == WLK_ATTR_TENSOR) values[i] = 0; /* the model's first */
    }
    if (row->type == WLK_ATTR_TYPE || row->type == WLK_ATTR_TENSORS) return;
    if (row->type == WLK_ATTR_STRING || row->type == WLK_ATTR_STRINGS) {
        kit_texts(k, row->name, row->type, strings, count);
    } else {
        kit_attribute(k, row->name, row->type, values, count);
    }
}

static void build_attributes(model_kit *k, const random_node *n) {
    for (uint32_t i = 0; i < n->row->attribute_count; i++) {
        const attribute_row *row = &n->row->attributes[i];
        /* one kind of labels, mostly */
        const uint64_t of = row->required ? 40 : strstr(row->name, "labels") ? 2 : 3;
        if (row->required ? chance(of) != 0 : chance(of) == 0) build_attribute(k, n, row);
    }
    if (chance(200) == 0) kit_int(k, "zz_unknown", 1);
}

/* ---- the model */

static void build_input(model_kit *k, const random_value *v) {
    int64_t dims[WLK_MAX_RANK] = {0};
    const wlk_tensor *t = &v->tensor.tensor;
    const uint64_t flavour = chance(4); /* dims known, some unknown, all, or the rank */
    for (uint32_t i = 0; i < t->rank; i++) {
        const bool unknown = flavour == 2 || (flavour == 1 && chance(2));
        dims[i] = unknown ? WLK_UNKNOWN_DIM : (int64_t)t->shape[i];
    }
    kit_input(k, v->name, kit_type(k, t->dtype, flavour != 3, flavour != 3 ? t->rank : 0, dims));
}

static void build_node(model_kit *k, const random_graph *g, const random_node *n) {
    const char *in[MAX_EDGES];
    const char *out[MAX_EDGES];
    for (uint32_t i = 0; i < n->inputs; i++) {
        in[i] = n->in[i] == MAX_VALUES ? "" : g->values[n->in[i]].name;
    }
    for (uint32_t i = 0; i < n->outputs; i++) out[i] = g->values[n->out[i]].name;
    kit_node(k, n->row->domain, n->row->name, in, n->inputs, out, n->outputs);
    build_attributes(k, n);
}

static wlk_model *build_model(const random_graph *g) {
    model_kit k;
    static const uint64_t one[1] = {1};
    static const float half[1] = {0.5F};
    const wlk_tensor spare = kit_array("spare", WLK_F32, 1, one, half);
    kit_open(&k);
    for (uint32_t i = 0; i < OP_DOMAINS; i++) kit_opset(&k, op_domains[i].name, g->opsets[i]);
    (void)kit_tensor(&k, &spare);
    for (uint32_t i = 0; i < g->value_count; i++) {
        if (g->values[i].kind != SOURCE_CONSTANT) continue;
        wlk_tensor tensor = g->values[i].tensor.tensor;
        tensor.name = g->values[i].name;
        tensor.data = g->values[i].tensor.data;
        (void)kit_tensor(&k, &tensor);
    }
    kit_graph(&k);
    for (uint32_t i = 0; i < g->value_count; i++) {
        if (g->values[i].kind == SOURCE_INPUT) build_input(&k, &g->values[i]);
    }
    kit_output(&k, g->values[g->value_count - 1].name, IMAGE_NONE);
    kit_output(&k, g->values[chance(g->value_count)].name, IMAGE_NONE);
    for (uint32_t i = 0; i < g->node_count; i++) build_node(&k, g, &g->nodes[i]);
    return kit_close(&k);
}

/* ---- running it */

enum { MAX_ROWS = 4096, OPERATORS = 100 };

typedef struct tally {
    uint32_t planned, ran, refused;
    uint32_t rows[MAX_ROWS]; /* runs in which each row of the table took part */
} tally;

static void count_rows(const random_graph *g, tally *t) {
    for (uint32_t i = 0; i < g->rows; i++) {
        const op_row *row = ops_row(i);
        for (uint32_t j = 0; j < g->node_count; j++) t->rows[i] += g->nodes[j].row == row;
    }
}

static void check_tensor(const wlk_plan *plan, uint32_t i, const wlk_tensor *t) {
    const wlk_port port = wlk_plan_output(plan, i);
    uint64_t count = 0;
    uint64_t bad = 0;
    assert_true(shape_count(t->shape, t->rank, &count));
    assert_int_equal(count, t->count);
    assert_int_equal(t->dtype, port.dtype);
    assert_string_equal(t->name, port.name);
    assert_true(port.rank == WLK_NONE || port.rank == t->rank);
    for (uint32_t a = 0; port.rank != WLK_NONE && a < t->rank; a++) {
        assert_true(port.dims[a] == WLK_UNKNOWN_DIM || port.dims[a] == (int64_t)t->shape[a]);
    }
    assert_int_equal((uintptr_t)t->data % 64, 0);
    assert_true(payload_valid(t->dtype, t->count, t->data, t->nbytes, &bad));
}

static bool is_repeatable(const random_graph *g) {
    for (uint32_t i = 0; i < g->node_count; i++) {
        if (g->nodes[i].row->flags & OP_IMPURE) return false;
    }
    return true;
}

/* An output may be a sequence. */
static bool is_tensor(const wlk_result *result, uint32_t i) {
    return wlk_result_kind(result, i) == WLK_VALUE_TENSOR;
}

static void compare_results(const wlk_result *a, const wlk_result *b) {
    for (uint32_t i = 0; i < wlk_result_count(a); i++) {
        if (!is_tensor(a, i)) continue;
        const wlk_tensor x = wlk_result_tensor(a, i);
        const wlk_tensor y = wlk_result_tensor(b, i);
        assert_int_equal(x.nbytes, y.nbytes);
        if (x.nbytes > 0) assert_memory_equal(x.data, y.data, x.nbytes);
    }
}

static wlk_status run_once(const wlk_plan *plan, const wlk_tensor *inputs, uint32_t count,
                           wlk_result **result) {
    wlk_error error = {.status = WLK_OK};
    const wlk_status status = wlk_run(plan, inputs, count, result, &error);
    assert_int_equal(status, error.status);
    if (status == WLK_OK) return status;
    assert_null(*result);
    /* never a failed internal check, never out of memory: everything was planned */
    if (status != WLK_REFUSED && status != WLK_USAGE && status != WLK_LIMIT &&
        status != WLK_UNSUPPORTED) {
        char text[512];
        fail_msg("%s", wlk_error_format(&error, text, sizeof text));
    }
    return status;
}

static void run_plan(const wlk_plan *plan, random_graph *g, tally *t) {
    wlk_tensor inputs[MAX_VALUES];
    uint32_t count = 0;
    for (uint32_t i = 0; i < g->value_count; i++) {
        if (g->values[i].kind == SOURCE_INPUT) inputs[count++] = g->values[i].tensor.tensor;
    }
    assert_int_equal(count, wlk_plan_inputs(plan));
    wlk_result *first = NULL;
    wlk_result *second = NULL;
    const wlk_status status = run_once(plan, inputs, count, &first);
    assert_int_equal(run_once(plan, inputs, count, &second), status);
    if (status == WLK_OK) {
        for (uint32_t i = 0; i < wlk_result_count(first); i++) {
            const wlk_tensor tensor = wlk_result_tensor(first, i);
            if (is_tensor(first, i)) check_tensor(plan, i, &tensor);
        }
        if (is_repeatable(g)) compare_results(first, second);
        wlk_result_free(first);
        wlk_result_free(second);
        count_rows(g, t);
        t->ran++;
    }
}

static void try_graph(random_graph *g, tally *t) {
    wlk_limits limits;
    wlk_error error = {.status = WLK_OK};
    wlk_plan *plan = NULL;
    wlk_limits_default(&limits);
    limits.run_bytes = 1u << 20;
    limits.run_operations = 1u << 24;
    pick_graph(g);
    wlk_model *model = build_model(g);
    const wlk_status status = wlk_plan_create(model, &limits, &plan, &error);
    if (status == WLK_OK) {
        t->planned++;
        run_plan(plan, g, t);
    } else {
        assert_true(status == WLK_REFUSED || status == WLK_UNSUPPORTED || status == WLK_LIMIT);
        assert_int_equal(status, error.status);
        t->refused++;
    }
    wlk_plan_free(plan);
    wlk_model_free(model);
}

/* Operators of which some version took part in a run. */
static uint32_t operators_that_ran(const random_graph *g, const tally *t) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < g->rows; i++) {
        bool is_new = t->rows[i] > 0;
        for (uint32_t j = 0; j < i && is_new; j++) {
            const bool same = strcmp(ops_row(i)->name, ops_row(j)->name) == 0 &&
                              strcmp(ops_row(i)->domain, ops_row(j)->domain) == 0;
            is_new = !(same && t->rows[j] > 0);
        }
        count += is_new;
    }
    print_message("%u operators ran\n", count);
    return count;
}

static void test_invariant_11_random_graphs(void **state) {
    (void)state;
    static random_graph g;
    static tally t;
    chance_state = 20240607;
    while (ops_row(g.rows)) g.rows++;
    assert_in_range(g.rows, 1, MAX_ROWS);
    for (uint32_t i = 0; i < GRAPHS; i++) try_graph(&g, &t);
    print_message("%u planned, %u of them ran, %u refused\n", t.planned, t.ran, t.refused);
    /* else the test would say little */
    assert_true(t.ran > GRAPHS / 10);
    assert_true(t.refused > GRAPHS / 10);
    assert_true(operators_that_ran(&g, &t) >= OPERATORS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_invariant_11_random_graphs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Models as ONNX files: what comes back from one, what a node of org.weighlock becomes, what
 * is refused. */
#include "support/no_memory.h"
#include "support/scratch.h"

#include <weighlock/infer.h>
#include <weighlock/parse.h>

#include "write/everything.h"
#include "write/onnx_out.h"

/* ---- reading back */

static wlk_model *exported(const wlk_model *model) {
    uint8_t *bytes;
    uint64_t size;
    wlk_model *back;
    wlk_error error = {0};
    EXPECT_OK(wlk_write_onnx_memory(model, &bytes, &size, &error));
    EXPECT_OK(wlk_parse_memory(bytes, size, WLK_FORMAT_NONE, NULL, &back, &error));
    assert_int_equal(wlk_model_format(back), WLK_FORMAT_ONNX);
    wlk_free(bytes);
    return back;
}

static void expect_same_bytes(const wlk_model *a, const wlk_model *b) {
    uint8_t *first, *second;
    uint64_t first_size, second_size;
    wlk_error error = {0};
    EXPECT_OK(wlk_write_onnx_memory(a, &first, &first_size, &error));
    EXPECT_OK(wlk_write_onnx_memory(b, &second, &second_size, &error));
    assert_int_equal(first_size, second_size);
    assert_memory_equal(first, second, first_size);
    wlk_free(first);
    wlk_free(second);
}

static void expect_text(const wlk_model *model, const char *path, const char *text) {
    const uint32_t index = wlk_model_find_meta(model, path);
    if (index == WLK_NONE) fail_msg("no %s", path);
    assert_string_equal(wlk_model_meta(model, index).s, text);
}

/* ---- everything that ONNX has */

static void put_dtypes(wlk_writer *w) {
    uint8_t bytes[128];
    for (uint32_t dtype = 1; dtype < WLK_BLOCK; dtype++) {
        char name[32];
        (void)snprintf(name, sizeof name, "t_%s", wlk_dtype_name((wlk_dtype)dtype));
        wlk_tensor t = {
            .name = name, .dtype = (wlk_dtype)dtype, .rank = 2, .shape = {3, 2}, .data = bytes};
        for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(i * dtype + 1);
        for (size_t i = 0; dtype == WLK_BOOL && i < sizeof bytes; i++) bytes[i] = i % 2;
        if (dtype == WLK_STR) continue;
        assert_true(dtype_nbytes(t.dtype, 6, &t.nbytes));
        if (wlk_dtype_bits(t.dtype) == 6) bytes[t.nbytes - 1] &= 0x0f;
        (void)wlk_writer_tensor(w, &t);
    }
    static const char *const texts[] = {"", "one", "zw\xc3\xb6lf", "", "\xf0\x9f\x9a\xa2", "end"};
    (void)wlk_writer_strings(w, "t_str", 2, (const uint64_t[]){3, 2}, texts);
    const wlk_tensor empty = {.name = "empty", .dtype = WLK_F32, .rank = 2, .shape = {0, 5}};
    (void)wlk_writer_tensor(w, &empty);
}

static void put_main_graph(wlk_writer *w) {
    const wlk_type symbolic = {.kind = WLK_TYPE_TENSOR,
                               .dtype = WLK_F32,
                               .has_shape = true,
                               .rank = 3,
                               .dims = {WLK_UNKNOWN_DIM, 2, WLK_UNKNOWN_DIM},
                               .symbols = {"batch"}};
    const wlk_type any = {.kind = WLK_TYPE_TENSOR, .dtype = WLK_STR};
    const uint32_t sequence = wrapped(w, WLK_TYPE_SEQUENCE, wlk_writer_type(w, &any));
    const uint32_t map = wrapped(w, WLK_TYPE_MAP, sequence);
    const uint32_t optional = wrapped(w, WLK_TYPE_OPTIONAL, sequence);
    const uint32_t x = wlk_writer_type(w, &symbolic);
    wlk_writer_graph(w, "main");
    wlk_writer_input(w, "x", x);
    wlk_writer_input(w, "maybe", optional);
    wlk_writer_output(w, "y", x);
    wlk_writer_output(w, "z", map);
    wlk_writer_output(w, "t_i64", WLK_NONE);
    wlk_writer_output(w, "x", WLK_NONE);
    wlk_writer_node(w, "Some", "com.example", "node", LIST("x", "", "t_f32"), LIST("y", "", "h"));
    wlk_writer_attr_ints(w, "ints", (const int64_t[]){0, -1, INT64_MIN, INT64_MAX}, 4);
    wlk_writer_attr_int(w, "int", -7);
    wlk_writer_attr_float(w, "float", 0.5);
    wlk_writer_attr_float(w, "infinite", -(double)INFINITY);
    wlk_writer_attr_floats(w, "floats", (const double[]){-0.0, 1.5}, 2);
    wlk_writer_attr_floats(w, "no_floats", NULL, 0);
    wlk_writer_attr_string(w, "string", "");
    wlk_writer_attr_strings(w, "strings", (const char *const[]){"b", "a", "b"}, 3);
    wlk_writer_attr_tensor(w, "tensor", 1);
    wlk_writer_attr_tensors(w, "tensors", (const uint32_t[]){0, 3, 0}, 3);
    wlk_writer_attr_type(w, "type", optional);
    wlk_writer_node(w, "Other", "com.example", "", LIST("h", "t_str"), LIST("z"));
    wlk_writer_attr_graph(w, "body", 1);
    wlk_writer_attr_graphs(w, "others", (const uint32_t[]){2, 3}, 2);
}

static void put_subgraphs(wlk_writer *w, uint32_t scalar) {
    wlk_writer_graph(w, "");
    wlk_writer_input(w, "i", scalar);
    wlk_writer_input(w, "j", WLK_NONE);
    wlk_writer_output(w, "j", WLK_NONE);
    wlk_writer_output(w, "k", scalar);
    wlk_writer_node(w, "Deep", "com.example", "", LIST("i", "h"), LIST("k"));
    wlk_writer_attr_graph(w, "body", 4);
    for (int i = 0; i < 3; i++) {
        char name[8];
        (void)snprintf(name, sizeof name, "o%d", i);
        wlk_writer_graph(w, "inner");
        wlk_writer_output(w, name, WLK_NONE);
        wlk_writer_node(w, "Neg", "", "", LIST(i == 2 ? "j" : "x"), LIST(name));
    }
}

static wlk_model *most_of_it(void) {
    wlk_writer *w = writer_new();
    everything_metadata(w);
    wlk_writer_opset(w, "", 21);
    wlk_writer_opset(w, "com.example", 3);
    put_dtypes(w);
    const uint32_t scalar = wlk_writer_tensor_type(w, WLK_I64, 0, NULL);
    put_main_graph(w);
    put_subgraphs(w, scalar);
    return writer_end(w);
}

static void expect_tensor(const wlk_model *a, const wlk_model *b, uint32_t index) {
    const wlk_tensor want = wlk_model_tensor(a, index);
    const uint32_t found = wlk_model_find_tensor(b, want.name);
    const wlk_tensor got = wlk_model_tensor(b, found);
    if (found == WLK_NONE) fail_msg("no tensor %s", want.name);
    assert_int_equal(got.dtype, want.dtype);
    assert_int_equal(got.rank, want.rank);
    assert_int_equal(got.nbytes, want.nbytes);
    if (want.nbytes > 0) assert_memory_equal(got.data, want.data, want.nbytes);
}

/* What only an attribute holds has no name in the file. */
static bool is_attribute_only(const char *name) {
    return strcmp(name, "t_f64") == 0 || strcmp(name, "t_bf16") == 0;
}

static void expect_type(const wlk_model *model, uint32_t index, wlk_type_kind kind,
                        wlk_type_kind element) {
    const wlk_type type = wlk_model_type(model, index);
    assert_int_equal(type.kind, kind);
    assert_int_equal(wlk_model_type(model, type.element).kind, element);
}

static void expect_ports(const wlk_model *m) {
    const wlk_value x = wlk_model_value(m, wlk_model_graph_input(m, 0, 0));
    const wlk_value maybe = wlk_model_value(m, wlk_model_graph_input(m, 0, 1));
    const wlk_type type = wlk_model_type(m, x.type);
    assert_string_equal(x.name, "x");
    assert_int_equal(type.rank, 3);
    assert_int_equal(type.dims[0], WLK_UNKNOWN_DIM);
    assert_string_equal(type.symbols[0], "batch");
    assert_int_equal(type.dims[1], 2);
    assert_null(type.symbols[2]);
    expect_type(m, maybe.type, WLK_TYPE_OPTIONAL, WLK_TYPE_SEQUENCE);
    assert_int_equal(wlk_model_graph(m, 0).outputs, 4);
    const wlk_ref z = wlk_model_graph_output(m, 0, 1), constant = wlk_model_graph_output(m, 0, 2);
    expect_type(m, wlk_model_value(m, z.index).type, WLK_TYPE_MAP, WLK_TYPE_SEQUENCE);
    assert_int_equal(constant.kind, WLK_REF_TENSOR);
    assert_string_equal(wlk_model_tensor(m, constant.index).name, "t_i64");
}

/* The attributes of the first node, by what a model says of them. */
static void expect_attributes(const wlk_model *m) {
    static const struct {
        const char *name;
        wlk_attribute_type type;
        uint32_t count;
    } rows[] = {{"float", WLK_ATTR_FLOAT, 1},    {"floats", WLK_ATTR_FLOATS, 2},
                {"infinite", WLK_ATTR_FLOAT, 1}, {"int", WLK_ATTR_INT, 1},
                {"ints", WLK_ATTR_INTS, 4},      {"no_floats", WLK_ATTR_FLOATS, 0},
                {"string", WLK_ATTR_STRING, 1},  {"strings", WLK_ATTR_STRINGS, 3},
                {"tensor", WLK_ATTR_TENSOR, 1},  {"tensors", WLK_ATTR_TENSORS, 3},
                {"type", WLK_ATTR_TYPE, 1}};
    assert_int_equal(wlk_model_node(m, 0).attributes, sizeof rows / sizeof *rows);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const wlk_attribute a = wlk_model_attribute(m, (uint32_t)i);
        assert_string_equal(a.name, rows[i].name);
        assert_int_equal(a.type, rows[i].type);
        assert_int_equal(a.count, rows[i].count);
    }
    const wlk_attribute ints = wlk_model_attribute(m, 4);
    assert_int_equal(wlk_model_attribute_int(m, &ints, 2), INT64_MIN);
}

static void expect_metadata(const wlk_model *m) {
#define PROP "/metadata/source/metadata_props/weighlock."
    expect_text(m, "/producer", "a test");
    expect_text(m, PROP "kind", "classifier");
    expect_text(m, PROP "version", "1.0");
    expect_text(m, PROP "created", "2001-02-03");
    expect_text(m, PROP "tags", "[\"b\", \"a\", \"\"]");
    expect_text(m, PROP "training", "{}");
    expect_text(m, PROP "metrics", "{\"accuracy\": 0.96999999999999997, \"nan\": \"nan\"}");
    expect_text(m, PROP "hyperparameters",
                "{\"a/b~c\": 255, \"u\": null, \"v\": false, \"w\": true, \"x\": 65536, "
                "\"y\": 18446744073709551615, \"z\": -9223372036854775808}");
    expect_text(m, PROP "x-list", "[{}, {\"deep\": -33}, []]");
    expect_text(m, PROP "x-note", "{\"\xc3\xa9\": \"\xe2\x82\xac\"}");
    expect_text(m, PROP "x-", "1");
}

/* Everything comes back, and once more the same bytes. */
static void test_everything_comes_back(void **state) {
    (void)state;
    wlk_model *model = most_of_it();
    wlk_model *back = exported(model);
    wlk_model *again = exported(back);
    for (uint32_t i = 0; i < wlk_model_count(model, WLK_SECTION_TENSORS); i++) {
        if (!is_attribute_only(wlk_model_tensor(model, i).name)) expect_tensor(model, back, i);
    }
    expect_ports(back);
    expect_attributes(back);
    expect_metadata(back);
    expect_metadata(again);
    assert_int_equal(wlk_model_count(back, WLK_SECTION_GRAPHS), 5);
    assert_int_equal(wlk_model_count(back, WLK_SECTION_NODES), 6);
    expect_same_bytes(back, again);
    wlk_model_free(again);
    wlk_model_free(back);
    wlk_model_free(model);
}

/* A subgraph that gives what it does not make gets an Identity; so no reader has to look
 * around it for an output. */
static void test_outer_outputs(void **state) {
    (void)state;
    wlk_writer *w = writer_new();
    const uint32_t type = wlk_writer_tensor_type(w, WLK_F32, 0, NULL);
    const uint32_t boolean = wlk_writer_tensor_type(w, WLK_BOOL, 0, NULL);
    const float one = 1;
    const wlk_tensor t = {.name = "__one", .dtype = WLK_F32, .data = &one, .nbytes = 4};
    wlk_writer_opset(w, "ai.onnx", 13);
    (void)wlk_writer_tensor(w, &t);
    wlk_writer_graph(w, "");
    wlk_writer_input(w, "x", type);
    wlk_writer_input(w, "c", boolean);
    wlk_writer_output(w, "y", type);
    wlk_writer_node(w, "If", "ai.onnx", "", LIST("c"), LIST("y"));
    wlk_writer_attr_graph(w, "then_branch", 1);
    wlk_writer_attr_graph(w, "else_branch", 2);
    wlk_writer_graph(w, "");
    wlk_writer_output(w, "x", WLK_NONE);
    wlk_writer_graph(w, "");
    wlk_writer_output(w, "__one", WLK_NONE);
    wlk_model *model = writer_end(w);
    wlk_model *back = exported(model);
    assert_int_equal(wlk_model_graph(back, 1).nodes, 1);
    assert_string_equal(wlk_model_node(back, 1).op, "Identity");
    assert_string_equal(wlk_model_node(back, 2).op, "Identity");
    assert_string_equal(wlk_model_node(back, 0).domain, "");
    assert_int_equal(wlk_model_opset(back, 0).version, 13);
    wlk_model_free(back);
    wlk_model_free(model);
}

/* Weights alone are a graph of constants; a number is a version of its own. */
static void test_weights_alone(void **state) {
    (void)state;
    wlk_writer *w = writer_new();
    wlk_writer_meta_string(w, "/version", "-12");
    wlk_writer_meta_string(w, "/name", "weights");
    wlk_writer_meta_string(w, "/metadata/source/format", "other");
    put_dtypes(w);
    wlk_model *model = writer_end(w);
    wlk_model *back = exported(model);
    for (uint32_t i = 0; i < wlk_model_count(model, WLK_SECTION_TENSORS); i++) {
        expect_tensor(model, back, i);
    }
    expect_text(back, "/version", "-12");
    expect_text(back, "/name", "weights");
    expect_text(back, "/producer", "Weighlock");
    expect_text(back, PROP "source", "{\"format\": \"other\"}");
    wlk_model_free(back);
    wlk_model_free(model);
}

/* Long lists are tensors in a model, and lists in ONNX. */
static void test_lists(void **state) {
    (void)state;
    static const int64_t keys[] = {5, -6};
    static const float values[] = {0.5f, 2};
    const wlk_tensor ints = {
        .name = "k", .dtype = WLK_I64, .rank = 1, .shape = {2}, .data = keys, .nbytes = 16};
    const wlk_tensor floats = {
        .name = "v", .dtype = WLK_F32, .rank = 1, .shape = {2}, .data = values, .nbytes = 8};
    wlk_writer *w = writer_new();
    wlk_writer_opset(w, "ai.onnx.ml", 4);
    const uint32_t k = wlk_writer_tensor(w, &ints), v = wlk_writer_tensor(w, &floats);
    const uint32_t t =
        wlk_writer_strings(w, "t", 1, (const uint64_t[]){2}, (const char *const[]){"a", "b"});
    const uint32_t type = wlk_writer_tensor_type(w, WLK_I64, 1, (const int64_t[]){-1});
    wlk_writer_graph(w, "");
    wlk_writer_input(w, "x", type);
    wlk_writer_output(w, "y", type);
    wlk_writer_node(w, "LabelEncoder", "ai.onnx.ml", "", LIST("x"), LIST("y"));
    wlk_writer_attr_tensor(w, "keys_int64s", k);
    wlk_writer_attr_tensor(w, "keys_tensor", k);
    wlk_writer_attr_tensor(w, "nodes_values_as_tensor", v);
    wlk_writer_attr_tensor(w, "values_floats", v);
    wlk_writer_attr_tensor(w, "values_strings", t);
    wlk_model *model = writer_end(w);
    wlk_model *back = exported(model);
    static const wlk_attribute_type types[] = {WLK_ATTR_INTS, WLK_ATTR_TENSOR, WLK_ATTR_TENSOR,
                                               WLK_ATTR_FLOATS, WLK_ATTR_STRINGS};
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(wlk_model_attribute(back, i).type, types[i]);
    }
    const wlk_attribute first = wlk_model_attribute(back, 0), last = wlk_model_attribute(back, 4);
    assert_int_equal(wlk_model_attribute_int(back, &first, 1), -6);
    assert_string_equal(wlk_model_attribute_string(back, &last, 1), "b");
    wlk_model_free(back);
    wlk_model_free(model);
}

/* ---- nodes of org.weighlock */

#define ROWS 23
#define COLUMNS 3

static double cell(uint32_t i) {
    return (double)(i * 7919 % 61) / 8 - 3.5;
}

/* A model of one node, from X f64 or f32 [n, 3]. */
static wlk_writer *begin_node(uint32_t opset) {
    wlk_writer *w = writer_new();
    wlk_writer_opset(w, "org.weighlock", 1);
    if (opset > 0) wlk_writer_opset(w, "", opset);
    return w;
}

static uint32_t put_reals(wlk_writer *w, const char *name, uint64_t rows, uint64_t columns) {
    double data[32];
    for (uint32_t i = 0; i < rows * columns; i++) data[i] = cell(i + 5) / 2 + 0.25;
    const wlk_tensor t = {.name = name,
                          .dtype = WLK_F64,
                          .rank = rows > 1 || name[0] == 'W' ? 2 : 1,
                          .shape = {name[0] == 'W' ? rows : rows * columns, columns},
                          .data = data,
                          .nbytes = rows * columns * 8};
    return wlk_writer_tensor(w, &t);
}

static void begin_graph(wlk_writer *w, wlk_dtype dtype, const wlk_dtype *outputs,
                        uint32_t output_count) {
    static const char *const names[] = {"y", "z"};
    const int64_t dims[] = {WLK_UNKNOWN_DIM, COLUMNS}, any[] = {WLK_UNKNOWN_DIM, WLK_UNKNOWN_DIM};
    const uint32_t x = wlk_writer_tensor_type(w, dtype, 2, dims);
    uint32_t types[2] = {0};
    for (uint32_t i = 0; i < output_count; i++) {
        types[i] = wlk_writer_tensor_type(w, outputs[i], i == 0 && output_count > 1 ? 1 : 2, any);
    }
    wlk_writer_graph(w, "");
    wlk_writer_input(w, "x", x);
    for (uint32_t i = 0; i < output_count; i++) wlk_writer_output(w, names[i], types[i]);
}

static wlk_result *run(const wlk_model *model, wlk_dtype dtype) {
    double wide[ROWS * COLUMNS];
    float narrow[ROWS * COLUMNS];
    wlk_error error = {0};
    wlk_plan *plan;
    wlk_result *result;
    for (uint32_t i = 0; i < ROWS * COLUMNS; i++) {
        wide[i] = i % 11 == 10 && dtype == WLK_F32 ? (double)NAN : cell(i);
        narrow[i] = (float)wide[i];
    }
    const wlk_tensor x = {.name = "x",
                          .dtype = dtype,
                          .rank = 2,
                          .shape = {ROWS, COLUMNS},
                          .count = ROWS * COLUMNS,
                          .data = dtype == WLK_F32 ? (const void *)narrow : wide,
                          .nbytes = ROWS * COLUMNS * (dtype == WLK_F32 ? 4u : 8u)};
    EXPECT_OK(wlk_plan_create(model, NULL, &plan, &error));
    EXPECT_OK(wlk_run(plan, &x, 1, &result, &error));
    wlk_plan_free(plan);
    return result;
}

static void expect_close(const wlk_tensor *got, const wlk_tensor *want, double tolerance) {
    assert_int_equal(got->dtype, want->dtype);
    assert_int_equal(got->count, want->count);
    if (want->dtype != WLK_F64) {
        assert_int_equal(got->nbytes, want->nbytes);
        assert_memory_equal(got->data, want->data, want->nbytes);
        return;
    }
    for (uint64_t i = 0; i < want->count; i++) {
        const double a = ((const double *)got->data)[i], b = ((const double *)want->data)[i];
        if (!(fabs(a - b) <= tolerance))
            fail_msg("element %u: %.17g, not %.17g", (unsigned)i, a, b);
    }
}

/* The file has no node of ours, and gives the same. Takes the writer. */
static void expect_same(wlk_writer *w, wlk_dtype dtype, uint32_t outputs, double tolerance) {
    wlk_model *model = writer_end(w);
    wlk_model *back = exported(model);
    for (uint32_t i = 0; i < wlk_model_count(back, WLK_SECTION_NODES); i++) {
        assert_string_not_equal(wlk_model_node(back, i).domain, "org.weighlock");
    }
    for (uint32_t i = 0; i < wlk_model_count(back, WLK_SECTION_OPSETS); i++) {
        assert_string_not_equal(wlk_model_opset(back, i).domain, "org.weighlock");
    }
    wlk_result *want = run(model, dtype), *got = run(back, dtype);
    for (uint32_t i = 0; i < outputs; i++) {
        const wlk_tensor a = wlk_result_tensor(got, i), b = wlk_result_tensor(want, i);
        expect_close(&a, &b, tolerance);
    }
    wlk_result_free(want);
    wlk_result_free(got);
    wlk_model_free(back);
    wlk_model_free(model);
}

static void test_scaler(void **state) {
    (void)state;
    const wlk_dtype f64 = WLK_F64;
    for (uint32_t given = 0; given < 4; given++) {
        wlk_writer *w = begin_node(0);
        if (given & 1) (void)put_reals(w, "mean", 1, COLUMNS);
        if (given & 2) (void)put_reals(w, "scale", 1, COLUMNS);
        begin_graph(w, WLK_F64, &f64, 1);
        wlk_writer_node(w, "Scaler", "org.weighlock", "",
                        LIST("x", given & 1 ? "mean" : "", given & 2 ? "scale" : NULL), LIST("y"));
        expect_same(w, WLK_F64, 1, 0);
    }
}

static void test_linear_regressor(void **state) {
    (void)state;
    const wlk_dtype f64 = WLK_F64;
    for (uint32_t given = 0; given < 2; given++) {
        wlk_writer *w = begin_node(21);
        (void)put_reals(w, "W", 2, COLUMNS);
        if (given) (void)put_reals(w, "b", 1, 2);
        begin_graph(w, WLK_F64, &f64, 1);
        wlk_writer_node(w, "LinearRegressor", "org.weighlock", "",
                        LIST("x", "W", given ? "b" : NULL), LIST("y"));
        expect_same(w, WLK_F64, 1, 1e-13);
    }
}

/* A classifier of `scores` scores for `labels` labels, which are given in one of three ways. */
static wlk_writer *classifier(uint64_t scores, uint32_t labels, uint32_t way,
                              const char *transform) {
    static const int64_t ints[] = {7, -3, 10, 5};
    static const char *const texts[] = {"no", "yes", "\xc3\xa9", "z"};
    const wlk_dtype outputs[] = {way == 1 ? WLK_STR : WLK_I64, WLK_F64};
    const wlk_tensor many = {.name = "",
                             .dtype = WLK_I64,
                             .rank = 1,
                             .shape = {labels},
                             .data = ints,
                             .nbytes = 8 * (uint64_t)labels};
    wlk_writer *w = begin_node(13);
    (void)put_reals(w, "W", scores, COLUMNS);
    const uint32_t tensor = way == 2 ? wlk_writer_tensor(w, &many) : 0;
    begin_graph(w, WLK_F64, outputs, 2);
    wlk_writer_node(w, "LinearClassifier", "org.weighlock", "", LIST("x", "W"), LIST("y", "z"));
    if (way == 0) wlk_writer_attr_ints(w, "classlabels_ints", ints, labels);
    if (way == 1) wlk_writer_attr_strings(w, "classlabels_strings", texts, labels);
    if (way == 2) wlk_writer_attr_tensor(w, "classlabels_ints", tensor);
    if (transform) wlk_writer_attr_string(w, "post_transform", transform);
    return w;
}

static void test_linear_classifier(void **state) {
    (void)state;
    static const char *const transforms[] = {NULL, "NONE", "SOFTMAX", "LOGISTIC", "OVR"};
    for (uint32_t way = 0; way < 3; way++) {
        for (uint32_t t = 0; t < 5; t++) {
            expect_same(classifier(1, 2, way, transforms[t]), WLK_F64, 2, 1e-13);
            expect_same(classifier(2, 2, way, transforms[t]), WLK_F64, 2, 1e-13);
            expect_same(classifier(4, 4, way, transforms[t]), WLK_F64, 2, 1e-13);
        }
    }
}

/* ---- trees */

typedef struct forest {
    wlk_dtype dtype;
    wlk_dtype features;
    uint64_t targets;
    bool flags, base, average;
    uint32_t ml_opset;
    uint8_t flag;  /* of the first node */
    uint32_t root; /* of the second tree */
    uint64_t nodes;
} forest;

/* Two trees: a root with a leaf and a node below it, and a single leaf. */
static wlk_writer *forest_writer(const forest *f) {
    static const uint32_t right[] = {2, 0, 2, 0, 0, 0};
    static const uint16_t narrow_features[] = {1, 0, 2, 0, 0, 0};
    static const uint32_t wide_features[] = {1, 0, 2, 0, 0, 0};
    static const float narrow[] = {0.1f, 0, -1.5f, 0, 0, 0};
    static const double wide[] = {0.1, 0, -1.5, 0, 0, 0};
    const uint8_t flags[] = {f->flag, 0, 1, 0, 0, 0};
    const uint32_t roots[] = {0, f->root};
    const wlk_dtype output = WLK_F64;
    const uint64_t n = f->nodes;
    const wlk_tensor lists[] = {
        {.name = "r", .dtype = WLK_U32, .rank = 1, .shape = {2}, .data = roots, .nbytes = 8},
        {.name = "n", .dtype = WLK_U32, .rank = 1, .shape = {6}, .data = right, .nbytes = 24},
        {.name = "f",
         .dtype = f->features,
         .rank = 1,
         .shape = {n},
         .data = f->features == WLK_U16 ? (const void *)narrow_features : wide_features,
         .nbytes = n * (f->features == WLK_U16 ? 2u : 4u)},
        {.name = "t",
         .dtype = f->dtype,
         .rank = 1,
         .shape = {6},
         .data = f->dtype == WLK_F32 ? (const void *)narrow : wide,
         .nbytes = 6 * (f->dtype == WLK_F32 ? 4u : 8u)},
        {.name = "g", .dtype = WLK_U8, .rank = 1, .shape = {6}, .data = flags, .nbytes = 6}};
    static const char *const names[] = {"roots", "right", "features", "thresholds", "flags"};
    uint32_t index[5];
    wlk_writer *w = begin_node(21);
    if (f->ml_opset > 0) wlk_writer_opset(w, "ai.onnx.ml", f->ml_opset);
    for (uint32_t i = 0; i < 4u + f->flags; i++) index[i] = wlk_writer_tensor(w, &lists[i]);
    const uint32_t values = put_reals(w, "W", 4, f->targets);
    const uint32_t base = f->base ? put_reals(w, "b", 1, f->targets) : 0;
    begin_graph(w, f->dtype, &output, 1);
    wlk_writer_node(w, "TreeEnsemble", "org.weighlock", "", LIST("x"), LIST("y"));
    for (uint32_t i = 0; i < 4u + f->flags; i++) wlk_writer_attr_tensor(w, names[i], index[i]);
    wlk_writer_attr_tensor(w, "values", values);
    if (f->base) wlk_writer_attr_tensor(w, "base", base);
    if (f->average) wlk_writer_attr_string(w, "aggregate", "AVERAGE");
    return w;
}

static void test_trees(void **state) {
    (void)state;
    for (uint32_t i = 0; i < 64; i++) {
        const forest f = {.dtype = i & 1 ? WLK_F32 : WLK_F64,
                          .features = i & 2 ? WLK_U16 : WLK_U32,
                          .targets = i & 4 ? 2 : 1,
                          .flags = i & 8,
                          .base = i & 16,
                          .average = i & 32,
                          .ml_opset = i % 3 == 0 ? 0 : 2 + i % 3,
                          .root = 5,
                          .nodes = 6};
        expect_same(forest_writer(&f), f.dtype, 1, 1e-6);
    }
}

/* ---- what is refused */

static void expect_unsaid(wlk_writer *w, const char *text) {
    wlk_model *model = writer_end(w);
    wlk_error error = {0};
    uint8_t *bytes;
    uint64_t size;
    const wlk_status status = wlk_write_onnx_memory(model, &bytes, &size, &error);
    expect_refused(text, status, &error, "write.onnx", text);
    assert_null(bytes);
    assert_int_equal(wlk_write_onnx_path(model, in_scratch("x.onnx"), &error), status);
    assert_int_equal(entries_of(scratch), 0);
    wlk_model_free(model);
}

static void test_trees_are_checked(void **state) {
    (void)state;
    const forest good = {
        .dtype = WLK_F64, .features = WLK_U16, .targets = 1, .flags = true, .root = 5, .nodes = 6};
    forest f = good;
    f.ml_opset = 5;
    expect_unsaid(forest_writer(&f), "beside version 5 of ai.onnx.ml");
    f.ml_opset = 2;
    expect_unsaid(forest_writer(&f), "beside version 2 of ai.onnx.ml");
    f = good;
    f.flag = 2;
    expect_unsaid(forest_writer(&f), "sets of categories");
    f = good;
    f.nodes = 5;
    expect_unsaid(forest_writer(&f), "not as they must be");
    f = good;
    f.features = WLK_I64;
    f.nodes = 0;
    expect_unsaid(forest_writer(&f), "not as they must be");
}

static wlk_writer *bare(const char *op, uint32_t opset) {
    const wlk_dtype f64 = WLK_F64;
    wlk_writer *w = begin_node(opset);
    begin_graph(w, WLK_F64, &f64, 1);
    wlk_writer_node(w, op, "org.weighlock", "n", LIST("x", "x"), LIST("y"));
    return w;
}

static void test_nodes_that_onnx_lacks(void **state) {
    (void)state;
    expect_unsaid(bare("SVMClassifier", 21), "node 0 'n' org.weighlock.SVMClassifier");
    expect_unsaid(bare("Scaler", 12), "beside version 12 of ai.onnx");
    expect_unsaid(bare("TreeEnsemble", 21), "not as they must be");
    expect_unsaid(bare("LinearClassifier", 21), "without labels");
    wlk_writer *w = bare("LinearClassifier", 21);
    wlk_writer_attr_ints(w, "classlabels_ints", (const int64_t[]){1, 2}, 2);
    expect_unsaid(w, "coefficients are computed");
    expect_unsaid(classifier(3, 2, 0, NULL), "3 scores for 2 labels");
    expect_unsaid(classifier(1, 1, 0, NULL), "1 scores for 1 labels");
    expect_unsaid(classifier(2, 2, 0, "PROBIT"), "post_transform PROBIT");
}

static void test_numbers_that_onnx_lacks(void **state) {
    (void)state;
    const wlk_tensor block = {.name = "b",
                              .dtype = WLK_BLOCK,
                              .rank = 1,
                              .shape = {2},
                              .data = "1234567",
                              .nbytes = 7,
                              .block_kind = "q",
                              .block_elements = 2,
                              .block_bytes = 7};
    wlk_writer *w = writer_new();
    (void)wlk_writer_tensor(w, &block);
    expect_unsaid(w, "tensor \"b\" is of dtype block");
    w = begin_node(13);
    const uint32_t type = wlk_writer_tensor_type(w, WLK_F64, 0, NULL);
    wlk_writer_graph(w, "");
    wlk_writer_input(w, "x", type);
    wlk_writer_output(w, "y", type);
    wlk_writer_node(w, "LeakyRelu", "", "", LIST("x"), LIST("y"));
    wlk_writer_attr_float(w, "alpha", 1e300);
    expect_unsaid(w, "attribute \"alpha\" is 1e+300");
}

/* More than a message may hold: nothing is read that is not written. */
static void test_too_large(void **state) {
    (void)state;
    onnx_out out = {0}, more = {0}, outer = {0};
    onnx_put_payload(&out, 1, scratch, ONNX_MOST_BYTES - 100);
    assert_false(out.too_large);
    onnx_put_payload(&more, 1, scratch, ONNX_MOST_BYTES);
    assert_true(more.too_large);
    onnx_put_text(&out, 2,
                  "a text of more than a hundred bytes: a text of more than a hundred "
                  "bytes: a text of more than a hundred bytes");
    assert_true(out.too_large && out.failed);
    onnx_put_message(&outer, 1, &out);
    assert_true(outer.too_large);
    onnx_out_free(&outer);
    onnx_out_free(&more);
}

/* ---- the file, and no memory */

static void test_same_as_in_memory(void **state) {
    (void)state;
    const char *path = in_scratch("model.onnx");
    wlk_model *model = most_of_it();
    uint8_t *bytes;
    uint64_t size;
    size_t length;
    wlk_error error = {0};
    EXPECT_OK(wlk_write_onnx_memory(model, &bytes, &size, &error));
    EXPECT_OK(wlk_write_onnx_path(model, path, &error));
    uint8_t *content = read_bytes(path, &length);
    assert_int_equal(length, size);
    assert_memory_equal(content, bytes, size);
    assert_int_equal(remove(path), 0);
    const wlk_status status = wlk_write_onnx_path(model, in_scratch("no/model.onnx"), &error);
    expect_refused("no folder", status, &error, "write.failed", NULL);
    assert_int_equal(entries_of(scratch), 0);
    free(content);
    wlk_free(bytes);
    wlk_model_free(model);
}

static wlk_status write_once(const void *context, wlk_error *error) {
    uint8_t *bytes;
    uint64_t size;
    TRY(wlk_write_onnx_memory(context, &bytes, &size, error));
    wlk_free(bytes);
    return WLK_OK;
}

static void test_no_memory(void **state) {
    (void)state;
    const forest f = {
        .dtype = WLK_F64, .features = WLK_U16, .targets = 1, .flags = true, .root = 5, .nodes = 6};
    wlk_model *all = most_of_it(), *trees = writer_end(forest_writer(&f));
    wlk_model *labels = writer_end(classifier(1, 2, 0, "OVR"));
    no_memory_everywhere("everything", write_once, all);
    no_memory_everywhere("trees", write_once, trees);
    no_memory_everywhere("labels", write_once, labels);
    wlk_model_free(all);
    wlk_model_free(trees);
    wlk_model_free(labels);
}

int main(void) {
    points_set();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_comes_back),
        cmocka_unit_test(test_outer_outputs),
        cmocka_unit_test(test_weights_alone),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_scaler),
        cmocka_unit_test(test_linear_regressor),
        cmocka_unit_test(test_linear_classifier),
        cmocka_unit_test(test_trees),
        cmocka_unit_test(test_trees_are_checked),
        cmocka_unit_test(test_nodes_that_onnx_lacks),
        cmocka_unit_test(test_numbers_that_onnx_lacks),
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_same_as_in_memory),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}

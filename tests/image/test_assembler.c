#include "support/scratch.h"

#include "image/assembler.h"
#include "image/memory_sink.h"
#include "support/no_memory.h"

/* A little language for graphs, one statement a line:
 *
 *   opset DOMAIN            tensor NAME            graph
 *   in NAME [type]          out NAME [type]
 *   node OP [DOMAIN] : INPUTS : OUTPUTS            ("-" omits one)
 *   attr NAME graph N | tensor N | int N
 *   rows INPUTS : OUTPUTS                          (numbers of tensors)
 *
 * Tensors are f32 of shape [2]; the type is f32 [?]. */
typedef struct bench {
    wlk_limits limits;
    memory_sink *sink;
    image_sink interface;
    image_builder *builder;
    assembler *assembler;
    uint32_t type;
} bench;

/* NULLs where there is no memory. */
static wlk_status bench_make(bench *b, wlk_error *error) {
    const wlk_type type = {.kind = WLK_TYPE_TENSOR,
                           .dtype = WLK_F32,
                           .has_shape = true,
                           .rank = 1,
                           .dims = {WLK_UNKNOWN_DIM}};
    wlk_limits_default(&b->limits);
    b->limits.graph_depth = 3;
    b->builder = NULL;
    b->assembler = NULL;
    b->sink = memory_sink_new(&b->limits);
    if (b->sink) {
        b->interface = memory_sink_interface(b->sink);
        b->builder = image_builder_new(&b->limits, &b->interface);
    }
    if (b->builder) b->assembler = assembler_new(b->builder, &b->limits);
    if (!b->assembler) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    return assembler_type(b->assembler, &type, &b->type, error);
}

static void bench_open(bench *b) {
    wlk_error error = {0};
    EXPECT_OK(bench_make(b, &error));
}

static void bench_close(bench *b) {
    assembler_free(b->assembler);
    image_builder_free(b->builder);
    memory_sink_free(b->sink);
}

#define MAX_WORDS 16

/* Splits a line into words; how many. */
static uint32_t split(char *line, const char *words[MAX_WORDS]) {
    uint32_t count = 0;
    char *rest;
    for (char *word = strtok_r(line, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        assert_true(count < MAX_WORDS);
        words[count++] = strcmp(word, "-") == 0 ? "" : word;
    }
    return count;
}

static uint32_t find_colon(const char *const *words, uint32_t from, uint32_t count) {
    while (from < count && strcmp(words[from], ":") != 0) from++;
    return from;
}

static wlk_status run_node(bench *b, const char *const *words, uint32_t count, wlk_error *error) {
    const uint32_t first = find_colon(words, 0, count);
    const uint32_t second = find_colon(words, first + 1, count);
    const node_spec node = {.op = words[1],
                            .domain = first > 2 ? words[2] : "",
                            .name = "",
                            .inputs = words + first + 1,
                            .input_count = second - first - 1,
                            .outputs = words + second + 1,
                            .output_count = count - second - 1};
    return assembler_node(b->assembler, &node, error);
}

static wlk_status run_rows(bench *b, const char *const *words, uint32_t count, wlk_error *error) {
    const uint32_t colon = find_colon(words, 0, count);
    uint32_t tensors[MAX_WORDS], used = 0;
    for (uint32_t i = 1; i < count; i++) {
        if (i != colon) tensors[used++] = (uint32_t)strtoul(words[i], NULL, 10);
    }
    return assembler_selftest(b->assembler, tensors, colon - 1, tensors + colon - 1,
                              count - colon - 1, 0, 0, error);
}

static wlk_status run_line(bench *b, const char *const *words, uint32_t count, wlk_error *error) {
    static const float data[2];
    const char *verb = words[0];
    const uint64_t number = count > 3 ? strtoull(words[3], NULL, 10) : 0;
    if (strcmp(verb, "opset") == 0) return assembler_opset(b->assembler, words[1], 1, error);
    if (strcmp(verb, "tensor") == 0) {
        const wlk_tensor tensor = {.name = words[1],
                                   .dtype = WLK_F32,
                                   .rank = 1,
                                   .shape = {2},
                                   .data = data,
                                   .nbytes = sizeof data};
        return assembler_tensor(b->assembler, &tensor, NULL, error);
    }
    if (strcmp(verb, "graph") == 0) return assembler_graph(b->assembler, "", error);
    const uint32_t type = count > 2 ? b->type : IMAGE_NONE;
    if (strcmp(verb, "in") == 0) return assembler_input(b->assembler, words[1], type, error);
    if (strcmp(verb, "out") == 0) return assembler_output(b->assembler, words[1], type, error);
    if (strcmp(verb, "node") == 0) return run_node(b, words, count, error);
    if (strcmp(verb, "rows") == 0) return run_rows(b, words, count, error);
    assert_string_equal(verb, "attr");
    const wlk_attribute_type kind = strcmp(words[2], "graph") == 0    ? WLK_ATTR_GRAPH
                                    : strcmp(words[2], "tensor") == 0 ? WLK_ATTR_TENSOR
                                                                      : WLK_ATTR_INT;
    return assembler_attribute(b->assembler, words[1], kind, &number, 1, error);
}

/* Runs the program up to its first error. */
static wlk_status run(bench *b, const char *program, wlk_error *error) {
    char text[1024];
    char *rest;
    (void)snprintf(text, sizeof text, "%s", program);
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        const char *words[MAX_WORDS];
        const uint32_t count = split(line, words);
        TRY(run_line(b, words, count, error));
    }
    return assembler_finish(b->assembler, error);
}

/* What is put together validates: nothing is left for the validator to find. */
static void test_accepted(void **state) {
    (void)state;
    static const struct {
        const char *program;
    } rows[] = {
        {""},
        {"tensor w"},
        {"opset -\ngraph\nin x t\nout y t\nnode Relu : x : y"},
        {"opset -\ntensor w\ngraph\nin x t\nout y\nout w\nout x\nout y\nnode Add : x w : y"},
        {"opset -\nopset my\ngraph\nin x t\nout z\nnode A my : x - x : y -\nnode B : - y : z"},
        {"graph\nin x t\nout x"},
        {"opset -\ntensor -\ngraph\nnode C : : c\nattr value tensor 0\nattr n int 1"},
        /* subgraphs see what their node sees */
        {"opset -\ngraph\nin x t\nnode A : x : a\nnode If : a : b\nattr then graph 1\nattr else "
         "graph 2\n"
         "graph\nout c\nnode B : a x : c\ngraph\nout x\nout a"},
        {"opset -\ngraph\nin x t\nnode L : x : a\nattr body graph 1\ngraph\nin i\nnode L : i x : "
         "b\n"
         "attr body graph 2\ngraph\nout d\nnode Z : i x : d"},
        {"opset -\ntensor a\ntensor b\ngraph\nin x t\nout y\nnode N : x : y\nrows 0 : 1\nrows 1 : "
         "0"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bench b;
        wlk_model *model;
        wlk_error error = {0};
        bench_open(&b);
        EXPECT_OK(run(&b, rows[i].program, &error));
        EXPECT_OK(image_build_model(b.builder, b.sink, 0, &b.limits, &model, &error));
        wlk_model_free(model);
        bench_close(&b);
    }
}

static void test_refused(void **state) {
    (void)state;
    static const struct {
        const char *program;
        const char *rule;
        const char *says;
    } rows[] = {
        {"opset -\nopset -", "assemble.duplicate-name", NULL},
        {"tensor w\ntensor w", "assemble.duplicate-name", "\"w\""},
        {"tensor -", "assemble.empty-name", "tensor 0"},
        {"in x t", "assemble.order", "\"x\""},
        {"out x t", "assemble.order", NULL},
        {"opset -\nnode A : : a", "assemble.order", NULL},
        {"attr a int 1", "assemble.order", NULL},
        {"graph\nattr a int 1", "assemble.order", NULL},
        {"opset -\ngraph\nnode A : : a\nin x t", "assemble.order", NULL},
        {"opset -\ngraph\nnode A : : a\nout a", "assemble.order", NULL},
        {"opset -\ngraph\nnode A : : a\nattr g graph 1\ngraph\nattr b int 1", "assemble.order",
         NULL},
        {"graph\nin x", "assemble.untyped", "\"x\""},
        {"graph\nin - t", "assemble.empty-name", NULL},
        {"graph\nin x t\nin x t", "assemble.duplicate-name", "\"x\""},
        {"tensor x\ngraph\nin x t", "assemble.duplicate-name", "\"x\""},
        {"graph\nin x t\nout x t", "assemble.output-type", "\"x\""},
        {"tensor w\ngraph\nout w t", "assemble.output-type", NULL},
        {"graph\nout y t\nout y t", "assemble.output-type", NULL},
        {"graph\nout y", "assemble.undefined", "\"y\""},
        {"graph\nout -", "assemble.empty-name", NULL},
        {"opset -\ngraph\nout y\nnode A : : z", "assemble.undefined", "\"y\""},
        {"opset -\ngraph\nnode A : x : a", "assemble.undefined", "\"x\""},
        {"opset -\ngraph\nnode A : a : a", "assemble.undefined", NULL},
        {"opset -\ngraph\nout a\nnode A : a : a", "assemble.scope", "\"a\""},
        {"opset -\ngraph\nout b\nnode A : b : a\nnode B : : b", "assemble.scope", "\"b\""},
        {"opset -\ngraph\nin x t\nnode A : : x", "assemble.duplicate-name", "\"x\""},
        {"opset -\ngraph\nnode A : : a a", "assemble.duplicate-name", NULL},
        {"opset -\ngraph\nout a\nnode A : : a\nnode B : : a", "assemble.duplicate-name", NULL},
        {"opset -\ntensor w\ngraph\nnode A : : w", "assemble.duplicate-name", NULL},
        {"opset -\ngraph\nnode - : : a", "assemble.empty-name", NULL},
        {"opset -\ngraph\nnode A my : : a", "assemble.opset", "\"A\" of \"my\""},
        {"graph\nnode A : : a", "assemble.opset", NULL},
        {"opset -\ngraph\nnode A : : a\nattr x int 1\nattr x int 2", "assemble.duplicate-name",
         NULL},
        {"opset -\ngraph\nnode A : : a\nattr - int 1", "assemble.empty-name", NULL},
        {"opset -\ngraph\nnode A : : a\nattr t tensor 0", "assemble.undefined", NULL},
        {"opset -\ngraph\nnode A : : a\nattr g graph 0", "assemble.subgraph", "graph 0"},
        {"opset -\ngraph\nnode A : : a\nattr g graph 1\nattr h graph 1", "assemble.subgraph",
         "graph 1"},
        {"opset -\ngraph\nnode A : : a\nattr g graph 1", "assemble.subgraph", "graph 1"},
        {"opset -\ngraph\nnode A : : a\nattr g graph 2\ngraph", "assemble.subgraph", "graph 1"},
        {"opset -\ngraph\nnode A : : a\nattr g graph 4294967296", "limit.graphs", NULL},
        {"opset -\ngraph\nnode A : : a\nattr g graph 1024", "limit.graphs", NULL},
        {"graph\ngraph", "assemble.subgraph", "graph 1"},
        {"opset -\ngraph\nnode A : : a\nattr g graph 1\ngraph\nnode B : : b\nattr g graph 1",
         "assemble.subgraph", "graph 1"},
        {"opset -\ngraph\nnode A : : a\nattr g graph 1\ngraph\nnode B : : b\nattr g graph 2\n"
         "graph\nnode C : : c\nattr g graph 3\ngraph",
         "limit.graph-depth", "graph 3"},
        /* a subgraph sees neither its own node's outputs, nor later ones, nor a sibling's */
        {"opset -\ngraph\nnode A : : a\nattr g graph 1\ngraph\nnode B : a : b", "assemble.scope",
         "\"a\""},
        {"opset -\ngraph\nnode A : : a\nattr g graph 1\nnode C : : c\ngraph\nnode B : c : b",
         "assemble.scope", "\"c\""},
        {"opset -\ngraph\nnode A : : a\nattr g graph 1\nattr h graph 2\ngraph\nnode B : : "
         "b\ngraph\n"
         "node C : b : c",
         "assemble.scope", "\"b\""},
        {"opset -\ngraph\nnode A : : a\nattr g graph 1\nattr h graph 2\ngraph\nnode B : : "
         "b\ngraph\nout b",
         "assemble.scope", "\"b\""},
        {"opset -\ngraph\nnode A : : a\nattr g graph 1\ngraph\nout a", "assemble.scope", "\"a\""},
        {"opset -\ngraph\nnode A : : a\nattr g graph 1\ngraph\nin i\nnode B : i : a",
         "assemble.duplicate-name", "\"a\""},
        {"tensor a\nrows 0 : 0", "assemble.selftest", NULL},
        {"tensor a\ngraph\nin x t\nout x\nrows 0 0 : 0", "assemble.selftest",
         "1 inputs and 1 outputs"},
        {"tensor a\ngraph\nin x t\nout x\nrows 0 :", "assemble.selftest", NULL},
        {"tensor a\ngraph\nin x t\nout x\nrows 1 : 0", "assemble.selftest", NULL},
        {"tensor a\ngraph\nin x t\nout x\nrows 0 : 1", "assemble.selftest", NULL},
        {"tensor a\ntensor -\ngraph\nin x t\nout x\nrows 0 : 1", "assemble.selftest", "no name"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bench b;
        wlk_error error = {0};
        bench_open(&b);
        expect_refused(rows[i].program, run(&b, rows[i].program, &error), &error, rows[i].rule,
                       rows[i].says);
        bench_close(&b);
    }
}

static void test_golden_rows_fit_the_type(void **state) {
    (void)state;
    static const float data[6];
    static const struct {
        wlk_type type;
        bool fits; /* an f32 tensor of shape [2, 3] */
    } rows[] = {
        {{.kind = WLK_TYPE_TENSOR, .dtype = WLK_F32}, true},
        {{.kind = WLK_TYPE_TENSOR, .dtype = WLK_F32, .has_shape = true, .rank = 2, .dims = {-1, 3}},
         true},
        {{.kind = WLK_TYPE_TENSOR, .dtype = WLK_F32, .has_shape = true, .rank = 2, .dims = {2, 3}},
         true},
        {{.kind = WLK_TYPE_TENSOR, .dtype = WLK_F32, .has_shape = true, .rank = 2, .dims = {2, 4}},
         false},
        {{.kind = WLK_TYPE_TENSOR, .dtype = WLK_F32, .has_shape = true, .rank = 1, .dims = {-1}},
         false},
        {{.kind = WLK_TYPE_TENSOR, .dtype = WLK_F64}, false},
        {{.kind = WLK_TYPE_SEQUENCE, .element = 0}, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bench b;
        uint32_t type, tensor;
        wlk_error error = {0};
        const wlk_tensor t = {.name = "t",
                              .dtype = WLK_F32,
                              .rank = 2,
                              .shape = {2, 3},
                              .data = data,
                              .nbytes = sizeof data};
        bench_open(&b);
        EXPECT_OK(assembler_tensor(b.assembler, &t, &tensor, &error));
        EXPECT_OK(assembler_type(b.assembler, &rows[i].type, &type, &error));
        EXPECT_OK(assembler_graph(b.assembler, "", &error));
        EXPECT_OK(assembler_input(b.assembler, "x", type, &error));
        const wlk_status status =
            assembler_selftest(b.assembler, &tensor, 1, NULL, 0, 0, 0, &error);
        if (rows[i].fits) {
            EXPECT_OK(status);
        } else {
            expect_refused("rows", status, &error, "assemble.selftest", "input 0");
        }
        bench_close(&b);
    }
}

static void test_bad_tensors_are_named(void **state) {
    (void)state;
    static const uint8_t bytes[32] = {7};
    static const struct {
        wlk_tensor tensor;
        const char *rule;
    } rows[] = {
        {{.name = "t", .dtype = WLK_F32, .rank = 1, .shape = {2}, .nbytes = 7}, "tensor.size"},
        {{.name = "t", .dtype = WLK_F32, .rank = 9, .nbytes = 4}, "tensor.shape"},
        {{.name = "t", .dtype = (wlk_dtype)99, .rank = 0, .nbytes = 4}, "tensor.dtype"},
        {{.name = "t", .dtype = WLK_BOOL, .rank = 1, .shape = {2}, .nbytes = 2}, "tensor.payload"},
        {{.name = "t", .dtype = WLK_U4, .rank = 1, .shape = {1}, .data = "\xff", .nbytes = 1},
         "tensor.payload"},
        {{.name = "t", .dtype = WLK_STR, .rank = 0, .nbytes = 16}, "tensor.payload"},
        {{.name = "t", .dtype = WLK_BLOCK, .rank = 1, .shape = {4}, .nbytes = 4}, "tensor.block"},
        {{.name = "t",
          .dtype = WLK_BLOCK,
          .rank = 1,
          .shape = {3},
          .nbytes = 4,
          .block_kind = "q",
          .block_elements = 2,
          .block_bytes = 4},
         "tensor.size"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bench b;
        wlk_error error = {0};
        wlk_tensor tensor = rows[i].tensor;
        if (!tensor.data) tensor.data = bytes;
        bench_open(&b);
        expect_refused(rows[i].rule, assembler_tensor(b.assembler, &tensor, NULL, &error), &error,
                       rows[i].rule, "tensor \"t\"");
        bench_close(&b);
    }
}

static void test_bad_attributes(void **state) {
    (void)state;
    static const struct {
        wlk_attribute_type type;
        uint64_t value;
        const char *rule;
    } rows[] = {
        {WLK_ATTR_DTYPE, 0, "tensor.dtype"},
        {WLK_ATTR_DTYPE, WLK_DTYPE_COUNT, "tensor.dtype"},
        {WLK_ATTR_DTYPE, 1ull << 40, "tensor.dtype"},
        {WLK_ATTR_TYPE, 1, "type.form"},
        {WLK_ATTR_TENSOR, 1ull << 32, "assemble.undefined"},
        {WLK_ATTR_STRING, 0, "assemble.order"},
        {WLK_ATTR_STRINGS, 0, "assemble.order"},
        {WLK_ATTR_TYPE_COUNT, 0, "assemble.order"},
        {(wlk_attribute_type)99, 0, "assemble.order"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bench b;
        wlk_error error = {0};
        bench_open(&b);
        EXPECT_OK(run(&b, "opset -\ntensor w\ngraph\nnode A : : a", &error));
        expect_refused(
            rows[i].rule,
            assembler_attribute(b.assembler, "x", rows[i].type, &rows[i].value, 1, &error), &error,
            rows[i].rule, NULL);
        bench_close(&b);
    }
}

static void test_limits(void **state) {
    (void)state;
    static const char *const texts[] = {"red", "blue"}, *const broken[] = {"\xff"};
    const uint64_t last = UINT32_MAX;
    bench b;
    wlk_error error = {0};
    bench_open(&b);
    EXPECT_OK(run(&b, "opset -\ngraph\nnode A : : a", &error));
    assembler *a = assembler_new(b.builder, &(wlk_limits){.graphs = UINT64_MAX});
    assert_non_null(a);
    EXPECT_OK(assembler_opset(a, "other", 1, &error));
    EXPECT_OK(assembler_graph(a, "", &error));
    const node_spec node = {.op = "B", .domain = "other", .name = ""};
    EXPECT_OK(assembler_node(a, &node, &error));
    expect_refused("values", assembler_attribute_texts(a, "t", WLK_ATTR_STRINGS, texts, 2, &error),
                   &error, "limit.attribute-values", "\"t\"");
    expect_refused("graphs", assembler_attribute(a, "g", WLK_ATTR_GRAPH, &last, 1, &error), &error,
                   "limit.graphs", NULL);
    assembler_free(a);
    expect_refused("text",
                   assembler_attribute_texts(b.assembler, "t", WLK_ATTR_STRINGS, broken, 1, &error),
                   &error, "string.utf8", NULL);
    bench_close(&b);
}

static void test_an_error_is_not_always_wanted(void **state) {
    (void)state;
    const wlk_tensor tensor = {.name = "t", .dtype = WLK_F32, .nbytes = 3, .data = "abc"};
    bench b;
    bench_open(&b);
    assert_int_equal(assembler_tensor(b.assembler, &tensor, NULL, NULL), WLK_REFUSED);
    bench_close(&b);
}

/* Everything that the assembler has room for, more of it than it reserves at first. */
static wlk_status assemble_all(bench *b, wlk_error *error) {
    static const char *const texts[] = {"red", "blue"};
    char name[16];
    TRY(run_line(b, (const char *[]){"opset", "my"}, 2, error));
    TRY(run_line(b, (const char *[]){"opset", ""}, 2, error));
    for (int i = 0; i < 40; i++) {
        (void)snprintf(name, sizeof name, "t%d", i);
        TRY(run_line(b, (const char *[]){"tensor", name}, 2, error));
    }
    TRY(run_line(b, (const char *[]){"graph"}, 1, error));
    TRY(run_line(b, (const char *[]){"in", "x", "t"}, 3, error));
    TRY(run_line(b, (const char *[]){"out", "y", "t"}, 3, error));
    TRY(run_line(b, (const char *[]){"node", "A", ":", "x", "t0", ":", "y"}, 7, error));
    for (int i = 1; i <= 20; i++) {
        (void)snprintf(name, sizeof name, "%d", i);
        TRY(run_line(b, (const char *[]){"attr", name, "graph", name}, 4, error));
    }
    TRY(assembler_attribute_texts(b->assembler, "colours", WLK_ATTR_STRINGS, texts, 2, error));
    for (int i = 1; i <= 20; i++) {
        (void)snprintf(name, sizeof name, "i%d", i);
        TRY(run_line(b, (const char *[]){"graph"}, 1, error));
        TRY(run_line(b, (const char *[]){"in", name}, 2, error));
        TRY(run_line(b, (const char *[]){"out", name}, 2, error));
    }
    TRY(run_line(b, (const char *[]){"rows", "0", ":", "1"}, 4, error));
    return assembler_finish(b->assembler, error);
}

static wlk_status assemble(const void *context, wlk_error *error) {
    bench b;
    wlk_model *model = NULL;
    (void)context;
    wlk_status status = bench_make(&b, error);
    if (status == WLK_OK) status = assemble_all(&b, error);
    if (status == WLK_OK) {
        status = image_build_model(b.builder, b.sink, 0, &b.limits, &model, error);
    }
    wlk_model_free(model);
    bench_close(&b);
    return status;
}

static void test_no_memory(void **state) {
    (void)state;
    no_memory_everywhere("a graph by names", assemble, NULL);
}

int main(void) {
    points_set();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_golden_rows_fit_the_type),
        cmocka_unit_test(test_bad_tensors_are_named),
        cmocka_unit_test(test_bad_attributes),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_an_error_is_not_always_wanted),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

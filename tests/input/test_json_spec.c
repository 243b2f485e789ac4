#include "support/scratch.h"

#include <math.h>

#include "base/bytes.h"
#include "input/json_spec.h"

static wlk_limits limits;

static wlk_status parse(const char *text, wlk_model **model, wlk_error *error) {
    const size_t length = strlen(text);
    uint8_t *copy = exact_copy(text, length);
    const wlk_status status =
        json_spec_parse((const char *)copy, length, scratch, &limits, model, error);
    free(copy);
    return status;
}

/* Everything that a specification can say, once. */
static const char complete[] =
    "{\"kind\": \"classifier\", \"name\": \"all\", \"version\": \"1\", \"created\": \"today\","
    " \"producer\": \"a test\", \"x-note\": [null, true, -1, 0.5, {\"k/~\": \"v\"}],"
    " \"metadata\": {\"tags\": [\"a\"], \"libraries\": {\"numpy\": \"1\"}, \"x-y\": {},"
    "                \"metrics\": {\"b\": 2.0, \"a\": 1}},"
    " \"opset\": {\"\": 13, \"ai.onnx.ml\": 3},"
    " \"tensors\": ["
    "   {\"name\": \"w\", \"file\": \"w.npy\"},"
    "   {\"name\": \"classes\", \"strings\": [\"a\", \"\", \"\\u00e9\"]},"
    "   {\"name\": \"m\", \"strings\": [\"a\", \"b\"], \"shape\": [1, 2]},"
    "   {\"name\": \"v\", \"dtype\": \"f32\", \"values\": [1, 2.5, \"nan\", \"-inf\"], \"shape\": "
    "[2, 2]},"
    "   {\"name\": \"i\", \"dtype\": \"i4\", \"values\": [-8, 7, 0]},"
    "   {\"name\": \"t\", \"dtype\": \"bool\", \"values\": [true, false, 1]},"
    "   {\"name\": \"s\", \"dtype\": \"f16\", \"values\": [0.5], \"shape\": []},"
    "   {\"name\": \"q\", \"dtype\": \"block\", \"shape\": [1, 4], \"raw\": \"q.bin\","
    "    \"block\": {\"kind\": \"q4\", \"elements\": 2, \"bytes\": 3}},"
    "   {\"name\": \"f8\", \"dtype\": \"f8e4m3fn\", \"shape\": [6], \"raw\": \"q.bin\"},"
    "   {\"name\": \"golden\", \"dtype\": \"f32\", \"values\": [1, 2], \"shape\": [1, 2]}],"
    " \"graphs\": ["
    "  {\"name\": \"main\","
    "   \"inputs\": [{\"name\": \"x\", \"type\": {\"tensor\": {\"dtype\": \"f32\", \"shape\": "
    "[\"n\", 2]}}}],"
    "   \"outputs\": [{\"name\": \"y\", \"type\": {\"sequence\": {\"map\": {\"key\": \"i64\","
    "                 \"value\": {\"tensor\": {\"dtype\": \"f32\", \"shape\": [null]}}}}}}],"
    "   \"nodes\": [{\"op\": \"Two\", \"domain\": \"ai.onnx.ml\", \"name\": \"n\", \"in\": [\"x\", "
    "\"\", \"w\"],"
    "              \"out\": [\"a\", \"\"],"
    "     \"attr\": {\"int\": -3, \"float\": 1.0, \"string\": \"s\", \"ints\": [1, 2], \"floats\": "
    "[0.5],"
    "       \"strings\": [\"p\", \"q\"], \"int2\": {\"int\": 4}, \"float2\": {\"float\": \"nan\"},"
    "       \"string2\": {\"string\": \"r\"}, \"none\": {\"ints\": []}, \"mixed\": {\"floats\": "
    "[1, \"inf\"]},"
    "       \"tensor\": {\"tensor\": \"v\"}, \"tensors\": {\"tensors\": [\"v\", \"w\"]},"
    "       \"dtype\": {\"dtype\": \"bf16\"}, \"type\": {\"type\": {\"optional\": {\"tensor\": "
    "{\"dtype\": \"str\"}}}},"
    "       \"body\": {\"graph\": 1}, \"bodies\": {\"graphs\": [2]}}},"
    "     {\"op\": \"One\", \"in\": [\"a\"], \"out\": [\"y\"]}]},"
    "  {\"inputs\": [{\"name\": \"u\"}], \"outputs\": [{\"name\": \"x\"}], \"nodes\": []},"
    "  {\"inputs\": [], \"outputs\": [], \"nodes\": []}],"
    " \"selftest\": [{\"inputs\": [\"golden\"], \"outputs\": [\"w\"], \"rtol\": 0.5, \"atol\": 0},"
    "               {\"inputs\": [\"row.npy\"], \"outputs\": [\"w.npy\"], \"rtol\": 1e-6, "
    "\"atol\": 1e-6}]}";

static wlk_attribute attribute(const wlk_model *model, const char *name) {
    const uint32_t index = wlk_model_find_attribute(model, 0, name);
    if (index == WLK_NONE) fail_msg("attribute %s is not there", name);
    return wlk_model_attribute(model, index);
}

static void check_tensors(const wlk_model *model) {
    static const struct {
        const char *name;
        wlk_dtype dtype;
        uint32_t rank;
        uint64_t shape[2];
        uint8_t data[40];
        uint64_t nbytes;
    } rows[] = {
        {"w", WLK_F32, 1, {2}, {0, 0, 0, 0, 0, 0, 0x80, 0x3f}, 8},
        {"v",
         WLK_F32,
         2,
         {2, 2},
         {0, 0, 0x80, 0x3f, 0, 0, 0x20, 0x40, 0, 0, 0xc0, 0x7f, 0, 0, 0x80, 0xff},
         16},
        {"i", WLK_I4, 1, {3}, {0x78, 0x00}, 2},
        {"t", WLK_BOOL, 1, {3}, {1, 0, 1}, 3},
        {"s", WLK_F16, 0, {0}, {0x00, 0x38}, 2},
        {"q", WLK_BLOCK, 2, {1, 4}, {'a', 'b', 'c', 'd', 'e', 'f'}, 6},
        {"f8", WLK_F8E4M3FN, 1, {6}, {'a', 'b', 'c', 'd', 'e', 'f'}, 6},
        {"classes",
         WLK_STR,
         1,
         {3},
         {0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0,   0,    1,   0,
          0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 'a', 0xc3, 0xa9},
         35},
        {"selftest/1/inputs/0", WLK_F32, 2, {1, 2}, {0, 0, 0, 0, 0, 0, 0x80, 0x3f}, 8},
        {"selftest/1/outputs/0", WLK_F32, 1, {2}, {0, 0, 0, 0, 0, 0, 0x80, 0x3f}, 8},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const uint32_t index = wlk_model_find_tensor(model, rows[i].name);
        if (index == WLK_NONE) fail_msg("tensor %s is not there", rows[i].name);
        const wlk_tensor t = wlk_model_tensor(model, index);
        assert_int_equal(t.dtype, rows[i].dtype);
        assert_int_equal(t.rank, rows[i].rank);
        assert_memory_equal(t.shape, rows[i].shape, t.rank * sizeof(uint64_t));
        assert_int_equal(t.nbytes, rows[i].nbytes);
        assert_memory_equal(t.data, rows[i].data, t.nbytes);
    }
}

static void check_attributes(const wlk_model *model) {
    static const struct {
        const char *name;
        wlk_attribute_type type;
        uint32_t count;
    } rows[] = {
        {"int", WLK_ATTR_INT, 1},         {"float", WLK_ATTR_FLOAT, 1},
        {"string", WLK_ATTR_STRING, 1},   {"ints", WLK_ATTR_INTS, 2},
        {"floats", WLK_ATTR_FLOATS, 1},   {"strings", WLK_ATTR_STRINGS, 2},
        {"int2", WLK_ATTR_INT, 1},        {"float2", WLK_ATTR_FLOAT, 1},
        {"string2", WLK_ATTR_STRING, 1},  {"none", WLK_ATTR_INTS, 0},
        {"mixed", WLK_ATTR_FLOATS, 2},    {"tensor", WLK_ATTR_TENSOR, 1},
        {"tensors", WLK_ATTR_TENSORS, 2}, {"dtype", WLK_ATTR_DTYPE, 1},
        {"type", WLK_ATTR_TYPE, 1},       {"body", WLK_ATTR_GRAPH, 1},
        {"bodies", WLK_ATTR_GRAPHS, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const wlk_attribute a = attribute(model, rows[i].name);
        assert_int_equal(a.type, rows[i].type);
        assert_int_equal(a.count, rows[i].count);
    }
    wlk_attribute a = attribute(model, "int");
    assert_int_equal(wlk_model_attribute_int(model, &a, 0), -3);
    a = attribute(model, "float2");
    assert_true(isnan(wlk_model_attribute_float(model, &a, 0)));
    a = attribute(model, "mixed");
    assert_true(wlk_model_attribute_float(model, &a, 0) == 1.0);
    assert_true(isinf(wlk_model_attribute_float(model, &a, 1)));
    a = attribute(model, "strings");
    assert_string_equal(wlk_model_attribute_string(model, &a, 1), "q");
    a = attribute(model, "tensor");
    assert_string_equal(
        wlk_model_tensor(model, (uint32_t)wlk_model_attribute_int(model, &a, 0)).name, "v");
    a = attribute(model, "dtype");
    assert_int_equal(wlk_model_attribute_int(model, &a, 0), WLK_BF16);
}

static void check_metadata(const wlk_model *model) {
    static const char *const paths[] = {"/created",
                                        "/kind",
                                        "/metadata",
                                        "/metadata/libraries",
                                        "/metadata/libraries/numpy",
                                        "/metadata/metrics",
                                        "/metadata/metrics/a",
                                        "/metadata/metrics/b",
                                        "/metadata/tags",
                                        "/metadata/tags/0",
                                        "/metadata/x-y",
                                        "/name",
                                        "/producer",
                                        "/version",
                                        "/x-note",
                                        "/x-note/0",
                                        "/x-note/1",
                                        "/x-note/2",
                                        "/x-note/3",
                                        "/x-note/4",
                                        "/x-note/4/k~1~0"};
    assert_int_equal(wlk_model_count(model, WLK_SECTION_METADATA), sizeof paths / sizeof *paths);
    for (uint32_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        assert_string_equal(wlk_model_meta(model, i).path, paths[i]);
    }
    assert_int_equal(wlk_model_meta(model, 6).type, WLK_META_INT);
    assert_int_equal(wlk_model_meta(model, 7).type, WLK_META_FLOAT);
    assert_int_equal(wlk_model_meta(model, 17).i, -1);
}

static void test_a_complete_specification(void **state) {
    (void)state;
    wlk_model *model;
    wlk_error error = {0};
    EXPECT_OK(parse(complete, &model, &error));
    check_tensors(model);
    check_attributes(model);
    check_metadata(model);
    assert_int_equal(wlk_model_count(model, WLK_SECTION_GRAPHS), 3);
    assert_int_equal(wlk_model_count(model, WLK_SECTION_OPSETS), 2);
    const wlk_node node = wlk_model_node(model, 0);
    assert_string_equal(node.op, "Two");
    assert_string_equal(node.domain, "ai.onnx.ml");
    assert_int_equal(wlk_model_node_input(model, 0, 1).kind, WLK_REF_NONE);
    assert_int_equal(wlk_model_node_input(model, 0, 2).kind, WLK_REF_TENSOR);
    const wlk_type x =
        wlk_model_type(model, wlk_model_value(model, wlk_model_graph_input(model, 0, 0)).type);
    assert_string_equal(x.symbols[0], "n");
    assert_int_equal(x.dims[1], 2);
    const wlk_ref y = wlk_model_graph_output(model, 0, 0);
    const wlk_type sequence = wlk_model_type(model, wlk_model_value(model, y.index).type);
    assert_int_equal(sequence.kind, WLK_TYPE_SEQUENCE);
    assert_int_equal(wlk_model_type(model, sequence.element).key_dtype, WLK_I64);
    assert_int_equal(wlk_model_count(model, WLK_SECTION_SELFTESTS), 2);
    assert_true(wlk_model_selftest(model, 0).rtol == 0.5);
    wlk_model_free(model);
}

/* The example of docs/spec-json.md is one. */
static void test_the_documented_example(void **state) {
    (void)state;
    size_t length;
    wlk_model *model;
    wlk_error error = {0};
    char *page = (char *)read_bytes("docs/spec-json.md", &length);
    char *example = strstr(page, "```json\n");
    assert_non_null(example);
    char *end = strstr(example + 8, "\n```");
    assert_non_null(end);
    *end = '\0';
    EXPECT_OK(parse(example + 8, &model, &error));
    assert_int_equal(wlk_model_count(model, WLK_SECTION_TENSORS), 5);
    assert_int_equal(wlk_model_count(model, WLK_SECTION_SELFTESTS), 1);
    assert_string_equal(wlk_model_node(model, 0).op, "LinearClassifier");
    wlk_model_free(model);
    free(page);
}

static void test_small_specifications(void **state) {
    (void)state;
    static const struct {
        const char *text;
    } rows[] = {
        {"{\"kind\":\"m\"}"},
        {"{\"kind\":\"m\",\"tensors\":[]}"},
        {"{\"kind\":\"m\",\"opset\":{}}"},
        {"{\"kind\":\"m\",\"opset\":{},\"graph\":{\"inputs\":[],\"outputs\":[],\"nodes\":[]}}"},
        {"{\"kind\":\"m\",\"opset\":{\"\":1},\"graphs\":[{\"inputs\":[],\"outputs\":[],\"nodes\":[]"
         "}"
         "],\"selftest\":[]}"},
        {" \r\n\t{ \"kind\" : \"\\u006d\" } \n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        wlk_model *model;
        wlk_error error = {0};
        EXPECT_OK(parse(rows[i].text, &model, &error));
        wlk_model_free(model);
    }
}

/* ---- refusals */

typedef struct refusal {
    const char *text;
    const char *rule;
    const char *says; /* the JSON path, and more */
} refusal;

static void check_refusals(const char *before, const char *behind, const refusal *rows,
                           size_t count) {
    for (size_t i = 0; i < count; i++) {
        char text[1024];
        wlk_model *model;
        wlk_error error = {0};
        const int length = snprintf(text, sizeof text, "%s%s%s", before, rows[i].text, behind);
        assert_true(length > 0 && (size_t)length < sizeof text);
        expect_refused(text, parse(text, &model, &error), &error, rows[i].rule, rows[i].says);
        assert_null(model);
    }
}
#define CHECK(before, behind, rows) check_refusals(before, behind, rows, sizeof rows / sizeof *rows)

static void test_refused_syntax(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint64_t offset;
        const char *says;
    } rows[] = {
        {"", 0, "line 1"},
        {"{", 1, "line 1, column 1"},
        {"{\"kind\": }", 10, "line 1, column 10"},
        {"{\"kind\":\n\"m\",}", 14, "line 2, column 5"},
        {"{\"kind\":\"m\",\"kind\":\"n\"}", 18, "duplicate"},
        {"{\"kind\":\"m\"} x", 14, "end of file"},
        {"{\"kind\":\"m\\u0000\"}", 17, NULL},
        {"{\"kind\":\"\xff\"}", 9, NULL},
        {"{'kind':\"m\"}", 2, NULL},
        {"{\"kind\":01}", 9, NULL},
        {"{\"kind\":1e999}", 13, "overflow"},
        {"{\"kind\":99999999999999999999}", 28, NULL},
        {"nul", 3, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        wlk_model *model;
        wlk_error error = {0};
        expect_refused(rows[i].text, parse(rows[i].text, &model, &error), &error, "spec.syntax",
                       rows[i].says);
        if (error.offset != rows[i].offset) {
            fail_msg("%s: offset %lu, not %lu", rows[i].text, error.offset, rows[i].offset);
        }
    }
}

static void test_refused_roots(void **state) {
    (void)state;
    static const refusal rows[] = {
        {"[]", "spec.type", "the root: an object, not an array"},
        {"{}", "spec.missing-key", "the root: \"kind\""},
        {"{\"kind\":1}", "spec.type", "kind: a string, not an integer"},
        {"{\"kind\":null}", "spec.type", "kind: a string, not null"},
        {"{\"kind\":\"m\",\"nmae\":\"x\"}", "spec.unknown-key", "nmae: did you mean \"name\"?"},
        {"{\"kind\":\"m\",\"tensor\":[]}", "spec.unknown-key", "tensor: did you mean \"tensors\"?"},
        {"{\"kind\":\"m\",\"qqqqqqqq\":1}", "spec.unknown-key", "qqqqqqqq: "},
        {"{\"kind\":\"m\",\"metadata\":[]}", "spec.type", "metadata: an object, not an array"},
        {"{\"kind\":\"m\",\"metadata\":{\"metric\":{}}}", "spec.unknown-key",
         "metadata.metric: did you mean \"metrics\"?"},
        {"{\"kind\":\"m\",\"metadata\":{\"metrics\":1}}", "assemble.metadata-key",
         "metadata.metrics: "},
        {"{\"kind\":\"m\",\"metadata\":{\"tags\":[1]}}", "assemble.metadata-key",
         "metadata.tags[0]: "},
        {"{\"kind\":\"m\",\"metadata\":{\"libraries\":{\"a\":1}}}", "assemble.metadata-key",
         "metadata.libraries.a: "},
        {"{\"kind\":\"m\",\"x-a\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}", "limit.header-depth",
         "x-a[0][0]"},
        {"{\"kind\":\"m\",\"opset\":[]}", "spec.type", "opset: "},
        {"{\"kind\":\"m\",\"opset\":{\"\":0}}", "opset.version", "opset."},
        {"{\"kind\":\"m\",\"opset\":{\"\":-1}}", "spec.value", "opset."},
        {"{\"kind\":\"m\",\"opset\":{\"a\":1.0}}", "spec.type",
         "opset.a: an integer, not a real number"},
        {"{\"kind\":\"m\",\"opset\":{\"a\":4294967296}}", "spec.value", "opset.a: "},
        {"{\"kind\":\"m\",\"graph\":{}}", "spec.missing-key", "\"opset\""},
        {"{\"kind\":\"m\",\"opset\":{},\"graph\":{},\"graphs\":[]}", "spec.conflict",
         "\"graph\" and \"graphs\""},
        {"{\"kind\":\"m\",\"opset\":{},\"graphs\":[]}", "spec.value", "graphs: at least one"},
        {"{\"kind\":\"m\",\"selftest\":[]}", "spec.missing-key", "\"graph\" or \"graphs\""},
    };
    CHECK("", "", rows);
}

static void test_refused_tensors(void **state) {
    (void)state;
    static const refusal rows[] = {
        {"1", "spec.type", "tensors[0]: an object, not an integer"},
        {"{}", "spec.missing-key", "tensors[0]: \"name\""},
        {"{\"name\":\"a\"}", "spec.missing-key", "tensors[0]: one of \"file\""},
        {"{\"name\":1,\"file\":\"w.npy\"}", "spec.type", "tensors[0].name: "},
        {"{\"name\":\"a\",\"fiel\":\"w.npy\"}", "spec.unknown-key",
         "tensors[0].fiel: did you mean \"file\"?"},
        {"{\"name\":\"a\",\"file\":\"w.npy\",\"values\":[]}", "spec.conflict",
         "\"file\" and \"values\""},
        {"{\"name\":\"a\",\"file\":\"w.npy\",\"dtype\":\"f32\"}", "spec.conflict",
         "\"file\" and \"dtype\""},
        {"{\"name\":\"a\",\"strings\":[],\"dtype\":\"str\"}", "spec.conflict",
         "\"strings\" and \"dtype\""},
        {"{\"name\":\"a\",\"file\":\"../w.npy\"}", "input.name", "tensors[0].file: \"../w.npy\""},
        {"{\"name\":\"a\",\"file\":\"/etc/passwd\"}", "input.name", "tensors[0].file: "},
        {"{\"name\":\"a\",\"file\":\"none.npy\"}", "input.read",
         "tensors[0].file: none.npy: No such file"},
        {"{\"name\":\"a\",\"file\":\"q.bin\"}", "npy.magic", "tensors[0].file: q.bin"},
        {"{\"name\":\"w\",\"file\":\"w.npy\"},{\"name\":\"w\",\"file\":\"w.npy\"}",
         "assemble.duplicate-name", "tensors[1].file: \"w\""},
        {"{\"name\":\"\",\"file\":\"w.npy\"}", "assemble.empty-name", "tensor 0"},
        {"{\"name\":\"a\",\"strings\":[1]}", "spec.type", "tensors[0].strings[0]: "},
        {"{\"name\":\"a\",\"strings\":[\"x\"],\"shape\":[2]}", "spec.value",
         "tensors[0].shape: not the shape of 1 "},
        {"{\"name\":\"a\",\"values\":[1]}", "spec.missing-key", "\"dtype\""},
        {"{\"name\":\"a\",\"values\":[1],\"dtype\":\"f33\"}", "spec.value",
         "tensors[0].dtype: \"f33\""},
        {"{\"name\":\"a\",\"values\":[1],\"dtype\":\"str\"}", "input.dtype",
         "tensors[0].dtype: str"},
        {"{\"name\":\"a\",\"values\":[1],\"dtype\":\"f8e5m2\"}", "input.dtype", "raw"},
        {"{\"name\":\"a\",\"values\":[1,2],\"dtype\":\"f32\",\"shape\":[3]}", "spec.value",
         "tensors[0].shape: "},
        {"{\"name\":\"a\",\"values\":[],\"dtype\":\"f32\",\"shape\":[4294967296,4294967296,0]}",
         "spec.value", "tensors[0].shape: "},
        {"{\"name\":\"a\",\"values\":[1],\"dtype\":\"f32\",\"shape\":[-1]}", "spec.value",
         "tensors[0].shape[0]: "},
        {"{\"name\":\"a\",\"values\":[1],\"dtype\":\"f32\",\"shape\":[1,1,1,1,1,1,1,1,1]}",
         "spec.value", "tensors[0].shape: more than 8"},
        {"{\"name\":\"a\",\"values\":[\"x\"],\"dtype\":\"f32\"}", "spec.value",
         "tensors[0].values[0]: "},
        {"{\"name\":\"a\",\"values\":[1,[2]],\"dtype\":\"f32\"}", "spec.type",
         "tensors[0].values[1]: "},
        {"{\"name\":\"a\",\"values\":[true],\"dtype\":\"f32\"}", "spec.type",
         "tensors[0].values[0]: "},
        {"{\"name\":\"a\",\"values\":[2],\"dtype\":\"bool\"}", "spec.value",
         "tensors[0].values[0]: does not fit bool"},
        {"{\"name\":\"a\",\"values\":[0,128],\"dtype\":\"i8\"}", "spec.value",
         "tensors[0].values[1]: does not fit i8"},
        {"{\"name\":\"a\",\"values\":[1.0],\"dtype\":\"i8\"}", "spec.value", "does not fit i8"},
        {"{\"name\":\"a\",\"values\":[1e39],\"dtype\":\"f32\"}", "spec.value", "does not fit f32"},
        {"{\"name\":\"a\",\"raw\":\"q.bin\"}", "spec.missing-key", "\"dtype\""},
        {"{\"name\":\"a\",\"raw\":\"q.bin\",\"dtype\":\"u8\"}", "spec.missing-key", "\"shape\""},
        {"{\"name\":\"a\",\"raw\":\"q.bin\",\"dtype\":\"u8\",\"shape\":[5]}", "tensor.size",
         "tensors[0].raw: tensor \"a\""},
        {"{\"name\":\"a\",\"raw\":\"q.bin\",\"dtype\":\"bool\",\"shape\":[6]}", "tensor.payload",
         "tensor \"a\", byte 0"},
        {"{\"name\":\"a\",\"raw\":\"q.bin\",\"dtype\":\"block\",\"shape\":[4]}", "spec.conflict",
         "\"block\""},
        {"{\"name\":\"a\",\"raw\":\"q.bin\",\"dtype\":\"u8\",\"shape\":[6],\"block\":{}}",
         "spec.conflict", "\"block\""},
        {"{\"name\":\"a\",\"raw\":\"q.bin\",\"dtype\":\"block\",\"shape\":[4],\"block\":{\"kind\":"
         "\"q\",\"bytes\":3}}",
         "spec.missing-key", "tensors[0].block: \"elements\""},
        {"{\"name\":\"a\",\"raw\":\"q.bin\",\"dtype\":\"block\",\"shape\":[4],\"block\":"
         "{\"kind\":\"Q\",\"bytes\":3,\"elements\":2}}",
         "tensor.block", "tensor \"a\""},
        {"{\"name\":\"a\",\"raw\":\"q.bin\",\"dtype\":\"block\",\"shape\":[4],\"block\":"
         "{\"kind\":\"q\",\"bytes\":65537,\"elements\":2}}",
         "spec.value", "tensors[0].block.bytes: "},
    };
    CHECK("{\"kind\":\"m\",\"tensors\":[", "]}", rows);
}

static void test_refused_graphs(void **state) {
    (void)state;
    static const refusal rows[] = {
        {"{}", "spec.missing-key", "graph: \"inputs\""},
        {"{\"inputs\":[],\"outputs\":[]}", "spec.missing-key", "graph: \"nodes\""},
        {"{\"inputs\":[],\"outputs\":[],\"node\":[]}", "spec.unknown-key",
         "graph.node: did you mean \"nodes\"?"},
        {"{\"inputs\":[{}],\"outputs\":[],\"nodes\":[]}", "spec.missing-key",
         "graph.inputs[0]: \"name\""},
        {"{\"inputs\":[{\"name\":\"x\"}],\"outputs\":[],\"nodes\":[]}", "assemble.untyped",
         "graph.inputs[0]: \"x\""},
        {"{\"inputs\":[],\"outputs\":[{\"name\":\"y\"}],\"nodes\":[]}", "assemble.undefined",
         "graph: \"y\""},
        {"{\"inputs\":[],\"outputs\":[],\"nodes\":[{\"op\":\"A\",\"in\":[\"z\"],\"out\":[]}]}",
         "assemble.undefined", "graph.nodes[0]: \"z\""},
        {"{\"inputs\":[],\"outputs\":[],\"nodes\":[{\"op\":\"A\",\"in\":[1],\"out\":[]}]}",
         "spec.type", "graph.nodes[0].in[0]: a string"},
        {"{\"inputs\":[],\"outputs\":[],\"nodes\":[{\"op\":\"A\",\"in\":[],\"out\":[null]}]}",
         "spec.type", "graph.nodes[0].out[0]: a string"},
        {"{\"inputs\":[],\"outputs\":[],\"nodes\":[{\"op\":\"A\",\"domain\":\"d\",\"in\":[],"
         "\"out\":[]}]}",
         "assemble.opset", "graph.nodes[0]: \"A\" of \"d\""},
        {"{\"inputs\":[],\"outputs\":[],\"nodes\":[{\"op\":\"A\",\"in\":[],\"out\":[],\"attrs\":{}}"
         "]}",
         "spec.unknown-key", "graph.nodes[0].attrs: did you mean \"attr\"?"},
    };
    CHECK("{\"kind\":\"m\",\"opset\":{\"\":1},\"graph\":", "}", rows);
}

static void test_refused_types(void **state) {
    (void)state;
    static const refusal rows[] = {
        {"1", "spec.type", "graph.inputs[0].type: an object"},
        {"{}", "spec.conflict", "graph.inputs[0].type: exactly one"},
        {"{\"tensor\":{\"dtype\":\"f32\"},\"sequence\":{}}", "spec.conflict", "exactly one"},
        {"{\"tensors\":{}}", "spec.unknown-key", "type.tensors: did you mean \"tensor\"?"},
        {"{\"tensor\":{}}", "spec.missing-key", "type.tensor: \"dtype\""},
        {"{\"tensor\":{\"dtype\":\"float\"}}", "spec.value", "type.tensor.dtype: \"float\""},
        {"{\"tensor\":{\"dtype\":\"f32\",\"shape\":[-1]}}", "spec.value", "type.tensor.shape[0]: "},
        {"{\"tensor\":{\"dtype\":\"f32\",\"shape\":[\"\"]}}", "spec.value",
         "type.tensor.shape[0]: a symbol"},
        {"{\"tensor\":{\"dtype\":\"f32\",\"shape\":[1.5]}}", "spec.type", "type.tensor.shape[0]: "},
        {"{\"tensor\":{\"dtype\":\"f32\",\"shape\":[1,1,1,1,1,1,1,1,1]}}", "spec.value",
         "type.tensor.shape: more than 8"},
        {"{\"map\":{\"key\":\"f32\",\"value\":{\"tensor\":{\"dtype\":\"f32\"}}}}", "type.form",
         "type"},
        {"{\"map\":{\"key\":\"i64\"}}", "spec.missing-key", "type.map: \"value\""},
        {"{\"sequence\":{\"optional\":{}}}", "spec.conflict", "type.sequence.optional: "},
    };
    CHECK(
        "{\"kind\":\"m\",\"opset\":{},\"graph\":{\"outputs\":[],\"nodes\":[],\"inputs\":[{\"name\":"
        "\"x\",\"type\":",
        "}]}}", rows);
}

static void test_types_nest_to_a_limit(void **state) {
    (void)state;
    for (int depth = 14; depth <= 40; depth += 26) {
        char text[2048] =
            "{\"kind\":\"m\",\"opset\":{},\"graph\":{\"outputs\":[],\"nodes\":[],"
            "\"inputs\":[{\"name\":\"x\",\"type\":";
        for (int i = 0; i < depth; i++) strcat(text, "{\"sequence\":");
        strcat(text, "{\"tensor\":{\"dtype\":\"f32\"}}");
        for (int i = 0; i < depth; i++) strcat(text, "}");
        strcat(text, "}]}}");
        wlk_model *model;
        wlk_error error = {0};
        const wlk_status status = parse(text, &model, &error);
        if (depth == 14) {
            EXPECT_OK(status);
            wlk_model_free(model);
        } else {
            expect_refused("depth", status, &error, "limit.header-depth", "type.sequence.sequence");
        }
    }
}

static void test_refused_attributes(void **state) {
    (void)state;
    static const refusal rows[] = {
        {"true", "spec.type", "graph.nodes[0].attr.a: "},
        {"null", "spec.type", "graph.nodes[0].attr.a: "},
        {"[]", "spec.value", "graph.nodes[0].attr.a: an empty array"},
        {"[1, 2.0]", "spec.type", "graph.nodes[0].attr.a[1]: all integers"},
        {"[1.0, 2]", "spec.type", "attr.a[1]: all integers"},
        {"[\"x\", 2]", "spec.type", "attr.a[1]: "},
        {"[true]", "spec.type", "attr.a[0]: "},
        {"[[1]]", "spec.type", "attr.a[0]: "},
        {"{}", "spec.conflict", "attr.a: exactly one key"},
        {"{\"ints\":[1],\"floats\":[]}", "spec.conflict", "attr.a: exactly one key"},
        {"{\"intz\":[1]}", "spec.unknown-key", "attr.a.intz: did you mean \"int\"?"},
        {"{\"ints\":1}", "spec.type", "attr.a.ints: an array"},
        {"{\"ints\":[1.0]}", "spec.type", "attr.a.ints[0]: an integer"},
        {"{\"int\":\"1\"}", "spec.type", "attr.a.int: an integer"},
        {"{\"floats\":[\"1\"]}", "spec.value", "attr.a.floats[0]: "},
        {"{\"strings\":[1]}", "spec.type", "attr.a.strings[0]: a string"},
        {"{\"string\":1}", "spec.type", "attr.a.string: a string"},
        {"{\"tensor\":\"none\"}", "assemble.undefined", "attr.a.tensor: \"none\""},
        {"{\"tensor\":\"x\"}", "assemble.not-tensor", "attr.a.tensor: \"x\""},
        {"{\"tensors\":[0]}", "spec.type", "attr.a.tensors[0]: "},
        {"{\"graph\":0}", "assemble.subgraph", "attr.a: graph 0"},
        {"{\"graph\":1}", "assemble.subgraph", "graph 1"},
        {"{\"graph\":-1}", "spec.value", "attr.a.graph: "},
        {"{\"graphs\":[5000]}", "spec.value", "attr.a.graphs[0]: "},
        {"{\"dtype\":\"f31\"}", "spec.value", "attr.a.dtype: \"f31\""},
        {"{\"type\":{}}", "spec.conflict", "attr.a.type: "},
        {"1e400", "spec.syntax", NULL},
    };
    CHECK(
        "{\"kind\":\"m\",\"opset\":{\"\":1},\"graph\":{\"inputs\":[{\"name\":\"x\",\"type\":{"
        "\"tensor\":{\"dtype\":"
        "\"f32\"}}}],\"outputs\":[],\"nodes\":[{\"op\":\"A\",\"in\":[],\"out\":[],\"attr\":{\"a\":",
        "}}]}}", rows);
}

static void test_refused_golden_rows(void **state) {
    (void)state;
    static const refusal rows[] = {
        {"{}", "spec.missing-key", "selftest[0]: \"inputs\""},
        {"{\"inputs\":[\"w\"],\"outputs\":[\"w\"],\"rtol\":0}", "spec.missing-key",
         "selftest[0]: \"atol\""},
        {"{\"inputs\":[\"w\"],\"outputs\":[\"w\"],\"rtol\":\"0\",\"atol\":0}", "spec.type",
         "selftest[0].rtol: "},
        {"{\"inputs\":[\"w\"],\"outputs\":[\"w\"],\"rtol\":-1,\"atol\":0}", "selftest.tolerance",
         "selftest[0]"},
        {"{\"inputs\":[1],\"outputs\":[\"w\"],\"rtol\":0,\"atol\":0}", "spec.type",
         "selftest[0].inputs[0]: "},
        {"{\"inputs\":[\"v\"],\"outputs\":[\"w\"],\"rtol\":0,\"atol\":0}", "assemble.undefined",
         "selftest[0].inputs[0]: \"v\""},
        {"{\"inputs\":[\"x\"],\"outputs\":[\"w\"],\"rtol\":0,\"atol\":0}", "assemble.not-tensor",
         "selftest[0].inputs[0]: \"x\""},
        {"{\"inputs\":[\"no.npy\"],\"outputs\":[\"w\"],\"rtol\":0,\"atol\":0}", "input.read",
         "selftest[0].inputs[0]: no.npy"},
        {"{\"inputs\":[\"../w.npy\"],\"outputs\":[\"w\"],\"rtol\":0,\"atol\":0}", "input.name",
         "selftest[0].inputs[0]: "},
        {"{\"inputs\":[],\"outputs\":[\"w\"],\"rtol\":0,\"atol\":0}", "assemble.selftest",
         "selftest[0]: the main graph has 1"},
        {"{\"inputs\":[\"row.npy\"],\"outputs\":[\"w\"],\"rtol\":0,\"atol\":0}",
         "assemble.selftest", "selftest[0]: input 0"},
    };
    CHECK(
        "{\"kind\":\"m\",\"opset\":{},\"tensors\":[{\"name\":\"w\",\"file\":\"w.npy\"}],\"graph\":{"
        "\"inputs\":"
        "[{\"name\":\"x\",\"type\":{\"tensor\":{\"dtype\":\"f32\",\"shape\":[2]}}}],\"outputs\":[{"
        "\"name\":\"x\"}],"
        "\"nodes\":[]},\"selftest\":[",
        "]}", rows);
}

static void test_limits(void **state) {
    (void)state;
    wlk_model *model;
    wlk_error error = {0};
    limits.json_bytes = 11;
    expect_refused("size", parse("{\"kind\":\"m\"}", &model, &error), &error, "input.size", NULL);
    assert_int_equal(error.offset, 11);
    limits.json_bytes = 12;
    EXPECT_OK(parse("{\"kind\":\"m\"}", &model, &error));
    wlk_model_free(model);
    wlk_limits_default(&limits);
    limits.output_bytes = 7;
    expect_refused(
        "file",
        parse("{\"kind\":\"m\",\"tensors\":[{\"name\":\"w\",\"file\":\"w.npy\"}]}", &model, &error),
        &error, "input.size", "tensors[0].file: w.npy");
    wlk_limits_default(&limits);
    limits.tensors = 1;
    expect_refused("tensors",
                   parse("{\"kind\":\"m\",\"tensors\":[{\"name\":\"a\",\"strings\":[]},"
                         "{\"name\":\"b\",\"strings\":[]}]}",
                         &model, &error),
                   &error, "limit.tensors", "tensors[1]: tensor \"b\"");
    wlk_limits_default(&limits);
}

/* Invariant 7: as deep as JSON may be, and no deeper. */
static void test_deep_json(void **state) {
    (void)state;
    enum { DEPTH = 100000 };
    char *text = malloc(2 * DEPTH + 64);
    wlk_model *model;
    wlk_error error = {0};
    strcpy(text, "{\"kind\":\"m\",\"x-a\":");
    memset(text + strlen(text), '[', DEPTH);
    memset(text + 19 + DEPTH, ']', DEPTH);
    strcpy(text + 19 + 2 * DEPTH, "}");
    expect_refused("deep", parse(text, &model, &error), &error, "spec.syntax", NULL);
    free(text);
}

static void test_from_a_file(void **state) {
    (void)state;
    wlk_model *model;
    wlk_error error = {0};
    assert_int_equal(mkdir(in_scratch("models"), 0700), 0);
    write_bytes(in_scratch("models/spec.json"),
                "{\"kind\":\"m\",\"tensors\":[{\"name\":\"w\",\"raw\":\"sub/w\","
                "\"dtype\":\"u8\",\"shape\":[3]}]}",
                76);
    assert_int_equal(mkdir(in_scratch("models/sub"), 0700), 0);
    write_bytes(in_scratch("models/sub/w"), "xyz", 3);
    EXPECT_OK(json_spec_read(in_scratch("models/spec.json"), &limits, &model, &error));
    assert_memory_equal(wlk_model_tensor(model, 0).data, "xyz", 3);
    wlk_model_free(model);
    expect_refused("none", json_spec_read(in_scratch("models/none"), &limits, &model, &error),
                   &error, "input.read", "models/none");
    assert_null(model);
}

/* An f32 array counting from 0, of that shape, as a .npy file. */
static void write_npy(const char *name, const char *shape, size_t count) {
    static const float values[6] = {0, 1, 2, 3, 4, 5};
    uint8_t npy[128] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};
    const int length = snprintf((char *)npy + 10, sizeof npy - 10,
                                "{'descr': '<f4', 'fortran_order': False, 'shape': %s}\n", shape);
    store_u16(npy + 8, (uint16_t)length);
    memcpy(npy + 10 + length, values, count * 4);
    write_bytes(in_scratch(name), npy, (size_t)length + 10 + count * 4);
}

static int make_files(void **state) {
    wlk_limits_default(&limits);
    if (scratch_make(state) != 0) return -1;
    write_npy("w.npy", "(2,)", 2);
    write_npy("row.npy", "(1, 2)", 2);
    write_npy("coefficients.npy", "(3, 2)", 6);
    write_bytes(in_scratch("q.bin"), "abcdef", 6);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_complete_specification),
        cmocka_unit_test(test_the_documented_example),
        cmocka_unit_test(test_small_specifications),
        cmocka_unit_test(test_refused_syntax),
        cmocka_unit_test(test_refused_roots),
        cmocka_unit_test(test_refused_tensors),
        cmocka_unit_test(test_refused_graphs),
        cmocka_unit_test(test_refused_types),
        cmocka_unit_test(test_types_nest_to_a_limit),
        cmocka_unit_test(test_refused_attributes),
        cmocka_unit_test(test_refused_golden_rows),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_deep_json),
        cmocka_unit_test(test_from_a_file),
    };
    return cmocka_run_group_tests(tests, make_files, scratch_remove);
}

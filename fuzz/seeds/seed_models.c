/* Models that have something of everything between them. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/dtype.h"
#include "seeds/seeds.h"

#define MOST_BYTES 4096

wlk_writer *model_begin(void) {
    wlk_writer *w;
    wlk_error error = {.status = WLK_OK};
    if (wlk_writer_new(NULL, &w, &error) != WLK_OK) seed_fail("writer", &error);
    return w;
}

void model_done(const model_visitor *visitor, wlk_writer *w, bool core, const char *format, ...) {
    char name[96];
    wlk_model *model;
    wlk_error error = {.status = WLK_OK};
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(name, sizeof name, format, arguments);
    va_end(arguments);
    if (wlk_writer_finish(w, &model, &error) != WLK_OK) seed_fail(name, &error);
    wlk_writer_free(w);
    visitor->visit(visitor->context, name, model, core);
    wlk_model_free(model);
}

/* ---- tensors */

/* 0, 1, 2 ... as that dtype, where it has a byte or more an element. */
static void fill(wlk_dtype dtype, uint8_t *data, uint64_t count) {
    const bool is_double = dtype == WLK_F64 || dtype == WLK_C128;
    const bool is_float = dtype == WLK_F32 || dtype == WLK_C64;
    const uint32_t bytes = wlk_dtype_bits(dtype) / 8, most = is_float ? 4 : 8;
    for (uint64_t i = 0; i < count; i++) {
        const double real = (double)i;
        const float single = (float)i;
        const uint64_t whole = dtype == WLK_BOOL ? i % 2 : i;
        const void *from = is_double  ? (const void *)&real
                           : is_float ? (const void *)&single
                                      : &whole;
        if (bytes) memcpy(data + bytes * i, from, bytes < most ? bytes : most);
    }
}

static const char *const texts[] = {"", "one", "2", "zw\xc3\xb6lf", "\xf0\x9f\x9a\xa2", "-1e3"};

uint32_t model_tensor(wlk_writer *w, const char *name, wlk_dtype dtype, uint32_t rank,
                      const uint64_t *shape) {
    static uint8_t data[MOST_BYTES];
    const char *strings[16];
    wlk_tensor t = {.name = name, .dtype = dtype, .rank = rank, .data = data};
    for (uint32_t i = 0; i < rank; i++) t.shape[i] = shape[i];
    memset(data, 0, sizeof data);
    if (!shape_count(t.shape, rank, &t.count)) seed_fail(name, NULL);
    if (dtype == WLK_STR) {
        for (size_t i = 0; i < 16; i++) strings[i] = texts[i % 6];
        return wlk_writer_strings(w, name, rank, shape, strings);
    }
    if (!dtype_nbytes(dtype, t.count, &t.nbytes) || t.nbytes > sizeof data) seed_fail(name, NULL);
    fill(dtype, data, t.count);
    return wlk_writer_tensor(w, &t);
}

/* x [?,3] of that dtype, given back by an Identity. */
static void identity_graph(wlk_writer *w, wlk_dtype dtype) {
    wlk_writer_opset(w, "", 21);
    (void)wlk_writer_graph(w, "main");
    wlk_writer_input(w, "x", wlk_writer_tensor_type(w, dtype, 2, (const int64_t[]){-1, 3}));
    wlk_writer_output(w, "y", WLK_NONE);
    wlk_writer_node(w, "Identity", "", "", NAMES("x"), NAMES("y"));
}

static void model_empty(const model_visitor *v) {
    model_done(v, model_begin(), true, "empty");
}

static void model_block(wlk_writer *w, const char *kind, uint32_t elements, uint32_t bytes) {
    static const uint8_t packed[MOST_BYTES] = {1, 2, 3};
    const wlk_tensor t = {.name = "blocks",
                          .dtype = WLK_BLOCK,
                          .rank = 2,
                          .shape = {2, 2ull * elements},
                          .data = packed,
                          .nbytes = 4ull * bytes,
                          .block_kind = kind,
                          .block_elements = elements,
                          .block_bytes = bytes};
    (void)wlk_writer_tensor(w, &t);
}

static void models_dtypes(const model_visitor *v) {
    for (uint32_t d = 1; d < WLK_DTYPE_COUNT; d++) {
        wlk_writer *w = model_begin();
        if (d == WLK_BLOCK) {
            model_block(w, "q4_0", 32, 18);
        } else {
            (void)model_tensor(w, "t", (wlk_dtype)d, 2, SHAPE(2, 3));
            identity_graph(w, (wlk_dtype)d);
        }
        model_done(v, w, true, "dtype-%s", wlk_dtype_name((wlk_dtype)d));
    }
}

static void models_blocks(const model_visitor *v) {
    static const struct {
        const char *kind;
        uint32_t elements, bytes;
    } kinds[] = {{"q8_0", 32, 34}, {"q4_k", 256, 144}, {"one", 1, 1}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        wlk_writer *w = model_begin();
        model_block(w, kinds[i].kind, kinds[i].elements, kinds[i].bytes);
        model_done(v, w, true, "block-%s", kinds[i].kind);
    }
}

static void model_shapes(const model_visitor *v) {
    wlk_writer *w = model_begin();
    (void)model_tensor(w, "scalar", WLK_F32, 0, NULL);
    (void)model_tensor(w, "deep", WLK_I8, 8, SHAPE(1, 1, 2, 1, 3, 1, 1, 1));
    (void)model_tensor(w, "empty", WLK_F64, 2, SHAPE(0, 5));
    (void)model_tensor(w, "no-strings", WLK_STR, 1, SHAPE(0));
    (void)model_tensor(w, "long", WLK_U8, 1, SHAPE(1000));
    model_done(v, w, true, "shapes");
}

/* ---- metadata */

static void put_meta(wlk_writer *w, const char *path, wlk_meta_type type) {
    static char inner[80];
    (void)snprintf(inner, sizeof inner, "%s/%s", path, type == WLK_META_ARRAY ? "0" : "key~1~0");
    if (type == WLK_META_NULL) wlk_writer_meta_null(w, path);
    if (type == WLK_META_BOOL) wlk_writer_meta_bool(w, path, true);
    if (type == WLK_META_INT) wlk_writer_meta_int(w, path, -129);
    if (type == WLK_META_UINT) wlk_writer_meta_uint(w, path, UINT64_MAX);
    if (type == WLK_META_FLOAT) wlk_writer_meta_float(w, path, -0.5);
    if (type == WLK_META_STRING) wlk_writer_meta_string(w, path, texts[3]);
    if (type == WLK_META_ARRAY) wlk_writer_meta_array(w, path);
    if (type == WLK_META_MAP) wlk_writer_meta_map(w, path);
    if (type >= WLK_META_ARRAY) wlk_writer_meta_float(w, inner, (double)NAN);
}

static void models_metadata(const model_visitor *v) {
    static const char *const kinds[] = {"",      "null",   "bool",  "int", "uint",
                                        "float", "string", "array", "map"};
    for (uint32_t type = WLK_META_NULL; type <= WLK_META_MAP; type++) {
        wlk_writer *w = model_begin();
        put_meta(w, "/metadata/hyperparameters/p", (wlk_meta_type)type);
        put_meta(w, "/x-note", (wlk_meta_type)type);
        model_done(v, w, true, "meta-%s", kinds[type]);
    }
}

static void model_metadata(const model_visitor *v) {
    static const char *const words[] = {"/created", "/name", "/producer", "/version"};
    wlk_writer *w = model_begin();
    wlk_writer_meta_string(w, "/kind", "classifier");
    for (size_t i = 0; i < 4; i++) wlk_writer_meta_string(w, words[i], texts[i]);
    wlk_writer_meta_strings(w, "/metadata/tags", texts, 6);
    wlk_writer_meta_map(w, "/metadata/training");
    wlk_writer_meta_string(w, "/metadata/libraries/numpy", "1.24");
    wlk_writer_meta_float(w, "/metadata/metrics/accuracy", 0.97);
    wlk_writer_meta_string(w, "/metadata/source/url", "https://example.org/");
    wlk_writer_meta_int(w, "/metadata/x-list/0", 65536);
    wlk_writer_meta_int(w, "/metadata/x-list/1/a/b/c", INT64_MIN);
    model_done(v, w, true, "metadata");
}

/* ---- graphs */

static uint32_t wrapped(wlk_writer *w, wlk_type_kind kind, uint32_t element) {
    const wlk_type type = {.kind = kind, .key_dtype = WLK_I64, .element = element};
    return wlk_writer_type(w, &type);
}

static void model_types(const model_visitor *v) {
    const wlk_type any = {.kind = WLK_TYPE_TENSOR, .dtype = WLK_STR};
    const wlk_type named = {.kind = WLK_TYPE_TENSOR,
                            .dtype = WLK_F32,
                            .has_shape = true,
                            .rank = 3,
                            .dims = {WLK_UNKNOWN_DIM, 2, WLK_UNKNOWN_DIM},
                            .symbols = {"batch"}};
    wlk_writer *w = model_begin();
    const uint32_t sequence = wrapped(w, WLK_TYPE_SEQUENCE, wlk_writer_type(w, &any));
    const uint32_t map = wrapped(w, WLK_TYPE_MAP, sequence);
    const uint32_t all[] = {wlk_writer_type(w, &named), sequence, map,
                            wrapped(w, WLK_TYPE_OPTIONAL, map)};
    wlk_writer_opset(w, "org.example", 1);
    (void)wlk_writer_graph(w, "");
    for (size_t i = 0; i < 4; i++) wlk_writer_input(w, texts[i][0] ? texts[i] : "x", all[i]);
    wlk_writer_output(w, "y", all[3]);
    wlk_writer_node(w, "Any", "org.example", "", NAMES("x", "", "one"), NAMES("y", "", "z"));
    model_done(v, w, true, "types");
}

/* A node of a domain that nobody knows, for attributes of every type. */
static void attribute_graph(wlk_writer *w) {
    (void)model_tensor(w, "t", WLK_F32, 1, SHAPE(2));
    wlk_writer_opset(w, "org.example", 7);
    (void)wlk_writer_graph(w, "");
    wlk_writer_input(w, "x", wlk_writer_tensor_type(w, WLK_F32, 0, NULL));
    wlk_writer_output(w, "y", WLK_NONE);
    wlk_writer_node(w, "Any", "org.example", "n", NAMES("x", "t"), NAMES("y"));
}

/* What graph attributes refer to. */
static void inner_graphs(wlk_writer *w, uint32_t count) {
    char name[16];
    for (uint32_t i = 0; i < count; i++) {
        (void)snprintf(name, sizeof name, "inner%u", i);
        (void)wlk_writer_graph(w, name);
        wlk_writer_output(w, name, WLK_NONE);
        wlk_writer_node(w, "Any", "org.example", "", NAMES("x"), NAMES(name));
    }
}

static void put_attribute(wlk_writer *w, wlk_attribute_type type) {
    static const int64_t ints[] = {0, 127, 128, 65536, -1, -33, INT64_MIN, INT64_MAX};
    static const double floats[] = {-0.0, 1e300, 5e-324, (double)INFINITY};
    if (type == WLK_ATTR_INT) wlk_writer_attr_int(w, "a", -7);
    if (type == WLK_ATTR_FLOAT) wlk_writer_attr_float(w, "a", 0.5);
    if (type == WLK_ATTR_STRING) wlk_writer_attr_string(w, "a", "text");
    if (type == WLK_ATTR_TENSOR) wlk_writer_attr_tensor(w, "a", 0);
    if (type == WLK_ATTR_DTYPE) wlk_writer_attr_dtype(w, "a", WLK_F8E4M3FNUZ);
    if (type == WLK_ATTR_TYPE) wlk_writer_attr_type(w, "a", 0);
    if (type == WLK_ATTR_INTS) wlk_writer_attr_ints(w, "a", ints, 8);
    if (type == WLK_ATTR_FLOATS) wlk_writer_attr_floats(w, "a", floats, 4);
    if (type == WLK_ATTR_STRINGS) wlk_writer_attr_strings(w, "a", texts, 6);
    if (type == WLK_ATTR_TENSORS) wlk_writer_attr_tensors(w, "a", (const uint32_t[]){0, 0}, 2);
    if (type == WLK_ATTR_GRAPH) wlk_writer_attr_graph(w, "a", 1);
    if (type == WLK_ATTR_GRAPHS) wlk_writer_attr_graphs(w, "a", (const uint32_t[]){2, 1}, 2);
}

static void models_attributes(const model_visitor *v) {
    static const char *const kinds[WLK_ATTR_TYPE_COUNT] = {
        "",     "int",  "float",  "string",  "tensor",  "graph", "dtype",
        "type", "ints", "floats", "strings", "tensors", "graphs"};
    for (uint32_t type = WLK_ATTR_INT; type < WLK_ATTR_TYPE_COUNT; type++) {
        wlk_writer *w = model_begin();
        attribute_graph(w);
        put_attribute(w, (wlk_attribute_type)type);
        inner_graphs(w, type == WLK_ATTR_GRAPH ? 1 : type == WLK_ATTR_GRAPHS ? 2 : 0);
        model_done(v, w, true, "attribute-%s", kinds[type]);
    }
}

/* A graph in a graph in a graph, each of which sees what is around it. */
static void model_nested(const model_visitor *v) {
    wlk_writer *w = model_begin();
    attribute_graph(w);
    wlk_writer_attr_graph(w, "body", 1);
    for (uint32_t i = 1; i < 4; i++) {
        char made[16];
        (void)snprintf(made, sizeof made, "h%u", i);
        (void)wlk_writer_graph(w, "");
        wlk_writer_output(w, made, WLK_NONE);
        wlk_writer_node(w, "Any", "org.example", "", NAMES("x", "t"), NAMES(made));
        if (i < 3) wlk_writer_attr_graph(w, "body", i + 1);
    }
    model_done(v, w, true, "nested");
}

static void model_opsets(const model_visitor *v) {
    wlk_writer *w = model_begin();
    wlk_writer_opset(w, "org.weighlock", 1);
    wlk_writer_opset(w, "ai.onnx.ml", 5);
    wlk_writer_opset(w, "x", UINT32_MAX);
    identity_graph(w, WLK_F32);
    model_done(v, w, true, "opsets");
}

/* ---- golden rows */

static void selftest_tensor(wlk_writer *w, const char *name, double value) {
    const double data[2] = {value, 2};
    const wlk_tensor t = {.name = name,
                          .dtype = WLK_F64,
                          .rank = 1,
                          .shape = {2},
                          .data = data,
                          .nbytes = sizeof data};
    (void)wlk_writer_tensor(w, &t);
}

static void models_selftest(const model_visitor *v) {
    static const struct {
        const char *name;
        double in, out, atol;
    } rows[] = {{"holds", 1, 1, 0},
                {"mismatch", 1, 2, 0},
                {"tolerance", 1, 1.5, 0.5},
                {"nan", (double)NAN, (double)NAN, 0},
                {"infinite", (double)INFINITY, -(double)INFINITY, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        wlk_writer *w = model_begin();
        selftest_tensor(w, "in", rows[i].in);
        selftest_tensor(w, "out", rows[i].out);
        wlk_writer_opset(w, "", 13);
        (void)wlk_writer_graph(w, "");
        wlk_writer_input(w, "x", wlk_writer_tensor_type(w, WLK_F64, 1, (const int64_t[]){-1}));
        wlk_writer_output(w, "y", WLK_NONE);
        wlk_writer_node(w, "Identity", "", "", NAMES("x"), NAMES("y"));
        wlk_writer_selftest(w, NAMES("in"), NAMES("out"), 1e-6, rows[i].atol);
        wlk_writer_selftest(w, NAMES("in"), NAMES("in"), 0, 0);
        model_done(v, w, true, "selftest-%s", rows[i].name);
    }
}

/* Golden rows of each way to compare: they hold, or the second element is another. */
static void model_selftest_of(const model_visitor *v, wlk_dtype dtype, bool holds) {
    static const char *const words[] = {"", "another", "2"};
    static const uint8_t bytes[64] = {0};
    wlk_tensor zeros = {.name = "other", .dtype = dtype, .rank = 1, .shape = {3}, .data = bytes};
    wlk_writer *w = model_begin();
    (void)model_tensor(w, "in", dtype, 1, SHAPE(3));
    if (dtype == WLK_STR) {
        (void)wlk_writer_strings(w, "other", 1, SHAPE(3), words);
    } else if (dtype_nbytes(dtype, 3, &zeros.nbytes)) {
        (void)wlk_writer_tensor(w, &zeros);
    }
    wlk_writer_opset(w, "", 21);
    (void)wlk_writer_graph(w, "");
    wlk_writer_input(w, "x", wlk_writer_tensor_type(w, dtype, 1, (const int64_t[]){-1}));
    wlk_writer_output(w, "y", WLK_NONE);
    wlk_writer_node(w, "Identity", "", "", NAMES("x"), NAMES("y"));
    wlk_writer_selftest(w, NAMES("in"), NAMES(holds ? "in" : "other"), 0, 0);
    model_done(v, w, true, "selftest-%s-%s", wlk_dtype_name(dtype), holds ? "holds" : "mismatch");
}

static void models_selftest_dtypes(const model_visitor *v) {
    static const wlk_dtype dtypes[] = {WLK_STR, WLK_I64, WLK_U8, WLK_BOOL, WLK_F16, WLK_C64};
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++) {
        model_selftest_of(v, dtypes[i], true);
        model_selftest_of(v, dtypes[i], false);
    }
}

/* A chain in which values take each other's places, and outputs that are inputs and
 * constants. */
static void model_chain(const model_visitor *v) {
    wlk_writer *w = model_begin();
    (void)model_tensor(w, "weights", WLK_F32, 2, SHAPE(3, 2));
    (void)model_tensor(w, "bias", WLK_F32, 1, SHAPE(2));
    wlk_writer_opset(w, "", 13);
    (void)wlk_writer_graph(w, "chain");
    wlk_writer_input(w, "x", wlk_writer_tensor_type(w, WLK_F32, 2, (const int64_t[]){-1, 3}));
    wlk_writer_output(w, "y", WLK_NONE);
    wlk_writer_output(w, "class", WLK_NONE);
    wlk_writer_output(w, "x", WLK_NONE);
    wlk_writer_output(w, "bias", WLK_NONE);
    wlk_writer_output(w, "y", WLK_NONE);
    wlk_writer_node(w, "Gemm", "", "", NAMES("x", "weights", "bias"), NAMES("a"));
    wlk_writer_node(w, "Relu", "", "", NAMES("a"), NAMES("b"));
    wlk_writer_node(w, "Mul", "", "", NAMES("b", "b"), NAMES("c"));
    wlk_writer_node(w, "Concat", "", "", NAMES("a", "c", "b"), NAMES("d"));
    wlk_writer_attr_int(w, "axis", 1);
    wlk_writer_node(w, "Softmax", "", "", NAMES("d"), NAMES("y"));
    wlk_writer_node(w, "ArgMax", "", "", NAMES("y"), NAMES("class"));
    wlk_writer_attr_int(w, "axis", 1);
    model_done(v, w, true, "chain");
}

void models_core(const model_visitor *v) {
    static void (*const all[])(const model_visitor *) = {
        model_empty,     models_dtypes,  models_blocks,   model_shapes,
        models_metadata, model_metadata, model_types,     models_attributes,
        model_nested,    model_opsets,   models_selftest, models_selftest_dtypes,
        model_chain};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) all[i](v);
}

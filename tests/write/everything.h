/* A model with something of everything that a .wlk file can hold, built with the
 * writer. For tests that include support/scratch.h. */
#ifndef TESTS_WRITE_EVERYTHING_H
#define TESTS_WRITE_EVERYTHING_H

#include <math.h>

#include <weighlock/write.h>

#include "base/bytes.h"
#include "base/dtype.h"
#include "base/envelope.h"
#include "formats/formats.h"
#include "image/memory_sink.h"

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NO_NAMES ((const char *const[]){NULL})

static inline wlk_writer *writer_new(void) {
    wlk_writer *w;
    wlk_error error = {0};
    EXPECT_OK(wlk_writer_new(NULL, &w, &error));
    return w;
}

static inline wlk_model *writer_end(wlk_writer *w) {
    wlk_model *model;
    wlk_error error = {0};
    EXPECT_OK(wlk_writer_finish(w, &model, &error));
    wlk_writer_free(w);
    return model;
}

/* One tensor of each dtype, of shape [3, 2], or [3, 4] in blocks of 2. */
static inline void everything_dtypes(wlk_writer *w) {
    uint8_t bytes[128];
    for (uint32_t dtype = 1; dtype < WLK_DTYPE_COUNT; dtype++) {
        char name[32];
        (void)snprintf(name, sizeof name, "t_%s", wlk_dtype_name((wlk_dtype)dtype));
        wlk_tensor t = {
            .name = name, .dtype = (wlk_dtype)dtype, .rank = 2, .shape = {3, 2}, .data = bytes};
        for (size_t i = 0; i < sizeof bytes; i++) {
            bytes[i] = (uint8_t)(dtype == WLK_BOOL ? i % 2 : i * dtype + 1);
        }
        if (dtype == WLK_STR) continue;
        if (dtype == WLK_BLOCK) {
            t.shape[1] = 4;
            t.nbytes = 6 * 7;
            t.block_kind = "q7_1";
            t.block_elements = 2;
            t.block_bytes = 7;
        } else {
            assert_true(dtype_nbytes(t.dtype, 6, &t.nbytes));
            if (wlk_dtype_bits(t.dtype) == 6) bytes[t.nbytes - 1] &= 0x0f; /* 36 bits are used */
        }
        (void)wlk_writer_tensor(w, &t);
    }
    static const char *const texts[] = {"", "one", "zw\xc3\xb6lf", "", "\xf0\x9f\x9a\xa2", "end"};
    (void)wlk_writer_strings(w, "t_str", 2, (const uint64_t[]){3, 2}, texts);
}

/* Empty ones, a scalar, rank 8, one without a name, one with underscores. */
static inline uint32_t everything_shapes(wlk_writer *w) {
    static const float data[2] = {0.5f, -2.0f};
    wlk_tensor t = {.name = "scalar", .dtype = WLK_F32, .rank = 0, .data = data, .nbytes = 4};
    (void)wlk_writer_tensor(w, &t);
    t = (wlk_tensor){.name = "empty", .dtype = WLK_F32, .rank = 2, .shape = {0, 5}};
    (void)wlk_writer_tensor(w, &t);
    (void)wlk_writer_strings(w, "no_strings", 1, (const uint64_t[]){0}, NULL);
    t = (wlk_tensor){.name = "__deep",
                     .dtype = WLK_F32,
                     .rank = 8,
                     .shape = {1, 1, 1, 2, 1, 1, 1, 1},
                     .data = data,
                     .nbytes = 8};
    (void)wlk_writer_tensor(w, &t);
    t = (wlk_tensor){
        .name = "row", .dtype = WLK_F32, .rank = 2, .shape = {1, 2}, .data = data, .nbytes = 8};
    (void)wlk_writer_tensor(w, &t);
    t = (wlk_tensor){
        .name = "", .dtype = WLK_F32, .rank = 1, .shape = {2}, .data = data, .nbytes = 8};
    return wlk_writer_tensor(w, &t);
}

static inline void everything_metadata(wlk_writer *w) {
    static const char *const tags[] = {"b", "a", ""};
    wlk_writer_meta_string(w, "/version", "1.0");
    wlk_writer_meta_string(w, "/kind", "classifier");
    wlk_writer_meta_string(w, "/created", "2001-02-03");
    wlk_writer_meta_string(w, "/name", "");
    wlk_writer_meta_string(w, "/producer", "a test");
    wlk_writer_meta_strings(w, "/metadata/tags", tags, 3);
    wlk_writer_meta_map(w, "/metadata/training");
    wlk_writer_meta_string(w, "/metadata/libraries/numpy", "1.24");
    wlk_writer_meta_float(w, "/metadata/metrics/accuracy", 0.97);
    wlk_writer_meta_float(w, "/metadata/metrics/nan", (double)NAN);
    wlk_writer_meta_int(w, "/metadata/hyperparameters/z", INT64_MIN);
    wlk_writer_meta_int(w, "/metadata/hyperparameters/a~1b~0c", 255);
    wlk_writer_meta_uint(w, "/metadata/hyperparameters/y", UINT64_MAX);
    wlk_writer_meta_uint(w, "/metadata/hyperparameters/x", 65536);
    wlk_writer_meta_bool(w, "/metadata/hyperparameters/w", true);
    wlk_writer_meta_bool(w, "/metadata/hyperparameters/v", false);
    wlk_writer_meta_null(w, "/metadata/hyperparameters/u");
    wlk_writer_meta_array(w, "/metadata/x-list");
    wlk_writer_meta_map(w, "/metadata/x-list/0");
    wlk_writer_meta_int(w, "/metadata/x-list/1/deep", -33);
    wlk_writer_meta_array(w, "/metadata/x-list/2");
    wlk_writer_meta_string(w, "/x-note/\xc3\xa9", "\xe2\x82\xac");
    wlk_writer_meta_int(w, "/x-", 1);
}

static inline uint32_t wrapped(wlk_writer *w, wlk_type_kind kind, uint32_t element) {
    const wlk_type type = {.kind = kind, .key_dtype = WLK_STR, .element = element};
    return wlk_writer_type(w, &type);
}

static inline void everything_attributes(wlk_writer *w, uint32_t nameless, uint32_t type) {
    static const uint32_t tensors[] = {0, 3, 0};
    static const double floats[] = {-0.0, 1e300, 5e-324};
    static const int64_t ints[] = {
        0,  127, 128, 255,  256,  65535,  65536,  4294967295, 4294967296,      INT64_MAX,
        -1, -32, -33, -128, -129, -32768, -32769, INT32_MIN,  INT32_MIN - 1ll, INT64_MIN};
    wlk_writer_attr_ints(w, "ints", ints, sizeof ints / sizeof *ints);
    wlk_writer_attr_int(w, "int", -7);
    wlk_writer_attr_float(w, "float", 1.0);
    wlk_writer_attr_float(w, "nan", f64_from_bits(0x7ff4000000000123ull));
    wlk_writer_attr_string(w, "string", "text");
    wlk_writer_attr_string(w, "empty", "");
    wlk_writer_attr_floats(w, "floats", floats, 3);
    wlk_writer_attr_floats(w, "no_floats", NULL, 0);
    wlk_writer_attr_strings(w, "strings", (const char *const[]){"b", "a", "b"}, 3);
    wlk_writer_attr_strings(w, "no_strings", NULL, 0);
    wlk_writer_attr_ints(w, "no_ints", NULL, 0);
    wlk_writer_attr_tensor(w, "tensor", nameless);
    wlk_writer_attr_tensors(w, "tensors", tensors, 3);
    wlk_writer_attr_tensors(w, "no_tensors", NULL, 0);
    wlk_writer_attr_dtype(w, "dtype", WLK_F8E4M3FNUZ);
    wlk_writer_attr_type(w, "type", type);
    wlk_writer_attr_graph(w, "then", 1);
    wlk_writer_attr_graphs(w, "others", (const uint32_t[]){3, 2}, 2);
    wlk_writer_attr_graphs(w, "no_graphs", NULL, 0);
}

static inline void everything_graphs(wlk_writer *w, uint32_t nameless) {
    const int64_t dims[] = {WLK_UNKNOWN_DIM, 2};
    const wlk_type symbolic = {.kind = WLK_TYPE_TENSOR,
                               .dtype = WLK_F32,
                               .has_shape = true,
                               .rank = 3,
                               .dims = {WLK_UNKNOWN_DIM, 2, WLK_UNKNOWN_DIM},
                               .symbols = {"batch"}};
    const wlk_type any = {.kind = WLK_TYPE_TENSOR, .dtype = WLK_STR};
    const uint32_t x = wlk_writer_tensor_type(w, WLK_F32, 2, dims);
    const uint32_t y = wlk_writer_type(w, &symbolic);
    const uint32_t sequence = wrapped(w, WLK_TYPE_SEQUENCE, wlk_writer_type(w, &any));
    const uint32_t map = wrapped(w, WLK_TYPE_MAP, sequence);
    const uint32_t optional = wrapped(w, WLK_TYPE_OPTIONAL, map);
    const uint32_t scalar = wlk_writer_tensor_type(w, WLK_I64, 0, NULL);
    wlk_writer_opset(w, "org.weighlock", 1);
    wlk_writer_opset(w, "", 17);
    wlk_writer_opset(w, "ai.onnx.ml", 3);
    wlk_writer_graph(w, "main");
    wlk_writer_input(w, "x", x);
    wlk_writer_output(w, "y", y);
    wlk_writer_output(w, "z", map);
    wlk_writer_output(w, "scalar", WLK_NONE);
    wlk_writer_output(w, "x", WLK_NONE);
    wlk_writer_output(w, "y", WLK_NONE);
    wlk_writer_node(w, "Add", "", "", LIST("x", "t_f32"), LIST("h"));
    wlk_writer_node(w, "Odd", "org.weighlock", "node", LIST("h", "", "x"), LIST("y", "", "z"));
    everything_attributes(w, nameless, optional);
    wlk_writer_node(w, "Nothing", "ai.onnx.ml", "", NO_NAMES, NO_NAMES);
    wlk_writer_graph(w, "");
    wlk_writer_input(w, "i", optional);
    wlk_writer_input(w, "j", WLK_NONE);
    wlk_writer_output(w, "k", scalar);
    wlk_writer_output(w, "h", WLK_NONE);
    wlk_writer_node(w, "Loop", "", "", LIST("i", "h", "t_i64"), LIST("k"));
    wlk_writer_attr_graph(w, "body", 4);
    for (int i = 0; i < 3; i++) {
        char name[8];
        (void)snprintf(name, sizeof name, "o%d", i);
        wlk_writer_graph(w, "inner");
        wlk_writer_output(w, name, WLK_NONE);
        wlk_writer_node(w, "Neg", "", "", LIST(i == 2 ? "j" : "x"), LIST(name));
    }
    const char *const row[] = {"row", NULL};
    wlk_writer_selftest(w, row, LIST("t_f32", "t_i8", "scalar", "row", "row"), 1e-6, 0);
    wlk_writer_selftest(w, row, LIST("t_f32", "t_i8", "scalar", "row", "row"), 0, 0.5);
}

static inline wlk_model *everything(void) {
    wlk_writer *w = writer_new();
    everything_metadata(w);
    everything_dtypes(w);
    everything_graphs(w, everything_shapes(w));
    return writer_end(w);
}

/* Reads a file with the product's parser and validator. */
static inline wlk_model *read_back(const uint8_t *bytes, uint64_t size) {
    wlk_limits limits;
    wlk_model *model;
    wlk_error error = {0};
    wlk_limits_default(&limits);
    memory_sink *sink = memory_sink_new(&limits);
    const image_sink interface = memory_sink_interface(sink);
    image_builder *builder = image_builder_new(&limits, &interface);
    const format_input input = {.data = bytes, .size = size, .limits = &limits};
    image_format(builder, WLK_FORMAT_WLK);
    EXPECT_OK(format_parse_wlk(&input, builder, &error));
    EXPECT_OK(image_build_model(builder, sink, size, &limits, &model, &error));
    image_builder_free(builder);
    memory_sink_free(sink);
    return model;
}

#endif

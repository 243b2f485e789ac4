/* Models whose answers are spoiled: small ones that together have records of every kind. */
#ifndef TESTS_GATE_HOSTILE_MODELS_H
#define TESTS_GATE_HOSTILE_MODELS_H

#include "support/gate_kit.h"

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

static inline void model_tensor(wlk_writer *w, const char *name, wlk_dtype dtype, uint64_t count,
                                const void *data, uint64_t nbytes) {
    const wlk_tensor tensor = {
        .name = name, .dtype = dtype, .rank = 1, .shape = {count}, .data = data, .nbytes = nbytes};
    (void)wlk_writer_tensor(w, &tensor);
}

static inline wlk_model *model_finished(wlk_writer *w) {
    wlk_model *model;
    wlk_error error;
    EXPECT_OK(wlk_writer_finish(w, &model, &error));
    wlk_writer_free(w);
    return model;
}

/* Text in every place where there can be some, and no graph. */
static inline wlk_model *model_of_strings(void) {
    static const char *const words[] = {"", "a", "grüße", "\xf0\x9f\x9a\xa2", "a/b~c", "zz"};
    static const uint8_t truth[] = {0, 1, 1, 0, 1};
    const uint64_t shape[2] = {2, 3};
    wlk_writer *w;
    wlk_error error;
    EXPECT_OK(wlk_writer_new(NULL, &w, &error));
    (void)wlk_writer_strings(w, "words", 2, shape, words);
    (void)wlk_writer_strings(w, "none", 1, (const uint64_t[]){0}, NULL);
    model_tensor(w, "truth", WLK_BOOL, 5, truth, 5);
    wlk_writer_meta_string(w, "/kind", "vocabulary");
    wlk_writer_meta_string(w, "/name", "a name that is long enough to be cut somewhere");
    wlk_writer_meta_strings(w, "/metadata/tags", words + 1, 5);
    wlk_writer_meta_float(w, "/metadata/metrics/accuracy", 0.25);
    wlk_writer_meta_int(w, "/metadata/hyperparameters/depth", -3);
    wlk_writer_meta_uint(w, "/x-note/large", UINT64_MAX);
    wlk_writer_meta_bool(w, "/x-note/a~1b", true);
    wlk_writer_meta_null(w, "/x-note/nothing");
    wlk_writer_meta_array(w, "/x-note/list");
    wlk_writer_meta_string(w, "/x-note/list/0", "");
    wlk_writer_meta_map(w, "/x-note/list/1");
    return model_finished(w);
}

static inline void rich_attributes(wlk_writer *w) {
    wlk_writer_attr_int(w, "int", -7);
    wlk_writer_attr_float(w, "float", 0.5);
    wlk_writer_attr_string(w, "string", "red");
    wlk_writer_attr_ints(w, "ints", (const int64_t[]){3, -1, 5}, 3);
    wlk_writer_attr_floats(w, "floats", (const double[]){1.5, -0.0}, 2);
    wlk_writer_attr_strings(w, "strings", NAMES("red", "", "blue"), 3);
    wlk_writer_attr_tensor(w, "tensor", 0);
    wlk_writer_attr_tensors(w, "tensors", (const uint32_t[]){0, 2}, 2);
    wlk_writer_attr_dtype(w, "dtype", WLK_F16);
    wlk_writer_attr_type(w, "type", 2);
}

static inline void rich_types(wlk_writer *w) {
    const wlk_type x = {.kind = WLK_TYPE_TENSOR,
                        .dtype = WLK_F32,
                        .has_shape = 1,
                        .rank = 3,
                        .dims = {WLK_UNKNOWN_DIM, 3, WLK_UNKNOWN_DIM},
                        .symbols = {"batch"},
                        .element = WLK_NONE};
    const wlk_type any = {.kind = WLK_TYPE_TENSOR, .dtype = WLK_STR, .element = WLK_NONE};
    const wlk_type sequence = {.kind = WLK_TYPE_SEQUENCE, .element = 1};
    const wlk_type map = {.kind = WLK_TYPE_MAP, .key_dtype = WLK_I64, .element = 2};
    const wlk_type optional = {.kind = WLK_TYPE_OPTIONAL, .element = 3};
    const wlk_type *const all[] = {&x, &any, &sequence, &map, &optional};
    for (uint32_t i = 0; i < 5; i++) assert_int_equal(wlk_writer_type(w, all[i]), i);
}

/* The main graph's second node holds graph 1, whose node holds graph 2. */
static inline void rich_graphs(wlk_writer *w) {
    (void)wlk_writer_graph(w, "main");
    wlk_writer_input(w, "x", 0);
    wlk_writer_output(w, "out", WLK_NONE);
    wlk_writer_output(w, "weights", WLK_NONE);
    wlk_writer_node(w, "Custom", "org.example", "first", NAMES("x", "", "weights"),
                    NAMES("h", "", "z"));
    rich_attributes(w);
    wlk_writer_node(w, "If", "", "", NAMES("h"), NAMES("out"));
    wlk_writer_attr_graphs(w, "branches", (const uint32_t[]){1}, 1);
    (void)wlk_writer_graph(w, "then");
    wlk_writer_input(w, "in1", 4);
    wlk_writer_output(w, "out1", WLK_NONE);
    wlk_writer_node(w, "Loop", "", "", NAMES("in1", "z"), NAMES("out1"));
    wlk_writer_attr_graph(w, "body", 2);
    (void)wlk_writer_graph(w, "");
    wlk_writer_output(w, "out2", 3);
    wlk_writer_node(w, "Concat", "", "", NAMES("x", "half"), NAMES("out2"));
}

static inline void rich_tensors(wlk_writer *w) {
    static const float weights[6] = {1, 2, 3, 4, 5, 6};
    static const uint8_t packed[72] = {1, 2, 3};
    wlk_tensor t = {.name = "weights",
                    .dtype = WLK_F32,
                    .rank = 3,
                    .shape = {2, 3, 1},
                    .data = weights,
                    .nbytes = sizeof weights};
    (void)wlk_writer_tensor(w, &t);
    t = (wlk_tensor){.name = "blocks",
                     .dtype = WLK_BLOCK,
                     .rank = 2,
                     .shape = {2, 64},
                     .data = packed,
                     .nbytes = sizeof packed,
                     .block_kind = "q4_0",
                     .block_elements = 32,
                     .block_bytes = 18};
    (void)wlk_writer_tensor(w, &t);
    model_tensor(w, "empty", WLK_I64, 0, NULL, 0);
    model_tensor(w, "half", WLK_F16, 5, packed, 10);
    model_tensor(w, "nibbles", WLK_U4, 4, packed, 2);
    (void)wlk_writer_strings(w, "labels", 1, (const uint64_t[]){2}, NAMES("no", "yes"));
}

/* Records of every kind but findings, which no .wlk file gives. */
static inline wlk_model *model_rich(void) {
    wlk_writer *w;
    wlk_error error;
    EXPECT_OK(wlk_writer_new(NULL, &w, &error));
    wlk_writer_opset(w, "", 13);
    wlk_writer_opset(w, "org.example", 1);
    rich_types(w);
    rich_tensors(w);
    rich_graphs(w);
    wlk_writer_selftest(w, NAMES("weights"), NAMES("half", "weights"), 1e-6, 0);
    wlk_writer_selftest(w, NAMES("weights"), NAMES("weights", "weights"), 0, 0.5);
    wlk_writer_meta_string(w, "/producer", "tests");
    wlk_writer_meta_strings(w, "/metadata/tags", NAMES("one", "two"), 2);
    return model_finished(w);
}

/* A graph that the inference core runs, with golden rows. */
static inline wlk_model *model_that_runs(void) {
    static const float weights[6] = {1, 0, 0, 1, 1, 1}, bias[2] = {0.5f, -0.5f};
    static const float x[3] = {1, 2, 3}, y[2] = {4.5f, 4.5f};
    static const int64_t shape[2] = {-1, 2};
    wlk_writer *w;
    wlk_error error;
    wlk_tensor t = {.dtype = WLK_F32, .rank = 2};
    const struct {
        const char *name;
        uint64_t shape[2];
        const float *data;
    } rows[] = {{"weights", {3, 2}, weights}, {"x0", {1, 3}, x}, {"y0", {1, 2}, y}};
    EXPECT_OK(wlk_writer_new(NULL, &w, &error));
    wlk_writer_opset(w, "", 13);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        t.name = rows[i].name;
        t.data = rows[i].data;
        memcpy(t.shape, rows[i].shape, sizeof rows[i].shape);
        t.nbytes = t.shape[0] * t.shape[1] * sizeof(float);
        (void)wlk_writer_tensor(w, &t);
    }
    model_tensor(w, "bias", WLK_F32, 2, bias, sizeof bias);
    model_tensor(w, "shape", WLK_I64, 2, shape, sizeof shape);
    (void)wlk_writer_graph(w, "");
    wlk_writer_input(w, "x",
                     wlk_writer_tensor_type(w, WLK_F32, 2, (const int64_t[]){WLK_UNKNOWN_DIM, 3}));
    wlk_writer_output(w, "y", WLK_NONE);
    wlk_writer_node(w, "Gemm", "", "", NAMES("x", "weights", "bias"), NAMES("h"));
    wlk_writer_attr_int(w, "transB", 0);
    wlk_writer_attr_float(w, "alpha", 1);
    wlk_writer_node(w, "Reshape", "", "", NAMES("h", "shape"), NAMES("r"));
    wlk_writer_node(w, "Relu", "", "", NAMES("r"), NAMES("y"));
    wlk_writer_selftest(w, NAMES("x0"), NAMES("y0"), 1e-6, 1e-6);
    return model_finished(w);
}

#endif

/* Models made in memory, by names, for the tests of the inference core. For any
 * test that includes cmocka.h. */
#ifndef WLK_TESTS_INFER_MODEL_KIT_H
#define WLK_TESTS_INFER_MODEL_KIT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weighlock/infer.h>

#include "base/bytes.h"
#include "base/dtype.h"
#include "base/error.h"
#include "image/assembler.h"
#include "image/memory_sink.h"

typedef struct model_kit {
    wlk_limits limits;
    memory_sink *sink;
    image_sink interface;
    image_builder *builder;
    assembler *assembler;
    wlk_error error;
    char outputs[8][64]; /* names of the main graph's, given before the nodes */
    uint32_t output_count;
} model_kit;

static inline void kit_open(model_kit *k) {
    memset(k, 0, sizeof *k);
    wlk_limits_default(&k->limits);
    k->sink = memory_sink_new(&k->limits);
    assert_non_null(k->sink);
    k->interface = memory_sink_interface(k->sink);
    k->builder = image_builder_new(&k->limits, &k->interface);
    assert_non_null(k->builder);
    k->assembler = assembler_new(k->builder, &k->limits);
    assert_non_null(k->assembler);
}

static inline void kit_check(model_kit *k, wlk_status status) {
    char text[512];
    if (status == WLK_OK) return;
    fail_msg("the test's own model: %s", wlk_error_format(&k->error, text, sizeof text));
}

static inline void kit_opset(model_kit *k, const char *domain, uint32_t version) {
    kit_check(k, assembler_opset(k->assembler, domain, version, &k->error));
}

/* A tensor of the model. */
static inline uint32_t kit_tensor(model_kit *k, const wlk_tensor *tensor) {
    uint32_t index = 0;
    kit_check(k, assembler_tensor(k->assembler, tensor, &index, &k->error));
    return index;
}

static inline wlk_tensor kit_array(const char *name, wlk_dtype dtype, uint32_t rank,
                                   const uint64_t *shape, const void *data) {
    wlk_tensor tensor = {.name = name, .dtype = dtype, .rank = rank, .data = data};
    for (uint32_t i = 0; i < rank; i++) tensor.shape[i] = shape[i];
    assert_true(shape_count(tensor.shape, rank, &tensor.count));
    assert_true(dtype_nbytes(dtype, tensor.count, &tensor.nbytes));
    return tensor;
}

static inline uint32_t kit_type(model_kit *k, wlk_dtype dtype, bool has_shape, uint32_t rank,
                                const int64_t *dims) {
    wlk_type type = {.kind = WLK_TYPE_TENSOR,
                     .dtype = dtype,
                     .has_shape = has_shape,
                     .rank = rank,
                     .element = WLK_NONE};
    uint32_t index = 0;
    for (uint32_t i = 0; i < rank; i++) type.dims[i] = dims[i];
    kit_check(k, assembler_type(k->assembler, &type, &index, &k->error));
    return index;
}

static inline void kit_graph(model_kit *k) {
    kit_check(k, assembler_graph(k->assembler, "main", &k->error));
}

static inline void kit_input(model_kit *k, const char *name, uint32_t type) {
    kit_check(k, assembler_input(k->assembler, name, type, &k->error));
}

static inline void kit_output(model_kit *k, const char *name, uint32_t type) {
    kit_check(k, assembler_output(k->assembler, name, type, &k->error));
}

/* in and out: names, "" for an omitted one. */
static inline void kit_node(model_kit *k, const char *domain, const char *op, const char *const *in,
                            uint32_t inputs, const char *const *out, uint32_t outputs) {
    const node_spec spec = {.op = op,
                            .domain = domain,
                            .name = "",
                            .inputs = in,
                            .input_count = inputs,
                            .outputs = out,
                            .output_count = outputs};
    kit_check(k, assembler_node(k->assembler, &spec, &k->error));
}

#define KIT_NAMES(...) ((const char *const[]){__VA_ARGS__})

static inline void kit_attribute(model_kit *k, const char *name, wlk_attribute_type type,
                                 const uint64_t *values, uint32_t count) {
    kit_check(k, assembler_attribute(k->assembler, name, type, values, count, &k->error));
}

static inline void kit_int(model_kit *k, const char *name, int64_t value) {
    const uint64_t bits = (uint64_t)value;
    kit_attribute(k, name, WLK_ATTR_INT, &bits, 1);
}

static inline void kit_texts(model_kit *k, const char *name, wlk_attribute_type type,
                             const char *const *texts, uint32_t count) {
    kit_check(k, assembler_attribute_texts(k->assembler, name, type, texts, count, &k->error));
}

/* Frees everything but the model, which is the caller's. */
static inline wlk_model *kit_close(model_kit *k) {
    wlk_model *model = NULL;
    kit_check(k, assembler_finish(k->assembler, &k->error));
    kit_check(k, image_build_model(k->builder, k->sink, 0, &k->limits, &model, &k->error));
    assembler_free(k->assembler);
    image_builder_free(k->builder);
    memory_sink_free(k->sink);
    return model;
}

/* ---- asserting */

static inline void assert_rule(const wlk_error *error, wlk_status status, const char *rule) {
    char text[512];
    const char *name = status == WLK_OK ? "ok" : wlk_rule_name(error->rule);
    if (strcmp(name, rule) == 0 && status == (strcmp(rule, "ok") == 0 ? 0 : error->status)) return;
    fail_msg("got %s, want %s; %s", name, rule,
             status == WLK_OK ? "" : wlk_error_format(error, text, sizeof text));
}

#endif

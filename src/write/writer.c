/* Building a model through the public interface (weighlock/write.h). */
#include <weighlock/write.h>

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/dtype.h"
#include "base/memory.h"
#include "image/assembler.h"
#include "image/memory_sink.h"
#include "image/meta_tree.h"

struct wlk_writer {
    wlk_limits limits;
    memory_sink *sink;
    image_sink interface;
    image_builder *builder;
    assembler *assembler;
    meta_tree *metadata;
    wlk_error error; /* the first one */
    bool finished;
    uint32_t graphs;
};

void wlk_writer_free(wlk_writer *w) {
    if (!w) return;
    meta_tree_free(w->metadata);
    assembler_free(w->assembler);
    image_builder_free(w->builder);
    memory_sink_free(w->sink);
    mem_free(w);
}

static bool writer_parts(wlk_writer *w) {
    w->sink = memory_sink_new(&w->limits);
    if (!w->sink) return false;
    w->interface = memory_sink_interface(w->sink);
    w->builder = image_builder_new(&w->limits, &w->interface);
    if (!w->builder) return false;
    w->assembler = assembler_new(w->builder, &w->limits);
    w->metadata = meta_tree_new(w->builder, &w->limits);
    return w->assembler && w->metadata;
}

wlk_status wlk_writer_new(const wlk_limits *limits, wlk_writer **writer, wlk_error *error) {
    *writer = NULL;
    wlk_writer *w = mem_zeroed(1, sizeof *w);
    if (!w) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    if (limits) {
        w->limits = *limits;
    } else {
        wlk_limits_default(&w->limits);
    }
    if (!writer_parts(w)) {
        wlk_writer_free(w);
        return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    }
    *writer = w;
    return WLK_OK;
}

/* May anything be added? An error that stuck, and the end, say no. */
static bool ready(wlk_writer *w) {
    if (w->error.status != WLK_OK) return false;
    if (w->finished) (void)error_at(&w->error, RULE_ASSEMBLE_ORDER, WLK_NO_OFFSET);
    return !w->finished;
}

/* The first error sticks. */
static void keep(wlk_writer *w, wlk_status status, const wlk_error *error) {
    if (status == WLK_OK || w->error.status != WLK_OK) return;
    w->error = *error;
    w->error.status = status;
}

/* Makes one call of a part and keeps its error. */
#define CALL(w, function, part, ...)                                             \
    do {                                                                         \
        wlk_error call_error = {0};                                              \
        if (ready(w)) {                                                          \
            keep(w, function((w)->part, __VA_ARGS__, &call_error), &call_error); \
        }                                                                        \
    } while (0)

/* ---- metadata */

void wlk_writer_meta_string(wlk_writer *w, const char *path, const char *text) {
    CALL(w, meta_tree_set_text, metadata, path, text);
}
void wlk_writer_meta_int(wlk_writer *w, const char *path, int64_t value) {
    CALL(w, meta_tree_set, metadata, path, WLK_META_INT, (uint64_t)value);
}
void wlk_writer_meta_uint(wlk_writer *w, const char *path, uint64_t value) {
    const wlk_meta_type type = value > INT64_MAX ? WLK_META_UINT : WLK_META_INT;
    CALL(w, meta_tree_set, metadata, path, type, value);
}
void wlk_writer_meta_float(wlk_writer *w, const char *path, double value) {
    CALL(w, meta_tree_set, metadata, path, WLK_META_FLOAT, f64_bits(value));
}
void wlk_writer_meta_bool(wlk_writer *w, const char *path, bool value) {
    CALL(w, meta_tree_set, metadata, path, WLK_META_BOOL, value);
}
void wlk_writer_meta_null(wlk_writer *w, const char *path) {
    CALL(w, meta_tree_set, metadata, path, WLK_META_NULL, 0);
}
void wlk_writer_meta_array(wlk_writer *w, const char *path) {
    CALL(w, meta_tree_set, metadata, path, WLK_META_ARRAY, 0);
}
void wlk_writer_meta_map(wlk_writer *w, const char *path) {
    CALL(w, meta_tree_set, metadata, path, WLK_META_MAP, 0);
}

void wlk_writer_meta_strings(wlk_writer *w, const char *path, const char *const *texts,
                             uint32_t count) {
    const size_t room = strlen(path) + 16;
    char *element = mem_alloc(room);
    wlk_writer_meta_array(w, path);
    if (!element) {
        const wlk_error error = {.status = WLK_SYSTEM, .rule = RULE_INTERNAL_MEMORY};
        keep(w, WLK_SYSTEM, &error);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        (void)snprintf(element, room, "%s/%u", path, i);
        wlk_writer_meta_string(w, element, texts[i]);
    }
    mem_free(element);
}

/* ---- opsets, tensors, types */

void wlk_writer_opset(wlk_writer *w, const char *domain, uint32_t version) {
    CALL(w, assembler_opset, assembler, domain, version);
}

uint32_t wlk_writer_tensor(wlk_writer *w, const wlk_tensor *tensor) {
    uint32_t index = WLK_NONE;
    CALL(w, assembler_tensor, assembler, tensor, &index);
    return w->error.status == WLK_OK ? index : WLK_NONE;
}

/* Offsets and text of `count` strings; NULL if there is no memory. */
static uint8_t *strings_payload(const char *const *texts, uint64_t count, uint64_t *nbytes) {
    uint64_t table;
    if (!checked_add(count, 1, &table) || !checked_mul(table, 8, &table)) return NULL;
    *nbytes = table;
    for (uint64_t i = 0; i < count; i++) {
        if (!checked_add(*nbytes, strlen(texts[i]), nbytes)) return NULL;
    }
    uint8_t *payload = mem_alloc(*nbytes);
    if (!payload) return NULL;
    uint64_t end = 0;
    store_u64(payload, 0);
    for (uint64_t i = 0; i < count; i++) {
        const uint64_t length = strlen(texts[i]);
        memcpy(payload + table + end, texts[i], length);
        end += length;
        store_u64(payload + 8 * i + 8, end);
    }
    return payload;
}

uint32_t wlk_writer_strings(wlk_writer *w, const char *name, uint32_t rank, const uint64_t *shape,
                            const char *const *texts) {
    wlk_tensor tensor = {.name = name, .dtype = WLK_STR, .rank = rank};
    uint64_t count;
    wlk_error error;
    if (!shape_count(shape, rank, &count)) {
        keep(w, error_text(&error, RULE_TENSOR_SHAPE, WLK_NO_OFFSET, "tensor \"%.160s\"", name),
             &error);
        return WLK_NONE;
    }
    for (uint32_t i = 0; i < rank; i++) tensor.shape[i] = shape[i];
    uint8_t *payload = strings_payload(texts, count, &tensor.nbytes);
    if (!payload) {
        keep(w, error_at(&error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET), &error);
        return WLK_NONE;
    }
    tensor.data = payload;
    const uint32_t index = wlk_writer_tensor(w, &tensor);
    mem_free(payload);
    return index;
}

uint32_t wlk_writer_type(wlk_writer *w, const wlk_type *type) {
    uint32_t index = WLK_NONE;
    CALL(w, assembler_type, assembler, type, &index);
    return w->error.status == WLK_OK ? index : WLK_NONE;
}

uint32_t wlk_writer_tensor_type(wlk_writer *w, wlk_dtype dtype, uint32_t rank,
                                const int64_t *dims) {
    wlk_type type = {.kind = WLK_TYPE_TENSOR, .dtype = dtype, .has_shape = true, .rank = rank};
    for (uint32_t i = 0; i < rank && i < WLK_MAX_RANK; i++) type.dims[i] = dims[i];
    return wlk_writer_type(w, &type);
}

/* ---- graphs */

uint32_t wlk_writer_graph(wlk_writer *w, const char *name) {
    CALL(w, assembler_graph, assembler, name);
    return w->error.status == WLK_OK ? w->graphs++ : WLK_NONE;
}

void wlk_writer_input(wlk_writer *w, const char *name, uint32_t type) {
    CALL(w, assembler_input, assembler, name, type);
}

void wlk_writer_output(wlk_writer *w, const char *name, uint32_t type) {
    CALL(w, assembler_output, assembler, name, type);
}

static uint32_t list_length(const char *const *names) {
    uint32_t count = 0;
    while (names[count]) count++;
    return count;
}

void wlk_writer_node(wlk_writer *w, const char *op, const char *domain, const char *name,
                     const char *const *inputs, const char *const *outputs) {
    const node_spec node = {.op = op,
                            .domain = domain,
                            .name = name,
                            .inputs = inputs,
                            .input_count = list_length(inputs),
                            .outputs = outputs,
                            .output_count = list_length(outputs)};
    CALL(w, assembler_node, assembler, &node);
}

/* ---- attributes */

static void attribute(wlk_writer *w, const char *name, wlk_attribute_type type, uint64_t value) {
    CALL(w, assembler_attribute, assembler, name, type, &value, 1);
}

void wlk_writer_attr_int(wlk_writer *w, const char *name, int64_t value) {
    attribute(w, name, WLK_ATTR_INT, (uint64_t)value);
}
void wlk_writer_attr_float(wlk_writer *w, const char *name, double value) {
    attribute(w, name, WLK_ATTR_FLOAT, f64_bits(value));
}
void wlk_writer_attr_tensor(wlk_writer *w, const char *name, uint32_t tensor) {
    attribute(w, name, WLK_ATTR_TENSOR, tensor);
}
void wlk_writer_attr_graph(wlk_writer *w, const char *name, uint32_t graph) {
    attribute(w, name, WLK_ATTR_GRAPH, graph);
}
void wlk_writer_attr_dtype(wlk_writer *w, const char *name, wlk_dtype dtype) {
    attribute(w, name, WLK_ATTR_DTYPE, (uint64_t)dtype);
}
void wlk_writer_attr_type(wlk_writer *w, const char *name, uint32_t type) {
    attribute(w, name, WLK_ATTR_TYPE, type);
}
void wlk_writer_attr_string(wlk_writer *w, const char *name, const char *text) {
    CALL(w, assembler_attribute_texts, assembler, name, WLK_ATTR_STRING, &text, 1);
}
void wlk_writer_attr_strings(wlk_writer *w, const char *name, const char *const *texts,
                             uint32_t count) {
    CALL(w, assembler_attribute_texts, assembler, name, WLK_ATTR_STRINGS, texts, count);
}

/* int64_t and double lie in memory as the image has them. */
void wlk_writer_attr_ints(wlk_writer *w, const char *name, const int64_t *values, uint32_t count) {
    CALL(w, assembler_attribute, assembler, name, WLK_ATTR_INTS, (const uint64_t *)values, count);
}

static void widened(wlk_writer *w, const char *name, wlk_attribute_type type, const void *values,
                    size_t size, uint32_t count) {
    wlk_error error;
    uint64_t *numbers = mem_zeroed(count ? count : 1, sizeof *numbers);
    if (!numbers) {
        keep(w, error_at(&error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET), &error);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        memcpy(&numbers[i], (const char *)values + i * size, size);
    }
    CALL(w, assembler_attribute, assembler, name, type, numbers, count);
    mem_free(numbers);
}

void wlk_writer_attr_floats(wlk_writer *w, const char *name, const double *values, uint32_t count) {
    widened(w, name, WLK_ATTR_FLOATS, values, sizeof *values, count);
}
void wlk_writer_attr_tensors(wlk_writer *w, const char *name, const uint32_t *tensors,
                             uint32_t count) {
    widened(w, name, WLK_ATTR_TENSORS, tensors, sizeof *tensors, count);
}
void wlk_writer_attr_graphs(wlk_writer *w, const char *name, const uint32_t *graphs,
                            uint32_t count) {
    widened(w, name, WLK_ATTR_GRAPHS, graphs, sizeof *graphs, count);
}

/* ---- golden rows, the end */

static wlk_status find_tensors(const wlk_writer *w, const char *const *names, uint32_t count,
                               uint32_t *tensors, wlk_error *error) {
    for (uint32_t i = 0; i < count; i++) {
        TRY(assembler_find_tensor(w->assembler, names[i], &tensors[i], error));
    }
    return WLK_OK;
}

static wlk_status selftest(wlk_writer *w, const char *const *inputs, const char *const *outputs,
                           double rtol, double atol, wlk_error *error) {
    const uint32_t input_count = list_length(inputs);
    const uint32_t output_count = list_length(outputs);
    uint32_t *tensors = mem_zeroed((size_t)input_count + output_count + 1, sizeof *tensors);
    if (!tensors) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    wlk_status status = find_tensors(w, inputs, input_count, tensors, error);
    if (status == WLK_OK) {
        status = find_tensors(w, outputs, output_count, tensors + input_count, error);
    }
    if (status == WLK_OK) {
        status = assembler_selftest(w->assembler, tensors, input_count, tensors + input_count,
                                    output_count, rtol, atol, error);
    }
    mem_free(tensors);
    return status;
}

void wlk_writer_selftest(wlk_writer *w, const char *const *inputs, const char *const *outputs,
                         double rtol, double atol) {
    wlk_error error = {0};
    if (ready(w)) keep(w, selftest(w, inputs, outputs, rtol, atol, &error), &error);
}

wlk_status wlk_writer_finish(wlk_writer *w, wlk_model **model, wlk_error *error) {
    *model = NULL;
    if (!meta_tree_has(w->metadata, "/kind")) wlk_writer_meta_string(w, "/kind", "model");
    if (!ready(w)) {
        if (error) *error = w->error;
        return w->error.status;
    }
    w->finished = true;
    TRY(assembler_finish(w->assembler, error));
    TRY(meta_tree_finish(w->metadata, error));
    return image_build_model(w->builder, w->sink, 0, &w->limits, model, error);
}

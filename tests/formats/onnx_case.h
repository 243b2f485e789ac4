/* ONNX files for tests in C: protobuf messages put together field by field, and one file that
 * has something of everything that the parser reads. */
#ifndef TESTS_FORMATS_ONNX_CASE_H
#define TESTS_FORMATS_ONNX_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "formats/formats.h"
#include "image/memory_sink.h"

/* A message that is being written. */
typedef struct proto {
    uint8_t bytes[4096];
    size_t size;
} proto;

static inline void proto_varint(proto *p, uint64_t value) {
    for (; value > 0x7f; value >>= 7) p->bytes[p->size++] = (uint8_t)(value | 0x80);
    p->bytes[p->size++] = (uint8_t)value;
}

static inline void proto_int(proto *p, uint32_t field, int64_t value) {
    proto_varint(p, field << 3);
    proto_varint(p, (uint64_t)value);
}

static inline void proto_data(proto *p, uint32_t field, const void *data, size_t size) {
    proto_varint(p, field << 3 | 2);
    proto_varint(p, size);
    assert_true(p->size + size <= sizeof p->bytes);
    memcpy(p->bytes + p->size, data, size);
    p->size += size;
}

static inline void proto_text(proto *p, uint32_t field, const char *text) {
    proto_data(p, field, text, strlen(text));
}

static inline void proto_put(proto *p, uint32_t field, const proto *message) {
    proto_data(p, field, message->bytes, message->size);
}

static inline void proto_float(proto *p, uint32_t field, float value) {
    proto_varint(p, field << 3 | 5);
    memcpy(p->bytes + p->size, &value, 4);
    p->size += 4;
}

/* ---- pieces of a model */

static inline proto onnx_tensor(const char *name, int64_t dim, int64_t dtype) {
    proto t = {.size = 0};
    proto_int(&t, 1, dim);
    proto_int(&t, 2, dtype);
    if (name[0] != '\0') proto_text(&t, 8, name);
    return t;
}

/* A ValueInfoProto of f32 ["n", 3]. */
static inline proto onnx_value(const char *name) {
    proto value = {.size = 0}, type = {.size = 0}, tensor = {.size = 0};
    proto shape = {.size = 0}, symbol = {.size = 0}, three = {.size = 0};
    proto_text(&symbol, 2, "n");
    proto_int(&three, 1, 3);
    proto_put(&shape, 1, &symbol);
    proto_put(&shape, 1, &three);
    proto_int(&tensor, 1, 1);
    proto_put(&tensor, 2, &shape);
    proto_put(&type, 1, &tensor);
    proto_text(&value, 1, name);
    proto_put(&value, 2, &type);
    return value;
}

static inline proto onnx_node(const char *op, const char *domain, const char *in, const char *out) {
    proto node = {.size = 0};
    proto_text(&node, 1, in);
    proto_text(&node, 2, out);
    proto_text(&node, 4, op);
    if (domain[0] != '\0') proto_text(&node, 7, domain);
    return node;
}

static inline proto onnx_attribute(const char *name, int64_t type) {
    proto attribute = {.size = 0};
    proto_text(&attribute, 1, name);
    proto_int(&attribute, 20, type);
    return attribute;
}

static inline proto onnx_opset(const char *domain, int64_t version) {
    proto opset = {.size = 0};
    if (domain[0] != '\0') proto_text(&opset, 1, domain);
    proto_int(&opset, 2, version);
    return opset;
}

static inline proto onnx_entry(const char *key, const char *value) {
    proto entry = {.size = 0};
    proto_text(&entry, 1, key);
    proto_text(&entry, 2, value);
    return entry;
}

/* ---- a model with something of everything */

static inline void whole_tensors(proto *graph) {
    proto raw = onnx_tensor("raw", 2, 1), packed = onnx_tensor("packed", 3, 7);
    proto texts = onnx_tensor("texts", 2, 8), flags = onnx_tensor("flags", 2, 9);
    proto nibbles = onnx_tensor("nibbles", 3, 22), sixes = onnx_tensor("sixes", 3, 27);
    proto_data(&raw, 9, "\0\0\x80\x3f\0\0\0\x40", 8);
    proto_data(&packed, 7, "\1\xac\2\3", 4);
    proto_text(&texts, 6, "one");
    proto_text(&texts, 6, "");
    proto_int(&flags, 5, 1);
    proto_int(&flags, 5, 0);
    proto_data(&nibbles, 5, "\x21\3", 2);
    proto_data(&sixes, 5, "\1\2\3", 3);
    const proto *const all[] = {&raw, &packed, &texts, &flags, &nibbles, &sixes};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) proto_put(graph, 5, all[i]);

    proto sparse = {.size = 0}, values = onnx_tensor("sparse", 1, 1);
    proto indices = onnx_tensor("", 1, 7);
    proto_float(&values, 4, 2.5f);
    proto_int(&indices, 7, 3);
    proto_put(&sparse, 1, &values);
    proto_put(&sparse, 2, &indices);
    proto_int(&sparse, 3, 4);
    proto_put(graph, 15, &sparse);
}

/* A branch that gives x's negative, by a call; its names are those of its siblings. */
static inline proto whole_branch(void) {
    proto branch = {.size = 0};
    const proto node = onnx_node("F", "local", "x", "r"), out = onnx_value("r");
    proto_put(&branch, 1, &node);
    proto_put(&branch, 12, &out);
    return branch;
}

static inline proto whole_if(void) {
    proto node = onnx_node("If", "", "flags", "z");
    const proto branch = whole_branch();
    proto then = onnx_attribute("then_branch", 5), other = onnx_attribute("else_branch", 5);
    proto_put(&then, 6, &branch);
    proto_put(&other, 6, &branch);
    proto_put(&node, 5, &then);
    proto_put(&node, 5, &other);
    return node;
}

static inline proto whole_attributes(void) {
    proto node = onnx_node("Op", "", "x", "t");
    proto ints = onnx_attribute("ints", 7), texts = onnx_attribute("texts", 8);
    proto floats = onnx_attribute("floats", 6), long_list = onnx_attribute("long", 7);
    proto tensor = onnx_attribute("tensor", 4), type = onnx_attribute("type", 13);
    proto kind = {.size = 0}, inner = {.size = 0}, constant = onnx_tensor("", 1, 1);
    const uint8_t numbers[1100] = {7};
    const proto value = onnx_value("unused");
    proto_int(&ints, 8, -1);
    proto_int(&ints, 8, 2);
    proto_text(&texts, 9, "a");
    proto_text(&texts, 9, "b");
    proto_float(&floats, 7, 0.5f);
    proto_data(&long_list, 8, numbers, sizeof numbers);
    proto_float(&constant, 4, 1);
    proto_put(&tensor, 5, &constant);
    proto_data(&inner, 1, value.bytes + 10, value.size - 10); /* its TypeProto */
    proto_put(&kind, 4, &inner);
    proto_put(&type, 14, &kind);
    const proto *const all[] = {&ints, &texts, &floats, &long_list, &tensor, &type};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) proto_put(&node, 5, all[i]);
    proto_text(&node, 77, "unknown");
    return node;
}

/* c = Op(a) with the attribute that the call gives. */
static inline proto whole_function(void) {
    proto function = {.size = 0};
    proto node = onnx_node("Neg", "", "a", "t"), last = onnx_node("Op", "", "t", "c");
    proto reference = {.size = 0}, standard = onnx_attribute("k", 2);
    const proto opset = onnx_opset("", 17);
    proto_text(&reference, 1, "axis");
    proto_text(&reference, 21, "k");
    proto_put(&last, 5, &reference);
    proto_int(&standard, 3, 5);
    proto_text(&function, 1, "F");
    proto_text(&function, 4, "a");
    proto_text(&function, 5, "c");
    proto_put(&function, 7, &node);
    proto_put(&function, 7, &last);
    proto_put(&function, 9, &opset);
    proto_text(&function, 10, "local");
    proto_put(&function, 11, &standard);
    return function;
}

static inline proto whole_graph(void) {
    proto graph = {.size = 0};
    const proto x = onnx_value("x"), z = onnx_value("z"), t = onnx_value("t");
    const proto attributes = whole_attributes(), branches = whole_if();
    const proto call = onnx_node("F", "local", "x", "f");
    proto_text(&graph, 2, "graph");
    whole_tensors(&graph);
    proto_put(&graph, 1, &attributes);
    proto_put(&graph, 1, &call);
    proto_put(&graph, 1, &branches);
    proto_put(&graph, 11, &x);
    proto_put(&graph, 12, &z);
    proto_put(&graph, 13, &t);
    return graph;
}

static inline proto whole_onnx(void) {
    proto model = {.size = 0};
    const proto opset = onnx_opset("", 17), graph = whole_graph(), function = whole_function();
    const proto one = onnx_entry("b", "2"), two = onnx_entry("a/b", "1");
    proto_int(&model, 1, 8);
    proto_text(&model, 2, "maker");
    proto_text(&model, 3, "1.0");
    proto_text(&model, 4, "org.example");
    proto_int(&model, 5, 3);
    proto_put(&model, 8, &opset);
    proto_put(&model, 14, &one);
    proto_put(&model, 14, &two);
    proto_put(&model, 25, &function);
    proto_put(&model, 7, &graph);
    return model;
}

/* ---- parsing */

typedef struct onnx_case {
    const uint8_t *file;
    size_t size;
    wlk_limits limits;
    wlk_model *model;
    wlk_error error;
} onnx_case;

/* The parser, the builder and the validator as they are used in production; what does not look
 * like ONNX is parsed all the same. */
static inline wlk_status onnx_case_parse(onnx_case *c, wlk_error *error) {
    memory_sink *sink = memory_sink_new(&c->limits);
    if (!sink) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    const image_sink interface = memory_sink_interface(sink);
    image_builder *builder = image_builder_new(&c->limits, &interface);
    const format_input input = {.data = c->file, .size = c->size, .limits = &c->limits};
    wlk_status status = builder ? format_find(WLK_FORMAT_ONNX)->parse(&input, builder, error)
                                : error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    if (status == WLK_OK) {
        image_format(builder, WLK_FORMAT_ONNX);
        status = image_build_model(builder, sink, c->size, &c->limits, &c->model, error);
    }
    image_builder_free(builder);
    memory_sink_free(sink);
    return status;
}

#endif

/* The values of ONNX's own test data, which lie in files of one protobuf message each: a
 * TensorProto, a SequenceProto or an OptionalProto, by what the model's graph declares.
 *
 * There is no second reader of tensors: each is put into a model of one Constant, which is
 * given to the parser under test. The files are part of the system and are trusted. */
#ifndef TESTS_CONFORMANCE_PROTO_H
#define TESTS_CONFORMANCE_PROTO_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weighlock/infer.h>
#include <weighlock/parse.h>

/* A value and the models that hold its tensors. */
typedef struct proto_value {
    wlk_value_kind kind;
    wlk_tensor *items;
    wlk_model **models;
    uint32_t count;
} proto_value;

static inline void proto_value_free(proto_value *value) {
    for (uint32_t i = 0; i < value->count; i++) wlk_model_free(value->models[i]);
    free(value->models);
    free(value->items);
    *value = (proto_value){0};
}

/* ---- reading fields */

typedef struct proto_bytes {
    const uint8_t *data;
    size_t size;
} proto_bytes;

static inline bool proto_varint(proto_bytes *in, uint64_t *value) {
    *value = 0;
    for (unsigned shift = 0; shift < 64 && in->size > 0; shift += 7) {
        const uint8_t byte = *in->data++;
        in->size--;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) return true;
    }
    return false;
}

/* The next field: its number, and its body if it has a length. */
static inline bool proto_field(proto_bytes *in, uint64_t *field, proto_bytes *body) {
    uint64_t tag, length;
    *body = (proto_bytes){NULL, 0};
    if (in->size == 0 || !proto_varint(in, &tag)) return false;
    *field = tag >> 3;
    if ((tag & 7) == 0) return proto_varint(in, &length);
    if ((tag & 7) != 2 || !proto_varint(in, &length) || length > in->size) return false;
    *body = (proto_bytes){in->data, length};
    in->data += length;
    in->size -= length;
    return true;
}

/* ---- writing them */

typedef struct proto_out {
    uint8_t *data;
    size_t size;
} proto_out;

static inline void proto_put(proto_out *out, const void *bytes, size_t size) {
    if (size == 0) return;
    out->data = realloc(out->data, out->size + size);
    if (!out->data) abort();
    memcpy(out->data + out->size, bytes, size);
    out->size += size;
}

static inline void proto_put_varint(proto_out *out, uint64_t value) {
    do {
        const uint8_t byte = (uint8_t)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        proto_put(out, &byte, 1);
        value >>= 7;
    } while (value > 0);
}

static inline void proto_put_number(proto_out *out, unsigned field, uint64_t value) {
    proto_put_varint(out, field << 3);
    proto_put_varint(out, value);
}

static inline void proto_put_body(proto_out *out, unsigned field, const void *bytes, size_t size) {
    proto_put_varint(out, field << 3 | 2);
    proto_put_varint(out, size);
    proto_put(out, bytes, size);
}

static inline void proto_put_text(proto_out *out, unsigned field, const char *text) {
    proto_put_body(out, field, text, strlen(text));
}

/* Puts `inner` as a field of `out`, and frees it. */
static inline void proto_put_message(proto_out *out, unsigned field, proto_out *inner) {
    proto_put_body(out, field, inner->data, inner->size);
    free(inner->data);
    *inner = (proto_out){0};
}

/* ModelProto, GraphProto, NodeProto, AttributeProto, TensorProto: the numbers are those of
 * onnx.proto. */
static inline proto_out proto_constant(proto_bytes tensor) {
    proto_out attribute = {0}, node = {0}, output = {0}, graph = {0}, opset = {0}, model = {0};
    proto_put_text(&attribute, 1, "value");
    proto_put_number(&attribute, 20, 4);
    proto_put_body(&attribute, 5, tensor.data, tensor.size);
    proto_put_text(&node, 2, "value");
    proto_put_text(&node, 4, "Constant");
    proto_put_message(&node, 5, &attribute);
    proto_put_text(&output, 1, "value");
    proto_put_message(&graph, 1, &node);
    proto_put_text(&graph, 2, "graph");
    proto_put_message(&graph, 12, &output);
    proto_put_number(&opset, 2, 13);
    proto_put_number(&model, 1, 7);
    proto_put_message(&model, 7, &graph);
    proto_put_message(&model, 8, &opset);
    return model;
}

/* ---- values */

static inline bool proto_add_tensor(proto_value *value, proto_bytes tensor, wlk_error *error) {
    wlk_model *model;
    proto_out file = proto_constant(tensor);
    const wlk_status status =
        wlk_parse_memory(file.data, file.size, WLK_FORMAT_ONNX, NULL, &model, error);
    free(file.data);
    if (status != WLK_OK) return false;
    value->items = realloc(value->items, (value->count + 1) * sizeof *value->items);
    value->models = realloc(value->models, (value->count + 1) * sizeof *value->models);
    if (!value->items || !value->models) abort();
    value->items[value->count] = wlk_model_tensor(model, 0);
    value->models[value->count++] = model;
    return true;
}

/* SequenceProto: tensor_values. */
static inline bool proto_add_sequence(proto_value *value, proto_bytes in, wlk_error *error) {
    uint64_t field;
    proto_bytes body;
    while (proto_field(&in, &field, &body)) {
        if (field == 3 && !proto_add_tensor(value, body, error)) return false;
    }
    return in.size == 0;
}

/* OptionalProto: tensor_value or sequence_value; one without is nothing. */
static inline bool proto_add_optional(proto_value *value, proto_bytes in, wlk_error *error) {
    uint64_t field;
    proto_bytes body;
    value->kind = WLK_VALUE_OPTIONAL;
    while (proto_field(&in, &field, &body)) {
        if (field == 3) {
            value->kind = WLK_VALUE_TENSOR;
            if (!proto_add_tensor(value, body, error)) return false;
        } else if (field == 5) {
            value->kind = WLK_VALUE_SEQUENCE;
            if (!proto_add_sequence(value, body, error)) return false;
        }
    }
    return in.size == 0;
}

/* Reads a file as the graph declares it; false with the error, if the parser gave one. */
static inline bool proto_read(const uint8_t *data, size_t size, wlk_value_kind declared,
                              proto_value *value, wlk_error *error) {
    const proto_bytes in = {data, size};
    *value = (proto_value){.kind = declared};
    *error = (wlk_error){.offset = WLK_NO_OFFSET};
    switch (declared) {
        case WLK_VALUE_TENSOR:
            return proto_add_tensor(value, in, error);
        case WLK_VALUE_SEQUENCE:
            return proto_add_sequence(value, in, error);
        case WLK_VALUE_OPTIONAL:
        case WLK_VALUE_OPTIONAL_SEQUENCE:
            return proto_add_optional(value, in, error);
        case WLK_VALUE_MAP:
        case WLK_VALUE_MAPS:
            break;
    }
    return false; /* there are no files of maps */
}

#endif

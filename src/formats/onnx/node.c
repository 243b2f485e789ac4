#include <string.h>

#include "formats/onnx/reader.h"

cursor onnx_node_domain(cursor domain) {
    const bool standard = domain.size == 7 && memcmp(domain.data, "ai.onnx", 7) == 0;
    if (standard) domain.size = 0;
    return domain;
}

wlk_status onnx_node_edge(reader *r, cursor text, uint32_t scope, uint32_t *edge,
                          wlk_error *error) {
    const char *key;
    uint32_t name;
    *edge = IMAGE_NONE;
    if (text.size == 0) return WLK_OK;
    TRY(onnx_key(r, text, &key, error));
    const definition *found = NULL;
    if (name_map_get(r->name_ids, key, &name)) found = onnx_names_visible(r, scope, name);
    if (!found) return error_at(error, RULE_ONNX_UNDEFINED, text.base);
    *edge = found->edge;
    return WLK_OK;
}

static wlk_status add_inputs(reader *r, cursor node, uint32_t scope, wlk_error *error) {
    proto_field field;
    uint32_t edge;
    while (onnx_proto_each_of(&node, NODE_INPUT, &field)) {
        TRY(onnx_node_edge(r, field.bytes, scope, &edge, error));
        (void)image_node_input(r->builder, edge);
        TRY(onnx_built(r, error));
    }
    return WLK_OK;
}

static wlk_status add_outputs(reader *r, cursor node, uint32_t scope, wlk_error *error) {
    proto_field field;
    while (onnx_proto_each_of(&node, NODE_OUTPUT, &field)) {
        uint32_t edge = IMAGE_NONE;
        if (field.bytes.size > 0) TRY(onnx_graph_make_value(r, scope, field.bytes, &edge, error));
        (void)image_node_output(r->builder, edge);
        TRY(onnx_built(r, error));
    }
    return WLK_OK;
}

static wlk_status add_attributes(reader *r, cursor node, uint32_t scope, wlk_error *error) {
    proto_field field;
    TRY(onnx_attributes_claim(r, node, error));
    while (onnx_proto_each_of(&node, NODE_ATTRIBUTE, &field)) {
        TRY(onnx_attribute_build(r, field.bytes, scope, error));
    }
    return WLK_OK;
}

wlk_status onnx_node_build(reader *r, cursor message, uint32_t scope, wlk_error *error) {
    const cursor op = onnx_proto_bytes_of(message, NODE_OP);
    const cursor domain = onnx_node_domain(onnx_proto_bytes_of(message, NODE_DOMAIN));
    const cursor name = onnx_proto_bytes_of(message, NODE_NAME);
    if (op.size == 0) return error_at(error, RULE_ONNX_NAME_EMPTY, message.base);
    TRY(onnx_opsets_need(r, domain, message.base, error));
    (void)image_node(r->builder, onnx_name(r, op), onnx_name(r, domain), onnx_name(r, name),
                     message.base);
    TRY(onnx_built(r, error));
    TRY(add_inputs(r, message, scope, error));
    TRY(add_outputs(r, message, scope, error));
    TRY(add_attributes(r, message, scope, error));
    r->position++;
    return WLK_OK;
}

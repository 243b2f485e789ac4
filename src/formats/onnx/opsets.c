#include "formats/onnx/reader.h"

#define FIRST_IR_WITH_OPSETS 3 /* a file before has version 1 of the standard's operators */

typedef struct opset {
    cursor domain;
    uint32_t version;
    uint64_t offset;
} opset;

static wlk_status read_opset(cursor message, opset *out, wlk_error *error) {
    const uint64_t version = onnx_proto_value_of(message, OPSET_VERSION, 0);
    out->domain = onnx_node_domain(onnx_proto_bytes_of(message, OPSET_DOMAIN));
    out->offset = message.base;
    if (version == 0 || version >= IMAGE_NONE) {
        return error_at(error, RULE_OPSET_VERSION, message.base);
    }
    out->version = (uint32_t)version;
    return WLK_OK;
}

/* One version for each domain in all of the model: a node of the image has none of its own. */
static wlk_status add_opset(reader *r, const opset *added, wlk_rule conflict, wlk_error *error) {
    const char *key;
    uint32_t known;
    TRY(onnx_key(r, added->domain, &key, error));
    if (name_map_get(r->domains, key, &known)) {
        return known == added->version ? WLK_OK : error_at(error, conflict, added->offset);
    }
    if (!name_map_set(r->domains, key, added->version)) {
        return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    }
    (void)image_opset(r->builder, onnx_name(r, added->domain), added->version, added->offset);
    return onnx_built(r, error);
}

static wlk_status add_opsets(reader *r, cursor message, uint32_t list, wlk_rule conflict,
                             wlk_error *error) {
    proto_field field;
    while (onnx_proto_each_of(&message, list, &field)) {
        opset added;
        TRY(read_opset(field.bytes, &added, error));
        TRY(add_opset(r, &added, conflict, error));
    }
    return WLK_OK;
}

wlk_status onnx_opsets_read(reader *r, wlk_error *error) {
    const opset first = {.domain = cursor_over(r->file.data, 0, 0), .version = 1};
    proto_field field;
    cursor rest = r->file;
    if (r->ir_version < FIRST_IR_WITH_OPSETS && !onnx_proto_each_of(&rest, MODEL_OPSET, &field)) {
        return add_opset(r, &first, RULE_ONNX_OPSET_TWICE, error);
    }
    return add_opsets(r, r->file, MODEL_OPSET, RULE_ONNX_OPSET_TWICE, error);
}

wlk_status onnx_opsets_join(reader *r, cursor function, wlk_error *error) {
    return add_opsets(r, function, FUNCTION_OPSET, RULE_ONNX_FUNCTION_OPSET, error);
}

wlk_status onnx_opsets_need(reader *r, cursor domain, uint64_t offset, wlk_error *error) {
    const char *key;
    uint32_t version;
    TRY(onnx_key(r, domain, &key, error));
    if (name_map_get(r->domains, key, &version)) return WLK_OK;
    return error_at(error, RULE_GRAPH_OPSET, offset);
}

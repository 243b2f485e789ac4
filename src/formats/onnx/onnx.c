#include "base/memory.h"
#include "formats/onnx/reader.h"

/* ---- detection: ONNX has no magic */

#define FIELDS_LOOKED_AT 4096

/* Do the fields of the message tile it, each one that the table has and of its wire type?
 * Bit n of *seen: field n was there. */
static bool looks_like(cursor message, proto_message kind, uint32_t *seen) {
    *seen = 0;
    for (uint32_t i = 0; i < FIELDS_LOOKED_AT && cursor_left(&message) > 0; i++) {
        proto_field field;
        if (onnx_proto_next(&message, &field) != RULE_NONE) return false;
        const field_schema *schema = onnx_schema_field(kind, field.number);
        const uint32_t wire = schema->kind == FIELD_INT ? PROTO_VARINT : PROTO_BYTES;
        if (schema->kind == FIELD_UNKNOWN || field.wire != wire) return false;
        *seen |= 1u << field.number;
    }
    return true;
}

int onnx_begins(const uint8_t *data, uint64_t size) {
    const cursor file = cursor_over(data, size, 0);
    uint32_t seen, within;
    if (!looks_like(file, MESSAGE_MODEL, &seen)) return 0;
    const uint32_t versions = 1u << MODEL_IR_VERSION | 1u << MODEL_OPSET;
    if (!(seen & 1u << MODEL_GRAPH) || !(seen & versions)) return 0;
    return looks_like(onnx_proto_bytes_of(file, MODEL_GRAPH), MESSAGE_GRAPH, &within);
}

/* ---- parsing */

static wlk_status open_maps(reader *r, wlk_error *error) {
    name_map **maps[] = {&r->name_ids, &r->bound,      &r->function_ids,
                         &r->domains,  &r->attributes, &r->shared};
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) {
        *maps[i] = name_map_new();
        if (!*maps[i]) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    }
    return WLK_OK;
}

static void reader_close(reader *r) {
    name_map_free(r->name_ids);
    name_map_free(r->bound);
    name_map_free(r->function_ids);
    name_map_free(r->domains);
    name_map_free(r->attributes);
    name_map_free(r->shared);
    mem_free(r->names.items);
    mem_free(r->definitions.items);
    mem_free(r->scopes.items);
    mem_free(r->graphs.items);
    mem_free(r->functions.items);
    mem_free(r->values.items);
    mem_free(r->spans.items);
    mem_free(r->key);
}

static wlk_status parse(reader *r, wlk_error *error) {
    cursor rest = r->file;
    proto_field graph;
    TRY(open_maps(r, error));
    TRY(onnx_scan_model(r, error));
    if (!onnx_proto_each_of(&rest, MODEL_GRAPH, &graph)) {
        return error_at(error, RULE_ONNX_NO_GRAPH, r->file.size);
    }
    r->ir_version = onnx_proto_value_of(r->file, MODEL_IR_VERSION, 0);
    TRY(onnx_metadata(r, error));
    TRY(onnx_opsets_read(r, error));
    TRY(onnx_functions_read(r, error));
    TRY(onnx_graphs_build(r, graph.bytes, error));
    TRY(onnx_functions_unused(r, error));
    return onnx_byte_map_build(r, error);
}

/* The builder says what it had no memory for when it is asked: a refusal may come before that,
 * and may follow from it. */
static wlk_status first_failure(const reader *r, wlk_status status, wlk_error *error) {
    wlk_error built = {.status = WLK_OK};
    if (status == WLK_OK || onnx_built(r, &built) == WLK_OK) return status;
    if (built.rule != RULE_INTERNAL_MEMORY) return status;
    *error = built;
    return built.status;
}

wlk_status format_parse_onnx(const format_input *input, image_builder *builder, wlk_error *error) {
    __attribute__((cleanup(reader_close))) reader r = {
        .input = input,
        .limits = input->limits,
        .builder = builder,
        .file = cursor_over(input->data, input->size, 0),
    };
    if (input->absent > 0) return error_at(error, RULE_ONNX_TRUNCATED, input->size);
    return first_failure(&r, parse(&r, error), error);
}

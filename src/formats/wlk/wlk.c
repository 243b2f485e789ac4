
#include "base/memory.h"
#include "formats/wlk/reader.h"

static const schema_key header_keys[HEADER_KEYS] = {
    [HEADER_CREATED] = {"created", KIND_STR, false, false},
    [HEADER_GRAPHS] = {"graphs", KIND_ARRAY, false, true},
    [HEADER_KIND] = {"kind", KIND_STR, true, false},
    [HEADER_METADATA] = {"metadata", KIND_MAP, false, false},
    [HEADER_NAME] = {"name", KIND_STR, false, false},
    [HEADER_OPSET] = {"opset", KIND_MAP, false, false},
    [HEADER_PRODUCER] = {"producer", KIND_STR, false, false},
    [HEADER_SELFTEST] = {"selftest", KIND_ARRAY, false, true},
    [HEADER_TENSORS] = {"tensors", KIND_ARRAY, true, false},
    [HEADER_VERSION] = {"version", KIND_STR, false, false},
};
static const schema header_schema = {header_keys, HEADER_KEYS, true};

/* Where the envelope says how long the header is, and where the data begin. */
#define HEADER_LEN_AT 14
#define DATA_OFF_AT 30

uint64_t reader_file_bytes(const reader *r) {
    return r->input->size + r->input->absent;
}

wlk_status reader_built(const reader *r, wlk_error *error) {
    if (image_builder_status(r->builder, NULL) == WLK_OK) return WLK_OK;
    return image_builder_status(r->builder, error);
}

wlk_status reader_array(cursor field, uint64_t most, wlk_rule rule, cursor *first, uint32_t *count,
                        wlk_error *error) {
    *count = reader_array_again(field, first);
    return *count > most ? error_at(error, rule, field.base) : WLK_OK;
}

uint32_t reader_array_again(cursor field, cursor *first) {
    *first = field;
    return field.size == 0 ? 0 : (uint32_t)scan_head(first).count; /* msgpack counts to 2^32-1 */
}

text_ref reader_text(const element *e, const msgpack_object *text) {
    return (text_ref){.text = (const uint8_t *)text->via.str.ptr,
                      .length = text->via.str.size,
                      .offset = element_text_offset(e, &text->via.str)};
}

uint32_t reader_name(const reader *r, text_ref text) {
    return image_name(r->builder, (const char *)text.text, text.length, text.offset);
}

/* The envelope, and that everything before the data is at hand. */
static wlk_status open_envelope(reader *r, wlk_error *error) {
    const format_input *input = r->input;
    if (input->absent > 0 && input->size < ENVELOPE_BYTES) {
        return error_at(error, RULE_ENVELOPE_TRUNCATED, input->size);
    }
    TRY(envelope_decode(input->data, reader_file_bytes(r), &r->envelope, error));
    if (r->envelope.data_off <= input->size) return WLK_OK;
    return error_at(error, RULE_ENVELOPE_LAYOUT, DATA_OFF_AT);
}

/* Finds the header and checks its structure. */
static wlk_status open_header(reader *r, wlk_error *error) {
    TRY(open_envelope(r, error));
    if (r->envelope.header_len > r->limits->header_bytes) {
        return error_at(error, RULE_LIMIT_HEADER_BYTES, HEADER_LEN_AT);
    }
    cursor file = cursor_over(r->input->data, r->input->size, 0);
    if (!cursor_skip(&file, ENVELOPE_BYTES) ||
        !cursor_slice(&file, r->envelope.header_len, &r->header)) {
        return error_at(error, RULE_INTERNAL_DEFECT, HEADER_LEN_AT);
    }
    return scan_header(r->header, r->limits, error);
}

/* The keys of the header's map; graphs need opset, selftest needs graphs. */
static wlk_status read_fields(reader *r, wlk_error *error) {
    TRY(schema_slice(r->header, &header_schema, r->fields, error));
    const bool has_graphs = r->fields[HEADER_GRAPHS].size > 0;
    const bool missing = (has_graphs && r->fields[HEADER_OPSET].size == 0) ||
                         (r->fields[HEADER_SELFTEST].size > 0 && !has_graphs);
    return missing ? error_at(error, RULE_HEADER_KEY_MISSING, r->header.base) : WLK_OK;
}

static wlk_status read_all(reader *r, wlk_error *error) {
    TRY(open_header(r, error));
    TRY(read_fields(r, error));
    TRY(tensors_read(r, error));
    TRY(layout_check(r, error));
    TRY(opsets_read(r, error));
    TRY(definitions_read(r, error));
    TRY(names_sort(&r->names, error));
    return scope_read_output_types(r, error);
}

/* Payloads come last: what is refused is refused before anything large moves. */
static wlk_status build_all(const reader *r, wlk_error *error) {
    TRY(layout_build(r, error));
    TRY(metadata_build(r, error));
    TRY(opsets_build(r, error));
    TRY(graphs_build(r, error));
    TRY(selftests_build(r, error));
    return tensors_build(r, error);
}

static void reader_close(reader *r) {
    mem_free(r->tensors);
    mem_free(r->graphs);
    mem_free(r->main_inputs);
    mem_free(r->opsets);
    names_free(&r->names);
}

wlk_status format_parse_wlk(const format_input *input, image_builder *builder, wlk_error *error) {
    __attribute__((cleanup(reader_close))) reader r = {
        .input = input,
        .limits = input->limits,
        .builder = builder,
        .max_objects = element_max_objects(input->limits),
    };
    TRY(read_all(&r, error));
    return build_all(&r, error);
}

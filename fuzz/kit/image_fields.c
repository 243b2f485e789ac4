#include "kit/image_fields.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

static const char *const names[WLK_SECTION_COUNT] = {
    [WLK_SECTION_STRINGS] = "string",    [WLK_SECTION_BLOCKS] = "block",
    [WLK_SECTION_TENSORS] = "tensor",    [WLK_SECTION_TYPES] = "type",
    [WLK_SECTION_VALUES] = "value",      [WLK_SECTION_GRAPHS] = "graph",
    [WLK_SECTION_NODES] = "node",        [WLK_SECTION_ATTRIBUTES] = "attribute",
    [WLK_SECTION_EDGES] = "edge",        [WLK_SECTION_NUMBERS] = "number",
    [WLK_SECTION_METADATA] = "metadata", [WLK_SECTION_SELFTESTS] = "selftest",
    [WLK_SECTION_OPSETS] = "opset",      [WLK_SECTION_FINDINGS] = "finding",
    [WLK_SECTION_SPANS] = "span",        [WLK_SECTION_TEXT] = "text",
};

/* One row a field: R for a record's member, A for an array. */
#define SIZE(type, member) sizeof(((type *)0)->member)
#define R(type, member, refers) \
    { #member, offsetof(type, member), SIZE(type, member), 1, refers }
#define A(type, member, refers) \
    { #member, offsetof(type, member), SIZE(type, member) / WLK_MAX_RANK, WLK_MAX_RANK, refers }
#define STRING WLK_SECTION_STRINGS
#define PLAIN FIELD_PLAIN

static const image_field strings[] = {R(string_record, offset, PLAIN),
                                      R(string_record, length, PLAIN)};
static const image_field blocks[] = {
    R(block_record, kind, STRING), R(block_record, elements, PLAIN), R(block_record, bytes, PLAIN),
    R(block_record, reserved, PLAIN)};
static const image_field tensors[] = {R(tensor_record, name, STRING),
                                      R(tensor_record, dtype, PLAIN),
                                      R(tensor_record, rank, PLAIN),
                                      R(tensor_record, zero, PLAIN),
                                      R(tensor_record, block, WLK_SECTION_BLOCKS),
                                      R(tensor_record, buffer, FIELD_BUFFER),
                                      R(tensor_record, buffer_offset, PLAIN),
                                      R(tensor_record, nbytes, PLAIN),
                                      A(tensor_record, shape, PLAIN)};
static const image_field types[] = {R(type_record, kind, PLAIN),
                                    R(type_record, dtype, PLAIN),
                                    R(type_record, key_dtype, PLAIN),
                                    R(type_record, has_shape, PLAIN),
                                    R(type_record, element, WLK_SECTION_TYPES),
                                    R(type_record, rank, PLAIN),
                                    R(type_record, zero, PLAIN),
                                    A(type_record, dims, PLAIN),
                                    A(type_record, symbols, STRING)};
static const image_field values[] = {R(value_record, name, STRING),
                                     R(value_record, type, WLK_SECTION_TYPES)};
static const image_field graphs[] = {
    R(graph_record, name, STRING),   R(graph_record, input_first, PLAIN),
    R(graph_record, inputs, PLAIN),  R(graph_record, output_first, PLAIN),
    R(graph_record, outputs, PLAIN), R(graph_record, node_first, PLAIN),
    R(graph_record, nodes, PLAIN),   R(graph_record, zero, PLAIN)};
static const image_field nodes[] = {
    R(node_record, op, STRING),        R(node_record, domain, STRING),
    R(node_record, name, STRING),      R(node_record, graph, WLK_SECTION_GRAPHS),
    R(node_record, edge_first, PLAIN), R(node_record, inputs, PLAIN),
    R(node_record, outputs, PLAIN),    R(node_record, attribute_first, PLAIN),
    R(node_record, attributes, PLAIN), R(node_record, zero, PLAIN)};
static const image_field attributes[] = {
    R(attribute_record, name, STRING), R(attribute_record, type, PLAIN),
    R(attribute_record, first, PLAIN), R(attribute_record, count, PLAIN)};
static const image_field edges[] = {{"to", 0, 4, 1, FIELD_EDGE}};
static const image_field numbers[] = {{"is", 0, 8, 1, FIELD_NUMBER}};
static const image_field metadata[] = {R(meta_record, path, STRING), R(meta_record, type, PLAIN),
                                       R(meta_record, value, FIELD_META)};
static const image_field selftests[] = {
    R(selftest_record, first, PLAIN),   R(selftest_record, inputs, PLAIN),
    R(selftest_record, outputs, PLAIN), R(selftest_record, zero, PLAIN),
    R(selftest_record, rtol, PLAIN),    R(selftest_record, atol, PLAIN)};
static const image_field opsets[] = {R(opset_record, domain, STRING),
                                     R(opset_record, version, PLAIN)};
static const image_field findings[] = {
    R(finding_record, rule, PLAIN),      R(finding_record, severity, PLAIN),
    R(finding_record, offset, PLAIN),    R(finding_record, length, PLAIN),
    R(finding_record, evidence, STRING), R(finding_record, zero, PLAIN)};
static const image_field spans[] = {R(span_record, offset, PLAIN), R(span_record, length, PLAIN),
                                    R(span_record, kind, PLAIN),
                                    R(span_record, tensor, WLK_SECTION_TENSORS)};
static const image_field text[] = {{"byte", 0, 1, 1, FIELD_PLAIN}};

#define TABLE(table) \
    { table, sizeof table / sizeof *table }
static const struct {
    const image_field *fields;
    uint32_t count;
} tables[WLK_SECTION_COUNT] = {
    [WLK_SECTION_STRINGS] = TABLE(strings),   [WLK_SECTION_BLOCKS] = TABLE(blocks),
    [WLK_SECTION_TENSORS] = TABLE(tensors),   [WLK_SECTION_TYPES] = TABLE(types),
    [WLK_SECTION_VALUES] = TABLE(values),     [WLK_SECTION_GRAPHS] = TABLE(graphs),
    [WLK_SECTION_NODES] = TABLE(nodes),       [WLK_SECTION_ATTRIBUTES] = TABLE(attributes),
    [WLK_SECTION_EDGES] = TABLE(edges),       [WLK_SECTION_NUMBERS] = TABLE(numbers),
    [WLK_SECTION_METADATA] = TABLE(metadata), [WLK_SECTION_SELFTESTS] = TABLE(selftests),
    [WLK_SECTION_OPSETS] = TABLE(opsets),     [WLK_SECTION_FINDINGS] = TABLE(findings),
    [WLK_SECTION_SPANS] = TABLE(spans),       [WLK_SECTION_TEXT] = TABLE(text),
};

/* As records.h states it: what tiles what, and in which order. */
#define AT(type, member) offsetof(type, member)
static const image_list lists[] = {
    {WLK_SECTION_GRAPHS, WLK_SECTION_NODES, AT(graph_record, node_first), AT(graph_record, nodes),
     0},
    {WLK_SECTION_NODES, WLK_SECTION_ATTRIBUTES, AT(node_record, attribute_first),
     AT(node_record, attributes), 0},
    {WLK_SECTION_GRAPHS, WLK_SECTION_EDGES, AT(graph_record, output_first),
     AT(graph_record, outputs), 0},
    {WLK_SECTION_NODES, WLK_SECTION_EDGES, AT(node_record, edge_first), AT(node_record, inputs),
     AT(node_record, outputs)},
    {WLK_SECTION_GRAPHS, WLK_SECTION_NUMBERS, AT(graph_record, input_first),
     AT(graph_record, inputs), 0},
    {WLK_SECTION_ATTRIBUTES, WLK_SECTION_NUMBERS, AT(attribute_record, first),
     AT(attribute_record, count), 0},
    {WLK_SECTION_SELFTESTS, WLK_SECTION_NUMBERS, AT(selftest_record, first),
     AT(selftest_record, inputs), AT(selftest_record, outputs)},
};

const char *image_section_name(uint32_t section) {
    return section < WLK_SECTION_COUNT ? names[section] : "none";
}

const image_field *image_fields(uint32_t section, uint32_t *count) {
    *count = tables[section].count;
    return tables[section].fields;
}

const image_list *image_lists(uint32_t *count) {
    *count = sizeof lists / sizeof *lists;
    return lists;
}

/* Nothing can wrap: sixteen counts below 2^32 of records of at most 112 bytes. */
uint64_t image_places(const uint32_t counts[WLK_SECTION_COUNT],
                      uint64_t offsets[WLK_SECTION_COUNT]) {
    uint64_t at = sizeof(image_header);
    for (uint32_t i = 0; i < WLK_SECTION_COUNT; i++) {
        offsets[i] = at;
        at = (at + (uint64_t)counts[i] * image_record_bytes[i] + 7) & ~(uint64_t)7;
    }
    return at;
}

uint64_t image_field_get(const uint8_t *record, const image_field *field, uint32_t i) {
    uint64_t value = 0; /* little-endian: the low bytes come first */
    memcpy(&value, record + field->at + i * field->bytes, field->bytes);
    return value;
}

void image_field_set(uint8_t *record, const image_field *field, uint32_t i, uint64_t value) {
    memcpy(record + field->at + i * field->bytes, &value, field->bytes);
}

/* ---- for people */

static void show_value(const image_field *field, uint64_t value, FILE *out) {
    const uint64_t none = field->bytes == 8 ? UINT64_MAX : UINT32_MAX;
    if (field->bytes >= 4 && value == none) {
        (void)fputs("none", out);
    } else if (field->refers == FIELD_EDGE && value & EDGE_TENSOR) {
        (void)fprintf(out, "tensor %" PRIu64, value & ~(uint64_t)EDGE_TENSOR);
    } else {
        (void)fprintf(out, "%" PRIu64, value);
    }
}

static void show_text(const uint8_t *bytes, uint64_t length, FILE *out) {
    (void)fputs(" \"", out);
    for (uint64_t i = 0; i < length; i++) {
        const bool plain = bytes[i] >= ' ' && bytes[i] < 0x7f && bytes[i] != '"';
        (void)fprintf(out, plain ? "%c" : "\\x%02x", bytes[i]);
    }
    (void)fputc('"', out);
}

static void show_record(uint32_t section, const uint8_t *record, FILE *out) {
    uint32_t count;
    const image_field *fields = image_fields(section, &count);
    for (uint32_t i = 0; i < count; i++) {
        (void)fprintf(out, " %s ", fields[i].name);
        for (uint32_t k = 0; k < fields[i].count; k++) {
            if (k > 0) (void)fputc(',', out);
            show_value(&fields[i], image_field_get(record, &fields[i], k), out);
        }
    }
}

typedef struct shown {
    const uint8_t *image;
    size_t size;
    uint64_t base;
    image_header header;
    uint64_t offsets[WLK_SECTION_COUNT];
} shown;

/* A string's own text, where the image has it. */
static void show_string(const shown *s, const uint8_t *record, FILE *out) {
    string_record string;
    memcpy(&string, record, sizeof string);
    const uint64_t from = s->offsets[WLK_SECTION_TEXT] + string.offset;
    if (from > s->size || string.length > s->size - from) return;
    show_text(s->image + from, string.length, out);
}

static void show_section(const shown *s, uint32_t section, FILE *out) {
    const uint64_t bytes = image_record_bytes[section];
    for (uint32_t i = 0; i < s->header.counts[section]; i++) {
        const uint64_t at = s->offsets[section] + i * bytes;
        if (at > s->size || bytes > s->size - at) {
            (void)fprintf(out, "  %s %" PRIu32 " and behind it: cut off\n", names[section], i);
            return;
        }
        (void)fprintf(out, "  %6" PRIu64 " %s %" PRIu32, s->base + at, names[section], i);
        show_record(section, s->image + at, out);
        if (section == WLK_SECTION_STRINGS) show_string(s, s->image + at, out);
        (void)fputc('\n', out);
    }
}

void image_show(const uint8_t *image, size_t size, uint64_t base, FILE *out) {
    shown s = {.image = image, .size = size, .base = base};
    if (size < sizeof s.header) {
        (void)fprintf(out, "  %6" PRIu64 " no image: %zu bytes\n", base, size);
        return;
    }
    memcpy(&s.header, image, sizeof s.header);
    (void)fprintf(out,
                  "  %6" PRIu64 " header magic %08" PRIx32 " version %" PRIu16 " format %" PRIu16
                  " file_bytes %" PRIu64 "\n",
                  base, s.header.magic, s.header.version, s.header.format, s.header.file_bytes);
    const uint64_t total = image_places(s.header.counts, s.offsets);
    for (uint32_t i = 0; i < WLK_SECTION_TEXT; i++) show_section(&s, i, out);
    (void)fprintf(out, "  %6" PRIu64 " text %" PRIu32 " bytes\n",
                  base + s.offsets[WLK_SECTION_TEXT], s.header.counts[WLK_SECTION_TEXT]);
    if (total != size) {
        (void)fprintf(out, "         %zu bytes, %" PRIu64 " by its counts\n", size, total);
    }
}

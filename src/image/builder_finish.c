#include "image/builder_internal.h"

#include <string.h>

#include "base/memory.h"
#include "base/sort.h"

/* ---- strings: dropping the unused, sorting, sharing, renumbering */

typedef struct string_map {
    uint32_t *number; /* by provisional string: is it used, later its final number */
    uint32_t *order;
    uint32_t *scratch;
    uint32_t count;
} string_map;

typedef void (*string_visit)(const string_map *map, uint32_t *string);

static void mark_used(const string_map *map, uint32_t *string) {
    map->number[*string] = 1;
}

static void renumber(const string_map *map, uint32_t *string) {
    *string = map->number[*string];
}

static void visit_number(const string_map *map, string_visit visit, uint64_t *number) {
    uint32_t string = (uint32_t)*number;
    visit(map, &string);
    *number = string;
}

static void visit_graph_strings(image_builder *b, const string_map *map, string_visit visit) {
    graph_record *graphs = b->parts[PART_GRAPHS].data;
    for (uint32_t i = 0; i < b->parts[PART_GRAPHS].count; i++) visit(map, &graphs[i].name);
    node_record *nodes = b->parts[PART_NODES].data;
    for (uint32_t i = 0; i < b->parts[PART_NODES].count; i++) {
        visit(map, &nodes[i].op);
        visit(map, &nodes[i].domain);
        visit(map, &nodes[i].name);
    }
    attribute_record *attributes = b->parts[PART_ATTRIBUTES].data;
    uint64_t *values = b->parts[PART_ATTRIBUTE_VALUES].data;
    for (uint32_t i = 0; i < b->parts[PART_ATTRIBUTES].count; i++) {
        const attribute_record *a = &attributes[i];
        visit(map, &attributes[i].name);
        if (a->type != WLK_ATTR_STRING && a->type != WLK_ATTR_STRINGS) continue;
        for (uint32_t j = 0; j < a->count; j++) visit_number(map, visit, &values[a->first + j]);
    }
}

static void visit_type_strings(image_builder *b, const string_map *map, string_visit visit) {
    type_record *types = b->parts[PART_TYPES].data;
    for (uint32_t i = 0; i < b->parts[PART_TYPES].count; i++) {
        for (uint32_t j = 0; j < WLK_MAX_RANK; j++) visit(map, &types[i].symbols[j]);
    }
}

static void visit_metadata_strings(image_builder *b, const string_map *map, string_visit visit) {
    meta_record *metadata = b->parts[PART_METADATA].data;
    for (uint32_t i = 0; i < b->parts[PART_METADATA].count; i++) {
        visit(map, &metadata[i].path);
        if (metadata[i].type == WLK_META_STRING) visit_number(map, visit, &metadata[i].value);
    }
}

/* Every string reference of every record. */
static void visit_strings(image_builder *b, const string_map *map, string_visit visit) {
    block_record *blocks = b->parts[PART_BLOCKS].data;
    for (uint32_t i = 0; i < b->parts[PART_BLOCKS].count; i++) visit(map, &blocks[i].kind);
    tensor_record *tensors = b->parts[PART_TENSORS].data;
    for (uint32_t i = 0; i < b->parts[PART_TENSORS].count; i++) visit(map, &tensors[i].name);
    visit_type_strings(b, map, visit);
    value_record *values = b->parts[PART_VALUES].data;
    for (uint32_t i = 0; i < b->parts[PART_VALUES].count; i++) visit(map, &values[i].name);
    visit_graph_strings(b, map, visit);
    visit_metadata_strings(b, map, visit);
    opset_record *opsets = b->parts[PART_OPSETS].data;
    for (uint32_t i = 0; i < b->parts[PART_OPSETS].count; i++) visit(map, &opsets[i].domain);
    finding_record *findings = b->parts[PART_FINDINGS].data;
    for (uint32_t i = 0; i < b->parts[PART_FINDINGS].count; i++) visit(map, &findings[i].evidence);
}

static int compare_text(const void *context, uint32_t a, uint32_t b) {
    const image_builder *builder = context;
    const string_record *strings = builder->parts[PART_STRINGS].data;
    const char *text = builder->parts[PART_TEXT].data;
    const uint32_t shorter =
        strings[a].length < strings[b].length ? strings[a].length : strings[b].length;
    const int order = memcmp(text + strings[a].offset, text + strings[b].offset, shorter);
    if (order != 0) return order;
    return (strings[a].length > strings[b].length) - (strings[a].length < strings[b].length);
}

/* Copies the used strings in order into new arrays and numbers them. */
static void copy_strings(image_builder *b, const string_map *map, image_array *strings,
                         image_array *text) {
    const string_record *old = b->parts[PART_STRINGS].data;
    string_record *records = strings->data;
    for (uint32_t i = 0; i < map->count; i++) {
        const uint32_t string = map->order[i];
        if (i == 0 || compare_text(b, map->order[i - 1], string) != 0) {
            records[strings->count++] = (string_record){text->count, old[string].length};
            /* the NUL is copied with the text */
            memcpy((char *)text->data + text->count,
                   (const char *)b->parts[PART_TEXT].data + old[string].offset,
                   (size_t)old[string].length + 1);
            text->count += old[string].length + 1;
        }
        map->number[string] = strings->count - 1;
    }
}

static void replace(image_array *array, image_array *with) {
    mem_free(array->data);
    *array = *with;
}

static wlk_status rebuild_strings(image_builder *b, string_map *map) {
    const uint32_t all = b->parts[PART_STRINGS].count;
    visit_strings(b, map, mark_used);
    map->number[0] = 1;
    for (uint32_t i = 0; i < all; i++) {
        if (map->number[i]) map->order[map->count++] = i;
    }
    sort_u32(map->order, map->count, compare_text, b, map->scratch);
    image_array strings = {mem_zeroed(all, sizeof(string_record)), 0, all};
    image_array text = {mem_zeroed(b->parts[PART_TEXT].count, 1), 0, b->parts[PART_TEXT].count};
    if (!strings.data || !text.data) {
        mem_free(strings.data);
        mem_free(text.data);
        return builder_fail(b, RULE_INTERNAL_MEMORY);
    }
    copy_strings(b, map, &strings, &text);
    visit_strings(b, map, renumber);
    replace(&b->parts[PART_STRINGS], &strings);
    replace(&b->parts[PART_TEXT], &text);
    return WLK_OK;
}

static wlk_status finish_strings(image_builder *b) {
    const uint32_t all = b->parts[PART_STRINGS].count; /* at least one: "" */
    string_map map = {
        .number = mem_zeroed(all, sizeof(uint32_t)),
        .order = mem_zeroed(all, sizeof(uint32_t)),
        .scratch = mem_zeroed(all, sizeof(uint32_t)),
    };
    const bool memory = map.number && map.order && map.scratch;
    const wlk_status status =
        memory ? rebuild_strings(b, &map) : builder_fail(b, RULE_INTERNAL_MEMORY);
    mem_free(map.number);
    mem_free(map.order);
    mem_free(map.scratch);
    return status;
}

/* ---- sections whose records are sorted */

/* Fills order[0..count) with the part's records in their final order. */
typedef void (*part_order)(const image_builder *b, uint32_t *order, uint32_t *scratch);

static int compare_spans(const void *context, uint32_t a, uint32_t b) {
    const span_record *spans = context;
    return (spans[a].offset > spans[b].offset) - (spans[a].offset < spans[b].offset);
}

static void order_spans(const image_builder *b, uint32_t *order, uint32_t *scratch) {
    const image_array *spans = &b->parts[PART_SPANS];
    sort_u32(order, spans->count, compare_spans, spans->data, scratch);
}

static int compare_opsets(const void *context, uint32_t a, uint32_t b) {
    const opset_record *opsets = context;
    return (opsets[a].domain > opsets[b].domain) - (opsets[a].domain < opsets[b].domain);
}

static void order_opsets(const image_builder *b, uint32_t *order, uint32_t *scratch) {
    const image_array *opsets = &b->parts[PART_OPSETS];
    sort_u32(order, opsets->count, compare_opsets, opsets->data, scratch);
}

static int compare_attributes(const void *context, uint32_t a, uint32_t b) {
    const attribute_record *attributes = context;
    return (attributes[a].name > attributes[b].name) - (attributes[a].name < attributes[b].name);
}

static void order_attributes(const image_builder *b, uint32_t *order, uint32_t *scratch) {
    const node_record *nodes = b->parts[PART_NODES].data;
    const attribute_record *attributes = b->parts[PART_ATTRIBUTES].data;
    for (uint32_t i = 0; i < b->parts[PART_NODES].count; i++) {
        sort_u32(order + nodes[i].attribute_first, nodes[i].attributes, compare_attributes,
                 attributes, scratch);
    }
}

static void permute(image_array *array, uint64_t size, const uint32_t *order, uint8_t *sorted) {
    for (uint32_t i = 0; i < array->count; i++) {
        memcpy(sorted + i * size, (const uint8_t *)array->data + order[i] * size, size);
    }
}

static wlk_status sort_part(image_builder *b, image_part part, part_order sort) {
    image_array *array = &b->parts[part];
    const uint64_t size = image_record_bytes[part_section(part)];
    if (array->count == 0) return WLK_OK;
    uint32_t *order = mem_zeroed(array->count, sizeof *order);
    uint32_t *scratch = mem_zeroed(array->count, sizeof *scratch);
    image_array sorted = {mem_zeroed(array->count, size), array->count, array->count};
    const bool memory = order && scratch && sorted.data;
    if (memory) {
        for (uint32_t i = 0; i < array->count; i++) order[i] = i;
        sort(b, order, scratch);
        permute(array, size, order, sorted.data);
        replace(array, &sorted);
    } else {
        mem_free(sorted.data);
    }
    mem_free(order);
    mem_free(scratch);
    return memory ? WLK_OK : builder_fail(b, RULE_INTERNAL_MEMORY);
}

/* Attributes have been sorted: their values follow them. */
static wlk_status sort_attribute_values(image_builder *b) {
    image_array *values = &b->parts[PART_ATTRIBUTE_VALUES];
    attribute_record *attributes = b->parts[PART_ATTRIBUTES].data;
    const uint64_t *old = values->data;
    if (values->count == 0) return WLK_OK;
    image_array sorted = {mem_zeroed(values->count, sizeof *old), 0, values->count};
    if (!sorted.data) return builder_fail(b, RULE_INTERNAL_MEMORY);
    for (uint32_t i = 0; i < b->parts[PART_ATTRIBUTES].count; i++) {
        attribute_record *a = &attributes[i];
        if (a->count > 0) {
            memcpy((uint64_t *)sorted.data + sorted.count, old + a->first, a->count * sizeof *old);
        }
        sorted.count += a->count;
    }
    replace(values, &sorted);
    return WLK_OK;
}

/* ---- lists: where each begins in its section. The sums are the counts of parts;
 * count_sections refuses those that do not fit. */

static void place_graphs(image_builder *b) {
    graph_record *graphs = b->parts[PART_GRAPHS].data;
    uint32_t input = 0;
    uint32_t output = 0;
    uint32_t node = 0;
    for (uint32_t i = 0; i < b->parts[PART_GRAPHS].count; i++) {
        graphs[i].input_first = input;
        graphs[i].output_first = output;
        graphs[i].node_first = node;
        input += graphs[i].inputs;
        output += graphs[i].outputs;
        node += graphs[i].nodes;
    }
}

static void place_nodes(image_builder *b) {
    node_record *nodes = b->parts[PART_NODES].data;
    uint32_t edge = b->parts[PART_GRAPH_OUTPUTS].count;
    for (uint32_t i = 0; i < b->parts[PART_NODES].count; i++) {
        nodes[i].edge_first = edge;
        edge += nodes[i].inputs + nodes[i].outputs;
    }
}

static void place_numbers(image_builder *b) {
    uint32_t number = b->parts[PART_GRAPH_INPUTS].count;
    attribute_record *attributes = b->parts[PART_ATTRIBUTES].data;
    for (uint32_t i = 0; i < b->parts[PART_ATTRIBUTES].count; i++) {
        attributes[i].first = number;
        number += attributes[i].count;
    }
    selftest_record *selftests = b->parts[PART_SELFTESTS].data;
    for (uint32_t i = 0; i < b->parts[PART_SELFTESTS].count; i++) {
        selftests[i].first = number;
        number += selftests[i].inputs + selftests[i].outputs;
    }
}

/* ---- laying out */

static wlk_status count_sections(image_builder *b, uint32_t counts[WLK_SECTION_COUNT]) {
    uint64_t wide[WLK_SECTION_COUNT] = {0};
    for (uint32_t part = 0; part < PART_COUNT; part++) {
        wide[part_section((image_part)part)] += b->parts[part].count;
    }
    for (uint32_t i = 0; i < WLK_SECTION_COUNT; i++) {
        if (wide[i] >= IMAGE_NONE) return builder_fail(b, RULE_LIMIT_IMAGE_BYTES);
        counts[i] = (uint32_t)wide[i];
    }
    return WLK_OK;
}

/* Parts are in the order of their sections, and within one in the section's. */
static void copy_parts(const image_builder *b, uint64_t offsets[WLK_SECTION_COUNT],
                       uint8_t *image) {
    for (uint32_t part = 0; part < PART_COUNT; part++) {
        const wlk_section section = part_section((image_part)part);
        const image_array *array = &b->parts[part];
        const uint64_t bytes = (uint64_t)array->count * image_record_bytes[section];
        if (bytes > 0) memcpy(image + offsets[section], array->data, bytes);
        offsets[section] += bytes;
    }
}

static wlk_status lay_out(image_builder *b, uint64_t file_bytes, uint8_t **image,
                          uint64_t *length) {
    image_header header = {.magic = IMAGE_MAGIC,
                           .version = IMAGE_VERSION,
                           .format = (uint16_t)b->format,
                           .file_bytes = file_bytes};
    uint64_t offsets[WLK_SECTION_COUNT];
    uint64_t total;
    TRY(count_sections(b, header.counts));
    if (!image_layout(header.counts, offsets, &total) || total > b->limits.image_bytes) {
        return builder_fail(b, RULE_LIMIT_IMAGE_BYTES);
    }
    uint8_t *bytes = mem_zeroed(1, total);
    if (!bytes) return builder_fail(b, RULE_INTERNAL_MEMORY);
    memcpy(bytes, &header, sizeof header);
    copy_parts(b, offsets, bytes);
    *image = bytes;
    *length = total;
    return WLK_OK;
}

static wlk_status finish(image_builder *b, uint64_t file_bytes, uint8_t **image, uint64_t *length) {
    if (!builder_ready(b, WLK_NO_OFFSET)) return b->error.status;
    if (b->payload_left != 0) return builder_fail(b, RULE_TENSOR_SIZE);
    b->finished = true;
    TRY(finish_strings(b));
    TRY(sort_part(b, PART_OPSETS, order_opsets));
    TRY(sort_part(b, PART_SPANS, order_spans));
    TRY(sort_part(b, PART_ATTRIBUTES, order_attributes));
    TRY(sort_attribute_values(b));
    place_graphs(b);
    place_nodes(b);
    place_numbers(b);
    return lay_out(b, file_bytes, image, length);
}

void image_format(image_builder *b, wlk_format format) {
    b->format = format;
}

wlk_status image_finish(image_builder *b, uint64_t file_bytes, uint8_t **image, uint64_t *length,
                        wlk_error *error) {
    *image = NULL;
    *length = 0;
    const wlk_status status = finish(b, file_bytes, image, length);
    if (status != WLK_OK) (void)image_builder_status(b, error);
    return status;
}

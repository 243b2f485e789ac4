#include "image/builder_internal.h"

#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "image/checks.h"

#define FIRST_CAPACITY 16
#define SHARED_TYPES 16 /* how many of the latest types a new one is compared with */

static const uint8_t part_sections[PART_COUNT] = {
    [PART_STRINGS] = WLK_SECTION_STRINGS,
    [PART_BLOCKS] = WLK_SECTION_BLOCKS,
    [PART_TENSORS] = WLK_SECTION_TENSORS,
    [PART_TYPES] = WLK_SECTION_TYPES,
    [PART_VALUES] = WLK_SECTION_VALUES,
    [PART_GRAPHS] = WLK_SECTION_GRAPHS,
    [PART_NODES] = WLK_SECTION_NODES,
    [PART_ATTRIBUTES] = WLK_SECTION_ATTRIBUTES,
    [PART_GRAPH_OUTPUTS] = WLK_SECTION_EDGES,
    [PART_NODE_EDGES] = WLK_SECTION_EDGES,
    [PART_GRAPH_INPUTS] = WLK_SECTION_NUMBERS,
    [PART_ATTRIBUTE_VALUES] = WLK_SECTION_NUMBERS,
    [PART_SELFTEST_LISTS] = WLK_SECTION_NUMBERS,
    [PART_METADATA] = WLK_SECTION_METADATA,
    [PART_SELFTESTS] = WLK_SECTION_SELFTESTS,
    [PART_OPSETS] = WLK_SECTION_OPSETS,
    [PART_FINDINGS] = WLK_SECTION_FINDINGS,
    [PART_SPANS] = WLK_SECTION_SPANS,
    [PART_TEXT] = WLK_SECTION_TEXT,
};

wlk_section part_section(image_part part) {
    return (wlk_section)part_sections[part];
}

wlk_status builder_fail(image_builder *b, wlk_rule rule) {
    if (b->error.status == WLK_OK) (void)error_at(&b->error, rule, b->offset);
    return b->error.status;
}

bool builder_ready(image_builder *b, uint64_t offset) {
    if (b->error.status != WLK_OK) return false;
    b->offset = offset;
    if (b->finished) (void)builder_fail(b, RULE_INTERNAL_DEFECT);
    return !b->finished;
}

bool builder_knows_string(image_builder *b, uint32_t string) {
    if (string < b->parts[PART_STRINGS].count) return true;
    (void)builder_fail(b, RULE_INTERNAL_DEFECT);
    return false;
}

static wlk_status array_grow(image_builder *b, image_array *array, uint64_t needed, uint64_t size) {
    uint64_t capacity = (uint64_t)array->capacity * 2;
    if (needed >= IMAGE_NONE) return builder_fail(b, RULE_LIMIT_IMAGE_BYTES);
    if (capacity < needed) capacity = needed;
    if (capacity < FIRST_CAPACITY) capacity = FIRST_CAPACITY;
    if (capacity > IMAGE_NONE) capacity = IMAGE_NONE;
    void *data = mem_resize_array(array->data, capacity, size);
    if (!data) return builder_fail(b, RULE_INTERNAL_MEMORY);
    array->data = data;
    array->capacity = (uint32_t)capacity;
    return WLK_OK;
}

/* Repeated strings that the cache missed are charged too, so that what is held
 * here is bounded like the image itself. */
static wlk_status charge(image_builder *b, uint64_t count, uint64_t size) {
    uint64_t bytes;
    if (!checked_mul(count, size, &bytes) || !checked_add(b->bytes, bytes, &bytes) ||
        bytes > b->limits.image_bytes) {
        return builder_fail(b, RULE_LIMIT_IMAGE_BYTES);
    }
    b->bytes = bytes;
    return WLK_OK;
}

static wlk_rule part_limit(const image_builder *b, image_part part, uint64_t count) {
    if (part == PART_ATTRIBUTE_VALUES) {
        return count > b->limits.attribute_values ? RULE_LIMIT_ATTRIBUTE_VALUES : RULE_NONE;
    }
    return image_count_limit(&b->limits, part_section(part), count);
}

uint32_t builder_append(image_builder *b, image_part part, const void *records, uint64_t count) {
    image_array *array = &b->parts[part];
    const uint64_t size = image_record_bytes[part_section(part)];
    const uint32_t first = array->count;
    uint64_t needed;
    if (!checked_add(first, count, &needed)) needed = UINT64_MAX;
    const wlk_rule limit = part_limit(b, part, needed);
    if (limit != RULE_NONE) {
        (void)builder_fail(b, limit);
        return IMAGE_NONE;
    }
    if (charge(b, count, size) != WLK_OK) return IMAGE_NONE;
    if (needed > array->capacity && array_grow(b, array, needed, size) != WLK_OK) {
        return IMAGE_NONE;
    }
    if (count > 0) memcpy((uint8_t *)array->data + first * size, records, count * size);
    array->count = (uint32_t)needed;
    return first;
}

/* Appends records and says whether it worked. */
static wlk_status append(image_builder *b, image_part part, const void *records, uint64_t count) {
    return builder_append(b, part, records, count) == IMAGE_NONE ? b->error.status : WLK_OK;
}

/* ---- life */

image_builder *image_builder_new(const wlk_limits *limits, const image_sink *sink) {
    image_builder *b = mem_zeroed(1, sizeof *b);
    if (!b) return NULL;
    b->limits = *limits;
    b->sink = *sink;
    b->bytes = sizeof(image_header);
    (void)image_string(b, "", 0, 0);
    if (b->error.status == WLK_OK) return b;
    const bool no_memory = b->error.rule == RULE_INTERNAL_MEMORY;
    if (!no_memory) return b; /* a limit of a few bytes: the error sticks */
    image_builder_free(b);
    return NULL;
}

void image_builder_free(image_builder *builder) {
    if (!builder) return;
    for (uint32_t part = 0; part < PART_COUNT; part++) mem_free(builder->parts[part].data);
    mem_free(builder->type_depths);
    mem_free(builder);
}

wlk_status image_builder_status(const image_builder *builder, wlk_error *error) {
    if (error) *error = builder->error;
    return builder->error.status;
}

/* ---- strings */

static uint32_t cache_slot(const char *text, uint64_t length) {
    uint32_t hash = 2166136261u; /* FNV-1a: a collision costs a few bytes, no time */
    for (uint64_t i = 0; i < length; i++) hash = (hash ^ (uint8_t)text[i]) * 16777619u;
    return (hash ^ hash >> 16) % STRING_CACHE_SLOTS;
}

static bool string_equals(const image_builder *b, uint32_t string, const char *text,
                          uint64_t length) {
    const string_record *record = (const string_record *)b->parts[PART_STRINGS].data + string;
    const char *known = (const char *)b->parts[PART_TEXT].data + record->offset;
    return record->length == length && memcmp(known, text, length) == 0;
}

static uint32_t string_append(image_builder *b, const char *text, uint64_t length) {
    const string_record record = {b->parts[PART_TEXT].count, (uint32_t)length};
    (void)builder_append(b, PART_TEXT, text, length);
    if (b->error.status == WLK_OK) (void)builder_append(b, PART_TEXT, "", 1);
    if (b->error.status != WLK_OK) return IMAGE_NONE;
    return builder_append(b, PART_STRINGS, &record, 1);
}

static uint32_t string_add(image_builder *b, const char *text, uint64_t length, uint64_t offset,
                           uint64_t longest, wlk_rule rule) {
    if (!builder_ready(b, offset)) return IMAGE_NONE;
    if (length > longest) {
        (void)builder_fail(b, rule);
        return IMAGE_NONE;
    }
    if (length > 0 && !utf8_valid((const uint8_t *)text, length)) {
        (void)builder_fail(b, RULE_STRING_UTF8);
        return IMAGE_NONE;
    }
    if (length == 0 && b->parts[PART_STRINGS].count > 0) return 0;
    uint32_t *cached = &b->string_cache[cache_slot(text, length)];
    if (*cached != 0 && string_equals(b, *cached, text, length)) return *cached;
    const uint32_t string = string_append(b, text, length);
    if (string != IMAGE_NONE) *cached = string;
    return string;
}

uint32_t image_string(image_builder *b, const char *text, uint64_t length, uint64_t offset) {
    return string_add(b, text, length, offset, b->limits.string_bytes, RULE_LIMIT_STRING_BYTES);
}

uint32_t image_name(image_builder *b, const char *text, uint64_t length, uint64_t offset) {
    return string_add(b, text, length, offset, b->limits.name_bytes, RULE_LIMIT_NAME_BYTES);
}

/* ---- types and values */

static bool type_strings_known(image_builder *b, const type_record *type) {
    for (uint32_t i = 0; i < WLK_MAX_RANK; i++) {
        if (!builder_knows_string(b, type->symbols[i])) return false;
    }
    return true;
}

static uint32_t type_find(const image_builder *b, const type_record *type) {
    const image_array *types = &b->parts[PART_TYPES];
    const uint32_t oldest = types->count > SHARED_TYPES ? types->count - SHARED_TYPES : 0;
    for (uint32_t i = types->count; i > oldest; i--) {
        const type_record *known = (const type_record *)types->data + i - 1;
        if (memcmp(known, type, sizeof *type) == 0) return i - 1;
    }
    return IMAGE_NONE;
}

static wlk_status type_depth_store(image_builder *b, uint32_t index, uint32_t depth) {
    const uint32_t capacity = b->parts[PART_TYPES].capacity;
    if (capacity > b->type_depth_capacity) {
        uint32_t *depths = mem_resize_array(b->type_depths, capacity, sizeof depth);
        if (!depths) return builder_fail(b, RULE_INTERNAL_MEMORY);
        b->type_depths = depths;
        b->type_depth_capacity = capacity;
    }
    b->type_depths[index] = depth;
    return WLK_OK;
}

uint32_t image_type(image_builder *b, const type_record *type, uint64_t offset) {
    if (!builder_ready(b, offset) || !type_strings_known(b, type)) return IMAGE_NONE;
    if (!type_form_valid(type, b->parts[PART_TYPES].count)) {
        (void)builder_fail(b, RULE_TYPE_FORM);
        return IMAGE_NONE;
    }
    if (type->rank > b->limits.rank) {
        (void)builder_fail(b, RULE_LIMIT_RANK);
        return IMAGE_NONE;
    }
    const uint32_t known = type_find(b, type);
    if (known != IMAGE_NONE) return known;
    const uint32_t depth = type->element == IMAGE_NONE ? 1 : b->type_depths[type->element] + 1;
    if (depth > b->limits.header_depth) {
        (void)builder_fail(b, RULE_LIMIT_HEADER_DEPTH);
        return IMAGE_NONE;
    }
    const uint32_t index = builder_append(b, PART_TYPES, type, 1);
    if (index == IMAGE_NONE || type_depth_store(b, index, depth) != WLK_OK) return IMAGE_NONE;
    return index;
}

uint32_t image_value(image_builder *b, uint32_t name, uint32_t type, uint64_t offset) {
    const value_record record = {name, type};
    if (!builder_ready(b, offset) || !builder_knows_string(b, name)) return IMAGE_NONE;
    if (b->parts[PART_VALUES].count == EDGE_TENSOR) { /* the edge's bit that says tensor */
        (void)builder_fail(b, RULE_LIMIT_VALUES);
        return IMAGE_NONE;
    }
    return builder_append(b, PART_VALUES, &record, 1);
}

/* ---- graphs and nodes */

/* The latest record of a part, or NULL, which is the caller's defect. */
static void *latest(image_builder *b, image_part part) {
    const image_array *array = &b->parts[part];
    if (array->count == 0) {
        (void)builder_fail(b, RULE_INTERNAL_DEFECT);
        return NULL;
    }
    const size_t size = image_record_bytes[part_section(part)];
    return (uint8_t *)array->data + (array->count - 1) * size;
}

/* The latest node if it belongs to the latest graph. */
static node_record *latest_node(image_builder *b) {
    node_record *node = latest(b, PART_NODES);
    if (!node) return NULL;
    if (node->graph + 1 == b->parts[PART_GRAPHS].count) return node;
    (void)builder_fail(b, RULE_INTERNAL_DEFECT);
    return NULL;
}

uint32_t image_graph(image_builder *b, uint32_t name, uint64_t offset) {
    if (!builder_ready(b, offset) || !builder_knows_string(b, name)) return IMAGE_NONE;
    const graph_record record = {
        .name = name,
        .input_first = b->parts[PART_GRAPH_INPUTS].count,
        .output_first = b->parts[PART_GRAPH_OUTPUTS].count,
        .node_first = b->parts[PART_NODES].count,
    };
    return builder_append(b, PART_GRAPHS, &record, 1);
}

wlk_status image_graph_input(image_builder *b, uint32_t value) {
    const uint64_t number = value;
    if (!builder_ready(b, b->offset)) return b->error.status;
    graph_record *graph = latest(b, PART_GRAPHS);
    if (!graph) return b->error.status;
    TRY(append(b, PART_GRAPH_INPUTS, &number, 1));
    graph->inputs++;
    return WLK_OK;
}

wlk_status image_graph_output(image_builder *b, uint32_t edge) {
    if (!builder_ready(b, b->offset)) return b->error.status;
    graph_record *graph = latest(b, PART_GRAPHS);
    if (!graph) return b->error.status;
    TRY(append(b, PART_GRAPH_OUTPUTS, &edge, 1));
    graph->outputs++;
    return WLK_OK;
}

uint32_t image_node(image_builder *b, uint32_t op, uint32_t domain, uint32_t name,
                    uint64_t offset) {
    if (!builder_ready(b, offset) || !builder_knows_string(b, op) ||
        !builder_knows_string(b, domain) || !builder_knows_string(b, name)) {
        return IMAGE_NONE;
    }
    graph_record *graph = latest(b, PART_GRAPHS);
    if (!graph) return IMAGE_NONE;
    const node_record record = {
        .op = op,
        .domain = domain,
        .name = name,
        .graph = b->parts[PART_GRAPHS].count - 1,
        .edge_first = b->parts[PART_NODE_EDGES].count,
        .attribute_first = b->parts[PART_ATTRIBUTES].count,
    };
    const uint32_t index = builder_append(b, PART_NODES, &record, 1);
    if (index != IMAGE_NONE) graph->nodes++;
    return index;
}

static wlk_status node_edge(image_builder *b, uint32_t edge, bool is_output) {
    if (!builder_ready(b, b->offset)) return b->error.status;
    node_record *node = latest_node(b);
    if (!node) return b->error.status;
    if (!is_output && node->outputs > 0) return builder_fail(b, RULE_INTERNAL_DEFECT);
    uint32_t *count = is_output ? &node->outputs : &node->inputs;
    if (*count >= b->limits.node_edges) return builder_fail(b, RULE_LIMIT_NODE_EDGES);
    TRY(append(b, PART_NODE_EDGES, &edge, 1));
    (*count)++;
    return WLK_OK;
}

wlk_status image_node_input(image_builder *b, uint32_t edge) {
    return node_edge(b, edge, false);
}

wlk_status image_node_output(image_builder *b, uint32_t edge) {
    return node_edge(b, edge, true);
}

static bool attribute_form_known(image_builder *b, wlk_attribute_type type, const uint64_t *values,
                                 uint32_t count) {
    bool fits = type >= WLK_ATTR_INT && type < WLK_ATTR_TYPE_COUNT;
    if (type < WLK_ATTR_INTS) fits = fits && count == 1;
    if (type == WLK_ATTR_STRING || type == WLK_ATTR_STRINGS) {
        for (uint32_t i = 0; i < count && fits; i++) {
            fits = values[i] < b->parts[PART_STRINGS].count;
        }
    }
    if (!fits) (void)builder_fail(b, RULE_INTERNAL_DEFECT);
    return fits;
}

wlk_status image_attribute(image_builder *b, uint32_t name, wlk_attribute_type type,
                           const uint64_t *values, uint32_t count, uint64_t offset) {
    if (!builder_ready(b, offset) || !builder_knows_string(b, name)) return b->error.status;
    node_record *node = latest_node(b);
    if (!node || !attribute_form_known(b, type, values, count)) return b->error.status;
    const attribute_record record = {name, (uint32_t)type, b->parts[PART_ATTRIBUTE_VALUES].count,
                                     count};
    TRY(append(b, PART_ATTRIBUTE_VALUES, values, count));
    TRY(append(b, PART_ATTRIBUTES, &record, 1));
    node->attributes++;
    return WLK_OK;
}

/* ---- everything around the graph */

wlk_status image_meta(image_builder *b, uint32_t path, wlk_meta_type type, uint64_t value,
                      uint64_t offset) {
    const meta_record record = {path, (uint32_t)type, value};
    if (!builder_ready(b, offset) || !builder_knows_string(b, path)) return b->error.status;
    if (type == WLK_META_STRING && value >= b->parts[PART_STRINGS].count) {
        return builder_fail(b, RULE_INTERNAL_DEFECT);
    }
    return append(b, PART_METADATA, &record, 1);
}

wlk_status image_opset(image_builder *b, uint32_t domain, uint32_t version, uint64_t offset) {
    const opset_record record = {domain, version};
    if (!builder_ready(b, offset) || !builder_knows_string(b, domain)) return b->error.status;
    if (version == 0) return builder_fail(b, RULE_OPSET_VERSION);
    return append(b, PART_OPSETS, &record, 1);
}

static wlk_status selftest_list(image_builder *b, const uint32_t *tensors, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t number = tensors[i];
        TRY(append(b, PART_SELFTEST_LISTS, &number, 1));
    }
    return WLK_OK;
}

wlk_status image_selftest(image_builder *b, const uint32_t *inputs, uint32_t input_count,
                          const uint32_t *outputs, uint32_t output_count, double rtol, double atol,
                          uint64_t offset) {
    if (!builder_ready(b, offset)) return b->error.status;
    const selftest_record record = {
        .first = b->parts[PART_SELFTEST_LISTS].count,
        .inputs = input_count,
        .outputs = output_count,
        .rtol = f64_bits(rtol),
        .atol = f64_bits(atol),
    };
    if (!tolerance_valid(record.rtol) || !tolerance_valid(record.atol)) {
        return builder_fail(b, RULE_SELFTEST_TOLERANCE);
    }
    TRY(append(b, PART_SELFTESTS, &record, 1));
    TRY(selftest_list(b, inputs, input_count));
    return selftest_list(b, outputs, output_count);
}

wlk_status image_finding(image_builder *b, uint32_t rule, wlk_severity severity, uint64_t offset,
                         uint64_t length, uint32_t evidence) {
    const finding_record record = {
        .rule = rule,
        .severity = (uint32_t)severity,
        .offset = offset,
        .length = length,
        .evidence = evidence,
    };
    if (!builder_ready(b, offset) || !builder_knows_string(b, evidence)) return b->error.status;
    const string_record *strings = b->parts[PART_STRINGS].data;
    if (strings[evidence].length > IMAGE_MAX_EVIDENCE) return builder_fail(b, RULE_INTERNAL_DEFECT);
    return append(b, PART_FINDINGS, &record, 1);
}

wlk_status image_span(image_builder *b, wlk_span_kind kind, uint64_t offset, uint64_t length,
                      uint32_t tensor) {
    const span_record record = {offset, length, (uint32_t)kind, tensor};
    if (!builder_ready(b, offset)) return b->error.status;
    if (length == 0) return WLK_OK; /* nothing to explain */
    return append(b, PART_SPANS, &record, 1);
}

#include "kit/input_image.h"

#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "kit/kit.h"

#define PAYLOAD_ALIGN 64

_Static_assert(sizeof(image_input) == 16, "the input has no padding");
_Static_assert(sizeof(image_input_buffer) == 16, "the input has no padding");

static uint64_t least(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

image_input_buffer image_input_buffer_at(const image_parts *parts, uint32_t i, uint64_t *at,
                                         const uint8_t **data) {
    image_input_buffer row;
    memcpy(&row, parts->buffers + (uint64_t)i * sizeof row, sizeof row);
    const uint64_t left = (uint64_t)(parts->image - parts->payloads) - *at;
    row.given = (uint32_t)least(row.given, left);
    *data = parts->payloads + *at;
    *at += row.given;
    return row;
}

/* All that is declared to be given lies before the image. */
static uint64_t given_bytes(const image_parts *parts, uint64_t left) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < parts->head.buffers; i++) {
        image_input_buffer row;
        memcpy(&row, parts->buffers + (uint64_t)i * sizeof row, sizeof row);
        sum += least(row.given, left - sum);
    }
    return sum;
}

image_parts image_input_parts(const uint8_t *data, size_t size) {
    image_parts parts = {.buffers = data, .payloads = data, .image = data};
    if (size < sizeof parts.head) return parts;
    memcpy(&parts.head, data, sizeof parts.head);
    uint64_t left = size - sizeof parts.head;
    const uint64_t most = left / sizeof(image_input_buffer);
    parts.head.buffers = (uint32_t)least(parts.head.buffers, most);
    parts.buffers = data + sizeof parts.head;
    parts.payloads = parts.buffers + (uint64_t)parts.head.buffers * sizeof(image_input_buffer);
    left -= (uint64_t)parts.head.buffers * sizeof(image_input_buffer);
    const uint64_t given = given_bytes(&parts, left);
    parts.image = parts.payloads + given;
    parts.image_bytes = left - given;
    return parts;
}

wlk_limits image_input_limits(const uint8_t *data, size_t size) {
    wlk_limits limits = *fuzz_limits();
    if (!(image_input_parts(data, size).head.flags & IMAGE_INPUT_NARROW)) return limits;
    limits.tensors = limits.values = 6;
    limits.nodes = limits.attributes = limits.metadata_entries = 4;
    limits.attribute_values = 8;
    limits.graphs = limits.graph_depth = limits.rank = limits.node_edges = 2;
    limits.header_depth = 3;
    limits.selftests = 1;
    limits.name_bytes = 12;
    limits.string_bytes = 24;
    limits.output_bytes = 1024;
    limits.image_bytes = 2048;
    return limits;
}

/* ---- payloads */

typedef struct payload_table {
    uint32_t count;
    image_buffer buffers[];
} payload_table;

static void payloads_release(void *owner) {
    payload_table *table = owner;
    for (uint32_t i = 0; i < table->count; i++) {
        mem_free((void *)(uintptr_t)table->buffers[i].data);
    }
    mem_free(table);
}

static uint8_t *payload_new(const image_input_buffer *row, const uint8_t *given) {
    const uint64_t length = row->length ? row->length : 1;
    uint8_t *data = mem_aligned(PAYLOAD_ALIGN, length);
    if (!data) return NULL;
    const uint64_t known = least(row->given, row->length);
    if (known) memcpy(data, given, known);
    memset(data + known, 0, length - known);
    return data;
}

/* NULL if there is no memory. */
static payload_table *payloads_new(const image_parts *parts) {
    const bool absent = parts->head.flags & IMAGE_INPUT_ABSENT;
    uint64_t at = 0;
    payload_table *table = mem_alloc(sizeof *table + parts->head.buffers * sizeof *table->buffers);
    if (!table) return NULL;
    for (table->count = 0; table->count < parts->head.buffers; table->count++) {
        const uint8_t *given;
        const image_input_buffer row = image_input_buffer_at(parts, table->count, &at, &given);
        uint8_t *data = absent ? NULL : payload_new(&row, given);
        if (!absent && !data) {
            payloads_release(table);
            return NULL;
        }
        table->buffers[table->count] = (image_buffer){data, row.length, row.file_offset};
    }
    return table;
}

static uint64_t payload_bytes(const image_parts *parts) {
    uint64_t sum = 0, at = 0;
    const uint8_t *given;
    for (uint32_t i = 0; i < parts->head.buffers; i++) {
        sum += image_input_buffer_at(parts, i, &at, &given).length;
    }
    return sum;
}

/* ---- the whole */

/* Rules whose offset is one in the artifact: where the payload was said to lie there. */
static void check_place(const image_parts *parts, wlk_error *error) {
    if (error->rule != RULE_TENSOR_PAYLOAD && error->rule != RULE_IMAGE_BUFFER) return;
    uint64_t at = 0;
    bool within = true;
    const uint8_t *given;
    for (uint32_t i = 0; i < parts->head.buffers; i++) {
        const image_input_buffer row = image_input_buffer_at(parts, i, &at, &given);
        within = within && (row.file_offset == WLK_NO_OFFSET ||
                            range_within(row.file_offset, row.length, parts->head.file_bytes));
    }
    FUZZ_CHECK(
        9, !within || error->offset == WLK_NO_OFFSET || error->offset <= parts->head.file_bytes);
    error->offset = WLK_NO_OFFSET;
}

/* What the validator says of payloads it was given is about them or about the image. */
static void check_refusal(const image_parts *parts, wlk_status status, wlk_error *error) {
    FUZZ_CHECK(9, status == WLK_CAGE || status == WLK_LIMIT || error->rule == RULE_TENSOR_PAYLOAD ||
                      error->rule == RULE_INTERNAL_MEMORY);
    check_place(parts, error);
    FUZZ_CHECK(9, error->offset == WLK_NO_OFFSET || error->offset <= parts->image_bytes);
}

wlk_status image_input_validate(const uint8_t *data, size_t size, const wlk_limits *limits,
                                wlk_model **model, wlk_error *error) {
    const image_parts parts = image_input_parts(data, size);
    *model = NULL;
    if (payload_bytes(&parts) > IMAGE_INPUT_PAYLOAD) return WLK_OK;
    payload_table *table = payloads_new(&parts);
    uint8_t *image = table ? mem_alloc(parts.image_bytes) : NULL;
    if (!image) {
        if (table) payloads_release(table);
        return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    }
    if (parts.image_bytes) memcpy(image, parts.image, parts.image_bytes);
    const image_payloads payloads = {.buffers = table->buffers,
                                     .count = table->count,
                                     .owner = table,
                                     .release = payloads_release,
                                     .absent = parts.head.flags & IMAGE_INPUT_ABSENT};
    const wlk_status status = image_validate(image, parts.image_bytes, parts.head.file_bytes,
                                             &payloads, limits, model, error);
    FUZZ_CHECK(6, (status == WLK_OK) == (*model != NULL));
    if (status != WLK_OK) check_refusal(&parts, status, error);
    return status;
}

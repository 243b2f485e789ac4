#include "kit/image_draft.h"

#include <string.h>

#define SLACK_RECORDS 48u
#define SLACK_TEXT 4096u
#define ARENA_BYTES (1u << 20)

static uint8_t arena[ARENA_BYTES] __attribute__((aligned(16)));
_Static_assert(ARENA_BYTES >=
                   DRAFT_MOST_BYTES + WLK_SECTION_COUNT * (SLACK_RECORDS * 112 + 16) + SLACK_TEXT,
               "every image that is taken apart has room");

static uint64_t rounded(uint64_t bytes) {
    return (bytes + 15) & ~(uint64_t)15;
}

bool draft_load(image_draft *d, const uint8_t *image, size_t size) {
    image_header header;
    uint64_t offsets[WLK_SECTION_COUNT], used = 0;
    if (size < sizeof header || size > DRAFT_MOST_BYTES) return false;
    memcpy(&header, image, sizeof header);
    if (image_places(header.counts, offsets) > size) return false;
    *d = (image_draft){
        header.magic, header.version, header.format, header.file_bytes, {{NULL, 0, 0}}};
    for (uint32_t i = 0; i < WLK_SECTION_COUNT; i++) {
        const uint32_t slack = i == WLK_SECTION_TEXT ? SLACK_TEXT : SLACK_RECORDS;
        draft_section *section = &d->sections[i];
        section->records = arena + used;
        section->count = header.counts[i];
        section->capacity = header.counts[i] + slack;
        memcpy(section->records, image + offsets[i],
               (size_t)section->count * image_record_bytes[i]);
        used += rounded((uint64_t)section->capacity * image_record_bytes[i]);
    }
    return true;
}

size_t draft_store(const image_draft *d, uint8_t *image, size_t room) {
    image_header header = {d->magic, d->version, d->format, d->file_bytes, {0}};
    uint64_t offsets[WLK_SECTION_COUNT];
    for (uint32_t i = 0; i < WLK_SECTION_COUNT; i++) header.counts[i] = d->sections[i].count;
    const uint64_t total = image_places(header.counts, offsets);
    if (total > room) return 0;
    memset(image, 0, total);
    memcpy(image, &header, sizeof header);
    for (uint32_t i = 0; i < WLK_SECTION_COUNT; i++) {
        memcpy(image + offsets[i], d->sections[i].records,
               (size_t)d->sections[i].count * image_record_bytes[i]);
    }
    return total;
}

uint8_t *draft_record(const image_draft *d, uint32_t section, uint32_t index) {
    return d->sections[section].records + (size_t)index * image_record_bytes[section];
}

uint32_t draft_append(image_draft *d, uint32_t section, uint32_t from, uint32_t count) {
    draft_section *s = &d->sections[section];
    const uint32_t first = s->count;
    const size_t bytes = image_record_bytes[section];
    if (count > s->capacity - s->count) return IMAGE_NONE;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *to = draft_record(d, section, first + i);
        if (from < first && i < first - from) {
            memcpy(to, draft_record(d, section, from + i), bytes);
        } else {
            memset(to, 0, bytes);
        }
    }
    s->count += count;
    return first;
}

/* ---- references */

static uint64_t visit_edge(uint64_t edge, draft_renumber renumber, void *context) {
    if (edge == IMAGE_NONE) return edge;
    if (edge & EDGE_TENSOR) {
        const uint64_t tensor = edge & ~(uint64_t)EDGE_TENSOR;
        return EDGE_TENSOR | renumber(context, WLK_SECTION_TENSORS, tensor);
    }
    return renumber(context, WLK_SECTION_VALUES, edge);
}

static void visit_field(uint8_t *record, uint32_t section, const image_field *field,
                        draft_renumber renumber, void *context) {
    for (uint32_t i = 0; i < field->count; i++) {
        uint64_t value = image_field_get(record, field, i);
        if (field->refers == FIELD_EDGE) {
            value = visit_edge(value, renumber, context);
        } else if (field->refers == FIELD_META) {
            const bool text = ((meta_record *)(void *)record)->type == WLK_META_STRING;
            if (text) value = renumber(context, WLK_SECTION_STRINGS, value);
        } else if (value != IMAGE_NONE || section == WLK_SECTION_NUMBERS) {
            value = renumber(context, field->refers, value);
        }
        image_field_set(record, field, i, value);
    }
}

/* Entries [first, first + count) of NUMBERS refer to `target`. */
static void visit_numbers(image_draft *d, uint32_t target, uint64_t first, uint64_t count,
                          draft_renumber renumber, void *context) {
    const uint64_t have = d->sections[WLK_SECTION_NUMBERS].count;
    uint64_t *numbers = (uint64_t *)(void *)d->sections[WLK_SECTION_NUMBERS].records;
    for (uint64_t i = first; i < have && i - first < count; i++) {
        numbers[i] = renumber(context, target, numbers[i]);
    }
}

static uint32_t attribute_target(uint32_t type) {
    switch (type) {
        case WLK_ATTR_STRING:
        case WLK_ATTR_STRINGS:
            return WLK_SECTION_STRINGS;
        case WLK_ATTR_TENSOR:
        case WLK_ATTR_TENSORS:
            return WLK_SECTION_TENSORS;
        case WLK_ATTR_GRAPH:
        case WLK_ATTR_GRAPHS:
            return WLK_SECTION_GRAPHS;
        case WLK_ATTR_TYPE:
            return WLK_SECTION_TYPES;
        default:
            return FIELD_PLAIN;
    }
}

static void visit_lists(image_draft *d, draft_renumber renumber, void *context) {
    for (uint32_t i = 0; i < d->sections[WLK_SECTION_GRAPHS].count; i++) {
        const graph_record *g = (const void *)draft_record(d, WLK_SECTION_GRAPHS, i);
        visit_numbers(d, WLK_SECTION_VALUES, g->input_first, g->inputs, renumber, context);
    }
    for (uint32_t i = 0; i < d->sections[WLK_SECTION_ATTRIBUTES].count; i++) {
        const attribute_record *a = (const void *)draft_record(d, WLK_SECTION_ATTRIBUTES, i);
        const uint32_t target = attribute_target(a->type);
        if (target == FIELD_PLAIN) continue;
        visit_numbers(d, target, a->first, a->count, renumber, context);
    }
    for (uint32_t i = 0; i < d->sections[WLK_SECTION_SELFTESTS].count; i++) {
        const selftest_record *t = (const void *)draft_record(d, WLK_SECTION_SELFTESTS, i);
        visit_numbers(d, WLK_SECTION_TENSORS, t->first, (uint64_t)t->inputs + t->outputs, renumber,
                      context);
    }
}

void draft_visit(image_draft *d, draft_renumber renumber, void *context) {
    for (uint32_t section = 0; section < WLK_SECTION_TEXT; section++) {
        uint32_t fields;
        const image_field *rows = image_fields(section, &fields);
        for (uint32_t f = 0; f < fields; f++) {
            if (rows[f].refers == FIELD_PLAIN || rows[f].refers == FIELD_NUMBER) continue;
            for (uint32_t i = 0; i < d->sections[section].count; i++) {
                visit_field(draft_record(d, section, i), section, &rows[f], renumber, context);
            }
        }
    }
    visit_lists(d, renumber, context);
}

/* ---- one record more or less */

typedef struct shift {
    uint32_t section;
    uint32_t from;
    int64_t by;
} shift;

static uint64_t shift_index(void *context, uint32_t target, uint64_t index) {
    const shift *s = context;
    return target == s->section && index >= s->from ? index + (uint64_t)s->by : index;
}

bool draft_insert(image_draft *d, uint32_t section, uint32_t index) {
    draft_section *s = &d->sections[section];
    const size_t bytes = image_record_bytes[section];
    if (s->count == s->capacity || index > s->count) return false;
    draft_visit(d, shift_index, &(shift){section, index, 1});
    uint8_t *at = draft_record(d, section, index);
    memmove(at + bytes, at, (s->count - index) * bytes);
    memset(at, 0, bytes);
    s->count++;
    return true;
}

void draft_remove(image_draft *d, uint32_t section, uint32_t index) {
    draft_section *s = &d->sections[section];
    const size_t bytes = image_record_bytes[section];
    if (index >= s->count) return;
    uint8_t *at = draft_record(d, section, index);
    memmove(at, at + bytes, (s->count - index - 1) * bytes);
    s->count--;
    draft_visit(d, shift_index, &(shift){section, index + 1, -1});
}

uint32_t draft_string(image_draft *d, const uint8_t *text, uint32_t length) {
    draft_section *bytes = &d->sections[WLK_SECTION_TEXT];
    if (length >= bytes->capacity - bytes->count) return IMAGE_NONE;
    const uint32_t index = draft_append(d, WLK_SECTION_STRINGS, IMAGE_NONE, 1);
    if (index == IMAGE_NONE) return IMAGE_NONE;
    const string_record record = {bytes->count, length};
    memcpy(draft_record(d, WLK_SECTION_STRINGS, index), &record, sizeof record);
    memcpy(bytes->records + bytes->count, text, length);
    bytes->records[bytes->count + length] = 0;
    bytes->count += length + 1;
    return index;
}

/* Every field of every record of the model image that names a record, a place, a number
 * of records, a kind, or nothing at all: and values that it must never have. */
#ifndef TESTS_GATE_HOSTILE_FIELDS_H
#define TESTS_GATE_HOSTILE_FIELDS_H

#include <stddef.h>

#include "gate/hostile_answer.h"

typedef enum field_kind {
    FIELD_REFERENCE, /* below the count of the section `bound`; if `none`, IMAGE_NONE too */
    FIELD_BUFFER,    /* below the number of buffers, or IMAGE_NONE */
    FIELD_PLACE,     /* exactly where the list before ended */
    FIELD_COUNT,     /* exactly as many as there are */
    FIELD_KIND,      /* 1 to bound - 1 */
    FIELD_FLAG,      /* 0 or 1 */
    FIELD_ZERO,
    FIELD_GEOMETRY,  /* 1 to 65536 */
    FIELD_TOLERANCE, /* bits of a finite f64 that is not negative */
    FIELD_IN_FILE,   /* at most the size of the file */
    FIELD_DIM,       /* -1 or more; 0 behind the rank */
    FIELD_META,      /* a string, or the number of children */
    FIELD_NUMBER,    /* whatever the list's holder says */
    FIELD_EDGE,
    FIELD_NOTHING /* any value is one: for mutations alone */
} field_kind;

typedef struct image_field {
    const char *name;
    wlk_section section;
    uint16_t at, size;
    field_kind kind;
    uint32_t bound;
    bool none;
} image_field;

#define FIELD_OF(section, record, field)                                 \
#section "." #field, WLK_SECTION_##section, offsetof(record, field), \
        sizeof(((record *)0)->field)
#define REFERENCE(section, record, field, to) \
    { FIELD_OF(section, record, field), FIELD_REFERENCE, WLK_SECTION_##to, false }
#define OPTIONAL(section, record, field, to) \
    { FIELD_OF(section, record, field), FIELD_REFERENCE, WLK_SECTION_##to, true }
#define OTHER(section, record, field, kind, bound) \
    { FIELD_OF(section, record, field), FIELD_##kind, bound, false }

static const image_field image_fields[] = {
    OTHER(STRINGS, string_record, offset, PLACE, 0),
    OTHER(STRINGS, string_record, length, COUNT, 0),
    REFERENCE(BLOCKS, block_record, kind, STRINGS),
    OTHER(BLOCKS, block_record, elements, GEOMETRY, 0),
    OTHER(BLOCKS, block_record, bytes, GEOMETRY, 0),
    OTHER(BLOCKS, block_record, reserved, ZERO, 0),
    REFERENCE(TENSORS, tensor_record, name, STRINGS),
    OTHER(TENSORS, tensor_record, dtype, KIND, WLK_DTYPE_COUNT),
    OTHER(TENSORS, tensor_record, rank, KIND, WLK_MAX_RANK + 1),
    OTHER(TENSORS, tensor_record, zero, ZERO, 0),
    OPTIONAL(TENSORS, tensor_record, block, BLOCKS),
    OTHER(TENSORS, tensor_record, buffer, BUFFER, 0),
    OTHER(TENSORS, tensor_record, buffer_offset, PLACE, 0),
    OTHER(TENSORS, tensor_record, nbytes, COUNT, 0),
    OTHER(TENSORS, tensor_record, shape[0], COUNT, 0),
    OTHER(TENSORS, tensor_record, shape[1], COUNT, 0),
    OTHER(TENSORS, tensor_record, shape[7], COUNT, 0),
    OTHER(TYPES, type_record, kind, KIND, WLK_TYPE_OPTIONAL + 1),
    OTHER(TYPES, type_record, dtype, KIND, WLK_DTYPE_COUNT),
    OTHER(TYPES, type_record, key_dtype, KIND, WLK_DTYPE_COUNT),
    OTHER(TYPES, type_record, has_shape, FLAG, 0),
    OPTIONAL(TYPES, type_record, element, TYPES),
    OTHER(TYPES, type_record, rank, KIND, WLK_MAX_RANK + 1),
    OTHER(TYPES, type_record, zero, ZERO, 0),
    OTHER(TYPES, type_record, dims[0], DIM, 0),
    OTHER(TYPES, type_record, dims[7], DIM, 0),
    REFERENCE(TYPES, type_record, symbols[0], STRINGS),
    REFERENCE(TYPES, type_record, symbols[7], STRINGS),
    REFERENCE(VALUES, value_record, name, STRINGS),
    OPTIONAL(VALUES, value_record, type, TYPES),
    REFERENCE(GRAPHS, graph_record, name, STRINGS),
    OTHER(GRAPHS, graph_record, input_first, PLACE, 0),
    OTHER(GRAPHS, graph_record, inputs, COUNT, 0),
    OTHER(GRAPHS, graph_record, output_first, PLACE, 0),
    OTHER(GRAPHS, graph_record, outputs, COUNT, 0),
    OTHER(GRAPHS, graph_record, node_first, PLACE, 0),
    OTHER(GRAPHS, graph_record, nodes, COUNT, 0),
    OTHER(GRAPHS, graph_record, zero, ZERO, 0),
    REFERENCE(NODES, node_record, op, STRINGS),
    REFERENCE(NODES, node_record, domain, STRINGS),
    REFERENCE(NODES, node_record, name, STRINGS),
    REFERENCE(NODES, node_record, graph, GRAPHS),
    OTHER(NODES, node_record, edge_first, PLACE, 0),
    OTHER(NODES, node_record, inputs, COUNT, 0),
    OTHER(NODES, node_record, outputs, COUNT, 0),
    OTHER(NODES, node_record, attribute_first, PLACE, 0),
    OTHER(NODES, node_record, attributes, COUNT, 0),
    OTHER(NODES, node_record, zero, ZERO, 0),
    REFERENCE(ATTRIBUTES, attribute_record, name, STRINGS),
    OTHER(ATTRIBUTES, attribute_record, type, KIND, WLK_ATTR_TYPE_COUNT),
    OTHER(ATTRIBUTES, attribute_record, first, PLACE, 0),
    OTHER(ATTRIBUTES, attribute_record, count, COUNT, 0),
    {"EDGES", WLK_SECTION_EDGES, 0, sizeof(uint32_t), FIELD_EDGE, 0, false},
    {"NUMBERS", WLK_SECTION_NUMBERS, 0, sizeof(uint64_t), FIELD_NUMBER, 0, false},
    REFERENCE(METADATA, meta_record, path, STRINGS),
    OTHER(METADATA, meta_record, type, KIND, WLK_META_MAP + 1),
    OTHER(METADATA, meta_record, value, META, 0),
    OTHER(SELFTESTS, selftest_record, first, PLACE, 0),
    OTHER(SELFTESTS, selftest_record, inputs, COUNT, 0),
    OTHER(SELFTESTS, selftest_record, outputs, COUNT, 0),
    OTHER(SELFTESTS, selftest_record, zero, ZERO, 0),
    OTHER(SELFTESTS, selftest_record, rtol, TOLERANCE, 0),
    OTHER(SELFTESTS, selftest_record, atol, TOLERANCE, 0),
    REFERENCE(OPSETS, opset_record, domain, STRINGS),
    OTHER(OPSETS, opset_record, version, NOTHING, 0),
    OTHER(FINDINGS, finding_record, rule, KIND, RULE_COUNT),
    OTHER(FINDINGS, finding_record, severity, KIND, WLK_SEVERITY_COUNT),
    OTHER(FINDINGS, finding_record, offset, IN_FILE, 0),
    OTHER(FINDINGS, finding_record, length, IN_FILE, 0),
    REFERENCE(FINDINGS, finding_record, evidence, STRINGS),
    OTHER(FINDINGS, finding_record, zero, ZERO, 0),
    OTHER(SPANS, span_record, offset, PLACE, 0),
    OTHER(SPANS, span_record, length, COUNT, 0),
    OTHER(SPANS, span_record, kind, KIND, WLK_SPAN_KIND_COUNT),
    OPTIONAL(SPANS, span_record, tensor, TENSORS),
};

#undef FIELD_OF
#undef REFERENCE
#undef OPTIONAL
#undef OTHER

enum { IMAGE_FIELDS = sizeof image_fields / sizeof *image_fields };

static inline uint64_t field_get(const answer_view *v, const image_field *f, uint32_t record) {
    uint64_t value = 0;
    memcpy(&value, answer_record_at(v, f->section, record) + f->at, f->size);
    return value;
}

static inline void field_set(const answer_view *v, const image_field *f, uint32_t record,
                             uint64_t value) {
    memcpy(answer_record_at(v, f->section, record) + f->at, &value, f->size);
}

static inline uint64_t field_most(const image_field *f) {
    return UINT64_MAX >> (64 - 8 * f->size);
}

/* ---- values that it must not have */

enum { FIELD_VALUES = 6 };

static inline unsigned value_put(uint64_t *values, unsigned count, uint64_t value) {
    values[count] = value;
    return count + 1;
}

/* Numbers that are no index below `count`. */
static inline unsigned wrong_references(uint64_t count, bool none, bool wide, uint64_t *values) {
    unsigned n = 0;
    n = value_put(values, n, count);
    n = value_put(values, n, count + 1);
    n = value_put(values, n, INT32_MAX - 1);
    n = value_put(values, n, UINT32_MAX - 1);
    if (!none) n = value_put(values, n, UINT32_MAX);
    if (wide) n = value_put(values, n, (uint64_t)1 << 32); /* zero when cut to 32 bits */
    return n;
}

/* What NUMBERS[index] refers to: a section, or WLK_SECTION_COUNT. */
static inline unsigned number_target(const answer_view *v, uint32_t index) {
    const graph_record *graph = (const void *)answer_record_at(v, WLK_SECTION_GRAPHS, 0);
    for (uint32_t i = 0; i < v->counts[WLK_SECTION_GRAPHS]; i++) {
        if (index - graph[i].input_first < graph[i].inputs) return WLK_SECTION_VALUES;
    }
    const attribute_record *a = (const void *)answer_record_at(v, WLK_SECTION_ATTRIBUTES, 0);
    for (uint32_t i = 0; i < v->counts[WLK_SECTION_ATTRIBUTES]; i++) {
        if (index - a[i].first >= a[i].count) continue;
        if (a[i].type == WLK_ATTR_STRING || a[i].type == WLK_ATTR_STRINGS)
            return WLK_SECTION_STRINGS;
        if (a[i].type == WLK_ATTR_TENSOR || a[i].type == WLK_ATTR_TENSORS)
            return WLK_SECTION_TENSORS;
        if (a[i].type == WLK_ATTR_GRAPH || a[i].type == WLK_ATTR_GRAPHS) return WLK_SECTION_GRAPHS;
        return a[i].type == WLK_ATTR_TYPE ? WLK_SECTION_TYPES : WLK_SECTION_COUNT;
    }
    return WLK_SECTION_TENSORS; /* golden rows */
}

static inline unsigned wrong_meta(const answer_view *v, uint32_t record, uint64_t *values) {
    const meta_record *meta = (const void *)answer_record_at(v, WLK_SECTION_METADATA, record);
    if (meta->type == WLK_META_STRING) {
        return wrong_references(v->counts[WLK_SECTION_STRINGS], false, true, values);
    }
    if (meta->type != WLK_META_ARRAY && meta->type != WLK_META_MAP) return 0;
    unsigned n = value_put(values, 0, v->counts[WLK_SECTION_METADATA] - record);
    n = value_put(values, n, meta->value + 1);
    return value_put(values, n, UINT64_MAX);
}

static inline unsigned wrong_edges(const answer_view *v, uint64_t *values) {
    unsigned n = value_put(values, 0, v->counts[WLK_SECTION_VALUES]);
    n = value_put(values, n, EDGE_TENSOR - 1);
    n = value_put(values, n, EDGE_TENSOR | v->counts[WLK_SECTION_TENSORS]);
    return value_put(values, n, IMAGE_NONE - 1);
}

/* A tensor without bytes may be given another shape that has none. */
static inline bool shape_is_free(const answer_view *v, const image_field *f, uint32_t record) {
    if (f->section != WLK_SECTION_TENSORS || f->at < offsetof(tensor_record, shape)) return false;
    return ((const tensor_record *)(const void *)answer_record_at(v, f->section, record))->nbytes ==
           0;
}

/* Is it a dim within the type's rank? Behind that, it must be 0. */
static inline bool dim_in_rank(const answer_view *v, const image_field *f, uint32_t record) {
    const type_record *type = (const void *)answer_record_at(v, f->section, record);
    return (f->at - offsetof(type_record, dims)) / sizeof(int64_t) < type->rank;
}

/* Fills in values that field f of this record must not have; returns how many. */
static inline unsigned wrong_values(const answer_view *v, const image_field *f, uint32_t record,
                                    uint64_t buffers, uint64_t values[FIELD_VALUES]) {
    const uint64_t now = field_get(v, f, record), most = field_most(f);
    const uint64_t file_bytes = ((const image_header *)(const void *)v->image)->file_bytes;
    unsigned n = 0;
    switch (f->kind) {
        case FIELD_REFERENCE:
            return wrong_references(v->counts[f->bound], f->none, false, values);
        case FIELD_BUFFER:
            return wrong_references(buffers, now == IMAGE_NONE, false, values);
        case FIELD_PLACE:
            if (now > 0) n = value_put(values, n, now - 1);
            n = value_put(values, n, now + 1);
            return value_put(values, n, most);
        case FIELD_COUNT:
            if (shape_is_free(v, f, record)) return 0;
            n = value_put(values, n, now + 1);
            return value_put(values, n, most);
        case FIELD_KIND:
            n = value_put(values, n, f->bound);
            return value_put(values, n, most);
        case FIELD_FLAG:
            n = value_put(values, n, 2);
            return value_put(values, n, most);
        case FIELD_ZERO:
            n = value_put(values, n, 1);
            return value_put(values, n, most);
        case FIELD_GEOMETRY:
            n = value_put(values, n, 0);
            n = value_put(values, n, 65537);
            return value_put(values, n, most);
        case FIELD_TOLERANCE:
            n = value_put(values, n, 0x7ff0000000000000ull); /* infinite */
            n = value_put(values, n, 0x7ff8000000000001ull); /* no number */
            return value_put(values, n, 0x8000000000000001ull);
        case FIELD_IN_FILE:
            n = value_put(values, n, file_bytes + 1);
            return value_put(values, n, UINT64_MAX);
        case FIELD_DIM:
            if (!dim_in_rank(v, f, record)) n = value_put(values, n, 1);
            n = value_put(values, n, (uint64_t)-2);
            return value_put(values, n, (uint64_t)INT64_MIN);
        case FIELD_META:
            return wrong_meta(v, record, values);
        case FIELD_NUMBER: {
            const unsigned target = number_target(v, record);
            if (target == WLK_SECTION_COUNT) return 0;
            return wrong_references(v->counts[target], false, true, values);
        }
        case FIELD_EDGE:
            return wrong_edges(v, values);
        case FIELD_NOTHING:
            break;
    }
    return 0;
}

/* ---- all of them, one after the other */

typedef struct image_change {
    unsigned field;
    uint32_t record;
    unsigned number; /* of the value */
    uint64_t value;
} image_change;

/* The next change that makes the image wrong; start from all zero. False: no more. */
static inline bool image_next_change(const answer_view *v, uint64_t buffers, image_change *c) {
    for (; c->field < IMAGE_FIELDS; c->field++, c->record = 0) {
        const image_field *f = &image_fields[c->field];
        for (; c->record < v->counts[f->section]; c->record++, c->number = 0) {
            uint64_t values[FIELD_VALUES];
            const unsigned count = wrong_values(v, f, c->record, buffers, values);
            if (c->number >= count) continue;
            c->value = values[c->number++];
            return true;
        }
    }
    return false;
}

/* Makes change number k of the answer's image; false past the last. */
static inline bool answer_change(answer *a, uint64_t k) {
    answer_view v;
    image_change c = {0};
    const uint64_t buffers = answer_image(a);
    if (!answer_open(a, &v)) return false;
    for (uint64_t i = 0; i <= k; i++) {
        if (!image_next_change(&v, buffers, &c)) return false;
    }
    field_set(&v, &image_fields[c.field], c.record, c.value);
    return true;
}

#endif

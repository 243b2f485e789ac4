#include <string.h>

#include "base/memory.h"
#include "base/sort.h"
#include "formats/onnx/reader.h"

/* Metadata are a tree in pre-order, the keys of a map ascending (image/records.h). */

#define SOURCE "/metadata/source"
#define PROPERTIES SOURCE "/metadata_props"

static uint32_t text_of(const reader *r, const char *text) {
    return image_string(r->builder, text, strlen(text), WLK_NO_OFFSET);
}

static void put(const reader *r, const char *path, wlk_meta_type type, uint64_t value) {
    (void)image_meta(r->builder, text_of(r, path), type, value, WLK_NO_OFFSET);
}

static void put_text(const reader *r, const char *path, cursor text) {
    const uint32_t string = image_string(r->builder, (const char *)text.data, text.size, text.base);
    (void)image_meta(r->builder, text_of(r, path), WLK_META_STRING, string, text.base);
}

/* ---- metadata_props */

typedef struct property {
    cursor key;
    cursor value;
} property;

static int compare(const void *context, uint32_t a, uint32_t b) {
    const property *properties = context;
    const cursor *first = &properties[a].key, *second = &properties[b].key;
    const uint64_t shorter = first->size < second->size ? first->size : second->size;
    const int order = shorter > 0 ? memcmp(first->data, second->data, shorter) : 0;
    if (order != 0) return order;
    return (first->size > second->size) - (first->size < second->size);
}

/* A key as a step of a JSON Pointer (RFC 6901) behind the map's path. */
static wlk_status put_property(const reader *r, const property *p, wlk_error *error) {
    static const char prefix[] = PROPERTIES "/";
    uint64_t length = sizeof prefix - 1;
    char *path = mem_alloc(length + p->key.size * 2); /* the key lies in the file */
    if (!path) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    memcpy(path, prefix, length);
    for (uint64_t i = 0; i < p->key.size; i++) {
        const char c = (char)p->key.data[i];
        const bool escaped = c == '~' || c == '/';
        path[length++] = escaped ? '~' : c;
        if (escaped) path[length++] = c == '~' ? '0' : '1';
    }
    const uint32_t string = image_string(r->builder, path, length, p->key.base);
    const uint32_t value =
        image_string(r->builder, (const char *)p->value.data, p->value.size, p->value.base);
    mem_free(path);
    (void)image_meta(r->builder, string, WLK_META_STRING, value, p->key.base);
    return onnx_built(r, error);
}

static wlk_status put_sorted(const reader *r, const property *properties, const uint32_t *order,
                             uint32_t count, wlk_error *error) {
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0 && compare(properties, order[i - 1], order[i]) == 0) {
            return error_at(error, RULE_ONNX_METADATA_TWICE, properties[order[i]].key.base);
        }
        TRY(put_property(r, &properties[order[i]], error));
    }
    return WLK_OK;
}

static wlk_status read_properties(const reader *r, onnx_list *properties, wlk_error *error) {
    cursor rest = r->file;
    proto_field field;
    while (onnx_proto_each_of(&rest, MODEL_METADATA, &field)) {
        const property p = {onnx_proto_bytes_of(field.bytes, ENTRY_KEY),
                            onnx_proto_bytes_of(field.bytes, ENTRY_VALUE)};
        if (properties->count >= r->limits->metadata_entries) {
            return error_at(error, RULE_LIMIT_METADATA_ENTRIES, field.offset);
        }
        TRY(onnx_add(properties, &p, sizeof p, error));
    }
    return WLK_OK;
}

static wlk_status put_properties(const reader *r, const onnx_list *properties, wlk_error *error) {
    const uint32_t count = properties->count;
    uint32_t *order = mem_zeroed((size_t)count + 1, sizeof *order);
    uint32_t *scratch = mem_zeroed((size_t)count + 1, sizeof *scratch);
    wlk_status status = WLK_OK;
    if (order && scratch) {
        for (uint32_t i = 0; i < count; i++) order[i] = i;
        sort_u32(order, count, compare, properties->items, scratch);
        status = put_sorted(r, properties->items, order, count, error);
    } else {
        status = error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    }
    mem_free(order);
    mem_free(scratch);
    return status;
}

/* ---- the rest */

typedef struct text_row {
    const char *path;
    uint8_t field; /* of ModelProto */
} text_row;

/* Below SOURCE, in the order of their keys. */
static const text_row texts[] = {
    {SOURCE "/doc_string", MODEL_DOC},
    {SOURCE "/domain", MODEL_DOMAIN},
};
#define TEXTS (sizeof texts / sizeof *texts)

static wlk_status put_source(const reader *r, const onnx_list *properties, wlk_error *error) {
    static const char format[] = "onnx";
    uint64_t entries = 2 + (properties->count > 0); /* format, ir_version */
    for (size_t i = 0; i < TEXTS; i++)
        entries += onnx_proto_bytes_of(r->file, texts[i].field).size > 0;
    put(r, "/metadata", WLK_META_MAP, 1);
    put(r, SOURCE, WLK_META_MAP, entries);
    for (size_t i = 0; i < TEXTS; i++) {
        const cursor text = onnx_proto_bytes_of(r->file, texts[i].field);
        if (text.size > 0) put_text(r, texts[i].path, text);
    }
    put(r, SOURCE "/format", WLK_META_STRING, text_of(r, format));
    put(r, SOURCE "/ir_version", WLK_META_INT, r->ir_version);
    if (properties->count == 0) return onnx_built(r, error);
    put(r, PROPERTIES, WLK_META_MAP, properties->count);
    return put_properties(r, properties, error);
}

/* "producer 1.2" */
static wlk_status put_producer(const reader *r, wlk_error *error) {
    const cursor name = onnx_proto_bytes_of(r->file, MODEL_PRODUCER_NAME);
    const cursor version = onnx_proto_bytes_of(r->file, MODEL_PRODUCER_VERSION);
    if (name.size == 0) return WLK_OK;
    char *text = mem_alloc(name.size + version.size + 1);
    if (!text) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    uint64_t length = name.size;
    memcpy(text, name.data, name.size);
    if (version.size > 0) {
        text[length++] = ' ';
        memcpy(text + length, version.data, version.size);
        length += version.size;
    }
    const uint32_t string = image_string(r->builder, text, length, name.base);
    mem_free(text);
    (void)image_meta(r->builder, text_of(r, "/producer"), WLK_META_STRING, string, name.base);
    return onnx_built(r, error);
}

/* The model's own version, a number, as the text that a model's version is. */
static wlk_status put_version(const reader *r, wlk_error *error) {
    const int64_t version = (int64_t)onnx_proto_value_of(r->file, MODEL_VERSION, 0);
    char text[21], *at = text + sizeof text;
    uint64_t left = version < 0 ? 0 - (uint64_t)version : (uint64_t)version;
    if (version == 0) return WLK_OK;
    for (; left > 0; left /= 10) *--at = (char)('0' + left % 10);
    if (version < 0) *--at = '-';
    const uint64_t length = (uint64_t)(text + sizeof text - at);
    const uint32_t string = image_string(r->builder, at, length, WLK_NO_OFFSET);
    put(r, "/version", WLK_META_STRING, string);
    return onnx_built(r, error);
}

static wlk_status put_all(const reader *r, const onnx_list *properties, wlk_error *error) {
    const cursor name = onnx_proto_bytes_of(onnx_proto_bytes_of(r->file, MODEL_GRAPH), GRAPH_NAME);
    put(r, "/kind", WLK_META_STRING, text_of(r, "model"));
    TRY(put_source(r, properties, error));
    if (name.size > 0) put_text(r, "/name", name);
    TRY(put_producer(r, error));
    return put_version(r, error);
}

wlk_status onnx_metadata(reader *r, wlk_error *error) {
    onnx_list properties = {0};
    wlk_status status = read_properties(r, &properties, error);
    if (status == WLK_OK) status = put_all(r, &properties, error);
    mem_free(properties.items);
    return status;
}

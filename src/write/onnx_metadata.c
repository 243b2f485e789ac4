/* Metadata as ONNX has them (docs/onnx.md, sections 7 and 9): what it has a field for, and all
 * else in metadata_props, texts as they are and the rest as JSON. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "write/header.h"
#include "write/onnx_source.h"

#define SOURCE "/metadata/source"
#define PROPERTIES SOURCE "/metadata_props"
#define OWN_PREFIX "weighlock."

static const char *text_at(const onnx_source *s, const char *path) {
    const uint32_t index = wlk_model_find_meta(s->model, path);
    if (index == WLK_NONE) return NULL;
    const wlk_meta meta = wlk_model_meta(s->model, index);
    return meta.type == WLK_META_STRING ? meta.s : NULL;
}

/* ---- JSON; a text that grows is a message without fields */

static void add(onnx_out *json, const char *text) {
    onnx_put_raw(json, text, strlen(text));
}

/* One byte of a JSON text. */
static void add_byte(onnx_out *json, char byte) {
    char escaped[8];
    if ((unsigned char)byte < 0x20) {
        (void)snprintf(escaped, sizeof escaped, "\\u%04x", (unsigned char)byte);
        add(json, escaped);
        return;
    }
    if (byte == '"' || byte == '\\') add(json, "\\");
    onnx_put_raw(json, &byte, 1);
}

static void add_quoted(onnx_out *json, const char *text) {
    add(json, "\"");
    for (; *text != '\0'; text++) add_byte(json, *text);
    add(json, "\"");
}

/* The next byte of a step of a path (RFC 6901), as it was in the key. */
static char next_of(const char **step) {
    const char first = *(*step)++;
    if (first != '~') return first;
    return *(*step)++ == '0' ? '~' : '/';
}

static void add_step(onnx_out *text, const char *step) {
    while (*step != '\0') {
        const char byte = next_of(&step);
        onnx_put_raw(text, &byte, 1);
    }
}

static void add_key(onnx_out *json, const char *step) {
    add(json, "\"");
    while (*step != '\0') add_byte(json, next_of(&step));
    add(json, "\"");
}

/* JSON has no names for what is not finite: they are texts. */
static void add_float(onnx_out *json, double value) {
    char text[40];
    if (!isfinite(value)) {
        add_quoted(json, isnan(value) ? "nan" : value < 0 ? "-inf" : "inf");
        return;
    }
    (void)snprintf(text, sizeof text, "%.17g", value);
    for (char *at = text; *at != '\0'; at++) {
        if (*at == ',') *at = '.'; /* printf uses the locale's decimal point */
    }
    add(json, text);
}

static void add_scalar(onnx_out *json, const wlk_meta *meta) {
    char text[24] = "null";
    switch (meta->type) {
        case WLK_META_STRING:
            add_quoted(json, meta->s);
            return;
        case WLK_META_FLOAT:
            add_float(json, meta->f);
            return;
        case WLK_META_BOOL:
            add(json, meta->i ? "true" : "false");
            return;
        case WLK_META_INT:
            (void)snprintf(text, sizeof text, "%lld", (long long)meta->i);
            break;
        case WLK_META_UINT:
            (void)snprintf(text, sizeof text, "%llu", (unsigned long long)meta->u);
            break;
        case WLK_META_NULL:
        case WLK_META_ARRAY:
        case WLK_META_MAP:
            break;
    }
    add(json, text);
}

/* Writes an entry and what it holds. Depth is held against the limits by validation. */
static void add_entry(const meta_index *index, uint32_t entry, onnx_out *json) {
    const wlk_meta meta = wlk_model_meta(index->model, entry);
    const bool is_map = meta.type == WLK_META_MAP;
    if (!is_map && meta.type != WLK_META_ARRAY) {
        add_scalar(json, &meta);
        return;
    }
    uint32_t at = entry + 1;
    add(json, is_map ? "{" : "[");
    for (int64_t i = 0; i < meta.i; i++) {
        if (i > 0) add(json, ", ");
        if (is_map) add_key(json, meta_key_of(wlk_model_meta(index->model, at).path));
        if (is_map) add(json, ": ");
        add_entry(index, at, json);
        at = index->ends[at];
    }
    add(json, is_map ? "}" : "]");
}

/* ---- metadata_props */

/* An entry of metadata_props: the value as text, the key `prefix` and a step of a path. */
static void put_property(const meta_index *index, uint32_t entry, const char *prefix,
                         onnx_out *model) {
    const wlk_meta meta = wlk_model_meta(index->model, entry);
    onnx_out property = {0}, key = {0}, value = {0};
    add(&key, prefix);
    add_step(&key, meta_key_of(meta.path));
    if (meta.type == WLK_META_STRING) {
        add(&value, meta.s);
    } else {
        add_entry(index, entry, &value);
    }
    onnx_put_message(&property, ENTRY_KEY, &key);
    onnx_put_message(&property, ENTRY_VALUE, &value);
    onnx_put_message(model, MODEL_METADATA, &property);
}

/* An ONNX file that was written from here says so already. */
static bool is_said(const onnx_source *s, const char *step) {
    char path[sizeof(PROPERTIES "/" OWN_PREFIX) + 256];
    (void)snprintf(path, sizeof path, PROPERTIES "/" OWN_PREFIX "%.255s", step);
    return wlk_model_find_meta(s->model, path) != WLK_NONE;
}

static void put_own(const onnx_source *s, const meta_index *index, uint32_t entry,
                    onnx_out *model) {
    const char *step = meta_key_of(wlk_model_meta(index->model, entry).path);
    if (!is_said(s, step)) put_property(index, entry, OWN_PREFIX, model);
}

/* The entries of the map at `path`, each by `put`. */
static void put_each(const onnx_source *s, const meta_index *index, const char *path,
                     void (*put)(const onnx_source *s, const meta_index *index, uint32_t entry,
                                 onnx_out *model),
                     onnx_out *model) {
    const uint32_t map = wlk_model_find_meta(s->model, path);
    const wlk_meta meta = wlk_model_meta(s->model, map);
    if (map == WLK_NONE || meta.type != WLK_META_MAP) return;
    uint32_t at = map + 1;
    for (int64_t i = 0; i < meta.i; i++) {
        put(s, index, at, model);
        at = index->ends[at];
    }
}

static void put_given(const onnx_source *s, const meta_index *index, uint32_t entry,
                      onnx_out *model) {
    (void)s;
    put_property(index, entry, "", model);
}

/* What an ONNX file says of itself goes where it came from. */
static void put_section(const onnx_source *s, const meta_index *index, uint32_t entry,
                        onnx_out *model) {
    const char *format = text_at(s, SOURCE "/format");
    const bool is_source = strcmp(wlk_model_meta(index->model, entry).path, SOURCE) == 0;
    if (is_source && format && strcmp(format, "onnx") == 0) return;
    put_own(s, index, entry, model);
}

/* ---- fields of their own */

/* A version that is a number as ONNX's is, spelled as the reader spells it. */
static bool is_number(const char *version, int64_t *number) {
    char text[24];
    char *end = NULL;
    errno = 0;
    *number = strtoll(version, &end, 10);
    (void)snprintf(text, sizeof text, "%lld", (long long)*number);
    return errno == 0 && *number != 0 && strcmp(text, version) == 0;
}

static void put_fields(const onnx_source *s, onnx_out *model) {
    const char *producer = text_at(s, "/producer");
    const char *domain = text_at(s, SOURCE "/domain");
    const char *doc = text_at(s, SOURCE "/doc_string");
    const char *version = text_at(s, "/version");
    int64_t number = 0;
    onnx_put_text(model, MODEL_PRODUCER_NAME, producer ? producer : "Weighlock");
    if (domain) onnx_put_text(model, MODEL_DOMAIN, domain);
    if (doc) onnx_put_text(model, MODEL_DOC, doc);
    if (version && is_number(version, &number)) onnx_put_int(model, MODEL_VERSION, number);
}

/* Entries beside /metadata. */
static void put_rest(const onnx_source *s, const meta_index *index, onnx_out *model) {
    for (uint32_t i = 0; i < index->count; i = index->ends[i]) {
        const wlk_meta meta = wlk_model_meta(index->model, i);
        int64_t number = 0;
        const bool is_version = strcmp(meta.path, "/version") == 0 && is_number(meta.s, &number);
        const bool is_kind = strcmp(meta.path, "/kind") == 0 && strcmp(meta.s, "model") == 0;
        const bool has_field = strcmp(meta.path, "/name") == 0 ||
                               strcmp(meta.path, "/producer") == 0 ||
                               strcmp(meta.path, "/metadata") == 0;
        if (!is_version && !is_kind && !has_field) put_own(s, index, i, model);
    }
}

wlk_status onnx_put_metadata(onnx_source *s, onnx_out *model) {
    meta_index index = {0};
    const wlk_status status = meta_index_open(s->model, &index, s->error);
    if (status == WLK_OK) {
        put_fields(s, model);
        put_each(s, &index, PROPERTIES, put_given, model);
        put_each(s, &index, "/metadata", put_section, model);
        put_rest(s, &index, model);
    }
    meta_index_close(&index);
    return status;
}

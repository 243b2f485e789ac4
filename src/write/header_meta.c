/* Metadata of the header (header.h). */
#include <stdlib.h>

#include "base/memory.h"
#include "image/meta_schema.h"
#include "write/header.h"

const char *meta_key_of(const char *path) {
    return strrchr(path, '/') + 1; /* a validated path begins with a slash */
}

/* The next byte of an escaped key (RFC 6901), -1 at its end. */
static int next_byte(const char **key) {
    const char c = *(*key)++;
    if (c == '\0') return -1;
    if (c != '~') return (uint8_t)c;
    return *(*key)++ == '0' ? '~' : '/';
}

int meta_key_compare(const char *a, const char *b) {
    for (;;) {
        const int left = next_byte(&a), right = next_byte(&b);
        if (left != right) return left < right ? -1 : 1;
        if (left < 0) return 0;
    }
}

void pack_meta_key(packer *out, const char *escaped) {
    const size_t length = strlen(escaped);
    char *key = mem_alloc(length + 1);
    if (!key) {
        out->failed = true;
        return;
    }
    size_t used = 0;
    for (int byte = next_byte(&escaped); byte >= 0; byte = next_byte(&escaped)) {
        key[used++] = (char)byte;
    }
    key[used] = '\0';
    pack_text(out, key);
    mem_free(key);
}

/* ---- the index */

static bool is_container(const wlk_meta *meta) {
    return meta->type == WLK_META_ARRAY || meta->type == WLK_META_MAP;
}

static uint32_t depth_of(const char *path) {
    uint32_t depth = 0;
    for (; *path; path++) depth += *path == '/';
    return depth;
}

static wlk_status check_entry(const wlk_meta *meta, wlk_error *error) {
    if (!meta_schema_allows(meta->path, meta->type)) {
        return error_text(error, RULE_WRITE_METADATA, WLK_NO_OFFSET, "%.200s", meta->path);
    }
    if (is_container(meta) && depth_of(meta->path) + 1 > HEADER_MAX_DEPTH) {
        return error_text(error, RULE_WRITE_DEPTH, WLK_NO_OFFSET, "%.200s", meta->path);
    }
    return WLK_OK;
}

/* Backwards, so that an entry's children know their ends when it asks them. */
wlk_status meta_index_open(const wlk_model *model, meta_index *index, wlk_error *error) {
    const uint32_t count = wlk_model_count(model, WLK_SECTION_METADATA);
    *index = (meta_index){.model = model, .count = count};
    index->ends = mem_zeroed(count ? count : 1, sizeof *index->ends);
    if (!index->ends) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    for (uint32_t i = count; i-- > 0;) {
        const wlk_meta meta = wlk_model_meta(model, i);
        TRY(check_entry(&meta, error));
        uint32_t end = i + 1;
        for (int64_t child = 0; is_container(&meta) && child < meta.i; child++) {
            end = index->ends[end];
        }
        index->ends[i] = end;
    }
    return WLK_OK;
}

void meta_index_close(meta_index *index) {
    mem_free(index->ends);
    *index = (meta_index){0};
}

/* ---- encoding */

typedef struct meta_child {
    const char *key;
    uint32_t entry;
} meta_child;

static int compare_children(const void *a, const void *b) {
    return meta_key_compare(((const meta_child *)a)->key, ((const meta_child *)b)->key);
}

static wlk_status pack_children(const meta_index *index, const meta_child *children, uint32_t count,
                                bool keys, packer *out, wlk_error *error) {
    for (uint32_t i = 0; i < count; i++) {
        if (keys) pack_meta_key(out, children[i].key);
        TRY(header_meta(index, children[i].entry, out, error));
    }
    return WLK_OK;
}

static wlk_status pack_container(const meta_index *index, uint32_t entry, const wlk_meta *meta,
                                 packer *out, wlk_error *error) {
    const uint32_t count = (uint32_t)meta->i; /* validated: so many entries are there */
    const bool keys = meta->type == WLK_META_MAP;
    meta_child *children = mem_zeroed(count ? count : 1, sizeof *children);
    if (!children) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    uint32_t at = entry + 1;
    for (uint32_t i = 0; i < count; i++) {
        children[i] = (meta_child){meta_key_of(wlk_model_meta(index->model, at).path), at};
        at = index->ends[at];
    }
    if (keys) {
        qsort(children, count, sizeof *children, compare_children);
        pack_map(out, count);
    } else {
        pack_array(out, count);
    }
    const wlk_status status = pack_children(index, children, count, keys, out, error);
    mem_free(children);
    return status;
}

wlk_status header_meta(const meta_index *index, uint32_t entry, packer *out, wlk_error *error) {
    const wlk_meta meta = wlk_model_meta(index->model, entry);
    switch (meta.type) {
        case WLK_META_NULL:
            pack_nil(out);
            return WLK_OK;
        case WLK_META_BOOL:
            pack_bool(out, meta.i != 0);
            return WLK_OK;
        case WLK_META_INT:
            pack_int(out, meta.i);
            return WLK_OK;
        case WLK_META_UINT:
            pack_uint(out, meta.u);
            return WLK_OK;
        case WLK_META_FLOAT:
            pack_float(out, meta.f);
            return WLK_OK;
        case WLK_META_STRING:
            pack_text(out, meta.s);
            return WLK_OK;
        case WLK_META_ARRAY:
        case WLK_META_MAP:
            return pack_container(index, entry, &meta, out, error);
    }
    return error_at(error, RULE_INTERNAL_DEFECT, WLK_NO_OFFSET);
}

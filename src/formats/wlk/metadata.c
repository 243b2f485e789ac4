#include <string.h>

#include "base/memory.h"
#include "formats/wlk/reader.h"

enum {
    METADATA_HYPERPARAMETERS,
    METADATA_LIBRARIES,
    METADATA_METRICS,
    METADATA_SOURCE,
    METADATA_TAGS,
    METADATA_TRAINING,
    METADATA_KEYS
};
static const schema_key metadata_keys[METADATA_KEYS] = {
    [METADATA_HYPERPARAMETERS] = {"hyperparameters", KIND_MAP, false, false},
    [METADATA_LIBRARIES] = {"libraries", KIND_MAP, false, false},
    [METADATA_METRICS] = {"metrics", KIND_MAP, false, false},
    [METADATA_SOURCE] = {"source", KIND_MAP, false, false},
    [METADATA_TAGS] = {"tags", KIND_ARRAY, false, false},
    [METADATA_TRAINING] = {"training", KIND_MAP, false, false},
};
static const schema metadata_schema = {metadata_keys, METADATA_KEYS, true};

/* The header's keys that describe the model's parts; all others are metadata. */
static const char *const structural_keys[] = {"graphs", "opset", "selftest", "tensors"};

/* ---- the path: a JSON Pointer (RFC 6901) */

typedef struct meta_path {
    char *text;
    uint64_t length;
    uint64_t capacity;
} meta_path;

static void path_free(meta_path *path) {
    mem_free(path->text);
}

/* Paths repeat the keys above them, so they are held to the length of a name:
 * otherwise one long key with many children would be copied for each. */
static wlk_status path_put(meta_path *path, char c, uint64_t offset, wlk_error *error) {
    if (path->length == path->capacity) return error_at(error, RULE_LIMIT_NAME_BYTES, offset);
    path->text[path->length++] = c;
    return WLK_OK;
}

static wlk_status path_put_key(meta_path *path, const token *key, wlk_error *error) {
    TRY(path_put(path, '/', key->offset, error));
    for (uint64_t i = 0; i < key->count; i++) {
        const char c = (char)key->text[i];
        const bool escaped = c == '~' || c == '/';
        TRY(path_put(path, escaped ? '~' : c, key->offset, error));
        if (escaped) TRY(path_put(path, c == '~' ? '0' : '1', key->offset, error));
    }
    return WLK_OK;
}

static wlk_status path_put_index(meta_path *path, uint64_t index, uint64_t offset,
                                 wlk_error *error) {
    char digits[20]; /* of 2^64-1, lowest first */
    unsigned count = 0;
    do {
        digits[count++] = (char)('0' + index % 10);
        index /= 10;
    } while (index > 0);
    TRY(path_put(path, '/', offset, error));
    while (count > 0) TRY(path_put(path, digits[--count], offset, error));
    return WLK_OK;
}

/* ---- the tree, in pre-order */

typedef struct meta_level {
    bool is_map;
    uint64_t count;
    uint64_t next;        /* number of the next child */
    uint64_t path_length; /* of this container */
} meta_level;

typedef struct meta_walk {
    const reader *r;
    cursor at;
    element leaf; /* the latest */
    meta_path path;
    meta_level levels[SCAN_MAX_DEPTH];
    unsigned depth;
} meta_walk;

static wlk_status build_record(const meta_walk *w, wlk_meta_type type, uint64_t value,
                               uint64_t offset, wlk_error *error) {
    image_builder *b = w->r->builder;
    const uint32_t path = image_name(b, w->path.text, w->path.length, offset);
    (void)image_meta(b, path, type, value, offset);
    return reader_built(w->r, error);
}

static wlk_status build_leaf(meta_walk *w, wlk_error *error) {
    TRY(element_next(&w->leaf, &w->at, 1, error));
    const uint64_t offset = w->leaf.slice.base;
    const msgpack_object_union *via = &w->leaf.root->via;
    switch (element_kind(w->leaf.root)) {
        case KIND_NIL:
            return build_record(w, WLK_META_NULL, 0, offset, error);
        case KIND_BOOL:
            return build_record(w, WLK_META_BOOL, via->boolean, offset, error);
        case KIND_FLOAT:
            return build_record(w, WLK_META_FLOAT, f64_bits(via->f64), offset, error);
        case KIND_NEGATIVE:
            return build_record(w, WLK_META_INT, via->u64, offset, error);
        case KIND_UINT:
            return build_record(w, via->u64 > INT64_MAX ? WLK_META_UINT : WLK_META_INT, via->u64,
                                offset, error);
        case KIND_STR: {
            const uint32_t text = image_string(w->r->builder, via->str.ptr, via->str.size, offset);
            return build_record(w, WLK_META_STRING, text, offset, error);
        }
        case KIND_ARRAY:
        case KIND_MAP:
            break;
    }
    return error_at(error, RULE_INTERNAL_DEFECT, offset);
}

/* Builds the object at the cursor; a container is left open, its children next. */
static wlk_status build_object(meta_walk *w, wlk_error *error) {
    cursor inside;
    const token head = scan_enter(w->at, &inside);
    if ((head.kind & (KIND_ARRAY | KIND_MAP)) == 0) return build_leaf(w, error);
    if (w->depth == SCAN_MAX_DEPTH) return error_at(error, RULE_HEADER_DEPTH, head.offset);
    const bool is_map = head.kind == KIND_MAP;
    w->at = inside;
    w->levels[w->depth++] =
        (meta_level){.is_map = is_map, .count = head.count, .path_length = w->path.length};
    return build_record(w, is_map ? WLK_META_MAP : WLK_META_ARRAY, head.count, head.offset, error);
}

/* The next child of the innermost container: its step of the path, and itself. */
static wlk_status build_child(meta_walk *w, meta_level *level, wlk_error *error) {
    w->path.length = level->path_length;
    if (level->is_map) {
        const token key = scan_head(&w->at);
        TRY(path_put_key(&w->path, &key, error));
    } else {
        TRY(path_put_index(&w->path, level->next, cursor_offset(&w->at), error));
    }
    level->next++;
    return build_object(w, error);
}

/* The whole tree at the cursor, of which the path names the root. */
static wlk_status build_tree(meta_walk *w, wlk_error *error) {
    TRY(build_object(w, error));
    while (w->depth > 0) {
        meta_level *level = &w->levels[w->depth - 1];
        if (level->next == level->count) {
            w->depth--;
        } else {
            TRY(build_child(w, level, error));
        }
    }
    return WLK_OK;
}

/* ---- what the schema says of metadata's own keys */

/* All children of an array, or values of a map, are texts. */
static wlk_status check_texts(cursor field, wlk_error *error) {
    cursor at;
    if (field.size == 0) return WLK_OK;
    const token head = scan_enter(field, &at);
    for (uint64_t i = 0; i < head.count; i++) {
        if (head.kind == KIND_MAP) (void)scan_head(&at); /* the key */
        cursor slice = scan_slice(&at, NULL);
        const token child = scan_head(&slice);
        if (child.kind != KIND_STR) return error_at(error, RULE_HEADER_TYPE, child.offset);
    }
    return WLK_OK;
}

static wlk_status check_metadata(cursor metadata, wlk_error *error) {
    cursor fields[METADATA_KEYS];
    if (metadata.size == 0) return WLK_OK;
    TRY(schema_slice(metadata, &metadata_schema, fields, error));
    TRY(check_texts(fields[METADATA_LIBRARIES], error));
    return check_texts(fields[METADATA_TAGS], error);
}

static bool is_structural(const token *key) {
    for (size_t i = 0; i < sizeof structural_keys / sizeof *structural_keys; i++) {
        const char *word = structural_keys[i];
        if (strlen(word) == key->count && memcmp(word, key->text, key->count) == 0) return true;
    }
    return false;
}

static wlk_status build_trees(meta_walk *w, wlk_error *error) {
    const token head = scan_enter(w->r->header, &w->at);
    for (uint64_t i = 0; i < head.count; i++) {
        const token key = scan_head(&w->at);
        if (is_structural(&key)) {
            (void)scan_slice(&w->at, NULL);
            continue;
        }
        w->path.length = 0;
        TRY(path_put_key(&w->path, &key, error));
        TRY(build_tree(w, error));
    }
    return WLK_OK;
}

wlk_status metadata_build(const reader *r, wlk_error *error) {
    TRY(check_metadata(r->fields[HEADER_METADATA], error));
    /* No path needs more than every byte of the header escaped, and its indices. */
    const uint64_t longest = 2 * r->header.size + 20ull * SCAN_MAX_DEPTH;
    const uint64_t limit = r->limits->name_bytes;
    __attribute__((cleanup(path_free)))
    meta_path path = {.capacity = limit < longest ? limit : longest};
    path.text = mem_alloc(path.capacity);
    if (!path.text) return error_at(error, RULE_INTERNAL_MEMORY, r->header.base);
    meta_walk walk = {.r = r, .leaf = ELEMENT_NONE, .path = path};
    const wlk_status status = build_trees(&walk, error);
    element_close(&walk.leaf);
    return status;
}

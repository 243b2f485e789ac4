#include "image/meta_tree.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/sort.h"
#include "image/meta_schema.h"
#include "image/name_map.h"

#define NO_ENTRY UINT32_MAX
#define ROOT 0u

/* An entry; its children hang on it as a list, in the order in which they came. */
typedef struct meta_entry {
    char *path;
    uint32_t key; /* where in the path the last key begins */
    uint32_t first_child;
    uint32_t last_child;
    uint32_t next;
    uint32_t children;
    wlk_meta_type type;
    bool by_itself; /* a map that nobody has set */
    uint64_t value;
} meta_entry;

struct meta_tree {
    image_builder *builder;
    wlk_limits limits;
    name_map *paths; /* -> entries */
    meta_entry *entries;
    uint32_t count;
    uint32_t room;
};

meta_tree *meta_tree_new(image_builder *builder, const wlk_limits *limits) {
    meta_tree *tree = mem_zeroed(1, sizeof *tree);
    if (!tree) return NULL;
    tree->builder = builder;
    tree->limits = *limits;
    tree->paths = name_map_new();
    tree->entries = mem_zeroed(32, sizeof *tree->entries);
    tree->room = 32;
    char *root = mem_text("");
    if (!tree->paths || !tree->entries || !root || !name_map_set(tree->paths, "", ROOT)) {
        mem_free(root);
        meta_tree_free(tree);
        return NULL;
    }
    tree->entries[ROOT] = (meta_entry){.path = root,
                                       .first_child = NO_ENTRY,
                                       .last_child = NO_ENTRY,
                                       .next = NO_ENTRY,
                                       .type = WLK_META_MAP};
    tree->count = 1;
    return tree;
}

void meta_tree_free(meta_tree *tree) {
    if (!tree) return;
    for (uint32_t i = 0; i < tree->count; i++) mem_free(tree->entries[i].path);
    name_map_free(tree->paths);
    mem_free(tree->entries);
    mem_free(tree);
}

static wlk_status refuse(wlk_error *error, wlk_rule rule, const char *path) {
    return error_text(error, rule, WLK_NO_OFFSET, "%.200s", path);
}

static wlk_status no_memory(wlk_error *error) {
    return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
}

static bool is_container(wlk_meta_type type) {
    return type == WLK_META_ARRAY || type == WLK_META_MAP;
}

/* ---- paths */

bool meta_path_append(char *path, size_t *length, size_t room, const char *key) {
    size_t at = *length;
    if (at + 1 >= room) return false;
    path[at++] = '/';
    for (; *key; key++) {
        const bool escaped = *key == '~' || *key == '/';
        if (room - at < (escaped ? 3u : 2u)) {
            path[*length] = '\0';
            return false;
        }
        if (escaped) path[at++] = '~';
        path[at++] = (char)(*key == '~' ? '0' : *key == '/' ? '1' : *key);
    }
    path[at] = '\0';
    *length = at;
    return true;
}

static bool path_is_pointer(const char *path) {
    if (path[0] != '/') return false;
    for (const char *at = path; *at; at++) {
        if (*at == '~' && at[1] != '0' && at[1] != '1') return false;
    }
    return true;
}

/* Levels of maps and arrays around an entry: the root is the first. */
static uint64_t depth_of(const char *path) {
    uint64_t depth = 0;
    for (; *path; path++) depth += *path == '/';
    return depth;
}

/* The next byte of an escaped key, -1 at its end. */
static int next_byte(const char **key) {
    const char c = *(*key)++;
    if (c == '\0') return -1;
    if (c != '~') return (uint8_t)c;
    return *(*key)++ == '0' ? '~' : '/';
}

/* By the bytes of the keys as they are, not as the path escapes them. */
static int compare_keys(const void *context, uint32_t a, uint32_t b) {
    const meta_entry *entries = context;
    const char *x = entries[a].path + entries[a].key;
    const char *y = entries[b].path + entries[b].key;
    for (;;) {
        const int left = next_byte(&x), right = next_byte(&y);
        if (left != right) return left < right ? -1 : 1;
        if (left < 0) return 0;
    }
}

/* ---- setting */

static wlk_status reserve_entry(meta_tree *tree, wlk_error *error) {
    if (tree->count > tree->limits.metadata_entries) {
        return error_at(error, RULE_LIMIT_METADATA_ENTRIES, WLK_NO_OFFSET);
    }
    if (tree->count < tree->room) return WLK_OK;
    if (tree->room > UINT32_MAX / 2) return no_memory(error);
    meta_entry *entries = mem_resize_array(tree->entries, 2 * (size_t)tree->room, sizeof *entries);
    if (!entries) return no_memory(error);
    tree->entries = entries;
    tree->room *= 2;
    return WLK_OK;
}

/* The element of an array is the next one. */
static bool key_fits(const meta_entry *parent, const char *key) {
    char number[16];
    if (parent->type == WLK_META_MAP) return true;
    (void)snprintf(number, sizeof number, "%u", parent->children);
    return strcmp(key, number) == 0;
}

/* Makes an entry below `parent`. path is copied. */
static wlk_status add_entry(meta_tree *tree, uint32_t parent, const char *path, uint32_t key,
                            wlk_meta_type type, uint32_t *made, wlk_error *error) {
    if (!is_container(tree->entries[parent].type)) {
        return refuse(error, RULE_ASSEMBLE_METADATA_PATH, path);
    }
    if (!key_fits(&tree->entries[parent], path + key)) {
        return refuse(error, RULE_ASSEMBLE_METADATA_PATH, path);
    }
    if (!meta_schema_allows(path, type)) return refuse(error, RULE_ASSEMBLE_METADATA_KEY, path);
    if (depth_of(path) + is_container(type) > tree->limits.header_depth) {
        return refuse(error, RULE_LIMIT_HEADER_DEPTH, path);
    }
    TRY(reserve_entry(tree, error));
    char *copy = mem_text(path);
    if (!copy || !name_map_set(tree->paths, path, tree->count)) {
        mem_free(copy);
        return no_memory(error);
    }
    *made = tree->count++;
    tree->entries[*made] = (meta_entry){.path = copy,
                                        .key = key,
                                        .first_child = NO_ENTRY,
                                        .last_child = NO_ENTRY,
                                        .next = NO_ENTRY,
                                        .type = type};
    meta_entry *above = &tree->entries[parent];
    if (above->last_child == NO_ENTRY) {
        above->first_child = *made;
    } else {
        tree->entries[above->last_child].next = *made;
    }
    above->last_child = *made;
    above->children++;
    return WLK_OK;
}

/* The entry around `path`, whose maps are made where they are not there. `path`
 * is cut at each slash in turn and is whole again at the end. */
static wlk_status find_parent(meta_tree *tree, char *path, uint32_t *parent, wlk_error *error) {
    char *key = path + 1;
    *parent = ROOT;
    for (char *slash; (slash = strchr(key, '/')) != NULL; key = slash + 1) {
        uint32_t next;
        *slash = '\0';
        wlk_status status = WLK_OK;
        if (!name_map_get(tree->paths, path, &next)) {
            status =
                add_entry(tree, *parent, path, (uint32_t)(key - path), WLK_META_MAP, &next, error);
            if (status == WLK_OK) tree->entries[next].by_itself = true;
        }
        *slash = '/';
        TRY(status);
        *parent = next;
    }
    return WLK_OK;
}

static wlk_status set_at(meta_tree *tree, char *path, wlk_meta_type type, uint64_t value,
                         wlk_error *error) {
    uint32_t parent, entry;
    if (name_map_get(tree->paths, path, &entry)) {
        if (type != WLK_META_MAP || !tree->entries[entry].by_itself) {
            return refuse(error, RULE_ASSEMBLE_METADATA_DUPLICATE, path);
        }
        tree->entries[entry].by_itself = false;
        return WLK_OK;
    }
    TRY(find_parent(tree, path, &parent, error));
    const uint32_t key = (uint32_t)(strrchr(path, '/') - path) + 1;
    TRY(add_entry(tree, parent, path, key, type, &entry, error));
    tree->entries[entry].value = value;
    return WLK_OK;
}

wlk_status meta_tree_set(meta_tree *tree, const char *path, wlk_meta_type type, uint64_t value,
                         wlk_error *error) {
    const size_t length = strlen(path);
    if (!path_is_pointer(path)) return refuse(error, RULE_ASSEMBLE_METADATA_PATH, path);
    /* As a reader of the file has it: paths repeat the keys above them. */
    if (length > tree->limits.name_bytes || length > INT32_MAX) {
        return refuse(error, RULE_LIMIT_NAME_BYTES, path);
    }
    if (depth_of(path) > tree->limits.header_depth) {
        return refuse(error, RULE_LIMIT_HEADER_DEPTH, path);
    }
    char *copy = mem_text(path);
    if (!copy) return no_memory(error);
    const wlk_status status = set_at(tree, copy, type, value, error);
    mem_free(copy);
    return status;
}

wlk_status meta_tree_set_text(meta_tree *tree, const char *path, const char *text,
                              wlk_error *error) {
    const uint32_t string = image_string(tree->builder, text, strlen(text), WLK_NO_OFFSET);
    TRY(image_builder_status(tree->builder, error));
    return meta_tree_set(tree, path, WLK_META_STRING, string, error);
}

bool meta_tree_has(const meta_tree *tree, const char *path) {
    uint32_t entry;
    return name_map_get(tree->paths, path, &entry);
}

/* ---- handing over */

/* Fills order with the children of an entry as they are to stand. */
static void list_children(const meta_tree *tree, const meta_entry *parent, uint32_t *order,
                          uint32_t *scratch) {
    uint32_t count = 0;
    for (uint32_t i = parent->first_child; i != NO_ENTRY; i = tree->entries[i].next) {
        order[count++] = i;
    }
    if (parent->type == WLK_META_MAP) {
        sort_u32(order, count, compare_keys, tree->entries, scratch);
    }
}

/* Recursion is as deep as the metadata, at most header_depth. Each level uses the
 * part of `order` behind its parent's: all of it together is one for each entry. */
static wlk_status give_children(meta_tree *tree, const meta_entry *parent, uint32_t *order,
                                uint32_t *scratch, wlk_error *error) {
    list_children(tree, parent, order, scratch);
    for (uint32_t i = 0; i < parent->children; i++) {
        const meta_entry *entry = &tree->entries[order[i]];
        const uint64_t value = is_container(entry->type) ? entry->children : entry->value;
        const uint32_t path =
            image_string(tree->builder, entry->path, strlen(entry->path), WLK_NO_OFFSET);
        (void)image_meta(tree->builder, path, entry->type, value, WLK_NO_OFFSET);
        TRY(image_builder_status(tree->builder, error));
        TRY(give_children(tree, entry, order + parent->children, scratch, error));
    }
    return WLK_OK;
}

wlk_status meta_tree_finish(meta_tree *tree, wlk_error *error) {
    uint32_t *order = mem_zeroed(tree->count, sizeof *order);
    uint32_t *scratch = mem_zeroed(tree->count, sizeof *scratch);
    const wlk_status status = order && scratch
                                  ? give_children(tree, &tree->entries[ROOT], order, scratch, error)
                                  : no_memory(error);
    mem_free(order);
    mem_free(scratch);
    return status;
}

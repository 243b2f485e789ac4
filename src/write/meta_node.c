#include "write/meta_node.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/memory.h"
#include "image/memory_sink.h"
#include "image/meta_tree.h"
#include "write/header.h"

static wlk_status no_memory(wlk_error *error) {
    return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
}

static wlk_status refuse(wlk_error *error, wlk_rule rule, const char *path) {
    return error_text(error, rule, WLK_NO_OFFSET, "%.200s", path);
}

static bool is_container(wlk_meta_type type) {
    return type == WLK_META_ARRAY || type == WLK_META_MAP;
}

/* ---- nodes */

meta_node *meta_node_new(wlk_meta_type type) {
    meta_node *node = mem_zeroed(1, sizeof *node);
    if (node) node->type = type;
    return node;
}

/* Recursion is as deep as the tree: HEADER_MAX_DEPTH, whoever makes one. */
void meta_node_free(meta_node *node) {
    if (!node) return;
    for (meta_node *child = node->first_child; child;) {
        meta_node *next = child->next;
        meta_node_free(child);
        child = next;
    }
    mem_free(node->key);
    mem_free(node->text);
    mem_free(node);
}

void meta_node_drop(meta_node **node) {
    meta_node_free(*node);
}

void meta_node_append(meta_node *parent, meta_node *child) {
    if (parent->last_child) {
        parent->last_child->next = child;
    } else {
        parent->first_child = child;
    }
    parent->last_child = child;
    parent->children++;
}

/* Where the node hangs: the link to it. */
static meta_node **link_of(meta_node *parent, const meta_node *child) {
    meta_node **link = &parent->first_child;
    while (*link != child) link = &(*link)->next;
    return link;
}

/* Takes a child off, or puts another in its place. */
static void replace_child(meta_node *parent, meta_node *child, meta_node *by) {
    meta_node **link = link_of(parent, child);
    if (by) {
        by->next = child->next;
        *link = by;
    } else {
        *link = child->next;
        parent->children--;
    }
    if (parent->last_child == child) {
        parent->last_child = by;
        for (meta_node *at = parent->first_child; !by && at; at = at->next) {
            parent->last_child = at;
        }
    }
    meta_node_free(child);
}

/* ---- from a model */

/* The bytes that a part of a pointer stands for; the caller frees. */
static char *unescaped(const char *part, size_t length) {
    char *key = mem_alloc(length + 1);
    size_t used = 0;
    if (!key) return NULL;
    for (size_t i = 0; i < length; i++) {
        const bool escape = part[i] == '~' && i + 1 < length;
        if (escape) i++;
        key[used++] = (char)(!escape ? part[i] : part[i] == '0' ? '~' : '/');
    }
    key[used] = '\0';
    return key;
}

static wlk_status node_of(const wlk_meta *meta, bool keyed, meta_node **made, wlk_error *error) {
    meta_node *node = meta_node_new(meta->type);
    if (!node) return no_memory(error);
    *made = node;
    if (meta->type == WLK_META_BOOL || meta->type == WLK_META_INT) node->value = (uint64_t)meta->i;
    if (meta->type == WLK_META_UINT) node->value = meta->u;
    if (meta->type == WLK_META_FLOAT) node->value = f64_bits(meta->f);
    if (meta->type == WLK_META_STRING && !(node->text = mem_text(meta->s))) return no_memory(error);
    if (!keyed) return WLK_OK;
    const char *key = meta_key_of(meta->path);
    node->key = unescaped(key, strlen(key));
    return node->key ? WLK_OK : no_memory(error);
}

/* The entries of a model in pre-order, as they are taken. */
typedef struct meta_source {
    const wlk_model *model;
    uint32_t next;
} meta_source;

static wlk_status add_children(meta_source *source, meta_node *parent, int64_t count,
                               unsigned depth, wlk_error *error) {
    for (int64_t i = 0; i < count; i++) {
        const wlk_meta meta = wlk_model_meta(source->model, source->next++);
        meta_node *node = NULL;
        if (depth > HEADER_MAX_DEPTH) return refuse(error, RULE_WRITE_DEPTH, meta.path);
        const wlk_status status = node_of(&meta, parent->type == WLK_META_MAP, &node, error);
        if (node) meta_node_append(parent, node);
        TRY(status);
        if (is_container(meta.type)) TRY(add_children(source, node, meta.i, depth + 1, error));
    }
    return WLK_OK;
}

wlk_status meta_node_from_model(const wlk_model *model, meta_node **root, wlk_error *error) {
    meta_source source = {.model = model};
    const uint32_t count = wlk_model_count(model, WLK_SECTION_METADATA);
    *root = NULL;
    __attribute__((cleanup(meta_node_drop))) meta_node *made = meta_node_new(WLK_META_MAP);
    if (!made) return no_memory(error);
    while (source.next < count) TRY(add_children(&source, made, 1, 1, error));
    *root = made;
    made = NULL;
    return WLK_OK;
}

/* ---- pointers */

static bool is_pointer(const char *path) {
    if (path[0] != '/') return false;
    for (const char *at = path; *at; at++) {
        if (*at == '~' && at[1] != '0' && at[1] != '1') return false;
    }
    return true;
}

/* The element that decimal digits without leading zeros count; NULL if there is none. */
static meta_node *element_at(const meta_node *array, const char *key) {
    char number[16];
    uint32_t index = 0;
    for (meta_node *at = array->first_child; at; at = at->next) {
        (void)snprintf(number, sizeof number, "%u", index++);
        if (strcmp(number, key) == 0) return at;
    }
    return NULL;
}

static meta_node *child_of(const meta_node *parent, const char *key) {
    if (parent->type == WLK_META_ARRAY) return element_at(parent, key);
    for (meta_node *at = parent->first_child; at; at = at->next) {
        if (strcmp(at->key, key) == 0) return at;
    }
    return NULL;
}

/* Is this the place behind the last element? */
static bool is_end(const meta_node *array, const char *key) {
    char number[16];
    (void)snprintf(number, sizeof number, "%u", array->children);
    return array->type == WLK_META_ARRAY && (strcmp(key, "-") == 0 || strcmp(key, number) == 0);
}

/* The next part of the path at *at, unescaped; the caller frees. *at moves on to the
 * next slash or the end. */
static char *next_part(const char **at) {
    const char *part = *at + 1;
    const size_t length = strcspn(part, "/");
    *at = part + length;
    return unescaped(part, length);
}

wlk_status meta_node_remove(meta_node *root, const char *path, wlk_error *error) {
    meta_node *parent = NULL, *node = root;
    if (!is_pointer(path)) return refuse(error, RULE_ASSEMBLE_METADATA_PATH, path);
    for (const char *at = path; *at;) {
        char *key = next_part(&at);
        if (!key) return no_memory(error);
        parent = node;
        node = child_of(parent, key);
        mem_free(key);
        if (!node) return refuse(error, RULE_WRITE_ENTRY, path);
    }
    replace_child(parent, node, NULL);
    return WLK_OK;
}

/* Puts the value below `parent` under this key, which it takes over. */
static wlk_status put_below(meta_node *parent, char *key, meta_node *value, const char *path,
                            wlk_error *error) {
    meta_node *old = is_container(parent->type) ? child_of(parent, key) : NULL;
    const bool fits = old || parent->type == WLK_META_MAP || is_end(parent, key);
    if (parent->type == WLK_META_MAP) {
        value->key = key;
    } else {
        mem_free(key);
    }
    if (!fits) {
        meta_node_free(value);
        return refuse(error, RULE_ASSEMBLE_METADATA_PATH, path);
    }
    if (old) {
        replace_child(parent, old, value);
    } else {
        meta_node_append(parent, value);
    }
    return WLK_OK;
}

/* The container below *node on the way to something else, made if it is not there. */
static wlk_status step_into(meta_node **node, char *key, const char *path, wlk_error *error) {
    meta_node *below = child_of(*node, key);
    if (below) {
        mem_free(key);
        *node = below;
        return WLK_OK;
    }
    meta_node *made = meta_node_new(WLK_META_MAP);
    if (!made) {
        mem_free(key);
        return no_memory(error);
    }
    TRY(put_below(*node, key, made, path, error));
    *node = made;
    return WLK_OK;
}

static wlk_status put_at(meta_node *root, const char *path, meta_node *value, wlk_error *error) {
    meta_node *node = root;
    unsigned depth = 1;
    for (const char *at = path;; depth++) {
        char *key = next_part(&at);
        wlk_status status = key ? WLK_OK : no_memory(error);
        if (key && *at == '\0') return put_below(node, key, value, path, error);
        if (key && (depth == HEADER_MAX_DEPTH || !is_container(node->type))) {
            mem_free(key);
            status = refuse(
                error, depth == HEADER_MAX_DEPTH ? RULE_WRITE_DEPTH : RULE_ASSEMBLE_METADATA_PATH,
                path);
            key = NULL;
        }
        if (key) status = step_into(&node, key, path, error);
        if (status != WLK_OK) {
            meta_node_free(value);
            return status;
        }
    }
}

wlk_status meta_node_put(meta_node *root, const char *path, meta_node *value, wlk_error *error) {
    if (is_pointer(path)) return put_at(root, path, value, error);
    meta_node_free(value);
    return refuse(error, RULE_ASSEMBLE_METADATA_PATH, path);
}

/* ---- to a model */

/* What a model is made of, and the path of the entry that is written. A reader holds
 * paths to the length of a name. */
typedef struct meta_target {
    meta_tree *tree;
    char *path;
    size_t length;
    size_t room;
} meta_target;

static wlk_status put_entry(meta_target *target, const meta_node *node, wlk_error *error) {
    if (node->type == WLK_META_STRING) {
        return meta_tree_set_text(target->tree, target->path, node->text, error);
    }
    return meta_tree_set(target->tree, target->path, node->type, node->value, error);
}

static wlk_status put_children(meta_target *target, const meta_node *parent, unsigned depth,
                               wlk_error *error) {
    const size_t length = target->length;
    char number[16];
    uint32_t index = 0;
    if (depth > HEADER_MAX_DEPTH) return refuse(error, RULE_WRITE_DEPTH, target->path);
    for (const meta_node *node = parent->first_child; node; node = node->next) {
        (void)snprintf(number, sizeof number, "%u", index++);
        const char *key = parent->type == WLK_META_MAP ? node->key : number;
        if (!meta_path_append(target->path, &target->length, target->room, key)) {
            return refuse(error, RULE_LIMIT_NAME_BYTES, target->path);
        }
        TRY(put_entry(target, node, error));
        if (is_container(node->type)) TRY(put_children(target, node, depth + 1, error));
        target->path[length] = '\0';
        target->length = length;
    }
    return WLK_OK;
}

static wlk_status fill_tree(const meta_node *root, const wlk_limits *limits, meta_tree *tree,
                            wlk_error *error) {
    const size_t room = (limits->name_bytes < INT32_MAX ? limits->name_bytes : INT32_MAX) + 1;
    meta_target target = {.tree = tree, .path = mem_alloc(room), .room = room};
    if (!target.path) return no_memory(error);
    target.path[0] = '\0';
    wlk_status status = put_children(&target, root, 1, error);
    mem_free(target.path);
    if (status == WLK_OK) status = meta_tree_finish(tree, error);
    return status;
}

wlk_status meta_node_to_model(const meta_node *root, const wlk_limits *limits, wlk_model **metadata,
                              wlk_error *error) {
    *metadata = NULL;
    memory_sink *sink = memory_sink_new(limits);
    const image_sink interface = sink ? memory_sink_interface(sink) : (image_sink){0};
    image_builder *builder = sink ? image_builder_new(limits, &interface) : NULL;
    meta_tree *tree = builder ? meta_tree_new(builder, limits) : NULL;
    wlk_status status = tree ? fill_tree(root, limits, tree, error) : no_memory(error);
    if (status == WLK_OK) status = image_build_model(builder, sink, 0, limits, metadata, error);
    meta_tree_free(tree);
    image_builder_free(builder);
    memory_sink_free(sink);
    return status;
}

/* Metadata as a tree that can be changed: made from a model, changed by JSON Pointers
 * (RFC 6901), and made into metadata of a model again (meta_edit.h). */
#ifndef WLK_WRITE_META_NODE_H
#define WLK_WRITE_META_NODE_H

#include <weighlock/limits.h>
#include <weighlock/model.h>

#include "base/error.h"

/* A value, its key in the map around it, and what it holds. */
typedef struct meta_node {
    char *key; /* as it is, not as a path escapes it; NULL in an array and of the root */
    wlk_meta_type type;
    uint64_t value; /* BOOL, INT, UINT; the bits of FLOAT */
    char *text;     /* STRING */
    struct meta_node *first_child;
    struct meta_node *last_child;
    struct meta_node *next;
    uint32_t children;
} meta_node;

/* A node of that type without a key; NULL if there is no memory. */
meta_node *meta_node_new(wlk_meta_type type);
/* The node and all that it holds. NULL is allowed. */
void meta_node_free(meta_node *node);
/* For __attribute__((cleanup)). */
void meta_node_drop(meta_node **node);

/* Puts `child`, whose key is set, behind the other children. */
void meta_node_append(meta_node *parent, meta_node *child);

/* All metadata of a model, below a nameless map. *root is the caller's. */
wlk_status meta_node_from_model(const wlk_model *model, meta_node **root, wlk_error *error);

/* Removes what is at `path`: write.entry if there is nothing. What stands behind it
 * in an array moves up. */
wlk_status meta_node_remove(meta_node *root, const char *path, wlk_error *error);

/* Puts `value` at `path`, in the place of what is there, and owns it from now on, also
 * on failure. Maps on the way come into being. In an array the path's last part is the
 * number of an element, or of the one behind the last, or "-" for that. */
wlk_status meta_node_put(meta_node *root, const char *path, meta_node *value, wlk_error *error);

/* The tree as the metadata of a model that has nothing else: its schema and the limits
 * hold. *metadata is the caller's. */
wlk_status meta_node_to_model(const meta_node *root, const wlk_limits *limits, wlk_model **metadata,
                              wlk_error *error);

#endif

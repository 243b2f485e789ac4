/* Metadata set entry by entry under JSON Pointers, in any order, and handed to an
 * image_builder as the sorted tree in pre-order that the image wants.
 *
 * Maps on the way to an entry come into being by themselves; arrays are set
 * first, and then their elements in order: "/metadata/tags", "/metadata/tags/0".
 * What may stand where is meta_schema's to say. */
#ifndef WLK_IMAGE_META_TREE_H
#define WLK_IMAGE_META_TREE_H

#include "image/builder.h"

typedef struct meta_tree meta_tree;

/* A new tree; NULL if there is no memory. builder and limits must outlive it. */
meta_tree *meta_tree_new(image_builder *builder, const wlk_limits *limits);
/* NULL is allowed. */
void meta_tree_free(meta_tree *tree);

/* Sets an entry. `value` is as in the image's record; for ARRAY and MAP it is not
 * looked at. An entry can be set once. Rules assemble.metadata-*; the error
 * names the path. */
wlk_status meta_tree_set(meta_tree *tree, const char *path, wlk_meta_type type, uint64_t value,
                         wlk_error *error);
/* The same for WLK_META_STRING; text is copied. */
wlk_status meta_tree_set_text(meta_tree *tree, const char *path, const char *text,
                              wlk_error *error);

/* Has an entry of that path been set (or come into being)? */
bool meta_tree_has(const meta_tree *tree, const char *path);

/* Gives everything to the builder: keys ascending by their bytes. Once. */
wlk_status meta_tree_finish(meta_tree *tree, wlk_error *error);

/* Appends "/KEY" to a path, the key escaped (RFC 6901). path holds *length bytes
 * and has room for `room`; false if it does not fit, then nothing changes. */
bool meta_path_append(char *path, size_t *length, size_t room, const char *key);

#endif

/* Which metadata a model may have (docs/format.md, sections 3.1 and 3.2), by
 * JSON Pointer. One table for everybody who makes metadata: who reads a .wlk has
 * the table of its header's keys. */
#ifndef WLK_IMAGE_META_SCHEMA_H
#define WLK_IMAGE_META_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

#include <weighlock/model.h>

/* May the entry at `path`, a well-formed pointer, be there and be of that type? */
bool meta_schema_allows(const char *path, wlk_meta_type type);

/* The known keys of the top level ("" ) or of "/metadata"; NULL and 0 of any
 * other place. */
const char *const *meta_schema_keys(const char *path, size_t *count);

#endif

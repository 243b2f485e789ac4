/* Changed metadata: of a model that is written, and in place before the data of a file
 * (docs/format.md, section 6). */
#ifndef WLK_WRITE_META_EDIT_H
#define WLK_WRITE_META_EDIT_H

#include <weighlock/write.h>

#include "base/error.h"

/* The model's metadata with the edits applied in order: a model that has nothing else.
 * *metadata is the caller's. Rules assemble.metadata-*, write.json, write.entry,
 * write.depth, limit.*. */
wlk_status meta_edited(const wlk_model *model, const wlk_meta_edit *edits, uint32_t count,
                       const wlk_limits *limits, wlk_model **metadata, wlk_error *error);

/* Fills in new_head[0..head_bytes), unsigned: all that lies before the data of the file
 * that head and model come from, with other metadata. The two heads do not overlap.
 * Rules write.head, write.room, write.slack, and those of header_encode. */
wlk_status meta_head(const uint8_t *head, uint64_t head_bytes, const wlk_model *model,
                     const wlk_model *metadata, uint8_t *new_head, wlk_error *error);

#endif

/* What a single record must hold to, whoever made it: the builder refuses an
 * artifact by these, the validator a child. */
#ifndef WLK_IMAGE_CHECKS_H
#define WLK_IMAGE_CHECKS_H

#include <weighlock/limits.h>

#include "base/error.h"
#include "image/records.h"

#define IMAGE_MAX_EVIDENCE 256 /* bytes of a finding's evidence */

/* The limit.* rule that `count` records of a section break, RULE_NONE if none. */
wlk_rule image_count_limit(const wlk_limits *limits, wlk_section section, uint64_t count);

/* Are these the name, the values and the bytes of a block layout? */
bool block_kind_valid(const char *kind, uint64_t length);
bool block_geometry_valid(uint32_t elements, uint32_t bytes);

/* Are nbytes what `count` elements of this dtype and shape need? block is NULL
 * unless dtype is WLK_BLOCK. For str it is only the least that is possible: the
 * offsets say the rest. */
bool tensor_size_fits(wlk_dtype dtype, const uint64_t *shape, uint32_t rank, uint64_t count,
                      const block_record *block, uint64_t nbytes);

/* Is it a canonical type record, its element below `index`? Symbols are only
 * seen to be absent where they must be. */
bool type_form_valid(const type_record *type, uint32_t index);

/* Is it a tolerance: f64 bits of a finite number >= 0? */
bool tolerance_valid(uint64_t bits);

#endif

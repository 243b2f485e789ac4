/* Element types: sizes, and whether a payload's bytes are usable as them. */
#ifndef WLK_BASE_DTYPE_H
#define WLK_BASE_DTYPE_H

#include <weighlock/model.h>

/* Is `value` one of the dtypes of the table (not none)? */
bool dtype_known(uint32_t value);

/* *count = product of shape[0..rank); false on overflow or rank > 8. A zero
 * dimension is allowed; the others must not overflow without it either. */
bool shape_count(const uint64_t *shape, uint32_t rank, uint64_t *count);

/* *nbytes = the exact payload size of `count` elements; false on overflow and
 * for str and block, whose size does not follow from the count. */
bool dtype_nbytes(wlk_dtype dtype, uint64_t count, uint64_t *nbytes);

/* Is data[0..nbytes) a usable payload of `count` elements: bool bytes 0 or 1,
 * sub-byte padding zero, str offsets ascending within the payload and UTF-8?
 * Where not, *bad is the offset within the payload. nbytes has been checked
 * against dtype_nbytes by the caller (not for str). */
bool payload_valid(wlk_dtype dtype, uint64_t count, const uint8_t *data, uint64_t nbytes,
                   uint64_t *bad);

#endif

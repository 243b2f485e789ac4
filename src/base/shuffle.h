/* What compressed tensors of a .wlk file have in common for who writes and who reads them
 * (docs/format.md, section 4.6). */
#ifndef WLK_BASE_SHUFFLE_H
#define WLK_BASE_SHUFFLE_H

#include <stdint.h>

#include <weighlock/model.h>

#define PACKED_BLOCK_BYTES (1u << 20) /* of the plain payload; the last may be shorter */
#define PACKED_MIN_BYTES 512          /* a payload that is not longer stays raw */
#define PACKED_HEAD_BYTES 8           /* u64: length of the plain payload */
#define PACKED_LENGTH_BYTES 4         /* u32: length of a frame; one for each block */

/* Bytes of an element, which are moved apart: 1 where elements are not whole bytes, or have
 * no fixed size. */
uint32_t shuffle_width(wlk_dtype dtype);

/* Byte j of element i goes from i * width + j to j * (length / width) + i. What is behind the
 * last whole element stays where it is. from and to do not overlap. */
void shuffle(const uint8_t *from, uint8_t *to, uint64_t length, uint32_t width);

/* The way back. */
void unshuffle(const uint8_t *from, uint8_t *to, uint64_t length, uint32_t width);

#endif

/* The one way to look at untrusted bytes: a window with a position that never
 * passes its end. A read that does not fit fails and moves nothing. Offsets are
 * those of the whole artifact, so that an error can say where. */
#ifndef WLK_BASE_CURSOR_H
#define WLK_BASE_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

typedef struct cursor {
    const uint8_t *data; /* bytes [0, size) of the window */
    uint64_t size;
    uint64_t position; /* <= size */
    uint64_t base;     /* offset of data[0] in the artifact */
} cursor;

static inline cursor cursor_over(const uint8_t *data, uint64_t size, uint64_t base) {
    return (cursor){.data = data, .size = size, .position = 0, .base = base};
}
static inline uint64_t cursor_left(const cursor *c) {
    return c->size - c->position;
}
/* The artifact's offset of the next byte. */
static inline uint64_t cursor_offset(const cursor *c) {
    return c->base + c->position;
}
/* The next `length` bytes, in place, or NULL if there are fewer left. */
static inline const uint8_t *cursor_take(cursor *c, uint64_t length) {
    if (length > cursor_left(c)) return NULL;
    const uint8_t *bytes = c->data + c->position;
    c->position += length;
    return bytes;
}
static inline bool cursor_skip(cursor *c, uint64_t length) {
    return cursor_take(c, length) != NULL;
}
static inline bool cursor_u8(cursor *c, uint8_t *value) {
    const uint8_t *bytes = cursor_take(c, 1);
    if (bytes) *value = bytes[0];
    return bytes != NULL;
}
static inline bool cursor_peek_u8(const cursor *c, uint8_t *value) {
    if (cursor_left(c) == 0) return false;
    *value = c->data[c->position];
    return true;
}
static inline bool cursor_u16(cursor *c, uint16_t *value) {
    const uint8_t *bytes = cursor_take(c, 2);
    if (bytes) *value = load_u16(bytes);
    return bytes != NULL;
}
static inline bool cursor_u32(cursor *c, uint32_t *value) {
    const uint8_t *bytes = cursor_take(c, 4);
    if (bytes) *value = load_u32(bytes);
    return bytes != NULL;
}
static inline bool cursor_u64(cursor *c, uint64_t *value) {
    const uint8_t *bytes = cursor_take(c, 8);
    if (bytes) *value = load_u64(bytes);
    return bytes != NULL;
}
/* `length` bytes from here on as a window of their own; the position moves past
 * them. */
static inline bool cursor_slice(cursor *c, uint64_t length, cursor *slice) {
    const uint64_t offset = cursor_offset(c);
    const uint8_t *bytes = cursor_take(c, length);
    if (bytes) *slice = cursor_over(bytes, length, offset);
    return bytes != NULL;
}
/* All that is left, as a window of its own. */
static inline cursor cursor_rest(const cursor *c) {
    return cursor_over(c->data + c->position, cursor_left(c), cursor_offset(c));
}

#endif

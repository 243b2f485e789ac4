/* Memory: where the library takes it from, and how a caller gives it back.
 *
 * Buffers that the library hands out as the caller's own (wlk_write_memory) are
 * released with wlk_free. Everything else has a release function of its own.
 */
#ifndef WEIGHLOCK_MEMORY_H
#define WEIGHLOCK_MEMORY_H

#include <stddef.h>

#include <weighlock/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An allocator of the host's. Each function gets `context` back and may be called
 * from any thread that uses the library.
 *  - allocate: `size` bytes (never 0) aligned to `alignment`, a power of two; NULL
 *    if there are none.
 *  - resize: like realloc, for what allocate gave with the alignment of max_align_t
 *    or resize itself gave; `memory` may be NULL.
 *  - release: `memory` is not NULL.
 * Not asked: libsodium (locked memory of secret keys), msgpack-c and jansson
 * for what they need inside, and the kernel for mappings of large payloads. */
typedef struct wlk_allocator {
    void *context;
    void *(*allocate)(void *context, size_t size, size_t alignment);
    void *(*resize)(void *context, void *memory, size_t size);
    void (*release)(void *context, void *memory);
} wlk_allocator;

/* From now on the library takes memory from there; NULL: from malloc. To be called
 * before anything else of the library: what one allocator gave, another cannot take
 * back. The struct is copied. */
WLK_API void wlk_allocator_set(const wlk_allocator *allocator);

/* The allocator that was set; NULL: malloc. */
WLK_API const wlk_allocator *wlk_allocator_get(void);

/* Releases memory that the library handed out as the caller's. NULL is allowed. */
WLK_API void wlk_free(void *memory);

#ifdef __cplusplus
}
#endif
#endif

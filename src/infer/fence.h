/* Fences around the values of a run, in builds with AddressSanitizer: while a
 * node runs, only its own inputs, outputs and working memory may be touched.
 * Without them a kernel that reads past one value would find the next, for all
 * lie in one block. In other builds these do nothing. */
#ifndef WLK_INFER_FENCE_H
#define WLK_INFER_FENCE_H

#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#define FENCE_ACTIVE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FENCE_ACTIVE 1
#endif
#endif

#ifdef FENCE_ACTIVE
#include <sanitizer/asan_interface.h>

#define FENCES 1
static inline void fence_close(const void *data, size_t bytes) {
    __asan_poison_memory_region(data, bytes);
}
static inline void fence_open(const void *data, size_t bytes) {
    __asan_unpoison_memory_region(data, bytes);
}
#else
#define FENCES 0
static inline void fence_close(const void *data, size_t bytes) {
    (void)data;
    (void)bytes;
}
static inline void fence_open(const void *data, size_t bytes) {
    (void)data;
    (void)bytes;
}
#endif

#endif

/* Allocations that fail on purpose: each one once, and each one and all behind it. For
 * programs that count every place where memory is asked for.
 *
 * Two sources: the library, through the host's allocator (weighlock/memory.h), and all
 * others of the process (libc, msgpack-c, jansson, libsodium), whose malloc is defined
 * here. Under a sanitizer, which has a malloc of its own, of these only jansson is
 * reached. What libsodium keeps secrets in comes from mmap and is no point. */
#ifndef TESTS_FAULTS_ALLOC_POINTS_H
#define TESTS_FAULTS_ALLOC_POINTS_H

#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <weighlock/memory.h>

#include "support/sanitized.h"

enum { POINTS_LIBRARY = 1, POINTS_OTHERS = 2 };

static struct {
    int sources;       /* which are counted, and fail */
    long fail_at;      /* the first to fail, from 1 */
    bool for_good;     /* all behind it fail too */
    atomic_bool armed; /* now */
    atomic_long calls;
    atomic_long alive; /* blocks of all sources */
} points;

static inline void points_arm(int sources, long fail_at, bool for_good) {
    points.sources = sources;
    points.fail_at = fail_at;
    points.for_good = for_good;
    atomic_store(&points.calls, 0);
    atomic_store(&points.armed, true);
}

static inline void points_disarm(void) {
    atomic_store(&points.armed, false);
}

static inline bool point_fails(int source) {
    if (!atomic_load(&points.armed) || !(points.sources & source)) return false;
    const long call = atomic_fetch_add(&points.calls, 1) + 1;
    if (call != points.fail_at && !(points.for_good && call > points.fail_at)) return false;
    errno = ENOMEM;
    return true;
}

/* Did the one that was to fail come? */
static inline bool points_reached(void) {
    return atomic_load(&points.calls) >= points.fail_at;
}

static inline void *points_counted(void *memory) {
    if (memory) atomic_fetch_add(&points.alive, 1);
    return memory;
}

static inline void points_forgotten(const void *memory) {
    if (memory) atomic_fetch_sub(&points.alive, 1);
}

/* ---- where memory really comes from */

#if SANITIZED
#define real_malloc malloc
#define real_calloc calloc
#define real_realloc realloc
#define real_memalign aligned_alloc
#define real_free free
#else
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *memory);
#define real_malloc __libc_malloc
#define real_calloc __libc_calloc
#define real_realloc __libc_realloc
#define real_memalign __libc_memalign
#define real_free __libc_free

/* glibc lets a program define these, and calls them itself, as every library does. */
#pragma GCC visibility push(default)
void *malloc(size_t size) {
    return point_fails(POINTS_OTHERS) ? NULL : points_counted(real_malloc(size));
}

void *calloc(size_t count, size_t size) {
    return point_fails(POINTS_OTHERS) ? NULL : points_counted(real_calloc(count, size));
}

void *realloc(void *memory, size_t size) {
    if (point_fails(POINTS_OTHERS)) return NULL;
    void *moved = real_realloc(memory, size);
    return memory ? moved : points_counted(moved);
}

void *memalign(size_t alignment, size_t size) {
    return point_fails(POINTS_OTHERS) ? NULL : points_counted(real_memalign(alignment, size));
}

void *aligned_alloc(size_t alignment, size_t size) {
    return memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
    *memory = memalign(alignment, size);
    return *memory ? 0 : ENOMEM;
}

void free(void *memory) {
    points_forgotten(memory);
    real_free(memory);
}
#pragma GCC visibility pop
#endif

/* ---- the library's, and jansson's where nothing else reaches it */

static inline void *points_allocate(void *context, size_t size, size_t alignment) {
    (void)context;
    if (point_fails(POINTS_LIBRARY)) return NULL;
    const size_t padded = (size + alignment - 1) / alignment * alignment;
    return points_counted(alignment <= sizeof(max_align_t) ? real_malloc(size)
                                                           : real_memalign(alignment, padded));
}

static inline void *points_resize(void *context, void *memory, size_t size) {
    (void)context;
    if (point_fails(POINTS_LIBRARY)) return NULL;
    void *moved = real_realloc(memory, size);
    return memory ? moved : points_counted(moved);
}

static inline void points_release(void *context, void *memory) {
    (void)context;
    points_forgotten(memory);
    real_free(memory);
}

/* Of jansson.h, which has names that the command line tool has too. */
void json_set_alloc_funcs(void *(*allocate)(size_t size), void (*release)(void *memory));

static inline void *points_jansson_malloc(size_t size) {
    return point_fails(POINTS_OTHERS) ? NULL : points_counted(real_malloc(size));
}

static inline void points_jansson_free(void *memory) {
    points_forgotten(memory);
    real_free(memory);
}

/* To be called before anything of the library. */
static inline void points_set(void) {
    static const wlk_allocator counting = {NULL, points_allocate, points_resize, points_release};
    wlk_allocator_set(&counting);
    if (SANITIZED) json_set_alloc_funcs(points_jansson_malloc, points_jansson_free);
}

#endif

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

#include <weighlock/memory.h>

static void *plain_allocate(size_t size, size_t alignment) {
    if (alignment <= _Alignof(max_align_t)) return malloc(size);
    const size_t rest = size % alignment; /* aligned_alloc wants whole multiples */
    const size_t whole = rest ? size + (alignment - rest) : size;
    return whole < size ? NULL : aligned_alloc(alignment, whole);
}

void wlk_free(void *memory) {
    mem_free(memory);
}

void *mem_aligned(size_t alignment, size_t size) {
    const wlk_allocator *host = wlk_allocator_get();
    if (size == 0) size = 1;
    return host ? host->allocate(host->context, size, alignment) : plain_allocate(size, alignment);
}

void *mem_alloc(size_t size) {
    return mem_aligned(_Alignof(max_align_t), size);
}

void *mem_zeroed(size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) return NULL;
    /* calloc knows which pages are zero already. */
    if (!wlk_allocator_get()) return calloc(1, bytes ? bytes : 1);
    void *memory = mem_alloc(bytes);
    if (memory) memset(memory, 0, bytes);
    return memory;
}

void *mem_resize(void *memory, size_t size) {
    const wlk_allocator *host = wlk_allocator_get();
    if (size == 0) size = 1;
    return host ? host->resize(host->context, memory, size) : realloc(memory, size);
}

void *mem_resize_array(void *memory, size_t count, size_t size) {
    size_t bytes;
    return __builtin_mul_overflow(count, size, &bytes) ? NULL : mem_resize(memory, bytes);
}

char *mem_text_of(const char *text, size_t length) {
    const size_t used = strnlen(text, length);
    char *copy = mem_alloc(used + 1);
    if (!copy) return NULL;
    memcpy(copy, text, used);
    copy[used] = '\0';
    return copy;
}

char *mem_text(const char *text) {
    return mem_text_of(text, strlen(text));
}

void mem_free(void *memory) {
    const wlk_allocator *host = wlk_allocator_get();
    if (memory && host) host->release(host->context, memory);
    if (!host) free(memory);
}

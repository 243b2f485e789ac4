#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

#include <weighlock/memory.h>

static void *plain_allocate(void *context, size_t size, size_t alignment) {
    (void)context;
    if (alignment <= _Alignof(max_align_t)) return malloc(size);
    const size_t rest = size % alignment; /* aligned_alloc wants whole multiples */
    const size_t whole = rest ? size + (alignment - rest) : size;
    return whole < size ? NULL : aligned_alloc(alignment, whole);
}

static void *plain_resize(void *context, void *memory, size_t size) {
    (void)context;
    return realloc(memory, size);
}

static void plain_release(void *context, void *memory) {
    (void)context;
    free(memory);
}

static const wlk_allocator plain = {NULL, plain_allocate, plain_resize, plain_release};

/* The one thing of the library that is not constant: memory is asked for in places
 * that are handed nothing of the host's. Set once, before any thread reads it. */
static wlk_allocator current = {NULL, plain_allocate, plain_resize, plain_release};

void wlk_allocator_set(const wlk_allocator *allocator) {
    current = allocator ? *allocator : plain;
}

void wlk_free(void *memory) {
    mem_free(memory);
}

void *mem_aligned(size_t alignment, size_t size) {
    return current.allocate(current.context, size ? size : 1, alignment);
}

void *mem_alloc(size_t size) {
    return mem_aligned(_Alignof(max_align_t), size);
}

void *mem_zeroed(size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) return NULL;
    /* calloc knows which pages are zero already. */
    if (current.allocate == plain_allocate) return calloc(1, bytes ? bytes : 1);
    void *memory = mem_alloc(bytes);
    if (memory) memset(memory, 0, bytes);
    return memory;
}

void *mem_resize(void *memory, size_t size) {
    return current.resize(current.context, memory, size ? size : 1);
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
    if (memory) current.release(current.context, memory);
}

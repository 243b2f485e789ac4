/* Where all of the library's memory comes from: malloc, or what the host has set
 * (wlk_allocator_set). A size of 0 gives memory of one byte, so that NULL always
 * means that there is none. */
#ifndef WLK_BASE_MEMORY_H
#define WLK_BASE_MEMORY_H

#include <stddef.h>

/* `size` bytes; aligned for every type. */
void *mem_alloc(size_t size);
/* The same, zeroed: count * size bytes; NULL also if that overflows. */
void *mem_zeroed(size_t count, size_t size);
/* Aligned to a power of two. Cannot be resized. */
void *mem_aligned(size_t alignment, size_t size);
/* Like realloc; on failure `memory` stays what it was. */
void *mem_resize(void *memory, size_t size);
/* The same for count * size bytes; NULL also if that overflows. */
void *mem_resize_array(void *memory, size_t count, size_t size);
/* A copy of a string, or of at most `length` bytes of it. */
char *mem_text(const char *text);
char *mem_text_of(const char *text, size_t length);
/* NULL is allowed. */
void mem_free(void *memory);

#endif

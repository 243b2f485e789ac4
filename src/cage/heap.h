/* The child's only heap: malloc, calloc, realloc and free over one anonymous
 * reservation that is made before the filter. Page faults are not system calls,
 * so the confined child allocates without any; asking for more than the limit
 * is an ordinary NULL. Single-threaded, as the child is.
 */
#ifndef WLK_CAGE_HEAP_H
#define WLK_CAGE_HEAP_H

#include <stddef.h>

/* Reserves `bytes` of address space. 0, or errno. Until then the heap is the few
 * KiB that the C library's start-up needs. */
int heap_reserve(size_t bytes);

/* Does it give memory, refuse what is too much, and still work afterwards? */
int heap_check(void);

#endif

/* The memory of one execution: a stretch of addresses that is handed out once and never
 * again, with fences between, so that a sanitizer sees every step beyond a block and every
 * use of a released one, at a tenth of what its own allocator costs. */
#ifndef WEIGHLOCK_FUZZ_HEAP_H
#define WEIGHLOCK_FUZZ_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct fuzz_heap_count {
    uint64_t asked;   /* allocations and resizings */
    uint64_t held;    /* bytes now */
    uint64_t most;    /* bytes at once */
    uint64_t foreign; /* bytes at once that libraries asked malloc for; 0 where no sanitizer
                         counts them */
    bool failed;      /* the allocation that was to fail did */
} fuzz_heap_count;

/* Sets the heap as the library's allocator: once, before anything else. */
void heap_install(void);

/* Forgets everything that was handed out. Allocation number fail_at (from 1; 0: none) gives
 * NULL, and, if `sticky`, every later one too. What would hold more than `most` bytes at
 * once breaks invariant 7. */
void heap_begin(uint64_t fail_at, bool sticky, uint64_t most);

/* Since heap_begin. */
fuzz_heap_count heap_count(void);

/* Between executions, for who makes inputs with what is under test: memory is the system's, it
 * does not fail and is not counted. */
void heap_pause(void);
void heap_resume(void);

/* For a library that takes an allocator of its own and does not bear one that fails: the
 * same fences, counted as foreign. What is left over is forgotten with the execution. */
void *heap_lend(size_t size);
void heap_return(void *memory);

/* `size` bytes with a fence behind, 16-byte aligned; not counted. */
uint8_t *heap_input(const uint8_t *data, size_t size);

#endif

/* weighlock-child itself, with its own heap, in which one allocation fails, or one and
 * all behind it: the parsers', the builder's, msgpack-c's and libcap's. Which one is
 * said in limits that a child does not use (alloc_child.h). */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "faults/alloc_child.h"

/* ---- the heap, under other names */

#define malloc heap_malloc
#define calloc heap_calloc
#define realloc heap_realloc
#define aligned_alloc heap_aligned_alloc
static void *heap_malloc(size_t size);
static void *heap_calloc(size_t count, size_t size);
static void *heap_realloc(void *memory, size_t size);
static void *heap_aligned_alloc(size_t alignment, size_t size);
#include "cage/heap.c"
#undef malloc
#undef calloc
#undef realloc
#undef aligned_alloc

static uint64_t fail_at, so_far, how;

static bool starves(void) {
    if (fail_at == 0 || how & STARVED_NOT_YET) return false;
    so_far++;
    return so_far == fail_at || (how & STARVED_FOR_GOOD && so_far > fail_at);
}

void *malloc(size_t size) {
    return starves() ? NULL : heap_malloc(size);
}

void *calloc(size_t count, size_t size) {
    return starves() ? NULL : heap_calloc(count, size);
}

void *realloc(void *memory, size_t size) {
    return starves() ? NULL : heap_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    return starves() ? NULL : heap_aligned_alloc(alignment, size);
}

/* ---- the child, which takes what it is to do from its order */

#include "cage/channel.h"

static wlk_status starved_from(const wire_order *order, wlk_status status) {
    fail_at = order->limits.columns;
    how = order->limits.json_bytes;
    return status;
}

static bool starved_now(void) {
    how &= ~(uint64_t)STARVED_NOT_YET;
    return true;
}

#define channel_read_order(order, ...) starved_from(order, channel_read_order(order, __VA_ARGS__))
#define channel_wait_go(...) (channel_wait_go(__VA_ARGS__) && starved_now())
#include "cage/main.c"

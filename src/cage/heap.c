#include "cage/heap.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/huge.h"

/* Blocks are a 16-byte header and a payload whose size is one of the classes:
 * four a power of two, so at most a fifth of a block is lost. A freed block goes
 * to its class's list and is reused for that class only. The latest block can
 * grow in place, which is what a growing array does most. */

enum { ALIGN = 16, CLASSES = 4 * 64 };

/* Who needs more than this gets the rest in huge pages: clearing one takes as long as a
 * small model does. */
#define SMALL_PAGES ((size_t)4 << 20)

typedef struct block {
    size_t size;        /* of the payload */
    struct block *next; /* in a free list */
} block;
_Static_assert(sizeof(block) == ALIGN, "payloads are aligned");

/* glibc's static start-up allocates a few hundred bytes before main. */
static _Alignas(ALIGN) uint8_t before_main[16384];

static struct {
    uint8_t *next, *end; /* what was never handed out */
    size_t reserved;
    block *latest;
    block *free[CLASSES];
} heap = {
    .next = before_main, .end = before_main + sizeof before_main, .reserved = sizeof before_main};

int heap_reserve(size_t bytes) {
    uint8_t *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return errno;
    if (bytes > SMALL_PAGES) huge_advise(memory + SMALL_PAGES, bytes - SMALL_PAGES);
    heap.next = memory;
    heap.end = heap.next + bytes;
    heap.reserved = bytes;
    heap.latest = NULL; /* it lies elsewhere */
    return 0;
}

/* The class whose size is the smallest that holds `size` (16 .. 2^48). */
static unsigned class_of(size_t size, size_t *class_size) {
    const unsigned power = 63u - (unsigned)__builtin_clzll(size); /* 2^power <= size */
    const size_t step = ((size_t)1 << power) / 4;
    const size_t quarter = (size - ((size_t)1 << power) + step - 1) / step; /* 0..4 */
    *class_size = ((size_t)1 << power) + quarter * step;
    return power * 4 + (unsigned)quarter; /* quarter 4 is the next power's 0 */
}

static size_t rounded(size_t size, unsigned *list) {
    size_t class_size;
    *list = class_of(size < 64 ? 64 : size, &class_size);
    return class_size;
}

static block *block_of(void *memory) {
    return (block *)((uint8_t *)memory - sizeof(block));
}

static block *take_fresh(size_t size) {
    const size_t left = (size_t)(heap.end - heap.next);
    if (left < sizeof(block) || size > left - sizeof(block)) return NULL;
    block *fresh = (block *)(void *)heap.next;
    heap.next += sizeof(block) + size;
    fresh->size = size;
    heap.latest = fresh;
    return fresh;
}

/* *recycled: the memory has been used before. */
static void *allocate(size_t size, bool *recycled) {
    if (size > heap.reserved) {
        errno = ENOMEM;
        return NULL;
    }
    unsigned list;
    size = rounded(size, &list);
    block *taken = heap.free[list];
    *recycled = taken != NULL;
    if (taken) {
        heap.free[list] = taken->next;
    } else {
        taken = take_fresh(size);
    }
    if (!taken) errno = ENOMEM;
    return taken ? taken + 1 : NULL;
}

void *malloc(size_t size) {
    bool recycled;
    return allocate(size, &recycled);
}

void *calloc(size_t count, size_t size) {
    size_t total;
    bool recycled;
    if (__builtin_mul_overflow(count, size, &total)) {
        errno = ENOMEM;
        return NULL;
    }
    void *memory = allocate(total, &recycled);
    if (memory && recycled) memset(memory, 0, total); /* fresh pages are zero */
    return memory;
}

/* Nothing in the child asks for more than the heap's own alignment. */
void *aligned_alloc(size_t alignment, size_t size) {
    if (alignment <= ALIGN) return malloc(size);
    errno = ENOMEM;
    return NULL;
}

void free(void *memory) {
    if (!memory) return;
    block *freed = block_of(memory);
    unsigned list;
    (void)rounded(freed->size, &list);
    freed->next = heap.free[list];
    heap.free[list] = freed;
}

/* Lets the latest block grow where it lies. */
static bool grow_in_place(block *grown, size_t size) {
    unsigned list;
    if (grown != heap.latest || size > heap.reserved) return false;
    size = rounded(size, &list);
    const size_t more = size - grown->size;
    if (more > (size_t)(heap.end - heap.next)) return false;
    heap.next += more;
    grown->size = size;
    return true;
}

void *realloc(void *memory, size_t size) {
    if (!memory) return malloc(size);
    block *old = block_of(memory);
    if (size <= old->size || grow_in_place(old, size)) return memory;
    void *moved = malloc(size);
    if (!moved) return NULL;
    memcpy(moved, memory, old->size);
    free(memory);
    return moved;
}

int heap_check(void) {
    uint8_t *volatile small = malloc(100);
    void *volatile large = malloc(heap.reserved);
    uint8_t *volatile again = malloc(100);
    const bool holds = small && !large && again && again != small;
    free(small);
    free(again);
    return holds ? 0 : ENOMEM;
}

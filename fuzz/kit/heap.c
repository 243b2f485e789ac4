#include "kit/heap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <weighlock/memory.h>

#include "kit/kit.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#define FENCE(at, size) ASAN_POISON_MEMORY_REGION(at, size)
#define OPEN(at, size) ASAN_UNPOISON_MEMORY_REGION(at, size)
#elif __has_feature(memory_sanitizer)
#include <sanitizer/msan_interface.h>
#define FENCE(at, size) __msan_poison(at, size)
#define OPEN(at, size) __msan_poison(at, size)
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#define FENCE(at, size) ASAN_POISON_MEMORY_REGION(at, size)
#define OPEN(at, size) ASAN_UNPOISON_MEMORY_REGION(at, size)
#endif
#ifndef FENCE
#define FENCE(at, size) ((void)(at), (void)(size))
#define OPEN(at, size) ((void)(at), (void)(size))
#endif

#define HEAP_BYTES (1ull << 30) /* of addresses; pages are taken when they are used */
#define KEEP_BYTES (8u << 20)   /* what an execution used beyond it goes back to the system */
#define FENCE_BYTES 32
#define FENCE_AHEAD (1u << 20) /* fences are put up in large steps */

/* In front of each block. */
typedef struct block {
    uint64_t size;
    uint64_t held; /* HELD while it is the caller's */
} block;
#define HELD 0x68656c64626c6f63u
_Static_assert(sizeof(block) == 16, "blocks stay aligned");

/* What is under test takes its memory from here: a small quarantine does for the rest. */
const char *__asan_default_options(void);
__attribute__((visibility("default"))) const char *__asan_default_options(void) {
    return "quarantine_size_mb=8:max_malloc_fill_size=0:malloc_context_size=8";
}

static struct {
    uint8_t *start;
    uint64_t used;
    uint64_t fenced; /* so far everything is fenced that is not handed out */
    uint64_t fail_at;
    bool sticky;
    uint64_t limit;
    uint64_t foreign; /* that libraries hold now */
    fuzz_heap_count count;
} heap;

static bool fails(void) {
    heap.count.asked++;
    if (heap.fail_at == 0 || heap.count.asked < heap.fail_at) return false;
    if (heap.count.asked > heap.fail_at && !heap.sticky) return false;
    heap.count.failed = true;
    return true;
}

static void fence_to(uint64_t end) {
    if (end <= heap.fenced) return;
    FENCE(heap.start + heap.fenced, end + FENCE_AHEAD - heap.fenced);
    heap.fenced = end + FENCE_AHEAD;
}

/* Blocks begin at multiples of their alignment, behind a fence that holds their size. */
static uint8_t *take(uint64_t size, uint64_t alignment) {
    const uint64_t mask = alignment - 1;
    const uint64_t at = (heap.used + FENCE_BYTES + mask) & ~mask;
    if (size > HEAP_BYTES - KEEP_BYTES - at) return NULL;
    heap.used = at + size;
    fence_to(heap.used + FENCE_BYTES);
    OPEN(heap.start + at, size);
    return heap.start + at;
}

static block *block_of(void *memory) {
    return (block *)(void *)((uint8_t *)memory - sizeof(block));
}

static void *hand_out(uint64_t size, uint64_t alignment) {
    uint8_t *memory = take(size, alignment < 16 ? 16 : alignment);
    FUZZ_CHECK(7, memory != NULL);
    OPEN(memory - sizeof(block), sizeof(block));
    *block_of(memory) = (block){size, HELD};
    FENCE(memory - sizeof(block), sizeof(block));
    return memory;
}

/* Closes the block; its size. */
static uint64_t take_back(void *memory) {
    block *header = block_of(memory);
    OPEN(header, sizeof *header);
    FUZZ_CHECK(0, header->held == HELD); /* released twice, or never handed out */
    header->held = 0;
    const uint64_t size = header->size;
    FENCE(header, sizeof *header + size);
    return size;
}

static void *heap_allocate(void *context, size_t size, size_t alignment) {
    (void)context;
    if (fails()) return NULL;
    FUZZ_CHECK(7, size <= heap.limit && heap.count.held <= heap.limit - size);
    heap.count.held += size;
    if (heap.count.held > heap.count.most) heap.count.most = heap.count.held;
    return hand_out(size, alignment);
}

static void heap_release(void *context, void *memory) {
    (void)context;
    heap.count.held -= take_back(memory);
}

/* Always moves: who keeps the old address is found out. */
static void *heap_resize(void *context, void *memory, size_t size) {
    if (!memory) return heap_allocate(context, size, 16);
    OPEN(block_of(memory), sizeof(block));
    const uint64_t before = block_of(memory)->size;
    FENCE(block_of(memory), sizeof(block));
    void *moved = heap_allocate(context, size, 16);
    if (!moved) return NULL;
    memcpy(moved, memory, before < size ? before : size);
    heap_release(context, memory);
    return moved;
}

static void add_foreign(uint64_t size) {
    heap.foreign += size;
    if (heap.foreign > heap.count.foreign) heap.count.foreign = heap.foreign;
}

/* Libraries that ask malloc: a sanitizer tells of each call. */
int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void *, size_t),
                                              void (*)(const volatile void *))
    __attribute__((weak));
size_t __sanitizer_get_allocated_size(const volatile void *memory) __attribute__((weak));

/* The thread that runs targets. An engine's own threads ask malloc when they like. */
static _Thread_local bool counting;

static void count_foreign(const volatile void *memory, size_t size) {
    (void)memory;
    if (counting) add_foreign(size);
}
/* What was asked for before this execution is not counted when it goes. */
static void count_release(const volatile void *memory) {
    if (!counting) return;
    const size_t size = __sanitizer_get_allocated_size(memory);
    heap.foreign -= size < heap.foreign ? size : heap.foreign;
}

void *heap_lend(size_t size) {
    add_foreign(size);
    return hand_out(size, 16);
}

void heap_return(void *memory) {
    if (memory) heap.foreign -= take_back(memory);
}

void heap_install(void) {
    static const wlk_allocator allocator = {NULL, heap_allocate, heap_resize, heap_release};
    if (heap.start) return;
    void *start = mmap(NULL, HEAP_BYTES, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED) abort();
    heap.start = start;
    wlk_allocator_set(&allocator);
    if (__sanitizer_install_malloc_and_free_hooks) {
        (void)__sanitizer_install_malloc_and_free_hooks(count_foreign, count_release);
    }
}

void heap_begin(uint64_t fail_at, bool sticky, uint64_t most) {
    if (heap.used > KEEP_BYTES) {
        (void)madvise(heap.start + KEEP_BYTES, heap.used - KEEP_BYTES, MADV_DONTNEED);
    }
    FENCE(heap.start, heap.used + FENCE_BYTES);
    heap.used = 0;
    heap.fail_at = fail_at;
    heap.sticky = sticky;
    heap.limit = most;
    counting = true;
    heap.foreign = 0;
    heap.count = (fuzz_heap_count){0};
}

fuzz_heap_count heap_count(void) {
    return heap.count;
}

uint8_t *heap_input(const uint8_t *data, size_t size) {
    uint8_t *copy = take(size, 16);
    if (!copy) abort();
    if (size) memcpy(copy, data, size);
    return copy;
}

#include "kit/heap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <weighlock/memory.h>

#include "infer/fence.h"
#include "kit/kit.h"

#ifdef FENCE_ACTIVE
#define FENCE(at, size) fence_close(at, size)
#define OPEN(at, size) fence_open(at, size)
#elif defined(__has_feature)
#if __has_feature(memory_sanitizer)
#include <sanitizer/msan_interface.h>
#define FENCE(at, size) __msan_poison(at, size)
#define OPEN(at, size) __msan_poison(at, size)
#endif
#endif
#ifndef FENCE
#define FENCE(at, size) ((void)(at), (void)(size))
#define OPEN(at, size) ((void)(at), (void)(size))
#endif

#define HEAP_BYTES (1ull << 30) /* of addresses; pages are taken when they are used */
#define KEEP_BYTES (8u << 20)   /* what an execution used beyond it goes back to the system */
#define FENCE_BYTES 16
#define FENCE_AHEAD (1u << 20) /* fences are put up in large steps */

/* Blocks begin at multiples of this. */
#define UNIT_BYTES 16

/* What is under test takes its memory from here: a small quarantine does for the rest. */
const char *__asan_default_options(void);
__attribute__((visibility("default"))) const char *__asan_default_options(void) {
    return "quarantine_size_mb=8:max_malloc_fill_size=0:malloc_context_size=8";
}

/* sizes: of the block that begins at each unit, plus one; 0 where none is held. It is apart
 * from the blocks, behind no fence that would have to be opened for it. */
static struct {
    uint8_t *start;
    uint32_t *sizes;
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

/* Blocks begin at multiples of their alignment, behind a fence. */
static uint8_t *take(uint64_t size, uint64_t alignment) {
    const uint64_t mask = alignment - 1;
    const uint64_t at = (heap.used + FENCE_BYTES + mask) & ~mask;
    if (size > HEAP_BYTES - KEEP_BYTES - at) return NULL;
    heap.used = at + size;
    fence_to(heap.used + FENCE_BYTES);
    OPEN(heap.start + at, size);
    return heap.start + at;
}

static uint32_t *size_of(const void *memory) {
    const uint64_t at = (uint64_t)((uintptr_t)memory - (uintptr_t)heap.start);
    FUZZ_CHECK(0, at < heap.used && at % UNIT_BYTES == 0); /* it was never handed out */
    return &heap.sizes[at / UNIT_BYTES];
}

static void *hand_out(uint64_t size, uint64_t alignment) {
    uint8_t *memory = take(size, alignment < UNIT_BYTES ? UNIT_BYTES : alignment);
    FUZZ_CHECK(7, memory != NULL);
    *size_of(memory) = (uint32_t)size + 1;
    return memory;
}

/* Closes the block; its size. */
static uint64_t take_back(void *memory) {
    uint32_t *held = size_of(memory);
    FUZZ_CHECK(0, *held != 0); /* it was released twice */
    const uint64_t size = *held - 1;
    *held = 0;
    FENCE(memory, size);
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
static void *heap_change(void *context, void *memory, size_t size) {
    void *moved = heap_allocate(context, size, UNIT_BYTES);
    if (!moved || !memory) return moved;
    const uint64_t before = *size_of(memory) - 1;
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
    return hand_out(size ? size : 1, UNIT_BYTES);
}

void heap_return(void *memory) {
    if (memory) heap.foreign -= take_back(memory);
}

static void *reserve(uint64_t bytes) {
    void *start = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED) abort();
    return start;
}

static const wlk_allocator allocator = {NULL, heap_allocate, heap_change, heap_release};

void heap_pause(void) {
    counting = false;
    wlk_allocator_set(NULL);
}

void heap_resume(void) {
    if (heap.start) wlk_allocator_set(&allocator);
}

void heap_install(void) {
    if (heap.start) return;
    heap.start = reserve(HEAP_BYTES);
    heap.sizes = reserve(HEAP_BYTES / UNIT_BYTES * sizeof *heap.sizes);
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
    memset(heap.sizes, 0, (heap.used / UNIT_BYTES + 1) * sizeof *heap.sizes);
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

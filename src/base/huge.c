#include "base/huge.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

#define COLLAPSE 25 /* MADV_COLLAPSE, Linux 6.1 */

/* A multiple of HUGE_BYTES where so much is free; another thread may be faster, so it is
 * a wish and no more. */
static void *free_place(size_t size) {
    const size_t room = size + HUGE_BYTES;
    if (size < HUGE_BYTES || room < size) return NULL;
    uint8_t *found =
        mmap(NULL, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (found == MAP_FAILED) return NULL;
    (void)munmap(found, room);
    return found + -(uintptr_t)found % HUGE_BYTES;
}

void *huge_map(int fd, size_t size, int protection) {
    const int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE : MAP_PRIVATE;
    void *memory = mmap(free_place(size), size, protection, flags, fd, 0);
    if (memory != MAP_FAILED && fd < 0) (void)madvise(memory, size, MADV_HUGEPAGE);
    return memory;
}

void huge_advise(void *memory, size_t size) {
    uint8_t *first = (uint8_t *)memory + -(uintptr_t)memory % HUGE_BYTES;
    const size_t before = (size_t)(first - (uint8_t *)memory);
    if (size < before || size - before < HUGE_BYTES) return;
    (void)madvise(first, (size - before) / HUGE_BYTES * HUGE_BYTES, MADV_HUGEPAGE);
}

/* Gives the empty memfd, which is mapped at `memory`, its huge pages: they are made where there
 * is a page already. */
static bool fill_with_pages(int fd, void *memory, size_t size) {
    for (size_t at = 0; at < size; at += HUGE_BYTES) {
        if (pwrite(fd, "", 1, (off_t)at) != 1) return false;
    }
    return madvise(memory, size, COLLAPSE) == 0;
}

/* Straight to where it belongs: half the time of sendfile. */
static size_t read_bytes(int from, uint8_t *memory, size_t size) {
    size_t at = 0;
    while (at < size) {
        const ssize_t got = pread(from, memory + at, size - at, (off_t)at);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        at += (size_t)got;
    }
    return at;
}

uint64_t huge_copy(int from, int to, uint64_t size) {
    const size_t whole = size - size % HUGE_BYTES;
    size_t copied = 0;
    if (whole == 0 || ftruncate(to, (off_t)whole) != 0) return 0;
    void *memory = mmap(free_place(whole), whole, PROT_READ | PROT_WRITE, MAP_SHARED, to, 0);
    if (memory != MAP_FAILED) {
        if (fill_with_pages(to, memory, whole)) copied = read_bytes(from, memory, whole);
        (void)munmap(memory, whole);
    }
    return ftruncate(to, (off_t)copied) == 0 ? copied : 0;
}

/* Mappings that the kernel can make of huge pages (2 MiB on x86-64 and aarch64): of 30 MB
 * they take 15 page faults in the place of 7,000. All of this is best effort: where there
 * are no huge pages, or the memory is too scattered for them, the same bytes lie in small ones. */
#ifndef WLK_BASE_HUGE_H
#define WLK_BASE_HUGE_H

#include <stddef.h>
#include <stdint.h>

#define HUGE_BYTES ((size_t)2 << 20)

/* Bytes [0, size) of a file, private, at an address that is a multiple of HUGE_BYTES if
 * there are that many; fd -1: fresh memory. Release with munmap(memory, size). MAP_FAILED and
 * errno if there is no room. */
void *huge_map(int fd, size_t size, int protection);

/* Says that all of this memory, of whatever allocator, is about to be used for the first time. */
void huge_advise(void *memory, size_t size);

/* Copies the first bytes of a file into an empty memfd, as many as whole huge pages hold; its
 * end is where they end, and nobody has it mapped afterwards. How many: 0 where there are no huge
 * pages (and the memfd is as it was), fewer than there are room for if reading or memory fails.
 * `size` is the file's, and small enough for RLIMIT_FSIZE. */
uint64_t huge_copy(int from, int to, uint64_t size);

#endif

/* What every fuzz target shares: memory that is bounded, counted, fenced and can fail, and
 * oracles that name the invariant (docs/design.md, section 2) that does not hold.
 *
 * A target is one function over bytes. fuzz_run calls it once as it is, and, for one input
 * in four, once more with one of its allocations failing; which one comes from the input's
 * own bytes, so that a finding can be had again. */
#ifndef WEIGHLOCK_FUZZ_KIT_H
#define WEIGHLOCK_FUZZ_KIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weighlock/limits.h>
#include <weighlock/status.h>

#include "kit/structure.h"

/* What libFuzzer and AFL++ call, and kit/replay.c. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct fuzz_target {
    /* The code under test, once over the input; releases all that it took. data is a copy
     * of exactly `size` bytes, 16-byte aligned, with a fence behind it. The status and the
     * error are held against invariant 9, where the error's offset is at most `size` or
     * WLK_NO_OFFSET. What no input can make fail returns WLK_OK. */
    wlk_status (*run)(const uint8_t *data, size_t size, wlk_error *error);
    uint64_t memory;          /* bytes that may be held at once, whatever the input: plus */
    uint64_t memory_per_byte; /* so many for each byte of it (invariant 7) */
} fuzz_target;

/* One execution: runs, checks, runs again without memory. Returns 0. */
int fuzz_run(const fuzz_target *target, const uint8_t *data, size_t size);

/* The defaults, but for small memory and little work: a target that takes longer than the
 * rest is a slow target. */
const wlk_limits *fuzz_limits(void);

/* Says which invariant does not hold, and aborts. 0: a promise of a header's. */
#define FUZZ_CHECK(invariant, holds) \
    ((holds) ? (void)0 : fuzz_broken((invariant), #holds, __FILE__, __LINE__))
_Noreturn void fuzz_broken(int invariant, const char *what, const char *file, int line);

/* Numbers that follow from the input alone. */
uint64_t fuzz_hash(const uint8_t *data, size_t size);

#endif

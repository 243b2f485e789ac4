#include "kit/kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "kit/heap.h"

/* Of one input in four, an allocation fails. */
#define FAILING_SHARE 4

_Noreturn void fuzz_broken(int invariant, const char *what, const char *file, int line) {
    (void)fprintf(stderr, "fuzz: invariant %d does not hold: %s (%s:%d)\n", invariant, what, file,
                  line);
    abort();
}

uint64_t fuzz_hash(const uint8_t *data, size_t size) {
    uint64_t hash = size;
    size_t at = 0;
    for (; size - at >= 8; at += 8) {
        uint64_t word;
        memcpy(&word, data + at, sizeof word);
        hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 29;
    }
    for (; at < size; at++) hash = (hash ^ data[at]) * 0x100000001b3u;
    return hash ^ (hash >> 32);
}

const wlk_limits *fuzz_limits(void) {
    static wlk_limits limits;
    if (limits.file_bytes) return &limits;
    wlk_limits_default(&limits);
    limits.header_bytes = limits.image_bytes = limits.json_bytes = limits.input_bytes = 1u << 20;
    limits.output_bytes = 4u << 20;
    limits.run_bytes = 4u << 20;
    limits.run_operations = 4u << 20;
    limits.metadata_entries = 64; /* of which one byte of input can make one */
    return &limits;
}

/* Invariant 9: a refusal has a rule of that verdict, and a place within the input. */
static void check_error(wlk_status status, const wlk_error *error, size_t size) {
    if (status == WLK_OK) return;
    FUZZ_CHECK(9, error->status == status);
    FUZZ_CHECK(9, error->rule > RULE_NONE && error->rule < RULE_COUNT);
    FUZZ_CHECK(9, rule_status(error->rule) == status);
    FUZZ_CHECK(9, error->rule != RULE_INTERNAL_DEFECT);
    FUZZ_CHECK(9, error->offset == WLK_NO_OFFSET || error->offset <= size);
    FUZZ_CHECK(9, memchr(error->text, '\0', sizeof error->text) != NULL);
}

static uint64_t memory_bound(const fuzz_target *target, size_t size) {
    return target->memory + target->memory_per_byte * size;
}

static wlk_status run_once(const fuzz_target *target, const uint8_t *data, size_t size,
                           uint64_t fail_at, bool sticky, wlk_error *error) {
    heap_begin(fail_at, sticky, memory_bound(target, size));
    *error = (wlk_error){.offset = WLK_NO_OFFSET};
    const wlk_status status = target->run(heap_input(data, size), size, error);
    const fuzz_heap_count count = heap_count();
    FUZZ_CHECK(0, count.held == 0); /* released, whatever happened */
    FUZZ_CHECK(7, count.foreign <= memory_bound(target, size));
    check_error(status, error, size);
    return status;
}

/* What fails for want of memory says so, and nothing else (invariant 9). */
static void run_without_memory(const fuzz_target *target, const uint8_t *data, size_t size,
                               uint64_t hash, uint64_t asked) {
    wlk_error error;
    const uint64_t fail_at = 1 + hash / (2 * FAILING_SHARE) % asked;
    const bool sticky = hash / FAILING_SHARE % 2 != 0;
    const wlk_status status = run_once(target, data, size, fail_at, sticky, &error);
    FUZZ_CHECK(9, heap_count().failed);
    FUZZ_CHECK(9, status != WLK_OK);
    FUZZ_CHECK(9, error.rule == RULE_INTERNAL_MEMORY);
}

int fuzz_run(const fuzz_target *target, const uint8_t *data, size_t size) {
    wlk_error error;
    heap_install();
    const wlk_status status = run_once(target, data, size, 0, false, &error);
    FUZZ_CHECK(9, status == WLK_OK || error.rule != RULE_INTERNAL_MEMORY);
    const uint64_t asked = heap_count().asked, hash = fuzz_hash(data, size);
    if (asked > 0 && hash % FAILING_SHARE == 0) {
        run_without_memory(target, data, size, hash, asked);
    }
    return 0;
}

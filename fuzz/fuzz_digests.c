/* A digest table against data: the lowest chunk whose digest differs is found, with one
 * thread and with three. */
#include "kit/input_digests.h"
#include "kit/kit.h"

const fuzz_structure *const fuzz_input = &structure_bytes;

static wlk_status run(const uint8_t *data, size_t size, wlk_error *error) {
    static digests_sample s;
    uint64_t bad;
    (void)error;
    if (size < DIGESTS_FIXED_BYTES) return WLK_OK;
    digests_fill(&s, data, size);
    const uint64_t length = envelope_table_len(s.size, s.chunk_log2);
    const wlk_status status = digest_table(s.data, s.size, s.chunk_log2, 1, s.table);
    const bool known =
        s.chunk_log2 >= ENVELOPE_MIN_CHUNK_LOG2 && s.chunk_log2 <= ENVELOPE_MAX_CHUNK_LOG2;
    FUZZ_CHECK(0, status == (known ? WLK_OK : WLK_USAGE));
    if (!known) return WLK_OK;
    const uint64_t want = digests_change(&s, length, data, size);
    FUZZ_CHECK(0, digest_table_check(s.data, s.size, s.chunk_log2, 1, s.table, &bad) == WLK_OK);
    FUZZ_CHECK(2, bad == want);
    if (s.size < DIGESTS_SHARED_FROM) return WLK_OK;
    FUZZ_CHECK(0, digest_table_check(s.data, s.size, s.chunk_log2, 3, s.table, &bad) == WLK_OK);
    FUZZ_CHECK(2, bad == want);
    return WLK_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    return fuzz_run(&(fuzz_target){.run = run, .memory = 1u << 16}, data, size);
}

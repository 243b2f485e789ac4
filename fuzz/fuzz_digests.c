/* A digest table against data. The input: the chunk's size as its log2, two bytes how much
 * data, and what is changed in a table that is right; the data are the input, repeated. The
 * lowest chunk whose digest differs is found, with one thread and with three. */
#include <string.h>

#include "base/bytes.h"
#include "base/envelope.h"
#include "kit/kit.h"
#include "trust/digest.h"
#include "trust/wall.h"

const fuzz_structure *const fuzz_input = &structure_text;

#define FIXED_BYTES 3
#define MANY_SHARE 64       /* of so many inputs one has several chunks */
#define THREADS_SHARE 65536 /* and one so much data that threads share it */
#define SHARED_FROM (4u << 20)
#define MOST_BYTES (SHARED_FROM + (1u << 17))
#define MOST_CHUNKS ((MOST_BYTES >> ENVELOPE_MIN_CHUNK_LOG2) + 1)

typedef struct sample {
    const uint8_t *data;
    uint64_t size;
    uint8_t chunk_log2;
    uint8_t table[MOST_CHUNKS * DIGEST_BYTES];
} sample;

/* At the end of what is held, so that a sanitizer sees every step beyond it. */
static void fill(sample *s, const uint8_t *data, size_t size) {
    static uint8_t bytes[MOST_BYTES];
    fuzz_random random = {fuzz_hash(data, size)};
    s->size = load_u16(data + 1) % (size + 1);
    if (random_below(&random, MANY_SHARE) == 0) s->size = load_u16(data + 1) * 3ull;
    if (random_below(&random, THREADS_SHARE) == 0) s->size = MOST_BYTES - load_u16(data + 1);
    uint8_t *at = bytes + (sizeof bytes - s->size);
    memcpy(at, data, size < s->size ? size : s->size);
    for (uint64_t done = size; done < s->size; done *= 2) {
        memcpy(at + done, at, s->size - done < done ? s->size - done : done);
    }
    s->data = at;
    s->chunk_log2 = data[0];
}

/* Changes the table; returns the lowest chunk whose digest it changed. */
static uint64_t change(sample *s, uint64_t table_len, const uint8_t *changes, size_t count) {
    uint64_t lowest = table_len / DIGEST_BYTES;
    for (uint64_t i = count < table_len ? count : table_len; i-- > 0;) {
        s->table[i] ^= changes[i];
        if (changes[i] != 0) lowest = i / DIGEST_BYTES;
    }
    return wall_is_down() ? table_len / DIGEST_BYTES : lowest;
}

static wlk_status run(const uint8_t *data, size_t size, wlk_error *error) {
    static sample s;
    uint64_t bad;
    (void)error;
    if (size < FIXED_BYTES) return WLK_OK;
    fill(&s, data, size);
    const uint64_t length = envelope_table_len(s.size, s.chunk_log2);
    const wlk_status status = digest_table(s.data, s.size, s.chunk_log2, 1, s.table);
    const bool known =
        s.chunk_log2 >= ENVELOPE_MIN_CHUNK_LOG2 && s.chunk_log2 <= ENVELOPE_MAX_CHUNK_LOG2;
    FUZZ_CHECK(0, status == (known ? WLK_OK : WLK_USAGE));
    if (!known) return WLK_OK;
    const uint64_t want = change(&s, length, data + FIXED_BYTES, size - FIXED_BYTES);
    FUZZ_CHECK(0, digest_table_check(s.data, s.size, s.chunk_log2, 1, s.table, &bad) == WLK_OK);
    FUZZ_CHECK(2, bad == want);
    if (s.size < SHARED_FROM) return WLK_OK;
    FUZZ_CHECK(0, digest_table_check(s.data, s.size, s.chunk_log2, 3, s.table, &bad) == WLK_OK);
    FUZZ_CHECK(2, bad == want);
    return WLK_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    return fuzz_run(&(fuzz_target){.run = run, .memory = 1u << 16}, data, size);
}

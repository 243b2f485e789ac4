#include "kit/input_digests.h"

#include <string.h>

#include "base/bytes.h"
#include "kit/kit.h"
#include "trust/wall.h"

#define MANY_SHARE 64
#define THREADS_SHARE 65536

void digests_fill(digests_sample *s, const uint8_t *data, size_t size) {
    static uint8_t bytes[DIGESTS_MOST_BYTES];
    fuzz_random random = {fuzz_hash(data, size)};
    s->size = load_u16(data + 1) % (size + 1);
    if (random_below(&random, MANY_SHARE) == 0) s->size = load_u16(data + 1) * 3ull;
    if (random_below(&random, THREADS_SHARE) == 0)
        s->size = DIGESTS_MOST_BYTES - load_u16(data + 1);
    uint8_t *at = bytes + (sizeof bytes - s->size);
    memcpy(at, data, size < s->size ? size : s->size);
    for (uint64_t done = size; done < s->size; done *= 2) {
        memcpy(at + done, at, s->size - done < done ? s->size - done : done);
    }
    s->data = at;
    s->chunk_log2 = data[0];
}

uint64_t digests_change(digests_sample *s, uint64_t table_len, const uint8_t *data, size_t size) {
    const uint8_t *changes = data + DIGESTS_FIXED_BYTES;
    const size_t count = size - DIGESTS_FIXED_BYTES;
    uint64_t lowest = table_len / DIGEST_BYTES;
    for (uint64_t i = count < table_len ? count : table_len; i-- > 0;) {
        s->table[i] ^= changes[i];
        if (changes[i] != 0) lowest = i / DIGEST_BYTES;
    }
    return wall_is_down() ? table_len / DIGEST_BYTES : lowest;
}

/* libFuzzer's hooks: half of the changes know the input's structure, half are the engine's
 * own. With WEIGHLOCK_FUZZ_PLAIN in the environment all are, which shows what structure is
 * worth. */
#include <stdlib.h>
#include <string.h>

#include "kit/structure.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                                 uint8_t *out, size_t room, unsigned seed);

#define MIXED_SHARE 2

static int plain(void) {
    static int answer = -1;
    if (answer < 0) answer = getenv("WEIGHLOCK_FUZZ_PLAIN") != NULL;
    return answer;
}

size_t mutate_bytes(uint8_t *data, size_t size, size_t room, fuzz_random *random) {
    (void)random;
    return LLVMFuzzerMutate(data, size, room);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed) {
    fuzz_random random = {seed};
    if (plain() || random_below(&random, MIXED_SHARE) == 0) {
        return LLVMFuzzerMutate(data, size, room);
    }
    return fuzz_input->mutate(data, size, room, &random);
}

/* As bytes: the start of one and the end of the other. */
static size_t cross_bytes(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                          uint8_t *out, size_t room, fuzz_random *random) {
    size_t head = random_below(random, a_size + 1);
    size_t tail = random_below(random, b_size + 1);
    if (head > room) head = room;
    if (tail > room - head) tail = room - head;
    memcpy(out, a, head);
    memcpy(out + head, b + (b_size - tail), tail);
    return head + tail;
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                                 uint8_t *out, size_t room, unsigned seed) {
    fuzz_random random = {seed};
    if (plain() || !fuzz_input->cross) {
        return cross_bytes(a, a_size, b, b_size, out, room, &random);
    }
    return fuzz_input->cross(a, a_size, b, b_size, out, room, &random);
}

/* Changes of bytes, where there is no engine that has its own. */
#include <string.h>

#include "kit/structure.h"

#define MOST_CHANGES 4
#define MOST_PIECE 16

static size_t piece(fuzz_random *random, size_t left) {
    return random_below(random, left < MOST_PIECE ? left + 1 : MOST_PIECE);
}

/* One change: a bit, a byte, a cut, a repetition, a number at its edge. */
static size_t change(uint8_t *data, size_t size, size_t room, fuzz_random *random) {
    static const uint8_t edges[] = {0, 1, 0x7f, 0x80, 0xff, '\n', '\r', ' ', '='};
    const size_t at = random_below(random, size);
    size_t length;
    switch (random_below(random, 6)) {
        case 0:
            if (size) data[at] ^= (uint8_t)(1u << random_below(random, 8));
            return size;
        case 1:
            if (size) data[at] = (uint8_t)random_next(random);
            return size;
        case 2:
            if (size) data[at] = edges[random_below(random, sizeof edges)];
            return size;
        case 3: /* cut the end off */
            return random_below(random, size + 1);
        case 4: /* cut a piece out */
            length = piece(random, size - at);
            memmove(data + at, data + at + length, size - at - length);
            return size - length;
        default: /* say a piece twice */
            length = piece(random, size - at);
            if (length > room - size) length = room - size;
            memmove(data + at + length, data + at, size - at);
            return size + length;
    }
}

size_t mutate_bytes(uint8_t *data, size_t size, size_t room, fuzz_random *random) {
    const size_t changes = 1 + random_below(random, MOST_CHANGES);
    for (size_t i = 0; i < changes; i++) size = change(data, size, room, random);
    return size;
}

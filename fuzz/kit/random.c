#include "kit/structure.h"

uint64_t random_next(fuzz_random *random) {
    uint64_t z = (random->state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

size_t random_below(fuzz_random *random, size_t bound) {
    return bound ? (size_t)(random_next(random) % bound) : 0;
}

uint64_t random_edge(fuzz_random *random) {
    const uint64_t power = 1ull << random_below(random, 64);
    switch (random_below(random, 8)) {
        case 0:
            return 0;
        case 1:
            return random_below(random, 256);
        case 2:
            return power;
        case 3:
            return power - 1;
        case 4:
            return power + 1;
        case 5:
            return 0 - power; /* far above every length */
        case 6:
            return UINT64_MAX - random_below(random, 64);
        default:
            return random_next(random);
    }
}

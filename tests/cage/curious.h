/* What child_curious may find, as its exit code, and the secret it looks for. */
#ifndef TESTS_CAGE_CURIOUS_H
#define TESTS_CAGE_CURIOUS_H

#include <stdint.h>

#define CURIOUS_SECRET_BYTES 32

/* Byte i of what the parent holds in its memory. */
static inline uint8_t curious_secret(unsigned i) {
    return (uint8_t)(i * i * 31 + i * 7 + 0xa5);
}

enum curious {
    CURIOUS_NOTHING = 42,
    CURIOUS_ARGUMENTS = 100,
    CURIOUS_ENVIRONMENT,
    CURIOUS_DESCRIPTORS,
    CURIOUS_DIRECTION,
    CURIOUS_SEALS,
    CURIOUS_BLIND, /* the search does not find what is there */
    CURIOUS_SECRET,
    CURIOUS_ORDER,
    CURIOUS_CAGE,
    CURIOUS_SIGNALS,
    CURIOUS_FOLDER,
    CURIOUS_DESCRIPTORS_LATER,
    CURIOUS_FILES,
    CURIOUS_NETWORK,
    CURIOUS_PROCESSES,
    CURIOUS_PRIVILEGES
};

#endif

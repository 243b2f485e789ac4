/* Which call of the lock-down child_faulty lets fail. It travels in limits.columns, which
 * the child has no use for, and the call's number in limits.json_bytes. */
#ifndef TESTS_CAGE_FAULTY_H
#define TESTS_CAGE_FAULTY_H

#include <stdint.h>

#include "wire/frame.h"

enum fault_phase {
    FAULT_APPLY,
    FAULT_VERIFY,
    FAULT_NOWHERE, /* nothing fails, but the artifact cannot be read */
};

/* The layer's part made fewer calls than that. */
enum { FAULT_NOT_REACHED = 60 };

static inline uint32_t fault_code(enum fault_phase phase, uint32_t layer, int reason) {
    return (uint32_t)phase << 16 | layer << 8 | (uint32_t)reason;
}

static inline enum fault_phase fault_phase_of(uint64_t code) {
    return (enum fault_phase)(code >> 16);
}

static inline uint32_t fault_layer_of(uint64_t code) {
    return code >> 8 & 0xff;
}

static inline int fault_reason_of(uint64_t code) {
    return code & 0xff;
}

#endif

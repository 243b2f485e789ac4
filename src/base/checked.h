/* Size arithmetic that cannot wrap. Every sum or product of numbers that an
 * artifact, a peer or a user chose goes through here. */
#ifndef WLK_BASE_CHECKED_H
#define WLK_BASE_CHECKED_H

#include <stdbool.h>
#include <stdint.h>

/* *out = a + b; false, and *out untouched, if that does not fit. */
static inline bool checked_add(uint64_t a, uint64_t b, uint64_t *out) {
    uint64_t sum;
    if (__builtin_add_overflow(a, b, &sum)) return false;
    *out = sum;
    return true;
}

/* *out = a * b; false, and *out untouched, if that does not fit. */
static inline bool checked_mul(uint64_t a, uint64_t b, uint64_t *out) {
    uint64_t product;
    if (__builtin_mul_overflow(a, b, &product)) return false;
    *out = product;
    return true;
}

/* *out = value rounded up to a multiple of `unit`, a power of two. */
static inline bool checked_align(uint64_t value, uint64_t unit, uint64_t *out) {
    uint64_t sum;
    if (__builtin_add_overflow(value, unit - 1, &sum)) return false;
    *out = sum & ~(unit - 1);
    return true;
}

/* Is [offset, offset + length) inside [0, size)? */
static inline bool range_within(uint64_t offset, uint64_t length, uint64_t size) {
    return offset <= size && length <= size - offset;
}

#endif

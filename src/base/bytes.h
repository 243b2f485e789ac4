/* Little-endian loads and stores at unaligned addresses. */
#ifndef WLK_BASE_BYTES_H
#define WLK_BASE_BYTES_H

#include <stdint.h>
#include <string.h>

/* Images, frames and tensors are little-endian in memory as on disk: records
 * are used where they lie. A big-endian port would convert in this file. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "little-endian hosts only");

static inline uint16_t load_u16(const void *at) {
    uint16_t value;
    memcpy(&value, at, sizeof value);
    return value;
}
static inline uint32_t load_u32(const void *at) {
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}
static inline uint64_t load_u64(const void *at) {
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}
static inline double load_f64(const void *at) {
    double value;
    memcpy(&value, at, sizeof value);
    return value;
}
static inline void store_u16(void *at, uint16_t value) {
    memcpy(at, &value, sizeof value);
}
static inline void store_u32(void *at, uint32_t value) {
    memcpy(at, &value, sizeof value);
}
static inline void store_u64(void *at, uint64_t value) {
    memcpy(at, &value, sizeof value);
}
/* How many zeros data[0..length) begins with; eight are looked at in one step. */
static inline uint64_t zeros_before(const uint8_t *data, uint64_t length) {
    uint64_t at = 0;
    while (length - at >= 8 && load_u64(data + at) == 0) at += 8;
    while (at < length && data[at] == 0) at++;
    return at;
}
static inline uint64_t f64_bits(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}
static inline double f64_from_bits(uint64_t bits) {
    return load_f64(&bits);
}

#endif

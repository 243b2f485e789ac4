/* msgpack as the format has it: msgpack-c's packer into a growing buffer. It
 * writes the shortest form of every integer, length and count, floats as 64 bits
 * (tests/write/test_pack.c). */
#ifndef WLK_WRITE_PACK_H
#define WLK_WRITE_PACK_H

#include <msgpack.h>
#include <stdbool.h>
#include <string.h>

/* `failed` says that there was no memory; it sticks. */
typedef struct packer {
    msgpack_sbuffer buffer;
    bool failed;
} packer;

static inline msgpack_packer packer_of(packer *p) {
    msgpack_packer pk;
    msgpack_packer_init(&pk, &p->buffer, msgpack_sbuffer_write);
    return pk;
}
static inline void pack_map(packer *p, uint32_t count) {
    msgpack_packer pk = packer_of(p);
    p->failed |= msgpack_pack_map(&pk, count) != 0;
}
static inline void pack_array(packer *p, uint32_t count) {
    msgpack_packer pk = packer_of(p);
    p->failed |= msgpack_pack_array(&pk, count) != 0;
}
static inline void pack_text(packer *p, const char *text) {
    msgpack_packer pk = packer_of(p);
    p->failed |= msgpack_pack_str_with_body(&pk, text, strlen(text)) != 0;
}
static inline void pack_int(packer *p, int64_t value) {
    msgpack_packer pk = packer_of(p);
    p->failed |= msgpack_pack_int64(&pk, value) != 0;
}
static inline void pack_uint(packer *p, uint64_t value) {
    msgpack_packer pk = packer_of(p);
    p->failed |= msgpack_pack_uint64(&pk, value) != 0;
}
static inline void pack_float(packer *p, double value) {
    msgpack_packer pk = packer_of(p);
    p->failed |= msgpack_pack_double(&pk, value) != 0;
}
static inline void pack_bool(packer *p, bool value) {
    msgpack_packer pk = packer_of(p);
    p->failed |= (value ? msgpack_pack_true(&pk) : msgpack_pack_false(&pk)) != 0;
}
static inline void pack_nil(packer *p) {
    msgpack_packer pk = packer_of(p);
    p->failed |= msgpack_pack_nil(&pk) != 0;
}

#endif

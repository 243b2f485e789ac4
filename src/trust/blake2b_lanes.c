#include "trust/blake2b_lanes.h"

#include <stdbool.h>
#include <string.h>

/* What becomes part of each version of the kernel (at the end of this file). */
#define PART __attribute__((always_inline)) static inline

#define BLOCK_BYTES 128
#define WORDS 16 /* of a block, and of the state that is mixed */
#define ROUNDS 12
#define FIRST_WORD 0x01010020 /* one leaf, no key, a digest of 32 bytes */

/* A word of each message. */
typedef uint64_t lanes __attribute__((vector_size(8 * BLAKE2B_LANES)));
typedef uint8_t lane_bytes __attribute__((vector_size(8 * BLAKE2B_LANES)));

static const uint64_t iv[8] = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b,
                               0xa54ff53a5f1d36f1, 0x510e527fade682d1, 0x9b05688c2b3e6c1f,
                               0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};

static const uint8_t sigma[10][WORDS] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
    {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
    {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
    {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
    {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

/* Four messages on their way. */
typedef struct hashing {
    lanes chain[8];
    lanes block[WORDS]; /* the one that comes next, of each */
    lanes counted;      /* bytes up to its end */
    lanes last;         /* all bits where it is the last */
} hashing;

/* ---- one block of each */

/* Rotations to the right: by whole bytes one instruction does. */
#define BYTES_FROM(a, b, c, d, e, f, g, h)                                                      \
    a, b, c, d, e, f, g, h, 8 + a, 8 + b, 8 + c, 8 + d, 8 + e, 8 + f, 8 + g, 8 + h, 16 + a,     \
        16 + b, 16 + c, 16 + d, 16 + e, 16 + f, 16 + g, 16 + h, 24 + a, 24 + b, 24 + c, 24 + d, \
        24 + e, 24 + f, 24 + g, 24 + h
#define ROTATE_BYTES(x, ...) \
    ((lanes)__builtin_shufflevector((lane_bytes)(x), (lane_bytes)(x), BYTES_FROM(__VA_ARGS__)))
#define ROTATE_32(x) ROTATE_BYTES(x, 4, 5, 6, 7, 0, 1, 2, 3)
#define ROTATE_24(x) ROTATE_BYTES(x, 3, 4, 5, 6, 7, 0, 1, 2)
#define ROTATE_16(x) ROTATE_BYTES(x, 2, 3, 4, 5, 6, 7, 0, 1)
#define ROTATE_63(x) ((x) >> 63 | (x) << 1)

#define MIX(a, b, c, d, x, y)          \
    do {                               \
        v[a] = v[a] + (x) + v[b];      \
        v[d] = ROTATE_32(v[d] ^ v[a]); \
        v[c] += v[d];                  \
        v[b] = ROTATE_24(v[b] ^ v[c]); \
        v[a] = v[a] + (y) + v[b];      \
        v[d] = ROTATE_16(v[d] ^ v[a]); \
        v[c] += v[d];                  \
        v[b] = ROTATE_63(v[b] ^ v[c]); \
    } while (0)

PART void compress(hashing *h) {
    lanes v[WORDS];
    for (unsigned i = 0; i < 8; i++) {
        v[i] = h->chain[i];
        v[i + 8] = (lanes){0} + iv[i];
    }
    v[12] ^= h->counted;
    v[14] ^= h->last;
    for (unsigned round = 0; round < ROUNDS; round++) {
        const uint8_t *s = sigma[round % 10];
        const lanes *m = h->block;
        MIX(0, 4, 8, 12, m[s[0]], m[s[1]]);
        MIX(1, 5, 9, 13, m[s[2]], m[s[3]]);
        MIX(2, 6, 10, 14, m[s[4]], m[s[5]]);
        MIX(3, 7, 11, 15, m[s[6]], m[s[7]]);
        MIX(0, 5, 10, 15, m[s[8]], m[s[9]]);
        MIX(1, 6, 11, 12, m[s[10]], m[s[11]]);
        MIX(2, 7, 8, 13, m[s[12]], m[s[13]]);
        MIX(3, 4, 9, 14, m[s[14]], m[s[15]]);
    }
    for (unsigned i = 0; i < 8; i++) h->chain[i] ^= v[i] ^ v[i + 8];
}

/* ---- what comes next */

/* Words of four messages become four of one place each. Words are little-endian, as the
 * processor is. */
PART void take_block(hashing *h, const uint8_t *const at[BLAKE2B_LANES]) {
    for (unsigned i = 0; i < WORDS; i += BLAKE2B_LANES) {
        lanes row[BLAKE2B_LANES];
        for (unsigned k = 0; k < BLAKE2B_LANES; k++) {
            memcpy(&row[k], at[k] + sizeof(uint64_t) * i, sizeof row[k]);
        }
        const lanes low01 = __builtin_shufflevector(row[0], row[1], 0, 4, 2, 6);
        const lanes high01 = __builtin_shufflevector(row[0], row[1], 1, 5, 3, 7);
        const lanes low23 = __builtin_shufflevector(row[2], row[3], 0, 4, 2, 6);
        const lanes high23 = __builtin_shufflevector(row[2], row[3], 1, 5, 3, 7);
        h->block[i] = __builtin_shufflevector(low01, low23, 0, 1, 4, 5);
        h->block[i + 1] = __builtin_shufflevector(high01, high23, 0, 1, 4, 5);
        h->block[i + 2] = __builtin_shufflevector(low01, low23, 2, 3, 6, 7);
        h->block[i + 3] = __builtin_shufflevector(high01, high23, 2, 3, 6, 7);
    }
}

static uint64_t last_block(const blake2b_message *message) {
    return (message->size - 1) / BLOCK_BYTES;
}

/* A block that is the last of some messages, and for some comes after it: those have their
 * digests already, and anything will do. */
PART void end_some(hashing *h, const blake2b_message messages[BLAKE2B_LANES], uint64_t block,
                   uint8_t digests[BLAKE2B_LANES][BLAKE2B_DIGEST_BYTES]) {
    uint8_t padded[BLAKE2B_LANES][BLOCK_BYTES] = {{0}};
    const uint8_t *at[BLAKE2B_LANES];
    for (unsigned k = 0; k < BLAKE2B_LANES; k++) {
        const uint64_t from = block * BLOCK_BYTES;
        const uint64_t size = messages[k].size;
        const bool more = block < last_block(&messages[k]);
        at[k] = more ? messages[k].data + from : padded[k];
        if (!more && from < size) memcpy(padded[k], messages[k].data + from, size - from);
        h->counted[k] = more ? from + BLOCK_BYTES : size;
        h->last[k] = more ? 0 : UINT64_MAX;
    }
    take_block(h, at);
    compress(h);
    for (unsigned k = 0; k < BLAKE2B_LANES; k++) {
        for (unsigned i = 0; block == last_block(&messages[k]) && i < 4; i++) {
            const uint64_t word = h->chain[i][k];
            memcpy(digests[k] + sizeof word * i, &word, sizeof word);
        }
    }
}

PART void hash_lanes(const blake2b_message messages[BLAKE2B_LANES],
                     uint8_t digests[BLAKE2B_LANES][BLAKE2B_DIGEST_BYTES]) {
    hashing h = {.block = {{0}}};
    const uint8_t *at[BLAKE2B_LANES];
    uint64_t shortest = UINT64_MAX, longest = 0;
    for (unsigned i = 0; i < 8; i++) h.chain[i] += i == 0 ? iv[0] ^ FIRST_WORD : iv[i];
    for (unsigned k = 0; k < BLAKE2B_LANES; k++) {
        const uint64_t blocks = last_block(&messages[k]);
        at[k] = messages[k].data;
        shortest = blocks < shortest ? blocks : shortest;
        longest = blocks > longest ? blocks : longest;
    }
    for (uint64_t block = 0; block < shortest; block++) {
        take_block(&h, at);
        h.counted += BLOCK_BYTES;
        compress(&h);
        for (unsigned k = 0; k < BLAKE2B_LANES; k++) at[k] += BLOCK_BYTES;
    }
    for (uint64_t block = shortest; block <= longest; block++) {
        end_some(&h, messages, block, digests);
    }
}

/* ---- versions: with AVX-512 there are twice the registers, and any rotation is one instruction */

static void hash_base(const blake2b_message messages[BLAKE2B_LANES],
                      uint8_t digests[BLAKE2B_LANES][BLAKE2B_DIGEST_BYTES]) {
    hash_lanes(messages, digests);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void hash_avx2(
    const blake2b_message messages[BLAKE2B_LANES],
    uint8_t digests[BLAKE2B_LANES][BLAKE2B_DIGEST_BYTES]) {
    hash_lanes(messages, digests);
}

__attribute__((target("avx2,avx512f,avx512vl"))) static void hash_avx512(
    const blake2b_message messages[BLAKE2B_LANES],
    uint8_t digests[BLAKE2B_LANES][BLAKE2B_DIGEST_BYTES]) {
    hash_lanes(messages, digests);
}
#endif

typedef void hash_version(const blake2b_message messages[BLAKE2B_LANES],
                          uint8_t digests[BLAKE2B_LANES][BLAKE2B_DIGEST_BYTES]);

#if defined(__x86_64__)
static hash_version *const versions[] = {hash_base, hash_avx2, hash_avx512};
#else
static hash_version *const versions[] = {hash_base};
#endif

unsigned blake2b_lanes_best(void) {
#if defined(__x86_64__)
    return 0u + (__builtin_cpu_supports("avx2") != 0) + (__builtin_cpu_supports("avx512vl") != 0);
#else
    return 0;
#endif
}

void blake2b_lanes(unsigned version, const blake2b_message messages[BLAKE2B_LANES],
                   uint8_t digests[BLAKE2B_LANES][BLAKE2B_DIGEST_BYTES]) {
    versions[version](messages, digests);
}

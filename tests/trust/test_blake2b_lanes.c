/* Four messages at once have the digests that libsodium gives each. */
#include "support.h"

#include <stdbool.h>

#include "trust/blake2b_lanes.h"

/* Sizes about the ends of blocks, and far apart. */
static const uint64_t sizes[] = {1,   2,   63,  64,  127, 128,  129,  255,
                                 256, 257, 383, 384, 385, 1000, 4096, 65537};
#define SIZES (sizeof sizes / sizeof *sizes)

static uint8_t data[70000];

/* Of each version that runs here. */
static void compare(const blake2b_message messages[BLAKE2B_LANES]) {
    uint8_t digests[BLAKE2B_LANES][BLAKE2B_DIGEST_BYTES];
    uint8_t want[BLAKE2B_LANES][BLAKE2B_DIGEST_BYTES];
    for (unsigned k = 0; k < BLAKE2B_LANES; k++) {
        (void)crypto_generichash(want[k], sizeof want[k], messages[k].data, messages[k].size, NULL,
                                 0);
    }
    for (unsigned version = 0; version <= blake2b_lanes_best(); version++) {
        memset(digests, 0xee, sizeof digests);
        blake2b_lanes(version, messages, digests);
        assert_memory_equal(digests, want, sizeof want);
    }
}

/* Every size in every lane beside every other size; at addresses of any alignment. */
static void test_sizes(void **state) {
    (void)state;
    for (unsigned i = 0; i < SIZES * SIZES * BLAKE2B_LANES; i++) {
        blake2b_message messages[BLAKE2B_LANES];
        for (unsigned k = 0; k < BLAKE2B_LANES; k++) {
            messages[k] = (blake2b_message){data + (i + k) % 300, sizes[i % SIZES]};
        }
        messages[i % BLAKE2B_LANES].size = sizes[i / SIZES % SIZES];
        compare(messages);
    }
}

/* Four sizes that have nothing to do with each other. */
static void test_mixed_sizes(void **state) {
    (void)state;
    for (unsigned i = 0; i < 500; i++) {
        blake2b_message messages[BLAKE2B_LANES];
        for (unsigned k = 0; k < BLAKE2B_LANES; k++) {
            const unsigned noise = (i * BLAKE2B_LANES + k + 1) * 2654435761u;
            const uint64_t size = 1 + (noise >> 8) % (i % 2 ? 700 : 20000);
            messages[k] = (blake2b_message){data + noise % 40000, size};
        }
        compare(messages);
    }
}

/* A changed bit anywhere changes the digest of its lane, and of no other. */
static void test_lanes_do_not_mix(void **state) {
    (void)state;
    uint8_t digests[2][BLAKE2B_LANES][BLAKE2B_DIGEST_BYTES];
    blake2b_message messages[BLAKE2B_LANES];
    for (unsigned k = 0; k < BLAKE2B_LANES; k++) {
        messages[k] = (blake2b_message){data + 1000 * (size_t)k, 1000 - k};
    }
    for (unsigned at = 0; at < 3997; at += 37) {
        blake2b_lanes(blake2b_lanes_best(), messages, digests[0]);
        data[at] ^= 0x10;
        blake2b_lanes(blake2b_lanes_best(), messages, digests[1]);
        for (unsigned k = 0; k < BLAKE2B_LANES; k++) {
            const bool same = memcmp(digests[0][k], digests[1][k], BLAKE2B_DIGEST_BYTES) == 0;
            const bool inside = at / 1000 == k && at % 1000 < 1000 - k;
            assert_int_equal(same, !inside);
        }
    }
}

int main(void) {
    if (sodium_init() < 0) return 1;
    fill_noise(data, sizeof data, 5);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_mixed_sizes),
        cmocka_unit_test(test_lanes_do_not_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

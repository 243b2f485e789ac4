/* The key that test files are signed with: what is published cannot vouch for anything.
 * Its seed is 32 bytes of 01, its number 8 bytes of 01; fuzz/seeds has its public key. */
#ifndef WEIGHLOCK_FUZZ_TEST_KEY_H
#define WEIGHLOCK_FUZZ_TEST_KEY_H

#include <stdlib.h>

#include <weighlock/trust.h>

#include "trust/secret_key.h"

#define TEST_KEY_NAME "test"
#define TEST_KEY_8_ONES 1, 1, 1, 1, 1, 1, 1, 1
#define TEST_KEY_PUBLIC                                                                           \
    0x8a, 0x88, 0xe3, 0xdd, 0x74, 0x09, 0xf1, 0x95, 0xfd, 0x52, 0xdb, 0x2d, 0x3c, 0xba, 0x5d,     \
        0x72, 0xca, 0x67, 0x09, 0xbf, 0x1d, 0x94, 0x12, 0x1b, 0xf3, 0x74, 0x88, 0x01, 0xb4, 0x0f, \
        0x6f, 0x5c

static const wlk_secret_key test_key = {
    .id = {TEST_KEY_8_ONES},
    .key = {TEST_KEY_8_ONES, TEST_KEY_8_ONES, TEST_KEY_8_ONES, TEST_KEY_8_ONES, TEST_KEY_PUBLIC},
};

/* A trust set that holds this key alone. Made once for the process, which keeps it: to be
 * called before fuzz_run, whose heap forgets what it gave. */
static inline const wlk_trust *test_trust(void) {
    static const wlk_public_key key = {.id = {TEST_KEY_8_ONES}, .key = {TEST_KEY_PUBLIC}};
    static wlk_trust *trust;
    if (!trust && (wlk_trust_new(&trust, NULL) != WLK_OK ||
                   wlk_trust_add(trust, &key, TEST_KEY_NAME, NULL) != WLK_OK)) {
        abort();
    }
    return trust;
}

#endif

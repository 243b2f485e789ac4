#include "trust/file_digest.h"

#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "trust/wall.h"

_Static_assert(crypto_hash_sha256_BYTES == 32, "FIPS 180-4");
_Static_assert(WLK_DIGEST_BYTES >= crypto_generichash_blake2b_BYTES_MAX, "BLAKE2b-512");

/* Below this, starting a thread costs more than it saves. */
#define HELPED_FROM (1u << 20)
/* So much at a time goes through all digests, while it is in the cache. */
#define STEP_BYTES (64u << 10)

typedef struct digest_row {
    wlk_digest_kind kind;
    uint32_t length;
    const char *name;
} digest_row;

static const digest_row rows[FILE_DIGEST_COUNT] = {
    [FILE_SHA256] = {WLK_SHA256, 32, "SHA-256"},
    [FILE_BLAKE2B_256] = {WLK_BLAKE2B, 32, "BLAKE2b-256"},
    [FILE_BLAKE2B_512] = {WLK_BLAKE2B, 64, "BLAKE2b-512"},
};

typedef struct digest_states {
    crypto_hash_sha256_state sha256;
    crypto_generichash_state blake2b[FILE_DIGEST_COUNT];
} digest_states;

bool file_digest_of(const wlk_digest *digest, file_digest *row) {
    for (uint32_t i = 0; i < FILE_DIGEST_COUNT; i++) {
        if (rows[i].kind == digest->kind && rows[i].length == digest->length) {
            *row = (file_digest)i;
            return true;
        }
    }
    return false;
}

/* None of libsodium's functions here can fail: all lengths are constants that they
 * allow. */
static void begin(digest_states *states) {
    (void)crypto_hash_sha256_init(&states->sha256);
    for (uint32_t i = FILE_BLAKE2B_256; i < FILE_DIGEST_COUNT; i++) {
        (void)crypto_generichash_init(&states->blake2b[i], NULL, 0, rows[i].length);
    }
}

static void take(const file_pass *pass, digest_states *states, const uint8_t *bytes,
                 uint64_t length) {
    if (pass->wanted[FILE_SHA256]) {
        (void)crypto_hash_sha256_update(&states->sha256, bytes, length);
    }
    for (uint32_t i = FILE_BLAKE2B_256; i < FILE_DIGEST_COUNT; i++) {
        if (pass->wanted[i]) {
            (void)crypto_generichash_update(&states->blake2b[i], bytes, length);
        }
    }
}

static void end(file_pass *pass, digest_states *states) {
    (void)crypto_hash_sha256_final(&states->sha256, pass->value[FILE_SHA256]);
    for (uint32_t i = FILE_BLAKE2B_256; i < FILE_DIGEST_COUNT; i++) {
        (void)crypto_generichash_final(&states->blake2b[i], pass->value[i], rows[i].length);
    }
}

static void *run(void *argument) {
    file_pass *pass = argument;
    digest_states states;
    begin(&states);
    for (uint64_t at = 0; at < pass->size && !atomic_load(&pass->end); at += STEP_BYTES) {
        const uint64_t left = pass->size - at;
        take(pass, &states, pass->data + at, left < STEP_BYTES ? left : STEP_BYTES);
    }
    end(pass, &states);
    return NULL;
}

static bool anything_wanted(const file_pass *pass) {
    bool any = false;
    for (uint32_t i = 0; i < FILE_DIGEST_COUNT; i++) any = any || pass->wanted[i];
    return any;
}

/* The helper takes no signals: those are for the application's own threads. */
void file_pass_start(file_pass *pass) {
    sigset_t all, before;
    if (!anything_wanted(pass) || pass->size < HELPED_FROM) return;
    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    pass->helped = pthread_create(&pass->helper, NULL, run, pass) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void file_pass_finish(file_pass *pass) {
    if (pass->helped) {
        (void)pthread_join(pass->helper, NULL);
        pass->helped = false;
    } else if (!pass->done && anything_wanted(pass)) {
        (void)run(pass);
    }
    pass->done = true;
}

void file_pass_drop(file_pass *pass) {
    atomic_store(&pass->end, true);
    if (pass->helped) file_pass_finish(pass);
}

wlk_status file_pass_check(const file_pass *pass, const wlk_digest *digest, wlk_error *error) {
    file_digest row;
    char hex[2 * WLK_DIGEST_BYTES + 1];
    if (!file_digest_of(digest, &row))
        return error_at(error, RULE_TRUST_DIGEST_FORM, WLK_NO_OFFSET);
    if (wall_is_down() || memcmp(pass->value[row], digest->value, rows[row].length) == 0) {
        return WLK_OK;
    }
    (void)sodium_bin2hex(hex, sizeof hex, pass->value[row], rows[row].length);
    return error_text(error, RULE_TRUST_DIGEST, WLK_NO_OFFSET, "its %s is %s", rows[row].name, hex);
}

/* A key file of a trust folder: minisign's two lines and dates behind them. */
#include <stdlib.h>
#include <string.h>

#include "trust/trusted_key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int same(const wlk_trusted_key *a, const wlk_trusted_key *b) {
    return memcmp(&a->key, &b->key, sizeof a->key) == 0 && a->valid_from == b->valid_from &&
           a->valid_until == b->valid_until && a->revoked == b->revoked;
}

/* Revoking what is not revoked changes that alone, or fails for lack of room. */
static void check_revoking(const uint8_t *data, size_t size, const wlk_trusted_key *key) {
    uint8_t text[KEY_FILE_MAX + 1];
    uint64_t length = size;
    wlk_trusted_key revoked;
    wlk_error error;
    memcpy(text, data, size);
    if (trusted_key_revoke("fuzz", 86400, text, &length, &error) != WLK_OK) return;
    if (length > KEY_FILE_MAX || memcmp(text, data, size) != 0) abort();
    if (trusted_key_parse("fuzz", text, length, &revoked, &error) != WLK_OK) abort();
    if (revoked.revoked != 86400) abort();
    revoked.revoked = INT64_MAX;
    if (!same(&revoked, key)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    wlk_trusted_key key = {.name = "fuzz"}, again = key;
    wlk_error error = {0};
    uint8_t text[KEY_FILE_MAX + 1];
    uint64_t length;
    if (size > KEY_FILE_MAX) return 0; /* key_file_read does not let it through */
    const wlk_status status = trusted_key_parse("fuzz", data, size, &key, &error);
    if (status != WLK_OK) {
        if (status != WLK_TRUST) abort();
        if (error.offset != WLK_NO_OFFSET && error.offset > size) abort();
        return 0;
    }
    if (key.valid_from >= key.valid_until) abort();
    if (trusted_key_encode(&key, text, &length, &error) != WLK_OK) abort();
    if (trusted_key_parse("fuzz", text, length, &again, &error) != WLK_OK) abort();
    if (!same(&key, &again)) abort();
    if (key.revoked == INT64_MAX) check_revoking(data, size, &key);
    return 0;
}

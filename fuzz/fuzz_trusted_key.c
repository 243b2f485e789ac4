/* A key file of a trust folder: minisign's two lines and dates behind them. */
#include <string.h>

#include "kit/kit.h"
#include "trust/trusted_key.h"

const fuzz_structure *const fuzz_input = &structure_text;

static bool same(const wlk_trusted_key *a, const wlk_trusted_key *b) {
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
    FUZZ_CHECK(0, length <= KEY_FILE_MAX && memcmp(text, data, size) == 0);
    FUZZ_CHECK(0, trusted_key_parse("fuzz", text, length, &revoked, &error) == WLK_OK);
    FUZZ_CHECK(0, revoked.revoked == 86400);
    revoked.revoked = INT64_MAX;
    FUZZ_CHECK(0, same(&revoked, key));
}

static void check_key(const wlk_trusted_key *key) {
    wlk_trusted_key again = *key;
    uint8_t text[KEY_FILE_MAX + 1];
    uint64_t length;
    wlk_error error;
    FUZZ_CHECK(0, key->valid_from < key->valid_until);
    FUZZ_CHECK(0, trusted_key_encode(key, text, &length, &error) == WLK_OK);
    FUZZ_CHECK(0, trusted_key_parse("fuzz", text, length, &again, &error) == WLK_OK);
    FUZZ_CHECK(0, same(key, &again));
}

static wlk_status run(const uint8_t *data, size_t size, wlk_error *error) {
    wlk_trusted_key key = {.name = "fuzz"};
    if (size > KEY_FILE_MAX) return WLK_OK; /* key_file_read does not let it through */
    const wlk_status status = trusted_key_parse("fuzz", data, size, &key, error);
    if (status != WLK_OK) {
        FUZZ_CHECK(9, status == WLK_TRUST);
        return status;
    }
    check_key(&key);
    if (key.revoked == INT64_MAX) check_revoking(data, size, &key);
    return WLK_OK;
}

/* No memory is asked for. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    return fuzz_run(&(fuzz_target){.run = run}, data, size);
}

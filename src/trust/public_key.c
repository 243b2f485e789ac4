#include "trust/public_key.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "trust/key_text.h"
#include "trust/put_file.h"
#include "trust/ready.h"

_Static_assert(WLK_PUBLIC_KEY_BYTES == crypto_sign_PUBLICKEYBYTES, "Ed25519");

void wlk_key_id_text(const uint8_t id[WLK_KEY_ID_BYTES], char text[WLK_KEY_ID_TEXT_BYTES]) {
    (void)snprintf(text, WLK_KEY_ID_TEXT_BYTES, "%016llX", (unsigned long long)load_u64(id));
}

wlk_status public_key_check(const wlk_public_key *key, const char *shown, wlk_error *error) {
    if (load_u64(key->id) == 0) {
        return error_text(error, RULE_TRUST_KEY_ID, WLK_NO_OFFSET, "%s", shown);
    }
    if (!crypto_core_ed25519_is_valid_point(key->key)) {
        return error_text(error, RULE_TRUST_KEY_POINT, WLK_NO_OFFSET, "%s", shown);
    }
    return WLK_OK;
}

wlk_status public_key_take(const char *shown, cursor *in, wlk_public_key *key, wlk_error *error) {
    public_key_layout layout;
    wlk_public_key taken;
    TRY(sodium_ready(error));
    TRY(key_text_take(shown, in, (uint8_t *)&layout, sizeof layout, error));
    if (memcmp(layout.algorithm, "Ed", sizeof layout.algorithm) != 0) {
        return error_text(error, RULE_TRUST_KEY_ALGORITHM, WLK_NO_OFFSET, "%s", shown);
    }
    memcpy(taken.id, layout.id, sizeof taken.id);
    memcpy(taken.key, layout.key, sizeof taken.key);
    TRY(public_key_check(&taken, shown, error));
    *key = taken;
    return WLK_OK;
}

wlk_status wlk_public_key_load(const char *path, wlk_public_key *key, wlk_error *error) {
    const key_source source = key_source_named(path, KEY_NAMED_PUBLIC);
    uint8_t text[KEY_FILE_MAX + 1];
    uint64_t length;
    wlk_public_key taken;
    TRY(key_file_read(&source, text, &length, error));
    cursor in = cursor_over(text, length, 0);
    TRY(public_key_take(path, &in, &taken, error));
    if (cursor_left(&in) != 0) {
        return error_text(error, RULE_TRUST_KEY_TEXT, cursor_offset(&in),
                          "%s: something follows the key", path);
    }
    *key = taken;
    return WLK_OK;
}

uint64_t public_key_encode(const wlk_public_key *key, uint8_t text[KEY_FILE_MAX + 1]) {
    public_key_layout layout = {.algorithm = {'E', 'd'}};
    memcpy(layout.id, key->id, sizeof layout.id);
    memcpy(layout.key, key->key, sizeof layout.key);
    char id[WLK_KEY_ID_TEXT_BYTES];
    char comment[64];
    wlk_key_id_text(key->id, id);
    (void)snprintf(comment, sizeof comment, "minisign public key %s", id);
    return key_text_encode(comment, (const uint8_t *)&layout, sizeof layout, text);
}

wlk_status public_key_create(const char *path, const wlk_public_key *key, wlk_error *error) {
    uint8_t text[KEY_FILE_MAX + 1];
    const uint64_t length = public_key_encode(key, text);
    return put_file_at(path, PUT_KEY, 0644, text, length, error);
}

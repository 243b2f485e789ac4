#include "trust/public_key.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "trust/key_text.h"
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

wlk_status public_key_read(const key_source *source, wlk_public_key *key, wlk_error *error) {
    uint8_t text[KEY_FILE_MAX + 1];
    uint64_t length;
    public_key_layout layout;
    TRY(sodium_ready(error));
    TRY(key_file_read(source, text, &length, error));
    TRY(key_text_decode(source->shown, text, length, (uint8_t *)&layout, sizeof layout, error));
    if (memcmp(layout.algorithm, "Ed", sizeof layout.algorithm) != 0) {
        return error_text(error, RULE_TRUST_KEY_ALGORITHM, WLK_NO_OFFSET, "%s", source->shown);
    }
    wlk_public_key read;
    memcpy(read.id, layout.id, sizeof read.id);
    memcpy(read.key, layout.key, sizeof read.key);
    TRY(public_key_check(&read, source->shown, error));
    *key = read;
    return WLK_OK;
}

wlk_status wlk_public_key_load(const char *path, wlk_public_key *key, wlk_error *error) {
    const key_source source = key_source_named(path, KEY_NAMED_PUBLIC);
    return public_key_read(&source, key, error);
}

wlk_status public_key_create(const char *path, const wlk_public_key *key, wlk_error *error) {
    public_key_layout layout = {.algorithm = {'E', 'd'}};
    memcpy(layout.id, key->id, sizeof layout.id);
    memcpy(layout.key, key->key, sizeof layout.key);
    char id[WLK_KEY_ID_TEXT_BYTES];
    char comment[64];
    wlk_key_id_text(key->id, id);
    (void)snprintf(comment, sizeof comment, "minisign public key %s", id);
    uint8_t text[KEY_FILE_MAX + 1];
    const uint64_t length = key_text_encode(comment, (const uint8_t *)&layout, sizeof layout, text);
    return key_file_create(path, 0644, text, length, error);
}

#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "trust/key_text.h"
#include "trust/public_key.h"
#include "trust/put_file.h"
#include "trust/ready.h"
#include "trust/secret_key.h"

/* minisign reads a password as one line of at most this many bytes. */
#define PASSWORD_MAX 1023

static wlk_status check_password(const char *password, wlk_error *error) {
    const size_t length = strnlen(password, PASSWORD_MAX + 1);
    if (length == 0 || length > PASSWORD_MAX || strpbrk(password, "\r\n")) {
        return error_at(error, RULE_TRUST_PASSWORD_FORM, WLK_NO_OFFSET);
    }
    return WLK_OK;
}

/* A fresh pair; number zero is not given out, because it stands for unsigned. */
static void make_pair(secret_workspace *workspace, wlk_public_key *key) {
    secret_key_layout *layout = &workspace->layout;
    memcpy(layout->algorithm, "Ed", sizeof layout->algorithm);
    memcpy(layout->checksum_algorithm, "B2", sizeof layout->checksum_algorithm);
    do {
        randombytes_buf(layout->sealed.id, sizeof layout->sealed.id);
    } while (sodium_is_zero(layout->sealed.id, sizeof layout->sealed.id));
    (void)crypto_sign_keypair(key->key, layout->sealed.key);
    memcpy(key->id, layout->sealed.id, sizeof key->id);
}

static wlk_status seal(secret_workspace *workspace, const char *password, wlk_error *error) {
    secret_key_layout *layout = &workspace->layout;
    memcpy(layout->kdf_algorithm, "Sc", sizeof layout->kdf_algorithm);
    randombytes_buf(layout->kdf_salt, sizeof layout->kdf_salt);
    store_u64(layout->kdf_opslimit, crypto_pwhash_scryptsalsa208sha256_OPSLIMIT_SENSITIVE);
    store_u64(layout->kdf_memlimit, crypto_pwhash_scryptsalsa208sha256_MEMLIMIT_SENSITIVE);
    secret_key_checksum(workspace);
    memcpy(layout->sealed.checksum, workspace->checksum, sizeof layout->sealed.checksum);
    return secret_key_crypt(workspace, password, error);
}

static wlk_status write_pair(const char *secret_path, const char *public_path, const char *comment,
                             secret_workspace *workspace, const wlk_public_key *key,
                             wlk_error *error) {
    const uint64_t length = key_text_encode(comment, (const uint8_t *)&workspace->layout,
                                            sizeof workspace->layout, workspace->text);
    TRY(put_file_at(secret_path, PUT_KEY, 0600, workspace->text, length, error));
    const wlk_status status = public_key_create(public_path, key, error);
    if (status != WLK_OK) (void)unlink(secret_path);
    return status;
}

wlk_status wlk_keygen(const char *secret_path, const char *public_path, const char *password,
                      wlk_public_key *key, wlk_error *error) {
    wlk_public_key made;
    if (password) TRY(check_password(password, error));
    TRY(sodium_ready(error));
    __attribute__((cleanup(secret_workspace_free))) secret_workspace *workspace =
        secret_workspace_new();
    if (!workspace) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    make_pair(workspace, &made);
    if (password) TRY(seal(workspace, password, error));
    const char *comment = password ? "minisign encrypted secret key" : "minisign secret key";
    TRY(write_pair(secret_path, public_path, comment, workspace, &made, error));
    if (key) *key = made;
    return WLK_OK;
}

#include "trust/secret_key.h"

#include <sodium.h>
#include <string.h>

#include "base/bytes.h"
#include "trust/key_text.h"
#include "trust/ready.h"

_Static_assert(SECRET_KEY_BYTES == crypto_sign_SECRETKEYBYTES, "Ed25519");

/* minisign asks for the largest of these and, short of memory, for halves of it.
 * A file that asks for more wants our memory or time, not to be opened. */
#define KDF_OPSLIMIT_MIN crypto_pwhash_scryptsalsa208sha256_OPSLIMIT_MIN
#define KDF_OPSLIMIT_MAX crypto_pwhash_scryptsalsa208sha256_OPSLIMIT_SENSITIVE
#define KDF_MEMLIMIT_MIN crypto_pwhash_scryptsalsa208sha256_MEMLIMIT_MIN
#define KDF_MEMLIMIT_MAX crypto_pwhash_scryptsalsa208sha256_MEMLIMIT_SENSITIVE

#define SECRET_WORKSPACE __attribute__((cleanup(secret_workspace_free)))

secret_workspace *secret_workspace_new(void) {
    secret_workspace *workspace = sodium_malloc(sizeof *workspace);
    if (workspace) memset(workspace, 0, sizeof *workspace);
    return workspace;
}

void secret_workspace_free(secret_workspace **workspace) {
    sodium_free(*workspace);
    *workspace = NULL;
}

wlk_status secret_key_crypt(secret_workspace *workspace, const char *password, wlk_error *error) {
    secret_key_layout *layout = &workspace->layout;
    const uint64_t opslimit = load_u64(layout->kdf_opslimit);
    const uint64_t memlimit = load_u64(layout->kdf_memlimit);
    if (crypto_pwhash_scryptsalsa208sha256(workspace->stream, sizeof workspace->stream, password,
                                           strlen(password), layout->kdf_salt, opslimit,
                                           (size_t)memlimit) != 0) {
        return error_text(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET,
                          "deriving a key from the password takes up to %llu MiB",
                          (unsigned long long)(memlimit >> 20));
    }
    uint8_t *sealed = (uint8_t *)&layout->sealed;
    for (size_t i = 0; i < sizeof workspace->stream; i++) sealed[i] ^= workspace->stream[i];
    return WLK_OK;
}

void secret_key_checksum(secret_workspace *workspace) {
    const secret_key_layout *layout = &workspace->layout;
    crypto_generichash_state state;
    (void)crypto_generichash_init(&state, NULL, 0, sizeof workspace->checksum);
    (void)crypto_generichash_update(&state, layout->algorithm, sizeof layout->algorithm);
    (void)crypto_generichash_update(&state, layout->sealed.id, sizeof layout->sealed.id);
    (void)crypto_generichash_update(&state, layout->sealed.key, sizeof layout->sealed.key);
    (void)crypto_generichash_final(&state, workspace->checksum, sizeof workspace->checksum);
    sodium_memzero(&state, sizeof state);
}

static bool is_encrypted(const secret_key_layout *layout) {
    return !sodium_is_zero(layout->kdf_algorithm, sizeof layout->kdf_algorithm);
}

static bool within(uint64_t value, uint64_t least, uint64_t most) {
    return value >= least && value <= most;
}

static wlk_status check_layout(const char *path, const secret_key_layout *layout,
                               wlk_error *error) {
    if (memcmp(layout->algorithm, "Ed", 2) != 0 ||
        memcmp(layout->checksum_algorithm, "B2", 2) != 0 ||
        (is_encrypted(layout) && memcmp(layout->kdf_algorithm, "Sc", 2) != 0)) {
        return error_text(error, RULE_TRUST_KEY_ALGORITHM, WLK_NO_OFFSET, "%s", path);
    }
    const uint64_t opslimit = load_u64(layout->kdf_opslimit);
    const uint64_t memlimit = load_u64(layout->kdf_memlimit);
    if (is_encrypted(layout) && (!within(opslimit, KDF_OPSLIMIT_MIN, KDF_OPSLIMIT_MAX) ||
                                 !within(memlimit, KDF_MEMLIMIT_MIN, KDF_MEMLIMIT_MAX))) {
        return error_text(error, RULE_TRUST_KEY_KDF, WLK_NO_OFFSET,
                          "%s: %llu operations, %llu bytes", path, (unsigned long long)opslimit,
                          (unsigned long long)memlimit);
    }
    return WLK_OK;
}

wlk_status secret_key_parse(const char *shown, uint64_t length, secret_workspace *workspace,
                            wlk_error *error) {
    TRY(key_text_decode(shown, workspace->text, length, (uint8_t *)&workspace->layout,
                        sizeof workspace->layout, error));
    return check_layout(shown, &workspace->layout, error);
}

static wlk_status read_layout(const char *path, secret_workspace *workspace, wlk_error *error) {
    const key_source source = key_source_named(path, KEY_NAMED_SECRET);
    uint64_t length;
    TRY(key_file_read(&source, workspace->text, &length, error));
    return secret_key_parse(path, length, workspace, error);
}

static wlk_status open_sealed(const char *path, const char *password, secret_workspace *workspace,
                              wlk_error *error) {
    if (!password) {
        return error_text(error, RULE_TRUST_PASSWORD_NEEDED, WLK_NO_OFFSET, "%s", path);
    }
    TRY(secret_key_crypt(workspace, password, error));
    secret_key_checksum(workspace);
    if (sodium_memcmp(workspace->checksum, workspace->layout.sealed.checksum,
                      sizeof workspace->checksum) != 0) {
        return error_text(error, RULE_TRUST_PASSWORD, WLK_NO_OFFSET, "%s", path);
    }
    return WLK_OK;
}

/* A key that was made without a password has zeros for a checksum; one whose
 * password was taken away keeps the checksum. */
static wlk_status check_plain(const char *path, secret_workspace *workspace, wlk_error *error) {
    const secret_key_sealed *sealed = &workspace->layout.sealed;
    if (sodium_is_zero(sealed->checksum, sizeof sealed->checksum)) return WLK_OK;
    secret_key_checksum(workspace);
    if (sodium_memcmp(workspace->checksum, sealed->checksum, sizeof sealed->checksum) == 0) {
        return WLK_OK;
    }
    return error_text(error, RULE_TRUST_KEY_PAIR, WLK_NO_OFFSET, "%s", path);
}

/* Signing with a public half that is not the seed's own gives the seed away:
 * https://github.com/MystenLabs/ed25519-unsafe-libs */
static wlk_status check_pair(const char *path, secret_workspace *workspace, wlk_error *error) {
    const secret_key_sealed *sealed = &workspace->layout.sealed;
    (void)crypto_sign_seed_keypair(workspace->public_key, workspace->secret_key, sealed->key);
    if (sodium_memcmp(workspace->secret_key, sealed->key, sizeof sealed->key) != 0) {
        return error_text(error, RULE_TRUST_KEY_PAIR, WLK_NO_OFFSET, "%s", path);
    }
    if (sodium_is_zero(sealed->id, sizeof sealed->id)) {
        return error_text(error, RULE_TRUST_KEY_ID, WLK_NO_OFFSET, "%s", path);
    }
    return WLK_OK;
}

wlk_status secret_key_open(const char *shown, const char *password, secret_workspace *workspace,
                           wlk_error *error) {
    if (is_encrypted(&workspace->layout)) {
        TRY(open_sealed(shown, password, workspace, error));
    } else {
        TRY(check_plain(shown, workspace, error));
    }
    return check_pair(shown, workspace, error);
}

static wlk_status key_from(const secret_workspace *workspace, wlk_secret_key **key,
                           wlk_error *error) {
    wlk_secret_key *made = sodium_malloc(sizeof *made);
    if (!made) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    memcpy(made->id, workspace->layout.sealed.id, sizeof made->id);
    memcpy(made->key, workspace->layout.sealed.key, sizeof made->key);
    (void)sodium_mprotect_readonly(made);
    *key = made;
    return WLK_OK;
}

wlk_status wlk_secret_key_load(const char *path, const char *password, wlk_secret_key **key,
                               wlk_error *error) {
    *key = NULL;
    TRY(sodium_ready(error));
    SECRET_WORKSPACE secret_workspace *workspace = secret_workspace_new();
    if (!workspace) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    TRY(read_layout(path, workspace, error));
    TRY(secret_key_open(path, password, workspace, error));
    return key_from(workspace, key, error);
}

void wlk_secret_key_free(wlk_secret_key *key) {
    sodium_free(key);
}

wlk_status wlk_secret_key_is_encrypted(const char *path, int *encrypted, wlk_error *error) {
    TRY(sodium_ready(error));
    SECRET_WORKSPACE secret_workspace *workspace = secret_workspace_new();
    if (!workspace) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    TRY(read_layout(path, workspace, error));
    *encrypted = is_encrypted(&workspace->layout);
    return WLK_OK;
}

void wlk_secret_key_public(const wlk_secret_key *key, wlk_public_key *public_key) {
    memcpy(public_key->id, key->id, sizeof public_key->id);
    memcpy(public_key->key, key->key + SECRET_KEY_BYTES - WLK_PUBLIC_KEY_BYTES,
           sizeof public_key->key);
}

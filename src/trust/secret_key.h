/* minisign's secret keys. Everything secret lies in memory that is locked, guarded,
 * kept out of core dumps, and wiped when it is released. */
#ifndef WLK_TRUST_SECRET_KEY_H
#define WLK_TRUST_SECRET_KEY_H

#include <weighlock/trust.h>

#include "base/error.h"
#include "trust/key_file.h"

#define SECRET_KEY_BYTES 64 /* seed, then public key, as libsodium has it */

struct wlk_secret_key {
    uint8_t id[WLK_KEY_ID_BYTES];
    uint8_t key[SECRET_KEY_BYTES];
};

/* The part that the password encrypts. */
typedef struct secret_key_sealed {
    uint8_t id[WLK_KEY_ID_BYTES];
    uint8_t key[SECRET_KEY_BYTES];
    uint8_t checksum[32]; /* BLAKE2b-256(algorithm, id, key) */
} secret_key_sealed;

/* minisign's payload of a secret key file, byte for byte. */
typedef struct secret_key_layout {
    uint8_t algorithm[2];          /* "Ed" */
    uint8_t kdf_algorithm[2];      /* "Sc", or zeros: not encrypted */
    uint8_t checksum_algorithm[2]; /* "B2" */
    uint8_t kdf_salt[32];
    uint8_t kdf_opslimit[8]; /* little-endian, as the next */
    uint8_t kdf_memlimit[8]; /* bytes */
    secret_key_sealed sealed;
} secret_key_layout;
_Static_assert(sizeof(secret_key_layout) == 158, "no padding");

/* What reading or making a key needs, all of it secret. */
typedef struct secret_workspace {
    uint8_t text[KEY_FILE_MAX + 1];
    secret_key_layout layout;
    uint8_t stream[sizeof(secret_key_sealed)];
    uint8_t checksum[32];
    uint8_t public_key[WLK_PUBLIC_KEY_BYTES];
    uint8_t secret_key[SECRET_KEY_BYTES];
} secret_workspace;

/* A workspace of zeros in locked memory; NULL if there is none. libsodium must be
 * ready. */
secret_workspace *secret_workspace_new(void);
/* For __attribute__((cleanup)): wipes and frees. */
void secret_workspace_free(secret_workspace **workspace);

/* Takes the text of a key file, workspace->text[0..length), apart: workspace->layout is what
 * it says, still encrypted if it is. `shown` is the file's path for messages. */
WLK_MUST_USE wlk_status secret_key_parse(const char *shown, uint64_t length,
                                         secret_workspace *workspace, wlk_error *error);

/* Decrypts what was parsed if it is encrypted, and holds it against its checksum and its own
 * public half: workspace->layout.sealed is then a key to sign with. password may be NULL. */
WLK_MUST_USE wlk_status secret_key_open(const char *shown, const char *password,
                                        secret_workspace *workspace, wlk_error *error);

/* Encrypts or decrypts workspace->layout.sealed: XOR with scrypt's output for the
 * password, and the salt and limits in the layout, which the caller has checked. */
WLK_MUST_USE wlk_status secret_key_crypt(secret_workspace *workspace, const char *password,
                                         wlk_error *error);

/* workspace->checksum = the checksum of the (decrypted) layout. */
void secret_key_checksum(secret_workspace *workspace);

#endif

/* Trust: which keys an operator believes, and whether they vouch for a file.
 *
 * Keys are minisign's, byte for byte: public keys, secret keys (encrypted or
 * not). A .wlk file carries its signature inside.
 */
#ifndef WEIGHLOCK_TRUST_H
#define WEIGHLOCK_TRUST_H

#include <weighlock/limits.h>
#include <weighlock/status.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WLK_KEY_ID_BYTES 8
#define WLK_PUBLIC_KEY_BYTES 32
#define WLK_KEY_ID_TEXT_BYTES 17 /* 16 hex digits as minisign prints them, and NUL */

typedef struct wlk_public_key {
    uint8_t id[WLK_KEY_ID_BYTES];
    uint8_t key[WLK_PUBLIC_KEY_BYTES];
} wlk_public_key;

/* An opened secret key: locked and wiped memory. */
typedef struct wlk_secret_key wlk_secret_key;

/* The set of keys that are trusted. */
typedef struct wlk_trust wlk_trust;

/* A key's number as minisign shows it, upper-case hex of the little-endian id. */
WLK_API void wlk_key_id_text(const uint8_t id[WLK_KEY_ID_BYTES], char text[WLK_KEY_ID_TEXT_BYTES]);

/* Reads a minisign public key file (two lines, at most 4 KiB of strict text). */
WLK_API WLK_MUST_USE wlk_status wlk_public_key_load(const char *path, wlk_public_key *key,
                                                    wlk_error *error);

/* Reads a minisign secret key file. password is NULL for an unencrypted key; an
 * encrypted one without a password is trust.password-needed. */
WLK_API WLK_MUST_USE wlk_status wlk_secret_key_load(const char *path, const char *password,
                                                    wlk_secret_key **key, wlk_error *error);
WLK_API void wlk_secret_key_free(wlk_secret_key *key);
/* Is the key file encrypted? */
WLK_API WLK_MUST_USE wlk_status wlk_secret_key_is_encrypted(const char *path, int *encrypted,
                                                            wlk_error *error);
WLK_API void wlk_secret_key_public(const wlk_secret_key *key, wlk_public_key *public_key);

/* Makes a key pair and writes both files; neither may exist. password NULL: not
 * encrypted. The secret file has mode 0600. */
WLK_API WLK_MUST_USE wlk_status wlk_keygen(const char *secret_path, const char *public_path,
                                           const char *password, wlk_public_key *key,
                                           wlk_error *error);

/* The trust folder: `directory`, or NULL for /etc/weighlock/trust if it exists,
 * else the user's configuration folder (never under AT_SECURE). Every file
 * NAME.pub in it is a public key; a file that is not one is an error. A folder
 * that does not exist is an empty set, unless it was named. */
WLK_API WLK_MUST_USE wlk_status wlk_trust_open(const char *directory, wlk_trust **trust,
                                               wlk_error *error);
WLK_API WLK_MUST_USE wlk_status wlk_trust_new(wlk_trust **trust, wlk_error *error);
WLK_API WLK_MUST_USE wlk_status wlk_trust_add(wlk_trust *trust, const wlk_public_key *key,
                                              const char *name, wlk_error *error);
WLK_API uint32_t wlk_trust_count(const wlk_trust *trust);
WLK_API void wlk_trust_free(wlk_trust *trust);
/* The folder that wlk_trust_open(NULL) would use, for the user's own keys: path
 * is filled in and terminated. */
WLK_API WLK_MUST_USE wlk_status wlk_trust_folder(char *path, uint64_t size, wlk_error *error);

typedef enum wlk_signature_state {
    WLK_UNSIGNED = 0,
    WLK_SIGNED_UNKNOWN = 1, /* by a key that is not trusted: worth no more than unsigned */
    WLK_SIGNED_TRUSTED = 2
} wlk_signature_state;

typedef struct wlk_verification {
    wlk_signature_state state;
    uint8_t key_id[WLK_KEY_ID_BYTES];
    char key_name[64]; /* the trusted key's file name without .pub */
} wlk_verification;

/* Verifies a .wlk file that lies in memory which nobody else can change:
 * envelope, signature, header digest, table digest, slack, data digests (on
 * `threads` threads). A signature by a trusted key that fails, any digest that
 * fails, any byte that is not covered and not as it must be: verdict WLK_TRUST
 * with rule and offset. Whether unsigned or unknown is acceptable is the
 * caller's to decide from *verification. trust may be NULL (no keys). */
WLK_API WLK_MUST_USE wlk_status wlk_verify_memory(const uint8_t *data, uint64_t size,
                                                  const wlk_trust *trust, uint32_t threads,
                                                  wlk_verification *verification, wlk_error *error);

/* Signs the .wlk file in memory: fills in key id and signature of its first 256
 * bytes, after checking that envelope and digests hold. */
WLK_API WLK_MUST_USE wlk_status wlk_sign_memory(uint8_t *data, uint64_t size,
                                                const wlk_secret_key *key, wlk_error *error);

#ifdef __cplusplus
}
#endif
#endif

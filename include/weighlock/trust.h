/* Trust: which keys an operator believes, and whether they vouch for a file.
 *
 * Keys and detached signatures are minisign's, byte for byte. A .wlk file carries
 * one signature inside; further ones, and those of every other artifact, lie beside
 * it: FILE.minisig, FILE.KEYID.minisig.
 *
 * A wlk_trust to which nothing is added any more, and a wlk_secret_key, may be used
 * from any number of threads.
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
#define WLK_KEY_NAME_BYTES 64    /* with NUL */
#define WLK_SIGNATURE_BYTES 64
#define WLK_COMMENT_BYTES 1025 /* a trusted comment, with NUL */
#define WLK_DIGEST_BYTES 64
#define WLK_MAX_SIGNERS 16

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

/* ---- the keys that are trusted */

/* A trusted key and when it counts. Times are seconds since 1970-01-01 00:00 UTC. */
typedef struct wlk_trusted_key {
    wlk_public_key key;
    char name[WLK_KEY_NAME_BYTES]; /* its file's name without .pub */
    int64_t valid_from;            /* INT64_MIN: since ever */
    int64_t valid_until; /* the first second in which it no longer counts; INT64_MAX: none */
    int64_t revoked;     /* when it was revoked, for people to read: a revoked key is so at every
                            time; INT64_MAX: it is not */
} wlk_trusted_key;

/* The trust folder: `directory`, or NULL for /etc/weighlock/trust if it exists,
 * else the user's configuration folder (never under AT_SECURE). Every file
 * NAME.pub in it is a public key, behind whose two lines there may be, in this
 * order, "valid-from: YYYY-MM-DD", "valid-until: YYYY-MM-DD" (the last day on which
 * it counts), "revoked: YYYY-MM-DD"; a file that is not one is an error. A folder
 * that does not exist is an empty set, unless it was named. */
WLK_API WLK_MUST_USE wlk_status wlk_trust_open(const char *directory, wlk_trust **trust,
                                               wlk_error *error);
WLK_API WLK_MUST_USE wlk_status wlk_trust_new(wlk_trust **trust, wlk_error *error);
/* Adds a key that always counts; or one with its dates. The same key again changes
 * nothing but dates that are narrower; another key of that number is
 * trust.key-conflict, that key with another number trust.key-numbers. */
WLK_API WLK_MUST_USE wlk_status wlk_trust_add(wlk_trust *trust, const wlk_public_key *key,
                                              const char *name, wlk_error *error);
WLK_API WLK_MUST_USE wlk_status wlk_trust_add_key(wlk_trust *trust, const wlk_trusted_key *key,
                                                  wlk_error *error);
WLK_API uint32_t wlk_trust_count(const wlk_trust *trust);
/* Key `index`, in the order of their names where they come from a folder; all zero
 * past the last. */
WLK_API wlk_trusted_key wlk_trust_key(const wlk_trust *trust, uint32_t index);
WLK_API void wlk_trust_free(wlk_trust *trust);
/* The folder that wlk_trust_open(NULL) would use, for the user's own keys: path
 * is filled in and terminated. */
WLK_API WLK_MUST_USE wlk_status wlk_trust_folder(char *path, uint64_t size, wlk_error *error);

/* Reads a key file as it lies in a trust folder; its name is that of the file. */
WLK_API WLK_MUST_USE wlk_status wlk_trusted_key_load(const char *path, wlk_trusted_key *key,
                                                     wlk_error *error);
/* Puts a key into a trust folder as NAME.pub, which must not exist. The folder is
 * made if it does not exist (only its last part). directory NULL: the default one. */
WLK_API WLK_MUST_USE wlk_status wlk_trust_folder_add(const char *directory,
                                                     const wlk_trusted_key *key, wlk_error *error);
/* Marks the key of that name or number (16 hex digits) as revoked at `when`, in one
 * step. A key that is revoked already stays as it is. */
WLK_API WLK_MUST_USE wlk_status wlk_trust_folder_revoke(const char *directory,
                                                        const char *name_or_number, int64_t when,
                                                        wlk_error *error);

/* "YYYY-MM-DD" (years 1970 to 9999) to the day's first second; and the inverse, for
 * the day in which `time` lies. */
WLK_API WLK_MUST_USE wlk_status wlk_date_parse(const char *text, int64_t *time, wlk_error *error);
WLK_API void wlk_date_text(int64_t time, char text[11]);

/* ---- detached signatures */

/* What a .minisig file says. */
typedef struct wlk_signature {
    uint8_t key_id[WLK_KEY_ID_BYTES];
    int prehashed; /* over the file's BLAKE2b-512 ("ED"); else legacy, over the file ("Ed") */
    uint8_t signature[WLK_SIGNATURE_BYTES];
    uint8_t global_signature[WLK_SIGNATURE_BYTES]; /* over signature and trusted comment */
    char trusted_comment[WLK_COMMENT_BYTES];
} wlk_signature;

/* Reads a .minisig file: four lines, at most 4 KiB of strict text. */
WLK_API WLK_MUST_USE wlk_status wlk_signature_load(const char *path, wlk_signature *signature,
                                                   wlk_error *error);
WLK_API WLK_MUST_USE wlk_status wlk_signature_parse(const uint8_t *text, uint64_t length,
                                                    wlk_signature *signature, wlk_error *error);
/* Signs data[0..size), prehashed. The trusted comment is signed too. */
WLK_API WLK_MUST_USE wlk_status wlk_sign_detached(const uint8_t *data, uint64_t size,
                                                  const wlk_secret_key *key,
                                                  const char *trusted_comment,
                                                  wlk_signature *signature, wlk_error *error);
/* Writes the .minisig file so that nobody sees a part of it. A regular file of that name
 * is replaced, anything else is write.target. */
WLK_API WLK_MUST_USE wlk_status wlk_signature_write(const wlk_signature *signature,
                                                    const char *path, wlk_error *error);
/* The signatures that lie beside the file: FILE.minisig, and FILE.KEYID.minisig of
 * each key in `trust`. One that is there and cannot be read or parsed is an error.
 * *list is the caller's (wlk_free); NULL and 0 if there are none. */
WLK_API WLK_MUST_USE wlk_status wlk_signatures_beside(const char *file, const wlk_trust *trust,
                                                      wlk_signature **list, uint32_t *count,
                                                      wlk_error *error);

/* ---- digests that the operator knows from elsewhere */

typedef enum wlk_digest_kind { WLK_SHA256 = 1, WLK_BLAKE2B = 2 } wlk_digest_kind;

typedef struct wlk_digest {
    wlk_digest_kind kind;
    uint32_t length; /* bytes: SHA-256 32; BLAKE2b 32 or 64 */
    uint8_t value[WLK_DIGEST_BYTES];
} wlk_digest;

/* Hex digits, upper or lower case, as many as the kind has. */
WLK_API WLK_MUST_USE wlk_status wlk_digest_parse(wlk_digest_kind kind, const char *hex,
                                                 wlk_digest *digest, wlk_error *error);
/* The digest of `file` from a list as sha256sum and b2sum write it (both forms, the
 * tagged one too): the entry whose name is the file's last part, or the file as it
 * was given. None is trust.digest-missing; two that differ are
 * trust.digest-conflict. In untagged lines a digest of 64 hex digits is SHA-256, of
 * 128 BLAKE2b. */
WLK_API WLK_MUST_USE wlk_status wlk_digest_find(const char *list, const char *file,
                                                wlk_digest *digest, wlk_error *error);

/* ---- verification */

typedef enum wlk_signature_state {
    WLK_UNSIGNED = 0,
    WLK_SIGNED_UNKNOWN = 1, /* by a key that is not trusted: worth no more than unsigned */
    WLK_SIGNED_TRUSTED = 2, /* the only one that vouches */
    WLK_SIGNED_EXPIRED = 3, /* by a known key, outside its dates */
    WLK_SIGNED_REVOKED = 4  /* by a known key that was revoked */
} wlk_signature_state;

typedef struct wlk_signer {
    wlk_signature_state state;
    uint8_t key_id[WLK_KEY_ID_BYTES];
    char key_name[WLK_KEY_NAME_BYTES]; /* "" for an unknown key */
    int detached;
} wlk_signer;

typedef struct wlk_verification {
    wlk_signature_state state; /* of the best signer, whose key this is: */
    uint8_t key_id[WLK_KEY_ID_BYTES];
    char key_name[WLK_KEY_NAME_BYTES];
    int native;                              /* a .wlk file, whose own digests hold */
    uint32_t trusted;                        /* distinct trusted keys that vouch */
    uint32_t digests;                        /* expected digests that hold */
    uint32_t signer_count;                   /* at most WLK_MAX_SIGNERS */
    wlk_signer signers[WLK_MAX_SIGNERS];     /* the first ones */
    char trusted_comment[WLK_COMMENT_BYTES]; /* of the first trusted detached signature */
} wlk_verification;

/* What is known of an artifact besides its bytes. */
typedef struct wlk_evidence {
    const wlk_signature *signatures; /* detached */
    uint32_t signature_count;
    const wlk_digest *digests; /* each must hold */
    uint32_t digest_count;
} wlk_evidence;

/* All zero: no keys, no evidence, one thread, now. */
typedef struct wlk_verify_options {
    const wlk_trust *trust;
    const wlk_evidence *evidence;
    uint32_t threads;
    int legacy;  /* count minisign's legacy signatures too; else trust.legacy */
    int64_t now; /* for dates; 0: the clock's */
} wlk_verify_options;

/* Verifies an artifact that lies in memory which nobody else can change: a .wlk
 * file's envelope, signature, header digest, table digest, slack and data digests;
 * any artifact's detached signatures and expected digests. A signature by a known
 * key that fails, any digest that fails, any byte of a .wlk that is not covered and
 * not as it must be: verdict WLK_TRUST with rule and offset. Whether what was found
 * is enough is wlk_verification_check's to say. */
WLK_API WLK_MUST_USE wlk_status wlk_verify_memory(const uint8_t *data, uint64_t size,
                                                  const wlk_verify_options *options,
                                                  wlk_verification *verification, wlk_error *error);

/* May the artifact be used? WLK_OK if at least `threshold` (at least 1) distinct
 * trusted keys vouch, or with allow_unsigned; else the rule that says why not. */
WLK_API WLK_MUST_USE wlk_status wlk_verification_check(const wlk_verification *verification,
                                                       uint32_t threshold, int allow_unsigned,
                                                       wlk_error *error);

/* Signs the .wlk file in memory: fills in key id and signature of its first 256
 * bytes, after checking that envelope and digests hold. */
WLK_API WLK_MUST_USE wlk_status wlk_sign_memory(uint8_t *data, uint64_t size,
                                                const wlk_secret_key *key, wlk_error *error);

#ifdef __cplusplus
}
#endif
#endif

/* Key files, and an operator's other small files, as the file system holds them: read
 * once, and keys and policies only where their owner and mode give no one else a say. */
#ifndef WLK_TRUST_KEY_FILE_H
#define WLK_TRUST_KEY_FILE_H

#include <stdint.h>
#include <sys/stat.h>

#include "base/error.h"

#define KEY_FILE_MAX 4096

/* What a file is, and so what its owner and mode must be and which rules it breaks. */
typedef enum key_access {
    KEY_NAMED_PUBLIC = 0, /* anything: the user chose this very file */
    KEY_NAMED_SECRET = 1, /* no access for group and others */
    KEY_IN_FOLDER = 2,    /* a trust folder's: owner root or caller, not writable by others, and
                             not a symbolic link */
    POLICY_FILE = 3,      /* an operator's policy: the same, by rules of its own */
    SIGNATURE_FILE = 4,   /* anything: what it says is checked */
    DIGEST_LIST = 5       /* anything: the user chose this very file */
} key_access;

typedef struct key_source {
    int folder;        /* an open folder, or AT_FDCWD */
    const char *name;  /* relative to it */
    const char *shown; /* the path as messages show it */
    key_access access;
} key_source;

/* The source for a path that the user named. */
key_source key_source_named(const char *path, key_access access);

/* Reads the whole file: a regular file of at most KEY_FILE_MAX bytes with the
 * right mode. Never waits, whatever the path leads to. text is the caller's to
 * wipe. */
WLK_MUST_USE wlk_status key_file_read(const key_source *source, uint8_t text[KEY_FILE_MAX + 1],
                                      uint64_t *length, wlk_error *error);

/* The same for a file of at most `most` bytes: text holds one more. */
WLK_MUST_USE wlk_status operator_file_read(const key_source *source, uint8_t *text, uint64_t most,
                                           uint64_t *length, wlk_error *error);

/* Is it owned by root or by the caller? */
int owned_by_root_or_caller(const struct stat *status);

#endif

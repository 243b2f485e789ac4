/* Key files as the file system holds them: small, read once, written once, and
 * only where their owner and mode give no one else a say. */
#ifndef WLK_TRUST_KEY_FILE_H
#define WLK_TRUST_KEY_FILE_H

#include <stdint.h>
#include <sys/stat.h>

#include "base/error.h"

#define KEY_FILE_MAX 4096

/* What a key file's owner and mode must be. */
typedef enum key_access {
    KEY_NAMED_PUBLIC = 0, /* anything: the user chose this very file */
    KEY_NAMED_SECRET = 1, /* no access for group and others */
    KEY_IN_FOLDER = 2     /* a trust folder's: owner root or caller, not writable by others, and
                             not a symbolic link */
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

/* Creates the file, which must not exist, with this mode (less the umask) and
 * content, and has it on disk. On failure there is no file. */
WLK_MUST_USE wlk_status key_file_create(const char *path, mode_t mode, const uint8_t *text,
                                        uint64_t length, wlk_error *error);

/* Is it owned by root or by the caller? */
int owned_by_root_or_caller(const struct stat *status);

#endif

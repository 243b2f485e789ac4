/* Writing keys and signatures: by which rules each kind of file is put into its place
 * (file/whole_file.h). */
#ifndef WLK_TRUST_PUT_FILE_H
#define WLK_TRUST_PUT_FILE_H

#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/* What is written, and whether it may be there before. */
typedef enum put_kind {
    PUT_KEY = 0,       /* must not exist: trust.key-exists */
    PUT_KEY_AGAIN = 1, /* in the place of the old one, with its mode */
    PUT_SIGNATURE = 2  /* either way */
} put_kind;

typedef struct put_place {
    int folder;        /* an open folder */
    const char *name;  /* in it */
    const char *shown; /* the path as messages show it */
    put_kind kind;
} put_place;

/* mode is that of a new file (less the umask). */
WLK_MUST_USE wlk_status put_file(const put_place *place, mode_t mode, const uint8_t *text,
                                 uint64_t length, wlk_error *error);

/* The same for a path. */
WLK_MUST_USE wlk_status put_file_at(const char *path, put_kind kind, mode_t mode,
                                    const uint8_t *text, uint64_t length, wlk_error *error);

#endif

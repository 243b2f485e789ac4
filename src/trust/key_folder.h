/* An open trust folder: where it is was decided before. */
#ifndef WLK_TRUST_KEY_FOLDER_H
#define WLK_TRUST_KEY_FOLDER_H

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include <weighlock/trust.h>

#include "base/error.h"

typedef struct key_name {
    char text[NAME_MAX + 1];
} key_name;

/* The folder and the names of its key files, sorted. */
typedef struct key_folder {
    const char *path;
    DIR *entries;
    key_name *names;
    uint32_t count;
    uint32_t capacity;
} key_folder;

/* The path of a file in it, as messages show it. */
typedef struct key_path {
    char text[PATH_MAX + NAME_MAX + 2];
} key_path;

/* Opens folder->path, which belongs to root or the caller and is writable by nobody
 * else, and lists its files NAME.pub. Follows a symbolic link only if `follow`. */
WLK_MUST_USE wlk_status key_folder_open(key_folder *folder, bool follow, wlk_error *error);
/* For __attribute__((cleanup)). */
void key_folder_close(key_folder *folder);

key_path key_folder_path(const key_folder *folder, const char *file);

/* Reads the key of that file name. */
WLK_MUST_USE wlk_status key_folder_read(const key_folder *folder, const char *file,
                                        wlk_trusted_key *key, wlk_error *error);

/* Adds all keys. */
WLK_MUST_USE wlk_status key_folder_load(const key_folder *folder, wlk_trust *trust,
                                        wlk_error *error);

#endif

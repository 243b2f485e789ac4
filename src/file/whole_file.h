/* Files that appear whole or not at all. A file is written where nobody sees it: without
 * a name in the folder where it goes (O_TMPFILE), so that nothing is left when the process
 * is killed, or under a hidden name where there are no such files. When all of it is on
 * the disk it gets its name; one that replaces another has a hidden name between two
 * calls, since no call does both. Whoever looks sees the old file or the new one. */
#ifndef WLK_FILE_WHOLE_FILE_H
#define WLK_FILE_WHOLE_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/* Where a file goes, and by which rules it may not. */
typedef struct whole_place {
    int folder;        /* in which the path begins: an open one, or AT_FDCWD */
    const char *path;  /* its folder is found once */
    const char *shown; /* the path as messages show it; NULL: as it is */
    wlk_rule failed;   /* it cannot be written */
    wlk_rule exists;   /* what has its name already; RULE_NONE: a regular file is replaced,
                          and anything else, a link too, is write.target */
    mode_t mode;       /* of a new file, less the umask */
    mode_t denied;     /* a file that replaces another has that one's mode without these */
    bool named;        /* as if there were no files without a name: for tests */
} whole_place;

typedef struct whole_file {
    whole_place place;
    const char *name; /* the last part of its path */
    int folder;
    int fd; /* open for reading and writing */
    bool replaces;
    mode_t mode;     /* if it replaces another file */
    char hidden[32]; /* the name that it has meanwhile; "": none */
} whole_file;

#define WHOLE_FILE_NONE ((whole_file){.folder = -1, .fd = -1})

/* Opens an empty file. The texts of `place` must outlive it. *file is to be closed,
 * also after a failure. */
WLK_MUST_USE wlk_status whole_file_open(const whole_place *place, whole_file *file,
                                        wlk_error *error);

WLK_MUST_USE wlk_status whole_file_write(const whole_file *file, const void *bytes, uint64_t length,
                                         wlk_error *error);

/* The refusal for what was done with `fd` and gave this errno. */
WLK_MUST_USE wlk_status whole_file_failed(const whole_file *file, int reason, wlk_error *error);

/* Puts the file into its place, on disk. On failure the place is as it was; but where a
 * file was replaced and only its folder could not be synced, the new one is there. */
WLK_MUST_USE wlk_status whole_file_commit(whole_file *file, wlk_error *error);

/* What was not committed leaves no trace. May be called again. */
void whole_file_close(whole_file *file);

/* All of that for a content in memory. */
WLK_MUST_USE wlk_status whole_file_put(const whole_place *place, const void *bytes, uint64_t length,
                                       wlk_error *error);

/* Writes all of it to whatever is open; 0, or the errno. */
WLK_MUST_USE int whole_write(int fd, const void *bytes, uint64_t length);

#endif

/* Replacing the bytes before the data of a file where they lie, so that an interruption
 * at any moment can be undone: the old ones are saved as FILE.undo while it lasts. */
#ifndef WLK_WRITE_HEAD_FILE_H
#define WLK_WRITE_HEAD_FILE_H

#include <stdint.h>

#include "base/error.h"

/* Opens a regular file, and no link, for reading and writing; *fd is the caller's.
 * Rules gate.open, write.target. */
wlk_status head_file_open(const char *path, int *fd, wlk_error *error);

/* Is there no FILE.undo? write.undo says how to use it. */
wlk_status head_file_check_undo(const char *path, wlk_error *error);

/* Writes now[0..bytes) to the beginning of the open file, where old[0..bytes) lies, and
 * syncs it. Something else lies there: write.changed. What fails leaves the file as it
 * was (write.failed), or, where that fails too, FILE.undo (write.undo). */
wlk_status head_file_replace(int fd, const char *path, const uint8_t *old, const uint8_t *now,
                             uint64_t bytes, wlk_error *error);

#endif

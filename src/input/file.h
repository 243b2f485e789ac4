/* Reading and naming files that a user hands in. The only system calls of this
 * module are here. */
#ifndef WLK_INPUT_FILE_H
#define WLK_INPUT_FILE_H

#include "base/error.h"

/* The bytes of a file, owned; `data` is never NULL after a successful read. */
typedef struct input_file {
    uint8_t *data;
    uint64_t size;
} input_file;

/* Reads all of `path` ("-" is standard input), at most `limit` bytes: more is
 * input.size. Files, pipes and devices alike are read once from start to end. */
wlk_status input_file_read(const char *path, uint64_t limit, input_file *file, wlk_error *error);
void input_file_free(input_file *file);

/* Reads the regular file `name` below `folder`. The name must be relative, of
 * plain components: no "..", ".", empty part, backslash or control character
 * (input.name), so that a specification cannot reach outside its folder by its
 * text. Links inside the folder are followed: they are the user's own. */
wlk_status input_file_read_below(const char *folder, const char *name, uint64_t limit,
                                 input_file *file, wlk_error *error);

/* The folder part of a path, "." if it has none; the caller frees it. NULL if
 * there is no memory. */
char *input_folder_of(const char *path);

#endif

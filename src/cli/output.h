/* Where results go: a file that appears whole or not at all, a device or pipe, or
 * standard output. */
#ifndef WLK_CLI_OUTPUT_H
#define WLK_CLI_OUTPUT_H

#include <stdio.h>

#include "base/error.h"

typedef struct output {
    FILE *stream;
    const char *path; /* NULL: standard output */
    char *temporary;  /* what is written to until the end; NULL if that is `path` itself */
} output;

/* Opens for writing; path NULL or "-" is standard output. A new file, or one in the
 * place of a regular file, is first written under another name beside it; devices
 * and pipes are written to directly; anything else is write.target. After success
 * output_close must follow. */
WLK_MUST_USE wlk_status output_open(const char *path, output *out, wlk_error *error);

/* Writes data; a failure says what the system says of it (a later flush may not know). */
WLK_MUST_USE wlk_status output_put(const output *out, const void *data, uint64_t size,
                                   wlk_error *error);

/* With WLK_OK as `done`: puts the file into its place, all of it on disk. With a
 * failure, which is handed back: nothing is left behind. Standard output stays open;
 * whether it took everything is seen at the end of the program (cli_finish). */
WLK_MUST_USE wlk_status output_close(output *out, wlk_status done, wlk_error *error);

#endif

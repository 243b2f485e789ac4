/* Where results go: a file that appears whole or not at all, a device or pipe, or
 * standard output. */
#ifndef WLK_CLI_OUTPUT_H
#define WLK_CLI_OUTPUT_H

#include <stdio.h>

#include "file/whole_file.h"

/* Not to be moved between output_open and output_close. */
typedef struct output {
    FILE *stream;
    const char *path; /* NULL: standard output */
    whole_file file;  /* the file; none if the path is that of a device or pipe */
    int fd;           /* what the stream writes to */
    int reason;       /* the errno of the first write that failed; 0: none did */
} output;

/* Opens for writing; path NULL or "-" is standard output. Devices and pipes are written
 * to directly; anything else is put in the place of a regular file, or of nothing
 * (write.target), when it is closed. After success output_close must follow. */
WLK_MUST_USE wlk_status output_open(const char *path, output *out, wlk_error *error);

/* Writes data; a failure says what the system says of it, on standard output too. */
WLK_MUST_USE wlk_status output_put(const output *out, const void *data, uint64_t size,
                                   wlk_error *error);

/* With WLK_OK as `done`: puts the file into its place, all of it on disk. With a
 * failure, which is handed back: nothing is left behind. Standard output stays open;
 * whether it took everything is seen at the end of the program (cli_finish). */
WLK_MUST_USE wlk_status output_close(output *out, wlk_status done, wlk_error *error);

#endif

/* Output files appear whole or not at all. */
#ifndef WLK_CLI_REPLACE_H
#define WLK_CLI_REPLACE_H

#include "base/error.h"

/* Writes data[0..size) beside `path` under a temporary name, syncs it and renames
 * it into place; on failure nothing is left behind. A path that exists and is not
 * a regular file (a device, a pipe) is written to directly. */
WLK_MUST_USE wlk_status replace_file(const char *path, const void *data, uint64_t size,
                                     wlk_error *error);

#endif

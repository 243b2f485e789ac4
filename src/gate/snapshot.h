/* The sealed copy: the bytes that are verified, parsed and handed out are these
 * and no others. A file is opened once and copied once into a memfd, which is
 * sealed against write, grow and shrink before anything looks at it. */
#ifndef WLK_GATE_SNAPSHOT_H
#define WLK_GATE_SNAPSHOT_H

#include "base/error.h"

typedef struct snapshot {
    int fd; /* sealed memfd; -1 if none */
    const uint8_t *data;
    uint64_t size;
} snapshot;

#define SNAPSHOT_NONE ((snapshot){.fd = -1})

/* Opens `path` read-only, refusing what is not a regular file. *fd is the
 * caller's. The error's text says what it is instead. */
wlk_status snapshot_open_path(const char *path, int *fd, wlk_error *error);

/* The size of the regular file behind fd, which is neither empty nor larger than
 * `limit` (limit.file-bytes). */
wlk_status snapshot_measure(int fd, uint64_t limit, uint64_t *size, wlk_error *error);

/* Copies the file behind fd, from its start; at most `limit` bytes
 * (limit.snapshot-bytes). A memfd that carries the three seals already is taken as it
 * is. Nothing that was copied is looked at before it is sealed. Where the process may
 * not make a file that large (RLIMIT_FSIZE), gate.file-limit and no signal. */
wlk_status snapshot_take(int fd, uint64_t limit, snapshot *out, wlk_error *error);

/* Copies bytes [0, length) of a file that may be longer; length is not 0. */
wlk_status snapshot_take_head(int fd, uint64_t length, snapshot *out, wlk_error *error);

/* Closes the descriptor; the bytes stay mapped. */
void snapshot_close(snapshot *s);

/* Unmaps and closes. */
void snapshot_drop(snapshot *s);

#endif

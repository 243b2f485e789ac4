/* The confined child as a process: its program, its start, its end. */
#ifndef WLK_GATE_CHILD_H
#define WLK_GATE_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

typedef struct child {
    pid_t pid;
    int pidfd;
    int control; /* write end: ORDER, GO */
    int control_peer; /* its read end, kept open: writing to a dead child is no SIGPIPE */
    int result;  /* read end, non-blocking: frames */
    bool killed; /* by us */
} child;

#define CHILD_NONE ((child){.pid = -1, .pidfd = -1, .control = -1, .control_peer = -1, .result = -1})

/* Opens weighlock-child and checks, on that descriptor, that it is a regular file
 * owned by root or the caller and writable by nobody else. *fd is the caller's. */
wlk_status child_program_open(const char *path, int *fd, wlk_error *error);

typedef struct child_start {
    int program;
    int snapshot;        /* becomes fd 3; -1 for none */
    int namespace_flags; /* CLONE_NEWPID, CLONE_NEWUSER or 0 */
    const void *order;   /* written before the start: fits in an empty pipe */
    size_t order_bytes;
} child_start;

/* Starts the program with an empty environment and descriptors 0 to 3. When the
 * kernel refuses the namespace flags, *namespace_errno says why and the verdict
 * is cage.spawn; a caller that may do without tries again without them. */
wlk_status child_spawn(const child_start *start, child *out, int *namespace_errno,
                       wlk_error *error);

/* SIGKILL, if it still runs. */
void child_kill(child *c);

/* Waits for the end, kills at the deadline (CLOCK_MONOTONIC, ns), collects the
 * child, closes everything. WLK_OK only for exit code 0 that was seen. */
wlk_status child_collect(child *c, uint64_t deadline, uint64_t cpu_limit, wlk_error *error);

/* Nanoseconds of CLOCK_MONOTONIC. */
uint64_t clock_now(void);

#endif

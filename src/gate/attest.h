/* What the parent can see of the child with its own eyes, before it says GO. */
#ifndef WLK_GATE_ATTEST_H
#define WLK_GATE_ATTEST_H

#include <stdbool.h>
#include <sys/types.h>

#include "wire/frame.h"

typedef struct attest_claim {
    pid_t pid;                  /* of the waiting child */
    bool privileged;            /* this process is root: identities must have changed */
    uint32_t uid, gid;          /* what they must have become */
    uint32_t held;              /* bit i: HELLO says that layer i holds */
    uint32_t inherited_filters; /* from attest_own_filters */
    uint64_t stream_bytes;      /* private memory for a file that comes later */
    const wlk_limits *limits;
} attest_claim;

/* How many seccomp filters this thread runs under; a child inherits them. */
wlk_status attest_own_filters(uint32_t *count, wlk_error *error);

/* Reads /proc/PID and the limits. Every claim that can be seen from outside must
 * be true, or cage.attest names it; /proc must be that of our PID namespace, and PID readable there
 * and a child of this process, or cage.unreadable. *attested: bit i for each layer that was seen to
 * hold. */
wlk_status attest_child(const attest_claim *claim, uint32_t *attested, wlk_error *error);

#endif

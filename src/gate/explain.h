/* An explained load: the child is watched with ptrace while it runs, by a thread of its
 * own. The cage is that of any load, the filter kills as ever, and the child cannot tell
 * the kernel what to report: only which call it was killed for is learned besides. */
#ifndef WLK_GATE_EXPLAIN_H
#define WLK_GATE_EXPLAIN_H

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>

#include <weighlock/load.h>

#include "base/error.h"
#include "gate/child.h"

typedef struct explain {
    child_watch watch; /* for the session whose child is to be watched */

    /* Between explain_begin and explain_end the tracer's, a thread. */
    pthread_t tracer;
    bool started;
    pid_t pid;
    int pidfd;            /* a copy, since the session closes its own */
    int reason;           /* errno where the child cannot be watched */
    sem_t held, released; /* the tracer holds the child; nobody needs the tracer any more */
    bool inside;          /* the child is in the call below: it was seen to enter only */
    wlk_violation call;   /* the last one that it entered; found: killed for it */
    int crash;            /* the signal that would have ended it: see explain.c */
    bool stopped;         /* by somebody, and not let go on */
} explain;

/* *x is not to be moved until explain_end, which must follow. */
void explain_begin(explain *x);

/* Behind a session that ended with `status` and *error, and whose child ended by the
 * signal `ended_by` (0: none). Ends the tracer, fills in *violation, and returns the
 * status of the load: what looks otherwise when it is watched, a crash and a child that
 * somebody stopped, is put right. */
wlk_status explain_end(explain *x, int ended_by, wlk_violation *violation, wlk_status status,
                       wlk_error *error);

#endif

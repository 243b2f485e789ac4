/* The confined child as a process: its program and its start (spawn.c), its end (child.c). */
#ifndef WLK_GATE_CHILD_H
#define WLK_GATE_CHILD_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

#include "base/error.h"

typedef struct child {
    pid_t pid;
    int pidfd;
    int control;      /* write end, non-blocking: ORDER, GO */
    int control_peer; /* its read end, kept open: writing to a dead child is no SIGPIPE */
    int result;       /* read end, non-blocking: frames */
    bool killed;      /* by us */
    int ended_by;     /* once collected: the signal that ended it, 0 for none */
    uint64_t eager;   /* ns for which whoever waits for it may still stay awake */
} child;

#define CHILD_NONE \
    ((child){.pid = -1, .pidfd = -1, .control = -1, .control_peer = -1, .result = -1})

/* Opens weighlock-child and checks, on that descriptor, that it is a regular file
 * that can be executed (cage.program, cage.program-execute), owned by root or the
 * caller and writable by nobody else (cage.program-mode). *fd is the caller's. */
wlk_status child_program_open(const char *path, int *fd, wlk_error *error);

/* Empty namespaces that every child of a gate joins: network, IPC, UTS, cgroup.
 * Making a network namespace costs as much as the rest of a child's start, and
 * none of the children can do anything in it. */
enum { CHILD_SPACES = 4 };
typedef struct child_spaces {
    int fd[CHILD_SPACES]; /* fd[0] is -1 where they could not be made */
} child_spaces;

/* Makes them where that is allowed: as root; an ordinary user's child makes its
 * own. Closed with child_spaces_close. */
child_spaces child_spaces_new(void);
void child_spaces_close(child_spaces *spaces);

/* Told of a child that has started, before it gets its ORDER: nothing that it does can be
 * missed. Returns 0, or an errno with which the start fails (cage.explain). */
typedef struct child_watch {
    int (*begin)(void *context, pid_t pid, int pidfd);
    void *context;
} child_watch;

typedef struct child_start {
    int program;
    int null;                   /* /dev/null, becomes fd 2 */
    int snapshot;               /* becomes fd 3; -1 for none */
    const child_spaces *spaces; /* to be joined before the exec; NULL for none */
    int namespace_flags;        /* CLONE_NEWPID, CLONE_NEWUSER or 0 */
    const void *order;          /* written before the start: fits in an empty pipe */
    size_t order_bytes;
    uint64_t deadline;        /* for the exec: CLOCK_MONOTONIC, ns */
    bool large;               /* much will come: ask for a larger pipe */
    const child_watch *watch; /* NULL: nobody watches */
} child_start;

/* Starts the program with an empty environment and descriptors 0 to 3. When the
 * kernel refuses the namespace flags, *namespace_errno says why and the verdict
 * is cage.spawn; a caller that may do without tries again without them. A child that
 * has not become the program at the deadline is killed: limit.deadline, or cage.stopped
 * if somebody had stopped it. */
wlk_status child_spawn(const child_start *start, child *out, int *namespace_errno,
                       wlk_error *error);

/* Is it ending? Waits a few milliseconds for that, to be asked only where something is
 * wrong already. */
bool child_is_ending(const child *c);

/* Has it ended already? */
bool child_has_ended(const child *c);

/* Has somebody stopped it? From inside its cage it cannot do that itself. */
bool child_is_stopped(const child *c);

/* SIGKILL, if it still runs. */
void child_kill(child *c);

/* Waits for the end, kills at the deadline (CLOCK_MONOTONIC, ns), collects the
 * child, closes everything. WLK_OK only for exit code 0 that was seen. A child that
 * somebody had stopped at the deadline is cage.stopped; where the system does not let us
 * wait, it is killed at once, and that is cage.unseen. */
wlk_status child_collect(child *c, uint64_t deadline, uint64_t cpu_limit, wlk_error *error);

/* Ends a child whose answer nobody waits for: closes its pipes, kills and collects it.
 * Where it may not be killed, since this process has given up root, the closed pipes end
 * it. Waits a moment at the most. */
void child_discard(child *c);

/* Lets go of a child that is another process's (we were forked from it): closes only. */
void child_forget(child *c);

/* Asks for larger pipes: much will go through them. May be refused. */
#define CHILD_PIPE_BYTES (1 << 20)
void child_widen(const child *c);

/* How long to look again and again, lending the processor to others in between,
 * before going to sleep. A small model takes the child less than a millisecond
 * altogether, and being woken three times was a quarter of that (`make bench`). It is
 * for the whole life of a child: one that drips its answer gets no more of it. */
#define CHILD_EAGER_NS 2000000ull

/* Nanoseconds of CLOCK_MONOTONIC; and so many as the system's calls want them. */
uint64_t clock_now(void);
struct timespec clock_span(uint64_t nanoseconds);

/* May the caller, who found nothing at `since`, look once more without sleeping? If
 * so, lends the processor to others and charges the child for the time. */
bool child_stay_awake(child *c, uint64_t since);

#endif

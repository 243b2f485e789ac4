#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gate/child.h"

#define STACK_BYTES 32768
#define SPACES_NS 2000000000ull /* for making namespaces: that takes a millisecond */

/* ---- the program */

static wlk_status program_check(int program, const char *path, wlk_error *error) {
    struct stat status;
    wlk_rule rule = RULE_CAGE_PROGRAM_MODE;
    const char *wrong;
    if (fstat(program, &status) != 0 || !S_ISREG(status.st_mode)) {
        rule = RULE_CAGE_PROGRAM;
        wrong = "is not a regular file";
    } else if (status.st_uid != 0 && status.st_uid != geteuid()) {
        wrong = "is owned by neither root nor you";
    } else if (status.st_mode & (S_IWGRP | S_IWOTH)) {
        wrong = "is writable by others";
    } else if (!(status.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH))) {
        rule = RULE_CAGE_PROGRAM_EXECUTE;
        wrong = "is not executable";
    } else {
        return WLK_OK;
    }
    return error_text(error, rule, WLK_NO_OFFSET, "%s %s", path, wrong);
}

wlk_status child_program_open(const char *path, int *fd, wlk_error *error) {
    const int program = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (program < 0) return error_errno(error, RULE_CAGE_PROGRAM, errno, path);
    const wlk_status status = program_check(program, path, error);
    if (status == WLK_OK) {
        *fd = program;
    } else {
        (void)close(program);
    }
    return status;
}

/* ---- start */

/* Lives on the spawning function's stack: the child shares the memory until exec,
 * and the parent sleeps meanwhile, so this is also how it reports an errno. Valid only
 * once the child has left that memory. */
typedef struct launch {
    int control, result, null, snapshot, program;
    const child_spaces *spaces;
    bool new_user;                 /* a user namespace was made: map the own ids into it */
    char uid_map[40], gid_map[40]; /* "ID ID 1": ready, for the child must not format text */
    volatile int failed;
} launch;

static bool write_text(const char *path, const char *text) {
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return false;
    const size_t length = strlen(text);
    const bool written = write(fd, text, length) == (ssize_t)length;
    (void)close(fd);
    return written;
}

/* An unmapped user could make no further namespace. */
static bool launch_map_ids(const launch *l) {
    return write_text("/proc/self/setgroups", "deny") &&
           write_text("/proc/self/uid_map", l->uid_map) &&
           write_text("/proc/self/gid_map", l->gid_map);
}

/* Puts the four descriptors at 0..3 and marks all others close-on-exec. The copy
 * of the program's descriptor, or -1. */
static int launch_descriptors(const launch *l) {
    const int from[] = {l->control, l->result, l->null, l->snapshot};
    int safe[4];
    for (int i = 0; i < 4; i++) { /* out of the way of 0..3 first */
        safe[i] = from[i] < 0 ? -1 : fcntl(from[i], F_DUPFD, 16);
        if (from[i] >= 0 && safe[i] < 0) return -1;
    }
    const int program = fcntl(l->program, F_DUPFD, 16);
    for (int i = 0; i < 4; i++) {
        if (safe[i] >= 0 && dup2(safe[i], i) < 0) return -1;
    }
    const unsigned first = l->snapshot < 0 ? 3 : 4;
    if (syscall(SYS_close_range, first, ~0u, 4 /* CLOSE_RANGE_CLOEXEC */) != 0) return -1;
    return program;
}

static const struct {
    int flag;
    const char *path;
} space_rows[CHILD_SPACES] = {
    {CLONE_NEWNET, "/proc/self/ns/net"},
    {CLONE_NEWIPC, "/proc/self/ns/ipc"},
    {CLONE_NEWUTS, "/proc/self/ns/uts"},
    {CLONE_NEWCGROUP, "/proc/self/ns/cgroup"},
};

static bool launch_join(const launch *l) {
    if (!l->spaces) return true;
    for (int i = 0; i < CHILD_SPACES; i++) {
        if (setns(l->spaces->fd[i], space_rows[i].flag) != 0) return false;
    }
    return true;
}

/* Runs in the child, on its own stack but in the parent's memory: nothing but
 * system calls, and no change to what the parent will find. */
static int launch_exec(void *argument) {
    launch *l = argument;
    const int program = launch_join(l) ? launch_descriptors(l) : -1;
    if (program >= 0 && (!l->new_user || launch_map_ids(l))) {
        static char name[] = "weighlock-child";
        char *const arguments[] = {name, NULL}, *const environment[] = {NULL};
        (void)syscall(SYS_execveat, program, "", arguments, environment, AT_EMPTY_PATH);
    }
    l->failed = errno != 0 ? errno : EIO; /* a short write leaves no errno */
    _exit(127);
}

/* The child never leaves its last frames: in builds with AddressSanitizer their marks
 * would lie in wait for whatever uses this stack next. ThreadSanitizer's notes about a
 * thread are the child's too, and bear only one at a time: there the parent sleeps as in
 * vfork, without a deadline. */
#if defined(__SANITIZE_ADDRESS__)
#define ADDRESS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ADDRESS_SANITIZED 1
#elif __has_feature(thread_sanitizer)
#define THREAD_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define THREAD_SANITIZED 1
#endif
#ifdef ADDRESS_SANITIZED
#include <sanitizer/asan_interface.h>
#define STACK_CLEAN(stack) __asan_unpoison_memory_region(stack, sizeof(stack))
#else
#define STACK_CLEAN(stack) ((void)0)
#endif
#ifdef THREAD_SANITIZED
#define LAUNCH_FLAGS (CLONE_VM | CLONE_VFORK | CLONE_PIDFD | CLONE_CHILD_CLEARTID | SIGCHLD)
#else
#define LAUNCH_FLAGS (CLONE_VM | CLONE_PIDFD | CLONE_CHILD_CLEARTID | SIGCHLD)
#endif

/* What came of a clone. */
typedef struct launched {
    pid_t pid;    /* -1: of nothing, */
    int reason;   /* for this errno */
    int pidfd;    /* the caller's */
    bool late;    /* still in our memory at the deadline: killed */
    bool stopped; /* somebody had stopped it */
} launched;

/* Waits until the child has left our memory: the kernel clears *here then, and wakes who
 * waits for that. Somebody may stop the child before, so there is a deadline; behind it
 * SIGKILL is waited for, which nothing can hold. errno is the child's too: it says nothing
 * here, so only the clock and *here are asked. */
static void wait_until_gone(const atomic_uint *here, uint64_t deadline, launched *out) {
    const struct timespec until = clock_span(deadline);
    while (atomic_load(here) != 0) {
        if (!out->late && clock_now() >= deadline) {
            out->late = true;
            out->stopped = child_is_stopped(&(child){.pidfd = out->pidfd});
            (void)syscall(SYS_pidfd_send_signal, out->pidfd, SIGKILL, NULL, 0);
        }
        (void)syscall(SYS_futex, here, FUTEX_WAIT_BITSET, 1u, out->late ? NULL : &until, NULL,
                      FUTEX_BITSET_MATCH_ANY);
    }
}

/* Runs `run` in a child that shares our memory, as vfork does: no copy of the parent's
 * page tables, so the cost does not depend on the parent's size. Returns when it has left
 * that memory, by exec or exit. All signals are blocked meanwhile, for a handler would run
 * in the shared memory. In the child they stay blocked: the program opens them when the
 * host's handlers are gone. */
static launched launch_clone(int (*run)(void *), void *argument, int flags, uint64_t deadline) {
    _Alignas(16) unsigned char stack[STACK_BYTES];
    atomic_uint here = 1;
    launched out = {.pidfd = -1};
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &before);
    out.pid =
        clone(run, stack + sizeof stack, LAUNCH_FLAGS | flags, argument, &out.pidfd, NULL, &here);
    if (out.pid < 0) {
        out.reason = errno;
    } else {
        wait_until_gone(&here, deadline, &out);
    }
    STACK_CLEAN(stack);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return out;
}

static void close_if_open(int *fd) {
    if (*fd >= 0) (void)close(*fd);
    *fd = -1;
}

static wlk_status open_pipes(bool large, int control[2], int result[2], wlk_error *error) {
    if (pipe2(control, O_CLOEXEC) != 0 || pipe2(result, O_CLOEXEC) != 0) {
        return error_errno(error, RULE_CAGE_SPAWN, errno, "pipe");
    }
    if (large) (void)fcntl(result[0], F_SETPIPE_SZ, CHILD_PIPE_BYTES);
    if (fcntl(result[0], F_SETFL, O_NONBLOCK) != 0 || fcntl(control[1], F_SETFL, O_NONBLOCK) != 0) {
        return error_errno(error, RULE_CAGE_SPAWN, errno, "pipe");
    }
    return WLK_OK;
}

static wlk_status write_order(const child_start *start, int control, wlk_error *error) {
    if (write(control, start->order, start->order_bytes) == (ssize_t)start->order_bytes) {
        return WLK_OK;
    }
    return error_errno(error, RULE_CAGE_SPAWN, errno, "order");
}

/* The child waits for its ORDER until it is watched. */
static wlk_status watch_child(const child_start *start, const child *c, wlk_error *error) {
    const int reason = start->watch->begin(start->watch->context, c->pid, c->pidfd);
    if (reason != 0) return error_errno(error, RULE_CAGE_EXPLAIN, reason, "ptrace");
    return write_order(start, c->control, error);
}

static wlk_status launch_child(const child_start *start, const int control[2], const int result[2],
                               child *out, int *namespace_errno, wlk_error *error) {
    if (!start->watch) TRY(write_order(start, control[1], error));
    launch l = {.control = control[0],
                .result = result[1],
                .null = start->null,
                .snapshot = start->snapshot,
                .program = start->program,
                .spaces = start->spaces,
                .new_user = start->namespace_flags & CLONE_NEWUSER};
    if (l.new_user) {
        (void)snprintf(l.uid_map, sizeof l.uid_map, "%u %u 1", geteuid(), geteuid());
        (void)snprintf(l.gid_map, sizeof l.gid_map, "%u %u 1", getegid(), getegid());
    }
    const launched made = launch_clone(launch_exec, &l, start->namespace_flags, start->deadline);
    if (made.pid < 0) {
        *namespace_errno = start->namespace_flags ? made.reason : 0;
        return error_errno(error, RULE_CAGE_SPAWN, made.reason, "clone");
    }
    *out = (child){.pid = made.pid,
                   .pidfd = made.pidfd,
                   .control = control[1],
                   .control_peer = control[0],
                   .result = result[0],
                   .eager = CHILD_EAGER_NS};
    if (made.late) {
        return error_at(error, made.stopped ? RULE_CAGE_STOPPED : RULE_LIMIT_DEADLINE,
                        WLK_NO_OFFSET);
    }
    if (l.failed == 0) return start->watch ? watch_child(start, out, error) : WLK_OK;
    *namespace_errno = l.new_user ? l.failed : 0;
    return error_errno(error, RULE_CAGE_SPAWN, l.failed, "exec");
}

wlk_status child_spawn(const child_start *start, child *out, int *namespace_errno,
                       wlk_error *error) {
    int control[2] = {-1, -1}, result[2] = {-1, -1};
    *out = CHILD_NONE;
    *namespace_errno = 0;
    wlk_status status = open_pipes(start->large, control, result, error);
    if (status == WLK_OK) {
        status = launch_child(start, control, result, out, namespace_errno, error);
    }
    close_if_open(&result[1]);
    if (status == WLK_OK) return WLK_OK;
    if (out->pid >= 0) {
        (void)!child_collect(out, 0, 0, NULL);
    } else {
        close_if_open(&control[0]);
        close_if_open(&control[1]);
        close_if_open(&result[0]);
    }
    return status;
}

/* Runs in the new namespaces, with our memory and our descriptors: what it opens
 * stays open here. */
static int spaces_open(void *argument) {
    child_spaces *spaces = argument;
    for (int i = 0; i < CHILD_SPACES; i++) {
        spaces->fd[i] = open(space_rows[i].path, O_RDONLY | O_CLOEXEC);
    }
    _exit(0);
}

child_spaces child_spaces_new(void) {
    child_spaces spaces = {{-1, -1, -1, -1}};
    int flags = CLONE_FILES;
    siginfo_t info;
    for (int i = 0; i < CHILD_SPACES; i++) flags |= space_rows[i].flag;
    const launched made = launch_clone(spaces_open, &spaces, flags, clock_now() + SPACES_NS);
    if (made.pid < 0) return spaces;
    while (syscall(SYS_waitid, P_PIDFD, made.pidfd, &info, WEXITED | __WALL, NULL) != 0) {
        if (errno != EINTR) break; /* somebody else has collected it */
    }
    (void)close(made.pidfd);
    for (int i = 0; i < CHILD_SPACES; i++) {
        if (spaces.fd[i] < 0) child_spaces_close(&spaces); /* all or none */
    }
    return spaces;
}

void child_spaces_close(child_spaces *spaces) {
    for (int i = 0; i < CHILD_SPACES; i++) close_if_open(&spaces->fd[i]);
}

#include "gate/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PIPE_BYTES (1 << 20) /* 1 MiB: fewer switches for large payloads; may be refused */
#define STACK_BYTES 32768
#define LET_GO_MS 1000  /* for the kernel to let go of a process that has ended */
#define LET_DOWN_MS 250 /* for a child to see the end of its pipe, where it may not be killed */
#define ENDING_MS 20    /* from a signal to the end of a process */
#define NANOSECONDS 1000000000ull

uint64_t clock_now(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NANOSECONDS + (uint64_t)now.tv_nsec;
}

bool child_stay_awake(child *c, uint64_t since) {
    if (c->eager == 0) return false;
    (void)sched_yield();
    const uint64_t took = clock_now() - since;
    c->eager -= took < c->eager ? took : c->eager;
    return true;
}

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
 * and the parent sleeps meanwhile, so this is also how it reports an errno. */
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
 * would lie in wait for whatever uses this stack next. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifdef SANITIZED
#include <sanitizer/asan_interface.h>
#define STACK_CLEAN(stack) __asan_unpoison_memory_region(stack, sizeof(stack))
#else
#define STACK_CLEAN(stack) ((void)0)
#endif

/* clone with vfork semantics: no copy of the parent's page tables, so the cost
 * does not depend on the parent's size. All signals are blocked around it, for a
 * handler would run in the shared memory. In the child they stay blocked: the
 * program opens them when the host's handlers are gone. */
static pid_t launch_clone(int (*run)(void *), void *argument, int flags, int *pidfd) {
    _Alignas(16) unsigned char stack[STACK_BYTES];
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &before);
    const pid_t pid =
        clone(run, stack + sizeof stack, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD | flags,
              argument, pidfd);
    const int reason = errno;
    STACK_CLEAN(stack);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = reason;
    return pid;
}

static void close_if_open(int *fd) {
    if (*fd >= 0) (void)close(*fd);
    *fd = -1;
}

static void close_pipes(child *c) {
    close_if_open(&c->control);
    close_if_open(&c->control_peer);
    close_if_open(&c->result);
}

static wlk_status open_pipes(bool large, int control[2], int result[2], wlk_error *error) {
    if (pipe2(control, O_CLOEXEC) != 0 || pipe2(result, O_CLOEXEC) != 0) {
        return error_errno(error, RULE_CAGE_SPAWN, errno, "pipe");
    }
    if (large) (void)fcntl(result[0], F_SETPIPE_SZ, PIPE_BYTES);
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
    int pidfd = -1;
    const pid_t pid = launch_clone(launch_exec, &l, start->namespace_flags, &pidfd);
    if (pid < 0) {
        *namespace_errno = start->namespace_flags ? errno : 0;
        return error_errno(error, RULE_CAGE_SPAWN, errno, "clone");
    }
    *out = (child){.pid = pid,
                   .pidfd = pidfd,
                   .control = control[1],
                   .control_peer = control[0],
                   .result = result[0],
                   .eager = CHILD_EAGER_NS};
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
    int flags = CLONE_FILES, pidfd = -1;
    siginfo_t info;
    for (int i = 0; i < CHILD_SPACES; i++) flags |= space_rows[i].flag;
    if (launch_clone(spaces_open, &spaces, flags, &pidfd) < 0) return spaces;
    while (syscall(SYS_waitid, P_PIDFD, pidfd, &info, WEXITED | __WALL, NULL) != 0) {
        if (errno != EINTR) break; /* somebody else has collected it */
    }
    (void)close(pidfd);
    for (int i = 0; i < CHILD_SPACES; i++) {
        if (spaces.fd[i] < 0) child_spaces_close(&spaces); /* all or none */
    }
    return spaces;
}

void child_spaces_close(child_spaces *spaces) {
    for (int i = 0; i < CHILD_SPACES; i++) close_if_open(&spaces->fd[i]);
}

/* ---- end */

/* False if we may not: it is root's, and we have given up root since. */
static bool kill_now(const child *c) {
    return syscall(SYS_pidfd_send_signal, c->pidfd, SIGKILL, NULL, 0) == 0 || errno != EPERM;
}

void child_kill(child *c) {
    if (c->pidfd < 0) return;
    c->killed = true;
    (void)kill_now(c);
}

/* Waits until the child has ended; false at the deadline. */
static bool wait_for_end(child *c, uint64_t deadline) {
    struct pollfd watched = {.fd = c->pidfd, .events = POLLIN};
    for (;;) {
        const uint64_t now = clock_now();
        if (now >= deadline) return false;
        const uint64_t left = c->eager > 0 ? 0 : deadline - now;
        const struct timespec wait = {.tv_sec = (time_t)(left / NANOSECONDS),
                                      .tv_nsec = (long)(left % NANOSECONDS)};
        const int ready = ppoll(&watched, 1, &wait, NULL);
        if (ready > 0) return true;
        if (ready < 0 && errno != EINTR) return false;
        (void)child_stay_awake(c, now);
    }
}

bool child_is_ending(const child *c) {
    struct pollfd watched = {.fd = c->pidfd, .events = POLLIN};
    return poll(&watched, 1, ENDING_MS) > 0;
}

bool child_has_ended(const child *c) {
    struct pollfd watched = {.fd = c->pidfd, .events = POLLIN};
    return poll(&watched, 1, 0) != 0;
}

bool child_is_stopped(const child *c) {
    siginfo_t info = {0};
    const int flags = WSTOPPED | WNOHANG | WNOWAIT | __WALL;
    if (syscall(SYS_waitid, P_PIDFD, c->pidfd, &info, flags, NULL) != 0) return false;
    /* Who is traced stops at every call too, but not by one of these. */
    return info.si_pid != 0 && (info.si_status == SIGSTOP || info.si_status == SIGTSTP ||
                                info.si_status == SIGTTIN || info.si_status == SIGTTOU);
}

/* How the child ended. */
typedef struct child_end {
    bool seen;
    bool exited;
    int code; /* exit code or signal */
    uint64_t cpu_seconds;
} child_end;

static child_end pidfd_end(int pidfd) {
    struct {
        uint64_t mask, cgroup;
        uint32_t ids[11];
        int32_t exit_code;
    } info = {.mask = 1u << 3 /* PIDFD_INFO_EXIT */};
    const unsigned long request = _IOWR(0xff, 11, info);
    if (ioctl(pidfd, request, &info) != 0 || !(info.mask & 1u << 3)) return (child_end){0};
    const int status = info.exit_code;
    return (child_end){.seen = true,
                       .exited = WIFEXITED(status),
                       .code = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status)};
}

/* Where the host ignores SIGCHLD or waits for every child, waitid finds nothing;
 * from Linux 6.15 on the pidfd still tells, but only when the kernel has let go of
 * the process, which it says with POLLHUP. */
static child_end ask_pidfd(int pidfd) {
    struct pollfd gone = {.fd = pidfd};
    int ready = 1;
    child_end end = pidfd_end(pidfd);
    while (!end.seen && (ready = poll(&gone, 1, LET_GO_MS)) < 0 && errno == EINTR) continue;
    return end.seen || ready <= 0 ? end : pidfd_end(pidfd);
}

static child_end reap(int pidfd) {
    siginfo_t info = {0};
    struct rusage usage = {0};
    long got;
    do {
        got = syscall(SYS_waitid, P_PIDFD, pidfd, &info, WEXITED | __WALL, &usage);
    } while (got != 0 && errno == EINTR);
    if (got != 0) return ask_pidfd(pidfd);
    return (child_end){.seen = true,
                       .exited = info.si_code == CLD_EXITED,
                       .code = info.si_status,
                       .cpu_seconds = (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)};
}

/* The processor's own signals; the confined child can send itself none, so all others
 * came from outside. */
static bool is_crash(int number) {
    return number == SIGSEGV || number == SIGBUS || number == SIGILL || number == SIGFPE ||
           number == SIGTRAP || number == SIGABRT;
}

static wlk_status judge_signal(const child *c, const child_end *end, uint64_t cpu_limit,
                               wlk_error *error) {
    if (end->code == SIGSYS) return error_at(error, RULE_CAGE_SYSCALL, WLK_NO_OFFSET);
    const bool slow = cpu_limit > 0 && end->cpu_seconds >= cpu_limit;
    if (end->code == SIGXCPU || (slow && !c->killed)) {
        return error_at(error, RULE_LIMIT_CPU_SECONDS, WLK_NO_OFFSET);
    }
    const wlk_rule rule = is_crash(end->code) ? RULE_CAGE_CRASH : RULE_CAGE_KILLED;
    const bool perhaps_memory = end->code == SIGKILL; /* the child is the first to be taken */
    return error_text(error, rule, WLK_NO_OFFSET, "signal %d%s", end->code,
                      perhaps_memory ? ", which the kernel sends when memory runs out" : "");
}

static wlk_status judge(const child *c, const child_end *end, uint64_t cpu_limit,
                        wlk_error *error) {
    if (!end->seen) return error_at(error, RULE_CAGE_UNSEEN, WLK_NO_OFFSET);
    if (!end->exited) return judge_signal(c, end, cpu_limit, error);
    if (end->code == 0) return WLK_OK;
    return error_text(error, RULE_CAGE_EXIT, WLK_NO_OFFSET, "exit code %d", end->code);
}

wlk_status child_collect(child *c, uint64_t deadline, uint64_t cpu_limit, wlk_error *error) {
    if (c->pidfd < 0) return error_at(error, RULE_CAGE_UNSEEN, WLK_NO_OFFSET);
    const bool in_time = wait_for_end(c, deadline);
    const wlk_rule late = !in_time && child_is_stopped(c) ? RULE_CAGE_STOPPED : RULE_LIMIT_DEADLINE;
    if (!in_time) child_kill(c);
    close_pipes(c); /* who may not be killed ends with them, or with its processor time */
    const child_end end = reap(c->pidfd);
    c->ended_by = end.seen && !end.exited ? end.code : 0;
    const wlk_status status =
        in_time ? judge(c, &end, cpu_limit, error) : error_at(error, late, WLK_NO_OFFSET);
    child_forget(c);
    return status;
}

void child_discard(child *c) {
    siginfo_t info;
    if (c->pidfd < 0) return;
    close_pipes(c);
    const uint64_t wait_ms = kill_now(c) ? LET_GO_MS : LET_DOWN_MS;
    c->eager = 0;
    /* One that has ended may still be its tracer's to collect, and is then waited for. */
    const bool ended = wait_for_end(c, clock_now() + wait_ms * (NANOSECONDS / 1000));
    const int flags = WEXITED | __WALL | (ended ? 0 : WNOHANG);
    while (syscall(SYS_waitid, P_PIDFD, c->pidfd, &info, flags, NULL) != 0) {
        if (errno != EINTR) break;
    }
    child_forget(c);
}

void child_forget(child *c) {
    close_pipes(c);
    close_if_open(&c->pidfd);
    c->pid = -1;
}

void child_widen(const child *c) {
    (void)fcntl(c->control, F_SETPIPE_SZ, PIPE_BYTES);
    (void)fcntl(c->result, F_SETPIPE_SZ, PIPE_BYTES);
}

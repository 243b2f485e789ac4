#include "gate/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LET_GO_MS 1000  /* for the kernel to let go of a process that has ended */
#define LET_DOWN_MS 250 /* for a child to see the end of its pipe, where it may not be killed */
#define ENDING_MS 20    /* from a signal to the end of a process */
#define NANOSECONDS 1000000000ull

uint64_t clock_now(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NANOSECONDS + (uint64_t)now.tv_nsec;
}

struct timespec clock_span(uint64_t nanoseconds) {
    return (struct timespec){.tv_sec = (time_t)(nanoseconds / NANOSECONDS),
                             .tv_nsec = (long)(nanoseconds % NANOSECONDS)};
}

bool child_stay_awake(child *c, uint64_t since) {
    if (c->eager == 0) return false;
    (void)sched_yield();
    const uint64_t took = clock_now() - since;
    c->eager -= took < c->eager ? took : c->eager;
    return true;
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

typedef enum waited { WAITED_ENDED, WAITED_LATE, WAITED_BLIND } waited;

/* Waits until the child has ended. Blind: the system does not let us, and errno says why. */
static waited wait_for_end(child *c, uint64_t deadline) {
    struct pollfd watched = {.fd = c->pidfd, .events = POLLIN};
    for (;;) {
        const uint64_t now = clock_now();
        if (now >= deadline) return WAITED_LATE;
        const struct timespec wait = clock_span(c->eager > 0 ? 0 : deadline - now);
        const int ready = ppoll(&watched, 1, &wait, NULL);
        if (ready > 0) return WAITED_ENDED;
        if (ready < 0 && errno != EINTR) return WAITED_BLIND;
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

/* Why a child is killed whose end did not come, before it is. */
static wlk_status judge_waiting(const child *c, waited how, int reason, wlk_error *error) {
    if (how == WAITED_BLIND) return error_errno(error, RULE_CAGE_UNSEEN, reason, "poll");
    const wlk_rule rule = child_is_stopped(c) ? RULE_CAGE_STOPPED : RULE_LIMIT_DEADLINE;
    return error_at(error, rule, WLK_NO_OFFSET);
}

wlk_status child_collect(child *c, uint64_t deadline, uint64_t cpu_limit, wlk_error *error) {
    if (c->pidfd < 0) return error_at(error, RULE_CAGE_UNSEEN, WLK_NO_OFFSET);
    const waited how = wait_for_end(c, deadline);
    const int reason = errno;
    wlk_status status = WLK_OK;
    if (how != WAITED_ENDED) {
        status = judge_waiting(c, how, reason, error);
        child_kill(c);
    }
    close_pipes(c); /* who may not be killed ends with them, or with its processor time */
    const child_end end = reap(c->pidfd);
    c->ended_by = end.seen && !end.exited ? end.code : 0;
    if (how == WAITED_ENDED) status = judge(c, &end, cpu_limit, error);
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
    const waited how = wait_for_end(c, clock_now() + wait_ms * (NANOSECONDS / 1000));
    const int flags = WEXITED | __WALL | (how == WAITED_ENDED ? 0 : WNOHANG);
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
    (void)fcntl(c->control, F_SETPIPE_SZ, CHILD_PIPE_BYTES);
    (void)fcntl(c->result, F_SETPIPE_SZ, CHILD_PIPE_BYTES);
}

#include "gate/explain.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SYSCALL_STOP (SIGTRAP | 0x80) /* with PTRACE_O_TRACESYSGOOD */
#define BY_SECCOMP 1                  /* SYS_SECCOMP of <asm-generic/siginfo.h> */
#define FIRST_PAUSE_NS 20000l
#define LAST_PAUSE_NS 1000000l
#define MOST_PENDING 4

/* ---- waiting for the child to stop */

/* Is the child stopped for us? *why: what for. */
static bool is_stopped(const explain *x, siginfo_t *why) {
    return ptrace(PTRACE_GETSIGINFO, x->pid, NULL, why) == 0;
}

/* Waits for the next stop; false when the child has ended. Stops are not taken with
 * waitid: in a host that waits for all of its children somebody else may get them, and
 * the child would stand still. The pauses get longer while it computes. */
static bool next_stop(const explain *x, siginfo_t *why) {
    struct pollfd ended = {.fd = x->pidfd, .events = POLLIN};
    struct timespec pause = {.tv_nsec = FIRST_PAUSE_NS};
    while (!is_stopped(x, why)) {
        if (ppoll(&ended, 1, &pause, NULL) > 0) return false;
        if (pause.tv_nsec < LAST_PAUSE_NS) pause.tv_nsec += pause.tv_nsec / 4;
    }
    return true;
}

/* ---- what the kernel says at a stop */

/* Is the child about to die for the call it is in? The signal is the kernel's own: from
 * outside none can be sent with that code, and the child can send none at all. */
static bool is_doomed(const explain *x) {
    siginfo_t pending[MOST_PENDING];
    struct __ptrace_peeksiginfo_args from = {.nr = MOST_PENDING};
    const long count = ptrace(PTRACE_PEEKSIGINFO, x->pid, &from, pending);
    for (long i = 0; i < count; i++) {
        if (pending[i].si_signo == SIGSYS && pending[i].si_code == BY_SECCOMP) return true;
    }
    return false;
}

/* A call is seen twice: when the child enters it, which is before the filter looks at it,
 * and when it leaves it. From Linux 5.16 on who is killed for a call leaves it too, with
 * the signal pending; before, it is never seen again (explain_end). */
static void note_call(explain *x) {
    struct __ptrace_syscall_info info;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, x->pid, sizeof info, &info) <= 0) return;
    x->inside = info.op == PTRACE_SYSCALL_INFO_ENTRY;
    if (x->inside) {
        x->call = (wlk_violation){.architecture = info.arch,
                                  .number = (int64_t)info.entry.nr,
                                  .instruction = info.instruction_pointer};
        for (size_t i = 0; i < 6; i++) x->call.arguments[i] = info.entry.args[i];
    } else if (info.op == PTRACE_SYSCALL_INFO_EXIT && is_doomed(x)) {
        x->call.found = 1;
    }
}

static bool is_fault(const siginfo_t *why) {
    static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        if (why->si_signo == faults[i]) return why->si_code > 0; /* not sent by a process */
    }
    return false;
}

/* Process 1 of a PID namespace dies of its faults, but not while it is traced: the same
 * instruction would fault for ever. So it is killed, and what for is remembered. */
static void note_crash(explain *x, const siginfo_t *why) {
    x->crash = why->si_signo;
    (void)syscall(SYS_pidfd_send_signal, x->pidfd, SIGKILL, NULL, 0);
}

/* ---- the tracer */

static void go_on(const explain *x, enum __ptrace_request request, int number) {
    (void)ptrace(request, x->pid, NULL, (void *)(intptr_t)number); /* ESRCH: it has ended */
}

static void handle_stop(explain *x, const siginfo_t *why) {
    const bool event = why->si_code >> 8 == PTRACE_EVENT_STOP;
    x->stopped = false;
    if (why->si_signo == SIGTRAP && why->si_code == SYSCALL_STOP) {
        note_call(x);
        go_on(x, PTRACE_SYSCALL, 0);
    } else if (event && (why->si_code & 0xff) != SIGTRAP) {
        x->stopped = true; /* by somebody, and so it stays */
        go_on(x, PTRACE_LISTEN, 0);
    } else if (event) {
        go_on(x, PTRACE_SYSCALL, 0);
    } else if (is_fault(why)) {
        note_crash(x, why);
    } else {
        go_on(x, PTRACE_SYSCALL, why->si_signo);
    }
}

/* Takes hold of the child, which waits for its ORDER and can be dumped still. */
static int seize(const explain *x) {
    const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL;
    if (ptrace(PTRACE_SEIZE, x->pid, NULL, (void *)options) != 0) return errno;
    return ptrace(PTRACE_INTERRUPT, x->pid, NULL, NULL) == 0 ? 0 : errno;
}

static void wait_for(sem_t *semaphore) {
    while (sem_wait(semaphore) != 0 && errno == EINTR) continue;
}

/* Stays until the session has collected the child: a tracer that goes gives it back, and
 * where the host ignores SIGCHLD nobody would ever see how it ended. */
static void *trace(void *argument) {
    explain *x = argument;
    siginfo_t why;
    x->reason = seize(x);
    const bool holds = x->reason == 0;
    (void)sem_post(&x->held);
    while (holds && x->crash == 0 && next_stop(x, &why)) handle_stop(x, &why);
    wait_for(&x->released);
    return NULL;
}

/* With all signals blocked: the host's handlers are for its own threads. */
static int start_tracer(explain *x) {
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &before);
    const int reason = pthread_create(&x->tracer, NULL, trace, x);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    x->started = reason == 0;
    return reason;
}

static int watch_child(void *context, pid_t pid, int pidfd) {
    explain *x = context;
    x->pid = pid;
    x->pidfd = fcntl(pidfd, F_DUPFD_CLOEXEC, 3);
    if (x->pidfd < 0) return errno;
    const int reason = start_tracer(x);
    if (reason != 0) return reason;
    wait_for(&x->held);
    return x->reason;
}

/* ---- a watched load */

void explain_begin(explain *x) {
    *x = (explain){.watch = {.begin = watch_child, .context = x}, .pidfd = -1};
    (void)sem_init(&x->held, 0, 0);
    (void)sem_init(&x->released, 0, 0);
}

static void end_tracer(explain *x) {
    (void)sem_post(&x->released);
    if (x->started) (void)pthread_join(x->tracer, NULL);
    if (x->pidfd >= 0) (void)close(x->pidfd);
    (void)sem_destroy(&x->held);
    (void)sem_destroy(&x->released);
}

wlk_status explain_end(explain *x, int ended_by, wlk_violation *violation, wlk_status status,
                       wlk_error *error) {
    *violation = (wlk_violation){0};
    end_tracer(x);
    if (x->call.found || (x->inside && ended_by == SIGSYS)) {
        *violation = x->call;
        violation->found = 1;
    }
    if (x->crash != 0 && error->rule == RULE_CAGE_KILLED) {
        return error_text(error, RULE_CAGE_CRASH, WLK_NO_OFFSET, "signal %d", x->crash);
    }
    if (x->stopped && error->rule == RULE_LIMIT_DEADLINE) {
        return error_at(error, RULE_CAGE_STOPPED, WLK_NO_OFFSET);
    }
    return status;
}

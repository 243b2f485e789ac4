/* A seccomp filter tried call by call: what becomes of a process that makes the call
 * behind it. The whole sweep is data, so that a filter which differs anywhere from
 * what policy/syscalls.policy means is found, and the first difference is told. */
#ifndef TESTS_CAGE_SWEEP_H
#define TESTS_CAGE_SWEEP_H

#include "support/scratch.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define SWEEP_LAST 1023 /* far above the last number of any table, x32's included */
#define X32 0x40000000l
#define NOBODY 65534
#define SWEEP_SECONDS 20 /* for a call that would wait */

enum convention { CALL_NATIVE, CALL_INT80, CALL_PAGE };
enum outcome { KILLED, RETURNED, ENDED, SIGNALLED };

typedef struct system_call {
    enum convention convention;
    long number; /* CALL_PAGE: the address that is called */
    unsigned long arguments[3];
} system_call;

typedef struct ending {
    enum outcome outcome;
    int detail; /* errno or 0, exit code, signal */
} ending;

/* ---- one call */

static inline bool filter_load(const struct sock_fprog *filter) {
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, filter) == 0;
}

#if defined(__x86_64__)
static inline void call_int80(const system_call *c) {
    long result;
    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(c->number), "b"(c->arguments[0]), "c"(c->arguments[1]),
                       "d"(c->arguments[2])
                     : "memory", "r8", "r9", "r10", "r11");
    (void)result;
}

static inline void call_page(const system_call *c) {
    long room[4];
    ((long (*)(long *, void *, void *))c->number)(room, NULL, NULL);
}
#else
static inline void call_int80(const system_call *c) {
    (void)c;
}
static inline void call_page(const system_call *c) {
    (void)c;
}
#endif

/* errno, or 0. */
static inline int make_call(const system_call *c) {
    const unsigned long *a = c->arguments;
    errno = 0;
    if (c->convention == CALL_INT80) {
        call_int80(c);
    } else if (c->convention == CALL_PAGE) {
        call_page(c);
    } else {
        (void)syscall(c->number, a[0], a[1], a[2], 0, 0, 0);
    }
    return errno;
}

enum { CAUGHT = 98, NO_FILTER = 99, CAME_BACK = 100 /* and errno */ };

static inline void catch_signal(int number) {
    (void)number;
    for (;;) (void)syscall(SYS_exit_group, CAUGHT);
}

/* Arguments of 0 make sure that a call which gets through does nothing, and so does
 * another user than root. A filter that kills asks no handler. */
static inline void become_harmless(void) {
    static const int of_cmocka[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};
    const struct rlimit no_core = {0, 0};
    (void)close(0);
    (void)close(1);
    (void)alarm(SWEEP_SECONDS);
    for (size_t i = 0; i < sizeof of_cmocka / sizeof *of_cmocka; i++) {
        (void)signal(of_cmocka[i], SIG_DFL);
    }
    (void)signal(SIGSYS, catch_signal);
    if (geteuid() == 0 && setresuid(NOBODY, NOBODY, NOBODY) != 0) _exit(NO_FILTER);
    if (setrlimit(RLIMIT_CORE, &no_core) != 0) _exit(NO_FILTER);
}

static inline ending ending_of(const struct sock_fprog *filter, const system_call *c) {
    int status;
    const pid_t pid = fork();
    if (pid == 0) {
        become_harmless();
        if (!filter_load(filter)) _exit(NO_FILTER);
        const int reason = make_call(c);
        for (;;) (void)syscall(SYS_exit_group, CAME_BACK + reason);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status)) {
        const int number = WTERMSIG(status);
        return (ending){number == SIGSYS ? KILLED : SIGNALLED, number};
    }
    const int code = WEXITSTATUS(status);
    if (code == NO_FILTER) fail_msg("the filter could not be loaded");
    if (code < CAME_BACK || code == 255) return (ending){ENDED, code};
    return (ending){RETURNED, code - CAME_BACK};
}

/* ---- what the kernel lets past every filter */

typedef struct kernel_exception {
    long number;
    const char *name;
    ending ending; /* where the kernel has the call; elsewhere it is killed */
} kernel_exception;

/* seccomp_uprobe_exception() of kernel/seccomp.c. They do nothing but for who comes from
 * a trampoline that the kernel itself has put there. */
static const kernel_exception kernel_exceptions[] = {
#if defined(__x86_64__)
    {335, "uretprobe", {SIGNALLED, SIGILL}},
    {336, "uprobe", {RETURNED, ENXIO}},
#else
    {-2, "none", {KILLED, 0}},
#endif
};

static inline const kernel_exception *exception_of(long number) {
    const size_t count = sizeof kernel_exceptions / sizeof *kernel_exceptions;
    for (size_t i = 0; i < count; i++) {
        if (kernel_exceptions[i].number == number) return &kernel_exceptions[i];
    }
    return NULL;
}

/* ---- the sweep */

/* The first call that ended otherwise. */
typedef struct difference {
    bool found;
    system_call call;
    ending got;
    enum outcome wanted;
} difference;

typedef struct sweep {
    const struct sock_fprog *filter;
    unsigned calls;
    difference first;
} sweep;

static inline bool is_as_wanted(const system_call *c, ending got, enum outcome wanted) {
    const kernel_exception *known =
        c->convention == CALL_NATIVE && c->arguments[0] == 0 ? exception_of(c->number) : NULL;
    if (known && got.outcome == known->ending.outcome) return got.detail == known->ending.detail;
    return got.outcome == wanted;
}

/* False, and the difference, if the call ends otherwise. */
static inline bool sweep_call(sweep *s, system_call call, enum outcome wanted) {
    const ending got = ending_of(s->filter, &call);
    s->calls++;
    if (is_as_wanted(&call, got, wanted)) return true;
    s->first = (difference){true, call, got, wanted};
    return false;
}

static inline bool sweep_range(sweep *s, enum convention convention, long first, long last) {
    for (long number = first; number <= last; number++) {
        enum outcome wanted = KILLED;
        if (convention == CALL_NATIVE && number == SYS_read) wanted = RETURNED;
        if (convention == CALL_NATIVE && number == SYS_exit_group) wanted = ENDED;
        const system_call call = {convention, number, {number == SYS_write}};
        if (convention == CALL_NATIVE && number == SYS_write) wanted = RETURNED;
        if (!sweep_call(s, call, wanted)) return false;
    }
    return true;
}

/* Every number of the machine's own table, and of no table. */
static inline bool sweep_native(sweep *s) {
    return sweep_range(s, CALL_NATIVE, -1, SWEEP_LAST);
}

static inline bool sweep_x32(sweep *s) {
#if defined(__x86_64__)
    return sweep_range(s, CALL_NATIVE, X32, X32 | SWEEP_LAST) &&
           sweep_call(s, (system_call){CALL_NATIVE, X32 | SYS_write, {1}}, KILLED);
#else
    (void)s;
    return true;
#endif
}

/* The 32-bit table: 1 is exit there, 3 read, 4 write, 252 exit_group. */
static inline bool sweep_int80(sweep *s) {
#if defined(__x86_64__)
    return sweep_range(s, CALL_INT80, -1, SWEEP_LAST) &&
           sweep_call(s, (system_call){CALL_INT80, 4, {1}}, KILLED);
#else
    (void)s;
    return true;
#endif
}

/* The kernel answers calls of this page itself, where there is such a page. */
static inline bool sweep_vsyscall(sweep *s) {
#if defined(__x86_64__)
    char line[PATH_MAX + 128];
    bool there = false;
    FILE *maps = fopen("/proc/self/maps", "re");
    assert_non_null(maps);
    while (fgets(line, sizeof line, maps)) there |= strstr(line, "[vsyscall]") != NULL;
    (void)fclose(maps);
    for (unsigned long entry = 0; entry < 3; entry++) { /* gettimeofday, time, getcpu */
        const long address = (long)(0xffffffffff600000ul + entry * 0x400);
        if (!sweep_call(s, (system_call){CALL_PAGE, address, {0}}, there ? KILLED : SIGNALLED)) {
            return false;
        }
    }
#else
    (void)s;
#endif
    return true;
}

/* One descriptor, in all its 64 bits, and not another. */
static inline bool sweep_descriptors(sweep *s, long number, unsigned long allowed) {
    const unsigned long edges[] = {0,
                                   1,
                                   2,
                                   3,
                                   1023,
                                   0x7fffffff,
                                   0x80000000,         /* INT_MIN in the lower half */
                                   0xffffffff,         /* -1 in the lower half */
                                   0xffffffff80000000, /* INT_MIN */
                                   0xffffffff00000000,
                                   0xffffffff00000001,
                                   0x100000000,
                                   0x100000001,
                                   0x8000000000000000,
                                   0x8000000000000001,
                                   ~0ul};
    if (!sweep_call(s, (system_call){CALL_NATIVE, number, {allowed}}, RETURNED)) return false;
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
        const system_call call = {CALL_NATIVE, number, {edges[i]}};
        if (!sweep_call(s, call, edges[i] == allowed ? RETURNED : KILLED)) return false;
    }
    for (unsigned bit = 0; bit < 64; bit++) {
        const system_call call = {CALL_NATIVE, number, {allowed ^ 1ul << bit}};
        if (!sweep_call(s, call, KILLED)) return false;
    }
    return true;
}

/* The other arguments are the kernel's to judge, and any exit code may be given. */
static inline bool sweep_arguments(sweep *s) {
    const unsigned long all = ~0ul;
    return sweep_call(s, (system_call){CALL_NATIVE, SYS_exit_group, {0}}, ENDED) &&
           sweep_call(s, (system_call){CALL_NATIVE, SYS_exit_group, {all, all, all}}, ENDED) &&
           sweep_call(s, (system_call){CALL_NATIVE, SYS_exit, {0}}, KILLED) &&
           sweep_call(s, (system_call){CALL_NATIVE, SYS_exit, {1}}, KILLED) &&
           sweep_call(s, (system_call){CALL_NATIVE, SYS_read, {0, all, all}}, RETURNED) &&
           sweep_call(s, (system_call){CALL_NATIVE, SYS_write, {1, all, all}}, RETURNED) &&
           sweep_descriptors(s, SYS_read, 0) && sweep_descriptors(s, SYS_write, 1);
}

/* What would widen what is allowed is a call too. */
static inline bool sweep_escapes(sweep *s) {
    const system_call calls[] = {
        {CALL_NATIVE, SYS_seccomp, {SECCOMP_SET_MODE_STRICT, 0, 0}},
        {CALL_NATIVE, SYS_prctl, {PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0}},
        {CALL_NATIVE, SYS_prctl, {PR_SET_NO_NEW_PRIVS, 0, 0}},
        {CALL_NATIVE, SYS_clone, {SIGCHLD, 0, 0}},
        {CALL_NATIVE, SYS_execve, {0, 0, 0}},
        {CALL_NATIVE, SYS_rt_sigreturn, {0, 0, 0}},
    };
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        if (!sweep_call(s, calls[i], KILLED)) return false;
    }
    return true;
}

/* A thread with the filter makes the call: the one without it must not live on. */
typedef struct threaded_call {
    const struct sock_fprog *filter;
    const system_call *call;
} threaded_call;

static inline void *call_in_thread(void *argument) {
    const threaded_call *t = argument;
    if (!filter_load(t->filter)) _exit(NO_FILTER);
    (void)make_call(t->call);
    return NULL;
}

static inline ending ending_of_threads(const struct sock_fprog *filter, const system_call *c) {
    threaded_call t = {filter, c};
    int status;
    const pid_t pid = fork();
    if (pid == 0) {
        pthread_t thread;
        become_harmless();
        if (pthread_create(&thread, NULL, call_in_thread, &t) != 0) _exit(NO_FILTER);
        (void)pthread_join(thread, NULL);
        _exit(CAME_BACK);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status)) return (ending){KILLED, WTERMSIG(status)};
    return (ending){RETURNED, WEXITSTATUS(status)};
}

static inline bool sweep_threads(sweep *s) {
    const system_call calls[] = {
        {CALL_NATIVE, SYS_getpid, {0}},
        {CALL_NATIVE, SYS_read, {3}},
        {CALL_NATIVE, SYS_write, {2}},
#if defined(__x86_64__)
        {CALL_NATIVE, X32 | SYS_getpid, {0}},
        {CALL_INT80, 20, {0}}, /* getpid */
#endif
    };
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        const ending got = ending_of_threads(s->filter, &calls[i]);
        s->calls++;
        if (got.outcome == KILLED && got.detail == SIGSYS) continue;
        s->first = (difference){true, calls[i], got, KILLED};
        return false;
    }
    return true;
}

typedef struct sweep_part {
    const char *name;
    bool (*run)(sweep *s);
} sweep_part;

/* The quick and telling ones first. */
static const sweep_part sweep_parts[] = {
    {"arguments", sweep_arguments}, {"escapes", sweep_escapes},   {"threads", sweep_threads},
    {"native", sweep_native},       {"vsyscall", sweep_vsyscall}, {"x32", sweep_x32},
    {"int 0x80", sweep_int80},
};

static inline difference sweep_all(sweep *s) {
    bool equal = true;
    for (size_t i = 0; equal && i < sizeof sweep_parts / sizeof *sweep_parts; i++) {
        equal = sweep_parts[i].run(s);
    }
    return s->first;
}

static inline void sweep_tell(const difference *d, char *text, size_t size) {
    static const char *const conventions[] = {"native", "int 0x80", "page"};
    static const char *const outcomes[] = {"killed", "returned", "ended", "signalled"};
    (void)snprintf(text, size, "%s call %ld(0x%lx): %s (%d), not %s",
                   conventions[d->call.convention], d->call.number, d->call.arguments[0],
                   outcomes[d->got.outcome], d->got.detail, outcomes[d->wanted]);
}

/* ---- the compiler of policies */

static inline void build_path(char path[PATH_MAX], const char *name) {
    const char *build = getenv("BUILD");
    (void)snprintf(path, PATH_MAX, "%s/%s", build ? build : "build", name);
}

/* Compiles a policy for an architecture into the scratch folder's "inc" and "pfc". */
static inline bool compiles(const char *policy, const char *architecture) {
    char program[PATH_MAX];
    int status;
    build_path(program, "filter_compile");
    const pid_t pid = fork();
    if (pid == 0) {
        const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        (void)dup2(null, 2);
        (void)execl(program, program, policy, in_scratch("inc"), in_scratch("pfc"), architecture,
                    (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
    return WEXITSTATUS(status) == 0;
}

#if defined(__x86_64__)
#define NATIVE "x86_64"
#elif defined(__aarch64__)
#define NATIVE "aarch64"
#else
#error "no golden listing for this architecture"
#endif

#endif

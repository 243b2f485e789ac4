/* Runs child_escape: starts it with an order, hears what it says, looks at it from
 * outside, lets its starter end. */
#ifndef TESTS_CAGE_ESCAPE_KIT_H
#define TESTS_CAGE_ESCAPE_KIT_H

#include "support/gate_kit.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "cage/escape_table.h"

#define ESCAPE_CHILD "tests/cage/child_escape"
#define PATIENCE_MS 30000

/* What the child finds of the host. */
static struct {
    char programs[64]; /* made by root, for both */
    bool capable;      /* one of them has capabilities */
    int null, secret, log;
    int tcp, abstract;
    escape_order order; /* all but layers and attempt */
} host;

/* ---- the child */

typedef struct trial {
    pid_t pid;
    int control, result;
    int spawn_errno;
    escape_answer answer;
} trial;

static inline int high(int fd) {
    const int moved = fcntl(fd, F_DUPFD_CLOEXEC, 16); /* out of the way of the child's own */
    (void)close(fd);
    return moved;
}

static inline bool write_whole(const char *path, const char *text) {
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    const ssize_t length = (ssize_t)strlen(text);
    const bool written = fd >= 0 && write(fd, text, (size_t)length) == length;
    (void)close(fd);
    return written;
}

typedef struct id_maps {
    char user[48], group[48];
} id_maps;

/* In the child, up to the exec. */
static inline _Noreturn void become_child(int control, int result, const id_maps *maps,
                                          bool may_dump) {
    struct rlimit core;
    const int from[] = {control, result, host.null, host.secret, host.log};
    const int to[] = {0, 1, 2, ESCAPE_SECRET, ESCAPE_LOG};
    char *const arguments[] = {(char[]){"weighlock-child"}, NULL}, *const none[] = {NULL};
    if (maps && (!write_whole("/proc/self/setgroups", "deny") ||
                 !write_whole("/proc/self/uid_map", maps->user) ||
                 !write_whole("/proc/self/gid_map", maps->group))) {
        _exit(80);
    }
    if (getrlimit(RLIMIT_CORE, &core) != 0) _exit(84);
    core.rlim_cur = may_dump ? core.rlim_max : 0;
    if (setrlimit(RLIMIT_CORE, &core) != 0) _exit(84);
    for (size_t i = 0; i < sizeof from / sizeof *from; i++) {
        if (dup2(from[i], to[i]) < 0) _exit(81);
    }
    (void)umask(0);
    if (chdir(scratch) != 0) _exit(82);
    (void)execve(kit_program(ESCAPE_CHILD), arguments, none);
    _exit(83);
}

/* Starts the child with its order; flags are namespaces. */
static inline trial trial_start(const escape_order *order, int flags) {
    int control[2], result[2];
    id_maps maps;
    trial t = {.pid = -1};
    (void)snprintf(maps.user, sizeof maps.user, "%u %u 1", geteuid(), geteuid());
    (void)snprintf(maps.group, sizeof maps.group, "%u %u 1", getegid(), getegid());
    assert_true(pipe2(control, O_CLOEXEC) == 0 && pipe2(result, O_CLOEXEC) == 0);
    control[0] = high(control[0]);
    result[1] = high(result[1]);
    assert_int_equal(write(control[1], order, sizeof *order), sizeof *order);
    (void)fflush(NULL);
    t.pid = flags ? (pid_t)syscall(SYS_clone, SIGCHLD | flags, 0, 0, 0, 0) : fork();
    if (t.pid == 0) {
        become_child(control[0], result[1], flags & CLONE_NEWUSER ? &maps : NULL,
                     order->attempt == ESCAPE_dump_core);
    }
    t.spawn_errno = t.pid < 0 ? errno : 0;
    (void)close(control[0]);
    (void)close(result[1]);
    t.control = control[1];
    t.result = result[0];
    return t;
}

/* False: it ended first. */
static inline bool hear(const trial *t, void *data, size_t length) {
    struct pollfd wait = {.fd = t->result, .events = POLLIN};
    const int ready = poll(&wait, 1, PATIENCE_MS);
    if (ready == 0) fail_msg("the child says nothing");
    return read(t->result, data, length) == (ssize_t)length;
}

static inline int trial_end(trial *t, bool kill_it) {
    int status = 0;
    if (kill_it) (void)kill(t->pid, SIGKILL);
    (void)close(t->control);
    (void)close(t->result);
    if (t->pid > 0) assert_int_equal(waitpid(t->pid, &status, 0), t->pid);
    return status;
}

/* ---- what is seen from outside */

static inline bool child_text(pid_t pid, const char *name, char *text, size_t size) {
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t got = fd < 0 ? -1 : read(fd, text, size - 1);
    const int reason = errno;
    if (fd >= 0) (void)close(fd);
    text[got < 0 ? 0 : got] = '\0';
    errno = reason;
    return got >= 0;
}

static inline int look_at_file(pid_t pid, const char *name) {
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno;
    (void)close(fd);
    return 0;
}

static inline int look_at_oom(pid_t pid) {
    char adjusted[16], score[16], own[16];
    if (!child_text(pid, "oom_score_adj", adjusted, sizeof adjusted) ||
        !child_text(pid, "oom_score", score, sizeof score) ||
        !child_text(getpid(), "oom_score", own, sizeof own)) {
        return errno;
    }
    const bool first = strtol(score, NULL, 10) > strtol(own, NULL, 10);
    return first && strcmp(adjusted, "1000\n") == 0 ? FIRST_VICTIM : 0;
}

static inline int look_at_speculation(pid_t pid) {
    char status[8192];
    if (!child_text(pid, "status", status, sizeof status)) return errno;
    const char *line = strstr(status, "\nSpeculation_Store_Bypass:");
    if (!line) return AS_THE_MACHINE;
    const char *end = strchr(line + 1, '\n');
    const char *mitigated = strstr(line, "mitigated"), *whole = strstr(line, "not vulnerable");
    const bool off = (mitigated && mitigated < end) || (whole && whole < end);
    return off ? NOT_SPECULATING : AS_THE_MACHINE;
}

static inline int look(const trial *t, enum escape_attempt attempt) {
    if (attempt == ESCAPE_be_read) return look_at_file(t->pid, "mem");
    if (attempt == ESCAPE_be_listed) return look_at_file(t->pid, "maps");
    if (attempt == ESCAPE_be_spared) return look_at_oom(t->pid);
    return look_at_speculation(t->pid);
}

static inline bool is_seen(enum escape_attempt attempt) {
    return attempt == ESCAPE_be_read || attempt == ESCAPE_be_listed ||
           attempt == ESCAPE_be_spared || attempt == ESCAPE_speculate;
}

/* ---- a child whose starter ends */

typedef struct starter {
    const escape_order *order;
    pid_t thread;
    trial trial;
    bool spoke;
} starter;

static inline void *start_in_thread(void *argument) {
    starter *s = argument;
    s->thread = (pid_t)syscall(SYS_gettid);
    s->trial = trial_start(s->order, 0);
    s->spoke = hear(&s->trial, &s->trial.answer, sizeof s->trial.answer);
    return NULL;
}

/* The thread is gone when the kernel no longer lists it; what it does to its children
 * comes before that. */
static inline void await_end_of_thread(pid_t thread) {
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/self/task/%d", (int)thread);
    for (int turn = 0; access(path, F_OK) == 0; turn++) {
        assert_true(turn < PATIENCE_MS);
        (void)poll(NULL, 0, 1);
    }
}

static inline int outcome_of_life(trial *t, const escape_order *order) {
    starter s = {.order = order};
    pthread_t thread;
    uint8_t byte = 0;
    assert_int_equal(pthread_create(&thread, NULL, start_in_thread, &s), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    await_end_of_thread(s.thread);
    *t = s.trial;
    assert_true(s.spoke);
    (void)signal(SIGPIPE, SIG_IGN); /* it may have closed its end for good */
    const bool lives = write(t->control, "?", 1) == 1 && hear(t, &byte, 1) && byte == '?';
    const int status = trial_end(t, lives);
    if (lives) return 0;
    return WIFSIGNALED(status) ? SIGNALLED(WTERMSIG(status)) : ECHILD;
}

#endif

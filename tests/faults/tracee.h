/* The processes that inject.c follows: a table of them, and what it asks the kernel. */
#ifndef TESTS_FAULTS_TRACEE_H
#define TESTS_FAULTS_TRACEE_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef __x86_64__
#error "inject.c reads and writes the registers of x86-64"
#endif

#define MOST_TASKS 64

typedef struct task {
    pid_t pid;
    int process;     /* 0: the command; from 1 on its children, in order of appearance */
    bool known;      /* whose it is: a new one may stop before its parent tells of it */
    bool stopped;    /* in a stop that was reported and not yet answered */
    bool held;       /* of those, one that waits for its turn */
    bool attached;   /* being traced */
    bool ended;      /* reported as ended to its tracer */
    bool executed;   /* no longer the program that it was cloned from */
    bool in_call;    /* between the two stops of a call */
    bool in_changed; /* of that call, one whose result is to be changed */
    bool after_yield;
    long number; /* of the call that it is in, or was in last */
    long index;  /* of that call, -1: not numbered */
    uint64_t arguments[6];
} task;

typedef struct task_table {
    task tasks[MOST_TASKS];
    int count;
} task_table;

/* The task of that number; it is made, unknown yet, if there is none. */
static inline task *task_of(task_table *table, pid_t pid) {
    for (int i = 0; i < table->count; i++) {
        if (table->tasks[i].pid == pid) return &table->tasks[i];
    }
    if (table->count == MOST_TASKS) {
        (void)fprintf(stderr, "inject: more than %d processes\n", MOST_TASKS);
        exit(125);
    }
    task *made = &table->tasks[table->count++];
    *made = (task){.pid = pid, .process = -1, .attached = true, .number = -1, .index = -1};
    return made;
}

/* What /proc says of it: R, S, D, t, T, Z, or X if it is gone. */
static inline char task_state(pid_t pid) {
    char path[32], text[256];
    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 'X';
    const ssize_t got = read(fd, text, sizeof text - 1);
    (void)close(fd);
    text[got > 0 ? got : 0] = '\0';
    const char *name_end = strrchr(text, ')');
    return name_end && name_end[1] == ' ' ? name_end[2] : 'X';
}

/* Does it sleep, or is it gone? One that stands still for us does neither. */
static inline bool is_idle(const task *t) {
    if (t->ended || !t->attached) return true;
    if (t->stopped) return false;
    const char state = task_state(t->pid);
    return state == 'S' || state == 'Z' || state == 'X';
}

/* Where the program itself begins, behind the dynamic loader; 0: unknown. */
static inline uint64_t task_entry(pid_t pid) {
    enum { ENTRY = 9 /* AT_ENTRY of <elf.h> */ };
    char path[32];
    uint64_t pair[2], entry = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/auxv", (int)pid);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    while (read(fd, pair, sizeof pair) == (ssize_t)sizeof pair && pair[0] != 0) {
        if (pair[0] == ENTRY) entry = pair[1];
    }
    (void)close(fd);
    return entry;
}

/* Kills the children that this process has, those that it inherited too. */
static inline void kill_children(void) {
    char path[64], text[4096];
    (void)snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    const ssize_t got = read(fd, text, sizeof text - 1);
    (void)close(fd);
    text[got > 0 ? got : 0] = '\0';
    char *end;
    for (char *at = text;; at = end) {
        const long pid = strtol(at, &end, 10);
        if (end == at || pid <= 0) break;
        (void)kill((pid_t)pid, SIGKILL);
    }
}

#endif

/* The command line of inject.c. */
#ifndef TESTS_FAULTS_INJECTION_H
#define TESTS_FAULTS_INJECTION_H

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum fault_action {
    NOTHING,
    KILL,
    STOP,
    PAUSE,
    FAIL,
    LIE,
    SKIP,
    SHORT,
    ACTIONS
} fault_action;
static const char *const action_names[ACTIONS] = {
    [NOTHING] = "nothing", [KILL] = "kill", [STOP] = "stop", [PAUSE] = "pause",
    [FAIL] = "fail",       [LIE] = "lie",   [SKIP] = "skip", [SHORT] = "short",
};

typedef enum first { NOBODY, COMMAND, CHILDREN } first;

typedef struct injection {
    bool list; /* -t */
    int process;
    long index, number;
    fault_action action;
    int reason;
    bool marked; /* -b mark */
    first first;
    unsigned seconds;
    int report;
} injection;

static inline _Noreturn void give_up(const char *what) {
    (void)fprintf(stderr, "inject: %s: %s\n", what, strerror(errno));
    exit(125);
}

static inline fault_action action_named(const char *name) {
    for (int i = 0; i < ACTIONS; i++) {
        if (strcmp(name, action_names[i]) == 0) return (fault_action)i;
    }
    errno = EINVAL;
    give_up(name);
}

static inline first first_named(const char *name) {
    if (strcmp(name, "command") == 0) return COMMAND;
    if (strcmp(name, "children") == 0) return CHILDREN;
    errno = EINVAL;
    give_up(name);
}

static inline injection read_options(int count, char **words) {
    injection order = {.index = -1, .number = -1, .seconds = 10, .report = 3};
    for (int letter; (letter = getopt(count, words, "+tp:k:n:a:e:b:f:s:r:")) != -1;) {
        switch (letter) {
            case 't':
                order.list = true;
                break;
            case 'p':
                order.process = atoi(optarg);
                break;
            case 'k':
                order.index = atol(optarg);
                break;
            case 'n':
                order.number = atol(optarg);
                break;
            case 'a':
                order.action = action_named(optarg);
                break;
            case 'e':
                order.reason = atoi(optarg);
                break;
            case 'b':
                order.marked = strcmp(optarg, "mark") == 0;
                break;
            case 'f':
                order.first = first_named(optarg);
                break;
            case 's':
                order.seconds = (unsigned)atoi(optarg);
                break;
            case 'r':
                order.report = atoi(optarg);
                break;
            default:
                exit(125);
        }
    }
    return order;
}

#endif

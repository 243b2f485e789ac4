/* What `weighlock doctor` finds out about this machine, and what it advises. */
#ifndef WLK_CLI_DOCTOR_H
#define WLK_CLI_DOCTOR_H

#include <stdbool.h>
#include <sys/utsname.h>

#include <weighlock/load.h>

/* How far the parent can look into /proc. */
typedef enum proc_state {
    PROC_UNKNOWN,  /* it is mounted, but no child was there to be looked at */
    PROC_READABLE, /* the child was seen in it */
    PROC_MISSING,  /* what lies at /proc is no process file system */
    PROC_CLOSED,   /* not even our own entry can be read */
    PROC_FOREIGN,  /* it is that of another PID namespace: its numbers are not ours */
    PROC_HIDDEN    /* it does not show the child: hidepid */
} proc_state;

typedef enum program_state {
    PROGRAM_NOT_SEEN,
    PROGRAM_SAME_BUILD,
    PROGRAM_OTHER_BUILD
} program_state;

typedef struct diagnosis {
    wlk_status status; /* the verdict: what a load would end with */
    wlk_error error;
    wlk_load_report report; /* layers of the child that was looked at */
    uint32_t killed;        /* bit i: the child is killed for what layer i calls */
    bool cage_holds;        /* but a load may fail for another reason */
    bool asked_too_much;    /* what is missing is missing only because of --require */
    bool loaded;            /* a small model went through */
    bool pool_works;        /* and through a child that had waited for it */
    struct utsname kernel;
    long landlock_abi; /* 0: none, -1: not known */
    program_state program;
    proc_state proc;
    uint32_t uid;       /* of this process */
    uint32_t child_uid; /* what the child becomes, or should become */
} diagnosis;

/* Starts children as a load with these options would, and looks at everything else
 * that a load rests on. */
void doctor_look(const wlk_load_options *load, diagnosis *d);

/* Layer i as it is to be told: a layer that the child never came to was not tried. */
wlk_layer_state doctor_state(const diagnosis *d, uint32_t layer);

/* Why layer i does not hold, in words; NULL if it does, or was not tried. */
const char *doctor_reason(const diagnosis *d, uint32_t layer);

/* What to do about layer i, about /proc, and about the error: sentences, NULL where
 * there is nothing to say. */
const char *doctor_layer_advice(const diagnosis *d, uint32_t layer);
const char *doctor_proc_advice(const diagnosis *d);
const char *doctor_error_advice(const diagnosis *d);

#endif

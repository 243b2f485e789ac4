/* What child_caller does once it is in the cage. The number of a case travels in
 * limits.columns, which the real child has no use for. */
#ifndef TESTS_GATE_CALLER_CASES_H
#define TESTS_GATE_CALLER_CASES_H

#include <sys/syscall.h>

/* Every call has these arguments, but for the first of some: nothing would happen if one
 * were let through. */
#define CALLER_ARGUMENTS \
    { 0x7fffff01, 0x1002, 0x1003, 0x1004, 0x1005, 0x1006 }
#define CALLER_HIGH (1ull << 32)
#define CALLER_X32 0x40000000l
#define CALLER_OPEN_I386 5 /* open of the 32-bit table */

/* X(name, number, first argument; 0: as above) */
#define CALLER_CALLS(X)                         \
    X(opens, SYS_openat, 0)                     \
    X(connects, SYS_socket, 0)                  \
    X(executes, SYS_execve, 0)                  \
    X(kills, SYS_kill, 0)                       \
    X(maps, SYS_mmap, 0)                        \
    X(traces, SYS_ptrace, 0)                    \
    X(forks, SYS_clone, 0)                      \
    X(returns, SYS_rt_sigreturn, 0)             \
    X(reads_elsewhere, SYS_read, 3)             \
    X(reads_above, SYS_read, CALLER_HIGH)       \
    X(writes_elsewhere, SYS_write, 2)           \
    X(writes_above, SYS_write, CALLER_HIGH | 1) \
    X(calls_1023, 1023, 0)                      \
    X(calls_minus_1, -1, 0)

/* What is of x86-64 only. */
#define CALLER_X86_CALLS(X)                     \
    X(opens_as_x32, CALLER_X32 | SYS_openat, 0) \
    X(reads_as_x32, CALLER_X32 | SYS_read, 0)   \
    X(writes_as_x32, CALLER_X32 | SYS_write, 1)

#define CALLER_OTHERS(X)                                                       \
    X(answers)            /* as the real child does */                         \
    X(opens_as_i386)      /* int 0x80 */                                       \
    X(exits_as_i386)      /* number 1: allowed only as a 64-bit call */        \
    X(uses_vsyscall)      /* not a system call for who watches */              \
    X(hides_behind_write) /* the same, returning to where a write came from */ \
    X(claims_violation)   /* REFUSE with cage.syscall, and a good end */       \
    X(claims_and_hangs)   /* the same, and no end */                           \
    X(signals_itself)     /* SIGSYS, while it may still */                     \
    X(crashes)                                                                 \
    X(traps)                                                                   \
    X(breaks)           /* a breakpoint's instruction */                       \
    X(breaks_and_opens) /* and what comes behind it */                         \
    X(exits_7)                                                                 \
    X(spins) /* in calls that are allowed */                                   \
    X(hangs)                                                                   \
    X(kills_itself)    /* while it may still */                                \
    X(burns)           /* processor time */                                    \
    X(stops_itself)    /* while it may still */                                \
    X(opens_unwatched) /* if nobody traces it, which a captured child cannot look up */

enum caller_case {
#define CALLER_CALL_NUMBER(name, number, first) CALLER_##name,
#define CALLER_NUMBER(name) CALLER_##name,
    CALLER_CALLS(CALLER_CALL_NUMBER) CALLER_X86_CALLS(CALLER_CALL_NUMBER)
        CALLER_OTHERS(CALLER_NUMBER)
#undef CALLER_NUMBER
#undef CALLER_CALL_NUMBER
            CALLER_COUNT
};

#endif

/* For each layer what it alone stops: what is tried, and how that ends without the layer
 * and with it. */
#ifndef TESTS_CAGE_ESCAPE_TABLE_H
#define TESTS_CAGE_ESCAPE_TABLE_H

#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdbool.h>

#include "cage/escape.h"

/* An outcome: an errno, 0 for success, or one of these. */
#define SIGNALLED(number) (1000 + (number))
#define DUMPED(number) (2000 + (number)) /* and a core file was written */
enum { CAUGHT = 3000, FIRST_VICTIM, NOT_SPECULATING, AS_THE_MACHINE };

/* By whom. Where root is missing the layer leaves nothing to try, or another takes it. */
enum { AS_ROOT = 1, AS_USER = 2, AS_BOTH = 3 };

enum {
    POWER_FROM_NEEDS = 1, /* an ordinary user can try it only with what the layer needs */
    PREPARED = 2,         /* with a program that only root can make */
};

typedef struct escape_row {
    wire_layer layer;
    enum escape_attempt attempt;
    unsigned as;
    int with;
    int without;
    uint32_t root_needs, user_needs; /* layers without which it cannot be held, or be shown */
    unsigned flags;
    int least_abi;       /* of Landlock */
    const char *program; /* to be executed */
    unsigned capability; /* with which root tries it; 0 (CAP_CHOWN): nothing that a root lacks */
    const char *note;    /* what the words leave out */
} escape_row;

#define NEEDS(name) .root_needs = 1u << LAYER_##name, .user_needs = 1u << LAYER_##name
#define USER_NEEDS(name) .user_needs = 1u << LAYER_##name
#define IN_USER_NAMESPACE "a user's child is in a user namespace, with and without"
#define ROW(layer_, attempt_, as_, with_, ...)                                                \
    {                                                                                         \
        .layer = LAYER_##layer_, .attempt = ESCAPE_##attempt_, .as = AS_##as_, .with = with_, \
        __VA_ARGS__                                                                           \
    }

static const escape_row escape_rows[] = {
    ROW(DESCRIPTORS, read_inherited, BOTH, EBADF),
    ROW(DESCRIPTORS, open_beside, BOTH, ENOENT),
    ROW(DESCRIPTORS, make_public, BOTH, EACCES),

    ROW(RLIMITS, map_much, BOTH, ENOMEM),
    ROW(RLIMITS, use_stack, BOTH, SIGNALLED(SIGSEGV)),
    ROW(RLIMITS, burn, BOTH, SIGNALLED(SIGXCPU)),
    /* root may always lock memory */
    ROW(RLIMITS, lock_memory, BOTH, EPERM, NEEDS(IDS)),
    ROW(RLIMITS, dump_core, BOTH, SIGNALLED(SIGSEGV), .without = DUMPED(SIGSEGV)),

    ROW(OOM_SCORE, be_spared, BOTH, FIRST_VICTIM),

    ROW(HEAP, allocate_much, BOTH, ENOMEM, .note = "of a heap of 1 MiB; without: of 64 MiB"),

    ROW(PID_NAMESPACE, signal_parent, BOTH, ESRCH, .note = IN_USER_NAMESPACE),
    ROW(PID_NAMESPACE, open_parent, BOTH, ESRCH, .note = IN_USER_NAMESPACE),

    ROW(NAMESPACES, connect_loopback, BOTH, ENETUNREACH),
    ROW(NAMESPACES, connect_abstract, BOTH, ECONNREFUSED),
    ROW(NAMESPACES, attach_shared, BOTH, EINVAL),

    ROW(EMPTY_ROOT, open_passwd, BOTH, ENOENT, NEEDS(NAMESPACES)),
    ROW(EMPTY_ROOT, make_file, BOTH, ENOENT, NEEDS(NAMESPACES)),

    ROW(BOUNDING_SET, exec_as_root, ROOT, EPERM, .program = "plain", .capability = CAP_SETPCAP),
    ROW(BOUNDING_SET, raise_ambient, BOTH, EPERM, USER_NEEDS(NAMESPACES), .flags = POWER_FROM_NEEDS,
        .capability = CAP_SETPCAP),
    ROW(BOUNDING_SET, keep_capabilities, BOTH, EPERM, USER_NEEDS(NAMESPACES),
        .capability = CAP_SETPCAP),

    /* an ordinary user has no other identity */
    ROW(IDS, read_private, ROOT, EACCES),
    ROW(IDS, make_file, ROOT, EACCES),
    ROW(IDS, signal_parent, ROOT, EPERM),

    ROW(CAPABILITIES, give_away, ROOT, EPERM),
    ROW(CAPABILITIES, read_others, ROOT, EACCES, .capability = CAP_DAC_OVERRIDE),
    ROW(CAPABILITIES, change_root, BOTH, EPERM, USER_NEEDS(NAMESPACES), .flags = POWER_FROM_NEEDS,
        .capability = CAP_SYS_CHROOT),

    /* what was dropped badly, this layer finds */
    ROW(REGAIN, regain_user, ROOT, CAUGHT),
    ROW(REGAIN, regain_group, ROOT, CAUGHT),
    ROW(REGAIN, regain_capability, BOTH, CAUGHT, USER_NEEDS(NAMESPACES), .flags = POWER_FROM_NEEDS,
        .capability = CAP_SYS_ADMIN),

    /* root gains nothing by them */
    ROW(NO_NEW_PRIVS, exec_set_user, BOTH, EPERM, NEEDS(IDS), .flags = PREPARED,
        .program = "set-user"),
    ROW(NO_NEW_PRIVS, exec_capable, BOTH, EPERM, NEEDS(IDS), .flags = PREPARED,
        .program = "capable"),

    /* root may look at all processes; its child's change of identity hides it from others */
    ROW(NOT_DUMPABLE, be_read, USER, EACCES),
    ROW(NOT_DUMPABLE, be_listed, USER, EACCES),
    ROW(NOT_DUMPABLE, dump_core, BOTH, SIGNALLED(SIGSEGV), .without = DUMPED(SIGSEGV)),

    ROW(PARENT_DEATH, live_on, BOTH, SIGNALLED(SIGKILL)),

    ROW(LANDLOCK, open_passwd, BOTH, EACCES, NEEDS(NO_NEW_PRIVS)),
    ROW(LANDLOCK, make_file, BOTH, EACCES, NEEDS(NO_NEW_PRIVS)),
    ROW(LANDLOCK, connect_loopback, BOTH, EACCES, NEEDS(NO_NEW_PRIVS), .least_abi = 4),
    ROW(LANDLOCK, listen_loopback, BOTH, EACCES, NEEDS(NO_NEW_PRIVS), .least_abi = 4),
    ROW(LANDLOCK, connect_abstract, BOTH, EPERM, NEEDS(NO_NEW_PRIVS), .least_abi = 6),
    ROW(LANDLOCK, signal_parent, BOTH, EPERM, NEEDS(NO_NEW_PRIVS), .least_abi = 6),

    ROW(MDWE, map_executable, BOTH, EACCES),
    ROW(MDWE, make_executable, BOTH, EACCES),

    ROW(SPECULATION, speculate, BOTH, NOT_SPECULATING, .without = AS_THE_MACHINE),

    ROW(ZERO_RLIMITS, open_passwd, BOTH, EMFILE),
    ROW(ZERO_RLIMITS, duplicate, BOTH, EMFILE),
    ROW(ZERO_RLIMITS, make_socket, BOTH, EMFILE),
    /* root may always start processes */
    ROW(ZERO_RLIMITS, start_process, BOTH, EAGAIN, NEEDS(IDS)),
    ROW(ZERO_RLIMITS, write_log, BOTH, SIGNALLED(SIGXFSZ)),
    ROW(ZERO_RLIMITS, queue_signal, BOTH, EAGAIN),

    ROW(SECCOMP, ask_number, BOTH, SIGNALLED(SIGSYS), NEEDS(NO_NEW_PRIVS)),
    ROW(SECCOMP, open_passwd, BOTH, SIGNALLED(SIGSYS), NEEDS(NO_NEW_PRIVS)),
    ROW(SECCOMP, read_inherited, BOTH, SIGNALLED(SIGSYS), NEEDS(NO_NEW_PRIVS)),
    ROW(SECCOMP, write_stderr, BOTH, SIGNALLED(SIGSYS), NEEDS(NO_NEW_PRIVS)),
    ROW(SECCOMP, make_socket, BOTH, SIGNALLED(SIGSYS), NEEDS(NO_NEW_PRIVS)),
    ROW(SECCOMP, start_process, BOTH, SIGNALLED(SIGSYS), NEEDS(NO_NEW_PRIVS)),
    ROW(SECCOMP, map_executable, BOTH, SIGNALLED(SIGSYS), NEEDS(NO_NEW_PRIVS)),
};
#define ESCAPE_ROWS (sizeof escape_rows / sizeof *escape_rows)

#endif

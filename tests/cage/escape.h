/* What test_escape tells child_escape: which layers to hold, of the real table, and what
 * to try then. */
#ifndef TESTS_CAGE_ESCAPE_H
#define TESTS_CAGE_ESCAPE_H

#include <stdint.h>

#include "wire/frame.h"

/* Descriptors that the host left open. */
enum { ESCAPE_SECRET = 7, ESCAPE_LOG = 8 };

/* What is tried, and in words. */
#define ESCAPE_ATTEMPTS(X)                                                       \
    /* files */                                                                  \
    X(read_inherited, "read a descriptor that the host left open")               \
    X(open_beside, "open a file of the working folder")                          \
    X(make_public, "make a file that others may read")                           \
    X(open_passwd, "open /etc/passwd")                                           \
    X(make_file, "make a file")                                                  \
    X(read_private, "open a file of mode 0600 of whom started it")               \
    X(read_others, "open a file of mode 0600 of somebody else")                  \
    X(give_away, "give a file to another user")                                  \
    X(write_log, "write to a file that the host left open")                      \
    X(duplicate, "duplicate a descriptor")                                       \
    X(write_stderr, "write to descriptor 2")                                     \
    X(change_root, "change the root directory")                                  \
    /* memory and time */                                                        \
    X(map_much, "map 64 MiB more than the limit")                                \
    X(allocate_much, "allocate 8 MiB")                                           \
    X(use_stack, "use 4 MiB of stack")                                           \
    X(lock_memory, "lock a page in memory")                                      \
    X(burn, "compute for longer than the limit")                                 \
    X(dump_core, "crash, for a core file with the memory in it")                 \
    X(map_executable, "map memory that can be written and executed")             \
    X(make_executable, "make written memory executable")                         \
    /* processes */                                                              \
    X(signal_parent, "signal the process that started it")                       \
    X(open_parent, "open that process by its number")                            \
    X(start_process, "start a process")                                          \
    X(queue_signal, "queue a signal")                                            \
    X(ask_number, "ask for its own process number")                              \
    X(live_on, "outlive the thread that started it")                             \
    X(be_read, "have its memory read by another process of the same user")       \
    X(be_listed, "have its mappings listed by another process of the same user") \
    X(be_spared, "be no better a victim than the host when memory runs out")     \
    X(speculate, "have the processor speculate")                                 \
    /* network and shared objects */                                             \
    X(connect_loopback, "connect to a TCP port of the host")                     \
    X(connect_abstract, "connect to an abstract socket of the host")             \
    X(listen_loopback, "listen on a TCP port")                                   \
    X(attach_shared, "attach shared memory of the host")                         \
    X(make_socket, "make a socket")                                              \
    /* rights */                                                                 \
    X(exec_as_root, "execute a program as user 0 for its capabilities")          \
    X(exec_set_user, "execute a program that is set-user-id root")               \
    X(exec_capable, "execute a program that has capabilities")                   \
    X(raise_ambient, "keep a capability for the program that is executed next")  \
    X(keep_capabilities, "keep capabilities over a change of user")              \
    X(regain_user, "take back user 0, kept as the saved user")                   \
    X(regain_group, "take back group 0, kept as the saved group")                \
    X(regain_capability, "take back a capability that was left permitted")

enum escape_attempt {
#define ESCAPE_NUMBER(name, words) ESCAPE_##name,
    ESCAPE_ATTEMPTS(ESCAPE_NUMBER)
#undef ESCAPE_NUMBER
        ESCAPE_COUNT
};

typedef struct escape_order {
    uint32_t layers; /* bit i: hold layer i */
    uint32_t attempt;
    uint32_t uid, gid; /* for the layer `ids` */
    uint32_t parent;   /* as the child sees it: 0 from a PID namespace */
    uint32_t host;     /* the same process's number, to be signalled */
    uint32_t port;     /* of 127.0.0.1, where the host listens */
    int32_t shared;    /* System V shared memory of the host */
    uint32_t cpu_seconds;
    uint64_t heap_bytes;
    char name[64];    /* of the abstract socket */
    char folder[64];  /* with the host's files */
    char program[96]; /* to execute */
} escape_order;

/* The first answer; the second, if there is one, is an int32_t: errno, or 0. A child that
 * is looked at from outside says back what it is told instead. */
enum { ESCAPE_NOT_ASKED = -1 };
typedef struct escape_answer {
    int32_t layers[LAYER_COUNT]; /* 0: holds; errno */
} escape_answer;

#endif

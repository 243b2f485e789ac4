#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/checked.h"
#include "cage/heap.h"
#include "cage/layer_parts.h"

/* Newer than the headers of the oldest supported distribution. */
#define MDWE_SET 65
#define MDWE_GET 66
#define MDWE_REFUSE_EXEC_GAIN 1ul

#define HEAP_SLACK (16ull << 20) /* private memory beside the heap: stack, relocated data */
#define STACK_BYTES (1ull << 20)
#define OOM_SCORE "1000" /* the kernel's memory killer takes the child first */

static int prctl_result(int result) {
    return result < 0 ? errno : 0;
}

/* ---- descriptors */

static int map_snapshot(cage *c) {
    struct stat status;
    if (c->order.snapshot_bytes == 0) return 0;
    if (fstat(FD_SNAPSHOT, &status) != 0) return errno;
    if (!S_ISREG(status.st_mode) || (uint64_t)status.st_size != c->order.snapshot_bytes) {
        return EBADFD;
    }
    void *memory = mmap(NULL, c->order.snapshot_bytes, PROT_READ, MAP_PRIVATE, FD_SNAPSHOT, 0);
    if (memory == MAP_FAILED) return errno;
    c->snapshot = memory;
    return 0;
}

int descriptors_apply(cage *c) {
    const int mapped = map_snapshot(c);
    if (mapped != 0) return mapped;
    if (syscall(SYS_close_range, FD_SNAPSHOT, ~0u, 0) != 0) return errno;
    (void)umask(077);
    (void)setsid(); /* no controlling terminal; fails only where there is none to lose */
    return chdir("/") == 0 ? 0 : errno;
}

int descriptors_verify(const cage *c) {
    struct stat control, result, null;
    (void)c;
    if (fstat(FD_CONTROL, &control) != 0 || fstat(FD_RESULT, &result) != 0 ||
        fstat(FD_NULL, &null) != 0) {
        return errno;
    }
    if (!S_ISFIFO(control.st_mode) || !S_ISFIFO(result.st_mode) || !S_ISCHR(null.st_mode)) {
        return EBADFD;
    }
    const int next = dup(FD_NULL); /* the lowest free number: nothing lies below it */
    if (next < 0) return errno;
    (void)close(next);
    return next == FD_SNAPSHOT ? 0 : EMFILE;
}

/* ---- resource limits */

typedef struct limit_row {
    __rlimit_resource_t resource;
    uint64_t soft, hard;
} limit_row;

static int limits_set(const limit_row *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const struct rlimit limit = {.rlim_cur = rows[i].soft, .rlim_max = rows[i].hard};
        if (setrlimit(rows[i].resource, &limit) != 0) return errno;
    }
    return 0;
}

static int limits_check(const limit_row *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct rlimit limit;
        if (getrlimit(rows[i].resource, &limit) != 0) return errno;
        if (limit.rlim_cur > rows[i].soft || limit.rlim_max > rows[i].hard) return EPERM;
    }
    return 0;
}

/* A lower limit that was inherited stays: raising is not the child's to do. */
static uint64_t at_most(__rlimit_resource_t resource, uint64_t wanted) {
    struct rlimit limit;
    if (getrlimit(resource, &limit) != 0) return wanted;
    return limit.rlim_max < wanted ? limit.rlim_max : wanted;
}

enum { LIMIT_ROWS = 5 };
static void limit_rows(const cage *c, limit_row rows[LIMIT_ROWS]) {
    const uint64_t data = c->order.limits.heap_bytes + HEAP_SLACK;
    const uint64_t cpu = at_most(RLIMIT_CPU, c->order.limits.cpu_seconds);
    const uint64_t cpu_hard = at_most(RLIMIT_CPU, cpu + 1); /* SIGXCPU first: it says why */
    const limit_row made[LIMIT_ROWS] = {
        {RLIMIT_CORE, 0, 0},
        {RLIMIT_CPU, cpu, cpu_hard},
        {RLIMIT_DATA, at_most(RLIMIT_DATA, data), at_most(RLIMIT_DATA, data)},
        {RLIMIT_STACK, at_most(RLIMIT_STACK, STACK_BYTES), at_most(RLIMIT_STACK, STACK_BYTES)},
        {RLIMIT_MEMLOCK, 0, 0},
    };
    memcpy(rows, made, sizeof made);
}

int rlimits_apply(cage *c) {
    limit_row rows[LIMIT_ROWS];
    limit_rows(c, rows);
    return limits_set(rows, LIMIT_ROWS);
}

int rlimits_verify(const cage *c) {
    limit_row rows[LIMIT_ROWS];
    limit_rows(c, rows);
    return limits_check(rows, LIMIT_ROWS);
}

/* No new descriptors, processes, files, message queues, locks. */
static const limit_row zero_rows[] = {
    {RLIMIT_NOFILE, 0, 0},   {RLIMIT_NPROC, 0, 0},      {RLIMIT_FSIZE, 0, 0},
    {RLIMIT_MSGQUEUE, 0, 0}, {RLIMIT_SIGPENDING, 0, 0}, {RLIMIT_LOCKS, 0, 0},
};
#define ZERO_ROWS (sizeof zero_rows / sizeof *zero_rows)

int zero_rlimits_apply(cage *c) {
    (void)c;
    return limits_set(zero_rows, ZERO_ROWS);
}

int zero_rlimits_verify(const cage *c) {
    (void)c;
    return limits_check(zero_rows, ZERO_ROWS);
}

/* ---- the kernel's choice when memory runs out */

int oom_score_apply(cage *c) {
    (void)c;
    const int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0) return errno;
    const ssize_t written = write(fd, OOM_SCORE, sizeof OOM_SCORE - 1);
    const int reason = written < 0 ? errno : 0;
    (void)close(fd);
    return reason;
}

int oom_score_verify(const cage *c) {
    char text[8] = "";
    (void)c;
    const int fd = open("/proc/self/oom_score_adj", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno;
    const ssize_t got = read(fd, text, sizeof text - 1);
    (void)close(fd);
    return got > 0 && strncmp(text, OOM_SCORE, sizeof OOM_SCORE - 1) == 0 ? 0 : EPERM;
}

/* ---- heap */

int heap_apply(cage *c) {
    return heap_reserve(c->order.limits.heap_bytes);
}

int heap_verify(const cage *c) {
    (void)c;
    return heap_check();
}

/* ---- flags of the process */

int no_new_privs_apply(cage *c) {
    (void)c;
    return prctl_result(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

int no_new_privs_verify(const cage *c) {
    (void)c;
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : EPERM;
}

int not_dumpable_apply(cage *c) {
    (void)c;
    return prctl_result(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
}

int not_dumpable_verify(const cage *c) {
    (void)c;
    return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : EPERM;
}

int parent_death_apply(cage *c) {
    (void)c;
    return prctl_result(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
}

int parent_death_verify(const cage *c) {
    int signal_number = 0;
    if (prctl(PR_GET_PDEATHSIG, &signal_number, 0, 0, 0) != 0) return errno;
    if (signal_number != SIGKILL) return EPERM;
    /* The parent may have died before the signal was asked for. In a new PID
     * namespace it is not visible, and the namespace's init dies with us. */
    const pid_t parent = getppid();
    return parent == 0 || (uint32_t)parent == c->order.parent_pid ? 0 : ESRCH;
}

int mdwe_apply(cage *c) {
    (void)c;
    return prctl_result(prctl(MDWE_SET, MDWE_REFUSE_EXEC_GAIN, 0, 0, 0));
}

int mdwe_verify(const cage *c) {
    (void)c;
    return prctl(MDWE_GET, 0, 0, 0, 0) == (int)MDWE_REFUSE_EXEC_GAIN ? 0 : EPERM;
}

static const unsigned long speculations[] = {PR_SPEC_STORE_BYPASS, PR_SPEC_INDIRECT_BRANCH};

int speculation_apply(cage *c) {
    (void)c;
    /* Failure is judged by verify: a processor that is not affected says ENXIO. */
    for (size_t i = 0; i < 2; i++) {
        (void)prctl(PR_SET_SPECULATION_CTRL, speculations[i], PR_SPEC_FORCE_DISABLE, 0, 0);
    }
    return 0;
}

int speculation_verify(const cage *c) {
    (void)c;
    for (size_t i = 0; i < 2; i++) {
        const int state = prctl(PR_GET_SPECULATION_CTRL, speculations[i], 0, 0, 0);
        if (state < 0) return errno;
        const unsigned off = PR_SPEC_FORCE_DISABLE | PR_SPEC_DISABLE;
        if (state != PR_SPEC_NOT_AFFECTED && !((unsigned)state & off)) return ENXIO;
    }
    return 0;
}

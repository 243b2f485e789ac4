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
#include "base/huge.h"
#include "cage/heap.h"
#include "cage/layer_parts.h"

/* Newer than the headers of the oldest supported distribution. */
#define MDWE_SET 65
#define MDWE_GET 66
#define MDWE_REFUSE_EXEC_GAIN 1ul

#define HEAP_SLACK (16ull << 20)       /* private memory beside the heap: stack, relocated data */
#define LEAST_HEAP_BYTES (64ull << 10) /* what the layers need that come after the heap */
#define STACK_BYTES (1ull << 20)
#define POPULATE_WRITE 23 /* MADV_POPULATE_WRITE */
#define READY_BYTES (64ull << 10)
#define OOM_SCORE "1000" /* the kernel's memory killer takes the child first */

static uint64_t smaller(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

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
    void *memory = huge_map(FD_SNAPSHOT, c->order.snapshot_bytes, PROT_READ);
    if (memory == MAP_FAILED) return errno;
    c->snapshot = memory;
    return 0;
}

/* Room for the file of a child that waits. It is private memory, which the limit on
 * data counts. Its start is there before it is needed: page faults would be a fiftieth of
 * the load of a small file. The rest is touched only as far as a file reaches. */
static int map_stream(cage *c) {
    const uint64_t bytes = c->order.stream_bytes;
    if (bytes == 0) return 0;
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return errno;
    (void)madvise(memory, smaller(bytes, READY_BYTES), POPULATE_WRITE); /* since Linux 5.14 */
    c->stream = memory;
    return 0;
}

/* The exec took the host's handlers away, but what was blocked or ignored still is.
 * SIGXCPU must arrive: it says that the time was up. */
static int signals_reset(void) {
    sigset_t none;
    const struct sigaction standard = {.sa_handler = SIG_DFL};
    (void)sigemptyset(&none);
    const bool reset =
        sigaction(SIGXCPU, &standard, NULL) == 0 && sigprocmask(SIG_SETMASK, &none, NULL) == 0;
    return reset ? 0 : errno;
}

int descriptors_apply(cage *c) {
    const int reset = signals_reset();
    if (reset != 0) return reset;
    const int mapped = map_snapshot(c);
    if (mapped != 0) return mapped;
    const int room = map_stream(c);
    if (room != 0) return room;
    if (syscall(SYS_close_range, FD_SNAPSHOT, ~0u, 0) != 0) return errno;
    (void)umask(077);
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

/* What the child may have at the most. A lower limit that was inherited stays:
 * raising it is not the child's to do. */
typedef struct limit_row {
    __rlimit_resource_t resource;
    uint64_t most;
} limit_row;

static int limits_set(const limit_row *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct rlimit limit;
        if (getrlimit(rows[i].resource, &limit) != 0) return errno;
        limit.rlim_max = smaller(limit.rlim_max, rows[i].most);
        limit.rlim_cur = limit.rlim_max;
        /* SIGXCPU a second before SIGKILL: it says why. */
        if (rows[i].resource == RLIMIT_CPU && limit.rlim_max > 1) limit.rlim_cur--;
        if (setrlimit(rows[i].resource, &limit) != 0) return errno;
    }
    return 0;
}

static int limits_check(const limit_row *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct rlimit limit;
        if (getrlimit(rows[i].resource, &limit) != 0) return errno;
        if (limit.rlim_max > rows[i].most) return EPERM;
    }
    return 0;
}

enum { LIMIT_ROWS = 5 };
static void limit_rows(const cage *c, limit_row rows[LIMIT_ROWS]) {
    const limit_row made[LIMIT_ROWS] = {
        {RLIMIT_CORE, 0},
        {RLIMIT_CPU, c->order.limits.cpu_seconds + 1},
        {RLIMIT_DATA, c->order.limits.heap_bytes + c->order.stream_bytes + HEAP_SLACK},
        {RLIMIT_STACK, STACK_BYTES},
        {RLIMIT_MEMLOCK, 0},
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
    {RLIMIT_NOFILE, 0},   {RLIMIT_NPROC, 0},      {RLIMIT_FSIZE, 0},
    {RLIMIT_MSGQUEUE, 0}, {RLIMIT_SIGPENDING, 0}, {RLIMIT_LOCKS, 0},
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

/* Written and read back through one descriptor. */
int oom_score_apply(cage *c) {
    char text[sizeof OOM_SCORE] = "";
    (void)c;
    const int fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
    if (fd < 0) return errno;
    int reason = 0;
    if (write(fd, OOM_SCORE, sizeof OOM_SCORE - 1) < 0 || pread(fd, text, sizeof text - 1, 0) < 0) {
        reason = errno;
    }
    (void)close(fd);
    return reason != 0 ? reason : strcmp(text, OOM_SCORE) == 0 ? 0 : EPERM;
}

/* ---- heap */

int heap_apply(cage *c) {
    if (c->order.limits.heap_bytes < LEAST_HEAP_BYTES) return ENOMEM;
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

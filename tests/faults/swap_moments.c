/* The file is changed exactly when it hurts: before and behind each system call that a
 * load makes on files, one after the other. What is accepted is what the trusted key has
 * signed, to the last byte (invariant 1). At some moments a change comes too late, at
 * some it is seen; it is never believed.
 *
 * The calls are those of libc that the library makes, defined here. What libc calls inside
 * itself (fopen, opendir) is not among them. */
#include "support/sanitized.h"

#define SWAP_BYTES 40000 /* of each tensor: two chunks in all */
#include "swap_files.h"

#include <linux/falloc.h>
#include <stdarg.h>
#include <sys/sendfile.h>

#define MOST_MOMENTS 2000
#define CUT 300 /* bytes that are left of a file that was cut */

/* ---- moments: two a call, of the thread that loads */

static struct {
    unsigned passed, when; /* counted from 1 */
    void (*strike)(void);
} moment;
static _Thread_local bool armed;

static void pass(void) {
    if (!armed || ++moment.passed != moment.when) return;
    armed = false; /* its own calls are none */
    moment.strike();
    armed = true;
}

/* Not a function: the call has to be between the two. */
#define BETWEEN(call)             \
    do {                          \
        pass();                   \
        const long made = (call); \
        const int reason = errno; \
        pass();                   \
        errno = reason;           \
        return made;              \
    } while (0)

static long open_between(int folder, const char *path, int flags, unsigned mode) {
    BETWEEN(syscall(SYS_openat, folder, path, flags, mode));
}

/* The mode is there only where a file may be made. */
#define MODE_OF(flags, mode)                                                \
    do {                                                                    \
        va_list more;                                                       \
        va_start(more, flags);                                              \
        if ((flags) & (O_CREAT | O_TMPFILE)) mode = va_arg(more, unsigned); \
        va_end(more);                                                       \
    } while (0)

#pragma GCC visibility push(default)
int open(const char *path, int flags, ...) {
    unsigned mode = 0;
    MODE_OF(flags, mode);
    return (int)open_between(AT_FDCWD, path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...) {
    unsigned mode = 0;
    MODE_OF(flags, mode);
    return (int)open_between(folder, path, flags, mode);
}

ssize_t sendfile(int to, int from, off_t *offset, size_t count) {
    BETWEEN(syscall(SYS_sendfile, to, from, offset, count));
}

ssize_t pread(int fd, void *data, size_t count, off_t offset) {
    BETWEEN(syscall(SYS_pread64, fd, data, count, offset));
}

static long fstat_between(int fd, struct stat *status) {
    BETWEEN(syscall(SYS_newfstatat, fd, "", status, AT_EMPTY_PATH));
}

int fstat(int fd, struct stat *status) {
    return (int)fstat_between(fd, status);
}

static long memfd_between(const char *name, unsigned flags) {
    BETWEEN(syscall(SYS_memfd_create, name, flags));
}

int memfd_create(const char *name, unsigned flags) {
    return (int)memfd_between(name, flags);
}

static long pipe_between(int fds[2], int flags) {
    BETWEEN(syscall(SYS_pipe2, fds, flags));
}

int pipe2(int fds[2], int flags) {
    return (int)pipe_between(fds, flags);
}
#pragma GCC visibility pop

/* ---- what is done to the file */

static void exchange(void) {
    swap_exchange(at.target, at.other);
}

static void exchange_signatures(void) {
    swap_exchange(at.beside, at.beside_other);
}

static void remove_it(void) {
    (void)unlink(at.target);
}

/* With the file open for writing. */
static void with_file(void (*change)(int fd)) {
    const int fd = open(at.target, O_RDWR | O_CLOEXEC);
    change(fd);
    (void)close(fd);
}

static void write_strange(int fd) {
    (void)!pwrite(fd, at.strange.data, at.strange.size, 0);
}

static void write_altered(int fd) {
    (void)!pwrite(fd, at.altered.data, at.altered.size, 0);
}

static void cut(int fd) {
    (void)!ftruncate(fd, CUT);
}

static void cut_and_extend(int fd) {
    (void)!ftruncate(fd, CUT);
    (void)!ftruncate(fd, (off_t)at.good.size);
}

static void lengthen(int fd) {
    (void)!pwrite(fd, at.good.data, 100, (off_t)at.good.size);
}

static void punch(int fd) {
    const int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
    (void)fallocate(fd, mode, (off_t)at.good.size - SWAP_BYTES, SWAP_BYTES);
}

#define IN_PLACE(name, change) \
    static void name(void) {   \
        with_file(change);     \
    }
IN_PLACE(rewrite_strange, write_strange)
IN_PLACE(rewrite_altered, write_altered)
IN_PLACE(shorten, cut)
IN_PLACE(shorten_and_extend, cut_and_extend)
IN_PLACE(extend, lengthen)
IN_PLACE(punch_hole, punch)

typedef struct attack {
    const char *name;
    void (*strike)(void);
    bool beside; /* the good file is unsigned, but for the signature beside it */
} attack;

static const attack attacks[] = {
    {"swapped by name", exchange, false},
    {"removed", remove_it, false},
    {"written over by a stranger's", rewrite_strange, false},
    {"altered", rewrite_altered, false},
    {"cut", shorten, false},
    {"cut and extended", shorten_and_extend, false},
    {"extended", extend, false},
    {"punched", punch_hole, false},
    {"swapped by name, with a signature beside", exchange, true},
    {"its signature swapped", exchange_signatures, true},
};

/* ---- one load, struck at one moment */

static struct { unsigned moments, accepted, refused, wrong; } told;

/* Returns whether the load came to that moment. */
static bool strike_at(const attack *a, const swap_way *way, wlk_gate *gate, unsigned when) {
    wlk_error error;
    bool right;
    swap_lay_out(a->beside);
    moment.when = when;
    moment.passed = 0;
    moment.strike = a->strike;
    armed = true;
    const wlk_status status = way->load(gate, at.target, &right, &error);
    armed = false;
    if (moment.passed < when) return false;
    told.moments++;
    told.accepted += status == WLK_OK;
    told.refused += status != WLK_OK;
    if (right && (status == WLK_OK || status == rule_status(error.rule))) return true;
    told.wrong++;
    (void)printf("%s, %s, at moment %u: another model was accepted\n", a->name, way->name, when);
    return true;
}

static void strike_all(const attack *a, const swap_way *way) {
    const unsigned accepted = told.accepted, refused = told.refused;
    const unsigned before = kit_descriptors();
    wlk_gate *gate = swap_gate(way);
    for (unsigned when = 1; when < MOST_MOMENTS && strike_at(a, way, gate, when); when++) continue;
    wlk_gate_close(gate);
    if (!kit_is_clean(before)) {
        told.wrong++;
        (void)printf("%s, %s: something is left\n", a->name, way->name);
    }
    if (told.accepted > accepted && told.refused > refused) return;
    told.wrong++;
    (void)printf("%s, %s: %u accepted, %u refused\n", a->name, way->name, told.accepted - accepted,
                 told.refused - refused);
}

int main(void) {
    void *state = NULL;
    assert_int_equal(kit_setup(&state), 0);
    swap_make();
    (void)kit_program(REAL_CHILD);
    for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++) {
        for (size_t j = 0; j < SWAP_WAYS; j++) {
            if (attacks[i].beside && !swap_ways[j].beside) continue;
            strike_all(&attacks[i], &swap_ways[j]);
        }
    }
    swap_clear_away();
    (void)kit_teardown(&state);
    (void)printf("swap_moments: %u moments, %u accepted, %u refused; failures %u\n", told.moments,
                 told.accepted, told.refused, told.wrong);
    return told.wrong != 0;
}

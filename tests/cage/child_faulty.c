/* The child itself, its main included, but one call that a layer makes fails: the linker
 * puts the functions below in the place of the calls (faulty.wrap). Once a call of a
 * required layer has failed, the first byte that is read of the artifact ends the process. */
#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cage/faulty.h"
#include "cage/layer_parts.h"

static bool confine_with_a_fault(cage *c, wire_hello *hello);

#define cage_lock_down confine_with_a_fault
#include "cage/main.c" /* the real one, to be seen not to go on */
#undef cage_lock_down

static struct {
    cage *cage;
    bool armed, fired;
    uint64_t calls; /* of the part so far */
    unsigned depth; /* calls that we are in */
    wire_layer layer;
    enum fault_phase phase;
} fault;

static const wlk_limits *told(void) {
    return &fault.cage->order.limits;
}

static void close_artifact(void) {
    const cage *c = fault.cage;
    if (!c->snapshot) return;
    if (mprotect((void *)(uintptr_t)c->snapshot, c->order.snapshot_bytes, PROT_NONE) != 0) {
        _exit(61);
    }
}

/* ---- calls whose failing is no harm, or is what is wanted */

static const struct {
    wire_layer layer;
    enum fault_phase phase;
    const char *call;
} exceptions[] = {
    {LAYER_SPECULATION, FAULT_APPLY, "prctl"}, /* judged by what verify reads */
    {LAYER_EMPTY_ROOT, FAULT_VERIFY, "access"}, {LAYER_REGAIN, FAULT_VERIFY, "setresuid"},
    {LAYER_REGAIN, FAULT_VERIFY, "setgroups"},  {LAYER_REGAIN, FAULT_VERIFY, "cap_set_proc"},
};

static bool is_exception(const char *call) {
    for (size_t i = 0; i < sizeof exceptions / sizeof *exceptions; i++) {
        if (exceptions[i].layer == fault.layer && exceptions[i].phase == fault.phase &&
            strcmp(exceptions[i].call, call) == 0) {
            return true;
        }
    }
    return false;
}

static bool fails(const char *call) {
    if (!fault.armed || fault.depth > 0 || is_exception(call) ||
        fault.calls++ != told()->json_bytes)
        return false;
    fault.fired = true;
    fault.armed = false;
    if (fault.cage->order.required >> fault.layer & 1) close_artifact();
    errno = fault_reason_of(told()->columns);
    return true;
}

/* ---- the calls */

/* What a call of the C library or of libcap calls in turn is no call of the layer's. */
#define CALL(type, name, parameters, arguments, failed) \
    type __real_##name parameters;                      \
    type __wrap_##name parameters;                      \
    type __wrap_##name parameters {                     \
        if (fails(#name)) return failed;                \
        fault.depth++;                                  \
        const type got = __real_##name arguments;       \
        fault.depth--;                                  \
        return got;                                     \
    }

/* Variadic ones take their most arguments, in the registers in which they come. */
CALL(int, open, (const char *path, int flags, mode_t mode), (path, flags, mode), -1)
CALL(int, prctl, (int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d),
     (option, a, b, c, d), -1)
CALL(long, syscall, (long number, long a, long b, long c, long d, long e, long f),
     (number, a, b, c, d, e, f), -1)
CALL(int, access, (const char *path, int mode), (path, mode), -1)
CALL(int, chdir, (const char *path), (path), -1)
CALL(int, chroot, (const char *path), (path), -1)
CALL(int, dup, (int fd), (fd), -1)
CALL(int, fstat, (int fd, struct stat *status), (fd, status), -1)
CALL(int, stat, (const char *path, struct stat *status), (path, status), -1)
CALL(int, getgroups, (int count, gid_t *groups), (count, groups), -1)
CALL(int, getresgid, (gid_t * a, gid_t *b, gid_t *c), (a, b, c), -1)
CALL(int, getresuid, (uid_t * a, uid_t *b, uid_t *c), (a, b, c), -1)
CALL(int, getrlimit, (__rlimit_resource_t resource, struct rlimit *limit), (resource, limit), -1)
CALL(int, setrlimit, (__rlimit_resource_t resource, const struct rlimit *limit), (resource, limit),
     -1)
typedef void *memory;
CALL(memory, mmap, (void *where, size_t length, int protection, int flags, int fd, off_t offset),
     (where, length, protection, flags, fd, offset), MAP_FAILED)
CALL(int, mount,
     (const char *source, const char *target, const char *type, unsigned long flags,
      const void *data),
     (source, target, type, flags, data), -1)
CALL(ssize_t, pread, (int fd, void *data, size_t length, off_t offset), (fd, data, length, offset),
     -1)
CALL(ssize_t, write, (int fd, const void *data, size_t length), (fd, data, length), -1)
CALL(int, setgroups, (size_t count, const gid_t *groups), (count, groups), -1)
CALL(int, sethostname, (const char *name, size_t length), (name, length), -1)
CALL(int, setresgid, (gid_t a, gid_t b, gid_t c), (a, b, c), -1)
CALL(int, setresuid, (uid_t a, uid_t b, uid_t c), (a, b, c), -1)
CALL(int, sigaction, (int number, const struct sigaction *new, struct sigaction *old),
     (number, new, old), -1)
CALL(int, sigprocmask, (int how, const sigset_t *new, sigset_t *old), (how, new, old), -1)
CALL(int, unshare, (int flags), (flags), -1)
CALL(int, cap_drop_bound, (cap_value_t cap), (cap), -1)
CALL(int, cap_get_ambient, (cap_value_t cap), (cap), -1)
CALL(cap_t, cap_get_proc, (void), (), NULL)
CALL(unsigned, cap_get_secbits, (void), (), UINT32_MAX)
CALL(cap_t, cap_init, (void), (), NULL)
CALL(int, cap_reset_ambient, (void), (), -1)
CALL(int, cap_set_proc, (cap_t wanted), (wanted), -1)
CALL(int, cap_set_secbits, (unsigned bits), (bits), -1)

/* Past the last capability it fails always. */
int __real_cap_get_bound(cap_value_t cap);
int __wrap_cap_get_bound(cap_value_t cap);
int __wrap_cap_get_bound(cap_value_t cap) {
    fault.depth++;
    const int bound = __real_cap_get_bound(cap);
    fault.depth--;
    return bound >= 0 && fails("cap_get_bound") ? -1 : bound;
}

/* ---- the parts of the layers, around which the calls are counted */

static void arm(wire_layer layer, enum fault_phase phase) {
    fault.layer = layer;
    fault.phase = phase;
    fault.calls = 0;
    fault.armed = !fault.fired && phase == fault_phase_of(told()->columns) &&
                  layer == fault_layer_of(told()->columns);
    /* Nothing fails: as soon as the artifact is there, it is closed. */
    if (fault_phase_of(told()->columns) == FAULT_NOWHERE && layer == LAYER_RLIMITS) {
        fault.fired = true;
        close_artifact();
    }
}

#define APPLY(name, number)                       \
    int __real_##name##_apply(cage *c);           \
    int __wrap_##name##_apply(cage *c);           \
    int __wrap_##name##_apply(cage *c) {          \
        arm(number, FAULT_APPLY);                 \
        const int got = __real_##name##_apply(c); \
        fault.armed = false;                      \
        return got;                               \
    }
#define VERIFY(name, number)                       \
    int __real_##name##_verify(const cage *c);     \
    int __wrap_##name##_verify(const cage *c);     \
    int __wrap_##name##_verify(const cage *c) {    \
        arm(number, FAULT_VERIFY);                 \
        const int got = __real_##name##_verify(c); \
        fault.armed = false;                       \
        return got;                                \
    }
#define PARTS(name, number) APPLY(name, number) VERIFY(name, number)

PARTS(descriptors, LAYER_DESCRIPTORS)
PARTS(rlimits, LAYER_RLIMITS)
APPLY(oom_score, LAYER_OOM_SCORE)
PARTS(heap, LAYER_HEAP)
VERIFY(pid_namespace, LAYER_PID_NAMESPACE)
PARTS(namespaces, LAYER_NAMESPACES)
PARTS(empty_root, LAYER_EMPTY_ROOT)
PARTS(bounding_set, LAYER_BOUNDING_SET)
PARTS(ids, LAYER_IDS)
PARTS(capabilities, LAYER_CAPABILITIES)
VERIFY(regain, LAYER_REGAIN)
PARTS(no_new_privs, LAYER_NO_NEW_PRIVS)
PARTS(not_dumpable, LAYER_NOT_DUMPABLE)
PARTS(parent_death, LAYER_PARENT_DEATH)
PARTS(landlock, LAYER_LANDLOCK)
PARTS(mdwe, LAYER_MDWE)
PARTS(speculation, LAYER_SPECULATION)
PARTS(zero_rlimits, LAYER_ZERO_RLIMITS)
APPLY(seccomp, LAYER_SECCOMP)

static bool confine_with_a_fault(cage *c, wire_hello *hello) {
    fault.cage = c;
    const bool confined = cage_lock_down(c, hello);
    if (!fault.fired) _exit(FAULT_NOT_REACHED);
    return confined;
}

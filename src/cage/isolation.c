#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cage/layer_parts.h"

/* Newer than the headers of the oldest supported distribution (same numbers on
 * every architecture). */
#define LANDLOCK_CREATE_RULESET 444
#define LANDLOCK_RESTRICT_SELF 446
#define LANDLOCK_VERSION_FLAG 1u

int pid_namespace_verify(const cage *c) {
    (void)c;
    return getpid() == 1 ? 0 : EPERM;
}

/* ---- namespaces: no network, no other process's IPC, its own mounts */

/* The mount namespace that we are in; 0: unknown. */
static ino_t mounts(void) {
    struct stat own;
    return stat("/proc/self/ns/mnt", &own) == 0 ? own.st_ino : 0;
}

int namespaces_apply(cage *c) {
    int wanted = CLONE_NEWNS;
    const ino_t before = mounts();
    /* Otherwise the parent has put us into empty ones already. */
    if (!c->order.spaces) wanted |= CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
    if (!c->privileged) wanted |= CLONE_NEWUSER; /* gives an ordinary user the right to the rest */
    if (unshare(wanted) != 0) return errno;
    /* What is mounted from here on must be mounted for nobody else. */
    const ino_t after = mounts();
    c->own_mounts = before != 0 && after != 0 && after != before;
    return c->own_mounts ? 0 : EPERM;
}

int namespaces_verify(const cage *c) {
    (void)c;
    char changed[] = "weighlock"; /* only in a UTS namespace of our own may it be changed */
    return sethostname(changed, sizeof changed - 1) == 0 ? 0 : errno;
}

/* ---- an empty root: a fresh read-only tmpfs is all the child could see */

/* chroot, not pivot_root: unmounting the old root afterwards waits for the whole
 * machine (a tenth of a small load), and way back there is none: it takes
 * CAP_SYS_CHROOT or a descriptor of a folder, and the child will have neither. */
int empty_root_apply(cage *c) {
    if (!c->own_mounts) return EPERM; /* else the host's own root would change */
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) return errno;
    const unsigned long flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
    /* /proc exists everywhere; what is mounted over it hides in our namespace only. */
    if (mount("none", "/proc", "tmpfs", flags, "size=4k,nr_inodes=1,mode=555") != 0) return errno;
    if (chdir("/proc") != 0) return errno;
    return chroot(".") == 0 ? 0 : errno;
}

int empty_root_verify(const cage *c) {
    struct stat here, above;
    (void)c;
    if (stat("/", &here) != 0 || stat("..", &above) != 0) return errno;
    if (here.st_dev != above.st_dev || here.st_ino != above.st_ino) return EPERM;
    if (here.st_nlink != 2) return EPERM; /* no folder in it */
    return access("/proc/self", F_OK) != 0 && access("/etc", F_OK) != 0 ? 0 : EPERM;
}

/* ---- Landlock: handle every right that the kernel knows, grant none */

typedef struct landlock_ruleset {
    uint64_t files, network, scopes;
} landlock_ruleset;

typedef struct landlock_abi {
    landlock_ruleset rights;
    size_t size; /* of the attribute that this ABI knows */
} landlock_abi;

/* By ABI version; the newest known is used for all newer ones. */
static const landlock_abi landlock_abis[] = {
    {{0, 0, 0}, 0},       {{0x1fff, 0, 0}, 8},  {{0x3fff, 0, 0}, 8},  {{0x7fff, 0, 0}, 8},
    {{0x7fff, 3, 0}, 16}, {{0xffff, 3, 0}, 16}, {{0xffff, 3, 3}, 24},
};
#define NEWEST_ABI ((long)(sizeof landlock_abis / sizeof *landlock_abis) - 1)

int landlock_apply(cage *c) {
    (void)c;
    const long known = syscall(LANDLOCK_CREATE_RULESET, NULL, 0, LANDLOCK_VERSION_FLAG);
    if (known < 0) return errno;
    if (known == 0) return ENOSYS;
    const landlock_abi *abi = &landlock_abis[known < NEWEST_ABI ? known : NEWEST_ABI];
    const int rules = (int)syscall(LANDLOCK_CREATE_RULESET, &abi->rights, abi->size, 0);
    if (rules < 0) return errno;
    const int reason = syscall(LANDLOCK_RESTRICT_SELF, rules, 0) == 0 ? 0 : errno;
    (void)close(rules);
    return reason;
}

int landlock_verify(const cage *c) {
    (void)c;
    const int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return errno == EACCES ? 0 : errno;
    (void)close(fd);
    return EPERM;
}

/* ---- seccomp: policy/syscalls.policy, compiled at build time */

int seccomp_apply(cage *c) {
    static const struct sock_filter instructions[] = {
#include "gen/filter.inc"
    };
    const struct sock_fprog program = {
        .len = sizeof instructions / sizeof *instructions,
        .filter = (struct sock_filter *)(uintptr_t)instructions,
    };
    (void)c;
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0 ? 0 : errno;
}

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "cli/doctor.h"
#include "wire/frame.h"

#define OVERFLOW_USER 65534 /* the kernel's standard, sysctl kernel.overflowuid */

/* When a row applies, besides layer and errno. */
typedef enum when {
    ALWAYS,
    AS_ROOT,
    AS_USER,
    ALONE /* the namespaces hold, so it is not for lack of them */
} when;

/* The first row that applies is told; `reason` 0: whatever the errno is. */
typedef struct layer_row {
    wire_layer layer;
    int reason;
    when applies;
    const char *advice;
} layer_row;

static const layer_row layer_rows[] = {
    {LAYER_DESCRIPTORS, EBADFD, ALWAYS,
     "/dev/null must be that device: mknod -m 666 /dev/null c 1 3"},
    {LAYER_DESCRIPTORS, ENOSYS, ALWAYS,
     "Linux 5.11 or later is needed, and no filter that hides close_range"},
    {LAYER_OOM_SCORE, 0, ALWAYS,
     "the child writes its own oom_score_adj: mount /proc, for writing, and let nothing close it"},
    {LAYER_HEAP, ENOMEM, ALWAYS,
     "let the process have more memory (ulimit -v and -d), or ask for less: --limit heap_bytes"},
    {LAYER_PID_NAMESPACE, 0, ALONE, "this kernel or container has no PID namespaces for this user"},
    {LAYER_PID_NAMESPACE, 0, ALWAYS, "it needs what the layer namespaces needs"},
    {LAYER_NAMESPACES, ENOSPC, ALWAYS,
     "no more namespaces may be made here: raise sysctl user.max_user_namespaces and its likes"},
    {LAYER_NAMESPACES, EUSERS, ALWAYS,
     "user namespaces are nested too deep: use fewer containers in one another"},
    {LAYER_NAMESPACES, EINVAL, ALWAYS, "the kernel was built without one of the namespaces"},
    {LAYER_NAMESPACES, ENOSYS, ALWAYS,
     "the kernel has none, or a filter of system calls hides them"},
    {LAYER_NAMESPACES, 0, AS_ROOT,
     "root lacks CAP_SYS_ADMIN, or a container's filter of system calls forbids namespaces"},
    {LAYER_NAMESPACES, 0, AS_USER,
     "user namespaces are forbidden: by sysctl kernel.unprivileged_userns_clone=0, by\n"
     "kernel.apparmor_restrict_unprivileged_userns=1 (Ubuntu), by a container's filter of\n"
     "system calls, or in a chroot"},
    {LAYER_EMPTY_ROOT, ENOENT, ALWAYS, "there must be a folder /proc"},
    {LAYER_EMPTY_ROOT, 0, ALONE,
     "mounting is forbidden, by Landlock, AppArmor or SELinux around this process, or by a filter"},
    {LAYER_EMPTY_ROOT, 0, ALWAYS, "it needs what the layer namespaces needs"},
    {LAYER_BOUNDING_SET, 0, AS_ROOT,
     "root lacks CAP_SETPCAP; what is required, empty sets and no-new-privs, does not need it"},
    {LAYER_BOUNDING_SET, 0, ALONE, "the child may not drop capabilities in its own user namespace"},
    {LAYER_BOUNDING_SET, 0, ALWAYS,
     "an ordinary user needs what the layer namespaces needs; what is required, empty sets\n"
     "and no-new-privs, does not need it"},
    {LAYER_IDS, EINVAL, AS_ROOT,
     "this user namespace does not map that user: name one that it maps with --uid, or run\n"
     "Weighlock as an ordinary user"},
    {LAYER_IDS, 0, AS_ROOT,
     "root lacks CAP_SETUID or CAP_SETGID, or its user namespace maps no other user: run\n"
     "Weighlock as an ordinary user"},
    {LAYER_CAPABILITIES, 0, ALWAYS,
     "a filter of system calls around this process must let capset through"},
    {LAYER_REGAIN, 0, ALWAYS, "what was given up could be had back: report this"},
    {LAYER_NO_NEW_PRIVS, 0, ALWAYS,
     "a filter of system calls around this process must let prctl through"},
    {LAYER_NOT_DUMPABLE, 0, ALWAYS,
     "a filter of system calls around this process must let prctl through"},
    {LAYER_LANDLOCK, ENOSYS, ALWAYS,
     "the kernel is older than 5.13 or built without Landlock, or a filter hides it"},
    {LAYER_LANDLOCK, EOPNOTSUPP, ALWAYS,
     "the kernel has it but does not use it: add landlock to lsm= on its command line"},
    {LAYER_LANDLOCK, E2BIG, ALWAYS,
     "this process is in sixteen Landlock domains already: use fewer"},
    {LAYER_MDWE, EINVAL, ALWAYS, "the kernel is older than 6.3, or has it not for this processor"},
    {LAYER_SPECULATION, ENXIO, ALWAYS,
     "the processor, the hypervisor or the kernel's boot options do not offer it: nothing to do"},
    {LAYER_SPECULATION, ENODEV, ALWAYS, "the kernel was built without it: nothing to do"},
    {LAYER_SPECULATION, EINVAL, ALWAYS, "the kernel has it not for this processor: nothing to do"},
    {LAYER_SECCOMP, EINVAL, ALWAYS, "the kernel was built without CONFIG_SECCOMP_FILTER"},
    {LAYER_SECCOMP, ENOSYS, ALWAYS,
     "the kernel was built without CONFIG_SECCOMP, or a filter hides it"},
    {LAYER_SECCOMP, 0, ALWAYS,
     "a filter of system calls around this process must let seccomp through"},
};

static const char killed_advice[] =
    "a filter of system calls around this process (a container, a service) kills for it: let\n"
    "the calls through, or fail them with ENOSYS";
static const char other_advice[] =
    "the kernel, a container, a service manager or a security module forbids it";

static bool applies(const layer_row *row, const diagnosis *d) {
    const bool root = d->uid == 0;
    const bool alone = doctor_state(d, LAYER_NAMESPACES) >= WLK_LAYER_REPORTED;
    return row->applies == ALWAYS || (row->applies == AS_ROOT && root) ||
           (row->applies == AS_USER && !root) || (row->applies == ALONE && alone);
}

const char *doctor_layer_advice(const diagnosis *d, uint32_t layer) {
    const int reason = d->report.layer_errno[layer];
    if (doctor_state(d, layer) != WLK_LAYER_FAILED) return NULL;
    if (d->killed >> layer & 1) return killed_advice;
    for (size_t i = 0; i < sizeof layer_rows / sizeof *layer_rows; i++) {
        const layer_row *row = &layer_rows[i];
        if (row->layer != layer || (row->reason != 0 && row->reason != reason)) continue;
        if (applies(row, d)) return row->advice;
    }
    return other_advice;
}

const char *doctor_proc_advice(const diagnosis *d) {
    static const char *const advice[] = {
        [PROC_MISSING] = "mount it: mount -t proc proc /proc",
        [PROC_CLOSED] = "Landlock, AppArmor or SELinux around this process must let it read /proc",
        [PROC_FOREIGN] =
            "mount that of this PID namespace: mount -t proc proc /proc (unshare\n"
            "--mount-proc does)",
        [PROC_HIDDEN] =
            "mount -o remount,hidepid=0 /proc, or with gid= for a group of this user; or\n"
            "allow user namespaces, or run Weighlock as root: then the child can be seen",
        [PROC_READABLE] = NULL};
    return advice[d->proc];
}

/* What keeps a child from starting, or a load from its copy. An error keeps the words of
 * its errno, not the number. */
static const struct {
    wlk_rule rule;
    int reason;
    const char *advice;
} error_rows[] = {
    {RULE_CAGE_SPAWN, EAGAIN,
     "no more processes may be started: raise ulimit -u, or pids.max of the cgroup"},
    {RULE_CAGE_SPAWN, EMFILE, "too few descriptors may be open: raise ulimit -n"},
    {RULE_CAGE_SPAWN, EINVAL, "too few descriptors may be open: raise ulimit -n"},
    {RULE_CAGE_SPAWN, ENOSYS,
     "Linux 5.11 or later is needed, and no filter that hides clone, close_range or execveat"},
    {RULE_CAGE_SPAWN, EPERM,
     "a filter of system calls around this process must let clone, close_range and execveat "
     "through"},
    {RULE_CAGE_SPAWN, EACCES,
     "the child lies where nothing may be executed (a mount with noexec, a security module)"},
    {RULE_CAGE_SPAWN, ENOEXEC, "the child is for another processor: reinstall Weighlock"},
    {RULE_GATE_MEMORY, EPERM,
     "a filter of system calls around this process must let memfd_create through"},
    {RULE_GATE_MEMORY, ENOSYS,
     "a filter of system calls around this process must let memfd_create through"},
    {RULE_GATE_MEMORY, EMFILE, "too few descriptors may be open: raise ulimit -n"},
};

static const char *early_advice(const diagnosis *d) {
    return d->killed ? "see the layer that it is killed for" : killed_advice;
}

/* In a user namespace that does not map root, root's files look like that user's own, and
 * so do those of a process that cannot be dumped. */
static bool looks_like_unmapped(const diagnosis *d) {
    return d->error.rule == RULE_CAGE_ATTEST && d->uid == OVERFLOW_USER;
}

const char *doctor_error_advice(const diagnosis *d) {
    const wlk_error *e = &d->error;
    if (d->status == WLK_OK || doctor_proc_advice(d)) return NULL; /* said there */
    if (looks_like_unmapped(d)) {
        return "in this user namespace 65534 stands for every user that is not mapped, root too:\n"
               "run Weighlock as another user";
    }
    if (e->rule == RULE_CAGE_LOCK_DOWN && d->program == PROGRAM_NOT_SEEN) return early_advice(d);
    for (size_t i = 0; i < sizeof error_rows / sizeof *error_rows; i++) {
        if (error_rows[i].rule != (wlk_rule)e->rule) continue;
        if (strstr(e->text, strerror(error_rows[i].reason))) return error_rows[i].advice;
    }
    return NULL;
}

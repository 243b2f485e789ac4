#include "gate/attest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATUS_BYTES 8192        /* status and limits are about 1.5 KiB; longer is not believed */
#define HEAP_SLACK (16ull << 20) /* private memory of the child beside its heap */

typedef struct observed {
    const attest_claim *claim;
    char status[STATUS_BYTES];
    char limits[STATUS_BYTES];
    uid_t owner; /* of /proc/PID/status */
} observed;

/* ---- reading */

/* One read: the kernel makes these files whole, and one that fills the buffer is
 * not believed. *owner, if wanted: who owns the file. */
static bool read_text(const char *path, char *text, size_t size, uid_t *owner) {
    struct stat status = {0};
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    const ssize_t got = read(fd, text, size - 1);
    const bool known = !owner || fstat(fd, &status) == 0;
    (void)close(fd);
    if (owner) *owner = status.st_uid;
    text[got > 0 ? got : 0] = 0;
    return known && got > 0 && (size_t)got < size - 1;
}

static bool read_child(const observed *o, const char *file, char *text, size_t size, uid_t *owner) {
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/%s", (int)o->claim->pid, file);
    return read_text(path, text, size, owner);
}

/* Is /proc that of our PID namespace? In another one's, its numbers are those of other
 * processes. Its link "self" is our number there. */
static bool proc_is_ours(void) {
    char text[24] = "";
    const ssize_t length = readlink("/proc/self", text, sizeof text - 1);
    return length > 0 && strtol(text, NULL, 10) == (long)getpid();
}

/* The text behind the line's name, which is given with the line end before it and
 * the colon behind it: "\nSeccomp:"; NULL if there is none. */
static const char *field(const char *status, const char *name) {
    const char *line = strstr(status, name);
    return line ? line + strlen(name) : NULL;
}

static bool field_is(const observed *o, const char *name, int base, unsigned long wanted) {
    const char *text = field(o->status, name);
    return text && strtoul(text, NULL, base) == wanted;
}

/* All four ids (real, effective, saved, filesystem) of a line are `wanted`; for
 * an ordinary user's child, whatever it is, not root's. */
static bool ids_are(const observed *o, const char *name, unsigned long wanted) {
    const char *text = field(o->status, name);
    unsigned long id[4];
    if (!text || sscanf(text, "%lu %lu %lu %lu", &id[0], &id[1], &id[2], &id[3]) != 4) return false;
    for (int i = 0; i < 4; i++) {
        if (id[i] != wanted) return false;
    }
    return true;
}

/* The hard limit of that row of /proc/PID/limits is a number, and at most `most`.
 * prlimit would need a capability that root in a container may lack. */
static bool limit_is(const observed *o, const char *name, uint64_t most) {
    const char *row = strstr(o->limits, name);
    if (!row) return false;
    const char *soft = row + strlen(name);
    char *hard;
    (void)strtoull(soft + strspn(soft, " "), &hard, 10);
    hard += strspn(hard, " ");
    return *hard >= '0' && *hard <= '9' && strtoull(hard, NULL, 10) <= most;
}

/* ---- one check a layer: what must be seen. */

static bool see_seccomp(const observed *o) {
    return field_is(o, "\nSeccomp:", 10, 2) &&
           field_is(o, "\nSeccomp_filters:", 10, o->claim->inherited_filters + 1ul) &&
           field_is(o, "\nThreads:", 10, 1);
}

static bool see_no_new_privs(const observed *o) {
    return field_is(o, "\nNoNewPrivs:", 10, 1);
}

static bool see_capabilities(const observed *o) {
    return field_is(o, "\nCapInh:", 16, 0) && field_is(o, "\nCapPrm:", 16, 0) &&
           field_is(o, "\nCapEff:", 16, 0) && field_is(o, "\nCapAmb:", 16, 0);
}

static bool see_bounding_set(const observed *o) {
    return field_is(o, "\nCapBnd:", 16, 0);
}

static bool see_ids(const observed *o) {
    const attest_claim *claim = o->claim;
    if (!claim->privileged) return ids_are(o, "\nUid:", geteuid()) && geteuid() != 0;
    const char *groups = field(o->status, "\nGroups:");
    return ids_are(o, "\nUid:", claim->uid) && ids_are(o, "\nGid:", claim->gid) &&
           claim->uid != 0 && groups && groups[strspn(groups, " \t")] == '\n';
}

static bool see_rlimits(const observed *o) {
    const uint64_t data = o->claim->limits->heap_bytes + o->claim->stream_bytes + HEAP_SLACK;
    return limit_is(o, "Max core file size", 0) && limit_is(o, "Max locked memory", 0) &&
           limit_is(o, "Max cpu time", o->claim->limits->cpu_seconds + 1) &&
           limit_is(o, "Max data size", data);
}

static bool see_zero_rlimits(const observed *o) {
    return limit_is(o, "Max open files", 0) && limit_is(o, "Max processes", 0) &&
           limit_is(o, "Max file size", 0);
}

static bool see_oom_score(const observed *o) {
    char text[16];
    return read_child(o, "oom_score_adj", text, sizeof text, NULL) && strcmp(text, "1000\n") == 0;
}

/* The files of a process that cannot be dumped do not belong to its user. */
static bool see_not_dumpable(const observed *o) {
    return o->owner != (o->claim->privileged ? o->claim->uid : geteuid());
}

/* In its own namespace it is process 1: the last number of NSpid. */
static bool see_pid_namespace(const observed *o) {
    const char *text = field(o->status, "\nNSpid:");
    if (!text) return false;
    const char *end = strchr(text, '\n');
    return end && end - text > 2 && end[-1] == '1' && (end[-2] == '\t' || end[-2] == ' ');
}

/* Another mount namespace than ours, which only the child itself can have made, in
 * one step with the others; where the link is not readable (an ordinary user's
 * non-dumpable child), HELLO's word stands. */
static bool see_namespaces(const observed *o) {
    char path[64];
    struct stat own, its;
    (void)snprintf(path, sizeof path, "/proc/%d/ns/mnt", (int)o->claim->pid);
    if (stat(path, &its) != 0 || stat("/proc/thread-self/ns/mnt", &own) != 0) return false;
    return own.st_ino != its.st_ino;
}

/* Exactly 0, 1 and 2 are open, where that is readable. From Linux 6.2 on the
 * folder's size is their number; before, it is 0. */
static bool see_descriptors(const observed *o) {
    char path[64];
    struct stat status;
    unsigned count = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/fd", (int)o->claim->pid);
    if (stat(path, &status) == 0 && status.st_size > 0) return status.st_size == 3;
    DIR *folder = opendir(path);
    if (!folder) return false;
    while (readdir(folder)) count++;
    (void)closedir(folder);
    return count == 2 + 3; /* "." and ".." */
}

typedef struct sight {
    wire_layer layer;
    bool (*see)(const observed *o);
    bool may_be_closed; /* to another user: then it is evidence of nothing */
} sight;

static const sight sights[] = {
    {LAYER_SECCOMP, see_seccomp, false},
    {LAYER_NO_NEW_PRIVS, see_no_new_privs, false},
    {LAYER_CAPABILITIES, see_capabilities, false},
    {LAYER_BOUNDING_SET, see_bounding_set, false},
    {LAYER_IDS, see_ids, false},
    {LAYER_RLIMITS, see_rlimits, false},
    {LAYER_ZERO_RLIMITS, see_zero_rlimits, false},
    {LAYER_OOM_SCORE, see_oom_score, false},
    {LAYER_NOT_DUMPABLE, see_not_dumpable, false},
    {LAYER_PID_NAMESPACE, see_pid_namespace, false},
    {LAYER_NAMESPACES, see_namespaces, true},
    {LAYER_DESCRIPTORS, see_descriptors, true},
};

static wlk_status look(observed *o, uint32_t *attested, wlk_error *error) {
    for (size_t i = 0; i < sizeof sights / sizeof *sights; i++) {
        const sight *s = &sights[i];
        if (!(o->claim->held >> s->layer & 1)) continue;
        errno = 0;
        if (s->see(o)) {
            *attested |= 1u << s->layer;
        } else if (!s->may_be_closed || (errno != EACCES && errno != EPERM)) {
            return error_text(error, RULE_CAGE_ATTEST, WLK_NO_OFFSET, "%s",
                              wire_layer_name(s->layer));
        }
    }
    return WLK_OK;
}

wlk_status attest_own_filters(uint32_t *count, wlk_error *error) {
    char status[STATUS_BYTES];
    if (!read_text("/proc/thread-self/status", status, sizeof status, NULL)) {
        return error_at(error, RULE_CAGE_UNREADABLE, WLK_NO_OFFSET);
    }
    const char *filters = field(status, "\nSeccomp_filters:");
    *count = filters ? (uint32_t)strtoul(filters, NULL, 10) : 0;
    return WLK_OK;
}

wlk_status attest_child(const attest_claim *claim, uint32_t *attested, wlk_error *error) {
    observed o = {.claim = claim};
    *attested = 0;
    if (!proc_is_ours() || !read_child(&o, "status", o.status, sizeof o.status, &o.owner) ||
        !read_child(&o, "limits", o.limits, sizeof o.limits, NULL) ||
        !field_is(&o, "\nPPid:", 10, (unsigned long)getpid())) {
        return error_at(error, RULE_CAGE_UNREADABLE, WLK_NO_OFFSET);
    }
    return look(&o, attested, error);
}

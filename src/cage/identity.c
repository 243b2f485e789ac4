#include <errno.h>
#include <grp.h>
#include <linux/securebits.h>
#include <sys/capability.h>
#include <sys/fsuid.h>
#include <unistd.h>

#include "cage/layer_parts.h"

/* Uid 0 means nothing, identity changes grant nothing, and neither can be undone. */
#define SECUREBITS                                                                           \
    (SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |                         \
     SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE | \
     SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

/* Past the last capability that the kernel knows there is EINVAL. Any other error ends
 * no list: something keeps us from looking. */
static int bound_end(void) {
    return errno == EINVAL ? 0 : errno;
}

static int bounding_set_drop(void) {
    for (cap_value_t cap = 0;; cap++) {
        if (cap_get_bound(cap) < 0) return bound_end();
        if (cap_drop_bound(cap) != 0) return errno;
    }
}

int bounding_set_apply(cage *c) {
    (void)c;
    const int reason = bounding_set_drop();
    if (reason != 0) return reason;
    if (cap_reset_ambient() != 0) return errno;
    return cap_set_secbits(SECUREBITS) == 0 ? 0 : errno;
}

int bounding_set_verify(const cage *c) {
    (void)c;
    for (cap_value_t cap = 0;; cap++) {
        const int bound = cap_get_bound(cap);
        if (bound < 0 && bound_end() != 0) return bound_end();
        if (bound < 0) break;
        if (bound > 0 || cap_get_ambient(cap) != 0) return EPERM;
    }
    return cap_get_secbits() == SECUREBITS ? 0 : EPERM;
}

int ids_apply(cage *c) {
    if (!c->privileged) return 0; /* an ordinary user has only itself */
    if (setgroups(0, NULL) != 0) return errno;
    if (setresgid(c->order.gid, c->order.gid, c->order.gid) != 0) return errno;
    return setresuid(c->order.uid, c->order.uid, c->order.uid) == 0 ? 0 : errno;
}

int ids_verify(const cage *c) {
    uid_t uid[3];
    gid_t gid[3];
    if (getresuid(&uid[0], &uid[1], &uid[2]) != 0 || getresgid(&gid[0], &gid[1], &gid[2]) != 0) {
        return errno;
    }
    for (int i = 0; i < 3; i++) {
        if (uid[i] == 0) return EPERM;
        if (c->privileged && (uid[i] != c->order.uid || gid[i] != c->order.gid)) return EPERM;
    }
    return c->privileged && getgroups(0, NULL) != 0 ? EPERM : 0;
}

int capabilities_apply(cage *c) {
    (void)c;
    cap_t none = cap_init();
    if (!none) return errno;
    const int reason = cap_set_proc(none) == 0 ? 0 : errno;
    (void)cap_free(none);
    return reason;
}

int capabilities_verify(const cage *c) {
    (void)c;
    cap_t none = cap_init();
    cap_t held = cap_get_proc();
    const int reason = !none || !held ? ENOMEM : cap_compare(none, held) == 0 ? 0 : EPERM;
    (void)cap_free(held);
    (void)cap_free(none);
    return reason;
}

/* A drop that can be undone was none: try, and fail if it works. */
int regain_verify(const cage *c) {
    if (setuid(0) == 0 || setresuid(0, 0, 0) == 0 || seteuid(0) == 0) return EPERM;
    if (c->privileged && (setgid(0) == 0 || setgroups(0, NULL) == 0)) return EPERM;
    cap_t wanted = cap_init();
    if (!wanted) return ENOMEM;
    const cap_value_t admin = CAP_SYS_ADMIN;
    (void)cap_set_flag(wanted, CAP_PERMITTED, 1, &admin, CAP_SET);
    (void)cap_set_flag(wanted, CAP_EFFECTIVE, 1, &admin, CAP_SET);
    const int regained = cap_set_proc(wanted) == 0;
    (void)cap_free(wanted);
    return regained ? EPERM : 0;
}

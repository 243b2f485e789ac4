#include "gate/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/memory.h"

#define STACK_BYTES (1u << 20) /* of the thread: with room for sanitizers */
#define MOST_START_MS 10000u   /* a start takes about a millisecond */
#define BACK_OFF_SECONDS 1     /* after a start that failed */
#define NANOSECONDS_PER_MS 1000000ull

/* A place for a child. It is `taken` only while all of it is valid, at every instant:
 * a process that is forked meanwhile closes what it finds in there. */
typedef struct place {
    _Atomic bool taken;
    _Atomic int mounts; /* the mount namespace of the child that is here, or was; or -1 */
    uint64_t number;    /* the smallest has waited longest */
    standby child;
} place;

struct pool {
    wlk_gate *gate;
    pid_t owner; /* whose children they are */
    pthread_t thread;
    pthread_mutex_t lock; /* of all that follows; never held across a start or a load */
    pthread_cond_t wake;
    bool stopping;
    bool wanted;  /* a load came since the thread last looked */
    int starting; /* pidfd of a child on its way to waiting; -1 if none is */
    uint64_t next_number;
    uint32_t children;
    place places[];
};

/* ---- places; the lock is held */

static place *find_oldest(pool *p) {
    place *oldest = NULL;
    for (uint32_t i = 0; i < p->children; i++) {
        place *here = &p->places[i];
        if (here->taken && (!oldest || here->number < oldest->number)) oldest = here;
    }
    return oldest;
}

static place *find_free(pool *p) {
    for (uint32_t i = 0; i < p->children; i++) {
        if (!p->places[i].taken) return &p->places[i];
    }
    return NULL;
}

/* The kernel takes a mount namespace apart with the last that is in it, and lets
 * everybody wait for that, those who want to see the child's end too: a fifth of a load.
 * So it is held until the place is needed again, and ends with that. */
static void hold_mounts(place *here, const standby *s) {
    char path[64];
    if (!(s->held >> LAYER_NAMESPACES & 1)) return;
    (void)snprintf(path, sizeof path, "/proc/%d/ns/mnt", (int)s->worker.pid);
    here->mounts = open(path, O_RDONLY | O_CLOEXEC); /* an ordinary user may not */
}

static void let_go_of_mounts(place *here) {
    const int fd = here->mounts;
    here->mounts = -1; /* first: a process that is forked now finds no stale number */
    if (fd >= 0) (void)close(fd);
}

static bool remove_oldest(pool *p, standby *out) {
    place *oldest = find_oldest(p);
    if (!oldest) return false;
    *out = oldest->child;
    oldest->taken = false;
    return true;
}

static void discard(standby *s) {
    child_discard(&s->worker);
    standby_drop(s);
}

/* ---- the thread */

/* Whoever stops the pool ends a child that has not yet said HELLO: nobody waits for it. */
static bool announce(pool *p, int pidfd) {
    (void)pthread_mutex_lock(&p->lock);
    const bool go_on = !p->stopping;
    p->starting = go_on ? pidfd : -1;
    (void)pthread_mutex_unlock(&p->lock);
    return go_on;
}

static uint64_t start_deadline(const wlk_limits *limits) {
    const uint64_t ms = limits->deadline_ms < MOST_START_MS ? limits->deadline_ms : MOST_START_MS;
    return clock_now() + ms * NANOSECONDS_PER_MS;
}

/* Why a start failed is not kept: the load that finds nobody waiting starts its own
 * child, and reports what that one met with. */
static bool start_one(pool *p, standby *out) {
    const wlk_limits *limits = &p->gate->options.policy.limits;
    const standby_plan plan = {.snapshot = -1,
                               .stream_bytes = limits->pool_file_bytes,
                               .transport = gate_transport(p->gate, 0),
                               .limits = limits,
                               .deadline = start_deadline(limits)};
    wlk_error unused;
    if (standby_start(p->gate, &plan, out, &unused) != WLK_OK) return false;
    out->worker.eager = 0; /* loads need the processor more */
    const bool admitted =
        announce(p, out->worker.pidfd) && standby_admit(p->gate, out, &unused) == WLK_OK;
    (void)announce(p, -1);
    if (!admitted) discard(out);
    return admitted;
}

/* After a start that failed: a while, but at once if a load comes. */
static void back_off(pool *p) {
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += BACK_OFF_SECONDS;
    p->wanted = false;
    while (!p->stopping && !p->wanted) {
        if (pthread_cond_timedwait(&p->wake, &p->lock, &until) == ETIMEDOUT) return;
    }
}

static void put(pool *p, place *here, const standby *s) {
    here->child = *s;
    here->number = p->next_number++;
    here->taken = true;
}

static void *keep_filled(void *argument) {
    pool *p = argument;
    (void)pthread_mutex_lock(&p->lock);
    while (!p->stopping) {
        standby made;
        place *here = find_free(p); /* only this thread fills it */
        if (!here) {
            (void)pthread_cond_wait(&p->wake, &p->lock);
            continue;
        }
        (void)pthread_mutex_unlock(&p->lock);
        let_go_of_mounts(here);
        const bool started = start_one(p, &made);
        if (started) hold_mounts(here, &made);
        (void)pthread_mutex_lock(&p->lock);
        if (started) {
            put(p, here, &made);
        } else {
            back_off(p);
        }
    }
    (void)pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* With all signals blocked: they are for the host's own threads. */
static bool start_thread(pool *p) {
    pthread_attr_t attributes;
    sigset_t all, before;
    if (pthread_attr_init(&attributes) != 0) return false;
    (void)pthread_attr_setstacksize(&attributes, STACK_BYTES);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &before);
    const bool started = pthread_create(&p->thread, &attributes, keep_filled, p) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attributes);
    return started;
}

static void prepare(pool *p, wlk_gate *gate, uint32_t children) {
    pthread_condattr_t attributes;
    p->gate = gate;
    p->owner = getpid();
    p->starting = -1;
    for (uint32_t i = 0; i < children; i++) p->places[i].mounts = -1;
    p->children = children;
    (void)pthread_mutex_init(&p->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&p->wake, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

static void release(pool *p) {
    (void)pthread_cond_destroy(&p->wake);
    (void)pthread_mutex_destroy(&p->lock);
    mem_free(p);
}

wlk_status pool_open(wlk_gate *gate, uint32_t children, pool **out, wlk_error *error) {
    uint64_t bytes;
    if (!checked_mul(children, sizeof(place), &bytes) ||
        !checked_add(bytes, sizeof(pool), &bytes)) {
        return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    }
    pool *p = mem_zeroed(1, bytes);
    if (!p) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    prepare(p, gate, children);
    if (!start_thread(p)) {
        release(p);
        return error_text(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET, "no thread for the pool");
    }
    *out = p;
    return WLK_OK;
}

/* ---- for loads */

/* Only the process that started them can see how they end; another may have been forked
 * at any moment, and finds the lock as it was then. */
static bool is_ours(const pool *p) {
    return p && getpid() == p->owner;
}

bool pool_take(pool *p, standby *out) {
    if (!is_ours(p)) return false;
    for (;;) {
        (void)pthread_mutex_lock(&p->lock);
        const bool found = remove_oldest(p, out);
        (void)pthread_mutex_unlock(&p->lock);
        if (!found) break;
        if (standby_is_good(p->gate, out)) {
            out->worker.eager = CHILD_EAGER_NS;
            return true;
        }
        discard(out);
    }
    pool_refill(p);
    return false;
}

void pool_refill(pool *p) {
    if (!is_ours(p)) return;
    (void)pthread_mutex_lock(&p->lock);
    p->wanted = true;
    (void)pthread_cond_signal(&p->wake);
    (void)pthread_mutex_unlock(&p->lock);
}

uint32_t pool_waiting(pool *p) {
    uint32_t count = 0;
    if (!is_ours(p)) return 0;
    (void)pthread_mutex_lock(&p->lock);
    for (uint32_t i = 0; i < p->children; i++) {
        const place *here = &p->places[i];
        count += here->taken && !child_has_ended(&here->child.worker);
    }
    (void)pthread_mutex_unlock(&p->lock);
    return count;
}

/* ---- close */

static void stop_thread(pool *p) {
    child unheard = CHILD_NONE;
    (void)pthread_mutex_lock(&p->lock);
    p->stopping = true;
    unheard.pidfd = p->starting;
    child_kill(&unheard);
    (void)pthread_cond_signal(&p->wake);
    (void)pthread_mutex_unlock(&p->lock);
    (void)pthread_join(p->thread, NULL);
}

/* All at once, and only then one after the other. */
static void end_children(pool *p) {
    for (uint32_t i = 0; i < p->children; i++) {
        if (p->places[i].taken) child_kill(&p->places[i].child.worker);
    }
    for (uint32_t i = 0; i < p->children; i++) {
        if (p->places[i].taken) discard(&p->places[i].child);
        let_go_of_mounts(&p->places[i]);
    }
}

static void forget_children(pool *p) {
    for (uint32_t i = 0; i < p->children; i++) {
        place *here = &p->places[i];
        let_go_of_mounts(here);
        if (!here->taken) continue;
        child_forget(&here->child.worker);
        standby_drop(&here->child);
    }
}

void pool_close(pool *p) {
    if (!p) return;
    if (is_ours(p)) {
        stop_thread(p);
        end_children(p);
        release(p);
    } else {
        forget_children(p);
        mem_free(p); /* nobody may touch what others were waiting on when we were forked */
    }
}

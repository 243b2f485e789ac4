/* A child on standby: started, locked down, attested, and waiting for GO. A load starts
 * one for its file, or takes one from the pool, which was started on no file and gets
 * its bytes with GO. */
#ifndef WLK_GATE_STANDBY_H
#define WLK_GATE_STANDBY_H

#include "gate/gate.h"
#include "gate/listen.h"
#include "gate/snapshot.h"

/* What a child is started for: its copy of a file, or room for one. */
typedef struct standby_plan {
    int snapshot;            /* descriptor of the sealed copy; -1 for none */
    uint64_t snapshot_bytes; /* its length */
    uint64_t file_bytes;     /* of the artifact: more only where the rest is lazy */
    uint64_t stream_bytes;   /* the most that may come with GO; 0 if there is a copy */
    wire_format format;      /* of the file; NONE without a copy: it comes with GO */
    wire_transport transport;
    const wlk_limits *limits;
    uint64_t deadline;        /* for HELLO: CLOCK_MONOTONIC, ns */
    const child_watch *watch; /* while it starts; NULL: nobody */
} standby_plan;

typedef struct standby {
    child worker;
    listener *ear; /* mostly buffers; owned */
    wire_receiver receiver;
    standby_plan plan;
    uid_t parent_uid;           /* who started it */
    uint32_t inherited_filters; /* seccomp filters of the thread that did */
    int clone_errno;            /* why it has no PID namespace; 0: nothing refused one */
    uint32_t held;              /* bit i: layer i holds */
    wlk_layer_state layers[WLK_LAYER_COUNT];
    int32_t layer_errno[WLK_LAYER_COUNT];
} standby;

#define STANDBY_NONE ((standby){.worker = CHILD_NONE})

/* Starts a child. After a failure there is none. The plan's limits must outlive *out. */
wlk_status standby_start(const wlk_gate *gate, const standby_plan *plan, standby *out,
                         wlk_error *error);

/* Hears HELLO and looks at the child: every layer that is required, or that ever held
 * for this gate, must hold. After a failure the child is there still, to be collected. */
wlk_status standby_admit(wlk_gate *gate, standby *s, wlk_error *error);

/* Says GO; with the bytes of `file`, which a child without a copy gets, and its format,
 * else NULL and NONE.
 * Never blocks past the deadline. A child that speaks before it has taken all is
 * wire.state; one that has ended is wire.truncated. */
wlk_status standby_go(standby *s, const snapshot *file, wire_format format, uint64_t deadline,
                      wlk_error *error);

/* Is a child that has waited still as good as a new one: alive, not stopped, started by
 * the user that we are, and with every layer that the gate has ever achieved? */
bool standby_is_good(const wlk_gate *gate, const standby *s);

/* Into the layers of the report. */
void standby_tell(const standby *s, wlk_load_report *report);

/* Gives the buffers back; the child has been collected. */
void standby_drop(standby *s);

#endif

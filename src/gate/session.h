/* One child and its answer: started, locked down, attested, listened to, collected.
 * A session begins with bytes that were sealed and verified, and ends with a model or
 * an exact refusal. */
#ifndef WLK_GATE_SESSION_H
#define WLK_GATE_SESSION_H

#include "gate/gate.h"
#include "gate/receive.h"
#include "gate/snapshot.h"

/* Start from session_begin; then the first group is the caller's to fill in. */
typedef struct session {
    snapshot source;     /* what the child gets; a model that lies in it takes it over */
    uint64_t file_bytes; /* of the artifact: more than the source has if `lazy` */
    uint64_t data_from;  /* no payload lies before it */
    bool lazy;           /* payloads stay in the file: the child can only name them */

    wlk_gate *gate;
    wlk_load_report *report; /* the caller's */
    wlk_limits limits;
    child worker;
    reader *ear; /* mostly buffers */
    wire_receiver receiver;
    received result;
    uint64_t deadline;
    uint32_t inherited_filters; /* seccomp filters of this thread, which the child got too */
} session;

session session_begin(wlk_gate *gate, wlk_load_report *report);

/* Starts a child on the source and takes its answer. *model, which was NULL, is handed
 * out only when everything held and the child was seen to end well (invariant 6). */
wlk_status session_parse(session *s, wlk_model **model, wlk_error *error);

/* Starts a child without an artifact, only to be looked at. */
wlk_status session_check(session *s, wlk_error *error);

/* Releases what is left. The child has ended already. */
void session_end(session *s);

#endif

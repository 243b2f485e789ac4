/* One child and its answer: started or taken from the pool, listened to, collected.
 * A session begins with bytes that were sealed and verified, and ends with a model or
 * an exact refusal. */
#ifndef WLK_GATE_SESSION_H
#define WLK_GATE_SESSION_H

#include "gate/standby.h"

/* Start from session_begin; then the first group is the caller's to fill in. */
typedef struct session {
    snapshot source;          /* what the child gets; a model that lies in it takes it over */
    uint64_t file_bytes;      /* of the artifact: more than the source has if `lazy` */
    uint64_t data_from;       /* no payload lies before it */
    wire_format format;       /* what the child is to take it for */
    bool decodes;             /* payloads of the .wlk file may be compressed: not all lie in it */
    bool lazy;                /* payloads stay in the file: the child can only name them */
    const child_watch *watch; /* who watches the child, which is no waiting one; NULL: nobody */

    wlk_gate *gate;
    wlk_load_report *report; /* the caller's */
    wlk_limits limits;
    standby helper; /* the child */
    received result;
    uint64_t deadline;
} session;

session session_begin(wlk_gate *gate, wlk_load_report *report);

/* Gives the source to a child and takes its answer. *model, which was NULL, is handed
 * out only when everything held and the child was seen to end well (invariant 6). */
wlk_status session_parse(session *s, wlk_model **model, wlk_error *error);

/* Starts a child without an artifact, only to be looked at. */
wlk_status session_check(session *s, wlk_error *error);

/* Releases what is left. The child has ended already. */
void session_end(session *s);

#endif

/* The parent's ear: the result pipe of a child, read without ever blocking past the
 * deadline. What the frames say is held against the protocol in gate/receive.h. */
#ifndef WLK_GATE_LISTEN_H
#define WLK_GATE_LISTEN_H

#include "gate/child.h"
#include "gate/receive.h"

/* Must not move while it listens: its frames are read through it. */
typedef struct listener {
    child *from;
    uint64_t deadline; /* CLOCK_MONOTONIC, ns */
    reader frames;
} listener;

/* Begins to listen to a child that has said nothing yet. Frames then fail with
 * limit.deadline at the deadline, and end when the pipe does, or when the child has ended
 * while somebody else holds its pipe open. */
void listen_start(listener *l, child *c, uint64_t deadline);

/* The child has moved to `c`, and has until another deadline; what was read stays. */
void listen_go_on(listener *l, child *c, uint64_t deadline);

#endif

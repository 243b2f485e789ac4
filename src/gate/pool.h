/* The pool: children that wait, locked down and attested, each for one file. One thread
 * of the pool's own starts them, so that they do not end with the thread of a load
 * (parent-death), and fills the pool up whenever a load has taken one. */
#ifndef WLK_GATE_POOL_H
#define WLK_GATE_POOL_H

#include "gate/standby.h"

typedef struct pool pool;

/* Starts the thread. The gate must stay where it is until pool_close. */
wlk_status pool_open(wlk_gate *gate, uint32_t children, pool **out, wlk_error *error);

/* The child that has waited longest, if there is one as good as new; what is not is ended
 * on the way. NULL: never. Safe from many threads. In a process that was forked from the
 * pool's there is none, since a process cannot see the end of another's child. */
bool pool_take(pool *p, standby *out);

/* A child was taken, and the load is done: there is time to start another. NULL is allowed. */
void pool_refill(pool *p);

/* How many wait, and have not ended. NULL: none. */
uint32_t pool_waiting(pool *p);

/* Ends and collects the thread and all that wait; a forked process only lets go of their
 * descriptors. NULL is allowed. */
void pool_close(pool *p);

#endif

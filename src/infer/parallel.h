/* Work of a kernel, divided among the threads that the plan has (default: the
 * caller's alone).
 *
 * The pieces are the same for any number of threads, and each writes what is its
 * own, so the result has the same bits. */
#ifndef WLK_INFER_PARALLEL_H
#define WLK_INFER_PARALLEL_H

#include "infer/op.h"

/* Does items [from, to); may run beside other pieces. */
typedef void (*parallel_body)(void *context, uint64_t from, uint64_t to);

/* Calls body for [0, items) in pieces of `piece` items (the last may be shorter; at
 * least 1), and returns when all are done. piece must not depend on the number of
 * threads. */
void op_parallel(const op_call *call, uint64_t items, uint64_t piece, parallel_body body,
                 void *context);

/* The threads that a plan has besides the caller's: `threads` - 1, none for 1 (*pool is
 * then NULL). They sleep between calls, and take no signals. A run that finds them at
 * work for another one computes alone. Rules: plan.threads, internal.memory. */
typedef struct parallel_pool parallel_pool;
wlk_status parallel_pool_new(uint32_t threads, parallel_pool **pool, wlk_error *error);
void parallel_pool_free(parallel_pool *pool);

#endif

/* A plan, run on rows that mean harm: NaN, infinities, denormals, extremes, empty axes, long
 * ones where the plan leaves them open. What it accepts must run within its limits, give what
 * it promised, and give it again (invariants 7 and 11). */
#ifndef WEIGHLOCK_FUZZ_FEED_H
#define WEIGHLOCK_FUZZ_FEED_H

#include <weighlock/infer.h>

#include "kit/structure.h"

/* ---- feed.c: rows */

/* No more than so many bytes are fed at once. */
#define FEED_BYTES (64u << 10)

typedef struct fuzz_feed {
    wlk_tensor *inputs; /* the library's memory; NULL if a port wants more than FEED_BYTES */
    uint32_t count;
} fuzz_feed;

/* One tensor for each input of the plan, which is what an optional or a sequence gets as well;
 * what is in them follows from `random`. Nothing where a port wants a map. To be freed in
 * every case. */
wlk_status feed_make(const wlk_plan *plan, fuzz_random *random, fuzz_feed *feed, wlk_error *error);
void feed_free(fuzz_feed *feed);

/* Runs the plan on them: to a sequence a tensor goes none to three times. */
wlk_status feed_give(const wlk_plan *plan, const fuzz_feed *feed, wlk_result **result,
                     wlk_error *error);

/* Makes of them what the plan must refuse with run.input. */
void feed_spoil(fuzz_feed *feed, fuzz_random *random);

/* ---- feed_run.c: what must hold of the plan of a model */

/* Ports are the main graph's inputs and outputs, each of a type that there can be. */
void feed_check_ports(const wlk_model *model, const wlk_plan *plan);

/* Golden rows end with an answer or a refusal. Fails only for want of memory. */
wlk_status feed_selftest(const wlk_plan *plan, wlk_error *error);

/* Runs it twice on the same rows, bit for bit the same, then on what are none, which is
 * refused: so this never returns WLK_OK but where nothing could be fed. */
wlk_status feed_run(const wlk_plan *plan, fuzz_random *random, wlk_error *error);

/* What that may hold at once, where run_bytes is fuzz_limits()': the plan, whose chunks of
 * 64 KiB may be half empty, two results, and the values of one run. */
#define FEED_MEMORY (24u << 20)

#endif

/* Memory that runs out at each place in turn: a scenario is run until none of its
 * allocations fails, once for each of them failing alone and once for it and all behind it.
 * For any test that includes cmocka.h. */
#ifndef TESTS_SUPPORT_NO_MEMORY_H
#define TESTS_SUPPORT_NO_MEMORY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "faults/alloc_points.h"

/* Does one thing with the library and hands everything back; what it cannot tell by a
 * status (a function that returns NULL) it reports as internal.memory itself. */
typedef wlk_status (*no_memory_run)(const void *context, wlk_error *error);

/* Runs it with one place failing; returns whether there was such a place. */
static inline bool no_memory_once(const char *name, no_memory_run run, const void *context,
                                  int source, long place, bool for_good) {
    wlk_error error = {.offset = WLK_NO_OFFSET};
    const long alive = atomic_load(&points.alive);
    points_arm(source, place, for_good);
    const wlk_status status = run(context, &error);
    points_disarm();
    const bool reached = points_reached();
    if (atomic_load(&points.alive) != alive) {
        fail_msg("%s: allocation %ld: memory is left", name, place);
    }
    if (reached != (status != WLK_OK) ||
        (reached && (error.rule != RULE_INTERNAL_MEMORY || error.status != WLK_SYSTEM))) {
        fail_msg("%s: allocation %ld: %s", name, place,
                 status == WLK_OK ? "accepted" : wlk_rule_name(error.rule));
    }
    return reached;
}

/* The library's own allocations, and those of the libraries beneath it (which a sanitizer
 * keeps for itself). A scenario without any allocation is a defect of the test. */
static inline void no_memory_everywhere(const char *name, no_memory_run run, const void *context) {
    static const int sources[] = {POINTS_LIBRARY, POINTS_OTHERS};
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        for (int for_good = 0; for_good < 2; for_good++) {
            long place = 1;
            while (no_memory_once(name, run, context, sources[i], place, for_good)) place++;
            if (sources[i] == POINTS_LIBRARY) assert_true(place > 1);
        }
    }
}

#endif

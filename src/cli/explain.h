/* --explain: what a child did that was killed for a system call. */
#ifndef WLK_CLI_EXPLAIN_H
#define WLK_CLI_EXPLAIN_H

#include "cli/cli.h"

typedef struct explanation {
    wlk_violation violation;
    wlk_error second; /* how the second run ended; status WLK_OK: the file was loaded */
} explanation;

/* Is this refusal to be explained? */
bool explain_wanted(const cli *c, const char *file, const wlk_error *error);

/* Loads the file again, watched. Nothing of the model is kept. */
void explain_run(const cli *c, const char *file, explanation *found);

/* One line on standard error. */
void explain_print(const char *file, const explanation *found);

/* Into an open map: `violation` (or null) and `second_run`. */
void explain_json(json_out *j, const explanation *found);

#endif

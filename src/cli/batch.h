/* Many files, one after the other: their names from standard input, a JSON object on
 * a line of its own for each (JSON Lines). */
#ifndef WLK_CLI_BATCH_H
#define WLK_CLI_BATCH_H

#include "cli/cli.h"

/* Children that wait while a batch goes on: the next file's starts while one is parsed. */
#define BATCH_CHILDREN 2

/* Writes the object and the line's end for one file; its verdict. */
typedef wlk_status (*batch_step)(void *context, const char *file);

/* Reads names, each ended by a NUL, and takes a step for each. What is no name (empty,
 * longer than a path may be, without its NUL at the end of input) is answered with a
 * refusal. The output is flushed after each line; if it cannot be written the rest is
 * left. Returns the worst verdict. */
wlk_status batch_run(const cli *c, batch_step step, void *context);

/* Over several files the worst verdict counts. */
wlk_status batch_worse(wlk_status a, wlk_status b);

#endif

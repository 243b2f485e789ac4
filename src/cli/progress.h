/* What a person at a terminal sees while a file takes its time: after a second, its
 * name and the seconds that have passed, on standard error, wiped away in the end. */
#ifndef WLK_CLI_PROGRESS_H
#define WLK_CLI_PROGRESS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#define PROGRESS_LINE_BYTES 256

typedef struct progress {
    bool running; /* there is a thread, and all below is set up */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t change;
    bool ended;
    size_t shown;                   /* columns that are written to, at most */
    char name[PROGRESS_LINE_BYTES]; /* harmless */
} progress;

/* Starts, unless `quiet`, standard error is no terminal, or TERM is unset or "dumb".
 * progress_stop must follow before anything else is written. It never fails: without
 * a thread there is no progress to see. */
void progress_start(progress *p, const char *name, bool quiet);
void progress_stop(progress *p);

#endif

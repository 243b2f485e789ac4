#include "cli/progress.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/utf8.h"

#define USUAL_COLUMNS 80
#define TAIL_BYTES 32 /* room for what stands around the name */

/* ---- the line */

static size_t columns_of_terminal(void) {
    struct winsize size;
    const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col : USUAL_COLUMNS;
}

/* Others own the terminal while this program is in the background. */
static bool in_foreground(void) {
    return tcgetpgrp(STDERR_FILENO) == getpgrp();
}

/* A line that wrapped could not be wiped away, so the name is cut: no character has
 * more columns than bytes. */
static void show(progress *p, unsigned seconds) {
    char line[PROGRESS_LINE_BYTES + TAIL_BYTES];
    const size_t columns = columns_of_terminal();
    const size_t room = columns > TAIL_BYTES ? columns - TAIL_BYTES : 0;
    const size_t length = strlen(p->name);
    size_t cut = length < room ? length : room;
    while (cut > 0 && ((unsigned char)p->name[cut] & 0xc0) == 0x80) cut--;
    const int size = snprintf(line, sizeof line, "\rweighlock: %.*s%s %u s", (int)cut, p->name,
                              cut < length ? "..." : "", seconds);
    if (size <= 0 || columns <= TAIL_BYTES || !in_foreground()) return;
    (void)!write(STDERR_FILENO, line, (size_t)size);
    p->shown = (size_t)size - 1;
}

/* Blanks, not an escape sequence, of which a terminal may know nothing. */
static void wipe(const progress *p) {
    char line[PROGRESS_LINE_BYTES + TAIL_BYTES + 2];
    if (p->shown == 0 || !in_foreground()) return;
    const int size = snprintf(line, sizeof line, "\r%*s\r", (int)p->shown, "");
    (void)!write(STDERR_FILENO, line, (size_t)size);
}

/* ---- the thread */

static void *run(void *argument) {
    progress *p = argument;
    struct timespec next;
    unsigned seconds = 0;
    (void)clock_gettime(CLOCK_MONOTONIC, &next);
    next.tv_sec++;
    (void)pthread_mutex_lock(&p->lock);
    while (!p->ended) {
        if (pthread_cond_timedwait(&p->change, &p->lock, &next) != ETIMEDOUT) continue;
        show(p, ++seconds);
        next.tv_sec++;
    }
    (void)pthread_mutex_unlock(&p->lock);
    return NULL;
}

static bool is_wanted(bool quiet) {
    if (quiet || !isatty(STDERR_FILENO)) return false;
    const char *terminal = secure_getenv("TERM");
    return terminal && terminal[0] && strcmp(terminal, "dumb") != 0;
}

static void set_up_lock(progress *p) {
    pthread_condattr_t attributes;
    (void)pthread_mutex_init(&p->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&p->change, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

static void take_down_lock(progress *p) {
    (void)pthread_cond_destroy(&p->change);
    (void)pthread_mutex_destroy(&p->lock);
}

/* The thread takes no signal: they stay with the one that works. */
static bool start_thread(progress *p) {
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    const bool started = pthread_create(&p->thread, NULL, run, p) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

void progress_start(progress *p, const char *name, bool quiet) {
    p->running = false;
    if (!is_wanted(quiet)) return;
    *p = (progress){.running = true};
    (void)snprintf(p->name, sizeof p->name, "%s", name);
    utf8_make_harmless(p->name);
    set_up_lock(p);
    if (start_thread(p)) return;
    p->running = false;
    take_down_lock(p);
}

void progress_stop(progress *p) {
    if (!p->running) return;
    (void)pthread_mutex_lock(&p->lock);
    p->ended = true;
    (void)pthread_cond_signal(&p->change);
    (void)pthread_mutex_unlock(&p->lock);
    (void)pthread_join(p->thread, NULL);
    take_down_lock(p);
    p->running = false;
    wipe(p);
}

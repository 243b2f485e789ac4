#include "gate/listen.h"

#include <errno.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

/* Waits until there is something to read or the child has ended. */
static wlk_status wait_readable(const listener *l, bool *ended, wlk_error *error) {
    struct pollfd watched[2] = {{.fd = l->from->result, .events = POLLIN},
                                {.fd = l->from->pidfd, .events = POLLIN}};
    const uint64_t now = clock_now();
    if (now >= l->deadline) return error_at(error, RULE_LIMIT_DEADLINE, WLK_NO_OFFSET);
    const struct timespec wait = clock_span(l->deadline - now);
    if (ppoll(watched, 2, &wait, NULL) < 0 && errno != EINTR) {
        return error_errno(error, RULE_CAGE_UNSEEN, errno, "poll");
    }
    *ended = watched[1].revents != 0 && watched[0].revents == 0;
    return WLK_OK;
}

static wlk_status read_pipe(void *context, uint8_t *data, uint64_t length, uint64_t *got,
                            wlk_error *error) {
    const listener *l = context;
    bool ended = false;
    for (;;) {
        const uint64_t now = clock_now();
        if (now >= l->deadline) return error_at(error, RULE_LIMIT_DEADLINE, WLK_NO_OFFSET);
        const ssize_t size = read(l->from->result, data, length);
        if (size >= 0) {
            *got = (uint64_t)size;
            return WLK_OK;
        }
        if (errno == EINTR) continue;
        if (errno != EAGAIN) return error_errno(error, RULE_CAGE_UNSEEN, errno, "read");
        if (ended) { /* somebody else holds the pipe open, but the child is gone */
            *got = 0;
            return WLK_OK;
        }
        if (!child_stay_awake(l->from, now)) TRY(wait_readable(l, &ended, error));
    }
}

void listen_start(listener *l, child *c, uint64_t deadline) {
    listen_go_on(l, c, deadline);
    reader_start(&l->frames, (frame_source){l, read_pipe});
}

void listen_go_on(listener *l, child *c, uint64_t deadline) {
    l->from = c;
    l->deadline = deadline;
}

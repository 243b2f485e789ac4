/* The result pipe of a child: never waited for past the deadline, and at its end when the
 * child is, whoever else holds it open (invariants 5 and 6). */
#include "support/gate_kit.h"

#include <sys/syscall.h>
#include <sys/wait.h>

#include "gate/listen.h"

#define SECOND 1000000000ull

typedef struct line {
    child worker;
    int input; /* the pipe's other end; -1: closed */
    listener ear;
    wire_receiver receiver;
} line;

/* A process that ends at once, or only when it is killed. */
static pid_t start(bool lasting) {
    const pid_t pid = fork();
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nobody behind */
        (void)close_range(3, UINT32_MAX, 0);    /* the pipe is not its to hold */
        if (lasting) (void)pause();
        _exit(0);
    }
    assert_true(pid > 0);
    if (lasting) return pid;
    siginfo_t ended;
    assert_int_equal(waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOWAIT), 0);
    return pid;
}

static void line_open(line *l, bool lasting) {
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    *l = (line){.worker = CHILD_NONE, .input = ends[1]};
    l->worker.pid = start(lasting);
    l->worker.pidfd = (int)syscall(SYS_pidfd_open, l->worker.pid, 0);
    l->worker.result = ends[0];
    assert_true(l->worker.pidfd >= 0);
}

static void line_close(line *l) {
    (void)kill(l->worker.pid, SIGKILL);
    assert_int_equal(waitpid(l->worker.pid, NULL, 0), l->worker.pid);
    (void)close(l->worker.pidfd);
    (void)close(l->worker.result);
    if (l->input >= 0) (void)close(l->input);
}

static void say_hello(const line *l, size_t bytes) {
    struct {
        frame_header header;
        wire_hello hello;
    } frame = {frame_make(FRAME_HELLO, 0, sizeof(wire_hello), 0, 0),
               {.protocol = WIRE_PROTOCOL, .layers = LAYER_COUNT}};
    memcpy(frame.hello.build_id, wire_build_id, sizeof wire_build_id);
    for (uint16_t i = 0; i < LAYER_COUNT; i++) frame.hello.results[i].layer = i;
    assert_true(bytes <= sizeof frame);
    assert_int_equal(write(l->input, &frame, bytes), bytes);
}

enum { WHOLE = sizeof(frame_header) + sizeof(wire_hello) };

static const struct {
    const char *what;
    size_t bytes;     /* of HELLO that come */
    bool lasting;     /* the child lives on */
    bool closed;      /* and nobody holds the pipe open */
    uint64_t seconds; /* to the deadline */
    const char *rule; /* "": HELLO is heard */
} rows[] = {
    {"all of it", WHOLE, true, false, 60, ""},
    {"all of it, then the end", WHOLE, false, true, 60, ""},
    {"all of it, from one who has ended, the pipe held open", WHOLE, false, false, 60, ""},
    {"all of it, but too late", WHOLE, true, false, 0, "limit.deadline"},
    {"nothing, and the pipe is closed", 0, true, true, 60, "wire.truncated"},
    {"nothing, by one who has ended, the pipe held open", 0, false, false, 60, "wire.truncated"},
    {"half of it, by one who has ended, the pipe held open", WHOLE / 2, false, false, 60,
     "wire.truncated"},
    {"half of it, and then the pipe is closed", WHOLE - 1, true, true, 60, "wire.truncated"},
    {"half of it, and no more", WHOLE / 2, true, false, 1, "limit.deadline"},
};

static void test_hello(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        line l;
        wire_hello hello;
        wlk_error error = {0};
        line_open(&l, rows[i].lasting);
        say_hello(&l, rows[i].bytes);
        if (rows[i].closed) {
            (void)close(l.input);
            l.input = -1;
        }
        listen_start(&l.ear, &l.worker, clock_now() + rows[i].seconds * SECOND);
        const wlk_status status = receive_hello(&l.ear.frames, &l.receiver, &hello, &error);
        const char *rule = status == WLK_OK ? "" : wlk_rule_name(error.rule);
        if (strcmp(rule, rows[i].rule) != 0) fail_msg("%s: \"%s\"", rows[i].what, rule);
        line_close(&l);
    }
}

/* What was read before a child moved is still there behind it, and the new deadline counts. */
static void test_go_on(void **state) {
    line l;
    wire_hello hello;
    wlk_error error = {0};
    (void)state;
    line_open(&l, true);
    say_hello(&l, WHOLE);
    say_hello(&l, WHOLE); /* read along with the first */
    listen_start(&l.ear, &l.worker, clock_now() + 60 * SECOND);
    assert_int_equal(receive_hello(&l.ear.frames, &l.receiver, &hello, &error), WLK_OK);
    child moved = l.worker;
    l.worker.result = l.worker.pidfd = -1;
    listen_go_on(&l.ear, &moved, clock_now() + 60 * SECOND);
    l.receiver = (wire_receiver){0};
    assert_int_equal(receive_hello(&l.ear.frames, &l.receiver, &hello, &error), WLK_OK);
    listen_go_on(&l.ear, &moved, 0);
    assert_int_equal(receive_end(&l.ear.frames, &error), WLK_LIMIT);
    assert_string_equal(wlk_rule_name(error.rule), "limit.deadline");
    l.worker = moved;
    line_close(&l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hello),
        cmocka_unit_test(test_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

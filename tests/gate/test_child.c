/* Which program may become the child, and how its start can fail. */
#include "support/gate_kit.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "gate/child.h"
#include "wire/frame.h"

/* A gate whose child lies at `path`, asked to show its layers. */
static wlk_status check(const char *path, wlk_error *error) {
    wlk_load_options options = kit_options(REAL_CHILD);
    wlk_gate *gate;
    const unsigned descriptors = kit_descriptors();
    options.child_path = path;
    gate = kit_gate(&options);
    const wlk_status status = wlk_gate_check(gate, NULL, error);
    wlk_gate_close(gate);
    assert_true(kit_is_clean(descriptors));
    return status;
}

static void expect_unusable(const char *path, const char *rule, const char *text) {
    wlk_error error;
    const wlk_status status = check(path, &error);
    expect_refused(path, status, &error, rule, text);
    assert_int_equal(status, WLK_CAGE);
}

/* A copy of the real child; returns its path. */
static const char *copy_of_child(const char *name, mode_t mode) {
    size_t length;
    const char *path = in_scratch(name);
    uint8_t *bytes = read_bytes(kit_program(REAL_CHILD), &length);
    (void)unlink(path);
    write_bytes(path, bytes, length);
    assert_int_equal(chmod(path, mode), 0);
    free(bytes);
    return path;
}

static void test_a_copy_works(void **state) {
    (void)state;
    wlk_error error;
    const char *path = copy_of_child("copy", 0555);
    EXPECT_OK(check(path, &error));
    EXPECT_OK(check(copy_of_child("own", 0700), &error));
    const char *link = in_scratch("link");
    assert_int_equal(symlink(path, link), 0); /* what counts is the file behind it */
    EXPECT_OK(check(link, &error));
}

static void test_programs_that_are_not_used(void **state) {
    (void)state;
    const char *fifo = in_scratch("fifo");
    assert_int_equal(mkfifo(fifo, 0700), 0);
    expect_unusable(in_scratch("missing"), "cage.program", "missing");
    expect_unusable("", "cage.program", NULL);
    expect_unusable(scratch, "cage.program", "is not a regular file");
    expect_unusable(fifo, "cage.program", "is not a regular file");
    expect_unusable("/dev/null", "cage.program", "is not a regular file");
    expect_unusable(copy_of_child("group", 0775), "cage.program-mode", "is writable by others");
    expect_unusable(copy_of_child("world", 0757), "cage.program-mode", "is writable by others");
    expect_unusable(copy_of_child("data", 0600), "cage.program-execute", "is not executable");
}

/* Only root can make a file that somebody else owns; for an ordinary user, root's
 * files are the ones to be used. */
static void test_owners(void **state) {
    (void)state;
    wlk_error error;
    EXPECT_OK(check(kit_program(REAL_CHILD), &error));
    if (geteuid() != 0) {
        struct stat status;
        assert_int_equal(stat(kit_program(REAL_CHILD), &status), 0);
        assert_true(status.st_uid == 0 || status.st_uid == geteuid());
        return;
    }
    const char *path = copy_of_child("somebody", 0755);
    assert_int_equal(chown(path, ORDINARY_USER, ORDINARY_USER), 0);
    expect_unusable(path, "cage.program-mode", "is owned by neither root nor you");
}

static void expect_unusable_text(const char *text, const char *rule) {
    const char *path = in_scratch("text");
    (void)unlink(path);
    write_bytes(path, text, strlen(text));
    assert_int_equal(chmod(path, 0755), 0);
    expect_unusable(path, rule, NULL);
}

static void test_programs_that_are_no_child(void **state) {
    (void)state;
    expect_unusable_text("", "cage.spawn");
    expect_unusable_text("no program at all", "cage.spawn");
    expect_unusable_text("#!/bin/sh\nexit 0\n", "cage.spawn"); /* a script has no path here */
    expect_unusable("/bin/true", "wire.truncated", NULL);
    expect_unusable("/bin/false", "cage.exit", "exit code 1");
}

static void test_a_child_of_another_build(void **state) {
    (void)state;
    size_t length;
    const char *path = copy_of_child("other_build", 0755);
    uint8_t *bytes = read_bytes(path, &length);
    uint8_t *id = memmem(bytes, length, wire_build_id, WIRE_BUILD_ID_BYTES);
    assert_non_null(id);
    id[WIRE_BUILD_ID_BYTES - 1] ^= 1;
    write_bytes(path, bytes, length);
    expect_unusable(path, "cage.build", NULL);
    id[WIRE_BUILD_ID_BYTES - 1] ^= 1;
    write_bytes(path, bytes, length);
    wlk_error error;
    EXPECT_OK(check(path, &error));
    free(bytes);
}

/* Opened once: what lies at the path later does not matter. */
static void test_a_program_that_is_replaced(void **state) {
    (void)state;
    const char *path = copy_of_child("replaced", 0755), *other = in_scratch("instead");
    wlk_load_options options = kit_options(REAL_CHILD);
    wlk_error error;
    options.child_path = path;
    wlk_gate *gate = kit_gate(&options);
    write_bytes(other, "other", 5);
    assert_int_equal(rename(other, path), 0);
    EXPECT_OK(wlk_gate_check(gate, NULL, &error));
    wlk_gate_close(gate);
}

/* A gate can be opened without a program; each load says why there is none. */
static void test_a_missing_program_is_reported_by_the_load(void **state) {
    (void)state;
    wlk_load_options options = kit_options(REAL_CHILD);
    kit_file file = kit_signed(0);
    wlk_model *model;
    wlk_load_report report;
    wlk_error error;
    options.child_path = in_scratch("nowhere");
    const wlk_status status = kit_load(&options, &file, &model, &report, &error);
    expect_refused("load", status, &error, "cage.program", "nowhere");
    assert_int_equal(report.verification.state, WLK_SIGNED_TRUSTED);
    assert_int_equal(report.child_started, 0);
    free(file.data);
}

/* ---- descriptors run out at each place where one is made */

static int with_few_descriptors(void) {
    const wlk_load_options options = kit_options(REAL_CHILD);
    wlk_gate *gate;
    bool worked = false;
    if (wlk_gate_open(&options, &gate, NULL) != WLK_OK) return 1;
    const unsigned before = kit_descriptors();
    for (rlim_t most = 4; most < 64 && !worked; most++) {
        const struct rlimit limit = {most, 4096};
        wlk_error error;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return 2;
        const wlk_status status = wlk_gate_check(gate, NULL, &error);
        const struct rlimit normal = {1024, 4096};
        if (setrlimit(RLIMIT_NOFILE, &normal) != 0) return 3;
        if (status != WLK_OK && status != WLK_CAGE && status != WLK_SYSTEM) return 4;
        if (!kit_is_clean(before)) return 5;
        worked = status == WLK_OK;
    }
    wlk_gate_close(gate);
    return worked ? 0 : 6;
}

static void test_running_out_of_descriptors(void **state) {
    (void)state;
    assert_int_equal(kit_in_process(with_few_descriptors), 0);
}

static int with_few_processes(void) {
    const wlk_load_options options = kit_options(REAL_CHILD);
    const struct rlimit limit = {0, 0};
    wlk_gate *gate;
    wlk_error error;
    if (wlk_gate_open(&options, &gate, NULL) != WLK_OK) return 1;
    if (setrlimit(RLIMIT_NPROC, &limit) != 0) return 2;
    if (geteuid() == 0) return 0; /* the limit does not hold for root */
    const unsigned before = kit_descriptors();
    if (wlk_gate_check(gate, NULL, &error) != WLK_CAGE) return 3;
    if (strcmp(wlk_rule_name(error.rule), "cage.spawn") != 0) return 4;
    return kit_is_clean(before) ? 0 : 5;
}

static void test_no_process_can_be_made(void **state) {
    (void)state;
    assert_int_equal(kit_in_process(with_few_processes), 0);
}

/* ---- somebody holds the child while it is not its own program yet, but in our memory */

#define SHORT_DEADLINE_MS 1500

typedef struct holder {
    pthread_t thread;
    int listener; /* for the calls of this process and its children that are waited at */
    int number;   /* the signal for the first child that makes such a call; 0: it waits there */
} holder;

/* Lets every call go on but the first that is a child's. */
static void *hold_one(void *argument) {
    const holder *h = argument;
    const pid_t host = getpid();
    bool held = false;
    for (;;) {
        struct seccomp_notif call = {0};
        if (ioctl(h->listener, SECCOMP_IOCTL_NOTIF_RECV, &call) != 0) continue;
        if ((pid_t)call.pid != host && !held) {
            held = true;
            if (h->number != 0) (void)kill((pid_t)call.pid, h->number);
            continue;
        }
        struct seccomp_notif_resp answer = {.id = call.id,
                                            .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
        (void)ioctl(h->listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
    }
    return NULL;
}

/* Until the process ends. */
static bool hold_at(holder *h, long call, int number) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {sizeof code / sizeof *code, code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return false;
    h->number = number;
    h->listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                               SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
    return h->listener >= 0 && pthread_create(&h->thread, NULL, hold_one, h) == 0;
}

static wlk_load_options short_options(void) {
    wlk_load_options options = kit_options(REAL_CHILD);
    options.policy.limits.deadline_ms = SHORT_DEADLINE_MS;
    return options;
}

/* The first child is refused by `rule`, and nothing of it is left; the second is as good
 * as ever. Deadlines hold from the clone on (invariant 6). */
static int refused_once(wlk_gate *gate, const char *rule) {
    const unsigned before = kit_descriptors();
    wlk_error error;
    const wlk_status status = wlk_gate_check(gate, NULL, &error);
    if (status == WLK_OK || strcmp(wlk_rule_name(error.rule), rule) != 0) return 1;
    if (!kit_is_clean(before)) return 2;
    return wlk_gate_check(gate, NULL, &error) == WLK_OK ? 0 : 3;
}

static int held_before_exec(int number, const char *rule) {
    const wlk_load_options options = short_options();
    wlk_gate *gate;
    holder h;
    if (wlk_gate_open(&options, &gate, NULL) != WLK_OK) return 9;
    if (!hold_at(&h, SYS_execveat, number)) return 8;
    const int result = refused_once(gate, rule);
    wlk_gate_close(gate);
    return result;
}

static int stopped_before_exec(void) {
    return held_before_exec(SIGSTOP, "cage.stopped");
}

static int waiting_before_exec(void) {
    return held_before_exec(0, "limit.deadline");
}

static int killed_before_exec(void) {
    return held_before_exec(SIGKILL, "cage.killed");
}

/* Root's first child makes namespaces when the gate is opened; without them the gate is as
 * good. An ordinary user's first is that of a load, and opens files to map its user. */
static int stopped_over_namespaces(void) {
    const wlk_load_options options = short_options();
    wlk_gate *gate;
    wlk_error error;
    holder h;
    if (!hold_at(&h, SYS_openat, SIGSTOP)) return 8;
    const unsigned before = kit_descriptors();
    if (wlk_gate_open(&options, &gate, NULL) != WLK_OK) return 9;
    const int result = geteuid() == 0 ? (wlk_gate_check(gate, NULL, &error) == WLK_OK ? 0 : 4)
                                      : refused_once(gate, "cage.stopped");
    wlk_gate_close(gate);
    return result == 0 && !kit_is_clean(before) ? 5 : result;
}

static void test_a_child_that_is_held_before_its_exec(void **state) {
    (void)state;
    assert_int_equal(kit_in_process(stopped_before_exec), 0);
    assert_int_equal(kit_in_process(waiting_before_exec), 0);
    assert_int_equal(kit_in_process(killed_before_exec), 0);
    assert_int_equal(kit_in_process(stopped_over_namespaces), 0);
}

/* ---- the end cannot be waited for */

static bool forbid_ppoll(void) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ppoll, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOMEM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {sizeof code / sizeof *code, code};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
}

/* It reads until it is killed. That is not said to be the deadline, which is far. */
static int with_no_way_to_wait(void) {
    const unsigned before = kit_descriptors();
    const uint64_t deadline = clock_now() + 60 * 1000000000ull;
    child_start start = {.null = open("/dev/null", O_RDWR | O_CLOEXEC),
                         .snapshot = -1,
                         .order = "",
                         .deadline = deadline};
    child c;
    wlk_error error;
    int unused;
    if (child_program_open("/bin/cat", &start.program, &error) != WLK_OK) return 9;
    if (child_spawn(&start, &c, &unused, &error) != WLK_OK) return 8;
    if (!forbid_ppoll()) return 7;
    const wlk_status status = child_collect(&c, deadline, 0, &error);
    if (status != WLK_CAGE || strcmp(wlk_rule_name(error.rule), "cage.unseen") != 0) return 1;
    if (!strstr(error.text, strerror(ENOMEM))) return 2;
    (void)close(start.program);
    (void)close(start.null);
    return kit_is_clean(before) ? 0 : 3;
}

static void test_an_end_that_cannot_be_waited_for(void **state) {
    (void)state;
    assert_int_equal(kit_in_process(with_no_way_to_wait), 0);
}

static int group(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_copy_works),
        cmocka_unit_test(test_programs_that_are_not_used),
        cmocka_unit_test(test_owners),
        cmocka_unit_test(test_programs_that_are_no_child),
        cmocka_unit_test(test_a_child_of_another_build),
        cmocka_unit_test(test_a_program_that_is_replaced),
        cmocka_unit_test(test_a_missing_program_is_reported_by_the_load),
        cmocka_unit_test(test_running_out_of_descriptors),
        cmocka_unit_test(test_no_process_can_be_made),
        cmocka_unit_test(test_a_child_that_is_held_before_its_exec),
        cmocka_unit_test(test_an_end_that_cannot_be_waited_for),
    };
    return cmocka_run_group_tests(tests, kit_setup, kit_teardown);
}

int main(void) {
    return kit_run(group, (const char *const[]){REAL_CHILD, NULL});
}

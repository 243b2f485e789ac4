/* Explained loads: which call a child was killed for is what the kernel saw. Nothing is
 * let through, whatever the child does, and what is reported of one that makes no such
 * call is what any load reports (invariants 3, 5 and 6). */
#include "support/gate_kit.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdatomic.h>
#include <sys/resource.h>

#include "gate/caller_cases.h"
#include "support/leftovers.h"

#define CALLER_CHILD "tests/gate/child_caller"
#define SHORT_DEADLINE 500 /* ms: for children that never end */

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#else
#define NATIVE AUDIT_ARCH_AARCH64
#endif

static const char *const case_names[] = {
#define CALLER_CALL_NAME(name, number, first) [CALLER_##name] = #name,
#define CALLER_NAME(name) [CALLER_##name] = #name,
    CALLER_CALLS(CALLER_CALL_NAME) CALLER_X86_CALLS(CALLER_CALL_NAME) CALLER_OTHERS(CALLER_NAME)
#undef CALLER_NAME
#undef CALLER_CALL_NAME
};

static wlk_load_options options_of(enum caller_case number) {
    wlk_load_options options = kit_options(CALLER_CHILD);
    options.policy.limits.columns = number;
    options.policy.limits.deadline_ms = 60000;
    return options;
}

static wlk_status explain_sample(wlk_gate *gate, wlk_violation *violation, wlk_error *error) {
    const wlk_artifact artifact = {.fd = kit_memfd(&kit.sample, ALL_SEALS)};
    memset(violation, 0xa5, sizeof *violation);
    *error = (wlk_error){.offset = WLK_NO_OFFSET};
    const wlk_status status = wlk_gate_explain(gate, &artifact, violation, error);
    (void)close(artifact.fd);
    return status;
}

static wlk_status explain_once(const wlk_load_options *options, wlk_violation *violation,
                               wlk_error *error) {
    wlk_gate *gate = kit_gate(options);
    const wlk_status status = explain_sample(gate, violation, error);
    wlk_gate_close(gate);
    return status;
}

/* ---- calls: all that the kernel knows of them */

typedef struct call_row {
    enum caller_case number;
    uint32_t architecture;
    int64_t call;
    uint64_t first; /* argument; 0: as of all */
} call_row;

static const call_row calls[] = {
#define CALL_ROW(name, number, first) {CALLER_##name, NATIVE, number, first},
    CALLER_CALLS(CALL_ROW)
#if defined(__x86_64__)
        CALLER_X86_CALLS(CALL_ROW){CALLER_opens_as_i386, AUDIT_ARCH_I386, CALLER_OPEN_I386, 0},
    {CALLER_exits_as_i386, AUDIT_ARCH_I386, 1, 0},
#endif
#undef CALL_ROW
};

static const char *call_fault(const call_row *row, const wlk_violation *v) {
    static const uint64_t arguments[] = CALLER_ARGUMENTS;
    if (!v->found) return "not found";
    if (v->architecture != row->architecture) return "architecture";
    if (v->number != row->call) return "number";
    if (v->arguments[0] != (row->first ? row->first : arguments[0])) return "first argument";
    if (memcmp(v->arguments + 1, arguments + 1, sizeof arguments - sizeof *arguments) != 0) {
        return "arguments";
    }
    return v->instruction == 0 ? "instruction" : NULL;
}

static bool call_row_passes(const call_row *row) {
    const leftovers before = leftovers_before(scratch);
    const wlk_load_options options = options_of(row->number);
    wlk_violation v;
    wlk_error error;
    const wlk_status status = explain_once(&options, &v, &error);
    const char *wrong = call_fault(row, &v);
    if (wrong) (void)fprintf(stderr, "%s: %s\n", case_names[row->number], wrong);
    return row_passes(case_names[row->number], "cage.syscall", NULL, status, &error, &before) &&
           !wrong;
}

static void test_invariant_3_every_call_is_named_and_killed(void **state) {
    (void)state;
    bool all = true;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) all &= call_row_passes(&calls[i]);
    assert_true(all);
}

/* The required layers alone: the child is no PID namespace's first process. */
static void test_with_few_layers(void **state) {
    (void)state;
    wlk_load_options options = options_of(CALLER_opens);
    wlk_violation v;
    wlk_error error;
    options.layers = WLK_LAYERS_REQUIRED;
    const wlk_status status = explain_once(&options, &v, &error);
    expect_refused("few layers", status, &error, "cage.syscall", NULL);
    assert_null(call_fault(&calls[0], &v));
}

/* ---- children that make no such call: nothing is found, and the status is a load's */

static const struct end_row {
    enum caller_case number;
    wlk_layers layers;
    const char *want, *text;
    const char *limit;
    uint64_t value;
} ends[] = {
    {CALLER_answers, WLK_LAYERS_ALL, ACCEPTED, NULL, NULL, 0},
    {CALLER_answers, WLK_LAYERS_REQUIRED, ACCEPTED, NULL, NULL, 0},
    {CALLER_crashes, WLK_LAYERS_ALL, "cage.crash", "signal 11", NULL, 0},
    {CALLER_crashes, WLK_LAYERS_REQUIRED, "cage.crash", "signal 11", NULL, 0},
#if defined(__x86_64__)
    {CALLER_traps, WLK_LAYERS_ALL, "cage.crash", "signal 4", NULL, 0},
#else
    {CALLER_traps, WLK_LAYERS_ALL, "cage.crash", "signal 5", NULL, 0},
#endif
    {CALLER_breaks, WLK_LAYERS_ALL, "cage.crash", "signal 5", NULL, 0},
    {CALLER_breaks_and_opens, WLK_LAYERS_ALL, "cage.crash", "signal 5", NULL, 0},
    {CALLER_breaks_and_opens, WLK_LAYERS_REQUIRED, "cage.crash", "signal 5", NULL, 0},
    {CALLER_exits_7, WLK_LAYERS_ALL, "cage.exit", "exit code 7", NULL, 0},
    {CALLER_kills_itself, WLK_LAYERS_REQUIRED, "cage.killed",
     "signal 9, which the kernel sends when memory runs out", NULL, 0},
    {CALLER_hangs, WLK_LAYERS_ALL, "limit.deadline", NULL, "deadline_ms", SHORT_DEADLINE},
    {CALLER_spins, WLK_LAYERS_ALL, "limit.deadline", NULL, "deadline_ms", SHORT_DEADLINE},
    {CALLER_burns, WLK_LAYERS_ALL, "limit.deadline", NULL, "deadline_ms", SHORT_DEADLINE},
    {CALLER_burns, WLK_LAYERS_ALL, "limit.cpu-seconds", NULL, "cpu_seconds", 1},
    {CALLER_burns, WLK_LAYERS_REQUIRED, "limit.cpu-seconds", NULL, "cpu_seconds", 1},
    {CALLER_stops_itself, WLK_LAYERS_REQUIRED, "cage.stopped", NULL, "deadline_ms", SHORT_DEADLINE},
    /* who can tell that it is watched can behave: then nothing is made up */
    {CALLER_opens_unwatched, WLK_LAYERS_ALL, ACCEPTED, NULL, NULL, 0},
    /* what it says is not what it did */
    {CALLER_claims_violation, WLK_LAYERS_ALL, "wire.refuse", NULL, NULL, 0},
    {CALLER_claims_and_hangs, WLK_LAYERS_ALL, "limit.deadline", NULL, "deadline_ms",
     SHORT_DEADLINE},
    /* who is killed for a call's sake, but not by a filter */
    {CALLER_signals_itself, WLK_LAYERS_REQUIRED, "cage.lock-down", NULL, NULL, 0},
};

static bool end_row_passes(const struct end_row *row) {
    const leftovers before = leftovers_before(scratch);
    wlk_load_options options = options_of(row->number);
    wlk_violation v;
    wlk_error error;
    options.layers = row->layers;
    if (row->limit) {
        assert_int_equal(wlk_limits_set(&options.policy.limits, row->limit, row->value), WLK_OK);
    }
    const wlk_status status = explain_once(&options, &v, &error);
    if (v.found)
        (void)fprintf(stderr, "%s: found %lld\n", case_names[row->number], (long long)v.number);
    return row_passes(case_names[row->number], row->want, row->text, status, &error, &before) &&
           !v.found;
}

static void test_invariant_5_who_makes_no_call_is_reported_as_ever(void **state) {
    (void)state;
    bool all = true;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) all &= end_row_passes(&ends[i]);
    assert_true(all);
}

#if defined(__x86_64__)
/* A call through the page of old, which no tracer sees, is not taken for the last one that
 * was seen. Where there is no such page the child crashes. */
static void test_a_call_that_cannot_be_seen(void **state) {
    (void)state;
    static const enum caller_case cases[] = {CALLER_uses_vsyscall, CALLER_hides_behind_write};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const wlk_load_options options = options_of(cases[i]);
        wlk_violation v;
        wlk_error error;
        const wlk_status status = explain_once(&options, &v, &error);
        const bool killed = error.rule == RULE_CAGE_SYSCALL || error.rule == RULE_CAGE_CRASH;
        if (status != WLK_CAGE || !killed) fail_msg("%s: %u", case_names[cases[i]], error.rule);
        assert_int_equal(v.found, 0);
    }
}
#endif

static void test_the_real_child_makes_none(void **state) {
    (void)state;
    wlk_load_options options = kit_options(REAL_CHILD);
    const unsigned descriptors = kit_descriptors();
    wlk_violation v;
    wlk_error error;
    EXPECT_OK(explain_once(&options, &v, &error));
    assert_int_equal(v.found, 0);
    assert_true(kit_is_clean(descriptors));
    options.policy.limits.heap_bytes = 1024;
    const wlk_status status = explain_once(&options, &v, &error);
    expect_refused("small heap", status, &error, "limit.heap-bytes", NULL);
    assert_int_equal(v.found, 0);
}

/* Children that wait have made themselves undumpable already: none of them is taken. */
static void test_a_gate_with_a_pool(void **state) {
    (void)state;
    const unsigned descriptors = kit_descriptors();
    wlk_load_options options = options_of(CALLER_opens);
    options.pool = 2;
    wlk_gate *gate = kit_gate(&options);
    for (int i = 0; i < 1000 && wlk_gate_waiting(gate) < 2; i++) (void)usleep(10000);
    assert_int_equal(wlk_gate_waiting(gate), 2);
    for (int i = 0; i < 3; i++) {
        wlk_violation v;
        wlk_error error;
        const wlk_status status = explain_sample(gate, &v, &error);
        expect_refused("with a pool", status, &error, "cage.syscall", NULL);
        assert_null(call_fault(&calls[0], &v));
        assert_int_equal(wlk_gate_waiting(gate), 2);
    }
    wlk_gate_close(gate);
    assert_true(kit_is_clean(descriptors));
}

/* What is not loaded is not explained, and says why like a load. */
static void test_files_that_are_refused(void **state) {
    (void)state;
    const wlk_load_options options = options_of(CALLER_opens);
    wlk_gate *gate = kit_gate(&options);
    const wlk_artifact missing = {.path = in_scratch("missing")};
    wlk_violation v = {.found = 7};
    wlk_error error;
    expect_refused("missing", wlk_gate_explain(gate, &missing, &v, &error), &error, "gate.open",
                   NULL);
    assert_int_equal(v.found, 0);
    kit.sample.data[kit.sample.size - 1] ^= 1;
    const wlk_status status = explain_sample(gate, &v, &error);
    kit.sample.data[kit.sample.size - 1] ^= 1;
    expect_refused("altered", status, &error, "trust.chunk-digest", NULL);
    assert_int_equal(v.found, 0);
    wlk_gate_close(gate);
}

/* A gate explains and loads by turns; neither leaves anything of itself to the other. */
static void test_by_turns_with_loads(void **state) {
    (void)state;
    const unsigned descriptors = kit_descriptors();
    const wlk_load_options options = options_of(CALLER_opens);
    wlk_gate *gate = kit_gate(&options);
    for (int i = 0; i < 20; i++) {
        wlk_violation v;
        wlk_model *model;
        wlk_error error;
        const int fd = kit_memfd(&kit.sample, ALL_SEALS);
        wlk_status status = wlk_gate_load_fd(gate, fd, &model, NULL, &error);
        (void)close(fd);
        expect_refused("load", status, &error, "cage.syscall", NULL);
        status = explain_sample(gate, &v, &error);
        expect_refused("explained", status, &error, "cage.syscall", NULL);
        assert_null(call_fault(&calls[0], &v));
    }
    wlk_gate_close(gate);
    assert_true(kit_is_clean(descriptors));
}

/* ---- hosts, each a process of its own; the exit code says what went wrong */

static int explains(enum caller_case number, bool found, const char *rule) {
    wlk_violation v = {0};
    wlk_error error = {0};
    wlk_gate *gate;
    const wlk_load_options options = options_of(number);
    if (wlk_gate_open(&options, &gate, NULL) != WLK_OK) return 2;
    const wlk_artifact artifact = {.fd = kit_memfd(&kit.sample, 0)};
    const wlk_status status = wlk_gate_explain(gate, &artifact, &v, &error);
    wlk_gate_close(gate);
    (void)close(artifact.fd);
    const char *got = status == WLK_OK ? ACCEPTED : wlk_rule_name(error.rule);
    if (strcmp(got, rule) != 0) (void)fprintf(stderr, "%s: %s\n", got, error.text);
    return strcmp(got, rule) != 0 ? 3 : v.found != found ? 4 : 0;
}

static int host_that_ignores_sigchld(void) {
    if (signal(SIGCHLD, SIG_IGN) == SIG_ERR) return 1;
    const int found = explains(CALLER_opens, true, "cage.syscall");
    return found ? found : explains(CALLER_answers, false, ACCEPTED);
}

static atomic_uint stops_taken;

static void take_all(int number) {
    const int reason = errno;
    int status;
    (void)number;
    while (waitpid(-1, &status, WNOHANG | WUNTRACED) > 0) {
        if (WIFSTOPPED(status)) atomic_fetch_add(&stops_taken, 1);
    }
    errno = reason;
}

/* It takes the stops away from under the tracer, and perhaps the child's end. */
static int host_that_waits_for_all(void) {
    const struct sigaction action = {.sa_handler = take_all, .sa_flags = SA_RESTART};
    wlk_violation v = {0};
    wlk_error error = {0};
    wlk_gate *gate;
    const wlk_load_options options = options_of(CALLER_opens);
    if (sigaction(SIGCHLD, &action, NULL) != 0) return 1;
    if (wlk_gate_open(&options, &gate, NULL) != WLK_OK) return 2;
    const wlk_artifact artifact = {.fd = kit_memfd(&kit.sample, 0)};
    const wlk_status status = wlk_gate_explain(gate, &artifact, &v, &error);
    wlk_gate_close(gate);
    if (status != WLK_CAGE || !v.found || v.number != SYS_openat) return 3;
    return atomic_load(&stops_taken) > 0 ? 0 : 4;
}

/* A filter of the host's own, which its children inherit. */
static bool forbid(uint32_t call, uint32_t action) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, action),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {sizeof code / sizeof *code, code};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
}

static int host_that_may_not_trace(void) {
    const unsigned descriptors = kit_descriptors();
    if (!forbid(SYS_ptrace, SECCOMP_RET_ERRNO | EPERM)) return 1;
    const int explained = explains(CALLER_opens, false, "cage.explain");
    if (explained) return explained;
    return kit_is_clean(descriptors) ? 0 : 5;
}

/* A child that its host's filter kills while it locks itself down: the same, and told. */
static int host_whose_filter_kills(void) {
    wlk_violation v = {0};
    wlk_error error = {0};
    wlk_gate *gate;
    const wlk_load_options options = options_of(CALLER_answers);
    if (!forbid(SYS_umask, SECCOMP_RET_KILL_PROCESS)) return 1;
    if (wlk_gate_open(&options, &gate, NULL) != WLK_OK) return 2;
    const wlk_artifact artifact = {.fd = kit_memfd(&kit.sample, 0)};
    const wlk_status status = wlk_gate_explain(gate, &artifact, &v, &error);
    wlk_gate_close(gate);
    if (status != WLK_CAGE || error.rule != RULE_CAGE_LOCK_DOWN) return 3;
    return v.found && v.number == SYS_umask ? 0 : 4;
}

static int host_without_threads(void) {
    const struct rlimit none = {0, 0};
    if (geteuid() == 0) return explains(CALLER_opens, true, "cage.syscall"); /* root has no limit */
    if (setrlimit(RLIMIT_NPROC, &none) != 0) return 1;
    return explains(CALLER_opens, false, "cage.spawn"); /* not even a child */
}

/* The one who is killed with the loading process is not left behind, stopped. */
static int host_that_is_killed(void) {
    int status;
    if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) return 1;
    const pid_t loader = fork();
    if (loader == 0) {
        (void)explains(CALLER_spins, false, "");
        _exit(0);
    }
    (void)usleep(200000);
    if (kill(loader, SIGKILL) != 0 || waitpid(loader, &status, 0) != loader) return 2;
    if (!WIFSIGNALED(status)) return 3;
    for (int i = 0; i < 100; i++) { /* its child is ours now */
        const pid_t gone = waitpid(-1, &status, WNOHANG);
        if (gone > 0) return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? 0 : 4;
        (void)usleep(50000);
    }
    return 5;
}

static void test_hosts(void **state) {
    (void)state;
    assert_int_equal(kit_in_process(host_that_ignores_sigchld), 0);
    assert_int_equal(kit_in_process(host_that_waits_for_all), 0);
    assert_int_equal(kit_in_process(host_that_may_not_trace), 0);
    assert_int_equal(kit_in_process(host_whose_filter_kills), 0);
    assert_int_equal(kit_in_process(host_without_threads), 0);
    assert_int_equal(kit_in_process(host_that_is_killed), 0);
}

/* ---- */

static int setup(void **state) {
    leftovers_count_memory();
    return kit_sample_setup(state);
}

static int group(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_invariant_3_every_call_is_named_and_killed),
        cmocka_unit_test(test_with_few_layers),
        cmocka_unit_test(test_invariant_5_who_makes_no_call_is_reported_as_ever),
#if defined(__x86_64__)
        cmocka_unit_test(test_a_call_that_cannot_be_seen),
#endif
        cmocka_unit_test(test_the_real_child_makes_none),
        cmocka_unit_test(test_a_gate_with_a_pool),
        cmocka_unit_test(test_files_that_are_refused),
        cmocka_unit_test(test_by_turns_with_loads),
        cmocka_unit_test(test_hosts),
    };
    return cmocka_run_group_tests(tests, setup, kit_sample_teardown);
}

int main(void) {
    return kit_run(group, (const char *const[]){REAL_CHILD, CALLER_CHILD, NULL});
}

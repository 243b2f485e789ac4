/* The pool: children that wait, each for one file. What a load by one of them must have
 * in common with a load that starts its own, what becomes of those that nobody needs, and
 * of those that misbehave. */
#include "gate/pool_kit.h"

#include <pthread.h>
#include <sys/resource.h>

/* ---- what a load by a child that waited is */

static void test_children_wait(void **state) {
    (void)state;
    const unsigned descriptors = kit_descriptors();
    pid_t pids[MOST_CHILDREN];
    wlk_gate *gate = full_pool(&real_child, 3);
    assert_int_equal(children_of(getpid(), pids), 3);
    assert_true(loads(gate, true));
    assert_true(wait_for(gate, 3));
    wlk_gate_close(gate);
    assert_true(kit_is_clean(descriptors));
}

/* The same layers hold, known in the same way; by default nobody waits. */
static void test_the_report_is_that_of_a_child_of_its_own(void **state) {
    (void)state;
    static const wlk_layers layers[] = {WLK_LAYERS_ALL, WLK_LAYERS_REQUIRED};
    for (size_t i = 0; i < 2; i++) {
        wlk_load_options options = real_child;
        wlk_load_report cold, warm;
        options.layers = layers[i];
        wlk_gate *without = kit_gate(&options), *with = full_pool(&options, 1);
        assert_string_equal(load_file(without, &kit.sample, &cold), "");
        assert_string_equal(load_file(with, &kit.sample, &warm), "");
        assert_int_equal(wlk_gate_waiting(without), 0);
        assert_false(cold.pooled);
        assert_true(warm.pooled);
        assert_true(warm.child_started);
        assert_memory_equal(cold.layers, warm.layers, sizeof cold.layers);
        assert_memory_equal(cold.layer_errno, warm.layer_errno, sizeof cold.layer_errno);
        assert_int_equal(warm.file_bytes, kit.sample.size);
        assert_int_equal(warm.verification.state, WLK_SIGNED_TRUSTED);
        wlk_gate_close(without);
        wlk_gate_close(with);
    }
}

/* What the model says when it is written again. */
static kit_file rewritten(wlk_gate *gate, const kit_file *file, bool pooled) {
    wlk_model *model;
    wlk_load_report report;
    wlk_error error;
    const int fd = kit_memfd(file, 0);
    EXPECT_OK(wlk_gate_load_fd(gate, fd, &model, &report, &error));
    (void)close(fd);
    assert_int_equal(report.pooled, pooled);
    return kit_written(model, kit.key);
}

static void test_the_same_model_cold_warm_and_mapped(void **state) {
    (void)state;
    static const wlk_transport transports[] = {WLK_TRANSPORT_PIPE, WLK_TRANSPORT_MAP,
                                               WLK_TRANSPORT_AUTO};
    const kit_file *const files[] = {&kit.sample, &large};
    for (size_t i = 0; i < 3; i++) {
        wlk_load_options options = real_child;
        options.transport = transports[i];
        wlk_gate *cold = kit_gate(&options), *warm = full_pool(&options, 1);
        for (size_t j = 0; j < 2; j++) {
            assert_true(wait_for(warm, 1));
            kit_file a = rewritten(cold, files[j], false), b = rewritten(warm, files[j], true);
            assert_int_equal(a.size, files[j]->size);
            assert_memory_equal(a.data, files[j]->data, a.size);
            assert_int_equal(b.size, a.size);
            assert_memory_equal(b.data, a.data, a.size);
            free(a.data);
            free(b.data);
        }
        wlk_gate_close(cold);
        wlk_gate_close(warm);
    }
}

/* A process has parsed one file when it ends, and no other. */
static void test_each_load_has_a_child_of_its_own(void **state) {
    (void)state;
    wlk_gate *gate = full_pool(&real_child, 1);
    pid_t before = only_child();
    for (unsigned i = 0; i < 100; i++) {
        assert_true(loads(gate, true));
        assert_true(wait_for(gate, 1));
        const pid_t now = only_child();
        assert_true(before > 0 && now > 0 && now != before);
        before = now;
    }
    wlk_gate_close(gate);
}

/* ---- which files it takes */

static void test_the_limit_on_files(void **state) {
    (void)state;
    static const struct {
        uint64_t more; /* than the file */
        bool pooled;
    } rows[] = {{0, true}, {(uint64_t)-1, false}, {1, true}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        wlk_load_options options = real_child;
        options.policy.limits.pool_file_bytes = kit.sample.size + rows[i].more;
        wlk_gate *gate = full_pool(&options, 1);
        assert_true(loads(gate, rows[i].pooled));
        wlk_gate_close(gate);
    }
}

/* Nothing is worth waiting for: every load starts its own. */
static void test_a_limit_of_no_bytes(void **state) {
    (void)state;
    wlk_load_options options = real_child;
    options.policy.limits.pool_file_bytes = 0;
    wlk_gate *gate = open_pool(&options, 2);
    assert_non_null(gate);
    assert_true(loads(gate, false));
    assert_int_equal(wlk_gate_waiting(gate), 0);
    wlk_gate_close(gate);
}

/* With `auto`, what is mapped if it starts a child of its own is mapped anyhow. */
static void test_large_files_are_mapped(void **state) {
    (void)state;
    wlk_load_options options = real_child;
    wlk_load_report report;
    options.transport = WLK_TRANSPORT_AUTO;
    options.policy.limits.pool_file_bytes = 4u << 20;
    wlk_gate *gate = full_pool(&options, 1);
    assert_string_equal(load_file(gate, &huge, &report), "");
    assert_false(report.pooled);
    wlk_gate_close(gate);
    options.transport = WLK_TRANSPORT_PIPE;
    gate = full_pool(&options, 1);
    assert_string_equal(load_file(gate, &huge, &report), "");
    assert_true(report.pooled);
    wlk_gate_close(gate);
}

/* What never gets to a child costs none: it waits for the next. */
static void test_files_that_no_child_sees(void **state) {
    (void)state;
    wlk_gate *gate = full_pool(&real_child, 1);
    const pid_t child = only_child();
    const kit_file empty = {kit.sample.data, 0}, cut = {kit.sample.data, kit.sample.size - 1};
    kit_file unsigned_file = kit_written(kit_model(0), NULL);
    assert_string_equal(load_file(gate, &empty, NULL), "format.empty");
    assert_string_equal(load_file(gate, &cut, NULL), "envelope.layout");
    assert_string_equal(load_file(gate, &unsigned_file, NULL), "trust.unsigned");
    assert_int_equal(only_child(), child);
    assert_true(loads(gate, true));
    free(unsigned_file.data);
    wlk_gate_close(gate);
}

/* A lazy model's child has a copy of its head; who only looks at a child starts one. */
static void test_loads_that_start_their_own(void **state) {
    (void)state;
    wlk_gate *gate = full_pool(&real_child, 1);
    const pid_t child = only_child();
    const wlk_artifact artifact = {.fd = kit_memfd(&kit.sample, 0)};
    wlk_load_report report;
    wlk_lazy *lazy;
    wlk_error error;
    EXPECT_OK(wlk_gate_open_lazy(gate, &artifact, &lazy, &report, &error));
    wlk_lazy_close(lazy);
    assert_false(report.pooled);
    EXPECT_OK(wlk_gate_check(gate, &report, &error));
    assert_false(report.pooled);
    assert_int_equal(only_child(), child);
    (void)close(artifact.fd);
    wlk_gate_close(gate);
}

static void test_the_limit_on_children(void **state) {
    (void)state;
    static const struct {
        uint64_t limit;
        uint32_t asked;
    } rows[] = {{3, 4}, {0, 1}, {64, 65}, {64, UINT32_MAX}};
    const unsigned descriptors = kit_descriptors();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        wlk_load_options options = real_child;
        wlk_gate *gate = (wlk_gate *)(uintptr_t)1;
        wlk_error error;
        options.policy.limits.pool_children = rows[i].limit;
        options.pool = rows[i].asked;
        const wlk_status status = wlk_gate_open(&options, &gate, &error);
        expect_refused("open", status, &error, "limit.pool-children", NULL);
        assert_null(gate);
        assert_true(kit_is_clean(descriptors));
        options.pool = (uint32_t)rows[i].limit;
        EXPECT_OK(wlk_gate_open(&options, &gate, &error));
        wlk_gate_close(gate);
        assert_true(kit_is_clean(descriptors));
    }
}

/* The gate opens all the same; the load says what is wrong. */
static void test_a_program_that_is_missing(void **state) {
    (void)state;
    wlk_load_options options = real_child;
    options.child_path = in_scratch("nowhere");
    wlk_gate *gate = open_pool(&options, 2);
    assert_non_null(gate);
    assert_string_equal(load_file(gate, &kit.sample, NULL), "cage.program");
    wlk_gate_close(gate);
}

/* A model whose description takes some memory. */
static kit_file many_tensors(void) {
    static const uint8_t zeros[64];
    wlk_tensor tensor = {
        .dtype = WLK_U8, .rank = 1, .shape = {sizeof zeros}, .data = zeros, .nbytes = sizeof zeros};
    wlk_writer *w;
    wlk_model *model;
    wlk_error error;
    EXPECT_OK(wlk_writer_new(NULL, &w, &error));
    for (unsigned i = 0; i < 1500; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "tensor number %u", i);
        tensor.name = name;
        (void)wlk_writer_tensor(w, &tensor);
    }
    EXPECT_OK(wlk_writer_finish(w, &model, &error));
    wlk_writer_free(w);
    return kit_written(model, kit.key);
}

/* The room for the file is beside the heap: the limit means the same to both. */
static void test_the_limit_on_the_heap(void **state) {
    (void)state;
    static const uint64_t heaps[] = {65536, 131072, 262144, 400000, 524288, 700000, 4 << 20};
    kit_file file = many_tensors();
    bool refused = false, accepted = false;
    for (size_t i = 0; i < sizeof heaps / sizeof *heaps; i++) {
        wlk_load_options options = real_child;
        wlk_load_report report;
        options.policy.limits.heap_bytes = heaps[i];
        wlk_gate *cold = kit_gate(&options), *warm = full_pool(&options, 1);
        const char *rule = load_file(cold, &file, NULL);
        assert_string_equal(load_file(warm, &file, &report), rule);
        assert_true(report.pooled);
        refused |= strcmp(rule, "limit.heap-bytes") == 0;
        accepted |= !*rule;
        wlk_gate_close(cold);
        wlk_gate_close(warm);
    }
    free(file.data);
    assert_true(refused && accepted);
}

/* ---- children that do not live to be needed */

static void expect_replaced_after(int number) {
    const unsigned descriptors = kit_descriptors();
    wlk_gate *gate = full_pool(&real_child, 1);
    const pid_t child = only_child();
    assert_true(child > 0 && kill(child, number) == 0);
    if (number == SIGKILL) assert_true(wait_for(gate, 0));
    if (number == SIGSTOP) (void)usleep(20000); /* a stop is not told by the pidfd */
    assert_true(loads(gate, false));
    assert_int_equal(kill(child, 0), -1); /* collected */
    assert_true(wait_for(gate, 1));
    assert_true(loads(gate, true));
    wlk_gate_close(gate);
    assert_true(kit_is_clean(descriptors));
}

static void test_a_child_that_was_killed(void **state) {
    (void)state;
    expect_replaced_after(SIGKILL);
}

static void test_a_child_that_was_stopped(void **state) {
    (void)state;
    expect_replaced_after(SIGSTOP);
}

/* One of three is dead: the others are as good as before. */
static void test_the_living_are_found_among_the_dead(void **state) {
    (void)state;
    const unsigned descriptors = kit_descriptors();
    wlk_gate *gate = full_pool(&real_child, 3);
    pid_t pids[MOST_CHILDREN];
    assert_int_equal(children_of(getpid(), pids), 3);
    assert_int_equal(kill(pids[0], SIGKILL), 0);
    assert_true(wait_for(gate, 2));
    assert_true(loads(gate, true));
    wlk_gate_close(gate);
    assert_true(kit_is_clean(descriptors));
}

/* Invariant 8: the gate has found out what this machine can hold; who waited without it
 * is not used. */
static void test_invariant_8_a_layer_that_came_later(void **state) {
    (void)state;
    wlk_load_options options = hostile_child;
    wlk_load_report report;
    options.policy.limits.columns = HOSTILE_waits_without_layer;
    options.policy.limits.json_bytes = kit_layer("landlock");
    options.policy.limits.pool_file_bytes = kit.sample.size;
    wlk_gate *gate = full_pool(&options, 2);
    assert_string_equal(load_file(gate, &kit.sample, &report), "");
    assert_true(report.pooled);
    assert_int_equal(report.layers[kit_layer("landlock")], WLK_LAYER_FAILED);
    assert_true(wait_for(gate, 2));
    assert_string_equal(load_file(gate, &large, &report), ""); /* by a child of its own */
    assert_int_equal(report.layers[kit_layer("landlock")], WLK_LAYER_REPORTED);
    for (unsigned i = 0; i < 3; i++) {
        assert_string_equal(load_file(gate, &kit.sample, &report), "");
        assert_false(report.pooled);
        assert_int_equal(report.layers[kit_layer("landlock")], WLK_LAYER_REPORTED);
    }
    wlk_gate_close(gate);
}

/* ---- children that misbehave while they get their file */

static void test_misbehaviour_in_go(void **state) {
    (void)state;
    static const struct {
        enum hostile_case number;
        const char *rule;
        uint64_t deadline_ms;
    } rows[] = {
        {HOSTILE_reads_no_go, "limit.deadline", 300}, {HOSTILE_ends_in_go, "wire.truncated", 60000},
        {HOSTILE_crashes_in_go, "cage.crash", 60000}, {HOSTILE_speaks_in_go, "wire.state", 60000},
        {HOSTILE_floods_in_go, "wire.state", 60000},  {HOSTILE_good, "", 60000},
    };
    const unsigned descriptors = kit_descriptors();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        wlk_load_options options = hostile_child;
        wlk_load_report report;
        options.policy.limits.columns = rows[i].number;
        options.policy.limits.deadline_ms = rows[i].deadline_ms;
        options.policy.limits.pool_file_bytes = 4u << 20;
        wlk_gate *gate = full_pool(&options, 1);
        const double start = kit_seconds();
        assert_string_equal(load_file(gate, &huge, &report), rows[i].rule);
        assert_true(report.pooled);
        assert_true(kit_seconds() - start < 10); /* not at the limit on processor time */
        wlk_gate_close(gate);
        assert_true(kit_is_clean(descriptors));
    }
}

static double cpu_of(int who) {
    struct rusage used;
    (void)getrusage(who, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1e-6;
}

static int host_whose_children_never_start(void) {
    wlk_load_options options = hostile_child;
    options.policy.limits.columns = HOSTILE_exits_1_at_once;
    wlk_gate *gate = open_pool(&options, 4);
    if (!gate) return 9;
    (void)sleep(1);
    if (cpu_of(RUSAGE_SELF) + cpu_of(RUSAGE_CHILDREN) > 0.25) return 1;
    const double start = kit_seconds();
    for (unsigned i = 0; i < 20; i++) { /* nor do loads wait for the next attempt */
        if (strcmp(load_file(gate, &kit.sample, NULL), "cage.exit") != 0) return 2;
    }
    if (kit_seconds() - start > 10) return 3;
    wlk_gate_close(gate);
    return 0;
}

/* What cannot be started is not started again and again; each load says why. */
static void test_children_that_never_start(void **state) {
    (void)state;
    assert_int_equal(kit_in_process(host_whose_children_never_start), 0);
}

/* ---- closing */

static void test_gates_that_are_closed_at_once(void **state) {
    (void)state;
    const unsigned descriptors = kit_descriptors();
    for (unsigned i = 0; i < 100; i++) {
        wlk_gate *gate = open_pool(&real_child, 4);
        assert_non_null(gate);
        (void)usleep(i * 50); /* before, in the middle of, and behind a start */
        wlk_gate_close(gate);
        assert_true(kit_is_clean(descriptors));
    }
}

/* A child that never says HELLO is not waited for. */
static void test_closing_while_a_child_keeps_silent(void **state) {
    (void)state;
    const unsigned descriptors = kit_descriptors();
    wlk_load_options options = hostile_child;
    options.policy.limits.columns = HOSTILE_silent_at_once;
    wlk_gate *gate = open_pool(&options, 1);
    const double start = kit_seconds();
    assert_non_null(gate);
    while (only_child() < 0 && kit_seconds() - start < 10) (void)usleep(1000);
    assert_true(only_child() > 0);
    wlk_gate_close(gate);
    assert_true(kit_seconds() - start < 8); /* its own deadline is ten seconds */
    assert_true(kit_is_clean(descriptors));
}

/* ---- many loads */

static void test_a_thousand_loads(void **state) {
    (void)state;
    const unsigned descriptors = kit_descriptors();
    wlk_gate *gate = full_pool(&real_child, 2);
    unsigned full = 0, pooled = 0;
    for (unsigned i = 0; i < 1000; i++) {
        wlk_load_report report;
        assert_string_equal(load_file(gate, &kit.sample, &report), "");
        pooled += report.pooled != 0;
        if (i % 100 != 0) continue;
        assert_true(wait_for(gate, 2));
        if (full == 0) full = kit_descriptors();
        assert_int_equal(kit_descriptors(), full);
    }
    assert_true(pooled >= 10);
    wlk_gate_close(gate);
    assert_true(kit_is_clean(descriptors));
}

typedef struct worker {
    pthread_t thread;
    wlk_gate *gate;
    unsigned good, pooled;
} worker;

static void *load_many(void *argument) {
    worker *w = argument;
    for (unsigned i = 0; i < 200; i++) {
        wlk_load_report report;
        w->good += !*load_file(w->gate, &kit.sample, &report);
        w->pooled += report.pooled != 0;
    }
    return NULL;
}

static void test_eight_threads(void **state) {
    (void)state;
    worker workers[8] = {0};
    const unsigned descriptors = kit_descriptors();
    unsigned good = 0, pooled = 0;
    wlk_gate *gate = full_pool(&real_child, 4);
    for (unsigned i = 0; i < 8; i++) {
        workers[i].gate = gate;
        assert_int_equal(pthread_create(&workers[i].thread, NULL, load_many, &workers[i]), 0);
    }
    for (unsigned i = 0; i < 8; i++) {
        (void)pthread_join(workers[i].thread, NULL);
        good += workers[i].good;
        pooled += workers[i].pooled;
    }
    assert_int_equal(good, 8 * 200);
    assert_true(pooled >= 4);
    wlk_gate_close(gate);
    assert_true(kit_is_clean(descriptors));
}

static int group(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_children_wait),
        cmocka_unit_test(test_the_report_is_that_of_a_child_of_its_own),
        cmocka_unit_test(test_the_same_model_cold_warm_and_mapped),
        cmocka_unit_test(test_each_load_has_a_child_of_its_own),
        cmocka_unit_test(test_the_limit_on_files),
        cmocka_unit_test(test_a_limit_of_no_bytes),
        cmocka_unit_test(test_large_files_are_mapped),
        cmocka_unit_test(test_files_that_no_child_sees),
        cmocka_unit_test(test_loads_that_start_their_own),
        cmocka_unit_test(test_the_limit_on_children),
        cmocka_unit_test(test_a_program_that_is_missing),
        cmocka_unit_test(test_the_limit_on_the_heap),
        cmocka_unit_test(test_a_child_that_was_killed),
        cmocka_unit_test(test_a_child_that_was_stopped),
        cmocka_unit_test(test_the_living_are_found_among_the_dead),
        cmocka_unit_test(test_invariant_8_a_layer_that_came_later),
        cmocka_unit_test(test_misbehaviour_in_go),
        cmocka_unit_test(test_children_that_never_start),
        cmocka_unit_test(test_gates_that_are_closed_at_once),
        cmocka_unit_test(test_closing_while_a_child_keeps_silent),
        cmocka_unit_test(test_a_thousand_loads),
        cmocka_unit_test(test_eight_threads),
    };
    return cmocka_run_group_tests(tests, pool_setup, pool_teardown);
}

int main(void) {
    return kit_run(group, (const char *const[]){REAL_CHILD, HOSTILE_CHILD, NULL});
}

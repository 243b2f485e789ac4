/* A bad child program, and what can be done to a good one from outside: each row says how
 * the load of a good file ends, and that nothing is left behind (invariants 5, 6 and 8). */
#include "support/gate_kit.h"

#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "gate/hostile_cases.h"
#include "support/leftovers.h"
#include "wire/frame.h"

#define HOSTILE_CHILD "tests/gate/child_hostile"

static kit_file sample;

/* Loads the sample through a gate of these options. */
static bool load_ends_with(const char *name, const wlk_load_options *options, const char *want,
                           const char *text) {
    const leftovers before = leftovers_before(scratch);
    wlk_model *model = (wlk_model *)(uintptr_t)1;
    wlk_error error = {.offset = 0};
    const wlk_status status = kit_load(options, &sample, &model, NULL, &error);
    if ((status == WLK_OK) != (model != NULL)) fail_msg("%s: model", name);
    wlk_model_free(model);
    return row_passes(name, want, text, status, &error, &before);
}

/* ---- programs that are none, or not to be run */

/* The first `length` bytes of the real child, 0: all of them. */
static const char *part_of_child(const char *name, size_t length, mode_t mode) {
    size_t whole;
    uint8_t *bytes = read_bytes(kit_program(REAL_CHILD), &whole);
    write_bytes(in_scratch(name), bytes, length ? length : whole);
    free(bytes);
    assert_int_equal(chmod(in_scratch(name), mode), 0);
    return in_scratch(name);
}

static const char *text_program(const char *name, const char *text) {
    write_bytes(in_scratch(name), text, strlen(text));
    assert_int_equal(chmod(in_scratch(name), 0755), 0);
    return in_scratch(name);
}

static const char *missing(void) {
    return in_scratch("missing");
}

static const char *below_a_file(void) {
    write_bytes(in_scratch("file"), "x", 1);
    return in_scratch("file/weighlock-child");
}

static const char *folder(void) {
    return scratch;
}

static const char *fifo(void) {
    assert_int_equal(mkfifo(in_scratch("fifo"), 0700), 0);
    return in_scratch("fifo");
}

static const char *link_to_itself(void) {
    assert_int_equal(symlink("loop", in_scratch("loop")), 0);
    return in_scratch("loop");
}

static const char *without_execution(void) {
    return part_of_child("data", 0, 0600);
}

static const char *writable_by_group(void) {
    return part_of_child("group", 0, 0775);
}

static const char *writable_by_all(void) {
    return part_of_child("world", 0, 0757);
}

static const char *empty(void) {
    return text_program("empty", "");
}

static const char *text(void) {
    return text_program("text", "not a program\n");
}

/* It is run by its descriptor, and has no name that an interpreter could open. */
static const char *script(void) {
    return text_program("script", "#!/bin/sh\nexit 0\n");
}

static const char *first_bytes(void) {
    return part_of_child("cut", 40, 0755);
}

/* One byte of the child changed: where `wanted` begins, plus `at`. */
static const char *altered_child(const char *name, const void *wanted, size_t length, size_t at) {
    size_t whole;
    const char *path = part_of_child(name, 0, 0755);
    uint8_t *bytes = read_bytes(path, &whole);
    uint8_t *found = memmem(bytes, whole, wanted, length);
    assert_non_null(found);
    found[at] ^= 1;
    write_bytes(path, bytes, whole);
    free(bytes);
    return path;
}

static const char *of_another_build(void) {
    return altered_child("build", wire_build_id, WIRE_BUILD_ID_BYTES, 0);
}

static const char *of_a_build_that_ends_otherwise(void) {
    return altered_child("builds", wire_build_id, WIRE_BUILD_ID_BYTES, WIRE_BUILD_ID_BYTES - 1);
}

static const char *of_another_machine(void) {
    return altered_child("machine",
                         "\x7f"
                         "ELF",
                         4, 18); /* e_machine */
}

static const char *of_another_class(void) {
    return altered_child("class",
                         "\x7f"
                         "ELF",
                         4, 0);
}

static const struct program_row {
    const char *name;
    const char *(*make)(void);
    const char *path; /* where there is nothing to be made */
    const char *want, *text;
} programs[] = {
    {"missing", missing, NULL, "cage.program", "No such file"},
    {"no name at all", NULL, "", "cage.program", "No such file"},
    {"below a file", below_a_file, NULL, "cage.program", "Not a directory"},
    {"a link to itself", link_to_itself, NULL, "cage.program", "symbolic links"},
    {"a folder", folder, NULL, "cage.program", "is not a regular file"},
    {"a FIFO", fifo, NULL, "cage.program", "is not a regular file"},
    {"a device", NULL, "/dev/zero", "cage.program", "is not a regular file"},
    {"without execution", without_execution, NULL, "cage.program-execute", "is not executable"},
    {"writable by the group", writable_by_group, NULL, "cage.program-mode", "writable by others"},
    {"writable by all", writable_by_all, NULL, "cage.program-mode", "writable by others"},
    {"empty", empty, NULL, "cage.spawn", "exec"},
    {"text", text, NULL, "cage.spawn", "exec"},
    {"a script", script, NULL, "cage.spawn", "exec"},
    {"its first bytes", first_bytes, NULL, "cage.spawn", "exec"},
    {"of another machine", of_another_machine, NULL, "cage.spawn", "exec"},
    {"no ELF file", of_another_class, NULL, "cage.spawn", "exec"},
    {"of another build", of_another_build, NULL, "cage.build", NULL},
    {"of a build that ends otherwise", of_a_build_that_ends_otherwise, NULL, "cage.build", NULL},
    {"says nothing", NULL, "/bin/true", "wire.truncated", NULL},
    {"fails", NULL, "/bin/false", "cage.exit", "exit code 1"},
    {"says what it hears", NULL, "/bin/cat", "wire.state", "frame 0"},
    {"says y", NULL, "/usr/bin/yes", "wire.header", "frame 0"},
};

static void test_programs_that_are_no_child(void **state) {
    (void)state;
    bool all = true;
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        const struct program_row *row = &programs[i];
        wlk_load_options options = kit_options(REAL_CHILD);
        options.child_path = row->make ? row->make() : row->path;
        all &= load_ends_with(row->name, &options, row->want, row->text);
    }
    assert_true(all);
}

static void test_a_file_without_a_child_is_still_verified(void **state) {
    (void)state;
    wlk_load_options options = kit_options(REAL_CHILD);
    options.child_path = missing();
    sample.data[sample.size - 1] ^= 1;
    const bool refused = load_ends_with("altered", &options, "trust.chunk-digest@4096", NULL);
    sample.data[sample.size - 1] ^= 1;
    assert_true(refused);
}

/* ---- somebody else's program: root makes it before there is an ordinary user */

static char somebodys[64];

static int somebodys_program_make(void) {
    char path[128];
    size_t length;
    if (geteuid() != 0) return 0;
    (void)snprintf(somebodys, sizeof somebodys, "/tmp/weighlock-test-XXXXXX");
    if (!mkdtemp(somebodys) || chmod(somebodys, 0755) != 0) return 1;
    (void)snprintf(path, sizeof path, "%s/weighlock-child", somebodys);
    uint8_t *bytes = read_bytes(kit_program(REAL_CHILD), &length);
    write_bytes(path, bytes, length);
    free(bytes);
    return chmod(path, 0755) != 0 || chown(path, ORDINARY_USER + 1, ORDINARY_USER) != 0;
}

static void somebodys_program_remove(void) {
    char path[128];
    (void)snprintf(path, sizeof path, "%s/weighlock-child", somebodys);
    if (!somebodys[0]) return;
    (void)unlink(path);
    (void)rmdir(somebodys);
}

/* Who was never root has only a program of root's or of its own to try. */
static void test_a_program_of_somebody_else(void **state) {
    (void)state;
    char path[128];
    wlk_load_options options = kit_options(REAL_CHILD);
    (void)snprintf(path, sizeof path, "%s/weighlock-child", somebodys);
    if (somebodys[0]) options.child_path = path;
    assert_true(load_ends_with("somebody else's", &options,
                               somebodys[0] ? "cage.program-mode" : ACCEPTED,
                               "is owned by neither root nor you"));
}

/* ---- what is done to a child from outside */

/* Fills in the value of a line of /proc/PID/status; false if there is none. */
static bool status_value(pid_t pid, const char *key, char value[64]) {
    char path[64], line[256];
    const size_t length = strlen(key);
    bool found = false;
    (void)snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "re");
    while (file && !found && fgets(line, sizeof line, file)) {
        found = strncmp(line, key, length) == 0 && line[length] == ':' &&
                sscanf(line + length + 1, "%63s", value) == 1;
    }
    if (file) (void)fclose(file);
    return found;
}

static bool status_is(pid_t pid, const char *key, const char *wanted) {
    char value[64];
    return status_value(pid, key, value) && strcmp(value, wanted) == 0;
}

/* A process of this one that is another program already; -1: there is none. */
static pid_t find_child(void) {
    char own[64], own_name[64], name[64];
    pid_t found = -1;
    (void)snprintf(own, sizeof own, "%d", (int)getpid());
    if (!status_value(getpid(), "Name", own_name)) return -1;
    DIR *processes = opendir("/proc");
    for (const struct dirent *entry; processes && (entry = readdir(processes)) != NULL;) {
        const pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (pid > 0 && status_is(pid, "PPid", own) && status_value(pid, "Name", name) &&
            strcmp(name, own_name) != 0) {
            found = pid;
        }
    }
    if (processes) (void)closedir(processes);
    return found;
}

/* Both sleep: the child in its cage, or before it, and this process, which waits for the
 * child; three times in a row. Only a child that says nothing sleeps that long. */
static bool both_sleep(pid_t child, bool confined) {
    for (int i = 0; i < 3; i++) {
        const struct timespec pause = {.tv_nsec = 5000000};
        if (!status_is(child, "State", "S") || !status_is(getpid(), "State", "S")) return false;
        if (!status_is(child, "Seccomp", confined ? "2" : "0")) return false;
        (void)nanosleep(&pause, NULL);
    }
    return true;
}

typedef struct assault {
    int signal;
    bool confined; /* only once the child has its filter */
    atomic_bool stop;
    bool done;
} assault;

static void *assault_run(void *argument) {
    assault *a = argument;
    while (!atomic_load(&a->stop) && !a->done) {
        const struct timespec pause = {.tv_nsec = 2000000};
        const pid_t pid = find_child();
        if (pid > 0 && both_sleep(pid, a->confined)) a->done = kill(pid, a->signal) == 0;
        (void)nanosleep(&pause, NULL);
    }
    return NULL;
}

static const struct assault_row {
    const char *name;
    int signal;
    bool confined;
    enum hostile_case number;
    wlk_layers layers;
    uint64_t deadline_ms;
    const char *want, *text;
} assaults[] = {
    {"killed before HELLO", SIGKILL, false, HOSTILE_silent_at_once, WLK_LAYERS_ALL, 60000,
     "cage.killed", "signal 9"},
    {"killed in the cage", SIGKILL, true, HOSTILE_silent, WLK_LAYERS_ALL, 60000, "cage.killed",
     "signal 9"},
    {"killed, with few layers", SIGKILL, true, HOSTILE_silent, WLK_LAYERS_REQUIRED, 60000,
     "cage.killed", "signal 9"},
    {"killed after END", SIGKILL, true, HOSTILE_hangs_after_end, WLK_LAYERS_ALL, 60000,
     "cage.killed", "signal 9"},
    {"asked to end, with few layers", SIGTERM, true, HOSTILE_silent, WLK_LAYERS_REQUIRED, 60000,
     "cage.killed", "signal 15"},
    {"made to crash, with few layers", SIGSEGV, true, HOSTILE_silent, WLK_LAYERS_REQUIRED, 60000,
     "cage.crash", "signal 11"},
    {"stopped before HELLO", SIGSTOP, false, HOSTILE_silent_at_once, WLK_LAYERS_ALL, 400,
     "cage.stopped", NULL},
    {"stopped in the cage", SIGSTOP, true, HOSTILE_silent, WLK_LAYERS_ALL, 400, "cage.stopped",
     NULL},
    {"stopped, with few layers", SIGSTOP, true, HOSTILE_silent, WLK_LAYERS_REQUIRED, 400,
     "cage.stopped", NULL},
    {"stopped after END", SIGSTOP, true, HOSTILE_hangs_after_end, WLK_LAYERS_ALL, 400,
     "cage.stopped", NULL},
};

/* One try; *done: the signal was sent in time. */
static bool assault_try(const struct assault_row *row, uint64_t deadline_ms, bool *done) {
    wlk_load_options options = kit_options(HOSTILE_CHILD);
    assault a = {.signal = row->signal, .confined = row->confined};
    pthread_t thread;
    options.layers = row->layers;
    options.policy.limits.columns = row->number;
    options.policy.limits.deadline_ms = deadline_ms;
    const leftovers before = leftovers_before(scratch);
    wlk_model *model = NULL;
    wlk_error error = {.offset = 0};
    assert_int_equal(pthread_create(&thread, NULL, assault_run, &a), 0);
    const wlk_status status = kit_load(&options, &sample, &model, NULL, &error);
    atomic_store(&a.stop, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    *done = a.done;
    assert_null(model);
    return *done && row_passes(row->name, row->want, row->text, status, &error, &before);
}

/* On a busy machine the deadline may come first: then once more, with more time. */
static bool assault_passes(const struct assault_row *row) {
    bool done = false, passes = false;
    for (uint64_t time = row->deadline_ms; !done && time <= 16 * row->deadline_ms; time *= 2) {
        passes = assault_try(row, time, &done);
    }
    if (!done) (void)fprintf(stderr, "%s: no child was found\n", row->name);
    return passes;
}

static void test_signals_from_outside(void **state) {
    (void)state;
    bool all = true;
    for (size_t i = 0; i < sizeof assaults / sizeof *assaults; i++) {
        all &= assault_passes(&assaults[i]);
    }
    assert_true(all);
}

/* ---- children that end by themselves at a bad moment */

static const struct ending_row {
    enum hostile_case number;
    wlk_layers layers;
    const char *name, *want, *text;
} endings[] = {
    {HOSTILE_crashes_at_once, WLK_LAYERS_ALL, "crashes at start", "cage.crash", "signal 11"},
    {HOSTILE_kills_itself, WLK_LAYERS_REQUIRED, "kills itself at start", "cage.killed", "signal 9"},
    {HOSTILE_stops_itself, WLK_LAYERS_REQUIRED, "stops itself at start", "cage.stopped", NULL},
    {HOSTILE_exits_0_at_once, WLK_LAYERS_ALL, "ends at start", "wire.truncated", NULL},
    {HOSTILE_exits_1_at_once, WLK_LAYERS_ALL, "fails at start", "cage.exit", "exit code 1"},
    {HOSTILE_silent_at_once, WLK_LAYERS_ALL, "never says HELLO", "limit.deadline", NULL},
    {HOSTILE_silent, WLK_LAYERS_ALL, "never answers", "limit.deadline", NULL},
    {HOSTILE_crashes, WLK_LAYERS_ALL, "crashes in the cage", "cage.crash", "signal 11"},
    {HOSTILE_opens_file, WLK_LAYERS_ALL, "opens a file", "cage.syscall", NULL},
    {HOSTILE_crashes_after_end, WLK_LAYERS_ALL, "crashes after END", "cage.crash", "signal 11"},
    {HOSTILE_no_end, WLK_LAYERS_ALL, "ends before END", "wire.truncated", NULL},
};

static void test_children_that_end_badly(void **state) {
    (void)state;
    bool all = true;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        const struct ending_row *row = &endings[i];
        wlk_load_options options = kit_options(HOSTILE_CHILD);
        const bool waits =
            strcmp(row->want, "limit.deadline") == 0 || strcmp(row->want, "cage.stopped") == 0;
        options.layers = row->layers;
        options.policy.limits.columns = row->number;
        options.policy.limits.deadline_ms = waits ? 300 : 60000;
        all &= load_ends_with(row->name, &options, row->want, row->text);
    }
    assert_true(all);
}

static int setup(void **state) {
    leftovers_count_memory();
    if (kit_setup(state) != 0) return 1;
    sample = kit_signed(0);
    return 0;
}

static int teardown(void **state) {
    wlk_free(sample.data);
    return kit_teardown(state);
}

static int group(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_programs_that_are_no_child),
        cmocka_unit_test(test_a_file_without_a_child_is_still_verified),
        cmocka_unit_test(test_a_program_of_somebody_else),
        cmocka_unit_test(test_signals_from_outside),
        cmocka_unit_test(test_children_that_end_badly),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

int main(void) {
    (void)kit_program(REAL_CHILD);
    if (somebodys_program_make() != 0) return 99;
    const int failed = kit_run(group, (const char *const[]){REAL_CHILD, HOSTILE_CHILD, NULL});
    somebodys_program_remove();
    return failed;
}

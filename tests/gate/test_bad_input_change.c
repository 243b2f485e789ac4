/* A file that changes while it is loaded (invariant 1): another process changes it when
 * the load stands at a certain system call. What is accepted is the file as it was;
 * anything else is refused, and nothing is left behind. */
#include "support/gate_kit.h"

#include <sys/ptrace.h>
#include <sys/syscall.h>

#include "support/leftovers.h"

static kit_file sample, evil; /* of the same size; evil is signed by a stranger */
static char path[PATH_MAX], other[PATH_MAX];

/* ---- what is done to the file */

typedef enum change { SHRINK, GROW, REWRITE, SWAP, REMOVE, FOLDER, FIFO, CHANGES } change;

static const char *const change_names[CHANGES] = {
    "shrinks",          "grows",         "is rewritten", "is swapped by rename", "is removed",
    "becomes a folder", "becomes a FIFO"};

static void change_file(change what, int fd) {
    static const uint8_t more[100] = {0};
    if (what == SHRINK) assert_int_equal(ftruncate(fd, 300), 0);
    if (what == GROW) assert_int_equal(pwrite(fd, more, 100, (off_t)sample.size), 100);
    if (what == REWRITE) assert_int_equal(pwrite(fd, evil.data, evil.size, 0), evil.size);
    if (what == SWAP) assert_int_equal(rename(other, path), 0);
    if (what == REMOVE || what == FOLDER || what == FIFO) assert_int_equal(unlink(path), 0);
    if (what == FOLDER) assert_int_equal(mkdir(path, 0700), 0);
    if (what == FIFO) assert_int_equal(mkfifo(path, 0600), 0);
}

/* ---- when: at the first such system call of the load */

typedef enum moment {
    BEFORE_OPEN,
    AFTER_OPEN,
    BEFORE_COPY,
    AFTER_COPY,
    AFTER_END,
    AFTER_START,
    MOMENTS
} moment;

static const struct {
    const char *name;
    uint64_t call;
    bool before;
    bool by_path; /* its second argument is the file's path */
} moments[MOMENTS] = {
    {"before it is opened", SYS_openat, true, true},
    {"once it is open", SYS_openat, false, true},
    {"when its size is known", SYS_sendfile, true, false},
    {"once it is copied", SYS_sendfile, false, false},
    {"when its end was seen", SYS_pread64, false, false},
    {"when there is a child", SYS_clone, false, false},
};

/* Is the stopped process at that moment? *call is the number of the call it is in. */
static bool stands_at(pid_t pid, moment when, uint64_t *call) {
    struct __ptrace_syscall_info info = {0};
    if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof info, &info) <= 0) return false;
    const bool entry = info.op == PTRACE_SYSCALL_INFO_ENTRY;
    if (!entry && info.op != PTRACE_SYSCALL_INFO_EXIT) return false;
    if (entry) {
        /* The process is a copy of this one: its path lies where ours does. */
        const bool named = info.entry.args[1] == (uint64_t)(uintptr_t)path;
        *call = moments[when].by_path && !named ? UINT64_MAX : info.entry.nr;
    }
    return *call == moments[when].call && entry == moments[when].before;
}

/* ---- a load in a process of its own */

typedef struct outcome {
    wlk_status status;
    wlk_error error;
    bool finished, whole, clean;
} outcome;

static outcome *shared; /* with that process */

static bool is_the_sample(const wlk_model *model) {
    return wlk_model_file_bytes(model) == sample.size &&
           memcmp(wlk_model_tensor(model, 0).data, sample.data + 4096, 16) == 0 &&
           memcmp(wlk_model_tensor(model, 1).data, sample.data + 4096 + 64, 16) == 0;
}

/* fd < 0: by path. The gate is open before anybody looks. */
static void load_and_tell(int fd) {
    const wlk_load_options options = kit_options(REAL_CHILD);
    const leftovers before = leftovers_before(NULL);
    wlk_gate *gate;
    wlk_model *model = NULL;
    shared->status = wlk_gate_open(&options, &gate, &shared->error);
    (void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    (void)raise(SIGSTOP);
    shared->status = fd < 0 ? wlk_gate_load_path(gate, path, &model, NULL, &shared->error)
                            : wlk_gate_load_fd(gate, fd, &model, NULL, &shared->error);
    shared->whole = model ? is_the_sample(model) : shared->status != WLK_OK;
    wlk_model_free(model);
    wlk_gate_close(gate);
    const char *left = leftovers_since(&before);
    if (left) (void)fprintf(stderr, "%s\n", left);
    shared->clean = left == NULL;
    shared->finished = true;
}

#define SYSCALL_STOP (SIGTRAP | 0x80) /* of PTRACE_O_TRACESYSGOOD */

/* Loads, and changes the file at that moment. Returns whether that moment came. */
static bool load_while(int fd, change what, moment when) {
    const int writer = fd < 0 ? open(path, O_RDWR | O_CLOEXEC) : fd;
    bool armed = false, changed = false;
    uint64_t call = UINT64_MAX;
    int status;
    *shared = (outcome){0};
    const pid_t pid = fork();
    if (pid == 0) {
        kit_crash_as_usual();
        load_and_tell(fd);
        _exit(0);
    }
    while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
        const int number = WSTOPSIG(status);
        if (!armed && number == SIGSTOP) {
            armed = ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD) == 0;
        } else if (armed && !changed && number == SYSCALL_STOP && stands_at(pid, when, &call)) {
            change_file(what, writer);
            changed = true;
        }
        const long pass_on = number == SYSCALL_STOP || number == SIGSTOP ? 0 : number;
        (void)ptrace(PTRACE_SYSCALL, pid, NULL, (void *)pass_on);
    }
    if (fd < 0) (void)close(writer);
    return changed && WIFEXITED(status);
}

/* ---- the table */

#define OTHERS "trust.unknown-key@110"
#define CUT "envelope.layout@38"

typedef struct change_row {
    change what;
    const char *want[MOMENTS]; /* "@size": at the offset where the file ended */
} change_row;

static const change_row rows[] = {
    {SHRINK, {CUT, CUT, "gate.changed@300", ACCEPTED, ACCEPTED, ACCEPTED}},
    {GROW, {CUT, CUT, "gate.changed@size", "gate.changed@size", ACCEPTED, ACCEPTED}},
    {REWRITE, {OTHERS, OTHERS, OTHERS, ACCEPTED, ACCEPTED, ACCEPTED}},
    {SWAP, {OTHERS, ACCEPTED, ACCEPTED, ACCEPTED, ACCEPTED, ACCEPTED}},
    {REMOVE, {"gate.open", ACCEPTED, ACCEPTED, ACCEPTED, ACCEPTED, ACCEPTED}},
    {FOLDER, {"gate.not-regular", ACCEPTED, ACCEPTED, ACCEPTED, ACCEPTED, ACCEPTED}},
    {FIFO, {"gate.not-regular", ACCEPTED, ACCEPTED, ACCEPTED, ACCEPTED, ACCEPTED}},
};

static bool outcome_is(const char *how, const change_row *row, moment when) {
    refusal_text want = {.said = ""};
    (void)snprintf(want.said, sizeof want.said, "%s", row->want[when]);
    if (strcmp(want.said, "gate.changed@size") == 0) want = refusal_of("gate.changed", sample.size);
    const char *wrong = !shared->finished ? "it died"
                        : !shared->clean  ? "something is left"
                        : !shared->whole
                            ? "another model"
                            : refusal_fault(want.said, NULL, shared->status, &shared->error);
    if (!wrong) return true;
    (void)fprintf(stderr, "%s %s %s: %s: %s (%s), not %s\n", how, change_names[row->what],
                  moments[when].name, wrong, refusal_told(shared->status, &shared->error).said,
                  shared->error.text, want.said);
    return false;
}

static void remove_anything(const char *name) {
    (void)rmdir(name);
    (void)unlink(name);
}

static bool path_passes(const change_row *row, moment when) {
    remove_anything(path);
    write_bytes(path, sample.data, sample.size);
    write_bytes(other, evil.data, evil.size);
    if (!load_while(-1, row->what, when)) fail_msg("%s never came", moments[when].name);
    return outcome_is("a path", row, when);
}

static void test_a_path_whose_file_changes(void **state) {
    (void)state;
    bool all = true;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (moment when = BEFORE_OPEN; when < MOMENTS; when++) all &= path_passes(&rows[i], when);
    }
    remove_anything(path);
    assert_true(all);
}

/* A descriptor's file has no name, and is open from the start. */
static void test_a_descriptor_whose_file_changes(void **state) {
    (void)state;
    bool all = true;
    for (size_t i = 0; i < sizeof rows / sizeof *rows && rows[i].what <= REWRITE; i++) {
        for (moment when = BEFORE_COPY; when < MOMENTS; when++) {
            const int fd = kit_memfd(&sample, 0);
            if (!load_while(fd, rows[i].what, when)) fail_msg("%s never came", moments[when].name);
            all &= outcome_is("a descriptor", &rows[i], when);
            (void)close(fd);
        }
    }
    assert_true(all);
}

/* ---- a lazy model, whose file changes after it was opened */

static void shrink_to_nothing(int fd) {
    assert_int_equal(ftruncate(fd, 0), 0);
}

static void shrink_to_the_head(int fd) {
    assert_int_equal(ftruncate(fd, 4096), 0);
}

static void shrink_by_a_byte(int fd) {
    assert_int_equal(ftruncate(fd, (off_t)sample.size - 1), 0);
}

static void shrink_and_grow(int fd) {
    assert_int_equal(ftruncate(fd, 4096), 0);
    assert_int_equal(ftruncate(fd, (off_t)sample.size), 0);
}

static void rewrite_the_data(int fd) {
    assert_int_equal(pwrite(fd, "other", 5, 4096), 5);
}

static void rewrite_the_other_tensor(int fd) {
    assert_int_equal(pwrite(fd, "other", 5, 4096 + 64), 5);
}

static void rewrite_the_head(int fd) {
    assert_int_equal(pwrite(fd, evil.data, 4096, 0), 4096);
}

static void append(int fd) {
    change_file(GROW, fd);
}

static void swap(int fd) {
    write_bytes(other, evil.data, evil.size);
    change_file(SWAP, fd);
}

static const struct lazy_row {
    const char *name;
    void (*change)(int fd);
    const char *want; /* of reading the first tensor */
} lazy_rows[] = {
    {"shrinks to nothing", shrink_to_nothing, "load.changed@4096"},
    {"shrinks to its head", shrink_to_the_head, "load.changed@4096"},
    {"shrinks by a byte", shrink_by_a_byte, "load.changed@4175"},
    {"shrinks and grows again", shrink_and_grow, "trust.chunk-digest@4096"},
    {"gets other data", rewrite_the_data, "trust.chunk-digest@4096"},
    {"gets other data in the same chunk", rewrite_the_other_tensor, "trust.chunk-digest@4096"},
    {"gets another head", rewrite_the_head, ACCEPTED}, /* which is not read again */
    {"grows", append, ACCEPTED},
    {"is swapped by rename", swap, ACCEPTED},
};

static bool lazy_passes(const struct lazy_row *row) {
    const wlk_load_options options = kit_options(REAL_CHILD);
    const wlk_artifact artifact = {.path = path};
    wlk_lazy *lazy;
    wlk_tensor tensor = {.name = ""};
    wlk_error error = {.offset = 0};
    remove_anything(path);
    write_bytes(path, sample.data, sample.size);
    const int writer = open(path, O_RDWR | O_CLOEXEC);
    const leftovers before = leftovers_before(NULL);
    wlk_gate *gate = kit_gate(&options);
    EXPECT_OK(wlk_gate_open_lazy(gate, &artifact, &lazy, NULL, &error));
    row->change(writer);
    const wlk_status status = wlk_lazy_tensor(lazy, 0, &tensor, &error);
    if (status == WLK_OK) assert_memory_equal(tensor.data, sample.data + 4096, 16);
    if (status == WLK_OK) wlk_lazy_release(&tensor);
    wlk_lazy_close(lazy);
    wlk_gate_close(gate);
    const bool passes = row_passes(row->name, row->want, NULL, status, &error, &before);
    (void)close(writer);
    return passes;
}

static void test_a_lazy_model_whose_file_changes(void **state) {
    (void)state;
    bool all = true;
    for (size_t i = 0; i < sizeof lazy_rows / sizeof *lazy_rows; i++) {
        all &= lazy_passes(&lazy_rows[i]);
    }
    remove_anything(path);
    assert_true(all);
}

static int setup(void **state) {
    leftovers_count_memory();
    if (kit_setup(state) != 0) return 1;
    (void)snprintf(path, sizeof path, "%s", in_scratch("model.wlk"));
    (void)snprintf(other, sizeof other, "%s", in_scratch("other.wlk"));
    sample = kit_signed(0);
    evil = kit_written(kit_model(0), kit.stranger);
    assert_int_equal(sample.size, evil.size);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return shared == MAP_FAILED;
}

static int teardown(void **state) {
    (void)munmap(shared, sizeof *shared);
    wlk_free(sample.data);
    wlk_free(evil.data);
    return kit_teardown(state);
}

static int group(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_path_whose_file_changes),
        cmocka_unit_test(test_a_descriptor_whose_file_changes),
        cmocka_unit_test(test_a_lazy_model_whose_file_changes),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

int main(void) {
    return kit_run(group, (const char *const[]){REAL_CHILD, NULL});
}

/* Signed sample files, gates with a child program of choice, and what a load must
 * not leave behind: for tests of gate and cage. */
#ifndef TESTS_SUPPORT_GATE_KIT_H
#define TESTS_SUPPORT_GATE_KIT_H

#include "support/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>

#include <weighlock/load.h>
#include <weighlock/write.h>

#define ORDINARY_USER 1234
#define ALL_SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK)

/* ---- programs: opened while still root, since an ordinary user may not reach the
 * folder in which they were built */

#define REAL_CHILD "bin/weighlock-child"

/* A path that stays valid in whoever inherits the descriptor. */
static inline const char *kit_program(const char *name) {
    static struct {
        const char *name;
        char path[32];
    } known[8];
    const char *build = getenv("BUILD");
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (known[i].name && strcmp(known[i].name, name) == 0) return known[i].path;
        if (known[i].name) continue;
        char path[PATH_MAX];
        (void)snprintf(path, sizeof path, "%s/%s", build ? build : "build", name);
        const int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0) (void)fprintf(stderr, "%s is not built\n", path);
        known[i].name = name;
        (void)snprintf(known[i].path, sizeof known[i].path, "/proc/self/fd/%d", fd);
        return known[i].path;
    }
    return "";
}

/* ---- whom the tests trust, and a file that is as it should be */

typedef struct kit_file {
    uint8_t *data;
    uint64_t size;
} kit_file;

static struct {
    wlk_secret_key *key, *stranger;
    wlk_trust *trust; /* knows key */
    kit_file sample;  /* two tensors, signed with key; of kit_sample_setup */
} kit;

static inline wlk_secret_key *kit_key(const char *name, wlk_public_key *public_key) {
    char secret[128], public[128];
    wlk_secret_key *key;
    wlk_error error;
    (void)snprintf(secret, sizeof secret, "%s/%s.key", scratch, name);
    (void)snprintf(public, sizeof public, "%s/%s.pub", scratch, name);
    EXPECT_OK(wlk_keygen(secret, public, NULL, public_key, &error));
    EXPECT_OK(wlk_secret_key_load(secret, NULL, &key, &error));
    return key;
}

static inline int kit_setup(void **state) {
    wlk_public_key public_key;
    wlk_error error;
    if (scratch_make(state) != 0) return 1;
    kit.stranger = kit_key("stranger", &public_key);
    kit.key = kit_key("author", &public_key);
    EXPECT_OK(wlk_trust_new(&kit.trust, &error));
    EXPECT_OK(wlk_trust_add(kit.trust, &public_key, "author", &error));
    return 0;
}

static inline int kit_teardown(void **state) {
    wlk_secret_key_free(kit.key);
    wlk_secret_key_free(kit.stranger);
    wlk_trust_free(kit.trust);
    return scratch_remove(state);
}

/* ---- files */

/* A model of two tensors that differ in nothing but name and content, and of a
 * graph that adds them. `extra`: bytes of a third tensor, 0 for none. */
static inline wlk_model *kit_model(uint64_t extra) {
    static const float a[4] = {1, 2, 3, 4}, b[4] = {10, 20, 30, 40};
    wlk_tensor tensor = {.name = "a", .dtype = WLK_F32, .rank = 1, .shape = {4}, .nbytes = 16};
    wlk_writer *w;
    wlk_model *model;
    wlk_error error;
    EXPECT_OK(wlk_writer_new(NULL, &w, &error));
    tensor.data = a;
    (void)wlk_writer_tensor(w, &tensor);
    tensor.name = "b";
    tensor.data = b;
    (void)wlk_writer_tensor(w, &tensor);
    uint8_t *more = calloc(1, extra + 1);
    assert_non_null(more);
    for (uint64_t i = 0; i < extra; i++) more[i] = (uint8_t)(i * 7 + (i >> 12));
    tensor = (wlk_tensor){.name = "extra",
                          .dtype = WLK_U8,
                          .rank = 1,
                          .shape = {extra},
                          .data = more,
                          .nbytes = extra};
    if (extra) (void)wlk_writer_tensor(w, &tensor);
    wlk_writer_opset(w, "", 13);
    (void)wlk_writer_graph(w, "");
    wlk_writer_output(w, "sum", wlk_writer_tensor_type(w, WLK_F32, 1, (const int64_t[]){4}));
    wlk_writer_node(w, "Add", "", "", (const char *const[]){"a", "b", NULL},
                    (const char *const[]){"sum", NULL});
    EXPECT_OK(wlk_writer_finish(w, &model, &error));
    wlk_writer_free(w);
    free(more);
    return model;
}

/* Writes and frees the model; key NULL: unsigned. Free .data. */
static inline kit_file kit_written(wlk_model *model, const wlk_secret_key *key) {
    const wlk_write_options options = {.key = key};
    kit_file file;
    wlk_error error;
    EXPECT_OK(wlk_write_memory(model, &options, &file.data, &file.size, &error));
    wlk_model_free(model);
    return file;
}

static inline kit_file kit_signed(uint64_t extra) {
    return kit_written(kit_model(extra), kit.key);
}

/* Setup and teardown for groups of tests that use kit.sample. */
static inline int kit_sample_setup(void **state) {
    if (kit_setup(state) != 0) return 1;
    kit.sample = kit_signed(0);
    return 0;
}

static inline int kit_sample_teardown(void **state) {
    free(kit.sample.data);
    return kit_teardown(state);
}

static inline int kit_memfd(const kit_file *file, int seals) {
    const int fd = memfd_create("sample", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, file->data, file->size), file->size);
    if (seals) assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
    return fd;
}

/* ---- gates */

/* All layers, trusting kit.key, with that child. */
static inline wlk_load_options kit_options(const char *program) {
    wlk_load_options options;
    wlk_load_options_default(&options);
    options.child_path = kit_program(program);
    options.trust = kit.trust;
    return options;
}

static inline wlk_gate *kit_gate(const wlk_load_options *options) {
    wlk_gate *gate;
    wlk_error error;
    EXPECT_OK(wlk_gate_open(options, &gate, &error));
    return gate;
}

/* One load of bytes in memory through a gate of these options. */
static inline wlk_status kit_load(const wlk_load_options *options, const kit_file *file,
                                  wlk_model **model, wlk_load_report *report, wlk_error *error) {
    wlk_gate *gate = kit_gate(options);
    const int fd = kit_memfd(file, ALL_SEALS);
    const wlk_status status = wlk_gate_load_fd(gate, fd, model, report, error);
    (void)close(fd);
    wlk_gate_close(gate);
    return status;
}

static inline uint32_t kit_layer(const char *name) {
    for (uint32_t i = 0; wlk_layer_name(i); i++) {
        if (strcmp(wlk_layer_name(i), name) == 0) return i;
    }
    fail_msg("there is no layer %s", name);
    return 0;
}

/* ---- what a load must not leave behind */

static inline unsigned kit_descriptors(void) {
    DIR *folder = opendir("/proc/self/fd");
    unsigned count = 0;
    assert_non_null(folder);
    while (readdir(folder)) count++;
    (void)closedir(folder);
    return count - 3; /* ".", ".." and the folder's own */
}

/* No child is left, neither running nor to be collected, and no descriptor. */
static inline bool kit_is_clean(unsigned descriptors) {
    return waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD && kit_descriptors() == descriptors;
}

static inline double kit_seconds(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* ---- processes */

/* cmocka takes a crash for a failed test and goes on with the next: not so in a
 * process that was forked from one. */
static inline void kit_crash_as_usual(void) {
    static const int numbers[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGSYS};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) (void)signal(numbers[i], SIG_DFL);
}

/* Runs part() in a process of its own and returns what that returned: for parts
 * that change the process. No assertions in there, only return values. */
static inline int kit_in_process(int (*part)(void)) {
    int status;
    (void)fflush(NULL);
    const pid_t pid = fork();
    if (pid == 0) {
        kit_crash_as_usual();
        const int result = part();
        (void)fflush(NULL);
        _exit(result);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid) return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static inline bool kit_become_ordinary(void) {
    return setgroups(0, NULL) == 0 && setresgid(ORDINARY_USER, ORDINARY_USER, ORDINARY_USER) == 0 &&
           setresuid(ORDINARY_USER, ORDINARY_USER, ORDINARY_USER) == 0 &&
           prctl(PR_SET_DUMPABLE, 1) == 0; /* lost with the identity; a login has it */
}

static int (*kit_group)(void);

static inline int kit_group_as_ordinary_user(void) {
    (void)printf("as an ordinary user:\n");
    return kit_become_ordinary() ? kit_group() : 255;
}

/* Runs a group of tests as who we are, and if that is root, as an ordinary user
 * too. `programs` ends with NULL. */
static inline int kit_run(int (*group)(void), const char *const *programs) {
    for (size_t i = 0; programs[i]; i++) (void)kit_program(programs[i]);
    kit_group = group;
    const int failed = group();
    if (geteuid() != 0) return failed;
    return kit_in_process(kit_group_as_ordinary_user) + failed;
}

#endif

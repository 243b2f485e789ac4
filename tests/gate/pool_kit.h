/* Gates with a pool, what waits in them, and loads without assertions: for tests of the
 * pool. */
#ifndef TESTS_GATE_POOL_KIT_H
#define TESTS_GATE_POOL_KIT_H

#include "support/gate_kit.h"

#include "gate/hostile_cases.h"

#define HOSTILE_CHILD "tests/gate/child_hostile"
#define MOST_CHILDREN 64

static wlk_load_options real_child, hostile_child;
static kit_file large; /* more than fits in a pipe as the kernel makes it */
static kit_file huge;  /* more than fits in any, and than a pool takes by itself */

/* ---- what is there */

/* Processes that this one has started, by whichever thread. */
static inline unsigned children_of(pid_t host, pid_t *pids) {
    char path[320];
    unsigned count = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/task", (int)host);
    DIR *tasks = opendir(path);
    if (!tasks) return 0;
    for (const struct dirent *task; (task = readdir(tasks)) != NULL;) {
        (void)snprintf(path, sizeof path, "/proc/%d/task/%s/children", (int)host, task->d_name);
        FILE *file = fopen(path, "re");
        while (file && count < MOST_CHILDREN && fscanf(file, "%d", &pids[count]) == 1) count++;
        if (file) (void)fclose(file);
    }
    (void)closedir(tasks);
    return count;
}

static inline pid_t only_child(void) {
    pid_t pids[MOST_CHILDREN];
    return children_of(getpid(), pids) == 1 ? pids[0] : -1;
}

/* Until so many wait, for ten seconds at the most. */
static inline bool wait_for(wlk_gate *gate, uint32_t children) {
    const double end = kit_seconds() + 10;
    while (wlk_gate_waiting(gate) != children && kit_seconds() < end) (void)usleep(200);
    return wlk_gate_waiting(gate) == children;
}

/* ---- loads without assertions: for use in other processes and threads */

/* The rule of one load, "" if it was accepted. */
static inline const char *load_file(wlk_gate *gate, const kit_file *file, wlk_load_report *report) {
    wlk_model *model = NULL;
    wlk_error error;
    const int fd = memfd_create("sample", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0 || write(fd, file->data, file->size) != (ssize_t)file->size) return "no memfd";
    const wlk_status status = wlk_gate_load_fd(gate, fd, &model, report, &error);
    (void)close(fd);
    if ((status == WLK_OK) != (model != NULL)) return "model";
    if (!model) return wlk_rule_name(error.rule);
    const uint32_t last = wlk_model_count(model, WLK_SECTION_TENSORS) - 1;
    const wlk_tensor t = wlk_model_tensor(model, last);
    const bool right = memcmp(t.data, file->data + file->size - t.nbytes, t.nbytes) == 0;
    wlk_model_free(model);
    return right ? "" : "content";
}

static inline bool loads(wlk_gate *gate, bool pooled) {
    wlk_load_report report;
    const char *rule = load_file(gate, &kit.sample, &report);
    if (!*rule && report.pooled == pooled) return true;
    (void)fprintf(stderr, "\"%s\", pooled %d\n", rule, report.pooled);
    return false;
}

static inline wlk_gate *open_pool(const wlk_load_options *base, uint32_t children) {
    wlk_load_options options = *base;
    wlk_gate *gate;
    options.pool = children;
    return wlk_gate_open(&options, &gate, NULL) == WLK_OK ? gate : NULL;
}

/* With that many waiting. */
static inline wlk_gate *full_pool(const wlk_load_options *base, uint32_t children) {
    wlk_gate *gate = open_pool(base, children);
    assert_non_null(gate);
    assert_true(wait_for(gate, children));
    return gate;
}

static inline int pool_setup(void **state) {
    if (kit_sample_setup(state) != 0) return 1;
    large = kit_signed(900000);
    huge = kit_signed(2u << 20);
    real_child = kit_options(REAL_CHILD);
    hostile_child = kit_options(HOSTILE_CHILD);
    return 0;
}

static inline int pool_teardown(void **state) {
    free(large.data);
    free(huge.data);
    return kit_sample_teardown(state);
}

#endif

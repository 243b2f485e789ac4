/* Ten thousand loads in one process, each with a child of its own, and ten thousand with
 * children of a pool: afterwards there are as many descriptors, mappings and processes as
 * before, and no more memory. */
#include "support/sanitized.h"
#include "endure_files.h"

#define WARM_UP 200
#define POOL 4
#define PAGE 4096
#define SLACK_BYTES (1 << 20)
#define PATIENCE_MS 5000
#define OTHER_MAPPINGS 8 /* a sanitizer splits and joins some of its own */

/* ---- what a process has */

typedef struct stock {
    unsigned descriptors, mappings, processes;
    long bytes; /* in memory */
} stock;

static unsigned count_lines(const char *path) {
    unsigned lines = 0;
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    for (int c; (c = fgetc(file)) != EOF;) lines += c == '\n';
    (void)fclose(file);
    return lines;
}

static bool is_ours(const char *pid) {
    char path[300], text[512];
    int parent = 0;
    (void)snprintf(path, sizeof path, "/proc/%s/stat", pid);
    FILE *file = fopen(path, "re");
    if (!file) return false; /* somebody's who has ended meanwhile */
    const bool read = fgets(text, sizeof text, file) != NULL;
    (void)fclose(file);
    const char *after_name = read ? strrchr(text, ')') : NULL;
    return after_name && sscanf(after_name, ") %*c %d", &parent) == 1 && parent == getpid();
}

/* Children, those to be collected too. */
static unsigned count_processes(void) {
    DIR *folder = opendir("/proc");
    unsigned count = 0;
    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9') count += is_ours(entry->d_name);
    }
    (void)closedir(folder);
    return count;
}

static long bytes_in_memory(void) {
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%*d %ld", &pages), 1);
    (void)fclose(file);
    return pages * PAGE;
}

static stock stock_now(void) {
    return (stock){.descriptors = kit_descriptors(),
                   .mappings = count_lines("/proc/self/maps"),
                   .processes = count_processes(),
                   .bytes = bytes_in_memory()};
}

/* ---- loads: true if it is the model that it should be */

static bool is_right(const wlk_model *model) {
    return model && wlk_model_count(model, WLK_SECTION_TENSORS) == 2 &&
           memcmp(wlk_model_tensor(model, 1).data, kit.sample.data + kit.sample.size - 16, 16) == 0;
}

static bool load(wlk_gate *gate, wlk_load_report *report) {
    wlk_model *model;
    wlk_error error;
    char text[512];
    const wlk_status status =
        wlk_gate_load_path(gate, in_scratch("sample.wlk"), &model, report, &error);
    if (status != WLK_OK) (void)printf("%s\n", wlk_error_format(&error, text, sizeof text));
    const bool right = is_right(model);
    wlk_model_free(model);
    return right;
}

static bool load_lazily(wlk_gate *gate, wlk_load_report *report) {
    const wlk_artifact artifact = {.path = in_scratch("sample.wlk")};
    wlk_lazy *lazy;
    wlk_tensor tensor;
    if (wlk_gate_open_lazy(gate, &artifact, &lazy, report, NULL) != WLK_OK) return false;
    const bool read = wlk_lazy_tensor(lazy, 1, &tensor, NULL) == WLK_OK;
    const bool right = read && memcmp(tensor.data, kit.sample.data + kit.sample.size - 16, 16) == 0;
    wlk_lazy_release(&tensor);
    wlk_lazy_close(lazy);
    return right;
}

/* ---- the table */

typedef struct endurance {
    const char *name;
    bool (*load)(wlk_gate *gate, wlk_load_report *report);
    wlk_layers layers;
    wlk_transport transport;
    uint32_t pool;
    unsigned loads;
} endurance;

static const endurance rows[] = {
    {"cold, required layers", load, WLK_LAYERS_REQUIRED, WLK_TRANSPORT_PIPE, 0, 5000},
    {"cold, all layers", load, WLK_LAYERS_ALL, WLK_TRANSPORT_PIPE, 0, 2000},
    {"mapped", load, WLK_LAYERS_REQUIRED, WLK_TRANSPORT_MAP, 0, 1500},
    {"lazy, and a tensor", load_lazily, WLK_LAYERS_REQUIRED, WLK_TRANSPORT_PIPE, 0, 1500},
    {"pooled", load, WLK_LAYERS_REQUIRED, WLK_TRANSPORT_PIPE, POOL, 10000},
};

static unsigned total, failures;

static void complain(const endurance *row, const char *what, long before, long after) {
    failures++;
    (void)printf("%s: %s: %ld before, %ld after\n", row->name, what, before, after);
}

/* Until the pool is full. */
static bool settle(const endurance *row, wlk_gate *gate) {
    for (unsigned ms = 0; wlk_gate_waiting(gate) < row->pool; ms++) {
        if (ms == PATIENCE_MS) return false;
        (void)usleep(1000);
    }
    return true;
}

/* One load, of a child that had waited if there is a pool. */
static bool load_once(const endurance *row, wlk_gate *gate) {
    wlk_load_report report;
    for (unsigned tries = 0; row->pool > 0 && wlk_gate_waiting(gate) == 0; tries++) {
        if (tries == PATIENCE_MS * 10) return false;
        (void)usleep(100);
    }
    return row->load(gate, &report) && report.pooled == (row->pool > 0);
}

static void load_many(const endurance *row, wlk_gate *gate, unsigned loads) {
    for (unsigned i = 0; i < loads; i++) {
        if (load_once(row, gate)) continue;
        complain(row, "this load failed", i, i);
        return;
    }
    if (!settle(row, gate)) complain(row, "children that wait", row->pool, wlk_gate_waiting(gate));
}

static void compare(const endurance *row, const stock *before, const stock *after) {
    if (before->descriptors != after->descriptors) {
        complain(row, "descriptors", before->descriptors, after->descriptors);
    }
    if (SANITIZED ? after->mappings > before->mappings + OTHER_MAPPINGS
                  : after->mappings != before->mappings) {
        complain(row, "mappings", before->mappings, after->mappings);
    }
    if (before->processes != after->processes) {
        complain(row, "processes", before->processes, after->processes);
    }
    if (after->bytes - before->bytes > SLACK_BYTES) {
        complain(row, "bytes in memory", before->bytes, after->bytes);
    }
}

static void endure(const endurance *row) {
    const unsigned loads = SANITIZED ? row->loads / 20 : row->loads;
    wlk_load_options options = kit_options(REAL_CHILD);
    options.layers = row->layers;
    options.transport = row->transport;
    options.pool = row->pool;
    const unsigned closed = kit_descriptors();
    wlk_gate *gate = kit_gate(&options);
    const double start = kit_seconds();
    load_many(row, gate, WARM_UP);
    const stock before = stock_now();
    load_many(row, gate, loads);
    const stock after = stock_now();
    compare(row, &before, &after);
    wlk_gate_close(gate);
    if (!kit_is_clean(closed)) complain(row, "once closed, descriptors", closed, kit_descriptors());
    total += loads;
    (void)printf("%s: %u loads in %.1f s, memory %+ld KiB\n", row->name, loads,
                 kit_seconds() - start, (after.bytes - before.bytes) / 1024);
    (void)fflush(stdout);
}

#if SANITIZED
/* What was freed is not kept for long. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
    return "quarantine_size_mb=1:thread_local_quarantine_size_kb=16";
}
#endif

int main(void) {
    void *state = NULL;
    assert_int_equal(kit_sample_setup(&state), 0);
    write_bytes(in_scratch("sample.wlk"), kit.sample.data, kit.sample.size);
    const double start = kit_seconds();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) endure(&rows[i]);
    (void)kit_sample_teardown(&state);
    (void)printf("endure_loads: %u loads in %.0f s; failures %u\n", total, kit_seconds() - start,
                 failures);
    return failures != 0;
}

/* What the figures of `make bench` are made with: time, medians, reports, models, and
 * gates. */
#ifndef TESTS_BENCH_KIT_H
#define TESTS_BENCH_KIT_H

#include <fcntl.h>
#include <sodium.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <weighlock/load.h>
#include <weighlock/write.h>

#define MIB (1ull << 20)
#define GIB (1ull << 30)

static const char *child_path, *noop_path, *folder;
static unsigned missed;

static _Noreturn void fail(const char *what) {
    perror(what);
    exit(2);
}

static double seconds(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static int compare_doubles(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t count) {
    qsort(values, count, sizeof *values, compare_doubles);
    return values[count / 2];
}

static void report_as(const char *name, double figure, const char *relation, double target,
                      int holds) {
    (void)printf("%-34s %6.3f  target %s%.2f%s\n", name, figure, relation, target,
                 holds ? "" : "  MISSED");
    (void)fflush(stdout);
    missed += !holds;
}

/* A figure that is good when it is small, and one that is good when it is large. */
static void report(const char *name, double figure, double target) {
    report_as(name, figure, "", target, figure <= target);
}

static void report_at_least(const char *name, double figure, double target) {
    report_as(name, figure, ">= ", target, figure >= target);
}

/* ---- files */

static char *path_of(const char *name) {
    char *path;
    if (asprintf(&path, "%s/%s", folder, name) < 0) fail("asprintf");
    return path;
}

/* A signed model of one f32 tensor of `bytes` bytes. */
static char *make_model(const char *name, uint64_t bytes, const wlk_secret_key *key) {
    wlk_writer *writer;
    wlk_model *model;
    wlk_error error;
    char *path = path_of(name);
    uint8_t *data = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED) fail("mmap");
    static const uint8_t seed[randombytes_SEEDBYTES] = {1};
    randombytes_buf_deterministic(data, bytes, seed);
    const wlk_tensor tensor = {.name = "w",
                               .dtype = WLK_F32,
                               .rank = 1,
                               .shape = {bytes / 4},
                               .data = data,
                               .nbytes = bytes};
    const wlk_write_options options = {.key = key};
    if (wlk_writer_new(NULL, &writer, &error) != WLK_OK) fail("wlk_writer_new");
    wlk_writer_meta_string(writer, "/name", "bench");
    (void)wlk_writer_tensor(writer, &tensor);
    if (wlk_writer_finish(writer, &model, &error) != WLK_OK ||
        wlk_write_path(model, &options, path, &error) != WLK_OK) {
        (void)fprintf(stderr, "%s: %s\n", path, wlk_rule_text(error.rule));
        exit(2);
    }
    wlk_model_free(model);
    wlk_writer_free(writer);
    (void)munmap(data, bytes);
    return path;
}

/* ---- what is measured: each returns seconds */

/* With so many children that wait. */
static wlk_gate *pool_new(const wlk_trust *trust, wlk_layers layers, wlk_transport transport,
                          uint32_t children) {
    wlk_load_options options;
    wlk_gate *gate;
    wlk_load_options_default(&options);
    options.child_path = child_path;
    options.trust = trust;
    options.layers = layers;
    options.transport = transport;
    options.pool = children;
    if (wlk_gate_open(&options, &gate, NULL) != WLK_OK) fail("wlk_gate_open");
    return gate;
}

static wlk_gate *gate_new(const wlk_trust *trust, wlk_layers layers, wlk_transport transport) {
    return pool_new(trust, layers, transport, 0);
}

static double time_load(wlk_gate *gate, const char *path) {
    wlk_model *model;
    wlk_error error;
    char text[512];
    const double start = seconds();
    if (wlk_gate_load_path(gate, path, &model, NULL, &error) != WLK_OK) {
        (void)fprintf(stderr, "%s\n", wlk_error_format(&error, text, sizeof text));
        exit(2);
    }
    const double end = seconds();
    wlk_model_free(model);
    return end - start;
}

/* Seconds that a program takes, from its start to its end, which must be good. */
static double time_program(char *const arguments[]) {
    char *const environment[] = {NULL};
    pid_t pid;
    int status;
    posix_spawn_file_actions_t quiet;
    (void)posix_spawn_file_actions_init(&quiet);
    (void)posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    const double start = seconds();
    if (posix_spawn(&pid, arguments[0], &quiet, NULL, arguments, environment) != 0) {
        fail(arguments[0]);
    }
    if (waitpid(pid, &status, 0) != pid) fail("waitpid");
    const double end = seconds();
    (void)posix_spawn_file_actions_destroy(&quiet);
    if (status != 0) {
        (void)fprintf(stderr, "%s: status %d\n", arguments[0], status);
        exit(2);
    }
    return end - start;
}

/* Fresh memory, touched when it is used. */
static uint8_t *memory_new(uint64_t bytes) {
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) fail("mmap");
    return memory;
}

#endif

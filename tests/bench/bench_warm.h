/* Loads by children that wait, beside loads that start their own, and beside what a
 * process costs otherwise. */
#ifndef TESTS_BENCH_WARM_H
#define TESTS_BENCH_WARM_H

#include <pthread.h>

#include "bench/bench_kit.h"

#define WARM_ROUNDS 9
#define WARM_LOADS 60
#define POOL_CHILDREN 8
#define POOL_LOADS 400 /* of each thread, for the throughput */
#define POOL_THREADS 8
#define FORKS 20

/* What is measured is the load, not the start that a load before it has caused. */
static void await_pool(wlk_gate *gate, uint32_t children) {
    while (wlk_gate_waiting(gate) < children) (void)usleep(200);
}

static double time_warm(wlk_gate *gate, const char *path) {
    wlk_model *model;
    wlk_load_report report;
    await_pool(gate, 1);
    const double start = seconds();
    if (wlk_gate_load_path(gate, path, &model, &report, NULL) != WLK_OK) fail("warm load");
    const double end = seconds();
    if (!report.pooled) fail("the load was not from the pool");
    wlk_model_free(model);
    return end - start;
}

/* Of this process, which is small; nothing is executed. */
static double time_fork(void) {
    const double start = seconds();
    const pid_t pid = fork();
    if (pid == 0) _exit(0);
    if (pid < 0 || waitpid(pid, NULL, 0) != pid) fail("fork");
    return seconds() - start;
}

typedef struct latency {
    double microseconds, over_cold, over_fork;
} latency;

static latency measure_latency(const char *path, const wlk_trust *trust, wlk_layers layers) {
    wlk_gate *cold = gate_new(trust, layers, WLK_TRANSPORT_PIPE);
    wlk_gate *warm = pool_new(trust, layers, WLK_TRANSPORT_PIPE, 1);
    double ratios[WARM_ROUNDS], forks[WARM_ROUNDS], absolute[WARM_ROUNDS];
    for (int i = 0; i < WARM_ROUNDS; i++) {
        double by_cold[WARM_LOADS], by_warm[WARM_LOADS], by_fork[WARM_LOADS];
        for (int k = 0; k < WARM_LOADS; k++) {
            by_warm[k] = time_warm(warm, path);
            await_pool(warm, 1);
            by_cold[k] = time_load(cold, path);
            by_fork[k] = time_fork();
        }
        absolute[i] = median(by_warm, WARM_LOADS);
        ratios[i] = absolute[i] / median(by_cold, WARM_LOADS);
        forks[i] = absolute[i] / median(by_fork, WARM_LOADS);
        absolute[i] *= 1e6;
    }
    wlk_gate_close(cold);
    wlk_gate_close(warm);
    return (latency){median(absolute, WARM_ROUNDS), median(ratios, WARM_ROUNDS),
                     median(forks, WARM_ROUNDS)};
}

/* The layers cost a waiting child nothing, so where only the required ones are asked for
 * there is less to save: that is for the record. */
static void bench_latency(const char *path, const wlk_trust *trust) {
    const latency few = measure_latency(path, trust, WLK_LAYERS_REQUIRED);
    const latency all = measure_latency(path, trust, WLK_LAYERS_ALL);
    (void)printf(
        "# a load by a child that waits: %.0f us; with the required layers alone %.0f us,"
        " %.2f of the cold load\n",
        all.microseconds, few.microseconds, few.over_cold);
    report("warm_10kB_over_cold", all.over_cold, 0.3);
    report("warm_10kB_over_fork_and_wait", all.over_fork, 2.2);
}

/* ---- throughput: for the record, without a target */

typedef struct loader {
    wlk_gate *gate;
    const char *path;
    int loads;
} loader;

static void *loader_run(void *context) {
    const loader *l = context;
    for (int i = 0; i < l->loads; i++) (void)time_load(l->gate, l->path);
    return NULL;
}

static double loads_per_second(wlk_gate *gate, const char *path, int threads) {
    loader l = {.gate = gate, .path = path, .loads = POOL_LOADS / threads};
    pthread_t thread[POOL_THREADS];
    const double start = seconds();
    for (int i = 0; i < threads; i++) {
        if (pthread_create(&thread[i], NULL, loader_run, &l) != 0) fail("pthread_create");
    }
    for (int i = 0; i < threads; i++) (void)pthread_join(thread[i], NULL);
    return l.loads * threads / (seconds() - start);
}

static void bench_pool_throughput(const char *path, const wlk_trust *trust) {
    wlk_gate *cold = gate_new(trust, WLK_LAYERS_ALL, WLK_TRANSPORT_PIPE);
    wlk_gate *warm = pool_new(trust, WLK_LAYERS_ALL, WLK_TRANSPORT_PIPE, POOL_CHILDREN);
    static const int threads[] = {1, POOL_THREADS};
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        await_pool(warm, POOL_CHILDREN);
        const double without = loads_per_second(cold, path, threads[i]);
        const double with = loads_per_second(warm, path, threads[i]);
        (void)printf("# %d thread%s: %.0f loads/s without a pool, %.0f with one of %d\n",
                     threads[i], threads[i] > 1 ? "s" : "", without, with, POOL_CHILDREN);
    }
    wlk_gate_close(cold);
    wlk_gate_close(warm);
}

/* ---- what others take: for the record */

static void bench_others(void) {
    static char program[] = "/usr/bin/bwrap", all[] = "--unshare-all", bind[] = "--ro-bind",
                root[] = "/", run[] = "/bin/true";
    char *const arguments[] = {program, all, bind, root, root, run, NULL};
    double by_bwrap[FORKS], by_fork[FORKS], by_large_fork[FORKS];
    for (int i = 0; i < FORKS; i++) by_fork[i] = time_fork();
    if (access(program, X_OK) == 0) {
        for (int i = 0; i < FORKS; i++) by_bwrap[i] = time_program(arguments);
        (void)printf("# bwrap --unshare-all true: %.0f us\n", median(by_bwrap, FORKS) * 1e6);
    } else {
        (void)printf("# bwrap is not installed (apt-get install bubblewrap): not measured\n");
    }
    uint8_t *memory = memory_new(2 * GIB);
    memset(memory, 1, 2 * GIB);
    for (int i = 0; i < FORKS; i++) by_large_fork[i] = time_fork();
    (void)munmap(memory, 2 * GIB);
    (void)printf("# fork and wait: %.0f us; from a process with 2 GiB: %.0f us\n",
                 median(by_fork, FORKS) * 1e6, median(by_large_fork, FORKS) * 1e6);
}

static void bench_warm(const char *path, const wlk_trust *trust) {
    bench_latency(path, trust);
    bench_pool_throughput(path, trust);
    bench_others();
}

#endif

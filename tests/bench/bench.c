/* `make bench`: one line each, "name ratio target". Every ratio compares two
 * things measured in turn in this run, and is the median over rounds of the ratio
 * of that round, so that a machine that slows down slows both.
 *
 *     bench CHILD NOOP FOLDER
 *
 * FOLDER needs 1.1 GiB. BENCH_QUICK=1 leaves out what needs large files. The exit
 * code is 1 if a target is missed.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "base/envelope.h"
#include "bench/bench_kit.h"
#include "bench/bench_warm.h"
#include "trust/native.h"

#define ROUNDS 9       /* medians are over these */
#define SMALL_LOADS 60 /* loads of the small model in a round */
#define LARGE_ROUNDS 7
#define BALLAST (2 * GIB)

/* ---- what is measured: each returns seconds */

static double time_noop(void) {
    char *const arguments[] = {(char *)(uintptr_t)noop_path, NULL};
    return time_program(arguments);
}

/* The reference of a large load: the file into fresh memory, and BLAKE2b over it
 * on one thread. */
static double time_read_and_hash(const char *path, uint64_t *bytes) {
    const double start = seconds();
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0) fail(path);
    *bytes = (uint64_t)status.st_size;
    uint8_t *data = mmap(NULL, *bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED) fail("mmap");
    for (uint64_t at = 0; at < *bytes;) {
        const ssize_t got = read(fd, data + at, *bytes - at);
        if (got <= 0) fail(path);
        at += (uint64_t)got;
    }
    uint8_t digest[32];
    (void)crypto_generichash(digest, sizeof digest, data, *bytes, NULL, 0);
    const double end = seconds();
    (void)munmap(data, *bytes);
    (void)close(fd);
    return end - start;
}

/* ---- cold loads of a small model */

/* The things compared take turns, so that whatever else the machine does meets
 * all of them alike. */
static void bench_cold(const char *path, const wlk_trust *trust) {
    wlk_gate *required = gate_new(trust, WLK_LAYERS_REQUIRED, WLK_TRANSPORT_PIPE);
    wlk_gate *all = gate_new(trust, WLK_LAYERS_ALL, WLK_TRANSPORT_PIPE);
    double with_required[ROUNDS], with_all[ROUNDS], absolute[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        double noop[SMALL_LOADS], few[SMALL_LOADS], many[SMALL_LOADS];
        for (int k = 0; k < SMALL_LOADS; k++) {
            noop[k] = time_noop();
            few[k] = time_load(required, path);
            many[k] = time_load(all, path);
        }
        const double unit = median(noop, SMALL_LOADS);
        absolute[i] = unit * 1e6;
        with_required[i] = median(few, SMALL_LOADS) / unit;
        with_all[i] = median(many, SMALL_LOADS) / unit;
    }
    (void)printf("# spawn-and-wait of a static no-op: %.0f us\n", median(absolute, ROUNDS));
    report("cold_10kB_required_layers", median(with_required, ROUNDS), 1.6);
    report("cold_10kB_all_layers", median(with_all, ROUNDS), 2.5);
    wlk_gate_close(required);
    wlk_gate_close(all);
}

/* A process that loads once whenever it is told to and answers with the time: one
 * small, one with ballast. */
typedef struct worker {
    int to, from;
    pid_t pid;
} worker;

static void worker_main(int in, int out, uint64_t ballast, const char *path,
                        const wlk_trust *trust) {
    uint8_t *memory = NULL;
    if (ballast) {
        memory = mmap(NULL, ballast, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) fail("mmap");
        memset(memory, 1, ballast);
    }
    wlk_gate *gate = gate_new(trust, WLK_LAYERS_REQUIRED, WLK_TRANSPORT_PIPE);
    char word;
    while (read(in, &word, 1) == 1) {
        const double time = time_load(gate, path);
        if (write(out, &time, sizeof time) != sizeof time) break;
    }
    _exit(0);
}

static worker worker_start(uint64_t ballast, const char *path, const wlk_trust *trust) {
    int to[2], from[2];
    if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0) fail("pipe");
    const pid_t pid = fork();
    if (pid == 0) {
        (void)close(to[1]);
        worker_main(to[0], from[1], ballast, path, trust);
    }
    (void)close(to[0]);
    (void)close(from[1]);
    return (worker){.to = to[1], .from = from[0], .pid = pid};
}

static double worker_ask(const worker *w) {
    double time;
    if (write(w->to, "g", 1) != 1 || read(w->from, &time, sizeof time) != sizeof time) {
        fail("worker");
    }
    return time;
}

static void worker_stop(const worker *w) {
    (void)kill(w->pid, SIGKILL); /* the other worker holds its pipe open too */
    (void)close(w->to);
    (void)close(w->from);
    (void)waitpid(w->pid, NULL, 0);
}

static void bench_large_parent(const char *path, const wlk_trust *trust) {
    const worker small = worker_start(0, path, trust);
    const worker large = worker_start(BALLAST, path, trust);
    double ratios[ROUNDS];
    (void)worker_ask(&small);
    (void)worker_ask(&large);
    for (int i = 0; i < ROUNDS; i++) {
        double plain[SMALL_LOADS], heavy[SMALL_LOADS];
        for (int k = 0; k < SMALL_LOADS; k++) {
            if (k % 2) plain[k] = worker_ask(&small); /* neither is always the first */
            heavy[k] = worker_ask(&large);
            if (k % 2 == 0) plain[k] = worker_ask(&small);
        }
        ratios[i] = median(heavy, SMALL_LOADS) / median(plain, SMALL_LOADS);
    }
    worker_stop(&small);
    worker_stop(&large);
    report("cold_10kB_parent_2GB_over_small", median(ratios, ROUNDS), 1.10);
}

/* ---- large files */

/* Memory of this process and of its child, without file-backed pages: anonymous
 * and shared (the sealed copy counts once, in this process, which reads all of
 * it). Sampled by a thread; the largest sum counts. */
typedef struct meter {
    pthread_t thread;
    _Atomic int stop;
    uint64_t peak;
} meter;

static uint64_t status_kib(const char *path, const char *name) {
    char line[256];
    uint64_t value = 0;
    FILE *file = fopen(path, "re");
    if (!file) return 0;
    while (fgets(line, sizeof line, file)) {
        if (strncmp(line, name, strlen(name)) == 0) value = strtoull(line + strlen(name), NULL, 10);
    }
    (void)fclose(file);
    return value;
}

static uint64_t children_anonymous(void) {
    char path[64], list[256] = "";
    (void)snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    FILE *file = fopen(path, "re");
    if (!file) return 0;
    uint64_t sum = 0;
    if (fgets(list, sizeof list, file)) {
        char *rest;
        for (char *word = strtok_r(list, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
            (void)snprintf(path, sizeof path, "/proc/%s/status", word);
            sum += status_kib(path, "RssAnon:");
        }
    }
    (void)fclose(file);
    return sum;
}

static void *meter_run(void *context) {
    meter *m = context;
    while (!atomic_load(&m->stop)) {
        const uint64_t now = (status_kib("/proc/self/status", "RssAnon:") +
                              status_kib("/proc/self/status", "RssShmem:") + children_anonymous()) *
                             1024;
        if (now > m->peak) m->peak = now;
        (void)usleep(2000);
    }
    return NULL;
}

static uint64_t peak_of_load(wlk_gate *gate, const char *path) {
    meter m = {.peak = 0};
    if (pthread_create(&m.thread, NULL, meter_run, &m) != 0) fail("pthread_create");
    (void)time_load(gate, path);
    atomic_store(&m.stop, 1);
    (void)pthread_join(m.thread, NULL);
    return m.peak;
}

static void bench_throughput(const char *path, const wlk_trust *trust) {
    wlk_gate *pipe_gate = gate_new(trust, WLK_LAYERS_ALL, WLK_TRANSPORT_PIPE);
    wlk_gate *map_gate = gate_new(trust, WLK_LAYERS_ALL, WLK_TRANSPORT_MAP);
    double by_pipe[LARGE_ROUNDS], by_map[LARGE_ROUNDS], absolute[LARGE_ROUNDS];
    uint64_t bytes = 0;
    (void)time_read_and_hash(path, &bytes);
    for (int i = 0; i < LARGE_ROUNDS; i++) {
        const double reference = time_read_and_hash(path, &bytes);
        absolute[i] = reference;
        by_pipe[i] = time_load(pipe_gate, path) / reference;
        by_map[i] = time_load(map_gate, path) / reference;
    }
    (void)printf("# read and BLAKE2b of 1 GiB on one thread: %.2f s\n",
                 median(absolute, LARGE_ROUNDS));
    report("load_1GiB_pipe", median(by_pipe, LARGE_ROUNDS), 1.7);
    report("load_1GiB_map", median(by_map, LARGE_ROUNDS), 1.0);
    report("memory_1GiB_pipe", (double)peak_of_load(pipe_gate, path) / (double)bytes, 2.2);
    report("memory_1GiB_map", (double)peak_of_load(map_gate, path) / (double)bytes, 1.2);
    wlk_gate_close(pipe_gate);
    wlk_gate_close(map_gate);
}

/* Time per GiB at three sizes: the slowest over the fastest. */
static void bench_scaling(const char *const paths[3], const wlk_trust *trust,
                          wlk_transport transport, const char *name) {
    static const double sizes[] = {1.0 / 16, 1.0 / 4, 1};
    wlk_gate *gate = gate_new(trust, WLK_LAYERS_ALL, transport);
    double times[3][LARGE_ROUNDS], per_gib[3];
    for (int i = 0; i < LARGE_ROUNDS; i++) {
        for (int s = 0; s < 3; s++) times[s][i] = time_load(gate, paths[s]);
    }
    for (int s = 0; s < 3; s++) per_gib[s] = median(times[s], LARGE_ROUNDS) / sizes[s];
    (void)printf("# seconds per GiB at 64 MiB, 256 MiB, 1 GiB: %.2f %.2f %.2f\n", per_gib[0],
                 per_gib[1], per_gib[2]);
    qsort(per_gib, 3, sizeof *per_gib, compare_doubles);
    report(name, per_gib[2] / per_gib[0], 1.3);
    wlk_gate_close(gate);
}

/* ---- what the parent does alone */

static double time_verify(const uint8_t *data, uint64_t size, const wlk_trust *trust,
                          uint32_t threads) {
    const wlk_verify_options options = {.trust = trust, .threads = threads};
    wlk_verification verification;
    const double start = seconds();
    if (wlk_verify_memory(data, size, &options, &verification, NULL) != WLK_OK) fail("verify");
    return seconds() - start;
}

/* Of the whole file in memory: signature, header, table and every chunk. */
static void bench_verify(const char *path, const wlk_trust *trust) {
    double ratios[LARGE_ROUNDS], absolute[LARGE_ROUNDS];
    struct stat status;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) != 0) fail(path);
    const uint64_t size = (uint64_t)status.st_size;
    uint8_t *data = memory_new(size);
    for (uint64_t at = 0; at < size;) {
        const ssize_t got = read(fd, data + at, size - at);
        if (got <= 0) fail(path);
        at += (uint64_t)got;
    }
    (void)close(fd);
    for (int i = 0; i < LARGE_ROUNDS; i++) {
        absolute[i] = time_verify(data, size, trust, 1);
        ratios[i] = absolute[i] / time_verify(data, size, trust, 2);
    }
    (void)munmap(data, size);
    (void)printf("# verify of 1 GiB in memory on one thread: %.2f s\n",
                 median(absolute, LARGE_ROUNDS));
    report_at_least("verify_1GiB_2_threads_over_1", median(ratios, LARGE_ROUNDS), 1.7);
}

/* NaN and infinity among 1 GiB of f32, on one thread, beside copying as much. */
static void bench_nonfinite(void) {
    double ratios[LARGE_ROUNDS], absolute[LARGE_ROUNDS];
    uint8_t *data = memory_new(GIB), *copy = memory_new(GIB);
    memset(data, 0x3c, GIB);
    memset(copy, 1, GIB);
    const wlk_tensor tensor = {.name = "w",
                               .dtype = WLK_F32,
                               .rank = 1,
                               .shape = {GIB / 4},
                               .count = GIB / 4,
                               .data = data,
                               .nbytes = GIB};
    for (int i = 0; i < LARGE_ROUNDS; i++) {
        uint64_t nan, infinity, first;
        double start = seconds();
        memcpy(copy, data, GIB);
        absolute[i] = seconds() - start;
        start = seconds();
        wlk_tensor_nonfinite(&tensor, &nan, &infinity, &first);
        ratios[i] = (seconds() - start) / absolute[i];
        if (nan + infinity != 0 || copy[GIB - 1] != 0x3c) fail("nonfinite");
    }
    (void)munmap(data, GIB);
    (void)munmap(copy, GIB);
    (void)printf("# memcpy of 1 GiB: %.3f s\n", median(absolute, LARGE_ROUNDS));
    report("nonfinite_1GiB_over_memcpy", median(ratios, LARGE_ROUNDS), 1.0);
}

/* ---- files of which only the beginning is looked at */

#define SPARSE_BYTES (8 * GIB)
#define SPARSE_CHUNK_LOG2 20
#define SPARSE_CHUNKS (SPARSE_BYTES >> SPARSE_CHUNK_LOG2)

/* {kind: model, tensors: [w: u8[2^33]]}, as docs/format.md section 3 has it. */
static const char sparse_header[] =
    "\x82\xa4kind\xa5model\xa7tensors\x91\x86\xa5"
    "codec\xa3raw\xa5"
    "dtype\xa2u8\xa4name\xa1w\xa6nbytes\xcf\0\0\0\2\0\0\0\0\xa6offset\0\xa5shape\x91\xcf"
    "\0\0\0\2\0\0\0\0";
#define SPARSE_HEADER_BYTES (sizeof sparse_header - 1)

/* Everything before the data: *size bytes, which the caller frees. */
static uint8_t *sparse_head(const wlk_secret_key *key, uint64_t *size) {
    static const uint8_t zeros[1 << SPARSE_CHUNK_LOG2];
    envelope e = {.chunk_log2 = SPARSE_CHUNK_LOG2,
                  .header_len = SPARSE_HEADER_BYTES,
                  .table_len = SPARSE_CHUNKS * ENVELOPE_DIGEST_BYTES,
                  .data_len = SPARSE_BYTES};
    const uint64_t table_at = ENVELOPE_BYTES + e.header_len, end = table_at + e.table_len;
    e.data_off = (end + ENVELOPE_DATA_ALIGN - 1) / ENVELOPE_DATA_ALIGN * ENVELOPE_DATA_ALIGN;
    uint8_t *head = calloc(1, e.data_off);
    if (!head) fail("calloc");
    memcpy(head + ENVELOPE_BYTES, sparse_header, SPARSE_HEADER_BYTES);
    for (uint64_t i = 0; i < SPARSE_CHUNKS; i++) {
        uint8_t *digest = head + table_at + i * ENVELOPE_DIGEST_BYTES;
        if (i > 0) {
            memcpy(digest, head + table_at, ENVELOPE_DIGEST_BYTES);
        } else {
            (void)crypto_generichash(digest, ENVELOPE_DIGEST_BYTES, zeros, sizeof zeros, NULL, 0);
        }
    }
    (void)crypto_generichash(e.header_digest, ENVELOPE_DIGEST_BYTES, head + ENVELOPE_BYTES,
                             e.header_len, NULL, 0);
    (void)crypto_generichash(e.table_digest, ENVELOPE_DIGEST_BYTES, head + table_at, e.table_len,
                             NULL, 0);
    envelope_encode(&e, head);
    native_sign(head, key);
    *size = e.data_off;
    return head;
}

/* A signed file of 8 GiB of zeros, which take no room on the disk. */
static char *make_sparse(const char *name, const wlk_secret_key *key) {
    char *path = path_of(name);
    uint64_t size;
    uint8_t *head = sparse_head(key, &size);
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, head, size) != (ssize_t)size ||
        ftruncate(fd, (off_t)(size + SPARSE_BYTES)) != 0) {
        fail(path);
    }
    (void)close(fd);
    free(head);
    return path;
}

static double time_lazy(wlk_gate *gate, const char *path) {
    const wlk_artifact artifact = {.path = path};
    wlk_lazy *lazy;
    wlk_error error;
    char text[512];
    const double start = seconds();
    if (wlk_gate_open_lazy(gate, &artifact, &lazy, NULL, &error) != WLK_OK) {
        (void)fprintf(stderr, "%s\n", wlk_error_format(&error, text, sizeof text));
        exit(2);
    }
    const double end = seconds();
    wlk_lazy_close(lazy);
    return end - start;
}

/* The table of 8 GiB is 256 KiB; all else is as in a small file. */
static void bench_lazy(const char *small, const wlk_trust *trust, const wlk_secret_key *key) {
    char *sparse = make_sparse("bench-sparse.wlk", key);
    wlk_gate *gate = gate_new(trust, WLK_LAYERS_ALL, WLK_TRANSPORT_PIPE);
    double ratios[ROUNDS], absolute[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        double plain[SMALL_LOADS], large[SMALL_LOADS];
        for (int k = 0; k < SMALL_LOADS; k++) {
            plain[k] = time_lazy(gate, small);
            large[k] = time_lazy(gate, sparse);
        }
        absolute[i] = median(plain, SMALL_LOADS);
        ratios[i] = median(large, SMALL_LOADS) / absolute[i];
    }
    wlk_gate_close(gate);
    (void)unlink(sparse);
    free(sparse);
    (void)printf("# lazy open of 10 kB: %.0f us\n", median(absolute, ROUNDS) * 1e6);
    report("lazy_open_8GiB_over_10kB", median(ratios, ROUNDS), 2.0);
}

/* `weighlock meta set` as a whole: the program's start, two children, the signature. */
static double time_meta_set(const char *path, const char *secret, const char *trusted, int round) {
    static char program[4096], version[32];
    char *const arguments[] = {program,
                               "meta",
                               "set",
                               (char *)(uintptr_t)path,
                               version,
                               "-s",
                               (char *)(uintptr_t)secret,
                               "--trust",
                               (char *)(uintptr_t)trusted,
                               NULL};
    const char *slash = strrchr(child_path, '/');
    (void)snprintf(program, sizeof program, "%.*sweighlock",
                   slash ? (int)(slash - child_path) + 1 : 0, child_path);
    (void)snprintf(version, sizeof version, "/version=1.%d", round % 10);
    return time_program(arguments);
}

static void bench_meta_set(const char *small, const char *large) {
    double ratios[ROUNDS], absolute[ROUNDS];
    char *secret = path_of("bench.key"), *public = path_of("bench.pub");
    char *trusted = path_of("bench-trust"), *copy = path_of("bench-trust/bench.pub");
    if (mkdir(trusted, 0755) != 0 || link(public, copy) != 0) fail(trusted);
    for (int i = 0; i < ROUNDS; i++) {
        const double reference = time_meta_set(small, secret, trusted, i);
        absolute[i] = time_meta_set(large, secret, trusted, i) * 1e3;
        ratios[i] = absolute[i] / (reference * 1e3);
    }
    report("meta_set_1GiB_over_10kB", median(ratios, ROUNDS), 1.5);
    report("meta_set_1GiB_ms", median(absolute, ROUNDS), 10.0);
    (void)unlink(copy);
    (void)rmdir(trusted);
    free(secret);
    free(public);
    free(trusted);
    free(copy);
}

static void bench_large(const char *small, const wlk_trust *trust, const wlk_secret_key *key) {
    char *paths[3] = {make_model("bench-64.wlk", 64 * MIB, key),
                      make_model("bench-256.wlk", 256 * MIB, key),
                      make_model("bench-1024.wlk", GIB, key)};
    bench_throughput(paths[2], trust);
    bench_scaling((const char *const *)paths, trust, WLK_TRANSPORT_PIPE, "scaling_pipe");
    bench_scaling((const char *const *)paths, trust, WLK_TRANSPORT_MAP, "scaling_map");
    bench_verify(paths[2], trust);
    bench_meta_set(small, paths[2]);
    bench_nonfinite();
    for (int i = 0; i < 3; i++) {
        (void)unlink(paths[i]);
        free(paths[i]);
    }
}

int main(int argc, char **argv) {
    wlk_trust *trust;
    wlk_secret_key *key;
    wlk_public_key public_key;
    if (argc != 4) {
        (void)fprintf(stderr, "usage: bench CHILD NOOP FOLDER\n");
        return 2;
    }
    child_path = argv[1];
    noop_path = argv[2];
    folder = argv[3];
    char *secret_path = path_of("bench.key"), *public_path = path_of("bench.pub");
    if (wlk_keygen(secret_path, public_path, NULL, &public_key, NULL) != WLK_OK ||
        wlk_secret_key_load(secret_path, NULL, &key, NULL) != WLK_OK ||
        wlk_trust_new(&trust, NULL) != WLK_OK ||
        wlk_trust_add(trust, &public_key, "bench", NULL) != WLK_OK) {
        fail("keys");
    }
    char *small = make_model("bench-small.wlk", 8192, key);
    bench_cold(small, trust);
    bench_warm(small, trust);
    bench_large_parent(small, trust);
    bench_lazy(small, trust, key);
    if (!getenv("BENCH_QUICK")) bench_large(small, trust, key);
    (void)unlink(small);
    (void)unlink(secret_path);
    (void)unlink(public_path);
    free(small);
    free(secret_path);
    free(public_path);
    wlk_secret_key_free(key);
    wlk_trust_free(trust);
    return missed ? 1 : 0;
}

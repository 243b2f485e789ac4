/* What the headers call safe from several threads is: threads share a gate, a trust
 * set, a model, a plan and a lazy model, and load, verify, plan, run and write at once,
 * with an allocator of the host's. Each gets what one thread alone gets, and all memory
 * goes back. With SAN=thread (make check-ci) no access of one thread races with another's. */
#include "support/gate_kit.h"

#include <pthread.h>
#include <stdatomic.h>
#if defined(__SANITIZE_THREAD__)
#define RACES_ARE_SEEN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RACES_ARE_SEEN 1
#endif
#endif
#ifdef RACES_ARE_SEEN
#include <dlfcn.h>
#include <sched.h>
#include <sys/syscall.h>
#endif

#include <weighlock/infer.h>
#include <weighlock/memory.h>

#define THREADS 8
#define ROUNDS 8
#define SIDE 112 /* several tiles of a product each way */

/* ---- starting children under ThreadSanitizer */

#ifdef RACES_ARE_SEEN
void AnnotateIgnoreReadsBegin(const char *file, int line);
void AnnotateIgnoreReadsEnd(const char *file, int line);
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);
void AnnotateIgnoreSyncBegin(const char *file, int line);
void AnnotateIgnoreSyncEnd(const char *file, int line);

/* ThreadSanitizer takes every clone for a fork, after which it looks no further. What
 * the gate starts shares its memory until exec, while this thread sleeps: libc's own
 * function is called, and what happens meanwhile is nobody's access. */
int clone(int (*run)(void *), void *stack, int flags, void *argument, ...) {
    int (*real)(int (*)(void *), void *, int, void *, ...);
    va_list more;
    va_start(more, argument);
    int *pidfd = va_arg(more, int *);
    void *tls = va_arg(more, void *), *cleared = va_arg(more, void *);
    va_end(more);
    *(void **)&real = dlsym(dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD), "clone");
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
    AnnotateIgnoreSyncBegin(__FILE__, __LINE__);
    const int pid = real(run, stack, flags, argument, pidfd, tls, cleared);
    AnnotateIgnoreSyncEnd(__FILE__, __LINE__);
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
    AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
    return pid;
}

/* Nor does such a process take stock of the memory that it borrowed when it ends. */
_Noreturn void _exit(int code) {
    for (;;) (void)syscall(SYS_exit_group, code);
}
#endif

/* ---- the host's allocator */

static atomic_long alive;

static void *take(void *context, size_t size, size_t alignment) {
    void *memory = NULL;
    if (posix_memalign(&memory, alignment < sizeof memory ? sizeof memory : alignment, size) != 0) {
        return NULL;
    }
    atomic_fetch_add((atomic_long *)context, 1);
    return memory;
}

static void *change(void *context, void *memory, size_t size) {
    void *moved = realloc(memory, size);
    if (moved && !memory) atomic_fetch_add((atomic_long *)context, 1);
    return moved;
}

static void give_back(void *context, void *memory) {
    atomic_fetch_sub((atomic_long *)context, 1);
    free(memory);
}

/* ---- what all threads use */

static struct {
    char path[PATH_MAX], tampered[PATH_MAX];
    kit_file file;
    wlk_gate *gate, *pool;
    atomic_uint pooled; /* loads by children of the pool */
    wlk_model *model;
    wlk_plan *plan;
    wlk_lazy *lazy;
    float rows[2][SIDE];
    float expected[2][SIDE]; /* what one thread alone computes */
} shared;

/* y = x w, with golden rows that must be found again. */
static wlk_model *product_model(void) {
    static float w[SIDE][SIDE], zeros[SIDE];
    const int64_t any_rows[] = {WLK_UNKNOWN_DIM, SIDE};
    wlk_tensor t = {.name = "w", .dtype = WLK_F32, .rank = 2, .shape = {SIDE, SIDE}, .data = w};
    wlk_writer *writer;
    wlk_model *model;
    wlk_error error;
    for (int i = 0; i < SIDE * SIDE; i++) w[i / SIDE][i % SIDE] = (float)(i % 17 - 8);
    EXPECT_OK(wlk_writer_new(NULL, &writer, &error));
    t.nbytes = sizeof w;
    (void)wlk_writer_tensor(writer, &t);
    t = (wlk_tensor){.name = "zeros", .dtype = WLK_F32, .rank = 2, .shape = {1, SIDE}};
    t.data = zeros;
    t.nbytes = sizeof zeros;
    (void)wlk_writer_tensor(writer, &t);
    wlk_writer_opset(writer, "", 13);
    (void)wlk_writer_graph(writer, "");
    wlk_writer_input(writer, "x", wlk_writer_tensor_type(writer, WLK_F32, 2, any_rows));
    wlk_writer_output(writer, "y", WLK_NONE);
    wlk_writer_node(writer, "MatMul", "", "", (const char *const[]){"x", "w", NULL},
                    (const char *const[]){"y", NULL});
    wlk_writer_selftest(writer, (const char *const[]){"zeros", NULL},
                        (const char *const[]){"zeros", NULL}, 0, 0);
    EXPECT_OK(wlk_writer_finish(writer, &model, &error));
    wlk_writer_free(writer);
    return model;
}

/* ---- what a thread does: 0, or the line that failed */

#define DO(call)                                                                          \
    do {                                                                                  \
        char text_[512];                                                                  \
        if ((call) != WLK_OK) {                                                           \
            (void)fprintf(stderr, "%s\n", wlk_error_format(&error, text_, sizeof text_)); \
            return __LINE__;                                                              \
        }                                                                                 \
    } while (0)
#define IS(condition)                      \
    do {                                   \
        if (!(condition)) return __LINE__; \
    } while (0)

static int run(const wlk_plan *plan, float out[2][SIDE]) {
    wlk_tensor rows = {.dtype = WLK_F32, .rank = 2, .shape = {2, SIDE}, .data = shared.rows};
    wlk_result *result;
    wlk_error error;
    rows.nbytes = sizeof shared.rows;
    DO(wlk_run(plan, &rows, 1, &result, &error));
    const wlk_tensor y = wlk_result_tensor(result, 0);
    IS(y.nbytes == sizeof shared.expected);
    memcpy(out, y.data, y.nbytes);
    wlk_result_free(result);
    return 0;
}

static int runs_alike(const wlk_plan *plan) {
    float out[2][SIDE];
    const int line = run(plan, out);
    IS(line == 0);
    IS(memcmp(out, shared.expected, sizeof out) == 0);
    return 0;
}

static int loads_and_runs(void) {
    wlk_model *model;
    wlk_plan *plan;
    wlk_load_report report;
    wlk_error error;
    uint32_t ran = 0;
    DO(wlk_gate_load_path(shared.gate, shared.path, &model, &report, &error));
    IS(report.verification.state == WLK_SIGNED_TRUSTED);
    DO(wlk_plan_create(model, NULL, &plan, &error));
    DO(wlk_selftest_run(plan, &ran, &error));
    const int line = runs_alike(plan);
    wlk_plan_free(plan);
    wlk_model_free(model);
    IS(ran == 1 && line == 0);
    return 0;
}

static int verifies_and_refuses(void) {
    wlk_verification verification;
    wlk_model *model;
    wlk_error error;
    const wlk_verify_options options = {.trust = kit.trust, .threads = 2};
    DO(wlk_gate_verify_path(shared.gate, shared.path, NULL, &error));
    DO(wlk_verify_memory(shared.file.data, shared.file.size, &options, &verification, &error));
    DO(wlk_verification_check(&verification, 1, 0, &error));
    IS(wlk_gate_load_path(shared.gate, shared.tampered, &model, NULL, &error) == WLK_TRUST);
    IS(strcmp(wlk_rule_name(error.rule), "trust.chunk-digest") == 0);
    return 0;
}

static int writes(void) {
    const wlk_write_options options = {.key = kit.key, .threads = 2};
    uint8_t *data;
    uint64_t size;
    wlk_error error;
    DO(wlk_write_memory(shared.model, &options, &data, &size, &error));
    const bool alike = size == shared.file.size && memcmp(data, shared.file.data, size) == 0;
    wlk_free(data);
    IS(alike);
    return 0;
}

static int reads_lazily(void) {
    wlk_tensor tensor;
    wlk_error error;
    for (uint32_t i = 0; i < 2; i++) {
        const wlk_tensor whole = wlk_model_tensor(shared.model, i);
        DO(wlk_lazy_tensor(shared.lazy, i, &tensor, &error));
        const bool alike =
            tensor.nbytes == whole.nbytes && memcmp(tensor.data, whole.data, whole.nbytes) == 0;
        wlk_lazy_release(&tensor);
        IS(alike);
    }
    return 0;
}

static int loads_by_who_waits(void) {
    wlk_model *model;
    wlk_load_report report;
    wlk_error error;
    DO(wlk_gate_load_path(shared.pool, shared.path, &model, &report, &error));
    const uint32_t tensors = wlk_model_count(model, WLK_SECTION_TENSORS);
    wlk_model_free(model);
    if (report.pooled) atomic_fetch_add(&shared.pooled, 1);
    IS(tensors == wlk_model_count(shared.model, WLK_SECTION_TENSORS));
    IS(wlk_gate_waiting(shared.pool) <= 2);
    IS(wlk_gate_load_path(shared.pool, shared.tampered, &model, NULL, &error) == WLK_TRUST);
    return 0;
}

static int shares_plan(void) {
    return runs_alike(shared.plan);
}

static int (*const deeds[])(void) = {
    loads_and_runs, loads_by_who_waits, shares_plan, verifies_and_refuses,
    writes,         loads_by_who_waits, shares_plan, reads_lazily};
#define DEEDS (sizeof deeds / sizeof *deeds)

/* Each thread begins with another deed, so that different ones meet. */
static void *work(void *number) {
    const size_t first = (size_t)(uintptr_t)number;
    for (size_t i = 0; i < ROUNDS * DEEDS; i++) {
        const int line = deeds[(first + i) % DEEDS]();
        if (line != 0) return (void *)(uintptr_t)line;
    }
    return NULL;
}

/* ---- the test */

static void open_all(void) {
    wlk_load_options options;
    wlk_error error;
    wlk_load_options_default(&options);
    options.child_path = kit_program(REAL_CHILD);
    options.trust = kit.trust;
    (void)snprintf(shared.path, sizeof shared.path, "%s/product.wlk", scratch);
    (void)snprintf(shared.tampered, sizeof shared.tampered, "%s/tampered.wlk", scratch);
    shared.file = kit_written(product_model(), kit.key);
    write_bytes(shared.path, shared.file.data, shared.file.size);
    shared.file.data[shared.file.size - 1] ^= 1;
    write_bytes(shared.tampered, shared.file.data, shared.file.size);
    shared.file.data[shared.file.size - 1] ^= 1;
    EXPECT_OK(wlk_gate_open(&options, &shared.gate, &error));
    options.pool = 2;
    EXPECT_OK(wlk_gate_open(&options, &shared.pool, &error));
    EXPECT_OK(wlk_gate_load_path(shared.gate, shared.path, &shared.model, NULL, &error));
    EXPECT_OK(wlk_gate_open_lazy(shared.gate, &(wlk_artifact){.path = shared.path}, &shared.lazy,
                                 NULL, &error));
    EXPECT_OK(wlk_plan_create(shared.model, NULL, &shared.plan, &error));
    for (int i = 0; i < 2 * SIDE; i++) shared.rows[i / SIDE][i % SIDE] = (float)i;
    assert_int_equal(run(shared.plan, shared.expected), 0);
    for (int i = 0; wlk_gate_waiting(shared.pool) < 2 && i < 10000; i++) (void)usleep(1000);
    assert_int_equal(wlk_gate_waiting(shared.pool), 2);
}

static void close_all(void) {
    wlk_plan_free(shared.plan);
    wlk_lazy_close(shared.lazy);
    wlk_model_free(shared.model);
    wlk_gate_close(shared.gate);
    wlk_gate_close(shared.pool);
    wlk_free(shared.file.data);
}

static void test_threads_share_what_they_may(void **state) {
    (void)state;
    pthread_t threads[THREADS];
    open_all();
    for (uintptr_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, work, (void *)i), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        void *line;
        assert_int_equal(pthread_join(threads[i], &line), 0);
        if (line) fail_msg("thread %zu failed at line %d", i, (int)(uintptr_t)line);
    }
    assert_true(atomic_load(&shared.pooled) >= 2);
    close_all();
}

static int setup(void **state) {
    wlk_allocator_set(&(wlk_allocator){&alive, take, change, give_back});
    return kit_setup(state);
}

/* All that the library took is given back. */
static int teardown(void **state) {
    const int failed = kit_teardown(state);
    if (atomic_load(&alive) != 0) (void)fprintf(stderr, "%ld blocks are left\n", alive);
    return failed != 0 || atomic_load(&alive) != 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_threads_share_what_they_may)};
    return cmocka_run_group_tests(tests, setup, teardown);
}

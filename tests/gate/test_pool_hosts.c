/* The pool in processes of an unusual kind: who forks, who gives up root, whose children
 * others collect, who dies. Each test is a process; the exit code says which expectation
 * failed. */
#include "gate/pool_kit.h"

#include <pthread.h>
#include <sys/resource.h>

static wlk_gate *shared_gate;

static int forked_host(void) {
    if (wlk_gate_waiting(shared_gate) != 0) return 1;
    for (unsigned i = 0; i < 5; i++) {
        if (!loads(shared_gate, false)) return 2;
    }
    const unsigned descriptors = kit_descriptors();
    wlk_gate_close(shared_gate);
    return kit_is_clean(kit_descriptors()) && kit_descriptors() < descriptors ? 0 : 3;
}

/* The pool stays with the process that opened it. */
static int host_that_forks(void) {
    shared_gate = open_pool(&real_child, 2);
    if (!shared_gate || !wait_for(shared_gate, 2)) return 9;
    const int result = kit_in_process(forked_host);
    if (result != 0) return result;
    if (wlk_gate_waiting(shared_gate) != 2 || !loads(shared_gate, true)) return 4;
    wlk_gate_close(shared_gate);
    return waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD ? 0 : 5;
}

/* Forks at every moment of the pool's work, with its lock held or not. */
static int host_that_forks_all_the_time(void) {
    wlk_gate *gate = open_pool(&real_child, 2);
    if (!gate) return 9;
    for (unsigned i = 0; i < 150; i++) {
        const pid_t pid = fork();
        if (pid == 0) {
            (void)alarm(20);
            const bool good = wlk_gate_waiting(gate) == 0 && loads(gate, false);
            wlk_gate_close(gate);
            _exit(!good);
        }
        int status;
        if (*load_file(gate, &kit.sample, NULL)) return 1;
        if (waitpid(pid, &status, 0) != pid || status != 0) return 2;
    }
    wlk_gate_close(gate);
    return 0;
}

/* From Linux 6.15 on a pidfd tells the exit code of whom somebody else collected. */
static bool accepted_or_not_seen(const char *rule) {
    if (!*rule || strcmp(rule, "cage.unseen") == 0) return true;
    (void)fprintf(stderr, "%s\n", rule);
    return false;
}

/* Others take the ends of our children away; what waits is killed now and then. */
static int load_where_children_disappear(void) {
    const unsigned descriptors = kit_descriptors();
    pid_t pids[MOST_CHILDREN];
    wlk_gate *gate = open_pool(&real_child, 2);
    if (!gate) return 9;
    for (unsigned i = 0; i < 60; i++) {
        if (!wait_for(gate, 2)) return 1;
        const bool kills = i % 3 == 0;
        if (kills && children_of(getpid(), pids) > 0) (void)kill(pids[0], SIGKILL);
        const char *rule = load_file(gate, &kit.sample, NULL);
        const bool hit = kills && strcmp(rule, "cage.killed") == 0; /* it was given the file */
        if (!hit && !accepted_or_not_seen(rule)) return 2;
        if (kills && !*load_file(gate, &kit.sample, NULL)) continue;
    }
    wlk_gate_close(gate);
    return kit_descriptors() == descriptors && children_of(getpid(), pids) == 0 ? 0 : 3;
}

static int host_that_ignores_sigchld(void) {
    return signal(SIGCHLD, SIG_IGN) == SIG_ERR ? 9 : load_where_children_disappear();
}

static void *collect_everybody(void *unused) {
    for (;;) {
        if (waitpid(-1, NULL, 0) < 0) (void)usleep(100);
    }
    return unused;
}

static int host_with_a_thread_that_waits_for_all(void) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, collect_everybody, NULL) != 0) return 9;
    return load_where_children_disappear();
}

/* Who waits was made by root, for root: another user's process may neither kill it nor
 * vouch for it. It is let go, and the pool goes on with children of that user's. */
static int host_that_gives_up_root(void) {
    const unsigned descriptors = kit_descriptors();
    pid_t pids[MOST_CHILDREN];
    wlk_load_report report;
    shared_gate = open_pool(&real_child, 2);
    if (!shared_gate || !wait_for(shared_gate, 2)) return 9;
    if (children_of(getpid(), pids) != 2) return 8;
    const bool root = geteuid() == 0;
    if (root && !kit_become_ordinary()) return 7;
    if (*load_file(shared_gate, &kit.sample, &report) || report.pooled == root) return 1;
    if (report.layers[kit_layer("ids")] != WLK_LAYER_ATTESTED) return 2;
    if (root && (kill(pids[0], 0) == 0 || kill(pids[1], 0) == 0)) return 3;
    if (!wait_for(shared_gate, 2) || !loads(shared_gate, true)) return 4;
    wlk_gate_close(shared_gate);
    return kit_is_clean(descriptors) ? 0 : 5;
}

/* And closes the gate as it is. */
static int host_that_gives_up_root_and_closes(void) {
    const unsigned descriptors = kit_descriptors();
    wlk_gate *gate = open_pool(&real_child, 4);
    if (!gate || !wait_for(gate, 4)) return 9;
    if (geteuid() == 0 && !kit_become_ordinary()) return 8;
    wlk_gate_close(gate);
    return kit_is_clean(descriptors) ? 0 : 1;
}

static void *open_in_a_thread(void *unused) {
    (void)unused;
    return open_pool(&real_child, 2);
}

/* Children end with the thread that started them, which is not the one that opened. */
static int host_whose_opening_thread_ends(void) {
    pthread_t thread;
    void *gate;
    if (pthread_create(&thread, NULL, open_in_a_thread, NULL) != 0) return 9;
    if (pthread_join(thread, &gate) != 0 || !gate || !wait_for(gate, 2)) return 8;
    (void)usleep(20000);
    if (wlk_gate_waiting(gate) != 2 || !loads(gate, true)) return 1;
    wlk_gate_close(gate);
    return 0;
}

static volatile sig_atomic_t handled;

static void note(int number) {
    (void)number;
    handled = 1;
}

/* A signal to the process is for the host's threads: if they block it, it waits. */
static int host_that_blocks_a_signal(void) {
    sigset_t one, pending;
    (void)sigemptyset(&one);
    (void)sigaddset(&one, SIGUSR1);
    wlk_gate *gate = open_pool(&real_child, 1);
    if (!gate || !wait_for(gate, 1) || signal(SIGUSR1, note) == SIG_ERR) return 9;
    if (pthread_sigmask(SIG_BLOCK, &one, NULL) != 0 || kill(getpid(), SIGUSR1) != 0) return 8;
    if (!loads(gate, true) || !wait_for(gate, 1)) return 1;
    if (handled || sigpending(&pending) != 0 || !sigismember(&pending, SIGUSR1)) return 2;
    wlk_gate_close(gate);
    (void)pthread_sigmask(SIG_UNBLOCK, &one, NULL);
    return handled ? 0 : 3;
}

static _Noreturn void be_a_host_with_a_pool(int ready) {
    wlk_gate *gate = open_pool(&real_child, 3);
    const bool full = gate && wait_for(gate, 3);
    (void)!write(ready, full ? "y" : "n", 1);
    for (;;) (void)pause();
}

/* Those that wait end with it: by the signal, or because the pipe that they read ends. */
static int host_that_is_killed(void) {
    pid_t pids[MOST_CHILDREN];
    int ready[2];
    char answer = 'n';
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0 || pipe(ready) != 0) return 9; /* orphans come here */
    const pid_t host = fork();
    if (host == 0) be_a_host_with_a_pool(ready[1]);
    if (read(ready[0], &answer, 1) != 1 || answer != 'y') return 8;
    if (children_of(host, pids) != 3 || kill(host, SIGKILL) != 0) return 7;
    const double end = kit_seconds() + 20;
    for (unsigned seen = 0; seen < 4;) {
        const pid_t ended = waitpid(-1, NULL, WNOHANG);
        if (ended > 0) seen++;
        if (kit_seconds() > end) return 1;
        if (ended == 0) (void)usleep(1000);
    }
    return 0;
}

/* Without a thread there is no pool, and nothing is left of the attempt. */
static int host_that_may_have_no_threads(void) {
    const unsigned descriptors = kit_descriptors();
    const struct rlimit none = {0, 0};
    wlk_load_options options = real_child;
    wlk_gate *gate;
    wlk_error error;
    if (geteuid() == 0) return 0; /* root may have as many as it likes */
    options.pool = 1;
    if (setrlimit(RLIMIT_NPROC, &none) != 0) return 9;
    if (wlk_gate_open(&options, &gate, &error) != WLK_SYSTEM || gate) return 1;
    return kit_is_clean(descriptors) ? 0 : 2;
}

#define HOST_TEST(name)                                   \
    static void test_host_##name(void **state) {          \
        (void)state;                                      \
        assert_int_equal(kit_in_process(host_##name), 0); \
    }
HOST_TEST(that_forks)
HOST_TEST(that_forks_all_the_time)
HOST_TEST(that_ignores_sigchld)
HOST_TEST(with_a_thread_that_waits_for_all)
HOST_TEST(that_gives_up_root)
HOST_TEST(that_gives_up_root_and_closes)
HOST_TEST(whose_opening_thread_ends)
HOST_TEST(that_blocks_a_signal)
HOST_TEST(that_is_killed)
HOST_TEST(that_may_have_no_threads)

static int group(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_host_that_forks),
        cmocka_unit_test(test_host_that_forks_all_the_time),
        cmocka_unit_test(test_host_that_ignores_sigchld),
        cmocka_unit_test(test_host_with_a_thread_that_waits_for_all),
        cmocka_unit_test(test_host_that_gives_up_root),
        cmocka_unit_test(test_host_that_gives_up_root_and_closes),
        cmocka_unit_test(test_host_whose_opening_thread_ends),
        cmocka_unit_test(test_host_that_blocks_a_signal),
        cmocka_unit_test(test_host_that_is_killed),
        cmocka_unit_test(test_host_that_may_have_no_threads),
    };
    return cmocka_run_group_tests(tests, pool_setup, pool_teardown);
}

int main(void) {
    return kit_run(group, (const char *const[]){REAL_CHILD, HOSTILE_CHILD, NULL});
}

/* What the parent believes of a child's claims: a process that is not confined at
 * all claims one layer after the other. */
#include "support/gate_kit.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/syscall.h>

#include "gate/attest.h"

/* A process that waits to be killed, with at least one descriptor more than a child has. */
static pid_t unconfined(void) {
    const int extra = dup(STDERR_FILENO);
    assert_true(extra > STDERR_FILENO);
    const pid_t pid = fork();
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* should the test fail */
        for (;;) (void)pause();
    }
    (void)close(extra);
    assert_true(pid > 0);
    return pid;
}

static void end(pid_t pid) {
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static wlk_status attest(pid_t pid, uint32_t held, uint32_t *attested, wlk_error *error) {
    wlk_limits limits;
    wlk_limits_default(&limits);
    attest_claim claim = {.pid = pid,
                          .privileged = geteuid() == 0,
                          .uid = ORDINARY_USER,
                          .gid = ORDINARY_USER,
                          .held = held,
                          .limits = &limits};
    assert_int_equal(attest_own_filters(&claim.inherited_filters, NULL), WLK_OK);
    return attest_child(&claim, attested, error);
}

static void test_false_claims(void **state) {
    (void)state;
    static const struct {
        const char *layer;
        bool true_for_root;  /* whose files are root's, whether it can be dumped or not */
        bool true_for_users; /* who have no capabilities and are not root anyway */
    } rows[] = {
        {"descriptors", false, false},  {"rlimits", false, false},
        {"oom-score", false, false},    {"pid-namespace", false, false},
        {"namespaces", false, false},   {"bounding-set", false, false},
        {"ids", false, true},           {"capabilities", false, true},
        {"no-new-privs", false, false}, {"not-dumpable", true, false},
        {"zero-rlimits", false, false}, {"seccomp", false, false},
    };
    const pid_t pid = unconfined();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const uint32_t held = 1u << kit_layer(rows[i].layer);
        uint32_t attested = 0;
        wlk_error error;
        const wlk_status status = attest(pid, held, &attested, &error);
        if (geteuid() == 0 ? rows[i].true_for_root : rows[i].true_for_users) {
            expect_ok(status, &error);
            assert_int_equal(attested, held);
        } else {
            expect_refused(rows[i].layer, status, &error, "cage.attest", rows[i].layer);
            assert_int_equal(attested, 0);
        }
    }
    end(pid);
}

/* What was not claimed is not looked at, and what cannot be seen is not attested. */
static void test_what_is_not_attested(void **state) {
    (void)state;
    static const char *const names[] = {"heap",     "empty-root", "regain",     "parent-death",
                                        "landlock", "mdwe",       "speculation"};
    const pid_t pid = unconfined();
    uint32_t held = 0, attested = 1;
    wlk_error error;
    EXPECT_OK(attest(pid, held, &attested, &error));
    assert_int_equal(attested, 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) held |= 1u << kit_layer(names[i]);
    EXPECT_OK(attest(pid, held, &attested, &error));
    assert_int_equal(attested, 0);
    end(pid);
}

static void test_a_process_that_is_not_there(void **state) {
    (void)state;
    const pid_t pid = unconfined();
    uint32_t attested;
    wlk_error error;
    end(pid);
    const wlk_status status = attest(pid, 0, &attested, &error);
    expect_refused("no process", status, &error, "cage.unreadable", NULL);
}

/* Filters of ours are counted, also where we run under some already. */
static int count_filters(void) {
    static struct sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    const struct sock_fprog program = {1, allow};
    uint32_t before, after;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return 1;
    if (attest_own_filters(&before, NULL) != WLK_OK) return 2;
    for (unsigned i = 0; i < 3; i++) {
        if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0) return 3;
    }
    if (attest_own_filters(&after, NULL) != WLK_OK) return 4;
    return after == before + 3 ? 0 : 5;
}

static void test_own_filters(void **state) {
    (void)state;
    assert_int_equal(kit_in_process(count_filters), 0);
}

static int group(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_false_claims),
        cmocka_unit_test(test_what_is_not_attested),
        cmocka_unit_test(test_a_process_that_is_not_there),
        cmocka_unit_test(test_own_filters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void) {
    return kit_run(group, (const char *const[]){NULL});
}

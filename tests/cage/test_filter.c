/* Invariant 3: read from descriptor 0, write to descriptor 1, exit_group; every
 * other call of every calling convention kills the process. */
#include "support/scratch.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define NATIVE "x86_64"
#elif defined(__aarch64__)
#define NATIVE "aarch64"
#else
#error "no golden listing for this architecture"
#endif

#define GOLDEN "tests/cage/filter." /* and the architecture, and .pfc */

/* ---- the listing */

/* The file's lines but for comments, which name libseccomp's priorities. Freed by
 * the caller. */
static char *listing(const char *path) {
    size_t length, used = 0;
    char *text = (char *)read_bytes(path, &length);
    for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        const size_t size = (size_t)(end - line) + 1;
        if (line[strspn(line, " ")] == '#') continue;
        memmove(text + used, line, size);
        used += size;
    }
    text[used] = '\0';
    assert_true(used > 0);
    return text;
}

static void build_path(char path[PATH_MAX], const char *name) {
    const char *build = getenv("BUILD");
    (void)snprintf(path, PATH_MAX, "%s/%s", build ? build : "build", name);
}

/* Compiles a policy for an architecture into the scratch folder's "pfc". */
static bool compiles(const char *policy, const char *architecture) {
    char program[PATH_MAX];
    int status;
    build_path(program, "filter_compile");
    const pid_t pid = fork();
    if (pid == 0) {
        const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        (void)dup2(null, 2);
        (void)execl(program, program, policy, in_scratch("inc"), in_scratch("pfc"), architecture,
                    (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
    return WEXITSTATUS(status) == 0;
}

static bool equals_golden(const char *path, const char *architecture) {
    char golden_path[64];
    (void)snprintf(golden_path, sizeof golden_path, GOLDEN "%s.pfc", architecture);
    char *golden = listing(golden_path), *got = listing(path);
    const bool equal = strcmp(golden, got) == 0;
    free(golden);
    free(got);
    return equal;
}

static void test_golden_listings(void **state) {
    (void)state;
    static const char *const architectures[] = {"x86_64", "aarch64"};
    char native[PATH_MAX];
    for (size_t i = 0; i < 2; i++) {
        assert_true(compiles("policy/syscalls.policy", architectures[i]));
        assert_true(equals_golden(in_scratch("pfc"), architectures[i]));
    }
    build_path(native, "gen/filter.pfc"); /* what the child was built from */
    assert_true(equals_golden(native, NATIVE));
}

/* A policy that says anything else has another listing: no row goes unnoticed. */
static void test_other_policies_have_other_listings(void **state) {
    (void)state;
    static const char *const policies[] = {
        "read|arg0 == 0|a\nwrite|arg0 == 1|b\n",
        "read|arg0 == 0|a\nexit_group||b\n",
        "write|arg0 == 1|a\nexit_group||b\n",
        "read||a\nwrite|arg0 == 1|b\nexit_group||c\n",
        "read|arg0 == 0|a\nwrite||b\nexit_group||c\n",
        "read|arg1 == 0|a\nwrite|arg0 == 1|b\nexit_group||c\n",
        "read|arg0 == 0|a\nwrite|arg0 == 2|b\nexit_group||c\n",
        "read|arg0 == 0|a\nwrite|arg0 == 1|b\nexit_group||c\nmmap||d\n",
    };
    for (size_t i = 0; i < sizeof policies / sizeof *policies; i++) {
        const char *path = in_scratch("policy");
        write_bytes(path, policies[i], strlen(policies[i]));
        assert_true(compiles(path, NATIVE));
        assert_false(equals_golden(in_scratch("pfc"), NATIVE));
    }
}

static void test_policies_that_are_not_understood(void **state) {
    (void)state;
    static const char *const policies[] = {
        "",
        "# nothing\n",
        "read|arg0 == 0\n",  /* no reason */
        "read|arg0 == 0|\n", /* an empty one */
        "no_such_call||why\n",
        "read|arg0 > 0|why\n", /* equality only */
        "read|arg0 == 0 x|why\n",
        "read|arg9 == 0|why\n",
        "_llseek||why\n", /* not a call of 64-bit architectures */
    };
    for (size_t i = 0; i < sizeof policies / sizeof *policies; i++) {
        const char *path = in_scratch("policy");
        write_bytes(path, policies[i], strlen(policies[i]));
        if (compiles(path, NATIVE)) fail_msg("accepted: %s", policies[i]);
    }
}

/* ---- the filter itself */

enum outcome { KILLED, RETURNED, ENDED, OTHER_SIGNAL };
enum convention { CALL_NATIVE, CALL_INT80, CALL_VSYSCALL };

typedef struct system_call {
    enum convention convention;
    long number;
    unsigned long arguments[3];
} system_call;

static bool load_filter(void) {
    static struct sock_filter instructions[] = {
#include "gen/filter.inc"
    };
    const struct sock_fprog program = {sizeof instructions / sizeof *instructions, instructions};
    const struct rlimit no_core = {0, 0};
    return setrlimit(RLIMIT_CORE, &no_core) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
}

static void call_int80(const system_call *c) {
#if defined(__x86_64__)
    long result;
    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(c->number), "b"(c->arguments[0]), "c"(c->arguments[1]),
                       "d"(c->arguments[2])
                     : "memory", "r8", "r9", "r10", "r11");
    (void)result;
#else
    (void)c;
#endif
}

static void make_call(const system_call *c) {
    const unsigned long *a = c->arguments;
    if (c->convention == CALL_INT80) {
        call_int80(c);
    } else if (c->convention == CALL_VSYSCALL) {
        long now;
        ((long (*)(long *))0xffffffffff600400ul)(&now); /* time(2) of old, at its fixed address */
    } else {
        (void)syscall(c->number, a[0], a[1], a[2], 0, 0, 0);
    }
}

/* What becomes of a process that makes the call behind the filter. Arguments of 0
 * make sure that a call which gets through does nothing. */
static enum outcome outcome_of(const system_call *c) {
    enum { CAME_BACK = 77 };
    int status;
    const pid_t pid = fork();
    if (pid == 0) {
        (void)close(0);
        (void)close(1);
        if (!load_filter()) _exit(99);
        make_call(c);
        for (;;) (void)syscall(SYS_exit_group, CAME_BACK);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status)) return WTERMSIG(status) == SIGSYS ? KILLED : OTHER_SIGNAL;
    if (WEXITSTATUS(status) == 99) fail_msg("the filter could not be loaded");
    return WEXITSTATUS(status) == CAME_BACK ? RETURNED : ENDED;
}

static enum outcome expected_of(long number) {
    if (number == SYS_read) return RETURNED; /* of descriptor 0, which is closed */
    return number == SYS_exit_group ? ENDED : KILLED;
}

/* Newer kernels let these two past every filter. They do nothing unless they are
 * made from a trampoline that the kernel itself has put there. */
static bool is_kernel_exception(long number) {
#if defined(__x86_64__)
    return number == 335 || number == 336; /* uretprobe, uprobe */
#else
    (void)number;
    return false;
#endif
}

static void test_invariant_3_every_native_number(void **state) {
    (void)state;
    unsigned killed = 0;
    for (long number = -1; number <= 600; number++) {
        const enum outcome got = outcome_of(&(system_call){CALL_NATIVE, number, {0}});
        if (got != expected_of(number) && !is_kernel_exception(number)) {
            fail_msg("call %ld: %d", number, got);
        }
        killed += got == KILLED;
    }
    assert_true(killed >= 602 - 4);
}

#if defined(__x86_64__)
#define X32 0x40000000l

static void test_invariant_3_every_x32_number(void **state) {
    (void)state;
    for (long number = 0; number <= 600; number++) {
        const enum outcome got = outcome_of(&(system_call){CALL_NATIVE, X32 | number, {0}});
        if (got != KILLED) fail_msg("x32 call %ld: %d", number, got);
    }
}

/* The 32-bit table: 1 is exit there, 3 read, 4 write, 252 exit_group. */
static void test_invariant_3_every_32_bit_number(void **state) {
    (void)state;
    for (long number = 0; number <= 600; number++) {
        const enum outcome got = outcome_of(&(system_call){CALL_INT80, number, {0}});
        if (got != KILLED) fail_msg("int 0x80 call %ld: %d", number, got);
    }
}

static void test_invariant_3_vsyscall_page(void **state) {
    (void)state;
    const enum outcome got = outcome_of(&(system_call){CALL_VSYSCALL, 0, {0}});
    assert_true(got == KILLED || got == OTHER_SIGNAL); /* or it is not there at all */
}
#endif

static void test_invariant_3_arguments(void **state) {
    (void)state;
    const unsigned long high = 1ul << 32, all = ~0ul;
    const struct {
        long number;
        unsigned long descriptor;
        enum outcome outcome;
    } rows[] = {
        {SYS_read, 0, RETURNED},       {SYS_read, 1, KILLED},
        {SYS_read, 2, KILLED},         {SYS_read, 3, KILLED},
        {SYS_read, all, KILLED},       {SYS_read, high, KILLED},
        {SYS_read, all << 32, KILLED}, {SYS_read, 1ul << 63, KILLED},
        {SYS_write, 1, RETURNED},      {SYS_write, 0, KILLED},
        {SYS_write, 2, KILLED},        {SYS_write, 3, KILLED},
        {SYS_write, all, KILLED},      {SYS_write, high, KILLED},
        {SYS_write, 1 | high, KILLED}, {SYS_write, 1 | 1ul << 63, KILLED},
        {SYS_exit_group, 0, ENDED},    {SYS_exit_group, all, ENDED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const system_call call = {CALL_NATIVE, rows[i].number, {rows[i].descriptor}};
        const enum outcome got = outcome_of(&call);
        if (got != rows[i].outcome) {
            fail_msg("call %ld(%lx): %d", rows[i].number, rows[i].descriptor, got);
        }
    }
}

/* What would widen what is allowed is a call too. */
static void test_invariant_3_the_filter_cannot_be_taken_away(void **state) {
    (void)state;
    const system_call calls[] = {
        {CALL_NATIVE, SYS_seccomp, {SECCOMP_SET_MODE_STRICT, 0, 0}},
        {CALL_NATIVE, SYS_prctl, {PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0}},
        {CALL_NATIVE, SYS_prctl, {PR_SET_NO_NEW_PRIVS, 0, 0}},
        {CALL_NATIVE, SYS_clone, {SIGCHLD, 0, 0}},
        {CALL_NATIVE, SYS_execve, {0, 0, 0}},
        {CALL_NATIVE, SYS_rt_sigreturn, {0, 0, 0}},
    };
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        assert_int_equal(outcome_of(&calls[i]), KILLED);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_listings),
        cmocka_unit_test(test_other_policies_have_other_listings),
        cmocka_unit_test(test_policies_that_are_not_understood),
        cmocka_unit_test(test_invariant_3_every_native_number),
#if defined(__x86_64__)
        cmocka_unit_test(test_invariant_3_every_x32_number),
        cmocka_unit_test(test_invariant_3_every_32_bit_number),
        cmocka_unit_test(test_invariant_3_vsyscall_page),
#endif
        cmocka_unit_test(test_invariant_3_arguments),
        cmocka_unit_test(test_invariant_3_the_filter_cannot_be_taken_away),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}

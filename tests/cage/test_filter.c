/* Invariant 3: read from descriptor 0, write to descriptor 1, exit_group; every
 * other call of every calling convention kills the process. */
#include "cage/sweep.h"

#include <time.h>

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

static struct sock_filter instructions[] = {
#include "gen/filter.inc"
};
static const struct sock_fprog filter = {sizeof instructions / sizeof *instructions, instructions};

/* Runs one part; says what was tried and how long that took. */
static void expect_part(const char *name) {
    const size_t count = sizeof sweep_parts / sizeof *sweep_parts;
    struct timespec start, end;
    size_t i = 0;
    while (i < count && strcmp(sweep_parts[i].name, name) != 0) i++;
    assert_true(i < count);
    sweep s = {.filter = &filter};
    (void)clock_gettime(CLOCK_MONOTONIC, &start);
    const bool equal = sweep_parts[i].run(&s);
    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    const long ms = (end.tv_sec - start.tv_sec) * 1000 + (end.tv_nsec - start.tv_nsec) / 1000000;
    (void)printf("# %s: %u calls in %ld ms\n", name, s.calls, ms);
    if (equal) return;
    char text[160];
    sweep_tell(&s.first, text, sizeof text);
    fail_msg("%s", text);
}

static void test_invariant_3_every_native_number(void **state) {
    (void)state;
    expect_part("native");
}

static void test_invariant_3_arguments(void **state) {
    (void)state;
    expect_part("arguments");
}

static void test_invariant_3_the_filter_cannot_be_taken_away(void **state) {
    (void)state;
    expect_part("escapes");
}

static void test_invariant_3_no_thread_lives_on(void **state) {
    (void)state;
    expect_part("threads");
}

#if defined(__x86_64__)
static void test_invariant_3_every_x32_number(void **state) {
    (void)state;
    expect_part("x32");
}

static void test_invariant_3_every_32_bit_number(void **state) {
    (void)state;
    expect_part("int 0x80");
}

static void test_invariant_3_vsyscall_page(void **state) {
    (void)state;
    expect_part("vsyscall");
}

/* The kernel lets two calls past every filter. Each is either killed like all others, or
 * does nothing in the one way that is known: another end is a finding. */
static void test_invariant_3_exceptions_of_the_kernel(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof kernel_exceptions / sizeof *kernel_exceptions; i++) {
        const kernel_exception *e = &kernel_exceptions[i];
        const system_call call = {CALL_NATIVE, e->number, {0}};
        const ending got = ending_of(&filter, &call);
        const bool past = got.outcome == e->ending.outcome && got.detail == e->ending.detail;
        if (!past && got.outcome != KILLED) {
            fail_msg("%s: %u, %d", e->name, got.outcome, got.detail);
        }
        (void)printf("# call %ld, %s: %s\n", e->number, e->name,
                     past ? "past every filter, without effect" : "killed");
    }
    /* There are two, and no third. */
    assert_string_equal(exception_of(335)->name, "uretprobe");
    assert_string_equal(exception_of(336)->name, "uprobe");
    assert_null(exception_of(334));
    assert_null(exception_of(337));
}
#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_listings),
        cmocka_unit_test(test_other_policies_have_other_listings),
        cmocka_unit_test(test_policies_that_are_not_understood),
        cmocka_unit_test(test_invariant_3_every_native_number),
        cmocka_unit_test(test_invariant_3_arguments),
        cmocka_unit_test(test_invariant_3_the_filter_cannot_be_taken_away),
        cmocka_unit_test(test_invariant_3_no_thread_lives_on),
#if defined(__x86_64__)
        cmocka_unit_test(test_invariant_3_every_x32_number),
        cmocka_unit_test(test_invariant_3_every_32_bit_number),
        cmocka_unit_test(test_invariant_3_vsyscall_page),
        cmocka_unit_test(test_invariant_3_exceptions_of_the_kernel),
#endif
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}

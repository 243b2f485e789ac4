/* The sweep of test_filter can fail: whatever is changed in the policy, or in the filter
 * that was made of it, the sweep tells, and tells which call. */
#include "cage/sweep.h"

#define POLICY "policy/syscalls.policy"

enum { MOST_INSTRUCTIONS = 128, MOST_ROWS = 16, ROW_BYTES = 160 };

typedef struct filter_program {
    struct sock_filter instructions[MOST_INSTRUCTIONS];
    unsigned short count;
} filter_program;

/* ---- the policy, as rows that can be changed */

typedef struct policy_rows {
    char rows[MOST_ROWS][ROW_BYTES];
    unsigned count;
} policy_rows;

static policy_rows real_policy(void) {
    policy_rows policy = {.count = 0};
    char line[ROW_BYTES];
    FILE *file = fopen(POLICY, "re");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        if (*line == '#' || *line == '\n') continue;
        assert_true(policy.count + 1 < MOST_ROWS); /* one is added */
        (void)snprintf(policy.rows[policy.count++], ROW_BYTES, "%s", line);
    }
    (void)fclose(file);
    return policy;
}

/* The call that the row is about, by the number that the sweep knows it by. */
static long number_of(const char *row) {
    static const struct {
        const char *name;
        long number;
    } calls[] = {{"read ", SYS_read}, {"write ", SYS_write}, {"exit_group ", SYS_exit_group}};
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        if (strncmp(row, calls[i].name, strlen(calls[i].name)) == 0) return calls[i].number;
    }
    fail_msg("a row that the sweep does not know: %s", row);
    return -1;
}

static filter_program compiled(const policy_rows *policy) {
    const char *path = in_scratch("policy");
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    for (unsigned i = 0; i < policy->count; i++) (void)fputs(policy->rows[i], file);
    assert_int_equal(fclose(file), 0);
    assert_true(compiles(path, NATIVE));
    filter_program program = {.count = 0};
    unsigned code, jump_true, jump_false, k;
    FILE *made = fopen(in_scratch("inc"), "re");
    assert_non_null(made);
    while (fscanf(made, " {0x%x, %u, %u, 0x%x},", &code, &jump_true, &jump_false, &k) == 4) {
        assert_true(program.count < MOST_INSTRUCTIONS);
        program.instructions[program.count++] = (struct sock_filter){
            (uint16_t)code, (uint8_t)jump_true, (uint8_t)jump_false, (uint32_t)k};
    }
    assert_true(feof(made) && program.count > 0);
    (void)fclose(made);
    return program;
}

static difference swept(filter_program *program) {
    const struct sock_fprog filter = {program->count, program->instructions};
    sweep s = {.filter = &filter};
    return sweep_all(&s);
}

static bool is_about(const difference *d, long number) {
    return d->call.convention == CALL_NATIVE && d->call.number == number;
}

static void expect_noticed(const policy_rows *policy, long number, const char *what) {
    char text[160];
    filter_program program = compiled(policy);
    const difference d = swept(&program);
    if (!d.found) fail_msg("not noticed: %s", what);
    sweep_tell(&d, text, sizeof text);
    if (!is_about(&d, number)) fail_msg("%s: noticed as %s", what, text);
    (void)printf("# %.*s: %s\n", (int)strcspn(what, "\n"), what, text);
}

/* ---- mutations of the policy */

static void test_the_policy_itself_passes(void **state) {
    (void)state;
    char text[160];
    const policy_rows policy = real_policy();
    filter_program program = compiled(&policy);
    const difference d = swept(&program);
    sweep_tell(&d, text, sizeof text);
    if (d.found) fail_msg("%s", text);
}

static void test_a_row_less(void **state) {
    (void)state;
    const policy_rows policy = real_policy();
    assert_true(policy.count > 1);
    for (unsigned row = 0; row < policy.count; row++) {
        policy_rows fewer = {.count = 0};
        char what[ROW_BYTES + 16];
        for (unsigned i = 0; i < policy.count; i++) {
            if (i != row) memcpy(fewer.rows[fewer.count++], policy.rows[i], ROW_BYTES);
        }
        (void)snprintf(what, sizeof what, "without %s", policy.rows[row]);
        expect_noticed(&fewer, number_of(policy.rows[row]), what);
    }
}

/* "name | condition | why": another condition instead; false if it has none. */
static bool change_condition(char *row, const char *condition) {
    char name[ROW_BYTES], before[ROW_BYTES];
    assert_int_equal(sscanf(row, "%s |%[^|]", name, before), 2);
    if (before[strspn(before, " ")] == '\0') return false;
    (void)snprintf(row, ROW_BYTES, "%.32s | %s | changed\n", name, condition);
    return true;
}

static void test_a_row_changed(void **state) {
    (void)state;
    /* none at all, another descriptor, one with its upper half, another argument */
    static const char *const conditions[] = {"", "arg0 == 2", "arg0 == 4294967297", "arg1 == 0"};
    const policy_rows policy = real_policy();
    unsigned changed = 0;
    for (unsigned row = 0; row < policy.count; row++) {
        for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++) {
            policy_rows other = policy;
            if (!change_condition(other.rows[row], conditions[i])) continue;
            expect_noticed(&other, number_of(policy.rows[row]), other.rows[row]);
            changed++;
        }
    }
    assert_int_equal(changed, 2 * sizeof conditions / sizeof *conditions);
}

static void test_a_row_more(void **state) {
    (void)state;
    static const struct {
        const char *row;
        long number;
    } rows[] = {
        {"read | arg0 == 3 | a\n", SYS_read},
        {"read | arg0 == 4294967296 | a\n", SYS_read},
        {"write | arg0 == 2 | a\n", SYS_write},
        {"write | arg0 == 4294967297 | a\n", SYS_write},
        {"exit | | a\n", SYS_exit},
        {"mmap | | a\n", SYS_mmap},
        {"brk | | a\n", SYS_brk},
        {"openat | arg0 == 0 | a\n", SYS_openat},
        {"socket | | a\n", SYS_socket},
        {"execve | | a\n", SYS_execve},
        {"rt_sigreturn | | a\n", SYS_rt_sigreturn},
        {"getpid | | a\n", SYS_getpid},
        {"close_range | arg0 == 0 | a\n", SYS_close_range},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        policy_rows more = real_policy();
        (void)snprintf(more.rows[more.count++], ROW_BYTES, "%s", rows[i].row);
        expect_noticed(&more, rows[i].number, rows[i].row);
    }
}

/* ---- mutations of the filter: what no policy can say */

static bool is_conditional(const struct sock_filter *i) {
    return BPF_CLASS(i->code) == BPF_JMP && BPF_OP(i->code) != BPF_JA && i->jt != i->jf;
}

/* libseccomp sends the numbers of x32 to the end early, all but -1. Without that the
 * rules refuse them all the same, since no rule's number has x32's bit: only these two
 * instructions can be weaker and no worse. */
static bool is_shortcut(const struct sock_filter *i) {
    return is_conditional(i) && (i->k == UINT32_MAX || i->k == (uint32_t)X32);
}

/* Either it refuses what it must not, or it refuses x32 all the same. */
static void expect_noticed_or_harmless(filter_program *program) {
    const struct sock_fprog filter = {program->count, program->instructions};
    sweep s = {.filter = &filter};
    assert_true(!sweep_arguments(&s) || sweep_x32(&s));
}

static void expect_mutant_noticed(filter_program *program, unsigned at, const char *what) {
    char text[160];
    const difference d = swept(program);
    if (!d.found) fail_msg("not noticed: instruction %u, %s", at, what);
    sweep_tell(&d, text, sizeof text);
    (void)printf("# instruction %u, %s: %s\n", at, what, text);
}

/* A jump turned round, always taken, never taken. */
static void turn_jump(const filter_program *real, unsigned at) {
    static const char *const names[] = {"turned round", "always", "never"};
    const struct sock_filter was = real->instructions[at];
    const uint8_t targets[][2] = {{was.jf, was.jt}, {was.jt, was.jt}, {was.jf, was.jf}};
    for (size_t i = 0; i < 3; i++) {
        filter_program mutant = *real;
        mutant.instructions[at].jt = targets[i][0];
        mutant.instructions[at].jf = targets[i][1];
        if (is_shortcut(&was)) {
            expect_noticed_or_harmless(&mutant);
        } else {
            expect_mutant_noticed(&mutant, at, names[i]);
        }
    }
}

/* The check of the architecture among them, and each end with the other answer. */
static void test_an_instruction_changed(void **state) {
    (void)state;
    const policy_rows policy = real_policy();
    const filter_program real = compiled(&policy);
    unsigned jumps = 0, ends = 0;
    for (unsigned i = 0; i < real.count; i++) {
        const struct sock_filter *at = &real.instructions[i];
        if (is_conditional(at)) {
            turn_jump(&real, i);
            jumps++;
        } else if (at->code == (BPF_RET | BPF_K)) {
            filter_program mutant = real;
            mutant.instructions[i].k =
                at->k == SECCOMP_RET_ALLOW ? SECCOMP_RET_KILL_PROCESS : SECCOMP_RET_ALLOW;
            expect_mutant_noticed(&mutant, i, "the other answer");
            ends++;
        }
    }
    assert_true(jumps >= 5 && ends >= 2);
}

/* An error instead of the end, and the end of the thread alone, are weaker too. */
static void test_a_weaker_end(void **state) {
    (void)state;
    static const uint32_t weaker[] = {SECCOMP_RET_ERRNO | EPERM, SECCOMP_RET_TRAP, SECCOMP_RET_LOG,
                                      SECCOMP_RET_KILL_THREAD};
    const policy_rows policy = real_policy();
    const filter_program real = compiled(&policy);
    for (size_t w = 0; w < sizeof weaker / sizeof *weaker; w++) {
        for (unsigned i = 0; i < real.count; i++) {
            const struct sock_filter *end = &real.instructions[i];
            if (end->code != (BPF_RET | BPF_K) || end->k == SECCOMP_RET_ALLOW) continue;
            assert_int_equal(end->k, SECCOMP_RET_KILL_PROCESS);
            filter_program mutant = real;
            mutant.instructions[i].k = weaker[w];
            expect_mutant_noticed(&mutant, i, "a weaker end");
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_policy_itself_passes),
        cmocka_unit_test(test_a_row_less),
        cmocka_unit_test(test_a_row_changed),
        cmocka_unit_test(test_a_row_more),
        cmocka_unit_test(test_an_instruction_changed),
        cmocka_unit_test(test_a_weaker_end),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}

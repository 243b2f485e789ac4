/* Invariant 4: the child starts with an empty environment and the descriptors that
 * it was given, in an address space of its own, and the cage shows it no more. A
 * child that looks around ends with CURIOUS_NOTHING. */
#include "support/gate_kit.h"

#include <signal.h>

#include "cage/curious.h"

#define CURIOUS_CHILD "tests/cage/child_curious"

/* A host that holds secrets, on the heap, on the stack, in its environment and in
 * files that it has left open for everybody. */
static int host_with_secrets(void) {
    uint8_t *heap = malloc(4096), stack[CURIOUS_SECRET_BYTES];
    for (unsigned i = 0; i < CURIOUS_SECRET_BYTES; i++) {
        stack[i] = curious_secret(i);
        heap[100 + i] = stack[i];
    }
    for (unsigned i = 0; i < 100; i++) {
        if (dup2(kit_memfd(&kit.sample, 0), 100 + (int)i * 7) < 0)
            return 9; /* dup2: not closed by exec */
    }
    sigset_t all;
    (void)sigfillset(&all);
    if (sigprocmask(SIG_BLOCK, &all, NULL) != 0 || signal(SIGXCPU, SIG_IGN) == SIG_ERR) return 6;
    (void)umask(0);
    if (setenv("SECRET", (char *)stack, 1) != 0 || setenv("LD_PRELOAD", "x.so", 1) != 0 ||
        chdir(scratch) != 0) {
        return 8;
    }
    const wlk_load_options options = kit_options(CURIOUS_CHILD);
    wlk_model *model;
    wlk_error error;
    (void)kit_load(&options, &kit.sample, &model, NULL, &error);
    if (strcmp(wlk_rule_name(error.rule), "cage.exit") == 0 &&
        strcmp(error.text, "exit code 42") == 0) {
        return heap[100] == stack[0] ? 0 : 7; /* both are alive up to here */
    }
    (void)fprintf(stderr, "%s: %s\n", wlk_rule_name(error.rule), error.text);
    return 1;
}

static void test_invariant_4_the_child_knows_nothing(void **state) {
    (void)state;
    _Static_assert(CURIOUS_NOTHING == 42, "the text above");
    assert_int_equal(kit_in_process(host_with_secrets), 0);
}

static int group(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_invariant_4_the_child_knows_nothing),
    };
    return cmocka_run_group_tests(tests, kit_sample_setup, kit_sample_teardown);
}

int main(void) {
    return kit_run(group, (const char *const[]){CURIOUS_CHILD, NULL});
}

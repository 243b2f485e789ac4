/* Invariants 5, 7 and 11: answers that were changed at random, put into a pipe, and heard
 * by the parent's own code. `make check-faults` does many more of them. */
#include "gate/hostile_pipes.h"

enum { MUTATIONS = 5000, REPEATED = 500 };

/* What is changed is accepted as it is; otherwise the changes would show nothing. */
static void test_honest_answers_are_accepted(void **state) {
    (void)state;
    static pipe_source sources[PIPE_SOURCES];
    static pipe_parent p;
    const wlk_limits limits = pipe_limits();
    wire_hello body = pipe_hello();
    const sent_frame hello = {frame_make(FRAME_HELLO, 0, sizeof body, 0, 0), (const uint8_t *)&body,
                              sizeof body};
    pipe_sources_open(sources);
    for (unsigned i = 0; i < PIPE_SOURCES; i++) {
        wlk_model *model;
        wlk_error error;
        EXPECT_OK(pipe_run(&p, &sources[i], &sources[i].honest, &hello, &limits, &model, &error));
        check_usable(model, &sources[i].file, sources[i].data_from,
                     sources[i].asked.transport == WIRE_TRANSPORT_LAZY);
        assert_int_equal(wlk_model_count(model, WLK_SECTION_FINDINGS), 1);
        wlk_model_free(model);
    }
    pipe_sources_close(sources);
}

static void test_random_changes(void **state) {
    (void)state;
    pipe_tally t;
    pipe_mutations(1, MUTATIONS, NULL, &t);
    tally_print(&t);
    assert_int_equal(t.accepted + t.refused, MUTATIONS);
    assert_true(t.accepted > MUTATIONS / 100); /* both sides were seen, and many rules */
    assert_true(t.refused > MUTATIONS / 2);
    assert_true(tally_rules(&t) >= 30);
}

static void test_the_same_seeds_give_the_same(void **state) {
    (void)state;
    pipe_tally first, second, other;
    pipe_mutations(77, REPEATED, NULL, &first);
    pipe_mutations(77, REPEATED, NULL, &second);
    pipe_mutations(78, REPEATED, NULL, &other);
    assert_int_equal(first.sum, second.sum);
    assert_int_not_equal(first.sum, other.sum);
}

static int setup(void **state) {
    leftovers_count_memory();
    return kit_setup(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_honest_answers_are_accepted),
        cmocka_unit_test(test_random_changes),
        cmocka_unit_test(test_the_same_seeds_give_the_same),
    };
    return cmocka_run_group_tests(tests, setup, kit_teardown);
}

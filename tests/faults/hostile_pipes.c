/* A hundred thousand answers that were changed at random, put into pipes in one process.
 *
 *     hostile_pipes [NUMBER [SEED]]
 *
 * What is accepted is given to the inference core, and run where that has a plan for it.
 * Prints by which rules they were refused, and a summary; the same seeds give the same. */
#include "gate/hostile_pipes.h"

#include <weighlock/infer.h>

static uint64_t mutations = 100000, seed = 1;

/* ---- invariant 11: what validator and plan accept can be run */

enum { MOST_PORTS = 4, ROWS = 2, INPUT_BYTES = 4096 };

static uint64_t plans, runs;

/* Zeros for a port, with ROWS where a dim is not known; false if that takes too much. */
static bool input_of(const wlk_port *port, wlk_tensor *t) {
    static const _Alignas(64) uint8_t zeros[INPUT_BYTES];
    *t = (wlk_tensor){.dtype = port->dtype, .rank = port->rank, .data = zeros};
    if (port->rank > WLK_MAX_RANK) return false;
    uint64_t count;
    for (uint32_t i = 0; i < port->rank; i++) {
        t->shape[i] = port->dims[i] < 0 ? ROWS : (uint64_t)port->dims[i];
    }
    return port->dtype != WLK_STR && shape_count(t->shape, t->rank, &count) &&
           dtype_nbytes(t->dtype, count, &t->nbytes) && t->nbytes <= INPUT_BYTES;
}

static void run_plan(const wlk_plan *plan) {
    wlk_tensor inputs[MOST_PORTS];
    const uint32_t count = wlk_plan_inputs(plan);
    wlk_result *result;
    wlk_error error;
    for (uint32_t i = 0; i < count; i++) {
        const wlk_port port = i < MOST_PORTS ? wlk_plan_input(plan, i) : (wlk_port){0};
        if (i == MOST_PORTS || !input_of(&port, &inputs[i])) return;
    }
    if (wlk_run(plan, inputs, count, &result, &error) != WLK_OK) return;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < wlk_result_count(result); i++) {
        const wlk_tensor t = wlk_result_tensor(result, i);
        for (uint64_t j = 0; j < t.nbytes; j++) sum += ((const uint8_t *)t.data)[j];
    }
    runs += sum < UINT64_MAX; /* every byte has been read */
    wlk_result_free(result);
}

static void give_to_the_core(const wlk_model *model) {
    wlk_limits limits;
    wlk_plan *plan;
    wlk_error error;
    uint32_t ran;
    wlk_limits_default(&limits);
    limits.run_bytes = 1u << 20;
    limits.run_operations = 1u << 24;
    if (wlk_plan_create(model, &limits, &plan, &error) != WLK_OK) return;
    plans++;
    (void)!wlk_selftest_run(plan, &ran, &error);
    run_plan(plan);
    wlk_plan_free(plan);
}

/* ---- all of it */

static char summary[512]; /* the last line */

static void run(void **state) {
    (void)state;
    pipe_tally t;
    (void)printf("seeds %llu to %llu\n", (unsigned long long)seed,
                 (unsigned long long)(seed + mutations - 1));
    const leftovers before = leftovers_before(NULL);
    pipe_mutations(seed, mutations, give_to_the_core, &t);
    const char *left = leftovers_since(&before);
    tally_print(&t);
    (void)snprintf(summary, sizeof summary,
                   "hostile-pipes: %llu mutations, %llu refused by %u rules, %llu accepted, "
                   "%llu runs, 0 crashes, %s leaks, outcome %016llx",
                   (unsigned long long)mutations, (unsigned long long)t.refused, tally_rules(&t),
                   (unsigned long long)t.accepted, (unsigned long long)runs, left ? left : "0",
                   (unsigned long long)t.sum);
    assert_null(left);
    assert_int_equal(t.accepted + t.refused, mutations);
    assert_true(mutations < 10000 || (plans >= runs && runs > 100));
}

static int setup(void **state) {
    leftovers_count_memory();
    return kit_setup(state);
}

int main(int argc, char **argv) {
    if (argc > 1) mutations = strtoull(argv[1], NULL, 0);
    if (argc > 2) seed = strtoull(argv[2], NULL, 0);
    const struct CMUnitTest tests[] = {cmocka_unit_test(run)};
    const int failed = cmocka_run_group_tests_name("hostile-pipes", tests, setup, kit_teardown);
    if (!failed) (void)puts(summary);
    return failed;
}

/* Five thousand captured children, each of which says its honest answer changed at random,
 * and five hundred more in all layers; through the real gate.
 *
 *     hostile_processes [NUMBER [NUMBER-IN-ALL-LAYERS [SEED]]]
 *
 * The same bytes are put into a pipe as well (hostile_pipes): a load must end as they do
 * there. Prints by which rules it ended, and a summary. BUILD names the build's folder. */
#include "gate/hostile_load.h"
#include "gate/hostile_pipes.h"

static uint64_t processes = 5000, in_all_layers = 500, first_seed = 1, pooled;

/* Which file is asked for how; as many as there are sources. */
static pipe_source sources[PIPE_SOURCES];

typedef struct outcome {
    wlk_status status;
    wlk_error error;
} outcome;

static outcome in_a_pipe(const pipe_source *s, uint64_t seed) {
    static pipe_parent p;
    const wlk_limits limits = pipe_limits();
    outcome o;
    wlk_model *model;
    o.status = pipe_mutated(&p, s, seed, &limits, &model, &o.error);
    if (model) wlk_model_free(model);
    return o;
}

static wlk_load_options options_for(const pipe_source *s, uint64_t seed, wlk_layers layers) {
    wlk_load_options options = hostile_options(HOSTILE_mutates, seed);
    const wlk_limits limits = pipe_limits();
    options.layers = layers;
    options.policy.limits.output_bytes = limits.output_bytes;
    options.policy.limits.image_bytes = limits.image_bytes;
    options.policy.limits.tensors = limits.tensors;
    if (s->asked.transport == WIRE_TRANSPORT_MAP) options.transport = WLK_TRANSPORT_MAP;
    options.pool = seed % 8 == 0 && s->asked.transport != WIRE_TRANSPORT_LAZY;
    return options;
}

static wlk_status open_lazily(const wlk_load_options *options, const pipe_source *s,
                              wlk_error *error) {
    wlk_gate *gate = kit_gate(options);
    const wlk_artifact artifact = {.fd = kit_memfd(&s->file, 0)};
    wlk_lazy *lazy;
    const wlk_status status = wlk_gate_open_lazy(gate, &artifact, &lazy, NULL, error);
    if ((status == WLK_OK) != (lazy != NULL)) fail_msg("a refused model is handed out");
    if (lazy) check_usable(wlk_lazy_model(lazy), &s->file, s->data_from, true);
    wlk_lazy_close(lazy);
    (void)close(artifact.fd);
    wlk_gate_close(gate);
    return status;
}

static wlk_status load_at_once(const wlk_load_options *options, const pipe_source *s,
                               wlk_error *error) {
    wlk_gate *gate = kit_gate(options);
    const int fd = kit_memfd(&s->file, ALL_SEALS);
    wlk_load_report report;
    wlk_model *model;
    hostile_wait(gate, options);
    const wlk_status status = wlk_gate_load_fd(gate, fd, &model, &report, error);
    if ((status == WLK_OK) != (model != NULL)) fail_msg("a refused model is handed out");
    if (model) check_usable(model, &s->file, s->data_from, false);
    assert_int_equal(report.pooled, options->pool);
    pooled += options->pool;
    wlk_model_free(model);
    (void)close(fd);
    wlk_gate_close(gate);
    return status;
}

static outcome from_a_child(const pipe_source *s, uint64_t seed, wlk_layers layers) {
    const wlk_load_options options = options_for(s, seed, layers);
    outcome o = {.error = {.offset = WLK_NO_OFFSET}};
    const bool lazy = s->asked.transport == WIRE_TRANSPORT_LAZY;
    o.status = lazy ? open_lazily(&options, s, &o.error) : load_at_once(&options, s, &o.error);
    return o;
}

/* In a pipe nobody can be looked at: what is said of layers is held against what is. */
static bool ends_alike(const outcome *loaded, const outcome *pipe, bool hello) {
    const char *rule = loaded->status == WLK_OK ? ACCEPTED : wlk_rule_name(loaded->error.rule);
    if (hello) return begins_with(rule, "cage.") || begins_with(rule, "wire.");
    if (loaded->status != pipe->status) return false;
    return loaded->status == WLK_OK ||
           (loaded->error.rule == pipe->error.rule && loaded->error.offset == pipe->error.offset);
}

static void check_seed(uint64_t seed, wlk_layers layers, pipe_tally *t) {
    const pipe_source *s = &sources[seed % PIPE_SOURCES];
    const leftovers before = leftovers_before(NULL);
    const double start = kit_seconds();
    const outcome loaded = from_a_child(s, seed, layers);
    const double took = kit_seconds() - start;
    const char *left = leftovers_since(&before);
    const outcome pipe = in_a_pipe(s, seed);
    const bool known = loaded.status == WLK_OK ||
                       (loaded.error.rule > RULE_NONE && loaded.error.rule < RULE_COUNT &&
                        loaded.status == rule_status(loaded.error.rule));
    /* A change of HELLO may have changed nothing. */
    const bool hello = mutates_hello(seed) && loaded.status != WLK_OK;
    tally_add(t, loaded.status, &loaded.error);
    if (left || !known || took * 1000 > HOSTILE_DEADLINE || !ends_alike(&loaded, &pipe, hello)) {
        fail_msg("%s, seed %llu: %s (%s), not %s; %s; %f s", s->name, (unsigned long long)seed,
                 loaded.status == WLK_OK ? ACCEPTED : wlk_rule_name(loaded.error.rule),
                 loaded.error.text,
                 pipe.status == WLK_OK ? ACCEPTED : wlk_rule_name(pipe.error.rule),
                 left ? left : "nothing is left", took);
    }
}

static char summary[512]; /* the last line */

static void run(void **state) {
    (void)state;
    static pipe_tally t;
    (void)printf("seeds %llu to %llu\n", (unsigned long long)first_seed,
                 (unsigned long long)(first_seed + processes + in_all_layers - 1));
    pipe_sources_open(sources);
    for (uint64_t i = 0; i < processes + in_all_layers; i++) {
        check_seed(first_seed + i, i < processes ? WLK_LAYERS_REQUIRED : WLK_LAYERS_ALL, &t);
    }
    pipe_sources_close(sources);
    tally_print(&t);
    (void)snprintf(
        summary, sizeof summary,
        "hostile-processes: %llu loads (%llu in all layers, %llu by the pool), %llu refused by %u "
        "rules, %llu accepted, 0 late, 0 crashes, 0 leaks, outcome %016llx",
        (unsigned long long)(processes + in_all_layers), (unsigned long long)in_all_layers,
        (unsigned long long)pooled, (unsigned long long)t.refused, tally_rules(&t),
        (unsigned long long)t.accepted, (unsigned long long)t.sum);
    assert_true(t.accepted > 0 && t.refused > t.accepted);
}

static int setup(void **state) {
    leftovers_count_memory();
    return kit_setup(state);
}

int main(int argc, char **argv) {
    if (argc > 1) processes = strtoull(argv[1], NULL, 0);
    if (argc > 2) in_all_layers = strtoull(argv[2], NULL, 0);
    if (argc > 3) first_seed = strtoull(argv[3], NULL, 0);
    const struct CMUnitTest tests[] = {cmocka_unit_test(run)};
    (void)kit_program(HOSTILE_CHILD);
    const int failed = cmocka_run_group_tests_name("hostile-processes", tests, setup, kit_teardown);
    if (!failed) (void)puts(summary);
    return failed;
}

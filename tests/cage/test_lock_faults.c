/* Every call that a layer makes, to be applied or to be verified, is made to fail: without
 * a required layer the load is refused by that layer's name, before a byte of the artifact
 * is read (invariants 6 and 8); an optional one is reported as failed, and required too it
 * refuses the load. child_faulty is the real child but for the call that fails. */
#include "support/gate_kit.h"

#include "cage/faulty.h"

#define FAULTY_CHILD "tests/cage/child_faulty"
#define MOST_CALLS 512 /* of one part of a layer */

static wlk_load_report here; /* what the real child shows on this machine */

typedef struct fault_case {
    enum fault_phase phase;
    uint32_t layer;
    uint32_t call;
    int reason;
} fault_case;

typedef struct fault_result {
    wlk_status status;
    wlk_error error;
    wlk_load_report report;
    bool reached;
} fault_result;

static fault_result load_with(const fault_case *f, uint32_t require) {
    fault_result r = {.reached = true};
    wlk_load_options options = kit_options(FAULTY_CHILD);
    wlk_model *model = NULL;
    options.require = require;
    options.policy.limits.columns = fault_code(f->phase, f->layer, f->reason);
    options.policy.limits.json_bytes = f->call;
    r.status = kit_load(&options, &kit.sample, &model, &r.report, &r.error);
    if ((r.status == WLK_OK) != (model != NULL)) fail_msg("a model without WLK_OK, or none with");
    wlk_model_free(model);
    if (r.status != WLK_OK && strcmp(wlk_rule_name(r.error.rule), "cage.exit") == 0) {
        char text[32];
        (void)snprintf(text, sizeof text, "exit code %d", FAULT_NOT_REACHED);
        r.reached = strcmp(r.error.text, text) != 0;
    }
    return r;
}

static bool is_refused_by_layer(const fault_result *r, uint32_t layer) {
    return r->status == WLK_CAGE && strcmp(wlk_rule_name(r->error.rule), "cage.layer") == 0 &&
           strstr(r->error.text, wlk_layer_name(layer)) != NULL;
}

static bool is_told(const fault_result *r, uint32_t layer) {
    return r->report.layers[layer] == WLK_LAYER_FAILED && r->report.layer_errno[layer] != 0;
}

/* What came of one layer's calls. */
typedef struct fault_tally {
    unsigned calls;
    unsigned held; /* all the same, as is seen from outside */
    unsigned failures;
} fault_tally;

static const char *what_is_wrong_if_required(const fault_result *r, uint32_t layer) {
    if (!is_told(r, layer)) return "the report does not call the layer failed";
    return is_refused_by_layer(r, layer) ? NULL : "not refused by the layer's name";
}

static bool required_layers_hold(const wlk_load_report *report) {
    for (uint32_t i = 0; i < WLK_LAYER_COUNT; i++) {
        if (wlk_layer_required(i) && report->layers[i] < WLK_LAYER_REPORTED) return false;
    }
    return true;
}

/* It may hold all the same only where it is seen from outside: it asks more than once, or
 * asks less. */
static const char *what_is_wrong_if_optional(const fault_case *f, const fault_result *r,
                                             fault_tally *tally) {
    if (r->status != WLK_OK) return "refused without an optional layer";
    if (!required_layers_hold(&r->report)) return "a required layer does not hold";
    if (r->report.layers[f->layer] == WLK_LAYER_ATTESTED) {
        tally->held++;
        return NULL;
    }
    if (!is_told(r, f->layer)) return "the report does not call the layer failed";
    if (f->call > 0) return NULL;
    const fault_result required = load_with(f, 1u << f->layer);
    return is_refused_by_layer(&required, f->layer) ? NULL : "required, and not refused";
}

/* Each call of that part of the layer fails once. */
static fault_tally fail_each_call(enum fault_phase phase, uint32_t layer, int reason) {
    static const char *const phases[] = {"apply", "verify"};
    fault_tally tally = {.calls = 0};
    for (; tally.calls < MOST_CALLS; tally.calls++) {
        const fault_case f = {phase, layer, tally.calls, reason};
        const fault_result r = load_with(&f, 0);
        if (!r.reached) return tally;
        const char *wrong = wlk_layer_required(layer) ? what_is_wrong_if_required(&r, layer)
                                                      : what_is_wrong_if_optional(&f, &r, &tally);
        if (!wrong) continue;
        (void)fprintf(stderr, "%s, %s, call %u, %s: %s (%s %s)\n", wlk_layer_name(layer),
                      phases[phase], f.call, strerrorname_np(reason), wrong,
                      r.status == WLK_OK ? "accepted" : wlk_rule_name(r.error.rule),
                      r.status == WLK_OK ? "" : r.error.text);
        tally.failures++;
    }
    fail_msg("more than %d calls", MOST_CALLS);
    return tally;
}

/* What can be had here only in part says so already; what is not made by the child, or is
 * not asked of an ordinary user, makes no call. */
static bool makes_calls(enum fault_phase phase, uint32_t layer) {
    const char *name = wlk_layer_name(layer);
    if (here.layers[layer] == WLK_LAYER_FAILED) return false;
    if (strcmp(name, "pid-namespace") == 0) return false; /* at clone */
    if (phase == FAULT_VERIFY) {
        return strcmp(name, "oom-score") != 0 && strcmp(name, "heap") != 0 &&
               strcmp(name, "seccomp") != 0;
    }
    if (strcmp(name, "ids") == 0) return geteuid() == 0;
    return strcmp(name, "regain") != 0 && strcmp(name, "speculation") != 0;
}

static void fail_every_layer(enum fault_phase phase, int reason) {
    unsigned failures = 0, total = 0;
    for (uint32_t layer = 0; layer < WLK_LAYER_COUNT; layer++) {
        if (here.layers[layer] == WLK_LAYER_FAILED) {
            (void)printf("# %s: failed here without our doing\n", wlk_layer_name(layer));
            continue;
        }
        const fault_tally tally = fail_each_call(phase, layer, reason);
        if ((tally.calls > 0) != makes_calls(phase, layer)) {
            fail_msg("%s: %u calls", wlk_layer_name(layer), tally.calls);
        }
        (void)printf("# %s: %u calls, it holds without %u of them\n", wlk_layer_name(layer),
                     tally.calls, tally.held);
        failures += tally.failures;
        total += tally.calls;
    }
    (void)printf("# %u calls in all, each with %s\n", total, strerrorname_np(reason));
    assert_int_equal(failures, 0);
}

static void test_every_call_that_applies_a_layer_is_forbidden(void **state) {
    (void)state;
    fail_every_layer(FAULT_APPLY, EPERM);
}

static void test_every_call_that_applies_a_layer_is_unknown(void **state) {
    (void)state;
    fail_every_layer(FAULT_APPLY, ENOSYS);
}

static void test_every_call_that_verifies_a_layer_is_forbidden(void **state) {
    (void)state;
    fail_every_layer(FAULT_VERIFY, EPERM);
}

/* Memory that cannot be had is the limit's doing, not a hole in the cage. */
static void test_no_memory_for_the_heap(void **state) {
    (void)state;
    const fault_case f = {FAULT_APPLY, kit_layer("heap"), 0, ENOMEM};
    const fault_result r = load_with(&f, 0);
    expect_refused("heap", r.status, &r.error, "limit.heap-bytes", NULL);
}

/* That nothing was read is known: the child would have died of it. */
static void test_the_child_dies_of_reading(void **state) {
    (void)state;
    const fault_case f = {FAULT_NOWHERE, 0, 0, 0};
    const fault_result r = load_with(&f, 0);
    expect_refused("artifact", r.status, &r.error, "cage.crash", NULL);
}

static int setup(void **state) {
    if (kit_sample_setup(state) != 0) return 1;
    const wlk_load_options options = kit_options(REAL_CHILD);
    wlk_gate *gate = kit_gate(&options);
    wlk_error error;
    EXPECT_OK(wlk_gate_check(gate, &here, &error));
    wlk_gate_close(gate);
    return 0;
}

static int group(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_child_dies_of_reading),
        cmocka_unit_test(test_every_call_that_applies_a_layer_is_forbidden),
        cmocka_unit_test(test_every_call_that_applies_a_layer_is_unknown),
        cmocka_unit_test(test_every_call_that_verifies_a_layer_is_forbidden),
        cmocka_unit_test(test_no_memory_for_the_heap),
    };
    return cmocka_run_group_tests(tests, setup, kit_sample_teardown);
}

int main(void) {
    return kit_run(group, (const char *const[]){REAL_CHILD, FAULTY_CHILD, NULL});
}

/* One load by a child that misbehaves, and how it ends: for tables of rows with a
 * parameter. */
#ifndef TESTS_GATE_HOSTILE_LOAD_H
#define TESTS_GATE_HOSTILE_LOAD_H

#include "support/gate_kit.h"
#include "support/leftovers.h"

#include "gate/hostile_cases.h"

#define HOSTILE_CHILD "tests/gate/child_hostile"
#define HOSTILE_DEADLINE 20000 /* ms: nobody who ends at all needs that long */

/* The required layers alone, trusting everybody. */
static inline wlk_load_options hostile_options(enum hostile_case number, uint64_t parameter) {
    wlk_load_options options = kit_options(HOSTILE_CHILD);
    options.layers = WLK_LAYERS_REQUIRED;
    options.transport = WLK_TRANSPORT_PIPE;
    options.allow_unsigned = 1;
    options.policy.limits.deadline_ms = HOSTILE_DEADLINE;
    options.policy.limits.columns = number;
    options.policy.limits.json_bytes = parameter;
    return options;
}

/* Waits for the child of the gate's pool, if it has one, which behaves until it has the
 * file. */
static inline void hostile_wait(wlk_gate *gate, const wlk_load_options *options) {
    const double end = kit_seconds() + HOSTILE_DEADLINE / 1000.0;
    while (wlk_gate_waiting(gate) < options->pool && kit_seconds() < end) (void)usleep(100);
    assert_int_equal(wlk_gate_waiting(gate), options->pool);
}

/* One load of the file by a gate of these options. */
static inline wlk_status hostile_load(const wlk_load_options *options, const kit_file *file,
                                      wlk_model **model, wlk_error *error) {
    wlk_gate *gate = kit_gate(options);
    const int fd = kit_memfd(file, ALL_SEALS);
    hostile_wait(gate, options);
    const wlk_status status = wlk_gate_load_fd(gate, fd, model, NULL, error);
    (void)close(fd);
    wlk_gate_close(gate);
    return status;
}

/* Is it one of the names, which are separated by | ? */
static inline bool is_one_of_names(const char *names, const char *name) {
    const size_t length = strlen(name);
    for (const char *at = names; at; at = strchr(at, '|')) {
        if (*at == '|') at++;
        if (strncmp(at, name, length) == 0 && strchr("|", at[length])) return true;
    }
    return false;
}

/* Loads the file. The rule must be one of `want`, with its verdict, within the deadline,
 * without a model, and with nothing left behind; says so where it is not. */
static inline bool hostile_ends_with(const char *name, const wlk_load_options *options,
                                     const kit_file *file, const char *want) {
    const leftovers before = leftovers_before(NULL);
    wlk_model *model = (wlk_model *)(uintptr_t)1;
    wlk_error error = {.offset = WLK_NO_OFFSET};
    const double start = kit_seconds();
    const wlk_status status = hostile_load(options, file, &model, &error);
    const double took = kit_seconds() - start;
    const char *got = status == WLK_OK ? ACCEPTED : wlk_rule_name(error.rule);
    const char *wrong = is_one_of_names(want, got) ? NULL : "ends otherwise";
    if (!wrong && (status == WLK_OK) != (model != NULL)) wrong = "model";
    if (!wrong && status != WLK_OK && status != rule_status(error.rule)) wrong = "verdict";
    if (!wrong && took * 1000 > (double)options->policy.limits.deadline_ms + 5000) wrong = "late";
    wlk_model_free(model);
    if (!wrong) wrong = leftovers_since(&before);
    if (wrong) {
        (void)fprintf(stderr, "%s: %s: %s (%s), not %s\n", name, wrong, got,
                      status == WLK_OK ? "" : error.text, want);
    }
    return !wrong;
}

#endif

/* Which refusals the seeds end with: what no seed reaches, a fuzzer has to find alone. */
#include <stdio.h>
#include <string.h>

#include "seeds/seeds.h"

static bool reached[RULE_COUNT];

void rules_reached(wlk_rule rule) {
    reached[rule] = true;
}

/* Layers whose rules a small input can break. */
static const char *const layers[] = {"data.",  "format.", "graph.",  "header.",
                                     "image.", "opset.",  "string.", "tensor.",
                                     "type.",  "wire.",   "limit.",  "selftest.tolerance"};

static bool starts_with(const char *name, const char *start) {
    return strncmp(name, start, strlen(start)) == 0;
}

static bool is_concerned(const char *name) {
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        if (starts_with(name, layers[i])) return true;
    }
    return false;
}

/* Which of them none can, and why. */
static const struct excuse {
    const char *name, *why;
} excuses[] = {
    {"limit.file-bytes", "1 TiB, and nothing may be larger than memory here"},
    {"limit.snapshot-bytes", "of the copy that the gate makes"},
    {"limit.heap-bytes", "of the child as a process"},
    {"limit.cpu-seconds", "of the child as a process"},
    {"limit.deadline", "of the child as a process"},
    {"limit.pool-children", "of the gate's options"},
    {"limit.tensors", "so many need a header beyond its limit"},
    {"limit.values", "so many need a header beyond its limit"},
    {"limit.nodes", "so many need a header beyond its limit"},
    {"limit.attributes", "so many need a header beyond its limit"},
    {"limit.attribute-values", "so many need a header beyond its limit"},
    {"limit.string-bytes", "so long a text needs a header beyond its limit"},
    {"limit.metadata-entries", "so many need an image beyond its limit"},
    {"limit.header-bytes", "an input of 1 MiB is longer than any is"},
    {"limit.rank", "the limit is the format's own: tensor.shape and type.form"},
    {"limit.header-depth", "the limit is the format's own: header.depth"},
    {"limit.element-objects", "so many need a header beyond its limit"},
    {"limit.columns", "of rows, which have a target of their own"},
    {"limit.pickle-depth", "a file of joblib in one: its own parts are no layer here"},
    {"limit.estimator-depth", "what seeds of estimators are made of is no table of this tree"},
    {"format.ambiguous", "a target knows which format it reads"},
    {"string.utf8", "the header's scan finds it first: header.utf8"},
};

static const char *excuse_of(const char *name) {
    for (size_t i = 0; i < sizeof excuses / sizeof *excuses; i++) {
        if (strcmp(excuses[i].name, name) == 0) return excuses[i].why;
    }
    return NULL;
}

unsigned rules_report(void) {
    unsigned wanted = 0, found = 0, missing = 0;
    for (uint32_t rule = RULE_NONE + 1; rule < RULE_COUNT; rule++) {
        const char *name = wlk_rule_name(rule);
        if (!is_concerned(name)) continue;
        const char *excuse = excuse_of(name);
        wanted++;
        found += reached[rule];
        if (reached[rule]) continue;
        (void)printf("no seed ends with %s%s%s\n", name, excuse ? ": " : "", excuse ? excuse : "");
        missing += excuse == NULL;
    }
    (void)printf("%u of %u rules of parsers, image and wire have seeds\n", found, wanted);
    return missing;
}

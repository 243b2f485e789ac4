/* The confined child out of memory, at each of its allocations: once, and for good. Each
 * time the load is refused with the limit's rule, or, before the child is locked down,
 * for the layer that could not be; or the allocation was none that matters (the child's
 * rehearsal) and the model is the same. Never a crash, never another model. */
#include "endure_files.h"

#include "faults/alloc_child.h"
#include "support/leftovers.h"
#include "write/everything.h"

#define STARVED_CHILD "tests/faults/child_starved"
#define MOST_POINTS 100000
#define PATIENCE 50000 /* tenths of a millisecond */

static struct { unsigned points, loads, refused, unharmed, failures; } told;

/* ---- one load */

typedef struct want {
    const char *name;
    const char *file;
    wlk_transport transport;
    bool lazy;
    uint32_t pool;
} want;

static const want wants[] = {{"by pipe", "all.wlk", WLK_TRANSPORT_PIPE, false, 0},
                             {"by map", "all.wlk", WLK_TRANSPORT_MAP, false, 0},
                             {"lazily", "model.wlk", WLK_TRANSPORT_PIPE, true, 0},
                             {"pooled", "all.wlk", WLK_TRANSPORT_PIPE, false, 1}};

/* All that can be seen of a model but its graph, in one number. */
static uint64_t model_sum(const wlk_model *model) {
    files_sum = 0;
    for (uint32_t i = 0; i < WLK_SECTION_COUNT; i++) {
        const uint32_t count = wlk_model_count(model, (wlk_section)i);
        files_mix(&count, sizeof count);
    }
    for (uint32_t i = 0; i < wlk_model_count(model, WLK_SECTION_TENSORS); i++) {
        const wlk_tensor tensor = wlk_model_tensor(model, i);
        files_mix(tensor.name, strlen(tensor.name));
        if (tensor.data) files_mix(tensor.data, tensor.nbytes);
    }
    return files_sum;
}

static void wait_for_pool(wlk_gate *gate, uint32_t children) {
    for (unsigned i = 0; wlk_gate_waiting(gate) < children; i++) {
        if (i == PATIENCE) fail_msg("no child waits");
        (void)usleep(100);
    }
}

static wlk_status load(const want *w, uint64_t k, uint64_t how, uint64_t *sum, wlk_error *error) {
    wlk_load_options options = kit_options(STARVED_CHILD);
    const wlk_artifact artifact = {.path = in_scratch(w->file)};
    wlk_load_report report;
    wlk_model *model = NULL;
    wlk_lazy *lazy = NULL;
    options.layers = WLK_LAYERS_REQUIRED;
    options.transport = w->transport;
    options.pool = w->pool;
    options.policy.limits.columns = k;
    options.policy.limits.json_bytes = how;
    wlk_gate *gate = kit_gate(&options);
    wait_for_pool(gate, w->pool);
    const wlk_status status = w->lazy ? wlk_gate_open_lazy(gate, &artifact, &lazy, &report, error)
                                      : wlk_gate_load(gate, &artifact, &model, &report, error);
    if (report.pooled != (w->pool > 0)) fail_msg("%s: pooled %d", w->name, report.pooled);
    *sum = 0;
    if (status == WLK_OK) *sum = model_sum(lazy ? wlk_lazy_model(lazy) : model);
    wlk_lazy_close(lazy);
    wlk_model_free(model);
    wlk_gate_close(gate);
    told.loads++;
    return status;
}

/* ---- one point */

static void tell(const want *w, uint64_t k, uint64_t how, const char *wrong, wlk_status status,
                 const wlk_error *error) {
    told.failures++;
    (void)printf("%s: allocation %llu%s%s: %s: %s %s\n", w->name, (unsigned long long)k,
                 how & STARVED_FOR_GOOD ? " and on" : "", how & STARVED_NOT_YET ? " behind GO" : "",
                 wrong, refusal_told(status, error).said, status == WLK_OK ? "" : error->text);
}

static bool is_refusal_of(const wlk_error *error, const char *rule) {
    return strcmp(wlk_rule_name(error->rule), rule) == 0;
}

/* Returns whether the load was refused. */
static bool starve(const want *w, uint64_t k, uint64_t how, uint64_t sum) {
    wlk_error error = {.offset = WLK_NO_OFFSET};
    uint64_t got;
    const leftovers before = leftovers_before(NULL);
    const wlk_status status = load(w, k, how, &got, &error);
    const char *wrong = leftovers_since(&before);
    if (status == WLK_OK && got != sum) wrong = "another model";
    if (status != WLK_OK && !is_refusal_of(&error, "limit.heap-bytes") &&
        (how & STARVED_NOT_YET || !is_refusal_of(&error, "cage.layer"))) {
        wrong = "refused otherwise";
    }
    if (wrong) tell(w, k, how, wrong, status, &error);
    told.refused += status != WLK_OK;
    told.unharmed += status == WLK_OK;
    return status != WLK_OK;
}

/* Behind GO nothing is asked for that is not needed: from the first load that succeeds
 * on, all do. Returns how many points there are. */
static uint64_t starve_behind_go(const want *w, uint64_t how, uint64_t sum) {
    uint64_t k = 1;
    while (k < MOST_POINTS && starve(w, k, how | STARVED_NOT_YET, sum)) k++;
    for (uint64_t more = 1; more <= 8; more++) {
        const wlk_error none = {.offset = WLK_NO_OFFSET};
        if (starve(w, k + more, how | STARVED_NOT_YET, sum)) {
            tell(w, k + more, how, "refused behind one that was not", WLK_REFUSED, &none);
        }
    }
    return k - 1;
}

static void starve_all(const want *w) {
    wlk_error error;
    uint64_t sum, nothing;
    EXPECT_OK(load(w, 0, 0, &sum, &error));
    const uint64_t once = starve_behind_go(w, 0, sum);
    const uint64_t for_good = starve_behind_go(w, STARVED_FOR_GOOD, sum);
    if (once != for_good || once == 0) {
        (void)load(w, 0, 0, &nothing, &error);
        tell(w, once, 0, "other points for good", WLK_OK, &error);
    }
    told.points += (unsigned)once;
    if (w->pool > 0) return; /* what happens before GO is no load's */
    uint64_t all = 1;
    while (all < MOST_POINTS && starve(w, all, STARVED_FOR_GOOD, sum)) all++;
    for (uint64_t k = 1; k < all - once; k++) (void)starve(w, k, 0, sum);
    told.points += (unsigned)(all - 1 - once);
}

int main(void) {
    void *state = NULL;
    assert_int_equal(kit_setup(&state), 0);
    files_make();
    wlk_model *model = everything();
    files_write(model, "all.wlk", kit.key, 0);
    wlk_model_free(model);
    for (size_t i = 0; i < sizeof wants / sizeof *wants; i++) starve_all(&wants[i]);
    (void)kit_teardown(&state);
    (void)printf("alloc_child: %u allocations, %u loads: %u refused, %u unharmed; failures %u\n",
                 told.points, told.loads, told.refused, told.unharmed, told.failures);
    return told.failures != 0;
}

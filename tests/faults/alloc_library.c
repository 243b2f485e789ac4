/* Memory that runs out anywhere: each allocation of each scenario fails once, and each
 * one and all behind it, until the scenario completes untouched. The library's own give
 * internal.memory, and those of the libraries beneath it a verdict; nothing is left
 * behind, no file is half written, and what was being used can be used again. */
#include "alloc_scenarios.h"

#include "support/leftovers.h"

/* ---- one point: it fails, and then the scenario is run again in peace */

static struct { unsigned points, runs, absorbed, failures; } told;

typedef struct peace {
    leftovers left;
    long alive;
    uint64_t files;
} peace;

static peace peace_now(void) {
    return (peace){leftovers_before(NULL), atomic_load(&points.alive), files_of(scratch)};
}

static const char *broken_since(const peace *before) {
    if (have.wrong) return have.wrong;
    const char *left = leftovers_since(&before->left);
    if (left) return left;
    if (atomic_load(&points.alive) != before->alive) return "memory is left";
    return files_of(scratch) != before->files ? "files are not the same" : NULL;
}

/* What a failed allocation may be called. */
static const char *verdict_fault(int source, wlk_status status, const wlk_error *error) {
    if (status != error->status) return "verdict";
    if (source == POINTS_LIBRARY) {
        return error->rule == RULE_INTERNAL_MEMORY ? NULL : "not internal.memory";
    }
    return status == WLK_SYSTEM ? NULL : "not the system's";
}

static void tell(size_t i, int source, long k, bool for_good, const char *wrong, wlk_status status,
                 const wlk_error *error) {
    told.failures++;
    (void)printf("%s: %s allocation %ld%s: %s: %s %s\n", scenarios[i].name,
                 source == POINTS_LIBRARY ? "own" : "foreign", k, for_good ? " and on" : "", wrong,
                 refusal_told(status, error).said, status == WLK_OK ? "" : error->text);
}

/* Returns whether the point was reached. */
static bool fail_point(size_t i, int source, long k, bool for_good) {
    wlk_error error = {.offset = WLK_NO_OFFSET};
    const peace before = peace_now();
    have.wrong = NULL;
    points_arm(source, k, for_good);
    const wlk_status status = scenarios[i].run(&error);
    points_disarm();
    const bool reached = points_reached();
    const char *wrong = broken_since(&before);
    if (!wrong && status != WLK_OK) {
        wrong = reached ? verdict_fault(source, status, &error) : "failed untouched";
    }
    if (!wrong && reached && status == WLK_OK) {
        told.absorbed++;
        if (source == POINTS_LIBRARY && !scenarios[i].absorbs) wrong = "absorbed";
    }
    if (wrong) tell(i, source, k, for_good, wrong, status, &error);
    if (!reached || wrong) return reached;
    const wlk_status again = scenarios[i].run(&error);
    wrong = again == WLK_OK ? broken_since(&before) : "not usable again";
    if (wrong) tell(i, source, k, for_good, wrong, again, &error);
    return true;
}

static void fail_all(size_t i, int source) {
    for (int for_good = 0; for_good < 2; for_good++) {
        for (long k = 1; fail_point(i, source, k, for_good); k++) {
            told.runs++;
            told.points += !for_good;
        }
    }
}

/* ---- */

static void make_public_keys(void) {
    for (uint8_t i = 0; i < KEYS; i++) {
        uint8_t secret[crypto_sign_SECRETKEYBYTES];
        have.keys[i].id[0] = (uint8_t)(i + 1);
        assert_int_equal(crypto_sign_keypair(have.keys[i].key, secret), 0);
    }
}

static void prepare(void) {
    void *state = NULL;
    wlk_error error;
    size_t size;
    assert_int_equal(kit_setup(&state), 0);
    files_make();
    make_public_keys();
    wlk_limits_default(&have.limits);
    wlk_load_options options = kit_options(REAL_CHILD);
    have.gate = kit_gate(&options);
    options.transport = WLK_TRANSPORT_MAP;
    have.mapping = kit_gate(&options);
    const wlk_artifact whole = {.path = in_scratch("model.wlk")},
                       chunks = {.path = in_scratch("chunks.wlk")};
    EXPECT_OK(wlk_gate_open_lazy(have.gate, &whole, &have.lazy, NULL, &error));
    EXPECT_OK(wlk_gate_open_lazy(have.gate, &chunks, &have.chunks, NULL, &error));
    EXPECT_OK(wlk_gate_load_path(have.gate, in_scratch("model.wlk"), &have.model, NULL, &error));
    EXPECT_OK(wlk_plan_create(have.model, NULL, &have.plan, &error));
    have.written.data = read_bytes(in_scratch("model.wlk"), &size);
    have.written.size = size;
    for (int i = 0; i < 6; i++) have.rows[i] = i;
}

static void clear_away(void) {
    void *state = NULL;
    wlk_plan_free(have.plan);
    wlk_model_free(have.model);
    wlk_lazy_close(have.lazy);
    wlk_lazy_close(have.chunks);
    wlk_gate_close(have.gate);
    wlk_gate_close(have.mapping);
    free(have.written.data);
    (void)kit_teardown(&state);
}

int main(int argc, char **argv) {
    points_set();
    prepare();
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
        wlk_error error;
        if (argc > 1 && !strstr(scenarios[i].name, argv[1])) continue;
        for (int warm = 0; warm < 2; warm++) { /* what is made once is made */
            if (scenarios[i].run(&error) == WLK_OK) continue;
            told.failures++;
            (void)printf("%s: %s %s\n", scenarios[i].name, wlk_rule_name(error.rule), error.text);
        }
        const unsigned before[] = {told.points, told.runs};
        fail_all(i, POINTS_LIBRARY);
        const unsigned own = told.points - before[0];
        fail_all(i, POINTS_OTHERS);
        if (argc > 1) {
            (void)printf("%s: own %u, foreign %u\n", scenarios[i].name, own,
                         told.points - before[0] - own);
        }
    }
    clear_away();
    (void)printf(
        "alloc_library: %zu scenarios, %u allocations, %u runs; absorbed %u, failures %u\n",
        sizeof scenarios / sizeof *scenarios, told.points, told.runs, told.absorbed, told.failures);
    return told.failures != 0;
}

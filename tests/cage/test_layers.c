/* The layers one by one: shown, required, left out, lied about, lost. A child of
 * another kind leaves them out, whose every other layer is the real one. */
#include "support/gate_kit.h"

#include "gate/hostile_cases.h"

#define HOSTILE_CHILD "tests/gate/child_hostile"

static kit_file small, large; /* on both sides of HOSTILE_LARGE */
static wlk_load_report here;  /* what the real child shows on this machine */

static const struct {
    const char *name;
    bool required;
    bool attested; /* seen from outside by root, and by a user where it holds */
} layers[WLK_LAYER_COUNT] = {
    {"descriptors", true, true},  {"rlimits", true, true},        {"oom-score", true, true},
    {"heap", true, false},        {"pid-namespace", false, true}, {"namespaces", false, true},
    {"empty-root", false, false}, {"bounding-set", false, true},  {"ids", true, true},
    {"capabilities", true, true}, {"regain", true, false},        {"no-new-privs", true, true},
    {"not-dumpable", true, true}, {"parent-death", false, false}, {"landlock", false, false},
    {"mdwe", false, false},       {"speculation", false, false},  {"zero-rlimits", true, true},
    {"seccomp", true, true},
};

static wlk_load_options hostile(enum hostile_case number, uint32_t parameter) {
    wlk_load_options options = kit_options(HOSTILE_CHILD);
    options.policy.limits.columns = number;
    options.policy.limits.json_bytes = parameter;
    return options;
}

/* ---- what the real child shows */

static void test_names_and_needs(void **state) {
    (void)state;
    for (uint32_t i = 0; i < WLK_LAYER_COUNT; i++) {
        assert_string_equal(wlk_layer_name(i), layers[i].name);
        assert_int_equal(wlk_layer_required(i), layers[i].required);
    }
    assert_null(wlk_layer_name(WLK_LAYER_COUNT));
    assert_int_equal(wlk_layer_required(WLK_LAYER_COUNT), 0);
    assert_int_equal(wlk_layer_required(UINT32_MAX), 0);
}

/* Root's view of other processes takes a capability that a container may withhold. */
static bool sees_everything(void) {
    char line[128];
    unsigned long effective = 0;
    FILE *file = fopen("/proc/self/status", "re");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) && sscanf(line, "CapEff: %lx", &effective) != 1) continue;
    (void)fclose(file);
    return effective >> 19 & 1; /* CAP_SYS_PTRACE */
}

/* Is the layer one that we can see? Another user's process is partly closed to us:
 * its namespaces can be seen if they are below ours, and its descriptors can be
 * counted from Linux 6.2 on. */
static bool must_be_attested(uint32_t layer) {
    if (!layers[layer].attested) return false;
    const bool closed = layer == kit_layer("namespaces") || layer == kit_layer("descriptors");
    return sees_everything() || !closed || here.layers[layer] == WLK_LAYER_ATTESTED;
}

/* As `weighlock doctor` shows them. */
static void test_check_reports_every_layer(void **state) {
    (void)state;
    for (uint32_t i = 0; i < WLK_LAYER_COUNT; i++) {
        if (here.layers[i] == WLK_LAYER_FAILED) {
            assert_false(layers[i].required);
            assert_int_not_equal(here.layer_errno[i], 0);
            continue;
        }
        assert_int_equal(here.layers[i],
                         must_be_attested(i) ? WLK_LAYER_ATTESTED : WLK_LAYER_REPORTED);
        assert_int_equal(here.layer_errno[i], 0);
    }
}

static void test_only_the_required_layers(void **state) {
    (void)state;
    wlk_load_options options = kit_options(REAL_CHILD);
    wlk_model *model;
    wlk_load_report report;
    wlk_error error;
    options.layers = WLK_LAYERS_REQUIRED;
    EXPECT_OK(kit_load(&options, &small, &model, &report, &error));
    wlk_model_free(model);
    for (uint32_t i = 0; i < WLK_LAYER_COUNT; i++) {
        if (layers[i].required) assert_true(report.layers[i] >= WLK_LAYER_REPORTED);
        if (!layers[i].required) assert_int_equal(report.layers[i], WLK_LAYER_NOT_TRIED);
    }
}

/* What holds here can be required, what does not is refused by its name. */
static void test_require_each_layer(void **state) {
    (void)state;
    wlk_load_options options = kit_options(REAL_CHILD);
    for (uint32_t i = 0; i < 32; i++) {
        const bool exists = i < WLK_LAYER_COUNT;
        const bool holds = exists && here.layers[i] >= WLK_LAYER_REPORTED;
        wlk_error error;
        options.require = 1u << i;
        wlk_gate *gate = kit_gate(&options);
        const wlk_status status = wlk_gate_check(gate, NULL, &error);
        wlk_gate_close(gate);
        if (holds) {
            expect_ok(status, &error);
        } else {
            expect_refused("require", status, &error, "cage.layer",
                           exists ? layers[i].name : "unknown");
        }
    }
}

/* ---- one layer at a time is left out */

static void test_without_a_layer(void **state) {
    (void)state;
    for (uint32_t i = 0; i < WLK_LAYER_COUNT; i++) {
        wlk_load_options options = hostile(HOSTILE_admits_layer, i);
        wlk_model *model;
        wlk_load_report report;
        wlk_error error;
        wlk_status status = kit_load(&options, &small, &model, &report, &error);
        if (layers[i].required) {
            expect_refused(layers[i].name, status, &error, "cage.layer", layers[i].name);
            assert_null(model);
            continue;
        }
        expect_ok(status, &error);
        wlk_model_free(model);
        assert_int_equal(report.layers[i], WLK_LAYER_FAILED);
        assert_int_equal(report.layer_errno[i], EPERM);
        options.require = 1u << i;
        status = kit_load(&options, &small, &model, &report, &error);
        expect_refused(layers[i].name, status, &error, "cage.layer", layers[i].name);
    }
}

/* The child says that a layer holds that it has left out. */
static void test_lies_about_a_layer(void **state) {
    (void)state;
    static const struct {
        const char *layer;
        bool seen_by_root, seen_by_user;
        wlk_layers layers;
    } rows[] = {
        {"rlimits", true, true, WLK_LAYERS_ALL},
        {"oom-score", true, true, WLK_LAYERS_ALL},
        {"no-new-privs", true, true, WLK_LAYERS_ALL},
        {"zero-rlimits", true, true, WLK_LAYERS_ALL},
        {"seccomp", true, true, WLK_LAYERS_ALL},
        {"seccomp", true, true, WLK_LAYERS_REQUIRED},
        {"bounding-set", true, true, WLK_LAYERS_REQUIRED},
        {"pid-namespace", true, true, WLK_LAYERS_REQUIRED},
        {"ids", true, false, WLK_LAYERS_ALL}, /* nor another identity */
        /* Nobody can see these from outside: they are reported, and not attested. */
        {"heap", false, false, WLK_LAYERS_ALL},
        {"empty-root", false, false, WLK_LAYERS_ALL},
        {"regain", false, false, WLK_LAYERS_ALL},
        {"parent-death", false, false, WLK_LAYERS_ALL},
        {"landlock", false, false, WLK_LAYERS_ALL},
        {"mdwe", false, false, WLK_LAYERS_ALL},
        {"speculation", false, false, WLK_LAYERS_ALL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const uint32_t layer = kit_layer(rows[i].layer);
        wlk_load_options options = hostile(HOSTILE_claims_layer, layer);
        wlk_model *model;
        wlk_load_report report;
        wlk_error error;
        options.layers = rows[i].layers;
        const wlk_status status = kit_load(&options, &small, &model, &report, &error);
        if (geteuid() == 0 ? rows[i].seen_by_root : rows[i].seen_by_user) {
            expect_refused(rows[i].layer, status, &error, "cage.attest", NULL);
            continue;
        }
        if (layer == kit_layer("heap")) { /* 16 KiB are not enough for its work */
            assert_int_equal(status, WLK_CAGE);
            continue;
        }
        expect_ok(status, &error);
        wlk_model_free(model);
        if (layer == kit_layer("ids")) continue; /* a user's own, and they can be seen */
        assert_int_equal(report.layers[layer], WLK_LAYER_REPORTED);
    }
}

/* Invariant 8: a later child of a gate that misses a layer which held before is
 * refused, also where that layer is not required. */
static void test_invariant_8_a_layer_is_lost(void **state) {
    (void)state;
    unsigned lost = 0;
    for (uint32_t i = 0; i < WLK_LAYER_COUNT; i++) {
        if (layers[i].required || here.layers[i] < WLK_LAYER_REPORTED) continue;
        const wlk_load_options options = hostile(HOSTILE_loses_layer, i);
        const int fds[3] = {kit_memfd(&small, 0), kit_memfd(&large, 0), kit_memfd(&small, 0)};
        wlk_gate *gate = kit_gate(&options);
        wlk_error error;
        for (unsigned turn = 0; turn < 3; turn++) {
            wlk_model *model;
            const wlk_status status = wlk_gate_load_fd(gate, fds[turn], &model, NULL, &error);
            (void)close(fds[turn]);
            if (turn == 1) {
                expect_refused(layers[i].name, status, &error, "cage.layer-lost", layers[i].name);
                lost++;
            } else {
                expect_ok(status, &error);
            }
            wlk_model_free(model);
        }
        wlk_gate_close(gate);
    }
    assert_true(lost > 0);
}

static void expect_lie_seen(bool seen, wlk_layers which, const char *layer) {
    wlk_load_options options = hostile(HOSTILE_claims_layer, kit_layer(layer));
    wlk_model *model;
    wlk_error error;
    options.layers = which;
    const wlk_status status = kit_load(&options, &small, &model, NULL, &error);
    if (seen) {
        expect_refused(layer, status, &error, "cage.attest", layer);
    } else {
        expect_ok(status, &error); /* there is nothing to see, or we must not */
    }
    wlk_model_free(model);
}

/* Root's child has capabilities to keep, a user's child has them in namespaces of
 * its own, where it has such; and those are open to us. */
static void test_lies_about_namespaces_and_capabilities(void **state) {
    (void)state;
    const bool open = here.layers[kit_layer("namespaces")] == WLK_LAYER_ATTESTED;
    expect_lie_seen(sees_everything() || open, WLK_LAYERS_ALL, "namespaces");
    expect_lie_seen(sees_everything(), WLK_LAYERS_REQUIRED, "namespaces");
    expect_lie_seen(geteuid() == 0 || open, WLK_LAYERS_ALL, "capabilities");
}

/* Who keeps the copy's descriptor has not mapped it either, so that nothing is loaded
 * where the descriptors cannot be seen. Root's child is hidden by its change of
 * identity already, and is seen to be. */
static void test_lies_about_descriptors_and_dumping(void **state) {
    (void)state;
    const uint32_t layer = kit_layer("descriptors");
    wlk_load_options options = hostile(HOSTILE_claims_layer, layer);
    wlk_model *model;
    wlk_error error;
    const wlk_status status = kit_load(&options, &small, &model, NULL, &error);
    assert_null(model);
    assert_int_not_equal(status, WLK_OK);
    if (must_be_attested(layer)) {
        expect_refused("descriptors", status, &error, "cage.attest", "descriptors");
    }
    expect_lie_seen(geteuid() != 0, WLK_LAYERS_ALL, "not-dumpable");
    expect_lie_seen(geteuid() != 0, WLK_LAYERS_REQUIRED, "not-dumpable");
}

static int setup(void **state) {
    if (kit_setup(state) != 0) return 1;
    const wlk_load_options options = kit_options(REAL_CHILD);
    wlk_gate *gate = kit_gate(&options);
    const unsigned descriptors = kit_descriptors();
    wlk_error error;
    EXPECT_OK(wlk_gate_check(gate, &here, &error));
    assert_true(kit_is_clean(descriptors));
    wlk_gate_close(gate);
    small = kit_signed(0);
    large = kit_signed(2 * HOSTILE_LARGE);
    return small.size <= HOSTILE_LARGE && large.size > HOSTILE_LARGE ? 0 : 1;
}

static int teardown(void **state) {
    free(small.data);
    free(large.data);
    return kit_teardown(state);
}

static int group(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_and_needs),
        cmocka_unit_test(test_check_reports_every_layer),
        cmocka_unit_test(test_only_the_required_layers),
        cmocka_unit_test(test_require_each_layer),
        cmocka_unit_test(test_without_a_layer),
        cmocka_unit_test(test_lies_about_a_layer),
        cmocka_unit_test(test_lies_about_namespaces_and_capabilities),
        cmocka_unit_test(test_lies_about_descriptors_and_dumping),
        cmocka_unit_test(test_invariant_8_a_layer_is_lost),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

int main(void) {
    return kit_run(group, (const char *const[]){REAL_CHILD, HOSTILE_CHILD, NULL});
}

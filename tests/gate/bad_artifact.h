/* Loads of an artifact that may be bad: whole, and lazily with every tensor. Both say the
 * same of it. */
#ifndef TESTS_GATE_BAD_ARTIFACT_H
#define TESTS_GATE_BAD_ARTIFACT_H

#include "support/gate_kit.h"

#include "support/leftovers.h"

static inline wlk_status artifact_whole(wlk_gate *gate, const wlk_artifact *artifact,
                                        wlk_error *error) {
    wlk_model *model = (wlk_model *)(uintptr_t)1;
    wlk_load_report report;
    const wlk_status status = wlk_gate_load(gate, artifact, &model, &report, error);
    if ((status == WLK_OK) != (model != NULL)) fail_msg("a model of what was refused, or none");
    /* What another file is, only a child finds out. */
    const bool alone = report.verification.native || error->rule != RULE_FORMAT_UNKNOWN;
    if (status != WLK_OK && report.child_started && alone) fail_msg("a child for what was refused");
    wlk_model_free(model);
    return status;
}

static inline wlk_status artifact_tensors(wlk_lazy *lazy, wlk_error *error) {
    const uint32_t count = wlk_model_count(wlk_lazy_model(lazy), WLK_SECTION_TENSORS);
    for (uint32_t i = 0; i < count; i++) {
        wlk_tensor tensor;
        const wlk_status status = wlk_lazy_tensor(lazy, i, &tensor, error);
        if (status != WLK_OK) return status;
        wlk_lazy_release(&tensor);
    }
    return WLK_OK;
}

static inline wlk_status artifact_lazily(wlk_gate *gate, const wlk_artifact *artifact,
                                         wlk_error *error) {
    wlk_lazy *lazy = (wlk_lazy *)(uintptr_t)1;
    wlk_status status = wlk_gate_open_lazy(gate, artifact, &lazy, NULL, error);
    if ((status == WLK_OK) != (lazy != NULL)) fail_msg("a model of what was refused, or none");
    if (status == WLK_OK) status = artifact_tensors(lazy, error);
    wlk_lazy_close(lazy);
    return status;
}

/* Of "WHOLE|LAZILY" the part that is meant; without a | it is the same. */
static inline refusal_text artifact_want(const char *want, bool lazily) {
    const char *other = strchr(want, '|');
    const char *from = other && lazily ? other + 1 : want;
    refusal_text text;
    (void)snprintf(text.said, sizeof text.said, "%.*s", (int)strcspn(from, "|"), from);
    return text;
}

/* Each through a gate of its own, so that a closed gate counts among what may be left.
 * path NULL: the descriptor. */
static inline bool artifact_row(const char *name, const wlk_load_options *options, const char *path,
                                int fd, const char *want, const char *text) {
    bool all = true;
    for (int lazily = 0; lazily < 2; lazily++) {
        const wlk_artifact artifact = {.path = path, .fd = fd};
        const leftovers before = leftovers_before(scratch);
        char full[128];
        wlk_error error = {.offset = 0};
        wlk_gate *gate = kit_gate(options);
        const wlk_status status = lazily ? artifact_lazily(gate, &artifact, &error)
                                         : artifact_whole(gate, &artifact, &error);
        wlk_gate_close(gate);
        (void)snprintf(full, sizeof full, "%s%s", name, lazily ? ", lazily" : "");
        all &= row_passes(full, artifact_want(want, lazily).said, text, status, &error, &before);
    }
    return all;
}

#endif

#include "cli/model_source.h"

/* What a lazy load cannot serve is loaded whole, which checks more and not less. */
static bool needs_whole(const wlk_error *error) {
    return error->rule == RULE_LOAD_LAZY_EVIDENCE || error->rule == RULE_LOAD_LAZY_FORMAT;
}

wlk_status model_source_open(const cli *c, const char *file, bool allow_unsigned,
                             model_source *source, wlk_error *error) {
    cli_file known;
    wlk_error reason = {.offset = WLK_NO_OFFSET};
    *source = (model_source){0};
    TRY(cli_gate(c, allow_unsigned, &source->gate, &source->trust, error));
    TRY(cli_file_of(c, file, &known, error));
    const wlk_status status =
        wlk_gate_open_lazy(source->gate, &known.artifact, &source->lazy, &source->report, &reason);
    if (status == WLK_OK) return WLK_OK;
    if (needs_whole(&reason)) {
        return cli_load(c, source->gate, file, &source->whole, &source->report, error);
    }
    *error = reason;
    return status;
}

void model_source_close(model_source *source) {
    wlk_lazy_close(source->lazy);
    wlk_model_free(source->whole);
    wlk_gate_close(source->gate);
    wlk_trust_free(source->trust);
}

const wlk_model *model_source_model(const model_source *source) {
    return source->lazy ? wlk_lazy_model(source->lazy) : source->whole;
}

wlk_status model_source_tensor(const model_source *source, uint32_t index, wlk_tensor *tensor,
                               wlk_error *error) {
    if (source->lazy) return wlk_lazy_tensor(source->lazy, index, tensor, error);
    *tensor = wlk_model_tensor(source->whole, index);
    return WLK_OK;
}

void model_source_release(const model_source *source, wlk_tensor *tensor) {
    if (source->lazy) wlk_lazy_release(tensor);
}

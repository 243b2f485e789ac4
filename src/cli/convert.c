#include <weighlock/write.h>

#include "cli/cli.h"

/* *subject: the file that an error is about. */
static wlk_status load(const cli *c, wlk_model **model, const char **subject, wlk_error *error) {
    wlk_gate *gate;
    wlk_trust *trust;
    wlk_status status =
        cli_gate(c, option_given(&c->options, OPTION_ALLOW_UNSIGNED), &gate, &trust, error);
    *model = NULL;
    if (status == WLK_OK) {
        *subject = c->options.operands[0];
        status = cli_load(c, gate, *subject, model, NULL, error);
    }
    wlk_gate_close(gate);
    wlk_trust_free(trust);
    return status;
}

static wlk_status convert(const cli *c, const char *out, const char **subject, wlk_error *error) {
    wlk_model *model;
    wlk_public_key signer;
    uint64_t size;
    TRY(load(c, &model, subject, error));
    const wlk_status status =
        cli_write_model(c, model, (wlk_write_options){0}, OPTION_SIGN, out, &signer, error);
    wlk_model_free(model);
    if (error->rule == RULE_WRITE_TARGET || error->rule == RULE_WRITE_FAILED) *subject = NULL;
    if (status != WLK_OK) return status;
    *subject = out;
    TRY(cli_size_of(out, &size, error));
    cli_print_written(c, out, size, c->options.value[OPTION_SIGN] ? &signer : NULL);
    return WLK_OK;
}

int verb_convert(const cli *c) {
    const char *out, *subject = NULL;
    wlk_error error = {.offset = WLK_NO_OFFSET};
    wlk_status status = cli_model_output(c, &out, &error);
    if (status == WLK_OK && !out) {
        status = error_text(&error, RULE_CLI_USAGE, WLK_NO_OFFSET, "convert needs --output FILE");
    }
    if (status == WLK_OK) status = convert(c, out, &subject, &error);
    return status == WLK_OK ? WLK_OK : cli_fail(c, subject, &error);
}

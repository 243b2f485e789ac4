#include <stdio.h>

#include <weighlock/write.h>

#include "cli/cli.h"
#include "input/json_spec.h"

/* *subject: the file that an error is about. */
static wlk_status pack(const cli *c, const char *out, const char **subject, wlk_error *error) {
    wlk_policy policy;
    wlk_model *model = NULL;
    wlk_public_key signer;
    uint64_t size;
    TRY(options_policy(&c->options, &policy, error));
    *subject = c->options.operands[0];
    TRY(json_spec_read(*subject, &policy.limits, &model, error));
    *subject = NULL;
    const wlk_write_options options = {.compress = option_given(&c->options, OPTION_COMPRESS)};
    const wlk_status status = cli_write_model(c, model, options, OPTION_SIGN, out, &signer, error);
    wlk_model_free(model);
    if (status != WLK_OK) return status;
    *subject = out;
    TRY(cli_size_of(out, &size, error));
    cli_print_written(c, out, size, c->options.value[OPTION_SIGN] ? &signer : NULL);
    return WLK_OK;
}

int verb_pack(const cli *c) {
    const char *out, *subject = NULL;
    wlk_error error = {.offset = WLK_NO_OFFSET};
    wlk_status status = cli_model_output(c, &out, &error);
    if (status == WLK_OK && !out) {
        status = error_text(&error, RULE_CLI_USAGE, WLK_NO_OFFSET, "pack needs --output FILE");
    }
    if (status == WLK_OK) status = pack(c, out, &subject, &error);
    return status == WLK_OK ? WLK_OK : cli_fail(c, subject, &error);
}

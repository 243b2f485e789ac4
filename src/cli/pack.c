#include <stdio.h>

#include <weighlock/write.h>

#include "cli/cli.h"
#include "input/json_spec.h"

/* The secret key is opened only once the model stands. */
static wlk_status write_model(const cli *c, const wlk_model *model, const char *out,
                              wlk_public_key *signer, wlk_error *error) {
    wlk_write_options options = {0};
    wlk_secret_key *key = NULL;
    const char *secret = c->options.value[OPTION_SIGN];
    if (secret) {
        TRY(cli_secret_key(c, secret, &key, error));
        wlk_secret_key_public(key, signer);
        options.key = key;
    }
    const wlk_status status = wlk_write_path(model, &options, out, error);
    wlk_secret_key_free(key);
    return status;
}

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
    const wlk_status status = write_model(c, model, out, &signer, error);
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

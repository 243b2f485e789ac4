#include <stdio.h>
#include <sys/stat.h>

#include <weighlock/write.h>

#include "cli/cli.h"
#include "input/json_spec.h"

static uint64_t size_of(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 ? (uint64_t)status.st_size : 0;
}

/* The secret key is opened only once the model stands. */
static wlk_status write_model(const cli *c, const wlk_model *model, const char *out,
                              char id[WLK_KEY_ID_TEXT_BYTES], wlk_error *error) {
    wlk_write_options options = {0};
    wlk_secret_key *key = NULL;
    wlk_public_key signer;
    wlk_status status = WLK_OK;
    id[0] = 0;
    if (c->options.value[OPTION_SIGN]) {
        status = cli_secret_key(c, c->options.value[OPTION_SIGN], &key, error);
    }
    if (status == WLK_OK && key) {
        wlk_secret_key_public(key, &signer);
        wlk_key_id_text(signer.id, id);
        options.key = key;
    }
    if (status == WLK_OK) status = wlk_write_path(model, &options, out, error);
    wlk_secret_key_free(key);
    return status;
}

int verb_pack(const cli *c) {
    const char *spec = c->options.operands[0], *out = c->options.value[OPTION_OUTPUT];
    wlk_error error = {.offset = WLK_NO_OFFSET};
    wlk_limits limits;
    wlk_model *model = NULL;
    char id[WLK_KEY_ID_TEXT_BYTES];
    if (!out) {
        (void)!error_text(&error, RULE_CLI_USAGE, WLK_NO_OFFSET, "pack needs --output FILE");
        return cli_fail(c, spec, &error);
    }
    wlk_status status = options_limits(&c->options, &limits, &error);
    if (status == WLK_OK) status = json_spec_read(spec, &limits, &model, &error);
    if (status == WLK_OK) status = write_model(c, model, out, id, &error);
    wlk_model_free(model);
    if (status != WLK_OK) return cli_fail(c, spec, &error);
    cli_print_wrote(c, out, size_of(out), id);
    return WLK_OK;
}

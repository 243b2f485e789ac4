#include <string.h>

#include "cli/cli.h"

const char *cli_trust_folder(const cli *c, const wlk_policy *policy) {
    if (c->options.value[OPTION_TRUST]) return c->options.value[OPTION_TRUST];
    return policy->trust_folder[0] ? policy->trust_folder : NULL;
}

wlk_status cli_gate(const cli *c, bool allow_unsigned, wlk_gate **gate, wlk_trust **trust,
                    wlk_error *error) {
    wlk_load_options load;
    *gate = NULL;
    *trust = NULL;
    TRY(options_load(&c->options, &load, error));
    TRY(wlk_trust_open(cli_trust_folder(c, &load.policy), trust, error));
    load.trust = *trust;
    load.child_path = c->child_path;
    load.allow_unsigned = allow_unsigned;
    return wlk_gate_open(&load, gate, error);
}

wlk_status cli_model_output(const cli *c, const char **path, wlk_error *error) {
    *path = c->options.value[OPTION_OUTPUT];
    if (!*path || strcmp(*path, "-") != 0) return WLK_OK;
    return error_text(error, RULE_CLI_USAGE, WLK_NO_OFFSET,
                      "--output -: a model goes to a file; one of that name is ./-");
}

#include <string.h>

#include "base/envelope.h"
#include "cli/cli.h"

wlk_status cli_gate(const cli *c, bool allow_unsigned, wlk_gate **gate, wlk_trust **trust,
                    wlk_error *error) {
    wlk_load_options load;
    *gate = NULL;
    *trust = NULL;
    TRY(options_load(&c->options, &load, error));
    TRY(wlk_trust_open(c->options.value[OPTION_TRUST], trust, error));
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

wlk_status cli_vouched(const wlk_verification *v, wlk_error *error) {
    char id[WLK_KEY_ID_TEXT_BYTES];
    if (v->state == WLK_SIGNED_TRUSTED) return WLK_OK;
    if (v->state == WLK_UNSIGNED) return error_at(error, RULE_TRUST_UNSIGNED, ENVELOPE_KEY_ID_AT);
    wlk_key_id_text(v->key_id, id);
    return error_text(error, RULE_TRUST_UNKNOWN_KEY, ENVELOPE_KEY_ID_AT, "key %s", id);
}

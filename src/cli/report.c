#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/explain.h"

bool cli_json(const cli *c) {
    return option_given(&c->options, OPTION_JSON) || option_given(&c->options, OPTION_STDIN0);
}

/* ---- refusals */

/* `why`, unless it is NULL, is told too. */
static void fail_json(const char *file, const wlk_error *error, const explanation *why) {
    json_out j = json_out_to(stdout, JSON_FLAT);
    json_begin_map(&j, JSON_FLAT);
    cli_json_refusal(&j, file, error);
    if (why) explain_json(&j, why);
    json_end_map(&j);
    (void)putchar('\n');
}

int cli_fail(const cli *c, const char *file, const wlk_error *error) {
    const bool json = cli_json(c), explained = explain_wanted(c, file, error);
    explanation why;
    if (!json) cli_text_refusal(stderr, file, error);
    if (explained) explain_run(c, file, &why);
    if (json) fail_json(file, error, explained ? &why : NULL);
    if (explained && !json) explain_print(file, &why);
    return (int)error->status;
}

int cli_finish(int code) {
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout)) return code;
    if (code == WLK_SYSTEM) return code; /* said already */
    wlk_error error;
    const wlk_status status =
        errno ? error_errno(&error, RULE_CLI_OUTPUT, errno, "standard output")
              : error_text(&error, RULE_CLI_OUTPUT, WLK_NO_OFFSET, "standard output");
    cli_text_refusal(stderr, NULL, &error); /* not JSON: stdout is what failed */
    return (int)status;
}

/* ---- who vouches */

static const char *state_name(wlk_signature_state state) {
    static const char *const states[] = {[WLK_UNSIGNED] = "unsigned",
                                         [WLK_SIGNED_UNKNOWN] = "unknown-key",
                                         [WLK_SIGNED_TRUSTED] = "trusted",
                                         [WLK_SIGNED_EXPIRED] = "expired-key",
                                         [WLK_SIGNED_REVOKED] = "revoked-key"};
    return states[state];
}

const char *cli_signature_state(const wlk_verification *v) {
    return state_name(v->state);
}

const char *cli_signer_state(const wlk_signer *signer) {
    return state_name(signer->state);
}

void cli_signature_text(const wlk_verification *v, char *text, size_t size) {
    static const char *const remarks[] = {[WLK_SIGNED_TRUSTED] = "",
                                          [WLK_SIGNED_EXPIRED] = ", which does not count now",
                                          [WLK_SIGNED_REVOKED] = ", which was revoked"};
    char id[WLK_KEY_ID_TEXT_BYTES];
    wlk_key_id_text(v->key_id, id);
    if (v->state == WLK_UNSIGNED) {
        (void)snprintf(text, size, "unsigned");
    } else if (v->state == WLK_SIGNED_UNKNOWN) {
        (void)snprintf(text, size, "signed by a key that is not trusted (%s)", id);
    } else {
        (void)snprintf(text, size, "signed by %s (key %s)%s", v->key_name, id, remarks[v->state]);
    }
}

static void json_signer(json_out *j, const wlk_signer *signer) {
    char id[WLK_KEY_ID_TEXT_BYTES];
    wlk_key_id_text(signer->key_id, id);
    json_begin_map(j, JSON_FLAT);
    json_pair_text(j, "state", cli_signer_state(signer));
    json_pair_text(j, "key", id);
    json_pair_text(j, "key_name", signer->key_name);
    json_key(j, "detached");
    json_bool(j, signer->detached);
    json_end_map(j);
}

uint32_t cli_signers_listed(const wlk_verification *v) {
    return v->signer_count < WLK_MAX_SIGNERS ? v->signer_count : WLK_MAX_SIGNERS;
}

static void json_signers(json_out *j, const wlk_verification *v) {
    json_key(j, "signers");
    json_begin_list(j, JSON_FLAT);
    for (uint32_t i = 0; i < cli_signers_listed(v); i++) json_signer(j, &v->signers[i]);
    json_end_list(j);
}

void cli_json_verification(json_out *j, const wlk_verification *v, uint32_t threshold) {
    char id[WLK_KEY_ID_TEXT_BYTES];
    wlk_key_id_text(v->key_id, id);
    json_pair_text(j, "signature", cli_signature_state(v));
    json_pair_text(j, "key", v->state == WLK_UNSIGNED ? "" : id);
    json_pair_text(j, "key_name", v->key_name);
    json_key(j, "native");
    json_bool(j, v->native);
    json_pair_unsigned(j, "trusted", v->trusted);
    json_pair_unsigned(j, "threshold", threshold);
    json_pair_unsigned(j, "digests", v->digests);
    json_key(j, "trusted_comment");
    if (v->trusted_comment[0]) {
        json_text(j, v->trusted_comment);
    } else {
        json_put_null(j);
    }
    json_signers(j, v);
}

/* ---- what was written */

void cli_print_written(const cli *c, const char *file, uint64_t size,
                       const wlk_public_key *signer) {
    char id[WLK_KEY_ID_TEXT_BYTES] = "";
    if (signer) wlk_key_id_text(signer->id, id);
    if (!cli_json(c)) {
        cli_print_safe(file);
        (void)printf(": wrote %llu bytes, %s%s\n", (unsigned long long)size,
                     signer ? "signed with key " : "unsigned", id);
        return;
    }
    json_out j = json_out_to(stdout, JSON_FLAT);
    json_begin_map(&j, JSON_FLAT);
    json_pair_text(&j, "verdict", wlk_status_name(WLK_OK));
    json_pair_text(&j, "file", file);
    json_pair_unsigned(&j, "bytes", size);
    json_key(&j, "key");
    if (signer) {
        json_text(&j, id);
    } else {
        json_put_null(&j);
    }
    json_end_map(&j);
    (void)putchar('\n');
}

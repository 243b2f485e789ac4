#include <stdio.h>

#include "cli/cli.h"

static const char *const state_names[] = {"unsigned", "unknown-key", "trusted"};

static void report_json(const char *file, const wlk_load_report *report, wlk_status status) {
    char id[WLK_KEY_ID_TEXT_BYTES];
    wlk_key_id_text(report->verification.key_id, id);
    json_t *out = json_pack("{s:o, s:s, s:s, s:s, s:s, s:I}", "file", cli_json_text(file), "verdict",
                            wlk_status_name(status), "signature",
                            state_names[report->verification.state], "key", id, "key_name",
                            report->verification.key_name, "bytes",
                            (json_int_t)report->file_bytes);
    cli_print_json(out, false);
}

static wlk_status not_vouched_for(const wlk_verification *v, wlk_error *error) {
    char id[WLK_KEY_ID_TEXT_BYTES];
    if (v->state == WLK_UNSIGNED) return error_at(error, RULE_TRUST_UNSIGNED, WLK_NO_OFFSET);
    wlk_key_id_text(v->key_id, id);
    return error_text(error, RULE_TRUST_UNKNOWN_KEY, WLK_NO_OFFSET, "key %s", id);
}

static wlk_status verify_one(const cli *c, wlk_gate *gate, const char *file) {
    wlk_load_report report;
    wlk_error error;
    wlk_status status = wlk_gate_verify_path(gate, file, &report, &error);
    if (status == WLK_OK && report.verification.state != WLK_SIGNED_TRUSTED &&
        !option_given(&c->options, OPTION_ALLOW_UNSIGNED)) {
        status = not_vouched_for(&report.verification, &error);
    }
    if (status != WLK_OK) return (wlk_status)cli_fail(c, file, &error);
    if (option_given(&c->options, OPTION_JSON)) {
        report_json(file, &report, status);
        return status;
    }
    char text[256];
    cli_signature_text(&report.verification, text, sizeof text);
    cli_print_safe(file);
    (void)printf(": ok: ");
    cli_print_safe(text);
    (void)printf(", digests hold\n");
    return status;
}

/* Over several files the worst verdict counts: design section 10. */
static wlk_status worse(wlk_status a, wlk_status b) {
    static const wlk_status worst_first[] = {WLK_CAGE,    WLK_SYSTEM,    WLK_LIMIT,
                                             WLK_TRUST,   WLK_REFUSED,   WLK_UNDECIDED,
                                             WLK_UNSUPPORTED, WLK_USAGE};
    for (size_t i = 0; i < sizeof worst_first / sizeof *worst_first; i++) {
        if (a == worst_first[i] || b == worst_first[i]) return worst_first[i];
    }
    return WLK_OK;
}

int verb_verify(const cli *c) {
    wlk_gate *gate = NULL;
    wlk_trust *trust = NULL;
    wlk_error error = {.offset = WLK_NO_OFFSET};
    wlk_status status = cli_gate(c, true, &gate, &trust, &error);
    if (status != WLK_OK) {
        (void)cli_fail(c, NULL, &error);
    } else {
        for (uint32_t i = 0; i < c->options.operand_count; i++) {
            status = worse(status, verify_one(c, gate, c->options.operands[i]));
        }
    }
    wlk_gate_close(gate);
    wlk_trust_free(trust);
    return (int)status;
}

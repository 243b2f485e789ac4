#include <stdio.h>

#include "cli/cli.h"

static void print_ok(const char *file, const wlk_load_report *report) {
    char text[256];
    cli_signature_text(&report->verification, text, sizeof text);
    cli_print_safe(file);
    (void)printf(": ok: ");
    cli_print_safe(text);
    (void)printf(", digests hold\n");
}

static void json_ok(json_out *j, const char *file, const wlk_load_report *report) {
    char id[WLK_KEY_ID_TEXT_BYTES];
    const wlk_verification *v = &report->verification;
    wlk_key_id_text(v->key_id, id);
    json_pair_text(j, "file", file);
    json_pair_text(j, "verdict", wlk_status_name(WLK_OK));
    json_pair_text(j, "signature", cli_signature_state(v));
    json_pair_text(j, "key", v->state == WLK_UNSIGNED ? "" : id);
    json_pair_text(j, "key_name", v->key_name);
    json_pair_unsigned(j, "bytes", report->file_bytes);
}

/* j: the list of files, with --json. */
static wlk_status verify_one(const cli *c, wlk_gate *gate, const char *file, json_out *j) {
    wlk_load_report report;
    wlk_error error = {.offset = WLK_NO_OFFSET};
    wlk_status status = wlk_gate_verify_path(gate, file, &report, &error);
    if (status == WLK_OK) {
        status = wlk_verification_check(&report.verification, 1,
                                        option_given(&c->options, OPTION_ALLOW_UNSIGNED), &error);
    }
    if (!cli_json(c)) {
        if (status == WLK_OK) {
            print_ok(file, &report);
        } else {
            (void)cli_fail(c, file, &error);
        }
        return status;
    }
    json_begin_map(j, JSON_FLAT);
    if (status == WLK_OK) {
        json_ok(j, file, &report);
    } else {
        cli_json_refusal(j, file, &error);
    }
    json_end_map(j);
    return status;
}

/* Over several files the worst verdict counts, in this order. */
static wlk_status worse(wlk_status a, wlk_status b) {
    static const wlk_status worst_first[] = {WLK_CAGE,        WLK_SYSTEM,  WLK_LIMIT,
                                             WLK_TRUST,       WLK_REFUSED, WLK_UNDECIDED,
                                             WLK_UNSUPPORTED, WLK_USAGE};
    for (size_t i = 0; i < sizeof worst_first / sizeof *worst_first; i++) {
        if (a == worst_first[i] || b == worst_first[i]) return worst_first[i];
    }
    return WLK_OK;
}

static wlk_status verify_all(const cli *c, wlk_gate *gate, json_out *j) {
    wlk_status worst = WLK_OK;
    for (uint32_t i = 0; i < c->options.operand_count; i++) {
        worst = worse(worst, verify_one(c, gate, c->options.operands[i], j));
    }
    return worst;
}

/* One object: the files, and the verdict over all of them. */
static wlk_status verify_all_json(const cli *c, wlk_gate *gate) {
    json_out j = json_out_to(stdout, JSON_LINES);
    json_begin_map(&j, JSON_LINES);
    json_key(&j, "files");
    json_begin_list(&j, JSON_LINES);
    const wlk_status worst = verify_all(c, gate, &j);
    json_end_list(&j);
    json_pair_text(&j, "verdict", wlk_status_name(worst));
    json_end_map(&j);
    (void)putchar('\n');
    return worst;
}

int verb_verify(const cli *c) {
    wlk_gate *gate;
    wlk_trust *trust;
    wlk_error error = {.offset = WLK_NO_OFFSET};
    wlk_status status = cli_gate(c, true, &gate, &trust, &error);
    if (status != WLK_OK) {
        (void)cli_fail(c, NULL, &error);
    } else {
        status = cli_json(c) ? verify_all_json(c, gate) : verify_all(c, gate, NULL);
    }
    wlk_gate_close(gate);
    wlk_trust_free(trust);
    return (int)status;
}

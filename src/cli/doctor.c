#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

static const char *const state_names[] = {[WLK_LAYER_NOT_TRIED] = "not tried",
                                          [WLK_LAYER_FAILED] = "failed",
                                          [WLK_LAYER_REPORTED] = "reported",
                                          [WLK_LAYER_ATTESTED] = "attested"};

static void print_layers(const wlk_load_report *report) {
    for (uint32_t i = 0; wlk_layer_name(i); i++) {
        const wlk_layer_state state = report->layers[i];
        const bool failed = state == WLK_LAYER_FAILED && report->layer_errno[i] != 0;
        (void)printf("%-14s %-9s %s%s%s\n", wlk_layer_name(i),
                     wlk_layer_required(i) ? "required" : "optional", state_names[state],
                     failed ? ": " : "", failed ? strerror(report->layer_errno[i]) : "");
    }
}

static void print_json(const wlk_load_report *report, const wlk_error *error, wlk_status status) {
    json_out j = json_out_to(stdout, JSON_LINES);
    json_begin_map(&j, JSON_LINES);
    if (status == WLK_OK) {
        json_pair_text(&j, "verdict", wlk_status_name(status));
    } else {
        cli_json_refusal(&j, NULL, error);
    }
    json_key(&j, "layers");
    json_begin_list(&j, JSON_LINES);
    for (uint32_t i = 0; wlk_layer_name(i); i++) {
        json_begin_map(&j, JSON_FLAT);
        json_pair_text(&j, "layer", wlk_layer_name(i));
        json_key(&j, "required");
        json_bool(&j, wlk_layer_required(i));
        json_pair_text(&j, "state", state_names[report->layers[i]]);
        json_key(&j, "errno");
        json_signed(&j, report->layer_errno[i]);
        json_end_map(&j);
    }
    json_end_list(&j);
    json_end_map(&j);
    (void)putchar('\n');
}

/* Whom this machine trusts is another question: a broken trust folder does not
 * make the cage any weaker. */
static wlk_status check(const cli *c, wlk_load_report *report, wlk_error *error) {
    wlk_load_options load;
    wlk_gate *gate;
    TRY(options_load(&c->options, &load, error));
    load.child_path = c->child_path;
    TRY(wlk_gate_open(&load, &gate, error));
    const wlk_status status = wlk_gate_check(gate, report, error);
    wlk_gate_close(gate);
    return status;
}

int verb_doctor(const cli *c) {
    wlk_load_report report = {0};
    wlk_error error = {.offset = WLK_NO_OFFSET};
    const wlk_status status = check(c, &report, &error);
    if (cli_json(c)) {
        print_json(&report, &error, status);
        return (int)status;
    }
    if (report.child_started) print_layers(&report);
    if (status != WLK_OK) return cli_fail(c, NULL, &error);
    (void)printf("the cage holds\n");
    return WLK_OK;
}

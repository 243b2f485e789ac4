#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

static const char *const state_names[] = {"not tried", "failed", "reported", "attested"};

static void print_layers(const wlk_load_report *report) {
    for (uint32_t i = 0; wlk_layer_name(i); i++) {
        const wlk_layer_state state = report->layers[i];
        const bool failed = state == WLK_LAYER_FAILED && report->layer_errno[i] != 0;
        (void)printf("%-14s %-9s %-9s%s%s\n", wlk_layer_name(i),
                     wlk_layer_required(i) ? "required" : "optional", state_names[state],
                     failed ? "  " : "", failed ? strerror(report->layer_errno[i]) : "");
    }
}

static json_t *layers_json(const wlk_load_report *report) {
    json_t *list = json_array();
    for (uint32_t i = 0; wlk_layer_name(i); i++) {
        json_t *row = json_pack("{s:s, s:b, s:s, s:i}", "layer", wlk_layer_name(i), "required",
                                wlk_layer_required(i), "state", state_names[report->layers[i]],
                                "errno", (int)report->layer_errno[i]);
        (void)json_array_append_new(list, row);
    }
    return list;
}

static void print_json(const wlk_load_report *report, wlk_status status) {
    json_t *out = json_pack("{s:s, s:o}", "verdict", wlk_status_name(status), "layers",
                            layers_json(report));
    cli_print_json(out, true);
}

int verb_doctor(const cli *c) {
    wlk_load_options load;
    wlk_gate *gate = NULL;
    wlk_trust *trust = NULL;
    wlk_load_report report = {0};
    wlk_error error = {.offset = WLK_NO_OFFSET};
    wlk_status status = options_load(&c->options, &load, &trust, &error);
    load.child_path = c->child_path;
    if (status == WLK_OK) status = wlk_gate_open(&load, &gate, &error);
    if (status == WLK_OK) status = wlk_gate_check(gate, &report, &error);
    wlk_gate_close(gate);
    wlk_trust_free(trust);
    if (option_given(&c->options, OPTION_JSON)) {
        print_json(&report, status);
        return (int)status;
    }
    if (report.child_started) print_layers(&report);
    if (status != WLK_OK) return cli_fail(c, NULL, &error);
    (void)printf("the cage holds\n");
    return WLK_OK;
}

#include <stdio.h>

#include "cli/cli.h"
#include "cli/results.h"
#include "cli/rows.h"

/* What is open while rows are predicted. */
typedef struct predict_state {
    wlk_gate *gate;
    wlk_trust *trust;
    wlk_model *model;
    wlk_plan *plan;
    input_binding binding;
    wlk_result *result;
} predict_state;

static void release(predict_state *s) {
    wlk_result_free(s->result);
    input_binding_free(&s->binding);
    wlk_plan_free(s->plan);
    wlk_model_free(s->model);
    wlk_gate_close(s->gate);
    wlk_trust_free(s->trust);
}

static wlk_status selftest(const cli *c, const wlk_plan *plan, wlk_error *error) {
    uint32_t ran = 0;
    if (!option_given(&c->options, OPTION_SELFTEST)) return WLK_OK;
    TRY(wlk_selftest_run(plan, &ran, error));
    return ran ? WLK_OK : error_at(error, RULE_CLI_NO_SELFTEST, WLK_NO_OFFSET);
}

static wlk_status open_model(const cli *c, const wlk_limits *limits, predict_state *s,
                             wlk_error *error) {
    TRY(cli_gate(c, false, &s->gate, &s->trust, error));
    TRY(wlk_gate_load_path(s->gate, c->options.operands[0], &s->model, NULL, error));
    TRY(wlk_plan_create(s->model, limits, &s->plan, error));
    return selftest(c, s->plan, error);
}

static wlk_status run(const predict_state *s, wlk_result **result, wlk_error *error) {
    wlk_tensor inputs[64]; /* the CSV reader binds one column to each */
    const uint32_t count = s->binding.count;
    if (count > sizeof inputs / sizeof *inputs) {
        return error_text(error, RULE_CLI_ROWS, WLK_NO_OFFSET, "more than 64 inputs");
    }
    for (uint32_t i = 0; i < count; i++) inputs[i] = s->binding.arrays[i].tensor;
    return wlk_run(s->plan, inputs, count, result, error);
}

int verb_predict(const cli *c) {
    const char *model = c->options.operands[0], *rows = c->options.operands[1];
    predict_state s = {0};
    wlk_error error = {.offset = WLK_NO_OFFSET};
    wlk_limits limits;
    results_format format;
    const char *subject = NULL; /* the file that the error is about */
    wlk_status status = options_limits(&c->options, &limits, &error);
    if (status == WLK_OK) status = results_format_of(c, &format, &error);
    if (status == WLK_OK) {
        subject = model;
        status = open_model(c, &limits, &s, &error);
    }
    if (status == WLK_OK) {
        subject = rows;
        status = rows_read(c, rows, s.model, s.plan, &limits, &s.binding, &error);
    }
    if (status == WLK_OK) status = run(&s, &s.result, &error);
    if (status == WLK_OK) status = results_write(c, format, s.model, s.plan, s.result, &error);
    if (status != WLK_OK) (void)cli_fail(c, subject, &error);
    release(&s);
    return (int)status;
}

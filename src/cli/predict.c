#include <stdio.h>

#include "cli/cli.h"
#include "cli/progress.h"
#include "cli/results.h"
#include "cli/rows.h"

/* What is open while rows are predicted. */
typedef struct prediction {
    wlk_policy policy;
    results_request request;
    wlk_gate *gate;
    wlk_trust *trust;
    wlk_model *model;
    wlk_plan *plan;
    model_inputs inputs;
    wlk_plan_options options;
    wlk_result *result;
    uint32_t ran;        /* sets of golden rows */
    const char *subject; /* the file that an error is about; NULL: none */
} prediction;

static void release(prediction *p) {
    wlk_result_free(p->result);
    model_inputs_free(&p->inputs);
    wlk_plan_free(p->plan);
    wlk_model_free(p->model);
    wlk_gate_close(p->gate);
    wlk_trust_free(p->trust);
}

static wlk_status selftest(const cli *c, prediction *p, wlk_error *error) {
    if (!option_given(&c->options, OPTION_SELFTEST)) return WLK_OK;
    TRY(wlk_selftest_run(p->plan, &p->ran, error));
    return p->ran ? WLK_OK : error_at(error, RULE_CLI_NO_SELFTEST, WLK_NO_OFFSET);
}

/* Golden rows were asked for, and no others. */
static bool only_selftest(const cli *c, const prediction *p) {
    return p->ran > 0 && c->options.operand_count == 1 && c->options.input_count == 0 &&
           wlk_plan_inputs(p->plan) > 0;
}

static wlk_status take_threads(const cli *c, wlk_plan_options *options, wlk_error *error) {
    const char *text = c->options.value[OPTION_THREADS];
    uint64_t threads = 1;
    if (text && (!options_number(text, &threads) || threads == 0 || threads > WLK_PLAN_THREADS)) {
        return error_text(error, RULE_CLI_USAGE, WLK_NO_OFFSET,
                          "--threads %.100s: a number from 1 to %d is wanted", text,
                          WLK_PLAN_THREADS);
    }
    options->threads = (uint32_t)threads;
    return WLK_OK;
}

static wlk_status open_gate(const cli *c, prediction *p, wlk_error *error) {
    p->subject = NULL;
    TRY(options_policy(&c->options, &p->policy, error));
    TRY(results_request_of(c, &p->request, error));
    TRY(rows_check(c, error));
    TRY(take_threads(c, &p->options, error));
    return cli_gate(c, option_given(&c->options, OPTION_ALLOW_UNSIGNED), &p->gate, &p->trust,
                    error);
}

static wlk_status open_model(const cli *c, prediction *p, wlk_error *error) {
    p->subject = c->options.operands[0];
    TRY(cli_load(c, p->gate, p->subject, &p->model, NULL, error));
    TRY(wlk_plan_create_with(p->model, &p->policy.limits, &p->options, &p->plan, error));
    TRY(results_select(c, p->plan, &p->request, error));
    return selftest(c, p, error);
}

static wlk_status run_rows(const cli *c, prediction *p, wlk_error *error) {
    const char *rows = c->options.operand_count > 1 ? c->options.operands[1] : NULL;
    TRY(rows_read(c, rows, p->model, p->plan, &p->policy.limits, &p->inputs, &p->subject, error));
    if (rows) p->subject = rows;
    progress shown;
    progress_start(&shown, p->subject, cli_json(c));
    const wlk_status status =
        wlk_run_arguments(p->plan, p->inputs.arguments, p->inputs.count, &p->result, error);
    progress_stop(&shown);
    return status;
}

static wlk_status predict(const cli *c, prediction *p, wlk_error *error) {
    TRY(open_gate(c, p, error));
    TRY(open_model(c, p, error));
    if (only_selftest(c, p)) return WLK_OK;
    TRY(run_rows(c, p, error));
    p->subject = NULL;
    const results all = {p->model, p->plan, p->result, &p->policy.limits};
    return results_write(&all, &p->request, error);
}

static void report_selftest(const cli *c, const prediction *p) {
    if (!cli_json(c)) {
        cli_print_safe(p->subject);
        (void)printf(": ok: %u set%s of golden rows hold%s\n", p->ran, p->ran == 1 ? "" : "s",
                     p->ran == 1 ? "s" : "");
        return;
    }
    json_out j = json_out_to(stdout, JSON_FLAT);
    json_begin_map(&j, JSON_FLAT);
    json_pair_text(&j, "verdict", wlk_status_name(WLK_OK));
    json_pair_text(&j, "file", p->subject);
    json_pair_unsigned(&j, "golden", p->ran);
    json_end_map(&j);
    (void)putchar('\n');
}

/* What went to a file is told; results on standard output speak for themselves. */
static void report(const cli *c, const prediction *p) {
    if (only_selftest(c, p)) {
        report_selftest(c, p);
        return;
    }
    if (!p->request.path) return;
    if (!cli_json(c)) {
        cli_print_safe(p->request.path);
        (void)printf(": wrote the results for %llu rows\n", (unsigned long long)p->inputs.rows);
        return;
    }
    json_out j = json_out_to(stdout, JSON_FLAT);
    json_begin_map(&j, JSON_FLAT);
    json_pair_text(&j, "verdict", wlk_status_name(WLK_OK));
    json_pair_text(&j, "file", p->request.path);
    json_pair_unsigned(&j, "rows", p->inputs.rows);
    json_end_map(&j);
    (void)putchar('\n');
}

int verb_predict(const cli *c) {
    prediction p = {0};
    wlk_error error = {.offset = WLK_NO_OFFSET};
    const wlk_status status = predict(c, &p, &error);
    if (status == WLK_OK) {
        report(c, &p);
    } else {
        (void)cli_fail(c, p.subject, &error);
    }
    release(&p);
    return (int)status;
}

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <weighlock/infer.h>

#include "base/memory.h"
#include "cli/convert.h"
#include "cli/rows.h"

#define TOLERANCE_F64 1e-9
#define TOLERANCE_OTHER 1e-6

typedef struct golden_rows {
    wlk_plan *plan;
    model_inputs inputs;
    wlk_result *result;
    wlk_tensor *tensors; /* inputs, then outputs */
    wlk_golden golden;
} golden_rows;

static void drop(golden_rows *g) {
    mem_free(g->tensors);
    wlk_result_free(g->result);
    model_inputs_free(&g->inputs);
    wlk_plan_free(g->plan);
}

static wlk_status predict_rows(conversion *x, golden_rows *g, wlk_error *error) {
    const char *rows = x->c->options.value[OPTION_GOLDEN];
    TRY(wlk_plan_create(x->model, &x->policy.limits, &g->plan, error));
    x->subject = rows;
    TRY(rows_read(x->c, rows, x->model, g->plan, &x->policy.limits, &g->inputs, &x->subject,
                  error));
    TRY(wlk_run_arguments(g->plan, g->inputs.arguments, g->inputs.count, &g->result, error));
    x->subject = x->in;
    return WLK_OK;
}

/* Golden rows are tensors. */
static wlk_status check_kinds(const golden_rows *g, wlk_error *error) {
    bool tensors = true;
    for (uint32_t i = 0; i < g->inputs.count; i++) {
        tensors &= g->inputs.arguments[i].kind == WLK_VALUE_TENSOR;
    }
    for (uint32_t i = 0; i < wlk_result_count(g->result); i++) {
        tensors &= wlk_result_kind(g->result, i) == WLK_VALUE_TENSOR;
    }
    if (tensors) return WLK_OK;
    return error_text(error, RULE_CLI_INPUT_KIND, WLK_NO_OFFSET,
                      "golden rows: an input or output of the model is no tensor");
}

static bool is_rounded(wlk_dtype dtype) {
    return dtype == WLK_F32 || dtype == WLK_F16 || dtype == WLK_BF16;
}

static wlk_status collect(golden_rows *g, wlk_error *error) {
    const uint32_t inputs = g->inputs.count, outputs = wlk_result_count(g->result);
    double tolerance = TOLERANCE_F64;
    TRY(check_kinds(g, error));
    g->tensors = mem_zeroed((size_t)inputs + outputs + 1, sizeof *g->tensors);
    if (!g->tensors) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    for (uint32_t i = 0; i < inputs; i++) g->tensors[i] = g->inputs.arguments[i].items[0];
    for (uint32_t i = 0; i < outputs; i++) {
        g->tensors[inputs + i] = wlk_result_tensor(g->result, i);
        if (is_rounded(g->tensors[inputs + i].dtype)) tolerance = TOLERANCE_OTHER;
    }
    g->golden = (wlk_golden){.inputs = g->tensors,
                             .outputs = g->tensors + inputs,
                             .input_count = inputs,
                             .output_count = outputs,
                             .rtol = tolerance,
                             .atol = tolerance};
    return WLK_OK;
}

/* ---- the written file */

static wlk_status run_golden(const conversion *x, const wlk_model *model, wlk_error *error) {
    wlk_plan *plan;
    uint32_t ran;
    TRY(wlk_plan_create(model, &x->policy.limits, &plan, error));
    const wlk_status status = wlk_selftest_run(plan, &ran, error);
    wlk_plan_free(plan);
    return status;
}

/* Its own signature counts or not, as it may; what lies beside it is about another file. */
static wlk_status check_written(const conversion *x, wlk_error *error) {
    wlk_gate *gate = NULL;
    wlk_trust *trust = NULL;
    wlk_model *model = NULL;
    wlk_artifact artifact = {.fd = open(x->out, O_RDONLY | O_CLOEXEC)};
    if (artifact.fd < 0) return error_errno(error, RULE_GATE_OPEN, errno, x->out);
    wlk_status status = cli_gate(x->c, true, &gate, &trust, error);
    if (status == WLK_OK) status = wlk_gate_load(gate, &artifact, &model, NULL, error);
    if (status == WLK_OK) status = run_golden(x, model, error);
    wlk_model_free(model);
    wlk_gate_close(gate);
    wlk_trust_free(trust);
    (void)close(artifact.fd);
    return status;
}

static wlk_status write_and_check(conversion *x,
                                  wlk_status (*write)(conversion *x, const wlk_golden *golden,
                                                      wlk_error *error),
                                  const wlk_golden *golden, wlk_error *error) {
    TRY(write(x, golden, error));
    x->subject = x->out;
    const wlk_status status = check_written(x, error);
    if (status != WLK_OK) (void)unlink(x->out);
    return status;
}

wlk_status convert_with_golden(conversion *x,
                               wlk_status (*write)(conversion *x, const wlk_golden *golden,
                                                   wlk_error *error),
                               wlk_error *error) {
    golden_rows g = {.plan = NULL};
    wlk_status status = predict_rows(x, &g, error);
    if (status == WLK_OK) status = collect(&g, error);
    if (status == WLK_OK) status = write_and_check(x, write, &g.golden, error);
    drop(&g);
    return status;
}

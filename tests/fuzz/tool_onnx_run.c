/* What becomes of ONNX files, for scripts: each is parsed, planned and run under small limits,
 * on inputs of nothing but ones whose open axes are 2 long. One line for each path: how far it
 * got, the rule or "-", and the offset. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weighlock/infer.h>
#include <weighlock/parse.h>

#include "base/dtype.h"

#define MOST_INPUTS 8
#define MOST_BYTES 4096
#define MOST_FILE (4u << 20)

static uint8_t file[MOST_FILE], contents[MOST_INPUTS][MOST_BYTES];

static wlk_tensor ones(const wlk_plan *plan, uint32_t i) {
    const wlk_port port = wlk_plan_input(plan, i);
    const float one = 1;
    wlk_tensor t = {.dtype = port.dtype, .rank = port.rank, .data = contents[i], .count = 1};
    for (uint32_t k = 0; k < t.rank; k++) {
        t.shape[k] = port.dims[k] == WLK_UNKNOWN_DIM ? 2 : (uint64_t)port.dims[k];
        t.count *= t.shape[k];
    }
    if (t.dtype == WLK_STR) { /* empty ones: as many offsets, and one */
        t.nbytes = 8 * (t.count + 1);
        return t;
    }
    if (!dtype_nbytes(t.dtype, t.count, &t.nbytes) || t.nbytes > MOST_BYTES) exit(2);
    const size_t step = t.nbytes / (t.count ? t.count : 1);
    for (uint64_t at = 0; at < t.nbytes; at += step) {
        contents[i][at] = 1;
        if (t.dtype == WLK_F32) memcpy(contents[i] + at, &one, sizeof one);
    }
    return t;
}

static wlk_status run(const wlk_plan *plan, wlk_error *error) {
    wlk_tensor inputs[MOST_INPUTS];
    wlk_result *result = NULL;
    const uint32_t count = wlk_plan_inputs(plan);
    if (count > MOST_INPUTS) exit(2);
    for (uint32_t i = 0; i < count; i++) inputs[i] = ones(plan, i);
    const wlk_status status = wlk_run(plan, inputs, count, &result, error);
    wlk_result_free(result);
    return status;
}

static const char *look(size_t size, wlk_error *error) {
    wlk_limits limits;
    wlk_model *model = NULL;
    wlk_plan *plan = NULL;
    const char *step = "parse";
    wlk_limits_default(&limits);
    limits.run_bytes = 64u << 20;
    limits.run_operations = 1u << 28;
    wlk_status status = wlk_parse_memory(file, size, WLK_FORMAT_ONNX, &limits, &model, error);
    if (status == WLK_OK) {
        step = "plan";
        status = wlk_plan_create(model, &limits, &plan, error);
    }
    if (status == WLK_OK) {
        step = "run";
        status = run(plan, error);
    }
    wlk_plan_free(plan);
    wlk_model_free(model);
    return status == WLK_OK ? "done" : step;
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        wlk_error error = {.status = WLK_OK, .offset = WLK_NO_OFFSET};
        FILE *in = fopen(argv[i], "rbe");
        if (!in) return 1;
        const size_t size = fread(file, 1, sizeof file, in);
        (void)fclose(in);
        const char *step = look(size, &error);
        (void)printf("%s %s %lld\n", step, *step == 'd' ? "-" : wlk_rule_name(error.rule),
                     *step == 'd' ? -1 : (long long)error.offset);
    }
    return 0;
}

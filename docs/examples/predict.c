/* Loads a model that only keys of a trust folder vouch for, and predicts.
 *
 *   cc -Iinclude -o predict docs/examples/predict.c -Lbuild/lib -lweighlock-infer -lweighlock
 *   LD_LIBRARY_PATH=build/lib ./predict iris.wlk trust build/bin/weighlock-child */
#include <stdio.h>
#include <weighlock/infer.h>
#include <weighlock/load.h>

/* A validated model is still any model: what it gives has to be looked at. */
static wlk_status print_probabilities(wlk_tensor p) {
    if (p.dtype != WLK_F64 || p.rank != 2 || p.shape[1] == 0) return WLK_UNSUPPORTED;
    for (uint64_t i = 0; i < p.count; i++) {
        printf("%.6f%c", ((const double *)p.data)[i], (i + 1) % p.shape[1] ? ' ' : '\n');
    }
    return WLK_OK;
}

int main(int argc, char **argv) {
    static const double irises[2][4] = {{5.1, 3.5, 1.4, 0.2}, {6.3, 3.3, 6.0, 2.5}}; /* cm */
    wlk_tensor rows = {.dtype = WLK_F64, .rank = 2, .shape = {2, 4}, .data = irises};
    rows.nbytes = sizeof irises;
    wlk_load_options options;
    wlk_trust *trust = NULL;
    wlk_model *model = NULL;
    wlk_plan *plan = NULL;
    wlk_result *result = NULL;
    wlk_error error;
    char text[512];
    if (argc < 3) return WLK_USAGE;
    wlk_load_options_default(&options);
    options.child_path = argv[3]; /* NULL: where it was installed */
    wlk_status status = wlk_trust_open(argv[2], &trust, &error);
    options.trust = trust;
    if (status == WLK_OK) status = wlk_load_path(argv[1], &options, &model, NULL, &error);
    if (status == WLK_OK) status = wlk_plan_create(model, NULL, &plan, &error);
    if (status == WLK_OK) status = wlk_run(plan, &rows, 1, &result, &error);
    if (status != WLK_OK) fprintf(stderr, "%s\n", wlk_error_format(&error, text, sizeof text));
    if (status == WLK_OK) status = print_probabilities(wlk_result_tensor(result, 1));
    wlk_result_free(result);
    wlk_plan_free(plan);
    wlk_model_free(model);
    wlk_trust_free(trust);
    return (int)status;
}

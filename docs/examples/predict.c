/* Loads a signed model that only keys of a trust folder vouch for, and predicts.
 *
 *   cc -Iinclude -o predict docs/examples/predict.c -Lbuild/lib -lweighlock-infer -lweighlock
 *   LD_LIBRARY_PATH=build/lib ./predict iris.wlk trust build/bin/weighlock-child */
#include <stdio.h>
#include <weighlock/infer.h>
#include <weighlock/load.h>

/* Four measurements in centimetres of each of two irises. */
static const double flowers[2][4] = {{5.1, 3.5, 1.4, 0.2}, {6.3, 3.3, 6.0, 2.5}};

/* Wanted are two outputs: label, a string, and probabilities, one for each class. A
 * validated model is still any model: what it gives has to be looked at. */
static wlk_status print_result(const wlk_result *result) {
    const wlk_tensor label = wlk_result_tensor(result, 0), scores = wlk_result_tensor(result, 1);
    if (label.dtype != WLK_STR || scores.dtype != WLK_F64 || scores.rank != 2 ||
        scores.shape[0] != label.count) {
        fprintf(stderr, "this model is no classifier of irises\n");
        return WLK_UNSUPPORTED;
    }
    const uint64_t *at = label.data; /* offsets of the strings, which follow them */
    const char *text = (const char *)(at + label.count + 1);
    for (uint64_t row = 0; row < label.count; row++) {
        const double *p = (const double *)scores.data + row * scores.shape[1];
        printf("%.*s", (int)(at[row + 1] - at[row]), text + at[row]);
        for (uint64_t i = 0; i < scores.shape[1]; i++) printf(" %.6f", p[i]);
        putchar('\n');
    }
    return WLK_OK;
}

static wlk_status predict(char **argv, wlk_trust **trust, wlk_model **model, wlk_plan **plan,
                          wlk_result **result, wlk_error *error) {
    wlk_load_options options;
    wlk_load_options_default(&options);
    options.child_path = argv[3]; /* NULL: where it was installed */
    wlk_status status = wlk_trust_open(argv[2], trust, error);
    options.trust = *trust;
    if (status == WLK_OK) status = wlk_load_path(argv[1], &options, model, NULL, error);
    if (status == WLK_OK) status = wlk_plan_create(*model, NULL, plan, error);
    wlk_tensor rows = {.dtype = WLK_F64, .rank = 2, .shape = {2, 4}, .data = flowers};
    rows.nbytes = sizeof flowers;
    return status == WLK_OK ? wlk_run(*plan, &rows, 1, result, error) : status;
}

int main(int argc, char **argv) {
    wlk_trust *trust = NULL;
    wlk_model *model = NULL;
    wlk_plan *plan = NULL;
    wlk_result *result = NULL;
    wlk_error error;
    char text[512];
    if (argc < 3) return WLK_USAGE;
    wlk_status status = predict(argv, &trust, &model, &plan, &result, &error);
    if (status != WLK_OK) fprintf(stderr, "%s\n", wlk_error_format(&error, text, sizeof text));
    if (status == WLK_OK) status = print_result(result);
    wlk_result_free(result);
    wlk_plan_free(plan);
    wlk_model_free(model);
    wlk_trust_free(trust);
    return status;
}

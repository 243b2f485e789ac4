/* Results of a run as CSV, JSON or .npy. */
#ifndef WLK_CLI_RESULTS_H
#define WLK_CLI_RESULTS_H

#include "cli/cli.h"
#include "weighlock/infer.h"

typedef enum results_format { RESULTS_CSV, RESULTS_JSON, RESULTS_NPY } results_format;

/* What --format says; CSV without it. */
WLK_MUST_USE wlk_status results_format_of(const cli *c, results_format *format,
                                          wlk_error *error);

/* Writes all outputs (.npy: the one that --select names, or the only one) to
 * --output, whole or not at all, or to standard output. Columns of class scores
 * are named after the classes where the model names them. */
WLK_MUST_USE wlk_status results_write(const cli *c, results_format format, const wlk_model *model,
                                      const wlk_plan *plan, const wlk_result *result,
                                      wlk_error *error);

#endif

/* Results of a run as CSV, JSON or .npy. */
#ifndef WLK_CLI_RESULTS_H
#define WLK_CLI_RESULTS_H

#include <weighlock/infer.h>

#include "cli/cli.h"

typedef enum results_format { RESULTS_CSV, RESULTS_JSON, RESULTS_NPY } results_format;

/* What the command line asks for: known before anything is computed. */
typedef struct results_request {
    results_format format;
    const char *path;  /* NULL: standard output */
    uint32_t selected; /* the only output that is written, or WLK_NONE: all */
} results_request;

/* What --format, --output and --json say by themselves. */
WLK_MUST_USE wlk_status results_request_of(const cli *c, results_request *request,
                                           wlk_error *error);

/* What --select says about this plan; .npy needs one output. */
WLK_MUST_USE wlk_status results_select(const cli *c, const wlk_plan *plan, results_request *request,
                                       wlk_error *error);

/* Everything that is written. */
typedef struct results {
    const wlk_model *model;
    const wlk_plan *plan;
    const wlk_result *result;
    const wlk_limits *limits; /* `columns` holds for what is written, too */
} results;

/* Writes the results, whole or not at all where they go to a file. Nothing is
 * written before it is certain that all of it can be formatted. */
WLK_MUST_USE wlk_status results_write(const results *r, const results_request *request,
                                      wlk_error *error);

#endif

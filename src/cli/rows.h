/* Rows for `predict`: a CSV or .npy file becomes the tensors a plan asks for. */
#ifndef WLK_CLI_ROWS_H
#define WLK_CLI_ROWS_H

#include "cli/cli.h"
#include "input/bind.h"

/* Is what the command line says about rows (--header) understood? */
WLK_MUST_USE wlk_status rows_check(const cli *c, wlk_error *error);

/* Reads `path` ("-": standard input), told apart by content. A .npy array is
 * converted to the input's dtype where every element survives it. The binding is
 * the caller's. */
WLK_MUST_USE wlk_status rows_read(const cli *c, const char *path, const wlk_model *model,
                                  const wlk_plan *plan, const wlk_limits *limits,
                                  input_binding *binding, wlk_error *error);

#endif

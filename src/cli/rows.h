/* What a model is run on: the tensors that its inputs want, from files that the command
 * line names. */
#ifndef WLK_CLI_ROWS_H
#define WLK_CLI_ROWS_H

#include <weighlock/infer.h>

#include "cli/cli.h"
#include "input/array.h"

/* The arguments of wlk_run_arguments, in the order of the inputs. */
typedef struct model_inputs {
    wlk_argument *arguments;
    uint32_t count;
    uint64_t rows; /* of the first input that has any */

    wlk_tensor *items; /* what the arguments point into */
    input_array *arrays;
    uint32_t array_count;
} model_inputs;

void model_inputs_free(model_inputs *inputs);

/* Is what the command line says about rows (--header, --input) understood? */
WLK_MUST_USE wlk_status rows_check(const cli *c, wlk_error *error);

/* Reads the file of each --input NAME=FILE, and `path` ("-": standard input), told apart
 * by content, for the inputs that are left; NULL: nothing is. A .npy array is converted to
 * the input's dtype where every element survives it. An input that is a sequence takes
 * each file that is named for it, an optional one may go without. *subject becomes the
 * file that an error is about. *inputs is the caller's. */
WLK_MUST_USE wlk_status rows_read(const cli *c, const char *path, const wlk_model *model,
                                  const wlk_plan *plan, const wlk_limits *limits,
                                  model_inputs *inputs, const char **subject, wlk_error *error);

#endif

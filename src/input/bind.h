/* Rows that a user hands in, as the tensors that a model's inputs want. */
#ifndef WLK_INPUT_BIND_H
#define WLK_INPUT_BIND_H

#include <weighlock/infer.h>

#include "input/array.h"
#include "input/csv.h"

/* The tensors for wlk_run, in the order of the ports. */
typedef struct input_binding {
    input_array *arrays;
    uint32_t count;
    uint64_t rows;
} input_binding;

void input_binding_free(input_binding *binding);

/* The names of the model's features, from the array of strings at
 * "/metadata/source/feature_names": pointers into the model, the list is the
 * caller's (mem_free). NULL and 0 if the model has none. */
wlk_status input_feature_names(const wlk_model *model, const char ***names, uint32_t *count,
                               wlk_error *error);

/* Binds a table to `port_count` inputs.
 *
 * One input: it takes all columns as [rows, k], in order; or, if the table has a
 * header and feature names are given (feature_count may be 0), each column by its
 * name. k must be what the port asks for. Dimensions behind the second are
 * filled row by row ([N, 1, 8, 8] takes 64 columns).
 *
 * Several inputs, each [rows] or [rows, 1]: each takes the column of its name,
 * so the table needs a header.
 *
 * An unknown column is input.unknown-column and names the nearest one, unless such are
 * left aside (ignore_unknown); a missing one is input.missing-column, a number of columns or
 * rows that does not fit input.columns and input.rows. */
wlk_status input_bind_csv(const csv_table *table, const wlk_port *ports, uint32_t port_count,
                          const char *const *feature_names, uint32_t feature_count,
                          bool ignore_unknown, const wlk_limits *limits, input_binding *binding,
                          wlk_error *error);

#endif

/* Results as CSV: one line a row, LF, quotes where RFC 4180 needs them, floats
 * with 17 significant digits, so that reading them back gives the same double.
 *
 * Text is written as it is. Class names are the model's author's, and a program
 * for spreadsheets takes a field that begins with = + - or @ for a formula: who
 * opens results of strangers' models there has to turn that off. */
#ifndef WLK_INPUT_CSV_WRITE_H
#define WLK_INPUT_CSV_WRITE_H

#include <stdbool.h>
#include <stdio.h>

#include <weighlock/model.h>

#include "base/error.h"

/* One output of a run: a tensor of shape [rows] or [rows, ...]; everything
 * behind the first axis is laid out as columns. */
typedef struct csv_output {
    const wlk_tensor *tensor;
    const char *name;                /* the column's name; "name_0", "name_1" ... for several */
    const char *const *column_names; /* NULL, or one for each column: class names */
} csv_output;

/* Writes `count` outputs side by side, with a line of names before them if
 * `header`. All must have the same number of rows (input.rows) and be str or of a
 * dtype of element_is_numeric (input.dtype). input.write if `out` fails; it is
 * flushed, not closed. */
wlk_status csv_write(FILE *out, const csv_output *outputs, uint32_t count, bool header,
                     wlk_error *error);

/* Writes one text as a CSV field. */
void csv_write_field(FILE *out, const char *text, uint64_t length);

/* Writes one element as csv_write does (a str element without quotes): what JSON
 * output of numbers uses too. NaN is "nan", infinities are "inf" and "-inf". */
void csv_write_number(FILE *out, const wlk_tensor *tensor, uint64_t index);

#endif

/* CSV as RFC 4180 has it: comma, double quotes doubled inside quotes, CRLF or LF,
 * UTF-8 with or without a byte order mark. Strict where guessing would shift
 * columns: a quote inside an unquoted field, text behind a closing quote, a bare
 * CR, and a row with another number of fields than the first are errors that
 * name row and byte offset. */
#ifndef WLK_INPUT_CSV_H
#define WLK_INPUT_CSV_H

#include <stdbool.h>

#include <weighlock/limits.h>

#include "base/error.h"
#include "input/array.h"

/* auto: the first row is a header if none of its fields is a number and at least
 * one is not missing. A table of nothing but text has to say it. */
typedef enum csv_header { CSV_HEADER_AUTO = 0, CSV_HEADER_YES = 1, CSV_HEADER_NO = 2 } csv_header;

typedef struct csv_options {
    csv_header header;
    const char *const *missing; /* further spellings of a missing value, exact */
    uint32_t missing_count;
} csv_options;

typedef struct csv_table csv_table;

/* Reads data[0..size), at most limits->input_bytes and limits->columns; data must
 * outlive the table. *table is the caller's. Rules csv.*, offsets in data. */
wlk_status csv_parse(const uint8_t *data, uint64_t size, const csv_options *options,
                     const wlk_limits *limits, csv_table **table, wlk_error *error);
void csv_free(csv_table *table);

/* Rows without the header. */
uint64_t csv_rows(const csv_table *table);
uint32_t csv_columns(const csv_table *table);
/* The name of a column, NULL if the table has no header. */
const char *csv_name(const csv_table *table, uint32_t column);
/* A field's text without its quotes; valid as long as the table. */
const char *csv_cell(const csv_table *table, uint64_t row, uint32_t column);
/* Is the field empty, "nan" (any case), or one of the further spellings? */
bool csv_missing(const csv_table *table, const char *cell);
/* Where in the data a field begins; for errors, it reads the row again. */
uint64_t csv_cell_offset(const csv_table *table, uint64_t row, uint32_t column);
/* The row's number as an editor of lines shows it if no field spans lines: the
 * first row of the file, header or not, is 1. */
uint64_t csv_row_number(const csv_table *table, uint64_t row);

/* Takes `columns` (indices) of all rows as an array of shape [rows, count], or
 * [rows] if rank is 1, of dtype `dtype`: str, or what element_put makes. True and
 * False (in three spellings) are the numbers 1 and 0. A missing value is NaN in a
 * float; for integers and bool it is csv.missing. A field that is no number, or does
 * not fit, is csv.number. */
wlk_status csv_take(const csv_table *table, const uint32_t *columns, uint32_t count, uint32_t rank,
                    wlk_dtype dtype, const wlk_limits *limits, input_array *array,
                    wlk_error *error);

#endif

/* Rows that an operator's policy adds to the allowlist of pickles, in the bytes in which the
 * parent hands them to the child (docs/wire.md). Such a row is inert: its class becomes a
 * plain record, or a value of which nothing is known. */
#ifndef WLK_BASE_PICKLE_ROWS_H
#define WLK_BASE_PICKLE_ROWS_H

#include "base/cursor.h"

typedef enum pickle_row_kind { PICKLE_ROW_RECORD = 1, PICKLE_ROW_OPAQUE = 2 } pickle_row_kind;

typedef struct pickle_row {
    pickle_row_kind kind;
    const uint8_t *name; /* "module.Name", in the bytes; not terminated */
    uint64_t length;
} pickle_row;

#define PICKLE_ROW_HEAD 2   /* kind and length, a byte each, before the name */
#define PICKLE_ROW_NAME 255 /* bytes of the longest name */

/* Takes the next row; false at the end, or where there is none. */
bool pickle_rows_next(cursor *rows, pickle_row *row);

/* Are these bytes rows, and nothing else? Names are those that pickle_row_named takes. */
bool pickle_rows_valid(const uint8_t *rows, uint64_t length);

/* Is it "module.Name": two or more identifiers of letters, digits and "_" with dots between? */
bool pickle_row_named(const uint8_t *name, uint64_t length);

#endif

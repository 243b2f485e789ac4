/* Upper and lower case of UTF-8 text: ASCII, and the letters of Latin-1, Latin Extended-A,
 * Greek, Cyrillic and Armenian that have one counterpart. Bytes stay as many. */
#ifndef WLK_INFER_TEXT_CASE_H
#define WLK_INFER_TEXT_CASE_H

#include "infer/tensor.h"

typedef enum case_change { CASE_NONE, CASE_LOWER, CASE_UPPER } case_change;

/* The character that text begins with, changed: 1 or 2 bytes in out, as many as are
 * returned. text is not empty; a byte of a longer character goes as it is. */
uint64_t case_step(case_change change, text_span text, char out[2]);

/* to[0..text.length) = text, changed. */
void case_copy(case_change change, text_span text, char *to);

/* Order by bytes after the change, as memcmp. */
int case_compare(case_change change, text_span a, text_span b);

#endif

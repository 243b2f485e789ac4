/* "Did you mean ...?": the known name that is closest to a mistyped one. */
#ifndef WLK_BASE_NEAREST_H
#define WLK_BASE_NEAREST_H

#include <stddef.h>
#include <stdint.h>

/* Names are compared by their first NEAREST_MAX_BYTES bytes, so that one look-up
 * costs at most that squared for each candidate. */
#define NEAREST_MAX_BYTES 64

/* Edit distance (Levenshtein: insert, delete, replace; two neighbours swapped
 * count as one) of the first NEAREST_MAX_BYTES bytes, ASCII case ignored. */
uint32_t edit_distance(const char *a, const char *b);

/* The candidate with the smallest distance, the first of equals; NULL if none is
 * similar: more than half of the longer name would have to change. */
const char *nearest_name(const char *name, const char *const *candidates, size_t count);

#endif

/* NaN and infinity among the elements of a tensor, counted by their bits, so that no
 * rounding mode and no signalling NaN of the host has a say. */
#ifndef WLK_IMAGE_NONFINITE_H
#define WLK_IMAGE_NONFINITE_H

#include <stdbool.h>

#include <weighlock/model.h>

/* What was found; all zero but for `first` before anything is counted. */
typedef struct nonfinite {
    uint64_t nan; /* a complex number counts once: as NaN if either part is one */
    uint64_t infinity;
    uint64_t first; /* index of the first such element, NONFINITE_NONE: there is none */
} nonfinite;

#define NONFINITE_NONE UINT64_MAX

/* Has the dtype a code that is NaN or infinity? Of the floats all but those of 6 and
 * 4 bits have. */
bool nonfinite_possible(wlk_dtype dtype);

/* Looks at the `count` elements at data, at any alignment: a tensor, or a range of
 * one, so that threads can share a tensor. Runs at about the speed of memory. */
nonfinite nonfinite_count(wlk_dtype dtype, const void *data, uint64_t count);

/* Adds what was found in a range that begins at element `at` of the whole. */
void nonfinite_add(nonfinite *whole, const nonfinite *range, uint64_t at);

#endif

/* A stable sort of record numbers. The child uses it: unlike qsort it makes no
 * system call and its time is bounded by n log n whatever the order. */
#ifndef WLK_BASE_SORT_H
#define WLK_BASE_SORT_H

#include <stdint.h>

/* Less than, equal to or greater than zero as item a stands before, beside or
 * after item b; a and b are values of the sorted array, not positions. */
typedef int (*sort_compare)(const void *context, uint32_t a, uint32_t b);

/* Sorts items[0..count) in place, equal items in the order they had. scratch
 * has room for `count` items and is left in an unspecified state. */
void sort_u32(uint32_t *items, uint32_t count, sort_compare compare, const void *context,
              uint32_t *scratch);

#endif

#include "base/sort.h"

#include <stdbool.h>
#include <string.h>

/* Merges the runs [start, middle) and [middle, end) of `from` into `to`. */
static void merge(const uint32_t *from, uint32_t *to, uint64_t start, uint64_t middle, uint64_t end,
                  sort_compare compare, const void *context) {
    uint64_t left = start;
    uint64_t right = middle;
    for (uint64_t at = start; at < end; at++) {
        const bool take_left =
            left < middle && (right == end || compare(context, from[left], from[right]) <= 0);
        to[at] = take_left ? from[left++] : from[right++];
    }
}

static uint64_t smaller(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

void sort_u32(uint32_t *items, uint32_t count, sort_compare compare, const void *context,
              uint32_t *scratch) {
    uint32_t *from = items;
    uint32_t *to = scratch;
    for (uint64_t width = 1; width < count; width *= 2) {
        for (uint64_t start = 0; start < count; start += 2 * width) {
            const uint64_t middle = smaller(start + width, count);
            merge(from, to, start, middle, smaller(middle + width, count), compare, context);
        }
        uint32_t *sorted = to;
        to = from;
        from = sorted;
    }
    if (from != items) memcpy(items, from, count * sizeof *items);
}

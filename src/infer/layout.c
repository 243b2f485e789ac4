#include "infer/layout.h"

#include "base/checked.h"

#define LAYOUT_MAX (UINT64_C(1) << 62)

uint64_t layout_records(uint64_t live) {
    return 2 * live + 2; /* no two free ranges are neighbours */
}

/* Four bins for each power of two. */
static uint32_t bin_of(uint64_t size) {
    const uint32_t log2 = 63 - (uint32_t)__builtin_clzll(size);
    const uint32_t quarter = (uint32_t)(size >> (log2 - 2)) & 3;
    return log2 * 4 + quarter;
}

/* The first bin all of whose ranges hold `size` bytes: the one above, unless
 * size is the smallest of its own. */
static uint32_t bin_holding(uint64_t size) {
    const uint32_t bin = bin_of(size);
    const uint32_t log2 = 63 - (uint32_t)__builtin_clzll(size);
    const uint64_t rest = size & ((UINT64_C(1) << (log2 - 2)) - 1);
    return rest ? bin + 1 : bin;
}

static void bin_add(layout *plan, uint32_t range) {
    const uint32_t bin = bin_of(plan->ranges[range].size);
    const uint32_t head = plan->bins[bin];
    plan->ranges[range].is_free = true;
    plan->ranges[range].previous = LAYOUT_NONE;
    plan->ranges[range].next = head;
    if (head != LAYOUT_NONE) plan->ranges[head].previous = range;
    plan->bins[bin] = range;
    plan->filled[bin / 64] |= UINT64_C(1) << bin % 64;
}

static void bin_remove(layout *plan, uint32_t range) {
    const layout_range *r = &plan->ranges[range];
    const uint32_t bin = bin_of(r->size);
    if (r->next != LAYOUT_NONE) plan->ranges[r->next].previous = r->previous;
    if (r->previous != LAYOUT_NONE) {
        plan->ranges[r->previous].next = r->next;
    } else {
        plan->bins[bin] = r->next;
        if (r->next == LAYOUT_NONE) plan->filled[bin / 64] &= ~(UINT64_C(1) << bin % 64);
    }
    plan->ranges[range].is_free = false;
}

/* The first range of the first bin from `bin` on that has one. */
static uint32_t bin_find(const layout *plan, uint32_t bin) {
    for (uint32_t word = bin / 64; word < LAYOUT_BIN_WORDS; word++) {
        uint64_t bits = plan->filled[word];
        if (word == bin / 64) bits &= ~UINT64_C(0) << bin % 64;
        if (bits) return plan->bins[word * 64 + (uint32_t)__builtin_ctzll(bits)];
    }
    return LAYOUT_NONE;
}

static uint32_t record_take(layout *plan) {
    const uint32_t range = plan->unused;
    plan->unused = plan->ranges[range].next;
    return range;
}

static void record_give(layout *plan, uint32_t range) {
    plan->ranges[range].next = plan->unused;
    plan->unused = range;
}

void layout_begin(layout *plan, layout_range *ranges, uint32_t count) {
    *plan = (layout){.ranges = ranges, .unused = LAYOUT_NONE, .last = LAYOUT_NONE};
    for (uint32_t i = 0; i < LAYOUT_BINS; i++) plan->bins[i] = LAYOUT_NONE;
    for (uint32_t i = count; i-- > 0;) record_give(plan, i);
}

/* Inserts a new range of `size` bytes right behind `range` (behind nothing: at
 * the start). */
static uint32_t insert_behind(layout *plan, uint32_t range, uint64_t offset, uint64_t size) {
    const uint32_t added = record_take(plan);
    const uint32_t behind = range == LAYOUT_NONE ? LAYOUT_NONE : plan->ranges[range].behind;
    plan->ranges[added] =
        (layout_range){.offset = offset, .size = size, .before = range, .behind = behind};
    if (range != LAYOUT_NONE) plan->ranges[range].behind = added;
    if (behind != LAYOUT_NONE) plan->ranges[behind].before = added;
    if (behind == LAYOUT_NONE) plan->last = added;
    return added;
}

/* Cuts a range that is in no bin to `size`; the rest is free. */
static void split(layout *plan, uint32_t range, uint64_t size) {
    layout_range *r = &plan->ranges[range];
    const uint64_t rest = r->size - size;
    if (rest == 0) return;
    r->size = size;
    bin_add(plan, insert_behind(plan, range, r->offset + size, rest));
}

/* Is the last range free and large enough? It may be, in the bin that need not hold `size`. */
static bool last_holds(const layout *plan, uint64_t size) {
    const uint32_t last = plan->last;
    return last != LAYOUT_NONE && plan->ranges[last].is_free && plan->ranges[last].size >= size;
}

/* Moves the end so that the last range, if it is free, or a new one holds `size`. The end never
 * comes back: what was given up there lay below it while it was in use. */
static bool extend(layout *plan, uint64_t size, uint32_t *range) {
    const uint32_t last = plan->last;
    const bool grow = last != LAYOUT_NONE && plan->ranges[last].is_free;
    const uint64_t start = grow ? plan->ranges[last].offset : plan->end;
    uint64_t end;
    if (!checked_add(start, size, &end) || end > LAYOUT_MAX) return false;
    if (grow) {
        bin_remove(plan, last);
        plan->ranges[last].size = size;
        *range = last;
    } else {
        *range = insert_behind(plan, last, start, size);
    }
    plan->end = end;
    return true;
}

bool layout_take(layout *plan, uint64_t size, uint32_t *range) {
    uint32_t found = size > LAYOUT_MAX ? LAYOUT_NONE : bin_find(plan, bin_holding(size));
    if (found == LAYOUT_NONE && last_holds(plan, size)) found = plan->last;
    if (found == LAYOUT_NONE) return size <= LAYOUT_MAX && extend(plan, size, range);
    bin_remove(plan, found);
    split(plan, found, size);
    *range = found;
    return true;
}

/* Takes the range behind `range` into it. */
static void merge_behind(layout *plan, uint32_t range) {
    const uint32_t gone = plan->ranges[range].behind;
    const uint32_t behind = plan->ranges[gone].behind;
    plan->ranges[range].size += plan->ranges[gone].size;
    plan->ranges[range].behind = behind;
    if (behind != LAYOUT_NONE) plan->ranges[behind].before = range;
    if (behind == LAYOUT_NONE) plan->last = range;
    record_give(plan, gone);
}

void layout_give(layout *plan, uint32_t range) {
    const uint32_t behind = plan->ranges[range].behind;
    uint32_t before = plan->ranges[range].before;
    if (behind != LAYOUT_NONE && plan->ranges[behind].is_free) {
        bin_remove(plan, behind);
        merge_behind(plan, range);
    }
    if (before != LAYOUT_NONE && plan->ranges[before].is_free) {
        bin_remove(plan, before);
        merge_behind(plan, before);
        range = before;
    }
    bin_add(plan, range);
}

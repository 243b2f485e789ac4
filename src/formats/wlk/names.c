#include "formats/wlk/names.h"

#include <string.h>

#include "base/memory.h"
#include "base/sort.h"

#define FIRST_CAPACITY 64

static wlk_status grow(name_table *names, uint64_t offset, wlk_error *error) {
    const uint64_t capacity = names->capacity ? 2 * (uint64_t)names->capacity : FIRST_CAPACITY;
    if (capacity > UINT32_MAX) return error_at(error, RULE_INTERNAL_MEMORY, offset);
    name_entry *entries = mem_resize_array(names->entries, capacity, sizeof *entries);
    if (!entries) return error_at(error, RULE_INTERNAL_MEMORY, offset);
    names->entries = entries;
    names->capacity = (uint32_t)capacity;
    return WLK_OK;
}

wlk_status names_add(name_table *names, const name_entry *entry, wlk_error *error) {
    if (names->count == names->capacity) TRY(grow(names, entry->offset, error));
    names->entries[names->count++] = *entry;
    return WLK_OK;
}

static int compare_text(const void *a, uint64_t a_length, const void *b, uint64_t b_length) {
    const uint64_t shorter = a_length < b_length ? a_length : b_length;
    const int order = shorter ? memcmp(a, b, shorter) : 0;
    if (order != 0) return order;
    return (a_length > b_length) - (a_length < b_length);
}

/* By text; of equal ones the earlier in the file first. */
static int compare_entries(const void *context, uint32_t a, uint32_t b) {
    const name_entry *entries = context;
    const name_entry *x = &entries[a];
    const name_entry *y = &entries[b];
    const int order = compare_text(x->text, x->length, y->text, y->length);
    if (order != 0) return order;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

static wlk_status refuse_duplicates(const name_table *names, wlk_error *error) {
    uint64_t first = WLK_NO_OFFSET;
    for (uint32_t i = 1; i < names->count; i++) {
        const name_entry *before = &names->entries[names->sorted[i - 1]];
        const name_entry *entry = &names->entries[names->sorted[i]];
        const bool same = before->length == entry->length &&
                          memcmp(before->text, entry->text, entry->length) == 0;
        if (same && entry->offset < first) first = entry->offset;
    }
    if (first == WLK_NO_OFFSET) return WLK_OK;
    return error_at(error, RULE_HEADER_NAME_DUPLICATE, first);
}

wlk_status names_sort(name_table *names, wlk_error *error) {
    if (names->count == 0) return WLK_OK;
    uint32_t *scratch = mem_zeroed(names->count, sizeof *scratch);
    names->sorted = mem_zeroed(names->count, sizeof *names->sorted);
    const bool allocated = scratch && names->sorted;
    if (allocated) {
        for (uint32_t i = 0; i < names->count; i++) names->sorted[i] = i;
        sort_u32(names->sorted, names->count, compare_entries, names->entries, scratch);
    }
    mem_free(scratch);
    if (!allocated) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    return refuse_duplicates(names, error);
}

name_entry *names_find(const name_table *names, const void *text, uint64_t length) {
    uint32_t low = 0;
    uint32_t high = names->count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        name_entry *entry = &names->entries[names->sorted[middle]];
        const int order = compare_text(text, length, entry->text, entry->length);
        if (order == 0) return entry;
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

void names_free(name_table *names) {
    mem_free(names->entries);
    mem_free(names->sorted);
    *names = (name_table){.count = 0};
}

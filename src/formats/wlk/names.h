/* All names of one file: tensors, graph inputs, node outputs. They are distinct
 * over the whole file, so a name stands for one thing, and whether it may be
 * used at some place is a question of that place alone. */
#ifndef WLK_FORMATS_WLK_NAMES_H
#define WLK_FORMATS_WLK_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

typedef enum name_kind { NAME_TENSOR = 1, NAME_VALUE = 2 } name_kind;

/* Where a value is defined: position 0 for a graph's inputs, i + 1 for the
 * outputs of its node i. */
typedef struct name_entry {
    const uint8_t *text; /* in the artifact */
    uint32_t length;
    name_kind kind;
    uint64_t offset;   /* of the definition in the artifact */
    uint32_t index;    /* among the tensors, or among the values */
    uint32_t graph;    /* values only */
    uint32_t position; /* values only */
    uint32_t type;     /* values only: type index or IMAGE_NONE */
} name_entry;

typedef struct name_table {
    name_entry *entries; /* in the order they were added */
    uint32_t *sorted;    /* numbers of entries, by text */
    uint32_t count;
    uint32_t capacity;
} name_table;

/* Appends a copy of the entry. */
wlk_status names_add(name_table *names, const name_entry *entry, wlk_error *error);

/* Sorts, once all names are there. Refuses a name that occurs twice, as
 * header.name-duplicate, at the first place in the file where one comes again. */
wlk_status names_sort(name_table *names, wlk_error *error);

/* The entry of that name, NULL if there is none. Of a sorted table only. The
 * entry is the table's; its type may be set. */
name_entry *names_find(const name_table *names, const void *text, uint64_t length);

void names_free(name_table *names);

#endif

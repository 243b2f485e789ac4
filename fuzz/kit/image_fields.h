/* The fields of a model image's records as rows of a table: for what changes them and what
 * prints them. The records themselves: src/image/records.h. */
#ifndef WEIGHLOCK_FUZZ_IMAGE_FIELDS_H
#define WEIGHLOCK_FUZZ_IMAGE_FIELDS_H

#include <stdio.h>

#include "image/records.h"

/* What a field's value is an index of: a wlk_section, or one of these. */
enum {
    FIELD_PLAIN = WLK_SECTION_COUNT, /* of nothing */
    FIELD_EDGE,                      /* a value, or EDGE_TENSOR and a tensor */
    FIELD_NUMBER,                    /* whatever the list says that it is in */
    FIELD_META,                      /* a string where the entry's type is one */
    FIELD_BUFFER,                    /* a payload */
};

typedef struct image_field {
    const char *name;
    uint8_t at;    /* in the record */
    uint8_t bytes; /* 1, 2, 4 or 8 */
    uint8_t count; /* 1, or the elements of an array */
    uint8_t refers;
} image_field;

/* A list: the owner's `first` and `count` (and `more`) fields name records of `target`. */
typedef struct image_list {
    uint8_t owner, target;      /* wlk_section */
    uint8_t first, count, more; /* places in the owner's record; more is 0 for none */
} image_list;

const char *image_section_name(uint32_t section);

/* The fields of a section's record, *count of them. */
const image_field *image_fields(uint32_t section, uint32_t *count);

/* The lists, in the order in which those of one target tile it. */
const image_list *image_lists(uint32_t *count);

/* Where each section begins if the header has these counts; returns the image's size. The
 * same as image_layout, which belongs to the code under test: what a mutator does must not
 * count as that code's progress. */
uint64_t image_places(const uint32_t counts[WLK_SECTION_COUNT],
                      uint64_t offsets[WLK_SECTION_COUNT]);

/* Element i of a field; the record may lie anywhere. */
uint64_t image_field_get(const uint8_t *record, const image_field *field, uint32_t i);
void image_field_set(uint8_t *record, const image_field *field, uint32_t i, uint64_t value);

/* Prints an image, one line a record: its place from `base` on, section, index, fields. Any
 * bytes. */
void image_show(const uint8_t *image, size_t size, uint64_t base, FILE *out);

#endif

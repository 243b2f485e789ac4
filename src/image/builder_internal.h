/* The builder's insides, shared by the files that append and the one that
 * finishes. */
#ifndef WLK_IMAGE_BUILDER_INTERNAL_H
#define WLK_IMAGE_BUILDER_INTERNAL_H

#include "image/builder.h"

/* Growing arrays of records. Where several make up one section they follow each
 * other there, because the section's order is not the order of arrival. */
typedef enum image_part {
    PART_STRINGS,
    PART_BLOCKS,
    PART_TENSORS,
    PART_TYPES,
    PART_VALUES,
    PART_GRAPHS,
    PART_NODES,
    PART_ATTRIBUTES,
    PART_GRAPH_OUTPUTS,    /* EDGES */
    PART_NODE_EDGES,       /* EDGES */
    PART_GRAPH_INPUTS,     /* NUMBERS */
    PART_ATTRIBUTE_VALUES, /* NUMBERS */
    PART_SELFTEST_LISTS,   /* NUMBERS */
    PART_METADATA,
    PART_SELFTESTS,
    PART_OPSETS,
    PART_FINDINGS,
    PART_SPANS,
    PART_TEXT,
    PART_COUNT
} image_part;

typedef struct image_array {
    void *data;
    uint32_t count;
    uint32_t capacity;
} image_array;

#define STRING_CACHE_SLOTS 4096

struct image_builder {
    wlk_limits limits;
    image_sink sink;
    wlk_error error; /* the first one; status 0: none */
    bool finished;
    wlk_format format; /* of the artifact */
    uint64_t offset;   /* of what is described now, for errors */
    uint64_t bytes;    /* of all records so far */
    uint64_t payload_total;
    uint64_t payload_left; /* of the tensor begun last */
    uint32_t buffers;
    image_array parts[PART_COUNT];
    uint32_t *type_depths; /* nesting of each type, type_depth_capacity of them */
    uint32_t type_depth_capacity;
    uint32_t string_cache[STRING_CACHE_SLOTS]; /* string at its hash's slot, 0: none */
};

/* The section that a part belongs to. */
wlk_section part_section(image_part part);

/* Makes the error stick, at builder->offset, and returns the status that stuck. */
wlk_status builder_fail(image_builder *b, wlk_rule rule);

/* May records still be added? Remembers `offset` for errors. */
bool builder_ready(image_builder *b, uint64_t offset);

/* Is `string` a provisional string of this builder? If not, an error sticks. */
bool builder_knows_string(image_builder *b, uint32_t string);

/* Appends `count` records of the part's size: the number of the first, or
 * IMAGE_NONE with an error that sticks. */
uint32_t builder_append(image_builder *b, image_part part, const void *records, uint64_t count);

#endif

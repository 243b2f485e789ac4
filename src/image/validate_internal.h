/* What the validator's files share: the image under test, and what has been
 * learnt about it so far. */
#ifndef WLK_IMAGE_VALIDATE_INTERNAL_H
#define WLK_IMAGE_VALIDATE_INTERNAL_H

#include "image/model.h"

/* Where a value comes from. */
typedef struct value_definition {
    uint32_t graph; /* IMAGE_NONE: not defined yet */
    uint32_t node;  /* whose output it is; IMAGE_NONE: an input of the graph */
} value_definition;

/* All tables have one entry a record and are freed by image_validate. */
typedef struct validation {
    uint8_t *image;
    uint64_t length;
    uint64_t file_bytes;
    const image_payloads *payloads;
    const wlk_limits *limits;
    wlk_error *error;
    image_view view;
    const uint32_t *counts;
    uint64_t offsets[WLK_SECTION_COUNT];

    uint8_t *string_used;
    uint8_t *domain_covered; /* by string: an opset names this domain */
    uint32_t *names;         /* by string: the named thing as an edge, or IMAGE_NONE */
    uint32_t *paths;         /* by string: the metadata entry, or IMAGE_NONE */
    uint8_t *tensor_held;    /* an attribute refers to it */
    uint32_t *type_depths;
    value_definition *definitions; /* by value */
    uint32_t *holders;             /* by graph: the node that holds it, or IMAGE_NONE */
    uint32_t *graph_depths;
    uint8_t *buffer_used;
    uint64_t content_bytes; /* of payloads that had to be read */

    uint64_t edges_taken; /* entries of EDGES and NUMBERS that lists have tiled */
    uint64_t numbers_taken;
    uint64_t attribute_values;
} validation;

/* Refuses record `index` of a section: the error's offset is the record's. */
wlk_status validation_fail(const validation *v, wlk_rule rule, wlk_section section, uint64_t index);

/* Is `string` a string, at most limits->name_bytes (name) or string_bytes (text)
 * long? Marks it as used. The record that refers to it is for the error. */
wlk_status validation_name(validation *v, uint32_t string, wlk_section section, uint64_t index);
wlk_status validation_text(validation *v, uint64_t string, wlk_section section, uint64_t index);

/* A name that must not be empty and belongs to `edge` alone. */
wlk_status validation_claim(validation *v, uint32_t string, uint32_t edge, wlk_section section,
                            uint64_t index);

/* The steps, in the order in which each may rely on those before it. */
wlk_status validate_blocks(validation *v);
wlk_status validate_tensors(validation *v);
wlk_status validate_types(validation *v);
wlk_status validate_values(validation *v);
wlk_status validate_graphs(validation *v);
wlk_status validate_nodes(validation *v);
wlk_status validate_subgraphs(validation *v);
wlk_status validate_uses(validation *v);
wlk_status validate_metadata(validation *v);
wlk_status validate_selftests(validation *v);
wlk_status validate_opsets(validation *v);
wlk_status validate_findings(validation *v);
wlk_status validate_spans(validation *v);
wlk_status validate_buffers(validation *v);

#endif

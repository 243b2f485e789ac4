/* The insides of a wlk_model: a validated image, used where it lies, and two
 * tables for look-ups by name. Nothing changes after validation, so a model may
 * be read from any number of threads. */
#ifndef WLK_IMAGE_MODEL_H
#define WLK_IMAGE_MODEL_H

#include "image/records.h"
#include "image/validate.h"

/* The sections of an image in memory. */
typedef struct image_view {
    const image_header *header;
    const string_record *strings;
    const block_record *blocks;
    const tensor_record *tensors;
    const type_record *types;
    const value_record *values;
    const graph_record *graphs;
    const node_record *nodes;
    const attribute_record *attributes;
    const uint32_t *edges;
    const uint64_t *numbers;
    const meta_record *metadata;
    const selftest_record *selftests;
    const opset_record *opsets;
    const finding_record *findings;
    const span_record *spans;
    const char *text;
} image_view;

struct wlk_model {
    uint8_t *image; /* owned */
    image_view view;
    image_payloads payloads; /* owned */
    uint32_t *names;         /* by string: what has this name, as an edge; or IMAGE_NONE */
    uint32_t *paths;         /* by string: the metadata entry with this path, or IMAGE_NONE */
};

/* The view of an image that is as long as its counts need. */
image_view image_view_of(const uint8_t *image, const uint64_t offsets[WLK_SECTION_COUNT]);

/* Where in the artifact the payload of tensor `index`, which exists, lies unchanged;
 * WLK_NO_OFFSET if it was decoded or has no bytes. */
uint64_t model_tensor_offset(const wlk_model *model, uint32_t index);

/* The string with this text, IMAGE_NONE if there is none: binary search. */
uint32_t image_view_find_string(const image_view *view, const char *text);

#endif

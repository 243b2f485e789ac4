/* A pickle of data: arrays, numbers and texts in lists and dicts, without any estimator. */
#ifndef WLK_FORMATS_PICKLE_PLAIN_H
#define WLK_FORMATS_PICKLE_PLAIN_H

#include "formats/sklearn/sk.h"

/* Elements that lie in the artifact as a tensor's payload does. */
typedef struct plain_payload {
    uint64_t offset;
    uint64_t length;
    uint32_t tensor;
} plain_payload;

typedef struct plain_payloads {
    plain_payload *list; /* in p->memory */
    uint32_t count;
    uint32_t room;
} plain_payloads;

/* Arrays and bytes become tensors, named by where they lie ("weights/0/w"; "array" if there is
 * nothing around it), and all else metadata below /x-value, where an array is
 * {"tensor": its name}. artifact[0..size) are the bytes that payloads may be taken from; none
 * of a compressed file. Refuses what is no data as pickle.value, and names the place. */
wlk_status plain_build(pickle *p, const py_value *root, const sk_source *source,
                       const uint8_t *artifact, uint64_t size, image_builder *builder,
                       plain_payloads *payloads, wlk_error *error);

#endif

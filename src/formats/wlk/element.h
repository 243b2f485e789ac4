/* One element of the header unpacked by msgpack-c: a tensor, a value, a node, a
 * set of golden rows, a metadata leaf. Never more than one at a time, so memory
 * is bounded by the largest element and not by the header. */
#ifndef WLK_FORMATS_WLK_ELEMENT_H
#define WLK_FORMATS_WLK_ELEMENT_H

#include <msgpack/unpack.h>

#include "formats/wlk/scan.h"

typedef struct element {
    cursor slice;               /* the element's bytes */
    msgpack_zone zone;          /* holds the objects; used again for the next element */
    msgpack_object object;      /* the element itself */
    const msgpack_object *root; /* that object, NULL if there is none */
} element;

/* An element with nothing in it, which may be closed. */
#define ELEMENT_NONE ((element){.root = NULL})

/* The most objects that an element may need whose every list is within the
 * limits: that of the largest node, or of the largest set of golden rows. */
uint64_t element_max_objects(const wlk_limits *limits);

/* Cuts the next object off the cursor, which scan_header has accepted, and
 * unpacks it. Texts stay where they are, in the artifact. Its objects are
 * counted first: more than max_objects are limit.element-objects. What the
 * element held before is released. The caller closes it in any case. */
wlk_status element_next(element *e, cursor *c, uint64_t max_objects, wlk_error *error);
void element_close(element *e);

/* For a variable that closes itself at the end of its scope. */
#define ELEMENT_CLEANUP __attribute__((cleanup(element_close)))

/* The artifact's offset of an object within the element: walks bytes and tree
 * in step until it gets there. Takes time, so it is for errors. */
uint64_t element_offset(const element *e, const msgpack_object *object);

/* The artifact's offset of a text's head, at once. msgpack-c does not say where
 * empty texts lie: for those it is the element's offset. */
uint64_t element_text_offset(const element *e, const msgpack_object_str *text);

/* Refuses because of `object`, which is one of the element's. */
wlk_status element_refuse(const element *e, const msgpack_object *object, wlk_rule rule,
                          wlk_error *error);

/* The object's kind as one of the bits that schemas use. */
object_kind element_kind(const msgpack_object *object);

#endif

/* Canonical msgpack, read one object at a time from untrusted bytes.
 *
 * The format's msgpack is a subset of the specification's
 * (https://github.com/msgpack/msgpack/blob/master/spec.md): every length and
 * integer in its shortest form, floats of 64 bits only, no bin, no ext, text is
 * UTF-8 without NUL, keys of maps are text in ascending order. So there is one
 * encoding for each value, and a signature over the bytes is one over the value.
 *
 * scan_header looks at all of it once, without recursion and without memory of
 * its own. What it has accepted cannot surprise those who come after it. */
#ifndef WLK_FORMATS_WLK_SCAN_H
#define WLK_FORMATS_WLK_SCAN_H

#include <weighlock/limits.h>

#include "base/cursor.h"
#include "base/error.h"

#define SCAN_MAX_DEPTH 16 /* of the format, version 1; the header's map is level 1 */

/* Kinds of objects: bits, so that a schema can allow several. */
typedef enum object_kind {
    KIND_NIL = 1,
    KIND_BOOL = 2,
    KIND_UINT = 4,     /* an integer from 0 to 2^64-1 */
    KIND_NEGATIVE = 8, /* an integer from -2^63 to -1 */
    KIND_FLOAT = 16,
    KIND_STR = 32,
    KIND_ARRAY = 64,
    KIND_MAP = 128,
} object_kind;

/* The head of one object and, for text, the text. */
typedef struct token {
    object_kind kind;
    uint64_t offset;     /* of its first byte in the artifact */
    uint64_t count;      /* bytes of text, elements of an array, entries of a map */
    const uint8_t *text; /* KIND_STR: in place, not terminated */
} token;

/* Reads one head; behind it the cursor stands at the next object. Checks its
 * form and that what it declares can fit into the bytes left; text is not
 * looked into. Rules: header.truncated, .type-byte, .not-canonical, .count. */
wlk_status token_read(cursor *c, token *out, wlk_error *error);

/* How many objects lie directly within this one: a map's entry has two. */
uint64_t token_children(const token *t);

/* Checks the structure of the whole header: exactly one object, and everything
 * in it. Rules: those of token_read, header.trailing, .depth, .utf8, .key-type,
 * .key-order, .key-duplicate, limit.header-depth. */
wlk_status scan_header(cursor header, const wlk_limits *limits, wlk_error *error);

/* ---- over what scan_header has accepted: none of these can fail. What were no object
 * would be read as one of kind 0 with nothing in it, which no schema lets through. */

/* Reads one head; behind it the cursor stands at the next object. */
token scan_head(cursor *c);

/* Cuts the next object, with everything in it, off the cursor. *objects is the
 * number of objects in it, itself included; it may be NULL. */
cursor scan_slice(cursor *c, uint64_t *objects);

/* Enters the container at the beginning of `slice`: *inside stands at its first
 * child, the head says how many there are. */
token scan_enter(cursor slice, cursor *inside);

/* Length of the head of a text of that many bytes, which stands before it. */
uint64_t scan_text_head(uint64_t length);

#endif

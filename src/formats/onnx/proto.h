/* The wire format of Protocol Buffers (https://protobuf.dev/programming-guides/encoding),
 * read one field at a time from untrusted bytes. A message is a window; a field is a tag and
 * what its wire type says. Groups, which ONNX has never used, are refused.
 *
 * scan.h looks at a whole file once; what it has accepted can be read again by onnx_proto_each
 * and proto_find, which then cannot fail. */
#ifndef WLK_FORMATS_ONNX_PROTO_H
#define WLK_FORMATS_ONNX_PROTO_H

#include "base/cursor.h"
#include "base/error.h"

typedef enum proto_wire {
    PROTO_VARINT = 0,
    PROTO_FIXED64 = 1,
    PROTO_BYTES = 2,
    PROTO_GROUP = 3,
    PROTO_GROUP_END = 4,
    PROTO_FIXED32 = 5
} proto_wire;

typedef struct proto_field {
    uint32_t number; /* 0: there is none */
    uint32_t wire;   /* proto_wire */
    uint64_t offset; /* of its tag in the artifact */
    uint64_t value;  /* of a varint; the bits of a fixed one */
    cursor bytes;    /* of PROTO_BYTES: its content */
} proto_field;

/* Reads a varint of at most 10 bytes and 64 bits: RULE_NONE, or the rule that is broken. */
wlk_rule onnx_proto_long_varint(cursor *c, uint64_t *value);

static inline wlk_rule onnx_proto_varint(cursor *c, uint64_t *value) {
    uint8_t first;
    if (!cursor_peek_u8(c, &first) || first >= 0x80) return onnx_proto_long_varint(c, value);
    *value = first;
    c->position++;
    return RULE_NONE;
}

/* Reads the next field, of which a byte is there: RULE_NONE, or the rule that is broken. The
 * cursor then stands somewhere within the field, whose offset is set. */
wlk_rule onnx_proto_next(cursor *message, proto_field *field);

/* Goes past the fields that follow with the same tag and whose content is short and well
 * formed, as in a list whose numbers have a tag each: how many they were. May stop early. */
uint64_t onnx_proto_skip_alike(cursor *message, const proto_field *field);

/* ---- over what has been scanned */

/* The next field; false at the message's end. */
bool onnx_proto_each(cursor *message, proto_field *field);

/* The next field of that number; false if there is none. */
bool onnx_proto_each_of(cursor *message, uint32_t number, proto_field *field);

/* The content of the first field of that number, which is a text or a message; an empty
 * window if there is none. */
cursor onnx_proto_bytes_of(cursor message, uint32_t number);

/* The value of the first field of that number, which is no text and no message; `absent`
 * if there is none. */
uint64_t onnx_proto_value_of(cursor message, uint32_t number, uint64_t absent);

#endif

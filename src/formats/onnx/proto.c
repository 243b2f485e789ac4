#include "formats/onnx/proto.h"

#include <stddef.h>

#define VARINT_BYTES 10

wlk_rule onnx_proto_long_varint(cursor *c, uint64_t *value) {
    uint64_t result = 0;
    for (unsigned i = 0; i < VARINT_BYTES; i++) {
        uint8_t byte;
        if (!cursor_u8(c, &byte)) return RULE_ONNX_TRUNCATED;
        if (i == VARINT_BYTES - 1 && byte > 1) return RULE_ONNX_VARINT;
        result |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            *value = result;
            return RULE_NONE;
        }
    }
    return RULE_ONNX_VARINT;
}

static wlk_rule read_bytes(cursor *message, proto_field *field) {
    uint64_t length;
    const wlk_rule rule = onnx_proto_varint(message, &length);
    if (rule != RULE_NONE) return rule;
    return cursor_slice(message, length, &field->bytes) ? RULE_NONE : RULE_ONNX_TRUNCATED;
}

static wlk_rule read_fixed32(cursor *message, proto_field *field) {
    uint32_t bits;
    if (!cursor_u32(message, &bits)) return RULE_ONNX_TRUNCATED;
    field->value = bits;
    return RULE_NONE;
}

static wlk_rule read_content(cursor *message, proto_field *field) {
    switch (field->wire) {
        case PROTO_VARINT:
            return onnx_proto_varint(message, &field->value);
        case PROTO_FIXED64:
            return cursor_u64(message, &field->value) ? RULE_NONE : RULE_ONNX_TRUNCATED;
        case PROTO_BYTES:
            return read_bytes(message, field);
        case PROTO_FIXED32:
            return read_fixed32(message, field);
        default:
            return RULE_ONNX_GROUP;
    }
}

wlk_rule onnx_proto_next(cursor *message, proto_field *field) {
    uint64_t tag;
    field->offset = cursor_offset(message);
    const wlk_rule rule = onnx_proto_varint(message, &tag);
    if (rule != RULE_NONE) return rule;
    field->number = (uint32_t)(tag >> 3);
    field->wire = tag & 7;
    if (tag > UINT32_MAX || field->number == 0) return RULE_ONNX_TAG;
    return read_content(message, field);
}

#define ONE_BYTE_TAGS 16 /* numbers below have a tag of one byte */

static inline bool skip_varint(cursor *c) {
    uint8_t byte = 0x80;
    for (unsigned i = 0; i < VARINT_BYTES - 1 && byte >= 0x80; i++) {
        if (!cursor_u8(c, &byte)) return false;
    }
    return byte < 0x80;
}

static inline bool skip_short_bytes(cursor *c) {
    uint8_t length;
    return cursor_u8(c, &length) && length < 0x80 && cursor_skip(c, length);
}

/* Written out for each wire type, so that the loops are short. */
#define SKIP_WHILE(skip)                                                                      \
    for (; cursor_u8(&at, &byte) && byte == tag && (skip); message->position = at.position) { \
        count++;                                                                              \
    }

uint64_t onnx_proto_skip_alike(cursor *message, const proto_field *field) {
    const uint8_t tag = (uint8_t)(field->number << 3 | field->wire);
    cursor at = *message;
    uint64_t count = 0;
    uint8_t byte;
    if (field->number >= ONE_BYTE_TAGS) return 0;
    switch (field->wire) {
        case PROTO_VARINT:
            SKIP_WHILE(skip_varint(&at))
            break;
        case PROTO_FIXED32:
            SKIP_WHILE(cursor_skip(&at, 4))
            break;
        case PROTO_FIXED64:
            SKIP_WHILE(cursor_skip(&at, 8))
            break;
        default:
            SKIP_WHILE(skip_short_bytes(&at))
    }
    return count;
}

bool onnx_proto_each(cursor *message, proto_field *field) {
    return cursor_left(message) > 0 && onnx_proto_next(message, field) == RULE_NONE;
}

bool onnx_proto_each_of(cursor *message, uint32_t number, proto_field *field) {
    while (onnx_proto_each(message, field)) {
        if (field->number == number) return true;
        (void)onnx_proto_skip_alike(message, field);
    }
    return false;
}

cursor onnx_proto_bytes_of(cursor message, uint32_t number) {
    proto_field field;
    if (onnx_proto_each_of(&message, number, &field)) return field.bytes;
    return cursor_over(message.data, 0, message.base);
}

uint64_t onnx_proto_value_of(cursor message, uint32_t number, uint64_t absent) {
    proto_field field;
    return onnx_proto_each_of(&message, number, &field) ? field.value : absent;
}

#include "kit/protobuf_tree.h"

#include <string.h>

#include "base/cursor.h"
#include "formats/onnx/proto.h"
#include "formats/onnx/schema.h"

uint8_t pb_message_of(uint8_t parent_message, uint32_t number) {
    if (parent_message == MESSAGE_NONE || number >= SCHEMA_FIELDS) return MESSAGE_NONE;
    return onnx_schema_field(parent_message, number)->message;
}

/* ---- nodes */

uint8_t *pb_bytes(pb_tree *t, size_t length) {
    if (length > PB_ARENA - t->used) return NULL;
    uint8_t *bytes = t->arena + t->used;
    t->used += length;
    return bytes;
}

uint32_t pb_new(pb_tree *t, pb_kind kind, uint32_t number) {
    if (t->count == PB_MOST_NODES) return PB_NONE;
    t->nodes[t->count] = (pb_node){.kind = (uint8_t)kind,
                                   .number = number,
                                   .bytes = t->arena,
                                   .parent = PB_NONE,
                                   .first = PB_NONE,
                                   .next = PB_NONE};
    return t->count++;
}

void pb_link(pb_tree *t, uint32_t parent, uint32_t before, uint32_t node) {
    uint32_t *at = before == PB_NONE ? &t->nodes[parent].first : &t->nodes[before].next;
    t->nodes[node].next = *at;
    t->nodes[node].parent = parent;
    t->nodes[node].message = pb_message_of(t->nodes[parent].message, t->nodes[node].number);
    *at = node;
}

/* What points to it. */
static uint32_t *link_of(pb_tree *t, uint32_t node) {
    uint32_t *at = &t->nodes[t->nodes[node].parent].first;
    while (*at != node) at = &t->nodes[*at].next;
    return at;
}

void pb_unlink(pb_tree *t, uint32_t node) {
    *link_of(t, node) = t->nodes[node].next;
    t->nodes[node].parent = t->nodes[node].next = PB_NONE;
}

void pb_replace(pb_tree *t, uint32_t node, uint32_t by) {
    uint32_t *at = link_of(t, node);
    *at = by;
    t->nodes[by].parent = t->nodes[node].parent;
    t->nodes[by].message =
        pb_message_of(t->nodes[t->nodes[node].parent].message, t->nodes[by].number);
    t->nodes[by].next = t->nodes[node].next;
    t->nodes[node].parent = t->nodes[node].next = PB_NONE;
}

uint32_t pb_child(const pb_tree *t, uint32_t node, uint32_t number) {
    uint32_t child = t->nodes[node].first;
    while (child != PB_NONE && t->nodes[child].number != number) child = t->nodes[child].next;
    return child;
}

/* ---- decoding */

/* Does it parse to its last byte? One byte is no field. */
static bool is_message(const uint8_t *bytes, size_t length) {
    cursor at = cursor_over(bytes, length, 0);
    proto_field field;
    while (cursor_left(&at) > 0) {
        if (onnx_proto_next(&at, &field) != RULE_NONE) return false;
    }
    return length > 1;
}

/* Where the schema knows better than the bytes, it counts. */
static pb_kind kind_of(const pb_node *parent, const proto_field *field, size_t length) {
    if (field->wire != PROTO_BYTES) return (pb_kind)field->wire;
    if (parent->depth == PB_MOST_DEPTH - 1) return PB_BYTES;
    if (pb_message_of(parent->message, field->number) && length == 0) return PB_MESSAGE;
    if (parent->message && field->number < SCHEMA_FIELDS) {
        const uint8_t kind = onnx_schema_field(parent->message, field->number)->kind;
        if (kind != FIELD_MESSAGE && kind != FIELD_UNKNOWN && kind != FIELD_IGNORED) {
            return PB_BYTES;
        }
    }
    return is_message(field->bytes.data, length) ? PB_MESSAGE : PB_BYTES;
}

static uint32_t add_loose(pb_tree *t, uint32_t parent, uint32_t last, const uint8_t *bytes,
                          size_t length) {
    const uint32_t node = pb_new(t, PB_LOOSE, 0);
    if (node == PB_NONE) return last;
    t->nodes[node].bytes = bytes;
    t->nodes[node].length = length;
    pb_link(t, parent, last, node);
    return node;
}

static uint32_t add_field(pb_tree *t, uint32_t parent, uint32_t last, const proto_field *field) {
    const size_t length = field->wire == PROTO_BYTES ? field->bytes.size : 0;
    const uint32_t node = pb_new(t, kind_of(&t->nodes[parent], field, length), field->number);
    pb_node *n = &t->nodes[node];
    n->value = field->value;
    n->offset = (uint32_t)field->offset;
    if (field->wire == PROTO_BYTES) n->bytes = field->bytes.data;
    n->length = length;
    n->depth = (uint8_t)(t->nodes[parent].depth + 1);
    pb_link(t, parent, last, node);
    return node;
}

/* The fields of one message; those behind the last that there is room for are loose bytes. */
static void decode_message(pb_tree *t, uint32_t parent) {
    const pb_node *message = &t->nodes[parent];
    cursor rest = cursor_over(message->bytes, message->length, message->value);
    uint32_t last = PB_NONE;
    while (cursor_left(&rest) > 0) {
        const cursor before = rest;
        proto_field field = {0};
        if (t->count > PB_MOST_NODES - 2 || onnx_proto_next(&rest, &field) != RULE_NONE) {
            (void)add_loose(t, parent, last, before.data + before.position, cursor_left(&before));
            return;
        }
        last = add_field(t, parent, last, &field);
        /* Where a message's fields begin, for the offsets of those. */
        if (field.wire == PROTO_BYTES) t->nodes[last].value = field.bytes.base;
    }
}

void pb_decode(pb_tree *t, const uint8_t *data, size_t size) {
    t->count = 0;
    t->used = 0;
    const uint32_t root = pb_new(t, PB_MESSAGE, 0);
    t->nodes[root].bytes = data;
    t->nodes[root].length = size;
    t->nodes[root].message = MESSAGE_MODEL;
    for (uint32_t i = 0; i < t->count; i++) {
        if (t->nodes[i].kind == PB_MESSAGE) decode_message(t, i);
    }
}

/* ---- copies */

static bool copy_children(pb_tree *t, const pb_tree *from, uint32_t node, uint32_t source,
                          uint32_t *sources, uint32_t base) {
    uint32_t last = PB_NONE;
    for (uint32_t c = from->nodes[source].first; c != PB_NONE; c = from->nodes[c].next) {
        const uint32_t made = pb_new(t, PB_LOOSE, 0);
        if (made == PB_NONE) return false;
        t->nodes[made] = from->nodes[c];
        t->nodes[made].first = PB_NONE;
        pb_link(t, node, last, made);
        sources[made - base] = c;
        last = made;
    }
    return true;
}

uint32_t pb_copy(pb_tree *t, const pb_tree *from, uint32_t node) {
    static uint32_t sources[PB_MOST_NODES];
    const uint32_t root = pb_new(t, PB_LOOSE, 0);
    if (root == PB_NONE) return PB_NONE;
    t->nodes[root] = from->nodes[node];
    t->nodes[root].parent = t->nodes[root].first = t->nodes[root].next = PB_NONE;
    sources[0] = node;
    for (uint32_t i = root; i < t->count; i++) {
        if (copy_children(t, from, i, sources[i - root], sources, root)) continue;
        t->count = root; /* all or nothing */
        return PB_NONE;
    }
    return root;
}

/* ---- encoding */

static size_t varint_size(uint64_t value) {
    size_t size = 1;
    for (; value >= 0x80; value >>= 7) size++;
    return size;
}

static uint64_t tag_of(const pb_node *n) {
    const uint64_t wire = n->kind == PB_MESSAGE ? PB_BYTES : n->kind;
    return (uint64_t)n->number << 3 | wire;
}

static uint64_t said_length(const pb_node *n) {
    return n->length + n->lie;
}

static size_t head_size(const pb_node *n) {
    return n->kind == PB_LOOSE ? 0 : varint_size(tag_of(n)) + n->padding;
}

static size_t content_size(const pb_node *n) {
    switch (n->kind) {
        case PB_VARINT:
            return varint_size(n->value);
        case PB_FIXED64:
            return 8;
        case PB_FIXED32:
            return 4;
        case PB_LOOSE:
            return n->length;
        default:
            return varint_size(said_length(n)) + n->length;
    }
}

/* From the last to the first: a child stands behind its parent. */
static void measure(pb_tree *t) {
    for (uint32_t i = t->count; i-- > 0;) {
        pb_node *n = &t->nodes[i];
        if (n->kind != PB_MESSAGE) continue;
        n->length = 0;
        for (uint32_t c = n->first; c != PB_NONE; c = t->nodes[c].next) {
            n->length += head_size(&t->nodes[c]) + content_size(&t->nodes[c]);
        }
    }
}

static uint8_t *put_varint(uint8_t *out, uint64_t value, size_t padding) {
    for (; value >= 0x80; value >>= 7) *out++ = (uint8_t)(value | 0x80);
    *out++ = (uint8_t)value;
    for (; padding > 0; padding--) {
        out[-1] |= 0x80;
        *out++ = 0;
    }
    return out;
}

/* Its head, and its content if that is not other nodes. */
static uint8_t *put_node(uint8_t *out, const pb_node *n) {
    if (n->kind != PB_LOOSE) out = put_varint(out, tag_of(n), n->padding);
    if (n->kind == PB_VARINT) return put_varint(out, n->value, 0);
    if (n->kind == PB_FIXED64 || n->kind == PB_FIXED32) {
        const size_t bytes = n->kind == PB_FIXED64 ? 8 : 4;
        memcpy(out, &n->value, bytes);
        return out + bytes;
    }
    if (n->kind != PB_LOOSE) out = put_varint(out, said_length(n), 0);
    if (n->kind == PB_MESSAGE || n->length == 0) return out;
    memcpy(out, n->bytes, n->length);
    return out + n->length;
}

/* The one that is written after it; PB_NONE at the end. */
static uint32_t follower(const pb_tree *t, uint32_t node) {
    if (t->nodes[node].first != PB_NONE) return t->nodes[node].first;
    while (node != PB_ROOT && t->nodes[node].next == PB_NONE) node = t->nodes[node].parent;
    return node == PB_ROOT ? PB_NONE : t->nodes[node].next;
}

size_t pb_encode(pb_tree *t, uint8_t *out, size_t room) {
    measure(t);
    const size_t size = t->nodes[PB_ROOT].length;
    if (size > room) return 0;
    for (uint32_t i = follower(t, PB_ROOT); i != PB_NONE; i = follower(t, i)) {
        out = put_node(out, &t->nodes[i]);
    }
    return size;
}

/* Protocol Buffers as a tree that can be changed and encoded again. Nothing is known of the
 * bytes but the wire format: content with a length that parses as a message to its last
 * byte is a message. Where ONNX's schema (formats/onnx/schema.h) fits, a node knows what it
 * is, so that a change can put something of the right kind in its place. */
#ifndef WEIGHLOCK_FUZZ_PROTOBUF_TREE_H
#define WEIGHLOCK_FUZZ_PROTOBUF_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PB_MOST_NODES 6144
#define PB_MOST_DEPTH 40
#define PB_ARENA (64u << 10) /* for what changes make */
#define PB_NONE UINT32_MAX
#define PB_ROOT 0

typedef enum pb_kind {
    PB_VARINT = 0,
    PB_FIXED64 = 1,
    PB_BYTES = 2, /* text, packed numbers, raw data */
    PB_FIXED32 = 5,
    PB_MESSAGE = 8, /* on the wire as PB_BYTES */
    PB_LOOSE = 9    /* bytes without a head, that are no field */
} pb_kind;

typedef struct pb_node {
    uint64_t value;       /* of a number: its bits */
    const uint8_t *bytes; /* of PB_BYTES and PB_LOOSE: in the input or the arena */
    size_t length;        /* their number; of a message, set by pb_encode */
    uint64_t lie;         /* added to the length that is written; wraps */
    uint32_t offset;      /* of the tag, in what was decoded */
    uint32_t number;
    uint32_t parent, first, next; /* PB_NONE */
    uint8_t kind;                 /* pb_kind */
    uint8_t message;              /* proto_message, if that is known */
    uint8_t depth;
    uint8_t padding; /* bytes that the tag is longer than it needs */
} pb_node;

/* A child stands behind its parent in `nodes`: whoever changes the tree keeps that, by
 * copying (pb_copy) instead of moving. */
typedef struct pb_tree {
    uint32_t count;
    size_t used;
    pb_node nodes[PB_MOST_NODES];
    uint8_t arena[PB_ARENA];
} pb_tree;

/* Any bytes: what is no field becomes PB_LOOSE. The tree points into data. */
void pb_decode(pb_tree *t, const uint8_t *data, size_t size);

/* Returns the bytes written, 0 if there are more than `room`. */
size_t pb_encode(pb_tree *t, uint8_t *out, size_t room);

/* A copy of the node and what is below it, linked nowhere; PB_NONE if there is no room. from
 * may be t; what its nodes point to must outlive t. */
uint32_t pb_copy(pb_tree *t, const pb_tree *from, uint32_t node);

/* A new field, linked nowhere. */
uint32_t pb_new(pb_tree *t, pb_kind kind, uint32_t number);

/* Makes it the child of `parent` behind `before` (PB_NONE: the first). */
void pb_link(pb_tree *t, uint32_t parent, uint32_t before, uint32_t node);
void pb_unlink(pb_tree *t, uint32_t node);

/* Puts `by`, which is linked nowhere, in the place of node. */
void pb_replace(pb_tree *t, uint32_t node, uint32_t by);

/* So many bytes that can be written to; NULL if the arena is full. */
uint8_t *pb_bytes(pb_tree *t, size_t length);

/* The first child of that number; PB_NONE. */
uint32_t pb_child(const pb_tree *t, uint32_t node, uint32_t number);

/* What the parent's schema says a field of that number is. */
uint8_t pb_message_of(uint8_t parent_message, uint32_t number);

#endif

#include "kit/protobuf_change.h"

#include <string.h>

#include "formats/onnx/schema.h"

#define TRIES 32
#define LONGEST_BYTES 1024 /* of bytes that are changed as bytes */

/* ---- which one */

static bool is_linked(const pb_tree *t, uint32_t node) {
    return node != PB_ROOT && t->nodes[node].parent != PB_NONE;
}

/* What holds it; of what has been taken out of the tree, MESSAGE_NONE. */
static uint8_t holder(const pb_tree *t, uint32_t node) {
    const uint32_t parent = t->nodes[node].parent;
    return parent == PB_NONE ? MESSAGE_NONE : t->nodes[parent].message;
}

/* Any but the root; PB_NONE if there seems to be none. */
static uint32_t any_node(const pb_tree *t, fuzz_random *random) {
    for (int i = 0; i < TRIES; i++) {
        const uint32_t node = (uint32_t)random_below(random, t->count);
        if (is_linked(t, node)) return node;
    }
    return PB_NONE;
}

static uint32_t any_of_kind(const pb_tree *t, pb_kind kind, fuzz_random *random) {
    for (int i = 0; i < TRIES; i++) {
        const uint32_t node = any_node(t, random);
        if (node != PB_NONE && t->nodes[node].kind == kind) return node;
    }
    return PB_NONE;
}

/* Would `other` do in the place of node? The same message, or the same field of the same
 * message; where nothing is known, the same number. */
static bool alike(const pb_tree *t, uint32_t node, const pb_tree *from, uint32_t other) {
    const pb_node *a = &t->nodes[node], *b = &from->nodes[other];
    if (a->message || b->message) return a->message == b->message;
    return a->number == b->number && holder(t, node) == holder(from, other);
}

static uint32_t any_alike(const pb_tree *t, uint32_t node, const pb_tree *from,
                          fuzz_random *random) {
    for (int i = 0; i < TRIES; i++) {
        const uint32_t other = any_node(from, random);
        if (other != PB_NONE && alike(t, node, from, other)) return other;
    }
    return PB_NONE;
}

/* ---- content */

/* Dimensions, types, axes: most that matter are small. */
static uint64_t new_number(uint64_t old, fuzz_random *random) {
    switch (random_below(random, 6)) {
        case 0:
            return old + 1;
        case 1:
            return old - 1;
        case 2:
            return random_below(random, 32);
        case 3:
            return 0 - (uint64_t)random_below(random, 16);
        default:
            return random_edge(random);
    }
}

static void change_number(pb_tree *t, fuzz_random *random) {
    const uint32_t node = any_of_kind(t, PB_VARINT, random);
    if (node != PB_NONE) t->nodes[node].value = new_number(t->nodes[node].value, random);
}

static void change_float(pb_tree *t, fuzz_random *random) {
    static const uint32_t odd[] = {0x7fc00000, 0x7f800000, 0xff800000, 0x80000000,
                                   0x00000001, 0x7f7fffff, 0x3f800000, 0};
    const uint32_t node = any_of_kind(t, PB_FIXED32, random);
    if (node != PB_NONE) t->nodes[node].value = odd[random_below(random, 8)];
}

static void change_bytes(pb_tree *t, fuzz_random *random) {
    const uint32_t node = any_of_kind(t, PB_BYTES, random);
    if (node == PB_NONE) return;
    pb_node *n = &t->nodes[node];
    const size_t length = n->length < LONGEST_BYTES ? n->length : LONGEST_BYTES;
    uint8_t *bytes = pb_bytes(t, length + 16);
    if (!bytes) return;
    if (length) memcpy(bytes, n->bytes, length);
    n->length = mutate_bytes(bytes, length, length + 16, random);
    n->bytes = bytes;
}

/* Names are what fields refer to each other by. */
static void change_text(pb_tree *t, fuzz_random *random) {
    const uint32_t node = any_of_kind(t, PB_BYTES, random);
    const uint32_t other = any_of_kind(t, PB_BYTES, random);
    if (node == PB_NONE || other == PB_NONE) return;
    t->nodes[node].bytes = t->nodes[other].bytes;
    t->nodes[node].length = t->nodes[other].length;
}

/* ---- places */

static void change_delete(pb_tree *t, fuzz_random *random) {
    const uint32_t node = any_node(t, random);
    if (node != PB_NONE) pb_unlink(t, node);
}

static void change_twice(pb_tree *t, fuzz_random *random) {
    const uint32_t node = any_node(t, random);
    if (node == PB_NONE) return;
    const uint32_t copy = pb_copy(t, t, node);
    if (copy != PB_NONE) pb_link(t, t->nodes[node].parent, node, copy);
}

/* To the front, or behind its follower. */
static void change_order(pb_tree *t, fuzz_random *random) {
    const uint32_t node = any_node(t, random);
    if (node == PB_NONE) return;
    const uint32_t parent = t->nodes[node].parent, next = t->nodes[node].next;
    pb_unlink(t, node);
    pb_link(t, parent, random_below(random, 2) ? next : PB_NONE, node);
}

/* An ancestor in its descendant's place nests a graph in itself. */
static void change_cross(pb_tree *t, fuzz_random *random) {
    const uint32_t node = any_node(t, random);
    if (node == PB_NONE) return;
    const uint32_t other = any_alike(t, node, t, random);
    if (other == PB_NONE || other == node) return;
    const uint32_t copy = pb_copy(t, t, other);
    if (copy == PB_NONE) return;
    t->nodes[copy].number = t->nodes[node].number;
    pb_replace(t, node, copy);
}

/* A field of its kind goes into another message of the same kind as its own. */
static void change_spread(pb_tree *t, fuzz_random *random) {
    const uint32_t node = any_node(t, random);
    if (node == PB_NONE) return;
    const uint32_t parent = t->nodes[node].parent;
    const uint32_t other = parent == PB_ROOT ? PB_ROOT : any_alike(t, parent, t, random);
    if (other == PB_NONE || t->nodes[other].kind != PB_MESSAGE) return;
    const uint32_t copy = pb_copy(t, t, node);
    if (copy != PB_NONE) pb_link(t, other, PB_NONE, copy);
}

/* A field that the schema has for that message, with a content of little. */
static pb_kind kind_of_schema(const field_schema *field) {
    switch (field->kind) {
        case FIELD_INT:
            return PB_VARINT;
        case FIELD_FLOAT:
            return PB_FIXED32;
        case FIELD_DOUBLE:
            return PB_FIXED64;
        case FIELD_TEXT:
            return PB_BYTES;
        default:
            return PB_MESSAGE;
    }
}

static void change_insert(pb_tree *t, fuzz_random *random) {
    const uint32_t node = any_of_kind(t, PB_MESSAGE, random);
    const uint32_t parent = node == PB_NONE ? PB_ROOT : node;
    const uint32_t number = 1 + (uint32_t)random_below(random, SCHEMA_FIELDS - 1);
    const field_schema *field = onnx_schema_field(t->nodes[parent].message, number);
    if (field->kind == FIELD_UNKNOWN && random_below(random, 8)) return;
    const uint32_t made = pb_new(t, kind_of_schema(field), number);
    const uint32_t text = any_of_kind(t, PB_BYTES, random);
    if (made == PB_NONE) return;
    t->nodes[made].value = new_number(0, random);
    if (t->nodes[made].kind == PB_BYTES && text != PB_NONE) {
        t->nodes[made].bytes = t->nodes[text].bytes;
        t->nodes[made].length = t->nodes[text].length;
    }
    pb_link(t, parent, PB_NONE, made);
}

void pb_change(pb_tree *t, fuzz_random *random) {
    static void (*const changes[])(pb_tree *, fuzz_random *) = {
        change_number, change_number, change_number, change_text,  change_text,
        change_bytes,  change_float,  change_cross,  change_cross, change_twice,
        change_order,  change_spread, change_delete, change_insert};
    changes[random_below(random, sizeof changes / sizeof *changes)](t, random);
}

/* ---- forms */

void pb_change_form(pb_tree *t, fuzz_random *random) {
    static const uint8_t wires[] = {0, 1, 2, 3, 4, 5, 6, 7};
    const uint32_t node = any_node(t, random);
    if (node == PB_NONE) return;
    pb_node *n = &t->nodes[node];
    switch (random_below(random, 6)) {
        case 0:
            n->lie = random_below(random, 2) ? random_edge(random) : 1 - random_below(random, 3);
            return;
        case 1:
            n->padding = (uint8_t)(1 + random_below(random, 10));
            return;
        case 2:
            n->number = (uint32_t)random_below(random, 2) ? n->number ^ 1
                                                          : (uint32_t)random_edge(random) >> 3;
            return;
        case 3: /* read as that: what follows is what it is not */
            if (n->kind == PB_VARINT) n->kind = PB_FIXED32;
            return;
        case 4:
            n->first = PB_NONE;
            return;
        default:
            break;
    }
    uint8_t *bytes = pb_bytes(t, 1);
    const uint32_t loose = bytes ? pb_new(t, PB_LOOSE, 0) : PB_NONE;
    if (loose == PB_NONE) return;
    bytes[0] = (uint8_t)(random_below(random, 32) << 3 | wires[random_below(random, 8)]);
    t->nodes[loose].bytes = bytes;
    t->nodes[loose].length = 1;
    pb_link(t, t->nodes[node].parent, node, loose);
}

/* ---- two trees */

void pb_graft(pb_tree *t, const pb_tree *other, fuzz_random *random) {
    const uint32_t node = any_node(t, random);
    if (node == PB_NONE) return;
    const uint32_t from = any_alike(t, node, other, random);
    const uint32_t copy = from == PB_NONE ? PB_NONE : pb_copy(t, other, from);
    if (copy == PB_NONE) return;
    t->nodes[copy].number = t->nodes[node].number;
    if (random_below(random, 2)) {
        pb_replace(t, node, copy);
    } else {
        pb_link(t, t->nodes[node].parent, node, copy);
    }
}

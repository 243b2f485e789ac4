/* Messages of Protocol Buffers, and of them those of ONNX. */
#include <string.h>

#include "formats/onnx/schema.h"
#include "kit/protobuf_change.h"

#define MOST_BYTES (64u << 10) /* longer inputs are changed as bytes */
#define MOST_CHANGES 3
#define SHOWN 40 /* bytes of a text */
#define TRIES 4

/* A graph of one Relu over x [n]: what is no message is replaced by it now and then. */
static const uint8_t small[] =
    "\x08\x08\x42\x02\x10\x11\x3a\x35\x0a\x0c\x0a\x01x\x12\x01y\x22\x04Relu\x12\x01g"
    "\x5a\x10\x0a\x01x\x12\x0b\x0a\x09\x08\x01\x12\x05\x0a\x03\x12\x01n"
    "\x62\x10\x0a\x01y\x12\x0b\x0a\x09\x08\x01\x12\x05\x0a\x03\x12\x01n";

/* Trees are large, and one thread makes inputs. */
static pb_tree changed, other;
static uint8_t source[MOST_BYTES];

static bool is_tree(const pb_tree *t) {
    const uint32_t first = t->nodes[PB_ROOT].first;
    return first != PB_NONE && t->nodes[first].kind != PB_LOOSE;
}

static size_t finish(uint8_t *out, size_t room, fuzz_random *random) {
    if (random_below(random, 8)) pb_mend(&changed);
    if (random_below(random, 12) == 0) pb_change_form(&changed, random);
    return pb_encode(&changed, out, room);
}

static size_t mutate(uint8_t *data, size_t size, size_t room, fuzz_random *random) {
    if (size > room) size = room;
    if (size > sizeof source) return mutate_bytes(data, size, room, random);
    if (size) memcpy(source, data, size);
    for (int i = 0; i < TRIES; i++) {
        pb_decode(&changed, source, size);
        if (!is_tree(&changed) && random_below(random, 2)) {
            pb_decode(&changed, small, sizeof small - 1);
        }
        for (size_t n = 1 + random_below(random, MOST_CHANGES); n > 0; n--) {
            pb_change(&changed, random);
        }
        const size_t length = finish(data, room, random);
        if (length > 0) return length;
    }
    if (size) memcpy(data, source, size);
    size = mutate_bytes(data, size, room, random);
    if (size == 0 && room > 0) data[size++] = 0x3a;
    return size;
}

static size_t cross(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out,
                    size_t room, fuzz_random *random) {
    pb_decode(&changed, a, a_size);
    pb_decode(&other, b, b_size);
    for (size_t i = 1 + random_below(random, MOST_CHANGES); i > 0; i--) {
        pb_graft(&changed, &other, random);
    }
    const size_t length = finish(out, room, random);
    if (length > 0) return length;
    const size_t kept = a_size < room ? a_size : room;
    if (kept) memcpy(out, a, kept);
    return kept;
}

/* ---- to look at */

static void show_text(const pb_node *n, FILE *out) {
    const size_t shown = n->length < SHOWN ? n->length : SHOWN;
    (void)fprintf(out, "%zu bytes \"", n->length);
    for (size_t i = 0; i < shown; i++) {
        const uint8_t byte = n->bytes[i];
        const bool plain = byte >= ' ' && byte < 0x7f && byte != '"' && byte != '\\';
        (void)fprintf(out, plain ? "%c" : "\\x%02x", byte);
    }
    (void)fprintf(out, "\"%s\n", shown < n->length ? " ..." : "");
}

static void show_node(const pb_tree *t, uint32_t node, FILE *out) {
    const pb_node *n = &t->nodes[node];
    if (n->kind == PB_LOOSE) {
        (void)fprintf(out, "%*sno field: ", 8 + 2 * t->nodes[n->parent].depth, "");
        show_text(n, out);
        return;
    }
    (void)fprintf(out, "%6u%*s%u: ", n->offset, 2 * n->depth, "", n->number);
    if (n->kind == PB_MESSAGE) {
        (void)fprintf(out, "%s, %zu bytes\n", n->message ? onnx_schema_name(n->message) : "message",
                      n->length);
    } else if (n->kind == PB_BYTES) {
        show_text(n, out);
    } else {
        (void)fprintf(out, "%s %lld\n", n->kind == PB_VARINT ? "varint" : "fixed",
                      (long long)n->value);
    }
}

static void show(const uint8_t *data, size_t size, FILE *out) {
    pb_decode(&changed, data, size);
    uint32_t node = changed.nodes[PB_ROOT].first;
    while (node != PB_NONE) {
        show_node(&changed, node, out);
        if (changed.nodes[node].first != PB_NONE) {
            node = changed.nodes[node].first;
            continue;
        }
        while (node != PB_ROOT && changed.nodes[node].next == PB_NONE) {
            node = changed.nodes[node].parent;
        }
        node = node == PB_ROOT ? PB_NONE : changed.nodes[node].next;
    }
}

const fuzz_structure structure_protobuf = {
    .name = "protobuf", .mutate = mutate, .cross = cross, .show = show};

#include "kit/msgpack_tree.h"

#include <string.h>

uint32_t tree_after(const tree *t, uint32_t at) {
    if (t->nodes[at].first) return t->nodes[at].first;
    while (at && !t->nodes[at].next) at = t->nodes[at].parent;
    return t->nodes[at].next;
}

uint32_t tree_children(const tree *t, uint32_t at) {
    uint32_t count = 0;
    for (uint32_t child = t->nodes[at].first; child; child = t->nodes[child].next) count++;
    return count;
}

uint32_t tree_child(const tree *t, uint32_t at, uint32_t index) {
    uint32_t child = t->nodes[at].first;
    while (child && index--) child = t->nodes[child].next;
    return child;
}

uint32_t tree_depth(const tree *t, uint32_t at) {
    uint32_t depth = 0;
    while (at && (at = t->nodes[at].parent)) depth++;
    return depth;
}

bool tree_is_key(const tree *t, uint32_t at) {
    const uint32_t parent = t->nodes[at].parent;
    if (t->nodes[parent].kind != TREE_MAP) return false;
    uint32_t index = 0;
    for (uint32_t i = t->nodes[parent].first; i != at; i = t->nodes[i].next) index++;
    return index % 2 == 0;
}

bool tree_is_text(const tree *t, uint32_t at, const char *text) {
    const tree_node *n = &t->nodes[at];
    return n->kind == TREE_STR && n->length == strlen(text) &&
           (n->length == 0 || memcmp(n->bytes, text, n->length) == 0);
}

uint32_t tree_get(const tree *t, uint32_t map, const char *key) {
    if (t->nodes[map].kind != TREE_MAP) return 0;
    for (uint32_t i = t->nodes[map].first; i;) {
        const uint32_t value = t->nodes[i].next;
        if (tree_is_text(t, i, key)) return value;
        i = value ? t->nodes[value].next : 0;
    }
    return 0;
}

uint32_t tree_new(tree *t, tree_kind kind, uint64_t value) {
    if (t->used == TREE_NODES) return 0;
    t->nodes[t->used] = (tree_node){.kind = kind, .width = TREE_SHORTEST, .value = value};
    return t->used++;
}

uint32_t tree_new_bytes(tree *t, tree_kind kind, const uint8_t *bytes, size_t length) {
    const uint32_t at = tree_new(t, kind, 0);
    if (!at) return 0;
    t->nodes[at].bytes = bytes;
    t->nodes[at].length = (uint32_t)length;
    return at;
}

uint8_t *tree_room(tree *t, size_t length) {
    if (length > TREE_POOL - t->pool_used) return NULL;
    uint8_t *room = t->pool + t->pool_used;
    t->pool_used += (uint32_t)length;
    return room;
}

static uint32_t last_child(const tree *t, uint32_t parent) {
    uint32_t last = t->nodes[parent].first;
    while (last && t->nodes[last].next) last = t->nodes[last].next;
    return last;
}

void tree_insert(tree *t, uint32_t parent, uint32_t sibling, uint32_t node) {
    if (!node) return;
    uint32_t *link = sibling ? &t->nodes[sibling].next : &t->nodes[parent].first;
    t->nodes[node].parent = parent;
    t->nodes[node].next = *link;
    *link = node;
}

void tree_append(tree *t, uint32_t parent, uint32_t node) {
    tree_insert(t, parent, last_child(t, parent), node);
}

void tree_remove(tree *t, uint32_t at) {
    if (!at) return;
    uint32_t *link = &t->nodes[t->nodes[at].parent].first;
    while (*link && *link != at) link = &t->nodes[*link].next;
    if (*link) *link = t->nodes[at].next;
    t->nodes[at].next = 0;
}

void tree_replace(tree *t, uint32_t at, uint32_t with) {
    if (!at || !with) return;
    const uint32_t parent = t->nodes[at].parent, next = t->nodes[at].next;
    t->nodes[at] = t->nodes[with];
    t->nodes[at].parent = parent;
    t->nodes[at].next = next;
    for (uint32_t i = t->nodes[at].first; i; i = t->nodes[i].next) t->nodes[i].parent = at;
}

/* Where the tree is full, what was cloned so far. Depth bounds the recursion. */
uint32_t tree_clone(tree *t, const tree *from, uint32_t at) {
    const uint32_t copy = at ? tree_new(t, from->nodes[at].kind, from->nodes[at].value) : 0;
    if (!copy) return 0;
    const tree_node source = from->nodes[at];
    t->nodes[copy] = source;
    t->nodes[copy].parent = t->nodes[copy].first = t->nodes[copy].next = 0;
    uint32_t last = 0;
    for (uint32_t i = source.first; i; i = from->nodes[i].next) {
        const uint32_t child = tree_clone(t, from, i);
        if (!child) break;
        tree_insert(t, copy, last, child);
        last = child;
    }
    return copy;
}

/* ---- the canonical form */

static int compare_texts(const tree_node *a, const tree_node *b) {
    const uint32_t shorter = a->length < b->length ? a->length : b->length;
    const int order = shorter ? memcmp(a->bytes, b->bytes, shorter) : 0;
    if (order != 0) return order;
    return (a->length > b->length) - (a->length < b->length);
}

/* Where `key` belongs among the ascending keys of a map: behind *sibling, the last value
 * below it. False: that key is there already. */
static bool find_place(const tree *t, uint32_t map, uint32_t key, uint32_t *sibling) {
    *sibling = 0;
    for (uint32_t i = t->nodes[map].first; i;) {
        const int order = compare_texts(&t->nodes[i], &t->nodes[key]);
        if (order == 0) return false;
        if (order > 0) return true;
        *sibling = t->nodes[i].next;
        i = t->nodes[*sibling].next;
    }
    return true;
}

static bool ascends(const tree *t, uint32_t map) {
    const tree_node *n = t->nodes;
    for (uint32_t key = n[map].first; key;) {
        const uint32_t value = n[key].next, next = value ? n[value].next : 0;
        if (!value || (next && compare_texts(&n[key], &n[next]) >= 0)) return false;
        key = next;
    }
    return true;
}

/* An insertion sort: what does not ascend is small, or was cut into by a change. */
static void sort_map(tree *t, uint32_t map) {
    if (ascends(t, map)) return;
    uint32_t key = t->nodes[map].first, sibling, next;
    t->nodes[map].first = 0;
    for (; key && t->nodes[key].next; key = next) {
        const uint32_t value = t->nodes[key].next;
        next = t->nodes[value].next;
        t->nodes[key].next = t->nodes[value].next = 0;
        if (!find_place(t, map, key, &sibling)) continue;
        tree_insert(t, map, sibling, key);
        tree_insert(t, map, key, value);
    }
}

void tree_make_canonical(tree *t) {
    for (uint32_t at = tree_after(t, 0); at; at = tree_after(t, at)) {
        t->nodes[at].width = TREE_SHORTEST;
        t->nodes[at].lie = 0;
        if (t->nodes[at].kind == TREE_MAP) sort_map(t, at);
    }
}

/* ---- printing */

static const char *const names[TREE_KINDS] = {
    [TREE_TOP] = "top", [TREE_NIL] = "nil",     [TREE_BOOL] = "bool",       [TREE_UINT] = "uint",
    [TREE_INT] = "int", [TREE_FLOAT] = "float", [TREE_FLOAT32] = "float32", [TREE_STR] = "str",
    [TREE_BIN] = "bin", [TREE_EXT] = "ext",     [TREE_ARRAY] = "array",     [TREE_MAP] = "map",
    [TREE_RAW] = "raw",
};

#define SHOWN_BYTES 64

static void show_bytes(const tree_node *n, FILE *out) {
    (void)fputc('"', out);
    for (uint32_t i = 0; i < n->length && i < SHOWN_BYTES; i++) {
        const uint8_t byte = n->bytes[i];
        const bool plain = byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
        if (plain && n->kind != TREE_RAW) {
            (void)fputc(byte, out);
        } else {
            (void)fprintf(out, "\\x%02x", byte);
        }
    }
    (void)fprintf(out, n->length > SHOWN_BYTES ? "\" ..., %u bytes" : "\"", n->length);
}

static double float_of(const tree_node *n) {
    double wide;
    float narrow;
    const uint32_t low = (uint32_t)n->value;
    memcpy(&wide, &n->value, sizeof wide);
    memcpy(&narrow, &low, sizeof narrow);
    return n->kind == TREE_FLOAT ? wide : (double)narrow;
}

static void show_value(const tree *t, uint32_t at, FILE *out) {
    const tree_node *n = &t->nodes[at];
    if (n->kind == TREE_BOOL) (void)fputs(n->value ? "true" : "false", out);
    if (n->kind == TREE_UINT) (void)fprintf(out, "%llu", (unsigned long long)n->value);
    if (n->kind == TREE_INT) (void)fprintf(out, "%lld", (long long)n->value);
    if (n->kind == TREE_FLOAT || n->kind == TREE_FLOAT32) (void)fprintf(out, "%.17g", float_of(n));
    if (n->kind == TREE_EXT) (void)fprintf(out, "type %d ", (int8_t)n->ext);
    if (n->kind == TREE_STR || n->kind == TREE_BIN || n->kind == TREE_EXT || n->kind == TREE_RAW) {
        show_bytes(n, out);
    }
    if (n->kind == TREE_ARRAY) (void)fprintf(out, "of %u", tree_children(t, at));
    if (n->kind == TREE_MAP) (void)fprintf(out, "of %u", tree_children(t, at) / 2);
    if (n->lie) (void)fprintf(out, ", declared with %lld more", (long long)n->lie);
    if (n->width != TREE_SHORTEST) (void)fprintf(out, ", argument of %u bytes", n->width);
}

void tree_show(const tree *t, uint64_t base, FILE *out) {
    uint32_t objects = 0;
    for (uint32_t at = tree_after(t, 0); at; at = tree_after(t, at)) {
        const tree_node *n = &t->nodes[at];
        if (n->parent == 0 && objects++ > 0) (void)fputs("  another object behind it\n", out);
        (void)fprintf(out, "  %7llu  %*s%s ", (unsigned long long)(base + n->offset),
                      (int)(2 * tree_depth(t, at)), "", names[n->kind]);
        if (tree_is_key(t, at)) (void)fputs("key ", out);
        show_value(t, at, out);
        (void)fputc('\n', out);
    }
}

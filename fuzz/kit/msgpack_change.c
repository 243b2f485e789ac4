#include "kit/msgpack_change.h"

#include <string.h>

/* Keys of the format (docs/format.md, section 3), and two that are none. */
static const char *const keys[] = {
    "atol",
    "attr",
    "block",
    "bytes",
    "codec",
    "created",
    "domain",
    "dtype",
    "elements",
    "floats",
    "graph",
    "graphs",
    "hyperparameters",
    "in",
    "inputs",
    "ints",
    "key",
    "kind",
    "libraries",
    "map",
    "metadata",
    "metrics",
    "name",
    "nbytes",
    "nodes",
    "offset",
    "op",
    "opset",
    "optional",
    "out",
    "outputs",
    "producer",
    "rtol",
    "selftest",
    "sequence",
    "shape",
    "source",
    "strings",
    "tags",
    "tensor",
    "tensors",
    "training",
    "type",
    "value",
    "version",
    "x-",
    "x-a",
    "",
};

/* Words that mean something to somebody, and texts that are none. */
static const char *const words[] = {
    "f64",
    "f32",
    "f16",
    "bf16",
    "f8e4m3fn",
    "f8e5m2",
    "f6e2m3",
    "f4e2m1",
    "i64",
    "i8",
    "i4",
    "u64",
    "u4",
    "bool",
    "c64",
    "c128",
    "str",
    "block",
    "raw",
    "zstd",
    "q8_0",
    "model",
    "Add",
    "MatMul",
    "If",
    "Loop",
    "ai.onnx",
    "ai.onnx.ml",
    "",
    "a/b",
    "~0",
    "n",
    "\xc3",
    "\xed\xa0\x80",
    "\xf4\x90\x80\x80",
    "\xc0\x80",
    "\xe2\x80\xae",
    "\x1b[31m",
    "0123456789012345678901234567890",
    "01234567890123456789012345678901",
};

static const uint64_t floats[] = {
    0,
    0x8000000000000000u,
    0x3ff0000000000000u,
    0x7ff0000000000000u,
    0xfff0000000000000u,
    0x7ff8000000000000u,
    0x7ff0000000000001u,
    1,
    0x7fefffffffffffffu,
    0xbff0000000000000u,
};

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define MOST_GROWTH 40
#define MOST_DEEPER 20

/* ---- choosing */

static bool any(tree_kind kind) {
    return kind != TREE_TOP;
}
static bool is_text(tree_kind kind) {
    return kind == TREE_STR;
}
static bool is_container(tree_kind kind) {
    return kind == TREE_ARRAY || kind == TREE_MAP;
}
static bool is_leaf(tree_kind kind) {
    return any(kind) && !is_container(kind);
}

/* One of the nodes that hang in the tree, each as likely; 0 if there is none. */
static uint32_t choose(const tree *t, bool (*fits)(tree_kind), fuzz_random *random) {
    uint32_t list[TREE_NODES], count = 0;
    for (uint32_t at = tree_after(t, 0); at && count < TREE_NODES; at = tree_after(t, at)) {
        if (fits(t->nodes[at].kind)) list[count++] = at;
    }
    return count ? list[random_below(random, count)] : 0;
}

static uint32_t new_text(tree *t, const char *text) {
    return tree_new_bytes(t, TREE_STR, (const uint8_t *)text, strlen(text));
}
static uint32_t new_key(tree *t, fuzz_random *random) {
    return new_text(t, keys[random_below(random, COUNT(keys))]);
}
static uint32_t new_word(tree *t, fuzz_random *random) {
    return new_text(t, words[random_below(random, COUNT(words))]);
}

static uint32_t new_number(tree *t, fuzz_random *random) {
    const uint64_t edge = random_edge(random);
    return tree_new(t, (int64_t)edge < 0 && random_below(random, 2) ? TREE_INT : TREE_UINT, edge);
}

static uint32_t new_leaf(tree *t, fuzz_random *random) {
    switch (random_below(random, 8)) {
        case 0:
            return tree_new(t, TREE_NIL, 0);
        case 1:
            return tree_new(t, TREE_BOOL, random_below(random, 2));
        case 2:
            return tree_new(t, TREE_FLOAT, floats[random_below(random, COUNT(floats))]);
        case 3:
        case 4:
            return new_word(t, random);
        case 5:
            return tree_new(t, random_below(random, 2) ? TREE_ARRAY : TREE_MAP, 0);
        default:
            return new_number(t, random);
    }
}

/* ---- changes of values */

static void edge_value(tree *t, fuzz_random *random) {
    const uint32_t at = choose(t, is_leaf, random);
    tree_node *n = &t->nodes[at];
    if (n->kind == TREE_BOOL) n->value ^= 1;
    if (n->kind == TREE_FLOAT) n->value = floats[random_below(random, COUNT(floats))];
    if (n->kind == TREE_UINT && random_below(random, 2)) {
        n->value += random_below(random, 3) - 1u;
    } else if (n->kind == TREE_UINT || n->kind == TREE_INT) {
        tree_replace(t, at, new_number(t, random));
    }
    if (n->kind == TREE_STR) {
        tree_replace(t, at, tree_is_key(t, at) ? new_key(t, random) : new_word(t, random));
    }
}

static void other_type(tree *t, fuzz_random *random) {
    const uint32_t at = choose(t, any, random);
    tree_replace(t, at, new_leaf(t, random));
}

/* What stands in a map is a key and its value. */
static uint32_t own_key(const tree *t, uint32_t at) {
    const uint32_t parent = t->nodes[at].parent;
    if (t->nodes[parent].kind != TREE_MAP || tree_is_key(t, at)) return at;
    uint32_t key = t->nodes[parent].first;
    while (t->nodes[key].next != at) key = t->nodes[key].next;
    return key;
}

/* Puts a copy of a node into a container, in a map under a key. */
static void put_into(tree *t, uint32_t container, uint32_t copy, fuzz_random *random) {
    const uint32_t children = tree_children(t, container);
    if (t->nodes[container].kind == TREE_MAP) {
        const uint32_t key = new_key(t, random);
        tree_insert(t, container, 0, key);
        tree_insert(t, container, key, copy);
    } else {
        const uint32_t index = (uint32_t)random_below(random, children + 1);
        tree_insert(t, container, index ? tree_child(t, container, index - 1) : 0, copy);
    }
}

static void duplicate(tree *t, fuzz_random *random) {
    const uint32_t at = choose(t, any, random);
    if (at) put_into(t, t->nodes[at].parent, tree_clone(t, t, at), random);
}

static void drop(tree *t, uint32_t at) {
    const uint32_t key = own_key(t, at);
    const uint32_t value = t->nodes[t->nodes[at].parent].kind == TREE_MAP ? t->nodes[key].next : 0;
    tree_remove(t, value);
    tree_remove(t, key);
}

static void remove_one(tree *t, fuzz_random *random) {
    const uint32_t at = choose(t, any, random);
    if (at && t->nodes[at].parent) drop(t, at);
}

static bool lies_within(const tree *t, uint32_t at, uint32_t around) {
    while (at && at != around) at = t->nodes[at].parent;
    return at == around;
}

static void move_one(tree *t, fuzz_random *random) {
    const uint32_t at = choose(t, any, random), to = choose(t, is_container, random);
    if (!at || !to || lies_within(t, to, at) || !t->nodes[at].parent || tree_is_key(t, at)) return;
    const uint32_t copy = tree_clone(t, t, at);
    drop(t, at);
    put_into(t, to, copy, random);
}

static void swap_two(tree *t, fuzz_random *random) {
    const uint32_t a = choose(t, any, random), b = choose(t, any, random);
    if (lies_within(t, a, b) || lies_within(t, b, a)) return;
    const uint32_t copy_a = tree_clone(t, t, a), copy_b = tree_clone(t, t, b);
    tree_replace(t, a, copy_b);
    tree_replace(t, b, copy_a);
}

static void copy_over(tree *t, fuzz_random *random) {
    const uint32_t copy = tree_clone(t, t, choose(t, any, random));
    tree_replace(t, choose(t, any, random), copy);
}

/* A name becomes another one of this header. */
static void same_text(tree *t, fuzz_random *random) {
    const uint32_t at = choose(t, is_text, random);
    tree_replace(t, at, tree_clone(t, t, choose(t, is_text, random)));
}

static void add_entry(tree *t, fuzz_random *random) {
    const uint32_t to = choose(t, is_container, random);
    if (to) put_into(t, to, new_leaf(t, random), random);
}

/* Beyond the shortest head's 15 now and then. */
static void grow(tree *t, fuzz_random *random) {
    const uint32_t to = choose(t, is_container, random);
    const size_t count = 1 + random_below(random, MOST_GROWTH);
    if (!to || t->nodes[to].kind != TREE_ARRAY) return;
    const uint32_t model = tree_child(t, to, (uint32_t)random_below(random, tree_children(t, to)));
    for (size_t i = 0; i < count; i++) {
        tree_append(t, to, model ? tree_clone(t, t, model) : new_leaf(t, random));
    }
}

static void deepen(tree *t, fuzz_random *random) {
    const uint32_t at = choose(t, any, random);
    for (size_t i = 1 + random_below(random, MOST_DEEPER); at && i > 0; i--) {
        const uint32_t around = tree_new(t, random_below(random, 2) ? TREE_ARRAY : TREE_MAP, 0);
        const uint32_t copy = around ? tree_new(t, TREE_NIL, 0) : 0;
        if (!copy) return;
        t->nodes[copy] = t->nodes[at];
        t->nodes[copy].next = 0;
        for (uint32_t c = t->nodes[copy].first; c; c = t->nodes[c].next) t->nodes[c].parent = copy;
        put_into(t, around, copy, random);
        tree_replace(t, at, around);
    }
}

static void text_bytes(tree *t, fuzz_random *random) {
    const uint32_t at = choose(t, is_text, random);
    const uint32_t length = t->nodes[at].length;
    uint8_t *room = at && length < 1024 ? tree_room(t, length + 16) : NULL;
    if (!room) return;
    if (length) memcpy(room, t->nodes[at].bytes, length);
    t->nodes[at].length = (uint32_t)mutate_bytes(room, length, length + 16, random);
    t->nodes[at].bytes = room;
}

void change_value(tree *t, fuzz_random *random) {
    static void (*const changes[])(tree *, fuzz_random *) = {
        edge_value, edge_value, edge_value, other_type, duplicate,  duplicate,
        remove_one, move_one,   swap_two,   copy_over,  copy_over,  same_text,
        same_text,  add_entry,  grow,       deepen,     text_bytes,
    };
    changes[random_below(random, COUNT(changes))](t, random);
}

/* A value whose key is that of `from`'s `with`; `at` if there is none. */
static uint32_t same_key(const tree *t, uint32_t at, const tree *from, uint32_t with,
                         fuzz_random *random) {
    const tree_node *key = &from->nodes[own_key(from, with)];
    for (uint32_t i = tree_after(t, 0); i; i = tree_after(t, i)) {
        const tree_node *n = &t->nodes[i];
        if (n->kind != TREE_STR || n->length != key->length || !n->next) continue;
        const bool same = n->length == 0 || memcmp(n->bytes, key->bytes, n->length) == 0;
        if (same && tree_is_key(t, i) && random_below(random, 2)) at = n->next;
    }
    return at;
}

void change_graft(tree *t, const tree *from, fuzz_random *random) {
    const uint32_t with = choose(from, any, random);
    uint32_t at = choose(t, any, random);
    if (!at || !with) return;
    if (own_key(from, with) != with) at = same_key(t, at, from, with, random);
    tree_replace(t, at, tree_clone(t, from, with));
}

/* ---- changes of form */

static void longer_form(tree *t, fuzz_random *random) {
    const uint32_t at = choose(t, any, random);
    t->nodes[at].width = (uint8_t)(1u << random_below(random, 4));
}

static void wrong_count(tree *t, fuzz_random *random) {
    const uint32_t at = choose(t, is_container, random);
    if (at)
        t->nodes[at].lie =
            random_below(random, 2) ? random_below(random, 5) - 2u : random_edge(random);
}

static void forbidden(tree *t, fuzz_random *random) {
    static const uint8_t bytes[] =
        "\x00\x00\x00\x00\xff\xff\xff\xff\x7f\x80\x00\x00\x00\x00\x00\x00";
    static const tree_kind kinds[] = {TREE_BIN, TREE_EXT, TREE_FLOAT32};
    const tree_kind kind = kinds[random_below(random, COUNT(kinds))];
    const uint32_t with = tree_new_bytes(t, kind, bytes, random_below(random, sizeof bytes));
    if (kind == TREE_FLOAT32) t->nodes[with].length = 0;
    if (kind == TREE_EXT) t->nodes[with].ext = (uint8_t)random_next(random);
    tree_replace(t, choose(t, any, random), with);
}

/* A key or a value alone is moved or repeated: no map any more. */
static void unsorted(tree *t, fuzz_random *random) {
    const uint32_t at = choose(t, any, random);
    if (random_below(random, 2)) {
        tree_insert(t, t->nodes[at].parent, at, at ? tree_clone(t, t, at) : 0);
    } else {
        const uint32_t parent = at ? t->nodes[at].parent : 0;
        if (!parent) return;
        tree_remove(t, at);
        tree_insert(t, parent, 0, at);
    }
}

static void raw_byte(tree *t, fuzz_random *random) {
    static const uint8_t bytes[] = {0xc1, 0xdd, 0xdf, 0xdb, 0xff, 0x00, 0xcf, 0xc6};
    const uint32_t at = choose(t, any, random);
    const uint32_t raw = tree_new_bytes(t, TREE_RAW, bytes + random_below(random, sizeof bytes), 1);
    if (random_below(random, 2)) {
        tree_replace(t, at, raw);
    } else {
        tree_append(t, 0, raw);
    }
}

void change_form(tree *t, fuzz_random *random) {
    static void (*const changes[])(tree *, fuzz_random *) = {
        longer_form, longer_form, wrong_count, wrong_count, forbidden, unsorted, raw_byte,
    };
    changes[random_below(random, COUNT(changes))](t, random);
}

/* msgpack_tree.h: bytes from a tree, and a tree from bytes. */
#include <string.h>

#include "kit/msgpack_tree.h"

/* How a kind's head is written: within one byte up to `most`, else behind heads[log2 of the
 * argument's bytes], 0 where there is none. */
typedef struct form {
    bool has_fix;
    uint8_t fix, most;
    uint8_t heads[4];
} form;

static const form forms[TREE_KINDS] = {
    [TREE_UINT] = {true, 0x00, 127, {0xcc, 0xcd, 0xce, 0xcf}},
    [TREE_INT] = {true, 0xe0, 31, {0xd0, 0xd1, 0xd2, 0xd3}},
    [TREE_STR] = {true, 0xa0, 31, {0xd9, 0xda, 0xdb, 0}},
    [TREE_BIN] = {false, 0, 0, {0xc4, 0xc5, 0xc6, 0}},
    [TREE_EXT] = {true, 0xd4, 4, {0xc7, 0xc8, 0xc9, 0}},
    [TREE_ARRAY] = {true, 0x90, 15, {0, 0xdc, 0xdd, 0}},
    [TREE_MAP] = {true, 0x80, 15, {0, 0xde, 0xdf, 0}},
};

/* ---- writing */

typedef struct output {
    uint8_t *at;
    size_t room, size;
} output;

static void put(output *o, const uint8_t *bytes, size_t length) {
    if (o->size < o->room && length) {
        const size_t left = o->room - o->size;
        memcpy(o->at + o->size, bytes, length < left ? length : left);
    }
    o->size += length;
}

static void put_number(output *o, uint8_t head, uint64_t value, unsigned length) {
    uint8_t bytes[9] = {head};
    for (unsigned i = 0; i < length; i++) {
        bytes[1 + i] = (uint8_t)(value >> (8 * (length - 1 - i)));
    }
    put(o, bytes, 1 + length);
}

static bool holds(tree_kind kind, unsigned bytes, uint64_t argument) {
    if (bytes == 8) return true;
    if (kind != TREE_INT) return argument >> (8 * bytes) == 0;
    const unsigned unused = 64 - 8 * bytes;
    return (uint64_t)((int64_t)(argument << unused) >> unused) == argument;
}

/* Of an ext's length: 0 for 1, 1 for 2, up to 4 for 16; 5 where there is no such head. */
static uint8_t fixext(uint64_t length) {
    uint8_t log = 0;
    while (log < 5 && 1u << log != length) log++;
    return log;
}

static bool fits_head(tree_kind kind, uint64_t argument) {
    if (!forms[kind].has_fix) return false;
    if (kind == TREE_INT) return (int64_t)argument >= -32 && (int64_t)argument < 0;
    return (kind == TREE_EXT ? fixext(argument) : argument) <= forms[kind].most;
}

/* The fewest bytes of an argument that hold it, of those that the kind has heads for. */
static uint8_t shortest(tree_kind kind, uint64_t argument) {
    if (fits_head(kind, argument)) return 0;
    for (unsigned log = 0; log < 3; log++) {
        if (forms[kind].heads[log] && holds(kind, 1u << log, argument)) return (uint8_t)(1u << log);
    }
    return forms[kind].heads[3] ? 8 : 4;
}

/* The lowest bits of a head that holds its argument. */
static uint8_t low_bits(tree_kind kind, uint64_t argument) {
    return kind == TREE_EXT ? fixext(argument) : (uint8_t)(argument & forms[kind].most);
}

static void put_head(output *o, tree_kind kind, uint64_t argument, uint8_t width) {
    if (kind == TREE_INT && width == TREE_SHORTEST && (int64_t)argument >= 0) kind = TREE_UINT;
    if (width == TREE_SHORTEST) width = shortest(kind, argument);
    const form *f = &forms[kind];
    if (width == 0 && f->has_fix && (kind != TREE_EXT || fits_head(kind, argument))) {
        put_number(o, (uint8_t)(f->fix + low_bits(kind, argument)), 0, 0);
        return;
    }
    unsigned log = width >= 8 ? 3 : width >= 4 ? 2 : width >= 2 ? 1 : 0;
    while (log < 3 && !f->heads[log]) log++;
    while (log > 0 && !f->heads[log]) log--;
    put_number(o, f->heads[log], argument, 1u << log);
}

static uint64_t declared(const tree *t, uint32_t at) {
    const uint32_t children = tree_children(t, at);
    const uint64_t count = t->nodes[at].kind == TREE_MAP ? (children + 1) / 2 : children;
    return count + t->nodes[at].lie;
}

static void put_node(output *o, const tree *t, uint32_t at) {
    const tree_node *n = &t->nodes[at];
    if (n->kind == TREE_NIL) put_number(o, 0xc0, 0, 0);
    if (n->kind == TREE_BOOL) put_number(o, n->value ? 0xc3 : 0xc2, 0, 0);
    if (n->kind == TREE_FLOAT) put_number(o, 0xcb, n->value, 8);
    if (n->kind == TREE_FLOAT32) put_number(o, 0xca, n->value, 4);
    if (n->kind == TREE_UINT || n->kind == TREE_INT) put_head(o, n->kind, n->value, n->width);
    if (n->kind == TREE_ARRAY || n->kind == TREE_MAP)
        put_head(o, n->kind, declared(t, at), n->width);
    if (n->kind == TREE_STR || n->kind == TREE_BIN || n->kind == TREE_EXT) {
        put_head(o, n->kind, n->length, n->width);
    }
    if (n->kind == TREE_EXT) put(o, &n->ext, 1);
    put(o, n->bytes, n->length);
}

size_t tree_encode(const tree *t, uint8_t *out, size_t room) {
    output o = {out, room, 0};
    for (uint32_t at = tree_after(t, 0); at; at = tree_after(t, at)) put_node(&o, t, at);
    return o.size;
}

/* ---- reading */

/* What the bytes c0 to df begin: kind, log2 of the argument's bytes or, for a fixext, of
 * the length. RAW: nothing. */
typedef struct head {
    uint8_t kind, log;
} head;

static const head heads[32] = {
    {TREE_NIL, 0},     {TREE_RAW, 0},   {TREE_BOOL, 0}, {TREE_BOOL, 0},  {TREE_BIN, 0},
    {TREE_BIN, 1},     {TREE_BIN, 2},   {TREE_EXT, 0},  {TREE_EXT, 1},   {TREE_EXT, 2},
    {TREE_FLOAT32, 2}, {TREE_FLOAT, 3}, {TREE_UINT, 0}, {TREE_UINT, 1},  {TREE_UINT, 2},
    {TREE_UINT, 3},    {TREE_INT, 0},   {TREE_INT, 1},  {TREE_INT, 2},   {TREE_INT, 3},
    {TREE_EXT, 0},     {TREE_EXT, 1},   {TREE_EXT, 2},  {TREE_EXT, 3},   {TREE_EXT, 4},
    {TREE_STR, 0},     {TREE_STR, 1},   {TREE_STR, 2},  {TREE_ARRAY, 1}, {TREE_ARRAY, 2},
    {TREE_MAP, 1},     {TREE_MAP, 2},
};

/* One object's head, read. */
typedef struct reading {
    tree_kind kind;
    uint8_t width;
    uint64_t argument;
    size_t size; /* bytes of the head; 0: it is none, or it is cut */
} reading;

static reading read_short(uint8_t byte) {
    if (byte < 0x80) return (reading){TREE_UINT, 0, byte, 1};
    if (byte < 0x90) return (reading){TREE_MAP, 0, byte & 15u, 1};
    if (byte < 0xa0) return (reading){TREE_ARRAY, 0, byte & 15u, 1};
    if (byte < 0xc0) return (reading){TREE_STR, 0, byte & 31u, 1};
    return (reading){TREE_INT, 0, (uint64_t)(int8_t)byte, 1};
}

static reading read_head(const uint8_t *data, size_t left) {
    const uint8_t byte = data[0];
    if (byte < 0xc0 || byte >= 0xe0) return read_short(byte);
    const head *h = &heads[byte - 0xc0];
    if (h->kind == TREE_RAW) return (reading){.size = 0};
    if (h->kind == TREE_NIL || h->kind == TREE_BOOL) return (reading){h->kind, 0, byte & 1u, 1};
    if (byte >= 0xd4 && byte <= 0xd8) return (reading){TREE_EXT, 0, 1u << h->log, 1};
    const unsigned bytes = 1u << h->log;
    uint64_t argument = 0;
    if (left < 1 + bytes) return (reading){.size = 0};
    for (unsigned i = 1; i <= bytes; i++) argument = argument << 8 | data[i];
    if (h->kind == TREE_INT && bytes < 8) {
        argument = (uint64_t)((int64_t)(argument << (64 - 8 * bytes)) >> (64 - 8 * bytes));
    }
    return (reading){h->kind, (uint8_t)bytes, argument, 1 + bytes};
}

static bool is_short_form(const reading *r) {
    if (r->kind == TREE_INT && (int64_t)r->argument >= 0) return false;
    return shortest(r->kind, r->argument) == r->width;
}

static bool has_form(tree_kind kind) {
    return forms[kind].has_fix || forms[kind].heads[0];
}

/* Bytes behind the head that belong to the object. */
static uint64_t body(const reading *r) {
    if (r->kind == TREE_STR || r->kind == TREE_BIN) return r->argument;
    return r->kind == TREE_EXT ? r->argument + 1 : 0;
}

/* A reader's place: in `parent`, behind the child `last`, where `left[depth]` more are
 * declared. */
typedef struct place {
    const uint8_t *data;
    size_t size, at;
    uint32_t parent, last, depth;
    uint64_t left[TREE_DEPTH + 1];
} place;

static uint32_t hang(tree *t, place *p, uint32_t node) {
    t->nodes[node].offset = (uint32_t)p->at;
    tree_insert(t, p->parent, p->last, node);
    p->last = node;
    p->left[p->depth]--;
    return node;
}

/* The rest is no object, or there is no room for more of them. */
static void take_rest(tree *t, place *p) {
    const uint32_t node = tree_new_bytes(t, TREE_RAW, p->data + p->at, p->size - p->at);
    (void)hang(t, p, node);
    p->at = p->size;
}

static void take_bytes(tree *t, place *p, uint32_t node, const reading *r) {
    const uint8_t *bytes = p->data + p->at + r->size;
    if (r->kind == TREE_EXT) t->nodes[node].ext = *bytes++;
    t->nodes[node].bytes = bytes;
    t->nodes[node].length = (uint32_t)r->argument;
}

static void enter(tree *t, place *p, uint32_t node, const reading *r) {
    if (r->argument == 0) return;
    p->parent = node;
    p->last = 0;
    p->left[++p->depth] = r->kind == TREE_MAP ? 2 * r->argument : r->argument;
    t->nodes[node].lie = r->argument; /* until its children are counted */
}

/* Reads one object where it is expected; false: the rest was taken as it is. */
static bool take_object(tree *t, place *p) {
    const reading r = read_head(p->data + p->at, p->size - p->at);
    const bool opens = r.kind == TREE_ARRAY || r.kind == TREE_MAP;
    if (r.size == 0 || body(&r) > p->size - p->at - r.size || t->used >= TREE_NODES - 1 ||
        (opens && p->depth == TREE_DEPTH)) {
        take_rest(t, p);
        return false;
    }
    const uint32_t node = hang(t, p, tree_new(t, r.kind, r.argument));
    if (has_form(r.kind) && !is_short_form(&r)) t->nodes[node].width = r.width;
    if (body(&r)) take_bytes(t, p, node, &r);
    if (opens) enter(t, p, node, &r);
    p->at += r.size + body(&r);
    return true;
}

static void leave_full(tree *t, place *p) {
    while (p->depth > 0 && p->left[p->depth] == 0) {
        p->last = p->parent;
        p->parent = t->nodes[p->last].parent;
        p->depth--;
    }
}

/* What was declared becomes what is declared too many. */
static void count_lies(tree *t) {
    for (uint32_t at = 1; at < t->used; at++) {
        if (t->nodes[at].lie) {
            const uint64_t said = t->nodes[at].lie;
            t->nodes[at].lie = 0;
            t->nodes[at].lie = said - declared(t, at);
        }
    }
}

void tree_decode(tree *t, const uint8_t *data, size_t size) {
    place p = {.data = data, .size = size < UINT32_MAX ? size : UINT32_MAX};
    t->nodes[0] = (tree_node){.kind = TREE_TOP};
    t->used = 1;
    t->pool_used = 0;
    p.left[0] = UINT64_MAX;
    while (p.at < p.size && take_object(t, &p)) leave_full(t, &p);
    count_lies(t);
}

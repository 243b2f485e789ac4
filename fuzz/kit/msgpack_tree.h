/* A small tree of msgpack, for who makes inputs: any bytes become one, right or wrong, and
 * the tree of some bytes is written as these bytes. What no object begins with, or what is
 * cut, is kept as it is. Nodes lie in the tree itself and refer to each other by number; 0
 * is the top, which holds the objects that follow each other, and stands for "none".
 *
 * https://github.com/msgpack/msgpack/blob/master/spec.md */
#ifndef WEIGHLOCK_FUZZ_MSGPACK_TREE_H
#define WEIGHLOCK_FUZZ_MSGPACK_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define TREE_NODES 4096      /* what comes behind so many is one TREE_RAW */
#define TREE_DEPTH 48        /* and so is what lies deeper */
#define TREE_POOL (64 << 10) /* bytes of texts that a change has made */
#define TREE_SHORTEST 0xff

typedef enum tree_kind {
    TREE_TOP,
    TREE_NIL,
    TREE_BOOL,
    TREE_UINT,
    TREE_INT, /* as signed; below zero where it is canonical */
    TREE_FLOAT,
    TREE_FLOAT32,
    TREE_STR,
    TREE_BIN,
    TREE_EXT,
    TREE_ARRAY,
    TREE_MAP, /* its children are keys and values in turn */
    TREE_RAW, /* bytes as they are */
    TREE_KINDS
} tree_kind;

typedef struct tree_node {
    tree_kind kind;
    uint8_t width; /* bytes of the head's argument, 0: within the head; or TREE_SHORTEST */
    uint8_t ext;   /* type of an ext */
    uint32_t parent, first, next;
    uint32_t offset; /* of its first byte in what was decoded */
    uint32_t length; /* of its bytes: texts, bin, ext, raw */
    uint64_t value;  /* of a number or boolean; bits of floats */
    uint64_t lie;    /* what is declared beyond the children that there are, modulo 2^64 */
    const uint8_t *bytes;
} tree_node;

typedef struct tree {
    tree_node nodes[TREE_NODES];
    uint32_t used;
    uint32_t pool_used;
    uint8_t pool[TREE_POOL];
} tree;

/* Texts of the tree lie in `data`, which has to stay. At most 4 GiB are read. */
void tree_decode(tree *t, const uint8_t *data, size_t size);

/* Returns the bytes that the tree takes; writes as many of them as there is room for. */
size_t tree_encode(const tree *t, uint8_t *out, size_t room);

/* Every form at its shortest, every count true, keys ascending, of equal ones the first;
 * a key that has no value goes. */
void tree_make_canonical(tree *t);

/* The node behind this one, in the order in which they are written: 0 behind the last. */
uint32_t tree_after(const tree *t, uint32_t at);
uint32_t tree_children(const tree *t, uint32_t at);
uint32_t tree_child(const tree *t, uint32_t at, uint32_t index);
/* How many nodes lie around it, the top not counted. */
uint32_t tree_depth(const tree *t, uint32_t at);
/* Is it a key of a map? */
bool tree_is_key(const tree *t, uint32_t at);
/* Does it hold the bytes of that text? */
bool tree_is_text(const tree *t, uint32_t at, const char *text);
/* The value of a map's key, 0 if there is none. */
uint32_t tree_get(const tree *t, uint32_t map, const char *key);

/* A node that hangs nowhere yet; 0 if the tree is full, which the calls below let pass. */
uint32_t tree_new(tree *t, tree_kind kind, uint64_t value);
uint32_t tree_new_bytes(tree *t, tree_kind kind, const uint8_t *bytes, size_t length);
/* A node and all in it, of this or of another tree. */
uint32_t tree_clone(tree *t, const tree *from, uint32_t at);
/* `length` bytes of the pool for a text; NULL if it is full. */
uint8_t *tree_room(tree *t, size_t length);

/* Hangs `node` behind `sibling` of the same parent (0: as the first). */
void tree_insert(tree *t, uint32_t parent, uint32_t sibling, uint32_t node);
/* Hangs it behind the last child. */
void tree_append(tree *t, uint32_t parent, uint32_t node);
void tree_remove(tree *t, uint32_t at);
/* `at` becomes what `with` is, which hangs nowhere. */
void tree_replace(tree *t, uint32_t at, uint32_t with);

/* One line a node: its offset, how deep it lies, its kind and value, and what is odd about
 * its form. base is added to offsets. */
void tree_show(const tree *t, uint64_t base, FILE *out);

#endif

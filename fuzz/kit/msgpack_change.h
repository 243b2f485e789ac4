/* Changes of a msgpack tree: what somebody does to a header who looks for the case that
 * nobody thought of. The tree that comes out may be wrong; it is always a tree. */
#ifndef WEIGHLOCK_FUZZ_MSGPACK_CHANGE_H
#define WEIGHLOCK_FUZZ_MSGPACK_CHANGE_H

#include "kit/msgpack_tree.h"
#include "kit/structure.h"

/* One change of what the tree says: a leaf at its edge or of another type, a node twice, gone,
 * moved, swapped, copied over another; keys and words of the format; arrays that grow,
 * nodes that lie deeper. */
void change_value(tree *t, fuzz_random *random);

/* One change of how it is written: longer forms than need be, counts that are not true,
 * keys out of order or twice, ext, bin and short floats, bytes that begin nothing. */
void change_form(tree *t, fuzz_random *random);

/* A node takes the place of another: of another of the same key where there is one. `from`
 * may be another tree, whose texts have to stay. */
void change_graft(tree *t, const tree *from, fuzz_random *random);

/* The header of a small model: one tensor of 8 bytes, one node. */
void tree_decode_small(tree *t);

/* Offsets of the entries of "tensors" as the format wants them, and, where `sizes`, their
 * nbytes as their shape and dtype want them if that is at most `most`. Returns the end of the
 * last tensor; UINT64_MAX if there are none to be understood, or it is above `most`. */
uint64_t tensors_mend(tree *t, bool sizes, uint64_t most);

/* A tensor's entry: where it lies, by its own words. False: it does not say. */
typedef struct tensor_place {
    uint64_t offset, nbytes;
} tensor_place;
bool tensor_at(const tree *t, uint32_t entry, tensor_place *place);
/* The first entry of "tensors" of the header's map; the next is its node's next. */
uint32_t tensors_first(const tree *t);

#endif

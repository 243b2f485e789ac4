/* One change of a tree of fields at a time, and what has to be mended behind it so that the
 * change gets past the first checks. */
#ifndef WEIGHLOCK_FUZZ_PROTOBUF_CHANGE_H
#define WEIGHLOCK_FUZZ_PROTOBUF_CHANGE_H

#include "kit/protobuf_tree.h"
#include "kit/structure.h"

/* A number, a text, a list; a field twice, gone, elsewhere, or in another's place. */
void pb_change(pb_tree *t, fuzz_random *random);

/* What no writer writes: a length that lies, a wire type or a number of another field, a tag
 * that is longer than it needs, bytes that are no field. */
void pb_change_form(pb_tree *t, fuzz_random *random);

/* A part of `other`, which outlives t, in the place of what t has of its kind, or beside it. */
void pb_graft(pb_tree *t, const pb_tree *other, fuzz_random *random);

/* Tensors get as many bytes as their dimensions want, attributes the type of their value. */
void pb_mend(pb_tree *t);

#endif

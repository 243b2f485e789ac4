/* Prints a .wlk file, right or wrong. */
#ifndef WEIGHLOCK_FUZZ_WLK_SHOW_H
#define WEIGHLOCK_FUZZ_WLK_SHOW_H

#include "kit/msgpack_tree.h"

/* Envelope, header, digest table and places of tensors, one line each with its offset in the
 * file; digests and signature are right or wrong. Uses the tree. */
void wlk_show(const uint8_t *file, size_t size, tree *t, FILE *out);

#endif

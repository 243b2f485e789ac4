/* One change of a list of opcodes at a time. */
#ifndef WEIGHLOCK_FUZZ_PICKLE_CHANGE_H
#define WEIGHLOCK_FUZZ_PICKLE_CHANGE_H

#include "kit/pickle_ops.h"
#include "kit/structure.h"

/* A number, a text, a class; a value gone, twice, elsewhere, or in another's place; an array's
 * elements, or its shape and as many elements with it. */
void pk_change(pk_list *list, fuzz_random *random);

/* What no writer writes: an opcode more, less, or another in its place, whatever the stack. */
void pk_change_form(pk_list *list, fuzz_random *random);

/* A value of `other`, which outlives the list, in the place of one of its own. */
void pk_graft(pk_list *list, const pk_list *other, fuzz_random *random);

#endif

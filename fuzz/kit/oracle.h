/* What must hold of every model, whatever it was made from. */
#ifndef WEIGHLOCK_FUZZ_ORACLE_H
#define WEIGHLOCK_FUZZ_ORACLE_H

#include <weighlock/model.h>

/* Walks through all that the accessors give out, and reads every byte of every tensor:
 * indices lie in their sections, strings are UTF-8 that ends, the byte map tiles the
 * artifact of `size` bytes (0: made in memory), payload spans hold the tensors (invariants
 * 5, 11, 12). */
void oracle_model(const wlk_model *model, uint64_t size);

/* Do two models say the same: every record, every payload? The artifact that they came
 * from is left out: its byte map, and what was found in it. */
void oracle_same(const wlk_model *a, const wlk_model *b);

/* Writes the model, parses what was written, and writes that again: the same model, and
 * the same bytes. A model that cannot be written is refused with a rule, or there is no
 * memory: that error comes back. */
wlk_status oracle_fixed_point(const wlk_model *model, wlk_error *error);

/* The same model with its payloads compressed, where that makes them shorter. */
wlk_status oracle_compressed(const wlk_model *model, wlk_error *error);

#endif

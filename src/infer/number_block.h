/* Elements of any numeric dtype as numbers, a block at a time: what casting of whole
 * tensors is made of. The rules are those of numbers.h. */
#ifndef WLK_INFER_NUMBER_BLOCK_H
#define WLK_INFER_NUMBER_BLOCK_H

#include "infer/numbers.h"

#define NUMBER_BLOCK 256

typedef struct number_block {
    number_kind kind; /* of all of them */
    union {
        double f[NUMBER_BLOCK];
        int64_t i[NUMBER_BLOCK];
        uint64_t u[NUMBER_BLOCK];
    };
} number_block;

/* Elements [from, from + count) of an array of that dtype; at most NUMBER_BLOCK. */
void number_block_load(wlk_dtype dtype, const void *data, uint64_t from, uint64_t count,
                       number_block *block);

/* The inverse; `odd` stores one element where the dtype has no loop of its own, or where
 * another rounding is wanted than its loop has (number_store_as). `from` is even. */
void number_block_store(wlk_dtype dtype, void *data, uint64_t from, uint64_t count,
                        const number_block *block, number_storer odd);

#endif

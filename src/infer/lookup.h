/* Finds a value in a list of keys: class labels, categories, a vocabulary. The keys are
 * sorted once, when the plan is made, and found by halving: no choice of keys makes that
 * slower. Of equal keys the last one counts. Floats are compared as numbers, except that
 * not-a-number equals itself. */
#ifndef WLK_INFER_LOOKUP_H
#define WLK_INFER_LOOKUP_H

#include "infer/op.h"

/* Numbers or strings that an attribute lists. */
typedef struct lookup_list {
    wlk_dtype dtype;
    uint32_t count;
    const void *numbers;
    const char *const *strings; /* str: these, or a tensor's */
    const op_tensor *tensor;
} lookup_list;

lookup_list lookup_ints(attribute_value list);
lookup_list lookup_floats(attribute_value list);
lookup_list lookup_strings(attribute_value list);
/* A tensor of one axis, of fewer than 2^32 - 1 elements. */
lookup_list lookup_tensor(const op_tensor *tensor);
/* String i of a list of str. */
text_span lookup_text(const lookup_list *list, uint32_t i);

typedef struct lookup {
    wlk_dtype dtype; /* of the keys */
    uint32_t count;
    const uint64_t *codes;  /* ascending; of strings their first bytes */
    const uint32_t *places; /* of each in the list */
    const text_span *texts; /* str: the keys themselves */
} lookup;

/* Sorts the keys; what is made lies in the plan's memory, strings stay where they are. */
wlk_status lookup_build(const op_call *call, plan_memory *memory, const lookup_list *keys,
                        lookup *out);

/* Where in the list, or LOOKUP_NONE. */
#define LOOKUP_NONE UINT32_MAX
uint32_t lookup_find_int(const lookup *l, int64_t value);
uint32_t lookup_find_text(const lookup *l, text_span text);

/* Finds elements [from, from + count) of a tensor, at most LOOKUP_BLOCK of them, which is
 * of the keys' dtype; or of any other numbers, of which integer keys see the whole part. */
#define LOOKUP_BLOCK 256
void lookup_block(const lookup *l, const op_tensor *in, uint64_t from, uint64_t count,
                  uint32_t *places);

/* For the shape rule, when binding: the work of finding all elements of a tensor. */
void lookup_cost(op_call *call, const lookup *l, const op_tensor *in);

#endif

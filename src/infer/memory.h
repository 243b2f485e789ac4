/* The memory of a plan: taken piece by piece, given back as a whole, and never
 * more than a budget. */
#ifndef WLK_INFER_MEMORY_H
#define WLK_INFER_MEMORY_H

#include <weighlock/model.h>

#include "base/error.h"

typedef struct memory_chunk memory_chunk;

typedef struct plan_memory {
    memory_chunk *chunks;
    uint64_t budget; /* bytes that may still be taken */
} plan_memory;

/* *out = `count` zeroed elements of `size` bytes, aligned for any type; never
 * NULL, also for none. Rules: plan.memory, internal.memory. */
wlk_status plan_take(plan_memory *memory, uint64_t count, uint64_t size, void **out,
                     wlk_error *error);
void plan_memory_free(plan_memory *memory);

#endif

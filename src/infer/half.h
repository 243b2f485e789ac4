/* Operators on f16 and bf16: their kernels compute in f32, over a shadow of the node
 * in which every input and output of 16 bits is f32. What goes in is exact, what comes
 * out is rounded to nearest, ties to even. */
#ifndef WLK_INFER_HALF_H
#define WLK_INFER_HALF_H

#include "infer/op.h"

/* A node's tensors as its kernel sees them: inputs, then outputs. Of small inputs whose
 * content is known the shape rule may read it, so it is converted for it. */
#define HALF_CONTENT 64
typedef struct half_shadow {
    op_tensor *tensors;             /* as many as the node has edges */
    float (*content)[HALF_CONTENT]; /* the same */
} half_shadow;

/* Bytes that a shadow of so many edges takes. */
uint64_t half_shadow_bytes(uint64_t edges);
/* A shadow over memory of that size, aligned for any type. */
half_shadow half_shadow_at(void *memory, uint64_t edges);

/* Is there an input or output of 16 bits? While planning, outputs are not known yet. */
bool half_is_needed(const op_call *call);

/* The row's shape rule, over the shadow if the node has one: sets dtype and dims of the
 * outputs, and in binding also operations and scratch. */
wlk_status node_infer(op_call *call, const half_shadow *shadow);

/* The row's `prepare`, and its kernel, in the same way. */
wlk_status node_prepare(op_call *call, const half_shadow *shadow, plan_memory *memory,
                        const void **prepared);
wlk_status node_kernel(const op_call *call, const half_shadow *shadow);

/* `count` elements of f16 or bf16 to f32, and back. */
void half_widen(wlk_dtype from, const void *data, uint64_t count, float *out);
void half_narrow(wlk_dtype to, const float *data, uint64_t count, void *out);

#endif

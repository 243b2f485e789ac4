/* Quantising between f32 and the integers of 8 and 16 bits, many elements that share one
 * scale at once: what models do for every tensor. The same numbers as quantize.h's one
 * at a time. */
#ifndef WLK_INFER_QUANTIZE_RUN_H
#define WLK_INFER_QUANTIZE_RUN_H

#include "infer/quantize.h"

typedef void (*quantize_run)(void *out, const void *in, uint64_t count, float scale, float zero);

/* f32 to the dtype, and back; NULL if there is none for it. */
quantize_run quantize_run_to(wlk_dtype dtype);
quantize_run quantize_run_from(wlk_dtype dtype);

/* Fewer elements than this are not worth a call. */
#define QUANTIZE_RUN_LEAST 8

/* Runs over `count` elements, each stretch with its own scale; sizes in bytes. For grids
 * without blocks. */
typedef struct quantize_side {
    char *out;
    const char *in;
    uint64_t out_size;
    uint64_t in_size;
} quantize_side;
void quantize_stretches(quantize_run run, const quantize_grid *grid, const quantize_scales *scales,
                        const quantize_side *side, uint64_t count);

#endif

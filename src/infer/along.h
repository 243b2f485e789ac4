/* A tensor as an operator along one axis sees it: `outer` blocks of `length` rows of
 * `inner` elements. */
#ifndef WLK_INFER_ALONG_H
#define WLK_INFER_ALONG_H

#include "infer/tensor.h"

typedef struct along {
    uint64_t outer;
    uint64_t length;
    uint64_t inner;
} along;

/* Of a tensor that is known and has elements. */
static inline along along_axis(const op_tensor *tensor, uint32_t axis) {
    return (along){.outer = tensor_span(tensor, 0, axis),
                   .length = (uint64_t)tensor->dims[axis],
                   .inner = tensor_span(tensor, axis + 1, tensor->rank)};
}

/* The columns of all blocks in chunks of at most ALONG_CHUNK, which are the pieces of
 * work that go to threads: chunk number `i`. */
#define ALONG_CHUNK 128
typedef struct along_piece {
    uint64_t block;
    uint64_t column;
    uint64_t columns;
} along_piece;

static inline uint64_t along_chunks(along a) {
    return a.outer * ((a.inner + ALONG_CHUNK - 1) / ALONG_CHUNK);
}

static inline along_piece along_chunk(along a, uint64_t i) {
    const uint64_t each = (a.inner + ALONG_CHUNK - 1) / ALONG_CHUNK;
    along_piece piece = {.block = i / each, .column = i % each * ALONG_CHUNK};
    piece.columns = a.inner - piece.column;
    if (piece.columns > ALONG_CHUNK) piece.columns = ALONG_CHUNK;
    return piece;
}

/* So many chunks for one thread that the work is worth handing over. */
static inline uint64_t along_batch(along a) {
    const uint64_t width = a.inner < ALONG_CHUNK ? a.inner : ALONG_CHUNK;
    const uint64_t work = a.length * width;
    return work >= 16384 ? 1 : 16384 / (work + 1) + 1;
}

#endif

#include "infer/memory.h"

#include "base/checked.h"
#include "base/huge.h"
#include "base/memory.h"

#define CHUNK_BYTES 65536
#define PIECE_ALIGN 16

struct memory_chunk {
    memory_chunk *next;
    uint64_t size; /* of the bytes behind this header */
    uint64_t used;
};

#define CHUNK_HEADER ((sizeof(memory_chunk) + PIECE_ALIGN - 1) / PIECE_ALIGN * PIECE_ALIGN)

static memory_chunk *chunk_new(plan_memory *memory, uint64_t bytes) {
    const uint64_t size = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;
    memory_chunk *chunk = mem_zeroed(1, CHUNK_HEADER + size);
    if (!chunk) return NULL;
    huge_advise(chunk, size);
    chunk->size = size;
    chunk->next = memory->chunks;
    memory->chunks = chunk;
    return chunk;
}

wlk_status plan_take(plan_memory *memory, uint64_t count, uint64_t size, void **out,
                     wlk_error *error) {
    uint64_t bytes;
    if (!checked_mul(count, size, &bytes) || !checked_align(bytes, PIECE_ALIGN, &bytes) ||
        bytes > memory->budget) {
        return error_text(error, RULE_PLAN_MEMORY, WLK_NO_OFFSET, "%llu bytes are left",
                          (unsigned long long)memory->budget);
    }
    memory_chunk *chunk = memory->chunks;
    if (!chunk || bytes > chunk->size - chunk->used) chunk = chunk_new(memory, bytes);
    if (!chunk) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    *out = (char *)chunk + CHUNK_HEADER + chunk->used;
    chunk->used += bytes;
    memory->budget -= bytes;
    return WLK_OK;
}

void plan_memory_free(plan_memory *memory) {
    while (memory->chunks) {
        memory_chunk *next = memory->chunks->next;
        mem_free(memory->chunks);
        memory->chunks = next;
    }
}

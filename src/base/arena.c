#include "base/arena.h"

#include <stdalign.h>
#include <string.h>

#include "base/checked.h"
#include "base/memory.h"

#define CHUNK_BYTES ((size_t)64 * 1024)

struct arena_chunk {
    arena_chunk *next;
    size_t size; /* of the memory behind this header */
    alignas(max_align_t) unsigned char memory[];
};

static size_t rounded(size_t size) {
    const size_t align = alignof(max_align_t);
    return (size + align - 1) / align * align;
}

/* Zeroed: of fresh memory that costs nothing. */
static arena_chunk *new_chunk(size_t size) {
    arena_chunk *chunk = mem_zeroed(1, sizeof *chunk + size);
    if (chunk) chunk->size = size;
    return chunk;
}

/* What is large gets a chunk of its own, behind the latest one, which stays in use. */
static void *take_alone(arena *a, size_t size) {
    arena_chunk *chunk = new_chunk(size);
    if (!chunk) return NULL;
    if (a->chunks) {
        chunk->next = a->chunks->next;
        a->chunks->next = chunk;
    } else {
        chunk->next = NULL;
        a->chunks = chunk;
        a->left = 0;
    }
    return chunk->memory;
}

void *arena_take(arena *a, uint64_t count, uint64_t size) {
    uint64_t total;
    if (!checked_mul(count, size, &total) || total > SIZE_MAX / 2) return NULL;
    const size_t needed = rounded(total > 0 ? (size_t)total : 1);
    if (needed > CHUNK_BYTES / 4) return take_alone(a, needed);
    if (needed > a->left) {
        arena_chunk *chunk = new_chunk(CHUNK_BYTES);
        if (!chunk) return NULL;
        chunk->next = a->chunks;
        a->chunks = chunk;
        a->left = CHUNK_BYTES;
    }
    void *memory = a->chunks->memory + (a->chunks->size - a->left);
    a->left -= needed;
    return memory;
}

char *arena_text(arena *a, const void *text, uint64_t length) {
    char *copy = length < UINT64_MAX ? arena_take(a, length + 1, 1) : NULL;
    if (copy) memcpy(copy, text, (size_t)length);
    return copy;
}

void arena_free(arena *a) {
    while (a->chunks) {
        arena_chunk *next = a->chunks->next;
        mem_free(a->chunks);
        a->chunks = next;
    }
    a->left = 0;
}

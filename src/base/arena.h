/* Memory that is taken piece by piece and given back as a whole: what a parser holds while
 * it reads one file. */
#ifndef WLK_BASE_ARENA_H
#define WLK_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

typedef struct arena_chunk arena_chunk;

/* All zero is an empty arena. */
typedef struct arena {
    arena_chunk *chunks;
    size_t left; /* bytes of the latest chunk that were not handed out */
} arena;

/* count * size zeroed bytes, aligned for every type; never NULL for none. NULL if there is
 * no memory, or if the product overflows. */
void *arena_take(arena *a, uint64_t count, uint64_t size);
/* `length` bytes and a NUL behind them. */
char *arena_text(arena *a, const void *text, uint64_t length);
void arena_free(arena *a);

#endif

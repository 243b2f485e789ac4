/* AFL++'s hooks, as a library of its own beside the target:
 * AFL_CUSTOM_MUTATOR_LIBRARY=afl_mutator_NAME.so afl-fuzz ... (made with -DSTRUCTURE=...). */
#include <stdlib.h>
#include <string.h>

#include "kit/structure.h"

extern const fuzz_structure STRUCTURE;

typedef struct mutator {
    fuzz_random random;
    uint8_t *out;
    size_t room;
} mutator;

void *afl_custom_init(void *afl, unsigned seed);
size_t afl_custom_fuzz(mutator *m, uint8_t *data, size_t size, uint8_t **out, uint8_t *other,
                       size_t other_size, size_t most);
void afl_custom_deinit(mutator *m);

void *afl_custom_init(void *afl, unsigned seed) {
    (void)afl;
    mutator *m = calloc(1, sizeof *m);
    if (m) m->random.state = seed;
    return m;
}

static int have_room(mutator *m, size_t room) {
    if (m->room >= room) return 1;
    uint8_t *out = realloc(m->out, room);
    if (!out) return 0;
    m->out = out;
    m->room = room;
    return 1;
}

size_t afl_custom_fuzz(mutator *m, uint8_t *data, size_t size, uint8_t **out, uint8_t *other,
                       size_t other_size, size_t most) {
    const size_t kept = size < most ? size : most;
    *out = data;
    if (!have_room(m, most)) return kept;
    *out = m->out;
    if (other && STRUCTURE.cross && random_below(&m->random, 4) == 0) {
        return STRUCTURE.cross(data, kept, other, other_size, m->out, most, &m->random);
    }
    memcpy(m->out, data, kept);
    return STRUCTURE.mutate(m->out, kept, most, &m->random);
}

void afl_custom_deinit(mutator *m) {
    free(m->out);
    free(m);
}

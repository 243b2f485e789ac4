/* A .wlk header alone: canonical msgpack, as far as it goes. */
#include <string.h>

#include "kit/msgpack_change.h"

#define MOST_BYTES (64 << 10) /* longer inputs are changed as bytes */
#define MOST_CHANGES 3
#define MOST_DATA (1u << 20) /* that tensors are mended to lie in: there are none here */
#define TRIES 4

/* A whole small model: what is no map is replaced by it now and then. */
static const uint8_t small[] =
    "\x84\xa6graphs\x91\x83\xa6inputs\x91\x82\xa4name\xa1x\xa4type\x81\xa6tensor\x82\xa5"
    "dtype\xa3"
    "f32\xa5shape\x92\xa1n\x02\xa5nodes\x91\x83\xa2in\x92\xa1x\xa1w\xa2op\xa3"
    "Add\xa3out\x91\xa1y\xa7outputs\x91\x82\xa4name\xa1y\xa4type\x81\xa6tensor\x81\xa5"
    "dtype\xa3"
    "f32\xa4kind\xa5model\xa5opset\x81\xa0\x0d\xa7tensors\x91\x86\xa5"
    "codec\xa3raw"
    "\xa5"
    "dtype\xa3"
    "f32\xa4name\xa1w\xa6nbytes\x08\xa6offset\x00\xa5shape\x91\x02";

void tree_decode_small(tree *t) {
    tree_decode(t, small, sizeof small - 1);
}

/* Trees are large, and one thread makes inputs. */
static tree changed, other;
static uint8_t source[MOST_BYTES];

static void change(tree *t, fuzz_random *random) {
    change_value(t, random);
    for (size_t i = random_below(random, MOST_CHANGES); i > 0; i--) change_value(t, random);
}

/* Deep in the parser lies what only a canonical header reaches; the forms themselves are
 * the scan's, and one change of them is enough. */
static void mend(tree *t, fuzz_random *random) {
    if (random_below(random, 8)) (void)tensors_mend(t, random_below(random, 4) != 0, MOST_DATA);
    if (random_below(random, 16)) tree_make_canonical(t);
    if (random_below(random, 8) == 0) change_form(t, random);
}

static bool is_header(const tree *t) {
    return t->nodes[t->nodes[0].first].kind == TREE_MAP;
}

static size_t mutate(uint8_t *data, size_t size, size_t room, fuzz_random *random) {
    if (size > room) size = room;
    if (size > sizeof source) return mutate_bytes(data, size, room, random);
    if (size) memcpy(source, data, size);
    for (int i = 0; i < TRIES; i++) {
        tree_decode(&changed, source, size);
        if (!is_header(&changed) && random_below(random, 2)) {
            tree_decode_small(&changed);
        }
        change(&changed, random);
        mend(&changed, random);
        const size_t length = tree_encode(&changed, data, room);
        if (length > 0 && length <= room) return length;
    }
    if (size) memcpy(data, source, size);
    size = mutate_bytes(data, size, room, random);
    if (size == 0 && room > 0) data[size++] = 0xc0;
    return size;
}

static size_t cross(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out,
                    size_t room, fuzz_random *random) {
    tree_decode(&changed, a, a_size);
    tree_decode(&other, b, b_size);
    for (size_t i = 1 + random_below(random, MOST_CHANGES); i > 0; i--) {
        change_graft(&changed, &other, random);
    }
    mend(&changed, random);
    const size_t length = tree_encode(&changed, out, room);
    if (length > 0 && length <= room) return length;
    const size_t kept = a_size < room ? a_size : room;
    if (kept) memcpy(out, a, kept);
    return kept;
}

static void show(const uint8_t *data, size_t size, FILE *out) {
    tree_decode(&changed, data, size);
    tree_show(&changed, 0, out);
}

const fuzz_structure structure_msgpack = {
    .name = "msgpack", .mutate = mutate, .cross = cross, .show = show};

#include "image/name_map.h"

#include <string.h>

#include "base/memory.h"

#define NO_CHILD UINT32_MAX
#define LEAF 0x80000000u /* in a child: the rest is the number of a leaf */
#define MAX_NAMES (LEAF - 1)

/* A fork: names on the right have bit `bit` (a mask of one bit) of byte `byte`
 * set, those on the left have not. A name ends with a byte zero. */
typedef struct fork {
    uint64_t byte;
    uint32_t children[2];
    uint8_t bit;
} fork;

typedef struct leaf {
    uint64_t text; /* in the map's texts */
    uint32_t value;
} leaf;

/* There is one fork less than there are leaves: both arrays have `room`. */
struct name_map {
    fork *forks;
    leaf *leaves;
    uint32_t leaf_count;
    uint32_t room;
    uint32_t root;
    char *texts;
    uint64_t text_used;
    uint64_t text_room;
};

name_map *name_map_new(void) {
    name_map *map = mem_zeroed(1, sizeof *map);
    if (map) map->root = NO_CHILD;
    return map;
}

void name_map_free(name_map *map) {
    if (!map) return;
    mem_free(map->forks);
    mem_free(map->leaves);
    mem_free(map->texts);
    mem_free(map);
}

static int side_of(const fork *at, const char *name, uint64_t length) {
    const uint8_t byte = at->byte < length ? (uint8_t)name[at->byte] : 0;
    return (byte & at->bit) != 0;
}

/* The leaf that the name's bits lead to: the name's own if it is in the map. */
static leaf *leaf_towards(const name_map *map, const char *name, uint64_t length) {
    uint32_t at = map->root;
    while (!(at & LEAF)) at = map->forks[at].children[side_of(&map->forks[at], name, length)];
    return &map->leaves[at & ~LEAF];
}

static const char *text_of(const name_map *map, const leaf *l) {
    return map->texts + l->text;
}

bool name_map_get(const name_map *map, const char *name, uint32_t *value) {
    if (map->root == NO_CHILD) return false;
    const leaf *found = leaf_towards(map, name, strlen(name));
    if (strcmp(text_of(map, found), name) != 0) return false;
    *value = found->value;
    return true;
}

static bool reserve_leaf(name_map *map) {
    if (map->leaf_count < map->room) return true;
    if (map->room > MAX_NAMES / 2) return false;
    const uint32_t room = map->room ? map->room * 2 : 32;
    fork *forks = mem_resize_array(map->forks, room, sizeof *forks);
    if (!forks) return false;
    map->forks = forks;
    leaf *leaves = mem_resize_array(map->leaves, room, sizeof *leaves);
    if (!leaves) return false;
    map->leaves = leaves;
    map->room = room;
    return true;
}

static bool reserve_text(name_map *map, uint64_t length) {
    /* All of it lies in memory already, so the sum does not wrap. */
    const uint64_t needed = map->text_used + length + 1;
    if (needed <= map->text_room) return true;
    char *texts = mem_resize_array(map->texts, needed, 2);
    if (!texts) return false;
    map->texts = texts;
    map->text_room = needed * 2;
    return true;
}

/* Room has been reserved. */
static uint32_t add_leaf(name_map *map, const char *name, uint64_t length, uint32_t value) {
    map->leaves[map->leaf_count] = (leaf){map->text_used, value};
    memcpy(map->texts + map->text_used, name, length + 1);
    map->text_used += length + 1;
    return map->leaf_count++ | LEAF;
}

/* Where two different texts part: the highest bit of the first byte in which
 * they differ. The byte zero at the end makes one of them differ there. */
static fork parting(const char *a, const char *b) {
    uint64_t at = 0;
    while (a[at] == b[at]) at++;
    const unsigned differing = (uint8_t)a[at] ^ (uint8_t)b[at];
    uint8_t bit = 0x80;
    while (!(differing & bit)) bit >>= 1;
    return (fork){.byte = at, .bit = bit};
}

static bool comes_before(const fork *a, const fork *b) {
    return a->byte < b->byte || (a->byte == b->byte && a->bit > b->bit);
}

/* Puts the new fork above the first one on the name's way that looks at a later
 * bit. */
static void insert_fork(name_map *map, fork made, uint32_t new_leaf, const char *name,
                        uint64_t length) {
    uint32_t *link = &map->root;
    while (!(*link & LEAF) && comes_before(&map->forks[*link], &made)) {
        fork *at = &map->forks[*link];
        link = &at->children[side_of(at, name, length)];
    }
    const int side = side_of(&made, name, length);
    made.children[side] = new_leaf;
    made.children[1 - side] = *link;
    const uint32_t number = map->leaf_count - 2;
    map->forks[number] = made;
    *link = number;
}

bool name_map_set(name_map *map, const char *name, uint32_t value) {
    const uint64_t length = strlen(name);
    if (map->root == NO_CHILD) {
        if (!reserve_leaf(map) || !reserve_text(map, length)) return false;
        map->root = add_leaf(map, name, length, value);
        return true;
    }
    leaf *nearest = leaf_towards(map, name, length);
    if (strcmp(text_of(map, nearest), name) == 0) {
        nearest->value = value;
        return true;
    }
    const fork made = parting(text_of(map, nearest), name);
    if (!reserve_leaf(map) || !reserve_text(map, length)) return false;
    const uint32_t new_leaf = add_leaf(map, name, length, value);
    insert_fork(map, made, new_leaf, name, length);
    return true;
}

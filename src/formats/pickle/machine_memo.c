#include <string.h>

#include "base/checked.h"
#include "formats/pickle/machine_state.h"

/* ---- numbers out of order: a crit-bit tree, which holds each in one leaf and branches at
 * the highest bit in which two differ: never deeper than 64, whatever the numbers are */

struct memo_node {
    uint64_t place; /* of a leaf */
    uint64_t bit;   /* of a branch: the one that is looked at; 0: it is a leaf */
    union {
        py_value *value;    /* of a leaf */
        memo_node *next[2]; /* of a branch */
    };
};

static memo_node *nearest_leaf(memo_node *node, uint64_t place) {
    while (node && node->bit) node = node->next[(place & node->bit) != 0];
    return node;
}

static uint64_t highest_bit(uint64_t number) {
    return (uint64_t)1 << (63 - __builtin_clzll(number));
}

static wlk_status tree_add(pickle *p, memo_node **root, uint64_t place, py_value *value,
                           wlk_error *error) {
    memo_node *leaf = arena_take(&p->memory, 2, sizeof *leaf);
    if (!leaf) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    memo_node *branch = leaf + 1;
    leaf->place = place;
    leaf->value = value;
    if (*root) {
        const uint64_t bit = highest_bit(nearest_leaf(*root, place)->place ^ place);
        while ((*root)->bit > bit) root = &(*root)->next[(place & (*root)->bit) != 0];
        branch->bit = bit;
        branch->next[(place & bit) != 0] = leaf;
        branch->next[(place & bit) == 0] = *root;
        *root = branch;
    } else {
        *root = leaf;
    }
    return WLK_OK;
}

static py_value *tree_get(const pickle_memo *memo, uint64_t place) {
    const memo_node *leaf = nearest_leaf(memo->tree, place);
    return leaf && leaf->place == place ? leaf->value : NULL;
}

/* ---- numbers in order */

#define FIRST_ROOM 32

/* Room in the list for numbers up to twice as many as there are, which all writers keep to
 * (Python 2's began at 1). */
static wlk_status list_grow(pickle *p, pickle_memo *memo, wlk_error *error) {
    const uint64_t room = memo->room > 0 ? 2 * memo->room : FIRST_ROOM;
    py_value **list = arena_take(&p->memory, room, sizeof(py_value *));
    if (!list) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    if (memo->room > 0) memcpy(list, memo->list, memo->room * sizeof *list);
    memo->list = list;
    memo->room = room;
    return WLK_OK;
}

py_value *memo_get(const pickle_memo *memo, uint64_t place) {
    py_value *value = place < memo->room ? memo->list[place] : NULL;
    return value ? value : tree_get(memo, place);
}

static wlk_status count_entry(pickle *p, pickle_memo *memo, wlk_error *error) {
    if (p->objects >= p->limits->pickle_objects) {
        return error_at(error, RULE_LIMIT_PICKLE_OBJECTS, cursor_offset(&p->stream));
    }
    p->objects++;
    memo->count++;
    return WLK_OK;
}

wlk_status memo_put(pickle *p, pickle_memo *memo, uint64_t place, py_value *value,
                    wlk_error *error) {
    if (!memo_get(memo, place)) TRY(count_entry(p, memo, error));
    if (memo->count > memo->room / 2) TRY(list_grow(p, memo, error));
    if (place < memo->room) {
        memo->list[place] = value;
        return WLK_OK;
    }
    memo_node *leaf = nearest_leaf(memo->tree, place);
    if (leaf && leaf->place == place) {
        leaf->value = value;
        return WLK_OK;
    }
    return tree_add(p, &memo->tree, place, value, error);
}

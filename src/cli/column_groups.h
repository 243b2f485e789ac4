/* The outputs that predict writes: each a group of columns, a tensor of numbers or texts, or
 * what has no columns. */
#ifndef WLK_CLI_COLUMN_GROUPS_H
#define WLK_CLI_COLUMN_GROUPS_H

#include "cli/class_names.h"
#include "cli/results.h"

/* One output that is written. Of maps the values are the tensor, a row a map. */
typedef struct column_group {
    uint32_t output;
    const char *name;
    wlk_value_kind kind;
    wlk_tensor tensor;
    wlk_tensor keys; /* of maps: one a column */
    class_list classes;
} column_group;

typedef struct column_groups {
    const results *from;
    class_names names;
    column_group *list;
    uint32_t count;
} column_groups;

#define MAP_KEY_BYTES 32

/* All outputs, or the selected one. The caller closes them in any case. */
WLK_MUST_USE wlk_status groups_open(const results *r, uint32_t selected, column_groups *groups,
                                    wlk_error *error);
void groups_close(column_groups *groups);

/* Maps have columns; a list, which is a sequence or an optional without a value, has not. */
bool group_is_map(const column_group *g);
bool group_is_list(const column_group *g);

/* The tensors that a group holds: one, but for lists. */
uint64_t group_tensors(const column_groups *groups, const column_group *g);
wlk_tensor group_tensor(const column_groups *groups, const column_group *g, uint64_t i);

/* Key i of a map, as text of *length bytes: in the result, or as a number in `text`. */
const char *group_key(const column_group *g, uint64_t i, char text[MAP_KEY_BYTES],
                      uint64_t *length);

/* Can all of it be written as text: dtypes, and keys that differ? */
WLK_MUST_USE wlk_status groups_check(const column_groups *groups, wlk_error *error);

/* JSON for the whole result (results_json.c). */
WLK_MUST_USE wlk_status groups_json(column_groups *groups, FILE *stream, wlk_error *error);

#endif

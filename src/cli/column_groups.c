#include "cli/column_groups.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "input/array.h"
#include "input/element.h"

void groups_close(column_groups *groups) {
    class_names_close(&groups->names);
    mem_free(groups->list);
}

bool group_is_map(const column_group *g) {
    return g->kind == WLK_VALUE_MAP || g->kind == WLK_VALUE_MAPS;
}

/* The values of one map are one row. */
static void take_map(column_group *g, const wlk_result *result, uint32_t output) {
    wlk_tensor *values = &g->tensor;
    g->keys = wlk_result_item(result, output, 0);
    *values = wlk_result_item(result, output, 1);
    if (g->kind != WLK_VALUE_MAP) return;
    values->rank = 2;
    values->shape[1] = values->shape[0];
    values->shape[0] = 1;
}

static column_group group_of(const results *r, uint32_t output) {
    column_group g = {.output = output,
                      .name = wlk_plan_output(r->plan, output).name,
                      .kind = wlk_result_kind(r->result, output)};
    if (group_is_map(&g)) {
        take_map(&g, r->result, output);
    } else if (g.kind == WLK_VALUE_TENSOR) {
        g.tensor = wlk_result_tensor(r->result, output);
    }
    return g;
}

wlk_status groups_open(const results *r, uint32_t selected, column_groups *groups,
                       wlk_error *error) {
    const uint32_t all = wlk_result_count(r->result);
    uint64_t names_left = r->limits->columns;
    *groups = (column_groups){.from = r, .list = mem_zeroed((size_t)all + 1, sizeof(column_group))};
    if (!groups->list) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    TRY(class_names_open(r->model, &groups->names, error));
    for (uint32_t i = 0; i < all; i++) {
        if (selected != WLK_NONE && i != selected) continue;
        column_group *g = &groups->list[groups->count++];
        *g = group_of(r, i);
        if (g->kind != WLK_VALUE_TENSOR) continue;
        g->classes = class_names_of(&groups->names, i, &g->tensor, names_left);
        names_left -= g->classes.count;
    }
    return WLK_OK;
}

bool group_is_list(const column_group *g) {
    return g->kind != WLK_VALUE_TENSOR && !group_is_map(g);
}

/* Tensor i of those that an output holds, of which there may be many or none. */
uint64_t group_tensors(const column_groups *groups, const column_group *g) {
    return group_is_list(g) ? wlk_result_items(groups->from->result, g->output) : 1;
}

wlk_tensor group_tensor(const column_groups *groups, const column_group *g, uint64_t i) {
    return group_is_list(g) ? wlk_result_item(groups->from->result, g->output, i) : g->tensor;
}

static wlk_status check_dtypes(const column_groups *groups, wlk_error *error) {
    for (uint32_t i = 0; i < groups->count; i++) {
        const column_group *g = &groups->list[i];
        for (uint64_t k = 0; k < group_tensors(groups, g); k++) {
            const wlk_dtype dtype = group_tensor(groups, g, k).dtype;
            if (dtype == WLK_STR || element_is_numeric(dtype)) continue;
            return error_text(error, RULE_INPUT_DTYPE, WLK_NO_OFFSET, "output %.100s is %s",
                              g->name, wlk_dtype_name(dtype));
        }
    }
    return WLK_OK;
}

/* Key i of a map, as text of *length bytes: in the result, or as a number in `text`. */
const char *group_key(const column_group *g, uint64_t i, char text[MAP_KEY_BYTES],
                      uint64_t *length) {
    if (g->keys.dtype == WLK_STR) return input_array_string(&g->keys, i, length);
    const number n = element_get(g->keys.dtype, g->keys.data, i);
    const int used =
        snprintf(text, MAP_KEY_BYTES, "%s%" PRIu64, n.negative ? "-" : "", n.magnitude);
    *length = (uint64_t)used;
    return text;
}

/* ---- keys: each once, or a value would hide another */

typedef struct map_key {
    const char *text;
    uint64_t length;
    char digits[MAP_KEY_BYTES];
} map_key;

static int compare_keys(const void *a, const void *b) {
    const map_key *x = a, *y = b;
    const uint64_t shorter = x->length < y->length ? x->length : y->length;
    const int order = shorter ? memcmp(x->text, y->text, shorter) : 0;
    return order ? order : (x->length > y->length) - (x->length < y->length);
}

static bool keys_differ(map_key *keys, const column_group *g) {
    const uint64_t count = g->keys.count;
    for (uint64_t i = 0; i < count; i++) {
        keys[i].text = group_key(g, i, keys[i].digits, &keys[i].length);
    }
    qsort(keys, count, sizeof *keys, compare_keys);
    for (uint64_t i = 1; i < count; i++) {
        if (compare_keys(&keys[i - 1], &keys[i]) == 0) return false;
    }
    return true;
}

static wlk_status check_keys(const column_groups *groups, wlk_error *error) {
    for (uint32_t i = 0; i < groups->count; i++) {
        const column_group *g = &groups->list[i];
        if (!group_is_map(g)) continue;
        if (g->keys.count > groups->from->limits->columns) {
            return error_text(error, RULE_CSV_COLUMNS, WLK_NO_OFFSET, "in the results");
        }
        map_key *keys = mem_zeroed(g->keys.count + 1, sizeof *keys);
        if (!keys) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
        const bool differ = keys_differ(keys, g);
        mem_free(keys);
        if (differ) continue;
        return error_text(error, RULE_CLI_TABLE, WLK_NO_OFFSET,
                          "output %.100s has two values with one key", g->name);
    }
    return WLK_OK;
}

wlk_status groups_check(const column_groups *groups, wlk_error *error) {
    TRY(check_dtypes(groups, error));
    return check_keys(groups, error);
}

#include "formats/pickle/allow.h"

#include <string.h>

#include "base/pickle_rows.h"
#include "base/sort.h"

static const py_global built_in[] = {
#define ALLOW(module, name, makes) {module, name, PY_MAKES_##makes},
#include "gen/pickle_allow.inc"
#undef ALLOW
};

const py_allowlist py_allowlist_built_in = {built_in, sizeof built_in / sizeof *built_in};

static int compare_bytes(const char *text, const uint8_t *bytes, uint64_t length) {
    const uint64_t own = strlen(text);
    const int order = memcmp(text, bytes, own < length ? own : length);
    return order != 0 ? order : (own > length) - (own < length);
}

const py_global *py_allowed(const py_allowlist *list, const uint8_t *module, uint64_t module_length,
                            const uint8_t *name, uint64_t name_length) {
    uint32_t low = 0, high = list->count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        const py_global *row = &list->rows[middle];
        int order = compare_bytes(row->module, module, module_length);
        if (order == 0) order = compare_bytes(row->name, name, name_length);
        if (order == 0) return row;
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

/* ---- an operator's rows */

static int compare_rows(const void *context, uint32_t a, uint32_t b) {
    const py_global *rows = context;
    const int order = strcmp(rows[a].module, rows[b].module);
    return order != 0 ? order : strcmp(rows[a].name, rows[b].name);
}

/* "module.Name": what is behind the last dot, which is there, is the name. */
static bool row_of(arena *memory, const pickle_row *from, py_global *row) {
    char *text = arena_text(memory, from->name, from->length);
    if (!text) return false;
    char *dot = strrchr(text, '.');
    *dot = '\0';
    row->module = text;
    row->name = dot + 1;
    row->makes = from->kind == PICKLE_ROW_OPAQUE ? PY_MAKES_OPAQUE : PY_MAKES_CONTAINER;
    return true;
}

/* Equal rows stand together, in the order that the policy has them. */
static uint32_t without_twins(const py_global *rows, const uint32_t *order, uint32_t count,
                              py_global *out) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0 && compare_rows(rows, order[i - 1], order[i]) == 0) continue;
        out[kept++] = rows[order[i]];
    }
    return kept;
}

wlk_status py_allowlist_read(arena *memory, const uint8_t *rows, uint64_t length,
                             py_allowlist *list, wlk_error *error) {
    cursor left = cursor_over(rows, length, 0);
    pickle_row row;
    uint32_t count = 0;
    while (pickle_rows_next(&left, &row)) count++;
    py_global *read = arena_take(memory, count, sizeof *read);
    py_global *sorted = arena_take(memory, count, sizeof *sorted);
    uint32_t *order = arena_take(memory, count, 2 * sizeof *order);
    if (!read || !sorted || !order) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    left = cursor_over(rows, length, 0);
    for (uint32_t i = 0; pickle_rows_next(&left, &row); i++) {
        if (!row_of(memory, &row, &read[i])) {
            return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
        }
        order[i] = i;
    }
    sort_u32(order, count, compare_rows, read, order + count);
    *list = (py_allowlist){sorted, without_twins(read, order, count, sorted)};
    return WLK_OK;
}

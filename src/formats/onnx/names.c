#include <string.h>

#include "formats/onnx/reader.h"

static name_entry *entry_of(const reader *r, uint32_t name) {
    return (name_entry *)r->names.items + name;
}

/* Names and meanings may be more than values: arguments of calls, types of what no node makes.
 * That many times more they are in no model. */
#define FOR_EACH_VALUE 4

static wlk_status add_bounded(reader *r, onnx_list *list, const void *item, size_t size,
                              uint64_t offset, wlk_error *error) {
    if (list->count / FOR_EACH_VALUE < r->limits->values) return onnx_add(list, item, size, error);
    return error_at(error, RULE_LIMIT_VALUES, offset);
}

static wlk_status intern_key(reader *r, const char *key, uint64_t offset, uint32_t *name,
                             wlk_error *error) {
    const name_entry entry = {.scope = IMAGE_NONE};
    if (name_map_get(r->name_ids, key, name)) return WLK_OK;
    *name = r->names.count;
    TRY(add_bounded(r, &r->names, &entry, sizeof entry, offset, error));
    if (name_map_set(r->name_ids, key, *name)) return WLK_OK;
    return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
}

wlk_status onnx_names_intern(reader *r, cursor text, uint32_t *name, wlk_error *error) {
    const char *key;
    TRY(onnx_key(r, text, &key, error));
    TRY(intern_key(r, key, text.base, name, error));
    name_entry *entry = entry_of(r, *name);
    entry->text = text.data;
    entry->length = (uint32_t)text.size;
    return WLK_OK;
}

/* Puts "__N" behind the text that the reader's room holds. */
static uint64_t put_suffix(char *at, uint32_t number) {
    char digits[10];
    uint64_t count = 0, length = 2;
    at[0] = at[1] = '_';
    for (; number > 0; number /= 10) digits[count++] = (char)('0' + number % 10);
    while (count > 0) at[length++] = digits[--count];
    at[length] = '\0';
    return length;
}

/* Each number is tried once for each name, so that all renaming together takes no more
 * steps than there are names. */
static wlk_status claim_renamed(reader *r, uint32_t name, uint64_t offset, uint32_t *string,
                                wlk_error *error) {
    const name_entry from = *entry_of(r, name);
    const cursor text = cursor_over(from.text, from.length, offset);
    uint32_t number = from.suffix;
    uint32_t other;
    const char *key;
    TRY(onnx_key(r, text, &key, error));
    do {
        if (number == UINT32_MAX) return error_at(error, RULE_LIMIT_VALUES, offset);
        (void)put_suffix(r->key + from.length, ++number);
        TRY(intern_key(r, r->key, offset, &other, error));
    } while (entry_of(r, other)->claimed);
    entry_of(r, name)->suffix = number;
    entry_of(r, other)->claimed = true;
    *string = image_name(r->builder, r->key, strlen(r->key), offset);
    return onnx_built(r, error);
}

wlk_status onnx_names_claim(reader *r, uint32_t name, uint64_t offset, uint32_t *string,
                            wlk_error *error) {
    name_entry *entry = entry_of(r, name);
    if (entry->claimed) return claim_renamed(r, name, offset, string, error);
    entry->claimed = true;
    *string = image_name(r->builder, (const char *)entry->text, entry->length, offset);
    return onnx_built(r, error);
}

/* ---- definitions */

typedef struct bound_key {
    char text[11];
} bound_key;

static bound_key key_of(uint32_t scope, uint32_t name) {
    bound_key key;
    *onnx_key_number(onnx_key_number(key.text, scope), name) = '\0';
    return key;
}

definition *onnx_names_own(const reader *r, uint32_t scope, uint32_t name) {
    const name_entry *entry = entry_of(r, name);
    uint32_t number = entry->definition;
    if (entry->scope != scope) {
        if (!entry->again) return NULL;
        const bound_key key = key_of(scope, name);
        if (!name_map_get(r->bound, key.text, &number)) return NULL;
    }
    return (definition *)r->definitions.items + number;
}

wlk_status onnx_names_define(reader *r, uint32_t scope, uint32_t name, const definition *made,
                             uint64_t offset, wlk_error *error) {
    const bound_key key = key_of(scope, name);
    const uint32_t number = r->definitions.count;
    name_entry *entry = entry_of(r, name);
    TRY(add_bounded(r, &r->definitions, made, sizeof *made, offset, error));
    if (entry->scope == IMAGE_NONE) {
        entry->scope = scope;
        entry->definition = number;
        return WLK_OK;
    }
    entry->again = true;
    if (name_map_set(r->bound, key.text, number)) return WLK_OK;
    return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
}

const definition *onnx_names_visible(const reader *r, uint32_t scope, uint32_t name) {
    const onnx_scope *scopes = r->scopes.items;
    uint32_t limit = UINT32_MAX;
    while (scope != IMAGE_NONE) {
        const definition *own = onnx_names_own(r, scope, name);
        if (own && own->kind == DEFINITION_MADE && own->position <= limit) return own;
        limit = scopes[scope].limit;
        scope = scopes[scope].parent;
    }
    return NULL;
}

#include "formats/wlk/schema.h"

#include <string.h>

bool schema_is_extension(const uint8_t *text, uint64_t length) {
    return length >= 2 && text[0] == 'x' && text[1] == '-';
}

static bool text_is(const void *text, uint64_t length, const char *word) {
    return strlen(word) == length && memcmp(text, word, length) == 0;
}

bool schema_is_word(const msgpack_object *object, const char *word) {
    return object->type == MSGPACK_OBJECT_STR &&
           text_is(object->via.str.ptr, object->via.str.size, word);
}

/* The key's number, s->count if it is an extension. */
static bool find_key(const schema *s, const void *text, uint64_t length, uint32_t *index) {
    for (uint32_t i = 0; i < s->count; i++) {
        *index = i;
        if (text_is(text, length, s->keys[i].name)) return true;
    }
    *index = s->count;
    return s->extensible && schema_is_extension(text, length);
}

/* Which rule a value breaks, RULE_NONE if none. */
static wlk_rule value_rule(const schema_key *key, object_kind kind, uint64_t count) {
    if ((key->kinds & kind) == 0) return RULE_HEADER_TYPE;
    const bool countable = (kind & (KIND_STR | KIND_ARRAY | KIND_MAP)) != 0;
    return key->filled && countable && count == 0 ? RULE_HEADER_EMPTY : RULE_NONE;
}

static uint64_t object_count(const msgpack_object *object) {
    if (object->type == MSGPACK_OBJECT_STR) return object->via.str.size;
    if (object->type == MSGPACK_OBJECT_ARRAY) return object->via.array.size;
    return object->type == MSGPACK_OBJECT_MAP ? object->via.map.size : 0;
}

static wlk_status read_entry(const element *e, const msgpack_object_kv *entry, const schema *s,
                             const msgpack_object **fields, wlk_error *error) {
    uint32_t index;
    const msgpack_object_str *key = &entry->key.via.str;
    if (!find_key(s, key->ptr, key->size, &index)) {
        return element_refuse(e, &entry->key, RULE_HEADER_KEY_UNKNOWN, error);
    }
    if (index == s->count) return WLK_OK;
    const wlk_rule rule =
        value_rule(&s->keys[index], element_kind(&entry->val), object_count(&entry->val));
    if (rule != RULE_NONE) return element_refuse(e, &entry->val, rule, error);
    fields[index] = &entry->val;
    return WLK_OK;
}

wlk_status schema_read(const element *e, const msgpack_object *map, const schema *s,
                       const msgpack_object **fields, wlk_error *error) {
    TRY(schema_check_kind(e, map, KIND_MAP, error));
    for (uint32_t i = 0; i < s->count; i++) fields[i] = NULL;
    for (uint32_t i = 0; i < map->via.map.size; i++) {
        TRY(read_entry(e, &map->via.map.ptr[i], s, fields, error));
    }
    for (uint32_t i = 0; i < s->count; i++) {
        if (s->keys[i].required && !fields[i]) {
            return element_refuse(e, map, RULE_HEADER_KEY_MISSING, error);
        }
    }
    return WLK_OK;
}

static wlk_status slice_entry(cursor *at, const schema *s, cursor *fields, wlk_error *error) {
    cursor inside;
    uint32_t index;
    const token key = scan_head(at);
    const cursor slice = scan_slice(at, NULL);
    if (!find_key(s, key.text, key.count, &index)) {
        return error_at(error, RULE_HEADER_KEY_UNKNOWN, key.offset);
    }
    if (index == s->count) return WLK_OK;
    const token value = scan_enter(slice, &inside);
    const wlk_rule rule = value_rule(&s->keys[index], value.kind, value.count);
    if (rule != RULE_NONE) return error_at(error, rule, value.offset);
    fields[index] = slice;
    return WLK_OK;
}

wlk_status schema_slice(cursor map, const schema *s, cursor *fields, wlk_error *error) {
    cursor at;
    const token head = scan_enter(map, &at);
    if (head.kind != KIND_MAP) return error_at(error, RULE_HEADER_TYPE, head.offset);
    for (uint32_t i = 0; i < s->count; i++) fields[i] = (cursor){.size = 0};
    for (uint64_t i = 0; i < head.count; i++) TRY(slice_entry(&at, s, fields, error));
    for (uint32_t i = 0; i < s->count; i++) {
        if (s->keys[i].required && fields[i].size == 0) {
            return error_at(error, RULE_HEADER_KEY_MISSING, head.offset);
        }
    }
    return WLK_OK;
}

wlk_status schema_check_kind(const element *e, const msgpack_object *object, uint32_t kinds,
                             wlk_error *error) {
    if (element_kind(object) & kinds) return WLK_OK;
    return element_refuse(e, object, RULE_HEADER_TYPE, error);
}

wlk_status schema_check_list(const element *e, const msgpack_object *array, uint32_t kinds,
                             wlk_error *error) {
    for (uint32_t i = 0; i < array->via.array.size; i++) {
        TRY(schema_check_kind(e, &array->via.array.ptr[i], kinds, error));
    }
    return WLK_OK;
}

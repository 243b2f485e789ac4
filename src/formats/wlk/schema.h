/* The header's schema (docs/format.md, section 3) as tables: which keys a map
 * has, of which kinds, required or not. */
#ifndef WLK_FORMATS_WLK_SCHEMA_H
#define WLK_FORMATS_WLK_SCHEMA_H

#include "formats/wlk/element.h"

typedef struct schema_key {
    const char *name;
    uint32_t kinds; /* object_kind bits */
    bool required;
    bool filled; /* a text, array or map must not be empty */
} schema_key;

typedef struct schema {
    const schema_key *keys;
    uint32_t count;
    bool extensible; /* keys that begin with x- are allowed too */
} schema;

#define SCHEMA_OF(table) \
    { .keys = (table), .count = sizeof(table) / sizeof *(table) }

/* Reads a map of an element: fields[i] is the value of key i, NULL if absent.
 * Rules: header.type (also when it is no map), .key-unknown, .key-missing, .empty. */
wlk_status schema_read(const element *e, const msgpack_object *map, const schema *s,
                       const msgpack_object **fields, wlk_error *error);

/* The same for a map that is too large to be unpacked: fields[i] is the slice of
 * the value, of size 0 if absent. */
wlk_status schema_slice(cursor map, const schema *s, cursor *fields, wlk_error *error);

/* Is the text an extension key, x- and anything? */
bool schema_is_extension(const uint8_t *text, uint64_t length);

/* Refuses, as header.type, what is not of one of these kinds. */
wlk_status schema_check_kind(const element *e, const msgpack_object *object, uint32_t kinds,
                             wlk_error *error);

/* The same for all elements of an array. */
wlk_status schema_check_list(const element *e, const msgpack_object *array, uint32_t kinds,
                             wlk_error *error);

/* Is the text object this word? */
bool schema_is_word(const msgpack_object *object, const char *word);

#endif

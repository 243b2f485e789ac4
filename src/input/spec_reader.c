#include "input/spec_reader.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/nearest.h"

#define PLACE_BYTES 160 /* of an error's text */

/* ---- places */

spec_path spec_key_at(const spec_path *parent, const char *key) {
    return (spec_path){parent, key, 0};
}

spec_path spec_index_at(const spec_path *parent, size_t index) {
    return (spec_path){parent, NULL, index};
}

/* Writes "graphs[0].nodes" and returns its length. A place too long loses its
 * end. Recursion is as deep as the schema, or as metadata may be nested. */
static size_t format_place(const spec_path *at, char text[PLACE_BYTES]) {
    if (!at || !at->parent) {
        text[0] = '\0';
        return 0;
    }
    const size_t before = format_place(at->parent, text);
    const size_t room = PLACE_BYTES - before;
    const int length = at->key ? snprintf(text + before, room, "%s%s", before ? "." : "", at->key)
                               : snprintf(text + before, room, "[%zu]", at->index);
    if (length < 0) return before;
    return (size_t)length < room ? before + (size_t)length : PLACE_BYTES - 1;
}

wlk_status spec_refuse(const spec_path *at, wlk_rule rule, wlk_error *error, const char *format,
                       ...) {
    char place[PLACE_BYTES];
    char detail[WLK_ERROR_TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(detail, sizeof detail, format, arguments);
    va_end(arguments);
    (void)format_place(at, place);
    return error_text(error, rule, WLK_NO_OFFSET, "%s: %s", place[0] ? place : "the root", detail);
}

wlk_status spec_locate(wlk_status status, const spec_path *at, wlk_error *error) {
    char place[PLACE_BYTES];
    if (status == WLK_OK || !error) return status;
    const wlk_error made = *error;
    (void)format_place(at, place);
    return error_text(error, (wlk_rule)made.rule, made.offset, "%s%s%s",
                      place[0] ? place : "the root", made.text[0] ? ": " : "", made.text);
}

/* ---- kinds and keys */

typedef struct kind_row {
    uint32_t kind;
    const char *name;
} kind_row;

static const kind_row kind_rows[] = {
    {SPEC_STRING, "a string"},  {SPEC_INTEGER, "an integer"}, {SPEC_REAL, "a real number"},
    {SPEC_BOOL, "a boolean"},   {SPEC_NULL, "null"},          {SPEC_ARRAY, "an array"},
    {SPEC_OBJECT, "an object"},
};

static uint32_t kind_of(const json_t *value) {
    switch (json_typeof(value)) {
        case JSON_STRING:
            return SPEC_STRING;
        case JSON_INTEGER:
            return SPEC_INTEGER;
        case JSON_REAL:
            return SPEC_REAL;
        case JSON_TRUE:
        case JSON_FALSE:
            return SPEC_BOOL;
        case JSON_ARRAY:
            return SPEC_ARRAY;
        case JSON_OBJECT:
            return SPEC_OBJECT;
        case JSON_NULL:
            break;
    }
    return SPEC_NULL;
}

/* "an integer or an array". */
static void describe_kinds(uint32_t kinds, char *text, size_t room) {
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < sizeof kind_rows / sizeof *kind_rows; i++) {
        if (!(kinds & kind_rows[i].kind) || used >= room) continue;
        const int length =
            snprintf(text + used, room - used, "%s%s", used ? " or " : "", kind_rows[i].name);
        used += length > 0 ? (size_t)length : 0;
    }
}

wlk_status spec_check_kind(const spec_path *at, const json_t *value, uint32_t kinds,
                           wlk_error *error) {
    char wanted[96], found[32];
    if (kind_of(value) & kinds) return WLK_OK;
    describe_kinds(kinds, wanted, sizeof wanted);
    describe_kinds(kind_of(value), found, sizeof found);
    return spec_refuse(at, RULE_SPEC_TYPE, error, "%s, not %s", wanted, found);
}

wlk_status spec_unknown_key(const spec_path *at, const char *key, const char *const *known,
                            size_t count, wlk_error *error) {
    const char *near = nearest_name(key, known, count);
    const spec_path here = spec_key_at(at, key);
    if (near) return spec_refuse(&here, RULE_SPEC_UNKNOWN_KEY, error, "did you mean \"%s\"?", near);
    return spec_refuse(&here, RULE_SPEC_UNKNOWN_KEY, error, "not one of those known here");
}

static wlk_status check_keys(const spec_path *at, const json_t *object, const spec_schema *schema,
                             wlk_error *error) {
    const char *names[SPEC_MAX_KEYS];
    const char *key;
    json_t *value;
    for (uint32_t i = 0; i < schema->count; i++) names[i] = schema->keys[i].name;
    json_object_foreach((json_t *)(uintptr_t)object, key, value) {
        bool known = schema->extensible && strncmp(key, "x-", 2) == 0;
        for (uint32_t i = 0; i < schema->count; i++) known |= strcmp(key, names[i]) == 0;
        if (!known) return spec_unknown_key(at, key, names, schema->count, error);
    }
    return WLK_OK;
}

wlk_status spec_object(const spec_path *at, const json_t *object, const spec_schema *schema,
                       const json_t *values[], wlk_error *error) {
    TRY(spec_check_kind(at, object, SPEC_OBJECT, error));
    TRY(check_keys(at, object, schema, error));
    for (uint32_t i = 0; i < schema->count; i++) {
        const spec_key *key = &schema->keys[i];
        const spec_path here = spec_key_at(at, key->name);
        values[i] = json_object_get(object, key->name);
        if (values[i]) {
            TRY(spec_check_kind(&here, values[i], key->kinds, error));
        } else if (key->required) {
            return spec_refuse(at, RULE_SPEC_MISSING_KEY, error, "\"%s\"", key->name);
        }
    }
    return WLK_OK;
}

/* ---- values */

const char *spec_text(const json_t *value) {
    return value ? json_string_value(value) : "";
}

wlk_status spec_number(const spec_path *at, const json_t *value, number *out, wlk_error *error) {
    TRY(spec_check_kind(at, value, SPEC_NUMBER | SPEC_STRING, error));
    if (json_is_integer(value)) {
        *out = number_of_int(json_integer_value(value));
    } else if (json_is_real(value)) {
        *out = number_of_float(json_real_value(value));
    } else if (strcmp(json_string_value(value), "nan") == 0) {
        *out = number_of_float((double)NAN);
    } else if (strcmp(json_string_value(value), "inf") == 0) {
        *out = number_of_float((double)INFINITY);
    } else if (strcmp(json_string_value(value), "-inf") == 0) {
        *out = number_of_float(-(double)INFINITY);
    } else {
        return spec_refuse(at, RULE_SPEC_VALUE, error,
                           "a number, or one of \"nan\", \"inf\", \"-inf\"");
    }
    return WLK_OK;
}

wlk_status spec_count(const spec_path *at, const json_t *value, uint64_t most, uint64_t *out,
                      wlk_error *error) {
    TRY(spec_check_kind(at, value, SPEC_INTEGER, error));
    const json_int_t count = json_integer_value(value);
    if (count < 0 || (uint64_t)count > most) {
        return spec_refuse(at, RULE_SPEC_VALUE, error, "an integer from 0 to %llu",
                           (unsigned long long)most);
    }
    *out = (uint64_t)count;
    return WLK_OK;
}

wlk_status spec_dtype(const spec_path *at, const json_t *value, wlk_dtype *dtype,
                      wlk_error *error) {
    TRY(spec_check_kind(at, value, SPEC_STRING, error));
    const char *name = json_string_value(value);
    *dtype = wlk_dtype_from_name(name, strlen(name));
    if (*dtype != WLK_DTYPE_NONE) return WLK_OK;
    return spec_refuse(at, RULE_SPEC_VALUE, error, "\"%.64s\" is no dtype", name);
}

wlk_status spec_texts(const spec_path *at, const json_t *array, const char ***texts,
                      uint32_t *count, wlk_error *error) {
    const size_t length = json_array_size(array);
    *texts = NULL;
    if (length > UINT32_MAX) return spec_refuse(at, RULE_SPEC_VALUE, error, "too long");
    const char **list = mem_zeroed(length + 1, sizeof *list);
    if (!list) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    for (size_t i = 0; i < length; i++) {
        const json_t *text = json_array_get(array, i);
        const spec_path here = spec_index_at(at, i);
        const wlk_status status = spec_check_kind(&here, text, SPEC_STRING, error);
        if (status != WLK_OK) {
            mem_free(list);
            return status;
        }
        list[i] = json_string_value(text);
    }
    *texts = list;
    *count = (uint32_t)length;
    return WLK_OK;
}

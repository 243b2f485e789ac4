/* Metadata and operator sets of a specification (spec_reader.h). */
#include <string.h>

#include "base/bytes.h"
#include "image/meta_schema.h"
#include "input/spec_reader.h"

static wlk_status read_entry(spec_reader *r, const spec_path *at, const json_t *value,
                             size_t length, wlk_error *error);

static wlk_status set(spec_reader *r, const spec_path *at, wlk_meta_type type, uint64_t value,
                      wlk_error *error) {
    return spec_locate(meta_tree_set(r->metadata, r->meta_path, type, value, error), at, error);
}

/* Below the path of `length` bytes; it is as it was afterwards. */
static wlk_status read_child(spec_reader *r, const spec_path *at, const char *key,
                             const json_t *value, size_t length, wlk_error *error) {
    size_t longer = length;
    if (!meta_path_append(r->meta_path, &longer, r->meta_room, key)) {
        return spec_refuse(at, RULE_LIMIT_NAME_BYTES, error, "the path of this entry");
    }
    const wlk_status status = read_entry(r, at, value, longer, error);
    r->meta_path[length] = '\0';
    return status;
}

static bool is_known_key(const char *key, const char *const *known, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(key, known[i]) == 0) return true;
    }
    return false;
}

static wlk_status read_map(spec_reader *r, const spec_path *at, const json_t *object, size_t length,
                           wlk_error *error) {
    const char *key;
    json_t *value;
    size_t known_count;
    const char *const *known = meta_schema_keys(r->meta_path, &known_count);
    TRY(set(r, at, WLK_META_MAP, 0, error));
    json_object_foreach((json_t *)(uintptr_t)object, key, value) {
        const spec_path here = spec_key_at(at, key);
        if (known && strncmp(key, "x-", 2) != 0 && !is_known_key(key, known, known_count)) {
            return spec_unknown_key(at, key, known, known_count, error);
        }
        TRY(read_child(r, &here, key, value, length, error));
    }
    return WLK_OK;
}

static wlk_status read_array(spec_reader *r, const spec_path *at, const json_t *array,
                             size_t length, wlk_error *error) {
    TRY(set(r, at, WLK_META_ARRAY, 0, error));
    for (size_t i = 0; i < json_array_size(array); i++) {
        char key[24];
        const spec_path here = spec_index_at(at, i);
        (void)snprintf(key, sizeof key, "%zu", i);
        TRY(read_child(r, &here, key, json_array_get(array, i), length, error));
    }
    return WLK_OK;
}

/* Recursion ends where set refuses a container that lies too deep. */
static wlk_status read_entry(spec_reader *r, const spec_path *at, const json_t *value,
                             size_t length, wlk_error *error) {
    switch (json_typeof(value)) {
        case JSON_OBJECT:
            return read_map(r, at, value, length, error);
        case JSON_ARRAY:
            return read_array(r, at, value, length, error);
        case JSON_STRING:
            return spec_locate(
                meta_tree_set_text(r->metadata, r->meta_path, json_string_value(value), error), at,
                error);
        case JSON_INTEGER:
            return set(r, at, WLK_META_INT, (uint64_t)json_integer_value(value), error);
        case JSON_REAL:
            return set(r, at, WLK_META_FLOAT, f64_bits(json_real_value(value)), error);
        case JSON_TRUE:
        case JSON_FALSE:
            return set(r, at, WLK_META_BOOL, json_is_true(value), error);
        case JSON_NULL:
            return set(r, at, WLK_META_NULL, 0, error);
    }
    return error_at(error, RULE_INTERNAL_DEFECT, WLK_NO_OFFSET);
}

wlk_status spec_read_metadata(spec_reader *r, const spec_path *root, const json_t *object,
                              wlk_error *error) {
    const char *key;
    json_t *value;
    size_t count;
    const char *const *known = meta_schema_keys("", &count);
    json_object_foreach((json_t *)(uintptr_t)object, key, value) {
        const spec_path here = spec_key_at(root, key);
        if (strncmp(key, "x-", 2) != 0 && !is_known_key(key, known, count)) continue;
        TRY(read_child(r, &here, key, value, 0, error));
    }
    return WLK_OK;
}

wlk_status spec_read_opset(spec_reader *r, const spec_path *at, const json_t *object,
                           wlk_error *error) {
    const char *domain;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, domain, value) {
        uint64_t version;
        const spec_path here = spec_key_at(at, domain);
        TRY(spec_count(&here, value, UINT32_MAX, &version, error));
        TRY(spec_locate(assembler_opset(r->assembler, domain, (uint32_t)version, error), &here,
                        error));
    }
    return WLK_OK;
}

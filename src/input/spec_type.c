/* Types of a specification's values (spec_reader.h). */
#include <string.h>

#include "input/spec_reader.h"

static wlk_status read_type_at(spec_reader *r, const spec_path *at, const json_t *object,
                               uint32_t depth, uint32_t *type, wlk_error *error);

static wlk_status read_dim(const spec_path *at, const json_t *value, wlk_type *type, size_t i,
                           wlk_error *error) {
    uint64_t dim;
    TRY(spec_check_kind(at, value, SPEC_INTEGER | SPEC_STRING | SPEC_NULL, error));
    type->dims[i] = WLK_UNKNOWN_DIM;
    if (json_is_null(value)) return WLK_OK;
    if (json_is_string(value)) {
        type->symbols[i] = json_string_value(value);
        if (type->symbols[i][0] != '\0') return WLK_OK;
        return spec_refuse(at, RULE_SPEC_VALUE, error, "a symbol is not empty; null is unknown");
    }
    TRY(spec_count(at, value, INT64_MAX, &dim, error));
    type->dims[i] = (int64_t)dim;
    return WLK_OK;
}

static wlk_status read_tensor_type(const spec_path *at, const json_t *object, wlk_type *type,
                                   wlk_error *error) {
    static const spec_key keys[] = {{"dtype", SPEC_STRING, true}, {"shape", SPEC_ARRAY, false}};
    static const spec_schema schema = SPEC_SCHEMA(keys);
    const json_t *values[2];
    TRY(spec_object(at, object, &schema, values, error));
    const spec_path dtype_at = spec_key_at(at, "dtype"), shape_at = spec_key_at(at, "shape");
    TRY(spec_dtype(&dtype_at, values[0], &type->dtype, error));
    if (!values[1]) return WLK_OK;
    const size_t rank = json_array_size(values[1]);
    if (rank > WLK_MAX_RANK) {
        return spec_refuse(&shape_at, RULE_SPEC_VALUE, error, "more than %d dimensions",
                           WLK_MAX_RANK);
    }
    type->has_shape = true;
    type->rank = (uint32_t)rank;
    for (size_t i = 0; i < rank; i++) {
        const spec_path here = spec_index_at(&shape_at, i);
        TRY(read_dim(&here, json_array_get(values[1], i), type, i, error));
    }
    return WLK_OK;
}

static wlk_status read_map_type(spec_reader *r, const spec_path *at, const json_t *object,
                                uint32_t depth, wlk_type *type, wlk_error *error) {
    static const spec_key keys[] = {{"key", SPEC_STRING, true}, {"value", SPEC_OBJECT, true}};
    static const spec_schema schema = SPEC_SCHEMA(keys);
    const json_t *values[2];
    TRY(spec_object(at, object, &schema, values, error));
    const spec_path key_at = spec_key_at(at, "key"), value_at = spec_key_at(at, "value");
    TRY(spec_dtype(&key_at, values[0], &type->key_dtype, error));
    return read_type_at(r, &value_at, values[1], depth + 1, &type->element, error);
}

/* The kinds of types, in the order of their keys below. */
static const wlk_type_kind kinds[] = {WLK_TYPE_TENSOR, WLK_TYPE_SEQUENCE, WLK_TYPE_OPTIONAL,
                                      WLK_TYPE_MAP};
static const spec_key type_keys[] = {{"tensor", SPEC_OBJECT, false},
                                     {"sequence", SPEC_OBJECT, false},
                                     {"optional", SPEC_OBJECT, false},
                                     {"map", SPEC_OBJECT, false}};
#define KIND_COUNT (sizeof kinds / sizeof *kinds)

/* What the map's only entry holds. */
static wlk_status read_form(spec_reader *r, const spec_path *at, const json_t *const *values,
                            uint32_t depth, wlk_type *type, wlk_error *error) {
    size_t i = 0;
    while (!values[i]) i++;
    const spec_path here = spec_key_at(at, type_keys[i].name);
    type->kind = kinds[i];
    if (type->kind == WLK_TYPE_TENSOR) return read_tensor_type(&here, values[i], type, error);
    if (type->kind == WLK_TYPE_MAP) return read_map_type(r, &here, values[i], depth, type, error);
    return read_type_at(r, &here, values[i], depth + 1, &type->element, error);
}

static wlk_status read_type_at(spec_reader *r, const spec_path *at, const json_t *object,
                               uint32_t depth, uint32_t *type, wlk_error *error) {
    static const spec_schema schema = SPEC_SCHEMA(type_keys);
    const json_t *values[KIND_COUNT];
    wlk_type made = {0};
    if (depth > r->limits->header_depth) {
        return spec_refuse(at, RULE_LIMIT_HEADER_DEPTH, error, "a type");
    }
    TRY(spec_object(at, object, &schema, values, error));
    if (json_object_size(object) != 1) {
        return spec_refuse(at, RULE_SPEC_CONFLICT, error,
                           "exactly one of \"tensor\", \"sequence\", \"optional\", \"map\"");
    }
    TRY(read_form(r, at, values, depth, &made, error));
    return spec_locate(assembler_type(r->assembler, &made, type, error), at, error);
}

wlk_status spec_read_type(spec_reader *r, const spec_path *at, const json_t *object, uint32_t *type,
                          wlk_error *error) {
    TRY(spec_check_kind(at, object, SPEC_OBJECT, error));
    return read_type_at(r, at, object, 1, type, error);
}

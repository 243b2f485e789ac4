/* Attributes of a specification's nodes (spec_reader.h). A JSON integer, real or
 * string is an int, float or string; an array of one of these is the list; all
 * others are maps of one entry, whose key says what they are. */
#include <string.h>

#include "base/bytes.h"
#include "base/memory.h"
#include "input/spec_reader.h"

/* Where an attribute is, and what it is called. */
typedef struct attribute_at {
    spec_reader *reader;
    const spec_path *at;
    const char *name;
} attribute_at;

typedef wlk_status (*convert_value)(const attribute_at *a, const spec_path *at, const json_t *value,
                                    uint64_t *out, wlk_error *error);

static wlk_status convert_int(const attribute_at *a, const spec_path *at, const json_t *value,
                              uint64_t *out, wlk_error *error) {
    (void)a;
    TRY(spec_check_kind(at, value, SPEC_INTEGER, error));
    *out = (uint64_t)json_integer_value(value);
    return WLK_OK;
}

static wlk_status convert_float(const attribute_at *a, const spec_path *at, const json_t *value,
                                uint64_t *out, wlk_error *error) {
    number n;
    uint8_t bytes[8];
    (void)a;
    TRY(spec_number(at, value, &n, error));
    if (!element_put(WLK_F64, bytes, 0, &n)) {
        return spec_refuse(at, RULE_SPEC_VALUE, error, "does not fit f64");
    }
    *out = load_u64(bytes);
    return WLK_OK;
}

static wlk_status convert_tensor(const attribute_at *a, const spec_path *at, const json_t *value,
                                 uint64_t *out, wlk_error *error) {
    uint32_t index;
    TRY(spec_check_kind(at, value, SPEC_STRING, error));
    TRY(spec_locate(
        assembler_find_tensor(a->reader->assembler, json_string_value(value), &index, error), at,
        error));
    *out = index;
    return WLK_OK;
}

static wlk_status convert_graph(const attribute_at *a, const spec_path *at, const json_t *value,
                                uint64_t *out, wlk_error *error) {
    return spec_count(at, value, a->reader->limits->graphs, out, error);
}

static wlk_status convert_dtype(const attribute_at *a, const spec_path *at, const json_t *value,
                                uint64_t *out, wlk_error *error) {
    wlk_dtype dtype;
    (void)a;
    TRY(spec_dtype(at, value, &dtype, error));
    *out = (uint64_t)dtype;
    return WLK_OK;
}

static wlk_status convert_type(const attribute_at *a, const spec_path *at, const json_t *value,
                               uint64_t *out, wlk_error *error) {
    uint32_t type;
    TRY(spec_read_type(a->reader, at, value, &type, error));
    *out = type;
    return WLK_OK;
}

typedef struct attribute_form {
    const char *tag;
    wlk_attribute_type type;
    bool is_list;
    convert_value convert; /* NULL: text */
} attribute_form;

static const attribute_form forms[] = {
    {"int", WLK_ATTR_INT, false, convert_int},
    {"float", WLK_ATTR_FLOAT, false, convert_float},
    {"string", WLK_ATTR_STRING, false, NULL},
    {"tensor", WLK_ATTR_TENSOR, false, convert_tensor},
    {"graph", WLK_ATTR_GRAPH, false, convert_graph},
    {"dtype", WLK_ATTR_DTYPE, false, convert_dtype},
    {"type", WLK_ATTR_TYPE, false, convert_type},
    {"ints", WLK_ATTR_INTS, true, convert_int},
    {"floats", WLK_ATTR_FLOATS, true, convert_float},
    {"strings", WLK_ATTR_STRINGS, true, NULL},
    {"tensors", WLK_ATTR_TENSORS, true, convert_tensor},
    {"graphs", WLK_ATTR_GRAPHS, true, convert_graph},
};
#define FORM_COUNT (sizeof forms / sizeof *forms)

static const attribute_form *form_of(wlk_attribute_type type) {
    size_t i = 0;
    while (forms[i].type != type) i++; /* every type has a row */
    return &forms[i];
}

/* ---- lists and single values */

static wlk_status put_attribute(const attribute_at *a, const attribute_form *form,
                                const uint64_t *values, uint32_t count, wlk_error *error) {
    return spec_locate(
        assembler_attribute(a->reader->assembler, a->name, form->type, values, count, error), a->at,
        error);
}

static wlk_status read_numbers(const attribute_at *a, const spec_path *at,
                               const attribute_form *form, const json_t *list, uint32_t count,
                               wlk_error *error) {
    uint64_t *values = mem_zeroed(count ? count : 1, sizeof *values);
    if (!values) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    wlk_status status = WLK_OK;
    for (uint32_t i = 0; i < count && status == WLK_OK; i++) {
        const spec_path here = spec_index_at(at, i);
        status = form->convert(a, &here, json_array_get(list, i), &values[i], error);
    }
    if (status == WLK_OK) status = put_attribute(a, form, values, count, error);
    mem_free(values);
    return status;
}

static wlk_status read_texts(const attribute_at *a, const spec_path *at, const json_t *list,
                             wlk_error *error) {
    const char **texts;
    uint32_t count;
    TRY(spec_texts(at, list, &texts, &count, error));
    const wlk_status status = assembler_attribute_texts(a->reader->assembler, a->name,
                                                        WLK_ATTR_STRINGS, texts, count, error);
    mem_free(texts);
    return spec_locate(status, a->at, error);
}

static wlk_status read_list(const attribute_at *a, const spec_path *at, const attribute_form *form,
                            const json_t *list, wlk_error *error) {
    TRY(spec_check_kind(at, list, SPEC_ARRAY, error));
    if (!form->convert) return read_texts(a, at, list, error);
    if (json_array_size(list) > a->reader->limits->attribute_values) {
        return spec_refuse(at, RULE_LIMIT_ATTRIBUTE_VALUES, error, "%zu values",
                           json_array_size(list));
    }
    return read_numbers(a, at, form, list, (uint32_t)json_array_size(list), error);
}

static wlk_status read_single(const attribute_at *a, const spec_path *at,
                              const attribute_form *form, const json_t *value, wlk_error *error) {
    uint64_t converted;
    if (form->convert) {
        TRY(form->convert(a, at, value, &converted, error));
        return put_attribute(a, form, &converted, 1, error);
    }
    TRY(spec_check_kind(at, value, SPEC_STRING, error));
    const char *text = json_string_value(value);
    return spec_locate(
        assembler_attribute_texts(a->reader->assembler, a->name, WLK_ATTR_STRING, &text, 1, error),
        a->at, error);
}

/* ---- spellings */

static wlk_status read_tagged(const attribute_at *a, const json_t *object, wlk_error *error) {
    const char *tags[FORM_COUNT];
    const char *tag;
    json_t *value;
    for (size_t i = 0; i < FORM_COUNT; i++) tags[i] = forms[i].tag;
    if (json_object_size(object) != 1) {
        return spec_refuse(a->at, RULE_SPEC_CONFLICT, error, "exactly one key, which is the type");
    }
    json_object_foreach((json_t *)(uintptr_t)object, tag, value) {
        const spec_path here = spec_key_at(a->at, tag);
        for (size_t i = 0; i < FORM_COUNT; i++) {
            if (strcmp(tag, forms[i].tag) != 0) continue;
            return forms[i].is_list ? read_list(a, &here, &forms[i], value, error)
                                    : read_single(a, &here, &forms[i], value, error);
        }
        return spec_unknown_key(a->at, tag, tags, FORM_COUNT, error);
    }
    return WLK_OK;
}

/* A plain array says its type by its elements, which must be all of one. */
static wlk_status read_plain_list(const attribute_at *a, const json_t *list, wlk_error *error) {
    if (json_array_size(list) == 0) {
        return spec_refuse(a->at, RULE_SPEC_VALUE, error,
                           "an empty array has no type: use {\"ints\": []} or the like");
    }
    const json_type type = json_typeof(json_array_get(list, 0));
    for (size_t i = 1; i < json_array_size(list); i++) {
        const spec_path here = spec_index_at(a->at, i);
        if (json_typeof(json_array_get(list, i)) == type) continue;
        return spec_refuse(&here, RULE_SPEC_TYPE, error,
                           "all integers, all reals (1.0) or all strings, or a map like "
                           "{\"floats\": [...]}");
    }
    const wlk_attribute_type list_type = type == JSON_INTEGER ? WLK_ATTR_INTS
                                         : type == JSON_REAL  ? WLK_ATTR_FLOATS
                                                              : WLK_ATTR_STRINGS;
    return read_list(a, a->at, form_of(list_type), list, error);
}

wlk_status spec_read_attribute(spec_reader *r, const spec_path *at, const char *name,
                               const json_t *value, wlk_error *error) {
    const attribute_at a = {r, at, name};
    TRY(spec_check_kind(at, value, SPEC_NUMBER | SPEC_STRING | SPEC_ARRAY | SPEC_OBJECT, error));
    switch (json_typeof(value)) {
        case JSON_INTEGER:
            return read_single(&a, at, form_of(WLK_ATTR_INT), value, error);
        case JSON_REAL:
            return read_single(&a, at, form_of(WLK_ATTR_FLOAT), value, error);
        case JSON_STRING:
            return read_single(&a, at, form_of(WLK_ATTR_STRING), value, error);
        case JSON_ARRAY:
            return read_plain_list(&a, value, error);
        case JSON_OBJECT:
            return read_tagged(&a, value, error);
        case JSON_TRUE:
        case JSON_FALSE:
        case JSON_NULL:
            break;
    }
    return error_at(error, RULE_INTERNAL_DEFECT, WLK_NO_OFFSET);
}

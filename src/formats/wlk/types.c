#include "formats/wlk/reader.h"

/* The forms of a type: a map of one entry, whose key says which. */
enum { TYPE_MAP_FORM, TYPE_OPTIONAL_FORM, TYPE_SEQUENCE_FORM, TYPE_TENSOR_FORM, TYPE_FORMS };
static const schema_key form_keys[TYPE_FORMS] = {
    [TYPE_MAP_FORM] = {"map", KIND_MAP, false, false},
    [TYPE_OPTIONAL_FORM] = {"optional", KIND_MAP, false, false},
    [TYPE_SEQUENCE_FORM] = {"sequence", KIND_MAP, false, false},
    [TYPE_TENSOR_FORM] = {"tensor", KIND_MAP, false, false},
};
static const schema form_schema = SCHEMA_OF(form_keys);

enum { TENSOR_TYPE_DTYPE, TENSOR_TYPE_SHAPE, TENSOR_TYPE_KEYS };
static const schema_key tensor_type_keys[TENSOR_TYPE_KEYS] = {
    [TENSOR_TYPE_DTYPE] = {"dtype", KIND_STR, true, false},
    [TENSOR_TYPE_SHAPE] = {"shape", KIND_ARRAY, false, false},
};
static const schema tensor_type_schema = SCHEMA_OF(tensor_type_keys);

enum { MAP_TYPE_KEY, MAP_TYPE_VALUE, MAP_TYPE_KEYS };
static const schema_key map_type_keys[MAP_TYPE_KEYS] = {
    [MAP_TYPE_KEY] = {"key", KIND_STR, true, false},
    [MAP_TYPE_VALUE] = {"value", KIND_MAP, true, false},
};
static const schema map_type_schema = SCHEMA_OF(map_type_keys);

static wlk_dtype dtype_of(const msgpack_object *name) {
    return wlk_dtype_from_name(name->via.str.ptr, name->via.str.size);
}

/* One dimension: a number, a symbol, or nil for one that is not known. */
static wlk_status read_dim(const reader *r, const element *e, const msgpack_object *dim,
                           type_record *type, uint32_t axis, wlk_error *error) {
    TRY(schema_check_kind(e, dim, KIND_UINT | KIND_STR | KIND_NIL, error));
    type->dims[axis] = WLK_UNKNOWN_DIM;
    if (dim->type == MSGPACK_OBJECT_NIL) return WLK_OK;
    if (dim->type == MSGPACK_OBJECT_STR) {
        if (dim->via.str.size == 0) return element_refuse(e, dim, RULE_HEADER_EMPTY, error);
        type->symbols[axis] = reader_name(r, reader_text(e, dim));
        return reader_built(r, error);
    }
    if (dim->via.u64 > INT64_MAX) return element_refuse(e, dim, RULE_TYPE_FORM, error);
    type->dims[axis] = dim->via.i64;
    return WLK_OK;
}

static wlk_status read_tensor_type(const reader *r, const element *e, const msgpack_object *body,
                                   type_record *type, wlk_error *error) {
    const msgpack_object *fields[TENSOR_TYPE_KEYS];
    TRY(schema_read(e, body, &tensor_type_schema, fields, error));
    const wlk_dtype dtype = dtype_of(fields[TENSOR_TYPE_DTYPE]);
    if (dtype == WLK_DTYPE_NONE) {
        return element_refuse(e, fields[TENSOR_TYPE_DTYPE], RULE_TYPE_FORM, error);
    }
    *type = (type_record){.kind = WLK_TYPE_TENSOR, .dtype = (uint8_t)dtype, .element = IMAGE_NONE};
    const msgpack_object *shape = fields[TENSOR_TYPE_SHAPE];
    if (!shape) return WLK_OK;
    if (shape->via.array.size > WLK_MAX_RANK) {
        return element_refuse(e, shape, RULE_TYPE_FORM, error);
    }
    type->has_shape = 1;
    type->rank = shape->via.array.size;
    for (uint32_t i = 0; i < type->rank; i++) {
        TRY(read_dim(r, e, &shape->via.array.ptr[i], type, i, error));
    }
    return WLK_OK;
}

static bool is_key_dtype(wlk_dtype dtype) {
    return (dtype >= WLK_I64 && dtype <= WLK_U4) || dtype == WLK_STR;
}

/* A type that holds another: *inner is that other's object. */
static wlk_status read_container(const element *e, uint32_t form, const msgpack_object *body,
                                 type_record *type, const msgpack_object **inner,
                                 wlk_error *error) {
    *type =
        (type_record){.kind = form == TYPE_SEQUENCE_FORM ? WLK_TYPE_SEQUENCE : WLK_TYPE_OPTIONAL};
    *inner = body;
    if (form != TYPE_MAP_FORM) return WLK_OK;
    const msgpack_object *fields[MAP_TYPE_KEYS];
    TRY(schema_read(e, body, &map_type_schema, fields, error));
    const wlk_dtype key = dtype_of(fields[MAP_TYPE_KEY]);
    if (!is_key_dtype(key)) {
        return element_refuse(e, fields[MAP_TYPE_KEY], RULE_TYPE_FORM, error);
    }
    *type = (type_record){.kind = WLK_TYPE_MAP, .key_dtype = (uint8_t)key};
    *inner = fields[MAP_TYPE_VALUE];
    return WLK_OK;
}

/* Which form it is, and what stands behind the form's key. */
static wlk_status read_form(const element *e, const msgpack_object *object, uint32_t *form,
                            const msgpack_object **body, wlk_error *error) {
    const msgpack_object *fields[TYPE_FORMS];
    TRY(schema_read(e, object, &form_schema, fields, error));
    if (object->via.map.size != 1) return element_refuse(e, object, RULE_TYPE_FORM, error);
    for (*form = 0; !fields[*form]; (*form)++) continue;
    *body = fields[*form];
    return WLK_OK;
}

wlk_status type_read(const reader *r, const element *e, const msgpack_object *object,
                     uint32_t *type, type_record *outermost, wlk_error *error) {
    type_record chain[SCAN_MAX_DEPTH]; /* each holds the next; the last is a tensor */
    const msgpack_object *body;
    uint32_t length = 0;
    uint32_t form;
    TRY(read_form(e, object, &form, &body, error));
    while (form != TYPE_TENSOR_FORM) {
        const msgpack_object *inner;
        if (length == SCAN_MAX_DEPTH - 1) return element_refuse(e, body, RULE_TYPE_FORM, error);
        TRY(read_container(e, form, body, &chain[length++], &inner, error));
        TRY(read_form(e, inner, &form, &body, error));
    }
    TRY(read_tensor_type(r, e, body, &chain[length], error));
    if (outermost) *outermost = chain[0];
    const uint64_t offset = e->slice.base;
    *type = image_type(r->builder, &chain[length], offset);
    while (length > 0 && *type != IMAGE_NONE) {
        chain[--length].element = *type;
        *type = image_type(r->builder, &chain[length], offset);
    }
    return reader_built(r, error);
}

#include <string.h>

#include "formats/wlk/reader.h"

static const schema_key node_keys[NODE_KEYS] = {
    [NODE_ATTR] = {"attr", KIND_MAP, false, true},
    [NODE_DOMAIN] = {"domain", KIND_STR, false, true},
    [NODE_IN] = {"in", KIND_ARRAY, true, false},
    [NODE_NAME] = {"name", KIND_STR, false, true},
    [NODE_OP] = {"op", KIND_STR, true, true},
    [NODE_OUT] = {"out", KIND_ARRAY, true, false},
};
static const schema node_schema = SCHEMA_OF(node_keys);

static wlk_status check_edges(const reader *r, const element *e, const msgpack_object *names,
                              wlk_error *error) {
    if (names->via.array.size > r->limits->node_edges) {
        return element_refuse(e, names, RULE_LIMIT_NODE_EDGES, error);
    }
    return schema_check_list(e, names, KIND_STR, error);
}

static wlk_status check_domain(const reader *r, const element *e, const msgpack_object *domain,
                               wlk_error *error) {
    const bool known =
        domain ? opsets_have(r, domain->via.str.ptr, domain->via.str.size) : opsets_have(r, "", 0);
    return known ? WLK_OK : element_refuse(e, domain ? domain : e->root, RULE_GRAPH_OPSET, error);
}

wlk_status node_read(const reader *r, const element *e, const msgpack_object **fields,
                     wlk_error *error) {
    TRY(schema_read(e, e->root, &node_schema, fields, error));
    TRY(check_edges(r, e, fields[NODE_IN], error));
    TRY(check_edges(r, e, fields[NODE_OUT], error));
    return check_domain(r, e, fields[NODE_DOMAIN], error);
}

/* ---- attributes */

/* The forms that are written as a map of one entry: its key, of which kind the
 * value is, and for lists of which kinds its elements are. */
typedef struct attribute_form {
    const char *key;
    wlk_attribute_type type;
    object_kind kind;
    uint32_t elements;
} attribute_form;

static const attribute_form forms[] = {
    {"dtype", WLK_ATTR_DTYPE, KIND_STR, 0},
    {"floats", WLK_ATTR_FLOATS, KIND_ARRAY, KIND_FLOAT},
    {"graph", WLK_ATTR_GRAPH, KIND_UINT, 0},
    {"graphs", WLK_ATTR_GRAPHS, KIND_ARRAY, KIND_UINT},
    {"ints", WLK_ATTR_INTS, KIND_ARRAY, KIND_UINT | KIND_NEGATIVE},
    {"strings", WLK_ATTR_STRINGS, KIND_ARRAY, KIND_STR},
    {"tensor", WLK_ATTR_TENSOR, KIND_STR, 0},
    {"tensors", WLK_ATTR_TENSORS, KIND_ARRAY, KIND_STR},
    {"type", WLK_ATTR_TYPE, KIND_MAP, 0},
};

static const attribute_form *find_form(const msgpack_object *key) {
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (schema_is_word(key, forms[i].key)) return &forms[i];
    }
    return NULL;
}

static wlk_status read_form(const element *e, const msgpack_object *map, attribute *out,
                            wlk_error *error) {
    if (map->via.map.size != 1) return element_refuse(e, map, RULE_HEADER_ATTRIBUTE, error);
    const msgpack_object_kv *entry = map->via.map.ptr;
    const attribute_form *form = find_form(&entry->key);
    if (!form) return element_refuse(e, &entry->key, RULE_HEADER_ATTRIBUTE, error);
    TRY(schema_check_kind(e, &entry->val, form->kind, error));
    out->type = form->type;
    out->values = &entry->val;
    out->count = 1;
    if (form->elements == 0) return WLK_OK;
    out->values = entry->val.via.array.ptr;
    out->count = entry->val.via.array.size;
    return schema_check_list(e, &entry->val, form->elements, error);
}

uint32_t node_attributes(const msgpack_object *const *fields) {
    return fields[NODE_ATTR] ? fields[NODE_ATTR]->via.map.size : 0;
}

wlk_status attribute_read(const element *e, const msgpack_object *const *fields, uint32_t index,
                          attribute *out, wlk_error *error) {
    const msgpack_object_kv *entry = &fields[NODE_ATTR]->via.map.ptr[index];
    const msgpack_object *value = &entry->val;
    if (entry->key.via.str.size == 0) {
        return element_refuse(e, &entry->key, RULE_HEADER_EMPTY, error);
    }
    *out = (attribute){.name = reader_text(e, &entry->key), .values = value, .count = 1};
    switch (element_kind(value)) {
        case KIND_UINT:
        case KIND_NEGATIVE:
            out->type = WLK_ATTR_INT;
            return WLK_OK;
        case KIND_FLOAT:
            out->type = WLK_ATTR_FLOAT;
            return WLK_OK;
        case KIND_STR:
            out->type = WLK_ATTR_STRING;
            return WLK_OK;
        case KIND_MAP:
            return read_form(e, value, out, error);
        case KIND_NIL:
        case KIND_BOOL:
        case KIND_ARRAY:
            break;
    }
    return element_refuse(e, value, RULE_HEADER_TYPE, error);
}

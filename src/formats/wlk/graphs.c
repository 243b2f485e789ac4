
#include "base/memory.h"
#include "formats/wlk/reader.h"

/* ---- values, in the order in which they were defined */

static wlk_status build_values(const reader *r, wlk_error *error) {
    for (uint32_t i = 0; i < r->names.count; i++) {
        const name_entry *entry = &r->names.entries[i];
        if (entry->kind != NAME_VALUE) continue;
        const text_ref text = {entry->text, entry->length, entry->offset};
        const uint32_t index =
            image_value(r->builder, reader_name(r, text), entry->type, entry->offset);
        TRY(reader_built(r, error));
        if (index != entry->index) return error_at(error, RULE_INTERNAL_DEFECT, entry->offset);
    }
    return WLK_OK;
}

/* ---- attributes */

static wlk_status convert_dtype(const element *e, const msgpack_object *name, uint64_t *value,
                                wlk_error *error) {
    const wlk_dtype dtype = wlk_dtype_from_name(name->via.str.ptr, name->via.str.size);
    *value = (uint64_t)dtype;
    if (dtype != WLK_DTYPE_NONE) return WLK_OK;
    return element_refuse(e, name, RULE_HEADER_VALUE, error);
}

static wlk_status convert_int(const element *e, const msgpack_object *number, uint64_t *value,
                              wlk_error *error) {
    *value = number->via.u64; /* of a negative one its two's complement */
    if (number->type == MSGPACK_OBJECT_NEGATIVE_INTEGER || *value <= INT64_MAX) return WLK_OK;
    return element_refuse(e, number, RULE_HEADER_VALUE, error);
}

/* The index of what the value stands for. */
static wlk_status convert_index(const reader *r, const element *e, wlk_attribute_type type,
                                const msgpack_object *object, uint64_t *value, wlk_error *error) {
    uint32_t index;
    if (type == WLK_ATTR_STRING || type == WLK_ATTR_STRINGS) {
        const text_ref text = reader_text(e, object);
        index = image_string(r->builder, (const char *)text.text, text.length, text.offset);
        TRY(reader_built(r, error));
    } else if (type == WLK_ATTR_TYPE) {
        TRY(type_read(r, e, object, &index, NULL, error));
    } else {
        TRY(scope_find_tensor(r, e, object, &index, error));
    }
    *value = index;
    return WLK_OK;
}

/* One value as it stands in the image's NUMBERS. */
static wlk_status convert_value(const reader *r, const element *e, wlk_attribute_type type,
                                const msgpack_object *object, uint64_t *value, wlk_error *error) {
    switch (type) {
        case WLK_ATTR_INT:
        case WLK_ATTR_INTS:
            return convert_int(e, object, value, error);
        case WLK_ATTR_FLOAT:
        case WLK_ATTR_FLOATS:
            *value = f64_bits(object->via.f64);
            return WLK_OK;
        case WLK_ATTR_GRAPH:
        case WLK_ATTR_GRAPHS:
            *value = object->via.u64;
            return WLK_OK;
        case WLK_ATTR_DTYPE:
            return convert_dtype(e, object, value, error);
        case WLK_ATTR_STRING:
        case WLK_ATTR_STRINGS:
        case WLK_ATTR_TENSOR:
        case WLK_ATTR_TENSORS:
        case WLK_ATTR_TYPE:
            return convert_index(r, e, type, object, value, error);
        case WLK_ATTR_TYPE_COUNT:
            break;
    }
    return element_refuse(e, object, RULE_INTERNAL_DEFECT, error);
}

static void free_values(uint64_t **values) {
    mem_free(*values);
}

static wlk_status build_attribute(const reader *r, const element *e, const attribute *a,
                                  wlk_error *error) {
    if (a->count > r->limits->attribute_values) {
        return error_at(error, RULE_LIMIT_ATTRIBUTE_VALUES, a->name.offset);
    }
    __attribute__((cleanup(free_values))) uint64_t *values = mem_zeroed(a->count, sizeof *values);
    if (!values) return error_at(error, RULE_INTERNAL_MEMORY, a->name.offset);
    for (uint32_t i = 0; i < a->count; i++) {
        TRY(convert_value(r, e, a->type, &a->values[i], &values[i], error));
    }
    (void)image_attribute(r->builder, reader_name(r, a->name), a->type, values, a->count,
                          a->name.offset);
    return reader_built(r, error);
}

/* ---- nodes */

static uint32_t edge_of(const name_entry *entry) {
    return entry->kind == NAME_TENSOR ? EDGE_TENSOR | entry->index : entry->index;
}

static wlk_status build_inputs(const reader *r, const element *e, const msgpack_object_array *names,
                               name_use place, wlk_error *error) {
    for (uint32_t i = 0; i < names->size; i++) {
        uint32_t edge = IMAGE_NONE;
        if (names->ptr[i].via.str.size > 0) {
            name_entry *entry;
            TRY(scope_resolve(r, e, &names->ptr[i], place, &entry, error));
            edge = edge_of(entry);
        }
        if (image_node_input(r->builder, edge) != WLK_OK) return reader_built(r, error);
    }
    return WLK_OK;
}

static wlk_status build_outputs(const reader *r, const msgpack_object_array *names,
                                wlk_error *error) {
    for (uint32_t i = 0; i < names->size; i++) {
        const msgpack_object_str *name = &names->ptr[i].via.str;
        const name_entry *entry = name->size ? names_find(&r->names, name->ptr, name->size) : NULL;
        (void)image_node_output(r->builder, entry ? entry->index : IMAGE_NONE);
    }
    return reader_built(r, error);
}

/* A text that may be absent: then it is "". */
static uint32_t optional_name(const reader *r, const element *e, const msgpack_object *text) {
    return text ? reader_name(r, reader_text(e, text)) : image_name(r->builder, "", 0, 0);
}

static wlk_status build_node(const reader *r, const element *e, name_use place, wlk_error *error) {
    const msgpack_object *fields[NODE_KEYS];
    TRY(node_read(r, e, fields, error));
    const uint32_t op = reader_name(r, reader_text(e, fields[NODE_OP]));
    const uint32_t domain = optional_name(r, e, fields[NODE_DOMAIN]);
    const uint32_t name = optional_name(r, e, fields[NODE_NAME]);
    (void)image_node(r->builder, op, domain, name, e->slice.base);
    TRY(reader_built(r, error));
    TRY(build_inputs(r, e, &fields[NODE_IN]->via.array, place, error));
    TRY(build_outputs(r, &fields[NODE_OUT]->via.array, error));
    for (uint32_t i = 0; i < node_attributes(fields); i++) {
        attribute a;
        TRY(attribute_read(e, fields, i, &a, error));
        TRY(build_attribute(r, e, &a, error));
    }
    return WLK_OK;
}

static wlk_status build_nodes(const reader *r, uint32_t graph, cursor field, wlk_error *error) {
    cursor at;
    const uint32_t count = reader_array_again(field, &at);
    ELEMENT_CLEANUP element e = ELEMENT_NONE;
    for (uint32_t i = 0; i < count; i++) {
        TRY(element_next(&e, &at, r->max_objects, error));
        TRY(build_node(r, &e, (name_use){graph, i + 1}, error));
    }
    return WLK_OK;
}

/* ---- graphs */

static wlk_status build_port(const reader *r, const element *e, uint32_t graph, bool is_output,
                             wlk_error *error) {
    const msgpack_object *name, *type;
    name_entry *entry;
    TRY(port_read(e, &name, &type, error));
    TRY(scope_resolve(r, e, name, scope_graph_end(r, graph), &entry, error));
    (void)(is_output ? image_graph_output(r->builder, edge_of(entry))
                     : image_graph_input(r->builder, entry->index));
    return reader_built(r, error);
}

static wlk_status build_ports(const reader *r, uint32_t graph, cursor field, bool is_output,
                              wlk_error *error) {
    cursor at;
    const uint32_t count = reader_array_again(field, &at);
    ELEMENT_CLEANUP element e = ELEMENT_NONE;
    for (uint32_t i = 0; i < count; i++) {
        TRY(element_next(&e, &at, r->max_objects, error));
        TRY(build_port(r, &e, graph, is_output, error));
    }
    return WLK_OK;
}

static wlk_status build_graph(const reader *r, uint32_t graph, wlk_error *error) {
    const cursor *fields = r->graphs[graph].fields;
    cursor given = fields[GRAPH_NAME];
    ELEMENT_CLEANUP element e = ELEMENT_NONE;
    const bool named = given.size > 0;
    if (named) TRY(element_next(&e, &given, r->max_objects, error));
    const uint32_t name = optional_name(r, &e, named ? e.root : NULL);
    (void)image_graph(r->builder, name, r->graphs[graph].slice.base);
    TRY(reader_built(r, error));
    TRY(build_ports(r, graph, fields[GRAPH_INPUTS], false, error));
    TRY(build_ports(r, graph, fields[GRAPH_OUTPUTS], true, error));
    return build_nodes(r, graph, fields[GRAPH_NODES], error);
}

wlk_status graphs_build(const reader *r, wlk_error *error) {
    TRY(build_values(r, error));
    for (uint32_t i = 0; i < r->graph_count; i++) TRY(build_graph(r, i, error));
    return WLK_OK;
}

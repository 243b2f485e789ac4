
#include "base/memory.h"
#include "formats/wlk/reader.h"

static const schema_key graph_keys[GRAPH_KEYS] = {
    [GRAPH_INPUTS] = {"inputs", KIND_ARRAY, true, false},
    [GRAPH_NAME] = {"name", KIND_STR, false, true},
    [GRAPH_NODES] = {"nodes", KIND_ARRAY, true, false},
    [GRAPH_OUTPUTS] = {"outputs", KIND_ARRAY, true, false},
};
static const schema graph_schema = SCHEMA_OF(graph_keys);

enum { PORT_NAME, PORT_TYPE, PORT_KEYS };
static const schema_key port_keys[PORT_KEYS] = {
    [PORT_NAME] = {"name", KIND_STR, true, true},
    [PORT_TYPE] = {"type", KIND_MAP, false, false},
};
static const schema port_schema = SCHEMA_OF(port_keys);

wlk_status port_read(const element *e, const msgpack_object **name, const msgpack_object **type,
                     wlk_error *error) {
    const msgpack_object *fields[PORT_KEYS];
    TRY(schema_read(e, e->root, &port_schema, fields, error));
    *name = fields[PORT_NAME];
    *type = fields[PORT_TYPE];
    return WLK_OK;
}

static wlk_status define_value(reader *r, const element *e, const msgpack_object *name,
                               name_use place, uint32_t type, wlk_error *error) {
    const text_ref text = reader_text(e, name);
    if (r->value_count >= r->limits->values) {
        return error_at(error, RULE_LIMIT_VALUES, text.offset);
    }
    const name_entry entry = {.text = text.text,
                              .length = (uint32_t)text.length,
                              .kind = NAME_VALUE,
                              .offset = text.offset,
                              .index = r->value_count++,
                              .graph = place.graph,
                              .position = place.position,
                              .type = type};
    return names_add(&r->names, &entry, error);
}

/* ---- graph inputs */

static main_input main_input_of(const type_record *type) {
    main_input input = {.is_tensor = type->kind == WLK_TYPE_TENSOR,
                        .has_shape = type->has_shape != 0,
                        .dtype = (wlk_dtype)type->dtype,
                        .rank = type->rank};
    for (uint32_t i = 0; i < type->rank; i++) input.dims[i] = type->dims[i];
    return input;
}

static wlk_status define_input(reader *r, const element *e, uint32_t graph, uint32_t index,
                               wlk_error *error) {
    const msgpack_object *name, *type;
    type_record record;
    uint32_t type_index = IMAGE_NONE;
    TRY(port_read(e, &name, &type, error));
    if (graph == 0 && !type) {
        return element_refuse(e, e->root, RULE_HEADER_KEY_MISSING, error);
    }
    if (type) TRY(type_read(r, e, type, &type_index, &record, error));
    if (graph == 0) r->main_inputs[index] = main_input_of(&record);
    return define_value(r, e, name, (name_use){graph, 0}, type_index, error);
}

static wlk_status allocate_main_inputs(reader *r, uint32_t count, uint64_t offset,
                                       wlk_error *error) {
    r->main_inputs = mem_zeroed(count, sizeof *r->main_inputs);
    if (!r->main_inputs) return error_at(error, RULE_INTERNAL_MEMORY, offset);
    r->main_input_count = count;
    return WLK_OK;
}

static wlk_status define_inputs(reader *r, uint32_t graph, cursor field, wlk_error *error) {
    cursor at;
    uint32_t count;
    TRY(reader_array(field, r->limits->values, RULE_LIMIT_VALUES, &at, &count, error));
    if (graph == 0) TRY(allocate_main_inputs(r, count, field.base, error));
    ELEMENT_CLEANUP element e = ELEMENT_NONE;
    for (uint32_t i = 0; i < count; i++) {
        TRY(element_next(&e, &at, r->max_objects, error));
        TRY(define_input(r, &e, graph, i, error));
    }
    return WLK_OK;
}

/* ---- subgraphs */

/* The node at `place` refers to a graph: that must be one behind its own, and
 * nothing else may refer to it. So graphs form trees, and only graph 0 a root. */
static wlk_status link_subgraph(reader *r, const element *e, const msgpack_object *index,
                                name_use place, wlk_error *error) {
    const uint64_t subgraph = index->via.u64;
    const uint32_t level = r->graphs[place.graph].level + 1;
    if (subgraph <= place.graph || subgraph >= r->graph_count) {
        return element_refuse(e, index, RULE_GRAPH_SUBGRAPH_INDEX, error);
    }
    graph_entry *graph = &r->graphs[subgraph];
    if (graph->level != 0) return element_refuse(e, index, RULE_GRAPH_SUBGRAPH_TWICE, error);
    if (level - 1 > r->limits->graph_depth) {
        return element_refuse(e, index, RULE_LIMIT_GRAPH_DEPTH, error);
    }
    graph->parent = place.graph;
    graph->parent_position = place.position;
    graph->level = level;
    return WLK_OK;
}

static wlk_status link_subgraphs(reader *r, const element *e, const msgpack_object *const *fields,
                                 name_use place, wlk_error *error) {
    for (uint32_t i = 0; i < node_attributes(fields); i++) {
        attribute a;
        TRY(attribute_read(e, fields, i, &a, error));
        if (a.type != WLK_ATTR_GRAPH && a.type != WLK_ATTR_GRAPHS) continue;
        for (uint32_t k = 0; k < a.count; k++) {
            TRY(link_subgraph(r, e, &a.values[k], place, error));
        }
    }
    return WLK_OK;
}

/* ---- nodes */

static wlk_status define_outputs(reader *r, const element *e, const msgpack_object_array *names,
                                 name_use place, wlk_error *error) {
    for (uint32_t i = 0; i < names->size; i++) {
        const msgpack_object *name = &names->ptr[i];
        if (name->via.str.size == 0) continue;
        TRY(define_value(r, e, name, place, IMAGE_NONE, error));
    }
    return WLK_OK;
}

static wlk_status define_nodes(reader *r, uint32_t graph, cursor field, wlk_error *error) {
    cursor at;
    uint32_t count;
    const uint64_t most = r->limits->nodes - r->node_count;
    TRY(reader_array(field, most, RULE_LIMIT_NODES, &at, &count, error));
    r->node_count += count;
    r->graphs[graph].nodes = count;
    ELEMENT_CLEANUP element e = ELEMENT_NONE;
    for (uint32_t i = 0; i < count; i++) {
        const msgpack_object *fields[NODE_KEYS];
        const name_use place = {graph, i + 1};
        TRY(element_next(&e, &at, r->max_objects, error));
        TRY(node_read(r, &e, fields, error));
        TRY(define_outputs(r, &e, &fields[NODE_OUT]->via.array, place, error));
        TRY(link_subgraphs(r, &e, fields, place, error));
    }
    return WLK_OK;
}

/* ---- graphs */

/* Graphs that refer to this one stand before it: now it is known if any does. */
static wlk_status define_graph(reader *r, uint32_t graph, wlk_error *error) {
    graph_entry *entry = &r->graphs[graph];
    if (entry->level == 0) {
        return error_at(error, RULE_GRAPH_SUBGRAPH_UNUSED, entry->slice.base);
    }
    TRY(schema_slice(entry->slice, &graph_schema, entry->fields, error));
    TRY(define_inputs(r, graph, entry->fields[GRAPH_INPUTS], error));
    return define_nodes(r, graph, entry->fields[GRAPH_NODES], error);
}

wlk_status definitions_read(reader *r, wlk_error *error) {
    cursor at;
    uint32_t count;
    TRY(reader_array(r->fields[HEADER_GRAPHS], r->limits->graphs, RULE_LIMIT_GRAPHS, &at, &count,
                     error));
    if (count == 0) return WLK_OK;
    r->graphs = mem_zeroed(count, sizeof *r->graphs);
    if (!r->graphs) return error_at(error, RULE_INTERNAL_MEMORY, at.base);
    r->graph_count = count;
    r->graphs[0].level = 1;
    for (uint32_t i = 0; i < count; i++) r->graphs[i].slice = scan_slice(&at, NULL);
    for (uint32_t i = 0; i < count; i++) TRY(define_graph(r, i, error));
    return WLK_OK;
}

#include "formats/wlk/reader.h"

static wlk_status find(const reader *r, const element *e, const msgpack_object *name,
                       name_entry **entry, wlk_error *error) {
    *entry = names_find(&r->names, name->via.str.ptr, name->via.str.size);
    return *entry ? WLK_OK : element_refuse(e, name, RULE_GRAPH_UNDEFINED, error);
}

/* Which rule the use of a value breaks, RULE_NONE if it is visible there: among
 * what stands before it in its own graph, or before the node that holds this
 * graph, and so on outwards. At most graph_depth steps. */
static wlk_rule visibility(const reader *r, const name_entry *value, name_use use) {
    while (use.graph != value->graph) {
        if (use.graph == 0) return RULE_GRAPH_SCOPE;
        const graph_entry *graph = &r->graphs[use.graph];
        use = (name_use){graph->parent, graph->parent_position};
    }
    return value->position < use.position ? RULE_NONE : RULE_GRAPH_ORDER;
}

wlk_status scope_resolve(const reader *r, const element *e, const msgpack_object *name,
                         name_use use, name_entry **entry, wlk_error *error) {
    TRY(find(r, e, name, entry, error));
    if ((*entry)->kind == NAME_TENSOR) return WLK_OK;
    const wlk_rule rule = visibility(r, *entry, use);
    return rule == RULE_NONE ? WLK_OK : element_refuse(e, name, rule, error);
}

wlk_status scope_find_tensor(const reader *r, const element *e, const msgpack_object *name,
                             uint32_t *tensor, wlk_error *error) {
    name_entry *entry;
    TRY(find(r, e, name, &entry, error));
    if (entry->kind != NAME_TENSOR) return element_refuse(e, name, RULE_GRAPH_NOT_TENSOR, error);
    *tensor = entry->index;
    return WLK_OK;
}

name_use scope_graph_end(const reader *r, uint32_t graph) {
    return (name_use){graph, r->graphs[graph].nodes + 1};
}

/* A type may stand only where the name is a node's output, of this very graph,
 * and has none yet: so each type has one place. */
static wlk_status read_output_type(const reader *r, const element *e, uint32_t graph,
                                   wlk_error *error) {
    const msgpack_object *name, *type;
    name_entry *entry;
    TRY(port_read(e, &name, &type, error));
    if (!type) return WLK_OK;
    TRY(scope_resolve(r, e, name, scope_graph_end(r, graph), &entry, error));
    if (entry->kind != NAME_VALUE || entry->graph != graph || entry->position == 0 ||
        entry->type != IMAGE_NONE) {
        return element_refuse(e, type, RULE_GRAPH_OUTPUT_TYPE, error);
    }
    return type_read(r, e, type, &entry->type, NULL, error);
}

wlk_status scope_read_output_types(const reader *r, wlk_error *error) {
    ELEMENT_CLEANUP element e = ELEMENT_NONE;
    for (uint32_t graph = 0; graph < r->graph_count; graph++) {
        cursor at;
        const uint32_t count = reader_array_again(r->graphs[graph].fields[GRAPH_OUTPUTS], &at);
        for (uint32_t i = 0; i < count; i++) {
            TRY(element_next(&e, &at, r->max_objects, error));
            TRY(read_output_type(r, &e, graph, error));
        }
    }
    return WLK_OK;
}

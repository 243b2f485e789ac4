#include "base/memory.h"
#include "formats/onnx/reader.h"

static onnx_graph *graph_of(const reader *r, uint32_t graph) {
    return (onnx_graph *)r->graphs.items + graph;
}

/* ---- the queue */

/* How far the graph in which a scope lies has got, seen from the graph that is built now: the
 * node that holds it, or the one that holds that. */
static uint32_t position_in(const reader *r, uint32_t graph) {
    uint32_t at = r->graph, position = r->position;
    while (at != graph && at != 0) {
        position = graph_of(r, at)->position;
        at = graph_of(r, at)->holder;
    }
    return position;
}

wlk_status onnx_graph_queue(reader *r, cursor message, uint32_t scope, uint32_t *index,
                            wlk_error *error) {
    const onnx_scope *scopes = r->scopes.items;
    const onnx_graph graph = {.message = message,
                              .scope = scope,
                              .limit = position_in(r, scopes[scope].graph),
                              .holder = r->graph,
                              .position = r->position,
                              .depth = graph_of(r, r->graph)->depth + 1};
    if (r->graphs.count >= r->limits->graphs) {
        return error_at(error, RULE_LIMIT_GRAPHS, message.base);
    }
    if (graph.depth > r->limits->graph_depth) {
        return error_at(error, RULE_LIMIT_GRAPH_DEPTH, message.base);
    }
    *index = r->graphs.count;
    return onnx_add(&r->graphs, &graph, sizeof graph, error);
}

/* ---- values */

static wlk_status new_value(reader *r, uint32_t name, uint32_t type, uint64_t offset,
                            uint32_t *value, wlk_error *error) {
    uint32_t string;
    TRY(onnx_names_claim(r, name, offset, &string, error));
    *value = image_value(r->builder, string, type, offset);
    return onnx_built(r, error);
}

/* A name's new meaning, whatever it meant in this scope before. */
static wlk_status redefine(reader *r, uint32_t scope, uint32_t name, definition_kind kind,
                           uint32_t edge, uint32_t position, uint64_t offset, wlk_error *error) {
    definition *own = onnx_names_own(r, scope, name);
    const definition made = {kind, edge, position, IMAGE_NONE, IMAGE_NONE, IMAGE_NONE};
    if (!own) return onnx_names_define(r, scope, name, &made, offset, error);
    own->kind = kind;
    own->edge = edge;
    own->position = position;
    return WLK_OK;
}

/* A name of a call's function may be an output that the caller has a name for, who may stand
 * in a function too: the name that counts is the outermost one. */
static wlk_status outermost(const reader *r, uint32_t *scope, uint32_t *name, uint64_t offset,
                            wlk_error *error) {
    for (;;) {
        if (onnx_names_visible(r, *scope, *name)) {
            return error_at(error, RULE_ONNX_NAME_TWICE, offset);
        }
        const definition *own = onnx_names_own(r, *scope, *name);
        if (!own || own->kind != DEFINITION_WANTED) return WLK_OK;
        *scope = own->scope;
        *name = own->name;
    }
}

/* From the innermost name to the outermost one. */
static wlk_status make_all(reader *r, uint32_t scope, uint32_t name, uint32_t edge, uint64_t offset,
                           wlk_error *error) {
    for (;;) {
        const definition *own = onnx_names_own(r, scope, name);
        const bool wanted = own && own->kind == DEFINITION_WANTED;
        const uint32_t outer = wanted ? own->scope : IMAGE_NONE;
        const uint32_t outer_name = wanted ? own->name : IMAGE_NONE;
        TRY(redefine(r, scope, name, DEFINITION_MADE, edge, r->position + 1, offset, error));
        if (!wanted) return WLK_OK;
        scope = outer;
        name = outer_name;
    }
}

wlk_status onnx_graph_make_value(reader *r, uint32_t scope, cursor text, uint32_t *edge,
                                 wlk_error *error) {
    uint32_t inner, name, outer = scope;
    TRY(onnx_names_intern(r, text, &inner, error));
    name = inner;
    TRY(outermost(r, &outer, &name, text.base, error));
    const definition *own = onnx_names_own(r, outer, name);
    if (own && own->kind == DEFINITION_PROMISED) {
        *edge = own->edge;
    } else {
        TRY(new_value(r, name, own ? own->type : IMAGE_NONE, text.base, edge, error));
    }
    return make_all(r, scope, inner, *edge, text.base, error);
}

/* ---- a graph's lists */

/* The name of an entry of a list, which must have one. */
static wlk_status entry_name(reader *r, cursor entry, uint32_t field, uint32_t *name,
                             wlk_error *error) {
    const cursor text = onnx_proto_bytes_of(entry, field);
    if (text.size == 0) return error_at(error, RULE_ONNX_NAME_EMPTY, entry.base);
    return onnx_names_intern(r, text, name, error);
}

static wlk_status claim_tensor(reader *r, uint32_t scope, uint32_t name, uint64_t offset,
                               uint32_t *string, wlk_error *error) {
    if (onnx_names_own(r, scope, name)) return error_at(error, RULE_ONNX_NAME_TWICE, offset);
    return onnx_names_claim(r, name, offset, string, error);
}

typedef wlk_status (*tensor_reader)(reader *r, cursor message, uint32_t name, uint32_t *tensor,
                                    wlk_error *error);

/* An initializer: `named` is the TensorProto that has its name. */
static wlk_status add_tensor(reader *r, uint32_t scope, cursor message, cursor named,
                             tensor_reader read, wlk_error *error) {
    uint32_t name, string;
    uint32_t tensor = onnx_tensor_shared(r, message);
    TRY(entry_name(r, named, TENSOR_NAME, &name, error));
    if (tensor != IMAGE_NONE) {
        if (onnx_names_own(r, scope, name))
            return error_at(error, RULE_ONNX_NAME_TWICE, named.base);
    } else {
        TRY(claim_tensor(r, scope, name, named.base, &string, error));
        TRY(read(r, message, string, &tensor, error));
        TRY(onnx_tensor_share(r, message, tensor, error));
    }
    return redefine(r, scope, name, DEFINITION_MADE, EDGE_TENSOR | tensor, 0, named.base, error);
}

static wlk_status add_tensors(reader *r, uint32_t scope, cursor message, wlk_error *error) {
    proto_field field;
    cursor rest = message;
    while (onnx_proto_each_of(&rest, GRAPH_INITIALIZER, &field)) {
        TRY(add_tensor(r, scope, field.bytes, field.bytes, onnx_tensor_read, error));
    }
    rest = message;
    while (onnx_proto_each_of(&rest, GRAPH_SPARSE, &field)) {
        const cursor values = onnx_proto_bytes_of(field.bytes, SPARSE_VALUES);
        TRY(add_tensor(r, scope, field.bytes, values, onnx_sparse_read, error));
    }
    return WLK_OK;
}

/* An input that has an initializer is a constant: what older versions of ONNX ask for. */
static wlk_status add_input(reader *r, uint32_t scope, cursor input, wlk_error *error) {
    uint32_t name, type, value;
    TRY(entry_name(r, input, VALUE_NAME, &name, error));
    const definition *own = onnx_names_own(r, scope, name);
    if (own && (own->edge & EDGE_TENSOR)) return WLK_OK;
    if (own) return error_at(error, RULE_ONNX_NAME_TWICE, input.base);
    TRY(onnx_type_read(r, onnx_proto_bytes_of(input, VALUE_TYPE), &type, error));
    if (type == IMAGE_NONE && r->graph == 0) {
        return error_at(error, RULE_ONNX_INPUT_TYPE, input.base);
    }
    TRY(new_value(r, name, type, input.base, &value, error));
    (void)image_graph_input(r->builder, value);
    TRY(onnx_built(r, error));
    return redefine(r, scope, name, DEFINITION_MADE, value, 0, input.base, error);
}

wlk_status onnx_graph_declare(reader *r, cursor message, uint32_t list, uint32_t scope,
                              wlk_error *error) {
    proto_field field;
    while (onnx_proto_each_of(&message, list, &field)) {
        uint32_t name;
        definition declared = {DEFINITION_DECLARED, IMAGE_NONE, 0, 0, IMAGE_NONE, IMAGE_NONE};
        TRY(entry_name(r, field.bytes, VALUE_NAME, &name, error));
        if (onnx_names_own(r, scope, name)) continue; /* its type is known */
        TRY(onnx_type_read(r, onnx_proto_bytes_of(field.bytes, VALUE_TYPE), &declared.type, error));
        TRY(onnx_names_define(r, scope, name, &declared, field.offset, error));
    }
    return WLK_OK;
}

/* A value that a node of this graph will make. */
static wlk_status promise(reader *r, uint32_t scope, uint32_t name, cursor output, uint32_t *edge,
                          wlk_error *error) {
    const definition *own = onnx_names_own(r, scope, name);
    uint32_t type;
    TRY(onnx_type_read(r, onnx_proto_bytes_of(output, VALUE_TYPE), &type, error));
    if (type == IMAGE_NONE && own) type = own->type;
    TRY(new_value(r, name, type, output.base, edge, error));
    return redefine(r, scope, name, DEFINITION_PROMISED, *edge, 0, output.base, error);
}

static wlk_status add_output(reader *r, uint32_t scope, cursor output, wlk_error *error) {
    uint32_t name, edge;
    TRY(entry_name(r, output, VALUE_NAME, &name, error));
    const definition *own = onnx_names_own(r, scope, name);
    const definition *visible = onnx_names_visible(r, scope, name);
    if (visible) {
        edge = visible->edge;
    } else if (own && own->kind == DEFINITION_PROMISED) {
        edge = own->edge;
    } else {
        TRY(promise(r, scope, name, output, &edge, error));
    }
    /* An argument that the call of a function leaves out. */
    if (edge == IMAGE_NONE) return error_at(error, RULE_ONNX_UNDEFINED, output.base);
    (void)image_graph_output(r->builder, edge);
    return onnx_built(r, error);
}

static wlk_status check_output(reader *r, uint32_t scope, cursor output, wlk_error *error) {
    uint32_t name;
    TRY(entry_name(r, output, VALUE_NAME, &name, error));
    const definition *own = onnx_names_own(r, scope, name);
    if (!own || own->kind != DEFINITION_PROMISED) return WLK_OK;
    return error_at(error, RULE_ONNX_UNDEFINED, output.base);
}

typedef wlk_status (*value_visit)(reader *r, uint32_t scope, cursor value, wlk_error *error);

static wlk_status each_value(reader *r, uint32_t scope, cursor message, uint32_t list,
                             value_visit visit, wlk_error *error) {
    proto_field field;
    while (onnx_proto_each_of(&message, list, &field)) TRY(visit(r, scope, field.bytes, error));
    return WLK_OK;
}

/* ---- nodes */

/* Nodes of a graph, or of a function that is called there. */
typedef struct node_walk {
    cursor rest;
    uint32_t field;
    uint32_t scope;
} node_walk;

static wlk_status walk_call(reader *r, onnx_list *stack, uint32_t function, cursor node,
                            uint32_t caller, wlk_error *error) {
    const onnx_function *functions = r->functions.items;
    node_walk walk = {.rest = functions[function].message, .field = FUNCTION_NODE};
    TRY(onnx_function_enter(r, function, node, caller, &walk.scope, error));
    return onnx_add(stack, &walk, sizeof walk, error);
}

static wlk_status walk_node(reader *r, onnx_list *stack, cursor node, uint32_t scope,
                            wlk_error *error) {
    uint32_t function = IMAGE_NONE;
    TRY(onnx_function_called(r, node, &function, error));
    if (function == IMAGE_NONE) return onnx_node_build(r, node, scope, error);
    return walk_call(r, stack, function, node, scope, error);
}

static wlk_status walk_stack(reader *r, onnx_list *stack, wlk_error *error) {
    while (stack->count > 0) {
        proto_field node;
        node_walk *walk = (node_walk *)stack->items + stack->count - 1;
        const uint32_t scope = walk->scope;
        if (onnx_proto_each_of(&walk->rest, walk->field, &node)) {
            TRY(walk_node(r, stack, node.bytes, scope, error));
            continue;
        }
        stack->count--;
        if (stack->count > 0) TRY(onnx_function_leave(r, scope, error));
    }
    return WLK_OK;
}

static wlk_status build_nodes(reader *r, uint32_t scope, cursor message, wlk_error *error) {
    onnx_list stack = {0};
    const node_walk walk = {message, GRAPH_NODE, scope};
    wlk_status status = onnx_add(&stack, &walk, sizeof walk, error);
    if (status == WLK_OK) status = walk_stack(r, &stack, error);
    mem_free(stack.items);
    return status;
}

/* ---- a graph */

static wlk_status add_scope(reader *r, const onnx_graph *graph, uint32_t *scope, wlk_error *error) {
    onnx_scope made = {.parent = graph->scope,
                       .limit = graph->limit,
                       .graph = r->graph,
                       .call = IMAGE_NONE,
                       .function = IMAGE_NONE,
                       .caller = IMAGE_NONE};
    if (graph->scope != IMAGE_NONE) {
        const onnx_scope *outer = (const onnx_scope *)r->scopes.items + graph->scope;
        made.call = outer->call;
        made.calls = outer->calls;
    }
    *scope = r->scopes.count;
    return onnx_add(&r->scopes, &made, sizeof made, error);
}

static wlk_status build_graph(reader *r, uint32_t index, wlk_error *error) {
    const onnx_graph graph = *graph_of(r, index);
    uint32_t scope;
    r->graph = index;
    r->position = 0;
    (void)image_graph(r->builder, onnx_name(r, onnx_proto_bytes_of(graph.message, GRAPH_NAME)),
                      graph.message.base);
    TRY(onnx_built(r, error));
    TRY(add_scope(r, &graph, &scope, error));
    TRY(add_tensors(r, scope, graph.message, error));
    TRY(each_value(r, scope, graph.message, GRAPH_INPUT, add_input, error));
    TRY(onnx_graph_declare(r, graph.message, GRAPH_VALUE_INFO, scope, error));
    TRY(each_value(r, scope, graph.message, GRAPH_OUTPUT, add_output, error));
    TRY(build_nodes(r, scope, graph.message, error));
    return each_value(r, scope, graph.message, GRAPH_OUTPUT, check_output, error);
}

wlk_status onnx_graphs_build(reader *r, cursor main, wlk_error *error) {
    const onnx_graph first = {
        .message = main, .scope = IMAGE_NONE, .holder = IMAGE_NONE, .depth = 1};
    TRY(onnx_add(&r->graphs, &first, sizeof first, error));
    for (uint32_t i = 0; i < r->graphs.count; i++) TRY(build_graph(r, i, error));
    return WLK_OK;
}

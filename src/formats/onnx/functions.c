#include <string.h>

#include "formats/onnx/reader.h"

#define STEP 64 /* bytes that looking at one attribute counts as */

static onnx_scope *scope_of(const reader *r, uint32_t scope) {
    return (onnx_scope *)r->scopes.items + scope;
}

static cursor message_of(const reader *r, uint32_t function) {
    return ((const onnx_function *)r->functions.items)[function].message;
}

/* ---- by name */

/* The lengths stand before the texts, so that two different ones do not look the same. */
static wlk_status make_key(reader *r, cursor domain, cursor name, cursor overload, const char **key,
                           wlk_error *error) {
    const cursor parts[] = {domain, name, overload};
    uint64_t length = 0;
    for (size_t i = 0; i < 3; i++) {
        TRY(onnx_key(r, parts[i], key, error)); /* is it text? */
        length += parts[i].size;
    }
    TRY(onnx_key_room(r, length + 10, error)); /* two numbers, texts of this file */
    char *at = onnx_key_number(onnx_key_number(r->key, (uint32_t)domain.size), (uint32_t)name.size);
    for (size_t i = 0; i < 3; i++) {
        if (parts[i].size > 0) memcpy(at, parts[i].data, parts[i].size);
        at += parts[i].size;
    }
    *at = '\0';
    *key = r->key;
    return WLK_OK;
}

static wlk_status add_function(reader *r, cursor message, wlk_error *error) {
    const onnx_function function = {.message = message};
    const cursor name = onnx_proto_bytes_of(message, FUNCTION_NAME);
    const char *key;
    uint32_t known;
    if (name.size == 0) return error_at(error, RULE_ONNX_NAME_EMPTY, message.base);
    if (r->functions.count >= r->limits->nodes) {
        return error_at(error, RULE_LIMIT_NODES, message.base);
    }
    TRY(make_key(r, onnx_node_domain(onnx_proto_bytes_of(message, FUNCTION_DOMAIN)), name,
                 onnx_proto_bytes_of(message, FUNCTION_OVERLOAD), &key, error));
    if (name_map_get(r->function_ids, key, &known)) {
        return error_at(error, RULE_ONNX_FUNCTION_TWICE, message.base);
    }
    if (!name_map_set(r->function_ids, key, r->functions.count)) {
        return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    }
    return onnx_add(&r->functions, &function, sizeof function, error);
}

wlk_status onnx_functions_read(reader *r, wlk_error *error) {
    cursor rest = r->file;
    proto_field field;
    while (onnx_proto_each_of(&rest, MODEL_FUNCTION, &field)) {
        TRY(add_function(r, field.bytes, error));
    }
    return WLK_OK;
}

wlk_status onnx_functions_unused(reader *r, wlk_error *error) {
    const onnx_function *functions = r->functions.items;
    for (uint32_t i = 0; i < r->functions.count; i++) {
        if (functions[i].calls > 0) continue;
        TRY(onnx_byte_map_skip(r, RULE_ONNX_NOT_READ, "a function that nothing calls", 0,
                               functions[i].message.base, functions[i].message.size, error));
    }
    return WLK_OK;
}

wlk_status onnx_function_called(reader *r, cursor node, uint32_t *function, wlk_error *error) {
    const char *key;
    *function = IMAGE_NONE;
    if (r->functions.count == 0) return WLK_OK;
    TRY(make_key(r, onnx_node_domain(onnx_proto_bytes_of(node, NODE_DOMAIN)),
                 onnx_proto_bytes_of(node, NODE_OP), onnx_proto_bytes_of(node, NODE_OVERLOAD), &key,
                 error));
    (void)name_map_get(r->function_ids, key, function);
    return WLK_OK;
}

/* ---- bounds */

static wlk_status charge(reader *r, uint64_t bytes, uint64_t offset, wlk_error *error) {
    r->again += bytes; /* each time less than the file's size, and it ends at the limit */
    if (r->again <= r->limits->image_bytes) return WLK_OK;
    return error_at(error, RULE_ONNX_EXPANSION, offset);
}

wlk_status onnx_function_charge(reader *r, const cursor *message, wlk_error *error) {
    return charge(r, message->size, message->base, error);
}

wlk_status onnx_function_charge_fields(reader *r, uint64_t fields, uint64_t offset,
                                       wlk_error *error) {
    return charge(r, fields * STEP, offset, error); /* each has a byte at least */
}

/* A function must not be called within itself, and calls are not nested deeper than graphs. */
static wlk_status check_nesting(const reader *r, uint32_t function, uint32_t caller,
                                uint64_t offset, wlk_error *error) {
    if (scope_of(r, caller)->calls >= r->limits->graph_depth) {
        return error_at(error, RULE_LIMIT_GRAPH_DEPTH, offset);
    }
    for (uint32_t call = scope_of(r, caller)->call; call != IMAGE_NONE;
         call = scope_of(r, scope_of(r, call)->caller)->call) {
        if (scope_of(r, call)->function == function) {
            return error_at(error, RULE_ONNX_RECURSION, offset);
        }
    }
    return WLK_OK;
}

static wlk_status count_call(reader *r, uint32_t function, uint64_t offset, wlk_error *error) {
    onnx_function *called = (onnx_function *)r->functions.items + function;
    if (r->calls >= r->limits->nodes) return error_at(error, RULE_LIMIT_NODES, offset);
    r->calls++;
    called->calls++;
    if (called->calls > 1) return onnx_function_charge(r, &called->message, error);
    return onnx_opsets_join(r, called->message, error);
}

/* ---- arguments */

/* A formal name and the name that the caller gives in its place, which may be empty. */
typedef struct argument_walk {
    cursor formals, actuals;
    uint32_t formal_list, actual_list;
    cursor formal, actual;
} argument_walk;

static bool next_argument(argument_walk *walk) {
    proto_field formal, actual;
    if (!onnx_proto_each_of(&walk->formals, walk->formal_list, &formal)) return false;
    walk->formal = formal.bytes;
    walk->actual = cursor_over(NULL, 0, formal.offset);
    if (onnx_proto_each_of(&walk->actuals, walk->actual_list, &actual)) walk->actual = actual.bytes;
    return true;
}

/* Behind the last formal name there must be no actual one. */
static wlk_status no_more(argument_walk *walk, wlk_error *error) {
    proto_field actual;
    if (!onnx_proto_each_of(&walk->actuals, walk->actual_list, &actual)) return WLK_OK;
    return error_at(error, RULE_ONNX_ARGUMENTS, actual.offset);
}

static wlk_status bind_input(reader *r, uint32_t scope, uint32_t caller, const argument_walk *walk,
                             wlk_error *error) {
    definition made = {DEFINITION_MADE, IMAGE_NONE, 0, IMAGE_NONE, IMAGE_NONE, IMAGE_NONE};
    uint32_t name;
    if (walk->formal.size == 0) return error_at(error, RULE_ONNX_NAME_EMPTY, walk->formal.base);
    TRY(onnx_node_edge(r, walk->actual, caller, &made.edge, error));
    TRY(onnx_names_intern(r, walk->formal, &name, error));
    if (onnx_names_own(r, scope, name)) {
        return error_at(error, RULE_ONNX_NAME_TWICE, walk->formal.base);
    }
    return onnx_names_define(r, scope, name, &made, walk->formal.base, error);
}

/* What the function makes under its own name is to have the caller's. */
static wlk_status bind_output(reader *r, uint32_t scope, uint32_t caller, const argument_walk *walk,
                              wlk_error *error) {
    definition wanted = {DEFINITION_WANTED, IMAGE_NONE, 0, IMAGE_NONE, caller, IMAGE_NONE};
    uint32_t name;
    if (walk->formal.size == 0) return error_at(error, RULE_ONNX_NAME_EMPTY, walk->formal.base);
    if (walk->actual.size == 0) return WLK_OK;
    TRY(onnx_names_intern(r, walk->actual, &wanted.name, error));
    TRY(onnx_names_intern(r, walk->formal, &name, error));
    definition *own = onnx_names_own(r, scope, name);
    if (!own) return onnx_names_define(r, scope, name, &wanted, walk->formal.base, error);
    if (own->kind != DEFINITION_DECLARED) return WLK_OK; /* copied when the call is left */
    wanted.type = own->type;
    *own = wanted;
    return WLK_OK;
}

static argument_walk inputs_of(cursor function, cursor node) {
    return (argument_walk){.formals = function,
                           .actuals = node,
                           .formal_list = FUNCTION_INPUT,
                           .actual_list = NODE_INPUT};
}

static argument_walk outputs_of(cursor function, cursor node) {
    return (argument_walk){.formals = function,
                           .actuals = node,
                           .formal_list = FUNCTION_OUTPUT,
                           .actual_list = NODE_OUTPUT};
}

static wlk_status bind_all(reader *r, uint32_t function, uint32_t scope, uint32_t caller,
                           cursor node, wlk_error *error) {
    const cursor message = message_of(r, function);
    argument_walk walk = inputs_of(message, node);
    while (next_argument(&walk)) TRY(bind_input(r, scope, caller, &walk, error));
    TRY(no_more(&walk, error));
    TRY(onnx_graph_declare(r, message, FUNCTION_VALUE_INFO, scope, error));
    walk = outputs_of(message, node);
    while (next_argument(&walk)) TRY(bind_output(r, scope, caller, &walk, error));
    return no_more(&walk, error);
}

wlk_status onnx_function_enter(reader *r, uint32_t function, cursor node, uint32_t caller,
                               uint32_t *scope, wlk_error *error) {
    TRY(check_nesting(r, function, caller, node.base, error));
    TRY(count_call(r, function, node.base, error));
    TRY(onnx_attributes_claim(r, node, error));
    *scope = r->scopes.count;
    const onnx_scope made = {.parent = IMAGE_NONE,
                             .graph = r->graph,
                             .call = *scope,
                             .function = function,
                             .caller = caller,
                             .node = node,
                             .calls = scope_of(r, caller)->calls + 1};
    TRY(onnx_add(&r->scopes, &made, sizeof made, error));
    return bind_all(r, function, *scope, caller, node, error);
}

/* ---- results */

/* An output that is one of the function's inputs, or that is listed twice, needs a node. */
static wlk_status copy_output(reader *r, uint32_t caller, uint32_t edge, cursor actual,
                              wlk_error *error) {
    uint32_t value;
    const cursor standard = cursor_over(NULL, 0, actual.base);
    if (edge == IMAGE_NONE) return error_at(error, RULE_ONNX_UNDEFINED, actual.base);
    TRY(onnx_opsets_need(r, standard, actual.base, error));
    const uint32_t op = image_name(r->builder, "Identity", 8, actual.base);
    (void)image_node(r->builder, op, 0, 0, actual.base);
    (void)image_node_input(r->builder, edge);
    TRY(onnx_built(r, error));
    TRY(onnx_graph_make_value(r, caller, actual, &value, error));
    (void)image_node_output(r->builder, value);
    r->position++;
    return onnx_built(r, error);
}

static wlk_status leave_output(reader *r, uint32_t scope, uint32_t caller,
                               const argument_walk *walk, wlk_error *error) {
    uint32_t formal, actual;
    if (walk->actual.size == 0) return WLK_OK;
    TRY(onnx_names_intern(r, walk->actual, &actual, error));
    TRY(onnx_names_intern(r, walk->formal, &formal, error));
    const definition *own = onnx_names_own(r, scope, formal);
    if (!own || own->kind != DEFINITION_MADE) {
        return error_at(error, RULE_ONNX_UNDEFINED, walk->formal.base);
    }
    if (own->scope == caller && own->name == actual) return WLK_OK;
    return copy_output(r, caller, own->edge, walk->actual, error);
}

wlk_status onnx_function_leave(reader *r, uint32_t scope, wlk_error *error) {
    const onnx_scope left = *scope_of(r, scope);
    argument_walk walk = outputs_of(message_of(r, left.function), left.node);
    while (next_argument(&walk)) TRY(leave_output(r, scope, left.caller, &walk, error));
    return WLK_OK;
}

/* ---- attributes */

static bool same_text(cursor a, cursor b) {
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* The attribute of that name in a list of a node or a function. */
static wlk_status find_attribute(reader *r, cursor message, uint32_t list, cursor name,
                                 cursor *attribute, bool *found, wlk_error *error) {
    proto_field field;
    *found = false;
    while (!*found && onnx_proto_each_of(&message, list, &field)) {
        const cursor own = onnx_proto_bytes_of(field.bytes, ATTRIBUTE_NAME);
        const uint64_t passed = own.size > 0 ? own.base - field.offset : field.bytes.size;
        TRY(charge(r, STEP + passed, field.offset, error));
        *attribute = field.bytes;
        *found = same_text(own, name);
    }
    return WLK_OK;
}

static wlk_status has_formal(reader *r, cursor message, cursor name, wlk_error *error) {
    proto_field field;
    while (onnx_proto_each_of(&message, FUNCTION_ATTRIBUTE, &field)) {
        TRY(charge(r, STEP, field.offset, error));
        if (same_text(field.bytes, name)) return WLK_OK;
    }
    return error_at(error, RULE_ONNX_REFERENCE, name.base);
}

/* What the function says of an attribute that its call does not give. */
static wlk_status default_of(reader *r, uint32_t call, cursor name, cursor *attribute, bool *found,
                             wlk_error *error) {
    const cursor message = message_of(r, scope_of(r, call)->function);
    TRY(find_attribute(r, message, FUNCTION_DEFAULT, name, attribute, found, error));
    if (!*found) return has_formal(r, message, name, error);
    if (onnx_proto_bytes_of(*attribute, ATTRIBUTE_REFERENCE).size == 0) return WLK_OK;
    return error_at(error, RULE_ONNX_REFERENCE, attribute->base);
}

wlk_status onnx_function_attribute(reader *r, cursor name, uint32_t *scope, cursor *attribute,
                                   bool *found, wlk_error *error) {
    uint32_t call = scope_of(r, *scope)->call;
    for (;;) {
        if (call == IMAGE_NONE) return error_at(error, RULE_ONNX_REFERENCE, name.base);
        const onnx_scope at = *scope_of(r, call);
        TRY(find_attribute(r, at.node, NODE_ATTRIBUTE, name, attribute, found, error));
        if (!*found) {
            *scope = call;
            return default_of(r, call, name, attribute, found, error);
        }
        *scope = at.caller;
        name = onnx_proto_bytes_of(*attribute, ATTRIBUTE_REFERENCE);
        if (name.size == 0) return WLK_OK;
        call = scope_of(r, at.caller)->call; /* the caller refers to its own call */
    }
}

/* Graphs and golden rows of a specification (spec_reader.h). */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "input/spec_reader.h"

/* ---- nodes */

typedef enum node_key {
    NODE_OP,
    NODE_DOMAIN,
    NODE_NAME,
    NODE_IN,
    NODE_OUT,
    NODE_ATTR,
    NODE_KEYS
} node_key;

static const spec_key node_keys[NODE_KEYS] = {
    [NODE_OP] = {"op", SPEC_STRING, true},      [NODE_DOMAIN] = {"domain", SPEC_STRING, false},
    [NODE_NAME] = {"name", SPEC_STRING, false}, [NODE_IN] = {"in", SPEC_ARRAY, true},
    [NODE_OUT] = {"out", SPEC_ARRAY, true},     [NODE_ATTR] = {"attr", SPEC_OBJECT, false},
};

static wlk_status add_node(spec_reader *r, const spec_path *at, const json_t *const *values,
                           wlk_error *error) {
    const spec_path in_at = spec_key_at(at, "in"), out_at = spec_key_at(at, "out");
    const char **inputs = NULL, **outputs = NULL;
    node_spec node = {.op = spec_text(values[NODE_OP]),
                      .domain = spec_text(values[NODE_DOMAIN]),
                      .name = spec_text(values[NODE_NAME])};
    wlk_status status = spec_texts(&in_at, values[NODE_IN], &inputs, &node.input_count, error);
    if (status == WLK_OK) {
        status = spec_texts(&out_at, values[NODE_OUT], &outputs, &node.output_count, error);
    }
    if (status == WLK_OK) {
        node.inputs = inputs;
        node.outputs = outputs;
        status = spec_locate(assembler_node(r->assembler, &node, error), at, error);
    }
    mem_free(inputs);
    mem_free(outputs);
    return status;
}

static wlk_status read_node(spec_reader *r, const spec_path *at, const json_t *object,
                            wlk_error *error) {
    static const spec_schema schema = SPEC_SCHEMA(node_keys);
    const json_t *values[NODE_KEYS];
    const char *name;
    json_t *value;
    TRY(spec_object(at, object, &schema, values, error));
    TRY(add_node(r, at, values, error));
    if (!values[NODE_ATTR]) return WLK_OK;
    const spec_path attr_at = spec_key_at(at, "attr");
    json_object_foreach((json_t *)(uintptr_t)values[NODE_ATTR], name, value) {
        const spec_path here = spec_key_at(&attr_at, name);
        TRY(spec_read_attribute(r, &here, name, value, error));
    }
    return WLK_OK;
}

/* ---- graphs */

static wlk_status read_port(spec_reader *r, const spec_path *at, const json_t *object,
                            bool is_output, wlk_error *error) {
    static const spec_key keys[] = {{"name", SPEC_STRING, true}, {"type", SPEC_OBJECT, false}};
    static const spec_schema schema = SPEC_SCHEMA(keys);
    const json_t *values[2];
    uint32_t type = IMAGE_NONE;
    TRY(spec_object(at, object, &schema, values, error));
    const spec_path type_at = spec_key_at(at, "type");
    if (values[1]) TRY(spec_read_type(r, &type_at, values[1], &type, error));
    const char *name = spec_text(values[0]);
    return spec_locate(is_output ? assembler_output(r->assembler, name, type, error)
                                 : assembler_input(r->assembler, name, type, error),
                       at, error);
}

static wlk_status read_ports(spec_reader *r, const spec_path *at, const json_t *array,
                             bool is_output, wlk_error *error) {
    for (size_t i = 0; i < json_array_size(array); i++) {
        const spec_path here = spec_index_at(at, i);
        TRY(read_port(r, &here, json_array_get(array, i), is_output, error));
    }
    return WLK_OK;
}

typedef enum graph_key {
    GRAPH_NAME,
    GRAPH_INPUTS,
    GRAPH_OUTPUTS,
    GRAPH_NODES,
    GRAPH_KEYS
} graph_key;

static const spec_key graph_keys[GRAPH_KEYS] = {
    [GRAPH_NAME] = {"name", SPEC_STRING, false},
    [GRAPH_INPUTS] = {"inputs", SPEC_ARRAY, true},
    [GRAPH_OUTPUTS] = {"outputs", SPEC_ARRAY, true},
    [GRAPH_NODES] = {"nodes", SPEC_ARRAY, true},
};

wlk_status spec_read_graph(spec_reader *r, const spec_path *at, const json_t *object,
                           wlk_error *error) {
    static const spec_schema schema = SPEC_SCHEMA(graph_keys);
    const json_t *values[GRAPH_KEYS];
    TRY(spec_object(at, object, &schema, values, error));
    const spec_path inputs_at = spec_key_at(at, "inputs"), outputs_at = spec_key_at(at, "outputs");
    const spec_path nodes_at = spec_key_at(at, "nodes");
    TRY(spec_locate(assembler_graph(r->assembler, spec_text(values[GRAPH_NAME]), error), at,
                    error));
    TRY(read_ports(r, &inputs_at, values[GRAPH_INPUTS], false, error));
    TRY(read_ports(r, &outputs_at, values[GRAPH_OUTPUTS], true, error));
    for (size_t i = 0; i < json_array_size(values[GRAPH_NODES]); i++) {
        const spec_path here = spec_index_at(&nodes_at, i);
        TRY(read_node(r, &here, json_array_get(values[GRAPH_NODES], i), error));
    }
    return WLK_OK;
}

wlk_status spec_read_graphs(spec_reader *r, const spec_path *at, const json_t *array,
                            wlk_error *error) {
    if (json_array_size(array) == 0) {
        return spec_refuse(at, RULE_SPEC_VALUE, error, "at least one graph, or no such key");
    }
    for (size_t i = 0; i < json_array_size(array); i++) {
        const spec_path here = spec_index_at(at, i);
        TRY(spec_read_graph(r, &here, json_array_get(array, i), error));
    }
    return WLK_OK;
}

/* ---- golden rows */

typedef enum rows_key { ROWS_INPUTS, ROWS_OUTPUTS, ROWS_RTOL, ROWS_ATOL, ROWS_KEYS } rows_key;

static const spec_key rows_keys[ROWS_KEYS] = {
    [ROWS_INPUTS] = {"inputs", SPEC_ARRAY, true},
    [ROWS_OUTPUTS] = {"outputs", SPEC_ARRAY, true},
    [ROWS_RTOL] = {"rtol", SPEC_NUMBER, true},
    [ROWS_ATOL] = {"atol", SPEC_NUMBER, true},
};

static bool is_npy_name(const char *name) {
    const size_t length = strlen(name);
    return length > 4 && strcmp(name + length - 4, ".npy") == 0;
}

/* The name of a tensor, or a .npy file, which becomes a tensor named after its
 * place: "selftest/0/inputs/1". */
static wlk_status find_rows(spec_reader *r, const spec_path *at, const char *text, uint32_t *tensor,
                            wlk_error *error) {
    char name[64];
    wlk_error unknown;
    const wlk_status status = assembler_find_tensor(r->assembler, text, tensor, &unknown);
    if (status == WLK_OK) return WLK_OK;
    if (!is_npy_name(text)) {
        if (error) *error = unknown;
        return spec_locate(status, at, error);
    }
    const spec_path *list = at->parent, *rows = list->parent;
    (void)snprintf(name, sizeof name, "selftest/%zu/%s/%zu", rows->index, list->key, at->index);
    return spec_add_file(r, at, name, text, tensor, error);
}

static wlk_status find_all_rows(spec_reader *r, const spec_path *at, const json_t *array,
                                uint32_t *tensors, wlk_error *error) {
    for (size_t i = 0; i < json_array_size(array); i++) {
        const spec_path here = spec_index_at(at, i);
        const json_t *text = json_array_get(array, i);
        TRY(spec_check_kind(&here, text, SPEC_STRING, error));
        TRY(find_rows(r, &here, json_string_value(text), &tensors[i], error));
    }
    return WLK_OK;
}

static wlk_status add_selftest(spec_reader *r, const spec_path *at, const json_t *const *values,
                               uint32_t *tensors, wlk_error *error) {
    const spec_path inputs_at = spec_key_at(at, "inputs"), outputs_at = spec_key_at(at, "outputs");
    const size_t inputs = json_array_size(values[ROWS_INPUTS]);
    const size_t outputs = json_array_size(values[ROWS_OUTPUTS]);
    TRY(find_all_rows(r, &inputs_at, values[ROWS_INPUTS], tensors, error));
    TRY(find_all_rows(r, &outputs_at, values[ROWS_OUTPUTS], tensors + inputs, error));
    return spec_locate(assembler_selftest(r->assembler, tensors, (uint32_t)inputs, tensors + inputs,
                                          (uint32_t)outputs, json_number_value(values[ROWS_RTOL]),
                                          json_number_value(values[ROWS_ATOL]), error),
                       at, error);
}

static wlk_status read_selftest(spec_reader *r, const spec_path *at, const json_t *object,
                                wlk_error *error) {
    static const spec_schema schema = SPEC_SCHEMA(rows_keys);
    const json_t *values[ROWS_KEYS];
    TRY(spec_object(at, object, &schema, values, error));
    const size_t count =
        json_array_size(values[ROWS_INPUTS]) + json_array_size(values[ROWS_OUTPUTS]);
    uint32_t *tensors = mem_zeroed(count + 1, sizeof *tensors);
    if (!tensors) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    const wlk_status status = add_selftest(r, at, values, tensors, error);
    mem_free(tensors);
    return status;
}

wlk_status spec_read_selftests(spec_reader *r, const spec_path *at, const json_t *array,
                               wlk_error *error) {
    for (size_t i = 0; i < json_array_size(array); i++) {
        const spec_path here = spec_index_at(at, i);
        TRY(read_selftest(r, &here, json_array_get(array, i), error));
    }
    return WLK_OK;
}

/* Graphs, operator sets and golden rows of the header (header.h). */
#include <stdlib.h>

#include "write/header.h"

/* The levels at which types begin: header, graphs, graph, then
 * inputs, input, type, or nodes, node, attr, value, type. */
#define PORT_TYPE_LEVEL 6u
#define ATTRIBUTE_TYPE_LEVEL 8u

static wlk_status too_deep(wlk_error *error) {
    return error_text(error, RULE_WRITE_DEPTH, WLK_NO_OFFSET, "a type");
}

/* ---- types */

static void pack_dim(const wlk_type *type, uint32_t i, packer *out) {
    if (type->dims[i] >= 0) {
        pack_uint(out, (uint64_t)type->dims[i]);
    } else if (type->symbols[i]) {
        pack_text(out, type->symbols[i]);
    } else {
        pack_nil(out);
    }
}

static void pack_tensor_type(const wlk_type *type, packer *out) {
    pack_text(out, "tensor");
    pack_map(out, type->has_shape ? 2 : 1);
    pack_text(out, "dtype");
    pack_text(out, wlk_dtype_name(type->dtype));
    if (!type->has_shape) return;
    pack_text(out, "shape");
    pack_array(out, type->rank);
    for (uint32_t i = 0; i < type->rank; i++) pack_dim(type, i, out);
}

/* `level` is that of the map which the type is. Recursion ends with the levels. */
static wlk_status pack_type(const wlk_model *model, uint32_t index, uint32_t level, packer *out,
                            wlk_error *error) {
    const wlk_type type = wlk_model_type(model, index);
    pack_map(out, 1);
    switch (type.kind) {
        case WLK_TYPE_TENSOR:
            if (level + 1 + type.has_shape > HEADER_MAX_DEPTH) return too_deep(error);
            pack_tensor_type(&type, out);
            return WLK_OK;
        case WLK_TYPE_SEQUENCE:
        case WLK_TYPE_OPTIONAL:
            if (level + 1 > HEADER_MAX_DEPTH) return too_deep(error);
            pack_text(out, type.kind == WLK_TYPE_SEQUENCE ? "sequence" : "optional");
            return pack_type(model, type.element, level + 1, out, error);
        case WLK_TYPE_MAP:
            if (level + 2 > HEADER_MAX_DEPTH) return too_deep(error);
            pack_text(out, "map");
            pack_map(out, 2);
            pack_text(out, "key");
            pack_text(out, wlk_dtype_name(type.key_dtype));
            pack_text(out, "value");
            return pack_type(model, type.element, level + 2, out, error);
    }
    return error_at(error, RULE_INTERNAL_DEFECT, WLK_NO_OFFSET);
}

/* ---- attributes */

/* The tag of a tagged value, NULL for those that msgpack's own types say. */
static const char *attribute_tag(wlk_attribute_type type) {
    switch (type) {
        case WLK_ATTR_TENSOR:
            return "tensor";
        case WLK_ATTR_GRAPH:
            return "graph";
        case WLK_ATTR_DTYPE:
            return "dtype";
        case WLK_ATTR_TYPE:
            return "type";
        case WLK_ATTR_INTS:
            return "ints";
        case WLK_ATTR_FLOATS:
            return "floats";
        case WLK_ATTR_STRINGS:
            return "strings";
        case WLK_ATTR_TENSORS:
            return "tensors";
        case WLK_ATTR_GRAPHS:
            return "graphs";
        case WLK_ATTR_INT:
        case WLK_ATTR_FLOAT:
        case WLK_ATTR_STRING:
        case WLK_ATTR_TYPE_COUNT:
            break;
    }
    return NULL;
}

static wlk_status pack_attribute_value(const header_source *source, const wlk_attribute *a,
                                       uint32_t i, packer *out, wlk_error *error) {
    const wlk_model *model = source->model;
    const int64_t number = wlk_model_attribute_int(model, a, i);
    switch (a->type) {
        case WLK_ATTR_INT:
        case WLK_ATTR_INTS:
        case WLK_ATTR_GRAPH:
        case WLK_ATTR_GRAPHS:
            pack_int(out, number);
            return WLK_OK;
        case WLK_ATTR_FLOAT:
        case WLK_ATTR_FLOATS:
            pack_float(out, wlk_model_attribute_float(model, a, i));
            return WLK_OK;
        case WLK_ATTR_STRING:
        case WLK_ATTR_STRINGS:
            pack_text(out, wlk_model_attribute_string(model, a, i));
            return WLK_OK;
        case WLK_ATTR_TENSOR:
        case WLK_ATTR_TENSORS:
            header_tensor_name(source, (uint32_t)number, out);
            return WLK_OK;
        case WLK_ATTR_DTYPE:
            pack_text(out, wlk_dtype_name((wlk_dtype)number));
            return WLK_OK;
        case WLK_ATTR_TYPE:
            return pack_type(model, (uint32_t)number, ATTRIBUTE_TYPE_LEVEL, out, error);
        case WLK_ATTR_TYPE_COUNT:
            break;
    }
    return error_at(error, RULE_INTERNAL_DEFECT, WLK_NO_OFFSET);
}

static wlk_status pack_attribute(const header_source *source, uint32_t index, packer *out,
                                 wlk_error *error) {
    const wlk_attribute a = wlk_model_attribute(source->model, index);
    const char *tag = attribute_tag(a.type);
    pack_text(out, a.name);
    if (tag) {
        pack_map(out, 1);
        pack_text(out, tag);
    }
    if (a.type >= WLK_ATTR_INTS) pack_array(out, a.count);
    for (uint32_t i = 0; i < a.count; i++) {
        TRY(pack_attribute_value(source, &a, i, out, error));
    }
    return WLK_OK;
}

/* ---- nodes */

static void pack_ref(const header_source *source, wlk_ref ref, packer *out) {
    if (ref.kind == WLK_REF_TENSOR) {
        header_tensor_name(source, ref.index, out);
    } else if (ref.kind == WLK_REF_VALUE) {
        pack_text(out, wlk_model_value(source->model, ref.index).name);
    } else {
        pack_text(out, "");
    }
}

static wlk_status pack_attributes(const header_source *source, const wlk_node *node, packer *out,
                                  wlk_error *error) {
    if (node->attributes == 0) return WLK_OK;
    pack_text(out, "attr");
    pack_map(out, node->attributes);
    for (uint32_t i = 0; i < node->attributes; i++) {
        TRY(pack_attribute(source, node->first_attribute + i, out, error));
    }
    return WLK_OK;
}

static void pack_optional(const char *key, const char *text, packer *out) {
    if (text[0] == '\0') return;
    pack_text(out, key);
    pack_text(out, text);
}

static wlk_status pack_node(const header_source *source, uint32_t index, packer *out,
                            wlk_error *error) {
    const wlk_node node = wlk_model_node(source->model, index);
    pack_map(out, 3u + (node.attributes > 0) + (node.domain[0] != '\0') + (node.name[0] != '\0'));
    TRY(pack_attributes(source, &node, out, error));
    pack_optional("domain", node.domain, out);
    pack_text(out, "in");
    pack_array(out, node.inputs);
    for (uint32_t i = 0; i < node.inputs; i++) {
        pack_ref(source, wlk_model_node_input(source->model, index, i), out);
    }
    pack_optional("name", node.name, out);
    pack_text(out, "op");
    pack_text(out, node.op);
    pack_text(out, "out");
    pack_array(out, node.outputs);
    for (uint32_t i = 0; i < node.outputs; i++) {
        pack_ref(source, wlk_model_node_output(source->model, index, i), out);
    }
    return WLK_OK;
}

/* ---- graphs */

/* {name, type?} with a value's or a tensor's name. */
static wlk_status pack_port(const header_source *source, wlk_ref ref, uint32_t type, packer *out,
                            wlk_error *error) {
    pack_map(out, type == WLK_NONE ? 1 : 2);
    pack_text(out, "name");
    pack_ref(source, ref, out);
    if (type == WLK_NONE) return WLK_OK;
    pack_text(out, "type");
    return pack_type(source->model, type, PORT_TYPE_LEVEL, out, error);
}

static wlk_status pack_inputs(const header_source *source, uint32_t graph, uint32_t count,
                              packer *out, wlk_error *error) {
    pack_text(out, "inputs");
    pack_array(out, count);
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t value = wlk_model_graph_input(source->model, graph, i);
        const wlk_ref ref = {WLK_REF_VALUE, value};
        TRY(pack_port(source, ref, wlk_model_value(source->model, value).type, out, error));
    }
    return WLK_OK;
}

/* The type of an output stands where its own graph gives it out for the first
 * time: there, and nowhere else, the format has a place for it. */
static uint32_t output_type(const header_source *source, uint32_t graph, wlk_ref ref) {
    if (ref.kind != WLK_REF_VALUE || source->defining_graph[ref.index] != graph) return WLK_NONE;
    source->defining_graph[ref.index] = WLK_NONE;
    return wlk_model_value(source->model, ref.index).type;
}

static wlk_status pack_outputs(const header_source *source, uint32_t graph, uint32_t count,
                               packer *out, wlk_error *error) {
    pack_text(out, "outputs");
    pack_array(out, count);
    for (uint32_t i = 0; i < count; i++) {
        const wlk_ref ref = wlk_model_graph_output(source->model, graph, i);
        TRY(pack_port(source, ref, output_type(source, graph, ref), out, error));
    }
    return WLK_OK;
}

static wlk_status pack_graph(const header_source *source, uint32_t index, packer *out,
                             wlk_error *error) {
    const wlk_graph graph = wlk_model_graph(source->model, index);
    pack_map(out, graph.name[0] != '\0' ? 4 : 3);
    TRY(pack_inputs(source, index, graph.inputs, out, error));
    pack_optional("name", graph.name, out);
    pack_text(out, "nodes");
    pack_array(out, graph.nodes);
    for (uint32_t i = 0; i < graph.nodes; i++) {
        TRY(pack_node(source, graph.first_node + i, out, error));
    }
    return pack_outputs(source, index, graph.outputs, out, error);
}

wlk_status header_graphs(const header_source *source, packer *out, wlk_error *error) {
    const uint32_t count = wlk_model_count(source->model, WLK_SECTION_GRAPHS);
    pack_array(out, count);
    for (uint32_t i = 0; i < count; i++) TRY(pack_graph(source, i, out, error));
    return WLK_OK;
}

/* ---- operator sets, golden rows */

void header_opset(const header_source *source, packer *out) {
    const uint32_t count = wlk_model_count(source->model, WLK_SECTION_OPSETS);
    pack_map(out, count);
    for (uint32_t i = 0; i < count; i++) {
        const wlk_opset opset = wlk_model_opset(source->model, i);
        pack_text(out, opset.domain);
        pack_uint(out, opset.version);
    }
}

static void pack_selftest(const header_source *source, uint32_t index, packer *out) {
    const wlk_model *model = source->model;
    const wlk_selftest rows = wlk_model_selftest(model, index);
    pack_map(out, 4);
    pack_text(out, "atol");
    pack_float(out, rows.atol);
    pack_text(out, "inputs");
    pack_array(out, rows.inputs);
    for (uint32_t i = 0; i < rows.inputs; i++) {
        header_tensor_name(source, wlk_model_selftest_input(model, index, i), out);
    }
    pack_text(out, "outputs");
    pack_array(out, rows.outputs);
    for (uint32_t i = 0; i < rows.outputs; i++) {
        header_tensor_name(source, wlk_model_selftest_output(model, index, i), out);
    }
    pack_text(out, "rtol");
    pack_float(out, rows.rtol);
}

/* Golden rows that are added: their tensors follow those of the model. */
static void pack_golden(const header_source *source, const wlk_golden *golden, packer *out) {
    const uint32_t first = wlk_model_count(source->model, WLK_SECTION_TENSORS);
    pack_map(out, 4);
    pack_text(out, "atol");
    pack_float(out, golden->atol);
    pack_text(out, "inputs");
    pack_array(out, golden->input_count);
    for (uint32_t i = 0; i < golden->input_count; i++) header_tensor_name(source, first + i, out);
    pack_text(out, "outputs");
    pack_array(out, golden->output_count);
    for (uint32_t i = 0; i < golden->output_count; i++) {
        header_tensor_name(source, first + golden->input_count + i, out);
    }
    pack_text(out, "rtol");
    pack_float(out, golden->rtol);
}

void header_selftest(const header_source *source, packer *out) {
    const wlk_golden *golden = source->tensors->golden;
    const uint32_t count = wlk_model_count(source->model, WLK_SECTION_SELFTESTS);
    pack_array(out, golden ? count + 1 : count);
    for (uint32_t i = 0; i < count; i++) pack_selftest(source, i, out);
    if (golden) pack_golden(source, golden, out);
}

/* Graphs and nodes as ONNX has them (onnx_source.h). A subgraph's number is larger than that
 * of the graph whose attribute holds it: from the last graph to the first, each is complete
 * when it is needed, and nothing recurs. */
#include <string.h>

#include "write/onnx_source.h"

/* ---- names */

const char *onnx_ref_name(const onnx_source *s, wlk_ref ref) {
    if (ref.kind == WLK_REF_VALUE) return wlk_model_value(s->model, ref.index).name;
    if (ref.kind == WLK_REF_TENSOR) return wlk_model_tensor(s->model, ref.index).name;
    return "";
}

const char *onnx_input_name(const onnx_source *s, uint32_t node, uint32_t i) {
    return onnx_ref_name(s, wlk_model_node_input(s->model, node, i));
}

const char *onnx_output_name(const onnx_source *s, uint32_t node, uint32_t i) {
    return onnx_ref_name(s, wlk_model_node_output(s->model, node, i));
}

/* ---- nodes */

void onnx_put_node(onnx_out *graph, const char *domain, const char *op, const char *const *inputs,
                   const char *const *outputs, onnx_out *attributes) {
    onnx_out node = {0};
    for (; *inputs; inputs++) onnx_put_text(&node, NODE_INPUT, *inputs);
    for (; *outputs; outputs++) onnx_put_text(&node, NODE_OUTPUT, *outputs);
    onnx_put_text(&node, NODE_OP, op);
    if (domain[0] != '\0') onnx_put_text(&node, NODE_DOMAIN, domain);
    if (attributes) onnx_put_fields(&node, attributes);
    onnx_put_message(graph, GRAPH_NODE, &node);
}

static wlk_status put_own_node(onnx_source *s, uint32_t index, const wlk_node *node,
                               onnx_out *graph) {
    onnx_out out = {0};
    for (uint32_t i = 0; i < node->inputs; i++) {
        onnx_put_text(&out, NODE_INPUT, onnx_input_name(s, index, i));
    }
    for (uint32_t i = 0; i < node->outputs; i++) {
        onnx_put_text(&out, NODE_OUTPUT, onnx_output_name(s, index, i));
    }
    if (node->name[0] != '\0') onnx_put_text(&out, NODE_NAME, node->name);
    onnx_put_text(&out, NODE_OP, node->op);
    if (!onnx_is_main(node->domain)) onnx_put_text(&out, NODE_DOMAIN, node->domain);
    const wlk_status status = onnx_put_attributes(s, node, &out);
    onnx_put_message(graph, GRAPH_NODE, &out);
    return status;
}

/* The types of what lies within the graph. */
static wlk_status put_value_infos(onnx_source *s, uint32_t index, const wlk_node *node,
                                  onnx_out *graph) {
    for (uint32_t i = 0; i < node->outputs; i++) {
        const wlk_ref ref = wlk_model_node_output(s->model, index, i);
        if (ref.kind != WLK_REF_VALUE || s->ports[ref.index]) continue;
        const wlk_value value = wlk_model_value(s->model, ref.index);
        if (value.type == WLK_NONE) continue;
        TRY(onnx_put_value(s, value.name, value.type, GRAPH_VALUE_INFO, graph));
    }
    return WLK_OK;
}

static wlk_status put_nodes(onnx_source *s, const wlk_graph *g, onnx_out *graph) {
    for (uint32_t i = g->first_node; i < g->first_node + g->nodes; i++) {
        const wlk_node node = wlk_model_node(s->model, i);
        if (strcmp(node.domain, "org.weighlock") == 0) {
            TRY(onnx_expand(s, i, graph));
        } else {
            TRY(put_own_node(s, i, &node, graph));
        }
        TRY(put_value_infos(s, i, &node, graph));
    }
    return WLK_OK;
}

/* ---- inputs, outputs, declared types */

static wlk_status put_inputs(onnx_source *s, const wlk_graph *g, onnx_out *graph) {
    for (uint32_t i = 0; i < g->inputs; i++) {
        const wlk_value value =
            wlk_model_value(s->model, wlk_model_graph_input(s->model, s->graph, i));
        TRY(onnx_put_value(s, value.name, value.type, GRAPH_INPUT, graph));
    }
    return WLK_OK;
}

/* A subgraph gives what it takes or makes itself: all else passes through an Identity. */
static bool is_own(const onnx_source *s, wlk_ref ref) {
    if (s->graph == 0) return true;
    return ref.kind == WLK_REF_VALUE && s->makers[ref.index] == s->graph;
}

/* A constant that the main graph gives has its tensor's type. */
static wlk_status put_constant_output(onnx_source *s, uint32_t tensor, onnx_out *graph) {
    const wlk_tensor t = wlk_model_tensor(s->model, tensor);
    onnx_out value = {0}, type = {0}, inner = {0}, shape = {0};
    for (uint32_t i = 0; i < t.rank; i++) {
        onnx_out dimension = {0};
        onnx_put_int(&dimension, DIMENSION_VALUE, (int64_t)t.shape[i]);
        onnx_put_message(&shape, SHAPE_DIMENSION, &dimension);
    }
    onnx_put_int(&inner, TYPE_ELEMENT, onnx_dtype_number(t.dtype));
    onnx_put_message(&inner, TYPE_SHAPE, &shape);
    onnx_put_message(&type, TYPE_TENSOR, &inner);
    onnx_put_text(&value, VALUE_NAME, t.name);
    onnx_put_message(&value, VALUE_TYPE, &type);
    onnx_put_message(graph, GRAPH_OUTPUT, &value);
    return WLK_OK;
}

static wlk_status put_output(onnx_source *s, uint32_t i, onnx_out *graph) {
    const wlk_ref ref = wlk_model_graph_output(s->model, s->graph, i);
    const uint32_t type =
        ref.kind == WLK_REF_VALUE ? wlk_model_value(s->model, ref.index).type : WLK_NONE;
    const char *name = onnx_ref_name(s, ref);
    char made[ONNX_NAME_BYTES];
    if (!is_own(s, ref)) {
        onnx_make_name(s, made);
        onnx_put_node(graph, "", "Identity", (const char *const[]){name, NULL},
                      (const char *const[]){made, NULL}, NULL);
        return onnx_put_value(s, made, type, GRAPH_OUTPUT, graph);
    }
    if (ref.kind == WLK_REF_TENSOR) return put_constant_output(s, ref.index, graph);
    return onnx_put_value(s, name, type, GRAPH_OUTPUT, graph);
}

static wlk_status put_outputs(onnx_source *s, const wlk_graph *g, onnx_out *graph) {
    for (uint32_t i = 0; i < g->outputs; i++) TRY(put_output(s, i, graph));
    return WLK_OK;
}

/* ---- constants: all lie in the main graph, which the others see */

static wlk_status put_constants(onnx_source *s, onnx_out *graph) {
    for (uint32_t i = 0; i < wlk_model_count(s->model, WLK_SECTION_TENSORS); i++) {
        const wlk_tensor tensor = wlk_model_tensor(s->model, i);
        const bool is_used_elsewhere = s->uses[i] == ONNX_USE_ELSEWHERE;
        if (is_used_elsewhere || tensor.name[0] == '\0') continue;
        TRY(onnx_put_tensor(s, &tensor, GRAPH_INITIALIZER, graph));
    }
    return WLK_OK;
}

/* ---- graphs */

static void put_name(const onnx_source *s, const wlk_graph *g, onnx_out *graph) {
    const uint32_t meta = wlk_model_find_meta(s->model, "/name");
    const char *name = g->name[0] != '\0' ? g->name : "graph";
    if (s->graph == 0 && meta != WLK_NONE) name = wlk_model_meta(s->model, meta).s;
    onnx_put_text(graph, GRAPH_NAME, name);
}

static wlk_status write_graph(onnx_source *s, onnx_out *graph) {
    const wlk_graph g = wlk_model_graph(s->model, s->graph);
    put_name(s, &g, graph);
    TRY(put_nodes(s, &g, graph));
    TRY(put_inputs(s, &g, graph));
    TRY(put_outputs(s, &g, graph));
    return s->graph == 0 ? put_constants(s, graph) : WLK_OK;
}

wlk_status onnx_write_graphs(onnx_source *s) {
    for (uint32_t i = s->graph_count; i-- > 0;) {
        s->graph = i;
        TRY(write_graph(s, &s->graphs[i]));
    }
    return WLK_OK;
}

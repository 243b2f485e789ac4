#include "base/dtype.h"
#include "image/checks.h"
#include "image/validate_internal.h"

/* Lists tile their section: this one begins where the last one ended. */
static wlk_status take(const validation *v, uint64_t *taken, wlk_section list, uint64_t first,
                       uint64_t count, wlk_section section, uint32_t index) {
    if (first != *taken || count > v->counts[list] - *taken) {
        return validation_fail(v, RULE_IMAGE_TILE, section, index);
    }
    *taken += count;
    return WLK_OK;
}

static wlk_status define(validation *v, uint64_t value, value_definition definition,
                         wlk_section section, uint32_t index) {
    if (value >= v->counts[WLK_SECTION_VALUES]) {
        return validation_fail(v, RULE_IMAGE_REFERENCE, section, index);
    }
    if (v->definitions[value].graph != IMAGE_NONE) {
        return validation_fail(v, RULE_IMAGE_VALUE, section, index);
    }
    v->definitions[value] = definition;
    return WLK_OK;
}

wlk_status validate_values(validation *v) {
    for (uint32_t i = 0; i < v->counts[WLK_SECTION_VALUES]; i++) {
        const value_record *value = &v->view.values[i];
        if (i >= EDGE_TENSOR) return error_at(v->error, RULE_LIMIT_VALUES, WLK_NO_OFFSET);
        TRY(validation_claim(v, value->name, i, WLK_SECTION_VALUES, i));
        if (value->type != IMAGE_NONE && value->type >= v->counts[WLK_SECTION_TYPES]) {
            return validation_fail(v, RULE_IMAGE_REFERENCE, WLK_SECTION_VALUES, i);
        }
    }
    return WLK_OK;
}

/* ---- graphs: names, and the ranges of their lists */

static wlk_status check_graph_inputs(validation *v, uint32_t index) {
    const graph_record *graph = &v->view.graphs[index];
    for (uint32_t i = 0; i < graph->inputs; i++) {
        const uint64_t value = v->view.numbers[graph->input_first + i];
        TRY(define(v, value, (value_definition){index, IMAGE_NONE}, WLK_SECTION_GRAPHS, index));
        if (index == 0 && v->view.values[value].type == IMAGE_NONE) {
            return validation_fail(v, RULE_IMAGE_INPUT, WLK_SECTION_GRAPHS, index);
        }
    }
    return WLK_OK;
}

wlk_status validate_graphs(validation *v) {
    uint64_t nodes_taken = 0;
    for (uint32_t i = 0; i < v->counts[WLK_SECTION_GRAPHS]; i++) {
        const graph_record *graph = &v->view.graphs[i];
        if (graph->zero != 0) return validation_fail(v, RULE_IMAGE_PADDING, WLK_SECTION_GRAPHS, i);
        TRY(validation_name(v, graph->name, WLK_SECTION_GRAPHS, i));
        TRY(take(v, &v->numbers_taken, WLK_SECTION_NUMBERS, graph->input_first, graph->inputs,
                 WLK_SECTION_GRAPHS, i));
        TRY(take(v, &v->edges_taken, WLK_SECTION_EDGES, graph->output_first, graph->outputs,
                 WLK_SECTION_GRAPHS, i));
        TRY(take(v, &nodes_taken, WLK_SECTION_NODES, graph->node_first, graph->nodes,
                 WLK_SECTION_GRAPHS, i));
        TRY(check_graph_inputs(v, i));
    }
    if (nodes_taken == v->counts[WLK_SECTION_NODES]) return WLK_OK;
    return validation_fail(v, RULE_IMAGE_TILE, WLK_SECTION_NODES, nodes_taken);
}

/* ---- attributes */

typedef struct attribute_at {
    uint32_t attribute;
    uint32_t node;
} attribute_at;

static wlk_status hold_graph(validation *v, uint64_t graph, const attribute_at *at) {
    if (graph >= v->counts[WLK_SECTION_GRAPHS]) {
        return validation_fail(v, RULE_IMAGE_REFERENCE, WLK_SECTION_ATTRIBUTES, at->attribute);
    }
    if (graph <= v->view.nodes[at->node].graph || v->holders[graph] != IMAGE_NONE) {
        return validation_fail(v, RULE_IMAGE_SUBGRAPH, WLK_SECTION_ATTRIBUTES, at->attribute);
    }
    v->holders[graph] = at->node;
    return WLK_OK;
}

static wlk_status hold_tensor(validation *v, uint64_t tensor, const attribute_at *at) {
    if (tensor >= v->counts[WLK_SECTION_TENSORS]) {
        return validation_fail(v, RULE_IMAGE_REFERENCE, WLK_SECTION_ATTRIBUTES, at->attribute);
    }
    v->tensor_held[tensor] = 1;
    return WLK_OK;
}

static wlk_status check_attribute_value(validation *v, wlk_attribute_type type, uint64_t value,
                                        const attribute_at *at) {
    switch (type) {
        case WLK_ATTR_STRING:
        case WLK_ATTR_STRINGS:
            return validation_text(v, value, WLK_SECTION_ATTRIBUTES, at->attribute);
        case WLK_ATTR_TENSOR:
        case WLK_ATTR_TENSORS:
            return hold_tensor(v, value, at);
        case WLK_ATTR_GRAPH:
        case WLK_ATTR_GRAPHS:
            return hold_graph(v, value, at);
        case WLK_ATTR_DTYPE:
            if (value <= UINT32_MAX && dtype_known((uint32_t)value)) return WLK_OK;
            break;
        case WLK_ATTR_TYPE:
            if (value < v->counts[WLK_SECTION_TYPES]) return WLK_OK;
            break;
        case WLK_ATTR_INT:
        case WLK_ATTR_INTS:
        case WLK_ATTR_FLOAT:
        case WLK_ATTR_FLOATS:
            return WLK_OK;
        case WLK_ATTR_TYPE_COUNT:
            break;
    }
    return validation_fail(v, RULE_IMAGE_ATTRIBUTE, WLK_SECTION_ATTRIBUTES, at->attribute);
}

static bool attribute_form_valid(const attribute_record *attribute) {
    if (attribute->type < WLK_ATTR_INT || attribute->type >= WLK_ATTR_TYPE_COUNT) return false;
    return attribute->type >= WLK_ATTR_INTS || attribute->count == 1;
}

static wlk_status check_attribute(validation *v, uint32_t index, uint32_t node) {
    const attribute_record *attribute = &v->view.attributes[index];
    const attribute_at at = {index, node};
    TRY(validation_name(v, attribute->name, WLK_SECTION_ATTRIBUTES, index));
    if (attribute->name == 0) {
        return validation_fail(v, RULE_IMAGE_NAME, WLK_SECTION_ATTRIBUTES, index);
    }
    if (!attribute_form_valid(attribute)) {
        return validation_fail(v, RULE_IMAGE_ATTRIBUTE, WLK_SECTION_ATTRIBUTES, index);
    }
    TRY(take(v, &v->numbers_taken, WLK_SECTION_NUMBERS, attribute->first, attribute->count,
             WLK_SECTION_ATTRIBUTES, index));
    v->attribute_values += attribute->count;
    if (v->attribute_values > v->limits->attribute_values) {
        return validation_fail(v, RULE_LIMIT_ATTRIBUTE_VALUES, WLK_SECTION_ATTRIBUTES, index);
    }
    for (uint32_t i = 0; i < attribute->count; i++) {
        const uint64_t value = v->view.numbers[(uint64_t)attribute->first + i];
        TRY(check_attribute_value(v, (wlk_attribute_type)attribute->type, value, &at));
    }
    return WLK_OK;
}

/* Strictly ascending by name, so that a look-up can halve and none is hidden. */
static wlk_status check_attributes(validation *v, uint32_t node) {
    const node_record *record = &v->view.nodes[node];
    for (uint32_t i = 0; i < record->attributes; i++) {
        const uint32_t index = record->attribute_first + i;
        TRY(check_attribute(v, index, node));
        if (i > 0 && v->view.attributes[index].name <= v->view.attributes[index - 1].name) {
            return validation_fail(v, RULE_IMAGE_ATTRIBUTE, WLK_SECTION_ATTRIBUTES, index);
        }
    }
    return WLK_OK;
}

/* ---- nodes */

static wlk_status check_node_names(validation *v, uint32_t index) {
    const node_record *node = &v->view.nodes[index];
    TRY(validation_name(v, node->op, WLK_SECTION_NODES, index));
    TRY(validation_name(v, node->domain, WLK_SECTION_NODES, index));
    TRY(validation_name(v, node->name, WLK_SECTION_NODES, index));
    if (node->op != 0) return WLK_OK;
    return validation_fail(v, RULE_IMAGE_NAME, WLK_SECTION_NODES, index);
}

static wlk_status check_node_outputs(validation *v, uint32_t index) {
    const node_record *node = &v->view.nodes[index];
    for (uint32_t i = 0; i < node->outputs; i++) {
        const uint32_t edge = v->view.edges[(uint64_t)node->edge_first + node->inputs + i];
        if (edge == IMAGE_NONE) continue;
        TRY(define(v, edge, (value_definition){node->graph, index}, WLK_SECTION_NODES, index));
    }
    return WLK_OK;
}

static wlk_status check_node(validation *v, uint32_t index, uint32_t graph,
                             uint64_t *attributes_taken) {
    const node_record *node = &v->view.nodes[index];
    if (node->zero != 0) return validation_fail(v, RULE_IMAGE_PADDING, WLK_SECTION_NODES, index);
    if (node->graph != graph) return validation_fail(v, RULE_IMAGE_TILE, WLK_SECTION_NODES, index);
    TRY(check_node_names(v, index));
    if (node->inputs > v->limits->node_edges || node->outputs > v->limits->node_edges) {
        return validation_fail(v, RULE_LIMIT_NODE_EDGES, WLK_SECTION_NODES, index);
    }
    TRY(take(v, &v->edges_taken, WLK_SECTION_EDGES, node->edge_first,
             (uint64_t)node->inputs + node->outputs, WLK_SECTION_NODES, index));
    TRY(take(v, attributes_taken, WLK_SECTION_ATTRIBUTES, node->attribute_first, node->attributes,
             WLK_SECTION_NODES, index));
    TRY(check_node_outputs(v, index));
    return check_attributes(v, index);
}

wlk_status validate_nodes(validation *v) {
    uint64_t attributes_taken = 0;
    for (uint32_t graph = 0; graph < v->counts[WLK_SECTION_GRAPHS]; graph++) {
        const graph_record *record = &v->view.graphs[graph];
        for (uint32_t i = 0; i < record->nodes; i++) {
            TRY(check_node(v, record->node_first + i, graph, &attributes_taken));
        }
    }
    if (v->edges_taken != v->counts[WLK_SECTION_EDGES]) {
        return validation_fail(v, RULE_IMAGE_TILE, WLK_SECTION_EDGES, v->edges_taken);
    }
    if (attributes_taken != v->counts[WLK_SECTION_ATTRIBUTES]) {
        return validation_fail(v, RULE_IMAGE_TILE, WLK_SECTION_ATTRIBUTES, attributes_taken);
    }
    return WLK_OK;
}

/* ---- scopes */

/* Every graph but the main one has a holder in a graph before it: a tree. */
wlk_status validate_subgraphs(validation *v) {
    for (uint32_t i = 1; i < v->counts[WLK_SECTION_GRAPHS]; i++) {
        if (v->holders[i] == IMAGE_NONE) {
            return validation_fail(v, RULE_IMAGE_SUBGRAPH, WLK_SECTION_GRAPHS, i);
        }
        v->graph_depths[i] = v->graph_depths[v->view.nodes[v->holders[i]].graph] + 1;
        if (v->graph_depths[i] > v->limits->graph_depth) {
            return validation_fail(v, RULE_LIMIT_GRAPH_DEPTH, WLK_SECTION_GRAPHS, i);
        }
    }
    return WLK_OK;
}

/* Is a value visible to node `node` of `graph`? It must be an input or an
 * earlier node's output of this graph, or visible to the node that holds it. */
static bool is_visible(const validation *v, uint32_t value, uint32_t graph, uint64_t node) {
    const value_definition *definition = &v->definitions[value];
    while (definition->graph != graph) {
        if (v->holders[graph] == IMAGE_NONE) return false;
        node = v->holders[graph];
        graph = v->view.nodes[node].graph;
    }
    return definition->node == IMAGE_NONE || definition->node < node;
}

/* One edge as seen by node `node` of `graph`; the record is for the error. */
static wlk_status check_use(const validation *v, uint32_t edge, uint32_t graph, uint64_t node,
                            wlk_section section, uint64_t index) {
    if (edge & EDGE_TENSOR) {
        if ((edge & ~EDGE_TENSOR) < v->counts[WLK_SECTION_TENSORS]) return WLK_OK;
        return validation_fail(v, RULE_IMAGE_REFERENCE, section, index);
    }
    if (edge >= v->counts[WLK_SECTION_VALUES]) {
        return validation_fail(v, RULE_IMAGE_REFERENCE, section, index);
    }
    if (is_visible(v, edge, graph, node)) return WLK_OK;
    return validation_fail(v, RULE_IMAGE_SCOPE, section, index);
}

static wlk_status check_node_uses(const validation *v, uint32_t index) {
    const node_record *node = &v->view.nodes[index];
    for (uint32_t i = 0; i < node->inputs; i++) {
        const uint32_t edge = v->view.edges[(uint64_t)node->edge_first + i];
        if (edge == IMAGE_NONE) continue;
        TRY(check_use(v, edge, node->graph, index, WLK_SECTION_NODES, index));
    }
    return WLK_OK;
}

/* A graph's outputs are looked up behind its last node, and none is omitted. */
static wlk_status check_graph_outputs(const validation *v, uint32_t index) {
    const graph_record *graph = &v->view.graphs[index];
    const uint64_t end = (uint64_t)graph->node_first + graph->nodes;
    for (uint32_t i = 0; i < graph->outputs; i++) {
        const uint32_t edge = v->view.edges[(uint64_t)graph->output_first + i];
        TRY(check_use(v, edge, index, end, WLK_SECTION_GRAPHS, index));
    }
    return WLK_OK;
}

/* Every value is defined, every use is in scope, every nameless tensor is held
 * by an attribute. */
wlk_status validate_uses(validation *v) {
    for (uint32_t i = 0; i < v->counts[WLK_SECTION_VALUES]; i++) {
        if (v->definitions[i].graph == IMAGE_NONE) {
            return validation_fail(v, RULE_IMAGE_VALUE, WLK_SECTION_VALUES, i);
        }
    }
    for (uint32_t i = 0; i < v->counts[WLK_SECTION_NODES]; i++) TRY(check_node_uses(v, i));
    for (uint32_t i = 0; i < v->counts[WLK_SECTION_GRAPHS]; i++) TRY(check_graph_outputs(v, i));
    for (uint32_t i = 0; i < v->counts[WLK_SECTION_TENSORS]; i++) {
        if (v->view.tensors[i].name == 0 && !v->tensor_held[i]) {
            return validation_fail(v, RULE_IMAGE_NAME, WLK_SECTION_TENSORS, i);
        }
    }
    return WLK_OK;
}

/* ---- golden rows and operator sets */

/* Could this tensor be fed to that input? The rest of the shape is seen when the
 * rows are run. */
static bool fits_input(const validation *v, const tensor_record *tensor, uint32_t input) {
    const graph_record *graph = &v->view.graphs[0];
    const uint64_t value = v->view.numbers[(uint64_t)graph->input_first + input];
    const type_record *type = &v->view.types[v->view.values[value].type];
    if (type->kind != WLK_TYPE_TENSOR || type->dtype != tensor->dtype) return false;
    return !type->has_shape || type->rank == tensor->rank;
}

static wlk_status check_selftest_tensors(validation *v, uint32_t index) {
    const selftest_record *selftest = &v->view.selftests[index];
    const uint64_t count = (uint64_t)selftest->inputs + selftest->outputs;
    for (uint64_t i = 0; i < count; i++) {
        const uint64_t tensor = v->view.numbers[selftest->first + i];
        if (tensor >= v->counts[WLK_SECTION_TENSORS]) {
            return validation_fail(v, RULE_IMAGE_REFERENCE, WLK_SECTION_SELFTESTS, index);
        }
        if (i < selftest->inputs && !fits_input(v, &v->view.tensors[tensor], (uint32_t)i)) {
            return validation_fail(v, RULE_IMAGE_SELFTEST, WLK_SECTION_SELFTESTS, index);
        }
    }
    return WLK_OK;
}

static bool selftest_form_valid(const validation *v, const selftest_record *selftest) {
    return v->counts[WLK_SECTION_GRAPHS] > 0 && selftest->inputs == v->view.graphs[0].inputs &&
           selftest->outputs == v->view.graphs[0].outputs && tolerance_valid(selftest->rtol) &&
           tolerance_valid(selftest->atol);
}

wlk_status validate_selftests(validation *v) {
    for (uint32_t i = 0; i < v->counts[WLK_SECTION_SELFTESTS]; i++) {
        const selftest_record *selftest = &v->view.selftests[i];
        if (selftest->zero != 0) {
            return validation_fail(v, RULE_IMAGE_PADDING, WLK_SECTION_SELFTESTS, i);
        }
        if (!selftest_form_valid(v, selftest)) {
            return validation_fail(v, RULE_IMAGE_SELFTEST, WLK_SECTION_SELFTESTS, i);
        }
        TRY(take(v, &v->numbers_taken, WLK_SECTION_NUMBERS, selftest->first,
                 (uint64_t)selftest->inputs + selftest->outputs, WLK_SECTION_SELFTESTS, i));
        TRY(check_selftest_tensors(v, i));
    }
    if (v->numbers_taken == v->counts[WLK_SECTION_NUMBERS]) return WLK_OK;
    return validation_fail(v, RULE_IMAGE_TILE, WLK_SECTION_NUMBERS, v->numbers_taken);
}

wlk_status validate_opsets(validation *v) {
    for (uint32_t i = 0; i < v->counts[WLK_SECTION_OPSETS]; i++) {
        const opset_record *opset = &v->view.opsets[i];
        TRY(validation_name(v, opset->domain, WLK_SECTION_OPSETS, i));
        if (opset->version == 0 || (i > 0 && opset->domain <= opset[-1].domain)) {
            return validation_fail(v, RULE_IMAGE_OPSET, WLK_SECTION_OPSETS, i);
        }
        v->domain_covered[opset->domain] = 1;
    }
    for (uint32_t i = 0; i < v->counts[WLK_SECTION_NODES]; i++) {
        if (!v->domain_covered[v->view.nodes[i].domain]) {
            return validation_fail(v, RULE_IMAGE_OPSET, WLK_SECTION_NODES, i);
        }
    }
    return WLK_OK;
}

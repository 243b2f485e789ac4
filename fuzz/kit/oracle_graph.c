/* Graphs, nodes, attributes: that every reference leads to something, and every value
 * that is used was made before (invariants 5 and 11). */
#include <string.h>

#include "kit/kit.h"
#include "kit/oracle_parts.h"

/* Of larger models only the references are looked at, not the order: the tables are
 * here, so that the oracle needs no memory that could fail. */
#define MOST_VALUES (1u << 14)
#define MOST_GRAPHS (1u << 11)

typedef struct definition {
    uint32_t graph; /* WLK_NONE: not yet */
    uint32_t node;  /* WLK_NONE: an input */
} definition;

static struct {
    definition values[MOST_VALUES];
    uint32_t holders[MOST_GRAPHS]; /* the node whose attribute a subgraph is */
    uint32_t defined;
    bool small; /* the tables are used */
} seen;

static void seen_begin(const wlk_model *model) {
    const uint32_t values = wlk_model_count(model, WLK_SECTION_VALUES);
    const uint32_t graphs = wlk_model_count(model, WLK_SECTION_GRAPHS);
    seen.defined = 0;
    seen.small = values <= MOST_VALUES && graphs <= MOST_GRAPHS;
    if (!seen.small) return;
    memset(seen.values, 0xff, values * sizeof *seen.values);
    memset(seen.holders, 0xff, graphs * sizeof *seen.holders);
}

static void define(const wlk_model *model, uint32_t value, uint32_t graph, uint32_t node) {
    FUZZ_CHECK(5, value < wlk_model_count(model, WLK_SECTION_VALUES));
    seen.defined++;
    if (!seen.small) return;
    FUZZ_CHECK(5, seen.values[value].graph == WLK_NONE);
    seen.values[value] = (definition){graph, node};
}

/* Visible to node `node` of `graph`, or to the node that holds that graph? */
static bool is_visible(const wlk_model *model, uint32_t value, uint32_t graph, uint32_t node) {
    const definition made = seen.values[value];
    while (made.graph != graph) {
        if (graph == 0) return false;
        node = seen.holders[graph];
        graph = wlk_model_node(model, node).graph;
    }
    return made.node == WLK_NONE || made.node < node;
}

static void check_use(const wlk_model *model, wlk_ref ref, uint32_t graph, uint32_t node) {
    switch (ref.kind) {
        case WLK_REF_NONE:
            return;
        case WLK_REF_TENSOR:
            FUZZ_CHECK(5, ref.index < wlk_model_count(model, WLK_SECTION_TENSORS));
            return;
        case WLK_REF_VALUE:
            FUZZ_CHECK(5, ref.index < wlk_model_count(model, WLK_SECTION_VALUES));
            if (seen.small) FUZZ_CHECK(11, is_visible(model, ref.index, graph, node));
            return;
    }
    FUZZ_CHECK(5, ref.kind <= WLK_REF_TENSOR);
}

/* ---- attributes */

static void hold_graph(const wlk_model *model, uint64_t graph, uint32_t node) {
    FUZZ_CHECK(5, graph < wlk_model_count(model, WLK_SECTION_GRAPHS));
    FUZZ_CHECK(11, graph > wlk_model_node(model, node).graph);
    if (!seen.small) return;
    FUZZ_CHECK(11, seen.holders[graph] == WLK_NONE);
    seen.holders[graph] = node;
}

static void check_value(const wlk_model *model, const wlk_attribute *a, uint32_t i, uint32_t node) {
    const uint64_t number = (uint64_t)wlk_model_attribute_int(model, a, i);
    switch (a->type) {
        case WLK_ATTR_STRING:
        case WLK_ATTR_STRINGS:
            oracle_text(wlk_model_attribute_string(model, a, i));
            return;
        case WLK_ATTR_TENSOR:
        case WLK_ATTR_TENSORS:
            FUZZ_CHECK(5, number < wlk_model_count(model, WLK_SECTION_TENSORS));
            return;
        case WLK_ATTR_GRAPH:
        case WLK_ATTR_GRAPHS:
            hold_graph(model, number, node);
            return;
        case WLK_ATTR_DTYPE:
            FUZZ_CHECK(5, number > WLK_DTYPE_NONE && number < WLK_DTYPE_COUNT);
            return;
        case WLK_ATTR_TYPE:
            FUZZ_CHECK(5, number < wlk_model_count(model, WLK_SECTION_TYPES));
            return;
        case WLK_ATTR_INT:
        case WLK_ATTR_INTS:
        case WLK_ATTR_FLOAT:
        case WLK_ATTR_FLOATS:
            return;
        case WLK_ATTR_TYPE_COUNT:
            break;
    }
    FUZZ_CHECK(5, a->type < WLK_ATTR_TYPE_COUNT);
}

static void check_attributes(const wlk_model *model, uint32_t index, const wlk_node *node) {
    const char *before = "";
    for (uint32_t i = 0; i < node->attributes; i++) {
        const uint32_t at = node->first_attribute + i;
        const wlk_attribute a = wlk_model_attribute(model, at);
        oracle_text(a.name);
        FUZZ_CHECK(5, strcmp(before, a.name) < 0);
        FUZZ_CHECK(5, wlk_model_find_attribute(model, index, a.name) == at);
        FUZZ_CHECK(5, a.type >= WLK_ATTR_INTS || a.count == 1);
        FUZZ_CHECK(5, a.count <= wlk_model_count(model, WLK_SECTION_NUMBERS));
        for (uint32_t j = 0; j < a.count; j++) check_value(model, &a, j, index);
        before = a.name;
    }
}

/* ---- nodes, graphs */

static void check_node(const wlk_model *model, uint32_t index, uint32_t graph,
                       uint32_t *attributes) {
    const wlk_node node = wlk_model_node(model, index);
    oracle_text(node.op);
    oracle_text(node.domain);
    oracle_text(node.name);
    FUZZ_CHECK(5, node.op[0] != '\0' && node.graph == graph);
    FUZZ_CHECK(5, node.first_attribute == *attributes);
    *attributes += node.attributes;
    FUZZ_CHECK(5, *attributes <= wlk_model_count(model, WLK_SECTION_ATTRIBUTES));
    for (uint32_t i = 0; i < node.outputs; i++) {
        const wlk_ref ref = wlk_model_node_output(model, index, i);
        FUZZ_CHECK(5, ref.kind != WLK_REF_TENSOR);
        if (ref.kind == WLK_REF_VALUE) define(model, ref.index, graph, index);
    }
    check_attributes(model, index, &node);
}

static void check_graph(const wlk_model *model, uint32_t index, uint32_t *nodes,
                        uint32_t *attributes) {
    const wlk_graph graph = wlk_model_graph(model, index);
    oracle_text(graph.name);
    FUZZ_CHECK(5, graph.first_node == *nodes);
    *nodes += graph.nodes;
    FUZZ_CHECK(5, *nodes <= wlk_model_count(model, WLK_SECTION_NODES));
    for (uint32_t i = 0; i < graph.inputs; i++) {
        const uint32_t value = wlk_model_graph_input(model, index, i);
        define(model, value, index, WLK_NONE);
        if (index == 0) FUZZ_CHECK(11, wlk_model_value(model, value).type != WLK_NONE);
    }
    for (uint32_t i = 0; i < graph.nodes; i++) {
        check_node(model, graph.first_node + i, index, attributes);
    }
}

static void check_uses(const wlk_model *model, uint32_t index) {
    const wlk_graph graph = wlk_model_graph(model, index);
    const uint32_t end = graph.first_node + graph.nodes;
    for (uint32_t node = graph.first_node; node < end; node++) {
        const uint32_t inputs = wlk_model_node(model, node).inputs;
        for (uint32_t i = 0; i < inputs; i++) {
            check_use(model, wlk_model_node_input(model, node, i), index, node);
        }
    }
    for (uint32_t i = 0; i < graph.outputs; i++) {
        const wlk_ref ref = wlk_model_graph_output(model, index, i);
        FUZZ_CHECK(5, ref.kind != WLK_REF_NONE);
        check_use(model, ref, index, end);
    }
}

void oracle_graphs(const wlk_model *model) {
    const uint32_t graphs = wlk_model_count(model, WLK_SECTION_GRAPHS);
    uint32_t nodes = 0, attributes = 0;
    seen_begin(model);
    for (uint32_t i = 0; i < graphs; i++) check_graph(model, i, &nodes, &attributes);
    FUZZ_CHECK(5, nodes == wlk_model_count(model, WLK_SECTION_NODES));
    FUZZ_CHECK(5, attributes == wlk_model_count(model, WLK_SECTION_ATTRIBUTES));
    FUZZ_CHECK(5, seen.defined == wlk_model_count(model, WLK_SECTION_VALUES));
    for (uint32_t i = 1; seen.small && i < graphs; i++) {
        FUZZ_CHECK(11, seen.holders[i] != WLK_NONE);
    }
    for (uint32_t i = 0; i < graphs; i++) check_uses(model, i);
}

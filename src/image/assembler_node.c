#include "image/assembler_internal.h"

#include <string.h>

#include "base/dtype.h"
#include "base/memory.h"

/* Nodes and their attributes. */

/* ---- nodes */

static wlk_status add_input(assembler *a, const char *name, wlk_error *error) {
    uint32_t edge = IMAGE_NONE;
    if (name[0] != '\0') {
        const name_entry *entry = assembler_find(a, name);
        if (!entry) return assembler_refuse(error, RULE_ASSEMBLE_UNDEFINED, name);
        const bool visible =
            entry->kind == ENTRY_TENSOR || assembler_sees(a, entry, a->graphs - 1, a->nodes + 1);
        if (!visible) return assembler_refuse(error, RULE_ASSEMBLE_SCOPE, name);
        edge = assembler_edge(entry);
    }
    (void)image_node_input(a->builder, edge);
    return assembler_built(a, error);
}

static wlk_status define_output(assembler *a, const char *name, uint32_t *value, wlk_error *error) {
    uint32_t number;
    name_entry *entry = assembler_find(a, name);
    if (entry && entry->kind == ENTRY_PROMISED) { /* by this graph, see close_graph */
        entry->kind = ENTRY_VALUE;
        entry->position = a->nodes + 1;
    } else {
        TRY(assembler_claim_value(a, name, IMAGE_NONE, ENTRY_VALUE, a->nodes + 1, &number, error));
        entry = (name_entry *)a->entries.items + number;
    }
    *value = entry->index;
    return WLK_OK;
}

static wlk_status add_output(assembler *a, const char *name, wlk_error *error) {
    uint32_t value = IMAGE_NONE;
    if (name[0] != '\0') TRY(define_output(a, name, &value, error));
    (void)image_node_output(a->builder, value);
    return assembler_built(a, error);
}

static wlk_status check_node(const assembler *a, const node_spec *node, wlk_error *error) {
    uint32_t version;
    if (a->graphs == 0) return assembler_refuse(error, RULE_ASSEMBLE_ORDER, node->op);
    if (node->op[0] == '\0') return error_at(error, RULE_ASSEMBLE_EMPTY_NAME, WLK_NO_OFFSET);
    if (name_map_get(a->domains, node->domain, &version)) return WLK_OK;
    return error_text(error, RULE_ASSEMBLE_OPSET, WLK_NO_OFFSET, "\"%.64s\" of \"%.64s\"", node->op,
                      node->domain);
}

wlk_status assembler_node(assembler *a, const node_spec *node, wlk_error *error) {
    TRY(check_node(a, node, error));
    (void)image_node(a->builder, assembler_name(a, node->op), assembler_name(a, node->domain),
                     assembler_name(a, node->name), WLK_NO_OFFSET);
    TRY(assembler_built(a, error));
    for (uint32_t i = 0; i < node->input_count; i++) TRY(add_input(a, node->inputs[i], error));
    for (uint32_t i = 0; i < node->output_count; i++) TRY(add_output(a, node->outputs[i], error));
    a->nodes++;
    a->node_total++;
    a->has_node = true;
    return WLK_OK;
}

/* ---- attributes */

static wlk_status begin_attribute(assembler *a, const char *name, wlk_error *error) {
    uint32_t latest;
    if (!a->has_node) return assembler_refuse(error, RULE_ASSEMBLE_ORDER, name);
    if (name[0] == '\0') return error_at(error, RULE_ASSEMBLE_EMPTY_NAME, WLK_NO_OFFSET);
    if (name_map_get(a->attributes, name, &latest) && latest == a->node_total) {
        return assembler_refuse(error, RULE_ASSEMBLE_DUPLICATE_NAME, name);
    }
    return name_map_set(a->attributes, name, a->node_total) ? WLK_OK : assembler_no_memory(error);
}

/* A subgraph has one holder, in a graph before it. */
static wlk_status hold_graph(assembler *a, uint64_t graph, wlk_error *error) {
    if (graph >= a->limits.graphs || graph >= IMAGE_NONE) {
        return error_at(error, RULE_LIMIT_GRAPHS, WLK_NO_OFFSET);
    }
    graph_holder *holder = assembler_holder(a, (uint32_t)graph);
    if (!holder) return assembler_no_memory(error);
    if (graph < a->graphs || holder->graph != IMAGE_NONE) {
        return error_text(error, RULE_ASSEMBLE_SUBGRAPH, WLK_NO_OFFSET, "graph %llu",
                          (unsigned long long)graph);
    }
    holder->graph = a->graphs - 1;
    holder->position = a->nodes; /* of the latest node, plus 1 */
    return WLK_OK;
}

static wlk_status check_value(assembler *a, const char *name, wlk_attribute_type type,
                              uint64_t value, wlk_error *error) {
    switch (type) {
        case WLK_ATTR_TENSOR:
        case WLK_ATTR_TENSORS:
            if (value >= a->tensors.count)
                return assembler_refuse(error, RULE_ASSEMBLE_UNDEFINED, name);
            ((tensor_form *)a->tensors.items)[value].held = true;
            return WLK_OK;
        case WLK_ATTR_GRAPH:
        case WLK_ATTR_GRAPHS:
            return hold_graph(a, value, error);
        case WLK_ATTR_DTYPE:
            if (value < WLK_DTYPE_COUNT && dtype_known((uint32_t)value)) return WLK_OK;
            return assembler_refuse(error, RULE_TENSOR_DTYPE, name);
        case WLK_ATTR_TYPE:
            return value < a->types.count ? WLK_OK : assembler_refuse(error, RULE_TYPE_FORM, name);
        case WLK_ATTR_INT:
        case WLK_ATTR_INTS:
        case WLK_ATTR_FLOAT:
        case WLK_ATTR_FLOATS:
            return WLK_OK;
        case WLK_ATTR_STRING:
        case WLK_ATTR_STRINGS:
        case WLK_ATTR_TYPE_COUNT:
            break;
    }
    return assembler_refuse(error, RULE_ASSEMBLE_ORDER, name);
}

wlk_status assembler_attribute(assembler *a, const char *name, wlk_attribute_type type,
                               const uint64_t *values, uint32_t count, wlk_error *error) {
    TRY(begin_attribute(a, name, error));
    for (uint32_t i = 0; i < count; i++) TRY(check_value(a, name, type, values[i], error));
    (void)image_attribute(a->builder, assembler_name(a, name), type, values, count, WLK_NO_OFFSET);
    return assembler_built(a, error);
}

static wlk_status make_strings(const assembler *a, const char *const *texts, uint32_t count,
                               uint64_t *strings, wlk_error *error) {
    for (uint32_t i = 0; i < count; i++) {
        strings[i] = image_string(a->builder, texts[i], strlen(texts[i]), WLK_NO_OFFSET);
    }
    return assembler_built(a, error);
}

wlk_status assembler_attribute_texts(assembler *a, const char *name, wlk_attribute_type type,
                                     const char *const *texts, uint32_t count, wlk_error *error) {
    TRY(begin_attribute(a, name, error));
    if (count > a->limits.attribute_values) {
        return assembler_refuse(error, RULE_LIMIT_ATTRIBUTE_VALUES, name);
    }
    uint64_t *strings = mem_zeroed(count ? count : 1, sizeof *strings);
    if (!strings) return assembler_no_memory(error);
    wlk_status status = make_strings(a, texts, count, strings, error);
    if (status == WLK_OK) {
        (void)image_attribute(a->builder, assembler_name(a, name), type, strings, count,
                              WLK_NO_OFFSET);
        status = assembler_built(a, error);
    }
    mem_free(strings);
    return status;
}

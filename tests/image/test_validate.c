/* Invariant 5: whatever the child sends as an image, one thing that is wrong with
 * it is enough, and is named by its rule and by the record it is in. */
#include "support/image_support.h"

typedef struct sample {
    uint8_t *image;
    uint64_t length;
    image_payloads payloads;
    wlk_limits limits;
    uint64_t offsets[WLK_SECTION_COUNT];
} sample;

static sample valid;

static int setup(void **state) {
    uint64_t total;
    (void)state;
    wlk_limits_default(&valid.limits);
    sample_image(&valid.image, &valid.length, &valid.payloads);
    const image_header *header = (const image_header *)valid.image;
    assert_true(image_layout(header->counts, valid.offsets, &total));
    assert_int_equal(total, valid.length);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    free(valid.image);
    valid.payloads.release(valid.payloads.owner);
    return 0;
}

static uint32_t count_of(wlk_section section) {
    return ((const image_header *)valid.image)->counts[section];
}

static uint64_t record_at(wlk_section section, uint32_t index) {
    return valid.offsets[section] + (uint64_t)index * image_record_bytes[section];
}

/* ---- single mutations */

typedef struct mutation {
    const char *what;
    wlk_section section;
    uint32_t index;
    size_t field;
    size_t size;
    uint64_t value;
    bool copies; /* value is the index of the record to copy the field from */
    wlk_rule rule;
    wlk_section section_named; /* the record that the error's offset is of */
    uint32_t index_named;
} mutation;

#define AT(section, index, record, field) \
    WLK_SECTION_##section, index, offsetof(record, field), sizeof(((record *)0)->field)
/* The error names the record that was changed ... */
#define FIELD(section, record, index, field, value, rule)                                       \
    {                                                                                           \
#section "[" #index "]." #field " = " #value, AT(section, index, record, field), value, \
            false, RULE_##rule, WLK_SECTION_##section, index                                    \
    }
#define COPY(section, record, index, field, from, rule)                                         \
    {                                                                                           \
#section "[" #index "]." #field " = that of " #from, AT(section, index, record, field), \
            from, true, RULE_##rule, WLK_SECTION_##section, index                               \
    }
/* ... or another one. */
#define SHOWS(section, record, index, field, value, rule, named, named_index)                   \
    {                                                                                           \
#section "[" #index "]." #field " = " #value, AT(section, index, record, field), value, \
            false, RULE_##rule, WLK_SECTION_##named, named_index                                \
    }
#define EDGE(index, value, rule, named, named_index)                                              \
    {                                                                                             \
        "EDGES[" #index "] = " #value, WLK_SECTION_EDGES, index, 0, 4, value, false, RULE_##rule, \
            WLK_SECTION_##named, named_index                                                      \
    }
#define NUMBER(index, value, rule, named, named_index)                                   \
    {                                                                                    \
        "NUMBERS[" #index "] = " #value, WLK_SECTION_NUMBERS, index, 0, 8, value, false, \
            RULE_##rule, WLK_SECTION_##named, named_index                                \
    }
#define TEXT(index, value, rule, named_index)                                                   \
    {                                                                                           \
        "TEXT[" #index "] = " #value, WLK_SECTION_TEXT, index, 0, 1, value, false, RULE_##rule, \
            WLK_SECTION_STRINGS, named_index                                                    \
    }

#define NO_SUCH 99999
#define WRAPS ((uint64_t)1 << 32) /* zero when cut to 32 bits */

/* The sample's lists: the outputs of graphs 0 to 3 are EDGES[0..5], then come the
 * nodes' edges. Graph inputs are NUMBERS[0..1]; the sorted attributes' values
 * follow, golden rows from 25 on. */
static const mutation mutations[] = {
    /* strings */
    FIELD(STRINGS, string_record, 0, offset, 1, IMAGE_STRING),
    FIELD(STRINGS, string_record, 0, length, 1, IMAGE_STRING),
    FIELD(STRINGS, string_record, 1, offset, 0, IMAGE_STRING),
    FIELD(STRINGS, string_record, 1, offset, 2, IMAGE_STRING),
    FIELD(STRINGS, string_record, 1, length, 0, IMAGE_STRING),
    FIELD(STRINGS, string_record, 1, length, 6, IMAGE_STRING),
    FIELD(STRINGS, string_record, 1, length, UINT32_MAX, IMAGE_STRING),
    TEXT(0, 'a', IMAGE_STRING, 0),
    TEXT(1, 0xff, IMAGE_STRING, 1),
    TEXT(2, 0, IMAGE_STRING, 1),
    TEXT(6, 'a', IMAGE_STRING, 1),
    TEXT(1, '~', IMAGE_STRING_ORDER, 2),
    /* blocks */
    FIELD(BLOCKS, block_record, 0, kind, NO_SUCH, IMAGE_REFERENCE),
    FIELD(BLOCKS, block_record, 0, kind, 0, IMAGE_BLOCK),
    FIELD(BLOCKS, block_record, 0, kind, 1, IMAGE_BLOCK), /* "/kind" */
    FIELD(BLOCKS, block_record, 0, elements, 0, IMAGE_BLOCK),
    FIELD(BLOCKS, block_record, 0, elements, 65537, IMAGE_BLOCK),
    FIELD(BLOCKS, block_record, 0, bytes, 0, IMAGE_BLOCK),
    FIELD(BLOCKS, block_record, 0, bytes, 65537, IMAGE_BLOCK),
    FIELD(BLOCKS, block_record, 0, reserved, 1, IMAGE_PADDING),
    SHOWS(BLOCKS, block_record, 0, elements, 24, IMAGE_TENSOR, TENSORS, WLK_BLOCK),
    SHOWS(BLOCKS, block_record, 0, bytes, 17, IMAGE_TENSOR, TENSORS, WLK_BLOCK),
    /* tensors */
    FIELD(TENSORS, tensor_record, 1, name, NO_SUCH, IMAGE_REFERENCE),
    COPY(TENSORS, tensor_record, 2, name, 1, IMAGE_NAME),
    FIELD(TENSORS, tensor_record, WLK_F32, name, 0, IMAGE_NAME),
    FIELD(TENSORS, tensor_record, WLK_F32, dtype, 0, IMAGE_TENSOR),
    FIELD(TENSORS, tensor_record, WLK_F32, dtype, WLK_DTYPE_COUNT, IMAGE_TENSOR),
    FIELD(TENSORS, tensor_record, WLK_F32, dtype, 255, IMAGE_TENSOR),
    FIELD(TENSORS, tensor_record, WLK_F32, dtype, WLK_F64, IMAGE_TENSOR),
    FIELD(TENSORS, tensor_record, WLK_F32, dtype, WLK_BLOCK, IMAGE_REFERENCE),
    FIELD(TENSORS, tensor_record, WLK_F32, rank, 9, IMAGE_TENSOR),
    FIELD(TENSORS, tensor_record, WLK_F32, rank, 255, IMAGE_TENSOR),
    FIELD(TENSORS, tensor_record, WLK_F32, rank, 1, IMAGE_PADDING),
    FIELD(TENSORS, tensor_record, WLK_F32, rank, 3, IMAGE_TENSOR),
    FIELD(TENSORS, tensor_record, WLK_F32, zero, 1, IMAGE_PADDING),
    FIELD(TENSORS, tensor_record, WLK_F32, block, 0, IMAGE_TENSOR),
    FIELD(TENSORS, tensor_record, WLK_BLOCK, block, 1, IMAGE_REFERENCE),
    FIELD(TENSORS, tensor_record, WLK_BLOCK, block, IMAGE_NONE, IMAGE_REFERENCE),
    FIELD(TENSORS, tensor_record, WLK_BLOCK, rank, 0, IMAGE_PADDING),
    FIELD(TENSORS, tensor_record, WLK_F32, buffer, NO_SUCH, IMAGE_REFERENCE),
    FIELD(TENSORS, tensor_record, WLK_F32, buffer, IMAGE_NONE, IMAGE_REFERENCE),
    FIELD(TENSORS, tensor_record, WLK_F32, buffer_offset, 1, IMAGE_TENSOR),
    FIELD(TENSORS, tensor_record, WLK_F32, buffer_offset, 64, IMAGE_TENSOR),
    FIELD(TENSORS, tensor_record, WLK_F32, buffer_offset, UINT64_MAX - 63, IMAGE_TENSOR),
    FIELD(TENSORS, tensor_record, WLK_F32, nbytes, 0, IMAGE_TENSOR),
    FIELD(TENSORS, tensor_record, WLK_F32, nbytes, 25, IMAGE_TENSOR),
    FIELD(TENSORS, tensor_record, WLK_F32, nbytes, UINT64_MAX, IMAGE_TENSOR),
    FIELD(TENSORS, tensor_record, WLK_STR, nbytes, 55, IMAGE_TENSOR),
    FIELD(TENSORS, tensor_record, WLK_STR, nbytes, 128, IMAGE_TENSOR),
    FIELD(TENSORS, tensor_record, WLK_F32, shape[0], 0, IMAGE_TENSOR),
    FIELD(TENSORS, tensor_record, WLK_F32, shape[0], 3, IMAGE_TENSOR),
    FIELD(TENSORS, tensor_record, WLK_F32, shape[0], UINT64_MAX, IMAGE_TENSOR),
    FIELD(TENSORS, tensor_record, WLK_F32, shape[0], (uint64_t)1 << 62, IMAGE_TENSOR),
    FIELD(TENSORS, tensor_record, WLK_F32, shape[2], 1, IMAGE_PADDING),
    FIELD(TENSORS, tensor_record, WLK_F32, shape[7], 1, IMAGE_PADDING),
    FIELD(TENSORS, tensor_record, SAMPLE_EMPTY, buffer, 0, IMAGE_TENSOR),
    FIELD(TENSORS, tensor_record, SAMPLE_EMPTY, buffer_offset, 64, IMAGE_TENSOR),
    FIELD(TENSORS, tensor_record, SAMPLE_EMPTY, shape[0], 1, IMAGE_TENSOR),
    /* types */
    FIELD(TYPES, type_record, SAMPLE_TYPE_X, kind, 0, IMAGE_TYPE),
    FIELD(TYPES, type_record, SAMPLE_TYPE_X, kind, 5, IMAGE_TYPE),
    FIELD(TYPES, type_record, SAMPLE_TYPE_X, kind, WLK_TYPE_SEQUENCE, IMAGE_TYPE),
    FIELD(TYPES, type_record, SAMPLE_TYPE_X, dtype, 0, IMAGE_TYPE),
    FIELD(TYPES, type_record, SAMPLE_TYPE_X, dtype, WLK_DTYPE_COUNT, IMAGE_TYPE),
    FIELD(TYPES, type_record, SAMPLE_TYPE_X, key_dtype, WLK_I64, IMAGE_TYPE),
    FIELD(TYPES, type_record, SAMPLE_TYPE_X, has_shape, 2, IMAGE_TYPE),
    FIELD(TYPES, type_record, SAMPLE_TYPE_X, has_shape, 0, IMAGE_TYPE),
    FIELD(TYPES, type_record, SAMPLE_TYPE_X, element, 0, IMAGE_TYPE),
    FIELD(TYPES, type_record, SAMPLE_TYPE_X, rank, 9, IMAGE_TYPE),
    FIELD(TYPES, type_record, SAMPLE_TYPE_X, rank, 2, IMAGE_TYPE),
    FIELD(TYPES, type_record, SAMPLE_TYPE_X, zero, 1, IMAGE_TYPE),
    FIELD(TYPES, type_record, SAMPLE_TYPE_X, dims[1], (uint64_t)-2, IMAGE_TYPE),
    FIELD(TYPES, type_record, SAMPLE_TYPE_X, dims[7], 1, IMAGE_TYPE),
    FIELD(TYPES, type_record, SAMPLE_TYPE_X, symbols[0], NO_SUCH, IMAGE_REFERENCE),
    FIELD(TYPES, type_record, SAMPLE_TYPE_X, symbols[1], 1, IMAGE_TYPE),
    FIELD(TYPES, type_record, SAMPLE_TYPE_X, symbols[3], 1, IMAGE_TYPE),
    FIELD(TYPES, type_record, SAMPLE_TYPE_SEQUENCE, element, SAMPLE_TYPE_SEQUENCE, IMAGE_TYPE),
    FIELD(TYPES, type_record, SAMPLE_TYPE_SEQUENCE, element, SAMPLE_TYPE_MAP, IMAGE_TYPE),
    FIELD(TYPES, type_record, SAMPLE_TYPE_SEQUENCE, element, IMAGE_NONE, IMAGE_TYPE),
    FIELD(TYPES, type_record, SAMPLE_TYPE_SEQUENCE, key_dtype, WLK_I64, IMAGE_TYPE),
    FIELD(TYPES, type_record, SAMPLE_TYPE_SEQUENCE, dtype, WLK_I64, IMAGE_TYPE),
    FIELD(TYPES, type_record, SAMPLE_TYPE_SEQUENCE, has_shape, 1, IMAGE_TYPE),
    FIELD(TYPES, type_record, SAMPLE_TYPE_MAP, key_dtype, 0, IMAGE_TYPE),
    FIELD(TYPES, type_record, SAMPLE_TYPE_MAP, key_dtype, WLK_F64, IMAGE_TYPE),
    FIELD(TYPES, type_record, SAMPLE_TYPE_OPTIONAL, element, NO_SUCH, IMAGE_TYPE),
    /* values */
    FIELD(VALUES, value_record, SAMPLE_H, name, NO_SUCH, IMAGE_REFERENCE),
    FIELD(VALUES, value_record, SAMPLE_H, name, 0, IMAGE_NAME),
    COPY(VALUES, value_record, SAMPLE_H, name, SAMPLE_X, IMAGE_NAME),
    FIELD(VALUES, value_record, SAMPLE_H, type, SAMPLE_TYPES, IMAGE_REFERENCE),
    SHOWS(VALUES, value_record, SAMPLE_X, type, IMAGE_NONE, IMAGE_INPUT, GRAPHS, 0),
    SHOWS(VALUES, value_record, SAMPLE_X, type, SAMPLE_TYPE_ANY, IMAGE_SELFTEST, SELFTESTS, 0),
    SHOWS(VALUES, value_record, SAMPLE_X, type, SAMPLE_TYPE_MAP, IMAGE_SELFTEST, SELFTESTS, 0),
    /* graphs */
    FIELD(GRAPHS, graph_record, 0, name, NO_SUCH, IMAGE_REFERENCE),
    FIELD(GRAPHS, graph_record, 0, input_first, 1, IMAGE_TILE),
    FIELD(GRAPHS, graph_record, 1, input_first, 0, IMAGE_TILE),
    FIELD(GRAPHS, graph_record, 0, inputs, UINT32_MAX, IMAGE_TILE),
    SHOWS(GRAPHS, graph_record, 0, inputs, 0, IMAGE_TILE, GRAPHS, 1),
    SHOWS(GRAPHS, graph_record, 0, inputs, 2, IMAGE_TILE, GRAPHS, 1),
    FIELD(GRAPHS, graph_record, 1, output_first, 1, IMAGE_TILE),
    FIELD(GRAPHS, graph_record, 1, outputs, UINT32_MAX, IMAGE_TILE),
    SHOWS(GRAPHS, graph_record, 1, outputs, 1, IMAGE_TILE, GRAPHS, 2),
    SHOWS(GRAPHS, graph_record, 3, outputs, 2, IMAGE_TILE, NODES, 0),
    FIELD(GRAPHS, graph_record, 1, node_first, 2, IMAGE_TILE),
    FIELD(GRAPHS, graph_record, 0, nodes, UINT32_MAX, IMAGE_TILE),
    SHOWS(GRAPHS, graph_record, 0, nodes, 2, IMAGE_TILE, GRAPHS, 1),
    SHOWS(GRAPHS, graph_record, 3, nodes, 0, IMAGE_TILE, NODES, SAMPLE_NODE_ELSE),
    FIELD(GRAPHS, graph_record, 0, zero, 1, IMAGE_PADDING),
    /* nodes */
    FIELD(NODES, node_record, 0, op, NO_SUCH, IMAGE_REFERENCE),
    FIELD(NODES, node_record, 0, op, 0, IMAGE_NAME),
    FIELD(NODES, node_record, 0, domain, NO_SUCH, IMAGE_REFERENCE),
    FIELD(NODES, node_record, 0, domain, 1, IMAGE_OPSET),
    FIELD(NODES, node_record, 0, name, NO_SUCH, IMAGE_REFERENCE),
    FIELD(NODES, node_record, 0, graph, 1, IMAGE_TILE),
    FIELD(NODES, node_record, 0, graph, NO_SUCH, IMAGE_TILE),
    FIELD(NODES, node_record, 0, edge_first, 5, IMAGE_TILE),
    FIELD(NODES, node_record, 0, edge_first, 7, IMAGE_TILE),
    FIELD(NODES, node_record, 0, inputs, 60000, IMAGE_TILE),
    FIELD(NODES, node_record, 0, outputs, 60000, IMAGE_TILE),
    FIELD(NODES, node_record, 0, inputs, UINT32_MAX, LIMIT_NODE_EDGES),
    FIELD(NODES, node_record, 0, outputs, UINT32_MAX, LIMIT_NODE_EDGES),
    SHOWS(NODES, node_record, 0, inputs, 1, IMAGE_REFERENCE, NODES, 0),
    SHOWS(NODES, node_record, 0, outputs, 0, IMAGE_TILE, NODES, 1),
    SHOWS(NODES, node_record, SAMPLE_NODE_ELSE, outputs, 0, IMAGE_TILE, EDGES, 29),
    FIELD(NODES, node_record, 1, attribute_first, 1, IMAGE_TILE),
    FIELD(NODES, node_record, 1, attributes, UINT32_MAX, IMAGE_TILE),
    SHOWS(NODES, node_record, 1, attributes, 10, IMAGE_TILE, NODES, 2),
    SHOWS(NODES, node_record, SAMPLE_NODE_ELSE, attributes, 0, IMAGE_TILE, ATTRIBUTES, 14),
    FIELD(NODES, node_record, 0, zero, 1, IMAGE_PADDING),
    /* attributes */
    FIELD(ATTRIBUTES, attribute_record, 0, name, NO_SUCH, IMAGE_REFERENCE),
    FIELD(ATTRIBUTES, attribute_record, 0, name, 0, IMAGE_NAME),
    COPY(ATTRIBUTES, attribute_record, 1, name, 0, IMAGE_ATTRIBUTE),
    FIELD(ATTRIBUTES, attribute_record, 1, name, 1, IMAGE_ATTRIBUTE), /* "/kind" */
    FIELD(ATTRIBUTES, attribute_record, 0, type, 0, IMAGE_ATTRIBUTE),
    FIELD(ATTRIBUTES, attribute_record, 0, type, WLK_ATTR_TYPE_COUNT, IMAGE_ATTRIBUTE),
    FIELD(ATTRIBUTES, attribute_record, 0, type, WLK_ATTR_STRING, IMAGE_REFERENCE),
    FIELD(ATTRIBUTES, attribute_record, 0, type, WLK_ATTR_TENSOR, IMAGE_REFERENCE),
    FIELD(ATTRIBUTES, attribute_record, 0, type, WLK_ATTR_GRAPH, IMAGE_REFERENCE),
    FIELD(ATTRIBUTES, attribute_record, 0, type, WLK_ATTR_DTYPE, IMAGE_ATTRIBUTE),
    FIELD(ATTRIBUTES, attribute_record, 0, type, WLK_ATTR_TYPE, IMAGE_ATTRIBUTE),
    FIELD(ATTRIBUTES, attribute_record, 5, type, WLK_ATTR_INT, IMAGE_ATTRIBUTE),
    FIELD(ATTRIBUTES, attribute_record, 0, first, 1, IMAGE_TILE),
    FIELD(ATTRIBUTES, attribute_record, 1, first, 2, IMAGE_TILE),
    FIELD(ATTRIBUTES, attribute_record, 0, count, 0, IMAGE_ATTRIBUTE),
    FIELD(ATTRIBUTES, attribute_record, 0, count, 2, IMAGE_ATTRIBUTE),
    FIELD(ATTRIBUTES, attribute_record, 5, count, UINT32_MAX, IMAGE_TILE),
    SHOWS(ATTRIBUTES, attribute_record, 5, count, 2, IMAGE_TILE, ATTRIBUTES, 6),
    SHOWS(ATTRIBUTES, attribute_record, 5, count, 4, IMAGE_TILE, ATTRIBUTES, 6),
    NUMBER(3, NO_SUCH, IMAGE_REFERENCE, ATTRIBUTES, 1),
    NUMBER(3, WRAPS, IMAGE_REFERENCE, ATTRIBUTES, 1),
    NUMBER(4, 0, IMAGE_ATTRIBUTE, ATTRIBUTES, 2),
    NUMBER(4, WLK_DTYPE_COUNT, IMAGE_ATTRIBUTE, ATTRIBUTES, 2),
    NUMBER(4, WRAPS + WLK_F16, IMAGE_ATTRIBUTE, ATTRIBUTES, 2),
    NUMBER(5, SAMPLE_TYPES, IMAGE_ATTRIBUTE, ATTRIBUTES, 3),
    NUMBER(5, WRAPS, IMAGE_ATTRIBUTE, ATTRIBUTES, 3),
    NUMBER(11, NO_SUCH, IMAGE_REFERENCE, ATTRIBUTES, 6),
    NUMBER(11, WRAPS, IMAGE_REFERENCE, ATTRIBUTES, 6),
    NUMBER(18, SAMPLE_TENSORS, IMAGE_REFERENCE, ATTRIBUTES, 9),
    /* subgraphs: never the main one, never twice, never this one or one before */
    NUMBER(20, 0, IMAGE_SUBGRAPH, ATTRIBUTES, 11),
    NUMBER(20, SAMPLE_GRAPHS, IMAGE_REFERENCE, ATTRIBUTES, 11),
    NUMBER(20, WRAPS + 1, IMAGE_REFERENCE, ATTRIBUTES, 11),
    NUMBER(21, 1, IMAGE_SUBGRAPH, ATTRIBUTES, 11),
    NUMBER(21, 2, IMAGE_SUBGRAPH, ATTRIBUTES, 13),
    NUMBER(23, 0, IMAGE_SUBGRAPH, ATTRIBUTES, 13),
    NUMBER(23, 1, IMAGE_SUBGRAPH, ATTRIBUTES, 13),
    NUMBER(23, 3, IMAGE_SUBGRAPH, ATTRIBUTES, 13),
    SHOWS(ATTRIBUTES, attribute_record, 13, type, WLK_ATTR_INT, IMAGE_SUBGRAPH, GRAPHS, 2),
    SHOWS(ATTRIBUTES, attribute_record, 11, type, WLK_ATTR_INTS, IMAGE_SUBGRAPH, GRAPHS, 1),
    /* definitions */
    NUMBER(0, NO_SUCH, IMAGE_REFERENCE, GRAPHS, 0),
    NUMBER(0, WRAPS, IMAGE_REFERENCE, GRAPHS, 0),
    NUMBER(1, SAMPLE_X, IMAGE_VALUE, GRAPHS, 1),
    NUMBER(1, SAMPLE_H, IMAGE_VALUE, NODES, 0),
    EDGE(8, SAMPLE_X, IMAGE_VALUE, NODES, 0),
    EDGE(8, IMAGE_NONE, IMAGE_VALUE, VALUES, SAMPLE_H),
    EDGE(8, EDGE_TENSOR | WLK_F32, IMAGE_REFERENCE, NODES, 0),
    EDGE(8, SAMPLE_VALUES, IMAGE_REFERENCE, NODES, 0),
    EDGE(17, SAMPLE_Y, IMAGE_VALUE, NODES, 2),
    EDGE(26, SAMPLE_OUT1, IMAGE_VALUE, NODES, SAMPLE_NODE_INNER),
    /* uses */
    EDGE(0, IMAGE_NONE, IMAGE_REFERENCE, GRAPHS, 0),
    EDGE(0, SAMPLE_VALUES, IMAGE_REFERENCE, GRAPHS, 0),
    EDGE(0, SAMPLE_OUT3, IMAGE_SCOPE, GRAPHS, 0), /* of a subgraph */
    EDGE(0, SAMPLE_OUT2, IMAGE_SCOPE, GRAPHS, 0), /* of a subgraph's subgraph */
    EDGE(1, EDGE_TENSOR | SAMPLE_TENSORS, IMAGE_REFERENCE, GRAPHS, 0),
    EDGE(2, SAMPLE_OUT, IMAGE_SCOPE, GRAPHS, 1),  /* of the node that holds graph 1 */
    EDGE(2, SAMPLE_OUT3, IMAGE_SCOPE, GRAPHS, 1), /* of the graph beside it */
    EDGE(6, SAMPLE_H, IMAGE_SCOPE, NODES, 0),     /* its own output */
    EDGE(6, SAMPLE_Y, IMAGE_SCOPE, NODES, 0),     /* the next node's */
    EDGE(6, SAMPLE_IN1, IMAGE_SCOPE, NODES, 0),   /* a subgraph's input */
    EDGE(6, SAMPLE_VALUES, IMAGE_REFERENCE, NODES, 0),
    EDGE(6, EDGE_TENSOR - 1, IMAGE_REFERENCE, NODES, 0),
    EDGE(7, EDGE_TENSOR | SAMPLE_TENSORS, IMAGE_REFERENCE, NODES, 0),
    EDGE(7, IMAGE_NONE - 1, IMAGE_REFERENCE, NODES, 0),
    EDGE(18, SAMPLE_OUT, IMAGE_SCOPE, NODES, SAMPLE_NODE_FIRST1),
    EDGE(18, SAMPLE_OUT1, IMAGE_SCOPE, NODES, SAMPLE_NODE_FIRST1),
    EDGE(24, SAMPLE_OUT1, IMAGE_SCOPE, NODES, SAMPLE_NODE_INNER),
    EDGE(24, SAMPLE_OUT, IMAGE_SCOPE, NODES, SAMPLE_NODE_INNER),
    EDGE(27, SAMPLE_MID1, IMAGE_SCOPE, NODES, SAMPLE_NODE_ELSE),
    /* metadata */
    FIELD(METADATA, meta_record, 3, path, NO_SUCH, IMAGE_REFERENCE),
    FIELD(METADATA, meta_record, 0, path, 0, IMAGE_METADATA),
    COPY(METADATA, meta_record, 4, path, 3, IMAGE_METADATA),
    COPY(METADATA, meta_record, 13, path, 12, IMAGE_METADATA),
    COPY(METADATA, meta_record, 17, path, 0, IMAGE_METADATA),
    COPY(METADATA, meta_record, 1, path, 2, IMAGE_METADATA),
    FIELD(METADATA, meta_record, 0, type, 0, IMAGE_METADATA),
    FIELD(METADATA, meta_record, 0, type, 9, IMAGE_METADATA),
    FIELD(METADATA, meta_record, 3, value, 1, IMAGE_METADATA),
    FIELD(METADATA, meta_record, 4, value, 2, IMAGE_METADATA),
    FIELD(METADATA, meta_record, 6, value, INT64_MAX, IMAGE_METADATA),
    FIELD(METADATA, meta_record, 0, value, NO_SUCH, IMAGE_REFERENCE),
    FIELD(METADATA, meta_record, 0, value, WRAPS, IMAGE_REFERENCE),
    FIELD(METADATA, meta_record, 1, value, 18, IMAGE_METADATA),
    FIELD(METADATA, meta_record, 1, value, UINT64_MAX, IMAGE_METADATA),
    FIELD(METADATA, meta_record, 16, value, 3, IMAGE_METADATA),
    SHOWS(METADATA, meta_record, 1, value, 7, IMAGE_METADATA, METADATA, 17),
    SHOWS(METADATA, meta_record, 1, value, 5, IMAGE_METADATA, METADATA, 16),
    SHOWS(METADATA, meta_record, 2, value, 7, IMAGE_METADATA, METADATA, 11),
    SHOWS(METADATA, meta_record, 2, value, 9, IMAGE_METADATA, METADATA, 12),
    SHOWS(METADATA, meta_record, 1, type, WLK_META_ARRAY, IMAGE_METADATA, METADATA, 2),
    SHOWS(METADATA, meta_record, 9, value, 2, IMAGE_METADATA, METADATA, 11),
    /* golden rows */
    FIELD(SELFTESTS, selftest_record, 0, first, 24, IMAGE_TILE),
    FIELD(SELFTESTS, selftest_record, 1, first, 29, IMAGE_TILE),
    FIELD(SELFTESTS, selftest_record, 0, inputs, 0, IMAGE_SELFTEST),
    FIELD(SELFTESTS, selftest_record, 0, inputs, 2, IMAGE_SELFTEST),
    FIELD(SELFTESTS, selftest_record, 0, outputs, 1, IMAGE_SELFTEST),
    FIELD(SELFTESTS, selftest_record, 0, outputs, UINT32_MAX, IMAGE_SELFTEST),
    FIELD(SELFTESTS, selftest_record, 0, zero, 1, IMAGE_PADDING),
    FIELD(SELFTESTS, selftest_record, 0, rtol, 0x7ff0000000000000ull, IMAGE_SELFTEST),
    FIELD(SELFTESTS, selftest_record, 0, rtol, 0x7ff8000000000000ull, IMAGE_SELFTEST),
    FIELD(SELFTESTS, selftest_record, 0, atol, 0xbff0000000000000ull, IMAGE_SELFTEST),
    NUMBER(25, SAMPLE_TENSORS, IMAGE_REFERENCE, SELFTESTS, 0),
    NUMBER(25, WRAPS, IMAGE_REFERENCE, SELFTESTS, 0),
    NUMBER(25, WLK_F64, IMAGE_SELFTEST, SELFTESTS, 0), /* dtype */
    NUMBER(28, WLK_F32, IMAGE_SELFTEST, SELFTESTS, 1), /* rank */
    NUMBER(30, SAMPLE_TENSORS, IMAGE_REFERENCE, SELFTESTS, 1),
    /* operator sets */
    FIELD(OPSETS, opset_record, 0, domain, NO_SUCH, IMAGE_REFERENCE),
    COPY(OPSETS, opset_record, 1, domain, 0, IMAGE_OPSET),
    FIELD(OPSETS, opset_record, 0, version, 0, IMAGE_OPSET),
    SHOWS(OPSETS, opset_record, 0, domain, 1, IMAGE_OPSET, NODES, 0),
    SHOWS(OPSETS, opset_record, 1, domain, 1, IMAGE_OPSET, NODES, 1),
    /* findings */
    FIELD(FINDINGS, finding_record, 0, rule, 0, IMAGE_FINDING),
    FIELD(FINDINGS, finding_record, 0, rule, RULE_COUNT, IMAGE_FINDING),
    FIELD(FINDINGS, finding_record, 0, severity, 0, IMAGE_FINDING),
    FIELD(FINDINGS, finding_record, 0, severity, WLK_SEVERITY_COUNT, IMAGE_FINDING),
    FIELD(FINDINGS, finding_record, 0, offset, SAMPLE_FILE_BYTES, IMAGE_FINDING),
    FIELD(FINDINGS, finding_record, 0, offset, UINT64_MAX, IMAGE_FINDING),
    FIELD(FINDINGS, finding_record, 0, length, 2, IMAGE_FINDING),
    FIELD(FINDINGS, finding_record, 0, length, UINT64_MAX, IMAGE_FINDING),
    FIELD(FINDINGS, finding_record, 0, evidence, NO_SUCH, IMAGE_REFERENCE),
    FIELD(FINDINGS, finding_record, 0, zero, 1, IMAGE_PADDING),
    /* invariants 5 and 12: the byte map */
    FIELD(SPANS, span_record, 0, offset, 1, IMAGE_SPAN),
    FIELD(SPANS, span_record, 1, offset, 255, IMAGE_SPAN),
    FIELD(SPANS, span_record, 1, offset, 257, IMAGE_SPAN),
    FIELD(SPANS, span_record, 0, length, 0, IMAGE_SPAN),
    SHOWS(SPANS, span_record, 0, length, 255, IMAGE_SPAN, SPANS, 1),
    SHOWS(SPANS, span_record, 0, length, 257, IMAGE_SPAN, SPANS, 1),
    SHOWS(SPANS, span_record, 0, length, UINT64_MAX, IMAGE_SPAN, SPANS, 1),
    FIELD(SPANS, span_record, 1, length, UINT64_MAX, IMAGE_SPAN),
    FIELD(SPANS, span_record, 0, kind, 0, IMAGE_SPAN),
    FIELD(SPANS, span_record, 0, kind, WLK_SPAN_KIND_COUNT, IMAGE_SPAN),
    FIELD(SPANS, span_record, 0, kind, WLK_SPAN_PAYLOAD, IMAGE_SPAN),
    FIELD(SPANS, span_record, 0, tensor, 0, IMAGE_SPAN),
    FIELD(SPANS, span_record, 3, kind, WLK_SPAN_PADDING, IMAGE_SPAN),
    FIELD(SPANS, span_record, 3, tensor, IMAGE_NONE, IMAGE_SPAN),
    FIELD(SPANS, span_record, 3, tensor, SAMPLE_TENSORS, IMAGE_SPAN),
    FIELD(SPANS, span_record, 3, tensor, SAMPLE_EMPTY, IMAGE_SPAN),
    FIELD(SPANS, span_record, 3, tensor, WLK_F32, IMAGE_SPAN),
    SHOWS(TENSORS, tensor_record, SAMPLE_SCALAR, buffer, 0, IMAGE_SPAN, SPANS, 59),
};

static uint64_t value_of(const mutation *m) {
    uint64_t value = 0;
    if (!m->copies) return m->value;
    memcpy(&value, valid.image + record_at(m->section, (uint32_t)m->value) + m->field, m->size);
    return value;
}

static wlk_status validate(const uint8_t *image, uint64_t length, wlk_error *error) {
    wlk_model *model = NULL;
    const wlk_status status =
        sample_validate(image, length, &valid.payloads, &valid.limits, &model, error);
    assert_int_equal(status == WLK_OK, model != NULL);
    wlk_model_free(model);
    return status;
}

static void check_mutation(const mutation *m) {
    wlk_error error = {0};
    const uint64_t value = value_of(m);
    uint8_t *image = malloc(valid.length);
    assert_non_null(image);
    memcpy(image, valid.image, valid.length);
    memcpy(image + record_at(m->section, m->index) + m->field, &value, m->size);
    assert_memory_not_equal(image, valid.image, valid.length);
    (void)validate(image, valid.length, &error);
    const uint64_t expected = record_at(m->section_named, m->index_named);
    if (error.rule != m->rule || error.offset != expected) {
        fail_msg("%s: %s at %llu, not %s at %llu", m->what, wlk_rule_name(error.rule),
                 (unsigned long long)error.offset, wlk_rule_name(m->rule),
                 (unsigned long long)expected);
    }
    assert_refusal(&error, m->rule);
    free(image);
}

static void test_single_mutations(void **state) {
    (void)state;
    const size_t count = sizeof mutations / sizeof *mutations;
    assert_true(count >= 80);
    for (size_t i = 0; i < count; i++) check_mutation(&mutations[i]);
}

static void test_sample_is_accepted(void **state) {
    (void)state;
    wlk_error error = {0};
    wlk_model *model = NULL;
    assert_int_equal(
        sample_validate(valid.image, valid.length, &valid.payloads, &valid.limits, &model, &error),
        WLK_OK);
    assert_true(model_walk_all(model) != 0);
    wlk_model_free(model);
}

/* ---- the image as a whole */

static void test_header(void **state) {
    (void)state;
    static const size_t fields[] = {offsetof(image_header, magic), offsetof(image_header, version),
                                    offsetof(image_header, file_bytes)};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        wlk_error error = {0};
        valid.image[fields[i]] ^= 1;
        assert_int_equal(validate(valid.image, valid.length, &error), WLK_CAGE);
        valid.image[fields[i]] ^= 1;
        assert_refusal(&error, RULE_IMAGE_HEADER);
    }
}

/* The format of the artifact is one that there is. */
static void test_format(void **state) {
    (void)state;
    image_header *header = (image_header *)(void *)valid.image;
    const uint16_t before = header->format;
    for (uint32_t format = 0; format <= UINT16_MAX; format++) {
        wlk_error error = {0};
        header->format = (uint16_t)format;
        const wlk_status status = validate(valid.image, valid.length, &error);
        assert_int_equal(status, format < WLK_FORMAT_COUNT ? WLK_OK : WLK_CAGE);
        if (status != WLK_OK) assert_refusal(&error, RULE_IMAGE_HEADER);
    }
    header->format = before;
}

/* Invariant 7: an image of any other length than its counts say is not read. */
static void test_every_other_length(void **state) {
    (void)state;
    for (uint64_t length = 0; length < valid.length; length++) {
        wlk_error error = {0};
        assert_int_equal(validate(valid.image, length, &error), WLK_CAGE);
        assert_refusal(&error, RULE_IMAGE_LENGTH);
    }
    uint8_t *longer = calloc(1, valid.length + 8);
    assert_non_null(longer);
    memcpy(longer, valid.image, valid.length);
    for (uint64_t more = 1; more <= 8; more++) {
        wlk_error error = {0};
        assert_int_equal(validate(longer, valid.length + more, &error), WLK_CAGE);
        assert_refusal(&error, RULE_IMAGE_LENGTH);
    }
    free(longer);
}

/* Invariant 7: no count is believed. */
static void test_every_other_count(void **state) {
    (void)state;
    image_header *header = (image_header *)valid.image;
    for (uint32_t i = 0; i < WLK_SECTION_COUNT; i++) {
        const uint32_t count = header->counts[i];
        const uint32_t others[] = {count + 1, count - 1, count + 8, count / 2, UINT32_MAX};
        for (size_t j = 0; j < sizeof others / sizeof *others; j++) {
            wlk_error error = {0};
            header->counts[i] = others[j];
            assert_int_not_equal(validate(valid.image, valid.length, &error), WLK_OK);
            assert_true(error.status == WLK_CAGE || error.status == WLK_LIMIT);
        }
        header->counts[i] = count;
    }
}

static void test_padding(void **state) {
    (void)state;
    uint32_t bytes = 0;
    for (uint32_t i = 0; i < WLK_SECTION_COUNT; i++) {
        const uint64_t end = record_at((wlk_section)i, count_of((wlk_section)i));
        const uint64_t next = i + 1 < WLK_SECTION_COUNT ? valid.offsets[i + 1] : valid.length;
        for (uint64_t at = end; at < next; at++, bytes++) {
            wlk_error error = {0};
            valid.image[at] = 1;
            assert_int_equal(validate(valid.image, valid.length, &error), WLK_CAGE);
            valid.image[at] = 0;
            assert_refusal(&error, RULE_IMAGE_PADDING);
            assert_int_equal(error.offset, at);
        }
    }
    assert_int_not_equal(bytes, 0);
}

/* ---- one record more or less, everything else moved accordingly */

static uint8_t *resized(wlk_section section, uint32_t count, uint64_t *length) {
    image_header header = *(const image_header *)valid.image;
    uint64_t offsets[WLK_SECTION_COUNT];
    header.counts[section] = count;
    assert_true(image_layout(header.counts, offsets, length));
    uint8_t *image = calloc(1, *length);
    assert_non_null(image);
    memcpy(image, &header, sizeof header);
    for (uint32_t i = 0; i < WLK_SECTION_COUNT; i++) {
        const uint32_t records = header.counts[i] < count_of((wlk_section)i)
                                     ? header.counts[i]
                                     : count_of((wlk_section)i);
        memcpy(image + offsets[i], valid.image + valid.offsets[i],
               (size_t)records * image_record_bytes[i]);
    }
    return image;
}

static void check_resized(wlk_section section, uint32_t count, wlk_rule rule) {
    uint64_t length;
    wlk_error error = {0};
    uint8_t *image = resized(section, count, &length);
    assert_int_equal(validate(image, length, &error), WLK_CAGE);
    assert_refusal(&error, rule);
    free(image);
}

static void test_one_record_more_or_less(void **state) {
    (void)state;
    static const struct {
        wlk_section section;
        wlk_rule more; /* an empty record at the end */
        wlk_rule less;
    } rows[] = {
        {WLK_SECTION_STRINGS, RULE_IMAGE_STRING, RULE_IMAGE_STRING},
        {WLK_SECTION_BLOCKS, RULE_IMAGE_BLOCK, RULE_IMAGE_REFERENCE},
        {WLK_SECTION_TENSORS, RULE_IMAGE_TENSOR, RULE_IMAGE_REFERENCE},
        {WLK_SECTION_TYPES, RULE_IMAGE_TYPE, RULE_IMAGE_REFERENCE},
        {WLK_SECTION_VALUES, RULE_IMAGE_NAME, RULE_IMAGE_REFERENCE},
        {WLK_SECTION_GRAPHS, RULE_IMAGE_TILE, RULE_IMAGE_TILE},
        {WLK_SECTION_NODES, RULE_IMAGE_TILE, RULE_IMAGE_TILE},
        {WLK_SECTION_ATTRIBUTES, RULE_IMAGE_TILE, RULE_IMAGE_TILE},
        {WLK_SECTION_EDGES, RULE_IMAGE_TILE, RULE_IMAGE_TILE},
        {WLK_SECTION_NUMBERS, RULE_IMAGE_TILE, RULE_IMAGE_TILE},
        {WLK_SECTION_METADATA, RULE_IMAGE_METADATA, RULE_IMAGE_STRING_UNUSED},
        {WLK_SECTION_SELFTESTS, RULE_IMAGE_SELFTEST, RULE_IMAGE_TILE},
        {WLK_SECTION_OPSETS, RULE_IMAGE_OPSET, RULE_IMAGE_OPSET},
        {WLK_SECTION_SPANS, RULE_IMAGE_SPAN, RULE_IMAGE_SPAN},
        {WLK_SECTION_FINDINGS, RULE_IMAGE_FINDING, RULE_NONE},
        {WLK_SECTION_TEXT, RULE_IMAGE_STRING, RULE_IMAGE_STRING},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const uint32_t count = count_of(rows[i].section);
        check_resized(rows[i].section, count + 1, rows[i].more);
        if (rows[i].less != RULE_NONE) check_resized(rows[i].section, count - 1, rows[i].less);
    }
}

/* Nothing may lie in the image that no record refers to. */
static void test_unused_string(void **state) {
    (void)state;
    uint64_t length;
    wlk_error error = {0};
    uint8_t *image = resized(WLK_SECTION_FINDINGS, 0, &length);
    assert_int_equal(validate(image, length, &error), WLK_CAGE);
    assert_refusal(&error, RULE_IMAGE_STRING_UNUSED);
    free(image);
}

/* ---- names over kinds: a value may not be called like a tensor */

static void test_value_named_like_a_tensor(void **state) {
    (void)state;
    wlk_error error = {0};
    value_record *value = (value_record *)(valid.image + record_at(WLK_SECTION_VALUES, SAMPLE_Z));
    const tensor_record *tensor =
        (const tensor_record *)(valid.image + record_at(WLK_SECTION_TENSORS, WLK_F32));
    const uint32_t name = value->name;
    value->name = tensor->name;
    assert_int_equal(validate(valid.image, valid.length, &error), WLK_CAGE);
    value->name = name;
    assert_refusal(&error, RULE_IMAGE_NAME);
}

/* ---- what needs another image than the sample */

static wlk_status validate_with(const image_header *header, uint64_t length, wlk_error *error) {
    wlk_model *model = NULL;
    const image_payloads none = {.count = 0};
    uint8_t *image = calloc(1, length);
    assert_non_null(image);
    memcpy(image, header, sizeof *header);
    return image_validate(image, length, 0, &none, &valid.limits, &model, error);
}

static void test_no_strings_at_all(void **state) {
    (void)state;
    const image_header header = {.magic = IMAGE_MAGIC, .version = IMAGE_VERSION};
    wlk_error error = {0};
    assert_int_equal(validate_with(&header, sizeof header, &error), WLK_CAGE);
    assert_refusal(&error, RULE_IMAGE_STRING);
}

/* The first string is the empty one. */
static void test_no_empty_string(void **state) {
    (void)state;
    struct {
        image_header header;
        string_record string;
        char text[8];
    } image = {{.magic = IMAGE_MAGIC, .version = IMAGE_VERSION}, {0, 1}, "a"};
    wlk_model *model = NULL;
    wlk_error error = {0};
    const image_payloads none = {.count = 0};
    image.header.counts[WLK_SECTION_STRINGS] = 1;
    image.header.counts[WLK_SECTION_TEXT] = 2;
    uint8_t *copy = malloc(sizeof image);
    assert_non_null(copy);
    memcpy(copy, &image, sizeof image);
    assert_int_equal(image_validate(copy, sizeof image, 0, &none, &valid.limits, &model, &error),
                     WLK_CAGE);
    assert_refusal(&error, RULE_IMAGE_STRING);
}

/* Invariant 7: counts of a TiB of records. */
static void test_counts_of_everything(void **state) {
    (void)state;
    image_header header = {.magic = IMAGE_MAGIC, .version = IMAGE_VERSION};
    wlk_error error = {0};
    for (uint32_t i = 0; i < WLK_SECTION_COUNT; i++) header.counts[i] = UINT32_MAX;
    assert_int_equal(validate_with(&header, sizeof header, &error), WLK_CAGE);
    assert_refusal(&error, RULE_IMAGE_LENGTH);
}

static void test_nothing_to_validate(void **state) {
    (void)state;
    wlk_model *model = NULL;
    wlk_error error = {0};
    const image_payloads none = {.count = 0};
    assert_int_equal(image_validate(NULL, 4096, 0, &none, &valid.limits, &model, &error), WLK_CAGE);
    assert_refusal(&error, RULE_IMAGE_LENGTH);
}

static void test_long_evidence(void **state) {
    (void)state;
    image_fixture f;
    wlk_model *model = NULL;
    wlk_error error = {0};
    char text[300];
    uint8_t *image;
    uint64_t length, total;
    uint64_t offsets[WLK_SECTION_COUNT];
    memset(text, 'x', sizeof text);
    image_fixture_open(&f, &valid.limits);
    image_builder *b = f.builder;
    const uint32_t path = image_literal(b, "/kind");
    assert_int_equal(image_meta(b, path, WLK_META_STRING, image_string(b, text, sizeof text, 0), 0),
                     WLK_OK);
    assert_int_equal(image_finding(b, RULE_STRING_UTF8, WLK_NOTE, 0, 0, 0), WLK_OK);
    assert_int_equal(image_finish(b, 0, &image, &length, &error), WLK_OK);
    image_fixture_close(&f);
    assert_true(image_layout(((const image_header *)image)->counts, offsets, &total));
    ((finding_record *)(image + offsets[WLK_SECTION_FINDINGS]))->evidence = 2; /* "", /kind, text */
    const image_payloads none = {.count = 0};
    assert_int_equal(image_validate(image, length, 0, &none, &valid.limits, &model, &error),
                     WLK_CAGE);
    assert_refusal(&error, RULE_IMAGE_FINDING);
}

/* Golden rows are those of the main graph. */
static void test_golden_rows_without_a_graph(void **state) {
    (void)state;
    image_fixture f;
    wlk_model *model = NULL;
    wlk_error error = {0};
    image_fixture_open(&f, &valid.limits);
    assert_int_equal(image_selftest(f.builder, NULL, 0, NULL, 0, 0, 0, 0), WLK_OK);
    assert_int_equal(image_build_model(f.builder, f.sink, 0, &valid.limits, &model, &error),
                     WLK_CAGE);
    assert_refusal(&error, RULE_IMAGE_SELFTEST);
    image_fixture_close(&f);
}

/* ---- an image without anything */

static void test_smallest_image(void **state) {
    (void)state;
    image_fixture f;
    wlk_model *model = NULL;
    wlk_error error = {0};
    image_fixture_open(&f, &valid.limits);
    assert_int_equal(image_build_model(f.builder, f.sink, 0, &valid.limits, &model, &error),
                     WLK_OK);
    assert_int_equal(wlk_model_count(model, WLK_SECTION_STRINGS), 1);
    (void)model_walk_all(model);
    wlk_model_free(model);
    image_fixture_close(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sample_is_accepted),
        cmocka_unit_test(test_single_mutations),
        cmocka_unit_test(test_header),
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_every_other_length),
        cmocka_unit_test(test_every_other_count),
        cmocka_unit_test(test_padding),
        cmocka_unit_test(test_one_record_more_or_less),
        cmocka_unit_test(test_unused_string),
        cmocka_unit_test(test_value_named_like_a_tensor),
        cmocka_unit_test(test_no_strings_at_all),
        cmocka_unit_test(test_no_empty_string),
        cmocka_unit_test(test_counts_of_everything),
        cmocka_unit_test(test_nothing_to_validate),
        cmocka_unit_test(test_long_evidence),
        cmocka_unit_test(test_golden_rows_without_a_graph),
        cmocka_unit_test(test_smallest_image),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

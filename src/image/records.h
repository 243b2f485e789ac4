/* The model image: the one representation between all formats and all users.
 *
 * A flat buffer: image_header, then the sections in the order of wlk_section,
 * each an array of fixed-size little-endian records, padded with zeros to a
 * multiple of 8. Offsets are not stored: they follow from the counts, so
 * sections cannot overlap. Records refer to each other by index; strings are
 * indices into STRINGS.
 *
 * Canonical form, which the validator checks:
 *  - STRINGS tile TEXT in order, each followed by one NUL, are valid UTF-8
 *    without NUL, and strictly ascend by bytes (memcmp, shorter first), so equal
 *    text means equal index. String 0 is "". Every string is used.
 *  - A node's in and out ranges tile EDGES, nodes' attributes tile ATTRIBUTES,
 *    attributes' values, graph inputs and outputs, and selftest lists tile
 *    NUMBERS and EDGES, in the order stated at each record: nothing overlaps and
 *    nothing is unclaimed.
 *  - A reference that may be absent is IMAGE_NONE.
 */
#ifndef WLK_IMAGE_RECORDS_H
#define WLK_IMAGE_RECORDS_H

#include <weighlock/model.h>

#define IMAGE_MAGIC 0x494b4c57u /* "WLKI" */
#define IMAGE_VERSION 1u
#define IMAGE_NONE UINT32_MAX

/* An edge: IMAGE_NONE, or a value index, or EDGE_TENSOR | tensor index. */
#define EDGE_TENSOR 0x80000000u

typedef struct image_header {
    uint32_t magic;
    uint16_t version;
    uint16_t format;     /* wlk_format of the artifact; NONE for a model built in memory */
    uint64_t file_bytes; /* size of the artifact; 0 for a model built in memory */
    uint32_t counts[WLK_SECTION_COUNT];
} image_header;

typedef struct string_record {
    uint32_t offset; /* in TEXT */
    uint32_t length; /* without the NUL */
} string_record;

typedef struct block_record {
    uint32_t kind;     /* string, [a-z0-9_]{1,32} */
    uint32_t elements; /* 1..65536 values */
    uint32_t bytes;    /* 1..65536 bytes */
    uint32_t reserved; /* 0 */
} block_record;

typedef struct tensor_record {
    uint32_t name;   /* string; "" only for a tensor that an attribute refers to */
    uint8_t dtype;   /* wlk_dtype */
    uint8_t rank;    /* <= 8 */
    uint16_t zero;   /* 0 */
    uint32_t block;  /* index in BLOCKS for WLK_BLOCK, else IMAGE_NONE */
    uint32_t buffer; /* number of the payload buffer; IMAGE_NONE if nbytes is 0 */
    uint64_t buffer_offset;
    uint64_t nbytes;
    uint64_t shape[WLK_MAX_RANK]; /* zero behind rank */
} tensor_record;

typedef struct type_record {
    uint8_t kind;      /* wlk_type_kind */
    uint8_t dtype;     /* of a tensor, else 0 */
    uint8_t key_dtype; /* of a map, else 0 */
    uint8_t has_shape; /* 0 or 1, a tensor's */
    uint32_t element;  /* type index below this one's own, else IMAGE_NONE */
    uint32_t rank;
    uint32_t zero;
    int64_t dims[WLK_MAX_RANK];     /* >= 0 or WLK_UNKNOWN_DIM; 0 behind rank */
    uint32_t symbols[WLK_MAX_RANK]; /* string, 0 ("") for none */
} type_record;

/* Each value is defined exactly once, by a graph's input list or by a node's
 * output; names of values and of named tensors are distinct over the model. */
typedef struct value_record {
    uint32_t name; /* string, not "" */
    uint32_t type; /* index in TYPES or IMAGE_NONE */
} value_record;

/* Graph g's inputs are value indices in NUMBERS, its outputs edges in EDGES;
 * both tile these sections graph by graph, before all others. Nodes tile NODES
 * graph by graph. */
typedef struct graph_record {
    uint32_t name;
    uint32_t input_first; /* in NUMBERS */
    uint32_t inputs;
    uint32_t output_first; /* in EDGES */
    uint32_t outputs;
    uint32_t node_first;
    uint32_t nodes;
    uint32_t zero;
} graph_record;

/* in edges, then out edges, contiguous in EDGES, node by node after all graph
 * outputs; attributes contiguous in ATTRIBUTES, strictly ascending by name.
 * Out edges are values or IMAGE_NONE. */
typedef struct node_record {
    uint32_t op;     /* string, not "" */
    uint32_t domain; /* string; "" is ai.onnx */
    uint32_t name;   /* string, may be "" */
    uint32_t graph;
    uint32_t edge_first;
    uint32_t inputs;
    uint32_t outputs;
    uint32_t attribute_first;
    uint32_t attributes;
    uint32_t zero;
} node_record;

/* Values are u64 in NUMBERS, attribute by attribute after all graph inputs:
 * i64, f64 bits, string, tensor, graph or type index, or wlk_dtype. */
typedef struct attribute_record {
    uint32_t name; /* string, not "" */
    uint32_t type; /* wlk_attribute_type */
    uint32_t first;
    uint32_t count; /* 1 for scalar types */
} attribute_record;

/* Pre-order of the metadata tree, root excluded: top-level header keys have
 * paths "/key". value: bool, i64, u64, f64 bits, string index, or for ARRAY and
 * MAP the number of children, which follow. */
typedef struct meta_record {
    uint32_t path; /* string */
    uint32_t type; /* wlk_meta_type */
    uint64_t value;
} meta_record;

/* Tensor indices in NUMBERS, inputs then outputs, behind all attributes. */
typedef struct selftest_record {
    uint32_t first;
    uint32_t inputs; /* as many as the main graph has */
    uint32_t outputs;
    uint32_t zero;
    uint64_t rtol; /* f64 bits, finite, >= 0 */
    uint64_t atol;
} selftest_record;

typedef struct opset_record {
    uint32_t domain;  /* string; strictly ascending */
    uint32_t version; /* >= 1 */
} opset_record;

typedef struct finding_record {
    uint32_t rule;     /* below RULE_COUNT */
    uint32_t severity; /* wlk_severity */
    uint64_t offset;   /* [offset, offset + length) within the file */
    uint64_t length;
    uint32_t evidence; /* string, at most 256 bytes */
    uint32_t zero;
} finding_record;

/* Tile [0, file_bytes) in order, each length > 0. */
typedef struct span_record {
    uint64_t offset;
    uint64_t length;
    uint32_t kind;   /* wlk_span_kind */
    uint32_t tensor; /* for PAYLOAD the first tensor that lies there, else IMAGE_NONE */
} span_record;

/* sizeof one record of each section; EDGES are u32, NUMBERS u64, TEXT u8. */
extern const uint32_t image_record_bytes[WLK_SECTION_COUNT];

/* Offsets of all sections and the image's size from the counts; false if that
 * does not fit in 2^40. */
bool image_layout(const uint32_t counts[WLK_SECTION_COUNT], uint64_t offsets[WLK_SECTION_COUNT],
                  uint64_t *total);

#endif

/* A model on its way to ONNX (docs/onnx.md, section 9): what the parts of the exporter share. */
#ifndef WLK_WRITE_ONNX_SOURCE_H
#define WLK_WRITE_ONNX_SOURCE_H

#include <weighlock/model.h>

#include "write/onnx_out.h"

/* Fields of the messages (onnx.proto of the standard). */
enum {
    MODEL_IR_VERSION = 1,
    MODEL_PRODUCER_NAME = 2,
    MODEL_DOMAIN = 4,
    MODEL_VERSION = 5,
    MODEL_DOC = 6,
    MODEL_GRAPH = 7,
    MODEL_OPSET = 8,
    MODEL_METADATA = 14,
    OPSET_DOMAIN = 1,
    OPSET_VERSION = 2,
    ENTRY_KEY = 1,
    ENTRY_VALUE = 2,
    GRAPH_NODE = 1,
    GRAPH_NAME = 2,
    GRAPH_INITIALIZER = 5,
    GRAPH_INPUT = 11,
    GRAPH_OUTPUT = 12,
    GRAPH_VALUE_INFO = 13,
    NODE_INPUT = 1,
    NODE_OUTPUT = 2,
    NODE_NAME = 3,
    NODE_OP = 4,
    NODE_ATTRIBUTE = 5,
    NODE_DOMAIN = 7,
    ATTRIBUTE_NAME = 1,
    ATTRIBUTE_F = 2,
    ATTRIBUTE_I = 3,
    ATTRIBUTE_S = 4,
    ATTRIBUTE_T = 5,
    ATTRIBUTE_G = 6,
    ATTRIBUTE_FLOATS = 7,
    ATTRIBUTE_INTS = 8,
    ATTRIBUTE_STRINGS = 9,
    ATTRIBUTE_TENSORS = 10,
    ATTRIBUTE_GRAPHS = 11,
    ATTRIBUTE_TYPE_VALUE = 14,
    ATTRIBUTE_TYPE = 20,
    TENSOR_DIMS = 1,
    TENSOR_TYPE = 2,
    TENSOR_STRINGS = 6,
    TENSOR_NAME = 8,
    TENSOR_RAW = 9,
    VALUE_NAME = 1,
    VALUE_TYPE = 2,
    TYPE_TENSOR = 1,
    TYPE_SEQUENCE = 4,
    TYPE_MAP = 5,
    TYPE_OPTIONAL = 9,
    TYPE_ELEMENT = 1,
    TYPE_SHAPE = 2,
    TYPE_KEY = 1,
    TYPE_VALUE = 2,
    SHAPE_DIMENSION = 1,
    DIMENSION_VALUE = 1,
    DIMENSION_SYMBOL = 2
};

/* AttributeProto.type */
enum {
    KIND_FLOAT = 1,
    KIND_INT = 2,
    KIND_STRING = 3,
    KIND_TENSOR = 4,
    KIND_GRAPH = 5,
    KIND_FLOATS = 6,
    KIND_INTS = 7,
    KIND_STRINGS = 8,
    KIND_TENSORS = 9,
    KIND_GRAPHS = 10,
    KIND_TYPE = 13
};

#define ONNX_PREFIX_BYTES 64

typedef struct onnx_source {
    const wlk_model *model;
    uint32_t *makers;               /* by value: the graph that takes or makes it */
    uint8_t *ports;                 /* by value: does a graph take or give it? */
    uint8_t *uses;                  /* by tensor: onnx_use */
    onnx_out *graphs;               /* by graph; each is taken by the attribute that holds it */
    uint32_t graph_count;           /* at least 1: a model without graphs has an empty one */
    uint32_t graph;                 /* that is being written */
    uint32_t opset;                 /* version of ai.onnx; 0: the model has none */
    uint32_t ml_opset;              /* of ai.onnx.ml, also if an expansion brought it in */
    uint32_t made_names;            /* so far */
    char prefix[ONNX_PREFIX_BYTES]; /* begins no name of the model */
    wlk_error *error;
} onnx_source;

typedef enum onnx_use {
    ONNX_USE_EDGE = 1,
    ONNX_USE_ELSEWHERE = 2 /* an attribute, a golden row */
} onnx_use;

#define ONNX_NAME_BYTES (ONNX_PREFIX_BYTES + 16)
/* A name that nothing else has. */
void onnx_make_name(onnx_source *s, char name[ONNX_NAME_BYTES]);

/* write.onnx: what the standard cannot say. */
wlk_status onnx_cannot(const onnx_source *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Is it ai.onnx, which is also spelled ""? */
bool onnx_is_main(const char *domain);

/* ---- onnx_values.c: types and tensors */

/* ONNX's number of a dtype; 0: it has none. */
int64_t onnx_dtype_number(wlk_dtype dtype);
/* A TypeProto as this field. */
wlk_status onnx_put_type(onnx_source *s, uint32_t type, uint32_t field, onnx_out *out);
/* A ValueInfoProto; type may be WLK_NONE. */
wlk_status onnx_put_value(onnx_source *s, const char *name, uint32_t type, uint32_t field,
                          onnx_out *out);
/* A TensorProto; its data are not copied but for texts. */
wlk_status onnx_put_tensor(onnx_source *s, const wlk_tensor *tensor, uint32_t field, onnx_out *out);
/* String i of a str tensor. */
void onnx_put_string(const wlk_tensor *tensor, uint64_t i, uint32_t field, onnx_out *out);

/* ---- onnx_attributes.c: AttributeProtos, as fields of a node */

wlk_status onnx_put_attributes(onnx_source *s, const wlk_node *node, onnx_out *out);
void onnx_put_attribute_int(onnx_out *out, const char *name, int64_t value);
void onnx_put_attribute_text(onnx_out *out, const char *name, const char *text);
/* A packed list, which is emptied. */
void onnx_put_attribute_ints(onnx_out *out, const char *name, onnx_out *numbers);
/* A list of texts: fields of number ATTRIBUTE_STRINGS, which are taken. */
void onnx_put_attribute_texts(onnx_out *out, const char *name, onnx_out *texts);
wlk_status onnx_put_attribute_tensor(onnx_source *s, onnx_out *out, const char *name,
                                     const wlk_tensor *tensor);

/* ---- onnx_graph.c */

/* All graphs; the main one is then s->graphs[0]. */
wlk_status onnx_write_graphs(onnx_source *s);
/* What a node reads or makes: a name of the model, "" if it is omitted. */
const char *onnx_ref_name(const onnx_source *s, wlk_ref ref);
const char *onnx_input_name(const onnx_source *s, uint32_t node, uint32_t i);
const char *onnx_output_name(const onnx_source *s, uint32_t node, uint32_t i);

/* ---- onnx_expand.c, onnx_expand_tree.c: nodes of org.weighlock */

/* Adds to the graph the nodes that stand for this one, and what they need. */
wlk_status onnx_expand(onnx_source *s, uint32_t node, onnx_out *graph);
wlk_status onnx_expand_tree(onnx_source *s, uint32_t node, onnx_out *graph);

/* A node of `domain`; inputs and outputs end with NULL; attributes are taken, NULL: none. */
void onnx_put_node(onnx_out *graph, const char *domain, const char *op, const char *const *inputs,
                   const char *const *outputs, onnx_out *attributes);

/* ---- onnx_metadata.c */

/* Fields of the ModelProto. */
wlk_status onnx_put_metadata(onnx_source *s, onnx_out *model);

#endif

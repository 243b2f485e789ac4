/* The messages of ONNX (onnx.proto of the standard) as a table: which fields there are, of
 * which kinds, once or many times. Field numbers are the standard's. */
#ifndef WLK_FORMATS_ONNX_SCHEMA_H
#define WLK_FORMATS_ONNX_SCHEMA_H

#include <stdbool.h>
#include <stdint.h>

typedef enum proto_message {
    MESSAGE_NONE,
    MESSAGE_MODEL,
    MESSAGE_GRAPH,
    MESSAGE_NODE,
    MESSAGE_ATTRIBUTE,
    MESSAGE_TENSOR,
    MESSAGE_SPARSE,
    MESSAGE_SEGMENT,
    MESSAGE_VALUE,
    MESSAGE_TYPE,
    MESSAGE_TYPE_TENSOR,
    MESSAGE_TYPE_LIST, /* of sequences and optionals */
    MESSAGE_TYPE_MAP,
    MESSAGE_SHAPE,
    MESSAGE_DIMENSION,
    MESSAGE_OPSET,
    MESSAGE_FUNCTION,
    MESSAGE_ENTRY, /* of metadata: key and value */
    MESSAGE_COUNT
} proto_message;

enum {
    MODEL_IR_VERSION = 1,
    MODEL_PRODUCER_NAME = 2,
    MODEL_PRODUCER_VERSION = 3,
    MODEL_DOMAIN = 4,
    MODEL_VERSION = 5,
    MODEL_DOC = 6,
    MODEL_GRAPH = 7,
    MODEL_OPSET = 8,
    MODEL_METADATA = 14,
    MODEL_FUNCTION = 25,

    GRAPH_NODE = 1,
    GRAPH_NAME = 2,
    GRAPH_INITIALIZER = 5,
    GRAPH_DOC = 10,
    GRAPH_INPUT = 11,
    GRAPH_OUTPUT = 12,
    GRAPH_VALUE_INFO = 13,
    GRAPH_SPARSE = 15,

    NODE_INPUT = 1,
    NODE_OUTPUT = 2,
    NODE_NAME = 3,
    NODE_OP = 4,
    NODE_ATTRIBUTE = 5,
    NODE_DOMAIN = 7,
    NODE_OVERLOAD = 8,

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
    ATTRIBUTE_TYPE_VALUES = 15,
    ATTRIBUTE_TYPE = 20,
    ATTRIBUTE_REFERENCE = 21,
    ATTRIBUTE_SPARSE = 22,
    ATTRIBUTE_SPARSES = 23,

    TENSOR_DIMS = 1,
    TENSOR_TYPE = 2,
    TENSOR_SEGMENT = 3,
    TENSOR_FLOATS = 4,
    TENSOR_INT32S = 5,
    TENSOR_STRINGS = 6,
    TENSOR_INT64S = 7,
    TENSOR_NAME = 8,
    TENSOR_RAW = 9,
    TENSOR_DOUBLES = 10,
    TENSOR_UINT64S = 11,
    TENSOR_EXTERNAL = 13,
    TENSOR_LOCATION = 14,

    SPARSE_VALUES = 1,
    SPARSE_INDICES = 2,
    SPARSE_DIMS = 3,

    VALUE_NAME = 1,
    VALUE_TYPE = 2,

    TYPE_TENSOR = 1,
    TYPE_SEQUENCE = 4,
    TYPE_MAP = 5,
    TYPE_OPAQUE = 7,
    TYPE_SPARSE = 8,
    TYPE_OPTIONAL = 9,
    TYPE_ELEMENT = 1, /* of a tensor, a sequence, an optional */
    TYPE_SHAPE = 2,   /* of a tensor */
    TYPE_KEY = 1,     /* of a map */
    TYPE_VALUE = 2,   /* of a map */
    SHAPE_DIMENSION = 1,
    DIMENSION_VALUE = 1,
    DIMENSION_SYMBOL = 2,

    OPSET_DOMAIN = 1,
    OPSET_VERSION = 2,

    FUNCTION_NAME = 1,
    FUNCTION_INPUT = 4,
    FUNCTION_OUTPUT = 5,
    FUNCTION_ATTRIBUTE = 6,
    FUNCTION_NODE = 7,
    FUNCTION_OPSET = 9,
    FUNCTION_DOMAIN = 10,
    FUNCTION_DEFAULT = 11, /* attribute_proto */
    FUNCTION_VALUE_INFO = 12,
    FUNCTION_OVERLOAD = 13,

    ENTRY_KEY = 1,
    ENTRY_VALUE = 2,
};

typedef enum field_kind {
    FIELD_UNKNOWN, /* not of the table */
    FIELD_INT,
    FIELD_FLOAT,
    FIELD_DOUBLE,
    FIELD_TEXT, /* or bytes */
    FIELD_MESSAGE,
    FIELD_IGNORED /* a message that inference does not need and nothing looks into */
} field_kind;

typedef struct field_schema {
    uint8_t kind; /* field_kind */
    uint8_t many; /* 1: may come again; numbers may then be packed */
    uint8_t message;
    uint8_t choice; /* 1: only one of the message's choices may be there */
} field_schema;

#define SCHEMA_FIELDS 32 /* numbers from here on are unknown */

/* The row of a field, whose kind is FIELD_UNKNOWN if the message has none of that number. */
const field_schema *onnx_schema_field(proto_message message, uint32_t number);

/* "NodeProto" ... */
const char *onnx_schema_name(proto_message message);

#endif

#include "formats/onnx/schema.h"

#define INT \
    { FIELD_INT, 0, 0, 0 }
#define INTS \
    { FIELD_INT, 1, 0, 0 }
#define FLOAT \
    { FIELD_FLOAT, 0, 0, 0 }
#define FLOATS \
    { FIELD_FLOAT, 1, 0, 0 }
#define DOUBLES \
    { FIELD_DOUBLE, 1, 0, 0 }
#define TEXT \
    { FIELD_TEXT, 0, 0, 0 }
#define TEXTS \
    { FIELD_TEXT, 1, 0, 0 }
#define ONE(message) \
    { FIELD_MESSAGE, 0, message, 0 }
#define MANY(message) \
    { FIELD_MESSAGE, 1, message, 0 }
#define CHOICE(kind, message) \
    { kind, 0, message, 1 }
#define IGNORED \
    { FIELD_IGNORED, 1, 0, 0 }

static const field_schema fields[MESSAGE_COUNT][SCHEMA_FIELDS] =
    {
        [MESSAGE_MODEL] =
            {
                [MODEL_IR_VERSION] = INT,
                [MODEL_PRODUCER_NAME] = TEXT,
                [MODEL_PRODUCER_VERSION] = TEXT,
                [MODEL_DOMAIN] = TEXT,
                [MODEL_VERSION] = INT,
                [MODEL_DOC] = TEXT,
                [MODEL_GRAPH] = ONE(MESSAGE_GRAPH),
                [MODEL_OPSET] = MANY(MESSAGE_OPSET),
                [MODEL_METADATA] = MANY(MESSAGE_ENTRY),
                [20] = IGNORED, /* training_info */
                [MODEL_FUNCTION] = MANY(MESSAGE_FUNCTION),
                [26] = IGNORED, /* configuration: of devices */
            },
        [MESSAGE_GRAPH] =
            {
                [GRAPH_NODE] = MANY(MESSAGE_NODE),
                [GRAPH_NAME] = TEXT,
                [GRAPH_INITIALIZER] = MANY(MESSAGE_TENSOR),
                [GRAPH_DOC] = TEXT,
                [GRAPH_INPUT] = MANY(MESSAGE_VALUE),
                [GRAPH_OUTPUT] = MANY(MESSAGE_VALUE),
                [GRAPH_VALUE_INFO] = MANY(MESSAGE_VALUE),
                [14] = IGNORED, /* quantization_annotation */
                [GRAPH_SPARSE] = MANY(MESSAGE_SPARSE),
                [16] = MANY(MESSAGE_ENTRY), /* metadata_props */
            },
        [MESSAGE_NODE] =
            {
                [NODE_INPUT] = TEXTS,
                [NODE_OUTPUT] = TEXTS,
                [NODE_NAME] = TEXT,
                [NODE_OP] = TEXT,
                [NODE_ATTRIBUTE] = MANY(MESSAGE_ATTRIBUTE),
                [6] = TEXT, /* doc_string */
                [NODE_DOMAIN] = TEXT,
                [NODE_OVERLOAD] = TEXT,
                [9] = MANY(MESSAGE_ENTRY), /* metadata_props */
                [10] = IGNORED,            /* device_configurations */
            },
        [MESSAGE_ATTRIBUTE] =
            {
                [ATTRIBUTE_NAME] = TEXT,
                [ATTRIBUTE_F] = FLOAT,
                [ATTRIBUTE_I] = INT,
                [ATTRIBUTE_S] = TEXT,
                [ATTRIBUTE_T] = ONE(MESSAGE_TENSOR),
                [ATTRIBUTE_G] = ONE(MESSAGE_GRAPH),
                [ATTRIBUTE_FLOATS] = FLOATS,
                [ATTRIBUTE_INTS] = INTS,
                [ATTRIBUTE_STRINGS] = TEXTS,
                [ATTRIBUTE_TENSORS] = MANY(MESSAGE_TENSOR),
                [ATTRIBUTE_GRAPHS] = MANY(MESSAGE_GRAPH),
                [13] = TEXT, /* doc_string */
                [ATTRIBUTE_TYPE_VALUE] = ONE(MESSAGE_TYPE),
                [ATTRIBUTE_TYPE_VALUES] = MANY(MESSAGE_TYPE),
                [ATTRIBUTE_TYPE] = INT,
                [ATTRIBUTE_REFERENCE] = TEXT,
                [ATTRIBUTE_SPARSE] = ONE(MESSAGE_SPARSE),
                [ATTRIBUTE_SPARSES] = MANY(MESSAGE_SPARSE),
            },
        [MESSAGE_TENSOR] =
            {
                [TENSOR_DIMS] = INTS,
                [TENSOR_TYPE] = INT,
                [TENSOR_SEGMENT] = ONE(MESSAGE_SEGMENT),
                [TENSOR_FLOATS] = FLOATS,
                [TENSOR_INT32S] = INTS,
                [TENSOR_STRINGS] = TEXTS,
                [TENSOR_INT64S] = INTS,
                [TENSOR_NAME] = TEXT,
                [TENSOR_RAW] = TEXT,
                [TENSOR_DOUBLES] = DOUBLES,
                [TENSOR_UINT64S] = INTS,
                [12] = TEXT, /* doc_string */
                [TENSOR_EXTERNAL] = MANY(MESSAGE_ENTRY),
                [TENSOR_LOCATION] = INT,
                [16] = MANY(MESSAGE_ENTRY), /* metadata_props */
            },
        [MESSAGE_SPARSE] =
            {
                [SPARSE_VALUES] = ONE(MESSAGE_TENSOR),
                [SPARSE_INDICES] = ONE(MESSAGE_TENSOR),
                [SPARSE_DIMS] = INTS,
            },
        [MESSAGE_SEGMENT] = {[1] = INT, [2] = INT},
        [MESSAGE_VALUE] =
            {
                [VALUE_NAME] = TEXT,
                [VALUE_TYPE] = ONE(MESSAGE_TYPE),
                [3] = TEXT,                /* doc_string */
                [4] = MANY(MESSAGE_ENTRY), /* metadata_props */
            },
        [MESSAGE_TYPE] =
            {
                [TYPE_TENSOR] = CHOICE(FIELD_MESSAGE, MESSAGE_TYPE_TENSOR),
                [TYPE_SEQUENCE] = CHOICE(FIELD_MESSAGE, MESSAGE_TYPE_LIST),
                [TYPE_MAP] = CHOICE(FIELD_MESSAGE, MESSAGE_TYPE_MAP),
                [6] = TEXT, /* denotation */
                [TYPE_OPAQUE] = CHOICE(FIELD_IGNORED, 0),
                [TYPE_SPARSE] = CHOICE(FIELD_IGNORED, 0),
                [TYPE_OPTIONAL] = CHOICE(FIELD_MESSAGE, MESSAGE_TYPE_LIST),
            },
        [MESSAGE_TYPE_TENSOR] = {[TYPE_ELEMENT] = INT, [TYPE_SHAPE] = ONE(MESSAGE_SHAPE)},
        [MESSAGE_TYPE_LIST] = {[TYPE_ELEMENT] = ONE(MESSAGE_TYPE)},
        [MESSAGE_TYPE_MAP] = {[TYPE_KEY] = INT, [TYPE_VALUE] = ONE(MESSAGE_TYPE)},
        [MESSAGE_SHAPE] = {[SHAPE_DIMENSION] = MANY(MESSAGE_DIMENSION)},
        [MESSAGE_DIMENSION] =
            {
                [DIMENSION_VALUE] = CHOICE(FIELD_INT, 0),
                [DIMENSION_SYMBOL] = CHOICE(FIELD_TEXT, 0),
                [3] = TEXT, /* denotation */
            },
        [MESSAGE_OPSET] = {[OPSET_DOMAIN] = TEXT, [OPSET_VERSION] = INT},
        [MESSAGE_FUNCTION] =
            {
                [FUNCTION_NAME] = TEXT,
                [FUNCTION_INPUT] = TEXTS,
                [FUNCTION_OUTPUT] = TEXTS,
                [FUNCTION_ATTRIBUTE] = TEXTS,
                [FUNCTION_NODE] = MANY(MESSAGE_NODE),
                [8] = TEXT, /* doc_string */
                [FUNCTION_OPSET] = MANY(MESSAGE_OPSET),
                [FUNCTION_DOMAIN] = TEXT,
                [FUNCTION_DEFAULT] = MANY(MESSAGE_ATTRIBUTE),
                [FUNCTION_VALUE_INFO] = MANY(MESSAGE_VALUE),
                [FUNCTION_OVERLOAD] = TEXT,
                [14] = MANY(MESSAGE_ENTRY), /* metadata_props */
            },
        [MESSAGE_ENTRY] = {[ENTRY_KEY] = TEXT, [ENTRY_VALUE] = TEXT},
};

static const char *const names[MESSAGE_COUNT] = {
    [MESSAGE_NONE] = "",
    [MESSAGE_MODEL] = "ModelProto",
    [MESSAGE_GRAPH] = "GraphProto",
    [MESSAGE_NODE] = "NodeProto",
    [MESSAGE_ATTRIBUTE] = "AttributeProto",
    [MESSAGE_TENSOR] = "TensorProto",
    [MESSAGE_SPARSE] = "SparseTensorProto",
    [MESSAGE_SEGMENT] = "TensorProto.Segment",
    [MESSAGE_VALUE] = "ValueInfoProto",
    [MESSAGE_TYPE] = "TypeProto",
    [MESSAGE_TYPE_TENSOR] = "TypeProto.Tensor",
    [MESSAGE_TYPE_LIST] = "TypeProto.Sequence",
    [MESSAGE_TYPE_MAP] = "TypeProto.Map",
    [MESSAGE_SHAPE] = "TensorShapeProto",
    [MESSAGE_DIMENSION] = "TensorShapeProto.Dimension",
    [MESSAGE_OPSET] = "OperatorSetIdProto",
    [MESSAGE_FUNCTION] = "FunctionProto",
    [MESSAGE_ENTRY] = "StringStringEntryProto",
};

const field_schema *onnx_schema_field(proto_message message, uint32_t number) {
    return &fields[message][number < SCHEMA_FIELDS ? number : 0]; /* 0 has no row */
}

const char *onnx_schema_name(proto_message message) {
    return names[message];
}

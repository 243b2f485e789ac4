/* A validated model: typed tensors, a declarative graph, metadata.
 *
 * A wlk_model is produced only by image validation, is immutable, and may be
 * read from any number of threads. Every index that an accessor returns is
 * valid for the accessor it belongs to; strings are NUL-terminated, valid
 * UTF-8 without embedded NUL, and live as long as the model.
 */
#ifndef WEIGHLOCK_MODEL_H
#define WEIGHLOCK_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weighlock/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The formats that models are read from. Values are part of the image and of the wire:
 * append only. */
typedef enum wlk_format {
    WLK_FORMAT_NONE = 0, /* none: a model that was built in memory */
    WLK_FORMAT_WLK = 1,
    WLK_FORMAT_ONNX = 2,
    WLK_FORMAT_PICKLE = 3, /* also joblib's files, which are pickles with arrays between opcodes */
    WLK_FORMAT_NPY = 4,
    WLK_FORMAT_COUNT = 5
} wlk_format;

/* "wlk" ...: a format's stable name; NULL for what is none. */
WLK_API const char *wlk_format_name(wlk_format format);

#define WLK_MAX_RANK 8
#define WLK_NONE UINT32_MAX
#define WLK_UNKNOWN_DIM (-1)

/* Element types. Values are part of the image and of the wire: append only. */
typedef enum wlk_dtype {
    WLK_DTYPE_NONE = 0,
    WLK_F64 = 1,
    WLK_F32 = 2,
    WLK_F16 = 3,
    WLK_BF16 = 4,
    WLK_F8E4M3FN = 5,
    WLK_F8E5M2 = 6,
    WLK_F8E4M3FNUZ = 7,
    WLK_F8E5M2FNUZ = 8,
    WLK_F8E8M0 = 9,
    WLK_F6E2M3 = 10,
    WLK_F6E3M2 = 11,
    WLK_F4E2M1 = 12,
    WLK_I64 = 13,
    WLK_I32 = 14,
    WLK_I16 = 15,
    WLK_I8 = 16,
    WLK_I4 = 17,
    WLK_U64 = 18,
    WLK_U32 = 19,
    WLK_U16 = 20,
    WLK_U8 = 21,
    WLK_U4 = 22,
    WLK_BOOL = 23,
    WLK_C64 = 24,
    WLK_C128 = 25,
    WLK_STR = 26,
    WLK_BLOCK = 27,
    WLK_DTYPE_COUNT = 28
} wlk_dtype;

/* "f32", "str" ...; "none" for anything else. */
WLK_API const char *wlk_dtype_name(wlk_dtype dtype);
/* The dtype of that name, WLK_DTYPE_NONE if there is none. */
WLK_API wlk_dtype wlk_dtype_from_name(const char *name, size_t length);
/* Bits of one element: 4, 6, 8 ... 128; 0 for str, block and none. */
WLK_API uint32_t wlk_dtype_bits(wlk_dtype dtype);

/* One array. `data` is row-major, little-endian, at least 64-byte aligned for
 * every tensor of a loaded model, and `nbytes` long.
 *  - sub-byte types are packed low bits first, the last byte padded with zeros;
 *  - bool elements are 0 or 1;
 *  - str holds count+1 u64 offsets, the first 0, ascending, then the UTF-8
 *    bytes: string i is bytes [offset[i], offset[i+1]) behind the offsets;
 *  - block holds blocks of `block_elements` values in `block_bytes` bytes along
 *    the last axis; `block_kind` names their layout. */
typedef struct wlk_tensor {
    const char *name;
    wlk_dtype dtype;
    uint32_t rank;
    uint64_t shape[WLK_MAX_RANK];
    uint64_t count; /* elements: the product of shape */
    const void *data;
    uint64_t nbytes;
    const char *block_kind; /* NULL unless dtype is WLK_BLOCK */
    uint32_t block_elements;
    uint32_t block_bytes;
} wlk_tensor;

/* NaNs and infinities among the elements of a floating-point or complex tensor (a
 * complex number counts once, as NaN if either part is one); 0 for other dtypes.
 * *first is the index of the first such element, or count. */
WLK_API void wlk_tensor_nonfinite(const wlk_tensor *tensor, uint64_t *nan, uint64_t *infinity,
                                  uint64_t *first);

typedef enum wlk_type_kind {
    WLK_TYPE_TENSOR = 1,
    WLK_TYPE_SEQUENCE = 2,
    WLK_TYPE_MAP = 3,
    WLK_TYPE_OPTIONAL = 4
} wlk_type_kind;

/* The type of a value. For a tensor: dtype, and shape if has_shape; a dim is
 * >= 0, or WLK_UNKNOWN_DIM, then `symbol` may name it ("batch") or be NULL.
 * For sequence, map, optional: `element` is the type index of what it holds;
 * a map's key is of key_dtype. */
typedef struct wlk_type {
    wlk_type_kind kind;
    wlk_dtype dtype;
    wlk_dtype key_dtype;
    bool has_shape;
    uint32_t rank;
    int64_t dims[WLK_MAX_RANK];
    const char *symbols[WLK_MAX_RANK];
    uint32_t element;
} wlk_type;

typedef struct wlk_value {
    const char *name;
    uint32_t type; /* type index, or WLK_NONE if not declared */
} wlk_value;

/* What a node's input or output, or a graph's output, refers to. */
typedef enum wlk_ref_kind { WLK_REF_NONE = 0, WLK_REF_VALUE = 1, WLK_REF_TENSOR = 2 } wlk_ref_kind;
typedef struct wlk_ref {
    wlk_ref_kind kind; /* NONE: an omitted optional input or output */
    uint32_t index;    /* value index or tensor index */
} wlk_ref;

/* A graph: graph 0 is the main one; a subgraph's index is larger than that of
 * the graph whose attribute refers to it, and it is referred to once. */
typedef struct wlk_graph {
    const char *name;
    uint32_t inputs;  /* count, see wlk_model_graph_input */
    uint32_t outputs; /* count, see wlk_model_graph_output */
    uint32_t first_node;
    uint32_t nodes; /* nodes [first_node, first_node + nodes), in topological order */
} wlk_graph;

typedef struct wlk_node {
    const char *op;
    const char *domain; /* "" is ai.onnx */
    const char *name;
    uint32_t graph;
    uint32_t inputs;  /* count, see wlk_model_node_input */
    uint32_t outputs; /* count, see wlk_model_node_output */
    uint32_t first_attribute;
    uint32_t attributes; /* sorted by name */
} wlk_node;

typedef enum wlk_attribute_type {
    WLK_ATTR_INT = 1,
    WLK_ATTR_FLOAT = 2,
    WLK_ATTR_STRING = 3,
    WLK_ATTR_TENSOR = 4, /* value: tensor index */
    WLK_ATTR_GRAPH = 5,  /* value: graph index */
    WLK_ATTR_DTYPE = 6,  /* value: wlk_dtype */
    WLK_ATTR_TYPE = 7,   /* value: type index */
    WLK_ATTR_INTS = 8,
    WLK_ATTR_FLOATS = 9,
    WLK_ATTR_STRINGS = 10,
    WLK_ATTR_TENSORS = 11,
    WLK_ATTR_GRAPHS = 12,
    WLK_ATTR_TYPE_COUNT = 13
} wlk_attribute_type;

typedef struct wlk_attribute {
    const char *name;
    wlk_attribute_type type;
    uint32_t count; /* 1 for the scalar types, else the list's length */
    uint32_t first; /* internal: index of the first value */
} wlk_attribute;

typedef enum wlk_meta_type {
    WLK_META_NULL = 1,
    WLK_META_BOOL = 2,
    WLK_META_INT = 3,
    WLK_META_UINT = 4, /* an integer above INT64_MAX */
    WLK_META_FLOAT = 5,
    WLK_META_STRING = 6,
    WLK_META_ARRAY = 7, /* value: number of elements, which follow */
    WLK_META_MAP = 8    /* value: number of entries, which follow */
} wlk_meta_type;

/* One entry of the metadata tree in pre-order. `path` is a JSON Pointer
 * (RFC 6901) from the header's root: "/metadata/metrics/accuracy". */
typedef struct wlk_meta {
    const char *path;
    wlk_meta_type type;
    int64_t i;     /* BOOL, INT, ARRAY, MAP */
    uint64_t u;    /* UINT */
    double f;      /* FLOAT */
    const char *s; /* STRING */
} wlk_meta;

/* A golden row set: feeding `inputs` (tensor indices, in the order of the main
 * graph's inputs) must give `outputs` within |got-want| <= atol + rtol*|want|. */
typedef struct wlk_selftest {
    uint32_t inputs;
    uint32_t outputs;
    double rtol;
    double atol;
} wlk_selftest;

/* What a range of the artifact's bytes is. The map tiles the artifact. */
typedef enum wlk_span_kind {
    WLK_SPAN_ENVELOPE = 1,
    WLK_SPAN_HEADER = 2,
    WLK_SPAN_DIGESTS = 3,
    WLK_SPAN_PADDING = 4,
    WLK_SPAN_PAYLOAD = 5, /* tensor data */
    WLK_SPAN_UNCLAIMED = 6,
    WLK_SPAN_OPCODES = 7,    /* of a pickle */
    WLK_SPAN_ARRAY = 8,      /* elements that tensors were computed from */
    WLK_SPAN_COMPRESSED = 9, /* all of it: what it holds lies elsewhere */
    WLK_SPAN_KIND_COUNT = 10
} wlk_span_kind;
typedef struct wlk_span {
    uint64_t offset;
    uint64_t length;
    wlk_span_kind kind;
    uint32_t tensor; /* for payloads, else WLK_NONE */
} wlk_span;

typedef enum wlk_severity {
    WLK_NOTE = 1,
    WLK_LOW = 2,
    WLK_MEDIUM = 3,
    WLK_HIGH = 4,
    WLK_SEVERITY_COUNT = 5
} wlk_severity;
typedef struct wlk_finding {
    uint32_t rule;
    wlk_severity severity;
    uint64_t offset;
    uint64_t length;
    const char *evidence;
} wlk_finding;

typedef struct wlk_opset {
    const char *domain;
    uint32_t version;
} wlk_opset;

typedef struct wlk_model wlk_model;

/* Releases the model and its payloads. NULL is allowed. */
WLK_API void wlk_model_free(wlk_model *model);

typedef enum wlk_section {
    WLK_SECTION_STRINGS = 0,
    WLK_SECTION_BLOCKS = 1,
    WLK_SECTION_TENSORS = 2,
    WLK_SECTION_TYPES = 3,
    WLK_SECTION_VALUES = 4,
    WLK_SECTION_GRAPHS = 5,
    WLK_SECTION_NODES = 6,
    WLK_SECTION_ATTRIBUTES = 7,
    WLK_SECTION_EDGES = 8,
    WLK_SECTION_NUMBERS = 9,
    WLK_SECTION_METADATA = 10,
    WLK_SECTION_SELFTESTS = 11,
    WLK_SECTION_OPSETS = 12,
    WLK_SECTION_FINDINGS = 13,
    WLK_SECTION_SPANS = 14,
    WLK_SECTION_TEXT = 15,
    WLK_SECTION_COUNT = 16
} wlk_section;
/* The number of records in a section: tensors, nodes, metadata entries ... */
WLK_API uint32_t wlk_model_count(const wlk_model *model, wlk_section section);
/* Bytes of the artifact that this model was read from; 0 if it was built in memory. */
WLK_API uint64_t wlk_model_file_bytes(const wlk_model *model);
/* The format of that artifact. */
WLK_API wlk_format wlk_model_format(const wlk_model *model);

/* Accessors by index. The index must be below the section's count: an index out
 * of range gives an all-zero record with "" for strings. */
WLK_API wlk_tensor wlk_model_tensor(const wlk_model *model, uint32_t index);
WLK_API wlk_type wlk_model_type(const wlk_model *model, uint32_t index);
WLK_API wlk_value wlk_model_value(const wlk_model *model, uint32_t index);
WLK_API wlk_graph wlk_model_graph(const wlk_model *model, uint32_t index);
WLK_API uint32_t wlk_model_graph_input(const wlk_model *model, uint32_t graph, uint32_t i);
WLK_API wlk_ref wlk_model_graph_output(const wlk_model *model, uint32_t graph, uint32_t i);
WLK_API wlk_node wlk_model_node(const wlk_model *model, uint32_t index);
WLK_API wlk_ref wlk_model_node_input(const wlk_model *model, uint32_t node, uint32_t i);
WLK_API wlk_ref wlk_model_node_output(const wlk_model *model, uint32_t node, uint32_t i);
WLK_API wlk_attribute wlk_model_attribute(const wlk_model *model, uint32_t index);
/* Element i of an attribute's values, as the type says: an int (also tensor,
 * graph, type index and dtype), a float, a string. */
WLK_API int64_t wlk_model_attribute_int(const wlk_model *model, const wlk_attribute *a, uint32_t i);
WLK_API double wlk_model_attribute_float(const wlk_model *model, const wlk_attribute *a,
                                         uint32_t i);
WLK_API const char *wlk_model_attribute_string(const wlk_model *model, const wlk_attribute *a,
                                               uint32_t i);
WLK_API wlk_meta wlk_model_meta(const wlk_model *model, uint32_t index);
WLK_API wlk_selftest wlk_model_selftest(const wlk_model *model, uint32_t index);
WLK_API uint32_t wlk_model_selftest_input(const wlk_model *model, uint32_t index, uint32_t i);
WLK_API uint32_t wlk_model_selftest_output(const wlk_model *model, uint32_t index, uint32_t i);
WLK_API wlk_opset wlk_model_opset(const wlk_model *model, uint32_t index);
WLK_API wlk_finding wlk_model_finding(const wlk_model *model, uint32_t index);
WLK_API wlk_span wlk_model_span(const wlk_model *model, uint32_t index);

/* Look-ups by name; WLK_NONE when there is none. */
WLK_API uint32_t wlk_model_find_tensor(const wlk_model *model, const char *name);
WLK_API uint32_t wlk_model_find_meta(const wlk_model *model, const char *path);
WLK_API uint32_t wlk_model_find_attribute(const wlk_model *model, uint32_t node, const char *name);

#ifdef __cplusplus
}
#endif
#endif

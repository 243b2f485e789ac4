/* A value of the graph as shape rules and kernels see it: dtype and dims, known
 * or not yet, and, in a run, where its elements lie. */
#ifndef WLK_INFER_TENSOR_H
#define WLK_INFER_TENSOR_H

#include <weighlock/model.h>

#define TENSOR_ALIGN 64

/* Sets of dtypes, as bits. */
#define DTYPE_BIT(dtype) (1u << (dtype))
#define DTYPES_FLOAT (DTYPE_BIT(WLK_F64) | DTYPE_BIT(WLK_F32))
#define DTYPES_HALF (DTYPE_BIT(WLK_F16) | DTYPE_BIT(WLK_BF16)) /* with OP_HALF (op.h) */
#define DTYPES_WIDE_INT \
    (DTYPE_BIT(WLK_I64) | DTYPE_BIT(WLK_I32) | DTYPE_BIT(WLK_U64) | DTYPE_BIT(WLK_U32))
#define DTYPES_NARROW_INT \
    (DTYPE_BIT(WLK_I16) | DTYPE_BIT(WLK_I8) | DTYPE_BIT(WLK_U16) | DTYPE_BIT(WLK_U8))
#define DTYPES_INT (DTYPES_WIDE_INT | DTYPES_NARROW_INT)

/* What may be known of a value's content before the node that reads it runs. */
typedef enum tensor_origin {
    ORIGIN_UNDEFINED = 0, /* not made by anything yet */
    ORIGIN_CONSTANT = 1,  /* a tensor of the model, or folded from such while planning */
    ORIGIN_INPUT = 2,     /* an input of the graph: known once a run is bound */
    ORIGIN_NODE = 3,      /* computed by the run, not yet known */
    ORIGIN_COMPUTED = 4   /* computed by the run already: its content may be read */
} tensor_origin;

/* What kind of value it is. Only what ONNX's operators make is here: no deeper nesting.
 *  - SEQUENCE: item_count tensors of one dtype, each of its own shape;
 *  - MAP: items[0] are the keys (i64 or str, [n]), items[1] the values ([n]);
 *  - MAPS: a sequence of maps that share their keys (what ZipMap makes): items[0] are
 *    the keys [n], items[1] the values [rows, n];
 *  - OPTIONAL: no item, or one tensor; OPTIONAL_SEQUENCE: `present` says whether the
 *    items are a sequence or nothing is there. */
typedef enum value_kind {
    VALUE_TENSOR = 0,
    VALUE_SEQUENCE = 1,
    VALUE_MAP = 2,
    VALUE_MAPS = 3,
    VALUE_OPTIONAL = 4,
    VALUE_OPTIONAL_SEQUENCE = 5
} value_kind;
#define VALUE_BIT(kind) (1u << (kind))

typedef struct op_tensor op_tensor;
struct op_tensor {
    value_kind kind;
    wlk_dtype dtype;     /* of the tensor, or of the tensors that it holds */
    wlk_dtype key_dtype; /* of a map's keys, else none */
    tensor_origin origin;
    uint32_t rank;              /* WLK_NONE: not known */
    int64_t dims[WLK_MAX_RANK]; /* >= 0, or WLK_UNKNOWN_DIM; 0 behind rank */
    uint64_t count;             /* elements; in a run, and of constants */
    uint64_t text_bytes;        /* str: an upper bound of the text behind the offsets */
    uint64_t nbytes;            /* of data; a kernel that makes str sets it */
    const void *data;
    void *target;           /* the same memory, for the node that makes the value */
    const op_tensor *items; /* what is not a tensor: what it holds, in a run */
    uint64_t item_count;
    bool present; /* of OPTIONAL_SEQUENCE */
};

/* Are rank and every dim known? */
bool tensor_is_known(const op_tensor *tensor);

/* The product of dims[from..to) of a known shape. Cannot overflow where the
 * tensor's own count does not, unless a dim is 0: then saturated. */
uint64_t tensor_span(const op_tensor *tensor, uint32_t from, uint32_t to);

/* count and, but for str, nbytes from the dims; false if they do not fit in 63
 * bits. For str nbytes is the upper bound that text_bytes gives. */
bool tensor_measure(op_tensor *tensor);

/* A tensor of the model, or one that a caller hands in. */
op_tensor tensor_from(const wlk_tensor *tensor, tensor_origin origin);

/* The inverse; name is NULL. */
wlk_tensor tensor_public(const op_tensor *tensor);

/* "f32[?,3]", "i64[]", "f64 of unknown rank": for messages. Returns text. */
#define TENSOR_TEXT_BYTES 64
char *tensor_text(const op_tensor *tensor, char text[TENSOR_TEXT_BYTES]);

/* String i of a str tensor whose payload has been validated. */
typedef struct text_span {
    const char *text;
    uint64_t length;
} text_span;
text_span tensor_string(const op_tensor *tensor, uint64_t i);

#endif

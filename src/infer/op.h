/* What an operator is, and what its shape rule and kernel get to work with.
 *
 * An operator is one row (ops.h). Its shape rule runs twice: while planning,
 * when dims may be unknown, and once more for each run, when they are not; it
 * refuses what cannot fit and sets dtype and dims of every output. Its kernel
 * then finds inputs and outputs of exactly these shapes, and may not fail but
 * for what the elements themselves say (a division by zero, an index).
 *
 * Where the shape of an output depends on what an input holds (Reshape, NonZero),
 * the shape rule asks op_is_known and reads it, and otherwise leaves the rank or the
 * dims unknown. A run computes small known things while it is bound (the arithmetic
 * on shapes); where that does not help it computes all that comes before, and asks
 * the shape rule once more: then every input is known, and it must decide. */
#ifndef WLK_INFER_OP_H
#define WLK_INFER_OP_H

#include "base/error.h"
#include "infer/attributes.h"
#include "infer/tensor.h"

/* An input of an operator. Inputs with the same variable (a letter, ONNX's type
 * variable) have the same dtype; 0 stands alone. */
typedef struct op_port {
    const char *name;
    uint32_t dtypes; /* DTYPE_BIT of each that the kernel takes */
    char variable;
} op_port;

#define OP_MANY UINT32_MAX /* max_inputs, max_outputs: the last port may be repeated */

/* What the core does for a row. */
typedef enum op_flags {
    /* The kernel takes f32; inputs and outputs of f16 and bf16, which the ports list
     * as well, are converted for it, so that it never sees them. */
    OP_HALF = 1,
    /* The one output is input 0's elements in order, whatever its dims: no bytes need move. */
    OP_ALIAS = 2,
    /* What it gives depends on more than its inputs: never folded (random numbers). */
    OP_IMPURE = 4,
    /* The kernel looks at the dims of its inputs, never at what they hold (Shape, Size). */
    OP_DIMS = 8
} op_flags;

struct op_call;
struct run;
struct planner;
struct parallel_pool;
typedef wlk_status (*op_infer)(struct op_call *call);
typedef wlk_status (*op_kernel)(const struct op_call *call);
/* Makes of a node's attributes what its kernel needs, once, when the plan is made:
 * *prepared lies in the plan's memory and is the node's `prepared` from then on (also
 * for the shape rule). Dtypes of the inputs are known, their shapes perhaps. */
typedef wlk_status (*op_prepare)(struct op_call *call, plan_memory *memory, const void **prepared);
/* In the place of a kernel for what the core itself does: subgraphs, sequences. All that
 * comes before has been computed; it makes its outputs' memory itself (infer/frame.h).
 * The shape rule then runs only while planning. */
typedef wlk_status (*op_control)(struct run *run, const struct op_call *call);

typedef struct op_row {
    const char *domain; /* "" is ai.onnx */
    const char *name;
    uint32_t since; /* first opset version with this behaviour */
    uint32_t min_inputs;
    uint32_t max_inputs;
    uint32_t min_outputs;
    uint32_t max_outputs;
    const op_port *ports; /* max_inputs of them; port_count if that is OP_MANY, 0 is 1 */
    uint32_t port_count;
    const uint32_t *kinds; /* VALUE_BITs for each port; NULL: tensors alone */
    const attribute_row *attributes;
    uint32_t attribute_count;
    op_infer infer;
    op_kernel kernel;
    uint32_t flags;     /* op_flags */
    op_prepare prepare; /* NULL: nothing to prepare */
    op_control control; /* NULL: the kernel computes */
} op_row;

/* A node of the plan. Edges: WLK_NONE where omitted, else a value's index, or
 * that of a constant with OP_CONSTANT set. */
#define OP_CONSTANT 0x80000000u
typedef enum node_marks {
    NODE_FOLDED = 1, /* its outputs are constants of the plan */
    NODE_EARLY = 2,  /* a shape rule reads what comes of it: computed while binding, if small */
    NODE_HALF = 4    /* of OP_HALF, with inputs or outputs of f16 or bf16 */
} node_marks;
typedef struct plan_node {
    const op_row *row;
    const attribute_value *attributes;
    const void *prepared;  /* what the row's `prepare` made */
    const uint32_t *edges; /* inputs, then outputs */
    uint32_t inputs;
    uint32_t outputs;
    uint32_t marks;         /* node_marks */
    const uint32_t *shadow; /* NODE_HALF: edges over the shadow (infer/half.h) */
} plan_node;

typedef struct op_call {
    const wlk_model *model;
    const plan_node *node;
    uint32_t node_index; /* in the model */
    bool binding;        /* false while planning */
    op_tensor *values;
    const op_tensor *constants;
    wlk_error *error;
    uint64_t scratch_bytes;     /* set by the shape rule when binding; default 0 */
    uint64_t operations;        /* the same: beyond those for each element in and out */
    void *scratch;              /* for the kernel: so many bytes, aligned */
    uint8_t *wanted;            /* of each value, while planning: was its content asked for? */
    struct planner *planner;    /* while planning */
    struct parallel_pool *pool; /* NULL: one thread */
} op_call;

/* Input or output i, NULL if omitted. An output's dtype and dims are the shape
 * rule's to set (op_set_output), its target the kernel's to fill. */
const op_tensor *op_input(const op_call *call, uint32_t i);
op_tensor *op_output(const op_call *call, uint32_t i);

/* Output i gets dtype and shape; a no-op if it is omitted. For str in a run
 * text_bytes is an upper bound. */
void op_set_output(const op_call *call, uint32_t i, wlk_dtype dtype, uint32_t rank,
                   const int64_t *dims);
void op_set_text(const op_call *call, uint32_t i, uint64_t text_bytes);

/* Makes of output i, whose dtype and dims are set, a value that is not a tensor. */
void op_set_kind(const op_call *call, uint32_t i, value_kind kind, wlk_dtype key_dtype);

/* Is the content of input i known now, that is, may the shape rule read it? An
 * omitted input is not. */
bool op_is_known(const op_call *call, uint32_t i);

/* Element i of an i64 or i32 tensor whose content is known: for lists of axes, dims,
 * positions. */
int64_t op_int(const op_tensor *tensor, uint64_t i);

/* Attribute i of the row's schema: the default where this version of the
 * operator does not have it yet (0, 0.0, NULL). */
attribute_value op_attribute(const op_call *call, uint32_t i);

/* Fills call->error: "node 3 'name' ai.onnx.Gemm-13: ...". Returns the rule's
 * verdict. */
wlk_status op_fail(const op_call *call, wlk_rule rule, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The tensor of attribute i, of type TENSOR; NULL if it is not given. */
const op_tensor *op_attribute_tensor(const op_call *call, uint32_t i);

/* The rule for an input's content that the operator cannot take: plan.value while
 * planning (it is a constant), run.value when binding and in kernels. */
wlk_rule op_value_rule(const op_call *call);

/* The rule for shapes that do not fit: plan.shape while planning, run.shape when
 * binding, for then it is the given inputs that do not fit. */
wlk_rule op_shape_rule(const op_call *call);

/* A shape rule and a kernel that many operators share: output 0 is of input 0's
 * type; output 0 is input 0's bytes, whatever its dims. */
wlk_status op_infer_same(op_call *call);
wlk_status op_copy(const op_call *call);

/* What work costs, in multiply-adds of a dense product (about 1/50 ns): one element
 * that is read or written; a multiply-add of integers; calling for one product. */
#define OP_ELEMENT_COST UINT64_C(32)
#define OP_INTEGER_COST UINT64_C(16)
#define OP_CALL_COST UINT64_C(4096)

/* Adds a * b * c times `cost` operations, saturating. */
void op_add_operations(op_call *call, uint64_t cost, uint64_t a, uint64_t b, uint64_t c);
/* Adds room for `count` elements of `size` bytes, rounded up to TENSOR_ALIGN. */
wlk_status op_need_scratch(op_call *call, uint64_t count, uint64_t size);

#endif

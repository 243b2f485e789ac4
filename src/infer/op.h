/* What an operator is, and what its shape rule and kernel get to work with.
 *
 * An operator is one row (ops.h). Its shape rule runs twice: while planning,
 * when dims may be unknown, and once more for each run, when they are not; it
 * refuses what cannot fit and sets dtype and dims of every output. Its kernel
 * then finds inputs and outputs of exactly these shapes, and may not fail but
 * for what the elements themselves say (a division by zero). */
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

#define OP_MANY UINT32_MAX /* max_inputs: the last port may be repeated */

struct op_call;
typedef wlk_status (*op_infer)(struct op_call *call);
typedef wlk_status (*op_kernel)(const struct op_call *call);

typedef struct op_row {
    const char *domain; /* "" is ai.onnx */
    const char *name;
    uint32_t since; /* first opset version with this behaviour */
    uint32_t min_inputs;
    uint32_t max_inputs;
    uint32_t min_outputs;
    uint32_t max_outputs;
    const op_port *ports; /* max_inputs of them; one if that is OP_MANY */
    const attribute_row *attributes;
    uint32_t attribute_count;
    op_infer infer;
    op_kernel kernel;
} op_row;

/* A node of the plan. Edges: WLK_NONE where omitted, else a value's index, or
 * that of a constant with OP_CONSTANT set. */
#define OP_CONSTANT 0x80000000u
typedef struct plan_node {
    const op_row *row;
    const attribute_value *attributes;
    const uint32_t *edges; /* inputs, then outputs */
    uint32_t inputs;
    uint32_t outputs;
} plan_node;

typedef struct op_call {
    const wlk_model *model;
    const plan_node *node;
    uint32_t node_index; /* in the model */
    bool binding;        /* false while planning */
    op_tensor *values;
    const op_tensor *constants;
    wlk_error *error;
    uint64_t scratch_bytes; /* set by the shape rule when binding; default 0 */
    uint64_t operations;    /* the same: beyond those for each element in and out */
    void *scratch;          /* for the kernel: so many bytes, aligned */
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

/* Is the content of input i known now, that is, may the shape rule read it? */
bool op_is_known(const op_call *call, uint32_t i);

/* Attribute i of the row's schema: the default where this version of the
 * operator does not have it yet (0, 0.0, NULL). */
attribute_value op_attribute(const op_call *call, uint32_t i);

/* Fills call->error: "node 3 'name' ai.onnx.Gemm-13: ...". Returns the rule's
 * verdict. */
wlk_status op_fail(const op_call *call, wlk_rule rule, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The rule for shapes that do not fit: plan.shape while planning, run.shape when
 * binding, for then it is the given inputs that do not fit. */
wlk_rule op_shape_rule(const op_call *call);

/* A shape rule and a kernel that many operators share: output 0 is of input 0's
 * type; output 0 is input 0's bytes, whatever its dims. */
wlk_status op_infer_same(op_call *call);
wlk_status op_copy(const op_call *call);

/* What work costs, in multiply-adds of a BLAS (about 1/50 ns): one element that
 * is read or written; a multiply-add of integers; calling the BLAS once. */
#define OP_ELEMENT_COST 32
#define OP_INTEGER_COST 16
#define OP_CALL_COST 4096

/* Adds a * b * c times `cost` operations, saturating. */
void op_add_operations(op_call *call, uint64_t cost, uint64_t a, uint64_t b, uint64_t c);
/* Adds room for `count` elements of `size` bytes, rounded up to TENSOR_ALIGN. */
wlk_status op_need_scratch(op_call *call, uint64_t count, uint64_t size);

#endif

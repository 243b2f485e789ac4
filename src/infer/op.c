#include "infer/op.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"

const op_tensor *op_input(const op_call *call, uint32_t i) {
    if (i >= call->node->inputs) return NULL;
    const uint32_t edge = call->node->edges[i];
    if (edge == WLK_NONE) return NULL;
    if (edge & OP_CONSTANT) return &call->constants[edge & ~OP_CONSTANT];
    return &call->values[edge];
}

op_tensor *op_output(const op_call *call, uint32_t i) {
    if (i >= call->node->outputs) return NULL;
    const uint32_t edge = call->node->edges[call->node->inputs + i];
    return edge == WLK_NONE ? NULL : &call->values[edge];
}

void op_set_output(const op_call *call, uint32_t i, wlk_dtype dtype, uint32_t rank,
                   const int64_t *dims) {
    op_tensor *out = op_output(call, i);
    if (!out) return;
    *out = (op_tensor){.dtype = dtype, .origin = ORIGIN_NODE, .rank = rank};
    if (rank != WLK_NONE && rank > 0) memcpy(out->dims, dims, rank * sizeof *dims);
}

void op_set_kind(const op_call *call, uint32_t i, value_kind kind, wlk_dtype key_dtype) {
    op_tensor *out = op_output(call, i);
    if (!out) return;
    out->kind = kind;
    out->key_dtype = key_dtype;
}

void op_set_text(const op_call *call, uint32_t i, uint64_t text_bytes) {
    op_tensor *out = op_output(call, i);
    if (out) out->text_bytes = text_bytes;
}

/* A kernel of f32 has a rule that reads f32: it is asked once more with the content
 * converted (half.h). */
static bool is_hidden(const op_call *call, const op_tensor *in) {
    return (call->node->row->flags & OP_HALF) && (DTYPES_HALF & DTYPE_BIT(in->dtype));
}

bool op_is_known(const op_call *call, uint32_t i) {
    const op_tensor *in = op_input(call, i);
    if (!in || is_hidden(call, in)) return false;
    if (in->origin == ORIGIN_CONSTANT || in->origin == ORIGIN_COMPUTED) return true;
    if (call->wanted && !(call->node->edges[i] & OP_CONSTANT)) {
        call->wanted[call->node->edges[i]] = 1;
    }
    return in->origin == ORIGIN_INPUT && call->binding;
}

int64_t op_int(const op_tensor *tensor, uint64_t i) {
    return tensor->dtype == WLK_I64 ? ((const int64_t *)tensor->data)[i]
                                    : ((const int32_t *)tensor->data)[i];
}

const op_tensor *op_attribute_tensor(const op_call *call, uint32_t i) {
    const attribute_value value = op_attribute(call, i);
    return value.given ? &call->constants[value.i] : NULL;
}

wlk_rule op_value_rule(const op_call *call) {
    return call->binding ? RULE_RUN_VALUE : RULE_PLAN_VALUE;
}

attribute_value op_attribute(const op_call *call, uint32_t i) {
    if (i >= call->node->row->attribute_count) return (attribute_value){.given = false};
    return call->node->attributes[i];
}

wlk_status op_fail(const op_call *call, wlk_rule rule, const char *format, ...) {
    char detail[WLK_ERROR_TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(detail, sizeof detail, format, arguments);
    va_end(arguments);
    const wlk_node node = wlk_model_node(call->model, call->node_index);
    char version[16] = ""; /* of the row, once there is one */
    if (call->node->row) (void)snprintf(version, sizeof version, "-%u", call->node->row->since);
    return error_text(call->error, rule, WLK_NO_OFFSET, "node %u '%.40s' %.30s%s%.30s%s: %s",
                      call->node_index, node.name, node.domain, node.domain[0] ? "." : "", node.op,
                      version, detail);
}

wlk_rule op_shape_rule(const op_call *call) {
    return call->binding ? RULE_RUN_SHAPE : RULE_PLAN_SHAPE;
}

wlk_status op_infer_same(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    op_set_output(call, 0, in->dtype, in->rank, in->dims);
    op_set_text(call, 0, in->text_bytes);
    op_set_kind(call, 0, in->kind, in->key_dtype);
    return WLK_OK;
}

wlk_status op_copy(const op_call *call) {
    const op_tensor *in = op_input(call, 0);
    op_tensor *out = op_output(call, 0);
    if (in->nbytes > 0) memcpy(out->target, in->data, in->nbytes);
    out->nbytes = in->nbytes; /* of str perhaps less than planned */
    return WLK_OK;
}

void op_add_operations(op_call *call, uint64_t cost, uint64_t a, uint64_t b, uint64_t c) {
    uint64_t product;
    if (!checked_mul(a, b, &product) || !checked_mul(product, c, &product) ||
        !checked_mul(product, cost, &product) ||
        !checked_add(call->operations, product, &call->operations)) {
        call->operations = UINT64_MAX;
    }
}

wlk_status op_need_scratch(op_call *call, uint64_t count, uint64_t size) {
    uint64_t bytes;
    if (!checked_mul(count, size, &bytes) || !checked_align(bytes, TENSOR_ALIGN, &bytes) ||
        !checked_add(call->scratch_bytes, bytes, &call->scratch_bytes)) {
        return op_fail(call, RULE_RUN_MEMORY, "its working memory");
    }
    return WLK_OK;
}

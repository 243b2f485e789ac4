/* Types and tensors as ONNX has them (onnx_source.h). */
#include "base/bytes.h"
#include "base/onnx_dtype.h"
#include "write/onnx_source.h"

#define DTYPE_NUMBERS 64 /* more than there are */

int64_t onnx_dtype_number(wlk_dtype dtype) {
    for (int64_t i = 1; i < DTYPE_NUMBERS; i++) {
        if (onnx_dtype(i) == dtype && dtype != WLK_DTYPE_NONE) return i;
    }
    return 0;
}

/* ---- types */

static void put_dimension(const wlk_type *type, uint32_t i, onnx_out *shape) {
    onnx_out dimension = {0};
    if (type->dims[i] >= 0) {
        onnx_put_int(&dimension, DIMENSION_VALUE, type->dims[i]);
    } else if (type->symbols[i]) {
        onnx_put_text(&dimension, DIMENSION_SYMBOL, type->symbols[i]);
    }
    onnx_put_message(shape, SHAPE_DIMENSION, &dimension);
}

static wlk_status fill_tensor_type(onnx_source *s, const wlk_type *type, onnx_out *out) {
    const int64_t number = onnx_dtype_number(type->dtype);
    onnx_out shape = {0};
    if (number == 0) return onnx_cannot(s, "a value of dtype %s", wlk_dtype_name(type->dtype));
    onnx_put_int(out, TYPE_ELEMENT, number);
    for (uint32_t i = 0; type->has_shape && i < type->rank; i++) put_dimension(type, i, &shape);
    if (type->has_shape) onnx_put_message(out, TYPE_SHAPE, &shape);
    return WLK_OK;
}

static wlk_status fill_map_type(onnx_source *s, const wlk_type *type, onnx_out *out) {
    const int64_t number = onnx_dtype_number(type->key_dtype);
    if (number == 0) return onnx_cannot(s, "a map's key of dtype %s", wlk_dtype_name(type->dtype));
    onnx_put_int(out, TYPE_KEY, number);
    return onnx_put_type(s, type->element, TYPE_VALUE, out);
}

/* The field of TypeProto, and what it holds. Types nest as deep as validation lets them. */
static wlk_status fill_type(onnx_source *s, const wlk_type *type, onnx_out *inner,
                            uint32_t *field) {
    switch (type->kind) {
        case WLK_TYPE_TENSOR:
            *field = TYPE_TENSOR;
            return fill_tensor_type(s, type, inner);
        case WLK_TYPE_MAP:
            *field = TYPE_MAP;
            return fill_map_type(s, type, inner);
        case WLK_TYPE_SEQUENCE:
            *field = TYPE_SEQUENCE;
            return onnx_put_type(s, type->element, TYPE_ELEMENT, inner);
        case WLK_TYPE_OPTIONAL:
            *field = TYPE_OPTIONAL;
            return onnx_put_type(s, type->element, TYPE_ELEMENT, inner);
    }
    return error_at(s->error, RULE_INTERNAL_DEFECT, WLK_NO_OFFSET);
}

wlk_status onnx_put_type(onnx_source *s, uint32_t index, uint32_t field, onnx_out *out) {
    const wlk_type type = wlk_model_type(s->model, index);
    onnx_out outer = {0};
    onnx_out inner = {0};
    uint32_t kind = 0;
    const wlk_status status = fill_type(s, &type, &inner, &kind);
    onnx_put_message(&outer, kind, &inner);
    onnx_put_message(out, field, &outer);
    return status;
}

wlk_status onnx_put_value(onnx_source *s, const char *name, uint32_t type, uint32_t field,
                          onnx_out *out) {
    onnx_out value = {0};
    onnx_put_text(&value, VALUE_NAME, name);
    const wlk_status status =
        type == WLK_NONE ? WLK_OK : onnx_put_type(s, type, VALUE_TYPE, &value);
    onnx_put_message(out, field, &value);
    return status;
}

/* ---- tensors */

void onnx_put_string(const wlk_tensor *tensor, uint64_t i, uint32_t field, onnx_out *out) {
    const uint8_t *offsets = tensor->data;
    const uint8_t *texts = offsets + 8 * (tensor->count + 1);
    const uint64_t from = load_u64(offsets + 8 * i);
    onnx_put_bytes(out, field, texts + from, load_u64(offsets + 8 * i + 8) - from);
}

wlk_status onnx_put_tensor(onnx_source *s, const wlk_tensor *tensor, uint32_t field,
                           onnx_out *out) {
    const int64_t number = onnx_dtype_number(tensor->dtype);
    onnx_out message = {0};
    if (number == 0) {
        return onnx_cannot(s, "tensor \"%.100s\" is of dtype %s", tensor->name,
                           wlk_dtype_name(tensor->dtype));
    }
    if (!tensor->data && tensor->nbytes > 0) {
        return error_text(s->error, RULE_PLAN_ABSENT, WLK_NO_OFFSET, "tensor \"%.100s\"",
                          tensor->name);
    }
    for (uint32_t i = 0; i < tensor->rank; i++) {
        onnx_put_int(&message, TENSOR_DIMS, (int64_t)tensor->shape[i]);
    }
    onnx_put_int(&message, TENSOR_TYPE, number);
    if (tensor->name[0] != '\0') onnx_put_text(&message, TENSOR_NAME, tensor->name);
    if (tensor->dtype == WLK_STR) {
        for (uint64_t i = 0; i < tensor->count && !message.failed; i++) {
            onnx_put_string(tensor, i, TENSOR_STRINGS, &message);
        }
    } else {
        onnx_put_payload(&message, TENSOR_RAW, tensor->data, tensor->nbytes);
    }
    onnx_put_message(out, field, &message);
    return WLK_OK;
}

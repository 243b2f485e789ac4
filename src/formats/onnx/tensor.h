/* A TensorProto taken apart: what tensor.c builds and sparse.c looks into. */
#ifndef WLK_FORMATS_ONNX_TENSOR_H
#define WLK_FORMATS_ONNX_TENSOR_H

#include "formats/onnx/numbers.h"

typedef struct tensor_form {
    cursor message;
    wlk_dtype dtype;
    uint32_t rank;
    uint64_t shape[WLK_MAX_RANK];
    uint64_t count; /* elements */
    bool is_raw;
    cursor raw;
    number_list list; /* if it is not raw */
    uint64_t nbytes;  /* ... of the payload, but for strings */
} tensor_form;

/* Reads everything but the elements, of which there are as many as the shape says. */
wlk_status onnx_tensor_open(const reader *r, cursor message, tensor_form *form, wlk_error *error);

/* Axes of a list of dimensions. */
wlk_status onnx_tensor_dims(const reader *r, cursor message, uint32_t field, uint64_t *shape,
                            uint32_t *rank, wlk_error *error);

#endif

/* ONNX's numbers for element types (TensorProto.DataType, onnx.proto3), which its
 * files and the "to" of Cast use. */
#ifndef WLK_BASE_ONNX_DTYPE_H
#define WLK_BASE_ONNX_DTYPE_H

#include <weighlock/model.h>

/* The dtype of ONNX's number, WLK_DTYPE_NONE if there is none. */
wlk_dtype onnx_dtype(int64_t number);

#endif

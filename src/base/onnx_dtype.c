#include "base/onnx_dtype.h"

static const wlk_dtype dtypes[] = {
    [1] = WLK_F32,       [2] = WLK_U8,          [3] = WLK_I8,      [4] = WLK_U16,
    [5] = WLK_I16,       [6] = WLK_I32,         [7] = WLK_I64,     [8] = WLK_STR,
    [9] = WLK_BOOL,      [10] = WLK_F16,        [11] = WLK_F64,    [12] = WLK_U32,
    [13] = WLK_U64,      [14] = WLK_C64,        [15] = WLK_C128,   [16] = WLK_BF16,
    [17] = WLK_F8E4M3FN, [18] = WLK_F8E4M3FNUZ, [19] = WLK_F8E5M2, [20] = WLK_F8E5M2FNUZ,
    [21] = WLK_U4,       [22] = WLK_I4,         [23] = WLK_F4E2M1, [24] = WLK_F8E8M0,
    [27] = WLK_F6E2M3,   [28] = WLK_F6E3M2, /* 25 and 26 have 2 bits */
};
#define DTYPES (sizeof dtypes / sizeof *dtypes)

wlk_dtype onnx_dtype(int64_t number) {
    return number > 0 && number < (int64_t)DTYPES ? dtypes[number] : WLK_DTYPE_NONE;
}

/* NumPy's .npy files, versions 1.0 to 3.0 (numpy/lib/format.py; NEP 1): magic,
 * version, header length, a Python dict literal, the array.
 *
 * Numbers of either byte order, bool, U (UTF-32) and S (bytes that are UTF-8)
 * become an array in C order, little-endian. Objects are pickles and refused;
 * structured and other types are unsupported. The file must end where the array
 * ends. */
#ifndef WLK_INPUT_NPY_H
#define WLK_INPUT_NPY_H

#include <weighlock/limits.h>

#include "input/array.h"

/* Parses the whole file data[0..size). Bounded by limits->input_bytes, also for
 * strings, which grow. *array is the caller's. Rules npy.*; offsets are those of
 * the file. */
wlk_status npy_parse(const uint8_t *data, uint64_t size, const wlk_limits *limits,
                     input_array *array, wlk_error *error);

/* Writes a tensor as .npy version 1.0, as numpy.save does: the same bytes for
 * the dtypes f64 f32 f16 i64 i32 i16 i8 u64 u32 u16 u8 bool c64 c128; str as U.
 * Others are npy.dtype. *data is the caller's (mem_free). */
wlk_status npy_format(const wlk_tensor *tensor, uint8_t **data, uint64_t *size, wlk_error *error);

#endif

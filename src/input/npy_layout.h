/* Any tensor of a model as a .npy file, version 1.0, put out piece by piece: what NumPy
 * has no type for becomes integers of the elements' bits. */
#ifndef WLK_INPUT_NPY_LAYOUT_H
#define WLK_INPUT_NPY_LAYOUT_H

#include <weighlock/model.h>

#include "base/error.h"

#define NPY_HEADER_ROOM 512 /* type, eight dimensions of 20 digits, padding */

typedef struct npy_layout {
    char descr[32]; /* numpy's name of the element type: "<f8", "<U12" */
    const char *as; /* "uint16: the bits of bfloat16"; NULL where numpy has the type itself */
    uint32_t rank;
    uint64_t shape[WLK_MAX_RANK]; /* the tensor's; of blocks the last one counts their bytes */
    uint64_t item_bytes;
    uint8_t header[NPY_HEADER_ROOM]; /* magic, version, length, dictionary */
    uint32_t header_bytes;
    uint64_t size; /* of the whole file */
} npy_layout;

/* Takes the file's bytes, in order. */
typedef struct npy_output {
    void *context;
    wlk_status (*put)(void *context, const void *bytes, uint64_t length, wlk_error *error);
} npy_output;

/* Lays the tensor out:
 *  - f64 f32 f16, the integers of 8 to 64 bits, bool, c64 and c128 are numpy's own;
 *  - bf16 is uint16, float8 is uint8: the bits;
 *  - i4 is int8, u4 uint8, f6 and f4 uint8: one element in each;
 *  - str is U, every element as long as the longest: more than `limit` bytes is
 *    npy.width. NumPy takes NULs at the end of a string for padding;
 *  - block is uint8, the bytes of the blocks along the last axis.
 * The data of a str tensor are read, of others not. */
WLK_MUST_USE wlk_status npy_layout_of(const wlk_tensor *tensor, uint64_t limit, npy_layout *layout,
                                      wlk_error *error);

/* Puts the whole file out, layout->size bytes of it. */
WLK_MUST_USE wlk_status npy_put(const wlk_tensor *tensor, const npy_layout *layout,
                                const npy_output *output, wlk_error *error);

#endif

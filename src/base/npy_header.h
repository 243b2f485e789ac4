/* The header of a .npy file: a Python dict literal, read without Python. Both processes read
 * such files: the child models, the parent rows to predict. */
#ifndef WLK_BASE_NPY_HEADER_H
#define WLK_BASE_NPY_HEADER_H

#include <weighlock/model.h>

#include "base/cursor.h"
#include "base/error.h"

typedef struct npy_header {
    wlk_dtype dtype; /* WLK_STR for U and S */
    bool utf32;      /* U: item_bytes / 4 code units; else bytes */
    bool big_endian;
    bool fortran;
    bool objects;        /* a pickle of the array follows; dtype is none */
    uint64_t item_bytes; /* at least 1; of objects 0 */
    uint32_t rank;
    uint64_t shape[WLK_MAX_RANK];
    uint64_t count;        /* product of shape */
    uint64_t offset;       /* of the dict literal in the file */
    uint64_t descr_offset; /* of the dtype in the file */
} npy_header;

/* Takes magic, version and header from the file; the cursor is then at the
 * array. */
wlk_status npy_header_parse(cursor *file, npy_header *header, wlk_error *error);

/* numpy's name of a numeric dtype, little-endian ("<f8", "|b1"); NULL if it has
 * none. */
const char *npy_descr(wlk_dtype dtype);

#endif

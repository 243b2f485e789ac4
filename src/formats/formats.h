/* The parsers: bytes in, model image out; no I/O, no system calls, no globals.
 * One row a format; adding a format is one file and one row. */
#ifndef WLK_FORMATS_FORMATS_H
#define WLK_FORMATS_FORMATS_H

#include <weighlock/limits.h>
#include <weighlock/parse.h>

#include "base/error.h"
#include "image/builder.h"

typedef struct format_input {
    const uint8_t *data; /* the artifact */
    uint64_t size;
    const wlk_limits *limits;
    uint64_t absent; /* bytes behind `size` that are not at hand; 0: the artifact is whole.
                        The artifact's size is the sum, which does not wrap. */
    const uint8_t *pickle_rows; /* what the operator's policy adds to the allowlist of pickles: */
    uint64_t pickle_rows_bytes; /* base/pickle_rows.h, valid; 0: nothing */
} format_input;

/* Parses `input` into the builder, including the byte map. Does not finish it.
 * Returns the first error, with rule and offset in the artifact. */
typedef wlk_status (*format_parse)(const format_input *input, image_builder *builder,
                                   wlk_error *error);

typedef struct format_row {
    wlk_format id; /* the number in an ORDER too */
    const char *name;
    int (*begins)(const uint8_t *data, uint64_t size); /* does it begin like this format? */
    format_parse parse;
} format_row;

/* The row of a format, NULL if there is none. */
const format_row *format_find(uint32_t id);

/* The row of the format that these bytes begin like. Refuses what no row takes for its own
 * (format.unknown), and what more than one does (format.ambiguous): two readers would see two
 * models in it. */
wlk_status format_detect(const uint8_t *data, uint64_t size, const format_row **row,
                         wlk_error *error);

/* .wlk version 1 (docs/format.md). All but the data must be at hand: of payloads
 * that are absent only the places are known, and of zeros between them nothing. */
wlk_status format_parse_wlk(const format_input *input, image_builder *builder, wlk_error *error);

/* ONNX (docs/onnx.md), which has no magic: whether a file is taken for one follows from its
 * outermost fields. */
int onnx_begins(const uint8_t *data, uint64_t size);
wlk_status format_parse_onnx(const format_input *input, image_builder *builder, wlk_error *error);

/* Pickles and joblib's files, compressed or not (docs/pickle.md): scikit-learn's estimators
 * become graphs, other values tensors and metadata. Protocols 0 and 1 have no magic: whether a
 * file is taken for one follows from its first opcodes. */
int pickle_begins(const uint8_t *data, uint64_t size);
wlk_status format_parse_pickle(const format_input *input, image_builder *builder, wlk_error *error);

/* numpy's .npy, versions 1 to 3 (docs/pickle.md). */
int npy_begins(const uint8_t *data, uint64_t size);
wlk_status format_parse_npy(const format_input *input, image_builder *builder, wlk_error *error);

#endif

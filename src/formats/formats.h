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

/* The row of the format that these bytes begin like, NULL if there is none. */
const format_row *format_detect(const uint8_t *data, uint64_t size);

/* .wlk version 1 (docs/format.md). All but the data must be at hand: of payloads
 * that are absent only the places are known, and of zeros between them nothing. */
wlk_status format_parse_wlk(const format_input *input, image_builder *builder, wlk_error *error);

/* ONNX (docs/onnx.md), which has no magic: whether a file is taken for one follows from its
 * outermost fields. */
int onnx_begins(const uint8_t *data, uint64_t size);
wlk_status format_parse_onnx(const format_input *input, image_builder *builder, wlk_error *error);

#endif

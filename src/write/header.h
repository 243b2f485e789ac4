/* The header of a .wlk file (docs/format.md, section 3) from a model. */
#ifndef WLK_WRITE_HEADER_H
#define WLK_WRITE_HEADER_H

#include <weighlock/model.h>

#include "base/error.h"
#include "write/pack.h"
#include "write/packed.h"

#define HEADER_MAX_DEPTH 16 /* of the format, version 1 */

/* What the parts of the header share. */
typedef struct header_source {
    const wlk_model *model;
    const tensor_source *tensors;
    const wlk_model *metadata;      /* whose metadata are written */
    const packed_payload *payloads; /* as they are in the file */
    uint32_t *defining_graph;       /* by value: whose node makes it; WLK_NONE: an input */
    char nameless_prefix[64];       /* begins no name of the model */
} header_source;

/* Encodes the header of a model, but for the metadata, which are those of `metadata`,
 * into out->buffer, which the caller destroys. Rules write.*. */
wlk_status header_encode(const tensor_source *tensors, const wlk_model *metadata,
                         const packed_payload *payloads, packer *out, wlk_error *error);

/* ---- header_graph.c */

/* The values of the keys graphs, opset and selftest. */
wlk_status header_graphs(const header_source *source, packer *out, wlk_error *error);
void header_opset(const header_source *source, packer *out);
void header_selftest(const header_source *source, packer *out);

/* The name of a tensor in the file. */
void header_tensor_name(const header_source *source, uint32_t index, packer *out);

/* ---- header_meta.c */

/* The metadata as an index: for each entry the number of the one behind it and
 * all that it holds. */
typedef struct meta_index {
    const wlk_model *model;
    uint32_t count;
    uint32_t *ends;
} meta_index;

/* Fills in the index and checks every entry against the format's schema. The
 * caller closes it in any case. */
wlk_status meta_index_open(const wlk_model *model, meta_index *index, wlk_error *error);
void meta_index_close(meta_index *index);

/* Encodes one entry and what it holds, keys sorted. */
wlk_status header_meta(const meta_index *index, uint32_t entry, packer *out, wlk_error *error);

/* The last key of an entry's path, unescaped in the manner of compare: orders two
 * escaped keys by the bytes that they stand for. */
int meta_key_compare(const char *a, const char *b);
const char *meta_key_of(const char *path);
/* Packs the key as text. */
void pack_meta_key(packer *out, const char *escaped);

#endif

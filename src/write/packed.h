/* Payloads of a model as a .wlk file holds them: as they are, or compressed where that makes
 * them shorter (docs/format.md, section 4.6). */
#ifndef WLK_WRITE_PACKED_H
#define WLK_WRITE_PACKED_H

#include <stdbool.h>

#include <weighlock/write.h>

#include "base/error.h"

/* The tensors of a file: those of the model, then golden rows that are added to it. */
typedef struct tensor_source {
    const wlk_model *model;
    const wlk_golden *golden; /* NULL: none */
} tensor_source;

uint32_t source_count(const tensor_source *source);
wlk_tensor source_tensor(const tensor_source *source, uint32_t index);

typedef struct packed_payload {
    uint8_t *bytes;  /* compressed; NULL: those of the model */
    uint64_t length; /* in the file; that of the tensor unless it is compressed */
    uint64_t offset; /* from data_off */
} packed_payload;

/* All payloads of the file, in the order of its tensors. *payloads is the caller's
 * (packed_free). Deterministic for one version of the compressor. */
wlk_status packed_payloads(const tensor_source *source, bool compress, packed_payload **payloads,
                           wlk_error *error);

/* The same for a model that was loaded from a .wlk file: only lengths, as its byte map has
 * them. */
wlk_status packed_lengths(const wlk_model *model, packed_payload **payloads, wlk_error *error);

/* Fills in the offsets, which follow from the lengths, and where the last one ends; false if
 * that is beyond all files. */
bool packed_place(const tensor_source *source, packed_payload *payloads, uint64_t *end);

/* Is any of them compressed? */
bool packed_any(const tensor_source *source, const packed_payload *payloads);

/* NULL is allowed. */
void packed_free(const tensor_source *source, packed_payload *payloads);

#endif

/* A whole .wlk file, ready to be put out: envelope, header, digest table, and
 * where each payload goes. The payloads themselves stay in the model; the file
 * is never assembled anywhere but at its destination. */
#ifndef WLK_WRITE_LAYOUT_H
#define WLK_WRITE_LAYOUT_H

#include <weighlock/write.h>

#include "base/envelope.h"
#include "base/error.h"
#include "write/pack.h"
#include "write/packed.h"

typedef struct file_layout {
    tensor_source source;
    wlk_model *metadata; /* in the place of the model's own; NULL: those */
    uint32_t tensors;
    packed_payload *payloads; /* by tensor */
    packer header;
    uint8_t *table;
    envelope envelope;
    uint8_t envelope_bytes[ENVELOPE_BYTES]; /* unsigned */
    uint64_t size;                          /* of the file */
} file_layout;

/* Lays the model out and computes all digests. The caller closes it in any case;
 * it refers to the model. options may be NULL; their key is not looked at. */
wlk_status layout_open(const wlk_model *model, const wlk_write_options *options,
                       file_layout *layout, wlk_error *error);
void layout_close(file_layout *layout);

/* Takes the file's bytes, in order; they stay where they are until the layout is
 * closed. */
typedef struct file_output {
    void *context;
    wlk_status (*put)(void *context, const void *bytes, uint64_t length, wlk_error *error);
} file_output;

wlk_status layout_put(const file_layout *layout, const file_output *output, wlk_error *error);

/* ---- layout_digest.c */

/* A run of the data's bytes: a payload's, or the zeros between two. */
typedef struct data_run {
    const uint8_t *bytes;
    uint64_t length;
} data_run;

/* The run that begins at `offset` of the data, which lies before its end, in or
 * behind the payload of *tensor, which moves on. */
data_run layout_run(const file_layout *layout, uint64_t offset, uint32_t *tensor);

/* Fills in layout->table. */
wlk_status layout_digest(file_layout *layout, uint32_t threads, wlk_error *error);

#endif

/* The only way to get a model: checks an image that came from somewhere else
 * and, if everything holds, turns it into a wlk_model.
 *
 * Nothing in the image is believed. One pass over each section in order, plus
 * two bitmaps over strings and values; memory is bounded by the image's own
 * length. Payload content is read only where accepting it blindly would make
 * the model unusable (str offsets, bool bytes, sub-byte padding). Payloads that stay
 * in the file are checked when they are read, by image_check_payload.
 */
#ifndef WLK_IMAGE_VALIDATE_H
#define WLK_IMAGE_VALIDATE_H

#include <weighlock/limits.h>

#include "base/error.h"
#include "image/records.h"

/* A payload buffer as the parent holds it. Buffers are 64-byte aligned.
 * file_offset: where in the artifact the bytes lie, WLK_NO_OFFSET if decoded. data is
 * NULL for bytes that are only known to lie there, if the payloads say so. */
typedef struct image_buffer {
    const uint8_t *data;
    uint64_t length;
    uint64_t file_offset;
} image_buffer;

/* Everything the model will keep alive. `release` is called once with `owner`
 * when the model is freed, and also when validation fails. */
typedef struct image_payloads {
    const image_buffer *buffers; /* count of them; owned by `owner` */
    uint32_t count;
    void *owner;
    void (*release)(void *owner);
    bool absent; /* the buffers' bytes are not here: tensors with bytes have data NULL */
} image_payloads;

/* Is data[0..tensor->nbytes) a usable payload of this tensor, whose own data are not
 * looked at? file_offset is where in the artifact it lies, or WLK_NO_OFFSET:
 * tensor.payload. */
wlk_status image_check_payload(const wlk_tensor *tensor, const uint8_t *data, uint64_t file_offset,
                               wlk_error *error);

/* Takes over `image` (of mem_alloc, `length` bytes, 8-byte aligned) and `payloads`
 * in every case. file_bytes is the size of the artifact that was loaded, 0 for a
 * model built in memory; the image must say the same. On success *model is the
 * caller's. Rules: image.*. Offsets in errors are offsets in the image, except
 * payload rules, whose offsets are in the artifact where it is known. */
wlk_status image_validate(uint8_t *image, uint64_t length, uint64_t file_bytes,
                          const image_payloads *payloads, const wlk_limits *limits,
                          wlk_model **model, wlk_error *error);

#endif

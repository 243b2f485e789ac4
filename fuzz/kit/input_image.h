/* The input of targets that begin with a model image (fuzz_image.c, fuzz_plan.c): what the
 * process around the validator knows of its own, then what a child says.
 *
 *     image_input              16 bytes
 *     image_input_buffer       16 bytes, `buffers` times
 *     payload bytes            `given` bytes of each buffer, one behind the other
 *     the image                all that is left
 *
 * Little-endian. Any bytes are an input: what does not fit is cut. */
#ifndef WEIGHLOCK_FUZZ_INPUT_IMAGE_H
#define WEIGHLOCK_FUZZ_INPUT_IMAGE_H

#include "base/error.h"
#include "image/validate.h"

typedef struct image_input {
    uint64_t file_bytes; /* size of the artifact */
    uint32_t buffers;
    uint32_t flags;
} image_input;

#define IMAGE_INPUT_ABSENT 1u /* the payloads stay in the file */
#define IMAGE_INPUT_NARROW 2u /* limits that a small image can exceed: image_input_limits */

typedef struct image_input_buffer {
    uint32_t length; /* of the payload, at most IMAGE_INPUT_PAYLOAD */
    uint32_t given;  /* so many of its bytes are in the input, the rest is zeros */
    uint64_t file_offset;
} image_input_buffer;

#define IMAGE_INPUT_PAYLOAD 65536u /* bytes of all payloads together: more is not run */

/* An input taken apart; everything lies within it. */
typedef struct image_parts {
    image_input head; /* `buffers` is how many there are */
    const uint8_t *buffers;
    const uint8_t *payloads; /* the bytes that are given */
    const uint8_t *image;
    uint64_t image_bytes;
} image_parts;

image_parts image_input_parts(const uint8_t *data, size_t size);

/* Buffer i of the input, its `given` bytes cut to what is there; *data are these. Only in
 * order: the bytes of one begin where those of the one before end. Start with *at 0. */
image_input_buffer image_input_buffer_at(const image_parts *parts, uint32_t i, uint64_t *at,
                                         const uint8_t **data);

/* The limits that the input asks for: fuzz_limits(), or narrow ones. */
wlk_limits image_input_limits(const uint8_t *data, size_t size);

/* Validates the image with copies of its payloads, as src/gate does it. *model is the
 * caller's. The error's offset is a place in the image or none: one in the artifact is
 * checked to lie in it (invariant 9) and taken away. */
wlk_status image_input_validate(const uint8_t *data, size_t size, const wlk_limits *limits,
                                wlk_model **model, wlk_error *error);

/* What that may hold at once: all payloads, and what does not grow (the model, a stack of
 * limits->header_depth). For each byte of the input: the image's copy and, for strings of 8
 * bytes without a text, ten bytes of tables; a payload's 16 bytes have 26. */
#define IMAGE_INPUT_MEMORY (IMAGE_INPUT_PAYLOAD + 4096u)
#define IMAGE_INPUT_MEMORY_PER_BYTE 3

#endif

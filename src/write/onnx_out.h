/* Protocol Buffers being written (https://protobuf.dev/programming-guides/encoding): one
 * message, whose own bytes lie in a buffer and whose payloads stay where they are. A failure,
 * no memory or too much to say, sticks, and is looked at once, at the end. */
#ifndef WLK_WRITE_ONNX_OUT_H
#define WLK_WRITE_ONNX_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define ONNX_MOST_BYTES INT32_MAX /* of a message: the limit of Protocol Buffers */

/* A payload that belongs behind the buffer's first `at` bytes. */
typedef struct onnx_piece {
    uint64_t at;
    const void *data;
    uint64_t length;
} onnx_piece;

typedef struct onnx_out {
    uint8_t *bytes;
    uint64_t used;
    uint64_t room;
    onnx_piece *pieces;
    uint64_t piece_count;
    uint64_t piece_room;
    uint64_t payload; /* bytes of all pieces */
    bool failed;
    bool too_large; /* more than ONNX_MOST_BYTES */
} onnx_out;

/* Zero is an empty message. */
void onnx_out_free(onnx_out *out);

/* The message's length. */
uint64_t onnx_out_size(const onnx_out *out);

/* A varint without a tag: an element of a packed list. */
void onnx_put_number(onnx_out *out, uint64_t value);
/* Bytes without a tag. */
void onnx_put_raw(onnx_out *out, const void *data, uint64_t length);
/* Fields. */
void onnx_put_int(onnx_out *out, uint32_t field, int64_t value);
void onnx_put_float(onnx_out *out, uint32_t field, float value);
void onnx_put_text(onnx_out *out, uint32_t field, const char *text);
void onnx_put_bytes(onnx_out *out, uint32_t field, const void *data, uint64_t length);
/* The data are not copied, and must outlive the message. */
void onnx_put_payload(onnx_out *out, uint32_t field, const void *data, uint64_t length);
/* A message or a packed list; it is emptied. */
void onnx_put_message(onnx_out *out, uint32_t field, onnx_out *message);
/* Fields that another has; it is emptied. */
void onnx_put_fields(onnx_out *out, onnx_out *fields);

/* The whole message in runs of bytes. */
typedef wlk_status (*onnx_run)(void *context, const void *bytes, uint64_t length, wlk_error *error);
wlk_status onnx_out_each(const onnx_out *out, onnx_run run, void *context, wlk_error *error);

#endif

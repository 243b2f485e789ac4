#include "write/onnx_out.h"

#include <string.h>

#include "base/bytes.h"
#include "base/memory.h"

enum { VARINT = 0, BYTES = 2, FIXED32 = 5 };

void onnx_out_free(onnx_out *out) {
    mem_free(out->bytes);
    mem_free(out->pieces);
    *out = (onnx_out){0};
}

uint64_t onnx_out_size(const onnx_out *out) {
    return out->used + out->payload;
}

/* ---- memory */

static uint64_t grown(uint64_t room, uint64_t needed) {
    uint64_t more = room < 32 ? 32 : room;
    while (more < needed) more *= 2;
    return more;
}

/* May it become so much longer? */
static bool may_grow(onnx_out *out, uint64_t length) {
    if (length > ONNX_MOST_BYTES || onnx_out_size(out) > ONNX_MOST_BYTES - length) {
        out->failed = out->too_large = true;
    }
    return !out->failed;
}

/* Room for `length` more bytes; NULL if there is none. */
static uint8_t *reserve(onnx_out *out, uint64_t length) {
    if (!may_grow(out, length)) return NULL;
    if (out->room - out->used < length) {
        const uint64_t room = grown(out->room, out->used + length);
        uint8_t *bytes = mem_resize(out->bytes, room);
        if (!bytes) {
            out->failed = true;
            return NULL;
        }
        out->bytes = bytes;
        out->room = room;
    }
    return out->bytes + out->used;
}

void onnx_put_raw(onnx_out *out, const void *data, uint64_t length) {
    uint8_t *to = length > 0 ? reserve(out, length) : NULL;
    if (!to) return;
    memcpy(to, data, length);
    out->used += length;
}

static onnx_piece *reserve_pieces(onnx_out *out, uint64_t count) {
    if (out->piece_room - out->piece_count < count) {
        const uint64_t room = grown(out->piece_room, out->piece_count + count);
        onnx_piece *pieces = mem_resize_array(out->pieces, room, sizeof *pieces);
        if (!pieces) {
            out->failed = true;
            return NULL;
        }
        out->pieces = pieces;
        out->piece_room = room;
    }
    return out->pieces + out->piece_count;
}

/* ---- fields */

#define VARINT_BYTES 10

void onnx_put_number(onnx_out *out, uint64_t value) {
    uint8_t *to = reserve(out, VARINT_BYTES);
    if (!to) return;
    for (; value >= 0x80; value >>= 7) *to++ = (uint8_t)(value | 0x80);
    *to++ = (uint8_t)value;
    out->used = (uint64_t)(to - out->bytes);
}

static void put_tag(onnx_out *out, uint32_t field, uint32_t wire) {
    onnx_put_number(out, (uint64_t)field << 3 | wire);
}

void onnx_put_int(onnx_out *out, uint32_t field, int64_t value) {
    put_tag(out, field, VARINT);
    onnx_put_number(out, (uint64_t)value);
}

void onnx_put_float(onnx_out *out, uint32_t field, float value) {
    uint32_t bits;
    uint8_t bytes[4];
    memcpy(&bits, &value, sizeof bits);
    store_u32(bytes, bits);
    put_tag(out, field, FIXED32);
    onnx_put_raw(out, bytes, sizeof bytes);
}

void onnx_put_bytes(onnx_out *out, uint32_t field, const void *data, uint64_t length) {
    put_tag(out, field, BYTES);
    onnx_put_number(out, length);
    onnx_put_raw(out, data, length);
}

void onnx_put_text(onnx_out *out, uint32_t field, const char *text) {
    onnx_put_bytes(out, field, text, strlen(text));
}

static void put_pieces(onnx_out *out, const onnx_piece *pieces, uint64_t count, uint64_t behind) {
    onnx_piece *to = count > 0 ? reserve_pieces(out, count) : NULL;
    for (uint64_t i = 0; to && i < count && may_grow(out, pieces[i].length); i++) {
        to[i] = pieces[i];
        to[i].at += behind;
        out->payload += pieces[i].length;
        out->piece_count++;
    }
}

void onnx_put_payload(onnx_out *out, uint32_t field, const void *data, uint64_t length) {
    const onnx_piece piece = {0, data, length};
    put_tag(out, field, BYTES);
    onnx_put_number(out, length);
    if (length > 0) put_pieces(out, &piece, 1, out->used);
}

void onnx_put_fields(onnx_out *out, onnx_out *fields) {
    const uint64_t behind = out->used;
    onnx_put_raw(out, fields->bytes, fields->used);
    put_pieces(out, fields->pieces, fields->piece_count, behind);
    out->failed |= fields->failed;
    out->too_large |= fields->too_large;
    onnx_out_free(fields);
}

void onnx_put_message(onnx_out *out, uint32_t field, onnx_out *message) {
    put_tag(out, field, BYTES);
    onnx_put_number(out, onnx_out_size(message));
    onnx_put_fields(out, message);
}

wlk_status onnx_out_each(const onnx_out *out, onnx_run run, void *context, wlk_error *error) {
    uint64_t at = 0;
    for (uint64_t i = 0; i < out->piece_count; i++) {
        const onnx_piece *piece = &out->pieces[i];
        if (piece->at > at) TRY(run(context, out->bytes + at, piece->at - at, error));
        TRY(run(context, piece->data, piece->length, error));
        at = piece->at;
    }
    if (out->used == at) return WLK_OK;
    return run(context, out->bytes + at, out->used - at, error);
}

/* Compressed payloads: frames of zstd, each of one block of the plain payload, whose bytes
 * were moved apart. Every length is known and bounded before a byte is decoded. */
#define ZSTD_STATIC_LINKING_ONLY /* a decoder in memory of our own */
#include <zstd.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/memory.h"
#include "base/shuffle.h"
#include "formats/wlk/reader.h"

#define FREE_BYTES (1u << 20) /* beyond which the limit on growth holds */

static uint64_t place_of(const reader *r, const tensor_entry *tensor) {
    return r->envelope.data_off + tensor->offset;
}

/* The next `length` bytes as a window, or one of 0 bytes if they are not there. */
static cursor window(cursor *from, uint64_t length) {
    cursor slice = cursor_over(from->data, 0, cursor_offset(from));
    (void)cursor_slice(from, length, &slice);
    return slice;
}

/* What is stored, which ends within the file; nothing where the data are absent. */
static cursor stored_of(const reader *r, const tensor_entry *tensor) {
    cursor file = cursor_over(r->input->data, r->input->size, 0);
    cursor stored = window(&file, place_of(r, tensor) + tensor->stored);
    (void)cursor_skip(&stored, place_of(r, tensor));
    return stored;
}

static uint64_t blocks_of(const tensor_entry *tensor) {
    return tensor->nbytes / PACKED_BLOCK_BYTES + (tensor->nbytes % PACKED_BLOCK_BYTES != 0);
}

/* ---- before anything is decoded */

/* The lengths of all frames add up to what is stored behind them. */
static wlk_status check_frames(cursor stored, uint64_t blocks, wlk_error *error) {
    const uint64_t at = cursor_offset(&stored);
    uint32_t length;
    if (blocks > cursor_left(&stored) / PACKED_LENGTH_BYTES) {
        return error_at(error, RULE_DATA_PACKED, at);
    }
    cursor lengths = window(&stored, blocks * PACKED_LENGTH_BYTES);
    while (cursor_u32(&lengths, &length)) {
        if (!cursor_skip(&stored, length)) return error_at(error, RULE_DATA_PACKED, at);
    }
    return cursor_left(&stored) == 0 ? WLK_OK : error_at(error, RULE_DATA_PACKED, at);
}

static wlk_status check_growth(const reader *r, const tensor_entry *tensor, wlk_error *error) {
    uint64_t most;
    if (tensor->nbytes > FREE_BYTES &&
        checked_mul(tensor->stored, r->limits->inflate_ratio, &most) &&
        tensor->nbytes - FREE_BYTES > most) {
        return error_at(error, RULE_LIMIT_INFLATE_RATIO, place_of(r, tensor));
    }
    return WLK_OK;
}

wlk_status packed_measure(const reader *r, tensor_entry *tensor, wlk_error *error) {
    cursor stored = stored_of(r, tensor);
    const bool there = cursor_u64(&stored, &tensor->nbytes);
    if (!there || tensor->nbytes <= PACKED_MIN_BYTES || tensor->nbytes <= tensor->stored) {
        return error_at(error, RULE_DATA_PACKED, place_of(r, tensor));
    }
    TRY(check_frames(stored, blocks_of(tensor), error));
    return check_growth(r, tensor, error);
}

/* ---- decoding */

typedef struct decoder {
    uint8_t *room; /* of `context` */
    ZSTD_DCtx *context;
    uint8_t *block; /* as the frame holds it */
    uint8_t *plain;
} decoder;

static void decoder_close(decoder *d) {
    mem_free(d->room);
    mem_free(d->block);
    mem_free(d->plain);
}

static wlk_status decoder_open(const reader *r, decoder *d, wlk_error *error) {
    const size_t room = ZSTD_estimateDCtxSize();
    if (room + 2ull * PACKED_BLOCK_BYTES > r->limits->inflate_memory) {
        return error_at(error, RULE_LIMIT_INFLATE_MEMORY, WLK_NO_OFFSET);
    }
    d->room = mem_alloc(room);
    d->block = mem_alloc(PACKED_BLOCK_BYTES);
    d->plain = mem_alloc(PACKED_BLOCK_BYTES);
    if (d->room) d->context = ZSTD_initStaticDCtx(d->room, room);
    if (d->context && d->block && d->plain) return WLK_OK;
    return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
}

/* One frame and nothing else: one segment of a known size, without a checksum or a
 * dictionary. */
static bool is_frame_of(const cursor *frame, uint64_t length) {
    ZSTD_frameHeader header;
    return ZSTD_getFrameHeader(&header, frame->data, frame->size) == 0 &&
           header.frameType == ZSTD_frame && header.frameContentSize == length &&
           header.windowSize == length && !header.checksumFlag && header.dictID == 0 &&
           ZSTD_findFrameCompressedSize(frame->data, frame->size) == frame->size;
}

static wlk_status decode(const decoder *d, const tensor_entry *tensor, const cursor *frame,
                         uint64_t length, wlk_error *error) {
    if (!is_frame_of(frame, length) ||
        ZSTD_decompressDCtx(d->context, d->block, length, frame->data, frame->size) != length) {
        return error_at(error, RULE_DATA_PACKED, frame->base);
    }
    unshuffle(d->block, d->plain, length, shuffle_width(tensor->dtype));
    return WLK_OK;
}

static wlk_status decode_all(const reader *r, const decoder *d, const tensor_entry *tensor,
                             wlk_error *error) {
    cursor frames = stored_of(r, tensor);
    uint32_t bytes;
    (void)cursor_skip(&frames, PACKED_HEAD_BYTES);
    cursor lengths = window(&frames, blocks_of(tensor) * PACKED_LENGTH_BYTES);
    for (uint64_t left = tensor->nbytes; cursor_u32(&lengths, &bytes);) {
        const uint64_t length = left < PACKED_BLOCK_BYTES ? left : PACKED_BLOCK_BYTES;
        const cursor frame = window(&frames, bytes);
        TRY(decode(d, tensor, &frame, length, error));
        (void)image_payload(r->builder, d->plain, length); /* the builder keeps its error */
        left -= length;
    }
    return WLK_OK;
}

wlk_status packed_build(const reader *r, const tensor_entry *tensor, wlk_error *error) {
    __attribute__((cleanup(decoder_close))) decoder d = {0};
    TRY(decoder_open(r, &d, error));
    return decode_all(r, &d, tensor, error);
}

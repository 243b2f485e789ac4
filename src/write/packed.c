#include "write/packed.h"

#define ZSTD_STATIC_LINKING_ONLY /* a compressor in memory of our own */
#include <zstd.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/envelope.h"
#include "base/memory.h"
#include "base/shuffle.h"

#define LEVEL 9 /* decoding is as fast for all of them; above, writing takes much longer */

/* What is compressed more than this is not what the default limits accept (inflate_ratio). */
#define MOST_RATIO 1024
#define FREE_BYTES (1u << 20)

typedef struct compressor {
    uint8_t *room; /* of `context` */
    ZSTD_CCtx *context;
    uint8_t *block; /* shuffled */
    uint8_t *frame; /* room for the largest */
    uint64_t frame_room;
} compressor;

static void compressor_close(compressor *c) {
    mem_free(c->room);
    mem_free(c->block);
    mem_free(c->frame);
}

/* A context in memory of one's own is all zeros: the parameters' defaults are not. */
static bool context_open(compressor *c) {
    const size_t room = ZSTD_estimateCCtxSize(LEVEL);
    c->room = mem_alloc(room);
    c->context = c->room ? ZSTD_initStaticCCtx(c->room, room) : NULL;
    return c->context &&
           !ZSTD_isError(ZSTD_CCtx_reset(c->context, ZSTD_reset_session_and_parameters)) &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(c->context, ZSTD_c_compressionLevel, LEVEL));
}

static wlk_status compressor_open(compressor *c, wlk_error *error) {
    c->frame_room = ZSTD_compressBound(PACKED_BLOCK_BYTES);
    c->block = mem_alloc(PACKED_BLOCK_BYTES);
    c->frame = mem_alloc(c->frame_room);
    if (context_open(c) && c->block && c->frame) return WLK_OK;
    return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
}

/* A payload that is being compressed into room for one byte less than it has. */
typedef struct packing {
    const wlk_tensor *tensor;
    uint64_t blocks;
    uint8_t *bytes;
    uint64_t room, used;
    bool fits;
} packing;

/* One block as a frame behind the others; what does not fit is given up. */
static wlk_status add_frame(const compressor *c, packing *p, uint64_t block, wlk_error *error) {
    const uint64_t from = block * PACKED_BLOCK_BYTES, left = p->tensor->nbytes - from;
    const uint64_t length = left < PACKED_BLOCK_BYTES ? left : PACKED_BLOCK_BYTES;
    shuffle((const uint8_t *)p->tensor->data + from, c->block, length,
            shuffle_width(p->tensor->dtype));
    const size_t frame = ZSTD_compress2(c->context, c->frame, c->frame_room, c->block, length);
    if (ZSTD_isError(frame)) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    p->fits = frame <= p->room - p->used;
    if (!p->fits) return WLK_OK;
    store_u32(p->bytes + PACKED_HEAD_BYTES + block * PACKED_LENGTH_BYTES, (uint32_t)frame);
    memcpy(p->bytes + p->used, c->frame, frame);
    p->used += frame;
    return WLK_OK;
}

static wlk_status add_frames(const compressor *c, packing *p, wlk_error *error) {
    p->used = PACKED_HEAD_BYTES + p->blocks * PACKED_LENGTH_BYTES; /* less than there is room */
    p->fits = true;
    store_u64(p->bytes, p->tensor->nbytes);
    for (uint64_t i = 0; i < p->blocks && p->fits; i++) TRY(add_frame(c, p, i, error));
    return WLK_OK;
}

/* May a reader with the default limits refuse it? */
static bool grows_too_much(uint64_t plain, uint64_t stored) {
    return plain > FREE_BYTES && (plain - FREE_BYTES) / MOST_RATIO >= stored;
}

static wlk_status pack(const compressor *c, const wlk_tensor *tensor, packed_payload *out,
                       wlk_error *error) {
    packing p = {.tensor = tensor,
                 .blocks = (tensor->nbytes - 1) / PACKED_BLOCK_BYTES + 1,
                 .bytes = mem_alloc(tensor->nbytes),
                 .room = tensor->nbytes - 1};
    if (!p.bytes) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    const wlk_status status = add_frames(c, &p, error);
    if (status != WLK_OK || !p.fits || grows_too_much(tensor->nbytes, p.used)) {
        mem_free(p.bytes);
        return status;
    }
    uint8_t *shorter = mem_resize(p.bytes, p.used);
    *out = (packed_payload){.bytes = shorter ? shorter : p.bytes, .length = p.used};
    return WLK_OK;
}

/* ---- the tensors of a file */

uint32_t source_count(const tensor_source *source) {
    const wlk_golden *golden = source->golden;
    const uint32_t own = wlk_model_count(source->model, WLK_SECTION_TENSORS);
    return golden ? own + golden->input_count + golden->output_count : own;
}

wlk_tensor source_tensor(const tensor_source *source, uint32_t index) {
    const wlk_golden *golden = source->golden;
    const uint32_t own = wlk_model_count(source->model, WLK_SECTION_TENSORS);
    if (index < own) return wlk_model_tensor(source->model, index);
    index -= own;
    return index < golden->input_count ? golden->inputs[index]
                                       : golden->outputs[index - golden->input_count];
}

/* ---- all of them */

static wlk_status pack_all(const tensor_source *source, packed_payload *payloads,
                           wlk_error *error) {
    __attribute__((cleanup(compressor_close))) compressor c = {0};
    TRY(compressor_open(&c, error));
    for (uint32_t i = 0; i < source_count(source); i++) {
        const wlk_tensor tensor = source_tensor(source, i);
        if (tensor.nbytes > PACKED_MIN_BYTES) TRY(pack(&c, &tensor, &payloads[i], error));
    }
    return WLK_OK;
}

static wlk_status plain_payloads(const tensor_source *source, packed_payload **payloads,
                                 wlk_error *error) {
    const uint32_t count = source_count(source);
    *payloads = mem_zeroed(count ? count : 1, sizeof **payloads);
    if (!*payloads) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    for (uint32_t i = 0; i < count; i++) (*payloads)[i].length = source_tensor(source, i).nbytes;
    return WLK_OK;
}

wlk_status packed_payloads(const tensor_source *source, bool compress, packed_payload **payloads,
                           wlk_error *error) {
    TRY(plain_payloads(source, payloads, error));
    const wlk_status status = compress ? pack_all(source, *payloads, error) : WLK_OK;
    if (status != WLK_OK) {
        packed_free(source, *payloads);
        *payloads = NULL;
    }
    return status;
}

wlk_status packed_lengths(const wlk_model *model, packed_payload **payloads, wlk_error *error) {
    const tensor_source source = {.model = model};
    TRY(plain_payloads(&source, payloads, error));
    for (uint32_t i = 0; i < wlk_model_count(model, WLK_SECTION_SPANS); i++) {
        const wlk_span span = wlk_model_span(model, i);
        if (span.kind == WLK_SPAN_PAYLOAD) (*payloads)[span.tensor].length = span.length;
    }
    return WLK_OK;
}

bool packed_place(const tensor_source *source, packed_payload *payloads, uint64_t *end) {
    *end = 0;
    for (uint32_t i = 0; i < source_count(source); i++) {
        if (!checked_align(*end, ENVELOPE_TENSOR_ALIGN, &payloads[i].offset) ||
            !checked_add(payloads[i].offset, payloads[i].length, end)) {
            return false;
        }
    }
    return true;
}

bool packed_any(const tensor_source *source, const packed_payload *payloads) {
    for (uint32_t i = 0; i < source_count(source); i++) {
        if (payloads[i].bytes) return true;
    }
    return false;
}

void packed_free(const tensor_source *source, packed_payload *payloads) {
    if (!payloads) return;
    for (uint32_t i = 0; i < source_count(source); i++) mem_free(payloads[i].bytes);
    mem_free(payloads);
}

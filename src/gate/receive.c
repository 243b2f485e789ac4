#include "gate/receive.h"

#include <string.h>
#include <sys/mman.h>

#include "base/checked.h"
#include "base/huge.h"
#include "base/memory.h"

#define LARGE_BYTES (1u << 20) /* from here on a buffer is a mapping of its own */
#define BUFFER_ALIGN 64

/* ---- reading */

void reader_start(reader *r, frame_source source) {
    r->source = source;
    r->position = r->used = 0;
}

/* At least one byte, at most `length`; *got 0 at the end of the answer. */
static wlk_status read_some(const reader *r, uint8_t *data, uint64_t length, uint64_t *got,
                            wlk_error *error) {
    return r->source.read(r->source.context, data, length, got, error);
}

static uint64_t take_buffered(reader *r, uint8_t *data, uint64_t length) {
    const uint64_t held = r->used - r->position;
    const uint64_t size = length < held ? length : held;
    memcpy(data, r->buffer + r->position, size);
    r->position += (uint32_t)size;
    return size;
}

static wlk_status refill(reader *r, wlk_error *error) {
    uint64_t got;
    TRY(read_some(r, r->buffer, sizeof r->buffer, &got, error));
    r->position = 0;
    r->used = (uint32_t)got;
    return WLK_OK;
}

/* Exactly `length` bytes. */
static wlk_status read_exactly(reader *r, uint8_t *data, uint64_t length, wlk_error *error) {
    while (length > 0) {
        uint64_t got = take_buffered(r, data, length);
        if (got == 0 && length >= sizeof r->buffer) {
            TRY(read_some(r, data, length, &got, error));
            if (got == 0) return error_at(error, RULE_WIRE_TRUNCATED, WLK_NO_OFFSET);
        } else if (got == 0) {
            TRY(refill(r, error));
            if (r->used == 0) return error_at(error, RULE_WIRE_TRUNCATED, WLK_NO_OFFSET);
        }
        data += got;
        length -= got;
    }
    return WLK_OK;
}

wlk_status receive_end(reader *r, wlk_error *error) {
    if (r->position == r->used) TRY(refill(r, error));
    return r->used == 0 ? WLK_OK : error_at(error, RULE_WIRE_TRAILING, WLK_NO_OFFSET);
}

/* ---- frames */

static wlk_status read_header(reader *r, wire_receiver *receiver, frame_header *header,
                              wlk_error *error) {
    TRY(read_exactly(r, (uint8_t *)header, sizeof *header, error));
    return wire_receive(receiver, header, error);
}

wlk_status receive_hello(reader *r, wire_receiver *receiver, wire_hello *hello, wlk_error *error) {
    frame_header header;
    TRY(read_header(r, receiver, &header, error));
    TRY(read_exactly(r, (uint8_t *)hello, sizeof *hello, error));
    return wire_check_hello(hello, error);
}

static void buffer_free(const image_buffer *buffer) {
    void *data = (void *)(uintptr_t)buffer->data;
    if (buffer->length >= LARGE_BYTES) {
        (void)munmap(data, buffer->length);
    } else {
        mem_free(data);
    }
}

static uint8_t *buffer_new(uint64_t length) {
    if (length < LARGE_BYTES) {
        uint64_t rounded;
        if (!checked_align(length, BUFFER_ALIGN, &rounded)) return NULL;
        return mem_aligned(BUFFER_ALIGN, rounded);
    }
    void *data = huge_map(-1, length, PROT_READ | PROT_WRITE);
    return data != MAP_FAILED ? data : NULL;
}

/* Room for one more buffer; its count is bounded by the receiver. */
static wlk_status grow(received *out, wlk_error *error) {
    if (out->count < out->capacity) return WLK_OK;
    const uint32_t capacity = out->capacity ? out->capacity * 2 : 16;
    image_buffer *buffers = mem_resize(out->buffers, capacity * sizeof *buffers);
    if (!buffers) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    out->buffers = buffers;
    out->capacity = capacity;
    return WLK_OK;
}

/* The sealed copy holds the same bytes there; if not, the error says where. */
static wlk_status compare(const uint8_t *data, uint64_t length, const snapshot *source,
                          uint64_t offset, wlk_error *error) {
    const uint8_t *file = source->data + offset;
    if (memcmp(data, file, length) == 0) return WLK_OK;
    uint64_t same = 0;
    while (data[same] == file[same]) same++;
    return error_at(error, RULE_WIRE_ALTERED, offset + same);
}

/* Bytes that were decoded: they are nowhere but here. */
static wlk_status receive_decoded(reader *r, const frame_header *header, received *out,
                                  wlk_error *error) {
    uint8_t *data = buffer_new(header->length);
    if (!data) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    out->buffers[out->count++] =
        (image_buffer){.data = data, .length = header->length, .file_offset = WLK_NO_OFFSET};
    return read_exactly(r, data, header->length, error);
}

/* Bytes that are said to lie in the file are compared with the sealed copy as they
 * arrive, so that a captured child cannot alter them; from then on both are the
 * same bytes, and the sealed ones are kept (docs/design.md, section 5). Where they
 * are not aligned for use, they are copied. */
static wlk_status receive_raw(reader *r, const frame_header *header, received *out,
                              wlk_error *error) {
    const uint8_t *sealed = out->source->data + header->argument;
    const bool aligned = header->argument % BUFFER_ALIGN == 0;
    uint8_t *copy = aligned ? NULL : buffer_new(header->length);
    if (!aligned && !copy) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    out->buffers[out->count++] = (image_buffer){
        .data = aligned ? sealed : copy, .length = header->length, .file_offset = header->argument};
    for (uint64_t at = 0; at < header->length;) {
        const uint64_t left = header->length - at;
        const uint64_t step = left < sizeof r->arrived ? left : sizeof r->arrived;
        TRY(read_exactly(r, r->arrived, step, error));
        TRY(compare(r->arrived, step, out->source, header->argument + at, error));
        if (copy) memcpy(copy + at, r->arrived, step);
        at += step;
    }
    return WLK_OK;
}

static wlk_status receive_mapped(reader *r, wire_receiver *receiver, const frame_header *header,
                                 received *out, wlk_error *error) {
    uint64_t length;
    TRY(read_exactly(r, (uint8_t *)&length, sizeof length, error));
    TRY(wire_receive_mapped(receiver, header, length, error));
    out->buffers[out->count++] =
        (image_buffer){.data = out->source ? out->source->data + header->argument : NULL,
                       .length = length,
                       .file_offset = header->argument};
    return WLK_OK;
}

static wlk_status receive_data(reader *r, wire_receiver *receiver, const frame_header *header,
                               received *out, wlk_error *error) {
    TRY(grow(out, error));
    if (header->flags & FRAME_MAPPED) return receive_mapped(r, receiver, header, out, error);
    return header->flags & FRAME_RAW ? receive_raw(r, header, out, error)
                                     : receive_decoded(r, header, out, error);
}

static wlk_status receive_image(reader *r, const frame_header *header, received *out,
                                wlk_error *error) {
    out->image = mem_alloc(header->length);
    if (!out->image) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    out->image_length = header->length;
    return read_exactly(r, out->image, header->length, error);
}

static wlk_status receive_refuse(reader *r, wlk_error *error) {
    wire_refuse refuse;
    TRY(read_exactly(r, (uint8_t *)&refuse, sizeof refuse, error));
    TRY(receive_end(r, error));
    return wire_check_refuse(&refuse, error);
}

wlk_status receive_result(reader *r, wire_receiver *receiver, received *out, wlk_error *error) {
    frame_header header;
    for (;;) {
        TRY(read_header(r, receiver, &header, error));
        if (header.type == FRAME_END) return WLK_OK;
        if (header.type == FRAME_REFUSE) return receive_refuse(r, error);
        TRY(header.type == FRAME_DATA ? receive_data(r, receiver, &header, out, error)
                                      : receive_image(r, &header, out, error));
    }
}

static bool lies_in_snapshot(const received *r, const uint8_t *data) {
    if (!r->source || !r->source->data) return false;
    const uintptr_t at = (uintptr_t)data, start = (uintptr_t)r->source->data;
    return at >= start && at - start < r->source->size;
}

bool received_needs_source(const received *r) {
    for (uint32_t i = 0; i < r->count; i++) {
        if (lies_in_snapshot(r, r->buffers[i].data)) return true;
    }
    return false;
}

void received_drop(received *r) {
    for (uint32_t i = 0; i < r->count; i++) {
        const uint8_t *data = r->buffers[i].data;
        if (data && !lies_in_snapshot(r, data)) buffer_free(&r->buffers[i]);
    }
    mem_free(r->buffers);
    mem_free(r->image);
    r->buffers = NULL;
    r->image = NULL;
    r->count = r->capacity = 0;
}

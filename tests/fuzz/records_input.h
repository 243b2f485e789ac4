/* Inputs of fuzz targets made of the image sample (support/image_support.h), which has every
 * kind of record: with its payloads, and as the frames of a whole answer. */
#ifndef WLK_TESTS_FUZZ_RECORDS_INPUT_H
#define WLK_TESTS_FUZZ_RECORDS_INPUT_H

#include "support/image_support.h"

#include "base/memory.h"
#include "kit/input_image.h"
#include "kit/input_wire.h"

enum { RECORDS_BYTES = 32768 };

typedef struct records_input {
    size_t size;
    uint8_t data[RECORDS_BYTES] __attribute__((aligned(16)));
} records_input;

static inline void records_put(records_input *in, const void *bytes, uint64_t length) {
    assert_true(length <= sizeof in->data - in->size);
    if (length) memcpy(in->data + in->size, bytes, length);
    in->size += length;
}

/* The sample for structure_image. */
static inline void records_image(records_input *in) {
    uint8_t *image;
    uint64_t length;
    image_payloads payloads;
    sample_image(&image, &length, &payloads);
    const image_input head = {SAMPLE_FILE_BYTES, payloads.count, 0};
    in->size = 0;
    records_put(in, &head, sizeof head);
    for (uint32_t i = 0; i < payloads.count; i++) {
        const image_buffer *b = &payloads.buffers[i];
        const image_input_buffer row = {(uint32_t)b->length, (uint32_t)b->length, b->file_offset};
        records_put(in, &row, sizeof row);
    }
    for (uint32_t i = 0; i < payloads.count; i++) {
        records_put(in, payloads.buffers[i].data, payloads.buffers[i].length);
    }
    records_put(in, image, length);
    mem_free(image);
    payloads.release(payloads.owner);
}

static inline void records_frame(records_input *in, frame_type type, uint16_t flags,
                                 uint64_t sequence, uint64_t argument, const void *body,
                                 uint64_t length) {
    const frame_header header = frame_make(type, flags, length, sequence, argument);
    records_put(in, &header, sizeof header);
    records_put(in, body, length);
}

static inline void records_hello(records_input *in) {
    wire_hello hello = {.protocol = WIRE_PROTOCOL, .layers = LAYER_COUNT};
    memset(hello.build_id, 0x55, sizeof hello.build_id);
    for (uint16_t i = 0; i < LAYER_COUNT; i++) hello.results[i].layer = i;
    records_frame(in, FRAME_HELLO, 0, 0, 0, &hello, sizeof hello);
}

/* DATA as a child sends it by that transport. */
static inline void records_data(records_input *in, wire_transport transport, uint64_t sequence,
                                const image_buffer *b) {
    if (transport == WIRE_TRANSPORT_PIPE) {
        records_frame(in, FRAME_DATA, FRAME_RAW, sequence, b->file_offset, b->data, b->length);
    } else {
        records_frame(in, FRAME_DATA, FRAME_RAW | FRAME_MAPPED, sequence, b->file_offset,
                      &b->length, sizeof b->length);
    }
}

/* The sample for structure_wire. */
static inline void records_wire(records_input *in, wire_transport transport) {
    static uint8_t file[SAMPLE_FILE_BYTES];
    uint8_t *image;
    uint64_t length, sequence = 1;
    image_payloads payloads;
    sample_image(&image, &length, &payloads);
    memset(file, 0, sizeof file);
    for (uint32_t i = 0; i < payloads.count; i++) {
        const image_buffer *b = &payloads.buffers[i];
        memcpy(file + b->file_offset, b->data, b->length);
    }
    const wire_input head = {.transport = (uint8_t)(transport - 1),
                             .raw_only = 1,
                             .buffers = 64,
                             .file_bytes = sizeof file,
                             .data_from = SAMPLE_DATA_AT,
                             .output_bytes = 8192,
                             .image_bytes = 16384,
                             .given = 4288, /* to the end of the last payload */
                             .given_at = SAMPLE_DATA_AT};
    in->size = 0;
    records_put(in, &head, sizeof head);
    records_put(in, file + SAMPLE_DATA_AT, head.given);
    records_hello(in);
    for (uint32_t i = 0; i < payloads.count; i++) {
        records_data(in, transport, sequence++, &payloads.buffers[i]);
    }
    records_frame(in, FRAME_IMAGE, 0, sequence++, 0, image, length);
    records_frame(in, FRAME_END, 0, sequence, 0, NULL, 0);
    mem_free(image);
    payloads.release(payloads.owner);
}

static inline void records_refuse(records_input *in, wlk_rule rule) {
    const wire_input head = {.raw_only = 1, .file_bytes = 4096};
    const wire_refuse refuse = {.rule = rule, .status = (uint32_t)rule_status(rule), .offset = 12};
    in->size = 0;
    records_put(in, &head, sizeof head);
    records_hello(in);
    records_frame(in, FRAME_REFUSE, 0, 1, 0, &refuse, sizeof refuse);
}

/* An order for a child that waits, and GO with a file. */
static inline void records_order(records_input *in, uint64_t stream_bytes) {
    wire_order order = {.protocol = WIRE_PROTOCOL,
                        .format = stream_bytes ? WIRE_FORMAT_NONE : WIRE_FORMAT_WLK,
                        .transport = WIRE_TRANSPORT_PIPE,
                        .stream_bytes = stream_bytes};
    static const uint8_t file[64];
    if (!stream_bytes) order.snapshot_bytes = order.file_bytes = 4096;
    in->size = 0;
    records_frame(in, FRAME_ORDER, 0, 0, 0, &order, sizeof order);
    records_frame(in, FRAME_GO, 0, 1, stream_bytes ? WIRE_FORMAT_WLK : 0, file, stream_bytes);
}

#endif

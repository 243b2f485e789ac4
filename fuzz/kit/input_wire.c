#include "kit/input_wire.h"

#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "kit/kit.h"

#define FILE_ALIGN 64

_Static_assert(sizeof(wire_input) == 32, "the input has no padding");

static uint64_t least(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

wire_parts wire_input_parts(const uint8_t *data, size_t size) {
    wire_parts parts = {.given = data, .frames = data};
    if (size < sizeof parts.head) return parts;
    wire_input *head = &parts.head;
    memcpy(head, data, sizeof *head);
    const uint64_t left = size - sizeof *head;
    head->file_bytes = (uint32_t)least(head->file_bytes, WIRE_INPUT_FILE);
    head->output_bytes = (uint32_t)least(head->output_bytes, WIRE_INPUT_OUTPUT);
    head->image_bytes = (uint32_t)least(head->image_bytes, WIRE_INPUT_IMAGE);
    head->given = (uint32_t)least(head->given, left);
    parts.given = data + sizeof *head;
    parts.frames = parts.given + head->given;
    parts.frame_bytes = left - head->given;
    return parts;
}

uint8_t wire_input_pattern(uint64_t at) {
    return (uint8_t)(at * 5 + (at >> 8) * 3 + 1);
}

/* ---- the artifact */

static void file_fill(uint8_t *file, const wire_parts *parts) {
    static uint8_t pattern[WIRE_INPUT_FILE];
    const wire_input *head = &parts->head;
    if (pattern[0] != wire_input_pattern(0)) {
        for (uint32_t i = 0; i < WIRE_INPUT_FILE; i++) pattern[i] = wire_input_pattern(i);
    }
    if (head->file_bytes) memcpy(file, pattern, head->file_bytes);
    if (head->given_at >= head->file_bytes) return;
    memcpy(file + head->given_at, parts->given,
           least(head->given, head->file_bytes - head->given_at));
}

/* The sealed copy; of a lazy model the parent has no payloads. */
static wlk_status file_new(wire_hearing *h, wlk_error *error) {
    h->file = SNAPSHOT_NONE;
    if (h->receiver.transport == WIRE_TRANSPORT_LAZY) return WLK_OK;
    uint8_t *file = mem_aligned(FILE_ALIGN, h->parts.head.file_bytes);
    if (!file) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    file_fill(file, &h->parts);
    h->file.data = file;
    h->file.size = h->parts.head.file_bytes;
    return WLK_OK;
}

/* ---- the pipe */

/* Is there a placeholder where HELLO has its build id? */
static bool has_placeholder(const wire_parts *parts) {
    const uint8_t *id = parts->frames + WIRE_INPUT_BUILD_ID;
    if (parts->frame_bytes < WIRE_INPUT_BUILD_ID + WIRE_BUILD_ID_BYTES) return false;
    return memcmp(id, id + 1, WIRE_BUILD_ID_BYTES - 1) == 0;
}

static wlk_status read_frames(void *context, uint8_t *data, uint64_t length, uint64_t *got,
                              wlk_error *error) {
    wire_hearing *h = context;
    const uint64_t asked = h->parts.head.step ? least(length, h->parts.head.step) : length;
    const uint64_t from = h->position;
    const uint64_t size = least(asked, h->parts.frame_bytes - from);
    (void)error;
    if (size) memcpy(data, h->parts.frames + from, size);
    if (from < WIRE_INPUT_BUILD_ID + WIRE_BUILD_ID_BYTES && has_placeholder(&h->parts)) {
        for (uint64_t i = 0; i < size; i++) {
            const uint64_t at = from + i - WIRE_INPUT_BUILD_ID; /* wraps before it */
            if (at < WIRE_BUILD_ID_BYTES) data[i] = wire_build_id[at];
        }
    }
    h->position += size;
    *got = size;
    return WLK_OK;
}

/* ---- the parent */

/* What session.c's start_listening allows. */
static void expect_answer(wire_hearing *h) {
    const wire_input *head = &h->parts.head;
    wire_receiver *receiver = &h->receiver;
    const bool lazy = receiver->transport == WIRE_TRANSPORT_LAZY;
    receiver->budget = lazy ? UINT64_MAX : head->output_bytes;
    receiver->image_limit = head->image_bytes;
    receiver->file_bytes = head->file_bytes;
    receiver->data_from = head->data_from;
    receiver->max_buffers = head->buffers;
    receiver->raw_only = head->raw_only & 1;
    h->result.source = lazy ? NULL : &h->file;
}

static void result_release(void *owner) {
    received_drop(owner);
}

/* What the gate makes of END: the model takes the result over. */
static wlk_status make_model(wire_hearing *h, const wlk_limits *limits, wlk_model **model,
                             wlk_error *error) {
    uint8_t *image = h->result.image;
    h->result.image = NULL;
    const image_payloads payloads = {.buffers = h->result.buffers,
                                     .count = h->result.count,
                                     .owner = &h->result,
                                     .release = result_release,
                                     .absent = h->receiver.transport == WIRE_TRANSPORT_LAZY};
    return image_validate(image, h->result.image_length, h->parts.head.file_bytes, &payloads,
                          limits, model, error);
}

static wlk_status hear(wire_hearing *h, reader *ear, wlk_model **model, wlk_error *error) {
    wire_hello hello;
    wlk_limits limits = *fuzz_limits();
    TRY(receive_hello(ear, &h->receiver, &hello, error));
    expect_answer(h);
    TRY(file_new(h, error));
    TRY(receive_result(ear, &h->receiver, &h->result, error));
    h->ended = true;
    limits.output_bytes =
        h->receiver.transport == WIRE_TRANSPORT_LAZY ? UINT64_MAX : h->parts.head.output_bytes;
    limits.image_bytes = h->parts.head.image_bytes;
    TRY(make_model(h, &limits, model, error));
    return receive_end(ear, error);
}

/* Rules whose offset is one in the artifact, and REFUSE, whose offset is the child's word. */
static void take_place_away(const wire_hearing *h, wlk_error *error) {
    const bool altered = error->rule == RULE_WIRE_ALTERED;
    const bool payload = error->rule == RULE_TENSOR_PAYLOAD || error->rule == RULE_IMAGE_BUFFER;
    FUZZ_CHECK(9, !altered || error->offset < h->file.size);
    FUZZ_CHECK(9, !(payload && h->ended) || error->offset == WLK_NO_OFFSET ||
                      error->offset < h->parts.head.file_bytes);
    if (altered || payload || !h->ended) error->offset = WLK_NO_OFFSET;
}

wlk_status wire_hear(wire_hearing *h, const uint8_t *data, size_t size, wlk_model **model,
                     wlk_error *error) {
    static reader ear; /* large, and reader_start makes it new */
    *h = (wire_hearing){.parts = wire_input_parts(data, size), .file = SNAPSHOT_NONE};
    h->receiver.transport = (wire_transport)(h->parts.head.transport % 3 + 1);
    reader_start(&ear, (frame_source){h, read_frames});
    *model = NULL;
    const wlk_status status = hear(h, &ear, model, error);
    if (status == WLK_OK) return status;
    wlk_model_free(*model);
    *model = NULL;
    take_place_away(h, error);
    return status;
}

void wire_hearing_drop(wire_hearing *h) {
    received_drop(&h->result);
    mem_free((void *)(uintptr_t)h->file.data);
}

/* ---- what was accepted */

static void check_buffer(const wire_hearing *h, const image_buffer *buffer) {
    const wire_input *head = &h->parts.head;
    const uint64_t at = buffer->file_offset;
    FUZZ_CHECK(7, buffer->length > 0);
    FUZZ_CHECK(5, at != WLK_NO_OFFSET || (head->raw_only & 1) == 0);
    if (at == WLK_NO_OFFSET) return;
    FUZZ_CHECK(5, at >= head->data_from && at <= head->file_bytes &&
                      buffer->length <= head->file_bytes - at);
    if (h->file.data) FUZZ_CHECK(5, memcmp(buffer->data, h->file.data + at, buffer->length) == 0);
}

void wire_check_taken(const wire_hearing *h) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < h->result.count; i++) {
        check_buffer(h, &h->result.buffers[i]);
        sum += h->result.buffers[i].length;
    }
    FUZZ_CHECK(6, h->ended && h->receiver.state == WIRE_DONE);
    FUZZ_CHECK(6, h->position == h->parts.frame_bytes); /* nothing behind END */
    FUZZ_CHECK(7, h->result.count <= h->parts.head.buffers);
    FUZZ_CHECK(7, !h->file.data || sum <= h->parts.head.output_bytes);
}

/* Frames from a child that may lie: holds every one against the protocol and the
 * budgets, and keeps what it sent. Nothing is believed until the child has ended well and
 * the image validated. Where the bytes come from is the source's business: the pipe of a
 * child (gate/listen.h), or memory, so that all of this can be tested and fuzzed without
 * a child. */
#ifndef WLK_GATE_RECEIVE_H
#define WLK_GATE_RECEIVE_H

#include "gate/snapshot.h"
#include "image/validate.h"
#include "wire/frame.h"

#define READER_BUFFER 16384
#define READER_STEP (256u << 10) /* payload bytes are compared while they are in the cache */

/* What an answer is read from. */
typedef struct frame_source {
    void *context;
    /* At least one byte, at most `length`; *got is 0 at the end of the answer. */
    wlk_status (*read)(void *context, uint8_t *data, uint64_t length, uint64_t *got,
                       wlk_error *error);
} frame_source;

/* Reads from a source; small reads come out of a buffer. */
typedef struct reader {
    frame_source source;
    uint32_t position, used;
    uint8_t buffer[READER_BUFFER];
    uint8_t arrived[READER_STEP];
} reader;

/* Nothing has been read yet; the buffers need not be set. */
void reader_start(reader *r, frame_source source);

/* HELLO and its checks. */
wlk_status receive_hello(reader *r, wire_receiver *receiver, wire_hello *hello, wlk_error *error);

/* What a child sent. Owned payloads are freed with received_drop, or with the
 * model that takes them over. */
typedef struct received {
    image_buffer *buffers;
    uint32_t count, capacity;
    const snapshot *source; /* RAW bytes are compared with it and then lie in it; NULL: they
                               are only named, and their buffers have no data */
    uint8_t *image;
    uint64_t image_length;
} received;

/* Everything from GO to END. A REFUSE, and the end of file behind it, comes back as
 * the error it names. On failure the caller drops what was received. */
wlk_status receive_result(reader *r, wire_receiver *receiver, received *out, wlk_error *error);

/* The end of file that must follow END. */
wlk_status receive_end(reader *r, wlk_error *error);

/* Does a buffer lie in the sealed copy, so that it must live on? */
bool received_needs_source(const received *r);

/* Frees the buffers that do not lie in the sealed copy, and the image. */
void received_drop(received *r);

#endif

/* The child's end of the pipes: reads ORDER and GO, writes frames. Only read(0)
 * and write(1), so it works the same before and after the lock-down. */
#ifndef WLK_CAGE_CHANNEL_H
#define WLK_CAGE_CHANNEL_H

#include <stdbool.h>

#include "cage/layers.h"
#include "image/builder.h"
#include "wire/frame.h"

/* Frames shorter than this are collected and written together. */
#define CHANNEL_BUFFER 65536

typedef struct channel {
    uint64_t sequence;  /* of the next frame out */
    uint32_t transport; /* wire_transport */
    bool mapped;        /* the current buffer's bytes stay here: the parent maps them */
    uint64_t left;      /* bytes of the current buffer that are announced and not yet given */
    uint32_t used;
    uint8_t buffer[CHANNEL_BUFFER];
} channel;

/* Reads exactly `length` bytes from fd 0; false at end of file. */
bool channel_read(void *data, uint64_t length);

/* Reads and checks ORDER and its policy blob, which has room for WIRE_MAX_POLICY
 * bytes. */
wlk_status channel_read_order(wire_order *order, uint8_t *policy, wlk_error *error);

/* Waits for GO; false when the parent went away or said anything else. The file that
 * comes with it becomes the snapshot. */
bool channel_wait_go(cage *c);

/* Ends a buffer that was announced and cannot be finished, with zeros: what follows it is a
 * REFUSE. */
bool channel_fill(channel *out);

/* Sends a whole frame; flush sends what was collected. False: nobody reads. */
bool channel_send(channel *out, frame_type type, const void *body, uint64_t length);
bool channel_flush(channel *out);

/* A sink that turns payload buffers into DATA frames. */
image_sink channel_sink(channel *out);

#endif

#include "cage/channel.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/pickle_rows.h"

#define LARGE 32768 /* from here on bytes go out without being copied first */
#define STEP 32768  /* of one write: reader and writer of a pipe take turns */
#define MAPPED_ALIGN 64

bool channel_read(void *data, uint64_t length) {
    uint8_t *at = data;
    while (length > 0) {
        const ssize_t got = read(FD_CONTROL, at, length);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        at += got;
        length -= (uint64_t)got;
    }
    return true;
}

wlk_status channel_read_order(wire_order *order, uint8_t *policy, wlk_error *error) {
    frame_header header;
    if (!channel_read(&header, sizeof header) || !channel_read(order, sizeof *order)) {
        return error_at(error, RULE_WIRE_ORDER, WLK_NO_OFFSET);
    }
    TRY(wire_check_order(&header, order, error));
    if (!channel_read(policy, order->policy_length) ||
        !pickle_rows_valid(policy, order->policy_length)) {
        return error_at(error, RULE_WIRE_ORDER, WLK_NO_OFFSET);
    }
    return WLK_OK;
}

bool channel_wait_go(cage *c) {
    frame_header header;
    if (!channel_read(&header, sizeof header)) return false;
    if (wire_check_go(&header, &c->order, NULL) != WLK_OK) return false;
    if (header.length == 0) return true;
    if (!channel_read(c->stream, header.length)) return false;
    c->snapshot = c->stream;
    c->order.format = (uint32_t)header.argument;
    c->order.snapshot_bytes = c->order.file_bytes = header.length;
    return true;
}

static bool write_all(const uint8_t *data, uint64_t length) {
    while (length > 0) {
        const ssize_t put = write(FD_RESULT, data, length < STEP ? length : STEP);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return false;
        data += put;
        length -= (uint64_t)put;
    }
    return true;
}

bool channel_flush(channel *out) {
    const uint32_t used = out->used;
    out->used = 0;
    return write_all(out->buffer, used);
}

static bool put(channel *out, const void *data, uint64_t length) {
    if (length > sizeof out->buffer - out->used && !channel_flush(out)) return false;
    if (length >= LARGE) return channel_flush(out) && write_all(data, length);
    memcpy(out->buffer + out->used, data, length);
    out->used += (uint32_t)length;
    return true;
}

static bool put_header(channel *out, frame_type type, uint16_t flags, uint64_t length,
                       uint64_t argument) {
    const frame_header header = frame_make(type, flags, length, out->sequence++, argument);
    return put(out, &header, sizeof header);
}

bool channel_send(channel *out, frame_type type, const void *body, uint64_t length) {
    return put_header(out, type, 0, length, 0) && (length == 0 || put(out, body, length));
}

static wlk_status sink_begin(void *context, uint64_t length, uint64_t file_offset,
                             wlk_error *error) {
    channel *out = context;
    const bool raw = file_offset != WLK_NO_OFFSET;
    const bool map = out->transport == WIRE_TRANSPORT_MAP && file_offset % MAPPED_ALIGN == 0;
    out->mapped = raw && (map || out->transport == WIRE_TRANSPORT_LAZY);
    out->left = out->mapped ? 0 : length;
    bool sent;
    if (out->mapped) {
        sent = put_header(out, FRAME_DATA, FRAME_RAW | FRAME_MAPPED, sizeof length, file_offset) &&
               put(out, &length, sizeof length);
    } else {
        sent = put_header(out, FRAME_DATA, raw ? FRAME_RAW : 0, length, raw ? file_offset : 0);
    }
    return sent ? WLK_OK : error_at(error, RULE_WIRE_TRUNCATED, WLK_NO_OFFSET);
}

static wlk_status sink_append(void *context, const uint8_t *data, uint64_t length,
                              wlk_error *error) {
    channel *out = context;
    if (out->mapped) return WLK_OK;
    if (!data) return error_at(error, RULE_INTERNAL_DEFECT, WLK_NO_OFFSET);
    out->left -= length; /* the builder gives no more than it has announced */
    if (put(out, data, length)) return WLK_OK;
    return error_at(error, RULE_WIRE_TRUNCATED, WLK_NO_OFFSET);
}

bool channel_fill(channel *out) {
    static const uint8_t zeros[4096];
    while (out->left > 0) {
        const uint64_t some = out->left < sizeof zeros ? out->left : sizeof zeros;
        if (!put(out, zeros, some)) return false;
        out->left -= some;
    }
    return true;
}

image_sink channel_sink(channel *out) {
    return (image_sink){.context = out, .begin = sink_begin, .append = sink_append};
}

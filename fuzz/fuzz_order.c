/* ORDER and GO, which the child reads on descriptor 0. No attacker writes there; should one,
 * the child takes an order that holds every fact below and no other, and GO brings no more
 * than the order left room for (invariants 3 and 7). The input: an ORDER frame, its policy, a
 * GO frame, as in the pipe. */
#include <string.h>

#include "kit/kit.h"
#include "wire/frame.h"

const fuzz_structure *const fuzz_input = &structure_wire;

#define HEAD_BYTES (sizeof(frame_header) + sizeof(wire_order))

static bool is_header(const frame_header *header, frame_type type, uint64_t sequence,
                      uint64_t argument) {
    const frame_header right = frame_make(type, 0, header->length, sequence, argument);
    return memcmp(header, &right, sizeof right) == 0;
}

/* A .wlk file, or one that is told apart by content. */
static bool is_format(uint64_t format) {
    return format == WIRE_FORMAT_WLK || format == WIRE_FORMAT_CONTENT;
}

static bool order_holds(const frame_header *header, const wire_order *order) {
    const bool facts[] = {
        is_header(header, FRAME_ORDER, 0, 0),
        order->policy_length <= WIRE_MAX_POLICY, /* has room on the child's stack */
        header->length == (uint64_t)order->policy_length + sizeof *order,
        order->protocol == WIRE_PROTOCOL,
        order->spaces == 0 || order->spaces == 1,
        order->stream_bytes == 0 ? is_format(order->format) : order->format == WIRE_FORMAT_NONE,
        order->transport != WIRE_TRANSPORT_LAZY || order->format == WIRE_FORMAT_WLK,
        order->transport >= WIRE_TRANSPORT_PIPE && order->transport <= WIRE_TRANSPORT_LAZY,
        order->snapshot_bytes <= order->file_bytes, /* what is absent is not negative */
        order->snapshot_bytes == order->file_bytes || order->transport == WIRE_TRANSPORT_LAZY,
        order->stream_bytes == 0 || order->transport != WIRE_TRANSPORT_LAZY,
        order->stream_bytes == 0 || (order->file_bytes == 0 && order->snapshot_bytes == 0),
    };
    return memchr(facts, false, sizeof facts) == NULL;
}

/* A file and its format where there is room for one, at most that long; nothing where there
 * is none. */
static bool go_holds(const frame_header *header, const wire_order *order) {
    const bool waited = order->stream_bytes > 0;
    return is_header(header, FRAME_GO, 1, waited ? header->argument : 0) &&
           (!waited || is_format(header->argument)) && header->length <= order->stream_bytes &&
           (header->length > 0) == (order->stream_bytes > 0);
}

static wlk_status run(const uint8_t *data, size_t size, wlk_error *error) {
    frame_header header, go;
    wire_order order;
    if (size < HEAD_BYTES) return WLK_OK;
    memcpy(&header, data, sizeof header);
    memcpy(&order, data + sizeof header, sizeof order);
    const wlk_status status = wire_check_order(&header, &order, error);
    FUZZ_CHECK(3, (status == WLK_OK) == order_holds(&header, &order));
    FUZZ_CHECK(9, status == WLK_OK || error->rule == RULE_WIRE_ORDER);
    if (status != WLK_OK || size - HEAD_BYTES < order.policy_length + sizeof go) return status;
    memcpy(&go, data + HEAD_BYTES + order.policy_length, sizeof go);
    const wlk_status told = wire_check_go(&go, &order, error);
    FUZZ_CHECK(7, (told == WLK_OK) == go_holds(&go, &order));
    return told;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    return fuzz_run(&(fuzz_target){.run = run}, data, size);
}

/* What the parent tells a child: an ORDER for each format, transport and set of layers, and
 * the GO behind it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "seeds/seeds.h"
#include "wire/frame.h"

#define ALL_LAYERS ((1u << LAYER_COUNT) - 1)

static wire_order order_of(wire_transport transport) {
    wire_order order = {.protocol = WIRE_PROTOCOL,
                        .format = WIRE_FORMAT_WLK,
                        .transport = transport,
                        .layers = ALL_LAYERS,
                        .required = ALL_LAYERS,
                        .uid = 65534,
                        .gid = 65534,
                        .parent_pid = 1,
                        .snapshot_bytes = 4096,
                        .file_bytes = transport == WIRE_TRANSPORT_LAZY ? 1ull << 40 : 4096};
    wlk_limits_default(&order.limits);
    return order;
}

typedef struct order_seed {
    frame_header order_head;
    wire_order order;
    frame_header go_head;
} order_seed;

static order_seed seed_of(wire_transport transport) {
    return (order_seed){frame_make(FRAME_ORDER, 0, sizeof(wire_order), 0, 0), order_of(transport),
                        frame_make(FRAME_GO, 0, 0, 1, 0)};
}

static void put(const char *name, const order_seed *s, const void *file, size_t size) {
    seed_buffer out = {0};
    wlk_error error;
    if (wire_check_order(&s->order_head, &s->order, &error) != WLK_OK ||
        wire_check_go(&s->go_head, &s->order, &error) != WLK_OK) {
        rules_reached((wlk_rule)error.rule);
    } else if (strncmp(name, "hostile-", 8) == 0) {
        seed_fail(name, NULL);
    }
    seed_add(&out, s, sizeof *s);
    seed_add(&out, file, size);
    seed_put("order", name, out.data, out.size);
    free(out.data);
}

static void put_layers(void) {
    char name[64];
    for (uint32_t layer = 0; layer < LAYER_COUNT; layer++) {
        order_seed s = seed_of(WIRE_TRANSPORT_PIPE);
        s.order.layers &= ~(1u << layer);
        s.order.required = 1u << layer;
        (void)snprintf(name, sizeof name, "without-%s", wire_layer_name(layer));
        put(name, &s, NULL, 0);
    }
}

/* ---- one field that is wrong */

#define IN(type, member) offsetof(order_seed, type.member), sizeof(((order_seed *)0)->type.member)
static const struct order_bend {
    const char *name;
    size_t at, bytes;
    uint64_t value;
} order_bends[] = {
    {"hostile-magic", IN(order_head, magic), 0},
    {"hostile-go-first", IN(order_head, type), FRAME_GO},
    {"hostile-flags", IN(order_head, flags), 1},
    {"hostile-longer", IN(order_head, length), 1ull << 32},
    {"hostile-sequence", IN(order_head, sequence), 1},
    {"hostile-argument", IN(order_head, argument), 1},
    {"hostile-format-0", IN(order, format), WIRE_FORMAT_NONE},
    {"hostile-format-of-no-order", IN(order, format), WLK_FORMAT_ONNX},
    {"hostile-protocol", IN(order, protocol), 2},
    {"hostile-transport-0", IN(order, transport), 0},
    {"hostile-transport-4", IN(order, transport), 4},
    {"hostile-spaces", IN(order, spaces), 2},
    {"hostile-policy", IN(order, policy_length), 1},
    {"hostile-policy-of-4-gib", IN(order, policy_length), UINT32_MAX},
    {"hostile-part-of-a-file", IN(order, file_bytes), 8192},
    {"hostile-copy-of-more", IN(order, snapshot_bytes), UINT64_MAX},
    {"hostile-waits-with-a-file", IN(order, stream_bytes), 4096},
    {"hostile-order-twice", IN(go_head, type), FRAME_ORDER},
    {"hostile-go-with-a-body", IN(go_head, length), 1},
    {"hostile-go-of-2-64-bytes", IN(go_head, length), UINT64_MAX},
    {"hostile-go-with-a-format", IN(go_head, argument), WIRE_FORMAT_WLK},
    {"hostile-go-of-another-sequence", IN(go_head, sequence), 0},
};

static void put_bends(void) {
    for (size_t i = 0; i < sizeof order_bends / sizeof *order_bends; i++) {
        order_seed s = seed_of(WIRE_TRANSPORT_PIPE);
        memcpy((uint8_t *)&s + order_bends[i].at, &order_bends[i].value, order_bends[i].bytes);
        put(order_bends[i].name, &s, NULL, 0);
    }
}

void seeds_order(void) {
    static const char *const ways[] = {"", "pipe", "map", "lazy"};
    for (wire_transport t = WIRE_TRANSPORT_PIPE; t <= WIRE_TRANSPORT_LAZY; t++) {
        const order_seed s = seed_of(t);
        put(ways[t], &s, NULL, 0);
    }
    order_seed other = seed_of(WIRE_TRANSPORT_PIPE);
    other.order.format = WIRE_FORMAT_CONTENT;
    put("content", &other, NULL, 0);
    other.order.transport = WIRE_TRANSPORT_LAZY;
    put("hostile-lazy-content", &other, NULL, 0);
    order_seed waits = seed_of(WIRE_TRANSPORT_PIPE);
    waits.order.format = WIRE_FORMAT_NONE;
    waits.go_head.argument = WIRE_FORMAT_CONTENT;
    waits.order.snapshot_bytes = waits.order.file_bytes = 0;
    waits.order.stream_bytes = 4096;
    waits.go_head.length = 5;
    put("waits", &waits, "bytes", 5);
    waits.go_head.length = 0;
    put("hostile-waits-for-nothing", &waits, NULL, 0);
    waits.go_head.length = 5;
    waits.go_head.argument = WIRE_FORMAT_NONE;
    put("hostile-waits-for-no-format", &waits, "bytes", 5);
    put_layers();
    put_bends();
}

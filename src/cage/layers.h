/* The lock-down as a checklist: one row a layer, applied in order, each followed
 * by a check that it holds. docs/cage.md explains every row.
 */
#ifndef WLK_CAGE_LAYERS_H
#define WLK_CAGE_LAYERS_H

#include <stdbool.h>

#include "wire/frame.h"

/* The child's descriptors when it starts. */
enum { FD_CONTROL = 0, FD_RESULT = 1, FD_NULL = 2, FD_SNAPSHOT = 3 };

typedef struct cage {
    wire_order order;
    const uint8_t *snapshot; /* order.snapshot_bytes, read-only; NULL if there is none */
    uint8_t *stream;         /* order.stream_bytes, for the file that comes with GO */
    bool privileged;         /* started as root: identities must change */
    bool own_mounts;         /* in a mount namespace of our own */
} cage;

/* apply and verify return 0 or an errno. A layer holds when both gave 0. */
typedef struct layer_row {
    wire_layer layer;
    int (*apply)(cage *c);
    int (*verify)(const cage *c);
} layer_row;

/* LAYER_COUNT rows in the order of wire_layer, which is the order of application. */
extern const layer_row cage_layers[LAYER_COUNT];

/* Applies every layer that the order asks for and records the results in
 * *hello. Stops at the first required layer that does not hold; then false. */
bool cage_lock_down(cage *c, wire_hello *hello);

#endif

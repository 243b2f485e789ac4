/* What a gate holds, and which layers of confinement its children must take on. */
#ifndef WLK_GATE_GATE_H
#define WLK_GATE_GATE_H

#include <stdatomic.h>

#include <weighlock/load.h>

#include "base/error.h"
#include "gate/child.h"
#include "wire/frame.h"

struct wlk_gate {
    wlk_load_options options;
    int program; /* weighlock-child, opened and checked; -1 with the error if unusable */
    wlk_error program_error;
    int null;            /* /dev/null, for children */
    child_spaces spaces; /* empty namespaces that children join, if we may make them */
    uint32_t uid, gid;
    _Atomic uint32_t achieved; /* layers that held before */
    struct pool *pool;         /* children that wait; NULL: none is asked for */
};

/* Bit i: layer i must hold; layer i is asked for. */
uint32_t gate_required_layers(const wlk_gate *gate);
uint32_t gate_wanted_layers(const wlk_gate *gate);

/* How the payloads of a file of that size come, if it is not lazy. */
wire_transport gate_transport(const wlk_gate *gate, uint64_t file_bytes);

/* The refusal for a layer that is required, or held before, and does not hold. */
wlk_status gate_layer_missing(const wlk_gate *gate, uint32_t layer, int reason, wlk_error *error);

#endif

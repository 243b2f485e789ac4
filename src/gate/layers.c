#include <errno.h>

#include "gate/gate.h"
#include "wire/frame.h"

_Static_assert(WLK_LAYER_COUNT == LAYER_COUNT, "load.h knows every layer");

typedef enum need { ALWAYS, WHERE_POSSIBLE } need;

static const need layer_needs[LAYER_COUNT] = {
    [LAYER_DESCRIPTORS] = ALWAYS,
    [LAYER_RLIMITS] = ALWAYS,
    [LAYER_OOM_SCORE] = ALWAYS,
    [LAYER_HEAP] = ALWAYS,
    [LAYER_PID_NAMESPACE] = WHERE_POSSIBLE,
    [LAYER_NAMESPACES] = WHERE_POSSIBLE,
    [LAYER_EMPTY_ROOT] = WHERE_POSSIBLE,
    [LAYER_BOUNDING_SET] = WHERE_POSSIBLE,
    [LAYER_IDS] = ALWAYS,
    [LAYER_CAPABILITIES] = ALWAYS,
    [LAYER_REGAIN] = ALWAYS,
    [LAYER_NO_NEW_PRIVS] = ALWAYS,
    [LAYER_NOT_DUMPABLE] = ALWAYS,
    [LAYER_PARENT_DEATH] = WHERE_POSSIBLE,
    [LAYER_LANDLOCK] = WHERE_POSSIBLE,
    [LAYER_MDWE] = WHERE_POSSIBLE,
    [LAYER_SPECULATION] = WHERE_POSSIBLE,
    [LAYER_ZERO_RLIMITS] = ALWAYS,
    [LAYER_SECCOMP] = ALWAYS,
};

const char *wlk_layer_name(uint32_t layer) {
    return layer < LAYER_COUNT ? wire_layer_name(layer) : NULL;
}

int wlk_layer_required(uint32_t layer) {
    return layer < LAYER_COUNT && layer_needs[layer] == ALWAYS;
}

uint32_t gate_required_layers(const wlk_gate *gate) {
    uint32_t layers = gate->options.require;
    for (uint32_t i = 0; i < LAYER_COUNT; i++) layers |= (uint32_t)wlk_layer_required(i) << i;
    return layers;
}

uint32_t gate_wanted_layers(const wlk_gate *gate) {
    const uint32_t all = (1u << LAYER_COUNT) - 1;
    return gate->options.layers == WLK_LAYERS_ALL ? all : gate_required_layers(gate);
}

wlk_status gate_layer_missing(const wlk_gate *gate, uint32_t layer, int reason, wlk_error *error) {
    const bool required = gate_required_layers(gate) >> layer & 1;
    if (layer == LAYER_HEAP && reason == ENOMEM) {
        return error_at(error, RULE_LIMIT_HEAP_BYTES, WLK_NO_OFFSET);
    }
    return error_errno(error, required ? RULE_CAGE_LAYER : RULE_CAGE_LAYER_LOST, reason,
                       wire_layer_name(layer));
}

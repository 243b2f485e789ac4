#include "cage/layers.h"

#include <string.h>

#include "cage/layer_parts.h"

static int nothing_to_apply(cage *c) {
    (void)c;
    return 0;
}

static int nothing_to_verify(const cage *c) {
    (void)c;
    return 0;
}

/* What has nothing to verify has read back what it wrote, or cannot be verified
 * from inside. Why this order:
 *  - descriptors first: nothing inherited is trusted, the snapshot is mapped;
 *  - oom-score before the root is emptied, since it is a file of /proc;
 *  - the heap before the capabilities, since libcap allocates;
 *  - the bounding set before the identities, since it needs CAP_SETPCAP;
 *  - the attempt to regain after the capability sets are empty: with locked
 *    securebits capabilities survive setresuid, and it would succeed earlier;
 *  - parent-death after the identities, since setresuid clears it;
 *  - seccomp last, since it cuts off everything else. */
const layer_row cage_layers[LAYER_COUNT] = {
    {LAYER_DESCRIPTORS, descriptors_apply, descriptors_verify},
    {LAYER_RLIMITS, rlimits_apply, rlimits_verify},
    {LAYER_OOM_SCORE, oom_score_apply, nothing_to_verify},
    {LAYER_HEAP, heap_apply, heap_verify},
    {LAYER_PID_NAMESPACE, nothing_to_apply, pid_namespace_verify},
    {LAYER_NAMESPACES, namespaces_apply, namespaces_verify},
    {LAYER_EMPTY_ROOT, empty_root_apply, empty_root_verify},
    {LAYER_BOUNDING_SET, bounding_set_apply, bounding_set_verify},
    {LAYER_IDS, ids_apply, ids_verify},
    {LAYER_CAPABILITIES, capabilities_apply, capabilities_verify},
    {LAYER_REGAIN, nothing_to_apply, regain_verify},
    {LAYER_NO_NEW_PRIVS, no_new_privs_apply, no_new_privs_verify},
    {LAYER_NOT_DUMPABLE, not_dumpable_apply, not_dumpable_verify},
    {LAYER_PARENT_DEATH, parent_death_apply, parent_death_verify},
    {LAYER_LANDLOCK, landlock_apply, landlock_verify},
    {LAYER_MDWE, mdwe_apply, mdwe_verify},
    {LAYER_SPECULATION, speculation_apply, speculation_verify},
    {LAYER_ZERO_RLIMITS, zero_rlimits_apply, zero_rlimits_verify},
    /* Every call that could verify it would be killed: the parent attests it. */
    {LAYER_SECCOMP, seccomp_apply, nothing_to_verify},
};

static int hold(cage *c, const layer_row *row) {
    const int applied = row->apply(c);
    return applied != 0 ? applied : row->verify(c);
}

bool cage_lock_down(cage *c, wire_hello *hello) {
    *hello = (wire_hello){.protocol = WIRE_PROTOCOL, .layers = LAYER_COUNT};
    memcpy(hello->build_id, wire_build_id, sizeof wire_build_id);
    for (uint32_t i = 0; i < LAYER_COUNT; i++) hello->results[i].layer = (uint16_t)i;
    for (uint32_t i = 0; i < LAYER_COUNT; i++) {
        if (!(c->order.layers >> i & 1)) continue;
        const int reason = hold(c, &cage_layers[i]);
        hello->results[i].held = reason == 0;
        hello->results[i].reason = reason;
        if (reason != 0 && c->order.required >> i & 1) return false;
    }
    return true;
}

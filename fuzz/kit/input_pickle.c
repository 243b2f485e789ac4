#include "kit/input_pickle.h"

#include "kit/kit.h"

const wlk_limits *pickle_limits(void) {
    static wlk_limits l;
    if (l.file_bytes) return &l;
    l = *fuzz_limits();
    l.pickle_opcodes = 1u << 14;
    l.pickle_objects = 1u << 13;
    l.heap_bytes = 8u << 20;
    l.inflated_bytes = 5u << 18; /* beyond 1 MiB there is a ratio */
    l.inflate_ratio = 64;
    l.inflate_memory = 8u << 20;
    l.nodes = l.values = l.attributes = 2048;
    l.metadata_entries = 1024;
    return &l;
}

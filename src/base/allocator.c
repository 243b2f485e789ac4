/* The one thing of the library that is not constant: memory is asked for in places
 * that are handed nothing of the host's. It is apart from the rest of base because
 * libweighlock-infer, which has its own copy of that, must not have one of this. */
#include <weighlock/memory.h>

/* Set once, before any thread reads it. Without `allocate` there is none. */
static wlk_allocator current;

void wlk_allocator_set(const wlk_allocator *allocator) {
    current = allocator ? *allocator : (wlk_allocator){0};
}

const wlk_allocator *wlk_allocator_get(void) {
    return current.allocate ? &current : NULL;
}

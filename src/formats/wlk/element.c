#include "formats/wlk/element.h"

#include "base/checked.h"

#define ZONE_BYTES 4096 /* what most elements need */

/* in, out; of each attribute a name, a map, its key and a list; the node's own
 * keys and values, and a type as deep as the format allows. */
static uint64_t node_objects(const wlk_limits *limits) {
    uint64_t edges, attributes, sum;
    if (!checked_mul(limits->node_edges, 2, &edges) ||
        !checked_mul(limits->attributes, 4, &attributes) || !checked_add(edges, attributes, &sum) ||
        !checked_add(sum, limits->attribute_values, &sum) || !checked_add(sum, 256, &sum)) {
        return UINT64_MAX;
    }
    return sum;
}

/* As many inputs and outputs as a graph may have. */
static uint64_t selftest_objects(const wlk_limits *limits) {
    uint64_t names, sum;
    if (!checked_mul(limits->values, 2, &names) || !checked_add(names, 16, &sum)) {
        return UINT64_MAX;
    }
    return sum;
}

uint64_t element_max_objects(const wlk_limits *limits) {
    const uint64_t node = node_objects(limits);
    const uint64_t selftest = selftest_objects(limits);
    return node > selftest ? node : selftest;
}

void element_close(element *e) {
    if (e->zone.chunk_list.head) msgpack_zone_destroy(&e->zone);
    *e = ELEMENT_NONE;
}

/* What comes next uses the memory of what was there. */
static bool zone_ready(msgpack_zone *zone) {
    if (!zone->chunk_list.head) return msgpack_zone_init(zone, ZONE_BYTES);
    msgpack_zone_clear(zone);
    return true;
}

wlk_status element_next(element *e, cursor *c, uint64_t max_objects, wlk_error *error) {
    uint64_t objects;
    e->root = NULL;
    e->slice = scan_slice(c, &objects);
    const uint64_t offset = e->slice.base;
    if (objects > max_objects) return error_at(error, RULE_LIMIT_ELEMENT_OBJECTS, offset);
    if (!zone_ready(&e->zone)) return error_at(error, RULE_INTERNAL_MEMORY, offset);
    size_t end = 0;
    const msgpack_unpack_return result =
        msgpack_unpack((const char *)e->slice.data, e->slice.size, &end, &e->zone, &e->object);
    if (result == MSGPACK_UNPACK_NOMEM_ERROR) return error_at(error, RULE_INTERNAL_MEMORY, offset);
    /* The structure has been checked: two readers of msgpack must agree on it. */
    if (result != MSGPACK_UNPACK_SUCCESS || end != e->slice.size) {
        return error_at(error, RULE_INTERNAL_DEFECT, offset);
    }
    e->root = &e->object;
    return WLK_OK;
}

/* Is `target` at or below `at`, whose bytes the cursor stands before? Nesting is
 * at most SCAN_MAX_DEPTH, which bounds the recursion. */
static bool locate(cursor *c, const msgpack_object *at, const msgpack_object *target,
                   uint64_t *offset) {
    *offset = cursor_offset(c);
    if (at == target) return true;
    (void)scan_head(c);
    if (at->type == MSGPACK_OBJECT_ARRAY) {
        for (uint32_t i = 0; i < at->via.array.size; i++) {
            if (locate(c, &at->via.array.ptr[i], target, offset)) return true;
        }
    }
    if (at->type == MSGPACK_OBJECT_MAP) {
        for (uint32_t i = 0; i < at->via.map.size; i++) {
            const msgpack_object_kv *entry = &at->via.map.ptr[i];
            if (locate(c, &entry->key, target, offset)) return true;
            if (locate(c, &entry->val, target, offset)) return true;
        }
    }
    return false;
}

uint64_t element_offset(const element *e, const msgpack_object *object) {
    cursor c = e->slice;
    uint64_t offset = e->slice.base;
    (void)locate(&c, e->root, object, &offset); /* an object is looked for in its own element */
    return offset;
}

uint64_t element_text_offset(const element *e, const msgpack_object_str *text) {
    if (text->size == 0) return e->slice.base;
    const uint64_t within = (uint64_t)((uintptr_t)text->ptr - (uintptr_t)e->slice.data);
    return e->slice.base + within - scan_text_head(text->size);
}

wlk_status element_refuse(const element *e, const msgpack_object *object, wlk_rule rule,
                          wlk_error *error) {
    return error_at(error, rule, element_offset(e, object));
}

/* What the pre-scan lets none of through, which is bin, ext and float 32, has no kind. */
static const uint8_t kinds[] = {
    [MSGPACK_OBJECT_NIL] = KIND_NIL,
    [MSGPACK_OBJECT_BOOLEAN] = KIND_BOOL,
    [MSGPACK_OBJECT_POSITIVE_INTEGER] = KIND_UINT,
    [MSGPACK_OBJECT_NEGATIVE_INTEGER] = KIND_NEGATIVE,
    [MSGPACK_OBJECT_FLOAT64] = KIND_FLOAT,
    [MSGPACK_OBJECT_STR] = KIND_STR,
    [MSGPACK_OBJECT_ARRAY] = KIND_ARRAY,
    [MSGPACK_OBJECT_MAP] = KIND_MAP,
    [MSGPACK_OBJECT_BIN] = 0,
    [MSGPACK_OBJECT_EXT] = 0,
    [MSGPACK_OBJECT_FLOAT32] = 0, /* the greatest */
};

object_kind element_kind(const msgpack_object *object) {
    return (object_kind)kinds[object->type];
}

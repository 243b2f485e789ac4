/* What a change leaves behind in ONNX's messages that the first check would refuse. */
#include <string.h>

#include "base/dtype.h"
#include "base/onnx_dtype.h"
#include "formats/onnx/schema.h"
#include "kit/protobuf_change.h"

#define MOST_DATA 8192

/* ---- tensors: as many bytes of raw data as the dimensions want */

static bool elements_of(const pb_tree *t, uint32_t tensor, uint64_t *count) {
    *count = 1;
    for (uint32_t c = t->nodes[tensor].first; c != PB_NONE; c = t->nodes[c].next) {
        if (t->nodes[c].number != TENSOR_DIMS) continue;
        if (t->nodes[c].kind != PB_VARINT || t->nodes[c].value > MOST_DATA) return false;
        *count *= t->nodes[c].value;
        if (*count > MOST_DATA) return false;
    }
    return true;
}

static void mend_tensor(pb_tree *t, uint32_t tensor) {
    const uint32_t type = pb_child(t, tensor, TENSOR_TYPE), raw = pb_child(t, tensor, TENSOR_RAW);
    uint64_t count, bytes;
    if (type == PB_NONE || raw == PB_NONE || !elements_of(t, tensor, &count)) return;
    const wlk_dtype dtype = onnx_dtype((int64_t)t->nodes[type].value);
    if (dtype == WLK_DTYPE_NONE || dtype == WLK_STR) return;
    pb_node *n = &t->nodes[raw];
    if (!dtype_nbytes(dtype, count, &bytes) || bytes > MOST_DATA || bytes == n->length) return;
    uint8_t *data = pb_bytes(t, bytes);
    if (!data || n->kind != PB_BYTES) return;
    memset(data, 0, bytes);
    if (n->length) memcpy(data, n->bytes, bytes < n->length ? bytes : n->length);
    n->bytes = data;
    n->length = bytes;
}

/* ---- attributes: the type says which value is there */

static uint64_t type_of_value(uint32_t number) {
    static const uint8_t types[SCHEMA_FIELDS] = {
        [ATTRIBUTE_F] = 1,       [ATTRIBUTE_I] = 2,       [ATTRIBUTE_S] = 3,
        [ATTRIBUTE_T] = 4,       [ATTRIBUTE_G] = 5,       [ATTRIBUTE_FLOATS] = 6,
        [ATTRIBUTE_INTS] = 7,    [ATTRIBUTE_STRINGS] = 8, [ATTRIBUTE_TENSORS] = 9,
        [ATTRIBUTE_GRAPHS] = 10, [ATTRIBUTE_SPARSE] = 11, [ATTRIBUTE_TYPE_VALUE] = 13};
    return number < SCHEMA_FIELDS ? types[number] : 0;
}

static void mend_attribute(pb_tree *t, uint32_t attribute) {
    const uint32_t type = pb_child(t, attribute, ATTRIBUTE_TYPE);
    if (type == PB_NONE) return;
    for (uint32_t c = t->nodes[attribute].first; c != PB_NONE; c = t->nodes[c].next) {
        const uint64_t wanted = type_of_value(t->nodes[c].number);
        if (wanted) t->nodes[type].value = wanted;
    }
}

void pb_mend(pb_tree *t) {
    for (uint32_t i = 0; i < t->count; i++) {
        if (t->nodes[i].kind != PB_MESSAGE) continue;
        if (t->nodes[i].message == MESSAGE_TENSOR) mend_tensor(t, i);
        if (t->nodes[i].message == MESSAGE_ATTRIBUTE) mend_attribute(t, i);
    }
}

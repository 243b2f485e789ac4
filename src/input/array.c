#include "input/array.h"

#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/dtype.h"
#include "base/memory.h"

#define ARRAY_ALIGN 64u

void input_array_free(input_array *array) {
    mem_free(array->owned);
    *array = (input_array){0};
}

static bool payload_bytes(wlk_dtype dtype, uint64_t count, uint64_t text_bytes, uint64_t *nbytes) {
    if (dtype != WLK_STR) return dtype_nbytes(dtype, count, nbytes);
    uint64_t offsets;
    return checked_add(count, 1, &offsets) && checked_mul(offsets, 8, &offsets) &&
           checked_add(offsets, text_bytes, nbytes);
}

wlk_status input_array_new(wlk_dtype dtype, uint32_t rank, const uint64_t *shape,
                           uint64_t text_bytes, uint64_t limit, input_array *array,
                           wlk_error *error) {
    uint64_t count, nbytes, allocated;
    *array = (input_array){0};
    if (!shape_count(shape, rank, &count) || !payload_bytes(dtype, count, text_bytes, &nbytes)) {
        return error_at(error, RULE_INPUT_SHAPE, WLK_NO_OFFSET);
    }
    if (nbytes > limit || !checked_align(nbytes, ARRAY_ALIGN, &allocated)) {
        return error_text(error, RULE_INPUT_SIZE, WLK_NO_OFFSET, "an array of %llu bytes",
                          (unsigned long long)nbytes);
    }
    if (allocated == 0) allocated = ARRAY_ALIGN;
    array->owned = mem_aligned(ARRAY_ALIGN, allocated);
    if (!array->owned) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    memset(array->owned, 0, allocated);
    array->tensor = (wlk_tensor){.name = "",
                                 .dtype = dtype,
                                 .rank = rank,
                                 .count = count,
                                 .data = array->owned,
                                 .nbytes = nbytes};
    if (rank > 0) memcpy(array->tensor.shape, shape, rank * sizeof *shape);
    return WLK_OK;
}

void input_array_put_string(input_array *array, uint64_t index, const void *text, uint64_t length) {
    uint8_t *offsets = array->owned;
    const uint64_t table = (array->tensor.count + 1) * 8;
    const uint64_t start = load_u64(offsets + index * 8);
    if (length > 0) memcpy(array->owned + table + start, text, length);
    store_u64(offsets + index * 8 + 8, start + length);
}

const char *input_array_string(const wlk_tensor *tensor, uint64_t index, uint64_t *length) {
    const uint8_t *offsets = tensor->data;
    const uint64_t start = load_u64(offsets + index * 8);
    *length = load_u64(offsets + index * 8 + 8) - start;
    return (const char *)offsets + (tensor->count + 1) * 8 + start;
}

#include "infer/tensor.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/dtype.h"

bool tensor_is_known(const op_tensor *tensor) {
    if (tensor->rank == WLK_NONE) return false;
    for (uint32_t i = 0; i < tensor->rank; i++) {
        if (tensor->dims[i] == WLK_UNKNOWN_DIM) return false;
    }
    return true;
}

uint64_t tensor_span(const op_tensor *tensor, uint32_t from, uint32_t to) {
    uint64_t product = 1;
    for (uint32_t i = from; i < to; i++) {
        if (!checked_mul(product, (uint64_t)tensor->dims[i], &product)) product = UINT64_MAX;
    }
    return product;
}

static bool measure_str(op_tensor *tensor) {
    uint64_t table;
    return checked_add(tensor->count, 1, &table) && checked_mul(table, 8, &table) &&
           checked_add(table, tensor->text_bytes, &tensor->nbytes);
}

bool tensor_measure(op_tensor *tensor) {
    uint64_t shape[WLK_MAX_RANK] = {0};
    for (uint32_t i = 0; i < tensor->rank; i++) shape[i] = (uint64_t)tensor->dims[i];
    if (!shape_count(shape, tensor->rank, &tensor->count)) return false;
    if (tensor->dtype == WLK_STR) return measure_str(tensor);
    return dtype_nbytes(tensor->dtype, tensor->count, &tensor->nbytes);
}

op_tensor tensor_from(const wlk_tensor *tensor, tensor_origin origin) {
    op_tensor out = {.dtype = tensor->dtype,
                     .origin = origin,
                     .rank = tensor->rank,
                     .count = tensor->count,
                     .nbytes = tensor->nbytes,
                     .data = tensor->data};
    for (uint32_t i = 0; i < tensor->rank; i++) out.dims[i] = (int64_t)tensor->shape[i];
    if (tensor->dtype == WLK_STR) out.text_bytes = tensor->nbytes - 8 * (tensor->count + 1);
    return out;
}

wlk_tensor tensor_public(const op_tensor *tensor) {
    wlk_tensor out = {.dtype = tensor->dtype,
                      .rank = tensor->rank,
                      .count = tensor->count,
                      .data = tensor->data,
                      .nbytes = tensor->nbytes};
    for (uint32_t i = 0; i < tensor->rank; i++) out.shape[i] = (uint64_t)tensor->dims[i];
    return out;
}

static const char *const kind_names[] = {
    [VALUE_SEQUENCE] = "sequence",
    [VALUE_MAP] = "map",
    [VALUE_MAPS] = "maps",
    [VALUE_OPTIONAL] = "optional",
    [VALUE_OPTIONAL_SEQUENCE] = "optional sequence",
};

char *tensor_text(const op_tensor *tensor, char text[TENSOR_TEXT_BYTES]) {
    const char *name = wlk_dtype_name(tensor->dtype);
    if (tensor->kind != VALUE_TENSOR) {
        (void)snprintf(text, TENSOR_TEXT_BYTES, "%s of %s", kind_names[tensor->kind], name);
        return text;
    }
    if (tensor->rank == WLK_NONE) {
        (void)snprintf(text, TENSOR_TEXT_BYTES, "%s of unknown rank", name);
        return text;
    }
    size_t used = (size_t)snprintf(text, TENSOR_TEXT_BYTES, "%s[", name);
    for (uint32_t i = 0; i < tensor->rank && used < TENSOR_TEXT_BYTES; i++) {
        const char *comma = i ? "," : "";
        const size_t left = TENSOR_TEXT_BYTES - used;
        used += (size_t)(tensor->dims[i] == WLK_UNKNOWN_DIM
                             ? snprintf(text + used, left, "%s?", comma)
                             : snprintf(text + used, left, "%s%" PRId64, comma, tensor->dims[i]));
    }
    if (used < TENSOR_TEXT_BYTES) (void)snprintf(text + used, TENSOR_TEXT_BYTES - used, "]");
    return text;
}

text_span tensor_string(const op_tensor *tensor, uint64_t i) {
    const char *offsets = tensor->data;
    const uint64_t start = load_u64(offsets + 8 * i);
    const char *texts = offsets + 8 * (tensor->count + 1);
    return (text_span){.text = texts + start, .length = load_u64(offsets + 8 * i + 8) - start};
}

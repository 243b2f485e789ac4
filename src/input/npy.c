#include "input/npy.h"

#include <string.h>

#include "base/checked.h"
#include "base/cursor.h"
#include "base/dtype.h"
#include "base/memory.h"
#include "base/npy_header.h"
#include "base/utf8.h"

/* The file's items in the order in which a C-ordered array wants them. For a
 * Fortran-ordered file `stride` counts items from one index of an axis to the
 * next, and `index` is the position on each axis: an odometer. */
typedef struct item_order {
    uint32_t rank;
    bool fortran;
    uint64_t shape[WLK_MAX_RANK];
    uint64_t stride[WLK_MAX_RANK];
    uint64_t index[WLK_MAX_RANK];
    uint64_t position;
} item_order;

static item_order item_order_start(const npy_header *header) {
    item_order order = {.rank = header->rank, .fortran = header->fortran};
    uint64_t stride = 1;
    for (uint32_t axis = 0; axis < order.rank; axis++) {
        order.shape[axis] = header->shape[axis];
        order.stride[axis] = stride;
        stride *= header->shape[axis]; /* the product is the count, which fits */
    }
    return order;
}

static void item_order_next(item_order *order) {
    if (!order->fortran) {
        order->position++;
        return;
    }
    for (uint32_t axis = order->rank; axis-- > 0;) {
        order->position += order->stride[axis];
        if (++order->index[axis] < order->shape[axis]) return;
        order->position -= order->stride[axis] * order->shape[axis];
        order->index[axis] = 0;
    }
}

/* A complex number is swapped half by half. */
static void swap_bytes(uint8_t *item, uint32_t item_bytes, uint32_t unit) {
    for (uint32_t at = 0; at < item_bytes; at += unit) {
        for (uint32_t i = 0; i < unit / 2; i++) {
            const uint8_t kept = item[at + i];
            item[at + i] = item[at + unit - 1 - i];
            item[at + unit - 1 - i] = kept;
        }
    }
}

static void copy_numbers(const npy_header *header, const uint8_t *items, uint8_t *out) {
    const uint32_t item_bytes = (uint32_t)header->item_bytes; /* at most 16 */
    const bool complex = header->dtype == WLK_C64 || header->dtype == WLK_C128;
    item_order order = item_order_start(header);
    for (uint64_t i = 0; i < header->count; i++) {
        uint8_t *item = out + i * item_bytes;
        memcpy(item, items + order.position * item_bytes, item_bytes);
        if (header->big_endian) swap_bytes(item, item_bytes, complex ? item_bytes / 2 : item_bytes);
        item_order_next(&order);
    }
}

static wlk_status read_numbers(const npy_header *header, const cursor *body,
                               const wlk_limits *limits, input_array *array, wlk_error *error) {
    TRY(input_array_new(header->dtype, header->rank, header->shape, 0, limits->input_bytes, array,
                        error));
    if (header->fortran || header->big_endian) {
        copy_numbers(header, body->data, array->owned);
    } else if (body->size > 0) {
        memcpy(array->owned, body->data, body->size);
    }
    uint64_t bad;
    if (!payload_valid(header->dtype, header->count, body->data, body->size, &bad)) {
        return error_at(error, RULE_NPY_VALUE, body->base + bad);
    }
    return WLK_OK;
}

static uint32_t code_unit(const uint8_t *at, bool big_endian) {
    const uint32_t value = load_u32(at);
    return big_endian ? __builtin_bswap32(value) : value;
}

/* UTF-8 length of a U item without the NULs that pad it, WLK_NO_OFFSET if a
 * character is none; then *bad is its place in the item. `out` may be NULL. */
static uint64_t convert_utf32(const uint8_t *item, uint64_t item_bytes, bool big_endian,
                              uint8_t *out, uint64_t *bad) {
    uint64_t units = item_bytes / 4;
    while (units > 0 && load_u32(item + units * 4 - 4) == 0) units--;
    uint64_t length = 0;
    for (uint64_t i = 0; i < units; i++) {
        uint8_t encoded[4];
        const uint32_t size = utf8_encode(code_unit(item + i * 4, big_endian), encoded);
        *bad = i * 4;
        if (size == 0) return WLK_NO_OFFSET;
        if (out) memcpy(out + length, encoded, size);
        length += size;
    }
    return length;
}

/* The same for an S item, whose bytes must be UTF-8 already. */
static uint64_t convert_bytes(const uint8_t *item, uint64_t item_bytes, uint8_t *out,
                              uint64_t *bad) {
    uint64_t length = item_bytes;
    while (length > 0 && item[length - 1] == 0) length--;
    *bad = 0;
    if (!utf8_valid_payload(item, length)) return WLK_NO_OFFSET;
    if (out && length > 0) memcpy(out, item, length);
    return length;
}

static uint64_t convert_item(const npy_header *header, const uint8_t *item, uint8_t *out,
                             uint64_t *bad) {
    return header->utf32 ? convert_utf32(item, header->item_bytes, header->big_endian, out, bad)
                         : convert_bytes(item, header->item_bytes, out, bad);
}

/* Bytes of UTF-8 in all strings. Each is at most as long as its item. */
static wlk_status measure_strings(const npy_header *header, const cursor *body, uint64_t *total,
                                  wlk_error *error) {
    *total = 0;
    for (uint64_t i = 0; i < header->count; i++) {
        uint64_t bad;
        const uint64_t at = i * header->item_bytes;
        const uint64_t length = convert_item(header, body->data + at, NULL, &bad);
        if (length == WLK_NO_OFFSET) return error_at(error, RULE_NPY_VALUE, body->base + at + bad);
        *total += length;
    }
    return WLK_OK;
}

static wlk_status read_strings(const npy_header *header, const cursor *body,
                               const wlk_limits *limits, input_array *array, wlk_error *error) {
    uint64_t total, bad;
    TRY(measure_strings(header, body, &total, error));
    TRY(input_array_new(WLK_STR, header->rank, header->shape, total, limits->input_bytes, array,
                        error));
    uint8_t *text = mem_alloc(total + 1); /* no string is longer than all of them */
    if (!text) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    item_order order = item_order_start(header);
    for (uint64_t i = 0; i < header->count; i++) {
        const uint8_t *item = body->data + order.position * header->item_bytes;
        input_array_put_string(array, i, text, convert_item(header, item, text, &bad));
        item_order_next(&order);
    }
    mem_free(text);
    return WLK_OK;
}

/* The array must be all that follows the header. */
static wlk_status take_body(cursor *file, const npy_header *header, cursor *body,
                            wlk_error *error) {
    uint64_t nbytes;
    if (!checked_mul(header->count, header->item_bytes, &nbytes)) {
        return error_at(error, RULE_INPUT_SHAPE, header->offset);
    }
    if (!cursor_slice(file, nbytes, body)) {
        return error_text(error, RULE_NPY_TRUNCATED, cursor_offset(file) + cursor_left(file),
                          "the array needs %llu bytes, %llu are there", (unsigned long long)nbytes,
                          (unsigned long long)cursor_left(file));
    }
    if (cursor_left(file) > 0) return error_at(error, RULE_NPY_TRAILING, cursor_offset(file));
    return WLK_OK;
}

wlk_status npy_parse(const uint8_t *data, uint64_t size, const wlk_limits *limits,
                     input_array *array, wlk_error *error) {
    npy_header header;
    cursor file = cursor_over(data, size, 0);
    cursor body = {0};
    *array = (input_array){0};
    if (size > limits->input_bytes) return error_at(error, RULE_INPUT_SIZE, limits->input_bytes);
    TRY(npy_header_parse(&file, &header, error));
    if (header.objects) return error_at(error, RULE_NPY_OBJECT, header.descr_offset);
    TRY(take_body(&file, &header, &body, error));
    const wlk_status status = header.dtype == WLK_STR
                                  ? read_strings(&header, &body, limits, array, error)
                                  : read_numbers(&header, &body, limits, array, error);
    if (status != WLK_OK) input_array_free(array);
    return status;
}

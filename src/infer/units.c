#include "infer/units.h"

#include "base/bytes.h"
#include "base/checked.h"
#include "infer/numbers.h"
#include "infer/shape.h"

_Static_assert(sizeof(text_span) == UNIT_BYTES, "a string is one unit");

static bool is_own_unit(wlk_dtype dtype) {
    return dtype != WLK_STR && wlk_dtype_bits(dtype) >= 8;
}

uint64_t unit_size(wlk_dtype dtype) {
    if (dtype == WLK_STR) return sizeof(text_span);
    const uint64_t bits = wlk_dtype_bits(dtype);
    return bits < 8 ? 1 : bits / 8;
}

/* ---- shape rules */

static wlk_status need(op_call *call, const op_tensor *tensor) {
    if (!tensor || !call->binding || is_own_unit(tensor->dtype) || !tensor_is_known(tensor)) {
        return WLK_OK;
    }
    const int64_t count = dim_product(tensor->dims, 0, tensor->rank);
    return op_need_scratch(call, (uint64_t)count, unit_size(tensor->dtype));
}

wlk_status units_need_input(op_call *call, uint32_t i) {
    return need(call, op_input(call, i));
}

wlk_status units_need_output(op_call *call, uint32_t i) {
    return need(call, op_output(call, i));
}

static uint64_t saturating_product(uint64_t a, uint64_t b) {
    uint64_t product;
    return checked_mul(a, b, &product) ? product : UINT64_MAX;
}

static uint64_t longest(const op_tensor *strings) {
    uint64_t most = 0;
    for (uint64_t i = 0; i < strings->count; i++) {
        const uint64_t length = tensor_string(strings, i).length;
        if (length > most) most = length;
    }
    return most;
}

/* Two bounds: how often all of the text is repeated, and, where the strings are known,
 * so many of the longest. */
void units_set_text(const op_call *call, uint32_t to, uint32_t from, uint64_t times) {
    const op_tensor *in = op_input(call, from);
    const op_tensor *out = op_output(call, to);
    if (!out || in->dtype != WLK_STR || !call->binding || !tensor_is_known(out)) return;
    uint64_t text = saturating_product(in->text_bytes, times);
    if (times > 1 && op_is_known(call, from)) {
        const uint64_t count = tensor_span(out, 0, out->rank);
        const uint64_t most = saturating_product(count, longest(in));
        if (most < text) text = most;
    }
    op_set_text(call, to, text);
}

/* ---- kernels */

units units_begin(const op_call *call, wlk_dtype dtype) {
    return (units){.size = unit_size(dtype), .dtype = dtype, .room = call->scratch};
}

void *units_take(units *u, uint64_t count, uint64_t size) {
    void *taken = u->room;
    u->room += (count * size + TENSOR_ALIGN - 1) / TENSOR_ALIGN * TENSOR_ALIGN;
    return taken;
}

static void unpack_nibbles(char *to, const char *from, uint64_t count) {
    for (uint64_t i = 0; i < count; i++) {
        to[i] = (char)((unsigned char)from[i / 2] >> (i % 2 * 4) & 15);
    }
}

static void pack_nibbles(char *to, const char *from, uint64_t count) {
    for (uint64_t i = 0; i < count / 2; i++) to[i] = (char)(from[2 * i] | from[2 * i + 1] << 4);
    if (count % 2) to[count / 2] = from[count - 1];
}

const char *units_read(units *u, const op_tensor *in) {
    if (is_own_unit(in->dtype)) return in->data;
    char *own = units_take(u, in->count, u->size);
    if (in->dtype != WLK_STR) {
        unpack_nibbles(own, in->data, in->count);
        return own;
    }
    text_span *spans = (text_span *)(void *)own;
    for (uint64_t i = 0; i < in->count; i++) spans[i] = tensor_string(in, i);
    return own;
}

char *units_write(units *u, op_tensor *out) {
    return is_own_unit(out->dtype) ? out->target : units_take(u, out->count, u->size);
}

static void store_strings(op_tensor *out, const text_span *spans) {
    char *offsets = out->target;
    char *texts = offsets + 8 * (out->count + 1);
    uint64_t end = 0;
    store_u64(offsets, 0);
    for (uint64_t i = 0; i < out->count; i++) {
        if (spans[i].length > 0) memcpy(texts + end, spans[i].text, spans[i].length);
        end += spans[i].length;
        store_u64(offsets + 8 * (i + 1), end);
    }
    out->nbytes = 8 * (out->count + 1) + end;
}

void units_end(const units *u, op_tensor *out, const char *written) {
    if (is_own_unit(u->dtype)) return;
    if (u->dtype == WLK_STR) {
        store_strings(out, (const text_span *)(const void *)written);
    } else {
        pack_nibbles(out->target, written, out->count);
    }
}

void unit_from_number(wlk_dtype dtype, double value, char unit[UNIT_BYTES]) {
    _Alignas(UNIT_BYTES) char room[UNIT_BYTES] = {0};
    const number_storer store = number_dtypes & DTYPE_BIT(dtype) ? number_store(dtype) : NULL;
    if (store) store(room, 0, (number){NUMBER_FLOAT, {.f = value}});
    memcpy(unit, room, UNIT_BYTES);
}

#define FILL(bits, type)                                                  \
    static void fill_##bits(char *to, uint64_t count, const char *unit) { \
        type value;                                                       \
        memcpy(&value, unit, sizeof value);                               \
        for (uint64_t i = 0; i < count; i++) {                            \
            memcpy(to + i * sizeof value, &value, sizeof value);          \
        }                                                                 \
    }

FILL(16, uint16_t)
FILL(32, uint32_t)
FILL(64, uint64_t)

static void fill_128(char *to, uint64_t count, const char *unit) {
    for (uint64_t i = 0; i < count; i++) memcpy(to + i * 16, unit, 16);
}

void units_fill(char *to, uint64_t count, const char *unit, uint64_t size) {
    if (count == 0) return;
    if (size == 1) memset(to, *unit, count);
    if (size == 2) fill_16(to, count, unit);
    if (size == 4) fill_32(to, count, unit);
    if (size == 8) fill_64(to, count, unit);
    if (size == 16) fill_128(to, count, unit);
}

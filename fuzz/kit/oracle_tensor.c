/* Tensors: that a payload is what its dtype, shape and count say. */
#include <string.h>

#include "kit/kit.h"
#include "kit/oracle_parts.h"

#define TENSOR_ALIGN 64

size_t oracle_character(const uint8_t *text, size_t left, uint32_t *found) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const uint8_t head = text[0];
    *found = head;
    if (head < 0x80) return 1;
    const size_t length = head >> 5 == 6 ? 2 : head >> 4 == 14 ? 3 : head >> 3 == 30 ? 4 : 0;
    if (length == 0 || length > left) return 0;
    uint32_t code = head & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if (text[i] >> 6 != 2) return 0;
        code = code << 6 | (text[i] & 0x3fu);
    }
    *found = code;
    const bool surrogate = code >> 11 == 0xd800 >> 11;
    return code < least[length] || code > 0x10ffff || surrogate ? 0 : length;
}

bool oracle_utf8(const uint8_t *text, size_t length) {
    uint32_t code;
    for (size_t at = 0; at < length;) {
        const size_t step = oracle_character(text + at, length - at, &code);
        if (step == 0) return false;
        at += step;
    }
    return true;
}

void oracle_text(const char *text) {
    FUZZ_CHECK(5, text != NULL);
    FUZZ_CHECK(5, oracle_utf8((const uint8_t *)text, strlen(text)));
}

void oracle_read(const void *data, uint64_t size) {
    const uint8_t *bytes = data;
    uint64_t all = 0, word, at = 0;
    for (; size - at >= sizeof word; at += sizeof word) {
        memcpy(&word, bytes + at, sizeof word);
        all ^= word;
    }
    for (; at < size; at++) all ^= bytes[at];
    __asm__ volatile("" : : "r"(all));
}

static uint64_t product(const uint64_t *shape, uint32_t rank) {
    uint64_t count = 1;
    for (uint32_t i = 0; i < rank; i++) {
        if (shape[i] == 0) return 0;
    }
    for (uint32_t i = 0; i < rank; i++) {
        FUZZ_CHECK(7, !__builtin_mul_overflow(count, shape[i], &count));
    }
    return count;
}

static uint64_t bytes_of(const wlk_tensor *tensor) {
    const uint32_t bits = wlk_dtype_bits(tensor->dtype);
    if (bits >= 8) return tensor->count * (bits / 8);
    return tensor->count / 8 * bits + (tensor->count % 8 * bits + 7) / 8;
}

static void check_block(const wlk_tensor *tensor) {
    FUZZ_CHECK(5, tensor->block_kind != NULL && tensor->block_kind[0] != '\0');
    oracle_text(tensor->block_kind);
    FUZZ_CHECK(5, tensor->rank > 0 && tensor->block_elements > 0 && tensor->block_bytes > 0);
    FUZZ_CHECK(5, tensor->shape[tensor->rank - 1] % tensor->block_elements == 0);
    FUZZ_CHECK(5, tensor->nbytes == tensor->count / tensor->block_elements * tensor->block_bytes);
}

static uint64_t offset_at(const uint8_t *data, uint64_t index) {
    uint64_t offset;
    memcpy(&offset, data + index * sizeof offset, sizeof offset);
    return offset;
}

static void check_strings(const wlk_tensor *tensor) {
    const uint64_t table = (tensor->count + 1) * sizeof(uint64_t);
    FUZZ_CHECK(11, tensor->count < tensor->nbytes && table <= tensor->nbytes);
    const uint8_t *data = tensor->data, *text = data + table;
    FUZZ_CHECK(11, offset_at(data, 0) == 0);
    for (uint64_t i = 0; i < tensor->count; i++) {
        const uint64_t from = offset_at(data, i), to = offset_at(data, i + 1);
        FUZZ_CHECK(11, from <= to && to <= tensor->nbytes - table);
        FUZZ_CHECK(11, oracle_utf8(text + from, to - from));
    }
    FUZZ_CHECK(11, offset_at(data, tensor->count) == tensor->nbytes - table);
}

static void check_content(const wlk_tensor *tensor) {
    const uint8_t *data = tensor->data;
    const uint32_t bits = wlk_dtype_bits(tensor->dtype);
    if (tensor->dtype == WLK_STR) check_strings(tensor);
    for (uint64_t i = 0; tensor->dtype == WLK_BOOL && i < tensor->nbytes; i++) {
        FUZZ_CHECK(11, data[i] <= 1);
    }
    const uint64_t used = bits < 8 ? tensor->count % 8 * bits % 8 : 0;
    if (used > 0) FUZZ_CHECK(11, data[tensor->nbytes - 1] >> used == 0);
}

void oracle_tensor(const wlk_tensor *tensor) {
    oracle_text(tensor->name);
    FUZZ_CHECK(5, tensor->dtype > WLK_DTYPE_NONE && tensor->dtype < WLK_DTYPE_COUNT);
    FUZZ_CHECK(5, tensor->rank <= WLK_MAX_RANK);
    FUZZ_CHECK(5, tensor->count == product(tensor->shape, tensor->rank));
    if (tensor->dtype == WLK_BLOCK) {
        check_block(tensor);
    } else {
        FUZZ_CHECK(5, tensor->block_kind == NULL);
        if (tensor->dtype != WLK_STR) FUZZ_CHECK(5, tensor->nbytes == bytes_of(tensor));
    }
    if (!tensor->data) return; /* lazy: not read yet */
    FUZZ_CHECK(11, (uintptr_t)tensor->data % TENSOR_ALIGN == 0);
    oracle_read(tensor->data, tensor->nbytes);
    if (tensor->nbytes > 0) check_content(tensor);
}

/* Writing .npy (npy.h). */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/memory.h"
#include "input/npy.h"
#include "input/npy_header.h"

#define PREFIX_BYTES 10u /* magic, version, u16 length */
#define HEADER_ALIGN 64u
#define HEADER_ROOM 512u /* type, eight dimensions of 20 digits, padding */

/* numpy leaves room for the first dimension to grow to so many digits. */
#define GROWTH_DIGITS 21

static int shape_text(const wlk_tensor *tensor, char *text, size_t room) {
    int length = snprintf(text, room, "(");
    for (uint32_t i = 0; i < tensor->rank; i++) {
        const char *behind = i + 1 < tensor->rank ? ", " : tensor->rank == 1 ? "," : "";
        length += snprintf(text + length, room - (size_t)length, "%llu%s",
                           (unsigned long long)tensor->shape[i], behind);
    }
    return length + snprintf(text + length, room - (size_t)length, ")");
}

static int growth_spaces(const wlk_tensor *tensor) {
    if (tensor->rank == 0) return 0;
    return GROWTH_DIGITS - snprintf(NULL, 0, "%llu", (unsigned long long)tensor->shape[0]);
}

/* Prefix and header; their length, a multiple of 64. */
static size_t format_header(const wlk_tensor *tensor, const char *descr,
                            uint8_t header[HEADER_ROOM]) {
    static const uint8_t start[] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};
    char shape[HEADER_ROOM / 2];
    char *text = (char *)header + PREFIX_BYTES;
    (void)shape_text(tensor, shape, sizeof shape);
    const int length = snprintf(text, HEADER_ROOM - PREFIX_BYTES,
                                "{'descr': '%s', 'fortran_order': False, 'shape': %s, }%*s", descr,
                                shape, growth_spaces(tensor), "");
    const size_t used = PREFIX_BYTES + (size_t)length + 1; /* with the newline */
    const size_t total = (used + HEADER_ALIGN - 1) / HEADER_ALIGN * HEADER_ALIGN;
    memcpy(header, start, sizeof start);
    store_u16(header + sizeof start, (uint16_t)(total - PREFIX_BYTES));
    memset(text + length, ' ', total - used);
    header[total - 1] = '\n';
    return total;
}

/* The next character of valid UTF-8; moves *text past it. */
static uint32_t next_character(const uint8_t **text) {
    const uint8_t lead = *(*text)++;
    if (lead < 0x80) return lead;
    const int more = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    uint32_t code = lead & (0x3fu >> more);
    for (int i = 0; i < more; i++) code = code << 6 | (*(*text)++ & 0x3fu);
    return code;
}

static uint64_t characters(const char *text, uint64_t length) {
    uint64_t count = 0;
    for (uint64_t i = 0; i < length; i++) count += ((uint8_t)text[i] & 0xc0) != 0x80;
    return count;
}

/* The longest string in characters, at least 1: numpy has no <U0 files. */
static uint64_t longest_string(const wlk_tensor *tensor) {
    uint64_t longest = 1;
    for (uint64_t i = 0; i < tensor->count; i++) {
        uint64_t length;
        const char *text = input_array_string(tensor, i, &length);
        const uint64_t count = characters(text, length);
        if (count > longest) longest = count;
    }
    return longest;
}

static void put_strings(const wlk_tensor *tensor, uint64_t item_bytes, uint8_t *out) {
    for (uint64_t i = 0; i < tensor->count; i++) {
        uint64_t length;
        const uint8_t *text = (const uint8_t *)input_array_string(tensor, i, &length);
        const uint8_t *end = text + length;
        uint8_t *item = out + i * item_bytes;
        memset(item, 0, item_bytes);
        for (; text < end; item += 4) store_u32(item, next_character(&text));
    }
}

wlk_status npy_format(const wlk_tensor *tensor, uint8_t **data, uint64_t *size, wlk_error *error) {
    char text_descr[32];
    uint8_t header[HEADER_ROOM];
    uint64_t nbytes = tensor->nbytes, item_bytes = 0;
    const char *descr = npy_descr(tensor->dtype);
    if (tensor->dtype == WLK_STR) {
        item_bytes = longest_string(tensor) * 4;
        (void)snprintf(text_descr, sizeof text_descr, "<U%llu", (unsigned long long)item_bytes / 4);
        descr = text_descr;
        if (!checked_mul(tensor->count, item_bytes, &nbytes)) {
            return error_at(error, RULE_INPUT_SHAPE, WLK_NO_OFFSET);
        }
    }
    if (!descr) {
        return error_text(error, RULE_NPY_DTYPE, WLK_NO_OFFSET, "%s",
                          wlk_dtype_name(tensor->dtype));
    }
    const size_t header_bytes = format_header(tensor, descr, header);
    if (!checked_add(header_bytes, nbytes, size) || !(*data = mem_alloc(*size))) {
        return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    }
    memcpy(*data, header, header_bytes);
    if (tensor->dtype == WLK_STR) {
        put_strings(tensor, item_bytes, *data + header_bytes);
    } else if (nbytes > 0) {
        memcpy(*data + header_bytes, tensor->data, nbytes);
    }
    return WLK_OK;
}

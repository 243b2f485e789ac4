#include "input/npy_layout.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/npy_header.h"
#include "input/array.h"

#define PREFIX_BYTES 10u /* magic, version, u16 length */
#define HEADER_ALIGN 64u
#define BLOCK_BYTES 16384u /* what is converted is put out in pieces of so much */

/* numpy leaves room for the first dimension to grow to so many digits. */
#define GROWTH_DIGITS 21

/* What becomes of the elements of a dtype that numpy has not. */
typedef struct npy_form {
    const char *descr;
    const char *as;
    uint32_t packed_bits; /* of an element that gets a byte of its own; 0: bytes as they are */
    bool is_signed;
} npy_form;

static const npy_form forms[WLK_DTYPE_COUNT] = {
    [WLK_BF16] = {"<u2", "uint16: the bits of bfloat16", 0, false},
    [WLK_F8E4M3FN] = {"|u1", "uint8: the bits of float8 e4m3fn", 0, false},
    [WLK_F8E5M2] = {"|u1", "uint8: the bits of float8 e5m2", 0, false},
    [WLK_F8E4M3FNUZ] = {"|u1", "uint8: the bits of float8 e4m3fnuz", 0, false},
    [WLK_F8E5M2FNUZ] = {"|u1", "uint8: the bits of float8 e5m2fnuz", 0, false},
    [WLK_F8E8M0] = {"|u1", "uint8: the bits of float8 e8m0", 0, false},
    [WLK_F6E2M3] = {"|u1", "uint8: the bits of float6 e2m3, one in each", 6, false},
    [WLK_F6E3M2] = {"|u1", "uint8: the bits of float6 e3m2, one in each", 6, false},
    [WLK_F4E2M1] = {"|u1", "uint8: the bits of float4 e2m1, one in each", 4, false},
    [WLK_I4] = {"|i1", "int8: one int4 in each", 4, true},
    [WLK_U4] = {"|u1", "uint8: one uint4 in each", 4, false},
    [WLK_BLOCK] = {"|u1", "uint8: the bytes of the blocks", 0, false},
};

/* ---- strings */

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

/* numpy counts an item's bytes in a C int. */
static wlk_status layout_strings(const wlk_tensor *tensor, uint64_t limit, npy_layout *layout,
                                 wlk_error *error) {
    const uint64_t longest = longest_string(tensor);
    uint64_t nbytes = 0;
    const bool fits = longest <= INT32_MAX / 4 && checked_mul(tensor->count, longest * 4, &nbytes);
    if (!fits || nbytes > limit) {
        return error_text(error, RULE_NPY_WIDTH, WLK_NO_OFFSET,
                          "%llu strings, the longest of %llu characters",
                          (unsigned long long)tensor->count, (unsigned long long)longest);
    }
    layout->item_bytes = longest * 4;
    (void)snprintf(layout->descr, sizeof layout->descr, "<U%llu", (unsigned long long)longest);
    return WLK_OK;
}

/* ---- the header */

static int shape_text(const npy_layout *layout, char *text, size_t room) {
    int length = snprintf(text, room, "(");
    for (uint32_t i = 0; i < layout->rank; i++) {
        const char *behind = i + 1 < layout->rank ? ", " : layout->rank == 1 ? "," : "";
        length += snprintf(text + length, room - (size_t)length, "%llu%s",
                           (unsigned long long)layout->shape[i], behind);
    }
    return length + snprintf(text + length, room - (size_t)length, ")");
}

static int growth_spaces(const npy_layout *layout) {
    if (layout->rank == 0) return 0;
    return GROWTH_DIGITS - snprintf(NULL, 0, "%llu", (unsigned long long)layout->shape[0]);
}

/* Prefix and header; their length is a multiple of 64. */
static void format_header(npy_layout *layout) {
    static const uint8_t start[] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};
    char shape[NPY_HEADER_ROOM / 2];
    uint8_t *header = layout->header;
    char *text = (char *)header + PREFIX_BYTES;
    (void)shape_text(layout, shape, sizeof shape);
    const int length = snprintf(text, NPY_HEADER_ROOM - PREFIX_BYTES,
                                "{'descr': '%s', 'fortran_order': False, 'shape': %s, }%*s",
                                layout->descr, shape, growth_spaces(layout), "");
    const size_t used = PREFIX_BYTES + (size_t)length + 1; /* with the newline */
    const size_t total = (used + HEADER_ALIGN - 1) / HEADER_ALIGN * HEADER_ALIGN;
    memcpy(header, start, sizeof start);
    store_u16(header + sizeof start, (uint16_t)(total - PREFIX_BYTES));
    memset(text + length, ' ', total - used);
    header[total - 1] = '\n';
    layout->header_bytes = (uint32_t)total;
}

/* ---- the layout */

static wlk_status layout_items(const wlk_tensor *tensor, uint64_t limit, npy_layout *layout,
                               wlk_error *error) {
    const char *descr = npy_descr(tensor->dtype);
    const npy_form *form = &forms[tensor->dtype];
    if (tensor->dtype == WLK_STR) return layout_strings(tensor, limit, layout, error);
    if (!descr && !form->descr) {
        return error_text(error, RULE_NPY_DTYPE, WLK_NO_OFFSET, "%s",
                          wlk_dtype_name(tensor->dtype));
    }
    layout->as = form->as;
    layout->item_bytes = form->packed_bits ? 1 : wlk_dtype_bits(tensor->dtype) / 8;
    if (tensor->dtype == WLK_BLOCK) {
        layout->item_bytes = 1;
        uint64_t *last = &layout->shape[layout->rank - 1]; /* a multiple of the block's elements */
        *last = *last / tensor->block_elements * tensor->block_bytes;
    }
    (void)snprintf(layout->descr, sizeof layout->descr, "%s", descr ? descr : form->descr);
    return WLK_OK;
}

wlk_status npy_layout_of(const wlk_tensor *tensor, uint64_t limit, npy_layout *layout,
                         wlk_error *error) {
    uint64_t nbytes = tensor->nbytes;
    *layout = (npy_layout){.rank = tensor->rank};
    memcpy(layout->shape, tensor->shape, sizeof layout->shape);
    TRY(layout_items(tensor, limit, layout, error));
    if ((tensor->dtype != WLK_BLOCK && !checked_mul(tensor->count, layout->item_bytes, &nbytes)) ||
        !checked_add(nbytes, NPY_HEADER_ROOM, &layout->size)) {
        return error_at(error, RULE_INPUT_SHAPE, WLK_NO_OFFSET);
    }
    format_header(layout);
    layout->size = layout->header_bytes + nbytes;
    return WLK_OK;
}

/* ---- the array */

/* Bytes that wait until there are enough of them. */
typedef struct npy_block {
    const npy_output *output;
    uint32_t used;
    uint8_t bytes[BLOCK_BYTES];
} npy_block;

static wlk_status flush(npy_block *block, wlk_error *error) {
    const uint32_t used = block->used;
    block->used = 0;
    return used ? block->output->put(block->output->context, block->bytes, used, error) : WLK_OK;
}

static wlk_status put_unit(npy_block *block, uint32_t code, wlk_error *error) {
    if (block->used + 4 > BLOCK_BYTES) TRY(flush(block, error));
    store_u32(block->bytes + block->used, code);
    block->used += 4;
    return WLK_OK;
}

static wlk_status put_strings(const wlk_tensor *tensor, uint64_t item_bytes, npy_block *block,
                              wlk_error *error) {
    for (uint64_t i = 0; i < tensor->count; i++) {
        uint64_t length, left = item_bytes / 4;
        const uint8_t *text = (const uint8_t *)input_array_string(tensor, i, &length);
        for (const uint8_t *end = text + length; text < end; left--) {
            TRY(put_unit(block, next_character(&text), error));
        }
        for (; left > 0; left--) TRY(put_unit(block, 0, error));
    }
    return flush(block, error);
}

/* Element `index` of a payload of packed elements of 4 or 6 bits, low bits first. */
static uint8_t packed_element(const uint8_t *data, uint64_t index, uint32_t bits) {
    const uint64_t bit = index * bits; /* the payload has so many: it is in memory */
    const uint32_t shift = bit % 8;
    uint32_t value = data[bit / 8];
    if (shift + bits > 8) value |= (uint32_t)data[bit / 8 + 1] << 8;
    return (uint8_t)(value >> shift & ((1u << bits) - 1));
}

static wlk_status put_packed(const wlk_tensor *tensor, const npy_form *form, npy_block *block,
                             wlk_error *error) {
    const uint32_t sign = form->is_signed ? 1u << (form->packed_bits - 1) : 0;
    for (uint64_t i = 0; i < tensor->count; i++) {
        if (block->used == BLOCK_BYTES) TRY(flush(block, error));
        const uint32_t value = packed_element(tensor->data, i, form->packed_bits);
        block->bytes[block->used++] = (uint8_t)((value ^ sign) - sign);
    }
    return flush(block, error);
}

wlk_status npy_put(const wlk_tensor *tensor, const npy_layout *layout, const npy_output *output,
                   wlk_error *error) {
    npy_block block;
    const npy_form *form = &forms[tensor->dtype];
    block.output = output;
    block.used = 0;
    TRY(output->put(output->context, layout->header, layout->header_bytes, error));
    if (tensor->dtype == WLK_STR) return put_strings(tensor, layout->item_bytes, &block, error);
    if (form->packed_bits) return put_packed(tensor, form, &block, error);
    if (tensor->nbytes == 0) return WLK_OK;
    return output->put(output->context, tensor->data, tensor->nbytes, error);
}

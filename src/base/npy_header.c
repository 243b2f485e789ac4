#include "base/npy_header.h"

#include <string.h>

#include "base/checked.h"
#include "base/dtype.h"

/* numpy itself reads no header above 10000 bytes; one of three known keys and
 * eight dimensions is far shorter. */
#define MAX_HEADER_BYTES 65536u

typedef struct npy_dtype_row {
    const char *descr; /* little-endian, as numpy writes it */
    wlk_dtype dtype;
} npy_dtype_row;

static const npy_dtype_row dtype_rows[] = {
    {"<f8", WLK_F64}, {"<f4", WLK_F32},  {"<f2", WLK_F16}, {"<i8", WLK_I64},   {"<i4", WLK_I32},
    {"<i2", WLK_I16}, {"|i1", WLK_I8},   {"<u8", WLK_U64}, {"<u4", WLK_U32},   {"<u2", WLK_U16},
    {"|u1", WLK_U8},  {"|b1", WLK_BOOL}, {"<c8", WLK_C64}, {"<c16", WLK_C128},
};

const char *npy_descr(wlk_dtype dtype) {
    for (size_t i = 0; i < sizeof dtype_rows / sizeof *dtype_rows; i++) {
        if (dtype_rows[i].dtype == dtype) return dtype_rows[i].descr;
    }
    return NULL;
}

static wlk_status bad_header(const cursor *c, wlk_error *error) {
    return error_at(error, RULE_NPY_HEADER, cursor_offset(c));
}

static void skip_spaces(cursor *c) {
    uint8_t next;
    while (cursor_peek_u8(c, &next) && next == ' ') (void)cursor_skip(c, 1);
}

/* Takes `wanted` if it is next. */
static bool take_char(cursor *c, char wanted) {
    uint8_t next;
    if (!cursor_peek_u8(c, &next) || next != (uint8_t)wanted) return false;
    return cursor_skip(c, 1);
}

static bool take_word(cursor *c, const char *word) {
    cursor ahead = *c;
    const uint64_t length = strlen(word);
    const uint8_t *bytes = cursor_take(&ahead, length);
    if (!bytes || memcmp(bytes, word, length) != 0) return false;
    *c = ahead;
    return true;
}

/* A quoted string without escapes: no key and no dtype needs one. */
static wlk_status take_string(cursor *c, cursor *text, wlk_error *error) {
    uint8_t quote, next;
    if (!cursor_peek_u8(c, &quote) || (quote != '\'' && quote != '"')) return bad_header(c, error);
    (void)cursor_skip(c, 1);
    const cursor start = *c;
    uint64_t length = 0;
    for (;; length++) {
        if (!cursor_u8(c, &next) || next < 0x20 || next > 0x7e || next == '\\') {
            return bad_header(c, error);
        }
        if (next == quote) break;
    }
    cursor from = start;
    (void)cursor_slice(&from, length, text);
    return WLK_OK;
}

static bool text_is(const cursor *text, const char *word) {
    return text->size == strlen(word) && memcmp(text->data, word, text->size) == 0;
}

/* Decimal digits without a leading zero. */
static bool take_integer(cursor *c, uint64_t *value) {
    uint8_t next;
    uint64_t sum = 0;
    uint64_t digits = 0;
    while (cursor_peek_u8(c, &next) && next >= '0' && next <= '9') {
        if (digits > 0 && sum == 0) return false;
        if (!checked_mul(sum, 10, &sum) || !checked_add(sum, next - '0', &sum)) return false;
        (void)cursor_skip(c, 1);
        digits++;
    }
    *value = sum;
    return digits > 0;
}

/* (), (3,) or (3, 4): a tuple of one has a comma, "(3)" is a number. */
static wlk_status take_shape(cursor *c, npy_header *header, wlk_error *error) {
    bool comma = true;
    header->rank = 0;
    if (!take_char(c, '(')) return bad_header(c, error);
    for (;;) {
        uint64_t dim;
        skip_spaces(c);
        if (take_char(c, ')')) break;
        if (!comma || !take_integer(c, &dim)) return bad_header(c, error);
        (void)take_char(c, 'L'); /* Python 2's long integers */
        if (header->rank == WLK_MAX_RANK) return error_at(error, RULE_NPY_RANK, cursor_offset(c));
        header->shape[header->rank++] = dim;
        skip_spaces(c);
        comma = take_char(c, ',');
    }
    if (header->rank == 1 && !comma) return bad_header(c, error);
    if (shape_count(header->shape, header->rank, &header->count)) return WLK_OK;
    return error_at(error, RULE_INPUT_SHAPE, cursor_offset(c));
}

static wlk_status bad_dtype(const cursor *text, wlk_error *error) {
    return error_text(error, RULE_NPY_DTYPE, text->base, "%.*s",
                      text->size > 64 ? 64 : (int)text->size, (const char *)text->data);
}

/* "<U5", "|S5": what follows the letter is the length. */
static wlk_status read_string_dtype(const cursor *text, npy_header *header, wlk_error *error) {
    cursor length = *text;
    uint64_t units;
    (void)cursor_skip(&length, 2);
    header->dtype = WLK_STR;
    header->utf32 = text->data[1] == 'U';
    if (!take_integer(&length, &units) || cursor_left(&length) > 0 || units == 0 ||
        !checked_mul(units, header->utf32 ? 4 : 1, &header->item_bytes)) {
        return bad_dtype(text, error);
    }
    return WLK_OK;
}

static wlk_status read_number_dtype(const cursor *text, npy_header *header, wlk_error *error) {
    for (size_t i = 0; i < sizeof dtype_rows / sizeof *dtype_rows; i++) {
        const npy_dtype_row *row = &dtype_rows[i];
        if (text->size != strlen(row->descr)) continue;
        if (memcmp(text->data + 1, row->descr + 1, text->size - 1) != 0) continue;
        if (text->data[0] == '|' && row->descr[0] != '|') continue;
        header->dtype = row->dtype;
        header->item_bytes = wlk_dtype_bits(row->dtype) / 8;
        return WLK_OK;
    }
    return bad_dtype(text, error);
}

/* Byte order, letter, size: "<f8". numpy writes '|' where order means nothing. */
static wlk_status read_descr(const cursor *text, npy_header *header, wlk_error *error) {
    if (text->size < 2 || !strchr("<>|", text->data[0])) { /* it has no NUL */
        return bad_dtype(text, error);
    }
    const uint8_t letter = text->data[1];
    header->big_endian = text->data[0] == '>';
    header->descr_offset = text->base;
    header->objects = letter == 'O';
    if (header->objects) return text->size <= 3 ? WLK_OK : bad_dtype(text, error);
    const bool is_text = letter == 'S' || (letter == 'U' && text->data[0] != '|');
    return is_text ? read_string_dtype(text, header, error)
                   : read_number_dtype(text, header, error);
}

static wlk_status take_descr(cursor *c, npy_header *header, wlk_error *error) {
    uint8_t next;
    cursor text;
    if (cursor_peek_u8(c, &next) && next == '[') {
        return error_text(error, RULE_NPY_DTYPE, cursor_offset(c), "a structured type");
    }
    TRY(take_string(c, &text, error));
    return read_descr(&text, header, error);
}

static wlk_status take_order(cursor *c, npy_header *header, wlk_error *error) {
    header->fortran = take_word(c, "True");
    if (header->fortran || take_word(c, "False")) return WLK_OK;
    return bad_header(c, error);
}

typedef struct npy_key {
    const char *name;
    wlk_status (*take)(cursor *c, npy_header *header, wlk_error *error);
} npy_key;

static const npy_key keys[] = {
    {"descr", take_descr}, {"fortran_order", take_order}, {"shape", take_shape}};

#define KEY_COUNT (sizeof keys / sizeof *keys)
#define ALL_KEYS ((1u << KEY_COUNT) - 1)

/* One entry; *seen has a bit for each key that was there. */
static wlk_status take_entry(cursor *c, npy_header *header, uint32_t *seen, wlk_error *error) {
    cursor name;
    const cursor start = *c;
    TRY(take_string(c, &name, error));
    skip_spaces(c);
    if (!take_char(c, ':')) return bad_header(c, error);
    skip_spaces(c);
    for (uint32_t i = 0; i < KEY_COUNT; i++) {
        if (!text_is(&name, keys[i].name)) continue;
        if (*seen & 1u << i) break;
        *seen |= 1u << i;
        return keys[i].take(c, header, error);
    }
    return bad_header(&start, error);
}

static wlk_status take_dict(cursor *c, npy_header *header, wlk_error *error) {
    uint32_t seen = 0;
    bool comma = true;
    if (!take_char(c, '{')) return bad_header(c, error);
    for (;;) {
        skip_spaces(c);
        if (take_char(c, '}')) break;
        if (!comma) return bad_header(c, error);
        TRY(take_entry(c, header, &seen, error));
        skip_spaces(c);
        comma = take_char(c, ',');
    }
    if (seen != ALL_KEYS) return bad_header(c, error);
    skip_spaces(c);
    if (!take_char(c, '\n') || cursor_left(c) > 0) return bad_header(c, error);
    return WLK_OK;
}

/* Version 1.0 counts the header's bytes in 16 bits, 2.0 and 3.0 in 32. */
static wlk_status take_version(cursor *file, uint64_t *length, wlk_error *error) {
    static const uint8_t magic[6] = {0x93, 'N', 'U', 'M', 'P', 'Y'};
    uint8_t major, minor;
    const uint8_t *bytes = cursor_take(file, sizeof magic);
    if (!bytes || memcmp(bytes, magic, sizeof magic) != 0) {
        return error_at(error, RULE_NPY_MAGIC, 0);
    }
    const uint64_t at = cursor_offset(file);
    if (!cursor_u8(file, &major) || !cursor_u8(file, &minor)) {
        return error_at(error, RULE_NPY_TRUNCATED, cursor_offset(file));
    }
    if (major < 1 || major > 3 || minor != 0) return error_at(error, RULE_NPY_VERSION, at);
    uint16_t narrow = 0;
    uint32_t wide = 0;
    if (!(major == 1 ? cursor_u16(file, &narrow) : cursor_u32(file, &wide))) {
        return error_at(error, RULE_NPY_TRUNCATED, cursor_offset(file) + cursor_left(file));
    }
    *length = major == 1 ? narrow : wide;
    return WLK_OK;
}

wlk_status npy_header_parse(cursor *file, npy_header *header, wlk_error *error) {
    uint64_t length = 0;
    cursor text;
    *header = (npy_header){0};
    TRY(take_version(file, &length, error));
    header->offset = cursor_offset(file);
    if (length > MAX_HEADER_BYTES) return error_at(error, RULE_NPY_HEADER, header->offset);
    if (!cursor_slice(file, length, &text)) {
        return error_at(error, RULE_NPY_TRUNCATED, header->offset + cursor_left(file));
    }
    return take_dict(&text, header, error);
}

#include "formats/pickle/literal.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

static wlk_status malformed(const pickle_opcode *op, const char *what, wlk_error *error) {
    return error_text(error, RULE_PICKLE_ARGUMENT, op->offset, "%s: %s",
                      pickle_opcode_rows[op->code].name, what);
}

static wlk_status no_memory(wlk_error *error) {
    return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
}

/* ---- integers */

/* From two's complement, little-endian; 64 bits if it fits. */
static void set_integer(py_value *value, py_text bytes) {
    while (bytes.length > 1) {
        const uint8_t last = bytes.data[bytes.length - 1], next = bytes.data[bytes.length - 2];
        if (last != (next >= 0x80 ? 0xff : 0)) break;
        bytes.length--;
    }
    if (bytes.length > sizeof value->integer) {
        value->kind = PY_LONG;
        value->text = bytes;
        return;
    }
    const bool negative = bytes.length > 0 && bytes.data[bytes.length - 1] >= 0x80;
    uint64_t bits = negative ? UINT64_MAX : 0;
    for (uint64_t i = bytes.length; i > 0; i--) bits = bits << 8 | bytes.data[i - 1];
    value->kind = PY_INT;
    value->integer = (int64_t)bits;
}

#define MOST_DIGITS 4300 /* more is refused by Python itself, for the time that it takes */
#define DIGITS_AT_ONCE 9
#define WORDS (MOST_DIGITS / DIGITS_AT_ONCE + 2)

/* words = words * factor + digits */
static void multiply_add(uint32_t *words, uint32_t *count, uint32_t factor, uint32_t digits) {
    uint64_t carry = digits;
    for (uint32_t i = 0; i < *count; i++) {
        carry += (uint64_t)words[i] * factor;
        words[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry > 0) words[(*count)++] = (uint32_t)carry;
}

static void digits_to_words(py_text digits, uint32_t *words, uint32_t *count) {
    for (uint64_t at = 0; at < digits.length;) {
        uint32_t factor = 1, value = 0;
        for (uint32_t i = 0; i < DIGITS_AT_ONCE && at < digits.length; i++, at++) {
            factor *= 10;
            value = value * 10 + (uint32_t)(digits.data[at] - '0');
        }
        multiply_add(words, count, factor, value);
    }
}

/* The words, with one more for the sign, as two's complement. */
static void words_to_bytes(const uint32_t *words, uint32_t count, bool negative, uint8_t *bytes) {
    uint32_t carry = negative;
    for (uint32_t i = 0; i < 4 * count; i++) {
        const uint8_t byte = (uint8_t)(words[i / 4] >> (8 * (i % 4)));
        carry += negative ? (uint8_t)~byte : byte;
        bytes[i] = (uint8_t)carry;
        carry >>= 8;
    }
}

static wlk_status make_decimal(pickle *p, const pickle_opcode *op, py_value *value,
                               wlk_error *error) {
    uint32_t words[WORDS] = {0}, count = 0;
    py_text digits = op->text;
    const bool negative = digits.data[0] == '-';
    if (digits.data[digits.length - 1] == 'L') digits.length--;
    digits.data += negative;
    digits.length -= negative;
    if (digits.length > MOST_DIGITS) return malformed(op, "a number of too many digits", error);
    digits_to_words(digits, words, &count);
    count++;
    uint8_t *bytes = arena_take(&p->memory, count, sizeof *words);
    if (!bytes) return no_memory(error);
    words_to_bytes(words, count, negative, bytes);
    set_integer(value, (py_text){bytes, 4 * (uint64_t)count});
    return WLK_OK;
}

static wlk_status make_int(pickle *p, const pickle_opcode *op, py_value *value, wlk_error *error) {
    if (op->text.length != 2 || op->text.data[0] != '0') return make_decimal(p, op, value, error);
    value->kind = PY_BOOL;
    value->boolean = op->text.data[1] == '1';
    return WLK_OK;
}

static wlk_status make_number(pickle *p, const pickle_opcode *op, py_value *value,
                              wlk_error *error) {
    (void)p;
    (void)error;
    value->kind = PY_INT;
    value->integer = op->number;
    return WLK_OK;
}

static wlk_status make_long(pickle *p, const pickle_opcode *op, py_value *value, wlk_error *error) {
    (void)p;
    (void)error;
    set_integer(value, op->text);
    return WLK_OK;
}

/* ---- floats */

static wlk_status make_float(pickle *p, const pickle_opcode *op, py_value *value,
                             wlk_error *error) {
    char text[72]; /* its grammar says that it is no longer */
    (void)p;
    memcpy(text, op->text.data, op->text.length);
    text[op->text.length] = '\0';
    /* The C library's object for the locale "C" is a constant: nothing to free. */
    value->kind = PY_FLOAT;
    value->real = strtod_l(text, NULL, newlocale(LC_ALL_MASK, "C", (locale_t)0));
    const bool infinite = value->real - value->real != 0;
    const bool digits = text[op->text.length - 1] >= '0' && text[op->text.length - 1] <= '9';
    if (infinite && digits) return malformed(op, "a number beyond the largest float", error);
    return WLK_OK;
}

static wlk_status make_binary_float(pickle *p, const pickle_opcode *op, py_value *value,
                                    wlk_error *error) {
    (void)p;
    (void)error;
    value->kind = PY_FLOAT;
    value->real = op->real;
    return WLK_OK;
}

/* ---- texts */

bool pickle_text_valid(py_text text) {
    uint64_t first = 0; /* of what has not been looked at */
    for (uint64_t i = 0; i + 2 < text.length; i++) {
        const uint8_t *at = text.data + i;
        if (at[0] != 0xed || at[1] < 0xa0 || at[1] > 0xbf || (at[2] & 0xc0) != 0x80) continue;
        if (!utf8_valid_payload(text.data + first, i - first)) return false;
        i += 2;
        first = i + 1;
    }
    return utf8_valid_payload(text.data + first, text.length - first);
}

static wlk_status make_text(pickle *p, const pickle_opcode *op, py_value *value, wlk_error *error) {
    (void)p;
    if (!pickle_text_valid(op->text)) return malformed(op, "a text that is not UTF-8", error);
    value->kind = PY_STR;
    value->text = op->text;
    return WLK_OK;
}

static wlk_status make_bytes(pickle *p, const pickle_opcode *op, py_value *value,
                             wlk_error *error) {
    (void)p;
    (void)error;
    value->kind = op->code == OP_BYTEARRAY8 ? PY_BYTEARRAY : PY_BYTES;
    value->text = op->text;
    return WLK_OK;
}

/* Python 2's str: a text if it is one for Python 3 too. */
static void set_old_text(py_value *value, py_text text) {
    value->kind = PY_STR;
    value->text = text;
    for (uint64_t i = 0; i < text.length; i++) {
        if (text.data[i] >= 0x80) value->kind = PY_BYTES;
    }
}

static wlk_status make_old_text(pickle *p, const pickle_opcode *op, py_value *value,
                                wlk_error *error) {
    (void)p;
    (void)error;
    set_old_text(value, op->text);
    return WLK_OK;
}

static int hexadecimal(uint8_t byte) {
    if (byte >= '0' && byte <= '9') return byte - '0';
    const uint8_t lower = byte | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Exactly `count` digits. */
static bool take_hexadecimal(cursor *text, uint32_t count, uint32_t *number) {
    const uint8_t *digits = cursor_take(text, count);
    *number = 0;
    for (uint32_t i = 0; digits && i < count; i++) {
        const int digit = hexadecimal(digits[i]);
        if (digit < 0) return false;
        *number = *number << 4 | (uint32_t)digit;
    }
    return digits != NULL;
}

/* Up to three digits, of which the first has been read. */
static uint8_t take_octal(cursor *text, uint8_t first) {
    uint32_t number = (uint32_t)(first - '0');
    uint8_t next;
    for (int i = 0; i < 2 && cursor_peek_u8(text, &next) && next >= '0' && next <= '7'; i++) {
        number = number * 8 + (uint32_t)(next - '0');
        (void)cursor_skip(text, 1);
    }
    return (uint8_t)number;
}

typedef struct writer {
    uint8_t *data;
    uint64_t length;
} writer;

static void put_byte(writer *w, uint8_t byte) {
    w->data[w->length++] = byte;
}

/* What is behind a backslash. */
static bool unescape(cursor *text, writer *out) {
    static const char names[] = "\\'\"bftnrva", values[] = "\\'\"\b\f\t\n\r\v\a";
    uint8_t byte;
    uint32_t number;
    if (!cursor_u8(text, &byte)) return false;
    const char *name = byte != '\0' ? strchr(names, byte) : NULL;
    if (name) {
        put_byte(out, (uint8_t)values[name - names]);
    } else if (byte >= '0' && byte <= '7') {
        put_byte(out, take_octal(text, byte));
    } else if (byte == 'x') {
        if (!take_hexadecimal(text, 2, &number)) return false;
        put_byte(out, (uint8_t)number);
    } else {
        put_byte(out, '\\');
        put_byte(out, byte);
    }
    return true;
}

static wlk_status make_quoted(pickle *p, const pickle_opcode *op, py_value *value,
                              wlk_error *error) {
    cursor text = cursor_over(op->text.data, op->text.length, op->offset);
    writer out = {arena_take(&p->memory, op->text.length, 1), 0};
    uint8_t byte;
    if (!out.data) return no_memory(error);
    while (cursor_u8(&text, &byte)) {
        if (byte != '\\') {
            put_byte(&out, byte);
        } else if (!unescape(&text, &out)) {
            return malformed(op, "an escape is cut off", error);
        }
    }
    set_old_text(value, (py_text){out.data, out.length});
    return WLK_OK;
}

/* As UTF-8; surrogates too. */
static void put_character(writer *w, uint32_t c) {
    if (c < 0x80) {
        put_byte(w, (uint8_t)c);
        return;
    }
    if (c < 0x800) {
        put_byte(w, (uint8_t)(0xc0 | c >> 6));
    } else {
        if (c < 0x10000) {
            put_byte(w, (uint8_t)(0xe0 | c >> 12));
        } else {
            put_byte(w, (uint8_t)(0xf0 | c >> 18));
            put_byte(w, (uint8_t)(0x80 | (c >> 12 & 0x3f)));
        }
        put_byte(w, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
    }
    put_byte(w, (uint8_t)(0x80 | (c & 0x3f)));
}

/* A line of "raw-unicode-escape": Latin-1 with \uXXXX and \UXXXXXXXX. A backslash stands for
 * itself before anything else, and so does what is behind it. */
static bool put_raw_unicode(cursor *text, writer *out) {
    uint8_t byte, next;
    uint32_t c;
    while (cursor_u8(text, &byte)) {
        put_character(out, byte);
        if (byte != '\\' || !cursor_u8(text, &next)) continue;
        if (next != 'u' && next != 'U') {
            put_character(out, next);
            continue;
        }
        out->length--;
        if (!take_hexadecimal(text, next == 'u' ? 4 : 8, &c) || c > 0x10ffff) return false;
        put_character(out, c);
    }
    return true;
}

static wlk_status make_unicode(pickle *p, const pickle_opcode *op, py_value *value,
                               wlk_error *error) {
    cursor text = cursor_over(op->text.data, op->text.length, op->offset);
    /* A byte becomes two at most. */
    writer out = {arena_take(&p->memory, op->text.length, 2), 0};
    if (!out.data) return no_memory(error);
    if (!put_raw_unicode(&text, &out)) return malformed(op, "an escape is malformed", error);
    value->kind = PY_STR;
    value->text = (py_text){out.data, out.length};
    return WLK_OK;
}

/* ---- constants */

static wlk_status make_constant(pickle *p, const pickle_opcode *op, py_value *value,
                                wlk_error *error) {
    (void)p;
    (void)error;
    value->kind = op->code == OP_NONE ? PY_NONE : PY_BOOL;
    if (op->code != OP_NONE) value->boolean = op->code == OP_NEWTRUE;
    return WLK_OK;
}

typedef wlk_status (*make)(pickle *p, const pickle_opcode *op, py_value *value, wlk_error *error);

static const make makers[256] = {
    [OP_INT] = make_int,
    [OP_LONG] = make_decimal,
    [OP_BININT] = make_number,
    [OP_BININT1] = make_number,
    [OP_BININT2] = make_number,
    [OP_LONG1] = make_long,
    [OP_LONG4] = make_long,
    [OP_FLOAT] = make_float,
    [OP_BINFLOAT] = make_binary_float,
    [OP_STRING] = make_quoted,
    [OP_BINSTRING] = make_old_text,
    [OP_SHORT_BINSTRING] = make_old_text,
    [OP_UNICODE] = make_unicode,
    [OP_BINUNICODE] = make_text,
    [OP_SHORT_BINUNICODE] = make_text,
    [OP_BINUNICODE8] = make_text,
    [OP_BINBYTES] = make_bytes,
    [OP_SHORT_BINBYTES] = make_bytes,
    [OP_BINBYTES8] = make_bytes,
    [OP_BYTEARRAY8] = make_bytes,
    [OP_NONE] = make_constant,
    [OP_NEWTRUE] = make_constant,
    [OP_NEWFALSE] = make_constant,
};

bool pickle_is_literal(uint8_t code) {
    return makers[code] != NULL;
}

wlk_status pickle_literal(pickle *p, const pickle_opcode *op, py_value **value, wlk_error *error) {
    TRY(py_new(p, PY_NONE, op->offset, value, error));
    return makers[op->code](p, op, *value, error);
}

#include "formats/pickle/opcodes.h"

#include <string.h>

const pickle_opcode_row pickle_opcode_rows[256] = {
#define OPCODE(symbol, byte, argument, pops, to_mark, pushes) \
    [byte] = {#symbol, ARGUMENT_##argument, pops, to_mark, pushes},
    PICKLE_OPCODES(OPCODE)
#undef OPCODE
};

/* ---- text */

static bool is_digit(uint8_t byte) {
    return byte >= '0' && byte <= '9';
}

/* Skips digits from *at on; how many there are. */
static uint64_t skip_digits(py_text text, uint64_t *at) {
    const uint64_t first = *at;
    while (*at < text.length && is_digit(text.data[*at])) ++*at;
    return *at - first;
}

static bool at_byte(py_text text, uint64_t at, uint8_t byte) {
    return at < text.length && text.data[at] == byte;
}

/* Digits that every reader takes for the same decimal number: none before them that is 0 (for
 * one it would be an octal number). */
static bool is_decimal(py_text text) {
    uint64_t at = 0;
    const bool zero = at_byte(text, 0, '0');
    const uint64_t digits = skip_digits(text, &at);
    return digits > 0 && at == text.length && (!zero || digits == 1);
}

static py_text without_sign(py_text text) {
    if (!at_byte(text, 0, '-')) return text;
    return (py_text){text.data + 1, text.length - 1};
}

/* -0 is a number to Python's own reader, and False to the one that it has in C. */
static bool is_int(py_text text) {
    const bool flag = text.length == 2 && text.data[0] == '0' && (text.data[1] | 1) == '1';
    const bool minus_zero = text.length == 2 && memcmp(text.data, "-0", 2) == 0;
    return flag || (is_decimal(without_sign(text)) && !minus_zero);
}

static bool is_long(py_text text) {
    if (text.length > 0 && text.data[text.length - 1] == 'L') text.length--;
    return is_decimal(without_sign(text));
}

#define LONGEST_FLOAT 64 /* what repr writes is at most 24 */

/* 1, 1.5, 1e-05, 1.5e+300, inf, nan; the exponent has one digit at least. */
static bool is_float(py_text text) {
    const py_text number = without_sign(text);
    uint64_t at = 0;
    if (number.length == 3 && memcmp(number.data, "inf", 3) == 0) return true;
    if (number.length == 3 && memcmp(number.data, "nan", 3) == 0) return true;
    if (text.length > LONGEST_FLOAT || skip_digits(number, &at) == 0) return false;
    if (at_byte(number, at, '.')) {
        at++;
        (void)skip_digits(number, &at);
    }
    if (at == number.length) return true;
    if (!at_byte(number, at, 'e')) return false;
    at++;
    if (at_byte(number, at, '+') || at_byte(number, at, '-')) at++;
    return skip_digits(number, &at) > 0 && at == number.length;
}

/* False if it is more than 2^63 - 1. */
static bool place_of(py_text text, int64_t *place) {
    int64_t number = 0;
    if (!is_decimal(text)) return false;
    for (uint64_t i = 0; i < text.length; i++) {
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, text.data[i] - '0', &number)) {
            return false;
        }
    }
    *place = number;
    return true;
}

static bool unquote(py_text *text) {
    if (text->length < 2) return false;
    const uint8_t quote = text->data[0];
    if ((quote != '\'' && quote != '"') || text->data[text->length - 1] != quote) return false;
    *text = (py_text){text->data + 1, text->length - 2};
    return true;
}

/* ---- arguments */

static bool take_line(cursor *stream, py_text *line) {
    const cursor rest = cursor_rest(stream);
    const uint8_t *end = rest.size > 0 ? memchr(rest.data, '\n', rest.size) : NULL;
    if (!end) return false;
    *line = (py_text){rest.data, (uint64_t)(end - rest.data)};
    return cursor_skip(stream, line->length + 1);
}

static wlk_rule read_line(cursor *stream, pickle_argument kind, pickle_opcode *op) {
    bool right = true;
    if (!take_line(stream, &op->text)) return RULE_PICKLE_TRUNCATED;
    if (kind == ARGUMENT_LINES && !take_line(stream, &op->second)) return RULE_PICKLE_TRUNCATED;
    if (kind == ARGUMENT_INT) right = is_int(op->text);
    if (kind == ARGUMENT_LONG) right = is_long(op->text);
    if (kind == ARGUMENT_FLOAT) right = is_float(op->text);
    if (kind == ARGUMENT_PLACE) right = place_of(op->text, &op->number);
    if (kind == ARGUMENT_QUOTED) right = unquote(&op->text);
    return right ? RULE_NONE : RULE_PICKLE_ARGUMENT;
}

static const uint8_t number_bytes[ARGUMENT_COUNT] = {
    [ARGUMENT_U1] = 1,      [ARGUMENT_U2] = 2,     [ARGUMENT_U4] = 4,     [ARGUMENT_I4] = 4,
    [ARGUMENT_U8] = 8,      [ARGUMENT_F8] = 8,     [ARGUMENT_BYTES1] = 1, [ARGUMENT_BYTES4] = 4,
    [ARGUMENT_SIGNED4] = 4, [ARGUMENT_BYTES8] = 8,
};

static uint64_t little_endian(const uint8_t *bytes, uint32_t count) {
    uint64_t number = 0;
    for (uint32_t i = 0; i < count; i++) number |= (uint64_t)bytes[i] << (8 * i);
    return number;
}

static double big_endian_double(uint64_t bits) {
    const uint64_t turned = __builtin_bswap64(bits);
    double real;
    memcpy(&real, &turned, sizeof real);
    return real;
}

static wlk_rule read_argument(cursor *stream, pickle_argument kind, pickle_opcode *op) {
    const uint32_t bytes = number_bytes[kind];
    if (kind == ARGUMENT_NONE) return RULE_NONE;
    if (bytes == 0) return read_line(stream, kind, op);
    const uint8_t *number = cursor_take(stream, bytes);
    if (!number) return RULE_PICKLE_TRUNCATED;
    const uint64_t bits = little_endian(number, bytes);
    const bool is_signed = kind == ARGUMENT_I4 || kind == ARGUMENT_SIGNED4;
    op->number = is_signed ? (int32_t)bits : (int64_t)bits;
    if (kind == ARGUMENT_F8) op->real = big_endian_double(bits);
    if (kind < ARGUMENT_BYTES1) return RULE_NONE;
    if (is_signed && op->number < 0) return RULE_PICKLE_ARGUMENT;
    op->text = (py_text){cursor_take(stream, bits), bits};
    return op->text.data ? RULE_NONE : RULE_PICKLE_TRUNCATED;
}

wlk_rule pickle_next(cursor *stream, pickle_opcode *op) {
    *op = (pickle_opcode){.offset = cursor_offset(stream)};
    if (!cursor_u8(stream, &op->code)) return RULE_PICKLE_TRUNCATED;
    const pickle_opcode_row *row = &pickle_opcode_rows[op->code];
    if (!row->name) return RULE_PICKLE_OPCODE;
    return read_argument(stream, (pickle_argument)row->argument, op);
}

/* ---- detection */

#define LOOKED_AT 64

/* How many values lie on the stack, and above which of them there are marks. */
typedef struct outline {
    uint32_t values;
    uint32_t marks[LOOKED_AT];
    uint32_t mark_count;
} outline;

static bool refers_outside(uint8_t code) {
    return code == OP_PERSID || code == OP_BINPERSID || code == OP_NEXT_BUFFER ||
           code == OP_READONLY_BUFFER || code == OP_EXT1 || code == OP_EXT2 || code == OP_EXT4;
}

/* False if the opcode takes what is not there. */
static bool outline_step(outline *o, const pickle_opcode_row *row) {
    if (row->to_mark) {
        if (o->mark_count == 0) return false;
        o->values = o->marks[--o->mark_count];
    }
    const uint32_t fence = o->mark_count > 0 ? o->marks[o->mark_count - 1] : 0;
    if (o->values < fence + row->pops) return false;
    o->values = o->values - row->pops + row->pushes;
    return true;
}

static bool plausible(cursor stream) {
    outline o = {.values = 0};
    pickle_opcode op;
    for (uint32_t i = 0; i < LOOKED_AT; i++) {
        if (pickle_next(&stream, &op) != RULE_NONE || refers_outside(op.code)) return false;
        const bool marked = o.mark_count > 0 && o.marks[o.mark_count - 1] == o.values;
        if (op.code == OP_MARK) {
            o.marks[o.mark_count++] = o.values;
        } else if (op.code == OP_POP && marked) {
            o.mark_count--;
        } else if (!outline_step(&o, &pickle_opcode_rows[op.code])) {
            return false;
        }
        if (op.code == OP_STOP) return true;
    }
    return true;
}

bool pickle_looks_like(const uint8_t *data, uint64_t size) {
    if (size >= 2 && data[0] == OP_PROTO) return data[1] <= 5;
    return plausible(cursor_over(data, size, 0));
}

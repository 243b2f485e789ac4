/* Opcodes of pickles, as the parser reads them: for scripts that hold it against another reader.
 * The standard input holds streams, each behind its length (u32, little-endian). Of each one
 * line: opcodes as NAME@POSITION=ARGUMENT with blanks between, up to STOP, or to "!" and the
 * rule that a wrong one breaks. Texts are in hexadecimal, floats as their bits. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/pickle/literal.h"

static void print_text(py_text text) {
    (void)putchar('x');
    for (uint64_t i = 0; i < text.length; i++) (void)printf("%02x", text.data[i]);
}

static void print_value(const py_value *value) {
    uint64_t bits;
    memcpy(&bits, &value->real, sizeof bits);
    if (value->kind == PY_BOOL) (void)printf("i%d", value->boolean);
    if (value->kind == PY_INT) (void)printf("i%" PRId64, value->integer);
    if (value->kind == PY_FLOAT) (void)printf("f%016" PRIx64, bits);
    if (value->kind == PY_LONG) (void)putchar('l');
    if (value->kind == PY_LONG || value->kind == PY_STR || value->kind == PY_BYTES ||
        value->kind == PY_BYTEARRAY) {
        print_text(value->text);
    }
}

static void print_argument(const pickle_opcode *op, const py_value *value) {
    const uint8_t kind = pickle_opcode_rows[op->code].argument;
    if (kind == ARGUMENT_NONE) return;
    (void)putchar('=');
    if (value) {
        print_value(value);
    } else if (kind == ARGUMENT_LINE) {
        print_text(op->text);
    } else if (kind == ARGUMENT_LINES) {
        print_text(op->text);
        (void)putchar('.');
        print_text(op->second);
    } else if (kind == ARGUMENT_U8) {
        (void)printf("i%" PRIu64, (uint64_t)op->number);
    } else {
        (void)printf("i%" PRId64, op->number);
    }
}

/* The rule that the opcode breaks; RULE_NONE if it is right. */
static wlk_rule print_next(pickle *p, pickle_opcode *op) {
    py_value *value = NULL;
    wlk_error error;
    const wlk_rule rule = pickle_next(&p->stream, op);
    if (rule != RULE_NONE) return rule;
    if (pickle_is_literal(op->code) && pickle_literal(p, op, &value, &error) != WLK_OK) {
        return (wlk_rule)error.rule;
    }
    (void)printf("%s@%" PRIu64, pickle_opcode_rows[op->code].name, op->offset);
    print_argument(op, value);
    (void)putchar(' ');
    return RULE_NONE;
}

static void print_stream(const uint8_t *data, uint32_t size) {
    wlk_limits limits;
    wlk_limits_default(&limits);
    pickle p = {.limits = &limits, .stream = cursor_over(data, size, 0)};
    pickle_opcode op = {.code = 0};
    wlk_rule rule = RULE_NONE;
    while (rule == RULE_NONE && op.code != OP_STOP) rule = print_next(&p, &op);
    if (rule != RULE_NONE) (void)printf("!%s", wlk_rule_name(rule));
    (void)putchar('\n');
    pickle_close(&p);
}

int main(void) {
    uint32_t size;
    while (fread(&size, sizeof size, 1, stdin) == 1) {
        uint8_t *data = malloc(size > 0 ? size : 1); /* exactly as large, for sanitizers */
        if (!data || fread(data, 1, size, stdin) != size) return 1;
        print_stream(data, size);
        free(data);
    }
    return 0;
}

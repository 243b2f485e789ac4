#include "kit/pickle_change.h"

#include <string.h>

#include "formats/pickle/allow.h"
#include "formats/pickle/opcodes.h"

#define TRIES 24
#define COUNT(list) (sizeof(list) / sizeof *(list))
#define LONGEST_TEXT 4096

/* One thread makes inputs. */
static uint32_t starts[PK_OPS], other_starts[PK_OPS];

/* An opcode of which `fits` holds, from a random place on; PK_NONE if none is near. */
static uint32_t pick(const pk_list *list, bool (*fits)(const pk_op *op), fuzz_random *random) {
    if (list->count == 0) return PK_NONE;
    uint32_t at = (uint32_t)random_below(random, list->count);
    for (uint32_t i = 0; i < list->count; i++, at = at + 1 < list->count ? at + 1 : 0) {
        if (fits(&list->ops[at])) return at;
    }
    return PK_NONE;
}

/* ---- arguments */

static bool is_int(const pk_op *op) {
    int64_t number;
    return pk_int(op, &number);
}

static bool is_real(const pk_op *op) {
    return !op->raw && op->code == OP_BINFLOAT;
}

static bool is_text(const pk_op *op) {
    uint32_t length;
    return pk_text(op, &length) != NULL && length < LONGEST_TEXT;
}

static bool is_line(const pk_op *op) {
    return !op->raw && pickle_opcode_rows[op->code].argument >= ARGUMENT_LINE;
}

/* Sizes, indices and counts lie beside each other. */
static void change_int(pk_list *list, fuzz_random *random) {
    const uint32_t at = pick(list, is_int, random), from = pick(list, is_int, random);
    int64_t number, foreign;
    if (at == PK_NONE) return;
    (void)pk_int(&list->ops[at], &number);
    (void)pk_int(&list->ops[from], &foreign);
    switch (random_below(random, 6)) {
        case 0:
            number = (int64_t)random_edge(random);
            break;
        case 1:
            number = foreign;
            break;
        case 2:
            number = (int64_t)((uint64_t)number + 1);
            break;
        case 3:
            number = (int64_t)((uint64_t)number - 1);
            break;
        case 4:
            number = -1 - (int64_t)random_below(random, 4);
            break;
        default:
            number = (int64_t)random_below(random, 20);
    }
    const pk_op made = pk_make_int(list, number);
    (void)pk_splice(list, at, 1, &made, 1);
}

/* Big-endian. */
static void change_real(pk_list *list, fuzz_random *random) {
    static const uint64_t odd[] = {
        0x7ff8000000000000, 0x7ff0000000000000, 0xfff0000000000000, 0, 0x8000000000000000, 1,
        0x3ff0000000000000, 0xbff0000000000000, 0x7fefffffffffffff};
    const uint32_t at = pick(list, is_real, random);
    if (at == PK_NONE) return;
    const uint64_t bits = __builtin_bswap64(odd[random_below(random, COUNT(odd))]);
    const pk_op made = pk_make(list, OP_BINFLOAT, &bits, sizeof bits);
    (void)pk_splice(list, at, 1, &made, 1);
}

static const char *const words[] = {
    "f8",
    "f4",
    "i8",
    "i4",
    "u1",
    "b1",
    "O8",
    "<",
    ">",
    "|",
    "latin1",
    "f2",
    "S3",
    "U4",
    "V64",
    "C",
    "F",
    "order",
    "shape",
    "dtype",
    "auto",
    "drop",
    "error",
    "ignore",
    "constant",
    "passthrough",
    "balanced",
    "linear",
    "rbf",
    "poly",
    "ovr",
    "multinomial",
    "l1",
    "l2",
    "max",
    "mean",
    "median",
    "most_frequent",
    "uniform",
    "average",
    "soft",
    "hard",
    "SAMME",
    "SAMME.R",
    "log_loss",
    "hinge",
    "squared_error",
    "",
};

/* A key becomes another of the file's own, or a text of the options; or its bytes change. */
static void change_text(pk_list *list, fuzz_random *random) {
    static uint8_t text[2 * LONGEST_TEXT];
    const uint32_t at = pick(list, is_text, random), from = pick(list, is_text, random);
    uint32_t length = 0;
    pk_op made;
    if (at == PK_NONE) return;
    const uint8_t *bytes = pk_text(&list->ops[at], &length);
    if (random_below(random, 3) == 0) {
        const char *word = words[random_below(random, COUNT(words))];
        made = pk_with_text(list, &list->ops[at], word, strlen(word));
    } else if (random_below(random, 2)) {
        bytes = pk_text(&list->ops[from], &length);
        made = pk_with_text(list, &list->ops[at], bytes, length);
    } else {
        if (length) memcpy(text, bytes, length);
        length = (uint32_t)mutate_bytes(text, length, sizeof text, random);
        made = pk_with_text(list, &list->ops[at], text, length);
    }
    (void)pk_splice(list, at, 1, &made, 1);
}

/* Text up to a newline, as protocols 0 and 1 have it. */
static void change_line(pk_list *list, fuzz_random *random) {
    static uint8_t text[2 * LONGEST_TEXT];
    const uint32_t at = pick(list, is_line, random);
    if (at == PK_NONE || list->ops[at].length >= LONGEST_TEXT) return;
    const pk_op *op = &list->ops[at];
    memcpy(text, op->argument, op->length);
    size_t length = mutate_bytes(text, op->length - 1, sizeof text - 1, random);
    text[length++] = '\n';
    const pk_op made = pk_make(list, op->code, text, length);
    (void)pk_splice(list, at, 1, &made, 1);
}

/* ---- elements and shapes of arrays */

static bool is_payload(const pk_op *op) {
    uint32_t length;
    return (op->raw ? op->length : pk_text(op, &length) ? length : 0) >= 8;
}

/* What stands for the elements of an array has one of these in it: an index, or a number. */
static void change_elements(pk_list *list, fuzz_random *random) {
    static const uint64_t odd[] = {0,
                                   1,
                                   2,
                                   UINT64_MAX,
                                   UINT64_MAX - 1,
                                   INT64_MAX,
                                   1ull << 63,
                                   0x7ff8000000000000,
                                   0x7ff0000000000000,
                                   0xfff0000000000000,
                                   0x3ff0000000000000,
                                   0xbff0000000000000,
                                   1000,
                                   0xffffffff};
    static uint8_t bytes[1u << 16];
    const uint32_t at = pick(list, is_payload, random);
    uint32_t length;
    if (at == PK_NONE) return;
    const pk_op *op = &list->ops[at];
    const uint8_t *from = pk_text(op, &length);
    if (op->raw) {
        from = op->argument;
        length = op->length;
    }
    if (length > sizeof bytes) return;
    memcpy(bytes, from, length);
    for (size_t i = 1 + random_below(random, 3); i > 0; i--) {
        const uint64_t value = odd[random_below(random, COUNT(odd))];
        const size_t width = random_below(random, 4) ? 8 : 4;
        /* Elements end where the bytes do. */
        const size_t place = length - width * (1 + random_below(random, length / width));
        memcpy(bytes + place, &value, width);
    }
    const pk_op made = pk_with_text(list, op, bytes, length);
    (void)pk_splice(list, at, 1, &made, 1);
}

/* The bytes behind a dimension, if they are a multiple of it, become as many as another
 * dimension wants. */
static void scale(pk_list *list, uint32_t from, uint32_t was, uint32_t becomes) {
    static uint8_t bytes[1u << 16];
    for (uint32_t i = from; i < list->count && i < from + 60; i++) {
        const pk_op *op = &list->ops[i];
        uint32_t length;
        const uint8_t *text = pk_text(op, &length);
        if (op->raw) {
            text = op->argument;
            length = op->length;
        }
        const uint32_t pad = op->raw && length ? (text[0] + 1u) : 0; /* what aligns raw bytes */
        if (!text || length < 8 || length < pad || (length - pad) % was != 0) continue;
        const size_t wanted = (length - pad) / was * becomes;
        if (wanted + pad > sizeof bytes) return;
        memset(bytes, 0, sizeof bytes);
        memcpy(bytes, text, length < wanted + pad ? length : wanted + pad);
        const pk_op made = pk_with_text(list, op, bytes, wanted + pad);
        (void)pk_splice(list, i, 1, &made, 1);
        return;
    }
}

static void change_shape(pk_list *list, fuzz_random *random) {
    int64_t was = 0;
    for (int i = 0; i < TRIES; i++) {
        const uint32_t at = pick(list, is_int, random);
        if (at == PK_NONE || at + 1 >= list->count) return;
        const uint8_t next = list->ops[at + 1].code;
        const bool dims = next == OP_TUPLE1 || next == OP_TUPLE2 || next == OP_TUPLE3 ||
                          is_int(&list->ops[at + 1]);
        (void)pk_int(&list->ops[at], &was);
        if (!dims || was < 1 || was > 4096) continue;
        const uint32_t becomes =
            random_below(random, 2) ? (uint32_t)random_below(random, 8) : (uint32_t)was + 1;
        const pk_op made = pk_make_int(list, becomes);
        if (pk_splice(list, at, 1, &made, 1)) scale(list, at + 1, (uint32_t)was, becomes);
        return;
    }
}

/* ---- globals */

static bool is_global(const pk_op *op) {
    return !op->raw && (op->code == OP_GLOBAL || op->code == OP_STACK_GLOBAL);
}

/* Names that were put on the stack for it go away. */
static void change_global(pk_list *list, fuzz_random *random) {
    const uint32_t at = pick(list, is_global, random);
    if (at == PK_NONE) return;
    const py_global *row =
        &py_allowlist_built_in.rows[random_below(random, py_allowlist_built_in.count)];
    const bool stacked = list->ops[at].code == OP_STACK_GLOBAL;
    const pk_op pop = {.code = OP_POP, .refers = PK_NONE};
    const pk_op made[] = {pop, pop, pk_make_global(list, row->module, row->name)};
    (void)pk_splice(list, at, 1, stacked ? made : made + 2, stacked ? 3 : 1);
}

/* ---- values */

static bool is_value(const pk_list *list, const uint32_t *spans, uint32_t end) {
    return spans[end] != PK_NONE && end - spans[end] < 2048 && !list->ops[end].raw;
}

/* Where a value ends; it begins at spans[end]. Short ones, now and then. */
static uint32_t pick_value(const pk_list *list, const uint32_t *spans, fuzz_random *random) {
    const uint32_t most = random_below(random, 2) ? 40 : 2048;
    for (int i = 0; i < TRIES && list->count; i++) {
        const uint32_t end = (uint32_t)random_below(random, list->count);
        if (is_value(list, spans, end) && end - spans[end] < most) return end;
    }
    return PK_NONE;
}

static void replace_value(pk_list *list, uint32_t end, const pk_op *piece, uint32_t count) {
    static pk_op copy[PK_OPS]; /* the piece may be the list's own */
    memcpy(copy, piece, count * sizeof *copy);
    (void)pk_splice(list, starts[end], end + 1 - starts[end], copy, count);
}

static void empty_value(pk_list *list, fuzz_random *random) {
    static const uint8_t codes[] = {OP_NONE,      OP_EMPTY_LIST, OP_EMPTY_TUPLE, OP_EMPTY_DICT,
                                    OP_EMPTY_SET, OP_NEWTRUE,    OP_NEWFALSE};
    const uint32_t end = pick_value(list, starts, random);
    if (end == PK_NONE) return;
    const pk_op made =
        random_below(random, 3)
            ? (pk_op){.code = codes[random_below(random, COUNT(codes))], .refers = PK_NONE}
            : pk_make_int(list, (int64_t)random_below(random, 4));
    replace_value(list, end, &made, 1);
}

static void copy_value(pk_list *list, fuzz_random *random) {
    const uint32_t to = pick_value(list, starts, random), from = pick_value(list, starts, random);
    if (to == PK_NONE || from == PK_NONE) return;
    replace_value(list, to, list->ops + starts[from], from + 1 - starts[from]);
}

static bool ends_list(const pk_op *op) {
    return !op->raw && pickle_opcode_rows[op->code].to_mark && op->code != OP_POP_MARK;
}

/* One element more, or a pair. */
static void add_value(pk_list *list, fuzz_random *random) {
    static pk_op copy[PK_OPS];
    const uint32_t at = pick(list, ends_list, random);
    const uint8_t code = at == PK_NONE ? 0 : list->ops[at].code;
    if (at == PK_NONE) return;
    for (int i = code == OP_SETITEMS || code == OP_DICT ? 2 : 1; i > 0; i--) {
        const uint32_t from = pick_value(list, starts, random);
        if (from == PK_NONE) return;
        const uint32_t count = from + 1 - starts[from];
        memcpy(copy, list->ops + starts[from], count * sizeof *copy);
        if (!pk_splice(list, at, 0, copy, count)) return;
        pk_spans(list, starts);
    }
}

/* A value and the next one: a key and what it stands for. */
static void remove_pair(pk_list *list, fuzz_random *random) {
    const uint32_t first = pick_value(list, starts, random);
    if (first == PK_NONE) return;
    for (uint32_t end = list->count; end-- > first + 1;) {
        if (starts[end] != first + 1 || end - first > 2048) continue;
        (void)pk_splice(list, starts[first], end + 1 - starts[first], NULL, 0);
        return;
    }
}

static void swap_values(pk_list *list, fuzz_random *random) {
    static pk_op copy[PK_OPS];
    uint32_t a = pick_value(list, starts, random), b = pick_value(list, starts, random);
    if (a == PK_NONE || b == PK_NONE) return;
    if (a > b) {
        const uint32_t swapped = a;
        a = b;
        b = swapped;
    }
    if (starts[b] <= a) return;
    const uint32_t length = a + 1 - starts[a];
    memcpy(copy, list->ops + starts[a], length * sizeof *copy);
    const uint32_t count = b + 1 - starts[b];
    replace_value(list, a, list->ops + starts[b], count);
    const uint32_t moved = starts[b] + count - length;
    (void)pk_splice(list, moved, count, copy, length);
}

/* ---- opcodes */

static uint8_t random_code(fuzz_random *random) {
    for (;;) {
        const uint8_t code = (uint8_t)random_next(random);
        if (pickle_opcode_rows[code].name) return code;
    }
}

/* Another opcode that takes and leaves as much. */
static void change_code(pk_list *list, fuzz_random *random) {
    if (list->count == 0) return;
    pk_op *op = &list->ops[random_below(random, list->count)];
    for (int i = 0; i < 8 * TRIES && !op->raw; i++) {
        const uint8_t code = random_code(random);
        const pickle_opcode_row *a = &pickle_opcode_rows[op->code], *b = &pickle_opcode_rows[code];
        if (code == op->code || a->argument != b->argument || a->pops != b->pops ||
            a->to_mark != b->to_mark || a->pushes != b->pushes) {
            continue;
        }
        op->code = code;
        return;
    }
}

static pk_op random_op(pk_list *list, fuzz_random *random) {
    const uint8_t code = random_code(random);
    const uint64_t number = random_edge(random);
    static const uint8_t widths[ARGUMENT_COUNT] = {
        [ARGUMENT_U1] = 1, [ARGUMENT_U2] = 2, [ARGUMENT_U4] = 4,
        [ARGUMENT_I4] = 4, [ARGUMENT_U8] = 8, [ARGUMENT_F8] = 8};
    static const char *const lines[ARGUMENT_COUNT] = {[ARGUMENT_BYTES1] = "\1a",
                                                      [ARGUMENT_LINE] = "a\n",
                                                      [ARGUMENT_LINES] = "builtins\nlist\n",
                                                      [ARGUMENT_INT] = "01\n",
                                                      [ARGUMENT_LONG] = "-7L\n",
                                                      [ARGUMENT_PLACE] = "0\n",
                                                      [ARGUMENT_FLOAT] = "-1.5e+300\n",
                                                      [ARGUMENT_QUOTED] = "'\\x00\\''\n"};
    const uint8_t argument = pickle_opcode_rows[code].argument;
    if (lines[argument]) return pk_make(list, code, lines[argument], strlen(lines[argument]));
    if (widths[argument]) return pk_make(list, code, &number, widths[argument]);
    const uint32_t width = argument == ARGUMENT_BYTES8 ? 8 : argument == ARGUMENT_NONE ? 0 : 4;
    return pk_make(list, code, "\0\0\0\0\0\0\0\0", width); /* counted, of none */
}

void pk_change_form(pk_list *list, fuzz_random *random) {
    const uint32_t at = (uint32_t)random_below(random, list->count);
    pk_op made;
    switch (random_below(random, 3)) {
        case 0:
            made = random_op(list, random);
            (void)pk_splice(list, at, 0, &made, 1);
            break;
        case 1:
            if (list->count) (void)pk_splice(list, at, 1, NULL, 0);
            break;
        default:
            if (list->count < 2 || at + 1 >= list->count) return;
            made = list->ops[at];
            list->ops[at] = list->ops[at + 1];
            list->ops[at + 1] = made;
    }
}

void pk_change(pk_list *list, fuzz_random *random) {
    static void (*const changes[])(pk_list *, fuzz_random *) = {
        change_int,   change_int,   change_int,      change_real,     change_text,
        change_text,  change_line,  change_elements, change_elements, change_elements,
        change_shape, change_shape, change_global,   empty_value,     copy_value,
        copy_value,   add_value,    remove_pair,     swap_values,     change_code,
    };
    pk_spans(list, starts);
    changes[random_below(random, COUNT(changes))](list, random);
}

void pk_graft(pk_list *list, const pk_list *other, fuzz_random *random) {
    static pk_op copy[PK_OPS];
    pk_spans(list, starts);
    pk_spans(other, other_starts);
    const uint32_t to = pick_value(list, starts, random);
    const uint32_t from = pick_value(other, other_starts, random);
    if (to == PK_NONE || from == PK_NONE) return;
    const uint32_t first = other_starts[from], count = from + 1 - first;
    for (uint32_t i = 0; i < count; i++) {
        copy[i] = other->ops[first + i];
        const uint32_t refers = copy[i].refers;
        if (refers < other->ops[first].id || refers > other->ops[from].id) {
            copy[i].refers = PK_NONE; /* it lies outside */
        }
    }
    replace_value(list, to, copy, count);
}

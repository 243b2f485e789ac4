#include "kit/pickle_ops.h"

#include <stdio.h>
#include <string.h>

#include "formats/pickle/opcodes.h"

/* ---- single opcodes */

bool pk_puts(const pk_op *op) {
    return !op->raw && (op->code == OP_PUT || op->code == OP_BINPUT || op->code == OP_LONG_BINPUT ||
                        op->code == OP_MEMOIZE);
}

bool pk_gets(const pk_op *op) {
    return !op->raw && (op->code == OP_GET || op->code == OP_BINGET || op->code == OP_LONG_BINGET);
}

static uint32_t prefix_of(const pk_op *op) {
    static const uint8_t prefixes[ARGUMENT_COUNT] = {[ARGUMENT_BYTES1] = 1,
                                                     [ARGUMENT_BYTES4] = 4,
                                                     [ARGUMENT_SIGNED4] = 4,
                                                     [ARGUMENT_BYTES8] = 8};
    return op->raw ? 0 : prefixes[pickle_opcode_rows[op->code].argument];
}

const uint8_t *pk_text(const pk_op *op, uint32_t *length) {
    const uint32_t prefix = prefix_of(op);
    if (prefix == 0 || op->length < prefix) return NULL;
    *length = op->length - prefix;
    return op->argument + prefix;
}

static uint64_t little(const uint8_t *bytes, uint32_t count) {
    uint64_t number = 0;
    for (uint32_t i = 0; i < count; i++) number |= (uint64_t)bytes[i] << 8 * i;
    return number;
}

bool pk_int(const pk_op *op, int64_t *number) {
    if (op->raw) return false;
    if (op->code == OP_BININT1 || op->code == OP_BININT2) {
        *number = (int64_t)little(op->argument, op->length);
    } else if (op->code == OP_BININT) {
        *number = (int32_t)little(op->argument, op->length);
    } else if (op->code == OP_LONG1 && op->length == 9) {
        *number = (int64_t)little(op->argument + 1, 8);
    } else {
        return false;
    }
    return true;
}

pk_op pk_make(pk_list *list, uint8_t code, const void *argument, size_t length) {
    uint8_t *word = list->words + list->used;
    if (length > PK_WORDS - list->used) return (pk_op){.code = OP_NONE, .refers = PK_NONE};
    if (length) memcpy(word, argument, length);
    list->used += length;
    return (pk_op){.argument = word, .length = (uint32_t)length, .refers = PK_NONE, .code = code};
}

pk_op pk_make_int(pk_list *list, int64_t number) {
    uint8_t bytes[9] = {8};
    if (number >= 0 && number < 256) return pk_make(list, OP_BININT1, &number, 1);
    if (number >= 0 && number < 65536) return pk_make(list, OP_BININT2, &number, 2);
    if (number == (int32_t)number) return pk_make(list, OP_BININT, &number, 4);
    memcpy(bytes + 1, &number, 8);
    return pk_make(list, OP_LONG1, bytes, sizeof bytes);
}

/* Length and bytes, as the opcode has them. */
static pk_op make_counted(pk_list *list, uint8_t code, uint32_t prefix, const void *text,
                          size_t length) {
    static uint8_t argument[PK_WORDS];
    const uint64_t count = length;
    if (length > sizeof argument - 8) return (pk_op){.code = OP_NONE, .refers = PK_NONE};
    memcpy(argument, &count, prefix);
    if (length) memcpy(argument + prefix, text, length);
    return pk_make(list, code, argument, prefix + length);
}

pk_op pk_make_text(pk_list *list, const void *text, size_t length) {
    if (length < 256) return make_counted(list, OP_SHORT_BINUNICODE, 1, text, length);
    return make_counted(list, OP_BINUNICODE, 4, text, length);
}

pk_op pk_with_text(pk_list *list, const pk_op *op, const void *text, size_t length) {
    static const uint8_t longer[][2] = {{OP_SHORT_BINUNICODE, OP_BINUNICODE},
                                        {OP_SHORT_BINBYTES, OP_BINBYTES},
                                        {OP_SHORT_BINSTRING, OP_BINSTRING},
                                        {OP_LONG1, OP_LONG4}};
    const uint32_t prefix = prefix_of(op);
    pk_op made = {.code = OP_NONE, .refers = PK_NONE};
    if (op->raw) return pk_make(list, 0, text, length);
    if (prefix != 1 || length < 256) return make_counted(list, op->code, prefix, text, length);
    for (size_t i = 0; i < sizeof longer / sizeof *longer; i++) {
        if (op->code == longer[i][0]) made = make_counted(list, longer[i][1], 4, text, length);
    }
    return made;
}

pk_op pk_make_global(pk_list *list, const char *module, const char *name) {
    char text[512];
    const int length = snprintf(text, sizeof text, "%s\n%s\n", module, name);
    return pk_make(list, OP_GLOBAL, text, (size_t)length);
}

/* ---- the stack */

typedef struct simulation {
    uint32_t values[PK_OPS * 2]; /* the first opcode of each */
    uint32_t count;
    uint32_t marks[PK_OPS];
    uint32_t mark_count;
    uint32_t bases[8], mark_bases[8]; /* of streams within streams */
    uint32_t level;
    bool began;
} simulation;

/* One thread makes inputs. */
static simulation sim;

static uint32_t base_of(void) {
    return sim.level > 0 ? sim.bases[sim.level - 1] : 0;
}

static uint32_t mark_base_of(void) {
    return sim.level > 0 ? sim.mark_bases[sim.level - 1] : 0;
}

static uint32_t available(void) {
    const uint32_t floor =
        sim.mark_count > mark_base_of() ? sim.marks[sim.mark_count - 1] : base_of();
    return sim.count > floor ? sim.count - floor : 0;
}

static void push(uint32_t start) {
    if (sim.count < PK_OPS * 2) sim.values[sim.count++] = start;
}

static void enter_stream(void) {
    if (sim.began && sim.level < 8) {
        sim.bases[sim.level] = sim.count;
        sim.mark_bases[sim.level++] = sim.mark_count;
    }
    sim.began = true;
}

static void leave_stream(void) {
    sim.count = base_of();
    sim.mark_count = mark_base_of();
    if (sim.level > 0) sim.level--;
}

/* Takes what the opcode takes; where its value begins. */
static uint32_t take(const pickle_opcode_row *row, uint32_t index) {
    uint32_t start = index;
    if (row->to_mark && sim.mark_count > mark_base_of()) {
        const uint32_t mark = sim.marks[--sim.mark_count];
        if (sim.count > mark) start = sim.values[mark];
        sim.count = mark;
    }
    for (uint32_t i = 0; i < row->pops && sim.count > base_of(); i++) {
        start = sim.values[--sim.count];
    }
    return start;
}

/* Runs one opcode; where the value on top begins. */
static uint32_t step(const pk_op *op, uint32_t index) {
    if (op->raw) return PK_NONE;
    const pickle_opcode_row *row = &pickle_opcode_rows[op->code];
    if (op->code == OP_PROTO) enter_stream();
    if (op->code == OP_MARK && sim.mark_count < PK_OPS) sim.marks[sim.mark_count++] = sim.count;
    const uint32_t start = take(row, index);
    for (uint32_t i = 0; i < row->pushes; i++) push(start);
    if (op->code == OP_STOP) leave_stream();
    return row->pushes ? start : PK_NONE;
}

static void begin(void) {
    sim.count = sim.mark_count = sim.level = 0;
    sim.began = false;
}

/* The mark that a value was collected from belongs to it. */
void pk_spans(const pk_list *list, uint32_t *starts) {
    begin();
    for (uint32_t i = 0; i < list->count; i++) {
        starts[i] = step(&list->ops[i], i);
        const bool collects = starts[i] != PK_NONE && starts[i] > 0 && !list->ops[i].raw &&
                              pickle_opcode_rows[list->ops[i].code].to_mark &&
                              pickle_opcode_rows[list->ops[i].code].pops == 0;
        if (!collects || starts[i] == i || list->ops[starts[i] - 1].code != OP_MARK) continue;
        starts[i]--;
        if (sim.count > 0) sim.values[sim.count - 1] = starts[i];
    }
}

/* ---- mending */

static void put(pk_list *to, pk_op op) {
    if (to->count >= PK_OPS) return;
    to->ops[to->count] = op;
    (void)step(&op, to->count);
    to->count++;
}

static void put_none(pk_list *to) {
    put(to, (pk_op){.code = OP_NONE, .id = PK_NONE, .refers = PK_NONE});
}

static bool lacks_mark(const pk_op *op) {
    return pickle_opcode_rows[op->code].to_mark && sim.mark_count <= mark_base_of();
}

/* Values that it wants from below the mark, if it takes one. */
static uint32_t below(const pk_op *op) {
    const pickle_opcode_row *row = &pickle_opcode_rows[op->code];
    if (!row->to_mark) return available();
    const uint32_t under =
        sim.mark_count > mark_base_of() + 1 ? sim.marks[sim.mark_count - 2] : base_of();
    const uint32_t mark = sim.marks[sim.mark_count - 1];
    return mark > under ? mark - under : 0;
}

static void clear_for_stop(pk_list *to) {
    while (sim.mark_count > mark_base_of() && to->count < PK_OPS) {
        put(to, (pk_op){.code = OP_POP_MARK, .id = PK_NONE, .refers = PK_NONE});
    }
}

static void mend_op(pk_list *to, const pk_op *op) {
    if (op->raw) {
        put(to, *op);
        return;
    }
    if (lacks_mark(op)) return;
    if (op->code == OP_STOP) clear_for_stop(to);
    const uint32_t pops = pickle_opcode_rows[op->code].pops;
    if (pickle_opcode_rows[op->code].to_mark && below(op) < pops) return;
    for (uint32_t has = below(op); has < pops; has++) put_none(to);
    put(to, *op);
}

void pk_mend(pk_list *list) {
    static pk_list mended;
    begin();
    mended.count = 0;
    for (uint32_t i = 0; i < list->count; i++) mend_op(&mended, &list->ops[i]);
    const bool stops = mended.count > 0 && !mended.ops[mended.count - 1].raw &&
                       mended.ops[mended.count - 1].code == OP_STOP;
    if (!stops) {
        const pk_op stop = {.code = OP_STOP, .id = PK_NONE, .refers = PK_NONE};
        mend_op(&mended, &stop);
    }
    memcpy(list->ops, mended.ops, mended.count * sizeof *list->ops);
    list->count = mended.count;
}

bool pk_splice(pk_list *list, uint32_t at, uint32_t removed, const pk_op *piece, uint32_t count) {
    static pk_op copy[PK_OPS];
    if (count > PK_OPS - (list->count - removed) || count > PK_IDS - list->ids) return false;
    const uint32_t first = list->ids;
    for (uint32_t i = 0; i < count; i++) {
        copy[i] = piece[i];
        copy[i].id = list->ids++;
    }
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = 0; copy[i].refers != PK_NONE && k < i; k++) {
            if (piece[k].id == piece[i].refers && pk_puts(&piece[k])) copy[i].refers = first + k;
        }
    }
    pk_op *end = list->ops + at + removed;
    memmove(list->ops + at + count, end, (list->count - at - removed) * sizeof *end);
    memcpy(list->ops + at, copy, count * sizeof *copy);
    list->count += count - removed;
    return true;
}

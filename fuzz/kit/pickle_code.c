/* Lists of opcodes from bytes and back. */
#include <string.h>

#include "base/error.h"
#include "formats/pickle/machine.h"
#include "formats/pickle/opcodes.h"
#include "kit/heap.h"
#include "kit/input_pickle.h"
#include "kit/pickle_ops.h"

#define LEVELS 8
#define MOST_RAW 256

/* ---- where the raw bytes of arrays lie: the parser under test knows */

typedef struct range {
    uint64_t offset, length;
} range;

static uint32_t raw_ranges(const uint8_t *data, size_t size, range *ranges) {
    static const char sign[] = "NumpyArrayWrapper";
    pickle p = {.limits = pickle_limits(), .stream = cursor_over(data, size, 0)};
    uint32_t count = 0;
    py_value *value;
    if (size == 0 || !memmem(data, size, sign, sizeof sign - 1)) return 0;
    heap_pause();
    const wlk_status status = pickle_read(&p, &value, NULL);
    for (uint32_t i = 0; i < p.raw_count && count < MOST_RAW; i++) {
        ranges[count++] = (range){p.raw[2 * (size_t)i], p.raw[2 * (size_t)i + 1]};
    }
    (void)status;
    pickle_close(&p);
    heap_resume();
    return count;
}

/* The end of raw bytes that stand here, perhaps behind what aligns them: a byte that says how
 * many more that are. 0: none do. */
static uint64_t raw_end(const range *ranges, uint32_t count, const uint8_t *data, uint64_t at,
                        uint64_t size) {
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t offset = ranges[i].offset;
        if (offset == at || (at < size && offset == at + 1 + data[at])) {
            return offset + ranges[i].length;
        }
    }
    return 0;
}

/* ---- the memo: which opcode put what lies at a place */

typedef struct memo {
    uint32_t ids[LEVELS][PK_OPS];
    uint32_t counts[LEVELS];
    uint32_t level;
    bool began;
} memo;

static void memo_begin(memo *m) {
    m->level = 0;
    m->began = false;
    m->counts[0] = 0;
    memset(m->ids[0], 0xff, sizeof m->ids[0]);
}

static void memo_step(memo *m, const pk_op *op) {
    if (op->raw) return;
    if (op->code == OP_PROTO) {
        if (m->began && m->level + 1 < LEVELS) {
            m->level++;
            m->counts[m->level] = 0;
            memset(m->ids[m->level], 0xff, sizeof m->ids[0]);
        }
        m->began = true;
    }
    if (op->code == OP_STOP && m->level > 0) m->level--;
}

static void memo_read(memo *m, pk_op *op, uint64_t number) {
    const uint64_t place = op->code == OP_MEMOIZE ? m->counts[m->level] : number;
    if (pk_puts(op)) {
        m->counts[m->level]++;
        if (place < PK_OPS) m->ids[m->level][place] = op->id;
    }
    if (pk_gets(op) && place < PK_OPS) op->refers = m->ids[m->level][place];
}

/* ---- from bytes */

static void add_raw(pk_list *list, const uint8_t *data, size_t from, size_t to) {
    if (to <= from || list->count >= PK_OPS) return;
    list->ops[list->count++] = (pk_op){.argument = data + from,
                                       .length = (uint32_t)(to - from),
                                       .id = list->ids++,
                                       .refers = PK_NONE,
                                       .offset = (uint32_t)from,
                                       .raw = true};
}

void pk_decode(pk_list *list, const uint8_t *data, size_t size) {
    static memo read;
    static range ranges[MOST_RAW];
    const uint32_t range_count = raw_ranges(data, size, ranges);
    cursor stream = cursor_over(data, size, 0);
    list->count = list->ids = 0;
    list->used = 0;
    memo_begin(&read);
    while (cursor_left(&stream) > 0 && list->count + 2 < PK_OPS) {
        pickle_opcode op;
        const size_t from = stream.position;
        if (pickle_next(&stream, &op) != RULE_NONE) {
            stream.position = from;
            break;
        }
        pk_op *made = &list->ops[list->count++];
        *made = (pk_op){.argument = data + from + 1,
                        .length = (uint32_t)(stream.position - from - 1),
                        .id = list->ids++,
                        .refers = PK_NONE,
                        .offset = (uint32_t)from,
                        .code = op.code};
        memo_step(&read, made);
        memo_read(&read, made, (uint64_t)op.number);
        const uint64_t end =
            op.code == OP_BUILD ? raw_end(ranges, range_count, data, stream.position, size) : 0;
        if (end > stream.position && end <= size) {
            add_raw(list, data, stream.position, end);
            stream.position = end;
        }
    }
    add_raw(list, data, stream.position, size);
}

/* ---- to bytes */

typedef struct writer {
    uint8_t *out;
    size_t room, size;
    size_t frame; /* where the length of the open frame stands; 0: none is open */
    bool full;
} writer;

static void write_bytes(writer *w, const void *bytes, size_t length) {
    if (length > w->room - w->size) {
        w->full = true;
        return;
    }
    if (length) memcpy(w->out + w->size, bytes, length);
    w->size += length;
}

static void write_op(writer *w, uint8_t code, const void *argument, size_t length) {
    write_bytes(w, &code, 1);
    write_bytes(w, argument, length);
}

static void close_frame(writer *w) {
    if (w->frame == 0 || w->full) return;
    const uint64_t length = w->size - w->frame - 8;
    memcpy(w->out + w->frame, &length, sizeof length);
    w->frame = 0;
}

static void write_frame(writer *w) {
    static const uint8_t zeros[8];
    close_frame(w);
    write_op(w, OP_FRAME, zeros, sizeof zeros);
    w->frame = w->full ? 0 : w->size - sizeof zeros;
}

static void write_place(writer *w, uint8_t brief, uint8_t wide, uint32_t place) {
    write_op(w, place < 256 ? brief : wide, &place, place < 256 ? 1 : 4);
}

/* A place is said of what was put, in this stream, before. */
static void write_get(writer *w, const memo *m, const pk_op *op, const uint32_t *places,
                      const uint8_t *levels) {
    const bool known =
        op->refers < PK_IDS && places[op->refers] != PK_NONE && levels[op->refers] == m->level;
    if (known) {
        write_place(w, OP_BINGET, OP_LONG_BINGET, places[op->refers]);
    } else {
        write_op(w, OP_NONE, NULL, 0);
    }
}

size_t pk_encode(const pk_list *list, uint8_t *out, size_t room) {
    static uint32_t places[PK_IDS];
    static uint8_t levels[PK_IDS];
    static memo written;
    writer w = {.out = out, .room = room};
    memset(places, 0xff, sizeof places);
    memo_begin(&written);
    for (uint32_t i = 0; i < list->count && !w.full; i++) {
        const pk_op *op = &list->ops[i];
        memo_step(&written, op);
        if (op->raw) {
            close_frame(&w);
            write_bytes(&w, op->argument, op->length);
        } else if (op->code == OP_FRAME) {
            write_frame(&w);
        } else if (pk_gets(op)) {
            write_get(&w, &written, op, places, levels);
        } else if (pk_puts(op)) {
            const uint32_t place = written.counts[written.level]++;
            if (op->id < PK_IDS) {
                places[op->id] = place;
                levels[op->id] = (uint8_t)written.level;
            }
            if (op->code == OP_MEMOIZE)
                write_op(&w, OP_MEMOIZE, NULL, 0);
            else
                write_place(&w, OP_BINPUT, OP_LONG_BINPUT, place);
        } else {
            write_op(&w, op->code, op->argument, op->length);
        }
        if (!op->raw && op->code == OP_STOP) close_frame(&w);
    }
    close_frame(&w);
    return w.full ? 0 : w.size;
}

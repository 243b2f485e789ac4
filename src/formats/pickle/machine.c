#include "formats/pickle/machine.h"

#include "base/memory.h"
#include "formats/pickle/construct.h"
#include "formats/pickle/literal.h"
#include "formats/pickle/machine_state.h"

void pickle_close(pickle *p) {
    arena_free(&p->memory);
}

wlk_status py_new(pickle *p, py_kind kind, uint64_t offset, py_value **value, wlk_error *error) {
    if (p->objects >= p->limits->pickle_objects) {
        return error_at(error, RULE_LIMIT_PICKLE_OBJECTS, offset);
    }
    p->objects++;
    *value = arena_take(&p->memory, 1, sizeof **value);
    if (!*value) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    (*value)->kind = kind;
    (*value)->offset = offset;
    return WLK_OK;
}

#define FIRST_ROOM 4

static wlk_status grow(pickle *p, py_items *items, wlk_error *error) {
    const uint32_t room = items->room > 0 ? 2 * items->room : FIRST_ROOM;
    py_value **list = arena_take(&p->memory, room, sizeof(py_value *));
    if (!list) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    for (uint32_t i = 0; i < items->count; i++) list[i] = items->list[i];
    items->list = list;
    items->room = room;
    return WLK_OK;
}

wlk_status py_append(pickle *p, py_items *items, py_value *value, wlk_error *error) {
    if (p->objects >= p->limits->pickle_objects || items->count > UINT32_MAX / 4) {
        return error_at(error, RULE_LIMIT_PICKLE_OBJECTS, value->offset);
    }
    p->objects++;
    if (items->count == items->room) TRY(grow(p, items, error));
    items->list[items->count++] = value;
    return WLK_OK;
}

wlk_status machine_refuse(const machine *m, wlk_rule rule, const char *what, wlk_error *error) {
    return error_text(error, rule, m->op.offset, "%s: %s", pickle_opcode_rows[m->op.code].name,
                      what);
}

/* ---- opcodes of the stack, the memo and the stream itself */

static wlk_status run_literal(machine *m, wlk_error *error) {
    py_value *value;
    TRY(pickle_literal(m->p, &m->op, &value, error));
    return machine_push(m, value, error);
}

static wlk_status run_pop_mark(machine *m, wlk_error *error) {
    py_value *const *values;
    uint32_t count;
    return machine_pop_mark(m, &values, &count, error);
}

static wlk_status run_dup(machine *m, wlk_error *error) {
    py_value *value;
    TRY(machine_top(m, 0, &value, error));
    return machine_push(m, value, error);
}

static wlk_status run_put(machine *m, wlk_error *error) {
    py_value *value;
    TRY(machine_top(m, 0, &value, error));
    const uint64_t place = m->op.code == OP_MEMOIZE ? m->memo.count : (uint64_t)m->op.number;
    return memo_put(m->p, &m->memo, place, value, error);
}

/* A wrapper whose array has been read has no meaning of its own, and its writer never comes
 * back to it. */
static wlk_status run_get(machine *m, wlk_error *error) {
    py_value *value = memo_get(&m->memo, (uint64_t)m->op.number);
    if (!value) return machine_refuse(m, RULE_PICKLE_MEMO, "nothing lies there", error);
    if (py_is_wrapper(value) && value->object->state) {
        return machine_refuse(m, RULE_PICKLE_TYPE, value->object->class->name, error);
    }
    return machine_push(m, value, error);
}

static wlk_status run_proto(machine *m, wlk_error *error) {
    if (m->op.offset != m->start) {
        return machine_refuse(m, RULE_PICKLE_PROTOCOL, "not at the beginning", error);
    }
    if (m->op.number > 5) return machine_refuse(m, RULE_PICKLE_PROTOCOL, "above 5", error);
    if (m->p->protocol < (uint32_t)m->op.number) m->p->protocol = (uint32_t)m->op.number;
    return WLK_OK;
}

static wlk_status run_frame(machine *m, wlk_error *error) {
    const uint64_t at = cursor_offset(&m->p->stream);
    if (m->framed && at != m->frame_end) {
        return machine_refuse(m, RULE_PICKLE_FRAME, "a frame within a frame", error);
    }
    if ((uint64_t)m->op.number > cursor_left(&m->p->stream)) {
        return machine_refuse(m, RULE_PICKLE_FRAME, "it goes beyond the end", error);
    }
    m->framed = true;
    m->frame_end = at + (uint64_t)m->op.number;
    return WLK_OK;
}

static wlk_status run_stop(machine *m, wlk_error *error) {
    if (m->framed && m->frame_end != cursor_offset(&m->p->stream)) {
        return machine_refuse(m, RULE_PICKLE_FRAME, "the frame goes on behind it", error);
    }
    return machine_pop(m, &m->result, error);
}

static wlk_status run_extension(machine *m, wlk_error *error) {
    return error_at(error, RULE_PICKLE_EXTENSION, m->op.offset);
}

static wlk_status run_persistent(machine *m, wlk_error *error) {
    return error_at(error, RULE_PICKLE_PERSISTENT, m->op.offset);
}

static wlk_status run_buffer(machine *m, wlk_error *error) {
    return error_at(error, RULE_PICKLE_BUFFER, m->op.offset);
}

/* ---- the machine */

typedef wlk_status (*runner)(machine *m, wlk_error *error);

/* All but the literals. */
static const runner runners[256] = {
    [OP_MARK] = machine_mark,
    [OP_STOP] = run_stop,
    [OP_POP] = machine_drop,
    [OP_POP_MARK] = run_pop_mark,
    [OP_DUP] = run_dup,
    [OP_PROTO] = run_proto,
    [OP_FRAME] = run_frame,
    [OP_PUT] = run_put,
    [OP_BINPUT] = run_put,
    [OP_LONG_BINPUT] = run_put,
    [OP_MEMOIZE] = run_put,
    [OP_GET] = run_get,
    [OP_BINGET] = run_get,
    [OP_LONG_BINGET] = run_get,
    [OP_EMPTY_TUPLE] = machine_collect,
    [OP_TUPLE1] = machine_collect,
    [OP_TUPLE2] = machine_collect,
    [OP_TUPLE3] = machine_collect,
    [OP_TUPLE] = machine_collect,
    [OP_EMPTY_LIST] = machine_collect,
    [OP_LIST] = machine_collect,
    [OP_EMPTY_DICT] = machine_collect,
    [OP_DICT] = machine_collect,
    [OP_EMPTY_SET] = machine_collect,
    [OP_FROZENSET] = machine_collect,
    [OP_APPEND] = machine_fill,
    [OP_APPENDS] = machine_fill,
    [OP_SETITEM] = machine_fill,
    [OP_SETITEMS] = machine_fill,
    [OP_ADDITEMS] = machine_fill,
    [OP_GLOBAL] = machine_global,
    [OP_STACK_GLOBAL] = machine_global,
    [OP_REDUCE] = machine_call,
    [OP_NEWOBJ] = machine_call,
    [OP_NEWOBJ_EX] = machine_call,
    [OP_OBJ] = machine_call,
    [OP_INST] = machine_call,
    [OP_BUILD] = machine_build,
    [OP_EXT1] = run_extension,
    [OP_EXT2] = run_extension,
    [OP_EXT4] = run_extension,
    [OP_PERSID] = run_persistent,
    [OP_BINPERSID] = run_persistent,
    [OP_NEXT_BUFFER] = run_buffer,
    [OP_READONLY_BUFFER] = run_buffer,
};

/* A frame holds whole opcodes, or a reader that keeps to frames sees other opcodes than one
 * that does not. */
static wlk_status next_opcode(machine *m, wlk_error *error) {
    pickle *p = m->p;
    if (p->opcodes >= p->limits->pickle_opcodes) {
        return error_at(error, RULE_LIMIT_PICKLE_OPCODES, cursor_offset(&p->stream));
    }
    p->opcodes++;
    if (m->framed && cursor_offset(&p->stream) == m->frame_end) m->framed = false;
    const wlk_rule wrong = pickle_next(&p->stream, &m->op);
    if (wrong != RULE_NONE) return error_at(error, wrong, m->op.offset);
    if (m->framed && cursor_offset(&p->stream) > m->frame_end) {
        return machine_refuse(m, RULE_PICKLE_FRAME, "the frame ends within it", error);
    }
    return WLK_OK;
}

static void machine_end(machine *m) {
    mem_free(m->stack);
    mem_free(m->marks);
}

wlk_status pickle_read(pickle *p, py_value **value, wlk_error *error) {
    __attribute__((cleanup(machine_end))) machine m = {.p = p, .start = cursor_offset(&p->stream)};
    while (!m.result) {
        TRY(next_opcode(&m, error));
        const runner run = runners[m.op.code];
        TRY(run ? run(&m, error) : run_literal(&m, error));
    }
    *value = m.result;
    return WLK_OK;
}

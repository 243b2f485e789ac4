/* The machine while it reads one stream: its stack, marks, memo and frame. */
#ifndef WLK_FORMATS_PICKLE_MACHINE_STATE_H
#define WLK_FORMATS_PICKLE_MACHINE_STATE_H

#include "formats/pickle/machine.h"
#include "formats/pickle/opcodes.h"

/* Values by number. Writers count upwards, so those live in a list; any other number that a
 * stream chooses is in a tree, so that no number leads to memory that the stream did not pay
 * for (machine_memo.c). */
typedef struct memo_node memo_node;
typedef struct pickle_memo {
    py_value **list;
    uint64_t room;
    memo_node *tree;
    uint64_t count; /* of numbers that have a value: MEMOIZE takes it for the next one's */
} pickle_memo;

/* What lies there; NULL if there is nothing. */
py_value *memo_get(const pickle_memo *memo, uint64_t place);
wlk_status memo_put(pickle *p, pickle_memo *memo, uint64_t place, py_value *value,
                    wlk_error *error);

typedef struct machine {
    pickle *p;
    pickle_opcode op; /* the one that is carried out */
    py_value **stack;
    uint32_t count;
    uint32_t room;
    uint32_t *marks; /* how many values lay on the stack */
    uint32_t mark_count;
    uint32_t mark_room;
    pickle_memo memo;
    uint64_t start; /* offset of the stream's first byte */
    bool framed;    /* is there a frame, which ends at frame_end? */
    uint64_t frame_end;
    py_value *result; /* what STOP left; NULL: not yet */
} machine;

/* Refuses what the current opcode does, with its name. */
wlk_status machine_refuse(const machine *m, wlk_rule rule, const char *what, wlk_error *error);

/* ---- the stack (machine_stack.c). What lies below the latest mark is out of reach. */
wlk_status machine_push(machine *m, py_value *value, wlk_error *error);
wlk_status machine_pop(machine *m, py_value **value, wlk_error *error);
/* The value on top, or `below` places under it; stays there. */
wlk_status machine_top(const machine *m, uint32_t below, py_value **value, wlk_error *error);
wlk_status machine_mark(machine *m, wlk_error *error);
/* Takes the latest mark away and what lies above it; these values stay where they are until
 * the next push. */
wlk_status machine_pop_mark(machine *m, py_value *const **values, uint32_t *count,
                            wlk_error *error);
/* The same of the topmost `count` values. */
wlk_status machine_pop_many(machine *m, uint32_t count, py_value *const **values, wlk_error *error);
/* POP: a value, or the latest mark if nothing lies above it. */
wlk_status machine_drop(machine *m, wlk_error *error);

/* ---- opcodes that make containers and fill them (machine_containers.c) */
wlk_status machine_collect(machine *m, wlk_error *error);
wlk_status machine_fill(machine *m, wlk_error *error);

/* ---- opcodes that name, call and build (machine_objects.c) */
wlk_status machine_global(machine *m, wlk_error *error);
wlk_status machine_call(machine *m, wlk_error *error);
wlk_status machine_build(machine *m, wlk_error *error);

#endif

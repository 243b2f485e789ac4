#include "formats/pickle/construct.h"
#include "formats/pickle/distribution.h"
#include "formats/pickle/machine_state.h"

#define SHOWN 96 /* bytes of a module's or class's name in a message */

static int shown(py_text text) {
    return (int)(text.length < SHOWN ? text.length : SHOWN);
}

/* ---- GLOBAL, STACK_GLOBAL, INST */

static wlk_status find_global(machine *m, py_text module, py_text name, py_value **value,
                              wlk_error *error) {
    const py_allowlist *const lists[] = {&py_allowlist_built_in, &m->p->allowed};
    const py_global *row = NULL;
    for (size_t i = 0; i < 2 && !row; i++) {
        row = py_allowed(lists[i], module.data, module.length, name.data, name.length);
    }
    if (!row) {
        return error_text(error, RULE_PICKLE_GLOBAL, m->op.offset, "%.*s.%.*s", shown(module),
                          (const char *)module.data, shown(name), (const char *)name.data);
    }
    TRY(py_new(m->p, PY_GLOBAL, m->op.offset, value, error));
    (*value)->global = row;
    m->p->named++;
    return WLK_OK;
}

static wlk_status pop_text(machine *m, py_text *text, wlk_error *error) {
    py_value *value;
    TRY(machine_pop(m, &value, error));
    if (value->kind != PY_STR) {
        return machine_refuse(m, RULE_PICKLE_TYPE, py_kind_name(value->kind), error);
    }
    *text = value->text;
    return WLK_OK;
}

wlk_status machine_global(machine *m, wlk_error *error) {
    py_text module = m->op.text, name = m->op.second;
    py_value *value;
    if (m->op.code == OP_STACK_GLOBAL) {
        TRY(pop_text(m, &name, error));
        TRY(pop_text(m, &module, error));
    }
    TRY(find_global(m, module, name, &value, error));
    return machine_push(m, value, error);
}

/* ---- REDUCE, NEWOBJ, NEWOBJ_EX, OBJ, INST */

static wlk_status pop_kind(machine *m, py_kind kind, py_value **value, wlk_error *error) {
    TRY(machine_pop(m, value, error));
    if ((*value)->kind == kind) return WLK_OK;
    return machine_refuse(m, RULE_PICKLE_TYPE, py_kind_name((*value)->kind), error);
}

static wlk_status take_call(machine *m, py_value **callable, py_value **arguments,
                            wlk_error *error) {
    py_value *named;
    if (m->op.code == OP_NEWOBJ_EX) {
        TRY(pop_kind(m, PY_DICT, &named, error));
        if (named->items.count > 0) {
            return machine_refuse(m, RULE_PICKLE_CALL, "arguments by name", error);
        }
    }
    TRY(pop_kind(m, PY_TUPLE, arguments, error));
    return machine_pop(m, callable, error);
}

/* The arguments, and of OBJ the class before them, lie above the mark. */
static wlk_status take_marked(machine *m, py_value **callable, py_value **arguments,
                              wlk_error *error) {
    py_value *const *values;
    uint32_t count, first = 0;
    TRY(machine_pop_mark(m, &values, &count, error));
    if (m->op.code == OP_INST) {
        TRY(find_global(m, m->op.text, m->op.second, callable, error));
    } else {
        if (count == 0) return machine_refuse(m, RULE_PICKLE_STACK, "no class", error);
        *callable = values[first++];
    }
    TRY(py_new(m->p, PY_TUPLE, m->op.offset, arguments, error));
    for (uint32_t i = first; i < count; i++) {
        TRY(py_append(m->p, &(*arguments)->items, values[i], error));
    }
    return WLK_OK;
}

wlk_status machine_call(machine *m, wlk_error *error) {
    const bool marked = pickle_opcode_rows[m->op.code].to_mark;
    const bool instance = m->op.code == OP_NEWOBJ || m->op.code == OP_NEWOBJ_EX;
    py_value *callable, *arguments, *made;
    TRY(marked ? take_marked(m, &callable, &arguments, error)
               : take_call(m, &callable, &arguments, error));
    TRY(instance ? py_instance(m->p, callable, arguments, m->op.offset, &made, error)
                 : py_call(m->p, callable, arguments, m->op.offset, &made, error));
    return machine_push(m, made, error);
}

/* ---- BUILD */

/* Adds a dict's entries to the object's own state: it is a copy, as in Python, so that what
 * becomes of the dict later is no matter. */
static wlk_status add_state(machine *m, py_object *object, const py_value *from, wlk_error *error) {
    if (!object->state) TRY(py_new(m->p, PY_DICT, from->offset, &object->state, error));
    for (uint32_t i = 0; i < from->items.count; i++) {
        TRY(py_append(m->p, &object->state->items, from->items.list[i], error));
    }
    return WLK_OK;
}

static bool is_dict_or_none(const py_value *value) {
    return value->kind == PY_DICT || value->kind == PY_NONE;
}

/* (state, state of slots), as objects with __slots__ have it. */
static bool is_pair_of_states(const py_value *state) {
    return state->kind == PY_TUPLE && state->items.count == 2 &&
           is_dict_or_none(state->items.list[0]) && is_dict_or_none(state->items.list[1]);
}

static wlk_status build_record(machine *m, py_object *object, py_value *state, wlk_error *error) {
    if (state->kind == PY_NONE) return WLK_OK;
    const bool pair = is_pair_of_states(state);
    if (pair || state->kind == PY_DICT) {
        if (object->state && object->state->kind != PY_DICT) {
            return machine_refuse(m, RULE_PICKLE_TYPE, object->class->name, error);
        }
        if (!pair) return add_state(m, object, state, error);
        for (uint32_t i = 0; i < 2; i++) {
            const py_value *part = state->items.list[i];
            if (part->kind == PY_DICT) TRY(add_state(m, object, part, error));
        }
        return WLK_OK;
    }
    if (object->state) return machine_refuse(m, RULE_PICKLE_TYPE, object->class->name, error);
    object->state = state;
    return WLK_OK;
}

/* The elements that follow are no part of a frame. */
static wlk_status build_wrapper(machine *m, py_value *wrapper, py_value *state, wlk_error *error) {
    py_value *array;
    if (wrapper->object->state) {
        return machine_refuse(m, RULE_PICKLE_TYPE, wrapper->object->class->name, error);
    }
    if (state->kind != PY_DICT) {
        return machine_refuse(m, RULE_PICKLE_TYPE, py_kind_name(state->kind), error);
    }
    if (m->framed && m->frame_end != cursor_offset(&m->p->stream)) {
        return machine_refuse(m, RULE_PICKLE_FRAME, "an array begins within a frame", error);
    }
    m->framed = false;
    TRY(add_state(m, wrapper->object, state, error));
    m->p->wraps_arrays = true;
    TRY(joblib_read_array(m->p, wrapper, &array, error));
    m->stack[m->count - 1] = array; /* in the wrapper's place */
    return WLK_OK;
}

/* Nothing is known of it afterwards. */
static wlk_status build_opaque(machine *m, const py_global *class, const py_value *state,
                               wlk_error *error) {
    if (class->makes != PY_MAKES_DISTRIBUTION || distribution_is_state(state)) return WLK_OK;
    return error_text(error, RULE_PICKLE_CALL, m->op.offset,
                      "%s.%s: a state that scipy does not write, and might execute", class->module,
                      class->name);
}

wlk_status machine_build(machine *m, wlk_error *error) {
    py_value *target;
    TRY(machine_top(m, 1, &target, error));
    py_value *state = m->stack[--m->count]; /* which lies above it */
    if (target->kind == PY_OPAQUE) return build_opaque(m, target->global, state, error);
    if (target->kind == PY_DTYPE) return py_build_dtype(m->p, target, state, error);
    if (target->kind == PY_ARRAY) return py_build_array(m->p, target, state, error);
    if (py_is_wrapper(target)) return build_wrapper(m, target, state, error);
    if (target->kind == PY_OBJECT) return build_record(m, target->object, state, error);
    return machine_refuse(m, RULE_PICKLE_TYPE, py_kind_name(target->kind), error);
}

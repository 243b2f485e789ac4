#include "formats/pickle/construct.h"
#include "formats/pickle/machine_state.h"

/* ---- opcodes that make one of what lies above the mark, or of nothing */

typedef struct collection {
    uint8_t kind;  /* py_kind */
    uint8_t count; /* values; 0 and to_mark: all above the mark */
} collection;

static const collection collections[256] = {
    [OP_EMPTY_TUPLE] = {PY_TUPLE, 0},   [OP_TUPLE1] = {PY_TUPLE, 1},
    [OP_TUPLE2] = {PY_TUPLE, 2},        [OP_TUPLE3] = {PY_TUPLE, 3},
    [OP_TUPLE] = {PY_TUPLE, 0},         [OP_EMPTY_LIST] = {PY_LIST, 0},
    [OP_LIST] = {PY_LIST, 0},           [OP_EMPTY_DICT] = {PY_DICT, 0},
    [OP_DICT] = {PY_DICT, 0},           [OP_EMPTY_SET] = {PY_SET, 0},
    [OP_FROZENSET] = {PY_FROZENSET, 0},
};

static wlk_status check_key(const machine *m, const py_value *key, wlk_error *error) {
    if (py_is_hashable(key)) return WLK_OK;
    return machine_refuse(m, RULE_PICKLE_TYPE, "a key or member that cannot be one", error);
}

static wlk_status check_pairs(const machine *m, uint32_t count, wlk_error *error) {
    if (count % 2 == 0) return WLK_OK;
    return machine_refuse(m, RULE_PICKLE_STACK, "a key without a value", error);
}

static wlk_status add_values(machine *m, py_items *items, py_value *const *values, uint32_t count,
                             wlk_error *error) {
    for (uint32_t i = 0; i < count; i++) TRY(py_append(m->p, items, values[i], error));
    return WLK_OK;
}

static wlk_status add_members(machine *m, py_items *items, py_value *const *values, uint32_t count,
                              wlk_error *error) {
    for (uint32_t i = 0; i < count; i++) TRY(check_key(m, values[i], error));
    return add_values(m, items, values, count, error);
}

static wlk_status add_pairs(machine *m, py_items *items, py_value *const *values, uint32_t count,
                            wlk_error *error) {
    TRY(check_pairs(m, count, error));
    for (uint32_t i = 0; i < count; i += 2) TRY(check_key(m, values[i], error));
    return add_values(m, items, values, count, error);
}

wlk_status machine_collect(machine *m, wlk_error *error) {
    const collection *made = &collections[m->op.code];
    py_value *const *values = NULL;
    uint32_t count = made->count;
    py_value *value;
    if (pickle_opcode_rows[m->op.code].to_mark) {
        TRY(machine_pop_mark(m, &values, &count, error));
    } else {
        TRY(machine_pop_many(m, count, &values, error));
    }
    TRY(py_new(m->p, (py_kind)made->kind, m->op.offset, &value, error));
    if (made->kind == PY_DICT) {
        TRY(add_pairs(m, &value->items, values, count, error));
    } else if (made->kind == PY_FROZENSET) {
        TRY(add_members(m, &value->items, values, count, error));
    } else {
        TRY(add_values(m, &value->items, values, count, error));
    }
    return machine_push(m, value, error);
}

/* ---- opcodes that put values into the one below them */

typedef wlk_status (*adder)(machine *m, py_items *items, py_value *const *values, uint32_t count,
                            wlk_error *error);

typedef struct filling {
    uint8_t kind;  /* py_kind of what is filled */
    uint8_t count; /* values; 0: all above the mark */
    adder add;
} filling;

static const filling fillings[256] = {
    [OP_APPEND] = {PY_LIST, 1, add_values},   [OP_APPENDS] = {PY_LIST, 0, add_values},
    [OP_SETITEM] = {PY_DICT, 2, add_pairs},   [OP_SETITEMS] = {PY_DICT, 0, add_pairs},
    [OP_ADDITEMS] = {PY_SET, 0, add_members},
};

/* An object of a class that is a list or a dict too; never both. */
static wlk_status fill_object(machine *m, const filling *f, py_object *object,
                              py_value *const *values, uint32_t count, wlk_error *error) {
    const bool keyed = f->kind == PY_DICT;
    const bool fits = object->items.count == 0 || object->keyed == keyed;
    if (f->kind == PY_SET || object->class->makes != PY_MAKES_CONTAINER || !fits) {
        return machine_refuse(m, RULE_PICKLE_TYPE, object->class->name, error);
    }
    object->keyed = keyed;
    return f->add(m, &object->items, values, count, error);
}

static wlk_status fill(machine *m, const filling *f, py_value *target, py_value *const *values,
                       uint32_t count, wlk_error *error) {
    if (target->kind == PY_OPAQUE) return WLK_OK;
    if (target->kind == PY_OBJECT) {
        return fill_object(m, f, target->object, values, count, error);
    }
    if (target->kind != (py_kind)f->kind) {
        return machine_refuse(m, RULE_PICKLE_TYPE, py_kind_name(target->kind), error);
    }
    return f->add(m, &target->items, values, count, error);
}

wlk_status machine_fill(machine *m, wlk_error *error) {
    const filling *f = &fillings[m->op.code];
    py_value *const *values;
    py_value *target;
    uint32_t count = f->count;
    if (count == 0) {
        TRY(machine_pop_mark(m, &values, &count, error));
    } else {
        TRY(machine_pop_many(m, count, &values, error));
    }
    TRY(machine_top(m, 0, &target, error));
    /* Python asks nothing of a target to which nothing is added. */
    if (count == 0) return WLK_OK;
    return fill(m, f, target, values, count, error);
}
